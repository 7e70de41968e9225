//! A delivery by a transport, with all that it takes to make it: another thread may do so.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use eximious::acl::OwnMessage;
use eximious::hints::WorkingTurn;
use eximious::route::{Delivery, Routes};
use eximious::trace::{DeliveryEvent, Happening};
use eximious::transport::{
    Connections, Consignment, Delivered, Delivering, Downconversion, DsnRequests, HostStanding,
    LocalUser, NoConnections, Outcome, TakingHost, Undelivered,
};
use eximious::world::{MailboxCover, Moment, SpoolError, SpoolPlace};
use eximious::{Context, Message, Str, var};

use super::kept::MessageConnections;
use super::retry::{FailedBefore, HostMemory, OwnHints};
use super::routing::Planned;
use super::{AttemptManner, Deliverer};
use crate::submission::own::{Occasion, hand_in_as};

/// How variables of ACLs begin (`$acl_c0`, `$acl_m_x`).
const OF_ACLS: &[u8] = b"acl_";

/// A delivery that is to be made.
pub(super) struct Errand<'p> {
    pub(super) deliverer: &'p Deliverer,
    /// To whom, by one transport.
    pub(super) planned: &'p [Planned],
    /// The transport's number.
    pub(super) number: usize,
    pub(super) id: Vec<u8>,
    pub(super) place: SpoolPlace,
    pub(super) message: Message,
    /// Who is told of failures.
    pub(super) path: Str,
    pub(super) reports: DsnRequests,
    pub(super) began: Moment,
    /// When the message came.
    pub(super) received: i64,
    pub(super) sender: Str,
    /// Whether hosts are tried whose time has not come.
    pub(super) forced: bool,
    /// Whether the message is tried because there is a connection.
    pub(super) follows: bool,
    /// What the attempt has noted of hosts.
    pub(super) own_hints: OwnHints,
    /// The hosts that have failed before in the same attempt ([`OwnHints::hosts_so_far`]).
    pub(super) failed_hosts: BTreeMap<Vec<u8>, FailedBefore>,
    /// Whether nothing is delivered in truth (`-N`).
    pub(super) pretended: bool,
    pub(super) downconversion: Downconversion,
    pub(super) whole: bool,
    /// Who sends messages that come of it.
    pub(super) own: OwnSender<'p>,
    pub(super) turn: Option<WorkingTurn>,
    /// What has it made again where a power failure takes it from a mailbox.
    pub(super) cover: Option<Arc<dyn MailboxCover>>,
}

/// What came of one.
pub(super) struct Made {
    pub(super) done: Delivering,
    /// The sender as the message left.
    pub(super) path: Str,
    pub(super) began: Moment,
    /// Whether each address of a host is known by itself.
    pub(super) by_address: bool,
    /// The names of messages that wait because of it.
    pub(super) reports: Vec<Vec<u8>>,
}

/// Puts the message's files into another directory.
pub(super) type HandsOver<'h> = dyn Fn(&[u8]) -> Result<(), SpoolError> + 'h;

/// Notes that addresses of a delivery, by their places, have got the message, before it is made.
pub(super) type Keeps<'k> = dyn Fn(&[usize]) + 'k;

