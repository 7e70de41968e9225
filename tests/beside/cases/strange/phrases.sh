# Rewriting with every flag, in header lines of all shapes, and of what programs hand in. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOK=1
new u5a <<'E'
tls_advertise_hosts =
host_lookup =
# rewriting with every flag, quoted, long and international addresses, headers in all shapes
allow_utf8_domains
acl_smtp_rcpt = r
acl_smtp_data = d
acl_not_smtp = d
smtputf8_advertise_hosts = *
sender_unqualified_hosts = 192.0.2.5
recipient_unqualified_hosts = *
qualify_domain = sender.test
qualify_recipient = rcpt.test
return_path_remove = false
envelope_to_remove = no
delivery_date_remove = false
begin acl
r:
 warn logwrite = <$local_part>@<$domain> was <$original_local_part> data <$local_part_data|$domain_data>
 accept verify = recipient
 warn logwrite = no: $acl_verify_message
 accept local_parts = keep
 deny message = no $local_part@$domain
d:
 warn add_header = X-Added: "Mr. X" <old@add.test>, plain@add.test
  add_header = Reply-To: r1@add.test
  add_header = :at_end:X-End: 1
  add_header = :at_start:X-Start: 2
  remove_header = X-Rm* : Subject2
 warn logwrite = F=$h_from: T=$rh_to: B=$bh_cc: S=$h_sender: lh=$lh_x-l: ${listextract{2}{$h_x-l:}} rl=$rlh_x-l:
 accept
begin routers
rw:
 driver = redirect
 domains = re.test
 data = ${quote_local_part:$local_part}@x.test
 rewrite = no
quoted:
 driver = redirect
 domains = q.test
 data = ${local_part:$local_part@$domain} a
 local_parts = ^a
 skip_syntax_errors
plain:
 driver = redirect
 domains = rcpt.test
 local_parts = list
 data = one, two@old.test (c), "three 3"@old.test, =?x?=@old.test
all:
 driver = accept
 condition = ${if !match{$local_part}{^keep}}
 transport = l
 headers_remove = x-one : X-TWO:x-three*
 headers_add = X-R: <$sender_address> $header_from:\n continued\nX-R2: ${if def:h_x-none:{a}{b}}
begin transports
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
 headers_rewrite = *@far.test "$1+t@far.test" fw : *@add.test "$0x" r : \N^(.*)@old.test$\N "\"$1 q\"@new.test" h
 headers_remove = x-last : ${if eq{$domain}{x.test}{Date : X-Start}}
 return_path = ${if match{$return_path}{^new}{changed@far.test}{$return_path}}
 return_path_add
 envelope_to_add
 delivery_date_add
begin rewrite
*@old.test $1@new.test
*@case.test "${uc:$1}@${uc:$domain}" Ehw
*@sp.test "A B <$1@sp2.test>" w
*@far.test "${if match{$1}{^no}{$1@nofar.test}{$1@far.test}}" FTfrtsbcq
\N^(?i)(.+)\.(.+)@names\.test$\N $2.$1@names.test Eh
*.sub.test $1.top.test q
lsearch;/etc/exim4/map $value T
*@lsearch;/etc/exim4/doms $1@$2 Fs
@add.test x@added.test r
^.*\\\\@bs\\.test\$ bs@ok.test
*@loop1.test $1@loop2.test
*@loop2.test $1@loop1.test

^(?i)from:(.*)\$ $1 S
*@xn--bcher-kva.test $1@buch.test
*@bücher.test $1@buch2.test
*@q.test ${quote_local_part:$local_part}@q.test
*@[192.0.2.9] $1@lit.test
*@bad.test ${lookup{x}lsearch{/no}{$value}} 
*@empty.test ""
*@never.test u@ok.test Fh
E
put map <<'E'
map@far.test: mapped@old.test
list@rcpt.test: list@rcpt.test
E
put doms <<'E'
dom.test: domain.test
*.dom2.test: x
E
ADDRS='u@old.test "a b"@old.test a.b@case.test u@sp.test map@far.test no@far.test john.doe@names.test x@y.sub.test u@dom.test u@add.test x@bs.test u@loop1.test bücher@bücher.test u@bücher.test u@xn--bcher-kva.test "a@b"@q.test a@q.test u@[192.0.2.9] u@bad.test u@empty.test u@never.test un list keep@x.test "x\"y"@re.test a=b@re.test'
for i in u@old.test '"a b"@old.test' a.b@case.test 'X <u@sp.test>' no@far.test 'john.doe@names.test (c)' 'x@y.sub.test, u@old.test' u@dom.test u@add.test u@loop1.test u@bücher.test 'ü <u@xn--bcher-kva.test>' '"a@b"@q.test' u@bad.test u@empty.test u@never.test un 'grp: u@old.test;' '<u@old.test>' '' 'u@' '@' 'u@old.test junk' '"u"@old.test'; do x -brw "$i" 2>&1; done
SENDERS='u@old.test - u@dom.test "a b"@far.test from:u@old.test u@never.test un'
EXTRA='MAIL FROM:<from:x@old.test>
MAIL FROM:from:y@old.test
RCPT TO:from:z@rcpt.test
RCPT TO:<un>
RCPT TO:<"un"@old.test>
RSET
MAIL FROM:<ü@far.test> SMTPUTF8
RCPT TO:<ö@bücher.test>
RCPT TO:<"ö ö"@old.test>
DATA
From: Ü <ü@old.test>
To: =?utf-8?B?w6Q=?= <ö@bücher.test>

