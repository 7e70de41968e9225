# A site with its users in SQLite, as ISPConfig and vexim have theirs: written from what such panels say of themselves. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
new isp <<'E'
DB = /var/spool/exim4/isp.db
sqlite_dbfile = /var/spool/exim4/isp.db
domainlist local_domains = ${lookup sqlite{select domain from domain where active='y' and domain='${quote_sqlite:$domain}'}}
domainlist alias_domains = sqlite;select source from alias_domain where source='${quote_sqlite:$domain}'
domainlist relay_to_domains = ${lookup sqlite,file=/var/spool/exim4/isp.db {select domain from transport where transport like 'relay:%'}}
hostlist relay_from_hosts = 127.0.0.1 : ${sg{${lookup sqlite{select ip from relayips}}}{\\n}{ : }}
hostlist blacklist = ${sg{${lookup sqlite{select source from access where type='client' and access='REJECT'}}}{\\n}{ : }}
qualify_domain = me.test
host_lookup =
tls_advertise_hosts = !192.0.2.8
tls_certificate = /etc/exim4/cert.pem
tls_privatekey = /etc/exim4/key.pem
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
smtp_accept_max_per_host = ${if match_ip{$sender_host_address}{+relay_from_hosts}{20}{2}}
smtp_accept_reserve = 2
smtp_accept_max = 20
smtp_reserve_hosts = 192.0.2.1
smtp_ratelimit_hosts = 192.0.2.14
smtp_ratelimit_rcpt = 2,0.1s,1.1,1s
queue_run_in_order
remote_max_parallel = 1
queue_only_file = smtp/var/spool/exim4/stop
queue_domains = q.test
hold_domains = hold.test
smtp_etrn_command = /bin/sh -c "echo etrn $domain >> /var/spool/exim4/etrn"
log_selector = +all_parents +sender_on_delivery +received_sender +received_recipients +smtp_confirmation +queue_time +outgoing_port +sender_verify_fail +smtp_mailauth -pid
system_filter = /etc/exim4/sysfilter
system_filter_user = mail
system_filter_pipe_transport = address_pipe
system_filter_file_transport = address_file
system_filter_reply_transport = address_reply
message_logs = true
split_spool_directory = true
acl_smtp_connect = cc
acl_smtp_helo = hh
acl_smtp_mail = mm
acl_smtp_rcpt = rr
acl_smtp_data = dd
acl_smtp_etrn = accept
acl_smtp_mailauth = accept
acl_not_smtp = ns
begin acl
cc:
 drop hosts = +blacklist
  message = ${lookup sqlite{select reason from access where source='${quote_sqlite:$sender_host_address}'}{$value}{blocked}}
 accept
hh:
 deny condition = ${if eq{${lc:$sender_helo_name}}{${lc:$primary_hostname}}}
  message = You are not $primary_hostname
 accept
mm:
 warn set acl_m_sp = ${lookup sqlite{select policy, wblist from policy where email='${quote_sqlite:$sender_address}' or email='@${quote_sqlite:$sender_address_domain}' order by length(email) desc}}
 deny condition = ${if eq{${extract{wblist}{$acl_m_sp}}}{B}}
  message = sender blocked ($acl_m_sp)
 accept
grey:
 accept condition = ${if eq{$sender_helo_name}{nogrey.test}}
 warn set acl_m_g = ${lookup sqlite{select block_expires - 1780000000, record_expires > 0 from grey where relay='${quote_sqlite:${mask:$sender_host_address/24}}' and f='${quote_sqlite:$sender_address}' and t='${quote_sqlite:$acl_arg1}'}}
 warn condition = ${if eq{$acl_m_g}{}}
  set acl_m_x = ${lookup sqlite{insert into grey values ('${quote_sqlite:${mask:$sender_host_address/24}}','${quote_sqlite:$sender_address}','${quote_sqlite:$acl_arg1}',1780000005,1880000000)}}
 accept condition = ${if eq{$acl_m_g}{}{no}{yes}}
 deny message = greylisted ${acl_arg1} $acl_narg
