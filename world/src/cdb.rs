//! Constant databases: files of the cdb format, which never change.
//!
//! The format is D. J. Bernstein's (<https://cr.yp.to/cdb/cdb.txt>): 256 pairs
//! of position and length, records, hash tables. The reader is our own because
//! the one that is published loops for minutes and asks for gigabytes when a
//! file lies about its lengths.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use eximious_core::world::{DatabaseAnswer, DatabaseError};

use crate::databases::words;

/// How long the head of a file is.
const HEAD: u64 = 256 * 8;
/// How many slots of a table are read at once; most searches end in the first
/// few.
const SLOTS: u64 = 32;

/// Looks a key up in a file.
pub fn find(path: &Path, key: &[u8]) -> Result<DatabaseAnswer, DatabaseError> {
    // A named pipe must not make it wait.
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(|error| DatabaseError::Open(words(&error)))?;
    let length = file.metadata().map_err(|error| DatabaseError::Open(words(&error)))?.len();
    Table { file, length }.find(key)
}

struct Table {
    file: File,
    length: u64,
}

impl Table {
    fn find(&self, key: &[u8]) -> Result<DatabaseAnswer, DatabaseError> {
        if self.length < HEAD {
            return Err(DatabaseError::Short);
        }
        let hash = hash(key);
        let mut head = [0; 8];
        self.file
            .read_exact_at(&mut head, u64::from(hash & 0xff) * 8)
            .map_err(|error| DatabaseError::Header(words(&error)))?;
        let (table, slots) = pair(&head);
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

    /// The data of a record, if it has the key.
    fn record(&self, position: u64, key: &[u8]) -> Result<Option<Vec<u8>>, DatabaseError> {
        let mut lengths = [0; 8];
        self.read(&mut lengths, position)?;
        let (key_length, data_length) = pair(&lengths);
        if key_length != key.len() as u64 {
            return Ok(None);
        }
        // Checked before memory is asked for.
        if position + 8 + key_length + data_length > self.length {
            return Err(DatabaseError::Corrupt);
        }
        let mut found = vec![0; key.len()];
        self.read(&mut found, position + 8)?;
        if found != key {
            return Ok(None);
        }
        let mut data = vec![0; data_length as usize];
        self.read(&mut data, position + 8 + key_length)?;
        Ok(Some(data))
    }

    fn read(&self, bytes: &mut [u8], position: u64) -> Result<(), DatabaseError> {
        self.file.read_exact_at(bytes, position).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => DatabaseError::Corrupt,
            _ => DatabaseError::Other(words(&error)),
        })
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
