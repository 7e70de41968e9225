# Hosts that the DNS vouches for (DANE): records of every kind, good, wrong, of no use and not to be had, and what is told of them.
C=$work/certs; mkdir $C; cd $C
# Authorities, and what they sign: NAME SUBJECT AUTHORITY [EXTENSION].
new() { openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj "$2" 2>/dev/null; }
authority() { openssl req -x509 -newkey rsa:2048 -nodes -keyout $1.key -out $1.pem -days 30 -subj "/C=GB/O=Test/CN=$1" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null; }
signed() { new $1 "$2"; openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -set_serial $((++SERIAL)) -days 20 -out $1.pem -extfile <(echo "${4:-basicConstraints=CA:FALSE}") 2>/dev/null; }
SERIAL=16; authority ca; authority other; N=subjectAltName=DNS:*.mx.test,DNS:server.test
signed server /C=GB/O=Test/CN=server.test ca $N; signed stranger /O=Elsewhere/CN=stranger.test other $N
signed named /C=GB/O=Test/CN=elsewhere.test ca
signed inter /O=Test/CN=inter ca $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign'; signed deep /O=Test/CN=deep.test inter $N
openssl req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.pem -days 20 -subj /CN=self.test -addext $N 2>/dev/null
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=ca.index\nserial=ca.srl\nnew_certs_dir=.\nunique_subject=no\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\n%s\n' $N > ca.conf; : > ca.index; echo 60 > ca.srl
dated() { new $1 /CN=$1.test; openssl ca -batch -config ca.conf -keyfile ca.key -cert ca.pem -in $1.csr -out $1.pem -startdate $2 -enddate $3 -notext 2>/dev/null; }
dated expired 20200101000000Z 20210101000000Z
chain() { cat ${@:2} > $1.pem; cp ${2%.pem}.key $1.key; }
chain shown server.pem ca.pem; chain half deep.pem inter.pem; chain whole deep.pem inter.pem ca.pem
chain named2 named.pem ca.pem
chmod 644 *; cd $work
# Scripted hosts with TLS: thost NUMBER [opt=value]..., what they hear is told by `tgone`.
cat > thost.py <<'P'
import socket,ssl,sys,threading,time,warnings; warnings.simplefilter('ignore'); certs,addr,out=sys.argv[1:4]; o=dict(a.split('=',1) for a in sys.argv[4:])
port=int(o.get('port','25')); f=open(out,'a',buffering=1); lock=threading.Lock(); n=0
def log(s):
    with lock: f.write(s+'\n')
ctx=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); cert=o.get('cert','server'); ctx.load_cert_chain(f'{certs}/{cert}.pem',f'{certs}/{cert}.key')
sni=['-']; ctx.sni_callback=lambda s,name,c: sni.__setitem__(0,name)
def serve(c,n):
    secure=False; told=''
    def secured(c):
        sni[0]='-'; c=ctx.wrap_socket(c,server_side=True)
        p=c.getpeercert(); who='/'.join('='.join(x[0]) for x in p['subject']) if p else 'none'
        return c,f'{n} tls {c.version()} sni={sni[0]} client={who} alpn={c.selected_alpn_protocol()} reused={c.session_reused}'
    try:
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
                say('250-host'+('' if secure or o.get('starttls')=='none' else '|250-STARTTLS')+''.join('|250-'+x for x in o.get('ext2' if secure else 'ext','').split(',') if x)+'|250 HELP')
            elif v=='STARTTLS':
                a=o.get('starttls','220 go')
                if a=='close': log(f'{n} we close'); c.close(); return
                say(a)
                if a.startswith('2'):
                    c,told=secured(c); secure=True; r=c.makefile('rb')
            elif v=='DATA':
                say('354 go'); 
                while r.readline() not in (b'.\r\n',b''): pass
                say(o.get('end','250 taken'))
            elif v=='QUIT':
                say('221 bye'); log(f'{n} bye')
                try: c.settimeout(1); c=c.unwrap() if secure else c
                except OSError: pass
                c.close(); return
            elif v=='RCPT': say(o.get('rcpt','250 ok'))
            elif v=='MAIL': say(o.get('mail','250 ok'))
            else: say('250 ok')
    except Exception as e: log(f'{n} {"tls fails" if "SSL" in type(e).__name__ or not secure else "gone"}'); c.close()
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind((addr,port)); s.listen(64); log('ready')
while True:
    c,_=s.accept(); n+=1; threading.Thread(target=serve,args=(c,n),daemon=True).start()
