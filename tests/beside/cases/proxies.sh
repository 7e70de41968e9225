# Connections by proxies: those that come with the PROXY protocol, and those that go by SOCKS5.
cat > $work/px.py <<'P'
import socket,sys,time,codecs
# px.py FROM PIECE...: sends pieces, reads what comes, then says SMTP
src=sys.argv[1]; s=socket.socket(); s.bind((src,0)); s.settimeout(6); s.connect(('127.0.0.1',25))
def piece(p):
    if p.startswith('v2:'):
        _,c,f,n,b=p.split(':',4); b=bytes.fromhex(b.replace(' ',''))
        return b'\r\n\r\n\0\r\nQUIT\n'+bytes.fromhex(c+f)+(int(n) if n else len(b)).to_bytes(2,'big')+b
    return codecs.decode(p,'unicode_escape').encode('latin1')
lines=sys.stdin.read().split('\n')[:-1]
for p in sys.argv[2:]:
    if p=='shut': s.shutdown(socket.SHUT_WR); continue
    try: s.sendall(piece(p))
    except OSError: pass
    time.sleep(0.15)
f=s.makefile('rb')
def ans():
    try:
        while True:
            l=f.readline()
            if not l: print('(closed)'); return False
            print('  '+l.decode('latin1').rstrip())
            if l[3:4]!=b'-': return l[:3].decode()
    except Exception as e: print('('+type(e).__name__+')'); return False
if ans():
    skip=False
    for l in lines:
        if skip: skip=l!='.'; continue
        if not l.startswith('|'): print('> '+l)
        try: s.sendall(l.lstrip('|').encode()+b'\r\n')
        except OSError: pass
        if not l.startswith('|'):
            a=ans()
            if not a: break
            if l=='DATA' and a!='354': skip=True
