# Virtual domains in cdb with quotas and vacations, and tagged senders (prvs, SRS). SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
new b1 <<'E'
# VESTA-like but with cdb/dbm/nwildlsearch: catch-alls, quotas, vacation
D = /etc/exim4/d
domainlist local_domains = @ : cdb;/etc/exim4/doms.cdb
domainlist alias_domains = nwildlsearch;/etc/exim4/aliasdoms
qualify_domain = me.test
tls_advertise_hosts =
host_lookup =
acl_smtp_rcpt = r
acl_smtp_data = d
log_selector = +subject +received_recipients +delivery_size +deliver_time -queue_run -pid +all_parents +address_rewrite
begin acl
r:
 accept hosts = : 127.0.0.1
  add_header = :at_end:X-From-Here: yes
 deny domains = +alias_domains
  !local_parts = ^[a-z.=_-]+\$
  message = $local_part is not a local part of ${lookup{$domain}nwildlsearch{/etc/exim4/aliasdoms}} ($1)
 deny message = $acl_verify_message / $recipient_verify_failure
  domains = +local_domains : +alias_domains
  !verify = recipient/defer_ok
 deny message = not here
  domains = !+local_domains : !+alias_domains
 warn set acl_m_q = ${extract{quota}{${lookup{$local_part@$domain}cdb{/etc/exim4/users.cdb}}}{$value}{none}}
  log_message = quota of $local_part is $acl_m_q
  condition = ${if match{$acl_m_q}{\N^\d+[KM]?$\N}}
 accept
d:
 warn message = X-Old-Style: yes
 warn remove_header = X-A:X-B*
 accept
begin routers
adom:
 driver = redirect
 domains = +alias_domains
 data = ${quote_local_part:$local_part}@${lookup{$domain}nwildlsearch{/etc/exim4/aliasdoms}}
 redirect_router = users
fwd:
 driver = redirect
 domains = +local_domains
 data = ${lookup{$local_part@$domain}lsearch*@{/etc/exim4/forwards}{${expand:${sg{$value}{%}{\$local_part}}}}}
 condition = ${lookup{$local_part@$domain}cdb{/etc/exim4/users.cdb}{no}{yes}}
 allow_fail
users:
 driver = accept
 domains = +local_domains
 address_data = ${lookup{$local_part@$domain}cdb{/etc/exim4/users.cdb}{$value}fail}
 local_parts = ${if def:address_data{*}}
 condition = ${if eq{${extract{active}{$address_data}}}{0}{false}{true}}
 transport = box
vac:
 driver = accept
 domains = +local_domains
 condition = ${lookup{$local_part@$domain}cdb{/etc/exim4/users.cdb}}
 transport = vac
last:
 driver = redirect
 domains = !+local_domains : !+alias_domains
 data = :fail: no route to $domain\n(sorry)
 allow_fail
begin transports
box:
 driver = appendfile
 user = mail
 directory = /var/mail/v/${extract{dir}{$address_data}{${bless:$value}}{x}}
 maildir_format
 quota = ${extract{quota}{$address_data}{$value}{10K}}
 quota_filecount = 3
 quota_warn_threshold = 50%
 quota_is_inclusive = false
 maildir_use_size_file
 maildir_quota_directory_regex = ^(?:cur|new|\\.(?!Trash).*)\$
 maildir_tag = ,S=$message_size
vac:
 driver = autoreply
 user = mail
 to = $reply_address
 from = "${local_part} <$local_part@$domain>"
 subject = ${if def:h_Subject: {Re: ${quote:${escape:${length_50:$h_Subject:}}}} {away}}
 text = gone\n
 file = /etc/exim4/vac.txt
 file_expand
 file_optional
 log = /var/spool/exim4/vac.log
 headers = "X-Auto: yes\nPrecedence: bulk"
 cc = cat@me.test
 return_message
E
sed -i 's/\${bless:$value}/x/' $E/exim4.conf
cat > $work/mkcdb.py <<'P'
import sys,struct
def h(k):
    x=5381
    for c in k: x=((x<<5)+x)^c; x&=0xffffffff
    return x
def make(out,items):
    pos=2048; tabs=[[] for _ in range(256)]; data=b''
    for k,v in items:
        k=k.encode();v=v.encode()
        data+=struct.pack('<II',len(k),len(v))+k+v
        hh=h(k); tabs[hh&255].append((hh,pos)); pos+=8+len(k)+len(v)
    head=b''; tail=b''
    for t in tabs:
        n=len(t)*2; head+=struct.pack('<II',pos,n)
        slots=[(0,0)]*n
        for hh,p in t:
            i=(hh>>8)%n
            while slots[i][1]: i=(i+1)%n
            slots[i]=(hh,p)
        for s in slots: tail+=struct.pack('<II',*s)
        pos+=8*n
    open(out,'wb').write(head+data+tail)
