# TLS farther out: callouts and cut-through deliveries over it, proofs (OCSP) and sessions taken up again, several hosts that the DNS vouches for, kept connections, and what comes before and behind STARTTLS.
C=$work/certs; mkdir $C; cd $C
# Authorities, and what they sign: NAME SUBJECT AUTHORITY [EXTENSION].
authority() { openssl req -x509 -newkey rsa:2048 -nodes -keyout $1.key -out $1.pem -days 30 -subj "/C=GB/O=Test/CN=$1" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null; }
signed() { openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj "$2" 2>/dev/null; openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -set_serial $((++SERIAL)) -days 20 -out $1.pem -extfile <(echo "${4:-basicConstraints=CA:FALSE}") 2>/dev/null; }
SERIAL=16; authority ca; authority other; N=subjectAltName=DNS:*.mx.test,DNS:server.test,DNS:alt.test
signed server /C=GB/O=Test/CN=server.test ca $N; signed stranger /O=Elsewhere/CN=stranger.test other $N; signed client /C=GB/O=Test/CN=client.test ca $'subjectAltName=DNS:client.test,email:ann@me.test'
cat server.pem ca.pem > shown.pem; cp server.key shown.key; chmod 644 *; cd $work
# Scripted hosts with TLS: thost NUMBER [opt=value]..., what they hear is told by `tgone`; `cut=VERB` closes at this.
cat > thost.py <<'P'
import socket,ssl,sys,threading,time,warnings; warnings.simplefilter('ignore'); certs,addr,out=sys.argv[1:4]; o=dict(a.split('=',1) for a in sys.argv[4:])
port=int(o.get('port','25')); f=open(out,'a',buffering=1); lock=threading.Lock(); n=0
def log(s):
    with lock: f.write(s+'\n')
ctx=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); cert=o.get('cert','server'); ctx.load_cert_chain(f'{certs}/{cert}.pem',f'{certs}/{cert}.key')
if 'ask' in o: ctx.load_verify_locations(f'{certs}/ca.pem'); ctx.verify_mode=ssl.CERT_REQUIRED if o['ask']=='need' else ssl.CERT_OPTIONAL
if 'alpn' in o: ctx.set_alpn_protocols(o['alpn'].split(','))
if o.get('ver')=='1.2': ctx.maximum_version=ssl.TLSVersion.TLSv1_2
sni=['-']; ctx.sni_callback=lambda s,name,c: sni.__setitem__(0,name)
def serve(c,n):
    secure=False; told=''
    def secured(c):
        sni[0]='-'; c=ctx.wrap_socket(c,server_side=True)
        p=c.getpeercert(); who='/'.join('='.join(x[0]) for x in p['subject']) if p else 'none'
        return c,f'{n} tls {c.version()} sni={sni[0]} client={who} alpn={c.selected_alpn_protocol()} reused={c.session_reused}'
    def shut(c):
        log(f'{n} we close'); c.shutdown(socket.SHUT_RDWR); c.close()
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
            if o.get('cut')==v and (secure or v=='STARTTLS'): shut(c); return
            if v in('EHLO','LHLO'):
                if secure and 'ehlo2' in o: say(o['ehlo2'])
                else: say('250-host'+('' if secure or o.get('starttls')=='none' else '|250-STARTTLS')+''.join('|250-'+x for x in o.get('ext2' if secure else 'ext','').split(',') if x)+'|250 HELP')
            elif v=='STARTTLS':
                a=o.get('starttls','220 go')
                if a=='close': shut(c); return
                say(a)
                if a.startswith('2'):
                    h=o.get('hs','')
                    if h=='close': shut(c); return
                    if h=='garbage': c.sendall(b'this is no TLS at all, my friend\r\n'); time.sleep(0.1); shut(c); return
                    c,told=secured(c); secure=True; r=c.makefile('rb')
                    if h=='then-close': shut(c); return
            elif v=='DATA':
                a=o.get('data','354 go'); say(a)
                if a[:1]!='3': continue
                while True:
                    l=r.readline()
                    if l in (b'.\r\n',b''): break
                    if o.get('cut')=='BODY': shut(c); return
                if o.get('cut')=='DOT': shut(c); return
                say(o.get('end','250 taken'))
            elif v=='QUIT':
                say('221 bye'); log(f'{n} bye')
                try: c.settimeout(1); c=c.unwrap() if secure else c
                except OSError: pass
                c.close(); return
            elif v=='RCPT':
                a=o.get('rcpt','250 ok')
                if ('random' in o and 'postmaster' not in s and 'x@' not in s.lower() ): a=o['random']
                if 'pm' in o and 'postmaster' in s.lower(): a=o['pm']
                say(a)
            elif v=='MAIL': say(o.get('mail','250 ok') if '<>' not in s or 'null' not in o else o['null'])
            elif v=='AUTH': say(o.get('auth','235 ok'))
            else: say('250 ok')
    except Exception as e: log(f'{n} {"tls fails" if "SSL" in type(e).__name__ or not secure else "gone"}'); c.close()
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind((addr,port)); s.listen(64); log('ready')
while True:
    c,_=s.accept(); n+=1; threading.Thread(target=serve,args=(c,n),daemon=True).start()
