//! Files and directories.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eximious_core::world::{Files, Stat};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::as_user::AsUser;
use crate::deadline::Deadline;
use crate::permitted::PermittedFiles;

/// How many names are tried for a file that is to take another's place.
const MOST_TRIES: u32 = 100;
/// How long somebody who writes into a pipe may say nothing.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
/// How long somebody else may have the lock of a file that is added to.
const LONGEST_LOCK: Duration = Duration::from_secs(10);
/// How often that is tried.
const PAUSE: Duration = Duration::from_millis(20);

/// The system's files.
#[derive(Debug)]
pub struct SystemFiles;

/// Makes a directory, and those that it lies in, for the program's user alone.
///
/// # Errors
/// What the system says.
pub fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that is for the program's user alone, in the place of what it held.
///
/// # Errors
/// What the system says.
pub fn write_file(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(contents)
}

/// The files below a folder whose names end so, in order, at most so many; nothing where
/// it is no folder. Links to folders are not followed, nor is what begins with a dot.
///
/// # Errors
/// What the system says of the path itself.
pub fn files_below(path: &Path, suffix: &str, most: usize) -> io::Result<Option<Vec<PathBuf>>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(None);
    }
    let (mut found, mut folders) = (Vec::new(), vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        // What can't be looked into has nothing for whoever asks.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            let name = name.as_bytes();
            if name.starts_with(b".") {
                continue;
            }
            if kind.is_dir() && folders.len() < most {
                folders.push(entry.path());
            } else if name.ends_with(suffix.as_bytes()) && found.len() < most {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(Some(found))
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

impl Files for SystemFiles {
    fn seen_by(self: Arc<Self>, uid: u32, gid: Option<u32>) -> Arc<dyn Files> {
        let own = rustix::process::geteuid();
        match uid {
            // The superuser sees all that this process does.
            0 => self,
            _ if own.is_root() => Arc::new(AsUser::new(uid, gid)),
            _ if own.as_raw() == uid => self,
            _ => Arc::new(PermittedFiles::new(uid, gid)),
        }
    }

    fn read(&self, name: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        read_shared(path(name), limit)
    }

    fn stat(&self, name: &[u8], follow: bool) -> io::Result<Stat> {
        let path = path(name);
        let data = if follow { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
        Ok(what_is_said(&data))
    }

    fn names(&self, name: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path(name))? {
            if names.len() >= most {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too many files"));
            }
            names.push(entry?.file_name().into_vec());
        }
        Ok(names)
    }

    fn replace(&self, name: &[u8], contents: &[u8]) -> io::Result<()> {
        let target = fs::canonicalize(path(name))?;
        let old = fs::metadata(&target)?;
        if !old.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let (file, beside) = create_beside(&target)?;
        let written = fill(file, contents, &old).and_then(|()| fs::rename(&beside, &target));
        if written.is_err() {
            // The first failure is the one to tell of.
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn append(&self, name: &[u8], contents: &[u8]) -> io::Result<()> {
        const NO_LINK: i32 = OFlags::NOFOLLOW.bits() as i32 | OFlags::NONBLOCK.bits() as i32;
        let mut options = File::options();
        let options = options.append(true).create(true).mode(0o640).custom_flags(NO_LINK);
        let mut file = options.open(path(name))?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let deadline = Instant::now() + LONGEST_LOCK;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return file.write_all(contents),
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Err(Errno::WOULDBLOCK) => return Err(io::ErrorKind::TimedOut.into()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What the system says of a file.
pub(crate) fn what_is_said(data: &fs::Metadata) -> Stat {
    Stat {
        mode: data.mode(),
        inode: data.ino(),
        device: data.dev(),
        links: data.nlink(),
        uid: data.uid(),
        gid: data.gid(),
        size: data.size(),
        atime: data.atime(),
        mtime: data.mtime(),
        mtime_nanos: data.mtime_nsec(),
        ctime: data.ctime(),
    }
}

/// As [`read`], where it can be shared.
fn read_shared(path: &Path, limit: u64) -> io::Result<Arc<[u8]>> {
    let size = fs::metadata(path).map_or(0, |data| if data.is_file() { data.len() } else { 0 });
    let Ok(size) = usize::try_from(size.min(limit)) else { return Ok(read(path, limit)?.into()) };
    // A large file is not there twice.
    if size < LARGE {
        return Ok(read(path, limit)?.into());
    }
    let mut file = open(path)?;
    let mut shared: Arc<[u8]> = std::iter::repeat_n(0, size).collect();
    let mut filled = 0;
    if let Some(bytes) = Arc::get_mut(&mut shared) {
        while filled < size {
            match file.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    // It may have grown or shrunk meanwhile.
    if filled == size && file.read(&mut [0])? == 0 {
        return Ok(shared);
    }
    drop(shared);
    Ok(read(path, limit)?.into())
}

/// From which size on a file is read to where it stays.
const LARGE: usize = 1 << 20;

/// All that a file says, up to a limit.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::from_raw_os_error(rustix::io::Errno::FBIG.raw_os_error()));
    }
    Ok(bytes)
}

/// Opens a file to be read, without waiting for anybody. A directory is opened
/// like one, and says what it is when it is read.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    const DO_NOT_WAIT: i32 = OFlags::NONBLOCK.bits() as i32;
    let file = File::options().read(true).custom_flags(DO_NOT_WAIT).open(path)?;
    let data = file.metadata()?;
    let kind = data.file_type();
    if kind.is_file() || kind.is_dir() || is_null(&data) {
        return Ok(Box::new(file));
    }
    // What this process was given open: `<(…)` of a shell is such a pipe.
    let given = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/"];
    if kind.is_fifo()
        && given.iter().any(|name| path.as_os_str().as_bytes().starts_with(name.as_bytes()))
    {
        return Ok(Box::new(Pipe(file)));
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
}

/// Whether a file is the one that is always empty.
pub(crate) fn is_null(data: &fs::Metadata) -> bool {
    let null = rustix::fs::makedev(1, 3);
    data.file_type().is_char_device() && data.rdev() == null
}

/// A pipe that somebody writes into, or has written.
struct Pipe(File);

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Deadline::within(LONGEST_SILENCE).readable(self.0.as_fd())?;
        self.0.read(into)
    }
}

/// Makes a new file in the directory of another, for the program's user alone.
fn create_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target.file_name().unwrap_or_default();
    for number in 0..MOST_TRIES {
        let mut other = OsString::from(".");
        other.push(name);
        other.push(format!(".{}-{number}.new", std::process::id()));
        let beside = target.with_file_name(other);
        match File::options().write(true).create_new(true).mode(0o600).open(&beside) {
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(why),
            Ok(file) => return Ok((file, beside)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Writes what a file says, and gives it the owner and permissions of another.
fn fill(mut file: File, contents: &[u8], like: &fs::Metadata) -> io::Result<()> {
    file.write_all(contents)?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
        // Only the superuser may give files away; a group of one's own is fine.
        let _ = fchown(&file, Some(like.uid()), Some(like.gid()))
            .or_else(|_| fchown(&file, None, Some(like.gid())));
    }
    // Last, as a change of the owner takes some permissions away.
    file.set_permissions(like.permissions())?;
    file.sync_all()
}
