# Sites whose users and domains are in directories: LDAP, databases of files, of directories, of accounts. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
mkdir -p $work/ldap/data; cat > $work/ldap/slapd.conf <<'E'
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
allow bind_v2
sizelimit size.soft=4 size.hard=8
database mdb
suffix "o=me"
rootdn "cn=admin,o=me"
rootpw root
directory data
maxsize 10485760
dbnosync
access to dn.subtree="ou=lists,o=me" by dn="uid=reader,ou=people,o=me" read by * none
access to attrs=userPassword by anonymous auth by * none
access to * by * read
E
{ printf 'dn: o=me\nobjectClass: organization\no: me\n\n'; for o in people domains lists; do printf 'dn: ou=%s,o=me\nobjectClass: organizationalUnit\nou: %s\n\n' $o $o; done
for d in me.test ldap.test 'odd*.test' 'par(en).test'; do printf 'dn: dc=%s,ou=domains,o=me\nobjectClass: domain\ndc: %s\ndescription: class=%s quota=10M\n\n' "$d" "$d" "${d%%.*}"; done
for p in ann:ann@me.test bob:bob@me.test 'o\27neil:x@me.test' reader:r@me.test; do u=${p%:*}; u=$(printf '%s' "$u" | sed "s/.27/'/"); printf "dn: uid=%s,ou=people,o=me\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: S\nuserPassword: %s\nmail: %s\n" "$u" "$u" "$u" "pw-$u" "${p#*:}"; [ "$u" = ann ] && printf 'mail: ann.smith@me.test\nmail: "a, b"@me.test\ndescription: home=/var/mail/ann, quota="5 M" note="say \\"hi\\", then go"\nl: one\nl: two\\, three\n'; [ "$u" = bob ] && printf 'description: forward\nmailPreferenceOption: 1\n' | grep -v Pref; echo; done
for i in 1 2 3 4 5 6; do printf 'dn: uid=m%s,ou=people,o=me\nobjectClass: inetOrgPerson\nuid: m%s\ncn: m%s\nsn: many\nmail: m%s@far.test\n\n' $i $i $i $i; done
printf 'dn: cn=staff,ou=lists,o=me\nobjectClass: groupOfNames\ncn: staff\nmember: uid=ann,ou=people,o=me\nmember: uid=bob,ou=people,o=me\n\n'; } > $work/ldap/in.ldif
(cd $work/ldap; slapadd -q -f slapd.conf -l in.ldif 2>&1; exec slapd -d 0 -f slapd.conf -h ldap://127.0.0.1:3389 >/dev/null 2>&1) & SLAPD=$!
for _ in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/3389) 2>/dev/null && break; sleep 0.05; done
head_ <<'E' | tail_ | new j1
# LDAP: domains, users, a group of names whose members are looked up, logins, several servers
ldap_default_servers = 127.0.0.1::3390 : 127.0.0.1::3389
ldap_version = 3
BASE = ou=people,o=me
hide DN = x
.ifdef BASE
ATTRS = ${lookup ldap{ldap:///BASE?mail,description,l?sub?(uid=${quote_ldap:$local_part})}}
.endif
domainlist local_domains = ldap;ldap:///ou=domains,o=me?dc?one?(dc=${quote_ldap:$domain})
localpartlist people = ldap;ldap:///BASE?uid?sub?(uid=${quote_ldap:$local_part})
addresslist known = ldapm;ldap:///BASE?mail?sub?(mail=${quote_ldap:$sender_address})
acl_smtp_mail = m
acl_smtp_rcpt = r
auth_advertise_hosts = *
begin acl
m:
  warn senders = +known
   logwrite = known <$sender_data>
  warn condition = ${if ldapauth{user="uid=${quote_ldap_dn:$sender_address_local_part},BASE" pass=pw-${quote:$sender_address_local_part} ldap:///}}
   logwrite = weak password of $sender_address_local_part
  accept
r:
  warn domains = +local_domains
   logwrite = d <$domain_data>
  warn local_parts = +people
   logwrite = p <$local_part_data>
  warn set acl_m_n = ${lookup ldapdn{ldap:///BASE?uid?sub?(uid=${quote_ldap:$local_part})}{$value}{none <$value>}}
   set acl_m_many = ${lookup ldapm{ldap:///BASE?uid?sub?(sn=${quote_ldap:$local_part})}{${sort{<\n $value}{<}{$item}}}fail}
   logwrite = dn $acl_m_n / $acl_m_many
  accept domains = +local_domains
   endpass
   verify = recipient
   logwrite = ad $address_data
  deny message = relay: ${lookup ldap{time=1 size=2 deref=never referrals=nofollow ldap:///o=me?dc?sub?(dc=$domain)}{$value}{no}}
begin routers
far:
 driver = accept
 domains = far.test
 transport = l
group:
 driver = redirect
 domains = +local_domains
 local_part_suffix = -all
 data = ${map{<\n ${lookup ldap{user="uid=reader,ou=people,o=me" pass=pw-reader ldap:///cn=${quote_ldap_dn:$local_part},ou=lists,o=me?member?base?}{${sg{$value}{,uid=}{\nuid=}}}fail}}{${extract{uid}{${sg{$item}{,}{ }}}}@me.test,}}
many:
 driver = redirect
 domains = +local_domains
 local_parts = many
 data = ${map{<\n ${lookup ldapm{ldap:///BASE?mail?sub?(sn=many)}}}{<$item>,}}
fwd:
 driver = redirect
 domains = +local_domains
 address_data = ATTRS
 condition = ${if match{${extract{description}{$address_data}}}{forward}}
 data = ann@$domain_data
user:
 driver = accept
 domains = +local_domains
 local_parts = +people
 address_data = ATTRS
 transport = box
 cannot_route_message = ${quote_ldap:$local_part} is nobody
begin transports
box:
 driver = appendfile
 file = /var/mail/${lc:$local_part_data}
 quota = ${sg{${extract{quota}{${extract{description}{$address_data}}}{$value}{1M}}}{ }{}}
 headers_add = "X-Ann: ${extract{l}{$address_data}}\nX-D: ${extract{note}{${extract{description}{$address_data}}}}"
 user = mail
begin authenticators
pl:
 driver = plaintext
 public_name = PLAIN
 server_condition = ${if ldapauth{user="uid=${quote_ldap_dn:$auth2},BASE" pass=${quote:$auth3} ldap:///}}
 server_set_id = $auth2
E
sed -i '/^l:$/,/^ user = mail$/{/^l:$/!b};/^hide DN/d' $E/exim4.conf
printf '%s\n' "$(sed '/^begin authenticators/,/^l:$/{/^l:$/!{H;d}};${p;x;s/^\n//}' $E/exim4.conf)" > $E/n; cat $E/n > $E/exim4.conf; rm $E/n
ADDRS="ann@me.test bob@ldap.test staff-all@me.test many@me.test o'neil@me.test x@par(en).test none@me.test m1@ldap.test u@far.test"
SENDERS="ann.smith@me.test s@far.test - *@me.test o'neil@me.test"; NAMES="+local_domains +people +known ldap_default_servers ldap_version"
BE='${lookup ldap{ldap:///o=me?mail?sub?(uid=ann)}}
${lookup ldap{ldap:///o=me?mail,l?sub?(uid=ann)}}
${lookup ldap{ldap:///o=me??sub?(uid=bob)}}
${lookup ldapm{ldap:///o=me?uid,cn?sub?(uid=*n*)}}
${lookup ldapm{ldap:///o=me?uid?sub?(sn=*)}}
${lookup ldap{size=20 ldap:///o=me?uid?sub?(sn=*)}}
${lookup ldap{ldap:///o=me?uid?sub?(sn=*)}}
${lookup ldap{servers=127.0.0.1::3389 ldap:///o=me?dc?sub?(dc=me.test)}}
${lookup ldap{connect=2 time=3 ldap://127.0.0.1:3391/o=me?dc?sub?(dc=me.test)}}
${lookup ldap{ldap:///o=none?x?sub?(x=y)}{y}{n}}
${lookup ldap{ldap:///o=me?x?sub?(x=y}{y}{n}}
${lookup ldap{user=uid=ann,ou=people,o=me pass=bad ldap:///o=me?uid?sub?(uid=ann)}}
${lookup ldap{user="uid=reader,ou=people,o=me" pass=pw-reader ldap:///o=me?member?sub?(cn=staff)}}
${lookup ldap{bogus=1 ldap:///o=me?uid?sub?(uid=ann)}}
${lookup ldap{ldap:///o=me?uid?what?(uid=ann)}}
${lookup ldap{http://x/}}
${if ldapauth{user="uid=ann,ou=people,o=me" pass=pw-ann ldap:///}{y}{n}}
${if ldapauth{user="uid=ann,ou=people,o=me" pass=bad ldap:///}{y}{n}}
${if ldapauth{user="uid=ann,ou=people,o=me" pass="" ldap:///}{y}{n}}
${if ldapauth{user="" pass="x" ldap:///}{y}{n}}
${if ldapauth{pass=x ldap:///}{y}{n}}
${if ldapauth{user=nobody pass=x ldap:///}{y}{n}}
${quote_ldap:a b*(c)\d,+"<>;#=} ${quote_ldap_dn: #a,b+"c\d<e>;=*() }
${lookup ldap{ldap:///o=me?dc?one?(objectClass=*)}{<$value>}{none}}'
y -bt 'x@odd*.test' '*@me.test'
quick
for a in 'ann pw-ann' 'ann bad' 'bob pw-bob' 'nobody x' 'ann ' "o'neil pw-o'neil"; do { echo EHLO x; echo "AUTH PLAIN $(printf '\0%s\0%s' "${a% *}" "${a#* }" | base64 -w0)"; echo "MAIL FROM:<ann@me.test>"; echo QUIT; } | bs 192.0.2.5; done
kill $SLAPD; wait $SLAPD 2>/dev/null; y -bt ann@me.test; sess | bs 192.0.2.5; { echo EHLO x; echo "AUTH PLAIN $(b64 '\0ann\0pw-ann')"; echo QUIT; } | bs 192.0.2.5

head_ <<'E' | tail_ | new j2
# cdb, dbm, dbmjz and dbmnz of partial names, directories by filters, accounts by numbers
DB = /etc/exim4
domainlist rel = partial1-cdb;DB/rel.cdb : partial2(+.)dbm;DB/rel.db
domainlist dirs = dsearch,filter=dir;DB/v : !dsearch,filter=file;DB/v
localpartlist here = dsearch,filter=subdir;DB/v/me.test : !daemon
hostlist hl = net-cdb;DB/net.cdb : net24-dbm;DB/net.db : net-dsearch;DB/hosts
addresslist bad = cdb*@;DB/bad.cdb : *@partial-dbm;DB/rel.db : dbmnz;DB/nz.db
acl_smtp_connect = c
acl_smtp_mail = m
acl_smtp_rcpt = r
auth_advertise_hosts = *
begin acl
c:
  warn hosts = +hl
   logwrite = hl <$host_data>
  accept
m:
  warn senders = +bad
   logwrite = bad <$sender_data>
  accept
r:
  warn domains = +rel
   logwrite = rel <$domain_data>
  warn domains = +dirs
   local_parts = +here
   logwrite = here <$domain_data><$local_part_data>
  warn local_parts = ! daemon : passwd;$local_part
   logwrite = account <${extract{4}{:}{$local_part_data}}>
  warn local_parts = dbmnz;DB/nz.db : cdb,ret=key;DB/rel.cdb : cdb*;DB/star.cdb
   logwrite = lp <$local_part_data>
  warn recipients = cdb*@;DB/bad.cdb
   logwrite = rc <$recipient_data>
  accept domains = +dirs
   verify = recipient
  accept domains = +rel
  deny
begin routers
rel:
 driver = manualroute
 domains = +rel
 set = r_n = ${extract{2}{:}{$domain_data}}
 route_data = ${extract{1}{:}{$domain_data}}
 transport = s
dsub:
 driver = redirect
 domains = +dirs
 local_parts = dsearch,filter=subdir;DB/v/$domain_data
 directory_transport = d
 data = /var/mail/$domain_data/$local_part_data/
 user = mail
dopt:
 driver = redirect
 domains = +dirs
 local_parts = dsearch,ret=full,filter=file;DB/v/$domain_data
 data = ${readfile{$local_part_data}}
 file_transport = f
 user = mail
pw:
 driver = accept
 domains = +dirs
 set = r_pw = ${lookup{$local_part}passwd{$value}fail}
 condition = ${if >={${extract{1}{:}{${sg{$r_pw}{^[^:]*:}{}}}}}{5000}}
 transport = f2
begin transports
d:
 driver = appendfile
 maildir_format
 create_directory
f:
 driver = appendfile
f2:
 driver = appendfile
 file = /var/mail/$domain_data-pw
 user = mail
 headers_add = X-GECOS: ${extract{4}{:}{$r_pw}}
begin authenticators
E
sed -i '/^begin authenticators/d' $E/exim4.conf
cat >> $E/exim4.conf <<'E'
begin authenticators
cr:
 driver = cram_md5
 public_name = CRAM-MD5
 server_secret = ${lookup{$auth1}dbmnz{DB/nz.db}{$value}fail}
 server_set_id = $auth1
pl:
 driver = plaintext
 public_name = PLAIN
 server_condition = ${if eq{${lookup{${map{<, $auth1,$auth2}{${listquote{:}{$item}}}}}dbmjz{DB/jz.db}}}{$auth3}}
 server_set_id = $auth2
E
cb() { while IFS='|' read -r k v; do printf '+%d,%d:%s->%s\n' ${#k} ${#v} "$k" "$v"; done; echo; }
printf '*.rel.test|192.0.2.9:a\nrel.test|192.0.2.9:b\n*.test2.test|192.0.2.9\n' | cb | cdb -c $E/rel.cdb
printf '+.dbm.test: 192.0.2.9:d\n+.: no\nbare.dbm.test: 192.0.2.9:e\nann@dbm.test: k\n*.far.test: F\n' > $E/t; exim_dbmbuild $E/t $E/rel.db 2>&1
printf '192.0.2.0/28|net 28\n192.0.2.20|host\n' | cb | cdb -c $E/net.cdb; printf '192.0.2.0/24: n24\n127.0.0.0/24: loop\n' > $E/t; exim_dbmbuild $E/t $E/net.db 2>&1
printf '*@spam.test|all of spam\nx@spam.test|x\nme.test|dom\n*|anyone\n' | cb | cdb -c $E/bad.cdb; printf 'ann: secret\ns@far.test: from nz\nnz: is nz\n' > $E/t; exim_dbmbuild -nozero $E/t $E/nz.db 2>&1; printf 'star|no\n*|default lp\n' | cb | cdb -c $E/star.cdb; printf 'x: y\n' > $E/t; exim_dbmbuild $E/t $E/jz.db 2>&1
mkdir -p $E/v/me.test/ann $E/v/two.test/.hid $E/hosts $E/v/two.test/sub; printf '/var/mail/two-file\n' > $E/v/two.test/opt; : > $E/v/file.test; : > $E/hosts/192.0.2.5; ln -s me.test $E/v/link.test; chmod -R a+rX $E
ADDRS="ann@me.test bob@me.test .hid@two.test sub@two.test opt@two.test ../ann@me.test x@file.test ann@link.test daemon@me.test a@rel.test a@b.rel.test a@b.c.rel.test a@test2.test u@q.test2.test u@dbm.test u@bare.dbm.test u@y.dbm.test nz@me.test"
NAMES="+rel +dirs +here +hl +bad"; SENDERS="s@far.test x@spam.test y@spam.test q@me.test a@b.far.test -"; CLIENTS="192.0.2.5 192.0.2.20 127.0.0.1 10.1.1.1"; host 9
BE='${lookup{ann}dbmnz{/etc/exim4/nz.db}} ${lookup{ann}dbm{/etc/exim4/nz.db}{$value}{none}}
${lookup{x}cdb{/etc/exim4/nosuch.cdb}}
${lookup{x}dsearch{/etc/exim4/v}{$value}{none}} ${lookup{me.test}dsearch,ret=full{/etc/exim4/v}} ${lookup{.}dsearch{/etc/exim4/v}{y}{n}} ${lookup{..}dsearch,filter=dir{/etc/exim4/v}{y}{n}} ${lookup{..}dsearch,filter=subdir{/etc/exim4/v}{y}{n}}
${lookup{a/b}dsearch{/etc/exim4/v}{y}{n}}
${lookup{me.test}dsearch,filter=bad{/etc/exim4/v}{y}{n}}
${lookup{me.test}dsearch,key=path{/etc/exim4}{y}{n}}
${lookup{v/me.test}dsearch,key=path{/etc/exim4}{$value}{n}}
${lookup{link.test}dsearch,filter=dir{/etc/exim4/v}{$value}{n}}
${lookup{ann}passwd{${extract{4}{:}{$value}}}}
${lookup{ann}passwd,x=y{$value}}
${lookup passwd{ann}}
${lookup{b.rel.test}partial1-cdb{/etc/exim4/rel.cdb}{$0|$1|$2|$value}{no}} ${lookup{rel.test}partial0-cdb*@{/etc/exim4/bad.cdb}{$value}}
${lookup{q@dbm.test}partial2(+.)dbm*@{/etc/exim4/rel.db}{$0|$1|$2|$value}{no}}
${lookup{192.0.2.7}net-cdb{/etc/exim4/net.cdb}}'
quick; for a in 'ann secret' 'ann bad' 'x y'; do { echo EHLO x; echo "AUTH PLAIN $(printf '\0%s\0%s' ${a% *} "${a#* }" | base64 -w0)"; echo QUIT; } | bs 192.0.2.5; done; gone 9