impl Errand<'_> {
    /// Makes the delivery, in a context that knows the message. Variables that ACLs set
    /// meanwhile are seen by nobody else (specification 61).
    pub(super) fn run(self, cx: &mut Context, hand_over: &HandsOver<'_>, keep: &Keeps<'_>) -> Made {
        let before = cx.family(OF_ACLS);
        let made = self.make(cx, hand_over, keep);
        for (name, _) in cx.family(OF_ACLS) {
            cx.unset(name);
        }
        for (name, value) in before {
            cx.set(name, value);
        }
        made
    }

    fn make(self, cx: &mut Context, hand_over: &HandsOver<'_>, keep: &Keeps<'_>) -> Made {
        let Self { deliverer, planned, number, id, place, mut message, .. } = self;
        let routes = deliverer.server.acls.routes();
        let deliveries: Vec<&Delivery> = planned.iter().map(|one| &*one.delivery).collect();
        let errors_to = self.path.clone();
        cx.set_var(var::RETURN_PATH, errors_to.clone());
        let is_remote = routes.is_remote(number);
        // The size is what counts first; where other hosts get it, the first address's.
        let asked = if is_remote { &deliveries[..1] } else { &deliveries[..] };
        routes.introduce(cx, asked);
        let refused = routes.refuses_size(cx, number, message.size);
        if asked.len() < deliveries.len() {
            routes.introduce(cx, &deliveries);
        }
        let own = if refused.is_none() { routes.return_path(cx, number) } else { Ok(None) };
        let (path, hindered) = match own {
            Ok(own) => (own.unwrap_or(self.path), None),
            Err(why) => (self.path, Some(why)),
        };
        message.return_path = path.clone();
        cx.set_var(var::RETURN_PATH, path.clone());
        super::show_message(cx, message.clone());
        let (mut by_address, mut user) = (false, LocalUser::default());
        let hindered = match hindered {
            None if is_remote && refused.is_none() => {
                let told = may_go_out(cx, routes, number);
                told.map(|told| by_address = told).err()
            }
            None if refused.is_none() => {
                let told = routes.local_user(cx, deliveries[0]);
                let told = told.inspect_err(|why| cx.log().panic(&why.message));
                told.map(|told| user = told).err()
            }
            hindered => hindered,
        };
        let mut own = deliverer.context();
        own.set_var(var::MESSAGE_EXIM_ID, Str::from(&id[..]));
        let memory = HostMemory {
            cx: RefCell::new(own),
            config: &deliverer.config,
            id: &id,
            received: self.received,
            sender: self.sender,
            domain: planned[0].delivery.address.domain.clone(),
            forced: self.forced,
            by_address,
            own: self.own_hints,
            failed: self.failed_hosts,
        };
        let under_way = deliverer.under_way.delivery(deliverer.engine.world(), &id);
        let is_held = |host: &TakingHost| {
            let kept = deliverer.kept.as_ref();
            kept.is_some_and(|kept| kept.leads_to(routes.transport_name(number).bytes(), host))
        };
        let may = |host: &_| {
            let mut standing = memory.standing(host);
            let waits = matches!(standing, HostStanding::Waits | HostStanding::MessageWaits);
            // Who comes because there is a connection does not wait for its host any more.
            if waits && self.follows && is_held(host) {
                standing = HostStanding::Due;
            }
            if matches!(standing, HostStanding::Due | HostStanding::Overdue) {
                under_way.goes_to(&id, host, planned);
            }
            standing
        };
        let is_overdue = |host: &_| memory.is_overdue(host);
        let made = RefCell::new(Vec::new());
        let hand_in = |cx: &mut Context, user: &LocalUser, own: OwnMessage| {
            let send = |cx: &mut _| self.own.send(cx, user, &own);
            let (status, name) = cx.running_commands_as(None, send);
            made.borrow_mut().extend(name);
            status
        };
        let texts: Vec<Vec<u8>> =
            deliveries.iter().map(|one| one.address.text.bytes().to_vec()).collect();
        let name = routes.transport_name(number).clone();
        let begins = DeliveryEvent::To { addresses: &texts, transport: name.bytes() };
        let outer = cx.trace().begin(Happening::Delivery(begins));
        let kept = deliverer.kept.as_ref().map(|kept| MessageConnections {
            deliverer,
            kept,
            place: &place,
            id: &id,
        });
        let connections: &dyn Connections = match &kept {
            Some(kept) => kept,
            None => &NoConnections,
        };
        // In Exim, a transport runs in a process of its user's.
        let commands_user = (!is_remote).then_some((user.uid, user.gid));
        let consignment = Consignment {
            message: &message,
            deliveries: &deliveries,
            return_path: path.clone(),
            errors_to,
            user,
            now: self.began.seconds,
            may_try: &may,
            is_overdue: &is_overdue,
            hand_in: &hand_in,
            hand_over,
            keep,
            cover: self.cover.as_deref(),
            reports: self.reports,
            connections,
            downconversion: self.downconversion,
            whole: self.whole,
            measured: true,
        };
        let put_off = |why: Undelivered| Delivering {
            outcomes: deliveries.iter().map(|_| Outcome::Deferred(why.clone())).collect(),
            ..Delivering::default()
        };
        let done = match (hindered, refused) {
            (Some(why), _) => Some(put_off(why)),
            _ if self.pretended => Some(pretended(&consignment, is_remote)),
            (None, Some(outcome)) => Some(Delivering {
                outcomes: vec![outcome; deliveries.len()],
                ..Delivering::default()
            }),
            (None, None) => {
                cx.running_commands_as(commands_user, |cx| routes.deliver(cx, number, consignment))
            }
        };
        routes.dismiss(cx, &deliveries);
        cx.trace().end(outer);
        drop(self.turn);
        let done = done.unwrap_or_else(|| {
            let parts = [b"the transport ".as_slice(), name.bytes(), b" does not deliver yet"];
            put_off(Undelivered::new(-1, parts.concat()))
        });
        for (address, outcome) in texts.iter().zip(&done.outcomes) {
            let (transport, outcome) = (name.bytes(), outcome.kind());
            cx.tell(Happening::Delivery(DeliveryEvent::Returned { address, transport, outcome }));
        }
        Made { done, path, began: self.began, by_address, reports: made.into_inner() }
    }
}

