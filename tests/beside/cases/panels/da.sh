# A site as DirectAdmin has it: written from what such panels say of themselves. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
new da <<'E'
VD = /etc/exim4/virtual
smtp_accept_max = 100
smtp_accept_max_per_connection = 4
smtp_accept_max_nonmail = 6
smtp_accept_max_nonmail_hosts = !127.0.0.1
smtp_max_synprot_errors = 2
smtp_max_unknown_commands = 2
domainlist local_domains = lsearch;VD/domains
domainlist relay_domains = lsearch;VD/domains : localhost
domainlist skip_av_domains = nwildlsearch;VD/skip_av_domains
domainlist blacklist_domains = wildlsearch;VD/blacklist_domains
hostlist auth_relay_hosts = *
hostlist bad_sender_hosts = lsearch;VD/bad_sender_hosts
hostlist bad_sender_hosts_ip = net-lsearch;VD/bad_sender_hosts
hostlist relay_hosts = net24-lsearch;VD/pophosts : 127.0.0.1
hostlist whitelist_hosts = lsearch;VD/whitelist_hosts
hostlist whitelist_hosts_ip = net-lsearch;VD/whitelist_hosts
addresslist whitelist_senders = nwildlsearch;VD/whitelist_senders
addresslist blacklist_senders = wildlsearch;VD/blacklist_senders
addresslist usernames_disabled = lsearch*@;VD/blacklist_usernames
localpartlist system_names = root : nobody : daemon : mail : ${if exists{VD/more_names}{lsearch;VD/more_names}}
percent_hack_domains = hack.test
local_from_check = false
untrusted_set_sender = \N^.*@a\.test$\N : *@b.test
local_sender_retain = true
smtp_enforce_sync = true
helo_allow_chars = _
helo_verify_hosts = 192.0.2.13
helo_try_verify_hosts = 192.0.2.14
host_lookup =
auth_advertise_hosts = !192.0.2.8
tls_advertise_hosts = *
tls_certificate = /etc/exim4/cert.pem
tls_privatekey = /etc/exim4/key.pem
recipients_max = 6
recipients_max_reject = true
message_size_limit = ${if >{$max_received_linelength}{0}{1}{20}}K
return_size_limit = 500
log_selector = +all_parents +smtp_protocol_error +smtp_syntax_error +smtp_incomplete_transaction +smtp_no_mail +rejected_header +delivery_size +sender_on_delivery +tls_cipher +return_path_on_delivery +address_rewrite -host_lookup_failed -pid
queue_run_in_order
remote_max_parallel = 1
perl_startup = 
acl_smtp_connect = acl_connect
acl_smtp_helo = acl_check_helo
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_check_recipient
acl_smtp_predata = acl_predata
acl_smtp_data = acl_check_message
acl_smtp_auth = acl_check_auth
acl_smtp_mime = acl_mime
acl_not_smtp = acl_script
acl_not_smtp_start = acl_start
acl_smtp_etrn = accept hosts = 192.0.2.0/28
acl_smtp_vrfy = accept
acl_smtp_expn = accept hosts = 127.0.0.1
begin acl
acl_connect:
  warn set acl_c_spam_assassin_has_run = 0
       set acl_c_whitelisted = 0
  warn hosts = +whitelist_hosts_ip
       set acl_c_whitelisted = 1
       set acl_c_wl = $host_data
  accept
acl_check_helo:
  accept hosts = +whitelist_hosts : 192.0.2.20
  drop condition = ${if match{$sender_helo_name}{\N^\d+\.\d+\.\d+\.\d+$\N}}
       message = Bad HELO: IP
       log_message = bad helo $sender_helo_name
       delay = 1s
  warn condition = ${if !match{$sender_helo_name}{\N\.\N}}
       set acl_c_helo = nodot
  deny condition = ${if eqi{$sender_helo_name}{ylmf-pc}}
  accept
acl_check_auth:
  drop set acl_c_authnomail = ${eval10:0$acl_c_authnomail+1}
       condition = ${if >{$acl_c_authnomail}{4}}
       logwrite = AUTH brute force $sender_host_address
       message = AUTH command used too many times
  accept
