# A site with greylisting in SQLite, ratelimits, and seen.
conf <<'C'
sqlite_dbfile = /var/spool/exim4/db/grey.db
acl_smtp_connect = cn
acl_smtp_helo = he
acl_smtp_mail = ma
acl_smtp_rcpt = rc
acl_smtp_data = da
acl_smtp_quit = qu
acl_smtp_notquit = nq
host_lookup =
tls_advertise_hosts =
log_selector = +smtp_connection +sender_on_delivery +received_recipients -pid
hostlist white = 127.0.0.9
GREY_TEST = SELECT CASE WHEN now - block_expires >= 0 THEN 1 ELSE 2 END FROM (SELECT strftime('%s','now') AS now, block_expires FROM grey WHERE relay_ip='${quote_sqlite:$sender_host_address}' AND sender='${quote_sqlite:$sender_address}' AND recipient='${quote_sqlite:$local_part@$domain}')
begin acl
cn:
 warn ratelimit = 3 / 1m / per_conn / strict / conn_$sender_host_address
  log_message = many $sender_rate/$sender_rate_period
 defer ratelimit = 6 / 1m / per_conn / leaky / c2_$sender_host_address
  message = slow down $sender_rate_limit
 accept
he:
 deny condition = ${if match{$sender_helo_name}{^bad}}
  message = bad helo $sender_helo_name
 accept
ma:
 deny condition = ${if eq{$sender_address}{spam@b.test}}
 defer ratelimit = 2 / 1m / per_mail / strict / $sender_address
  message = rate $sender_rate
 accept
rc:
 accept hosts = +white
 deny ratelimit = 4 / 1h / per_rcpt / strict
  message = too many rcpt $sender_rate
 deny !domains = me.test
 warn set acl_m_g = ${lookup sqlite{GREY_TEST}{$value}{0}}
 defer condition = ${if eq{$acl_m_g}{0}}
  condition = ${if eq{${lookup sqlite{INSERT INTO grey (relay_ip,sender,recipient,block_expires) VALUES ('${quote_sqlite:$sender_host_address}','${quote_sqlite:$sender_address}','${quote_sqlite:$local_part@$domain}',strftime('%s','now')+2)}}}{}}
  message = greylisted
  log_message = new triplet
 defer condition = ${if eq{$acl_m_g}{2}}
  message = still greylisted
 warn condition = ${lookup sqlite{UPDATE grey SET passed=passed+1 WHERE sender='${quote_sqlite:$sender_address}'}{yes}{yes}}
 warn seen = -1m / key=${sender_address}_$local_part
  add_header = X-Seen: first
 warn seen = 1m / readonly / key=nobody
  add_header = X-Never: no
 accept add_header = X-Grey: ${lookup sqlite{SELECT passed, sender FROM grey}{${sg{$value}{\n}{;}}}}
da:
 deny message = empty
  condition = ${if <{$message_body_size}{3}}
 accept
qu:
 accept logwrite = quit after $smtp_command_history
nq:
 accept logwrite = notquit $smtp_notquit_reason
begin routers
l:
 driver = accept
 domains = me.test
 local_parts = ann:bob:o'brien
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/ann
 user = mail
 group = mail
C
mkdir $S/db; chown Debian-exim $S/db
python3 - <<PYEOF
import sqlite3; d=sqlite3.connect('$S/db/grey.db'); d.execute('create table grey(relay_ip,sender,recipient,block_expires integer,passed integer default 0)'); d.commit()
PYEOF
chown Debian-exim $S/db/grey.db
daemon
t() { printf "EHLO ${HELO:-h}\nMAIL FROM:<$1>\nRCPT TO:<$2>\n"; [ -n "$3" ] && printf "RCPT TO:<$3>\n"; printf "DATA\nSubject: x\n\n${BODY:-body here}\n.\n${END-QUIT}\n"; }
r() { local a=$1; shift; echo "##### $a $*"; t "$@" | say $a; sleep 0.2; logs; }
r 127.0.0.2 a@b.test ann@me.test
r 127.0.0.2 a@b.test ann@me.test bob@me.test
sleep 2.5
r 127.0.0.2 a@b.test ann@me.test bob@me.test
r 127.0.0.3 "o'b@b.test" "o'brien@me.test"
sleep 2.5
r 127.0.0.3 "o'b@b.test" "o'brien@me.test"
r 127.0.0.3 "o'b@b.test" "o'brien@me.test"
r 127.0.0.9 x@y.test ann@me.test
BODY=x r 127.0.0.9 x@y.test ann@me.test
HELO=bad1 r 127.0.0.9 x@y.test ann@me.test
r 127.0.0.4 spam@b.test ann@me.test
for i in 1 2 3 4 5 6 7 8; do END= r 127.0.0.5 u$i@b.test ann@else.test; done
boxes
python3 - <<PYEOF
import sqlite3; d=sqlite3.connect('$S/db/grey.db'); print(d.execute('select relay_ip,sender,recipient,passed from grey').fetchall())
PYEOF
mv $S/db/grey.db $S/db/x; r 127.0.0.6 n@b.test ann@me.test
mkdir $S/db/grey.db;  r 127.0.0.6 n@b.test ann@me.test
rmdir $S/db/grey.db; echo junkjunkjunk > $S/db/grey.db; r 127.0.0.7 n@b.test ann@me.test
chmod 0 $S/db/x; rm $S/db/grey.db; mv $S/db/x $S/db/grey.db;  chown root $S/db/grey.db; r 127.0.0.7 n@b.test ann@me.test
$exim -be '${lookup sqlite{select 1,2}}' '${lookup sqlite,file=/x/y{select 1}}' '${lookup sqlite{bad sql}}' '${lookup sqlite{select "a b",null as n,1.5,x'"'00ff'"' as b}}'