x
.'
HEADER='From: u@old.test
Sender: "A, B" <b.c@names.test> (x (y) z)
Reply-To: G: a@old.test, "q q"@old.test;, un, B <un2>
Cc: a@case.test,
	 (comment) b@case.test (after),
 =?iso-8859-1?q?=E4?= <c@case.test>, "long
 folded" <d@old.test>, <@r.test:e@old.test>, f@old.test f2@old.test
Bcc: g@old.test
Resent-From: r@old.test
Resent-To: r2@old.test, r3
X-One: 1
x-two : 2
X-Three-a: 3
X-Last: 4
X-L: a : b : c
X-Rm1: z
Return-Path: <rp@old.test>
Envelope-To: e@old.test
Delivery-Date: x
To:
cc: dup@old.test
To:   
Comments: a@old.test
X-Bad header: no
Errors-To: e@old.test
Disposition-Notification-To: d@old.test
Apparently-To: a@old.test'
quick
HEADER='From: nobody
To: "unterminated <a@old.test>, b@old.test
Cc: a@old.test;, b@old.test, grp:x@old.test
Reply-To: <a@old.test> <b@old.test>, c@old.test (unclosed
Sender: @old.test, a@@old.test, a@old..test, a b@old.test, \"x\"@old.test
Bcc: , , a@old.test, ,
Message-Id: <a@old.test>
X-Empty:
From: f2@old.test' ; CLIENTS=192.0.2.20
quick

new u5b <<'E'
tls_advertise_hosts =
host_lookup =
# rewriting of local submissions by users, with gecos, unqualified, local_from, received text, resent
qualify_domain = q.test
gecos_pattern = ^([^,:]*)
gecos_name = ${uc:$1} (x) "y"
local_from_prefix = *- : x+
local_from_suffix = -*
untrusted_set_sender = ^ok : *@far.test : 
trusted_groups = mail
trusted_users = cat
message_id_header_domain = ${lc:ID.Test} 
uucp_from_pattern = ^From\\s+(\\S+!\\S+)\\s
uucp_from_sender = ${sg{$1}{(.*)!(.*)}{\$2@\$1.uucp}}
ignore_fromline_local
extract_addresses_remove_arguments = false
local_sender_retain = false
qualify_recipient = r.test
acl_not_smtp = n
acl_not_smtp_start = ns
begin acl
ns:
 warn set acl_m_s = start $caller_uid $originator_uid
 accept
n:
 warn add_header = X-ACL: $acl_m_s $sender_address $sender_ident $authenticated_id $recipients
 deny condition = ${if eq{$h_subject:}{deny}}
  message = ${if eq{a}{a}{denied\nlines}}
 discard condition = ${if eq{$h_subject:}{discard}}
  log_message = gone
 accept
E
cat >> $E/exim4.conf <<'E'
begin routers
all:
 driver = accept
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
begin rewrite
root@* admin@q.test Fw
*@q.test ${lookup{$1}lsearch{/etc/exim4/who}{$value}fail} Ffrs
E
put who <<'E'
ann: Ann.Smith@q.test
bob: "Bob B"@q.test
E
n=0; for u in 0 5001 5002 5003; do for f in '' '-f ok@q.test' '-f no@q.test' '-f <>' '-f un' '-r "a"@far.test' '-F Full'; do for h in 'From: ann' 'From: "x" <bob@q.test>' 'From: y@z.test
Sender: w@z.test' 'Resent-From: ann
From: q@z.test' 'From: list-ann@q.test' 'From: x+ann-y' 'X: 1' 'From: ann, bob'; do for o in '-t' 'to1 to2@x.test'; do n=$((n+1)); [ $((n%3)) = 0 ] || continue; printf 'From h!u Thu Nov 26 12:00:00 2026\n%s\nTo: to1, t3@x.test\nResent-To: to2\nSubject: s%s\nDate: Thu, 26 Nov 2026 12:00:00 +0000\n\nx\n' "$h" $n > $work/m; as $u $exim -odi -oi $f $o < $work/m 2>&1; [ $o = -t ] && as $u $exim -odi -oi $f $o to1 t4 < $work/m 2>&1; done; done; done; done; after froms
for s in deny discard x; do printf 'To: a\nSubject: %s\n\nx\n' $s | as 5001 $exim -odi -oi -t 2>&1; printf 'To: a\nSubject: %s\n\nx\n' $s | as 5001 $exim -odi -oem b 2>&1;  done; after acl
