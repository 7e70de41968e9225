# Customers with files of their own that are included, programs that route, and logins of all kinds. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOK=1
mkdir -p /etc/exim4
head_ <<'E' | new u8a
# hosting: files of domains' own, included, macros with conditions, queryprogram, iplookup, odd lists
.ifndef DATADIR
DATADIR = /etc/exim4/data
.endif
DOMS = ${lookup{$domain}cdb{DATADIR/d.cdb}{$value}{${lookup{$domain}lsearch*@{DATADIR/d}{$value}fail}}}
MSGONE = You said $local_part
MSG2 = ${uc:MSGONE}
.ifdef _HAVE_DKIM
HASDKIM = yes
.elifdef _HAVE_SPF
HASDKIM = no
.else
HASDKIM = none
.endif
.include_if_exists DATADIR/missing
.include_if_exists /etc/exim4/data/main.inc
domainlist hosted = lsearch;DATADIR/d : dsearch;DATADIR/acl
domainlist relay_to = +extra : !+hosted : *.relay.test
domainlist extra = ^x\\d+\\.test\$ : \N^y(?<num>\d+)\.test$\N
hostlist relays = 192.0.2.5 : <, 192.0.2.0/30, !192.0.2.20
hostlist_cache cached = ${if eq{$sender_helo_name}{x}{192.0.2.20}{}}
addresslist bad = bad@* : *@bad.test : \N^spam\d+@\N : lsearch*@;DATADIR/bad : !good@bad.test
localpartlist lp = a : b* : ^c.*d\$ : !e : nwildlsearch;DATADIR/lp
acl_smtp_connect = ${if exists{DATADIR/conn.$sender_host_address}{${readfile{DATADIR/conn.$sender_host_address}{}}}{accept}}
acl_smtp_rcpt = ${if eq{${lookup{$domain}dsearch{DATADIR/acl}}}{}{rcpt}{DATADIR/acl/${lookup{$domain}dsearch{DATADIR/acl}}}}
acl_smtp_mail = mail
acl_smtp_predata = ${extract{$sender_host_address}{192.0.2.5=pre1 192.0.2.20="deny message = inline" }{$value}{accept}}
acl_smtp_vrfy = /etc/exim4/data/acl/vrfy
begin acl
mail:
 deny senders = +bad
  message = ${if match{$sender_address_data}{^(.*)\$}{data $1}} bad
 deny condition = ${if and{{!eq{$sender_address}{}}{match_domain{$sender_address_domain}{+extra}}}{yes}{no}}
  message = extra $sender_address_domain
 accept hosts = +relays
  set acl_c_rel = 1
 warn hosts = +cached
  logwrite = cached
 accept encrypted = *
 require condition = ${if bool_lax{$acl_c_rel}{yes}{yes}}
 accept
rcpt:
 .ifdef DATADIR
 warn local_parts = +lp
  set acl_m_lp = $local_part_data
  logwrite = lp <$acl_m_lp>
 .endif
.include /etc/exim4/data/rcpt.inc
 accept domains = +relay_to
  set acl_m_d = $domain_data
  logwrite = relay <$acl_m_d>
  verify = recipient/callout=1s,defer_ok
 accept domains = +hosted
  verify = recipient
 deny message = MSG2 ${if def:acl_m_lp{($acl_m_lp)}} HASDKIM
pre1:
 accept set acl_m_pre = $recipients_count
begin routers
prog:
 driver = queryprogram
 domains = prog.test
 command = DATADIR/prog ${quote:$local_part} "$domain" $local_part_suffix
 command_user = mail
 command_group = mail
 current_directory = /tmp
 timeout = 2s
 local_part_suffix = -*
 local_part_suffix_optional
 address_data = before
 transport = l2
 more = ${if eq{$local_part}{nomore}{no}{yes}}
 cannot_route_message = prog says no
ipl:
 driver = iplookup
 domains = ipl.test
 hosts = 192.0.2.11 : 127.0.0.1
 port = 4000
 protocol = tcp
 query = $local_part@$domain q
 reroute = ${if match{$1}{^u(.*)}{r$1@prog.test}{$1}}
 response_pattern = ^($local_part@$domain q) (.*)
 optional
 timeout = 1s
