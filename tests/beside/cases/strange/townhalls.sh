# A town hall: lists with moderators and returns by recipient, relays by sender, archives, answers, header gateways. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
head_ <<'E' | tail_ | new k1
# lists: moderators in files, per-list filters, VERP by the transport, posts that wait for approval
LISTS = /etc/exim4/lists
domainlist ours = me.test
addresslist mods = lsearch*@;LISTS/mods
acl_smtp_rcpt = r
acl_not_smtp = n
acl_smtp_data = d
log_selector = +received_recipients +sender_on_delivery +return_path_on_delivery +subject -retry_defer
return_path_remove
remote_sort_domains = far.test : *.test
never_users = root
local_from_check = false
untrusted_set_sender = *
begin acl
r:
 accept domains = +ours
  local_parts = dsearch;LISTS/members
  set acl_m_list = $local_part_data
  set acl_m_kind = ${lookup{$local_part_data}lsearch{LISTS/kinds}{$value}{open}}
  set acl_m_mod = ${if match_address{$sender_address}{+mods}{yes}}
  logwrite = :main,reject: post to $acl_m_list ($acl_m_kind) by ${if def:acl_m_mod{moderator}{other}}
 accept local_parts = ^bounce-([^=]+)=([^=]+)=(.+)\$
  senders = :
  set acl_m_verp = $1|$2|$3
 require verify = recipient
 accept
n:
 accept
d:
 accept condition = ${if eq{$acl_m_kind}{moderated}}
  !condition = ${if def:acl_m_mod}
  add_header = :at_start:X-Held: $acl_m_list
  control = freeze/no_tell
 warn condition = ${if >{${listcount:$recipients}}{1}}
  add_header = :after_received:X-Many: $recipients_count of $recipients
 accept
begin routers
bounced:
 driver = accept
 transport = pi
 domains = +ours
 local_parts = ^bounce-
 condition = ${if match{$local_part}{^bounce-([^=]+)=([^=]+)=(.+)\$}}
 set = r_who = ${sg{$local_part}{\N^bounce-[^=]+=([^=]+)=(.+)$\N}{\$1@\$2}}
 set = r_list = ${extract{1}{-=}{$local_part}}
 address_data = $r_list/$r_who
closed:
 driver = redirect
 domains = +ours
 local_parts = lsearch;LISTS/kinds
 condition = ${if eq{$local_part_data}{closed}}
 senders = ! lsearch;${lookup{$local_part}dsearch,ret=full{LISTS/members}}
 allow_fail
 data = :fail: 550 5.7.1 <$local_part> is closed to $sender_address
filt:
 driver = redirect
 domains = +ours
 local_parts = dsearch;LISTS/members
 require_files = mail:LISTS/filter/$local_part_data
 file = LISTS/filter/$local_part_data
 allow_filter
 forbid_filter_run
 forbid_filter_reply
 user = mail
 no_repeat_use
 modemask = 002
 owners = root
 no_verify
 no_expn
list:
 driver = redirect
 domains = +ours
 local_parts = dsearch;LISTS/members
 local_part_suffix = -request : -owner
 local_part_suffix_optional
 file = LISTS/members/$local_part_data
 errors_to = ${if eq{$local_part_suffix}{}{$local_part-owner@$domain}{$sender_address}}
 headers_add = List-Id: <$local_part_data.$domain>\nList-Post: <mailto:${quote_local_part:$local_part_data}@$domain>
 headers_remove = List-* : Precedence : X-Held
 forbid_file
 forbid_pipe
 skip_syntax_errors
 syntax_errors_to = ann@me.test
 syntax_errors_text = List $local_part_data has lines that are none:
 check_ancestor
 condition = ${if !eq{$local_part_suffix}{-owner}}
own:
 driver = redirect
 domains = +ours
 local_part_suffix = -owner
 data = ${lookup{$local_part}lsearch{LISTS/owners}{$value}{:unknown:}}
loc:
 driver = accept
 domains = +ours
 local_parts = ann : bob : cat : list-master
 transport = l
out:
 driver = manualroute
 domains = ! +ours
 route_list = * 192.0.2.9
 transport = verp
 same_domain_copy_routing
begin retry
* * F,1h,1m
begin transports
verp:
 driver = smtp
 connection_max_messages = 1
 max_rcpt = 1
 hosts_try_fastopen =
 return_path = ${if match{$return_path}{^(.+)-owner@(.+)\$}{bounce-$1=$local_part=$domain@$2}fail}
 headers_add = X-To: $local_part@$domain
 headers_rewrite = *@me.test "${lookup{$1}lsearch{LISTS/names}{$value}fail}" fs
 headers_remove = X-To : Return-Receipt-To
