# Policies of sessions: logins of all kinds, rates, lists in the DNS, verification and callouts. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
dns <<'E'
$TTL 300
. IN SOA a.test. h.test. 1 2 3 4 5
. IN NS a.test.
a.test. IN A 127.0.0.1
2.0.0.127.bl.test. IN A 127.0.0.2
2.0.0.127.bl.test. IN TXT "test entry"
5.2.0.192.bl.test. IN A 127.0.0.2
5.2.0.192.bl.test. IN A 127.0.0.4
5.2.0.192.bl.test. IN TXT "five is listed; see http://bl.test/?$"
7.2.0.192.bl.test. IN A 127.0.0.4
9.2.0.192.bl.test. IN A 192.0.2.9
9.2.0.192.bl.test. IN TXT "not of 127"
20.2.0.192.bl2.test. IN A 127.0.0.9
20.2.0.192.bl2.test. IN TXT "twenty" "parts"
far.test.rhs.test. IN A 127.0.0.1
far.test.rhs.test. IN TXT "domain of sender"
h.far.test.rhs.test. IN A 127.0.0.3
s.far.test.em.test. IN A 127.0.0.6
far.test. IN MX 10 mx.far.test.
mx.far.test. IN A 192.0.2.10
cb.test. IN MX 5 mx1.cb.test.
cb.test. IN MX 6 mx2.cb.test.
mx1.cb.test. IN A 192.0.2.11
mx2.cb.test. IN A 192.0.2.12
only4.test. IN A 192.0.2.12
nullmx.test. IN MX 0 .
lo.test. IN MX 10 a.test.
dang.test. IN MX 10 no.dang.test.
cn.test. IN CNAME far.test.
mxip.test. IN MX 10 192.0.2.10.
spam.test. IN A 192.0.2.13
5.2.0.192.in-addr.arpa. IN PTR h.far.test.
h.far.test. IN A 192.0.2.5
20.2.0.192.in-addr.arpa. IN PTR forged.test.
forged.test. IN A 192.0.2.99
7.2.0.192.in-addr.arpa. IN PTR two.test.
7.2.0.192.in-addr.arpa. IN PTR one.test.
one.test. IN A 192.0.2.7
_client._smtp.h.far.test. IN SRV 1 2 0 h.far.test.
E
head_ <<'E' | tail_ | new n1
# logins: several prompts, secrets by look-ups, conditions that fail, defer and are no booleans, mail parameters
acl_smtp_auth = a
acl_smtp_mailauth = ma
acl_smtp_mail = m
acl_smtp_rcpt = r
auth_advertise_hosts = ${if eq{$sender_host_address}{127.0.0.1}{}{*}}
log_selector = +smtp_mailauth +smtp_protocol_error +smtp_syntax_error +smtp_no_mail +smtp_incomplete_transaction +outgoing_port +host_lookup_failed
smtp_max_synprot_errors = 6
begin acl
a:
 deny message = not that one ($smtp_command_argument)
  condition = ${if match{$smtp_command_argument}{(?i)^refused}}
 accept
ma:
 deny message = nobody is $authenticated_sender
  condition = ${if match{$authenticated_sender}{bad}}
 deny condition = ${if match{$authenticated_sender}{disc}}
 accept
m:
 warn logwrite = id=<$authenticated_id> as=<$authenticated_sender> fail=<$authenticated_fail_id> by=<$sender_host_authenticated>
 accept
r:
 accept authenticated = ! two_step : *
  message = ok
  logwrite = A $sender_host_authenticated
 require authenticated = two_step : plain
  message = 530 5.7.0 log in, $sender_helo_name
 accept
begin routers
a:
 driver = accept
 transport = l
begin transports
begin authenticators
plain:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = ${if eq{$auth2}{maybe}{perhaps}{${if eq{$auth2}{later}{${lookup{x}lsearch{/nosuch}}}{${if eq{$auth2}{forced}{${if eq{1}{2}{}fail}}{${if and{{eq{$auth2}{ann}}{eq{$auth3}{pw}}}}}}}}}}
 server_set_id = $auth2
 server_mail_auth_condition = ${if match{$authenticated_sender}{ann}}
two_step:
 driver = plaintext
 public_name = TWO-STEP
 server_prompts = <; One: ; Two ${quote:$auth1} ; Three; ${strlen:$auth2}
 server_condition = ${if eq{$auth1$auth2$auth3$auth4}{abcd}{yes}{no}}
 server_set_id = $auth1-$auth4
 server_advertise_condition = ${if match{$sender_helo_name}{no2}{no}{yes}}
refused:
 driver = plaintext
 public_name = REFUSED
 server_condition = yes
forcedprompt:
 driver = plaintext
 public_name = FP
 server_prompts = ${if eq{$sender_helo_name}{fp}{x}fail}
 server_condition = true
 server_set_id = ${if eq{$auth1}{set}{x}fail}
