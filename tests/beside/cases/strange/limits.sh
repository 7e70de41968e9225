# Virtual domains in SQLite with greylisting and named queues, and every ACL with rates of all kinds. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
new c1 <<'E'
# SQLite virtual hosting: named queries by macros, greylisting in ACL, per-user rate, multi-queue
DB = /var/spool/exim4/db.sq
Q_DOM = SELECT name FROM domains WHERE name='${quote_sqlite:$domain}' AND kind=
Q_USR = SELECT maildir,quota,uid FROM users WHERE addr='${quote_sqlite:${lc:$local_part}@$domain}'
hide sqlite_dbfile = DB
sqlite_lock_timeout = 3
domainlist local_domains = me.test : ${lookup sqlite{Q_DOM'local'}}
domainlist relay_domains = sqlite;Q_DOM'relay'
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
acl_smtp_rcpt = r
acl_smtp_data = d
acl_not_smtp = ns

log_selector = +queue_time_overall +queue_time +millisec -millisec +smtp_no_mail +incoming_interface +incoming_port -pid
spool_directory = /var/spool/exim4
begin acl
grey:
 deny condition = ${if eq{$acl_arg1}{}}
 warn set acl_m_key = ${md5:$acl_arg1/$acl_arg2/$acl_narg}
  set acl_m_seen = ${lookup sqlite{SELECT COUNT(*) FROM grey WHERE k='${quote_sqlite:$acl_m_key}'}}
 accept condition = ${if >{$acl_m_seen}{0}}
 warn set acl_m_dummy = ${lookup sqlite{INSERT INTO grey VALUES('${quote_sqlite:$acl_m_key}')}}
 deny
r:
 accept hosts = : 127.0.0.1
  queue = local
  condition = ${if eq{$queue_name}{}}
 accept hosts = 127.0.0.1
 require message = no such domain
  domains = +local_domains : +relay_domains
 require verify = recipient
 defer message = Greylisted (${length_8:$acl_m_key})
  !acl = grey ${mask:$sender_host_address/24} "$sender_address"
 accept
d:
 warn condition = ${if >{$recipients_count}{1}}
  control = queue/first_pass_route
 warn condition = ${if match{$h_subject:}{(?i)urgent}}
  queue = urgent
 accept
ns:
 accept condition = ${if eq{$sender_ident}{ann}}
  queue = ${if eq{$h_x-a:}{b}{annq}{}}
 accept
begin routers
relay:
 driver = manualroute
 domains = +relay_domains
 route_data = ${lookup sqlite{SELECT host FROM domains WHERE name='${quote_sqlite:$domain}'}{$value}fail}
 transport = smtp
al:
 driver = redirect
 domains = +local_domains
 data = ${map{<\n,${lookup sqlite{SELECT target FROM aliases WHERE addr='${quote_sqlite:$local_part@$domain}' ORDER BY target}}}{${item},}}
 condition = ${lookup sqlite{SELECT 1 FROM aliases WHERE addr='${quote_sqlite:$local_part@$domain}' LIMIT 1}{1}{0}}
usr:
 driver = accept
 domains = +local_domains
 address_data = ${lookup sqlite{Q_USR}{$value}fail}
 transport = md
 user = ${extract{uid}{$address_data}}
 set = r_dir = ${extract{maildir}{$address_data}}
lu:
 driver = accept
 domains = me.test
 check_local_user
 transport = l
begin transports
smtp:
 driver = smtp
 hosts_try_fastopen =
md:
 driver = appendfile
 directory = /var/mail/x/$r_dir
 maildir_format
 quota = ${extract{quota}{$address_data}}K
 mode = 0640
 directory_mode = 0777
l:
 driver = appendfile
 file = /var/mail/$local_part_data
