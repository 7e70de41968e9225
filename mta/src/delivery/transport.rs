//! Deliveries are made: transports are asked, and what they say is kept.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eximious::acl::OwnMessage;
use eximious::filter::Notice;
use eximious::hints::{Waiting, WorkingTurn, transport_key};
use eximious::route::{Delivery, Routes};
use eximious::transport::{
    Delivering, Downconversion, Outcome, StandIn, TakingHost, TransportBounds, Undelivered,
};
use eximious::world::{LogLine, LogVoice, Moment};
use eximious::{LogSelector, Str, var};

use super::attempt::{Attempt, Expired, Undone};
use super::errand::{Errand, Made, OwnSender};
use super::journal::Journal;
use super::log::Subject;
use super::report::{Arrival, Arrived, is_of_reply};
use super::retry::{Verdict, store};
use super::routing::Planned;
use super::stand_ins::Before;
use super::tracking::NodeId;
use super::unrouted::{LateWords, ToldLate};
use crate::tally;

/// The number of what is not tried because too much runs already.
const TOO_MANY: i32 = -57;

/// The number of what a host said of a recipient for now.
const OF_RECIPIENT: i32 = -44;

/// The number of what is not tried, because the time of its hosts has not come.
pub(super) const NOT_DUE: i32 = -54;

/// How a delivery was made, for all of its addresses.
pub(super) struct Conclusion<'c> {
    /// Whether the address is the first that the copy went to.
    pub(super) is_first: bool,
    /// The sender as the message left.
    pub(super) path: &'c Str,
    /// When the delivery began.
    pub(super) began: Moment,
    /// Whether the time for its hosts has run out, or for what they say of it.
    pub(super) of_hosts: Verdict,
    /// What a command wrote, of all that one delivery is for.
    pub(super) output: &'c Arc<[u8]>,
    /// The number of the delivery that it was part of.
    pub(super) group: usize,
    /// Whether somebody was told the address.
    pub(super) is_told: bool,
    /// Whether a host has answered with an error.
    pub(super) is_answered: bool,
    /// The host that was asked last, whether it could be reached or not.
    pub(super) asked: Option<&'c TakingHost>,
}

/// What the addresses of a delivery, by their places, are known by.
pub(super) fn nodes_at(planned: &[Planned], places: &[usize]) -> Vec<NodeId> {
    places.iter().filter_map(|at| planned.get(*at)).map(|one| one.node).collect()
}

impl<'d> Attempt<'d> {
    /// What one delivery may take at once by the transport of an address.
    pub(super) fn bounds_of(&mut self, planned: &Planned) -> Result<TransportBounds, Undelivered> {
        let routes = self.routes().clone();
        routes.introduce(&mut self.cx, &[&planned.delivery]);
        let bounds = match planned.delivery.transport {
            Some(number) => routes.bounds(&mut self.cx, number),
            None => Ok(TransportBounds::default()),
        };
        routes.dismiss(&mut self.cx, &[&planned.delivery]);
        bounds
    }

    /// Whether the message is too large for the transport of an address.
    pub(super) fn is_too_large(&mut self, planned: &Planned) -> bool {
        let routes = self.routes().clone();
        routes.introduce(&mut self.cx, &[&planned.delivery]);
        let (transport, size) = (planned.delivery.transport, self.message.size);
        let refused = transport.and_then(|number| routes.refuses_size(&mut self.cx, number, size));
        routes.dismiss(&mut self.cx, &[&planned.delivery]);
        refused.is_some()
    }

    /// A turn among the deliveries by a transport, where their number is bounded. Where hints
    /// can't be had, it isn't.
    fn turn(
        &mut self,
        transport: usize,
        first: &Planned,
    ) -> Result<Option<WorkingTurn>, Undelivered> {
        let routes = self.routes().clone();
        let name = routes.transport_name(transport).bytes();
        let most = match routes.most_at_once(&mut self.cx, transport) {
            Ok(Some(most)) => most,
            Ok(None) => return Ok(None),
            Err(why) => {
                let head = [b"Failed to expand max_parallel option in ", name, b" transport ("];
                let parts = [&head.concat(), first.delivery.address.text.bytes(), b"): ", &why];
                self.cx.log().panic(&parts.concat());
                return Err(Undelivered::new(-1, why).panicking());
            }
        };
        let key = transport_key(name);
        let why = || Undelivered::new(TOO_MANY, "concurrency limit reached for transport");
        match WorkingTurn::begin(&self.cx, key, most) {
            Ok(turn) => turn.map(Some).ok_or_else(why),
            Err(_) => Ok(None),
        }
    }

