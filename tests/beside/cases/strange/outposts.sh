# Outposts: virtual domains in files of all kinds, odd homes and forwards, odd MIME parts, a system filter with named queues and batches, a backup MX with stand-ins. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
head_ <<'E' | new k3
# virtual domains: directories, cdb-like dbm, sqlite; catch-alls, tags, quotas by look-up
V = /etc/exim4/v
sqlite_dbfile = /var/spool/exim4/v.sq
domainlist virtual = dsearch;V
acl_smtp_rcpt = r
log_selector = +all -pid -millisec -dnssec -queue_time -queue_time_overall -deliver_time -receive_time -arguments -tls_sni -incoming_interface -outgoing_interface
begin acl
r:
 warn set acl_m0 = ${lookup{$domain}dsearch,ret=full,filter=dir{V}{$value}{none}}
 deny domains = !+virtual : !me.test
  message = ${if eq{$acl_m0}{none}{no such domain}{?}}
 require verify = recipient/callout=no_cache,defer_ok
  message = ${if def:acl_verify_message{$acl_verify_message}{unverified} ($recipient_verify_failure)}
 accept
begin routers
vdom:
 driver = accept
 domains = +virtual
 local_parts = ${if exists{V/$domain_data/users.db}{dbm;V/$domain_data/users.db}}
 local_part_suffix = +* : --*
 local_part_suffix_optional
 address_data = $local_part_data
 set = r_box = ${extract{box}{$local_part_data}{$value}{/var/mail/v/none}}
 set = r_tag = ${if match{$local_part_suffix_v}{(?i)tag}{tag}{${if def:local_part_suffix{other}}}}
 transport = vbox
 retry_use_local_part
vsql:
 driver = accept
 domains = sqlite;select d from dom where d='${quote_sqlite:$domain}'
 local_parts = sqlite;select u||' box='||box||' q='||coalesce(q,'') from u where u='${quote_sqlite:$local_part}' and d='${quote_sqlite:$domain}'
 address_data = $local_part_data
 set = r_box = ${extract{box}{$address_data}}
 transport = vbox
vali:
 driver = redirect
 domains = +virtual
 local_part_suffix = +*
 local_part_suffix_optional
 require_files = V/$domain_data/aliases
 data = ${lookup{$local_part}wildlsearch{V/$domain_data/aliases}}
 qualify_preserve_domain
 allow_fail
 allow_defer
 user = mail
 file_transport = vf
 pipe_transport = vp
 directory_transport = vd
catch:
 driver = redirect
 domains = +virtual
 data = ${lookup{*}lsearch{V/$domain_data/aliases}{${sg{$value}{%}{$local_part}}}fail}
 check_ancestor
 no_verify_recipient
 address_data = catch $local_part
 redirect_router = rest
rest:
 driver = accept
 domains = me.test : ! *
 transport = l
 more = ${if eq{$local_part}{stop}{no}{yes}}
begin retry
*@full.v.test quota F,1h,1m
*@a.test quota_1s F,2h,2m
* * F,1d,10m
begin transports
vbox:
 driver = appendfile
 directory = $r_box${if def:r_tag{/.$r_tag}}
 maildir_format
 create_directory
 maildir_quota_directory_regex = ^(?:cur|new|\..*)\$
 quota = ${extract{q}{$address_data}{$value}{0}}
 quota_filecount = ${extract{n}{$address_data}{$value}{0}}
 quota_warn_threshold = 50%
 quota_warn_message = "To: $local_part@$domain\nSubject: nearly full $local_part\n\nfull\n"
 maildir_use_size_file
 quota_size_regex = ,S=(\d+)
 maildir_tag = ,S=$message_size
 user = mail
 headers_add = X-Box: $r_box tag=$r_tag data=$address_data
 quota_is_inclusive = no
vf:
 driver = appendfile
 user = mail
vp:
 driver = pipe
 return_output
