//! A message that is being delivered: it is locked, by its data file, against everybody
//! who knows Exim's spool (specification, chapter 57.2).

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use eximious_core::BodySource;
use eximious_core::world::{SpoolError, SpoolPlace, TakenMessage};
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::hand_over::HandOver;
use super::late_logs::LateLogs;
use super::{FILE, FilePart, find_for, give, open_parts};

/// One that is taken.
#[derive(Debug)]
pub(super) struct Message {
    place: SpoolPlace,
    id: Vec<u8>,
    directory: Arc<OwnedFd>,
    data: Arc<File>,
    length: u64,
    journal: Option<Journal>,
    logs: Arc<LateLogs>,
}

/// Its journal, as long as it is open.
#[derive(Debug)]
struct Journal {
    file: File,
    /// Whether its name is on disk.
    is_named: bool,
}

impl Message {
    pub(super) fn take(
        place: &SpoolPlace,
        id: &[u8],
        logs: &Arc<LateLogs>,
    ) -> io::Result<Option<Self>> {
        // Only who may write a file can lock it against others.
        let found = find_for(place, b"input", id, b"-D", OFlags::RDWR)?;
        match lock(&found.file) {
            Ok(()) => {}
            Err(nix::Error::EAGAIN | nix::Error::EACCES) => return Ok(None),
            Err(why) => return Err(why.into()),
        }
        // Whoever had it until now may have been the last.
        let stat = found.file.metadata()?;
        if stat.nlink() == 0 {
            return Err(io::ErrorKind::NotFound.into());
        }
        let (directory, data) = (Arc::new(found.directory), Arc::new(found.file));
        Ok(Some(Self::of((place, id), directory, (data, stat.len()), logs)))
    }

    /// One whose data file, of so many bytes, is locked.
    pub(super) fn of(
        (place, id): (&SpoolPlace, &[u8]),
        directory: Arc<OwnedFd>,
        (data, length): (Arc<File>, u64),
        logs: &Arc<LateLogs>,
    ) -> Self {
        let (place, id, logs) = (place.clone(), id.to_vec(), logs.clone());
        Self { place, id, directory, data, length, journal: None, logs }
    }

    fn name(&self, end: &str) -> Vec<u8> {
        [&self.id, end.as_bytes()].concat()
    }

    fn open(&self, name: &[u8], more: OFlags) -> io::Result<File> {
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | more;
        let mode = Mode::from_raw_mode(FILE);
        let file = rustix::fs::openat(&self.directory, name, flags, mode)?;
        give(&file, &self.place, mode)?;
        Ok(file.into())
    }

