# A site as cPanel has it: written from what such panels say of themselves. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
new cpanel <<'E'
domainlist local_domains = lsearch;/etc/exim4/localdomains
domainlist relay_domains = lsearch;/etc/exim4/localdomains : lsearch;/etc/exim4/secondarymx
domainlist manualmx_domains = ${if exists{/etc/exim4/manualmx}{lsearch;/etc/exim4/manualmx}}
hostlist loopback = <; @[]; 127.0.0.0/8 ; 0.0.0.0 ; ::1 ; 0000:0000:0000:0000:0000:ffff:7f00:0000/8
hostlist trustedmailhosts = net-iplsearch;/etc/exim4/trustedmailhosts
hostlist senderverifybypass_hosts = net-iplsearch;/etc/exim4/senderverifybypasshosts
hostlist skipsmtpcheck_hosts = net-iplsearch;/etc/exim4/skipsmtpcheckhosts
hostlist spammeripblocks = net-iplsearch;/etc/exim4/spammeripblocks
hostlist relay_hosts = net-iplsearch;/etc/exim4/relayhosts : localhost
hostlist recent_authed_mail_ips = net-iplsearch;/etc/exim4/recent_authed_mail_ips
addresslist secondarymx = *@partial-lsearch;/etc/exim4/secondarymx
localpartlist path_safe_localparts = \N^\.*[^./][^/]*$\N
smtp_accept_max_per_host = ${if match_ip{$sender_host_address}{+loopback}{50}{5}}
smtp_accept_queue_per_connection = 30
smtp_receive_timeout = 165s
smtp_banner = "${primary_hostname} ESMTP Exim ${version_number} \
\#${compile_number} ${tod_full} \n\
 We do not authorize the use of this system to transport unsolicited, \n\
 and/or bulk e-mail."
host_lookup =
rfc1413_query_timeout = 0s
remote_max_parallel = 1
queue_run_in_order
tls_advertise_hosts =
never_users = root
ignore_bounce_errors_after = 1d
timeout_frozen_after = 5d
log_selector = +incoming_port +smtp_connection +all_parents +retry_defer +subject +arguments +received_recipients -pid
system_filter = /etc/exim4/system_filter
system_filter_user = mail
system_filter_group = mail
deliver_queue_load_max = 1000
delay_warning = 
message_body_newlines = true
check_rfc2047_length = no
keep_environment = X-SOURCE : X-SOURCE-ARGS : X-SOURCE-DIR
add_environment = PATH=/usr/bin:/bin
chunking_advertise_hosts = 198.51.100.1
acl_not_smtp = acl_not_smtp
acl_smtp_connect = acl_smtp_connect
acl_smtp_data = acl_smtp_data
acl_smtp_helo = acl_smtp_helo
acl_smtp_mail = acl_smtp_mail
acl_smtp_notquit = acl_smtp_notquit
acl_smtp_quit = acl_smtp_quit
acl_smtp_rcpt = acl_smtp_rcpt
acl_smtp_auth = acl_smtp_auth
auto_thaw = 6d
.include_if_exists /etc/exim4/exim.conf.localopts
.include_if_exists /etc/exim4/nothere.localopts

begin acl
acl_not_smtp:
  warn
    condition = ${if and{{>{$caller_uid}{99}}{!eq{$caller_uid}{$originator_uid}}}}
    logwrite = odd caller $caller_uid $originator_uid
  deny
    condition = ${if exists{/etc/exim4/outgoing_mail_suspended_users}}
    condition = ${lookup{${lookup passwd{$caller_uid}{${extract{4}{:}{$value}}}{$sender_ident}}}lsearch{/etc/exim4/outgoing_mail_suspended_users}{1}{0}}
    message = outgoing mail from ${sender_ident} is suspended
    log_message = suspended $sender_ident
  deny
    ratelimit = 3 / 1h / strict / not_smtp-$caller_uid
    message = Domain ${lookup{$sender_ident}lsearch{/etc/exim4/userdomains_r}{$value}{?}} has exceeded the max emails per hour (${sender_rate}/${sender_rate_limit}) allowed. Message discarded.
  warn
    condition = ${if eq{$authenticated_id}{}{0}{1}}
    add_header = X-Authed-ID: $authenticated_id
  accept
    add_header = X-Source-UID: $caller_uid/$originator_uid
    
