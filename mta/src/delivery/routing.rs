//! Where the addresses of a message go.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use eximious::route::{
    Address, ChildAddress, Delivery, DeliveryTarget, Duplicates, NOBODY, Purpose, RouteError,
    Routed, Wrong,
};
use eximious::stdlib::address::names_domain;
use eximious::trace::{DeliveryEvent, Happening, TraceKinds};
use eximious::transport::{Outcome, Undelivered};
use eximious::{Str, opt, var};

use super::Attempted;
use super::attempt::Attempt;
use super::report::{Arrival, Arrived, notify};
use super::retry::Verdict;
use super::stand_ins::Before;
use super::tracking::{ChildNames, NodeId, known_by};
use super::transport::Conclusion;
use super::unrouted::Unrouted;

/// How many addresses may come of those of one message.
const MOST_ADDRESSES: usize = 100_000;

/// A delivery that is to be made.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) node: NodeId,
    pub(super) delivery: Box<Delivery>,
    /// What came of its own hosts, where others stand in for them; nothing yet where none do.
    pub(super) before: Before,
}

impl Planned {
    fn new(node: NodeId, delivery: Box<Delivery>) -> Self {
        Self { node, delivery, before: Before::default() }
    }
}

/// An address on its way through the routers.
pub(super) struct Waiting {
    node: NodeId,
    child: ChildAddress,
}

impl Waiting {
    pub(super) fn new(node: NodeId, child: ChildAddress) -> Self {
        Self { node, child }
    }

    pub(super) fn into_parts(self) -> (NodeId, Address) {
        match self.child {
            ChildAddress::Address(address) => (self.node, *address),
            ChildAddress::Direct(delivery) => (self.node, delivery.address),
        }
    }
}

/// Addresses that are to be routed, in order.
struct ToRoute {
    left: Vec<Option<(NodeId, Box<Address>)>>,
    /// Where each domain's are, once that is asked.
    places: Option<BTreeMap<Vec<u8>, Vec<usize>>>,
}

impl ToRoute {
    fn new(all: Vec<(NodeId, Box<Address>)>) -> Self {
        Self { left: all.into_iter().map(Some).collect(), places: None }
    }

    fn take(&mut self, at: usize) -> Option<(NodeId, Box<Address>)> {
        self.left.get_mut(at)?.take()
    }

    /// Takes all of a domain that are left.
    fn take_domain(&mut self, domain: &[u8]) -> Vec<(NodeId, Box<Address>)> {
        let places = self.places.get_or_insert_with(|| {
            let mut places: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
            for (at, one) in self.left.iter().enumerate() {
                if let Some((_, address)) = one {
                    places.entry(address.domain.bytes().to_vec()).or_default().push(at);
                }
            }
            places
        });
        let places = places.remove(domain).unwrap_or_default();
        places.into_iter().filter_map(|at| self.take(at)).collect()
    }
}

/// All that is to be done, in order.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) local: Vec<Planned>,
    pub(super) remote: Vec<Planned>,
}

