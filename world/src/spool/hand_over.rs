//! A message is put into another directory, where another program finds it in Exim's form
//! (the transport `queuefile`).

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::OwnedFd;

use eximious_core::world::{SpoolError, SpoolPlace, SpoolStep};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::{FILE, Found, open_parts};
use crate::as_user::AsUser;

/// The most that a header file or a journal may have.
const MOST: u64 = 1 << 28;

/// What is to be put where.
pub(super) struct HandOver<'m> {
    pub(super) place: &'m SpoolPlace,
    pub(super) id: &'m [u8],
    /// The directory that it is in.
    pub(super) from: &'m OwnedFd,
    /// Its data file.
    pub(super) data: &'m File,
    /// The directory that gets it.
    pub(super) to: &'m [u8],
}

impl HandOver<'_> {
    /// Puts it there, with the rights of the queue's owner.
    pub(super) fn make(&self, journal: &[u8]) -> Result<(), SpoolError> {
        let owner = self.place.owner.filter(|_| rustix::process::geteuid().is_root());
        let Some((uid, gid)) = owner else { return self.put(journal) };
        let mut failed = None;
        let done = AsUser::new(uid, Some(gid)).with(|| {
            failed = self.put(journal).err();
            Ok(())
        });
        match (done, failed) {
            (_, Some(failed)) => Err(failed),
            (Err(why), None) => Err(self.failed(SpoolStep::Directory, b"", why)),
            (Ok(()), None) => Ok(()),
        }
    }

    fn put(&self, journal: &[u8]) -> Result<(), SpoolError> {
        let to = self.open().map_err(|why| self.failed(SpoolStep::Directory, b"", why))?;
        let wrong = |why| self.failed(SpoolStep::CreateHeader, b"-H", why);
        if self.is_own(&to).map_err(wrong)? {
            return Err(wrong(Errno::EXIST.into()));
        }
        let header = read(self.from, &self.name(b"-H")).map_err(wrong)?;
        match read(&to, &self.name(b"-H")) {
            Ok(there) => {
                let same = there == header && self.has_journal(&to, journal).map_err(wrong)?;
                return if same { Ok(()) } else { Err(wrong(Errno::EXIST.into())) };
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(wrong(why)),
        }
        let written = self.write(&to, journal, &header);
        if written.is_err() {
            for end in [&b"-H"[..], b"-J", b"-D"] {
                let _ = unlink(&to, &self.name(end));
            }
            let _ = unlink(&to, &self.beside());
        }
        written
    }

    /// Writes the files: the header file last, since with that a message is there.
    fn write(&self, to: &OwnedFd, journal: &[u8], header: &[u8]) -> Result<(), SpoolError> {
        let of_data = |why| self.failed(SpoolStep::Write, b"-D", why);
        self.put_data(to).map_err(of_data)?;
        let name = self.name(b"-J");
        let kept = match journal.is_empty() {
            true => unlink(to, &name),
            false => write_new(to, &name, journal),
        };
        kept.map_err(|why| self.failed(SpoolStep::Write, b"-J", why))?;
        let of_header = |why| self.failed(SpoolStep::WriteHeader, b"-H", why);
        write_new(to, &self.beside(), header).map_err(of_header)?;
        rustix::fs::fsync(to).map_err(|why| of_data(why.into()))?;
        rustix::fs::renameat(to, self.beside(), to, self.name(b"-H"))
            .map_err(|why| self.failed(SpoolStep::Rename, b"-H", why.into()))?;
        rustix::fs::fsync(to).map_err(|why| of_header(why.into()))
    }

    /// The data, which nobody changes: a link to it, where there can be one.
    fn put_data(&self, to: &OwnedFd) -> io::Result<()> {
        let name = self.name(b"-D");
        // One that somebody left behind is without its header file, and no message.
        unlink(to, &name)?;
        if rustix::fs::linkat(self.from, &name, to, &name, AtFlags::empty()).is_ok() {
            return Ok(());
        }
        let mut from = self.data.try_clone()?;
        from.rewind()?;
        let mut file = create(to, &name)?;
        io::copy(&mut from, &mut file)?;
        file.sync_all()
    }

    /// Whether what is there has this journal; whoever delivers it may have added to it.
    fn has_journal(&self, to: &OwnedFd, journal: &[u8]) -> io::Result<bool> {
        match read(to, &self.name(b"-J")) {
            Ok(there) => Ok(there.starts_with(journal)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(journal.is_empty()),
            Err(why) => Err(why),
        }
    }

    /// Whether the directory is of the spool that the message is in, so that it would be
    /// there twice, or be taken away with what is there now.
    fn is_own(&self, to: &OwnedFd) -> io::Result<bool> {
        let identity = |directory: &OwnedFd| {
            rustix::fs::fstat(directory).map(|stat| (stat.st_dev, stat.st_ino))
        };
        let top = open_parts(self.place, b"input", None, false)?;
        let there = identity(to)?;
        Ok(there == identity(self.from)? || there == identity(&top)?)
    }

    fn open(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        Ok(rustix::fs::open(self.to, flags, Mode::empty())?)
    }

    fn name(&self, end: &[u8]) -> Vec<u8> {
        [self.id, end].concat()
    }

    /// What the header file is called before it is whole.
    fn beside(&self) -> Vec<u8> {
        [b"hdr.", self.id].concat()
    }

    fn failed(&self, step: SpoolStep, end: &[u8], why: io::Error) -> SpoolError {
        let file = match step {
            SpoolStep::Directory => self.to.to_vec(),
            _ => [self.to, b"/", self.id, end].concat(),
        };
        SpoolError { step, file, why }
    }
}

fn read(directory: &OwnedFd, name: &[u8]) -> io::Result<Vec<u8>> {
    let directory = directory.try_clone()?;
    Found::open(directory, name, OFlags::RDONLY)?.read(MOST)
}

fn write_new(directory: &OwnedFd, name: &[u8], bytes: &[u8]) -> io::Result<()> {
    unlink(directory, name)?;
    let mut file = create(directory, name)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create(directory: &OwnedFd, name: &[u8]) -> io::Result<File> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
    let mode = Mode::from_raw_mode(FILE);
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, mode)?;
    // Whatever the umask is.
    rustix::fs::fchmod(&file, mode)?;
    Ok(file.into())
}

fn unlink(directory: &OwnedFd, name: &[u8]) -> io::Result<()> {
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        unlinked => Ok(unlinked?),
    }
}
