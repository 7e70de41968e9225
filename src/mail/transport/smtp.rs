//! `smtp`: to other hosts, by SMTP or LMTP (specification, chapter 30).

mod arc;
mod bounds;
mod dkim;
mod envelope;
mod held;
mod hosts;
mod international;
mod logged;
mod opening;
mod refused;
mod rules;
mod session;
mod signing;
mod stop;
mod submitter;
mod told;
mod tries;
mod turn;
mod undelivered;

use std::net::SocketAddr;

use eximious_core::Str;
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::{HostStanding, Outcome, Outgoing, TakingHost, Transport, TransportCall, Undelivered};
use crate::Context;
use crate::mail::smtp_client::Endpoint;
use crate::mail::smtp_transport::{Asker, endpoint_at, forget_ends, port};
use held::Line;
pub use held::{Connections, HeldConnection, NoConnections};
use hosts::HostList;
pub(crate) use international::converts_by;
pub(super) use rules::RULES;
use session::Attempt;
pub(in crate::mail::transport) use stop::retry_error;
pub(crate) use submitter::authenticated_sender;
use told::{PutOff, tell_put_off};
use tries::Tries;
use turn::HostTurn;

/// How many hosts were to be tried, and none might be.
const NOT_YET: i32 = -54;
/// Something about the delivery makes no sense.
const UNKNOWN: i32 = -1;

pub(super) fn run(call: &mut TransportCall<'_>) -> Vec<Outcome> {
    let count = call.consignment.deliveries.len();
    let all = |why: Undelivered| vec![Outcome::Deferred(why); count];
    if has_long_lines(call) {
        let why = Undelivered::new(0, "message has lines too long for transport");
        return vec![Outcome::Failed(why); count];
    }
    match hosts::of(call) {
        Ok(hosts) => Work::new(count).run(call, hosts),
        Err(why) => all(why),
    }
}

/// Whether a line that was received is longer than what is sent
/// (`message_linelength_limit`).
fn has_long_lines(call: &mut TransportCall<'_>) -> bool {
    let limit = call.transport.get(smtp::MESSAGE_LINELENGTH_LIMIT);
    let longest = call.cx.value_of(var::MAX_RECEIVED_LINELENGTH).display().to_string();
    longest.parse::<i64>().is_ok_and(|longest| longest > limit)
}

/// What is to be done, and what was done.
struct Work {
    /// What came of each address, as far as that is known.
    outcomes: Vec<Option<Outcome>>,
    /// Why those that are left are deferred: of each, what was heard last.
    troubles: Vec<Option<Undelivered>>,
    /// Whether a host was passed by because its time has not come.
    waits: bool,
    /// Whether one was because it failed just now.
    failed_now: bool,
    /// Whether a host was passed by because somebody else speaks with it.
    busy: bool,
    /// Whether one was because enough others were tried.
    enough: bool,
    /// How many were tried.
    tried: i64,
    /// The one that a connection could be opened to last, and from where.
    reached: Option<(TakingHost, Option<SocketAddr>)>,
    /// What the last one that was tried put off as a whole.
    put_off: Vec<PutOff>,
    /// Whether a connection had to be ended though the host is as good as ever.
    breaks_off: bool,
    /// The addresses that it was not asked about by then.
    unasked: Vec<usize>,
    /// Whether it is for hosts that addresses have to wait.
    awaits_hosts: bool,
    /// Whether a host was spoken with that put the message, or somebody, off: then it is not
    /// for hosts that addresses wait.
    was_answered: bool,
    /// Whether no other host is of use, whatever it says.
    is_over: bool,
}

impl Work {
    fn new(count: usize) -> Self {
        Self {
            outcomes: vec![None; count],
            troubles: vec![None; count],
            waits: false,
            failed_now: false,
            busy: false,
            enough: false,
            tried: 0,
            reached: None,
            put_off: Vec::new(),
            breaks_off: false,
            unasked: Vec::new(),
            awaits_hosts: false,
            was_answered: false,
            is_over: false,
        }
    }

    /// The addresses of which nothing is known yet.
    fn left(&self) -> Vec<usize> {
        (0..self.outcomes.len()).filter(|at| self.outcomes[*at].is_none()).collect()
    }

