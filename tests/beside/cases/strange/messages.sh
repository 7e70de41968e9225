# What becomes of messages: system filters with all commands, users' filters and scripts, boxes of all formats, reports, lists. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
head_ <<'E' | tail_ | new o1
# a system filter with every command; no logs of messages, a split spool; logs of all kinds
split_spool_directory
message_logs = false
log_selector = +all -pid -queue_time_overall -millisec
log_file_path = /var/log/exim4/%slog
system_filter = /etc/exim4/system.filter
system_filter_user = mail
system_filter_group = mail
system_filter_file_transport = sf
system_filter_directory_transport = sd
system_filter_pipe_transport = sp
system_filter_reply_transport = sr
message_body_visible = 20
acl_smtp_rcpt = accept
begin routers
bad:
 driver = redirect
 local_parts = bad
 allow_fail
 data = :fail: bad one
later:
 driver = redirect
 local_parts = later
 allow_defer
 data = :defer: later one
a:
 driver = accept
 domains = me.test
 transport = l
 headers_add = X-SF: $n0/$n1/$sn0/$sn1/$h_x-filter:
begin transports
sf:
 driver = appendfile
 headers_add = X-Transport: ${address_file} $local_part|
sd:
 driver = appendfile
 maildir_format
sp:
 driver = pipe
 return_fail_output
 ignore_status = ${if match{$h_subject:}{ignore}{yes}{no}}
sr:
 driver = autoreply
E
sed -i 's/^ ignore_status = .*/ ignore_status = no/' $E/exim4.conf
cat <<'F' | put system.filter
# Exim filter
if $h_subject: contains "testprint" then testprint "p $h_subject:" endif
add 1 to n0
add $message_size to n1
if first_delivery then add 10 to n0 endif
if manually_thawed then logwrite "thawed" endif
if delivered then logwrite "delivered already" endif
if $h_subject: matches "^hdr" then
 headers add "X-Filter: one\n two"
 headers add "X-More: ${uc:$h_subject:}"
 headers remove "X-A:Subject"
 headers charset "ISO-8859-1"
 logwrite "S <$h_subject:> <$rh_subject:> <$h_x-filter:>\n"
elif $h_subject: begins "deliver" then
 deliver "cat@me.test"
 deliver "other@me.test" errors_to "ann@me.test"
 unseen deliver "third@me.test"
elif $h_subject: is "unseen" then
 unseen deliver "copy@me.test"
 unseen save /var/mail/copy
 unseen pipe "/bin/sh -c 'cat > /dev/null; exit 3'"
elif $h_subject: ends "save" then
 save /var/mail/saved 0640
elif $h_subject: is "dir" then
 save /var/mail/dir/
elif $h_subject: is "pipe" then
 pipe "/bin/cat - /etc/exim4/mfile"
elif $h_subject: is "pipefail" then
 pipe "/bin/false"
elif $h_subject: is "mail" then
 mail to "$reply_address" cc "x@me.test, y@me.test" bcc "z@me.test" from "filter@me.test" reply_to "r@me.test" subject "About $h_subject:" extra_headers "X-Extra: 1\nX-E2: 2" text "Body\n$message_body" expand file /etc/exim4/mfile return message log /var/spool/exim4/mail.log once /var/spool/exim4/mail.once once_repeat 1d
 seen finish
elif $h_subject: is "vacation" then
 vacation to "$sender_address" never_mail "ann@me.test"
elif $h_subject: is "fail" then
 fail text "<<logged>>shown to sender: $h_subject:"
elif $h_subject: is "freeze" and not manually_thawed then
 freeze text "frozen by filter"
elif $h_subject: is "defer" then
 defer text "deferred by filter"
elif $h_subject: is "error" then
 foo bar
elif $h_subject: is "many" then
 if foranyaddress $h_to:,$h_cc: ($thisaddress matches "^(.*)@y" and $1 is not "q") then unseen save "/var/mail/any-$1" endif
 if ($h_to: contains "x" or $h_cc: contains "q") and not ($message_size is above 10M) then logwrite "both" else logwrite "neither" endif
 if "${if eq{a}{a}{3}}" is not below 3 and 3 is not above "3" then logwrite "numbers" endif
 if error_message or personal or $sender_address is "" then logwrite "personal" endif
 if $h_x-none: is not "" then finish endif
 logfile /var/spool/exim4/filter.log 0644
 logwrite "to file $tod_full\n"
 if $h_subject: does not contain "zz" then unseen finish endif
