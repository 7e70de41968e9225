//! `whoson`: who is logged in from an address.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, Meta, TaintRule};

use super::{NEEDS_CLIENT, unavailable};

/// `${lookup whoson{address}}`.
pub static WHOSON: LookupDef = LookupDef {
    meta: Meta::new("whoson", Effects::LOOKUP.union(Effects::NET), TaintRule::Tainted)
        .syntax("${lookup whoson{<address>}}")
        .summary("The user to whom an address belongs right now; obsolete.")
        .docs("The query is an IP address; the answer is a user's name.")
        .needs(NEEDS_CLIENT)
        .source("specification 9.4.11"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: None,
    find: unavailable,
};
