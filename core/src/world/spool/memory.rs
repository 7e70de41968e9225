//! A spool in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::{Spool, SpoolData, SpoolError, SpoolPlace, SpoolStep, TakenMessage, is_name, path};
use crate::BodySource;
use crate::world::{ScanDirectory, ScanFile};

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
