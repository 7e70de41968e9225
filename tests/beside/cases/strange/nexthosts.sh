# Ways to other hosts: odd data in the DNS, programs and servers that route, TLS on both sides of a relay. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
dns <<'E'
$TTL 300
. IN SOA a.test. h.test. 1 2 3 4 5
. IN NS a.test.
a.test. IN A 127.0.0.1
me.test. IN A 192.0.2.1
same.test. IN MX 10 m1.test.
same.test. IN MX 15 m2.test.
same.test. IN MX 20 me.test.
same.test. IN MX 30 m3.test.
low.test. IN MX 5 me.test.
low.test. IN MX 10 m1.test.
m1.test. IN A 192.0.2.11
m2.test. IN A 192.0.2.12
m3.test. IN A 192.0.2.13
multi.test. IN MX 1 multi-h.test.
multi-h.test. IN A 192.0.2.11
multi-h.test. IN TXT x
multi-h.test. IN AAAA 2001:db8::12
onlya.test. IN A 192.0.2.11
only6.test. IN AAAA 2001:db8::11
null.test. IN MX 0 .
nulls.test. IN MX 0 .
nulls.test. IN MX 5 m1.test.
cname.test. IN CNAME same.test.
mxc.test. IN MX 10 al.test.
al.test. IN CNAME m2.test.
loop1.test. IN CNAME loop2.test.
loop2.test. IN CNAME loop1.test.
dang.test. IN MX 10 nowhere.test.
half.test. IN MX 10 nowhere.test.
half.test. IN MX 20 m1.test.
ip.test. IN MX 10 192.0.2.11.
lit.test. IN MX 10 127.0.0.1.
lo.test. IN MX 10 lohost.test.
lohost.test. IN A 127.0.0.1
zero.test. IN MX 10 zh.test.
zh.test. IN A 0.0.0.0
_smtp._tcp.srv.test. IN SRV 10 5 2525 m1.test.
_smtp._tcp.srv.test. IN SRV 20 5 25 m2.test.
_smtp._tcp.srvno.test. IN SRV 0 0 0 .
srvno.test. IN A 192.0.2.11
txt.test. IN TXT "no address"
wide.sub.test. IN A 192.0.2.12
*.wild.test. IN MX 10 m1.test.
under_score.test. IN A 192.0.2.11
dash-.test. IN A 192.0.2.12
big.test. IN MX 65535 m1.test.
big.test. IN MX 0 m2.test.
self.test. IN MX 10 self.test.
self.test. IN A 192.0.2.11
E
head_ <<'E' | tail_ | new p1
# dnslookup with all its options, one router for each set of domains
acl_smtp_rcpt = accept verify = recipient
local_interfaces = <; 127.0.0.1 ; 192.0.2.1
dns_ipv4_lookup = only6.test
remote_sort_domains = *.test
begin routers
srv:
 driver = dnslookup
 domains = srv.test : srvno.test : onlya.test
 check_srv = ${if match{$domain}{^only}{}{smtp}}
 srv_fail_domains = srv.test
 transport = s
widen:
 driver = dnslookup
 domains = wide : *.nx
 widen_domains = "sub.test:${if match{$domain}{nx}{wild.test}{}}"
 rewrite_headers = false
 transport = s
single:
 driver = dnslookup
 domains = ! *.* 
 qualify_single
 search_parents = yes
 transport = s
 pass_router = last
mxonly:
 driver = dnslookup
 domains = onlya.test : dash-.test : under_score.test
 mx_domains = *a.test
 mx_fail_domains = *
 transport = s
 more = ${if eq{$local_part}{no}{no}{yes}}
same:
 driver = dnslookup
 domains = same.test : low.test : lo.test : lit.test : zero.test
 self = ${if eq{$local_part}{p}{pass}{send}}
 check_secondary_mx = ${if eq{$local_part}{sec}}
 ignore_target_hosts = 0.0.0.0 : ${if eq{$local_part}{ign}{192.0.2.11}{}}
 transport = s
 same_domain_copy_routing
dn:
 driver = dnslookup
 transport = s
 fail_defer_domains = dang.test
 ipv4_prefer = multi.test
 ipv4_only = ${if eq{$local_part}{v4}{*}{}}
 dnssec_request_domains = *
 host_all_ignored = freeze
 cannot_route_message = "lookup of $domain: ${if def:self_hostname{$self_hostname}{none}}"
last:
 driver = redirect
 allow_fail
 data = :fail: last $self_hostname $local_part@$domain
