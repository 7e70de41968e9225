# Messages that come back from a filter, a system filter, split horizons and UUCP. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
new d1 <<'E'
# content re-injection by a second port/protocol, spam folder by header, system filter
domainlist local_domains = me.test
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
system_filter = /etc/exim4/system.filter
system_filter_user = mail
system_filter_group = mail
system_filter_file_transport = sf
system_filter_directory_transport = sd
system_filter_pipe_transport = sp
system_filter_reply_transport = sr
acl_smtp_rcpt = accept
acl_smtp_data = d
received_headers_max = 6
message_body_visible = 40
message_body_newlines
begin acl
d:
 warn condition = ${if and{{!eq{$interface_port}{10025}}{<{$message_size}{10k}}}}
  add_header = X-Scan: pending
 accept
begin routers
scan:
 driver = accept
 no_verify
 condition = ${if and{{!def:h_X-Scanned:}{!eq{$received_protocol}{spam-scanned}}{!eq{$received_protocol}{local}}{def:h_X-Scan:}}}
 transport = scan
 no_more
junk:
 driver = accept
 check_local_user
 condition = ${if match{$h_X-Spam-Flag:}{\N^\s*YES\N}}
 transport = junk
 debug_print = "junk for $local_part"
plus:
 driver = accept
 check_local_user
 local_part_suffix = +*
 condition = ${if exists{$home/Mail/${local_part_suffix_v}}}
 transport = folder
lu:
 driver = accept
 check_local_user
 local_part_suffix = +*
 local_part_suffix_optional
 transport = l
begin transports
scan:
 driver = pipe
 command = "$exim_path -oMr spam-scanned -oi -f \"$sender_address\" -- $pipe_addresses"
 transport_filter = /bin/sed -u "s/^body/BODY/;1iX-Scanned: yes"
 use_bsmtp = false
 user = mail
 batch_max = 10
 home_directory = "/tmp"
 current_directory = "/tmp"
 log_output = true
 return_fail_output = true
 message_prefix =
 message_suffix =
junk:
 driver = appendfile
 directory = /var/mail/$local_part_data.d/.Junk
 maildir_format
 create_directory
folder:
 driver = appendfile
 file = /var/mail/one
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 headers_remove = X-Scan
sf:
 driver = appendfile
sd:
 driver = appendfile
 mailstore_format
 mailstore_prefix = P $local_part
 mailstore_suffix = S
sp:
 driver = pipe
 return_output
sr:
 driver = autoreply
E
sed -i 's#\$exim_path#/var/spool/exim4/../../../'$work'/exim#' $E/exim4.conf
cat <<'F' | put system.filter
# Exim filter
if first_delivery and $received_count is above 9 then fail text "too far" endif
headers add "X-Sys: $message_size"
if $h_content-type: matches "name=[^;]*?(\\w+\\.(?:exe|pif))" then
  fail text "<<$1 is not wanted>>This message has $1"
elif $h_subject: contains "save" then
  unseen save /var/mail/sys-saved 0640
  unseen save /var/mail/sysdir/
elif "${if eq{$h_x-freeze:}{yes}{1}{0}}" is 1 then
  freeze text "looked at by $tod_log"
elif $h_subject: begins "copy" and not delivered then
  unseen deliver cat@me.test errors_to bob@me.test
  logfile /var/spool/exim4/sys.log
  logwrite "copied $message_id $h_subject:\n"
elif foranyaddress $h_to:,$h_cc: ($thisaddress contains "secret") then
  unseen mail to bob@me.test subject "secret: $h_subject:" text "body: $message_body\nend: $message_body_end" log /var/spool/exim4/m.log
  unseen pipe "/bin/sh -c 'cat >> /var/mail/piped'"
  seen finish
endif
headers remove X-B
F
mkdir -m 777 /var/mail/sysdir; mkdir -p $work/home/ann/Mail/sub; chown -R ann $work/home/ann
ADDRS="ann ann+sub@me.test bob+x@me.test cat@me.test"
SENDERS="s@far.test -"; BE='$exim_path
${filter{a:b:c}{>{$item}{a}}}'
for s in save copy 'x name' plain; do SUBJECT="$s" HEADER='X-B: 1' send s@far.test ann bob@me.test; done
battery
HEADER='X-Spam-Flag: YES'; { echo EHLO x; mail s@far.test "ann@me.test bob@me.test" 'Subject: junk' 'X-Spam-Flag: YES'; mail s@far.test "ann@me.test" 'Subject: exe' 'Content-Type: application/x; name="a b.exe"'; mail s@far.test "ann@me.test" 'Subject: fr' 'X-Freeze: yes'; mail '' "ann@me.test" 'Subject: save me' ; mail s@far.test "cat@me.test" 'Cc: top.secret@x.test' 'Subject: s'; echo QUIT; } | bs 192.0.2.5; sleep 1; after more; cat $S/sys.log $S/m.log
printf 'From: a\nSubject: copy that\n\nx\n' > $work/m; x -bF $E/system.filter < $work/m 2>&1;  x -bf $E/system.filter -bfd far.test -bfl x -bfs -y < $work/m 2>&1;  x -bF $E/system.filter -f q@r.test <<'M' 2>&1
To: secret@x.test
Content-Type: text/plain; name=foo.pif

text
M

