//! One pass of an address through the routers (specification 3.10).

use std::collections::BTreeSet;
use std::sync::Arc;

use eximious_core::trace::{Happening, RouteEvent};
use eximious_core::{DriverOpt, ErrorKind, Expanded, Fail, FailClass, Str};
use eximious_stdlib::address::last_at;
use eximious_stdlib::at_work::ConfigWorker;
use eximious_stdlib::lists::ListOutcome;
use eximious_stdlib::options::opt::router as opt;
use eximious_stdlib::options::yes_or_no;
use eximious_stdlib::variables::var;

use super::offer::{Offer, cased};
use super::pass::{ChildAddress, Pass, Renamed, RouteError, RouteNotice, Routed};
use super::percent::{self, PercentDeferred};
use super::router::Router;
use super::{Address, Ancestor, Attached, Delivery, Purpose, Routes};
use crate::Context;
use crate::engine::RunStop;

/// How many addresses may come of each other.
const MOST_ANCESTORS: usize = 100;

/// What a router says of an address that its conditions let in. That it can't
/// say so now is the error beside it.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It goes so; children may come with it.
    Accept(Option<Box<Delivery>>),
    /// It is none of its business.
    Decline,
    /// Another router has to look at it.
    Pass,
    /// It can't be delivered.
    Fail(RouteError),
    /// It is thrown away.
    Discard {
        /// Whether a filter says so.
        by_filter: bool,
    },
    /// It has another domain: its child is the same address.
    Renamed,
}

/// What a router that declined has to say.
pub(super) struct Note {
    pub(super) text: Vec<u8>,
    /// Whether the sender of the message is told it, too.
    pub(super) told: bool,
}

impl Note {
    /// One for those who read logs.
    pub(super) fn logged(text: impl Into<Vec<u8>>) -> Self {
        Self { text: text.into(), told: false }
    }
}

/// What is done next, where a router did not take the address.
enum Next {
    Router(usize),
    /// No other router is asked.
    NoRouter,
    Done(Routed),
}

/// An address between the routers: the pass, and what the router at hand has of it.
pub(super) struct Machine<'m> {
    pub(super) cx: &'m mut Context,
    pub(super) routes: &'m Routes,
    pub(super) purpose: Purpose,
    pub(super) address: Box<Address>,
    /// What comes of it beside its own delivery, in order.
    pub(super) children: Vec<ChildAddress>,
    pub(super) renamed: Vec<Renamed>,
    /// Messages about it.
    pub(super) notices: Vec<RouteNotice>,
    /// What a router that declined has to say, should no other take the address.
    pub(super) note: Option<Note>,
    /// What a sender is told instead of the note.
    pub(super) advice: Option<Vec<u8>>,
    /// The address as the router at hand has it.
    pub(super) offer: Offer,
    /// Whether the variables say what is attached to the address.
    pub(super) data_shown: bool,
    /// The names of the `$r_…` that are set.
    pub(super) shown: BTreeSet<Vec<u8>>,
    /// The router that had the last word.
    pub(super) decided: Option<usize>,
    /// Who was told of errors before the router at hand said otherwise, and whether nobody
    /// was.
    pub(super) told_before: Option<(Option<Str>, bool)>,
    /// What a router that asks a program has assigned before it asks.
    pub(super) assigned: Option<Attached>,
    /// Whether the first child is the address itself (`unseen`).
    pub(super) goes_on: bool,
}