acl_mail:
  deny senders = +blacklist_senders
       message = blacklisted $sender_address ($sender_data)
  deny condition = ${if >{$message_size}{15000}}
       message = declared $message_size
  accept
acl_check_recipient:
  accept hosts = :
  deny domains = +local_domains
       local_parts = ^[.] : ^.*[@%!|]
  warn set acl_m_uid = $acl_m_uid
       condition = ${if eq{$acl_m_uid}{}}
       set acl_m_uid = ${pid}x
  accept authenticated = *
       condition = ${lookup{$authenticated_id}lsearch{VD/limits}{1}{0}}
       ratelimit = ${lookup{$authenticated_id}lsearch{VD/limits}{$value}{10}} / 1h / strict / per_rcpt / da-$authenticated_id
       set acl_m_over = $sender_rate
       endpass
       message = over: $acl_m_over
       condition = ${if def:acl_m_over{0}{1}}
  drop set acl_m_fails = ${eval10:0$acl_m_fails+1}
       condition = ${if >{$acl_m_fails}{20}}
  deny domains = +blacklist_domains
       message = domain $domain blacklisted: $domain_data
  deny message = ${if def:acl_c_helo{${acl_c_helo}}{}}: use authentication
       hosts = 192.0.2.12
       !authenticated = *
  deny message = 550-${expand:${lookup{bs}lsearch{VD/texts}}}
       hosts = +bad_sender_hosts_ip
       !senders = +whitelist_senders
  require verify = sender
  accept domains = +local_domains
       endpass
       message = Unknown user: $local_part ${acl_verify_message}
       verify = recipient
  accept domains = +relay_domains
  accept hosts = +relay_hosts
       add_header = X-Relayed: $sender_host_address via ${if def:host_data{$host_data}{none}}
  accept authenticated = *
       add_header = X-Authenticated-Id: $authenticated_id
       control = submission/domain=/sender_retain
  deny message = authentication required
acl_predata:
  deny condition = ${if >{$rcpt_fail_count}{3}}
       message = $rcpt_fail_count of $rcpt_count failed, $rcpt_defer_count deferred
  accept
acl_mime:
  deny condition = ${if match{$mime_filename}{\N(?i)\.(exe|pif|scr)$\N}}
       message = attachment $mime_filename ($mime_content_type, $mime_part_count)
  warn condition = ${if def:mime_filename}
       set acl_m_att = $acl_m_att $mime_filename
  accept
acl_check_message:
  warn condition = ${if def:acl_m_att}
       add_header = X-Attachments:$acl_m_att
  warn condition = ${if !def:h_Message-ID:}
       add_header = X-No-ID: yes
  deny condition = ${if !def:h_From:}
       message = no From
  warn remove_header = X-Evil : X-Bad
  accept
acl_start:
  accept set acl_m_script = ${if def:sender_ident{$sender_ident}{?}}
     control = suppress_local_fixups
acl_script:
  deny condition = ${if eq{$acl_m_script}{cat}}
       message = scripts of $acl_m_script may not
  discard condition = ${if match{$h_subject:}{discard}}
       log_message = thrown away
  warn condition = ${if >{$recipients_count}{2}}
       control = freeze/no_tell
  accept add_header = X-Script: $acl_m_script
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = "${if and{{!eq{$2}{}}{!eq{$3}{}}{crypteq{$3}{${lookup{${local_part:$2}}lsearch{VD/${lookup{${domain:$2}}lsearch,ret=key{VD/domains}{$value}{me.test}}/passwd}{${extract{1}{:}{$value}}}{x}}}}{!match_address{$2}{+usernames_disabled}}}{yes}{no}}"
  server_set_id = $2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = "Username:: : Password::"
  server_condition = "${if crypteq{$2}{${lookup{$1}lsearch{VD/sys}{$value}{:}}}{yes}{no}}"
  server_advertise_condition = ${if def:tls_in_cipher}
  server_set_id = $1
