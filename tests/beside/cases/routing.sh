# Where routers lead: hosts from the DNS, from lists and programs, redirection, and what an odd or wrong option makes of an address.
zone() { cat <<'E'
$TTL 60
. SOA a. b. 1 1 1 1 60
. NS a.
a. A 127.0.0.1
localhost. A 127.0.0.1
h2.test. A 192.0.2.2
h3.test. A 192.0.2.3
h4.test. A 192.0.2.4
h6.test. AAAA 2001:db8::6
both.test. A 192.0.2.5
both.test. AAAA 2001:db8::5
me.test. A 192.0.2.1
me2.test. A 192.0.2.1
loop.test. A 127.0.0.1
zero.test. A 0.0.0.0
word. MX 1 h2.test.
part.me.test. MX 1 h3.test.
deep.a.wide.test. A 192.0.2.7
mx.d.test. MX 10 h2.test.
two.d.test. MX 10 h2.test.
two.d.test. MX 20 h3.test.
dup.d.test. MX 10 h2.test.
dup.d.test. MX 20 h2.test.
dup.d.test. MX 30 h3.test.
a.d.test. A 192.0.2.9
aaaa.d.test. AAAA 2001:db8::9
mxboth.d.test. MX 5 both.test.
null.d.test. MX 0 .
nulltwo.d.test. MX 0 .
nulltwo.d.test. MX 5 h2.test.
gone.d.test. MX 10 nowhere.d.test.
half.d.test. MX 10 nowhere.d.test.
half.d.test. MX 20 h2.test.
fmx.d.test. MX 10 mx.fail.test.
fmx2.d.test. MX 10 mx.fail.test.
fmx2.d.test. MX 20 h2.test.
smx.d.test. MX 10 mx.slow.test.
cn.d.test. CNAME mx.d.test.
cnx.d.test. CNAME nothing.d.test.
cnloop.d.test. CNAME cnloop2.d.test.
cnloop2.d.test. CNAME cnloop.d.test.
cnfail.d.test. CNAME x.fail.test.
ip.d.test. MX 5 192.0.2.2.
mxcn.d.test. MX 5 al.d.test.
al.d.test. CNAME h2.test.
txt.d.test. TXT "no address"
self.d.test. MX 5 me.test.
self3.d.test. MX 5 h2.test.
self3.d.test. MX 9 me.test.
self5.d.test. MX 5 h2.test.
self5.d.test. MX 9 me2.test.
self5.d.test. MX 12 h4.test.
mxloop.d.test. MX 1 loop.test.
mxzero.d.test. MX 1 zero.test.
und_er.d.test. A 192.0.2.9
_smtp._tcp.srv.d.test. SRV 1 2 2525 h2.test.
_smtp._tcp.srv2.d.test. SRV 1 0 2525 h2.test.
_smtp._tcp.srv2.d.test. SRV 2 0 26 h3.test.
_smtp._tcp.srvno.d.test. SRV 0 0 0 .
_smtp._tcp.srvself.d.test. SRV 1 0 25 h2.test.
_smtp._tcp.srvself.d.test. SRV 2 0 25 me.test.
_smtp._tcp.srvsf.d.test. CNAME x.fail.test.
srvsf.d.test. MX 1 h3.test.
mx.sec.test. MX 1 h2.sec.test.
h2.sec.test. A 192.0.2.2
half.sec.test. MX 1 h2.sec.test.
half.sec.test. MX 2 h3.test.
E
}
name_server() { dns < <(zone)
 # A domain whose server fails.
 kill $(cat $work/nsd/pid); sleep 0.3
 printf 'zone:\n name: "fail.test"\n zonefile: "missing"\n' >> $work/nsd/nsd.conf
 nsd -c $work/nsd/nsd.conf -d & sleep 0.7
 # In front of it, one that does not answer for slow.test, and says of sec.test that it is proved.
 cat > $work/front.py <<'E'
import socket
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(('127.0.0.2',53))
n=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); n.settimeout(2)
while True:
    q,a=s.recvfrom(4096); l=q.lower()
    if b'\x04slow\x04test' in l: continue
    n.sendto(q,('127.0.0.1',53))
    try: r=bytearray(n.recv(65535))
    except OSError: continue
    r[2]&=0xfb; r[3]|=0x80
    if b'\x03sec\x04test' in l: r[3]|=0x20
    s.sendto(bytes(r),a)
