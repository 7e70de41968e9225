//! One log file.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{FallocateFlags, OFlags};
use rustix::io::Errno;

use crate::as_user::AsUser;

/// Who may do what with a log, and with a directory of logs.
const FILE_MODE: u32 = 0o640;
const DIRECTORY_MODE: u32 = 0o750;

/// A log file that is open, or will be. Who writes holds nobody else up: an entry is one write
/// to what is open for appending.
#[derive(Default, Debug)]
pub struct LogFile {
    open: Mutex<Option<Arc<Open>>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    name: Vec<u8>,
    /// Its device and inode.
    place: (u64, u64),
}

impl LogFile {
    /// Adds an entry to the file of a name.
    ///
    /// # Errors
    /// It can't be opened, or is no file of its own.
    pub fn append(&self, name: &[u8], owner: (u32, u32), entry: &[u8]) -> io::Result<()> {
        let open = self.open().clone();
        let open = match open.filter(|open| open.is_still(name)) {
            Some(open) => open,
            None => self.open_anew(name, owner)?,
        };
        let written = (&open.file).write_all(entry);
        if written.is_err() {
            self.open().take_if(|other| Arc::ptr_eq(other, &open));
        }
        written
    }

    /// Opens the file of a name, and has room made at its end for so many bytes.
    ///
    /// # Errors
    /// It can't be opened, or is no file of its own, or there is no room.
    pub fn reopen(&self, name: &[u8], owner: (u32, u32), room: usize) -> io::Result<()> {
        *self.open() = None;
        let open = self.open_anew(name, owner)?;
        if room == 0 {
            return Ok(());
        }
        let (flags, end) = (FallocateFlags::KEEP_SIZE, open.file.metadata()?.len());
        match rustix::fs::fallocate(&open.file, flags, end, room as u64) {
            Err(why @ (Errno::NOSPC | Errno::DQUOT)) => Err(why.into()),
            // Not every file system can say.
            _ => Ok(()),
        }
    }

    /// Opens it, unless somebody else just has.
    fn open_anew(&self, name: &[u8], owner: (u32, u32)) -> io::Result<Arc<Open>> {
        let mut open = self.open();
        if let Some(open) = open.as_ref().filter(|open| open.is_still(name)) {
            return Ok(open.clone());
        }
        *open = None;
        // Who is not the superuser is led nowhere where it may not write.
        let follows = owner.0 != 0;
        let file = as_owner(owner, || self::open(name, follows))?;
        let data = file.metadata()?;
        let place = (data.dev(), data.ino());
        Ok(open.insert(Arc::new(Open { file, name: name.to_vec(), place })).clone())
    }

    fn open(&self) -> MutexGuard<'_, Option<Arc<Open>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Whether it is still what has the name.
    fn is_still(&self, name: &[u8]) -> bool {
        self.name == name
            && fs::metadata(path(name)).is_ok_and(|data| (data.dev(), data.ino()) == self.place)
    }
}

/// Removes the file of a name.
///
/// # Errors
/// It can't be removed.
pub fn remove(name: &[u8], owner: (u32, u32)) -> io::Result<()> {
    as_owner(owner, || fs::remove_file(path(name)))
}

/// Does something with no more rights than the owner has, who could put something
/// else in a file's place.
fn as_owner<T: Send>(
    owner: (u32, u32),
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    match rustix::process::geteuid().is_root() && owner.0 != 0 {
        true => AsUser::new(owner.0, Some(owner.1)).with(work),
        false => work(),
    }
}

fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

fn open(name: &[u8], follows: bool) -> io::Result<File> {
    let opened = open_there(name, follows);
    match (&opened, path(name).parent()) {
        (Err(why), Some(folder)) if why.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(folder)?;
            open_there(name, follows)
        }
        _ => opened,
    }
}

/// Opens a file that is no pipe, and where links are not followed, is found under no other
/// name.
fn open_there(name: &[u8], follows: bool) -> io::Result<File> {
    // Without waiting for somebody at the other end of a pipe.
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    flags.set(OFlags::NOFOLLOW, !follows);
    let flags = flags.bits();
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(FILE_MODE)
        .custom_flags(i32::try_from(flags).unwrap_or(0))
        .open(path(name))?;
    let data = file.metadata()?;
    // Devices are there for containers, which log to their terminal.
    let plain =
        data.is_file() && (follows || data.nlink() <= 1) || data.file_type().is_char_device();
    if plain { Ok(file) } else { Err(io::Error::other("not a regular file of its own")) }
}