pi:
 driver = pipe
 user = mail
 message_prefix = "$address_data\n"
 command = /bin/sh -c "head -1 >> /var/mail/bounces"
 ignore_status
 return_fail_output
E
printf 'talk: open\nnews: moderated\nboard: closed\n' | put lists/kinds
printf 'a@far.test\nb.c@far.test (Bee, C)\n"Dee" <d@other.test>\nbroken <\nann\n' | put lists/members/talk; printf 'a@far.test, ann@me.test\n|/bin/true\n' | put lists/members/news; printf 'bob@me.test: here\ns@far.test\n' | put lists/members/board; printf 'cat\n' | put lists/members/xy
printf '# Exim filter\nif $h_subject: contains "spam" then fail text "no spam on $local_part_data" seen finish endif\nif $sender_address is "ann@me.test" then headers add "X-By: $tod_zone" headers remove X-A endif\nif error_message then seen finish endif\nif foranyaddress $h_to: ($thisaddress contains "list@") then logwrite "to list $thisaddress" endif\nif $h_subject: begins "copy" then unseen deliver bob@me.test errors_to cat@me.test endif\n' | put lists/filter/talk
printf 'ann@me.test: y\n*@mods.test: y\n' | put lists/mods; printf 'talk: ann\nnews: bob@me.test, nobody@x.test\nboard: :blackhole:\n' | put lists/owners; printf 'ann: Ann.Smith@me.test\n' | put lists/names; chmod 664 /etc/exim4/lists/filter/talk
ADDRS='talk@me.test news@me.test board@me.test talk-request@me.test talk-owner@me.test board-owner@me.test bounce-talk=a=far.test@me.test ann@me.test q@far.test nolist-owner@me.test list-master@me.test'
HEADER='List-Id: old
Precedence: bulk
Return-Receipt-To: ann@me.test'
SENDERS="s@far.test - ann@me.test m@mods.test"; host 9 rcpt:d@other.test='550 no Dee' show=1
quick; heard 9; for s in spam copy hi; do SUBJECT=$s send ann@me.test talk news; SUBJECT=$s send m@mods.test talk news board; SUBJECT=$s send s@far.test talk board news; done; SUBJECT=empty send '' talk talk-owner 'bounce-talk=a=far.test'
after held; for i in $(ids); do x -Mt $i 2>&1; x -Mar $i bob@me.test 2>&1; x -Mes $i ann@me.test 2>&1; done; x -qff; after thawed; for i in $(ids); do x -Mg $i 2>&1; sleep 0.2; done; x -q; after given; gone 9; cat /var/mail/bounces 2>&1

head_ <<'E' | new k2
# a smart-host client: relays, ports, logins by sender in lsearch, options of the transport from ${extract}
RELAYS = /etc/exim4/relays
acl_smtp_rcpt = accept
acl_smtp_data = accept
log_selector = +outgoing_port +smtp_confirmation +return_path_on_delivery +smtp_mailauth +deliver_time -deliver_time
begin routers
down:
 driver = redirect
 local_parts = down
 data = :defer: line is down for $sender_address_local_part
 allow_defer
relay:
 driver = manualroute
 domains = ! me.test
 address_data = ${lookup{$sender_address}lsearch*@{RELAYS}{$value}fail}
 route_data = "<+ ${extract{host}{$address_data}{$value}{192.0.2.19}}"
 transport = ${extract{via}{$address_data}{$value}{t1}}
 host_find_failed = ignore
 self = send
 headers_add = ${extract{hdr}{$address_data}{X-Relay: $value}}
 errors_to = ${extract{err}{$address_data}{$value}fail}
nomap:
 driver = redirect
 domains = ! me.test
 allow_fail
 data = :fail: $sender_address may not send to $domain
loc:
 driver = accept
 transport = l
