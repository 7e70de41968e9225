# A site as Vesta and Hestia have it: written from what such panels say of themselves. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
new vesta <<'E'
SPAMASSASSIN = no
.ifdef SPAMASSASSIN
SPAM_SCORE = 50
.endif
VDD = /etc/exim4/domains
DKIM_DOMAIN = ${lc:${domain:$h_from:}}
DKIM_FILE = /etc/exim4/domains/${lookup{${lc:${domain:$h_from:}}}dsearch{/etc/exim4/domains/}}/dkim.pem
DKIM_PRIVATE_KEY = ${if exists{DKIM_FILE}{DKIM_FILE}{0}}
OUTGOING_IP = /etc/exim4/domains/$sender_address_domain/ip
domainlist local_domains = dsearch;/etc/exim4/domains/
domainlist relay_to_domains = dsearch;/etc/exim4/domains/ : ${lookup{backup}lsearch{/etc/exim4/mx}{$value}{}}
hostlist relay_from_hosts = 127.0.0.1 : <;::1
hostlist whitelist = net-iplsearch;/etc/exim4/white-blocks.conf
hostlist spammers = net-iplsearch;/etc/exim4/spam-blocks.conf
untrusted_set_sender = *
trusted_groups = mail
acl_smtp_connect = acl_check_spammers
acl_smtp_mail = acl_check_mail
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
acl_smtp_mime = acl_check_mime
acl_smtp_dkim = acl_dkim
acl_smtp_starttls = acl_tls
acl_not_smtp = acl_check_limits
tls_advertise_hosts = *
tls_certificate = ${if exists{/etc/exim4/sni/${lc:$tls_in_sni}.crt}{/etc/exim4/sni/${lc:$tls_in_sni}.crt}{/etc/exim4/cert.pem}}
tls_privatekey = /etc/exim4/key.pem
daemon_smtp_ports = 25
tls_on_connect_ports = 465
host_lookup =
rfc1413_query_timeout = 0s
ignore_bounce_errors_after = 2d
timeout_frozen_after = 7d
queue_run_in_order
remote_max_parallel = 1
dkim_verify_signers = $sender_address_domain:$dkim_signers
log_selector = +all_parents +sender_on_delivery +received_recipients +tls_sni +dkim_verbose +smtp_confirmation -pid
delay_warning = 0s
log_file_path = /var/log/exim4/%slog
begin acl
acl_check_spammers:
 accept hosts = +whitelist
 drop message = Your host in blacklist on this server ($host_data).
  log_message = Host in blacklist
  hosts = +spammers
 accept
acl_check_mail:
 deny condition = ${if eq{$sender_helo_name}{}}
  message = HELO required before MAIL
 drop !authenticated = *
  message = Helo name contains a ip address (HELO was $sender_helo_name) and not is valid
  condition = ${if match{$sender_helo_name}{\N((\d{1,3}[.-]\d{1,3}[.-]\d{1,3}[.-]\d{1,3})|([0-9a-f]{8})|([0-9A-F]{8}))\N}{yes}{no}}
  condition = ${if match {${lookup dnsdb{>: defer_never,ptr=$sender_host_address}}\}{$sender_helo_name}{no}{yes}}
  delay = 0s
 accept
