# Encrypted lists, Majordomo and Mailman 2 and 3 side by side, roles and aliases by patterns. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
new u1 <<'E'
# Schleuder / encrypted lists by regex domains, Majordomo with wrapper, keyed aliases, aliases by regex, RFC 2142
PREFIX = ^(.+)-(sendkey|owner|bounce|request)@
MJ_HOME = /etc/exim4/majordomo
SCHLEUDER_DOMS = lists.test
domainlist local_domains = me.test
domainlist schleuder = SCHLEUDER_DOMS
addresslist rfc2142 = ^(?i)(info|marketing|sales|support|abuse|noc|security|postmaster|hostmaster|usenet|news|webmaster|www|uucp|ftp)@
addresslist ownlists = ^(?i)[^@]+-(request|owner)@lists\\.test\$ : *@*.lists.test
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
headers_charset = UTF-8
message_id_header_domain = lists.${lc:$primary_hostname}
message_id_header_text = ${if match{$sender_address}{PREFIX}{$1}{none}}
acl_smtp_rcpt = r
acl_smtp_data = d
acl_not_smtp = ns
acl_not_smtp_start = nss
log_selector = +all_parents +received_recipients +sender_on_delivery +subject +deliver_time -pid +smtp_mailauth +unknown_in_list
begin acl
r:
 accept hosts = :
 accept recipients = +rfc2142
  domains = +local_domains : +schleuder
  logwrite = role $local_part_data/$domain_data/$recipient_data
 deny !recipients = +ownlists
  domains = +schleuder
  local_parts = !lsearch;MJ_HOME/schleuders
  message = no list $local_part here
 deny local_parts = ${if match{$local_part}{\N^(.*)-outgoing$\N}{$local_part}}
  !hosts = 127.0.0.1
  message = outgoing of $1 is not for you
 accept domains = +local_domains : +schleuder
  verify = recipient
 deny message = relay?
d:
 deny condition = ${if match_address{${address:$h_from:}}{+ownlists}{yes}{no}}
  condition = ${if !match_address{$sender_address}{+ownlists}}
  message = forged list: $h_from:
 warn condition = ${if match{$h_subject:}{\N^\s*(?i)(re|aw|antw|sv):\s*(.+)$\N}}
  add_header = X-Reply: $1 ${rfc2047:$2}
  remove_header = X-Old* : ^(?i)x-very-old-.*
 accept
nss:
 warn control = suppress_local_fixups
 accept logwrite = nss s=$sender_address i=$sender_ident l=$sender_host_address<
ns:
 accept add_header = X-By: $sender_ident r=$recipients n=$recipients_count f=$h_from:
begin routers
schleuder:
 debug_print = "R: schleuder for $local_part@$domain"
 driver = accept
 domains = +schleuder
 local_part_suffix_optional
 local_part_suffix = -bounce : -sendkey : -owner : -request
 local_parts = lsearch;MJ_HOME/schleuders
 transport = schleuder
 headers_add = X-Schleuder: $local_part_data$local_part_suffix
 errors_to = ${if eq{$local_part_suffix}{-bounce}{}{$local_part-bounce@$domain}}
majordomo_aliases:
 driver = redirect
 data = ${lookup{$local_part}lsearch{MJ_HOME/aliases}}
 domains = +local_domains
 file_transport = address_file
 pipe_transport = mj_pipe
 allow_fail
 user = mail
 group = mail
 require_files = MJ_HOME/aliases
resend:
 driver = redirect
 domains = +local_domains
 local_part_suffix = -outgoing
 file = MJ_HOME/lists/$local_part_data
 local_parts = dsearch,filter=file;MJ_HOME/lists
 forbid_pipe
 forbid_file
 errors_to = $local_part-owner@$domain
 one_time
 no_more
 headers_remove = errors-to : return-receipt-to : precedence
 headers_add = "Precedence: bulk\nSender: $local_part-owner@$domain"
