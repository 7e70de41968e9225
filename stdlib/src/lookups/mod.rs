//! Lookup types (specification, chapter 9).

mod passwd;
pub mod quoting;
mod search;
mod testdb;

use eximious_core::LookupDef;

pub use search::{Found, Search, search};

/// All lookup types.
pub static ALL: &[&LookupDef] = &[&passwd::PASSWD, &testdb::TESTDB];
