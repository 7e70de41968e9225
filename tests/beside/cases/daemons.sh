# The daemon as a server: where it listens, who may speak, odd packets, limits, and clients that leave at each stage.
running() { ps -eo pid=,comm= | awk '$2=="exim"||$2=="exim4" {print $1}'; }
up() { ( timeout 3 $exim -bd "$@" -oP $S/d.pid 2>&1; r=$?; [ $r = 0 ] || echo "rc $r" ); for _ in $(seq 60); do [ -z "$(running)" ] && return; [ -s $S/d.pid ] && break; sleep 0.03; done; sleep 0.1; [ -s $S/d.pid ] || echo '(no pid)'; }
down() { local p=$(running) n=0; [ -n "$p" ] && kill $p; while [ -n "$(running)" ] && [ $((n++)) -lt 40 ]; do sleep 0.03; done; p=$(running); [ -n "$p" ] && { echo "(killed)"; kill -9 $p; }; rm -f $S/d.pid; }
socks() { ss -Hltn | awk '{print $4}' | sort; }
base() { { echo 'qualify_domain = me.test
host_lookup =
tls_advertise_hosts =
log_selector = -queue_run'; cat; } | conf; }
li() { echo "##### $1 | ${*:2}"; printf '%s\n' "$1" | base; up "${@:2}" 2>&1; socks; down; logs; }
cat > talk.py <<'P'
# talk.py FROM TO PORT WORDS...: s:TEXT sends (with escapes), r waits for a whole answer, R reads until silence of 0.3s,
# p:N pauses, h ends writing, x resets the connection, e reads to the end.
import socket,sys,time,struct,codecs
s=socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET); s.settimeout(3)
s.bind((sys.argv[1],0)); s.connect((sys.argv[2],int(sys.argv[3])))
buf=b''
def show(b):
    for l in b.split(b'\n')[:-1] if b.endswith(b'\n') else b.split(b'\n'): print('  '+ascii(l.decode('latin1'))[1:-1])
def more():
    global buf
    b=s.recv(65536)
    buf+=b
    return b
try:
    for w in sys.argv[4:]:
        k,v=w[0],w[2:]
        if k=='s': print('> '+v[:100]); s.sendall(codecs.escape_decode(v.encode('utf8'))[0])
        elif k=='r':
            while True:
                i=0; done=None
                while True:
                    j=buf.find(b'\n',i)
                    if j<0: break
                    if buf[i+3:i+4]!=b'-': done=j+1; break
                    i=j+1
                if done is not None: show(buf[:done]); buf=buf[done:]; break
                if not more(): show(buf) if buf else None; raise OSError
        elif k=='R':
            s.settimeout(0.3)
            try:
                while more(): pass
                show(buf) if buf else None; print('(closed)')
            except socket.timeout: show(buf) if buf else None
            buf=b''; s.settimeout(3)
        elif k=='p': time.sleep(float(v))
        elif k=='h': print('(half closed)'); s.shutdown(socket.SHUT_WR)
        elif k=='x': s.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0)); s.close(); print('(reset)'); break
        elif k=='e':
            while more(): pass
            show(buf) if buf else None; print('(closed)'); buf=b''
except OSError as e: show(buf) if buf else None; print('(time-out)' if isinstance(e,socket.timeout) else '(closed)')
P
t() { echo "## $*" | cut -c1-150; python3 talk.py ${FROM:-127.0.0.2} ${TO:-127.0.0.1} ${PORT:-25} "$@" 2>&1; sleep ${PAUSE:-0.06}; logs; }
# A site with options, and more of its ACLs.
site() { echo "##### ${1//$'\n'/;}"; { echo 'qualify_domain = me.test
tls_advertise_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_notquit = notquit'; [[ $1 == *host_lookup* ]] || echo 'host_lookup ='; [[ $1 == *local_interfaces* ]] || echo 'local_interfaces = 127.0.0.1'; printf '%s\n' "$1"; cat <<E
begin acl
notquit:
 accept logwrite = notquit <\$smtp_notquit_reason> \$sender_host_address
rcpt:
 accept local_parts = ann
 drop local_parts = drop
 deny
$2
begin routers
a:
 driver = accept
 transport = t
begin transports
t:
 driver = appendfile
 file = /dev/null
 user = mail
E
} | conf; }
serve() { down; site "$@"; up; logs | grep -v 'daemon started'; }
E='s:EHLO h\r\n' M='s:MAIL FROM:<s@y.test>\r\n' RC='s:RCPT TO:<ann@me.test>\r\n' DA='s:DATA\r\n' Q='s:QUIT\r\n' V='s:VRFY x\r\n'

