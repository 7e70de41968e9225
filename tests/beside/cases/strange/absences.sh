# Answers of all kinds with their memory, and rates of every form in every ACL. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOK=1
head_ <<'E' | new u4a
# vacation: once, repeats, files, headers of all kinds, never_mail, quoted locals, encodings
acl_smtp_rcpt = accept
acl_smtp_data = dat
allow_utf8_domains
headers_charset = iso-8859-1
check_rfc2047_length = false
message_id_header_domain = a.$primary_hostname
print_topbitchars
begin acl
dat:
 warn add_header = X-Enc: ${rfc2047:$h_subject:} ${rfc2047d:$rh_subject:}
  add_header = X-Addrs: ${addresses:$h_to:} | ${addresses:>& $h_cc:} | ${address:$h_from:}
  add_header = X-From: ${from_utf8:$bh_subject:} / ${escape:$rh_subject:} / ${length_5:$h_subject:}
  add_header = X-H: ${headers:1}
 accept verify = header_syntax
  condition = ${if !match{$h_subject:}{hs}}
 warn !verify = header_syntax
  log_message = hs $acl_verify_message
 accept verify = header_names_ascii
begin routers
vac:
 driver = accept
 domains = me.test
 local_part_prefix = vac-
 local_parts = ann : bob : cat : dee
 transport = ${lookup{$local_part}lsearch{/etc/exim4/vac}}
 address_data = $local_part
 unseen
 no_verify
 headers_add = X-No: no
fil:
 driver = redirect
 domains = me.test
 local_parts = f1 : f2 : f3
 file = /etc/exim4/filter
 allow_filter
 user = mail
 router_home_directory = /var/mail
 reply_transport = fr
 file_transport = ff
 no_verify
all:
 driver = accept
 transport = l
begin transports
v1:
 driver = autoreply
 from = Ann (away) <ann@me.test>
 to = $reply_address
 cc = ${if match{$h_subject:}{cc}{bob@me.test, "C, c" <cat@me.test>}}
 bcc = ${if match{$h_subject:}{bcc}{dee@me.test}}
 subject = ${if def:h_subject: {Re: ${quote:${escape:${length_50:$h_subject:}}} (autoreply)} {I am away}}
 reply_to = ann+away@me.test

 headers = "X-One: 1\nX-Two: ${lookup{two}lsearch{/etc/exim4/vac}{$value}{none}}\nPrecedence: bulk"
 text = "Line one\nÄ latin $tod_zone\n.\nend"
 once = /var/mail/once1
 once_repeat = ${if match{$h_subject:}{twice}{1s}{1d}}
 log = /var/mail/v1log
 mode = 0640
 user = mail
 group = mail
v2:
 driver = autoreply
 to = $sender_address
 subject = file
 file = ${lookup{reply.$local_part}dsearch,ret=full{/etc/exim4}}
 file_optional
 file_expand
 return_message
 once = /var/mail/once2
 once_file_size = 30
 never_mail = *@never.test : ^list-.*@
 user = mail
v3:
 driver = autoreply
 to = ${addresses:$h_from:}
 from = <>
 subject = "two\n lines"
 text = T $h_subject:\
  and more
 headers = bad header
 user = mail
v4:
 driver = autoreply
 to =
 bcc = $sender_address
 text = ${readfile{/etc/exim4/reply.ann}}
 never_mail = nwildlsearch;/etc/exim4/never
 once = ${if eq{$sender_address_domain}{far.test}{/no/such/once}}
 user = mail
fr:
 driver = autoreply
 text = forced
 log = /var/mail/frlog
ff:
 driver = appendfile
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
 headers_remove = X-No
E
put vac <<'E'
ann: v1
bob: v2
cat: v3
dee: v4
two: "second"
E
put never <<'E'
*@never.test
^\Nbob.*\N
E
put reply.ann <<'E'
I am $local_part; you said $h_subject:
.dot
E
put reply.bob <<'E'
${if eq{$sender_address}{bad@far.test}{${unknown:x}}{ok $local_part $tod_zone}}
>From x
E
put filter <<'E'
# Exim filter
if $h_subject: contains "mail" then
 mail to $reply_address cc "bob@me.test" reply_to x@y.test subject "a\tb \"q\" $h_subject:" extra_headers "X-A: $h_x-a:\nX-B: é" file /etc/exim4/reply.ann
 mail expand file /etc/exim4/reply.ann return message to cat@me.test log /var/mail/flog
