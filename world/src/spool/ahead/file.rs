//! The file of the log: two halves, each with a head that says whether it counts, and groups of
//! messages behind it.
//!
//! All numbers are little-endian. A head and each group begin at a multiple of [`BLOCK`], so that
//! nothing that was promised is written over. A message is its [`HEAD`] and its parts: its name, its
//! queue's, its header file, its data file, and the [`InMailbox`] that it was delivered to, if it
//! was.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eximious_core::world::SpoolPlace;
use eximious_core::world::spool::is_name;
use rustix::fs::{AtFlags, Mode, OFlags, fstat, fstatvfs, fsync, syncfs, unlinkat};
use rustix::io::Errno;

use super::super::{FILE, give, open_spool};
use crate::spool::taken::lock;

/// Its name in the spool directory.
pub(super) const NAME: &str = "write-ahead";

/// How large a half is, with its head.
pub(super) const HALF: u64 = 8 << 20;

/// A file system with less than this left is not burdened with a log.
const ROOM: u64 = 256 << 20;

/// What groups and heads begin at a multiple of.
pub(super) const BLOCK: u64 = 4096;

/// What heads and messages begin with.
const HALF_MARK: u32 = 0x4148_5845;
const MESSAGE_MARK: u32 = 0x4d48_5845;

/// The length of what stands before a message's parts.
const HEAD: usize = 48;

/// The place of a message's first number that its sum covers: what comes before are the mark and
/// the sum.
const SUMMED: usize = 8;

/// After so long, the system has written changes to the disk by itself.
const WRITTEN_BACK: Duration = Duration::from_secs(60);

/// The log of a spool directory, which nobody else has.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    directory: OwnedFd,
    pub(super) device: u64,
    /// What tells this start of the system from others.
    boot: Vec<u8>,
    /// The number of the use of a half that was the last one in the file.
    pub(super) last_use: u64,
}

/// A message as the log has it.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Logged {
    pub(super) id: Vec<u8>,
    pub(super) queue: Vec<u8>,
    pub(super) is_split: bool,
    pub(super) time: SystemTime,
    pub(super) header: Vec<u8>,
    pub(super) data: Vec<u8>,
    pub(super) mailbox: Option<InMailbox>,
}

/// A file that a message was delivered to, and its length.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct InMailbox {
    pub(super) path: Vec<u8>,
    pub(super) length: u64,
}

/// Writes the blocks of the log, so that there is nothing else to sync of it later.
fn fill(file: &mut File, directory: &OwnedFd) -> io::Result<()> {
    let found = fstatvfs(directory)?;
    if found.f_bavail.saturating_mul(found.f_frsize) < ROOM {
        return Err(io::ErrorKind::StorageFull.into());
    }
    file.write_all(&vec![0; usize::try_from(2 * HALF).unwrap_or(0)])?;
    file.sync_all()?;
    Ok(fsync(directory)?)
}

