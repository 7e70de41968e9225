# A receiving site with a name server: lists in the DNS, names of clients, senders, rates.
zone() { cat <<'E'
$TTL 60
. SOA a. b. 1 1 1 1 60
. NS a.
a. A 127.0.0.1
2.2.0.192.bl.test. A 127.0.0.2
2.2.0.192.bl.test. TXT "two is bad"
3.2.0.192.bl.test. A 127.0.0.3
3.2.0.192.bl.test. A 127.0.0.10
3.2.0.192.bl.test. TXT "three" " is bad"
3.2.0.192.bl.test. TXT "another"
4.2.0.192.bl.test. CNAME listed.bl.test.
listed.bl.test. A 127.0.0.4
listed.bl.test. TXT "by a chain % of \" names"
5.2.0.192.bl.test. A 10.0.0.1
6.2.0.192.bl.test. A 127.255.255.254
7.2.0.192.bl.test. A 127.0.0.7
7.2.0.192.bl.test. AAAA ::7
8.2.0.192.bl.test. TXT "only text"
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test. A 127.0.0.6
bad.test.rhs.test. A 127.0.0.9
bad.test.rhs.test. TXT "bad domain $primary_hostname"
a.b.bad.test.rhs.test. A 127.0.0.9
*.wild.test. A 127.0.0.5
*.wild.test. TXT wild
2.2.0.192.txt.test. TXT "elsewhere"
2.2.0.192.six.test. AAAA 2001:db8::2
2.2.0.192.loop.test. CNAME 2.2.0.192.loop.test.
cc39bdd9a9.mail.test. A 127.0.0.8
sub.fail.test. A 127.0.0.1
; names of clients
2.2.0.192.in-addr.arpa. PTR good.name.test.
good.name.test. A 192.0.2.2
3.2.0.192.in-addr.arpa. PTR mism.name.test.
mism.name.test. A 192.0.2.33
4.2.0.192.in-addr.arpa. PTR gone.name.test.
5.2.0.192.in-addr.arpa. PTR x.fail.test.
6.2.0.192.in-addr.arpa. PTR x.fail.test.
6.2.0.192.in-addr.arpa. PTR good6.name.test.
good6.name.test. A 192.0.2.6
good6.name.test. A 192.0.2.60
7.2.0.192.in-addr.arpa. PTR Mixed.Case.Test.
mixed.case.test. A 192.0.2.7
8.2.0.192.in-addr.arpa. PTR many1.name.test.
8.2.0.192.in-addr.arpa. PTR many2.name.test.
many1.name.test. A 192.0.2.8
many2.name.test. A 192.0.2.8
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR six.name.test.
six.name.test. AAAA 2001:db8::1
; senders
mx.send.test. MX 10 good.name.test.
nomx.send.test. A 192.0.2.9
null.send.test. MX 0 .
nulltwo.send.test. MX 0 .
nulltwo.send.test. MX 5 good.name.test.
gone.send.test. MX 10 nowhere.send.test.
half.send.test. MX 10 nowhere.send.test.
half.send.test. MX 20 good.name.test.
failmx.send.test. MX 10 mx.fail.test.
failmx2.send.test. MX 10 mx.fail.test.
failmx2.send.test. MX 20 good.name.test.
cn.send.test. CNAME mx.send.test.
cn2.send.test. CNAME cn.send.test.
cnx.send.test. CNAME nothing.send.test.
cnloop.send.test. CNAME cnloop2.send.test.
cnloop2.send.test. CNAME cnloop.send.test.
cnfail.send.test. CNAME x.fail.test.
local.send.test. MX 5 localhost.
localhost. A 127.0.0.1
ip.send.test. MX 5 192.0.2.2.
mxcn.send.test. MX 5 al.send.test.
al.send.test. CNAME good.name.test.
six.send.test. AAAA 2001:db8::9
mxsix.send.test. MX 5 six.name.test.
txt.send.test. TXT "no address"
self.send.test. MX 5 me.test.
self2.send.test. MX 5 good.name.test.
self2.send.test. MX 5 me.test.
self3.send.test. MX 5 good.name.test.
self3.send.test. MX 9 me.test.
me.test. A 192.0.2.1
zero.send.test. A 0.0.0.0
_smtp._tcp.srv.send.test. SRV 1 2 25 good.name.test.
_smtp._tcp.srvno.send.test. SRV 0 0 0 .
und_er.send.test. A 192.0.2.9
-dash.send.test. A 192.0.2.9
*.star.test. MX 1 good.name.test.
; lookups
multi.look.test. A 192.0.2.1
multi.look.test. A 192.0.2.2
multi.look.test. AAAA 2001:db8::1
multi.look.test. TXT "a b" "c:d"
multi.look.test. TXT "second"
multi.look.test. MX 5 one.look.test.
multi.look.test. MX 5 two.look.test.
multi.look.test. MX 1 three.look.test.
multi.look.test. SPF "v=spf1 -all"
multi.look.test. NS ns.look.test.
ns.look.test. A 127.0.0.1
multi.look.test. TLSA 3 1 1 0102030405060708010203040506070801020304050607080102030405060708
srv.look.test. SRV 1 2 3 host.look.test.
srv.look.test. SRV 0 0 0 .
cn.look.test. CNAME multi.look.test.
E
}
name_server() { dns < <(zone)
 # A domain whose server fails.
 kill $(cat $work/nsd/pid); sleep 0.3
 printf 'zone:\n name: "fail.test"\n zonefile: "missing"\n' >> $work/nsd/nsd.conf
 nsd -c $work/nsd/nsd.conf -d & sleep 0.7; }
