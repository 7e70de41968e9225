# Lists in the DNS with every test, parts of messages, patterns, and keys that are not there. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOK=1
dns <<'Z'
. SOA ns. h. 1 2 3 4 5
. NS ns.
ns. A 127.0.0.1
5.2.0.192.bl.test. A 127.0.0.2
5.2.0.192.bl.test. A 127.0.0.5
5.2.0.192.bl.test. TXT "listed at 5" " in two"
5.2.0.192.bl.test. TXT "second"
20.2.0.192.bl.test. A 10.0.0.1
20.2.0.192.notxt.test. A 127.0.0.4
5.2.0.192.aaaa.test. AAAA 2001:db8::1
5.2.0.192.cn.test. CNAME 5.2.0.192.bl.test.
5.2.0.192.loop.test. CNAME 5.2.0.192.loop2.test.
5.2.0.192.loop2.test. CNAME 5.2.0.192.loop.test.
*.wild.test. A 127.0.0.9
*.wild.test. TXT "wild"
far.test.dom.test. A 127.0.1.2
far.test.dom.test. TXT "domain"
s_at.far.test.h.test. A 127.0.0.3
h.far.test. A 192.0.2.5
far.test. A 192.0.2.5
far.test. MX 5 far.test.
1.0.0.127.bl.test. A 127.0.0.3
long.bl.test. TXT "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
long.bl.test. A 127.0.0.2
txtonly.bl.test. TXT "only"
Z
head_ <<'E' | new u6a
# dnslists in every form, cached, negated, with keys of all kinds, defers, in all ACLs
acl_smtp_connect = c
acl_smtp_helo = h
acl_smtp_mail = m
acl_smtp_rcpt = r
acl_smtp_data = d
DL = bl.test : cn.test
begin acl
c:
 warn dnslists = DL
  set acl_c0 = $dnslist_domain $dnslist_value $dnslist_text $dnslist_matched
  logwrite = con $acl_c0
 warn !dnslists = bl.test=127.0.0.2
  logwrite = not
 warn dnslists = bl.test=127.0.0.2,127.0.0.5
  logwrite = both $dnslist_value
 warn dnslists = bl.test==127.0.0.2,127.0.0.5
  logwrite = all $dnslist_value
 warn dnslists = bl.test==127.0.0.2
  logwrite = all2 $dnslist_value
 warn dnslists = bl.test!=127.0.0.2
  logwrite = ne $dnslist_value
 warn dnslists = bl.test!==127.0.0.2
  logwrite = ne2 $dnslist_value
 warn dnslists = bl.test&0.0.0.7
  logwrite = mask $dnslist_value
 warn dnslists = bl.test!&0.0.0.4
  logwrite = nmask $dnslist_value
 warn dnslists = bl.test=&0.0.0.3
  logwrite = emask $dnslist_value
 warn dnslists = bl.test==&0.0.0.5
  logwrite = eemask $dnslist_value
 warn dnslists = bl.test=10.0.0.1
  logwrite = ten
 warn dnslists = bl.test=127.0.0.0/24
  logwrite = net $dnslist_value
 warn dnslists = bl.test!=127.0.0.0/30;127.0.0.5
  logwrite = odd $dnslist_value
 accept
h:
 warn dnslists = wild.test,bl.test=127.0.0.5/$sender_helo_name
  logwrite = helo <$dnslist_domain> <$dnslist_text> $dnslist_matched
 warn dnslists = notxt.test : aaaa.test : +include_unknown : none.test
  logwrite = un $dnslist_domain $dnslist_value <$dnslist_text>
 warn dnslists = +exclude_unknown : bad..name : none.test
  logwrite = never
 accept
m:
 warn dnslists = dom.test/$sender_address_domain
  logwrite = dom $dnslist_text $dnslist_matched
 warn dnslists = h.test,dom.test/<;${sender_address_local_part}_at.$sender_address_domain;$sender_address_domain
  logwrite = key $dnslist_domain $dnslist_matched
 warn dnslists = bl.test/192.0.2.5 : bl.test/<|x|192.0.2.20|192.0.2.5
  logwrite = ip $dnslist_matched $dnslist_value
 warn dnslists = ${if eq{$sender_address}{}{fail}{bl.test}}/${lc:LONG}
  logwrite = long $dnslist_text
 warn dnslists = bl.test=127.0.0.2/txtonly
  logwrite = txt
 warn dnslists = wild.test/2001:db8::1 : wild.test/${reverse_ip:192.0.2.77}
  logwrite = six $dnslist_matched
 defer dnslists = +defer_unknown : none.test : bl.test=127.0.0.77
 accept
