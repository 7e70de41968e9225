# What routers, transports and nested ACLs see while addresses are verified: $verify_mode,
# $return_path, what the router has found out (in callouts), affixes, $acl_verify_message; and
# $domain in lists of domains that are tested where no domain is at hand.
box='begin transports
box:
 driver = appendfile
 file = /var/mail/box
 user = mail'
said() { printf '%s\n' "EHLO x" "$@" QUIT | $exim -odq -bs; logs; }
lg='lg:
 accept logwrite = $acl_arg1 vm=<$verify_mode> rp=<$return_path> s=<$sender_address> lp=$local_part
   message = ok'
routes="begin routers
lg:
 driver = redirect
 condition = \${if eq{\${acl{lg}{all}}}{}}
 data =
x:
 driver = redirect
 condition = \${if eq{\$verify_mode}{R}}
 local_parts = ann
 data = :fail: recipients only
 allow_fail
e:
 driver = redirect
 local_parts = err
 data = next
 errors_to = errs@me.test
v:
 driver = accept
 transport = box
$box"
conf <<C
acl_smtp_mail = m
acl_smtp_rcpt = a
acl_smtp_data = dd
acl_smtp_vrfy = accept
acl_smtp_expn = accept
begin acl
$lg
m:
 accept verify = sender=other@me.test
   logwrite = m rp=<\$return_path>
a:
 accept verify = recipient
   logwrite = a vm=<\$verify_mode>
dd:
 warn verify = header_sender
   logwrite = hs rp=<\$return_path>
 accept
$routes
C
said 'MAIL FROM:<ann@me.test>' 'RCPT TO:<ok@me.test>' 'RCPT TO:<ann@me.test>' 'RCPT TO:<err@me.test>' 'RCPT TO:<ok2@me.test>' DATA 'From: bob@me.test' '' b . 'MAIL FROM:<>' 'RCPT TO:<ok@me.test>' 'VRFY ann@me.test' 'EXPN ann@me.test'
for a in -bv -bvs -bt; do x $a ann@me.test err@me.test ok@me.test; logs; done
# Who is told of errors is verified as a recipient.
for opt in no_verify_sender no_verify_recipient; do
conf <<C
begin routers
e:
 driver = redirect
 local_parts = err
 data = next
 errors_to = errs@me.test
s:
 driver = accept
 local_parts = errs
 $opt
 transport = box
v:
 driver = accept
 local_parts = next
 transport = box
begin transports
box:
 driver = pipe
 command = /bin/sh -c "echo \$return_path >> $work/out"
 user = mail
C
touch $work/out; chmod 777 $work/out
send ann@me.test err@me.test
cat $work/out; rm $work/out
done
# A transport that is asked knows of the address what it would know in a delivery.
V='$acl_arg1 rn=$router_name h=$home lp=$local_part d=$domain olp=$original_local_part od=$original_domain plp=$parent_local_part ad=$address_data rx=$r_x rp=$return_path s=$sender_address host=$host ha=$host_address hp=$host_port lpd=$local_part_data dd=$domain_data pre=$local_part_prefix vm=$verify_mode'
conf <<C
domainlist doms = dom.test : child.test
acl_smtp_rcpt = a
begin acl
lg:
 accept logwrite = $V
   message = ok
a:
 accept verify = recipient/callout=2s,no_cache
   logwrite = a ad=\$address_data rp=\$return_path lp=\$local_part d=\$domain olp=\$original_local_part vm=\$verify_mode host=\$host
begin routers
e:
 driver = redirect
 local_parts = parent
 data = child@child.test
 set = r_x = xxp
 address_data = ADP
v:
 driver = manualroute
 domains = +doms
 local_parts = lsearch*;/etc/exim4/lps
 local_part_prefix = pre-
 local_part_prefix_optional
 address_data = AD
 set = r_x = xx
 route_list = * 192.0.2.4
 transport_home_directory = /thome
 transport = smtp
w:
 driver = accept
 transport = smtp2
 address_data = AD2
 set = r_x = 192.0.2.4
begin transports
smtp:
 driver = smtp
 interface = \${if !eq{\${acl{lg}{interface}}}{}{192.0.2.1}}
 helo_data = \${if !eq{\${acl{lg}{helo}}}{}{h.test}}
 port = \${if !eq{\${acl{lg}{port}}}{}{25}}
 hosts_try_auth = \${if eq{\${acl{lg}{try_auth}}}{}{}}
 authenticated_sender = \${acl{lg}{as}}
smtp2:
 driver = smtp
 hosts = \${if !eq{\${acl{lg}{hosts}}}{}{\$r_x}}
 hosts_override
 port = 25
 helo_data = \${if !eq{\${acl{lg}{helo2}}}{}{h.test}}
C
echo '*: data' > /etc/exim4/lps
host 4
said 'MAIL FROM:<ann@me.test>' 'RCPT TO:<pre-ok@dom.test>' 'RCPT TO:<parent@other.test>' 'RCPT TO:<x@elsewhere.test>'
gone 4
# Affixes are told to nobody, but for rcpt_include_affixes.
for o in "" rcpt_include_affixes; do
conf <<C
acl_smtp_rcpt = a
begin acl
a:
 warn condition = \${if eq{\$local_part}{pre-cut}}
   control = cutthrough_delivery
 accept verify = recipient/callout=2s,no_cache
