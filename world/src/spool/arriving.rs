//! A message that comes in: its files are made, and it is kept.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use eximious_core::BodySource;
use eximious_core::world::{HeldMessage, SpoolData, SpoolError, SpoolPlace, SpoolStep};
use rustix::fs::{AtFlags, Mode, OFlags, fsync, unlinkat};
use rustix::io::Errno;

use super::commit::Commits;
use super::held::Held;
use super::late_logs::LateLogs;
use super::taken::{self, lock};
use super::{FILE, FilePart, give};

/// How much of a body is held until the message is kept, before there is a file for it.
const HELD: usize = 64 * 1024;

/// The data file of a message that comes in. A short one is made when the message is kept,
/// together with those of others.
#[derive(Debug)]
pub(super) struct Arriving {
    commits: Arc<Commits>,
    logs: Arc<LateLogs>,
    new: Arc<New>,
    data: Data,
    /// Somebody else keeps the file, or takes it away.
    is_given_away: bool,
}

/// What there is of a body.
#[derive(Debug)]
enum Data {
    Held(Arc<Vec<u8>>),
    Written(Arc<File>),
}

impl Arriving {
    pub(super) fn new(
        commits: Arc<Commits>,
        logs: Arc<LateLogs>,
        directory: OwnedFd,
        place: SpoolPlace,
        id: Vec<u8>,
    ) -> Self {
        let new = Arc::new(New { directory: Arc::new(directory), place, id });
        Self { commits, logs, new, data: Data::Held(Arc::default()), is_given_away: false }
    }

    /// The message, as it is to be kept; the file goes with it.
    ///
    /// # Errors
    /// As [`SpoolError`] says.
    pub(super) fn message(&mut self, header: &[u8]) -> Result<Message, SpoolError> {
        let data = match &mut self.data {
            Data::Held(held) => Data::Held(std::mem::take(held)),
            Data::Written(file) => {
                // It may be large: the others do not wait for it.
                eximious_writeback::finish(file.as_fd()).map_err(|why| self.new.of_data(why))?;
                Data::Written(file.clone())
            }
        };
        self.is_given_away = true;
        let (new, header) = (self.new.clone(), header.into());
        Ok(Message { new, data, header, is_taken: false, journal: Vec::new() })
    }
}

impl SpoolData for Arriving {
    fn write(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        if let Data::Held(held) = &mut self.data {
            if held.len() + bytes.len() <= HELD {
                Arc::make_mut(held).extend_from_slice(bytes);
                return Ok(());
            }
            self.data = Data::Written(Arc::new(self.new.write_data(held)?));
        }
        if let Data::Written(file) = &self.data {
            (&**file).write_all(bytes).map_err(|why| self.new.of_data(why))?;
        }
        Ok(())
    }

    fn source(&self, from: u64) -> Arc<dyn BodySource> {
        match &self.data {
            Data::Held(held) => held_from(held, from),
            Data::Written(file) => Arc::new(FilePart { file: file.clone(), from }),
        }
    }

    fn keep(&mut self, header: &[u8]) -> Result<(), SpoolError> {
        let message = self.message(header)?;
        self.commits.keep(message).map(drop)
    }

    fn keep_queued(&mut self, header: &[u8]) -> Result<(), SpoolError> {
        let message = self.message(header)?;
        self.commits.keep_queued(message).map(drop)
    }

    fn hold(&mut self, header: &[u8]) -> Option<Arc<dyn HeldMessage>> {
        let Data::Held(held) = &mut self.data else { return None };
        let data = std::mem::take(held);
        self.is_given_away = true;
        let (new, header): (_, Arc<[u8]>) = (self.new.clone(), header.into());
        let kept = Data::Held(data.clone());
        let message = Message { new, data: kept, header, is_taken: true, journal: Vec::new() };
        Some(Arc::new(Held::new(message, data, self.commits.clone(), self.logs.clone())))
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if let (Data::Written(_), false) = (&self.data, self.is_given_away) {
            let _ = self.new.remove(b"-D");
        }
    }
}

/// What reads bytes that are held, from a place on.
pub(super) fn held_from(held: &Arc<Vec<u8>>, from: u64) -> Arc<dyn BodySource> {
    Arc::new(HeldPart { held: held.clone(), from })
}

/// Bytes that are held, from a place on.
struct HeldPart {
    held: Arc<Vec<u8>>,
    from: u64,
}

impl BodySource for HeldPart {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let at = usize::try_from(self.from.saturating_add(at)).ok();
        let rest = at.and_then(|at| self.held.get(at..)).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// A message that is to be kept.
#[derive(Debug)]
pub(super) struct Message {
    new: Arc<New>,
    data: Data,
    header: Arc<[u8]>,
    /// Whether somebody has it to deliver it from the first moment on, and what stands in its
    /// journal then.
    is_taken: bool,
    journal: Vec<u8>,
}

/// The files of a message that is being kept. They have names of files that are no message
/// until the header file gets its own.
#[derive(Debug)]
pub(super) struct Made {
    new: Arc<New>,
    data: Arc<File>,
    header: File,
    journal: Option<File>,
}

impl Message {
    /// The directory that it goes to.
    pub(super) fn directory(&self) -> &OwnedFd {
        &self.new.directory
    }

