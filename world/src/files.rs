//! Files and directories.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use eximious_core::world::{Files, Stat};

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
}