begin transports
t1:
 driver = smtp
 connection_max_messages = 1
 hosts_try_fastopen =
 port = ${extract{port}{$address_data}{$value}{25}}
 hosts_try_auth = ${extract{auth}{$address_data}{*}}
 hosts_require_auth = ${if eq{${extract{auth}{$address_data}}}{must}{*}}
 helo_data = ${extract{helo}{$address_data}{$value}{$primary_hostname}}
 authenticated_sender = ${extract{as}{$address_data}{$value}fail}
 authenticated_sender_force = ${if eq{a}{a}{true}{false}}
 interface = ${extract{if}{$address_data}{$value}fail}
 connect_timeout = 5s
 max_rcpt = ${extract{max}{$address_data}{$value}{0}}
 hosts_avoid_esmtp = ${extract{esmtp}{$address_data}{*}}
 return_path = ${extract{rp}{$address_data}{$value}fail}
 delay_after_cutoff = false
 size_addition = 10
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
begin retry
* auth_failed F,1h,10m
*@far.test rcpt_4xx F,2h,5m
* * F,4d,15m
begin authenticators
pl:
 driver = plaintext
 public_name = PLAIN
 client_send = ^${extract{login}{$address_data}{$value}fail}^${extract{pw}{$address_data}}
lo:
 driver = plaintext
 public_name = LOGIN
 client_send = : ${extract{login}{$address_data}{$value}{nobody}} : ${extract{pw}{$address_data}}
 client_condition = ${if eq{$host_address}{192.0.2.10}}
cr:
 driver = cram_md5
 public_name = CRAM-MD5
 client_name = ${extract{login}{$address_data}{$value}fail}
 client_secret = ${extract{pw}{$address_data}}
E
sed -i '/^ authenticated_sender_force/d' $E/exim4.conf
put relays <<'R'
ann@me.test: host=192.0.2.9 login=ann pw="a b" auth=try hdr="by ann" as=ann@real.test
bob@me.test: host="192.0.2.10::2525 + 192.0.2.9" port=2525 auth=must login=bob pw=p:q err=cat@me.test helo=bob.me.test
cat@me.test: host=192.0.2.10 port=2525 auth=must max=1 esmtp=no
*@list.test: host=192.0.2.9 max=1 rp=bounces@list.test if=192.0.2.1
*@down.test: host=192.0.2.30 if=192.0.2.77
*@bad.test: host=192.0.2.9 port=nosuch
*@via.test: host=192.0.2.9 via=t9
R
host 9 ehlo='250-h9\n250-AUTH PLAIN LOGIN\n250-SIZE 1000\n250 PIPELINING' show=1 rcpt:later@far.test='451 4.2.0 later\nplease'
host 10 port=2525 ehlo='250-h10\n250-AUTH=LOGIN\n250 AUTH LOGIN CRAM-MD5' 'auth=334 VXNlcm5hbWU6' show=1
ADDRS='u@far.test later@far.test down@me.test ann@me.test'; HEADER='X-A: b'; SENDERS='s@far.test ann@me.test bob@me.test'; quick
for s in ann@me.test bob@me.test cat@me.test x@list.test x@down.test x@bad.test x@via.test '' s@far.test; do send "$s" u@far.test later@far.test v@other.test; send "$s" down@me.test; done; heard 9; heard 10
after sent; x -q; x -Rff far; x -S list.test; x -Sf '<>'; x -qi; heard 9; heard 10; x -bp -R 2>&1 | head -3; exim_dumpdb $S retry 2>&1 | head -0; after again; gone 9; gone 10

head_ <<'E' | new k4
# archive of all: unseen routers before and behind, shadow transports by condition, batch of copies
acl_smtp_rcpt = accept
acl_smtp_data = d
ARCH = /var/mail/arch
log_selector = +sender_on_delivery +unknown_in_list
begin acl
d:
 warn set acl_m_class = ${if match{$h_subject:}{(?i)^\\[(\\w+)\\]}{${lc:$1}}{none}}
 accept
begin routers
journal:
 driver = accept
 unseen = ${if eq{$acl_m_class}{private}{no}{yes}}
 condition = ${if eq{$acl_m_class}{skip}{no}{yes}}
 address_data = ${sha256:$message_headers_raw}
 transport = arch
 no_verify
 no_expn
 headers_add = X-Journal: $acl_m_class
 errors_to = journal-errors@me.test
once:
 driver = redirect
 domains = me.test
 unseen
 local_parts = boss : ann
 data = secretary@me.test, bcc+$local_part@far.test
 repeat_use = false
 headers_add = X-Copy: of $local_part
 headers_remove = Subject
 errors_to =
dup:
 driver = redirect
 domains = far.test
 unseen
 data = ${quote_local_part:$local_part}@copy.test
dupped:
 driver = manualroute
 domains = copy.test
 route_list = * 192.0.2.11 byname
 transport = copy
real:
 driver = manualroute
 domains = far.test
 route_list = * 192.0.2.9 byname
 transport = r
 local_part_suffix = +*
 local_part_suffix_optional