md5:
 driver = cram_md5
 public_name = CRAM-MD5
 server_secret = ${if eq{$auth1}{ann}{pw}{${if eq{$auth1}{later}{${lookup{x}lsearch{/nosuch}}}fail}}}
 server_set_id = $auth1
spa:
 driver = spa
 public_name = NTLM
 server_password = ${if eq{$auth1}{ann}{pw}fail}
 server_set_id = $auth1
ext:
 driver = external
 public_name = EXTERNAL
 server_param2 = $auth1
 server_param3 = x
 server_condition = ${if eq{$auth2$auth3}{annx}}
 server_set_id = ${auth1}
noserver:
 driver = plaintext
 public_name = CLIENTONLY
 client_send = x
E
python3 - $E/exim4.conf <<'F'
import sys
p=sys.argv[1]; s=open(p).read(); a=s.index('begin authenticators'); b=s.index('l:\n driver = appendfile'); s=s[:a]+s[b:]+s[a:b]; open(p,'w').write(s)
F
ADDRS="ann@me.test bob@me.test"; SENDERS="s@far.test"
au() { { echo "EHLO ${H:-x}"; printf '%s\n' "$@"; echo 'MAIL FROM:<s@far.test> AUTH=ann+40me.test'; echo 'RCPT TO:<ann@me.test>'; echo RSET;  echo 'MAIL FROM:<s@far.test> AUTH=bad'; echo 'RCPT TO:<ann@me.test>'; echo RSET; echo 'MAIL FROM:<s@far.test> AUTH=disc'; echo RSET; echo 'MAIL FROM:<s@far.test> AUTH=<>'; echo RSET; echo 'MAIL FROM:<s@far.test> AUTH=a+4'; echo QUIT; } | bs ${C:-192.0.2.5} | sed 's/^334 PD.*/334 challenge/;s/^334 TlRM.*/334 NTLM/'; }
for u in '\0ann\0pw' '\0ann\0bad' 'x\0ann\0pw\0y' '\0maybe\0x' '\0later\0x' '\0forced\0x' 'ann' '' '\0\0' 'ann\0pw'; do au "AUTH PLAIN $(b64 "$u")"; au "AUTH PLAIN" "$(b64 "$u")"; done
au 'AUTH two-step' "$(b64 a)" "$(b64 b)" "$(b64 c)" "$(b64 d)"; au "AUTH TWO-STEP $(b64 a)" "$(b64 b)" "$(b64 'c\0d')"; au "AUTH TWO-STEP $(b64 'a\0b\0c\0d')"; au "AUTH TWO-STEP =" "$(b64 b)" '*'; au "AUTH TWO-STEP $(b64 a)" '=' '' "$(b64 d)"; H=no2 au 'AUTH TWO-STEP'; au 'AUTH REFUSED =' ; au "auth refused"; au 'AUTH FP'; H=fp au 'AUTH FP' "$(b64 set)"; H=fp au "AUTH FP $(b64 y)"; au 'AUTH CRAM-MD5' "$(b64 'ann 1234')"; au 'AUTH CRAM-MD5' "$(b64 'later 1234')"; au 'AUTH CRAM-MD5' "$(b64 'nospace')"; au "AUTH CRAM-MD5 $(b64 x)"; au 'AUTH NTLM' 'TlRMTVNTUAABAAAABoIAAAAAAAAAAAAAAAAAAAAAAAA=' "$(b64 junk)"; au 'AUTH NTLM' "$(b64 x)"; au "AUTH EXTERNAL $(b64 ann)"; au "AUTH EXTERNAL $(b64 bob)"; au "AUTH EXTERNAL" ''; au 'AUTH EXTERNAL ='; au 'AUTH' ; au 'AUTH PLAIN a b'; au 'AUTH PLAIN !'; { echo HELO x; echo 'MAIL FROM:<a@b> AUTH=x'; echo QUIT; } | bs 192.0.2.7; { echo EHLO x; echo 'MAIL FROM:<a@b>'; echo 'RCPT TO:<q@me.test>'; } | bs 192.0.2.7

