//! Messages that are to wait in the queue, and that come while others do: they are written ahead,
//! all that wait at the same moment with one sync of one file ([`file`]), and their own files go to
//! the disk later, together with those of many others.
//!
//! Such a message is in the spool like any other, and locked until its files are on disk; so whoever
//! knows Exim's spool leaves it as it came. A half of the log counts until then, and never longer:
//! what it has is what may be missing after a power failure, and nobody has touched that.
//!
//! A message that is held in memory and was delivered to a mailbox of the same file system may be
//! in it, too ([`delivered`]): until the half ends, that is what there is to have it delivered
//! again.

mod file;
mod restore;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use eximious_core::world::SpoolPlace;
use rustix::process::{Resource, getrlimit};

use self::file::{BLOCK, HALF, InMailbox, LogFile};
use super::arriving::{Made, Message};
use crate::order::is_on_disk;

/// The most messages of a half, whose data files are open: an eighth of the files that may be
/// open, at the most.
const MOST: usize = 768;

/// So many, or so much, and their files go to the disk.
const MANY: usize = 640;
const MUCH: u64 = HALF / 4 * 3;

/// They do so when no other message comes for such a time, and after the longer one in any case.
const QUIET: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(250);

/// The log, as long as somebody is there to write it.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    shared: Arc<Shared>,
    worker: Mutex<Option<JoinHandle<()>>>,
    /// How many messages are held in memory.
    held: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something for who settles halves.
    work: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Where the log is to be made when there is something for it.
    wanted: Option<(SpoolPlace, Vec<u8>)>,
    log: Option<Arc<LogFile>>,
    /// The most messages of a half.
    most: usize,
    /// How many messages are being kept.
    inside: usize,
    halves: [Half; 2],
    active: usize,
    last_use: u64,
    /// What is to be written next, how much of it there is, and who waits for that.
    records: Vec<Vec<u8>>,
    length: usize,
    round: Arc<Round>,
    is_writing: bool,
    /// The active half is to be given up: nobody begins to write.
    is_due: bool,
    is_ended: bool,
}

/// Those whose messages are written together: the half that they are in, or none.
#[derive(Debug, Default)]
struct Round {
    half: OnceLock<Option<usize>>,
    written: Condvar,
}

/// A half that counts, where something is in it.
#[derive(Debug, Default)]
struct Half {
    number: u64,
    used: u64,
    count: usize,
    /// How many are in it whose files do not have their names yet.
    unnamed: usize,
    /// The data files, which are locked.
    kept: Vec<Arc<File>>,
    times: Option<(Instant, Instant)>,
}

/// Somebody keeps a message.
pub(super) struct Inside<'a> {
    ahead: &'a Ahead,
    pub(super) is_alone: bool,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.ahead.shared.locked().inside -= 1;
    }
}

impl Ahead {
    /// Has messages of a spool directory written ahead from now on. What an earlier log has that
    /// did not come to the disk is put into the spool: the names of those messages.
    ///
    /// # Errors
    /// What the system says; nothing is written ahead then, and the log stays as it was.
    pub(super) fn begin(&self, place: &SpoolPlace) -> io::Result<Vec<Vec<u8>>> {
        let boot = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot = boot.trim_ascii_end();
        if boot.is_empty() || !is_on_disk(&super::open_spool(place, false)?) {
            return Ok(Vec::new());
        }
        self.begin_at(place, boot)
    }

    fn begin_at(&self, place: &SpoolPlace, boot: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let log = LogFile::open(place, boot, false)?;
        let mut restored = Vec::new();
        if let Some(log) = &log {
            restored = restore::restore(place, log.left()?)?;
            log.begin()?;
        }
        let mut state = self.shared.locked();
        match log {
            Some(log) => self.use_log(&mut state, log),
            None => state.wanted = Some((place.clone(), boot.to_vec())),
        }
        Ok(restored)
    }

    /// Has all files on disk, and writes nothing ahead any more.
    pub(super) fn end(&self) {
        let mut state = self.shared.locked();
        state.is_ended = true;
        state.wanted = None;
        self.shared.work.notify_all();
        drop(state);
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(worker) = worker {
            let _ = worker.join();
        }
        // Another process may have it now.
        self.shared.locked().log = None;
    }

