# What is logged of each kind of event, by each word of log_selector, where it goes, and how odd characters look.
site() { conf <<E
qualify_domain = me.test
acl_smtp_connect = conn
acl_smtp_helo = helo
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data
acl_smtp_data_prdr = prdr
acl_smtp_etrn = accept
acl_smtp_vrfy = \${if eq{\$smtp_command_argument}{bob}{deny}{accept}}
acl_smtp_predata = predata
host_lookup =
tls_advertise_hosts =
dsn_advertise_hosts = *
prdr_enable
smtputf8_advertise_hosts = *
trusted_users = cat
message_size_limit = 20K
system_filter = /etc/exim4/filter
system_filter_user = ann
queue_run_in_order
smtp_max_unknown_commands = 3
smtp_receive_timeout = 2s
delay_warning =
domainlist local = me.test
$1
begin acl
conn:
 drop hosts = 127.0.0.9
  message = go away \$sender_host_address
  log_message = bad host
 deny hosts = 127.0.0.8
 accept
helo:
 deny condition = \${if eq{\$sender_helo_name}{bad.helo}}
  message = no such helo
 accept
mail:
 deny senders = bad@x.test
  message = bad sender
 defer senders = later@x.test
 accept
rcpt:
 deny local_parts = denied
  message = no \$local_part
  log_message = it is denied "\$local_part"
 defer local_parts = deferred
 drop local_parts = dropped
  message = bye
 discard local_parts = discarded
 discard local_parts = discardlog
  log_message = thrown away
 warn local_parts = warned
  log_message = a warning about \$local_part
 warn local_parts = written
  logwrite = :main,reject: written "\$local_part"
  logwrite = :panic: to the panic log
 accept local_parts = skipped
  condition = \${if exists{\$nosuch}}
 warn local_parts = skipwarn
  condition = \${lookup{x}lsearch{/nonexistent}{yes}}
 deny local_parts = sender
  !verify = sender
 deny local_parts = verified:noaddr
  !verify = recipient
 accept local_parts = frozen
  control = freeze
 accept local_parts = queued
  control = queue_only
 accept local_parts = fake
  control = fakereject/not really
 accept local_parts = faked
  control = fakedefer
 accept
predata:
 deny condition = \${if eq{\$sender_address}{predata@x.test}}
  message = not now
 accept
prdr:
 deny local_parts = prdrno
  message = prdr says no
 accept
data:
 deny condition = \${if eq{\$h_X-Do:}{deny}}
  message = data denied
  log_message = \$h_subject:
$(for v in defer drop discard; do echo " $v condition = \${if eq{\$h_X-Do:}{$v}}"; done)
 accept condition = \${if eq{\$h_X-Do:}{reject}}
  control = fakereject/no no
 deny condition = \${if eq{\$h_X-Do:}{verify}}
  !verify = header_syntax
 accept
begin routers
$(for one in 'fail=:fail: no such one' 'defer=:defer: not now' hole=:blackhole: alias=second 'second=ann, bob+x@me.test'; do printf "${one%%=*}:\n driver = redirect\n local_parts = ${one%%=*}\n allow_fail\n allow_defer\n data = ${one#*=}\n"; done)
list:
 driver = redirect
 local_parts = list
 data = ann, bob, x@a.test
 errors_to = owner@me.test
redir:
 driver = redirect
 local_parts = file
 file_transport = f
 pipe_transport = p
 reply_transport = r
 data = /var/mail/thefile
pi:
 driver = redirect
 local_parts = pipe
 pipe_transport = p
 data = |/bin/cat
un:
 driver = accept
 local_parts = unseen
 unseen
 transport = l
m:
 driver = manualroute
 domains = ! +local
 route_list = a.test 192.0.2.2; b.test 192.0.2.3 ; c.test 192.0.2.4:192.0.2.2 ; dead.test 192.0.2.25 ; many.test 192.0.2.2
 transport = s
$(for one in lmtp:lm reply:r pipefail:pf pipedefer:pd shadow:sh maildir:md nobox:nobox quota:quota; do printf "to_${one%:*}:\n driver = accept\n local_parts = ${one%:*}\n transport = ${one#*:}\n"; done)
l:
 driver = accept
 domains = +local
 local_part_suffix = +*
 local_part_suffix_optional
 local_parts = ann:bob:cat:discardlog:warned:written:queued:frozen:fake:faked:sender:prdrno:second:unseen:owner
 transport = l
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 2s
 $2
$(for one in 'l:/var/mail/\$local_part_data' nobox:/nonexistent/x; do printf '%s:\n driver = appendfile\n file = %s\n user = ann\n' "${one%%:*}" "${one#*:}"; done)
md:
 driver = appendfile
 directory = /var/mail/md
 maildir_format
 user = ann
quota:
 driver = appendfile
 file = /var/mail/quota
 quota = 10
 user = ann
f:
 driver = appendfile
 user = ann
p:
 driver = pipe
 user = ann
$(for one in 'pf:wrong; exit 1' 'pd:later; exit 75'; do printf "${one%%:*}:\n driver = pipe\n user = ann\n log_output\n command = /bin/sh -c \"echo ${one#*:}\"\n"; done)
lm:
 driver = lmtp
 command = /etc/exim4/lmtp
 user = ann
r:
 driver = autoreply
 to = \$sender_address
 subject = Re
 text = hello
 user = ann
sh:
 driver = appendfile
 file = /var/mail/shadow
 shadow_transport = pf
 user = ann
begin retry
* * F,1h,1h
begin authenticators
plain:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = \${if eq{\$auth3}{pw}}
 server_set_id = \$auth2
 server_mail_auth_condition = yes
begin rewrite
rw@* \$1-new@me.test Ffrs
E
cat > /etc/exim4/filter <<F
# Exim filter
if \$h_x-filter: is freeze then freeze "by filter" endif
if \$h_x-filter: is fail then fail "by filter: \$h_subject:" endif
if \$h_x-filter: is log then logfile /var/spool/exim4/f.log logwrite "a line" endif
F
chmod 644 /etc/exim4/filter
cat > /etc/exim4/lmtp <<'F'
#!/bin/sh
printf '220 x\r\n'
while read l; do case $l in LHLO*) a='250 x';; DATA*) printf '354 go\r\n'; while read m; do case $m in .?) break;; esac; done; a='250 lmtp taken';; QUIT*) printf '221 bye\r\n'; exit;; *) a='250 ok';; esac; printf "$a\r\n"; done
F
chmod 755 /etc/exim4/lmtp; }
H() { printf "EHLO h.test\n"; }; M() { printf "MAIL FROM:<$1>$2\n"; }; R() { local i; for i; do printf "RCPT TO:<$i>\n"; done; }; D() { printf "DATA\n$1\n\nx\n.\n"; }
clear() { for i in $(ids); do $exim -Mrm $i >/dev/null; done; rm -rf /var/mail/* $S/db/*; : > $LOG/mainlog; : > $LOG/rejectlog; : > $LOG/paniclog; }
bs() { $exim -odq -bs "$@" 2>err | sed 's/^/  /'; sed 's/^/ ! /' err; }
A=$(printf '\0bob\0pw' | base64) AX=$(printf '\0bob\0no' | base64)
# What comes by -bs, with an address of a host, so that it is not the daemon's.
received() {
 { H; M s@x.test; R ann@me.test denied@me.test deferred@me.test discarded@me.test discardlog@me.test warned@me.test; D "Subject: one two\nMessage-ID: <one@m.test>"
   M s@x.test; R discarded@me.test; D "Subject: gone"
   M s@x.test ' BODY=8BITMIME SIZE=100'; R ann@me.test; D 'Subject: =?utf-8?q?s=C3=BC=22=5Cx?=\nMessage-Id: <two"\\@m.test>'
   M s@x.test ' BODY=7BIT'; R 'written@me.test' sender@me.test; D 'From: x'
   M s@me.test; R sender@me.test verified@me.test skipped@me.test skipwarn@me.test noaddr@me.test; echo RSET
   M bad@x.test; M later@x.test; echo VRFY ann; echo VRFY bob; echo EXPN ann; echo HELP; echo NOOP; echo FOO; echo
   M predata@x.test; R ann@me.test; echo DATA; echo RSET
   M s@x.test; R ann@me.test; D 'X-Do: deny\nSubject: why " not\nFrom: x@y.test'
   M s@x.test; R ann@me.test; D 'X-Do: defer\nSubject: why'
   M s@x.test; R ann@me.test; D 'X-Do: discard\nSubject: why'
   M s@x.test; R ann@me.test; D 'X-Do: reject\nSubject: why'
   M s@x.test; R fake@me.test; D 'Subject: why'
   M s@x.test; R faked@me.test; D 'Subject: why'
   M s@x.test; R ann@me.test; D 'X-Do: verify\nFrom: <x\nSubject: why'
   M s@x.test; R frozen@me.test;  D 'Subject: why'
   M rw@x.test; R rw@x.test ann@me.test;  D 'Subject: why'
   M s@x.test; R ann@me.test; R dropped@me.test; } | bs -oMa 192.0.2.7.1234 -oMi 192.0.2.1.25
 { H; M s@x.test ' SIZE=100000'; M 's@x.test'; R ann@me.test; echo DATA; echo 'Subject: big'; echo; head -c 30000 /dev/zero | tr '\0' x; printf '\n.\n'; echo QUIT; } | bs -oMa 192.0.2.7.1234 -oMi 192.0.2.1.25
 { H; echo "AUTH PLAIN $A"; M s@x.test ' AUTH=who@x.test'; R ann@me.test; D 'Subject: a'; M s@x.test ' AUTH=<>'; R ann@me.test; D 'Subject: a'; echo QUIT; } | bs -oMa 192.0.2.7.1234 -oMi 192.0.2.1.25
 { H; echo "AUTH PLAIN $AX"; echo AUTH; echo 'AUTH X'; echo 'AUTH PLAIN *';  echo QUIT; } | bs -oMa 192.0.2.7.1234 -oMi 192.0.2.1.25
 { H; M s@x.test ' PRDR'; R ann@me.test prdrno@me.test; D 'Subject: p'; M s@x.test ' PRDR'; R prdrno@me.test; D 'Subject: p';  M s@x.test ' RET=HDRS ENVID=x+20y'; printf 'RCPT TO:<ann@me.test> NOTIFY=NEVER ORCPT=rfc822;x\n'; D 'Subject: p'; M 'sü@xü.test' ' SMTPUTF8'; R ann@me.test; D 'Subject: ü'; echo QUIT; } | bs -oMa 192.0.2.7.1234 -oMi 192.0.2.1.25
 { H; M s@x.test; R ann@me.test; printf 'BDAT 14 LAST\r\nSubject: y\r\n\r\n'; printf 'QUIT\r\n'; } | sed 's/\r*$/\r/' | bs -oMa 192.0.2.7.1234 -oMi 192.0.2.1.25
 { echo 'HELO bad.helo'; echo 'HELO'; echo 'EHLO a b'; echo 'EHLO [192.0.2.7]'; echo 'MAIL'; echo MAIL FROM; echo 'MAIL FROM:<a'; echo 'MAIL FROM:<a@b> X=Y'; echo 'MAIL FROM:<unq>'; echo RCPT; echo 'RCPT TO:<x@y>'; echo DATA; echo 'MAIL FROM:<a@b>'; echo 'MAIL FROM:<a@b>'; echo 'RCPT TO:<unq>'; echo 'RCPT TO:<a@b> X'; echo 'RCPT TO:a b'; echo 'DATA x'; echo DATA; echo 'STARTTLS'; echo 'ETRN x'; echo 'ETRN'; echo RSET;  echo 'ETRN #x';  echo 'RSET x'; echo 'QUIT x'; echo 'BDAT'; echo 'BDAT x'; echo QUIT; } | bs -oMa 192.0.2.7.1234 -oMi 192.0.2.1.25
 for i in '' EHLO 'HELO h' 'HELO h\nNOOP\nQUIT' 'QUIT' 'HELO h\nMAIL FROM:<a@b>' 'HELO h\nMAIL FROM:<a@b>\nRCPT TO:<ann@me.test>\nRCPT TO:<bob@me.test>\nQUIT' 'HELO h\nMAIL FROM:<a@b>\nRCPT TO:<ann@me.test>\nDATA\nSubject: x\n\n' 'a\nb\nc\nd\ne'; do echo "##### ${i//$'\n'/;}"; printf "$i\n" | bs -oMa 192.0.2.7.1234 -oMi 192.0.2.1.25; printf "$i\n" | bs; done
}
put() { msg "p$((++P))" "$SUBJECT" | $exim -oi "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; }
# What is delivered, here and elsewhere, or not.
delivered() {
 host 2 end='250-taken as "1"\n250 and 2' rcpt:no@a.test='550-no "such"\r one\n550 second' rcpt:later@a.test='451 not yet' mail:sno@x.test='550 not from you' ; host 3 data='451 not now'; host 4 conn='554 go away'
 put -odq -f s@x.test ann@me.test bob+x@me.test alias@me.test hole@me.test fail@me.test defer@me.test unseen@me.test
 put -odq -f s@x.test list@me.test cat@me.test
 for r in file pipe lmtp reply pipefail pipedefer shadow maildir nobox quota nothing; do put -odq -f s@me.test $r@me.test; done
 put -odq -f s@x.test u@a.test v@a.test no@a.test later@a.test
 put -odq -f s@x.test u@b.test; put -odq -f s@x.test u@c.test; put -odq -f sno@x.test u@a.test w@many.test
 put -odq -f s@x.test q@many.test
 put -odq -f '' no@a.test; put -odq s@y.test ann@me.test; SUBJECT='odd "\ ü	tab' put -odq ann@me.test
 for f in freeze fail log; do printf "X-Filter: $f\nSubject: filtered\n\n\n" | $exim -odq -f s@x.test ann@me.test fail@me.test; done
 put -odq ann@me.test; put -odq ann@me.test; I=($(ids | tail -2)); x -Mf ${I[0]}; x -Mt ${I[0]}; x -Mf ${I[0]}; x -Mg ${I[1]}; x -Mf ${I[1]}; x -Mar ${I[1]} b@c.test; x -Mmd ${I[1]} b@c.test;  x -Mes ${I[1]} n@c.test; x -Mrm ${I[0]}
 logs; put -N -odf -f s@x.test ann@me.test u@a.test; x -qq; x -q; logs; x -q; x -R x.test; x -S x.test; x -qi; x -qff;  logs; spool | grep -v eximdsn; x -bp
 for h in 2 3 4; do gone $h; done; x -Mvl $(ids | head -1); }
echo '##### reception'
for sel in "" +all "-all +smtp_connection +all_parents +incoming_interface"; do
echo "##### $sel"
site "${sel:+log_selector = $sel -pid -connection_id}"
received; logs; x -qqf; x -q; logs; spool; x -bp
clear; delivered; clear; done
# What the utilities make of both.
site 'log_selector = +all -pid -connection_id -arguments -8bitmime'; host 2 rcpt:no@a.test='550 no'; P=0
put -odf -f s@x.test ann@me.test u@a.test no@a.test list@me.test; put -odf -f s@x.test defer@me.test cat@me.test; put -odf -f s@x.test file@me.test pipe@me.test nobox@me.test
for a in 'x.test' '-v Completed' '-l x.test' '-i S@X' 'no@a'; do echo "##### exigrep $a"; exigrep $a $LOG/mainlog; done
echo '##### eximstats'; eximstats -nr $LOG/mainlog | sed 's/ *$//'; eximstats -h0 -t5 -byhost -byemail -bydomain -pattern x /Completed/ $LOG/mainlog
for a in '' -i -b -c '-bpru' '-f s@x' '--show-vars sender_address,message_size,recipients' '$deliver_freeze' '$recipients_count gt 2' '--caseful $sender_address eq s@x.test' "'\$recipients_undel_count == 1'" '--flatq' '-or'; do echo "##### exipick $a"; exipick -spool $S $a 2>&1; done
exiqgrep -f s@x.test -E $exim; exiqgrep -c -E $exim -f x; $exim -bp | exiqsumm
logs > /dev/null; gone 2 > /dev/null; clear
# Odd characters and lines that are too long.
N=$(printf '%0300d' 0)
for opt in '' 'print_topbitchars' $'log_selector = +all -pid -connection_id -arguments' $'timezone = UTC\nlog_timezone' $'timezone = America/New_York\nlog_timezone\nlog_selector = +millisec' $'no_message_logs' $'preserve_message_logs' 'no_write_rejectlog' 'log_selector = +subject -rejected_header'; do
echo "##### ${opt//$'\n'/;}"
site "$opt
helo_allow_chars = _\"@ü
helo_accept_junk_hosts = *
allow_utf8_domains
host_reject_connection = 192.0.2.99
"
host 2 rcpt='550 no "x" \ ü	tab ~ ${y}' ; host 3 end='250 '"$N$N$N$N"
[[ $opt = *zone* ]] || {
for h in 'a"b' 'ü.test' '"' 'a\b' '(x)' 'x y' '[1.2.3.4]' "$N$N" '-'; do { echo "EHLO $h"; M '"a b"@x.test'; R denied@me.test; D "Subject: x"; echo QUIT; } | $exim -odq -bs -oMa 192.0.2.7 >/dev/null 2>&1; done; }
{ H; for a in '"a\\"b"@x.test' '"a	b"@x.test' 'ü@x.test' "'\`|*%!#@x.test" '"\xx"@x.test' "$N@x.test"; do M "$a" | sed 's/%/%/'; R 'denied@me.test' '"q\"r"@me.test' "ü@me.test" '"denied"@me.test' "$N@me.test"; D 'Subject: x'; echo RSET; done
 printf 'MAIL FROM:<\001\177x@y>\n'; printf 'FOO \001\t\377\\"\n'; printf 'MAIL FROM:<a\\b@y>\n'; printf 'RCPT TO:<a\tb@me.test>\n'; echo RSET
 for s in 'plain \t tab' 'quote " back \\ slash' 'ü \001 ctl' '=?iso-8859-1?q?=fc=0a=22?=' '=?utf-8?b?w7w=?= =?x-none?q?=41?=' "$N$N$N$N$N" '  spaces  ' 'a\n b\n\tc'; do M s@x.test; R ann@me.test; D "Message-ID: <a\"b\\\\c ü@m>\nSubject: $s"; done
 M s@x.test; R ann@me.test; D "X-Do: deny\nSubject: den \" \\\\ ü \001\nX: ü\001\\\\" ; M s@x.test; R ann@me.test; D "X-Do: deny\nSubject: $N$N$N$N$N$N$N$N$N$N\nX: $N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N$N"
 for i in $(seq 60); do M s@x.test; R $N$i@me.test; D "X-Do: deny\nSubject: many"; break; done; echo QUIT; } 2>&1 | bs -oMa 192.0.2.7 | grep -v '^  250'
put -odq -f s@x.test '"a b"@a.test' "ü@a.test" '"x\"y"@b.test' w@b.test; put -odq -f '"s t"@x.test' ann@me.test '"fa il"@me.test'
[[ $opt = *zone* ]] && { put -odq -f s@x.test ann@me.test; grep -o ' [+-][0-9]\{4\} ' $LOG/mainlog | sort -u; }
logs | cut -c 1-3000; x -q; logs | cut -c 1-3000; (cd $S; ls msglog msglog.OLD 2>/dev/null | sed 's/[0-9A-Za-z]\{6\}-[0-9A-Za-z]\{11\}-[0-9A-Za-z]\{4\}/ID/'; cat msglog.OLD/* 2>/dev/null); gone 2; gone 3; clear; rm -rf $S/msglog.OLD
done
# Where lines go.
system_log() { # what the system's log hears, into syslog.out
 mkdir -p $work/dev; mount -t tmpfs -o mode=755 tmpfs $work/dev
 for n in null zero urandom random; do touch $work/dev/$n; mount --bind /dev/$n $work/dev/$n; done; ln -s /proc/self/fd $work/dev/fd
 mount --rbind $work/dev /dev
 python3 -c '
import socket,os
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind("/dev/log"); os.chmod("/dev/log",0o666)
while True:
    b=s.recv(65536); open("syslog.out","ab").write(b"|"+b+b"\n")' & sleep 0.3; }
place() { rm -rf $LOG/* $S/* /etc/exim4/l; mkdir -p -m 777 /etc/exim4/l; : > syslog.out; site "$1"; }
where() { echo "##### ${1//$'\n'/;}"; place "$1"
 { H; M s@x.test; R ann@me.test denied@me.test written@me.test; D 'X-Do: deny\nSubject: a\n b'; echo QUIT; } | bs -oMa 192.0.2.7; put -odf -f s@x.test ann@me.test fail@me.test 2>&1
 sleep 0.2; seen | sed -E 's/^(\|<[0-9]+>)[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} /\1SDATE /; s/\[[0-9]+\]:/[N]:/'; }
seen() { for f in $(find $LOG /etc/exim4/l $S -type f -name '*log*' -o -type f -path '*/l/*' | sort); do echo "=== $(stat -c '%n %U:%G %a' $f)" | sed "s/$(date +%Y%m%d)/YMD/g; s/$(date +%Y%m)/YM/g"; cat $f; done; echo "=== syslog"; cat syslog.out; }
system_log
L=/etc/exim4/l P='log_file_path = syslog'
for o in $L/%slog $L/%slog.%D $L/%D-%slog $L/%s.%M $L/%M%s $L/%s%D $L/%D/%slog $L/%slog-%D.log $L/%s-%D-%M $L/%D%s $L/%sx%D $L/./-%D-%slog $L/nosuch/%slog $L/all $L/%s/%s relative/%slog %slog '' : :: syslog :syslog syslog: "syslog : $L/%slog" "$L/%slog : syslog" "$L/%s1 : $L/%s2" "$L/%s1 : syslog : $L/%s3" "syslog : syslog" '<; syslog' ' syslog ' SYSLOG "$L/%slog:" '$spool_directory/log/%slog' '$nosuch' '${if eq{1}{2}{x}fail}' "$L/%d-%slog" "$L/%%slog" "$L/%S" "$L/a b/%slog" "$L/%slog ; syslog" "/dev/null" "/" "/etc/exim4/l" "$L/\${if eq{1}{1}{%s}}" "$L/%slog%"; do where "log_file_path = $o"; done
for o in syslog_duplication=false syslog_timestamp=false syslog_pid=false 'syslog_processname = mail er' syslog_processname= 'syslog_processname = abcdefghijklmnopqrstuvwxyz0123456789' 'syslog_processname = ${if eq{1}{1}{a}}' syslog_facility=local0 syslog_facility=local7 syslog_facility=user syslog_facility=news syslog_facility=uucp syslog_facility=daemon syslog_facility=LOCAL1 syslog_facility=local8 syslog_facility= syslog_facility=auth write_rejectlog=false $'syslog_timestamp=false\nlog_selector = +pid +millisec' $'syslog_pid=false\nlog_selector = +pid +millisec' $'log_timezone\nlog_selector = +pid' $'log_timezone\nsyslog_timestamp=false' $'syslog_duplication=false\nwrite_rejectlog=false'; do where "$P
$o"; where "log_file_path = $L/%slog:syslog
$o"; done
