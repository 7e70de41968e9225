# Mailboxes that others hold, odd kinds of them, commands that end oddly, filters, answers, LMTP at a socket.
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
d() { echo "##### $1 | $2 | $3: $4"; site "$1" "$2" "$3" "$4"; shift 4; send sender@me.test "${@:-ann@me.test}" 2>&1 | same; res; }
own() { chown "${2:-ann:ann}" "$1"; }
A='driver = accept~transport = t~local_part_suffix = +*~local_part_suffix_optional'
B=/var/mail/b
f() { d '' "$A" appendfile "user = ann~$1" "${@:2}"; }
box() { printf 'From x\n\nold\n\n' > $B; chmod 600 $B; own $B; }
echo '##### held by another process'
cat > $work/hold.py <<'P'
import sys,os,fcntl,time
how,path=sys.argv[1:]
fd=os.open(path,os.O_RDWR); s=os.fstat(fd)
if how.startswith('mbx'):
    fd=os.open('/tmp/.%x.%x'%(s.st_dev,s.st_ino),os.O_RDWR|os.O_CREAT,0o666); os.fchmod(fd,0o666)
kind=fcntl.LOCK_SH if how.endswith('read') else fcntl.LOCK_EX
if how.endswith('flock') or how.endswith('flockread'): fcntl.flock(fd,kind)
elif how=='end': fcntl.lockf(fd,kind,10,100000)
else: fcntl.lockf(fd,kind)
open(path+'.held','w').close(); time.sleep(30)
P
held() { box; python3 $work/hold.py $1 $B & K=$!; until [ -e $B.held ]; do sleep 0.02; done; rm $B.held; echo "##### held $1"; f "file = $B~lock_interval = 0s~$2"; kill $K; wait $K 2>/dev/null; }
for h in fcntl read end flock flockread mbx mbxread mbxflock; do for o in '' '~use_flock_lock' '~no_use_fcntl_lock~use_flock_lock' '~no_use_fcntl_lock~no_use_flock_lock' '~use_mbx_lock' '~use_mbx_lock~use_flock_lock' '~use_mbx_lock~use_flock_lock~use_fcntl_lock' '~mbx_format' '~mbx_format~use_fcntl_lock'; do held $h "lock_retries = 2$o"; done; done
for r in 0 -1; do for h in fcntl flock; do held $h "lock_retries = $r"; done; box; f "file = $B~lock_retries = $r"; done
echo '##### files'
for o in 'file_format = a' 'file_format =' 'quota = 99999999999G' 'quota = 3K~mailbox_size = 9223372036854775807' 'quota_warn_threshold = 100~quota_warn_message =' 'file_format = a : t : b' 'file_format = From : other' 'use_bsmtp~mbx_format' 'mbx_format~use_crlf' 'mode = 8' 'create_file = x' 'lock_interval = x' 'no_use_lockfile~no_use_fcntl_lock' 'lock_flock_timeout = 1s' 'quota_filecount = x' 'file_must_exist'; do box; f "file = $B~$o"; f "file = $B~$o"; done
for o in mbx_format 'maildir_format~maildir_use_size_file' 'create_file = /var/' 'create_file = /var/mail/' 'create_file = /var/mail/di' 'create_file = belowhome~home_directory = /var/mail/di' 'maildir_format~create_file = inhome~home_directory = /var/mail/dir' 'directory_mode = 0~maildir_format' 'maildir_format~maildir_tag = a b' 'mailstore_format~mailstore_prefix = ${if eq{a}{b}{x}fail}' 'mailstore_format~use_bsmtp' 'maildir_format~maildirfolder_create_regex = /dir$' 'maildir_format~maildirfolder_create_regex =' 'maildir_format~quota = 900~quota_directory =' 'quota = 9K~quota_filecount = 2147483648'; do f "directory = /var/mail/dir~$o" ann@me.test bob@me.test; done
echo '##### what is asked for, and written elsewhere'
for o in 'file = /var/mail/nosuch/own~no_create_directory' 'file = /var/mail/own~quota = 10' 'directory = /var/mail/nosuch/own~maildir_format~no_create_directory' 'directory = /var/mail/own/' 'create_directory = no~file ='; do d '' 'driver = redirect~data = /var/mail/asked~file_transport = t~directory_transport = t~user = ann' appendfile "$o"; done
echo '##### named pipes'
fifo() { mkfifo $B; chmod $1 $B; own $B; timeout 20 cat $B > $work/got & K=$!; sleep 0.3; f "file = $B~allow_fifo~$2"; kill $K 2>/dev/null; wait $K 2>/dev/null; cat $work/got; rm -f $work/got; }
for m in 600 666 400; do for o in 'mode = 0600' 'mode = 0' 'mode = 0600~quota = 10'; do fifo $m "$o"; done; done
for o in 'mode = 0' 'mode = 0400'; do box; chmod 400 $B; f "file = $B~$o"; done
echo '##### ends of commands'
for n in 1 64 68 69 70 73 75 77 78 126 127 128 255; do for o in return_fail_output 'log_output~temp_errors = 69:1:127:126~ignore_status' 'log_defer_output~freeze_exec_fail'; do d '' "$A" pipe "user = ann~command = /bin/sh -c \"cat >/dev/null; echo out; exit $n\"~$o"; done; done
echo '##### filters'
cat > /etc/exim4/filt.sh <<'P'
#!/bin/sh
case $1 in
 add) sed 's/^Subject:.*/Subject: filtered/';;
 empty) cat > /dev/null;;
 nohdr) cat >/dev/null; printf '\nonly body\n';;
 rc*) cat; exit ${1#rc};;
 kill) cat; kill -9 $$;;
 where) cat; pwd; umask;;
 args) cat; shift; for a; do echo "[$a]"; done;;
