# A site with lists and users of the system, as Virtualmin has it: written from what such panels say of themselves. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
new vmin <<'E'
qualify_domain = me.test
CONFDIR = /etc/exim4
domainlist local_domains = @ : cdb;CONFDIR/domains.cdb
domainlist vdoms = dsearch,filter=dir;CONFDIR/domains
domainlist lists = lists.a.test : *.lists.test
host_lookup =
tls_advertise_hosts =
queue_run_in_order
remote_max_parallel = 1
log_selector = +all_parents +sender_on_delivery +return_path_on_delivery +delivery_size +smtp_confirmation +received_recipients +deliver_time -queue_time -pid
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
acl_smtp_mime = acl_check_mime
acl_smtp_vrfy = accept
acl_smtp_expn = accept
local_from_suffix = -*
untrusted_set_sender = ${if eq{$domain}{}{}{}}^${lookup{$sender_ident}lsearch{CONFDIR/idents}{$value}{none}}@
received_headers_max = 6
trusted_users = mail : daemon
errors_reply_to = postmaster@me.test
bounce_return_size_limit = 200
.include_if_exists CONFDIR/no.conf
.include CONFDIR/acls.conf
begin routers
deliveredto:
 driver = redirect
 domains = +vdoms
 allow_fail
 condition = ${if forany{<\n $h_delivered-to:}{eqi{$item}{$local_part@$domain}}}
 data = :fail: mail forwarding loop for $local_part@$domain
 no_verify
exiscan:
 driver = accept
 condition = ${if and{{def:h_x-scan:}{!eq{$received_protocol}{spam-scanned}}}}
 domains = +vdoms
 transport = scan
 no_verify
listowner:
 driver = redirect
 domains = +lists
 local_part_prefix = owner-
 data = postmaster@me.test
listmm:
 driver = manualroute
 domains = +lists
 local_parts = ${if exists{CONFDIR/mm/lists/$domain}{lsearch;CONFDIR/mm/lists/lists}{}}
 local_parts = lsearch;CONFDIR/mmlists
 local_part_suffix = -bounces : -bounces+* : -confirm : -join : -leave : -owner : -request
 local_part_suffix_optional
 route_list = * 192.0.2.7 byname
 transport = mm3
 self = send
 no_verify
listmember:
 driver = redirect
 domains = +lists
 local_parts = dsearch,filter=file;CONFDIR/lists
 senders = ${if exists{CONFDIR/lists/$local_part_data.senders}{lsearch;CONFDIR/lists/$local_part_data.senders}{*}}
 file = CONFDIR/lists/$local_part_data
 forbid_pipe
 forbid_file
 skip_syntax_errors
 syntax_errors_to = owner-$local_part_data@$domain
 errors_to = owner-$local_part_data@$domain
 headers_add = List-Id: <${local_part_data}.${domain}>\nPrecedence: list\nX-Sent-By: ${sender_address}
 headers_remove = x-list* : received-spf
 headers_add = Reply-To: ${local_part_data}@$domain
 no_more
 include_directory = CONFDIR/lists
listclosed:
 driver = redirect
 domains = +lists
 allow_fail
 data = :fail: closed list or no such list
vfail:
 driver = redirect
 domains = +vdoms
 allow_fail
 allow_defer
 data = ${lookup{$local_part}nwildlsearch{CONFDIR/domains/$domain_data/blackholes}{$value}fail}
vforward:
 driver = redirect
 domains = +vdoms
 local_part_suffix = -*
 local_part_suffix_optional
 data = ${lookup{$local_part}lsearch{CONFDIR/domains/$domain_data/aliases}{${expand:$value}}fail}
 qualify_preserve_domain
 pipe_transport = upipe
 file_transport = ufile
 directory_transport = udir
 reply_transport = ureply
 check_ancestor
 headers_add = Delivered-To: ${lc:$local_part@$domain}
 unseen = ${if exists{CONFDIR/domains/$domain_data/copy}{yes}{no}}
 include_directory = CONFDIR
 repeat_use = false
