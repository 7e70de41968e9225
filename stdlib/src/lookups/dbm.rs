//! `dbm`, `dbmnz`, `dbmjz`: Berkeley DB files.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::world::{DatabaseAnswer, DatabaseError, DatabaseQuery};
use eximious_core::{
    Call, Effects, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str, TaintRule,
};

use crate::lists::elements;
use crate::wording::with_rights;

/// `${lookup{key}dbm{/file}}`.
pub static DBM: LookupDef = LookupDef {
    meta: Meta::new("dbm", Effects::LOOKUP, TaintRule::Clean)
        .syntax("${lookup{<key>}dbm{<file>}}")
        .summary("A DBM file, as `exim_dbmbuild` makes it.")
        .docs(
            "The file is a hash table or B-tree of Berkeley DB, in either byte order; files of \
             GDBM and NDBM are not read. The key is looked up with its case and with a zero byte \
             at its end; `exim_dbmbuild` puts keys into lower case, so that `${lc:…}` often \
             belongs around what is looked up. Of several values of a key the first is taken. \
             The data ends at its first zero byte. A damaged file is a temporary error.",
        )
        .source("specification 9.3.2"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| find(call, query, [query.key.bytes(), b"\0"].concat())),
};

/// `${lookup{key}dbmnz{/file}}`.
pub static DBMNZ: LookupDef = LookupDef {
    meta: Meta::new("dbmnz", Effects::LOOKUP, TaintRule::Clean)
        .syntax("${lookup{<key>}dbmnz{<file>}}")
        .summary("A DBM file whose keys have no zero byte at their ends.")
        .docs("As `dbm`, for files that other programs make, or `exim_dbmbuild -nozero`.")
        .source("specification 9.3.4"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| find(call, query, query.key.bytes().to_vec())),
};

/// `${lookup{list}dbmjz{/file}}`.
pub static DBMJZ: LookupDef = LookupDef {
    meta: Meta::new("dbmjz", Effects::LOOKUP, TaintRule::Clean)
        .syntax("${lookup{<list>}dbmjz{<file>}}")
        .summary("A DBM file whose keys are joined by zero bytes.")
        .docs(
            "As `dbmnz`, but the key is a list, whose elements are joined with a zero byte \
             between them; an empty first element is a zero byte itself. Cyrus SASL's `sasldb2` \
             has such keys: `$auth1:REALM:userPassword`.",
        )
        .source("specification 9.3.3"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| find(call, query, joined(query.key.bytes()))),
};

fn joined(list: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(list.len());
    for element in elements(list) {
        // Exim tells the first element by the key that is still empty.
        if !key.is_empty() || element.is_empty() {
            key.push(0);
        }
        key.extend_from_slice(&element);
    }
    key
}

fn find(call: &mut Call<'_>, query: &LookupQuery, key: Vec<u8>) -> Result<Option<Str>, LookupFail> {
    let file = query.file.bytes();
    match call.databases()?.find(&DatabaseQuery::Dbm { file, key: &key }) {
        // A list of no elements is no key.
        Ok(_) if key.is_empty() => Ok(None),
        Ok(DatabaseAnswer::Value(value)) => Ok(Some(Str::from(value))),
        Ok(_) => Ok(None),
        Err(DatabaseError::Open(why) | DatabaseError::Header(why)) => {
            let why = with_rights(call, why);
            let message =
                [b"failed to open ", file, b" as a db (v4.1+) file: ", why.as_bytes()].concat();
            Err(LookupFail::Open(super::outside(message)))
        }
        Err(error) => Err(LookupFail::Defer(format!("dbm: {}", super::why(&error)).into())),
    }
}
