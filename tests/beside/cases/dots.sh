# Which dot ends a message, by -bS, -bs, and -bs for a host.
conf <<C
host_lookup =
tls_advertise_hosts =
acl_smtp_rcpt = accept
queue_only
log_selector = +received_recipients
begin routers
a:
 driver = accept
 transport = f
begin transports
f:
 driver = appendfile
 file = /dev/null
 user = mail
C
while read -r m; do for w in bS bs "bs -oMa 1.2.3.4"; do echo "##### $w $m"; { [ "$w" != bS ] && printf 'EHLO h\r\n'; printf "MAIL FROM:<a@b.test>\r\nRCPT TO:<x@me.test>\r\nDATA\r\n$m"; printf 'MAIL FROM:<c@d.test>\r\nRCPT TO:<y@me.test>\r\nDATA\r\nSubject: second\r\n\r\nb\r\n.\r\nQUIT\r\n'; } | $exim -$w 2>&1 | tr -d '\r' | grep -v '^250-\|^220\|^250 HELP\|^354'; echo "rc ${PIPESTATUS[1]}"; logs; done; done <<'L'
.\n
.\r\n
Subject: x\n.\n
Subject: x\r\n.\r\n
Subject: x\r\n.\n
Subject: x\n.\r\n
Subject: x\n y\n.\n
Subject: x\n\n.\n
Subject: x\n\nb\n.\r\n
Subject: x\r\n\r\nb\n.\n.\r\n
nohead\n.\n
Subject: x\n.x\n.\n
Subject: x\n..\n.\n
..\n\n.\n
.Subject: x\n\n.\n
Subject: x\r\n\r\na\n.b\r\n.c\r\n..d\r\n.\r\n
Subject: x\n\na\r\n.\r\n
Subject: x\n\na\r\n.\n
Subject: x\n\r\n.\n
Subject: x\r\n\n.\r\n
L
