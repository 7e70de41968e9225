# DKIM, as it leaves and as it comes: signatures on the wire, what is made of those of others, ACLs, SPF, authresults.
k=$work/keys; mkdir -p $k; cp $here/../data/dkim/*.pem $k; chmod 755 $k; chmod 644 $k/*
# A host that shows what it has of a message, and whether its signatures are what they should be: sink NUMBER CHUNKING
cat > $work/sink.py <<'E'
import socket,sys,re
addr,out,chunk=sys.argv[1:4]
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind((addr,25)); s.listen(9)
open(out,'w').close()
def note(t): open(out,'a').write(t+'\n')
# Signatures as they stand there, but for times, and what is signed together with them.
def tags(m):
    t=re.sub(r'([;\s][tx]=)\d+',r'\1N',m.group(0))
    return t if t==m.group(0) else re.sub(r'(?s)([;\s]b=)(.*);\n$',lambda b: '%s#%d;\n'%(b.group(1),len(re.sub(r'\s','',b.group(2)))),t)
def got(data):
    t=data.decode('latin1').replace('\r\n','\n')
    t=re.sub(r'(?m)^DKIM-Signature:( v=1; a=.*\n(?:[ \t].*\n)*)',tags,t)
    for l in t.split('\n'): note('| '+(l if len(l)<300 else '%s...%d'%(l[:90],len(l))).encode('unicode_escape').decode())
while True:
    c,_=s.accept(); f=c.makefile('rwb'); data=b''
    def say(x): f.write(x+b'\r\n'); f.flush()
    say(b'220 sink')
    while True:
        l=f.readline()
        if not l: break
        v=l[:4].upper()
        if v==b'EHLO': say(b'250-sink\r\n250-PIPELINING\r\n'+(b'250-CHUNKING\r\n' if chunk=='1' else b'')+b'250 8BITMIME')
        elif v==b'DATA':
            say(b'354 go'); data=b''
            while True:
                l=f.readline()
                if not l or l==b'.\r\n': break
                data+=l
            if l: got(data); say(b'250 taken')
            else: note('broken off')
        elif v==b'BDAT':
            p=l.split(); data+=f.read(int(p[1]))
            if len(p)>2: got(data)
            say(b'250 ok')
        elif v==b'QUIT': say(b'221 bye'); break
        else: say(b'250 ok')
    c.close()
E
sink() { ( exec nsenter -t "$other" -n python3 $work/sink.py 192.0.2.$1 $work/host.$1 $2 ) & eval "H$1=$!"; until [ -e $work/host.$1 ]; do sleep 0.02; done; sleep 0.1; }
sink 2 0; sink 3 1
out() { conf <<E
log_selector = -pid
acl_smtp_rcpt = accept
begin routers
r:
 driver = manualroute
 route_list = c.test 192.0.2.3 ; * 192.0.2.2
 transport = s
begin transports
s:
 driver = smtp
$1
begin retry
* * F,1h,1m
E
}
# A message from standard input to both hosts.
try() { echo "##### $1"; out "$2"; rm -f $S/db/*; cat > $work/in; for to in ${3:-x@y.test}; do $exim -oi -odf -f ann@me.test $to < $work/in; heard 2; heard 3; done; logs
 for i in $(ids); do $exim -Mrm $i >/dev/null; done; : > $LOG/mainlog; }
H='From: ann@me.test\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <a@b>\nTo: x@y.test\n'
plain() { printf "${H}Subject: hello\n\nbody\n"; }
D=' dkim_domain = me.test' L=' dkim_selector = sel' K=" dkim_private_key = $k/rsa2048.pem"
one() { plain | try "${*: -1}" "$D
$L
$K
$*"; }
# Each option.
for o in '' 'dkim_canon = relaxed' 'dkim_canon = simple' 'dkim_canon = Relaxed' 'dkim_canon =' 'dkim_canon = simple/relaxed' 'dkim_canon = ${if eq{1}{2}{x}fail}' 'dkim_canon = ${nosuch:x}' \
 'dkim_hash = sha512' 'dkim_hash = SHA256' 'dkim_hash =' 'dkim_hash = md5' 'dkim_hash = ${if eq{1}{2}{x}fail}' 'dkim_hash = ${nosuch:x}' \
 'dkim_identity = ann@me.test' 'dkim_identity = @sub.me.test' 'dkim_identity =' 'dkim_identity = $sender_address' 'dkim_identity = ${if eq{1}{2}{x}fail}' 'dkim_identity = ${nosuch:x}' \
 'dkim_timestamps = 0' 'dkim_timestamps = 1209600' 'dkim_timestamps =' 'dkim_timestamps = x' 'dkim_timestamps = +5' 'dkim_timestamps = 1d' 'dkim_timestamps = ${if eq{1}{2}{x}fail}' 'dkim_timestamps = ${nosuch:x}' \
 'dkim_sign_headers = From' 'dkim_sign_headers = From:From:To' 'dkim_sign_headers = =From:+To:Subject' 'dkim_sign_headers = From:=From' 'dkim_sign_headers = From:+From' 'dkim_sign_headers = +X-None:=X-None:X-None' 'dkim_sign_headers = from : TO : subject' 'dkim_sign_headers = <; From;To' 'dkim_sign_headers = _DKIM_OVERSIGN_HEADERS' 'dkim_sign_headers = _DKIM_SIGN_HEADERS' 'dkim_sign_headers = ${if eq{1}{2}{x}fail}' 'dkim_sign_headers = ${nosuch:x}'; do one "$o"; done
# Keys.
printf junk > $k/junk; : > $k/empty; cp $k/rsa2048.pem $k/secret; chmod 600 $k/secret; (echo text before; cat $k/rsa2048.pem; echo after) > $k/texts; sed 's/$/\r/' $k/rsa2048.pem > $k/crlf; printf %s "$(cat $k/rsa2048.pem)" > $k/nonl
for n in rsa1024.pem rsa512.pem ed25519.pem nowhere secret texts crlf nonl ''; do plain | try "key $n" "$D
$L
 dkim_private_key = $k/$n"; done
for n in 0 false '' '${readfile{'$k'/rsa2048.pem}}' '${sg{${readfile{'$k'/rsa2048.pem}}}{\n}{}}' '${if eq{1}{2}{x}fail}' '${nosuch:x}' "$k/\$dkim_selector" "\${if eq{\$dkim_domain}{me.test}{$k/rsa2048.pem}{0}}"; do plain | try "key $n" "$D
$L
 dkim_private_key = $n"; done
# Lists of domains and selectors.
for n in '' me.test:b.test 'B.test : me.test : : b.test' '${if eq{1}{2}{x}fail}' '${nosuch:x}' '<; a.test ; b.test' '$sender_address_domain' '${domain:$h_from:}' ':' '$domain'; do plain | try "domain $n" "$L
$K
 dkim_domain = $n"; done
for n in '' a:b 'A : a' '${if eq{1}{2}{x}fail}' '${nosuch:x}' '<; a ; b' '$dkim_domain' '${if eq{$dkim_domain}{b.test}{x}}' '${if eq{$dkim_domain}{b.test}{x}fail}' 'sub.sel'; do plain | try "selector $n" "$K
 dkim_domain = me.test:b.test
 dkim_selector = $n"; done
plain | try 'no selector' "$D
$K"
plain | try 'no key' "$D
$L"
plain | try 'no domain' "$L
$K"
plain | try 'no key, but strictly' "$D
$L
 dkim_strict = 1"
plain | try 'two keys' "$D
 dkim_selector = sel : ed
 dkim_private_key = \${if eq{\$dkim_selector}{ed}{$k/ed25519.pem}{$k/rsa2048.pem}}"
# One key of two is missing: all or nothing.
for s in 0 yes false 2 '${if eq{1}{2}{x}fail}' '${nosuch:x}' '${if eq{$dkim_selector}{two}{1}}'; do plain | try "strict $s" " dkim_domain = me.test:b.test
 dkim_selector = one:two
 dkim_private_key = \${if eq{\$dkim_domain}{me.test}{$k/rsa2048.pem}{$k/nowhere}}
 dkim_strict = $s"; done
# Messages of all kinds, with chunks and without.
long=$(printf '%01200d' 7)
for canon in relaxed simple; do for m in 'Subject: s\n\nbody\n' '\nline\nno end' '\na  b \t \n \nx\n\n\n' '\n.\n..\n.x\n' "X-Long: $long\n\n$long\n" 'Subject: gr\303\274n\n\n\303\244\377\n' 'Subject: a\n  b\n\t c  \nX-Empty:\nTo:   a,\n   b\n\nbody\n' 'To: y@z\nReceived: a\nCc: a@b\nFrom: other@me.test\nList-Id: <x>\n\nbody\n' '\nFrom x\n>From y\n' 'DKIM-Signature: v=1; a=rsa-sha256; d=x; s=y; h=From; bh=; b=\n\nx\n'; do
 printf "$H$m" | try "$canon ${m:0:40}" "$D
$L
$K
 dkim_canon = $canon" 'x@y.test x@c.test'; done; done
# With what else changes a message.
printf '#!/bin/sh\nsed "s/^body/BODY/;s/^Subject:/Subject: filtered/"\n' > $work/flt; chmod 755 $work/flt
for o in "transport_filter = $work/flt" 'headers_add = X-A: $dkim_domain/$dkim_selector' 'headers_add = From: second@me.test' 'headers_remove = Subject' 'headers_rewrite = *@me.test new@me.test' return_path_add 'headers_add = List-Id: x\nDKIM-Signature: y' 'dkim_sign_headers = ${if def:h_Subject:{Subject:}}From'; do plain | try "$o" "$D
$L
$K
 $o" 'x@y.test x@c.test'; done
kill $H2 $H3; wait $H2 $H3 2>/dev/null; rm -f $work/host.*
# What comes: signed.py KEY TAG=VALUE... signs what it reads, @strip=PATTERN @by=TEXT change the signature, @body and @head the message afterwards.
cat > $work/signed.py <<'E'
import sys,re,base64,hashlib,subprocess,tempfile
raw=sys.stdin.buffer.read(); key=sys.argv[1]
tags=[x.split('=',1) for x in sys.argv[2:] if x[0]!='@']; o=dict(x[1:].split('=',1) for x in sys.argv[2:] if x[0]=='@')
tags=[[a,b.replace('\\r','\r').replace('\\n','\n').replace('\\t','\t')] for a,b in tags]; t=dict(tags)
c=t.get('c','simple').split('/'); hc=c[0]; bc=c[1] if len(c)>1 else 'simple'
hn=t.get('a','').split('-')[-1]; hn=hn if hn in('sha1','sha256','sha512') else 'sha256'
head,body=raw.split(b'\r\n\r\n',1); fields=re.split(rb'\r\n(?![ \t])',head); b=body
def line(f):
    if hc!='relaxed': return f+b'\r\n'
    n,v=f.split(b':',1); return n.strip().lower()+b':'+re.sub(rb'[ \t]+',b' ',v.replace(b'\r\n',b'')).strip(b' \t')+b'\r\n'
if bc=='relaxed': b=re.sub(rb'[ \t]+\r\n',b'\r\n',re.sub(rb'[ \t]+',b' ',b))
b=re.sub(rb'(\r\n)*$',b'',b)
if b or bc!='relaxed': b+=b'\r\n'
if t.get('l','').isdigit(): b=b[:int(t['l'])]
if 'bh' not in t: tags.append(['bh',base64.b64encode(hashlib.new(hn,b).digest()).decode()])
data=b''; used={}
for n in re.sub(r'\s','',t.get('h','')).lower().split(':'):
    m=[f for f in fields if f.split(b':')[0].lower()==n.encode()]; i=used[n]=used.get(n,0)+1
    if i<=len(m): data+=line(m[-i])
own=('DKIM-Signature: '+'; '.join(a+'='+v for a,v in tags if a!='b')+'; b=').encode('latin1')
data+=line(own)[:-2]
with tempfile.NamedTemporaryFile() as f:
    f.write(hashlib.new(hn,data).digest() if 'ed' in key else data); f.flush()
    s=subprocess.run(['openssl','pkeyutl','-sign','-rawin','-inkey',key,'-in',f.name] if 'ed' in key else ['openssl','dgst','-'+hn,'-sign',key,f.name],capture_output=True).stdout
s=own+t.get('b',base64.b64encode(s).decode()).encode()+b'\r\n'
if 'strip' in o: s=re.sub(o['strip'].encode(),o.get('by','').encode(),s)
if 'body' in o: raw=head+b'\r\n\r\n'+o['body'].encode()+b'\r\n'
if 'head' in o: raw=o['head'].encode()+b'\r\n'+raw
sys.stdout.buffer.write(s+raw)
E
pub() { case $1 in ed*) openssl pkey -in $k/$1.pem -pubout -outform DER | tail -c 32 | base64 -w0;; *) openssl rsa -in $k/$1.pem -pubout -outform DER 2>/dev/null | base64 -w0;; esac; }
P=$(pub rsa2048) E=$(pub ed25519)
zone() { cat <<'E'
$TTL 60
. SOA a. b. 1 1 1 1 60
. NS a.
a. A 127.0.0.1
cn._domainkey.me.test. CNAME r._domainkey.me.test.
cnx._domainkey.me.test. CNAME x.nowhere.
a._domainkey.me.test. A 192.0.2.1
emptytxt._domainkey.me.test. TXT ""
pass.test. TXT "v=spf1 ip4:192.0.2.0/24 -all"
soft.test. TXT "v=spf1 ~all"
neu.test. TXT "v=spf1 ?all"
inc.test. TXT "v=spf1 include:pass.test -all"
incno.test. TXT "v=spf1 include:nothing.test -all"
red.test. TXT "v=spf1 redirect=pass.test"
two.test. TXT "v=spf1 -all"
two.test. TXT "v=spf1 +all"
amech.test. TXT "v=spf1 a mx -all"
amech.test. A 192.0.2.2
ex.test. TXT "v=spf1 exists:%{ir}.%{v}.%{l}.x.test -all"
2.2.0.192.in-addr.ann.x.test. A 127.0.0.2
exp.test. TXT "v=spf1 -all exp=why.test"
why.test. TXT "%{i} is not %{d}'s, says %{r}, not %{s}"
split.test. TXT "v=spf1 ip4:192" ".0.2.2 -all"
ptrm.test. TXT "v=spf1 ptr -all"
2.2.0.192.in-addr.arpa. PTR h.ptrm.test.
h.ptrm.test. A 192.0.2.2
v2.test. TXT "v=spf10 -all"
h.helo.test. TXT "v=spf1 ip4:192.0.2.2 -all"
E
key() { local s=$1 t=$2; echo "$s._domainkey.${3:-me.test}. TXT \"${t:0:200}\" \"${t:200:200}\" \"${t:400}\""; }
key r "v=DKIM1; k=rsa; p=$P"; key r "v=DKIM1; p=$P" sub.me.test; key e "v=DKIM1; k=ed25519; p=$E"; key r1 "v=DKIM1; p=$(pub rsa1024)"; key r5 "v=DKIM1; p=$(pub rsa512)"
key bare "p=$P"; key rev "v=DKIM1; p="; key nop "v=DKIM1; k=rsa"; key junk hello; key badp "v=DKIM1; p=!!!!"; key notkey "v=DKIM1; p=aGVsbG8="; key v2 "v=DKIM2; p=$P"; key vlast "p=$P; v=DKIM1"; key vlow "v=dkim1; p=$P"
key h1 "v=DKIM1; h=sha1; p=$P"; key h2 "v=DKIM1; h=sha1 : sha256 ; p=$P"; key h3 "v=DKIM1; h=; p=$P"; key k1 "v=DKIM1; k=ed25519; p=$P"; key k2 "v=DKIM1; k=xyz; p=$P"; key s1 "v=DKIM1; s=email; p=$P"; key s2 "v=DKIM1; s=other; p=$P"; key s5 "v=DKIM1; s=; p=$P"
key t1 "v=DKIM1; t=y; p=$P"; key t2 "v=DKIM1; t=y:s; p=$P"; key n1 "v=DKIM1; n=some=20notes here; p=$P"; key g1 "v=DKIM1; g=ann; p=$P"; key g2 "v=DKIM1; g=; p=$P"; key d1 "v=DKIM1; p=x; p=$P"; key sp " v = DKIM1 ; k = rsa ; p = $P ; "; key two "v=DKIM1; p=$P"; key two "v=spf1 -all"; key up "V=DKIM1; P=$P"; key ns "v=DKIM1 p=$P"; }
dns < <(zone)
kill $(cat $work/nsd/pid); sleep 0.3; printf 'zone:\n name: "fail.test"\n zonefile: "missing"\n' >> $work/nsd/nsd.conf; nsd -c $work/nsd/nsd.conf -d & sleep 0.7
vars='cur=$dkim_cur_signer st=$dkim_verify_status re=$dkim_verify_reason d=$dkim_domain i=$dkim_identity s=$dkim_selector a=$dkim_algo c=$dkim_canon_headers/$dkim_canon_body z=$dkim_copiedheaders l=$dkim_bodylength t=$dkim_created x=$dkim_expires h=$dkim_headernames kt=$dkim_key_testing kn=$dkim_key_nosubdomains ks=$dkim_key_srvtype kg=$dkim_key_granularity kno=$dkim_key_notes kl=$dkim_key_length sg=$dkim_signers'
into() { conf <<E
log_selector = ${SEL:-+dkim_verbose} -pid
acl_smtp_rcpt = accept
acl_smtp_data = data
acl_smtp_dkim = dkim
acl_not_smtp = data
host_lookup =
$1
begin acl
dkim:
$2
 accept logwrite = dkim: $vars
data:
$3
 accept logwrite = ar: \${authresults{me.test}} st=\$dkim_verify_status
begin routers
r:
 driver = redirect
 data = :blackhole:
E
}
by() { { printf 'EHLO h\r\nMAIL FROM:<ann@me.test>\r\nRCPT TO:<x@me.test>\r\nDATA\r\n'; sed 's/^\./../' $1; printf '.\r\nQUIT\r\n'; } | $exim -odf -bs -oMa 192.0.2.2 2>&1 | grep -a '^[45]'; logs; }
M='From: ann@me.test\r\nTo: x@y.test\r\nSubject:  two  words \r\n\tfolded\r\n\r\none  line \r\n\r\ntwo\r\n\r\n\r\n'
R=$k/rsa2048.pem
v() { echo "##### $1"; shift; printf "$M" | python3 $work/signed.py "$@" > $work/m; by $work/m; }
w() { v "$*" $R v=1 a=rsa-sha256 c=relaxed/relaxed d=me.test s=r h=From:To:Subject "$@"; }
# Tags of a signature.
into
for c in simple relaxed simple/relaxed relaxed/simple simple/simple relaxed/relaxed bad Relaxed/Relaxed ' relaxed / relaxed ' ''; do v "c=$c" $R v=1 a=rsa-sha256 "c=$c" d=me.test s=r h=From:To:Subject; done
for s in r r5 e bare rev nop junk badp notkey v2 vlast vlow h1 h2 h3 k1 k2 s1 s2 s5 t1 t2 n1 g1 g2 d1 sp two up ns cn cnx a emptytxt none R 'a;b' ''; do v "s=$s" $R v=1 a=rsa-sha256 c=relaxed/relaxed d=me.test "s=$s" h=From:To; done
for d in ME.test sub.me.test fail.test none.test '' 'me.test.' 'a b' x..y; do v "d=$d" $R v=1 a=rsa-sha256 c=relaxed/relaxed "d=$d" s=r h=From:To; done
for a in rsa-sha1 rsa-sha512 RSA-SHA256 rsa-md5 rsa '' ed25519-sha256; do v "a=$a" $R v=1 "a=$a" c=relaxed/relaxed d=me.test s=r h=From:To; done
for n in 2 '' 01; do v "v=$n" $R "v=$n" a=rsa-sha256 c=relaxed/relaxed d=me.test s=r h=From:To; done
for h in from:TO 'From : To' From:From:From From:X-None; do v "h=$h" $R v=1 a=rsa-sha256 c=relaxed/relaxed d=me.test s=r "h=$h"; done
for n in 512 1024; do v "rsa $n" $k/rsa$n.pem v=1 a=rsa-sha256 c=relaxed/relaxed d=me.test s=r${n:0:1} h=From:To; done
for s in e r; do v "ed25519 $s" $k/ed25519.pem v=1 a=ed25519-sha256 c=relaxed/relaxed d=me.test s=$s h=From:To; done
for t in i=ann@me.test i=@sub.me.test i= 'i=ann=20x@me.test' t=1 t=1700000000 t=x t= x=1700000000 x=0 x= l=0 l=10 l=1000 l=x l= q=other 'z=From:ann@me.test|To:=20x' z= xx=yy b= 'b=!!' 'bh=!!' bh=aGVsbG8=; do w "$t"; done
w '@strip=bh=[^;]*; '; w '@strip=; b=.*'; w '@strip=c=relax' '@by=junk; c=relax'; w '@strip=; ' '@by=;'; w '@body=other'; w l=10 '@body=one line\r\n\r\nother'; w '@head=X-More: x'; w '@head=From: other@x'
M='From: ann@me.test\r\nTo: x@y.test\r\n\r\n.\r\n..\r\n.x\r\n \r\n\t\r\n\303\244\r\n'; for c in simple relaxed; do v "odd $c" $R v=1 a=rsa-sha256 c=$c/$c d=me.test s=r h=From:To; done
# Several signatures: KEY,ALGORITHM,DOMAIN,SELECTOR[,MORE].
M='From: ann@me.test\r\nTo: x@y.test\r\n\r\nbody\r\n'
many() { printf "$M" > $1; local m=$1 one; shift; for one; do IFS=, read a b d s x <<<"$one"; python3 $work/signed.py $k/$a.pem v=1 c=relaxed/relaxed h=From:To a=$b d=$d s=$s $x < $m > $m.new; mv $m.new $m; done; }
good=rsa2048,rsa-sha256,me.test,r ed=ed25519,ed25519-sha256,me.test,e sub=rsa2048,rsa-sha256,sub.me.test,r,i=@sub.me.test bad=rsa2048,rsa-sha256,me.test,none five=rsa2048,rsa-sha512,me.test,r short=rsa512,rsa-sha256,me.test,r5 wrong=rsa1024,rsa-sha256,me.test,r rev=rsa2048,rsa-sha256,me.test,rev
many m.good $good; many m.three $good $ed $sub; many m.mixed $sub $bad $good; many m.wrong $wrong; many m.none; many m.short $short; many m.five $five $good; many m.wrev $wrong $rev $bad; many m.gw $good $wrong; many m.wg $wrong $good
for n in 20 19; do (for i in $(seq $n); do echo "DKIM-Signature: v=1; a=rsa-sha256; d=x$i.test; s=s; h=From; bh=YQ==; b=YQ=="; done | sed 's/$/\r/'; printf "$M") > m.$n; done
s() { local m; for m; do echo "##### $name: $m"; by m.$m; done; }
name=several; s good three mixed wrong none short five wrev gw wg 20 19
for o in 'dkim_verify_hashes = sha512' 'dkim_verify_hashes = sha512 : sha256' 'dkim_verify_hashes =' 'dkim_verify_keytypes = rsa' 'dkim_verify_keytypes = rsa:ed25519' 'dkim_verify_keytypes =' 'dkim_verify_min_keysizes =' 'dkim_verify_min_keysizes = rsa=4096' 'dkim_verify_min_keysizes = RSA=4096' 'dkim_verify_min_keysizes = rsa = 4096' 'dkim_verify_min_keysizes = rsa=4096,ed25519=300' 'dkim_verify_min_keysizes = ed25519=300 rsa=512' dkim_verify_minimal; do name=$o; into "$o"; s three mixed short five; done
for o in me.test 'paypal.test:$dkim_signers' other.test '' '$sender_address_domain:$dkim_signers' '@sub.me.test:me.test' 'me.test:ME.TEST' '${if eq{1}{2}{x}fail}' '${nosuch:x}' ':' '*' '$dkim_domain'; do name="signers $o"; into "dkim_verify_signers = $o"; s three mixed none; done
# The ACL, and what later ones see.
a() { name="acl $1"; into '' "$1"; s good mixed wrong none; }
a ' deny'; a ' deny message = no $dkim_cur_signer
  log_message = log $dkim_verify_status'; a ' defer'; a ' drop'; a ' discard'; a ' require dkim_status = pass'; a ' deny dkim_status = fail : invalid
  message = $dkim_cur_signer $dkim_verify_reason'; a ' deny dkim_signers = sub.me.test'; a ' deny dkim_signers = @sub.me.test'; a ' warn dkim_signers = *.me.test
  logwrite = matched'; a ' warn !dkim_signers = ME.TEST
  logwrite = not'; a ' warn dkim_status = !pass
  logwrite = no pass'; a ' warn set dkim_verify_status = fail
  set dkim_verify_reason = hash too weak'; a ' warn set dkim_verify_reason = only reason'; a ' warn add_header = X-DKIM: $dkim_domain'; a ' warn control = freeze'; a ' warn set acl_m_x = $acl_m_x,$dkim_cur_signer
  logwrite = $acl_m_x'; a ' nonsense = 1'; a ' warn condition = ${nosuch:}'
d() { name="data $1"; into '' '' "$1"; s good mixed wrong none; }
d ' deny dkim_status = pass'; d ' deny dkim_status = none'; d ' deny !dkim_status = pass
  message = $dkim_verify_status'; d ' warn dkim_signers = me.test'; d ' warn control = dkim_disable_verify'
for o in accept '' nosuch '${if eq{1}{2}{x}fail}' '${if eq{$dkim_cur_signer}{me.test}{dkim}{deny}}'; do name="acl_smtp_dkim = $o"; into; sed -i "s@^acl_smtp_dkim.*@acl_smtp_dkim = $o@" /etc/exim4/exim4.conf; s mixed none; done
for o in -dkim '-dkim_verbose' '-dkim +dkim_verbose'; do name="log_selector = $o"; SEL=$o into; s good mixed wrong; done
for at in connect mail predata; do name="disabled at $at"; into "acl_smtp_$at = dis" '' '
dis:
 accept control = dkim_disable_verify'; s mixed; done
into; { printf 'EHLO h\r\n'; for m in good mixed good; do printf 'MAIL FROM:<ann@me.test>\r\nRCPT TO:<x@me.test>\r\nDATA\r\n'; cat m.$m; printf '.\r\n'; done; printf 'QUIT\r\n'; } > three; echo '##### three in a session'; $exim -odf -bs -oMa 192.0.2.2 < three | grep ^5; logs
echo '##### as a program'; sed 's/\r$//' m.good | as 5001 $exim -odf -oi -f ann@me.test x@me.test; sed 's/\r$//' m.good | $exim -odf -oi -f ann@me.test x@me.test; logs
x -be '${authresults{me.test}}' '${authresults{a b}}' '${authresults}'
# SPF.
conf <<E
acl_smtp_rcpt = r
host_lookup =
begin acl
r:
 deny local_parts = none
  spf = none
 warn local_parts = all
  spf = pass : fail : softfail : none : neutral : permerror : temperror
  logwrite = matched \$spf_result
 warn local_parts = neg
  spf = !fail : !none
  logwrite = negated \$spf_result
 deny local_parts = fail
  spf = fail
  message = \$spf_smtp_comment
 warn local_parts = guess
  spf_guess = pass
  logwrite = guess
 accept logwrite = r=\$spf_result h=\$spf_received c=\$spf_header_comment e=\$spf_smtp_comment g=\$spf_result_guessed \${authresults{me.test}}
E
t() { echo "##### $1 $2 ${3:-}"; { printf "EHLO ${3:-h.helo.test}\r\nMAIL FROM:<$1>\r\n"; printf 'RCPT TO:<%s@me.test>\r\n' none all neg fail guess x; printf 'QUIT\r\n'; } | $exim -bs -oMa $2 2>&1 | grep '^[45]'; logs; }
for n in pass soft neu inc incno red two amech ex exp split ptrm v2 none; do for a in 192.0.2.2 10.0.0.1; do t ann@$n.test $a; done; done
t '' 192.0.2.2; t '' 10.0.0.1; t '' 192.0.2.2 nowhere; t ann@pass.test 2001:db8::1; t ann 192.0.2.2
for n in pass none exp; do x -be "\${lookup{192.0.2.2}spf{ann@$n.test}{<\$value>}{no}}" "\${lookup{ann@$n.test}spf{10.0.0.1}}"; done
x -be '${sg{abcabc}{b}{}}' '${sg{abc}{(b)}{<\$1>}}' '${sg{abc}{}{-}}' '${sg{abc}{(}{x}}' '${sg{ab}{b*}{-}}' '${sg{aaa}{a}{\$0\$0}}' '${sg{abc}{b}}' '${sg{abc}{b}fail}' '${sg{}{^\$}{y}}'
