//! Variables of addresses that carry a signature: SRS and BATV (`prvs`).

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "prvscheck_address",
        Slot,
        Tainted,
        "The address without its signature, while `prvscheck` runs.",
        docs(
            "The second argument of `prvscheck` looks the secret up by it: \
             `${prvscheck{$local_part@$domain}{${lookup{$prvscheck_address}lsearch{/etc/keys}}}}`. \
             It keeps its value afterwards."
        ),
        source("specification 11.5, 44.27")
    ),
    variable!(
        "prvscheck_keynum",
        Slot,
        Tainted,
        "The number of the key by which an address was signed, one digit.",
        source("specification 11.5, 44.27")
    ),
    variable!(
        "prvscheck_result",
        Slot,
        Clean,
        "1 where the signature that `prvscheck` saw is good, else empty.",
        docs(
            "`prvscheck` itself succeeds for any address of the right form; whether it is \
             genuine and not too old stands here."
        ),
        source("specification 11.5, 44.27")
    ),
    variable!(
        "srs_db_address",
        Slot,
        Result,
        "The address that the older SRS has in its database (`srs_dbinsert`, `srs_dbselect`).",
        source("experimental: SRS by libsrs_alt")
    ),
    variable!(
        "srs_db_key",
        Slot,
        Result,
        "The key by which the older SRS has an address in its database.",
        source("experimental: SRS by libsrs_alt")
    ),
    variable!(
        "srs_orig_recipient",
        Slot,
        Tainted,
        "The recipient that the older SRS turned back (`srs = reverse`).",
        source("experimental: SRS by libsrs_alt")
    ),
    variable!(
        "srs_orig_sender",
        Slot,
        Tainted,
        "The sender that the older SRS wrote another for (`srs = forward`).",
        source("experimental: SRS by libsrs_alt")
    ),
    variable!(
        "srs_recipient",
        Slot,
        Tainted,
        "The address that `inbound_srs`, or the older SRS, found in a recipient.",
        docs(
            "After the condition succeeded, `data = $srs_recipient` in a redirect router sends \
             the bounce on to where it belongs. After a failure it is empty."
        ),
        source("specification 11.7, 58.2.1")
    ),
    variable!(
        "srs_status",
        Slot,
        Clean,
        "What the older SRS found: `ok`, `not an SRS address`, `incomplete`, `wrong hash`, `expired`.",
        source("experimental: SRS by libsrs_alt")
    ),
];
