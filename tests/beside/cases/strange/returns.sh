# Lists with returns by recipient and tagged senders; hosts and logins by sender; who says who sends. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOK=1
head_ <<'E' | new u3a
# lists: VERP by transport, prvs in ACL and router, bounce addresses, moderators
LISTS = /etc/exim4/lists
VERP = x
domainlist lists = lists.test
acl_smtp_rcpt = rcpt
acl_smtp_data = data
acl_smtp_mime = accept
prdr_enable
dsn_advertise_hosts = *
dsn_from = Lists <postmaster@lists.test>
errors_reply_to = owner@lists.test
errors_copy = *-bounces@lists.test arch@lists.test,arch2@lists.test : *@me.test ${if eq{$local_part}{ann}{}{pm@me.test}}
bounce_message_file = /etc/exim4/bounce
warn_message_file = /etc/exim4/warn
bounce_message_text = Some text of ours
bounce_sender_authentication = bounce@me.test
bounce_return_body = no
bounce_return_size_limit = 300
bounce_return_linesize_limit = 40
begin acl
rcpt:
 warn condition = ${prvscheck{$local_part@$domain}{secret}{1}}
  set acl_m_prvs = $prvscheck_address k=$prvscheck_keynum r=$prvscheck_result
  logwrite = prvs $acl_m_prvs
 deny senders = :
  condition = ${if match{$local_part}{^prvs=}}
  condition = ${if !eq{$prvscheck_result}{1}}
  message = bad tag <$prvscheck_result>
 deny senders = :
  local_parts = ann
  message = untagged
 accept domains = +lists
  local_parts = dsearch,filter=subdir;LISTS
  set acl_m_list = $local_part_data
  condition = ${if exists{LISTS/$local_part_data/closed}{${lookup{$sender_address}lsearch*@{LISTS/$local_part_data/members}{yes}{no}}}{yes}}
  verify = recipient
 accept domains = +lists
  local_parts = dsearch,filter=subdir;LISTS
  condition = ${lookup{$sender_address}wildlsearch{LISTS/$local_part_data/moderators}{yes}}
  endpass
  acl = moderated $local_part_data "a b" ${quote:$sender_address}
 accept verify = recipient
 deny message = ${acl{why}{$local_part}{$domain}{${if def:acl_m_list{l}}}}