    /// The journal, which is made where there is none.
    fn journal_file(&mut self) -> io::Result<&mut Journal> {
        if self.journal.is_none() {
            let file = self.open(&self.name("-J"), OFlags::APPEND)?;
            self.journal = Some(Journal { file, is_named: false });
        }
        self.journal.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Takes a journal away that there was room for, and no need.
    fn drop_empty_journal(&mut self) {
        let is_empty =
            |journal: &Journal| journal.file.metadata().is_ok_and(|stat| stat.len() == 0);
        if self.journal.take().is_some_and(|journal| is_empty(&journal)) {
            let _ = self.unlink(&self.directory, &self.name("-J"));
        }
    }

    /// Puts its log into another directory.
    fn move_log(&self, to: &OwnedFd) -> io::Result<()> {
        self.logs.write(&self.place, &self.id)?;
        self.at_log(|from| rename(from, to, &self.id))
    }

    /// Does something in the directories where its log may be: elsewhere, too, where messages
    /// were not spread over directories.
    fn at_log(&self, work: impl Fn(&OwnedFd) -> io::Result<()>) -> io::Result<()> {
        let spread = self.place.part(&self.id);
        for part in spread.map(Some).into_iter().chain([None]) {
            match open_parts(&self.place, b"msglog", part, false) {
                Ok(directory) => work(&directory)?,
                Err(why) if why.kind() == io::ErrorKind::NotFound => {}
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    fn unlink(&self, directory: &OwnedFd, name: &[u8]) -> io::Result<()> {
        match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            unlinked => Ok(unlinked?),
        }
    }
}

impl TakenMessage for Message {
    fn length(&self) -> u64 {
        self.length
    }

    fn source(&self, from: u64) -> Arc<dyn BodySource> {
        Arc::new(FilePart { file: self.data.clone(), from })
    }

    fn reserve(&mut self, bytes: usize) -> io::Result<()> {
        let journal = self.journal_file()?;
        let end = journal.file.metadata()?.len();
        let beyond_end = FallocateFlags::KEEP_SIZE;
        match rustix::fs::fallocate(&journal.file, beyond_end, end, bytes as u64) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            had => Ok(had?),
        }
    }

    fn journal(&mut self, lines: &[u8]) -> io::Result<()> {
        let directory = self.directory.clone();
        let journal = self.journal_file()?;
        journal.file.write_all(lines)?;
        journal.file.sync_data()?;
        if !journal.is_named {
            rustix::fs::fsync(&directory)?;
            journal.is_named = true;
        }
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        // Without its header file, it is no message any more.
        self.unlink(&self.directory, &self.name("-H"))?;
        Ok(rustix::fs::fsync(&self.directory)?)
    }

    fn update(&mut self, header: &[u8]) -> io::Result<()> {
        let beside = [b"hdr.", &self.id[..]].concat();
        let written = self.open(&beside, OFlags::TRUNC).and_then(|mut file| {
            file.write_all(header)?;
            file.sync_all()
        });
        let renamed = written.and_then(|()| {
            let (from, to) = (&beside, self.name("-H"));
            Ok(rustix::fs::renameat(&self.directory, from, &self.directory, to)?)
        });
        if let Err(why) = renamed {
            let _ = self.unlink(&self.directory, &beside);
            return Err(why);
        }
        rustix::fs::fsync(&self.directory)?;
        self.journal = None;
        self.unlink(&self.directory, &self.name("-J"))
    }

    fn hand_over(&self, directory: &[u8], journal: &[u8]) -> Result<(), SpoolError> {
        let Self { place, id, directory: from, data, .. } = self;
        HandOver { place, id, from, data, to: directory }.make(journal)
    }

    fn keep_log(&mut self) -> io::Result<()> {
        self.move_log(&open_parts(&self.place, b"msglog.OLD", None, true)?)
    }

    fn set_aside(&mut self) -> io::Result<()> {
        let part = self.place.part(&self.id);
        let to = open_parts(&self.place, b"Finput", part, true)?;
        // Without its header file, it is no message any more.
        for end in ["-H", "-D", "-J"] {
            rename(&self.directory, &to, &self.name(end))?;
        }
        rustix::fs::fsync(&to)?;
        rustix::fs::fsync(&self.directory)?;
        self.move_log(&open_parts(&self.place, b"Fmsglog", part, true)?)
    }

    fn requeue(&mut self, queue: &[u8]) -> io::Result<()> {
        let part = self.place.part(&self.id);
        let there = SpoolPlace { queue: queue.to_vec(), ..self.place.clone() };
        let to = open_parts(&there, b"input", part, true)?;
        // There is a message where there is a header file: what belongs to it is there before.
        for end in ["-D", "-J"] {
            link(&self.directory, &to, &self.name(end))?;
        }
        rustix::fs::fsync(&to)?;
        let name = self.name("-H");
        let flags = RenameFlags::NOREPLACE;
        rustix::fs::renameat_with(&self.directory, &name, &to, &name, flags)?;
        rustix::fs::fsync(&to)?;
        for end in ["-D", "-J"] {
            self.unlink(&self.directory, &self.name(end))?;
        }
        rustix::fs::fsync(&self.directory)?;
        self.move_log(&open_parts(&there, b"msglog", part, true)?)
    }

    fn remove(&mut self) -> io::Result<()> {
        self.journal = None;
        // Without its header file, it is no message any more: then all goes that can. What is no
        // file is none.
        let header = match self.unlink(&self.directory, &self.name("-H")) {
            Err(why) if why.kind() != io::ErrorKind::IsADirectory => return Err(why),
            header => header,
        };
        self.logs.forget(&self.place, &self.id);
        let gone = ["-D", "-J"].map(|end| self.unlink(&self.directory, &self.name(end)));
        let log = self.at_log(|directory| self.unlink(directory, &self.id));
        [header].into_iter().chain(gone).chain([log]).collect()
    }
}

impl Drop for Message {
    /// Whoever takes it next finds all that is logged of it.
    fn drop(&mut self) {
        self.drop_empty_journal();
        let _ = self.logs.write(&self.place, &self.id);
    }
}

/// Puts a file, where it is there, into another directory.
fn rename(from: &OwnedFd, to: &OwnedFd, name: &[u8]) -> io::Result<()> {
    match rustix::fs::renameat(from, name, to, name) {
        Err(Errno::NOENT) => Ok(()),
        renamed => Ok(renamed?),
    }
}

/// Gives a file, where it is there, another name in another directory.
fn link(from: &OwnedFd, to: &OwnedFd, name: &[u8]) -> io::Result<()> {
    match rustix::fs::linkat(from, name, to, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        linked => Ok(linked?),
    }
}

/// Locks a file for as long as it is open: not for this process, as usual, but for this
/// opening of it, so that threads keep each other out, too.
pub(super) fn lock(file: &File) -> nix::Result<()> {
    let whole = libc::flock {
        l_type: libc::F_WRLCK as _,
        l_whence: libc::SEEK_SET as _,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&whole)).map(|_| ())
}