acl_smtp_connect:
  accept hosts = : +loopback
    set acl_c_trusted = 1
  drop
    hosts = +spammeripblocks
    message = Your host is not allowed to connect to this server.
    log_message = Host is banned
  drop
    ratelimit = 8 / 1h / per_conn / strict / $sender_host_address
    message = too many connections $sender_rate
  accept

acl_smtp_helo:
  accept hosts = +loopback : +relay_hosts
  drop
    condition = ${if match_domain{$sender_helo_name}{+local_domains}}
    message = "REJECTED - Bad HELO - Host impersonating [$sender_helo_name]"
  drop
    condition = ${if or{{eq{$sender_helo_name}{$interface_address}}{eq{[$interface_address]}{$sender_helo_name}}}}
    message = "REJECTED - Interface: $interface_address is _my_ address"
  drop
    condition = ${if isip{$sender_helo_name}}
    message = Access denied - Invalid HELO name (See RFC2821 4.1.3)
  warn
    !condition = ${if match{$sender_helo_name}{\N\.\N}}
    set acl_c_nodot = yes
    logwrite = nodot $sender_helo_name
  accept

acl_smtp_auth:
  drop
    message = too many failures
    condition = ${if >{$acl_c_authfail}{2}}
  warn set acl_c_authfail = ${eval10:0$acl_c_authfail+1}
  accept

acl_smtp_mail:
  accept hosts = +loopback
  accept authenticated = *
  deny
    condition = ${if eq{$sender_helo_name}{}}
    message = Access denied - EHLO first
  deny
    sender_domains = lsearch;/etc/exim4/blocked_domains
    message = ${if def:sender_data{$sender_data}{blocked}} ${sender_address_domain}
  accept

acl_smtp_notquit:
  warn
    condition = ${if match{$smtp_notquit_reason}{command}}
    ratelimit = 1000 / 1h / strict / nq-$sender_host_address
  accept logwrite = notquit $smtp_notquit_reason

acl_smtp_quit:
  warn
    condition = ${if >{$rcpt_fail_count}{1}}
    logwrite = quit with $rcpt_fail_count/$rcpt_count
  accept

acl_smtp_rcpt:
  accept hosts = :
  deny local_parts = ^.*[@%!/|] : ^\\.
    message = no routing characters
  warn
    domains = +local_domains
    !verify = recipient
    set acl_c_bad = ${eval10:0$acl_c_bad+1}
  drop
    condition = ${if >{${eval10:0$acl_c_bad}}{3}}
    message = "REJECTED - Too many failed recipients - count = $acl_c_bad"
    log_message = Dictionary attack $sender_host_address
    ratelimit = 0 / 1h / strict / per_cmd / dict-$sender_host_address
  defer
    condition = ${if >{0$acl_c_bad}{1}}
    delay = ${eval:0}s
    message = slow down
    condition = ${if eq{$local_part}{slow}}
  deny
    ratelimit = 0 / 1h / per_rcpt / leaky / noupdate / over-$sender_address_domain
    local_parts = limited
    message = over $sender_rate $sender_rate_limit $sender_rate_period
  require verify = sender/no_details
  accept domains = +local_domains
    endpass
    message = "${if def:acl_verify_message{$acl_verify_message}{No Such User Here}}"
    verify = recipient
  accept hosts = +relay_hosts : +recent_authed_mail_ips
    add_header = X-Relay: $sender_host_address ${if def:host_data{$host_data}{}}
  accept domains = +relay_domains
    endpass
    verify = recipient
  accept authenticated = *
  deny
    message = ${expand:${lookup{relay}lsearch{/etc/exim4/messages}{$value}{relay denied}}}

