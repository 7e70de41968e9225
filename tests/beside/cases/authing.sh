# Who a client is: what it says to AUTH, what is made of it, and what this says to other hosts.
cat > talk.py <<'P'
import sys,subprocess,base64,hmac,re
p=subprocess.Popen(sys.argv[1:],stdin=subprocess.PIPE,stdout=subprocess.PIPE,stderr=open("err","w"))
last=''
def ans():
    global last
    while True:
        l=p.stdout.readline()
        if not l: print('(closed)',flush=True); return False
        t=l.decode('utf8','surrogateescape').rstrip('\r\n'); last=t[4:]
        if t.startswith('334 PD') and len(t)>20: t='334 CHALLENGE'
        print('  '+t,flush=True)
        if t[:3].isdigit() and t[3:4]!='-': return True
ans()
b=lambda s: base64.b64encode(s.encode('utf8','surrogateescape').replace(b'\\0',b'\0').replace(b'\\n',b'\n')).decode()
for l in sys.stdin.read().split('\n')[:-1]:
    print('> '+(l if len(l)<200 else l[:30]+'...%d'%len(l)),flush=True)
    m=re.match(r'^(AUTH \S+ +)?!(.*)$',l)
    if m: l=(m.group(1) or '')+b(m.group(2))
    m=re.match(r'^CRAM (\S*) (.*)$',l)
    if m: l=b(m.group(1)+' '+hmac.new(m.group(2).encode(),base64.b64decode(last),'md5').hexdigest())
    hold=l.endswith('~'); l=l.rstrip('~')
    try: p.stdin.write(l.encode('utf8','surrogateescape').replace(b'\\0',b'\0')+b'\r\n'); p.stdin.flush()
    except OSError: pass

    if not hold and not ans(): break
try: p.stdin.close()
except OSError: pass
r=p.stdout.read().decode('utf8','surrogateescape')
if r: print('  rest '+r)
r=p.wait(); e=open("err",errors="surrogateescape").read(); e and print("  err "+e)
if r: print('rc',r)
P
# talk to it from 192.0.2.9: with lines from standard input
talk() { echo "--- $*"; python3 $work/talk.py $exim -bs -oMa 192.0.2.9.4321 "$@" 2>&1; logs; }
site() { conf <<E
acl_smtp_rcpt = rc
smtp_max_unknown_commands = 99
smtp_max_synprot_errors = 99
acl_smtp_mail = ma
host_lookup =
tls_advertise_hosts =
pipelining_advertise_hosts =
log_selector = +smtp_mailauth
$1
begin acl
ma:
 accept logwrite = id <\$authenticated_id> by <\$sender_host_authenticated> fail <\$authenticated_fail_id> <\$authentication_failed> <\$authenticated_sender> <\$received_protocol> <\$auth1> <\$1> \${authresults{me.test}}
rc:
 accept authenticated = *
  logwrite = authenticated
 deny message = no
begin authenticators
$2
begin routers
l:
 driver = accept
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
 group = mail
E
}
echo '##### what a client says'
auths='pl:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = ${if eq{$auth3}{p}}
 server_set_id = $auth2
lo:
 driver = plaintext
 public_name = LOGIN
 server_prompts = User : Pass
 server_condition = ${if eq{$auth2}{p}{yes}{${if eq{$auth2}{later}{defer}{no}}}}
 server_set_id = $auth1
cr:
 driver = cram_md5
 public_name = CRAM-MD5
 server_secret = ${if eq{$auth1}{u}{p}{${if eq{$auth1}{d}{$nix}fail}}}
 server_set_id = $auth1
ex:
 driver = external
 public_name = External
 server_param2 = two
 server_condition = ${if eq{$auth1}{u}}
 server_set_id = $auth1-$auth2-$auth3
'
site '' "$auths"
n=0
d() { echo "##### $((++n)): $1"; sed 's/^ *//' | talk; }
d 'before EHLO' <<'L'
AUTH PLAIN !\0u\0p
HELO h
AUTH PLAIN !\0u\0p
EHLO h
AUTH PLAIN !\0u\0p
EHLO h
MAIL FROM:<a@b.test>
AUTH PLAIN !\0u\0p
RSET
HELO h
MAIL FROM:<a@b.test> AUTH=x
MAIL FROM:<a@b.test>
L
d 'twice, in a transaction' <<'L'
EHLO h
MAIL FROM:<a@b.test>
AUTH PLAIN !\0u\0p
RSET
AUTH PLAIN !\0u\0x
AUTH PLAIN !\0v\0x
MAIL FROM:<a@b.test>
RSET
AUTH PLAIN !\0u\0p
MAIL FROM:<a@b.test>
AUTH PLAIN !\0u\0p
AUTH NONE x
RCPT TO:<c@d.test>
DATA
QUIT
L
d 'spelling' <<'L'
EHLO h
AUTH
AUTH 
AUTH  PLAIN
AUTH NONE
AUTH NONE x
AUTH PLAIN  
*
AUTH plain	x
AUTH	PLAIN
*
AUTH  PLAIN  !\0u\0x
AUTH PLAIN	AHUAeA==
AUTH PLAIN x y
AUTH PLAIN AHUAcA
AUTH PLAIN AHUAcA=
AUTH PLAIN AHUAcA===
AUTH PLAIN AHUA cA==
AUTH PLAIN AHUAcA== 
AUTH PLAINX AHUAcA==
AUTH PLAI AHUAcA==
AUTH P\0LAIN AHUAcA==
AUTHX PLAIN
AUTH:PLAIN
auth login
!u
!p
MAIL FROM:<a@b.test>
L
d 'cram' <<'L'
EHLO h
AUTH CRAM-MD5 =
AUTH CRAM-MD5 x
AUTH CRAM-MD5
*
AUTH CRAM-MD5
x
AUTH CRAM-MD5

