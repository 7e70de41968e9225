# What a site says of itself (-bP, -bV, -be), -bt beside -bv and deliveries, and who may ask. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
head_ <<'E' | tail_ | new q1
# lists of all kinds, hidden and cached, macros in all places, values that are hidden, drivers of one kind many times
AMACRO = value of a
AM_EMPTY =
AM_LIST = <; x ; y:z
.ifdef AMACRO
AM_NESTED = AMACRO twice AMACRO
.endif
domainlist d_plain = one.test : *.two.test : ^three\.\\d+
domainlist d_nested = +d_plain : ! four.test : \
  # a comment in a list
  lsearch;/etc/exim4/domains
domainlist_cache d_cached = ${lookup{$domain}lsearch{/etc/exim4/domains}{$domain}}
hide domainlist d_hidden = secret.test
hostlist h_all = 127.0.0.1 : ::::1 : 192.0.2.0/24 : @[] : !10.0.0.0/8
hostlist h_files = /etc/exim4/hosts : net-lsearch;/etc/exim4/nets
addresslist a_mixed = ann@me.test : *@far.test : ^bob : lsearch*@;/etc/exim4/addrs : ${if eq{$sender_host_address}{192.0.2.5}{five@x.test}}
localpartlist l_parts = ann : ^b : +l_more
localpartlist l_more = <, c, d:e, "f, g"
hide mysql_servers = localhost/db/user/pass
hide pgsql_servers = a/b/c/d
ldap_default_servers = 127.0.0.1
delay_warning = 1h:5h:1d2h3m4s
bounce_return_size_limit = 1500
message_size_limit = 20M
retry_interval_max = 90m
auto_thaw = 0s
queue_only_load = 99.5
smtp_accept_reserve = 3
smtp_load_reserve = 12
smtp_reserve_hosts = +h_all
never_users = root : daemon
trusted_users = ann : 5002
admin_groups = mail
log_selector = +all -pid -millisec
local_interfaces = <; 127.0.0.1 ; [::1]:26
openssl_options = -all
recipient_unqualified_hosts = ${if eq{a}{a}{+h_all}{}}
add_environment = <; A=1;B=2
unknown_login = nobody
acl_smtp_rcpt = r
acl_smtp_connect = accept
acl_not_smtp = accept
begin acl
r:
 accept domains = +d_nested
  logwrite = d=$domain_data AM_NESTED
 accept local_parts = +l_parts
  senders = +a_mixed
  logwrite = l=$local_part_data a=$sender_data
 accept hosts = +h_files
  logwrite = h=$host_data
 accept domains = +d_hidden : +d_cached
 deny
unused:
 deny message = never AM_LIST
begin routers
r1:
 driver = accept
 domains = +d_nested : +d_cached
 address_data = AM_LIST/AM_EMPTY/${extract{2}{ }{AMACRO}}
 transport = l
 set = r_a = 1
 set = r_b = AMACRO
 no_verify_sender
 headers_add = A: 1
 headers_add = B: 2
 condition = ${if eq{$local_part}{no}{no}{yes}}
 condition = true
r2:
 driver = redirect
 data = ${lookup{$local_part}lsearch{/etc/exim4/aliases}}
 local_part_suffix = AM_LIST
 hide syntax_errors_text = hidden text
 file_transport = t2
 owners = ann : 5002
 modemask = 027
 forbid_pipe = true
r3:
 driver = manualroute
 route_list = far.test 192.0.2.9 ; *.x.test "a.test : b.test" byname
 transport = s
 self = reroute: rewrite: me.test
 fallback_hosts = c.test
begin transports
t2:
 driver = appendfile
 mode = 0640
 quota = 10M
 quota_warn_threshold = 75%
 maildir_retries = 5
 user = 5001
 group = mail
t3:
 driver = pipe
 command = /bin/cat
 timeout = 1h30m
 environment = A=AMACRO : B
 temp_errors = 75 : 73
 umask = 077
t4:
 driver = autoreply
 to = ann@me.test
 mode = 0644
t5:
 driver = lmtp
 socket = /no/such
 batch_max = 10