E
cat > $work/c1.sql <<'Q'
create table domains(name,kind,host); insert into domains values('v.test','local',''),('r.test','relay','192.0.2.9'),('bad''q.test','relay','192.0.2.9');
create table users(addr,maildir,quota,uid); insert into users values('a@v.test','v/a',10,5001),('b c@v.test','v/b c',0,'bob');
create table aliases(addr,target); insert into aliases values('all@v.test','a@v.test'),('all@v.test','ann@me.test'),('all@v.test','x@r.test'),('o''x@v.test','a@v.test');
create table grey(k);
Q
sqlite3 $S/db.sq < $work/c1.sql; chown Debian-exim: $S/db.sq; mkdir -m 777 /var/mail/x
ADDRS='a@v.test all@v.test b\ c@v.test "b_c"@v.test o'"'"'x@v.test A@V.TEST x@r.test no@v.test ann u@far.test'
BE='${lookup sqlite{SELECT name,kind FROM domains}}
${lookup sqlite,file=/var/spool/exim4/db.sq{SELECT count(*) FROM users}}
${lookup sqlite{SELEC}{y}{n}}
${quote_sqlite:it'"'"'s}'
NAMES="sqlite_dbfile +relay_domains sqlite_lock_timeout"; host 9; SUBJECT='Urgent thing'
battery; x -bp -qGurgent 2>&1; ls $S; for q in urgent annq local; do x -qGurgent -bp; $exim -qG$q -bpc; x -qqG$q; done; logs; all_boxes; gone 9

new c2 <<'E'
# every ACL, ratelimits of all kinds
domainlist local_domains = me.test
qualify_domain = me.test
tls_advertise_hosts = *
tls_certificate = /etc/exim4/c.pem
tls_privatekey = /etc/exim4/c.pem
host_lookup =
auth_advertise_hosts = *
prdr_enable
RL = ${if eq{$sender_host_address}{192.0.2.20}{100}{3}}
acl_smtp_connect = con
acl_smtp_helo = hel
acl_smtp_mail = mai
acl_smtp_rcpt = rcp
acl_smtp_predata = pre
acl_smtp_data_prdr = prd
acl_smtp_data = dat
acl_smtp_mime = mim
acl_smtp_auth = aut
acl_smtp_mailauth = mau
acl_smtp_starttls = stt
acl_smtp_vrfy = vrf
acl_smtp_expn = exp
acl_smtp_etrn = etr
acl_smtp_quit = qui
acl_smtp_notquit = nqu
acl_smtp_dkim = dki
acl_not_smtp_start = nss
acl_not_smtp = nsm
acl_not_smtp_mime = nsi
begin acl
con:
 warn ratelimit = 1 / 1h / per_conn / strict / con_$sender_host_address
  logwrite = con $sender_rate/$sender_rate_limit/$sender_rate_period
 accept
hel:
 warn ratelimit = 0 / 10m / per_cmd / readonly / con_$sender_host_address
  logwrite = hel $sender_rate
 accept
mai:
 warn ratelimit = RL / 1h / per_mail / leaky / $sender_address_domain
  set acl_c_over = yes
  add_header = X-Over: $sender_rate
 accept
rcp:
 warn ratelimit = 2 / 1h / per_rcpt / strict / rc_$sender_host_address
  set acl_m_r = ${acl_m_r}r
 warn ratelimit = 1.5 / 1h / noupdate / per_mail / leaky / $sender_address_domain
  set acl_m_r = ${acl_m_r}n
 warn ratelimit = 2 / 1h / per_addr / unique=$local_part / u_$sender_host_address
  set acl_m_r = ${acl_m_r}u
 warn ratelimit = 4 / 60s / per_byte / count=${eval:${strlen:$local_part}} / b_$sender_host_address
  set acl_m_r = ${acl_m_r}b
 defer ratelimit = 7 / 1h / per_cmd / strict
  message = slow down: $sender_rate per $sender_rate_period is more than $sender_rate_limit [$acl_m_r]
  delay = ${if eq{$sender_host_address}{192.0.2.5}{0s}{1s}}
 accept endpass
  domains = +local_domains
  verify = recipient
 deny message = not relaying, $acl_m_r
pre:
 warn logwrite = pre $acl_m_r $rcpt_count $recipients_count $rcpt_fail_count $rcpt_defer_count
 accept control = enforce_sync
  control = no_multiline_responses
prd:
 accept local_parts = ann
 deny message = prdr no
dat:
 discard condition = ${if match{$h_subject:}{throw}}
  log_message = thrown away ${length_10:$message_body}
 accept add_header = <<X-R: $acl_m_r>>
  logwrite = dat ${sg{$message_headers}{\N\n\N}{|}}
mim: accept logwrite = mim $mime_content_type
aut:
 deny message = no ${lc:$smtp_command_argument}
  condition = ${if match{$smtp_command_argument}{(?i)^login}}
 accept
mau: accept condition = ${if match{$smtp_command}{ann}}
stt: defer message = not now
vrf:
 accept local_parts = ann
 deny message = 252 who knows $smtp_command_argument
exp: accept hosts = 127.0.0.1
etr:
 accept message = done
 logwrite = etrn $smtp_command_argument
qui: warn message = bye bye, $acl_m_r $acl_c_over
 accept
nqu: warn logwrite = nq $smtp_notquit_reason
dki: accept logwrite = dkim $dkim_cur_signer
nss:
 warn control = suppress_local_fixups
 set acl_m_nss = $sender_ident
nsm:
 deny message = you may not, ${acl_m_nss}\nat all
  condition = ${if eq{$acl_m_nss}{cat}}
 warn ratelimit = 1/1h/per_mail/strict/$sender_ident
  add_header = X-Ns: $acl_m_nss $sender_rate
 accept
nsi: accept
begin routers
lu:
 driver = accept
 check_local_user
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/$local_part_data
begin authenticators
pl:
 driver = plaintext
 public_name = PLAIN
 server_prompts = :
 server_condition = ${if and{{eq{$auth2}{ann}}{eq{$auth3}{pw}}}}
 server_set_id = ${auth2}
 server_advertise_condition = ${if match_ip{$sender_host_address}{192.0.2.0/28}}
lo:
 driver = plaintext
 public_name = LOGIN
 server_prompts = <| Username: | Password:
 server_condition = yes
 server_mail_auth_condition = ${if eq{$authenticated_sender}{ann@me.test}}
E
openssl req -x509 -newkey rsa:2048 -nodes -keyout $E/k.pem -out $E/cc.pem -days 9 -subj /CN=me.test 2>/dev/null; cat $E/k.pem $E/cc.pem > $E/c.pem; chmod 644 $E/*
ADDRS="ann bob@me.test ann@me.test x@me.test u@far.test cat@me.test"
EXTRA="AUTH PLAIN $(b64 '\0ann\0pw')
AUTH PLAIN $(b64 '\0ann\0no')
AUTH LOGIN
MAIL FROM:<s@far.test> AUTH=ann@me.test SIZE=100
MAIL FROM:<s@far.test> AUTH=<> BODY=8BITMIME
RSET
MAIL FROM:<s@far.test> PRDR
RCPT TO:<ann@me.test> NOTIFY=NEVER
DATA
Subject: throw it
DKIM-Signature: v=1; d=x.test; s=y; b=zz

one
.
ETRN me.test
STARTTLS"
NAMES="acl_smtp_dkim authenticators"; SECONDS_EACH=600
battery
