# Administration of messages and of the queue by command line: by root, an administrator, a trusted user, a message's owner and others.
hub() { conf <<E
qualify_domain = me.test
host_lookup =
tls_advertise_hosts =
log_selector = -pid
trusted_users = cat
queue_run_in_order
$1
begin acl
begin routers
f:
 driver = redirect
 allow_fail
 local_parts = fail
 data = :fail: no such one
def:
 driver = redirect
 allow_defer
 local_parts = defer
 data = :defer: not now
alias:
 driver = redirect
 local_parts = both
 data = ann, cat
fr:
 driver = redirect
 local_parts = frz
 allow_freeze
 data = :freeze: held
l:
 driver = accept
 local_parts = root:ann:bob:cat:u:v:w
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/\$local_part_data
 user = ann
begin retry
* * F,1h,1h
E
}
# Who calls: root, adm (of the mail server's group), cat (trusted), ann, bob
who() { local w=$1; shift; case $w in root) "$@";; adm) setpriv --reuid=5002 --regid=5002 --groups=$(id -g Debian-exim) "$@";; ann) setpriv --reuid=5001 --regid=5001 --clear-groups "$@";; bob) setpriv --reuid=5002 --regid=5002 --clear-groups "$@";; cat) setpriv --reuid=5003 --regid=5003 --clear-groups "$@";; mail) setpriv --reuid=$(id -u Debian-exim) --regid=$(id -g Debian-exim) --clear-groups "$@";; esac; }
# Calls, and shows both outputs, the status and the logs.
q() { local w=$1; shift; echo "##### $w: ${*//$'\n'/;}"; who $w $exim "$@" >out 2>err <"${IN:-/dev/null}"; local r=$?; cat out; sed 's/^/! /' err; [ $r = 0 ] || echo "rc $r"; sleep "${W:-0}"; logs; }
put() { local w=$1; shift; msg "p$((++P))" | who $w $exim -oi "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; sleep 0.02; }
clear() { rm -rf $S/input $S/msglog $S/db /var/mail/* $S/[a-z0-9]*/input; }
files() { (cd $S; find . -path ./db -prune -o -type f -print | sort | sed 's/[0-9A-Za-z]\{6\}-[0-9A-Za-z]\{11\}-[0-9A-Za-z]\{4\}/ID/'); }
N=0aaaaa-00000000001-aaaa
# Messages: of ann to ann and bob, of root to one who waits, of bob to one who fails, one of cat, one frozen
fill() { clear; hub "queue_only
$1"; put ann ann@me.test bob@me.test; put root defer@me.test u@me.test; put bob -f '' fail@me.test; put cat -f who@else.test v@me.test; put root -f x@y.test w@me.test; I=($(ids)); $exim -Mf ${I[4]} >/dev/null; logs >/dev/null; }
# The same, wherever a refusal is said.
Q() { q "$@" 2>&1 | sed 's/^! //; /^$/d'; }
left() { (cd $S; ls input msglog held/input 2>/dev/null | sed "s/${I[0]}/A/;s/${I[1]}/B/;s/${I[2]}/C/;s/${I[3]}/D/;s/${I[4]}/E/" | tr '\n' ' '); echo; }

echo '##### what others may do'
for o in '' 'admin_groups = ann' 'trusted_groups = ann' no_prod_requires_admin no_queue_list_requires_admin; do for w in ann cat adm mail; do
 fill "$o"; echo "######## $w $o"
 for a in -bp -bpc -bpi "-bpu ${I[2]}"; do Q $w $a; done
 for i in ${I[0]} ${I[3]}; do for c in -Mvh -Mvl -Mvc -Mf -Mt -Mg; do Q $w $c $i; done; Q $w -Mar $i new@me.test; Q $w -Mmd $i new@me.test; Q $w -Mes $i a@b.test; Q $w -Mmad $i; Q $w -MG held $i; done
 fill "$o"; Q $w -Mrm "${I[@]}"; left
 fill "$o"; for a in "-Mc ${I[0]}" "-M ${I[3]}" -qf "-R defer"; do W=0.2 Q $w $a; done
done; done

echo '##### who says where it comes from'
hub 'queue_only
untrusted_set_sender = *@own.test : ^x.*
trusted_groups = 5002'
for w in ann bob cat adm root; do for a in "-f a@b.test" "-f <>" "-f x1@y.test" "-f u@own.test" "-f unq" "-oMa 10.0.0.1.25" "-oMa bad" "-oMs host.test" "-oMr proto" "-oMt ident" "-oMaa au" "-oMai id" "-oMas se@nd" "-oMi 10.0.0.2.587" "-oMm 1xX45W-0000000001C-2D9l" "-oMm bad" "-oMa 1.2.3.4 -oMs h.test -oMt me -oMr esmtpa -oMaa l -oMai i@j -oMas s@t -oMi 5.6.7.8" "-F Full"; do
 echo "##### $w: $a"; printf 'To: ann@me.test\nSubject: x\n\nt\n' | who $w $exim $a ann@me.test 2>&1
 for i in $(ids); do $exim -Mvh $i | grep -v 'tls_resum' | sed 1d; done; ids | xargs -r $exim -Mrm > /dev/null; logs; done; done

echo '##### broken files'
b() { echo "######## $1"; for a in -bp -bpu -bpa -bpc -bpi "-Mvh ${I[1]}" "-Mvb ${I[1]}" "-Mvl ${I[1]}" "-Mvc ${I[1]}" "-Mset ${I[1]} -be \$h_subject:" "-Mf ${I[1]}" "-Mt ${I[1]}" "-Mes ${I[1]} a@b.test" "-Mar ${I[1]} a@b.test" "-Mmd ${I[1]} u@me.test" "-Mmad ${I[1]}" "-Mc ${I[1]}" "-M ${I[1]}" "-Mg ${I[1]}" "-Mrm ${I[1]}"; do q root $a; done | sed 's/ size=[0-9]*/ size=N/'; left; }
fill; rm $S/input/${I[1]}-D; b 'no text'
fill; rm $S/input/${I[1]}-H; b 'no header'
fill; : > $S/input/${I[1]}-H; b 'empty header'
fill; : > $S/input/${I[1]}-D; b 'empty text'
fill; sed -i '1s/.*/other-H/' $S/input/${I[1]}-H; b 'wrong first line'
fill; sed -i '1s/.*/other-D/' $S/input/${I[1]}-D; b 'wrong first line of the text'
fill; sed -i '3s/.*/x/' $S/input/${I[1]}-H; b 'no sender'
fill; truncate -s 200 $S/input/${I[1]}-H; b 'half a header'
fill; sed -i 's/^2$/3/' $S/input/${I[1]}-H; b 'one recipient too few'

echo '##### a message that another process has'
lock() { python3 - $S/input/$1-D <<'P' &
import fcntl,sys,time
f=open(sys.argv[1],'r+b'); fcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB,19); open('locked','w'); time.sleep(60)
P
LP=$!; until [ -e locked ]; do sleep 0.05; done; rm locked; }
fill; lock ${I[0]}; A=${I[0]}
for a in -bp -Mvh\ $A -Mvc\ $A -Mf\ $A -Mt\ $A "-Mar $A a@me.test" "-Mmd $A ann@me.test" -Mmad\ $A "-Mes $A x@y.test" "-MG other $A" -Mc\ $A -M\ $A -Mg\ $A -Mrm\ $A "-Mrm $A ${I[2]}" "-Mset $A -be \$h_subject:" -q -qf "-q $A $A" "-R ann@" ; do q root $a; done; kill $LP; x -bp
echo '##### half delivered'
fill; q root -M ${I[1]}; for a in -bp -bpu -bpa -bpra "-bpu ${I[1]}" "-Mvh ${I[1]}" "-Mvl ${I[1]}" "-Mmd ${I[1]} u@me.test" "-Mmd ${I[1]} DEFER@me.test" "-Mar ${I[1]} u@me.test" "-Mar ${I[1]} U@ME.TEST v@me.test" "-Mar ${I[1]} v@me.test v@me.test" "-bpa ${I[1]}" "-M ${I[1]}" "-Mvh ${I[1]}" "-Mmad ${I[1]}" "-Mes ${I[1]} new@else.test" "-Mvh ${I[1]}" "-bpa ${I[1]}" "-Mc ${I[1]}" -bp; do q root $a 2>&1 | sort -s; done
echo '##### frozen'
fill; for a in "-Mc ${I[4]}" "-q" "-Mt ${I[4]}" "-Mvh ${I[4]}" "-Mf ${I[4]}" "-Mf ${I[4]} ${I[3]}" "-qff" "-bp"; do q root $a; done
fill; q root -Mg ${I[4]} ${I[0]}; x -bp; q root -M ${I[4]}
fill; q root -MG held ${I[4]} ${I[0]} ; q root -qGheld -bp; q root -qGheld -Mt ${I[4]}; q root -qGheld -M ${I[4]};  q root -M ${I[0]}; q root -Mrm ${I[0]}; q root -MG held ${I[0]}; q root -qGheld -MG held ${I[0]};  q root -qGheld -MG '' ${I[0]}; q root -qGheld -MG main ${I[0]}; q root -qGmain -bp; files
echo '##### parts of the queue'
for a in "-q ${I[0]}" "-q ${I[1]} ${I[2]}" "-q ${I[2]} ${I[1]}" "-qf ${I[3]} ${I[3]}" "-q x" "-q ${I[0]} x" "-q x ${I[0]}" "-qi ${I[1]}" "-R ann ${I[1]}" "-Rf ann" "-Rrf ^a.*@me" "-Rr ^b" "-Rr [" "-Rff W@ME" "-Rxx a" "-R" "-R ''" "-Sr ^x@" "-S <>" "-S ann -R bob" "-Sf ROOT" "-qR" "-qS x" "-qf -R ann" "-qqfl" "-qflx" "-qfiff" "-qlf" "-q ${I[0]} ${I[1]} ${I[2]}" "-qGa-b/c" "-qG" "-qG x" "-qqG" "-qfGheld" "-q1x" "-q0" "-q 5m" "-q1m ${I[0]}" "-q -q" "-q -bp" "-bp -q" "-M ${I[0]} -q" "-M -q ${I[0]}"; do fill; b=$a; q root $b; done

echo '##### options beside each other'
fill
for a in "-q -R ann ${I[0]}" "-S x ${I[1]} ${I[3]}" "-q ${I[3]} -R v" "-q ${I[0]} -qf" "-Mset ${I[2]} -Mrm ${I[2]}" "-bp -Mf ${I[1]}" "-Mf ${I[1]} -bp" "-qGa -R ann ${I[1]}" "-bpc -Mrm ${I[1]}" "-bp -M ${I[1]}" "-bpi -Mg ${I[1]}" -bp; do q root $a; done

echo '##### journals'
J() { rm -rf $S/held; fill; printf "$1" > $S/input/${I[1]}-J; chown Debian-exim: $S/input/${I[1]}-J; echo "######## journal ${2//X/B}"; q root ${2//X/${I[1]}}; q root -bp ${I[1]}; left; }
for j in 'u@me.test\n' 'U@ME.TEST\n' 'u@me.test\ndefer@me.test\n' ''; do for c in '-bp X' '-Mvh X' '-Mf X' '-Mar X v@me.test' '-Mmd X defer@me.test' '-Mmad X' '-Mg X' '-Mrm X' '-M X' '-Mc X' -q '-MG held X'; do J "$j" "$c"; done; done

echo '##### given up'
g() { q root "$@"; for i in $(ids); do $exim -Mvh $i | grep -v 'tls_resum\|linelength\|boundary=' | sed 1d; $exim -Mvb $i; done; left; }
for o in '' 'errors_copy = * root@me.test' no_message_logs preserve_message_logs split_spool_directory 'ignore_bounce_errors_after = 0s'; do echo "######## $o"; fill "$o"; g -Mg ${I[0]} ${I[2]}; fill "$o"; q root -M ${I[1]}; g -Mg ${I[1]}; done

echo '##### lists'
age() { sed -i "4s/^[0-9]*/$(($(date +%s)-$2))/" $S/input/$1-H; }
for o in '' no_queue_list_requires_admin split_spool_directory; do fill "$o"; for w in ann adm; do for a in -bp -bpu -bpa -bpc -bpi "-bp ${I[0]} ${I[2]}" "-bpc ${I[0]}" "-bpi ${I[3]} ${I[0]}" "-bp -v" "-bpx" "-bpcc" "-bp $N" "-bpr ''" "-bp 1xX45W-00001C-2D" "-bpi x"; do q $w $a; done; done; done
fill; n=0; for s in 30 59 60 3599 3600 5399 89999 90000 172800 260000 8640000; do age ${I[0]} $s; q root -bp ${I[0]}; done
fill; for k in 900 1023 1024 2000 9500 10239 10240 102400 1000000 10484000 12000000; do truncate -s $k $S/input/${I[0]}-D; q root -bp ${I[0]}; done
echo '##### names in several forms'
fill; O=$(echo ${I[0]} | sed 's/-00000\(......\)-\(..\).*/-\1-\2/'); for a in "-Mvh $O" "-M $O" "-Mrm $O" "-Mrm ${I[0]}x" "-Mrm ${I[0]}-H" "-Mvh ../input/${I[0]}" "-Mrm" "-Mrm ''" "-M -v" "-v -M ${I[0]}" "-M ${I[1]} -v" "-Mf" "-Mt" "-Mes" "-Mar" "-Mmd" "-Mmad" "-Mg" "-MG" "-Mset" "-Mvx ${I[1]}" "-Mr ${I[1]}" "-M${I[1]}" "-Mrm${I[1]}" "-Mset ${I[1]} -bt u" "-be -Mset ${I[2]} \$sender_address" "-Mset ${I[2]} -Mrm ${I[2]}" "-Mset ${I[2]} ${I[3]} -be x" "-Mset ${I[2]} -bem /dev/null \$sender_address" "-Mrm ${I[2]} -Mf ${I[3]}" "-Mf ${I[3]} -bp" "-bp -Mf ${I[3]}" "-odq -M ${I[3]}" "-N -M ${I[3]}" "-odi -M ${I[3]}" "-odb -M ${I[4]}"; do q root $a 2>&1 | grep -v '^! \(LOG\|delivering\|Connect\)'; done; x -bp
echo '##### tools'
mount --bind $exim /usr/sbin/exim4
t() { echo "##### $*"; "$@" 2>&1 | sort; }
fill; $exim -M ${I[1]}; logs > kept
for a in -i -b -c -l "-z -i" "-x -i" "-f bob -i" "-r ann@ -i" "-r u@ -b" "-s 166" "-y 100 -i" "-a -i" "-R -i"; do t exiqgrep $a; done
for a in "" -i -bp -bpc -bpu '$deliver_freeze' '!$deliver_freeze -i' '-f x@y' '-r u@me' -c '-z -i' '-x -i'; do t exipick $a; done
t exigrep u@me kept

# Where files that are included begin and end.
mkdir -p $work/i; echo 'qualify_domain = a.test' > $work/i/a; printf 'begin routers\nu:\n driver = accept\n verify_only\n' > $work/i/b; echo ".include $work/i/a" > $work/i/n; chmod 644 $work/i/*
for i in a 'a b' n 'n b'; do for end in '' '
tls_advertise_hosts =' '
# done'; do [ "$i $end" = "${i%b} $end" ] || [ -z "${end#*done}" ] || continue; { echo 'primary_hostname = me.test'; for f in $i; do echo ".include $work/i/$f"; done; echo "$end"; } > /etc/exim4/exim4.conf; x -bP config | grep -v '^# Exim'; done; done

echo '##### who is at what'
clear; hub 'remote_max_parallel = 4'; exim=/usr/sbin/exim4
sed -i 's/^begin routers/begin routers\nfar:\n driver = manualroute\n domains = ! me.test\n route_list = b.test 192.0.2.3; * 192.0.2.2\n transport = far/; s/^begin transports/begin transports\nfar:\n driver = smtp\n hosts_try_fastopen =/' /etc/exim4/exim4.conf
host 2 conn='~2 220 slow'; host 3 end='~2 250 slow'
daemon -q1h
python3 -c '
import socket,time
s=socket.create_connection(("127.0.0.1",25)); time.sleep(2); s.sendall(b"HELO a.b\r\n"); time.sleep(9)
' &
w() { sleep 1; exiwhat 2>&1 | sed 's/^ *[0-9]* //; s/([0-9.]*): -q/(V): -q/' | grep 'daemon\|handling\| to ' | grep -v waiting | sort; }
w; msg a | $exim -odb x@b.test y@b.test; w; sleep 2; msg b | $exim -odb x@b.test x@c.test; w; sleep 2.5; msg c | $exim -odb x@c.test; w; sleep 2; stop; kill $H2 $H3
