//! `cdb`: constant databases.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::world::{DatabaseAnswer, DatabaseError, DatabaseQuery};
use eximious_core::{
    Call, Effects, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str, TaintRule,
};

use crate::wording::with_rights;

/// `${lookup{key}cdb{/file}}`.
pub static CDB: LookupDef = LookupDef {
    meta: Meta::new("cdb", Effects::LOOKUP, TaintRule::Clean)
        .syntax("${lookup{<key>}cdb{<file>}}")
        .summary("A constant database: an indexed file that is only ever made anew.")
        .docs(
            "The key is looked up as it is, with its case and without a zero byte at its end; the \
             first record that has it counts. A search reads a few pieces of the file, however \
             large it is. Such files are made by `cdb` (tinycdb) or `cdbmake`.",
        )
        .source("specification 9.3.1; https://cr.yp.to/cdb/cdb.txt"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(run),
};

fn run(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let file = query.file.bytes();
    let asked = DatabaseQuery::Cdb { file, key: query.key.bytes() };
    let open = |parts: &[&[u8]]| LookupFail::Open(super::outside(parts.concat()));
    match call.databases()?.find(&asked) {
        Ok(DatabaseAnswer::Value(value)) => Ok(Some(Str::from(value))),
        Ok(_) => Ok(None),
        Err(DatabaseError::Open(why)) => {
            let why = with_rights(call, why);
            Err(open(&[b"failed to open ", file, b" for cdb lookup: ", why.as_bytes()]))
        }
        Err(DatabaseError::Header(why)) => Err(open(&[
            b"failed to open cannot read header from ",
            file,
            b" for cdb lookup: ",
            why.as_bytes(),
        ])),
        Err(DatabaseError::Short) => {
            Err(open(&[b"failed to open ", file, b" too short for cdb lookup: Success"]))
        }
        Err(DatabaseError::Corrupt) => {
            let message = [b"cdb: corrupt cdb file ", file, b" (too short)"].concat();
            Err(LookupFail::Defer(message))
        }
        Err(error) => Err(LookupFail::Defer(format!("cdb: {}", super::why(&error)).into())),
    }
}
