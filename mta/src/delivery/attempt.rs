//! One attempt at one message: what is known of it, and how it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use eximious::config::rewrite_rules;
use eximious::rewrite::{Rewriter, header as rewrite};
use eximious::route::{Address, Renamed, Routes};
use eximious::stdlib::number::decimal;
use eximious::trace::{DeliveryEvent, Happening, TraceKinds};
use eximious::transport::{FailedHost, Undelivered};
use eximious::world::{Moment, SpoolPlace, TakenMessage};
use eximious::{Context, DeliveryAttempt, Header, LogSelector, Message, Str, Var, opt, var};

use super::event::LastRemote;
use super::local::LocalRetry;
use super::report::Arrival;
use super::retry::OwnHints;
use super::routing::{Plan, Planned};
use super::system_filter::Filtered;
use super::tracking::{NodeId, Tracking};
use super::unrouted::ToldLate;
use super::{AttemptManner, Attempted, Attempts, Deliverer, RemoteManner};
use crate::spool::queue::Stored;
use crate::spool::{HeaderFile, RecipientDsn};

/// The number of what is not tried because nobody wants that now.
const SUPPRESSED: i32 = -55;

/// What is said where the process that delivers for users is gone.
const ABANDONED: &[u8] = b"nobody is left who delivers with users' rights: local deliveries wait \
    until this is started anew";

/// An address that has not got the message, and why.
#[derive(Clone, Debug)]
pub(super) struct Undone {
    pub(super) node: NodeId,
    /// As it is shown: an address, a file, a command.
    pub(super) address: Address,
    /// Whether it is a file or a command.
    pub(super) is_direct: bool,
    pub(super) why: Undelivered,
    /// Whether the sender is told nothing but that.
    pub(super) untold: bool,
    /// Whether the main log is told nothing of it (`disable_logging`).
    pub(super) is_silent: bool,
    /// What a command wrote; those of one delivery share it.
    pub(super) output: Arc<[u8]>,
    /// How many others there were before it.
    pub(super) order: usize,
}

impl Undone {
    /// One of which everything may be told, and no command wrote anything.
    pub(super) fn new(node: NodeId, address: &Address, is_direct: bool, why: Undelivered) -> Self {
        Self {
            node,
            address: address.clone(),
            is_direct,
            why,
            untold: false,
            is_silent: false,
            output: Arc::default(),
            order: 0,
        }
    }
}

/// An address for which the time has run out.
#[derive(Debug)]
pub(super) struct Expired {
    pub(super) undone: Undone,
    /// The delivery that it was part of: those of one keep their order.
    pub(super) group: usize,
    /// Who is told so.
    pub(super) told: Option<ToldLate>,
    /// Whether a host has answered with an error in its delivery.
    pub(super) is_answered: bool,
}

/// The attempt.
pub(super) struct Attempt<'d> {
    pub(super) deliverer: &'d Deliverer,
    pub(super) cx: Context,
    pub(super) place: SpoolPlace,
    pub(super) id: Vec<u8>,
    pub(super) manner: &'d AttemptManner,
    /// When it began, in seconds since 1970.
    pub(super) began: i64,
    pub(super) taken: Box<dyn TakenMessage>,
    pub(super) stored: Stored,
    pub(super) message: Message,
    pub(super) tracking: Tracking,
    /// Who is in the journal.
    pub(super) kept: BTreeSet<NodeId>,
    /// What is asked about each recipient of the message: the same one, given twice, has two.
    pub(super) asked: BTreeMap<NodeId, RecipientDsn>,
    /// The recipients that came of others, in an earlier attempt (`one_time`).
    pub(super) settled: BTreeSet<Vec<u8>>,
    pub(super) failed: Vec<Undone>,
    /// For whom the time has run out, which is told in the end.
    pub(super) expired: Vec<Expired>,
    /// Who is told of such addresses, and what, once nobody else hears of them.
    pub(super) late: Vec<(NodeId, ToldLate, Vec<u8>)>,
    /// Whom a delivery on this host has not reached for now, and what that is known by: whether
    /// they wait is known when all of them are made.
    pub(super) put_off_here: Vec<(LocalRetry, Expired)>,
    /// How many deliveries there were of which some may be among them.
    pub(super) groups: usize,
    /// Who has to wait.
    pub(super) deferred: Vec<Undone>,
    /// How many have failed, or have to wait.
    undone: usize,
    /// Deliveries that are the same as another one, by that.
    pub(super) duplicates: BTreeMap<NodeId, Vec<NodeId>>,
    /// Whether it was frozen until now.
    pub(super) is_thawed: bool,
    /// The hints that this attempt gave of hosts that would not have the message now: other
    /// recipients are another matter to them.
    pub(super) own_hints: OwnHints,
    /// The hosts that failed in it, and the domain that each was tried for.
    pub(super) hosts_failed: BTreeMap<Vec<u8>, (FailedHost, Str)>,
    /// The keys of those that concern this message alone, where nobody waits because of them.
    pub(super) of_message: BTreeSet<Vec<u8>>,
    /// The keys of hints about what works now.
    pub(super) overcome: BTreeSet<Vec<u8>>,
    /// What is to be delivered once more, by hosts that stand in for others.
    pub(super) stand_ins: Vec<Planned>,
    /// How many deliveries are still to be made.
    pending: usize,
    /// Whether each of those that were made has arrived.
    all_arrived: bool,
    /// How many else stay: they were not tried, or their failure can't be reported now.
    pub(super) left: usize,
    /// What has arrived and is to be confirmed.
    pub(super) arrived: Vec<Arrival>,
    /// Why the message is to be frozen.
    pub(super) freezes: bool,
    /// What freezes it, where that is no address, and the words for it.
    pub(super) frozen_by: &'static [u8],
    pub(super) frozen_why: Vec<u8>,
    pub(super) reports: Vec<Vec<u8>>,
    /// To whom it went last, if it went to another host.
    pub(super) last_remote: Option<LastRemote>,
}

