# Redirections and what comes of them: what they may not, chains of routers, header lines, homes. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOKS=1
head_ <<'E' | tail_ | new m1
# aliases that may do nearly nothing, forward files of three owners, lists that are read once
acl_smtp_rcpt = accept verify = recipient
log_selector = +all_parents +address_rewrite +return_path_on_delivery +received_recipients -retry_defer
bounce_return_body = false
begin routers
none:
 driver = redirect
 local_part_prefix = none-
 data = ${lookup{$local_part}lsearch{/etc/exim4/al}}
 forbid_file
 forbid_pipe
 forbid_include
 forbid_blackhole
 forbid_smtp_code
 allow_fail
 allow_defer
 forbid_filter_reply
 allow_filter
 file_transport = f
 pipe_transport = p
 reply_transport = r
 headers_add = X-By: none
 user = mail
skip:
 driver = redirect
 local_part_prefix = skip-
 data = ${lookup{$local_part}lsearch{/etc/exim4/al}}
 skip_syntax_errors
 syntax_errors_to = ${if eq{$local_part}{bad}{ann}{bob}}@me.test
 syntax_errors_text = in $local_part_prefix$local_part\nof $h_subject:
 file_transport = ${if match{$address_file}{sub}{f2}{f}}
 pipe_transport = ${if match{$address_pipe}{echo}{p}{p2}}
 directory_transport = d
 reply_transport = r
 allow_filter
 allow_defer
 include_directory = /etc/exim4/inc
 user = mail
 hide_child_in_errmsg
once:
 driver = redirect
 local_part_suffix = -once
 data = ${lookup{$local_part}lsearch{/etc/exim4/al}}
 one_time
 errors_to = owner-$local_part@me.test
keep:
 driver = redirect
 domains = keep.test
 data = ${lookup{$local_part}lsearch{/etc/exim4/al}}
 qualify_preserve_domain
 check_ancestor
 allow_fail
 rewrite = false
 repeat_use = false
 file_transport = f
 pipe_transport = p
 user = mail
 forbid_filter_run
 self_alias = no
qual:
 driver = redirect
 domains = qual.test
 data = ${lookup{$local_part}lsearch{/etc/exim4/al}}
 qualify_domain = ${if eq{$local_part}{two}{me.test}{q2.test}}
 unseen = ${if eq{$local_part}{two}}
 allow_fail
 file_transport = f
 pipe_transport = p
 user = mail
fw:
 driver = redirect
 check_local_user
 file = $home/.forward
 owners = mail : ${if eq{$local_part}{cat}{root}{}}
 owngroups = mail
 modemask = 022
 check_owner
 check_group
 ignore_enotdir
 file_transport = f
 pipe_transport = p
 directory_transport = d
 reply_transport = r
 skip_syntax_errors
 no_verify
 no_expn
 sieve_vacation_directory = $home/vac
 allow_filter
owner:
 driver = redirect
 local_part_prefix = owner-
 data = ann
lu:
 driver = accept
 check_local_user
 transport = l
 local_part_suffix = -x : -y*
 local_part_suffix_optional
end:
 driver = accept
 domains = q2.test : far.test
 transport = l
begin transports
f:
 driver = appendfile
 delivery_date_add
 envelope_to_add
 return_path_add
f2:
 driver = appendfile
 file = /var/mail/sub-${sg{$address_file}{/}{_}}
 create_file = anywhere
d:
 driver = appendfile
 mailstore_format
 mailstore_prefix = for $local_part
p:
 driver = pipe
 return_output
 log_output
p2:
 driver = pipe
 allow_commands = /bin/cat : /bin/false
 restrict_to_path
 path = /bin
 ignore_status = no
r:
 driver = autoreply
