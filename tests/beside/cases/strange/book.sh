# What the specification has as examples, in one site. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOK=1
head_ <<'E' | new u10a
# chapters 9 to 11, 15 to 23: lookups, lists, expansions and routers as written there
domainlist local_domains = localhost : my.dom.example
domainlist relay_to_domains = *.relay.example : !secret.relay.example : @mx_any/ignore=127.0.0.1
domainlist all_mail = <, a.example, b.example ,, c.example
addresslist dontreply = !root@*:^postmaster@:/etc/exim4/no_reply
hostlist  relay_hosts = 192.0.2.16/28 : !192.0.2.20 : 127.0.0.1
domainlist  dom2 = !a.b.c : *.b.c : *
domainlist virt = partial-lsearch;/etc/exim4/virt : partial0-lsearch;/etc/exim4/virt0 : partial2(*.)lsearch;/etc/exim4/virt2
localpartlist names = lsearch;/etc/exim4/locals : \N^\d{3}\N : !root
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_mail = acl_check_mail
acl_smtp_data = ${if eq{$acl_m_x}{}{acl_check_data}{accept}}
acl_smtp_vrfy = acl_check_rcpt
begin acl
acl_check_mail:
 deny condition = ${if and {{match{$sender_address}{\N^(?i)x@\N}}{!eq{$sender_host_address}{127.0.0.1}}}}
 accept
acl_check_rcpt:
 accept hosts = :
 deny message = Restricted characters in address
  domains = +local_domains
  local_parts = ^[.] : ^.*[@%!/|]
 deny message = Restricted characters in address
  domains = !+local_domains
  local_parts = ^[./|] : ^.*[@%!] : ^.*/\\.\\./
 accept local_parts = postmaster
  domains = +local_domains
 require verify = sender
 accept hosts = +relay_hosts
  control = submission/sender_retain
 accept authenticated = *
  control = submission
 require message = relay not permitted
  domains = +local_domains : +relay_to_domains : +virt
 require verify = recipient
 warn !condition = ${if match_domain{$domain}{+virt}{yes}{no}}
  domains = +dom2
  log_message = dom2 $domain_data
  set acl_m_x = ${if match_local_part{$local_part}{+names}{$value}{}}
 accept
acl_check_data:
 warn log_message = lookups ${lookup{$sender_address}wildlsearch{/etc/exim4/wild}{$value}{-}} ${lookup{$sender_address}nwildlsearch{/etc/exim4/wild}{$value}{-}} ${lookup{x.y.a.example}partial-lsearch{/etc/exim4/virt}{$value}{-}} ${lookup{1234}lsearch*{/etc/exim4/locals}{$value}{-}}
 accept
begin routers
system_aliases:
 driver = redirect
 allow_fail
 allow_defer
 domains = +local_domains
 data = ${lookup{$local_part}lsearch{/etc/exim4/aliases}}
 file_transport = address_file
 pipe_transport = address_pipe
virtual:
 driver = redirect
 domains = +virt
 data = ${lookup{$local_part}lsearch*{${lookup{$domain}partial-lsearch,ret=key{/etc/exim4/virt}{/etc/exim4/v.1}{/etc/exim4/v.0}}}}
 retry_use_local_part
 no_more
hubbed:
 driver = manualroute
 route_list = *.relay.example ${lookup{$domain}partial-lsearch{/etc/exim4/hubs}{$value byname}fail} ; "b.example" "h1.example:h2.example" ; ^ab\\d\\d\\.example thost.$0 byname ; d.example <+ 192.0.2.11 + 192.0.2.12
 transport = remote_smtp
 host_find_failed = pass
userforward:
 driver = redirect
 check_local_user
 local_part_suffix = +* : -*
 local_part_suffix_optional
 file = $home/.forward
 no_verify
 no_expn
 check_ancestor
 allow_filter
 file_transport = address_file
 pipe_transport = address_pipe
 reply_transport = address_reply
 condition = ${if exists{$home/.forward} {yes} {no} }
localuser:
 driver = accept
 domains = +local_domains
 check_local_user
 local_part_suffix = +* : -*
 local_part_suffix_optional
 transport = local_delivery
 cannot_route_message = Unknown user
real:
 driver = accept
 domains = +local_domains
 local_part_prefix = real- : *-real-
 check_local_user
 transport = local_delivery
seen_by:
 driver = accept
 domains = a.example
 condition = ${if !eq {$received_protocol}{scanned}}
 unseen
 no_verify
 transport = copy
 errors_to =
mua:
 driver = redirect
 domains = a.example
 data = ${if first_delivery{:blackhole:}{:defer: later}}
 allow_defer
 condition = ${if >{$message_age}{-1}}
 ignore_target_hosts = 127.0.0.0/8
begin transports
remote_smtp:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 1s
local_delivery:
 driver = appendfile
 file = /var/mail/$local_part_data
 delivery_date_add
 envelope_to_add
 return_path_add
 group = mail
 mode = 0660
