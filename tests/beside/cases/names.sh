# Names of hosts: the hosts file, the DNS, no DNS, and their order.
c() { conf <<E
host_lookup = *
acl_smtp_rcpt = rcpt
acl_smtp_helo = helo
log_selector = +all -pid
$1
begin acl
helo:
 accept logwrite = helo \$sender_helo_name v=\$sender_helo_verified h=\$sender_host_name f=\$host_lookup_failed d=\$host_lookup_deferred
rcpt:
 warn hosts = one.test
  logwrite = is one
 warn hosts = *.bad.test
  logwrite = is bad
 warn hosts = +ignore_unknown : unknown.test : 127.0.0.9
  logwrite = 9
 warn hosts = net24-lsearch;/etc/exim4/nets
  logwrite = nets
 warn verify = reverse_host_lookup
  logwrite = reverse ok
 warn verify = helo
  logwrite = helo ok
 accept logwrite = n=\$sender_host_name a=\$sender_host_address full=\$sender_fullhost rc=\$sender_rcvhost
begin routers
r:
 driver = manualroute
 route_list = a.test one.test byname ; b.test alias byname; c.test nonesuch.test byname; d.test one.test:nonesuch.test:two.test ; e.test two.test bydns; f.test v6.test byname; g.test "<; [::1]:2 ; 127.0.0.9" ; h.test one.test/MX ; i.test one.test randomize
 host_find_failed = ignore
 transport = s
 self = send
d:
 driver = dnslookup
 transport = s
 self = send
begin transports
s:
 driver = smtp
E
}
printf '127.0.0.0/24: x\n' > /etc/exim4/nets
cat > hosts <<'E'
127.0.0.1 localhost
127.0.0.2 one.test alias one
127.0.0.3 ONE.bad.test
127.0.0.4 two.test two
127.0.0.4 three.test
::2 v6.test
127.0.0.9 nine
127.0.0.10 under_score.test
E
mount --bind hosts /etc/hosts
go() { for a in 1 2 3 4 9 10 77; do echo "## $a"; printf 'EHLO two.test\r\nMAIL FROM:<>\r\nRCPT TO:<x@y.test>\r\nQUIT\r\n' | $exim -bs -oMa 127.0.0.$a 2>&1 | grep -v "^250-"; done;  for a in 2 9; do printf 'EHLO nine\r\nMAIL FROM:<>\r\nRCPT TO:<x@y.test>\r\nQUIT\r\n' | timeout 20 $exim -bh 127.0.0.$a 2>&1; done; for d in a b c d e f g h i one two nine localhost; do timeout 20 $exim -bt x@$d.test 2>&1; done; timeout 20 $exim -bt x@one x@alias; $exim -be '${lookup dnsdb{a=one.test}{$value}{no}} ${lookup dnsdb{ptr=127.0.0.2}{$value}{no}} $primary_hostname'; logs; }
echo '##### no resolver'; : > r0; mount --bind r0 /etc/resolv.conf; c; TO=1 go
echo '##### order'; c 'host_lookup_order = byaddr'; go
c 'host_lookup_order = bydns'; go
umount /etc/resolv.conf
dns <<'E'
$TTL 60
. SOA a. b. 1 1 1 1 1
. NS a.
a. A 127.0.0.1
one.test. A 127.0.0.22
one.test. MX 5 two.test.
two.test. A 127.0.0.4
two.test. A 127.0.0.44
4.0.0.127.in-addr.arpa. PTR two.test.
4.0.0.127.in-addr.arpa. PTR other.test.
77.0.0.127.in-addr.arpa. PTR mism.test.
mism.test. A 127.0.0.78
1.0.0.127.in-addr.arpa. PTR under_score.test.
under_score.test. A 127.0.0.1
9.0.0.127.in-addr.arpa. PTR 9.0.0.127.in-addr.arpa.
10.0.0.127.in-addr.arpa. CNAME x.rev.test.
x.rev.test. PTR ten.test.
ten.test. CNAME ten2.test.
ten2.test. A 127.0.0.10
v6.test. AAAA ::2
i.test. MX 1 one.test.
i.test. MX 1 two.test.
h.test. MX 0 .
E
for o in bydns:byaddr byaddr bydns; do echo "##### dns $o"; c "host_lookup_order = $o"; go; done
c 'dns_check_names_pattern =
helo_allow_chars = _
disable_ipv6
dns_ipv4_lookup = *'; go
c 'helo_verify_hosts = 127.0.0.4 : 127.0.0.2
helo_lookup_domains = two.test'; go
c 'helo_try_verify_hosts = *
smtp_banner = $sender_host_address'; go