acl_check_rcpt:
 accept hosts = :
 deny message = Restricted characters in address
  domains = +local_domains
  local_parts = ^[.] : ^.*[@%!/|]
 warn set acl_m0 = ${lookup{$sender_address_domain}lsearch{/etc/exim4/limits}{$value}{2}}
 deny authenticated = *
  set acl_c_msg_limit = ${if exists{VDD/${lookup{${domain:$authenticated_id}}dsearch{VDD}}/limits}{${readfile{VDD/${lookup{${domain:$authenticated_id}}dsearch{VDD}}/limits}{}}}{2}}
  ratelimit = $acl_c_msg_limit / 1h / per_rcpt / strict / $authenticated_id
  message = Limit of $sender_rate_limit / $sender_rate_period reached at $sender_rate
 require verify = sender
 accept hosts = +relay_from_hosts
  control = submission
 accept authenticated = *
  control = submission/domain=
 deny message = Rejected because $sender_host_address is in a black list: $dnslist_domain $dnslist_value $dnslist_text
  hosts = !+whitelist
  dnslists = ${if exists{/etc/exim4/dnsbl.conf}{${sg{${readfile{/etc/exim4/dnsbl.conf}}}{\\n}{:}}}}
 require message = relay not permitted
  domains = +local_domains : +relay_to_domains
 deny message = smtp auth required
  sender_domains = +local_domains
  !authenticated = *
  condition = ${if exists{/etc/exim4/domains/$sender_domain_data/antispoof}}
 defer message = greylisted
  hosts = !+whitelist
  !senders = :
  !seen = 0s / key=${sg{${mask:$sender_host_address/24}}{/}{-}}_${lc:$sender_address}_${lc:$local_part@$domain} / readonly
  seen = 0s / key=${sg{${mask:$sender_host_address/24}}{/}{-}}_${lc:$sender_address}_${lc:$local_part@$domain}
  condition = ${if exists{/etc/exim4/domains/$domain_data/grey}}
 deny !verify = recipient
  message = ${if eq{$recipient_verify_failure}{}{}{$recipient_verify_failure: }}${acl_verify_message}
 accept
acl_dkim:
 deny dkim_status = fail
  condition = ${if eq{$dkim_cur_signer}{strict.test}}
  message = bad signature $dkim_verify_status ($dkim_verify_reason) of $dkim_cur_signer
 accept add_header = :at_start:X-DKIM: $dkim_cur_signer=$dkim_verify_status ${dkim_selector} $dkim_algo
acl_tls:
 accept logwrite = starttls from $sender_host_address
acl_check_mime:
 deny message = Blacklisted file extension detected
  condition = ${if match{${lc:$mime_filename}}{\N(\.exe|\.scr)$\N}{1}{0}}
 accept
acl_check_data:
 warn condition = ${if <{$message_size}{100k}{1}{0}}
  set acl_m_score = ${if match{$h_subject:}{spam(\d+)}{$1}{0}}
 warn condition = ${if >{$acl_m_score}{SPAM_SCORE}{1}{0}}
  add_header = X-Spam-Status: Yes
 accept add_header = Authentication-Results: ${authresults{$primary_hostname}}
acl_check_limits:
 deny condition = ${if eq{${extract{2}{:}{${lookup{$caller_uid}lsearch{/etc/exim4/uids}{$value}{x:ok}}}}}{suspended}}
  message = user ${extract{1}{:}{${lookup{$caller_uid}lsearch{/etc/exim4/uids}}}} suspended
 warn ratelimit = 1 / 1h / strict / per_rcpt / u$caller_uid
  log_message = over: $sender_rate/$sender_rate_period
 accept
begin authenticators
dovecot_plain:
 driver = plaintext
 public_name = PLAIN
 server_condition = "${if eq{${extract{2}{:}{${lookup{${local_part:$2}}lsearch{VDD/${lookup{${domain:$2}}dsearch{VDD}}/passwd}{$value}}}}}{$3}{yes}{no}}"
 server_condition = ${if and{{!eq{$auth2}{}}{exists{VDD/${lookup{${domain:$auth2}}dsearch{VDD}{$value}{none}}/passwd}}}{${if crypteq{$auth3}{${extract{1}{:}{${lookup{${local_part:$auth2}}lsearch{VDD/${lookup{${domain:$auth2}}dsearch{VDD}}/passwd}{$value}{*}}}}}}}{false}}
 server_prompts = :
 server_set_id = $auth2
login:
 driver = plaintext
 public_name = LOGIN
 server_prompts = Username:: : Password::
 server_condition = ${if inlisti{$auth1:$auth2}{<, jim@a.test:pw, kim@b.test:p;w}}
 server_set_id = $auth1
 server_mail_auth_condition = ${if eq{$authenticated_sender}{$auth1}}
