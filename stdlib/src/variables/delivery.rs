//! Variables of routing and delivery: which driver runs, and where to.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "address_data",
        Slot,
        Result,
        "What the `address_data` option of a router left with the address.",
        docs(
            "Set by a router, it stays with the address through later routers and the transport; \
             a transport that handles several addresses sees the first one's. In an ACL it has a \
             value after `verify = recipient`, until the end of the statement; what a verified \
             sender's routing left is in `$sender_address_data`. Its taint is that of the \
             option's expansion."
        )
    ),
    variable!(
        "address_file",
        Slot,
        Result,
        "The file name that an alias or a filter directed the message to.",
        docs(
            "Has a value while the transport named by `file_transport` runs: \
             `file = $address_file`. A Sieve filter can put `inbox` or a folder's relative name \
             there, of which the transport has to make a path."
        )
    ),
    variable!(
        "address_pipe",
        Slot,
        Result,
        "The command that an alias or a filter directed the message to.",
        docs(
            "Has a value while the transport named by `pipe_transport` runs. The command stands \
             without the leading vertical bar."
        )
    ),
    variable!(
        "atrn_host",
        Slot,
        Result,
        "The client's address and port after an accepted ATRN command.",
        since("4.99"),
        source("specification 11.9, 49.2.7")
    ),
    variable!(
        "atrn_mode",
        Slot,
        Clean,
        "`P` for the provider of an ATRN exchange, `C` for its customer, else empty.",
        since("4.99"),
        source("specification 11.9, 49.2.6")
    ),
    variable!(
        "bounce_recipient",
        Slot,
        Tainted,
        "Where the bounce goes that is being written.",
        source("specification 11.9, 50.1")
    ),
    variable!(
        "callout_address",
        Slot,
        Clean,
        "The address that a callout, or a scanner's client, connected to.",
        docs(
            "After a callout for verification it is the address of the server that was asked; \
             after `spam` and `malware` the address of the daemon."
        )
    ),
    variable!(
        "home",
        Slot,
        Result,
        "The home directory of the local user, for routers, filters and transports.",
        docs(
            "A router with `check_local_user` sets it from the password file; \
             `router_home_directory` and `transport_home_directory` set it to something else, \
             and a transport's `home_directory` overrides both. So `file = $home/.forward` in a \
             redirect router reads the user's own file. In an ACL it is empty."
        )
    ),
    variable!(
        "host",
        Slot,
        Result,
        "The name of the host that a delivery or an authentication talks to.",
        docs(
            "When a transport starts, it is the first host of the list that the router gave; \
             the smtp transport changes it as it tries one after the other, so `$host` in \
             `hosts_require_tls` or a client authenticator is the server at hand. \
             `$host_address` and `$host_port` go with it."
        ),
        aliases(&["tpda_delivery_fqdn"])
    ),
    variable!(
        "host_address",
        Slot,
        Result,
        "The IP address of the host in `$host`.",
        docs(
            "While `ignore_target_hosts` is evaluated, it is the address that is being looked at."
        ),
        aliases(&["tpda_delivery_ip"])
    ),
    variable!(
        "host_port",
        SlotWith("0"),
        Clean,
        "The TCP port of the host in `$host`; 0 where there is none.",
        aliases(&["tpda_delivery_port"])
    ),
    variable!(
        "inode",
        SlotWith("0"),
        Clean,
        "The inode number of the file just written, while `directory_file` is expanded.",
        source("specification 11.9, 26")
    ),
    variable!(
        "local_user_gid",
        SlotWith("4294967295"),
        Clean,
        "The group of the local user that `check_local_user` found, as a number.",
        docs("Where no router found a user it is 4294967295, which is -1 in 32 bits.")
    ),
    variable!(
        "local_user_uid",
        SlotWith("4294967295"),
        Clean,
        "The user that `check_local_user` found, as a number.",
        docs(
            "Set after the precondition succeeds, so that later preconditions can look at it: \
             `condition = ${if >{$local_user_uid}{999}}` keeps system accounts out. Where no \
             router found a user it is 4294967295, which is -1 in 32 bits."
        )
    ),
    variable!(
        "mailstore_basename",
        Slot,
        Clean,
        "The name of a delivery in mailstore format, without its suffix.",
        source("specification 11.9, 26")
    ),
    variable!(
        "queue_name",
        Slot,
        Clean,
        "The name of the queue that the message is in; empty for the default one."
    ),
    variable!(
        "return_path",
        Slot,
        Tainted,
        "The envelope sender that the message leaves with, without angle brackets.",
        docs(
            "At first it is `$sender_address`; a router's `errors_to` or a transport's \
             `return_path` replaces it, while `$sender_address` remains what was received. It \
             goes into `Return-path:`. For a bounce it is empty."
        )
    ),
    variable!(
        "router_name",
        Slot,
        Clean,
        "The name of the router that runs, or that routed to the transport that runs.",
        docs("In an ACL after `verify = recipient` it names the router that accepted the address.")
    ),
    variable!(
        "self_hostname",
        Slot,
        Result,
        "The name of this host that a router came across, when `self = pass` handed the \
         address on.",
        source("specification 11.9, 15")
    ),
    variable!(
        "sending_ip_address",
        Slot,
        Clean,
        "The local IP address of an outgoing SMTP connection.",
        docs(
            "Set as soon as the connection is up, so `helo_data` can say a name that fits the \
             interface: `${lookup dnsdb{ptr=$sending_ip_address}}`."
        )
    ),
    variable!(
        "sending_port",
        SlotWith("-1"),
        Clean,
        "The local port of an outgoing SMTP connection; -1 where there is none."
    ),
    variable!(
        "transport_name",
        Slot,
        Clean,
        "The name of the transport that runs.",
        docs("Has a value in a transport's options and in events of a delivery.")
    ),
    variable!(
        "warn_message_delay",
        Slot,
        Clean,
        "How long a message has been delayed, in words: `4 hours`.",
        aliases(&["warnmsg_delay"]),
        source("specification 11.9, 50.2")
    ),
    variable!(
        "warn_message_recipients",
        Slot,
        Tainted,
        "Who is told about a delay, a list with commas.",
        aliases(&["warn_message_recipient", "warnmsg_recipient", "warnmsg_recipients"]),
        source("specification 11.9, 50.2")
    ),
];
