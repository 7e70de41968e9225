# Reports in words of one's own: paragraphs, items, copies, conditions, with and without DSN.
. "$(dirname "$case")/words.sh"
site() { # LINES...: the main options of this one
 new "$1"; shift; { printf 'qualify_domain = me.test\ntls_advertise_hosts =\nhost_lookup =\nremote_max_parallel = 1\nqueue_run_in_order\nacl_smtp_rcpt = accept\nacl_smtp_data = accept\ndsn_advertise_hosts = *\n'; printf '%s\n' "$@"; cat <<'C'
begin routers
away:
 driver = manualroute
 domains = late.test : ok.far.test
 route_list = * 192.0.2.11
 transport = s
no:
 driver = redirect
 domains = me.test
 local_parts = no : never
 allow_fail
 data = :fail: no such person as $local_part
errs:
 driver = redirect
 domains = me.test
 local_parts = own
 data = no@me.test
 errors_to = owner@me.test
 allow_fail
full:
 driver = accept
 domains = me.test
 local_parts = full
 transport = q
 local_part_suffix = +*
 local_part_suffix_optional
loc:
 driver = accept
 domains = me.test : far.test
 transport = l
begin transports
q:
 driver = appendfile
 file = /var/mail/full
 user = mail
 quota = 10
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
s:
 driver = smtp
 hosts_try_fastopen =
begin retry
full@me.test * 
* * F,2d,1s
C
 } | conf; }
dsn() { printf 'EHLO h\nMAIL FROM:<s@far.test> %s\nRCPT TO:<no@me.test> %s\nRCPT TO:<a@late.test> %s\nDATA\nFrom: s@far.test\nTo: x@y.test\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <d%s@m.test>\nSubject: with DSN\nX-Long: %0100d\n\nbody line\n%0120d\nend\n.\nQUIT\n' "$1" "$2" "$3" $((++MSGS)) 0 0 | bs 192.0.2.5; }
all() {
 SUBJECT='returned one'
 host 11 'rcpt:a@late.test=450 grey'
 send s@far.test no@me.test; send s@far.test no@me.test never@me.test a@late.test full@me.test; send '' no@me.test; send ann@me.test own@me.test
 dsn '' '' ''; dsn 'RET=HDRS ENVID=e1' 'NOTIFY=FAILURE,DELAY ORCPT=rfc822;No@Me.test' 'NOTIFY=DELAY'; dsn 'RET=FULL' NOTIFY=NEVER NOTIFY=NEVER
 sleep 3.2; x -q; sleep 0.2; x -q; sleep 0.5; gone 11; logs; all_boxes; for i in $(ids); do $exim -Mvh $i; done; }
b() { put bounce <<'E'
Subject: Back: $bounce_recipient ($domain) $sender_address
From: Someone <else@me.test>
X-Own: $h_subject:
****
To $bounce_recipient: not delivered to ${if eq{$domain}{}{nobody}{$domain}}
****
The following text was set. $message_exim_id
****
------ whole, from $sender_address
****
------ cut at $bounce_return_size_limit
****
------ no body
****
and its end
E
put warn <<'E'
Subject: Late by $warn_message_delay
****
$local_part waits since $warn_message_delay: $h_subject:
****
It comes by itself.
E
}
o="bounce_message_file = /etc/exim4/bounce|warn_message_file = /etc/exim4/warn|delay_warning = 3s"
run() { local n=$1 l; shift; IFS='|' read -ra l <<< "$*"; site $n "${l[@]}"; b; eval "$MORE"; all; MORE=; }
run r1 "$o|bounce_message_text = Ask us:\n call 5"
run r2 "$o|bounce_return_body = false|errors_copy = *@far.test arch@me.test : s@* second@me.test|errors_reply_to = help@me.test"
run r3 "$o|bounce_return_message = false|dsn_from = Mail <robot@\$qualify_domain>"
run r4 "$o|bounce_return_size_limit = 200|bounce_return_linesize_limit = 50|delay_warning = 3s:5s|delay_warning_condition = \${if match{\$h_subject:}{one}{no}{yes}}"
run r5 "$o|errors_copy = s@far.test \${if eq{\$domain}{far.test}{x@me.test,y@me.test}{\$local_part}} : \$bad|errors_reply_to = \${bad"
run r6 "$o|dsn_from = \${bad|delay_warning_condition = \${bad"
MORE='printf "Subject: short\n****\nonly this \$bounce_recipient\n" | put bounce; printf "Subject: w\n" | put warn'; run r7 "$o"
MORE='rm /etc/exim4/bounce /etc/exim4/warn'; run r8 "$o"
MORE='printf "Subject: \${bad\n****\n\${bad}\n****\n\${if\n****\n\n****\n\$nothing\n****\n" | put bounce; printf "\${bad\n****\n\${bad\n" | put warn'; run r9 "$o"
MORE=': | put bounce; printf "****\n****\n****\n" | put warn'; run r10 "$o"
run r11 "bounce_message_file = \${if eq{\$sender_address}{}{/x}{/etc/exim4/bounce}}|warn_message_file = /etc/exim4/\$local_part|delay_warning = 3s|delay_warning_condition = yes|dsn_from ="
run r12 "bounce_message_text = Words with \$sender_address|bounce_sender_authentication = bb@me.test|errors_copy = * arch@me.test|delay_warning = 3s|bounce_return_message"
