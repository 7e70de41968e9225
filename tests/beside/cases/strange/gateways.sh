# Gateways to fax, UUCP and short batches beside hosts of two families, with names that users may not choose. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
dns <<'E'
$TTL 300
. IN SOA a.test. h.test. 1 2 3 4 5
. IN NS a.test.
a.test. IN A 127.0.0.1
me.test. IN A 192.0.2.1
mx6.test. IN AAAA 2001:db8:0:1::2
both.test. IN MX 5 mx6.test.
both.test. IN MX 10 mx4.test.
mx4.test. IN A 192.0.2.2
sig.test. IN MX 10 mx4.test.
two.test. IN MX 20 mx4.test.
two.test. IN MX 10 mx3.test.
mx3.test. IN A 192.0.2.3
E
new w1 <<'E'
# fax, UUCP-ish bsmtp, SMS gateways by pipe with checks; local_parts digits; queue only at night; per-router headers; batching
FAXSPOOL = /var/mail/fax
NUM = ^\\+?[0-9][-0-9]{3,}\$
domainlist fax = fax.test : *.fax.test
domainlist uucp = partial-lsearch;/etc/exim4/uucp
domainlist local_domains = @ : +fax
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
unknown_login = ghost
unknown_username = Ghost Writer
gecos_pattern = ^([^,]*),
gecos_name = $1 (local)
received_headers_max = 5
return_size_limit = 300
message_body_visible = 20
keep_malformed = 1d
accept_8bitmime = no
delay_warning = 1h:3h
acl_smtp_rcpt = r
acl_smtp_data = d
acl_not_smtp = n
log_selector = +received_recipients +sender_on_delivery +all_parents -pid
begin acl
r:
 deny domains = +fax
  !local_parts = NUM
  message = ${local_part} is no number ($domain_data)
 deny domains = +fax
  local_parts = ^\N0?900\N
  message = not to $0 $local_part_data
 accept domains = +local_domains : +uucp
  verify = recipient
 accept hosts = 127.0.0.1
  verify = recipient/callout=2s,defer_ok,random
d:
 warn condition = ${if match{$message_body}{\N(?i)top secret\N}}
  add_header = X-Secret: ${length_9:$message_body}
 deny condition = ${if >={$received_count}{4}}
  message = $received_count hops
 accept
n:
 warn condition = ${if !def:h_subject:}
  add_header = Subject: (none of $sender_ident)
 accept
begin routers
faxes:
 driver = accept
 domains = +fax
 local_parts = NUM
 condition = ${if <{$message_size}{2K}{yes}{no}}
 address_data = ${sg{$local_part_data}{[-+]}{}}
 transport = fax
 headers_add = X-Fax: $address_data
faxbig:
 driver = redirect
 domains = +fax
 allow_fail
 data = :fail: 552 5.3.4 $message_size is too much for a fax
uu:
 driver = manualroute
 domains = +uucp
 transport = ${if eq{$domain_data}{x}{uux}{rsmtp}}
 route_data = ${sg{$domain_data}{ .*}{}}
 headers_remove = X-Fax : X-Secret
dns:
 driver = dnslookup
 domains = ! +local_domains
 transport = smtp
 same_domain_copy_routing
 errors_to = ${if eq{$sender_address}{ann@me.test}{bob@me.test}{$sender_address}}
 headers_add = X-Route: $domain to $host<
 no_more
loc:
 driver = accept
 check_local_user
 transport = l
 local_part_prefix = *_ : b-
 local_part_prefix_optional
 debug_print = $local_part_prefix/$local_part_prefix_v
begin transports
fax:
 driver = pipe
 command = /bin/sh -c "cat > /var/mail/fax.\$0; echo sent to \$0; test \$0 != 5555" ${extract{2}{:}{x:$address_data}{$value}{none}}
 user = mail
 return_fail_output
 log_fail_output
 message_prefix =
 headers_remove = received : message-id
 transport_filter = /usr/bin/tr a-z A-Z
 max_output = 100
uux:
 driver = pipe
 command = /bin/cat
 user = mail
 use_bsmtp
 batch_max = 10
 batch_id = $host
 return_output
 message_prefix = ">>>batch\n"
rsmtp:
 driver = appendfile
 file = /var/mail/uucp.$host
 user = mail
 use_bsmtp
 use_crlf
 message_prefix = "HELO $primary_hostname\n"
 batch_max = 100
 batch_id = $host
 escape_string = ..
smtp:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 2s
 helo_data = ${if eq{$host}{mx4.test}{four.test}{$primary_hostname}}
 interface = <; ${if match_ip{$host_address}{192.0.2.3}{192.0.2.1}{}}
 max_rcpt = 2
 size_addition = 100
 headers_add = X-To: $host [$host_address]:$host_port
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 headers_rewrite = *@me.test $1+seen@me.test f
begin retry
*.test refused F,1h,5m
* * F,2h,15m
begin rewrite
*_*@me.test ${sg{$1}{_}{.}}@me.test frs
\N^u(\d+)@me\.test$\N user$1@me.test T
E
printf '*.uu.test: host1 x\nplain.uu2.test: x\nb.uu2.test: hostb\n' | put uucp
host 2 ehlo='250-four\n250-SIZE 1000\n250 8BITMIME' rcpt:no@two.test='550 no'; host 3 mail='451 later'
ADDRS="+49-12345@fax.test 5555@a.fax.test 0900111@fax.test abc@fax.test u@x.uu.test v@plain.uu2.test w@b.uu2.test x_y@me.test b-ann@me.test z_bob@me.test u12@me.test a@both.test b@both.test c@sig.test no@two.test d@two.test e@two.test f@six.test ann"
SENDERS="s@far.test - x_y@me.test ann@me.test"; SENDER=ann@me.test; HEADER='Received: a
Received: b'; NAMES='gecos_name +uucp'
battery; x -R two.test; x -S ann@me; x -Rf sig 2>&1; after q; heard 2; heard 3
as 65534 $exim -odi -oi ann@me.test < /dev/null; as 4242 $exim -odi ann < /dev/null; as 5001 $exim -odi -F 'A (x) B' bob@me.test < /dev/null; as 5001 $exim -odi -f '' bob@me.test < /dev/null; as 5001 $exim -odi -f 'x y@z' bob@me.test < /dev/null; as 5002 $exim -odi -i -oMr foo -oMa 1.2.3.4 ann < /dev/null; after l
