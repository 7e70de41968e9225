//! Databases behind lookups.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use eximious_core::world::{DatabaseAnswer, DatabaseError, DatabaseQuery, Databases};

use crate::{cdb, dbm, lmdb, sqlite};

/// The system's database files.
#[derive(Debug, Default)]
pub struct SystemDatabases {
    cdb: cdb::Open,
    sqlite: sqlite::SqliteFiles,
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

impl Databases for SystemDatabases {
    fn find(&self, query: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError> {
        match query {
            DatabaseQuery::Cdb { file, key } => self.cdb.find(path(file), key),
            DatabaseQuery::Dbm { file, key } => dbm::find(path(file), key),
            DatabaseQuery::Lmdb { file, key } => lmdb::find(path(file), key),
            DatabaseQuery::Sqlite { file, statements, lock_timeout } => {
                self.sqlite.find(path(file), statements, *lock_timeout)
            }
        }
    }
}

/// The system's words, without the number that Rust adds.
pub(crate) fn words(error: &std::io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}