rr:
 accept hosts = :
 deny message = bad
  local_parts = ^.*[@%!]
 require verify = sender
 deny message = over quota ${acl_m_q}
  domains = +local_domains
  set acl_m_q = ${lookup sqlite{select quota - used from mailuser where email='${quote_sqlite:$local_part@$domain}'}}
  condition = ${if and{{match{$acl_m_q}{^-?[0-9]+\$}}{<{$acl_m_q}{1}}}}
 accept authenticated = *
  condition = ${if eqi{$authenticated_id}{$sender_address}}
  ratelimit = ${lookup sqlite{select perhour from mailuser where email='${quote_sqlite:$authenticated_id}'}{$value}{1}} / 1h / per_rcpt / $authenticated_id
  message = x
 deny authenticated = *
  message = $authenticated_id may not send as $sender_address ($sender_rate)
 accept hosts = +relay_from_hosts
 require message = relay not permitted
  domains = +local_domains : +alias_domains : +relay_to_domains
 require verify = recipient
 defer !acl = grey $local_part@$domain
  condition = ${if def:sender_address}
 accept
dd:
 accept authenticated = *
  condition = ${if eqi{${address:$h_from:}}{$authenticated_id}{no}{yes}}
  add_header = X-Auth-Mismatch: $authenticated_id != ${address:$h_from:}
  logwrite = mismatch $authenticated_id ${sort{$recipients}{<}{$item}}
 warn condition = ${if >{$message_size}{10K}{yes}{no}}
  add_header = X-Large: $message_size
 accept
ns:
 warn set acl_m_user = ${extract{0}{:}{${lookup passwd{$caller_uid}}}}${sender_ident}
 deny condition = ${lookup sqlite{select 1 from suspended where user='${quote_sqlite:$sender_ident}'}}
  message = account suspended
 accept condition = ${if >{$caller_uid}{5000}}
  ratelimit = 2/1h/per_mail/strict/$sender_ident
  control = queue_only
  add_header = X-Rate: $sender_rate
 accept
begin authenticators
plain:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = ${lookup sqlite{select password from mailuser where email='${quote_sqlite:$auth2}' and access='y'}{${if crypteq{$auth3}{$value}}}{false}}
 server_set_id = $auth2
cram:
 driver = cram_md5
 public_name = CRAM-MD5
 server_secret = ${lookup sqlite{select clear from mailuser where email='${quote_sqlite:$auth1}'}{$value}fail}
 server_set_id = $auth1
 client_name = ${extract{user}{${lookup{$sender_address}lsearch*@{/etc/exim4/smarthosts}}}}
 client_secret = ${extract{pass}{${lookup{$sender_address}lsearch*@{/etc/exim4/smarthosts}}}}
cplain:
 driver = plaintext
 public_name = PLAIN
 client_send = ^${extract{user}{${lookup{$sender_address}lsearch*@{/etc/exim4/smarthosts}}}{$value}fail}^${extract{pass}{${lookup{$sender_address}lsearch*@{/etc/exim4/smarthosts}}}}
begin routers
bsmtp:
 driver = accept
 domains = bsmtp.test
 transport = bsmtp
hubbed:
 driver = manualroute
 domains = ! +local_domains : ! +alias_domains
 route_data = ${sg{${lookup sqlite{select transport from transport where domain='${quote_sqlite:$domain}'}}}{^relay:}{}}
 transport = smtp
 host_find_failed = pass
 no_more = ${if eq{$domain}{only.test}}
smart:
 driver = manualroute
 domains = ! +local_domains : ! +alias_domains
 senders = lsearch*@;/etc/exim4/smarthosts
 address_data = ${lookup{$sender_address}lsearch*@{/etc/exim4/smarthosts}}
 route_list = * ${extract{host}{$address_data}}
 transport = smart
out:
 driver = manualroute
 domains = ! +local_domains : ! +alias_domains
 route_list = * 192.0.2.2
 transport = smtp
 no_more
 same_domain_copy_routing
alias_domain:
 driver = redirect
 domains = +alias_domains
 data = ${quote_local_part:$local_part}@${lookup sqlite{select destination from alias_domain where source='${quote_sqlite:$domain}'}}
 no_more
srs_in:
 driver = redirect
 domains = +local_domains
 condition = ${if inbound_srs{$local_part}{sekrit}}
 data = $srs_recipient
 senders = :
