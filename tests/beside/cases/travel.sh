# Over hours and days: mail is tried again, warned of, thawed, given up and forgotten, rates and callouts fade, and clocks change.
export FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1
touch /etc/ld.so.preload /etc/faketimerc; : > rc; ls /usr/lib/*/faketime/libfaketime.so.1 > preload
mount --bind rc /etc/faketimerc; mount --bind preload /etc/ld.so.preload
trap 'for f in /etc/ld.so.preload /etc/faketimerc; do umount $f; [ -s $f ] || rm -f $f; done' EXIT
# The clock of every program that starts from now on is at a moment, or so many seconds later (of libfaketime).
OFF=0
at() { OFF=$(($(date -d "$1" +%s) - $(date +%s) + OFF)); echo "+$OFF" > /etc/faketimerc; echo "at $1"; }
later() { OFF=$((OFF + $1)); echo "+$OFF" > /etc/faketimerc; echo "later $1"; }
begin() { at '2027-03-01 10:00:00'; rm -rf $S/db/* $S/input/* $S/msglog/* /var/mail/* $LOG/*; }
# Moments to the minute, in a form that stays.
min() { sed -E 's/\b(20[0-9]{2}-[0-9]{2}-[0-9]{2}) ([0-9]{2}):([0-9]{2}):[0-9]{2}/\1_\2.\3/g; s/\b([0-9]{1,2}-[A-Z][a-z]{2}-20[0-9]{2}) ([0-9]{2}):([0-9]{2}):[0-9]{2}/\1_\2.\3/g; s/, ( ?[0-9]+ [A-Z][a-z]{2} [0-9]{4}) ([0-9]{2}):([0-9]{2}):[0-9]{2} \+0000/_\1_\2.\3/g; s/E1[0-9A-Za-z]{5}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}@/EID@/g; s/-22 [01] /-22 0 /; s/-22 [0-9]{4,} /-22 NN /; s/\.[0-9]{6} rate/ rate/'; }
db() { { if cmp -s $exim /usr/sbin/exim4; then exim_dumpdb $S ${1:-retry}; else ( exec -a exim_dumpdb $exim $S ${1:-retry} ); fi; } 2>/dev/null | grep -v '^\*\*' | min | case ${1:-retry} in retry) paste -d'\001' - - | sort | tr '\001' '\n';; *) sort;; esac; }
ENV='add_environment = FAKETIME_DONT_FAKE_MONOTONIC=1:NO_FAKE_STAT=1'
site() { conf <<E
qualify_domain = me.test
acl_smtp_rcpt = accept
host_lookup =
tls_advertise_hosts =
log_selector = +retry_defer -pid
queue_run_in_order
remote_max_parallel = 1
$ENV
$1
begin routers
z:
 driver = redirect
 domains = z.test
 allow_defer
 allow_fail
 allow_freeze
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
put() { msg "p$((++P))" "$SUBJECT" | $exim -oi "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; }
# By messages, as bounces are delivered beside what they are of.
said() { sleep 0.1; logs | grep -v '^=== main\|queue run:' | min | sort -s -k2,2; }
run() { x "${@:--q}"; said; }
show() { said; db; x -bp; }
end() { ids | xargs -r $exim -Mrm >/dev/null 2>&1; logs >/dev/null; boxes | min; }

# Retry rules, step by step: steps TIMES OPTIONS TRANSPORT RULES RECIPIENTS WHAT=ANSWER...
steps() { echo "##### $1 // ${2//$'\n'/;} // ${3//$'\n'/;} // $4 -> $5 :: ${*:6}"; begin; site "$2" "$3" '' "$4"; [ $# -gt 5 ] && host 2 "${@:6}"; put -odf -f ann@me.test $5; show
 local n; for n in $1; do case $n in put) put -odf -f ann@me.test $5;; -*) x $n;; *) later $n; x -q;; esac; show; done; [ $# -gt 5 ] && gone 2 >/dev/null; end; }
N='3660 3660 7260 10860 put put 3660 10860 put -qf put -qff' R='* * F,2h,1h; F,6h,2h'
for o in '' 'delay_after_cutoff = false'; do steps "$N" '' "$o" "$R" x@dead.test; done
for o in '' 'hosts_max_try = 1' 'retry_include_ip_address = false' 'hosts_max_try_hardlimit = 1'; do steps "$N" '' "$o" "$R" x@deads.test; done
for a in rcpt:x@a.test='451 no' rcpt='451 no' mail=$'451-no\n451 two' end='451 no' conn='421 no'; do steps "$N" '' '' "$R" 'x@a.test y@a.test' "$a"; done
steps "$N" '' 'address_retry_include_sender = false' "$R" 'x@a.test y@a.test' rcpt:x@a.test='451 no'
steps "$N" '' '' "$R" x@d.test rcpt='451 greylisted'; steps "$N" '' '' "$R" x@d.test conn='421 bye'
steps "$N" '' '' "$R" 'u@z.test v@z.test'; steps "$N" '' '' "x@* * F,1h,1h
$R" 'x@dead.test y@dead.test'
for o in 'retry_interval_max = 90m' 'retry_data_expire = 2h'; do steps "$N" "$o" '' "$R" x@dead.test; steps "$N" "$o" '' "$R" x@a.test rcpt='451 no'; done
steps "$N" '' '' '* refused F,1h,1h
* * F,5h,1h' x@dead.test; steps "$N" '' '' '* *' x@dead.test
# Two deliveries to one host, until its time is over.
steps '3660 -qf 10000' '' 'max_rcpt = 1' '* * F,1h,20m' 'x@dead.test y@dead.test'

# Warnings.
warn() { echo "##### warn ${1//$'\n'/;} // ${*:3}"; begin; site "$1" '' '' '* * F,30h,1m' "${RD:-}"; put -odf ${FROM:--f ann@me.test} $2; show
 local n; for n in 3660 3660 7320 22000 43200; do later $n; run -q; boxes | min; done; end; }
printf 'Subject: late $message_exim_id $h_subject:\nX-Y: $warn_message_delay\n\n****\ntext: $warn_message_delay and $warn_message_recipients and $sender_address\n$bounce_recipient;\n****\nend\n' > /etc/exim4/w1
printf 'Subject: late\nBad: ${bad}\n****\none ${bad}\n****\n$recipients three\n****\nfour\n' > /etc/exim4/w2
printf '****\n****\n' > /etc/exim4/w3; : > /etc/exim4/w4
for o in 1h:3h 1h:2h:4h 0s 5m; do warn "delay_warning = $o" x@dead.test; done
for f in w1 w2 w3 w4 nofile; do warn "delay_warning = 1h
warn_message_file = /etc/exim4/$f" x@dead.test; done
W='delay_warning = 1h:2h'
for c in no '${if eq{1}{2}{yes}fail}' '${bad}' '${if >{$message_age}{7200}}'; do warn "$W
delay_warning_condition = $c" x@dead.test; done
warn "$W" 'x@dead.test y@dead.test u@z.test'
RD='data = :defer: wait $local_part' warn "$W" 'u@z.test v@z.test'
RD='data = x@dead.test, y@dead.test
 errors_to = bob@me.test' warn "$W" u@z.test
FROM='-f <>' warn "$W" x@dead.test; FROM='-R hdrs -f ann@me.test' warn "$W" x@dead.test

# Frozen mail, thawed and given up.
frozen() { echo "##### frozen ${1//$'\n'/;} // ${*:2} // $RD $FROM"; begin; site "$1" '' '' '* * F,30h,1m' "$RD"; put -odf ${FROM:--f <>} $2; show
 local n; for n in 60 -qf 3660 7320 -qff 43200 86400 604800; do case $n in -*) x $n;; *) later $n; run -q;; esac; said; x -bp; boxes | min; done; end; }
RD='data = :fail: no such'
for o in '' 'ignore_bounce_errors_after = 2h' 'timeout_frozen_after = 3h' 'auto_thaw = 2h' 'auto_thaw = 2h
timeout_frozen_after = 1d' 'move_frozen_messages' 'freeze_tell = cat@me.test
timeout_frozen_after = 2h'; do frozen "$o" 'u@z.test x@dead.test'; FROM='-f s@dead.test' frozen "$o" u@z.test; done
RD='data = :freeze: stop it'; for o in '' 'auto_thaw = 1h'; do FROM='-f ann@me.test' frozen "$o" 'u@z.test bob@me.test'; done
for o in 'hold_domains = a.test' 'hold_domains = ${if >{$message_age}{3000}{:}{*}}'; do echo "##### $o"; begin; site "$o
delay_warning = 1h"; put -odf -f ann@me.test x@a.test y@dead.test ann@me.test; show; later 3660; run -q; run -qf; show; later 86400; run -q; show; boxes | min; end; done

# Mailboxes and routers that put mail off for days.
days() { echo "##### days ${1//$'\n'/;} // ${2//$'\n'/;}"; begin; site '' '' "$1" '* quota_2h F,3h,20m
* quota F,3h,40m
* lookup F,2h,10m
* * F,3h,1h' "$2"; put -odf -f cat@me.test ${3:-ann@me.test bob@me.test}; show; local n; for n in 3660 3660 7320 10000; do later $n; run -q; db; done; put -odf -f cat@me.test ${3:-ann@me.test}; show; end; }
days 'driver = appendfile
 file = /var/mail/$local_part_data
 quota = 10'
for c in '"exit 75"' '"exit 3"
 temp_errors = 3:4' '"echo out; exit 75"
 log_defer_output' '"sleep 5"
 timeout = 1s
 timeout_defer'; do days "driver = pipe
 command = /bin/sh -c $c"; done
for d in 'data = ${lookup{x}lsearch{/none}}' 'data = ${bad}' 'data = ${if <{$message_age}{5000}{:defer: w}{bob@me.test}}' 'data = :defer:'; do days '' "$d" 'x@z.test y@z.test'; done

# Rates.
rate() { echo "##### $1"; begin; conf <<E
$ENV
host_lookup =
log_selector = -pid
acl_smtp_rcpt = rcpt
begin acl
rcpt:
 deny $1
  message = over \$sender_rate / \$sender_rate_limit / \$sender_rate_period
 accept message = \$sender_rate / \$sender_rate_limit / \$sender_rate_period
E
 local n; for n in 10 10 10 10 600 1800 1800 3600 7300 86500 604900 31536000 -3500 -86400; do later $n; printf 'EHLO h\nMAIL FROM:<a@x.test>\nRCPT TO:<b@me.test>\nQUIT\n' | $exim -oMa 192.0.2.9 -bs 2>&1 | grep -a ' / '; done; db ratelimit | sed 's/epoch: [^ ]* size: [0-9]* //'; }
for o in '3 / 1h' '3 / 1h / strict' '3 / 1h / per_mail / readonly' '3 / 1h / per_cmd / unique=$sender_address' '3 / 7d / strict / count=2' '3 / 52w / strict'; do rate "ratelimit = $o"; done

# What callouts find out, and for how long it counts.
callout() { echo "##### callout $1 ${2//$'\n'/;} :: ${*:3}"; begin; conf <<E
$ENV
host_lookup =
log_selector = -pid
acl_smtp_rcpt = rcpt
$2
begin acl
rcpt:
 deny ! verify = recipient/callout=5s$1
  logwrite = denied \$acl_verify_message
 accept logwrite = fine
begin routers
m:
 driver = manualroute
 route_list = * 192.0.2.2
 transport = s
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
E
 host 2 "${@:3}"; local n; for n in 1 3600 3700 80000 7000 86400 604000 5184000; do later $n; printf 'EHLO h\nMAIL FROM:<a@x.test>\nRCPT TO:<b@me.test>\nQUIT\n' | $exim -oMa 192.0.2.9 -bs 2>&1 | grep -a '^[45][0-9][0-9]'; said | sed 's/ H=.* [sr]e/ [sr]e/'; heard 2 | grep -a '<'; db callout; done; gone 2 >/dev/null; }
callout ''; callout '' '' rcpt='550 no'; callout '' '' mail='550 no'; callout ,random; callout ,postmaster; callout '' '' rcpt='451 no'
callout '' 'callout_domain_positive_expire = 2h
callout_domain_negative_expire = 1h
callout_positive_expire = 1h
callout_negative_expire = 100s' rcpt:b@me.test='550 no'

# How long mail was here, in logs and lists.
for sel in +queue_time '+queue_time_overall +deliver_time' '+queue_time +millisec' '+queue_time_overall +millisec' '+queue_time_exclusive +queue_time'; do echo "##### $sel"; begin; site; sed -i "s/^log_selector.*/log_selector = $sel/" /etc/exim4/exim4.conf
 for n in 61 3661 90061 700000 31536000; do put -odq -f cat@me.test ann@me.test; later $n; x -q; logs | grep -o '=> \|Completed\| QT=[^ ]*' | sed -E 's/[0-9]+\.[0-9]{3}s/N.Ns/; s/([0-9dhmw=])[0-9]s/\1Ns/' | tr '\n' ' '; echo; done; end; done
