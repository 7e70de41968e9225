# A site whose users and domains are in files of all kinds, some of them damaged, found by all lookups that need no server.
D=/etc/exim4
mkdir $D/ds; echo one > $D/ds/ann; mkdir $D/ds/bob; ln -s ann $D/ds/cat; ln -s nowhere $D/ds/dead; : > $D/ds/.hidden; : > "$D/ds/a b"; : > $D/ds/UP
{ cat <<'E'
# a comment
ann: ann data
  more of ann
# within
	and tab

bob:bob@far.test,
    carl@far.test
Upper: upper data
"quoted key": quoted data
"quo\"te\\d": escaped data
"a:b": colon in quotes
a:b: colon
noc nocolon data
only
empty:
spaced   :   spaced data   
tab	tabbed
*: star
*@star.test: star at
ann@star.test: ann at
*.part.test: part
part.test: bare part
*.deep.x.part.test: deep
long: LONG
last: last
E
printf 'trailing: no newline'; } | sed "s/LONG/$(head -c 40000 /dev/zero | tr '\0' 'l')/" > $D/ls
sed -n '/^\*: /!p' $D/ls > $D/lsn
cat > $D/wild <<'E'
# wild
^(ann|bob)\d+$: regex $1
*suffix: suffix $0 $1
\N^dotless[^.]+$\N: dotless
"^quoted key\\d$": qk
^(?i)case$: case-in
^Case2$: case2
UPPER: upper
lower: lower
*.wild.test: wildtest
$primary_hostname: expanded
${lc:XX}: lcxx
^bad(: bad regex
x: after bad
*: default
E
sed '/bad(/d' $D/wild > $D/wildok
cat > $D/ip <<'E'
# addresses
192.0.2.1: exact
"192.0.2.0/24": net quoted
10.0.0.0/8: ten
10.1.0.0/16: never
"2001:db8::1": six
"2001:db8::/32": sixnet
2001:db8:1::/48: unquoted
*: others
E
sed '/^\*/d' $D/ip > $D/ipn
grep -v '^a:b\|^noc\|^only\|long' $D/ls > $D/forbuild
exim_dbmbuild $D/forbuild $D/dbm 2>&1; exim_dbmbuild -nozero $D/forbuild $D/dbmnz 2>&1; exim_dbmbuild -nolc $D/forbuild $D/dbmcase 2>&1
ls $D
printf '+3,5:ann->first\n+3,6:ann->second\n+1,4:*->star\n+5,4:Upper->UPPR\n+11,4:*.part.test->part\n+0,3:->nil\n+5,0:empty->\n\n' | cdb -c $D/cdb
printf '+3,5:ann->first\n\n' | cdb -c $D/cdbn
head -c 100 $D/cdb > $D/cdbshort; head -c 2060 $D/cdb > $D/cdbcut; : > $D/nothing; yes junk | head -c 5000 > $D/junk
sqlite3 $D/db.sqlite 'create table u(k text, v text, n int); insert into u values("ann","ann v",1),("bob","bob: v",2),("ann","second",3),("e","",null);'
printf '{ "ann": "ann j", "n": 12, "o": {"x": [1,"two",{"y":null}]}, "t": true, "e": "" }' > $D/j
chmod 644 $D/*
keys='ann ANN bob upper Upper UPPER "quoted_key" quo"te\d a:b a noc only empty spaced tab nosuch ann@star.test who@star.test WHO@STAR.TEST x.part.test part.test a.b.part.test q.deep.x.part.test X.PART.TEST . * *@star.test long last trailing # @ a@ @star.test'
ex() { echo "## $*"; $exim -be "$@" 2>&1 | cut -c1-300; }
conf < /dev/null

# Routers and ACLs.
mkdir -p $D/dom; for d in one.test two.test UPPER.test; do printf 'ann: :fail: %s\nbob: bob-%s@out.test\n"x y": quoted@out.test\ncat: cat@%s\n' $d $d $d > $D/dom/$d; done; mkdir $D/dom/dir.test; ln -s one.test $D/dom/link.test
cat > $D/domains <<'E'
one.test: data of one
*.sub.test: data of sub
two.test: data: with colon, and $dollar
"quoted.test": q
empty.test:
E
cat > $D/users <<'E'
ann: uid=1 q=5
Bob: uid=2
"x y": quoted
cat: file=/tmp; more
dog: ${lc:DOG}
c#d: hash
E
cat > $D/senders <<'E'
ann@far.test: addr
*@far.test: star far
far.test: dom
*: all
E
cat > $D/hosts <<'E'
one.test: 192.0.2.2
two.test: 192.0.2.3::26 : 192.0.2.4
rnd.test: 192.0.2.2:+:192.0.2.3 randomize
by.test: 192.0.2.2 byname
mx.test: nosuch.invalid/MX
tr.test: 192.0.2.2 alt
bad.test: 192.0.2.2 nonsense
bad2.test: 192.0.2.2 byname alt randomize extra
emp.test:
v6.test: <; [2001:db8::1]:26 ; 2001:db8::2
loc.test: 127.0.0.1
q.test: "192.0.2.2 : 192.0.2.3" byname
q2.test: '192.0.2.2'
plus.test: 192.0.2.2:+
defer.test: ${if eq{1}{2}{}fail}
E
chmod 644 $D/*/* $D/* 2>/dev/null; chmod 755 $D/ds $D/dom $D/dom/dir.test
qp() { printf '%s\n' '#!/bin/sh' 'case $1 in' 'acc) echo "ACCEPT TRANSPORT=smtp HOSTS=192.0.2.2:192.0.2.3 LOOKUP=byname DATA=\"some data\"";;' 'red) echo "REDIRECT a@out.test, b@out.test";;' 'redbad) echo "REDIRECT @@@";;' 'fail) echo "FAIL go away : now";;' 'failn) echo FAIL;;' 'def) echo DEFER later;;' 'dec) echo DECLINE;;' 'freeze) echo FREEZE it;;' 'pass) echo PASS;;' 'err) echo "ERROR oops";;' 'none) :;;' 'x) exit 3;;' 'odd) echo WHAT is this;;' 'badt) echo "ACCEPT TRANSPORT=nosuch";;' 'low) echo "accept transport=box";;' 'opt) echo "ACCEPT FOO=bar";;' 'two) echo DECLINE; echo FAIL;;' 'long) head -c 3000 /dev/zero | tr "\0" x;;' 'hosts) echo "ACCEPT HOSTS=\"192.0.2.2\"";;' 'lb) echo "ACCEPT TRANSPORT=smtp HOSTS=192.0.2.2 LOOKUP=odd";;' 'err2) echo bad >&2; echo DECLINE;;' 'sig) kill -9 $$;;' 'redf) echo "REDIRECT :fail: no";; ' 'env) echo "FAIL $(id -un) $LOCAL_PART $(pwd)";;' 'esac' > $D/qp; chmod 755 $D/qp; }
qp
site() { conf <<E
domainlist_cache = x
domainlist files = partial-lsearch;$D/domains
domainlist dirs = dsearch;$D/dom
domainlist both = +dirs : +files : ! no.files.test
localpartlist lp = lsearch;$D/users : cdb;$D/cdbn
addresslist snd = *@lsearch;$D/domains : lsearch*@;$D/senders
hostlist hl = net-iplsearch;$D/ip : net24-lsearch;$D/nets : net32-lsearch;$D/nets
acl_smtp_mail = m
acl_smtp_rcpt = r
acl_smtp_connect = c
host_lookup =
tls_advertise_hosts =
sqlite_dbfile = $D/db.sqlite
E
sed -i '/^domainlist_cache = x/d' $D/exim4.conf
cat >> $D/exim4.conf <<'E'
begin acl
c:
 warn hosts = +hl
  logwrite = +hl $host_data
 warn hosts = net24-lsearch;/etc/exim4/nets
  logwrite = net24 $host_data
 warn hosts = net-iplsearch;/etc/exim4/ip
  logwrite = netip $host_data
 warn hosts = <; ! 10.0.0.0/8 ; net-iplsearch;/etc/exim4/ip
  logwrite = never
 accept
m:
 warn senders = +snd
  logwrite = +snd <$sender_data>
 warn senders = lsearch;/etc/exim4/senders
  logwrite = lsearch <$sender_data>
 warn senders = *@partial-lsearch;/etc/exim4/domains
  logwrite = *@partial <$sender_data>
 warn sender_domains = +both
  logwrite = sdom <$sender_data><$domain_data>
 warn senders = partial-lsearch*@;/etc/exim4/senders
  logwrite = plst <$sender_data>
 warn senders = ^ann@ : dsearch;/etc/exim4/ds
  logwrite = re <$sender_data>
 warn senders = sqlite;select v from u where k='${quote_sqlite:$sender_address_local_part}'
  logwrite = sq <$sender_data>
 accept
r:
 warn domains = +files
  logwrite = $domain files <$domain_data>
 warn domains = +both : +files
  logwrite = $domain both <$domain_data>
 warn domains = +dirs
  logwrite = $domain dirs <$domain_data>
 warn domains = +both
  local_parts = +lp
  logwrite = $local_part@$domain d+l <$domain_data><$local_part_data>
 warn local_parts = lsearch,ret=key;/etc/exim4/users
  logwrite = $local_part key <$local_part_data>
 warn recipients = lsearch*@;/etc/exim4/ls
  logwrite = $local_part rcpts <$local_part_data><$domain_data><$recipient_data>
 warn local_parts = passwd;$local_part
  logwrite = $local_part pw <$local_part_data>
 warn local_parts = ^(.)(.)n\$ : *og : x*
  logwrite = $local_part lit <$local_part_data> $1 $2
 warn domains = *.test : one.test
  logwrite = $domain lit <$domain_data>
 warn ! domains = +files
  logwrite = $domain not <$domain_data>
 warn domains = sqlite;select v from u where k='${quote_sqlite:$local_part}'
  logwrite = $local_part sqlite <$domain_data>
 warn domains = cdb;/etc/exim4/cdbn : dsearch,filter=file;/etc/exim4/dom : nwildlsearch;/etc/exim4/wildok
  logwrite = $domain cdw <$domain_data>
 accept verify = recipient
  logwrite = $local_part@$domain verified ad=<$address_data> dd=<$domain_data> lpd=<$local_part_data>
 deny logwrite = $local_part@$domain not verified: $acl_verify_message ad=<$address_data>
  message = no: $acl_verify_message
begin routers
qp:
 driver = queryprogram
 domains = qp.test
 command = /etc/exim4/qp $local_part
 command_user = mail
 transport = smtp
 address_data = ad of qp
 no_more
qpo:
 driver = queryprogram
 domains = qpo.test
 command = ${if eq{$local_part}{x}{/nosuch/x}{/bin/sleep 10}}
 command_user = mail
 timeout = 1s
 transport = smtp
 current_directory = ${if eq{$local_part}{dir}{/nosuch}{/}}
 no_more
dirs:
 driver = redirect
 domains = +dirs
 address_data = dirs $domain_data $local_part_data
 allow_fail
 data = ${lookup{$local_part}lsearch{/etc/exim4/dom/$domain_data}}
 caseful_local_part
files:
 driver = redirect
 domains = +files
 local_parts = +lp
 set = r_d = $domain_data
 data = ${if eq{$local_part}{cat}{}{${local_part:$local_part_data}@via.test}}
 address_data = $r_d / $local_part_data
snd:
 driver = accept
 senders = *@lsearch;/etc/exim4/domains
 domains = snd.test
 address_data = s=$sender_data l=$local_part_data d=$domain_data
 transport = box
route:
 driver = manualroute
 domains = !qp.test
 route_data = ${lookup{$domain}lsearch{/etc/exim4/hosts}}
 transport = smtp
 address_data = route $domain_data
 host_find_failed = pass
 self = pass
list:
 driver = manualroute
 route_list = l1.test 192.0.2.2:192.0.2.3 ; l2.test 192.0.2.9::25:[192.0.2.8]:25 alt ; *.l3.test $1.host.invalid bydns ; ^l4(.)\\.test\$ 192.0.2.$1 byname ; lsearch;/etc/exim4/domains2 ${extract{h}{$value}} ; l5.test "a$domain.invalid : 192.0.2.7" ; !*.test 192.0.2.30 ; cdb;/etc/exim4/cdbn 192.0.2.5
 transport = smtp
 host_find_failed = decline
 host_all_ignored = pass
 ignore_target_hosts = 192.0.2.9
fixes:
 driver = accept
 domains = fix.test
 local_part_prefix = pre- : *+ : real-*
 local_part_suffix = -* : _v*
 local_part_suffix_optional
 local_part_prefix_optional
 local_parts = +lp : bob
 address_data = p=$local_part_prefix pv=$local_part_prefix_v s=$local_part_suffix sv=$local_part_suffix_v l=$local_part d=$local_part_data
 transport = box
 pass_router = cond
case:
 driver = accept
 caseful_local_part
 domains = case.test : fix.test
 local_parts = Ann : lsearch;/etc/exim4/users : ^UP
 address_data = case $local_part <$local_part_data>
 transport = box
cond:
 driver = accept
 domains = cond.test
 condition = ${if eq{$local_part}{no}{0}{${lookup{$local_part}lsearch{/etc/exim4/users}{yes}{no}}}}
 condition = ${if !eq{$local_part}{cat}}
 more = ${if eq{$local_part}{ann}{no}{yes}}
 require_files = /etc/exim4/users : !/etc/exim4/nosuch
 address_data = cond $local_part_data
 transport = box
req:
 driver = accept
 domains = req.test
 require_files = ${if eq{$local_part}{a}{/nosuch/x}} : ${if eq{$local_part}{b}{mail::/etc/passwd}} : ${if eq{$local_part}{c}{mail::/etc/shadow}} : ${if eq{$local_part}{d}{+}}/etc/shadow/x : ${if eq{$local_part}{e}{rel}} : ${if eq{$local_part}{f}{nouser::/etc/passwd}} : ${if eq{$local_part}{g}{ann,ann::/etc/passwd}} : ${if eq{$local_part}{h}{!ann::/etc/shadow}}
 transport = box
cku:
 driver = accept
 domains = user.test
 check_local_user
 address_data = u=$local_user_uid h=$home d=$local_part_data
 transport = box
 local_parts = !root
more:
 driver = accept
 domains = cond.test : req.test : user.test
 local_parts = ^a : *b
 unseen = ${if eq{$local_part}{ab}{yes}{no}}
 transport = box
 no_verify_sender
rr:
 driver = redirect
 domains = rr.test
 data = ${local_part:$local_part}-x@rr2.test, same@rr.test
 redirect_router = last
 repeat_use = false
last:
 driver = redirect
 domains = rr.test : rr2.test : out.test : via.test : user.test
 data = :fail: $local_part@$domain at the end
 allow_fail
 cannot_route_message = never
nomore:
 driver = accept
 domains = nomore.test
 local_parts = +lp
 more = ${if eq{$local_part}{dog}{nonsense}{false}}
 transport = box
 cannot_route_message = cannot $local_part at $domain because ${lookup{$local_part}lsearch{/etc/exim4/users}{$value}{nobody}}
begin transports
smtp:
 driver = smtp
alt:
 driver = smtp
box:
 driver = appendfile
 file = /dev/null
 user = mail
E
}
printf '127.0.0.0/24: loop\n"192.0.2.0/24": two\n127.0.0.1: exact\n' > $D/nets; printf 'd2.test: h=192.0.2.12\nd3.test: h=\n' > $D/domains2; chmod 644 $D/nets $D/domains2
all=
for d in one.test two.test UPPER.test upper.test dir.test link.test a.sub.test sub.test quoted.test empty.test nosuch.test; do for l in ann Ann bob Bob BOB cat dog 'c#d' nobody 'quoted"'; do all="$all $l@$d"; done; done
for l in acc red redbad fail failn def dec freeze pass err none x odd badt low opt two long hosts lb err2 sig redf env; do all="$all $l@qp.test"; done
all="$all x@qpo.test dir@qpo.test"
for d in one rnd by mx tr emp loc q q2 plus defer; do all="$all z@$d.test"; done
for d in l1.test x.l3.test l45.test l46.test d2.test d3.test l5.test other.example ann first snd.test; do all="$all z@$d"; done
for l in pre-ann ann-x pre-ann-x x+ann real-y-ann ann_v1-2 pre-bob bob -x pre- pre-- PRE-ANN Pre-Bob-X +ann real-ann a+b+ann ann-_vx; do all="$all $l@fix.test"; done
for l in Ann ann ANN bob Bob UPx up cat 'c#d'; do all="$all $l@case.test"; done
for l in ann bob no cat dog ab nobody axb; do all="$all $l@cond.test"; done
for l in a b c d e f g h z; do all="$all $l@req.test"; done
for l in ann root bob cat mail nobody Ann ab; do all="$all $l@user.test"; done
for l in x ann cat; do all="$all $l@rr.test $l@rr2.test"; done
for l in x ann dog cat Bob; do all="$all $l@nomore.test"; done
site
for d in two bad bad2 v6 l2; do x -bt z@$d.test 2>&1; logs; done
for o in -bt -bv -bvs; do x $o $all 2>&1; x $o -f x@one.test z@snd.test z@snd.test 2>&1; x $o -N ann@one.test 2>&1; x $o -f '<>' z@snd.test ab@cond.test bob@one.test 2>&1; done; logs
as 5001 $exim -bt ann@one.test z@one.test e@req.test x@qp.test 2>&1; as 5001 $exim -bv -v ann@fix.test ab@cond.test 2>&1; logs
for a in $all; do echo "$a"; done | $exim -bt 2>&1 | tail -n 300 | cut -c1-300; logs
sess() { local h=$1 s=$2; shift 2; echo "##### $h $s"; { echo "EHLO h"; echo "MAIL FROM:<$s>"; for a; do echo "RCPT TO:<$a>"; done; echo QUIT; } | sed 's/$/\r/' | $exim -bs -oMa $h 2>&1 | grep -v '^250-'; logs; }
sess 127.0.0.1 ann@far.test $all
for p in '192.0.2.1 x@one.test' '192.0.2.77 x@a.sub.test' '10.1.1.1 zed@far.test' '2001:db8::1 ann@empty.test' '::1 e@x.test' '127.0.0.5 bob@upper.test' '1.2.3.4 dead@none' '1.2.3.5 '; do sess ${p% *} "${p#* }" ann@one.test bob@two.test ann@a.sub.test z@snd.test Dog@quoted.test; done
# Changed while the daemon runs.
daemon; { echo EHLO h; echo 'MAIL FROM:<x@y.test>'; echo 'RCPT TO:<ann@files.test>'; echo QUIT; } | say; echo 'files.test: now' >> $D/domains; { echo EHLO h; echo 'MAIL FROM:<x@y.test>'; echo 'RCPT TO:<ann@files.test>'; echo QUIT; } | say; logs; stop; logs
for r in qp qpo dirs files snd route list fixes case cond req cku more rr last nomore; do x -bP router $r 2>&1; done; x -bP router_list 2>&1; x -bP domainlist files domainlist both localpartlist lp addresslist snd hostlist hl 2>&1; x -bP sqlite_dbfile lookup_open_max 2>&1