begin routers
lookuphost:
  driver = manualroute
  domains = ! +local_domains
  route_list = !*.nomx.test 192.0.2.2
  condition = "${lookup{$domain}lsearch{VD/remotelocal}{no}{yes}}"
  transport = remote_smtp
  errors_to = ${if match{$sender_address}{\N^bounce-\N}{postmaster@$sender_address_domain}{$sender_address}}
  address_data = ${sg{$sender_address_domain}{\\.}{_}}
  no_more
  cannot_route_message = no MX for $domain
suspended_domain:
  driver = redirect
  domains = +local_domains
  require_files = VD/${domain_data}/.suspended
  data = :fail: domain $domain is suspended
  allow_fail
  domains = lsearch,ret=key;VD/domains
majordomo_aliases:
  driver = redirect
  allow_defer
  allow_fail
  data = ${if exists{VD/${domain_data}/majordomo/list.aliases}{${lookup{$local_part}lsearch{VD/${domain_data}/majordomo/list.aliases}}}}
  domains = lsearch,ret=key;VD/domains
  file_transport = address_file
  pipe_transport = majordomo_pipe
  retry_use_local_part
  no_rewrite
majordomo_private:
  driver = redirect
  allow_fail
  condition = ${if eqi {$received_protocol} {local} {false} {true}}
  data = ${if exists{VD/${domain_data}/majordomo/private.aliases}{${lookup{$local_part}lsearch{VD/${domain_data}/majordomo/private.aliases}}}}
  domains = lsearch,ret=key;VD/domains
  pipe_transport = majordomo_pipe
domain_filter:
  driver = redirect
  allow_filter
  no_check_local_user
  condition = "${if exists{VD/${domain_data}/filter}{yes}{no}}"
  user = "${lookup{$domain}lsearch{VD/domainowners}{$value}}"
  group = "mail"
  file = VD/${domain_data}/filter
  directory_transport = address_file
  pipe_transport = virtual_address_pipe
  file_transport = address_file
  reply_transport = address_reply
  allow_fail
  retry_use_local_part
  no_verify
  domains = lsearch,ret=key;VD/domains
  caseful_local_part
  skip_syntax_errors
  syntax_errors_to = postmaster@me.test
  syntax_errors_text = The filter of $domain is wrong
blackhole:
  driver = redirect
  domains = lsearch,ret=key;VD/domains
  local_parts = blackhole : ^bh-
  data = :blackhole:
  disable_logging
uservacation:
  driver = accept
  domains = lsearch,ret=key;VD/domains
  condition = ${lookup{$local_part}lsearch{VD/${domain_data}/vacation.conf}{yes}{no}}
  local_parts = lsearch,ret=key;VD/$domain_data/vacation.conf
  require_files = VD/${domain_data}/reply/${local_part_data}.msg
  senders = "! ^.*-request@.*: ! ^bounce-.*@.* : !^.*-bounce@.*: ! ^owner-.*@.*: ! ^postmaster@.*: !^listmaster@.*: !^mailer-daemon@.* : !^root@.*"
  transport = uservacation
  unseen
userautoreply:
  driver = accept
  condition = ${lookup{$local_part}lsearch{VD/${domain_data}/autoresponder.conf}{yes}{no}}
  local_parts = lsearch,ret=key;VD/$domain_data/autoresponder.conf
  domains = lsearch,ret=key;VD/domains
  require_files = VD/${domain_data}/reply/${local_part_data}.msg
  transport = userautoreply
  unseen = ${if eq{${lookup{$local_part}lsearch{VD/${domain_data}/autoresponder.conf}}}{only}{no}{yes}}
  headers_add = X-Auto: yes
virtual_aliases_nostar:
  driver = redirect
  allow_defer
  allow_fail
  data = ${if exists{VD/${domain_data}/aliases}{${lookup{$local_part}lsearch{VD/${domain_data}/aliases}}}}
  domains = lsearch,ret=key;VD/domains
  file_transport = address_file
  group = mail
  pipe_transport = virtual_address_pipe
  retry_use_local_part
  unseen
  condition = ${lookup{$local_part}lsearch{VD/$domain_data/passwd}{yes}{no}}
  user = mail
  check_ancestor
  qualify_preserve_domain
