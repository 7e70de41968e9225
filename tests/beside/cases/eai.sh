# A site with international addresses (SMTPUTF8): users, aliases, next hosts that know of it or not, bounces, conversions.
conf <<'C'
allow_utf8_domains
smtputf8_advertise_hosts = *
acl_smtp_mail = ma
acl_smtp_rcpt = rc
acl_smtp_data = da
callout_negative_expire = 1s
callout_random_local_part = rnd
acl_smtp_vrfy = accept
acl_smtp_expn = accept
acl_not_smtp = ns
host_lookup =
tls_advertise_hosts =
qualify_domain = me.test
trusted_users = ann
queue_only
message_logs = false
remote_max_parallel = 1
smtp_max_synprot_errors = 200
smtp_max_unknown_commands = 50
smtp_accept_max_nonmail = 1000
dsn_advertise_hosts = *
domainlist local = me.test : grün.test : xn--mnchen-3ya.test
log_selector = +all_parents +received_recipients +received_sender +sender_on_delivery +subject +smtp_confirmation -pid
begin acl
ma:
 accept logwrite = MAIL u=$message_smtputf8 s=$sender_address l=$sender_address_local_part d=$sender_address_domain
rc:
 warn condition = ${if match{$sender_address_local_part}{^down}}
  control = utf8_downconvert
 warn condition = ${if match{$sender_address_local_part}{^maybe}}
  control = utf8_downconvert/-1
 warn condition = ${if match{$sender_address_local_part}{^off}}
  control = utf8_downconvert/0
 warn logwrite = RCPT u=$message_smtputf8 l=$local_part d=$domain a=${utf8_domain_to_alabel:$domain} b=${utf8_localpart_to_alabel:$local_part} L=${lc:$local_part} U=${uc:$local_part} q=${quote_local_part:$local_part} n=${strlen:$local_part}
 deny condition = ${if match{$sender_address_local_part}{verify}}
  !verify = recipient
  message = $acl_verify_message
 deny condition = ${if match{$sender_address_local_part}{calluse}}
  !verify = recipient/callout=5s,use_sender
  message = $acl_verify_message
 deny condition = ${if match{$sender_address_local_part}{callplain}}
  !verify = recipient/callout=5s
 deny condition = ${if match{$sender_address_local_part}{callpm}}
  !verify = recipient/callout=5s,postmaster,random,no_cache
 deny condition = ${if match{$sender_address_local_part}{callout}}
  !verify = recipient/callout=5s
  message = $acl_verify_message
 deny condition = ${if match{$sender_address_local_part}{back}}
  !verify = sender/callout=5s
  message = $acl_verify_message
 accept
da:
 deny condition = ${if match{$h_subject:}{strict}}
  !verify = header_syntax
  message = $acl_verify_message
 warn logwrite = DATA u=$message_smtputf8 f=$h_from: s=$h_subject: r=$rh_subject: p=$received_protocol
 accept add_header = X-U: $message_smtputf8
ns:
 warn condition = ${if match{$sender_address_local_part}{^down}}
  control = utf8_downconvert
 warn condition = ${if match{$sender_address_local_part}{^maybe}}
  control = utf8_downconvert/-1
 accept logwrite = NOTSMTP u=$message_smtputf8 p=$received_protocol
begin routers
far:
 driver = manualroute
 domains = !+local
 route_list = utf.test 192.0.2.2 ; no.test 192.0.2.3 ; rej.test 192.0.2.4 ; müller.test 192.0.2.2 ; xn--mller-kva.test 192.0.2.2 ; köln.test 192.0.2.3 ; xn--kln-sna.test 192.0.2.3 ; *.ünter.test 192.0.2.2 ; down.test 192.0.2.2 ; lat.test 192.0.2.5
 transport = ${if eq{$domain}{down.test}{smtpd}{smtp}}
al:
 driver = redirect
 domains = +local
 data = ${lookup{$local_part}lsearch{/etc/exim4/aliases}}
 file_transport = file
 pipe_transport = pipe
 reply_transport = reply
 allow_fail
l:
 driver = accept
 domains = me.test
 local_parts = ann : bob : jörg : κώστας
 transport = l
auto:
 driver = accept
 domains = me.test
 local_parts = äuto
 transport = auto
gr:
 driver = accept
 domains = grün.test : xn--mnchen-3ya.test
 transport = gr
begin transports
smtp:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 2s
 hosts_try_chunking =
 connection_max_messages = 1