impl Routes {
    /// Offers an address to the routers, until one takes it.
    pub fn route(
        &self,
        cx: &mut Context,
        address: impl Into<Box<Address>>,
        purpose: Purpose,
    ) -> Pass {
        // Where it is too deep already, what is expanded says so.
        let _level = cx.level();
        if purpose == Purpose::Delivery {
            // What lists said of another is of no interest.
            cx.forget_recipient();
        }
        let address = address.into();
        // A router before said who is told of errors: that is where the message comes from now.
        let before = address.attached.errors_to.clone().map(|path| {
            let before = cx.value_of(var::RETURN_PATH);
            cx.set_var(var::RETURN_PATH, path);
            before
        });
        let mut machine = Machine {
            cx,
            routes: self,
            purpose,
            offer: Offer::new(&address),
            address,
            children: Vec::new(),
            renamed: Vec::new(),
            notices: Vec::new(),
            note: None,
            advice: None,
            data_shown: false,
            shown: BTreeSet::new(),
            decided: None,
            told_before: None,
            assigned: None,
            goes_on: false,
        };
        let routed = machine.run();
        machine.hide_address();
        if let Some(path) = before {
            machine.cx.set_var(var::RETURN_PATH, path);
        }
        let Machine { children, renamed, notices, address, decided, goes_on, .. } = machine;
        Pass { routed, children, renamed, notices, address, router: decided, goes_on }
    }
}

