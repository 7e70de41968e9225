# Next hosts: the smtp and lmtp transports with every option, MX records of all kinds, and hosts that answer oddly at each stage.
# The configuration: site OPTIONS-OF-s [MAIN-OPTIONS [ROUTER]], with ~ between options.
site() { local t=${1//'~'/$'\n' } m=${2//'~'/$'\n'} r=${3:-'driver = manualroute~ route_list = a.test 192.0.2.2; b.test 192.0.2.3; d.test 192.0.2.2:192.0.2.3; dead.test 192.0.2.25; many.test 192.0.2.25:192.0.2.26:192.0.2.27:192.0.2.2:192.0.2.3~ transport = s'}; conf <<C
qualify_domain = me.test
host_lookup =
remote_max_parallel = 1
tls_advertise_hosts =
log_selector = -pid +smtp_confirmation +retry_defer $LS
$m
begin routers
back:
 driver = accept
 domains = me.test
 transport = back
r:
 ${r//'~'/$'\n'}
begin transports
back:
 driver = appendfile
 file = /var/mail/back
 user = mail
s:
 driver = ${D:-smtp}
 ${TO-hosts_try_fastopen =
 hosts_pipe_connect =
 connect_timeout = 1s
 command_timeout = 1s
 data_timeout = 1s
 final_timeout = 1s}
 $t
begin retry
${R:-* * F,1h,1h}
C
}
# What host 2 and 3 heard, logs and reports; the rest of the message goes.
res() { local h f; for h in 2 3 4 5; do [ -s host.$h ] && heard_ $h; done; logs | grep -v ' Completed$\| => back \| <= sender@' | sed 's/ S=[0-9]*\( \|$\)/ /'; for f in $S/msglog/*; do [ -e $f ] && grep -v ' Received from\|SMTP error from\|^.\{19\} s@me' $f; done; [ -e /var/mail/back ] && sed -n '/^X-Failed/p;/^Status:/p;/^Action:/p;/^Remote-MTA/p;/^Diagnostic/p;/^This message was created/,/^--/{/^This\|^A message\|^recip\|^$\|^--/!p}' /var/mail/back; ids | xargs -r $exim -Mrm > /dev/null 2>&1; rm -rf $S/db/* $S/msglog/* /var/mail/*; : > $LOG/mainlog; : > $LOG/paniclog; rm -f $LOG/paniclog $LOG/rejectlog; }
# A delivery: p OPTIONS RECIPIENT...
p() { local o=$1; shift; echo "##### $o${MO:+ // $MO}"; site "$o" "$MO" "$RO"; send ${FROM-sender@me.test} "${@:-x@a.test}" 2>&1; res; }
heard_() { heard $1 | awk '/^[0-9]+[<>| ]/ {match($0,/^[0-9]+/); n=substr($0,1,RLENGTH); if (!(n in c)) c[n]=++k; $0=c[n] substr($0,RLENGTH+1)} /^[0-9]+> 250[- ]h/ {next} {print}'; }
# A delivery to a host that answers so: st OPTIONS RECIPIENTS WHAT=ANSWER...
st() { local o=$1 r=$2; shift 2; host 2 "$@"; echo "##### $o -> $r :: $*"; site "$o" "$MO" "$RO"; send ${FROM-sender@me.test} $r 2>&1; res; gone 2 >/dev/null; }
# Options, each with many values.
TO=
host 2 ehlo='250-h\n250-PIPELINING\n250-SIZE 100000\n250-8BITMIME\n250-DSN\n250-CHUNKING\n250-PRDR\n250-AUTH PLAIN\n250 SMTPUTF8'; host 3
for o in hosts_avoid_esmtp hosts_avoid_pipelining hosts_try_chunking hosts_try_prdr hosts_require_auth hosts_require_tls serialize_hosts; do for v in '' '*' '!192.0.2.2' '${bad' '${if eq{a}{b}{x}fail}' +none '${if eq{$host}{192.0.2.2}{*}}'; do p "$o = $v" x@a.test y@a.test; done; done
for o in port interface helo_data hosts max_parallel message_size_limit return_path authenticated_sender headers_add multi_domain event_action socks_proxy dscp; do for v in '' true 0 1 -1 '${bad' '${if eq{a}{b}{x}fail}' 'x@y' '$local_part' '99999999999' '1x'; do case $o$v in event_action\$*|socks_proxy0|headers_add\$\{bad) continue;; esac; p "$o = $v" x@a.test y@a.test; done; done
unset TO
echo '##### sizes of each recipient, and what recipients share'
for v in '${if eq{$local_part}{x}{10}{100000}}' '${if eq{$local_part}{}{10}{100000}}' '${if eq{$domain}{a.test}{10}{100000}}' '${if eq{$local_part_data}{x}{10}{0}}'; do p "message_size_limit = $v"; p "message_size_limit = $v" x@a.test y@a.test; p "message_size_limit = $v" y@a.test x@a.test; p "message_size_limit = $v" x@a.test x@b.test; for o in max_rcpt=1; do p "message_size_limit = $v~max_rcpt = 1" x@a.test y@a.test; done; done
for t in 'helo_data = $local_part-$domain-$host' 'return_path = $local_part@r.test' 'headers_add = X: $local_part $domain $h_subject:' 'interface = ${if eq{$local_part}{x}{192.0.2.1}{192.0.2.9}}' 'interface = <; 192.0.2.1' 'interface = 192.0.2.77' 'interface = ::1' 'port = ${if eq{$local_part}{x}{25}{26}}' 'max_parallel = ${if eq{$local_part}{x}{1}{2}}' 'multi_domain = ${if eq{$local_part}{x}{no}{yes}}' 'multi_domain = $domain' 'multi_domain = ' 'authenticated_sender = $local_part~authenticated_sender_force' 'max_rcpt = 0' 'max_rcpt = 1' 'connection_max_messages = 1~max_rcpt = 1' 'connection_max_messages = 2~max_rcpt = 1' 'port = 0' 'port = 65536' 'port = 65535' 'port = -1' 'port = 025' 'port = smtp' 'port = SMTP' 'port = 25k' 'port = 0x19' 'port = " 25 "' 'port = ${lookup{x}lsearch{/no}}' 'port = lmtp' 'protocol = smtps' 'protocol = lmtp' 'protocol = SMTP' 'dscp = ef' 'dscp = bad' 'dscp = 46' 'dscp = ' 'dscp = 99' 'message_linelength_limit = 10' 'message_linelength_limit = 0' 'utf8_downconvert = 1' 'hosts_override~hosts = 192.0.2.3' 'hosts_override' 'hosts_override~hosts =' 'event_action = ${if eq{$event_name}{tcp:connect}{no}}' 'event_action = ${if eq{$event_name}{smtp:ehlo}{no ehlo}}' 'event_action = ${if eq{$event_name}{smtp:connect}{no conn}}' 'event_action = ${if eq{$event_name}{msg:delivery}{no del}}' 'event_action = ${if eq{$event_name}{dns:fail}{no}}' 'headers_rewrite = *@me.test $local_part@z.test' 'return_path = ' 'return_path = <>' 'return_path = bad' 'return_path = "a b"@c' 'return_path_add' 'transport_filter = /bin/cat' 'transport_filter = /no/such' 'user = nosuch' 'shadow_transport = back' 'rcpt_include_affixes' 'address_retry_include_sender = no' 'keepalive = no' 'lmtp_ignore_quota~protocol = lmtp' 'serialize_hosts = *' 'hosts_randomize' 'helo_data = ' 'helo_data = a b' 'helo_data = [192.0.2.1]' 'size_addition = 0' 'size_addition = 1K' 'command_timeout = 0s' 'connect_timeout = 0s' 'data_timeout = 0s' 'final_timeout = 0s'; do case $t in *timeout*) TO=;; esac; p "$t" x@a.test y@a.test x@b.test; unset TO; done
gone 2 >/dev/null; gone 3 >/dev/null
# Answers at each stage, and extensions.
for w in conn ehlo mail rcpt rcpt:x@a.test data end quit; do
for a in '421 x' '450 4.2.1 x' '550-a\n550-b\n550 c' '220 x' '354 x' '-' '250 x-!' '550 x-!' '25' 'rubbish' '250-a\n251 b' '550-a\n250 b' '1250 x' '250-x' '250\tx' '552 too big'; do
st '' 'x@a.test y@a.test' $w="$a"
done; done
# Reset within an answer, or behind it.
for w in conn ehlo mail rcpt:x@a.test data end; do for a in '550-one-x' '250-one-x' '550 one-x' '250 ok-x'; do st '' 'x@a.test y@a.test' $w="$a"; done; done
three='x@a.test y@a.test z@a.test'
for e in '250 h' '250-h\n250 SIZE' '250-h\n250 SIZE 10' '250-h\n250 SIZE 0' '250-h\n250 size 10' '250-h\n250 SIZE x' '250-h\n250 SIZE=10' '250-h\n250-PIPELINING x\n250 SIZE 99999999999' '250-h\n250 pipelining' '250-h\n250 PIPELININGX' '250-h\n250-CHUNKING\n250 x' '250-h\n250 CHUNKING' '250-h\n250 chunking x' '250-h\n250 PIPELINING CHUNKING' '250-h\n250 LIMITS RCPTMAX=2' '250-h\n250 LIMITS rcptmax=1' '250-h\n250 LIMITS MAILMAX=1 RCPTMAX=1' '250-h\n250 LIMITS RCPTMAX=0' '250-h\n250 LIMITS RCPTMAX=x' '250-h\n250 LIMITS RCPTMAX=1 RCPTMAX=2' '250-h\n250 LIMITS RCPTDOMAINMAX=1' '250-h\n250 LIMITS  RCPTMAX=1' '250-h\n250 limits RCPTMAX=1' '250-h\n250 LIMITS FOO=1 RCPTMAX=1' '250-h\n250 LIMITS RCPTMAX=99999999999' '250-h\n250-LIMITS RCPTMAX=1\n250 LIMITS RCPTMAX=2' '250-h\n250 PRDR' '250-h\n250 prdr' '250-h\n250-PIPELINING\n250-CHUNKING\n250 PRDR' '250-h\n250 8bitmime' '250-h\n250-SIZE 100\n250 SIZE 100000' '250-h\n250 X-FOO\n250 SIZE 10' '250-\n250 SIZE 10' '250 SIZE 10' '250-SIZE 10\n250 h' '250-h\n250-SIZE 10 \n250 PIPELINING ' '250-h\n250- SIZE 10\n250 x' '250-h\n250 PIPE_CONNECT' '250-h\n250 LIMITS' '251 h' '220 h' '252-h\n252 SIZE 10'; do st '' "$three" ehlo="$e"; done
for a in '552 too many' '550 no' '450 no' '421 x' '421 x-!'; do for w in x y z; do st '' "$three" rcpt:$w@a.test="$a"; done; done
# MX records and addresses.
dns <<'Z'
$ORIGIN .
$TTL 60
@ IN SOA ns.test. h.test. 1 2 3 4 5
@ IN NS ns.test.
ns.test. IN A 127.0.0.1
me.test. IN A 192.0.2.1
self.test. IN MX 10 me.test.
selfb.test. IN MX 10 me.test.
selfb.test. IN MX 5 h2.test.
selfc.test. IN MX 10 me.test.
selfc.test. IN MX 20 h2.test.
lo.test. IN A 127.0.0.1
lomx.test. IN MX 10 lo.test.
zero.test. IN A 0.0.0.0
xn--tda.test. IN MX 10 h2.test.
xn--4ca.test. IN A 192.0.2.2
null.test. IN MX 0 .
null2.test. IN MX 0 .
null2.test. IN MX 10 h2.test.
null3.test. IN MX 10 .
h2.test. IN A 192.0.2.2
h3.test. IN A 192.0.2.3
h23.test. IN A 192.0.2.2
h25.test. IN A 192.0.2.25
h26.test. IN A 192.0.2.26
one.test. IN MX 10 h2.test.
two.test. IN MX 10 h25.test.
two.test. IN MX 20 h2.test.
twice.test. IN MX 10 h2.test.
twice.test. IN MX 20 h2.test.
lame.test. IN MX 10 none.test.
lame2.test. IN MX 10 none.test.
lame2.test. IN MX 20 h3.test.
addr.test. IN MX 10 192.0.2.2.
addr2.test. IN MX 10 192.0.2.2.
addr2.test. IN MX 20 h3.test.
cname.test. IN CNAME one.test.
cmx.test. IN MX 10 ch2.test.
ch2.test. IN CNAME h2.test.
cloop.test. IN CNAME cloop.test.
gone.test. IN MX 10 h25.test.
gone.test. IN MX 20 h26.test.
dead.test. IN A 192.0.2.25
addr3.test. IN MX 20 192.0.2.2.
addr3.test. IN MX 10 h3.test.
addr6.test. IN MX 10 none.test.
addr6.test. IN MX 20 192.0.2.2.
txt.test. IN TXT x
*.wild.test. IN MX 10 h3.test.
under_score.test. IN MX 10 h2.test.
many.test. IN MX 1 h25.test.
many.test. IN MX 2 h26.test.
many.test. IN MX 3 d27.test.
many.test. IN MX 4 d28.test.
many.test. IN MX 5 d29.test.
many.test. IN MX 6 d30.test.
many.test. IN MX 7 h2.test.
d27.test. IN A 192.0.2.27
d28.test. IN A 192.0.2.28
d29.test. IN A 192.0.2.29
d30.test. IN A 192.0.2.30
Z
host 2 rcpt:no@two.test='550 no' rcpt:later@two.test='451 later'; host 3
DN='driver = dnslookup~ transport = s~ no_more'
all='self selfb selfc lo lomx zero null null2 null3 h2 one two twice lame lame2 addr addr2 addr3 addr6 cname cmx cloop gone dead txt a.wild under_score many none none.sub x.h2'
for o in '' 'self = send' 'self = fail' 'self = pass' 'self = freeze' 'self = reroute: one.test' 'mx_domains = *' 'mx_fail_domains = *' 'ignore_target_hosts = 192.0.2.2 : 192.0.2.25' 'check_secondary_mx' 'host_find_failed = x' 'same_domain_copy_routing' 'fail_defer_domains = *' 'ipv4_only = *'; do
RO="$DN~ $o"; for d in $all; do case $o in ''|self*) ;; mx*|ign*) case $d in two|h2|none|gone|lame|dead) ;; *) continue;; esac;; *) case $d in one|two|none|self) ;; *) continue;; esac;; esac; [ "$o" != '' ] && case $o in self*) case $d in self*|lo*|zero) ;; *) continue;; esac;; esac; echo "##### $o"; p '' x@$d.test; done; done
RO=$DN; p '' no@two.test later@two.test ok@two.test; p 'hosts_max_try = 1' x@two.test; p 'hosts_max_try = 6' x@many.test;  p 'hosts_max_try_hardlimit = 2' x@many.test; p 'hosts_max_try_hardlimit = 1~hosts_max_try = 9' x@many.test; p 'allow_localhost' x@lo.test
RO='driver = accept~ transport = s'
for h in one.test one.test/mx MX h2.test h2.test:h3.test none.test h25.test:h2.test 192.0.2.2:192.0.2.3 '192.0.2.2:+:192.0.2.3' '192.0.2.25:+:192.0.2.2' '<;192.0.2.2::26;192.0.2.3' '192.0.2.25' 'lo.test' me.test self.test 'h2.test:none.test' 'none.test:h2.test' null.test '$domain' '${lookup{x}lsearch{/no}}' '' ':' '+' h2.test::26 '[192.0.2.2]' '[192.0.2.2]:25' '192.0.2.2:25' '"192.0.2.2"' 'h2'; do for o in '' '~gethostbyname' '~hosts_override' '~fallback_hosts = h3.test' '~hosts_max_try = 1' '~allow_localhost'; do case $o in '') ;; *) case $h in h25*|none*|192.0.2.25*|me.test|lo.test|self*) ;; *) continue;; esac;; esac; p "hosts = $h$o"; done; done
RO=
for f in '' 192.0.2.3 192.0.2.25 192.0.2.25:192.0.2.3 none.test h3.test one.test me.test lo.test '192.0.2.3::26'; do p "fallback_hosts = $f" x@dead.test; done; p 'fallback_hosts = 192.0.2.3~hosts_override~hosts = h3.test' x@dead.test
for i in '' 2 3 6; do MO=allow_mx_to_ip RO=$DN; p '' x@addr$i.test; done; MO=
RO='driver = accept~ transport = s'
for h in lo.test me.test lo.test:h2.test h2.test:lo.test h25.test:me.test:h3.test; do for f in '' h3.test lo.test h3.test:me.test; do p "hosts = $h~fallback_hosts = $f"; done; done
RO=; gone 2 >/dev/null; gone 3 >/dev/null
# LMTP over a command, and over a socket.
chmod 755 /etc/exim4; D=lmtp
cat > /etc/exim4/l <<'P'
import sys
A=dict(x.split('=',1) for x in sys.argv[1:]); n=0; ends=0
def say(t): sys.stdout.write(t.replace('|','\r\n')+'\r\n'); sys.stdout.flush()
say(A.get('conn','220 l'))
while True:
    q=sys.stdin.buffer.readline().decode('utf-8','replace')
    if not q: break
    open('/etc/exim4/heard','a').write(q)
    k=q.strip().split(' ')[0].lower().split(':')[0]
    a=A.get(k,'354 go' if k=='data' else '250 ok')
    if k=='rcpt': a=A.get('rcpt%d'%ends,a); ends+=1; n+=a[0]=='2'
    if a=='-': break
    say(a)
    if k=='quit': break
    if k=='data' and a[0]=='3':
        while sys.stdin.buffer.readline() not in (b'.\r\n',b''): pass
        for i in range(n):
            e=A.get('end%d'%i,A.get('end','250 taken %d'%i))
            if e=='-': sys.exit(0)
            say(e)
P
TO=
pl() { : > /etc/exim4/heard; chmod 666 /etc/exim4/heard; p "$@"; cat /etc/exim4/heard; }
for a in '' conn=- '"conn=421 no"' '"conn=550 no"' '"conn=220-a|220 b"' '"lhlo=500 what"' '"lhlo=250-l|250-SIZE 10|250-PIPELINING|250 8BITMIME"' '"mail=550-a|550 b"' '"mail=rubbish"' mail=- '"rcpt=550-y|550 z"' '"rcpt=rubbish"' '"rcpt=421 x"' '"data=250 z"' '"data=552 x"' '"end=550-a|550 b"' '"end=rubbish"' end0=- end1=- end2=- '"end1=451 4.2.2 full"' '"end=350 x"' '"end=2"' '"quit=-"' '"rcpt=452 x"' '"end=421 x"'; do pl "user = mail~timeout = 1s~command = /usr/bin/python3 /etc/exim4/l $a~batch_max = 9" x@a.test y@a.test z@a.test; done
C='command = /usr/bin/python3 /etc/exim4/l'
for o in batch_id batch_max command ignore_quota socket timeout user group return_path headers_add headers_remove message_size_limit home_directory current_directory transport_filter shadow_transport rcpt_include_affixes max_parallel retry_use_local_part; do for v in '' true 0 1 -1 '${bad' '${if eq{a}{b}{x}fail}' '$local_part' '/nowhere' mail 'a: b'; do c="~$C"; case $o in command|socket) c=;; esac; pl "$( [ $o != user ] && echo user = mail~)$( [ $o != batch_max ] && echo batch_max = 5~)$o = $v$c" x@a.test y@a.test; done; done
cat > /etc/exim4/u <<'P'
import socket,os,sys,threading
A=dict(x.split('=',1) for x in sys.argv[2:] if '=' in x); s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1],0o777); s.listen(9)
while True:
    c,_=s.accept(); f=c.makefile('rwb'); n=ends=0
    def say(t): f.write(t.replace('|','\r\n').encode()+b'\r\n'); f.flush()
    try:
        say(A.get('conn','220 l'))
        while True:
            q=f.readline().decode('utf-8','replace')
            if not q: open('/etc/exim4/heard','a').write('closed\n'); break
            open('/etc/exim4/heard','a').write(q)
            k=q.strip().split(' ')[0].lower().split(':')[0]
            a=A.get(k,'354 go' if k=='data' else '250 ok')
            if k=='rcpt': a=A.get('rcpt%d'%ends,a); ends+=1; n+=a[0]=='2'
            if a=='-': break
            say(a)
            if k=='quit': break
            if k=='data' and a[0]=='3':
                while f.readline() not in (b'.\r\n',b''): pass
                for i in range(n):
                    e=A.get('end%d'%i,A.get('end','250 taken %d'%i))
                    if e=='-': raise OSError
                    say(e)
    except Exception: open('/etc/exim4/heard','a').write('gone\n')
    try: f.close()
    except OSError: pass
    c.close()
P
su() { local o=$1; shift; rm -f /var/mail/.u; python3 /etc/exim4/u /var/mail/.u "$@" & local k=$!; until [ -S /var/mail/.u ]; do sleep 0.05; done; : > /etc/exim4/heard; chmod 666 /etc/exim4/heard; echo "##### $o :: $*"; site "user = mail~timeout = 1s~socket = /var/mail/.u~batch_max = 9$o"; send sender@me.test x@a.test y@a.test z@b.test 2>&1; cat /etc/exim4/heard; res; kill $k; wait $k 2>/dev/null; } 2>/dev/null
for a in '' conn=- 'conn=421 no' 'lhlo=500 no' 'lhlo=250-l|250-SIZE 1|250 IGNOREQUOTA' 'mail=550 no' 'mail=-' 'rcpt0=550 no' 'rcpt=451 no' 'rcpt=-' 'data=550 no' 'data=-' 'end=451 no' end0=- end1=- 'end1=550-a|550 b' 'quit=-' 'conn=220-x'; do for o in '' '~ignore_quota~batch_id = $domain'; do case $o in ?*) case $a in lhlo*|'') ;; *) continue;; esac;; esac; su "$o" "$a"; done; done
for s in '${bad' '$local_part' '/var/mail' 'rel' '/var/mail/.nosuch' '${if eq{1}{2}{x}fail}'; do p "user = mail~socket = $s"; p "user = mail~socket = $s~batch_max = 9" x@a.test y@a.test; done
p 'user = mail~socket = /var/mail/x~command = /bin/cat'; p 'user = mail'
for o in 'user = ${if eq{$local_part}{x}{mail}{bob}}' 'group = ${if eq{$local_part}{x}{mail}{bob}}' 'headers_add = X: $local_part $domain' 'return_path = $local_part@z.test' 'message_size_limit = ${if eq{$local_part}{x}{10}{1M}}' 'home_directory = /home/$local_part' 'transport_filter = /bin/cat $local_part'; do su "~$o"; done
D=smtp; unset TO
# What a next message meets.
next() { local o=$1 r=$2; shift 2; host 2 "$@"; host 3; echo "##### next: $o -> $r :: $*"; site "$o"; msg a | $exim -oi -odf -f sender@me.test $r; for q in -q -q -qf; do kill $H2; wait $H2 2>/dev/null; rm -f host.2; [ $q = -qf ] && host 2 || host 2 "$@"; msg b | $exim -oi -odf -f sender@me.test $r; x $q; logs | grep -v 'queue run\|Completed\|back\| <= '; cat host.3 | grep -c RCPT; : > host.3; done; res >/dev/null; gone 2 >/dev/null; gone 3 >/dev/null; }
for w in conn mail rcpt data end; do next '' x@d.test $w='421 x'; done; next '' x@d.test conn=-; next '' 'x@d.test y@d.test' rcpt:x@d.test='450 x'; next 'fallback_hosts = 192.0.2.3' 'x@a.test y@a.test' rcpt:x@a.test='450 x'

# Who has got a message when a delivery is killed gets it no more: LMTP's answers one by one, another copy, another host.
killed() { local o=$1 r=$2; echo "##### killed: $o -> $r"; site "$o"; msg k | $exim -oi -odq -f sender@me.test $r; local i=$(ids); $exim -Mc $i & local k=$!; sleep 1.5; kill -9 $(ps -eo pid,args | awk '/exim -Mc/ && !/awk/ {print $1}'); wait $k 2>/dev/null; sleep 0.3; sort $S/input/$i-J; x -bp; $exim -Mrm $i; logs; rm -rf $S/db; }
TO=; host 2 end:w@a.test='~9 250 late'; killed 'protocol = lmtp~port = 25' 'x@a.test w@a.test y@a.test'; gone 2 > /dev/null
host 2 rcpt:w@d.test='451 later'; host 3 end='~9 250 late'; killed '' 'x@d.test w@d.test y@d.test'; gone 2 > /dev/null; gone 3 > /dev/null; unset TO

# What the DNS calls an international domain is no other name of it.
for d in '' 'widen_domains = test' search_parents 'mx_domains = ä.test' 'mx_domains = xn--4ca.test' check_secondary_mx; do echo "##### idn: $d"; conf <<X
allow_utf8_domains
tls_advertise_hosts =
begin routers
d:
 driver = dnslookup
 debug_print = at \$domain \$original_domain
 $d
 transport = t
begin transports
t:
 driver = smtp
X
for a in ann@ü.test ann@Ü.test ann@ä.test ann@ü ann@å.wild.test ann@xn--tda.test; do x -bt $a; done; host 2 ehlo='250-host\n250-8BITMIME\n250 SMTPUTF8'; msg a | $exim -oi -odf -f sender@me.test ann@ü.test; logs; gone 2; for i in $(ids); do $exim -Mrm $i > /dev/null; done; rm -rf $S/db; done
