# Routers in chains, whatever the DNS says of a domain, and this host among those that it names. SECONDS_EACH=600.
. "$(dirname "$case")/words.sh"
NOLOOK=1
dns <<'Z'
. SOA ns. h. 1 2 3 4 5
. NS ns.
ns. A 127.0.0.1
me.test. MX 10 me.test.
me.test. A 192.0.2.1
mx2.test. MX 10 h11.test.
mx2.test. MX 20 me.test.
mx2.test. MX 30 h12.test.
self.test. MX 0 me.test.
h11.test. A 192.0.2.11
h12.test. A 192.0.2.12
null.test. MX 0 .
nomx.test. A 192.0.2.11
cn.test. CNAME mx2.test.
cnloop.test. CNAME cnloop2.test.
cnloop2.test. CNAME cnloop.test.
*.wild.test. MX 5 h11.test.
srv.test. MX 10 h12.test.
_smtp._tcp.srv.test. SRV 1 1 2525 h11.test.
_smtp._tcp.srv.test. SRV 2 0 2526 h12.test.
_smtp._tcp.nosrv.test. SRV 0 0 0 .
badmx.test. MX 10 192.0.2.11.
lit.test. MX 10 noaddr.test.
short.sub.wide.test. MX 1 h11.test.
host.wide.test. A 192.0.2.12
lo.test. A 127.0.0.1
zero.test. A 0.0.0.0
six.test. AAAA 2001:db8::1
mix.test. MX 10 lo.test.
mix.test. MX 10 h11.test.
under_score.test. MX 10 h12.test.
equal.test. MX 10 h11.test.
equal.test. MX 10 h12.test.
equal.test. MX 10 me.test.
rw.test. CNAME mx2.test.
Z
head_ <<'E' | new u2a
dns_again_means_nonexist = again.test
dns_check_names_pattern = (?i)^(?>(?(1)\.|())[^\W_](?>[a-z0-9/-]*[^\W_])?)+$
dns_ipv4_lookup = *
local_interfaces = 192.0.2.1.25
hosts_treat_as_local = h99.test
acl_smtp_rcpt = r
acl_smtp_predata = pre
delay_warning = 1h:2h:99d
begin acl
r:
 warn set acl_m0 = $acl_m0:$local_part
 accept verify = recipient/callout=5s,defer_ok,no_cache
  set acl_m_ok = $host/$address_data
  logwrite = v $local_part@$domain h=$host a=$address_data m=$acl_verify_message
 warn !verify = recipient
  logwrite = f $acl_verify_message / $recipient_verify_failure
 deny message = ${if eq{$acl_verify_message}{}{none}{$acl_verify_message}}
pre:
 accept logwrite = pre $acl_m0 $recipients_count
begin routers
chain1:
 driver = redirect
 local_parts = c1
 address_data = one
 data = c2@$domain
 redirect_router = chain2
chain0:
 driver = accept
 local_parts = c1 : c2
 address_data = zero $address_data
 condition = no
 transport = l
chain2:
 driver = redirect
 local_parts = c2 : c3 : c4
 address_data = two:$address_data
 data = ${if eq{$local_part}{c2}{c3@$domain, c4@$domain}}
 repeat_use = no
 redirect_router = chain2
chain3:
 driver = accept
 local_parts = c2: c3 : c4
 address_data = three:$address_data
 condition = ${if eq{$local_part}{c4}}
 condition = ${if match{$address_data}{two}}
 transport = l
 address_test = no
more_:
 driver = accept
 local_parts = m1 : m2
 condition = false
 more = ${if eq{$local_part}{m1}{no}{yes}}
 cannot_route_message = more stopped $local_part
 transport = l
pass_:
 driver = redirect
 local_parts = p1 : p2 : p3
 data = ${if eq{$local_part}{p1}{:pass:}{${if eq{$local_part}{p2}{:unknown: x}{:blackhole:}}}}
 allow_fail
 pass_router = passed
 fallback_hosts = 192.0.2.12