/// A message for the log, but for the number of its half's use and its sum.
pub(super) fn record(
    (place, id): (&SpoolPlace, &[u8]),
    header: &[u8],
    data: &[u8],
    mailbox: Option<&InMailbox>,
) -> Vec<u8> {
    let delivered = mailbox.map(|file| [&file.length.to_le_bytes()[..], &file.path].concat());
    let parts = [id, &place.queue, header, data, &delivered.unwrap_or_default()];
    let mut record = Vec::with_capacity(HEAD + parts.iter().map(|part| part.len()).sum::<usize>());
    record.extend_from_slice(&MESSAGE_MARK.to_le_bytes());
    record.extend_from_slice(&[0; 12]);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    record.extend_from_slice(&time.as_secs().to_le_bytes());
    record.extend_from_slice(&u32::from(place.split).to_le_bytes());
    for part in parts {
        record.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    parts.iter().for_each(|part| record.extend_from_slice(part));
    record
}

/// How much of a half messages of so many bytes take together.
pub(super) fn room(length: usize) -> u64 {
    (length as u64).next_multiple_of(BLOCK)
}

impl LogFile {
    /// Opens the log of a spool directory, and makes it, where it is to be made. `None` where there
    /// is none, or where another process has it.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn open(place: &SpoolPlace, boot: &[u8], makes: bool) -> io::Result<Option<Self>> {
        let directory = open_spool(place, false)?;
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let more = if makes { OFlags::CREATE } else { OFlags::empty() };
        let mode = Mode::from_raw_mode(FILE);
        let file = match rustix::fs::openat(&directory, NAME, flags | more, mode) {
            Err(Errno::NOENT) => return Ok(None),
            opened => opened?,
        };
        if makes {
            give(&file, place, mode)?;
        }
        let mut file = File::from(file);
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        if lock(&file).is_err() {
            return Ok(None);
        }
        if found.len() < 2 * HALF {
            if !makes {
                return Ok(None);
            }
            if let Err(why) = fill(&mut file, &directory) {
                let _ = unlinkat(&directory, NAME, AtFlags::empty());
                return Err(why);
            }
        }
        let device = fstat(&directory)?.st_dev;
        let mut log = Self { file, directory, device, boot: boot.to_vec(), last_use: 0 };
        let heads = [0, 1].map(|half| log.head(half));
        for head in heads {
            log.last_use = log.last_use.max(head?.map_or(0, |head| head.number));
        }
        Ok(Some(log))
    }

    /// Whether a directory is on its file system.
    pub(super) fn is_beside(&self, directory: &OwnedFd) -> bool {
        fstat(directory).is_ok_and(|stat| stat.st_dev == self.device)
    }

    /// Writes messages into a half, from a place on, and has them on disk; with the first ones, the
    /// half begins to count.
    ///
    /// # Errors
    /// What the system says; nothing is known of the log then.
    pub(super) fn write(
        &self,
        half: usize,
        (number, at): (u64, u64),
        records: Vec<Vec<u8>>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        let from = if at == BLOCK {
            bytes = self.head_of(number, true);
            0
        } else {
            at
        };
        for mut record in records {
            record[SUMMED..SUMMED + 8].copy_from_slice(&number.to_le_bytes());
            let sum = crc32fast::hash(&record[SUMMED..]);
            record[4..SUMMED].copy_from_slice(&sum.to_le_bytes());
            bytes.extend_from_slice(&record);
        }
        bytes.resize(usize::try_from(room(bytes.len())).unwrap_or(bytes.len()), 0);
        self.file.write_all_at(&bytes, half as u64 * HALF + from)?;
        self.file.sync_data()
    }

    /// Has all files of the file system on disk; then the half does not count any more.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn settle(&self, half: usize, number: u64) -> io::Result<()> {
        syncfs(self.directory.as_fd())?;
        self.file.write_all_at(&self.head_of(number, false), half as u64 * HALF)?;
        self.file.sync_data()
    }

    /// The messages that may not have come to the disk when the system stopped, in the order in
    /// which they came. Where it has not stopped, there are none.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn left(&self) -> io::Result<Vec<Logged>> {
        let mut left = Vec::new();
        for half in [0, 1] {
            match self.head(half)? {
                Some(head) if head.counts && head.boot != self.boot => {
                    left.push((head.number, self.messages(half, head.number)?));
                }
                _ => {}
            }
        }
        left.sort_by_key(|(number, _)| *number);
        Ok(left.into_iter().flat_map(|(_, messages)| messages).collect())
    }

    /// Has all on disk that was left; neither half counts any more.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn begin(&self) -> io::Result<()> {
        [0, 1].into_iter().try_for_each(|half| match self.head(half)? {
            Some(head) if head.counts => self.settle(half, head.number),
            _ => Ok(()),
        })
    }

    fn head_of(&self, number: u64, counts: bool) -> Vec<u8> {
        let mut rest = number.to_le_bytes().to_vec();
        rest.extend_from_slice(&u32::from(counts).to_le_bytes());
        rest.extend_from_slice(&u32::try_from(self.boot.len()).unwrap_or(0).to_le_bytes());
        rest.extend_from_slice(&self.boot);
        let sum = crc32fast::hash(&rest).to_le_bytes();
        let mut head = [&HALF_MARK.to_le_bytes()[..], &sum, &rest].concat();
        // The sum covers what is not zero, and the length of it is known.
        head.resize(usize::try_from(BLOCK).unwrap_or(0), 0);
        head
    }

    fn head(&self, half: usize) -> io::Result<Option<HalfHead>> {
        let mut head = vec![0; usize::try_from(BLOCK).unwrap_or(0)];
        self.file.read_exact_at(&mut head, half as u64 * HALF)?;
        Ok(HalfHead::read(&head))
    }

    fn messages(&self, half: usize, number: u64) -> io::Result<Vec<Logged>> {
        let mut bytes = vec![0; usize::try_from(HALF - BLOCK).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, half as u64 * HALF + BLOCK)?;
        let (mut messages, mut at) = (Vec::new(), 0);
        loop {
            match Logged::read(bytes.get(at..).unwrap_or_default(), number) {
                Some((logged, length)) => {
                    messages.push(logged);
                    at += length;
                }
                // Behind a group, the next one begins with a block.
                None if !(at as u64).is_multiple_of(BLOCK) => {
                    at = usize::try_from(room(at)).unwrap_or(bytes.len());
                }
                None => return Ok(messages),
            }
        }
    }
}