acl_smtp_data:
  deny
    condition = ${if >{$recipients_count}{${lookup{$sender_address_domain}lsearch*{/etc/exim4/maxrcpt}{$value}{100}}}}
    message = too many recipients $recipients_count
  deny !verify = header_syntax
    message = header syntax
  warn
    condition = ${if >{$spam_score_int}{50}}
    add_header = X-Spam: yes
  warn
    condition = ${if match{$h_subject:}{(?i)viagra}}
    add_header = :after_received:X-Spam-Status: Yes, score=12
    add_header = :at_start:X-Spam-Bar: ++++
  accept

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{!eq{$auth2}{}}{crypteq{$auth3}{${extract{1}{:}{${lookup{${local_part:$auth2}}lsearch{/etc/exim4/vdom/${domain:$auth2}/shadow}{$value}{*:*}}}}}}}{1}{0}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if crypteq{$auth2}{${extract{1}{:}{${lookup{$auth1}lsearch{/etc/exim4/allshadow}{$value}{*:*}}}}}}
  server_set_id = ${lc:$auth1}
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${lookup{$auth1}lsearch{/etc/exim4/cram}{$value}fail}
  server_set_id = $auth1

begin rewrite
*@rw.test "${lookup{$1}lsearch{/etc/exim4/rw}{$value@a.test}fail}" Eh

begin routers
manualmx:
  driver = manualroute
  domains = +manualmx_domains
  transport = remote_smtp
  route_data = ${lookup{$domain}lsearch{/etc/exim4/manualmx}}
  host_find_failed = defer
democheck:
  driver = redirect
  require_files = "+/etc/exim4/demouids"
  condition = ${if eq{${extract{size}{${stat:/etc/exim4/demouids}}}}{0}{0}{1}}
  allow_fail
  data = :fail: demo accounts are not permitted to relay email
  domains = ! +local_domains
  condition = ${lookup{$originator_uid}lsearch{/etc/exim4/demouids}{1}{0}}
check_mail_permissions:
  driver = redirect
  domains = ! +local_domains : ! +manualmx_domains
  condition = ${if def:authenticated_id{1}{0}}
  condition = ${lookup{${domain:$authenticated_id}}lsearch{/etc/exim4/suspended_domains}{1}{0}}
  data = :fail: $authenticated_id is suspended
  allow_fail
dkim_lookuphost:
  driver = manualroute
  domains = ! +local_domains
  condition = ${lookup{$sender_address_domain}dsearch{/etc/exim4/dkim}{1}{0}}
  ignore_target_hosts = +loopback
  route_list = * 192.0.2.2
  transport = remote_smtp
  headers_add = "${perl_x}"
lookuphost:
  driver = manualroute
  domains = ! +local_domains
  route_list = * 192.0.2.2
  ignore_target_hosts = 0.0.0.0 : +loopback
  headers_remove = X-Source : X-Get-Message-Sender-Via
  headers_add = "X-AntiAbuse: Primary Hostname - $primary_hostname\n\
X-AntiAbuse: Original Domain - $original_domain\n\
X-AntiAbuse: Originator/Caller UID/GID - [$originator_uid $originator_gid] / [$caller_uid $caller_gid]\n\
X-AntiAbuse: Sender Address Domain - $sender_address_domain\n\
X-Get-Message-Sender-Via: $primary_hostname: ${if def:authenticated_id{authenticated_id: $authenticated_id}{${if def:sender_ident{acl_c_authenticated_local_user: $sender_ident}}}}"
  transport = ${if eq{$sender_address_domain}{smart.test}{smart_smtp}{remote_smtp}}
  self = pass
