# A dead host and several deliveries of one message: which of them pass it by, with which ports, lists and rules.
there ip addr add 192.0.2.9/24 dev peer 2>/dev/null
v() {
conf <<C
remote_max_parallel = 1
begin routers
r:
  driver = manualroute
  route_list = * $1
  self = send
  transport = t
begin transports
t:
  driver = smtp
  max_rcpt = 1
  $2
begin retry
* * F,2h,1h
C
echo "#### $*"
send "${3:-ann@me.test}" a@x.test b@x.test
logs
for i in $(ids); do $exim -Mrm $i; done >/dev/null
rm -rf $S/db; logs >/dev/null
}
v "192.0.2.9 byname" allow_localhost
v "192.0.2.9 byname" port=25
v "192.0.2.9 byname" port=26
v "192.0.2.9::26 byname" port=25
v "192.0.2.9::26 byname" port=27
v "192.0.2.9::25 byname" port=25
v "192.0.2.9::25 byname" allow_localhost
v "192.0.2.9::26 byname" allow_localhost
v "192.0.2.9::26 byname" port=26
v "192.0.2.9 byname" interface=192.0.2.1
v "192.0.2.9 byname" retry_include_ip_address=false
v "192.0.2.9 byname" "hosts = 192.0.2.9
  hosts_override"
v "192.0.2.9 byname" "fallback_hosts = 127.0.0.5"
# Over the end of the rule, with and without another try then.
for d in true false; do
conf <<C
remote_max_parallel = 1
begin routers
r:
  driver = manualroute
  route_list = * 192.0.2.9 byname
  transport = t
begin transports
t:
  driver = smtp
  max_rcpt = 1
  delay_after_cutoff = $d
begin retry
* * F,2s,1s
C
echo "#### delay_after_cutoff = $d"
send ann@me.test a@x.test b@x.test c@x.test
sleep 3
$exim -q
sleep 3
$exim -q; logs
for i in $(ids); do $exim -Mrm $i; done >/dev/null
rm -rf $S/db
done
# Those that stand in for others, which have failed before: as a usual host, or as they stood in.
w() {
conf <<C
remote_max_parallel = 1
remote_sort_domains = x.test : y.test
begin routers
r:
  driver = manualroute
  route_list = x.test $1 ; y.test $2
  transport = t
begin transports
t:
  driver = smtp
  hosts_try_fastopen =
  $3
begin retry
* * F,2h,1h
C
echo "#### $*"
send ann@me.test a@x.test b@y.test
logs
$exim -qff; logs
for i in $(ids); do $exim -Mrm $i; done >/dev/null
rm -rf $S/db; logs >/dev/null
}
w 192.0.2.12:192.0.2.13:192.0.2.14 192.0.2.12 "fallback_hosts = 192.0.2.13"
w 192.0.2.12 192.0.2.13 "fallback_hosts = 192.0.2.12"
w 192.0.2.12 192.0.2.12 "fallback_hosts = 192.0.2.12 : 192.0.2.13"
w 192.0.2.12 192.0.2.13 "max_rcpt = 1
  fallback_hosts = 192.0.2.14"
