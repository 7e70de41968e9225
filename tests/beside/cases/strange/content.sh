# Lists of the DNS and a policy by sender, checks of MIME parts and headers, routing by the DNS and by a program. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
new f1 <<'E'
# DNSBL scoring, sender policy table, delays, fakereject, dscp and other controls
domainlist local_domains = me.test
qualify_domain = me.test
tls_advertise_hosts =
host_lookup = *
hosts_connection_nolog = 192.0.2.20
host_lookup_order = bydns : byaddr
dns_csa_search_limit = 2
dns_dnssec_ok = -1
acl_smtp_connect = c
acl_smtp_mail = m
acl_smtp_rcpt = r
acl_smtp_data = d
acl_smtp_notquit = nq
log_selector = +dnslist_defer +dnssec +host_lookup_failed -pid +smtp_incomplete_transaction +smtp_protocol_error +smtp_syntax_error +rejected_header +unknown_in_list -skip_delivery +lost_incoming_connection +sender_verify_fail +connection_reject +etrn +dkim_verbose
begin acl
c:
 warn dnslists = bl.test=127.0.0.2,127.0.0.4 : bl2.test&0.0.0.2/<\
  $sender_host_address
  set acl_c_bl = $dnslist_domain:$dnslist_value:$dnslist_text:$dnslist_matched
 warn dnslists = txt.test,bl.test!=127.0.0.2
  set acl_c_bl2 = $dnslist_domain $dnslist_text
 warn !verify = reverse_host_lookup
  set acl_c_rev = no ($host_lookup_failed) $sender_host_name
 accept dscp = x
 accept
m:
 warn dnslists = dbl.test/$sender_address_domain : +include_unknown : fail.test
  set acl_m_dbl = $dnslist_domain/$dnslist_value
 deny dnslists = rhsbl.test=127.0.0.9==127.0.0.9/${sg{$sender_address_domain}{\N^.*\.(?=\w+\.\w+$)\N}{}}
 accept
pol:
 deny condition = ${if eq{$acl_arg1}{reject}}
  message = policy rejects ($acl_narg args: $acl_arg1,$acl_arg2)
 defer condition = ${if eq{$acl_arg1}{defer}}
  log_message = policy defers $acl_arg2
 discard condition = ${if eq{$acl_arg1}{drop}}
 accept condition = ${if eq{$acl_arg1}{fake}}
  control = fakereject/Your message\nhas been rejected but is kept
 accept condition = ${if eq{$acl_arg1}{faked}}
  control = fakedefer
 accept condition = ${if eq{$acl_arg1}{freeze}}
  control = freeze/no_tell
 accept
r:
 accept hosts = :
 deny !acl = ${acl_verb}
  condition = no
 require acl = pol ${lookup{$sender_address}nwildlsearch{/etc/exim4/policy}{${extract{1}{,}{$value}} "$value"}{none none}}
 deny condition = ${if def:acl_c_bl}
  !senders = postmaster@*
  message = blocked by $acl_c_bl; $acl_c_bl2\n${acl_c_rev}
  logwrite = :reject: BL $acl_c_bl
 accept domains = +local_domains
 deny message = ${if def:sender_host_name{$sender_host_name}{$sender_host_address}} may not relay
d:
 warn condition = ${if def:acl_m_dbl}
  add_header = X-DBL: $acl_m_dbl
 warn add_header = X-Rev: $acl_c_rev
 accept
nq:
 warn
 logwrite = NQ
begin routers
lu:
 driver = accept
 check_local_user
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/$local_part_data
E
sed -i '/accept dscp = x/d; /deny !acl = ${acl_verb}/,/condition = no/d; s#/<\\#/<|\\#' $E/exim4.conf; sed -i 's#^ warn dnslists = bl.test=127.0.0.2,127.0.0.4 : bl2.test&0.0.0.2/<|\\#warn dnslists = bl.test=127.0.0.2,127.0.0.4 : bl2.test\&0.0.0.2/<|;\\#' $E/exim4.conf;  sed -i 's#bl2.test&0.0.0.2/<|;\\#bl2.test\&0.0.0.2/<; \\#' $E/exim4.conf
printf 'rej@far.test: reject\nlater@far.test: defer, x\n^drop\\d+@: drop\n*@fake.test: fake\n*@faked.test: faked\n*@freeze.test: freeze\n' | put policy
dns <<'Z'
$TTL 60
. IN SOA . . 1 1 1 1 1
. IN NS .
5.2.0.192.bl.test. A 127.0.0.2
5.2.0.192.bl.test. A 127.0.0.4
5.2.0.192.bl.test. TXT "listed in bl" "two"
20.2.0.192.bl2.test. A 127.0.0.3
20.2.0.192.txt.test. TXT "by txt"
20.2.0.192.txt.test. A 127.0.0.2
20.2.0.192.bl.test. A 127.0.0.4
spam.test.dbl.test. A 127.0.1.2
far.test.rhsbl.test. A 127.0.0.8
me.test.rhsbl.test. A 127.0.0.9
5.2.0.192.in-addr.arpa. PTR five.far.test.
five.far.test. A 192.0.2.5
20.2.0.192.in-addr.arpa. PTR x.far.test.
x.far.test. A 192.0.2.99
me.test. A 192.0.2.1
localhost. A 127.0.0.1
1.0.0.127.in-addr.arpa. PTR localhost.
Z
ADDRS="ann@me.test bob@me.test no@me.test u@far.test"
SENDERS="s@far.test rej@far.test later@far.test drop12@x.test a@fake.test a@faked.test a@freeze.test x@spam.test postmaster@far.test - ann@me.test"
CLIENTS="192.0.2.5 192.0.2.20 192.0.2.7 127.0.0.1"
battery
for s in drop1@x.test a@fake.test a@faked.test a@freeze.test postmaster@far.test x@spam.test; do for c in 192.0.2.7 192.0.2.5; do { echo EHLO x; mail $s 'ann@me.test' "Subject: x"; } | bs $c; done; done; after policy

