# Authenticators that need another party: Dovecot (its socket scripted), spa, cram_md5, plaintext and tls, on both sides.
cat > dv.py <<'P'
import socket,sys,os
s=socket.socket(socket.AF_UNIX); s.bind('dv'); os.chmod('dv',0o777); s.listen(9)
while True:
    c,_=s.accept(); c.settimeout(2); said=open('script').read().rstrip('\n').split('|')
    try:
        for one in said:
            if one=='<':
                b=b''
                while not any(l.startswith((b'AUTH',b'CONT')) for l in b.split(b'\n')[:-1]):
                    g=c.recv(4096)
                    if not g: break
                    b+=g
                continue
            c.sendall(one.replace('\\n','\n').replace('\\t','\t').encode())
    except OSError: pass
    c.close()
P
echo > script; python3 dv.py & until [ -e dv ]; do sleep 0.02; done
conf <<E
host_lookup =
tls_advertise_hosts =
acl_smtp_mail = ma
begin acl
ma:
 accept logwrite = id <\$authenticated_id> by <\$sender_host_authenticated> fail <\$authenticated_fail_id> <\$authentication_failed>
begin authenticators
dv:
 driver = dovecot
 public_name = PLAIN
 server_socket = $work/dv
 server_set_id = \$auth1
sp:
 driver = spa
 public_name = NTLM
 server_password = p
 server_set_id = \$auth1
E
talk() { timeout 5 $exim -bs -oMa 192.0.2.9.4321 2>&1 | sed 's/334 TlRM.*/334 CHALLENGE/'; logs; }
H='VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\tx\nDONE\n|<'; n=0
# What Dovecot says to a request: d SCRIPT [LINE...]
d() { echo "##### $((++n)): $1"; echo "$1" > script; shift; printf '%s\r\n' 'EHLO h' 'AUTH PLAIN AHUAcA==' "$@" 'MAIL FROM:<a@b.test>' QUIT | talk; }
for s in 'OK\t1\tuser=u' 'OK\t1' 'OK\t1\tuser=' 'OK\t2\tuser=u' 'FAIL\t1\tuser=u' 'FAIL\t1' 'FAIL\t1\tuser=u\ttemp' 'FAIL\t1\treason=no' 'what\t1' 'OK\t1\tx=y\tuser=u v\tuser=w'; do d "$H|$s\n"; done
for s in '' 'VERSION\t2\t0\n' 'VERSION\t1\n' 'MECH\tPLAIN\nDONE\n|<|OK\t1\tuser=u\n' 'VERSION\t1\t1\nDONE\n' 'VERSION\t1\t1\nMECH\tplain\nDONE\n|<|OK\t1\tuser=u\n' 'VERSION\t1\t1\nMECH\tLOGIN\nDONE\n' 'what\nVERSION\t1\t1\nMECH\tPLAIN\nDONE\n|<|OK\t1\tuser=u\n'; do d "$s"; done
# Steps.
d "$H|CONT\t1\tVXNlcg==\n|<|OK\t1\tuser=u\n" YQ==
d "$H|CONT\t1\t\n|<|OK\t1\tuser=u\n" YQ==
d "$H|CONT\t1\n|<|OK\t1\tuser=u\n" YQ==
d "$H|CONT\t1\t%%\n|<|OK\t1\tuser=u\n" YQ==
d "$H|CONT\t1\tVXNlcg==\n|<|FAIL\t1\tuser=u\n" '*'
d "$H|CONT\t1\tVXNlcg==\n|<|FAIL\t1\tuser=u\n" ''
d "$H|CONT\t1\tVXNlcg==\n|<|FAIL\t1\tuser=u\n" '%%'
# What clients say to NTLM.
for f in 'AUTH NTLM|*' 'AUTH NTLM|%%' 'AUTH NTLM|' 'AUTH NTLM %%' 'AUTH NTLM =' 'AUTH NTLM YQ==|*' 'AUTH NTLM YQ==|%%' 'AUTH NTLM YQ==|' 'AUTH NTLM YQ==|YQ==' 'AUTH NTLM TlRMTVNTUAABAAAAAAAAAA==|TlRMTVNTUAADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' 'AUTH NTLM YQ==|TlRMTVNTUAADAAAA'; do echo "##### $((++n)): $f"; { printf 'EHLO h\r\n'; printf '%s\r\n' "$f" | sed 's/|/\r\n/g'; printf 'MAIL FROM:<a@b.test>\r\nQUIT\r\n'; } | talk; done
# What the socket is told of a session, over paths and ports, plain and TLS.
cat > dw.py <<'P'
import socket,os,sys,threading,ssl,time,re
def serve(c,tls):
    try:
        c.settimeout(2)
        if tls:
            x=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); x.load_cert_chain('server.pem','server.key'); c=x.wrap_socket(c,server_side=True); log('tls')
        said=open('script').read().rstrip('\n').split('|'); b=b''
        for one in said:
            if one=='<':
                while True:
                    if b'\n' in b:
                        l,b=b.split(b'\n',1); t=l.decode('utf8','surrogateescape'); l.startswith(b'CPID') or log('< '+re.sub(r'CPID\t\d+','CPID\tN',t).replace('\t','|'))
                        if l.startswith((b'AUTH',b'CONT')): break
                        continue
                    g=c.recv(4096)
                    if not g: log('eof'); return
                    b+=g
                continue
            if one[:1]=='~': time.sleep(float(one[1:])); continue
            c.sendall(one.replace('\\n','\n').replace('\\t','\t').replace('\\0','\0').encode())
    except OSError as e: log('error '+type(e).__name__)
    finally: c.close()
