# Authenticated submission: what becomes of senders and headers, by user and control.
conf <<'C'
acl_smtp_mail = ma
acl_smtp_rcpt = rc
acl_smtp_data = da
auth_advertise_hosts = *
host_lookup =
tls_advertise_hosts =
qualify_domain = me.test
untrusted_set_sender = *
log_selector = +received_sender +sender_on_delivery +address_rewrite +smtp_mailauth
begin acl
ma:
 deny !authenticated = *
  message = auth first
 warn authenticated = *
  condition = ${if eq{$authenticated_id}{ann}}
  control = submission
 warn condition = ${if eq{$authenticated_id}{bob}}
  control = submission/sender_retain
 warn condition = ${if eq{$authenticated_id}{cat}}
  control = submission/domain=dom.test/name=Cat $authenticated_id
 warn condition = ${if eq{$authenticated_id}{dan}}
  control = submission/domain=
 warn condition = ${if eq{$authenticated_id}{eve}}
  control = suppress_local_fixups
 warn logwrite = auth $authenticated_id $authenticated_sender $sender_host_authenticated
 accept
rc:
 deny condition = ${if and{{eq{$authenticated_id}{ann}}{!match_address{$sender_address}{ann@me.test:ann@other.test:}}}}
  message = not your address: $sender_address
 accept
da:
 deny condition = ${if eq{$h_X-Test:}{strict}}
  !verify = header_sender
  message = $acl_verify_message
 accept add_header = X-Auth: $authenticated_id
begin authenticators
plain:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = ${if eq{$auth3}{pw}}
 server_set_id = $auth2
 server_mail_auth_condition = ${if eq{$authenticated_id}{ann}}
login:
 driver = plaintext
 public_name = LOGIN
 server_prompts = User : Pass
 server_condition = ${if eq{$auth2}{pw}{yes}{${if eq{$auth2}{later}{defer}{no}}}}
 server_set_id = $auth1
cram:
 driver = cram_md5
 public_name = CRAM-MD5
 server_secret = ${if eq{$auth1}{ann}{pw}fail}
 server_set_id = $auth1
begin rewrite
*@old.test $1@new.test Ffrs
*@int.test ${lookup{$1}lsearch{/etc/exim4/map}{$value}fail} bcfrtFTq
ann@me.test Ann.A@pub.test fsF
*@*.sub.test $1@$2.top.test
begin routers
l:
 driver = accept
 domains = me.test
 transport = l
s:
 driver = manualroute
 route_list = * 192.0.2.2
 transport = smtp
begin transports
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
 group = mail
 envelope_to_add
 return_path_add
smtp:
 driver = smtp
 hosts_require_auth = *
 authenticated_sender = $authenticated_id@me.test