vd:
 driver = appendfile
 user = mail
 mailstore_format
 mailstore_prefix = $domain
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
E
mkdir -p -m 777 /var/mail/v
printf '*@a.test: cat\n' >/dev/null
printf 'ann: box=/var/mail/v/ann q=1500\nbob: box=/var/mail/v/bob n=1\n"spa ce": box="/var/mail/v/s c"\n' | put v/a.test/users; exim_dbmbuild /etc/exim4/v/a.test/users /etc/exim4/v/a.test/users.db 2>&1
printf 'info: ann, "bob+tag"\n^sales.*: ann@me.test\nfile: /var/mail/v/file\ndir: /var/mail/v/dir/\npipe: "|/bin/echo out $local_part"\nfail: :fail: gone $local_part\ndefer: :defer: wait\nloop: loop2\nloop2: loop\nout: x@far.test\n*: %%@me.test\n' | put v/a.test/aliases
printf '*: ann@a.test, stop@me.test\nann: :blackhole:\n' | put v/b.test/aliases; mkdir -p /etc/exim4/v/c.test; : | put v/notdir
sqlite3 $S/v.sq "create table dom(d); create table u(u,d,box,q); insert into dom values('s.test'),('b.test'); insert into u values('ann','s.test','/var/mail/v/sann','1K'),('o''b','s.test','/var/mail/v/ob',NULL),('bob','b.test','relative','')"; chown Debian-exim: $S/v.sq
ADDRS="ann@a.test ann+Tag9@a.test bob--x@a.test info@a.test sales-x@a.test file@a.test dir@a.test pipe@a.test fail@a.test defer@a.test loop@a.test out@a.test any@a.test any+x@a.test ann@b.test q@b.test any@c.test x@notdir ann@s.test o'b@s.test bob@b.test no@s.test stop@me.test"
CLIENTS=192.0.2.5; quick; for i in 1 2 3; do SUBJECT="number $i" send s@far.test ann@a.test bob@a.test ann@s.test info@a.test; done; after full; x -q; x -qf; x -Rf a.test; x -R s.test; after again; find /var/mail/v | sed 's/[0-9]\{6,\}.*me.test/N/' | sort

head_ <<'E' | new k8
# odd users: homes behind links, files of others, modes, what may and may not, syntax errors told
acl_smtp_rcpt = accept verify = recipient
local_user_x = 1
log_selector = +address_rewrite
begin routers
bylink:
 driver = redirect
 check_local_user
 domains = me.test
 local_part_suffix = -*
 local_part_suffix_optional
 file = $home/.forward${local_part_suffix}
 owners = root : $local_part_data
 owngroups = mail
 check_owner
 check_group = no
 modemask = 022
 allow_filter
 allow_fail
 allow_defer
 forbid_pipe = ${if eq{$local_part}{bob}}
 forbid_file = ${if eq{$local_part}{cat}{yes}{no}}
 forbid_include
 forbid_filter_lookup
 forbid_filter_readfile
 skip_syntax_errors
 syntax_errors_to = postmaster@me.test
 syntax_errors_text = "$local_part has a file with errors\n--\n"
 file_transport = f
 pipe_transport = p
 reply_transport = v
 directory_transport = d
 check_ancestor
 hide_child_in_errmsg
 ignore_enotdir
 repeat_use = false
usr:
 driver = accept
 check_local_user
 domains = me.test
 local_part_suffix = -*
 local_part_suffix_optional
 transport = ${if eq{$local_part_suffix}{}{l}{sub}}
 transport_home_directory = ${if eq{$local_part}{ann}{$home/.}{/tmp}}
 transport_current_directory = $home
 initgroups
pm:
 driver = accept
 domains = me.test
 local_parts = postmaster
 transport = l
begin transports
f:
 driver = appendfile
 create_file = belowhome
 delivery_date_add
 check_string = "From "
 escape_string = ">From "
p:
 driver = pipe
 path = /bin:/usr/bin
 restrict_to_path
 allow_commands = echo : /bin/cat
 return_fail_output
 environment = H=$home:U=$local_part
v:
 driver = autoreply
d:
 driver = appendfile
 maildir_format
l:
 driver = appendfile
 file = /var/mail/${if eq{$local_part}{postmaster}{pm}{$local_part_data}}
 user = ${if eq{$local_part}{postmaster}{mail}{$local_part_data}}
sub:
 driver = pipe
 command = /bin/sh -c "id -u; id -g; pwd; echo $home $HOME $LOCAL_PART_SUFFIX"
 return_output
 log_output
