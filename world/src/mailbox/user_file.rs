//! Small files of users: logs, and notes of who had an answer.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::thread;

use eximious_core::world::{UserFileOrder, UserFileWork};
use rustix::fs::{FileType, FlockOperation, Mode, OFlags, fcntl_lock, fstat};
use rustix::io::Errno;

use super::directory;
use crate::as_user::{Rights, rights};
use crate::files::bounded;

/// Does what is wanted with the user's rights.
pub(super) fn work(order: &UserFileOrder) -> io::Result<Vec<u8>> {
    let taken = match rights(&order.user)? {
        Rights::Own => return done(order),
        Rights::Taken(taken) => taken,
    };
    thread::scope(|scope| {
        let worker = thread::Builder::new().spawn_scoped(scope, || {
            taken.take()?;
            done(order)
        })?;
        worker.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    })
}

fn done(order: &UserFileOrder) -> io::Result<Vec<u8>> {
    match &order.work {
        UserFileWork::Enter => {
            // Who may look for a name in it may be there.
            let place = [&order.path[..], b"/."].concat();
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            rustix::fs::open(&place[..], flags, Mode::empty())?;
            Ok(Vec::new())
        }
        UserFileWork::Settle => directory::settle_late(&order.path).map(|()| Vec::new()),
        UserFileWork::MakeDirectory(mode) => {
            let place = Path::new(OsStr::from_bytes(&order.path));
            DirBuilder::new().recursive(true).mode(*mode).create(place)?;
            Ok(Vec::new())
        }
        UserFileWork::Read(most) => {
            let file = open(order, OFlags::RDONLY, 0)?;
            let size = file.metadata()?.len();
            bounded(file, size, *most)
        }
        UserFileWork::Append(mode, more) => {
            let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE;
            open(order, flags, *mode)?.write_all(more)?;
            Ok(Vec::new())
        }
        UserFileWork::Replace(mode, all) => {
            let mut file = open(order, OFlags::RDWR | OFlags::CREATE, *mode)?;
            fcntl_lock(&file, FlockOperation::LockExclusive)?;
            file.set_len(0)?;
            file.write_all(all)?;
            Ok(Vec::new())
        }
    }
}

/// Opens a regular file; one that nobody reads, or that waits for somebody, is none.
fn open(order: &UserFileOrder, flags: OFlags, mode: u32) -> io::Result<File> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mode = Mode::from_raw_mode(mode & 0o7777);
    let made = match flags.contains(OFlags::CREATE) {
        true => Some(rustix::fs::open(&order.path[..], flags | OFlags::EXCL, mode)),
        false => None,
    };
    let file = match made {
        // Its permissions are those that are wanted, whatever this process has for others.
        Some(Ok(file)) => {
            rustix::fs::fchmod(&file, mode)?;
            file
        }
        Some(Err(Errno::EXIST)) | None => rustix::fs::open(&order.path[..], flags, mode)?,
        Some(Err(why)) => return Err(why.into()),
    };
    let kind = FileType::from_raw_mode(fstat(&file)?.st_mode);
    // What is written to `/dev/null` is nowhere, as it is meant to be.
    match kind == FileType::RegularFile || order.path == b"/dev/null" {
        true => Ok(File::from(file)),
        false => Err(io::ErrorKind::InvalidInput.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eximious_core::world::LocalUser;
    use rustix::process::{getegid, geteuid};

    fn ask(path: &std::path::Path, work_wanted: UserFileWork) -> io::Result<Vec<u8>> {
        use std::os::unix::ffi::OsStrExt;
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        let user = LocalUser { uid, gid, groups: Vec::new() };
        let path = path.as_os_str().as_bytes().to_vec();
        work(&UserFileOrder { user, path, work: work_wanted })
    }

    #[test]
    fn files_grow_and_are_read() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("log");
        let missing = ask(&path, UserFileWork::Read(10)).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        for text in ["one\n", "two\n"] {
            ask(&path, UserFileWork::Append(0o600, text.into())).unwrap();
        }
        assert_eq!(ask(&path, UserFileWork::Read(8)).unwrap(), b"one\ntwo\n");
        assert!(ask(&path, UserFileWork::Read(7)).is_err());
        ask(&path, UserFileWork::Replace(0o600, b"x".to_vec())).unwrap();
        assert_eq!(ask(&path, UserFileWork::Read(7)).unwrap(), b"x");
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // Neither a directory nor a pipe is such a file.
        assert!(ask(place.path(), UserFileWork::Read(7)).is_err());
    }
}
