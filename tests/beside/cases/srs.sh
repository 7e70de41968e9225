# A forwarder with SRS: senders rewritten, returns, forged ones.
host 2 show=1 rcpt:bad@next.test='550 no'
host 3 
conf <<'E'
SRSKEY=sekrit
srs_secret = SRSKEY
srs_hashlength = 8
srs_hashmin = 6
E
x -bP srs_secret
conf <<'E'
SRSKEY=sekrit
domainlist local = me.test
remote_max_parallel = 1
tls_advertise_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
 warn condition = ${if inbound_srs {$local_part}{SRSKEY} {yes}{no}}
   logwrite = inbound $local_part -> $srs_recipient
 accept
begin routers
inbound:
 driver = redirect
 domains = me.test
 senders = :
 condition = ${if inbound_srs {$local_part}{SRSKEY}}
 data = $srs_recipient
inbound_bad:
 driver = redirect
 domains = me.test
 senders = :
 local_parts = ^(?i)srs0[-+=] : ^(?i)srs1[-+=]
 condition = ${if inbound_srs {$local_part}{}}
 allow_fail
 data = :fail: Invalid SRS recipient $local_part ($srs_recipient)
fwd:
 driver = redirect
 domains = me.test
 local_parts = fwd : both
 data = ${if eq{$local_part}{fwd}{x@next.test}{x@next.test, ann@me.test, bad@next.test}}
 headers_add = X-Fwd: $local_part
user:
 driver = accept
 domains = me.test
 check_local_user
 transport = l
out:
 driver = manualroute
 route_list = * 192.0.2.2
 transport = ${if eq {$local_part@$domain}{$original_local_part@$original_domain}{plain}{fwdt}}
begin transports
plain:
 driver = smtp
 hosts_try_fastopen =
fwdt:
 driver = smtp
 hosts_try_fastopen =
 max_rcpt = 1
 return_path = ${srs_encode {SRSKEY} {$return_path} {$original_domain}}
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 return_path_add
begin retry
* * F,1h,1s
E
send a@else.test fwd@me.test; heard 2; logs
send '"q u"@else.test' fwd@me.test; heard 2; logs
send '<>' fwd@me.test; heard 2; logs
send SRS0=abcd=AA=else.test=joe@other.test fwd@me.test; heard 2; logs
send SRS1=abcd=z.test==dd=AA=else.test=joe@other.test fwd@me.test; heard 2; logs
send a@else.test both@me.test; heard 2; logs; boxes
srs=$($exim -be '${srs_encode {sekrit}{back@else.test}{me.test}}')
bad=$(echo "$srs" | sed 's/=.*=.*=/=xxxx=AA=/')
for r in "$srs" "$bad" "${srs/SRS0/srs0}" "${srs/=/+}" "SRS1=abcd=else.test=$srs"; do
 send '<>' "$r" 2>&1 | sed 's/SRS0=[^=]*=[^=]*=/SRS0=H=T=/g'; heard 2; logs | sed 's/SRS0=[^=]*=[^=]*=/SRS0=H=T=/g'; boxes
done
x -bt "$srs" | sed 's/SRS0=[^=]*=[^=]*=/SRS0=H=T=/g'
x -f '<>' -bt "$srs" | sed 's/SRS0=[^=]*=[^=]*=/SRS0=H=T=/g'
daemon
say <<E
EHLO x
MAIL FROM:<>
RCPT TO:<$srs>
RCPT TO:<$bad>
DATA
Subject: x

.
QUIT
E
stop
heard 2
logs  | sed 's/SRS0=[^=]*=[^=]*=/SRS0=H=T=/g'