begin retry
* * F,1h,1m
E
sed -i '/^local_user_x/d; s/^ forbid_pipe = .*/ forbid_pipe = no/; s/^ forbid_file = .*/ no_forbid_file/; s/^ check_group = no/ no_check_group/; s/^ ignore_enotdir/ ignore_enotdir/' $E/exim4.conf
h=$work/home; mkdir -p $work/real; chmod 755 $work/home $work/real
mv $h/bob $work/real/bob; ln -s ../real/bob $h/bob
fw() { cat > $1; chown $2 $1; chmod $3 $1; }
fw $h/ann/.forward ann 644 <<'F'
# comments
bob, \ann
"|echo out of ann", /dev/null
F
printf 'cat@me.test,\n  |cat\n|/usr/bin/id\n|nosuch -x\n:include:/etc/passwd\nbroken <\n%s/box,%s/mail/\n/etc/shadow\n' $h/bob $h/bob | fw $work/real/bob/.forward root 644
fw $h/cat/.forward cat 666 <<'F'
ann@me.test
F
fw $h/ann/.forward-f ann 600 <<'F'
# Exim filter
if $h_subject: contains "${lookup{x}lsearch{/etc/passwd}}" then save x endif
save box2 0600
pipe "echo $local_part ${readfile{/etc/hostname}}"
F
fw $h/ann/.forward-g ann 640 <<'F'
# Exim filter
save sub/box
unseen save ../up
mail to $sender_address subject "got" text "yes $home"
vacation subject "away $local_part"
pipe "echo a b | cat"
pipe "cat -n"
F
fw $h/ann/.forward-s ann 644 <<'F'
# Sieve filter
require ["fileinto","envelope","vacation","copy"];
if envelope :all :is "from" "s@far.test" { fileinto :copy "folder"; vacation "no"; } else { redirect "bob@me.test"; }
F
fw $h/ann/.forward-o cat 644 <<'F'
bob
F
fw $h/ann/.forward-m ann 622 <<'F'
bob
F
ln -s .forward-m $h/ann/.forward-l; ln -s nowhere $h/ann/.forward-d; mkdir $h/ann/.forward-dir; : > $h/ann/.forward-e; mkfifo $h/ann/.forward-p; printf ':blackhole:\n' | fw $h/ann/.forward-b ann 444;  printf ':defer: busy $h_subject:\n' | fw $h/ann/.forward-w ann 444; printf '# Exim filter\nif error_message then seen finish\nsave x' | fw $h/ann/.forward-x ann 644; printf '%s\n' 'a@far.test b@far.test' 'nobody@, ann@me.test' '<x@y.test> z' ': ; ,' '"q q"@me.test' '(only)' 'bob (c) , cat' | fw $h/ann/.forward-y ann 644
ADDRS='ann@me.test bob@me.test cat@me.test ann-f@me.test ann-g@me.test ann-s@me.test ann-o@me.test ann-m@me.test ann-l@me.test ann-d@me.test ann-dir@me.test ann-e@me.test ann-b@me.test ann-w@me.test ann-x@me.test ann-y@me.test bob-z@me.test root@me.test games@me.test cat-1@me.test postmaster@me.test'
CLIENTS=192.0.2.5
y -bt $ADDRS; for a in $ADDRS; do y -f s@far.test -bt $a; send s@far.test $a; done; send ann@me.test $ADDRS; send '' ann-g@me.test ann-s@me.test ann-y@me.test bob@me.test
after users; find $work/home $work/real -newer $E/exim4.conf -type f ! -name '.forward*' | sort | sed "s#$work##; s/[0-9]\{6,\}.*me.test/N/" ; for f in $h/ann/box2 $h/ann/up $h/up $h/ann/sub/box $work/real/bob/box; do echo "== $f" | sed "s#$work##"; cat $f 2>&1 | sed "s#$work##"; done; for i in $(ids); do x -Mg $i; sleep 0.2; done; logs
cd $work; for f in -f -g -s -y -x; do as 5001 $exim -bf $h/ann/.forward$f -f s@far.test -bfl ann -bfd me.test -bfs ${f} < /dev/null 2>&1; printf 'From: a@b\nSubject: s\n\nb\n' | as 5001 $exim -bf $h/ann/.forward$f -f s@far.test 2>&1; done

