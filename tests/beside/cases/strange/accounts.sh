# A system filter, filters and scripts of users, and odd accounts. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOK=1
head_ <<'E' | new u7a
# a system filter of policy, users with filters and scripts, accounts of odd kinds
acl_smtp_rcpt = accept verify = recipient
system_filter = /etc/exim4/system.filter
system_filter_user = mail
system_filter_group = mail
system_filter_file_transport = sf
system_filter_pipe_transport = sp
system_filter_reply_transport = sr
system_filter_directory_transport = sd
message_body_newlines
message_body_visible = 200
dsn_from = ${if eq{$sender_address}{}{x}{Mailer <mailer@me.test>}}
delay_warning_condition = ${if match{$h_precedence:}{bulk}{no}{yes}}
allow_utf8_domains
begin routers
sieve:
 driver = redirect
 check_local_user
 local_part_suffix = +* : -*
 local_part_suffix_optional
 condition = ${if exists{$home/.sieve}}
 file = $home/.sieve
 allow_filter
 forbid_exim_filter
 sieve_subaddress = ${sg{$local_part_suffix}{^.}{}}
 sieve_useraddress = $local_part
 sieve_vacation_directory = $home/vac
 file_transport = f
 directory_transport = d
 pipe_transport = p
 reply_transport = r
 no_verify
 headers_add = X-Sieve: ${if def:sieve_x{a}{b}}
fil:
 driver = redirect
 check_local_user
 local_part_suffix = +*
 local_part_suffix_optional
 file = $home/.forward$local_part_suffix
 allow_filter
 allow_freeze
 forbid_sieve_filter
 forbid_filter_run
 forbid_filter_perl
 forbid_filter_readsocket
 forbid_filter_dlfunc
 forbid_filter_lookup = yes
 forbid_filter_readfile
 forbid_include
 file_transport = f
 directory_transport = d
 pipe_transport = p
 reply_transport = r
 no_verify
 ignore_eacces
 ignore_enotdir
 owners = ann : root
 owngroups = mail : ann
 modemask = 022
odd:
 driver = accept
 check_local_user
 local_parts = lsearch;/etc/exim4/locals
 transport = f2
 group = ${if eq{$local_part}{bob}{mail}{users}}
 transport_home_directory = ${if eq{$local_part}{odd2}{/nonexistent}{${if def:home{$home}{/}}}}
 transport_current_directory = /
 condition = ${if exists{$home}{yes}{${if eq{$local_part}{nohome}}}}
 set = r_x = $local_user_uid/$local_user_gid/$home
postfix:
 driver = accept
 domains = me.test
 local_parts = post : x.y : pm : "q q" : sink
 transport = f2
 user = mail
far:
 driver = accept
 domains = ! me.test
 transport = f2
 user = mail
begin transports
f:
 driver = appendfile
 delivery_date_add
 create_file = belowhome
 mode = 0640
 mode_fail_narrower = false
d:
 driver = appendfile
 maildir_format
 create_directory
 maildir_use_size_file = false
f2:
 driver = appendfile
 file = /var/mail/${lookup{$local_part}lsearch{/etc/exim4/locals}{$value}{sink}}
 group = mail
 mode = 0660
 headers_add = X-R: $r_x $home $local_user_uid
p:
 driver = pipe
 return_output
 path = /usr/bin:/bin
 allow_commands = cat : tee : /bin/echo
 restrict_to_path
 message_prefix =
 message_suffix =
r:
 driver = autoreply
sf:
 driver = appendfile
 message_prefix = SF\n
sp:
 driver = pipe
sr:
 driver = autoreply
sd:
 driver = appendfile
 maildir_format
E
put system.filter <<'E'
# Exim filter
if not first_delivery then finish endif
if $h_subject: contains "freezeme" then freeze text "frozen by filter $h_from:" finish endif
if $h_subject: contains "failme" then fail text "<<filter: $h_subject:>>refused because \n of policy" seen finish endif
if $h_subject: contains "deferme" then defer text "later" endif
headers add "X-SF: $recipients_count ${if def:h_x-old:{$h_x-old:}{none}}"
headers remove "X-Old:x-older"
headers charset utf-8
if $h_subject: contains "copy" then
 unseen deliver sink@far.test errors_to pm@me.test
 unseen save /var/mail/all 0600
 unseen pipe "/bin/cat"
 mail to pm@me.test subject "sf: ${escape:$h_subject:}" text "x" 