virtual_aliases2:
  driver = redirect
  allow_defer
  allow_fail
  data = ${lookup{$local_part}lsearch{VD/${domain_data}/aliases}}
  domains = lsearch,ret=key;VD/domains
  require_files = VD/${domain_data}/aliases
  condition = ${lookup{$local_part}lsearch{VD/$domain_data/passwd}{no}{yes}}
  file_transport = address_file
  pipe_transport = virtual_address_pipe
  user = mail
  qualify_preserve_domain
drop_solo_alias:
  driver = redirect
  allow_fail
  data = ${if exists{VD/${domain_data}/aliases}{${if eq{${lookup{$local_part}lsearch{VD/${domain_data}/aliases}}}{}{}{:blackhole:}}}}
  condition = ${lookup{$local_part}lsearch{VD/$domain_data/passwd}{no}{yes}}
  domains = lsearch,ret=key;VD/domains
  no_verify
virtual_user:
  driver = accept
  condition = ${if eq {}{${if exists{VD/${domain_data}/passwd}{${lookup{$local_part}lsearch{VD/${domain_data}/passwd}}}}}{no}{yes}}
  domains = lsearch,ret=key;VD/domains
  local_parts = lsearch,ret=key;VD/$domain_data/passwd
  local_part_suffix = ${if eq{$domain}{b.test}{_*}{+*}}
  local_part_suffix = +* : _spam
  local_part_suffix_optional
  group = mail
  retry_use_local_part
  transport = ${if eq{$local_part_suffix}{_spam}{virtual_spam_delivery}{virtual_localdelivery}}
  set = r_quota = ${extract{quota}{${lookup{$local_part_data}lsearch{VD/$domain_data/quota}}}{$value}{0}} ; r_user = ${lookup{$domain}lsearch{VD/domainowners}}
virtual_aliases:
  driver = redirect
  allow_defer
  allow_fail
  data = ${if exists{VD/$domain_data/aliases}{${lookup{$local_part}lsearch*{VD/$domain_data/aliases}}}}
  domains = lsearch,ret=key;VD/domains
  file_transport = address_file
  pipe_transport = virtual_address_pipe
  user = mail
begin transports
remote_smtp:
  driver = smtp
  hosts_try_fastopen =
  connection_max_messages = 1
  headers_add = X-Data: $address_data
  return_path = ${if eq{$sender_address_domain}{srs.test}{SRS0=x=$sender_address_local_part@me.test}fail}
  interface = <; ${if exists{VD/$address_data}{}{192.0.2.1}}
  helo_data = ${if exists{VD/helo_data}{${lookup{$sending_ip_address}iplsearch{VD/helo_data}{$value}{$primary_hostname}}}{$primary_hostname}}
  hosts_avoid_tls = *
  dkim_domain = ${if exists{VD/$sender_address_domain/dkim.private.key}{$sender_address_domain}}
majordomo_pipe:
  driver = pipe
  group = daemon
  return_fail_output
  user = mail
  environment = X=${local_part}:Y=$domain
uservacation:
  driver = autoreply
  file = VD/${domain_data}/reply/${local_part_data}.msg
  from = "${local_part_data}@${domain_data}"
  log = /var/spool/exim4/v/${local_part_data}.log
  once = /var/spool/exim4/v/${local_part_data}.once
  once_repeat = ${lookup{$local_part}lsearch{VD/$domain_data/reply/${local_part_data}.once_time}{$value}{2d}}
  once_file_size = 4K
  subject = "${if def:h_Subject: {Autoreply: $h_Subject:} {I am on vacation}}"
  text = "\
Here is the reply for $local_part at $domain.\n"
  to = "${reply_address}"
  user = mail
  headers = "MIME-Version: 1.0\nContent-Type: ${lookup{$local_part}lsearch{VD/$domain_data/vacation.conf}{text/plain; charset=utf-8}{text/plain}}"
  file_expand
  return_message
