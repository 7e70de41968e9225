# The specification's own examples, as they stand and with a part left out, doubled, mistyped or elsewhere.
R=$work/routes; printf '%s\n' 'hub.example: hub=192.0.2.9 x=1' 'empty.example:' > $R
printf 'ann: mailbox=/var/mail/ann x=1\nmb: mailbox=bob@me.test\nnomb: x=2\n' > $work/mbox
printf '203.0.113.0/24: net is bad\n' > $work/nets
printf 'a1: ann, bob@me.test\na2: :fail: Gone away, no forwarding address\na3: :defer: later\na4: :blackhole:\na6: "|/some/command ready,steady,go"\na7: /home/world/minbari\na8: |/some/command ready\na9: /s=molari/o=babylon/@x400gate.way\ncleo: \\cleo, cleopatra@egypt.example\nspqr: \\ann, a6 , :blackhole:\ne: :unknown:\ne3: x@@y\n' > $work/aliases
chmod 644 $R $work/mbox $work/nets $work/aliases
dns <<'E2'
. SOA a. b. 1 1 1 1 60
. NS a.
a. A 127.0.0.1
E2
# Chapters 15, 18, 20, 22: routers.
R() { conf <<C
domainlist local_domains = @ : mydomain.example
begin routers
rt:
 driver = redirect
 local_parts = lsearch;$work/mbox
 address_data = \${extract{mailbox}{\$local_part_data}{\$value}fail}
 data = \$address_data
 file_transport = f
smart_route:
 driver = manualroute
 transport = s
 route_list = $1
more:
 driver = redirect
 domains = ! +local_domains
 data = :fail: unrouteable mail domain \$domain
 allow_fail
 no_more
lists:
 driver = redirect
 local_parts = list
 ${3:-data = :fail: no list}
 allow_fail
aliases:
 driver = redirect
 data = \${lookup{\$local_part}lsearch{$work/aliases}}
 allow_fail
 allow_defer
 file_transport = f
 pipe_transport = p
 $2
real:
 driver = accept
 check_local_user
 local_part_prefix = real-
 transport = f
 condition = \${if match {\$sender_host_address}{\N^(|127\.0\.0\.1)\$\N}}
localuser:
 driver = accept
 check_local_user
 local_part_suffix = +* : -*
 local_part_suffix_optional
 transport = f
 cannot_route_message = Unknown local user \$local_part
begin transports
s:
 driver = smtp
f:
 driver = appendfile
 file = /var/mail/\$local_part_data
p:
 driver = pipe
bat_pipe:
 driver = pipe
 command = /bin/cat
C
}
A='ann mb nomb real-ann real-nob bob+x cat-y zed list a1 a2 a3 a4 a6 a7 a8 a9 cleo spqr e e3 u@dict.ref.example u@thes.ref.example u@a.rhodes.tvs.example u@domain12 u@a.saved.example u@b.saved.example u@hub.example u@empty.example u@elsewhere'
bt() { echo "##### $*"; R "$@"; $exim -bt $A 2>err >out; cat out; grep -v '^LOG' err | sort -u; }
for l in 'dict.ref.example 192.0.2.2:192.0.2.3 ; thes.ref.example  192.0.2.4::1225:+:192.0.2.5  no_randomize byname' '*.rhodes.tvs.example "<+ 192.0.2.6:1225 + 192.0.2.7:1226"' '*.rhodes.tvs.example "</ [192.0.2.6]:1225 / [::1]:1226"' '^domain(\d+)   192.0.2.$1' \
 '*.saved.example  $domain bat_pipe' '*.saved.example  $domain bat_pip' '*.saved.example  ${lookup{$domain}lsearch{/etc/passwd}{$value}fail} bat_pipe' '*.saved.example  ${lookup{$domain}lsearch{/etc/passwd}{$value}{192.0.2.5}}' '*.saved.example ${if eq{$domain}{a.saved.example}{192.0.2.3}fail} ; *.example 192.0.2.4' '*.saved.example' '*.saved.example ""' \
 "lsearch;;$R \${extract{hub}{\$value}}" "lsearch;;$R \${extract{hub}{\$value}{\$value}fail}" '!+local_domains  192.0.2.2' '+local_domains 192.0.2.2 byname nonsense' '* 192.0.2.2 randomize bydns ipv4_only' '* 192.0.2.2/MX' '*  nowhere.example' '' '*.saved.example $bogus' '*.saved.example "$value.x" byname' '*.saved.example 192.0.2.3 "a b"  c'; do bt "$l"; done