begin transports
E
sed -i '/^ check_secondary_mx = /s/=.*/= yes/;/^ ipv4_prefer/d;/^ ipv4_only = /d;/^ self = \$/s/=.*/= pass/;/^ host_all_ignored/d' $E/exim4.conf
host 11 rcpt:bad@same.test='550 no'; host 12
for o in '' 's/^ check_secondary_mx = yes/ check_secondary_mx = no/' 's/^ self = pass/ self = send/' 's/^ self = send/ self = defer/' 's/^dns_ipv4_lookup.*/disable_ipv6/'; do sed -i "$o" $E/exim4.conf; echo "##### with $o"; for d in same low multi onlya only6 null nulls cname mxc loop1 dang half ip lit lo zero srv srvno txt wide a.wild under_score dash- big self nx; do y -bt u@$d.test ign@$d.test; done; y -bt u@wide u@x.nx u@m1 u@wide.sub p@same.test no@onlya.test; y -bv u@lo.test u@low.test; logs; done
SENDERS=s@m1.test; for r in 'u@same.test bad@same.test u@cname.test' 'u@multi.test u@big.test' 'u@m1 u@wide' 'u@half.test u@mxc.test u@self.test'; do send s@m1.test $r; done; after sent; gone 11; gone 12

head_ <<'E' | tail_ | new p2
# programs that route (queryprogram) and servers that do (iplookup by UDP and TCP)
acl_smtp_rcpt = r
begin acl
r:
 accept verify = recipient
  logwrite = $local_part@$domain <$address_data>
 deny message = $acl_verify_message
begin routers
q:
 driver = queryprogram
 domains = q.test
 command = /etc/exim4/q $local_part "$sender_address" ${quote:a b}
 command_user = ${if eq{$local_part}{asann}{ann}{mail}}
 command_group = mail
 current_directory = /etc
 timeout = 2s
 transport = s
 address_data = before $local_part
 pass_router = after
 cannot_route_message = program says no to $local_part
iu:
 driver = iplookup
 domains = u.test
 hosts = 127.0.0.1
 port = 4321
 timeout = 1s
 query = ${local_part}/${domain}?
 response_pattern = ^(\\S+)\\s+(\\S+)(?:\\s+(.*))?\$
 reroute = ${if eq{$2}{same}{}{${local_part:$2}@$3}}
 optional = ${if eq{a}{a}}
it:
 driver = iplookup
 domains = t.test
 protocol = tcp
 hosts = 127.0.0.1
 port = 4322
 query = $local_part@$domain
 redirect_router = after
after:
 driver = accept
 domains = a.test : b.test : q.test : u.test : t.test
 address_data = $address_data, after
 transport = l
begin transports
E
sed -i '/^ optional = /s/=.*/= yes/' $E/exim4.conf
cat <<'F' | put q
#!/bin/sh
case $1 in
acc) echo 'ACCEPT TRANSPORT=l DATA="x y" HOSTS=h';; asann) echo "REDIRECT $(id -un)@a.test DATA=$(pwd)";; many) echo 'Redirect a@a.test, b@b.test,"c d"@a.test';;
fail) echo "FAIL sorry \"$2\" $3";; defer) echo 'defer not now';; freeze) echo 'FREEZE hold it';; pass) echo 'PASS x';; decline) echo 'DECLINE';; error) echo 'ERROR here';;
empty) ;; exit) echo 'DECLINE'; exit 1;; sleep) sleep 5; echo DECLINE;; hosts) echo 'ACCEPT HOSTS=192.0.2.11:192.0.2.12 LOOKUP=byname';; mx) echo 'ACCEPT HOSTS=m1.test:m2.test LOOKUP=bydns';; dq) echo 'ACCEPT HOSTS="192.0.2.12" DATA="it is ""quoted"""';; bad) echo 'ACCEPT =x';; two) printf 'ACCEPT TRANSPORT=l\nFAIL second\n';; cr) printf 'ACCEPT TRANSPORT=l\r\n';; junk) echo hello;; nul) printf 'ACC\0EPT\n';; none) echo 'REDIRECT ';; fl) echo 'REDIRECT :fail: no';; file) echo 'REDIRECT /tmp/x';; self) echo 'REDIRECT self@q.test';; esac
F
chmod 755 $E/q
cat <<'F' | put srv.py
import socket,threading,sys
A={'one':'{q} one a.test','same':'{q} same','no':'{q}','other':'wrong a a.test','junk':'junk','up':'{q} UP b.test rest'}
def answer(q):
    l=q.split('/')[0].split('@')[0]
    return A[l].format(q=q) if l in A else None