name_server
# Statements, each for a recipient of its name.
lists() { local n=0 one; for one; do n=$((n+1)); cat <<E
 deny local_parts = l$n
  dnslists = $one
  message = $n: d=\$dnslist_domain v=\$dnslist_value m=\$dnslist_matched t=\$dnslist_text
  log_message = listed in \$dnslist_domain
E
done; echo "$n" > count; }
conf <<E
acl_smtp_rcpt = rcpt
acl_smtp_connect = conn
host_lookup =
tls_advertise_hosts =
$OPTIONS
begin acl
conn:
 warn dnslists = bl.test=127.0.0.10 : wild.test
  set acl_c_l = \$dnslist_domain/\$dnslist_value/\$dnslist_matched/\$dnslist_text
 warn dnslists = nothing.test
 accept logwrite = c: \$acl_c_l now \$dnslist_domain \$dnslist_value
rcpt:
$(lists bl.test 'bl.test : wild.test' 'nothing.test:wild.test' 'bl.test=127.0.0.2,127.0.0.10' 'bl.test==127.0.0.3,127.0.0.10' 'bl.test==127.0.0.3' \
 'bl.test!=127.0.0.3' 'bl.test!==127.0.0.3' 'bl.test!==127.0.0.3,127.0.0.10' 'bl.test&0.0.0.2' 'bl.test=&0.0.0.2' 'bl.test!&0.0.0.8' 'bl.test!=&0.0.0.2' 'bl.test&0.0.0.1,0.0.0.8' \
 'bl.test/$sender_host_address' 'bl.test/192.0.2.2' 'bl.test/<|192.0.2.9|192.0.2.3' 'rhs.test/$sender_address_domain' 'rhs.test/a.b.bad.test' 'bl.test=127.0.0.3/192.0.2.3' \
 '<+ bl.test/2001:db8::1' '<+ bl.test/<;2001:db8::9;2001:db8::1 + wild.test' 'mail.test/cc39bdd9a9' 'txt.test,bl.test' 'bl.test,txt.test' 'bl.test,txt.test=127.0.0.2' 'bl.test=127.0.0.2,txt.test' \
 'six.test' 'fail.test' 'fail.test : bl.test' '+include_unknown : fail.test' '+include_unknown : bl.test : fail.test' '+exclude_unknown : fail.test : bl.test' '+defer_unknown : fail.test : bl.test' 'bl.test : +defer_unknown : fail.test' \
 '+defer_unknown : +include_unknown : fail.test' 'bl.test,fail.test' 'fail.test,bl.test' 'loop.test' 'bl.test/' 'bl.test/ 192.0.2.2' 'bl.test / 192.0.2.2' 'bl.test/x@y' 'bl.test/.x.' '.bl.test' 'bl.test.' 'bl.test=' 'bl.test=x' 'bl.test&' 'bl.test=127.0.0.0/8' \
 '<; bl.test ; wild.test' '<; bl.test=127.0.0.2;txt.test/192.0.2.2' 'bl.test=127.0.0.2;txt.test/192.0.2.2' 'bl.test==127.0.0.2 : wild.test=127.0.0.5' 'bl.test=127.0.0.2\,127.0.0.3' 'bl.test:bl.test=127.0.0.9' 'bl.test=127.0.0.9:bl.test' '+unknown : bl.test' 'wild.test/$sender_helo_name' 'bl_x.test' '' ':' 'wild.test&255.0.0.0' 'wild.test=&255.0.0.1,0.0.0.4' 'bl.test=127.0.0.2/<,192.0.2.9,192.0.2.2' 'bl.test/192.0.2.2/x' 'rhs.test/<|bad.test:x|bad.test' \
 '${if eq{1}{1}{bl.test}}' '${if eq{1}{2}{bl.test}}' 'bl.test=fail' '${if eq{1}{2}{bl.test}fail}' '${nosuch:bl}')
 accept message = no: d=\$dnslist_domain v=\$dnslist_value m=\$dnslist_matched t=\$dnslist_text