make(sys.argv[1],[l.rstrip('\n').split(' ',1) for l in sys.stdin])
P
printf 'v.test x\nw.test y z\n' | python3 $work/mkcdb.py $E/doms.cdb; printf 'info@v.test dir=a quota=1K\noff@v.test active=0\nbig@w.test quota=2M dir="b c"\n' | python3 $work/mkcdb.py $E/users.cdb; chmod 644 $E/*
printf 'al.test: v.test\n^(.*)\\.al2\\.test$: w.test\n*.star.test: v.test\n' | put aliasdoms; printf '*@v.test: info@v.test\nsales@w.test: %%@v.test, big@w.test, u@far.test\n*: :fail: nobody here\n' | put forwards; printf 'I am $h_to: ${lc:AWAY}\n' | put vac.txt
ADDRS="info@v.test off@v.test any@v.test big@w.test sales@w.test none@w.test info@al.test x@b.al2.test X.y=z@c.star.test u@far.test ann"
BE='${lookup{V.TEST}cdb{/etc/exim4/doms.cdb}{$value}{none}}
${lookup{b.al2.test}nwildlsearch{/etc/exim4/aliasdoms}{$value $1}}
${lookup{zz@v.test}lsearch*@{/etc/exim4/forwards}}
${extract{dir}{${lookup{big@w.test}cdb{/etc/exim4/users.cdb}}}}'
HEADER='X-B: 1
X-Bcd: 2'
battery
for i in 1 2 3; do send s@far.test info@v.test big@w.test off@v.test; done; SUBJECT='a "quoted" =?utf-8?q?=C3=A4?=' send x@far.test off@v.test; after quota; ls $S; cat $S/vac.log

new b2 <<'E'
# prvs/BATV, SRS forwarder, errors of bounces
domainlist local_domains = me.test : fwd.test
domainlist srsd = srs.test
SECRET = s3cr:et
.ifdef SECRET
PRVS = ${prvs{$return_path}{SECRET}}
.endif
qualify_domain = me.test
tls_advertise_hosts = 
host_lookup =
acl_smtp_rcpt = r
acl_smtp_mail = ${if eq{$sender_host_address}{192.0.2.20}{m2}{m}}
begin acl
m: accept senders = : *@*
m2:
 require message = need a sender
  condition = ${if def:sender_address}
 accept
r:
 deny message = This address never sends, so no bounces
  senders = :
  domains = me.test
  condition = ${prvscheck {$local_part@$domain}{SECRET}{0}{1}}
 deny message = forged or expired tag ($prvscheck_address $prvscheck_keynum)
  condition = ${prvscheck {$local_part@$domain}{SECRET}{${if bool{$prvscheck_result}{no}{yes}}}{no}}
 accept domains = +local_domains : +srsd
  verify = recipient
 accept hosts = 127.0.0.1
 deny
begin routers
unbatv:
 driver = redirect
 domains = me.test
 data = ${prvscheck {$local_part@$domain}{SECRET}}
srsin:
 driver = redirect
 domains = +srsd
 data = ${if inbound_srs {$local_part}{SECRET}{$srs_recipient}{:fail: invalid SRS}}
 allow_fail
 senders = :
srsno:
 driver = redirect
 domains = +srsd
 allow_fail
 data = :fail:550 5.7.1 only bounces
fwd:
 driver = redirect
 domains = fwd.test
 local_part_suffix = +*
 local_part_suffix_optional
 data = ${lookup{$local_part}lsearch{/etc/exim4/fwd}}
ext:
 driver = manualroute
 domains = ! +local_domains
 route_list = * 192.0.2.9
 transport = ${if and{{def:sender_address}{!match_domain{$sender_address_domain}{+local_domains}}{!eq{$original_domain}{$domain}}}{srs_smtp}{batv_smtp}}
lu:
 driver = accept
 check_local_user
 transport = l
begin transports
srs_smtp:
 driver = smtp
 return_path = ${srs_encode {SECRET}{$return_path}{srs.test}}
 hosts_try_fastopen =
batv_smtp:
 driver = smtp
 hosts_try_fastopen =
 return_path = ${if and{{def:return_path}{match_domain{${domain:$return_path}}{+local_domains}}}{PRVS}fail}
l:
 driver = appendfile
 file = /var/mail/$local_part_data
 return_path_add
E
printf 'a: x@far.test\nb: ann@me.test, y@far.test\n' | put fwd
T=$($exim -be '${prvs{ann@me.test}{s3cr:et}}'); R=$($exim -be '${srs_encode {s3cr:et}{s@far.test}{srs.test}}'); 
ADDRS="a@fwd.test b+x@fwd.test ann@me.test $T prvs=0123abcdef=ann@me.test $R SRS0=xx=yy=a.test=b@srs.test SRS0@srs.test x@far.test"
BE='${prvscheck{prvs=0123abcdef=ann@me.test}{s3cr:et}{$prvscheck_address/$prvscheck_keynum/$prvscheck_result}}
${prvs{a@b}{k}{7}}
${if inbound_srs {a}{}{y}{n}}'
SENDERS="s@far.test - ann@me.test"; host 9
battery; gone 9 | sed 's/prvs=[0-9]*[0-9a-f]*/prvs=P/;s/SRS0=[^=]*=[^=]*/SRS0=H/'
