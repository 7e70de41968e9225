//! Delivery: a message of the spool goes where its recipients are (specification, chapters
//! 3.9 to 3.14).
//!
//! [`Deliverer::deliver`] makes one attempt at one message, which nobody else can touch
//! meanwhile: its recipients are routed, transports take it to where they go, and what was
//! done is in the message's journal before anything else happens. What is left is tried
//! again later; what can't be done is told to the sender.

mod attempt;
mod handle;
mod held;
mod log;
mod queue;
mod report;
mod retry;
mod routing;
mod slots;
mod system_filter;
mod tracking;
mod transport;

use std::io;
use std::sync::Arc;

use eximious::world::SpoolPlace;
use eximious::{Config, Context, Engine, Str, opt};

use crate::smtp::SmtpServer;
use attempt::Attempt;
use slots::Slots;

pub use handle::{Handled, Handling};
pub use queue::QueueRun;

/// How many reports that come of each other are delivered at once.
const MOST_REPORTS: usize = 10;

/// Delivers messages by a configuration. It is shared by threads; a clone is cheap.
#[derive(Clone, Debug)]
pub struct Deliverer {
    engine: Engine,
    config: Arc<Config>,
    server: Arc<SmtpServer>,
    /// What runs.
    slots: Arc<Slots>,
}

/// How an attempt is made.
#[derive(Clone, Debug, Default)]
pub struct AttemptManner {
    /// Whether it is made although its time has not come (`-M`, `-qf`).
    pub forced: bool,
    /// Whether it is made although the message is frozen (`-M`, `-qff`).
    pub thaws: bool,
    /// Whether routing is tried again only when its time has come: in runs of the queue.
    pub is_run: bool,
    /// Whether it is given up, and by whom: nothing is tried, and the sender is told
    /// (`-Mg`).
    pub gives_up: Option<Vec<u8>>,
    /// What becomes of deliveries to other hosts.
    pub remote: RemoteManner,
    /// Whether reports are delivered though the configuration wants that all messages wait
    /// (`queue_only`).
    pub overrides: bool,
}

/// What becomes of deliveries to other hosts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RemoteManner {
    /// They are made.
    #[default]
    Made,
    /// They are left out (`-ql`).
    LeftOut,
    /// They are left for the next pass (`-qq`), without a word.
    NextPass,
    /// They wait for a run of the queue (`-odqs`).
    Queued,
    /// So they do because of `queue_smtp_domains`.
    QueuedByDomain,
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Attempted {
    /// The message is done with, and gone.
    Completed,
    /// It stays: some of its recipients have not got it.
    Left,
    /// It is frozen.
    Frozen,
    /// Somebody else is at it.
    Taken,
    /// There is no such message.
    Gone,
    /// Its files make no sense, or can't be read.
    Unreadable,
}

/// An attempt, with what else came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempts {
    /// What came of the message.
    pub outcome: Attempted,
    /// The names of messages that are in the spool because of it: reports.
    pub reports: Vec<Vec<u8>>,
}

impl Deliverer {
    /// By a configuration, with an engine that has its options.
    pub fn new(config: Arc<Config>, engine: &Engine, server: Arc<SmtpServer>) -> Self {
        Self { engine: engine.clone(), config, server, slots: Arc::default() }
    }

    /// Tries to deliver a message once.
    pub fn deliver(&self, place: &SpoolPlace, id: &[u8], manner: &AttemptManner) -> Attempts {
        let only = |outcome| Attempts { outcome, reports: Vec::new() };
        let world = self.engine.world();
        let taken = match world.spool.take(place, id) {
            Ok(Some(taken)) => taken,
            Ok(None) => {
                let words = b"Spool file is locked (another process is handling this message)";
                self.log(id, words);
                return only(Attempted::Taken);
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => return only(Attempted::Gone),
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                self.log(id, &[b"can't be delivered: ", why.as_bytes()].concat());
                return only(Attempted::Unreadable);
            }
        };
        match Attempt::begin(self, place, id, manner, taken) {
            Ok(attempt) => attempt.run(),
            Err(outcome) => only(outcome),
        }
    }

    /// Delivers a message, and the reports that come of it.
    pub fn deliver_all(&self, place: &SpoolPlace, id: &[u8], manner: &AttemptManner) -> Attempted {
        let Attempts { outcome, mut reports } = self.deliver(place, id, manner);
        // A configuration can make reports of reports, and so on; they wait in the end.
        for _ in 0..MOST_REPORTS {
            let Some(report) = reports.pop() else { break };
            if !manner.overrides && self.engine.settings().get(opt::QUEUE_ONLY) {
                break;
            }
            let manner = AttemptManner { overrides: manner.overrides, ..AttemptManner::default() };
            reports.extend(self.deliver(place, &report, &manner).reports);
        }
        outcome
    }

    /// A context whose expansions may call ACLs.
    fn context(&self) -> Context {
        let mut cx = self.engine.context();
        self.server.acls.attach(&mut cx);
        cx
    }

    fn log(&self, id: &[u8], line: &[u8]) {
        self.engine.world().log.main(&crate::logs::named(&Str::from(id), line));
    }
}