C
sed -i '/^begin routers/i cl:\n driver = plaintext\n public_name = PLAIN\n client_send = ^${if eq{$authenticated_id}{bob}{bobby}{joe}}^secret' /etc/exim4/exim4.conf
sed -i '/^begin rewrite/,/^begin routers/{/^cl:/,/client_send/d}' /etc/exim4/exim4.conf
sed -i 's/^begin rewrite/cl:\n driver = plaintext\n public_name = PLAIN\n client_send = ^${if eq{$authenticated_id}{bob}{bobby}{joe}}^secret\nbegin rewrite/' /etc/exim4/exim4.conf
printf 'x: X.Y@z.test\n' > /etc/exim4/map
host 2 show=1 ehlo='250-host\n250-AUTH PLAIN\n250 SIZE' auth='235 in'
daemon; [ -s $S/d.pid ] || { cat $LOG/*; exit; }
b() { printf "$1" | base64 -w0; }
m() { local u=$1 f=$2; shift 2; echo "##### $u $f $*"; { printf "EHLO h\nAUTH PLAIN $(b "\\0$u\\0pw")\nMAIL FROM:<$f>$MA\n"; for r in ${TO:-b@me.test}; do printf "RCPT TO:<$r>\n"; done; printf "DATA\n"; printf '%b\n' "$@"; printf '\nbody\n.\nQUIT\n'; } | sed 's/\\0/\x00/g' | say | grep -v '250-\|^>' ; sleep 0.3; logs; boxes; [ -s host.2 ] && heard 2; }
for u in ann bob cat dan eve; do
m $u ann@me.test 'Subject: none'
m $u ann@other.test 'From: Ann <ann@me.test>' 'To: b@me.test'
m $u ann@other.test 'From: "X, Y" <other@else.test>' 'Sender: z@z.test' 'Date: x'
m $u '' 'From: MAILER <m@me.test>' 'Message-ID: <a@b>'
m $u ann@other.test 'From: a@old.test, b@int.test' 'Reply-To: x@int.test' 'Cc: y@int.test, z@d.sub.test' 'Bcc: w@int.test'
m $u ann@other.test 'Resent-From: q@old.test' 'Resent-To: b@me.test' 'From: y@y.test' 'Sender: k@old.test'
m $u ann@other.test 'From: unqualified' 'To: also (comment), Group: a, b@me.test;' 'X-Test: strict'
TO='b@far.test c@me.test' m $u ann@other.test 'From: ann@me.test' 'Subject: far'
done
MA=' AUTH=ann@me.test' m ann ann@me.test 'From: ann@me.test' 'Subject: mail auth'; MA=' AUTH=ann@me.test' m bob ann@me.test 'From: ann@me.test'
MA=' AUTH=<>' TO=b@far.test m ann ann@me.test 'From: ann@me.test'
m ann evil@x.test 'From: ann@me.test'
printf "EHLO h\nAUTH LOGIN\n$(b ann)\n$(b pw)\nMAIL FROM:<ann@me.test>\nAUTH LOGIN\nQUIT\n" | say; logs
printf "EHLO h\nAUTH LOGIN $(b ann)\n$(b later)\nAUTH LOGIN\n*\nAUTH LOGIN\n=\nAUTH PLAIN !!!\nAUTH FOO\nAUTH PLAIN\n$(b '\0x\0wrong')\nQUIT\n" | say; logs
conf <<'E'
begin routers
r:
 driver = accept
 transport = t
 address_data = $caller_uid/$caller_gid
begin transports
t:
 driver = appendfile
 file = /var/mail/ann
 user = ann
 headers_add = X-Caller: $caller_uid/$caller_gid $address_data
begin retry
E
echo '##### who the caller of a delivery is'
for o in -odf -odi -odb; do msg a | $exim $o ann@me.test; sleep 0.5; boxes | grep X-Caller; done
for o in -q -qf -M; do msg a | $exim -odq ann@me.test; case $o in -M) $exim -M $(ids);; *) $exim $o;; esac; boxes | grep X-Caller; done
echo '##### how much an answer and a bounce return'
for l in 0 1000 8192; do conf <<E
bounce_return_size_limit = $l
begin routers
auto:
 driver = accept
 local_parts = auto
 transport = ar
fail:
 driver = redirect
 local_parts = fail
 data = :fail: no
box:
 driver = accept
 transport = t
begin transports
ar:
 driver = autoreply
 to = ann@me.test
 subject = re
 text = hello
 return_message
 user = ann
t:
 driver = appendfile
 file = /var/mail/ann
 user = ann
E
for n in 8100 8166 8167 16358 16359; do for to in auto fail; do
{ printf 'From: ann@me.test\nSubject: x\nMessage-ID: <n@m.test>\n\n'; yes | head -c $((n - 1)) | tr '\n' x | fold -w 60; echo; } > m
$exim -odi -oi -f ann@me.test $to@me.test < m; echo "--- $l $n $to"; boxes | grep -v eximdsn | cut -c1-70 | uniq -c; done; done; done
conf <<'E'
qualify_domain = me.test
log_selector = +connection_id
smtp_enforce_sync = false
acl_smtp_rcpt = accept
queue_only_override = false
begin routers
r:
 driver = accept
 transport = t
begin transports
t:
 driver = appendfile
 file = /var/mail/box
 user = mail
E
echo '##### how long more of a message is waited for'
M='MAIL FROM:<a@b.test>\nRCPT TO:<a@me.test>\n'
slow() { local t="$1"; shift; echo "--- $*"; { printf "$t"; sleep 1.6; } | $exim -odq "$@" 2>&1; echo "rc ${PIPESTATUS[1]}"; logs; }
slow 'a: b\n\nx\n' -or 1s a@me.test; slow 'a: b\n' -or9s -or1s a@me.test; slow 'a: b\n\nx\n' -or 1s -or 0s a@me.test
slow "${M}DATA\na: b\n\nx\n" -bS -os 1s; slow "$M" -os1s -bS; slow "${M}DATA\na: b\n\nx\n.\n" -bS -os1s; slow 'HELO x\n' -bS -or1s
slow "HELO x\n${M}DATA\na: b\n\nx\n" -bs -os 1s; slow 'HELO x\n' -os1s -bs
echo '##### what is written about a message does not wait with it'
for o in -odq -odqs -odb -odf; do printf 'a: b\n\n' | $exim $o -oem bad@@x; await 1 Completed; logs; boxes | grep -c '^Subject: Mail failure'; done
msg ov | $exim -ov -odf a@me.test 2>&1
