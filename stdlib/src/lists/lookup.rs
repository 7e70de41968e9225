//! Lookups in lists: `lsearch;/some/file`, `sqlite;/some/file select …`.

use eximious_core::{Call, Fail, LookupFail};

use crate::lookups::{Found, Search, find};

/// How a lookup ended.
pub(super) enum Looked {
    Found(Found),
    Missing,
    /// There is no answer now, and why.
    Later(Vec<u8>),
}

/// Looks something up.
pub(super) fn look_up(call: &mut Call<'_>, search: &Search) -> Result<Looked, Fail> {
    match find(call, search) {
        Ok(Some(found)) => Ok(Looked::Found(found)),
        Ok(None) => Ok(Looked::Missing),
        Err(LookupFail::Defer(why)) => Ok(Looked::Later(why)),
        Err(LookupFail::Open(fail)) => Err(fail),
    }
}
