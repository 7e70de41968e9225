//! `readsock`: what a socket answers.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, Meta, TaintRule};

use super::unavailable;

/// `${lookup readsock{request}}`.
pub static READSOCK: LookupDef = LookupDef {
    meta: Meta::new("readsock", Effects::LOOKUP.union(Effects::NET), TaintRule::Tainted)
        .syntax("${lookup readsock,<options>{<socket>,<request>}}")
        .summary("What a Unix or TCP socket answers: the lookup behind `${readsocket…}`.")
        .docs(
            "The item `readsocket` is the way to ask a socket; this type carries the same \
             options, so that a list can ask one.",
        )
        .needs("sockets behind lookups")
        .source("specification 11.5, readsocket"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: None,
    find: unavailable,
};