mailman_virtual_router:
  driver = accept
  domains = +local_domains
  require_files = /etc/exim4/lists/${local_part_data}_${domain_data}/config.pck
  local_parts = dsearch;/etc/exim4/listnames
  local_part_suffix = -admin : -bounces : -bounces+* : -confirm : -confirm+* : -join : -leave : -owner : -request : -subscribe : -unsubscribe
  local_part_suffix_optional
  transport = mailman_transport
  headers_remove = Delivered-To
  headers_add = X-List-Suffix: $local_part_suffix
system_aliases:
  driver = redirect
  domains = me.test
  allow_defer
  allow_fail
  data = ${lookup{$local_part}lsearch{/etc/exim4/aliases}}
  file_transport = address_file
  pipe_transport = address_pipe
  retry_use_local_part
local_aliases:
  driver = redirect
  check_local_user
  domains = me.test
  file = $home/.forward
  forbid_file = false
  allow_filter
  file_transport = address_file
  pipe_transport = address_pipe
  reply_transport = address_reply
  directory_transport = address_dir
  no_verify
has_alias_but_no_mailbox_discarded_to_prevent_loop:
  driver = redirect
  condition = ${extract{nodisc}{${lookup{$domain}lsearch{/etc/exim4/domainopts}}}{0}{1}}
  condition = ${lookup{$local_part@$domain}lsearch{/etc/exim4/vdom/$domain_data/aliases}{1}{0}}
  condition = ${if eq{${sg{${lookup{$local_part@$domain}lsearch{/etc/exim4/vdom/$domain_data/aliases}}}{ }{}}}{$local_part@$domain}}
  domains = lsearch,ret=key;/etc/exim4/localdomains
  data = :blackhole:
  local_parts = !lsearch;/etc/exim4/vdom/$domain_data/passwd
virtual_user_maildir_overquota:
  driver = redirect
  domains = lsearch,ret=key;/etc/exim4/localdomains
  local_parts = lsearch,ret=key;/etc/exim4/vdom/$domain_data/passwd
  condition = ${if >={${extract{1}{:}{${lookup{$local_part_data}lsearch{/etc/exim4/vdom/$domain_data/usage}{$value}{0:0}}}}}{${extract{2}{:}{${lookup{$local_part_data}lsearch{/etc/exim4/vdom/$domain_data/usage}{$value}{0:1}}}}}}
  data = :fail: Mailbox is full / Blocks limit exceeded / Inode limit exceeded
  verify_only
  allow_fail
autoreply:
  driver = accept
  domains = lsearch,ret=key;/etc/exim4/localdomains
  local_parts = dsearch;/etc/exim4/vdom/$domain_data/autorespond
  condition = ${if and{{!match{$h_precedence:}{(?i)bulk|junk|list}}{!def:h_auto-submitted:}{!match{$h_x-spam-status:}{^Yes}}}}
  senders = ! : ! ^.*-request@.* : ! ^owner-.*@.* : ! ^mailer-daemon@.*
  require_files = /etc/exim4/vdom/$domain_data/autorespond/$local_part_data
  unseen
  no_verify
  no_expn
  transport = auto
virtual_aliases_nostar:
  driver = redirect
  allow_defer
  allow_fail
  domains = lsearch,ret=key;/etc/exim4/localdomains
  data = ${lookup{$local_part@$domain}lsearch{/etc/exim4/vdom/$domain_data/aliases}}
  require_files = +/etc/exim4/vdom/$domain_data/aliases
  file_transport = address_file
  pipe_transport = virtual_address_pipe
  group = mail
  user = mail
  retry_use_local_part
  srs = forward
  unseen = ${if exists{/etc/exim4/vdom/$domain_data/keepcopy}{yes}{no}}
