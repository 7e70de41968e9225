//! Messages that wait: files below the spool directory (specification, chapter
//! 57).

mod memory;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{MailboxCover, ScanDirectory};
use crate::BodySource;

pub use memory::SpoolInMemory;

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

    /// The same, however large it is, for who reads it a piece at a time; without an end to its
    /// name, what is logged of the message.
    ///
    /// # Errors
    /// What the system says.
    fn open(&self, place: &SpoolPlace, id: &[u8], end: &[u8]) -> io::Result<Box<dyn io::Read>> {
        let bytes = match end.is_empty() {
            true => self.message_log(place, id, u64::MAX)?,
            false => self.read(place, id, end, u64::MAX)?,
        };
        Ok(Box::new(io::Cursor::new(bytes)))
    }

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

    /// From now on, lines for messages' logs may wait for a moment before they are written:
    /// most messages are delivered by then. This is for whoever serves many, and calls
    /// [`Spool::settle_logs`] in the end.
    fn delay_logs(&self) {}

    /// Writes the lines for messages' logs that wait; no more will.
    fn settle_logs(&self) {}

    /// From now on, messages of a spool directory that come at the same moment and are to wait
    /// ([`SpoolData::keep_queued`]) may be written into a log first, which is faster; so may
    /// those that come into mailboxes ([`TakenMessage::cover`]). What an earlier log has that a
    /// power failure kept from the disk is put into the spool: the names of those messages. This is for whoever serves many, and calls [`Spool::settle_ahead`] in
    /// the end.
    ///
    /// # Errors
    /// What the system says; then each message is kept by itself.
    fn write_ahead(&self, place: &SpoolPlace) -> io::Result<Vec<Vec<u8>>> {
        let _ = place;
        Ok(Vec::new())
    }

    /// Has all messages on disk, in files of their own; nothing is written ahead any more.
    fn settle_ahead(&self) {}

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

    /// Takes away what is left of a message that has lost its data file, so that nobody can be
    /// at it: its header file, journal and log. Whether there was any of them.
    ///
    /// # Errors
    /// What the system says.
    fn remove_rest(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<bool> {
        let _ = (place, id);
        Ok(false)
    }

    /// How many messages are in a queue: names that are none do not count.
    ///
    /// # Errors
    /// What the system says; a queue that was never used has none.
    fn count(&self, place: &SpoolPlace) -> io::Result<usize> {
        let mut count = 0;
        self.visit(place, &mut |id, _| count += usize::from(is_message_id(id)))?;
        Ok(count)
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

    /// As [`SpoolData::keep`], for a message that nobody is to deliver at once. After
    /// [`Spool::write_ahead`], it may be locked for a moment, and a power failure may leave it in
    /// the log alone.
    ///
    /// # Errors
    /// As [`SpoolError`] says; then nothing of the message is left in the end.
    fn keep_queued(&mut self, header: &[u8]) -> Result<(), SpoolError> {
        self.keep(header)
    }

    /// Holds the message, with this header file, for somebody who delivers it at once: most
    /// are gone by the time that they would be on disk. Nobody may be told that it is there
    /// before [`HeldMessage::settled`]. `None` where it is to be kept instead.
    fn hold(&mut self, header: &[u8]) -> Option<Arc<dyn HeldMessage>> {
        let _ = header;
        None
    }
}

/// A message that is not on disk, and of which nobody was promised anything. Where nobody has
/// it any more, it is gone.
pub trait HeldMessage: Send + Sync + fmt::Debug {
    /// Takes it to deliver it, once. Whatever of it is to stay is on disk before anybody knows
    /// of it, and the message itself when this is dropped before it was delivered.
    fn take(self: Arc<Self>) -> Option<Box<dyn TakenMessage>>;

    /// Waits until everybody has got the message, or it is on disk; after so long, whoever waits
    /// keeps it there. False where it came to that. Where it can't be kept, and somebody delivers
    /// it, that is waited for: whoever hears that it is gone sends it again.
    ///
    /// # Errors
    /// As [`SpoolError`] says; the message is gone.
    fn settled(&self, within: Duration) -> Result<bool, SpoolError>;
}

/// A message that nobody else can deliver while this is there.
pub trait TakenMessage: Send + fmt::Debug {
    /// Has it on disk, where it is not there yet.
    ///
    /// # Errors
    /// What the system says; the message is gone.
    fn secure(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// What has deliveries of it made again that a power failure took, as long as it is in
    /// memory alone.
    fn cover(&self) -> Option<Arc<dyn MailboxCover>> {
        None
    }

    /// How many bytes its data file has.
    fn length(&self) -> u64;

    /// What reads its data file from a place on.
    fn source(&self, from: u64) -> Arc<dyn BodySource>;

    /// Has room for so many bytes more in its journal, so that they can be added to it when
    /// the disk is full. Where the file system can't promise that, nothing is promised.
    ///
    /// # Errors
    /// What the system says: there is no room, for instance.
    fn reserve(&mut self, _bytes: usize) -> io::Result<()> {
        Ok(())
    }

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

/// Whether a text is a message's name: `1xUSRE-000000008A6-0Qit`, or the shorter form
/// of releases before 4.97.
pub fn is_message_id(text: &[u8]) -> bool {
    let is_of = |lengths: &[usize]| {
        let mut parts = text.split(|byte| *byte == b'-');
        let fits = |length: &usize| {
            let part = parts.next();
            part.is_some_and(|part| {
                part.len() == *length && part.iter().all(u8::is_ascii_alphanumeric)
            })
        };
        lengths.iter().all(fits) && parts.next().is_none()
    };
    is_of(&[6, 11, 4]) || is_of(&[6, 6, 2])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_two_forms() {
        for (text, is) in [
            ("1xUSRE-000000008A6-0Qit", true),
            ("1xUSyn-0000Gr-0j", true),
            ("1xUSyn-0000Gr-0jx", false),
            ("1xUSyn-0000G/-0j", false),
            ("", false),
        ] {
            assert_eq!(is_message_id(text.as_bytes()), is, "{text}");
        }
    }
}
