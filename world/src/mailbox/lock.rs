//! Locks of a mailbox that is one file.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use eximious_core::world::mailbox::{MailboxFault, MailboxLock, MailboxOrder, fault};
use nix::fcntl::FcntlArg;
use nix::libc;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::file::beside;
use super::{fault_of, own_fault};

/// How often a lock is tried while the file stays open.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a name that tells the file from all others may be.
const LONGEST_NAME: usize = 255;

/// A lock file beside a mailbox. It goes with this value.
pub(super) struct LockFile {
    path: PathBuf,
    /// The file's number, so that nobody else's is removed.
    device_and_inode: (u64, u64),
}

impl LockFile {
    /// Makes it in the way that works over NFS, too: a file with a name of its own is given
    /// the lock's name as another one.
    pub(super) fn take(order: &MailboxOrder, lock: &MailboxLock) -> Result<Self, MailboxFault> {
        let path = beside(&order.path, b".lock");
        for number in 0..lock.retries {
            if number > 0 {
                std::thread::sleep(lock.interval);
            }
            let (post, file) = hitching_post(order, Mode::from_raw_mode(lock.file_mode))?;
            let unmade = |error: Errno| {
                use std::os::unix::ffi::OsStrExt;
                let (uid, gid) = (order.user.uid, order.user.gid);
                let tail = format!(" (euid={uid} egid={gid})");
                let head: &[u8] = b"creating lock file hitching post ";
                fault_of(error, &[head, post.as_os_str().as_bytes(), tail.as_bytes()])
            };
            let file = file.map_err(unmade)?;
            let made = Self::link(&post, &path, &file);
            let _ = rustix::fs::unlink(&post);
            if let Some(made) = made.map_err(unmade)? {
                return Ok(made);
            }
            remove_stale(&path, lock.file_timeout);
        }
        let head: &[u8] = b"failed to lock mailbox ";
        Err(own_fault(fault::LOCKED, &[head, &order.path, b" (lock file)"]))
    }

    /// Gives the file the lock's name as another one; `None` where somebody else has that.
    fn link(post: &Path, path: &Path, file: &OwnedFd) -> Result<Option<Self>, Errno> {
        let stat = rustix::fs::fstat(file)?;
        // From here on the link goes, whatever fails.
        let made = Self { path: path.to_owned(), device_and_inode: (stat.st_dev, stat.st_ino) };
        let _ = rustix::fs::link(post, path);
        // Whether it was made, the file's own count knows best.
        let links = rustix::fs::fstat(file)?.st_nlink;
        Ok((links == 2).then_some(made))
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let there = rustix::fs::lstat(&self.path).map(|stat| (stat.st_dev, stat.st_ino));
        if there == Ok(self.device_and_inode) {
            let _ = rustix::fs::unlink(&self.path);
        }
    }
}

/// A file of a name that no other lock has: that of this host, moment and process, and, where
/// another thread has that one now, a number.
fn hitching_post(
    order: &MailboxOrder,
    mode: Mode,
) -> Result<(PathBuf, Result<OwnedFd, Errno>), MailboxFault> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let now = super::since(0).unwrap_or(0);
    let mut number = String::new();
    loop {
        let tail = format!(".{now:08x}.{:08x}{number}", std::process::id());
        let name = [b".lock.", &order.host[..], tail.as_bytes()].concat();
        let own = order.path.len() - super::parent(&order.path).len();
        if own + name.len() > LONGEST_NAME {
            let head: &[u8] = b"creating lock file hitching post for ";
            return Err(fault_of(Errno::NAMETOOLONG, &[head, &order.path]));
        }
        let post = beside(&order.path, &name);
        match rustix::fs::open(&post, flags, mode) {
            Err(Errno::EXIST) if number.is_empty() => {
                number = format!(".{:x}", NEXT.fetch_add(1, Ordering::Relaxed));
            }
            opened => return Ok((post, opened)),
        }
    }
}

