# A backup MX while the primary is away, full or grey: the queue, retries, warnings, ETRN, one connection for many.
conf <<'C'
acl_smtp_rcpt = rc
acl_smtp_etrn = accept hosts = 127.0.0.1
host_lookup =
tls_advertise_hosts =
domainlist relay = far.test : other.test
queue_run_max = 3
queue_run_in_order
delay_warning = 2s:4s
delay_warning_condition = ${if eq{$sender_address}{quiet@b.test}{no}{yes}}
smtp_etrn_command = /bin/echo etrn $domain
retry_interval_max = 2d
retry_data_expire = 4d
ignore_bounce_errors_after = 2s
timeout_frozen_after = 5s
remote_max_parallel = 1
log_selector = +all_parents +deliver_time +queue_time +retry_defer +etrn +smtp_confirmation -pid
begin acl
rc:
 accept domains = +relay
 accept domains = me.test
 deny message = no relay
begin routers
primary:
 driver = manualroute
 domains = +relay
 route_list = far.test 192.0.2.2 byname ; other.test 192.0.2.3:192.0.2.4
 transport = smtp
l:
 driver = accept
 domains = me.test
 local_parts = ann:bob:postmaster
 transport = l
out:
 driver = manualroute
 route_list = * 192.0.2.5
 transport = smtp
begin transports
smtp:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 2s
 connection_max_messages = 3
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 user = mail
 group = mail
begin retry
far.test * F,4s,3s; G,20s,3s,2
other.test timeout_connect F,20s,5s
other.test rcpt_4xx F,20s,5s
other.test * F,20s,5s
* * F,2s,1s
C
sed -i 's/local_parts = ann:bob:postmaster/local_parts = ann:bob:postmaster/' /etc/exim4/exim4.conf
m() { printf "EHLO h\nMAIL FROM:<$1>$3\nRCPT TO:<$2>\nDATA\n"; printf 'From: a@b.test\nSubject: %s\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <1@m.test>\n\nbody\n.\nQUIT\n' "$2"; }
q() { echo "--- q $*"; $exim "$@"; }
daemon
host 5 rcpt='250 ok' show=1
# primary down
m a@b.test x1@far.test | say; m a@b.test x2@far.test | say >/dev/null; m quiet@b.test x3@far.test | say >/dev/null; m '' x4@far.test | say > /dev/null; m a@b.test y1@other.test ' RET=HDRS ENVID=e1' | say >/dev/null
await 5 ' == '; logs
for n in 1 2 3; do sleep 3.4; q -q; logs | grep -v "queue run"; $exim -bp | sed 's/^ *[0-9]*[smh]/T/'; done
heard 5
printf 'EHLO h\nETRN far.test\nETRN #far.test\nETRN @far.test\nQUIT\n' | say; sleep 0.5; logs
# primary is back, but full
host 2 rcpt='452 full'; q -qf; logs | grep -v "queue run"; gone 2
host 3 rcpt='451 grey'; host 4 rcpt='550 5.1.1 unknown here'; q -qff; logs | grep -v "queue run"; gone 3; gone 4
sleep 2; host 2; host 3 rcpt='550 gone'; for n in 6 7 8 9 10 11 12; do m a@b.test z$n@far.test | say >/dev/null; done; sleep 1; q -qqf; sleep 0.5; logs | grep -v "queue run"; gone 2; gone 3; heard 5
$exim -bp | sed 's/^ *[0-9]*[smh]/T/'; boxes
sleep 6; q -qf; logs | grep -v "queue run"; heard 5; $exim -bp | wc -l
