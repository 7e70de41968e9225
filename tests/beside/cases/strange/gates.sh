# A gate that scores clients by a table, with greylisting; customers with classes, logins and pools of hosts. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
dns <<'E'
$TTL 300
. IN SOA a.test. h.test. 1 2 3 4 5
. IN NS a.test.
a.test. IN A 127.0.0.1
me.test. IN A 192.0.2.1
far.test. IN MX 10 mx.far.test.
mx.far.test. IN A 192.0.2.2
mx.far.test. IN AAAA 2001:db8::2
six.test. IN AAAA 2001:db8::2
5.2.0.192.in-addr.arpa. IN PTR dyn-5.pool.isp.test.
dyn-5.pool.isp.test. IN A 192.0.2.5
20.2.0.192.in-addr.arpa. IN PTR mail.good.test.
mail.good.test. IN A 192.0.2.20
good.test. IN TXT "v=spf1 ip4:192.0.2.20 -all"
good.test. IN MX 10 mail.good.test.
far.test. IN TXT "v=spf1 mx ~all"
bad.test. IN MX 0 .
spam.test. IN TXT "v=spf1 -all"
5.2.0.192.zen.test. IN A 127.0.0.4
5.2.0.192.zen.test. IN A 127.0.0.11
5.2.0.192.zen.test. IN TXT "pbl"
20.2.0.192.dnswl.test. IN A 127.0.5.2
spam.test.dbl.test. IN A 127.0.1.2
E
new v1 <<'E'
# Score-based gate: weights by a look-up table, white lists, SPF, HELO, reverse names, delays by score, greylisting by sqlite and by seen, teergrube, defer_fail
SCORES = /etc/exim4/scores
GREYDB = /var/spool/exim4/grey.db
ADD = set acl_c_score = ${eval:0$acl_c_score+${lookup{$acl_m_rule}lsearch{SCORES}{$value}{1}}}\n  set acl_c_hits = ${if def:acl_c_hits{$acl_c_hits,}}$acl_m_rule
.ifndef THRESH
THRESH = 50
.endif
sqlite_dbfile = GREYDB
primary_hostname = me.test
qualify_domain = me.test
domainlist local = me.test
hostlist relay = 127.0.0.1 : ::::1
hostlist dyn = ^(?i)(dyn|pool|dsl|dialup|adsl)[-.0-9] : *.pool.isp.test
tls_advertise_hosts =
host_lookup = *
helo_try_verify_hosts = !+relay
smtp_max_unknown_commands = 1
smtp_max_synprot_errors = 2
smtp_accept_max_nonmail = 20
log_selector = +smtp_connection +smtp_incomplete_transaction +smtp_no_mail +lost_incoming_connection +host_lookup_failed +dnslist_defer -pid +subject
smtp_banner = $smtp_active_hostname ESMTP $interface_port ${if def:sender_host_name{$sender_host_name}{unknown}}
acl_smtp_connect = conn
acl_smtp_helo = helo
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data
acl_smtp_quit = quit
acl_smtp_notquit = notquit
dns_cname_loops = 3
begin acl
rule:
 accept set acl_m_rule = $acl_arg1
  set acl_c_score = ${eval:0$acl_c_score+${lookup{$acl_arg1}lsearch{SCORES}{$value}{1}}}
  set acl_c_hits = ${if def:acl_c_hits{$acl_c_hits,}}$acl_arg1${if def:acl_arg2{($acl_arg2)}}
conn:
 accept hosts = +relay
 accept dnslists = dnswl.test&0.0.0.3
  set acl_c_white = $dnslist_value
 warn dnslists = zen.test=127.0.0.2/24,127.0.0.3 : zen.test!=127.0.0.1
  acl = rule zen $dnslist_value
 warn !hosts = +relay
  condition = ${if eq{$sender_host_name}{}}
  acl = rule norev
 warn hosts = +dyn
  acl = rule dyn ${sg{$sender_host_name}{\N^.*?\.\N}{}}
 accept
