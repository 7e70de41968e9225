//! The spool, as Exim lays it out: `input/ID-D` and `input/ID-H` below the spool
//! directory or a queue's, or in directories of one character in between.

mod ahead;
mod arriving;
mod commit;
mod counted;
mod hand_over;
mod held;
mod late_logs;
mod scan;
mod taken;

use std::ffi::{CString, OsStr};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::Path;
use std::sync::Arc;

use eximious_core::BodySource;
use eximious_core::world::spool::is_name;
use eximious_core::world::{
    ScanDirectory, Spool, SpoolData, SpoolError, SpoolPlace, SpoolStep, TakenMessage,
};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawMode};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use self::arriving::Arriving;
use self::commit::Commits;
use self::late_logs::LateLogs;
use crate::files::bounded;

/// The permissions of directories and files.
const DIRECTORY: RawMode = 0o750;
const FILE: RawMode = 0o640;

/// The room for names that a directory is asked for at once.
const NAMES: usize = 128 << 10;

/// The system's spool.
#[derive(Debug, Default)]
pub struct SystemSpool {
    commits: Arc<Commits>,
    logs: Arc<LateLogs>,
}

impl Spool for SystemSpool {
    fn begin(&self, place: &SpoolPlace, id: &[u8]) -> Result<Box<dyn SpoolData>, SpoolError> {
        let failed = |why| SpoolError { step: SpoolStep::Create, file: place.path(id, b"-D"), why };
        let directory = match open_parts(place, b"input", place.part(id), true) {
            Ok(directory) => directory,
            // What is there in its place is seen where a file is to be made in it.
            Err(why) if why.kind() == io::ErrorKind::NotADirectory => return Err(failed(why)),
            Err(why) => {
                let file = place.path(id, b"");
                let end = file.iter().rposition(|byte| *byte == b'/').unwrap_or(file.len());
                let file = file[..end].to_vec();
                return Err(SpoolError { step: SpoolStep::Directory, file, why });
            }
        };
        let (commits, logs, place) = (self.commits.clone(), self.logs.clone(), place.clone());
        Ok(Box::new(Arriving::new(commits, logs, directory, place, id.to_vec())))
    }

    fn read(&self, place: &SpoolPlace, id: &[u8], end: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        find(place, b"input", id, end)?.read(limit)
    }

    fn open(&self, place: &SpoolPlace, id: &[u8], end: &[u8]) -> io::Result<Box<dyn io::Read>> {
        if end.is_empty() {
            self.logs.write(place, id)?;
        }
        let kind: &[u8] = if end.is_empty() { b"msglog" } else { b"input" };
        Ok(Box::new(find(place, kind, id, end)?.file))
    }

