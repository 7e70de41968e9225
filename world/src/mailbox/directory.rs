//! Mailboxes that are directories, with a new file for each message (specification 26.4 to
//! 26.9).

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use eximious_core::digits::base62;
use eximious_core::world::Clock;
use eximious_core::world::mailbox::{
    MailboxDone, MailboxFault, MailboxFaultKind, MailboxOrder, MailboxSupply, fault,
};
use rustix::fs::{CWD, FileType, RenameFlags};
use rustix::io::Errno;

use super::measure::{self, Measure};
use super::settling::Settling;
use super::sizes::SizeFile;
use super::{as_path, copy, fault_of, is_error, own_fault};
use crate::clock::SystemClock;

/// How long a maildir's name that is not free is waited for.
const PAUSE: Duration = Duration::from_secs(2);
/// How many names are tried for the files of the other forms.
const MOST_NAMES: u32 = 100;
/// Not a directory.
const NOT_DIRECTORY: i32 = -5;

/// What is done about a maildir.
#[derive(Clone, Copy)]
pub(super) struct MaildirWays {
    pub(super) retries: u32,
    pub(super) marks_folder: bool,
    pub(super) keeps_sizes: bool,
}

/// A file that goes with this value, unless it is kept.
struct Temporary {
    path: Vec<u8>,
    file: File,
    is_kept: bool,
}

impl Temporary {
    fn create(path: Vec<u8>, order: &MailboxOrder) -> rustix::io::Result<Self> {
        let file = super::create_own(&path, order)?;
        Ok(Self { file, path, is_kept: false })
    }

    /// Writes a message, which is to come to the disk with its name; with nothing to settle, it
    /// may do so when it will.
    fn fill(
        &mut self,
        supply: &mut dyn MailboxSupply,
        settling: Option<&Settling>,
        name: &[u8],
        unread: Option<i64>,
    ) -> Result<u64, MailboxFault> {
        let write_out = |written| match settling {
            Some(settling) => settling.write_out(&self.file).map(|()| written),
            None => Ok(written),
        };
        let written = copy(supply, &mut &self.file).and_then(write_out);
        written.map_err(|error| super::unwritten(&error, name, unread))
    }

    /// Gives it its own name, which is nobody else's.
    fn rename(&mut self, to: &[u8]) -> rustix::io::Result<()> {
        let from = &self.path[..];
        match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS) => {
                // Not each file system can do so.
                if rustix::fs::lstat(to).is_ok() {
                    return Err(Errno::EXIST);
                }
                rustix::fs::rename(from, to)?;
            }
            renamed => renamed?,
        }
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = std::fs::remove_file(as_path(&self.path));
        }
    }
}

/// A name that no other message of this host has.
pub(super) fn unique_name(order: &MailboxOrder) -> Vec<u8> {
    let now = SystemClock.moment();
    let head = format!("{}.M{}P{}.", now.seconds, now.nanos / 1000, std::process::id());
    [head.as_bytes(), &order.host].concat()
}

