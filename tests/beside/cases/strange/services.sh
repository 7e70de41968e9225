# Answers in several lines, vacations and reports from files, logins, queues and next hosts. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1; 
head_ <<'E' | tail_ | new h1
# sender-domain policy by nested lookups; accept with endpass chains; drop; multiple acl_c; log_reject_target
domainlist ours = me.test
acl_smtp_connect = c
acl_smtp_helo = h
acl_smtp_mail = m
acl_smtp_rcpt = r
begin acl
c:
  warn control = no_pipelining
   hosts = 192.0.2.5
  accept
h:
  drop message = Not you, $sender_helo_name
   condition = ${if inlisti{$sender_helo_name}{localhost:me.test:friend}}
  defer condition = ${if match{$sender_helo_name}{^slow}}
   message = 421 slow down
  accept
m:
  require message = 553 5.1.8 Domain of sender address $sender_address does not exist
   condition = ${if or{{eq{$sender_address}{}}{inlist{$sender_address_domain}{far.test:me.test}}}}
  accept
r:
  warn log_reject_target = main
   sender_domains = me.test
  warn log_reject_target =
   senders = :
  accept hosts = 127.0.0.1
   endpass
   message = 550-first line\n550-5.1.1 second\n550 third $local_part
   domains = +ours
  deny message = 451 4.3.0 wrong class
   local_parts = c451
  defer message = 552-5.2.2 wrong\n552 too
   local_parts = c552
  drop local_parts = drop
   message = 421 dropping\n
   log_message =
  deny local_parts = ^x : !*y : *
   log_message = multi\nline
   message = ${sg{a b c}{ }{\n}}
  accept
begin routers
a:
 driver = accept
 transport = l
 domains = me.test
 local_parts = ok : ann : c451 : c552 : drop
begin transports
E
ADDRS="ok@me.test c451@me.test c552@me.test zy@me.test no@far.test drop@me.test ann@me.test"
for HELO in slow1 friend h.far.test; do sess | bh 192.0.2.5; sess | bs 192.0.2.7; done; HELO=; quick
head_ <<'E' | tail_ | new h2
# vacation by once, autoreply gateway, bounces' templates, no duplicates
bounce_message_file = /etc/exim4/bounce
warn_message_file = /etc/exim4/warn
delay_warning = 1s
bounce_return_linesize_limit = 40
bounce_sender_authentication = x@me.test
acl_smtp_rcpt = accept domains = me.test
begin routers
gate:
 driver = redirect
 local_parts = gate
 data = ${if match{$h_subject:}{subscribe (\\S+)}{"|/bin/sh -c 'echo sub >> /var/mail/subs'"}{:fail: no command in ${quote:$h_subject:}}}
 allow_fail
 pipe_transport = p
auto:
 driver = accept
 local_parts = auto
 condition = ${if !match{$h_auto-submitted:}{(?i)auto}}
 senders = ! ^.*-request@.* : ! : *
 transport = v
 unseen
rest:
 driver = accept
 local_parts = auto : ann
 transport = l
slow:
 driver = redirect
 local_parts = slow
 allow_defer
 data = :defer: waits for something
begin transports
v:
 driver = autoreply
 user = mail
 to = ${if def:h_reply-to:{$h_reply-to:}{$sender_address}}
 bcc = cat@x.test
 subject = Re: ${if def:h_subject:{$h_subject:}{no subject}}
 text = "${if eq{$sender_address_domain}{far.test}{Far}{Near}}, \n\
   away until ${substr_0_4:2026-12}\n"
 headers = "Auto-Submitted: auto-replied\nX-Multi: a\n b"
 once = /var/spool/exim4/once.${local_part_data}
 once_repeat = ${if eq{a}{a}{1h}}
 never_mail = *@never.test : ann@me.test
 mode = 0600
p:
 driver = pipe
 user = mail
E
printf 'Subject: Oh no\n****\nHead for $bounce_recipient of $primary_hostname:\n\n****\n****\n-- ${uc:copy}\n****\nlong, part of it\n****\nend\n' | put bounce; printf 'Subject: Wait\n****\nlate by $warn_message_delay\n****\ntail\n' | put warn
ADDRS="gate@me.test auto@me.test ann@me.test slow@me.test none@me.test"; HEADER="Reply-To: r@never.test"; quick; for s in 'subscribe x' 'other'; do SUBJECT="$s" send ann@me.test gate auto slow none@x.test; SUBJECT="$s" send s@far.test auto; done; sleep 1; x -q; after warn; ls $S
head_ <<'E' | new h3
# submission service: AUTH several, SMTPUTF8, submission control, per-auth rate, sender owned check
acl_smtp_auth = au
acl_smtp_mail = m
acl_smtp_rcpt = r
acl_smtp_data = d
auth_advertise_hosts = *
smtputf8_advertise_hosts = 192.0.2.5
pipelining_connect_advertise_hosts =
dsn_advertise_hosts = *
log_selector = +smtp_mailauth +received_recipients +tls_cipher +sender_on_delivery
local_from_suffix = -*
untrusted_set_sender = *
begin acl
au:
  accept
