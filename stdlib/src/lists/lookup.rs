//! Lookups in lists: `lsearch;/some/file`, `sqlite;/some/file select …`.

use eximious_core::grammar::expansion::{LookupNode, LookupStyle, fits, lookup_word};
use eximious_core::{Call, ErrorKind, Fail, FailClass, Str};

use crate::lookups::{Found, Search, search};

/// A type word that was read.
pub(super) struct Typed {
    node: LookupNode,
    affix: Vec<u8>,
    options: Vec<u8>,
}

/// How a lookup ended.
pub(super) enum Looked {
    Found(Found),
    Missing,
    /// There is no answer now, and why.
    Later(Vec<u8>),
}

impl Typed {
    /// Reads `partial-lsearch*@,ret=key`.
    pub(super) fn read(call: &Call<'_>, word: &[u8]) -> Result<Self, Fail> {
        let unknown = |message| Fail::error(ErrorKind::UnknownName, message);
        let node = lookup_word(word, call.registry()).map_err(unknown)?;
        let keyed = node.style == LookupStyle::SingleKey;
        fits(&node, word, keyed, call.registry()).map_err(unknown)?;
        let affix = node.affix.map_or_else(|| b"*.".to_vec(), |span| span.of(word).to_vec());
        let options = node.options.of(word).to_vec();
        Ok(Self { node, affix, options })
    }

    /// Whether it takes a query, and no key.
    pub(super) fn takes_query(&self) -> bool {
        self.node.style == LookupStyle::Query
    }

    /// The same without partial matching.
    pub(super) fn whole(mut self) -> Self {
        self.node.partial = None;
        self
    }

    /// Looks a key up in what stands after the semicolon: a file or a query.
    pub(super) fn find(self, call: &mut Call<'_>, key: &Str, rest: Str) -> Result<Looked, Fail> {
        let (key, file) = if self.takes_query() { (rest, Str::EMPTY) } else { (key.clone(), rest) };
        let asked = Search {
            def: self.node.def,
            key,
            file,
            partial: self.node.partial,
            affix: self.affix,
            star: self.node.star,
            star_at: self.node.star_at,
            options: self.options,
        };
        Looked::of(search(call, &asked))
    }
}

impl Looked {
    /// What a search gave.
    pub(super) fn of(result: Result<Option<Found>, Fail>) -> Result<Self, Fail> {
        match result {
            Ok(Some(found)) => Ok(Self::Found(found)),
            Ok(None) => Ok(Self::Missing),
            Err(fail) if fail.class() == FailClass::Defer => Ok(Self::Later(reason(&fail))),
            Err(fail) => Err(fail),
        }
    }
}

/// Why a lookup was put off: what follows `lookup of "…" gave DEFER: `, which
/// is said of `${lookup…}` and not of lists.
fn reason(fail: &Fail) -> Vec<u8> {
    const HEAD: &[u8] = b"\" gave DEFER: ";
    let message = fail.message();
    let start = memchr::memmem::find(message, HEAD).map_or(0, |n| n + HEAD.len());
    message[start..].to_vec()
}
