# A site that offers DSN to everybody: all that may be asked for, over hosts that know of it or not, aliases, lists, pipes.
conf <<'C'
dsn_advertise_hosts = *
acl_smtp_rcpt = rc
host_lookup =
tls_advertise_hosts =
qualify_domain = me.test
recipient_unqualified_hosts = *
remote_max_parallel = 1
delay_warning = 1s:1h
delay_warning_condition = ${if match{$h_subject:}{slow}}
message_logs = false
queue_only
smtp_max_synprot_errors = 200
smtp_accept_max_nonmail = 1000
log_selector = +all_parents +received_recipients +sender_on_delivery +smtp_confirmation -pid
begin acl
rc:
 warn domains = cut.test
  control = cutthrough_delivery
 accept
begin routers
cut:
 driver = manualroute
 domains = cut.test
 route_list = cut.test 192.0.2.2
 transport = smtp
archive:
 driver = accept
 domains = dsn.test : no.test : rej.test
 local_parts = kept
 unseen
 transport = l
both:
 driver = manualroute
 domains = dsn.test : no.test
 local_parts = twice
 route_list = * 192.0.2.6
 unseen
 transport = smtp
local2:
 driver = accept
 domains = me.test
 local_parts = twice
 unseen
 transport = l
local1:
 driver = accept
 domains = me.test
 local_parts = twice
 transport = auto
far:
 driver = manualroute
 domains = !me.test : !last.test
 route_list = dsn.test 192.0.2.2 ; no.test 192.0.2.3 ; rej.test 192.0.2.4 ; lat.test 192.0.2.5 ; cap.test 192.0.2.6 ; two.test 192.0.2.9:192.0.2.2
 transport = smtp
far1:
 driver = manualroute
 domains = last.test
 route_list = last.test 192.0.2.2
 transport = smtp
 dsn_lasthop
multi:
 driver = redirect
 domains = me.test
 local_parts = list
 data = a@dsn.test, b@no.test, ann, lastone@last.test
 errors_to = owner@no.test
once:
 driver = redirect
 domains = me.test
 local_parts = once
 data = a@dsn.test, d@lat.test, z@rej.test, ann
 one_time
copy:
 driver = accept
 domains = me.test
 local_parts = copied
 unseen
 transport = l
copied:
 driver = redirect
 domains = me.test
 local_parts = copied
 data = c@dsn.test
last:
 driver = redirect
 domains = me.test
 local_parts = lasta
 data = ann
 dsn_lasthop
al:
 driver = redirect
 domains = me.test
 data = ${lookup{$local_part}lsearch{/etc/exim4/aliases}}
 file_transport = file
 pipe_transport = pipe
 reply_transport = reply
 directory_transport = file
 allow_fail
 user = mail
 allow_defer
 allow_filter
l:
 driver = accept
 domains = me.test
 local_parts = ann : bob : cat
 transport = l
full:
 driver = accept
 domains = me.test
 local_parts = full
 transport = full
auto:
 driver = accept
 domains = me.test
 local_parts = auto
 transport = auto
begin transports
smtp:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 2s
 hosts_try_chunking =
 connection_max_messages = 1
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 user = mail
 group = mail
full:
 driver = appendfile
 file = /var/mail/full
 quota = 1
 user = mail
file:
 driver = appendfile
 user = mail
 group = mail
pipe:
 driver = pipe
 user = mail
 return_fail_output
 path = /bin:/usr/bin
reply:
 driver = autoreply
auto:
 driver = autoreply
 to = $sender_address
 subject = auto
 text = gone
 user = mail
begin retry
rej.test * F,1s,1s
* * F,1h,1h
C
cat > /etc/exim4/aliases <<'C'
one: x@dsn.test
onen: x@no.test
onel: ann
both: x@dsn.test, y@no.test
chain: one
chain2: onel, bob
fail: :fail: no such here
defer: :defer: not now
hole: :blackhole:
pipe: "|/bin/cat >/dev/null"
pipef: "|/bin/sh -c 'cat > /dev/null; echo out; exit 3'"
save: /var/mail/saved
rejd: z@rej.test
mixed: ann, z@rej.test, z@no.test
latd: z@lat.test
self: self, ann
C
hosts() {
host 2 ehlo='250-h2\n250-DSN\n250 SIZE' rcpt:bad@dsn.test='550 5.1.1 no such'
host 3 show=1 rcpt:bad@no.test='550 no such'
host 4 ehlo='250-h4\n250-DSN\n250 PIPELINING' rcpt='550-5.7.1 not\n550 5.7.1 wanted'
host 5 ehlo='250-h5\n250 DSN' rcpt='450 4.2.1 later'
host 6 ehlo='250-h6\n250-DSN\n250 8bitmime'
}
# One message: m 'MAIL parameters' 'RCPT argument'...
m() { local p=$1; shift; echo "##### m $p: $*"; { echo "EHLO c.test"; echo "MAIL FROM:<${FROM-s@no.test}>$p"; for r; do echo "RCPT TO:$r"; done; echo DATA; printf 'From: s@no.test\nTo: x@y.test\nSubject: %s\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <1@m.test>\n\nbody\n.\nQUIT\n' "${WAIT:+slow }hello"; } | say 192.0.2.1 192.0.2.1 | grep -av '^ *250-\|^> [SDFM][ua][bt]'
 sleep ${WAIT:-0}; for round in 1 2; do for i in $(ids); do $exim -odf -M $i; done; done; sleep ${WAIT:-0.4}; told; }