E
sed -i '/^ self_alias/d' $E/exim4.conf
cat <<'F' | put al
mix: ann, bob@far.test, /var/mail/file, "|/bin/echo hi $local_part", :include:/etc/exim4/inc/l1
bad: ann, @, b c d, <x@far.test, "x y"@far.test, bob
files: /var/mail/sub/x, /var/mail/dd/, "/var/mail/a b", /var/mail/../mail/up
pipes: "|/bin/echo one", |/bin/cat, "|echo two", "|false", |/bin/nosuch x
inc: :include:/etc/exim4/inc/l2, :include:/etc/passwd
incq: ":include:/etc/exim4/inc/l1"
bh: :blackhole:, ann
bhonly: :blackhole: nothing here
fail: :fail: 550 5.7.1 sorry $local_part
fail2: ann, :fail: no more
defer: :defer: later
unk: :unknown: nobody
filt: "#Exim filter\nsave /var/mail/flt\nmail to bob@me.test text x\nfinish"
sieve: "#Sieve filter\nkeep;"
self: self, \self, ann
two: self@two.test, mix
one: one
real: "Real N. (comment) <ann@me.test>" , (x) bob@me.test, bob@far.test (why), group: ann, bob@me.test;
cc: ann,, ,bob@me.test,\n cat
esc: "ann\"x"@far.test, a\,b@far.test, \|x@far.test
empty:
pct: ann%far.test@me.test, ann%me.test
dup: ann, ANN, ann@ME.TEST, "ann"@me.test
F
printf 'ann\n# comment\nu1@far.test # and more\n\n"u 2"@far.test, u3@far.test\n' | put inc/l1; printf ':include:/etc/exim4/inc/l1\ncat\n' | put inc/l2
printf 'bob@me.test, \\ann, "|/bin/echo from ann", ~/x, bad @ x\n' > $work/home/ann/.forward; printf '#Exim filter\nif $h_subject: contains "save" then save $home/mbox 0600 endif\nif $h_subject: contains "dir" then save $home/dir/ endif\n' > $work/home/bob/.forward; printf '#Sieve filter\nrequire ["fileinto","vacation"];\nif header :contains "subject" "v" { vacation :days 1 "gone"; keep; } else { fileinto "inbox.x"; }\n' > $work/home/cat/.forward; chown root:root $work/home/ann/.forward; chown bob:mail $work/home/bob/.forward; chown root:cat $work/home/cat/.forward; chmod 664 $work/home/bob/.forward; mkdir -m 777 $work/home/bob/dir /var/mail/dd /var/mail/sub
ADDRS="$(for l in mix bad files pipes inc incq bh bhonly fail fail2 defer unk filt sieve real esc pct; do echo none-$l@me.test skip-$l@me.test; done) mix-once@me.test bad-once@me.test dup-once@me.test self@keep.test two@keep.test real@keep.test esc@keep.test fail@keep.test empty@keep.test one@qual.test two@qual.test real@qual.test cc@qual.test fail@qual.test ann@me.test bob@me.test cat@me.test ann-x@me.test bob-yy@me.test"
# Without files for another user, whom Exim can't become once its rights are gone.
VERIFIED=$(printf '%s\n' $ADDRS | grep -v 'mix@\|inc@\|incq@')
y -bt $ADDRS; y -bv $VERIFIED; y -bvs $VERIFIED; logs
{ echo EHLO x; echo 'MAIL FROM:<s@far.test>'; for a in $VERIFIED; do echo "RCPT TO:<$a>"; done; echo QUIT; } | bs 192.0.2.5
for a in $ADDRS; do rm -f $LOG/*; SUBJECT="save dir v" send s@far.test $a; logs; all_boxes | sed 's#dd/[^ ]*-N#dd/N#'; done; x -bp; x -qff; after forced; for u in ann bob cat; do (cd $work/home/$u; find . -type f | sort | sed 's/[0-9]\{6,\}[.A-Za-z0-9_-]*/N/'); done
for m in 600 644 646; do for o in ann bob mail root; do for u in ann cat; do chmod $m $work/home/$u/.forward; chown $o:$o $work/home/$u/.forward; y -bt $u@me.test; done; done; done

