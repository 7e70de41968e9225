//! Variables of who sends: the envelope's sender and the client host.

use eximious_core::Variable;

use super::record::{computed, variable};
use crate::hosts;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "connection_id",
        Slot,
        Clean,
        "A name for the accepted connection, for logs.",
        since("4.99")
    ),
    variable!(
        "host_data",
        Slot,
        Result,
        "The data of the lookup by which an ACL's `hosts` matched.",
        docs(
            "`deny hosts = net-iplsearch;/etc/refused` with `message = $host_data` gives each \
             refused host its own message."
        )
    ),
    variable!(
        "host_lookup_deferred",
        SlotWith("0"),
        Clean,
        "1 where the client's name could not be looked up for now.",
        docs(
            "A timeout, for instance; the next reference to `$sender_host_name` tries again. A \
             definite failure sets `$host_lookup_failed` instead."
        )
    ),
    variable!(
        "host_lookup_failed",
        SlotWith("0"),
        Clean,
        "1 where the client's address has no name that leads back to it.",
        docs(
            "Set by the lookup that `host_lookup`, `verify = reverse_host_lookup` or a \
             reference to `$sender_host_name` starts. A name that the reverse lookup finds \
             counts only if its own addresses include the client's."
        )
    ),
    computed!(
        "sender_address",
        NONE,
        Tainted,
        "The envelope's sender, as it was received; empty for a bounce.",
        |call| Ok(call.message().map(|m| m.sender.clone()).unwrap_or_default()),
        docs(
            "The address of the MAIL command, in its own case and without angle brackets. \
             Anybody can write anything there, so it is tainted. An empty value means a bounce: \
             `condition = ${if eq{$sender_address}{}}` or `senders = :`. What the message leaves \
             with is `$return_path`."
        )
    ),
    variable!(
        "sender_address_data",
        Slot,
        Result,
        "What `address_data` of a router left when a sender was verified.",
        docs("It has a value after `verify = sender`, until the end of the ACL statement.")
    ),
    variable!(
        "sender_data",
        Slot,
        Clean,
        "The data of the lookup by which `senders` matched, in an ACL or a router.",
        docs("It stays until the next test of `senders`.")
    ),
    variable!(
        "sender_fullhost",
        Slot,
        Tainted,
        "The client's name, HELO argument and IP address, as one text for people.",
        docs(
            "`mail.example.com [192.0.2.1]` where the address has a verified name, \
             `(helo.name) [192.0.2.1]` where there is only what HELO said, both where they \
             differ. The log shows it after `H=`. It holds what the client said: never take it \
             apart for a decision."
        )
    ),
    variable!(
        "sender_helo_dnssec",
        SlotWith("no"),
        Clean,
        "Whether the DNS data that verified HELO was authenticated: `yes` or `no`."
    ),
    variable!(
        "sender_helo_name",
        Slot,
        Tainted,
        "The argument of HELO or EHLO, as the client said it.",
        docs(
            "It proves nothing until `verify = helo` has been run, but what is plainly wrong \
             tells spam: our own name or address, a bare word, an address without brackets. \
             Compare with `match_domain` or `eqi`. It is empty where the client said neither, \
             and tainted."
        )
    ),
    computed!(
        "sender_helo_verified",
        DNS,
        Clean,
        "Whether HELO names the client, as `verify = helo` has it: `yes` or `no`.",
        hosts::hello_verified,
        docs(
            "It is verified at the first reference, unless `verify = helo` or an option such as \
             `helo_try_verify_hosts` did so before. Without a HELO, and for a message of a local \
             program, it is `no`."
        ),
        since("4.97"),
        source("specification 44.21")
    ),
    variable!(
        "sender_host_address",
        Slot,
        Clean,
        "The IP address of the client; empty for a message of a local program.",
        docs(
            "In its shortest form, without brackets or port: `192.0.2.1`, `2001:db8::1`. It is \
             the one thing about a client that it can't choose, so it is clean and the natural \
             key of `ratelimit`, `dnslists` and `match_ip`. Through a proxy it is the real \
             client's."
        )
    ),
    variable!(
        "sender_host_dnssec",
        SlotWith("no"),
        Clean,
        "Whether the DNS data behind `$sender_host_name` was authenticated: `yes` or `no`."
    ),
    computed!(
        "sender_host_name",
        DNS,
        Tainted,
        "The client's name, found from its address and confirmed by the name's addresses.",
        hosts::client_name,
        docs(
            "It is looked up at the first reference, unless `host_lookup` did so before, in the \
             order of `host_lookup_order`. It is empty where no name leads back to the address; \
             `$host_lookup_failed` and `$host_lookup_deferred` tell why. Whoever owns the address chooses the name, so it \
             is tainted."
        )
    ),
    variable!(
        "sender_host_port",
        SlotWith("0"),
        Clean,
        "The client's TCP port; 0 where there is none."
    ),
    variable!(
        "sender_ident",
        Slot,
        Tainted,
        "What the client host's ident service (RFC 1413) said; locally, the user's login name.",
        docs("With `rfc1413_query_timeout` at 0 nobody asks, and it is empty.")
    ),
    variable!(
        "sender_rcvhost",
        Slot,
        Tainted,
        "The client in the form that `Received:` wants.",
        docs(
            "A verified name with the address in parentheses, or the address in brackets; then \
             what HELO and ident said, where it adds something. Long texts are folded."
        )
    ),
];
