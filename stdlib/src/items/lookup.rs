//! `lookup`: data from files and databases.

use eximious_core::grammar::expansion::{ItemShape, LookupNode, LookupStyle};
use eximious_core::{Call, Effects, Example, Fail, Item, ItemRun, Meta, Outcome, Str, TaintRule};

use crate::lookups::{Found, Search, search};

/// `${lookup{key}type{file}…}`, `${lookup type{query}…}`.
pub static LOOKUP: Item = Item {
    meta: Meta::new("lookup", Effects::LOOKUP, TaintRule::Result)
        .syntax("${lookup {<key>} <type> {<file>} {<found>} {<not found>}}")
        .summary("Data for a key in a file, or for a query in a database.")
        .docs(
            "A single-key type takes a key and a file; a query type takes a query. If something \
             is found, it is in `$value` while the first string is expanded; otherwise the second \
             string is. `partial-` before a single-key type also tries `*.` with ever fewer parts \
             of the key; `*` after it tries the key `*` in the end, `*@` tries `*@domain` before \
             that. Options stand after a comma: `lsearch,ret=full`.",
        )
        .examples(&[
            Example::new("${lookup testdb{result}{<$value>}{none}}", "<result>"),
            Example::new("${lookup testdb{fail}{<$value>}{none}}", "none"),
        ])
        .source("specification 9 and 11.5"),
    shape: ItemShape::Lookup,
    run: ItemRun::Lazy(run),
};

fn run(call: &mut Call<'_>) -> Result<Str, Fail> {
    let keyed = call.lookup_node(0).is_none() && call.text_count() > 0;
    let key = if keyed { call.text(0)? } else { Str::EMPTY };
    let at = usize::from(keyed);
    let Some(node) = call.lookup_node(at) else {
        call.check_closed()?;
        return Ok(Str::EMPTY);
    };
    let argument = call.text(at + 1)?;
    let found = search(call, &request(call, node, key, argument))?;
    match found {
        None => call.branches(Outcome::No),
        Some(Found { value, wild: None }) => call.branches(Outcome::Yes(value)),
        Some(Found { value, wild: Some((wild, fixed)) }) => call.scoped(|call| {
            let taint = wild.taint();
            let (whole, wild, fixed) = (Str::EMPTY, wild.bytes(), fixed.bytes());
            call.scope().bind_numeric(&[whole.bytes(), wild, fixed], taint);
            call.branches(Outcome::Yes(value))
        }),
    }
}

fn request(call: &Call<'_>, node: &LookupNode, key: Str, argument: Str) -> Search {
    let source = call.source();
    let (key, file) = match node.style {
        LookupStyle::SingleKey => (key, argument),
        LookupStyle::Query => (argument, Str::EMPTY),
    };
    Search {
        def: node.def,
        key,
        file,
        partial: node.partial,
        affix: node.affix.map_or_else(|| b"*.".to_vec(), |span| span.of(source).to_vec()),
        star: node.star,
        star_at: node.star_at,
        options: node.options.of(source).to_vec(),
    }
}