head_ <<'E' | tail_ | new m2
# chains of address_data and r_ variables, pass_router, redirect_router, copies by domain, literals
domainlist here = me.test : *.me.test : @[] : [192.0.2.1]
allow_domain_literals
acl_smtp_rcpt = r
log_selector = +all_parents
begin acl
r:
 accept verify = recipient
  logwrite = $local_part@$domain: ad=<$address_data> sad=<$sender_address_data> lpd=$local_part_data dd=$domain_data
 accept !verify = sender/no_details
  logwrite = s $sender_address: $acl_verify_message / $sender_address_data
 deny message = $acl_verify_message $address_data
begin routers
one:
 driver = accept
 address_data = 1:$local_part
 set = r_n = ${eval:${length:$r_n}+1}
 set = r_list = <, a, b
 condition = no
 transport = l
two:
 driver = redirect
 domains = *.me.test : me.test
 local_parts = go : go2 : ^same
 address_data = ${if def:address_data{$address_data,}}2:$local_part
 set = r_n = ${if def:r_n{$r_n}{0}}x
 data = $local_part-a, $local_part-b@${domain}, ${if match{$local_part}{^same}{$local_part@$domain,}} u@[192.0.2.1]
 redirect_router = four
 qualify_preserve_domain
lit:
 driver = ipliteral
 domains = ! +here
 transport = s
 ignore_target_hosts = 192.0.2.8 : 127.0.0.0/8
 address_data = $address_data,lit $host_address
three:
 driver = manualroute
 domains = m.test : mm.test
 route_list = m.test 192.0.2.9 ; mm.test 192.0.2.8:127.0.0.1
 transport = s
 self = pass
 pass_router = five
 same_domain_copy_routing
 address_data = ${uc:$local_part}$address_data
four:
 driver = accept
 domains = +here
 local_parts = ^go : ^same : u
 address_data = $address_data,4:$local_part@$domain/$r_n/${if def:parent_local_part{$parent_local_part}}
 headers_add = X-AD: $address_data\nX-Orig: $original_local_part@$original_domain
 transport = l
 more = ${if eq{$local_part}{go2-a}{false}{true}}
 condition = ${if eq{$local_part}{go2-a}{no}{yes}}
 cannot_route_message = nothing after four for $local_part, $address_data
no:
 driver = accept
 domains = pass.test
 condition = ${if eq{$local_part}{err}{maybe}{yes}}
 local_parts = err : x
 no_more
 transport = l
 verify_only = ${if eq{a}{a}}
five:
 driver = accept
 address_data = $address_data,5
 local_parts = ! go2-a : !go2-b
 transport = l
 domains = mm.test : pass.test
 unseen
six:
 driver = accept
 address_data = $address_data,6
 domains = mm.test : pass.test
 transport = ${if eq{$local_part}{dyn}{s2}{l}}
 headers_add = X-Six: $address_data
begin transports
s2:
 driver = smtp
 hosts = 192.0.2.9
 hosts_try_fastopen =
E
sed -i '/^ verify_only = /d' $E/exim4.conf
host 7; host 9; host 10; HEADER="X-H: y"
ADDRS="go@me.test go2@a.me.test same@me.test u@[192.0.2.1] u@[192.0.2.10] u@[192.0.2.8] u@[IPv6:::1] u@[300.1.1.1] u@[x] a@m.test b@m.test a@mm.test err@pass.test x@pass.test dyn@pass.test none@me.test one@pass.test"
SENDERS="s@far.test go@me.test -"; CLIENTS="192.0.2.5"
battery; for n in 7 9 10; do gone $n; done

head_ <<'E' | tail_ | new m3
# header lines in odd texts from routers and transports; homes and directories of transports; -bv, -bt and deliveries
HOMES = /home
acl_smtp_rcpt = accept
acl_smtp_data = d
add_environment = A=1 : B=${uc:two} : HOME
headers_charset = UTF-8
begin acl
d:
 accept add_header = X-Acl: one\n two\nX-Acl2: b
  add_header = :after_received:X-Ar: c
  add_header = :at_start:X-As: d\n\ttab
  add_header = :at_end:X-Ae: e
  remove_header = X-Gone : X-Wild-* : ^X-Re.*2$