def log(s): open('dvlog','a',errors='surrogateescape').write(s+'\n')
def run(s,tls):
    s.listen(9)
    while True:
        c,_=s.accept(); threading.Thread(target=serve,args=(c,tls),daemon=True).start()
u=socket.socket(socket.AF_UNIX); u.bind('dw'); os.chmod('dw',0o777)
for f,p,t in ((socket.AF_INET,7001,False),(socket.AF_INET,7002,True),(socket.AF_INET6,7001,False)):
    s=socket.socket(f); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('127.0.0.1' if f==socket.AF_INET else '::1',p)); threading.Thread(target=run,args=(s,t),daemon=True).start()
run(u,False)
P
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 9 -subj /O=Test/CN=ca -addext basicConstraints=critical,CA:TRUE 2>/dev/null
signed() { openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj "/O=Test/CN=$1" 2>/dev/null; openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -set_serial $((++N)) -days 9 -out $1.pem -extfile <(echo subjectAltName=$3) 2>/dev/null; chmod 644 $1.*; }
signed server ca DNS:server.test; signed client ca email:u@client.test,email:v@client.test; openssl req -x509 -newkey rsa:2048 -nodes -keyout odd.key -out odd.pem -days 9 -subj /CN=odd 2>/dev/null; chmod 644 *.pem
echo > script; : > dvlog; python3 dw.py & until [ -e dw ]; do sleep 0.02; done
# A client of the daemon: TLS [cert=NAME] [ver=1.2] begins TLS, ! is base 64.
cat > cl.py <<'P'
import socket,ssl,sys,re,base64,hmac,warnings; warnings.simplefilter('ignore'); s=socket.socket(); s.settimeout(8); s.bind((sys.argv[1],0)); s.connect((sys.argv[2],int(sys.argv[3]))); last=''; f=s.makefile('rwb')
def ans():
    global last
    while True:
        try: l=f.readline()
        except OSError as e: print('(%s)'%type(e).__name__); sys.exit()
        if not l: print('(closed)'); sys.exit()
        t=l.decode('utf8','surrogateescape').rstrip('\r\n'); last=t[4:]
        if t.startswith('334 PD') and len(t)>20: t='334 CHALLENGE'
        print('  '+t)
        if t[:3].isdigit() and t[3:4]!='-': return
b=lambda s: base64.b64encode(s.encode().replace(b'\\0',b'\0')).decode(); lines=sys.stdin.read().split('\n')[:-1]
if not lines[0].startswith('TLS'): ans()
for n,l in enumerate(lines):
    l=l.strip(); print('> '+l)
    if l.startswith('TLS'):
        o=dict(w.split('=',1) for w in l.split(' ')[1:]); c=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname=False; c.verify_mode=ssl.CERT_NONE
        if 'cert' in o: c.load_cert_chain(o['cert']+'.pem',o['cert']+'.key')
        if 'ver' in o: c.maximum_version=ssl.TLSVersion.TLSv1_2
        try: s=c.wrap_socket(s)
        except OSError: print('(tls fails)'); sys.exit()
        f=s.makefile('rwb')
        if n==0: ans()
        continue
    m=re.match(r'^(AUTH \S+ +)?!(.*)$',l)
    if m: l=(m.group(1) or '')+b(m.group(2))
    m=re.match(r'^CRAM (\S*) (.*)$',l)
    if m: l=b(m.group(1)+' '+hmac.new(m.group(2).encode(),base64.b64decode(last),'md5').hexdigest())
    try: f.write(l.replace('\\t','\t').encode()+b'\r\n'); f.flush()
    except OSError: print('(gone)'); break
    ans()
