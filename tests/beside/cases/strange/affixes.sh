# A backup MX with ETRN and rewriting, a tree of included files with affixes, LMTP and keys by domain. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
new e1 <<'E'
# backup MX with ETRN, address lists, rewriting with every flag, headers rewriting
domainlist local_domains = me.test
domainlist backup = etrn.test : lsearch;/etc/exim4/backup
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
smtp_etrn_command = /bin/sh -c "echo etrn $domain >> /var/spool/exim4/etrn.log"
smtp_etrn_serialize = false
smtp_enforce_sync = false
queue_smtp_domains = +backup
log_selector = +address_rewrite +all_parents -pid +retry_defer +received_recipients
rewrite_headers = yes
.ifdef rewrite_headers
.endif
local_interfaces = <; 127.0.0.1 ; 192.0.2.1
delay_warning = 1h:2h
delay_warning_condition = ${if match{$h_precedence:}{(?i)bulk|list|junk}{no}{yes}}
acl_smtp_etrn = e
acl_smtp_rcpt = r
acl_smtp_vrfy = accept
begin acl
e:
 accept hosts = 192.0.2.0/28
  condition = ${if match{$smtp_command_argument}{\N^#\w+\.test$\N}}
 deny message = ETRN of ${quote:$smtp_command_argument} is refused
r:
 accept hosts = 127.0.0.1
 accept domains = +local_domains : +backup
  verify = recipient
 deny sender_domains = rewr.test
 accept condition = ${if eq{$sender_address}{}}
begin routers
bk:
 driver = manualroute
 domains = +backup
 route_data = 192.0.2.9::2525
 transport = s
 headers_add = X-Route: $domain via ${local_part}
lu:
 driver = accept
 domains = +local_domains
 check_local_user
 transport = l
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 headers_rewrite = *@me.test out-$1@me.test f : *@etrn.test $1@far.test ht
 return_path = ${if match_address{$return_path}{*@me.test}{bounces+$return_path_id@me.test}fail}
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 return_path_add
begin retry
*.test *  senders=: F,1h,10m
etrn.test refused_MX F,1h,1m
etrn.test timeout_connect F,2h,5m; G,10h,1h,2
lsearch;/etc/exim4/backup rcpt_4xx F,1d,1h
*@me.test quota_7d F,1h,1m
* * F,2h,15m
begin rewrite
*@secret.test hidden@me.test F
\N^(?i)UPPER@(.*)$\N lower@$1 q
*@q.test "${if eq{$local_part}{keep}{fail}{${lc:$1}@me.test}}" Q
cat@me.test tom@me.test c
*.sub.test $1@$2.me.test Efrq
bob@me.test "Bob B <robert@me.test>" fw
!ann@list.test $1@me.test tR
\N^(.*)@smtp\.test$\N $1@me.test S
*@h.test ${local_part}@${lookup{$domain}lsearch{/etc/exim4/hmap}{$value}fail} hr
E
sed -i '/^rewrite_headers/d;s/bounces+\$return_path_id/bounces/' $E/exim4.conf; sed -i 's/^!ann@list.test/*@list.test/' $E/exim4.conf
printf 'b2.test: x\n' | put backup; printf 'h.test: far.test\n' | put hmap
ADDRS="u@etrn.test u@b2.test bob@me.test cat@me.test x@secret.test UPPER@me.test keep@q.test AA@q.test a@b.sub.test ann@list.test bob@list.test ann@smtp.test z@h.test"
SENDERS="s@far.test x@secret.test a@b.sub.test bob@me.test"
BE='${rewrite:bob@me.test}
${rewrite{x@secret.test}}
$smtp_etrn_command'
EXTRA='ETRN etrn.test
ETRN @etrn.test
ETRN #b2.test
VRFY <bob@me.test>'
HEADER='From: bob@me.test (B), "x" <x@secret.test>
Cc: cat, UPPER@q.test, a@b.sub.test
Reply-To: z@h.test
Sender: AA@q.test'
NAMES="smtp_etrn_command +backup delay_warning"; host 9 port=2525 rcpt:u@b2.test='451 later'
for i in bob@me.test x@secret.test a@b.sub.test AA@q.test z@h.test Cat@me.test UPPER@x.test 'Foo <bob@me.test>'; do x -brw "$i" 2>&1; done; for i in u@etrn.test b2.test u@x.test far.example 'etrn.test x.test'; do x -brt $i 2>&1;  x -brt $i 192.0.2.9 refused 2>&1; x -brt $i rcpt_450 2>&1; done; x -brt bob@me.test quota_8d 2>&1
battery; cat $S/etrn.log; x -Retrn.test; heard 9; x -qff; gone 9; after etrn

new e2 <<'E'
# include tree with macros and .ifdef; dsearch domains; affixes of all kinds
.include /etc/exim4/conf.d/main
.include_if_exists /etc/exim4/conf.d/nothere
begin acl
.include "/etc/exim4/conf.d/acl"
begin routers
.include /etc/exim4/conf.d/routers
begin transports
.include /etc/exim4/conf.d/transports
.ifdef WITH_RETRY
begin retry
* * F,1h,1m
.elifdef NO_RETRY
begin retry
.else
begin retry
* * F,2h,RETRYINT
.endif
E
cat <<'F' | put conf.d/main
VDIR = /etc/exim4/virtual
RETRYINT = 7m
AFFIX = +* : -*
domainlist local_domains = dsearch;VDIR
domainlist others = \
   # comment within
   a.test : \
   b.test
qualify_domain = a.test
qualify_recipient = ${if exists{VDIR/main}{\
    ${readfile{VDIR/main}{}}\
   }{me.test}}
tls_advertise_hosts =
host_lookup =
acl_smtp_rcpt = r
.ifdef VDIR
acl_smtp_vrfy = accept
.ifndef NOSUCH
acl_smtp_expn = accept
.endif
.else
acl_smtp_vrfy = deny
.endif
F
sed -i '/^qualify_recipient/,/^ *}{me/d' $E/conf.d/main
cat <<'F' | put conf.d/acl
r:
  accept domains = +local_domains
         endpass
         message = ${if def:acl_verify_message {$acl_verify_message}{no $local_part_prefix$local_part$local_part_suffix in $domain_data}}
         verify = recipient
  accept hosts = 127.0.0.1
  deny message = ${if match_domain{$domain}{+others}{other}{none}}
F
cat <<'F' | put conf.d/routers
real:
 driver = accept
 domains = +local_domains
 local_part_prefix = real-
 local_parts = lsearch,ret=key;VDIR/$domain_data
 transport = l
pre:
 driver = redirect
 domains = +local_domains
 local_part_prefix = owner-*- : xx* : *-yy
 data = ann-pre-${local_part_prefix_v}@a.test
 caseful_local_part
 condition = ${lookup{$local_part}lsearch{VDIR/$domain_data}{yes}{no}}
exp:
 driver = redirect
 domains = +local_domains
 local_part_suffix = AFFIX : .list
 local_part_suffix_optional
 data = ${lookup{$local_part}lsearch{VDIR/$domain_data}}
 file_transport = f
 pipe_transport = pi
 reply_transport = re
 allow_filter
 allow_fail
 include_directory = /etc/exim4/inc
 skip_syntax_errors
 check_ancestor
 headers_add = X-Aff: $local_part_suffix/$local_part_suffix_v\
   /${uc:$local_part_prefix}
oth:
 driver = manualroute
 domains = +others
 local_part_suffix = +*
 local_part_suffix_optional
 route_list = * 192.0.2.9
 transport = s
 set = r_x = ${local_part_suffix_v}
 more = false
accs:
 driver = accept
 domains = ! +local_domains
 transport = l
 condition = ${if eq{$local_part}{acc}}
 condition = ${if eq{$domain}{acc.test}}
 ignore_target_hosts = 127.0.0.1
F
cat <<'F' | put conf.d/transports
s:
 driver = smtp
 hosts_try_fastopen =
 rcpt_include_affixes
 headers_add = X-R: $r_x
l:
 driver = appendfile
 file = /var/mail/loc
 user = mail
 rcpt_include_affixes = true
 envelope_to_add
f:
 driver = appendfile
 user = mail
pi:
 driver = pipe
 user = mail
 ignore_status
re:
 driver = autoreply
 user = mail
F
printf 'ann: acc@acc.test\nlist: ann@a.test, bob+tag@b.test, :include:/etc/exim4/inc/l1\nfilt: "#Exim filter\\nsave /var/mail/filt\\n"\nw: :fail:550 5.1.1 w is gone\nd: :defer: try later\nbad: a b c, ann@a.test\n' | put virtual/a.test; printf 'x: x@b.test\n' | put virtual/vv.test; printf 'acc@acc.test\n' | put inc/l1
[ -e $E/conf.d/routers ] || echo MISSING
ADDRS="ann@a.test real-ann@a.test owner-q-list@a.test xxann@a.test ann-yy@a.test list.list@a.test filt+x@a.test w@a.test d-1@a.test bad@a.test u+tag@b.test x+y@vv.test acc@acc.test none@vv.test"
BE='AFFIX RETRYINT
${if match_local_part{xx}{xx*}{y}{n}}'
NAMES="macro macros +others retry"; host 9
battery; x -DWITH_RETRY=1 -brt x@y.test 2>&1;  x -DNO_RETRY -brt x@y.test 2>&1; x -brt x@y.test; gone 9

new e3 <<'E'
# lmtp and several maildirs, dovecot-like delivery; DKIM keys by look-up; body checks
domainlist local_domains = me.test : *.me.test
DKIM_DOMAIN = ${lc:${domain:$h_from:}}
DKIM_FILE = /etc/exim4/dkim/${lookup{DKIM_DOMAIN.pem}dsearch{/etc/exim4/dkim}}
.ifdef DKIM_DOMAIN
DKIM_KEY = ${if exists{DKIM_FILE}{DKIM_FILE}{0}}
.endif
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
acl_smtp_rcpt = accept hosts = *
acl_smtp_data = d
acl_not_smtp = d
begin acl
d:
 warn condition = ${if match{$message_headers_raw}{(?im)^subject:.*=\\?utf-8\\?}}
  add_header = X-Sub: ${rfc2047:$rh_subject:}
 warn set acl_m_n = ${reduce{${addresses:$h_to:}:${addresses:$h_cc:}}{0}{${eval:$value+1}}}
  add_header = X-N: $acl_m_n\n ${map{<,a,b}{($item)}}
  add_header = X-H: ${sg{${filter{<\n $message_headers}{match{$item}{^X-}}}}{\n}{|}}
 accept
begin routers
dk:
 driver = manualroute
 domains = !+local_domains
 route_list = * 192.0.2.9
 transport = dk
lm:
 driver = manualroute
 domains = *.me.test
 route_list = * 192.0.2.8::24
 transport = lm
lp:
 driver = accept
 local_part_suffix = --lda
 transport = lda
 user = mail
lu:
 driver = accept
 check_local_user
 transport = mx
begin transports
dk:
 driver = smtp
 hosts_try_fastopen =
 dkim_domain = DKIM_DOMAIN
 dkim_selector = ${lookup{DKIM_DOMAIN}lsearch{/etc/exim4/selectors}{$value}{def}}
 dkim_private_key = DKIM_KEY
 dkim_canon = relaxed
 dkim_sign_headers = From:To:Subject
 dkim_timestamps = 3600
lm:
 driver = smtp
 protocol = lmtp
 port = 24
 hosts_try_fastopen =
lda:
 driver = lmtp
 command = /bin/sh /etc/exim4/lmtpd $local_part_suffix
 batch_max = 4
 batch_id = x
mx:
 driver = appendfile
 file = /var/mail/${local_part_data}.mbx
 mbx_format
 no_check_owner
 lock_fcntl_timeout = 2s
E
mkdir $E/dkim; openssl genrsa 2048 2>/dev/null > $E/dkim/me.test.pem; chmod 644 $E/dkim/*; printf 'me.test: sel1:sel2\n' | put selectors
cat <<'F' | put lmtpd
echo 220 lmtp; while read -r l; do case $l in LHLO*) echo 250 ok;; MAIL*) n=0; echo 250 ok;; RCPT*bad*) echo 550 no bad;; RCPT*) n=$((n+1)); echo 250 ok;; DATA*) echo 354 go; while read -r l; do [ "${l%?}" = . ] && break; [ "$l" = . ] && break; done; i=0; while [ $i -lt $n ]; do i=$((i+1)); [ $i = 2 ] && echo 452 full || echo 250 taken; done;; QUIT*) echo 221 bye; exit;; esac; done
F
ADDRS="ann@me.test u@far.test bob@x.me.test a--lda@me.test b--lda@me.test bad--lda@me.test c--lda@me.test cat@me.test no@x.me.test"
SENDERS="s@far.test -"; host 9; host 8 port=24 rcpt:no@x.me.test='550 no' ; HEADER='Subject: =?utf-8?q?=C3=A4?= b
From: Me <ann@me.test>'
BE='${dkim:x}
${reduce{a:b:c}{}{$value$item}}'
battery; heard 8; gone 9 | sed 's/bh=[^;]*/bh=H/;s/b=[A-Za-z0-9+\/=\\rnt ]*/b=S/'; gone 8
