# TLS on both sides: what a server offers, demands and tells of it, and what a client does.
C=$work/certs; mkdir $C; cd $C
# An authority, another one that nobody believes, and what they sign: NAME SUBJECT AUTHORITY EXTENSION.
authority() { openssl req -x509 -newkey rsa:2048 -nodes -keyout $1.key -out $1.pem -days 30 -subj "/C=GB/O=Test/CN=$1" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null; : > $1.index; echo 01 > $1.crlnumber; }
signed() { openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj "$2" 2>/dev/null; openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -set_serial $((++SERIAL)) -days ${5:-20} -out $1.pem -extfile <(echo "${4:-basicConstraints=CA:FALSE}") 2>/dev/null; }
authority ca; authority other; SERIAL=16
signed server /C=GB/O=Test/CN=server.test ca subjectAltName=DNS:server.test,DNS:alt.test
signed client /C=GB/O=Test/CN=client.test ca
signed stranger /O=Elsewhere/CN=stranger.test other
signed revoked /CN=revoked.test ca
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=ca.index\ncrlnumber=ca.crlnumber\ndefault_md=sha256\ndefault_crl_days=20\n' > crl.conf
openssl ca -config crl.conf -revoke revoked.pem -keyfile ca.key -cert ca.pem 2>/dev/null
openssl ca -config crl.conf -gencrl -keyfile ca.key -cert ca.pem -out crl.pem 2>/dev/null
cat server.pem server.key > both.pem; cat server.key server.pem > yektoob.pem; : > empty.pem; echo rubbish > rubbish.pem
cat ca.pem other.pem > all.pem; mkdir dir; cp ca.pem dir; openssl rehash dir 2>/dev/null
cp server.key secret.key; chmod 600 secret.key; chmod 644 ca.* other.* server.* client.* stranger.* revoked.* crl.pem both.pem yektoob.pem all.pem empty.pem rubbish.pem; cd $work
# A client: lines from the standard input, `TLS [cert=NAME] [sni=N] [alpn=N,N] [ver=1.2] [ciphers=C]` begins TLS, `RAW` sends as it is, `HEAR` only waits, `PAUSE` does.
cat > tlsay.py <<'P'
import socket,ssl,sys,time,os,warnings; warnings.simplefilter('ignore'); certs,dst,port=sys.argv[1:4]; s=socket.socket(); s.settimeout(3); s.connect((dst,int(port)))
buf=b''
def line():
    global buf
    while b'\n' not in buf:
        try: d=s.recv(4096)
        except socket.timeout: return 'TIMEOUT'
        except OSError as e: return None
        if not d or d[0]==21: return None # gone, with an alert or without
        buf+=d
    l,buf=buf.split(b'\n',1); return l.decode('utf8','replace').rstrip('\r')
last=''
def hear():
    global last; offers=''
    while True:
        l=last=line()
        if l is None: print('(closed)'); sys.exit()
        if l=='250-STARTTLS': offers=' (offers TLS)'
        if l[3:4]!='-': print('  '+l+offers); return
def tls(words):
    global s,buf; o=dict(w.split('=',1) for w in words); c=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname=False; c.verify_mode=ssl.CERT_NONE
    if 'cert' in o: c.load_cert_chain(f"{certs}/{o['cert']}.pem",f"{certs}/{o['cert']}.key")
    if 'alpn' in o: c.set_alpn_protocols(o['alpn'].split(','))
    if 'ciphers' in o: c.set_ciphers(o['ciphers'])
    if o.get('ver')=='1.2': c.maximum_version=ssl.TLSVersion.TLSv1_2
    if o.get('ver')=='1.3': c.minimum_version=ssl.TLSVersion.TLSv1_3
    if o.get('ver')=='1.1': c.set_ciphers('ALL:@SECLEVEL=0'); c.minimum_version=ssl.TLSVersion.TLSv1; c.maximum_version=ssl.TLSVersion.TLSv1_1
    try:
        s=c.wrap_socket(s,server_hostname=o.get('sni'))
    except OSError as e:
        print('(tls fails)'); sys.exit()
    der=s.getpeercert(True); open(f'{certs}/got.der','wb').write(der); subject=os.popen(f'openssl x509 -inform der -in {certs}/got.der -noout -subject').read().strip()
    print('(tls %s %s alpn=%s)'%(s.version(),subject,s.selected_alpn_protocol()))
