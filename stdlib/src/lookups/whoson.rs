//! `whoson`: who is logged in from an address.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, Meta, TaintRule};

use super::obsolete;

/// `${lookup whoson{address}}`.
pub static WHOSON: LookupDef = LookupDef {
    meta: Meta::new("whoson", Effects::LOOKUP, TaintRule::Tainted)
        .syntax("${lookup whoson{<address>}}")
        .summary("The user to whom an address belongs right now; obsolete.")
        .docs(
            "The query is an IP address; the answer is a user's name. The service, and the \
             library that its protocol was known by, are no more: the word is known, so that old \
             configurations are read, and a lookup that is reached fails and says so.",
        )
        .needs("a service that no system has any more")
        .source("specification 9.4.11"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: None,
    find: obsolete,
};