P
talk() { sed 's/^ *//' | timeout 20 python3 cl.py ${FROM:-127.0.0.1} ${TO:-127.0.0.1} ${PORT:-25}; sleep 0.2; logs; [ -s dvlog ] && { echo "=== dovecot"; sed 's/\(resp=\).\{300,\}/\1LONG/' dvlog; : > dvlog; }; true; }
site() { conf <<E
host_lookup =
tls_certificate = $work/server.pem
tls_privatekey = $work/server.key
$(grep -q ^tls_try <<< "$1" || echo "tls_try_verify_hosts = *")
tls_verify_certificates = $work/ca.pem
log_selector = +tls_peerdn +tls_certificate_verified +smtp_mailauth +smtp_connection
pipelining_advertise_hosts =
queue_only
acl_smtp_mail = ma
acl_smtp_rcpt = rc
$1
begin acl
$AU
ma:
 accept logwrite = id <\$authenticated_id> by <\$sender_host_authenticated> fail <\$authenticated_fail_id> <\$authentication_failed> <\$authenticated_sender> <\$received_protocol> <\$auth1> <\$1> \${authresults{me.test}}
rc:
 accept authenticated = *
 deny message = no relay
begin authenticators
$2
E
}
serve() { echo "##### $1 // $2"; site "${1//'~'/$'\n'}" "${2//'~'/$'\n'}"; rm -f $S/d.pid; ( $exim -bd -oX '127.0.0.1.25:127.0.0.1.465:192.0.2.1.25:127.0.0.1.26' -oP $S/d.pid $DAEMON; : ); for _ in $(seq 100); do [ -s $S/d.pid ] && break; sleep 0.05; done; sleep 0.2; logs | grep -v 'daemon started'; }
end() { stop; ids | xargs -r $exim -Mrm > /dev/null; logs; }
D='dv:~driver = dovecot~public_name = PLAIN~server_set_id = $auth1~server_socket = '
H='VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\tx\nDONE\n|<'; M=$'EHLO h\nMAIL FROM:<a@b.test> AUTH=<x@b.test>\nRCPT TO:<x@y.test>\nQUIT'
n=0
echo "$H|OK\t1\tuser=u\n" > script
A=$'EHLO h\nAUTH PLAIN !\\0u\\0p\n'; T=$'EHLO h\nSTARTTLS\n'
E=$'MAIL FROM:<a@b.test> AUTH=x@b.test\nRCPT TO:<x@y.test>\nQUIT\n'
serve 'tls_on_connect_ports = 465' "${D}$work/dw"
printf '%s' "$A$E" | talk; printf '%s' "$A$E" | FROM=127.0.0.2 talk
printf '%s' "$A$E" | FROM=192.0.2.1 TO=192.0.2.1 talk
for c in '' ' cert=client' ' cert=odd' ' cert=client ver=1.2'; do printf '%s' "${T}TLS$c"$'\n'"$A$E" | FROM=127.0.0.2 talk; done
printf '%s' "TLS cert=client"$'\n'"$A$E" | PORT=465 FROM=127.0.0.2 talk
for a in 'AUTH PLAIN =' 'AUTH PLAIN' 'AUTH PLAIN AHUAcA==\tx' 'AUTH PLAIN x y' 'AUTH PLAIN  AHUAcA==  ' 'AUTH plain AHUAcA==' 'AUTH PLAIN %%%'; do echo "$a" ; printf '%s' $'EHLO h\n'"$a"$'\n'"$E" | talk; done
python3 -c 'print("EHLO h\nAUTH PLAIN "+"QUFB"*1000+"\nQUIT")' > big; talk < big
python3 -c 'print("EHLO h\nAUTH PLAIN "+"QUFB"*2900+"\nQUIT")' > big; talk < big
echo "$H|CONT\t1\t\n|<|CONT\t1\tUGFzcw==\n|<|OK\t1\tuser=u\n" > script
for w in '=' 'QUFB' '%' 'a\tb' '' '*'; do printf '%s' $'EHLO h\nAUTH PLAIN\n'"$w"$'\n'"$w"$'\nNOOP\n'"$E" | talk; done
echo "$H|CONT\t1\t\n|<|~0.3|OK\t1\tuser=u\textra\tuser=v\n" > script
printf '%s' $'EHLO h\nAUTH PLAIN\nQUFB\n'"$E" | talk
end
# Lines that are no good, in what Dovecot says of itself and in its answers.
serve '' "${D}$work/dw"
R='MECH\tPLAIN\nSPID\t1\nCUID\t1\nCOOKIE\tx\nDONE\n|<|OK\t1\tuser=u\n'; V='VERSION\t1\t1\n' E='DONE\n|<|OK\t1\tuser=u\n'
for s in "VERSION\n$R" "VERSION\t1\n$R" "VERSION\t\t1\n$R" "VERSION 1 1\n$R" "VERSION 1\t1\n$R" "VERSION\t1 1\n$R" "VERSION\t 1\t1\n$R" "VERSION\t+1\t1\n$R" "VERSION\t01\t1\n$R" "VERSION\t0x1\t1\n$R" "VERSION\t1x\t1\n$R" "VERSION\tx\t1\n$R" "version\t1\t1\n$R" "VERSION\t1\t1\t2\t3\t4\t5\t6\t7\t8\t9\n$R" "$V$R" "${V}MECH\n$R" "${V}MECH\tPLAIN\nSPID\n$E" "${V}MECH\tPLAIN\nCUID\n$E" "${V}MECH\tPLAIN\nCOOKIE\n$E" "${V}MECH PLAIN\n$E" "${V}MECH\t PLAIN\n$E" "${V}MECH\tPLAIN plain\n$E" "${V}MECH\tPLAINX\n$E" "${V}mech\tPLAIN\n$E" "${V}MECH\tLOGIN\tPLAIN\n$E" "${V}MECH\tPLAIN\nDONE x\n|<|OK\t1\tuser=u\n" "${V}MECH\tPLAIN\ndone\nDONE\n|<|OK\t1\tuser=u\n" "${V}MECH\tPLAIN\nDONEX\nDONE\n|<|OK\t1\tuser=u\n" "${V}MECH\tPLAIN\nSPIDX\nWHAT\n\t\n \n$E" "${V}MECH\tPLAIN\nVERSION\t2\t1\n$E" "${V}MECH\tPLAIN\nVERSION\n$E" "${V}MECH\tPLAIN\r\nDONE\r\n|<|OK\t1\tuser=u\n" " ${V}MECH\tPLAIN\n$E" "${V}MECH\tPLAIN\0x\n$E" "${V}MECH\tPLAIN\n${E}OK\t1\tuser=v" "${V}MECH\tPLAIN\nDONE\n|<|OK 1 user=u\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\t1\tuser=u x\ty\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\t01\tuser=u\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\t1x\tuser=u\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\t1\tUSER=u\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\t1\txuser=u\n" "${V}MECH\tPLAIN\nDONE\n|<|OKAY\t1\tuser=u\n" "${V}MECH\tPLAIN\nDONE\n|<|ok\t1\tuser=u\n" "${V}MECH\tPLAIN\nDONE\n|<|\nOK\t1\tuser=u\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\t1\ta\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tuser=u\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\n" "${V}MECH\tPLAIN\nDONE\n|<|FAIL\n" "${V}MECH\tPLAIN\nDONE\n|<|CONT\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\t1\tuser=u" "${V}MECH\tPLAIN\nDONE\n|<|FAIL\t1\tuser=v\ttemp\tauthz\n" "${V}MECH\tPLAIN\nDONE\n|<|FAIL\t1\tcode=temp_fail\tuser=v\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\t1\tuser=a\01b\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\t1\tuser=a\0b\n" "${V}MECH\tPLAIN\nDONE\n|<|OK\t1\tuser=\x01\n"; do
echo "## $s"; echo "$s" > script; printf 'EHLO h\nAUTH PLAIN AHUAcA==\nMAIL FROM:<a@b.test>\nQUIT\n' | talk | grep -v ^.250 | grep ' [245]35 \|authenticator failed\| id <\|resp'; done
for s in "$R" "MECH\tPLAIN\n$E" "xVERSION\t1\t1\n$R" "VERSION\t1\t1\t2\n$R" "VERSION\t1\t1\t2\t3\n$R" "VERSION\t1\t\n$R" "VERSION\t1\t1\t\n$R" "${V}MECH\t\nMECH\tPLAIN\n$E" "${V}MECH\tPLAIN\ta\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\n$E" "${V}VERSION\t1\n$E" "${V}VERSION\t1\nMECH\tPLAIN\n$E" "${V}SPID\t1\t2\nMECH\tPLAIN\nSPID\t\nCUID\nCOOKIE\n$E" "${V}MECH\tPLAIN\nDONE\tx\n|<|OK\t1\tuser=u\n" "${V}X\nMECH\tPLAIN\n$E" "\n$V\nMECH\tPLAIN\n$E" "${V}MECH\t PLAIN\n$E"; do
echo "## $s"; echo "$s" > script; printf 'EHLO h\nAUTH PLAIN AHUAcA==\nMAIL FROM:<a@b.test>\nQUIT\n' | talk | grep -v ^.250 | grep ' [245]35 \|authenticator failed\|resp' | sort -u; done
end
# How the socket is named, conditions, and the order of what it says.
q() { timeout 20 $exim -bs 2>&1 | grep ^[45]\\\|^235; logs | grep -a 'authenticator failed\|tls\|config\|TLS' | sort -u; sed -n '/AUTH\|tls\|error/p' dvlog; : > dvlog; }
site '' ''
echo "$H|OK\t1\tuser=u\n" > script
c() { echo "##### $1"; site '' "${D//'~'/$'\n'}${1//'~'/$'\n'}"; printf 'EHLO h\r\nAUTH PLAIN AHUAcA==\r\nQUIT\r\n' | q; }
for so in '127.0.0.1 7001' '127.0.0.1:7001' '127.0.0.1   7001' '127.0.0.1' '127.0.0.1 x' '127.0.0.1 7009' '::1 7001' '[::1] 7001' 'localhost 7001' 'inet:127.0.0.1:7001' "$work/none" "$work" dw '$nix' "\${if eq{a}{a}{$work/dw}}" '${if eq{a}{b}{x}fail}' '127.0.0.1 7001 x' '127.0.0.1 7001-7003' '' '127.0.0.1 0' '127.0.0.1 70000' '127.0.0.1 -1' ' 127.0.0.1 7001' 'nosuch.invalid 7001' "$work/dw " '127.0.0.1 smtp' '"127.0.0.1\t7001"' "$work/$(printf 'x%.0s' {1..200})"; do c "$so"; done
echo "##### none"; site '' $'dv:\ndriver = dovecot\npublic_name = PLAIN'; printf 'EHLO h\r\nAUTH PLAIN AHUAcA==\r\nQUIT\r\n' | q; D="dv:~driver = dovecot~public_name = PLAIN~server_socket = $work/dw~"
for o in 'server_condition = no' 'server_condition = ${if eq{$auth1}{u}}' 'server_condition = later' 'server_condition = ${if eq{a}{b}{x}fail}' 'server_condition = ${bad' 'server_condition = ' 'server_set_id = ${bad' 'server_set_id = $auth1-$1-$auth2' 'server_debug_print = $auth1' 'client_condition = x' 'client_set_id = x' 'server_mail_auth_condition = no~server_set_id = $auth1'; do c "$o"; done
for s in 'VERSION\t1\t1\nSPID\t1\nMECH\tPLAIN\nDONE\n' 'VERSION\t1\t1\nMECH\tPLAIN\nSPID\t1\t2\nDONE\n' 'SPID\t1\n' 'VERSION\t1\t1\nSPID\nMECH\tPLAIN\nDONE\n' 'VERSION\t1\t1\nMECH\tPLAIN\nSPID\t1\nSPID\t2\nDONE\n' 'VERSION\t1\t1\nMECH\tLOGIN\nSPID\t1\nMECH\tPLAIN\nDONE\n' 'VERSION\t1\t1\nCUID\t1\nMECH\tPLAIN\nSPID\t1\nDONE\n' 'VERSION\t1\t1\nMECH\tLOGIN\nSPID\t1\nDONE\n'; do echo "$s|<|OK\t1\tuser=u\n" > script; c "##$s"; done
for n in 8190 8191 8192; do python3 -c "print('VERSION\\\\t1\\\\t1\\\\nX\\\\t'+'y'*($n-3)+'\\\\nMECH\\\\tPLAIN\\\\nDONE\\\\n|<|OK\\\\t1\\\\tuser=u\\\\n')" > script; c "##$n"; done
# TLS: certificates.
T=$'EHLO h\nSTARTTLS\n'; E=$'EHLO h2\nMAIL FROM:<a@b.test> AUTH=x@b.test\nRCPT TO:<x@y.test>\nAUTH PLAIN !\\0u\\0p\nRSET\nAUTH PLAIN !\\0u\\0p\nMAIL FROM:<a@b.test>\nQUIT\n'
TL='tl:~driver = tls~'; PL='pl:~driver = plaintext~public_name = PLAIN~server_prompts = :~server_condition = ${if eq{$auth3}{p}}~server_set_id = $auth2'
k() { serve "tls_on_connect_ports = 465~$2" "$1~$PL"; for c in ${3:-none cert=client cert=odd}; do printf '%s' "${T}TLS ${c/none/}"$'\n'"$E" | talk; done; printf '%s' "TLS cert=client"$'\n'"$E" | PORT=465 talk; end; }
k "${TL}server_param1 = \${certextract{subj_altname,mail,>:}{\$tls_in_peercert}}~server_param2 = two~server_param3 = three~server_condition = \${if eq{\$tls_in_certificate_verified}{1}}~server_set_id = \$auth1/\$2/\$auth3/\$auth4"; k "${TL}server_param = \${if eq{a}{b}{x}fail}~server_condition = yes~server_set_id = x" '' cert=client
k "${TL}server_param1 = \${bad~server_condition = yes~server_set_id = x" '' cert=client; k "${TL}server_condition = later~server_set_id = x" '' cert=client
k "${TL}server_condition = \${bad~server_set_id = x" '' cert=client; k "${TL}server_condition = yes~server_set_id = \${bad" '' cert=client
k "${TL}server_condition = yes~server_set_id = id~server_mail_auth_condition = no~public_name = PLAINX" '' 'none cert=client'; k "${TL}server_condition = yes~server_advertise_condition = no" '' cert=client
k "${TL}server_condition = no~server_set_id = id" 'event_action = ${if match{$event_name}{auth}{event $event_name $event_data}}' cert=client; k "${TL}server_condition = yes~server_set_id = id" '' 'none cert=odd cert=client'
k "${TL}server_set_id = id" '' 'none cert=odd cert=client'; k "${TL}server_param1 = \$tls_in_certificate_verified~server_condition = \${if eq{\$1\$2}{1}}~server_set_id = id" '' 'cert=client'
k "${TL}server_condition = yes~server_set_id = id" 'tls_try_verify_hosts = :' 'cert=client'; k "${TL}server_param1 = one~server_param2 = two~server_condition = yes~server_set_id = <\$auth1/\$auth2/\$1/\$2/\$3>" '' cert=client
k "${TL}server_param1 = one~server_param2 = \${if eq{a}{b}{x}fail}~server_param3 = three~server_condition = yes~server_set_id = <\$auth1/\$auth2/\$auth3/\$1/\$2/\$3>" '' cert=client
# Whoever comes with a certificate passes the ACL for AUTH, too.
for a in 'accept' 'deny message = no auth' 'defer message = later'; do AU=$'au:\n warn logwrite = au <$smtp_command> <$smtp_command_argument> <$auth1>\n '"$a"; k "${TL}server_condition = yes~server_set_id = id" 'acl_smtp_auth = au' cert=client; done; AU=
# Two programs: the one that is looked at as a client of Exim, and as a server of it.
E4=/usr/sbin/exim4; both() { conf <<E
qualify_domain = me.test
host_lookup =
queue_only
tls_advertise_hosts = $([ $T = y ] && echo "*")
tls_certificate = $work/server.pem
tls_privatekey = $work/server.key
tls_try_verify_hosts = *
tls_verify_certificates = $work/ca.pem
log_selector = +smtp_mailauth +smtp_confirmation +outgoing_port -queue_time +tls_certificate_verified +tls_peerdn
acl_smtp_mail = ma
acl_smtp_rcpt = rc
begin acl
ma:
 accept logwrite = id <\$authenticated_id> by <\$sender_host_authenticated> fail <\$authenticated_fail_id> <\$authentication_failed> <\$authenticated_sender> <\$received_protocol> <\$auth1> <\$1>
rc:
 accept authenticated = *
 deny message = no relay
begin authenticators
${1//'~'/$'\n'}
begin routers
m:
 driver = manualroute
 route_list = * 192.0.2.1
 self = send
 transport = s
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 hosts_try_auth = *
 tls_verify_certificates = $work/ca.pem
 tls_try_verify_hosts = *
 tls_verify_cert_hostnames =
${2//'~'/$'\n'}
begin retry
* * F,1h,3s
E
}
# once SERVER CLIENT: a message from one to the other
once() { rm -f $S/d.pid; ( $1 -bd -oX 192.0.2.1.25 -oP $S/d.pid; : ); for _ in $(seq 100); do [ -s $S/d.pid ] && break; sleep 0.05; done; sleep 0.1; msg m | $2 -oi -odf -f ann@me.test x@two.test; sleep 0.1; kill $(cat $S/d.pid); sleep 0.1; logs | grep -v ' daemon started\| <= ann@me.test U=\|Completed'; ids | xargs -r $exim -Mrm >/dev/null; rm -rf $S/db/*; : > $LOG/mainlog; }
w() { echo "##### T=$T $1 // $2"; both "$@"; echo "## client"; once $E4 $exim; echo "## server"; once $exim $E4; }
T=n; SP='sp:~driver = spa~public_name = NTLM~server_set_id = $auth1~server_password = ${if eq{$auth1}{u}{p}{${if eq{$auth1}{f}{}fail}}}~client_set_id = c-$auth1'
for c in 'client_username = u~client_password = p' 'client_username = u~client_password = p~client_domain = DOM' 'client_username = u~client_password = wrong' 'client_username = DOM\u~client_password = p' 'client_username = u@dom~client_password = p' 'client_username = u@dom~client_password = p~client_domain = other' 'client_username = f~client_password = p' 'client_username = U~client_password = p'; do w "$SP~$c"; done
SP='sp:~driver = spa~public_name = NTLM~server_set_id = <$auth1>~server_condition = ${if !eq{$auth1}{no}}~server_password = p'; for c in 'client_username =~client_password = p' 'client_username = ä~client_password = p' 'client_username = no~client_password = p' 'client_username = averyveryverylongnameofausernamethatgoesonandonandonforalongtimeuntilitisoverone~client_password = p' 'client_username = ${if eq{a}{b}{x}fail}~client_password = p' 'client_username = u~client_password = ${bad' 'client_username = "a b"~client_password = p' ; do w "$SP~$c"; done
SP='sp:~driver = spa~public_name = NTLM~server_set_id = $auth1~client_username = u'; for c in 'server_password = pässword~client_password = pässword' 'server_password = averylongpasswordmorethan14chars~client_password = averylongpasswordmorethan14chars' 'server_password =~client_password =' 'server_password = P~client_password = p' 'server_password = ${bad~client_password = p' 'server_password = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~client_password = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'; do w "$SP~$c"; done
for T in n y; do w 'cr:~driver = cram_md5~public_name = CRAM-MD5~server_secret = ${if eq{$auth1}{u}{p}fail}~server_set_id = $auth1~client_secret = p~client_name = u~client_set_id = $auth1.$host'
w 'cr:~driver = cram_md5~public_name = CRAM-MD5~server_secret = averylongsecretaverylongsecretaverylongsecretaverylongsecretaverylongsecret~client_secret = averylongsecretaverylongsecretaverylongsecretaverylongsecretaverylongsecret~client_name = "a ä"~server_set_id = $auth1'
w 'pl:~driver = plaintext~public_name = PLAIN~server_prompts = :~server_condition = ${if eq{$auth3}{p}}~server_set_id = $auth2~client_send = ^u^p~server_advertise_condition = ${if def:tls_in_cipher}~client_condition = ${if def:tls_out_cipher}'
done; T=y; TL='tl:~driver = tls~server_param1 = ${certextract{subj_altname,mail}{$tls_in_peercert}}~server_set_id = $auth1~server_condition = ${if def:tls_in_peercert}~'
w "$TL" " tls_certificate = $work/client.pem~ tls_privatekey = $work/client.key"; w "${TL}pl:~driver = plaintext~public_name = PLAIN~server_prompts = :~server_condition = yes~client_send = ^u^p"
w "${TL}pl:~driver = plaintext~public_name = PLAIN~server_prompts = :~server_condition = yes~client_send = ^u^p" " tls_certificate = $work/client.pem~ tls_privatekey = $work/client.key~ hosts_require_auth = *"
# What hosts say to several authenticators one after the other.
sender() { conf <<E
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
log_selector = +smtp_mailauth +outgoing_port -pid +smtp_confirmation +retry_defer -queue_time
begin authenticators
${1//'~'/$'\n'}
begin routers
m:
 driver = manualroute
 route_list = two.test 192.0.2.2:192.0.2.3 ; * 192.0.2.2
 transport = s
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 2s
 command_timeout = 2s
${2//'~'/$'\n'}
begin retry
* * F,1h,1h
E
}
EH='ehlo=250-host\n250-AUTH PLAIN LOGIN CRAM-MD5\n250 SIZE'
PL='pl:~driver = plaintext~public_name = PLAIN~client_send = ^u^p~client_set_id = pl-$host~'
LO='lo:~driver = plaintext~public_name = LOGIN~client_send = : u : p~client_set_id = lo~'
CR='cr:~driver = cram_md5~public_name = CRAM-MD5~client_name = u~client_secret = p~client_set_id = ${if eq{a}{b}{x}fail}~'
clean() { logs; $exim -bp | sed 's/^ *[0-9]*[smh]/ AGE/'; ids | xargs -r $exim -Mrm >/dev/null; rm -rf $S/db/*; : > $LOG/mainlog; }
t() { sleep 0.02; echo "##### $W: $*"; local to=$1; shift; host 2 "$EH" "$@"; host 3 "$EH"; send ann@me.test $to; sleep 0.1; gone 2; gone 3; clean; }
B='hosts_try_auth = *'; sender "$PL$LO$CR" "$B"; W=three
for a in '535 no' '534 weak' '432 later' '454 later' '421 bye' '421 bye-!' '538 tls' '504 unknown' '503 seq' '500 what' '530 auth first' '550 no' '-' '250 fine' '220 x' '354 go' '334' '199 x' 'rubbish'; do t x@two.test "auth:PLAIN=$a"; done
for a in '334 VXNlcg==|535 no' '334 VXNlcg==|432 later' '334 VXNlcg==|334 UGFzcw==|454 l' '334 VXNlcg==|334 UGFzcw==|535 l' '334 VXNlcg==|334 UGFzcw==|-' '334 %%|535 no' '334|334|235 ok' '334 VXNlcg==|235 early' '334-a\n334 VXNlcg==|535 no'; do t x@two.test "auth:PLAIN=535 no" "auth:LOGIN=$a"; done
for a in '334 PDEyMz4=|535 no' '334 PDEyMz4=|454 l' '334 PDEyMz4=|334 YQ==|235 k' '235 early' '334 PDEyMz4=|421 x' '334 PDEyMz4=|-'; do t x@two.test "auth:PLAIN=535 no" "auth:LOGIN=535 no" "auth:CRAM-MD5=$a"; done
t x@a.test 'auth=535 no' 'mail=530 auth needed'; t x@a.test 'auth=535 no' 'mail=550 no' ; t x@a.test 'auth=535 no' 'rcpt=550 relay'; t x@two.test 'auth=454 l' 'mail=530 auth needed'
for o in 'hosts_require_auth = *' 'hosts_require_auth = *~hosts_try_auth =' 'hosts_require_auth = 192.0.2.3~hosts_try_auth = 192.0.2.2' 'hosts_try_auth =' 'hosts_try_auth = ${bad' 'hosts_try_auth = ${if eq{a}{b}{x}fail}' 'hosts_require_auth = 192.0.2.2' 'hosts_try_auth = !*'; do W=$o; sender "$PL$LO" "$o"; t x@two.test; t x@two.test 'auth=535 no'; t x@two.test 'auth=454 later'; t x@two.test 'ehlo=250-h\n250 SIZE'; done
B='hosts_try_auth = *'; for c in no '' maybe '${bad' '${if eq{a}{b}{x}fail}' '${if eq{$host}{192.0.2.3}}' '${if eq{$host_address:$host_port}{192.0.2.2:25}}' '${if !def:tls_out_cipher}'; do W="client_condition $c"; sender "${PL}client_condition = $c~$LO" "$B"; t x@two.test; done
for c in '^u^p~client_set_id = $auth1' '^u^p~client_set_id = ${bad' '^u^p~client_set_id = ' 'x^y : z~client_ignore_invalid_base64' '${if eq{a}{b}{x}fail}~client_set_id = a' '${bad' ''; do W="client_send $c"; sender "pl:~driver = plaintext~public_name = PLAIN~client_send = $c~$LO" "$B"; t x@two.test; t x@two.test 'auth:PLAIN=334 |235 k'; done
for o in 'authenticated_sender = s@me.test' 'authenticated_sender = a b+c=d\x01@é' 'authenticated_sender_force' 'authenticated_sender = q@me.test~authenticated_sender_force'; do W=$o; sender "$PL" "$B~$o"; t x@a.test 'auth=535 no'; t x@a.test; done
# Several messages over a connection, and one after a failure.
many() { echo "##### many $W $*"; host 2 "$EH" "$@"; for n in 1 2 3; do msg q$n | $exim -oi -odq -f ann@me.test x$n@a.test; done; $exim -qq; sleep 0.5; gone 2; clean; }
sender "$PL" "$B"; many; many 'auth=535 no'; many 'auth=454 l'; sender "$PL" 'hosts_require_auth = *'; many; many 'auth=535 no'; sender "$PL" "$B~connection_max_messages = 1"; many; sender "$PL" "$B~max_rcpt = 1"; many 'mail=530 no'
