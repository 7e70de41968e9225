//! Variables of the address at hand: its parts, its parents, and what lists
//! made of it.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "domain",
        Slot,
        Tainted,
        "The domain of the address at hand, in lower case.",
        docs(
            "In routers and transports it is the domain that is being delivered to, in a RCPT \
             ACL the recipient's; the sender's is in `$sender_address_domain`. While a domain \
             list is tested it is the subject. A transport that handles several addresses at \
             once has it only where all agree. It comes from outside and is tainted: as a file \
             name use `$domain_data`, which the `domains` condition leaves."
        ),
        aliases(&["tpda_delivery_domain"])
    ),
    variable!(
        "domain_data",
        Slot,
        Clean,
        "What a domain list made of the domain: data of a lookup, or the list's own element.",
        docs(
            "Set when a router's or an ACL's `domains` matches. A lookup such as \
             `domains = lsearch;/etc/domains` gives its data; a plain element gives itself, \
             which is the domain, clean. So it may stand in a file name where `$domain` may \
             not: `file = /var/mail/$domain_data/$local_part_data`. It stays with the address \
             until its delivery; in an ACL until the end of the statement."
        )
    ),
    variable!(
        "local_part",
        Slot,
        Tainted,
        "The local part of the address at hand, without quotes.",
        docs(
            "In routers and transports it is the part before the @ of the address that is being \
             delivered to, without a prefix or suffix that was recognized, and in lower case \
             unless `caseful_local_part` is set; in a RCPT ACL it is the recipient's. It can \
             hold anything that the sender likes, and is tainted: as a file name use \
             `$local_part_data`, and in an address `${quote_local_part:$local_part}`."
        ),
        aliases(&["tpda_delivery_local_part"])
    ),
    variable!(
        "local_part_data",
        Slot,
        Clean,
        "What a local part list, or `check_local_user`, made of the local part.",
        docs(
            "Set when a router's or an ACL's `local_parts` matches: the data of a lookup, or the \
             matching element itself; `check_local_user` sets it to the login name. It is \
             clean, so it may stand where `$local_part` may not: \
             `file = /var/mail/$local_part_data`."
        )
    ),
    variable!(
        "local_part_prefix",
        Slot,
        Result,
        "The prefix that a router took off the local part.",
        docs(
            "What `local_part_prefix` matched, such as `owner-`. It is tainted where a wildcard \
             took part, else clean."
        )
    ),
    variable!(
        "local_part_prefix_v",
        Slot,
        Tainted,
        "What the wildcard of a prefix stood for.",
        since("4.94")
    ),
    variable!(
        "local_part_suffix",
        Slot,
        Result,
        "The suffix that a router took off the local part.",
        docs(
            "What `local_part_suffix` matched, such as `-request`, or `+lists` for `+*`. It is \
             tainted where a wildcard took part, else clean."
        )
    ),
    variable!(
        "local_part_suffix_v",
        Slot,
        Tainted,
        "What the wildcard of a suffix stood for.",
        since("4.94")
    ),
    variable!(
        "original_domain",
        Slot,
        Tainted,
        "The domain of the address that the message came for.",
        docs(
            "An address that an alias or a forward file made is the child of another one; this \
             is the domain of the first in that line, and `$parent_domain` that of the one \
             before. For an address without parents it is `$domain`."
        )
    ),
    variable!(
        "original_local_part",
        Slot,
        Tainted,
        "The local part of the address that the message came for.",
        docs(
            "As `$original_domain`, for the local part; a prefix or suffix that was taken off \
             is still there."
        )
    ),
    variable!(
        "parent_domain",
        Slot,
        Tainted,
        "The domain of the address that this one was made from."
    ),
    variable!(
        "parent_local_part",
        Slot,
        Tainted,
        "The local part of the address that this one was made from."
    ),
];