smtpd:
 driver = smtp
 hosts_try_fastopen =
 utf8_downconvert = 1
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 user = mail
 group = mail
 envelope_to_add
 return_path_add
gr:
 driver = appendfile
 file = /var/mail/gr
 user = mail
 group = mail
 envelope_to_add
 return_path_add
 message_prefix = "From $sender_address\n$local_part $domain\n"
file:
 driver = appendfile
 user = mail
 group = mail
pipe:
 driver = pipe
 user = mail
 return_fail_output
 path = /bin:/usr/bin
 environment = X=$local_part
reply:
 driver = autoreply
auto:
 driver = autoreply
 to = $sender_address
 subject = grüß
 text = weg, $local_part
 user = mail
begin retry
* * F,1h,1h
begin rewrite
alt@grün.test neu@me.test
*@ümleit.test $1@utf.test Ehq
C
cat > /etc/exim4/aliases <<'C'
jürgen: juergen@no.test
grünes: grüße@utf.test
liste: jörg, ann, grüße@no.test, x@müller.test
bumm: :fail: weg, ännd nicht mehr
röhre: "|/bin/sh -c 'cat > /dev/null; echo $LOCAL_PART $RECIPIENT $SENDER $X; exit 3'"
aa1: grüße@utf.test
aa2: grüße@no.test
aa3: x@müller.test
aa4: x@köln.test
aa5: plain@utf.test
aa6: plain@no.test
aä7: plain@utf.test
aä8: plain@no.test
aa9: grüße@rej.test
ch: aa1
rohr: "|/bin/sh -c 'exit 3'"
rö: x@rej.test
röö: :fail: weg
C
host 2 rcpt:a1@utf.test='550 5.1.1 nö' rcpt:a2@utf.test='550 größe plain tail' rcpt:a3@utf.test='550-plain first\n550 zwö' rcpt:a4@utf.test='450 spätér' ehlo='250-h2\n250-SMTPUTF8\n250-8BITMIME\n250 SIZE' rcpt:nö@utf.test='550 5.1.1 nö such' rcpt:no@utf.test='550 no' show=1
host 3 show=1
host 4 ehlo='250-h4\n250-8BITMIME\n250-SMTPUTF8\n250 PIPELINING' rcpt='550-5.7.1 nöt\n550 5.7.1 wanted' mail:jürgen@me.test='550 nö'
host 5 ehlo='250-h5\n250-SMTPUTF8\n250-8BITMIME\n250 DSN' rcpt='450 4.2.1 lätér'
told() { for h in 2 3 4 5; do [ -s host.$h ] && heard $h | sed 's/^[0-9]*//'; done; sort -s -k3,3 -o $LOG/mainlog $LOG/mainlog; logs; boxes; spool; for i in $(ids); do $exim -Mrm $i >/dev/null; done; : > $LOG/mainlog; }
text() { printf "From: ${HFROM:-Jörg <jörg@grün.test>}\nTo: ${HTO:-grüße@utf.test, \"Ü\" <x@müller.test>}\nSubject: ${HSUBJ:-Grüße}\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <1@m.test>\n\nbödy\n"; }
# One message: m 'MAIL arguments' 'RCPT arguments'...
m() { local f=$1; shift; echo "##### m $f: $*"; { echo "EHLO c.test"; echo "MAIL FROM:$f"; for r; do echo "RCPT TO:$r"; done; echo DATA; text; printf '.\nQUIT\n'; } | say 192.0.2.1 192.0.2.1 | grep -av '^ *250-\|^> [SDFM][ua][bt]'
 for round in 1 2; do for i in $(ids); do $exim -odf -M $i; done; done; sleep 0.4; told; }