new f2 <<'E'
# content: MIME, regex, headers checks, attachments, header syntax
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
header_line_maxsize = 400
header_maxsize = 4K
message_size_limit = ${if eq{$sender_host_address}{192.0.2.20}{2K}{20K}}
acl_smtp_rcpt = accept
acl_smtp_mime = m
acl_smtp_data = d
acl_not_smtp_mime = m
acl_not_smtp = d
begin acl
m:
 warn decode = $mime_part_count.bin
  set acl_m_dec = $acl_m_dec $mime_decoded_filename:$mime_content_size
 deny message = bad ext ${lc:${sg{$mime_filename}{\N^.*\.\N}{}}}
  condition = ${if match{$mime_filename}{\N(?i)\.(js|vbs)$\N}}
 deny mime_regex = EVIL\\d+
  message = evil: $regex_match_string ($mime_part_count)
 warn set acl_m_mime = $acl_m_mime/$mime_content_type;$mime_content_disposition;$mime_content_id;$mime_content_description;$mime_anomaly_level;$mime_anomaly_text
 accept
d:
 deny !verify = header_syntax
  message = bad header: $acl_verify_message
 deny !verify = header_names_ascii
 deny !verify = not_blind/case_insensitive
  message = blind
  condition = ${if match{$h_x-check:}{blind}}
 warn regex = (?i)viagra|ca(s+)ino
  add_header = X-Regex: $regex_match_string $regex1
 warn condition = ${if >{$max_received_linelength}{200}}
  add_header = X-Long: $max_received_linelength
 warn add_header = X-Mime: $acl_m_mime\nX-Dec: ${sg{$acl_m_dec}{/[^ ]*/}{}}
  add_header = :after_received:X-After: $message_linecount $body_linecount $body_zerocount $message_body_size
  add_header = :at_start_rfc:X-Rfc: 1
 deny condition = ${if !def:h_date:}
  message = no date: ${listextract{-1}{${sg{$headers_added}{\n}{:}}}}
 accept
begin routers
r:
 driver = accept
 transport = t
 user = mail
begin transports
t:
 driver = appendfile
 file = /var/mail/all
