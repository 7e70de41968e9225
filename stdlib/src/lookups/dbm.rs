//! `dbm`, `dbmnz`, `dbmjz`: Berkeley DB files.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, Meta, TaintRule};

use super::unavailable;

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::FILES);
const NEEDS: &str = "a reader of Berkeley DB files";

/// `${lookup{key}dbm{/file}}`.
pub static DBM: LookupDef = LookupDef {
    meta: Meta::new("dbm", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<key>}dbm{<file>}}")
        .summary("A DBM file, as `exim_dbmbuild` makes it.")
        .docs("The key is looked up with a zero byte at its end.")
        .needs(NEEDS)
        .source("specification 9.3.2"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: unavailable,
};

/// `${lookup{key}dbmnz{/file}}`.
pub static DBMNZ: LookupDef = LookupDef {
    meta: Meta::new("dbmnz", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<key>}dbmnz{<file>}}")
        .summary("A DBM file whose keys have no zero byte at their ends.")
        .docs("As `dbm`, for files that other programs make.")
        .needs(NEEDS)
        .source("specification 9.3.4"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: unavailable,
};

/// `${lookup{list}dbmjz{/file}}`.
pub static DBMJZ: LookupDef = LookupDef {
    meta: Meta::new("dbmjz", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<list>}dbmjz{<file>}}")
        .summary("A DBM file whose keys are joined by zero bytes.")
        .docs(
            "The key is a list; its elements are joined with zero bytes between them. Cyrus \
             SASL's `sasldb2` has such keys.",
        )
        .needs(NEEDS)
        .source("specification 9.3.3"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: unavailable,
};