begin routers
srs_bounce:
 driver = redirect
 senders = :
 domains = a.test
 condition = ${if inbound_srs {$local_part} {S3}}
 data = $srs_recipient
send_via_smtp_relay:
 driver = manualroute
 domains = ! +local_domains
 address_data = SMTP_RELAY_HOST:${lookup{$sender_address_domain}lsearch{/etc/exim4/smtp_relay.conf}{$value}fail}
 address_data = ${lookup{${lookup{$sender_address_domain}dsearch{VDD}{$value}{none}}}lsearch{/etc/exim4/smtp_relay.conf}{$value}fail}
 require_files = VDD : !/etc/exim4/nope
 route_list = * ${extract{1}{:}{$address_data}}::${extract{2}{:}{$address_data}}
 transport = smtp_relay_smtp
smarthost:
 driver = manualroute
 domains = ! +local_domains
 route_list = * 192.0.2.2 byname
 transport = remote_smtp
 no_more
 self = fail
aliases:
 driver = redirect
 domains = +local_domains
 headers_add = X-redirected: yes
 data = ${extract{1}{:}{${lookup{$local_part@$domain}lsearch{/etc/exim4/domains/$domain_data/aliases}}}}
 require_files = /etc/exim4/domains/$domain_data/aliases
 redirect_router = dnslookup_x
 pipe_transport = address_pipe
 srs = x
 allow_fail
 unseen = ${if match{${lookup{$local_part@$domain}lsearch{VDD/$domain_data/aliases}}}{^[^:]*:keep}{yes}{no}}
vacation:
 driver = accept
 domains = +local_domains
 require_files = VDD/$domain_data/autoreply.${lookup{$local_part}lsearch,ret=key{VDD/$domain_data/passwd}{$value}{none}}.msg
 condition = ${if !match{$header_auto-submitted:}{\N(?i)auto-(generated|replied)\N}}
 retry_use_local_part
 transport = userautoreply
 unseen
localuser_fwd_only:
 driver = accept
 domains = +local_domains
 transport = devnull
 condition = ${if exists{VDD/$domain_data/fwd_only}{${lookup{$local_part}lsearch{VDD/$domain_data/fwd_only}{true}{false}}}}
localuser_spam:
 driver = accept
 domains = +local_domains
 transport = local_spam_delivery
 condition = ${if eq{${if match{$h_X-Spam-Status:}{\N^Yes\N}{yes}{no}}}{${lookup{$local_part}lsearch{VDD/$domain_data/passwd}{yes}{no_such_user}}}}
 local_parts = lsearch,ret=key;VDD/$domain_data/passwd
localuser:
 driver = accept
 domains = +local_domains
 transport = lmtp_delivery
 local_parts = lsearch,ret=key;VDD/$domain_data/passwd
 local_part_suffix = +*
 local_part_suffix_optional
catchall:
 driver = redirect
 domains = +local_domains
 headers_add = X-redirected: yes
 require_files = VDD/$domain_data/aliases
 data = ${extract{1}{:}{${lookup{*@$domain}lsearch{VDD/$domain_data/aliases}}}}
 file_transport = local_delivery
 redirect_router = vacation
terminate_alias:
 driver = accept
 domains = +local_domains
 transport = devnull
 condition = ${lookup{$local_part@$domain}lsearch{VDD/$domain_data/aliases}{true}{false}}
begin transports
smtp_relay_smtp:
 driver = smtp
 hosts_require_auth = $host_address
 hosts_require_tls = 
 hosts_avoid_tls = *
 hosts_try_fastopen =