loc:
 driver = accept
 domains = me.test
 local_parts = ! no*
 transport = m
begin transports
arch:
 driver = appendfile
 file = ARCH/${if match{$local_part}{^[a-z]+\$}{plain}{odd}}.${if def:acl_m_class{class}{none}}
 use_bsmtp
 shadow_transport = sh
 shadow_condition = ${if !eq{$acl_m_class}{none}}
 batch_max = 10
 batch_id = ${domain}
 user = mail
 create_file = anywhere
 message_prefix = "HELO $primary_hostname\n"
 message_suffix = "RSET\n"
 delivery_date_add
 envelope_to_add
 return_path_add
copy:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 headers_only
 headers_add = X-Only: header
r:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 headers_remove = X-Journal
 rcpt_include_affixes
m:
 driver = appendfile
 file = /var/mail/$local_part_data$local_part_suffix
 user = mail
 body_only = ${if eq{a}{b}}
 shadow_transport = nosuch
sh:
 driver = pipe
 command = /bin/sh -c "cat > /dev/null; echo copied >> /var/mail/shadow; test ${if eq{$acl_m_class}{fail}{a}{b}} != a"
 user = mail
 log_fail_output
 batch_max = 3
begin retry
* * F,1h,1m
E
sed -i '/^ body_only/d; s/^ shadow_transport = nosuch/ shadow_transport = arch/; s#/var/mail/$local_part_data$local_part_suffix#/var/mail/${if eq{$local_part}{boss}{boss}{rest}}#' $E/exim4.conf
mkdir -m 777 /var/mail/arch
host 9 rcpt:no@far.test='550 no' rcpt:late@far.test='450 late'; host 11 rcpt:bcc+boss@copy.test='550 never'
ADDRS="boss@me.test ann@me.test secretary@me.test u@far.test u+x@far.test no@far.test late@far.test no@me.test"
SUBJECT='[Legal] paper'; quick; heard 9; heard 11
for s in '[Private] x' '[skip] y' '[fail] z' plain; do SUBJECT="$s" send s@far.test boss u@far.test secretary late@far.test; SUBJECT="$s" send '' ann no@far.test no; done
after sent; heard 9; heard 11; x -qff; x -Rf late; after again; for i in $(ids); do x -Mes $i new@me.test; sleep 0.2; x -Mmd $i late@far.test; x -M $i; sleep 0.3; done; after done; gone 9; gone 11; cat /var/mail/shadow

head_ <<'E' | tail_ | new k5
# vacation: once_repeat, text expanded from the message, files with expansion, replies to lists never
acl_smtp_rcpt = accept
message_body_visible = 40
begin routers
prefix:
 driver = accept
 domains = me.test
 local_part_prefix = vac-
 local_parts = ann : bob : cat
 condition = ${if and{{!match{$h_precedence:}{(?i)junk|bulk|list}}{!def:h_list-id:}{!match{$sender_address_local_part}{(?i)^(owner-|.*-(owner|request|errors|return)\$|mailer-daemon|daemon|www-data)}}}}
 senders = ! : ! *@nowhere.test
 transport = ${if eq{$local_part}{cat}{vfile}{vac}}
 set = r_lang = ${lookup{$sender_address_domain}lsearch*{/etc/exim4/langs}}
 unseen
 no_verify
deliv:
 driver = accept
 domains = me.test
 local_part_prefix = vac-
 local_part_prefix_optional
 local_parts = ann : bob : cat
 transport = l
digest:
 driver = redirect
 domains = me.test
 local_parts = cmd
 allow_filter
 user = Debian-exim
 data = #Exim filter\nif $h_subject: matches "^(help|who|send) *(.*)" then\n vacation to $reply_address subject "Re: $1" text "you said $2; parts ${length_20:$message_body} end ${uc:$message_body_end}" once /var/spool/exim4/cmd.once once_repeat 1s\n mail to $sender_address from "Robot <robot@me.test>" reply_to nobody@me.test subject "=?utf-8?q?$h_subject:?=" extra_headers "X-One: 1\\nX-Two: $message_headers_raw" expand file /etc/exim4/text return message log /var/spool/exim4/cmd.log\nseen finish\nelse\n seen fail text "unknown command"\nendif