s.close()
P
m() { echo "##### $*"; printf '%s\n' 'EHLO h' 'MAIL FROM:<x@y.test>' 'RCPT TO:<v@me.test>' QUIT | python3 $work/px.py "$@" 2>&1; sleep 0.1; logs | grep -v '^===' | sed 's/^.\{20\}//' | sort; }
q() { echo "##### $*"; printf '%s\n' 'EHLO h' 'NOOP' 'MAIL FROM:<x@y.test>' 'RCPT TO:<v@me.test>' DATA '|Subject: x' '|' '|text' '.' QUIT | python3 $work/px.py "$@" 2>&1; sleep 0.3; logs | grep -v '^===' | sed 's/^.\{20\}//' | sort; }
c() { conf <<E
acl_smtp_connect = conn
acl_smtp_helo = helo
acl_smtp_rcpt = rcpt
acl_smtp_quit = quit
acl_smtp_notquit = notquit
tls_advertise_hosts =
smtp_banner = hi \$sender_host_address
${2-proxy_protocol_timeout = 1s}
queue_only
log_selector = +proxy +smtp_connection +smtp_no_mail +incoming_interface +incoming_port -pid
${1:-hosts_proxy = 127.0.0.2}
begin acl
conn:
 accept logwrite = conn s=\$proxy_session e=\$proxy_external_address:\$proxy_external_port l=\$proxy_local_address:\${if def:proxy_local_port{P}} h=\$sender_host_address:\${if def:proxy_external_address{\$sender_host_port}{P}} r=\$received_ip_address:\$received_port i=\$interface_address:\$interface_port n=\$sender_host_name full=\$sender_fullhost
helo:
 accept logwrite = helo s=\$proxy_session e=\$proxy_external_address h=\$sender_host_address full=\$sender_fullhost rcv=\${if def:proxy_external_address{\$sender_rcvhost}}
rcpt:
 deny hosts = 192.0.2.66
  message = no \$sender_host_address
 accept
quit:
 accept logwrite = quit \$sender_host_address
notquit:
 accept logwrite = notquit \$smtp_notquit_reason
begin routers
l:
 driver = accept
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/\$local_part_data_x
E
sed -i 's/file = .*/file = \/dev\/null/; $a\ user = ann' /etc/exim4/exim4.conf; rm -f $S/d.pid; daemon -bd; await 1 'no MAIL in'; logs >/dev/null; }
L=127.0.0.2
echo '##### headers of version 1'
c
for l in 'PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\r\n' 'PROXY TCP6 2001:db8::7 2001:db8::8 1234 25\r\n'; do q $L "$l"; done
for l in 'PROXY TCP4 192.0.2.66 192.0.2.8 1234 25\r\n' 'PROXY UNKNOWN\r\n' 'PROXY UNKNOWN ffff::1 x 1 2\r\n' 'PROXY TCP4 192.0.2.7 192.0.2.8 65535 65535\r\n' 'PROXY TCP4 0.0.0.0 0.0.0.0 1 1\r\n' PROXY 'PROXY\r\n' 'PROXY TCP4\r\n' 'PROXY TCP4 a 192.0.2.8 1234 25\r\n' 'PROXY TCP4 192.0.2.777 192.0.2.8 1234 25\r\n' 'PROXY TCP5 192.0.2.7 192.0.2.8 1234 25\r\n' 'proxy tcp4 192.0.2.7 192.0.2.8 1234 25\r\n' 'PROXX TCP4 192.0.2.7 192.0.2.8 1234 25\r\n' 'EHLO h\r\n' 'PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\r\nEHLO early\r\n' 'PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\r\nPROXY TCP4 192.0.2.9 192.0.2.8 1234 25\r\n'; do m $L "$l"; done
m 127.0.0.3
echo '##### headers of version 2'
A=c0000207c000020804d20019
for l in v2:20:00:: v2:20:11::$A v2:21:11::$A 'v2:21:21::20010db800000000000000000000000720010db800000000000000000000000804d20019' v2:21:11::c0000207c000020800000000 v2:21:11::c0000207c0000208ffffffff "v2:21:11::$A 04 0001 00" "v2:21:11::$A 02 0004 61626364 01 0002 6832" v2:21:00:: v2:21:12::$A v2:22:11::$A v2:21:31::00; do m $L "$l"; done
m $L '\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x08\x04\xd2\x00\x19EHLO early\r\n'
echo '##### after a header that is none'
printf '%s\n' NOOP HELP 'HELO h' RSET 'VRFY a' 'EXPN a' 'ETRN #a' STARTTLS 'AUTH PLAIN' DATA foo QUIT | python3 $work/px.py $L 'PROXY X\r\n'; logs
stop
for o in 'host_reject_connection = 192.0.2.7' 'host_reject_connection = 127.0.0.2' 'smtp_active_hostname = h-$sender_host_address.test' 'sender_unqualified_hosts = 192.0.2.7' 'dsn_advertise_hosts = 192.0.2.7' 'limits_advertise_hosts = !192.0.2.7'; do echo "##### $o"; c "hosts_proxy = 127.0.0.2
$o"; m $L 'PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\r\n'; m 127.0.0.3; stop; done

# A server of SOCKS5 that answers as it is told, and passes on what comes.
cat > $work/socks.py <<'P'
import socket,sys,threading,time
# socks.py ADDRESS PORT FILE STEP=ANSWER...: steps are conn, method, auth, reply; answers in base 16, ~N waits, - closes, nothing says nothing
addr,port,out=sys.argv[1],int(sys.argv[2]),sys.argv[3]
A={'conn':'','method':'0500','auth':'0100','reply':'05000001c00002140019'}
A.update(a.split('=',1) for a in sys.argv[4:])
def log(s): open(out,'a').write(s+'\n')
class Gone(Exception): pass
def serve(c):
    def need(n):
        b=b''
        while len(b)<n:
            d=c.recv(n-len(b))
            if not d: log('closed after '+b.hex()); raise Gone
            b+=d
        return b
    def say(k):
        for w in A[k].split():
            if w[0]=='~': time.sleep(float(w[1:]))
            elif w=='-': c.close(); raise Gone
            else: c.sendall(bytes.fromhex(w)); time.sleep(0.02)
    try:
        say('conn')
        h=need(2); m=need(h[1]); log('< '+(h+m).hex()); say('method')
        if 'method' in A and A['method'].endswith('02'):
            h=need(2); n=need(h[1]); l=need(1); p=need(l[0]); log('< %s %r %r'%(h[:1].hex(),n,p)); say('auth')
        h=need(4); a=need(4 if h[3]==1 else 16); p=need(2); log('< %s %s %d'%(h.hex(),a.hex(),int.from_bytes(p,'big')))
        say('reply')
        t=socket.create_connection((socket.inet_ntop(socket.AF_INET if h[3]==1 else socket.AF_INET6,a),int.from_bytes(p,'big')),2)
        def pump(x,y):
            try:
                while True:
                    d=x.recv(65536)
                    if not d: break
                    y.sendall(d)
            except OSError: pass
            try: y.shutdown(socket.SHUT_WR)
            except OSError: pass
        th=threading.Thread(target=pump,args=(c,t),daemon=True); th.start(); pump(t,c); th.join(); log('relayed')
    except Gone: pass
    except Exception as e: log('error '+type(e).__name__)
    c.close()
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind((addr,port)); s.listen(9); open(out,'a').close()
while True:
    c,p=s.accept(); log('from '+p[0]); threading.Thread(target=serve,args=(c,),daemon=True).start()