E
 python3 $work/front.py & sleep 0.3
 printf 'search me.test\nnameserver 127.0.0.2\noptions timeout:1 attempts:1\n' > $work/resolv.conf; }
name_server
nl=$'\n'
# One router of a kind with options, and what follows it: rt DRIVER OPTION...
rt() { local d=$1 o; shift; conf <<E
log_selector = +all_parents -pid
qualify_domain = me.test
acl_smtp_rcpt = r
tls_advertise_hosts =
$OPTIONS
begin acl
r:
 require verify = recipient
 accept
begin routers
d:
 driver = $d
 domains = ! h.test
$(for o; do echo " $o"; done)
h:
 driver = accept
 domains = h.test
 transport = f
n:
 driver = redirect
 allow_fail
 data = :fail: next \$self_hostname \$local_part@\$domain ad=\$address_data lp=\$local_part_prefix:\$local_part_suffix rv=\$r_a:\$r_b
begin transports
s:
 driver = smtp
 connect_timeout = 2s
 hosts_try_fastopen =
f:
 driver = appendfile
 file = /var/mail/x
 user = ann
g:
 driver = appendfile
 file = /var/mail/y
 user = ann
ap:
 driver = pipe
 user = ann
begin retry
* * F,1h,10m
E
}
A=()
t() { local h="${*//$nl/;}" a; echo "##### $h"; rt "$@"; for a in "${A[@]}"; do x -bt $a 2>&1; x -bv $a 2>&1; done; logs; }
# The same with a message, and a client that asks.
del() { local h="${*//$nl/;}" a; echo "##### deliver $h"; rt "$@"; send ann@me.test "${A[@]}" 2>&1
 { echo 'EHLO h'; echo 'MAIL FROM:<>'; for a in "${A[@]}"; do echo "RCPT TO:<$a>"; done; echo QUIT; } | $exim -bs 2>/dev/null | grep -v '^2[25]0[- ].*test'
 x -bp; logs; boxes | grep -v '^Date\|^Message-ID\|^From:\|^To:'; for h in 2 3; do [ -s host.$h ] && heard $h | cut -c3-; done; ids | xargs -r $exim -Mrm > /dev/null; rm -rf $S/db/*; logs > /dev/null; }

echo '##### dnslookup: all kinds of domains'
A=(x@{mx,two,dup,a,aaaa,mxboth,null,nulltwo,gone,half,fmx,fmx2,smx,cn,cnx,cnloop,cnfail,ip,mxcn,txt,self,self3,self5,mxloop,mxzero,und_er,srv,none}.d.test x@x.fail.test x@word x@part x@nowhere x@H2.test 'x@[192.0.2.2]' x@mx.sec.test)
t dnslookup 'transport = s'
A=(x@{two,a,aaaa,mxboth,null,nulltwo,gone,half,fmx,fmx2,self,self3,self5,mxloop,srv,srv2,srvno,srvself,srvsf,none}.d.test x@x.fail.test x@word x@part x@deep.a x@{mx,half}.sec.test)
for o in 'mx_domains = *.d.test' 'check_secondary_mx' 'check_srv = smtp' 'check_srv =' 'check_srv = ${if eq{1}{2}{x}fail}' 'check_srv = ${nosuch}' "check_srv = smtp$nl srv_fail_domains = *" 'mx_fail_domains = *' 'fail_defer_domains = *' \
 "dnssec_require_domains = *" 'ipv4_only' 'ipv4_only = ${if eq{1}{2}{x}fail}' 'ipv4_only = maybe' 'ipv4_prefer' 'self = pass' 'self = send' 'self = fail' 'self = freeze' 'self = reroute: a.d.test' 'self = reroute: rewrite: a.d.test' \
 'ignore_target_hosts = <; 192.0.2.0/28 ; 2001:db8::/32' 'ignore_target_hosts = ${nosuch}' 'widen_domains = wide.test:d.test' 'no_qualify_single' 'search_parents' 'fallback_hosts = h4.test:me.test' 'unseen' 'more = ${if eq{$domain}{none.d.test}}' 'more = ${nosuch}' "cannot_route_message = no \$domain$nl more = no"; do t dnslookup 'transport = s' "$o"; done

echo '##### manualroute: lists'
A=(x@x.test y@y.test)
for v in '' '*' '* h2.test' '* h2.test byname' '* h2.test bydns' '* h2.test bad' '* h2.test f' '* h2.test byname f' '* both.test ipv4_only' '* both.test ipv4_prefer' '* two.d.test/MX:h4.test' '* two.d.test/mx::26' '* self3.d.test/MX:h4.test' '* null.d.test/MX:h2.test' '* fmx2.d.test/MX' \
 'x.test 192.0.2.2; y.test 192.0.2.3' 'x.test; * h3.test' '<| x.test h2.test | y.test h3.test' '^(.)\\.test $1.d.test' '! x.test 192.0.2.2' '* "192.0.2.2 : 192.0.2.3" byname' '* 192.0.2.2 : 192.0.2.3' '* "<,[2001:db8::1]:25"' '* 2001::db8::::1' '* [192.0.2.2]::26' '* h2.test::x' '* h2.test::99999' '* ${if eq{$domain}{x.test}{h2.test}fail}' '* ${nosuch}' 'x* $0' '* h2.test:+:h3.test' \
 '* none.test:h2.test' '* x.fail.test:h2.test' '* h2.test:me.test:h3.test' '* 127.0.0.1' '* 192.0.2.2:192.0.2.2' '* cn.d.test' '* al.d.test' '* aaaa.d.test ipv4_only' '* word' '* txt.d.test' '*.test"h2.test"' '"x.test : y.test" h2.test' '@ h2.test' '+none h2.test'; do t manualroute 'transport = s' "route_list = $v"; done
for v in '' 'h2.test' '"h2.test : h3.test" byname' 'h2.test : h3.test' '${if eq{$domain}{x.test}{h2.test}fail}' '${if eq{$domain}{x.test}{h2.test}}' '${nosuch}' '<;h2.test;h3.test' ':' ':h2.test' '/MX' '192.0.2.2/MX'; do t manualroute 'transport = s' "route_data = $v"; done
for f in decline defer fail freeze ignore pass bad; do for l in none.test none.test:h2.test 192.0.2.2 gone.d.test/MX; do t manualroute 'transport = s' "route_data = $l" "host_find_failed = $f" "host_all_ignored = ${f/ignore/fail}" 'ignore_target_hosts = 192.0.2.2'; done; done
for s in defer fail freeze pass send 'reroute: h.test' 'reroute: rewrite: h.test' bad; do for l in me.test h2.test:me.test self.d.test/MX; do t manualroute 'transport = s' "self = $s" "route_data = $l"; done; done
t manualroute 'transport = s'; t manualroute 'transport = s' 'route_data = x' 'route_list = * x'; t manualroute 'route_data = h2.test'
OPTIONS='dns_check_names_pattern = ^h'; t manualroute 'transport = s' 'route_data = al.d.test'; t manualroute 'transport = s' 'route_data = both.test byname'; OPTIONS='hosts_treat_as_local = h2.test'; t manualroute 'transport = s' 'route_data = h2.test'; OPTIONS=

echo '##### ipliteral'
A=('x@[192.0.2.2]' 'x@[IPv6:2001:db8::1]' 'x@[2001:db8::1]' 'x@[192.0.2]' 'x@[192.0.2.1]' 'x@[]' 'x@h4.test')
OPTIONS=allow_domain_literals
for o in 'more' 'ignore_target_hosts = 192.0.2.2' 'self = pass' 'self = send' 'domains = @[]'; do t ipliteral 'transport = s' "${o/domains = @/local_parts = x$nl address_data = @}"; done; OPTIONS=

echo '##### queryprogram: answers'
A=(x@y.test)
q() { printf '%s' "$1" > $work/out; chmod 644 $work/out; shift; t queryprogram 'timeout = 1s' "command = /bin/cat $work/out" 'command_user = ann' "$@"; }
for w in '' accept 'accept transport=f' 'ACCEPT TRANSPORT=g hosts=h2.test' 'accept transport=s hosts=h2.test:me.test lookup=byname' 'accept transport=s hosts=h2.test lookup=bad' 'accept transport=s hosts=none.test' 'accept transport=none' 'accept bad=1' 'accept transport' decline 'decline data=x' 'pass data=x' fail 'fail some text' 'defer some text' 'freeze it' 'error what' redirect 'redirect a@h.test, b@h.test' 'redirect :fail: no' 'redirect :blackhole:' 'redirect /file' 'redirect a b@' "bad$nl" "accept transport=f${nl}more" 'accept transport="f' 'accept data="a b" transport=g'; do q "$w"; done
for c in /bin/none none /bin/false '/bin/sh -c "kill -9 \\$\\$"' '/bin/sleep 3' '/bin/echo fail "$local_part  $domain"' '/bin/echo ${nosuch}' '' '/usr/bin/id -G' '/etc/passwd'; do t queryprogram 'timeout = 1s' "command = $c" 'command_user = ann'; done
for u in root none '${nosuch}' "ann$nl command_group = mail" "ann$nl command_group = none" "ann$nl current_directory = /none"; do t queryprogram 'command = /bin/echo fail x' "command_user = $u"; done
for o in 'transport = g' no_more 'unseen' 'redirect_router = n'; do for w in accept pass 'redirect a@h.test' fail; do q "$w" "$o"; done; done

echo '##### iplookup'
cat > $work/asked.py <<'E'
import socket
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(('127.0.0.1',4567))
while True:
    q,w=s.recvfrom(1000); t=q.decode().strip()
    if t.startswith('none'): continue
    s.sendto(b'other x' if t.startswith('bad') else t.split(' ')[0].encode() if t.startswith('short') else (t.split(' ')[0]+' new@h.test\r\n').encode(),w)
E
python3 $work/asked.py & sleep 0.3
A=(x@y.test none@y.test bad@y.test short@y.test)
for o in more optional 'query = $local_part' 'query = ${nosuch}' 'hosts = 127.0.0.9 : 127.0.0.1' 'hosts =' 'response_pattern = ^(\\S+)\\s+(.*)$'"$nl reroute = \$2" 'response_pattern = (' 'reroute = a b' 'protocol = bad' 'port = 0' 'redirect_router = n'; do h='hosts = 127.0.0.1'; case $o in hosts*) h=more; esac; t iplookup 'timeout = 1s' "${h/more/no_unseen}" 'port = 4567' "${o/#more/no_unseen}"; done

echo '##### redirect'
A=(ann@y.test)
mkdir $work/inc; printf 'x@h.test\n# c\n y@h.test\n' > $work/inc/a; printf ':include:%s/inc/a\nq@h.test' $work > $work/inc/b; ln -s $work/inc/a $work/inc/link; printf x@h.test > $work/sec; chmod 600 $work/sec
for o in "allow_fail$nl allow_defer$nl file_transport = f$nl pipe_transport = ap" "forbid_file$nl forbid_pipe$nl forbid_include$nl forbid_blackhole$nl file_transport = f$nl pipe_transport = ap" "skip_syntax_errors" "syntax_errors_to = bob@h.test" "allow_fail$nl allow_defer$nl forbid_smtp_code" "include_directory = $work/inc" qualify_preserve_domain; do
 for l in 'x@h.test' x 'x@h.test, y z' '\\ann' '' ':blackhole:' ':fail: no' ':fail: 550 5.1.1 coded' ':fail: 450 wrong' ':defer: 450 4.1.1 coded' ':defer: 550 wrong' ':unknown:' 'x@h.test, :fail: y' ":include:$work/inc/b" ":include:$work/none" ":include:$work/inc/link" ":include:$work/sec" ':include:rel' /var/mail/q /var/mail/q/ '|/bin/cat' '"|/bin/cat x"' 'a b' '<x@h.test' 'x@' 'X <x@h.test>' 'G: x@h.test, y@h.test;' 'x@h.test # c' 'x@[192.0.2.1]' '# Exim filter\ndeliver x@h.test' '# Sieve filter\nkeep;' '${nosuch}' '${if eq{1}{2}{x}fail}' 'ann@y.test'; do t redirect "$o" "data = $l"; done; done

echo '##### what every router has'
A=(ann@me.test pre-ann-suf@me.test Bob@me.test)
for o in 'condition = ${nosuch}' 'condition = ${if eq{1}{2}{x}fail}' 'condition = maybe' 'senders = +none' 'senders =' 'local_parts = ann' 'local_parts = ${nosuch}' 'local_part_prefix = pre-' 'local_part_prefix = *-' 'local_part_prefix =' 'local_part_suffix =' "local_part_prefix = pre- : p*-$nl local_part_suffix = -*$nl address_data = \$local_part_prefix_v/\$local_part_suffix_v$nl condition = no" check_local_user 'require_files = /etc/passwd' 'require_files = !/etc/passwd' 'require_files = +/none/x' 'require_files = none:/x' \
 'set = r_a = 1 ; r_b = $domain' 'set = r_a = ${nosuch}' 'set = x = 1' 'address_data = ${nosuch}' fail_verify fail_verify_sender no_verify verify_only no_address_test 'errors_to = ${nosuch}' 'user = none' 'group = none' 'router_home_directory = ${nosuch}' 'pass_router = none' 'redirect_router = none' "transport = none" 'self = bad'; do t accept "${o/#transport/fallback_hosts = x$nl transport}" 'transport = f' 'no_log_as_local'; done

echo '##### deliveries'
host 2; host 3
A=(x@two.d.test x@none.d.test x@fmx.d.test x@null.d.test x@self.d.test y@h.test)
for o in no_unseen no_more 'self = freeze' 'self = fail' 'cannot_route_message = no $domain' 'headers_add = ${nosuch}'; do del dnslookup 'transport = s' "$o"; done
A=(p@one.test p@two.test q@three.test)
for l in 192.0.2.2 none.test x.fail.test me.test '"h2.test : h3.test"' '<;[192.0.2.3]:25' '192.0.2.9:192.0.2.2' '${if eq{$domain}{one.test}{h2.test}{h3.test}}' '${nosuch}' '192.0.2.2 bad'; do del manualroute 'transport = s' "route_data = $l"; done
for f in decline defer fail freeze pass; do del manualroute 'transport = s' 'route_data = none.test' "host_find_failed = $f"; done
for w in 'accept transport=f' 'accept hosts=h2.test transport=s' 'fail no' 'defer later' 'freeze stop' decline; do del queryprogram "command = /bin/echo $w" 'command_user = ann'; done
for o in "allow_fail$nl allow_defer" "allow_fail$nl allow_defer$nl forbid_smtp_code" skip_syntax_errors; do for w in ':fail: 450 no' ':fail: 550 5.1.1 no' ':defer: 550 later' 'a@h.test, b c' '# Exim filter\ndeliver a@h.test'; do del redirect "data = $w" "$o"; done; done
gone 2 > /dev/null; gone 3 > /dev/null