begin retry
*@far.test * F,1h,10m; G,2h,15m,1.5 ; F,4d,6h
lsearch;/etc/exim4/domains rcpt_4xx F,1h,10m
a.test auth_failed
* quota_3d
* * senders=: F,30m,5m
* * F,2h,15m
begin rewrite
*@old.test $1@me.test Ffrsbct
*@*.old.test "${lookup{$2}lsearch{/etc/exim4/domains}{$1@$value}fail}" h
E
sed -i '/^openssl_options/d;/^hide domainlist/s/^hide //;s/^\* \* senders=: F/* * senders=: F/' $E/exim4.conf
python3 - $E/exim4.conf <<'F'
import sys
p=sys.argv[1]; s=open(p).read(); a=s.index('begin retry'); b=s.index('l:\n driver = appendfile'); s=s[:a]+s[b:]+s[a:b]; open(p,'w').write(s)
F
printf 'd1.test: v1\nd2.test: v2\n' | put domains; echo 192.0.2.6 | put hosts; printf '192.0.2.7: seven\n' | put nets; printf 'x@y.test: z\n*@z.test: zz\n' | put addrs; printf 'al: ann\n' | put aliases
for o in '' lists +d_plain +d_nested +d_cached +d_hidden +h_all +h_files +a_mixed +l_parts +l_more +nosuch domainlist hostlist addresslist localpartlist 'domainlist d_plain' 'hostlist h_all' 'addresslist a_mixed' 'localpartlist l_more' 'domainlist nosuch' 'hostlist d_plain' 'domainlist d_plain hostlist h_all' 'macro AMACRO' 'macro AM_NESTED' 'macro AM_EMPTY' 'macro NOSUCH' macro_list routers router_list 'router r1' 'router r2' 'router r3' 'router nosuch' router transports transport_list 'transport t2' 'transport t3' 'transport t4' 'transport t5' 'transport l' authenticators authenticator_list 'authenticator x' environment configure_file log_file_path pid_file_path spool_directory mysql_servers pgsql_servers delay_warning bounce_return_size_limit message_size_limit retry_interval_max auto_thaw queue_only_load smtp_accept_reserve smtp_load_reserve never_users trusted_users admin_groups log_selector local_interfaces add_environment unknown_login no_such_option allow_mx_to_ip no_allow_mx_to_ip 'delay_warning message_size_limit' '+all lists' all retry rewrite acl 'acl r' exim_user version; do
 for u in root 5001; do echo "--- $u: -bP $o"; if [ $u = root ]; then $exim -bP $o 2>&1; else setpriv --reuid=$u --regid=$u --clear-groups $exim -bP $o 2>&1; fi | grep -avE "$newer" | sed '/^_/d' | head -150; done; done
x -n -bP message_size_limit delay_warning +d_plain 2>&1; for a in AMACRO=other AMACRO AM_NEW=1 _X=2 AM.X=1; do x -D$a -bP macro AMACRO 2>&1; as 5001 $exim -D$a -be AMACRO 2>&1; done; x -bV | sed -n '/onfiguration/p'
as 5001 $exim -bP transport t2 2>&1 | grep -v tpda_; as 5002 $exim -bP mysql_servers 2>&1; as 8 $exim -bP mysql_servers 2>&1
for i in ann@one.test x@far.test a@d1.test 'x@old.test' 'a@d2.old.test'; do x -brt $i 2>&1; x -brw $i 2>&1; done; for e in refused timeout_DNS rcpt_452 auth_failed quota_4d quota; do x -brt a.test $e 2>&1; x -brt d1.test $e 2>&1; x -brt ann@x.test $e 2>&1; done
ADDRS="ann@one.test no@one.test c@q.test al@x.test u@far.test z@secret.test q@d1.test b@a.two.test f@three.12 u@a.x.test"; SENDERS="s@far.test five@x.test x@y.test k@z.test"; CLIENTS="192.0.2.5 192.0.2.6 192.0.2.7 127.0.0.1"
BE='${if match_domain{one.test}{+d_nested}{y:$value}{n}} ${if match_domain{four.test}{+d_nested}{y}{n}} ${if match_domain{d1.test}{+d_nested}{$value}{n}}
${listnamed:d_nested} / ${listnamed_d:d_plain} / ${listnamed_h:h_all} / ${listnamed_l:l_more} / ${listnamed_a:a_mixed}
${listnamed:nosuch}
${listnamed_h:d_plain}
${listcount:<; a;b;;c} ${listcount:+d_plain} ${listcount:${listnamed:h_all}}
AMACRO AM_NESTED <AM_EMPTY> AM_LIST ${map{AM_LIST}{[$item]}}
${if inlist{b}{a:b}} ${if match_address{bob@x}{+a_mixed}{y}{n}} ${if match_ip{192.0.2.6}{+h_files}{y}{n}} ${if match_ip{192.0.2.7}{192.0.2.0/29}{y}{n}} ${if match_local_part{d}{+l_parts}{y:$value}{n}}
$config_file $config_dir $spool_directory $log_directory $exim_path $exim_uid ${if def:exim_gid}'
quick