elif $h_subject: matches "(?i)vac" then
 vacation subject "V $1" once /var/mail/once.f once_repeat 2w3d expand file /etc/exim4/reply.ann
 unseen deliver ann@me.test
endif
if error_message then save /var/mail/errs 0600 finish endif
if foranyaddress $h_to:,$h_cc: ($thisaddress matches "^list(.*)@") then unseen save /var/mail/lists-$1 seen finish endif
if personal alias f1@me.test then add 3 to n1 unseen save /var/mail/pers endif
if $sn1 is 0 and $n1 is 3 then headers add "X-N: ${eval:$n1*2}" endif
if ${if match{$message_body}{x}{yes}{no}} is yes then logwrite "$tod_log body" endif
if manually_thawed or first_delivery then noerror deliver bob@me.test errors_to "" endif
if delivered then finish else testprint "no" endif
E
ADDRS='vac-ann@me.test vac-bob@me.test vac-cat@me.test vac-dee@me.test f1@me.test f2@me.test "q q"@me.test Vac-ANN@me.test'
for s in s@far.test - n@never.test list-x@far.test bad@far.test 'bob.x@far.test' '"q u"@far.test' 'owner-l@far.test'; do for sub in hello 'cc twice mail' 'bcc vac =?iso-8859-1?Q?=E4=F6?=' ; do
 f=$s; [ $s = - ] && f='<>'; { printf 'From: "S, s" <%s> (c (n))\nTo: list9@x.test, group: f1@me.test, "a b"@c.test;,\n  ann@me.test\nCc: =?utf-8?B?w6Q=?= <x@y.test>\nSubject: %s\n\tfolded\nX-A: 1\n%s\nDate: Thu, 26 Nov 2026 12:00:00 +0000\n\nbody x\n' "${s/-/p@far.test}" "$sub" "${AUTO:-X-B: 2}"; } > $work/v; $exim -odi -oi -f "$f" vac-ann@me.test vac-bob@me.test vac-cat@me.test vac-dee@me.test f1@me.test 'Vac-ANN@me.test' < $work/v 2>&1; done; after "$s"; done
for a in 'Auto-Submitted: auto-replied' 'Auto-Submitted: no' 'Precedence: list' 'List-Id: <x>' 'Resent-From: z@far.test' 'Reply-To: <r@far.test>, t@far.test' 'X-Bad: é'; do AUTO=$a; { printf 'From: s@far.test\nTo: f1@me.test\nSubject: mail\n%s\nDate: Thu, 26 Nov 2026 12:00:00 +0000\n\nbody\n' "$a"; } | $exim -odi -oi -f s2@far.test f1@me.test f2@me.test vac-ann@me.test 2>&1; after "$a"; done
HEADER='From: a@b, (c) d@e
X-Long: a
 b
	c
To: undisclosed-recipients:;
Cc: "x\"y" <a@b.test>, <@r1,@r2:u@v.test>, =?bad?x?y?= <k@l>'; SUBJECT='hs =?utf-8?Q?=C3=A4?='
quick

head_ <<'E' | new u4b
# rates of every form, seen, variables, delays and codes
acl_smtp_connect = c
acl_smtp_helo = h
acl_smtp_mail = m
acl_smtp_rcpt = r
acl_smtp_predata = p
acl_smtp_data = d
acl_smtp_quit = q
acl_smtp_notquit = nq
acl_smtp_mime = mi
smtp_ratelimit_mail = 2,0.1s,1.1,1s
smtp_ratelimit_rcpt = 3,0s,1.05,1s
smtp_ratelimit_hosts = 192.0.2.20
smtp_return_error_details
begin acl
c:
 warn ratelimit = 3 / 1h / per_conn / strict
  log_message = conn $sender_rate / $sender_rate_limit / $sender_rate_period
 warn ratelimit = 0 / 1m / per_conn / noupdate / x-$sender_host_address
  logwrite = nou $sender_rate
 accept
h:
 warn ratelimit = 1 / 10m / per_cmd / leaky / helo:$sender_helo_name
  logwrite = helo rate $sender_rate ${sg{$sender_rate}{\\..*}{}}
 warn !seen = -5m / key=${sender_host_address}_$sender_helo_name / write
  logwrite = first $sender_helo_name
 warn seen = -1h / key=${sender_host_address}_$sender_helo_name / readonly
  logwrite = seen
 accept