begin transports
vac:
 driver = autoreply
 user = mail
 to = ${reply_address}
 cc = ${if match{$h_subject:}{copy}{cc1@me.test, "C c" <cat@me.test>}}
 from = "${quote:$local_part's robot} <$local_part-noreply@$domain>"
 reply_to = $local_part@$domain
 subject = ${if def:h_Subject:{Auto: ${quote:${escape:${length_50:$h_Subject:}}}}{I am away}}
 text = Dear ${if match{$h_from:}{^"?([^<"]+)"? *<}{${sg{$1}{ +\$}{}}}{$sender_address}},\n\nlanguage $r_lang; you wrote (${eval:$message_linecount+0} lines, $message_body_size bytes):\n${sg{$message_body}{(.\{1,20\})}{> \$1\n}}
 file = /etc/exim4/vac.$local_part_data
 file_expand
 file_optional
 headers = X-Auto: ${lc:$h_message-id:}\nIn-Reply-To: none
 once = /var/spool/exim4/once-$local_part_data
 once_repeat = ${if eq{$local_part}{bob}{1s}{7d}}
 once_file_size = 300
 log = /var/spool/exim4/vac.log
 mode = 640
 return_message
 never_mail = ${if eq{$local_part}{ann}{*@never.test : boss@far.test}}
vfile:
 driver = autoreply
 user = mail
 to = $sender_address
 subject = from file
 file = /etc/exim4/nosuch.$local_part_data
E
sed -i "s/^ data = #Exim filter/ data = \"#Exim filter/; s/unknown command\"\\\\nendif/unknown command\"\\\\nendif/" $E/exim4.conf
printf 'data: x\n' > /dev/null; printf 'far.test: de\n*: en\n' | put langs; printf 'Signed,\n$local_part (${uc:$local_part})\n.\nnot the end\n' | put vac.ann; printf '${bad\n' | put vac.bob; printf 'Help text for $sender_address\n' | put text
python3 - <<'P'
p='/etc/exim4/exim4.conf'
s=open(p).read()
i=s.index(' data = "#Exim filter'); j=s.index('\n',i)
v=s[i+8:j].replace('\\"','"')
s=s[:i]+' data = '+'"'+v[1:].replace('"','\\"')+'"'+s[j:]
open(p,'w').write(s)
P
sed -n '/^digest/,/^begin/p' $E/exim4.conf
ADDRS="vac-ann@me.test ann@me.test vac-bob@me.test vac-cat@me.test cmd@me.test"
SENDERS="s@far.test"; CLIENTS=192.0.2.5; HEADER='Reply-To: "R, r" <reply@never.test>'; SUBJECT='help me copy'; quick
for s in boss@far.test x@never.test owner-list@far.test q-request@far.test Fred@far.test; do SUBJECT="=?utf-8?q?caf=C3=A9?= $s" send $s vac-ann vac-bob; SUBJECT='who are you' send $s cmd; done; sleep 2.1; for s in Fred@far.test boss@far.test; do SUBJECT= send $s vac-ann vac-bob; SUBJECT=send send $s cmd vac-cat; done
after vac; for i in $(ids); do $exim -Mrm $i; done; cat $S/vac.log $S/cmd.log | sed 's/^Date.*//'; ls $S | grep -v db

head_ <<'E' | new k6
# gateway: header rewriting by transport, return_path, lists of headers to add and remove, per route
acl_smtp_rcpt = accept
acl_smtp_data = d
acl_not_smtp = d
add_environment = A=b
begin acl
d:
 warn add_header = :at_start:X-Start: 1
 warn add_header = :at_end:X-End: a\n b\nX-End: c
 warn add_header = :after_received:X-Rec: 2
 warn remove_header = X-Drop : ^X-Re.*: x-nothing
  condition = ${if !def:h_X-Keep:}
 warn add_header = X-Bare text without colon
  condition = ${if match{$h_subject:}{bare}}
 accept
begin routers
tag:
 driver = redirect
 local_part_suffix = +in
 data = $local_part@gate.test
 headers_add = X-In: $local_part_suffix_v
 headers_remove = Subject : X-In : ${if def:h_X-List:{X-List}}
 headers_add = X-In: second
intern:
 driver = manualroute
 domains = gate.test
 route_list = gate.test 192.0.2.9 byname strict; * 192.0.2.9
 transport = strict
 headers_add = <; X-A: 1;X-B: 2\nX-C: 3
 headers_remove = <; received; x-a
 errors_to = ${if eq{$local_part}{ann}{gateway@me.test}fail}
out:
 driver = manualroute
 domains = ! me.test
 route_list = loose.test 192.0.2.9 byname loose ; *.mask.test 192.0.2.9 mask ; ! *.never.test 192.0.2.9 strict byname
 transport = strict
 headers_add = ${if eq{$sender_address}{}{}{X-Out: $sender_address}}
