//! Mailboxes: files and directories of users, written with their rights.

mod directory;
mod file;
mod lock;
mod measure;
pub(crate) mod relay;
mod settling;
mod sizes;
mod user_file;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use eximious_core::world::mailbox::{
    MailboxDone, MailboxFault, MailboxFaultKind, MailboxForm, MailboxOrder, MailboxPlace,
    MailboxSupply, Mailboxes, UserFileOrder, fault,
};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::umask;
use rustix::fs::{Gid, Mode, OFlags};
use rustix::io::Errno;

/// The system's mailboxes.
#[derive(Debug)]
pub struct SystemMailboxes;

impl Mailboxes for SystemMailboxes {
    fn write(
        &self,
        order: &MailboxOrder,
        supply: &mut dyn MailboxSupply,
    ) -> Result<MailboxDone, MailboxFault> {
        relay::with_rights(&order.user, supply, |supply| write(order, supply))
    }

    fn file(&self, order: &UserFileOrder) -> io::Result<Vec<u8>> {
        user_file::work(order)
    }
}

/// Writes on a thread that does nothing else with the system afterwards: where it has to
/// take the user's rights, it has them for good.
pub(crate) fn write_for_good(
    order: &MailboxOrder,
    supply: &mut dyn MailboxSupply,
) -> Result<MailboxDone, MailboxFault> {
    relay::take_rights(&order.user)?;
    write(order, supply)
}

/// Writes with the rights that this thread has.
pub(crate) fn write(
    order: &MailboxOrder,
    supply: &mut dyn MailboxSupply,
) -> Result<MailboxDone, MailboxFault> {
    match &order.form {
        MailboxForm::File(file) => file::write(order, file, supply),
        MailboxForm::Maildir { retries, marks_folder, keeps_sizes } => {
            let maildir = directory::MaildirWays {
                retries: *retries,
                marks_folder: *marks_folder,
                keeps_sizes: *keeps_sizes,
            };
            directory::write_maildir(order, maildir, supply)
        }
        MailboxForm::Mailstore { id } => directory::write_mailstore(order, id, supply),
        MailboxForm::Files => directory::write_file(order, supply),
    }
}

/// How much is copied at a time.
const WINDOW: usize = 32 * 1024;