    fn remove(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<()> {
        self.logs.forget(place, id);
        let mut failed = Ok(());
        // Without its header file, it is no message any more.
        for (kind, end) in [("input", "-H"), ("input", "-J"), ("input", "-D"), ("msglog", "")] {
            let name = [id, end.as_bytes()].concat();
            if !is_name(&name) {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let directory = open_parts(place, kind.as_bytes(), place.part(id), false);
            let removed = directory.and_then(|directory| {
                Ok(rustix::fs::unlinkat(&directory, &name, AtFlags::empty())?)
            });
            match removed {
                // A message that stays stays whole; of one that is none any more, all goes
                // that can.
                Err(why) if why.kind() != io::ErrorKind::NotFound && end == "-H" => {
                    return Err(why);
                }
                Err(why) if why.kind() != io::ErrorKind::NotFound => failed = failed.and(Err(why)),
                _ => {}
            }
        }
        failed
    }

    fn size(&self, place: &SpoolPlace, id: &[u8], end: &[u8]) -> io::Result<u64> {
        Ok(find(place, b"input", id, end)?.file.metadata()?.len())
    }

    fn message_log(&self, place: &SpoolPlace, id: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        self.logs.write(place, id)?;
        find(place, b"msglog", id, b"")?.read(limit)
    }

    fn add_to_log(&self, place: &SpoolPlace, id: &[u8], lines: &[u8]) -> io::Result<()> {
        if !is_name(id) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.logs.add(place, id, lines)
    }

    fn write_ahead(&self, place: &SpoolPlace) -> io::Result<Vec<Vec<u8>>> {
        self.commits.ahead.begin(place)
    }

    fn settle_ahead(&self) {
        self.commits.ahead.end();
    }

    fn delay_logs(&self) {
        self.logs.begin();
    }

    fn settle_logs(&self) {
        self.logs.end();
    }

    fn take(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<Option<Box<dyn TakenMessage>>> {
        let message = taken::Message::take(place, id, &self.logs)?;
        Ok(message.map(|message| Box::new(message) as Box<dyn TakenMessage>))
    }

    fn scan(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<Box<dyn ScanDirectory>> {
        Ok(Box::new(scan::Directory::open(place, id)?))
    }

    fn visit(&self, place: &SpoolPlace, seen: &mut dyn FnMut(&[u8], Option<u8>)) -> io::Result<()> {
        counted::visit(place, seen)
    }

    fn remove_rest(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<bool> {
        self.logs.forget(place, id);
        let mut is_less = false;
        for (kind, end) in [(&b"input"[..], &b"-H"[..]), (b"input", b"-J"), (b"msglog", b"")] {
            let found = match find(place, kind, id, end) {
                Err(why) if why.kind() == io::ErrorKind::NotFound => continue,
                found => found?,
            };
            rustix::fs::unlinkat(&found.directory, [id, end].concat(), AtFlags::empty())?;
            is_less = true;
        }
        Ok(is_less)
    }

    fn count(&self, place: &SpoolPlace) -> io::Result<usize> {
        counted::count(place)
    }
}

/// Adds lines to the log of a message, whose name is one: to the one that there is, where
/// messages were spread over directories otherwise when it came, too.
fn append_to_log(place: &SpoolPlace, id: &[u8], lines: &[u8]) -> io::Result<()> {
    match find_for(place, b"msglog", id, b"", OFlags::APPEND | OFlags::WRONLY) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        found => return found?.file.write_all(lines),
    }
    let directory = open_parts(place, b"msglog", place.part(id), true)?;
    let flags = OFlags::CREATE | OFlags::APPEND | OFlags::WRONLY;
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mode = Mode::from_raw_mode(FILE);
    let file = rustix::fs::openat(&directory, id, flags, mode)?;
    give(&file, place, mode)?;
    File::from(file).write_all(lines)
}

/// A file, from a place on.
struct FilePart {
    file: Arc<File>,
    from: u64,
}

impl BodySource for FilePart {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(into, self.from.saturating_add(at))
    }
}

/// Sets the permissions, and gives it to the queue's owner.
fn give(file: &OwnedFd, place: &SpoolPlace, mode: Mode) -> io::Result<()> {
    rustix::fs::fchmod(file, mode)?;
    if let (Some((uid, gid)), true) = (place.owner, rustix::process::geteuid().is_root()) {
        rustix::fs::fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    }
    Ok(())
}

/// A directory in a spool.
fn open_parts(
    place: &SpoolPlace,
    kind: &[u8],
    part: Option<u8>,
    makes: bool,
) -> io::Result<OwnedFd> {
    let mut directory = open_spool(place, makes)?;
    let part = part.as_slice();
    for step in [&place.queue, kind, part].into_iter().filter(|step| !step.is_empty()) {
        if !is_name(step) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        directory = match open_part(&directory, step) {
            Err(Errno::NOENT) if makes => make_part(&directory, step, place)?,
            opened => opened?,
        };
    }
    Ok(directory)
}

/// A directory within another. It may be elsewhere, behind a link; the superuser follows his own
/// links alone.
fn open_part(directory: &OwnedFd, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    match rustix::fs::openat(directory, name, flags | OFlags::NOFOLLOW, Mode::empty()) {
        Err(no @ (Errno::NOTDIR | Errno::LOOP)) => {
            let target = trusted_target(directory, name)?.ok_or(no)?;
            rustix::fs::openat(directory, target, flags, Mode::empty())
        }
        opened => opened,
    }
}

/// Where a link leads, if it is one that may be followed.
fn trusted_target(directory: &OwnedFd, name: &[u8]) -> rustix::io::Result<Option<CString>> {
    // Nobody puts another in its place once it is held.
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let link = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&link)?;
    let is_trusted = stat.st_uid == 0 || !rustix::process::geteuid().is_root();
    match FileType::from_raw_mode(stat.st_mode) == FileType::Symlink && is_trusted {
        true => rustix::fs::readlinkat(&link, "", Vec::new()).map(Some),
        false => Ok(None),
    }
}

fn make_part(directory: &OwnedFd, name: &[u8], place: &SpoolPlace) -> io::Result<OwnedFd> {
    let mode = Mode::from_raw_mode(DIRECTORY);
    match rustix::fs::mkdirat(directory, name, mode) {
        Ok(()) => {}
        // Somebody else makes it, and gives it to its owner.
        Err(Errno::EXIST) => return Ok(open_part(directory, name)?),
        Err(why) => return Err(why.into()),
    }
    let part = open_part(directory, name)?;
    // What lies in a directory that hands its group down does so, too.
    let handed = Mode::from_raw_mode(rustix::fs::fstat(&part)?.st_mode) & Mode::SGID;
    give(&part, place, mode | handed)?;
    rustix::fs::fsync(directory)?;
    Ok(part)
}

/// The spool directory itself, which may be a link.
fn open_spool(place: &SpoolPlace, makes: bool) -> io::Result<OwnedFd> {
    let path = Path::new(OsStr::from_bytes(&place.spool));
    if !path.is_absolute() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let open = || rustix::fs::open(path, flags, Mode::empty());
    match open() {
        Err(Errno::NOENT) if makes => {}
        opened => return Ok(opened?),
    }
    fs::DirBuilder::new().recursive(true).mode(DIRECTORY).create(path)?;
    let directory = open()?;
    give(&directory, place, Mode::from_raw_mode(DIRECTORY))?;
    Ok(directory)
}

/// A file that was found, and the directory that it is in.
struct Found {
    file: File,
    directory: OwnedFd,
}

/// Opens a file, in whichever directory it is.
fn find(place: &SpoolPlace, kind: &[u8], id: &[u8], end: &[u8]) -> io::Result<Found> {
    find_for(place, kind, id, end, OFlags::RDONLY)
}

fn find_for(
    place: &SpoolPlace,
    kind: &[u8],
    id: &[u8],
    end: &[u8],
    access: OFlags,
) -> io::Result<Found> {
    let name = [id, end].concat();
    if !is_name(&name) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let missing = |why: &io::Error| why.kind() == io::ErrorKind::NotFound;
    let spread = SpoolPlace { split: true, ..SpoolPlace::default() }.part(id);
    let mut parts = [spread.filter(u8::is_ascii_alphanumeric), None];
    if !place.split {
        parts.reverse();
    }
    let [first, second] = parts;
    let open =
        |part| open_parts(place, kind, part, false).and_then(|at| Found::open(at, &name, access));
    match open(first) {
        Err(why) if missing(&why) => open(second),
        opened => opened,
    }
}

impl Found {
    fn open(directory: OwnedFd, name: &[u8], access: OFlags) -> io::Result<Self> {
        // A pipe in a file's place makes nobody wait.
        let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(rustix::fs::openat(&directory, name, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { file, directory })
    }

    fn read(self, limit: u64) -> io::Result<Vec<u8>> {
        let size = self.file.metadata()?.len();
        bounded(self.file, size, limit)
    }
}

fn each_name(directory: &OwnedFd, mut visit: impl FnMut(&[u8])) -> io::Result<()> {
    // An opening of its own begins with the first name.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(directory, c".", flags, Mode::empty())?;
    let mut room = Vec::with_capacity(NAMES);
    let mut names = rustix::fs::RawDir::new(directory, room.spare_capacity_mut());
    while let Some(entry) = names.next() {
        visit(entry?.file_name().to_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{lchown, symlink};

    use super::*;

    #[test]
    fn cve_2020_28007_the_superuser_follows_his_own_links_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        for (name, target) in [("own", "elsewhere"), ("other", "elsewhere"), ("wrong", "file")] {
            symlink(folder.path().join(target), folder.path().join(name)).unwrap();
        }
        symlink("elsewhere", folder.path().join("beside")).unwrap();
        symlink("circle", folder.path().join("circle")).unwrap();
        let directory = OwnedFd::from(File::open(folder.path()).unwrap());
        let may = |name: &str| open_part(&directory, name.as_bytes()).is_ok();
        for name in ["elsewhere", "own", "other", "beside"] {
            assert!(may(name), "{name}");
        }
        for name in ["wrong", "file", "circle", "none"] {
            assert!(!may(name), "{name}");
        }
        if rustix::process::geteuid().is_root() {
            lchown(folder.path().join("other"), Some(65534), None).unwrap();
            assert!(!may("other") && may("own"));
        }
    }
}
