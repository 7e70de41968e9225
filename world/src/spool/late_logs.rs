//! Lines for messages' own logs that are not written yet. Most messages are delivered in a
//! moment, and their logs go with them: whoever serves many at once need not make a file for
//! each of those.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use eximious_core::world::SpoolPlace;

use super::{append_to_log, find};

/// How long lines wait.
const MOMENT: Duration = Duration::from_secs(1);

/// How many bytes wait at the most.
const MOST: usize = 4 << 20;

/// They.
#[derive(Debug, Default)]
pub(super) struct LateLogs(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether lines may wait.
    is_on: bool,
    held: HashMap<Key, Held>,
    bytes: usize,
    /// When lines are written, in order. They may be gone by then.
    due: VecDeque<(Instant, Key)>,
    /// Somebody waits for the first of those.
    has_writer: bool,
}

/// The queue and the identifier of a message.
type Key = (Vec<u8>, Vec<u8>);

#[derive(Debug)]
struct Held {
    place: SpoolPlace,
    lines: Vec<u8>,
}

fn key(place: &SpoolPlace, id: &[u8]) -> Key {
    (place.queue.clone(), id.to_vec())
}

impl LateLogs {
    /// Lets lines wait from now on.
    pub(super) fn begin(&self) {
        self.locked().is_on = true;
    }

    /// Writes all that wait; from now on, none do.
    pub(super) fn end(&self) {
        let mut state = self.locked();
        state.is_on = false;
        let keys: Vec<Key> = state.held.keys().cloned().collect();
        for key in keys {
            state.write_if_there(&key);
        }
    }

    /// Takes lines for a message's log, behind those that wait already.
    ///
    /// # Errors
    /// What the system says where they can't wait, and not be written.
    pub(super) fn add(
        self: &Arc<Self>,
        place: &SpoolPlace,
        id: &[u8],
        lines: &[u8],
    ) -> io::Result<()> {
        let key = key(place, id);
        let mut state = self.locked();
        if !state.is_on || state.bytes + lines.len() > MOST {
            state.write(&key)?;
            return append_to_log(place, id, lines);
        }
        state.bytes += lines.len();
        if let Some(held) = state.held.get_mut(&key) {
            held.lines.extend_from_slice(lines);
            return Ok(());
        }
        let held = Held { place: place.clone(), lines: lines.to_vec() };
        state.held.insert(key.clone(), held);
        if !state.has_writer {
            let own = self.clone();
            if thread::Builder::new().spawn(move || own.work()).is_err() {
                return state.write(&key);
            }
            state.has_writer = true;
        }
        state.due.push_back((Instant::now() + MOMENT, key));
        Ok(())
    }

