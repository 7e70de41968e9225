//! Variables of an ACL that runs: its arguments, and what it found out. The
//! values that `set` puts there are in `families.rs`.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "acl_arg1",
        Slot,
        Result,
        "The first argument of the ACL that was called; empty where there is none.",
        docs(
            "An ACL that is called by the `acl` condition, modifier or item gets up to nine \
             arguments, `$acl_arg1` to `$acl_arg9`; how many there are is in `$acl_narg`. Each \
             keeps the taint that it came with. A nested call sees its own arguments, and the \
             caller's are back when it ends."
        ),
        source("specification 11.5, 11.9")
    ),
    variable!("acl_arg2", Slot, Result, "The second argument of the ACL that was called."),
    variable!("acl_arg3", Slot, Result, "The third argument of the ACL that was called."),
    variable!("acl_arg4", Slot, Result, "The fourth argument of the ACL that was called."),
    variable!("acl_arg5", Slot, Result, "The fifth argument of the ACL that was called."),
    variable!("acl_arg6", Slot, Result, "The sixth argument of the ACL that was called."),
    variable!("acl_arg7", Slot, Result, "The seventh argument of the ACL that was called."),
    variable!("acl_arg8", Slot, Result, "The eighth argument of the ACL that was called."),
    variable!("acl_arg9", Slot, Result, "The ninth argument of the ACL that was called."),
    variable!(
        "acl_narg",
        SlotWith("0"),
        Clean,
        "How many arguments the ACL at hand was called with, 0 to 9.",
        docs(
            "Lets an ACL tell an argument that is empty from one that was not given. Outside \
             of a called ACL it is 0."
        )
    ),
    variable!(
        "acl_verify_message",
        Slot,
        Clean,
        "Why the last `verify` failed, as a message for people.",
        docs(
            "A failed `verify` condition leaves its explanation here, for the modifiers of the \
             same ACL statement: `message = rejected: $acl_verify_message`. At the end of the \
             statement it is empty again; `set acl_m0 = $acl_verify_message` keeps it. After a \
             callout it can quote what the other server said."
        )
    ),
    variable!(
        "csa_status",
        Slot,
        Clean,
        "What `verify = csa` found: `ok`, `unknown`, `defer` or `fail`.",
        source("specification 44.26")
    ),
    variable!(
        "recipient_verify_failure",
        Slot,
        Clean,
        "Where a recipient's verification failed, as one word.",
        docs(
            "One of `qualify` (the address has no domain), `route` (no router took it), \
             `mail` (the callout got no further than MAIL), `recipient` (the callout's RCPT was \
             refused), or `postmaster` (its check of the postmaster was refused). It tells \
             apart whether the other server refused the recipient or us."
        )
    ),
    variable!(
        "sender_verify_failure",
        Slot,
        Clean,
        "Where the sender's verification failed: a word as in `$recipient_verify_failure`."
    ),
    variable!(
        "sender_rate",
        Slot,
        Clean,
        "The rate that `ratelimit` computed, a number with one decimal.",
        docs(
            "The `ratelimit` condition sets this to the key's smoothed rate per period, whether \
             or not the limit is passed; `$sender_rate_limit` and `$sender_rate_period` repeat \
             the condition's own limit and period. Together they make a log line: \
             `$sender_rate / $sender_rate_period (max $sender_rate_limit)`."
        ),
        source("specification 44.20")
    ),
    variable!(
        "sender_rate_limit",
        Slot,
        Clean,
        "The limit of the last `ratelimit`, as a number.",
        source("specification 44.20")
    ),
    variable!(
        "sender_rate_period",
        Slot,
        Clean,
        "The period of the last `ratelimit`, as it is written: `1h`.",
        source("specification 44.20")
    ),
    variable!(
        "verify_mode",
        Slot,
        Clean,
        "`S` or `R` while a sender or a recipient is verified by routing.",
        docs(
            "Empty in a real delivery. Routers and transports can ask it to behave otherwise \
             when an address is only checked: `condition = ${if !eq{$verify_mode}{S}}`. It has \
             a value during cutthrough deliveries too."
        )
    ),
];