impl Attempt<'_> {
    /// Routes all recipients that have not got the message, and what comes of them. The
    /// order is Exim's: of those that come of one address, the first one first; else the
    /// latest.
    /// What a system filter wants comes before.
    pub(super) fn route(&mut self, children: Vec<Waiting>, recipients: bool) -> Plan {
        let mut plan = Plan::default();
        let mut new = children;
        if recipients {
            new.extend(self.recipients());
        }
        if self.cx.trace().wants(TraceKinds::DELIVERY) {
            let addresses: Vec<Vec<u8>> =
                new.iter().map(|one| self.tracking.text(one.node).to_vec()).collect();
            let addresses = &addresses;
            self.cx.tell(Happening::Delivery(DeliveryEvent::Recipients { addresses }));
        }
        let mut count = 0;
        let mut direct: BTreeMap<Vec<u8>, NodeId> = BTreeMap::new();
        while !new.is_empty() {
            let mut to_route = Vec::new();
            let mut waiting = VecDeque::from(std::mem::take(&mut new));
            while let Some(Waiting { node, child }) = waiting.pop_front() {
                let (address, unique) = (self.tracking.text(node), self.tracking.unique(node));
                self.cx.tell(Happening::Delivery(DeliveryEvent::Considering { address, unique }));
                match child {
                    ChildAddress::Direct(delivery) => match direct.get(unique) {
                        Some(same) => self.duplicates.entry(*same).or_default().push(node),
                        None => {
                            direct.insert(unique.to_vec(), node);
                            self.plan(&mut plan, node, delivery);
                        }
                    },
                    // Another one that is the same was thrown away meanwhile.
                    ChildAddress::Address(_) if self.tracking.is_done(unique) => {
                        self.complete(node);
                    }
                    ChildAddress::Address(address) => match self.holds_another(node, &address) {
                        Some(true) => {
                            let inner = self.pass(&mut plan, node, address);
                            inner.into_iter().rev().for_each(|one| waiting.push_front(one));
                        }
                        Some(false)
                            if !self.is_held(node, &address)
                                && !self.waits_for_routing(node, &address) =>
                        {
                            to_route.push((node, address));
                        }
                        _ => {}
                    },
                }
            }
            to_route.reverse();
            if self.queues_domains() {
                // As in Exim, those that are left are routed in the other order.
                to_route.retain(|(node, address)| !self.is_queued(*node, address));
                to_route.reverse();
            }
            let mut made = Vec::new();
            let number = to_route.len();
            let mut to_route = ToRoute::new(to_route);
            for at in 0..number {
                let Some((node, address)) = to_route.take(at) else { continue };
                count += 1;
                if count > MOST_ADDRESSES {
                    let why = RouteError::new("too many addresses come of this message's");
                    self.unrouted(node, &address, None, why, Unrouted::Tried);
                    continue;
                }
                let (domain, planned) = (address.domain.clone(), plan.remote.len());
                made.push(self.pass(&mut plan, node, address));
                if plan.remote.len() > planned {
                    self.copy_routing(&mut plan, &domain, &mut to_route);
                }
            }
            new = made.into_iter().rev().flatten().collect();
        }
        for list in [&mut plan.local, &mut plan.remote] {
            list.reverse();
            *list = self.without_duplicates(std::mem::take(list));
            list.retain(|planned| !self.has_it_by_transport(planned));
            *list = self.without_repetitions(std::mem::take(list));
        }
        self.name_recipients(&mut plan);
        plan
    }

    /// Whether the message was handed on so often that it goes round in a circle
    /// (`received_headers_max`).
    pub(super) fn is_in_a_loop(&self) -> bool {
        let most = self.cx.engine().settings().get(opt::RECEIVED_HEADERS_MAX);
        let headers = self.message.headers.iter();
        let count = headers.filter(|one| one.name.eq_ignore_ascii_case(b"Received")).count();
        i64::try_from(count).unwrap_or(i64::MAX) > most
    }

    /// Nobody gets the message: it goes round in a circle.
    pub(super) fn break_loop(&mut self) -> Attempted {
        for one in self.recipients() {
            let (node, mut address) = one.into_parts();
            address.local_part = address.local_part.lowercased();
            let why = RouteError::new("Too many \"Received\" headers - suspected mail loop");
            self.unroutable(node, &address, None, RouteError { untold: true, ..why });
        }
        self.end()
    }

    /// An address that is the same as one that it came of is known by its transport, too:
    /// the other may go elsewhere. Whether it has got the message, perhaps when it came of
    /// itself, as aliases were then.
    fn has_it_by_transport(&mut self, planned: &Planned) -> bool {
        let Some((name, is_again)) = self.name_by_transport(planned) else { return false };
        let has_it = self.tracking.is_done(&name);
        if is_again {
            self.tracking.rename(planned.node, name);
        }
        if has_it {
            self.complete(planned.node);
        }
        has_it
    }

    /// The name of a delivery with its transport, and whether its address came of itself.
    fn name_by_transport(&self, planned: &Planned) -> Option<(Vec<u8>, bool)> {
        let Planned { node, delivery, .. } = planned;
        let (address, is_other) = (&delivery.address, delivery.target != DeliveryTarget::Address);
        let number = delivery.transport.filter(|_| !is_other)?;
        let transport = self.routes().transport_name(number).clone();
        // Copies on the way are known by their routers, and are no deliveries of this one.
        let is_of_both = self.routes().has_copying_router(&transport);
        let tail: &[u8] = if is_of_both { b"/" } else { b"" };
        let is_again = address.unique.bytes().len() > address.text.bytes().len();
        // A copy on the way has its router in its name, wherever the address came from.
        let unique = self.tracking.unique(*node);
        let own = match is_again && unique == known_by(address.unique.bytes()) {
            true => known_by(address.text.bytes()),
            false => unique.to_vec(),
        };
        Some(([&own[..], b"/", transport.bytes(), tail].concat(), is_again))
    }

    /// The same deliveries, where one address that came of itself by several ways would get
    /// the message by the same transport more than once.
    fn without_repetitions(&mut self, all: Vec<Planned>) -> Vec<Planned> {
        let (mut left, mut first) = (Vec::new(), BTreeMap::new());
        for one in all {
            let name = self.name_by_transport(&one).map(|(name, _)| name);
            match name.as_ref().and_then(|name| first.get(name)) {
                Some(same) => self.duplicates.entry(*same).or_default().push(one.node),
                None => {
                    first.extend(name.map(|name| (name, one.node)));
                    left.push(one);
                }
            }
        }
        left
    }

    /// The same deliveries, each once. What becomes of one is what becomes of those that are
    /// the same, and is known in the end.
    fn without_duplicates(&mut self, all: Vec<Planned>) -> Vec<Planned> {
        let mut seen = Duplicates::default();
        let (mut left, mut first) = (Vec::new(), BTreeMap::new());
        for one in all {
            let unique = self.tracking.unique(one.node).to_vec();
            match (seen.is_one(&Str::from(&unique[..])), first.get(&unique)) {
                (true, Some(same)) => self.duplicates.entry(*same).or_default().push(one.node),
                _ => {
                    first.insert(unique, one.node);
                    left.push(one);
                }
            }
        }
        left
    }

    /// A delivery that stands for others, too, is for their recipients as well: the latest
    /// first, and its own last.
    fn name_recipients(&self, plan: &mut Plan) {
        if self.duplicates.is_empty() {
            return;
        }
        for Planned { node, delivery, .. } in plan.local.iter_mut().chain(&mut plan.remote) {
            let others = self.duplicates.get(node).into_iter().flatten().rev();
            let mut all: Vec<(usize, Str)> = others
                .map(|other| {
                    let number = self.tracking.root(*other).number();
                    (number, Str::tainted(self.tracking.original(*other)))
                })
                .collect();
            all.push((self.tracking.root(*node).number(), delivery.original().clone()));
            delivery.recipients = all;
        }
    }

    pub(super) fn recipients(&mut self) -> Vec<Waiting> {
        let mut all: Vec<Waiting> = Vec::new();
        let recipients = self.file().recipients.clone();
        for recipient in &recipients {
            let mut address = Address::new(self.with_domain(&recipient.address));
            if self.tracking.is_done_with(&recipient.address) {
                continue;
            }
            if self.deliverer.is_of_others(&address) {
                self.leave();
                continue;
            }
            if let Some(more) = &recipient.more {
                if !more.errors_to.is_empty() {
                    address.attached.errors_to = Some(Str::tainted(&more.errors_to[..]));
                }
                let parent = usize::try_from(more.parent).ok().and_then(|at| recipients.get(at));
                address.once_parent = parent.map(|one| Str::tainted(&one.address[..]));
            }
            let unique = known_by(address.unique.bytes());
            let node = self.tracking.add(&recipient.address, &unique, None);
            if let Some(more) = &recipient.more {
                if let Some(asked) = &more.reports {
                    self.asked.insert(node, asked.clone());
                }
                if more.parent >= 0 {
                    self.settled.insert(recipient.address.clone());
                }
            }
            all.push(Waiting { node, child: ChildAddress::Address(Box::new(address)) });
        }
        all
    }

    /// A recipient as it is routed: a backslash at the end of its local part hides the at sign
    /// behind it, and then it has no domain yet.
    fn with_domain(&mut self, recipient: &[u8]) -> Str {
        if recipient.is_empty() || names_domain(recipient) {
            return Str::tainted(recipient);
        }
        let domain = self.cx.value_of(var::QUALIFY_RECIPIENT);
        Str::tainted([recipient, b"@", domain.bytes()].concat())
    }

    /// Whether the time for an address has not come, which is told then.
    fn waits_for_routing(&mut self, node: NodeId, address: &Address) -> bool {
        let why = self.not_yet(address);
        let waits = why.is_some();
        if let Some(why) = why {
            self.unrouted(node, address, None, why, Unrouted::Waits);
        }
        waits
    }

    /// The latest of the remote deliveries, for all others that are to be routed and have the
    /// domain that its address had, if its router's answer holds for those
    /// (`same_domain_copy_routing`).
    fn copy_routing(&mut self, plan: &mut Plan, domain: &Str, to_route: &mut ToRoute) {
        let Some(Planned { delivery: latest, .. }) = plan.remote.last() else { return };
        let Address { domain: reached, attached, .. } = &latest.address;
        let is_changed = !attached.headers_add.is_empty() || !attached.headers_remove.is_empty();
        if !self.routes().router_answers_for_domain(latest.router)
            || reached.bytes() != domain.bytes()
            || is_changed
        {
            return;
        }
        let latest = latest.clone();
        for (node, address) in to_route.take_domain(domain.bytes()) {
            self.tracking.expect(node, 0);
            self.forget_routing(&address);
            self.plan(plan, node, Box::new(latest.copied_to(*address)));
        }
    }

    /// One pass of an address through the routers; what else has to be looked at.
    fn pass(&mut self, plan: &mut Plan, node: NodeId, address: Box<Address>) -> Vec<Waiting> {
        let routes = self.routes().clone();
        self.deliverer.show_customer(&mut self.cx, &address);
        let pass = routes.route(&mut self.cx, address, Purpose::Delivery);
        self.rename(&pass.renamed);
        for notice in &pass.notices {
            notify(self, notice);
        }
        let router = pass.router;
        // What a redirection makes on the way (`unseen`) comes of a copy, which is known by its
        // router; the address itself goes on as the first child.
        let copy = match (router, &pass.routed) {
            (Some(number), Routed::Redirected) if pass.goes_on && pass.children.len() > 1 => {
                let text = pass.address.text.bytes();
                let unique = self.copy_name(text, number);
                self.tracking.expect(node, 2);
                // One that came of itself has no copies with names of their own.
                let own = self.tracking.unique(node);
                let own = if own.starts_with(b"\\") { own.to_vec() } else { unique.clone() };
                let copy = self.tracking.add(text, &own, Some(node));
                self.tracking.make_copy(copy);
                // It has nothing to do but them.
                self.tracking.expect(copy, pass.children.len() - 2);
                Some((copy, unique))
            }
            _ => {
                self.tracking.expect(node, pass.children.len());
                None
            }
        };
        let own = known_by(pass.address.text.bytes());
        let mut names = ChildNames::new(copy.as_ref().map_or(&own, |(_, unique)| unique));
        let children = pass.children.into_iter().enumerate().map(|(at, child)| {
            let (text, unique) = names.next(&child);
            let parent = copy.as_ref().filter(|_| at > 0).map_or(node, |(copy, _)| *copy);
            let own = self.tracking.add(&text, &unique, Some(parent));
            if at == 0 && pass.goes_on {
                self.tracking.make_same(own);
            }
            Waiting { node: own, child }
        });
        let children: Vec<Waiting> = children.collect();
        let has_children = !children.is_empty();
        if router.is_some_and(|number| routes.router_makes_once(number)) {
            for Waiting { node, child } in &children {
                if let ChildAddress::Address(address) = child {
                    let errors_to = address.attached.errors_to.as_ref();
                    let errors_to = errors_to.map(|one| one.bytes().to_vec());
                    self.tracking.make_once(*node, errors_to.unwrap_or_default());
                }
            }
        }
        // What was delivered in an earlier attempt is not looked at again.
        let mut left = Vec::new();
        for child in children {
            let unique = self.tracking.unique(child.node).to_vec();
            match self.tracking.is_done(&unique) {
                true => self.complete(child.node),
                false => left.push(child),
            }
        }
        if !matches!(pass.routed, Routed::Deferred(_)) {
            self.forget_routing(&pass.address);
        }
        match pass.routed {
            Routed::Delivered(delivery) => {
                let copies = delivery.address.ancestors().count();
                if copies == pass.address.ancestors().count() {
                    self.plan(plan, node, delivery);
                    return left;
                }
                // A copy that is made on the way (`unseen`) is known by its router, and done
                // when it has been delivered, whatever becomes of the address.
                let text = delivery.address.text.bytes();
                let unique = self.copy_name(text, delivery.router);
                let node = self.tracking.add(text, &unique, Some(node));
                self.tracking.make_same(node);
                match self.tracking.is_done(&unique) {
                    true => self.complete(node),
                    false => self.plan(plan, node, delivery),
                }
            }
            Routed::Redirected => {
                self.note_redirected(node, router);
                self.complete_redirected(node);
            }
            Routed::Discarded { by_filter } => {
                self.note_redirected(node, router);
                self.log_discarded(&pass.address, router, by_filter);
                self.tracking.discard(node);
            }
            Routed::Failed(why) => {
                if has_children {
                    let was_told = self.tracking.is_failure_told(node);
                    self.tracking.fail_beside_children(node);
                    self.complete(node);
                    if was_told {
                        return left;
                    }
                }
                self.unroutable(node, &pass.address, router, why);
            }
            Routed::Deferred(why) => {
                self.unrouted(node, &pass.address, router, why, Unrouted::Tried)
            }
        }
        left
    }

    /// Notes for whoever asked that a redirection has taken an address.
    fn note_redirected(&mut self, node: NodeId, router: Option<usize>) {
        let is_last = router.is_some_and(|router| self.routes().is_last_hop(router));
        let how = if is_last { Arrived::LastHop } else { Arrived::Here };
        self.note_arrival(Arrival { node, how, host: None });
    }

    /// What a copy on the way is known by.
    fn copy_name(&self, text: &[u8], router: usize) -> Vec<u8> {
        [&known_by(text)[..], b"/", self.routes().router_name(router).bytes()].concat()
    }

    fn plan(&mut self, plan: &mut Plan, node: NodeId, delivery: Box<Delivery>) {
        if let DeliveryTarget::Notice(notice) = &delivery.target {
            // It goes at once, and is no delivery that could fail.
            self.notify(&delivery, notice);
            self.keep_done(&[node], false);
            self.complete(node);
            return;
        }
        if let Some(wrong) = &delivery.wrong {
            return match wrong.clone() {
                Wrong::Forbidden(why) => self.turn_down(Planned::new(node, delivery), why),
                Wrong::Transport(why) => {
                    let (router, why) = (Some(delivery.router), RouteError::new(why));
                    // The system filter is no router.
                    let (why, standing) = match delivery.router {
                        usize::MAX => (why, Unrouted::Filtered),
                        _ => (why.numbered(RouteError::TRANSPORT), Unrouted::Direct),
                    };
                    self.unrouted(node, &delivery.address, router, why, standing);
                }
            };
        }
        let is_nothing = matches!(delivery.target, DeliveryTarget::File { .. })
            && delivery.address.text.bytes() == b"/dev/null";
        if is_nothing {
            self.bypassed(node, &delivery);
            return;
        }
        let Some(number) = delivery.transport else {
            let why = RouteError::new("no transport is known").numbered(RouteError::TRANSPORT);
            let router = Some(delivery.router);
            self.unrouted(node, &delivery.address, router, why, Unrouted::Direct);
            return;
        };
        if delivery.address.text.bytes() == NOBODY {
            let why = "filter autoreply generated syntactically invalid recipient";
            return self.turn_down(Planned::new(node, delivery), why.into());
        }
        let list = match self.routes().is_remote(number) {
            true => &mut plan.remote,
            false => &mut plan.local,
        };
        // The latest is the first in the end.
        list.push(Planned::new(node, delivery));
    }

    /// A delivery that is not to be tried.
    fn turn_down(&mut self, planned: Planned, why: Vec<u8>) {
        let said = Some(Vec::new());
        let failed = Undelivered { said, is_untried: true, ..Undelivered::new(0, why) };
        let path = self.message.return_path.clone();
        let about = Conclusion {
            is_first: true,
            path: &path,
            began: self.moment(),
            of_hosts: Verdict::Again,
            output: &Arc::default(),
            group: self.next_group(),
            is_told: false,
            is_answered: false,
            asked: None,
        };
        self.conclude(&planned, Outcome::Failed(failed), &about);
    }
}