echo '##### where it listens'
while IFS= read -r l; do li "local_interfaces = $l"; done <<'X'

127.0.0.1.2525
<; [::1]:2525 ; 127.0.0.1.2526
<; ::0 ; 0.0.0.0
127.0.0.1 : 127.0.0.1.2525 : 127.0.0.2
127.0.0.1 : 127.0.0.1
10.9.9.9
: 127.0.0.1 :
::1
localhost
127.0.0.1.
127.0.0.1.0
127.0.0.1.smtp
[127.0.0.1]:smtp
127.0.0.1/8
${if eq{1}{1}{127.0.0.1}}
<, 127.0.0.1, 127.0.0.2.26
X
while IFS= read -r l; do li "local_interfaces = 127.0.0.1
daemon_smtp_ports = $l"; done <<'X'

smtp : 2525
nosuch
25x
70000
<; 2525 ; 2526
X
for l in 465 nosuch 25x 25; do li "local_interfaces = 127.0.0.1
daemon_smtp_ports = 25:465
tls_on_connect_ports = $l"; done
for a in 26:27 '<; 26; 27' 127.0.0.3 '[127.0.0.3]:26' ':26' '' x '<; ::1;26' '[::1]:26' smtp 26x '127.0.0.3 : 127.0.0.4.27'; do li 'local_interfaces = 127.0.0.1 : 127.0.0.2.2626
daemon_smtp_ports = 2525' -oX "$a"; done

echo '##### clients that leave'
for s in '' '+all -pid -millisec -dnssec' '-lost_incoming_connection' '-lost_incoming_connection +smtp_connection'; do serve "queue_only
log_selector = $s"
for how in '' h; do
 t r "$E" r "$M" r $how ${how:+e}
 t r "$E" r "$M" r "$RC" r "$DA" r $how ${how:+e}
 t r "$E" r "$M" r "$RC" r "$DA" r 's:Subject: x\r\n\r\nabc\r\nabc' $how ${how:+e}
 t r "$E" r "$M" r "$RC" r 's:BDAT 20\r\nSubject: x' $how ${how:+e}
 t r "$E" r "$M" r "$RC" r 's:BDAT 20\r\nSubject: x\r\n\r\nabcdefghi\r\n' r $how ${how:+e}
 t r "$E" r "$M" r "$RC" r 's:BDAT 20 LAST\r\nSubject: x\r\n\r\nabc' $how ${how:+e}
 t r "$E" r 's:NOOP' $how ${how:+e}
done; t r "$E" r "$M" r "$RC" r 's:BDAT 5\r\na:b\r\n' r x; t r "$E" r "$M" r 's:RCPT TO:<drop@me.test>\r\n' e; done

echo '##### who is served, and how'
A='acl_smtp_vrfy = v
acl_smtp_connect = c
queue_only' B='v:
 accept logwrite = n=$smtp_count_at_connection_start helo=<$sender_helo_name> v=$sender_helo_verified id=$sender_ident
c:
 accept logwrite = connect $smtp_count_at_connection_start $interface_address $interface_port'