domain_filter:
  driver = redirect
  domains = lsearch,ret=key;/etc/exim4/localdomains
  require_files = /etc/exim4/vdom/$domain_data/filter
  file = /etc/exim4/vdom/$domain_data/filter
  allow_filter
  no_verify
  user = mail
  file_transport = address_file
  directory_transport = address_dir
  pipe_transport = virtual_address_pipe
  reply_transport = address_reply
  condition = ${if !def:received_for{1}{1}}
virtual_user_spam:
  driver = accept
  domains = lsearch,ret=key;/etc/exim4/localdomains
  local_parts = lsearch,ret=key;/etc/exim4/vdom/$domain_data/passwd
  condition = ${if match{$h_x-spam-status:}{\N^Yes\N}}
  headers_remove = X-Spam-Bar
  headers_add = X-Delivered-Folder: spam $parent_local_part@$parent_domain
  transport = virtual_spam
virtual_user:
  driver = accept
  domains = lsearch,ret=key;/etc/exim4/localdomains
  local_parts = lsearch,ret=key;/etc/exim4/vdom/$domain_data/passwd
  local_part_suffix = +*
  local_part_suffix_optional
  transport = virtual_userdelivery
  address_data = ${lookup{$local_part_data}lsearch{/etc/exim4/vdom/$domain_data/passwd}}
virtual_aliases:
  driver = redirect
  domains = lsearch,ret=key;/etc/exim4/localdomains
  data = ${lookup{*}lsearch{/etc/exim4/vdom/$domain_data/aliases}}
  allow_defer
  allow_fail
  file_transport = address_file
  pipe_transport = virtual_address_pipe
  user = mail
localuser:
  driver = accept
  domains = me.test
  check_local_user
  transport = local_delivery
  cannot_route_message = no user $local_part

begin transports
local_delivery:
  driver = appendfile
  file = /var/mail/$local_part_data
  delivery_date_add
  envelope_to_add
  return_path_add
  mode = 0660
remote_smtp:
  driver = smtp
  hosts_try_fastopen =
  connection_max_messages = 1
  interface = ${lookup{$sender_address_domain}lsearch*{/etc/exim4/mailips}{$value}{}}
  helo_data = ${lookup{$sending_ip_address}lsearch{/etc/exim4/mailhelo}{$value}{$primary_hostname}}
  message_linelength_limit = 200
  max_rcpt = 2
smart_smtp:
  driver = smtp
  hosts_try_fastopen =
  hosts = ${lookup{$sender_address_domain}lsearch{/etc/exim4/smarthosts}{$value}}
  hosts_override
  connection_max_messages = 1
mailman_transport:
  driver = pipe
  command = /usr/bin/env "${if def:local_part_suffix{${sg{$local_part_suffix}{-(\\w+)(\\+.*)?}{\$1}}}{post}}" $local_part_data
  command = /bin/sh -c "env | sort | grep -v ^PWD; echo; cat > /dev/null; exit 1"
  environment = "LIST=${local_part_data}:KIND=${if def:local_part_suffix{${sg{$local_part_suffix}{-(\\w+)(\\+.*)?}{\$1}}}{post}}"
  path = /usr/bin:/bin
  return_output
  home_directory = /tmp
  current_directory = /tmp
  user = mail
  group = mail
auto:
  driver = autoreply
  to = $sender_address
  from = "$local_part_data@$domain"
  subject = ${if def:h_Subject: {Autoreply: ${quote:${escape:${length_50:$h_Subject:}}}} {I am on vacation}}
  text = ${expand:${readfile{/etc/exim4/vdom/$domain_data/autorespond/$local_part_data}}}
  headers = "X-Auto: yes\nContent-Type: text/plain; charset=utf-8"
  once = /var/spool/exim4/once/$domain_data.$local_part_data
  once_repeat = 1d
  log = /var/spool/exim4/once/log
  mode = 0644
  user = mail
virtual_address_pipe:
  driver = pipe
  environment = HOME=/tmp:LOGNAME=x
  ignore_status
  return_fail_output
  path = /usr/bin:/bin
  user = mail
  timeout = 5s
  max_output = 30
  message_prefix = "From ${sender_address} now\n"
  message_suffix =
