# Verification by callout and cut-through delivery, to hosts that answer in every way.
# A host whose script is read at each connection: scripted NUMBER, script NUMBER WHAT=ANSWER...
cat > $work/hosts.py <<E
import sys
exec(open('$here/host.py').read().split('s=socket.socket')[0])
default = dict(A)
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((addr, port)); s.listen(64)
open(out, 'a').close()
n = 0
while True:
    c, _ = s.accept(); n += 1; A = dict(default)
    for a in open('$work/script.' + out.split('.')[-1]).read().split('\n')[:-1]:
        k, v = a.split('=', 1); A[k] = v
    threading.Thread(target=serve, args=(c, n), daemon=True).start()
E
scripted() { : > $work/script.$1; ( exec nsenter -t "$other" -n python3 $work/hosts.py 192.0.2.$1 25 $work/host.$1 ) & until [ -e $work/host.$1 ]; do sleep 0.02; done; sleep 0.1; }
script() { local n=$1; shift; printf '%s\n' "$@" | grep = > $work/script.$n; }
# What the hosts heard, connection by connection.
hears() { sleep 0.03; for h in 2 3; do [ -s $work/host.$h ] && heard $h | sort -s -n | sed 's/^[0-9]*\([<>|] \| closed\| bye\| tls\| we\)/#\1/'; done; }
db() { { if cmp -s $exim /usr/sbin/exim4; then exim_dumpdb $S callout; else ( exec -a exim_dumpdb $exim $S callout ); fi; } 2>/dev/null | grep -v lockfile | sed 's/^[^ ]* [^ ]* //;s/ ([0-9][^)]*)//g;s/^quota \(.*\)/\1 callout=accept/' | sort; rm -f $S/db/*; }
scripted 2; scripted 3

settings() { # TRANSPORT-OPTIONS, divided by ~
conf <<E
callout_random_local_part = rnd
acl_smtp_rcpt = rcpt
acl_smtp_data = data
acl_smtp_predata = predata
host_lookup =
tls_advertise_hosts =
dsn_advertise_hosts = *
log_selector = +received_recipients +smtp_confirmation
message_size_limit = 20K
begin acl
rcpt:
 warn condition = \${if match{\$sender_helo_name}{C}}
  add_header = X-Rcpt: \$local_part
 warn condition = \${if match{\$sender_helo_name}{c}}
  control = \${readfile{$work/c}{}}
 deny condition = \${if match{\$sender_helo_name}{m}}
  ! verify = \${readfile{$work/v}{}}
  message = svf=\$sender_verify_failure rvf=\$recipient_verify_failure avm=\$acl_verify_message
 deny condition = \${if match{\$sender_helo_name}{h}}
  ! verify = \${readfile{$work/v}{}}
 deny condition = \${if match{\$local_part}{refused}}
 accept logwrite = ok \$local_part svf=\$sender_verify_failure rvf=\$recipient_verify_failure avm=\$acl_verify_message
predata:
 deny condition = \${if match{\$sender_helo_name}{p}}
  message = predata no
 accept
data:
 deny condition = \${if match{\$h_subject:}{denied}}
  message = data no
 defer condition = \${if match{\$h_subject:}{deferred}}
 discard condition = \${if match{\$h_subject:}{discarded}}
 accept condition = \${if match{\$h_subject:}{faked}}
  control = fakereject/faked
 accept condition = \${if match{\$h_subject:}{frozen}}
  control = freeze
 accept
begin routers
al:
 driver = redirect
 domains = al.test
 data = \${lookup{\$local_part}lsearch{$work/al}}
 pipe_transport = l
hd:
 driver = manualroute
 route_list = hd.test 192.0.2.2
 headers_add = X-Router: r
 headers_remove = X-Gone
 transport = t
nover:
 driver = accept
 domains = nover.test
 no_verify
 transport = l
nos:
 driver = accept
 domains = nos.test
 no_verify_sender
 transport = l
fv:
 driver = accept
 domains = fv.test
 fail_verify
 transport = l
nt:
 driver = manualroute
 verify_only
 route_list = nt.test 192.0.2.2
r:
 driver = manualroute
 route_list = one.test 192.0.2.2 ; uno.test 192.0.2.2 ; two.test 192.0.2.3 ; both.test 192.0.2.2:192.0.2.3; dead.test 192.0.2.29
 transport = t
q:
 driver = accept
 domains = me.test
 local_parts = ann : bob
 transport = l
begin retry
* * F,1h,1h
begin transports
t:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 2s
 final_timeout = 3s
${1//\~/$'\n' }
l:
 driver = appendfile
 file = /var/mail/\$local_part_data
 user = ann
E
}
printf 'r: x@one.test\nd: x@one.test, y@uno.test\nm: x@one.test, ann@me.test\nf: :fail: nope\nb: :blackhole:\np: |/bin/false\n' > $work/al
settings

# A callout: try OPTIONS SENDERS RECIPIENTS SCRIPT...
try() { local v=$1 s=$2 r=$3 one; shift 3; echo "##### ${O:+[$O] }$v $s $r : $*"; printf %s "$v" > $work/v; script 2 "$@"
 { printf 'EHLO %s\r\n' ${HELO:-h}; for one in $s; do printf 'MAIL FROM:<%s>%s\r\n' "${one#-}" "$PARAMS"; printf 'RCPT TO:<%s>\r\n' $r; printf 'RSET\r\n'; done; echo QUIT; } | $exim -bs -oMa 127.0.0.9 2>/dev/null | grep -a '^[45]\|^250 [AO]'
 hears; logs; db; }
echo '##### answers'
for c in recipient/callout=2s sender/callout=2s; do
 case $c in r*) S1=a@b.test R1=x@one.test;; *) S1=x@one.test R1=ann@me.test;; esac
 for a in '251 fwd' '354 go' '450 later' '451-many\n451 lines' '550-no\n550 end' '550-no\n450 other' 554 '5x0 odd' - '550 tab	and "quoted" \\'; do
  for st in conn ehlo mail rcpt; do try $c $S1 $R1 "$st=$a" "helo=$a"; done
  HELO=m try $c $S1 $R1 "rcpt=$a"
 done
done
echo '##### answers to what else is asked'
for c in recipient/callout=2s,random,use_sender sender/callout=2s,postmaster; do
 case $c in r*) L='rcpt:rnd@one.test rcpt:x@one.test' S1=a@b.test R1=x@one.test;; *) L='rset rcpt:postmaster@one.test' S1=x@one.test R1=ann@me.test;; esac
 for a in '251 fwd' '354 go' '450 later' '550-no\n550 end' '5x0 odd' -; do for st in $L; do
  case $st in *rnd*) X=;; *) X='rcpt:rnd@one.test=550 none';; esac
  try $c $S1 $R1 "$st=$a" "$X"; done; done
done
echo '##### options'
for v in recipient/callout recipient/callout= recipient/callout=5 recipient/callout=0s recipient/callout=x recipient/callout=5s,connect recipient/callout=5s,connect= recipient/callout=5s,maxwait=0s recipient/callout=5s,connect=0s recipient/callout=connect=1s,maxwait=1s recipient/callout=RANDOM,No_Cache recipient/callout=randomly recipient/callout=5s,mailfrom=x@y.test sender/callout=5s,use_sender recipient/callout=use_sender,use_postmaster recipient/callout=postmaster_mailfrom=x@y.test sender/callout=postmaster_mailfrom= sender/callout=fullpostmaster,postmaster sender/callout=postmaster_mailfrom=bad@ 'recipient/callout = 5s , random' 'recipient / callout=5s' recipient/callout=5s,,random recipient/callout/defer_ok recipient/callout_defer_ok recipient/check_postmaster sender=z@one.test/callout=5s sender=/callout=5s recipient=z@one.test recipient/callout=hold recipient/callout=5s/callout=random recipient/pass_message recipient/success_on_redirect/callout=5s recipient/quota=odd recipient/quota=cacheneg=x sender/quota odd '' /callout recipientx recipient/callouts recipient/callout:5s sender/callout=5s/no_details sender/defer_ok/callout=5s; do
 for s in '' 'rcpt=550 no'; do try "$v" x@one.test x@one.test "$s"; done; done
echo '##### routers that verify, or do not'
for d in x@nover.test x@nos.test x@fv.test x@nt.test x@both.test r@al.test m@al.test p@al.test f@al.test b@al.test; do for v in recipient/callout=3s sender/callout=3s recipient/callout=3s/success_on_redirect; do case $v in s*) try $v $d ann@me.test;; *) try $v a@b.test $d;; esac; done; done
echo '##### room'
for d in x@one.test ann@me.test r@al.test m@al.test p@al.test f@al.test b@al.test x@nowhere.test x@fv.test x@nt.test; do try recipient/quota a@b.test $d; try recipient/quota=cachepos=100s/defer_ok a@b.test $d; done
rm -f /var/mail/*
echo '##### remembered'
for v in recipient/callout=3s recipient/callout=3s,use_sender recipient/callout=3s,random recipient/callout=3s,use_postmaster sender/callout=3s,postmaster_mailfrom=p@b.test; do for s in '' 'rcpt:x@one.test=550 no' 'rcpt:rnd@one.test=550 no' 'mail:=550 no' 'rcpt=450 no'; do
 case "$v $s" in *random\ mail*) continue;; esac
 try $v 'a@one.test c@b.test a@one.test -' 'x@one.test y@one.test x@one.test' "$s" 'helo=550 no'; done; done
echo '##### how hosts are spoken to'
for o in '' 'protocol = lmtp' 'hosts_override~hosts = 192.0.2.3' 'port = 26' 'port = nosuch' 'helo_data =' 'helo_data = ${bad' 'helo_data = $sender_host_address.$local_part.$domain.$host.$verify_mode' 'interface = 192.0.2.99' 'hosts_avoid_pipelining = *' 'hosts_avoid_esmtp = *' 'hosts_require_tls = *' 'hosts_require_auth = *' 'hosts_try_auth = *' 'hosts_max_try = 1' 'return_path = z@b.test' 'authenticated_sender = z@b.test~authenticated_sender_force' 'authenticated_sender = ${bad~authenticated_sender_force' 'utf8_downconvert = 1' 'utf8_downconvert = 0' 'utf8_downconvert ='; do
 O=$o; settings " $o"; try recipient/callout=3s a@b.test x@one.test 'ehlo=250-host\n250-AUTH PLAIN\n250-SIZE 100\n250 DSN'; try recipient/callout=3s,use_sender a@b.test x@both.test 'rcpt=450 no'
 case $o in utf*) PARAMS=' SMTPUTF8'; for e in '250-host\n250 SMTPUTF8' '250 host'; do try recipient/callout=3s,use_sender ü@b.test ö@one.test "ehlo=$e";  try recipient/callout=3s a@b.test x@one.test "ehlo=$e"; done; PARAMS=;; esac; done
O=; settings

# Cut-through: cut CONTROL HELO SCRIPT... with lines from standard input; one does the same with
# a message to $T, of $F, about $SUBJ.
cut() { local c=$1 h=$2; shift 2; echo "##### ${O:+[$O] }$c $h ${SUBJ:+s=$SUBJ} ${T:+to $T} ${F+f=$F}: $*"; printf %s "$c" > $work/c; script 2 show=1 "$@"; script 3 show=1
 local in; in=$(cat); printf '%b' "EHLO $h\n$in\n" | sed 's/$/\r/' | $exim -bs ${OD:--odq} -oMa 127.0.0.9 2>/dev/null | grep -av '^220 me\|^250[- ][0-9A-Zm]X\|^221'
 hears; logs; $exim -bp | sed 's/^ *[0-9]*[smh] *[0-9.K]* /  /'; for i in $(ids); do echo "-- $i"; cat $S/msglog/$i 2>/dev/null; $exim -Mvh $i | grep -v 'eceived\|^[0-9]* 0\|-body\|^[0-9][0-9]. \|^-\(ident\|local$\|deliver\)'; $exim -Mrm $i >/dev/null; done; boxes; rm -rf $S/db/*; : > $LOG/mainlog; }
M='From: a@b.test\nSubject: SUBJ\nX-Gone: y\n\nbody\n..dot\n.\n'
one() { local subj=${SUBJ:-x} f=${F-a@b.test} t r=; for t in ${T:-x@one.test}; do r="${r}RCPT TO:<$t>\n"; done; cut "$@" <<< "MAIL FROM:<$f>\n${r}DATA\n${M/SUBJ/$subj}QUIT"; }
C=cutthrough_delivery P=cutthrough_delivery/defer=pass
echo '##### controls'
for c in $C $C/defer=spool $P $C/sender=orig $C/odd "$C/ defer = pass" $C/defer=what $C/; do one "$c" cC; T=x@dead.test one "$c" c; done
echo '##### answers to the message'
for c in $C $P; do
 for a in '250 fine' '450 later' '550 no' garbage -; do for st in conn mail rcpt data end; do [ "$st $a" = 'data 250 fine' ] || one $c c "$st=$a"; done; done
 OD=-odi one $c c 'end=450 no'; OD=-odi one $c c 'data=450 no'
done
echo '##### what the ACLs say'
for c in $C $P; do for s in denied deferred discarded faked frozen; do SUBJ=$s one $c c; done; one $c cp; done
echo '##### several recipients'
for c in $C $P; do
 for t in 'x@one.test y@one.test' 'x@one.test y@uno.test' 'x@one.test y@two.test' 'x@one.test ann@me.test' 'x@one.test none@nowhere.test' 'none@nowhere.test x@one.test' 'refused@one.test x@one.test' 'x@one.test refused@one.test' 'x@one.test x@one.test' 'X@ONE.test' 'r@al.test x@one.test' 'd@al.test' 'm@al.test' 'f@al.test' 'b@al.test' 'x@one.test f@al.test' 'x@hd.test' 'x@both.test' 'x@one.test y@both.test' 'x@dead.test x@one.test' 'x@one.test y@two.test z@one.test' 'x@one.test unqual'; do T=$t one $c c; done
 for s in 'rcpt:y@one.test=550 no' 'rcpt:y@one.test=450 no' 'rcpt:y@one.test=-' 'rcpt:y@one.test=garbage' 'rcpt:y@one.test=550-no\n550 mul' 'rcpt:x@one.test=550 no' 'data=550 no' 'end=550 no'; do T='x@one.test y@one.test z@one.test' one $c c "$s"; done
 for s in 'rcpt:x@one.test=550 no' 'rcpt:x@one.test=450 no'; do T='ann@me.test x@one.test y@one.test' one $c c "$s"; T='refused@one.test x@one.test y@one.test' one $c c "$s"; done
done
echo '##### with callouts'
for v in recipient/callout=5s recipient/callout=5s,use_sender recipient/callout=5s,use_sender,hold recipient/callout=5s,use_sender,random recipient/callout=5s,use_postmaster sender/callout=5s recipient/callout=5s,use_sender,postmaster; do printf %s $v > $work/v; for h in ch h; do for s in '' 'rcpt:y@one.test=550 no' 'rcpt:y@one.test=450 no' 'mail=550 no' 'end=550 no'; do O=$v T='x@one.test y@one.test' F=f@one.test one $C $h "$s"; done; done; done
echo '##### parameters, chunks and leaving'
for e in 'ehlo=250-host\n250-PIPELINING\n250-8BITMIME\n250-DSN\n250-SIZE 30000\n250-CHUNKING\n250 SMTPUTF8' 'ehlo=250 host'; do
 for p in 'SIZE=100' 'BODY=8BITMIME' 'RET=FULL ENVID=ab+2Bc' 'AUTH=<x@y.test>'; do T=$p cut $C c "$e" <<< "MAIL FROM:<a@b.test> $p\nRCPT TO:<x@one.test>\nRCPT TO:<y@one.test>\nDATA\n${M}QUIT"; done
 T=chunk cut $C c "$e" <<< "MAIL FROM:<a@b.test>\nRCPT TO:<x@one.test>\nBDAT 18 LAST\nSubject: x\n\nbody\nQUIT"
done
B='MAIL FROM:<a@b.test>\nRCPT TO:<x@one.test>\n'
T=gone cut $C c <<< "$B"
T=reset cut $C c <<< "${B}RSET\nMAIL FROM:<c@b.test>\nRCPT TO:<y@one.test>\nDATA\n${M}QUIT"
T=twice cut $C c <<< "${B}DATA\n${M}MAIL FROM:<c@b.test>\nRCPT TO:<y@one.test>\nDATA\n${M}QUIT"
T=between cut $C c <<< "${B}NOOP\nVRFY x@one.test\nRCPT TO:<bad\nRCPT TO:<y@one.test>\nDATA\n${M}QUIT"
T=empty cut $C c <<< "${B}DATA\n.\nQUIT"
T=long cut $C c <<< "${B}DATA\nSubject: long\n\n$(printf 'x%.0s' $(seq 900))\n..\nü\n.\nQUIT"
T=closes cut $C c 'data=-' <<< "${B}DATA\n${M}MAIL FROM:<c@b.test>\nRCPT TO:<y@one.test>\nDATA\n${M}QUIT"
echo '##### transports'
for o in 'dkim_domain = b.test' 'transport_filter = /bin/cat' 'transport_filter =' 'protocol = lmtp' 'hosts_override~hosts = 192.0.2.3' 'port = nosuch' 'helo_data = ${bad' 'hosts_avoid_pipelining = *' 'hosts_avoid_esmtp = *' 'hosts_require_tls = *' 'hosts_require_auth = *' 'fallback_hosts = 192.0.2.3' 'headers_rewrite = a@b.test z@b.test f' 'headers_remove = Subject' 'max_rcpt = 1' 'multi_domain = false' 'authenticated_sender = z@b.test~authenticated_sender_force' 'size_addition = -1' 'message_linelength_limit = 10' 'message_size_limit = 10' 'shadow_transport = l'; do O=$o; settings " $o"; T='x@one.test y@uno.test' one $C c; done
