//! The router iplookup.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Router, "iplookup", "specification 19");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("hosts").summary("Hosts that are asked, one after the other."),
    AT.no("optional").summary("Goes on to the next router when no host answers."),
    AT.integer("port").default("0").summary("The port of the hosts that are asked."),
    AT.text("protocol")
        .summary("How they are asked: `udp` or `tcp`.")
        .docs("`udp` where it is unset."),
    AT.text("query").expanded().summary("What they are asked.").docs(
        "Where it is unset: the address, twice, so that the answer shows what it belongs to.",
    ),
    AT.text("reroute")
        .expanded()
        .summary("The address that the router makes; by default the answer itself.")
        .docs(
            "The answer is in `$0`, and what `response_pattern` captures in `$1` and so on. Exim \
             heeds no more than the first seven bytes of an answer, and so does this router.",
        ),
    AT.text("response_pattern")
        .summary("A regular expression that an answer must match.")
        .docs("It is matched against the first seven bytes of the answer, as in Exim."),
    AT.time("timeout").default("5s").summary("How long an answer is waited for."),
];