/// Whether a transport to other hosts, by its number, keeps failures for each of their
/// addresses; or why it can't be used.
fn may_go_out(cx: &mut Context, routes: &Routes, number: usize) -> Result<bool, Undelivered> {
    if let Err(why) = routes.check_remote_user(cx, number) {
        cx.log().panic(&why.message);
        return Err(why.panicking());
    }
    routes.retries_by_address(cx, number)
}

/// Puts messages of deliveries into the spool, and has them delivered.
pub(super) struct OwnSender<'d> {
    pub(super) deliverer: &'d Deliverer,
    pub(super) place: SpoolPlace,
    pub(super) about: Str,
    /// Whether they are delivered at once: there is an end to answers to answers.
    pub(super) at_once: bool,
    /// How that is done.
    pub(super) manner: AttemptManner,
    /// Whether their delivery is only pretended (`-N`).
    pub(super) pretended: bool,
}

impl OwnSender<'_> {
    /// The status, and the name of a message that is left to be delivered.
    pub(super) fn send(
        &self,
        cx: &mut Context,
        user: &LocalUser,
        own: &OwnMessage,
    ) -> (u8, Option<Vec<u8>>) {
        let (about, queue) = (self.about.bytes(), &self.place.queue[..]);
        let occasion = Occasion { about, queue, pretended: self.pretended };
        let (done, name) = hand_in_as(&self.deliverer.server, cx, own, occasion, user);
        let name = name.bytes().to_vec();
        // Who waits for all of it waits for that, too; else it comes behind the message, which
        // is not kept by a host that is slow to take it.
        let within = self.at_once && self.manner.awaits_reports;
        let nested = Nested::enter().filter(|_| within);
        if done.kept && nested.is_some() && !self.deliverer.has_to_wait(self.manner.overrides) {
            self.deliverer.deliver_all(&self.place, &name, &self.manner);
        }
        (done.status, (done.kept && nested.is_none()).then_some(name))
    }
}

/// How many deliveries stand within each other at the most: a message that comes of one is
/// delivered within it, but not the whole of a chain that has no end.
const MOST_NESTED: u32 = 8;

thread_local! {
    static NESTED: Cell<u32> = const { Cell::new(0) };
}

/// A delivery within another one, as long as it lasts.
struct Nested;

impl Nested {
    /// Nothing where there are too many already.
    fn enter() -> Option<Self> {
        let is_free = NESTED.get() < MOST_NESTED;
        is_free.then(|| {
            NESTED.set(NESTED.get() + 1);
            Self
        })
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        NESTED.set(NESTED.get() - 1);
    }
}

/// What would come of a message whose delivery is only pretended (`-N`), if all goes well.
fn pretended(consignment: &Consignment<'_>, is_remote: bool) -> Delivering {
    let delivered = |delivery: &&Delivery| {
        let host = delivery.hosts.first().filter(|_| is_remote);
        let host = host.and_then(TakingHost::of);
        let host = host.map(|host| TakingHost { port: 25, ..host });
        let said = is_remote.then(|| b"delivery bypassed by -N option".to_vec());
        let host = host.map(Box::new);
        Outcome::Delivered(Delivered { host, confirmation: said, ..Delivered::default() })
    };
    let outcomes = consignment.deliveries.iter().map(delivered).collect();
    Delivering { outcomes, ..Delivering::default() }
}
