//! The files that tests hang on (`--watch`): each that was asked for, as it was before.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eximious::world::{Files, Stat};

/// What shows that a file is another one: when it was changed, its size and its number.
type Look = Option<(i64, i64, u64, u64)>;

fn look(stat: &Stat) -> Look {
    Some((stat.mtime, stat.mtime_nanos, stat.size, stat.inode))
}

/// Files, and which of them were asked for.
#[derive(Clone)]
pub struct WatchedFiles {
    files: Arc<dyn Files>,
    asked: Arc<Mutex<BTreeMap<Vec<u8>, Look>>>,
}

impl WatchedFiles {
    /// None was asked for yet.
    pub fn new(files: Arc<dyn Files>) -> Self {
        Self { files, asked: Arc::default() }
    }

    fn asked(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Look>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps how a file is before it is read, so that no change is missed.
    fn note(&self, path: &[u8]) {
        let now = self.look(path);
        self.asked().entry(path.to_vec()).or_insert(now);
    }

    fn look(&self, path: &[u8]) -> Look {
        // What else lies in a folder is none of the tests' business.
        let stat = self.files.stat(path, true).ok().filter(|stat| !stat.is_directory());
        stat.as_ref().and_then(look)
    }

    /// Whether all are as they were.
    pub fn are_same(&self) -> bool {
        let asked = self.asked().clone();
        asked.iter().all(|(path, before)| self.look(path) == *before)
    }

    /// Forgets what was asked for.
    pub fn forget(&self) {
        self.asked().clear();
    }
}

impl Files for WatchedFiles {
    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        self.note(path);
        self.files.read(path, limit)
    }

    fn stat(&self, path: &[u8], follow: bool) -> io::Result<Stat> {
        self.note(path);
        self.files.stat(path, follow)
    }

    fn seen_by(self: Arc<Self>, uid: u32, gid: Option<u32>) -> Arc<dyn Files> {
        let files = self.files.clone().seen_by(uid, gid);
        Arc::new(Self { files, asked: self.asked.clone() })
    }

    fn names(&self, path: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        self.files.names(path, most)
    }
}
