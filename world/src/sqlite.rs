//! SQLite files.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use std::os::unix::fs::MetadataExt;

use eximious_core::world::{DatabaseAnswer, DatabaseError, Rows};
use fallible_iterator::FallibleIterator;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, OpenFlags};

use crate::databases::only_reads;

/// How many connections stay open.
const KEPT: usize = 8;
/// How many bytes an answer has at the most.
const LARGEST: usize = 64 << 20;

/// Connections that stay open from one query to the next.
#[derive(Debug, Default)]
pub struct SqliteFiles(Mutex<Vec<Open>>);

/// Which file it is, and who may do what with it.
#[derive(PartialEq, Eq, Debug)]
struct Identity {
    device: u64,
    inode: u64,
    mode: u32,
    owner: (u32, u32),
}

#[derive(Debug)]
struct Open {
    path: PathBuf,
    identity: Identity,
    connection: Connection,
}

impl SqliteFiles {
    /// Carries statements out.
    pub fn find(
        &self,
        path: &Path,
        statements: &str,
        lock_timeout: Duration,
    ) -> Result<DatabaseAnswer, DatabaseError> {
        let connection = match self.take(path) {
            Some(connection) => connection,
            None => open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?,
        };
        let result = ask(&connection, statements, lock_timeout);
        if result.is_ok() && only_reads(statements) && connection.is_autocommit() {
            self.keep(path, connection);
        }
        result.map(DatabaseAnswer::Rows)
    }

    /// A connection to a file that is still the same file, with the same rights.
    fn take(&self, path: &Path) -> Option<Connection> {
        let mut kept = self.0.lock().ok()?;
        let at = kept.iter().position(|open| open.path == path)?;
        let open = kept.swap_remove(at);
        (identity(path) == Some(open.identity)).then_some(open.connection)
    }

    fn keep(&self, path: &Path, connection: Connection) {
        let (Ok(mut kept), Some(identity)) = (self.0.lock(), identity(path)) else { return };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Open { path: path.to_owned(), identity, connection });
    }
}

/// Carries out one statement that only reads, in a file that is there: with no other
/// statement can another file be reached.
pub fn consult(
    path: &Path,
    statement: &str,
    lock_timeout: Duration,
) -> Result<DatabaseAnswer, DatabaseError> {
    if !only_reads(statement) {
        return Err(DatabaseError::Open("Operation not permitted".into()));
    }
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    ask(&connection, statement, lock_timeout).map(DatabaseAnswer::Rows)
}

fn ask(
    connection: &Connection,
    statements: &str,
    lock_timeout: Duration,
) -> Result<Vec<Rows>, DatabaseError> {
    connection.busy_timeout(lock_timeout).map_err(other)?;
    // The binding panics over a column's name that is not UTF-8.
    catch_unwind(AssertUnwindSafe(|| run(connection, statements)))
        .unwrap_or_else(|_| Err(DatabaseError::Other("a column's name is not UTF-8".into())))
}

fn identity(path: &Path) -> Option<Identity> {
    let data = std::fs::metadata(path).ok()?;
    let owner = (data.uid(), data.gid());
    Some(Identity { device: data.dev(), inode: data.ino(), mode: data.mode(), owner })
}

fn open(path: &Path, how: OpenFlags) -> Result<Connection, DatabaseError> {
    Connection::open_with_flags(path, how | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|_| DatabaseError::Open("unable to open database file".into()))
}

fn run(connection: &Connection, statements: &str) -> Result<Vec<Rows>, DatabaseError> {
    let mut answers = Vec::new();
    let mut size = 0;
    let mut batch = Batch::new(connection, statements);
    while let Some(mut statement) = batch.next().map_err(other)? {
        let count = statement.column_count();
        let mut answer = Rows::default();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(other)? {
            let mut values = Vec::with_capacity(count);
            for column in 0..count {
                let value = text(connection, row.get_ref(column).map_err(other)?)?;
                size += size_of::<Option<Vec<u8>>>() + value.as_ref().map_or(0, Vec::len);
                values.push(value);
            }
            answer.rows.push(values);
            if size > LARGEST {
                return Err(DatabaseError::TooMuch);
            }
        }
        drop(rows);
        for column in 0..count {
            let name = statement.column_name(column).map_err(other)?;
            answer.columns.push(name.as_bytes().to_vec());
        }
        answers.push(answer);
    }
    Ok(answers)
}

/// A value as SQLite writes it: a string, which ends at a zero byte.
fn text(connection: &Connection, value: ValueRef<'_>) -> Result<Option<Vec<u8>>, DatabaseError> {
    let bytes = match value {
        ValueRef::Null => return Ok(None),
        ValueRef::Integer(number) => return Ok(Some(number.to_string().into_bytes())),
        ValueRef::Real(number) => return real(connection, number).map(Some),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
    };
    let end = bytes.iter().position(|c| *c == 0).unwrap_or(bytes.len());
    Ok(Some(bytes[..end].to_vec()))
}

/// A number as SQLite has long written it, with fifteen digits at the most.
/// Newer releases write more of them.
fn real(connection: &Connection, number: f64) -> Result<Vec<u8>, DatabaseError> {
    let format = "SELECT format('%.15g', ?1)";
    let text: String = connection.query_row(format, [number], |row| row.get(0)).map_err(other)?;
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, ""));
    let mut out = digits.to_owned();
    if digits.bytes().all(|c| c.is_ascii_digit() || c == b'-') {
        out.push_str(".0");
    }
    if !exponent.is_empty() {
        out.push('e');
        out.push_str(exponent);
    }
    Ok(out.into_bytes())
}

fn other(error: rusqlite::Error) -> DatabaseError {
    // The library's own words: not where in the query, which is the binding's addition.
    DatabaseError::Other(match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg,
        error => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_whose_rights_change_is_opened_anew() {
        let place = tempfile::TempDir::new().unwrap();
        let path = place.path().join("db");
        let files = SqliteFiles::default();
        let ask = || files.find(&path, "select 1", Duration::from_secs(1)).map(drop).unwrap();
        ask();
        assert!(files.take(&path).is_some());
        ask();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o444)).unwrap();
        assert!(files.take(&path).is_none());
    }
}
