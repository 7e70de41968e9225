# Queues over hours and days with a name server and many next hosts: who is tried in each run, what is remembered, and how it ends.
export FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1
touch /etc/ld.so.preload /etc/faketimerc; : > rc; ls /usr/lib/*/faketime/libfaketime.so.1 > preload
mount --bind rc /etc/faketimerc; mount --bind preload /etc/ld.so.preload
trap 'for f in /etc/ld.so.preload /etc/faketimerc; do umount $f; [ -s $f ] || rm -f $f; done' EXIT
OFF=0
at() { OFF=$(($(date -d "$1" +%s) - $(date +%s) + OFF)); echo "+$OFF" > /etc/faketimerc; }
later() { OFF=$((OFF + $1)); echo "+$OFF" > /etc/faketimerc; echo "later $1"; }
begin() { at '2027-03-01 10:00:00'; rm -rf $S/db/* $S/input/* $S/msglog/* /var/mail/* $LOG/*; }
min() { sed -E 's/\b(20[0-9]{2}-[0-9]{2}-[0-9]{2}) ([0-9]{2}):([0-9]{2}):[0-9]{2}/\1_\2.\3/g; s/\b([0-9]{1,2}-[A-Z][a-z]{2}-20[0-9]{2}) ([0-9]{2}):([0-9]{2}):[0-9]{2}/\1_\2.\3/g; s/, ( ?[0-9]+ [A-Z][a-z]{2} [0-9]{4}) ([0-9]{2}):([0-9]{2}):[0-9]{2} \+0000/_\1_\2.\3/g; s/E1[0-9A-Za-z]{5}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}@/EID@/g; s/-22 [01] /-22 0 /; s/-22 [0-9]{4,} /-22 NN /'; }
db() { { if cmp -s $exim /usr/sbin/exim4; then exim_dumpdb $S ${1:-retry}; else ( exec -a exim_dumpdb $exim $S ${1:-retry} ); fi; } 2>/dev/null | grep -v '^\*\*' | min | case ${1:-retry} in retry) paste -d'\001' - - | sort | tr '\001' '\n';; *) sort;; esac; }
ENV='add_environment = FAKETIME_DONT_FAKE_MONOTONIC=1:NO_FAKE_STAT=1'

# A name server whose zone may change: lines of NAME TYPE DATA, where DATA may be SERVFAIL, REFUSED or NXDOMAIN.
cat > ns.py <<'P'
import socket,struct,sys
T={'A':1,'NS':2,'CNAME':5,'SOA':6,'MX':15,'TXT':16,'AAAA':28,'SRV':33,'TLSA':52}
def nm(s): return b''.join(bytes([len(l)])+l.encode() for l in s.strip('.').split('.') if l)+b'\0'
def rd(t,d):
    p=d.split()
    if t=='A': return socket.inet_aton(d)
    if t=='AAAA': return socket.inet_pton(socket.AF_INET6,d)
    if t=='MX': return struct.pack('>H',int(p[0]))+nm(p[1])
    if t=='SRV': return struct.pack('>HHH',*map(int,p[:3]))+nm(p[3])
    return nm(d)
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(('127.0.0.1',53)); open('ns.up','w')
R={'SERVFAIL':2,'NXDOMAIN':3,'REFUSED':5}
while True:
    q,a=s.recvfrom(4096); n=[]; i=12
    while q[i]: n.append(q[i+1:i+1+q[i]].decode()); i+=1+q[i]
    name='.'.join(n).lower(); t=struct.unpack('>H',q[i+1:i+3])[0]; question=q[12:i+5]
    z=[l.split(None,2) for l in open('zone') if l.strip()]; z=[(x[0],x[1],x[2].strip()) for x in z]
    rc,ans=0,[]
    for _ in range(5):
        bad=[x for x in z if x[0]==name and x[2] in R and (x[1]=='*' or T.get(x[1])==t)]
        if bad: rc=R[bad[0][2]]; break
        mine=[x for x in z if x[0]==name and x[2] not in R]
        if not mine and not any(x[0].endswith('.'+name) for x in z): rc=3; break
        got=[x for x in mine if T[x[1]]==t]
        ans+=[nm(name)+struct.pack('>HHIH',T[x[1]],1,60,len(rd(x[1],x[2])))+rd(x[1],x[2]) for x in got]
        c=[x for x in mine if x[1]=='CNAME']
        if got or not c: break
        d=rd('CNAME',c[0][2]); ans.append(nm(name)+struct.pack('>HHIH',5,1,60,len(d))+d); name=c[0][2].strip('.')
    auth=b''
    if not ans and rc in (0,3): d=nm('ns.test')+nm('h.test')+struct.pack('>IIIII',1,2,3,4,5); auth=b'\0'+struct.pack('>HHIH',6,1,5,len(d))+d
    s.sendto(q[:2]+struct.pack('>HHHHH',0x8580|rc,1,len(ans),1 if auth else 0,0)+question+b''.join(ans)+auth,a)
P
zone() { cat > zone; }
: > zone; python3 ns.py & until [ -e ns.up ]; do sleep 0.02; done
echo 'nameserver 127.0.0.1' > $work/resolv.conf; mount --bind $work/resolv.conf /etc/resolv.conf
base() { for n in $(seq 2 30); do echo "h$n.test A 192.0.2.$n"; done; echo 'me.test A 192.0.2.1'; cat; }
# Main, dnslookup, transport, rules, with ~ between lines.
site() { local m=${1//'~'/$'\n'} r=${2//'~'/$'\n'} t=${3//'~'/$'\n'} ; conf <<E
qualify_domain = me.test
acl_smtp_rcpt = accept
host_lookup =
tls_advertise_hosts =
log_selector = +retry_defer -pid
queue_run_in_order
remote_max_parallel = 1
dns_dnssec_ok = 0
$ENV
$m
begin routers
z:
 driver = redirect
 domains = z.test
 allow_defer
 allow_fail
 allow_freeze
 ${Z:-data = :defer: not now}
${FIRST:-}
m:
 ${DR:-driver = dnslookup}
 domains = ! me.test
 transport = s
 $r
l:
 driver = accept
 domains = me.test
 local_parts = ann:bob:cat:root
 transport = l
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 hosts_pipe_connect =
 connect_timeout = 1s
 command_timeout = 1s
 data_timeout = 1s
 final_timeout = 1s
 $t
l:
 ${L:-driver = appendfile
 file = /var/mail/\$local_part_data}
 user = ann
begin retry
${RULES:-* * F,2h,1h; F,6h,2h}
E
}
put() { msg "p$((++P))" "$SUBJECT" | $exim -oi "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; }
said() { sleep 0.1; logs | grep -v '^=== main\|queue run:' | min | sort -s -k2,2; }
show() { said; db; [ "${WAITS:-}" ] && db wait-s; x -bp | min; }
end() { ids | xargs -r $exim -Mrm >/dev/null 2>&1; logs >/dev/null; boxes | min | grep -v '^Received\|^Message-I\|^Date:\|^$'; }
# Who said what: hosts HOST:WHAT=ANSWER;... until off.
UP=
hosts() { local h; UP=; for h in "$@"; do local n=${h%%:*}; IFS=';' read -ra w <<< "${h#*:}"; [ "$h" = "$n" ] && w=(); host $n "${w[@]}"; UP="$UP $n"; done; }
off() { local h; for h in $UP; do eval "kill \$H$h; wait \$H$h 2>/dev/null"; rm -f host.$h; done; UP=; }
met() { local h; for h in $UP; do [ -s host.$h ] && { echo "h$h: $(grep -ac '< EHLO\|< HELO' host.$h) $(grep -a '^[0-9]*< \(MAIL\|RCPT\)\|> [45]' host.$h | sed 's/^[0-9]*//' | tr '\n' '|')"; : > host.$h; }; done; }
# A message over time: over MAIN ROUTER TRANSPORT RECIPIENTS STEPS, where a step is so many seconds and a run of the queue,
# options (with commas), another message (put, or odq), or a word that changes the zone.
over() { echo "##### ${1} // $2 // $3 // $4 // ${RULES//$'\n'/;} $NOTE"; begin; site "$1" "$2" "$3"; local s; put -odf ${FROM:--f ann@me.test} $4; met; show
 for s in $5; do case $s in odq) put -odq ${FROM:--f ann@me.test} $4;; put) put -odf ${FROM:--f ann@me.test} $4;; -*) x ${s//,/ };; zone*) $s;; hosts*) off; $s;; *) later $s; x -q;; esac; met; show; done; end; }

names() { base <<'Z' | zone
one.test MX 1 h3.test
dead.test MX 1 h25.test
deada.test A 192.0.2.25
dead2.test MX 1 h25.test
two.test MX 1 h3.test
two.test MX 2 h5.test
two2.test MX 1 h25.test
two2.test MX 2 h3.test
three.test MX 1 h25.test
three.test MX 2 h26.test
three.test MX 3 h6.test
six.test MX 1 h25.test
six.test MX 2 h3.test
six.test MX 3 h4.test
six.test MX 4 h26.test
six.test MX 5 h5.test
six.test MX 6 h6.test
again.test MX SERVFAIL
none.test MX 1 nx.test
ign.test MX 1 h3.test
ign.test MX 2 h7.test
self.test MX 1 me.test
_smtp._tcp.sv.test SRV 1 1 25 h25.test
_smtp._tcp.sv.test SRV 2 1 2525 h3.test
_smtp._tcp.sv.test SRV 3 0 25 h3.test
_smtp._tcp.sa.test * SERVFAIL
sa.test MX 1 h3.test
_smtp._tcp.sd.test SRV 0 0 0 .
sd.test MX 1 h3.test
Z
}

# Hosts that fail in different ways, until the time for all is over.
names
B='3660 7260 10860 put -q' G='* rcpt_4xx F,1h,20m
* * F,9h,4h'
hosts '3:rcpt=451 grey' '4:conn=421 busy' '5:mail=450 no' '6:rcpt=451 six'
over '' '' '' 'x@two.test y@two.test' "$B"
over '' '' 'max_rcpt = 1' 'x@two.test y@two.test' "$B"
over '' '' 'hosts_max_try = 2' 'x@six.test y@six.test' "$B"
over '' '' 'max_rcpt = 1' 'x@two2.test y@two2.test z@one.test' "$B"
over '' '' 'fallback_hosts = 192.0.2.6:192.0.2.27' 'x@two2.test y@two2.test' "$B"
RULES=$G over '' '' '' 'x@two2.test y@two2.test' '3660 put -q'
over '' '' '' 'z@three.test y@dead2.test' 20000
off
for a in 'rcpt:y@two.test=451 g' 'rcpt:x@two.test=550 n;rcpt:y@two.test=451 g'; do hosts "3:$a" '5:mail=450 no'; NOTE=$a RULES=$G over '' '' '' 'x@two.test y@two.test w@two.test' '3660 put'; off; done

# Messages that come when all hope is gone, and wait for a run of the queue.
hosts '3:rcpt=451 grey' '5:mail=450 no'
T='3660 7260 10860 odq odq -q 60 -q'
over '' '' '' 'x@one.test y@one.test' "$T"
over '' '' '' 'x@two.test' '3660 7260 10860 odq -qq -q -R,two.test -Rf,two.test -qi 7300'
over '' '' 'address_retry_include_sender = false' 'x@two.test' "$T"
Z='data = :defer: not
 retry_use_local_part' over '' '' '' 'u@z.test v@z.test' "$T"
over '' '' '' 'u@z.test v@again.test x@dead.test' "$T"
L='driver = appendfile
 file = /none/$local_part_data' over '' '' '' 'ann@me.test' "$T"
off

# A name server that can't answer, and can later.
hosts 3
zoneno() { base <<Z | zone
again.test MX SERVFAIL
againa.test MX 1 a1.test
againa.test MX 2 h25.test
a1.test A SERVFAIL
againb.test MX 1 a1.test
againb.test MX 2 h3.test
againc.test MX SERVFAIL
againc.test A 192.0.2.3
only.test A SERVFAIL
ref.test MX REFUSED
Z
}
zoneok() { base <<Z | zone
again.test MX 1 h3.test
againa.test MX 1 a1.test
againa.test MX 2 h25.test
a1.test A 192.0.2.3
againb.test MX 1 a1.test
againc.test MX 1 h3.test
only.test A 192.0.2.3
Z
}
for a in '' 'dns_again_means_nonexist = *' 'dns_again_means_nonexist = a1.test'; do zoneno; over "$a" '' '' 'x@again.test y@againa.test z@againb.test w@againc.test o@only.test q@ref.test' '3660 10860 10860 put zoneok -qf'; done
zoneno; over '' 'pass_on_timeout' '' 'x@again.test y@againa.test' 3660
off

# Rules by error, and what routers leave out.
names; hosts '3:rcpt=450 grey' '5:mail=450 no' '6:end=450 x' '7:conn=-'
for f in ann bob; do FROM="-f $f@me.test" RULES='* refused_MX F,9h,12m
* refused_A F,9h,13m
* lookup F,9h,16m
* lost_connection F,9h,17m
* rcpt_450 F,9h,18m
* mail_4xx F,9h,19m
* data_4xx F,9h,21m
* * senders=bob@me.test F,9h,31m
* * F,9h,32m' over '' '' '' 'a@dead.test b@deada.test c@again.test d@two.test e@three.test f@ign.test g@none.test h@self.test' '900'; done
for i in 'ignore_target_hosts = 192.0.2.3' 'ignore_target_hosts = 192.0.2.0/24' 'mx_fail_domains = *~ignore_target_hosts = 192.0.2.25' 'fail_defer_domains = *' 'mx_domains = *' 'self = defer'; do over '' "$i" '' 'f@ign.test a@dead.test b@deada.test g@none.test n@nx.test s@self.test' '3660 -q'; done
over '' 'check_srv = smtp' '' 'x@sv.test y@sa.test z@sd.test' '3660 7260 10860 put'
over '' 'check_srv = smtp~srv_fail_domains = *' '' 'y@sa.test z@sd.test' 3660
for t in 'fallback_hosts = h6.test:h25.test' 'fallback_hosts = h3.test~hosts_max_try = 1'; do over '' '' "$t" 'a@dead.test d@two.test e@three.test' '3660 7260 10860 put'; done

# Mail that is kept back, left out, or delivered to nobody.
for m in '' 'hold_domains = one.test' 'queue_domains = one.test' 'queue_smtp_domains = one.test'; do over "$m" '' '' 'a@one.test ann@me.test u@z.test' '3660 -qf -qfl -q -R,one -Rff,one 30000'; done
FROM='-N -f ann@me.test' over '' '' '' 'u@z.test a@one.test c@again.test' 3660
off
for d in SUCCESS,DELAY NEVER FAILURE DELAY; do hosts '3:rcpt=450 grey'; echo "##### dsn $d"; begin; site 'delay_warning = 1h:3h~dsn_advertise_hosts = *'; printf "EHLO h\nMAIL FROM:<ann@me.test> RET=HDRS ENVID=e1\nRCPT TO:<a@one.test> NOTIFY=$d ORCPT=rfc822;o@x\nRCPT TO:<c@again.test> NOTIFY=$d\nRCPT TO:<b@dead.test>\nDATA\nSubject: x\n\nb\n.\nQUIT\n" | $exim -odf -bs; show; for n in 3660 7260 10860 40000; do later $n; x -q; said; boxes | min | grep -v '^Received\|^Message-I\|^Date\|^$'; done; end; off; done

# Bounces in the words of a file.
bf() { echo "##### bounce $1 // $2"; begin; Z=${3:-data = :fail: no \$local_part} site "$2~bounce_message_file = /etc/exim4/$1"; put -odf -f ann@me.test x@z.test y@z.test; said; boxes | min | grep -v '^Received\|^Message-I\|^$\|^Date'; end >/dev/null; }
printf 'Subject: gone $bounce_recipient $message_exim_id\nX-Y: $h_subject:\n****\ntop $bounce_recipient to\n****\nexplain\n****\ncopy\n****\ncut $bounce_return_size_limit\n****\nleft out\n****\nlast\n****\nmore\n' > /etc/exim4/b1
printf 'Subject: ${bad}\n****\n${bad}\n****\n${if eq{1}{2}{x}fail}\n****\n${bad}\n****\n${bad}\n****\n\n' > /etc/exim4/b2
printf '****\n****\n****\n****\n****\n****\n' > /etc/exim4/b3; : > /etc/exim4/b4
printf 'not a header\nFrom: me <x@y>\n****\r\ntop\n**** \nthird\n*****\nx\n****x\nend' > /etc/exim4/b5
printf 'Subject: a\n b\n\nX: 1\n****\n' > /etc/exim4/b6; printf 'no end' > /etc/exim4/b7; printf '****\ntop' > /etc/exim4/b8
mkdir /etc/exim4/bd; printf 'Subject: s\n****\nx\n' > /etc/exim4/b9; chmod 0 /etc/exim4/b9
for f in b1 b2 b3 b4 b5 b6 b7 b8 b9 bd none; do bf $f; done
for o in 'bounce_return_body = false' 'bounce_return_size_limit = 10' 'bounce_return_linesize_limit = 5' 'errors_copy = ann@me.test bob@me.test, cat@me.test' 'errors_copy = *@me.test ${if eq{$local_part}{ann}{bob@me.test}fail}:* cat@me.test' 'errors_copy = ${bad' 'errors_copy = *@me.test ${bad}' 'errors_copy = bad' 'errors_copy =' 'errors_reply_to = bob@me.test' 'errors_reply_to = "B <x@y>", z@y' 'errors_reply_to =' 'errors_reply_to = ${bad}' 'dsn_from = X <$primary_hostname@x>' 'dsn_from =' 'dsn_from = ${bad}' 'bounce_sender_authentication = x@y'; do bf b1 "$o"; done
for v in 'bounce_message_file =' 'bounce_message_file = rel' 'bounce_message_file = ${bad}' 'bounce_message_file = ${if eq{1}{2}{x}}'; do echo "##### $v"; begin; Z='data = :fail: no' site "$v"; put -odf -f ann@me.test x@z.test; said; boxes | grep '^Subject\|^top\|^copy\|^This'; end >/dev/null; done

# Many at one mailbox, and several who run the queue.
for l in 'driver = appendfile
 file = /var/mail/$local_part_data
 lock_retries = 10
 lock_interval = 1s' 'driver = appendfile
 file = /var/mail/$local_part_data
 use_fcntl_lock = false' 'driver = appendfile
 directory = /var/mail/$local_part_data.d
 maildir_format'; do echo "##### ${l//$'\n'/;}"; begin; L=$l site; for i in $(seq 12); do put -odf -f cat@me.test ann@me.test bob@me.test & w[$i]=$!; done; wait "${w[@]}"; grep -c ' => ' $LOG/mainlog; grep -c ' == ' $LOG/mainlog; x -bpc; find /var/mail -type f | xargs cat | grep -c '^body of'; find /var/mail -name '*.lock'; rm -rf /var/mail/*; end > /dev/null; done
echo "##### runners"; begin; site; hosts 3; for i in $(seq 8); do put -odq -f ann@me.test x$i@one.test; done; for i in 1 2 3; do $exim -q & w[$i]=$!; done; wait "${w[@]:1:3}"; x -q; logs | grep -c "=> "; grep -ac "< RCPT" host.3; x -bpc; off

# Hints are shown whatever is wrong in the configuration.
echo '##### tools'; begin; site; put -odf x@dead.test; printf 'begin routers\nr:\n nosuch = 1\n' | conf; : > $LOG/mainlog; db; logs