new d2 <<'E'
# split horizon by interface, time of day queueing, custom log paths, -oMi
log_file_path = /var/log/exim4/%slog
syslog_timestamp = no
INSIDE = 192.0.2.1
domainlist in_domains = ${if eq{$received_ip_address}{INSIDE}{in.test : me.test}{me.test}}
domainlist anyone = * : !*.bad.test
hostlist nets = <; net-lsearch;/etc/exim4/nets ; net24-lsearch;/etc/exim4/nets24 ; iplsearch;/etc/exim4/ipl ; !192.0.2.99 ; @[]
qualify_recipient = me.test
qualify_domain = from.test
tls_advertise_hosts =
host_lookup =
queue_domains = ${if and{{>{${substr_11_2:$tod_full}}{99}}{eq{1}{1}}}{*}{slow.test}}
acl_smtp_connect = ${if exists{/etc/exim4/acl.$received_port}{/etc/exim4/acl.$received_port}{con}}
acl_smtp_rcpt = /etc/exim4/acl.rcpt
smtp_banner = ${received_ip_address} $received_port ready\nsecond line of $smtp_active_hostname
smtp_active_hostname = ${if eq{$received_ip_address}{INSIDE}{in.me.test}{$primary_hostname}}
smtp_return_error_details
smtp_receive_timeout = 30s
smtp_max_unknown_commands = 2
smtp_max_synprot_errors = 2
smtp_accept_max_per_connection = 2
smtp_accept_max_nonmail = 12
helo_accept_junk_hosts = 192.0.2.5
helo_allow_chars = _
helo_lookup_domains =
helo_try_verify_hosts = 192.0.2.20
recipient_unqualified_hosts = 192.0.2.20
sender_unqualified_hosts = 127.0.0.1
ignore_fromline_hosts = *
strip_excess_angle_brackets
strip_trailing_dot
allow_domain_literals
allow_utf8_domains
extract_addresses_remove_arguments = false
headers_charset = UTF-8
print_topbitchars
uucp_from_pattern = "^(?:>?)From +([^ ]+) .*remote from (\\w+)"
uucp_from_sender = "$1@$2.uucp"
untrusted_set_sender = ^a.*
trusted_users = bob
begin acl
con:
 accept hosts = +nets
  logwrite = net $host_data / ${lookup{$sender_host_address}net24-lsearch{/etc/exim4/nets24}} / ${lookup{$sender_host_address}iplsearch{/etc/exim4/ipl}}
 accept
begin routers
inn:
 driver = manualroute
 domains = +in_domains : !me.test
 condition = ${if eq{$received_ip_address}{INSIDE}}
 route_list = in.test "192.0.2.8 : 192.0.2.9" bydns ; ^\\w+\\.(a|b)\\.test$ "${if eq{$1}{a}{192.0.2.8}{192.0.2.9}}" byname ; *.$primary_hostname $0 ; slow.test 192.0.2.9
 transport = smtp
 host_find_failed = pass
 pass_router = lit
uucp:
 driver = accept
 domains = lsearch;/etc/exim4/uucp
 transport = uux
lit:
 driver = ipliteral
 domains = +anyone
 transport = smtp
 ignore_target_hosts = <; 127.0.0.0/8 ; 0.0.0.0 ; ::1
lu:
 driver = accept
 domains = me.test
 check_local_user
 transport = l
begin transports
smtp:
 driver = smtp
 interface = ${if eq{$received_ip_address}{INSIDE}{192.0.2.1}{}}
 hosts_try_fastopen =
uux:
 driver = pipe
 user = nobody
 command = /bin/sh -c "cat >>/var/mail/uux" x ${lookup{$domain}lsearch{/etc/exim4/uucp}}!rmail $local_part
 use_crlf
 use_bsmtp
 batch_max = 5
 path = "/bin:/usr/bin"
 umask = 0007
 timeout = 1m
 timeout_defer
 allow_commands = /bin/sh
 environment = "A=b:C=$domain"
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 use_crlf
 escape_string = ">>"
 check_string = "From: "
 message_suffix = "--\n"
E
printf '192.0.2.0/28: low net\n10.0.0.0/8: ten\n' | put nets; printf '192.0.2.0/24: c net\n' | put nets24; printf '192.0.2.5: five\n"192.0.2.16/30": sixt\n' | put ipl; printf 'uu.test: hub\n' | put uucp; printf 'accept hosts = :\ndeny message = $received_ip_address no\n local_parts = no\naccept\n' | put acl.rcpt; chmod 777 /var/mail
ADDRS="u@in.test u@x.a.test u@x.b.test u@slow.test u@uu.test u@[192.0.2.9] u@[127.0.0.1] u@[IPv6:2001:db8::1] no@me.test ann <<bob@me.test.>> cat@me.test u@x.bad.test"
BE='$received_ip_address $interface_address
${lookup{192.0.2.17}iplsearch{/etc/exim4/ipl}}
${mask:192.0.2.77/28} ${mask_n:2001:db8::77/64}
${if match_ip{192.0.2.3}{+nets}{yes $value}{no}}'
EXTRA='EHLO under_score
HELO bad!char
MAIL FROM:<u@far.test.>
MAIL FROM:<<u@far.test>>'
host 9; host 8 rcpt:u@in.test='450 wait'; NAMES="log_file_path +nets +anyone"
battery; sess | bh 192.0.2.5.1234 -oMi 192.0.2.1.25 2>&1; sess | bs 192.0.2.20 -oMi 192.0.2.1.25 -oMt ident -oMs h.x.test; after int; x -C $E/exim4.conf -oMr uucp -odi -bm cat@me.test <<'M'
From joe Thu Nov 26 12:00:00 2026 remote from hub
From: joe@hub
Subject: by uucp

x
M
as 5002 $exim -odi -bm u@uu.test v@uu.test <<'M'
>From joe Thu Nov 26 12:00:00 2026 remote from hub
Subject: by uucp 2

From: x
.
y
M
as 5001 $exim -odi -fann@x.test -F 'An N' cat@me.test u@in.test <<'M'
Subject: set

From: x
From x
M
after uucp; gone 9; gone 8
