# What ACLs remember and how they say it: rates, what was seen, variables, header lines, queues, codes of answers.
HEAD='qualify_domain = me.test
host_lookup =
tls_advertise_hosts =
log_selector = -pid +smtp_connection +acl_warn_skipped
'
STAGES='notsmtp notsmtpstart connect helo mail rcpt predata data prdr quit notquit vrfy expn etrn auth mailauth mime'
ends='begin routers
a:
 driver = accept
 transport = t
begin transports
t:
 driver = appendfile
 file = /dev/null
 user = mail
begin authenticators
plain:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = ${if eq{$auth3}{pw}}
 server_set_id = $auth2'
# A configuration whose ACL of each stage is what a function prints for its name.
stages() { { echo "$HEAD"; echo "$PRDR"; for a in $STAGES; do case $a in
  notsmtp) o=acl_not_smtp;; notsmtpstart) o=acl_not_smtp_start;; prdr) o=acl_smtp_data_prdr;; *) o=acl_smtp_$a;; esac; echo "$o = $a"; done
 echo 'begin acl'; for a in $STAGES; do echo "$a:"; "$1" $a; done; echo "$ends"; } | conf; }
session() { printf 'EHLO h\nVRFY ann@me.test\nEXPN ann@me.test\nMAIL FROM:<a@b.test> SIZE=1000%s\nRCPT TO:<ann@me.test>\nRCPT TO:<bob@me.test>\nDATA\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\n\ny\n--b--\n.\nAUTH PLAIN AGEAcHc=\nMAIL FROM:<c@b.test> AUTH=x@y\nRCPT TO:<ann@me.test>\nRCPT TO:<ann@me.test>\nRSET\nHELO g\nMAIL FROM:<c@b.test>\nRCPT TO:<ann@me.test>\nDATA\nSubject: y\n\nz\n.\n' "${PRDR:+ PRDR}"; [ "$1" ] || echo QUIT; }
clean() { rm -rf $S/db/* $S/input $S/msglog $S/q1 $S/ok; }
bs() { $exim -odq -bs -oMa 10.1.2.3 > out 2> err; grep -v '^250-' out; cat err; }
speak() { session $1 | bs; logs; clean; }
local_one() { echo '# local'; msg a | $exim -odq ann@me.test bob@me.test; logs; clean; }
test_one() { session | $exim -bh 10.1.2.3 > out 2> err; cat out err; logs; clean; }
# Statements, each for a recipient of its own.
each() { local n=0 t; { echo "$HEAD"; echo 'acl_smtp_rcpt = rcpt
begin acl'; for t; do printf 'p%d:\n%s\n warn logwrite = p%d after $sender_rate/$sender_rate_limit/$sender_rate_period\n accept\n' $n "$t" $n; n=$((n+1)); done
 echo rcpt:; n=0; for t; do printf ' accept local_parts = p%d\n  acl = p%d\n' $n $n; n=$((n+1)); done; echo 'begin routers'; } | conf
 n=0; { printf 'EHLO h\nMAIL FROM:<s@y.test> SIZE=1500\n'; for t; do printf 'RCPT TO:<p%d@me.test>\n' $n; n=$((n+1)); done; echo QUIT; } | bs; n=0; for t; do echo "# p$n $t"; n=$((n+1)); done; logs; clean; }

echo '##### how rates are written'
r() { local a=() t; for t; do a+=(" warn ratelimit = $t
  logwrite = over \$sender_rate/\$sender_rate_limit/\$sender_rate_period"); done; each "${a[@]}"; }
r '' 1 1/ 1/1m 1/1m/ 1/1m// 1/1m/strict/per_cmd '1 / 1m / strict / per_cmd / k' 0/1m/per_cmd/strict/k0 -1/1m -0/1m/k1 +1/1m/k2 1.5/1m/per_cmd/strict/k3 .5/1m/k4 5./1m/k5 1e3/1m/k6 1e400/1m/k7 inf/1m nan/1m infinity/1m 0x10/1m/k8 0x1p3/1m/k9 0x100000000/1m/k10 0x/1m 1k/1m 1K/1m 1M/1m 1G/1m 1T/1m 1kk/1m '1 k/1m' k/1m 1x/1m x/1m /1m
r 1/0s 1/0 1/5 1/x 1/-1m 1/1m1h 1/1h1m/k '1/ 1m /k' 1/1y 1/99999999999w 1/1.5m 1/1m/strict/strict 1/1m/strict/leaky 1/1m/readonly/strict 1/1m/noupdate/strict 1/1m/noupdate 1/1m/readonly/noupdate 1/1m/strict/noupdate 1/1m/per_cmd/per_cmd 1/1m/per_cmd/per_mail 1/1m/per_rcpt/per_addr 1/1m/per_foo/kk 1/1m/STRICT/kk 1/1m/a//c '1/1m/a/ b /c' 1/1m/per_conn/strict 1/1m/per_byte/strict
r 1/1m/count= 1/1m/count=2 1/1m/count=2/count=3/per_cmd/strict 1/1m/count=x 1/1m/count=-1 1/1m/count=1.5/per_cmd/strict 1/1m/count=1k/per_cmd/strict 1/1m/count=1e3/per_cmd 1/1m/count=0/per_cmd '1/1m/count = 2' '1/1m/count= 2/per_cmd' 1/1m/count=inf 1/1m/unique= 1/1m/unique=a/per_cmd 1/1m/unique=a/unique=b/per_cmd 1/1m/unique 1/1m/unique=a/per_addr 1/1m/per_addr/strict 1/1m/count=5/per_addr

echo '##### what is counted in which ACL'
all_rates() { local m o; for m in '' per_conn per_mail per_byte per_rcpt per_addr per_cmd; do for o in '' readonly unique=u count=3; do printf ' warn ratelimit = 0 / 1h%s%s / k_%s\n  logwrite = %s %s %s over $sender_rate/$sender_rate_limit\n' "${m:+ / $m}" "${o:+ / $o}" "$1" "$1" "$m" "$o"; done; done; echo ' accept'; }
for PRDR in '' prdr_enable; do stages all_rates; speak; speak x; local_one; test_one; done
PRDR=
strict_rate() { case $1 in $W) printf ' warn ratelimit = 2.5 / 1h / %s / strict\n  logwrite = %s over $sender_rate\n' "$M" "$1";; esac; echo " accept logwrite = $1 \$sender_rate"; }
for W in connect helo mail rcpt predata data prdr quit notsmtp auth mime; do for M in per_conn per_mail per_byte per_rcpt per_addr per_cmd; do
 echo "##### $M in $W"; [ $W = prdr ] && PRDR=prdr_enable; stages strict_rate; case $W in notsmtp) local_one;; *) speak;; esac; PRDR=; done; done
# The same key in all of them: how long a message, and a command, is remembered.
same_key() { printf ' warn ratelimit = %s\n  logwrite = %s over $sender_rate\n accept logwrite = %s $sender_rate\n' "$M" "$1" "$1"; }
for M in 100/1h/strict 2.5/1h 100/1h/strict/unique=u 100/1h/strict/per_cmd/count=3; do for PRDR in '' prdr_enable; do echo "##### $M $PRDR"; stages same_key; speak; speak x; test_one; local_one; done; done
PRDR=

echo '##### rates over several connections'
several() { conf <<E
$HEAD
acl_smtp_connect = cn
acl_smtp_mail = m
acl_smtp_rcpt = r
acl_smtp_data = d
begin acl
cn:
 warn ratelimit = 2.5 / 1d / per_conn / $1 / cn
  logwrite = cn over \$sender_rate
 accept
m:
 warn ratelimit = 2.5 / 1d / $1 / \$sender_address
  logwrite = m over \$sender_rate
 accept logwrite = m \$sender_rate
r:
 warn ratelimit = 3.5 / 1d / per_rcpt / $1
  logwrite = r over \$sender_rate
 warn ratelimit = 3.5 / 1d / per_rcpt / readonly
  logwrite = ro over \$sender_rate
 warn ratelimit = 1.5 / 1d / per_addr / $1
  logwrite = a over \$sender_rate
 warn ratelimit = 100 / 1d / per_cmd / $1 / cmd
 deny ratelimit = 6.5 / 1d / per_rcpt / $1
  message = \$sender_rate \$sender_rate_limit \$sender_rate_period
  log_message = over \$sender_rate
 accept logwrite = r \$sender_rate
d:
 warn ratelimit = 1k / 1d / per_byte / $1
  logwrite = d over \$sender_rate \$sender_rate_limit
 warn ratelimit = 4.5 / 1d / per_rcpt / $1 / dr
  logwrite = dr over \$sender_rate
 accept logwrite = d \$sender_rate
$ends
E
}
client() { printf 'EHLO h\n'; for f in a b; do printf "MAIL FROM:<$f@b.test> SIZE=600\n"; for t in x y x z; do printf "RCPT TO:<$t@me.test>\n"; done; printf 'DATA\nSubject: x\n\n%0700d\n.\n' 1; done; printf 'MAIL FROM:<a@b.test>\nRSET\nMAIL FROM:<a@b.test>\nRCPT TO:<X@ME.test>\nQUIT\n'; }
for o in strict leaky readonly noupdate count=2 count=0 count=0.4 unique=u 'strict / unique=$sender_address' 'leaky / unique='; do several "$o"; for i in 1 2; do echo "##### $o $i"; client | bs; logs; done; clean; done

echo '##### seen'
s() { local a=() t; for t; do a+=(" warn seen = $t
  logwrite = yes"); done; each "${a[@]}"; }
s '' 5m 5m '5m / key=a' '-5m / key=a' '-0s / key=a' 0s/key=a -5m/key=b -5m/key=b/readonly 5m/key=c/readonly 5m/readonly/key=c 5m/key=d/write 5m/write/readonly/key=e 5m/key=e/readonly/write -5m/key=f/write 5m/ 5m// 5m/key= '5m/key= h ' 5m/key=a/b 5m/key=x/key=y 5m/refresh=1d 5m/refresh= 5m/refresh=x -0s/refresh=0s/key=a 5m/foo 5m/READONLY 5m/readonly=1 5m/key ' 5m ' '- 5m' --5m +5m 5 5x x 1w1d1h1m1s/key=j 99999999999w - '$local_part/key=q' '5m/key=$local_part' '5m / key=${lookup{x}lsearch{/no}}' '${if eq{1}{2}{5m}fail}' '5m , key=x'

echo '##### what one ACL leaves to those behind it'
leaves() { echo " warn logwrite = $1 c=\$acl_c_w m=\$acl_m_w q=\$queue_name h=\${escape:\$headers_added} r=\$sender_rate"; case " $W " in *" $1 "*|'  ') cat <<E
 warn set acl_c_w = \$acl_c_w $1
  set acl_m_w = \$acl_m_w $1
 warn log_message = once
 warn log_message = once
 warn $T
 warn logwrite = $1 then m=\$acl_m_w q=\$queue_name h=\${escape:\$headers_added} <\$h_X-A:> <\$h_Subject:>
E
 esac; echo ' accept'; }
for W in '' connect helo 'mail rcpt' 'rcpt mime data' mime vrfy auth mailauth predata notsmtpstart notsmtp; do for T in '' 'ratelimit = 1/1h/strict/per_cmd' 'add_header = X-A: a\nX-A: a\nbare' 'add_header = :after_received:X-A: a
 warn add_header = :at_start:X-B: b
 warn add_header = X-A: a' 'remove_header = Subject'; do echo "##### $W: $T"; stages leaves; speak; speak x; local_one; done; done
for W in connect helo vrfy auth mail rcpt predata; do T='queue = q1'; echo "##### $W: queue"; stages leaves; session | bs; logs; find $S -name '*-H' | sed 's|.*/\([a-z0-9]*/*input\)/.*|\1|'; clean; done
echo '##### variables in the spool'
for v in 'c_a c_b c_c c_d c_e' 'c_e c_d c_c c_b c_a' 'm0 m1 m2 m3 m4 m5 m6 m7 m8 m9 m10' 'm_abc m_Abc m_a m_B m0 m_0 c_x'; do { echo "$HEAD
acl_not_smtp = n
begin acl
n:"; for n in $v; do echo " warn set acl_$n = 1"; done; echo ' accept'; } | conf; msg a | $exim -odq a@me.test; echo "# $v"; grep -a '^-acl' $S/input/*-H; logs >/dev/null; clean; done

echo '##### ACLs that call others'
nest() { echo "##### $1"; { echo "$HEAD
acl_smtp_rcpt = r
acl_smtp_data = d
begin acl
r:
$1"; cat <<'E'; echo "$ends"; } | conf; printf 'EHLO h\nMAIL FROM:<s@y.test>\nRCPT TO:<p@me.test>\nRCPT TO:<p2@me.test>\nDATA\nSubject: x\n\ny\n.\nRSET\nMAIL FROM:<>\nRCPT TO:<z@me.test>\nQUIT\n' | bs; logs; clean; }
 warn logwrite = after n=$acl_narg 1=$acl_arg1 m=$acl_m_x c=$acl_c_x h=${escape:$headers_added} q=$queue_name
 deny message = end m=$acl_m_x n=$acl_narg
d:
 accept logwrite = data <$h_X-A:>
a:
 accept message = m $acl_arg1/$acl_arg2/$acl_narg
n:
 deny message = no $acl_arg1
  log_message = log $acl_arg1
f:
 defer message = later $acl_arg1
dr:
 drop message = dropped $acl_arg1
di:
 discard message = disc $acl_arg1
  log_message = ldisc
w:
 warn set acl_m_x = w$acl_arg1
 warn set acl_c_x = c$acl_arg2
e:
 deny ratelimit = x
ep:
 accept endpass
  message = ep $acl_arg1
  condition = no
emp:
h:
 accept add_header = X-A: $acl_arg1
two:
 accept acl = a $acl_arg2 $acl_arg1
  logwrite = two has $acl_arg1 $acl_arg2 $acl_narg
wm:
 warn message = X-Warn: $acl_arg1
  log_message = warned $acl_arg1
 accept
lt:
 deny log_reject_target = panic
  message = lt
nine:
 accept logwrite = $acl_narg:$acl_arg1,$acl_arg2,$acl_arg3,$acl_arg4,$acl_arg5,$acl_arg6,$acl_arg7,$acl_arg8,$acl_arg9
loop:
 accept acl = loop x$acl_arg1
E
for c in 'a "x y" z' 'n x' 'f x' 'dr x' 'di x' 'w 1 2' e 'ep x' emp 'h x' 'two 1 2' 'wm x' lt 'nine 1 2 3 4 5 6 7 8 9 10' 'nine "a\"b" "" c' loop nosuch '' 'deny message = inline' '${lookup{x}lsearch{/none}}' '$local_part' 'a "unclosed'; do
 for v in accept deny warn require; do nest " $v acl = $c
  message = msg n=\$acl_narg v=\$acl_verify_message
  log_message = logm v=\$acl_verify_message"; done; nest " warn !acl = $c
  logwrite = neg"; nest " accept endpass
  acl = $c"; done
for c in a 'n}{x' f dr di 'w}{1}{2' e h 'wm}{x' lt loop nosuch; do nest " warn set acl_m_x = \${acl{$c}}"; nest " deny condition = \${if acl{{$c}}{yes}{no}}"; nest " warn add_header = X-A: first
  condition = \${if acl{{$c}}{yes}{yes}}
 accept"; done

echo '##### codes of answers, and what is logged'
says() { [ $1 = $W ] && echo "$A"; echo ' accept'; }
AA=(' deny message = no
  log_message = secret' ' deny message = 450 wrong' ' deny message = 999 x' ' deny message = 550' ' deny message = 550-x' ' deny message = 550 4.1.1 x' ' deny message = 550 5.1.1' ' deny message = 5.1.1 x' ' deny message = 550 5.1.1000 x' ' deny message = 550\tx' ' deny message = a\nb' ' defer message = 550 x' ' defer message = 421 x' ' defer log_message = only log' ' drop message = 221 x' ' accept message = 550 x
  log_message = l' ' discard message = d
  log_message = l' ' require message = 550 5.7.1 r
  condition = no' ' accept endpass
  message = ep
  condition = no' ' deny log_reject_target = reject:bad' ' deny log_reject_target =' ' deny message = ${if eq{1}{2}{x}fail}
  log_message = ${lookup{x}lsearch{/none}}' ' accept delay = x' ' accept delay = 0s' ' accept control = fakereject/' ' accept control = utf8_downconvert' ' accept control = dscp' ' accept logwrite = :main,reject: two
  logwrite = :bad: x
  logwrite = ::none')
for W in connect helo mail rcpt data quit notquit vrfy expn auth prdr notsmtp; do for A in "${AA[@]}"; do echo "##### $W:${A//$'\n'/;}"; [ $W = prdr ] && PRDR=prdr_enable; stages says; case $W in notsmtp) local_one;; notquit) speak x;; *) speak;; esac; PRDR=; done; done

echo '##### smtp_ratelimit'
for v in 2,0.01s,1.0,4m '' 2 2,0.5s 2,x,1,4m 2,0.5s,x,4m 2,0.5s,1.05,4m,5 -1,0.01s,1,1s x,0.01s,1,1s 3,0,1,1s 2,0.01s,-1,1s 2,.01s,1,0.1s 2,0s,1,0s; do for k in mail rcpt; do echo "##### $k $v"; { echo "$HEAD
smtp_ratelimit_$k = $v
smtp_ratelimit_hosts = *
acl_smtp_rcpt = accept"; } | conf; { echo 'EHLO h'; for i in 1 2 3; do printf 'MAIL FROM:<a@b.test>\nRCPT TO:<a@me.test>\nRCPT TO:<b@me.test>\nRCPT TO:<c@me.test>\nRSET\n'; done; echo QUIT; } | bs; logs; done; done
