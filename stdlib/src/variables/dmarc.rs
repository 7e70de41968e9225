//! Variables that the ACL condition `dmarc_status` sets.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "dmarc_alignment_dkim",
        Slot,
        Clean,
        "Whether a passing DKIM signature is aligned with `From:`: `yes` or `no`.",
        since("4.99"),
        source("specification 58.3.3; RFC 7489")
    ),
    variable!(
        "dmarc_alignment_spf",
        Slot,
        Clean,
        "Whether the domain that SPF passed is aligned with `From:`: `yes` or `no`.",
        since("4.99"),
        source("specification 58.3.3; RFC 7489")
    ),
    variable!(
        "dmarc_ar_header",
        Slot,
        Tainted,
        "A whole `Authentication-Results:` line, for `add_header`.",
        docs("Older configurations use it; the item `authresults` has taken its place."),
        source("experimental: DMARC")
    ),
    variable!(
        "dmarc_domain_policy",
        Slot,
        Clean,
        "The policy that the domain publishes: `none`, `quarantine` or `reject`.",
        docs(
            "The record's own word, while `$dmarc_status` is what comes of it for this message. \
             Empty where there is no record, or it can't be read."
        ),
        source("specification 58.3.3; RFC 7489")
    ),
    variable!(
        "dmarc_status",
        Slot,
        Clean,
        "What DMARC makes of the message, as one word.",
        docs(
            "One of `accept`, `reject`, `quarantine`, `none`, `norecord`, `nofrom`, `temperror` \
             and `off`; the condition of the same name matches against it. It is empty before \
             that condition has run in the DATA ACL."
        ),
        source("specification 58.3.3; RFC 7489")
    ),
    variable!(
        "dmarc_status_text",
        Slot,
        Clean,
        "What DMARC makes of the message, as a few words for people.",
        source("specification 58.3.3")
    ),
    variable!(
        "dmarc_used_domain",
        Slot,
        Tainted,
        "The domain whose DMARC record was used.",
        source("specification 58.3.3; RFC 7489")
    ),
];
