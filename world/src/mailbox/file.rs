//! A mailbox that is one file (specification 26.3).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use eximious_core::world::mailbox::{
    MailboxDone, MailboxFault, MailboxFaultKind, MailboxFile, MailboxOrder, MailboxSupply, fault,
};
use rustix::fs::{FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

use super::lock::{LockFile, Locked, MbxLock};
use super::{as_path, copy, fault_of, own_fault};
use crate::deadline::Deadline;

/// How often a file may come and go while it is opened.
const MOST_CHANGES: u32 = 10;
/// How long the one who reads a named pipe may take for a part of a message.
const LONGEST_WRITE: Duration = Duration::from_secs(60);
/// The bytes of an MBX file that come before its messages.
const MBX_HEAD: usize = 2048;

/// Adds a message to a file.
pub(super) fn write(
    order: &MailboxOrder,
    file: &MailboxFile,
    supply: &mut dyn MailboxSupply,
) -> Result<MailboxDone, MailboxFault> {
    if order.path == b"/dev/null" {
        return Ok(MailboxDone { path: order.path.clone(), ..MailboxDone::default() });
    }
    prepare(order)?;
    check_format(order, file)?;
    // It goes last, after the file is closed.
    let _lock_file = match file.lock.by_file {
        true => Some(LockFile::take(order, &file.lock)?),
        false => None,
    };
    let (mut open, _locked) = open_locked(order, file)?;
    let _mbx = match file.lock.by_mbx {
        true => Some(MbxLock::take(order, &file.lock, &open.file)?),
        false => None,
    };
    let before = open.file.metadata().map_err(|error| unstated(&error, &order.path))?;
    let (length, unread) = {
        use std::os::unix::fs::MetadataExt;
        (before.len(), super::since(before.atime()))
    };
    let counted = order.quota.known_bytes.unwrap_or(length);
    if over(order.quota.bytes, counted, order.quota.adds) && order.quota.refuses_bytes {
        return Err(super::full("quota", &order.path, unread));
    }
    if open.is_fifo {
        return write_to_pipe(order, open.file, supply);
    }
    match append(&mut open.file, length, file.is_mbx, supply) {
        Ok(written) => Ok(MailboxDone {
            path: order.path.clone(),
            written,
            bytes_before: Some(counted),
            files_before: None,
            offset: length,
            is_unsynced: false,
        }),
        Err(error) => {
            put_back(&open.file, length, &before);
            Err(super::unwritten(&error, &order.path, unread))
        }
    }
}

/// Whether a message makes too much of what is there; where it does not count, whether
/// there is too much already.
pub(super) fn over(limit: u64, there: u64, adds: Option<u64>) -> bool {
    limit > 0 && there.saturating_add(adds.unwrap_or(0)) > limit
}

/// Makes the directories that the file is to be in, where that may be.
fn prepare(order: &MailboxOrder) -> Result<(), MailboxFault> {
    let Some(mode) = order.directory_mode else { return Ok(()) };
    let directory = super::parent(&order.path);
    let is_missing = super::is_error(rustix::fs::stat(directory), Errno::NOENT);
    if !is_missing || !super::may_be_made(order, directory, directory) {
        return Ok(());
    }
    super::make_directories(directory, mode).map_err(|error| {
        let head: &[u8] = b"failed to create directories for ";
        fault_of(error, &[head, &order.path, b": ", &super::reason(error)])
    })
}

/// Whether a file that is there begins as it should.
fn check_format(order: &MailboxOrder, file: &MailboxFile) -> Result<(), MailboxFault> {
    let Some(formats) = &file.formats else { return Ok(()) };
    let longest = formats.iter().map(|(start, _)| start.len()).fold(1, usize::max);
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(opened) = rustix::fs::open(&order.path[..], flags, Mode::empty()) else {
        return Ok(());
    };
    let opened = File::from(opened);
    if !opened.metadata().is_ok_and(|data| data.is_file()) {
        return Ok(());
    }
    let mut start = Vec::new();
    let read = opened.take(longest as u64).read_to_end(&mut start);
    read.map_err(|error| fault_of(error, &[b"while reading mailbox ", &order.path]))?;
    if start.is_empty() {
        return Ok(());
    }
    match formats.iter().position(|(one, _)| start.starts_with(one)) {
        None => Err(own_fault(fault::NO_FORMAT, &[b"mailbox file format unrecognized"])),
        Some(at) if formats[at].1 => Err(MailboxFault {
            kind: MailboxFaultKind::Format(at),
            ..own_fault(fault::NO_FORMAT_TRANSPORT, &[b"mailbox of another transport"])
        }),
        Some(_) => Ok(()),
    }
}

/// A mailbox that is open.
struct Open {
    file: File,
    is_fifo: bool,
}

/// Opens the file and locks it; while somebody else has the lock, it is not kept open.
fn open_locked(order: &MailboxOrder, file: &MailboxFile) -> Result<(Open, Locked), MailboxFault> {
    let lock = &file.lock;
    let tries = lock.tries();
    for number in 0..tries {
        if number > 0 && lock.waits_closed() {
            std::thread::sleep(lock.interval);
        }
        let open = open(order, file)?;
        if open.is_fifo {
            return Ok((open, Locked));
        }
        match Locked::take(lock, &open.file, lock.by_mbx) {
            Ok(Some(locked)) if is_still_there(order, &open.file, file.allows_symlink) => {
                return Ok((open, locked));
            }
            Ok(_) => {}
            Err(error) => {
                let head: &[u8] = b"failed to lock mailbox ";
                return Err(fault_of(error, &[head, &order.path, b" (fcntl/flock)"]));
            }
        }
    }
    if tries == 0 {
        let unclear =
            own_fault(fault::UNCLEAR, &[b"mailbox ", &order.path, b": existence unclear"]);
        return Err(MailboxFault { kind: MailboxFaultKind::Suspect, ..unclear });
    }
    let head: &[u8] = b"failed to lock mailbox ";
    Err(own_fault(fault::LOCKED, &[head, &order.path, b" (fcntl/flock)"]))
}

/// Whether the name still is that of the file which is locked: somebody may have put
/// another one in its place before the lock was had.
fn is_still_there(order: &MailboxOrder, file: &File, follows: bool) -> bool {
    let there = match follows {
        true => rustix::fs::stat(&order.path[..]),
        false => rustix::fs::lstat(&order.path[..]),
    };
    match (there, rustix::fs::fstat(file.as_fd())) {
        (Ok(there), Ok(open)) => is_same(&there, &open),
        _ => false,
    }
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Opens the file, and makes it where it is not there.
fn open(order: &MailboxOrder, file: &MailboxFile) -> Result<Open, MailboxFault> {
    for _ in 0..MOST_CHANGES {
        let opened = match look(order, file)? {
            Found::File(stat) => open_existing(order, file, &stat)?,
            Found::Nothing { is_link } => create(order, file, is_link)?,
        };
        if let Some(open) = opened {
            return Ok(open);
        }
    }
    Err(suspect(&[b"mailbox ", &order.path, b" is created and removed again and again"]))
}

fn suspect(parts: &[&[u8]]) -> MailboxFault {
    MailboxFault { kind: MailboxFaultKind::Suspect, ..own_fault(fault::CHANGED, parts) }
}

/// What is there.
enum Found {
    File(Stat),
    Nothing { is_link: bool },
}

fn look(order: &MailboxOrder, file: &MailboxFile) -> Result<Found, MailboxFault> {
    let path = &order.path[..];
    let unstated = |error: Errno| fault_of(error, &[b"attempting to stat mailbox ", path]);
    let stat = match rustix::fs::lstat(path) {
        Err(Errno::NOENT) => return Ok(Found::Nothing { is_link: false }),
        found => found.map_err(unstated)?,
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
        return Ok(Found::File(stat));
    }
    if file.checks_owner {
        check_owner(order, &stat, b" (symlink)")?;
    }
    if !file.allows_symlink {
        return Err(no_mailbox(path, file));
    }
    match rustix::fs::stat(path) {
        Err(Errno::NOENT) => Ok(Found::Nothing { is_link: true }),
        found => found.map(Found::File).map_err(unstated),
    }
}

/// What is there can't be a mailbox.
fn no_mailbox(path: &[u8], file: &MailboxFile) -> MailboxFault {
    let or: &[u8] = if file.allows_fifo { b" or named pipe" } else { b"" };
    own_fault(fault::NOT_REGULAR, &[b"mailbox ", path, b" is not a regular file", or])
}

fn check_owner(order: &MailboxOrder, stat: &Stat, what: &[u8]) -> Result<(), MailboxFault> {
    let (is, should) = (stat.st_uid, order.user.uid);
    if is == should {
        return Ok(());
    }
    let tail = format!(" has wrong uid ({is} != {should})");
    Err(own_fault(fault::BAD_OWNER, &[b"mailbox ", &order.path, what, tail.as_bytes()]))
}

/// Checks a file that is there, and opens it; `None` where it has gone meanwhile, or has other
/// permissions now.
fn open_existing(
    order: &MailboxOrder,
    file: &MailboxFile,
    stat: &Stat,
) -> Result<Option<Open>, MailboxFault> {
    let path = &order.path[..];
    if file.checks_owner {
        check_owner(order, stat, b"")?;
    }
    let (is, should) = (stat.st_gid, order.user.gid);
    if file.checks_group && is != should {
        let tail = format!(" has wrong gid ({is} != {should})");
        return Err(own_fault(fault::BAD_OWNER, &[b"mailbox ", path, tail.as_bytes()]));
    }
    if stat.st_nlink > 1 {
        let tail = format!(" has too many links ({})", stat.st_nlink);
        return Err(own_fault(fault::NOT_REGULAR, &[b"mailbox ", path, tail.as_bytes()]));
    }
    let kind = FileType::from_raw_mode(stat.st_mode);
    let is_fifo = kind == FileType::Fifo && file.allows_fifo;
    if kind != FileType::RegularFile && !is_fifo {
        return Err(no_mailbox(path, file));
    }
    let (has, wants) = (stat.st_mode & 0o7777, order.mode & 0o7777);
    if wants & !has != 0 && !file.forces_mode && file.refuses_narrower {
        let tail = format!(" has the wrong mode {has:o} ({wants:o} expected)");
        return Err(own_fault(fault::BAD_MODE, &[b"mailbox ", path, tail.as_bytes()]));
    }
    let follow = if file.allows_symlink { OFlags::empty() } else { OFlags::NOFOLLOW };
    // One that is narrower stays as it is, and what else it allows. What is changed is looked at
    // again; there are file systems on which nothing changes.
    let mode = if file.forces_mode || wants & !has == 0 { wants } else { has };
    if mode != has && change_mode(path, stat, follow, mode)? {
        return Ok(None);
    }
    let access = if is_fifo { OFlags::WRONLY } else { OFlags::RDWR | OFlags::APPEND };
    // Whoever puts a pipe in the place of the file does not make this wait.
    let flags = access | follow | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = match rustix::fs::open(path, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        Err(error) if is_fifo => {
            let tail = b" (could mean no process is reading it)";
            return Err(fault_of(error, &[b"while opening named pipe ", path, tail]));
        }
        Err(error) => return Err(fault_of(error, &[b"while opening mailbox ", path])),
        Ok(opened) => opened,
    };
    check_unchanged(path, stat, &opened)?;
    Ok(Some(Open { file: File::from(opened), is_fifo }))
}

/// Checks that what was opened is what was looked at.
fn check_unchanged(path: &[u8], stat: &Stat, opened: &OwnedFd) -> Result<(), MailboxFault> {
    let now = rustix::fs::fstat(opened)
        .map_err(|error| fault_of(error, &[b"attempting to stat mailbox ", path]))?;
    let facts = |stat: &Stat| (stat.st_mode, stat.st_uid, stat.st_gid, stat.st_nlink);
    match is_same(stat, &now) && facts(stat) == facts(&now) {
        true => Ok(()),
        false => Err(suspect(&[b"mailbox ", path, b" changed while it was being opened"])),
    }
}

/// Changes the permissions of a file without opening it: they may allow nobody to, and who reads
/// a named pipe goes with the first that has opened it. Whether anything is another now.
fn change_mode(path: &[u8], stat: &Stat, follow: OFlags, mode: u32) -> Result<bool, MailboxFault> {
    let failed = |error: Errno| fault_of(error, &[b"attempting to chmod mailbox ", path]);
    let named = match rustix::fs::open(path, OFlags::PATH | follow | OFlags::CLOEXEC, Mode::empty())
    {
        Err(Errno::NOENT) => return Ok(true),
        named => named.map_err(failed)?,
    };
    check_unchanged(path, stat, &named)?;
    let own = format!("/proc/self/fd/{}", named.as_raw_fd());
    rustix::fs::chmod(own, Mode::from_raw_mode(mode)).map_err(failed)?;
    Ok(rustix::fs::fstat(&named).is_ok_and(|now| now.st_mode != stat.st_mode))
}

/// Makes the file; `None` where somebody else has just made it.
fn create(
    order: &MailboxOrder,
    file: &MailboxFile,
    is_link: bool,
) -> Result<Option<Open>, MailboxFault> {
    let path = &order.path[..];
    if file.must_exist {
        let tail = b" does not exist, but file_must_exist is set";
        return Err(fault_of(Errno::NOENT, &[b"mailbox ", path, tail]));
    }
    if !super::may_be_made(order, path, super::parent(path)) {
        let tail: &[u8] =
            b" does not exist, but creation outside the home directory is not permitted";
        return Err(own_fault(fault::CREATION, &[b"mailbox ", path, tail]));
    }
    let new = match is_link {
        true => OFlags::CREATE,
        false => OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW,
    };
    let flags = new | OFlags::RDWR | OFlags::APPEND | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(order.mode);
    let uncreated = |error: Errno| fault_of(error, &[b"while creating mailbox ", path]);
    match rustix::fs::open(path, flags, mode) {
        Err(Errno::EXIST) => Ok(None),
        Err(Errno::NOENT) => {
            let kind = MailboxFaultKind::Placeless;
            Err(MailboxFault { kind, ..uncreated(Errno::NOENT) })
        }
        Err(error) => Err(uncreated(error)),
        Ok(opened) => {
            if is_link {
                // What the link leads to may be there by now, and be anybody's.
                let stat = rustix::fs::fstat(&opened).map_err(uncreated)?;
                if stat.st_size > 0 || stat.st_uid != order.user.uid {
                    return Ok(None);
                }
            }
            super::belong(&opened, order).map_err(uncreated)?;
            rustix::fs::fchmod(&opened, mode).map_err(uncreated)?;
            super::sync_directory(super::parent(path)).map_err(uncreated)?;
            Ok(Some(Open { file: File::from(opened), is_fifo: false }))
        }
    }
}

fn unstated(error: &io::Error, path: &[u8]) -> MailboxFault {
    MailboxFault::of(error, [b"attempting to stat mailbox ", path].concat())
}

/// Adds at the end, and has it on disk.
fn append(
    file: &mut File,
    length: u64,
    is_mbx: bool,
    supply: &mut dyn MailboxSupply,
) -> io::Result<u64> {
    file.seek(SeekFrom::End(0))?;
    let mut written = 0;
    if is_mbx && length == 0 {
        let head = mbx_head();
        file.write_all(&head)?;
        written += head.len() as u64;
    }
    written += copy(supply, file)?;
    file.sync_all()?;
    Ok(written)
}

/// What an MBX file begins with: its mark, numbers that mail readers use, and places for
/// thirty keywords.
fn mbx_head() -> Vec<u8> {
    let mut head = format!("*mbx*\r\n{:08x}00000000\r\n", super::since(0).unwrap_or(0));
    (0..30).for_each(|_| head.push_str("\r\n"));
    let mut head = head.into_bytes();
    head.resize(MBX_HEAD, 0);
    head
}

/// Makes the file what it was.
fn put_back(file: &File, length: u64, before: &std::fs::Metadata) {
    use std::os::unix::fs::MetadataExt;
    // The first failure is the one to tell of.
    let _ = file.set_len(length);
    let times = Timestamps {
        last_access: Timespec { tv_sec: before.atime(), tv_nsec: before.atime_nsec() as _ },
        last_modification: Timespec { tv_sec: before.mtime(), tv_nsec: before.mtime_nsec() as _ },
    };
    let _ = rustix::fs::futimens(file.as_fd(), &times);
    let _ = file.sync_all();
}

/// Writes to somebody who reads a named pipe, and who has to go on reading.
fn write_to_pipe(
    order: &MailboxOrder,
    file: File,
    supply: &mut dyn MailboxSupply,
) -> Result<MailboxDone, MailboxFault> {
    let written = copy(supply, &mut Fifo(file))
        .map_err(|error| super::unwritten(&error, &order.path, None))?;
    Ok(MailboxDone { path: order.path.clone(), written, ..MailboxDone::default() })
}

struct Fifo(File);

impl Write for Fifo {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let deadline = Deadline::within(LONGEST_WRITE);
        loop {
            match self.0.write(from) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    deadline.writable(self.0.as_fd())?;
                }
                written => return written,
            }
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The name of a file beside another.
pub(super) fn beside(path: &[u8], end: &[u8]) -> std::path::PathBuf {
    as_path(&[path, end].concat()).to_path_buf()
}
