# A site that rewrites addresses everywhere: all flags, patterns and places, with headers of all shapes.
D=/etc/exim4
cat > $D/map <<'E'
ann: Ann.Smith
bob@me.test: bob@public.test
*@wild.test: caught@me.test
old.test: new.test
*@star.test: fail@me.test
E
chmod 644 $D/map
site() { conf <<E
qualify_domain = me.test
qualify_recipient = rcpt.test
acl_smtp_rcpt = rc
acl_smtp_data = da
host_lookup =
tls_advertise_hosts =
trusted_users = bob
local_domains_unused_ok =
log_selector = +address_rewrite +received_sender +received_recipients +all_parents +subject
$1
begin acl
rc:
 accept logwrite = rcpt \$local_part@\$domain from <\$sender_address>
da:
 accept logwrite = data \$recipients from <\$sender_address> f=\$h_from: t=\$h_to:
begin routers
far:
 driver = manualroute
 domains = *.far.test
 route_list = * 192.0.2.2
 transport = smtp
red:
 driver = redirect
 domains = red.test
 data = "\${local_part}@kid.test, Plain@me.test, far@x.far.test"
 local_parts = !norw
nored:
 driver = redirect
 domains = red.test
 data = "\${local_part}@kid.test, Plain@me.test, far@x.far.test"
 no_rewrite
box:
 driver = accept
 transport = box
begin transports
smtp:
 driver = smtp
 hosts_try_fastopen =
 headers_rewrite = *@me.test \$1@hr.test fr : ^(.*)@(.*)\\.old\\.test\\\$ \$2-\$1@hr.test : bob@* bob2@\$2 tcbw : "\\"x y\\"@*" xy@hr.test
 return_path = \${if eq{\$sender_address_local_part}{rp}{changed@rp.test}{\$return_path}}
box:
 driver = appendfile
 file = /var/mail/box
 user = mail
 envelope_to_add
 return_path_add
 headers_rewrite = ann@me.test lookup@local.test h : *@q.test \${lookup{\$0}lsearch*@{/etc/exim4/map}{\$value}fail}
begin rewrite
$2
E
sed -i '/local_domains_unused_ok/d' $D/exim4.conf; }
brw() { for a in ann@me.test Ann@ME.test bob@me.test 'Bob Smith <bob@me.test>' '"Bob, S" <bob@me.test> (comment)' x@wild.test ann 'ann@old.test' A.B@a.old.test x+y@old.test '"x y"@old.test' '"q\"z"@me.test' fail@star.test '' '<>' 'a@b@c' 'group: ann@me.test, bob@me.test;' 'ann@me.test, bob@me.test' '<@a,@b:ann@me.test>' 'ann(c)@me.test' 'ANN@[1.2.3.4]' 'über@me.test' '"" <ann@me.test>' 'x@quoted.test' 'd@defer.test' 'empty@empty.test' 'bad@bad.test' 'twice@t.test' loop@l.test 'Ann Smith <ann>' 'x%y@me.test' 'x!y' ; do echo "## $a"; $exim -brw "$a" 2>&1; done; }
head1() { cat <<'E'
From: "Ann, S" <ann@me.test> (work)
To: Group: bob@me.test, "Cat \"C\"" <cat@old.test>,
	dog@sub.old.test (a (nested) one);, ann, =?utf-8?q?=C3=BC?= <u@wild.test>
Cc: undisclosed-recipients:;
Cc: ann@me.test,ann@me.test , <@r.test:bob@me.test>, "x y"@old.test
Bcc: hidden@old.test, Ann <ann@me.test>
Reply-To: Jörg <bob@me.test>, bad address here <x@old.test>, ok@old.test
Sender: bob@me.test
Resent-From: ann@old.test
Resent-To: very.long.name.that.makes.a.line.which.needs.to.be.folded@old.test, second.long.name@old.test, third@old.test, fourth@old.test
Errors-To: ann@me.test
X-From: ann@me.test
Subject: ann@me.test
Return-Path: <ann@me.test>
Disposition-Notification-To: ann@me.test
Date: Thu, 26 Nov 2026 12:00:00 +0000
Message-ID: <1@m.test>

body ann@me.test
E
}
head2() { cat <<'E'
from:ann@me.test
TO: , ann@me.test,, bob@me.test ,
Cc: (only a comment)
Cc:
Reply-To: <>
Sender: "unclosed <ann@me.test>
Bcc: a b c@old.test
To: ann @ me . test, "bob" @me.test, (c)bob(d)@(e)me.test(f)
To: Group A: x@old.test; , Group B:; , Ann <ann@me.test> trailing
Cc: <ann@me.test
Reply-To: "Display" <ann@me.test>, 'Single <x@old.test>'
Date: Thu, 26 Nov 2026 12:00:00 +0000
Message-ID: <1@m.test>

body
E
}
hand() { for h in head1 head2; do for how in "-f ann@me.test bob@me.test Ann@old.test x@wild.test plain" "-f <> q@q.test X@red.test norw@red.test" "-f rp@old.test a@a.far.test ANN@b.far.test" "-t"; do echo "## $h $how"; $h | sed 's/Resent-/X-Resent-/' | $exim -odi $how 2>&1; echo "rc $?"; $h | $exim -odi $how 2>&1; logs; boxes; heard 2; done; done; }
smtp() { for w in "-bs" "-bs -oMa 1.2.3.4" -bS; do echo "## $w"; { [ "$w" != -bS ] && echo EHLO h; for f in '<ann@me.test>' 'ann@me.test' '<ann>' '<>' '<x@old.test> SIZE=10' '<"x y"@old.test>' '<@a,@b:ann@me.test>' '<ann@@me.test>' '<very@smtp.test>' 'bare x@old.test'; do printf '%s\n' "MAIL FROM:$f"; for r in '<bob@me.test>' 'Bob@old.test' '<ann>' '<postmaster>' '<@r:bob@me.test>' '<x@smtp.test>' '<odd smtp>' '<very@s.test>'; do printf '%s\n' "RCPT TO:$r"; done; printf 'DATA\nFrom: ann\nTo: Bob <bob@me.test>, x\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <1@m.test>\n\nb\n.\nRSET\n'; done; printf 'VRFY ann\nVRFY bob@me.test\nEXPN x@smtp.test\nQUIT\n'; } | sed 's/$/\r/' | $exim $w -odi 2>&1 | grep -v '^250-'; logs; boxes | cut -c1-200; heard 2; done; }
host 2 show=1
site "sender_unqualified_hosts = 1.2.3.4
recipient_unqualified_hosts = 1.2.3.4
acl_smtp_vrfy = accept
smtp_max_synprot_errors = 100
acl_smtp_expn = accept" '*@defer.test "${lookup{x}lsearch{/nosuch}}"
*@empty.test "${if eq{1}{2}{x}}"
*@bad.test "not an address" 
*@[1.2.3.4] literal@me.test
twice@t.test twice@t2.test
twice@t2.test twice@t3.test q
*@t3.test never@me.test
loop@l.test loop2@l.test R
loop2@l.test loop@l.test R
*@old.test $1@new.test Ttfrscb
\N^(?i)(.+)@(.+)\.old\.test$\N $1-$2@new.test h
ann@me.test "${lookup{$local_part}lsearch{/etc/exim4/map}{$value@me.test}fail}" Ffrsw
bob@me.test "${lookup{$0}lsearch{/etc/exim4/map}}" Eh
*@wild.test "${lookup{$0}lsearch*@{/etc/exim4/map}{$value}fail}"
*@star.test fail@me.test q
*@lsearch;/etc/exim4/map $1@${domain_data}
cat@* "Cat Long Name <catty@$2>" hw
\N^very@\N "very@smtp2.test" S
^(.*)@smtp\.test$ $1@me.test SQ
\N^.*\ssmtp$\N odd@me.test S
plain@me.test plain2@me.test Tq'
brw; hand 2>/dev/null; smtp 2>/dev/null
for n in 'hE *@me.test $1@h.test' 'h *@me.test $1@h.test' 'E *@me.test $1@e.test' 'F *@me.test $1@e.test' 'T *@me.test $1@e.test' 'f *@* $1@f.test' 't *@* $1@t.test' 'c *@* $1@c.test' 'b *@* $1@b.test' 'r *@* $1@r.test' 's *@* $1@s.test' 'hw *@* "New \"Name\" <$1@w.test>"' 'w *@* "$1@w.test (comment)"' 'hq *@me.test $1@old.test' 'hR *@me.test x$1@me.test' 'EQ * $1@q.test' 'hw ann@* "Jörg <$1@w.test>"' 'h * all@me.test' 'h *@+nosuch x@y.test' 'h @ x@me.test' 'h nodomain x@me.test' 'h *n@me.test $1-$2@x.test' 'h *n*@me.test $1@x.test' 'h *@partial-lsearch;/etc/exim4/map $1@p.test' 'h lsearch;/etc/exim4/map $1@l.test' 'h lsearch*@;/etc/exim4/map $1@l.test' 'h *@dsearch;/etc/exim4 $1@d.test' 'S \N^ann$\N x@y.test' 'h "" x@me.test' 'h postmaster@* x@y.test' 'h *@*.test $1@$2.org' 'h *@^me ${1}x@me.test' 'h *@me.test' 'h *@me.test <$1@ang.test>' 'h *@me.test $1' 'h *@me.test $1@' 'h *@me.test "$1@x.test,$1@y.test"' 'h *@me.test "${quote:a b}@x.test"' 'h *@me.test "a b@x.test"' 'h *@me.test "${if eq{$1}{ann}{a@x.test}{$0}}"' 'h *@me.test $sender_address@x.test' 'h *@me.test ${local_part:$0}-$header_subject:@x.test' ; do echo "##### $n"; site '' "${n#* } ${n%% *}"; for a in ann@me.test 'Bob <bob@me.test>' 'x@a.old.test' old.test ann; do $exim -brw "$a" 2>&1; done; head1 | grep -v ^Resent | $exim -odi -f ann@me.test bob@me.test x@old.test 2>/dev/null; logs; boxes; done

