//! A world made of text that stands beside a test.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::{Files, Stat, World};

/// Files that are given as text, and a record of what was asked for. All else
/// is as in [`World::hermetic`].
///
/// ```
/// use eximious_core::world::Fixture;
/// let fixture = Fixture::new().file("/etc/aliases", "postmaster: root\n");
/// let world = fixture.world();
/// assert!(world.files.read(b"/etc/aliases", 1000).is_ok());
/// assert_eq!(fixture.asked(), ["read /etc/aliases"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Fixture(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    files: Mutex<BTreeMap<Vec<u8>, Arc<[u8]>>>,
    asked: Mutex<Vec<String>>,
}

impl Fixture {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or replaces one.
    pub fn file(self, path: &str, contents: impl AsRef<[u8]>) -> Self {
        if let Ok(mut files) = self.0.files.lock() {
            files.insert(path.as_bytes().to_vec(), contents.as_ref().into());
        }
        self
    }

    /// The world.
    pub fn world(&self) -> World {
        World { files: self.0.clone(), ..World::hermetic() }
    }

    /// What was asked for so far, in order: `read PATH`, `stat PATH`.
    pub fn asked(&self) -> Vec<String> {
        self.0.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }
}

impl Inner {
    fn find(&self, verb: &str, path: &[u8]) -> io::Result<Arc<[u8]>> {
        if let Ok(mut asked) = self.asked.lock() {
            asked.push(format!("{verb} {}", String::from_utf8_lossy(path)));
        }
        let files = self.files.lock().map_err(|_| io::Error::other("a test panicked"))?;
        let missing = || io::Error::new(io::ErrorKind::NotFound, "No such file or directory");
        files.get(path).cloned().ok_or_else(missing)
    }
}

impl Files for Inner {
    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        let contents = self.find("read", path)?;
        if contents.len() as u64 > limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "File too large"));
        }
        Ok(contents)
    }

    fn stat(&self, path: &[u8], _follow: bool) -> io::Result<Stat> {
        let contents = self.find("stat", path)?;
        Ok(Stat { mode: 0o100_644, links: 1, size: contents.len() as u64, ..Stat::default() })
    }
}
