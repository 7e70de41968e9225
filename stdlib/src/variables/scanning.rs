//! Variables of the scanners that an ACL calls: for spam, for viruses, for
//! patterns.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "av_failed",
        SlotWith("0"),
        Clean,
        "1 where the virus scanner did not work in the last `malware`, else 0.",
        docs("With `malware = */defer_ok` it tells a clean message from one nobody looked at."),
        source("specification 11.9, 45.1")
    ),
    variable!(
        "bmi_alt_location",
        Slot,
        Tainted,
        "Where Brightmail AntiSpam wants the message for this recipient delivered.",
        until("4.100"),
        source("experimental: Brightmail")
    ),
    variable!(
        "bmi_base64_tracker_verdict",
        Slot,
        Tainted,
        "The tracker's verdict of Brightmail AntiSpam, in Base64.",
        until("4.100"),
        source("experimental: Brightmail")
    ),
    variable!(
        "bmi_base64_verdict",
        Slot,
        Tainted,
        "The verdict of Brightmail AntiSpam for this recipient, in Base64.",
        until("4.100"),
        source("experimental: Brightmail")
    ),
    variable!(
        "bmi_deliver",
        Slot,
        Clean,
        "Whether Brightmail AntiSpam wants the message delivered to this recipient: 1 or 0.",
        until("4.100"),
        source("experimental: Brightmail")
    ),
    variable!(
        "dcc_header",
        Slot,
        Tainted,
        "The header line that a DCC daemon gave for the message.",
        source("experimental: DCC")
    ),
    variable!(
        "dcc_result",
        Slot,
        Clean,
        "What a DCC daemon said of the message: `A` (accepted), `S` (by some), `R` (rejected), `G` \
         (greylisted) or `T` (no answer now).",
        source("experimental: DCC")
    ),
    variable!(
        "malware_name",
        Slot,
        Result,
        "The name of the virus that the last `malware` found.",
        docs(
            "As the scanner calls it: `message = This message contains $malware_name`. Empty \
             where nothing was found. A `message` before the condition may use it: it is \
             expanded afterwards."
        ),
        source("specification 45.1")
    ),
    variable!(
        "regex1",
        Slot,
        Tainted,
        "What the first group captured in the last `regex` or `mime_regex` that matched.",
        docs(
            "The conditions `regex` and `mime_regex` leave `$regex1` to `$regex9`; they are not \
             `$1` and so on, which `match` in an expansion sets. There is no `$regex0` and no \
             `$regex`; the pattern that matched is in `$regex_match_string`."
        ),
        source("specification 45.5")
    ),
    variable!(
        "regex2",
        Slot,
        Tainted,
        "What the second group captured.",
        source("specification 45.5")
    ),
    variable!(
        "regex3",
        Slot,
        Tainted,
        "What the third group captured.",
        source("specification 45.5")
    ),
    variable!(
        "regex4",
        Slot,
        Tainted,
        "What the fourth group captured.",
        source("specification 45.5")
    ),
    variable!(
        "regex5",
        Slot,
        Tainted,
        "What the fifth group captured.",
        source("specification 45.5")
    ),
    variable!(
        "regex6",
        Slot,
        Tainted,
        "What the sixth group captured.",
        source("specification 45.5")
    ),
    variable!(
        "regex7",
        Slot,
        Tainted,
        "What the seventh group captured.",
        source("specification 45.5")
    ),
    variable!(
        "regex8",
        Slot,
        Tainted,
        "What the eighth group captured.",
        source("specification 45.5")
    ),
    variable!(
        "regex9",
        Slot,
        Tainted,
        "What the ninth group captured.",
        source("specification 45.5")
    ),
    variable!(
        "regex_match_string",
        Slot,
        Clean,
        "The pattern that matched in the last `regex` or `mime_regex`.",
        docs("The pattern itself, not what it matched."),
        source("specification 45.5")
    ),
    variable!(
        "spam_action",
        Slot,
        Result,
        "What the spam scanner would do: `reject`, `no action`, or Rspamd's own words.",
        source("specification 45.2")
    ),
    variable!(
        "spam_bar",
        Slot,
        Result,
        "The spam score as a bar of plus or minus signs, one for each whole point.",
        docs(
            "`++++` for 4.4; at the most 51 signs. Mail programs can match on it in a header \
             line: `add_header = X-Spam-Bar: $spam_bar`."
        ),
        source("specification 45.2")
    ),
    variable!(
        "spam_report",
        Slot,
        Result,
        "The spam scanner's report, several lines.",
        docs(
            "A table of the rules that matched, for a header line or a reply: \
             `add_header = X-Spam-Report: $spam_report`. It is there in the DATA ACL alone, and \
             not saved with the message. It can hold bytes that are not ASCII."
        ),
        source("specification 45.2")
    ),
    variable!(
        "spam_score",
        Slot,
        Result,
        "The spam score, with one decimal: `3.4`.",
        docs(
            "Set by the ACL condition `spam`, whatever it decides with `:true`, and saved with \
             the message. To compare it use `$spam_score_int`: conditions know whole numbers \
             only."
        ),
        source("specification 45.2")
    ),
    variable!(
        "spam_score_int",
        Slot,
        Result,
        "The spam score times ten, a whole number: `34`.",
        docs(
            "Made for comparisons: `deny spam = nobody:true` with \
             `condition = ${if >{$spam_score_int}{120}}` refuses from 12 points on. It is cut \
             off where `$spam_score` is rounded."
        ),
        source("specification 45.2")
    ),
];
