# Commands of SMTP, as they should be and odd: what options and ACLs make of them, and what the logs say.
HEAD='qualify_domain = me.test
host_lookup =
tls_advertise_hosts =
log_selector = +smtp_connection +smtp_protocol_error +smtp_syntax_error +smtp_incomplete_transaction +smtp_no_mail +received_recipients +received_sender +pipelining +size_reject +smtp_mailauth
'
# A configuration: options, and what there is of ACLs for all.
o() { echo "##### $1"; { echo "$HEAD"; cat <<'E'; echo "$1"; cat <<'E2'; } | conf
acl_smtp_rcpt = r
acl_smtp_mail = m
acl_smtp_vrfy = v
acl_smtp_expn = v
acl_smtp_etrn = v
acl_smtp_mailauth = ma
acl_smtp_notquit = nq
E
begin acl
r:
 deny local_parts = deny
 deny local_parts = deny2
  message = other
 defer local_parts = defer
 drop local_parts = drop
 discard local_parts = disc
 accept logwrite = r <$local_part> <$domain> $message_size $recipients_count $rcpt_count $rcpt_fail_count $rcpt_defer_count $sender_helo_name v=$sender_helo_verified
m:
 deny sender_domains = deny.test
 accept logwrite = m <$sender_address> size=$message_size as=$authenticated_sender prdr=$prdr_requested utf8=$message_smtputf8
v:
 deny condition = ${if match{$smtp_command_argument}{deny}}
  message = ${sg{$smtp_command_argument}{deny}{}}
  log_message = logged
 defer condition = ${if match{$smtp_command_argument}{later}}
 drop condition = ${if match{$smtp_command_argument}{drop}}
 accept condition = ${if match{$smtp_command_argument}{say}}
  message = ${sg{$smtp_command_argument}{say}{}}
 accept
ma:
 deny condition = ${if match{$authenticated_sender}{deny}}
 defer condition = ${if match{$authenticated_sender}{later}}
 accept logwrite = ma $authenticated_sender
nq:
 accept logwrite = nq $smtp_notquit_reason
begin routers
f:
 driver = redirect
 local_parts = no : now : file : files : pipe : hole : two : list
 data = ${if eq{$local_part}{no}{:fail: gone}}${if eq{$local_part}{now}{:defer: wait}}${if eq{$local_part}{hole}{:blackhole:}}${if eq{$local_part}{two}{a@me.test, b@me.test}}${if eq{$local_part}{list}{no@me.test, b}}${if eq{$local_part}{file}{/tmp/x}}${if eq{$local_part}{files}{/tmp/x, |/bin/true, b@me.test}}${if eq{$local_part}{pipe}{"|/bin/x y"}}
 file_transport = t
 pipe_transport = t
err:
 driver = accept
 local_parts = err
 condition = ${lookup{x}lsearch{/none}}
 transport = t
a:
 driver = accept
 local_parts = ! unk : ! err
 transport = t
begin transports
t:
 driver = appendfile
 file = /dev/null
 user = mail
E2
}
bs() { $exim -odq -bs -oMa 10.1.2.3 > out 2> err; local r=$?; cat out err; [ $r = 0 ] || echo "rc $r"; logs; rm -rf $S/input/* $S/msglog/*; }
# What a client says, in lines; those of EHLO's answer are left out.
go() { printf "$1" | sed 's|$|\r|' | bs | grep -v '^250-[A-Z0-9]*\( [A-Z0-9= ]*\)\?$\|^250 HELP\|^220 me'; }
E='EHLO h\n' M='MAIL FROM:<a@b.test>\n' R='RCPT TO:<ok@me.test>\n' B='s:x\n\ny\n.\n'

echo '##### words'
o ''
while IFS= read -r l; do echo "##### $l"; go "$l\nQUIT\n"; go "$E$l\nQUIT\n"; go "$E$M$l\n$R$l\nQUIT\n"; done <<'X'
VRFY
VRFY a b
VRFY <
VRFY x@y@z
EXPN
ETRN
ETRN x
HELP
help  x 
noop x
NOOPX
RSET x
QUIT x
QUITX
DATA x
BDAT
BDAT 0
BDAT x
AUTH
STARTTLS
STARTTLS x
HELO
HELO h x
HELO [1.2.3.4]
HELO [IPv6:::1]
HELO [x]
HELO [1.2.3.4
HELO a_b
HELO  h
HELO -
EHLO a_b
MAIL
MAIL FROM
MAIL FROM:
MAIL FROM <a@b.test>
MAIL  FROM:<a@b.test>
MAIL FROM: <a@b.test>
MAIL FROM:< >
MAIL TO:<a@b.test>
RCPT
RCPT TO
RCPT TO:
RCPT TO:<>
RCPT TO:<c>
RCPT TO:<Postmaster>
RCPT TO:<postmaster@>
RCPT FROM:<c@me.test>
SEND FROM:<a@b.test>
TURN
GET / HTTP/1.0
.
\001
\000
VRFY \303\244
X

echo '##### parameters of MAIL and RCPT'
all() { while IFS= read -r l; do echo "##### MAIL $l"; go "${E}MAIL FROM:$l\n${R}DATA\n${B}QUIT\n"; go "HELO h\nMAIL FROM:$l\nQUIT\n"; done <<'X'
<a@b.test> SIZE
<a@b.test> SIZE=
<a@b.test> SIZE=x
<a@b.test> SIZE=5x
<a@b.test> SIZE=99999999x
<a@b.test> SIZE=+5
<a@b.test> SIZE=+99999999
<a@b.test> SIZE=-1
<a@b.test> SIZE= 5
<a@b.test> size=5
<a@b.test> SIZE=52428801
<a@b.test> SIZE=99999999999
<a@b.test> SIZE=5 SIZE=99999999
<a@b.test> SIZE=99999999 AUTH=x
<a@b.test>SIZE=5
<a@b.test> BODY
<a@b.test> BODY=
<a@b.test> BODY=7bit
<a@b.test> BODY=8BITMIME
<a@b.test> BODY=BINARYMIME
<a@b.test> RET=FULL
<a@b.test> RET=x
<a@b.test> RET=FULL RET=HDRS
<a@b.test> ENVID=x+zz
<a@b.test> ENVID=x=y
<a@b.test> ENVID=x ENVID=y
<a@b.test> AUTH
<a@b.test> AUTH=<>
<a@b.test> AUTH=x+40y
<a@b.test> AUTH=x+zz
<a@b.test> AUTH=x@y AUTH=z@y
<a@b.test> AUTH=deny@y AUTH=z@y
<a@b.test> AUTH=x@y AUTH=deny@y
<a@b.test> AUTH=later AUTH=x
<a@b.test> RET=x AUTH=x@y
<a@b.test> SMTPUTF8=x
<a@b.test> PRDR PRDR SMTPUTF8
<a@b.test> FOO SIZE=5
<a@b.test> NOTIFY=NEVER
<a@b.test> =
a@b.test SIZE=5
<> SIZE=5 RET=FULL ENVID=x
<"a b"@b.test> SIZE=5
<"a SIZE=5"@b.test>
<a@b.test> SIZE=5 (c)
<a@b.test>\tSIZE=5
<a>
<a@b.test.>
<<a@b.test>>
<a@b.test>>
<@a,@b:b@c.test>
<a@[1.2.3.4]>
<a@b..test>
<.a@b.test>
<\303\244@b.test> SMTPUTF8
<\303\244@b.test>
<a@\303\244.test>
<a@\303.test> SMTPUTF8
X
while IFS= read -r l; do echo "##### RCPT $l"; go "$E${M}RCPT TO:$l\nDATA\n${B}QUIT\n"; done <<'X'
<b@me.test> NOTIFY=
<b@me.test> NOTIFY=never
<b@me.test> NOTIFY=NEVER,SUCCESS
<b@me.test> NOTIFY=SUCCESS,FAILURE,DELAY
<b@me.test> NOTIFY=DELAY,
<b@me.test> NOTIFY=,DELAY
<b@me.test> NOTIFY=FAILURE,FOO
<b@me.test> NOTIFY=FAILURE NOTIFY=DELAY
<b@me.test> NOTIFY=NEVER ORCPT=rfc822;x@y
<b@me.test> ORCPT=
<b@me.test> ORCPT=x
<b@me.test> ORCPT=rfc822;x+zz@z
<b@me.test> ORCPT=rfc822;x@y ORCPT=rfc822;z@y
<postmaster> NOTIFY=NEVER
<b>
<b@me.test.>
<<b@me.test>>
<@x:b@me.test>
<b@[1.2.3.4]>
<b@me.test>,<c@me.test>
X
}
o 'dsn_advertise_hosts = *
prdr_enable'; all
o 'strip_excess_angle_brackets
strip_trailing_dot
allow_domain_literals
sender_unqualified_hosts = *
recipient_unqualified_hosts = *
qualify_recipient = q.test'; all

echo '##### lists of hosts: who is in them, and who can not be told'
S1="${E}MAIL FROM:<a@b.test> RET=HDRS\n${R}BDAT 7\na:b\n\nBDAT 0 LAST\nEHLO a_b\nMAIL FROM:<a>\n${M}RCPT TO:<c>\nRSET\nNOOP\nNOOP\nQUIT\n"
for v in '' : '*' x.test '${lookup{x}lsearch{/none}}' '${if eq{1}{2}{3}fail}' '+include_unknown : x.test' '10.1.2.3 : x.test' '+nosuch'; do
for x in auth chunking dsn smtputf8 limits pipelining pipelining_connect; do o "${x}_advertise_hosts = $v"; go "$S1"; done
for x in host_reject_connection hosts_connection_nolog helo_accept_junk_hosts recipient_unqualified_hosts sender_unqualified_hosts; do o "$x = $v"; go "$S1"; go 'NOOP\nQUIT\n'; done
o "smtp_accept_max_nonmail_hosts = $v
smtp_accept_max_nonmail = 1"; go "$S1"; done

echo '##### limits'
NM="${E}NOOP\nRSET\nRSET\n${E}HELO g\nVRFY ann\nHELP\nAUTH x\nSTARTTLS\nETRN deny\n${M}RSET\nRSET\nNOOP\n$M${R}DATA\n${B}NOOP\nRSET\nHELO k\nNOOP\nNOOP\nQUIT\n"
ER="x\n${E}y\nRCPT TO:<x>\nDATA\nMAIL FROM\nMAIL FROM:<a@b@c>\nz\n$M${M}RCPT TO:<@>\nDATA\n${R}w\nDATA\n${B}EHLO <\nAUTH\nBDAT x\nQUIT y\nv\nQUIT\n"
RC="$E${M}RCPT TO:<a@me.test>\nRCPT TO:<deny@me.test>\nRCPT TO:<defer@me.test>\nRCPT TO:<@>\nRCPT TO:<b@me.test>\nRCPT TO:<c@me.test>\nDATA\n$B${M}RCPT TO:<deny@me.test>\nRCPT TO:<deny@me.test>\nDATA\n${R}${R}BDAT 7 LAST\na:b\n\n$M$R${R}${R}BDAT 7 LAST\na:b\n\n${M}QUIT\n"
for v in 0 1 3 5 -1 1k; do o "smtp_accept_max_nonmail = $v"; go "$NM"
for k in smtp_max_synprot_errors smtp_max_unknown_commands 'smtp_max_unknown_commands = 0
smtp_max_synprot_errors'; do o "$k = $v"; go "$ER"; done; done
for v in '' 0 1 2 3 -1 ' 2 ' 2147483648 999999999999; do for k in smtp_accept_max_per_connection recipients_max 'recipients_max_reject
recipients_max'; do [ "$k $v" = 'smtp_accept_max_per_connection 1' ] || { o "$k = $v"; go "$RC"; }; done; done

echo '##### a message that is too large, and a client that is gone'
o 'message_size_limit = x'; for t in '' 'EHLO x\n' 'RSET\nQUIT\n'; do go "$t"; done
for m in 'message_size_limit = 50' 'message_size_limit = 0'; do o "$m"; x=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; for t in '' 'a:b\n' 'a:b\n\n' "a:b\n\n$x\n" "a:b\n\n$x\n$x\n.."; do for e in '.\nNOOP\nQUIT\n' '' '\n.\nQUIT\n'; do echo "##### $t $e"; go "$E$M${R}DATA\n$t$e"; done; go "$E$M${R}BDAT 900\n$t"; done; done

echo '##### VRFY, EXPN, ETRN'
for s in '' 'recipient_unqualified_hosts = *' 'qualify_recipient = q.test
smtp_return_error_details'; do o "$s
smtp_accept_max_nonmail = 1000"; for w in VRFY EXPN; do for l in no now file files pipe hole two list err unk x@me.test '<x@me.test>' 'X Y <no@me.test>' Postmaster x@ @x 'x@[1.2.3.4]' 'x@me.test.' '"x y"@me.test' 'x@me.test (c)' 'deny 550 5.1.1 x' 'deny x' 'deny 251 x' later drop 'say 252 x' 'say x@me.test' 'say450 x' 'say250 2.1.5 x@me.test'; do echo "##### $w $l"; go "$E$w $l\nQUIT\n"; case $l in *[@d]*) ;; *) go "$E$w $l@me.test\nQUIT\n";; esac; done; done; done
# Their answers may come twice, as what was said when the command began is not sent yet.
for e in 'smtp_etrn_command = /bin/true' 'smtp_etrn_command = $x' 'smtp_etrn_command = /bin/true "a' 'smtp_etrn_command = ${if eq{1}{2}{a}fail}' 'smtp_etrn_command = ${lookup{x}lsearch{/none}}'; do o "smtp_etrn_serialize = no
$e"; for l in x '#deny 550 x' '#deny 458 y' '#later' '#drop' '#say 450 x'; do echo "##### ETRN $l"; go "${E}ETRN $l\n${M}ETRN $l\nQUIT\n" | sort -u; done; done

echo '##### chunks'
o 'smtp_max_synprot_errors = 10'
for r in deny defer disc; do for b in DATA 'BDAT 7' 'BDAT 7 LAST' 'BDAT 0 LAST' 'BDAT x' 'BDAT 7  last' 'BDAT 07 LAST' 'BDAT LAST 7' 'BDAT 7 LASTX'; do echo "##### $r $b"
go "$E${M}RCPT TO:<$r@me.test>\n$b\na:b\n\nBDAT 2 LAST\n\nRSET\n${M}RCPT TO:<$r@me.test>\nRCPT TO:<deny2@me.test>\n$b\na:b\n\n${M}QUIT\n"
go "HELO h\n$b\n$M$R$b\na:b\n\nQUIT\n"
go "$E$M${R}RCPT TO:<$r@me.test>\n$b\na:b\n\nBDAT 3 LAST\nx\n${M}QUIT\n"; done; done
for j in 'x\nx\nRSET\n' 'x\nRSET x\nRSET\n' 'RSET x\nRSET\n' 'QUIT x\n' 'DATA\nRSET\n' 'DATA x\nRSET\n' 'STARTTLS x\nRSET\n' 'NOOP\0\nBDAT 0 LAST\n' 'x\nNOOP\0\nRSET\n' 'VRFY x\nRSET\n' 'BDAT 0\nBDAT 0 LAST\nRSET\n' 'BDAT\nBDAT 0 LAST\n' 'NOOP x\nBDAT 3 LAST\nx\n' 'x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\n' 'NOOP\nNOOP\nNOOP\nNOOP\nNOOP\nNOOP\nNOOP\nNOOP\nNOOP\nNOOP\nNOOP\nNOOP\nRSET\n'; do echo "##### $j"; go "$E$M${R}BDAT 7\na:b\n\n${j}QUIT\n"; done

echo '##### greetings'
H="EHLO [10.1.2.3]\n$M${R}RSET\nEHLO x_y\nHELO x&y\nHELO\n${M}EHLO a.b\n$M${R}DATA\n${B}QUIT\n"
for v in 'helo_allow_chars = _' 'helo_allow_chars = &_' 'helo_accept_junk_hosts = *' 'helo_try_verify_hosts = *' 'helo_lookup_domains =' 'hosts_require_helo = *' 'host_reject_connection = *' 'hosts_connection_nolog = *' 'acl_smtp_helo = deny message = a\nb' 'acl_smtp_helo = defer' 'acl_smtp_helo = drop message = 421 x' 'acl_smtp_helo = accept message = a\nb' 'acl_smtp_helo = accept message = 220 a' 'acl_smtp_helo = accept message = 550 a' 'smtp_banner = a\nb\n\nc' 'smtp_banner =' 'smtp_banner = 550 x' 'smtp_banner = a\n' 'acl_smtp_connect = accept message = x\ny' 'acl_smtp_connect = accept message = 554 y' 'acl_smtp_connect = deny message = a\nb' 'acl_smtp_connect = defer' 'acl_smtp_connect = drop' 'acl_smtp_connect = nosuch' 'acl_smtp_quit = deny message = bye' 'acl_smtp_quit = accept message = bye\nbye' 'acl_smtp_quit = nosuch' 'smtp_receive_timeout = ${if eq{1}{1}{2}}' 'smtp_receive_timeout = ${if eq{1}{2}{3}fail}' 'smtp_receive_timeout = ${if eq{1}{1}{2m}}' 'smtp_active_hostname = act.test' 'smtp_active_hostname = ${if eq{1}{2}{x}fail}' 'accept_8bitmime = no'; do o "$v"; printf "${H}" | sed 's|$|\r|' | bs; go 'NOOP\nQUIT\n'; go 'HELO x\n'; done

echo '##### programs of this system'
for v in '' 'untrusted_set_sender = *' 'untrusted_set_sender = *@b.test' 'trusted_users = ann' no_local_from_check; do o "$v"; for s in a@b.test '' ann@me.test x; do echo "##### $s"; printf 'HELO h\r\nMAIL FROM:<%s>\r\nRCPT TO:<c@me.test>\r\nDATA\r\nFrom: ann@me.test\r\n\r\nx\r\n.\r\nQUIT\r\n' "$s" > in; for u in 5001 0; do as $u $exim -odq -bs < in; logs; spool | grep '^0\|^-au\|^<'; rm -rf $S/input/* $S/msglog/*; done; done; done
