//! Messages that are held in memory while somebody delivers them. Nobody was promised anything
//! of them yet, so that nothing is lost with them; most of them never come to the disk.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious_core::BodySource;
use eximious_core::world::{
    HeldMessage, MailboxCover, SpoolError, SpoolPlace, SpoolStep, TakenMessage,
};
use rustix::fs::syncfs;

use super::ahead;
use super::arriving::{Message, held_from};
use super::commit::Commits;
use super::late_logs::LateLogs;
use super::taken;

/// How long to wait for who delivers what can't be kept: as long as clients wait for the answer to
/// a message (RFC 5321, 4.5.3.2.6).
const LONGEST: Duration = Duration::from_secs(600);

/// One that is held.
#[derive(Debug)]
pub(super) struct Held {
    commits: Arc<Commits>,
    logs: Arc<LateLogs>,
    /// Where it is to wait, and its name.
    name: (SpoolPlace, Vec<u8>),
    data: Arc<Vec<u8>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    place: Where,
    /// Whether somebody has it, or had it, to deliver it.
    is_given: bool,
    /// Whether it is in a file of a mailbox that was not synced.
    is_covered: bool,
}

/// Where a message is.
#[derive(Debug)]
enum Where {
    /// In memory alone.
    Memory(Message),
    /// On disk, locked for whoever delivers it.
    Disk(taken::Message),
    /// Nothing is to be done here any more: everybody has got it, or it is on disk.
    Settled,
    /// It could not be kept, and whoever delivers it does not know of that: either everybody
    /// gets it, or it is lost.
    Unkept(SpoolError),
    /// It could not be kept; whoever waits is to be told why.
    Lost(Option<SpoolError>),
}

impl Held {
    pub(super) fn new(
        message: Message,
        data: Arc<Vec<u8>>,
        commits: Arc<Commits>,
        logs: Arc<LateLogs>,
    ) -> Self {
        let (place, id) = message.name();
        let name = (place.clone(), id.to_vec());
        let place = Where::Memory(message);
        let state = Mutex::new(State { place, is_given: false, is_covered: false });
        commits.ahead.hold();
        Self { commits, logs, name, data, state, changed: Condvar::new() }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has it on disk, unless it is in memory no more.
    fn keep(&self, state: &mut State) {
        match std::mem::replace(&mut state.place, Where::Settled) {
            Where::Memory(message) => {
                // What its journal says of a mailbox is to be true.
                let synced = match state.is_covered {
                    true => syncfs(message.directory()).map_err(|why| message.unsynced(why)),
                    false => Ok(()),
                };
                state.place = match synced.and_then(|()| self.commits.keep(message)) {
                    Ok(made) => Where::Disk(made.take(self.data.len() as u64, &self.logs)),
                    Err(why) => {
                        self.forget_log();
                        Where::Unkept(why)
                    }
                };
                self.changed.notify_all();
            }
            other => state.place = other,
        }
    }

    /// That nobody gets what could not be kept.
    fn lose(&self, state: &mut State) {
        state.place = match std::mem::replace(&mut state.place, Where::Settled) {
            Where::Unkept(why) => Where::Lost(Some(why)),
            other => other,
        };
        self.changed.notify_all();
    }

    /// Drops the lines for its log that wait.
    fn forget_log(&self) {
        let (place, id) = &self.name;
        self.logs.forget(place, id);
    }

    /// That nobody needs it any more, where it is not on disk. Who waits for that finds it unlocked.
    fn forget<'h>(&'h self, mut state: MutexGuard<'h, State>) -> MutexGuard<'h, State> {
        if !matches!(state.place, Where::Memory(_) | Where::Unkept(_)) {
            return state;
        }
        state.place = Where::Settled;
        drop(state);
        self.changed.notify_all();
        self.locked()
    }
}

impl HeldMessage for Held {
    fn take(self: Arc<Self>) -> Option<Box<dyn TakenMessage>> {
        let mut state = self.locked();
        if std::mem::replace(&mut state.is_given, true) || matches!(state.place, Where::Lost(_)) {
            return None;
        }
        drop(state);
        Some(Box::new(Given(self)))
    }