P
thost() { local n=$1; shift; : > thost.$n; ( exec nsenter -t "$other" -n python3 thost.py $C 192.0.2.$n thost.$n "$@" 2>/dev/null ) & eval "T$n=$!"; for _ in $(seq 100); do grep -q ready thost.$n && break; sleep 0.02; done; }
tgone() { sleep 0.1; local n; for n; do eval "kill \$T$n 2>/dev/null; wait \$T$n 2>/dev/null"; echo "=== host $n"; sed 1d thost.$n | sort -s -n -k1,1; done; }
# What the libraries say of a fault is left out.
less() { sed -E 's/(\(certificate verification failed\))(: [A-Za-z ,.:-]*)?(: delivering|: callout| h=|$)/\1\3/; s/\((gnutls_handshake|SSL_accept|SSL_connect)\): .*/(handshake): WHY/; s/\((recv|SSL_read)\): .*/(read): WHY/; s/\((send|SSL_write)\): .*/(write): WHY/; s/(\(cert\/key setup: [^)]*\)): .*/\1: WHY/; s/\((gnutls_priority_init|SSL_CTX_set_cipher_list)\(.*/(ciphers): WHY/; s/X=TLS\S*\*/X=AGAIN/; s/TLS1\.([0-9]):[A-Z0-9_-]+(:[0-9]+)?/TLS1.\1:CIPHER/g; s/Ci=[0-9]+/Ci=N/; / event tls:cert /d; / TLS error on connection \((write|send)\)/d'; }
tlogs() { logs | less; }
clear() { $exim -bp | awk '/^ *[0-9]+[smhd]/ {print "queued"}'; ids | xargs -r $exim -Mrm > /dev/null; logs > /dev/null; }
OUT='v=$tls_out_ver bits=$tls_out_bits dn=$tls_out_peerdn cv=$tls_out_certificate_verified sni=$tls_out_sni peer=${certextract{subject}{$tls_out_peercert}{$value}{no}} our=${certextract{subject}{$tls_out_ourcert}{$value}{no}} dane=$tls_out_dane tlsa=$tls_out_tlsa_usage'
# A configuration: MAIN-OPTIONS ACLS TRANSPORT-OPTIONS.
sender() { conf <<E
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
dns_dnssec_ok = 1
dns_trust_aa = *
log_selector = +tls_cipher +tls_peerdn +tls_certificate_verified +tls_sni +tls_resumption +smtp_confirmation -queue_time +outgoing_port +dnssec
$1
begin acl
event:
 warn logwrite = event \$event_name \${if match{\$event_name}{fail:connect}{WHY}{\$event_data}} h=\$host a=\$host_address port=\$host_port $OUT
 accept
$2
begin routers
r:
 driver = ${DRIVER:-manualroute}
 domains = *.test
 ${ROUTE:-route_list = two.test 192.0.2.2:192.0.2.3 ; server.test server.test byname ; wrong.test wrong.test byname ; smtps.test 192.0.2.2::465 ; * 192.0.2.2}
 transport = s
begin transports
s:
 driver = smtp
 connect_timeout = 2s
 command_timeout = 3s
 hosts_try_fastopen =
$3
begin retry
* * F,1h,1m
begin authenticators
$AUTHS
E
}
EV='event_action = ${if match{$event_name}{^(tls:|dane:|tcp:close|msg:)}{${acl{event}}}}'
printf '127.0.0.1 localhost\n192.0.2.2 server.test\n192.0.2.2 wrong.test\n' > hosts; mount --bind hosts /etc/hosts
echo '##### callouts'
# A client on this machine says what it wants, and what it hears is told: talk LINE...
talk() { printf '%s\r\n' 'EHLO h' "$@" QUIT | $exim -bs -oMa 127.0.0.9 | grep -a '^[45]\|^250 [AO]'; }
ACLS='rcpt:
 warn verify = VERIFY
  logwrite = yes OUT x=$verify_mode
 warn !verify = VERIFY
  logwrite = no $acl_verify_message rf=$recipient_verify_failure sf=$sender_verify_failure OUT
 accept verify = VERIFY
