# Users' .forward files: lists, filters, Sieve, permissions, links, homes that are not there.
conf <<'E'
domainlist local = me.test
qualify_domain = me.test
remote_max_parallel = 1
trusted_users = bob
never_users = root
begin routers
far:
 driver = manualroute
 domains = !+local
 route_list = * 192.0.2.2
 transport = smtp
E
# A router of that name, with options of its own.
forwards() {
 printf '%s:\n driver = redirect\n' "$1"; shift; printf ' %s\n' "$@"
 cat <<'E'
 check_local_user
 file = $home/.forward${sg{$local_part_suffix}{\N[^-a-z]\N}{}}
 allow_filter
 check_ancestor
 no_verify
 no_expn
 syntax_errors_to = real-$local_part@$domain
 syntax_errors_text = Your .forward is wrong.
 file_transport = file
 pipe_transport = pipe
 reply_transport = reply
 directory_transport = dir
 modemask = 022
 forbid_filter_run
E
}
any=('local_part_suffix = -*' local_part_suffix_optional)
{
 forwards fwdskip 'local_part_suffix = -skip' skip_syntax_errors
 forwards fwdbob "${any[@]}" ignore_enotdir ignore_eacces 'local_parts = bob'
 forwards fwd "${any[@]}"
} >> /etc/exim4/exim4.conf
sed -i '/user_home_directory/d' /etc/exim4/exim4.conf
cat >> /etc/exim4/exim4.conf <<'E'
real:
 driver = accept
 check_local_user
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
 delivery_date_add
 envelope_to_add
 return_path_add
file:
 driver = appendfile
dir:
 driver = appendfile
 maildir_format
pipe:
 driver = pipe
 return_output
reply:
 driver = autoreply
begin retry
* * F,1h,1h
E
host 2 show=1
H=$work/home
put() { local u=$1 f=$2; shift 2; printf "$@" > $H/$u/$f; chown $u:$u $H/$u/$f; }
t() { send s@far.test "$@"; logs; boxes; for u in ann bob cat; do for f in $H/$u/*; do [ -f $f ] && { echo "== $(stat -c '%U:%G %a %n' $f)"; cat $f; rm $f; }; [ -d $f ] && { echo "== $(stat -c '%U:%G %a %n' $f)"; find $f -type f -exec cat {} \;; rm -r $f; }; done; done; heard 2; for i in $(ids); do echo "left $i"; $exim -Mrm $i >/dev/null; done; logs >/dev/null; }
put ann .forward 'bob, cat@far.test, \\ann, "|cat > $HOME/piped; echo out", %s\n' "$H/ann/saved"; t ann@me.test
put ann .forward '# Exim filter\nif $h_subject: contains "ell" then save $home/box 0640 endif\nif not delivered then deliver bob endif\nunseen pipe "/bin/cat"\nmail subject "re: $h_subject" text "hi"\nlogfile $home/log\nlogwrite "x $sender_address"'; t ann@me.test
put ann .forward '# Exim filter\nsave $home/d/\nsave rel/\nsave /nowhere/x\nfinish'; t ann@me.test
put ann .forward '# Exim filter\nvacation\n'; mkdir -p $H/ann; t ann@me.test
put ann .vacation.msg 'I am away\n'; t ann@me.test; rm -f $H/ann/.vacation*
put ann .forward '# Sieve filter\nrequire ["fileinto","copy","vacation","imap4flags"];\nfileinto :copy "x.y";\nvacation :days 1 "gone";\nkeep;\n'; t ann@me.test; rm -rf $H/ann/.v*
put ann .forward '# Sieve filter\nreject "no";\n'; t ann@me.test
put ann .forward 'bob\n' ; chmod 666 $H/ann/.forward; t ann@me.test
chmod 644 $H/ann/.forward; chown bob $H/ann/.forward; t ann@me.test
chown root $H/ann/.forward; t ann@me.test
chown ann $H/ann/.forward; chmod 000 $H/ann/.forward; t ann@me.test
rm $H/ann/.forward; mkdir $H/ann/.forward; t ann@me.test; rmdir $H/ann/.forward
ln -s $H/cat/.fw $H/ann/.forward; t ann@me.test; put cat .fw 'bob\n'; t ann@me.test; rm $H/ann/.forward
ln -s /nowhere/x $H/ann/.forward; t ann@me.test; rm $H/ann/.forward
chmod 000 $H/ann; t ann@me.test; chmod 755 $H/ann
chmod 000 $H/bob; t bob@me.test; chmod 755 $H/bob
mv $H/ann $H/ann2; t ann@me.test; touch $H/ann; t ann@me.test; rm $H/ann; mv $H/ann2 $H/ann
mv $H/bob $H/bob2; touch $H/bob; t bob@me.test; rm $H/bob; mv $H/bob2 $H/bob
put ann .forward-x 'cat@far.test\n'; t ann-x@me.test ann-y@me.test; put ann .forward-skip 'bad@@x, bob, <, "|x", :include:/etc/hosts, :fail: x\n'; t ann-skip@me.test
put ann .forward-syn 'bad@@x, bob\n'; t ann-syn@me.test
put ann .forward ':include:%s\n' $H/ann/inc; put ann inc 'bob\ncat # c\n'; t ann@me.test; t ann@me.test
put ann .forward ':fail: go away\n'; t ann@me.test; put ann .forward ':defer: later\n'; t ann@me.test; put ann .forward ':blackhole:\n'; t ann@me.test; put ann .forward ''; t ann@me.test; put ann .forward '\n\n#c\n'; t ann@me.test
put ann .forward 'ann\n'; t ann@me.test; put ann .forward 'bob\n'; put bob .forward 'ann\n'; t ann@me.test;  put bob .forward 'ann, cat\n'; t ann@me.test; rm $H/bob/.forward
put ann .forward '"|/bin/false"\n'; t ann@me.test; put ann .forward '"|exit 75"\n'; t ann@me.test;  put ann .forward '|/bin/sh -c "id; pwd; env | sort | grep -v ^PATH"\n'; t ann@me.test; put ann .forward '|/nowhere/x\n'; t ann@me.test
put ann .forward '|/bin/sh -c "kill -9 $$"\n'; t ann@me.test;
put ann .forward '/etc/shadow\n'; t ann@me.test; put ann .forward '%s\n' $H/bob/x; t ann@me.test; put ann .forward '/dev/null\n'; t ann@me.test
put ann .forward '# Exim filter\nif foundanyaddress $h_to: contains x then'; t ann@me.test
put ann .forward '# Exim filter\nfail text "no way"'; t ann@me.test; put ann .forward '# Exim filter\nfreeze'; t ann@me.test;  put ann .forward '# Exim filter\nheaders add "X: y"\nsave $home/q'; t ann@me.test
put ann .forward '# Exim filter\nif "${run{/bin/true}{y}{n}}" is y then save $home/run endif'; t ann@me.test
put ann .forward '# Exim filter\nif error_message then finish endif\nmail to $reply_address subject x file $home/.m expand return message\nseen finish'; put ann .m 'Dear $sender_address\n'; t ann@me.test
put ann .forward '# Exim filter\npipe "/bin/cat - $sender_address"\n'; t ann@me.test
put ann .forward '# Exim filter\ndeliver bob errors_to cat@far.test\nif personal alias x@y then save $home/p endif\n'; t ann@me.test
as 5001 $exim -bf $H/ann/.forward < /dev/null
as 5002 $exim -bt ann@me.test bob@me.test ann-x@me.test
