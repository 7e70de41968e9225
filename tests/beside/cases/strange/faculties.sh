# A university: departments and users in files of all kinds, networks in lists, quotas, forwards. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOK=1
head_ <<'E' | new u1
log_file_path = /var/log/exim4/%slog
domainlist local = @ : lsearch,ret=full;/etc/exim4/departments : *.cs.uni.test : !never.uni.test
domainlist faculties = dsearch,filter=subdir;/etc/exim4/fac
hostlist campus = <; 127.0.0.1 ; ::1 ; net-iplsearch;/etc/exim4/nets
addresslist staff = nwildlsearch;/etc/exim4/staff
localpartlist roles = postmaster : abuse : hostmaster : ^noc-\d+\$
qualify_recipient = uni.test
acl_smtp_connect = conn
acl_smtp_helo = helo
acl_smtp_mail = mailacl
acl_smtp_rcpt = rcpt
acl_smtp_data = data
acl_smtp_vrfy = vrfy
acl_smtp_expn = ${if match_ip{$sender_host_address}{+campus}{accept}{expndeny}}
acl_smtp_etrn = etrn
acl_not_smtp = notsmtp
received_headers_max = 5
recipients_max = 15
recipients_max_reject
smtp_accept_max_nonmail = 20
smtp_max_unknown_commands = 4
message_logs = false
ignore_bounce_errors_after = 1h
UNI = /etc/exim4
DEPT = ${lookup{$domain}lsearch{UNI/departments}}
begin acl
conn:
 warn set acl_c_net = ${lookup{$sender_host_address}iplsearch{UNI/nets}{$value}{outside}}
  logwrite = :main: net <$acl_c_net> ${extract{name}{$acl_c_net}{n=$value}{none}}
 accept
helo:
 deny condition = ${if match{$sender_helo_name}{\N^\[?192\.0\.2\.\d+\]?$\N}}
  message = Say who you are, not $sender_helo_name
  log_message = literal helo $sender_helo_name
 accept
