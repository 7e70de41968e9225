//! Variables of the MIME part that a MIME ACL looks at.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "mime_anomaly_level",
        SlotWith("0"),
        Clean,
        "How bad the worst flaw of the part's encoding is; 0 for none.",
        source("specification 45.4")
    ),
    variable!(
        "mime_anomaly_text",
        Slot,
        Clean,
        "What is wrong with the part's encoding, in words.",
        source("specification 45.4")
    ),
    variable!(
        "mime_boundary",
        Slot,
        Tainted,
        "The boundary between the parts of a multipart.",
        source("specification 45.4")
    ),
    variable!(
        "mime_charset",
        Slot,
        Tainted,
        "The character set that `Content-Type:` names, as it is written.",
        docs("In whatever case the sender wrote it: compare it with `eqi`."),
        source("specification 45.4")
    ),
    variable!(
        "mime_content_description",
        Slot,
        Tainted,
        "The content of `Content-Description:`.",
        source("specification 45.4")
    ),
    variable!(
        "mime_content_disposition",
        Slot,
        Tainted,
        "`attachment`, `inline` or the like, from `Content-Disposition:`.",
        source("specification 45.4")
    ),
    variable!(
        "mime_content_id",
        Slot,
        Tainted,
        "The content of `Content-ID:`, angle brackets included.",
        source("specification 45.4")
    ),
    variable!(
        "mime_content_size",
        SlotWith("0"),
        Clean,
        "The size of the decoded part in kilobytes, rounded up.",
        docs("It is known only after `decode`; before, and for an empty part, it is 0."),
        source("specification 45.4")
    ),
    variable!(
        "mime_content_transfer_encoding",
        Slot,
        Tainted,
        "How the part is encoded: `base64`, `quoted-printable`, `7bit`, …",
        source("specification 45.4")
    ),
    variable!(
        "mime_content_type",
        Slot,
        Tainted,
        "The part's type, in lower case and without parameters: `text/html`.",
        docs(
            "Empty where the part has no `Content-Type:`. With `$mime_is_coverletter` it bans \
             HTML outside of attachments."
        ),
        source("specification 45.4")
    ),
    variable!(
        "mime_decoded_filename",
        Slot,
        Result,
        "The file that `decode` wrote the part to, with its path.",
        docs("Empty before `decode` has run. The file goes when the message's scan ends."),
        source("specification 45.4")
    ),
    variable!(
        "mime_filename",
        Slot,
        Tainted,
        "The name that the sender proposes for an attachment.",
        docs(
            "From `Content-Disposition:` or `Content-Type:`, decoded after RFC 2047 and RFC \
             2231, and not checked: it can hold slashes, control characters, anything. Match it \
             to refuse what is dangerous, \
             `condition = ${if match{$mime_filename}{\\N(?i)\\.(exe|scr)$\\N}}`, but never make a \
             path of it."
        ),
        source("specification 45.4")
    ),
    variable!(
        "mime_is_coverletter",
        SlotWith("0"),
        Clean,
        "1 for a part that is the letter itself, 0 for an attachment.",
        docs(
            "The outermost part is the letter; of `multipart/alternative` and \
             `multipart/related` all parts belong to it, of other multiparts the first."
        ),
        source("specification 45.4")
    ),
    variable!(
        "mime_is_multipart",
        SlotWith("0"),
        Clean,
        "1 for a part that only holds other parts, else 0.",
        source("specification 45.4")
    ),
    variable!(
        "mime_is_rfc822",
        SlotWith("0"),
        Clean,
        "1 for a part of an attached message, 0 for one of the message itself.",
        source("specification 45.4")
    ),
    variable!(
        "mime_part_count",
        SlotWith("-1"),
        Clean,
        "The number of the part at hand, from 0; -1 for a message without MIME.",
        docs("After the MIME ACL it stays, so that the DATA ACL can tell how many parts were."),
        source("specification 45.4")
    ),
];
