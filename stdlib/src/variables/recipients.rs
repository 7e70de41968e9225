//! Variables of the envelope's recipients.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "rcpt_count",
        SlotWith("0"),
        Clean,
        "How many RCPT commands the message at hand has had.",
        docs(
            "In a RCPT ACL the command at hand counts: \
             `deny condition = ${if >{$rcpt_count}{50}}`. Refused ones count too; \
             `$recipients_count` is how many were accepted."
        )
    ),
    variable!(
        "rcpt_defer_count",
        SlotWith("0"),
        Clean,
        "How many RCPT commands of the message had a 4xx reply."
    ),
    variable!(
        "rcpt_fail_count",
        SlotWith("0"),
        Clean,
        "How many RCPT commands of the message had a 5xx reply.",
        docs(
            "A client that guesses addresses shows here: \
             `drop condition = ${if >{$rcpt_fail_count}{5}}`. The command at hand is not yet \
             counted."
        )
    ),
    variable!(
        "received_for",
        Slot,
        Tainted,
        "The message's only recipient, while `Received:` is made; empty where there are several."
    ),
    variable!(
        "recipient_data",
        Slot,
        Clean,
        "The data of the lookup by which an ACL's `recipients` matched.",
        docs("It stays until the next test of `recipients`.")
    ),
    variable!(
        "recipients",
        Slot,
        Tainted,
        "All recipients of the envelope, separated by a comma and a space.",
        docs(
            "To be seen only in a system filter, in the ACLs for DATA, MIME and messages of local \
             programs: users' filters must not see who else gets the message. An address may \
             hold a comma, so it is for people; `$recipients_list` is for programs."
        )
    ),
    variable!(
        "recipients_count",
        SlotWith("0"),
        Clean,
        "How many recipients the message has, doubles included.",
        docs(
            "During SMTP it grows with each accepted recipient; in a RCPT ACL the one at hand \
             is not yet counted."
        )
    ),
    variable!(
        "recipients_list",
        Slot,
        Tainted,
        "All recipients of the envelope, as a list with colons.",
        docs(
            "Colons inside an address are doubled, so `forany` and `map` take it apart \
             correctly. It has a value where `$recipients` has one."
        ),
        since("4.97")
    ),
];
