//! Lookup types (specification, chapter 9).

mod cache;
mod cdb;
mod dbm;
mod dnsdb;
mod dsearch;
pub(crate) mod files;
mod json;
pub(crate) mod ldap;
mod lines;
mod lmdb;
mod lsearch;
mod network;
mod nis;
mod passwd;
mod psl;
pub mod quoting;
mod readsock;
mod redis;
mod rows;
mod search;
mod servers;
mod spf;
mod sql;
mod sqlite;
mod testdb;
mod whoson;
mod wild;

pub use psl::{RegisteredDomain, registered_domains};

use eximious_core::world::DatabaseError;
use eximious_core::{Call, ErrorKind, Fail, LookupDef, LookupFail, LookupQuery, Memory, Str};

/// Forgets what was found: what is asked next is about another message.
pub fn forget_results(memory: &mut Memory) {
    memory.get::<cache::Cache>().clear();
}

pub use search::{
    Found, Search, find, forget_reason, keep_complaint, known_reason, reason, search,
};

/// All lookup types.
pub static ALL: &[&LookupDef] = &[
    &cdb::CDB,
    &dbm::DBM,
    &dbm::DBMJZ,
    &dbm::DBMNZ,
    &dnsdb::DNSDB,
    &dsearch::DSEARCH,
    &json::JSON,
    &ldap::LDAP,
    &ldap::LDAPDN,
    &ldap::LDAPM,
    &lmdb::LMDB,
    &lsearch::IPLSEARCH,
    &lsearch::LSEARCH,
    &lsearch::NWILDLSEARCH,
    &lsearch::WILDLSEARCH,
    &nis::NIS,
    &nis::NIS0,
    &nis::NISPLUS,
    &passwd::PASSWD,
    &psl::PSL,
    &psl::REGDOM,
    &readsock::READSOCK,
    &redis::REDIS,
    &spf::SPF,
    &sql::IBASE,
    &sql::MYSQL,
    &sql::ORACLE,
    &sql::PGSQL,
    &sqlite::SQLITE,
    &testdb::TESTDB,
    &whoson::WHOSON,
];

/// The answer of a type whose service is no more.
fn obsolete(call: &mut Call<'_>, _: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let name = call.name();
    let message = format!("lookup type \"{name}\" is not available: its service is obsolete");
    Err(LookupFail::Open(Fail::error(ErrorKind::Unsupported, message)))
}

/// A failure that comes from outside, in words that are complete.
fn outside(message: impl Into<Vec<u8>>) -> Fail {
    Fail::error(ErrorKind::Lookup, message)
}

/// A database's words.
fn why(error: &DatabaseError) -> &str {
    match error {
        DatabaseError::Open(words) | DatabaseError::Header(words) | DatabaseError::Other(words) => {
            words
        }
        DatabaseError::Short => "the file is too short",
        DatabaseError::Corrupt => "the file is damaged",
        DatabaseError::TooMuch => "the answer is too long",
    }
}