    /// Says that a message is being kept.
    pub(super) fn enter(&self) -> Inside<'_> {
        let mut state = self.shared.locked();
        state.inside += 1;
        Inside { ahead: self, is_alone: state.inside == 1 }
    }

    /// The device of a directory, where messages in it are written ahead now. The first time that
    /// somebody asks, the log is made.
    pub(super) fn device(&self, directory: &OwnedFd) -> Option<u64> {
        let mut state = self.shared.locked();
        if let Some(wanted) = state.wanted.take() {
            let shared = self.shared.clone();
            self.start(move || {
                if let Ok(Some(log)) = LogFile::open(&wanted.0, &wanted.1, true) {
                    shared.locked().take_up(&Arc::new(log));
                    shared.work();
                }
            });
        }
        let log = if state.has_room(0) { state.log.clone() } else { None };
        drop(state);
        log.filter(|log| log.is_beside(directory)).map(|log| log.device)
    }

    /// Says that a message is held in memory.
    pub(super) fn hold(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    /// Says that it is held no more.
    pub(super) fn release(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether messages beside one are held in memory.
    pub(super) fn holds_others(&self) -> bool {
        self.held.load(Ordering::Relaxed) > 1
    }

    fn use_log(&self, state: &mut State, log: LogFile) {
        state.take_up(&Arc::new(log));
        let shared = self.shared.clone();
        self.start(move || shared.work());
    }

    fn start(&self, work: impl FnOnce() + Send + 'static) {
        let started = thread::Builder::new().name("write-ahead".into()).spawn(work);
        *self.worker.lock().unwrap_or_else(PoisonError::into_inner) = started.ok();
    }

    /// Writes a message ahead, whose files are made. `None` where it could not be: it is to be
    /// kept otherwise.
    pub(super) fn write(&self, record: Vec<u8>) -> Option<Written<'_>> {
        let shared = &*self.shared;
        let mut state = shared.locked();
        if !state.has_room(record.len()) {
            return None;
        }
        state.length += record.len();
        state.records.push(record);
        let round = state.round.clone();
        loop {
            if let Some(half) = round.half.get() {
                return half.map(|half| Written { shared, half, file: None });
            }
            state = match state.is_writing || state.is_due {
                true => wait(&round.written, state),
                false => shared.write_round(state),
            };
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.end();
    }
}

/// A record for a message, where it is one that can be written ahead.
pub(super) fn record(message: &Message) -> Option<Vec<u8>> {
    Some(file::record(message.name(), message.header(), message.waiting()?, None))
}

/// A record for a message with this data file that was delivered to a file of a mailbox.
pub(super) fn delivered(message: &Message, data: &[u8], path: &[u8], length: u64) -> Vec<u8> {
    let mailbox = InMailbox { path: path.to_vec(), length };
    file::record(message.name(), message.header(), data, Some(&mailbox))
}

/// A message that is in the log, and whose files are to get their names.
pub(super) struct Written<'a> {
    shared: &'a Shared,
    half: usize,
    file: Option<Arc<File>>,
}

impl Written<'_> {
    /// The message is in the spool. It stays locked until it is on disk.
    pub(super) fn named(mut self, made: &Made) {
        self.file = Some(made.data().clone());
    }
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.locked();
        let half = &mut state.halves[self.half];
        half.unnamed -= 1;
        half.kept.extend(self.file.take());
        if half.unnamed == 0 && self.half != state.active {
            self.shared.work.notify_all();
        }
    }
}

impl State {
    fn take_up(&mut self, log: &Arc<LogFile>) {
        let files = getrlimit(Resource::Nofile).current.map(|files| files / 8);
        self.most = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(MOST).min(MOST);
        self.last_use = log.last_use;
        self.log = Some(log.clone());
    }

    /// Whether a message of such a length fits in, with those that wait.
    fn has_room(&self, length: usize) -> bool {
        let half = &self.halves[self.active];
        let used = half.used.max(BLOCK) + file::room(self.length + length);
        let count = half.count + self.records.len();
        self.log.is_some() && !self.is_ended && used <= HALF && count < self.most
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the messages that wait.
    fn write_round<'s>(&'s self, mut state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        state.is_writing = true;
        let records = std::mem::take(&mut state.records);
        let length = std::mem::take(&mut state.length);
        let round = std::mem::take(&mut state.round);
        let (active, count) = (state.active, records.len());
        if state.halves[active].used == 0 {
            state.last_use += 1;
            let number = state.last_use;
            state.halves[active] = Half { number, used: BLOCK, ..Half::default() };
        }
        let half = &mut state.halves[active];
        let (number, at) = (half.number, half.used);
        half.used += file::room(length);
        half.count += count;
        half.unnamed += count;
        let now = Instant::now();
        if half.times.is_none() {
            self.work.notify_all();
        }
        half.times = Some((half.times.map_or(now, |(first, _)| first), now));
        let log = state.log.clone();
        drop(state);
        let written = log.is_some_and(|log| log.write(active, (number, at), records).is_ok());
        let mut state = self.locked();
        state.is_writing = false;
        if !written {
            // Nothing is known of it any more, so nobody trusts it with anything.
            state.log = None;
            state.halves[active].unnamed -= count;
        }
        let _ = round.half.set(written.then_some(active));
        round.written.notify_all();
        if state.is_due {
            self.work.notify_all();
        }
        // One of those that came meanwhile goes on.
        state.round.written.notify_one();
        state
    }

    /// Has the files of each half on disk, before it is used again.
    fn work(&self) {
        let Some(log) = self.locked().log.clone() else { return };
        while let Some(half) = self.full_half() {
            let number = self.locked().halves[half].number;
            if log.settle(half, number).is_err() {
                // What is in it stays locked: it may be nowhere else.
                self.locked().log = None;
                return;
            }
            let settled = std::mem::take(&mut self.locked().halves[half]);
            drop(settled);
        }
    }

    /// Waits for a half whose files are to go to the disk: all have their names, and nobody writes
    /// into it any more. `None` in the end.
    fn full_half(&self) -> Option<usize> {
        let mut state = self.locked();
        let old = loop {
            let half = &state.halves[state.active];
            let many =
                half.count >= MANY.min(state.most / 2) || half.used >= MUCH || state.is_ended;
            state = match half.times {
                None if state.is_ended || state.log.is_none() => return None,
                None => wait(&self.work, state),
                Some((first, last)) => {
                    let due = (first + LONGEST).min(last + QUIET);
                    let left = due.saturating_duration_since(Instant::now());
                    state.is_due |= many || left.is_zero();
                    if state.is_due && !state.is_writing {
                        break state.active;
                    }
                    let wait = if state.is_due { LONGEST } else { left };
                    let waited = self.work.wait_timeout(state, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        };
        state.active = 1 - old;
        state.is_due = false;
        state.round.written.notify_one();
        while state.halves[old].unnamed > 0 {
            state = wait(&self.work, state);
        }
        Some(old)
    }
}

fn wait<'s>(on: &Condvar, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
    on.wait(state).unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
