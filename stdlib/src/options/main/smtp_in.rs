//! Main options: SMTP from clients that connect.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.yes("accept_8bitmime").summary("Offers 8BITMIME, and takes BODY= on MAIL.").docs(
        "Bodies with 8-bit characters are accepted and passed on as they are, whatever it \
             says.",
    ),
    AT.hosts("auth_advertise_hosts")
        .default("*")
        .summary("Hosts to which AUTH is offered.")
        .docs("Expanded at each EHLO: `${if eq{$tls_in_cipher}{}{}{*}}` offers it over TLS only."),
    AT.hosts("chunking_advertise_hosts")
        .default("*")
        .summary("Hosts to which CHUNKING is offered."),
    AT.hosts("helo_accept_junk_hosts")
        .summary("Hosts that may say HELO with something that is no name."),
    AT.text("helo_allow_chars").summary(
        "Characters that a name in HELO may have besides letters, digits, hyphens and dots.",
    ),
    AT.domains("helo_lookup_domains")
        .default("@ : @[]")
        .summary("Names in HELO for which the client's true name is looked up."),
    AT.hosts("helo_try_verify_hosts")
        .summary("Hosts whose HELO is checked, without a refusal.")
        .docs("An ACL with `verify = helo` does better."),
    AT.hosts("helo_verify_hosts")
        .summary("Hosts that are refused unless their HELO is true.")
        .docs("An ACL with `verify = helo` does better."),
    AT.hosts("host_lookup").summary("Hosts whose name is looked up when they connect.").docs(
        "Elsewhere the name is looked up when something asks for it. `$sender_host_name` \
             holds a name only if it leads back to the address.",
    ),
    AT.list("host_lookup_order")
        .default("bydns:byaddr")
        .summary("Where a host's name is looked up first: `bydns`, `byaddr`."),
    AT.hosts("host_reject_connection")
        .summary("Hosts that are refused at once.")
        .docs("The ACL for connections does better."),
    AT.hosts("hosts_proxy")
        .aliases(&["proxy_required_hosts"])
        .summary("Hosts that speak the proxy protocol before SMTP.")
        .docs(
            "Such a host is a proxy in front of this one. The client's address is what the proxy \
             says, and the proxy's own is in `$proxy_external_address` and its kin.",
        ),
    AT.hosts("hosts_require_helo")
        .default("*")
        .since("4.95")
        .summary("Hosts that must say HELO or EHLO before MAIL."),
    AT.hosts("hosts_xclient")
        .source("experimental features")
        .since("4.99")
        .summary("Hosts that may say XCLIENT, and with it who the real client is."),
    AT.hosts("limits_advertise_hosts")
        .default("*")
        .since("4.98")
        .summary("Hosts to which LIMITS is offered."),
    AT.hosts("pipelining_advertise_hosts")
        .default("*")
        .summary("Hosts to which PIPELINING is offered."),
    AT.hosts("pipelining_connect_advertise_hosts")
        .default("*")
        .since("4.92")
        .summary("Hosts that may send commands before the greeting (PIPECONNECT)."),
    AT.no("prdr_enable").summary("Offers PRDR: an answer for each recipient after the data."),
    AT.time("proxy_protocol_timeout")
        .default("3s")
        .since("4.95")
        .summary("How long the proxy's own greeting is waited for."),
    AT.hosts("rfc1413_hosts")
        .default("@[]")
        .summary("Hosts that are asked who the user is (RFC 1413)."),
    AT.integer("rfc1413_port")
        .default("113")
        .since("4.100")
        .summary("The port that is asked who the user is."),
    AT.time("rfc1413_query_timeout")
        .default("0s")
        .summary("How long such an answer is waited for; zero asks nobody."),
    AT.yes("smtp_accept_keepalive").summary("Sets SO_KEEPALIVE on incoming connections."),
    AT.integer("smtp_accept_max")
        .default("20")
        .summary("How many incoming connections there may be at the same time; zero for no limit."),
    AT.integer("smtp_accept_max_nonmail")
        .default("10")
        .summary("How many commands that bring no mail forward a client may send.")
        .docs(
            "A first HELO, EHLO, STARTTLS, RSET and AUTH don't count, nor do MAIL, RCPT, DATA \
             and QUIT.",
        ),
    AT.hosts("smtp_accept_max_nonmail_hosts")
        .default("*")
        .summary("Hosts for which `smtp_accept_max_nonmail` counts."),
    AT.text("smtp_accept_max_per_connection")
        .expanded()
        .default("1000")
        .summary("How many messages one connection may bring; zero for no limit."),
    AT.text("smtp_accept_max_per_host")
        .expanded()
        .summary("How many connections one address may have at the same time.")
        .docs("Expanded when a client connects."),
    AT.integer("smtp_accept_queue")
        .default("0")
        .summary("The number of connections above which messages are only queued."),
    AT.integer("smtp_accept_queue_per_connection")
        .default("10")
        .summary("The number of messages of a connection above which they are only queued."),
    AT.integer("smtp_accept_reserve")
        .default("0")
        .summary("How many of `smtp_accept_max` connections are kept for `smtp_reserve_hosts`."),
    AT.text("smtp_active_hostname")
        .expanded()
        .summary("The name that this host goes by in a connection.")
        .docs("Expanded when a client connects, for hosts of several names."),
    AT.text("smtp_banner")
        .expanded()
        .default("$smtp_active_hostname ESMTP Exim $version_number $tod_full")
        .summary("The greeting, after its number.")
        .docs(
            "It must begin with the host's name. A newline in it makes a greeting of several \
             lines.",
        ),
    AT.yes("smtp_check_spool_space")
        .summary("Checks the room on the disk when MAIL says how large the message is."),
    AT.yes("smtp_enforce_sync")
        .summary("Refuses clients that send commands before it is their turn.")
        .docs("An ACL may say otherwise with `control = no_enforce_sync`."),
    AT.text("smtp_etrn_command")
        .expanded()
        .summary("The command that ETRN runs in place of a queue run."),
    AT.yes("smtp_etrn_serialize").summary("Whether equal ETRN commands run one at a time."),
    AT.fixed("smtp_load_reserve")
        .summary("The load average above which only `smtp_reserve_hosts` may connect."),
    AT.integer("smtp_max_synprot_errors")
        .default("3")
        .summary("How many errors of syntax a client may make before it is cut off."),
    AT.integer("smtp_max_unknown_commands")
        .default("3")
        .summary("How many unknown commands a client may send before it is cut off."),
    AT.hosts("smtp_ratelimit_hosts").summary("Hosts that are slowed down when they send too much."),
    AT.text("smtp_ratelimit_mail")
        .summary("From how many messages on a client waits, and how long.")
        .docs("Four values: the number, a time, a factor for each further one, a maximum."),
    AT.text("smtp_ratelimit_rcpt")
        .summary("From how many recipients on a client waits, and how long.")
        .docs("Written like `smtp_ratelimit_mail`."),
    AT.expanded_time("smtp_receive_timeout")
        .default("5m")
        .summary("How long a line from a client is waited for."),
    AT.hosts("smtp_reserve_hosts").summary("Hosts for which connections are kept free."),
    AT.no("smtp_return_error_details")
        .summary("Tells clients why they are refused in more detail."),
    AT.hosts("smtputf8_advertise_hosts")
        .default("*")
        .summary("Hosts to which SMTPUTF8 is offered."),
    AT.hosts("wellknown_advertise_hosts")
        .since("4.98")
        .summary("Hosts to which WELLKNOWN is offered."),
];