userautoreply:
  driver = autoreply
  bcc = ${lookup{$local_part}lsearch{VD/${domain_data}/autoresponder.conf}{${if match{$value}{@}{$value}}}}
  file = VD/${domain_data}/reply/${local_part_data}.msg
  file_optional
  from = "${local_part_data}@${domain_data}"
  log = /var/spool/exim4/v/auto.log
  subject = "${if def:h_Subject: {Autoreply: ${rfc2047:$h_Subject:}} {Autoreply Message}}"
  to = "${sender_address}"
  reply_to = noreply@$domain
  user = mail
  never_mail = *@never.test
virtual_localdelivery:
  driver = appendfile
  create_directory
  delivery_date_add
  directory_mode = 770
  envelope_to_add
  directory = /var/mail/${r_user}/$domain_data/$local_part_data/Maildir${if def:local_part_suffix_v{/.${local_part_suffix_v}}}
  maildir_format
  group = mail
  mode = 660
  return_path_add
  user = ${r_user}
  quota = ${r_quota}
  quota_warn_threshold = 75%
  quota_warn_message = "To: $local_part_data@$domain_data\nSubject: quota\n\nfull soon\n"
virtual_spam_delivery:
  driver = appendfile
  file = /var/mail/spam.$local_part_data
  user = mail
  envelope_to_add
  headers_add = X-In: spam
  headers_remove = subject
  headers_rewrite = *@far.test spam-$1@far.test f
virtual_address_pipe:
  driver = pipe
  group = mail
  return_output
  user = mail
  home_directory = /tmp
  temp_errors = 75
address_file:
  driver = appendfile
  delivery_date_add
  envelope_to_add
  return_path_add
  user = mail
address_reply:
  driver = autoreply