esac
P
chmod 755 /etc/exim4 /etc/exim4/filt.sh
for c in add empty nohdr rc1 rc75 kill where 'args "a b" ${quote:x y} ${if eq{1}{2}{x}}'; do for o in '' '~headers_only' '~body_only' '~use_crlf' '~transport_filter_timeout = 0s'; do f "file = $B~transport_filter = /etc/exim4/filt.sh $c$o"; done
 f "directory = /var/mail/dir~maildir_format~transport_filter = /etc/exim4/filt.sh $c"
 case $c in rc*|kill) ;; *) d '' "$A" pipe "user = ann~command = /bin/cat~return_output~transport_filter = /etc/exim4/filt.sh $c";; esac
 d '' "$A" autoreply "user = ann~to = sender@me.test~subject = s~text = t~return_message~transport_filter = /etc/exim4/filt.sh $c"; done
echo '##### filters that do not want all'
much() { echo "##### $1: $2"; site '' "$A" "$1" "user = ann~transport_filter = /usr/bin/head -9~$2"; { printf 'Message-ID: <much@m.test>\nSubject: much\n\n'; yes "$(printf %070d 0)" | head -6000; } | $exim -odf -oi -f sender@me.test ann@me.test; res | cut -c1-100; }
much appendfile "file = $B"; much appendfile 'directory = /var/mail/dir~maildir_format'; much pipe 'command = /usr/bin/wc -l~return_output'; much lmtp 'command = /bin/sh -c "echo 220 l; read l; echo 250 l; for a in 250 250 354; do read l; echo $a; done; exec cat > /dev/null"'
echo '##### where things are expanded'
mkdir -p /etc/exim4/cw; printf 'x: relfile\n' > /etc/exim4/cw/rel; chmod 755 /etc/exim4/cw; chmod 644 /etc/exim4/cw/rel
for o in '' '~home_directory = /etc/exim4/cw' '~current_directory = /etc/exim4/cw'; do f "file = $B~headers_add = X: \${run{/bin/pwd}} \${if exists{rel}{\${readfile{rel}{}}}}$o"; d '' "$A" pipe "user = ann~command = /bin/echo \${run{/bin/pwd}}~return_output$o"; done
echo '##### groups that are handed down, and names in envelopes'
for m in 0750 0770 0777 01777 02770; do f "file = /var/mail/n/m/b~directory_mode = $m"; f "directory = /var/mail/dir~maildir_format~group = mail~directory_mode = $m"; done
for r in '' '~caseful_local_part'; do d '' "$A$r" appendfile 'user = ann~directory = /var/mail/dir~mailstore_format~batch_max = 9~headers_only' Ann@Me.test Ann+X@me.test '"A b"@me.test'; done
echo '##### answers'
W=/etc/exim4/w; mkdir -p $W; chmod 777 $W
g() { d '' "$A" autoreply "user = ann~from = me@me.test~subject = s~text = t~$1"; }
for o in 'to =' 'to = sender@me.test~cc =~bcc =' 'to = sender@me.test~headers =' 'to = sender@me.test~text = "a\\0b\\rc"' 'to = sender@me.test~never_mail = lsearch;/nowhere' "to = sender@me.test~once = $W" 'to = L: bob@me.test, ann@me.test;~never_mail = bob@me.test' 'to = sender@me.test~once_repeat = x' 'to = sender@me.test~message_size_limit = 10' 'to = sender@me.test~shadow_transport = other' 'to = sender@me.test~log = /dev/null'; do g "$o"; done
# A small file of those who had an answer: the oldest goes.
for t in sender@me.test 'Big <Sender@ME.test>' bob@me.test 'sender@me.test, bob@me.test' sender@me.test cat@me.test; do g "to = \"$t\"~once = $W/o~once_file_size = 60"; tail -c +1 $W/o | tr '\0' '\n' | grep -a -o '[A-Za-z@<>., ]*@.*'; done
echo '##### LMTP at a socket'
cat > $work/l.py <<'P'
import sys,socket,os
A=dict(x.split('=',1) for x in sys.argv[3:])
s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1],0o666); s.listen(5)
heard=open(sys.argv[2],'a',1)
while True:
    c,_=s.accept(); r=c.makefile('rb'); n=0; ends=0
    def say(t): c.sendall((t.replace('|','\r\n')+'\r\n').encode())
    say(A.get('conn','220 l'))
    while True:
        q=r.readline().decode('utf-8','replace'); heard.write(q or 'EOF\n')
        if not q: break
        k=q.strip().split(' ')[0].lower().split(':')[0]
        a=A.get(k,'354 go' if k=='data' else '250 ok')
        if k=='rcpt': a=A.get('rcpt%d'%ends,a); ends+=1; n+=a[0]=='2'
        say(a)
        if k=='quit': break
        if k=='data' and a[0]=='3':
            while True:
                z=r.readline(); heard.write(z.decode('latin1'))
                if z in (b'.\r\n',b''): break
            for i in range(int(A.get('count',n))): say(A.get('end%d'%i,'250 taken %d'%i))
    r.close(); c.close()