helo:
 warn condition = ${if !match{$sender_helo_name}{\N\.\w+$\N}}
  acl = rule heloform
 warn condition = ${if eq{$sender_helo_verified}{0}}
  acl = rule helobad
 drop condition = ${if inlisti{$sender_helo_name}{$primary_hostname:localhost:ylmf-pc}}
  message = go away
 accept
mail:
 warn set acl_m0 = ${if def:sender_address{$sender_address_domain}{null}}
  spf = fail : softfail
  acl = rule spf_$spf_result
 warn dnslists = dbl.test/$sender_address_domain
  acl = rule dbl $dnslist_domain
 warn !verify = sender
  acl = rule sender ${quote:$sender_verify_failure}
 warn condition = ${if and{{def:sender_address}{match{$sender_address_local_part}{\N^[a-z0-9._-]*\d{5,}\N}}}}
  acl = rule digits
 accept delay = ${if >{0$acl_c_score}{80}{1}{0}}s
rcpt:
 accept hosts = +relay
 deny domains = !+local
  message = relay not permitted
 deny condition = ${if >{0$acl_c_score}{THRESH}}
  !local_parts = postmaster : abuse
  message = $acl_c_score points: $acl_c_hits
  log_message = score $acl_c_score (${listcount:<,$acl_c_hits} hits)
 defer condition = ${if >{0$acl_c_score}{10}}
  condition = ${if !def:acl_c_white}
  condition = ${if eq{${lookup sqlite{select 1 from grey where k='${quote_sqlite:$sender_host_address/$sender_address/$local_part}'}}}{}}
  condition = ${lookup sqlite{insert into grey values('${quote_sqlite:$sender_host_address/$sender_address/$local_part}',$tod_epoch)}{1}{1}}
  message = 450 4.7.1 greylisted: $acl_c_hits
 defer !seen = 1h / key=${sender_address}_$domain / readonly
  local_parts = bob
  !seen = -1s / key=${sender_address}_$domain
  message = first time
 accept verify = recipient
  add_header = X-Score: $acl_c_score ($acl_c_hits)
data:
 warn condition = ${if !def:h_Message-ID:}
  acl = rule nomid
 warn condition = ${if !eqi{${domain:$h_from:}}{$sender_address_domain}}
  acl = rule fromdom ${domain:$h_from:}
 deny condition = ${if >{0$acl_c_score}{THRESH}}
  message = Score: $acl_c_score $acl_c_hits
 warn condition = ${if >{0$acl_c_score}{15}}
  control = freeze/no_tell
 accept
quit:
 accept logwrite = quit $acl_c_score $acl_c_hits
notquit:
 accept logwrite = notquit $smtp_notquit_reason $acl_c_score
begin routers
d:
 driver = dnslookup
 domains = !+local
 transport = s
 ignore_target_hosts = <; 127.0.0.0/8 ; 2001:db8::/32
 no_more
l:
 driver = accept
 check_local_user
 transport = l
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
l:
 driver = appendfile
 file = /var/mail/$local_part_data
begin retry
* * F,1h,5m
E
sed -i '2,${/^primary_hostname/d}' $E/exim4.conf; sed -i '1i primary_hostname = me.test' $E/exim4.conf
printf 'zen: 20\nnorev: 12\ndyn: 7\nspf_fail: 60\nspf_softfail: 11\ndbl: 30\nsender: 15\nhelobad: 3\n' | put scores
sqlite3 $S/grey.db 'create table grey(k text, t int)'; chown Debian-exim $S/grey.db
host 2
ADDRS="ann@me.test bob@me.test postmaster@me.test x@far.test nobody@me.test cat@me.test"
SENDERS="s@far.test - u12345@good.test a@spam.test x@nosuch.test u@bad.test n@six.test"
NAMES='macro THRESH;macro ADD'; NAMES='+dyn +relay'
CLIENTS="192.0.2.5 192.0.2.20 192.0.2.9 127.0.0.1 2001:db8::9"
HELO=dyn-5.pool.isp.test; battery; HELO=mail.good.test
for h in localhost me.test '[192.0.2.5]' mail.good.test x; do HELO=$h; sess | bh 192.0.2.20; done; HELO=
sqlite3 $S/grey.db 'select k from grey order by k'
gone 2