.ifdef EXTRA_ROUTER
EXTRA_ROUTER
 driver = accept
 domains = inc.test
 transport = incl
.endif
host:
 driver = redirect
 domains = +hosted
 address_data = DOMS
 data = ${lookup{$local_part}lsearch*{DATADIR/users/${extract{users}{$address_data}{$value}{none}}}{${if eq{$value}{SELF}{$local_part@${extract{to}{$address_data}{$value}{local.test}}}{$value}}}}
 allow_fail
 forbid_blackhole
 hide_child_in_errmsg
 headers_add = X-Own: $address_data
rel:
 driver = manualroute
 domains = +relay_to
 address_data = $domain_data/${extract{2}{/}{$address_data}{$value}{x}}
 route_list = x1.test 192.0.2.11::26 ; lsearch;DATADIR/routes $value ; nwildlsearch;DATADIR/routesw "$1.host.test:$value" byname ; *.relay.test $domain_data bydns,ipv4_only ; * 192.0.2.12
 transport = s
 host_find_failed = decline
loc:
 driver = accept
 domains = local.test : me.test : relay.local.test
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
l2:
 driver = appendfile
 file = /var/mail/box2
 user = mail
local:
 driver = appendfile
 file = /var/mail/box3
 user = mail
s:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 1s
.include_if_exists /etc/exim4/data/tr.inc
E
mkdir -p $E/data/acl $E/data/users
put data/main.inc <<'E'
# included
recipients_max = 20
EXTRA_ROUTER = inc:
.include_if_exists /etc/exim4/data/main2.inc
E
put data/rcpt.inc <<'E'
 deny local_parts = ^inc
  message = included
E
put data/tr.inc <<'E'
incl:
 driver = appendfile
 file = /var/mail/inc
 user = mail
E
put data/d <<'E'
one.test: users=one to=local.test
two.test: users=two
*.three.test: users=one to="me.test"
four.test
E
put data/users/one <<'E'
ann: SELF
bob: bob@far.test, ann@two.test
fail: :fail: MSGX
*: catch@me.test
E
put data/users/two <<'E'
ann: ann@one.test
bob: bob@two.test
bh: :blackhole:
E
put data/acl/own.test <<'E'
accept local_parts = ok
 message = own