regexal:
 driver = redirect
 domains = +local_domains : +schleuder
 condition = ${lookup{$local_part@$domain}nwildlsearch{/etc/exim4/regexal}{true}{false}}
 data = ${lookup{$local_part@$domain}nwildlsearch{/etc/exim4/regexal}}
 set = r_hit = $local_part@$domain
 repeat_use = false
roles:
 driver = redirect
 condition = ${if match_address{$local_part@$domain}{+rfc2142}}
 data = ann
 redirect_router = user
user:
 driver = accept
 domains = +local_domains
 check_local_user
 transport = l
 headers_add = ${if def:r_hit{X-Hit: $r_hit}}
begin transports
schleuder:
 driver = pipe
 command = /bin/sh -c "echo args \$0 \$1 \$2; cat >/dev/null; case \$1 in bad*) exit 65;; esac" work ${local_part} ${quote:$local_part_suffix}
 user = mail
 home_directory = /
 current_directory = /
 return_fail_output
 log_output
 message_prefix =
 message_suffix =
mj_pipe:
 driver = pipe
 user = mail
 path = /bin:/usr/bin:/etc/exim4
 environment = HOME=MJ_HOME : W_HOME=MJ_HOME : LIST=$local_part
 allow_commands = /bin/cat : /bin/sh : /etc/exim4/wrapper
 restrict_to_path = false
 return_output
 umask = 077
address_file:
 driver = appendfile
 user = mail
l:
 driver = appendfile
 file = /var/mail/$local_part_data
E
printf 'secret: a\nbad: x\nteam-x: y\n' | put majordomo/schleuders
printf 'majordomo: "|wrapper majordomo"\nowner-majordomo: ann,\ndogs: "|wrapper resend -l dogs -h me.test dogs-outgoing"\ndogs-request: "|wrapper majordomo -l dogs"\ndogs-owner: bob\nowner-dogs: dogs-owner\narch: /var/mail/dogs.archive\nnull: /dev/null\nbadcmd: "|nosuch x"\n' | put majordomo/aliases
printf 'ann\nbob@me.test\n# comment\ncat (comment) \n"x y"@far.test\n' | put majordomo/lists/dogs; : | put majordomo/lists/none
printf '#!/bin/sh\necho wrapper "$@" LIST=$LIST W=$W_HOME; exit 0\n' | put wrapper; chmod 755 $E/wrapper
printf '^(?i)(ann|bob)\\.smith@me\\.test$: $1\n*.sales@me.test: cat\n^x(\\d+)@lists\\.test: ann+$1@me.test, bob\nann.s@me.test ann\n' | put regexal
ADDRS="secret@lists.test bad@lists.test secret-bounce@lists.test secret-request@lists.test team-x-owner@lists.test nolist@lists.test majordomo@me.test dogs@me.test dogs-outgoing@me.test none-outgoing@me.test dogs-request@me.test owner-dogs@me.test arch@me.test null@me.test badcmd@me.test Ann.Smith@me.test joe.sales@me.test x12@lists.test ann.s@me.test abuse@lists.test SALES@me.test postmaster"
SENDERS="s@far.test - dogs-owner@lists.test bad@spam.test"; HEADER='X-Old: x'; SUBJECT='Re:  =?utf-8?q?caf=C3=A9?= (x)'
BE='${if match_address{abuse@x.test}{+rfc2142}{$value}{no}}
${if match_address{x-request@LISTS.test}{+ownlists}{y}{no}}
${lookup{bob.smith@me.test}nwildlsearch{/etc/exim4/regexal}{$value $1}}'
NAMES='+rfc2142 +schleuder acl'
battery