endif
if $recipients contains "bob" and $h_subject: contains "add" then deliver x.y@me.test endif
if $h_content-type: matches "multipart/(\\w+)" then add 1 to n2 headers add "X-CT: $1 $n2" endif
if foranyaddress $recipients ( $thisaddress matches "^(.*)@far" and ${length_3:$1} is not "" ) then headers add "X-Far: $thisaddress" endif
add ${eval:1+2} to n9
if $n9 is above 2 and $n9 below 4 or not ($message_size is above 100) then headers add "X-N9: $n9" endif
if $h_from: begins "S" then headers add "X-B: 1" elif $h_from: ends "t" then headers add "X-E: 1" else headers add "X-Z: 0" endif
logfile /var/mail/sflog
logwrite "$tod_log filter done $message_id"
E
put locals <<'E'
ann: ann
bob: bob
cat: cat
nohome: nohome
odd1: odd1
odd2: odd2
odd3: odd3
"Big": big
E
{ echo 'nohome:x:5001:5001::/no/such:/bin/sh'; echo 'odd1:x:0:0:root like:/root:/bin/sh'; echo 'odd2:x:5002:99999:No & Group,,,:'$work/home/bob':'; echo 'odd3::5003:5003:::'; echo 'Big:x:5001:5001:B:/tmp:'; echo 'brok:x:abc:5001:B:/tmp:'; echo 'x.y:x:5001:5001:B:'$work/home/ann':'; } >> /etc/passwd
u() { mkdir -p $work/home/$1; cat > $work/home/$1/$2; chown $1: $work/home/$1/$2; }
u ann .sieve <<'E'
require ["envelope","fileinto","copy","vacation","subaddress","comparator-i;ascii-numeric","encoded-character","enotify","variables"];
E
u ann .sieve <<'E'
require ["envelope","fileinto","copy","vacation","subaddress","comparator-i;ascii-numeric","encoded-character","reject"];
if envelope :detail "to" "lists" { fileinto :copy "lists"; }
if envelope :all :is "from" "s@far.test" { fileinto "far"; stop; }
elsif envelope :domain :matches "from" "*.far.*" { redirect :copy "sink@far.test"; }
if header :value "x" "x" {}
E
u ann .sieve <<'E'
require ["envelope","fileinto","copy","vacation","subaddress","comparator-i;ascii-numeric","encoded-character","reject"];
if envelope :detail "to" "lists" { fileinto :copy "lists"; }
if envelope :user :is "to" "ann" { keep; }
if anyof (header :comparator "i;ascii-numeric" :is "X-Num" "10", size :over 1K, not exists ["From","Date"]) { fileinto "num"; stop; }
if allof (address :localpart :matches ["From","To"] ["s*","?nn"], header :contains "subject" "${hex:76 61}c") { vacation :days 3 :subject "Away ${hex:21}" :addresses ["ann@me.test","ann+x@me.test"] :mime text:
Content-Type: text/plain

..dot
text
.
; }
elsif header :matches "Subject" ["*rej?ct*"] { reject "no\nthanks"; }
elsif header :is :comparator "i;octet" "Subject" "disc" { discard; }
elsif address :all :contains ["to","cc"] "undisclosed" { redirect "sink@far.test"; keep; }
else { fileinto :copy "/var/mail/abs"; }
E
u bob .forward <<'E'
# Exim filter
if error_message then save $home/errors finish endif
if $local_part_suffix is not "" then save $home/mail$local_part_suffix finish endif
if $h_subject: contains "pipe" then pipe "cat -n" pipe "/bin/ls" unseen pipe "tee $home/t" endif
if $h_subject: contains "multi" then deliver ann@me.test deliver "sink@far.test" noerror save $home/dir/ finish endif
if $h_subject: contains "freeze" then freeze "no" endif
if personal alias bob@x.test and not ($h_auto-submitted: contains "auto") then vacation endif
if $message_body: contains "\n" then unseen save $home/nl endif
if $n9 is 3 then testprint x unseen save $home/n9 endif
if $h_subject: matches_ "^C(A)t" then unseen save $home/case-$1 endif
E
u bob .forward+l <<'E'
ann@me.test, "|cat", /var/mail/bobl, :fail: no
E
u cat .forward <<'E'
\cat, ann@me.test, :include:/etc/exim4/locals
E
for i in ann bob; do $exim -bf $work/home/$i/.forward < /dev/null 2>&1; done
printf 'From s@far.test Thu Nov 26 12:00:00 2026\nFrom: s@far.test\nTo: bob@me.test\nSubject: multi pipe CAt copy add\n\nx\ny\n' > $work/bfm
for f in $work/home/bob/.forward $work/home/ann/.sieve $E/system.filter; do for o in '' '-f <>' '-bfl x.y' '-bfp p- -bfs +z -bfd d.test'; do as 5002 $exim $o -bf $f < $work/bfm 2>&1; x $o -bF $f < $work/bfm 2>&1; done; done
ADDRS='ann@me.test ann+lists@me.test ann-x@me.test bob@me.test bob+l@me.test bob+zz@me.test cat@me.test nohome@me.test odd1@me.test odd2@me.test odd3@me.test Big@me.test big@me.test brok@me.test x.y@me.test post@me.test sink@far.test root@me.test daemon@me.test'
for s in 'vac multi' reject disc 'pipe x' 'freezeme' 'failme y' 'deferme' 'copy add CAt' 'freeze' 'lookup'; do for f in s@far.test s@x.far.test '<>'; do printf 'From: %s\nTo: bob@me.test, ann@me.test\nSubject: %s\nX-Num: %s\nX-Old: o\nX-Older: p\nContent-Type: multipart/mixed\nDate: Thu, 26 Nov 2026 12:00:00 +0000\n\nbody\nlines\n' "${f/<>/n@far.test}" "$s" $((10 + ${#s} % 2)) | $exim -odi -oi -f "$f" ann@me.test ann+lists@me.test bob@me.test bob+l@me.test bob+zz@me.test cat@me.test odd2@me.test nohome@me.test 2>&1; done; after "$s"; for f in $(find $work/home -newer $work/bfm -type f | sort); do echo "== $f $(stat -c '%U %a' $f)" | sed 's/[0-9]\{6,\}[.A-Za-z0-9_-]*/N/g'; case $f in *.forward*|*.sieve|*once*|*vac/*) ;; *) cat $f; rm $f;; esac; done; done
HEADER='X-Num: 10'; quick