    fn run(mut self, call: &mut TransportCall<'_>, hosts: hosts::Hosts) -> Vec<Outcome> {
        call.done.routed = hosts.list.are_routed();
        if self.try_each(call, &hosts.list) && !call.consignment.whole {
            let left = self.left();
            let stand_ins = hosts.stand_ins.into_iter();
            call.done.stand_ins = stand_ins.filter(|one| left.contains(&one.at)).collect();
        }
        let is_passed_by = self.waits || self.failed_now || self.busy;
        let awaits_hosts = (is_passed_by || self.awaits_hosts) && !self.was_answered;
        if awaits_hosts && !self.left().is_empty() {
            let names = hosts.list.hosts.iter().map(|one| one.name.clone().into_bytes());
            call.done.awaited_hosts = names.collect();
            call.done.awaited_hosts.dedup();
        }
        // Where none may be tried at all, none is left out.
        let leaves_out = self.enough && self.tried > 0;
        call.done.passed_by = is_passed_by || leaves_out;
        if !call.done.passed_by && self.tried == 0 {
            let delays = call.transport.on(smtp::DELAY_AFTER_CUTOFF);
            let has_trouble = |at: &usize| self.troubles[*at].is_some();
            let left: Vec<usize> = self.left().into_iter().filter(|at| !has_trouble(at)).collect();
            for at in left {
                let delivery = call.consignment.deliveries[at];
                let why = given_up(delivery.address.domain.bytes(), delays);
                let why = Undelivered::new(NOT_YET, why);
                // Where there are others, there is always another time.
                let has_others = call.done.stand_ins.iter().any(|one| one.at == at);
                match has_others || delivery.stands_in {
                    true => self.defer(&[at], &why),
                    false => self.settle(&[at], &Outcome::Failed(why)),
                }
            }
        }
        let said: Option<(&[u8], &[u8])> = match (self.waits, self.busy, self.failed_now) {
            (true, ..) => Some((b"retry time not reached for any host for '", b"'")),
            (_, true, _) => Some((b"connection limit reached for all hosts for '", b"'")),
            (.., true) => Some((b"all host address lookups for '", b"' failed temporarily")),
            _ => None,
        };
        // Each address is told with its own domain.
        let domains = call.consignment.deliveries.iter().map(|one| &one.address.domain);
        let nothing = |domain: &Str| match said {
            Some((head, tail)) => Undelivered::new(NOT_YET, [head, domain.bytes(), tail].concat()),
            None => Undelivered::new(UNKNOWN, "all hosts are unusable"),
        };
        let troubles = self.troubles.into_iter().zip(domains);
        let left = |(trouble, domain): (Option<Undelivered>, &Str)| {
            Outcome::Deferred(trouble.unwrap_or_else(|| nothing(domain)))
        };
        let all: Vec<Outcome> = self
            .outcomes
            .into_iter()
            .zip(troubles)
            .map(|(outcome, trouble)| outcome.unwrap_or_else(|| left(trouble)))
            .collect();
        tell_put_off(call, &self.put_off, &all);
        call.cx.unset_var(var::EVENT_DEFER_ERRNO);
        all
    }

    /// Tries hosts, one after the other; whether others may be tried then.
    fn try_each(&mut self, call: &mut TransportCall<'_>, list: &HostList) -> bool {
        let transport = call.transport;
        let most = [smtp::HOSTS_MAX_TRY, smtp::HOSTS_MAX_TRY_HARDLIMIT];
        let [most, limit] = most.map(|option| transport.get(option));
        let delays = transport.on(smtp::DELAY_AFTER_CUTOFF);
        // A host that is spoken to already comes first.
        let name = call.transport.name.bytes();
        let is_held = |host: &&RouteHost| call.consignment.connections.has(name, &host.name);
        let (held, others): (Vec<&RouteHost>, Vec<&RouteHost>) =
            list.hosts.iter().partition(is_held);
        let hosts: Vec<&RouteHost> = held.into_iter().chain(others).collect();
        let asker = Asker::Delivery(&transport.name);
        let port = match port(call.cx, transport, &asker) {
            Ok(port) => port,
            Err(why) => {
                let why = Undelivered::new(UNKNOWN, why).panicking();
                self.defer(&self.left(), &why);
                return false;
            }
        };
        // Whatever connection went before.
        forget_ends(call.cx);
        let mut tries = Tries::new(most, limit);
        let mut next = 0;
        while let Some(&host) = hosts.get(next) {
            let at = next;
            next += 1;
            let left = self.left();
            if left.is_empty() || tries.are_over() {
                return true;
            }
            if let Some(why) = list.refusal(call, host) {
                let (host, local) = self.last_reached();
                let why = Undelivered { host, local, ..why };
                self.defer(&left, &why);
                return true;
            }
            let Some(taking) = TakingHost::of(host) else {
                self.awaits_hosts |= list.may_be_found(host);
                self.defer(&left, &list.not_found(host));
                continue;
            };
            let address = taking.address;
            taking.show(call.cx, call.consignment.deliveries[0]);
            let (endpoint, wrong) = endpoint_at(call.cx, transport, port, host, address, &asker);
            if let Some(why) = wrong {
                let why = Undelivered::new(UNKNOWN, why).panicking();
                self.defer(&left, &why);
                return false;
            }
            let taking = TakingHost { port: endpoint.port, from: endpoint.interface, ..taking };
            let standing = (call.consignment.may_try)(&taking);
            match standing {
                HostStanding::Due | HostStanding::Overdue if tries.are_enough() => {
                    self.enough = true;
                    return true;
                }
                HostStanding::Due | HostStanding::Overdue => {}
                HostStanding::Waits | HostStanding::MessageWaits => {
                    self.waits = true;
                    // What the host said of the message stands, whoever else has a connection.
                    self.was_answered |= standing == HostStanding::MessageWaits;
                    continue;
                }
                HostStanding::FailedNow => {
                    self.failed_now = true;
                    continue;
                }
                HostStanding::GivenUp { tried } if tried || delays => continue,
                HostStanding::GivenUp { .. } => {}
            }
            let (mut line, mut turn) = match self.held(call, host, &taking, &endpoint) {
                Some((line, turn)) => (Some(line), turn),
                None => match HostTurn::begin(call, host, address) {
                    Some(turn) => (None, Some(turn)),
                    None => {
                        self.busy = true;
                        continue;
                    }
                },
            };
            self.tried += 1;
            self.put_off.clear();
            tries.note();
            let mut left = self.left();
            loop {
                self.unasked.clear();
                let log = call.cx.log();
                let is_alone = turn.as_ref().is_some_and(HostTurn::is_alone);
                let mut attempt = Attempt {
                    call: &mut *call,
                    outgoing: Outgoing::default(),
                    signatures: None,
                    signed: Vec::new(),
                    submitter: None,
                    host,
                    taking: taking.clone(),
                    endpoint: endpoint.clone(),
                    work: &mut *self,
                    is_last: at + 1 == hosts.len(),
                    is_alone,
                    is_continued: false,
                    local: None,
                    proxy: None,
                    first_words: None,
                    put_off: Vec::new(),
                    put_off_late: Vec::new(),
                    once_more: Vec::new(),
                    lost: None,
                    log: Box::new(move |line| log.panic(line)),
                };
                if let Some(line) = attempt.run(&left, line.take()) {
                    let name = &call.transport.name;
                    let held = HeldConnection::new(name, &taking, line, turn.take());
                    call.consignment.connections.keep(held);
                }
                if self.is_over {
                    return false;
                }
                // Whom the host has put off is not asked for again.
                let before = std::mem::replace(&mut left, std::mem::take(&mut self.unasked));
                let is_less = left.len() < before.len();
                if !std::mem::take(&mut self.breaks_off) || !is_less || left.is_empty() {
                    break;
                }
            }
            // Whether it counts matters where another one may be tried.
            let may_go_on = next < hosts.len() && !self.left().is_empty();
            let is_due = standing == HostStanding::Due;
            if may_go_on && is_due && !(call.consignment.is_overdue)(&taking) {
                next = tries.count(&hosts, at);
            }
        }
        true
    }

