# A site whose users have Exim filters: every command, what is forbidden, automatic replies, files with wrong owners.
cat > $work/body.conf <<'E'
domainlist local = me.test
qualify_domain = me.test
remote_max_parallel = 1
trusted_users = bob
never_users = root
log_selector = +received_recipients +return_path_on_delivery +sender_on_delivery
acl_smtp_rcpt = accept
begin routers
far:
 driver = manualroute
 domains = !+local
 route_list = * 192.0.2.2
 transport = smtp
vac:
 driver = accept
 local_parts = vac
 transport = autoreply
 unseen = false
filter:
 driver = redirect
 domains = +local
 check_local_user
 local_part_suffix = -*
 local_part_suffix_optional
 file = $home/.forward
 check_ancestor
 allow_filter
 file_transport = file
 directory_transport = maildir
 pipe_transport = pipe
 reply_transport = reply
 no_verify
 SYNTAX
box:
 driver = accept
 check_local_user
 local_part_suffix = -*
 local_part_suffix_optional
 local_part_prefix = real-
 local_part_prefix_optional
 transport = box
begin transports
smtp:
 driver = smtp
 hosts_try_fastopen =
box:
 driver = appendfile
 file = /var/mail/$local_part_data
file:
 driver = appendfile
 envelope_to_add
maildir:
 driver = appendfile
 maildir_format
 create_directory
pipe:
 driver = pipe
 return_output
reply:
 driver = autoreply
autoreply:
 driver = autoreply
 user = bob
 AUTO
begin retry
* * F,1h,1h
E
H=$work/home
# The configuration with options for the filters' router and the transport of replies, which take the place of what is there.
cat > $work/settle.py <<'E'
import re,sys
text,(router,transport)=open(sys.argv[1]).read(),sys.argv[2:4]
for place,mark,own in (('filter',' SYNTAX',router),('autoreply',' AUTO',transport)):
    for name in re.findall(r'(?m)^ *(?:no_)?(\w+)',own):
        text=re.sub(r'(?ms)^(%s:\n(?:(?!^\w).)*?)^ (?:no_)?%s\b[^\n]*\n'%(place,name),r'\1',text)
    text=text.replace(mark,' '+own)