remote_smtp:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 hosts_avoid_tls = *
 helo_data = ${if exists{/etc/exim4/helo}{${lookup{$sending_ip_address}lsearch{/etc/exim4/helo}{$value}{$primary_hostname}}}{$primary_hostname}}
 interface = ${lookup{$sender_address_domain}lsearch{/etc/exim4/ips}{$value}{}}
 dkim_domain = DKIM_DOMAIN
 dkim_selector = mail : second
 dkim_private_key = DKIM_PRIVATE_KEY
 dkim_canon = relaxed
 dkim_strict = 0
 dkim_sign_headers = From:To:Subject
 return_path = ${if match_domain{$original_domain}{+local_domains}{${if eq{$sender_address}{}{$sender_address}{${srs_encode{S3}{$sender_address}{$original_domain}}}}}{$return_path}}
lmtp_delivery:
 driver = lmtp
 socket = /var/spool/exim4/lmtp
 batch_max = 5
 rcpt_include_affixes
 headers_add = Delivered-To: $local_part$local_part_suffix@$domain
 user = mail
procmail:
 driver = pipe
 command = /bin/cat
local_delivery:
 driver = appendfile
 user = mail
 file = /var/mail/x
local_spam_delivery:
 driver = appendfile
 maildir_format
 create_directory
 maildir_use_size_file
 user = ${extract{2}{:}{${lookup{$local_part}lsearch{VDD/$domain_data/passwd}}}}
 group = mail
 directory = "${extract{5}{:}{${lookup{$local_part}lsearch{VDD/$domain_data/passwd}}}}/mail/${domain_data}/$local_part_data/.Spam"
 quota = ${extract{6}{:}{${lookup{$local_part}lsearch{VDD/$domain_data/passwd}}}}M
 quota_warn_threshold = 75%
 directory_mode = 770
devnull:
 driver = appendfile
 file = /dev/null
address_pipe:
 driver = pipe
 return_output
 user = mail
userautoreply:
 driver = autoreply
 file = VDD/$domain_data/autoreply.${local_part_data}.msg
 file = VDD/$domain_data/autoreply.${lookup{$local_part}lsearch,ret=key{VDD/$domain_data/passwd}}.msg
 from = "${local_part}@${domain}"
 headers = Content-Type: text/plain; charset=utf-8;\nContent-Transfer-Encoding: 8bit
 subject = "${if def:h_Subject: {Autoreply: \"${rfc2047:$h_Subject:}\"} {Autoreply Message}}"
 to = "${sender_address}"
 user = mail
begin retry
*  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h
begin rewrite
E
python3 - <<'P'
f='/etc/exim4/exim4.conf';s=open(f).read()
def rm(a):
    global s
    assert a in s,a
    s=s.replace(a,'',1)