loc:
 driver = accept
 domains = me.test : *.never.test
 transport = file
begin transports
strict:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 headers_rewrite = ^(.*)@me\\.test\$ "\$1@public.test" frtcb : *@*.corp.test $1@${2:public}.test s : a@b.test "A B <c@d.test>" fw
 return_path = ${if def:return_path{gw+${sg{$return_path}{@}{=}}@me.test}{}}
 headers_add = X-Gate: ${sg{$h_subject:}{[^ -~]}{?}}\nX-Lines: $message_linecount/$body_linecount/$body_zerocount
 headers_remove = X-End:Received : Return-Path:Delivered-To
loose:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 headers_rewrite = *@me.test "${if eq{$1}{bob}{bob@me.test}{$1@x.test}}" f : * "${if eq{$0}{q@r.test}{Q@R.test}fail}" c
 headers_remove = Sub* : X-?ist
 headers_add = "X-Sp: a"
mask:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 headers_rewrite = * fail
 return_path =
 headers_add = ${if eq{$domain}{a.mask.test}{X-Mask: $domain\n}fail}
file:
 driver = appendfile
 file = /var/mail/box
 user = mail
 headers_rewrite = *@me.test $1@local.test bcfrst
 return_path = <$local_part@file.test>
 return_path_add
 envelope_to_add
 delivery_date_add
 headers_remove = Return-Path:envelope-to:Delivery-date
begin retry
* * F,1h,1m
begin rewrite
*@old.test $1@me.test Ffrs
\N^w([0-9]+)@me\.test$\N who$1@me.test Tt
E
sed -i 's/" fw$/" fw/' $E/exim4.conf
host 9 show=1
CLIENTS=192.0.2.5; ADDRS='ann@gate.test u+in@me.test x@loose.test y@a.mask.test z@b.mask.test v@other.test q@q.never.test ann@me.test w12@me.test w7@old.test'
for o in strict loose mask file; do y -bP transport $o | grep head; done
printf '%s\n' ann@me.test a@b.test x@h.corp.test u@old.test w1@me.test '"A" <w2@old.test>, x@y.z' > $work/rw; while read -r a; do y -brw "$a"; done < $work/rw
HEADER='X-List: <a>
X-Drop: me
X-Red: one
X-Reb: two
Return-path: <old@me.test>
Envelope-To: someone@me.test
delivered-to: x
Reply-To: (c) a@b.test, "x, y" <x@h.corp.test>, gr: ann@me.test, w1@me.test;
Sender: u@old.test
Cc: undisclosed-recipients:;
Bcc: hidden@me.test
Resent-From: ann@me.test
Resent-To: w3@me.test
Errors-To: ann@me.test'
SUBJECT='bare caf� x'; quick; heard 9 | grep -v '^[0-9]*[><]'
head_ <<'E' | new k7
# gateway to an old network by pipe and lmtp socket, headers per recipient, with X- lines that routers share
acl_smtp_rcpt = accept
begin routers
multi:
 driver = redirect
 local_parts = all
 data = one@me.test,two@me.test,two+x@me.test,three@far.test
 headers_add = X-All: yes
 headers_remove = X-Gone
single:
 driver = accept
 local_parts = one : two : three
 local_part_suffix = +*
 local_part_suffix_optional
 headers_add = ${if eq{$local_part}{one}{X-For: $local_part\nX-All: yes}{}}
 headers_remove = ${if eq{$local_part}{two}{X-All::Subject}fail}
 transport = ${if eq{$local_part}{three}{three}{two}}
rem:
 driver = accept
 transport = three
 headers_remove = ${if eq{$local_part}{bad}{${lookup{x}lsearch{/no/such}}}{X-Q}}
begin transports
two:
 driver = pipe
 command = /bin/cat
 user = mail
 batch_max = 100
 batch_id = $domain
 return_output
 message_prefix = "T=$local_part R=$return_path\n"
 headers_remove = X-For
 headers_rewrite = *@me.test $1@p.test
 environment = X=$local_part:Y=$domain
 timeout = 10s
three:
 driver = appendfile
 file = /var/mail/three
 user = mail
 batch_max = 3
 headers_add = X-Three: $local_part of $domain
E
HEADER='X-Gone: y
X-Q: q
X-All: no'; ADDRS="all@me.test one@me.test two@me.test three@me.test bad@me.test fine@me.test"; quick; send s@far.test all one two+y one+z; send s@far.test bad all; after more
gone 9