/// Writes a message to a maildir.
pub(super) fn write_maildir(
    order: &MailboxOrder,
    maildir: MaildirWays,
    supply: &mut dyn MailboxSupply,
) -> Result<MailboxDone, MailboxFault> {
    check_place(order)?;
    let path = &order.path[..];
    ensure(order, path)?;
    // A link that leads nowhere is no directory, and keeps one from being made; and one that is
    // there may be nobody's to enter.
    let inside = [path, b"/."].concat();
    rustix::fs::stat(&inside[..]).map_err(|error| fault_of(error, &[b"cannot chdir to ", path]))?;
    for part in [&b"/tmp"[..], b"/new", b"/cur"] {
        ensure(order, &[path, part].concat())?;
    }
    let mark = [path, b"/maildirfolder"].concat();
    if maildir.marks_folder
        && let Err(error) = super::create(&mark, 0o600)
        && error != Errno::EXIST
    {
        return Err(fault_of(error, &[b"while creating file ", &mark]));
    }
    let new = [path, b"/new"].concat();
    let unread = rustix::fs::stat(&new[..]).ok().and_then(|stat| super::since(stat.st_mtime));
    let (sizes, measure) = maildir_measure(order, maildir, supply, &mark)?;
    let (mut temporary, name) = maildir_file(order, maildir)?;
    let shown = [b"tmp/", &name[..]].concat();
    measure::check(order, measure, &shown, unread)?;
    // Where there is no such directory, nothing can have a name in it.
    let settling = Settling::of(&new)
        .map_err(|error| fault_of(error, &[b"while renaming ", &shown, b" as new/", &name]))?;
    let is_unsynced = order.covered.is_some_and(|device| settling.is_on(device));
    let settles = Some(&settling).filter(|_| !is_unsynced);
    let written = temporary.fill(supply, settles, &shown, unread)?;
    let tag = supply.tag(written)?;
    let untagged = [&new[..], b"/", &name].concat();
    let mut target = [&untagged[..], &tag].concat();
    if !tag.is_empty() && is_error(rustix::fs::lstat(&target[..]), Errno::NAMETOOLONG) {
        target.clone_from(&untagged);
    }
    temporary.rename(&target).map_err(|error| {
        let tail = &target[path.len() + 1..];
        fault_of(error, &[b"while renaming ", &shown, b" as ", tail])
    })?;
    if !is_unsynced {
        settle(&settling, &[&target])?;
    }
    if let Some(sizes) = sizes {
        // It is counted again some time; the message is there.
        let _ = sizes.add(written);
    }
    Ok(MailboxDone { is_unsynced, ..done(target, written, measure) })
}

fn done(path: Vec<u8>, written: u64, measure: Option<Measure>) -> MailboxDone {
    MailboxDone {
        path,
        written,
        bytes_before: measure.map(|all| all.bytes),
        files_before: measure.map(|all| all.files),
        offset: 0,
        is_unsynced: false,
    }
}

/// How much is in the mailbox that a maildir belongs to, where anybody wants to know.
fn maildir_measure(
    order: &MailboxOrder,
    maildir: MaildirWays,
    supply: &mut dyn MailboxSupply,
    mark: &[u8],
) -> Result<(Option<SizeFile>, Option<Measure>), MailboxFault> {
    let wanted = measure::is_wanted(order);
    if !wanted && !maildir.keeps_sizes {
        return Ok((None, None));
    }
    let is_folder = rustix::fs::stat(mark).is_ok();
    let top = match &order.quota.directory {
        Some(directory) => &directory[..],
        None if is_folder => super::parent(&order.path),
        None => &order.path,
    };
    if !maildir.keeps_sizes {
        return Ok((None, Some(measure::measure(order, top, supply)?)));
    }
    let below = order.path.strip_prefix(top).and_then(|rest| rest.strip_prefix(b"/"));
    let below = below.map_or(b"new".to_vec(), |name| [name, b"/new"].concat());
    if !supply.counts(&below) {
        // What is not counted is not bounded.
        return Ok((None, None));
    }
    let sizes = SizeFile::read(order, top, supply)?;
    let measure = Measure {
        bytes: order.quota.known_bytes.unwrap_or(sizes.measure.bytes),
        files: order.quota.known_files.unwrap_or(sizes.measure.files),
    };
    Ok((Some(sizes), Some(measure)))
}

/// A new file in `tmp`, and its name.
fn maildir_file(
    order: &MailboxOrder,
    maildir: MaildirWays,
) -> Result<(Temporary, Vec<u8>), MailboxFault> {
    let mut number = 0;
    loop {
        let name = unique_name(order);
        let path = [&order.path[..], b"/tmp/", &name].concat();
        match Temporary::create(path, order) {
            Ok(made) => return Ok((made, name)),
            Err(Errno::EXIST) if number < maildir.retries => {
                number += 1;
                std::thread::sleep(PAUSE);
            }
            Err(error) => {
                let tail = format!(" ({} tries)", maildir.retries);
                let parts = [b"failed to open tmp/", &name[..], tail.as_bytes()];
                return Err(fault_of(error, &parts));
            }
        }
    }
}

