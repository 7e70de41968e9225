# Local deliveries at length: whose they are, where they run, mailboxes, quotas, commands, answers.
# A site: site MAIN ROUTER DRIVER TRANSPORT, options with ~ between them.
site() { local m=${1//'~'/$'\n'} r=${2//'~'/$'\n' } t=${4//'~'/$'\n' }; conf <<C
qualify_domain = me.test
$m
begin routers
back:
 driver = accept
 condition = \${if or{{eq{\$sender_address}{}}{eq{\$local_part}{sender}}}}
 transport = back
r:
 $r
begin transports
back:
 driver = appendfile
 file = /var/mail/back
 user = mail
other:
 driver = appendfile
 file = /var/mail/other
 user = bob
t:
 driver = $3
 $t
begin retry
* quota F,1h,1h
* * F,2h,1h
C
}
same() { sed -E 's/^[0-9a-f]{16}\^M/UID^M/; s/[0-9]{9,}[.A-Za-z0-9_-]*/N/g; s/q?1[x-z][0-9A-Za-z]{4}(-[0-9A-Za-z]+)+/N/g; s/^(\*mbx\*)?[ 0-3][0-9]-[A-Z][a-z]{2}-20.. ..:..:.. .[0-9]{4},/MBX,/; s/temp\.[0-9]+/temp.N/; s/\.[MH][0-9]+P[0-9]+/.M/g'; }
tree() { (cd /var/mail; find . -mindepth 1 -printf '%p %y %M %u:%g %l\n' | same | sort; find . -type f | sort | while read -r one; do echo "== $one" | same; cut -c1-300 "$one" | cat -A | same; done); }
res() { logs | same; tree; spool | same; ids | xargs -r $exim -Mrm > /dev/null 2>&1; rm -rf $S/db/* $S/msglog/* /var/mail/* /var/mail/.??*; [ -e $LOG/mainlog ] && : > $LOG/mainlog; true; }
# A delivery: d MAIN ROUTER DRIVER TRANSPORT RECIPIENT...
d() { echo "##### $1 | $2 | $3: $4"; site "$1" "$2" "$3" "$4"; shift 4; send sender@me.test "${@:-ann@me.test}" 2>&1; res; }
own() { chown "${2:-ann:ann}" "$1"; }
A='driver = accept~transport = t'
P='return_output~command = /bin/sh -c "cat > /dev/null; id; pwd; umask; env | sort | grep -v ^_=; echo $home"'
echo '##### users and groups'
for u in ann 5001 bob '' 'nosuch' 'root' 0 '${bad' '$local_part' '${lookup{$local_part}lsearch{/etc/passwd}{ann}fail}' mail 'ann ' 'ann:bob' '5001:5002' 65534 4294967295 4294967294 2147483648; do
 d '' "$A~user = $u" pipe "$P"; d '' "$A" pipe "$P~user = $u"; d '' "$A~user = bob~group = mail" pipe "$P~user = $u"; done
for g in ann 5001 bob '' nosuch root 0 '${bad' '${if eq{a}{b}{x}fail}' '$local_part' mail 65534; do
 d '' "$A~user = ann~group = $g" pipe "$P"; d '' "$A~user = 5099~group = $g" pipe "$P"; d '' "$A~user = bob" pipe "$P~group = $g";  d '' "$A~group = $g" pipe "$P"; d '' "$A~check_local_user" pipe "$P~group = $g"; d '' "$A" pipe "$P~group = $g"; d '' "$A" pipe "$P~user = 5099~group = $g"; done
echo '##### where they run'
for r in '' '~router_home_directory = /r/$local_part' '~transport_home_directory = /usr' '~transport_current_directory = /bin' '~transport_home_directory =' '~transport_home_directory = rel' '~transport_home_directory = ${bad' '~transport_home_directory = $home/x' '~router_home_directory = /usr~transport_home_directory = $home/bin~transport_current_directory = $home'; do
 for t in '' '~home_directory = /usr/lib' '~current_directory = /var' '~current_directory = ${if eq{a}{b}{x}fail}' '~home_directory = $home/..'; do d '' "$A~check_local_user$r" pipe "$P$t"; done; done
echo '##### what addresses see'
V='[$local_part|$domain|$local_part_data|$domain_data|$local_part_prefix|$local_part_prefix_v|$local_part_suffix|$local_part_suffix_v|$original_local_part|$original_domain|$parent_local_part|$parent_domain|$address_data|$address_file|$address_pipe|$home|$self_hostname|$r_x|$sender_address|$return_path|$host|$local_user_uid|$local_user_gid|$router_name|$transport_name]'
# Routers and transports of its own; text after the words.
own_site() { conf <<C
qualify_domain = me.test
domainlist here = me.test : you.test
localpartlist people = ann : bob : cat
begin routers
back:
 driver = accept
 condition = \${if or{{eq{\$sender_address}{}}{eq{\$local_part}{sender}}}}
 transport = back
$1
begin transports
back:
 driver = appendfile
 file = /var/mail/back
 user = mail
box:
 driver = appendfile
 file = /var/mail/box
 user = \${if eq{\$local_part}{bob}{bob}{ann}}
 body_only
 message_suffix = \$transport_name \$router_name\n
 message_prefix = "file $V\n"
 no_check_owner
 mode = 0666
dir:
 driver = appendfile
 user = ann
 maildir_format
 headers_only
 message_prefix =
 headers_add = X: $V
pipe:
 driver = pipe
 user = ann
 return_output
 message_prefix = pipe $V
 headers_only
cat:
 driver = pipe
 user = ann
 command = /bin/cat
 return_output
 body_only
 message_prefix = pipe $V
auto:
 driver = autoreply
 user = ann
 to = sender@me.test
 from = a@me.test
 subject = auto
 text = $V
C
}
o() { echo "##### $1"; own_site "$1"; shift; send sender@me.test "$@" 2>&1; res; }
AD='address_data = A:$local_part:$address_data
 set = r_x = X$local_part$r_x'
L="acc:
 driver = accept
 domains = +here
 local_parts = +people
 local_part_prefix = p-* : *-q-
 local_part_prefix_optional
 local_part_suffix = +* : -s
 local_part_suffix_optional
 $AD"
for t in box dir pipe cat auto; do for e in '' unseen check_local_user 'unseen
 check_local_user' 'router_home_directory = /tmp/$local_part_data' 'transport_home_directory = /tmp/$local_part' caseful_local_part; do
 [ "$t $e" = "pipe check" ] && continue
 T=$t; [ $t = dir ] && T=box; o "$L
 $e
 transport = $T
rest:
 driver = accept
 set = r_x = R\$r_x
 address_data = second \$address_data
 transport = cat" ann@me.test p-BOB+x@you.test a-q-cat-s@Me.Test; done; done
for dat in 'ann, bob@you.test' '/var/mail/f' '"/var/mail/d d/", ann' '|/bin/cat' '"|/bin/echo $local_part $home"' 'p-cat+y, /var/mail/f, |/bin/cat' ':include:/etc/exim4/inc' 'x, /var/mail/f' '\\ann, >/x'; do echo 'bob, /var/mail/g' > /etc/exim4/inc; for e in '' unseen 'user = bob' 'check_local_user' 'set = r_x = Q' 'home_directory = /var' 'router_home_directory = /r' 'hide_child_in_errmsg' 'check_ancestor' 'repeat_use = false' 'one_time' 'qualify_preserve_domain'; do
 o "first:
 driver = redirect
 local_parts = x : ann : p-ann
 local_part_prefix = p-*
 local_part_prefix_optional
 local_part_suffix = +*
 local_part_suffix_optional
 address_data = F:\$local_part:\$address_data
 data = ${dat}
 file_transport = box
 directory_transport = dir
 pipe_transport = cat
 $e
$L
 transport = cat" x+1@me.test p-x@you.test ann@me.test 'X@me.test'; done; done
echo '##### mailboxes'
B=/var/mail/b
# f OPTIONS RECIPIENT...: to a mailbox as ann; w WHAT OPTIONS: after something was done.
f() { d '' "$A" appendfile "user = ann~$1" "${@:2}"; }
w() { eval "$1"; echo "##### $1"; f "${@:2}"; }
for m in 0600 600 0 77777 4600 02660 x; do f "file = $B~mode = $m"; f "file = $B~lockfile_mode = $m"; done
for m in 440 600 660 4600; do for o in 0400 0600 0660; do w "touch $B; own $B; chmod $m $B" "file = $B~mode = $o"; w "touch $B; own $B; chmod $m $B" "file = $B~mode = $o~no_mode_fail_narrower"; done; done
for k in 'mkdir B' 'mkfifo B; own B; chmod 600 B' 'mknod B c 1 3; own B; chmod 600 B' 'mknod B b 7 9; own B; chmod 600 B' 'ln -s /dev/null B' 'ln -s /nowhere/x B; chown -h ann B' 'ln -s B B' 'touch /var/mail/e; own /var/mail/e; ln -s e B' 'mkdir /var/mail/e; chown ann /var/mail/e; ln -s e B' 'touch B' 'touch B; chmod 666 B' 'touch B; own B bob:bob; chmod 666 B' 'touch B; own B bob:ann; chmod 660 B' 'touch B; own B; ln B /var/mail/e' 'python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"/var/mail/b\")"; own B' 'mkdir B.lock' 'ln -s /nowhere B.lock' 'touch B.lock; own B.lock bob' 'touch -d "1 hour ago" B.lock; own B.lock'  'touch -d "1 hour ago" B.lock' ; do
 for o in '' '~allow_symlink' '~allow_symlink~no_check_owner' '~no_use_lockfile' '~use_mbx_lock' '~lockfile_timeout = 10s' '~create_file = belowhome' '~no_use_fcntl_lock~use_flock_lock' '~create_file = inhome~home_directory = /var/mail' '~file_must_exist'; do
 w "${k//B/$B}" "file = $B$o~lock_retries = 1~lock_interval = 1s"; done; 
 for o in '' '~maildir_format~maildir_retries = 1' '~mailstore_format'; do w "${k//B/$B}" "directory = $B$o~lock_retries = 1~lock_interval = 1s"; done; done
echo '##### quotas'
dirs() { mkdir -p $B/{new,cur,tmp,.sub/new,.sub/cur,.sub/tmp}; for d in new cur .sub/new; do printf '%0200d' 1 > $B/$d/1234.x,S=150; done; touch $B/.sub/maildirfolder; chown -R ann:ann $B; }
big() { printf '%0300d' 1 > $B; chmod 600 $B; own $B; }
for q in 1 299 467 700 1K 1k 0.5K 1M 1G 4G 5000000000 -1K '10 K' 1KB 0K '' '${if eq{a}{b}{1}fail}' '0/no_check' '100/no_check' '700/no_check' '100/ no_check' '700/x' '600/hard'; do w big "file = $B~quota = $q"; done
for q in 400 700 '700/no_check' '400/no_check'; do for o in '' '~no_quota_is_inclusive' '~quota_filecount = 3' '~quota_filecount = 4/no_check' '~quota_size_regex = ,S=(\d+)$' '~quota_size_regex = ,S=(x)' '~quota_size_regex = x' '~maildir_quota_directory_regex = ^cur$' '~maildir_use_size_file' '~quota_directory = /var/mail' '~maildir_tag = ,S=$message_size' '~mailbox_size = 100' '~mailbox_filecount = 9~quota_filecount = 10' '~mailbox_filecount = x~quota_filecount = 10' '~mailbox_size = 1K' '~quota_filecount = 1K' '~quota_filecount = -1' '~quota_filecount =' '~quota_filecount = ${bad'; do w dirs "directory = $B~maildir_format~quota = $q$o"; done; done
for t in 10 50% 100% 99 '0%' '50%x' 1K -5 '600' '200' 101% ' 50 %'; do w big "file = $B~quota = 700~quota_warn_threshold = $t";  w dirs "directory = $B~maildir_format~quota = 700~quota_warn_threshold = $t"; done
for m in 'To: $local_part\nSubject: x\n\nhi\n' 'no header' '' 'To: bob\n\nq' 'To: nosuch@\n\nx' '${bad' 'To: sender@me.test\nFrom: me@x\n\nx\n'; do w big "file = $B~quota = 700~quota_warn_threshold = 50%~quota_warn_message = \"$m\""; done
for o in '' '~quota_warn_threshold = 400' '~quota_warn_threshold = 50%'; do w big "file = $B~quota_warn_message = hi$o"; done
w big "file = $B~quota = 1x"; w big "file = $B~quota_filecount = 2~quota = 600"; w big "file = $B~mailbox_size = 600~quota = 700"; w big "file = $B~mailbox_size = 100~quota = 300";w big "file = $B~mbx_format~quota = 300"
for q in 300 700; do w 'mkdir -p /var/mail/b; printf %0300d 1 > /var/mail/b/q1; own /var/mail/b' "directory = $B~quota = $q"; w 'mkdir -p /var/mail/b; printf %0300d 1 > /var/mail/b/x.msg; own /var/mail/b' "directory = $B~quota = $q~mailstore_format"; done
echo '##### commands'
# A command of a shell; "$$" is for the shell.
c() { d '' "$A" pipe "user = ann~command = /bin/sh -c \"$1\"~timeout = 2s$2" "${@:3}"; }
for e in 'exec 0<&-; echo out; exit 0' 'exec 0<&-; sleep 0.3; exit 1' 'cat >/dev/null; (sleep 1; echo late) & echo now; exit 0' 'cat > /dev/null; kill -15 \$\$' 'kill -13 \$\$' 'echo e >&2; exit 73' 'exit 126' 'exit 255' 'printf x; exit 1' 'printf \"a\rb\n\n\nc\"; exit 70' 'printf \"\"; exit 69'; do for o in '' '~max_output = 100' '~max_output = 1K~return_output' '~return_output' '~return_fail_output' '~log_output' '~log_fail_output' '~log_defer_output~temp_errors = *' '~ignore_status~return_output' '~freeze_signal' '~freeze_exec_fail' '~temp_errors = 1:73:255' '~temp_errors =' '~temp_errors = 0:1' '~return_output~return_fail_output~log_output'; do case $o in '~return_output~return_fail'*) continue;; esac; c "$e" "$o"; done; done
for o in '~path = /bin:$home' '~path =' '~path = ${if eq{a}{b}{x}fail}' '~umask = 0777' '~umask = 9' '~umask = 022x' '~environment = A=1:B=${local_part}:HOME=/x:MESSAGE_ID=q' '~environment = noequals' '~environment =' '~environment = ${bad' '~environment = A=a\:\:b : =x' '~message_prefix = x~message_suffix = $domain' '~use_bsmtp' '~use_bsmtp~use_crlf~message_prefix = HELO x\n' '~escape_string = \\~check_string = b' '~delivery_date_add~envelope_to_add~return_path_add' '~home_directory = /usr~current_directory = $home' '~max_output = 0~return_output' '~max_output = -1~return_output' '~timeout = 0s~return_output' '~temp_errors = a' '~temp_errors = -1' '~temp_errors = 75 :76' '~temp_errors = *:1' '~batch_max = 0' '~batch_max = -1'; do c 'env | sort | grep -v ^_=; umask; ulimit -c; pwd; cat; exit 1' "~return_output$o" ann@me.test bob@me.test; done
for b in '' '~batch_id = $domain' '~batch_id = x' '~batch_id =' '~batch_id = ${if eq{$local_part}{ann}{x}fail}' '~batch_id = ${bad'; do for o in '' '~use_bsmtp' '~envelope_to_add~headers_add = X: $local_part $recipients $domain' '~message_prefix = $local_part $domain $local_part_suffix\n' '~user = $local_part'; do for t in "pipe|command = /bin/cat~return_output" "appendfile|file = /var/mail/box~no_check_owner~mode = 666" 'appendfile|directory = /var/mail/dir~create_directory' 'appendfile|file = /var/mail/$local_part' 'appendfile|file = /var/mail/$domain'; do
 u='user = ann~'; case $o in *user*) u=;; esac; d '' "$A~local_part_suffix = +*~local_part_suffix_optional" "${t%%|*}" "$u${t#*|}~batch_max = 3$b$o" ann@me.test bob+1@me.test ann+x@me.test cat@you.test; done; done; done
for c in /bin/true '/bin/sh -c "kill -9 $$"' /etc/passwd /nosuch/x /usr '/bin/sh' nosuch '${if eq{a}{b}{x}}' '/bin/echo "a' "/bin/echo 'a\\nb'" '/bin/echo ${quote:a b}' '"/bin/echo" x' '$local_part' '/bin/echo  a   b'; do for o in '' '~freeze_exec_fail' '~timeout_defer' '~use_shell' '~ignore_status' '~temp_errors = *' '~path = /usr/bin'; do d '' "$A" pipe "user = ann~return_output~command = $c$o"; done; done
echo '##### answers'
mkdir -p /etc/exim4/w; chmod 755 /etc/exim4; chmod 777 /etc/exim4/w; printf 'Hello $sender_address\n' > /etc/exim4/f
g() { d '' "$A" autoreply "user = ann~to = sender@me.test~from = me@me.test~subject = s~$1"; }
for o in 'once = /etc/exim4/w/a' 'once = /etc/exim4/w/a~once_repeat = 1d' 'once = /etc/exim4/w/b~once_file_size = 40' 'once = /etc/exim4/w/b~once_file_size = 40~once_repeat = 1h' 'once = /etc/exim4/w/c~mode = 0644' 'log = /etc/exim4/w/l~mode = 0640' 'once = rel' 'log = rel' 'file = rel' 'file = /etc/exim4/f~text = both' 'file = /etc/exim4/f~file_expand~return_message' 'file = /etc/exim4/no~file_optional~text = t' 'never_mail = sender@*' 'never_mail = other' 'never_mail = ${bad' 'headers = X: 1' 'headers = "X: a\n b\nReply-To: q@me.test"' 'headers = nocolon' 'cc = bob@me.test~bcc = cat@me.test' 'bcc = cat@me.test~to =' 'once = /etc/exim4/w/d~once_repeat = 1x' 'once = /etc/exim4/w/d~once_repeat = ${bad' 'return_message~headers_only' 'text = "$home $local_part_data\n"' 'reply_to = a@me.test, b@me.test' 'from = "A \"B\" <a@me.test>"'; do g "$o"; g "$o"; done
cat /etc/exim4/w/l | sed '/^20/d; s/1[0-9A-Za-z]*-[0-9A-Za-z-]*/N/'