endif
F
sed -i '/^ foo bar/d;/^elif $h_subject: is "error"/d;/^elif $h_subject: is "vacation"/,/^ vacation/d;s/ $tod_full//' $E/system.filter
printf 'from file: $sender_address\n' | put mfile; mkdir -m 777 /var/mail/dir; mkdir -m 777 /var/mail/dir/new /var/mail/dir/cur /var/mail/dir/tmp
for s in plain 'hdr =?utf-8?q?=C3=A4?=' deliver unseen 'x save' 'root save' dir pipe pipefail mail fail freeze defer many testprint; do for r in 'ann bob' 'bad ann' 'later u@far.test'; do echo "## $s $r"; SUBJECT="$s" send s@far.test $r; SUBJECT="$s" send '' ${r%% *}; logs; all_boxes; done; x -bp | sed 's/^ *0m *[0-9.]*K*//'; for i in $(ids); do $exim -Mvh $i; x -Mvl $i; done; x -qff; logs; all_boxes; x -Mt $(ids); x -q; logs; all_boxes; x -bpu | sed 's/^ *0m *[0-9.]*K*//'; x -Mrm $(ids); find $S -type f | grep -v /db/ | sed "s/[0-9A-Za-z]\{6\}-[0-9A-Za-z-]*/ID/;s#/[0-9A-Za-z]/#/x/#" | sort; rm -rf $S/db; done; cat $S/mail.log $S/filter.log
printf 'From: a@b\nTo: p@y, q@y\nCc: q@z\nSubject: many\n\nxx\n' > $work/m; for u in root ann; do x -bF $E/system.filter < $work/m; x -bf $E/system.filter -f x@y < $work/m 2>&1; done; for s in deliver unseen save mail freeze defer fail hdr testprint; do printf "From: a@b\nTo: p@y\nSubject: $s\n\nxx\n" | $exim -bF $E/system.filter 2>&1; done

head_ <<'E' | tail_ | new o2
# boxes: mbox options, MBX, mailstore, maildirs with tags and quotas, bsmtp, formats that are told by the file, answers that are remembered
acl_smtp_rcpt = accept
begin routers
v:
 driver = accept
 local_parts = v1 : v2
 senders = ! :
 transport = v_$local_part_data
 unseen
a:
 driver = accept
 local_parts = mbox : crlf : mbx : store : plain : maildir : bsmtp : fmt : quota : must : link : nolink : fifo : mode : v1 : v2
 transport = t_$local_part_data
begin transports
t_mbox:
 driver = appendfile
 file = /var/mail/mbox
 message_prefix = "From ${sender_address}  $tod_bsdinbox\nX-Pre: $local_part\n"
 message_suffix = "-- end ${strlen:$message_size}\n"
 check_string = "Sub"
 escape_string = "|"
 delivery_date_add
 envelope_to_add
 return_path_add
 user = mail
 mode = 0644
t_crlf:
 driver = appendfile
 file = /var/mail/crlf
 use_crlf
 message_prefix = "hello\r\n"
 user = mail
t_mbx:
 driver = appendfile
 file = /var/mail/mbx
 mbx_format
 user = mail
t_store:
 driver = appendfile
 directory = /var/mail/store
 mailstore_format
 mailstore_prefix = "prefix $sender_address\n"
 mailstore_suffix = "suffix\n"
 user = mail
t_plain:
 driver = appendfile
 directory = /var/mail/plain
 directory_file = x-$inode
 user = mail
t_maildir:
 driver = appendfile
 directory = /var/mail/md
 maildir_format
 maildir_tag = ${if match{$h_subject:}{flag}{:2,F}{,S=$message_size}}
 maildirfolder_create_regex = /\.[^/]+$
 quota = 2K
 quota_filecount = 4
 quota_size_regex = ,S=(\d+)
 quota_warn_threshold = 50%
 quota_warn_message = "To: $local_part@me.test\nSubject: nearly full\n\n$mailbox_size?\n"
 user = mail