copy:
 driver = appendfile
 file = /var/mail/copies
 batch_max = 10
 use_bsmtp
 message_prefix = "HELO x\n"
 user = mail
address_pipe:
 driver = pipe
 user = mail
 return_output
 ignore_status
 temp_errors = 75:77
 environment = "A=${local_part}:B=$sender_address"
address_file:
 driver = appendfile
 user = mail
 delivery_date_add
address_reply:
 driver = autoreply
begin retry
*.relay.example * F,24h,30m;
*   *  F,2h,15m; G,16h,1h,1.5; F,4d,6h
begin rewrite
*@*.my.dom.example $1@my.dom.example frsFTcb
E
printf 'ann: data ann\n1234: num\n*: star\n' > $E/locals
printf 'sales: ann@my.dom.example, bob, "|/bin/cat", /var/mail/sales\nfailing: :fail: gone away\n  continued\nlatr: :defer:wait\ninc: :include:/etc/exim4/inc\nself: self, ann\nenv: |/usr/bin/env\nexit: "|/bin/sh -c \\"exit 75\\""\nexit3: |/bin/false\n' > $E/aliases
printf 'ann\n# c\nbob@my.dom.example\n' > $E/inc
printf 'a.example: one\n*.a.example: two\n*: no\n' > $E/virt; printf '.b.virt0.example: x\nvirt0.example\n' > $E/virt0; printf '*.c.d.example\n' > $E/virt2
printf 'u: ann@my.dom.example\n*: all@d.example\n' > $E/v.1; cp $E/v.1 $E/v.0
printf 'x.relay.example: 192.0.2.11\n*.relay.example: 192.0.2.12\n' > $E/hubs; printf 'postmaster@far.test\n' > $E/no_reply
printf '*.far.test: one\n^s.@: rx\ns@far.test: exact\n*@far.test: two\n' > $E/wild
host 11 show=1
ADDRS='sales@my.dom.example failing@localhost latr@localhost inc@localhost self@localhost env@localhost exit@localhost exit3@localhost ann@localhost ann+x@my.dom.example real-ann@localhost x-real-bob@localhost nobody2@localhost a/b@localhost a/../b@far.test .x@localhost u@a.example v@x.a.example u@virt0.example u@z.b.virt0.example u@q.c.d.example u@x.relay.example u@y.relay.example u@secret.relay.example u@b.example u@ab12.example u@d.example u@e.example 123@localhost ann@sub.my.dom.example'
SENDERS='s@far.test - x@far.test ann@my.dom.example sx@far.test'; CLIENTS='192.0.2.5 192.0.2.20 192.0.2.21'
BE='${if match_domain{x.b.c}{+dom2}{y}{n}} ${if match_domain{a.b.c}{+dom2}{y}{n}} ${if match_address{root@x}{+dontreply}{y}{n}} ${if match_address{postmaster@q}{+dontreply}{y}{n}} ${if match_domain{b.example}{+all_mail}{y}{n}}
${lookup{x.a.example}partial-lsearch{/etc/exim4/virt}} ${lookup{q.c.d.example}partial2(*.)lsearch{/etc/exim4/virt2}{y}{n}} ${lookup{sx@far.test}wildlsearch{/etc/exim4/wild}}
${extract{3}{:}{a:b:c:d}} ${extract{Z}{A=1 Z="b c"}} ${listextract{-1}{a:b:c}} ${map{a:b}{<$item>}} ${reduce {1:2:3}{0}{${eval:$item+$value}}} ${filter{a:b:c}{!eq{$item}{b}}} ${sort{3:1:2}{<}{$item}} ${tr{abc}{ab}{x}} ${sg{abcabc}{a(b)}{$1}} ${substr{1}{2}{abcdef}} ${nhash{10}{20}{x}} ${base62:700} ${hash{3}{abcdef}} ${time_eval:2w1d} ${time_interval:100000} ${mask:192.0.2.130/25} ${rfc2047:ä b} ${quote:a"b} ${rxquote:a.b} ${eval10:010+1} ${eval:0x1f|3} ${str2b64:x} ${xtextd:a+2Bb} ${utf8clean:\xff} ${local_part:"a b"@c} ${addresses:a@b, c@d} ${listnamed:relay_hosts} ${listcount:a:b:c} ${escape8bit:ä} ${ipv6denorm:::1} ${ipv6norm:0:0::1} ${reverse_ip:192.0.2.1} ${certextract{x}{}}
${if inlist{b}{a:b:c}{y}{n}} ${if forany{a:b}{eq{$item}{b}}{y}{n}} ${if isip{::1}{y}{n}} ${if inlisti{B}{a:b}{$value}{n}} ${if pam{a:b}{y}{n}} ${if bool{2}{y}{n}} ${if def:sender_ident{y}{n}} ${if lti{A}{b}{y}{n}} ${if queue_running{y}{n}} ${if crypteq{x}{\{md5\}zzz}{y}{n}} ${if ldapauth{x}{y}{n}}'
battery; gone 11
