//! Constant databases: files of the cdb format, which never change.
//!
//! The format is D. J. Bernstein's (<https://cr.yp.to/cdb/cdb.txt>): 256 pairs
//! of position and length, records, hash tables. The reader is our own because
//! the one that is published loops for minutes and asks for gigabytes when a
//! file lies about its lengths.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use eximious_core::world::{DatabaseAnswer, DatabaseError};

use crate::databases::words;
use crate::version::Version;

/// How long the head of a file is.
const HEAD: u64 = 256 * 8;
/// How many slots of a table are read at once; most searches end in the first
/// few.
const SLOTS: u64 = 32;
/// How much of a record is read at once; most are shorter.
const RECORD: u64 = 512;

/// After how many pieces a file is read as a whole, if it has no more bytes than this:
/// whoever searches it that often goes on to.
const PIECES: u32 = 64;
const WHOLE: u64 = 16 << 20;

/// How many files are kept open.
const MOST_OPEN: usize = 8;

/// How long a file is taken to be what it was, without a look: whoever asks for many
/// keys in a row means one file.
const SAME: Duration = Duration::from_millis(10);

/// The files that were searched last, open: a file that took another's place, or
/// was written anew, is opened again.
#[derive(Debug, Default)]
pub struct Open(Mutex<Vec<Kept>>);

/// A file that is open.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    version: Version,
    /// When it was looked at last.
    seen: Instant,
    table: Arc<Table>,
}

impl Open {
    /// Looks a key up in a file.
    pub fn find(&self, path: &Path, key: &[u8]) -> Result<DatabaseAnswer, DatabaseError> {
        self.table(path)?.find(key)
    }

    fn table(&self, path: &Path) -> Result<Arc<Table>, DatabaseError> {
        let now = Instant::now();
        let good = |kept: &Kept| now.saturating_duration_since(kept.seen) < SAME;
        if let Some(table) = self.kept(path, good, None) {
            return Ok(table);
        }
        if let Some(version) = Version::at(path)
            && let Some(table) = self.kept(path, |kept| kept.version == version, Some(now))
        {
            return Ok(table);
        }
        // A named pipe must not make it wait.
        let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(path)
            .map_err(|error| DatabaseError::Open(words(&error)))?;
        let data = file.metadata().map_err(|error| DatabaseError::Open(words(&error)))?;
        let table = Arc::new(Table {
            file,
            length: data.len(),
            head: OnceLock::new(),
            pieces: AtomicU32::new(0),
            whole: OnceLock::new(),
        });
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|kept| kept.path != path);
        if files.len() >= MOST_OPEN {
            files.remove(0);
        }
        let version = Version::of(&data);
        files.push(Kept { path: path.to_owned(), version, seen: now, table: table.clone() });
        Ok(table)
    }

    /// The file of a path, where it is open and good; `seen` is when it was looked at.
    fn kept(
        &self,
        path: &Path,
        is_good: impl Fn(&Kept) -> bool,
        seen: Option<Instant>,
    ) -> Option<Arc<Table>> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = files.iter_mut().find(|kept| kept.path == path).filter(|kept| is_good(kept))?;
        kept.seen = seen.unwrap_or(kept.seen);
        Some(kept.table.clone())
    }
}

#[derive(Debug)]
struct Table {
    file: File,
    length: u64,
    /// The first [`HEAD`] bytes, once they were read.
    head: OnceLock<Box<[u8]>>,
    /// How many pieces were read.
    pieces: AtomicU32,
    /// All of it, once that was read.
    whole: OnceLock<Vec<u8>>,
}