lines=sys.stdin.read().split('\n')[:-1]
if not lines or not lines[0].startswith('TLS'): hear()
first=True; data=False
for l in lines:
    print('> '+l) if not data else None; w=l.split(' ')
    if w[0]=='TLS':
        if last[:1] in '45' and last: sys.exit()
        tls(w[1:])
        if first: first=False; hear()
        continue
    first=False
    try:
        if w[0]=='PAUSE': time.sleep(float(w[1])); continue
        if w[0]=='HEAR': hear(); continue
        if w[0]=='RAW': s.sendall(l[4:].encode().replace(b'\\r',b'\r').replace(b'\\n',b'\n')); continue
        if w[0]=='UNWRAP':
            try: s=s.unwrap(); print('(unwrapped)')
            except OSError as e: print('(unwrap: error)'); sys.exit()
            continue
        if w[0]=='END': s.shutdown(socket.SHUT_WR); hear(); continue
        s.sendall(l.encode()+b'\r\n')
    except OSError: print('(gone)'); sys.exit()
    if data:
        if l!='.': continue
        data=False
    elif l=='DATA': data=True
    hear()
s.close()
P
tlsay() { local p=${1:-25}; python3 tlsay.py $C 127.0.0.1 $p; }
t() { local p=25; case $1 in :*) p=${1#:}; shift;; esac; for l; do echo "$l"; done | tlsay $p > said; cat said; sleep 0.25; grep -q "(closed)\|(tls f" said && sleep 0.5; tlogs; }
# What the libraries say of a fault is left out.
less() { sed -E 's/(\(certificate verification failed\))(: [A-Za-z ,-]*)?(: delivering| h=|$)/\1\3/; s/\((gnutls_handshake|SSL_accept|SSL_connect)\): .*/(handshake): WHY/; s/\((recv|SSL_read)\): .*/(read): WHY/; s/\((send|SSL_write)\): .*/(write): WHY/; s/(\(cert\/key setup: [^)]*\)): .*/\1: WHY/; s/\((gnutls_priority_init|SSL_CTX_set_cipher_list)\(.*/(ciphers): WHY/; s/TLS1\.([0-9]):[A-Z0-9_-]+(:[0-9]+)?/TLS1.\1:CIPHER/g; s/Ci=[0-9]+/Ci=N/'; }
tlogs() { logs | less; }
site() { conf <<E
$(grep -q '^tls_cert' <<< "$1" || echo "tls_certificate = $C/server.pem
tls_privatekey = $C/server.key")
qualify_domain = me.test
host_lookup =
queue_only
log_selector = +smtp_connection +smtp_syntax_error +smtp_incomplete_transaction +smtp_protocol_error +tls_sni +tls_peerdn +tls_certificate_verified +received_recipients -queue_time
acl_smtp_rcpt = rcpt
acl_smtp_notquit = notquit
$1
begin acl
rcpt:
 warn logwrite = v=\$tls_in_ver bits=\$tls_in_bits cipher=\${if def:tls_in_cipher{set}{unset}} std=\${if def:tls_in_cipher_std{set}{unset}} verified=\$tls_in_certificate_verified dn=\$tls_in_peerdn sni=\$tls_in_sni ocsp=\$tls_in_ocsp res=\$tls_in_resumption peer=\${certextract{subject}{\$tls_in_peercert}} our=\${certextract{subject}{\$tls_in_ourcert}} proto=\$received_protocol helo=\$sender_helo_name
 accept
notquit:
 warn logwrite = notquit \$smtp_notquit_reason tls=\$tls_in_ver helo=\$sender_helo_name
event:
 warn logwrite = event \$event_name \${if eq{\$event_name}{tls:fail:connect}{WHY}{\$event_data}} peer=\${certextract{subject}{\$tls_in_peercert}}
 accept
$2
E
}
serve() { local o=${1//|/$'\n'}; shift; echo "##### ${o//$C/C}"; site "$o" "$1"; rm -f $S/d.pid; ( $exim -bd -oX "127.0.0.1.25:127.0.0.1.465" -oP $S/d.pid $2; : ); for _ in $(seq 100); do [ -s $S/d.pid ] && break; sleep 0.05; done; sleep 0.2; logs > /dev/null; }
done_() { stop; ids | xargs -r $exim -Mrm > /dev/null; tlogs | grep -v Message; }
M=('MAIL FROM:<a@y.test>' 'RCPT TO:<x@y.test>' DATA 'Subject: x' '' 'hello' . QUIT)

echo '##### STARTTLS at its moments'
serve ''
t 'STARTTLS' QUIT; t 'HELO h' STARTTLS QUIT; t 'EHLO h' 'STARTTLS now' 'STARTTLS  ' TLS "${M[@]}"; t 'EHLO h' STARTTLS TLS STARTTLS 'EHLO h' QUIT
t 'EHLO h' STARTTLS TLS 'EHLO h2' STARTTLS 'NOOP' "${M[@]}"; t 'EHLO h' STARTTLS TLS 'HELO h2' STARTTLS 'EHLO h3' STARTTLS "${M[@]}"
t 'EHLO h' 'MAIL FROM:<a@b.test>' 'STARTTLS' TLS 'RCPT TO:<x@y.test>' 'EHLO h' 'RCPT TO:<x@y.test>' QUIT; t 'EHLO h' 'RAW STARTTLS\r\nNOOP\r\n' HEAR HEAR QUIT
t 'EHLO h' 'RAW STARTTLS\r\nMAIL FROM:<a@b.test>\r\n' HEAR TLS 'EHLO h' 'QUIT'; t 'EHLO h' STARTTLS 'NOOP'; t 'EHLO h' STARTTLS; t 'EHLO h' STARTTLS TLS
t 'EHLO h' STARTTLS TLS 'EHLO h' UNWRAP NOOP QUIT; t 'EHLO h' STARTTLS TLS 'EHLO h' 'MAIL FROM:<a@b.test>' 'RAW RCPT TO'
t 'EHLO h' STARTTLS TLS 'EHLO h' 'MAIL FROM:<a@b.test>' 'RCPT TO:<x@y.test>' 'RAW DATA\r\nSubject: x\r\n\r\n' UNWRAP; t 'EHLO h' STARTTLS TLS 'EHLO h' 'RAW NOOP\r\nQUIT\r\n' HEAR HEAR HEAR
t 'EHLO h' STARTTLS 'TLS ver=1.2 sni=Some.Test' 'EHLO h' "${M[@]}"; t 'EHLO h' STARTTLS 'TLS cert=client' 'EHLO h' "${M[@]}"
done_
echo '##### options of the server, and what is wrong with them'
G=('EHLO h' STARTTLS 'TLS ver=1.2' 'EHLO h' 'MAIL FROM:<>' 'RCPT TO:<x@y.test>' QUIT)
try() { local o=$1; shift; serve "$o" ''; t "$@"; done_; }
for v in '' '!127.0.0.1:*' '${if eq{$sender_helo_name}{h}{*}}' '${if eq{1}' net-lsearch\;/nonexistent; do try "tls_advertise_hosts = $v" "${G[@]}"; done
for c in "$C/none.pem" "$C/empty.pem" "$C/server.key" '${if eq{1}' "$C/both.pem:$C/client.pem"; do try "tls_certificate = $c|tls_privatekey = $C/server.key" "${G[@]}"; done
for k in "$C/none.key" "$C/client.key" "$C/secret.key" ''; do try "tls_certificate = $C/server.pem|tls_privatekey = $k" "${G[@]}"; done
for c in "$C/both.pem" "$C/yektoob.pem" "$C/server.pem" ''; do try "tls_certificate = $c" "${G[@]}"; done
for l in tls_verify_hosts tls_try_verify_hosts hosts_require_alpn tls_resumption_hosts; do for v in '${if eq{1}' '!127.0.0.1' 'net-lsearch;/nonexistent'; do try "tls_verify_certificates = $C/ca.pem|$l = $v" "${G[@]}"; done; done
for o in tls_dhparam tls_ocsp_file tls_alpn tls_verify_certificates; do try "$o = \${if eq{1}" "${G[@]}"; done
for v in "$C/none.pem" "$C/empty.pem" "$C/dir" "$C/all.pem" "$C/client.pem"; do for l in tls_verify_hosts tls_try_verify_hosts; do try "$l = *|tls_verify_certificates = $v" 'EHLO h' STARTTLS 'TLS ver=1.2 cert=client' 'EHLO h' 'MAIL FROM:<>' 'RCPT TO:<x@y.test>' QUIT; done; done
for c in client stranger revoked; do for r in '' "$C/crl.pem"; do try "tls_try_verify_hosts = *|tls_verify_certificates = $C/ca.pem|tls_crl = $r" 'EHLO h' STARTTLS "TLS ver=1.2 cert=$c" 'EHLO h' 'MAIL FROM:<>' 'RCPT TO:<x@y.test>' QUIT; done; done
echo '##### server: moments'
try 'tls_remember_esmtp' 'EHLO h' STARTTLS TLS STARTTLS 'EHLO h' NOOP
ACLS='st:
 warn logwrite = st tls=$tls_in_ver sni=$tls_in_sni cmd=$smtp_command arg=$smtp_command_argument helo=$sender_helo_name proto=$received_protocol
 deny condition = ${if eq{$sender_helo_name}{deny}}
  message = 571 no TLS for you
  log_message = denied it
 defer condition = ${if eq{$sender_helo_name}{defer}}
  message = not now
 drop condition = ${if eq{$sender_helo_name}{drop}}
  message = go away
 accept condition = ${if eq{$sender_helo_name}{err}{${if eq{1}}}{yes}}
'
serve 'acl_smtp_starttls = st' "$ACLS"
for h in ok deny defer drop err; do t "EHLO $h" STARTTLS TLS "EHLO $h" STARTTLS QUIT; done; t 'EHLO deny' STARTTLS 'EHLO ok' STARTTLS TLS 'EHLO deny' "${M[@]}"
t 'EHLO ok' STARTTLS TLS STARTTLS NOOP
done_
serve 'acl_smtp_starttls = nosuchacl' "$ACLS"; t "EHLO h" STARTTLS QUIT; done_
serve 'acl_smtp_starttls = ${if eq{1}' "$ACLS"; t "EHLO h" STARTTLS QUIT; done_
serve 'acl_smtp_starttls =' "$ACLS"; t "EHLO h" STARTTLS TLS 'EHLO h' QUIT; done_
echo '##### server: TLS first'
for o in 'tls_on_connect_ports = 465|acl_smtp_connect = con' 'tls_on_connect_ports = 465|host_reject_connection = 127.0.0.1' 'tls_on_connect_ports = 465|smtp_banner = ${if eq{$tls_in_ver}{}{no}{$tls_in_ver $tls_in_sni $received_protocol}}'; do serve "$o" 'con:
 warn logwrite = con tls=$tls_in_ver sni=$tls_in_sni
 accept
'; t :465 'TLS sni=some.test' 'EHLO h' STARTTLS "${M[@]}";  t :25 'EHLO h' QUIT; done_; done
serve '' '' -tls-on-connect; t :25 'TLS' 'EHLO h' QUIT; done_
echo '##### the client'
# Scripted hosts with TLS: thost NUMBER [port=P] [opt=value]..., what they hear is told by `tgone`.
cat > thost.py <<'P'
import socket,ssl,sys,threading,time,warnings; warnings.simplefilter('ignore'); certs,addr,out=sys.argv[1:4]; o=dict(a.split('=',1) for a in sys.argv[4:])
port=int(o.get('port','25')); f=open(out,'a',buffering=1); lock=threading.Lock(); n=0
def log(s):
    with lock: f.write(s+'\n')
def unwrap(c):
    try:
        c.settimeout(1)
        if isinstance(c,ssl.SSLSocket): c=c.unwrap()
    except OSError: pass
    c.close()
def serve(c,n):
    secure=False
    def secured(c):
        ctx=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); cert=o.get('cert','server'); ctx.load_cert_chain(f'{certs}/{cert}.pem',f'{certs}/{cert}.key')
        if 'ask' in o: ctx.load_verify_locations(f'{certs}/ca.pem'); ctx.verify_mode=ssl.CERT_REQUIRED if o['ask']=='need' else ssl.CERT_OPTIONAL
        if 'alpn' in o: ctx.set_alpn_protocols(o['alpn'].split(','))
        if o.get('ver')=='1.2': ctx.maximum_version=ssl.TLSVersion.TLSv1_2
        if 'ciphers' in o: ctx.set_ciphers(o['ciphers'])
        sni=['-']; ctx.sni_callback=lambda s,name,c: sni.__setitem__(0,name); c=ctx.wrap_socket(c,server_side=True)
        p=c.getpeercert(); who='/'.join('='.join(x[0]) for x in p['subject']) if p else 'none'
        c=(c,f'{n} tls {c.version()} sni={sni[0]} client={who} alpn={c.selected_alpn_protocol()}'); return c
    try:
        told=''
        if 'on_connect' in o: c,told=secured(c); secure=True
        r=c.makefile('rb')
        def say(s): c.sendall(s.replace('|','\r\n').encode()+b'\r\n')
        say(o.get('greet','220 host ESMTP'))
        while True:
            l=r.readline()
            if not l: log(f'{n} closed'); return
            if told: log(told); told=''
            s=l.decode().rstrip(); v=s.split(' ')[0].upper(); log(f'{n}< {s}')
            if v in('EHLO','LHLO'):
                say(o['ehlo2'] if secure and 'ehlo2' in o else '250-host' + ('' if secure or o.get('starttls')=='none' else '|250-STARTTLS')+('|250-PIPELINING' if 'pipe' in o else '')+'|250 HELP')
            elif v=='STARTTLS':
                a=o.get('starttls','220 go')
                if a=='close': log(f'{n} we close'); c.close(); return
                say(a)
                if a.startswith('2'):
                    h=o.get('hs','')
                    if h=='close': log(f'{n} we close'); c.close(); return
                    if h=='garbage': c.sendall(b'this is no TLS at all, my friend\r\n'); time.sleep(0.1); c.close(); log(f'{n} garbage'); return
                    try: c,told=secured(c)
                    except Exception as e: log(f'{n} tls fails'); c.close(); return
                    secure=True; r=c.makefile('rb')
                    if h=='then-close': log(f'{n} we close'); c.close(); return
            elif v=='DATA':
                say('354 go')
                while r.readline() not in (b'.\r\n',b''): pass
                say(o.get('end','250 taken'))
            elif v=='QUIT': say('221 bye'); log(f'{n} bye'); unwrap(c); return
            elif v=='RCPT': say(o.get('rcpt','250 ok'))
            elif v=='MAIL': say(o.get('mail','250 ok'))
            else: say('250 ok')
    except Exception as e: log(f'{n} {"tls fails" if "SSL" in type(e).__name__ or not secure else "gone"}')
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind((addr,port)); s.listen(64); log('ready')
while True:
    c,_=s.accept(); n+=1; threading.Thread(target=serve,args=(c,n),daemon=True).start()
P
thost() { local n=$1; shift; : > thost.$n; ( exec nsenter -t "$other" -n python3 thost.py $C 192.0.2.$n thost.$n "$@" ) & eval "T$n=$!"; for _ in $(seq 100); do grep -q ready thost.$n && break; sleep 0.02; done; }
tgone() { sleep 0.1; local n; for n; do eval "kill \$T$n; wait \$T$n 2>/dev/null"; echo "=== host $n"; sed 1d thost.$n | sort -s -n -k1,1; done; }
sender() { conf <<E
qualify_domain = me.test
tls_advertise_hosts =
log_selector = +tls_cipher +tls_peerdn +tls_certificate_verified +tls_sni +smtp_confirmation -queue_time +outgoing_port
$1
begin acl
event:
 warn logwrite = event \$event_name \${if match{\$event_name}{fail:connect}{WHY}{\$event_data}} h=\$host a=\$host_address port=\$host_port \${if eq{\$event_name}{msg:delivery}{v=\$tls_out_ver dn=\$tls_out_peerdn ver=\$tls_out_certificate_verified sni=\$tls_out_sni peer=\${certextract{subject}{\$tls_out_peercert}} our=\${certextract{subject}{\$tls_out_ourcert}} dane=\$tls_out_dane}}
 accept
begin routers
r:
 driver = manualroute
 domains = *.test
 route_list = one.test 192.0.2.2 ; ok.test server.test byname ; alt.test alt.test byname ; wrong.test wrong.test byname ; two.test 192.0.2.2:192.0.2.3 ; smtps.test 192.0.2.2::465 ; * 192.0.2.2
 transport = s
 host_find_failed = defer
begin transports
s:
 driver = smtp
 connect_timeout = 2s
 command_timeout = 3s
 hosts_try_fastopen =
$2
begin retry
* * F,1h,1m
E
}
EV='event_action = ${if match{$event_name}{^(tls:|dane:|tcp:close|msg:)}{${acl{event}}}}'
# One message to a host: one TRANSPORT-OPTIONS HOST-OPTIONS...
one() { local o=${1//|/$'\n'}; shift; echo "##### ${o//$C/C} <> $*"; sender "$MAIN" "$o
 ${EV}"; rm -rf $S/db/*; thost 2 "$@"; send a@me.test x@${TO:-one.test}; tgone 2; tlogs; $exim -bp | grep -c '@one'; ids | xargs -r $exim -Mrm >/dev/null; logs > /dev/null; }
printf '127.0.0.1 localhost\n192.0.2.2 server.test\n192.0.2.2 alt.test\n192.0.2.2 wrong.test\n' > hosts; mount --bind hosts /etc/hosts
echo '##### what a host does to STARTTLS'
for h in '' starttls=none 'starttls=454 later' 'starttls=554 never' 'starttls=421 bye' starttls=close hs=close hs=garbage hs=then-close ask=want alpn=smtp cert=stranger 'ehlo2=500 what'; do
 for o in '' ' hosts_require_tls = *' ' no_tls_tempfail_tryclear' ' hosts_avoid_tls = *'; do one "$o" ${h:+"$h"}; done; done
echo '##### whom it believes'
for v in ca.pem other.pem none.pem empty.pem dir; do for o in '' ' tls_verify_hosts = *' ' tls_verify_hosts = !*| tls_try_verify_hosts = !*' ' tls_try_verify_hosts ='; do one " tls_verify_certificates = $C/$v|$o| tls_verify_cert_hostnames ="; done; done
echo '##### lists that nobody can look into'
for l in hosts_require_tls hosts_avoid_tls tls_verify_hosts hosts_require_ocsp; do one " $l = net-lsearch;/nonexistent" $([ $l = hosts_require_tls ] && echo starttls=none); done
V=" tls_verify_certificates = $C/ca.pem"
echo "##### names"
for to in ok alt wrong one; do for o in '' ' tls_verify_hosts = *' ' tls_verify_hosts = *| tls_verify_cert_hostnames = !wrong.test' ' tls_verify_hosts = *| tls_verify_cert_hostnames = 192.0.2.2' ' tls_verify_hosts = *| hosts_require_tls = *' ' tls_verify_hosts = *| tls_sni = alt.test' ; do TO=$to.test one "$V|$o"; done; done
echo '##### several hosts, ports, protocols'
two() { local o=${1//|/$'\n'}; shift; echo "##### two: ${o//$C/C} <> $1 / $2"; sender "$MAIN" "$o
 $EV"; rm -rf $S/db/*; thost 2 ${1:+"$1"}; thost 3 ${2:+"$2"}; send a@me.test x@two.test; tgone 2 3; tlogs; $exim -bp | grep -c 'two.test'; ids | xargs -r $exim -Mrm >/dev/null; logs > /dev/null; }
for o in '' ' hosts_require_tls = *' ' no_tls_tempfail_tryclear'; do for a in starttls=none 'starttls=454 later' 'starttls=554 no' hs=close hs=then-close cert=stranger; do two "$o" "$a" ''; done; done
two ' hosts_require_tls = *' starttls=none 'hs=close'; two ' hosts_require_tls = 192.0.2.2' starttls=none starttls=none
two " tls_verify_certificates = $C/ca.pem| tls_verify_hosts = *| tls_verify_cert_hostnames =| hosts_require_tls = *" cert=stranger ''
two " tls_verify_certificates = $C/ca.pem| tls_verify_hosts = 192.0.2.3| tls_verify_cert_hostnames =" cert=stranger 'cert=stranger'
# TLS first.
TO=smtps.test one ' protocol = smtps' port=465 on_connect=1; TO=one.test one ' protocol = smtps| port = 465' port=465 on_connect=1
TO=one.test one ' protocol = smtps| hosts_avoid_tls = *' port=465 on_connect=1; TO=smtps.test one ' protocol = smtps| hosts_require_tls = *' port=465
TO=smtps.test one ' protocol = smtps' port=465; TO=smtps.test one ' protocol = smtps| no_tls_tempfail_tryclear' port=465
TO=smtps.test one " protocol = smtps| tls_verify_certificates = $C/ca.pem| tls_verify_hosts = *| tls_verify_cert_hostnames =" port=465 on_connect=1 cert=stranger
TO=smtps.test one ' protocol = smtps' port=465 on_connect=1 'greet=554 go away'; TO=smtps.test one ' protocol = smtps' port=465 on_connect=1 'greet=421 later'
echo '##### client certificates, names of protocols'
for o in " tls_certificate = $C/client.pem| tls_privatekey = $C/client.key" " tls_certificate = $C/both.pem" " tls_certificate = $C/client.pem" " tls_certificate = $C/client.pem| tls_privatekey = $C/server.key" " tls_certificate = $C/none.pem" " tls_certificate = $C/client.pem| tls_privatekey = $C/none.key" " tls_privatekey = $C/client.key" " tls_certificate = $C/client.pem:$C/both.pem| tls_privatekey = $C/client.key:$C/both.pem"; do one "$o" ask=want ver=1.2; one "$o| hosts_require_tls = *" ask=want ver=1.2; done
one ' hosts_require_ocsp = *'; one ' hosts_require_ocsp = *| hosts_require_tls = *'
one " tls_verify_certificates = $C/ca.pem| tls_crl = $C/crl.pem| tls_verify_hosts = *| tls_verify_cert_hostnames =" cert=revoked
one " tls_verify_certificates = $C/ca.pem| tls_crl = $C/crl.pem| tls_verify_cert_hostnames =" cert=revoked
one " tls_verify_certificates = $C/ca.pem| tls_crl = $C/crl.pem| tls_verify_hosts = *| tls_verify_cert_hostnames ="
echo '##### several messages over one connection'
many() { echo "##### ${1//$C/C} <> ${*:2}"; sender "$MAIN
queue_run_in_order" "${1//|/$'\n'}"; rm -rf $S/db/*; local n; for n in 1 2 3; do msg q$n | $exim -odq -oi -f a@me.test x$n@one.test; done; thost 2 "${@:2}"; x -qq; sleep 0.5; tgone 2; tlogs | grep -v 'queue run'; ids | xargs -r $exim -Mrm >/dev/null; logs > /dev/null; }
for o in '' ' hosts_nopass_tls = *' ' hosts_noproxy_tls = *' ' connection_max_messages = 2' ' hosts_require_tls = *' " tls_verify_certificates = $C/ca.pem| tls_verify_cert_hostnames =| tls_sni = alt.test"; do many "$o"; done
many '' pipe=1; many '' rcpt='450 later'; many '' mail='550 no'
echo '##### events that say no'
told() { local e=$1; shift; EV="event_action = \${if eq{\$event_name}{$e}{no, not this}}" one "$@"; }
for e in tls:cert tls:fail:connect smtp:ehlo; do told $e ''; told $e '' hs=garbage; told $e ' hosts_require_tls = *'; done
echo '##### callouts'
called() { echo "##### ${1//$C/C} <> ${*:2}"; sender 'acl_smtp_rcpt = rcpt' "${1//|/$'\n'}"; sed -i 's/^begin acl/begin acl\nrcpt:\n warn verify = recipient\/callout=5s\n  logwrite = ok v=$tls_out_ver sni=$tls_out_sni cv=$tls_out_certificate_verified\n accept verify = recipient\/callout=5s\n/' /etc/exim4/exim4.conf; rm -rf $S/db/*; thost 2 "${@:2}"; printf 'EHLO h\r\nMAIL FROM:<a@me.test>\r\nRCPT TO:<x@one.test>\r\nQUIT\r\n' | $exim -bs -oMa 127.0.0.9 | grep '^[45]\|^250 [AO]'; tgone 2; tlogs; }
for o in '' ' hosts_verify_avoid_tls = *' ' hosts_require_tls = *' ' no_tls_tempfail_tryclear'; do for h in '' starttls=none 'starttls=454 later' hs=close; do called "$o" ${h:+"$h"}; done; done