begin routers
h1:
 driver = accept
 local_parts = h1
 headers_add = X-R1: a\nX-R1b: b
 headers_add = "X-R2: c\n d"
 headers_add = ${if eq{$h_x-a:}{b}{X-R3: ${quote:$h_subject:}}}
 headers_add = ${if eq{$h_x-a:}{b}{}fail}
 headers_remove = x-a:Subject
 headers_remove = ${if def:h_cc::{Cc}}: X-Acl* : :
 transport = t1
h2:
 driver = accept
 local_parts = h2
 headers_add = no header line at all
 headers_remove = ^X-A : To
 transport = t2
h3:
 driver = accept
 local_parts = h3
 headers_add = X-Empty:\nX-Colon : x\nX-8: ä\n
 headers_remove = ${lookup{$local_part}lsearch{/etc/exim4/rm}}
 transport = t3
h4:
 driver = redirect
 local_parts = h4
 data = h1, h3, h5
 headers_add = X-H4: $local_part
 headers_remove = From : Date
h5:
 driver = accept
 local_parts = h5 : h6
 headers_add = ${if eq{$local_part}{h6}{${lookup{x}lsearch{/nosuch}}}{X-H5: y}}
 transport = t4
 transport_home_directory = ${if eq{$local_part}{h5}{/usr}{}}
 transport_current_directory = /var
 router_home_directory = /etc
 set = r_h = $home
u:
 driver = accept
 check_local_user
 transport = ${if match{$local_part}{^a}{t4}{t5}}
 transport_home_directory = ${if eq{$local_part_data}{bob}{HOMES/home/bob/sub}{HOMES/home/$local_part_data}}
 set = r_h = $home
begin transports
t1:
 driver = appendfile
 file = /var/mail/h
 user = mail
 headers_add = X-T: $h_subject:|$h_x-r1:
 headers_remove = X-R1b : X-Acl2
 body_only = false
 message_prefix =
 return_path_add
t2:
 driver = appendfile
 file = /var/mail/h
 user = mail
 headers_only
 check_string = "X-"
 escape_string = "!"
 message_suffix = "end\n"
t3:
 driver = appendfile
 file = /var/mail/h
 user = mail
 body_only
 use_crlf
 message_prefix = "${strlen:$message_headers}\n"
t4:
 driver = pipe
 command = /bin/sh /etc/exim4/cmd
 return_output
 user = mail
 home_directory = ${if eq{$local_part}{ann}{/tmp}{/usr}}
 environment = X=$r_h : Y=${length:$h_subject:} : EMPTY=
 message_prefix = 
 umask = 027
t5:
 driver = appendfile
 directory = $home/Maildir
 maildir_format
 maildir_tag = ,S=$message_size
 quota_directory = $home
 quota = 1M
 create_directory = yes
 create_file = belowhome
 file_format = 
E
sed -i '/^ file_format/d' $E/exim4.conf; sed -i "s#^HOMES = .*#HOMES = $work/home#" $E/exim4.conf; printf 'h3: Received : message-id : X-A\n' | put rm; printf 'begin retry\n* * F,1h,1m\n' >> $E/exim4.conf; printf 'echo $HOME; pwd; env | grep -v MESSAGE_ID | sort; cat\n' | put cmd; mkdir -p $work/home/bob/sub $work/home/cat; chown bob $work/home/bob/sub
ADDRS="h1@me.test h2@me.test h3@me.test h4@me.test h5@me.test h6@me.test ann@me.test bob@me.test cat@me.test"; HEADER='X-A: b
X-Gone: 1
X-Wild-One: 2
X-Re-2: 3
Cc: q@far.test
Subject: second'; quick; for u in bob cat; do (cd $work/home/$u; find . -type f | sort | sed 's/[0-9]\{6,\}[.A-Za-z0-9_-]*/N/'); done