tail_ <<'E' | new n2
qualify_domain = me.test
tls_advertise_hosts =
# blocklists of all kinds with keys, values, masks and texts; rates of all kinds; names of clients
acl_smtp_connect = c
acl_smtp_helo = h
acl_smtp_mail = m
acl_smtp_rcpt = r
acl_smtp_data = d
host_lookup = 192.0.2.0/24
helo_try_verify_hosts = 192.0.2.5
dns_again_means_nonexist = again.test
begin acl
c:
 warn !verify = reverse_host_lookup
  logwrite = rhl: $acl_verify_message / $host_lookup_failed $host_lookup_deferred / $sender_host_name
 warn dnslists = bl.test : bl2.test
  logwrite = $dnslist_domain $dnslist_value $dnslist_text $dnslist_matched
 warn dnslists = bl.test=127.0.0.2
  logwrite = eq2 $dnslist_value
 warn dnslists = bl.test==127.0.0.2
  logwrite = all2 $dnslist_value
 warn dnslists = bl.test!=127.0.0.2
  logwrite = ne2 $dnslist_value
 warn dnslists = bl.test!==127.0.0.2
  logwrite = nall2 $dnslist_value
 warn dnslists = bl.test&0.0.0.6
  logwrite = mask6 $dnslist_value
 warn dnslists = bl.test&&0.0.0.2
  logwrite = amask2 $dnslist_value
 warn dnslists = bl.test&0.0.0.8
  logwrite = mask8 $dnslist_value
 warn dnslists = bl.test,bl2.test=127.0.0.4,127.0.0.9
  logwrite = two $dnslist_domain $dnslist_value $dnslist_text
 warn dnslists = bl.test=192.0.2.0/24 : bl2.test
  logwrite = net $dnslist_domain
 warn dnslists = +include_unknown : bl.invalid. : +exclude_unknown : bl.test/127.0.0.2
  logwrite = key $dnslist_matched $dnslist_text
 warn dnslists = bl.test/192.0.2.7;127.0.0.2;192.0.2.5
  logwrite = keys $dnslist_matched
 warn dnslists = bl.test/<|192.0.2.99|192.0.2.20
  logwrite = never
 warn dnslists = bl.test!=127.0.0.9,127.0.0.10 : bl2.test&127.0.0.1
  logwrite = mix $dnslist_domain=$dnslist_value
 accept
h:
 warn verify = helo
  logwrite = helo verified $sender_helo_verified $sender_helo_dnssec
 warn !verify = csa
  logwrite = csa $csa_status
 warn dnslists = rhs.test/$sender_helo_name : rhs.test=127.0.0.3/$sender_host_name
  logwrite = rhs $dnslist_matched $dnslist_value
 accept
m:
 warn dnslists = rhs.test/$sender_address_domain
  logwrite = sd $dnslist_text
 warn dnslists = em.test/${sg{$sender_address}{@}{.}}
  logwrite = em $dnslist_value
 warn ratelimit = 2/1h/per_mail/strict/$sender_address
  logwrite = over $sender_rate $sender_rate_limit $sender_rate_period
 accept
r:
 warn ratelimit = 3/1h/per_rcpt/leaky/r$sender_host_address
  logwrite = rcpt ${sg{$sender_rate}{\N\..*\N}{}}/$sender_rate_limit
 warn ratelimit = 1 / 1h / per_cmd / strict / $local_part
  logwrite = cmd ${sg{$sender_rate}{\N\..*\N}{}}
 warn ratelimit = 0/1h/noupdate/$local_part
  logwrite = noupdate $sender_rate
 warn ratelimit = 1/1h/readonly/zz
  logwrite = never
 warn ratelimit = 2/1h/per_addr/unique=$local_part/u
  logwrite = unique ${sg{$sender_rate}{\N\..*\N}{}}
 warn ratelimit = 2/1d/per_conn/conn$sender_host_address
  logwrite = conn ${sg{$sender_rate}{\N\..*\N}{}}
 warn ratelimit = 10/1h/per_rcpt/count=5/c
  logwrite = count ${sg{$sender_rate}{\N\..*\N}{}}
 deny ratelimit = 6/1h/per_rcpt/strict/d$sender_host_address
  message = slow down: ${sg{$sender_rate}{\N\..*\N}{}} in $sender_rate_period
 defer local_parts = bad1
  ratelimit = x/1h
 defer local_parts = bad2
  ratelimit = 1/zz/strict
 defer local_parts = bad3
  ratelimit = 1/1h/per_foo
 defer local_parts = bad4
  ratelimit = 1/1h/strict/leaky
 accept
d:
 warn ratelimit = 1k/1h/per_byte/b
  logwrite = bytes
 accept
begin routers
a:
 driver = accept
 transport = l
begin transports
E
ADDRS="ann@me.test bob@me.test ann@me.test bad1@me.test bad2@me.test bad3@me.test bad4@me.test cat@me.test"; SENDERS="s@far.test t@far.test s@far.test -"; CLIENTS="192.0.2.5 192.0.2.7 192.0.2.9 192.0.2.20 192.0.2.66 127.0.0.2"; quick
for h in h.far.test '[192.0.2.5]' one.test; do HELO=$h sess | bs 192.0.2.5; HELO=$h sess | bh 192.0.2.7; done

