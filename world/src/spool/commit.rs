//! Messages that are to be kept at the same moment, each by somebody who waits for it: one
//! of those does the work for all, and one commit of the file system's journal is enough.
//!
//! Files are best made while no commit is under way: those that change what it writes wait
//! for it. So whoever comes meanwhile is gathered, and is next.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use eximious_core::world::{SpoolError, SpoolStep};
use rustix::fs::fsync;

use super::ahead::{self, Ahead};
use super::arriving::{Made, Message};
use crate::order::{Order, Orders};

/// The most that are kept together, which bounds how long the first one waits.
const MOST: usize = 64;

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Commits {
    orders: Orders,
    gathered: Mutex<Gathered>,
    /// What is written ahead.
    pub(super) ahead: Ahead,
}

#[derive(Debug, Default)]
struct Gathered {
    waiting: Vec<(Message, Arc<Turn>)>,
    /// Somebody is at work, or was asked to begin. If nobody is, nobody waits.
    is_led: bool,
}

/// What somebody who waits is to know.
#[derive(Debug, Default)]
struct Turn {
    said: Mutex<Option<Said>>,
    changed: Condvar,
}

#[derive(Debug)]
enum Said {
    /// The work is theirs now; their message is the first of those that wait.
    Lead,
    /// Their message is kept, or is not.
    Ended(Box<Result<Made, SpoolError>>),
}

impl Commits {
    /// Keeps a message: when this returns, it is on disk for good.
    ///
    /// # Errors
    /// As [`SpoolError`] says; then nothing of it is left.
    pub(super) fn keep(&self, message: Message) -> Result<Made, SpoolError> {
        let _inside = self.ahead.enter();
        self.keep_at_once(message)
    }

    /// Keeps a message that nobody is to deliver at once: when this returns, it can be told after
    /// any end of the system, be it from the log that is written ahead.
    ///
    /// # Errors
    /// As [`SpoolError`] says; then nothing of it is left.
    pub(super) fn keep_queued(&self, message: Message) -> Result<Made, SpoolError> {
        let inside = self.ahead.enter();
        let is_for_log = !inside.is_alone && self.ahead.device(message.directory()).is_some();
        let record = if is_for_log { ahead::record(&message) } else { None };
        let Some(record) = record else { return self.keep_at_once(message) };
        let made = message.make_locked()?;
        match self.ahead.write(record) {
            Some(written) => {
                let named = made.name();
                let made = made.after(named)?;
                written.named(&made);
                Ok(made)
            }
            None => made.keep(),
        }
    }

    fn keep_at_once(&self, message: Message) -> Result<Made, SpoolError> {
        let order = self.orders.of(message.directory());
        if order == Order::Unknown {
            return message.keep();
        }
        let made = self.gather(message)?;
        // What each can do alone is done side by side.
        let synced = if order == Order::Kept { made.sync() } else { Ok(()) };
        made.after(synced)
    }

    fn gather(&self, message: Message) -> Result<Made, SpoolError> {
        let turn = Arc::new(Turn::default());
        let leads = {
            let mut gathered = locked(&self.gathered);
            gathered.waiting.push((message, turn.clone()));
            !std::mem::replace(&mut gathered.is_led, true)
        };
        match if leads { Said::Lead } else { turn.wait() } {
            Said::Lead => self.lead(),
            Said::Ended(ended) => *ended,
        }
    }

    /// Keeps the messages that wait, and gives back what became of the first, whose thread
    /// this is.
    fn lead(&self) -> Result<Made, SpoolError> {
        let (messages, turns) = {
            let mut gathered = locked(&self.gathered);
            let count = gathered.waiting.len().min(MOST);
            gathered.waiting.drain(..count).unzip::<_, _, Vec<_>, VecDeque<_>>()
        };
        let mut batch = Batch { commits: self, turns };
        let mut ended = keep_all(messages).into_iter();
        batch.turns.pop_front();
        let own = ended.next();
        for ended in ended {
            batch.tell(ended);
        }
        own.unwrap_or_else(|| Err(nobody()))
    }
}

/// Those whose messages are being kept. Whatever happens, nobody waits for ever: when this
/// goes, all were told, and somebody leads the next ones.
struct Batch<'c> {
    commits: &'c Commits,
    turns: VecDeque<Arc<Turn>>,
}

impl Batch<'_> {
    fn tell(&mut self, ended: Result<Made, SpoolError>) {
        if let Some(turn) = self.turns.pop_front() {
            turn.say(Said::Ended(Box::new(ended)));
        }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        while !self.turns.is_empty() {
            self.tell(Err(nobody()));
        }
        let mut gathered = locked(&self.commits.gathered);
        match gathered.waiting.first() {
            Some((_, turn)) => turn.say(Said::Lead),
            None => gathered.is_led = false,
        }
    }
}

/// What is said where whoever did the work did not come to its end.
fn nobody() -> SpoolError {
    let why = io::Error::other("the work on several messages was broken off");
    SpoolError { step: SpoolStep::WriteHeader, file: Vec::new(), why }
}

impl Turn {
    fn say(&self, what: Said) {
        *locked(&self.said) = Some(what);
        self.changed.notify_one();
    }