new v2 <<'E'
# ISP: one smtp per customer class by look-up (interface, helo, DKIM-less), TLS policy maps, fallback, multi-domain rate, per-user quota in passwd-like files, userdb by extract, password-file logins, sender login maps
CUST = /etc/exim4/customers
UDB = ${lookup{$local_part@$domain}lsearch{/etc/exim4/userdb}}
domainlist local_domains = ${map{${lookup{domains}lsearch{CUST}}}{${sg{$item}{\\s}{}}}}
domainlist mapped = lsearch,ret=key;/etc/exim4/domainmap
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
auth_advertise_hosts = !192.0.2.5
local_interfaces = <; [127.0.0.1]:25 ; [127.0.0.1]:587 ; [::1]:25
daemon_smtp_ports = 25 : 587
extra_local_interfaces = 192.0.2.1
acl_smtp_auth = au
acl_smtp_mail = ml
acl_smtp_rcpt = rc
acl_smtp_data = dt
queue_only_override = false
log_selector = +received_recipients +outgoing_interface +outgoing_port +incoming_interface +smtp_confirmation +tls_sni -pid
begin acl
au:
 deny condition = ${if !eq{$smtp_command_argument}{PLAIN}{${if !eq{${uc:${extract{1}{ }{$smtp_command_argument}}}}{PLAIN}}}}
  message = only PLAIN
 accept
ml:
 accept authenticated = *
  condition = ${if eqi{$sender_address}{$authenticated_id}}
  set acl_m_cust = ${extract{cust}{${lookup{$authenticated_id}lsearch{/etc/exim4/userdb}}}{$value}{none}}
 deny authenticated = *
  !condition = ${if forany{<, ${lookup{$authenticated_id}lsearch{/etc/exim4/sendermap}}}{match_address{$sender_address}{$item}}}
  message = $authenticated_id may not be $sender_address
 accept
rc:
 accept authenticated = *
  set acl_m_cust = ${extract{cust}{${lookup{$authenticated_id}lsearch{/etc/exim4/userdb}}}{$value}{none}}
  ratelimit = ${extract{rate}{${lookup{$acl_m_cust}lsearch{CUST}}}{$value}{2}} / 1h / per_rcpt / strict / cust_$acl_m_cust
  condition = ${if >{$sender_rate}{$sender_rate_limit}}
  message = rate
  logwrite = over $sender_rate/$sender_rate_limit/$sender_rate_period
 accept authenticated = *
  control = submission/sender_retain/domain=
  logwrite = cust $acl_m_cust rate $sender_rate
 require domains = +local_domains : +mapped
  message = no relay for $domain
 require verify = recipient/callout=no_cache
 accept
dt:
 accept set acl_m_len = ${strlen:$message_headers}
  condition = ${if match{$h_subject:}{\N^\[(\d+)\]\N}{yes}{no}}
  control = queue_only
 accept
begin routers
mapdom:
 driver = redirect
 domains = +mapped
 data = ${quote_local_part:$local_part}@${lookup{$domain}lsearch{/etc/exim4/domainmap}}
 check_ancestor
out:
 driver = manualroute
 domains = ! +local_domains
 address_data = ${lookup{$acl_m_cust}lsearch{CUST}{$value}{pool=a}}
 route_data = ${extract{pool}{$address_data}{${lookup{pool_$value}lsearch{CUST}}}fail}
 transport = ${if eq{${extract{tls}{$address_data}}{must}}{s_tls}{s}}
 host_find_failed = pass
 self = send
 more = ${if eq{$host}{x}{yes}{no}}
 same_domain_copy_routing