m:
 defer ratelimit = 4 / 1h / per_mail / strict / $sender_address
  message = 452 4.2.1 slow $sender_rate_limit/$sender_rate_period
  log_message = rate $sender_rate
 warn ratelimit = 2.5K / 1d / per_byte / s-$sender_address
  logwrite = size $message_size $sender_rate
 warn ratelimit = 1.5 / 90m / count=2.5 / c-$sender_address
  logwrite = count $sender_rate
 accept
r:
 warn ratelimit = 5 / 2h / per_rcpt / strict
  set acl_m_r = $sender_rate
  logwrite = rcpt $acl_m_r
 warn ratelimit = 2 / 1h / per_addr
  logwrite = addr $sender_rate
 warn ratelimit = 2 / 1h / unique=$local_part / per_rcpt
  logwrite = uniq $sender_rate
 warn ratelimit = 100 / 1h / per_rcpt / readonly / $sender_address
  logwrite = ro
 warn condition = ${if eq{$local_part}{bad}}
  ratelimit = ${if eq{$domain}{a.test}{x}{1}} / 1q
 warn condition = ${if eq{$local_part}{bad2}}
  ratelimit = 1 / 1h / per_nothing
 warn condition = ${if eq{$local_part}{bad3}}
  ratelimit = -1 / 1h / per_rcpt
 warn condition = ${if eq{$local_part}{bad4}}
  ratelimit = 1 / 1h / strict / leaky
 warn condition = ${if eq{$local_part}{bad5}}
  ratelimit = 1 / 0s
 warn condition = ${if eq{$local_part}{bad6}}
  ratelimit = 1
 warn condition = ${if eq{$local_part}{bad7}}
  seen = 5m / key=
 warn condition = ${if eq{$local_part}{bad8}}
  seen = never / key=x
 warn condition = ${if eq{$local_part}{bad9}}
  seen = -1d / refresh=1h / key=a:b
  logwrite = refreshed
 drop ratelimit = 30 / 1h / per_rcpt / noupdate / all
 discard local_parts = disc
  ratelimit = 1 / 1h / per_rcpt / strict / disc
  log_message = disc $sender_rate
 deny local_parts = no
  message = 5${sg{x}{x}{50}} 5.7.9 ${if >{$rcpt_count}{2}{many}{few}} $rcpt_defer_count
 defer local_parts = later
  message = 550 not fitting
 deny local_parts = four
  message = 451 4.3.0 neither
 warn local_parts = wm
  message = X-Warn: header by message
 warn local_parts = w2
  message = :after_received:X-After: y
  set acl_c_x = ${eval:0$acl_c_x+1}
 accept local_parts = acc
  endpass
  message = endpassed $acl_c_x
  condition = ${if eq{$domain}{a.test}}
 require message = req $local_part
  log_message = ${if eq{$local_part}{req}{REQ}fail}
  local_parts = ! req
 accept message = 250 well $local_part
p:
 warn ratelimit = 1 / 1h / per_mail / pre
  logwrite = pre $sender_rate
 accept
d:
 warn ratelimit = 300 / 1h / per_byte / strict
  logwrite = bytes $sender_rate
 accept ratelimit = 2 / 1h / per_rcpt / data
  logwrite = d $sender_rate
 accept
q:
 warn logwrite = quit $acl_c_x $sender_rate
 accept message = bye $smtp_command_history
nq:
 warn logwrite = notquit $smtp_notquit_reason
 accept
mi:
 accept
begin routers
all:
 driver = accept
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
E
ADDRS='a@a.test bad@a.test bad@b.test bad2@a.test bad3@a.test bad4@a.test bad5@a.test bad6@a.test bad7@a.test bad8@a.test bad9@a.test disc@a.test no@a.test later@a.test four@a.test wm@a.test w2@a.test acc@a.test acc@b.test req@a.test'
EXTRA='HELO other
MAIL FROM:<s@far.test> SIZE=2000
RSET
MAIL FROM:<s@far.test> SIZE=2000
RCPT TO:<disc@a.test>
DATA
MAIL FROM:<z@far.test>
RCPT TO:<wm@a.test>
RCPT TO:<w2@a.test>
DATA
Subject: x

y
.'
HEADER='X-B: 2' SUBJECT=
quick; exim_dumpdb $S ratelimit | sed 's/^[^ ]* [^ ]* rate: *[0-9.]*/R/; s/rate: *[0-9.]*/R/' | sort; exim_dumpdb $S seen | cut -c1-3
