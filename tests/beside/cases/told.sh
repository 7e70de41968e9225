# What the log and events tell of a delivery that is over: proxies, files that are not permitted, connections that are closed, retry rules that can't be read.
hub() { conf <<C
qualify_domain = me.test
host_lookup =
tls_advertise_hosts =
log_selector = -pid +proxy
trusted_users = cat
event_action = \${if eq{\$event_name}{msg:complete}{\${run{/bin/sh -c "echo \$event_name port=\$sending_port ip=\$sending_ip_address to=\$host_port >> /var/mail/.ev"}}}}
begin acl
begin routers
fr:
 driver = redirect
 local_parts = ann : bob
 file = \$home/.forward
 check_local_user
 allow_filter
 user = \$local_part_data
 file_transport = \${if eq{\$local_part}{bob}{loose}{tainted}}
def:
 driver = redirect
 local_parts = defer
 allow_defer
 data = :defer: not now
m:
 driver = manualroute
 domains = ! me.test
 route_list = dead.test 192.0.2.25; * 192.0.2.2
 transport = s
l:
 driver = accept
 local_parts = cat
 transport = l
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 command_timeout = 5s
 $1
l:
 driver = appendfile
 file = /var/mail/\$local_part_data
 user = ann
tainted:
 driver = appendfile
 file = /var/mail/in-\$local_part
loose:
 driver = appendfile
 file = box/in
begin retry
$2
* * F,1h,1h
C
}
t() { echo "##### $*"; rm -rf $S/db/* $S/input/*; : > /var/mail/.ev; chmod 666 /var/mail/.ev; send cat@me.test "$@"; logs; cat /var/mail/.ev; }
cat > socks.py <<'P'
# A proxy at 192.0.2.20 that takes one method of authentication, whatever is offered.
import socket, sys, threading
def go(c):
    h = c.recv(2); c.recv(h[1]); c.sendall(bytes([5, int(sys.argv[1])]))
    q = c.recv(10)
    if len(q) < 10 or sys.argv[1] != '0': return c.close()
    o = socket.create_connection((socket.inet_ntoa(q[4:8]), int.from_bytes(q[8:], 'big')))
    c.sendall(b'\5\0\0\1\1\2\3\4\0\1')
    def pump(x, y):
        while d := x.recv(4096): y.sendall(d)
        y.shutdown(1)
    t = threading.Thread(target=pump, args=(o, c), daemon=True); t.start(); pump(c, o); t.join(); c.close()
s = socket.create_server(('192.0.2.20', 1080))
while True: threading.Thread(target=go, args=(s.accept()[0],), daemon=True).start()
P
socks() { nsenter -t "$other" -n python3 socks.py $1 2>/dev/null & SO=$!; sleep 0.4; }
for n in ann bob; do printf '# Exim filter\nsave inbox\n' > home/$n/.forward; chown $n home/$n/.forward; done

hub; host 2
t ann@me.test; t bob@me.test; t cat@me.test; t x@a.test; t cat@me.test x@a.test; t x@dead.test
printf '# Exim filter\nsave /var/mail/zz\n' > home/ann/.forward; t ann@me.test
gone 2 >/dev/null

echo '##### proxies'
hub 'socks_proxy = 192.0.2.20'
host 2 rcpt:z@a.test='451 later' rcpt:y@a.test='550 no way'; socks 0; t x@a.test y@a.test z@a.test
gone 2 >/dev/null; host 2 conn='421 x'; t x@a.test; gone 2 >/dev/null
kill $SO; wait $SO 2>/dev/null; socks 1; t x@a.test; kill $SO

echo '##### a rule that cannot be read'
r() { rm -rf $S/db/* $S/input/*; send cat@me.test "$@"; grep -c 'failed to expand' $LOG/paniclog; logs >/dev/null; }
hub '' '^x[0-9]+@c.test$ rcpt_45x F,1h,20s'; host 2 rcpt='452 a'; r x@a.test; r x@a.test y@a.test; gone 2 >/dev/null