struct HalfHead {
    number: u64,
    counts: bool,
    boot: Vec<u8>,
}

impl HalfHead {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut numbers = Numbers(bytes);
        let (mark, sum) = (numbers.short()?, numbers.short()?);
        let rest = numbers.0;
        let (number, counts, length) = (numbers.long()?, numbers.short()?, numbers.short()?);
        let boot = numbers.0.get(..length as usize)?;
        let summed = rest.get(..16 + boot.len())?;
        let is_whole = mark == HALF_MARK && sum == crc32fast::hash(summed);
        is_whole.then(|| Self { number, counts: counts == 1, boot: boot.to_vec() })
    }
}

impl InMailbox {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut numbers = Numbers(bytes);
        let length = numbers.long()?;
        Some(Self { path: numbers.0.to_vec(), length })
    }

    /// Whether the file is there, and whole as far as its length says.
    pub(super) fn is_there(&self) -> bool {
        let found = std::fs::symlink_metadata(OsStr::from_bytes(&self.path));
        found.is_ok_and(|found| found.is_file() && found.len() == self.length)
    }
}

impl Logged {
    /// Reads one of a half's use, and says how long it is.
    fn read(bytes: &[u8], number: u64) -> Option<(Self, usize)> {
        let mut numbers = Numbers(bytes);
        let (mark, sum, written) = (numbers.short()?, numbers.short()?, numbers.long()?);
        let (time, split) = (numbers.long()?, numbers.short()?);
        if mark != MESSAGE_MARK || written != number {
            return None;
        }
        let mut lengths = [0; 5];
        for length in &mut lengths {
            *length = numbers.short()? as usize;
        }
        let length = lengths.iter().try_fold(HEAD, |sum, part| sum.checked_add(*part))?;
        if sum != crc32fast::hash(bytes.get(SUMMED..length)?) {
            return None;
        }
        let mut at = HEAD;
        let [id, queue, header, data, mailbox] = lengths.map(|length| {
            at += length;
            bytes[at - length..at].to_vec()
        });
        let time = UNIX_EPOCH + Duration::from_secs(time);
        let mailbox = InMailbox::read(&mailbox);
        let logged = Self { id, queue, is_split: split == 1, time, header, data, mailbox };
        let names = is_name(&logged.id) && (logged.queue.is_empty() || is_name(&logged.queue));
        names.then_some((logged, length))
    }

    /// Whether the system has lived on for so long, after this came, that a directory is as it was
    /// left: it was changed after that, and before the system began anew.
    pub(super) fn was_outlived(&self, directory: &File, began: SystemTime) -> bool {
        let changed = directory.metadata().and_then(|found| found.modified());
        let Ok(changed) = changed else { return false };
        changed > self.time + WRITTEN_BACK && changed < began
    }
}

/// Numbers of a fixed size, one after the other.
struct Numbers<'b>(&'b [u8]);

impl Numbers<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn short(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
impl LogFile {
    /// One with another file.
    pub(super) fn broken(file: File, place: &SpoolPlace) -> Self {
        let directory = open_spool(place, false).expect("a directory");
        let device = fstat(&directory).expect("it is there").st_dev;
        Self { file, directory, device, boot: Vec::new(), last_use: 0 }
    }
}
