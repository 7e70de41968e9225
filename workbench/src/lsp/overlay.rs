//! Files, with what an editor has of them in the place of what the disk has.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use eximious::world::{Files, Stat};

/// Texts that stand before those of other files.
pub(super) struct Overlay {
    disk: Arc<dyn Files>,
    texts: RwLock<HashMap<Vec<u8>, Arc<[u8]>>>,
}

impl Overlay {
    pub(super) fn new(disk: Arc<dyn Files>) -> Self {
        Self { disk, texts: RwLock::default() }
    }

    /// Puts a text before a file.
    pub(super) fn put(&self, path: &[u8], text: &[u8]) {
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        texts.insert(path.to_vec(), text.into());
    }

    /// Takes it away.
    pub(super) fn take(&self, path: &[u8]) {
        self.texts.write().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    fn text(&self, path: &[u8]) -> Option<Arc<[u8]>> {
        self.texts.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

impl Files for Overlay {
    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        match self.text(path) {
            Some(text) if text.len() as u64 <= limit => Ok(text),
            Some(_) => Err(io::ErrorKind::FileTooLarge.into()),
            None => self.disk.read(path, limit),
        }
    }
    fn stat(&self, path: &[u8], follow: bool) -> io::Result<Stat> {
        self.disk.stat(path, follow)
    }
    fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn Files> {
        self
    }
    fn names(&self, path: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        self.disk.names(path, most)
    }
}
