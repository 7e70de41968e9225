//! `lmdb`: memory-mapped databases.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::world::{DatabaseAnswer, DatabaseError, DatabaseQuery};
use eximious_core::{
    Call, Effects, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str, TaintRule,
};

/// `${lookup{key}lmdb{/file}}`.
pub static LMDB: LookupDef = LookupDef {
    meta: Meta::new("lmdb", Effects::LOOKUP, TaintRule::Clean)
        .since("4.95")
        .syntax("${lookup{<key>}lmdb{<file>}}")
        .summary("An LMDB database: a memory-mapped file of keys and values.")
        .docs(
            "The file is one that LMDB keeps without a directory of its own, as `mdb_load -n` \
             makes it; its main database is asked, for reading only. The key is looked up as it \
             is. Programs may change the file meanwhile: a search sees it as it was when the \
             search began. Damaged pages are an error; files with several values of a key, or \
             with keys in another order, are not read.",
        )
        .source("specification 9.3.8"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(run),
};

fn run(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let file = query.file.bytes();
    let asked = DatabaseQuery::Lmdb { file, key: query.key.bytes() };
    match call.databases()?.find(&asked) {
        Ok(DatabaseAnswer::Value(value)) => Ok(Some(Str::from(value))),
        Ok(_) => Ok(None),
        Err(DatabaseError::Open(why)) => {
            let begin = b"LMDB: Unable to open environment with ";
            let message = [begin, file, b": ", why.as_bytes()].concat();
            Err(LookupFail::Open(super::outside(message)))
        }
        Err(error) => Err(LookupFail::Defer(format!("LMDB: {}", super::why(&error)).into())),
    }
}
