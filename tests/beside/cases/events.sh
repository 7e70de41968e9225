# Events: each one's variables at each transport and in the main section, and what answers do.
dns <<'Z'
$TTL 60
@ SOA a. b. 1 1 1 1 1
a.test. A 192.0.2.2
mx.test. MX 10 a.test.
two.test. MX 10 a.test.
two.test. MX 20 b.test.
b.test. A 192.0.2.3
none.test. A 192.0.2.30
null.test. MX 0 .
gone.test. MX 10 nosuch.test.
Z
E='event_action = ${acl{ev}}'
# begin: LINES of transport t, with ACL LINES and ROUTER LINES
setup() { rm -f $LOG/* $S/db/*; rm -rf $S/input/* /var/mail/*; conf <<C
$MAIN
qualify_domain = d.test
event_action = \${acl{main}{\$event_name}}
dns_retrans = 1s
dns_retry = 1
domainlist tried = d.test
begin acl
main:
  accept condition = \${if eq{\$event_name}{proc:deliver}}
  accept logwrite = MAIN \$event_name <\$event_data> e=\$event_defer_errno lp=\$local_part d=\$domain s=\$sender_address r=\$router_name t=\$transport_name v=\$verify_mode lpd=\$local_part_data
  $MAINANSWER
  accept
ev:
  accept logwrite = EV \$event_name <\$event_data> e=\$event_defer_errno lp=\$local_part d=\$domain h=\$host ha=\$host_address hp=\$host_port s=\$sender_address r=\$router_name t=\$transport_name x=\$lookup_dnssec_authenticated sa=\$sending_ip_address sp=\$sending_port at=\$address_file\$address_pipe to=\$tls_out_cipher
  $ANSWER
  accept
begin routers
$ROUTERS
r:
  driver = ${RD:-accept}
  transport = t
begin transports
t:
  driver = $1
  $E
$(echo -e "$2" | sed 's/^/  /')
box:
  driver = appendfile
  file = /var/mail/x
  user = bob
  $E
begin retry
* * F,1h,10m
C
}
one() { # LABEL then send's
 local l=$1; shift; { send "$@" ; logs | grep -v '^===\| <= \|Completed'; ids | wc -l; x -qf; logs | grep -v '^===\| <= ' ; } 2>&1 | sed "s|^|[$l] |; s| sp=[1-9][0-9]*| sp=N|"; }
b='192.0.2.2'
net() { setup smtp "hosts = ${H:-192.0.2.2}\nhosts_override\ncommand_timeout = 2s\nfinal_timeout = 2s\n$1"; }
# Each answer of a host at each place
for what in conn ehlo mail rcpt data end quit; do for answer in '250 x' '421 busy' '450 later' '550 no' '550-no\nmore\n550 lines' '-' 'nonsense' '354 odd' '250-ok\n250 HELP'; do
 net; a=$(printf %s "$answer" | sed ':a;N;$!ba;s/\n/\\n/g'); host 2 "$what=$a"; one "$what=$a" s@d.test ann@d.test; gone 2 > /dev/null
done; done
# Two recipients, one refused
net; host 2 rcpt:ann@d.test='550 no'; one rcpt1 s@d.test ann@d.test bob@d.test; gone 2 >/dev/null
net; host 2 rcpt:ann@d.test='450 later'; one rcpt2 s@d.test ann@d.test bob@d.test; gone 2 >/dev/null
net 'max_rcpt = 1'; host 2; one maxrcpt s@d.test ann@d.test bob@d.test; gone 2 >/dev/null
# Two hosts
H=192.0.2.2:192.0.2.3:192.0.2.4
net hosts_randomize=no; host 2 conn='421 busy'; host 3 rcpt='450 no'; host 4; one hosts s@d.test ann@d.test; gone 2 >/dev/null; gone 3 >/dev/null; gone 4 > /dev/null
net hosts_randomize=no; one unreached s@d.test ann@d.test
H=; net 'port = 26'; one port s@d.test ann@d.test
H=nosuch.test; net; one nosuch s@d.test ann@d.test
H=null.test/MX; net; one nullmx s@d.test ann@d.test
H=
# Answers of handlers
for ev in tcp:connect smtp:connect smtp:ehlo msg:delivery tcp:close msg:defer msg:host:defer msg:rcpt:host:defer msg:rcpt:defer msg:fail:delivery; do
 for rc in 'deny' 'deny message = told so' 'defer' 'accept message = yes' 'deny message = ${if x'; do
  ANSWER="$(echo "${rc/ message/
    message}" )
    condition = \${if eq{\$event_name}{$ev}}"
  net; host 2; one "$ev $rc" s@d.test ann@d.test; heard 2; gone 2 >/dev/null
 done; done
ANSWER=
# The main section: what fails by routers, filters, lookups
RD=dnslookup
for d in none.test null.test gone.test nosuch.test mx.test two.test lame.test; do for m in '' 'mx_domains = *' 'srv_domains'; do
 setup smtp ''; host 2; one "dns $d" s@d.test ann@$d; gone 2 > /dev/null; done; done
RD=
for r in 'data = :fail: no such' 'data = :defer: later' 'data = :blackhole:' 'data = ann@nowhere.test' 'data = /var/mail/y' 'data = |/bin/false' 'data = ${if x' 'data = :unknown:x' 'data = a b c'; do
 ROUTERS="q:
  driver = redirect
  local_parts = ann
  allow_fail
  allow_defer
  file_transport = t
  pipe_transport = p
  $r"
 setup appendfile 'user = bob'; sed -i 's/^box:/p:\n  driver = pipe\n  user = bob\n  event_action = ${acl{ev}}\nbox:/' /etc/exim4/exim4.conf
 one "$r" s@d.test ann@d.test
done
ROUTERS=
# Local transports
setup appendfile 'file = /var/mail/$local_part_data\nuser = bob'; one tainted s@d.test ann@d.test
setup appendfile 'file = /var/mail/x\nuser = bob'; one file s@d.test ann@d.test cat@d.test
setup appendfile 'file = /no/x\nuser = bob'; one nofile s@d.test ann@d.test cat@d.test
setup appendfile 'file = /var/mail/x\nuser = bob\nquota=1'; one quota s@d.test ann@d.test
setup appendfile 'directory = /var/mail/x\nuser = bob\nmaildir_format'; one maildir s@d.test ann@d.test
setup appendfile 'file = /var/mail/x\nuser = bob\nshadow_transport = box'; one shadow s@d.test ann@d.test
setup pipe 'command = /bin/sh -c "exit 1"\nuser = bob'; one pipe1 s@d.test ann@d.test
setup pipe 'command = /bin/sh -c "exit 75"\nuser = bob'; one pipe75 s@d.test ann@d.test
setup pipe 'command = /bin/sh -c "echo out"\nuser = bob\nreturn_output'; one pipeout s@d.test ann@d.test
setup pipe 'command = /bin/cat\nuser = bob\nbatch_max = 5'; one batch s@d.test ann@d.test cat@d.test
setup autoreply 'to = $sender_address\nfrom = x@y.test\nsubject = s\ntext = t\nuser = bob'; one reply s@d.test ann@d.test
setup autoreply 'to = not an address\nfrom = x@y.test\nsubject = s\ntext = t\nuser = bob'; one reply2 s@d.test ann@d.test
# Answers of local events
for ev in msg:delivery msg:defer msg:rcpt:defer msg:fail:delivery msg:host:defer; do for t in 'file = /var/mail/x' 'file = /no/x'; do for rc in deny 'deny message = ${if x' ; do
 ANSWER="$(echo "${rc/ message/
    message}" )
    condition = \${if eq{\$event_name}{$ev}}"
 setup appendfile "$t\nuser = bob"; one "local $ev $rc" s@d.test ann@d.test; done; done; done
ANSWER=
for ev in msg:complete msg:fail:internal msg:defer dns:fail; do for rc in deny 'deny message = ${if x'; do
 MAINANSWER="$(echo "${rc/ message/
    message}" )
    condition = \${if eq{\$event_name}{$ev}}"
 setup appendfile "file = /var/mail/x\nuser = bob"; one "main $ev $rc" s@d.test ann@d.test "x y@d.test"; done; done
MAINANSWER=
# Removed, given up, bounced
setup appendfile "file = /no/x\nuser = bob"; send s@d.test ann@d.test; for i in $(ids); do x -Mg $i; done; logs; x -bp | wc -l
setup appendfile "file = /no/x\nuser = bob"; send s@d.test ann@d.test; for i in $(ids); do x -Mrm $i; done; logs
setup appendfile "file = /no/x\nuser = bob"; send s@d.test ann@d.test cat@d.test; for i in $(ids); do x -Mmd $i ann@d.test; x -M $i; done; logs
setup appendfile "file = /no/x\nuser = bob"; send s@d.test ann@d.test cat@d.test; for i in $(ids); do x -Mt $i; x -Mf $i; x -Mar $i bob@d.test; x -Mes $i q@d.test; x -Mmad $i; done; logs