moderated:
 deny condition = ${if eq{$acl_arg2}{"a}}
  message = args $acl_narg <$acl_arg1> <$acl_arg2> <$acl_arg3> <$acl_arg4>
 warn logwrite = n=$acl_narg $acl_arg1|$acl_arg2|$acl_arg3|$acl_arg4
 accept
why:
 accept message = No $acl_arg1 at $acl_arg2 [$acl_arg3] $acl_narg
data:
 deny condition = ${if and{{def:acl_m_list}{match{$message_body}{unsubscribe}}}}
  message = Send this to ${acl_m_list}-request
 warn condition = ${if !def:h_list-id:}
  add_header = List-Post: <mailto:$acl_m_list@lists.test>
  add_header = :after_received:List-Id: ${rfc2047:L\xefst} <$acl_m_list.lists.test>
 accept
begin routers
prvs_in:
 driver = redirect
 data = ${prvscheck{$local_part@$domain}{${lookup{$prvscheck_address}lsearch*@{/etc/exim4/keys}}}}
 repeat_use = false
 address_data = prvs $prvscheck_address $prvscheck_keynum
bounces:
 driver = accept
 domains = +lists
 local_parts = dsearch,filter=subdir;LISTS
 local_part_suffix = -bounces+* : -bounces : -owner : -admin : ^-x(\\d+)
 transport = bounce_pipe
 headers_add = X-Bounced: ${sg{$local_part_suffix_v}{=([^=]*)\$}{@\$1}}\n
request:
 driver = redirect
 domains = +lists
 router_home_directory = /var/mail
 local_parts = dsearch,filter=subdir;LISTS
 local_part_suffix = -request
 file = LISTS/$local_part_data/filter
 allow_filter
 no_verify
 user = mail
 reply_transport = r
 file_transport = f
 headers_remove = X-A
list:
 driver = redirect
 domains = +lists
 local_parts = dsearch,filter=subdir;LISTS
 file = LISTS/$local_part_data/members
 include_directory = LISTS
 errors_to = $local_part_data-bounces@lists.test
 headers_add = Precedence: list\nList-Unsubscribe: <mailto:$local_part_data-request@$domain?subject=unsubscribe>
 headers_remove = return-receipt-to : dkim-signature : X-A
 check_ancestor
 forbid_pipe
 forbid_file
 syntax_errors_to = $local_part_data-owner@lists.test
 syntax_errors_text = fix $local_part
 skip_syntax_errors
 unseen = ${if exists{LISTS/$local_part_data/archive}{yes}{no}}
 one_time = no
archive:
 driver = accept
 domains = +lists
 local_parts = dsearch,filter=subdir;LISTS
 condition = ${if exists{LISTS/$local_part_data/archive}}
 transport = arch
 errors_to = ${if eq{$local_part_data}{news}{}{fail}}
 no_verify
ann_out:
 driver = manualroute
 domains = far.test : *.far.test
 senders = ann@me.test
 route_data = ${lookup{$sender_address}lsearch{/etc/exim4/hosts}}
 transport = tagged
verp_out:
 driver = manualroute
 domains = far.test : *.far.test
 senders = *-bounces@lists.test
 route_list = *.far.test <+ 192.0.2.11 + 192.0.2.12 byname; * 192.0.2.11
 transport = verp
out:
 driver = manualroute
 domains = far.test : *.far.test
 route_list = * 192.0.2.11
 transport = ${if eq{$sender_address}{}{s}{s2}}
loc:
 driver = accept
 domains = me.test : lists.test
 local_parts = ann : bob : postmaster : owner : arch : arch2 : pm
 transport = f2
begin transports
verp:
 driver = smtp
 hosts_try_fastopen =
 max_rcpt = 1
 return_path = ${if match{$return_path}{^(.+?)-bounces@lists.test\$}{$1-bounces+${sg{$local_part@$domain}{@}{=}}@lists.test}fail}
 headers_add = X-Verp: $return_path $local_part
tagged:
 driver = smtp
 hosts_try_fastopen =
 return_path = ${prvs{$return_path}{secret}{3}}
 headers_rewrite = ann@me.test "Ann <ann+$local_part@me.test>" fsw : * $0 q
 headers_remove = <; ${if eq{$domain}{far.test}{Message-ID}} ; x-*
s:
 driver = smtp
 hosts_try_fastopen =
s2:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 2
 max_rcpt = 2
bounce_pipe:
 driver = pipe
 command = /usr/bin/printf "%s|" "$local_part" "$local_part_suffix" "$local_part_suffix_v" ${lc:"$sender_address"}
 return_output
 user = mail
 log_output
arch:
 driver = appendfile
 file = /var/mail/arch.$local_part_data
 user = mail
 message_prefix = "=== ${tod_zone} $return_path\n"
 message_suffix = "===\n"
 check_string = "==="
 escape_string = "|==="
 use_crlf
 body_only = no
f:
 driver = appendfile
 user = mail
f2:
 driver = appendfile
 file = /var/mail/l-$local_part_data
 user = mail
r:
 driver = autoreply
 user = mail
 log = /var/mail/rlog
 once = /var/mail/once
begin retry
* * F,1d,1h
begin rewrite
E
mkdir -p $E/lists/{news,closed,empty}; put keys <<'E'
ann@me.test: secret
*@lists.test: other
E
put hosts <<'E'
ann@me.test: 192.0.2.11:192.0.2.12 byname
E
put lists/news/members <<'E'
a@far.test, "B b"@x.far.test
bob@me.test # c
c@far.test (comment)
bad <@>
:include:/etc/exim4/lists/closed/members
/var/mail/no
ann@me.test
E
put lists/closed/members <<'E'
s@far.test
ann@me.test
E
touch $E/lists/closed/closed $E/lists/news/archive $E/lists/empty/members
put lists/closed/moderators <<'E'
*@far.test: x
^m.*@me\.test
E
put lists/news/filter <<'E'
# Exim filter
if $h_subject: contains "help" then mail to $reply_address subject "Re: $h_subject:" text "try\nagain" extra_headers "X-E: 1\n" once /var/mail/onced once_repeat 1d log /var/mail/mlog return message
elif $h_subject: begins "sub" then save /var/mail/subs 0640
else vacation text "gone $n1 $local_part $local_part_suffix" endif
E
put bounce <<'E'
Subject: Returned: ${if def:h_subject:{$h_subject:}{none}}
X-Bounce: $bounce_recipient
****
Could not deliver to those below, $sender_address
****
Text behind
****
--- copy ---
****
--- cut at $bounce_return_size_limit ---
****
--- none ---
E
put warn <<'E'
Subject: Waiting $warn_message_delay
****
It is $warn_message_delay for $warn_message_recipients
****
end
E
host 11 rcpt:c@far.test='550-5.1.1 no c\n550 5.1.1 really' rcpt:late@far.test='450 later' ehlo='250-h\n250-DSN\n250 SIZE' show=1
P=$($exim -be '${prvs{ann@me.test}{secret}{3}}' 2>/dev/null); Q=$($exim -be '${prvs{bob@me.test}{other}}')
ADDRS="news@lists.test closed@lists.test empty@lists.test news-request@lists.test news-bounces@lists.test news-bounces+a=far.test@lists.test news-owner@lists.test news-x12@lists.test news-xx@lists.test nolist@lists.test $P $Q prvs=0123abcdef=ann@me.test prvs=x=y@me.test ann@me.test bob@me.test x@far.test c@far.test late@far.test y@z.far.test NEWS@lists.test News-Request@LISTS.test owner@lists.test"
SENDERS="s@far.test - ann@me.test m1@me.test m2@far.test"
HEADER='Return-Receipt-To: x@y
DKIM-Signature: v=1; a=b
X-A: gone'; SUBJECT='help unsub'
EXTRA='MAIL FROM:<s@far.test> RET=HDRS ENVID=e1
RCPT TO:<c@far.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;c@o.test
RCPT TO:<late@far.test> NOTIFY=NEVER
RCPT TO:<x@far.test> NOTIFY=SUCCESS
DATA
Subject: dsn

unsubscribe
.
MAIL FROM:<ann@me.test> RET=FULL PRDR
RCPT TO:<x@far.test> NOTIFY=SUCCESS ORCPT=x
RCPT TO:<c@far.test> NOTIFY=SUCCESS,NEVER
RCPT TO:<c@far.test>
RCPT TO:<news@lists.test> NOTIFY=SUCCESS
DATA
Subject: more

text that has some words to be cut at some place for the report
a long line here is longer than the limit of the report that counts forty in all
x
.'
SHOW='/var/mail/mlog /var/mail/rlog'
battery
gone 11

head_ <<'E' | new u3b
# smarthosts by sender
acl_smtp_rcpt = accept
acl_smtp_mail = accept
add_environment = A=b:PATH=/bin
hold_domains = hold.test
queue_domains = <; later.test ; *.later.test
queue_smtp_domains = qs.test
queue_only_file = /etc/exim4/queueonly:smtp/etc/exim4/smtponly
remote_sort_domains = b.test : *.a.test
timeout_frozen_after = 1d
local_sender_retain
no_local_from_check
local_from_prefix = *-
untrusted_set_sender = ^.*@me\.test$ : !*
unknown_username = anon
unknown_login = nobody
uucp_from_pattern = ^>>>(\\S+)
uucp_from_sender = ${lc:$1}
begin routers
hosts:
 driver = manualroute
 domains = ! local.test
 senders = ! : *
 address_data = ${lookup{$sender_address}lsearch*@{/etc/exim4/smart}{$value}fail}
 route_data = ${extract{host}{$address_data}}
 transport = ${extract{tr}{$address_data}{$value}{s}}
 host_find_failed = decline
 fallback_hosts = 192.0.2.12
 debug_print = h
 set = r_pass = ${extract{pass}{$address_data}{$value}{}}
 errors_to = ${extract{err}{$address_data}{$value}fail}
 headers_add = ${extract{add}{$address_data}{X-Add: $value}}
 dnssec_request_domains = *
hff_ign:
 driver = manualroute
 senders = ign@me.test
 route_list = * none1.test:192.0.2.11:none2.test
 host_find_failed = decline
 host_all_ignored = decline
 ignore_target_hosts = ${if eq{$local_part}{all}{192.0.2.11}}
 transport = s
nobody:
 driver = manualroute
 senders = :
 route_list = *.a.test "192.0.2.11" byname; nwildlsearch;/etc/exim4/routes $value byname ; ^(.*)\\.re\\.test 192.0.2.1\$1
 transport = s
loc:
 driver = accept
 transport = ${if eq{$local_part}{none}{nothere}{l}}
 domains = local.test : me.test
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 hosts_override = no
 hosts = 192.0.2.12
 hosts_try_auth = ${if eq{$r_pass}{}{}{*}}
 hosts_require_auth = ${if eq{$r_pass}{must}{*}}
 connect_timeout = 1s
ov:
 driver = smtp
 hosts_try_fastopen =
 hosts = 192.0.2.12 : 192.0.2.11
 hosts_override
 helo_data = ${lookup{$sending_ip_address}lsearch{/etc/exim4/smart}{$value}{$primary_hostname-$host}}
 interface = ${if eq{$host_address}{192.0.2.11}{192.0.2.1}{}}
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
begin authenticators
p:
 driver = plaintext
 public_name = LOGIN
 client_send = : ${extract{1}{/}{$r_pass}{$value}fail} : ${extract{2}{/}{$r_pass}}
c:
 driver = cram_md5
 public_name = CRAM-MD5
 client_name = ${extract{1}{/}{$r_pass}}
 client_secret = ${extract{2}{/}{$r_pass}{$value}fail}
 client_condition = ${if eq{$host}{192.0.2.11}}
begin retry
E
put smart <<'E'
ann@me.test: host=192.0.2.11 pass=u/p add="a b"
bob@me.test: host="192.0.2.99:192.0.2.11" tr=ov err=ann@me.test
*@far.test: host=none.test
pass@me.test: host="none.test : 192.0.2.11" pass=must
must@me.test: host=192.0.2.12 pass=must
inl@me.test: host="+ 192.0.2.11 + none.test"
bad@me.test: host=192.0.2.11 tr=zz
192.0.2.1: helo.me.test
E
put routes <<'E'
b.test: 192.0.2.11
*.c.test: 192.0.2.12
E
host 11 ehlo='250-h\n250-AUTH LOGIN CRAM-MD5 PLAIN\n250 SIZE' auth='334 PDEyMy40QHg+' show=1
host 12 ehlo='250-h2\n250 AUTH PLAIN' show=1
ADDRS='a@b.test b@x.a.test c@y.c.test x@z.test d@1.re.test none@local.test u@me.test h@hold.test l@later.test l@x.later.test q@qs.test all@b.test'
SENDERS='ann@me.test bob@me.test s@far.test ign@me.test -'
for s in ann@me.test bob@me.test q@far.test pass@me.test must@me.test inl@me.test bad@me.test ign@me.test '<>'; do y -f "$s" -bt $ADDRS; msg z | $exim -odi -oi -f "$s" $ADDRS 2>&1; after $s; done
for u in 5001 5002; do for f in '-f x@me.test' '-f x@far.test' '-f <>' ''; do printf '>>>AnN@Far.test x\nFrom: *-ann@me.test\nSender: z@q.test\nTo: u@me.test\nSubject: f\n\nx\n' | as $u $exim -odi -oi $f u@me.test 2>&1; printf 'From: list-ann@me.test\nTo: u@me.test\nSubject: f\n\nx\n' | as $u $exim -odi -oi $f -F 'A "q" b' u@me.test 2>&1; done; done
after froms
touch $E/smtponly; battery; touch $E/queueonly; msg x | $exim -odi u@me.test; after qo
gone 11; gone 12