deny message = own file says no to $local_part
E
put data/acl/vrfy <<'E'
accept
E
put data/conn.192.0.2.20 <<'E'
warn logwrite = conn file
accept
E
put data/bad <<'E'
x@far.test: one
*@listed.test: two
E
put data/lp <<'E'
zed: zeddata
^q(.): q-$1
w*: w
E
put data/routes <<'E'
r1.relay.test: 192.0.2.11 s
E
put data/routesw <<'E'
*.w.relay.test: 192.0.2.12
E
cat > $E/data/prog <<'E'
#!/bin/sh
case $1 in
acc) echo "ACCEPT TRANSPORT=l";;
hosts) echo "ACCEPT TRANSPORT=s HOSTS=192.0.2.11:192.0.2.12 LOOKUP=byname DATA=\"some data\"";;
dec) echo DECLINE;; fail) echo "FAIL no such $2";; defer) echo "DEFER try later";; freeze) echo "FREEZE x";; pass) echo PASS;;
redir) echo "REDIRECT ann@one.test, bob@local.test";; err) echo "ERROR oops"; exit 0;; rc) exit 3;; empty) ;; two) printf 'DECLINE\nACCEPT\n';; lower) echo "accept transport=l";; sleep) sleep 5;; bad) echo "ACCEPT TRANSPORT=nothere";; data) echo "ACCEPT DATA=$2-$3";; big) head -c 2000 /dev/zero | tr '\0' x;; nomore) echo DECLINE;; lk) echo "ACCEPT HOSTS=x LOOKUP=bad TRANSPORT=s";; stderr) echo x >&2; echo DECLINE;; loop) echo "REDIRECT loop@prog.test";; esac
E
chmod 755 $E/data/prog
host 11 rcpt:bad='550 no' show=1
ADDRS='acc@prog.test hosts@prog.test dec@prog.test fail@prog.test defer@prog.test freeze@prog.test pass@prog.test redir@prog.test err@prog.test rc@prog.test empty@prog.test two@prog.test lower@prog.test sleep@prog.test bad@prog.test data-suf@prog.test big@prog.test nomore@prog.test lk@prog.test stderr@prog.test loop@prog.test "a b"@prog.test acc-x@prog.test u@ipl.test ann@one.test bob@one.test fail@one.test zz@one.test ann@two.test bob@two.test bh@two.test x@a.three.test x@four.test x@x1.test x@y22.test x@r1.relay.test x@h.w.relay.test x@z.relay.test ok@own.test no@own.test inc@one.test x@inc.test zed@far.test qa@far.test we@far.test cad@far.test e@far.test'
SENDERS='s@far.test - bad@x.test good@bad.test spam12@x.test x@far.test u@listed.test u@x3.test'
BE='MSG2 HASDKIM ${if match_domain{y22.test}{+extra}{$value}{n}} ${if match_local_part{we}{+lp}{$value}{n}} ${if match_address{good@bad.test}{+bad}{y}{n}} ${if match_ip{192.0.2.2}{+relays}{y}{n}}'
battery 
gone 11
for m in -DEXTRA_ROUTER= -DDATADIR=/nonexist '-DMSGONE=other text' -DNEW=1 -DUNIX; do x $m -bt x@inc.test ann@one.test 2>&1; x $m -bP macros 2>&1 | grep -v ^_; x $m -be MSG2 2>&1; done

head_ <<'E' | new u8b
# logins of all kinds and what they may do
auth_advertise_hosts = ${if match_ip{$sender_host_address}{192.0.2.0/28}{*}{}}
acl_smtp_auth = au
acl_smtp_mailauth = ma
acl_smtp_mail = m
acl_smtp_rcpt = r
acl_smtp_data = d
log_selector = +smtp_mailauth +received_sender +sender_on_delivery +smtp_confirmation
begin acl
au:
 deny condition = ${if match{$smtp_command_argument}{(?i)^never}}
  message = 504 never
 accept logwrite = auth $smtp_command_argument $sender_helo_name
ma:
 accept condition = ${if match{$authenticated_sender}{far}}
 deny message = ma
m:
 deny !authenticated = *
  senders = *@me.test
  message = log in first
 warn authenticated = plain : ext*
  logwrite = by $sender_host_authenticated $authenticated_id $authenticated_sender $auth1 $auth2
 deny authenticated = login
  !senders = ${lookup{$authenticated_id}lsearch{/etc/exim4/may}{$value}{}}
  message = $authenticated_id may not be $sender_address
 accept
r:
 accept authenticated = *
  control = submission/sender_retain
 accept hosts = 192.0.2.20
  control = submission/domain=sub.test/name=Sub Name
 accept
d:
 warn add_header = X-Auth: $sender_host_authenticated $authenticated_id <$authenticated_sender> <$authenticated_fail_id> $authentication_failed
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
begin authenticators
plain:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = ${if and{{eq{$auth1}{}}{eq{$auth3}{${lookup{$auth2}lsearch{/etc/exim4/pw}}}}}}
 server_set_id = $auth2${if def:auth1{/$auth1}}
 server_debug_print = p $auth1 $auth2
 server_mail_auth_condition = ${if eq{$authenticated_id}{ann}}
login:
 driver = plaintext
 public_name = LOGIN
 server_prompts = <| User:Name | ${if eq{$auth1}{three}{Three?}{Pass}} | ${if eq{$auth1}{three}{Third}}
 server_condition = ${if eq{$auth1}{defer}{${lookup{x}lsearch{/no/such}}}{${if eq{$auth1}{fail}{${if eq{a}{b}{x}fail}}{${if crypteq{$auth2}{${lookup{$auth1}lsearch{/etc/exim4/crypt}{$value}{}}}{1}{0}}}}}}
 server_set_id = ${if eq{$auth1}{noid}{fail}{$auth1}}
 server_advertise_condition = ${if eq{$sender_helo_name}{nologin}{no}{yes}}