impl Machine<'_> {
    fn run(&mut self) -> Routed {
        if self.address.ancestors().take(MOST_ANCESTORS + 1).count() > MOST_ANCESTORS {
            return Routed::Deferred(RouteError::new("too many nested redirections"));
        }
        match self.percent_hack() {
            Ok(None) => {}
            Ok(Some(child)) => {
                self.children.push(ChildAddress::Address(child));
                return Routed::Redirected;
            }
            Err(PercentDeferred) => {
                return Routed::Deferred(RouteError::new("unknown error"));
            }
        }
        // Even an address that no router looks at has its values.
        self.show_address();
        let routers = &self.routes.0.clone().routers;
        let address = self.address.text.clone();
        let begin = RouteEvent::Begin { address: address.bytes() };
        let outer = self.cx.trace().begin(Happening::Route(begin));
        self.cx.stop_at(&RunStop::RoutingBegins { address: &address });
        let routed = self.offer_to_each(routers);
        let fails = matches!(routed, Routed::Failed(_) | Routed::Deferred(_));
        self.cx.stop_at(&RunStop::RoutingEnds { address: &address, fails });
        self.cx.trace().end(outer);
        routed
    }

    /// Offers the address to one router after the other.
    fn offer_to_each(&mut self, routers: &[Router]) -> Routed {
        let mut number = self.address.first_router;
        let mut last = None;
        while let Some(router) = routers.get(number) {
            last = Some(router);
            match self.offer(number, router) {
                Next::Router(next) => number = next,
                Next::NoRouter => return self.untaken(last),
                Next::Done(routed) => {
                    self.decided = Some(number);
                    // Whoever tells of a failure has the local part as the router had it.
                    if matches!(routed, Routed::Failed(_) | Routed::Deferred(_)) {
                        self.address.local_part = self.offer.local_part.clone();
                    }
                    return routed;
                }
            }
        }
        self.tell(RouteEvent::NoRouters);
        self.untaken(last)
    }

    /// That no router takes the address; the last one that was looked at, which has a say in
    /// the local part's case also where it was skipped.
    fn untaken(&mut self, last: Option<&Router>) -> Routed {
        self.address.local_part = match last {
            Some(_) if !self.offer.skipped => self.offer.local_part.clone(),
            last => {
                let caseful = last.is_some_and(|router| router.filter.caseful);
                cased(&self.address.local_part, caseful)
            }
        };
        Routed::Failed(self.unrouteable(last))
    }

    /// The address that stands in the local part of this one, or within that.
    fn percent_hack(&mut self) -> Result<Option<Box<Address>>, PercentDeferred> {
        // One that stood there itself was looked into.
        if self.address.ancestors().next().is_some_and(|one| one.router.is_none()) {
            return Ok(None);
        }
        let domain = self.address.domain.clone();
        let Some(inner) = percent::within(self.cx, &self.address.local_part, &domain)? else {
            return Ok(None);
        };
        let inner = percent::innermost(self.cx, &inner)?;
        let ancestor = self.address.as_ancestor(None);
        Ok(Some(self.address.child(inner, &ancestor)))
    }

    /// What is said of an address that no router takes.
    fn unrouteable(&mut self, router: Option<&Router>) -> RouteError {
        if let Some(note) = self.note.take() {
            let said = self.advice.take();
            return RouteError {
                untold: true,
                bounced: note.told,
                said,
                ..RouteError::new(note.text)
            };
        }
        let default = || RouteError::new("Unrouteable address");
        let Some(router) = router else { return default() };
        let Some(text) = router.some_text(opt::CANNOT_ROUTE_MESSAGE) else { return default() };
        match self.offer.skipped {
            // What the one before it found out is gone.
            true => self.show_router(&Str::EMPTY),
            false => self.cx.set_var(var::ROUTER_NAME, Str::EMPTY),
        }
        match text.expand(self.cx) {
            Ok(message) => {
                let message = message.bytes().to_vec();
                RouteError { said: Some(message.clone()), ..RouteError::new(message) }
            }
            Err(fail) => {
                if fail.class() != FailClass::Forced {
                    let line = router.named(
                        b"failed to expand cannot_route_message in ",
                        b" router: ",
                        fail.message(),
                    );
                    self.log_panic(&line);
                }
                default()
            }
        }
    }

    fn offer(&mut self, number: usize, router: &Router) -> Next {
        let place = self.cx.trace().place().cloned();
        let worker = ConfigWorker {
            role: "router",
            name: router.name.clone(),
            place: router.place.clone(),
            line: router.place.line,
        };
        let before = self.cx.set_at_work(Some(worker));
        let next = self.offer_there(number, router);
        self.cx.set_at_work(before);
        self.cx.trace().stand_at(place);
        next
    }

    fn offer_there(&mut self, number: usize, router: &Router) -> Next {
        self.offer.skipped = true;
        self.tell_router(router);
        let unfit = match self.was_here(number, router) {
            true => Some("already routed by it"),
            false => self.unconcerned(router),
        };
        if let Some(why) = unfit {
            self.tell_skipped(router, why);
            return Next::Router(number + 1);
        }
        let known = self.known_domains(router);
        if matches!(known, Some(ListOutcome::Unmatched(_))) {
            return Next::Router(number + 1);
        }
        self.show_router(&router.name);
        if let Some(missing) = self.offer.begin(&self.address, &router.filter) {
            self.tell_skipped(router, missing);
            return Next::Router(number + 1);
        }
        self.show_view();
        let next = self.let_in(number, router, known);
        // What lists leave is for this router, and for whatever it makes.
        if matches!(next, Next::Router(_)) && self.offer.put_data_back(&mut self.address.attached) {
            self.data_shown = false;
        }
        next
    }

    fn let_in(&mut self, number: usize, router: &Router, known: Option<ListOutcome>) -> Next {
        match self.admits(router, known) {
            Ok(true) => {}
            Ok(false) => return Next::Router(number + 1),
            Err(error) => return Next::Done(Routed::Deferred(error)),
        }
        let verdict = match self.prepare(router) {
            Ok(None) => self.drive_and_tell(number, router),
            Ok(Some(verdict)) => Ok(verdict),
            Err(error) => Err(error),
        };
        match verdict {
            Ok(verdict) => self.conclude(number, router, verdict),
            Err(error) => Next::Done(Routed::Deferred(error)),
        }
    }

    /// Whether this router must not see the address again: it made it, directly
    /// or by others, out of the same address, or out of any (`repeat_use`).
    fn was_here(&self, number: usize, router: &Router) -> bool {
        let same = |one: &Ancestor| {
            let (own, other) = (self.address.text.bytes(), one.text.bytes());
            match router.filter.caseful {
                true => {
                    own[..last_at(own)] == other[..last_at(other)]
                        && one.domain.bytes() == self.address.domain.bytes()
                }
                false => own.eq_ignore_ascii_case(other),
            }
        };
        let mut here = self.address.ancestors().filter(|one| one.router == Some(number));
        match router.filter.repeat_use {
            true => here.any(same),
            false => here.next().is_some(),
        }
    }

    /// Why the router has nothing to do with what this is about.
    fn unconcerned(&self, router: &Router) -> Option<&'static str> {
        let filter = &router.filter;
        let (concerned, why) = match self.purpose {
            Purpose::VerifySender => (filter.verify_sender, "no_verify_sender set"),
            Purpose::VerifyRecipient => (filter.verify_recipient, "no_verify_recipient set"),
            Purpose::Test => (filter.address_test, "address_test is unset"),
            Purpose::Expand => (filter.expn, "no_expn set"),
            Purpose::Delivery => (true, ""),
        };
        if !concerned {
            return Some(why);
        }
        (filter.verify_only && !self.purpose.verifies()).then_some("verify_only set")
    }

    /// What an address that is let in gets before its router runs: `set` and
    /// `address_data`. A verdict means that the router does not run.
    fn prepare(&mut self, router: &Router) -> Result<Option<Verdict>, RouteError> {
        if let Some(list) = &router.filter.set
            && let Some(verdict) = self.set_variables(router, &list.written)?
        {
            return Ok(Some(verdict));
        }
        let Some(text) = &router.filter.address_data else { return Ok(None) };
        match text.expand(self.cx) {
            Ok(data) => {
                self.cx.set_var(var::ADDRESS_DATA, data.clone());
                self.address.attached.address_data = Some(data);
                Ok(None)
            }
            Err(fail) if fail.class() == FailClass::Forced => Ok(Some(Verdict::Decline)),
            Err(fail) => {
                let tail = [b" router: ", fail.message()].concat();
                let head = [b"expansion of \"", text.written.bytes(), b"\" failed in "].concat();
                // What a lookup can't say now is said in its own words to ACLs.
                let lookup = (fail.kind() == ErrorKind::Lookup)
                    .then(|| fail.reason().unwrap_or_else(|| fail.message()).to_vec());
                let error = RouteError::new(router.named(&head, &tail, b""));
                Err(RouteError { lookup, ..error })
            }
        }
    }

    /// What a router's verdict means for the address.
    fn conclude(&mut self, number: usize, router: &Router, verdict: Verdict) -> Next {
        let done = |routed| Next::Done(routed);
        let refusable =
            matches!(verdict, Verdict::Accept(_) | Verdict::Pass | Verdict::Discard { .. });
        if refusable && self.refuses(router) {
            return done(Routed::Failed(RouteError {
                forced: true,
                ..RouteError::new(router.named(b"", b" router forced verify failure", b""))
            }));
        }
        match verdict {
            Verdict::Decline => match self.settled(router, router.filter.more, opt::MORE) {
                Ok(true) => Next::Router(number + 1),
                Ok(false) => {
                    self.tell(RouteEvent::NoMore);
                    Next::NoRouter
                }
                Err(error) => done(Routed::Deferred(error)),
            },
            Verdict::Pass => Next::Router(router.pass_router.unwrap_or(number + 1)),
            Verdict::Fail(error) => done(Routed::Failed(error)),
            // The address has changed in itself, and has to be looked at anew.
            Verdict::Renamed => done(Routed::Redirected),
            Verdict::Accept(delivery) => self.taken(number, router, delivery, Routed::Redirected),
            Verdict::Discard { by_filter } => {
                self.taken(number, router, None, Routed::Discarded { by_filter })
            }
        }
    }

    /// The router takes the address; without a delivery, this is what comes of it.
    fn taken(
        &mut self,
        number: usize,
        router: &Router,
        delivery: Option<Box<Delivery>>,
        otherwise: Routed,
    ) -> Next {
        let unseen = match self.settled(router, router.filter.unseen, opt::UNSEEN) {
            Ok(unseen) => unseen,
            Err(error) => return Next::Done(Routed::Deferred(error)),
        };
        self.tell_routed(router, unseen, delivery.as_deref());
        let goes_on = unseen && number + 1 < self.routes.0.routers.len();
        Next::Done(match (goes_on, delivery) {
            (true, delivery) => self.seen_on(number, delivery, otherwise),
            (false, Some(delivery)) => Routed::Delivered(delivery),
            (false, None) => otherwise,
        })
    }

    /// `fail_verify_…`.
    fn refuses(&self, router: &Router) -> bool {
        match self.purpose {
            Purpose::VerifySender => router.on(opt::FAIL_VERIFY_SENDER),
            Purpose::VerifyRecipient => router.on(opt::FAIL_VERIFY_RECIPIENT),
            _ => false,
        }
    }

    /// `unseen`, where there is another router: the address goes on to the next router as a child of itself, and
    /// what the router made of it is a child, too.
    fn seen_on(
        &mut self,
        number: usize,
        delivery: Option<Box<Delivery>>,
        otherwise: Routed,
    ) -> Routed {
        let ancestor = self.address.as_ancestor(Some(number));
        let mut again = self.address.child(self.address.text.clone(), &ancestor);
        again.attached.headers_add.clear();
        again.attached.headers_remove.clear();
        again.attached.hidden = self.address.attached.hidden;
        // Whom the router would have told of errors is told of those of its own.
        if let Some((before, ignored)) = self.told_before.take() {
            again.attached.errors_to = before;
            again.attached.srs_sender = None;
            again.attached.ignore_errors = ignored;
        }
        again.first_router = number + 1;
        for child in &mut self.children {
            let child = child.address_mut();
            child.parent = Some(deeper(child.parent.take(), &ancestor));
        }
        self.children.insert(0, ChildAddress::Address(again));
        self.goes_on = true;
        match delivery {
            Some(mut delivery) => {
                delivery.address.parent = Some(ancestor);
                Routed::Delivered(delivery)
            }
            // That the router's own copy is thrown away concerns those who deliver alone.
            None if self.purpose == Purpose::Delivery => otherwise,
            None => Routed::Redirected,
        }
    }

    /// An option of which it is perhaps known what it says.
    fn settled(
        &mut self,
        router: &Router,
        known: Option<bool>,
        option: DriverOpt<Expanded<bool>>,
    ) -> Result<bool, RouteError> {
        known.map_or_else(|| self.switch(router, option), Ok)
    }

    /// An option that is yes or no, perhaps after an expansion. Where that is
    /// forced to fail, the option has its default.
    pub(super) fn switch(
        &mut self,
        router: &Router,
        option: DriverOpt<Expanded<bool>>,
    ) -> Result<bool, RouteError> {
        let Some(text) = router.some_text(option) else { return Ok(router.on(option)) };
        match text.expand(self.cx) {
            Ok(value) => yes_or_no(value.bytes()).ok_or_else(|| {
                let head = [b"\"", value.bytes(), b"\" is not a valid value for the \""];
                let tail = [option.name().as_bytes(), b"\" option in the "].concat();
                let head = [head.concat(), tail].concat();
                RouteError::new(router.named(&head, b" router", b""))
            }),
            Err(fail) if fail.class() == FailClass::Forced => {
                Ok(option.default().value().unwrap_or_default())
            }
            Err(fail) => {
                let head = [b"failed to expand \"", option.name().as_bytes(), b"\" in "].concat();
                Err(RouteError::new(router.named(&head, b" router: ", fail.message())))
            }
        }
    }

    /// A line for the main log, but of what a client asks by EXPN, as in Exim.
    pub(super) fn log(&mut self, line: &[u8]) {
        if self.purpose != Purpose::Expand {
            self.cx.log().main(line);
        }
    }

    pub(super) fn log_panic(&mut self, line: &[u8]) {
        self.cx.log().panic(line);
    }

    pub(super) fn log_panic_alone(&mut self, line: &[u8]) {
        self.cx.log().panic_alone(line);
    }
}

/// Puts an ancestor behind the first of a line, which is the same address.
fn deeper(parent: Option<Arc<Ancestor>>, ancestor: &Arc<Ancestor>) -> Arc<Ancestor> {
    match parent {
        Some(first) => {
            let mut first = Ancestor::clone(&first);
            first.parent = Some(ancestor.clone());
            Arc::new(first)
        }
        None => ancestor.clone(),
    }
}

/// What a text that is expanded comes to; `None` where that is forced to fail.
pub(crate) fn unless_forced(result: Result<Str, Fail>) -> Result<Option<Str>, Fail> {
    match result {
        Ok(text) => Ok(Some(text)),
        Err(fail) if fail.class() == FailClass::Forced => Ok(None),
        Err(fail) => Err(fail),
    }
}
