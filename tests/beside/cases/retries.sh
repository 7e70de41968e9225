# When mail is tried again: rules of every form, what is remembered of hosts, mailboxes and routing, and its end.
site() { conf <<E
qualify_domain = me.test
acl_smtp_rcpt = accept
host_lookup =
tls_advertise_hosts =
log_selector = +retry_defer -pid
queue_run_in_order
remote_max_parallel = 1
$1
begin routers
z:
 driver = redirect
 domains = z.test
 allow_defer
 ${5:-data = :defer: not now}
m:
 driver = manualroute
 domains = ! me.test
 route_list = a.test 192.0.2.2; d.test 192.0.2.2:192.0.2.3 ; dead.test 192.0.2.25 ; gone.test 192.0.2.99 ; deads.test 192.0.2.25:192.0.2.26
 transport = s
l:
 driver = accept
 local_parts = ann:bob:cat:root
 transport = l
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 hosts_pipe_connect =
 connect_timeout = 1s
 command_timeout = 1s
 data_timeout = 1s
 final_timeout = 1s
 $2
l:
 ${3:-driver = appendfile
 file = /var/mail/\$local_part_data}
 user = ann
begin retry
${4-* * F,1h,20m}
E
}
# What is remembered, and after how long the next try is.
db() { { if cmp -s $exim /usr/sbin/exim4; then exim_dumpdb $S retry; else ( exec -a exim_dumpdb $exim $S retry ); fi; } 2>/dev/null | grep -v '^\*\*' | sed -E 's/-22 [01] /-22 0 /; s/-22 3456[0-9]+ /-22 3456NN /' | paste -d' ' - - | python3 -c '
import re,sys,time
p=r"\d\d-[A-Z][a-z]{2}-\d{4} [\d:]{8}"
s=lambda t: int(time.mktime(time.strptime(t,"%d-%b-%Y %H:%M:%S")))
for l in sorted(sys.stdin):
    _,last,following=map(s,re.findall(p,l)[-3:]); print(re.split(p,l)[0].strip(),"next +%d"%(following-last),re.split(p,l)[-1].strip())'; }
put() { msg "p$((++P))" "$SUBJECT" | $exim -oi "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; }
clean() { ids | xargs -r $exim -Mrm >/dev/null 2>&1; logs > /dev/null; rm -rf $S/db/* $S/input/* $S/msglog/* /var/mail/*; }
said() { logs | grep -v ' Completed$\|queue run:\| <= <>\| => root '; }
show() { said; for f in $S/msglog/*; do [ -e $f ] && grep -v ' Received from' $f; done; x -bp | grep -v '<>'; db; }
# All messages came so many seconds earlier.
age() { local f; for f in $S/input/*-H; do [ -e $f ] && python3 - $f $1 <<'P'
import sys
f,n=sys.argv[1],int(sys.argv[2]); b=open(f,'rb').read().split(b'\n')
a=b[3].split(); b[3]=b'%d %s'%(int(a[0])-n,a[1]); b=[l for l in b if not l.startswith(b'-received_time')]
open(f,'wb').write(b'\n'.join(b))
P
done; }
b() { x -brt "$@" 2>&1; }
rules() { { echo 'begin retry'; cat; } | conf; }

# Rules, right and wrong.
for l in '*' '* *' '* * F' '* * F,' '* * F,2h' '* * F,2h,' '* * F,,3m' '* * F,2h,3m,4' '* * F,2h,3m;;' '* * ;F,2h,3m' '* * F,2h,3m G,2h,3m,2' '* * F, 2h, 3m' '* * F,2h , 3m' '* * f,2h,3m' '* * G,2h,3m' '* * G,2h,3m,1' '* * G,2h,3m,0.999' '* * G,2h,3m,1.56789' '* * G,2h,3m,1.5x' '* * G,2h,3m,.5' '* * G,2h,3m,2.' '* * H,2h,3m,1.5' '* * X,1,2' '* * F,0s,1s' '* * F,1s,0s' '* * F,2,3' '* * F,2h3m4s,5m6s' '* * F,3m2h,5m' '* * F,99999999w,1s' '* * F,1h,25h' '* * F,-1h,2h' '* * F,1h,15m #c' '"* *" * F,1h,15m' '"a b * F,1h,15m' '"a.test"b * F,1h,15m' '* "*" F,1h,15m' '* * senders= F,1h,15m' '* * senders = a.test F,1h,15m' '* * senders="a.test : b.test" F,1h,15m' '* * SENDERS=a.test F,1h,15m' '* senders=a.test F,1h,2m' '* *F,1h,2m' '* * F,1h:2m' '* * F,1d,1h;F,1h,2m' '* * F,1W,2D'; do echo "##### $l"; echo "$l" | rules; b x@a.test; done
# Names of errors, whole and in part.
printf 'a.test * F,1h,2m\n* * F,3h,4m\n' | rules
for e in '*' auth_failed AUTH_FAILED auth auth_ auth_f auth_x data_4xx data_4 data_45x data_4x5 data_5xx data_45 data_4XX DATA_4xx MAIL_45X rcpt_452 rcpt_4xx0 l look lookup lookup_x lost lost_ LOST_ lost_connectionx refused refused_A refused_mx refused_m refused_B timeout timeout_MX timeout_M timeout_connect timeout_c timeout_connect_A timeout_connect_x timeout_ timeout_DNS t ti tls tls_required tls_requiredx quota quota_ quota_3d quota_3x quota_0s quota_3 quota_3D quota_1d2h ''; do echo "##### $e"; b a.test "$e"; done
# What is asked for.
b; b ''; b a; b a@; b @a.test; b a.test b; b a.test b.test; b a.test b.test refused c.test; b a.test '' refused; b '"x y"@a.test'; b X@A.Test; b '*'; x -f x@y -brt a.test; x -brt a.test -v; b a.test x@y.test timeout
pattern() { echo "##### $1 ${2:-}"; conf <<E
domainlist dl = a.test
addresslist al = x@a.test : @c.test
begin retry
$1 * ${2:-} F,1h,2m
* * F,3h,4m
E
local k s; for k in a.test x@a.test z.b.test '"x y"@a.test' x; do b $k; done; b q.test a.test; b q.test x@a.test; [ -n "${2:-}" ] && for s in s@t.test S@T.Test '' s; do x -f "$s" -brt a.test; done; logs; }
for p in x@a.test '*.b.test' '*@*.b.test' '"*.b.test : a.test"' '!a.test' '^x@' '"^[^@]*@a\\\\.test"' +dl +al +none 'lsearch;/etc/exim4/none' /etc/exim4/none 'nosuch;/x' '"${bad}"' '"${if eq{1}{2}{a.test} fail}"' '$sender_address' 'x@*'; do pattern "$p"; done
for s in senders=s@t.test senders=: 'senders="! t.test : *"' 'senders=""' 'senders="${bad}"' senders=+al senders=/etc/exim4/none senders=lsearch\;/etc/exim4/none 'senders=$sender_address'; do pattern a.test "$s"; done

# Which rule an error finds: each has an interval of its own.
ALL='* auth_failed F,9h,1m
* data_451 F,9h,2m
* data_4xx F,9h,4m
* mail_451 F,9h,5m
* mail_4xx F,9h,6m
* rcpt_452 F,9h,7m
* rcpt_45x F,9h,8m
* rcpt_4xx F,9h,9m
* lost_connection F,9h,11m
* refused_MX F,9h,12m
* refused_A F,9h,13m
* timeout_connect_MX F,9h,14m
* timeout_connect_A F,9h,15m
* timeout_MX F,9h,17m
* timeout_A F,9h,18m
* tls_required F,9h,20m
* quota_3d F,9h,21m
* quota F,9h,22m
* * F,9h,23m'
error() { echo "##### ${1//$'\n'/;} -> $2 :: ${*:3}"; site '' "$1" '' "$ALL"; [ $# -gt 2 ] && host 2 "${@:3}"; put -odf $2; show; [ $# -gt 2 ] && gone 2 >/dev/null; clean; }
for w in conn ehlo mail rcpt data end; do for a in '421 x' '452 x' '-' '~2 250 x' '350 x'; do case $w$a in data-) ;; *) error '' 'x@a.test y@a.test' $w="$a";; esac; done; done
error '' x@dead.test; error '' x@gone.test; error '' x@deads.test
for t in '' 'hosts_require_auth = *' 'hosts_require_tls = *'; do error "$t" x@a.test conn='220 x'; error "$t" x@a.test ehlo='250-x\n250-AUTH PLAIN\n250 STARTTLS' starttls='454 no'; error "$t" x@a.test ehlo='250-x\n250 STARTTLS' starttls='550 no'; done
for w in rcpt data end rcpt:x@a.test; do error 'protocol = lmtp
 port = 25' 'x@a.test y@a.test' $w='452 no'; done

# No rule, none that fits, one that can't be asked, and one without times.
none() { echo "##### rules: ${1//$'\n'/;}"; site '' '' '' "$1"; host 2 rcpt:x@a.test='451 no' mail:m@t.test='451 no' rcpt:c@a.test='-'; local to; for to in x@dead.test 'x@a.test y@a.test' u@z.test c@a.test '-f m@t.test y@a.test'; do put -odf $to; show; clean; done; gone 2 > /dev/null; }
for r in '' 'b.test * F,1h,1m' '* *' '* refused' 'lsearch;/nonexist * F,1h,1m
* * F,1h,2m' '* lookup
* * senders=: F,1h,1m' 'x@a.test * F,1h,1m' '*@192.0.2.25 * F,1h,2m'; do none "$r"; done

# A message that is older than the rule, and what has its time still before it.
old() { echo "##### old: $1 // ${2//$'\n'/;} // ${*:3}"; site '' "${2:-}" "$M" "$1 F,20s,1h
* * F,9h,2h" "$Z"; host 2 "${@:4}"; put -odf $3; show; x -q; said; age 25; x -q; show; gone 2 >/dev/null; clean; }
old '* rcpt_451' '' x@a.test rcpt='451 no'; old '* rcpt_4xx' 'address_retry_include_sender = false' x@a.test rcpt='451 no'; old '* mail_451' '' x@a.test mail='451 no'; old '* data_4xx' '' x@a.test end='451 no'; old '* lost_connection' '' x@a.test conn='-'; old '* timeout' '' x@a.test conn='~2 220 x'
old '* timeout_connect' '' x@gone.test; old '* timeout_connect_A' '' x@gone.test; old '* refused_A' '' x@deads.test; old '* *' '' x@deads.test; old '* *' 'hosts_max_try = 1' x@deads.test; old '* *' 'hosts_max_try_hardlimit = 1' x@deads.test; old '* *' 'retry_include_ip_address = false' x@deads.test; old '* *' 'delay_after_cutoff = false' x@deads.test
old '* tls_required' 'hosts_require_tls = *' x@a.test; old '* auth_failed' 'hosts_require_auth = *' x@a.test; old '* * senders=root@me.test' '' x@a.test rcpt='451 x'; old 'x@a.test *' '' x@a.test rcpt='451 x'; old '192.0.2.2 *' '' x@a.test conn='421 x'
Z='data = :defer: no'; old '* *' '' u@z.test; Z='data = :defer: no
 retry_use_local_part'; old '* *' '' u@z.test; old 'u@z.test *' '' 'u@z.test v@z.test'; Z=
M='driver = appendfile
 file = /var/mail/$local_part_data
 quota = ${if eq{$local_part}{ann}{1}{0}}'; old '* quota' '' 'ann@me.test bob@me.test'; M=

# New messages, once all hope is gone.
late() { echo "##### late: $1 $2"; site '' "$1" '' '* * F,9s,1h'; put -odf $2; age 20; x -q; db; put -odf $2; show; put -odf $2; show; clean; }
for o in '' 'delay_after_cutoff = false'; do late "$o" x@dead.test; done

# Mailboxes and commands that put mail off.
box() { echo "##### box: ${1//$'\n'/;} ${2:-}"; site '' '' "$1" "$ALL"; eval "${2:-}"; put -odf ann@me.test bob@me.test; show; put -odf ann@me.test; said; x -q; x -qf; show; clean; }
F='driver = appendfile
 file = /var/mail/$local_part_data'
box "$F
 quota = 1"; box "$F
 quota = 1" 'echo >> /var/mail/ann; touch -a -d "-4 days" /var/mail/ann; chown ann /var/mail/ann'; box "$F
 retry_use_local_part = false
 quota = 1"; box "$F
 lock_retries = 1
 lock_interval = 1s" 'touch /var/mail/ann.lock'; box 'driver = appendfile
 no_create_directory
 file = /var/none/$local_part_data'
for c in '"exit 75"' '"exit 3"
 temp_errors = 3:4' '"exit 3"
 temp_errors = *' '"sleep 5"
 timeout = 1s
 timeout_defer'; do box "driver = pipe
 command = /bin/sh -c $c"; done

# Who is tried when.
who() { echo "##### who: $1"; site '' "$1" '' '* * F,9h,1h'; host 2 rcpt:x@a.test='451 no'; put -odf x@a.test y@a.test; put -odf v@dead.test; put -odf -f s@t.test x@a.test; put -odf u@z.test; show; local a; for a in -q -qq -qf -qff '-R a.test' '-Rf x@' '-Rff dead' '-Rr ^x@' '-S t.test' '-Sf s@t' -qi; do x $a; heard 2 | grep -c RCPT; said; done; db; for a in $(ids); do x -M $a; said; x -Mc $a; said; done; db; gone 2 >/dev/null; clean; }
who ''; who 'address_retry_include_sender = false'
for o in 'retry_interval_max = 1m' 'retry_interval_max = 25h' 'retry_interval_max = 0s'; do echo "##### $o"; site "$o"; put -odf x@dead.test; show; clean; done

# What is known of several is forgotten where one of them has arrived, be it later, and what fails then is new.
for r in 'ann bob' 'bob ann' 'bob ann cat'; do echo "##### some: $r"; site '' '' 'driver = appendfile
 file = ${if eq{$local_part}{ann}{/var/none/x}{/var/mail/b}}
 no_retry_use_local_part' '* * F,2s,1s'; put -odf ann; sleep 4; put -odf $r; show; clean; done
for r in 'x y' 'y x' 'y x z'; do for o in '' no_retry_include_ip_address; do echo "##### some: $r $o"; site '' "max_rcpt = 1
 $o"; host 2 rcpt:x@a.test=-; put -odf $(sed 's/[xyz]/&@a.test/g' <<< $r); db; x -q; show; gone 2 > /dev/null; clean; done; done