t_bsmtp:
 driver = appendfile
 file = /var/mail/bsmtp
 use_bsmtp
 message_prefix = "HELO $primary_hostname\n"
 batch_max = 3
 user = mail
t_fmt:
 driver = appendfile
 file = ${if match{$h_subject:}{mbx}{/var/mail/fmt2}{/var/mail/fmt}}
 file_format = "From : t_mbox : \\*mbx\\* : t_mbx"
 user = mail
t_quota:
 driver = appendfile
 file = /var/mail/quota
 quota = 1K
 quota_is_inclusive = false
 user = mail
t_must:
 driver = appendfile
 file = /var/mail/must
 file_must_exist
 user = mail
t_link:
 driver = appendfile
 file = /var/mail/link
 allow_symlink
 user = mail
t_nolink:
 driver = appendfile
 file = /var/mail/nolink
 user = mail
t_fifo:
 driver = appendfile
 file = /var/mail/fifo
 allow_fifo
 user = mail
t_mode:
 driver = appendfile
 file = /var/mail/mode
 mode = 0600
 mode_fail_narrower = true
 user = mail
v_v1:
 driver = autoreply
 to = $sender_address
 subject = "Re: $h_subject:"
 text = away
 once = /var/mail/v1.once
 once_repeat = 0s
 log = /var/mail/v.log
 user = mail
v_v2:
 driver = autoreply
 to = $sender_address
 from = "V Two <v2@me.test>"
 reply_to = ann@me.test
 subject = "${if def:h_subject:{Re: $h_subject:}{no}}"
 text = "first\n"
 file = /etc/exim4/vfile
 file_expand
 file_optional
 headers = "Auto-Submitted: auto-replied\nPrecedence: bulk"
 return_message
 never_mail = *@never.test : ann@me.test
 once = /var/mail/v2.once
 once_file_size = 1K
 once_repeat = 1h
 user = mail
t_v1:
 driver = appendfile
 file = /dev/null
 user = mail
t_v2:
 driver = appendfile
 file = /dev/null
 user = mail
E
printf 'in file: ${uc:$local_part}\n' | put vfile; ADDRS="mbox@me.test crlf@me.test mbx@me.test store@me.test plain@me.test maildir@me.test bsmtp@me.test fmt@me.test quota@me.test must@me.test link@me.test nolink@me.test mode@me.test v1@me.test v2@me.test"
mkdir -m 777 /var/mail/store /var/mail/plain /var/mail/md; chgrp mail /var/mail; chmod 2777 /var/mail; ln -s /var/mail/linked /var/mail/link; ln -s /var/mail/x /var/mail/nolink; chown -h mail /var/mail/link; : > /var/mail/mode; chmod 666 /var/mail/mode; chown mail /var/mail/mode; mkfifo /var/mail/fifo; chmod 666 /var/mail/fifo
y -bt $ADDRS; for s in s@far.test ann@me.test '' x@never.test; do for j in one 'mbx flag' three; do SUBJECT="$j" send "$s" $ADDRS; SUBJECT="$j" send "$s" mbox@me.test bsmtp@me.test 2>&1; logs; done; done; cat /var/mail/v.log | sed 's/^20.*//'; x -bp; x -qff; logs; find /var/mail | sed 's/[0-9]\{6,\}[.A-Za-z0-9_-]*/N/g;s#store/.*#store/N#;s/once.seen/once/' | sort; for f in mbox crlf bsmtp fmt fmt2 quota linked mode; do [ -e /var/mail/$f ] && { echo "== $f"; stat -c '%U:%G %a' /var/mail/$f; cat -A /var/mail/$f; }; done | sed 's/ \{500,\}/ /;s/[0-9a-f]\{8\}00000000/UID/;s/^ *[ 0-9]*-Nov-[^,]*,/DATE,/'; find /var/mail/store /var/mail/plain /var/mail/md -type f | while read -r f; do cat "$f"; done | grep -v '^[0-9]\|[+]0000$' | sort | uniq -c

