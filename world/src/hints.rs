//! Hints in an SQLite file, `db/hints.sqlite` below the spool directory.
//!
//! LMDB reads faster still, but it reads a damaged file to the process's end
//! (it maps it into memory and trusts it), and a wait for its writer has none.
//! SQLite notices damage and says so, its waits have limits, and a write-ahead
//! log lets everybody read while one writes.

mod place;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eximious_core::world::hints::{LONGEST_VALUE, check_names};
use eximious_core::world::{Change, Hint, HintStore, Hints, HintsError, Log};
use rusqlite::config::DbConfig;
use rusqlite::ffi::SQLITE_IOERR_SHORT_READ;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, TransactionBehavior};

use place::{FileIdentity, HintsPlace};

/// How many connections stay open for each spool directory.
const KEPT: usize = 16;
/// How many pages of 4 KiB a file has at the most: 256 MiB.
const MOST_PAGES: u32 = 65_536;
/// What the file says that it is, and the version of its contents.
const APPLICATION: i32 = 0x6578_696d;
const VERSION: i32 = 1;

/// The system's hints.
#[derive(Default)]
pub struct SystemHints {
    stores: Mutex<HashMap<Vec<u8>, Arc<Shared>>>,
    owner: Option<(u32, u32)>,
}

impl SystemHints {
    /// Those whose files belong to a user and a group, where the superuser makes them.
    pub fn owned_by(user: u32, group: u32) -> Self {
        Self { owner: Some((user, group)), ..Self::default() }
    }
}

/// What all users of a spool directory's hints have in common.
struct Shared {
    place: HintsPlace,
    most_pages: u32,
    idle: Mutex<Vec<Open>>,
}

struct Open {
    identity: FileIdentity,
    connection: Connection,
}

impl Hints for SystemHints {
    fn open(&self, spool: &[u8], log: Arc<dyn Log>) -> Arc<dyn HintStore> {
        let spool_path = Path::new(OsStr::from_bytes(spool));
        let new = || Arc::new(Shared::new(spool_path, self.owner, MOST_PAGES));
        let shared = match self.stores.lock() {
            Ok(mut stores) => match stores.get(spool) {
                Some(shared) => shared.clone(),
                None => stores.entry(spool.to_vec()).or_insert_with(new).clone(),
            },
            Err(_) => new(),
        };
        Arc::new(Store { shared, log })
    }
}

struct Store {
    shared: Arc<Shared>,
    log: Arc<dyn Log>,
}

impl Shared {
    fn new(spool: &Path, owner: Option<(u32, u32)>, most_pages: u32) -> Self {
        Self { place: HintsPlace::below(spool, owner), most_pages, idle: Mutex::default() }
    }

    /// A connection to the file that stands there now: somebody may have
    /// deleted the hints.
    fn take(&self, identity: FileIdentity) -> Option<Open> {
        let mut idle = self.idle.lock().ok()?;
        idle.retain(|open| open.identity == identity);
        idle.pop()
    }

    fn keep(&self, open: Open) {
        if let Ok(mut idle) = self.idle.lock()
            && idle.len() < KEPT
        {
            idle.push(open);
        }
    }
}

impl HintStore for Store {
    fn get(&self, space: &[u8], key: &[u8]) -> Result<Option<Hint>, HintsError> {
        let found = self.read(|connection| select(connection, space, key))?;
        Ok(found.flatten())
    }

    fn update(
        &self,
        space: &[u8],
        key: &[u8],
        change: &mut dyn FnMut(Option<&Hint>) -> Change,
    ) -> Result<(), HintsError> {
        check_names(space, key)?;
        self.write(|connection| {
            let begin = TransactionBehavior::Immediate;
            let transaction = rusqlite::Transaction::new_unchecked(connection, begin)?;
            match change(select(connection, space, key)?.as_ref()) {
                Change::Keep => {}
                Change::Put(hint) if hint.value.len() > LONGEST_VALUE => {
                    return Ok(Err(HintsError::TooLong));
                }
                Change::Put(hint) => insert(connection, space, key, &hint)?,
                Change::Delete => remove(connection, space, key)?,
            }
            transaction.commit().map(Ok)
        })?
    }

