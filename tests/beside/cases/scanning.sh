# Mail that a filter sees on its way: a pipe that hands it in again (-bS), shadow copies, filters that fail.
cat > $work/filter <<'F'
#!/bin/sh
case "$1" in
 fail) cat >/dev/null; exit 3;;
 die) kill -9 $$;;
 empty) cat > /dev/null;;
 slow) sleep 3; cat;;
 early) head -2;;
 *) sed '/^$/,$!{s/^Subject: /Subject: [scanned] /}';;
esac
F
chmod 755 $work/filter; for m in fail die empty slow early ok x; do echo "$m: 1"; done > /etc/exim4/modes
conf <<C
trusted_users = mail
host_lookup =
tls_advertise_hosts =
qualify_domain = me.test
acl_smtp_rcpt = accept
acl_not_smtp = accept
acl_not_smtp_start = accept
log_selector = +received_recipients +received_sender +sender_on_delivery -pid
domainlist l = me.test
begin routers
scan:
 driver = accept
 no_verify
 condition = \${if and {{!def:h_X-Spam-Flag:}{!eq {\$received_protocol}{spam-scanned}}{!eq{\$local_part}{plain}}}}
 transport = scan
 local_part_suffix = -*
 local_part_suffix_optional
arch:
 driver = accept
 unseen
 condition = \${if eq{\$sender_address}{arch@me.test}}
 transport = archive
 no_verify
f:
 driver = accept
 domains = +l
 local_parts = ann : plain : bob
 local_part_suffix = -*
 local_part_suffix_optional
 transport = \${if eq{\$local_part_suffix}{}{box}{filtered}}
out:
 driver = manualroute
 domains = ! +l
 route_list = * 192.0.2.2
 transport = smtp
begin transports
scan:
 driver = pipe
 command = $exim -oi -oMr spam-scanned -bS
 use_bsmtp
 transport_filter = $work/filter \${lookup{\${substr_1:\$local_part_suffix}}lsearch,ret=key{/etc/exim4/modes}}
 transport_filter_timeout = 2s
 home_directory = /tmp
 current_directory = /tmp
 user = mail
 group = mail
 batch_max = 10
 log_output
 return_fail_output
 return_path_add = false
 message_prefix =
 message_suffix =
box:
 driver = appendfile
 file = /var/mail/box
 user = mail
 group = mail
 shadow_transport = archive
 shadow_condition = \${if eq{\$sender_address}{shadow@me.test}}
filtered:
 driver = appendfile
 file = /var/mail/box
 user = mail
 group = mail
 transport_filter = $work/filter \${lookup{\${substr_1:\$local_part_suffix}}lsearch,ret=key{/etc/exim4/modes}}
 transport_filter_timeout = 2s
archive:
 driver = pipe
 command = /bin/sh -c "cat > /var/mail/arch.\\\$LOCAL_PART; echo archived; test \\\$LOCAL_PART != bob"
 user = mail
 group = mail
 return_fail_output
 batch_max = 5
smtp:
 driver = smtp
 transport_filter = $work/filter "\${if eq{\$local_part}{bad}{fail}{}}"
begin retry
* * F,1h,10m
C
host 2 show=1
go() { send "$@"; sleep 0.6; logs; boxes; [ -s host.2 ] && heard 2; $exim -bp | sed 's/^ *[0-9]*[smh]/T/'; for i in $(ids); do $exim -Mrm $i >/dev/null; done; : > $LOG/mainlog; }
go s@me.test ann@me.test
go s@me.test ann@me.test bob@me.test x@far.test
go s@me.test ann-x@me.test
go s@me.test ann-fail@me.test
go s@me.test ann-die@me.test
go s@me.test ann-empty@me.test
go s@me.test ann-slow@me.test
go s@me.test ann-early@me.test
go arch@me.test plain@me.test
go shadow@me.test plain@me.test
for f in fail die empty slow early ok; do go s@me.test plain-$f@me.test; done
go '' ann@me.test
go s@me.test plain@me.test bob@me.test ann@me.test nobody@me.test
(echo 'Subject: marked'; echo 'X-Spam-Flag: no'; echo; echo b) | $exim -oi -odf -f arch@me.test bob@me.test ann@me.test plain@me.test; sleep 0.4; logs; boxes
(echo 'Subject: marked'; echo 'X-Spam-Flag: no'; echo; echo b) | $exim -oi -odf -f s@me.test x@far.test bad@far.test; sleep 0.4; logs; heard 2; $exim -bp | wc -l
printf 'MAIL FROM:<s@me.test>\nRCPT TO:<ann@me.test>\nRCPT TO:<bob@me.test>\nDATA\nSubject: batch\n\n..dots\nFrom here\n.\nMAIL FROM:<t@me.test>\nRCPT TO:<bad bad>\nDATA\nx\n.\nMAIL FROM:<u@me.test>\nRCPT TO:<plain@me.test>\nDATA\nSubject: 3\n\n.\nQUIT\n' > b; $exim -oMr spam-scanned -odf -bS < b; echo rc $?; logs; boxes
setpriv --reuid=5001 --regid=5001 --clear-groups $exim -oMr spam-scanned -odf -bS < b; echo rc $?; logs; boxes
