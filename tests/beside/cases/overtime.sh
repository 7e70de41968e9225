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
# A message over time: over MAIN ROUTER TRANSPORT RECIPIENTS STEPS.
over() { echo "##### ${1} // $2 // $3 // $4 // ${RULES//$'\n'/;} $NOTE"; begin; site "$1" "$2" "$3"; local s; put -odf ${FROM:--f ann@me.test} $4; met; show
 for s in $5; do case $s in odq) put -odq ${FROM:--f ann@me.test} $4;; put) put -odf ${FROM:--f ann@me.test} $4;; -*) x ${s//,/ };; zone*) $s;; hosts*) off; $s;; *) later $s; x -q;; esac; met; show; done; end; }
N=x
. /tmp/overtime.part