daemon
await 1 'End queue run'; logs >/dev/null
all="<grüße@utf.test> <grüße@no.test> <x@müller.test> <x@köln.test> <x@xn--mller-kva.test> <a@utf.test> <a@no.test> <x@down.test> <ö@down.test> <jörg@me.test> <ann@me.test> <y@grün.test>"
for f in '<jürgen@me.test> SMTPUTF8' '<ann@me.test> SMTPUTF8' '<ann@me.test>' '<ann@grün.test>' '<ann@grün.test> SMTPUTF8' '<down@me.test> SMTPUTF8' '<downü@me.test> SMTPUTF8' '<down@grün.test> SMTPUTF8' '<maybe@grün.test> SMTPUTF8' '<maybeü@me.test> SMTPUTF8' '<off@grün.test> SMTPUTF8' '<down@grün.test>' '<> SMTPUTF8'; do m "$f" $all; done
for f in '<jürgen@me.test> SMTPUTF8' '<ann@me.test> SMTPUTF8' '<down@grün.test> SMTPUTF8 RET=HDRS ENVID=ü' '<ann@me.test>'; do
 m "$f" '<nö@utf.test>' '<no@utf.test>' '<grüße@rej.test>' '<x@rej.test>' '<bumm@me.test>' '<röhre@me.test>' '<nobödy@me.test>' '<x@nöwhere.test>' 
 m "$f" '<jürgen@me.test>' '<grünes@me.test>' '<liste@me.test>' '<äuto@me.test>' '<alt@grün.test>' '<z@ümleit.test>' '<u@münchen.test>' '<u@xn--mnchen-3ya.test>' '<κώστας@me.test>' '<JÖRG@me.test>'
 m "$f" '<grüße@utf.test> NOTIFY=SUCCESS ORCPT=utf-8;grüße@x.test' '<grüße@no.test> NOTIFY=SUCCESS' '<jörg@me.test> NOTIFY=SUCCESS ORCPT=rfc822;x@grün.test' '<d@lat.test>' '<ö@lat.test>'