new u2 <<'E'
# Mailman 3 LMTP with its own dsearch of lists, postorius; Mailman 2 beside; hubbed by json-less data; smtp with authenticated_sender
MM3_HOME=/etc/exim4/mm3
MM3_LMTP_PORT=8024
MM3_LISTCHK=MM3_HOME/lists/${local_part}.${domain}
domainlist mm3_domains = lists.test : *.lists.test
domainlist local_domains = @ : localhost
domainlist relay_to_domains = +mm3_domains
hostlist relay_from_hosts = <; 127.0.0.1 ; ::1 ; 192.0.2.20
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
acl_smtp_rcpt = r
acl_smtp_predata = p
acl_smtp_data = d
begin acl
r:
 accept domains = +mm3_domains
  local_parts = ^.*\N-(bounces\+.*|confirm\+.*)\N\$
  logwrite = mm $local_part
  verify = recipient
 accept domains = +mm3_domains : +local_domains
  endpass
  message = no such list or user: $local_part ($acl_verify_message)
  verify = recipient
 accept hosts = +relay_from_hosts
  condition = ${if eqi{$sender_address_domain}{me.test}}
  control = submission/domain=me.test/name=${lookup{$sender_address_local_part}lsearch{/etc/exim4/names}}
 deny
p:
 deny condition = ${if and{{eq{$sender_address}{}}{>{$recipients_count}{1}}}}
  message = bounces have one recipient, not $recipients_count
 accept
d:
 accept condition = ${if eq{$message_headers_raw}{}{no}{yes}}
  set acl_m_list = ${listextract{2}{$recipients}}
  add_header = :after_received:X-Rs: $recipients_count
begin routers
mailman3_router:
 driver = accept
 domains = +mm3_domains
 condition = ${if exists{/etc/exim4/mm3/lists/${sg{$local_part}{/}{}}.${domain}}}
 local_part_suffix_optional
 local_part_suffix = -admin : -bounces : -bounces+* : -confirm : -confirm+* : -join : -leave : -owner : -request : -subscribe : -unsubscribe
 transport = mailman3_transport
mailman2:
 driver = accept
 domains = +local_domains
 require_files = /etc/exim4/mm2/lists/${lc::$local_part}/config.pck
 local_part_suffix_optional
 local_part_suffix = -admin : -bounces : -bounces+*
 transport = mailman2
far:
 driver = manualroute
 domains = !+local_domains : !+mm3_domains
 route_list = * 192.0.2.2
 transport = s
 address_data = ${lookup{$sender_address}lsearch{/etc/exim4/names}{$value}{}}
local:
 driver = accept
 domains = +local_domains
 check_local_user
 local_part_suffix = +*
 local_part_suffix_optional
 transport = l
begin transports
mailman3_transport:
 driver = smtp
 protocol = lmtp
 allow_localhost
 hosts = 192.0.2.3
 port = MM3_LMTP_PORT
 rcpt_include_affixes = true
 hosts_try_fastopen =
mailman2:
 driver = pipe
 command = /bin/echo mailman '${if def:local_part_suffix {${sg{$local_part_suffix}{-(\\w+)(\\+.*)?}{\$1}}} {post}}' $local_part
 user = mail
 log_output
l:
 driver = appendfile
 file = /var/mail/$local_part_data
s:
 driver = smtp
 hosts_try_fastopen =
 max_rcpt = 1
 return_path = ${if eq{$sender_address_domain}{me.test}{${lc:$sender_address_local_part}+${sg{$local_part@$domain}{@}{=}}@me.test}fail}
 headers_rewrite = *@me.test $1@masq.test f
 authenticated_sender = $sender_address
 authenticated_sender_force
E
sed -i 's/{lc::/{lc:/' $E/exim4.conf
printf 'ann: Ann of "Me" <x>\nbob: Bob\nann@me.test: adata\n' | put names; : | put mm3/lists/dev.lists.test; : | put mm3/lists/users.a.lists.test; : | put mm2/lists/old/config.pck
host 2 ehlo='250-h\n250-AUTH PLAIN\n250 SIZE' show=1; host 3 port=8024 rcpt:dev-owner@lists.test='550 no owner' end:x@y='250 x' 
ADDRS="dev@lists.test dev-bounces+ann=me.test@lists.test dev-confirm+abc@lists.test dev-owner@lists.test DEV@lists.test users-join@a.lists.test nolist@lists.test old@me.test old-bounces+x@me.test Old-admin@me.test ann+x@me.test nobody@me.test x@far.test ../x@lists.test"
SENDERS="s@far.test - ann@me.test bob@me.test"; SENDER=ann@me.test; NAMES='macros +relay_to_domains'
battery; gone 2; gone 3
