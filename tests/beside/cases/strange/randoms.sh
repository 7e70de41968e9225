# Callouts that ask for somebody nobody knows, where the first of two hosts has no answer at some stage.
dns <<'Z'
. SOA a. b. 1 1 1 1 60
. NS a.
a. A 127.0.0.1
two.test. MX 10 one.test.
two.test. MX 20 other.test.
one.test. A 192.0.2.3
other.test. A 192.0.2.2
Z
conf <<'C'
acl_smtp_rcpt = r
host_lookup =
tls_advertise_hosts =
callout_random_local_part = nobody
begin acl
r:
 accept local_parts = ^p
  verify = recipient/callout=2s,random,postmaster
 accept verify = recipient/callout=2s,random
begin routers
dns:
 driver = dnslookup
 transport = s
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
C
# What the first host says, and what the second one does.
for first in mail='451 later' mail='-' rcpt='451 later' rcpt:a@two.test='451 later' ehlo='421 busy-!' conn='421 busy' rcpt:nobody@two.test='-' rcpt:nobody@two.test='451 later' rcpt:postmaster@two.test='451 later'; do
 for second in rcpt='250 ok' rcpt:nobody@two.test='550 nobody'; do
  echo "##### $first, $second"; rm -rf $S/db
  host 3 rcpt:nobody@two.test="550 nobody" "$first"; host 2 "$second"
  printf '%s\n' 'HELO x' 'MAIL FROM:<s@far.test>' 'RCPT TO:<a@two.test>' 'RCPT TO:<p@two.test>' QUIT | $exim -bs -oMa 127.0.0.1
  gone 3; gone 2; logs
 done
done
