//! New files of a directory that come to the disk with their names.
//!
//! Where the file system keeps all changes in one journal, the contents are only written
//! out, and a sync of the directory, after the file has its name, has everything on disk.
//! Those who wait for a directory at the same moment share its sync.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::order::{Order, Orders};

/// A directory that gets a new file.
pub(super) struct Settling {
    /// Nothing, where who may write there can't read.
    directory: Option<OwnedFd>,
    /// What tells it from others: its device, and its number there.
    key: (u64, u64),
    order: Order,
}

impl Settling {
    /// Looks at a directory.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn of(path: &[u8]) -> rustix::io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        let directory = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(directory) => Some(directory),
            Err(Errno::ACCESS) => None,
            Err(error) => return Err(error),
        };
        let order =
            directory.as_ref().map_or(Order::Unknown, |directory| shared().orders.of(directory));
        let stat = directory.as_ref().map(rustix::fs::fstat).transpose()?;
        let key = stat.map_or((0, 0), |stat| (stat.st_dev, stat.st_ino));
        Ok(Self { directory, key, order })
    }

    /// Whether it is on a device.
    pub(super) fn is_on(&self, device: u64) -> bool {
        self.directory.is_some() && self.key.0 == device
    }

    /// Has the contents of a file of this file system where [`Settling::settle`] has them
    /// on disk, or has them there already.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write_out(&self, file: &File) -> io::Result<()> {
        match self.order {
            Order::Journal => eximious_writeback::finish(file.as_fd()),
            Order::Kept | Order::Unknown => file.sync_all(),
        }
    }

    /// Has all of the directory's file system on disk.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn settle_all(&self) -> rustix::io::Result<()> {
        self.directory.as_ref().map_or(Err(Errno::ACCESS), rustix::fs::syncfs)
    }

    /// Has on disk what stands in the directory now.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn settle(&self) -> rustix::io::Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let key = self.key;
        let syncs = locked(&shared().syncs).entry(key).or_default().clone();
        let synced = syncs.share(|| rustix::fs::fsync(directory));
        drop(syncs);
        let mut all = locked(&shared().syncs);
        // Who has it from there has it under this lock.
        if all.get(&key).is_some_and(|syncs| Arc::strong_count(syncs) == 1) {
            all.remove(&key);
        }
        synced
    }
}

/// What all threads of this process know.
#[derive(Default)]
struct Shared {
    orders: Orders,
    /// The directories that somebody waits for.
    syncs: Mutex<HashMap<(u64, u64), Arc<Syncs>>>,
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(Shared::default)
}

/// The syncs of one directory, which follow one another.
#[derive(Default)]
struct Syncs {
    count: Mutex<Count>,
    /// Where the one waits who does the next.
    turn: Condvar,
    /// Where others wait for one, those of each second one together: nobody is woken for
    /// another's.
    ended: [Condvar; 2],
}

#[derive(Default)]
struct Count {
    begun: u64,
    ended: u64,
    /// Whether somebody waits to do the next.
    is_taken: bool,
    /// The last one that failed, and why.
    failed: Option<(u64, Errno)>,
}

impl Syncs {
    /// Has one done that begins after this was called, by whoever comes first.
    fn share(&self, sync: impl FnOnce() -> rustix::io::Result<()>) -> rustix::io::Result<()> {
        let mut count = locked(&self.count);
        let own = count.begun + 1;
        if count.is_taken {
            count = waiting(&self.ended[(own % 2) as usize], count, |now| now.ended < own);
            return match count.failed {
                Some((number, error)) if number >= own => Err(error),
                _ => Ok(()),
            };
        }
        if count.ended < count.begun {
            count.is_taken = true;
            count = waiting(&self.turn, count, |now| now.ended < now.begun);
            count.is_taken = false;
        }
        count.begun = own;
        drop(count);
        let done = sync();
        let mut count = locked(&self.count);
        count.ended = own;
        if let Err(error) = done {
            count.failed = Some((own, error));
        }
        drop(count);
        self.turn.notify_one();
        self.ended[(own % 2) as usize].notify_all();
        done
    }
}

/// Waits as long as something holds.
fn waiting<'c>(
    changed: &Condvar,
    count: MutexGuard<'c, Count>,
    holds: impl Fn(&Count) -> bool,
) -> MutexGuard<'c, Count> {
    changed.wait_while(count, |now| holds(now)).unwrap_or_else(PoisonError::into_inner)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn who_comes_during_a_sync_waits_for_the_next() {
        let (syncs, state, done) = (Syncs::default(), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let own = state.fetch_add(1, Ordering::SeqCst) + 1;
                        let sync = || {
                            let seen = state.load(Ordering::SeqCst);
                            thread::yield_now();
                            done.fetch_max(seen, Ordering::SeqCst);
                            Ok(())
                        };
                        syncs.share(sync).expect("it is done");
                        assert!(done.load(Ordering::SeqCst) >= own, "a sync saw it");
                    }
                });
            }
        });
        let count = locked(&syncs.count);
        assert!(count.begun == count.ended && count.ended <= 16 * 500 && !count.is_taken);
    }

    #[test]
    fn who_shares_a_sync_that_fails_is_told() {
        let syncs = Syncs::default();
        let waiting = || locked(&syncs.count).begun;
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                syncs.share(|| {
                    // Others come meanwhile; theirs is the next one.
                    thread::sleep(std::time::Duration::from_millis(50));
                    Ok(())
                })
            });
            while waiting() == 0 {
                thread::yield_now();
            }
            let others: Vec<_> =
                (0..4).map(|_| scope.spawn(|| syncs.share(|| Err(Errno::IO)))).collect();
            assert_eq!(first.join().expect("it ends"), Ok(()));
            for other in others {
                assert_eq!(other.join().expect("it ends"), Err(Errno::IO));
            }
        });
        assert_eq!(syncs.share(|| Ok(())), Ok(()), "what comes later is another matter");
    }
}
