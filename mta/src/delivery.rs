//! Delivery: a message of the spool goes where its recipients are (specification, chapters
//! 3.9 to 3.14).
//!
//! [`Deliverer::deliver_all`] makes one attempt at one message, which nobody else can touch
//! meanwhile: its recipients are routed, transports take it to where they go, and what was
//! done is in the message's journal before anything else happens. What is left is tried
//! again later; what can't be done is told to the sender.

mod attempt;
mod courier;
mod ending;
mod errand;
mod event;
mod flows;
mod handle;
mod held;
mod here;
mod journal;
mod kept;
mod leftovers;
mod local;
mod log;
mod odmr;
mod queue;
mod remote;
mod report;
mod requests;
mod retry;
mod routing;
mod stand_ins;
mod system_filter;
mod tracking;
mod transport;
mod under_way;
mod unrouted;
mod wrapper;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};

use eximious::stdlib::options::server_ids;
use eximious::trace::{DeliveryEvent, Happening, TraceObserver};
use eximious::world::SpoolPlace;
use eximious::{Config, Context, Engine, LogSelector, Message, Settings, Str, World, opt, var};

use crate::smtp::SmtpServer;
use crate::spool::HeldDelivery;
use attempt::Attempt;
use flows::Flows;
use here::HereDomains;
use kept::KeptConnections;
use under_way::UnderWay;

pub use courier::Courier;
pub use handle::{Handled, Handling};
pub use held::QueueFiles;
pub(crate) use queue::domains_that_wait;

pub use odmr::Customer;
pub use queue::{QueueRun, QueueText};

/// How many reports that come of each other are delivered at once.
const MOST_REPORTS: usize = 10;

/// Delivers messages by a configuration. It is shared by threads; a clone is cheap.
#[derive(Clone)]
pub struct Deliverer {
    engine: Engine,
    config: Arc<Config>,
    server: Arc<SmtpServer>,
    /// Who is told what happens.
    observers: Vec<Arc<dyn TraceObserver>>,
    /// What is being delivered.
    under_way: Arc<UnderWay>,
    /// Where messages follow each other.
    flows: Arc<Flows>,
    /// Which domains' mail came into mailboxes here.
    here: Arc<HereDomains>,
    /// The connections of a courier, where this is part of its work.
    kept: Option<Arc<KeptConnections>>,
    /// How many messages go along a connection, whatever transports say.
    most_messages: Option<i64>,
    /// Whether all deliveries are only pretended (`-N`).
    pretends: bool,
    /// Who has called, and gets mail along its own connection.
    customer: Option<Arc<Customer>>,
    /// The numbers of the mail server's user and group, as variables hold them.
    server_ids: [Str; 2],
    /// Whether it was said that nobody has users' rights any more.
    tells_abandoned: Arc<Once>,
}

impl std::fmt::Debug for Deliverer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deliverer").field("flows", &self.flows).finish_non_exhaustive()
    }
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
    /// Whether another pass of the same run comes behind it (`-qq`).
    pub is_first_pass: bool,
    /// Whether it comes after another message, along a connection that is open already.
    pub follows: bool,
    /// Whether it is given up, and by whom: nothing is tried, and the sender is told
    /// (`-Mg`).
    pub gives_up: Option<Vec<u8>>,
    /// What becomes of deliveries to other hosts.
    pub remote: RemoteManner,
    /// Whether reports are delivered though the configuration wants that all messages wait
    /// (`queue_only`).
    pub overrides: bool,
    /// Whether deliveries of reports to other hosts wait for a run of the queue (`-odqs`), though
    /// those of the message itself may be made.
    pub queues_reports: bool,
    /// Whether reports are delivered before it ends (`-odi`, `-odf`), and not behind it.
    pub awaits_reports: bool,
    /// Whether whoever runs the program wants it (`-M`, `-q`), and is its caller to expansions:
    /// all else the mail server's user does.
    pub by_caller: bool,
}

impl AttemptManner {
    /// How attempts are made at reports, and at other messages that come of this one's
    /// deliveries: what is for other hosts waits where this message's does, the next pass of the
    /// run included; that is a word of its own beside `queue_only`.
    fn of_reports(&self, settings: &Settings) -> Self {
        let queues =
            self.queues_reports || self.is_first_pass || self.remote == RemoteManner::Queued;
        let remote = if queues { RemoteManner::Queued } else { RemoteManner::Made };
        let overrides = self.overrides || queues && settings.get(opt::QUEUE_ONLY_OVERRIDE);
        Self { overrides, remote, awaits_reports: self.awaits_reports, ..Self::default() }
    }
}

