//! Variables that `verify = arc` sets.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "arc_domains",
        Slot,
        Tainted,
        "The domains of the ARC chain that was verified, a colon-separated list, oldest first.",
        since("4.92"),
        source("experimental: ARC; RFC 8617")
    ),
    variable!(
        "arc_oldest_pass",
        Slot,
        Clean,
        "The lowest instance number from which the ARC chain passes.",
        docs(
            "It is 1 where the message signatures of all hops are good. `arc.oldest-pass` of \
             `${authresults}` is 0 then, as RFC 8617 has it."
        ),
        since("4.92"),
        source("experimental: ARC; RFC 8617")
    ),
    variable!(
        "arc_state",
        Slot,
        Clean,
        "The state of the ARC chain: `none`, `pass` or `fail`; `temperror` where a key can't be had \
         now.",
        docs(
            "Set when `verify = arc` has run. Without a chain it is `none`; a chain of which \
             every seal and the newest message signature hold is `pass`. \
             `$arc_state_reason` says more about a failure."
        ),
        since("4.91"),
        source("experimental: ARC; RFC 8617")
    ),
    variable!(
        "arc_state_reason",
        Slot,
        Result,
        "Why the ARC chain failed.",
        since("4.91"),
        source("experimental: ARC; RFC 8617")
    ),
];