head_ <<'E' | tail_ | new k9
# odd MIME through its ACLs: decode to files, patterns over parts, header sets, nested messages, bad boundaries
acl_smtp_rcpt = accept
acl_smtp_mime = m
acl_not_smtp_mime = ${if eq{a}{b}{m}{m}}
acl_smtp_data = d
acl_not_smtp = d
check_rfc2047_length = false
rfc1413_query_timeout = 0s
begin acl
m:
 warn set acl_m_n = ${eval:0$acl_m_n+1}
  set acl_m_tree = $acl_m_tree[$mime_part_count:$mime_is_multipart:$mime_is_rfc822:$mime_is_coverletter:$mime_anomaly_level]
 warn logwrite = part $mime_part_count ct=$mime_content_type sub=$mime_charset fn=<$mime_filename> enc=$mime_content_transfer_encoding disp=$mime_content_disposition size=$mime_content_size id=$mime_content_id desc=<${rfc2047d:$mime_content_description}> b=<${escape:$mime_boundary}> an=$mime_anomaly_text
 accept condition = ${if eq{$mime_is_multipart}{1}}
 warn decode = default
  logwrite = default $mime_part_count size $mime_content_size in ${sg{$mime_decoded_filename}{^.*/}{}}
  condition = ${if def:mime_decoded_filename}
  logwrite = sha ${sha1:${readfile{$mime_decoded_filename}}} ${length_40:${escape:${readfile{$mime_decoded_filename}}}}
 warn decode = /var/spool/exim4/dec/part-$mime_part_count
 warn mime_regex = (?i)secret\\s+(\\w+) : ^X5O : \\xe4
  logwrite = regex $regex_match_string | $regex1
 deny condition = ${if def:sender_host_address}
  condition = ${if match{$mime_filename}{(?i)\\.(exe|scr)\$}}
  message = no ${uc:$mime_filename}
 deny condition = ${if def:sender_host_address}
  condition = ${if >{$mime_anomaly_level}{2}}
  message = anomaly $mime_anomaly_text
 warn condition = ${if eq{$mime_content_type}{text/html}}
  add_header = X-Html: $mime_part_count
 warn condition = ${if eq{$mime_content_type}{message/rfc822}}
  add_header = X-Nested: $mime_part_count
  control = queue
 discard condition = ${if def:sender_host_address}
  condition = ${if eq{$mime_content_type}{application/x-drop}}
  log_message = dropped part
 defer condition = ${if def:sender_host_address}
  condition = ${if eq{$mime_content_type}{application/x-later}}
  message = come again
 accept
d:
 warn regex = Line of \\d+ : (?s)b.c
  set acl_m_r = $regex_match_string
 deny regex = ^virus\$
  message = body has $regex_match_string
 warn add_header = X-Tree: $acl_m_tree n=$acl_m_n r=${escape:$acl_m_r} b=$message_body_size/$body_linecount/$body_zerocount
 accept
begin routers
a:
 driver = accept
 transport = l