/// What becomes of deliveries to other hosts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
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
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
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
    /// Nothing was tried: the main log can't be told.
    Unlogged,
    /// Nobody has got it, it is gone, and whoever handed it in is to hear these words
    /// (`mua_wrapper`).
    Refused(Vec<u8>),
}

/// An attempt, with what else came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempts {
    /// What came of the message.
    pub outcome: Attempted,
    /// The names of messages that are in the spool because of it: reports.
    pub reports: Vec<Vec<u8>>,
}

/// A message that is on its way: who else gets it is for ACLs and the system filter alone.
fn show_message(cx: &mut Context, message: Message) {
    cx.set_message(Some(message));
    [var::RECIPIENTS, var::RECIPIENTS_LIST].into_iter().for_each(|var| cx.unset_var(var));
}

impl Deliverer {
    /// By a configuration, with an engine that has its options.
    pub fn new(config: Arc<Config>, engine: &Engine, server: Arc<SmtpServer>) -> Self {
        let world = engine.world();
        let (uid, gid) = server_ids(engine.settings(), &*world.users, &*world.host);
        let engine = match world.files.seen_by_deliveries() {
            Some(files) => {
                let databases = world.databases.seen_by_deliveries(&files);
                let databases = databases.unwrap_or_else(|| world.databases.clone());
                engine.with_world(World { files, databases, ..world.clone() })
            }
            None => engine.clone(),
        };
        Self {
            engine,
            config,
            server,
            observers: Vec::new(),
            under_way: Arc::default(),
            tells_abandoned: Arc::new(Once::new()),
            flows: Arc::default(),
            here: Arc::default(),
            kept: None,
            most_messages: None,
            pretends: false,
            customer: None,
            server_ids: [uid, gid].map(|id| Str::from(id.to_string())),
        }
    }

    /// The same; somebody is told what happens in runs of the queue and in deliveries.
    #[must_use]
    pub fn observed(mut self, observer: Arc<dyn TraceObserver>) -> Self {
        self.observers.push(observer);
        self
    }

    /// The same; no more messages than so many go along a connection, whatever transports
    /// say (`-oB`); 0 for any number.
    #[must_use]
    pub fn with_most_messages(mut self, most: Option<i64>) -> Self {
        self.most_messages = most;
        self
    }

    /// The same; each delivery is only pretended, if `pretends` (`-N`).
    #[must_use]
    pub fn pretending(mut self, pretends: bool) -> Self {
        self.pretends = pretends;
        self
    }

    /// Whether a short message to a recipient is likely to come into a mailbox here, and to be
    /// there in a moment: the last one to its domain did.
    pub fn is_likely_here(&self, recipient: &Str) -> bool {
        self.here.has(recipient.bytes())
    }

    /// What is being delivered at this moment, in words, by the numbers of the threads that do it.
    pub fn under_way(&self) -> BTreeMap<u32, Vec<u8>> {
        self.under_way.all()
    }

