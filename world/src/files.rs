//! Files and directories.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eximious_core::world::{Files, Stat};

use rustix::fs::{FlockOperation, OFlags, XattrFlags, flock, fsetxattr, getxattr, listxattr};
use rustix::io::Errno;

use crate::as_user::AsUser;
use crate::deadline::Deadline;
use crate::permitted::PermittedFiles;

/// How many names are tried for a file that is to take another's place.
const MOST_TRIES: u32 = 100;
/// How long the names of a file's extended attributes may be, and how long each of these: as
/// the system has it.
const LONGEST_ATTRIBUTE: usize = 64 << 10;
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
        // What can't be looked into has nothing for whoever asks, unless it is what was named.
        let entries = match fs::read_dir(&folder) {
            Err(why) if folder == path => return Err(why),
            entries => entries,
        };
        for entry in entries.into_iter().flatten().flatten() {
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
        // Another file in its place would leave the other names with the old contents.
        let moved = old.nlink() == 1 && put_in_place(&target, contents, &old).is_ok();
        if moved { Ok(()) } else { write_over(&target, contents) }
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
    // A large file is not there twice.
    let size = match usize::try_from(size) {
        Ok(large) if large >= LARGE && size <= limit => large,
        _ => return Ok(read(path, limit)?.into()),
    };
    let (mut file, _) = open(path)?;
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
    let (file, size) = open(path)?;
    bounded(file, size, limit)
}

/// All that comes of something that should have so many bytes, up to a limit.
pub(crate) fn bounded(from: impl Read, size: u64, limit: u64) -> io::Result<Vec<u8>> {
    if size > limit {
        return Err(rustix::io::Errno::FBIG.into());
    }
    let most = limit.saturating_add(1);
    let room = size.min(ROOM);
    // With a byte more, the end is found without more room.
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0) + 1);
    from.take(most).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit {
        true => Err(rustix::io::Errno::FBIG.into()),
        false => Ok(bytes),
    }
}

/// How much is set aside for what a file says its size is.
const ROOM: u64 = 1 << 20;

/// Opens a file to be read, without waiting for anybody, and says its size. A directory is
/// opened like one, and says what it is when it is read.
fn open(path: &Path) -> io::Result<(Box<dyn Read>, u64)> {
    const DO_NOT_WAIT: i32 = OFlags::NONBLOCK.bits() as i32;
    let file = File::options().read(true).custom_flags(DO_NOT_WAIT).open(path)?;
    let data = file.metadata()?;
    let kind = data.file_type();
    if kind.is_file() || kind.is_dir() || is_null(&data) {
        return Ok((Box::new(file), data.len()));
    }
    // What this process was given open: `<(…)` of a shell is such a pipe.
    let given = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/"];
    if kind.is_fifo()
        && given.iter().any(|name| path.as_os_str().as_bytes().starts_with(name.as_bytes()))
    {
        return Ok((Box::new(Pipe(file)), 0));
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

/// Puts a new file with the same owner, permissions and attributes in the place of one.
fn put_in_place(target: &Path, contents: &[u8], old: &fs::Metadata) -> io::Result<()> {
    let (file, beside) = create_beside(target)?;
    let filled = fill(file, contents, target, old);
    let written = filled.and_then(|()| fs::rename(&beside, target));
    if written.is_err() {
        // The first failure is the one to tell of.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Writes what a file says, and gives it the owner, permissions and attributes of another.
fn fill(mut file: File, contents: &[u8], like: &Path, old: &fs::Metadata) -> io::Result<()> {
    file.write_all(contents)?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
        // Only the superuser may give files away.
        fchown(&file, Some(old.uid()), Some(old.gid()))?;
    }
    // Last, as a change of the owner takes some permissions away.
    file.set_permissions(old.permissions())?;
    copy_attributes(like, &file)?;
    file.sync_all()
}

/// Gives a file the extended attributes of another, its access control list among them.
fn copy_attributes(from: &Path, to: &File) -> io::Result<()> {
    let mut names = vec![0; LONGEST_ATTRIBUTE];
    let length = match listxattr(from, &mut names) {
        Err(Errno::NOTSUP) => 0,
        length => length?,
    };
    let mut value = vec![0; if length > 0 { LONGEST_ATTRIBUTE } else { 0 }];
    for name in names[..length].split(|c| *c == 0).filter(|name| !name.is_empty()) {
        let length = getxattr(from, name, &mut value)?;
        fsetxattr(to, name, &value[..length], XattrFlags::empty())?;
    }
    Ok(())
}

/// Writes a file itself. What it held is kept in a copy until that is done.
fn write_over(target: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(target)?;
    let mut old = Vec::new();
    file.read_to_end(&mut old)?;
    // Where there is no room beside it, there is some for what is temporary.
    let name = target.file_name().unwrap_or_default();
    let elsewhere = std::env::temp_dir().join(name);
    let (mut copy, kept) = create_beside(target).or_else(|_| create_beside(&elsewhere))?;
    if let Err(why) = copy.write_all(&old).and_then(|()| copy.sync_all()) {
        let _ = fs::remove_file(&kept);
        return Err(why);
    }
    let written = overwrite(&mut file, contents);
    if let Err(why) = &written
        && overwrite(&mut file, &old).is_err()
    {
        let message = format!("{why}; what it held is in {}", kept.display());
        return Err(io::Error::new(why.kind(), message));
    }
    fs::remove_file(&kept)?;
    written
}

/// Writes a file from its beginning on, and cuts off what is left.
fn overwrite(file: &mut File, contents: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(contents)?;
    file.set_len(contents.len() as u64)?;
    file.sync_all()
}