for o in 'user = mail' 'user = 8' 'group = mail' 'user = 8
 group = 8' 'user = nosuch$local_part' 'user = ${if eq{1}{2}{3}fail}' 'user = $bogus' 'user = mail
 group = ${if eq{1}{2}{3}fail}' 'user = mail
 group = nosuch$local_part' 'check_local_user' 'redirect_router = localuser' 'no_more' 'forbid_pipe
 forbid_file' 'unseen' 'qualify_preserve_domain' 'more = ${if eq{$local_part}{ann}{no}{yes}}'; do bt 'none 192.0.2.2' "$o"; done
for o in 'file =' 'file = /dev/null' 'file = x' 'file = /no/such' 'file = $home/.forward' 'file = $bogus' 'file = /no/such
 file_transport = f' 'data =' 'data = ${if eq{1}{2}{3}fail}' 'data = $bogus'; do bt 'none 192.0.2.2' '' "$o"; done
# Chapter 44: what an ACL says, and what is said at DATA of it.
said() { echo "##### $1: $2"; conf <<C
acl_smtp_rcpt = r
tls_advertise_hosts =
host_lookup =
domainlist local_domains = @ : mydomain.example
begin acl
r:
$2
 accept
C
 printf 'HELO h\nMAIL FROM:<%s>\nRCPT TO:<u@me.test>\nRCPT TO:<.x@mydomain.example>\nRCPT TO:<a/../b@relay.example>\nDATA\nQUIT\n' "$1" | $exim -bs -oMa 203.0.113.5 2>&1; logs; }
for m in '599 1.2.3 Host not welcome' '550 5.1.1 no' '5.1.1 no' '599 no' '550-1.2.3 no' '450 4.1.1 x' '5501 x' '550 5.1.1' '550 5 x' ''; do for v in deny defer require drop; do
 said q@y.test " $v message = $m
  condition = \${if eq{$v}{require}{no}{yes}}"; done; done
for s in '' x@enemy.domain y@b.enemy.domain 12345678a@x.baddomain.example; do
said "$s" ' deny domains = +local_domains
  local_parts = ^[.] : ^.*[@%!/|]
  message = Restricted characters in address
 deny domains = !+local_domains
  local_parts = ^[./|] : ^.*[@%!] : ^.*/\\.\\./
  message = Restricted characters in address'
said "$s" ' deny senders = *@enemy.domain : *@*.enemy.domain
  !senders = x@enemy.domain
  message = Invalid sender from client host
 deny senders = \N^\d{8}\w@.*\.baddomain\.example$\N'
said "$s" ' deny senders = :
  message = bounces'
said "$s" " deny hosts = net24-lsearch;$work/nets
  message = \$host_data"
said "$s" ' accept domains = +local_domains
  endpass
  condition = no
 deny'; done
# What was discarded before a RSET is of no later message.
conf <<'C'
acl_smtp_rcpt = r
tls_advertise_hosts =
begin acl
r:
 discard local_parts = dis
 defer local_parts = later
 accept
C
for w in RSET 'HELO x'; do printf 'HELO h\nMAIL FROM:<q@y.test>\nRCPT TO:<dis@me.test>\n%s\nMAIL FROM:<>\nRCPT TO:<later@me.test>\nDATA\nSubject: x\n\nb\n.\nQUIT\n' "$w" | $exim -bs 2>&1; logs; done
# What ACLs must not be.
for a in '_r:
 accept' 'r:
 deny senders = :
  message' 'r:
 denny' 'r:
 accept hosts : x' 'r:
 ! accept' 'r:
 accept !message = x' 'r:
 accept control = submision' 'r:
 accept endpass = x' 'r:
 set acl_q = 1
 accept' 'r:
 accept set acl_q = 1' 'r:
 accept seen = x' 'r:
 deny encrypted' 'r r:
 accept' 'r:
 accept
_x:
 deny' 'r:
 accept
r:
 deny'; do echo "##### $a"; conf <<C