/// Removes a lock file that somebody has left behind.
fn remove_stale(path: &Path, timeout: Duration) {
    let Ok(stat) = rustix::fs::lstat(path) else { return };
    // When it was last written to, anybody may say.
    let age = super::since(stat.st_ctime).and_then(|age| u64::try_from(age).ok());
    if !timeout.is_zero() && age.is_some_and(|age| age > timeout.as_secs()) {
        let _ = rustix::fs::unlink(path);
    }
}

/// The locks of an open file are had, as long as it is open.
pub(super) struct Locked;

impl Locked {
    /// Takes the locks, which others may share if that is said; `None` where somebody else has
    /// one.
    pub(super) fn take(lock: &MailboxLock, file: &File, shares: bool) -> io::Result<Option<Self>> {
        let fcntl = lock.by_fcntl && !take_one(lock.fcntl_timeout, || record_lock(file, shares))?;
        if fcntl || lock.by_flock && !take_one(lock.flock_timeout, || whole_lock(file, shares))? {
            return Ok(None);
        }
        Ok(Some(Self))
    }
}

/// Tries a lock until it is had or the time is over.
fn take_one(timeout: Duration, take: impl Fn() -> io::Result<bool>) -> io::Result<bool> {
    let deadline = Instant::now() + timeout;
    loop {
        if take()? {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(PAUSE);
    }
}

/// The lock that `fcntl` gives, for the open file: those of a process would not keep its
/// threads apart, and would go when any of them closed the file.
fn record_lock(file: &File, shares: bool) -> io::Result<bool> {
    let kind = if shares { libc::F_RDLCK } else { libc::F_WRLCK };
    let whole = libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    match nix::fcntl::fcntl(file, FcntlArg::F_OFD_SETLK(&whole)) {
        Ok(_) => Ok(true),
        Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EACCES) => Ok(false),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn whole_lock(file: &File, shares: bool) -> io::Result<bool> {
    let operation = match shares {
        true => FlockOperation::NonBlockingLockShared,
        false => FlockOperation::NonBlockingLockExclusive,
    };
    match rustix::fs::flock(file.as_fd(), operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The lock of those who write to an MBX file that others may read. Its file goes with
/// this value.
pub(super) struct MbxLock {
    path: String,
    _file: File,
}

impl MbxLock {
    /// Takes it, in the ways that the mailbox is locked in.
    pub(super) fn take(
        order: &MailboxOrder,
        lock: &MailboxLock,
        mailbox: &File,
    ) -> Result<Self, MailboxFault> {
        let path = &order.path[..];
        let unlocked =
            |error: Errno| fault_of(error, &[b"failed to lock mailbox ", path, b" (MBX)"]);
        let stat = rustix::fs::fstat(mailbox.as_fd()).map_err(unlocked)?;
        let name = format!("/tmp/.{:x}.{:x}", stat.st_dev, stat.st_ino);
        for number in 0..lock.tries() {
            if number > 0 && lock.waits_closed() {
                std::thread::sleep(lock.interval);
            }
            let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK;
            let mode = Mode::from_raw_mode(lock.file_mode);
            let opened = rustix::fs::open(&name, flags | OFlags::CLOEXEC, mode);
            let file = File::from(opened.map_err(unlocked)?);
            let taken = Locked::take(lock, &file, false)
                .map_err(|error| fault_of(error, &[b"failed to lock mailbox ", path, b" (MBX)"]))?;
            if taken.is_some() && is_named(&name, &file) {
                return Ok(Self { path: name, _file: file });
            }
        }
        Err(own_fault(fault::LOCKED, &[b"failed to lock mailbox ", path, b" (fcntl/flock)"]))
    }
}

/// Whether the name still is this file's: who had the lock before may have removed it.
fn is_named(name: &str, file: &File) -> bool {
    match (rustix::fs::lstat(name), rustix::fs::fstat(file.as_fd())) {
        (Ok(there), Ok(open)) => {
            (there.st_dev, there.st_ino) == (open.st_dev, open.st_ino) && open.st_nlink == 1
        }
        _ => false,
    }
}

impl Drop for MbxLock {
    fn drop(&mut self) {
        let _ = rustix::fs::unlink(&self.path);
    }
}