E
said() { printf "EHLO ${1:-h.test}\nMAIL FROM:<a@${2:-bad.test}>\n"; for n in $(seq $(cat count)); do echo "RCPT TO:<l$n@me.test>"; done; echo QUIT; }
for a in 2 3 4 5 6 7 8 66; do echo "##### -bh $a"; said | $exim -bh 192.0.2.$a 2>$work/err; cat $work/err; done
echo "##### -bh six"; said | $exim -bh 2001:db8::1 2>$work/err; cat $work/err
logs
# The sender's domain, of all kinds, and the client's name.
conf <<E
acl_smtp_connect = conn
acl_smtp_helo = helo
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
tls_advertise_hosts =
log_selector = +all_parents +sender_verify_fail +smtp_connection -pid
$OPTIONS
begin acl
conn:
 accept logwrite = conn n=\$sender_host_name f=\$host_lookup_failed d=\$host_lookup_deferred full=\$sender_fullhost
helo:
 accept logwrite = helo n=\$sender_host_name f=\$host_lookup_failed d=\$host_lookup_deferred v=\$sender_helo_verified full=\$sender_fullhost ident=\$sender_rcvhost
mail:
 warn !verify = sender
  logwrite = sender failed: \$sender_verify_failure / \$acl_verify_message
 warn !verify = sender/defer_ok
  logwrite = sender failed, though deferred is ok: \$acl_verify_message
 accept
rcpt:
 warn verify = reverse_host_lookup
  logwrite = reverse ok \$sender_host_name
 warn !verify = reverse_host_lookup/defer_ok
  logwrite = reverse wrong \$sender_host_name: \$acl_verify_message
 warn !verify = helo
  logwrite = helo wrong
 warn hosts = *.name.test
  logwrite = in name.test
 deny local_parts = rev
  !verify = reverse_host_lookup
 deny local_parts = helo
  !verify = helo
 deny local_parts = named
  hosts = *.name.test
 deny local_parts = inv
  hosts = +include_unknown : *.gone.test
 defer local_parts = snd
  !verify = sender/no_details
 deny local_parts = sdet
  !verify = sender
 accept verify = sender=\$sender_address
  logwrite = accepted with \$sender_host_name
 deny message = last
