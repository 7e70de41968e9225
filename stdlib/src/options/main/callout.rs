//! Main options: what is remembered of callouts.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.time("callout_domain_negative_expire")
        .default("3h")
        .summary("How long a domain's bad result of a callout is remembered."),
    AT.time("callout_domain_positive_expire")
        .default("1w")
        .summary("How long a domain's good result of a callout is remembered."),
    AT.time("callout_negative_expire")
        .default("2h")
        .summary("How long an address's bad result of a callout is remembered."),
    AT.time("callout_positive_expire")
        .default("1d")
        .summary("How long an address's good result of a callout is remembered."),
    AT.text("callout_random_local_part")
        .expanded()
        .default("$primary_hostname-$tod_epoch-testing")
        .summary("The local part that a callout tries to find out whether a host takes any."),
];