    /// Its name, and where it goes.
    pub(super) fn name(&self) -> (&SpoolPlace, &[u8]) {
        (&self.new.place, &self.new.id)
    }

    /// The header file that it is to have.
    pub(super) fn header(&self) -> &Arc<[u8]> {
        &self.header
    }

    /// What is to be in its data file, where that is not made yet, and nobody delivers it.
    pub(super) fn waiting(&self) -> Option<&[u8]> {
        match &self.data {
            Data::Held(bytes) if !self.is_taken => Some(bytes),
            _ => None,
        }
    }

    /// One with these files.
    pub(super) fn of(
        directory: OwnedFd,
        (place, id): (SpoolPlace, Vec<u8>),
        header: Arc<[u8]>,
        data: Vec<u8>,
    ) -> Self {
        let new = Arc::new(New { directory: Arc::new(directory), place, id });
        let data = Data::Held(Arc::new(data));
        Self { new, data, header, is_taken: false, journal: Vec::new() }
    }

    /// What came before it is not on disk.
    pub(super) fn unsynced(&self, why: Errno) -> SpoolError {
        self.new.of_header(why.into())
    }

    /// Adds to its journal.
    pub(super) fn add_to_journal(&mut self, lines: &[u8]) {
        self.journal.extend_from_slice(lines);
    }

    /// Keeps it where nothing is known of the order in which changes come to the disk.
    ///
    /// # Errors
    /// As [`SpoolError`] says; then its files are gone again.
    pub(super) fn keep(self) -> Result<Made, SpoolError> {
        self.make()?.keep()
    }

    /// Makes its files, and has the system begin to write them to the disk.
    ///
    /// # Errors
    /// As [`SpoolError`] says; then its files are gone again.
    pub(super) fn make(self) -> Result<Made, SpoolError> {
        let made = self.make_files()?;
        eximious_writeback::begin(made.data.as_fd());
        eximious_writeback::begin(made.header.as_fd());
        Ok(made)
    }

    /// Makes its files, and locks it; they have time to go to the disk.
    ///
    /// # Errors
    /// As [`SpoolError`] says; then its files are gone again.
    pub(super) fn make_locked(self) -> Result<Made, SpoolError> {
        Self { is_taken: true, ..self }.make_files()
    }

    fn make_files(self) -> Result<Made, SpoolError> {
        let Self { new, data, header, is_taken, journal } = self;
        let data = match data {
            Data::Held(bytes) => Arc::new(new.write_data(&bytes)?),
            Data::Written(file) => file,
        };
        let locked = if is_taken { lock(&data).map_err(io::Error::from) } else { Ok(()) };
        let written = locked.map_err(|why| new.of_data(why));
        let written = written.and_then(|()| new.write_journal(&journal));
        match written.and_then(|journal| Ok((journal, new.write_header(&header)?))) {
            Ok((journal, header)) => Ok(Made { new, data, header, journal }),
            Err(why) => {
                let _ = new.remove(b"-J");
                let _ = new.remove(b"-D");
                Err(why)
            }
        }
    }
}

impl Made {
    /// As [`Message::keep`].
    ///
    /// # Errors
    /// As [`SpoolError`] says; then the files are gone again.
    pub(super) fn keep(self) -> Result<Self, SpoolError> {
        let kept = self.sync().and_then(|()| self.name());
        let synced = kept.and_then(|()| fsync(self.directory()).map_err(|why| self.unsynced(why)));
        self.after(synced)
    }

    /// The data file.
    pub(super) fn data(&self) -> &Arc<File> {
        &self.data
    }

    /// The directory that they are in.
    pub(super) fn directory(&self) -> &OwnedFd {
        &self.new.directory
    }

    /// Waits until the contents have gone to the disk.
    ///
    /// # Errors
    /// As [`SpoolError`] says.
    pub(super) fn finish(&self) -> Result<(), SpoolError> {
        let header = eximious_writeback::finish(self.header.as_fd());
        header.map_err(|why| self.new.of_header(why))?;
        for file in self.journal.iter().chain([&*self.data]) {
            eximious_writeback::finish(file.as_fd()).map_err(|why| self.new.of_data(why))?;
        }
        Ok(())
    }

    /// Has both files on disk, to which the system has begun to write them.
    ///
    /// # Errors
    /// As [`SpoolError`] says.
    pub(super) fn sync(&self) -> Result<(), SpoolError> {
        let header = self.header.sync_all();
        header.map_err(|why| self.new.of_header(why))?;
        for file in self.journal.iter().chain([&*self.data]) {
            file.sync_all().map_err(|why| self.new.of_data(why))?;
        }
        Ok(())
    }

