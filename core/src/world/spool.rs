//! Messages that wait: files below the spool directory (specification, chapter
//! 57).

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use super::{ScanDirectory, ScanFile};
use crate::BodySource;

/// Where messages of a queue are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SpoolPlace {
    /// The spool directory, by an absolute path.
    pub spool: Vec<u8>,
    /// The named queue; empty for the usual one.
    pub queue: Vec<u8>,
    /// Whether messages are spread over directories, by a character of their names.
    pub split: bool,
    /// The user and group that new files belong to, where the superuser makes them.
    pub owner: Option<(u32, u32)>,
}

impl SpoolPlace {
    /// The directory below `input` (and its kin) in which a message is, if it is in
    /// one: the last character of the time in its name.
    pub fn part(&self, id: &[u8]) -> Option<u8> {
        self.split.then(|| id.get(5).copied()).flatten()
    }
}

/// A message whose header file is there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SpoolEntry {
    /// Its name.
    pub id: Vec<u8>,
    /// The directory below `input` that it is in, if it is in one.
    pub part: Option<u8>,
}

/// What could not be done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SpoolStep {
    /// A directory could not be made.
    Directory,
    /// The first file could not be made.
    Create,
    /// It could not be written.
    Write,
    /// The file with the header could not be made.
    CreateHeader,
    /// It could not be written.
    WriteHeader,
    /// It could not get its name.
    Rename,
}

/// Why a message could not be kept.
#[derive(Debug)]
pub struct SpoolError {
    /// What could not be done.
    pub step: SpoolStep,
    /// The file, or the directory, by its whole path.
    pub file: Vec<u8>,
    /// The system's words.
    pub why: io::Error,
}

/// Messages that wait. No path below the spool directory is followed through a
/// symbolic link.
pub trait Spool: Send + Sync {
    /// Whether messages can be kept at all.
    fn is_there(&self) -> bool {
        true
    }

    /// Begins the data file of a new message. Nobody sees a message there before
    /// [`SpoolData::keep`].
    ///
    /// # Errors
    /// As [`SpoolError`] says.
    fn begin(&self, place: &SpoolPlace, id: &[u8]) -> Result<Box<dyn SpoolData>, SpoolError>;

