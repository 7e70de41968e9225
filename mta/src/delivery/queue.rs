//! Runs of the queue: one attempt at each message that waits (specification 5.2, `-q`).

use std::sync::atomic::{AtomicBool, Ordering};

use eximious::world::SpoolPlace;

use super::{AttemptManner, Deliverer};
use crate::spool::queue::{Stored, is_message_id};

/// Which messages a run takes, and how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueueRun {
    /// `-qi`: only those of which no delivery was tried.
    pub first_only: bool,
    /// `-qf`: also where the time for another try has not come.
    pub forced: bool,
    /// `-qff`: frozen ones, too.
    pub frozen: bool,
    /// `-ql`: local deliveries only.
    pub local_only: bool,
    /// `-qq`: routing comes before any delivery.
    pub two_passes: bool,
    /// `-R`: only those with a recipient that has this text in it.
    pub recipient: Option<Vec<u8>>,
    /// `-S`: only those whose sender has this text in it.
    pub sender: Option<Vec<u8>>,
    /// The first message, and the last one.
    pub range: (Option<Vec<u8>>, Option<Vec<u8>>),
}

impl QueueRun {
    /// As it is written behind `-q`.
    fn shown(&self) -> String {
        let mut flags = String::new();
        for (set, flag) in [
            (self.two_passes, "q"),
            (self.first_only, "i"),
            (self.forced, "f"),
            (self.frozen, "f"),
            (self.local_only, "l"),
        ] {
            if set {
                flags += flag;
            }
        }
        if flags.is_empty() { flags } else { format!(" -q{flags}") }
    }
}

impl Deliverer {
    /// Tries each message of a queue once. `stops` ends it after the message at hand.
    pub fn run_queue(&self, place: &SpoolPlace, run: &QueueRun, stops: &AtomicBool) {
        let world = self.engine.world();
        let pid = world.host.pid();
        let said = format!("pid={pid}{}", run.shown());
        self.log(b"", format!("Start queue run: {said}").as_bytes());
        match world.spool.entries(place) {
            Ok(entries) => {
                for entry in entries {
                    if stops.load(Ordering::Relaxed) {
                        break;
                    }
                    if is_message_id(&entry.id) && self.is_of(place, run, &entry.id) {
                        self.try_in_run(place, run, &entry.id);
                    }
                }
            }
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                world.log.panic(&[b"queue run: ", why.as_bytes()].concat());
            }
        }
        self.log(b"", format!("End queue run: {said}").as_bytes());
    }

    fn try_in_run(&self, place: &SpoolPlace, run: &QueueRun, id: &[u8]) {
        let manner = AttemptManner {
            forced: run.forced,
            thaws: run.frozen,
            is_run: true,
            local_only: run.local_only,
            ..AttemptManner::default()
        };
        self.deliver_all(place, id, &manner);
    }

    /// Whether a run takes a message.
    fn is_of(&self, place: &SpoolPlace, run: &QueueRun, id: &[u8]) -> bool {
        let (first, last) = &run.range;
        if first.as_deref().is_some_and(|first| id < first)
            || last.as_deref().is_some_and(|last| id > last)
        {
            return false;
        }
        if !run.first_only && run.recipient.is_none() && run.sender.is_none() {
            return true;
        }
        let Ok(stored) = Stored::read(self.engine.world(), place, id) else { return false };
        let file = &stored.file;
        if run.first_only && !file.has("deliver_firsttime") {
            return false;
        }
        let has = |text: &[u8], part: &Option<Vec<u8>>| {
            let Some(part) = part else { return true };
            let (text, part) = (text.to_ascii_lowercase(), part.to_ascii_lowercase());
            memchr::memmem::find(&text, &part).is_some()
        };
        let done = stored.done();
        let mut left = file.recipients.iter().filter(|one| !done.contains(&one.address[..]));
        has(&file.sender, &run.sender)
            && (run.recipient.is_none() || left.any(|one| has(&one.address, &run.recipient)))
    }
}
