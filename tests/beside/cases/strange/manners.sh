# Small sites of odd manners: case that counts, affixes that are rewritten, a wrapper for programs, filters of users, batches. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
head_ <<'E' | tail_ | new s1
# case of local parts, affixes before and behind, rewriting of both, plus addresses, percent hack, bang paths
percent_hack_domains = me.test
strip_excess_angle_brackets
strip_trailing_dot
allow_utf8_domains
acl_smtp_rcpt = r
begin acl
r:
 warn control = caseful_local_part
 warn local_parts = Ann : ^[A-Z]+\$
  logwrite = caseful $local_part <$local_part_data>
 warn control = caselower_local_part
 warn local_parts = Ann : +caseful : Bob
  logwrite = list caseful $local_part <$local_part_data>
 warn recipients = +caseful : Ann@me.test : ^BOB@
  logwrite = rcpt $local_part <$recipient_data>
 accept verify = recipient
  logwrite = $local_part_prefix|$local_part|$local_part_suffix@$domain
 deny
begin routers
cf:
 driver = accept
 caseful_local_part
 local_part_prefix = Real-
 local_part_suffix = +* : -Old
 local_part_suffix_optional
 transport = l
 address_data = cf $local_part_prefix_v$local_part_suffix_v
 headers_add = X-CF: $local_part_prefix|$local_part|$local_part_suffix
 condition = ${if match{$local_part}{^[A-Z]}}
bang:
 driver = redirect
 condition = ${if match{$local_part}{!}}
 data = ${sg{$local_part}{\N^([^!]+)!(.*)$\N}{\$2@\$1.uucp}}
 caseful_local_part
opt:
 driver = redirect
 local_part_prefix = *- : x+
 local_part_prefix_optional
 local_part_suffix = .*
 data = ${if eq{$local_part}{list}{ann+$local_part_suffix_v@me.test,Bob@me.test}{}}
 rewrite = ${if eq{a}{a}}
rest:
 driver = accept
 domains = me.test : *.uucp : far.test
 transport = l
 local_parts = ! no
 cannot_route_message = $local_part_prefix|$local_part|$local_part_suffix
begin transports
E
sed -i '/^ rewrite = \$/d' $E/exim4.conf
printf 'begin rewrite\n*+*@me.test $1@me.test T\n^(?i)bob@me\\.test$ Robert@me.test ET\nx-*@me.test ${uc:$1}@far.test Efr\n*@OLD.test $1@me.test hQ\n' >> $E/exim4.conf
ADDRS='Ann@me.test ann@me.test ANN@me.test Real-Ann@me.test real-Ann@me.test Real-Ann+tag@me.test Real-ann-Old@me.test bob@me.test BOB@me.test x-list.y@me.test list.z@me.test a-b-list@me.test x+list@me.test  host!user@me.test a!b!c@me.test no@me.test Ann+tag@me.test x-ann@me.test u@FAR.test. u@old.test'
SENDERS="s@far.test x-ann@me.test Bob@me.test -"; HEADER='Reply-To: X-Ann@me.test, bob@me.test
Sender: u@OLD.test'; CLIENTS=192.0.2.5
BE='${rewrite:Bob@me.test} ${local_part:Real-Ann+x@me.test} ${if eqi{Ann}{aNN}{y}{n}} ${if match_local_part{Ann}{ann}{y}{n}} ${if match_local_part{Ann}{+caseful:ann}{y}{n}} ${if match_address{Ann@ME.test}{+caseful:ann@me.test}{y}{n}}'
for i in Ann+t@me.test BOB@me.test x-q@me.test u@old.test 'U <x-q@me.test>' '"a b"@me.test' x-@me.test; do x -brw "$i" 2>&1; done
y -bt ann%far.test@me.test ann%x%far.test@me.test
quick

head_ <<'E' | new s2
# mua_wrapper: a program's way out to one smarthost, which accepts, refuses, waits or is not there
mua_wrapper
untrusted_set_sender = *
begin routers
d:
 driver = redirect
 domains = alias.test
 data = u@ok.test, bad@ok.test
f:
 driver = redirect
 domains = fail.test
 allow_fail
 data = :fail: not by us
s:
 driver = manualroute
 domains = ! local.test
 route_list = none.test 192.0.2.13 ; * 192.0.2.11
 transport = s
l:
 driver = accept
 transport = l
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 hosts_try_auth = *
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
begin authenticators
p:
 driver = plaintext
 public_name = PLAIN
 client_send = ^${if eq{$sender_address}{noauth@me.test}{}{u}}^p
E
host 11 ehlo='250-h\n250-AUTH PLAIN\n250 SIZE' rcpt:bad@ok.test='550 no bad' rcpt:later@ok.test='451 later' mail:no@me.test='550 no sender' show=1
for a in u@ok.test bad@ok.test later@ok.test 'u@ok.test bad@ok.test' u@alias.test u@fail.test u@none.test u@local.test 'u@local.test u@ok.test'; do for f in ann@me.test noauth@me.test no@me.test; do for o in '' -odq -odb -oem; do echo "--- $f $o: $a"; msg x | $exim $o -oi -f $f $a 2>&1; echo "rc $?"; done; done; logs; heard 11; all_boxes; x -bp; done; gone 11