r:
 deny local_parts = deny
  dnslists = wild.test
 deny local_parts = msg
  dnslists = bl.test,notxt.test=127.0.0.5
  message = $sender_host_address is at $dnslist_domain: $dnslist_text
  log_message = L $dnslist_value
 warn local_parts = hdr
  dnslists = bl.test
  message = X-DNSL: $dnslist_domain $dnslist_text
 drop local_parts = drop
  !dnslists = none.test
 require dnslists = wild.test/$local_part
 accept condition = ${if forany{<, bl.test, wild.test}{def:acl_c0}}
  add_header = X-BL: $dnslist_domain
 accept local_parts = ${if eq{${acl{inner}{bl.test}}}{1}{*}}
 deny message = end ${acl{inner}{wild.test}{$local_part}}
inner:
 deny !dnslists = $acl_arg1${if def:acl_arg2{/$acl_arg2}}
 accept message = 1
  log_message = n $acl_narg
d:
 warn dnslists = bl.test
  add_header = X-D: $dnslist_domain ${listcount:$dnslist_value} ${sg{$dnslist_text}{ }{_}}
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
ADDRS='deny@x.test msg@x.test hdr@x.test a@x.test b.c@x.test "q q"@x.test drop@x.test z@x.test'
SENDERS='s@far.test - x_y@far.test u@none.test'
quick
CLIENTS='192.0.2.20 2001:db8::5 10.1.2.3'; ADDRS='deny@x.test msg@x.test hdr@x.test a@x.test'; quick; CLIENTS=

