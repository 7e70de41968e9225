//! `lookup`: data from files and databases.

use eximious_core::grammar::expansion::ItemShape;
use eximious_core::{
    Bindings, BranchOutcome, Buf, Call, Captures, Effects, Example, Fail, FailClass, Item, ItemRun,
    Meta, Str, TaintRule,
};

use crate::lookups::{Found, Search, search};

/// `${lookup{key}type{file}…}`, `${lookup type{query}…}`.
pub static LOOKUP: Item = Item {
    meta: Meta::new("lookup", Effects::LOOKUP.union(Effects::LOG), TaintRule::Result)
        .syntax("${lookup {<key>} <type> {<file>} {<found>} {<not found>}}")
        .summary("Data for a key in a file, or for a query in a database.")
        .docs(
            "A single-key type takes a key and a file; a query type takes a query. If something \
             is found, it is in `$value` while the first string is expanded; otherwise the second \
             string is. `partial-` before a single-key type also tries `*.` with ever fewer parts \
             of the key; `*` after it tries the key `*` in the end, `*@` tries `*@domain` before \
             that, and the part of the key that was not found is in `$1`, the other in `$2`. \
             Options stand after a comma: `lsearch,ret=full`. `ret=key` gives the key, no longer \
             tainted, in place of the data. Results are kept for the next lookup in the same \
             conversation: with `cache=no_rd` a kept one is not used, with `cache=no_wr` none is \
             kept, with `cache=no` both. The name of a file must not be tainted. What is tainted in \
             a query has to go through `${quote_TYPE:…}`; a query is refused otherwise.",
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
    // A search may unset $1 and its like (wildlsearch), or bind them.
    call.scoped_for(Bindings::CAPTURES, |call| {
        let Some(request) = call.arguments(request)? else {
            call.check_closed()?;
            return Ok(Str::EMPTY);
        };
        match search(call, &request) {
            Err(fail) => {
                if fail.class() == FailClass::Defer {
                    call.leave_value(&BranchOutcome::No);
                }
                Err(fail)
            }
            Ok(None) => call.branches(BranchOutcome::No),
            Ok(Some(Found { value, wild })) => {
                if let Some((wild, fixed)) = wild {
                    bind(call, &wild, &fixed);
                }
                call.branches(BranchOutcome::Yes(value))
            }
        }
    })
}

/// What is asked for; nothing, where the type can't be read.
fn request(call: &mut Call<'_>) -> Result<Option<Search>, Fail> {
    let keyed = call.lookup_node(0).is_none() && call.text_count() > 0;
    let key = if keyed { call.text(0)? } else { Str::EMPTY };
    let at = usize::from(keyed);
    let Some(node) = call.lookup_node(at) else { return Ok(None) };
    let argument = call.text(at + 1)?;
    Ok(Some(Search::new(node, call.source(), key, argument)))
}

/// Binds `$1` and `$2`; `$0` stays.
fn bind(call: &mut Call<'_>, wild: &Str, fixed: &Str) {
    let whole = call.scope().numeric(0);
    let mut subject = Buf::default();
    let mut captures = Captures::default();
    for (number, part) in [&whole, wild, fixed].into_iter().enumerate() {
        let start = subject.len() as u32;
        subject.push(part);
        captures.groups.push((start, subject.len() as u32));
        captures.clean |= u8::from(!part.taint().is_tainted()) << number;
    }
    captures.subject = subject.finish();
    call.set_captures(captures);
}