vauto:
 driver = accept
 domains = +vdoms
 local_parts = dsearch,ret=key;CONFDIR/domains/$domain_data/auto
 condition = ${if or{{match{$h_auto-submitted:}{(?i)auto}}{match{$h_precedence:}{(?i)^(bulk|list|junk)\$}}}{no}{yes}}
 senders = !^(owner|request)- : !*-bounces@* : *
 unseen
 no_verify
 transport = vacation
vuser:
 driver = accept
 domains = +vdoms
 address_data = ${lookup{$local_part}lsearch{CONFDIR/domains/$domain_data/passwd}{$value}fail}
 condition = ${if !eq{${extract{7}{:}{$address_data}}}{suspended}}
 local_parts = lsearch,ret=key;CONFDIR/domains/$domain_data/passwd
 transport = ${if eq{${extract{5}{:}{$address_data}}}{mbox}{vmbox}{vdir}}
 user = ${extract{2}{:}{$address_data}}
 group = ${extract{3}{:}{$address_data}}
vsusp:
 driver = redirect
 domains = +vdoms
 local_parts = lsearch,ret=key;CONFDIR/domains/$domain_data/passwd
 data = :defer: account suspended
 allow_defer
vcatch:
 driver = redirect
 domains = +vdoms
 data = ${lookup{@}lsearch{CONFDIR/domains/$domain_data/aliases}{${sg{$value}{%1}{$local_part}}}fail}
 no_more
sysalias:
 driver = redirect
 data = ${lookup{$local_part}cdb{CONFDIR/aliases.cdb}}
 domains = +local_domains
 pipe_transport = upipe
 file_transport = ufile
userforward:
 driver = redirect
 domains = +local_domains
 check_local_user
 local_part_prefix = real-
 local_part_prefix_optional
 condition = ${if eq{$local_part_prefix}{real-}{no}{yes}}
 local_part_suffix = -*
 local_part_suffix_optional
 file = $home/.forward$local_part_suffix_v
 file = $home/.forward
 require_files = $local_part_data:$home/.forward
 allow_filter
 allow_defer
 forbid_filter_run
 forbid_filter_readfile
 no_verify
 check_ancestor
 user = $local_part_data
 file_transport = ufile
 pipe_transport = upipe
 reply_transport = ureply
 directory_transport = udir
 router_home_directory = /etc
 transport_home_directory = $home
 skip_syntax_errors
procmail:
 driver = accept
 domains = +local_domains
 check_local_user
 require_files = $home/.procmailrc
 transport = procmail
 no_verify
localuser:
 driver = accept
 domains = +local_domains
 check_local_user
 local_part_prefix = real-
 local_part_prefix_optional
 local_part_suffix = -*
 local_part_suffix_optional
 transport = lmbox
dead:
 driver = redirect
 domains = +local_domains
 local_parts = ^dead
 file = CONFDIR/dead
 allow_defer
 allow_fail
remote:
 driver = manualroute
 domains = !+local_domains : !+vdoms : !+lists
 route_list = dom1.test 192.0.2.2 ; dom2.test 192.0.2.3 verp
 transport = ${if match{$sender_address}{^owner-}{verp}{remote}}
 cannot_route_message = no route to $domain for ${quote:$local_part}
begin transports
remote:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 transport_filter = /bin/sed s/body/BODY/
 headers_remove = ${if eq{$domain}{dom2.test}{x-a}}
verp:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 max_rcpt = 1
 return_path = ${if match{$return_path}{^owner-(.+)@(.*)\$}{owner-$1+${local_part}=$domain@$2}fail}
 headers_add = X-Verp: $return_path
mm3:
 driver = smtp
 protocol = lmtp
 port = 8024
 allow_localhost
 rcpt_include_affixes = true
 hosts_try_fastopen =
 connection_max_messages = 1
scan:
 driver = pipe
 command = ${if eq{1}{1}{/bin/sh}} -c "(echo X-Scanned: $message_size; cat) | $exim_path_x"
 command = /bin/sh -c "sed '1,/^$/s/^X-Scan: .*/X-Scanned: yes/' | EXIM -oi -oMr spam-scanned -f ${quote:$sender_address} -- $pipe_addresses"
 return_fail_output
 user = mail
 environment = A=${local_part}:B=$domain
 log_output
 message_prefix =
 message_suffix =