    fn settled(&self, within: Duration) -> Result<bool, SpoolError> {
        let is_held = |state: &State| matches!(state.place, Where::Memory(_));
        let waited = self.changed.wait_timeout_while(self.locked(), within, |now| is_held(now));
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let is_in_time = !is_held(&state);
        self.keep(&mut state);
        if state.is_given {
            // Whoever is told that it is lost sends it again, and it may be delivered this moment.
            let is_unkept = |state: &mut State| matches!(state.place, Where::Unkept(_));
            let waited = self.changed.wait_timeout_while(state, LONGEST, is_unkept);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        self.lose(&mut state);
        match &mut state.place {
            Where::Lost(why) => Err(why.take().unwrap_or_else(unkept)),
            _ => Ok(is_in_time),
        }
    }
}

impl MailboxCover for Held {
    fn device(&self) -> Option<u64> {
        match &self.locked().place {
            Where::Memory(message) if self.commits.ahead.holds_others() => {
                self.commits.ahead.device(message.directory())
            }
            _ => None,
        }
    }

    fn cover(&self, path: &[u8], length: u64) -> bool {
        let mut state = self.locked();
        let Where::Memory(message) = &state.place else { return false };
        let record = ahead::delivered(message, &self.data, path, length);
        state.is_covered = true;
        drop(state);
        self.commits.ahead.write(record).is_some()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.commits.ahead.release();
    }
}

/// One that somebody delivers.
#[derive(Debug)]
struct Given(Arc<Held>);

impl Given {
    /// Does something with the message on disk, where it is from now on.
    fn on_disk<T>(&self, work: impl FnOnce(&mut taken::Message) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.0.locked();
        self.0.keep(&mut state);
        self.0.lose(&mut state);
        match &mut state.place {
            Where::Disk(message) => work(message),
            Where::Lost(Some(why)) => Err(again(&why.why)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl TakenMessage for Given {
    fn secure(&mut self) -> io::Result<()> {
        self.on_disk(|_| Ok(()))
    }

    fn cover(&self) -> Option<Arc<dyn MailboxCover>> {
        Some(self.0.clone())
    }

    fn reserve(&mut self, bytes: usize) -> io::Result<()> {
        self.on_disk(|message| message.reserve(bytes))
    }

    fn length(&self) -> u64 {
        self.0.data.len() as u64
    }

    fn source(&self, from: u64) -> Arc<dyn BodySource> {
        held_from(&self.0.data, from)
    }

    fn journal(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut state = self.0.locked();
        if let Where::Memory(message) = &mut state.place {
            message.add_to_journal(lines);
            return Ok(());
        }
        drop(state);
        self.on_disk(|message| message.journal(lines))
    }

    fn settle(&mut self) -> io::Result<()> {
        let mut state = self.0.forget(self.0.locked());
        match &mut state.place {
            Where::Disk(message) => message.settle(),
            _ => Ok(()),
        }
    }

    fn update(&mut self, header: &[u8]) -> io::Result<()> {
        self.on_disk(|message| message.update(header))
    }

    fn hand_over(&self, directory: &[u8], journal: &[u8]) -> Result<(), SpoolError> {
        let handed = self.on_disk(|message| Ok(message.hand_over(directory, journal)));
        handed.unwrap_or_else(|why| Err(SpoolError { why, ..unkept() }))
    }

    fn keep_log(&mut self) -> io::Result<()> {
        self.on_disk(taken::Message::keep_log)
    }

    fn set_aside(&mut self) -> io::Result<()> {
        self.on_disk(taken::Message::set_aside)
    }

    fn requeue(&mut self, queue: &[u8]) -> io::Result<()> {
        self.on_disk(|message| message.requeue(queue))
    }

    fn remove(&mut self) -> io::Result<()> {
        let mut state = self.0.forget(self.0.locked());
        if let Where::Disk(message) = &mut state.place {
            return message.remove();
        }
        self.0.forget_log();
        Ok(())
    }
}

impl Drop for Given {
    /// Whatever is left of it is to be found by the next.
    fn drop(&mut self) {
        let mut state = self.0.locked();
        self.0.keep(&mut state);
        self.0.lose(&mut state);
        if matches!(state.place, Where::Disk(_)) {
            state.place = Where::Settled;
        }
    }
}

/// What is said to a second one who asks why a message was not kept.
fn unkept() -> SpoolError {
    let why = io::Error::other("the message could not be kept");
    SpoolError { step: SpoolStep::Write, file: Vec::new(), why }
}

/// The same error, for somebody else.
fn again(why: &io::Error) -> io::Error {
    match why.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => why.kind().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::thread;

    use eximious_core::world::Spool;

    use super::super::SystemSpool;
    use super::*;

    const NEVER: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(60);

    struct Held {
        spool: SystemSpool,
        place: SpoolPlace,
        message: Arc<dyn HeldMessage>,
        folder: tempfile::TempDir,
    }

    fn hold(spool: &SystemSpool, place: &SpoolPlace, id: &[u8]) -> Arc<dyn HeldMessage> {
        let mut data = spool.begin(place, id).expect("it is begun");
        data.write(&[id, b"-D\nthe body\n"].concat()).expect("it is written");
        data.hold(b"header").expect("it is held")
    }

    fn held() -> Held {
        let folder = tempfile::TempDir::new().expect("a directory");
        let name = folder.path().as_os_str().as_bytes().to_vec();
        let place = SpoolPlace { spool: name, ..<_>::default() };
        let spool = SystemSpool::default();
        let message = hold(&spool, &place, b"one");
        Held { spool, place, message, folder }
    }

    impl Held {
        fn files(&self) -> Vec<String> {
            let names = std::fs::read_dir(self.folder.path().join("input")).expect("a directory");
            let names = names.map(|entry| entry.expect("an entry").file_name());
            let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
            names.sort();
            names
        }

        fn file(&self, name: &str) -> Vec<u8> {
            std::fs::read(Path::new(self.folder.path()).join("input").join(name)).expect("it")
        }

        fn take(&self) -> Box<dyn TakenMessage> {
            self.message.clone().take().expect("it is there")
        }

        fn is_locked(&self) -> bool {
            self.spool.take(&self.place, b"one").expect("it is there").is_none()
        }
    }

    #[test]
    fn what_is_delivered_at_once_never_comes_to_the_disk() {
        let held = held();
        thread::scope(|scope| {
            let waits = scope.spawn(|| held.message.settled(LONG).expect("it is delivered"));
            let mut taken = held.take();
            let mut body = [0; 8];
            taken.source(6).read_at(0, &mut body).expect("it is read");
            assert_eq!((taken.length(), &body), (15, b"the body"));
            taken.journal(b"a@l.test\n").expect("it is noted");
            assert!(held.files().is_empty());
            taken.settle().expect("it is done with");
            assert!(waits.join().expect("it ends"), "it was in time");
            taken.remove().expect("it is gone");
        });
        assert!(held.files().is_empty());
        assert!(held.message.clone().take().is_none(), "it is nobody else's");
    }

    #[test]
    fn what_takes_long_is_kept_with_its_journal_and_locked() {
        let held = held();
        let mut taken = held.take();
        taken.journal(b"a@l.test\n").expect("it is noted");
        assert!(!held.message.settled(NEVER).expect("it is kept"), "it was not in time");
        assert_eq!(held.files(), ["one-D", "one-H", "one-J"]);
        assert_eq!(held.file("one-D"), b"one-D\nthe body\n");
        assert_eq!(
            (held.file("one-H"), held.file("one-J")),
            (b"header".into(), b"a@l.test\n".into())
        );
        assert!(held.is_locked());
        taken.journal(b"b@l.test\n").expect("it is noted");
        assert_eq!(held.file("one-J"), b"a@l.test\nb@l.test\n");
        taken.update(b"other").expect("it is written");
        assert_eq!(held.files(), ["one-D", "one-H"]);
        drop(taken);
        assert!(!held.is_locked(), "the next one finds it");
        assert_eq!(held.file("one-H"), b"other");
    }

    #[test]
    fn what_was_kept_meanwhile_goes_when_it_is_delivered() {
        let held = held();
        assert!(!held.message.settled(NEVER).expect("it is kept"));
        let mut taken = held.take();
        assert_eq!(held.files(), ["one-D", "one-H"]);
        taken.settle().expect("it is done with");
        assert_eq!(held.files(), ["one-D"]);
        taken.remove().expect("it is gone");
        assert!(held.files().is_empty());
    }

    #[test]
    fn what_is_covered_is_in_the_log_until_it_is_on_disk() {
        let held = held();
        let none = held.take().cover().expect("it is held").device();
        assert_eq!(none, None, "nothing is written ahead");
        held.spool.write_ahead(&held.place).expect("it begins");
        let (one, two) =
            (hold(&held.spool, &held.place, b"two"), hold(&held.spool, &held.place, b"three"));
        let taken = one.take().expect("it is there");
        let cover = taken.cover().expect("it is held");
        // The log is made on a thread of its own.
        let late = std::time::Instant::now() + LONG;
        while cover.device().is_none() {
            if std::time::Instant::now() > late {
                // No file system that is known.
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let log = || std::fs::read(held.folder.path().join("write-ahead")).expect("a log");
        let has = |text: &[u8]| log().windows(text.len()).any(|part| part == text);
        assert!(!has(b"/box/new/x"));
        assert!(cover.cover(b"/box/new/x", 15) && has(b"/box/new/x") && has(b"two-D\nthe body\n"));
        // What is to be kept all the same is kept; then there is nothing to cover.
        drop(taken);
        assert_eq!(held.file("two-H"), b"header");
        assert!(!cover.cover(b"/box/new/y", 15) && !has(b"/box/new/y") && cover.device().is_none());
        drop((cover, two));
    }

    #[test]
    fn what_nobody_delivered_is_kept() {
        let held = held();
        drop(held.take());
        assert_eq!(held.files(), ["one-D", "one-H"]);
        assert!(held.message.settled(NEVER).expect("it is kept"), "it was in time");
        assert!(!held.is_locked());
    }

    #[test]
    fn what_nobody_wants_is_gone() {
        let Held { message, folder, .. } = held();
        drop(message);
        assert_eq!(std::fs::read_dir(folder.path().join("input")).expect("it").count(), 0);
    }

    #[test]
    fn what_cannot_be_kept_is_told_to_who_waits() {
        let held = held();
        let mut taken = held.take();
        std::fs::write(held.folder.path().join("input/one-D"), "somebody's").expect("a file");
        let why = taken.secure().expect_err("the name is taken");
        assert_eq!(why.kind(), io::ErrorKind::AlreadyExists);
        assert!(taken.update(b"other").is_err() && taken.remove().is_ok());
        let why = held.message.settled(LONG).expect_err("it is lost");
        assert_eq!((why.step, why.why.kind()), (SpoolStep::Create, io::ErrorKind::AlreadyExists));
        drop(taken);
        assert_eq!(held.file("one-D"), b"somebody's");
    }

    /// Has somebody wait who can't keep the message, as its name is taken.
    fn unkept(
        held: &Held,
        delivery: impl FnOnce(Box<dyn TakenMessage>),
    ) -> Result<bool, SpoolError> {
        let taken = held.take();
        std::fs::write(held.folder.path().join("input/one-D"), "somebody's").expect("a file");
        thread::scope(|scope| {
            let waits = scope.spawn(|| held.message.settled(NEVER));
            thread::sleep(Duration::from_millis(50));
            assert!(!waits.is_finished(), "it may be delivered this moment");
            delivery(taken);
            waits.join().expect("it ends")
        })
    }

    #[test]
    fn nobody_is_told_to_send_again_what_is_delivered_and_can_not_be_kept() {
        let done = |mut taken: Box<dyn TakenMessage>| taken.settle().expect("everybody has it");
        assert!(!unkept(&held(), done).expect("it is delivered"), "it was not in time");
    }

    #[test]
    fn what_can_not_be_kept_and_is_not_delivered_is_told_then() {
        let why = unkept(&held(), drop).expect_err("it is lost");
        assert_eq!((why.step, why.why.kind()), (SpoolStep::Create, io::ErrorKind::AlreadyExists));
        let update = |mut taken: Box<dyn TakenMessage>| {
            taken.update(b"other").expect_err("there is no room for what is left of it");
            taken.settle().expect("too late");
        };
        unkept(&held(), update).expect_err("it is lost");
    }

    #[test]
    fn what_can_not_be_kept_while_it_waits_is_nobodys() {
        let held = held();
        std::fs::write(held.folder.path().join("input/one-D"), "somebody's").expect("a file");
        held.message.settled(NEVER).expect_err("it is lost");
        assert!(held.message.clone().take().is_none());
    }
}
