# A spool for others with rules for retrying of every form, and a second MX that asks the first. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOK=1
head_ <<'E' | new u9a
# a spool for others: domains that are held or queued, named queues, rules for retrying of every form
hold_domains = hold.test : ^held\\d : ${if exists{/etc/exim4/holdall}{*}{}}
queue_domains = lsearch;/etc/exim4/qd : !noq.qd.test : *.qd.test
queue_smtp_domains = qs.test
queue_only_load = 200
queue_run_max = 1
queue_only_override = false
queue_list_requires_admin = no
prod_requires_admin = false
split_spool_directory
preserve_message_logs
retry_interval_max = 2h
retry_data_expire = 1d
freeze_tell = postmaster@me.test
auto_thaw = 5m
timeout_frozen_after = 1h
ignore_bounce_errors_after = 0s
delay_warning = 0s
remote_max_parallel = 1
acl_smtp_rcpt = r
acl_smtp_data = d
acl_not_smtp = ns
begin acl
r:
 warn domains = nq.test
  queue = ${lc:Named}
 warn domains = bad.nq.test
  queue = ../x
 warn local_parts = q
  control = queue
 warn local_parts = qo
  control = queue_only
 warn local_parts = qfp
  control = queue/first_pass_route
 warn local_parts = fz
  control = freeze/no_tell
 warn local_parts = fzt
  control = freeze
 warn local_parts = nomd
  control = no_delay_flush
  control = no_callout_flush
  control = suppress_local_fixups
 accept
d:
 accept condition = ${if match{$h_subject:}{fake}}
  control = fakereject/550 5.7.1 Rejected,\n but it is not
  set acl_m_x = y
 accept condition = ${if match{$h_subject:}{fdefer}}
  control = fakedefer
 accept
ns:
 warn condition = ${if match{$h_subject:}{qn}}
  queue = qn
 accept condition = ${if match{$h_subject:}{fz}}
  control = freeze
 accept
begin routers
local:
 driver = accept
 domains = me.test
 local_parts = full : slow : ann : postmaster
 transport = ${if eq{$local_part}{full}{full}{l}}
defers:
 driver = redirect
 domains = defer.test
 data = :defer: ${if eq{$local_part}{m}{m\n\tsecond}{$local_part}}
 allow_defer
 retry_use_local_part
out:
 driver = manualroute
 domains = !me.test
 route_list = dead.test 192.0.2.99 ; refuse.test 192.0.2.12 ; many.test 192.0.2.12:192.0.2.11 ; * 192.0.2.11
 transport = s
begin transports
l:
 driver = appendfile
 file = /var/mail/${local_part_data}x
 user = mail
full:
 driver = appendfile
 file = /var/mail/full
 quota = 1
 user = mail
s:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 1s
 hosts_max_try = 1
 hosts_max_try_hardlimit = 2
 serialize_hosts = *
 no_delay_after_cutoff
 retry_include_ip_address = ${if eq{$host}{192.0.2.12}{no}{yes}}
begin retry
full@me.test quota F,1m,1m
me.test quota_3d F,1h,5m
*.qd.test refused_A F,2h,10m; G,1d,1h,1.5; H,2d,1h,2.5
^(.*)@refuse\\.test$ refused F,1d,30m
lsearch;/etc/exim4/rt timeout_connect_A G,1h,1m,1.1
many.test * senders=ann@me.test:*@far.test F,1d,1d
many.test rcpt_452 F,1h,1m
many.test rcpt_4xx F,2h,7m
many.test mail_45x F,3h,8m
many.test data_4xx F,4h,9m
*@me.test *
dead.test timeout F,1h,1m
defer.test * F,5h,15m
"quoted pattern.test" auth_failed F,1h,1m
*@* tls_required F,1h,1m
* lost_connection F,1h,3m
* *
E
printf 'q1.test: x\nq2.test\n' > $E/qd; echo 'dead.test: x' > $E/rt
host 11 rcpt:r@many.test='452 too many' rcpt:s@many.test='450 later' mail:m@me.test='451 mail' data='451 data later' show=1
ADDRS='a@hold.test a@held3 a@q1.test a@x.qd.test a@noq.qd.test a@qs.test q@far.test qo@far.test qfp@far.test fz@far.test fzt@far.test a@nq.test a@bad.nq.test x@defer.test m@defer.test a@dead.test a@refuse.test r@many.test s@many.test t@many.test full@me.test ann@me.test slow@me.test no@me.test'
for a in $ADDRS 'r@many.test s@many.test a@q1.test ann@me.test'; do for f in ann@me.test m@me.test; do send $f $a 2>&1; done; done; after one; heard 11
for r in x@many.test:ann@me.test full@me.test a@x.qd.test b@refuse.test a@dead.test x@defer.test me.test x@far.test; do for e in '' quota quota_4d refused_A refused_MX refused timeout_connect_A timeout_connect rcpt_452 rcpt_450 mail_451 data_450 auth_failed tls_required lost_connection; do x -brt ${r/:/ } $e 2>&1; done; done
for o in -q -qf -qff -qqf -ql -qi -qfl -qG/nq -qGnamed -qffGqn '-R many' '-Rff many' '-Rr ^a@' '-S ann' '-Sf m@me' '-Rrff (dead|refuse)' '-qG named -qf'; do x $o 2>&1; done; after q; heard 11
for o in -bp -bpr -bpra -bpru -bpa -bpu -bpi -bpc -bpaa '-qGnamed -bp' '-bp -qGnamed' '-bpc -qGqn' -bP; do [ "$o" = -bP ] || x $o 2>&1; done; as 5001 $exim -bp 2>&1 | head -5; exim_dumpdb $S retry 2>&1 | grep -c . >/dev/null
SUBJECT=fake; ADDRS='q@far.test fz@far.test a@nq.test nomd@me.test qo@far.test'; CLIENTS=192.0.2.5; quick; SUBJECT=fdefer; quick; gone 11
for s in qn fz both; do SUBJECT=$s send ann@me.test ann@me.test; done; after ns

