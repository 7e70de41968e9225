//! `testdb`: fixed answers for tests.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, Example, LookupDef, LookupFail, LookupFind, Meta, TaintRule};

/// `${lookup testdb{query}}`.
pub static TESTDB: LookupDef = LookupDef {
    meta: Meta::new("testdb", Effects::LOOKUP, TaintRule::Result)
        .syntax("${lookup testdb{<query>}}")
        .summary("The query itself, for tests.")
        .docs("The query `fail` fails, `defer` defers, and any other is its own answer.")
        .examples(&[
            Example::new("${lookup testdb{result}}", "result"),
            Example::new("${lookup testdb{fail}{yes}{no}}", "no"),
        ])
        .source("specification 9.4.10"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|_, query| match query.key.bytes() {
        b"fail" => Ok(None),
        b"defer" => Err(LookupFail::Defer(b"testdb lookup forced DEFER".to_vec())),
        _ => Ok(Some(query.key.clone().stamped(Default::default()))),
    }),
};