begin routers
d:
 driver = dnslookup
 domains = ! me.test
 transport = s
 ignore_target_hosts = <; 0.0.0.0 ; 127.0.0.0/8
 srv_smtp = 
 check_srv = \${if match{\$domain}{^srv}{smtp}}
 $ROUTER
 no_more
l:
 driver = accept
 local_parts = rev:helo:named:inv:snd:sdet:x
 transport = s
begin transports
s:
 driver = smtp
E
sed -i '/^ srv_smtp/d' /etc/exim4/exim4.conf
kinds='mx nomx null nulltwo gone half failmx failmx2 cn cn2 cnx cnloop cnfail local ip mxcn six mxsix txt self self2 self3 zero srv srvno und_er -dash none'
daemon
for d in $kinds; do echo "##### sender $d"; printf "EHLO h\nMAIL FROM:<x@$d.send.test>\nRCPT TO:<x@me.test>\nRCPT TO:<snd@me.test>\nRCPT TO:<sdet@me.test>\nRCPT TO:<rev@me.test>\nQUIT\n" | say; logs; x -bt x@$d.send.test; x -bv x@$d.send.test; x -bvs x@$d.send.test; done
for d in fail.test star.test a.star.test test '[192.0.2.2]' '[IPv6:2001:db8::1]' x..y 'a.b.' localhost nosuch; do echo "##### sender $d"; printf "EHLO h\nMAIL FROM:<x@$d>\nRCPT TO:<x@me.test>\nRCPT TO:<sdet@me.test>\nQUIT\n" | say; logs;  x -bt x@$d; done
for a in 2 3 4 5 6 7 8 9; do for h in good.name.test h "[192.0.2.$a]" "[192.0.2.1]" mism.name.test Mixed.case.test many2.name.test x.fail.test me.test localhost 192.0.2.$a; do echo "##### host $a $h"; printf "EHLO $h\nMAIL FROM:<x@mx.send.test>\nRCPT TO:<x@me.test>\nRCPT TO:<rev@me.test>\nRCPT TO:<helo@me.test>\nRCPT TO:<named@me.test>\nRCPT TO:<inv@me.test>\nQUIT\n" | $exim -bs -oMa 192.0.2.$a 2>&1; logs; done;  done
stop
# Look-ups of all types.
conf </dev/null
n=multi.look.test
e() { for q; do echo "--- $q"; $exim -be "\${lookup dnsdb{$q}{<\$value>}{no}}" 2>&1; done; }
e $n a=$n aaaa=$n a+=$n txt=$n mx=$n mxh=$n ns=$n spf=$n tlsa=$n soa=$n zns=$n zns=x.y.$n srv=srv.look.test ptr=192.0.2.2 ptr=2001:db8::1 csa=$n cname=cn.look.test cname=$n a=cn.look.test mx=cn.look.test txt=cn.look.test \
 ">; a=$n" ">| txt=$n" ">, mx=$n" ">;mx=$n" ">  a=$n" "> a=$n" ">x a=$n" ">\\n a=$n" ">/ txt=$n" ">:; txt=$n" ">;, txt=$n" ">;; txt=$n" ">:, mx=$n" ">\n, spf=$n" ">x; tlsa=$n" ">x, srv=srv.look.test" ">, soa=$n" ">:: soa=test" \
 "a=$n:srv.look.test" "a=<;$n;cn.look.test" "a=none.test:$n" "a=x.fail.test:$n" "a=$n:x.fail.test" "defer_strict,a=$n:x.fail.test" "defer_never,a=x.fail.test" "defer_lax,a=x.fail.test" "defer_strict,a=x.fail.test" "defer_x,a=$n" "dnssec_strict,a=$n" "dnssec_lax,a=$n" "dnssec_never,a=$n" "retrans_1s,a=$n" "retrans_1s,retry_1,a=x.fail.test" "retry_x,a=$n" "defer_never,dnssec_lax,>; a=$n" ">; defer_never,a=$n" "strict,a=$n" \
 A=$n " a = $n " "x=$n" "a=" "a" "" "a=$n." "a=.$n" "a=a..b" "a=und_er.send.test" "txt=2.2.0.192.bl.test" "txt=3.2.0.192.bl.test" "ptr=8.2.0.192" "ptr=8.2.0.192.in-addr.arpa" "ptr=192.0.2.300" "a=192.0.2.1" "mx=null.send.test" "mxh=null.send.test" "srv=_smtp._tcp.srvno.send.test" "any=$n" "a=cnloop.send.test" "a=cnx.send.test" "a=cnfail.send.test" "mx=cnfail.send.test" "zns=fail.test" "zns=nosuch.zone" "a+=none" "a+=srv.look.test" "aaaa=a.b.wild.test" "txt=listed.bl.test" "ns=." "soa=." "zns=."