m:
  deny authenticated = *
   condition = ${lookup{$authenticated_id/$sender_address}lsearch{/etc/exim4/own}{no}{yes}}
   message = $authenticated_id does not own <$sender_address> ($sender_host_authenticated)
  accept
r:
  accept authenticated = pl : lo
   control = submission/domain=${sg{$authenticated_id}{^.*@}{}}/name=Mr. X
   ratelimit = 100/1h/strict/$authenticated_id
  accept authenticated = cr
   control = submission/sender_retain
  accept authenticated = *
   control = suppress_local_fixups
  accept domains = me.test
  deny message = log in first
d:
  warn condition = ${if def:authenticated_id}
   add_header = X-Auth: ${authresults{$primary_hostname}}
  accept
begin routers
a:
 driver = accept
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
begin authenticators
pl:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = ${if match{$auth3}{^p}}
 server_set_id = $auth2@${if eq{$auth1}{}{me.test}{$auth1}}
 server_debug_print = "pl $auth2"
lo:
 driver = plaintext
 public_name = LOGIN
 server_prompts = User Name : Password
 server_condition = ${lookup{$auth1}lsearch{/etc/exim4/pw}{${if crypteq{$auth2}{$value}}}fail}
 server_set_id = $auth1
cr:
 driver = cram_md5
 public_name = CRAM-MD5
 server_secret = ${if eq{$auth1}{u}{sec}fail}
 server_set_id = $auth1
ex:
 driver = external
 public_name = EXTERNAL
 server_param2 = $auth1
 server_condition = yes
 server_set_id = $auth1
bad:
 driver = plaintext
 public_name = X-DEFER
 server_condition = ${lookup{x}lsearch{/no/such}{yes}}
E
printf 'ann@me.test/ann@me.test: y\nu/u@x.test: y\nb/b@me.test: y\n' | put own; printf 'b: %s\n' "$(openssl passwd -1 -salt ab bp)" | put pw
ADDRS="ann@me.test u@far.test ü@me.test"; SENDERS="ann@me.test s@far.test"
authd() { echo "EHLO x"; echo "$1"; shift; for l in "$@"; do echo "$l"; done; for s in ann@me.test u@x.test b@me.test; do mail $s 'u@far.test' 'Subject: a' 'Sender: q@r.test'; done; echo 'AUTH PLAIN'; echo QUIT; }
for c in 192.0.2.5 127.0.0.1; do
authd "AUTH PLAIN $(b64 '\0ann\0pw')" | bs $c; authd "AUTH PLAIN $(b64 'x.test\0ann\0xx')" | bs $c; authd "AUTH PLAIN" "$(b64 '\0ann\0pw')" | bs $c; authd "AUTH LOGIN" "$(b64 b)" "$(b64 bp)" | bs $c; authd "AUTH LOGIN $(b64 b)" "$(b64 bad)" | bs $c; authd "AUTH LOGIN" "*" | bs $c; authd "AUTH LOGIN" "!!" | bs $c; authd "AUTH cram-md5" "$(b64 'u 00')" | bs $c | sed 's/^334 [A-Z].*/334 X/'; authd "AUTH X-DEFER =" | bs $c;  authd "AUTH EXTERNAL $(b64 ext)" | bs $c;  authd "AUTH NONE" | bs $c; authd "AUTH" | bs $c; { echo EHLO x; echo "MAIL FROM:<ü@me.test> SMTPUTF8"; echo "RCPT TO:<ü@me.test>"; echo "RCPT TO:<a@ü.test> NOTIFY=SUCCESS,NEVER"; echo "RCPT TO:<ann@me.test> NOTIFY=SUCCESS ORCPT=rfc822;x+20y"; echo QUIT; } | bs $c; done; after auth; quick
head_ <<'E' | tail_ | new h4
# queue choices: queue_only_file, deliver_queue_load_max, named queues by sender, hold_domains, control=queue
queue_only_file = smtp/etc/exim4/stop : remote/etc/exim4/stopr
queue_domains = q.test
hold_domains = h.test
queue_only_override = false
deliver_drop_privilege = false
accept_8bitmime = no
check_spool_space = 1K
check_log_inodes = 1
acl_smtp_rcpt = r
acl_smtp_data = d
acl_not_smtp = n
queue_list_requires_admin = false
prod_requires_admin = false
log_selector = +queue_run +queue_time +deliver_time -retry_defer
begin acl
r:
  accept domains = *.queue.test
   queue = ${extract{1}{.}{$domain}}
  accept local_parts = defer
   control = queue
  accept local_parts = qonly
   control = queue_only
  accept local_parts = freeze
   control = freeze
  accept local_parts = case
   control = caseful_local_part
   set acl_m_c = $local_part
   control = caselower_local_part
   logwrite = $acl_m_c $local_part
  accept