    fn put(&self, space: &[u8], key: &[u8], hint: Hint) -> Result<(), HintsError> {
        check_names(space, key)?;
        if hint.value.len() > LONGEST_VALUE {
            return Err(HintsError::TooLong);
        }
        self.write(|connection| insert(connection, space, key, &hint))
    }

    fn delete(&self, space: &[u8], key: &[u8]) -> Result<(), HintsError> {
        self.read(|connection| remove(connection, space, key)).map(|_| ())
    }

    fn page(
        &self,
        space: &[u8],
        behind: Option<&[u8]>,
        count: usize,
    ) -> Result<Vec<(Vec<u8>, Hint)>, HintsError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let found = self.read(|connection| {
            // Nothing is less than an empty key; null is no key at all.
            let mut statement = connection.prepare_cached(
                "SELECT key, value, stamp FROM hints \
                 WHERE space = ?1 AND key >= coalesce(?2, x'') AND key IS NOT ?2 \
                 ORDER BY key LIMIT ?3",
            )?;
            let rows = statement.query_map((space, behind, count), |row| {
                Ok((row.get(0)?, Hint { value: row.get(1)?, stamp: row.get(2)? }))
            })?;
            rows.collect()
        })?;
        Ok(found.unwrap_or_default())
    }

    fn spaces(&self) -> Result<Vec<Vec<u8>>, HintsError> {
        let found = self.read(|connection| {
            let mut statement = connection.prepare("SELECT DISTINCT space FROM hints")?;
            let rows = statement.query_map((), |row| row.get(0))?;
            rows.collect()
        })?;
        Ok(found.unwrap_or_default())
    }

    fn tidy(&self, space: &[u8], before: i64) -> Result<u64, HintsError> {
        let gone = self.read(|connection| {
            let statement = "DELETE FROM hints WHERE space = ?1 AND stamp < ?2";
            connection.execute(statement, (space, before))
        })?;
        Ok(gone.unwrap_or_default() as u64)
    }
}

impl Store {
    /// Does something that needs no file where there is none.
    fn read<T>(
        &self,
        work: impl FnMut(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, HintsError> {
        match self.shared.place.identity()? {
            Some(_) => self.with(work).map(Some),
            None => Ok(None),
        }
    }

    /// Does something that may make the file longer than it may be.
    fn write<T>(
        &self,
        mut work: impl FnMut(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, HintsError> {
        self.with(|connection| match work(connection) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                forget_oldest(connection)?;
                work(connection)
            }
            result => result,
        })
    }

    /// Does something with a connection; where the file is broken, with the
    /// connection to a new one.
    fn with<T>(
        &self,
        mut work: impl FnMut(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, HintsError> {
        let place = &self.shared.place;
        let mut work = |open: &Open| work(&open.connection).map_err(|error| (open.identity, error));
        let open = match place.identity()?.and_then(|identity| self.shared.take(identity)) {
            Some(open) => Ok(open),
            None => self.open(),
        };
        let failed = match open {
            Ok(open) => match work(&open) {
                Ok(done) => {
                    self.shared.keep(open);
                    return Ok(done);
                }
                Err(failed) => failed,
            },
            Err(Failed::Work(identity, error)) => (identity, error),
            Err(Failed::Place(error)) => return Err(error),
        };
        let (identity, error) = failed;
        if !is_broken(&error) {
            return Err(in_words(&error));
        }
        if place.put_aside(identity)? {
            let line = format!("{} is broken ({error}) and begun anew", place.file.display());
            self.log.main(line.as_bytes());
        }
        let open = self.open().map_err(Failed::in_words)?;
        let done = work(&open).map_err(|(_, error)| in_words(&error))?;
        self.shared.keep(open);
        Ok(done)
    }

    /// Opens the file, and makes it where it is not there.
    fn open(&self) -> Result<Open, Failed> {
        let _alone = self.shared.place.lock()?;
        let place = &self.shared.place;
        let (identity, was_other) = place.make()?;
        if was_other {
            let line = format!("{} is not a regular file and begun anew", place.file.display());
            self.log.main(line.as_bytes());
        }
        let connection = connect(&self.shared).map_err(|error| Failed::Work(identity, error))?;
        Ok(Open { identity, connection })
    }
}

/// Why there is no connection.
enum Failed {
    Place(HintsError),
    Work(FileIdentity, rusqlite::Error),
}

impl From<HintsError> for Failed {
    fn from(error: HintsError) -> Self {
        Self::Place(error)
    }
}

impl Failed {
    fn in_words(self) -> HintsError {
        match self {
            Self::Place(error) => error,
            Self::Work(_, error) => in_words(&error),
        }
    }
}

fn connect(shared: &Shared) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&shared.place.file, flags)?;
    connection.busy_handler(Some(patience))?;
    // Who closes a file that was put aside may not delete the log of the one
    // in its place, which has the same name.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // What a file brings along besides the table is not run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -512; PRAGMA journal_size_limit = 4194304;
         PRAGMA max_page_count = {};",
        shared.most_pages
    ))?;
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION, VERSION) => Ok(connection),
        (0, 0) => {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE;
                 CREATE TABLE hints (space BLOB NOT NULL, key BLOB NOT NULL,
                     stamp INTEGER NOT NULL, value BLOB NOT NULL,
                     PRIMARY KEY (space, key)) WITHOUT ROWID;
                 PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};
                 COMMIT;"
            ))?;
            Ok(connection)
        }
        _ => Err(rusqlite::Error::InvalidQuery),
    }
}