    /// Gives the header file its name: with that, the message is there.
    ///
    /// # Errors
    /// As [`SpoolError`] says.
    pub(super) fn name(&self) -> Result<(), SpoolError> {
        let New { directory, id, .. } = &*self.new;
        rustix::fs::renameat(directory, self.new.beside(), directory, [id, &b"-H"[..]].concat())
            .map_err(|why| self.new.failed(SpoolStep::Rename, b"-H", why.into()))
    }

    /// What tells its directory from others.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn place(&self) -> rustix::io::Result<(u64, u64)> {
        rustix::fs::fstat(&self.new.directory).map(|stat| (stat.st_dev, stat.st_ino))
    }

    /// The message, for who has it to deliver it.
    pub(super) fn take(self, length: u64, logs: &Arc<LateLogs>) -> taken::Message {
        let New { directory, place, id } = &*self.new;
        taken::Message::of((place, id), directory.clone(), (self.data, length), logs)
    }

    /// The names are not on disk.
    pub(super) fn unsynced(&self, why: Errno) -> SpoolError {
        self.new.of_header(why.into())
    }

    /// What could not be kept for good is taken away: nobody may find what may be gone after
    /// the next start.
    ///
    /// # Errors
    /// What there is.
    pub(super) fn after(self, done: Result<(), SpoolError>) -> Result<Self, SpoolError> {
        match done {
            Ok(()) => Ok(self),
            Err(why) => {
                let New { directory, .. } = &*self.new;
                let _ = self.new.remove(b"-H");
                let _ = unlinkat(directory, self.new.beside(), AtFlags::empty());
                if self.journal.is_some() {
                    let _ = self.new.remove(b"-J");
                }
                let _ = self.new.remove(b"-D");
                Err(why)
            }
        }
    }
}

/// A message's name, and the directory into which its files go.
#[derive(Debug)]
struct New {
    directory: Arc<OwnedFd>,
    place: SpoolPlace,
    id: Vec<u8>,
}

impl New {
    /// Makes a file that was not there.
    fn create(&self, name: &[u8]) -> io::Result<File> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(FILE);
        let file = rustix::fs::openat(&self.directory, name, flags, mode)?;
        // Whatever the umask is.
        if let Err(why) = give(&file, &self.place, mode) {
            let _ = unlinkat(&self.directory, name, AtFlags::empty());
            return Err(why);
        }
        Ok(file.into())
    }

    /// Makes the data file. Whoever has its name has the message's: nobody else can take it.
    fn write_data(&self, bytes: &[u8]) -> Result<File, SpoolError> {
        let made = self.create(&[&self.id, &b"-D"[..]].concat());
        let mut file = made.map_err(|why| self.failed(SpoolStep::Create, b"-D", why))?;
        file.write_all(bytes).map_err(|why| {
            let _ = self.remove(b"-D");
            self.of_data(why)
        })?;
        Ok(file)
    }

    /// Makes the journal, where there is something in it.
    fn write_journal(&self, lines: &[u8]) -> Result<Option<File>, SpoolError> {
        if lines.is_empty() {
            return Ok(None);
        }
        let made = self.create(&[&self.id, &b"-J"[..]].concat());
        let written = made.and_then(|mut file| file.write_all(lines).map(|()| file));
        written.map(Some).map_err(|why| self.failed(SpoolStep::Write, b"-J", why))
    }

    /// Makes the header file, by another name first.
    fn write_header(&self, bytes: &[u8]) -> Result<File, SpoolError> {
        let beside = self.beside();
        let made = self.create(&beside);
        let mut file = made.map_err(|why| self.failed(SpoolStep::CreateHeader, b"-H", why))?;
        file.write_all(bytes).map_err(|why| {
            let _ = unlinkat(&self.directory, &beside, AtFlags::empty());
            self.of_header(why)
        })?;
        Ok(file)
    }

    /// What the header file is called before it is whole.
    fn beside(&self) -> Vec<u8> {
        [b"hdr.", &self.id[..]].concat()
    }

    fn remove(&self, end: &[u8]) -> io::Result<()> {
        let name = [&self.id, end].concat();
        Ok(unlinkat(&self.directory, name, AtFlags::empty())?)
    }

    fn failed(&self, step: SpoolStep, end: &[u8], why: io::Error) -> SpoolError {
        SpoolError { step, file: self.place.path(&self.id, end), why }
    }

    fn of_header(&self, why: io::Error) -> SpoolError {
        self.failed(SpoolStep::WriteHeader, b"-H", why)
    }

    fn of_data(&self, why: io::Error) -> SpoolError {
        self.failed(SpoolStep::Write, b"-D", why)
    }
}