begin routers
v:
 driver = manualroute
 local_part_prefix = pre-
 local_part_prefix_optional
 route_list = * 192.0.2.4
 transport = smtp
begin transports
smtp:
 driver = smtp
 $o
C
host 4 "RCPT TO:<no=550 no" "RCPT TO:<pre-no=550 no"
said 'MAIL FROM:<ann@me.test>' 'RCPT TO:<pre-ok@dom.test>' 'RCPT TO:<pre-no@dom.test>' 'RCPT TO:<no@dom.test>' RSET 'MAIL FROM:<ann@me.test>' 'RCPT TO:<pre-cut@dom.test>' DATA 'From: x@y' '' b .
gone 4
done
# What was found out is known to the first statement of an ACL that is called.
conf <<C
acl_smtp_rcpt = a
begin acl
a:
 warn local_parts = nosuch
   !verify = recipient
   acl = sub
   condition = \${acl{sub2}}1
 warn local_parts = two
   !verify = recipient
   set acl_m_y = \${acl{sub3}}
   condition = \${acl{sub2}}1
   acl = sub
 warn local_parts = three
   !verify = recipient
   acl = sub4
   acl = sub
   logwrite = three [\$acl_verify_message]
 accept
sub:
 accept logwrite = sub [\$recipient_verify_failure] [\$acl_verify_message]
sub2:
 accept logwrite = sub2 [\$recipient_verify_failure] [\$acl_verify_message]
   message = x
sub3:
 accept logwrite = sub3 [\$recipient_verify_failure] [\$acl_verify_message]
   message = x
sub4:
 warn !verify = sender
  logwrite = sub4 [\$acl_verify_message]
 accept acl = sub
begin routers
v:
 driver = redirect
 local_parts = three
 data = :fail: three is no more
 allow_fail
w:
 driver = accept
 local_parts = known
 transport = box
$box
C
said 'MAIL FROM:<gone@me.test>' 'RCPT TO:<nosuch@me.test>' 'RCPT TO:<two@me.test>' 'RCPT TO:<three@me.test>'
# The domain that a list is asked about, where there is no other.
conf <<C
domainlist q = \${if eq{\$domain}{q.test}{q.test}{zz}}
domainlist p = \${if eq{\$domain}{p.test}{p.test}{zz}}
queue_domains = +q
percent_hack_domains = +p
acl_smtp_helo = h
acl_smtp_mail = m
acl_smtp_rcpt = r
begin acl
h:
 accept condition = \${if match_domain{\$sender_helo_name}{+q}}
   logwrite = helo [\$domain]
 accept
m:
 warn sender_domains = +q
   logwrite = sender_domains [\$domain]
 warn senders = *@+q
   logwrite = senders [\$domain]
 accept condition = \${if match_address{\$sender_address}{*@+q}}
   logwrite = match_address [\$domain]
 accept
r:
 warn senders = *@+q
   logwrite = r senders [\$domain]
 accept domains = +q
   logwrite = r domains [\$domain]
 accept
begin routers
v:
 driver = accept
 transport = box
$box
begin rewrite
*@+q rw-\$1@me.test Eh
C
printf '%s\n' 'EHLO q.test' 'MAIL FROM:<a@q.test>' 'RCPT TO:<b@q.test>' 'RCPT TO:<b@x.test>' 'RCPT TO:<b%c.test@p.test>' QUIT | $exim -bs; logs
x -brw a@q.test a@x.test
x -bt b%c.test@p.test b@x.test
x -be '${if match_domain{q.test}{+q}{y}{n}} ${if match_domain{a.test}{+q}{y}{n}} [$domain]'
send ann@me.test x@q.test; x -bp | grep -c q.test; logs; boxes
echo '##### what is known behind callouts that may be put off'
conf <<C
acl_smtp_rcpt = rcpt
host_lookup =
tls_advertise_hosts =
begin acl
rcpt:
 warn verify = recipient/callout=2s,defer_ok,no_cache
  logwrite = a f=\$recipient_verify_failure msg=\$acl_verify_message ad=\$address_data dd=\$domain_data
 warn logwrite = b f=\$recipient_verify_failure msg=\$acl_verify_message
 warn verify = recipient/callout=2s,defer_ok,no_cache
  log_message = lm \$acl_verify_message
 warn verify = sender/callout=2s,defer_ok,no_cache
  logwrite = s f=\$sender_verify_failure msg=\$acl_verify_message ad=\$sender_address_data
 accept
begin routers
d:
 driver = redirect
 domains = defer.test
 data = :defer: not now
 allow_defer
r:
 driver = manualroute
 route_list = far.test 192.0.2.2; dead.test 192.0.2.99
 address_data = data-\$domain
 transport = s
begin transports
s:
 driver = smtp
 connect_timeout = 1s
 hosts_try_fastopen =
C
$exim -bd -oX 25 & sleep 1
for w in 'rcpt=450 later' 'rcpt=550 no' 'mail=450 mlater' 'conn=450 clater' 'rcpt=-'; do host 2 "$w"; echo "## $w"
for d in far dead defer; do printf "EHLO x\nMAIL FROM:<s@$d.test>\nRCPT TO:<a@$d.test>\nQUIT\n" | say 192.0.2.1 192.0.2.1 2>&1 | tail -4; logs; done; gone 2 >/dev/null; done