/// Waits for others' locks: quickly at first, and for five seconds in all.
fn patience(tries: i32) -> bool {
    const MOST_TRIES: i32 = 1600;
    let micros = 50_u64 << tries.clamp(0, 6);
    std::thread::sleep(Duration::from_micros(micros));
    tries < MOST_TRIES
}

fn select(connection: &Connection, space: &[u8], key: &[u8]) -> rusqlite::Result<Option<Hint>> {
    let statement = "SELECT value, stamp FROM hints WHERE space = ?1 AND key = ?2";
    let mut statement = connection.prepare_cached(statement)?;
    let hint = |row: &rusqlite::Row<'_>| Ok(Hint { value: row.get(0)?, stamp: row.get(1)? });
    statement.query_row((space, key), hint).optional()
}

fn insert(connection: &Connection, space: &[u8], key: &[u8], hint: &Hint) -> rusqlite::Result<()> {
    let statement = "INSERT INTO hints (space, key, stamp, value) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT DO UPDATE SET stamp = excluded.stamp, value = excluded.value";
    let mut statement = connection.prepare_cached(statement)?;
    statement.execute((space, key, hint.stamp, &hint.value))?;
    Ok(())
}

fn remove(connection: &Connection, space: &[u8], key: &[u8]) -> rusqlite::Result<()> {
    let statement = "DELETE FROM hints WHERE space = ?1 AND key = ?2";
    connection.prepare_cached(statement)?.execute((space, key))?;
    Ok(())
}

/// Makes room: an eighth goes.
fn forget_oldest(connection: &Connection) -> rusqlite::Result<()> {
    let statement = "DELETE FROM hints WHERE (space, key) IN (SELECT space, key FROM hints \
        ORDER BY stamp LIMIT (SELECT count(*) / 8 + 1 FROM hints))";
    connection.execute(statement, ()).map(|_| ())
}

/// Whether the file is not what it should be. The statements are the same
/// every time, so that one that is not understood speaks of the file.
fn is_broken(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    match error {
        Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::TooBig
            | ErrorCode::Unknown => true,
            // It ends too early.
            ErrorCode::SystemIoFailure => failure.extended_code == SQLITE_IOERR_SHORT_READ,
            _ => false,
        },
        Error::SqlInputError { .. }
        | Error::InvalidQuery
        | Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::FromSqlConversionFailure(..) => true,
        _ => false,
    }
}

fn in_words(error: &rusqlite::Error) -> HintsError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => HintsError::Busy,
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => HintsError::Denied,
        _ => HintsError::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