begin; site; put -odq ann@me.test; for n in 30 60 3540 60 3600 86400 200000 2000000 31536000 -33000000; do later $n; x -bp; done; end

# Time zones, where their clocks change and years end.
zone() { cat <<E | conf
$ENV
$1
E
}
for z in '' 'timezone =' 'timezone = Europe/Berlin' 'timezone = America/New_York' 'timezone = Australia/Lord_Howe' 'timezone = Nowhere/Land' 'timezone = XYZ-3:30' 'timezone = CET-1CEST,M3.5.0,M10.5.0/3' 'timezone = America/St_Johns
log_timezone'; do echo "##### zone ${z//$'\n'/;}"; zone "$z"
 for m in '2027-03-28 00:59:30' '2027-03-28 01:00:10' '2027-10-31 00:59:30' '2027-10-31 01:00:10' '2027-12-31 23:59:10' '2028-01-01 00:00:10' '2028-02-29 12:00:10' '2028-03-01 00:00:10' '2027-03-14 06:59:10' '2027-03-14 07:00:10'; do at "$m UTC"; x -be '$tod_log|$tod_full|$tod_bsdinbox|$tod_logfile|$tod_zone|$tod_zulu' | sed -E 's/(:[0-9]{2}):[0-9]{2}/\1/g; s/([0-9]{12})[0-9]{2}Z/\1Z/'; done; done

# Tools for hints.
tool() { local t=$1; shift; if cmp -s $exim /usr/sbin/exim4; then $t "$@"; else ( exec -a $t $exim "$@" ); fi 2>&1 | min | sort; }
echo '##### tools'; begin; site '' '' '' '* * F,1h,30m'; put -odf x@dead.test u@z.test; later 1000; tool exim_dumpdb -k $S retry; tool exim_dumpdb $S nosuch; tool exim_dumpdb $S misc
for a in '-t 2000s' -f '-t x' '-t 500s'; do tool exim_tidydb $a $S retry; db; done; tool exim_tidydb $S nosuch; tool exim_tidydb $S callout; end