    /// Takes a message away, with its log.
    ///
    /// # Errors
    /// What the system says; one that is not there is none.
    fn remove(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<()>;

    /// A file of a message, by its name's end (`-H`, `-D`, `-J`), up to `limit`
    /// bytes; more is an error. It is found whether messages are spread over
    /// directories or not.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self, place: &SpoolPlace, id: &[u8], end: &[u8], limit: u64) -> io::Result<Vec<u8>>;

    /// How large a file of a message is.
    ///
    /// # Errors
    /// What the system says.
    fn size(&self, place: &SpoolPlace, id: &[u8], end: &[u8]) -> io::Result<u64>;

    /// What is logged of a message so far.
    ///
    /// # Errors
    /// What the system says.
    fn message_log(&self, place: &SpoolPlace, id: &[u8], limit: u64) -> io::Result<Vec<u8>>;

    /// Adds lines to a message's log, which is made where it is not there.
    ///
    /// # Errors
    /// What the system says.
    fn add_to_log(&self, place: &SpoolPlace, id: &[u8], lines: &[u8]) -> io::Result<()>;

    /// Makes the directory for copies of a message that scanners read; one that was left
    /// behind is used.
    ///
    /// # Errors
    /// What the system says.
    fn scan(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<Box<dyn ScanDirectory>> {
        let _ = (place, id);
        Err(io::ErrorKind::PermissionDenied.into())
    }

    /// Takes a message to deliver it: as long as what comes of it is there, nobody else
    /// can, be it another program that knows Exim's spool. `None` where somebody has it.
    ///
    /// # Errors
    /// What the system says; `NotFound` where there is no such message.
    fn take(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<Option<Box<dyn TakenMessage>>> {
        let _ = (place, id);
        Err(io::ErrorKind::PermissionDenied.into())
    }

    /// Shows each message of a queue, in whatever order: its name, and the directory below
    /// `input` that it is in, if it is in one.
    ///
    /// # Errors
    /// What the system says; a queue that was never used has none.
    fn visit(&self, place: &SpoolPlace, seen: &mut dyn FnMut(&[u8], Option<u8>)) -> io::Result<()>;

    /// The messages of a queue, in the order of their names.
    ///
    /// # Errors
    /// What the system says; a queue that was never used has none.
    fn entries(&self, place: &SpoolPlace) -> io::Result<Vec<SpoolEntry>> {
        let mut entries = Vec::new();
        self.visit(place, &mut |id, part| entries.push(SpoolEntry { id: id.to_vec(), part }))?;
        entries.sort_unstable();
        Ok(entries)
    }
}

/// The data file of a message that comes in. Unless the message is kept, the file goes
/// when this is dropped.
pub trait SpoolData: Send + fmt::Debug {
    /// Adds bytes behind those that are there.
    ///
    /// # Errors
    /// As [`SpoolError`] says.
    fn write(&mut self, bytes: &[u8]) -> Result<(), SpoolError>;

    /// What reads the file from a place on. That goes on when the message is kept.
    fn source(&self, from: u64) -> Arc<dyn BodySource>;

    /// Keeps the message, with this header file: when this returns, both of its files
    /// are on disk, for good, and whenever the system stops before that, the message is
    /// not there, or is there as a whole.
    ///
    /// # Errors
    /// As [`SpoolError`] says; then nothing of the message is left in the end.
    fn keep(&mut self, header: &[u8]) -> Result<(), SpoolError>;
}

/// A message that nobody else can deliver while this is there.
pub trait TakenMessage: Send + fmt::Debug {
    /// How many bytes its data file has.
    fn length(&self) -> u64;

    /// What reads its data file from a place on.
    fn source(&self, from: u64) -> Arc<dyn BodySource>;

    /// Adds lines to its journal; when this returns, they are on disk.
    ///
    /// # Errors
    /// What the system says.
    fn journal(&mut self, lines: &[u8]) -> io::Result<()>;

    /// Everybody has got it: it is nothing that anybody could deliver again, which is on disk
    /// when this returns. What is left of it goes with [`TakenMessage::remove`].
    ///
    /// # Errors
    /// What the system says; then it may be there again when the system starts next.
    fn settle(&mut self) -> io::Result<()>;

    /// Puts another header file in the place of the one that is there, which says all that
    /// the journal says: that goes. When this returns, the file is on disk.
    ///
    /// # Errors
    /// What the system says; the files are what they were then.
    fn update(&mut self, header: &[u8]) -> io::Result<()>;

    /// Puts the message into another directory, too, with this journal: header and data are
    /// what they are here. That is done with the rights of the queue's owner. When this
    /// returns, the files are on disk, and before that nobody finds a message there; where
    /// the very same is there already, nothing is to be done.
    ///
    /// # Errors
    /// As [`SpoolError`] says; then there is nothing new that anybody would take for a
    /// message. `AlreadyExists`, where another message by this name is there, or the
    /// directory is the one that this message waits in.
    fn hand_over(&self, directory: &[u8], journal: &[u8]) -> Result<(), SpoolError>;

    /// Puts its log where logs of messages that are done with are kept (`msglog.OLD`).
    ///
    /// # Errors
    /// What the system says; a message without a log is none.
    fn keep_log(&mut self) -> io::Result<()>;

    /// Puts the message, and its log, where nobody delivers it any more (`Finput` and
    /// `Fmsglog`).
    ///
    /// # Errors
    /// What the system says.
    fn set_aside(&mut self) -> io::Result<()>;

    /// Puts the message, and its log, into another queue; an empty name is the usual one's.
    /// At every moment it is in one of them, and it stays locked.
    ///
    /// # Errors
    /// What the system says: `InvalidInput` for what is no name, `AlreadyExists` where a
    /// message by this name is there.
    fn requeue(&mut self, queue: &[u8]) -> io::Result<()>;

    /// Takes the message away, with its journal and its log.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&mut self) -> io::Result<()>;
}

/// Whether a word is a part of a path: it can't lead anywhere else.
pub fn is_name(word: &[u8]) -> bool {
    !word.is_empty()
        && word.len() <= 255
        && word != b"."
        && word != b".."
        && !word.iter().any(|c| matches!(c, b'/' | 0))
}

/// A spool in memory, for tests.
#[derive(Clone, Debug, Default)]
pub struct SpoolInMemory(Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>);

impl SpoolInMemory {
    /// All files, by their paths.
    pub fn files(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.0.lock().map(|files| files.clone()).unwrap_or_default()
    }

    /// Puts a file there.
    pub fn put(&self, path: &[u8], contents: &[u8]) {
        if let Ok(mut files) = self.0.lock() {
            files.insert(path.to_vec(), contents.to_vec());
        }
    }
}

/// The path of a file of a message.
fn path(place: &SpoolPlace, kind: &[u8], part: Option<u8>, name: &[u8]) -> Vec<u8> {
    let mut path = place.spool.clone();
    let part = part.as_slice();
    for step in [&place.queue, kind, part, name].into_iter().filter(|step| !step.is_empty()) {
        path.push(b'/');
        path.extend_from_slice(step);
    }
    path
}

impl SpoolPlace {
    /// The path of a file in `input`, for words about it.
    pub fn path(&self, id: &[u8], end: &[u8]) -> Vec<u8> {
        path(self, b"input", self.part(id), &[id, end].concat())
    }

    /// The directory for copies of a message that scanners read. It is not in a queue's
    /// directory, and messages are not spread there.
    pub fn scan_path(&self, id: &[u8]) -> Vec<u8> {
        [&self.spool, &b"/scan/"[..], id].concat()
    }
}

/// The data file of a message that comes into memory.
#[derive(Debug)]
struct DataInMemory {
    spool: SpoolInMemory,
    data: Vec<u8>,
    header: Vec<u8>,
    kept: bool,
}

impl SpoolData for DataInMemory {
    fn write(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        if let Ok(mut files) = self.spool.0.lock() {
            files.entry(self.data.clone()).or_default().extend_from_slice(bytes);
        }
        Ok(())
    }

    fn source(&self, from: u64) -> Arc<dyn BodySource> {
        let (spool, path) = (self.spool.clone(), self.data.clone());
        Arc::new(FileInMemory { spool, path, from })
    }

    fn keep(&mut self, header: &[u8]) -> Result<(), SpoolError> {
        self.spool.put(&self.header, header);
        self.kept = true;
        Ok(())
    }
}

impl Drop for DataInMemory {
    fn drop(&mut self) {
        if !self.kept
            && let Ok(mut files) = self.spool.0.lock()
        {
            files.remove(&self.data);
        }
    }
}

/// A file in memory, from a place on.
struct FileInMemory {
    spool: SpoolInMemory,
    path: Vec<u8>,
    from: u64,
}

impl BodySource for FileInMemory {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let Ok(files) = self.spool.0.lock() else { return Ok(0) };
        let file = files.get(&self.path).ok_or(io::ErrorKind::NotFound)?;
        let at = usize::try_from(self.from.saturating_add(at)).unwrap_or(usize::MAX);
        let rest = file.get(at..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// A message of a spool in memory that was taken.
#[derive(Debug)]
struct TakenInMemory {
    spool: SpoolInMemory,
    place: SpoolPlace,
    id: Vec<u8>,
}

impl TakenMessage for TakenInMemory {
    fn length(&self) -> u64 {
        self.spool.size(&self.place, &self.id, b"-D").unwrap_or(0)
    }

    fn source(&self, from: u64) -> Arc<dyn BodySource> {
        let path = self.place.path(&self.id, b"-D");
        Arc::new(FileInMemory { spool: self.spool.clone(), path, from })
    }

    fn journal(&mut self, lines: &[u8]) -> io::Result<()> {
        if let Ok(mut files) = self.spool.0.lock() {
            let path = self.place.path(&self.id, b"-J");
            files.entry(path).or_default().extend_from_slice(lines);
        }
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        if let Ok(mut files) = self.spool.0.lock() {
            files.remove(&self.place.path(&self.id, b"-H"));
        }
        Ok(())
    }

    fn update(&mut self, header: &[u8]) -> io::Result<()> {
        self.spool.put(&self.place.path(&self.id, b"-H"), header);
        if let Ok(mut files) = self.spool.0.lock() {
            files.remove(&self.place.path(&self.id, b"-J"));
        }
        Ok(())
    }

    fn hand_over(&self, directory: &[u8], journal: &[u8]) -> Result<(), SpoolError> {
        let path = |end: &[u8]| [directory, b"/", &self.id, end].concat();
        let files = self.spool.files();
        let of = |end| files.get(&self.place.path(&self.id, end)).cloned().unwrap_or_default();
        let (file, header) = (path(b"-H"), of(b"-H"));
        if file == self.place.path(&self.id, b"-H")
            || files.get(&file).is_some_and(|there| *there != header)
        {
            let why = io::ErrorKind::AlreadyExists.into();
            return Err(SpoolError { step: SpoolStep::CreateHeader, file, why });
        }
        self.spool.put(&path(b"-D"), &of(b"-D"));
        if !journal.is_empty() {
            self.spool.put(&path(b"-J"), journal);
        }
        self.spool.put(&file, &header);
        Ok(())
    }

    fn keep_log(&mut self) -> io::Result<()> {
        let (place, id) = (&self.place, &self.id);
        let from = path(place, b"msglog", place.part(id), id);
        self.spool.rename(&from, path(place, b"msglog.OLD", None, id));
        Ok(())
    }

    fn set_aside(&mut self) -> io::Result<()> {
        let (place, id) = (&self.place, &self.id);
        let part = place.part(id);
        for end in [&b"-H"[..], b"-D", b"-J"] {
            let to = path(place, b"Finput", part, &[id, end].concat());
            self.spool.rename(&place.path(id, end), to);
        }
        let log = path(place, b"msglog", part, id);
        self.spool.rename(&log, path(place, b"Fmsglog", part, id));
        Ok(())
    }

    fn requeue(&mut self, queue: &[u8]) -> io::Result<()> {
        if !queue.is_empty() && !is_name(queue) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let (place, id) = (&self.place, &self.id);
        let to = SpoolPlace { queue: queue.to_vec(), ..place.clone() };
        for end in [b"-D", b"-J", b"-H"] {
            self.spool.rename(&place.path(id, end), to.path(id, end));
        }
        let [from, to] = [place, &to].map(|place| path(place, b"msglog", place.part(id), id));
        self.spool.rename(&from, to);
        Ok(())
    }

    fn remove(&mut self) -> io::Result<()> {
        self.spool.remove(&self.place, &self.id)
    }
}

impl Drop for TakenInMemory {
    fn drop(&mut self) {
        if let Ok(mut files) = self.spool.0.lock() {
            files.remove(&taken_mark(&self.place, &self.id));
        }
    }
}

/// What says in memory that a message is taken.
fn taken_mark(place: &SpoolPlace, id: &[u8]) -> Vec<u8> {
    [&place.path(id, b"-D"), &b" is taken"[..]].concat()
}

/// The copies of a message for scanners, in memory.
#[derive(Debug)]
struct ScanInMemory {
    spool: SpoolInMemory,
    path: Vec<u8>,
}

impl ScanInMemory {
    fn file(&self, name: &[u8]) -> Vec<u8> {
        [&self.path[..], b"/", name].concat()
    }
}

impl ScanDirectory for ScanInMemory {
    fn path(&self) -> &[u8] {
        &self.path
    }

    fn create(&mut self, name: &[u8]) -> io::Result<Box<dyn ScanFile>> {
        match is_name(name) {
            true => self.create_at(&self.file(name)),
            false => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn create_at(&mut self, path: &[u8]) -> io::Result<Box<dyn ScanFile>> {
        self.spool.put(path, b"");
        Ok(Box::new(ScanFileInMemory { spool: self.spool.clone(), path: path.to_vec() }))
    }

    fn names(&self) -> Vec<Vec<u8>> {
        let head = self.file(b"");
        let files = self.spool.files();
        files.keys().filter_map(|path| Some(path.strip_prefix(&head[..])?.to_vec())).collect()
    }

    fn remove(&mut self, name: &[u8]) -> io::Result<()> {
        if let Ok(mut files) = self.spool.0.lock() {
            files.remove(&self.file(name)).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(())
    }

    fn discard(&mut self) -> io::Result<()> {
        self.names().iter().try_for_each(|name| self.remove(name))
    }
}

/// One of them.
#[derive(Debug)]
struct ScanFileInMemory {
    spool: SpoolInMemory,
    path: Vec<u8>,
}

impl ScanFile for ScanFileInMemory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Ok(mut files) = self.spool.0.lock() {
            files.entry(self.path.clone()).or_default().extend_from_slice(bytes);
        }
        Ok(())
    }

    fn source(&self) -> Arc<dyn BodySource> {
        let (spool, path) = (self.spool.clone(), self.path.clone());
        Arc::new(FileInMemory { spool, path, from: 0 })
    }
}

impl Spool for SpoolInMemory {
    fn begin(&self, place: &SpoolPlace, id: &[u8]) -> Result<Box<dyn SpoolData>, SpoolError> {
        let data = place.path(id, b"-D");
        if let Ok(mut files) = self.0.lock() {
            if files.contains_key(&data) {
                let why = io::ErrorKind::AlreadyExists.into();
                return Err(SpoolError { step: SpoolStep::Create, file: data, why });
            }
            files.insert(data.clone(), Vec::new());
        }
        let header = place.path(id, b"-H");
        Ok(Box::new(DataInMemory { spool: self.clone(), data, header, kept: false }))
    }

    fn read(&self, place: &SpoolPlace, id: &[u8], end: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        let name = [id, end].concat();
        self.find(place, b"input", &name, limit)
    }

    fn remove(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<()> {
        if let Ok(mut files) = self.0.lock() {
            for end in [b"-H", b"-J", b"-D"] {
                files.remove(&place.path(id, end));
            }
            files.remove(&path(place, b"msglog", place.part(id), id));
        }
        Ok(())
    }

    fn size(&self, place: &SpoolPlace, id: &[u8], end: &[u8]) -> io::Result<u64> {
        self.read(place, id, end, u64::MAX).map(|bytes| bytes.len() as u64)
    }

    fn message_log(&self, place: &SpoolPlace, id: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        self.find(place, b"msglog", id, limit)
    }

    fn add_to_log(&self, place: &SpoolPlace, id: &[u8], lines: &[u8]) -> io::Result<()> {
        if let Ok(mut files) = self.0.lock() {
            let path = path(place, b"msglog", place.part(id), id);
            files.entry(path).or_default().extend_from_slice(lines);
        }
        Ok(())
    }

    fn take(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<Option<Box<dyn TakenMessage>>> {
        let Ok(mut files) = self.0.lock() else { return Ok(None) };
        if !files.contains_key(&place.path(id, b"-D")) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if files.insert(taken_mark(place, id), Vec::new()).is_some() {
            return Ok(None);
        }
        let (spool, place) = (self.clone(), place.clone());
        Ok(Some(Box::new(TakenInMemory { spool, place, id: id.to_vec() })))
    }

    fn scan(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<Box<dyn ScanDirectory>> {
        let path = place.scan_path(id);
        Ok(Box::new(ScanInMemory { spool: self.clone(), path }))
    }

    fn visit(&self, place: &SpoolPlace, seen: &mut dyn FnMut(&[u8], Option<u8>)) -> io::Result<()> {
        let top = path(place, b"input", None, b"");
        for file in self.files().keys() {
            let Some(rest) = file.strip_prefix(&top[..]) else { continue };
            let Some(rest) = rest.strip_suffix(b"-H") else { continue };
            match rest {
                [b'/', part, b'/', id @ ..] => seen(id, Some(*part)),
                [b'/', id @ ..] => seen(id, None),
                _ => {}
            }
        }
        Ok(())
    }
}

impl SpoolInMemory {
    /// Gives a file another name, where it is there.
    fn rename(&self, from: &[u8], to: Vec<u8>) {
        if let Ok(mut files) = self.0.lock()
            && let Some(bytes) = files.remove(from)
        {
            files.insert(to, bytes);
        }
    }

    fn find(&self, place: &SpoolPlace, kind: &[u8], name: &[u8], most: u64) -> io::Result<Vec<u8>> {
        let files = self.files();
        let parts = [None, name.get(5).copied()];
        let found = parts.into_iter().find_map(|part| files.get(&path(place, kind, part, name)));
        match found {
            Some(bytes) if bytes.len() as u64 > most => Err(io::ErrorKind::FileTooLarge.into()),
            Some(bytes) => Ok(bytes.clone()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