P
l() { local o=$1; shift; rm -f $work/s $work/heard; python3 $work/l.py $work/s $work/heard "$@" & local K=$!; until [ -S $work/s ]; do sleep 0.02; done; sleep 0.1; echo "##### says $*"; d '' "$A" lmtp "user = ann~socket = $work/s~timeout = 1s~$o" ann@me.test bob+x@me.test cat@me.test; sleep 0.1; kill $K; wait $K 2>/dev/null; tr -d '\r' < $work/heard | same; }
for o in 'batch_max = 1' 'batch_max = 2' 'batch_max = 9~rcpt_include_affixes' 'batch_max = 9~headers_add = X: $local_part~return_path = new@x' 'batch_max = 9~message_size_limit = 20' 'batch_max = 9~transport_filter = /bin/cat~headers_only'; do l "$o"; done
for a in 'conn=421 busy' 'conn=554 never' 'conn=rubbish' 'lhlo=250-l|250-SIZE 10|250 IGNOREQUOTA' 'mail=552 too big' 'rcpt=452 full' 'rcpt0=550-no|550 really' 'rcpt2=421 bye' 'data=503 n' 'end1=452 full' 'end2=550-a|550-b|550 c' 'end0=250-taken|250 multi' count=1 'quit=500 x'; do l 'batch_max = 9' "$a"; done
for o in 'socket = rel' 'socket = /etc/passwd' 'socket =' 'command =' 'socket = /s~command = /bin/true' 'command = /bin/true'; do d '' "$A" lmtp "user = ann~$o"; done
