# Lists a part of which is from outside, as those of sites with databases: what stands in the
# configuration itself, before that part, names lists and this host.
sqlite3 /etc/exim4/db "create table d(d text); insert into d values('sq.test');"; chmod 644 /etc/exim4/db
cat > /etc/exim4/exim4.conf <<'C'
primary_hostname = me.test
keep_environment =
sqlite_dbfile = /etc/exim4/db
domainlist local_domains = @ : sqlite;select d from d where d='${quote_sqlite:$domain}'
domainlist l2 = @ : ${lookup sqlite{select d from d where d='${quote_sqlite:$domain}'}}
domainlist l3 = +l2 : x.test
domainlist l4 = me.test : sqlite;select d from d where d='${quote_sqlite:$domain}'
domainlist l5 = @[] : @mx_any : ${lc:$domain}.no
domainlist l6 = <; @ ; +l2 ; ${lc:$domain}.no
addresslist a1 = +caseful : A@b.test : ${sender_address}.x
hostlist h1 = +include_unknown : 192.0.2.1 : ${sender_address}
localpartlist p1 = +caseful : X : ${local_part}.no
acl_smtp_rcpt = a
begin acl
a:
 warn domains = +local_domains
  logwrite = l1 $domain_data
 warn domains = +l2
  logwrite = l2 $domain_data
 warn domains = +l3
  logwrite = l3 $domain_data
 warn domains = +l4
  logwrite = l4 $domain_data
 warn domains = +l5
  logwrite = l5
 warn domains = +l6
  logwrite = l6
 warn senders = +a1
  logwrite = a1
 warn hosts = +h1
  logwrite = h1
 warn local_parts = +p1
  logwrite = p1
 warn domains = @ : ${lc:$domain}
  logwrite = direct
 accept
begin routers
r:
 driver = accept
 domains = +local_domains
 transport = t
begin transports
t:
 driver = appendfile
 file = /x
C
chown root:Debian-exim /etc/exim4/exim4.conf
printf 'EHLO x\nMAIL FROM:<A@b.test>\nRCPT TO:<x@sq.test>\nRCPT TO:<X@me.test>\nRCPT TO:<x@no.test>\nQUIT\n' | $exim -bh 192.0.2.1 2>&1 | grep -v '^>>>'
x -bt x@sq.test x@me.test x@no.test
x -be '${if match_domain{me.test}{@ : ${lc:a}}{y}{n}}'