# Who may say who he is, and for whom a message is.
plain() { conf <<E
qualify_domain = me.test
host_lookup =
tls_advertise_hosts =
acl_smtp_rcpt = accept
acl_not_smtp = ns
log_selector = +received_sender +received_recipients +unknown_in_list +arguments
$1
begin acl
ns:
 accept logwrite = mbs=\$message_body_size mlc=\$message_linecount mb=<\$message_body> me=<\$message_body_end> rc=\$recipients_count ai=\$authenticated_id as=\$authenticated_sender
begin routers
r:
 driver = accept
 transport = box
begin transports
box:
 driver = appendfile
 file = /var/mail/box
 user = mail
E
}
M() { printf '%s\n' "$@" 'Date: Thu, 26 Nov 2026 12:00:00 +0000' 'Message-ID: <1@m.test>' '' 'body line one' 'two'; }
run() { local u=$1; shift; if [ "$u" = 0 ]; then $exim -odi "$@"; else setpriv --reuid="$u" --regid="$u" --clear-groups $exim -odi "$@"; fi 2>&1; echo "rc $?"; logs | grep -v 'cwd='; boxes; }
froms() { for u in 0 5001; do for f in 'ann@me.test' 'Ann Smith <ann@me.test>' 'pre-ann@me.test' 'ann-suf@me.test' 'prex-ann-suf@me.test' 'ANN@ME.test' 'ann' 'bad address' '<>' 'ann@me.test, bob@me.test'; do for s in '' 'Sender: ann@me.test' ; do echo "## $u $f $s"; M "From: $f" "To: z@me.test" ${s:+"$s"} | run "$u" z@me.test; done; done; echo "## $u no from"; M 'To: z@me.test' | run "$u" z@me.test; M 'To: z@me.test' | run "$u" -F 'Full "N" Name' z@me.test; for f in 'ann@me.test' 'x@y.test' '<>' 'ann' 'x@allowed.test' 'a b'; do echo "## $u -f $f"; M 'From: ann@me.test' | run "$u" -f "$f" z@me.test; M 'To: z@me.test' | run "$u" -r "$f" z@me.test;  { echo "From $f Thu Nov 26 12:00:00 2026"; M 'To: z@me.test'; } | run "$u" z@me.test; done; done; }
ts() { for o in 'z@me.test' '' 'To1@me.test y@me.test' 'CC@me.test bcc@me.test' 'bad@@x' '-- to1@me.test' 'Group' '-f <> to1@me.test'; do echo "## -t $o"
M 'From: ann@me.test' 'To: to1@me.test, To1@me.test,to2@me.test, Group: g1@me.test, g2@me.test;' 'Cc: cc@me.test (x), unq' 'Bcc: bcc@me.test,' ' bcc2@me.test' 'BCC: Hidden <bcc3@me.test>' | run 0 -t $o
M 'From: ann@me.test' 'To: to1@me.test' 'Resent-From: r@me.test' 'Resent-To: rto@me.test' 'Resent-Bcc: rbcc@me.test' 'Bcc: bcc@me.test' 'Resent-Date: x' | run 0 -t $o
M 'From: ann@me.test' 'To: to1@me.test' 'Resent-Bcc: rbcc@me.test' | run 5001 -t $o
M 'From: ann@me.test' 'To: to1@me.test' 'Resent-Cc: ' 'Bcc:' | run 0 -t $o
M 'From: ann@me.test' 'Bcc: only@me.test' | run 0 -t $o
M 'From: ann@me.test' 'To: undisclosed:;' 'Cc: a@@b, "q' 'Bcc: <' | run 0 -t $o
done; }
for c in '' 'local_from_prefix = pre-:*x-
local_from_suffix = -suf : +*' 'local_from_check = false' 'local_from_check = false
local_sender_retain' 'untrusted_set_sender = *' 'untrusted_set_sender = *@allowed.test : ^ann@' 'trusted_users = ann : bob' 'trusted_groups = ann' 'unknown_login = nobody$caller_uid
unknown_username = Nobody $caller_uid' 'gecos_pattern = ^([^,]*)
gecos_name = GN $1'; do echo "##### $c"; plain "$c"; froms; done
for c in 'gecos_pattern = ^(' 'gecos_pattern = ^(
gecos_name = A'; do echo "##### $c"; plain "$c"; for u in 0 5001; do M 'To: z@me.test' | run $u z@me.test; M 'To: z@me.test' | run $u -F x z@me.test; for o in '-bt x' '-be x' '-brw x' '-bs' '-bp'; do run $u $o < /dev/null; done; done; done
plain 'unknown_login = nobody$caller_uid
unknown_username = Nobody $caller_uid'; M 'To: z@me.test' | run 5999 z@me.test; plain 'unknown_login = ${if eq{$caller_uid}{5999}{n@@x}{y}}'; M 'To: z@me.test' | run 5999 z@me.test; plain; M 'To: z@me.test' | run 5999 z@me.test
for c in '' 'extract_addresses_remove_arguments = false' 'drop_cr' 'recipients_max = 3' 'recipients_max = 3
recipients_max_reject'; do echo "##### $c"; plain "$c"; ts; done
big() { M 'From: ann@me.test' "X-Long: $(head -c "$1" /dev/zero | tr '\0' x)" 'X-After: y'; }
for c in 'header_maxsize = 2000' 'header_maxsize = 0' 'header_maxsize = -1' 'header_line_maxsize = 1000' 'header_maxsize = 1500
header_line_maxsize = 1000' 'header_line_maxsize = 0' 'header_maxsize = 1K
message_size_limit = 900' 'message_body_visible = 10' 'message_body_visible = 10
message_body_newlines' 'message_body_visible = 0' 'message_size_limit = ${if eq{$sender_address}{x@y.test}{100}{0}}'; do echo "##### $c"; plain "$c"; for n in 500 995 1400 3000; do echo "## $n"; big $n | run 0 z@me.test | cut -c1-120; big $n | run 0 -t z@me.test -f x@y.test | cut -c1-120;  { printf 'EHLO h\nMAIL FROM:<ann@me.test>\nRCPT TO:<z@me.test>\nDATA\n'; big $n; printf '.\nMAIL FROM:<x@y.test> SIZE=500\nQUIT\n'; } | sed 's/$/\r/' | run 0 -bs -oMa 1.2.3.4 | grep -v '^250-' | cut -c1-120; done; done
for c in '' 'bounce_sender_authentication = auth@me.test' 'bounce_sender_authentication = bad' 'bounce_sender_authentication = <x@y.test>'; do echo "##### $c"; plain "$c"; sed -i 's/^ transport = box/ transport = \${if eq{$local_part}{gone}{nosuch}{box}}\n local_parts = !gone/' $D/exim4.conf; M 'From: ann@me.test' 'To: gone@me.test' | run 0 -f ann@me.test gone@me.test; done