print('primary_hostname = me.test\nkeep_environment =\nreceived_header_text = Received: x\n'+text)
E
settle() { python3 $work/settle.py $work/body.conf "${1:-no_skip_syntax_errors}" "${2:-to = s@far.test}" > /etc/exim4/exim4.conf; chown root:Debian-exim /etc/exim4/exim4.conf; }
settle
host 2 show=1
put() { local u=$1; { echo '# Exim filter'; cat; } > $H/$u/.forward; chown $u:$u $H/$u/.forward; }
N=0
mail() { N=$((N+1)); printf "${M:-From: Someone <s@far.test>\nTo: ann@me.test, bob@me.test\nCc: cat@far.test\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <m%s@m.test>\nSubject: hello there\n\nbody %s\n}" $N $N; }
homes() { for f in $(find $H -type f ! -name .forward | sort); do echo "== $(stat -c '%U:%G %a' $f) ${f#$H}" | sed 's#\(once\|vacation\).seen#\1#; s/[0-9]\{8,\}[.A-Za-z0-9_,=-]*/N/g'; case $f in *once*|*.vacation|*.seen) ;; *) cat $f; rm $f;; esac; done; find $H -mindepth 2 -type d -printf '%u %m %P\n' | sort; }
# Sends a message and shows all that came of it: t SENDER RECIPIENT...
t() { echo "--- $*"; mail | $exim -oi -odf -f "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; local i; logs; $exim -odf -q >/dev/null; logs; boxes; homes; heard 2; for i in $(ids); do echo "left $i"; $exim -Mrm $i >/dev/null; done; : > $LOG/mainlog; rm -rf $S/db/*; }
clean() { find $H -mindepth 2 ! -name .forward -delete 2>/dev/null; }
s() { echo "##### $1"; put ann; t s@far.test ann@me.test; clean; }
# Every line is a filter.
l() { while IFS= read -r l; do s "${1:-} $l" <<<"$l"; done; }
l <<'E'
deliver bob
deliver bob@me.test errors_to ann@me.test
deliver bob errors_to bob@me.test
deliver "Bob <bob@me.test>"
deliver "bob, cat"
deliver ann
deliver ""
deliver "x@@y"
deliver nobody
deliver /tmp/x
deliver "|/bin/cat"
deliver :blackhole:
deliver x@far.test errors_to ""
unseen deliver x@far.test
noerror deliver nobody
noerror unseen deliver nobody
unseen noerror deliver bob
seen deliver bob
save a
save a 640
save a 0777
save a 888
save $home/b 4755
save ./c
save ../d
save ""
save /
save d/
save $home/e/f
save a save a
save "a b"
save a unseen save a
unseen save a
noerror save /nowhere/x
save $h_subject:
save /etc/nothere
save $home/../bob/x
save ~/x
save a 640 save b
pipe /bin/cat
pipe "/bin/echo $sender_address '$h_subject:' \"$local_part\""
pipe "cat"
pipe "/bin/cat | /bin/cat"
pipe ""
pipe "|/bin/cat"
unseen pipe "/bin/sh -c 'exit 75'"
noerror pipe "/bin/sh -c 'exit 1'"
noerror pipe "/bin/sh -c 'echo out; exit 1'"
pipe "/bin/sh -c 'env | sort'"
pipe "/bin/echo ${if eq{1}{1}{a b}{c}} d"
if $h_subject: matches "(h)(e)" then pipe "/bin/echo $1 $2" endif
finish
seen finish
noerror finish
fail
fail text "no"
freeze
freeze text "x"
defer
defer text "x"
fail "x"
headers add "X: 1"
headers remove "Subject"
headers charset "utf-8" save $rh_subject:
headers charset "nonsense"
testprint "x"
logwrite "x"
logfile $home/l logwrite "a" logwrite "b\n" logwrite "c\nd\n"
logfile $home/l 0644 logwrite "a"
logfile l logwrite "a"
logfile $home/l logfile $home/m logwrite "x"
logfile /nowhere/l logwrite "a"
logfile /etc/nothere logwrite "a"
logfile $home/l 999 logwrite "a"
logfile ""
add 1 to n0 add 2K to n1 add -3 to n2 add $n1 to n0 save "$n0.$n1.$n2"
add x to n0
add 1 to n10
add 1 to sn0
add 1 to $h_x:
add 1m to n1 save $n1
add " 5 " to n1 save $n1
if error_message then finish endif save x
if personal then save p else save np endif
if personal alias bob@me.test then save p endif
if personal alias "" then save p endif
if foranyaddress $h_to: ($thisaddress contains bob) then save $thisaddress endif
if foranyaddress "$h_to:, $h_cc:" ($thisaddress matches "^(c.*)@") then save $1 endif save "x$thisaddress"
if foranyaddress $h_none: ($thisaddress contains bob) then save y else save n endif
if not foranyaddress $h_to: ($thisaddress contains cat) then save y endif
if foranyaddress "a@@b, c@d" (1 is above 0) then save "$thisaddress" endif
if delivered then save y else save n endif
unseen save a if delivered then save y else save n endif
if first_delivery then save fd endif if manually_thawed then save mt endif
if $h_subject: begins "HELLO" then save y endif if $h_subject: BEGINS "HELLO" then save z endif
if $h_subject: ends there and $h_cc: is cat@far.test then save y endif
if ${message_size} is above 1k or not ($message_size is below 10) then save y endif
if 1 is above x then save y endif
if def then save y endif
if $h_subject: does not contain x then save y elif 1 is above 0 then save z endif
if then save y endif
if $h_subject: is hello there then save y
save y endif
blah
save
save $nosuch
save "${if"
save "unclosed
save 'single'
save "esc\x41\101\n"
save a # comment
save a;save b
SAVE a
Save A Unseen Deliver bob
deliver bob@me.test bob@me.test
unseen
mail
mail text "hi"
mail to bob text "hi"
mail to "bob@me.test, x@far.test" cc cat bcc "y@far.test" from "Ann <ann@me.test>" reply_to r@far.test subject "S $h_subject:" extra_headers "X-A: 1\nX-B: 2\n c" text "hello\nyou" return message
mail to bob from other@far.test text x
mail to bob extra_headers "X-A" text x
mail to bob extra_headers "X-A: 1\n" text x
mail to bob subject "Ü ü" text "Ü"
mail to bob subject "a\nb" text x
mail to bob subject "" text x
mail to "x@@y" text x
mail to "" text x
mail to "nobody" text x
mail to "Group: bob, cat;" text x
mail to bob cc "bad@@" text x
mail to bob file none text x
mail to bob file none
mail to bob text a text b
mail to bob log rl text x
mail to bob log $home/rl text x
mail to bob log /nowhere/rl text x
mail to bob once $home/once text x
mail to bob once $home/once once_repeat 1d text x
mail to bob once_repeat 1d text x
mail to bob once $home/once once_repeat 0s text x
mail to bob once $home/once once_repeat 5x text x
mail to bob once once text x
mail to bob once /nowhere/once text x
mail to bob return text x
mail to bob expand text x
mail to bob expand file none
mail to bob return message
mail to bob subject "$h_nothing:" text "$sender_address $local_part $home $tod_full" 
seen mail to bob text "x"
noerror mail to nobody text x
seen noerror mail to nobody text x
mail to bob text "a" mail to bob text "b" mail to bob text "a"
mail to $reply_address text "${readfile{/etc/hostname}}x"
mail to bob from "" text x
mail to bob reply_to "" text x
mail to bob text "From me\n.\n..\nlast"
vacation
vacation text "gone"
vacation to bob subject "s" text "gone" once "" log ""
vacation expand file $home/.vm
seen vacation text x
vacation once_repeat 1s text "x"
E
# Files that a reply reads and writes, one after another.
echo "##### vacation twice"; put ann <<<'vacation'; printf 'Away, $h_subject:\n$local_part\n' > $H/ann/.vacation.msg; t s@far.test ann@me.test; printf 'Away\n' > $H/ann/.vacation.msg;  t s@far.test ann@me.test; t o@far.test ann@me.test; clean
for f in 'mail to bob file $home/f text "t\n"' 'mail to bob expand file $home/f' 'mail to bob expand file $home/f return message subject s' 'mail to bob expand file $home/f text "no newline"' 'if personal then mail to bob file $home/d endif'; do echo "##### file $f"; put ann <<<"$f"; mkdir $H/ann/d; printf 'a $h_subject: b\n${if\n.\nFrom x\nlast' > $H/ann/f; t s@far.test ann@me.test; printf 'ok $h_subject:\nFrom x\n.\n' > $H/ann/f; chmod 600 $H/ann/f; chown ann $H/ann/f;  t s@far.test ann@me.test;  clean; done
for f in '<>' ann@me.test '"a b"@far.test' owner-x@far.test; do echo "##### from $f"; put ann <<<'mail text hi
if personal then save p else save np endif if error_message then save e endif save "$sender_address"'; t "$f" ann@me.test; clean; done
# Personal mail.
for M in 'To: ann@me.test\nFrom: a@b.test\n\n' 'To: ann-x@me.test\nFrom: a@b.test\n\n' 'To: ANN@ME.TEST\nFrom: a@b.test\n\n' 'Cc: ann@me.test\nFrom: a@b.test\n\n' 'To: ann@me.test\nFrom: ann@me.test\n\n' 'To: ann@me.test\nFrom: root@b.test\n\n' 'To: ann@me.test\nFrom: a-request@b.test\n\n' 'To: ann@me.test\nFrom: owner-a@b.test\n\n' 'To: ann@me.test\nFrom: a@b.test\nPrecedence: Bulk\n\n' 'To: ann@me.test\nFrom: a@b.test\nList-Id: x\n\n' 'To: ann@me.test\nFrom: a@b.test\nList-Other: x\n\n' 'To: ann@me.test\nFrom: a@b.test\nAuto-Submitted: no\n\n' 'To: ann@me.test\nFrom: a@b.test\nAuto-Submitted: auto-generated\n\n' 'To: x@me.test\nTo: ann@me.test\nFrom: a@b.test\n\n' 'To: "ann@me.test" <x@y.test>\nFrom: a@b.test\n\n' 'To: joann@me.test\nFrom: a@b.test\n\n' 'To: ann\nFrom: server@b.test\n\n'  'To: q: ann@me.test;\nFrom: daemon <x@b.test>\nReply-To: r@far.test\n\n'; do for r in ann@me.test ann-x@me.test; do echo "##### personal $r $M"; put ann <<<'if personal then save p else save np endif mail subject "$reply_address" text "x"'; t s@far.test $r; clean; done; done; unset M
# Options of the router.
while IFS='|' read -r o f; do settle "$(printf "$o")"; s "$o: $f" <<<"$f"; done <<'E'
forbid_filter_existstest|if exists $home then save y endif save "${if exists{/etc}{a}{b}}"
forbid_filter_existstest|save "${stat:/etc}"
forbid_filter_logwrite|logfile $home/l logwrite x save a
forbid_filter_logwrite|logwrite x
forbid_filter_lookup|save "${lookup{a}lsearch{/etc/passwd}{x}{y}}"
forbid_filter_lookup|if "${if match_domain{x}{lsearch;/etc/passwd}{y}{n}}" is n then save n endif
forbid_filter_perl|save "${perl{a}}"
forbid_filter_readfile|save "${readfile{/etc/hostname}}"
forbid_filter_readfile|mail to bob file $home/.forward
forbid_filter_readsocket|save "${readsocket{/x}{y}}"
forbid_filter_reply|mail to bob text x
forbid_filter_reply|vacation
forbid_filter_reply|if 1 is above 2 then mail to bob text x endif save a
forbid_filter_run|save "${run{/bin/echo x}}"
forbid_filter_dlfunc|save "${dlfunc{a}{b}}"
forbid_exim_filter|save a
forbid_file|save a
forbid_file|save a/
forbid_pipe|pipe /bin/cat
forbid_file\n forbid_pipe|unseen pipe /bin/cat unseen save a
allow_fail|fail text "no way: $h_subject:"
allow_fail|fail
allow_fail|save a fail text "x"
allow_fail|fail text "<<log>>told"
allow_fail|seen fail text x
allow_fail|fail text x freeze
allow_freeze|freeze text "why"
allow_freeze|freeze
allow_freeze|save a freeze
allow_freeze|if not manually_thawed then freeze text "once" endif save a
allow_defer|defer text "later"
allow_defer|defer
allow_defer|save a defer
allow_defer\n allow_fail|if first_delivery then defer else fail text "f" endif
skip_syntax_errors|blah
skip_syntax_errors|save a blah
skip_syntax_errors|save "${if"
skip_syntax_errors\n syntax_errors_to = real-$local_part@$domain|save a blah
syntax_errors_to = real-$local_part@$domain|blah
syntax_errors_to = real-$local_part@$domain\n syntax_errors_text = Look here.\\n$home|deliver "x@@y" save a
skip_syntax_errors\n syntax_errors_to = real-$local_part@$domain|deliver "x@@y" save a
filter_prepend_home = false|save a
filter_prepend_home = false|save a/
user = bob|save a
user = bob|logfile $home/l logwrite x
group = cat|save a
rewrite = false|deliver x@far.test
one_time|deliver bob
one_time|deliver nobody
one_time|save a
unseen|save a
unseen|fail
errors_to = cat@me.test|deliver nobody
errors_to = cat@me.test|save a pipe /bin/false
errors_to = cat@me.test|mail to nobody text x
headers_add = X-R: r\n headers_remove = subject|save a mail to bob text x return message
address_data = ad\n set = r_x=y|save "$address_data-$r_x"
hide_child_in_errmsg|deliver nobody
hide_child_in_errmsg|save /nowhere/x
fail_verify|seen finish
repeat_use = false|deliver ann-x
no_check_ancestor|deliver ann
qualify_domain = far.test|deliver x
qualify_preserve_domain|deliver bob
ignore_enotdir|save a
condition = no|save a
caseful_local_part|save $local_part
router_home_directory = /nowhere|save a
transport_home_directory = /var|save a pipe "/bin/sh -c 'echo $HOME; pwd'"
transport_current_directory = /var|pipe "/bin/sh -c pwd"
reply_transport =|mail to bob text x
pipe_transport =|pipe cat
file_transport =|save a
directory_transport =|save a/
reply_transport = nosuch|mail to bob text x
pipe_transport = ${if eq{$address_pipe}{cat}{pipe}{none}}|pipe cat
E
settle
# The autoreply transport of a configuration.
printf 'file $h_subject: $local_part\nsecond\n' > $work/text; chmod 644 $work/text
a() { settle '' "$(printf "$1")"; echo "##### auto ${1//$work/WORK}"; t s@far.test vac@me.test; [ -n "${2:-}" ] && t s@far.test vac@me.test; rm -rf /var/mail/*; }
a 'to = s@far.test\n text = hello'
a 'to = s@far.test'
a 'text = hello'
a 'to = s@far.test\n cc = c@far.test\n bcc = b@far.test\n from = f@me.test\n reply_to = r@me.test\n subject = S: $h_subject:\n headers = X-A: 1\\nX-B: 2\n text = hi\\nyou'
a 'to = s@far.test\n subject = Ü äöü und noch viel mehr, so lange bis die Zeile voll ist und umbrochen wird: ß\n text = Ü\n headers = Content-Type: text/plain; charset=utf-8\\n'
a 'to = s@far.test\n subject = ${rfc2047:Ü x}\n text = x'
a "to = s@far.test\n file = $work/text"
a "to = s@far.test\n file = $work/text\n file_expand"
a "to = s@far.test\n file = $work/text\n file_expand\n text = first"
a 'to = s@far.test\n file = /nowhere/x'
a 'to = s@far.test\n file = /nowhere/x\n file_optional\n text = x'
a 'to = s@far.test\n file = /nowhere/x\n file_optional'
a 'to = s@far.test\n text = x\n once = /var/mail/once' 2
a 'to = s@far.test\n text = x\n once = /var/mail/once\n once_file_size = 100' 2
a 'to = s@far.test\n text = x\n once = /var/mail/once\n once_repeat = 1d' 2
a 'to = s@far.test\n text = x\n once = /var/mail/once\n once_repeat = 1s' 2
a 'to = s@far.test\n text = x\n once = /var/mail/once\n once_repeat = x' 2
a 'to = s@far.test\n text = x\n once = once' 2
a 'to = s@far.test\n text = x\n once = /nowhere/once' 2
a 'to = s@far.test\n text = x\n log = /var/mail/log\n cc = c@far.test\n mode = 0640\n from = f@me.test\n subject = s' 2
a 'to = s@far.test\n text = x\n log = log'
a 'to = s@far.test\n text = x\n log = /nowhere/log'
a 'to = s@far.test\n text = x\n never_mail = s@far.test'
a 'to = s@far.test, b@far.test\n cc = c@far.test\n bcc = s@far.test\n text = x\n never_mail = *@far.test : !c@far.test'
a 'to = s@far.test, S2 <b@far.test>\n cc = Q <c@far.test>, s@far.test\n text = x\n never_mail = s@far.test : c@far.test'
a 'to = s@far.test\n text = x\n return_message\n body_only'
a 'to = s@far.test\n text = x\n return_message\n headers_only'
a 'to = s@far.test\n text = x\n return_message\n headers_add = X-Q: 1\n headers_remove = subject'
a 'to = s@far.test\n text = x\n return_message\n return_path = q@me.test\n headers_rewrite = *@far.test x@new.test'
a 'to = s@far.test\n text = ${if\n'
a 'to = ${if eq{1}{2}{x}fail}\n text = x'
a 'to = s@far.test\n text = ${if eq{1}{2}{x}fail}'
a 'to = s@far.test\n subject = $nosuch\n text = x'
a 'to = bad@@x\n text = x'
a 'to = \n text = x'
a 'to = s@far.test\n text = x\n from = bad@@x'
a 'to = nobody@me.test\n text = x'
a 'to = s@far.test\n headers = nonsense\n text = x'
a 'to = s@far.test\n headers = X: a\\n\\nb\n text = x'
a 'to = s@far.test\n subject = a\\nb\n text = x'
a 'to = $reply_address\n cc = $h_cc:\n subject = Re: $h_subject:\n text = $h_subject: $message_body'
a 'to = $sender_address\n text = x\n initgroups\n shadow_transport = box'
a 'to = s@far.test\n text = x\n message_size_limit = 10'
a 'to = s@far.test\n text = x\n delivery_date_add\n return_path_add\n envelope_to_add\n return_message'
a 'to = s@far.test\n text = x\n disable_logging'
a 'to = s@far.test\n user = root\n text = x'
M='From: s@far.test\nTo: q@me.test\nSubject: x\nMessage-ID: <a@b>\nReferences: <1@x> <2@x>\nIn-Reply-To: <3@x>\nAuto-Submitted: auto-replied\n\nb\n'; a 'to = $reply_address\n text = x\n return_message'; unset M
settle
# Where its files are.
for o in 'home_directory = /var/mail' 'current_directory = /var/mail' 'home_directory = /nowhere' 'current_directory = /nowhere'; do a "to = s@far.test\n log = rl\n text = x\n $o"; a "to = s@far.test\n once = once\n text = x\n $o" 2; done
settle
# Files that are not what they should be.
put ann <<<'save a'; f=$H/ann/.forward; p() { echo "##### file $1"; t s@far.test ann@me.test; clean; }
for m in 600 640 644 664 666 622 000 755 4644; do chmod $m $f; p $m; done; chmod 644 $f
chgrp bob $f; p group; chown ann:root $f; p rootgroup; chown bob:ann $f; p bob; chown root:root $f; p root; chown ann:ann $f
for o in 'owners = bob' 'owngroups = bob' 'modemask = 0' 'modemask = 0077' 'no_check_owner' 'check_group' 'no_check_owner\n no_check_group' 'check_owner\n owners = root' 'modemask = 022\n owngroups = ann'; do settle "$(printf "$o")"; for w in ann:ann bob:ann root:root ann:bob; do chown $w $f; chmod 664 $f; p "$o $w"; done; done; chown ann:ann $f; chmod 644 $f; settle
rm $f; mkdir $f; p dir; rmdir $f; ln -s nothere $f; p broken; rm $f; ln -s $f $f; p loop; rm $f; mkfifo $f; chown ann $f; echo "##### fifo"; timeout 5 true; rm $f; ln -s /dev/null $f; p null; rm $f; : > $f; chown ann $f; p empty; printf '# Exim filter' > $f; p noend; printf '#exim FILTER x\nsave a' > $f; p upper; printf '\n# Exim filter\nsave a\n' > $f; p second;  printf '# Exim filter\r\nsave a\r\n' > $f; p crlf; printf '# Exim  filter\nsave a\n' > $f; p spaces; printf '# Exim filters\nsave a\n' > $f; p filters; printf '# Exim filter\nsave a\0b\nsave c' > $f; p nul; printf '# Exim filter\nsave "%s"\n' "$(head -c 3000 /dev/zero | tr '\0' x)" > $f; p long; printf '# Exim filter\nif $h_subject: contains "%s" then save a endif save b\n' "$(head -c 3000 /dev/zero | tr '\0' x)" > $f; p longstring; printf '# Exim filter\nsave \xc3\xa4\nsave b\xff\n' > $f; p bytes; head -c 70000 /dev/zero | tr '\0' '#' | sed 's/^/# Exim filter\n/; s/$/\nsave a/' > $f; p big
printf '# Exim filter\nsave a\n' > $f; chown ann $f; chmod 0 $H/ann; p closedhome; chmod 755 $H/ann; mv $H/ann $H/away; p nohome; : > $H/ann; p homefile; rm $H/ann; ln -s away $H/ann; p homelink; rm $H/ann; mv $H/away $H/ann
for o in ignore_enotdir ignore_eacces 'file = $home/sub/.forward' 'file = .forward' "require_files = \$home/.forward" 'file = ${if exists{$home/.forward}{$home/.forward}{}}'; do settle "$o"; p "$o"; rm $f; p "$o none"; printf '# Exim filter\nsave a\n' > $f; chown ann $f; done
# Tests of filters.
settle
m() { printf 'From: s@far.test\nTo: ann@me.test\nSubject: hello\nReturn-Path: <rp@far.test>\n\nbody\n'; }
bf() { echo "##### bf $*"; m | $exim "$@" -bf $work/f; echo "rc $?"; m | setpriv --reuid=5001 --regid=5001 --clear-groups $exim "$@" -bf $work/f; echo "rc $?"; }
printf '# Exim filter\ntestprint "$sender_address $return_path $local_part $domain p=$local_part_prefix s=$local_part_suffix $home $reply_address $recipients_count"\nif personal then save p else unseen save np endif\nmail to bob subject "a\\nb" text "x\\ty" once o once_repeat 1d log l\npipe "/bin/cat $h_subject:"\nadd 3 to n1\nlogfile l\nlogwrite "x$n1"\nvacation\nfreeze text f\n' > $work/f; chmod 644 $work/f
for a in '-f a@b.test' '-f <>' '-bfd x.test' '-bfl joe' '-bfp pre-' '-bfs -suf' '-bfl joe -bfp a- -bfs -b -bfd c.test' '-v' '-v -bfl joe'; do bf $a; done
printf '# Sieve filter\nrequire ["fileinto","copy","vacation","enotify","envelope","subaddress"];\nif envelope :detail "to" "suf" {fileinto "suf";}\nif header :contains "subject" "hell" {fileinto :copy "a"; redirect "b@c.test";}\nvacation :days 3 "gone";\nnotify "mailto:x@y.test";\nkeep;\n' > $work/f
for a in '-f a@b.test' '-f <>' '-bfd x.test' '-bfl joe' '-bfs -suf' '-v'; do bf $a; done
printf '# Sieve filter\nkeep; blah\n' > $work/f; bf; printf '# Exim filter\nsave a\nblah\n' > $work/f; bf; printf 'bob, "|cat", x@@y, /a/b\n' > $work/f; bf; printf '' > $work/f; bf
echo "##### bf none"; x -bf /nowhere/f < /dev/null; x -bf $work < /dev/null; m | sed '1iFrom env@x.test Thu Nov 26 12:00:00 2026' | $exim -bf $H/ann/.forward; m | $exim -bF $H/ann/.forward; m | $exim -bf $H/ann/.forward -bF $H/ann/.forward; x -bf < /dev/null; x -bfd < /dev/null; x -bfx y < /dev/null; echo 'no header' | $exim -bf $H/ann/.forward; printf '\nbody\n' | $exim -bf $H/ann/.forward