/// Whether files may be made in the directory.
fn check_place(order: &MailboxOrder) -> Result<(), MailboxFault> {
    if super::may_be_made(order, &order.path, &order.path) {
        return Ok(());
    }
    let tail: &[u8] = b", but file creation outside the home directory is not permitted";
    Err(own_fault(fault::CREATION, &[b"tried to create file in ", &order.path, tail]))
}

/// Makes a directory of a maildir, if it is not there.
fn ensure(order: &MailboxOrder, path: &[u8]) -> Result<(), MailboxFault> {
    let unstated =
        |error: Errno| fault_of(error, &[b"stat() error for ", path, b": ", &super::reason(error)]);
    match rustix::fs::stat(path) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => Ok(()),
        Ok(_) => Err(own_fault(NOT_DIRECTORY, &[path, b" is not a directory"])),
        Err(error @ Errno::NOENT) => {
            let mode = order.directory_mode.ok_or_else(|| unstated(error))?;
            super::make_directories(path, mode)
                .map_err(|error| fault_of(error, &[b"cannot create ", path]))
        }
        Err(error) => Err(unstated(error)),
    }
}

/// Makes the directory of one of the other forms, if it is not there; why it could not be
/// made, which is told of the file that is to be in it.
fn ensure_plain(order: &MailboxOrder) -> Option<Errno> {
    let mode = order.directory_mode?;
    if !is_error(rustix::fs::stat(&order.path[..]), Errno::NOENT) {
        return None;
    }
    super::make_directories(&order.path, mode).err()
}

/// How much is in a directory, where anybody wants to know.
fn plain_measure(
    order: &MailboxOrder,
    supply: &mut dyn MailboxSupply,
) -> Result<Option<Measure>, MailboxFault> {
    if !measure::is_wanted(order) {
        return Ok(None);
    }
    let directory = order.quota.directory.as_ref().unwrap_or(&order.path);
    measure::measure(order, directory, supply).map(Some)
}

/// Makes files whose names have a number in them, which is changed until they are free.
fn numbered<T>(
    unmade: Option<Errno>,
    make: impl Fn(u64) -> Result<T, (Errno, Vec<u8>)>,
) -> Result<T, MailboxFault> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let own = u64::from(std::process::id());
    let mut tries = 0;
    let mut number = own;
    loop {
        match make(number) {
            Err((Errno::EXIST, _)) if tries < MOST_NAMES => {
                tries += 1;
                number = own | (NEXT.fetch_add(1, Ordering::Relaxed) + 1) << 32;
            }
            made => {
                return made.map_err(|(error, path)| {
                    let error = unmade.filter(|_| error == Errno::NOENT).unwrap_or(error);
                    fault_of(error, &[b"while creating file ", &path])
                });
            }
        }
    }
}

/// Writes a message to a file of its own.
pub(super) fn write_file(
    order: &MailboxOrder,
    supply: &mut dyn MailboxSupply,
) -> Result<MailboxDone, MailboxFault> {
    check_place(order)?;
    let unmade = ensure_plain(order);
    let measure = plain_measure(order, supply)?;
    let mut temporary = numbered(unmade, |number| {
        let name = format!("/temp.{number}.");
        let path = [&order.path[..], name.as_bytes(), &order.host].concat();
        Temporary::create(path.clone(), order).map_err(|error| (error, path))
    })?;
    let shown = temporary.path.clone();
    measure::check(order, measure, &shown, None)?;
    let settling = settling(&order.path, &shown)?;
    let written = temporary.fill(supply, Some(&settling), &shown, None)?;
    let inode = temporary.file.metadata().map_or(0, |data| data.ino());
    let name = supply.name(inode)?;
    let target = [&order.path[..], b"/", &name].concat();
    temporary
        .rename(&target)
        .map_err(|error| fault_of(error, &[b"while renaming ", &shown, b" as ", &target]))?;
    let directory = super::parent(&target);
    if directory == order.path {
        settle(&settling, &[&target])?;
    } else {
        // The name led into another directory.
        let synced = temporary.file.sync_all().map_err(|error| unsettled(error, &[&target]));
        synced.and_then(|()| settle(&self::settling(directory, &target)?, &[&target]))?;
    }
    Ok(done(target, written, measure))
}