users:
 driver = accept
 domains = +local_domains
 address_data = UDB
 condition = ${if def:address_data}
 transport = ${extract{tr}{$address_data}{$value}{md}}
 local_part_suffix = +*
 local_part_suffix_optional
begin transports
s:
 driver = smtp
 interface = <; ${extract{ip}{$address_data}{$value}{}}
 helo_data = ${extract{helo}{$address_data}{$value}{$primary_hostname}}
 hosts_try_fastopen =
 port = ${if eq{$host_address}{192.0.2.3}{2525}{25}}
 connection_max_messages = 2
s_tls:
 driver = smtp
 hosts_require_tls = *
 hosts_try_fastopen =
 helo_data = tls.$sending_ip_address
md:
 driver = appendfile
 directory = /var/mail/$domain/${lc:$local_part}
 maildir_format
 user = mail
 quota = ${extract{quota}{$address_data}{${if match{$value}{^\\d+[KM]\$}{$value}{0}}}{100M}}
 quota_is_inclusive = false
 quota_filecount = ${extract{files}{$address_data}{$value}{0}}
 maildir_use_size_file = false
 create_directory
 maildirfolder_create_regex = /[^/]+\$
mb:
 driver = appendfile
 file = /var/mail/$local_part.$domain
 user = mail
 quota = ${extract{quota}{$address_data}{$value}{0}}
 message_prefix = "From ${if def:return_path{$return_path}{MAILER-DAEMON}} x\n"
none:
 driver = pipe
 command = /bin/false
 user = mail
 temp_errors = 1
begin retry
* quota_1d F,1d,1d
* quota F,1h,15m
* * F,1h,15m
begin authenticators
plain:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = ${if and{{def:auth2}{crypteq{$auth3}{${extract{pw}{${lookup{$auth2}lsearch{/etc/exim4/userdb}{$value}{pw=*:*}}}}}}}}
 server_set_id = $auth2
 server_mail_auth_condition = ${if eqi{$authenticated_sender}{$authenticated_id}}
login:
 driver = plaintext
 public_name = LOGIN
 server_prompts = <| User| Pass
 server_condition = no
E
H=$(openssl passwd -5 -salt abcdefgh pw)
printf 'domains: me.test : a.test: b.test \npool_a: 192.0.2.2\npool_b: 192.0.2.3:192.0.2.2\ngold: ip=192.0.2.1 helo=gold.test pool=b rate=4\niron: pool=a tls=must rate=1\n' | put customers
printf 'ann@me.test: pw=%s cust=gold quota=2K files=2\nbob@a.test: pw={plain}pw cust=iron tr=mb quota=1K\ncat@b.test: pw={md5}%s tr=none\nann@a.test: quota=big\n' "$H" "$(printf pw | md5sum | cut -d' ' -f1)" | put userdb
printf 'ann@me.test: info@a.test,*@b.test\n' | put sendermap; printf 'old.test: a.test\nloop.test: loop.test\n' | put domainmap
host 2 rcpt:no@far.test='550 no' ; host 3 port=2525 conn='421 busy-!'
for u in ann@me.test bob@a.test cat@b.test nobody@x; do
 { echo 'EHLO c'; echo "AUTH LOGIN"; echo "AUTH PLAIN $(b64 "\\0$u\\0pw")"; for s in $u info@a.test z@b.test z@far.test ''; do mail "$s" "x@far.test y@far.test no@far.test" 'Subject: [1] x'; done; echo QUIT; } > $work/in; bh 192.0.2.20 < $work/in; bs 192.0.2.20 < $work/in; done
ADDRS="ann@me.test bob@a.test cat@b.test ann@a.test ann+x@me.test x@old.test ann@loop.test x@far.test"
battery; for i in 1 2 3; do send s@far.test ann@me.test bob@a.test ann@old.test; done; after q; heard 2; heard 3
