# Scores in ACLs, a mailman gateway and lists with VERP, and a smarthost with passwords by sender. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
new a1 <<'E'
# 1: acl_m scoring with dnslists and macros, included trees
.include_if_exists /etc/exim4/local.macros
.ifndef MAXSCORE
MAXSCORE = 50
.endif
.ifdef _HAVE_TLS
tls_advertise_hosts = *
.else
tls_advertise_hosts =
.endif
MAILDOM=me.test
MAILDOM==me.test
domainlist local_domains = @ : MAILDOM : @[]
domainlist relay_to_domains = partial-lsearch;/etc/exim4/relay
hostlist relay_from_hosts = <; 127.0.0.1 ; ::1 ; 192.0.2.16/28
addresslist wl = lsearch*@;/etc/exim4/wl : ^.*@.*\\.friend\\.test\$
acl_smtp_connect = acl_connect
acl_smtp_helo = acl_helo
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt
acl_smtp_predata = acl_predata
acl_smtp_data = acl_data
acl_smtp_vrfy = acl_vrfy
acl_smtp_expn = ${if eq{$sender_host_address}{127.0.0.1}{acl_vrfy}{deny}}
acl_smtp_etrn = deny message = no etrn for $domain
acl_smtp_quit = acl_quit
acl_smtp_notquit = acl_notquit
host_lookup =
qualify_domain = MAILDOM
log_selector = +all -pid -received_recipients -delivery_size
never_users = root
begin acl
acl_connect:
 accept set acl_c_s = 0
  set acl_c0 = ${if match_ip{$sender_host_address}{<; 192.0.2.0/29 ; 192.0.2.5}{low}{high}}
