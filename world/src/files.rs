//! Files and directories.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eximious_core::world::{Files, Stat};

use crate::as_user::AsUser;

/// How many names are tried for a file that is to take another's place.
const MOST_TRIES: u32 = 100;

/// The system's files.
#[derive(Debug)]
pub struct System;

/// Makes a directory, and those that it lies in, for the program's user alone.
///
/// # Errors
/// What the system says.
pub fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

impl Files for System {
    fn seen_by(self: Arc<Self>, uid: u32, gid: Option<u32>) -> Arc<dyn Files> {
        match rustix::process::geteuid().is_root() && uid != 0 {
            true => Arc::new(AsUser::new(uid, gid)),
            false => self,
        }
    }

    fn read(&self, name: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        let file = File::open(path(name))?;
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::from_raw_os_error(rustix::io::Errno::FBIG.raw_os_error()));
        }
        Ok(bytes.into())
    }

    fn stat(&self, name: &[u8], follow: bool) -> io::Result<Stat> {
        let path = path(name);
        let data = if follow { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
        Ok(Stat {
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
        })
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