    fn wait(&self) -> Said {
        let mut said = locked(&self.said);
        loop {
            match said.take() {
                Some(said) => return said,
                None => said = self.changed.wait(said).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// Keeps messages on a file system that keeps the order of changes: the contents are written
/// out before the header files get their names, and one sync of a directory covers all.
fn keep_all(messages: Vec<Message>) -> Vec<Result<Made, SpoolError>> {
    let made: Vec<_> = messages.into_iter().map(Message::make).collect();
    let made = each(made, |made| made.finish());
    let made = each(made, |made| made.name());
    let mut synced = HashMap::new();
    each(made, |made| {
        let place = made.place().map_err(|why| made.unsynced(why))?;
        let synced = synced.entry(place).or_insert_with(|| fsync(made.directory()));
        synced.map_err(|why| made.unsynced(why))
    })
}

/// A step with each message that is still to be kept.
fn each(
    all: Vec<Result<Made, SpoolError>>,
    mut step: impl FnMut(&Made) -> Result<(), SpoolError>,
) -> Vec<Result<Made, SpoolError>> {
    let mut after = |made: Made| {
        let done = step(&made);
        made.after(done)
    };
    all.into_iter().map(|one| one.and_then(&mut after)).collect()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::DirBuilderExt;
    use std::path::Path;
    use std::thread;

    use eximious_core::world::{Spool, SpoolPlace};

    use super::super::SystemSpool;
    use super::super::arriving::Arriving;
    use super::super::open_parts;
    use super::*;

    fn spool(folder: &Path) -> SpoolPlace {
        use std::os::unix::ffi::OsStrExt;
        let place = SpoolPlace { spool: folder.as_os_str().as_bytes().to_vec(), ..<_>::default() };
        std::fs::DirBuilder::new().mode(0o700).create(folder.join("input")).expect("a directory");
        place
    }

    fn message(commits: &Arc<Commits>, place: &SpoolPlace, id: &str, body: &[u8]) -> Message {
        use eximious_core::world::SpoolData;
        let directory = open_parts(place, b"input", None, false).expect("a directory");
        let (commits, place) = (commits.clone(), place.clone());
        let id = id.as_bytes().to_vec();
        let mut arriving = Arriving::new(commits, Arc::default(), directory, place, id);
        arriving.write(body).expect("it is taken");
        arriving.message(b"header").expect("it is written")
    }

    #[test]
    fn many_that_come_at_once_are_all_kept() {
        let folder = tempfile::TempDir::new().expect("a directory");
        let place = spool(folder.path());
        let commits = Arc::new(Commits::default());
        thread::scope(|scope| {
            for client in 0..16 {
                let (commits, place) = (&commits, &place);
                scope.spawn(move || {
                    for number in 0..40 {
                        let id = format!("message-{client}-{number}");
                        // One in ten is so large that it has its file before.
                        let body = vec![b'x'; if number % 10 == 9 { 200_000 } else { 2_000 }];
                        let message = message(commits, place, &id, &body);
                        commits.gather(message).expect("it is kept");
                        for (end, size) in [("-D", body.len()), ("-H", 6)] {
                            let file = folder_of(place).join(format!("{id}{end}"));
                            let kept = std::fs::metadata(file).expect("it is there").len();
                            assert_eq!(kept, size as u64);
                        }
                    }
                });
            }
        });
        let gathered = locked(&commits.gathered);
        assert!(gathered.waiting.is_empty() && !gathered.is_led);
        assert_eq!(SystemSpool::default().entries(&place).expect("entries").len(), 16 * 40);
        let names = std::fs::read_dir(folder_of(&place)).expect("a directory").count();
        assert_eq!(names, 2 * 16 * 40, "nothing else is left");
    }

    fn folder_of(place: &SpoolPlace) -> std::path::PathBuf {
        Path::new(std::str::from_utf8(&place.spool).expect("a name")).join("input")
    }

    #[test]
    fn one_that_fails_takes_none_with_it() {
        let folder = tempfile::TempDir::new().expect("a directory");
        let place = spool(folder.path());
        let commits = Arc::new(Commits::default());
        std::fs::write(folder_of(&place).join("taken-D"), "somebody's").expect("a file");
        std::fs::write(folder_of(&place).join("hdr.half"), "somebody's").expect("a file");
        let all = ["good", "taken", "half", "fine"];
        let messages = all.map(|id| message(&commits, &place, id, b"body"));
        let ended = keep_all(messages.into());
        let steps = ended.iter().map(|one| one.as_ref().err().map(|why| why.step));
        let wanted = [None, Some(SpoolStep::Create), Some(SpoolStep::CreateHeader), None];
        assert!(steps.eq(wanted), "{ended:?}");
        let entries = SystemSpool::default().entries(&place).expect("entries");
        let names: Vec<_> = entries.iter().map(|entry| entry.id.clone()).collect();
        assert_eq!(names, [b"fine".to_vec(), b"good".to_vec()]);
        let left = std::fs::read(folder_of(&place).join("taken-D")).expect("it is there");
        assert_eq!(left, b"somebody's");
        assert!(!folder_of(&place).join("half-D").exists());
    }

    #[test]
    fn who_waits_for_work_that_breaks_off_is_told() {
        let folder = tempfile::TempDir::new().expect("a directory");
        let place = spool(folder.path());
        let commits = Arc::new(Commits::default());
        locked(&commits.gathered).is_led = true;
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let message = message(&commits, &place, "one", b"body");
                commits.keep(message).map(drop)
            });
            let next = scope.spawn(|| {
                let next = message(&commits, &place, "two", b"body");
                commits.gather(next).map(drop)
            });
            // Where nothing is known of the file system, `keep` gathers nothing.
            let order = commits.orders.of(&open_parts(&place, b"input", None, false).expect("it"));
            let count = if order == Order::Unknown { 1 } else { 2 };
            while locked(&commits.gathered).waiting.len() < count {
                thread::yield_now();
            }
            let (_, turn) = locked(&commits.gathered).waiting.remove(0);
            drop(Batch { commits: &commits, turns: VecDeque::from([turn]) });
            let ended = [waits.join().expect("it ends"), next.join().expect("it ends")];
            let failed = ended.iter().filter(|one| one.is_err()).count();
            assert_eq!(failed, 1, "{ended:?}");
        });
        assert!(!locked(&commits.gathered).is_led);
    }
}