acl_helo:
 warn condition = ${if or{{!match{$sender_helo_name}{\\.}}{match{$sender_helo_name}{^\\[}}}}
  set acl_c_s = ${eval:$acl_c_s + 10}
  log_message = strange HELO $sender_helo_name
 accept
acl_mail:
 warn set acl_m_s = $acl_c_s
 warn senders = *@spam.test
  set acl_m_s = ${eval:$acl_m_s+40}
 warn !senders = +wl
  sender_domains = ! +local_domains
  set acl_m_s = ${eval:$acl_m_s+5}
 accept
acl_rcpt:
 accept hosts = :
 deny message = only one recipient at a time for bounces
  senders = :
  condition = ${if >{$rcpt_count}{1}}
 warn !domains = +local_domains : +relay_to_domains
  set acl_m_s = ${eval:$acl_m_s*2}
 accept hosts = +relay_from_hosts
  control = submission/domain=MAILDOM/name=${tr{$sender_host_address}{.:}{__}}
 deny message = score is $acl_m_s, more than MAXSCORE
  condition = ${if >{$acl_m_s}{MAXSCORE}}
 require message = relay not permitted for $local_part@$domain
  domains = +local_domains : +relay_to_domains
 require verify = recipient
 accept
acl_predata:
 accept condition = ${if <{$rcpt_defer_count}{3}}
 defer
acl_data:
 warn add_header = X-Score: $acl_m_s (${if forany{a:b:c}{eq{$item}{b}}{any}{none}})
  condition = ${if >{$acl_m_s}{0}}
 deny !condition = ${if def:h_Subject:}
  message = a subject is wanted
 accept
acl_vrfy:
 accept
acl_quit:
 warn logwrite = bye $sender_host_address after $acl_c_s
acl_notquit:
 warn logwrite = gone $smtp_notquit_reason
begin routers
r1:
 driver = redirect
 domains = +local_domains
 data = ${lookup{$local_part}lsearch*{/etc/exim4/aliases}{$value}}
 allow_fail
 allow_defer
 pipe_transport = p
 file_transport = f
 address_data = via-alias
relay:
 driver = manualroute
 domains = ! +local_domains
 route_list = *.far.test 192.0.2.9 byname ; far.test 192.0.2.9 ; * 192.0.2.9:192.0.2.8
 transport = out
lu:
 driver = accept
 check_local_user
 domains = +local_domains
 local_part_suffix = +* : -*
 local_part_suffix_optional
 transport = l
 headers_add = X-Suffix: $local_part_suffix_v\nX-Data: ${local_part_data}
 headers_remove = X-A : Subject*
begin transports
out:
 driver = smtp
 hosts_try_fastopen =
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 envelope_to_add
f:
 driver = appendfile
 user = mail
p:
 driver = pipe
 user = mail
 return_fail_output
begin retry
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h
begin rewrite
*@old.test ${local_part}@me.test FfrsT
\N^(.*)_at_(.*)@me\.test$\N "$1@$2" Eq
E
printf 'bob: ann, ann@far.test\nfail: :fail: gone away\ndefer: :defer: later\nbh: :blackhole:\np: "|/bin/cat >/dev/null"\nf: /var/mail/file\n*: :unknown:\n' | put aliases
printf '*.rel.test: yes\nrel2.test: x\n' | put relay; printf 's@far.test: y\n*@x.test: n\n' | put wl
ADDRS="bob@me.test ann+x@me.test x_at_me.test@me.test u@a.rel.test fail@me.test defer@me.test bh@me.test p@me.test f@me.test ann-y cat@old.test u@far.test u@[192.0.2.1] q"
BE='${if match_domain{a.rel.test}{+relay_to_domains}{$domain_data ok}}
${lookup{x}lsearch*{/etc/exim4/aliases}}
MAXSCORE MAILDOM
${acl{acl_helo}}'
NAMES="+local_domains domainlist hostlist +relay_from_hosts addresslist macro acl_smtp_rcpt log_selector"
host 9 rcpt:u@far.test='550 no'; SHOW=
battery; gone 9

new a2 <<'E'
# 2: mailman gateway with local part suffixes and VERP lists
domainlist lists = lists.test : dsearch,ret=key;/etc/exim4/lists
domainlist local_domains = me.test
qualify_domain = me.test
MM_WRAP = /etc/exim4/mm
acl_smtp_rcpt = r
acl_smtp_data = d
acl_smtp_mime = mime
host_lookup =
tls_advertise_hosts =
local_from_check = false
local_sender_retain
untrusted_set_sender = *
return_path_remove = false
recipients_max = 8
recipients_max_reject = true
begin acl
r:
 accept domains = +lists
  local_parts = ${if exists{/etc/exim4/lists/$domain_data}{lsearch,ret=key;/etc/exim4/lists/$domain_data/names}}
 accept domains = +lists
  endpass
  verify = recipient
 accept hosts = 127.0.0.1
 accept domains = +local_domains
 deny message = ${if eq{$sender_address}{}{bounces}{$sender_address} } may not go to ${quote:$local_part}@$domain
mime:
 deny message = $mime_filename not wanted ($mime_content_type, ${extract{2}{.}{$mime_filename}})
  condition = ${if match{${lc:$mime_filename}}{\N\.(exe|scr|bat)$\N}}
 warn decode = default
  logwrite = part $mime_part_count $mime_content_type $mime_charset $mime_content_transfer_encoding $mime_boundary $mime_is_multipart $mime_is_rfc822
 accept
d:
 deny message = no list mail to lists
  condition = ${if and{{def:h_List-Id:}{forany{<, $recipients}{match_domain{${domain:$item}}{+lists}}}}}
 accept
begin routers
mailman:
 driver = accept
 domains = +lists
 local_parts = lsearch,ret=full;/etc/exim4/lists/lists.test/names
 local_part_suffix = -admin : -bounces : -bounces+* : -confirm+* : -join : -leave : -owner : -request
 local_part_suffix_optional
 transport = mm
verp_in:
 driver = redirect
 domains = +lists
 local_part_prefix = bounce-*
 data = ${if match{$local_part_prefix_v$local_part}{\N^(.*)=(.*)$\N}{bob@me.test, ${1}@${2}}fail}
explode:
 driver = redirect
 domains = +lists
 file = /etc/exim4/lists/${lookup{$domain}dsearch{/etc/exim4/lists}}/${lookup{$local_part}dsearch{/etc/exim4/lists/$domain_data}}
 forbid_pipe
 forbid_file
 one_time
 skip_syntax_errors
 syntax_errors_to = owner@me.test
 syntax_errors_text = "There are errors in\nthe list $local_part"
 errors_to = ${quote_local_part:$local_part-errors}@$domain
 repeat_use = false
verp:
 driver = manualroute
 domains = !+local_domains : !+lists
 senders = ^.*-errors@
 errors_to = ${local_part:$sender_address}+${local_part}=${domain}@me.test
 route_data = 192.0.2.9
 transport = smtp1
out:
 driver = manualroute
 domains = !+local_domains : !+lists
 route_list = * 192.0.2.9
 transport = smtp
own:
 driver = redirect
 local_parts = owner : ^.*-errors
 domains = +local_domains : +lists
 data = cat@me.test
lu:
 driver = accept
 domains = +local_domains
 check_local_user
 transport = l
begin transports
smtp1:
 driver = smtp
 max_rcpt = 1
 return_path = ${local_part:$return_path}@verp.test
 hosts_try_fastopen =
smtp:
 driver = smtp
 hosts_try_fastopen =
mm:
 driver = pipe
 command = MM_WRAP ${if def:local_part_suffix {${sg{$local_part_suffix}{-(\\w+)(\\+.*)?}{\$1}}}{post}} $local_part_data
 current_directory = /
 home_directory = /
 user = mail
 group = mail
 return_path_add
 temp_errors = *
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 return_path_add
 message_prefix = "From ${if def:return_path{$return_path}{MAILER-DAEMON}} x\n"
E
mkdir -p /etc/exim4/lists/lists.test /etc/exim4/lists/l2.test
printf 'announce: a\ndev: d\n"it s": x\n' | put lists/lists.test/names; printf 'one@far.test, two@far.test\n# comment\nbad address here\nann (Ann), "B" <bob@me.test>\n|/bin/false\n:include:/etc/exim4/more\n' | put lists/l2.test/all
printf 'cat@me.test\n' | put more; printf '#!/bin/sh\n{ echo "$@"; cat; } >> /var/mail/mm.$1\n' | put mm; chmod 755 $E/mm; 
ADDRS="announce@lists.test dev-bounces+ann=far.test@lists.test dev-request@lists.test all@l2.test bounce-x=far.test@lists.test bounce-x@lists.test announce-foo@lists.test dev-owner@l2.test all-errors@l2.test z@l3.test ann x@far.test"
BE='${lookup{l2.test}dsearch,ret=full{/etc/exim4/lists}}
${lookup{.}dsearch,filter=subdir{/etc/exim4/lists}}'
NAMES="+lists recipients_max_reject router=1 transport"; host 9
HEADER='Content-Type: text/plain; name="a.b.exe"'
battery; gone 9; HEADER=

new a3 <<'E'
# 3: smarthost with auth by sender, several ports, fallback, TLS wanted by some
domainlist local_domains = @
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
CF = /etc/exim4/creds
acl_smtp_rcpt = accept
begin routers
bysender:
 driver = manualroute
 domains = ! +local_domains
 condition = ${lookup{$sender_address}lsearch*@{CF}{yes}{no}}
 address_data = ${lookup{$sender_address}lsearch*@{CF}}
 set = r_user = ${extract{user}{$address_data}}
 set = r_pass = ${extract{pass}{$address_data}}
 route_list = * ${extract{host}{$address_data}{$value}{192.0.2.9}}::${extract{port}{$address_data}{$value}{587}}
 transport = ${extract{transport}{$address_data}{$value}{auth_smtp}}
 self = send
 fallback_hosts = 192.0.2.8
default:
 driver = manualroute
 domains = ! +local_domains
 transport = plain_smtp
 route_list = *.a.test 192.0.2.9:192.0.2.8 no_randomize ; \
   x.test  "192.0.2.9::26:+:192.0.2.8" ; * "<+ 192.0.2.9+192.0.2.8"
loc:
 driver = accept
 local_parts = ann : ^b[ou]b\$ : cdb;/etc/exim4/no.cdb
 transport = l
 user = mail
loc2:
 driver = accept
 local_parts = ! ann : cat
 transport = l
 user = mail
begin transports
auth_smtp:
 driver = smtp
 port = 25
 hosts_require_auth = ${if def:r_user{*}}
 hosts_try_auth = *
 hosts_avoid_tls = *
 authenticated_sender = ${if eq{$r_user}{}{}{$r_user@m.test}}
 helo_data = ${lc:$primary_hostname}.x
 hosts_try_fastopen =
 command_timeout = 3s
plain_smtp:
 driver = smtp
 hosts_try_fastopen =
 hosts_avoid_esmtp = 192.0.2.8
 dns_qualify_single = false
 multi_domain = false
l:
 driver = appendfile
 file = /var/mail/${bless:$local_part}
.ifdef _EXP_ITEM_BLESS
.endif
begin authenticators
c:
 driver = cram_md5
 public_name = CRAM-MD5
 client_name = $r_user
 client_secret = $r_pass
 client_condition = ${if eq{$r_user}{cram}}
p:
 driver = plaintext
 public_name = PLAIN
 client_send = ${if def:r_user{^$r_user^$r_pass}fail}
l:
 driver = plaintext
 public_name = LOGIN
 client_send = "<; ; ${r_user} ; ${r_pass}"
 client_ignore_invalid_base64
E
sed -i 's/\${bless:$local_part}/one/' $E/exim4.conf
printf 'ann@me.test: user=cram pass="se cret" host=192.0.2.9\nbob@me.test: user=plain pass=pw^^x host="192.0.2.9:192.0.2.8" port=26\n*@far.test: user=login pass=x port=25\ncat@*: transport=plain_smtp\n*: user= port=25\n' | put creds
ADDRS="u@a.a.test u@x.test u@y.test ann bob cat dan root@me.test"
BE='${lookup{ann@me.test}lsearch*@{/etc/exim4/creds}}
${extract{pass}{${lookup{bob@me.test}lsearch*@{CF}}}}'
SENDERS="s@far.test ann@me.test cat@me.test -"; NAMES='retry rewrite'
host 9 "ehlo=250-nine\n250-AUTH CRAM-MD5 PLAIN LOGIN\n250 HELP"; host 8
battery; for s in ann@me.test bob@me.test x@far.test cat@me.test ''; do send "$s" u@a.a.test u@x.test bob; done; after sends; gone 9; gone 8