    /// Writes what waits for a message's log.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(&self, place: &SpoolPlace, id: &[u8]) -> io::Result<()> {
        self.locked().write(&key(place, id))
    }

    /// Forgets what waits for the log of a message that is gone.
    pub(super) fn forget(&self, place: &SpoolPlace, id: &[u8]) {
        self.locked().take(&key(place, id));
    }

    /// Writes what has waited long enough, until nothing waits.
    fn work(&self) {
        let mut state = self.locked();
        while let Some((due, key)) = state.due.pop_front() {
            let left = due.saturating_duration_since(Instant::now());
            if !left.is_zero() && state.held.contains_key(&key) {
                drop(state);
                thread::sleep(left);
                state = self.locked();
            }
            state.write_if_there(&key);
        }
        state.has_writer = false;
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, key: &Key) -> Option<Held> {
        let held = self.held.remove(key)?;
        self.bytes -= held.lines.len();
        Some(held)
    }

    fn write(&mut self, key: &Key) -> io::Result<()> {
        match self.take(key) {
            Some(Held { place, lines }) => append_to_log(&place, &key.1, &lines),
            None => Ok(()),
        }
    }

    /// Writes the lines, unless somebody else has delivered the message meanwhile. Where that
    /// can't be, no lines wait any more, so that whoever has some hears of it.
    fn write_if_there(&mut self, key: &Key) {
        let Some(held) = self.held.get(key) else { return };
        match find(&held.place, b"input", &key.1, b"-H") {
            Err(why) if why.kind() == io::ErrorKind::NotFound => drop(self.take(key)),
            _ => self.is_on &= self.write(key).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use eximious_core::world::Spool;

    use super::super::SystemSpool;
    use super::*;

    const ID: &[u8] = b"1xVgrA-000000001aB-0001";

    fn spool() -> (tempfile::TempDir, SpoolPlace, SystemSpool) {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::TempDir::new().expect("a directory");
        std::fs::create_dir(folder.path().join("input")).expect("a directory");
        let spool = folder.path().as_os_str().as_bytes().to_vec();
        (folder, SpoolPlace { spool, ..SpoolPlace::default() }, SystemSpool::default())
    }

    fn file(folder: &tempfile::TempDir, name: &str) -> std::path::PathBuf {
        folder.path().join(name).join(String::from_utf8_lossy(ID).as_ref())
    }

    #[test]
    fn lines_are_written_at_once_unless_they_may_wait() {
        let (folder, place, spool) = spool();
        spool.add_to_log(&place, ID, b"one\n").expect("it is written");
        assert_eq!(std::fs::read(file(&folder, "msglog")).expect("a log"), b"one\n");
        spool.delay_logs();
        spool.add_to_log(&place, ID, b"two\n").expect("it is taken");
        spool.add_to_log(&place, ID, b"three\n").expect("it is taken");
        assert_eq!(std::fs::read(file(&folder, "msglog")).expect("a log"), b"one\n");
        // Whoever reads it has all of it.
        let whole = spool.message_log(&place, ID, 100).expect("a log");
        assert_eq!(whole, b"one\ntwo\nthree\n");
        assert_eq!(std::fs::read(file(&folder, "msglog")).expect("a log"), whole);
    }

    #[test]
    fn logs_of_messages_that_are_gone_are_not_written() {
        let (folder, place, spool) = spool();
        spool.delay_logs();
        spool.add_to_log(&place, ID, b"one\n").expect("it is taken");
        spool.remove(&place, ID).expect("it is forgotten");
        spool.add_to_log(&place, b"1xVgrA-000000001aB-0002", b"gone\n").expect("it is taken");
        spool.settle_logs();
        assert!(!folder.path().join("msglog").exists());
    }

    #[test]
    fn what_is_there_after_a_moment_has_its_log() {
        let (folder, place, spool) = spool();
        let header = folder.path().join("input").join("1xVgrA-000000001aB-0001-H");
        std::fs::write(header, "").expect("a file");
        spool.delay_logs();
        spool.add_to_log(&place, ID, b"one\n").expect("it is taken");
        let start = Instant::now();
        while !file(&folder, "msglog").exists() {
            assert!(start.elapsed() < 30 * MOMENT, "nobody writes it");
            thread::sleep(MOMENT / 20);
        }
        spool.add_to_log(&place, ID, b"two\n").expect("it is taken");
        spool.settle_logs();
        spool.add_to_log(&place, ID, b"three\n").expect("it is written");
        assert_eq!(std::fs::read(file(&folder, "msglog")).expect("a log"), b"one\ntwo\nthree\n");
    }

    #[test]
    fn what_waits_is_bounded() {
        let (folder, place, spool) = spool();
        spool.delay_logs();
        let line = vec![b'x'; MOST / 2 + 1];
        spool.add_to_log(&place, ID, &line).expect("it is taken");
        assert!(!file(&folder, "msglog").exists());
        spool.add_to_log(&place, ID, &line).expect("it is written");
        let length = std::fs::metadata(file(&folder, "msglog")).expect("a log").len();
        assert_eq!(length, 2 * line.len() as u64);
    }

    #[test]
    fn a_log_stays_where_it_is() {
        let (folder, place, spool) = spool();
        spool.add_to_log(&place, ID, b"one\n").expect("it is written");
        // From here on, messages are spread over directories.
        let place = SpoolPlace { split: true, ..place };
        spool.add_to_log(&place, ID, b"two\n").expect("it is written");
        assert_eq!(std::fs::read(file(&folder, "msglog")).expect("a log"), b"one\ntwo\n");
        assert_eq!(spool.message_log(&place, ID, 100).expect("a log"), b"one\ntwo\n");
    }
}
