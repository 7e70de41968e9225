//! The transport smtp.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Transport, "smtp", "specification 30.4");

pub(super) static ALL: &[OptionDef] = &[
    AT.yes("address_retry_include_sender")
        .summary("Keeps failures of a recipient apart by sender."),
    AT.no("allow_localhost").summary("Delivers even to this host."),
    AT.text("arc_sign")
        .expanded()
        .since("4.91")
        .source("experimental features")
        .summary("Seals the message (ARC): an identity, a selector, a key, options.")
        .docs(
            "A list: `hop.example : sel : /etc/arc.pem : timestamps,expire=+604800`. What the \
             topmost `Authentication-Results` header line says is sealed; it has to be of the same \
             identity. `timestamps` gives the time (`t=`), `expire` an end (`x=`): a month from \
             now, a number of seconds from now (`=+…`), or a time (`=…`). Where no seal can be \
             made, the message leaves without one, and the panic log says why.",
        ),
    AT.text("authenticated_sender").expanded().summary("The address for AUTH= on MAIL."),
    AT.no("authenticated_sender_force").summary("Sends AUTH= even without having authenticated."),
    AT.time("command_timeout")
        .default("5m")
        .summary("How long the answer to a command is waited for."),
    AT.time("connect_timeout")
        .default("5m")
        .summary("How long a connection is waited for; zero leaves it to the system."),
    AT.integer("connection_max_messages")
        .default("500")
        .summary("How many messages go over one connection; zero for no limit.")
        .docs(
            "A connection that has taken a message is used for those that wait for its host, \
             by the hints `wait-TRANSPORT`, and in a daemon for those that come next. The \
             server may say that it takes fewer (LIMITS, RFC 9422).",
        ),
    AT.text("dane_require_tls_ciphers")
        .expanded()
        .since("4.91")
        .summary("The ciphers that may be used where DANE is in force."),
    AT.time("data_timeout")
        .default("5m")
        .summary("How long the sending of a block of data may take."),
    AT.yes("delay_after_cutoff")
        .summary("Whether hosts that have long been down are left alone until their next time."),
    AT.text("dkim_canon")
        .expanded()
        .source("specification 58.1")
        .summary("How the message is normalized for signing: `relaxed` or `simple`.")
        .docs("`relaxed` where it is unset. Both headers and body are treated so."),
    AT.list("dkim_domain")
        .expanded()
        .source("specification 58.1")
        .summary("Domains that sign the message (DKIM).")
        .docs(
            "Without domain, selector and key nothing is signed. `$dkim_domain` holds each while \
             the other options are expanded.",
        ),
    AT.text("dkim_hash")
        .expanded()
        .default("sha256")
        .source("specification 58.1")
        .summary("The hash for signing: `sha256`, `sha512`, `sha1`."),
    AT.text("dkim_identity")
        .expanded()
        .source("specification 58.1")
        .summary("The signature's identity, its tag `i=`."),
    AT.text("dkim_private_key")
        .expanded()
        .source("specification 58.1")
        .summary("The key for signing: a file's path, or the key.")
        .docs("`0`, `false` or nothing leaves the message unsigned."),
    AT.list("dkim_selector")
        .expanded()
        .source("specification 58.1")
        .summary("Selectors that sign the message.")
        .docs("`$dkim_selector` holds each while the key is expanded."),
    AT.text("dkim_sign_headers")
        .expanded()
        .source("specification 58.1")
        .summary("Names of headers that are signed.")
        .docs(
            "By default those that RFC 4871 recommends, as in `_DKIM_SIGN_HEADERS`. An equals \
             sign before a name signs all headers of that name; a plus sign also their absence, \
             which keeps others from adding one.",
        ),
    AT.text("dkim_strict")
        .expanded()
        .source("specification 58.1")
        .summary("Defers where signing fails: `1` or `true`."),
    AT.text("dkim_timestamps")
        .expanded()
        .since("4.92")
        .source("specification 58.1")
        .summary("Seconds until the signature expires; zero for a time stamp without an end."),
    AT.yes("dns_qualify_single").summary("Lets the resolver complete a host's name of one word."),
    AT.no("dns_search_parents").summary("Lets the resolver look for a host in its parents."),
    AT.domains("dnssec_request_domains")
        .default("*")
        .summary("Domains for which lookups of hosts ask for proofs (DNSSEC)."),
    AT.domains("dnssec_require_domains")
        .summary("Domains for which lookups of hosts are believed with a proof only (DNSSEC)."),
    AT.text("dscp").expanded().summary("The mark for traffic (DSCP) on connections."),
    AT.list("fallback_hosts")
        .expanded()
        .summary("Hosts to try when all others have failed for a time.")
        .docs("4.98.2 doesn't expand it."),
    AT.time("final_timeout")
        .default("10m")
        .summary("How long the answer to the end of the data is waited for."),
    AT.no("gethostbyname").summary("Asks the system, not the DNS, for addresses of hosts."),
    AT.no("gnutls_compat_mode")
        .idle("TLS is done by another library")
        .summary("Makes TLS kinder to old servers, and less secure."),
    AT.text("helo_data")
        .expanded()
        .default("$primary_hostname")
        .summary("The name to say in EHLO.")
        .docs("`$sending_ip_address` and `$host` are known when it is expanded."),
    AT.list("host_name_extract")
        .expanded()
        .varies()
        .since("4.96")
        .summary(
            "Takes from a server's first answers the name that its TLS sessions are kept under.",
        )
        .docs(
            "Hosts behind a balancer of load share an address, but not their sessions. Where it \
             is unset, the program knows Outlook's servers by itself.",
        ),
    AT.list("hosts")
        .expanded()
        .summary("Hosts to deliver to, where the router gave none.")
        .docs("Each may have a port: `host:587`, or `[2001:db8::1]:587`. They are tried in order."),
    AT.hosts("hosts_avoid_esmtp").summary("Hosts that get HELO, not EHLO."),
    AT.hosts("hosts_avoid_pipelining").summary("Hosts that get one command at a time."),
    AT.hosts("hosts_avoid_tls").summary("Hosts that don't get STARTTLS."),
    AT.integer("hosts_max_try")
        .default("5")
        .summary("How many addresses of hosts are tried when each one fails for a time."),
    AT.integer("hosts_max_try_hardlimit")
        .default("50")
        .summary("How many addresses of hosts are tried at the most."),
    AT.hosts("hosts_nopass_tls")
        .summary("Hosts whose connections, once encrypted, are not used for further messages."),
    AT.hosts("hosts_noproxy_tls")
        .idle("connections are not passed to other processes")
        .summary("Hosts whose encrypted connections are not handed on through a helping process."),
    AT.no("hosts_override")
        .summary("Delivers to `hosts` even where the router gave some.")
        .docs("Without it `hosts` counts only for an address without hosts."),
    AT.hosts("hosts_pipe_connect")
        .since("4.93")
        .summary("Hosts that may get commands before their greeting (PIPECONNECT)."),
    AT.expanded_no("hosts_randomize")
        .summary("Shuffles hosts that have no order from the DNS.")
        .docs("4.98.2 doesn't expand it."),
    AT.hosts("hosts_request_ocsp")
        .default("*")
        .summary("Hosts that are asked to prove that their certificate is valid (OCSP).")
        .docs("With DANE, only where the TLSA record leaves room for it."),
    AT.hosts("hosts_require_alpn")
        .since("4.95")
        .summary("Hosts that must agree on a protocol name (ALPN)."),
    AT.hosts("hosts_require_auth").summary("Hosts that get mail only after authentication."),
    AT.hosts("hosts_require_dane")
        .since("4.91")
        .summary("Hosts that get mail only where DANE is in force."),
    AT.hosts("hosts_require_ocsp")
        .summary("Hosts that must prove that their certificate is valid (OCSP)."),
    AT.hosts("hosts_require_tls").summary("Hosts that get mail over TLS only."),
    AT.hosts("hosts_try_auth").summary("Hosts to authenticate with where they offer it.").docs(
        "Without success the mail goes out all the same, unless `hosts_require_auth` matches.",
    ),
    AT.hosts("hosts_try_chunking")
        .default("*")
        .summary("Hosts that get BDAT where they offer CHUNKING."),
    AT.hosts("hosts_try_dane")
        .default("*")
        .since("4.91")
        .summary("Hosts for which TLSA records are looked up."),
    AT.hosts("hosts_try_fastopen")
        .default("*")
        .summary("Hosts that get data with the first packet, where the system knows how."),
    AT.hosts("hosts_try_prdr")
        .default("*")
        .summary("Hosts that are asked for an answer for each recipient (PRDR)."),
    AT.hosts("hosts_verify_avoid_tls").summary("Hosts that don't get STARTTLS in callouts."),
    AT.list("interface").expanded().summary("The address to connect from.").docs(
        "It is an IP address. Of several, the first of the right family counts; for IPv6, a \
             semicolon is the better separator: `<; 192.0.2.1 ; 2001:db8::1`.",
    ),
    AT.yes("keepalive").summary("Sets SO_KEEPALIVE on connections."),
    AT.no("lmtp_ignore_quota").summary("Adds IGNOREQUOTA to RCPT where an LMTP server knows it."),
    AT.text("max_rcpt")
        .expanded()
        .default("100")
        .summary("How many recipients a transaction has at most; zero for no limit."),
    AT.integer("message_linelength_limit")
        .default("998")
        .since("4.95")
        .summary("The longest line that is sent; a longer one fails the delivery."),
    AT.domains("mta_sts_domains")
        .unprinted()
        .summary("Domains whose policies for mail that comes to them are followed (MTA-STS).")
        .docs(
            "A policy (RFC 8461) is looked for at `_mta-sts.DOMAIN`, fetched by HTTPS from \
             `mta-sts.DOMAIN`, and kept in the hints for as long as it says, also where it can't \
             be fetched any more. A daemon fetches it anew each day, also without any mail, for \
             a month after the last. Where it says `enforce`, mail goes to hosts of the policy only, \
             over TLS, with a certificate for the host from an authority in \
             `tls_verify_certificates`; otherwise it waits. Where it says `testing`, the main log \
             tells what would be wrong. DANE comes first where the DNS has records for it. It is \
             for transports that deliver to hosts of MX records. Each message has the recipients \
             of one domain then.",
        )
        .source("eximious alone has the option"),
    AT.expanded_yes("multi_domain")
        .summary("Whether recipients of several domains go in one transaction."),
    AT.text("port").expanded().default("25").varies().summary("The port to connect to.").docs(
        "By default 25; where `protocol` is set, the service of that name: `smtp`, `smtps`, \
             `lmtp`. In 4.98.2 it is `smtp` in place of 25.",
    ),
    AT.text("protocol")
        .expanded()
        .summary("What is spoken: `smtp`, `lmtp`, or `smtps` for TLS from the start.")
        .docs(
            "`smtp` where it is unset. 4.98.2 shows that word as the default, and doesn't expand \
             the value.",
        ),
    AT.expanded_yes("retry_include_ip_address")
        .summary("Keeps failures of a host apart by IP address."),
    AT.hosts("serialize_hosts").summary("Hosts that get one connection at a time."),
    AT.integer("size_addition").default("1024").summary(
        "What is added to the size on MAIL, for headers that come on the way; negative: no \
             size.",
    ),
    AT.text("socks_proxy")
        .expanded()
        .summary("SOCKS proxies to connect through, each with its parameters.")
        .docs(
            "For example `198.51.100.1 port=1080 pri=1`. Where it expands to nothing, there is \
             no proxy (since 4.99).",
        ),
    AT.text("tls_alpn").expanded().since("4.95").summary("The protocol name (ALPN) to ask for."),
    AT.text("tls_certificate").expanded().summary("The client's certificate."),
    AT.text("tls_crl").expanded().summary("A file of revoked certificates."),
    AT.integer("tls_dh_min_bits")
        .default("1024")
        .summary("The least number of bits that a Diffie-Hellman exchange must have.")
        .docs("OpenSSL refuses less than 2048 by itself, unless `tls_require_ciphers` has it lower its level."),
    AT.list("tls_eccurve").expanded().since("4.100").summary("The groups for key exchange."),
    AT.text("tls_privatekey").expanded().summary("The key of the client's certificate."),
    AT.text("tls_require_ciphers").expanded().summary("The ciphers that may be used."),
    AT.hosts("tls_resumption_hosts")
        .since("4.95")
        .summary("Hosts whose TLS sessions are taken up again."),
    AT.text("tls_sni").expanded().summary("The name to ask for (SNI)."),
    AT.yes("tls_tempfail_tryclear")
        .summary("Whether a message goes out in the clear when TLS can't be set up."),
    AT.hosts("tls_try_verify_hosts")
        .default("*")
        .summary("Hosts whose certificate is checked, but need not be good."),
    AT.hosts("tls_verify_cert_hostnames")
        .default("*")
        .summary("Hosts whose certificate must bear their name."),
    AT.text("tls_verify_certificates")
        .expanded()
        .default("system")
        .summary("What certificates are checked against: `system`, or a file or directory."),
    AT.hosts("tls_verify_hosts").summary("Hosts whose certificate must be good."),
    AT.domains("tlsrpt_domains")
        .unprinted()
        .summary("Domains of whose hosts it is noted what came of TLS with them (TLS-RPT).")
        .docs(
            "What was noted of a day becomes a report (RFC 8460) by `eximious tlsrpt`.",
        )
        .source("eximious alone has the option"),
    AT.text("utf8_downconvert").expanded().default("-1").since("4.92").summary(
        "Whether UTF-8 addresses become ASCII: 1 always, 0 never, -1 where the server lacks \
             SMTPUTF8.",
    ),
];