AUTH CRAM-MD5
=
AUTH CRAM-MD5
!u
AUTH CRAM-MD5
!u x
AUTH CRAM-MD5
!u 00000000000000000000000000000000
AUTH CRAM-MD5
!u  00000000000000000000000000000000
AUTH CRAM-MD5
!u 00000000000000000000000000000000 
AUTH CRAM-MD5
!u v 00000000000000000000000000000000
AUTH CRAM-MD5
! 00000000000000000000000000000000
AUTH CRAM-MD5
!d 00000000000000000000000000000000
AUTH CRAM-MD5
!00000000000000000000000000000000
AUTH CRAM-MD5
!u\0v 00000000000000000000000000000000
AUTH CRAM-MD5
CRAM u x
AUTH CRAM-MD5
CRAM v p
MAIL FROM:<a@b.test>
RSET
AUTH CRAM-MD5
CRAM u p
MAIL FROM:<a@b.test>
L
d 'external' <<'L'
EHLO h
AUTH EXTERNAL
*
AUTH EXTERNAL

AUTH EXTERNAL =
AUTH EXTERNAL
=
AUTH EXTERNAL %
AUTH EXTERNAL !x
AUTH EXTERNAL !u\0x
MAIL FROM:<a@b.test>
L

echo '##### whether a mechanism is offered, and who is known by which name'
P='pl:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = ${if eq{$auth3}{p}}
'
for s in 'server_advertise_condition =' 'server_advertise_condition = maybe' 'server_advertise_condition = ${lookup mysql{x}}' 'server_set_id =' 'server_set_id = ${if eq{a}{b}{x}}' 'server_set_id = $nix' 'server_set_id = $auth2'; do
site '' "$P $s
"
d "$s" <<'L'
EHLO h
AUTH PLAIN !\0u\0x
AUTH PLAIN !\0v\0p
MAIL FROM:<a@b.test> AUTH=u@b.test
QUIT
L
done
echo '##### what hosts say to AUTH'
sender() { conf <<E
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
log_selector = +smtp_mailauth +outgoing_port -pid +smtp_confirmation
$3
begin authenticators
$1
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
 command_timeout = 1s
 hosts_try_auth = *
 $2
begin retry
* * F,1h,3s
E
}
E='ehlo=250-host\n250-AUTH PLAIN LOGIN CRAM-MD5 EXTERNAL\n250 SIZE'
# what a host says to AUTH, and what is made of it: try RECIPIENT WHAT=ANSWER...
try() { local to=$1; shift; host 2 "$E" "$@"; send ann@me.test $to; gone 2; logs; x -bp | sed 's/^ *[0-9]*[smh]/ AGE/'; $exim -bp 2>/dev/null | awk '/^ *[0-9]+[smhd]/ {print $3}' | xargs -r $exim -Mrm >/dev/null; rm -rf $S/db/* ; : > $LOG/mainlog; }
PL='pl:
 driver = plaintext
 public_name = PLAIN
 client_send = ^u^p
 client_set_id = id-$auth1-$host
'
LO='lo:
 driver = plaintext
 public_name = LOGIN
 client_send = : u : p$auth1
'
CR='cr:
 driver = cram_md5
 public_name = CRAM-MD5
 client_name = u
 client_secret = p
'
EX='ex:
 driver = external
 public_name = EXTERNAL
 client_send = u
'

F='${if eq{a}{b}{}fail}'
n=0
t() { echo "##### $((++n)): $W: $*"; try "$@"; }
for s in p "$F" '$nix'; do for m in '' u "$F" '$nox'; do
W="cram $s/$m"; sender "cr:
 driver = cram_md5
 public_name = CRAM-MD5
 client_secret = $s
 ${m:+client_name = $m}
$LO"; t x@a.test 'auth=334 VXNlcg==|235 a'
done; done
for a in "$PL" "$LO" "$CR" "$EX"; do sender "$a"
for s in '235 ok' '334 VXNlcg==|334 VXNlcg==|235 ok' '535 no' '454 later' '421 go' '-' '500 what'; do W=${a:0:2}; t x@a.test "auth=$s"; done; done
sender "$PL$LO" 'hosts_require_auth = *'; W=require
for s in 'auth=535 no' 'auth:PLAIN=535 no' 'ehlo=250-host\n250 SIZE' 'ehlo=250-host\n250 AUTH GSSAPI XPLAIN'; do t x@a.test "$s"; done
for o in 'authenticated_sender = x@y.test' 'authenticated_sender = $nix' "authenticated_sender = $F" 'authenticated_sender_force' 'authenticated_sender ='; do W=$o; sender "$PL" "$o"; t x@a.test; done
