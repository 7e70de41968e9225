//! Variables that the ACL condition `dnslists` sets.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "dnslist_domain",
        Slot,
        Clean,
        "The name of the DNS list that matched.",
        docs(
            "As it is written in the condition, such as `zen.spamhaus.example`. A `message` that \
             stands before the condition may use it all the same: it is expanded afterwards. \
             `$dnslist_matched`, `$dnslist_value` and `$dnslist_text` say more."
        ),
        source("specification 44.18.5")
    ),
    variable!(
        "dnslist_matched",
        Slot,
        Result,
        "The key that was found in the DNS list.",
        docs(
            "An IP address stands there in its usual order, not reversed as in the query. It \
             matters where the condition names several keys; else it is \
             `$sender_host_address`."
        ),
        source("specification 44.18.5")
    ),
    variable!(
        "dnslist_text",
        Slot,
        Tainted,
        "The text (TXT record) that the DNS list has about the entry.",
        docs(
            "Mostly a sentence or an address of a page for the rejected sender: \
             `message = $sender_host_address is listed: $dnslist_text`. Empty where the list has \
             none."
        ),
        source("specification 44.18.5")
    ),
    variable!(
        "dnslist_value",
        Slot,
        Clean,
        "The addresses (A records) that the DNS list gave, separated by a comma and a space.",
        docs(
            "Many lists say by the last octet why they list something: \
             `127.0.0.2, 127.0.0.10`. The condition can test it itself with `=` or `&`."
        ),
        source("specification 44.18.5")
    ),
];
