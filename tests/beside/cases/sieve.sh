# A site whose users have Sieve scripts: folders, copies, redirects, vacation, notices, mistakes.
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
sieve:
 driver = redirect
 domains = +local
 check_local_user
 local_part_suffix = -* : +*
 local_part_suffix_optional
 sieve_subaddress = ${sg{$local_part_suffix}{^[-+]}{}}
 sieve_useraddress = $local_part
 file = $home/.sieve
 check_ancestor
 allow_filter
 forbid_exim_filter
 file_transport = ${if eq{$local_part_data}{cat}{folders}{local}}
 directory_transport = maildir
 reply_transport = vacation
 sieve_vacation_directory = $home/vacation
 sieve_enotify_mailto_owner = $local_part_data@$domain
 no_verify
 SYNTAX
box:
 driver = accept
 check_local_user
 local_part_suffix = -* : +*
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
 envelope_to_add
 return_path_add
local:
 driver = appendfile
 file = ${if eq{$address_file}{inbox}{/var/mail/$local_part_data}{${if eq{${substr_0_1:$address_file}}{/}{$address_file}{$home/mail/$address_file}}}}
 create_directory
 delivery_date_add
 envelope_to_add
 return_path_add
folders:
 driver = appendfile
 file = ${if eq{$address_file}{inbox}{/var/mail/cat.in}{$home/mail/${sg{$address_file}{\N[^A-Za-z0-9./_ &-]\N}{?}}}}
 no_create_directory
 mode = 0640
 envelope_to_add
maildir:
 driver = appendfile
 maildir_format
 create_directory
vacation:
 driver = autoreply
 log = $home/replies
 never_mail = never@far.test
begin retry
* * F,1h,1h
E
H=$work/home
# The configuration with options for the router of scripts, which take the place of what is there.
cat > $work/settle.py <<'E'
import re,sys
text,own=open(sys.argv[1]).read(),sys.argv[2].replace('\\n ','\n ')
for name in re.findall(r'(?m)^ *(?:no_)?(\w+)',own):
    text=re.sub(r'(?ms)^(sieve:\n(?:(?!^\w).)*?)^ (?:no_)?%s\b[^\n]*\n'%name,r'\1',text)
