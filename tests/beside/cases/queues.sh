# A hub with queues: mail that waits, named queues, who may manage it, and hosts that say "later".
hub() { conf <<E
qualify_domain = me.test
acl_smtp_rcpt = rcpt
acl_smtp_etrn = etrn
acl_smtp_data = data
host_lookup =
tls_advertise_hosts =
log_selector = +received_recipients +received_sender +deliver_time -pid +queue_run +delivery_size +queue_time_overall
domainlist hub = me.test
trusted_users = cat
admin_groups = mail
prod_requires_admin
$1
begin acl
rcpt:
 warn domains = urgent.test
  queue = urgent
 warn local_parts = qonly
  control = queue_only
 warn local_parts = qboth
  control = queue/first_pass_route
 warn local_parts = freeze
  control = freeze/no_tell
 accept
data:
 warn condition = \${if eq{\$h_X-Queue:}{}{no}{yes}}
  queue = \$h_X-Queue:
 accept
etrn:
 deny condition = \${if match{\$smtp_command_argument}{no}}
  message = no etrn for \$smtp_command_argument
 accept
begin routers
f:
 driver = redirect
 local_parts = fail
 data = :fail: no such one
def:
 driver = redirect
 local_parts = defer
 data = :defer: not now
m:
 driver = manualroute
 domains = ! +hub
 route_list = x.test 192.0.2.2; a.test 192.0.2.2 ; b.test 192.0.2.3 ; c.test 192.0.2.4 ; d.test 192.0.2.2:192.0.2.3 ; urgent.test 192.0.2.2 ; dead.test 192.0.2.25
 transport = s
l:
 driver = accept
 domains = +hub
 local_parts = root:ann:bob:qonly:qboth:freeze
 transport = l
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 2s
 $2
l:
 driver = appendfile
 file = /var/mail/\$local_part_data
 user = ann
begin retry
${3:-* * F,1h,3s}
E
}
bp() { for o in -bp -bpu -bpc -bpr -bpa; do x $o "$@"; done; }
put() { msg "p$((++P))" "$SUBJECT" | $exim -oi "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; }
files() { (cd $S; find . -path ./db -prune -o -type f -print | sort | sed 's/[0-9A-Za-z]\{6\}-[0-9A-Za-z]\{11\}-[0-9A-Za-z]\{4\}/ID/'); }

echo '##### how mail is handed in'
host 2; host 3
for opt in '' 'queue_only' 'queue_only
no_queue_only_override' 'queue_only_file = /etc/exim4/wait' 'queue_only_file = smtp/etc/exim4/wait:/etc/exim4/wait2' 'queue_only_load = 0.0' 'queue_only_load = 0.0
no_queue_only_override' 'queue_domains = a.test' 'queue_smtp_domains = a.test' 'hold_domains = a.test:me.test' 'smtp_accept_queue_per_connection = 1' 'queue_only_override = false
queue_only_file = /etc/exim4/wait'; do
 for w in '' wait wait2; do
 [ -n "$w" ] && case $opt in *file*) touch /etc/exim4/$w;; *) continue;; esac
 hub "$opt"; rm -f /var/mail/*
 for how in -odf -odi -odq -odqs '-odf -odq' '-odq -odf'; do
  echo "##### ${opt//$'\n'/;} $w: $how"
  put $how x@a.test ann@me.test 2>&1
  printf 'HELO h\nMAIL FROM:<x@y.test>\nRCPT TO:<ann@me.test>\nDATA\nSubject: x\n\n1\n.\nMAIL FROM:<x@y.test>\nRCPT TO:<u@a.test>\nRCPT TO:<qonly@me.test>\nDATA\nSubject: x\n\n1\n.\nMAIL FROM:<x@y.test>\nRCPT TO:<qboth@me.test>\nRCPT TO:<z@a.test>\nDATA\nSubject: x\n\n1\n.\nQUIT\n' | $exim $how -bs 2>&1
  sleep 0.3; x -bp; logs; heard 2 > /dev/null
  ids | xargs -r $exim -Mrm >/dev/null 2>&1; : > $LOG/mainlog; rm -f /var/mail/*
 done; rm -f /etc/exim4/wait*; done
done
gone 2 >/dev/null; gone 3 >/dev/null
# Who may manage what, of messages that are there and that are not.
managed() {
hub 'queue_only'; rm -rf $S/input/* $S/msglog/*
for r in x@a.test 'ann@me.test x@b.test' 'fail@me.test' 'u@urgent.test v@urgent.test' 'freeze@me.test defer@me.test'; do put $r; sleep 0.1; done
I=($(ids)); U=$($exim -bp -qGurgent 2>/dev/null | awk '/^ *[0-9]+[smhd]/ {print $3}'); U=${U:-$(ls $S/urgent/input | grep -- -H | sed 's/-H//')}
logs > /dev/null; }
who() { case $1 in root) shift; x "$@";; user) shift; as 5001 $exim "$@";; cat) shift; as 5003 $exim "$@";; admin) shift; echo "--- admin: $*"; setpriv --reuid=5001 --regid=5001 --groups=8 $exim "$@"; local r=$?; [ $r = 0 ] || echo "rc $r";; esac; }
m() { echo "##### $*"; "$@" 2>&1; logs; }
N=0aaaaa-00000000001-aaaa
for w in root user cat admin; do
 managed; echo "######## $w"
 for a in -bp -bpc -bpra -bpi "-bp ${I[0]}" "-bp $N" "-bp x" "-bpu ${I[0]} ${I[1]}" "-bp -qGurgent" "-qGurgent -bp" "-qGurgent -bpc" "-qGnone -bp" "-MG urgent -bp"; do m who $w $a; done
 for id in ${I[1]} $N bad ''; do for c in -Mvh -Mvb -Mvl -Mvc; do m who $w $c $id; done; done
 m who $w -Mvh ${I[0]} ${I[1]}; m who $w -Mvb $U; m who $w -qGurgent -Mvh $U; m who $w -Mset ${I[1]} -be '$message_exim_id $sender_address $recipients $message_size $h_subject: $message_body'; m who $w -Mset $N -be '$recipients'; m who $w -Mset bad -be x; m who $w -Mset ${I[0]}
 m who $w -Mf ${I[0]} $N ${I[1]}; m who $w -Mf ${I[0]}; m who $w -Mt ${I[0]} bad ${I[1]}; m who $w -Mt ${I[1]}
 m who $w -Mar ${I[0]} new@b.test 'x y' ; m who $w -Mar ${I[0]} new@b.test unq; m who $w -Mar ${I[0]}; m who $w -Mar ${I[0]} new@b.test; m who $w -Mar $N a@b; m who $w -Mmd ${I[0]} new@b.test; m who $w -Mmd ${I[0]} nobody@b.test; m who $w -Mmd ${I[0]} new@b.test; m who $w -Mmad ${I[0]} ${I[1]}; m who $w -Mmad $N;  m who $w -Mes ${I[1]} other@c.test; m who $w -Mes ${I[1]} '<>'; m who $w -Mes ${I[1]} 'a b'; m who $w -Mes ${I[1]} unq; m who $w -Mes ${I[1]}; m who $w -Mes ${I[1]} a@b c@d; m who $w -Mes ${I[1]} ''
 m who $w -bp; m who $w -MG urgent ${I[0]}; m who $w -MG; m who $w -MG urgent; m who $w -MG '' $U; m who $w -MG new ${I[1]} $N; m who $w -MG 'a/b' ${I[1]}; m who $w -MG urgent bad; m who $w -bp;  m who $w -qGurgent -bp; m who $w -qGurgent -MG third $U; m who $w -qGthird -bp; m who $w -qGthird -Mrm $U;
 m who $w -Mg ${I[2]}; m who $w -Mg $N; m who $w -Mg bad; m who $w -Mrm ${I[4]} $N; m who $w -Mrm ${I[4]}; m who $w -Mrm;  m who $w -M $N; m who $w -Mc ${I[3]}; m who $w -M; m who $w -M bad; m who $w -bp
 m who $w -Mx ${I[1]}; m who $w -q; m who $w -qf; m who $w -R x; m who $w -S x; m who $w -Rr; m who $w -qq5m5 ; m who $w -qGurgent; m who $w -qX; m who $w -qi; m who $w -q ${I[3]}; m who $w -q $N
 files; spool; rm -rf $S/urgent $S/new $S/third $S/a
done
echo "##### what is remembered of hosts that others wait for"
one() { echo "##### $1 then $2 ($3)"; rm -rf $S/db/* $S/input/*; hub '' ''; put -odq x@a.test; put -odq x@a.test;put -odq x@a.test; host 2 mail="$3"; for r in $1; do x $r; sleep 3.3; done
 kill $H2; rm -f host.2; host 2; x $2; gone 2 > /dev/null; grep '=>' $LOG/mainlog | cut -c 38-; : > $LOG/mainlog; ids | xargs -r $exim -Mrm > /dev/null; }
one '' -qq '451 later'
one -qq -q '451 later'
one -q -q '451 later'
one -q -qq '451 later'
one -qqf -q '451 later'
one -qf -q '451 later'
one '-q -q' -q '451 later'
one '-qf -qf' -q '451 later'
one '-qq -qq' -q '451 later'
# What a daemon does with many clients, and who asks for the queue.
host 2; host 3
mail() { printf "EHLO h\n"; local i; for i; do printf "MAIL FROM:<s@y.test>\nRCPT TO:<$i>\nDATA\nSubject: $i\n\nx\n.\n"; done; echo QUIT; }
d() { local o=$1 t=${2:-}; shift; [ $# -gt 0 ] && shift; hub "$o" "$t"; rm -rf $S/input/* $S/urgent $S/new $S/d.pid; daemon "$@"; }
e() { local a=$1; shift; for l; do echo "$l"; done | say $a; sleep 1; logs; heard 2; }
ex() { ids | xargs -r $exim -Mrm >/dev/null; stop; sleep 0.2; logs > /dev/null; }
echo '##### etrn'
d queue_only; mail x@a.test y@b.test v@urgent.test | say 127.0.0.2 >/dev/null
for a in a.test '#a.test' '@a.test' b.test no.test '' 'a.test b.test' '#urgent' '-x' '#-qf' nothing.test; do echo "##### ETRN $a"; e 127.0.0.2 "ETRN $a" "EHLO h" "ETRN $a" "etrn $a" QUIT; x -bp; done; ex
for c in '/bin/echo $domain' '/bin/sh -c "exit 1"' '$exim -R $domain' '/nonexistent' '/bin/echo $nosuch' '/bin/sh -c "echo $domain $sender_host_address >> /var/spool/exim4/etrn.out"'; do echo "##### etrn command $c"; d "queue_only
smtp_etrn_command = ${c//\$exim//usr/sbin/exim4}
smtp_etrn_serialize = false"; e 127.0.0.2 'EHLO h' 'ETRN #x y' 'ETRN @a.test' 'ETRN a.test' 'MAIL FROM:<>' 'ETRN b.test' QUIT; cat /var/spool/exim4/etrn.out 2>/dev/null; rm -f /var/spool/exim4/etrn.out; ex; done
sed -i '/acl_smtp_etrn/d' /etc/exim4/exim4.conf; echo '##### no acl'; daemon; e 127.0.0.2 'EHLO h' 'ETRN #x' QUIT; ex
echo '##### serialised'; d 'smtp_etrn_command = /bin/sleep 3'; e 127.0.0.2 'EHLO h' 'ETRN a' 'ETRN a' 'ETRN b' 'ETRN A' QUIT; ex
hold() { python3 - "$@" <<'P' &
import socket,sys,time
for a in sys.argv[2:]:
    s=socket.socket(); s.bind((a,0)); s.connect(('127.0.0.1',25)); s.settimeout(5)
    try: s.recv(100)
    except Exception: pass
    globals().setdefault('k',[]).append(s); time.sleep(0.2)
time.sleep(float(sys.argv[1]))
P
HP=$!; sleep 1.5; }
for o in 'smtp_accept_queue = 1' 'smtp_accept_queue = 2
queue_only_override = false' 'smtp_accept_max = 2' 'smtp_accept_max = 3
smtp_accept_reserve = 1
smtp_reserve_hosts = 127.0.0.3' 'smtp_accept_max = 3
smtp_accept_reserve = 2' 'smtp_accept_max_per_host = 1' 'smtp_accept_max_per_host = ${if eq{$sender_host_address}{127.0.0.3}{2}{1}}' 'smtp_accept_max_per_host = x' 'smtp_accept_max_per_connection = 1' 'smtp_accept_max_per_connection = 0' 'smtp_accept_queue_per_connection = 2' 'smtp_load_reserve = 0.001' 'smtp_load_reserve = 0.001
smtp_reserve_hosts = 127.0.0.3' 'smtp_accept_max = 1
smtp_accept_max_per_host = 1' 'smtp_accept_max_nonmail = 2' 'smtp_accept_max_nonmail = 2
smtp_accept_max_nonmail_hosts = 127.0.0.2' 'smtp_max_unknown_commands = 1
smtp_max_synprot_errors = 1'; do echo "##### ${o//$'\n'/;}"; d "$o"; hold 9 127.0.0.2 127.0.0.3; for c in 2 3 4; do { echo RSET; echo NOOP; echo RSET; mail ann@me.test bob@me.test x@a.test; } | say 127.0.0.$c; echo; printf 'EHLO h\nfoo\nbar\nMAIL\nMAIL FROM:<x@y>\nRCPT\nRCPT TO:<ann@me.test>\nRCPT TO:<ann@me.test>\n' | say 127.0.0.$c; done; kill $HP; sleep 0.5; logs | sed 's/load average = [0-9.]*/load average = N/'; x -bp; ex; done
echo '##### queues of a daemon'
d 'queue_run_max = 2
remote_max_parallel = 1' '' -q1s -qGurgent/1s; mail v@urgent.test x@a.test w@urgent.test| say >/dev/null; sleep 3; logs | grep -v 'queue run'; stop
gone 2 >/dev/null; gone 3 >/dev/null
# Hosts that say "later" to different commands, over several runs of the queue.
runs() { sleep 3.3; local r; for r in -q -qq -qf -R -Sff -qqi; do echo "##### $1 $r"
 case $r in -R|-Rf|-Rff) x $r b.test;; -S|-Sf|-Sff) x $r me.test;; -qqR) x -qq -R a.test;; '-qG urgent') x -qGurgent;; *) x $r;; esac; sleep 0.2; for h in 2 3 4; do [ -s host.$h ] && heard $h; done; logs; x -bp; sleep 3.2; done; }