/// Copies all that there is; how many bytes that was.
fn copy(supply: &mut dyn MailboxSupply, to: &mut dyn io::Write) -> io::Result<u64> {
    let mut window = vec![0; WINDOW];
    let mut written = 0;
    loop {
        match supply.read(&mut window) {
            Ok(0) => return Ok(written),
            Ok(count) => {
                to.write_all(&window[..count])?;
                written += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A fault over something that the system would not do.
fn fault_of(error: impl Into<io::Error>, parts: &[&[u8]]) -> MailboxFault {
    MailboxFault::of(&error.into(), parts.concat())
}

/// A fault with one of Exim's own numbers.
fn own_fault(number: i32, parts: &[&[u8]]) -> MailboxFault {
    MailboxFault::new(number, parts.concat())
}

/// What can't be written: no room that the system gives to the user is a matter of
/// quota, too. `unread` is for how long nobody has read the mailbox.
fn unwritten(error: &io::Error, name: &[u8], unread: Option<i64>) -> MailboxFault {
    if error.raw_os_error() == Some(Errno::DQUOT.raw_os_error()) {
        let text = [b"mailbox is full (quota exceeded while writing to ", name, b")"].concat();
        let kind = MailboxFaultKind::Quota(unread);
        return MailboxFault { kind, ..MailboxFault::of(error, text) };
    }
    MailboxFault::of(error, [b"error while writing to ", name].concat())
}

/// There is no room for the message in the mailbox.
fn full(what: &str, name: &[u8], unread: Option<i64>) -> MailboxFault {
    let head = format!("mailbox is full (MTA-imposed {what} exceeded while writing to ");
    let text = [head.as_bytes(), name, b")"].concat();
    MailboxFault { kind: MailboxFaultKind::Quota(unread), ..MailboxFault::new(fault::QUOTA, text) }
}

/// Whether the system said just that.
fn is_error<T>(said: rustix::io::Result<T>, error: Errno) -> bool {
    said.err() == Some(error)
}

/// The system's words.
fn reason(error: Errno) -> Vec<u8> {
    let text = io::Error::from(error).to_string();
    text.split(" (os error").next().unwrap_or_default().as_bytes().to_vec()
}

/// The seconds from a point in time until now.
fn since(then: i64) -> Option<i64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(now.as_secs()).ok().map(|now| now.saturating_sub(then).max(0))
}

/// The directory that a path lies in.
fn parent(path: &[u8]) -> &[u8] {
    match memchr::memrchr(b'/', path) {
        Some(0) | None => b"/",
        Some(at) => &path[..at],
    }
}

/// Whether a file or directory may be made at a path, for files that are to be in a
/// directory: where there is something that it has to be in, its name begins so, and the
/// directory that is there, links followed, lies there, too.
fn may_be_made(order: &MailboxOrder, path: &[u8], directory: &[u8]) -> bool {
    let Some(MailboxPlace { path: within, below }) = &order.within else { return true };
    if !below && without_slashes(directory) != without_slashes(within) {
        return false;
    }
    let Some(rest) = path.strip_prefix(&within[..]) else { return false };
    // As it is written: what ends with a slash has nothing in it.
    let inside = rest.is_empty() || rest.starts_with(b"/");
    if !inside || rest.split(|byte| *byte == b'/').any(|part| part == b"..") {
        return false;
    }
    let Ok(home) = std::fs::canonicalize(as_path(within)) else {
        // Where nothing is, nothing can be linked.
        return is_error(rustix::fs::lstat(&within[..]), Errno::NOENT);
    };
    let mut there = path;
    loop {
        match std::fs::canonicalize(as_path(there)) {
            Ok(real) => return real.starts_with(&home),
            // A link that leads to nothing leads outside.
            Err(_) if rustix::fs::lstat(there).is_ok() => return false,
            Err(_) if there == b"/" => return false,
            Err(_) => there = parent(there),
        }
    }
}

/// A directory's path without slashes at its end.
fn without_slashes(path: &[u8]) -> &[u8] {
    path.iter().rposition(|byte| *byte != b'/').map_or(&b""[..], |at| &path[..=at])
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// Makes a directory, and those that it lies in, with these permissions, whatever the
/// process leaves out.
fn make_directories(path: &[u8], mode: u32) -> rustix::io::Result<()> {
    match make_directory(path, mode) {
        Err(Errno::NOENT) if parent(path).len() < path.len() && parent(path) != path => {
            make_directories(parent(path), mode)?;
            make_directory(path, mode)
        }
        made => made,
    }
}

/// Makes a directory that lies in one that is there; one that somebody else has just made
/// is as good.
fn make_directory(path: &[u8], mode: u32) -> rustix::io::Result<()> {
    match make_unmasked(path, mode) {
        Err(Errno::EXIST) => return Ok(()),
        made => made?,
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    // Who may not look into it can't change what it was made with.
    if let Ok(made) = rustix::fs::open(path, flags, Mode::empty()) {
        let has = rustix::fs::fstat(&made)?.st_mode & 0o7777;
        // What lies in a directory that hands its group down does so, too. Where more is said than
        // who may do what, just that is so, as far as the user may have it.
        let is_special = mode & 0o7000 != 0;
        let wants = if is_special { mode } else { mode | has & Mode::SGID.as_raw_mode() };
        if is_special || has != wants {
            rustix::fs::fchmod(&made, Mode::from_raw_mode(wants))?;
        }
        sync_directory(parent(path))?;
    }
    Ok(())
}

/// Makes a directory, whatever the process leaves out: who is not in the group that is handed
/// down can't give permissions afterwards without ending that. The thread that does it has a
/// umask of its own, where the system allows that.
fn make_unmasked(path: &[u8], mode: u32) -> rustix::io::Result<()> {
    let make = || rustix::fs::mkdir(path, Mode::from_raw_mode(mode));
    let unmasked = || {
        if unshare(CloneFlags::CLONE_FS).is_ok() {
            umask(nix::sys::stat::Mode::empty());
        }
        make()
    };
    std::thread::scope(|scope| match std::thread::Builder::new().spawn_scoped(scope, unmasked) {
        Ok(worker) => worker.join().unwrap_or(Err(Errno::IO)),
        Err(_) => make(),
    })
}

/// Has on disk what stands in a directory.
fn sync_directory(path: &[u8]) -> rustix::io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(directory) => rustix::fs::fsync(&directory),
        // Who may write there need not be able to read.
        Err(Errno::ACCESS) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a file that is not there, with these permissions.
fn create(path: &[u8], mode: u32) -> rustix::io::Result<File> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDWR;
    let file = rustix::fs::open(path, flags, Mode::from_raw_mode(mode & 0o777))?;
    rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
    Ok(File::from(file))
}

/// Makes a file of the user's that is not there.
fn create_own(path: &[u8], order: &MailboxOrder) -> rustix::io::Result<File> {
    let file = create(path, order.mode)?;
    belong(&file, order)?;
    Ok(file)
}

/// Gives a file that was just made to the user's own group, whatever group its directory
/// hands down.
fn belong(made: impl AsFd, order: &MailboxOrder) -> rustix::io::Result<()> {
    let gid = order.user.gid;
    match rustix::fs::fstat(&made)?.st_gid == gid {
        true => Ok(()),
        false => rustix::fs::fchown(&made, None, Some(Gid::from_raw(gid))),
    }
}

#[cfg(test)]
mod tests;