begin retry
*  quota
*  *  F,2h,15m; G,16h,1h,1.5; F,4d,8h
begin rewrite
^(\\w+)=(.*)@rw.test $1@$2 S
*@\N^old(\d)\.test$\N $1@a.test Tqbtc
*@^new(\\d).test$ $0-$1 Q
E
sed -i '/^perl_startup/d;/set acl_m_uid = ${pid}x/d;/set acl_m_uid = $acl_m_uid/d;/condition = ${if eq{$acl_m_uid}{}}/d;/^  warn$/d;/ \$0-\$1 Q/d;/^  local_part_suffix = ${if/d;/^untrusted_set_sender = \*$/d' $E/exim4.conf
python3 - <<'P'
f='/etc/exim4/exim4.conf';s=open(f).read()
s=s.replace("  domains = +local_domains\n  require_files = VD/${domain_data}/.susp","  require_files = VD/${domain_data}/.susp").replace("  warn   accept auth","  accept auth").replace("  drop set acl_m_fails","  drop set acl_m_fails")
s=s.replace("       local_parts = ^[.] : ^.*[@%!|]\n  warn   accept","       local_parts = ^[.] : ^.*[@%!|]\n  accept")
import re
s=re.sub(r"  warn +accept","  accept",s)
open(f,'w').write(s)
P
V=virtual
printf 'a.test\nb.test: x\nc.test\nme.test\n' | put $V/domains; printf 'a.test: mail\nb.test: ann\nc.test: bob\nme.test: mail\n' | put $V/domainowners
printf '*.bad.test: very\n^evil\\d+: evil\n' | put $V/blacklist_domains; : | put $V/skip_av_domains; printf '192.0.2.7\n192.0.2.64/27: range\n' | put $V/bad_sender_hosts; printf '192.0.2.0/24: x\n192.0.2.0: y\n' | put $V/pophosts; printf '192.0.2.30: wl\n' | put $V/whitelist_hosts
printf 'ok@far.test\n*@good.test\n' | put $V/whitelist_senders; printf '*@spam.test: spam\n^.*offers@.*: offers\nx@bad.test:\n' | put $V/blacklist_senders; printf 'dis@a.test\n*@c.test: all\n' | put $V/blacklist_usernames
printf 'bs: $sender_host_address is on our list\\n\\\n  550 go away\n' | put $V/texts; printf 'jim@a.test: 4\n' | put $V/limits; printf "ann: $(crypted pw)\n" | put $V/sys; : | put $V/remotelocal; printf '192.0.2.1: out.me.test\n' | put $V/helo_data
for d in a b c me; do mkdir -p $E/$V/$d.test/reply $E/$V/$d.test/majordomo; for f in passwd aliases vacation.conf autoresponder.conf quota; do : | put $V/$d.test/$f; done; done
printf "jim:$(crypted pw):1:2\ndis:$(crypted pw)\nvac:x\nauto:x\nsmall:x\nboth:x\n" | put $V/a.test/passwd; printf "kim:$(crypted pw)\n" | put $V/b.test/passwd; printf "zed:$(crypted pw)\n" | put $V/c.test/passwd; printf 'postmaster:x\nann:y\n' | put $V/me.test/passwd; : | put $V/c.test/.suspended
printf 'vac:\njim: 1\n' | put $V/a.test/vacation.conf; printf 'auto: only\nboth: boss@far.test\n' | put $V/a.test/autoresponder.conf; for i in vac jim auto both; do printf "I am $i, \$sender_address, at \$tod_zulu x\n" | sed 's/at .tod.*x/not/' | put $V/a.test/reply/$i.msg; done; printf 'jim: 1h\n' | put $V/a.test/reply/jim.once_time; printf 'vac: 1h\n' | put $V/a.test/reply/vac.once_time
printf 'small: quota=600 x=y\n' | put $V/a.test/quota
printf 'info: jim,kim@b.test,x@far.test\njim: jim, kim@b.test\nown: own\nfl: :fail: no $local_part\ndf: :defer: wait\nbh: :blackhole:\npp: |"/bin/sh -c \\"echo out; exit 75\\""\npq: "|/bin/false"\nfile: /var/mail/afile\nspam: jim_spam\n*: vac+catch\n' | put $V/a.test/aliases; printf '*: :fail:\n' | put $V/b.test/aliases
printf 'list: :include:/etc/exim4/virtual/a.test/list.members\nlist-request: "|/bin/sh -c \\"cat;env|sort;exit 2\\""\nowner-list: jim\n' | put $V/a.test/majordomo/list.aliases; printf 'list-out: kim@b.test\n' | put $V/a.test/majordomo/private.aliases; printf 'jim@a.test, kim@b.test (Kim)\nx@far.test\n# y\n' | put $V/a.test/list.members
printf '#Exim filter\nif $h_subject: contains "f1" then deliver bob@far.test errors_to kim@b.test\nelif $h_subject: contains "f2" then save /var/mail/b-f2/\nelif $h_subject: contains "f3" then pipe "/bin/echo $message_size"\nelif $h_subject: contains "f4" then fail "no f4"\nelif $h_subject: contains "f5" then reply subject "$h_subject:" text "r"\nendif\n' | sed 's/reply subj/mail subj/' | put $V/b.test/filter; printf '# Exim filter\nfinish\n' | put $V/me.test/filter
openssl req -x509 -newkey rsa:2048 -nodes -keyout $E/key.pem -out $E/cert.pem -days 30 -subj /CN=me.test 2>/dev/null; openssl genrsa 1024 2>/dev/null > $E/$V/a.test/dkim.private.key; chown -R root:Debian-exim $E; chmod -R a+rX $E; mkdir -m 777 $S/v; chown mail /var/mail
x -bV 2>&1 | tail -1
x -bP smtp_accept_max_nonmail_hosts message_size_limit untrusted_set_sender percent_hack_domains transport_list 2>&1; x -bP authenticators 2>&1; x -bP acl_smtp_etrn 2>&1; x -bP 'router virtual_user' 2>&1 | grep -E 'set|trans|suff'; x -bP 'transport virtual_localdelivery' 2>&1 | grep -E 'dir|quota|user|mode'
bt ann jim@a.test JIM@A.test jim+x@a.test jim_spam@a.test own@a.test info@a.test fl@a.test df@a.test bh@a.test pp@a.test pq@a.test file@a.test spam@a.test any@a.test vac@a.test vac+catch@a.test auto@a.test both@a.test small@a.test list@a.test list-request@a.test list-out@a.test owner-list@a.test kim@b.test KIM+Y@b.test none@b.test zed@c.test x@far.test x@y.nomx.test blackhole@a.test bh-x@b.test postmaster 'x%b.test@hack.test' 'kim%b.test@hack.test' u@old1.test nobody@localhost
x -f bounce-1@a.test -bt x@far.test; x -f jim@never.test -bt both@a.test; x -f owner-x@far.test -bt vac@a.test
bv jim@a.test fl@a.test df@a.test none@b.test list@a.test vac@a.test own@a.test
for i in 'jim=a.test@rw.test' u@old1.test 'U@OLD2.test' ; do x -brw "$i"; done
for a in 192.0.2.5 192.0.2.7 192.0.2.70 192.0.2.12 192.0.2.13 192.0.2.30 127.0.0.1; do { echo 'EHLO nodot_x'; for s in s@far.test '' ok@far.test a@spam.test myoffers@far.test none@b.test fl@a.test 'jim=a.test@rw.test'; do echo "MAIL FROM:<$s> SIZE=16000"; echo "MAIL FROM:<$s>"; for r in jim@a.test none@b.test fl@a.test df@a.test zed@c.test x@far.test x@q.bad.test x@evil12 'kim%b.test@hack.test' ; do echo "RCPT TO:<$r>"; done; echo RSET; done; for i in 'VRFY jim@a.test' 'VRFY none@b.test' 'EXPN info@a.test' 'EXPN list@a.test' 'ETRN #x' NOOP NOOP NOOP NOOP NOOP FOO FOO FOO QUIT; do echo $i; done; } | bh $a; done
sed -i '/^acl_smtp_predata/d' $E/exim4.conf
host 2 rcpt:no@far.test='550 5.1.1 no such' show=1
daemon -odi
P=$(b64 '\0jim@a.test\0pw'); 
auths() { echo 'EHLO c.test'; echo "AUTH PLAIN $P"; }
say 192.0.2.1 192.0.2.1 <<Q
EHLO c.test
AUTH PLAIN $(b64 '\0jim@a.test\0no')
AUTH PLAIN $(b64 '\0none@a.test\0pw')
AUTH PLAIN $(b64 '\0jim@none.test\0pw')
AUTH PLAIN $(b64 '\0dis@a.test\0pw')
AUTH PLAIN $(b64 '\0zed@c.test\0pw')
AUTH PLAIN $P
Q
{ echo 'EHLO c.test'; echo 'AUTH LOGIN'; echo "AUTH PLAIN"; echo "$P"; mail jim@a.test 'x@far.test y@far.test' 'Subject: auth'; mail jim@a.test 'kim@b.test' 'Subject: auth2' 'X-Evil: 1' 'Sender: <boss@a.test>'; echo NOOP; mail x@never.test 'y@far.test z@far.test' 'Subject: over'; echo QUIT; } | say
{ echo 'EHLO c.test'; for i in f0 f1 f2; do mail s@far.test kim@b.test "Subject: $i"; done; echo QUIT; } | say 192.0.2.1 192.0.2.1; { echo 'EHLO c.test'; for i in f3 f4 f5 ; do mail s@far.test kim@b.test "Subject: $i"; done; echo QUIT; } | say 192.0.2.1 192.0.2.1
{ echo 'EHLO c.test'; for i in info fl bh pp; do mail s@far.test $i@a.test "Subject: $i"; done; mail s@far.test more@a.test; echo QUIT; } | say
{ echo 'EHLO c.test'; for i in pq file spam any; do mail s@far.test $i@a.test "Subject: $i"; done; echo QUIT; } | say
{ echo 'EHLO c.test'; for i in vac auto both; do mail s@far.test $i@a.test "Subject: $i $i"; done; mail owner-x@far.test vac@a.test "Subject: o"; echo QUIT; } | say
{ echo 'EHLO c.test'; mail x@never.test both@a.test "Subject: never"; mail s@far.test 'list@a.test list-out@a.test' "Subject: li"; mail s@far.test 'list-request@a.test owner-list@a.test' "Subject: lr";  mail s@far.test small@a.test 'Subject: s1'; echo QUIT; } | say
{ echo 'EHLO c.test'; for i in s2 s3 s4; do mail s@far.test small@a.test "Subject: $i"; done; mail '' 'small@a.test vac@a.test' "Subject: $i"; echo QUIT; } | say
{ echo 'EHLO c.test'; mail s@far.test 'a@a.test b@a.test c@a.test d@a.test e@a.test f@a.test g@a.test' "Subject: many"; mail s@far.test ann@me.test 'Subject: synt'; mail s@far.test "jim+Foo.Bar@a.test" 'Subject: mime' 'MIME-Version: 1.0' 'Content-Type: multipart/mixed; boundary=b' '' '--b' 'Content-Type: text/plain; name=a.txt' '' 'x' '--b' 'Content-Type: application/x; name="b.doc"' '' 'y' '--b--'; mail s@far.test jim@a.test 'Subject: exe' 'MIME-Version: 1.0' 'Content-Type: multipart/mixed; boundary=b' '' '--b' 'Content-Disposition: attachment; filename="b.EXE"' '' 'y' '--b--'; echo QUIT; } | say
{ echo 'EHLO c.test'; mail bounce-9@srs.test x@far.test 'Subject: srs'; mail bounce-9@a.test 'x@far.test no@far.test' 'Subject: b'; mail s@far.test jim@a.test "Subject: big" "X-B: $(head -c 22000 /dev/zero | tr '\0' b)"; echo FOO; echo FOO; echo FOO; } | say
{ echo 'HELO 1.2.3.4';echo QUIT; } | say 192.0.2.1 192.0.2.1; { echo 'EHLO c.test'; for i in 1 2 3 4 5 6 7 8 9; do echo NOOP; done; } | say 192.0.2.1 192.0.2.1; { echo 'EHLO c.test'; echo 'MAIL FROM:<s@far.test>'; echo 'RCPT TO:<jim@a.test>'; echo RSET;  echo 'MAIL FROM:<s@far.test>'; echo 'RCPT TO:<jim@a.test>'; echo DATA; echo 'To: x'; echo; echo x; echo .;  echo 'MAIL FROM:<s@far.test'; echo 'RCPT TO: jim@a.test'; echo 'DATA'; echo 'RCPT TO:<jim@a.test>'; echo QUIT; } | say 
for n in $(seq 100); do sleep 0.1; [ -z "$(pgrep -f "exim -Mc|exim -bd" | sed 1d)" ] && break; done; sleep 1; stop
after mail; heard 2 | sed 's/b=[A-Za-z0-9+\/= ]*$/b=S/;s/bh=[^;]*/bh=X/;s/t=[0-9]*;/t=T;/'; ls $S/v; cat $S/v/*.log
for a in 'ann ann@me.test' 'ann x@a.test' 'ann y@far.test' 'cat cat@me.test' 'bob discard@b.test'; do set -- $a; u=$(id -u $1); printf "To: x@far.test\nSubject: ${2%@*} $u\nX-Foo: <a@b>\n\nhi\n" | as $u $exim -i -odi -f $2 x@far.test jim@a.test 2>&1; printf "To: x@far.test, kim@b.test, ann@me.test, vac@a.test\nFrom: boss@me.test\n\nhi\n" | as $u $exim -ti -odi -F 'Big Boss' -f $2 2>&1; done
after scripts; heard 2 | sed 's/b=[A-Za-z0-9+\/= ]*$/b=S/;s/bh=[^;]*/bh=X/'; x -q; after q; x -qff; after qff; ls $S/v; exinext -v 2>/dev/null | head -3