upipe:
 driver = pipe
 user = mail
 path = /bin:/usr/bin
 allow_commands = cat : /bin/sh : echo : false : sleep
 restrict_to_path = false
 return_output
 timeout = 1s
 max_output = 10
 log_fail_output
 temp_errors = 11 : 75
 freeze_signal
 umask = 027
 environment = "L=$local_part:D=$domain:Q=${quote:$h_subject:}"
 message_prefix = "From ${if def:return_path{$return_path}{MAILER-DAEMON}}\nX-Pre: ${tod_bsdinbox_x}\n"
 message_prefix = "From ${if def:return_path{$return_path}{MAILER-DAEMON}}\n"
 message_suffix = "==\n"
ufile:
 driver = appendfile
 user = mail
 delivery_date_add
 envelope_to_add
 return_path_add
 mode = 0640
 no_mode_fail_narrower
 create_file = anywhere
udir:
 driver = appendfile
 user = mail
 maildir_format
 maildir_tag = :2,S
 create_directory
 envelope_to_add
ureply:
 driver = autoreply
 user = mail
vacation:
 driver = autoreply
 user = mail
 from = ${local_part}@${domain}
 to = ${if def:h_reply-to:{$h_reply-to:}{$sender_address}}
 subject = ${if def:h_subject:{Re: $h_subject:}{away}}
 file = CONFDIR/domains/$domain_data/auto/$local_part_data
 file_expand
 once = /var/spool/exim4/vac/$domain_data.$local_part_data
 once_repeat = ${if eq{$domain}{b.test}{0s}{1d}}
 headers = Precedence: bulk\nX-For: $local_part_data
 log = /var/spool/exim4/vac/log
 mode = 0660
 return_message = ${if eq{a}{b}}
vmbox:
 driver = appendfile
 file = /var/mail/$domain_data-$local_part_data
 quota = ${extract{6}{:}{$address_data}{$value}{0}}
 mode = 0600
 message_size_limit = 2K
 use_lockfile = false
 use_fcntl_lock
 envelope_to_add
vdir:
 driver = appendfile
 directory = /var/mail/$domain_data/$local_part_data
 mailstore_format
 mailstore_prefix = ${sender_address} ${message_exim_id_x}
 mailstore_prefix = "$sender_address\n"
 mailstore_suffix = "$recipients_count\n"
 create_directory
 directory_mode = 0700
 return_path_add
procmail:
 driver = pipe
 command = "/bin/sh -c \"cat > /var/mail/procmail.$local_part_data\""
 command = "/bin/sh -c \"cat >> /var/mail/procmail\""
 return_path_add
 delivery_date_add
 envelope_to_add
 check_string = "From "
 escape_string = ">From "
 temp_errors = *
lmbox:
 driver = appendfile
 file = /var/mail/$local_part_data
 mode = 0660
 group = mail
 delivery_date_add
 envelope_to_add
 return_path_add
begin retry
* * F,2h,1s
begin rewrite
E
cat > $work/acls <<'E'
begin acl
acl_check_rcpt:
 accept hosts = : : 192.0.2.21
 deny domains = +lists
  !senders = :
  condition = ${if exists{CONFDIR/lists/${lookup{$local_part}dsearch,filter=file{CONFDIR/lists}}.senders}}
  condition = ${lookup{$sender_address}lsearch{CONFDIR/lists/${lookup{$local_part}dsearch,filter=file{CONFDIR/lists}}.senders}{no}{yes}}
  message = closed list
 deny condition = ${if >{$received_count}{5}}
 accept domains = +local_domains : +vdoms : +lists
  endpass
  verify = recipient
 accept hosts = 192.0.2.20
 deny message = no relay
acl_check_mime:
 warn decode = default
 discard condition = ${if match{$mime_content_type}{x-virus}}
  log_message = virus thrown away
 deny condition = ${if >{$mime_part_count}{4}}
  message = too many parts: $mime_part_count
 deny condition = ${if match{${lc:$mime_filename}}{\N\.(bat|js)$\N}}
  message = $mime_filename not wanted, charset $mime_charset, $mime_content_disposition, $mime_content_transfer_encoding, size $mime_content_size
 accept
acl_check_data:
 deny condition = ${if match{$h_subject:}{reject}}
  message = ${if def:h_x-why:{$h_x-why:}{no why}}
 warn  add_header = X-DT: ${sg{$h_delivered-to:}{\\n}{,}}
 accept
