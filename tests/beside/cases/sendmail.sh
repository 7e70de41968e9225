# The switches that programs call sendmail with, as a user.
conf <<'E'
qualify_domain = me.test
acl_not_smtp = na
log_selector = +subject +received_sender +received_recipients +arguments
never_users =
begin acl
na:
 accept logwrite = fr=$h_from: oa=$originator_uid ai=$authenticated_id as=$authenticated_sender ident=$sender_ident rp=$received_protocol
begin routers
u:
 driver = accept
 domains = me.test
 local_parts = ann : bob : root
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 user = ann
begin retry
* * F,1h,1h
E
ln -s $exim $work/sendmail; sm=$work/sendmail
m() { printf 'Subject: s\nTo: bob@me.test\n\nx\n'; }
r() { echo "##### $*"; m | setpriv --reuid=5001 --regid=5001 --clear-groups $sm "$@"; echo "rc $?"; sleep 0.3; logs; boxes | grep -a "^From\|^Sender\|^To\|^Subj\|^===\|^x"; for i in $(ids); do $exim -Mrm $i > /dev/null; done; logs >/dev/null; }
r -i -FCronDaemon -B8BITMIME -oem ann
r -FCronDaemon -i -odi -oem -oi -t
r -t -i; r -ti; r -it; r -oi -t -f bob; r -oit; r -t -fbob@x.test; r -t -f 'Bob <bob@x.test>'; r -t -r bob@x.test; r -t -rbob
r -O ErrorMode=m ann; r -OErrorMode=p ann; r -odb ann; r -odq ann; r -odf ann; r -odx ann; r -o ann; r -ox ann
r -N never ann; r -Nsuccess,delay ann; r -N success,x ann; r -R hdrs ann; r -Rfull ann; r -R x ann; r -V envid1 ann; r -Vx ann
r -X /tmp/log ann; r -U ann; r -n ann; r -h 3 ann; r -h3 ann; r -L tag ann; r -Ltag ann; r -p proto ann; r -p proto:host ann; r -Ac ann; r -Am ann; r -A x ann
r -v ann; r -bm ann; r -bs; r -bv ann; r -bp; r -bi; r -q; r -I; r -G ann; r -M x; r -x ann; r -m ann; r -e ann; r -em ann; r -ep nobody; r -eq nobody; r -ew ann; r -ee nobody
r -F 'Full Name' ann; r -FFull ann; r -F; r -f; r -f '<>' ann; r -f '' ann; r -f root ann; r -f ann ann; r -f ann@me.test ann; r -f ann@other.test ann
r -- ann; r -- -x; r ann -v; r ann -f bob; r -i; r; r -t ann; r -t bob ann; r -ti root@me.test; r 'ann, bob'; r 'ann,bob' ; r 'Ann <ann@me.test>'; r ann@ME.TEST; r 'ann bob'; r '"ann"'; r '\ann'; r '|cat'; r /etc/x; r ':include:/etc/passwd'; r 'ann@[127.0.0.1]'; r @a:ann@me.test; r 'ann%me.test@me.test'; r '' ; r ' '; r ann ''; r 'ann@'; r '@me.test'; r 'a(b)nn@me.test'; r 'ann@me.test.'
r -oA/x ann; r -oMr foo ann; r -oMs h -oMa 1.2.3.4 ann; r -oMi x ann; r -oe ann; r -oem nobody; r -oep nobody; r -oeq nobody; r -oew nobody; r -oee nobody; r -or5s ann; r -or x ann; r -os ann; r -oT 3 ann; r -oo ann; r -om ann; r -oX x; r -oU ann; r -oB ann; r -oB5 ann; r -oP x ann
r -d ann; r -d+all ann; r -D X=y ann; r -C /etc/exim4/exim4.conf ann; r -C /etc/passwd ann; r -qq; r -q1h; r -R ann; r -S ann; r -E ann; r -E1x ann; r -Mc x; r -MC x; r -MCA; r -tls-on-connect ann; r -dropcr ann; r -ti -dropcr

# Names that only look special, and what a user hears of a fault behind the main section.
c() { conf <<X
qualify_domain = me.test
queue_only
log_selector = +arguments
$1
begin routers
u:
 driver = accept
 verify_only
begin rewrite
$2
X
}
c
for l in send-mail sendmail.exim mailq.exim rsmtp.exim runq.exim newaliases.exim exim-4.98.2 exim4-daemon MAILQ; do ln -sf $exim $work/$l; msg m1 | as 5001 $work/$l ann; as 5001 $work/$l help < /dev/null; as 0 $work/$l -bt x; done
ln -sf $exim $work/newaliases; as 5001 $work/newaliases; logs
for o in '' 'prod_requires_admin = false' 'admin_groups = ann'; do echo "##### $o"; c "$o" '* x y'; for s in -q -qf '-R x' '-S x' -qGx -bd -bdf -bw '-G x@y'; do as 5001 $exim $s < /dev/null; done; logs; done