    /// A connection to a host that is there already, and whoever has a turn with it.
    fn held(
        &self,
        call: &mut TransportCall<'_>,
        host: &RouteHost,
        taking: &TakingHost,
        endpoint: &Endpoint,
    ) -> Option<(Line, Option<HostTurn>)> {
        let held = call.consignment.connections.take(call.transport.name.bytes(), taking)?;
        taking.show(call.cx, call.consignment.deliveries[0]);
        if held.line.suits(call, host, endpoint) {
            return Some((held.line, held.turn));
        }
        match held.is_serial() {
            true => call.routes.hang_up(call.cx, held),
            false => call.consignment.connections.keep(held),
        }
        None
    }

    /// Notes who has got the message, where there are others who have not.
    fn keep_arrived(&self, call: &TransportCall<'_>) {
        if self.outcomes.iter().all(Option::is_some) {
            return;
        }
        let all = self.outcomes.iter().enumerate();
        let arrived = all.filter(|(_, one)| matches!(one, Some(Outcome::Delivered(_))));
        let arrived: Vec<usize> = arrived.map(|(at, _)| at).collect();
        if !arrived.is_empty() {
            (call.consignment.keep)(&arrived);
        }
    }

    /// The host that could be reached last, and from where, for what is said of another one.
    fn last_reached(&self) -> (Option<Box<TakingHost>>, Option<Box<SocketAddr>>) {
        match &self.reached {
            Some((host, local)) => (Some(Box::new(host.clone())), local.map(Box::new)),
            None => (None, None),
        }
    }

    /// That addresses are deferred, unless another host takes them.
    fn defer(&mut self, which: &[usize], why: &Undelivered) {
        which.iter().for_each(|at| self.troubles[*at] = Some(why.clone()));
    }

    fn settle(&mut self, which: &[usize], outcome: &Outcome) {
        which.iter().for_each(|at| self.outcomes[*at] = Some(outcome.clone()));
    }
}

/// Why addresses of a domain fail without a try.
fn given_up(domain: &[u8], delays: bool) -> Vec<u8> {
    let tail: &[u8] = match delays {
        true => b"(and retry time not reached)",
        false => b"and were last tried after this message arrived",
    };
    let head = b"all hosts for '".as_slice();
    [head, domain, b"' have been failing for a long time ", tail].concat()
}

/// How many recipients a transaction has at the most; nothing where there is no limit, as where
/// the option does not begin with a number.
pub(super) fn most_recipients(cx: &mut Context, transport: &Transport) -> Option<usize> {
    let text = transport.expand_some(cx, smtp::MAX_RCPT)?.ok()?;
    let digits = text.bytes().trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let number: usize = std::str::from_utf8(&digits[..end]).ok()?.parse().ok()?;
    Some(number).filter(|number| *number > 0)
}