'
# called VERIFY TRANSPORT-OPTIONS HOST-OPTIONS...
called() { local v=$1 o=${2//|/$'\n'}; shift 2; echo "##### $v ${o//$C/C} <> $*"; local a=${ACLS//VERIFY/$v}; sender "acl_smtp_rcpt = rcpt
$MAIN" "${a//OUT/$OUT}" "$o
 $EV"; rm -rf $S/db/*; thost 2 "$@"; talk "MAIL FROM:<${FROM:-a@me.test}>" "RCPT TO:<${TO:-x@one.test}>"; tgone 2; tlogs; }
R=recipient/callout=5s; V=" tls_verify_certificates = $C/ca.pem"
for o in '' ' hosts_require_tls = *' ' hosts_verify_avoid_tls = *' ' no_tls_tempfail_tryclear' "$V| tls_verify_hosts = *| tls_verify_cert_hostnames ="; do for h in '' starttls=none 'starttls=454 later' hs=close hs=then-close cert=stranger; do called $R "$o" ${h:+"$h"}; done; done
for h in 'starttls=554 never' starttls=close hs=garbage 'ehlo2=500 what' cut=RCPT 'rcpt=550 no' 'rcpt=450 later' 'mail=550 no'; do called $R '' "$h"; done
for c in 5s,random 5s,use_sender 5s,fullpostmaster 5s,random,fullpostmaster 5s,hold; do for h in '' 'random=550 no' 'pm=550 no' hs=close; do called recipient/callout=$c '' ${h:+"$h"}; done; done
for h in '' hs=close starttls=none; do FROM=x@one.test called sender/callout=5s,postmaster '' $h; FROM=x@one.test called sender/callout=5s ' hosts_require_tls = *' $h; done
for o in ' tls_alpn = smtp' ' tls_require_ciphers = NONESUCH' ' hosts_require_ocsp = *' ' hosts_require_dane = *' ' tls_sni = $host.x' " tls_certificate = $C/client.pem| tls_privatekey = $C/client.key" " tls_certificate = $C/none.pem" ' hosts_verify_avoid_tls = ${if eq{1}' ' hosts_verify_avoid_tls = *| hosts_require_tls = *'; do called $R "$o" ask=want; done
for to in server wrong; do TO=x@$to.test called $R "$V| tls_verify_hosts = *"; done
TO=x@smtps.test called $R ' protocol = smtps' port=465 on_connect=1; TO=x@smtps.test called $R ' protocol = smtps' port=465
for h in starttls=none hs=close; do thost 3; TO=x@two.test called $R ' hosts_require_tls = *' "$h"; tgone 3; done
# In a test (-bh) as well.
bh() { echo "##### -bh $1 $2 <> ${*:3}"; sender 'acl_smtp_rcpt = rcpt' "${ACLS//VERIFY/$1}" "$2"; sed -i "s/OUT/${OUT//\//\\/}/" /etc/exim4/exim4.conf; rm -rf $S/db/*; thost 2 "${@:3}"; printf '%s\r\n' 'EHLO h' 'MAIL FROM:<a@me.test>' 'RCPT TO:<x@one.test>' QUIT | $exim -bh 127.0.0.9 2>&1 | less; tgone 2; tlogs; }
bh $R ' hosts_require_tls = *'; bh $R ' hosts_require_tls = *' starttls=none
echo '##### cut through'
# A message that is cut through: through CONTROL TRANSPORT-OPTIONS HOST-OPTIONS...
through() { local v=$1 o=${2//|/$'\n'}; shift 2; echo "##### $v ${o//$C/C} <> $*"; sender "acl_smtp_rcpt = rcpt
acl_smtp_data = data
$MAIN" "rcpt:
 warn control = $v
 accept logwrite = rcpt $OUT
data:
 accept logwrite = data $OUT
" "$o
 $EV"; rm -rf $S/db/*; thost 2 "$@"; printf '%s\r\n' 'EHLO h' 'MAIL FROM:<a@me.test>' "RCPT TO:<${TO:-x@one.test}>" DATA 'Subject: x' '' hello . NOOP QUIT | $exim -bs -oMa 127.0.0.9 -odq | grep -a '^[345]\|^250 [AO]' | sed 's/id=.*/id=X/'; tgone 2; tlogs; clear; }
D=cutthrough_delivery
for h in '' starttls=none 'starttls=454 later' starttls=close hs=close hs=garbage hs=then-close cert=stranger 'ehlo2=500 what' cut=MAIL cut=RCPT cut=DATA cut=BODY cut=DOT cut=QUIT 'rcpt=550 no' 'mail=550 no' 'data=550 no' 'end=450 later' 'end=550 no'; do through $D '' ${h:+"$h"}; done
for c in pass spool; do for h in hs=close cut=RCPT cut=BODY 'rcpt=450 later' 'data=450 later' 'end=450 later'; do through $D/defer=$c '' "$h"; through $D/defer=$c ' hosts_require_tls = *' "$h"; done; done
for o in ' hosts_avoid_tls = *' "$V| tls_verify_hosts = *| tls_verify_cert_hostnames =" ' hosts_require_dane = *' " tls_certificate = $C/client.pem| tls_privatekey = $C/client.key"; do through $D "$o" ask=want; done
TO=x@smtps.test through $D ' protocol = smtps' port=465 on_connect=1
echo '##### what depends on the host'
one() { local o=${1//|/$'\n'}; shift; echo "##### ${o//$C/C} <> $*"; sender "$MAIN" '' "$o
 ${EV}"; rm -rf $S/db/*; thost 2 "$@"; send ${FROM:-a@me.test} x@${TO:-one.test}; tgone 2; tlogs; clear; }
mkdir $C/in; for n in one.test server.test 192.0.2.2; do cat $C/client.pem $C/client.key > $C/in/$n; done; cp $C/ca.pem $C/192.0.2.2.ca; chmod 644 $C/in/* $C/*.ca
for v in host host_address domain domain_data; do for to in one server; do TO=$to.test one " tls_certificate = $C/in/\$$v" ask=want; done; done
for v in host host_address; do TO=x@server.test called $R " tls_certificate = $C/in/\$$v" ask=want; done
one " tls_verify_certificates = $C/\$host_address.ca"; for n in '$host' '$domain' 'a b' : 192.0.2.2 a.test.; do TO=server.test one " tls_sni = $n"; done
for o in ' hosts_require_alpn = *| tls_alpn = smtp' ' tls_alpn = smtp : esmtp' ' tls_alpn =| hosts_require_alpn = *'; do for h in '' alpn=smtp alpn=http; do one "$o" $h; done; done
echo '##### kept connections'
# Several messages: many TRANSPORT-OPTIONS HOST-OPTIONS...
many() { echo "##### ${1//$C/C} <> ${*:2}"; sender "${MAIN:-queue_run_in_order}" '' "${1//|/$'\n'}
 $EV"; rm -rf $S/db/*; local n; for n in ${TOS:-x1@one.test x2@one.test x3@one.test}; do msg q$n | $exim -odq -oi -f ${n%%@*}@me.test $n; done; thost 2 "${@:2}"; ${THREE:-:} 3; x ${RUN:--qq}; sleep 0.7; [ -z "$THREE" ] || tgone 3; tgone 2; tlogs | grep -v 'queue run'; clear; }
for o in '' ' hosts_nopass_tls = *' ' connection_max_messages = 2' ' tls_sni = $local_part.test' ' tls_sni = $sender_address_local_part.test' ' hosts_require_tls = *' " tls_certificate = $C/client.pem| tls_privatekey = $C/client.key" ' protocol = smtps| port = 25'; do case $o in *smtps*) many "$o" on_connect=1;; *) many "$o" ask=want;; esac; done
for h in ext2=PIPELINING 'rcpt=450 later' 'mail=550 no' cut=DOT 'end=550 x' starttls=none ver=1.2; do many '' "$h"; done; RUN=-qqf many ''
TOS='x1@one.test x2@server.test x3@wrong.test' many ''; TOS='x1@server.test x2@wrong.test x3@server.test' many "$V"
AUTHS='a:
 driver = plaintext
 public_name = PLAIN
 client_send = ^u^p'
for o in ' hosts_require_auth = *' ' hosts_try_auth = ${if def:tls_out_cipher{*}}'; do many "$o" 'ext2=AUTH PLAIN'; many "$o" 'ext2=AUTH PLAIN' 'auth=535 no'; done; AUTHS=
echo '##### proofs, and sessions taken up again'
cd $C; printf 'V\t360101000000Z\t\t%s\tunknown\t/CN=x\n' $(openssl x509 -in server.pem -noout -serial | cut -d= -f2) > v.index; printf 'R\t360101000000Z\t250101000000Z\t%s\tunknown\t/CN=x\n' $(openssl x509 -in server.pem -noout -serial | cut -d= -f2) > r.index; printf 'V\t360101000000Z\t\t99\tunknown\t/CN=x\n' > u.index
signed signer /CN=signer ca extendedKeyUsage=OCSPSigning
proof() { local n=$1 i=$2; shift 2; openssl ocsp -index $i.index -issuer ca.pem -CA ca.pem -cert server.pem -respout $n.der "$@" >/dev/null 2>&1; }
proof good v -rsigner ca.pem -rkey ca.key -ndays 5; proof revoked r -rsigner ca.pem -rkey ca.key -ndays 5; proof unknown u -rsigner ca.pem -rkey ca.key -ndays 5; proof signed v -rsigner signer.pem -rkey signer.key -ndays 5; proof foreign v -rsigner other.pem -rkey other.key -ndays 5; proof endless v -rsigner ca.pem -rkey ca.key
openssl ocsp -index v.index -issuer ca.pem -CA ca.pem -cert client.pem -respout alien.der -rsigner ca.pem -rkey ca.key -ndays 5 >/dev/null 2>&1
echo rubbish > rubbish.der; : > empty.der; { echo '-----BEGIN OCSP RESPONSE-----'; base64 -w64 good.der; echo '-----END OCSP RESPONSE-----'; } > good.pemproof; chmod 644 *; cd $work
# The real one, far away, which shows a proof and takes sessions up again.
far() { tr '|' '\n' > far.conf <<< "primary_hostname = far.test|spool_directory = $work/far|log_file_path = $work/far/log/%slog|keep_environment =|received_header_text = Received: x|qualify_domain = far.test|host_lookup =|queue_only|tls_certificate = $C/shown.pem|tls_privatekey = $C/server.key|acl_smtp_rcpt = rcpt|log_selector = +tls_resumption +tls_sni|$1|begin acl|rcpt:| accept logwrite = far v=\$tls_in_ver sni=\$tls_in_sni ocsp=\$tls_in_ocsp res=\$tls_in_resumption"
chown root far.conf; rm -rf far; mkdir -p far/log; chown -R Debian-exim: far; chmod 755 far; rm -f far.pid
( nsenter -t "$other" -n /usr/sbin/exim4 -C $work/far.conf -bd -oX 192.0.2.2.25:192.0.2.2.465 -oP $work/far.pid 2>/dev/null; : ); for _ in $(seq 100); do [ -s far.pid ] && break; sleep 0.05; done; sleep 0.2; }
endfar() { kill $(cat far.pid); sleep 0.3; echo "=== far"; cat far/log/* | sed 's/X=\S*\(\*\?\) /X=TLS\1 /' | grep -av 'daemon started\|listening' | cut -d' ' -f3- | grep -a 'far v\|TLS\|OCSP'| less; }
SHORT=$OUT; OUT="$OUT ocsp=\$tls_out_ocsp res=\$tls_out_resumption"
less2() { sed -E '/event tls:cert/d; s|res=9|res=1|; s|res=11|res=3|; s|res=31|res=23|; s|ocsp=3|ocsp=1|; s| v= bits=0 .*||; s| v=TLS1.3 bits=256 dn= .*||; s|bits.*(ocsp=)|\1|'; }; 
proved() { local o=${2//|/$'\n'}; echo "##### $1 ${o//$C/C}"; sender '' '' "$o
 $EV"; rm -rf $S/db/*; far "tls_ocsp_file = $C/$1"; send a@me.test x@one.test; endfar; tlogs | less2; clear; }
for p in good.der signed.der endless.der good.pemproof revoked.der unknown.der foreign.der; do for o in "$V" "$V| hosts_require_ocsp = *| hosts_require_tls = *"; do proved $p "$o"; done; done
for o in '' ' hosts_require_ocsp = *' " tls_verify_certificates = $C/other.pem| hosts_require_ocsp = *"; do proved good.der "$o"; done
# sessions taken up again
again() { local o=${2//|/$'\n'}; echo "##### again $1 <> ${o//$C/C}" | sed s/tls_res/tls-res/g; sender "queue_run_in_order" '' "$o
 $EV"; rm -rf $S/db/*; far "$1"; send a@me.test x@one.test; send a@me.test x@one.test; SUBJECT=z send a@me.test y@one.test; endfar; tlogs | less2; clear; }
for s in '' 'tls_resumption_hosts = *' 'tls_resumption_hosts = *|tls_require_ciphers = NORMAL:-VERS-TLS1.3'; do for o in ' tls_resumption_hosts = *' "$V| tls_resumption_hosts = *| tls_verify_hosts = *| tls_verify_cert_hostnames =" ' tls_resumption_hosts = *| tls_sni = s.test' ' tls_resumption_hosts = 192.0.2.3'; do again "$s" "$o"; done; done
OUT=$SHORT
echo '##### hosts that the DNS vouches for'
# The name server: domains whose first host is bad in one way, and whose second is good.
spki() { openssl x509 -in $C/$1.pem -noout -pubkey | openssl pkey -pubin -outform der | openssl ${2:-sha256} -r | cut -d' ' -f1; }
cert() { openssl x509 -in $C/$1.pem -outform der | openssl ${2:-sha256} -r | cut -d' ' -f1; }
ZERO=$(printf '%064d' 0)
{ printf '$TTL 60\n. SOA a. b. 1 1 1 1 60\n. NS a.\na. A 127.0.0.1\n'
mx() { printf '%s.test. MX 10 %s.mx.test.\n%s.mx.test. A 192.0.2.2\n%s.test. MX 20 g%s.mx.test.\ng%s.mx.test. A 192.0.2.3\n' $1 $1 $1 $1 $1 $1; [ -z "$2" ] || printf '_25._tcp.%s.mx.test. TLSA %s\n' $1 "$2"; [ -z "$3" ] || printf '_25._tcp.g%s.mx.test. TLSA %s\n' $1 "$3"; }
EE="3 1 1 $(spki server)"; TA="2 0 1 $(cert ca)"; BAD="3 1 1 $ZERO"; BADTA="2 0 1 $ZERO"; UNUS="1 1 1 $ZERO"
mx ee "$EE" "$EE"; mx ta "$TA" "$TA"; mx bad "$BAD" "$EE"; mx bt "$BADTA" "$TA"; mx no '' "$EE"; mx nn '' ''; mx un "$UNUS" "$EE"; mx en "$EE" ''; mx bb "$BAD" "$BAD"; mx bn "$BAD" ''
mx la '' "$EE"; printf '_25._tcp.la.mx.test. CNAME x.fail.test.\n'; mx ll '' ''; printf '_25._tcp.ll.mx.test. CNAME x.fail.test.\n_25._tcp.gll.mx.test. CNAME x.fail.test.\n'
} > zone.txt
dns < zone.txt 2>/dev/null; printf 'zone:\n name: "fail.test"\n zonefile: "missing"\n' >> $work/nsd/nsd.conf; kill $! ; sleep 0.3; nsd -c $work/nsd/nsd.conf -d 2>/dev/null & sleep 0.6
DRIVER=dnslookup ROUTE='dnssec_request_domains = *
 ignore_target_hosts = 192.0.2.99'
# One message to a domain with two hosts: pair DOMAIN TRANSPORT-OPTIONS HOST-OPTIONS...
pair() { local d=$1 o=${2//|/$'\n'}; shift 2; echo "##### $d ${o//$C/C} <> $*"; sender "$MAIN" '' "$o
 $EV"; rm -rf $S/db/*; thost 2 "$@"; thost 3 ${SECOND:-cert=shown}; send a@me.test x@$d.test; tgone 2 3; tlogs; clear; }
for d in ee ta bad bt no nn un en bb bn la ll; do pair $d ''; pair $d ' hosts_require_dane = *' cert=shown; done
for h in starttls=none 'starttls=454 later' hs=close hs=then-close cert=stranger 'greet=421 later' 'mail=550 no'; do pair ee '' "$h"; pair bn '' "$h"; done
for o in ' hosts_require_dane = 192.0.2.3' ' hosts_require_dane = *.mx.test| hosts_try_dane =' ' hosts_try_dane =' ' dane_require_tls_ciphers = NONESUCH' ' tls_require_ciphers = NONESUCH' ' hosts_avoid_tls = *' ' hosts_request_ocsp = ${if or {{= {0}{$tls_out_tlsa_usage}}{= {4}{$tls_out_tlsa_usage}}}{*}{}}' ' hosts_require_ocsp = ${if = {4}{$tls_out_tlsa_usage}{*}}' ' tls_sni = some.test' ' port = 26'; do for d in ee ta; do pair $d "$o" cert=shown; done; done
for d in ee bad bb bn nn la ll; do thost 3 cert=shown; TO=x@$d.test called $R '' cert=shown; tgone 3; done; for d in ee nn; do TO=x@$d.test called $R ' hosts_require_dane = *' cert=shown; done
for h in starttls=none hs=close cert=stranger; do TO=x@ee.test called $R '' $h; TO=x@ee.test through $D/defer=pass '' $h; done; TO=x@ee.test through $D ''
echo '##### the server'
cd $C; signed revoked /CN=revoked.test ca; : > ca.index; echo 01 > ca.crlnumber; printf '[ca]\ndefault_ca=d\n[d]\ndatabase=ca.index\ncrlnumber=ca.crlnumber\ndefault_md=sha256\ndefault_crl_days=20\n' > crl.conf
openssl ca -config crl.conf -revoke revoked.pem -keyfile ca.key -cert ca.pem 2>/dev/null; openssl ca -config crl.conf -gencrl -keyfile ca.key -cert ca.pem -out crl.pem 2>/dev/null; chmod 644 *; cd $work
# The client is that of `tlsides.sh`.
eval "$(sed -n '/^cat > tlsay.py/,/^t() /p' $here/cases/tlsides.sh)"
site() { conf <<E
$(grep -q '^tls_cert' <<< "$1" || echo "tls_certificate = $C/server.pem
tls_privatekey = $C/server.key")
qualify_domain = me.test
host_lookup =
queue_only
log_selector = +smtp_connection +smtp_syntax_error +smtp_incomplete_transaction +smtp_protocol_error +tls_sni +tls_peerdn +tls_certificate_verified +tls_resumption +received_recipients -queue_time +incoming_port +incoming_interface
acl_smtp_rcpt = rcpt
acl_smtp_notquit = notquit
$1
begin acl
rcpt:
 warn logwrite = v=\$tls_in_ver verified=\$tls_in_certificate_verified sni=\$tls_in_sni proto=\$received_protocol helo=\$sender_helo_name auth=\$authenticated_id \$sender_host_authenticated port=\$received_port
 warn condition = \${if def:tls_in_peercert}
  logwrite = peer=\${certextract{subject}{\$tls_in_peercert}} cn=\${certextract{subject,CN}{\$tls_in_peercert}} issuer=\${certextract{issuer,>+}{\$tls_in_peercert}} serial=\${certextract{serial_number}{\$tls_in_peercert}{is \$value}{none}} v=\${certextract{version}{\$tls_in_peercert}} san=\${certextract{subj_altname,mail}{\$tls_in_peercert}}/\${certextract{subj_altname,dns,>;}{\$tls_in_peercert}} ocsp=\${certextract{ocsp_uri}{\$tls_in_peercert}{\$value}{no}} crl=\${certextract{crl_uri}{\$tls_in_peercert}{\$value}{no}} alg=\${certextract{sig_algorithm}{\$tls_in_peercert}} h=\${eval:\${strlen:\${sha256:\$tls_in_peercert}}+\${strlen:\${sha1:\$tls_in_peercert}}+\${strlen:\${md5:\$tls_in_peercert}}}
 warn encrypted = *
  logwrite = encrypted
 warn encrypted = TLS_AES_256_GCM_SHA384 : TLS1.3*
  logwrite = encrypted 13
 warn !encrypted = *
  logwrite = not encrypted
 warn verify = certificate
  logwrite = certified
 warn !verify = certificate
  logwrite = not certified \$acl_verify_message
 accept
notquit:
 warn logwrite = notquit \$smtp_notquit_reason tls=\$tls_in_ver helo=\$sender_helo_name
$2
begin authenticators
plain:
 driver = plaintext
 public_name = PLAIN
 server_condition = yes
 server_set_id = \$auth2
 ${ADV:-server_advertise_condition = \$\{if def:tls_in_ver\}}
cert:
 driver = tls
 server_param1 = \${certextract {subj_altname,mail,>:} {\$tls_in_peercert}}
 server_condition = \${if forany {\$auth1}{eq{\$item}{ann@me.test}}}
 server_set_id = \$auth1
$AUTHS
E
sed -i 's/\\{/{/g; s/\\}/}/g' /etc/exim4/exim4.conf; }
serve() { local o=${1//|/$'\n'}; shift; echo "##### ${o//$C/C}"; site "$o" "$1"; rm -f $S/d.pid; ( $exim -bd ${OX--oX 127.0.0.1.25:127.0.0.1.465} -oP $S/d.pid $2; : ); for _ in $(seq 100); do [ -s $S/d.pid ] && break; sleep 0.05; done; sleep 0.3; ${SHOW:-clearlogs}; }
clearlogs() { logs > /dev/null; }
done_() { stop; ids | xargs -r $exim -Mrm > /dev/null; tlogs | grep -v Message; }
M=('MAIL FROM:<a@y.test>' 'RCPT TO:<x@y.test>' DATA 'Subject: x' '' 'hello' . QUIT)
P=AGEAYg==
SHOW=tlogs OX= serve 'local_interfaces = 127.0.0.1|daemon_smtp_ports = 25 : 465|tls_on_connect_ports = 465' ''
t 'EHLO h' "${M[@]}"; t :465 TLS 'EHLO h' "${M[@]}"; t 'EHLO h' STARTTLS TLS 'EHLO h' STARTTLS 'STARTTLS x' "${M[@]}"; t :465 'EHLO h'; t :465 TLS STARTTLS 'EHLO h' STARTTLS QUIT; done_
SHOW=tlogs OX= serve 'local_interfaces = 127.0.0.1.25 : 127.0.0.1.465 : 127.0.0.1.466|daemon_smtp_ports = 587|tls_on_connect_ports = 465 : 466' ''
t :466 TLS 'EHLO h' QUIT; t 'EHLO h' QUIT; done_
SHOW=tlogs OX= serve 'local_interfaces = <; 127.0.0.1 ; 127.0.0.2|daemon_smtp_ports = smtp : 465|tls_on_connect_ports = smtps : 465' ''; t :465 TLS 'EHLO h' QUIT; done_
# behind STARTTLS
serve '' ''
t 'EHLO h' 'RAW STARTTLS\r\nEHLO evil\r\n' HEAR HEAR QUIT; t 'EHLO h' 'RAW STARTTLS\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\n' HEAR HEAR HEAR QUIT
t 'EHLO h' 'RAW STARTTLS\r\n\r\n' HEAR HEAR QUIT; t 'EHLO h' 'RAW STARTTLS\nX' HEAR QUIT; t 'EHLO h' 'RAW NOOP\r\nSTARTTLS\r\n' HEAR HEAR TLS 'EHLO h' QUIT; t 'EHLO h' 'RAW STARTTLS\r\nSTARTTLS\r\n' HEAR HEAR QUIT
t 'EHLO h' 'RAW STARTTLS \r\n' HEAR TLS 'EHLO h' QUIT; t 'EHLO h' 'starttls' TLS 'EHLO h' QUIT; t 'EHLO h' STARTTLS TLS 'RAW EHLO h\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nQUIT\r\n' HEAR HEAR HEAR HEAR
t 'EHLO h' 'RAW MAIL FROM:<a@b.test>\r\nSTARTTLS\r\n' HEAR HEAR TLS 'RCPT TO:<x@y.test>' QUIT; t 'EHLO h' STARTTLS TLS 'MAIL FROM:<a@b.test>' 'RCPT TO:<x@y.test>' QUIT
# AUTH before and behind
t 'EHLO h' STARTTLS TLS "AUTH PLAIN $P" 'EHLO h' "AUTH PLAIN $P" STARTTLS "${M[@]}"; t 'EHLO h' STARTTLS TLS 'HELO h' "AUTH PLAIN $P" "${M[@]}"
done_
for a in 'server_advertise_condition = ${if !def:tls_in_cipher}' 'server_advertise_condition = ${if match{$tls_in_sni}{^a}}'; do ADV="$a" serve '' ''; t 'EHLO h' STARTTLS 'TLS ver=1.2 sni=a.test' 'EHLO h' QUIT; t 'EHLO h' STARTTLS TLS 'EHLO h' QUIT; done_; done
serve 'auth_advertise_hosts = ${if def:tls_in_cipher{*}}|chunking_advertise_hosts = ${if def:tls_in_cipher{*}}|pipelining_advertise_hosts = ${if def:tls_in_cipher{}{*}}|prdr_enable = ${if def:tls_in_cipher}' ''; t 'EHLO h' STARTTLS TLS 'EHLO h' QUIT; done_
# certificates of clients
for o in tls_verify_hosts tls_try_verify_hosts; do serve "tls_verify_certificates = $C/ca.pem|$o = *|tls_crl = $C/crl.pem" ''; for c in client stranger revoked; do for v in 1.2 1.3; do t 'EHLO h' STARTTLS "TLS ver=$v cert=$c" 'EHLO h' "${M[@]}"; done; done; t 'EHLO h' "${M[@]}"; done_; done