impl Table {
    fn find(&self, key: &[u8]) -> Result<DatabaseAnswer, DatabaseError> {
        if self.length < HEAD {
            return Err(DatabaseError::Short);
        }
        let hash = hash(key);
        let (table, slots) = pair(&self.head()?[(hash & 0xff) as usize * 8..]);
        if slots == 0 {
            return Ok(DatabaseAnswer::Missing);
        }
        if table + slots * 8 > self.length {
            return Err(DatabaseError::Corrupt);
        }
        let first = u64::from(hash >> 8) % slots;
        let mut searched = 0;
        let mut buffer = [0; SLOTS as usize * 8];
        while searched < slots {
            let slot = (first + searched) % slots;
            let count = SLOTS.min(slots - slot).min(slots - searched);
            let bytes = &mut buffer[..count as usize * 8];
            self.read(bytes, table + slot * 8)?;
            for entry in bytes.chunks_exact(8) {
                let (wanted, position) = pair(entry);
                if position == 0 {
                    return Ok(DatabaseAnswer::Missing);
                }
                if wanted == u64::from(hash)
                    && let Some(value) = self.record(position, key)?
                {
                    return Ok(DatabaseAnswer::Value(value));
                }
            }
            searched += count;
        }
        Ok(DatabaseAnswer::Missing)
    }

    fn head(&self) -> Result<&[u8], DatabaseError> {
        if let Some(head) = self.head.get() {
            return Ok(head);
        }
        let mut head = vec![0; HEAD as usize];
        self.file
            .read_exact_at(&mut head, 0)
            .map_err(|error| DatabaseError::Header(words(&error)))?;
        Ok(self.head.get_or_init(|| head.into_boxed_slice()))
    }

    /// The data of a record, if it has the key.
    fn record(&self, position: u64, key: &[u8]) -> Result<Option<Vec<u8>>, DatabaseError> {
        if position + 8 > self.length {
            return Err(DatabaseError::Corrupt);
        }
        let mut buffer = [0; RECORD as usize];
        let start = &mut buffer[..RECORD.min(self.length - position) as usize];
        self.read(start, position)?;
        let (key_length, data_length) = pair(start);
        if key_length != key.len() as u64 {
            return Ok(None);
        }
        let length = 8 + key_length + data_length;
        // Checked before memory is asked for.
        if position + length > self.length {
            return Err(DatabaseError::Corrupt);
        }
        let mut long = Vec::new();
        let record = match start.get(..length as usize) {
            Some(whole) => whole,
            None => {
                long.resize(length as usize, 0);
                self.read(&mut long, position)?;
                &long
            }
        };
        let (found, data) = record[8..].split_at(key.len());
        Ok((found == key).then(|| data.to_vec()))
    }

    fn read(&self, bytes: &mut [u8], position: u64) -> Result<(), DatabaseError> {
        let from = position as usize;
        let kept = self.whole().and_then(|whole| whole.get(from..)?.get(..bytes.len()));
        if let Some(kept) = kept {
            bytes.copy_from_slice(kept);
            return Ok(());
        }
        self.file.read_exact_at(bytes, position).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => DatabaseError::Corrupt,
            _ => DatabaseError::Other(words(&error)),
        })
    }

    /// The whole file, where it was searched often.
    fn whole(&self) -> Option<&Vec<u8>> {
        if self.whole.get().is_some() || self.length > WHOLE {
            return self.whole.get();
        }
        if self.pieces.fetch_add(1, Ordering::Relaxed) == PIECES {
            let mut bytes = vec![0; self.length as usize];
            if self.file.read_exact_at(&mut bytes, 0).is_ok() {
                return Some(self.whole.get_or_init(|| bytes));
            }
        }
        None
    }
}

fn hash(key: &[u8]) -> u32 {
    key.iter().fold(5381, |hash: u32, byte| hash.wrapping_mul(33) ^ u32::from(*byte))
}

/// Two little-endian numbers; sums of a few of them can't overflow.
fn pair(bytes: &[u8]) -> (u64, u64) {
    let number = |at: usize| {
        u64::from(bytes[at])
            | u64::from(bytes[at + 1]) << 8
            | u64::from(bytes[at + 2]) << 16
            | u64::from(bytes[at + 3]) << 24
    };
    (number(0), number(4))
}