d:
  accept logwrite = queue <$queue_name> $queue_size
n:
  accept
   condition = ${if match{$h_subject:}{^q (\\w+)}}
   logwrite = non $1
begin routers
far:
 driver = manualroute
 domains = far.test : *.queue.test
 route_list = * 192.0.2.9
 transport = s
a:
 driver = accept
 transport = l
begin transports
E
sed -i 's/^   condition = ${if match{$h_subject:}{^q .*/   logwrite = non $queue_name/' $E/exim4.conf; sed -i '0,/logwrite = non $1/{/logwrite = non $1/d}' $E/exim4.conf
host 9; ADDRS="a@fast.queue.test b@slow.queue.test defer@me.test qonly@me.test freeze@me.test CaSe@me.test u@q.test u@h.test u@far.test"; CLIENTS=192.0.2.5
quick; for r in 'a@fast.queue.test u@far.test' 'defer@me.test' 'qonly@me.test' 'freeze@me.test' 'CaSe@me.test u@q.test' 'u@h.test ann@me.test'; do { echo EHLO x; mail s@far.test "$r" 'Subject: q x'; echo QUIT; } | bs 192.0.2.5; done; after sent; for q in fast slow; do x -bp -qG$q; $exim -qG$q -bpc; $exim -bpc -qG$q; done; touch $E/stop $E/stopr; { echo EHLO x; mail s@far.test "u@far.test" 'Subject: st'; echo QUIT; } | bs 192.0.2.5; send ann@me.test u@far.test cat; after stopped; rm $E/stop*; x -qqGfast; x -qGslow; x -qf; x -qi; x -qfl; as 5001 $exim -bp; as 5001 $exim -q; after runs; ls $S; gone 9
head_ <<'E' | new h5
# hosts by interface, fallback, retry odd rules, hosts_override, several transports in a route_list
remote_sort_domains = b.test : *.c.test
retry_interval_max = 1h
retry_data_expire = 1d
begin routers
m1:
 driver = manualroute
 domains = a.test : b.test
 route_list = a.test 192.0.2.9 s2 ; b.test 192.0.2.7:192.0.2.9 byname
 transport = s
 hosts_randomize = no
 fallback_hosts = 192.0.2.8
m2:
 driver = manualroute
 domains = *.c.test
 route_data = ${if match{$domain}{\N^(\w+)\.c\.test$\N}{${lookup{$1}lsearch{/etc/exim4/map}{$value}fail}}}
 transport = s3
m3:
 driver = accept
 domains = d.test
 transport = s4
lit:
 driver = ipliteral
 domains = ! me.test
 transport = s
 fallback_hosts = 192.0.2.8::2525
a:
 driver = accept
 domains = me.test
 transport = l
begin transports
s2:
 driver = smtp
 hosts_try_fastopen =
 interface = 192.0.2.1
 serialize_hosts = *
 max_rcpt = 2
 delay_after_cutoff = false
s3:
 driver = smtp
 hosts_try_fastopen =
 hosts_max_try = 1
 hosts_max_try_hardlimit = 2
 hosts_pipe_connect =
 fallback_hosts = 192.0.2.8
 helo_data = "[$sending_ip_address]"
s4:
 driver = smtp
 hosts_try_fastopen =
 hosts = 192.0.2.8
 hosts_override
 hosts_try_prdr = *
 hosts_try_chunking =
 keepalive = no
 final_timeout = 3s
 dscp = ef
 size_addition = 10
 add_unused
s:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 allow_localhost = true
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
E
sed -i '/add_unused/d' $E/exim4.conf; printf 'begin retry\n192.0.2.7 timeout_connect F,1h,1m\n*.c.test refused_A senders=s@far.test F,2h,1s; G,4h,1m,1.5; H,8h,1h,2\n192.0.2.9:25 * F,1h,2m\nx@d.test rcpt_4xx F,1h,1m\n! * \n' | grep -v '^!' >> $E/exim4.conf
printf 'x: 192.0.2.9\ny: "192.0.2.9::2525 : 192.0.2.8"\nz: <;192.0.2.7;192.0.2.8\n' | put map; host 9 rcpt:no@a.test='550-5.1.1 no such\n550 user' rcpt:later@b.test='450 4.2.1 wait'; host 8 data='451 no data'
ADDRS="u@a.test no@a.test v@a.test w@a.test u@b.test later@b.test u@x.c.test u@y.c.test u@z.c.test u@n.c.test x@d.test u@[192.0.2.9] u@[192.0.2.6]"
for i in 'u@x.c.test s@far.test' '192.0.2.7' 192.0.2.9 x@d.test x.c.test; do x -brt $i 2>&1; done
NAMES="retry"; quick; $exim -bP retry; for d in retry wait-s wait-s2; do /usr/sbin/exim_dumpdb $S $d 2>/dev/null | sed 's/^[^ ]* [^ ]* //' | head -0; done; gone 9; gone 8