fails:
 driver = redirect
 local_parts = f1 : f2 : f3 : f4
 allow_fail
 allow_defer
 allow_freeze
 data = ${if eq{$local_part}{f1}{:fail:451 4.2.1 soft}{${if eq{$local_part}{f2}{:fail:550-5.1.1 one\n550 two}{${if eq{$local_part}{f3}{:defer:550 hard}{${if def:sender_host_address{:defer: x}{:freeze: cold}}}}}}}}
 forbid_smtp_code = no
passed:
 driver = accept
 local_parts = p1 : x1
 address_data = passed
 transport = l
lit:
 driver = ipliteral
 domains = ! @mx_any/ignore=192.0.2.12
 self = pass
 pass_router = self_
 transport = s
prim:
 driver = accept
 domains = @mx_primary : @[]
 local_parts = prim
 transport = l
 headers_add = X-D: $domain_data
sec:
 driver = dnslookup
 domains = @mx_secondary
 local_parts = sec
 transport = s
 self = send
reroute:
 driver = dnslookup
 local_parts = rr
 domains = !other.test
 self = reroute: other.test
 transport = s
rrw:
 driver = dnslookup
 local_parts = rw
 self = reroute: rewrite: other.test
 rewrite_headers = false
 transport = s
 fail_defer_domains = fd.test
fr:
 driver = dnslookup
 local_parts = fr
 self = freeze
 transport = s
fl:
 driver = dnslookup
 local_parts = fl
 self = fail
 check_secondary_mx
 transport = s
srv:
 driver = dnslookup
 local_parts = srv
 check_srv = smtp
 srv_fail_domains = nosrv.test
 mx_domains = ! nomx.test
 mx_fail_domains = *.test
 transport = s
 self = pass
wide:
 driver = dnslookup
 local_parts = w
 widen_domains = sub.wide.test : wide.test
 qualify_single
 search_parents
 ignore_target_hosts = <; 192.0.2.12 ; 127.0.0.0/8 ; 0.0.0.0 ; ::1
 same_domain_copy_routing
 transport = s

rest:
 driver = dnslookup
 domains = ! far.test
 ignore_target_hosts = 0.0.0.0 : 127.0.0.0/8
 transport = s
 self = pass
 cannot_route_message = nothing for $domain ($local_part)
 no_more
self_:
 driver = accept
 address_data = $self_hostname
 transport = l
begin transports
l:
 driver = appendfile
 file = /var/mail/box
 user = mail
 headers_add = X-Data: $address_data $self_hostname $original_local_part@$original_domain $parent_local_part@$parent_domain
s:
 driver = smtp
 hosts_try_fastopen =
 connect_timeout = 1s
 port = 25
 fallback_hosts = 192.0.2.12
begin retry
lo.test * 
*.test * F,1h,10m
E
host 11 rcpt:bad@mx2.test='550 no' show=1
host 12 rcpt:w@host.wide.test='450 later' show=1
ADDRS='c1@me.test c2@me.test c3@me.test c4@far.test m1@me.test m2@me.test p1@me.test p2@me.test p3@me.test f1@me.test f2@me.test f3@far.test f4@far.test x1@me.test u@[192.0.2.12] u@[192.0.2.1] u@[127.0.0.1] u@[IPv6:::1] prim@me.test prim@[192.0.2.1] sec@mx2.test rr@mx2.test rr@self.test rw@self.test fr@self.test fl@self.test fl@mx2.test srv@srv.test srv@nosrv.test srv@nomx.test srv@me.test srv@mx2.test w@host w@short w@sub.wide.test w@lo w@lo.test w@zero.test x@null.test x@nomx.test x@cn.test x@cnloop.test x@a.b.wide.test x@badmx.test x@lit.test x@mix.test x@six.test x@under_score.test x@equal.test rw@rw.test rw@fd.test x@none.test x@far.test x@again.test bad@mx2.test'
SENDERS="s@nomx.test x@null.test"
SENDER=s@mx2.test
battery
gone 11; gone 12
