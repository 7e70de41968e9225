//! Directories that several wait for: one sync does for all that were there when it began.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustix::fs::fsync;
use rustix::io::Errno;

/// The directories of a spool, with the syncs that are under way.
#[derive(Debug, Default)]
pub(super) struct SharedSyncs(Mutex<HashMap<(u64, u64), Arc<Directory>>>);

/// One directory.
#[derive(Debug, Default)]
struct Directory {
    syncs: Mutex<Syncs>,
    ended: Condvar,
}

/// The syncs of a directory, counted from 1.
#[derive(Debug, Default)]
struct Syncs {
    begun: u64,
    /// The last one that has ended, and how.
    ended: u64,
    failed: Option<Failed>,
    is_busy: bool,
    /// How many wait for one.
    waiting: usize,
}

/// A sync that failed, for all that waited for it.
#[derive(Clone, Copy, Debug)]
struct Failed {
    number: u64,
    why: Errno,
}

impl SharedSyncs {
    /// Has what was done in a directory up to now on disk.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn sync(&self, directory: &OwnedFd) -> io::Result<()> {
        let stat = rustix::fs::fstat(directory)?;
        let key = (stat.st_dev, stat.st_ino);
        let shared = locked(&self.0).entry(key).or_default().clone();
        let synced = shared.sync(directory);
        let mut all = locked(&self.0);
        // A spool has few directories, but those of other spools may follow.
        if all.get(&key).is_some_and(|one| locked(&one.syncs).waiting == 0) {
            all.remove(&key);
        }
        Ok(synced?)
    }
}

impl Directory {
    fn sync(&self, directory: &OwnedFd) -> rustix::io::Result<()> {
        let mut syncs = locked(&self.syncs);
        syncs.waiting += 1;
        // One that is under way may have looked already: only the next one counts.
        let wanted = syncs.begun + 1;
        while syncs.ended < wanted {
            if syncs.is_busy {
                syncs = self.ended.wait(syncs).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            syncs.is_busy = true;
            syncs.begun += 1;
            drop(syncs);
            let synced = fsync(directory);
            syncs = locked(&self.syncs);
            syncs.is_busy = false;
            syncs.ended = syncs.begun;
            if let Err(why) = synced {
                syncs.failed = Some(Failed { number: syncs.ended, why });
            }
            self.ended.notify_all();
        }
        syncs.waiting -= 1;
        // What could not be written once is lost to later syncs: nobody who waited for it,
        // or for one before it, may take it for written.
        match syncs.failed {
            Some(failed) if failed.number >= wanted => Err(failed.why),
            _ => Ok(()),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    fn open(path: &std::path::Path) -> OwnedFd {
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
        rustix::fs::open(path, flags, rustix::fs::Mode::empty()).expect("a directory")
    }

    #[test]
    fn many_sync_at_once_and_nothing_stays_behind() {
        let folder = tempfile::TempDir::new().expect("a directory");
        let (syncs, done) = (SharedSyncs::default(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        syncs.sync(&open(folder.path())).expect("a sync");
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(done.load(Ordering::SeqCst), 16 * 50);
        assert!(locked(&syncs.0).is_empty(), "nobody waits any more");
    }

    #[test]
    fn what_can_not_be_synced_is_told() {
        let (socket, _other) = std::os::unix::net::UnixStream::pair().expect("sockets");
        let syncs = SharedSyncs::default();
        assert!(syncs.sync(&OwnedFd::from(socket)).is_err());
        assert!(locked(&syncs.0).is_empty());
    }
}