def udp():
    s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(('127.0.0.1',4321))
    while True:
        d,f=s.recvfrom(512); r=answer(d.decode())
        if r is not None: s.sendto(r.encode(),f)
def tcp():
    s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('127.0.0.1',4322)); s.listen(5)
    while True:
        c,_=s.accept(); q=c.recv(512).decode(); r=answer(q.strip())
        if r is not None: c.sendall(r.encode())
        c.close()
threading.Thread(target=udp,daemon=True).start(); tcp()
F
y() { x "$@" 2>$work/err; grep -v TFO $work/err; }; python3 $E/srv.py & SRV=$!; sleep 0.5; host 12; ADDRS="$(for l in acc asann many fail defer freeze pass decline error empty exit hosts mx dq bad two cr junk nul none fl file self sleep; do echo $l@q.test; done) $(for l in one same no other junk up silent; do echo $l@u.test $l@t.test; done)"
for a in $ADDRS; do y -bt $a; y -bv $a; done; logs; { echo EHLO x; echo 'MAIL FROM:<"a b"@x>'; for a in $ADDRS; do echo "RCPT TO:<$a>"; done; echo QUIT; } | bs 192.0.2.5; for a in $ADDRS; do send s@far.test $a; done; after sent; kill $SRV; y -bt one@u.test one@t.test; gone 12

mkdir -p $work/tls; (cd $work/tls; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=CA; for n in me m1 client; do openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $n.key -out $n.csr -subj "/O=Test/CN=$n.test"; printf 'subjectAltName=DNS:%s.test,DNS:*.alt.test' $n > ext; openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out $n.pem; done) 2>/dev/null; chmod -R a+rX $work/tls
tail_ <<E | new p3
qualify_domain = me.test
host_lookup =
# a relay that wants TLS of some, verifies some, and speaks it to next hosts by rules
tls_advertise_hosts = 127.0.0.1 : 192.0.2.0/24
tls_certificate = \${if eq{\$tls_in_sni}{bad}{/nosuch}{$work/tls/me.pem}}
tls_privatekey = $work/tls/me.key
tls_verify_certificates = $work/tls/ca.pem
tls_try_verify_hosts = 127.0.0.1
tls_verify_hosts = 127.0.0.3
tls_on_connect_ports = 465
log_selector = +tls_cipher +tls_certificate_verified +tls_peerdn +tls_sni +smtp_connection +smtp_no_mail +outgoing_port
auth_advertise_hosts = \${if eq{\$tls_in_cipher}{}{}{*}}
acl_smtp_helo = h
acl_smtp_starttls = st
acl_smtp_rcpt = r
acl_smtp_mail = m
begin acl
h:
 accept logwrite = helo \$sender_helo_name enc=\${if def:tls_in_cipher{y}{n}} v=\$tls_in_certificate_verified sni=\$tls_in_sni dn=\$tls_in_peerdn ver=\$tls_in_ver
st:
 deny message = no tls for you
  hosts = 127.0.0.4
 accept
m:
 require message = encrypt first
  encrypted = *
  hosts = ! 127.0.0.6
 accept
r:
 deny domains = vip.test
  !verify = certificate
  message = certificate wanted
 accept encrypted = * : !AES
 accept hosts = 127.0.0.6
  logwrite = plain
begin routers
m:
 driver = manualroute
 domains = ! me.test
 route_list = req.test 192.0.2.11 ; ver.test m1.test byname ; try.test 192.0.2.11 ; sni.test 192.0.2.11 ; no.test 192.0.2.12 ; reqno.test 192.0.2.12 ; avoid.test 192.0.2.11 ; vip.test 192.0.2.11 ; broken.test 192.0.2.13
 transport = \${sg{\$domain}{.test}{}}
a:
 driver = accept
 transport = l
begin transports
req:
 driver = smtp
 hosts_try_fastopen =
 hosts_require_tls = *
 tls_verify_certificates =
 tls_certificate = $work/tls/client.pem
 tls_privatekey = $work/tls/client.key
ver:
 driver = smtp
 hosts_try_fastopen =
 tls_verify_hosts = *
 tls_verify_certificates = $work/tls/ca.pem
 tls_verify_cert_hostnames = *
try:
 driver = smtp
 hosts_try_fastopen =
 tls_try_verify_hosts = *
 tls_verify_certificates = $work/tls/client.pem
