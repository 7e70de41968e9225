//! `json`: an element of a JSON file.

#[cfg(feature = "json")]
mod document;

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, LookupFind, Meta, TaintRule};

#[cfg(feature = "json")]
use document::find;

/// `${lookup{selectors}json{/file}}`.
pub static JSON: LookupDef = LookupDef {
    meta: Meta::new("json", Effects::LOOKUP.union(Effects::FILES), TaintRule::Clean)
        .since("4.93")
        .syntax("${lookup{<selector>:<selector>…}json{<file>}}")
        .summary("An element of a JSON file.")
        .docs(
            "The key is a list of selectors, applied one after the other: a number picks an \
             element of an array, the first being 0, anything else a member of an object. A \
             string is given without its quotes and escapes, `true`, `false` and numbers as they \
             are, arrays and objects as JSON with a space behind each comma and colon. `null` \
             counts as not found. The file is kept in memory while it does not change.",
        )
        .source("specification 9.3.7; RFC 8259"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(find),
};

#[cfg(not(feature = "json"))]
fn find(
    _: &mut eximious_core::Call<'_>,
    _: &eximious_core::LookupQuery,
) -> Result<Option<eximious_core::Str>, eximious_core::LookupFail> {
    Err(eximious_core::LookupFail::Open(crate::absent::absent("the lookup type json", "json")))
}
