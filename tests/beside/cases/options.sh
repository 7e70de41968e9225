# Options with odd values: each option of the main section, of routers and of local transports that
# the real Exim knows, one after the other, and what becomes of mail then. With
#
#   KIND=main|routers|transports VALUES='one|another' SORT=1 tests/beside/compare.sh …
#
# other options, and other values than nothing, a forced failure and an expansion that is none.
# Each line begins with the option and its value.
reference=/usr/sbin/exim4
host 2 RCPT=250
declare -A ROUTER=(
 [dnslookup]='transport = smtp' [ipliteral]='transport = smtp'
 [manualroute]='transport = smtp
route_list = * 192.0.2.2'
 [redirect]='data = ann@local.test, /var/mail/file, |/bin/cat
file_transport = box
pipe_transport = pipe
user = ann'
 [queryprogram]='command = /bin/echo ACCEPT transport=box
command_user = ann'
 [accept]='transport = box')
declare -A TRANSPORT=(
 [appendfile]='file = /var/mail/box
user = ann' [pipe]='command = /bin/cat
user = ann
return_output' [autoreply]='to = bob@d2.test
from = me@me.test
subject = s
text = t
user = ann' [lmtp]='command = /bin/false
user = ann' [smtp]='hosts = 192.0.2.2
hosts_override')
# A configuration: main options, a router's driver and options, a transport's.
site() { conf <<C
$1
never_users =
begin routers
r:
  driver = $2
  domains = d.test
$3
last:
  driver = accept
  domains = ! x.test
  transport = box
  user = ann
begin transports
t:
  driver = $4
$5
box:
  driver = appendfile
  file = /var/mail/box
smtp:
  driver = smtp
pipe:
  driver = pipe
begin retry
* * F,1h,1h
C
}
# The lines of a driver without that of an option, and with another one.
lines() { echo "$1" | grep -v "^$2 ="; [ -z "$2" ] || echo "  $2 = $3"; }
# What the real Exim knows of options that are no switches.
known() { $reference -C /etc/exim4/exim4.conf -bP $1 | sed -n 's/^\([a-z0-9_]*\) = .*/\1/p;s/^\([a-z0-9_]*\) =$/\1/p' | sort -u; }
# Mail through the site; each line with what is asked about.
ask() { { x -bt a@d.test; x -bv a@d.test; send ann@me.test b@d.test
 printf 'EHLO x\r\nMAIL FROM:<s@e.test>\r\nRCPT TO:<b@d.test>\r\nRCPT TO:<%%x@d.test>\r\nVRFY b@d.test\r\nQUIT\r\n' | $exim -oMa 192.0.2.2 -oMs client.test -bs
 for i in $(ids); do $exim -Mrm $i > /dev/null; done
 logs; heard 2; all_boxes; rm -rf /var/mail/*
 } 2>&1 | sed "s|^|[$1] |; s/[0-9A-Za-z]\{6\}-[0-9A-Za-z]\{11\}-[0-9A-Za-z]\{4\}/ID/g; s/\] [0-9]* *\([<>]\|bye\)/] \1/; s/removed by.*//"; }
usual='|${if eq{a}{b}{x}fail}|${nosuch:x}'
IFS='|' read -r -a VALUES <<< "${VALUES-$usual}"
[ ${#VALUES[@]} -gt 0 ] || VALUES=('')
for value in "${VALUES[@]}"; do case ${KIND:-routers} in
main) site 'acl_smtp_rcpt = accept' accept '  transport = box' appendfile '  file = /var/mail/t'
 for o in $(known | grep -v 'spool_directory\|log_file_path\|pid_file\|primary_hostname\|exim_path\|exim_user\|exim_group'); do
  site "$(lines 'acl_smtp_rcpt = accept' $o "$value")" accept '  transport = box' appendfile '  file = /var/mail/t'
  ask "$o = $value"
 done ;;
routers) for d in "${!ROUTER[@]}"; do site 'acl_smtp_rcpt = accept' $d "${ROUTER[$d]}" appendfile '  file = /var/mail/t'
 for o in $(known 'router r' | grep -v '^driver$\|^domains$'); do
  site 'acl_smtp_rcpt = accept' $d "$(lines "${ROUTER[$d]}" $o "$value")" appendfile '  file = /var/mail/t'
  ask "$d $o = $value"
 done; done ;;
transports) for d in "${!TRANSPORT[@]}"; do site 'acl_smtp_rcpt = accept' accept '  transport = t' $d "${TRANSPORT[$d]}"
 for o in $(known 'transport t' | grep -v '^driver$'); do
  site 'acl_smtp_rcpt = accept' accept '  transport = t' $d "$(lines "${TRANSPORT[$d]}" $o "$value")"
  ask "$d $o = $value"
 done; done ;;
esac; done