head_ <<'E' | new u9b
# a second MX: callouts with all options, their cache, cut-through, and the first MX away
acl_smtp_rcpt = rcpt
acl_smtp_mail = mail
acl_smtp_data = data
callout_positive_expire = 1h
callout_negative_expire = 5m
callout_domain_positive_expire = 2h
callout_domain_negative_expire = 10m
callout_random_local_part = r-$primary_hostname-x
begin acl
mail:
 deny senders = *@nosend.test
  !verify = sender/callout=2s,defer_ok,no_cache
  message = sender: $acl_verify_message $sender_verify_failure
 warn senders = *@pm.test
  !verify = sender/callout=2s,postmaster/no_details
  logwrite = pm $acl_verify_message $sender_verify_failure $verify_mode
 accept
rcpt:
 accept local_parts = cut
  verify = recipient
  control = cutthrough_delivery/defer=pass
 require verify = recipient/defer_ok/callout=2s,defer_ok,use_sender,maxwait=5s
 accept domains = pm.first.test
  verify = recipient/callout=2s,mailfrom=pm-check@me.test,postmaster_mailfrom=other@me.test
 accept domains = rand.first.test
  verify = recipient/callout=random,2s,use_postmaster,fullpostmaster
 defer domains = use.first.test
  !verify = recipient/callout=2s,use_sender,hold
  message = $recipient_verify_failure: $acl_verify_message
 deny domains = vs.test
  !verify = sender=checked@first.test/callout=2s
  message = other $acl_verify_message
 accept
data:
 accept !verify = header_sender/callout=2s,defer_ok
  add_header = X-HS: $acl_verify_message
 accept
begin routers
first:
 driver = manualroute
 domains = *first.test : pm.test : nosend.test : vs.test
 route_list = *away.first.test 192.0.2.99:192.0.2.12 ; * "192.0.2.11 : 192.0.2.12"
 transport = s
 address_data = $local_part:first
any:
 driver = accept
 domains = me.test : far.test
 transport = l
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 1s
 helo_data = mx2.$primary_hostname
 max_rcpt = 2
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
begin retry
* * F,1h,1m
E
host 11 rcpt:no@first.test='550-no\n550 such' rcpt:later@first.test='450 grey' rcpt:pm-no@first.test='250 ok' 'rcpt:postmaster@pm.test=550 no pm' rcpt:r-me.test-x@rand.first.test='250 all' 'mail:bad@nosend.test=550 bad' rcpt:cut-no@first.test='550 no' rcpt:drop@first.test=close show=1
ADDRS='ok@first.test no@first.test later@first.test drop@first.test a@away.first.test a@pm.first.test a@rand.first.test b@rand.first.test a@use.first.test a@vs.test cut@first.test cut@me.test ann@me.test no2@none.test'
SENDERS='s@far.test - x@pm.test bad@nosend.test u@first.test no@first.test'; HEADER='Reply-To: no@first.test'
CLIENTS=192.0.2.5; quick; heard 11; gone 11; exim_dumpdb $S callout 2>&1 | sed 's/^[^ ]* [^ ]*//' | sort; quick