P
socks() { local n=$1 p=$2; shift 2; ( exec nsenter -t "$other" -n python3 $work/socks.py 192.0.2.$n $p $work/host.$n "$@" ) & eval "H$n=$!"; until [ -e $work/host.$n ]; do sleep 0.02; done; sleep 0.05; }
out() { conf <<E
tls_advertise_hosts =
log_selector = +proxy +outgoing_interface +outgoing_port +smtp_connection -pid ${SEL:-}
${3:-}
begin routers
m:
 driver = manualroute
 route_list = two.test 192.0.2.2:192.0.2.3 byname ; name.test localhost byname ; * 192.0.2.2 byname
 self = send
 transport = s
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 3s
 command_timeout = 3s
 socks_proxy = $1
 ${2:-}
begin retry
* * F,1h,10m
E
}
t() { local to=a@y.test; case $1 in *@*) to=$1; shift;; esac; rm -rf $S/db/*; send x@me.test $to 2>&1; logs; for n in 20 21 22 2 3; do [ -s host.$n ] && heard $n; done; ids | xargs -r $exim -Mrm >/dev/null; logs > /dev/null; }

o() { echo "##### $1"; out "$1"; t; }
f() { echo "##### $*"; out "${P:-192.0.2.20}"; socks 20 1080 "$@"; t; kill $H20; rm -f host.20; }
logs > /dev/null; host 2; host 3; socks 20 1080; socks 21 1080; socks 22 1099 method=0502
for o in 192.0.2.20 '192.0.2.20 port=1099' '192.0.2.22 port=1099' '192.0.2.22 port=1099 auth=name' '192.0.2.22 port=1099 auth=name name=me pass=secret' '192.0.2.20 auth=name name=me pass=p' '192.0.2.20 auth=bad' '192.0.2.20 x=y' '192.0.2.20 port=x' '192.0.2.20 port=66616' '192.0.2.20 tmo=0' a.test '' '${if eq{1}{2}{x}fail}' '${bad' 192.0.2.25 '192.0.2.25 pri=2 : 192.0.2.20 pri=1' '192.0.2.25 pri=1 : 192.0.2.21 pri=3 : 192.0.2.20 pri=2' '<;<- 192.0.2.20-port=1080' '<; <, 192.0.2.22, port=1099, auth=name, name= a b , pass=c d' ' : 192.0.2.20' '192.0.2.20 port=1080x' '<- 192.0.2.20-port=1080' '192.0.2.25 pri=2x : 192.0.2.20'; do o "$o"; done
kill $H20 $H21 $H22; rm -f host.20 host.21 host.22
for s in method=05ff method=0580 method=0400 method=- conn=- reply=- reply=04000001c00002140019; do f $s; done
for r in 01 02 03 04 05 06 07 08 09 ff; do f reply=05${r}0001c00002140019; done
P='192.0.2.20 auth=name name=me pass=p'
f method=0500; for a in 0101 0500 -; do f method=0502 auth=$a; done
gone 2 >/dev/null; gone 3 >/dev/null