sni:
 driver = smtp
 hosts_try_fastopen =
 tls_sni = \$domain
 tls_verify_certificates =
 tls_tempfail_tryclear = false
no:
 driver = smtp
 hosts_try_fastopen =
reqno:
 driver = smtp
 hosts_try_fastopen =
 hosts_require_tls = 192.0.2.0/24
avoid:
 driver = smtp
 hosts_try_fastopen =
 hosts_avoid_tls = *
vip:
 driver = smtp
 hosts_try_fastopen =
 hosts_noproxy_tls = *
 tls_verify_certificates =
broken:
 driver = smtp
 hosts_try_fastopen =
 tls_verify_certificates =
E
python3 - $E/exim4.conf <<'F'
import sys
p=sys.argv[1]; s=open(p).read(); s=s.replace(" transport = ${sg{$domain}{.test}{}}"," transport = ${lookup{$domain}lsearch{/etc/exim4/t}}"); open(p,'w').write(s)
F
for t in req ver try sni no reqno avoid vip broken; do echo "$t.test: $t"; done | put t
cat <<'F' | put tls.py
import socket,ssl,sys
src,sni,cert=sys.argv[1:4]; port=int(sys.argv[4]) if len(sys.argv)>4 else 25
s=socket.socket(); s.bind((src,0)); s.settimeout(10); s.connect(('127.0.0.1',port)); f=None
def start():
    global s,f
    c=ssl.create_default_context(); c.check_hostname=False; c.verify_mode=ssl.CERT_NONE
    if cert!='-': c.load_cert_chain(cert+'.pem',cert+'.key')
    s=c.wrap_socket(s,server_hostname=None if sni=='-' else sni); f=s.makefile('rb'); print('  tls')
def ans():
    while True:
        l=f.readline()
        if not l: print('(closed)'); sys.exit()
        print('  '+l.decode().rstrip())
        if l[3:4]!=b'-': return l[:3]
try:
    if port!=25: start()
    f=s.makefile('rb'); ans(); data=False
    for l in sys.stdin.read().split('\n')[:-1]:
        print('> '+l); s.sendall(l.encode()+b'\r\n')
        if data:
            data=l!='.'
            if data: continue
        a=ans()
        if l.upper()=='STARTTLS' and a==b'220': start()
        data=l.upper()=='DATA' and a==b'354'
except (ssl.SSLError,OSError) as e: print('(closed)')
F
echo "192.0.2.11 m1.test" > $work/hosts; mount --bind $work/hosts /etc/hosts
host 11 ehlo='250-h\n250-STARTTLS\n250 SIZE' cert=$work/tls/m1.pem key=$work/tls/m1.key; host 12; host 13 ehlo='250-h\n250 STARTTLS' starttls='454 not now'
daemon -odi
# What the libraries of TLS say of a host that closes without a word is their business.
logged() { logs | grep -av 'TLS error on connection (recv)'; }
t() { echo "##### tls $*"; python3 $E/tls.py "$@"; sleep 0.2; logged; }
full() { echo EHLO a.test; echo STARTTLS; echo EHLO b.test; echo 'MAIL FROM:<s@far.test>'; echo 'RCPT TO:<ann@me.test>'; echo 'RCPT TO:<x@vip.test>'; echo DATA; printf 'Subject: t\n\nx\n.\n'; echo STARTTLS; echo QUIT; }
full | t 127.0.0.1 - -; full | t 127.0.0.1 me.test $work/tls/client; full | t 127.0.0.2 bad -; full | t 127.0.0.3 - -; full | t 127.0.0.3 x.test $work/tls/client; full | t 127.0.0.4 - -; full | t 127.0.0.6 - -; printf 'HELO x\nMAIL FROM:<a@b>\nSTARTTLS\nQUIT\n' | t 127.0.0.6 - -; printf 'STARTTLS\nQUIT\n' | t 127.0.0.1 - -;  printf 'EHLO x\nSTARTTLS now\nSTARTTLS\nHELO y\nSTARTTLS\nAUTH\nQUIT\n' | t 127.0.0.1 - -; printf 'EHLO x\nMAIL FROM:<a@b>\nSTARTTLS\nMAIL FROM:<a@b>\nQUIT\n' | t 127.0.0.6 - -
stop; logged; for d in req ver try sni no reqno avoid vip broken; do send s@far.test u@$d.test; logged; for n in 11 12 13; do heard $n; done; done; after sent; for n in 11 12 13; do gone $n; done