done
HSUBJ=strict m '<ann@me.test> SMTPUTF8' '<ann@me.test>'; HSUBJ=strict m '<ann@me.test>' '<ann@me.test>'
HSUBJ='=?utf-8?Q?strict_gr=C3=BC?=' HFROM='=?iso-8859-1?Q?J=F6rg?= <ann@me.test>' HTO=bob@me.test m '<ann@me.test> SMTPUTF8' '<ann@me.test>' '<a@no.test>' '<a@utf.test>'
echo '##### session'; cat <<'E' | say
EHLO cö.test
HELO gr.test
MAIL FROM:<jürgen@me.test>
EHLO xn--mnchen-3ya.test
MAIL FROM:<jürgen@me.test>
RCPT TO:<grüße@utf.test>
RSET
MAIL FROM:<jürgen@me.test> SMTPUTF8=1
MAIL FROM:<jürgen@me.test> smtputf8
RSET
MAIL FROM:<jürgen@me.test> SMTPUTF8 SMTPUTF8
RSET
MAIL FROM:<jürgen> SMTPUTF8
MAIL FROM:<"jür gen"@me.test> SMTPUTF8
RCPT TO:<"grü ße"@utf.test>
RCPT TO:<grüße>
RCPT TO:<x@-ü.test>
RCPT TO:<x@ü..test>
RCPT TO:<x@xn--.test>
RCPT TO:<x@xn--zzzzzz.test>
RCPT TO:<x@ÜBER.test>
RCPT TO:<x@faß.test>
RCPT TO:<x@[ü]>
RCPT TO:<ü%x@me.test>
RCPT TO:<@ü.test:x@me.test>
RCPT TO:<x@☃.test>
RCPT TO:<☃@me.test>
RCPT TO:<x@日本語.test>
RCPT TO:Jörg <x@me.test>
VRFY jörg@me.test
VRFY <jörg@me.test> SMTPUTF8
VRFY jörg
EXPN liste
EXPN jürgen@me.test SMTPUTF8
EXPN jürgen
HELP ü
FOOÜ
QUIT
E
printf 'EHLO c.test\nMAIL FROM:<j\xfcrgen@me.test> SMTPUTF8\nMAIL FROM:<a@me.test> SMTPUTF8\nRCPT TO:<j\xfcrg@me.test>\nRCPT TO:<x@gr\xfcn.test>\nRCPT TO:<x@gr\xc3.test>\nRCPT TO:<\xc3@me.test>\nQUIT\n' | say
told
for s in verify verifyü callout callöut; do m "<$s@me.test> SMTPUTF8" '<grüße@utf.test>' '<nö@utf.test>' '<grüße@no.test>' '<x@müller.test>' '<x@köln.test>' '<x@nöwhere.test>' '<nobödy@me.test>' '<grünes@me.test>' '<ö@rej.test>' '<a@no.test>'; done
m '<callout@no.test>' '<x@müller.test>' '<a@no.test>'
for s in '<back@utf.test>' '<back@müller.test>' '<bäck.back@utf.test>' '<bäck.back@no.test>' '<back@köln.test>' '<back@nöwhere.test>'; do m "$s SMTPUTF8" '<ann@me.test>'; m "$s" '<ann@me.test>'; done
U=SMTPUTF8
for s in 'callplain@me.test' 'callout@me.test'; do m "<$s> $U" '<a1@utf.test>' '<a2@utf.test>' '<a3@utf.test>' '<a4@utf.test>'; done
m "<callplain@me.test>" '<a2@utf.test>' '<g@utf.test>' '<y@müller.test>' '<y@köln.test>' '<ü@utf.test>' '<ü@no.test>'
m "<callplain@me.test> $U" '<g@utf.test>' '<y@müller.test>' '<y@köln.test>' '<ü2@utf.test>' '<ü2@no.test>'
m "<calluse@me.test> $U" '<g@utf.test>' '<g@no.test>' '<ü3@utf.test>' '<ü3@no.test>'
m "<calluseü@me.test> $U" '<g@utf.test>' '<g@no.test>' '<ü4@utf.test>' '<ü4@no.test>' '<ü@down.test>' '<x@down.test>'
m "<calluseü@me.test>" '<g@utf.test>' '<g@no.test>' '<ü5@utf.test>' '<ü5@no.test>'
m "<downcallout@me.test> $U" '<h@utf.test>' '<h@no.test>' '<ü6@utf.test>' '<ü6@no.test>'
m "<callpm@me.test> $U" '<h@utf.test>' '<h@no.test>' '<ü6@müller.test>' '<ü6@köln.test>'
m "<ann@me.test> $U" '<x@köln.test>'; m "<ann@grün.test> $U" '<x@köln.test>'; m "<ann@grün.test> $U" '<ö@köln.test>';  m "<ann@grün.test> $U" '<ö@no.test>'; m "<ann@grün.test> $U" '<x@no.test>' '<ö@köln.test>'
m "<ann@grün.test> $U" '<x@down.test>'; m "<ann@me.test> $U" '<x@no.test>'
for a in aa1 aa2 aa3 aa4 aa5 aa6 aä7 aä8 aa9 ch; do m "<ann@me.test>" "<$a@me.test>"; done
m "<ann@me.test>" '<aa1@me.test>' '<aa5@me.test>'; m "<ann@me.test>" '<aa5@me.test>' '<aa1@me.test>';m "<ann@me.test>" '<aa2@me.test>' '<aa6@me.test>'; m "<ann@me.test>" '<aa6@me.test>' '<aa2@me.test>'; m "<ann@me.test>" '<aa2@me.test>' '<ü@no.test>'; m "<ann@me.test>" '<ü@no.test>' '<aa2@me.test>'
m "<jürgen@me.test>" '<aa2@me.test>'
m "<ann@me.test> $U" '<aa2@me.test>'  '<aa4@me.test>'
m "<ann@me.test>" '<röhre@me.test>' '<rohr@me.test>' '<rö@me.test>' '<röö@me.test>'
m "<ann@me.test> $U" '<röhre@me.test>' '<rohr@me.test>' '<rö@me.test>' '<röö@me.test>'
echo '##### tests'
x -bt jörg@me.test jürgen@me.test grünes@me.test liste@me.test bumm@me.test x@müller.test x@MÜLLER.test x@xn--mller-kva.test ö@nöwhere.test x@a.ünter.test alt@grün.test z@ümleit.test JÖRG@me.test nobödy '"j ö"@me.test' 'Jö Rg <jörg@me.test>'
x -bv jörg@me.test nobödy@me.test x@nöwhere.test bumm@me.test; x -bvs jörg@me.test; x -f jürgen@me.test -bt ann; x -brw alt@grün.test; x -brw z@ümleit.test; x -brt grün.test
x -be '${utf8_domain_to_alabel:Grün.Test} ${utf8_domain_from_alabel:XN--GRN-IOA.test} ${utf8_domain_to_alabel:a b} ${utf8_domain_to_alabel:} ' '${address:Jörg <jörg@grün.test>} ${local_part:jörg@grün.test} ${domain:jörg@grün.test} ${addresses:Jörg <jörg@grün.test>, "Ü" <b@ü.test>} ' '${rfc2047:grün} ${utf8clean:gr\xfcn} ${quote:jörg} ${quote_local_part:jö rg}'
x -be '${if match_address{x@GRÜN.test}{*@grün.test}{y}{n}} ${if match_domain{xn--grn-ioa.test}{grün.test}{y}{n}} ${if match_domain{grün.test}{xn--grn-ioa.test}{y}{n}} ${if match_local_part{JÖRG}{jörg}{y}{n}} ${lc:JÖRG} ${uc:jörg}'
# From the command line.
c() { echo "##### c $*"; text | $exim -odf "$@"; echo "rc $?"; sleep 0.4; sed -i '/cwd=/d' $LOG/mainlog; told; }
c -f jürgen@me.test grüße@utf.test grüße@no.test ann bob@müller.test; c -f ann grüße@utf.test grüße@no.test; c -f ann a@utf.test a@no.test; c -f ann -t; c -f jürgen@me.test -t; c -F 'Jörg Ä' ann; c -f ann x@köln.test; c -f down@grün.test a@no.test ö@no.test; c -f maybe@grün.test a@no.test ö@no.test ö@utf.test; c -f ann nobödy; c -f jürgen@me.test nobödy; c jörg; c -f jürgen ann; c -f ann@grün.test x@no.test; c -f ann@grün.test x@köln.test y@no.test; c -oem jürgen; c -oee nobödy@me.test
for a in -bs -bS; do echo "##### $a"; { [ $a = -bs ] && printf 'EHLO c\r\n'; printf 'MAIL FROM:<jürgen@me.test> SMTPUTF8\r\nRCPT TO:<grüße@utf.test>\r\nRCPT TO:<ann@me.test>\r\nDATA\r\nSubject: ü\r\n\r\nb\r\n.\r\nQUIT\r\n'; } | $exim $a -odf; echo "rc $?"; sleep 0.4; told; done
stop
echo '##### what the DNS calls them, and what is logged of them'
dns <<Z
\$ORIGIN .
\$TTL 60
. SOA a. b. 1 2 3 4 5
. NS a.
a. A 127.0.0.1
xn--mller-kva.test. A 192.0.2.2
xn--mller-kva.test. TXT "v=spf1 ip4:192.0.2.9 exists:%{l}.%{d} -all"
xn--jrgen-kva.xn--mller-kva.test. A 127.0.0.2
Z
conf <<'C'
allow_utf8_domains
smtputf8_advertise_hosts = *
acl_smtp_connect = co
acl_smtp_mail = sp
helo_allow_chars = ü
tls_advertise_hosts =
qualify_domain = me.test
trusted_users = root
log_selector = -pid
system_filter = /etc/exim4/sysf
begin acl
co:
 warn hosts = müller.test
  logwrite = by name
 accept hosts = !müller.test
 accept logwrite = not known