srs_bad:
 driver = redirect
 domains = +local_domains
 local_parts = ^(?i)srs[01][=-]
 data = :fail: bad SRS
 allow_fail
 condition = ${if inbound_srs {$local_part} {} {${if eq{}{}{yes}{no}}}}
forward:
 driver = redirect
 domains = +local_domains
 data = ${sg{${lookup sqlite{select destination from forwarding where source='${quote_sqlite:$local_part@$domain}' and active='y'}}}{[ \\n]+}{,}}
 condition = ${if !def:h_x-loop:}
 headers_add = X-Loop: $local_part@$domain
 errors_to = ${if eq{$sender_address_domain}{far.test}{${srs_encode{sekrit}{$sender_address}{me.test}}}{$sender_address}}
 unseen = ${if eq{${lookup sqlite{select keep from forwarding where source='${quote_sqlite:$local_part@$domain}'}}}{y}{yes}{no}}
vacation:
 driver = accept
 domains = +local_domains
 condition = ${lookup sqlite{select 1 from mailuser where email='${quote_sqlite:$local_part@$domain}' and autoresponder='y' and 1780000000 between s and e}{yes}{no}}
 condition = ${if and{{!def:h_list-id:}{!match{$h_precedence:}{bulk}}{or{{match_address{$h_to:}{*@$domain}}{foranyany{x}{y}}}}}}
 address_data = ${lookup sqlite{select text,subject from mailuser where email='${quote_sqlite:$local_part@$domain}'}}
 transport = vacation
 unseen
 no_verify
mailuser:
 driver = accept
 domains = +local_domains
 local_part_suffix = +*
 local_part_suffix_optional
 address_data = ${lookup sqlite{select email,maildir,quota,uid,filter,junk from mailuser where email='${quote_sqlite:$local_part@$domain}' and postfix='y'}{$value}fail}
 transport = ${if and{{bool{${extract{junk}{$address_data}}}}{match{$h_x-spam-flag:}{YES}}}{junk}{maildir}}
catchall:
 driver = redirect
 domains = +local_domains
 data = ${lookup sqlite{select destination from forwarding where source='@${quote_sqlite:$domain}'}}
 cannot_route_message = Unknown user in ${domain}
begin transports
smtp:
 driver = smtp
 hosts_try_fastopen =
 connection_max_messages = 1
 hosts_avoid_tls = *
 hosts_try_auth = 
smart:
 driver = smtp
 hosts_try_fastopen =
 hosts_avoid_tls = *
 connection_max_messages = 1
 port = ${extract{port}{$address_data}{$value}{25}}
 hosts_require_auth = ${if match{$address_data}{user=}{*}}
 headers_rewrite = *@lan.test ${local_part:$1}.x@isp.test fs
 return_path = ${if eq{$sender_address}{ann@lan.test}{ann@isp.test}fail}
 authenticated_sender = ${if def:authenticated_id{$authenticated_id}fail}
bsmtp:
 driver = appendfile
 user = mail
 file = /var/mail/bsmtp.$domain_data
 file = /var/mail/bsmtp
 use_bsmtp
 batch_max = 10
 batch_id = $domain
 message_prefix = "HELO $primary_hostname\n"
 check_string = .
 escape_string = ..
maildir:
 driver = appendfile
 user = ${extract{uid}{$address_data}{$value}{mail}}
 group = mail
 directory = ${extract{maildir}{$address_data}}${if def:local_part_suffix_v{/.sub}}
 maildir_format
 create_directory
 quota = ${extract{quota}{$address_data}}
 maildir_use_size_file
 envelope_to_add
 return_path_add
 shadow_transport = ${if}
 shadow_transport = shadow
 shadow_condition = ${if match{$address_data}{jim}}
 notify_comsat = false
junk:
 driver = appendfile
 user = mail
 directory = ${extract{maildir}{$address_data}}/.Junk
 maildir_format
 create_directory
 headers_add = X-Why: $h_x-spam-flag: ${extract{email}{$address_data}}
shadow:
 driver = pipe
 user = mail
 command = /bin/sh -c "cat >> /var/mail/shadow"
 headers_only
