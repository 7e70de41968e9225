# A site with a little of everything, and a busy while (see `busy.sh`).
mkdir $work/mail $work/lists; chmod 777 $work/mail
openssl req -x509 -newkey rsa:2048 -nodes -days 99 -subj /CN=me.test \
 -keyout $work/key.pem -out $work/cert.pem 2>/dev/null
chmod 644 $work/*.pem
there python3 $here/busy/hosts.py & hosts=$!
conf <<C
qualify_domain = me.test
domainlist local_domains = me.test : *.local.test
domainlist relay_to = lsearch;$work/lists/relay
log_selector = +all
tls_advertise_hosts = *
tls_certificate = $work/cert.pem
tls_privatekey = $work/key.pem
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
message_size_limit = 200K
rfc1413_query_timeout = 0s
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data
acl_smtp_mime = mime
acl_smtp_notquit = accept
prdr_enable = true
dsn_advertise_hosts = *
event_action = \${if eq{\$event_name}{msg:complete}{\${acl{event}{\$event_data}}}}
ignore_bounce_errors_after = 10s
timeout_frozen_after = 20s
bounce_return_size_limit = 4K
delay_warning = 5s
deliver_queue_load_max = 1000
queue_only_load = 1000
system_filter = $work/lists/system
begin acl
mail:
  defer condition = \${if match{\$sender_address}{^deferme}}
  accept
event:
  accept logwrite = done \$acl_arg1 \$message_exim_id
mime:
  warn decode = default
  deny condition = \${if match{\$mime_filename}{exe\$}}
       message = no programs
  accept
rcpt:
  deny    local_parts = ^[.] : ^.*[@%!/|]
          message = Restricted characters in address
  discard local_parts = trash
  warn    set acl_m_look = \${lookup{\$local_part}lsearch{$work/lists/aliases}{\$value}{none}}
          ratelimit = 1000000 / 1m / per_rcpt / strict
  defer   local_parts = greylist
          condition = \${if <{\${randint:10}}{5}}
  deny    local_parts = nosuch
          message = no \$local_part here
          delay = 0s
  require verify = sender
  require verify = recipient/callout=2s,defer_ok,no_cache
  accept  domains = +local_domains : +relay_to
  deny    message = relay not permitted
data:
  deny    condition = \${if >{\$message_size}{100K}}
  deny    !verify = header_syntax
  warn    condition = \${if match{\$h_subject:}{\\N(?i)free\\s+offer\\N}}
          add_header = X-Flag: yes
  warn    regex = ^Buy now
          add_header = X-Buy: yes
          control = freeze
  accept
begin routers
aliases:
  driver = redirect
  domains = +local_domains
  data = \${lookup{\$local_part}lsearch{$work/lists/aliases}}
  allow_fail
  allow_defer
  file_transport = file
  pipe_transport = pipe
  reply_transport = reply
  user = nobody
  retry_use_local_part
filters:
  driver = redirect
  domains = +local_domains
  local_parts = filtered
  file = $work/lists/filter
  allow_filter
  user = nobody
  file_transport = file
  pipe_transport = pipe
  reply_transport = reply
  no_verify
users:
  driver = accept
  domains = +local_domains
  local_parts = box0 : box1 : box2 : box3 : box4 : box5 : box6 : full
  transport = \${if eq{\$local_part}{full}{full}{\${if eq{\$local_part}{box1}{mbox}{boxes}}}}
away:
  driver = manualroute
  route_data = \${lookup{\$domain}lsearch{$work/lists/relay}}
  transport = \${if match{\$domain}{tls}{secure}{smtp}}
begin transports
boxes:
  driver = appendfile
  directory = $work/mail/\$local_part_data
  maildir_format
  user = nobody
mbox:
  driver = appendfile
  file = $work/mail/\$local_part_data.mbox
  user = nobody
full:
  driver = appendfile
  directory = $work/mail/\$local_part_data
  maildir_format
  quota = 20K
  quota_warn_threshold = 50%
  user = nobody
file:
  driver = appendfile
  user = nobody
pipe:
  driver = pipe
  user = nobody
  return_fail_output
  timeout = 5s
reply:
  driver = autoreply
  user = nobody
  once = $work/mail/once
smtp:
  driver = smtp
  hosts_try_fastopen =
  hosts_avoid_tls = *
  connect_timeout = 2s
  command_timeout = 4s
  data_timeout = 4s
  final_timeout = 4s
  max_rcpt = 3
secure:
  driver = smtp
  hosts_try_fastopen =
  hosts_require_tls = *
  connect_timeout = 2s
begin retry
defer.test * F,30s,5s
* * F,15s,3s; F,40s,10s
begin rewrite
*@old.test \$1@me.test Ffrs
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{u}}{eq{\$auth3}{p}}}}
  server_set_id = \$auth2
C
cat > $work/lists/system <<C
# Exim filter
if \$h_subject: contains "freezeme" and first_delivery then freeze endif
if \$h_subject: contains "failme" then fail text "system says no" endif
headers add "X-Sys: \$message_id"
C
cat > $work/lists/filter <<C
# Exim filter
if \$h_subject: contains "vac" then vacation endif
if \$h_subject: contains "save" then save $work/mail/saved seen finish endif
if \$h_subject: contains "pipe" then pipe "/bin/cat" finish endif
unseen deliver box2
deliver box3
C
cat > $work/lists/aliases <<C
a1: box0, box1, far@far.test
a2: :fail: gone
a3: :defer: later
a4: |/bin/false
a5: |/bin/cat
a6: $work/mail/file6
a7: "|/bin/sleep 7"
a8: far@dead.test, far@closed.test, box3
a9: far@defer.test, far@refuse.test
a10: a10, box2
a11: a12
a12: a11
a13: x@tls.test, y@far.test, z@far.test, v@far.test
C
{ echo "far.test: 192.0.2.11"; echo "dead.test: 192.0.2.12"; echo "defer.test: 192.0.2.13"
  echo "refuse.test: 192.0.2.14"; echo "closed.test: 192.0.2.15"; echo "tls.test: 192.0.2.16"
  for i in $(seq 2000); do echo "m$i.far.test: 192.0.2.$((21 + i % 4))"; done; } > $work/lists/relay
chmod -R a+rX $work/lists
daemon -q20s
python3 $here/busy/clients.py "$BUSY_SECONDS" 16
sleep 45
stop
kill $hosts
echo "$(ids | wc -l) messages wait"
ids > $work/waiting
cp $LOG/mainlog $LOG/rejectlog $work
if [ -e $LOG/paniclog ]; then cp $LOG/paniclog $work; fi