head_ <<'E' | new u6b
# MIME parts, patterns, keys that are missing, policy of content
acl_smtp_rcpt = accept
acl_smtp_mime = mime
acl_smtp_data = data
acl_not_smtp = data
acl_not_smtp_mime = mime
acl_smtp_dkim = dk
dkim_verify_signers = $sender_address_domain : far.test : $dkim_signers
message_body_visible = 60
message_size_limit = ${if eq{$sender_host_address}{192.0.2.20}{4K}{50K}}
begin acl
mime:
 warn logwrite = p=$mime_part_count a=$mime_anomaly_level,$mime_anomaly_text b=$mime_boundary c=$mime_charset d=$mime_content_description disp=$mime_content_disposition id=$mime_content_id te=$mime_content_transfer_encoding t=$mime_content_type f=$mime_filename cov=$mime_is_coverletter mp=$mime_is_multipart rfc=$mime_is_rfc822
 warn decode = default
  logwrite = dec $mime_decoded_filename $mime_content_size
 warn condition = ${if match{$mime_content_type}{^text}}
  mime_regex = (?i)s(p+)am : ^se(cret)\$ : [bad
  logwrite = mre <$regex_match_string> <$regex1> <$regex2>
 deny condition = ${if match{${lc:$mime_filename}}{\N\.(exe|pif)$\N}}
  message = ${if def:mime_filename{No $mime_filename}{no}}
 discard condition = ${if eq{$mime_content_type}{application/x-gone}}
 warn condition = ${if eq{$mime_content_type}{message/rfc822}}
  add_header = X-Has: rfc822 $mime_part_count
  set acl_m_r = $acl_m_r,$mime_part_count
 accept
data:
 warn regex = (?i)^subject: (.*)\$ : (b)(o)(dy)
  logwrite = re <$regex_match_string> <$regex1> <$regex2> <$regex3>
 warn regex = ^X-None: 
 warn logwrite = body <$message_body> <$message_body_end> $message_body_size $message_linecount $body_linecount $body_zerocount $max_received_linelength $acl_m_r
 deny condition = ${if >{$body_zerocount}{0}}
  message = zeros
 warn spam = nobody/defer_ok
 warn malware = */defer_ok
 deny verify = not_blind/case_insensitive
 accept condition = ${if <{$message_size}{100}}
 accept authenticated = *
 accept !condition = ${if eq{$dkim_verify_status}{fail}}
dk:
 warn logwrite = dkim $dkim_cur_signer $dkim_verify_status $dkim_verify_reason $dkim_domain $dkim_selector
 accept dkim_status = none:fail:invalid:pass
begin routers
out:
 driver = manualroute
 domains = out*.test
 transport = ${extract{1}{.}{$domain}}
 route_list = * 192.0.2.11
all:
 driver = accept
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
out1:
 driver = smtp
 hosts_try_fastopen =
 dkim_domain = me.test : other.test
 dkim_selector = s1 : s2
 dkim_private_key = /etc/exim4/missing.$dkim_selector
out2:
 driver = smtp
 hosts_try_fastopen =
 dkim_domain = me.test
 dkim_selector = ${if eq{$local_part}{x}{}{s}}
 dkim_private_key = ${if exists{/etc/exim4/$dkim_domain.key}{/etc/exim4/$dkim_domain.key}{0}}
 dkim_strict = 1
out3:
 driver = smtp
 hosts_try_fastopen =
 dkim_domain = ${lookup{$sender_address_domain}lsearch{/etc/exim4/dk}{$value}}
 dkim_selector = a
 dkim_private_key = "-----BEGIN RSA PRIVATE KEY-----\nbroken\n-----END RSA PRIVATE KEY-----"
 dkim_canon = simple
 dkim_sign_headers = from:+to:=x-none
out4:
 driver = smtp
 hosts_try_fastopen =
 dkim_domain = me.test
 dkim_selector = a
 dkim_private_key = /etc/exim4/good.key
 dkim_canon = ${if eq{$local_part}{x}{wrong}{relaxed}}
 dkim_identity = ${local_part}@me.test
 dkim_timestamps = 100
 dkim_strict = ${if eq{$local_part}{y}{yes}{no}}
out5:
 driver = smtp
 hosts_try_fastopen =
 dkim_domain = ${if eq{$local_part}{x}{${unknown}}{}}
 dkim_selector = a
 dkim_private_key = false
E
openssl genrsa 2048 > $E/good.key 2>/dev/null; chmod 640 $E/good.key; chown root:Debian-exim $E/good.key; echo 'me.test: me.test' > $E/dk
host 11 show=1
for f in ann@me.test s@far.test; do for l in u x y; do for o in 1 2 3 4 5; do msg k$l$o | $exim -odi -oi -f $f $l@out$o.test 2>&1; done; done; after $f; rm -f $S/db/*; done; gone 11
for a in 192.0.2.5 192.0.2.20; do for v in -bh -bs; do
{ echo EHLO x; for m in 'Content-Type: text/plain; charset="iso-8859-1" (c); x=y|spam here|body secret' 'Content-Type: multipart/mixed; boundary=b|--b|Content-Type: application/octet-stream; name="a b.ExE"|Content-Transfer-Encoding: base64||AAAA|--b--' 'Content-Type: multipart/mixed; boundary="b b"|--b b|Content-Type: text/html;|	charset=utf-8|Content-Disposition: attachment; filename*0="a"; filename*1="b.txt"|Content-Description: =?utf-8?Q?x?=|Content-ID: <id1>||sPPam|--b b|Content-Type: message/rfc822||Subject: inner|Content-Type: text/plain||x|--b b|Content-Transfer-Encoding: quoted-printable||=41=zz=|x|--b b--|epilog' 'Content-Type: multipart/alternative|no boundary' 'Content-Type: application/x-gone|g' 'Content-Type: multipart/mixed; boundary=b|--b|Content-Type: multipart/related; boundary=b|--b|Content-Disposition: inline; filename*=utf-8'"''"'%e4x.pif||z|--b--' 'content-type:TEXT/Plain;charset=X|Content-Transfer-Encoding: 7BIT|^secret' 'Content-Type: text/plain; name="unterminated|Content-Transfer-Encoding: base64||!!!!' 'DKIM-Signature: v=1; a=rsa-sha256; d=far.test; s=s; h=from; bh=x; b=y|body' 'DKIM-Signature: v=2; d=|b'; do mail s@far.test "u@x.test v@y.test" "Subject: spam" "MIME-Version: 1.0" "$(echo "$m" | sed 's/|/\n/; ' | sed '1s/$//' | tr '|' '\n')"; done; echo QUIT; } > $work/in; [ $v = -bh ] && bh $a < $work/in; [ $v = -bs ] && bs $a < $work/in; done; done; after content
printf 'Subject: z\n\na\0b\n' | $exim -odi -f s@far.test u@x.test 2>&1; head -c 60000 /dev/zero | tr '\0' 'a' | $exim -odi -f s@far.test u@x.test 2>&1; after odd