told() { for h in 2 3 4 5 6; do [ -s host.$h ] && heard $h | sed 's/^[0-9]*//'; done; sort -s -k3,3 -o $LOG/mainlog $LOG/mainlog; logs; boxes; spool; for i in $(ids); do $exim -Mrm $i >/dev/null; done; : > $LOG/mainlog; }
hosts
daemon
await 1 'End queue run'
for n in '' ' NOTIFY=NEVER' ' NOTIFY=SUCCESS' ' NOTIFY=FAILURE' ' NOTIFY=DELAY' ' NOTIFY=SUCCESS,FAILURE' ' NOTIFY=SUCCESS,DELAY' ' NOTIFY=FAILURE,DELAY' ' NOTIFY=SUCCESS,FAILURE,DELAY'; do
 m ' RET=HDRS ENVID=e+2Bx' "<a@dsn.test>$n ORCPT=rfc822;o+2Ba@x.test" "<b@no.test>$n" "<z@rej.test>$n" "<d@last.test>$n" "<c@cap.test>$n ORCPT=rfc822;c@cap.test"
 m ' RET=FULL' "<list>$n" "<once>$n ORCPT=rfc822;once@me.test" "<copied>$n"
 m '' "<ann>$n" "<lasta>$n" "<one>$n" "<onen>$n" "<onel>$n" "<both>$n"
 m ' RET=HDRS' "<fail>$n ORCPT=rfc822;f@x" "<pipe>$n" "<pipef>$n ORCPT=x;y" "<save>$n" "<hole>$n" "<rejd>$n" "<mixed>$n"
 m ' ENVID=e1' "<chain>$n" "<chain2>$n" "<self>$n" "<nobody>$n" "<auto>$n"
 WAIT=1.2 m ' RET=HDRS ENVID=e2' "<d@lat.test>$n ORCPT=rfc822;d@x.test" "<defer>$n ORCPT=rfc822;g@x.test" "<latd>$n ORCPT=rfc822;h@x.test" "<full>$n" "<x@no.test>$n" "<e@lat.test>"
 m ' RET=HDRS ENVID=u' "<kept@dsn.test>$n ORCPT=rfc822;k@x" "<kept@no.test>$n" "<kept@rej.test>$n" "<twice@dsn.test>$n" "<twice@no.test>$n" "<twice>$n"
 m ' RET=HDRS ENVID=c' "<c1@cut.test>$n ORCPT=rfc822;q" "<c2@cut.test>$n"
 FROM= m '' "<fail>$n" "<z@rej.test>$n"