begin transports
E
mkdir -p -m 777 $S/dec
part() { printf '%s\n' "$@"; }
msg1() { case $1 in
1) part 'Content-Type: multipart/mixed; boundary="a b"' '' pre '--a b' 'Content-Type: text/plain; charset="UTF-8"; name*0="lo"; name*1="ng.txt"' 'Content-Transfer-Encoding: quoted-printable' '' 'secret =77ord =' 'soft=C3=A4 =xx =3' '--a b' 'Content-Type: text/html' 'Content-Disposition: attachment; filename="=?utf-8?B?w6QuaHRtbA==?="' 'Content-Transfer-Encoding: base64' '' 'PGI+aGk8L2I+' 'Cg==' '--a b--' post;;
2) part 'Content-Type: multipart/alternative; boundary=x' '' --x 'Content-Type: message/rfc822' '' 'Subject: inner' 'Content-Type: multipart/mixed; boundary=y' '' '--y' '' 'plain inner' '--y' 'Content-Type: application/octet-stream; name="a.EXE"' '' MZ '--y--' --x--;;
3) part 'Content-Type: multipart/mixed' '' no boundary;;
4) part 'Content-Type: text/plain' 'Content-Transfer-Encoding: base64' '' 'YWJj!!ZGVm' 'Z=Z' 'YQ' '====';;
5) part 'Content-Type: multipart/mixed; boundary=""' '' -- 'Content-Type: a/b' '' x ---- ;;
6) part 'Content-Type: MULTIPART/Mixed; BOUNDARY=Q; boundary=R (c)' '' '--Q' 'content-type: TEXT/Plain; Charset=us-ascii; name=a b' 'Content-ID: <i@d>' 'Content-Description: =?iso-8859-1?q?=E4?= d' '' one '--Q ' 'Content-Type: application/x-later' '' two '--Qx' three '--Q--' '--Q' 'Content-Type: application/x-drop' '' four;;
7) part 'Content-Type: multipart/mixed; boundary=z' '' '--z' 'Content-Type: application/x-drop;' ' name*=utf-8'"''"'%e4%2e%73cr' 'Content-Disposition: inline; filename*0*=iso-8859-1'"'x'"'%e4; filename*1=b; filename*2*=%2edat' '' gone '--z--';;
8) part 'Content-Type: text/plain; format=flowed; delsp="yes"' 'Content-Transfer-Encoding: x-uuencode' '' 'begin 644 f' '#86)C' '`' end;;
9) part 'Content-Type: text/plain' 'Content-Transfer-Encoding: QUOTED-PRINTABLE' '' 'a=' '=3D=0D=0A=00=' 'Line of 12' 'b' 'c' '=E4 trailing  ' '=';;
10) part 'MIME-Version: 1.0' 'Content-Type:multipart/digest;boundary=d' '' '--d' '' 'Subject: first' '' 'body 1' '--d' '' 'From: x' 'Content-Type: text/html' '' '<p>' '--d--';;
11) part 'Content-Type: text/plain; name="unterminated' 'Content-Disposition: attachment; filename=a/../../b' '' virus;;
12) part 'Content-Type: multipart/mixed; boundary="n"' '' '--n' 'Content-Type: multipart/mixed; boundary="n2"' '' '--n2' 'Content-Type: multipart/mixed; boundary=n' '' '--n' '' deep '--n--' '--n2--' '--n' '' last;;
13) printf 'Content-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: text/plain;\n\tcharset=koi8-r;\n\tname="=?koi8-r?B?1MXT1A==?="\nX: y\n no colon here\n\n%01200d\n--c\nContent-Transfer-Encoding: base64\n\n%0400d\n--c--\n' 7 0;;
14) part 'Content-Type: ; boundary=q' '' --q '' x;;
15) printf 'Content-Type: multipart/mixed; boundary=cr\n\n--cr\r\nContent-Type: text/html\r\n\r\n<i>\r\n--cr--\r\n';;
16) part 'content-type: text/plain' 'Content-Type: text/html' 'Content-Transfer-Encoding: 7bit' 'Content-Transfer-Encoding: base64' '' 'YWJj';;
esac; }
for i in $(seq 16); do
 { printf 'From: ann@me.test\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <t%s@m.test>\nSubject: %s\n' $i $i; msg1 $i; } > $work/m
 echo "##### part $i"; $exim -odi -f s@far.test ann@me.test < $work/m 2>&1; logs; boxes
 for f in $(ls $S/dec); do echo "$f $(md5sum < $S/dec/$f)"; done; rm -f $S/dec/*
 { printf 'EHLO h\nMAIL FROM:<s@far.test>\nRCPT TO:<ann@me.test>\nDATA\n'; cat $work/m; printf '.\nQUIT\n'; } | bs 192.0.2.5; boxes; rm -f $S/dec/*
 $exim -bp 2>&1; ls $S/scan 2>&1; for q in $(ids); do $exim -Mrm $q; done; done

head_ <<'E' | new k10
# a system filter that fans out by first_delivery, pipes, freezes and adds lines; batches in and out; named queues by the sender
system_filter = /etc/exim4/system.filter
system_filter_user = mail
system_filter_pipe_transport = sp
system_filter_file_transport = sf
system_filter_directory_transport = sd
system_filter_reply_transport = sr
message_body_visible = 60
message_body_newlines
acl_smtp_rcpt = accept
acl_smtp_data = q
queue_only_file = /etc/exim4/stop
log_selector = +queue_run +deliver_time -deliver_time +received_recipients +subject
bounce_return_body = false
begin acl
q:
 warn condition = ${if match{$sender_address_local_part}{^q-([a-z]+)\$}}
  queue = $1
 accept
begin routers
fan:
 driver = redirect
 domains = fan.test
 data = ${map{<, 1,2,3}{${local_part}-$item@me.test,}}
batch:
 driver = accept
 domains = uucp.test : *.uucp.test
 transport = uucp
 address_data = ${extract{1}{.}{$domain}}
loc:
 driver = accept
 domains = me.test
 local_parts = !no
 transport = l
begin transports
uucp:
 driver = pipe
 command = /bin/sh -c "cat >> /var/mail/uucp.out; echo pipe ${sg{$pipe_addresses}{ }{+}}"
 user = mail
 use_bsmtp
 batch_max = 4
 batch_id = ${address_data}
 message_prefix = "HELO $primary_hostname\nXFROM $return_path\n"
 message_suffix = "QUIT\n"
 return_fail_output
 use_crlf
 check_string = .
 escape_string = ..
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
sp:
 driver = pipe
 log_output
 path = /bin:/usr/bin
sf:
 driver = appendfile
sd:
 driver = appendfile
 maildir_format
sr:
 driver = autoreply
begin retry
* * F,1h,1m
E
sed -i 's/^ command = .*uucp.out.*$/ command = \/bin\/sh -c "cat >> \/var\/mail\/uucp.out"/' $E/exim4.conf
put system.filter <<'F'
# Exim filter
logfile /var/spool/exim4/fl/log 0644
if first_delivery then
  logwrite "first $message_exim_id-ish of $sender_address: $recipients ($recipients_count)"
  headers add "X-First: ${tod_zulu}"
  headers remove X-First
  headers add "X-Body: ${escape:${length_30:$message_body}} / ${escape:$message_body_end}"
else
  headers add "X-Again: yes"
endif
if $h_subject: contains "fan" then
  deliver "$sender_address_local_part@fan.test" errors_to "fan-errors@me.test"
  unseen deliver extra@me.test
  add 3 to n0
endif
if $h_subject: contains "pipe" then unseen pipe "cat -n" unseen pipe "sh -c 'echo $recipients_count; exit 3'" endif
if $h_subject: contains "save" then unseen save /var/mail/saved 0640 unseen save /var/mail/savedir/ endif
if $h_subject: contains "mail" then
 mail to "boss@me.test" cc "cc@me.test" from "$sender_address" subject "Fw: $h_subject:" text "${quote:$message_headers}" return message
 vacation text "never" endif
if $h_subject: matches "(?i)freeze (\\w+)" and first_delivery then freeze text "why: $1" seen finish endif
if $h_subject: contains "fail" then fail text "<<refused $h_subject:>>Told to the sender: $sender_address" endif
if $h_subject: contains "defer" then defer text "wait $n0" endif
if $h_subject: contains "charset" then headers charset "UTF-8" headers add "X-Sub: $h_subject:" headers charset "ISO-8859-1" headers add "X-Sub1: $h_subject:" endif
if error_message or personal then headers add "X-P: ${if def:sender_address{y}{n}}" endif
if $message_body contains "body of m1" and $recipients does not contain "@me.test," then testprint "x" endif
F
mkdir -m 777 /var/mail/savedir $S/fl
ADDRS='u@me.test v@fan.test a@a.uucp.test b@a.uucp.test c@b.uucp.test d@uucp.test no@me.test'; CLIENTS=192.0.2.5
SUBJECT='fan and pipe'; quick
for s in fan pipe save mail 'freeze it' fail defer 'charset =?utf-8?q?=C3=A4=E2=82=AC?=' 'fan save freeze now' 'mail fail' 'fan defer pipe' plain; do SUBJECT="$s" send ann@me.test u@me.test a@a.uucp.test; SUBJECT="$s" send '' w@me.test; SUBJECT="$s" send q-slow@far.test u@me.test no@me.test; done
after filtered; cat $S/fl/log | sed 's/[0-9A-Za-z]\{6\}-[0-9A-Za-z]\{11\}-[0-9A-Za-z]\{4\}/ID/'
x -bp -qGslow; x -qGslow; x -qffGslow; logs; : > $E/stop; SUBJECT=stop send ann@me.test u@me.test; $exim -bpc; x -q; x -qqf; rm $E/stop; x -qR me.test; x -Rr '^u@' ; x -Srff '<>' ; after q
for i in $(ids); do x -Mt $i; x -MG fast $i; done; x -bpc -qGfast; x -qGfast -bp; x -qfGfast; after fast; ls $S
printf 'HELO h\nMAIL FROM:<s@far.test>\nRCPT TO:<a@a.uucp.test>\nRCPT TO:<c@b.uucp.test>\nRCPT TO:bad\nDATA\nSubject: b1\n\n..dot\n.\nMAIL FROM:<>\nRCPT TO:<v@fan.test>\nDATA\nSubject: b2 fail\n\nx\n.\nRSET\nNOOP\nMAIL FROM:<q-slow@far.test>\nRCPT TO:<u@me.test>\nDATA\nno header\n.\nVRFY x\nETRN x\nQUIT\nMAIL FROM:<x>\n' > $work/b; x -bS -odi < $work/b; sleep 0.4; logs; boxes > /dev/null; x -bS -oee < $work/b; cat /var/mail/uucp.out > $work/u; x -bS -odq < $work/u; sleep 0.5; after bs; x -qff; after end
head_ <<'E' | new k11
# batches by lmtp and files: batch_id with headers, batch_max with limits, use_bsmtp files that are read again
acl_smtp_rcpt = accept
begin routers
r:
 driver = accept
 domains = *.b.test
 transport = b
 headers_add = ${if eq{$local_part}{h}{X-H: own}}
 errors_to = ${if eq{$local_part}{e}{ann@me.test}fail}
 set = r_q = ${substr_0_1:$local_part}
loc:
 driver = accept
 domains = me.test
 transport = l
begin transports
b:
 driver = appendfile
 file = /var/mail/out.${if eq{$r_q}{z}{z}{rest}}
 user = mail
 use_bsmtp
 batch_max = 3
 batch_id = ${lc:$r_q}
 message_prefix = 
 message_suffix = "RSET\n"
 quota = 3K
 file_format = "HELO : b : * : b"
 return_path_add
 envelope_to_add
 rcpt_include_affixes
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
begin retry
* quota F,1m,1s
* * F,1h,1m
E
sed -i '/^ file_format/d' $E/exim4.conf
for l in "a1@x.b.test a2@x.b.test a3@x.b.test a4@y.b.test" "z1@x.b.test a@x.b.test Z2@y.b.test h@x.b.test e@x.b.test" "h@x.b.test h2@x.b.test H3@x.b.test e@x.b.test E@y.b.test" "a@x.b.test a@y.b.test z@x.b.test"; do send s@far.test $l; send '' $l; done; sleep 1.1; x -q; after batched; x -qff; after retried

dns <<'Z'
$TTL 60
@ SOA ns. h. 1 60 60 60 60
@ NS ns.
ns A 127.0.0.1
prim.test MX 10 mx1.prim.test.
prim.test MX 15 mx2.prim.test.
prim.test MX 20 me.test.
me.test A 192.0.2.1
mx1.prim.test A 192.0.2.9
mx2.prim.test A 192.0.2.10
five.test MX 5 a.five.test.
five.test MX 6 b.five.test.
a.five.test A 192.0.2.11
a.five.test A 192.0.2.12
b.five.test A 192.0.2.13
only.test A 192.0.2.9
nomx.test TXT "x"
Z
head_ <<'E' | new k12
# backup MX: domains by look-up, queue_domains, fallback hosts, ETRN with its own command, hosts in random order, retries by domain
domainlist backed = lsearch;/etc/exim4/backed
queue_domains = ${if exists{/etc/exim4/hold}{+backed}}
hold_domains = ${readfile{/etc/exim4/holds}{ : }}
smtp_etrn_command = /bin/sh -c "echo etrn ${quote_smtp:$domain} >> /var/spool/exim4/etrn"
smtp_etrn_serialize = false
acl_smtp_rcpt = r
acl_smtp_etrn = e
log_selector = +etrn +all_parents +host_lookup_failed +retry_defer +queue_run
retry_interval_max = 1h
begin acl
e:
 accept hosts = 192.0.2.5
  domains = +backed
  logwrite = etrn <$smtp_command_argument> $domain
 deny message = no ETRN for $smtp_command_argument
r:
 accept domains = +backed
  set acl_m_prim = $domain_data
  verify = recipient/callout=2s,defer_ok,use_sender,no_cache
 accept domains = me.test
 deny message = relay $domain
begin routers
mx:
 driver = dnslookup
 domains = +backed
 condition = ${if !eq{$domain_data}{}{no}{yes}}
 transport = s
 self = fail
 ignore_target_hosts = 192.0.2.12
 fallback_hosts = 192.0.2.20 : 192.0.2.21
 no_more
viahost:
 driver = manualroute
 domains = lsearch;/etc/exim4/backed
 route_data = ${extract{hosts}{$domain_data}}
 transport = ${extract{tr}{$domain_data}{$value}{s}}
 hosts_randomize = ${if eq{${extract{rand}{$domain_data}}}{no}{no}{no}}
 fallback_hosts = <, ${if def:h_x:{192.0.2.22}{192.0.2.20}} , 192.0.2.21
 host_find_failed = ignore
 host_all_ignored = pass
 address_data = $domain_data
loc:
 driver = accept
 domains = me.test
 transport = l
left:
 driver = redirect
 allow_fail
 data = :fail: left over $local_part@$domain ($address_data)
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 connect_timeout = 1s
 hosts_max_try = 3
 hosts_max_try_hardlimit = 4
 retry_include_ip_address = ${if eq{$host}{mx1.prim.test}{no}{yes}}
 fallback_hosts = 192.0.2.23
s2:
 driver = smtp
 hosts = 192.0.2.14 : 192.0.2.15
 hosts_try_fastopen =
 connection_max_messages = 1
 delay_after_cutoff = no
 no_multi_domain
 port = ${if eq{$domain}{two.test}{25}{2526}}
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
begin retry
prim.test rcpt_4xx F,10m,1m
192.0.2.13 * F,1h,5m; G,2h,10m,2
*@five.test timeout_connect F,2h,1m
only.test refused
* * F,4d,15m
E
sed -i 's/^ hosts_randomize = .*/ hosts_randomize = no/' $E/exim4.conf
put backed <<'B'
prim.test:
five.test:
only.test: hosts="192.0.2.9:192.0.2.10" rand=no
list.test: hosts="mx1.prim.test : nosuch.test : 192.0.2.10" ff=ignore
two.test: hosts=192.0.2.9 tr=s2
none.test: hosts=nosuch.test ff=pass
mx.test: hosts="prim.test/MX" ff=fail
nomx.test:
gone.test: hosts="nosuch.test" ff=fail
bad.test: hosts=192.0.2.9 tr=s9
B
: | put holds
ADDRS='u@prim.test v@prim.test u@five.test u@only.test u@list.test u@two.test u@none.test u@mx.test u@nomx.test u@gone.test u@bad.test u@other.test u@me.test'
y -bt $ADDRS; y -f s@far.test -bv $ADDRS
host 9 rcpt:v@prim.test='451 grey' rcpt:no@only.test='550 no'; host 20 rcpt:late@five.test='421 busy'; host 15 mail='450 later'
CLIENTS=192.0.2.5; SENDERS="s@far.test -"; quick; heard 9; heard 20; heard 15
for d in prim five only list two none mx nomx gone bad; do send s@far.test a@$d.test late@$d.test no@$d.test; done; heard 9; heard 20; heard 15
: | put hold; send s@far.test a@prim.test b@me.test; echo prim.test | put holds; send s@far.test c@prim.test d@only.test; after held; x -q; rm $E/hold; x -qq; : | put holds; x -q; x -R prim; heard 9; heard 20; after run
printf 'EHLO x\nETRN prim.test\nETRN @prim.test\nETRN #q\nETRN x.test\nETRN prim.test extra\nETRN\netrn PRIM.test\nMAIL FROM:<a@b>\nETRN prim.test\nQUIT\n' > $work/et; bs 192.0.2.5 < $work/et; bs 192.0.2.6 < $work/et; bh 192.0.2.5 < $work/et; sleep 0.3; cat $S/etrn; exim_dumpdb $S retry 2>/dev/null | wc -l >/dev/null; for i in $(ids); do x -Mg $i; sleep 0.2; done; logs; gone 9; gone 20; gone 15