cram:
 driver = cram_md5
 public_name = CRAM-MD5
 server_secret = ${lookup{$auth1}lsearch{/etc/exim4/pw}{$value}fail}
 server_set_id = $auth1
ext:
 driver = external
 public_name = EXTERNAL
 server_param2 = ${if eq{$auth1}{ann@x}{ok}{}}
 server_condition = ${if eq{$auth2}{ok}}
 server_set_id = ${local_part:$auth1}
never:
 driver = plaintext
 public_name = NEVER
 server_condition = yes
yes:
 driver = plaintext
 public_name = ONE-STEP
 server_prompts = Tell me
 server_condition = ${if eq{$auth1}{}{yes}{$auth1}}
 server_set_id = s:$auth1
bad:
 driver = plaintext
 public_name = BAD
 server_prompts = ${bad}
 server_condition = ${bad2}
client:
 driver = plaintext
 public_name = CLIENT
 client_send = x
E
put pw <<'E'
ann: secret
bob: b c
"q u": pw
E
printf 'ann: %s\nbob: {md5}%s\nthree: \\{crypt\\}%s\nnoid: %s\n' "$(openssl passwd -1 -salt ab secret)" 00000000000000000000000000000000 "$(openssl passwd -1 x)" "$(openssl passwd -5 -salt s x)" > $E/crypt
printf 'ann: ann@me.test\nthree: *@me.test\n' > $E/may
p() { printf '%b' "$1" | base64 -w0; }
CR=$(p 'x')
EXTRA="AUTH
AUTH PLAIN
*
AUTH PLAIN $(p '\0ann\0bad')
AUTH PLAIN !!!
AUTH PLAIN =
AUTH PLAIN $(p 'x\0ann\0secret')
AUTH NEVER x
AUTH UNKNOWN
AUTH BAD
AUTH CLIENT
AUTH LOGIN
$(p defer)
$(p x)
AUTH LOGIN $(p fail)
$(p x)
AUTH LOGIN
*
AUTH CRAM-MD5
$(p 'ann 00000000000000000000000000000000')
AUTH CRAM-MD5 $(p x)
AUTH EXTERNAL $(p bob@x)
MAIL FROM:<ann@me.test>
MAIL FROM:<s@far.test> AUTH=x+40far
RSET
AUTH PLAIN
$(p '\0ann\0secret')
AUTH PLAIN $(p '\0ann\0secret')
MAIL FROM:<ann@me.test> AUTH=a+40far.test SIZE=10
RCPT TO:<x@y.test>
DATA
From: other@me.test
Sender: z@me.test

x
.
MAIL FROM:<> AUTH=<>
RSET
MAIL FROM:<x@y> AUTH=
MAIL FROM:<x@y> AUTH=+zz
EHLO again
AUTH LOGIN $(p ann)"
ADDRS='x@y.test'
quick
for a in "LOGIN $(p ann)|$(p secret)" "LOGIN|$(p three)|$(p x)|$(p y)" "LOGIN $(p noid)|$(p x)" "EXTERNAL $(p ann@x)" "ONE-STEP|$(p '')" "ONE-STEP =" "ONE-STEP $(p no)" "ONE-STEP $(p 'yes\0b')" "PLAIN $(p '\0q u\0pw')" "PLAIN $(p '\0bob\0b c')" "PLAIN $(p 'a\0b\0c\0d')" "CRAM-MD5|" "plain $(p '\0ann\0secret') x"; do for h in nologin h.far.test; do { echo "EHLO $h"; echo "AUTH $a" | tr '|' '\n'; mail ann@me.test x@y.test 'Subject: a'; mail bob@far.test x@y.test 'Subject: b' 'Sender: w@z.test'; echo QUIT; } > $work/in; bs 192.0.2.5 < $work/in; bh 192.0.2.20 < $work/in; done; done; after auths