done
F=' NOTIFY=FAILURE' N=' NOTIFY=NEVER'
m '' "<fail>$F" "<z@rej.test>$N"; m '' "<fail>$N" "<z@rej.test>$F"; m '' "<fail>$N" "<nobody>$N" "<y@rej.test>$F" "<z@rej.test>$N" "<bad@no.test>$N"
for e in a+zz a+2bb a+2Bb a+2 +; do m " ENVID=$e" '<nobody>'; done
echo '##### parameters'
{ echo 'EHLO c.test'; while read -r l; do [ -n "$l" ] && echo "MAIL FROM:$l" && echo RSET; done <<'L'
<s@no.test> RET
<s@no.test> RET=
<s@no.test> RET=full
<s@no.test> RET=hdrs RET=full
<s@no.test> RET=FULL RET=FULL
<s@no.test> RET=BOTH
<s@no.test> ENVID
<s@no.test> ENVID=
<s@no.test> ENVID=a ENVID=b
<s@no.test> ENVID=a=b
<s@no.test> ENVID=a+zz
<s@no.test> ENVID=a+2Bb
<s@no.test> ENVID=a+0Ab
<s@no.test> ENVID=a+2bb
<s@no.test> ENVID=ü
<s@no.test> ENVID=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
<s@no.test> envid=X ret=Hdrs
<s@no.test> RET=HDRS=
<s@no.test> NOTIFY=NEVER
<s@no.test> ORCPT=rfc822;x
<> RET=HDRS ENVID=z
<s@no.test>RET=HDRS
<s@no.test> SIZE=10 RET=HDRS BODY=8BITMIME ENVID=q
<s@no.test> RET=HDRS SIZE=99999999999
s@no.test RET=HDRS
s@no.test ENVID=a b
L
echo 'MAIL FROM:<s@no.test>'; while read -r l; do [ -n "$l" ] && echo "RCPT TO:$l"; done <<'L'
<a@dsn.test> NOTIFY
<a@dsn.test> NOTIFY=
<a@dsn.test> NOTIFY=never
<a@dsn.test> NOTIFY=never,never
<a@dsn.test> NOTIFY=NEVER,SUCCESS
<a@dsn.test> NOTIFY=SUCCESS,NEVER
<a@dsn.test> NOTIFY=SUCCESS,SUCCESS
<a@dsn.test> NOTIFY=success,Failure,delay
<a@dsn.test> NOTIFY=SUCCESS,
<a@dsn.test> NOTIFY=,SUCCESS
<a@dsn.test> NOTIFY=SUCCESS,,FAILURE
<a@dsn.test> NOTIFY=SUCCESS FAILURE
<a@dsn.test> NOTIFY=X
<a@dsn.test> NOTIFY=SUCCESSX
<a@dsn.test> NOTIFY=SUCC
<a@dsn.test> NOTIFY=SUCCESS NOTIFY=FAILURE
<a@dsn.test> NOTIFY=NEVER NOTIFY=NEVER
<a@dsn.test> ORCPT
<a@dsn.test> ORCPT=
<a@dsn.test> ORCPT=x
<a@dsn.test> ORCPT=;
<a@dsn.test> ORCPT=rfc822;
<a@dsn.test> ORCPT=rfc822;a+
<a@dsn.test> ORCPT=rfc822;a=b
<a@dsn.test> ORCPT=a;b ORCPT=c;d
<a@dsn.test> ORCPT=utf-8;jörg@x.test
<a@dsn.test> ORCPT=rfc822;a b
<a@dsn.test> orcpt=RFC822;x notify=DELAY
<a@dsn.test>NOTIFY=DELAY
a@dsn.test NOTIFY=DELAY
<a@dsn.test> RET=HDRS
<a@dsn.test> ENVID=x
<a@dsn.test> SIZE=3
<a@dsn.test> FOO
<a@dsn.test> FOO=BAR NOTIFY=NEVER
<a@dsn.test> NOTIFY=NEVER FOO=BAR
<a@dsn.test>   NOTIFY=NEVER    ORCPT=rfc822;z   
<a@dsn.test> NOTIFY =NEVER
<a@dsn.test> NOTIFY= NEVER
<> NOTIFY=NEVER
<nodomain> NOTIFY=NEVER
<postmaster> NOTIFY=NEVER ORCPT=rfc822;postmaster
L
echo DATA; printf 'Subject: x\n\nx\n.\nQUIT\n'; } | say 192.0.2.1 192.0.2.1 | grep -v '^  250-'
told
echo '##### helo'
printf 'HELO c.test\nMAIL FROM:<s@no.test> RET=HDRS\nMAIL FROM:<s@no.test>\nRCPT TO:<a@dsn.test> NOTIFY=NEVER\nRCPT TO:<a@dsn.test>\nQUIT\n' | say
echo '##### not offered'
sed -i 's/^dsn_advertise_hosts = .*/dsn_advertise_hosts = 192.0.2.1/' /etc/exim4/exim4.conf; kill -HUP $(cat $S/d.pid); sleep 1
printf 'EHLO c.test\nMAIL FROM:<s@no.test> RET=HDRS\nMAIL FROM:<s@no.test> ENVID=x\nMAIL FROM:<s@no.test>\nRCPT TO:<a@dsn.test> NOTIFY=NEVER\nRCPT TO:<a@dsn.test> ORCPT=rfc822;x\nRCPT TO:<a@dsn.test>\nQUIT\n' | say
told
echo '##### bS'; printf 'MAIL FROM:<s@no.test> RET=HDRS ENVID=x\nRCPT TO:<a@dsn.test> NOTIFY=SUCCESS ORCPT=rfc822;q\nDATA\nSubject: s\n\nx\n.\nQUIT\n' | $exim -bS; echo "rc $?"; told
echo '##### bs'; printf 'EHLO x\r\nMAIL FROM:<s@no.test> RET=HDRS ENVID=x\r\nRCPT TO:<a@dsn.test> NOTIFY=SUCCESS ORCPT=rfc822;q\r\nRCPT TO:<b@no.test> NOTIFY=SUCCESS ORCPT=rfc822;q\r\nDATA\r\nSubject: s\r\n\r\nx\r\n.\r\nQUIT\r\n' | $exim -bs; echo "rc $?"; told
stop