P
thost() { local n=$1; shift; : > thost.$n; ( exec nsenter -t "$other" -n python3 thost.py $C 192.0.2.$n thost.$n "$@" 2>/dev/null ) & eval "T$n=$!"; for _ in $(seq 100); do grep -q ready thost.$n && break; sleep 0.02; done; }
tgone() { sleep 0.1; local n; for n; do eval "kill \$T$n; wait \$T$n 2>/dev/null"; echo "=== host $n"; sed 1d thost.$n | sort -s -n -k1,1; done; }
# What the libraries say of a fault is left out.
less() { sed -E 's/(\(certificate verification failed\))(: [A-Za-z ,.:-]*)?(: delivering| h=|$)/\1\3/; s/\((gnutls_handshake|SSL_accept|SSL_connect)\): .*/(handshake): WHY/; s/\((recv|SSL_read)\): .*/(read): WHY/; s/\((send|SSL_write)\): .*/(write): WHY/; s/(\(cert\/key setup: [^)]*\)): .*/\1: WHY/; s/\((gnutls_priority_init|SSL_CTX_set_cipher_list)\(.*/(ciphers): WHY/; s/TLS1\.([0-9]):[A-Z0-9_-]+(:[0-9]+)?/TLS1.\1:CIPHER/g; s/Ci=[0-9]+/Ci=N/'; }
tlogs() { logs | less; }
clear() { $exim -bp | awk '/^ *[0-9]+[smhd]/ {print "queued"}'; ids | xargs -r $exim -Mrm > /dev/null; logs > /dev/null; }
SHOWN='v=$tls_out_ver dn=$tls_out_peerdn ver=$tls_out_certificate_verified sni=$tls_out_sni peer=${certextract{subject}{$tls_out_peercert}} our=${certextract{subject}{$tls_out_ourcert}} dane=$tls_out_dane tlsa=$tls_out_tlsa_usage ocsp=$tls_out_ocsp res=$tls_out_resumption'
sender() { conf <<E
qualify_domain = me.test
tls_advertise_hosts =
dns_dnssec_ok = 1
dns_trust_aa = *
log_selector = +tls_cipher +tls_peerdn +tls_certificate_verified +tls_sni +tls_resumption +smtp_confirmation -queue_time +outgoing_port +dnssec
begin acl
event:
 warn logwrite = event \$event_name \${if match{\$event_name}{fail:connect}{WHY}{\$event_data}} h=\$host a=\$host_address port=\$host_port $SHOWN
 accept
begin routers
r:
 driver = dnslookup
 domains = *.test
 transport = s
 dnssec_request_domains = *
begin transports
s:
 driver = smtp
 connect_timeout = 2s
 command_timeout = 3s
 hosts_try_fastopen =
$1
begin retry
* * F,1h,1m
E
}
EV='event_action = ${if match{$event_name}{^(tls:|dane:|tcp:close|msg:)}{${acl{event}}}}'
# One message to a domain: one DOMAIN TRANSPORT-OPTIONS HOST-OPTIONS...
one() { local d=$1 o=${2//|/$'\n'}; shift 2; echo "##### $d ${o//$C/C} <> $*"; sender "$o
 ${EV}"; rm -rf $S/db/*; thost 2 "$@"; send a@me.test x@$d; tgone 2; tlogs; clear; }
# The name server: one domain for each kind of record, NAME.test with the host NAME.mx.test; and one that fails.
spki() { openssl x509 -in $C/$1.pem -noout -pubkey | openssl pkey -pubin -outform der | openssl ${2:-sha256} -r | cut -d' ' -f1; }
cert() { openssl x509 -in $C/$1.pem -outform der | openssl ${2:-sha256} -r | cut -d' ' -f1; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
ZERO=$(printf '%064d' 0)
{ printf '$TTL 60\n. SOA a. b. 1 1 1 1 60\n. NS a.\na. A 127.0.0.1\n'
site() { printf '%s.test. MX 10 %s.mx.test.\n%s.mx.test. A 192.0.2.2\n' $1 $1 $1; }
rec() { local n=$1; shift; site $n; for r; do echo "_25._tcp.$n.mx.test. TLSA $r"; done; }
rec ee1 "3 1 1 $(spki server)"; rec ee2 "3 1 2 $(spki server sha512)"; rec ee3 "3 0 1 $(cert server)"; rec ee4 "3 0 2 $(cert server sha512)"
rec ee5 "3 0 0 $(openssl x509 -in $C/server.pem -outform der | hex)"; rec ee6 "3 1 0 $(openssl x509 -in $C/server.pem -noout -pubkey | openssl pkey -pubin -outform der | hex)"
rec ta1 "2 0 1 $(cert ca)"; rec ta2 "2 1 1 $(spki ca)"; rec ta3 "2 0 0 $(openssl x509 -in $C/ca.pem -outform der | hex)"; rec ta4 "2 1 1 $(spki inter)"
rec taleaf "2 1 1 $(spki server)"; rec eeca "3 1 1 $(spki ca)"
rec pkix "1 1 1 $(spki server)"; rec pkixta "0 0 1 $(cert ca)"; rec sel "3 2 1 $(spki server)"; rec mat "3 1 3 $(spki server)"; rec use "4 1 1 $(spki server)"
rec bad "3 1 1 $ZERO"; rec badta "2 1 1 $ZERO"; rec short "3 1 1 00112233"; rec long "3 1 1 $(spki server)00"
rec both "3 1 1 $ZERO" "3 1 1 $(spki server)"; rec mix "3 1 1 $ZERO" "2 1 1 $(spki ca)"; rec half "1 1 1 $(spki server)" "3 1 1 $ZERO"; rec unus "1 1 1 $ZERO" "0 0 1 $ZERO"
rec selfee "3 1 1 $(spki self)"; rec selfta "2 1 1 $(spki self)"; rec exp "3 1 1 $(spki expired)"; rec named "3 1 1 $(spki named)"; rec namedta "2 1 1 $(spki ca)"
rec badboth "3 1 1 $(spki server)" "3 1 2 $(spki stranger sha512)"
site none; printf 'addr.test. A 192.0.2.2\n_25._tcp.addr.test. TLSA 3 1 1 %s\n' $(spki server)
printf 'cn.test. MX 10 cn.mx.test.\ncn.mx.test. CNAME cnreal.mx.test.\ncnreal.mx.test. A 192.0.2.2\n_25._tcp.cnreal.mx.test. TLSA 3 1 1 %s\n' $(spki server)
printf 'cm.test. MX 10 cm.mx.test.\ncm.mx.test. CNAME cnreal.mx.test.\n_25._tcp.cm.mx.test. TLSA 3 1 1 %s\n' $(spki server)
printf 'al.test. MX 10 al.mx.test.\nal.mx.test. A 192.0.2.2\n_25._tcp.al.mx.test. CNAME records.mx.test.\nrecords.mx.test. TLSA 3 1 1 %s\n' $(spki server)
printf 'dom.test. CNAME ee1.test.\nfail.test. MX 10 x.fail.test.\nlater.test. MX 10 later.mx.test.\nlater.mx.test. A 192.0.2.2\n_25._tcp.later.mx.test. CNAME x.fail.test.\n'
printf 'port.test. MX 10 port.mx.test.\nport.mx.test. A 192.0.2.2\n_465._tcp.port.mx.test. TLSA 3 1 1 %s\n_25._tcp.port.mx.test. TLSA 3 1 1 %s\n' $(spki server) $ZERO
} > zone.txt
dns < zone.txt 2>/dev/null; printf 'zone:\n name: "fail.test"\n zonefile: "missing"\n' >> $work/nsd/nsd.conf; kill $! ; sleep 0.3; nsd -c $work/nsd/nsd.conf -d 2>/dev/null & sleep 0.6
echo '##### records of each kind, and none'
for d in ee1 ee2 ee3 ee4 ee5 ee6 pkix pkixta sel mat use bad badta short long both mix half unus badboth none addr cn cm al dom later fail port eeca taleaf; do one $d.test ''; done
echo '##### authorities, shown and not'
for d in ta1 ta2 ta3 mix; do one $d.test '' cert=shown; done; for d in ta1 ta4; do one $d.test '' cert=half; one $d.test '' cert=whole; done
for d in ta1 ta2 ta3; do one $d.test ''; done
echo '##### certificates that nobody else would believe'
one selfee.test '' cert=self; one selfta.test '' cert=self; one exp.test '' cert=expired; one named.test '' cert=named; one namedta.test '' cert=named2
