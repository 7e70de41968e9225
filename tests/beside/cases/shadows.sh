# Shadow transports of all kinds, and mailstore as a router's transport.
conf <<C
domainlist local = me.test
log_selector = +delivery_size +return_path_on_delivery +all_parents
acl_smtp_rcpt = accept
begin routers
named:
  driver = accept
  domains = me.test
  local_parts = lsearch;/etc/exim4/names
  transport = \$local_part_data
two:
  driver = redirect
  domains = me.test
  local_parts = twice
  data = store, mbox
begin transports
store:
  driver = appendfile
  directory = /var/mail/store
  mailstore_format
  create_directory
  user = mail
  group = mail
  mailstore_prefix = \$local_part@\$domain from \$sender_address
  mailstore_suffix = tail \$message_size
  return_path_add
  shadow_transport = shade
  shadow_condition = \${if match{\$h_subject:}{sh}}
mbox:
  driver = appendfile
  file = /var/mail/mbox
  user = mail
  group = mail
  shadow_transport = noshade
mdir:
  driver = appendfile
  directory = /var/mail/mdir
  maildir_format
  user = mail
  group = mail
  shadow_transport = piped
  headers_add = X-By: mdir
command:
  driver = pipe
  command = /bin/cat
  user = mail
  group = mail
  return_fail_output
  shadow_transport = shade
answer:
  driver = autoreply
  user = mail
  group = mail
  to = bob@me.test
  subject = re: \$h_subject:
  text = answered
  shadow_transport = shade
fails:
  driver = pipe
  command = /bin/false
  user = mail
  group = mail
  shadow_transport = shade
defers:
  driver = appendfile
  file = /nowhere/at/all
  create_file = anywhere
  user = mail
  group = mail
  shadow_transport = shade
cond:
  driver = appendfile
  file = /var/mail/cond
  user = mail
  group = mail
  shadow_transport = shade
  shadow_condition = \${if match{\$h_subject:}{sh}{yes}fail}
badcond:
  driver = appendfile
  file = /var/mail/badcond
  user = mail
  group = mail
  shadow_transport = shade
  shadow_condition = \${if bool{maybe}{yes}}
root:
  driver = appendfile
  file = /var/mail/root
  shadow_transport = shade
shade:
  driver = appendfile
  file = /var/mail/shadow
  user = mail
  group = mail
  headers_add = X-Shadow: \$local_part
  headers_remove = subject
  shadow_transport = third
  delivery_date_add
third:
  driver = appendfile
  file = /var/mail/third
  user = mail
noshade:
  driver = appendfile
  file = /nowhere/shadow
  create_file = anywhere
  user = mail
  group = mail
piped:
  driver = pipe
  command = /bin/sh -c "cat > /dev/null; echo output; exit 4"
  user = mail
  group = mail
  log_output
  return_output
shadowed_store:
  driver = appendfile
  file = /var/mail/ss
  user = mail
  group = mail
  shadow_transport = store
big:
  driver = appendfile
  file = /var/mail/big
  user = mail
  group = mail
  shadow_transport = small
small:
  driver = appendfile
  file = /var/mail/small
  user = mail
  group = mail
  message_size_limit = 10
quoted:
  driver = appendfile
  directory = /var/mail/quoted
  mailstore_format
  user = mail
  group = mail
  quota = 2K
  quota_warn_threshold = 50%
batched:
  driver = appendfile
  directory = /var/mail/batched
  mailstore_format
  use_bsmtp
  batch_max = 10
  user = mail
  group = mail
  shadow_transport = shade
unable:
  driver = appendfile
  directory = /var/mail/unable
  mailstore_format
  create_directory = false
  user = mail
  group = mail
prefixless:
  driver = appendfile
  directory = /var/mail/pl
  mailstore_format
  user = mail
  group = mail
  mailstore_prefix = \${if match{\$h_subject:}{sh}{x}fail}
  mailstore_suffix = \${lookup{x}nosuch{y}}
begin retry
* * F,1h,10m
C
for n in store mbox mdir command answer fails defers cond badcond root shadowed_store big quoted batched unable prefixless; do echo "$n: $n"; done > /etc/exim4/names
echo 'twice: two' >> /etc/exim4/names
stores() { all_boxes; find /var/mail -mindepth 1 -type d | sort | xargs -r stat -c '%n %U:%G %a'; }
for s in plain shade output; do SUBJECT=$s
 for n in store mbox mdir command answer fails defers cond badcond root shadowed_store big unable prefixless; do
  send ann@x.test $n@me.test
  stores; logs; spool
  for i in $(ids); do x -odf -M $i; done
  logs
  for i in $(ids); do x -Mrm $i; done
  stores; logs
 done
 send ann@x.test store@me.test mbox@me.test mdir@me.test cond@me.test command@me.test
 send ann@x.test batched@me.test quoted@me.test
 send '<>' batched@me.test store@me.test quoted@me.test
 for k in 1 2 3 4 5 6; do send ann@x.test quoted@me.test; done
 logs; spool
 for i in $(ids); do x -Mrm $i; done
 stores; logs
done
