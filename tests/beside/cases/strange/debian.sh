# A configuration as Debian has it, and redirections of all kinds. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
new g1 <<'E'
# Debian-like split with hubbed hosts, local aliases, satellite, smarthost list and "maildir_home"
.ifndef DC_minimaldns
.endif
exim_path = /usr/sbin/exim4
CONFDIR = /etc/exim4
.ifndef MAIN_TLS
MAIN_LOCAL_DOMAINS = @:localhost:me.test
.else
MAIN_LOCAL_DOMAINS = none
.endif
domainlist local_domains = MAIN_LOCAL_DOMAINS
domainlist relay_to_domains = ${if exists{CONFDIR/relay_domains}{CONFDIR/relay_domains}{}}
hostlist relay_from_hosts = <; ${if exists{CONFDIR/relay_nets}{CONFDIR/relay_nets}{}} ; 127.0.0.1 ; ::1
LOCAL_DELIVERY=maildir_home
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
gecos_pattern = ^([^,:]*)
gecos_name = $1 (gecos)
daemon_smtp_ports = smtp : 587
prdr_enable = true
spamd_address = 127.0.0.1 11333 variant=rspamd
freeze_tell = postmaster
unknown_login = nobody
bounce_return_size_limit = 200
dsn_advertise_hosts = *
dsn_from = Mail System <noreply@$primary_hostname>
errors_copy = *@me.test postmaster@me.test : ${if eq{a}{a}{}}
errors_reply_to = help@me.test
bounce_message_text = this text\nhere
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
begin acl
acl_local_deny_exceptions:
  accept hosts = ${if exists{CONFDIR/host_local_deny_exceptions}{CONFDIR/host_local_deny_exceptions}{}}
  accept senders = ${if exists{CONFDIR/sender_local_deny_exceptions}{CONFDIR/sender_local_deny_exceptions}{}}