E
ADDRS="ann@me.test bob@me.test"; SENDERS="s@far.test"
battery
mm() { printf 'Subject: %s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b1"\n%s\n\npre\n--b1\nContent-Type: text/plain; charset="utf-8"\n\nhello casssino\n--b1\nContent-Type: application/octet-stream; name="=?utf-8?q?a_=C3=A4?=.%s"\nContent-Disposition: attachment;\n filename*0="lo"; filename*1="ng.%s"\nContent-Transfer-Encoding: base64\nContent-ID: <x@y>\nContent-Description: some\n\n%s\n--b1\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: text/html\n\n<b>x</b>\n--b1--\npost\n' "$1" "$2" "$3" "$3" "$(printf "$4" | base64)"; }
tx() { echo "MAIL FROM:<s@far.test>"; echo "RCPT TO:<ann@me.test>"; echo DATA; echo 'Date: Thu, 26 Nov 2026 12:00:00 +0000'; cat; echo .; }
{ echo EHLO x; mm one 'From: a@b.test' txt hello | tx; mm two 'From: a@b.test
X-Check: blind
To: q@r.test' txt hello | tx; mm three 'From: broken <' txt x | tx; mm four 'From: a@b.test' JS x | tx; mm five 'From: a@b.test' txt 'EVIL42' | tx; mm six 'From: ä@b.test
X-ä: y' txt x | tx; mm seven "X-L: $(printf '%0500d' 1)" txt x | tx; mm eight 'To: undisclosed:;
Cc: a@b (, x' txt x | tx;  { echo Subject: x; echo; printf '%0900d\n' 5; printf '%03000d\n' 7; } | tx; echo QUIT; } > $work/cmds; bs 192.0.2.5 < $work/cmds; bh 192.0.2.20 < $work/cmds;  bs 192.0.2.20 < $work/cmds; after content
mm nine 'From: x@y.test' vbs z > $work/m; as 5001 $exim -odi -oem ann < $work/m; as 5002 $exim -odi -oep ann < $work/m 2>&1; mm ten 'From: x@y.test' txt z > $work/m; as 5002 $exim -odi ann < $work/m 2>&1; after local

new f3 <<'E'
# LDAP-ish absent; nis; passwd look-ups; iplookup-less; queryprogram router; dnslookup with own DNS
domainlist local_domains = me.test
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
dns_ipv4_lookup = *
acl_smtp_rcpt = r
begin acl
r:
 require verify = sender
 require verify = recipient/defer_ok
 accept
begin routers
dn:
 driver = dnslookup
 domains = ! +local_domains
 check_secondary_mx
 mx_domains = *.mx.test : mx.test
 mx_fail_domains = fail.mx.test
 srv_fail_domains = *
 check_srv = smtp
 ignore_target_hosts = 127.0.0.0/8 : 192.0.2.13
 same_domain_copy_routing = yes
 rewrite_headers = true
 widen_domains = mx.test:far.test
 qualify_single
 search_parents = no
 fail_defer_domains = fd.test
 ipv4_only = yes
 transport = s
 self = reroute: other.test
other:
 driver = redirect
 domains = ! +local_domains
 condition = ${if eq{$self_hostname}{}{no}{yes}}
 data = ann@me.test
qp:
 driver = queryprogram
 domains = +local_domains
 local_part_prefix = q-
 command = /etc/exim4/qp $domain_data ${quote:$local_part_data}
 command_user = mail
 command_group = mail
 current_directory = /tmp
 timeout = 5s
 transport = l
 local_parts = accept : decline : fail : defer : pass : freeze : redirect : error : junk : hosts
lu:
 driver = accept
 domains = +local_domains
 local_parts = passwd; : cat
 transport = l
lu2:
 driver = accept
 domains = +local_domains
 condition = ${lookup{$local_part}passwd{yes}{no}}
 transport = l
begin transports
s:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 1s
l:
 driver = appendfile
 file = /var/mail/all
 user = mail
E
sed -i 's/^ local_parts = passwd; : cat/ local_parts = cat/' $E/exim4.conf
cat <<'F' | put qp
#!/bin/sh
case $2 in accept) echo ACCEPT TRANSPORT=l DATA=\"some\";; decline) echo DECLINE;; fail) echo FAIL failed it;; defer) echo DEFER later it;; pass) echo PASS;; freeze) echo FREEZE cold;; redirect) echo REDIRECT ann@me.test, bob;; error) exit 3;; junk) echo what is this;; hosts) echo ACCEPT TRANSPORT=s HOSTS=192.0.2.9:192.0.2.8 LOOKUP=byname;; esac
F
chmod 755 $E/qp
dns <<'Z'
$TTL 60
. IN SOA . . 1 1 1 1 1
. IN NS .
far.test. MX 10 mx1.far.test.
far.test. MX 20 mx2.far.test.
mx1.far.test. A 192.0.2.9
mx2.far.test. A 192.0.2.8
mx2.far.test. AAAA 2001:db8::8
a.mx.test. A 192.0.2.9
b.mx.test. MX 5 self.test.
self.test. A 192.0.2.1
c.test. MX 5 low.test.
low.test. A 192.0.2.13
d.test. MX 1 self.test.
d.test. MX 5 mx1.far.test.
e.test. MX 1 mx1.far.test.
e.test. MX 5 self.test.
null.test. MX 0 .
loc.test. A 127.0.0.1
srv.test. SRV 0 0 2525 mx1.far.test.
_smtp._tcp.srv.test. SRV 1 1 2525 mx1.far.test.
cn.test. CNAME far.test.
ip.test. MX 5 192.0.2.9.
tm.test. MX 5 nohost.test.
*.wild.test. MX 5 mx1.far.test.
w.mx.test. MX 5 mx1.far.test.
me.test. A 192.0.2.1
Z
ADDRS="u@far.test u@a.mx.test u@b.mx.test u@mx.test u@c.test u@d.test u@e.test u@null.test u@loc.test u@srv.test u@cn.test u@ip.test u@tm.test u@q.wild.test u@w u@none.test q-accept@me.test q-decline@me.test q-fail@me.test q-defer@me.test q-pass@me.test q-freeze@me.test q-redirect@me.test q-error@me.test q-junk@me.test q-hosts@me.test q-x@me.test ann cat@me.test zed@me.test"
SENDERS="u@far.test u@none.test u@null.test ann@me.test u@tm.test -"; CLIENTS=192.0.2.5; BE='${lookup dnsdb{mx=far.test}}
${lookup dnsdb{>, defer_never,a=far.test:mx1.far.test}}
${lookup dnsdb{mxh=e.test}}
${lookup dnsdb{srv=_smtp._tcp.srv.test}}
${lookup dnsdb{zns=q.wild.test}{$value}{no}}
${lookup{ann}passwd}
${lookup{zed}passwd{y}{n}}'
host 9; host 8; battery; gone 9; gone 8
