//! Databases behind lookups.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use eximious_core::world::{DatabaseAnswer, DatabaseError, DatabaseQuery, Databases};

use crate::as_user::AsUser;
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

    fn find_as(
        &self,
        (uid, gid): (u32, u32),
        query: &DatabaseQuery<'_>,
    ) -> Option<Result<DatabaseAnswer, DatabaseError>> {
        let own = rustix::process::geteuid();
        if own.as_raw() == uid {
            return Some(self.find(query));
        }
        if !own.is_root() {
            return None;
        }
        // Statements may name other files, too. What is open is open for one user alone.
        let found = AsUser::new(uid, Some(gid)).with(|| Ok(Self::default().find(query)));
        Some(found.unwrap_or_else(|why| Err(DatabaseError::Open(words(&why)))))
    }

    fn consult(&self, query: &DatabaseQuery<'_>) -> Result<DatabaseAnswer, DatabaseError> {
        match query {
            DatabaseQuery::Sqlite { file, statements, lock_timeout } => {
                sqlite::consult(path(file), statements, *lock_timeout)
            }
            _ => self.find(query),
        }
    }
}

/// Whether SQLite's statements are one that asks and no more: a connection can serve another
/// as if it were new, as nothing was attached, set, begun or made.
pub(crate) fn only_reads(statements: &str) -> bool {
    let begins_with = |word: &str| {
        let head = statements.trim_start().get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    begins_with("select") && !statements.trim_end().trim_end_matches(';').contains(';')
}

/// The system's words, without the number that Rust adds.
pub(crate) fn words(error: &std::io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}