E
cp $work/acls $E/acls.conf
python3 - $exim <<'P'
import sys
f='/etc/exim4/exim4.conf';s=open(f).read()
def rm(a):
    global s
    assert a in s,a
    s=s.replace(a,'')
rm(" local_parts = ${if exists{CONFDIR/mm/lists/$domain}{lsearch;CONFDIR/mm/lists/lists}{}}\n")
rm(" headers_add = List-Id: <${local_part_data}.${domain}>\\nPrecedence: list\\nX-Sent-By: ${sender_address}\n") if 0 else None
rm(" file = $home/.forward$local_part_suffix_v\n"); rm(' command = ${if eq{1}{1}{/bin/sh}} -c "(echo X-Scanned: $message_size; cat) | $exim_path_x"\n')
rm(' message_prefix = "From ${if def:return_path{$return_path}{MAILER-DAEMON}}\\nX-Pre: ${tod_bsdinbox_x}\\n"\n'); rm(" mailstore_prefix = ${sender_address} ${message_exim_id_x}\n"); rm(' command = "/bin/sh -c \\"cat > /var/mail/procmail.$local_part_data\\""\n'); rm(" return_message = ${if eq{a}{b}}\n")
rm("untrusted_set_sender = ${if eq{$domain}{}{}{}}^${lookup{$sender_ident}lsearch{CONFDIR/idents}{$value}{none}}@\n")
rm(" repeat_use = false\n"); rm(" user = $local_part_data\n"); rm(" router_home_directory = /etc\n")
rm(" ; dom2.test 192.0.2.3 verp"); s=s.replace("route_list = dom1.test 192.0.2.2","route_list = dom1.test 192.0.2.2 ; dom2.test 192.0.2.2")
s=s.replace("EXIM",sys.argv[1]); 
open(f,'w').write(s)
P
D=domains
for d in a.test b.test; do mkdir -p $E/$D/$d/auto; : | put $D/$d/blackholes; done
printf 'lists.test: x\n' > $work/x; python3 - <<'P'
P
mkcdb() { python3 - "$1" "$2" <<'P'
import sys,struct
kv=[l.rstrip('\n').split(': ',1) for l in open(sys.argv[1])]
h=lambda k:__import__('functools').reduce(lambda a,c:((a<<5)+a^c)&0xffffffff,k,5381)
out=bytearray(2048);b=[[] for _ in range(256)]
for k,v in kv:
    k=k.encode();v=v.encode();p=len(out);out+=struct.pack('<II',len(k),len(v))+k+v;b[h(k)&255].append((h(k),p))
for i,l in enumerate(b):
    n=len(l)*2;t=[(0,0)]*n;struct.pack_into('<II',out,i*8,len(out),n)
    for hh,p in l:
        j=(hh>>8)%n
        while t[j][1]: j=(j+1)%n
        t[j]=(hh,p)
    for x in t: out+=struct.pack('<II',*x)
open(sys.argv[2],'wb').write(out)
P
}
printf 'local.test: 1\n' > $work/c; mkcdb $work/c $E/domains.cdb; printf 'root: ann, bob\npostmaster: root\nlog: /var/mail/syslog\nnull: /dev/null\nprog: |/bin/sh -c "echo hello-there-you; exit 1"\n' > $work/c; mkcdb $work/c $E/aliases.cdb
printf 'dev\nnews: x\n' | put mmlists; printf 'jim@a.test\nkim@b.test\nx@dom1.test\ny@dom2.test\nbroken@@x\n# c\n"z z"@dom1.test (Z)\n:include:/etc/exim4/lists/sub\n' | put lists/all; printf 'w@dom1.test\njim@a.test\n' | put lists/sub; printf 'jim@a.test\n' | put lists/small; printf 'jim@a.test:\n' | put lists/small.senders; 
printf '^spam: :fail: no spam\n^bh.*: :blackhole:\n*.later: :defer: later\n' | put $D/a.test/blackholes
printf 'info: jim, kim@b.test, x@dom1.test\nsales: :include:/etc/exim4/lists/sub\nself: self, jim\njim: jim, |"/bin/cat"\nloop: loop2@b.test\npipe: "|/bin/sh -c \\"cat;env|sort;exit 3\\""\npf: "|false"\nslow: "|sleep 5"\ntmp: |"/bin/sh -c \\"exit 75\\""\nsig: |"/bin/sh -c \\"kill -9 \\\\$\\\\$\\""\nbad: "|/usr/bin/env"\nfile: /var/mail/afile\ndir: /var/mail/adir/\nexp: ${local_part}2@dom1.test\n@: %%1@b.test\n' | put $D/a.test/aliases; printf 'loop2: loop@a.test\n@: kim\n' | put $D/b.test/aliases
printf 'jim:5001:5001::mbox:0\nmb:mail:mail::mbox:600\nsus:mail:mail::mbox:1:suspended\nann:ann:mail::dir\n' | sed 's/^\([a-z]*\):/\1: x:/' | put $D/a.test/passwd; printf 'kim: x:bob:bob::dir:0\nboth: x:mail:mail::mbox:0\n' | put $D/b.test/passwd; printf 'Dear $sender_address (${lc:$h_from:}),\nfrom $local_part\n' | put $D/a.test/auto/ann; printf 'hi\n' | put $D/b.test/auto/both; printf 'deadline, "|/bin/cat"\n' | sed 's/.*/:fail: $local_part died/' | put dead
printf '# Exim filter\nif $h_subject: contains "F1" then save $home/mail/f1 0600 endif\nif $h_subject: contains "F2" then deliver "jim@a.test" endif\nif $h_subject: contains "F3" then pipe "/bin/echo $h_subject:" endif\nif $h_subject: contains "F4" then vacation subject "r: $h_subject:" text "V" once "$home/once" log "$home/vlog" once_repeat 1h endif\nif $h_subject: contains "F5" then finish endif\nif foranyaddress $h_to: ($thisaddress contains "list") then seen save mail/rel endif\n' > home/ann/.forward; printf '"|/bin/cat", \\bob, real-cat, /dev/null, nosuch, %s/home/bob/saved\n' $work > home/bob/.forward; : > home/cat/.procmailrc; mkdir home/ann/mail; chown -R ann:ann home/ann; chown -R bob:bob home/bob; chown -R cat:cat home/cat; chmod 755 home home/*
chown -R root:Debian-exim $E; chmod -R a+rX $E;  mkdir -m 777 $S/vac
x -bV 2>&1 | tail -2
bt ann ann-x real-ann real-ann-y bob cat bob@local.test root postmaster log null prog dead1 nosuch jim@a.test jim-x@a.test info@a.test sales@a.test self@a.test loop@a.test pipe@a.test pf@a.test bad@a.test file@a.test dir@a.test exp@a.test exp-s@a.test any@a.test spammer@a.test bhx@a.test x.later@a.test mb@a.test sus@a.test ann@a.test kim@b.test any@b.test both@b.test all@lists.a.test small@lists.a.test dev@q.lists.test dev-bounces+x=y@lists.a.test news-request@lists.a.test owner-all@lists.a.test none@lists.a.test sub@lists.a.test x@dom1.test x@dom3.test '"q q"@dom3.test' '../x@a.test' '.@lists.a.test'
x -f jim@a.test -bt small@lists.a.test; x -f owner-all@lists.a.test -bt x@dom2.test
bv info@a.test sales@a.test self@a.test loop@a.test dev-join@lists.a.test bob dead1 sus@a.test all@lists.a.test
for a in 192.0.2.5 192.0.2.20 127.0.0.1; do { echo 'EHLO c.test'; for s in s@far.test '' jim@a.test; do echo "MAIL FROM:<$s>"; for r in jim@a.test spam1@a.test x.later@a.test sus@a.test loop@a.test small@lists.a.test all@lists.a.test dev@lists.a.test x@dom1.test dead2@me.test real-bob@me.test; do echo "RCPT TO:<$r>"; done; echo RSET; done; echo 'VRFY info@a.test';  echo 'EXPN self@a.test'; echo 'EXPN sales@a.test'; echo QUIT; } | bh $a; done
host 2 rcpt:no@far.test='550 5.1.1 no such' show=1; ( exec nsenter -t "$other" -n python3 $here/host.py 192.0.2.7 8024 $work/host.7 show=1 end:dev@lists.a.test='250 ok dev' end:news-request@q.lists.test='550 5.1.1 no news' ) & sleep 0.3
{ echo 'EHLO c.test'; mail s@far.test 'jim@a.test' 'Subject: one'; mail s@far.test 'info@a.test' 'Subject: two'; mail s@far.test 'sales@a.test self@a.test loop@a.test' 'Subject: three'; for r in pipe pf slow tmp sig bad file dir exp any; do mail s@far.test $r@a.test "Subject: $r"; done; mail s@far.test 'ann@a.test kim@b.test both@b.test' 'Subject: vac'; mail s@far.test 'ann@a.test both@b.test' 'Subject: vac2' 'Reply-To: z@dom1.test'; for i in 1 2; do  mail s@far.test mb@a.test "Subject: q$i" "X: $(head -c 300 /dev/zero | tr '\0' b)";done;  mail s@far.test mb@a.test "Subject: big" "X: $(head -c 1900 /dev/zero | tr '\0' b)"; echo QUIT; } | bs 192.0.2.21
after first; heard 2; cat $S/vac/log
{ echo 'EHLO c.test'; mail s@far.test 'all@lists.a.test' 'Subject: list' 'X-List-A: b' 'Received-SPF: x'; mail '' 'all@lists.a.test' 'Subject: list null'; mail jim@a.test small@lists.a.test 'Subject: small'; mail s@far.test small@lists.a.test 'Subject: small';  mail s@far.test 'dev@lists.a.test dev-bounces+x=y@lists.a.test news-request@q.lists.test owner-all@lists.a.test' 'Subject: mm'; mail s@far.test 'sub@lists.a.test' 'Subject: sub' 'Received: a' 'Received: b' 'Received: c'  'Received: d' 'Received: e'; mail owner-all@lists.a.test x@dom1.test; echo QUIT; } | bs 192.0.2.21
after lists; heard 2; heard 7
{ echo 'EHLO c.test'; for i in 1 2 3 4 5; do mail s@dom1.test ann@me.test "Subject: F$i"; done; mail s@dom1.test 'ann-x@me.test real-ann@me.test bob@me.test cat@me.test' 'Subject: users' 'To: list@x'; mail s@dom1.test 'root@me.test log@me.test null@me.test prog@me.test dead1@me.test ' 'Subject: alias'; mail s@dom1.test jim@a.test 'Subject: dt' 'Delivered-To: jim@a.test' 'Delivered-To: x@y.test'; mail s@dom1.test 'info@a.test' 'Subject: dt2' 'Delivered-To: x@y.test' 'Delivered-To: Info@A.test';mail s@dom1.test 'jim@a.test' 'Subject: scan' 'X-Scan: y'; mail s@dom1.test 'jim@a.test' 'Subject: reject' 'X-Why: =?utf-8?q?caf=C3=A9?='; mail s@dom1.test jim@a.test 'Subject: mime' 'MIME-Version: 1.0' 'Content-Type: multipart/mixed; boundary=b' '' '--b' 'Content-Type: text/plain; charset="iso-8859-1"' 'Content-Transfer-Encoding: base64' 'Content-Disposition: attachment; filename="=?utf-8?q?=C3=A9?=.JS"' '' 'eHh4eA==' '--b--';  mail s@dom1.test jim@a.test 'Subject: virus' 'MIME-Version: 1.0' 'Content-Type: multipart/mixed; boundary=b' '' '--b' 'Content-Type: application/x-virus' '' 'eHh4eA==' '--b--'; mail s@dom1.test jim@a.test 'Subject: many' 'MIME-Version: 1.0' 'Content-Type: multipart/mixed; boundary=b' '' '--b' '' '1' '--b' '' 2 '--b' '' 3 '--b' '' 4 '--b' '' 5 '--b--'; echo QUIT; } | bs 192.0.2.21
after users; heard 2; cat home/*/saved home/ann/mail/* home/ann/vlog; ls -l home/*/saved home/ann/mail/* home/ann | awk '{print $1,$3,$4,$5,$9}'
sleep 1.1; x -q; after q; heard 2;  sleep 1.1; x -qff; after qff; heard 2; cat $S/vac/log; ls $S/vac