acl_smtp_rcpt = r
begin acl
$a
C
printf 'HELO h\nMAIL FROM:<>\nRCPT TO:<u@me.test>\nQUIT\n' | $exim -bh 192.0.2.9 2>&1 | grep -v '^>>>'; done
# Chapters 6, 14: options of the main section.
for o in 'hide mysql_servers = localhost/users/admin/secret' 'hide _servers = x' 'hide 9x = x' 'hide hide x' 'queue_only = true' 'no_queue_only' 'not_queue_only = false' 'trusted_users = uucp:\
  # This comment line is ignored
  mail' 'smtp_ratelimit_mail = 2,0.5s,1.05,4m' 'smtp_ratelimit_mail = 2' 'log_selector = +arguments -retry_defer' 'log_selector = +arguments-retry' 'MAC = a
MAC == MAC and b
qualify_domain = MAC' 'M = x
M = y' 'M == y' 'errors_copy = spqr@mydomain   postmaster@mydomain.example :\
 rqps@mydomain   hostmaster@mydomain.example,\
  postmaster@mydomain.example' 'delay_warning = 2h:12h:99d' 'delay_warning = 2h:1h' 'check_spool_space = 100MM' '.ifdef A
message_size_limit = 50M
.else
message_size_limit = 100M
.endif' '.ifdef A' '.else'; do echo "##### $o"; conf <<< "$o"; x -bP mysql_servers queue_only trusted_users smtp_ratelimit_mail log_selector qualify_domain errors_copy delay_warning message_size_limit 2>&1; done
conf <<< 'system_filter_user = mail'; x -bP system_filter_user system_filter_group
conf <<< 'system_filter_user = 8'; x -bP system_filter_user system_filter_group
# Chapters 31, 32: rewriting and retrying.
conf <<'C'
begin rewrite
*@*.hitch.fict.example  $1@hitch.fict.example
*@hitch.fict.example    ${lookup{$1}lsearch{/etc/passwd}{$1-x}fail}@hitch.fict.example bctfrF
*queen@*.fict.example   $2-$1@other.example Eh
^(?i)fp(\d+)@here.example  "${uc:$1} <x@y>" w
begin retry
alice@wonderland.fict.example quota_5d  F,7d,3h
wonderland.fict.example       quota_5d
wonderland.fict.example       *         F,1h,15m; G,2d,1h,2;
*                 refused_A   F,2h,20m;
the.domain.name   rcpt_452   F,1h,10m
*   rcpt_4xx   senders=:   F,1h,30m
a.domain  rcpt_452  senders="xb.dom : yc.dom"  G,8h,10m,1.5
^\N[^@]+@xyz\d+\.abc\.example$\N  *  G,1h,10m,2
*                 *           F,2h,15m; G,16h,1h,1.5; F,5d,8h
C
for a in x@a.hitch.fict.example root@hitch.fict.example marvin@hitch.fict.example red.queen@x.fict.example FP42@here.example; do x -brw $a; done
for a in alice@wonderland.fict.example wonderland.fict.example 'x@y.z refused_A' 'x@y.z refused_MX' 'x@y.z refused' 'u@the.domain.name rcpt_452' u@xyz12.abc.example '-f <> -brt u@q rcpt_451' '-f q@yc.dom -brt u@a.domain rcpt_452'; do case $a in -f*) x $a;; *) x -brt $a;; esac; done
for e in 'refused_' 'refused_a' 'refused_X' 'quota_' 'quota_5' 'rcpt_4x' 'rcpt_5xx' 'timeout_A_' 'timeout_'; do echo "##### $e"; printf 'begin retry\n* %s F,2h,20m\n* * F,1h,1m\n' $e | conf; x -brt x@y.z refused_A; x -brt x@y.z; done
# A user's filter that delivers to somebody with a .forward, and that one: what -bt calls a duplicate.
printf '# Exim filter\nunseen deliver cat\n' > $work/home/bob/.forward; echo cat > $work/home/cat/.forward; chown 5002:5002 $work/home/bob/.forward; chown 5003:5003 $work/home/cat/.forward
conf <<C
begin routers
p:
 driver = redirect
 data = \$local_part@me.test
 no_repeat_use
 check_ancestor
u:
 driver = redirect
 check_local_user
 file = \$home/.forward
 allow_filter
l:
 driver = accept
 transport = t
begin transports
t:
 driver = appendfile
 file = /var/mail/x
 user = 8
 group = 8
C
x -bt bob cat; x -bt cat bob; x -bt cat cat; send a@b bob cat; logs; boxes