sp:
 deny spf = fail
  message = $spf_header_comment
 accept logwrite = $spf_received
begin routers
far:
 driver = manualroute
 domains = !me.test
 route_list = * 192.0.2.2
 transport = smtp
l:
 driver = accept
 transport = l
begin transports
smtp:
 driver = smtp
 hosts_try_fastopen =
 helo_data = $h_x-helo:
l:
 driver = appendfile
 directory = /var/mail/ann
 maildir_format
 maildir_tag = ,Ü=\xff
 user = mail
begin retry
C
cat > /etc/exim4/sysf <<'C'
# Exim filter
if $h_subject: is s1 then fail text "a\n2026 fake \xff ü" endif
if $h_subject: is s2 then freeze text "a\n2026 fake \xff ü" endif
if $h_subject: is s3 then fail text "<<lögged>>täld" endif
if $h_subject: is s4 then fail text "<<>>täld" endif
C
x -be '${lookup{x@müller.test}spf{192.0.2.7}} ${lookup{x@müller.test}spf{192.0.2.9}} ${lookup{müller.test}spf{192.0.2.7}} ${lookup{x@nö.test}spf{192.0.2.7}}'
for h in 192.0.2.7 192.0.2.9; do for n in x.test müller.test; do for s in x@xn--mller-kva.test x@müller.test jürgen@MÜLLER.test x@nö.test ''; do printf 'EHLO %s\r\nMAIL FROM:<%s> SMTPUTF8\r\nQUIT\r\n' $n "$s" | x -bh $h 2>&1 | grep -a '^LOG\|^5'; done; done; done
for h in müller.test MÜLLER.Test MULLER.Test -ü.test '[1.2.3.4]ü' 'a b ü'; do echo "## helo_data $h"; printf 'X-Helo: %s\n\nb\n' "$h" | $exim -odf -f x@me.test a@far.test; sed -i '/cwd=/d' $LOG/mainlog; told; done
for s in s1 s2 s3 s4 n; do echo "## $s"; printf 'Subject: %s\n\nb\n' $s | $exim -odf -f x@me.test ann; sed -i '/cwd=/d' $LOG/mainlog; logs; cat $S/msglog/* 2>/dev/null; all_boxes | grep -a '^=\|^  '; for i in $(ids); do $exim -Mrm $i >/dev/null; done; : > $LOG/mainlog; done
