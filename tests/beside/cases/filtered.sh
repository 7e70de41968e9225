# A site with a system filter, mailstore, batched SMTP, shadow transports and transport filters.
conf <<C
domainlist local = me.test : lists.test
log_selector = +all_parents +delivery_size +received_recipients +return_path_on_delivery +subject
system_filter = /etc/exim4/system.filter
system_filter_user = mail
system_filter_group = mail
system_filter_file_transport = sfile
system_filter_directory_transport = sdir
system_filter_pipe_transport = spipe
system_filter_reply_transport = sreply
message_logs = true
acl_smtp_rcpt = accept
begin routers
forward:
  driver = redirect
  domains = +local
  local_parts = fwd : both : gone
  data = \${lookup{\$local_part}lsearch{/etc/exim4/aliases}}
  file_transport = sfile
  directory_transport = sdir
  pipe_transport = spipe
box:
  driver = accept
  domains = me.test
  local_parts = ann : bob : cat
  transport = \${if eq{\$local_part}{ann}{store}{\${if eq{\$local_part}{bob}{batch}{filtered}}}}
lists:
  driver = accept
  domains = lists.test
  transport = bs
begin transports
sfile:
  driver = appendfile
  user = mail
  group = mail
  delivery_date_add
  envelope_to_add
  return_path_add
sdir:
  driver = appendfile
  user = mail
  group = mail
  mailstore_format
  create_directory
  mailstore_prefix = from \$sender_address to \$local_part@\$domain\\n
  mailstore_suffix = end\\n
spipe:
  driver = pipe
  user = mail
  group = mail
  log_output
  return_fail_output
sreply:
  driver = autoreply
  user = mail
  group = mail
  log = /var/mail/reply.log
store:
  driver = appendfile
  directory = /var/mail/store/\${sg{\$local_part_data\$local_part}{^ann\$}{ann}}
  mailstore_format
  create_directory
  user = mail
  group = mail
  mailstore_suffix = tail \$message_size\\n
  shadow_transport = shade
  shadow_condition = \${if match{\$h_subject:}{sh}}
shade:
  driver = appendfile
  file = /var/mail/shadow
  user = mail
  group = mail
  headers_add = X-Shadow: \$local_part
  headers_remove = subject
batch:
  driver = appendfile
  file = /var/mail/batch
  use_bsmtp
  batch_max = 10
  user = mail
  group = mail
  message_prefix = "HELO \$primary_hostname\\n"
filtered:
  driver = pipe
  command = /bin/sh -c "cat >> /var/mail/filtered"
  transport_filter = /bin/sed -e s/body/BODY/
  user = mail
  group = mail
  message_prefix = ""
  message_suffix = "--\\n"
  headers_rewrite = *@me.test \$1@new.test fs
bs:
  driver = appendfile
  file = /var/mail/lists
  batch_max = 20
  batch_id = \$domain
  use_crlf
  escape_string = ":"
  check_string = "From "
  user = mail
  group = mail
begin retry
* * F,1h,10m
C
cat > /etc/exim4/aliases <<C
fwd: /var/mail/forwarded
both: "|/bin/sh -c 'cat > /dev/null; echo said'", /var/mail/dd/, bob@me.test, cat@me.test
gone: :fail: no longer here
C
cat > /etc/exim4/system.filter <<'C'
# Exim filter
if first_delivery then headers add "X-First: yes $message_id" endif
if $h_subject: contains "freeze" and not manually_thawed then freeze "held: $h_subject:" finish endif
if $h_subject: contains "fail" then fail "<<log $h_subject:>>told: not wanted" finish endif
if $h_subject: contains "copy" then unseen save /var/mail/copies 0640 endif
if $h_subject: contains "dir" then save /var/mail/sysdir/ endif
if $h_subject: contains "pipe" then pipe "/bin/sh -c 'cat >/dev/null; echo out; exit 3'" endif
if $h_subject: contains "other" then deliver cat@me.test errors_to bob@me.test endif
if $h_subject: contains "unseen" then unseen deliver bob@me.test endif
if $h_subject: contains "reply" then mail to $sender_address subject "re: $h_subject:" text "hello\nyou" log /var/mail/filter.reply extra_headers "X-A: 1" endif
if $h_subject: contains "logw" then logfile /var/mail/flog logwrite "$tod_full" endif
if $h_subject: contains "noto" then headers remove "To:X-First" headers add "To: nobody@x.test" endif
if $h_subject: contains "testp" then testprint "x" endif
if error_message then headers add "X-Err: 1" endif
if $recipients contains "ann" and $h_subject: contains "rcpts" then headers add "X-R: $recipients / $recipients_count" endif
if $h_subject: matches "n([0-9]+)x" and $1 is above 5 then add $1 to n1 headers add "X-N: $n1" endif
C
for s in plain shade freeze fail copy dir pipe other unseen reply noto rcpts n7x "copy shade" "copy dir" "unseen reply" testp "pipe copy"; do SUBJECT=$s
 send ann@me.test ann@me.test bob@me.test cat@me.test
 send bob@me.test l1@lists.test l2@lists.test l3@lists.test
 send cat@me.test fwd@me.test both@me.test
 send ann@me.test gone@me.test nobody@me.test cat@me.test
 send '<>' ann@me.test
 all_boxes
 logs; spool
 for i in $(ids); do x -Mt $i; x -odf -M $i; done
 logs; spool
 for i in $(ids); do x -Mrm $i; done
 all_boxes
done

# What a system filter is told of recipients, and its deliveries of where they come from.
conf <<'C'
qualify_domain = qd.test
qualify_recipient = qr.test
system_filter = /etc/exim4/system.filter
system_filter_user = mail
system_filter_file_transport = f
begin routers
r:
  driver = redirect
  local_parts = ann
  data = bob@bb.test
f:
  driver = accept
  transport = f
begin transports
f:
  driver = appendfile
  file = /var/mail/all
  user = mail
  message_prefix = "P=$parent_local_part@$parent_domain O=$original_local_part@$original_domain L=$local_part@$domain in:$initial_cwd\n"
C
cat > /etc/exim4/system.filter <<'C'
# Exim filter
logfile /var/mail/told
logwrite "L=$recipients_list R=$recipients C=$recipients_count in:$initial_cwd"
if first_delivery then unseen deliver ann@me.test unseen deliver cat unseen save /var/mail/more endif
C
cd /tmp; for d in -odi -odf '-odq -oi'; do msg w | $exim $d -f ann@me.test a@me.test '"x:y"@me.test'; for i in $(ids); do x -M $i; done; all_boxes; logs; done
printf 'From s@x.test Thu Nov 26 12:00:00 2026\nSubject: x\n\nbody\n' | x -bF /etc/exim4/system.filter -bfl x:y -bfd d.test