# What rules for rewriting, and the line Received, know of a message's size and of who gets it; what a list has found for one recipient, and expressions in one message.
conf <<'E'
host_lookup =
tls_advertise_hosts =
smtp_banner = hi [$message_size] [$recipients_count]
acl_smtp_connect = l
acl_smtp_helo = l
acl_smtp_mail = l
acl_smtp_rcpt = r
acl_smtp_data = d
acl_not_smtp_start = l
acl_not_smtp = d
begin acl
l:
 accept logwrite = ms=$message_size rec=$recipients_count rl=$recipients re=$regex_match_string
r:
 warn recipients = lsearch*@;/etc/exim4/known
 accept logwrite = rd=$recipient_data ms=$message_size re=$regex_match_string
d:
 warn regex = (bo)(dy)
 accept logwrite = ms=$message_size rec=$recipients_count rl=$recipients ll=$recipients_list rd=$recipient_data
begin routers
r:
 driver = accept
 transport = box
begin transports
box:
 driver = appendfile
 file = /var/mail/box
 user = mail
begin rewrite
*@rw.test "n$recipients_count-l${sg{$recipients$recipients_list}{[^[:alpha:]]}{}}-ms$message_size@rx.test" hFE
E
sed -i 's/^received_header_text.*/received_header_text = Received: rec=$recipients_count rl=$recipients ll=$recipients_list rf=$received_for ms=$message_size/' /etc/exim4/exim4.conf
printf 's@far.test: S\n*@me.test: M\n' > /etc/exim4/known; chmod 644 /etc/exim4/known
msg a | run 0 -f s@rw.test -oi a@me.test '"x:y"@me.test' q@rw.test
msg b | sed 's/^To:.*/To: u@rw.test, "v:w"@me.test/' | run 0 -f s@rw.test -oi -t
{ echo EHLO h; for t in body none; do printf 'MAIL FROM:<s@rw.test> SIZE=77\nRCPT TO:<a@me.test>\nRCPT TO:<q@far.test>\nRCPT TO:<f@rw.test>\nDATA\nTo: f@rw.test\n\n%s of it\n.\n' $t; done; printf 'MAIL FROM:<s@me.test>\nRCPT TO:<a@me.test>\nDATA\nT: no\n.\nQUIT\n'; } | run 0 -bs
for t in body none; do printf 'MAIL FROM:<s@rw.test>\nRCPT TO:<a@me.test>\nRCPT TO:<b@rw.test>\nDATA\nTo: k@rw.test\n\n%s of it\n.\n' $t; done | run 0 -bS
