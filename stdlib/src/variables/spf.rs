//! Variables that the ACL conditions `spf` and `spf_guess` set.

use eximious_core::{Example, Variable};

use super::record::{computed, variable};

use crate::options::opt;

/// The records.
pub static ALL: &[Variable] = &[
    computed!(
        "spf_guess",
        NONE,
        Clean,
        "The SPF record that `spf_guess` supposes for domains without one.",
        |call| Ok(call.settings().get(opt::SPF_GUESS)),
        docs("The option of the same name."),
        examples(&[Example::new("$spf_guess", "v=spf1 a/24 mx/24 ptr ?all")]),
        source("specification 58.2")
    ),
    variable!(
        "spf_header_comment",
        Slot,
        Result,
        "What came of SPF, as a sentence for a header line or a log.",
        source("specification 58.2")
    ),
    variable!(
        "spf_received",
        Slot,
        Result,
        "A whole `Received-SPF:` header line.",
        docs(
            "`add_header = :at_start:$spf_received` puts it on top of the header, where RFC \
             7208 wants it."
        ),
        source("specification 58.2; RFC 7208")
    ),
    variable!(
        "spf_result",
        Slot,
        Clean,
        "What came of SPF: `pass`, `fail`, `softfail`, `neutral`, `none`, …",
        docs(
            "Also `permerror` for a record that can't be used, `temperror` where the DNS did \
             not answer, and `(invalid)`. It is empty until the condition `spf` has run, and \
             stays for later ACLs of the message."
        ),
        source("specification 58.2; RFC 7208")
    ),
    variable!(
        "spf_result_guessed",
        SlotWith("no"),
        Clean,
        "Whether the result is a guess, for want of a record: `yes` or `no`.",
        source("specification 58.2")
    ),
    variable!(
        "spf_smtp_comment",
        Slot,
        Result,
        "What came of SPF, as a text for the SMTP reply.",
        docs("Made from the option `spf_smtp_comment_template`; meant for `fail`."),
        source("specification 58.2")
    ),
    variable!(
        "spf_used_domain",
        Slot,
        Tainted,
        "The domain whose SPF record was used: of MAIL, or of HELO for a bounce.",
        since("4.100"),
        source("specification 58.2")
    ),
];