while IFS= read -r o; do serve "$A
${o//;/$'\n'}" "$B"; t r "$E" r "$V" r "$Q" e; done <<'X'
smtp_banner = "one\n\ntwo"
smtp_banner =
smtp_banner = ${nosuch}
smtp_active_hostname = ${if eq{1}{2}{x}fail}
smtp_active_hostname = ${nosuch}
smtp_receive_timeout = ${nosuch}
smtp_accept_max_per_connection = x
smtp_accept_max_per_host = ${nosuch}
smtp_ratelimit_hosts = *;smtp_ratelimit_mail = x
helo_verify_hosts = *
log_selector = +all -pid -millisec
X
for o in 'host_reject_connection = *' 'host_reject_connection = *
log_selector = -connection_reject'; do serve "$o"; t r; done
for a in 'deny message = no\nyes' 'deny message = 421 go' 'defer message = later' 'drop log_message = reason' 'discard' 'accept control = nosuch' 'accept delay = 0s' 'accept delay = x' 'deny condition = ${nosuch}' 'accept control = no_pipelining' 'accept control = no_enforce_sync'; do serve 'acl_smtp_connect = c
queue_only' "c:
 $a"; t r; case $a in *nosuch|*x) ;; accept*) t r "$E" R 's:NOOP\r\nNOOP\r\n' R "$Q" e;; esac; done
serve 'helo_accept_junk_hosts = *
queue_only'; for h in '' a_b '[1'; do t r "s:EHLO $h\r\n" r "$M" r "$RC" r "$DA" r 's:a:b\r\n\r\nx\r\n.\r\n' r "$Q" e; done

echo '##### odd packets'
for o in '' 'smtp_enforce_sync = false' 'pipelining_connect_advertise_hosts ='; do serve "queue_only
$o"
 t r 's:EHLO h\r\nMAIL FROM:<s@y.test>\r\n' R
 t r "$E" r 's:MAIL FROM:<s@y.test>\r\nRCPT TO:<ann@me.test>\r\nDATA\r\nx:y\r\n\r\nz\r\n.\r\nQUIT\r\n' R
 t r "$E" r 's:MAIL FROM:<s@y.test>\r\nRCPT TO:<ann@me.test>\r\nBDAT 8 LAST\r\nx:y\r\n\r\nzQUIT\r\n' R
 t r "$E" r 's:MAIL FROM:<s@y.test>\r\nRCPT TO:<x@me.test>\r\nDATA\r\nQUIT\r\n' R
 t r "$E" r 's:M' p:0.02 's:AIL FROM:<s@y.test>\r' p:0.02 's:\n' r "$Q" e
 t r "$E" r 's:NO\x00OP\r\n' r 's:NOOP \x00\r\n' r "$Q" e
 t r 's:\r\n' r 's: NOOP\r\n' r 's:NOOP\t\r\n' r "$Q" e
 t r 's:GET / HTTP/1.0\r\n\r\n' R
 t r "$E" r 's:MAIL FROM:<s@y.test>\r\nRCPT TO:<ann@me.test>\r\nDATA\r\n' R 's:a:b\r\n\r\nx\r\n.\r\n' h e
done
for n in 512 2048 16384 20000; do l=$(printf "%0${n}d" 0); echo "# $n"; { t r "$E" r "s:NOOP $l\r\n" r "$Q" R; t r "$E" r "s:MAIL FROM:<$l@y.test>\r\n" r "$Q" R; } | cut -c1-300; done

echo '##### limits'
while IFS= read -r o; do serve "$A
${o//;/$'\n'}" "$B"
 t r "$E" r 's:NOOP\r\n' r 's:RSET\r\n' r 's:HELP\r\n' r "$V" r "$Q" R
 t r "$E" r 's:FOO\r\n' r 's:MAIL\r\n' r 's:MAIL FROM:<a\r\n' r 's:FOO\r\n' r "$Q" R
 D='s:MAIL FROM:<s@y.test>\r\nRCPT TO:<ann@me.test>\r\nRCPT TO:<ann@me.test>\r\nDATA\r\n' X='s:a:b\r\n\r\nx\r\n.\r\n'
 t r "$E" r "$D" R "$X" R "$D" R "$X" R "$Q" R
done <<'X'
smtp_max_synprot_errors = 1
smtp_max_unknown_commands = 0
smtp_accept_max_nonmail = 1
smtp_accept_max_per_connection = 1
smtp_accept_queue_per_connection = 1
recipients_max = 1
recipients_max = 1;recipients_max_reject
smtp_ratelimit_hosts = *;smtp_ratelimit_rcpt = 0,0.1s,2,0.2s
X

echo '##### told to read anew, and to end'
serve 'smtp_banner = one'; t r "$Q" e; site 'smtp_banner = two
log_selector = +smtp_connection'; kill -HUP $(running | head -1); sleep 0.6; logs; t r "$Q" e; site 'local_interfaces = 127.0.0.1 : 127.0.0.1.2525'; kill -HUP $(running | head -1); sleep 0.6; socks; logs; kill -TERM $(running | head -1); sleep 0.4; logs; ls $S/*.pid 2>&1; down
for o in /var/spool/exim4/p.pid /none/p.pid '' '/var/spool/exim4/${primary_hostname}.pid' '${nosuch}'; do for a in '' '-oX 26' '-oP /var/spool/exim4/q.pid'; do site "pid_file_path = $o"; echo "# $a"; ( $exim -bd $a; : ); sleep 0.5; (cd $S; ls -l *.pid 2>/dev/null | awk '{print $1,$3,$4,$9}'); down; rm -f $S/*.pid; logs; done; done

echo '##### by inetd'
cat > inet.py <<'P'
import socket,subprocess,sys
l=socket.socket(); l.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); l.bind(('127.0.0.1',2727)); l.listen(); c=socket.create_connection(('127.0.0.1',2727),source_address=('127.0.0.2',0)); s,_=l.accept(); l.close()
p=subprocess.Popen(sys.argv[1:],stdin=s,stdout=s,stderr=subprocess.DEVNULL); s.close(); c.settimeout(2)
try:
    f=c.makefile('rb'); print(f.readline()); c.sendall(b'EHLO h\r\n')
    while True:
        b=f.readline()
        if b[3:4]!=b'-': break
    for w in (b'MAIL FROM:<s@y.test>',b'RCPT TO:<ann@me.test>',b'RCPT TO:<no@me.test>',b'QUIT'): c.sendall(w+b'\r\n'); print(f.readline())
    print(f.read())
except OSError as e: print('closed')
c.close()
print(p.wait())
P
for o in '' 'log_selector = +all -pid -millisec' 'host_reject_connection = *'; do for a in '-bs' '-bs -oMa 1.2.3.4'; do site "$o"; echo "# $a"; timeout 9 python3 inet.py $exim $a 2>&1; sleep 0.2; logs; done; done

echo '##### by whoever listened'
cat > who.py <<'P'
import socket,subprocess,sys
uid,port,header=int(sys.argv[1]),int(sys.argv[2]),sys.argv[3]
l=socket.socket(); l.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); l.bind(('127.0.0.1',port)); l.listen(); c=socket.create_connection(('127.0.0.1',port)); s,_=l.accept(); l.close()
p=subprocess.Popen(sys.argv[4:],stdin=s,stdout=s,stderr=subprocess.PIPE,user=uid,group=uid,extra_groups=[]); s.close(); c.settimeout(5)
f=c.makefile('rb')
try:
    for w in ('HELO h','MAIL FROM:<s@y.test>','RCPT TO:<ann@me.test>','DATA',header.replace('~','\r\n')+'\r\nb\r\n.','QUIT',''):
        b=f.readline(); print(b.decode().rstrip() if w!='HELO h' else b[:3])
        if not b: break
        c.sendall(w.encode()+b'\r\n')
except OSError as e: print('closed')
print(p.wait(),p.stderr.read().decode())
P
asks() { echo "# $*"; timeout 9 python3 who.py "$@" 2>&1; sleep 0.2; logs; for i in $(ids); do cat $S/input/$i-H; done; $exim -Mrm $(ids) > /dev/null 2>&1; logs > /dev/null; }
F='From: boss@bank.test~'
site ''; mail=$(id -u Debian-exim)
for p in 1023 1024; do for u in 0 $mail 5001; do asks $u $p "$F" $exim -bs -odq; done; done
asks 5001 2727 "$F" $exim -bS -odq
for h in '' 'From: <ann>~' 'From: ann@me.test~Sender: boss@bank.test~' 'From: <bob>~Sender: boss@bank.test~' 'Resent-To: x@y.test~From: a@b.test~' 'Resent-From: x@y.test~Sender: a@b.test~'; do asks 5001 25 "$h" $exim -bs -odq; done
for o in 'trusted_users = 5001' 'untrusted_set_sender = *' 'local_from_check = false' 'local_sender_retain = true
local_from_check = false' 'sender_unqualified_hosts = *'; do site "$o"; asks 5001 25 'From: <bob>~Sender: c@d.test~' $exim -bs -odq; done
site 'trusted_users = 5001'; asks 5001 2727 "$F" $exim -bs