print('primary_hostname = me.test\nkeep_environment =\nreceived_header_text = Received: x\n'+text.replace(' SYNTAX',' '+own))
E
settle() { python3 $work/settle.py $work/body.conf "${1:-no_skip_syntax_errors}" > /etc/exim4/exim4.conf; chown root:Debian-exim /etc/exim4/exim4.conf; }
settle
host 2 show=1
put() { local u=$1; { echo '# Sieve filter'; cat; } > $H/$u/.sieve; chown $u:$u $H/$u/.sieve; }
N=0
mail() { N=$((N+1)); printf "${M:-From: Someone <s@far.test>\nTo: ann@me.test, bob@me.test\nCc: cat@far.test\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <m%s@m.test>\nSubject: hello there\n\nbody %s\n}" $N $N; }
homes() { find $H -type f ! -name .sieve ! -path '*/vacation/*' -print0 | sort -z | while IFS= read -r -d '' f; do echo "== $(stat -c '%U:%G %a' "$f") ${f#$H}" | sed 's/[0-9]\{8,\}[.A-Za-z0-9_,=-]*/N/g'; cat "$f"; rm "$f"; done; find $H -path '*/vacation*' -printf '%u %m %P\n' | sed 's/\.seen$//' | sort; rm -rf $H/*/mail/*; }
# Sends a message and shows all that came of it: t SENDER RECIPIENT...
t() { echo "--- $*"; mail | $exim -oi -odf -f "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; local i; logs; $exim -odf -q >/dev/null; logs; boxes; homes; heard 2; for i in $(ids); do echo "left $i"; $exim -Mrm $i >/dev/null; done; : > $LOG/mainlog; rm -rf $S/db/*; }
s() { echo "##### $1"; put ann; t s@far.test ann@me.test; }
s fileinto <<'E'
require ["fileinto","copy"];
fileinto "one"; fileinto :copy "two"; fileinto "sub/three";
E
s absolute <<E
require "fileinto";
fileinto "$H/ann/abs"; fileinto "~/til"; fileinto "\$home/doll"; fileinto "./dot"; fileinto "x..y";
E
for f in inbox INBOX Inbox "" " " "a b" "dir/" "../up" "a/../b" "/etc/passwd" "/nowhere/x" "INBOX.Work" "ü" "&AOQ-" "a\\\\b" "|cat" ":blackhole:" "~" "/" "." "-x" "a,b" '\"q\"' "#x" "bob@me.test" "a/b/c/d"; do
s "folder $f" <<E
require ["fileinto"]; fileinto "$f";
E
done
s folderpercent <<'E'
require ["fileinto"]; fileinto "100%s\d";
E
for f in inbox x a/b "a b" "ü" "dir/" "../up" "/abs"; do echo "##### cat $f"
put cat <<E
require ["fileinto","copy"]; fileinto :copy "$f"; fileinto "$f"; keep;
E
mkdir -p $H/cat/mail; chown cat: $H/cat/mail
t s@far.test cat@me.test; rm -rf $H/cat/mail; done; rm $H/cat/.sieve
s redirect <<'E'
require "copy";
redirect "one@far.test"; redirect "two@far.test"; redirect :copy "bob"; redirect "one@far.test";
E
for a in ann@me.test ann bob@me.test ANN@ME.TEST nobody@me.test "<x@far.test>" "X Y <x@far.test>" "a@far.test, b@far.test" "" "@far.test" "x@" '\"a b\"@far.test' "a b@far.test" "|/bin/cat" "/tmp/x" ":include:/etc/hosts" "ann-x@me.test" "real-ann@me.test" "root" "x@far.test (c)" "ä@far.test" "x@fär.test" "<>" "<@a.test:b@far.test>" "x@far.test;" "x@[1.2.3.4]"; do
s "redirect $a" <<E
redirect "$a";
E
done
s redirectself <<'E'
redirect "ann@me.test"; redirect "bob@me.test";
E
s redirectcopyself <<'E'
require "copy"; redirect :copy "ann@me.test"; discard;
E
echo "##### loop"; put ann <<<'redirect "bob@me.test";'; put bob <<<'redirect "ann@me.test";'; t s@far.test ann@me.test; t s@far.test ann@me.test bob@me.test
echo "##### loop copy"; put bob <<<'require "copy"; redirect :copy "ann@me.test"; redirect :copy "real-bob@me.test"; stop;'; t s@far.test ann@me.test bob@me.test; rm $H/bob/.sieve
for a in '' 'keep;' 'keep; keep;' 'discard;' 'stop;' 'discard; keep;' 'keep; discard;' 'discard; stop; keep;' 'stop; discard;' 'if false {discard;} elsif true {keep; stop;} else {stop;}' '# c' '/* c */' 'if true {' 'keep' 'keep; }' 'blah;' 'keep "x";' 'keep :copy;' 'require "nonsense"; discard;' 'discard; require "fileinto";' 'fileinto "x";' 'discard; fileinto "x";' 'require ["fileinto"]; fileinto;' 'reject "no";' 'require "reject"; reject "no";' 'require "ereject"; ereject "no";' 'require "imap4flags"; addflag "\\Seen"; keep;' 'require ["fileinto","imap4flags"]; fileinto :flags "\\Seen" "x";' 'require "vnd.dovecot.debug";' 'discard; stop; blah' 'keep; blah;' 'require "fileinto"; fileinto "one"; blah;' 'redirect "x@far.test"; blah;' 'require ["comparator-i;octet","comparator-i;ascii-casemap","comparator-i;ascii-numeric"]; discard;' 'require "mailbox"; keep;' 'require ["fileinto","mailbox"]; fileinto :create "x";' 'require "variables"; set "a" "b";' 'require []; keep;' 'require "body"; if body :contains "b" {discard;}' 'require "relational"; if header :count "ge" :comparator "i;ascii-numeric" "to" "1" {discard;}' 'require "date"; discard;' 'require "regex"; discard;' 'require "editheader"; discard;' 'require "include"; include "x";'; do
s "plain $a" <<<"$a"
done
# What tests find: each that is true adds a folder.
tests() { { echo 'require ["fileinto","envelope","subaddress","comparator-i;ascii-numeric","encoded-character"];'; i=0; while IFS= read -r l; do i=$((i+1)); echo "if $l {fileinto \"t$i\";}"; done; } > $work/tests; }
tests <<'E'
envelope :is "from" "s@far.test"
envelope :is :user "to" "ann"
envelope :is :detail "to" "x"
envelope :is :detail "to" "x-y"
envelope :localpart "to" "ann"
envelope :localpart "to" "ann-x"
envelope :all "to" "ANN-X@me.test"
envelope :domain "to" "me.test"
envelope :is :user "from" "s"
envelope :localpart "from" "s"
envelope :matches ["from","to"] "*@*.test"
address :is "from" "s@far.test"
address :is :user "to" "ann"
address :is :detail "to" "x"
address :is ["to","cc"] "cat@far.test"
address :domain :contains "to" "test"
header :contains "subject" "HELLO"
header :comparator "i;octet" :contains "subject" "HELLO"
header :matches "subject" "h?llo*"
header :is "subject" "hello there"
header :is :comparator "i;ascii-numeric" "x-n" "7"
exists ["to","cc"]
exists "x-none"
size :over 100
size :under 1K
size :over 1M
header :is "subject" "${hex:68 65 6c 6c 6f} there"
header :is "subject" "${unicode:68}ello there"
not header :contains "x-n" "9"
allof(true,not false)
anyof(false,false)
address "from" ["a@b.test","s@far.test"]
address :localpart "reply-to" "r"
header :contains "received" "x"
header :is "return-path" "s@far.test"
header :is "return-path" "<s@far.test>"
E
for r in ann@me.test ann-x@me.test ann+x-y@me.test ANN@ME.test Ann-X@me.test; do echo "##### tests $r"; put ann < $work/tests; t s@far.test "$r"; done
echo "##### tests bounce"; t '<>' ann@me.test; echo "##### tests case"; t S@FAR.test ann@me.test; echo "##### tests owner"; t '"s x"@far.test' ann@me.test
for M in 'From: "A, B" <s@far.test>, t@far.test\nTo: undisclosed:;\nSubject: =?utf-8?q?hello?= =?utf-8?b?IHRoZXJl?=\nX-N: 007\nReply-To: r@x.test\n\nb\n' 'From: s@far.test (x)\nTo: grp: ann-x@me.test, b@c.test;\nSubject:  hello\n there\nX-N: 7x\n\nb\n' 'From: @@@\nTo: <\nTo: ann@me.test\nSubject: hello there  \nX-N: 9\nX-N: 7\n\n' 'From: s@far.test\nSubject: =?utf-8?q?hello_there?=\n\nb\n' 'From: s@far.test\nReturn-Path: <s@far.test>\nSubject:\nSubject: hello there\nX-None:\n\nb\n' 'From: s@far.test\nX-N:  7  \nSubject: =?iso-8859-1?q?hello?=\n =?x-none?q?there?=\n\nb\n'; do echo "##### tests of ${M:0:30}"; t s@far.test ann@me.test; done; unset M
# Vacation: first without a directory for it, and then with one.
away() { rm -rf $H/ann/vacation; mkdir -m 700 $H/ann/vacation; chown ann: $H/ann/vacation; }
echo '##### vacation nodir'; put ann <<<'require "vacation"; vacation "gone";'; t s@far.test ann@me.test; away
v() { echo "##### vacation $1"; { echo 'require "vacation";'; cat; } | put ann; shift; t s@far.test ann@me.test; t s@far.test ann@me.test; away; }
while IFS= read -r l; do v "$l" <<<"$l"; done <<'E'
vacation "gone";
vacation :days 0 "gone";
vacation :days 3 :subject "Away: $h_subject:" "gone $h_subject: \\n";
vacation :days 99999 "x";
vacation :subject "Übung macht den Meister, und das seit vielen Jahren und noch lange" "Grüße";
vacation :from "Ann <ann@me.test>" "gone";
vacation :from "ann@me.test, bob@me.test" "gone";
vacation :from "nonsense" "gone";
vacation :from "" "gone";
vacation :addresses ["x@y.test","bob@me.test"] "gone";
vacation :addresses "bob@me.test" "gone";
vacation :addresses [] "gone";
vacation :mime "Content-Type: text/html; charset=utf-8\n\n<b>gone</b>";
vacation :mime "gone";
vacation :handle "h/../x" "gone";
vacation :handle "plain" "gone";
vacation :handle "" "gone";
vacation;
vacation "a"; vacation "b";
vacation "a"; discard;
if false {vacation "a";} vacation :handle "b" "b"; stop;
vacation :seconds 3 "x";
vacation :days 3 :days 4 "x";
vacation text:;
vacation :subject "" "x";
vacation :subject "a\r\nb" "x";
vacation "x"; blah;
vacation "x"; redirect "bob@me.test";
vacation :handle "a" :subject "s" :days 7 :from "ann@me.test" :mime :addresses "y@z.test" "Content-Type: text/plain\r\n\r\nhi\r\n";
E
v multiline <<'E'
vacation :mime text:
Content-Type: text/plain
X-Extra: 1

gone
..dot
.
;
E
v multiline2 <<'E'
vacation text: # comment
gone
..dot
and 
.
;
E
w() { echo "##### vacation to $1 ${M:0:60}"; put ann <<<'require "vacation"; vacation "gone";'; t "$1" "${2:-ann@me.test}"; away; }
for f in '<>' ann@me.test never@far.test owner-list@far.test list-request@far.test mailer-daemon@far.test MAILER-DAEMON@far.test listserv@far.test majordomo@far.test root@far.test a-owner@far.test postmaster@far.test noreply@far.test bob@me.test '"a b"@far.test'; do w "$f"; done
w s@far.test ann-x@me.test; w s@far.test Ann@me.test
for M in 'From: s@far.test\nTo: other@me.test\nSubject: x\n\nb\n' 'From: s@far.test\nTo: ANN@ME.TEST\nSubject: x\n\nb\n' 'From: s@far.test\nBcc: ann@me.test\nSubject: x\n\nb\n' 'From: s@far.test\nCc: ann@me.test\nSubject: x\n\nb\n' 'From: s@far.test\nResent-To: ann@me.test\nResent-From: q@far.test\nSubject: x\n\nb\n' 'From: s@far.test\nTo: ann@me.test\nAuto-Submitted: auto-replied\nSubject: x\n\nb\n' 'From: s@far.test\nTo: ann@me.test\nAuto-Submitted: no\nSubject: x\n\nb\n' 'From: s@far.test\nTo: ann@me.test\nAuto-Submitted: NO (really)\nSubject: x\n\nb\n' 'From: s@far.test\nTo: ann@me.test\nPrecedence: bulk\nSubject: x\n\nb\n' 'From: s@far.test\nTo: ann@me.test\nPrecedence: Junk\nSubject: x\n\nb\n' 'From: s@far.test\nTo: ann@me.test\nList-Id: x\nSubject: x\n\nb\n' 'From: s@far.test\nTo: ann@me.test\nList-Unsubscribe: x\nSubject: x\n\nb\n' 'From: s@far.test\nTo: ann@me.test\nX-Spam-Flag: YES\nSubject: x\n\nb\n' 'From: s@far.test\nTo: ann@me.test\n\nb\n' 'From: s@far.test\nTo: ann@me.test\nReply-To: rep@far.test\nReferences: <a@b> <c@d>\nIn-Reply-To: <e@f>\nMessage-ID: <g@h>\nSubject: =?utf-8?q?=C3=BC?= long long long long long long long long long long long long long long\n\nb\n' 'From: s@far.test\nTo: "Ann, S" <ann@me.test>, grp: a@b.test;\nSubject:\n\nb\n' 'From: ann@me.test\nTo: ann@me.test\nSubject: a\n b\n\nb\n' 'Subject: x\nTo: a@@b, ann@me.test\n\nb\n'; do w s@far.test; done; unset M
echo "##### vacation dir"; put ann <<<'require "vacation"; vacation "gone";'
touch $H/ann/vacation; t s@far.test ann@me.test; rm -rf $H/ann/vacation; put ann <<<'require "vacation"; vacation "gone";'
mkdir -m 700 $H/ann/vacation; t s@far.test ann@me.test; rm -rf $H/ann/vacation
mkdir -m 700 $H/ann/vacation; chown ann $H/ann/vacation; touch $H/ann/vacation/old; touch -d '40 days ago' $H/ann/vacation/older; chown ann $H/ann/vacation/*; mkdir $H/ann/vacation/sub; touch -d '40 days ago' $H/ann/vacation/sub; t s@far.test ann@me.test; t s@far.test ann@me.test; t other@far.test ann@me.test; rm -rf $H/ann/vacation
for d in '$home/a/b/vac' '$home/vac/' vac '' /nowhere/x '${if eq{1}{2}{x}fail}' '${if'; do settle; sed -i "s|sieve_vacation_directory = .*|sieve_vacation_directory = $d|" /etc/exim4/exim4.conf; echo "##### vacation in $d"; rm -rf $H/ann/vac* $H/ann/a; put ann <<<'require "vacation"; vacation "gone";'; t s@far.test ann@me.test; find $H/ann -type d -printf '%u %m %P\n' | sort; done
rm -rf $H/ann/vac* $H/ann/a; settle; for a in 'keep;' 'require "vacation";' 'require "vacation"; if false {vacation "x";}' 'require "vacation"; stop; vacation "x";' 'require "vacation"; vacation "x"; blah;'; do s "vacation dir of $a" <<<"$a"; done
rm -rf $H/ann/vac*
# Notices.
while IFS= read -r l; do s "notify $l" <<<"require \"enotify\"; $l"; done <<'E'
notify "mailto:bob@me.test";
notify :message "hi there" "mailto:bob@me.test?subject=x&body=y";
notify :from "ann@me.test" :importance "1" :message "m" "mailto:one@far.test,two@far.test";
notify :importance "3" "mailto:bob@me.test?X-Head=1&from=q@r.test&cc=cat@me.test";
notify :options "a=b" "mailto:bob@me.test";
notify "xmpp:x@y";
notify "mailto:";
notify "mailto:bob@me.test?body=a%0Ab%20c";
notify "mailto:bob@me.test?subject=%C3%BC";
notify :message "Ü" "mailto:bob@me.test";
if valid_notify_method "mailto:x@y.test" {notify "mailto:bob@me.test"; discard;}
if valid_notify_method ["mailto:x@y.test","xmpp:a"] {discard;}
if notify_method_capability "mailto:x@y.test" "Online" ["maybe"] {discard;}
notify "mailto:bob@me.test"; discard;
notify "mailto:bob@me.test"; notify "mailto:bob@me.test"; notify "mailto:one@far.test?to=two@far.test";
notify :message text:
E
for h in 'auto-notified; owner-email="x@y.test"' auto-replied no NO 'no (x)' '  no  ' '' 'no\nAuto-Submitted: auto-replied'; do M="From: s@far.test\nTo: ann@me.test\nAuto-Submitted: $h\nSubject: x\n\nb\n"; s "notify auto $h" <<<'require "enotify"; notify "mailto:bob@me.test";'; done; unset M
# Addresses that are not ASCII, for hosts that can't have them and one that can.
settle; sed -i '/forbid_exim_filter/d' /etc/exim4/exim4.conf
n() { echo "##### utf8 $1"; printf "$1" > $H/ann/.sieve; chown ann: $H/ann/.sieve; t s@far.test ann@me.test; }
utf8() { n '# Sieve filter\nrequire "copy"; redirect :copy "ä@far.test"; redirect "q@far.test";\n'; n 'ä@far.test\n'; n '# Exim filter\ndeliver "ä@far.test"\n'; n '# Sieve filter\nredirect "x@fär.test";\n'; }
utf8; sed -i '/hosts_try_fastopen =/a\ utf8_downconvert = 0' /etc/exim4/exim4.conf; utf8; settle; sed -i '/forbid_exim_filter/d' /etc/exim4/exim4.conf
kill $H2; sleep 0.2; rm -f $work/host.2; host 2 show=1 'ehlo=250-host\n250 SMTPUTF8'; utf8
kill $H2; sleep 0.2; rm -f $work/host.2; host 2 show=1; settle
# Bytes of a script.
raw() { echo "##### raw $1"; shift; printf "$@" > $H/ann/.sieve; chown ann: $H/ann/.sieve; t s@far.test ann@me.test; }
raw crlf '# Sieve filter\r\nrequire "fileinto";\r\nfileinto "x";\r\n'
raw crlfmulti '# Sieve filter\r\nrequire "vacation";\r\nvacation text:\r\ngone\r\n..x\r\n.\r\n;\r\n'; rm -rf $H/ann/vacation
raw upper '# SIEVE FILTER\nDISCARD;'
raw tabs '#\tSieve   filter  x\nDiscard ;'
raw nospace '#Sieve filter\ndiscard;'
raw rest '# Sieve filtering\ndiscard;'
raw rest2 '# Sieve filter discard;\nkeep;'
raw blankfirst '\n# Sieve filter\ndiscard;'
raw bom '\xef\xbb\xbf# Sieve filter\ndiscard;'
raw exim '# Exim filter\nseen finish'
raw nul '# Sieve filter\nkeep;\0blah;'
raw noend '# Sieve filter'
raw huge '# Sieve filter\nrequire "fileinto"; if header :contains "subject" "%s" {discard;} else {fileinto "%s";}\n' "$(head -c 100000 /dev/zero | tr '\0' x)" "y"
raw hugename '# Sieve filter\nrequire "fileinto"; fileinto "%s";\n' "$(head -c 300 /dev/zero | tr '\0' x)"
raw hugenum '# Sieve filter\nif size :over 99999999999G {discard;}\n'
raw invalid8 '# Sieve filter\nrequire "fileinto"; fileinto "a\xff";\n'
# Mistakes that are told, or skipped.
for o in 'skip_syntax_errors' 'syntax_errors_to = real-$local_part@$domain' 'skip_syntax_errors\n syntax_errors_to = real-$local_part@$domain\n syntax_errors_text = Your script is wrong.\\nMend it.' 'forbid_sieve_filter' 'forbid_filter_reply' 'forbid_file' 'user = bob' 'one_time' 'sieve_vacation_directory =' 'errors_to = cat@far.test' 'hide_child_in_errmsg' 'no_check_ancestor\n repeat_use = false' 'qualify_preserve_domain' 'forbid_pipe'; do
settle "$o"
for a in 'blah;' 'keep; blah' 'redirect "x@@y";' 'require "vacation"; vacation "x";' 'require ["fileinto","copy"]; fileinto "x"; redirect :copy "nobody@me.test";' 'require "enotify"; notify "mailto:bob@me.test";'; do s "$o: $a" <<<"$a"; rm -rf $H/ann/vacation; done; done
# A notice to oneself, which is no reason for another one.
settle; s "notify oneself" <<<'require "enotify"; notify "mailto:ann@me.test";'
