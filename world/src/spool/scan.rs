//! The directory with copies of a message that scanners read: `scan/ID`.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use eximious_core::BodySource;
use eximious_core::world::spool::is_name;
use eximious_core::world::{ScanDirectory, ScanFile, SpoolPlace};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::{FILE, FilePart, each_name, give, make_part, open_part, open_spool};

/// It.
#[derive(Debug)]
pub(super) struct Directory {
    place: SpoolPlace,
    id: Vec<u8>,
    path: Vec<u8>,
    /// `scan`.
    above: OwnedFd,
    own: OwnedFd,
}

impl Directory {
    pub(super) fn open(place: &SpoolPlace, id: &[u8]) -> io::Result<Self> {
        if !is_name(id) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let part = |within: &OwnedFd, name: &[u8]| match open_part(within, name) {
            Err(Errno::NOENT) => make_part(within, name, place),
            opened => Ok(opened?),
        };
        let above = part(&open_spool(place, true)?, b"scan")?;
        let own = part(&above, id)?;
        Ok(Self { place: place.clone(), id: id.to_vec(), path: place.scan_path(id), above, own })
    }

    fn made(&self, opened: rustix::io::Result<OwnedFd>) -> io::Result<Box<dyn ScanFile>> {
        let file = opened?;
        give(&file, &self.place, Mode::from_raw_mode(FILE))?;
        Ok(Box::new(Copy(Arc::new(file.into()))))
    }
}

impl ScanDirectory for Directory {
    fn path(&self) -> &[u8] {
        &self.path
    }

    fn create(&mut self, name: &[u8]) -> io::Result<Box<dyn ScanFile>> {
        if !is_name(name) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        match self.remove(name) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.made(rustix::fs::openat(&self.own, name, flags, Mode::from_raw_mode(FILE)))
    }

    fn create_at(&mut self, path: &[u8]) -> io::Result<Box<dyn ScanFile>> {
        let flags = OFlags::CREATE | OFlags::TRUNC | OFlags::RDWR;
        // A pipe in its place makes nobody wait.
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        self.made(rustix::fs::open(path, flags, Mode::from_raw_mode(FILE)))
    }

    fn names(&self) -> Vec<Vec<u8>> {
        let mut names = Vec::new();
        let _ = each_name(&self.own, |name| {
            if is_name(name) {
                names.push(name.to_vec());
            }
        });
        names.sort();
        names
    }

    fn remove(&mut self, name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.own, name, AtFlags::empty())?)
    }

    fn discard(&mut self) -> io::Result<()> {
        for name in self.names() {
            self.remove(&name)?;
        }
        Ok(rustix::fs::unlinkat(&self.above, &self.id, AtFlags::REMOVEDIR)?)
    }
}

/// A file for a scanner.
#[derive(Debug)]
struct Copy(Arc<File>);

impl ScanFile for Copy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        (&*self.0).write_all(bytes)
    }

    fn source(&self) -> Arc<dyn BodySource> {
        Arc::new(FilePart { file: self.0.clone(), from: 0 })
    }
}