vacation:
 driver = autoreply
 user = mail
 to = $sender_address
 from = $local_part@$domain
 subject = ${extract{subject}{$address_data}{$value}{Out}}
 text = ${extract{text}{$address_data}}
 once = /var/spool/exim4/vac/$r_none
 once = /var/spool/exim4/vac/x
address_pipe:
 driver = pipe
 user = mail
address_file:
 driver = appendfile
 user = mail
address_reply:
 driver = autoreply
 user = mail
begin retry
* * F,2h,15m
E
python3 - <<'P'
f='/etc/exim4/exim4.conf';s=open(f).read()
for a in [" file = /var/mail/bsmtp.$domain_data\n"," shadow_transport = ${if}\n"," once = /var/spool/exim4/vac/$r_none\n",' no_more = ${if eq{$domain}{only.test}}\n']: s=s.replace(a,'')
s=s.replace("{or{{match_address{$h_to:}{*@$domain}}{foranyany{x}{y}}}}","{def:sender_address}")
s=s.replace(""" condition = ${if inbound_srs {$local_part} {} {${if eq{}{}{yes}{no}}}}\n""",""" condition = ${if inbound_srs {$local_part} {}}\n""")
open(f,'w').write(s)
P
sqlite3 $S/isp.db <<Q
create table domain(domain,active); insert into domain values('a.test','y'),('b.test','y'),('off.test','n'),('me.test','y');
create table alias_domain(source,destination); insert into alias_domain values('aa.test','a.test'),('loop1.test','loop2.test'),('loop2.test','loop1.test');
create table transport(domain,transport); insert into transport values('rel.test','relay:192.0.2.3'),('r2.test','relay:192.0.2.3::2525:192.0.2.2');
create table relayips(ip); insert into relayips values('192.0.2.20'),('192.0.2.21');
create table access(source,type,access,reason); insert into access values('192.0.2.9','client','REJECT','go ''away'''),('192.0.2.10','client','REJECT',null);
create table policy(email,policy,wblist); insert into policy values('@spam.test','p','B'),('ok@spam.test','p q','W');
create table grey(relay,f,t,block_expires,record_expires);
create table suspended(user); insert into suspended values('cat');
create table forwarding(source,destination,active,keep); insert into forwarding values('fwd@a.test','x@far.test y@far.test'||char(10)||'jim@a.test','y','n'),('keep@a.test','kim@b.test','y','y'),('@b.test','kim@b.test','y',''),('off@a.test','jim@a.test','n','');
create table mailuser(email,password,clear,access,maildir,quota integer,used integer,uid,filter,junk,postfix,autoresponder,s,e,text,subject,perhour);
insert into mailuser values('jim@a.test','$(crypted pw)','tanstaaf','y','/var/mail/a/jim',0,-1,'mail','','true','y','n',0,0,'','',3),('kim@b.test','$(crypted pw)','','y','/var/mail/b/kim',700,10,'ann','','false','y','y',1,1980000000,'I am away'||char(10)||'"kim"','Away: kim',0),('full@a.test','','','y','/var/mail/a/full',10,10,'mail','','no','y','n',0,0,'','',1),('keep@a.test','','','n','/var/mail/a/keep',0,-5,'','','no','y','y',0,1980000000,'','',1),('np@a.test','','','n','/var/mail/a/np',0,-5,'','','no','n','n',0,0,'','',1);
Q
chown Debian-exim $S/isp.db; mkdir -m 777 $S/vac
printf 'ann@lan.test: host=192.0.2.4 port=587 user=ann pass=sekrit\n*@lan.test: host=192.0.2.4 user="l a n" pass=p\nbob@open.test: host="192.0.2.5:192.0.2.4"\n' | put smarthosts
printf '# Exim filter\nif $h_subject: contains "S1" then unseen save /var/mail/sys endif\nif $h_subject: contains "S2" then unseen pipe "/bin/cat" endif\nif $h_subject: contains "S3" then mail to postmaster@a.test subject "sys $h_subject:" text "$message_headers" endif\nif $h_subject: contains "S4" then deliver kim@b.test endif\nif $h_subject: contains "S5" then freeze endif\nif $h_subject: contains "S6" and first_delivery then fail "no S6" endif\nif $h_subject: contains "S7" then headers add "X-S7: ${if eq{$h_x-a:}{}{none}{$h_x-a:}} $sender_host_address"\n headers remove "X-A:to" endif\nif $h_subject: contains "S8" then unseen deliver kim@b.test errors_to jim@a.test\n add 1 to n2 unseen deliver "x$n2@far.test" endif\n' | put sysfilter
openssl req -x509 -newkey rsa:2048 -nodes -keyout $E/key.pem -out $E/cert.pem -days 30 -subj /CN=me.test 2>/dev/null;  chown -R root:Debian-exim $E; chmod -R a+rX $E; chmod 640 $E/key.pem; chown mail /var/mail
x -bV 2>&1 | tail -1; x -bP +local_domains +relay_from_hosts 2>&1; x -bP router_list | tr '\n' ' '; x -bP 'transport maildir' | grep -E 'quota|shad|dir'
bt jim@a.test JIM@A.test jim+x@a.test np@a.test full@a.test fwd@a.test keep@a.test off@a.test none@a.test none@b.test "o'brien@a.test" "o'brien@b.test" kim@b.test jim@aa.test 'a b@aa.test' '"a b"@aa.test' u@loop1.test u@off.test u@rel.test u@r2.test u@far.test SRS0=abcd=xx=far.test=s@me.test SRS1=x@me.test ann@me.test u@bsmtp.test u@q.test u@hold.test
for f in ann@lan.test x@lan.test bob@open.test; do x -f $f -bt u@far.test; done
x -f '' -bt SRS0=abcd=xx=far.test=s@me.test
bv jim@a.test keep@a.test fwd@a.test none@a.test none@b.test
for a in 192.0.2.5 192.0.2.9 192.0.2.10 192.0.2.20 127.0.0.1; do { echo 'EHLO ME.test'; echo 'EHLO c.test'; for s in s@far.test '' x@spam.test ok@spam.test "o'b@far.test" none@a.test; do echo "MAIL FROM:<$s>"; for r in jim@a.test jim@a.test full@a.test none@a.test any@b.test jim@aa.test u@rel.test x@far.test ; do echo "RCPT TO:<$r>"; done; echo RSET; done; echo 'ETRN a.test'; echo QUIT; } | bh $a; done
host 2 rcpt:no@far.test='550 5.1.1 no such' show=1; host 3 show=1; host 4 show=1 'ehlo=250-host\n250 AUTH PLAIN CRAM-MD5' 'auth:CRAM-MD5=334 PDE+|235 ok'; host 5 conn='554 no'
( exec nsenter -t "$other" -n python3 $here/host.py 192.0.2.4 587 $work/host.4b 'ehlo=250-host\n250 AUTH PLAIN' show=1 ) & sleep 0.3
daemon -odi
{ echo 'EHLO nogrey.test'; for i in S1 S2 S3 S4; do mail s@far.test jim@a.test "Subject: $i" 'X-A: 1'; done; echo QUIT; } | say 192.0.2.1 192.0.2.1;  { echo 'EHLO nogrey.test'; for i in S5 S6 S7 S8; do mail s@far.test jim@a.test "Subject: $i" 'X-A: 1'; done; echo QUIT; } | say 192.0.2.1 192.0.2.1
{ echo 'EHLO nogrey.test'; mail s@far.test 'fwd@a.test keep@a.test any@b.test' 'Subject: fw'; mail s@far.test fwd@a.test 'Subject: loop' 'X-Loop: x'; mail s@far.test jim@a.test 'Subject: sp' 'X-Spam-Flag: YES';  mail s@far.test jim+x@aa.test 'Subject: sp' "X-B: $(head -c 900 /dev/zero | tr '\0' b)"; mail s@far.test kim@b.test 'Subject: q1' "X-B: $(head -c 700 /dev/zero | tr '\0' b)"; mail '' kim@b.test 'Subject: q2'; echo 'ETRN a.test'; echo QUIT; } | say 192.0.2.1 192.0.2.1
for n in 1 2 3; do ( echo 'EHLO c.test'; sleep 1; echo QUIT ) | say 127.0.0.1 127.0.0.1 > /dev/null & done; for n in 1 2 3; do ( { echo 'EHLO c.test'; sleep 1; echo QUIT; } | there python3 $here/say.py 192.0.2.15 192.0.2.1 > $work/p$n ) & sleep 0.2;  done; sleep 2.5; cat $work/p1 $work/p2 $work/p3
{ echo 'EHLO c.test';  mail s@far.test 'jim@a.test kim@b.test u@rel.test x@spam.test' 'Subject: greyed'; echo QUIT; } > $work/in; for n in 1 2; do there python3 $here/say.py 192.0.2.16 192.0.2.1 < $work/in; done
sw() { there swaks --server 192.0.2.1 -li 192.0.2.17 --ehlo c.test --timeout 10 -d 'From: %FROM_ADDRESS%\nTo: x@y.test\nSubject: sw\nMessage-ID: <sw@x>\n\nx\n' "$@" 2>&1 | grep -vE 'DONE|Date|Trying|Connected|^ -> [0-9A-Za-z]' ; echo "rc $?"; }
sw --tls -a PLAIN -au jim@a.test -ap pw -f jim@a.test -t x@far.test,no@far.test; sw --tls -a PLAIN -au jim@a.test -ap no -f jim@a.test -t x@far.test;  sw --tls -a PLAIN -au keep@a.test -ap no -f jim@a.test -t x@far.test; sw --tls -a CRAM-MD5 -au jim@a.test -ap tanstaaf -f kim@b.test -t x@far.test;  sw --tls -a CRAM-MD5 -au jim@a.test -ap tanstaaf -f jim@a.test -t x@far.test,y@far.test -h-From boss@far.test;  sw --tls -a CRAM-MD5 -au o\'b@a.test -ap x -f jim@a.test -t x@far.test,y@far.test; sw -f s@far.test -t jim@a.test -a PLAIN -au jim@a.test -ap pw
sleep 1; stop
after daemon; for h in 2 3 4 5; do heard $h; done; heard 4b; cat $S/etrn; sqlite3 $S/isp.db 'select * from grey'; cat /var/mail/shadow
host 2 rcpt:no@far.test='550 5.1.1 no such' show=1; host 3 show=1; host 4 show=1 'ehlo=250-host\n250 AUTH PLAIN CRAM-MD5' 'auth:CRAM-MD5=334 PDE+|235 ok'; host 5 conn='554 no'
( exec nsenter -t "$other" -n python3 $here/host.py 192.0.2.4 587 $work/host.4b 'ehlo=250-host\n250 AUTH PLAIN' show=1 ) & sleep 0.3
h() { for h in 2 3 4 5; do heard $h; done; heard 4b; }
for f in ann@lan.test 'b c@lan.test' bob@open.test; do send "$f" u@far.test no@far.test; done; send '' x@far.test;  MSGS=5 send x@lan.test v@far.test w@rel.test; after smart; h
send jim@a.test a@bsmtp.test b@bsmtp.test 'SRS0=abcd=xx=far.test=s@me.test'; send '' 'SRS0=abcd=xx=far.test=s@me.test' jim@a.test; send s@far.test fwd@a.test; after bs; heard 2 > $work/h2; cat $work/h2; a=$(grep -a -o 'FROM:<SRS0[^>]*' $work/h2 | tail -1 | cut -c7-); send '' $a; send '' "${a^^}"; send s@far.test $a; send '' "$(echo $a | sed 's/=far/=fax/')"; after srs | sed 's/SRS0=[^=]*=[^=]*=/SRS0=X=/gi'; heard 2 | sed 's/SRS0=[^=]*=[^=]*=/SRS0=X=/gi'
send ann@me.test u@q.test u@hold.test; x -q; logs; touch $S/stop; { echo 'EHLO c.test';  mail '' 'jim@a.test' 'Subject: st'; mail s@far.test 'jim@a.test'; echo QUIT; } | bs 192.0.2.20; printf 'EHLO b\n%s\n' "$(mail s@far.test 'jim@a.test b@b.test none@a.test' 'Subject: bS')" | $exim -bS -oMa 192.0.2.20; rm $S/stop; after stop; x -qff;  after stop2; h
for u in 5001 5001 5001 5002 5003; do printf 'To: x@far.test, jim@a.test\nSubject: script\n\nhi\n' | as $u $exim -t -i -odi 2>&1; done; after scripts; x -q; x -qR far; after scr2
cat /var/mail/shadow 2>/dev/null
