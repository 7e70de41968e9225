//! Variables of an incoming SMTP connection.

use eximious_core::{Str, Variable};

use super::record::{computed, variable};

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "local_scan_data",
        Slot,
        Result,
        "What the local scan function returned for the message.",
        source("specification 11.9, 46")
    ),
    variable!(
        "lookup_dnssec_authenticated",
        Slot,
        Clean,
        "Whether the last DNS lookup was authenticated: `yes`, `no`, or empty.",
        docs("Empty where DNSSEC was not asked for.")
    ),
    variable!(
        "ldap_dn",
        Slot,
        Result,
        "The distinguished name of the last entry that an LDAP lookup found."
    ),
    variable!(
        "prdr_requested",
        SlotWith("no"),
        Clean,
        "Whether the client wants a reply for each recipient (PRDR): `yes` or `no`."
    ),
    variable!(
        "received_ip_address",
        Slot,
        Clean,
        "The local IP address that the client connected to.",
        aliases(&["interface_address"]),
        docs(
            "A host with several addresses can behave like several hosts by it: pick a \
             certificate, a banner, a set of ACLs. It is saved with the message."
        )
    ),
    variable!(
        "received_port",
        SlotWith("-1"),
        Clean,
        "The local port that the client connected to; -1 where there is none.",
        aliases(&["interface_port"]),
        docs(
            "It tells a submission from mail of other servers: \
             `${if inlist{$received_port}{587:465}}`. It is saved with the message."
        )
    ),
    variable!(
        "received_protocol",
        Slot,
        Clean,
        "How the message was received: `esmtps`, `esmtpsa`, `smtp`, `local`, …",
        docs(
            "`smtp` for HELO or `esmtp` for EHLO, then `s` where the connection is encrypted \
             and `a` where the client authenticated. Local programs give `local`, or what `-oMr` \
             says: scanners that hand a message back use that to mark it."
        )
    ),
    variable!(
        "received_time",
        SlotWith("0"),
        Clean,
        "When the message was received, in seconds since 1970."
    ),
    computed!(
        "max_received_linelength",
        NONE,
        Clean,
        "The length of the longest line that was received in the message, in bytes.",
        |call| {
            let Some(message) = call.message() else { return Ok(Str::fixed("0")) };
            let lines = message.headers.iter().map(|header| header.line.as_slice());
            let lines = lines.flat_map(|text| text.split(|c| *c == b'\n'));
            let longest = lines.map(<[u8]>::len).max().unwrap_or(0) as u64;
            Ok(Str::from(longest.max(message.body.longest_line()).to_string()))
        },
        docs(
            "Line ends are not counted. RFC 5322 allows 998 bytes, and some servers refuse more: \
             `deny condition = ${if >{$max_received_linelength}{998}}` in the DATA ACL keeps \
             bounces at bay."
        )
    ),
    variable!(
        "runrc",
        SlotWith("0"),
        Clean,
        "The exit code of the last command that `${run…}` ran.",
        docs(
            "Set by each `run`. In a router or transport options are expanded in no fixed \
             order, so use it in the expansion that has the `run`."
        ),
        source("specification 11.5, 11.9")
    ),
    variable!(
        "smtp_command",
        Slot,
        Tainted,
        "The SMTP command at hand, the whole line.",
        docs(
            "Shows what the parsed variables don't: the parameters of MAIL, spaces, the address \
             of RCPT before any rewriting."
        )
    ),
    variable!(
        "smtp_command_argument",
        Slot,
        Tainted,
        "What follows the name of the SMTP command at hand, without leading space.",
        docs("In the ACLs of ETRN, VRFY and EXPN it is what the client asks for.")
    ),
    variable!(
        "smtp_command_history",
        Slot,
        Clean,
        "The last SMTP commands of the connection, without arguments, separated by commas.",
        docs("The oldest first: `EHLO,AUTH,MAIL,RCPT,DATA`. Only some are remembered.")
    ),
    variable!(
        "smtp_count_at_connection_start",
        SlotWith("0"),
        Clean,
        "How many SMTP connections the daemon had when this one came, itself included."
    ),
    variable!(
        "smtp_notquit_reason",
        Slot,
        Clean,
        "Why the connection ended without QUIT, as a word.",
        docs(
            "For the ACL `acl_smtp_notquit`: `connection-lost`, `command-timeout`, \
             `data-timeout`, `acl-drop`, `bad-commands`, `synchronization-error`, `tls-failed`, \
             `signal-exit`, `local-scan-error` or `local-scan-timeout`."
        ),
        source("specification 44.2.10")
    ),
];