    /// Makes a delivery, to one address or several.
    pub(super) fn deliver_together(&mut self, planned: &[Planned]) {
        let Some(errand) = self.errand(planned) else { return };
        let own: Vec<NodeId> = planned.iter().map(|one| one.node).collect();
        let tracking = &self.tracking;
        let journal = RefCell::new(Journal {
            taken: &mut *self.taken,
            kept: &mut self.kept,
            log: self.cx.log(),
            tracking,
        });
        let hand_over = |directory: &[u8]| {
            let others = tracking.all_but(&own).into_iter();
            let lines: Vec<u8> = others.flat_map(|one| [one, b"\n"].concat()).collect();
            journal.borrow().taken.hand_over(directory, &lines)
        };
        let keep = |some: &[usize]| journal.borrow_mut().keep(&nodes_at(planned, some));
        let made = errand.run(&mut self.cx, &hand_over, &keep);
        self.keep_made(planned, &made);
        self.conclude_all(planned, made);
    }

    /// What there is to know of a delivery to make it; nothing where it is not made now,
    /// which is told then.
    pub(super) fn errand<'p>(&mut self, planned: &'p [Planned]) -> Option<Errand<'p>>
    where
        'd: 'p,
    {
        let began = self.moment();
        let first = planned.first()?;
        let number = first.delivery.transport?;
        let turn = match self.turn(number, first) {
            Ok(turn) => turn,
            Err(why) => {
                planned.iter().for_each(|one| self.stays(one, &why));
                return None;
            }
        };
        let path = self.errors_to(&planned[0].delivery.address);
        let reports = self.reports_for(planned);
        let whole = self.is_wrapped();
        let has = |name| self.stored.file.has(name);
        Some(Errand {
            deliverer: self.deliverer,
            planned,
            number,
            id: self.id.clone(),
            place: self.place.clone(),
            message: self.message.clone(),
            path,
            reports,
            began,
            received: self.file().received,
            sender: Str::tainted(&self.file().sender[..]),
            forced: self.manner.forced || whole,
            follows: self.manner.follows,
            own_hints: self.own_hints.clone(),
            failed_hosts: self.own_hints.hosts_so_far(),
            pretended: self.is_pretended(),
            downconversion: match (has("utf8_downcvt"), has("utf8_optdowncvt") || whole) {
                (true, _) => Downconversion::Always,
                (false, true) => Downconversion::Needed,
                (false, false) => Downconversion::Never,
            },
            whole,
            own: self.sender_of_own(),
            turn,
            cover: self.taken.cover(),
        })
    }

    /// What is done is on disk before anybody is told.
    pub(super) fn keep_made(&mut self, planned: &[Planned], made: &Made) {
        let pairs = planned.iter().zip(&made.done.outcomes);
        let done = pairs.filter(|(_, outcome)| matches!(outcome, Outcome::Delivered(_)));
        let nodes: Vec<NodeId> = done.map(|(one, _)| one.node).collect();
        let over = planned.len() - made.done.stand_ins.len();
        let are_last = self.ends_with(over, nodes.len());
        if !nodes.is_empty() {
            self.keep_done(&nodes, are_last);
        }
    }

    /// What came of a delivery, which is on disk.
    pub(super) fn conclude_all(&mut self, planned: &[Planned], made: Made) {
        let Made { done, path, began, by_address, reports } = made;
        self.show_return_path(&path);
        self.reports.extend(reports);
        let Delivering { outcomes, failed_hosts, good_hosts, refused, .. } = done;
        let Delivering { awaited_hosts, message_log, stand_ins, told, .. } = done;
        message_log.iter().for_each(|line| self.log_message(line));
        let Some(first) = planned.first() else { return };
        let Some(number) = first.delivery.transport else { return };
        let name = self.routes().transport_name(number).clone();
        let domain = first.delivery.address.domain.clone();
        let mut stand_ins: BTreeMap<usize, StandIn> =
            stand_ins.into_iter().map(|one| (one.at, one)).collect();
        let of_hosts = match self.is_wrapped() {
            true => Some(Verdict::Expired),
            false => {
                let mut all = outcomes.iter().enumerate();
                let waits = all.any(|(at, one)| {
                    matches!(one, Outcome::Deferred(_)) && !stand_ins.contains_key(&at)
                });
                let by = (&domain, by_address, done.routed);
                let verdict = self.keep_hosts(&failed_hosts, &good_hosts, by, waits);
                (!failed_hosts.is_empty()).then_some(verdict)
            }
        };
        let by = (&self.id[..], by_address);
        // What was said of a recipient alone is no answer to the others.
        let answers = |number| is_of_reply(number) && number != OF_RECIPIENT;
        let is_answered = failed_hosts.iter().any(|one| answers(one.why.number));
        let now = Before::new(of_hosts, done.passed_by, &failed_hosts, by);
        // What the last host said is what is kept.
        let mut refused: BTreeMap<_, _> = refused.into_iter().collect();
        // Who came along a connection before his time waits for a run: else each further
        // connection would try him for nothing.
        let too_early =
            |one: &Outcome| matches!(one, Outcome::Deferred(why) if why.number == NOT_DUE);
        if !self.manner.follows || !outcomes.iter().all(too_early) {
            self.note_waiting(name.bytes(), awaited_hosts.iter().map(Vec::as_slice));
        }
        self.note_remote(planned, &outcomes);
        let group = self.next_group();
        let expired = self.expired.len();
        let is_remote = self.routes().is_remote(number);
        let (mut copies, mut of_first) = (BTreeSet::new(), None);
        let output: Arc<[u8]> = Arc::from(done.output);
        for (at, (one, outcome)) in planned.iter().zip(outcomes).enumerate() {
            let refused = refused.remove(&at);
            if let Some(hosts) = stand_ins.remove(&at) {
                self.stand_in(one, hosts, now.clone().of_address(refused, outcome));
                continue;
            }
            let before = &one.before;
            let outcome = before.outcome(outcome);
            let (of_hosts, may_wait) = before.with(&now);
            // What his own hosts have said stands before what those say that stand in.
            let refused = before.refused.clone().or(refused);
            let is_refused = refused.is_some();
            let own = match refused {
                // Another host may take him, as long as there is time for it; that is looked at
                // for the first one alone.
                Some(why) => match self.keep_refusal(&one.delivery, &why) {
                    _ if may_wait && at == 0 => Verdict::Again,
                    verdict => verdict,
                },
                None => {
                    self.forget_refusal(&one.delivery);
                    of_hosts
                }
            };
            let is_deferred = matches!(outcome, Outcome::Deferred(_));
            if at == 0 && is_remote && !one.delivery.stands_in {
                of_first = Some(if is_deferred { own } else { Verdict::Again });
            }
            // What is wrong with hosts is known of the first one, and all who wait share his fate;
            // for somebody who was refused by himself, the time may run out before.
            let of_first = of_first.filter(|_| is_deferred);
            let is_alone = at > 0 && is_refused && own == Verdict::Expired;
            let of_hosts = of_first.filter(|_| !is_alone).unwrap_or(own);
            if is_deferred {
                self.waits_for_own(before);
            }
            let is_first = match &outcome {
                Outcome::Delivered(done) => {
                    let host = done.host.as_ref().map(|host| host.address);
                    copies.insert((host, done.local.clone(), done.copy))
                }
                _ => false,
            };
            let output = &output;
            // What was said of a recipient alone, at RCPT or after the text (LMTP, PRDR), stands
            // by itself, and comes first.
            // So does each to whom a local transport delivers.
            let is_own = match of_first {
                Some(_) => is_alone,
                None => {
                    !is_remote
                        || is_refused
                        || failed_hosts.is_empty()
                            && matches!(&outcome, Outcome::Deferred(why) if why.number == 0)
                }
            };
            let group = if is_own { self.next_group() } else { group };
            let is_told = told.contains(&at);
            let path = &path;
            let is_answered = is_answered || is_refused;
            let asked = failed_hosts.last().map(|one| &one.host);
            let about = Conclusion {
                is_first,
                path,
                began,
                of_hosts,
                output,
                group,
                is_told,
                is_answered,
                asked,
            };
            self.conclude(one, outcome, &about);
        }
        self.expired[expired..].sort_by_key(|one| one.group != group);
        Routes::leave_host(&mut self.cx);
    }

    /// The sender as the message leaves, where no transport says otherwise.
    pub(super) fn show_return_path(&mut self, path: &Str) {
        self.message.return_path = path.clone();
        self.cx.set_var(var::RETURN_PATH, path.clone());
    }

    /// Notes that the message waits for hosts.
    fn note_waiting<'n>(&self, transport: &[u8], hosts: impl Iterator<Item = &'n [u8]>) {
        let noted = Waiting::note(&*store(&self.cx), transport, hosts, &self.id, self.now());
        if let Err(error) = noted {
            self.log(format!("who waits for hosts can't be kept: {error}").as_bytes());
        }
    }

    /// Notes for which hosts deliveries wait that are not made now, so that they go along one
    /// connection then.
    pub(super) fn note_hosts(&self, planned: &[Planned]) {
        for Planned { delivery, .. } in planned {
            let Some(transport) = delivery.transport else { continue };
            let name = self.routes().transport_name(transport).bytes();
            self.note_waiting(name, delivery.hosts.iter().map(|one| one.name.as_bytes()));
        }
    }

    /// What sends messages that come of this attempt's deliveries.
    fn sender_of_own(&self) -> OwnSender<'d> {
        OwnSender {
            deliverer: self.deliverer,
            place: self.place.clone(),
            about: Str::from(&self.id[..]),
            at_once: !self.file().sender.is_empty(),
            manner: self.manner.of_reports(self.cx.engine().settings()),
            pretended: self.is_pretended(),
        }
    }

    /// Sends a notification that a filter wants. Whether it goes is nobody's concern.
    pub(super) fn notify(&mut self, delivery: &Delivery, notice: &Notice) {
        let Ok(user) = self.user_of(delivery) else { return };
        let sender = match self.file().sender.is_empty() {
            true => Vec::new(),
            false => notice.sender.bytes().to_vec(),
        };
        let own = OwnMessage { sender, text: notice.letter() };
        let mut cx = self.deliverer.context();
        // It does not wait, whoever sent the message.
        let own_sender = OwnSender { at_once: true, ..self.sender_of_own() };
        let (_, name) = own_sender.send(&mut cx, &user, &own);
        self.reports.extend(name);
    }

    /// What came of one delivery.
    pub(super) fn conclude(&mut self, planned: &Planned, outcome: Outcome, about: &Conclusion<'_>) {
        let &Conclusion { is_first, path, began, of_hosts, output, group, .. } = about;
        let &Conclusion { is_told, is_answered, asked, .. } = about;
        let outcome = match outcome {
            // There is no other time. What is wrong here is told as it always is.
            Outcome::Deferred(why) if self.is_wrapped() && !why.panics => Outcome::Failed(why),
            outcome => outcome,
        };
        let Planned { node, delivery, .. } = planned;
        let routes = self.routes();
        let router = routes.router_name(delivery.router).clone();
        let silent = self.is_silent(delivery);
        let transport = delivery.transport.map(|number| routes.transport_name(number).clone());
        let is_local = delivery.transport.is_none_or(|number| !routes.is_remote(number));
        let is_answered_to =
            delivery.transport.is_none_or(|number| routes.transport_is_answered(number));
        let is_short = is_local && routes.router_logs_as_local(delivery.router);
        let kind = outcome.kind();
        let asks = self.asks_reports(*node, Some(delivery.router));
        let subject = |is_local| {
            let subject = Subject::of(delivery, &router, transport.as_ref(), is_local);
            Subject { asks, ..subject.told_by(routes, delivery, is_told) }
        };
        let is_for = delivery.hosts.first().filter(|_| is_local).map(|host| &host.name[..]);
        let shown = Subject { is_for, ..subject(is_short) };
        let whole = subject(false);
        let name = transport.as_ref().map_or(&b""[..], Str::bytes);
        // An address whose time has not come is not counted.
        let is_due = !matches!(&outcome, Outcome::Deferred(why) if why.number == NOT_DUE);
        if is_due {
            let host = outcome.host().or(asked).map(|host| &host.name[..]);
            tally::address(&mut self.cx, name, host, kind);
        }
        match outcome {
            Outcome::Delivered(done) => {
                let mark = match is_first {
                    _ if self.file().has("N") => "*>",
                    true => "=>",
                    false => "->",
                };
                // Of those that go together, one is warned.
                if is_first && let Some(text) = &done.warning {
                    self.warn(text);
                }
                let line = self.delivered_line(mark, &shown, &done, Some(path), began);
                self.tell_unless(silent, &line);
                let said = done.confirmation.as_deref().unwrap_or_default();
                let (host, proxy) = (done.host.as_deref(), done.proxy.as_deref().copied());
                self.tell_transport(delivery, "msg:delivery", said, host, proxy);
                let end = [b": ", name, b" transport succeeded"].concat();
                let line = [&self.named_with_parent(&whole)[..], &end].concat();
                let parent = self.complete_own(*node);
                self.log_message(&line);
                if is_local {
                    self.forget_failure(&self.local_retry(planned).key);
                }
                let how = match delivery.transport.is_some_and(|one| routes.is_remote(one)) {
                    false => Some(Arrived::Here),
                    true if routes.is_last_hop(delivery.router) => Some(Arrived::LastHop),
                    true => (!done.reports).then_some(Arrived::Unaware),
                };
                if let Some(how) = how {
                    self.note_arrival(Arrival {
                        node: *node,
                        how,
                        host: done.host.map(|host| *host),
                    });
                }
                self.complete_parents(parent);
            }
            Outcome::Deferred(why) => {
                let is_tried = !self.is_abandoned() && !why.is_untried;
                let retry = (is_local && is_tried).then(|| self.local_retry(planned));
                let line = self.trouble_line(&whole, &why, (true, Some(began)));
                let marked = line.marked("==");
                // The pass that follows says it again.
                let is_untold = why.number == 0 && self.manner.is_first_pass;
                match why.panics {
                    _ if is_untold => {}
                    true => self.cx.log().told(LogVoice::Panic, &marked),
                    false => self.tell_put_off(why.number, silent, &marked),
                }
                if !is_untold {
                    self.log_message_put_off(&why, line.text());
                }
                let waits = Undone::new(*node, &delivery.address, whole.is_direct, why);
                let undone = Undone { is_silent: silent, ..waits };
                // Whoever sent it learns of its end by a bounce; where there is none, the
                // transport is told, and of no host.
                let told = self.file().sender.is_empty().then(|| {
                    let told = match (is_local, is_answered_to) {
                        (false, _) => LateWords::Replied,
                        (true, true) => LateWords::All,
                        (true, false) => LateWords::None,
                    };
                    let delivery = Delivery { hosts: Vec::new(), ..Delivery::clone(delivery) };
                    ToldLate::Transport(Box::new(delivery), told)
                });
                let waits = Expired { undone, group, told, is_answered };
                let is_late = !is_local && of_hosts == Verdict::Expired && !self.is_wrapped();
                match retry {
                    Some(retry) => self.put_off_here.push((retry, waits)),
                    // The host's fault is kept with the host.
                    None if is_late => self.expired.push(waits),
                    None => self.defer(waits.undone),
                }
            }
            Outcome::Failed(why) => {
                // What was not tried had no return path yet.
                let path = Some(path).filter(|_| !why.is_untried);
                if is_local && !why.is_untried {
                    self.forget_failure(&self.local_retry(planned).key);
                }
                let mut line = self.failure_line(&whole, &why, path);
                let said = if is_answered_to { &why.message } else { &b""[..] };
                let host = why.host.as_deref();
                self.tell_transport(delivery, "msg:fail:delivery", said, host, None);
                line.words(&self.took(Some(began)));
                self.tell_unless(silent, &line.marked("**"));
                self.log_message(line.text());
                let failed = Undone::new(*node, &delivery.address, whole.is_direct, why);
                let undone = Undone { output: output.clone(), is_silent: silent, ..failed };
                // Where nobody can be told, it waits for somebody who looks after it, as long
                // as there is time for the hosts that could not be reached.
                let is_late = !is_local && of_hosts == Verdict::Expired;
                match is_late && self.errors_to(&undone.address).is_empty() {
                    true if self.is_wrapped() => self.defer(undone),
                    true => self.expired.push(Expired { undone, group, told: None, is_answered }),
                    false => self.fail(undone),
                }
            }
        }
    }

    /// Whether the message's deliveries are only pretended (`-N`).
    pub(super) fn is_pretended(&self) -> bool {
        self.stored.file.has("N")
    }

    /// Sends a message that warns somebody of a full mailbox.
    fn warn(&mut self, text: &[u8]) {
        let header = super::report::warning_header(self, text);
        let own = OwnMessage { sender: Vec::new(), text: [&header, text].concat() };
        let (done, name) = self.hand_in(&own);
        if done.kept {
            self.send_report(name.bytes().to_vec());
        }
    }

    /// A delivery that is not made now, for no fault of anybody's.
    pub(super) fn stays(&mut self, planned: &Planned, why: &Undelivered) {
        let line = self.put_off(planned, why);
        let marked = line.marked("==");
        match why.panics {
            true => self.cx.log().told(LogVoice::Panic, &marked),
            false => self.tell_put_off(why.number, false, &marked),
        }
        self.log_message_put_off(why, line.text());
    }

    /// A delivery whose time has not come.
    pub(super) fn waits(&mut self, planned: &Planned, why: &Undelivered) {
        let line = self.put_off(planned, why);
        if !self.is_silent(&planned.delivery) {
            self.tell_if(LogSelector::RETRY_DEFER, &line.marked("=="));
        }
        self.log_message_put_off(why, line.text());
    }

    /// Whether the main log is to be told nothing of a delivery (`disable_logging`).
    fn is_silent(&self, delivery: &Delivery) -> bool {
        let routes = self.routes();
        routes.router_is_silent(delivery.router)
            || delivery.transport.is_some_and(|number| routes.transport_is_silent(number))
    }

    fn put_off(&mut self, planned: &Planned, why: &Undelivered) -> LogLine {
        let routes = self.routes();
        let router = routes.router_name(planned.delivery.router).clone();
        let transport = planned.delivery.transport.map(|one| routes.transport_name(one).clone());
        let subject = Subject::of(&planned.delivery, &router, transport.as_ref(), false);
        let asks = self.asks_reports(planned.node, Some(planned.delivery.router));
        let subject = Subject { asks, ..subject.told_by(routes, &planned.delivery, false) };
        let line = self.trouble_line(&subject, why, (true, None));
        let is_direct = subject.is_direct;
        let address = &planned.delivery.address;
        self.defer(Undone::new(planned.node, address, is_direct, why.clone()));
        line
    }
}

/// Whether two deliveries to other hosts go in one.
pub(super) fn goes_with(first: &Delivery, other: &Delivery) -> bool {
    carries_the_same(first, other) && first.hosts == other.hosts
}

/// Whether one transport takes two deliveries, for the same user, with the same sender and
/// the same changes of the header.
pub(super) fn carries_the_same(first: &Delivery, other: &Delivery) -> bool {
    let (one, two) = (&first.address.attached, &other.address.attached);
    first.transport == other.transport
        && one.errors_to == two.errors_to
        && one.headers_add == two.headers_add
        && one.headers_remove == two.headers_remove
        && first.identity == other.identity
}