/// Looks at the directory that a file is to be in.
fn settling(directory: &[u8], name: &[u8]) -> Result<Settling, MailboxFault> {
    Settling::of(directory).map_err(|error| fault_of(error, &[b"error while writing to ", name]))
}

/// Has new names on disk. Where that can't be, nobody can say whether the files are there
/// when the system starts again, so they go.
fn settle(settling: &Settling, files: &[&[u8]]) -> Result<(), MailboxFault> {
    settling.settle().map_err(|error| unsettled(error, files))
}

/// Takes files away that can't be had on disk for good, and says why.
fn unsettled(error: impl Into<std::io::Error>, files: &[&[u8]]) -> MailboxFault {
    for file in files {
        let _ = std::fs::remove_file(as_path(file));
    }
    fault_of(error, &[b"error while writing to ", files.last().copied().unwrap_or_default()])
}

/// Has a new file on disk that was not synced, and all else of its file system: whoever reads
/// the mailbox may have moved it meanwhile. Where that can't be, it goes.
///
/// # Errors
/// What the system says.
pub(super) fn settle_late(path: &[u8]) -> std::io::Result<()> {
    let synced = Settling::of(super::parent(path)).and_then(|settling| settling.settle_all());
    if synced.is_err() {
        let _ = std::fs::remove_file(as_path(path));
    }
    Ok(synced?)
}

/// Writes a message and its envelope to two files.
pub(super) fn write_mailstore(
    order: &MailboxOrder,
    id: &[u8],
    supply: &mut dyn MailboxSupply,
) -> Result<MailboxDone, MailboxFault> {
    check_place(order)?;
    let unmade = ensure_plain(order);
    let measure = plain_measure(order, supply)?;
    // The envelope has another name as long as the message is not there.
    let (base, mut envelope, mut message) = numbered(unmade, |number| {
        let base = [&order.path[..], b"/", id, b"-", &base62::<11>(number)].concat();
        let file = |end: &[u8]| {
            let path = [&base[..], end].concat();
            Temporary::create(path.clone(), order).map_err(|error| (error, path))
        };
        let envelope = file(b".tmp")?;
        let message = file(b".msg")?;
        Ok((base, envelope, message))
    })?;
    let text = supply.envelope(&base)?;
    let path = message.path.clone();
    measure::check(order, measure, &path, None)?;
    let shown = envelope.path.clone();
    let settling = settling(&order.path, &shown)?;
    let filled = std::io::Write::write_all(&mut envelope.file, &text)
        .and_then(|()| settling.write_out(&envelope.file));
    // So Exim has it, which writes it as it is closed.
    filled.map_err(|error| match super::unwritten(&error, &shown, None) {
        full @ MailboxFault { kind: MailboxFaultKind::Quota(_), .. } => full,
        _ => fault_of(error, &[b"while closing ", &shown]),
    })?;
    let written = message.fill(supply, Some(&settling), &path, None)?;
    let target = [&base[..], b".env"].concat();
    envelope
        .rename(&target)
        .map_err(|error| fault_of(error, &[b"while renaming ", &shown, b" as ", &target]))?;
    message.is_kept = true;
    settle(&settling, &[&target, &path])?;
    Ok(done(path, written, measure))
}