acl_check_rcpt:
  accept hosts = :
    control = dkim_disable_verify
  warn
    .ifdef CHECK_RCPT_LOCAL_LOCALPARTS
    domains = x
    .endif
    !acl = acl_local_deny_exceptions
    set acl_m9 = no exception
  deny
    domains = +local_domains
    local_parts = ^[.] : ^.*[@%!/|`#&?]
    message = restricted characters in address
  accept local_parts = postmaster
         domains = +local_domains : +relay_to_domains
  deny !acl = acl_local_deny_exceptions
       senders = ${if exists{CONFDIR/local_sender_blacklist}{CONFDIR/local_sender_blacklist}{}}
       message = sender envelope address $sender_address is locally blacklisted here.
       log_message = sender envelope address is locally blacklisted.
  accept
    hosts = +relay_from_hosts
    control = submission/sender_retain
  require
    message = relay not permitted
    domains = +local_domains : +relay_to_domains
  require
    verify = recipient
  deny
    domains = ! +relay_to_domains
    condition = ${if eq {${lookup {$local_part} lsearch {CONFDIR/sealed} {$value}}} {yes} {1} {0}}
  accept
acl_check_data:
  deny
    message = maximum allowed line length is 998 octets, got $max_received_linelength
    condition = ${if > {$max_received_linelength}{998}}
  accept
begin routers
hubbed_hosts:
  debug_print = "R: hubbed_hosts for $domain"
  driver = manualroute
  domains = "${if exists{CONFDIR/hubbed_hosts}\
                   {partial-lsearch;CONFDIR/hubbed_hosts}\
              fail}"
  same_domain_copy_routing = yes
  route_data = ${lookup{$domain}partial-lsearch{CONFDIR/hubbed_hosts}}
  transport = remote_smtp
smarthost:
  driver = manualroute
  domains = ! +local_domains
  transport = remote_smtp
  route_list = * 192.0.2.9
  host_find_failed = ignore
  same_domain_copy_routing = yes
  no_more
real_local:
  driver = accept
  domains = +local_domains
  condition = ${if match_ip{$sender_host_address}{: 127.0.0.1}{1}{0}}
  local_part_prefix = real-
  check_local_user
  transport = LOCAL_DELIVERY
system_aliases:
  debug_print = "R: system_aliases for $local_part@$domain"
  driver = redirect
  domains = +local_domains
  allow_fail
  allow_defer
  data = ${lookup{$local_part}lsearch{/etc/exim4/aliases}}
  group = mail
  user = mail
  file_transport = address_file
  pipe_transport = address_pipe
  directory_transport = address_directory
userforward:
  driver = redirect
  domains = +local_domains
  check_local_user
  file = $home/.forward
  require_files = $local_part_data:$home/.forward
  no_verify
  no_expn
  check_ancestor
  allow_filter
  forbid_smtp_code = true
  directory_transport = address_directory
  file_transport = address_file
  pipe_transport = address_pipe
  reply_transport = address_reply
  skip_syntax_errors
  syntax_errors_to = real-$local_part@$domain
  syntax_errors_text = \
    This is an automatically generated message. An error has\n\
    been found in your .forward file.
procmail:
  driver = accept
  domains = +local_domains
  check_local_user
  transport = address_pipe
  require_files = ${local_part_data}:${if exists{/etc/procmailrc}{/etc/procmailrc}{${home}/.procmailrc}}:+/nonexist/procmail
  no_verify
  no_expn
lowuid_aliases:
  driver = redirect
  check_local_user
  domains = +local_domains
  condition = ${if and{{! eq{0}{$local_user_uid}} {<{$local_user_uid}{1000}}}{1}{0}}
  data = ${if exists {CONFDIR/lowuid-aliases} {${lookup{$local_part_data}lsearch{CONFDIR/lowuid-aliases}{$value}{:fail: nobody reads mail of $local_part_data}}}{:fail: low uid}}
  allow_fail
local_user:
  driver = accept
  domains = +local_domains
  check_local_user
  local_parts = ! root
  transport = LOCAL_DELIVERY
  cannot_route_message = Unknown user
mail4root:
  driver = redirect
  domains = +local_domains
  local_parts = root
  data = /var/mail/mail
  file_transport = address_file
  user = mail
  group = mail
begin transports
remote_smtp:
  driver = smtp
  multi_domain
  hosts_try_fastopen =
  message_linelength_limit = 998
maildir_home:
  driver = appendfile
  .ifdef MAILDIR_HOME_DIR
  directory = MAILDIR_HOME_DIR
  .else
  directory = $home/Maildir
  .endif
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
  maildir_format
  directory_mode = 0700
  mode = 0600
  mode_fail_narrower = false
address_directory:
  driver = appendfile
  envelope_to_add = true
  check_string = ""
  escape_string = ""
  maildir_format
address_file:
  driver = appendfile
  delivery_date_add
  envelope_to_add
  return_path_add
address_pipe:
  driver = pipe
  path = /bin:/usr/bin
  return_fail_output
address_reply:
  driver = autoreply
begin retry
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h
begin rewrite
*@localhost "${lookup{${local_part}}lsearch{/etc/exim4/email-addresses}{$value}fail}" Ffrs
*@me.test "${lookup{${local_part}}lsearch{/etc/exim4/email-addresses}{$value}fail}" Ffrs
E
sed -i '/^errors_copy/s/ : .*//' $E/exim4.conf
printf 'ann: ann.smith@far.test\n' | put email-addresses; printf 'hub.test: 192.0.2.9\n*.hub2.test: 192.0.2.9\n' | put hubbed_hosts; printf 'postmaster: root\nx: |"/bin/sh -c \x27exit 70\x27"\nfile: /var/mail/file\ndir: /var/mail/dir/\nbounce: :fail: sealed\n*: y\n' | put aliases; printf 'relay.test\n*.relay.test\n' | put relay_domains; printf '192.0.2.20\n' | put relay_nets; printf '*@spam.test\n' | put local_sender_blacklist; printf 'bob: yes\n' | put sealed
printf '# Exim filter\nif error_message then finish endif\nif $h_subject: contains "vac" then vacation once $home/once log $home/log text "I am $local_part\n$tod_epoch" endif\nif $header_x-a is "b" and personal alias x@me.test then save $home/saved endif\nif $h_subject: is "p" then pipe "$home/no such" endif\n' > $work/home/ann/.forward; sed -i 's/\$tod_epoch//' $work/home/ann/.forward; printf 'bob2, \\bob, "|/bin/cat >> $HOME/piped", bad address\n' > $work/home/bob/.forward; chown ann $work/home/ann/.forward; chown bob $work/home/bob/.forward
ADDRS="ann@me.test bob@me.test cat@localhost real-ann@me.test root@me.test postmaster@me.test x@me.test file@me.test dir@me.test bounce@me.test mail@me.test daemon@me.test u@hub.test u@a.hub2.test u@relay.test u@far.test a%b@me.test .x@me.test"
SENDERS="s@far.test ann@me.test bad@spam.test cat@localhost -"; host 9; SUBJECT=vac
battery; for s in vac p other; do SUBJECT=$s send cat@me.test ann; done; send s@far.test x@me.test; after ann; for u in ann bob cat; do (cd $work/home/$u; find . -type f | sort | sed 's/[0-9]\{6,\}[.A-Za-z0-9_-]*/N/'; cat saved piped log 2>/dev/null); done; gone 9

new g2 <<'E'
# recipients table by cidr and by-time; aliases in several files; redirect options; ${run}, readsocket, readfile
qualify_domain = me.test
domainlist local_domains = me.test : +more
domainlist more = ${readfile{/etc/exim4/more}{ : }}
tls_advertise_hosts =
host_lookup =
timezone = UTC
print_topbitchars = true
check_rfc2047_length = false
syslog_facility = mail
log_file_path = :/var/log/exim4/%slog
process_log_path = /var/log/exim4/proc
acl_smtp_rcpt = ${if eq{$sender_host_address}{192.0.2.20}{a20}{adef}}
acl_smtp_data = ad
begin acl
a20:
 warn set acl_m_run = ${run{/bin/echo -n $sender_host_address}{$value/$runrc}{fail$runrc}}
  log_message = run $acl_m_run
 accept
adef:
 warn set acl_m_x = ${readsocket{/no/socket}{x}{1s}{}{none}}
  set acl_m_y = ${perl_unused}
 accept
ad: accept
begin routers
chain1:
 driver = redirect
 domains = +local_domains
 data = ${lookup{$local_part}lsearch{/etc/exim4/al1}}
 redirect_router = chain3
chain2:
 driver = redirect
 domains = +local_domains
 data = ${lookup{$local_part}lsearch{/etc/exim4/al2}}
 hide_child_in_errmsg
 ignore_eacces
 ignore_enotdir
 forbid_include
 forbid_blackhole
 forbid_filter_reply
 self_unused
chain3:
 driver = redirect
 domains = +local_domains
 data = ${lookup{$local_part}lsearch{/etc/exim4/al3}}
 allow_defer
 forbid_blackhole = false
 one_time = false
 dsn_lasthop
unseen:
 driver = accept
 condition = ${if match{$local_part}{^arch}}
 unseen = ${if eq{$local_part}{arch2}{no}{yes}}
 transport = arch
fileinto:
 driver = redirect
 file = /etc/exim4/fw/$local_part_data
 local_parts = dsearch;/etc/exim4/fw
 owners = root : mail
 owngroups = Debian-exim
 modemask = 002
 pipe_transport = p
 file_transport = f
 allow_filter
 forbid_filter_existstest
 forbid_filter_lookup
 forbid_filter_logwrite
 forbid_filter_readfile
 forbid_filter_run
 forbid_filter_dlfunc
 forbid_filter_perl
 forbid_filter_readsocket
 user = mail
loc:
 driver = accept
 local_parts = ^x : arch1 : ann
 transport = f2
nos:
 driver = accept
 local_parts = nobody
 transport = f2
 verify_sender = no
 verify_recipient
 log_as_local
 address_test = false
 expn = false
 retry_use_local_part
 domains = me.test
 caseful_local_part = true
 errors_to =
begin transports
arch:
 driver = appendfile
 file = /var/mail/arch
 user = mail
f:
 driver = appendfile
 user = mail
 create_file = anywhere
f2:
 driver = appendfile
 file = /var/mail/f2
 user = mail
 group = mail
 file_must_exist = false
 notify_comsat = no
 lockfile_timeout = 30s
 lock_retries = 2
 lock_interval = 1s
 use_lockfile = false
 use_fcntl_lock
 use_flock_lock = no
 batch_max = 3
 batch_id = x
 headers_only
p:
 driver = pipe
 user = mail
 max_output = 10
 log_defer_output
 log_fail_output
 return_output
E
sed -i '/self_unused/d;/perl_unused/d' $E/exim4.conf
printf 'm1.test\nm2.test\n' | put more; sed -i '$!b;s/\n$//' $E/more; truncate -s -1 $E/more
printf 'a: x1, b\nloop: loop2\n' | put al1; printf 'b: x2, ann\nloop2: loop\nbh: :blackhole:\ninc: :include:/etc/exim4/al3\n' | put al2; printf 'b: x3@m1.test\nbh: :blackhole: no\nc: :defer: mon\nd: "x 4"@me.test, x5\n' | put al3
mkdir $E/fw; printf '# Exim filter\nif "${lookup{x}lsearch{/etc/exim4/al1}}" is "" then save /var/mail/no endif\n' | put fw/flt; printf '# Exim filter\nsave /var/mail/yes\nunseen deliver x9@me.test\n' | put fw/flt2; printf 'x6, |"/bin/echo 0123456789abc", /var/mail/fi\n' | put fw/pp; chmod 666 $E/fw/pp; printf 'x7, |"/bin/sh -c \x27echo 0123456789abc; exit 75\x27"\n' | put fw/pq; printf '# Exim filter\nlogwrite x\n' | put fw/fl3
ADDRS="a b loop c d bh inc@me.test ann@m1.test arch1 arch2 arch3 flt flt2 pp pq fl3 nobody NOBODY x8@m2.test no@m3.test"
ADDRS=$(for a in $ADDRS; do case $a in *@*) echo $a;; *) echo $a@me.test;; esac; done)
BE='${readfile{/etc/exim4/more}{,}}
${run{/bin/false}{y}{n$runrc}}
${run{/no/such}}'
SENDERS="s@far.test nobody@me.test arch3@me.test"
battery