head_ <<'E' | tail_ | new n3
# verification: senders, recipients, headers, by callouts with all their options, and what they remember
domainlist here = me.test
acl_smtp_mail = m
acl_smtp_rcpt = r
acl_smtp_data = d
callout_negative_expire = 1h
callout_random_local_part = rnd-$local_part
begin acl
m:
 warn logwrite = left <$callout_address><$sending_ip_address>
 warn !verify = sender
  logwrite = sender $sender_address: $acl_verify_message / $sender_verify_failure
 accept
r:
 warn domains = +here
  local_parts = ^s
  !verify = sender/callout=5s,defer_ok
  logwrite = s callout: $acl_verify_message ($sender_verify_failure) $callout_address
 warn local_parts = hs
  !verify = sender=other@cb.test/callout
  logwrite = other: $acl_verify_message
 warn domains = !+here
  !verify = recipient/callout=5s,maxwait=9s
  logwrite = plain: $acl_verify_message ($recipient_verify_failure)
 warn domains = !+here
  !verify = recipient/callout=no_cache,postmaster/defer_ok
  logwrite = postmaster: $acl_verify_message ($recipient_verify_failure)
 warn domains = !+here
  !verify = recipient/callout=mailfrom=x@me.test,fullpostmaster,connect=3s
  logwrite = mailfrom: $acl_verify_message ($recipient_verify_failure)
 warn domains = !+here
  !verify = recipient/callout=use_sender,postmaster_mailfrom=p@me.test
  logwrite = use_sender: $acl_verify_message
 accept verify = recipient/callout/callout_defer_ok
 deny message = ${sg{$acl_verify_message}{\n}{;}}
d:
 warn !verify = header_sender
  logwrite = hs $acl_verify_message
 warn !verify = header_sender/callout=mailfrom=y@me.test
  logwrite = hsc $acl_verify_message
 warn !verify = header_syntax
  logwrite = hsyn $acl_verify_message
 warn !verify = header_names_ascii
  logwrite = hna $acl_verify_message
 warn !verify = not_blind
  logwrite = blind $acl_verify_message
 warn !verify = not_blind/case_insensitive
  logwrite = blind2 $acl_verify_message
 accept
begin routers
fail:
 driver = redirect
 domains = me.test
 local_parts = no
 allow_fail
 data = :fail: 550 5.1.1 no such user
def:
 driver = redirect
 domains = me.test
 local_parts = later
 allow_defer
 data = :defer: 451 4.2.2 try later
disc:
 driver = redirect
 domains = me.test
 local_parts = gone : many
 data = ${if eq{$local_part}{gone}{:blackhole:}{ann@me.test,u@cb.test}}
loc:
 driver = accept
 domains = me.test
 local_parts = ! nobody
 transport = l
 fail_verify_sender = ${if eq{$local_part}{fvs}}
mx:
 driver = dnslookup
 domains = !+here
 transport = ${if eq{$domain}{only4.test}{lm}{s}}
 mx_domains = *.mxonly.test
 ignore_target_hosts = 192.0.2.13
 cannot_route_message = no route to $domain
begin transports
lm:
 driver = smtp
 hosts_try_fastopen =
 helo_data = callout.me.test
 port = 2525
E
sed -i '/^ fail_verify_sender/d' $E/exim4.conf
host 11 rcpt:bad@cb.test='550 5.1.1 no such' rcpt:later@cb.test='451 later' mail:s@nomail.test='550 no mail' rcpt:rnd-any@cb.test='250 any' rcpt:rnd-u@cb.test='550 not random' rcpt:postmaster@cb.test='550 no postmaster'; host 10 mail='550 5.7.1 no\n550 bounces' ; host 12 port=2525 conn='~1 220 slow' rcpt='550-first\n550 second'
ADDRS="ann@me.test sx@me.test hs@me.test no@me.test later@me.test gone@me.test many@me.test nobody@me.test u@cb.test bad@cb.test later@cb.test any@cb.test u@far.test u@only4.test u@nullmx.test u@lo.test u@dang.test u@cn.test u@mxip.test u@spam.test u@nx.test u@a.mxonly.test"
SENDERS="s@far.test ok@cb.test bad@cb.test later@cb.test - no@me.test s@nullmx.test s@nx.test s@dang.test"; HEADER='Sender: bad@cb.test
Reply-To: x@nx.test, "unclosed
Bcc: q@me.test
Xü: y'; EXTRA='VRFY u@cb.test
VRFY no@me.test
VRFY later@me.test
VRFY many@me.test'; SENDER=ok@cb.test
y -bt $ADDRS; y -bv $ADDRS; y -bvs $ADDRS $SENDERS
sess | bs 192.0.2.5; sess | bh 192.0.2.7; for n in 10 11 12; do gone $n; done; HEADER='From: ann@me.test
Cc: ANN@me.test'; sess | bs 192.0.2.5; after gone