mailacl:
 accept senders = +staff
  set acl_m_staff = ${lookup{$sender_address}nwildlsearch{UNI/staff}}
  logwrite = staff <$acl_m_staff> <$sender_address_data>
  control = no_enforce_sync
 accept senders = : postmaster@*
 defer senders = ^slow.*@
  message = ${if eq{$sender_address_domain}{far.test}{}{try later, }$sender_address_local_part
 require verify = sender
  message = unverified $acl_verify_message
 accept
rcpt:
 warn set acl_m_n = ${eval10:0$acl_m_n+1}
 deny condition = ${if >{$acl_m_n}{12}}
  message = 552 5.5.3 too many ($acl_m_n of $rcpt_count)
 accept hosts = +campus
  domains = +local : +faculties
  verify = recipient
  logwrite = campus $local_part@$domain d=<$domain_data> l=<$local_part_data> a=<$address_data>
 accept local_parts = +roles
  domains = +local
  logwrite = role $local_part <$local_part_data>
  delay = 0s
 deny !domains = +local : +faculties
  message = relay not permitted for $domain\n(second line)
 discard local_parts = trap*
  log_message = trapped $local_part
 require verify = recipient/defer_ok
  message = ${if def:acl_verify_message{$acl_verify_message}{unknown}} ($recipient_verify_failure)
 accept
data:
 warn add_header = :at_start:X-First: $sender_host_address
  add_header = :after_received:X-AR: ${rxquote:$acl_m_staff}
  add_header = X-N: $acl_m_n $recipients_count ${reduce{<, $recipients}{0}{${eval:$value+1}}}
  remove_header = x-a : X-Unknown*
 deny condition = ${if match{$h_subject:}{\N(?i)^re:\s*re:\N}}
  message = 554-No re re\n554 really
 accept
vrfy:
 accept hosts = +campus
 deny message = 252 we do not tell
expndeny:
 drop message = 550 5.7.1 go away
etrn:
 deny
 warn logwrite = etrn $smtp_command_argument | $smtp_command
 deny condition = ${if !match{$smtp_command_argument}{^#}}
 accept
notsmtp:
 warn condition = ${if eq{$sender_ident}{cat}}
  add_header = X-Local: $sender_ident $originator_uid ${if def:h_bcc:{bcc}}
 accept
begin routers
dept_alias:
 driver = redirect
 domains = +local
 address_data = dept=DEPT d=$domain_data
 data = ${lookup{$local_part}lsearch*{${lookup{${extract{1}{.}{$domain}}}dsearch,filter=file,ret=full{UNI/aliases}{$value}{UNI/inc}}}}
 allow_fail
 allow_defer
 forbid_file
 forbid_pipe
 retry_use_local_part
 qualify_preserve_domain
fac:
 driver = redirect
 domains = +faculties
 file = UNI/fac/$domain_data/list
 router_home_directory = UNI/fac/$domain_data
 forbid_filter_existstest
 syntax_errors_to = postmaster@uni.test
 skip_syntax_errors
 one_time
 more = ${if eq{$local_part}{more}}
cs:
 driver = accept
 domains = *.cs.uni.test
 local_part_suffix = +* : -box
 local_part_suffix_optional
 local_parts = cdb;UNI/users.cdb : dbm;UNI/users.db : nwildlsearch;UNI/users.w
 set = r_quota = ${extract{quota}{$local_part_data}{$value}{1M}}
 set = r_d = ${domain_data}
 transport = ${if eq {$local_part_suffix}{-box}{boxes}{dirs}}
 address_data = ${local_part_data}!$address_data
 headers_add = X-Data: $local_part_data\nX-S: $local_part_suffix / $local_part_suffix_v
 headers_remove = X-A:x-b*:<;
staff_forward:
 driver = redirect
 debug_print = "R: forward for $local_part"
 check_local_user
 domains = uni.test : @
 file = $home/.forward
 file_transport = boxes
 pipe_transport = p
 reply_transport = r
 no_verify
 no_expn
 allow_filter
 require_files = $home : !$home/.noforward
local:
 driver = accept
 check_local_user
 domains = uni.test : @
 transport = dirs
 cannot_route_message = no $local_part in ${uc:$domain}
ext:
 driver = manualroute
 domains = !+local : !+faculties
 route_list = ^gate\\.(.*) ${sg{$1}{\\.}{-}}.test randomize byname ; far.test "192.0.2.11:192.0.2.12::2525" ; !*.test 192.0.2.13 s2
 host_find_failed = defer
 transport = s
 self = pass
begin transports
dirs:
 driver = appendfile
 directory = /var/mail/${if def:r_d{$r_d/}}$local_part_data
 maildir_format
 create_directory
 quota = ${if def:r_quota{$r_quota}{2K}}
 quota_warn_threshold = 50%
 quota_warn_message = "To: $local_part@$domain\nSubject: nearly full\n\nx $quota"
 quota_filecount = 3
 maildir_tag = ,S=$message_size,W=${eval:$message_size+1}
 user = mail
 group = mail
 mode = 0640
 directory_mode = 0750
 delivery_date_add
 envelope_to_add
 return_path_add
boxes:
 driver = appendfile
 file = /var/mail/box-$local_part_data
 mailbox_size = 100
 mailbox_filecount = 2
 quota = 1K
 quota_is_inclusive = false
 user = mail
p:
 driver = pipe
 path = /bin:/usr/bin
 environment = DEPT=$domain:A=${local_part}
 return_output
r:
 driver = autoreply
s:
 driver = smtp
 hosts_try_fastopen =
 command_timeout = 1s
 port = ${if eq{$host}{192.0.2.11}{25}{26}}
s2:
 driver = smtp
 hosts_try_fastopen =
 allow_localhost
begin retry
*@uni.test quota F,1h,10m; G,2d,1h,2
uni.test quota_2d
far.test timeout_connect F,1h,5m
* rcpt_4xx senders=: F,1h,2h
* * F,2h,15m; G,16h,1h,1.5
E
put departments <<'E'
uni.test: main campus=north
math.uni.test: dept of maths
 continued line
"phys uni.test": odd
phys.uni.test
E
put nets <<'E'
192.0.2.0/30: name=servers class=1
192.0.2.5: name="the five" class=2
192.0.2.0/28: name=labs
"2001:db8::/32": name=six
E
put staff <<'E'
ann@me.test: ann-data
*@uni.test: uni
^\Nprof\.[a-z]+@math\.uni\.test\N: prof data
E
put aliases/uni <<'E'
root: ann@me.test
postmaster: root
abuse: :fail: gone\n away
ill: "unclosed <a@b
many: ann, bob@me.test, cat@phys.uni.test, :include:/etc/exim4/inc
late: :defer: later
E
put aliases/math <<'E'
dean: prof.x
loop: loop2
loop2: loop
bl: :blackhole:
*: "catch all"@cs.uni.test
E
put inc <<'E'
bob
<ann@me.test> trailing
E
put fac/law.test/list <<'E'
# judges
ann@me.test (the first)
bob@me.test,
broken@@x
"quoted one"@phys.uni.test
E
put users.w <<'E'
zoe*: quota=3K
^[0-9]{4}$: quota=900 name=num
E
printf '+3,9:eva->quota=800\n+3,9:max->quota=60K\n\n' > /tmp/cdbin.$$; (cd $work; cdb -c $E/users.cdb < /tmp/cdbin.$$ 2>/dev/null || python3 - $E/users.cdb <<'P'
import sys,struct
def h(k):
    x=5381
    for c in k: x=((x<<5)+x ^ c)&0xffffffff
    return x
d=[(b'eva',b'quota=800'),(b'max',b'quota=60K')]
out=b'\0'*2048; t=[[] for _ in range(256)]
for k,v in d:
    t[h(k)&255].append((h(k),len(out))); out+=struct.pack('<LL',len(k),len(v))+k+v
hd=b''
for s in t:
    n=len(s)*2; sl=[(0,0)]*n
    for hh,p in s:
        i=(hh>>8)%n
        while sl[i][1]: i=(i+1)%n
        sl[i]=(hh,p)
    hd+=struct.pack('<LL',len(out),n); out+=b''.join(struct.pack('<LL',*x) for x in sl)
open(sys.argv[1],'wb').write(hd+out[2048:])
P
); rm -f /tmp/cdbin.$$
printf 'tom: quota=5K\nkim: nothing\n' > $E/u.txt; exim_dbmbuild $E/u.txt $E/users.db; chmod 644 $E/users.db* 2>/dev/null
printf '# Exim filter\nif foranyaddress $h_to: ($thisaddress contains "me.test") then deliver bob@me.test endif\n' > $work/home/ann/.forward; chown ann $work/home/ann/.forward
HELO=h.far.test
ADDRS='postmaster@uni.test dean@math.uni.test loop@math.uni.test other@math.uni.test eva@x.cs.uni.test tom+tag@x.cs.uni.test zoebox-box@x.cs.uni.test 1234@x.cs.uni.test nobody@y.cs.uni.test ann@uni.test bob@uni.test cat@me.test many@uni.test ill@uni.test late@uni.test abuse@uni.test any@law.test more@law.test x@far.test x@gate.a.b x@gate.me trap1@uni.test noc-12@phys.uni.test bl@math.uni.test x@y.org u@never.uni.test kim-box@x.cs.uni.test max@a.b.cs.uni.test'
SENDERS='s@far.test - ann@me.test prof.x@math.uni.test slow@far.test slow@x.test nobody@none.test'
EXTRA='EXPN many
VRFY many@uni.test
VRFY <dean@math.uni.test>
ETRN far.test
HELP me
EHLO 192.0.2.5
HELO [192.0.2.5]
EHLO'
BE='${lookup{192.0.2.5}iplsearch{/etc/exim4/nets}} ${lookup{192.0.2.9}iplsearch{/etc/exim4/nets}} ${lookup{2001:db8::1}iplsearch{/etc/exim4/nets}}
${lookup{math.uni.test}lsearch{/etc/exim4/departments}}|${lookup{phys uni.test}lsearch{/etc/exim4/departments}}|${lookup{phys.uni.test}lsearch,ret=full{/etc/exim4/departments}}
${lookup{eva}cdb{/etc/exim4/users.cdb}} ${lookup{tom}dbm{/etc/exim4/users.db}} ${lookup{kim}dbmnz{/etc/exim4/users.db}{y}{n}}
${lookup{prof.q@math.uni.test}nwildlsearch{/etc/exim4/staff}}
${if match_ip{192.0.2.5}{+campus}{y}{n}} ${if match_domain{x.cs.uni.test}{+local}{y $value}{n}} ${if match_domain{law.test}{+faculties}{y $value}{n}} ${if match_local_part{noc-7}{+roles}{y $value}{n}}'
host 11 rcpt:x@far.test='250 ok' show=1
battery
gone 11
