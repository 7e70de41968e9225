//! The spool, as Exim lays it out: `input/ID-D` and `input/ID-H` below the spool
//! directory or a queue's, or in directories of one character in between.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use eximious_core::world::spool::is_name;
use eximious_core::world::{Spool, SpoolEntry, SpoolError, SpoolPlace, SpoolStep};
use rustix::fs::{AtFlags, Mode, OFlags, RawMode};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

/// The permissions of directories and files.
const DIRECTORY: RawMode = 0o750;
const FILE: RawMode = 0o640;

/// The system's spool.
#[derive(Debug)]
pub struct SystemSpool;

impl Spool for SystemSpool {
    fn keep(
        &self,
        place: &SpoolPlace,
        id: &[u8],
        data: &[&[u8]],
        header: &[u8],
    ) -> Result<(), SpoolError> {
        let failed = |step, end: &[u8]| {
            let file = place.path(id, end);
            move |why: io::Error| SpoolError { step, file, why }
        };
        let create = failed(SpoolStep::Create, b"-D");
        let directory = match open_parts(place, b"input", place.part(id), true) {
            Ok(directory) => directory,
            // What is there in its place is seen where a file is to be made in it.
            Err(why) if why.kind() == io::ErrorKind::NotADirectory => return Err(create(why)),
            Err(why) => {
                let file = place.path(id, b"");
                let end = file.iter().rposition(|byte| *byte == b'/').unwrap_or(file.len());
                let file = file[..end].to_vec();
                return Err(SpoolError { step: SpoolStep::Directory, file, why });
            }
        };
        let new = New { directory: &directory, place };
        // Whoever has this name has the message's: nobody else can take it.
        let data_name = [id, b"-D"].concat();
        let file = new.create(&data_name).map_err(create)?;
        let result = new.fill(file, data).map_err(failed(SpoolStep::Write, b"-D"));
        let result = result.and_then(|()| new.put_header(id, header, failed));
        if result.is_err() {
            // The first failure is the one to tell of.
            let _ = new.remove(&data_name);
        }
        result
    }

    fn read(&self, place: &SpoolPlace, id: &[u8], end: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        find(place, b"input", id, end)?.read(limit)
    }

    fn size(&self, place: &SpoolPlace, id: &[u8], end: &[u8]) -> io::Result<u64> {
        Ok(find(place, b"input", id, end)?.file.metadata()?.len())
    }

    fn message_log(&self, place: &SpoolPlace, id: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        find(place, b"msglog", id, b"")?.read(limit)
    }

    fn add_to_log(&self, place: &SpoolPlace, id: &[u8], lines: &[u8]) -> io::Result<()> {
        if !is_name(id) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let directory = open_parts(place, b"msglog", place.part(id), true)?;
        let flags = OFlags::CREATE | OFlags::APPEND | OFlags::WRONLY;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mode = Mode::from_raw_mode(FILE);
        let file = rustix::fs::openat(&directory, id, flags, mode)?;
        give(&file, place, mode)?;
        File::from(file).write_all(lines)
    }

    fn entries(&self, place: &SpoolPlace) -> io::Result<Vec<SpoolEntry>> {
        let mut entries = Vec::new();
        let mut parts = Vec::new();
        let top = match open_parts(place, b"input", None, false) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(entries),
            opened => opened?,
        };
        each_name(&top, |name| match name {
            [part] if part.is_ascii_alphanumeric() => parts.push(*part),
            name => entries.extend(entry(name, None)),
        })?;
        for part in parts {
            let directory = match open_part(&top, &[part]) {
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                opened => opened?,
            };
            each_name(&directory, |name| entries.extend(entry(name, Some(part))))?;
        }
        entries.sort();
        Ok(entries)
    }
}

/// A directory into which new files go.
struct New<'a> {
    directory: &'a OwnedFd,
    place: &'a SpoolPlace,
}

impl New<'_> {
    /// Makes a file that was not there.
    fn create(&self, name: &[u8]) -> io::Result<File> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(FILE);
        let file = rustix::fs::openat(self.directory, name, flags, mode)?;
        // Whatever the umask is.
        if let Err(why) = give(&file, self.place, mode) {
            let _ = self.remove(name);
            return Err(why);
        }
        Ok(file.into())
    }

    fn fill(&self, mut file: File, pieces: &[&[u8]]) -> io::Result<()> {
        for piece in pieces {
            file.write_all(piece)?;
        }
        file.sync_all()
    }

    /// Puts the header file there, by another name first: with its own name, the
    /// message is there.
    fn put_header<F: FnOnce(io::Error) -> SpoolError>(
        &self,
        id: &[u8],
        header: &[u8],
        failed: impl Fn(SpoolStep, &'static [u8]) -> F,
    ) -> Result<(), SpoolError> {
        let name = [id, b"-H"].concat();
        let beside = [b"hdr.", id].concat();
        let file = self.create(&beside).map_err(failed(SpoolStep::CreateHeader, b"-H"))?;
        let written = self.fill(file, &[header]).map_err(failed(SpoolStep::WriteHeader, b"-H"));
        let renamed = written.and_then(|()| {
            let renamed = rustix::fs::renameat(self.directory, &beside, self.directory, &name);
            renamed.map_err(|why| failed(SpoolStep::Rename, b"-H")(why.into()))
        });
        if let Err(why) = renamed {
            let _ = self.remove(&beside);
            return Err(why);
        }
        rustix::fs::fsync(self.directory).map_err(|why| {
            // Nobody may find what may be gone after the next start.
            let _ = self.remove(&name);
            failed(SpoolStep::WriteHeader, b"-H")(why.into())
        })
    }

    fn remove(&self, name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(self.directory, name, AtFlags::empty())?)
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

/// A directory in a spool; links that lead elsewhere are not followed.
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

fn open_part(directory: &OwnedFd, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    rustix::fs::openat(directory, name, flags, Mode::empty())
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
    give(&part, place, mode)?;
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

/// A file that was found.
struct Found {
    file: File,
}

/// Opens a file, in whichever directory it is.
fn find(place: &SpoolPlace, kind: &[u8], id: &[u8], end: &[u8]) -> io::Result<Found> {
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
    let open = |part| open_parts(place, kind, part, false).and_then(|at| Found::open(&at, &name));
    match open(first) {
        Err(why) if missing(&why) => open(second),
        opened => opened,
    }
}

impl Found {
    fn open(directory: &OwnedFd, name: &[u8]) -> io::Result<Self> {
        // A pipe in a file's place makes nobody wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(rustix::fs::openat(directory, name, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { file })
    }

    fn read(self, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(Errno::FBIG.into());
        }
        Ok(bytes)
    }
}

fn each_name(directory: &OwnedFd, mut visit: impl FnMut(&[u8])) -> io::Result<()> {
    for entry in rustix::fs::Dir::read_from(directory)? {
        visit(entry?.file_name().to_bytes());
    }
    Ok(())
}

fn entry(name: &[u8], part: Option<u8>) -> Option<SpoolEntry> {
    let id = name.strip_suffix(b"-H")?;
    Some(SpoolEntry { id: id.to_vec(), part })
}
