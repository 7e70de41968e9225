# Local transports: mailboxes of every kind, commands, LMTP, automatic answers; odd options, messages and permissions.
site() { local options=${2//'~'/$'\n' }; conf <<C
qualify_domain = me.test
begin routers
back:
 driver = accept
 condition = \${if or{{eq{\$sender_address}{}}{eq{\$local_part}{sender}}}}
 transport = back
list:
 driver = redirect
 condition = \${if exists{/etc/exim4/list}}
 data = \${lookup{\$local_part}lsearch{/etc/exim4/list}}
 file_transport = t
 directory_transport = t
 pipe_transport = t
 user = ann
l:
 driver = accept
 transport = t
 local_part_suffix = +*
 local_part_suffix_optional
begin transports
back:
 driver = appendfile
 file = /var/mail/back
 user = mail
u:
 driver = pipe
 command = /bin/cat
shadow:
 driver = appendfile
 file = /var/mail/shadow
 user = bob
t:
 driver = $1
 $options
begin retry
* * F,1h,1h
C
}
# What differs in names and lines of mailboxes from delivery to delivery.
same() { sed -E 's/^[0-9a-f]{16}\^M/UID^M/; s/[0-9]{9,}[.A-Za-z0-9_-]*/N/g; s/q?1[x-z][0-9A-Za-z]{4}(-[0-9A-Za-z]+)+/N/g; s/^(\*mbx\*)?[ 0-3][0-9]-[A-Z][a-z]{2}-20.. ..:..:.. .[0-9]{4},/MBX,/; s/temp\.[0-9]+/temp.N/; s/\.[MH][0-9]+P[0-9]+/.M/g'; }
tree() { (cd /var/mail; find . -mindepth 1 -printf '%p %y %M %u:%g %l\n' | same | sort; find . -type f | sort | while read -r one; do echo "== $one" | same; cut -c1-300 "$one" | cat -A | same; done); }
res() { logs | same; tree; spool | same; ids | xargs -r $exim -Mrm > /dev/null 2>&1; rm -rf $S/db/* $S/msglog/* /var/mail/* /var/mail/.??*; [ -e $LOG/mainlog ] && : > $LOG/mainlog; true; }
# A delivery: p DRIVER OPTIONS RECIPIENT..., options with ~ between them; w does something before.
p() { local d=$1 o=$2; shift 2; echo "##### $d: $o"; site "$d" "$o"; send sender@me.test "${@:-x@me.test}" 2>&1; res; }
B=/var/mail/b
w() { eval "$1"; echo "##### $1"; p appendfile "user = ann~$2" "${@:3}"; }
own() { chown "${2:-ann:ann}" $1; }
echo '##### where mailboxes are, and may be made'
for o in '' "file = $B" 'directory = /var/mail/d' 'directory = /var/mail/d~maildir_format' "file = $B~mbx_format" 'file = rel' 'file = ${bad' "file = $B/" 'file = /dev/null' 'file = /var/mail/n/m/x~directory_mode = 711' 'file = /var/mail/n/x~no_create_directory' "file = $B~file_must_exist" "file = $B~mode = 0" "file = $B~mode = 4755"; do p appendfile "user = ann~$o" x@me.test y@me.test; done
for c in anywhere inhome belowhome /var/mail/ '' rel /nowhere; do for at in $B /var/mail/../mail/b; do p appendfile "user = ann~file = $at~create_file = $c~home_directory = /var/mail"; done; done
for a in ../x@me.test a/b@me.test '".."@me.test' "'q@me.test" '"|x"@me.test'; do p appendfile 'user = ann~file = /var/mail/$local_part' "$a"; p appendfile 'user = ann~directory = /var/mail/$local_part~create_file = /var/mail' "$a"; done
echo '##### links, fifos, owners, modes'
for o in '' '~allow_symlink' '~allow_fifo'; do
 w "touch $B.t; own $B.t; ln -s $B.t $B; chown -h ann:ann $B" "file = $B$o"
 w "touch $B.t; own $B.t; ln $B.t $B" "file = $B$o"; w "mkfifo $B; own $B" "file = $B$o"; w "mkdir $B" "file = $B$o"; done
for m in 400 600 666 4600; do for o in '' '~mode = 0660' '~no_mode_fail_narrower' '~mode = 0400'; do w "touch $B; chmod $m $B; own $B" "file = $B$o"; done; done
for u in ann:bob bob:ann bob:bob; do for o in '' '~no_check_owner' '~check_group'; do w "touch $B; own $B $u; chmod 666 $B" "file = $B$o"; done; done
echo '##### locks and formats'
L='lock_interval = 1s~lock_retries = 1'
for o in '' '~no_use_lockfile' '~use_mbx_lock' '~no_use_lockfile~no_use_fcntl_lock' '~lockfile_timeout = 0s'; do w "touch $B.lock" "file = $B~$L$o"; done
for f in 'From : t' 'X : t' 'From' '' 'From : nosuch' 'From : u' '* : t'; do w "printf 'From x' > $B; own $B; chmod 600 $B" "file = $B~file_format = $f"; done
echo '##### quotas'
box() { printf '%0300d' 1 > $B; chmod 600 $B; own $B; }
dirs() { mkdir -p $B/{new,cur,tmp,.sub/new,.sub/cur,.sub/tmp}; for d in new cur .sub/new; do printf '%0200d' 1 > $B/$d/1234.x,S=150; done; touch $B/.sub/maildirfolder; chown -R ann:ann $B; }
for q in 100 700 0 1K 1x -1 '' '50%' '${bad'; do w box "file = $B~quota = $q"; w dirs "directory = $B~maildir_format~quota = $q"; done
for o in 'quota_filecount = 3' 'quota_size_regex = ,S=(\d+)' 'quota_directory = rel' 'quota_directory = ${bad' 'quota_directory = /nowhere' 'mailbox_size = 10' 'mailbox_size = -1' 'mailbox_size =' 'maildir_use_size_file' 'maildir_tag = ,S=$message_size' 'maildir_tag = a/b' 'maildirfolder_create_regex =' 'maildirfolder_create_regex = ('; do w dirs "directory = $B~maildir_format~quota = 700~$o"; done
for s in '1000S\n500 2\n' '1000S,0C\n500 2\n' '1000S\n900 2\n' 'rubbish\n' '1000S\n 500 2 \n' '1000S\r\n500 2\r\n'; do w "dirs; printf '$s' > $B/maildirsize; own $B/maildirsize" "directory = $B~maildir_format~maildir_use_size_file~quota = 1000"; done
w dirs "directory = $B~maildir_format~maildir_use_size_file~quota = 900~quota_filecount = 2"
w dirs "directory = $B~maildir_format~maildir_use_size_file~quota = 0~quota_filecount = 5"
for t in 0 x '' '101%' '${bad'; do w box "file = $B~quota = 800~quota_warn_threshold = $t"; done
echo '##### odd messages'
H='From: a@me.test\nTo: x@y.test\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <m@m.test>\n'
raw() { printf "$H$1" | $exim -oi -odf -f sender@me.test x@me.test y+s@me.test 2>&1; res; }
for o in "file = $B" "file = $B~use_crlf" "file = $B~use_bsmtp~batch_max = 5" "file = $B~mbx_format" "file = $B~check_string = From~escape_string =" "file = $B~body_only" "file = $B~headers_only" "file = $B~message_prefix = x~message_suffix = y" "directory = $B~mailstore_format~batch_max = 5" "directory = $B~mailstore_format~mailstore_prefix =" "directory = $B~mailstore_format~mailstore_suffix = \${bad" "file = $B~transport_filter = /bin/cat"; do site appendfile "user = ann~$o"
 for b in '\nFrom x\n>From y\n.\n..\n' '' '\nno end' '\na\0b\nFrom \0\n' '\na\r\nFrom b\rc\n' "X: $(printf '%03000d' 7)\n\n\303\251\377\n"; do echo "##### $o"; raw "$b"; done; done
echo '##### commands'
# A command with an end of its own, for a shell: "$$" is for the shell, not for Exim.
c() { p pipe "user = ann~command = /bin/sh -c \"cat >/dev/null; $1\"~timeout = 1s$2" "${@:3}"; }
for e in 'echo out; exit 0' 'echo out; exit 1' 'echo out; exit 75' 'exit 127' 'exit 70' 'kill -9 \$\$'; do for o in '' '~return_output' '~return_fail_output' '~log_output' '~log_defer_output' '~ignore_status' '~temp_errors = *' '~freeze_signal' '~freeze_signal~ignore_status' '~freeze_exec_fail'; do c "$e" "$o"; done; done
for o in '' '~return_output' '~log_output' '~timeout_defer' '~timeout_defer~return_output'; do c 'echo out; sleep 2; echo x' "$o"; done
for l in /bin/cat nosuch /etc/passwd '' '"/bin/echo" "a b"' "/bin/echo 'x" '/bin/echo "\n\101\\"' '/bin/echo $local_part' '/bin/echo $pipe_addresses' '/bin/echo x$pipe_addresses' '/bin/echo ${if eq{a}{b}{x}}y' '/bin/echo ${bad' '/bin/echo a"b c"d' '/bin/sh -c "id; env | sort; pwd; umask"'; do p pipe "user = ann~return_output~command = $l" x@me.test '"a b"@me.test'; done
for o in 'batch_max = 5' 'batch_max = 5~batch_id = $domain' 'batch_max = 5~use_bsmtp~use_crlf' 'batch_max = 5~envelope_to_add' 'use_shell~command = /bin/echo $pipe_addresses' 'check_string = b~escape_string =' 'umask = 077' 'path = ${bad' 'environment = A=b:PATH=/x' 'current_directory = /nowhere' 'home_directory = /usr' 'group = mail' 'user = root' 'pipe_as_creator' 'use_classresources'; do p pipe "$(case $o in user*|pipe_as*) ;; *) echo user = ann;; esac)~$(case $o in *command*) ;; *) echo command = /bin/sh -c '"id; pwd; umask; cat"';; esac)~return_output~$o" x@me.test y+s@you.test; done
echo '##### what addresses name'
named() { printf 'x: %s\n' "$3" > /etc/exim4/list; p "$1" "$2"; rm /etc/exim4/list; }
for o in '' 'allow_commands = /bin/echo:cat' 'allow_commands =' 'restrict_to_path' 'use_shell' 'force_command' 'command = /bin/echo forced' 'command = /bin/echo forced $address_pipe~force_command'; do for a in '|/bin/echo a  b' '|echo x' '|../bin/echo x' '|' '|nosuch'; do named pipe "return_output~$o" "$a"; done; done
for o in '' 'create_file = belowhome~home_directory = /var/mail/h' 'file = /var/mail/F' 'directory = /var/mail/D' 'file = $address_file' maildir_format; do for a in /var/mail/f /var/mail/d/ '"/var/mail/a b"' /var/mail/h/../x /var/mail/d//; do named appendfile "$o" "$a"; done; done
echo '##### what every transport has'
for o in 'headers_add = X: a' 'headers_add = <; X: 1; Y: 2' 'headers_add = "X: $h_subject:\n\n"' 'headers_remove = subject:x*' 'headers_rewrite = *@me.test $1@z.test f' 'return_path = new@x~return_path_add' 'return_path = ${bad' 'delivery_date_add~envelope_to_add~return_path_add' 'message_size_limit = 100' 'message_size_limit = -1' 'message_size_limit = ${if eq{a}{b}{1}fail}' 'message_size_limit =' disable_logging 'transport_filter = /bin/false' 'transport_filter = /no/such' 'transport_filter = $local_part' 'transport_filter = /bin/sleep 2~transport_filter_timeout = 1s' 'shadow_transport = shadow' 'shadow_transport = nosuch' 'shadow_transport =' 'shadow_transport = shadow~shadow_condition =' 'shadow_transport = shadow~shadow_condition = ${bad'; do p appendfile "user = ann~file = $B~$o" x@me.test y+s@me.test; done
for o in 'transport_filter = /bin/false' 'transport_filter = /bin/sleep 2~transport_filter_timeout = 1s' 'transport_filter = /bin/sleep 2~transport_filter_timeout = 1s~timeout_defer'; do p pipe "user = ann~command = /bin/cat~return_output~$o"; done
echo '##### answers'
mkdir -p /etc/exim4/w; chmod 755 /etc/exim4; chmod 777 /etc/exim4/w; printf 'Hello $sender_address\n' > /etc/exim4/f
for o in '' 'text = "a\nb"' 'text = ${bad' 'subject = S $h_subject:' 'subject = "a\nb"' 'from = bad' 'reply_to = r@x' 'to = rubbish' 'headers = "X: a\nY: b"' 'file = /etc/exim4/f' 'file = /etc/exim4/f~file_expand' 'file = /etc/exim4/none' 'file = /etc/exim4/none~file_optional' 'file = /etc/exim4' 'file =' return_message 'return_message~body_only' 'log = /nowhere/l' 'never_mail = *' 'once = /nowhere/o' 'once = /etc/exim4/w/o~once_repeat =' 'once = /etc/exim4/w/p~once_repeat = 1d'; do case $o in to*) t=;; *) t=to\ =\ sender@me.test;; esac; p autoreply "user = ann~$t~$o"; done
p autoreply 'user = ann~to = sender@me.test~once = /etc/exim4/w/p~once_repeat = 1d'
echo '##### LMTP'
# A server that says what it is told for greeting, lhlo, mail, rcpt, data, and in the end.
cat > /etc/exim4/l <<'P'
import sys
A=dict(x.split('=',1) for x in sys.argv[1:]); n=0; ends=0
def say(t): sys.stdout.write(t.replace('|','\r\n')+'\r\n'); sys.stdout.flush()
say(A.get('conn','220 l'))
while True:
    q=sys.stdin.buffer.readline().decode('utf-8','replace')
    if not q: break
    k=q.strip().split(' ')[0].lower().split(':')[0]
    a=A.get(k,'354 go' if k=='data' else '250 ok')
    if k=='rcpt': a=A.get('rcpt%d'%ends,a); ends+=1; n+=a[0]=='2'
    if a=='-': break
    say(a)
    if k=='quit': break
    if k=='data' and a[0]=='3':
        while sys.stdin.buffer.readline() not in (b'.\r\n',b''): pass
        for i in range(n): say(A.get('end%d'%i,A.get('end','250 taken %d'%i)))
P
for a in '' 'conn=-' '"conn=421 no"' '"lhlo=500 what"' '"mail=451 x"' '"mail=550 x"' '"rcpt=550 y"' '"rcpt0=450 y"' '"rcpt1=550 y"' '"data=451 z"' '"data=550 z"' '"end=550 e"' '"end0=450 e"' '"end1=550-a|550 b"' 'rcpt=- ' 'data=- ' '"lhlo=250-l|250-SIZE|250 IGNOREQUOTA"'; do for o in 'batch_max = 1' 'batch_max = 9~ignore_quota'; do p lmtp "user = ann~timeout = 2s~command = /usr/bin/python3 /etc/exim4/l $a~$o" x@me.test y+s@me.test; done; done
for o in '' 'socket = /nowhere' 'socket = ${bad' 'command = /bin/false' 'command = /nosuch' 'command =' 'command = /bin/sleep 2~timeout = 1s'; do p lmtp "user = ann~$o"; done