address_pipe:
  driver = pipe
  return_output
address_file:
  driver = appendfile
  delivery_date_add
  envelope_to_add
  return_path_add
address_dir:
  driver = appendfile
  maildir_format
  create_directory
  delivery_date_add
  envelope_to_add
address_reply:
  driver = autoreply
virtual_userdelivery:
  driver = appendfile
  directory = /var/mail/${domain_data}/${local_part_data}${if def:local_part_suffix_v{/.sub}}
  maildir_format
  create_directory
  quota = ${extract{2}{:}{$address_data}{${value}}{0}}
  quota_filecount = ${extract{3}{:}{$address_data}{$value}{0}}
  quota_directory = /var/mail/${domain_data}/${local_part_data}
  quota_is_inclusive = false
  maildir_use_size_file
  maildir_quota_directory_regex = ^(?:cur|new|\..*)$
  delivery_date_add
  envelope_to_add
  return_path_add
  user = mail
  group = mail
  mode = 0660
  directory_mode = 0770
  mode_fail_narrower = false
virtual_spam:
  driver = appendfile
  directory = /var/mail/$domain_data/$local_part_data/.Junk
  maildir_format
  create_directory
  user = mail
  group = mail
  envelope_to_add
begin retry
* rcpt_4xx F,2s,1s
* quota F,1h,10m
* * F,2h,15m; G,16h,1h,1.5; F,4d,8h
E
sed -i '/^ *srs = forward/d;/headers_add = "${perl_x}"/d;/command = .usr.bin.env/d;/log_selector/!s/, *$//' $E/exim4.conf
sed -i 's/^keep_environment =$//' $E/exim4.conf
printf 'me.test\na.test: ann\nb.test: "quoted owner"\nsus.test\n*.wild.test\n' | put localdomains
printf 'sec.test\n' | put secondarymx; printf 'mmx.test: 192.0.2.3\nmm2.test: 192.0.2.3::2525 byname\n' | put manualmx
printf '192.0.2.9: yes\n192.0.2.64/26\n2001:db8:bad::/48\n' | put spammeripblocks; printf '192.0.2.20: twenty\n10.0.0.0/8: ten\n' | put relayhosts; : | put trustedmailhosts; : | put senderverifybypasshosts; : | put skipsmtpcheckhosts; : | put recent_authed_mail_ips
printf 'spam.test: we do not like\n' | put blocked_domains; printf 'relay: no relay for $sender_host_address\n' | put messages; printf 'few.test: 1\n*: 3\n' | put maxrcpt
printf 'cat\n' | put outgoing_mail_suspended_users; printf 'ann: a.test\n' | put userdomains_r; printf '5002: bob\n' | put demouids; printf 'sus.test\n' | put suspended_domains
printf 'a.test: nodisc=1\n' | put domainopts; printf 'a.test: 192.0.2.1\n*: \n' | put mailips; printf '192.0.2.1: one.me.test\n' | put mailhelo; printf 'smart.test: 192.0.2.4\n' | put smarthosts
printf 'jim: x\n' | put rw; : | put listnames/list; : | put lists/list_a.test/config.pck; mkdir -p $E/dkim
printf 'root: ann\npostmaster: root\nabuse: :blackhole:\nfile: /var/mail/sysfile\npipe: |"/bin/cat"\n' | put aliases
printf 'jim@a.test: jim@a.test\nfwd@a.test: x@far.test, jim@a.test\nfl@a.test: :fail: No such person at this address\nbh@a.test: :blackhole:\npipe@a.test: "|/bin/sh -c \\"env|sort|head -50;exit 3\\""\ninc@a.test: :include:/etc/exim4/inc.list\nfile@a.test: /var/mail/afile\ndf@a.test: :defer: later\nself2@a.test: self2@a.test\n*: :fail: No Such User Here"\n' | put vdom/a.test/aliases
printf 'x@b.test: jim@a.test\nloop@b.test: loop@b.test\n*: kim@b.test\n' | put vdom/b.test/aliases; : | put vdom/b.test/keepcopy
printf 'jim@a.test\n"kim" <kim@b.test>\n' | put inc.list
printf 'jim:2000:0\nlim:0:2\nfull:1:1\nkim2:::\n' | sed 's/:/: a:/' | put vdom/a.test/passwd; printf 'kim: b:0:0\n' | put vdom/b.test/passwd; printf 'full: 10:5\n' | put vdom/a.test/usage
printf "jim: $(crypted pw):1\n" | put vdom/a.test/shadow; printf "jim@a.test: $(crypted pw):1\nu@sus.test: $(crypted pw)\n" | put allshadow; printf 'jim@a.test: tanstaaf\n' | put cram
printf 'Dear $sender_address,\nI am away ($h_subject:).\n' | put vdom/a.test/autorespond/jim
printf '# Exim filter\nif $header_subject: contains "junk" then\n  save "/var/mail/a-junk"\n finish\nendif\nif $header_subject: contains "reply" then\n vacation to $sender_address subject "V: $h_subject:" text "gone" once /var/spool/exim4/once/v\nendif\nif $h_subject: contains "dir" then save /var/mail/adir/ endif\nif $h_subject: contains "fwd" then unseen deliver y@far.test endif\nif $h_subject: contains "pipe" then unseen pipe "/bin/cat" endif' | put vdom/a.test/filter
printf '# Exim filter\nif error_message then finish endif\nif $header_content-type: matches "(?:file)?name=(\\"[^\\">]+\\\\\\\\.(?:exe|vbs)\\")" then\n fail text "<<$1 refused>>This message has been rejected because it has\\npotentially executable content $1"\n seen finish\nendif\nif $message_body matches "begin 644 .*exe" then freeze text "held" endif\nif $h_subject: begins "log" then logfile /var/spool/exim4/once/sys 0644\n logwrite "$tod_log $message_exim_id $sender_address $recipients"\nendif\nif first_delivery and $h_subject: contains "stamp" then headers add "X-Stamp: $sender_host_address $n0"\n headers remove X-Secret endif\n' | put system_filter
mkdir -m 777 $S/once; for d in me a b sus q.wild; do for f in passwd aliases; do [ -e $E/vdom/$d.test/$f ] || : | put vdom/$d.test/$f; done; mkdir -p $E/vdom/$d.test/autorespond; done; chmod -R a+rX $E; logs>/dev/null
x -bV 2>&1 | tail -3
x -bP 2>&1 | grep -E "^(keep_env|add_env|smtp_banner|system_f|never|host|log_sel|acl)"
x -bP router_list; x -bP authenticators 2>&1; x -bP acls 2>&1 | head; x -bP environment; x -bP macro_list | head -3
bt ann bob jim@a.test JIM@A.TEST jim+x@a.test fwd@a.test fl@a.test bh@a.test pipe@a.test inc@a.test file@a.test df@a.test self2@a.test none@a.test lim@a.test full@a.test x@b.test loop@b.test any@b.test kim@b.test list@a.test list-request@a.test list-bounces+x=y@a.test list-foo@a.test list@b.test u@sus.test x@q.wild.test x@mmx.test x@mm2.test x@sec.test x@far.test root postmaster abuse file pipe nobody 'x@[192.0.2.1]' jim@rw.test zz@rw.test '' 
x -f jim@smart.test -bt y@far.test; x -f ann@a.test -bt y@far.test
as 5002 $exim -bt y@far.test 2>&1
bv jim@a.test full@a.test fl@a.test df@a.test none@a.test inc@a.test list-owner@a.test any@b.test loop@b.test x@far.test bob
for a in 192.0.2.5 192.0.2.9 192.0.2.20 127.0.0.1 2001:db8:bad::7 2001:db8::7; do { echo 'HELO a.test'; echo 'HELO h'; for s in s@far.test '' x@spam.test jim@a.test nosuch@a.test full@a.test; do echo "MAIL FROM:<$s>"; for r in jim@a.test full@a.test fl@a.test none@a.test any@b.test limited@b.test x@far.test x@sec.test list-request@a.test 'a|b@a.test' slow@a.test; do echo "RCPT TO:<$r>"; done; echo RSET; done; echo QUIT; } | bh $a; done
{ echo 'EHLO 192.0.2.7'; } | bh 192.0.2.7; { echo 'EHLO [192.0.2.1]'; } | bh 192.0.2.7 -oMi 192.0.2.1
host 2 rcpt:no@far.test='550 5.1.1 no such' show=1; host 3 show=1; host 4 show=1
{ echo 'EHLO h.test'; mail s@far.test 'jim@a.test' 'Subject: one'; mail s@far.test 'fwd@a.test x@b.test' 'Subject: two' 'Precedence: bulk'; mail s@far.test 'pipe@a.test file@a.test' 'Subject: kinds'; mail s@far.test 'jim@a.test' 'Subject: junk' ; mail r@far.test jim@a.test 'Subject: =?utf-8?q?caf=C3=A9_reply?='; mail s@far.test jim@a.test 'Subject: dir fwd pipe stamp' 'X-Secret: 1' 'X-Strip: subject'; mail s@few.test 'jim@a.test kim@b.test' 'Subject: many'; mail s@far.test 'jim@a.test kim@b.test' 'Subject: viagra'; mail s@far.test 'kim@b.test' 'Subject: log this' 'X-Strip: subject:to'; mail s@far.test 'list@a.test list-bounces+x@a.test loop@b.test' 'Subject: list' 'Delivered-To: x'; echo QUIT; } | bs 192.0.2.5
after first; heard 2
{ echo 'EHLO h.test'; mail s@far.test 'jim@a.test' 'Subject: exe' 'Content-Type: application/x; name="a.exe"'; mail s@far.test 'lim@a.test' 'Subject: l1'; mail s@far.test 'lim@a.test' 'Subject: l2';  mail s@far.test 'lim@a.test' 'Subject: l3'; mail s@far.test 'jim@a.test' 'Subject: big' "X-A: $(head -c 900 /dev/zero | tr '\0' a)" "X-B: $(head -c 900 /dev/zero | tr '\0' b)";  mail s@far.test 'jim@a.test' 'Subject: big2' "X-A: $(head -c 900 /dev/zero | tr '\0' a)"; mail '' 'fl@a.test jim@a.test' 'Subject: b'; mail s@far.test jim@a.test 'Subject: hdr' 'To: <a@b' ; echo QUIT; } | bs 192.0.2.6
after second
{ echo 'EHLO h.test'; mail jim@a.test 'x@far.test no@far.test y@far.test z@mmx.test' 'Subject: out'; mail u@smart.test 'x@far.test' 'Subject: smart'; mail jim@rw.test 'x@far.test' 'Subject: rw' 'Reply-To: Jim <jim@rw.test>, zz@rw.test'; mail u@b.test x@far.test "Subject: $(head -c 250 /dev/zero | tr '\0' s)"; echo QUIT; } | bs 192.0.2.20
after third; heard 2; heard 3; heard 4
for u in 5001 5001 5001 5001 5002 5003; do printf 'To: x@far.test, jim@a.test\nSubject: script\nX-Source: y\n\nhi\n' | as $u env X-SOURCE=me FOO=1 $exim -t -i -odi 2>&1; done
after scripts; heard 2
x -q; x -qf; after runs; heard 2; cat $S/once/log $S/once/sys; ls $S/once
x -Mt x 2>&1