x -be '${lookup dnsdb{a=nothing.test}{y}fail}' '${lookup dnsdb{a=x.fail.test}{y}fail}' '${lookup dnsdb{a=x.fail.test}{y}{n}}' '${if exists{/}{${lookup dnsdb{>: mxh=multi.look.test}}}}' '${lookup{multi.look.test}dnsdb}' '${lookup{mx=multi.look.test}dnsdb{$value}}'
conf <<E
domainlist a = dnsdb;a=\$domain
domainlist b = dnsdb;mx=\${domain}
begin routers
r:
 driver = redirect
 domains = +b
 data = :blackhole: \$domain_data
s:
 driver = redirect
 domains = +a
 data = :fail: \$domain_data
E
for d in mx.send.test nomx.send.test x.fail.test none failmx.send.test; do x -bt x@$d; done
# Names that clients give, which must or should be right.
c() { conf <<E
acl_smtp_rcpt = r
acl_smtp_helo = h
$1
begin acl
h:
 accept logwrite = helo \$sender_helo_name v=\$sender_helo_verified n=\$sender_host_name f=\$host_lookup_failed d=\$host_lookup_deferred
r:
 accept logwrite = rcpt v=\$sender_helo_verified n=\$sender_host_name
E
for a in 2 3 4 5 6 7 8 9; do for h in good.name.test GOOD.name.test. h "[192.0.2.$a]" "[192.0.2.1]" mism.name.test gone.name.test many2.name.test x.fail.test me.test localhost 192.0.2.$a '[]' '' und_er a..b; do echo "##### $a $h"; printf "EHLO $h\nMAIL FROM:<>\nRCPT TO:<x@me.test>\nHELO good.name.test\nMAIL FROM:<>\nRCPT TO:<x@me.test>\nQUIT\n" | $exim -bs -oMa 192.0.2.$a 2>&1 | grep -v ^250-; logs; done; done
for h in good.name.test mism.name.test nothing x.fail.test; do for a in 2 5; do printf "EHLO $h\nMAIL FROM:<>\nRCPT TO:<x@me.test>\nQUIT\n" | $exim -bh 192.0.2.$a 2>&1; done; done; }
for o in 'helo_verify_hosts = *' 'helo_try_verify_hosts = *' 'helo_verify_hosts = *.name.test' 'helo_lookup_domains = @:@[]:good.name.test:x.fail.test' 'host_reject_connection = *.name.test
message_size_limit = 10' 'helo_verify_hosts = !192.0.2.3 : good.name.test' 'host_reject_connection = +include_defer : *.gone.test : 192.0.2.9' 'host_lookup = 192.0.2.0/28
host_lookup_order = bydns
hosts_connection_nolog = *.name.test
log_selector = +smtp_connection'; do echo "######## $o"; c "$o"; done
