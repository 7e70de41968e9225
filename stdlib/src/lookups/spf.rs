//! `spf`: whether a host may send for an address.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, Meta, TaintRule};

use super::unavailable;

/// `${lookup{address}spf{client address}}`.
pub static SPF: LookupDef = LookupDef {
    meta: Meta::new("spf", Effects::LOOKUP.union(Effects::DNS), TaintRule::Clean)
        .syntax("${lookup{<mail address>}spf{<client address>}}")
        .summary("The result of an SPF check.")
        .docs(
            "The key is a mail address, the file the IP address of a client. The answer is one of \
             the results of `$spf_result`: `pass`, `fail`, `softfail`, `neutral`, `none`, \
             `permerror`, `temperror`.",
        )
        .needs("an SPF evaluator")
        .source("specification 9.3.13, 58.2; RFC 7208"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: unavailable,
};
