//! LMDB files, read only.

mod check;

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use eximious_core::world::{DatabaseAnswer, DatabaseError};
use lmdb::{Database, Environment, EnvironmentFlags, Error, Transaction};

use crate::databases::words;

/// How many files stay open.
const KEPT: usize = 16;

/// A file must be open only once in a process, or closing one of its handles
/// takes the locks of the others away. Hence the one list, for all worlds.
static OPEN: Mutex<Vec<Arc<Open>>> = Mutex::new(Vec::new());

struct Open {
    identity: (u64, u64),
    /// For looking at pages before the library does.
    file: File,
    environment: Environment,
    database: Database,
}

/// Looks a key up in a file.
pub fn find(path: &Path, key: &[u8]) -> Result<DatabaseAnswer, DatabaseError> {
    let open = open(path)?;
    if !check::key(&open.file, key).map_err(|bad| DatabaseError::Other(complaint(bad).into()))? {
        return Ok(DatabaseAnswer::Missing);
    }
    match get(&open, key) {
        // A writer made the file longer than the map: open it anew.
        Err(Error::MapResized) => {
            if let Ok(mut kept) = OPEN.lock() {
                kept.retain(|other| other.identity != open.identity);
            }
            drop(open);
            get(&*self::open(path)?, key)
        }
        result => result,
    }
    .map_err(|error| DatabaseError::Other(error.to_string()))
}

fn get(open: &Open, key: &[u8]) -> Result<DatabaseAnswer, Error> {
    let transaction = open.environment.begin_ro_txn()?;
    match transaction.get(open.database, &key) {
        Ok(value) => Ok(DatabaseAnswer::Value(value.to_vec())),
        // Keys of other lengths can't be in a file.
        Err(Error::NotFound | Error::BadValSize) => Ok(DatabaseAnswer::Missing),
        Err(error) => Err(error),
    }
}

fn open(path: &Path) -> Result<Arc<Open>, DatabaseError> {
    let failed = |words: String| DatabaseError::Open(words);
    let data = std::fs::metadata(path).map_err(|error| failed(words(&error)))?;
    let identity = (data.dev(), data.ino());
    let mut kept = OPEN.lock().map_err(|_| failed("another thread panicked".into()))?;
    if let Some(open) = kept.iter().find(|open| open.identity == identity) {
        return Ok(open.clone());
    }
    if !data.is_file() {
        // A named pipe would make it wait.
        return Err(failed(complaint(check::BadLmdb::Foreign).into()));
    }
    let file = File::open(path).map_err(|error| failed(words(&error)))?;
    check::key(&file, b"").map_err(|bad| failed(complaint(bad).into()))?;
    // Readers belong to transactions: threads come and go.
    let flags =
        EnvironmentFlags::NO_SUB_DIR | EnvironmentFlags::READ_ONLY | EnvironmentFlags::NO_TLS;
    let environment = Environment::new()
        .set_flags(flags)
        .open(path)
        .map_err(|error| failed(error.to_string()))?;
    let database = environment.open_db(None).map_err(|error| failed(error.to_string()))?;
    if kept.len() >= KEPT {
        // One that is in use stays: it must not be opened a second time.
        let idle = kept.iter().position(|open| Arc::strong_count(open) == 1);
        if let Some(idle) = idle {
            kept.remove(idle);
        }
    }
    let open = Arc::new(Open { identity, file, environment, database });
    kept.push(open.clone());
    Ok(open)
}

/// The library's words, as far as it has any.
fn complaint(bad: check::BadLmdb) -> &'static str {
    match bad {
        check::BadLmdb::Foreign => "MDB_INVALID: File is not an LMDB file",
        check::BadLmdb::Damaged => "MDB_CORRUPTED: Located page was wrong type",
        check::BadLmdb::Unusual => {
            "keys in another order, and several values of a key, are not read"
        }
    }
}
