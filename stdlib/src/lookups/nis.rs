//! `nis`, `nis0`, `nisplus`: Sun's network information services.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::world::NisError;
use eximious_core::{
    Call, Effects, ErrorKind, Fail, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str,
    TaintRule,
};

use super::{outside, quoting};

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::NET);
const NEEDS: &str = "the system's client library for NIS (libnsl), where it is reached";

/// `${lookup{key}nis{map}}`.
pub static NIS: LookupDef = LookupDef {
    meta: Meta::new("nis", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<key>}nis{<map>}}")
        .summary("A key of an NIS map.")
        .docs(
            "The map is named in full. The key is looked up without a zero byte at its end. The \
             system's library for NIS is asked, and has to be there. A host that belongs to no \
             NIS domain has no maps, which is an error; where no server answers, the lookup is \
             put off.",
        )
        .needs(NEEDS)
        .source("specification 9.3.10"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| find(call, query, &[])),
};

/// `${lookup{key}nis0{map}}`.
pub static NIS0: LookupDef = LookupDef {
    meta: Meta::new("nis0", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<key>}nis0{<map>}}")
        .summary("A key of an NIS map whose keys end with a zero byte.")
        .docs("As `nis`, with a zero byte behind the key, as in Sun's alias maps.")
        .needs(NEEDS)
        .source("specification 9.3.10"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| find(call, query, &[0])),
};

/// `${lookup nisplus{[name=value],table:field}}`.
pub static NISPLUS: LookupDef = LookupDef {
    meta: Meta::new("nisplus", Effects::LOOKUP, TaintRule::Clean)
        .syntax("${lookup nisplus{[<name>=\"<value>\"],<table>:<field>}}")
        .summary("An entry of an NIS+ table; obsolete.")
        .docs(
            "The query is an indexed name, with the name of a field behind a colon if one field \
             is wanted. No system has NIS+ any more: the word is known, so that old \
             configurations are read, and a lookup that is reached fails and says so. Text from \
             outside belongs in double quotes, through `${quote_nisplus:…}`.",
        )
        .needs("a service that no system has any more")
        .source("specification 9.4.4, 9.12"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::nisplus),
    find: LookupFind::Plain(super::obsolete),
};

/// Asks a map for a key, with what follows it.
fn find(call: &mut Call<'_>, query: &LookupQuery, end: &[u8]) -> Result<Option<Str>, LookupFail> {
    let key = [query.key.bytes(), end].concat();
    match call.net()?.nis(query.file.bytes(), &key) {
        Ok(found) => Ok(found.map(Str::from)),
        Err(NisError::NoDomain) => {
            Err(LookupFail::Open(outside("failed to get default NIS domain")))
        }
        Err(NisError::Failed) => Err(LookupFail::Defer(Vec::new())),
        Err(NisError::NoLibrary(why)) => {
            let message =
                format!("lookup type \"{}\" needs the system's libnsl: {why}", call.name());
            Err(LookupFail::Open(Fail::error(ErrorKind::Unsupported, message)))
        }
    }
}