i=s.index(' server_condition = "${if eq{${extract{2}'); j=s.index('\n',i); s=s[:i]+s[j+1:]
rm(" srs = x\n"); rm(" redirect_router = dnslookup_x\n"); rm(" file = VDD/$domain_data/autoreply.${local_part_data}.msg\n"); rm(" address_data = SMTP_RELAY_HOST:${lookup{$sender_address_domain}lsearch{/etc/exim4/smtp_relay.conf}{$value}fail}\n")
rm("  condition = ${if match {${lookup dnsdb{>: defer_never,ptr=$sender_host_address}}\\}{$sender_helo_name}{no}{yes}}\n")
rm(" : <;::1")
s=s.replace(" ${dkim_selector} "," $dkim_selector ")
i=s.index("SPAMASSASSIN = no"); 
open(f,'w').write(s)
P
D=domains; mkdir -p $E/sni
for d in a.test b.test; do printf "jim:$(crypted pw):mail:mail::/var/mail:1\nkim:$(crypted pw):mail:mail::/var/mail:0\nann:x:ann:mail::/var/mail:50\n" | sed 's/^\([a-z]*\):\([^:]*\):/\1: \2:/'  | put $D/$d/passwd; : | put $D/$d/aliases; openssl genrsa 1024 2>/dev/null | put $D/$d/dkim.pem; done
printf 'info@a.test: x@far.test,jim@a.test\nkeep@a.test: kim@b.test:keep\njim@a.test: y@far.test:keep\nfo@a.test: z@far.test\n*@a.test: kim@a.test\nfail@a.test: ":fail:"\nloop@a.test: loop@b.test\nown@a.test: own@a.test\n' | sed 's/": *fail:"/bob@far.test/' | put $D/a.test/aliases; printf 'loop@b.test: loop@a.test\n' | put $D/b.test/aliases; printf 'ann\nfo\n' | put $D/a.test/fwd_only; printf 5 | put $D/a.test/limits; : | put $D/a.test/antispoof; : | put $D/b.test/grey; printf 'away, %%s\n' | put $D/a.test/autoreply.kim.msg
printf '192.0.2.30: w\n' | put white-blocks.conf; printf '192.0.2.9: nine\n192.0.2.64/26: net\n' | put spam-blocks.conf; printf 'a.test: 192.0.2.4:587:u:p\n' | put smtp_relay.conf; printf 'b.test: 192.0.2.1\n' | put ips; printf '192.0.2.1: one.test\n' | put helo; printf '5001: ann:ok\n5003: cat:suspended\n' | put uids; printf 'bl.test\n' | put dnsbl.conf; printf 'backup: bk.test\n' | put mx; : | put limits
openssl req -x509 -newkey rsa:2048 -nodes -keyout $E/key.pem -out $E/cert.pem -days 30 -subj /CN=me.test 2>/dev/null; openssl req -x509 -key $E/key.pem -out $E/sni/a.test.crt -days 30 -subj /CN=a.test 2>/dev/null;  chown -R root:Debian-exim $E; chmod -R a+rX $E; chown mail /var/mail
dns <<Z
. 3600 IN SOA ns. h. 1 3600 600 86400 60
. IN NS ns.
ns. IN A 127.0.0.1
5.2.0.192.bl.test. IN A 127.0.0.2
5.2.0.192.bl.test. IN TXT "listed five"
30.2.0.192.bl.test. IN A 127.0.0.3
mail._domainkey.a.test. IN TXT "v=DKIM1; p=$(openssl rsa -in $E/$D/a.test/dkim.pem -pubout 2>/dev/null | grep -v - | tr -d '\n')"
mail._domainkey.b.test. IN TXT "v=DKIM1; p=$(openssl rsa -in $E/$D/b.test/dkim.pem -pubout 2>/dev/null | grep -v - | tr -d '\n')"
Z
x -bV 2>&1 | tail -2; x -bP macro DKIM_FILE; x -bP macro SPAM_SCORE; x -bP 'transport remote_smtp' | grep -E '^(dkim|helo|inter|return)'; x -bP 'authenticator login'; x -bP router_list | tr '\n' ' '
bt jim@a.test JIM+x@a.test kim@a.test ann@a.test info@a.test keep@a.test fo@a.test none@a.test none@b.test fail@a.test loop@a.test own@a.test kim@b.test jim+Big@b.test u@far.test u@bk.test SRS0=x=y=z.test=q@a.test '"a:b"@a.test' 'a%b@b.test' '@b.test' 'x@'
x -f jim@a.test -bt u@far.test;  x -f x@b.test -bt u@far.test; x -f none.test -bt u@far.test
bv info@a.test none@a.test none@b.test own@a.test u@bk.test keep@a.test
for a in 192.0.2.5 192.0.2.9 192.0.2.30 192.0.2.22 127.0.0.1; do { echo 'MAIL FROM:<s@far.test>'; echo 'HELO host-1-2-3-4.x.test'; echo 'MAIL FROM:<s@far.test>'; echo 'EHLO c.test'; for s in s@far.test '' jim@a.test none@b.test kim@b.test; do echo "MAIL FROM:<$s>"; for r in jim@a.test kim@b.test kim@b.test any@a.test any@b.test u@bk.test u@far.test 'a|b@a.test' '.x@b.test' '.x@far.test'; do echo "RCPT TO:<$r>"; done; echo RSET; done; echo QUIT; } | bh $a; done
python3 /work/s/panels/lmtpd.py $S/lmtp $work/lmtp.out & sleep 0.5
host 2 rcpt:no@far.test='550 5.1.1 no such' show=1; ( exec nsenter -t "$other" -n python3 $here/host.py 192.0.2.4 587 $work/host.4 'ehlo=250-host\n250 AUTH PLAIN' show=1 ) & sleep 0.3
hs() { heard $1 | sed -E 's/ b=[A-Za-z0-9+\/=]*/ b=S/;s/bh=[^;]*/bh=X/;s/ t=[0-9]*;/ t=T;/;s/SRS0=[^=]*=[^=]*=/SRS0=X=/g' | grep -vE '^[0-9]+\| 	+[A-Za-z0-9+\/= 	]+;?$'; }
daemon -odi
{ echo 'EHLO c.test'; mail s@far.test 'info@a.test' 'Subject: one'; mail s@far.test 'keep@a.test kim@a.test' 'Subject: two spam60'; mail '' 'jim@a.test none@a.test fo@a.test' 'Subject: three'; mail s@far.test 'jim+Box@a.test jim@b.test kim@b.test ann@b.test' 'Subject: full'; echo QUIT; } > $work/in; for i in 1 2; do there python3 $here/say.py 192.0.2.30 192.0.2.1 < $work/in; done; { echo 'EHLO c.test'; mail s@far.test 'kim@b.test' 'Subject: grey'; echo QUIT; } > $work/in; there python3 $here/say.py 192.0.2.16 192.0.2.1 < $work/in; there python3 $here/say.py 192.0.2.17 192.0.2.1 < $work/in;  there python3 $here/say.py 192.0.2.5 192.0.2.1 < $work/in
sw() { there swaks --server 192.0.2.1 -li 192.0.2.18 --ehlo c.test --timeout 10 -d 'From: %FROM_ADDRESS%\nTo: x@y.test\nSubject: sw\nMessage-ID: <sw@x>\n\nx\n' "$@" 2>&1 | grep -vE 'DONE|Date|Trying|Connected|TLS|^ ?-> [0-9A-Za-z]' ; }
sw --tls -a PLAIN -au jim@b.test -ap pw -f jim@b.test -t x@far.test,no@far.test; sw --tls -a PLAIN -au jim@b.test -ap pw -f jim@b.test -t x@far.test; sw --tls -a PLAIN -au jim@a.test -ap pw -f jim@a.test -t x@far.test,y@far.test --tls-sni a.test; sw -a LOGIN -au jim@a.test -ap pw -f kim@b.test -t x@far.test -h-Sender 'boss@x.test' --tls-sni a.test --tls;  sw -a LOGIN -au kim@b.test -ap 'p;w' -f kim@b.test -t x@far.test; sw -a PLAIN -au kim@none.test -ap 'p;w' -f kim@b.test -t x@far.test; sw -a PLAIN -au ann@a.test -ap 'x' -f kim@b.test -t x@far.test
sleep 1; stop; after daemon | sed -E 's/SRS0=[^=]*=[^=]*=/SRS0=X=/g'; hs 2; hs 4; cat lmtp.out; rm lmtp.out
for u in 5001 5001 5002 5003; do printf 'To: x@far.test, kim@a.test\nFrom: web@b.test\nSubject: script\n\nhi\n' | as $u $exim -t -i -odi 2>&1; printf 'To: x@far.test\nFrom: web@a.test\nSubject: script\n\nhi\n' | as $u $exim -odi -f kim@b.test -F Web jim@b.test u@bk.test 2>&1; done; after scripts | sed -E 's/SRS0=[^=]*=[^=]*=/SRS0=X=/g'; hs 2; hs 4; cat lmtp.out; rm lmtp.out
mail jim@a.test kim@b.test 'Subject: x' | sed '1,/^DATA/d' | head -n -1 > m; x -q; after q | sed -E 's/SRS0=[^=]*=[^=]*=/SRS0=X=/g'; hs 2