head_ <<'E' | tail_ | new s3
# users' filters and Sieve scripts beside plain lists, in one directory of rules; batches by all that tells deliveries apart
acl_smtp_rcpt = accept
begin routers
rules:
 driver = redirect
 local_parts = dsearch,filter=file;/etc/exim4/rules
 file = /etc/exim4/rules/$local_part_data
 allow_filter
 allow_fail
 allow_defer
 allow_freeze
 user = mail
 file_transport = f
 pipe_transport = p
 reply_transport = r
 directory_transport = d
 sieve_useraddress = "$local_part_data"
 sieve_subaddress = "sub"
 sieve_enotify_mailto_owner = "owner@me.test"
 forbid_filter_perl
 modemask = 002
batch:
 driver = accept
 local_parts = ^b
 transport = b
 set = r_k = ${substr_1_1:$local_part}
 headers_add = ${if eq{$local_part}{b1x}{X-B: x}}
 errors_to = ${if eq{$local_part}{b2y}{y@me.test}{$sender_address}}
rest:
 driver = accept
 transport = l
 domains = me.test
begin transports
f:
 driver = appendfile
 delivery_date_add = false
d:
 driver = appendfile
 maildir_format
p:
 driver = pipe
 return_output
 environment = K=${length:x}
r:
 driver = autoreply
b:
 driver = appendfile
 file = /var/mail/batch
 batch_max = 3
 batch_id = $r_k
 use_bsmtp
 user = mail
E
sed -i '/^ allow_freeze/d;/^ environment/d;/^ sieve_subaddress/s/"sub"/sub/;/^ sieve_useraddress/s/"//g;/^ sieve_enotify/s/"//g' $E/exim4.conf
r() { cat | put rules/$1; }
r ef1 <<'F'
# Exim filter
if $h_subject: contains "one" or ($sender_address matches "^s(.)" and not $h_x-a: is "") then save /var/mail/ef1-$1 else deliver other@me.test errors_to ef@me.test endif
add 5 to n1
if $n1 is 5 and $return_path is not "" then unseen pipe "/bin/echo $n1 $local_part" endif
logfile /var/mail/ef.log
logwrite "$sender_address $local_part_data ${if def:h_subject:{$h_subject:}}"
F
r ef2 <<'F'
# Exim filter
if error_message then seen finish endif
if personal alias ef2x@me.test then mail subject "re: $h_subject:" text "thanks" endif
if foranyaddress $h_to: ($thisaddress contains "y.test") then fail text "not for $thisaddress" else defer endif
F
r ef3 <<'F'
# Exim filter
if $h_subject: is then
endif
F
r sv1 <<'F'
# Sieve filter
require ["fileinto", "envelope", "variables", "vacation", "copy", "enotify", "subaddress", "comparator-i;ascii-numeric", "reject", "environment", "body", "editheader"];
keep;
F
r sv2 <<'F'
# Sieve filter
require ["fileinto", "envelope", "vacation", "copy", "subaddress", "comparator-i;ascii-numeric"];
if envelope :localpart "to" "sv2" { fileinto :copy "in.sv2"; }
if header :value "ge" :comparator "i;ascii-numeric" "x-a" "3" { discard; stop; }
if allof (address :domain :is "from" "me.test", not exists "x-none", size :under 10K) { vacation :days 3 :subject "away" :addresses ["sv2@me.test","x@y.test"] "I am away"; redirect "two@me.test"; }
elsif anyof (true, false) { keep; }
F
r sv3 <<'F'
# Sieve filter
if header :matches "subject" "*on?*" { redirect "m@me.test"; } else { stop }
F
printf 'x@me.test\n:include:/etc/exim4/rules/inc\n' | put rules/pl; printf 'y@me.test, :fail: stop here\n' | put rules/inc; chmod 644 $E/rules/*
ADDRS="ef1@me.test ef2@me.test ef3@me.test sv1@me.test sv2@me.test sv3@me.test pl@me.test b1@me.test b1x@me.test b2@me.test b2y@me.test b2z@me.test b22@me.test b23@me.test B24@me.test"
y -bt $ADDRS; for s in one two; do for h in 'X-A: 2' 'X-A: 3' 'X-B: 0'; do for f in s@far.test ann@me.test ''; do printf 'From: ann@me.test\nTo: x@y.test, ef2@me.test\nSubject: %s\n%s\nMessage-ID: <f@m.test>\nDate: Thu, 26 Nov 2026 12:00:00 +0000\n\nbody\n' "$s" "$h" | $exim -oi -odf -f "$f" $ADDRS; logs; all_boxes; done; done; done; x -bp; x -qff; after forced
for n in ef1 ef2 ef3 sv1 sv2 sv3; do for f in s@far.test '<>'; do msg q one | $exim -f "$f" -bfl $n -bfd me.test -bf $E/rules/$n 2>&1; done; done
