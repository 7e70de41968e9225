//! Berkeley DB files, read only: hash tables and B-trees.
//!
//! A file is a row of pages. The first tells the kind of the file, its byte
//! order and where to begin; a search reads a few more. The reader is our own
//! because nothing published reads these files without the library, which maps
//! a damaged file's lies into memory. Every place in a file is checked before
//! it is used, and no chain of pages can lead in a circle.

mod btree;
mod hash;
mod pages;

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use eximious_core::world::{DatabaseAnswer, DatabaseError};

use crate::databases::words;
use pages::{BadDbm, Order, Pages};

/// How long the part of the first page is that is read before its size is
/// known.
const HEAD: usize = 512;

/// What the library says of files that are not its own.
const FOREIGN: &str = "unexpected file type or format";

/// Looks a key up in a file.
pub fn find(path: &Path, key: &[u8]) -> Result<DatabaseAnswer, DatabaseError> {
    let refused = |error| DatabaseError::Open(words(&error));
    // A named pipe must not make it wait.
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(refused)?;
    let data = file.metadata().map_err(refused)?;
    if data.is_dir() {
        return Err(refused(rustix::io::Errno::ISDIR.into()));
    }
    let foreign = || DatabaseError::Header(FOREIGN.into());
    if !data.is_file() {
        return Err(foreign());
    }
    let mut head = [0; HEAD];
    let length = data.len();
    let known = usize::try_from(length).map_or(HEAD, |length| length.min(HEAD));
    file.read_exact_at(&mut head[..known], 0).map_err(refused)?;
    if is_gdbm(&head) {
        return Err(DatabaseError::Header(format!("{FOREIGN} (this is a GDBM file)")));
    }
    let Some((order, kind)) = recognised(&head).filter(|_| known == HEAD) else {
        return Err(foreign());
    };
    let version = order.u32(&head, 16).unwrap_or_default();
    let versions = if kind == Kind::Hash { 7..=10 } else { 8..=10 };
    if matches!(kind, Kind::Hash | Kind::Btree) && !versions.contains(&version) {
        let message = format!("version {version} of the format is not read");
        return Err(DatabaseError::Header(message));
    }
    let pages = Pages::new(file, length, order, &head).map_err(header)?;
    let found = match kind {
        Kind::Hash => hash::find(&pages, &head, key),
        Kind::Btree => btree::find(&pages, &head, key),
        // Their keys are numbers of records, which no text is.
        Kind::Numbered => Ok(None),
    };
    match found {
        Ok(value) => Ok(value.map_or(DatabaseAnswer::Missing, DatabaseAnswer::Value)),
        Err(BadDbm::Damaged) => Err(DatabaseError::Corrupt),
        Err(BadDbm::TooMuch) => Err(DatabaseError::TooMuch),
        Err(BadDbm::Unusual(what)) => Err(DatabaseError::Header(what.into())),
        Err(BadDbm::Outside(words)) => Err(DatabaseError::Other(words)),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hash,
    Btree,
    Numbered,
}

/// The byte order and kind that the number at the beginning stands for.
fn recognised(head: &[u8]) -> Option<(Order, Kind)> {
    [Order::Little, Order::Big].into_iter().find_map(|order| {
        let kind = match order.u32(head, 12).ok()? {
            0x0006_1561 => Kind::Hash,
            0x0005_3162 => Kind::Btree,
            // A queue and a heap.
            0x0004_2253 | 0x0007_4582 => Kind::Numbered,
            _ => return None,
        };
        Some((order, kind))
    })
}

fn is_gdbm(head: &[u8]) -> bool {
    [Order::Little, Order::Big]
        .iter()
        .any(|order| matches!(order.u32(head, 0), Ok(0x1357_9acd..=0x1357_9ad1)))
}

/// A first page that can't be used.
fn header(bad: BadDbm) -> DatabaseError {
    DatabaseError::Header(match bad {
        BadDbm::Damaged | BadDbm::TooMuch => "its size and that of its pages do not agree".into(),
        BadDbm::Unusual(what) => what.into(),
        BadDbm::Outside(words) => words,
    })
}