impl<'d> Attempt<'d> {
    /// Reads the message; one that is held comes with what its header file would say.
    pub(super) fn begin(
        deliverer: &'d Deliverer,
        place: &SpoolPlace,
        id: &[u8],
        manner: &'d AttemptManner,
        mut taken: Box<dyn TakenMessage>,
        held: Option<HeaderFile>,
    ) -> Result<Self, Attempted> {
        let mut cx = deliverer.context_for(manner);
        let stored = match held {
            Some(file) => Ok(Stored::held(file)),
            None => Stored::read(deliverer.engine.world(), place, id),
        };
        let mut stored = match stored {
            Ok(stored) => stored,
            Err(why) => return Err(deliverer.unreadable(place, id, &why, &mut *taken)),
        };
        if deliverer.pretends {
            stored.file.pretend();
        }
        if let Some(why) = &stored.unread_journal {
            // Whoever has got the message would get it again.
            let line = format!(" attempt to open journal for reading gave: {why}");
            cx.log().panic(&[id, line.as_bytes()].concat());
            return Err(Attempted::Unreadable);
        }
        let mut message = match crate::spool::restore_from(&mut cx, &stored, &*taken) {
            Ok(message) => message,
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                deliverer.log(id, &[b"data file can't be read: ", why.as_bytes()].concat());
                return Err(Attempted::Unreadable);
            }
        };
        let began = super::log::now(&cx);
        let age = began.saturating_sub(stored.file.received_at().seconds).max(0);
        cx.set_var(var::MESSAGE_AGE, decimal(age));
        let sender = Str::tainted(&stored.file.sender[..]);
        message.return_path = sender.clone();
        message.attempt = DeliveryAttempt {
            is_first: stored.file.has("deliver_firsttime"),
            is_thawed_by_hand: stored.file.has("manual_thaw")
                || manner.thaws && stored.file.has("frozen"),
            is_run: manner.is_run,
        };
        cx.set_var(var::RETURN_PATH, sender);
        super::show_message(&mut cx, message.clone());
        let done = stored.done().into_iter().map(<[u8]>::to_vec).collect();
        Ok(Self {
            deliverer,
            cx,
            place: place.clone(),
            id: id.to_vec(),
            manner,
            began,
            taken,
            stored,
            message,
            tracking: Tracking::new(done),
            kept: BTreeSet::new(),
            asked: BTreeMap::new(),
            settled: BTreeSet::new(),
            failed: Vec::new(),
            expired: Vec::new(),
            late: Vec::new(),
            put_off_here: Vec::new(),
            groups: 0,
            deferred: Vec::new(),
            undone: 0,
            duplicates: BTreeMap::new(),
            is_thawed: false,
            own_hints: OwnHints::default(),
            hosts_failed: BTreeMap::new(),
            of_message: BTreeSet::new(),
            overcome: BTreeSet::new(),
            stand_ins: Vec::new(),
            pending: 0,
            all_arrived: true,
            left: 0,
            arrived: Vec::new(),
            freezes: false,
            frozen_by: b"",
            frozen_why: Vec::new(),
            reports: Vec::new(),
            last_remote: None,
        })
    }

    /// What the header file says.
    pub(super) fn file(&self) -> &HeaderFile {
        &self.stored.file
    }

    /// The same, to be changed.
    pub(super) fn file_mut(&mut self) -> &mut HeaderFile {
        &mut self.stored.file
    }

    pub(super) fn routes(&self) -> &'d Routes {
        self.deliverer.server.acls.routes()
    }

    pub(super) fn now(&self) -> i64 {
        super::log::now(&self.cx)
    }

    /// Whether nobody is there any more who could try a local delivery. The panic log hears of
    /// it once.
    pub(super) fn is_abandoned(&mut self) -> bool {
        let is_abandoned = self.cx.engine().world().mailboxes.is_abandoned();
        if is_abandoned {
            let log = self.cx.log();
            self.deliverer.tells_abandoned.call_once(|| log.panic(ABANDONED));
        }
        is_abandoned
    }

    pub(super) fn moment(&self) -> Moment {
        self.cx.engine().world().clock.now()
    }

    /// Makes the attempt.
    pub(super) fn run(mut self) -> Attempts {
        if let Some(outcome) = self.stays_frozen() {
            return Attempts { outcome, reports: self.reports };
        }
        let id = self.id.clone();
        let run = self.manner.is_run.then(|| self.cx.engine().world().host.pid());
        let begins = DeliveryEvent::Begins { id: &id, run };
        let outer = self.cx.trace().begin(Happening::Delivery(begins));
        let outcome = match &self.manner.gives_up {
            Some(by) => self.cancel(by),
            None => self.try_all(),
        };
        self.cx.trace().end(outer);
        let completed = outcome == Attempted::Completed;
        self.cx.tell(Happening::Delivery(DeliveryEvent::Ended { id: &id, completed }));
        Attempts { outcome, reports: self.reports }
    }

    /// Routes who has not got the message, and makes the deliveries.
    fn try_all(&mut self) -> Attempted {
        let plan = match self.filter() {
            Filtered::On { children, recipients } => self.route(children, recipients),
            Filtered::Over(outcome) => return outcome,
        };
        self.tell_plan(&plan);
        // What takes its time, or may be made in part, is begun when the message is safe.
        if !self.is_one_step(&plan) && !self.secure() {
            return Attempted::Gone;
        }
        if let Err(why) = self.reserve_journal(&plan) {
            plan.local.iter().chain(&plan.remote).for_each(|planned| self.stays(planned, &why));
            return self.end();
        }
        if self.is_wrapped() {
            return self.deliver_wrapped(plan);
        }
        self.pending = plan.local.len() + plan.remote.len();
        self.deliver_local(plan.local);
        match self.remote_manner(&plan.remote) {
            RemoteManner::Made => self.deliver_remote(plan.remote),
            RemoteManner::NextPass => {
                self.note_hosts(&plan.remote);
                self.left += plan.remote.len();
            }
            RemoteManner::LeftOut => {
                let why = Undelivered::new(SUPPRESSED, "remote deliveries suppressed");
                for planned in &plan.remote {
                    // It was no host that put it off.
                    self.forget_refusal(&planned.delivery);
                    self.stays(planned, &why);
                }
            }
            RemoteManner::Queued => {
                let why = Undelivered::new(0, "SMTP delivery explicitly queued");
                self.leave_for_run(&plan.remote, &why);
            }
        }
        self.end()
    }

    /// Whether all that is to be done is one delivery to one recipient, which is made or not,
    /// and takes no more than a moment: into a mailbox, or along a connection that is there.
    fn is_one_step(&self, plan: &Plan) -> bool {
        let routes = self.routes();
        let is_mailbox =
            |one: &Planned| one.delivery.transport.is_some_and(|number| routes.only_writes(number));
        if let [one] = &self.file().recipients[..] {
            let is_here = plan.remote.is_empty() && plan.local.iter().all(is_mailbox);
            self.deliverer.here.note(&one.address, is_here);
        }
        let is_short = match (&plan.local[..], &plan.remote[..]) {
            ([], []) => true,
            ([one], []) => is_mailbox(one),
            ([], [one]) => one.delivery.transport.is_some_and(|number| {
                let host = one.delivery.hosts.first();
                routes.only_sends(number)
                    && host.is_some_and(|host| self.has_connection(number, &host.name))
            }),
            _ => false,
        };
        is_short && self.has_good_news_only()
    }

    /// Whether a connection to a host was kept.
    fn has_connection(&self, transport: usize, host: &str) -> bool {
        let kept = self.deliverer.kept.as_ref();
        kept.is_some_and(|kept| kept.has(self.routes().transport_name(transport).bytes(), host))
    }

    /// Whether nobody is to be told of anything, as far as it is known.
    pub(super) fn has_good_news_only(&self) -> bool {
        self.all_arrived
            && self.left == 0
            && self.failed.is_empty()
            && self.expired.is_empty()
            && self.deferred.is_empty()
            && !self.freezes
            && !self.tells_arrivals()
    }

    /// Has the message in the spool, where it is not there yet. False where that can't be: then
    /// it is gone, which is told to who has brought it.
    pub(super) fn secure(&mut self) -> bool {
        self.taken.secure().is_ok()
    }

    /// Tells what is delivered where, to who wants to know.
    fn tell_plan(&mut self, plan: &Plan) {
        if !self.cx.trace().wants(TraceKinds::DELIVERY) {
            return;
        }
        let planned = |list: &[Planned]| {
            let texts = list.iter().map(|one| one.delivery.address.text.bytes().to_vec());
            texts.collect::<Vec<_>>()
        };
        let undone = |list: &[Undone]| {
            let texts = list.iter().map(|one| one.address.text.bytes().to_vec());
            texts.collect::<Vec<_>>()
        };
        let (local, remote) = (planned(&plan.local), planned(&plan.remote));
        let (failed, deferred) = (undone(&self.failed), undone(&self.deferred));
        self.cx.tell(Happening::Delivery(DeliveryEvent::Routed {
            local: &local,
            remote: &remote,
            failed: &failed,
            deferred: &deferred,
        }));
    }

    /// Tells the sender that somebody has given the message up.
    fn cancel(&mut self, by: &[u8]) -> Attempted {
        self.tell_event("cancelled", [b" by ", by].concat());
        self.give_up(b"delivery cancelled by administrator");
        self.end()
    }

    /// Has all fail before any address was routed: nothing says yet where the message comes from.
    fn give_up(&mut self, told: &[u8]) {
        self.cx.unset_var(var::RETURN_PATH);
        self.fail_all(told, b"");
    }

    /// What becomes of a message that is frozen; nothing where it is tried all the same.
    fn stays_frozen(&mut self) -> Option<Attempted> {
        let since = self.file().number("frozen")?;
        let settings = self.cx.engine().settings();
        if settings.get(opt::MOVE_FROZEN_MESSAGES) {
            self.put_aside();
            return Some(Attempted::Frozen);
        }
        let timeout = settings.get(opt::TIMEOUT_FROZEN_AFTER);
        if !timeout.is_zero() && self.is_older_than(timeout) {
            return Some(self.cancel_late());
        }
        let thaws = settings.get(opt::AUTO_THAW);
        let now = self.now();
        let frozen_for = u64::try_from(now.saturating_sub(since)).unwrap_or(0);
        let is_report = self.file().sender.is_empty();
        let by_hand = self.manner.thaws || self.manner.gives_up.is_some();
        let why = if self.is_hopeless() {
            " by errmsg timer"
        } else if by_hand {
            " by forced delivery"
        } else if !is_report && !thaws.is_zero() && frozen_for > thaws.as_secs() {
            " by auto-thaw"
        } else {
            self.log_if(LogSelector::SKIP_DELIVERY, b"Message is frozen");
            return Some(Attempted::Frozen);
        };
        self.tell_event("Unfrozen", why);
        self.stored.file.thaw(by_hand);
        self.is_thawed = true;
        None
    }

    /// Whether the message has been in the queue for so long.
    fn is_older_than(&self, time: Duration) -> bool {
        let age = self.now().saturating_sub(self.file().received);
        u64::try_from(age).is_ok_and(|age| age >= time.as_secs())
    }

    /// Whether nobody looks after a report that fails (`ignore_bounce_errors_after`).
    pub(super) fn is_hopeless(&self) -> bool {
        let after = self.cx.engine().settings().get(opt::IGNORE_BOUNCE_ERRORS_AFTER);
        self.file().sender.is_empty() && self.is_older_than(after)
    }

    /// Gives up a message that was frozen for too long: its sender is told, a report goes.
    fn cancel_late(&mut self) -> Attempted {
        self.tell_event("cancelled", " by timeout_frozen_after");
        self.give_up(b"delivery cancelled; message timed out");
        if self.file().sender.is_empty() {
            return self.complete_all();
        }
        self.end()
    }

    /// Header lines whose domains routers have found to be others are rewritten.
    pub(super) fn rename(&mut self, renamed: &[Renamed]) {
        for one in renamed {
            // What the DNS says is no part of a rule unless it can be nothing else.
            let is_plain = |name: &Str| {
                let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
                name.bytes().iter().all(plain)
            };
            if !is_plain(&one.from) || !is_plain(&one.to) {
                continue;
            }
            let rule = [b"*@", one.from.bytes(), b" $1@", one.to.bytes(), b" h"].concat();
            let Ok(rules) = rewrite_rules(&rule) else { continue };
            let (rewriter, log) = (Rewriter::new(&rules), self.cx.log());
            let mut headers = self.message.headers.clone();
            for header in &mut headers {
                let Some(place) = rewrite::place_of(&header.name) else { continue };
                let tell = |fault: &[u8]| log.main(fault);
                let new = rewrite::line(&mut self.cx, Some(&rewriter), place, header, None, &tell);
                if let Some(line) = new {
                    *header = Header::new(line);
                }
            }
            self.message.headers = headers;
            super::show_message(&mut self.cx, self.message.clone());
        }
    }

    /// That something about an address is done; parents that are complete are noted.
    pub(super) fn complete(&mut self, node: NodeId) {
        let parent = self.complete_own(node);
        self.complete_parents(parent);
    }

    /// The same without its parents: that of which a part is done then, too.
    pub(super) fn complete_own(&mut self, node: NodeId) -> Option<NodeId> {
        self.complete_one(node, false, false)
    }

    /// That a redirection has made what it makes of an address, which may all be done by now.
    pub(super) fn complete_redirected(&mut self, node: NodeId) {
        let parent = self.complete_one(node, false, true);
        self.complete_parents(parent);
    }

    /// That a part of an address is done, and perhaps one of those that it came of.
    pub(super) fn complete_parents(&mut self, parent: Option<NodeId>) {
        let mut at = parent;
        while let Some(one) = at {
            at = self.complete_one(one, true, true);
        }
    }

    /// That a part of an address is done, which may be a child. What it came of, if that was
    /// the last of it; a parent is noted then.
    fn complete_one(&mut self, node: NodeId, by_child: bool, is_parent: bool) -> Option<NodeId> {
        if !self.tracking.finish_part(node, by_child) {
            return None;
        }
        // What becomes of it is what becomes of those that are the same.
        for other in self.duplicates.remove(&node).into_iter().flatten().rev() {
            self.complete(other);
        }
        if is_parent && !self.tracking.is_copy(node) && !self.tracking.came_of_itself(node) {
            let parent = self.tracking.text(node).to_vec();
            self.note_children_complete(&parent);
        }
        self.tracking.parent(node)
    }

    /// Notes of an address, by how it is shown, that all is done that came of it.
    pub(super) fn note_children_complete(&mut self, parent: &[u8]) {
        self.log_message(&[parent, b": children all complete"].concat());
    }

    /// Of a failure has been told whoever is to know of it.
    pub(super) fn complete_failure(&mut self, node: NodeId) {
        match self.tracking.has_failed(node) {
            true => self.tracking.keep_failure_told(node),
            false => self.complete(node),
        }
    }

    /// The same for all that somebody was told of.
    pub(super) fn complete_failures(&mut self, failed: &[Undone]) {
        for one in super::report::settled(failed) {
            self.complete_failure(one.node);
        }
    }

    /// Notes that deliveries were made. Whether all that there are have arrived with that, and
    /// nobody is to be told of anything.
    pub(super) fn ends_with(&mut self, made: usize, arrived: usize) -> bool {
        self.pending = self.pending.saturating_sub(made);
        self.all_arrived &= made == arrived;
        self.pending == 0 && self.has_good_news_only()
    }

    pub(super) fn fail(&mut self, failed: Undone) {
        self.fail_behind(0, failed);
    }

    /// The same, behind so many others.
    pub(super) fn fail_behind(&mut self, others: usize, mut failed: Undone) {
        self.freezes |= failed.why.freezes;
        failed.order = self.undone;
        self.undone += 1;
        self.failed.insert(others, failed);
    }

    /// Somebody is not tried, and stays, without a word.
    pub(super) fn leave(&mut self) {
        self.left += 1;
    }

    pub(super) fn defer(&mut self, mut waits: Undone) {
        self.freezes |= waits.why.freezes;
        waits.order = self.undone;
        self.undone += 1;
        self.deferred.insert(0, waits);
    }

    /// Who has to wait, the latest first.
    pub(super) fn waiting(&self) -> &[Undone] {
        &self.deferred
    }

    /// A number that a variable has.
    pub(super) fn text_of(&mut self, variable: Var) -> Vec<u8> {
        self.cx.value_of(variable).bytes().to_vec()
    }

    /// Who is told of failures of an address: the message's sender, unless a router said
    /// otherwise.
    pub(super) fn errors_to(&self, address: &Address) -> Str {
        match &address.attached.errors_to {
            Some(other) => other.clone(),
            None => Str::tainted(&self.file().sender[..]),
        }
    }
}