head_ <<'E' | tail_ | new o3
# reports: templates, copies, texts, limits, senders of reports, ignored and frozen, delays that warn
bounce_message_file = ${if match{$h_subject:}{none}{/etc/exim4/none}{/etc/exim4/bounce}}
warn_message_file = /etc/exim4/warn
bounce_return_size_limit = 300
bounce_return_linesize_limit = 60
bounce_return_body = ${if eq{a}{b}}
errors_copy = ann@me.test copies@me.test : *@far.test f1@me.test,f2@me.test
errors_reply_to = Help Desk <help@me.test>
dsn_from = Post ${uc:office} of $qualify_domain <post@$qualify_domain>
bounce_sender_authentication = bounces@me.test
delay_warning = 2s:1h
delay_warning_condition = ${if match{$h_precedence:}{bulk}{no}{yes}}
ignore_bounce_errors_after = 0s
freeze_tell = pm@me.test
auto_thaw = 1s
timeout_frozen_after = 1h
return_path_remove = no
acl_smtp_rcpt = accept
dsn_advertise_hosts = *
begin routers
f:
 driver = redirect
 local_parts = fail
 allow_fail
 data = :fail: 550-5.1.1 line one\n550 second line with ${quote:quotes}
f2:
 driver = redirect
 local_parts = fail2
 data = gone@me.test, ann@me.test, nobody@none.test
 hide_child_in_errmsg
 errors_to = owner@me.test
f3:
 driver = redirect
 local_parts = fail3
 data = :blackhole:
 errors_to =
d:
 driver = redirect
 local_parts = later
 allow_defer
 data = :defer: waits
p:
 driver = accept
 local_parts = pipe : pipe2
 transport = p
ok:
 driver = accept
 domains = me.test
 local_parts = ann : copies : f1 : f2 : pm : owner : s
 transport = l
begin transports
p:
 driver = pipe
 command = ${if eq{$local_part}{pipe}{/bin/sh -c "echo out; echo err >&2; exit 7"}{/bin/sh -c "echo only"}}
 return_output = true
 user = mail
 temp_errors = 7x
begin retry
E
sed -i '/^ temp_errors/d;/^bounce_return_body/d;/^ command = /s/.*/ command = \/etc\/exim4\/cmd $local_part/' $E/exim4.conf
python3 - $E/exim4.conf <<'F'
import sys
p=sys.argv[1]; s=open(p).read(); s=s.replace('begin retry\n',''); open(p,'w').write(s+'begin retry\n*@me.test * F,2s,1s\n* * F,1h,1m\n')
F
printf '#!/bin/sh\ncat > /dev/null\necho out $1\n[ $1 = pipe ] && { echo err >&2; exit 7; }\nexit 0\n' | put cmd; chmod 755 $E/cmd
printf 'Subject: Returned: $h_subject:\nX-B: ${uc:x}\n****\nIntro of $sender_address\n****\nFailed:\n****\nText:\n****\nFull copy:\n****\nCut copy (limit $bounce_return_size_limit):\n****\nEnd.\n' | put bounce; printf 'Subject: Delayed ${quote:$h_subject:}\n****\nfor $warn_message_delay to $warn_message_recipients\n****\nmore follows\n' | put warn
for a in fail@me.test fail2@me.test fail3@me.test later@me.test pipe@me.test pipe2@me.test "gone@me.test ann@me.test" "fail@me.test pipe@me.test none@x.test"; do for s in s@me.test ann@me.test u@far.test ''; do SUBJECT="to $a" send "$s" $a; done; done; after sent; sleep 4; x -q; after q1; sleep 4; x -q; after q2; x -qf; logs
{ echo EHLO x; echo 'MAIL FROM:<s@me.test> RET=HDRS ENVID=a+2Bb'; echo 'RCPT TO:<fail@me.test> NOTIFY=FAILURE ORCPT=rfc822;orig+40x.test'; echo 'RCPT TO:<ann@me.test> NOTIFY=SUCCESS'; echo 'RCPT TO:<later@me.test> NOTIFY=DELAY'; printf 'DATA\nSubject: dsn none\n\nbody\n.\n'; echo 'MAIL FROM:<s@me.test> RET=FULL'; echo 'RCPT TO:<fail@me.test>'; printf 'DATA\nSubject: long\nX-Long: %s\n\n%s\n%s\n.\nQUIT\n' "$(head -c 90 /dev/zero | tr '\0' y)" "$(head -c 100 /dev/zero | tr '\0' x)" "$(seq 1 100)"; } | bs 192.0.2.5; sleep 4; x -q; after dsn
