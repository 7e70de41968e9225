//! `readsock`: what a socket answers.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{
    Call, Effects, FailClass, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str, TaintRule,
};

use crate::items::readsocket::{Question, answer};

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::NET).union(Effects::LOG);

/// `${lookup readsock,file=…{request}}`.
pub static READSOCK: LookupDef = LookupDef {
    meta: Meta::new("readsock", EFFECTS, TaintRule::Tainted)
        .syntax("${lookup readsock,file=<socket>{<request>}}")
        .summary("What a Unix domain or TCP socket answers: the lookup behind `${readsocket…}`.")
        .docs(
            "The item `readsocket` is the way to ask a socket; as a lookup, it can stand in a \
             list. The option `file` names the socket as the item does; without it nothing is \
             found, and Exim, which keeps the type to itself, never finds anything. \
             `timeout=3s`, `shutdown=no`, `tls=yes`, `sni=…` and `eol=…` are the item's other \
             arguments. An answer is \
             kept for the same question in the same conversation, unless `cache=no` says \
             otherwise.",
        )
        .source("specification 11.5, readsocket"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(find),
};

fn find(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let Some(name) = query.options.text("file") else { return Ok(None) };
    let mut options = query.options.get("timeout").unwrap_or(b"5s").to_vec();
    if query.options.is("shutdown", "no") {
        options.extend_from_slice(b":shutdown=no");
    }
    for name in ["tls", "sni"] {
        if let Some(value) = query.options.get(name) {
            options.extend([b":", name.as_bytes(), b"=", value].concat());
        }
    }
    let question = Question {
        name,
        request: query.key.clone(),
        options: Str::from(options),
        end_of_line: query.options.text("eol").unwrap_or_default(),
    };
    match answer(call, &question) {
        Ok(answer) => Ok(Some(answer)),
        Err(fail) if fail.class() == FailClass::Defer => {
            Err(LookupFail::Defer(fail.message().to_vec()))
        }
        Err(fail) => Err(LookupFail::Open(fail)),
    }
}
