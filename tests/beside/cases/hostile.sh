# Next hosts that say too much or too little, addresses with long comments, and clients whose
# names are no hosts'.
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=far.test -days 30 -keyout "$work/key" -out "$work/cert" 2>/dev/null
site() { conf <<E
acl_smtp_rcpt = rcpt
host_lookup = *
begin acl
rcpt:
 warn logwrite = name=\$sender_host_name failed=\$host_lookup_failed deferred=\$host_lookup_deferred
 accept
begin routers
r:
 driver = manualroute
 route_list = * 192.0.2.2
 transport = t
begin transports
t:
 driver = smtp
 hosts_try_fastopen =
 hosts_try_prdr = *
 hosts_try_chunking =
 final_timeout = 3s
 $1
begin retry
* * F,1h,1s
E
}
for demand in 'hosts_require_tls = *' ''; do
 site "$demand"
 host 2 'ehlo=250-host\n250 STARTTLS' 'starttls=220 go\n250 inject' cert="$work/cert" key="$work/key"
 send ann@me.test x@far.test; logs; gone 2; for i in $(ids); do $exim -Mrm "$i" > /dev/null; done
done
site ''
for end in '353 each\n421 x' '353 each\n250 x\n421 y' '353 each\nx' '353 each\n250 x\n250 y\n421 z'; do
 echo "##### $end"
 host 2 'ehlo=250-host\n250-PIPELINING\n250 PRDR' "end=$end"
 send ann@me.test x@far.test y@far.test; logs | cut -c1-200; gone 2
 for i in $(ids); do $exim -Mrm "$i" > /dev/null; done; rm -rf $S/db $LOG/*
done
for n in 240 245 246 300 2000; do
 c=$(printf 'y%.0s' $(seq "$n"))
 printf 'EHLO x\r\nMAIL FROM:<a(%s)@me.test>\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<@%s.test:a@me.test>\r\nRCPT TO:<a@me.test(%s)>\r\nRCPT TO:a@me.test (%s)\r\nQUIT\r\n' "$c" "$c" "$c" "$c" | $exim -bs 2>&1 | grep -a '^[45]\|250 \(OK\|Acc\)' | cut -c1-60
 printf '%s\n' "\${address:f <  a($c)@me.test>}" "\${address:a@me.test ($c)}" | $exim -be
done
printf 'EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:a@me.test  (x)\r\nRCPT TO:<a@me.test> FOO NOTIFY=NEVER\r\nRCPT TO:"a b"@me.test\r\nRCPT TO:A B <a@me.test>\r\nRCPT TO:<a@me.test (x=y)>\r\nQUIT\r\n' | $exim -bs 2>&1 | grep -a '^5\|^250 A'
rm -rf $LOG/*
host 2 'ehlo=250-host\n250 PIPELINING' end=foo
send ann@me.test x@far.test y@far.test; logs; gone 2; for i in $(ids); do $exim -Mrm "$i" > /dev/null; done; rm -rf $S/db $LOG/*
dns <<'E'
$TTL 60
. SOA a. a. 1 1 1 1 1
21.1.1.10.in-addr.arpa. PTR a\/b.test.
a\/b.test. A 10.1.1.21
22.1.1.10.in-addr.arpa. PTR a\032b.test.
23.1.1.10.in-addr.arpa. PTR good.test.
good.test. A 10.1.1.23
24.1.1.10.in-addr.arpa. PTR a_b.test.
a_b.test. A 10.1.1.24
E
for n in 21 22 23 24 25; do
 printf 'EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@me.test>\r\nQUIT\r\n' | $exim -bs -oMa 10.1.1.$n > /dev/null; logs
done
