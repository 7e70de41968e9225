//! How much is in a mailbox that is a directory.

use eximious_core::world::mailbox::{MailboxFault, MailboxOrder, MailboxSupply};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{fault_of, file};

/// How deep directories are counted.
const DEEPEST: usize = 20;
/// How many names are asked about at a time.
const MOST_NAMES: usize = 1000;

/// Bytes and files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Measure {
    pub(super) bytes: u64,
    pub(super) files: u64,
}

impl Measure {
    pub(super) fn add(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.files = self.files.saturating_add(other.files);
    }
}

/// Refuses a message that there is no room for beside what is there; where that was not
/// measured, nothing is refused. `name` is that of the file that was to be written.
pub(super) fn check(
    order: &MailboxOrder,
    measure: Option<Measure>,
    name: &[u8],
    unread: Option<i64>,
) -> Result<(), MailboxFault> {
    let Some(measure) = measure else { return Ok(()) };
    let quota = &order.quota;
    let one = quota.adds.map(|_| 1);
    if quota.refuses_files && file::over(quota.files, measure.files, one) {
        return Err(super::full("filecount quota", name, unread));
    }
    if quota.refuses_bytes && file::over(quota.bytes, measure.bytes, quota.adds) {
        return Err(super::full("quota", name, unread));
    }
    Ok(())
}

/// Whether anybody wants to know what is there.
pub(super) fn is_wanted(order: &MailboxOrder) -> bool {
    let quota = &order.quota;
    quota.bytes > 0 || quota.files > 0 && quota.refuses_files || quota.measures
}

/// What is in a directory and those below it, or what somebody else has said.
pub(super) fn measure(
    order: &MailboxOrder,
    directory: &[u8],
    supply: &mut dyn MailboxSupply,
) -> Result<Measure, MailboxFault> {
    let quota = &order.quota;
    let known = (quota.known_bytes, quota.known_files);
    let measured = match known {
        (Some(_), Some(_)) => Measure::default(),
        _ => tree(directory, quota.names_tell, supply)?,
    };
    Ok(Measure {
        bytes: known.0.unwrap_or(measured.bytes),
        files: known.1.unwrap_or(measured.files),
    })
}

/// All that is in a directory and in those below it.
fn tree(
    directory: &[u8],
    names_tell: bool,
    supply: &mut dyn MailboxSupply,
) -> Result<Measure, MailboxFault> {
    let mut all = Measure::default();
    let mut waiting = vec![(directory.to_vec(), 0)];
    while let Some((path, depth)) = waiting.pop() {
        let below = directory_files(&path, names_tell, supply, &mut all)?;
        if depth < DEEPEST {
            waiting.extend(
                below.into_iter().map(|name| ([&path[..], b"/", &name].concat(), depth + 1)),
            );
        }
    }
    Ok(all)
}

/// Counts what is in one directory; the names of the directories in it. One that has
/// gone, or may not be looked into, has none.
pub(super) fn directory_files(
    path: &[u8],
    names_tell: bool,
    supply: &mut dyn MailboxSupply,
    all: &mut Measure,
) -> Result<Vec<Vec<u8>>, MailboxFault> {
    let unread = |error: Errno| fault_of(error, &[b"while measuring mailbox ", path]);
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::ACCESS | Errno::NOTDIR) => return Ok(Vec::new()),
        opened => opened.map_err(unread)?,
    };
    let mut below = Vec::new();
    let mut names = Vec::new();
    for entry in Dir::read_from(&opened).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        names.push(name.to_vec());
        if names.len() >= MOST_NAMES {
            count(&opened, &mut names, names_tell, supply, all, &mut below);
        }
    }
    count(&opened, &mut names, names_tell, supply, all, &mut below);
    Ok(below)
}

/// Counts what names stand for: by the names themselves, where they tell. Whatever it is, it
/// is a file, and has bytes if it is a regular one.
fn count(
    directory: &std::os::fd::OwnedFd,
    names: &mut Vec<Vec<u8>>,
    names_tell: bool,
    supply: &mut dyn MailboxSupply,
    all: &mut Measure,
    below: &mut Vec<Vec<u8>>,
) {
    let told = match names_tell {
        true => supply.sizes(names),
        false => Vec::new(),
    };
    for (at, name) in names.drain(..).enumerate() {
        if let Some(Some(bytes)) = told.get(at) {
            all.add(Measure { bytes: *bytes, files: 1 });
            continue;
        }
        let stat = rustix::fs::statat(directory, &name[..], AtFlags::SYMLINK_NOFOLLOW);
        let Ok(stat) = stat else { continue };
        let kind = FileType::from_raw_mode(stat.st_mode);
        let bytes = if kind == FileType::RegularFile { share(&stat) } else { 0 };
        all.add(Measure { bytes, files: 1 });
        if kind == FileType::Directory {
            below.push(name);
        }
    }
}

/// The size of a file, shared among its names.
fn share(stat: &Stat) -> u64 {
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    #[allow(clippy::useless_conversion, reason = "its width is the system's")]
    let links = u64::from(stat.st_nlink).max(1);
    size / links
}
