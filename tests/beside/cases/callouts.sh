# Callouts of all kinds, and what is remembered of them.
say_() { say 192.0.2.1 192.0.2.1; }
host 2 rcpt:bad@far.test='550 no such' rcpt:postmaster@nopm.test='550 no postmaster' rcpt:bad@nopm.test='550 no' rcpt:t@far.test='450 later' rcpt:ok@rand.test='250 ok' 
host 3 rcpt='550 nothing here' rcpt:ok@rand.test='250 ok' rcpt:ok@rand2.test='250 ok'
host 4 mail:='550 no bounces' 
host 5 conn='554 go away'
host 6 conn='421 busy'
host 7 mail='550 no senders' mail:='250 ok'
# Statements that verify, each for clients that say its name: WHO NAME HOW...
judges() {
 local who=$1; shift
 while [ $# -gt 0 ]; do
  cat <<E
 deny condition = \${if eq{\$acl_m_x}{$1}}
   ! verify = $who/$2
   message = v=\$${who}_verify_failure msg=\$acl_verify_message
E
  shift 2
 done
}
conf <<E
callout_domain_positive_expire = 100s
callout_domain_negative_expire = 100s
callout_positive_expire = 100s
callout_negative_expire = 100s
callout_random_local_part = rnd-\$primary_hostname
acl_smtp_rcpt = rcpt
acl_smtp_vrfy = accept
host_lookup =
tls_advertise_hosts =
log_selector = +smtp_connection +incoming_port
begin acl
rcpt:
 warn set acl_m_x = \${if match{\$sender_helo_name}{^c-}{\${sg{\$sender_helo_name}{^c-}{}}}}
$(judges recipient plain callout nocache callout=10s,no_cache random callout=10s,random \
 pm callout=10s,postmaster us callout=10s,use_sender up callout=10s,use_postmaster \
 quota quota=cachepos=20s,cacheneg=2s)
$(judges sender ss callout=10s sp callout=10s,postmaster \
 spm callout=10s,postmaster_mailfrom=pm@me.test,mailfrom=x@me.test \
 sf callout=10s,fullpostmaster dok callout=10s,defer_ok/no_details \
 mw callout=10s,maxwait=20s,connect=2s,random)
 accept
begin routers
r:
 driver = manualroute
 route_list = far.test 192.0.2.2 ; nopm.test 192.0.2.2 ; rand.test 192.0.2.3 ; rand2.test 192.0.2.3; rand3.test 192.0.2.2; nob.test 192.0.2.4 ; no5.test 192.0.2.5; busy.test 192.0.2.6; nos.test 192.0.2.7; dead.test 192.0.2.9; two.test 192.0.2.9:192.0.2.2
 transport = t
q:
 driver = accept
 domains = me.test
 local_parts = ann:bob:x:y
 transport = l
begin transports
t:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 2s
l:
 driver = appendfile
 file = /var/mail/\$local_part_data
 quota = 1
 user = ann
E
daemon
sess() { local m=$1; shift; echo "##### $m $*"; { echo "EHLO c-$m"; local s; for s; do case $s in =*) echo "MAIL FROM:<${s#=}>";; -) echo RSET;; *) echo "RCPT TO:<$s>";; esac; done; echo QUIT; } | say 192.0.2.1 192.0.2.1; for h in 2 3 4 5 6 7; do [ -s host.$h ] && heard $h; done; logs; }
db() { { if cmp -s $exim /usr/sbin/exim4; then exim_dumpdb $S callout; else ( exec -a exim_dumpdb $exim $S callout ); fi; } 2>/dev/null | grep -v lockfile | sed 's/^[^ ]* [^ ]* //;s/ ([0-9][^)]*)//g;s/^quota \(.*\)/\1 callout=accept/' | sort; rm -f $S/db/*; }
sess plain =a@b.test ok@far.test bad@far.test t@far.test ok@far.test bad@far.test
sess plain =a@b.test ok@far.test bad@far.test t@far.test x@dead.test x@busy.test x@no5.test

sess plain =a@b.test ok@far.test bad@far.test

sess plain =a@b.test ok@far.test bad@far.test
sess nocache =a@b.test ok@far.test bad@far.test
sess random =a@b.test ok@far.test bad@far.test ok@rand.test ok@rand2.test bad@rand.test - =a@b.test ok@rand.test
sess random =a@b.test x@rand3.test y@rand3.test

sess random =a@b.test x@rand3.test ok@rand.test
sess pm =a@b.test ok@far.test ok@nopm.test ok@rand.test bad@nopm.test
sess pm =a@b.test ok2@nopm.test ok2@far.test
sess us =a@b.test ok@far.test x@nos.test y@nos.test
sess us =c@b.test ok@far.test x@nos.test
sess up =a@b.test ok@far.test x@nos.test 
sess ss =ok@far.test x@me.test - =bad@far.test x@me.test - =t@far.test x@me.test - =x@nob.test x@me.test y@me.test - =y@nob.test x@me.test - =x@no5.test x@me.test - =x@busy.test y@me.test - = y@me.test
sess ss =ok@far.test x@me.test - =bad@far.test x@me.test - =x@nob.test x@me.test - =x@no5.test x@me.test
sess sp =ok@far.test x@me.test - =ok@nopm.test x@me.test y@me.test - =two@nopm.test x@me.test
sess spm =ok@far.test x@me.test - =ok@nopm.test x@me.test
sess sf =ok@far.test x@me.test - =ok@nopm.test x@me.test
sess dok =ok@dead.test x@me.test - =bad@far.test x@me.test - =x@busy.test x@me.test
sess mw =ok@dead.test x@me.test - =bad@far.test x@me.test - =x@two.test x@me.test
sess quota =a@b.test ann@me.test bob@me.test ann@me.test
sess quota =a@b.test ann@me.test bob@me.test ann@me.test
db
stop