    /// Tries to deliver a message once; one that is held is not in the spool.
    fn deliver(
        &self,
        place: &SpoolPlace,
        id: &[u8],
        manner: &AttemptManner,
        held: Option<HeldDelivery>,
    ) -> Attempts {
        let only = |outcome| Attempts { outcome, reports: Vec::new() };
        if held.is_none() && !self.engine.world().log.opens() {
            return only(Attempted::Unlogged);
        }
        if !manner.follows {
            self.tell_beginning(place, id, manner.is_run);
        }
        let world = self.engine.world();
        let (message, file) = held.map(HeldDelivery::into_parts).unzip();
        let taken = match message {
            Some(message) => {
                message.take().map_or(Err(io::ErrorKind::NotFound.into()), |one| Ok(Some(one)))
            }
            None => world.spool.take(place, id),
        };
        let taken = match taken {
            Ok(Some(taken)) => taken,
            Ok(None) => {
                self.log_locked(id);
                return only(Attempted::Taken);
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                if !manner.is_run {
                    let mut cx = self.context();
                    let begins = DeliveryEvent::Begins { id, run: None };
                    let outer = cx.trace().begin(Happening::Delivery(begins));
                    self.log_missing(place, id);
                    cx.trace().end(outer);
                }
                return only(Attempted::Gone);
            }
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                self.log(id, &[b"can't be delivered: ", why.as_bytes()].concat());
                return only(Attempted::Unreadable);
            }
        };
        let _under_way = self.under_way.delivery(world, id);
        match Attempt::begin(self, place, id, manner, taken, file) {
            Ok(attempt) => attempt.run(),
            Err(outcome) => only(outcome),
        }
    }

    /// Delivers a message, the reports that come of it, and what waits for the hosts that
    /// were reached by it.
    pub fn deliver_all(&self, place: &SpoolPlace, id: &[u8], manner: &AttemptManner) -> Attempted {
        static NEVER: AtomicBool = AtomicBool::new(false);
        self.deliver_until(place, id, manner, &NEVER)
    }

    /// The same, until `stops` says that it is enough.
    fn deliver_until(
        &self,
        place: &SpoolPlace,
        id: &[u8],
        manner: &AttemptManner,
        stops: &AtomicBool,
    ) -> Attempted {
        match self.kept {
            // Whoever keeps the connections sees to what waits for them.
            Some(_) => self.attempt_all(place, id, manner, None),
            None => Courier::new(self).deliver(place, id, manner, false, stops),
        }
    }

    /// Delivers a message, and the reports that come of it.
    fn attempt_all(
        &self,
        place: &SpoolPlace,
        id: &[u8],
        manner: &AttemptManner,
        held: Option<HeldDelivery>,
    ) -> Attempted {
        let Attempts { outcome, reports } = self.deliver(place, id, manner, held);
        let own = manner.of_reports(self.engine.settings());
        let most = reports.len() + MOST_REPORTS;
        let mut waiting = VecDeque::from(reports);
        // A configuration can make reports of reports, and so on; they wait in the end.
        for _ in 0..most {
            let Some(report) = waiting.pop_front() else { break };
            if self.has_to_wait(own.overrides) {
                break;
            }
            waiting.extend(self.without_customer().deliver(place, &report, &own, None).reports);
        }
        outcome
    }

    /// Whether a message that was written here waits for a run of the queue, as all do that are
    /// handed in; `overrides` where it is delivered in spite of `queue_only`.
    fn has_to_wait(&self, overrides: bool) -> bool {
        self.has_to_be_queued(overrides) || self.load_beyond().is_some()
    }

    /// Whether all messages wait: the configuration says so, or a file does.
    fn has_to_be_queued(&self, overrides: bool) -> bool {
        !overrides && self.engine.settings().get(opt::QUEUE_ONLY)
            || QueueFiles::found(&self.engine).all
    }

    /// The load of this host, where it is beyond `queue_only_load`.
    fn load_beyond(&self) -> Option<i64> {
        let most = self.engine.settings().given(opt::QUEUE_ONLY_LOAD)?;
        Some(self.engine.world().host.load()).filter(|load| *load > most)
    }

    /// Whether a message that was just handed in waits for a run of the queue; that it does so
    /// because of the load is logged. `overrides` where it is delivered in spite of
    /// `queue_only`.
    pub fn keeps_back(&self, id: &[u8], overrides: bool) -> bool {
        if self.has_to_be_queued(overrides) {
            return true;
        }
        let Some(load) = self.load_beyond() else { return false };
        let line = format!("no immediate delivery: load average {}", crate::logs::hundredths(load));
        self.log_if(LogSelector::DELAY_DELIVERY, id, line.as_bytes());
        true
    }

    /// Fetches policies of domains (MTA-STS) that are soon to be fetched anyway, as far as that
    /// can be done in a while; `stops` ends it before.
    pub fn refresh_policies(&self, stops: &AtomicBool) {
        self.server.acls.routes().refresh_policies(&mut self.context(), stops);
    }

    /// A context whose expansions may call ACLs.
    fn context(&self) -> Context {
        let mut cx = self.engine.context();
        self.server.acls.attach(&mut cx);
        self.observers.iter().for_each(|one| cx.observe(one.clone()));
        self.introduce_customer(&mut cx);
        cx
    }

    /// The same for an attempt. What nobody has asked for is made in the spool's directory.
    fn context_for(&self, manner: &AttemptManner) -> Context {
        let mut cx = self.context();
        if !manner.by_caller {
            let callers = [var::CALLER_UID, var::CALLER_GID].into_iter();
            callers.zip(&self.server_ids).for_each(|(var, id)| cx.set_var(var, id.clone()));
            let directory = cx.engine().settings().get(opt::SPOOL_DIRECTORY);
            cx.set_var(var::INITIAL_CWD, directory);
        }
        cx
    }

    /// Writes a line to the main log, where a selector is set.
    fn log_if(&self, by: LogSelector, id: &[u8], line: &[u8]) {
        let (log, wanted) = (&self.engine.world().log, self.engine.settings().log_selector());
        if log.hears(wanted, by) {
            log.by_selector(wanted, by, &crate::logs::named(&Str::from(id), line));
        }
    }

    fn log(&self, id: &[u8], line: &[u8]) {
        self.engine.world().log.main(&crate::logs::named(&Str::from(id), line));
    }
}