retries() { local o=$1 t=$2 r=$3; shift 3; echo "########## ${*:-none} ${o//$'\n'/;} ${t//$'\n'/;} $r"; rm -rf $S/input/* $S/db/* $S/msglog/*; hub "$o
queue_run_in_order" "$t" "$r"
 host 2 "$@"; host 3
 for to in 'x@a.test y@a.test' 'x@a.test' 'x@b.test x@a.test' 'x@d.test' 't@a.test'; do put -odf $to; sleep 0.05; done
 put -odq u@urgent.test; $exim -MG urgent "$(ids | tail -1)" > /dev/null
 for h in 2 3; do [ -s host.$h ] && heard $h; done; logs; x -bp
 runs "$*";
 gone 2 >/dev/null; gone 3 >/dev/null; [ "${LATER:-}" ] && { host 2; sleep 4; x -q; heard 2; x -qf; gone 2; logs; x -bp; x -qGurgent; logs; }
 ids | xargs -r $exim -Mrm >/dev/null; $exim -qGurgent -bp | awk '/^ *[0-9]+[smhd]/ {print $3}' | xargs -r $exim -qGurgent -Mrm > /dev/null; logs >/dev/null; }
LATER=1 retries '' '' '' conn='421 later'
retries '' 'max_rcpt = 1' '' rcpt='421 bye-!'
