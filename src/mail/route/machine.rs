//! One pass of an address through the routers (specification 3.10).

use std::collections::BTreeSet;
use std::sync::Arc;

use eximious_core::trace::{Happening, RouteEvent};
use eximious_core::world::User;
use eximious_core::{ErrorKind, Fail, FailClass, Str};
use eximious_stdlib::address::last_at;
use eximious_stdlib::lists::Outcome;

use super::router::{Driver, Router};
use super::values::Shown;
use super::{Address, Affix, Ancestor, Delivery, Identity, Purpose, Routes};
use super::{
    accept, affix, dnslookup, ipliteral, iplookup, manualroute, percent, queryprogram, redirect,
};
use crate::Context;

/// How many addresses may come of each other.
const MOST_ANCESTORS: usize = 100;

/// What came of an address.
#[derive(Debug)]
pub enum Routed {
    /// It is to be delivered so.
    Delivered(Box<Delivery>),
    /// Others stand in its place, perhaps none.
    Redirected,
    /// It is thrown away.
    Discarded,
    /// It can't be delivered.
    Failed(Complaint),
    /// It can't be said now.
    Deferred(Complaint),
}

/// What comes of an address beside its own delivery.
#[derive(Clone, Debug)]
pub enum Child {
    /// An address, which has to be routed.
    Address(Box<Address>),
    /// A delivery to a file or a command, or an answer: it needs no router.
    Direct(Box<Delivery>),
}

/// A domain that was found to have another name.
#[derive(Clone, PartialEq, Debug)]
pub struct Renamed {
    /// As it was written.
    pub from: Str,
    /// Its name: header lines with the other one are rewritten.
    pub to: Str,
}

/// Why an address is not routed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Complaint {
    /// For those who read logs, in Exim's words; `None` where there are none.
    pub message: Option<Vec<u8>>,
    /// For the sender of the message: what `:fail:` and `:defer:` say.
    pub said: Option<Vec<u8>>,
    /// Whether the sender of the message is told nothing of it.
    pub untold: bool,
    /// Whether the message is to be frozen.
    pub freezes: bool,
    /// Whether the router fails all that it accepts when it verifies.
    pub forced: bool,
}

impl Complaint {
    /// With a message.
    pub fn new(message: impl Into<Vec<u8>>) -> Self {
        Self { message: Some(message.into()), ..Self::default() }
    }
}

/// What a router says of an address that its conditions let in. That it can't
/// say so now is the complaint beside it.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It goes so; children may come with it.
    Accept(Option<Box<Delivery>>),
    /// It is none of its business.
    Decline,
    /// Another router has to look at it.
    Pass,
    /// It can't be delivered.
    Fail(Complaint),
    /// It is thrown away.
    Discard,
    /// It has another domain: its child is the same address.
    Renamed,
}

/// What is done next, where a router did not take the address.
enum Next {
    Router(usize),
    Done(Routed),
}

/// An address between the routers.
pub(super) struct Machine<'m> {
    pub(super) cx: &'m mut Context,
    pub(super) routes: &'m Routes,
    pub(super) purpose: Purpose,
    pub(super) address: Box<Address>,
    /// What comes of it beside its own delivery, in order.
    pub(super) children: Vec<Child>,
    pub(super) renamed: Vec<Renamed>,
    /// What a router that declined has to say, should no other take the address.
    pub(super) note: Option<Vec<u8>>,
    /// The local part as the router at hand has it.
    pub(super) local_part: Str,
    /// The same, its case kept.
    pub(super) cased_local_part: Str,
    pub(super) prefix: Affix,
    pub(super) suffix: Affix,
    /// Whether the router at hand was passed by at a look.
    skipped: bool,
    /// Whether the local part is the whole of it, its case put away.
    pub(super) plain: bool,
    /// Whether its variables say what it is.
    pub(super) parts_shown: bool,
    /// Whether they say what is attached to it.
    pub(super) data_shown: bool,
    /// The data of the address's domain and local part before the router at hand left
    /// its own.
    pub(super) before: Option<(Option<Str>, Option<Str>)>,
    /// Whom `check_local_user` found.
    pub(super) user: Option<Arc<User>>,
    pub(super) home: Option<Str>,
    /// Whom the router's deliveries run as, once that is asked.
    pub(super) identity: Option<Identity>,
    /// The names of the `$r_…` that are set.
    pub(super) shown: BTreeSet<Vec<u8>>,
}

/// What comes of a pass.
#[derive(Debug)]
pub struct Pass {
    /// What came of the address itself.
    pub routed: Routed,
    /// What else comes of it, in order.
    pub children: Vec<Child>,
    /// Domains for the message's header lines.
    pub renamed: Vec<Renamed>,
    /// The address with what is attached to it now.
    pub address: Box<Address>,
}

impl Routes {
    /// Offers an address to the routers, until one takes it.
    pub fn route(
        &self,
        cx: &mut Context,
        address: impl Into<Box<Address>>,
        purpose: Purpose,
    ) -> Pass {
        let mut machine = Machine {
            cx,
            routes: self,
            purpose,
            local_part: Str::EMPTY,
            cased_local_part: Str::EMPTY,
            prefix: Affix::default(),
            suffix: Affix::default(),
            skipped: false,
            plain: false,
            parts_shown: false,
            data_shown: false,
            before: None,
            address: address.into(),
            children: Vec::new(),
            renamed: Vec::new(),
            note: None,
            user: None,
            home: None,
            identity: None,
            shown: BTreeSet::new(),
        };
        let routed = machine.run();
        machine.hide_address();
        let Machine { children, renamed, address, .. } = machine;
        Pass { routed, children, renamed, address }
    }
}

impl Machine<'_> {
    fn run(&mut self) -> Routed {
        if self.address.ancestors().take(MOST_ANCESTORS + 1).count() > MOST_ANCESTORS {
            return Routed::Deferred(Complaint::new("too many nested redirections"));
        }
        if let Some(child) = self.percent_hack() {
            self.children.push(Child::Address(child));
            return Routed::Redirected;
        }
        // Even an address that no router looks at has its values.
        self.cased_local_part = self.address.local_part.clone();
        self.local_part = self.cased_local_part.lowercased();
        self.plain = true;
        self.show_address();
        let routers = &self.routes.0.clone().routers;
        let address = self.address.text.clone();
        let begin = RouteEvent::Begin { address: address.bytes() };
        let outer = self.cx.trace().begin(Happening::Route(begin));
        let routed = self.offer_to_each(routers);
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
                Next::Done(routed) => return routed,
            }
        }
        self.tell(RouteEvent::NoRouters);
        Routed::Failed(self.unrouteable(last))
    }

    /// The address that stands in the local part of this one, or within that.
    fn percent_hack(&mut self) -> Option<Box<Address>> {
        // One that stood there itself was looked into.
        if self.address.ancestors().next().is_some_and(|one| one.router.is_none()) {
            return None;
        }
        let domain = self.address.domain.clone();
        let inner = percent::within(self.cx, &self.address.local_part, &domain)?;
        let inner = percent::innermost(self.cx, &inner);
        let ancestor = self.address.as_ancestor(None);
        Some(self.address.child(inner, &ancestor))
    }

    /// What is said of an address that no router takes.
    fn unrouteable(&mut self, router: Option<&Router>) -> Complaint {
        if let Some(note) = self.note.take() {
            return Complaint { untold: true, ..Complaint::new(note) };
        }
        let default = || Complaint::new("Unrouteable address");
        let Some(router) = router else { return default() };
        let Some(text) = router.some_text("cannot_route_message") else { return default() };
        match self.skipped {
            // What the one before it found out is gone.
            true => self.show_router(&Str::EMPTY),
            false => self.cx.set("router_name", Str::EMPTY),
        }
        match text.expand(self.cx) {
            Ok(message) => {
                let message = message.bytes().to_vec();
                Complaint { said: Some(message.clone()), ..Complaint::new(message) }
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
        self.skipped = true;
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
        if matches!(known, Some(Outcome::Unmatched(_))) {
            return Next::Router(number + 1);
        }
        self.skipped = false;
        self.show_router(&router.name);
        self.user = None;
        self.home = None;
        self.identity = None;
        // Most routers see what the one before saw.
        if !self.plain || router.filter.caseful {
            self.prefix = Affix::default();
            self.suffix = Affix::default();
            self.cased_local_part = self.address.local_part.clone();
            self.local_part = cased(&self.cased_local_part, router.filter.caseful);
            self.plain = !router.filter.caseful;
            self.parts_shown = false;
        }
        if let Some(missing) = self.take_affixes(router) {
            self.tell_skipped(router, missing);
            return Next::Router(number + 1);
        }
        self.show_view();
        self.before = None;
        let next = self.let_in(number, router, known);
        // What lists leave is for this router, and for whatever it makes.
        if matches!(next, Next::Router(_))
            && let Some(data) = self.before.take()
        {
            let attached = &mut self.address.attached;
            (attached.domain_data, attached.local_part_data) = data;
            self.data_shown = false;
        }
        next
    }

    fn let_in(&mut self, number: usize, router: &Router, known: Option<Outcome>) -> Next {
        match self.admits(router, known) {
            Ok(true) => {}
            Ok(false) => return Next::Router(number + 1),
            Err(complaint) => return Next::Done(Routed::Deferred(complaint)),
        }
        let verdict = match self.prepare(router) {
            Ok(None) => self.drive_and_tell(number, router),
            Ok(Some(verdict)) => Ok(verdict),
            Err(complaint) => Err(complaint),
        };
        match verdict {
            Ok(verdict) => self.conclude(number, router, verdict),
            Err(complaint) => Next::Done(Routed::Deferred(complaint)),
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

    /// Takes prefix and suffix off, and says what is missing that must be there.
    fn take_affixes(&mut self, router: &Router) -> Option<&'static str> {
        let filter = &router.filter;
        for (list, optional, end) in [
            (&filter.prefixes, filter.prefix_optional, affix::End::Head),
            (&filter.suffixes, filter.suffix_optional, affix::End::Tail),
        ] {
            let Some(list) = list else { continue };
            let Some((affix, rest)) = affix::take(list, &self.cased_local_part, end) else {
                if optional {
                    continue;
                }
                return Some(match end {
                    affix::End::Head => "prefix mismatch",
                    affix::End::Tail => "suffix mismatch",
                });
            };
            let affix = Affix {
                text: cased(&affix.text, filter.caseful),
                wild: cased(&affix.wild, filter.caseful),
            };
            match end {
                affix::End::Head => self.prefix = affix,
                affix::End::Tail => self.suffix = affix,
            }
            self.local_part = cased(&rest, filter.caseful);
            self.cased_local_part = rest;
            self.plain = false;
            self.parts_shown = false;
        }
        None
    }

    /// Why the router has nothing to do with what this is about.
    fn unconcerned(&self, router: &Router) -> Option<&'static str> {
        let filter = &router.filter;
        let (concerned, why) = match self.purpose {
            Purpose::VerifySender => (filter.verify_sender, "verify 2 0 0"),
            Purpose::VerifyRecipient => (filter.verify_recipient, "verify 1 0 0"),
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
    fn prepare(&mut self, router: &Router) -> Result<Option<Verdict>, Complaint> {
        if let Some(list) = &router.filter.set
            && let Some(verdict) = self.set_variables(router, &list.written)
        {
            return Ok(Some(verdict));
        }
        let Some(text) = &router.filter.address_data else { return Ok(None) };
        match text.expand(self.cx) {
            Ok(data) => {
                self.show(Shown::AddressData, data.clone());
                self.address.attached.address_data = Some(data);
                Ok(None)
            }
            Err(fail) if fail.class() == FailClass::Forced => Ok(Some(Verdict::Decline)),
            // What a lookup can't say now is said in its own words.
            Err(fail) if fail.kind() == ErrorKind::Lookup => Err(Complaint::new(fail.message())),
            Err(fail) => {
                let tail = [b" router: ", fail.message()].concat();
                let head = [b"expansion of \"", text.written.bytes(), b"\" failed in "].concat();
                Err(Complaint::new(router.named(&head, &tail, b"")))
            }
        }
    }

    pub(super) fn drive(&mut self, number: usize, router: &Router) -> Result<Verdict, Complaint> {
        match router.driver {
            Driver::Accept => accept::run(self, number, router),
            Driver::IpLiteral => ipliteral::run(self, number, router),
            Driver::Redirect => redirect::run(self, number, router),
            Driver::DnsLookup => dnslookup::run(self, number, router),
            Driver::ManualRoute => manualroute::run(self, number, router),
            Driver::IpLookup => iplookup::run(self, number, router),
            Driver::QueryProgram => queryprogram::run(self, number, router),
        }
    }

    /// What a router's verdict means for the address.
    fn conclude(&mut self, number: usize, router: &Router, verdict: Verdict) -> Next {
        let done = |routed| Next::Done(routed);
        let refusable = matches!(verdict, Verdict::Accept(_) | Verdict::Pass | Verdict::Discard);
        if refusable && self.refuses(router) {
            return done(Routed::Failed(Complaint {
                forced: true,
                ..Complaint::new(router.named(b"", b" router forced verify failure", b""))
            }));
        }
        match verdict {
            Verdict::Decline => match self.settled(router, router.filter.more, "more") {
                Ok(true) => Next::Router(number + 1),
                Ok(false) => {
                    self.tell(RouteEvent::NoMore);
                    done(Routed::Failed(self.unrouteable(Some(router))))
                }
                Err(complaint) => done(Routed::Deferred(complaint)),
            },
            Verdict::Pass => Next::Router(router.pass_router.unwrap_or(number + 1)),
            Verdict::Fail(complaint) => done(Routed::Failed(complaint)),
            // The address has changed in itself, and has to be looked at anew.
            Verdict::Renamed => done(Routed::Redirected),
            Verdict::Accept(delivery) => self.taken(number, router, delivery, Routed::Redirected),
            Verdict::Discard => self.taken(number, router, None, Routed::Discarded),
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
        let unseen = match self.settled(router, router.filter.unseen, "unseen") {
            Ok(unseen) => unseen,
            Err(complaint) => return Next::Done(Routed::Deferred(complaint)),
        };
        self.tell_routed(router, unseen, delivery.as_deref());
        let goes_on = unseen && number + 1 < self.routes.0.routers.len();
        Next::Done(match (goes_on, delivery) {
            (true, delivery) => self.seen_on(number, delivery),
            (false, Some(delivery)) => Routed::Delivered(delivery),
            (false, None) => otherwise,
        })
    }

    /// `fail_verify_…`.
    fn refuses(&self, router: &Router) -> bool {
        match self.purpose {
            Purpose::VerifySender => router.on("fail_verify_sender"),
            Purpose::VerifyRecipient => router.on("fail_verify_recipient"),
            _ => false,
        }
    }

    /// `unseen`, where there is another router: the address goes on to the next router as a child of itself, and
    /// what the router made of it is a child, too.
    fn seen_on(&mut self, number: usize, delivery: Option<Box<Delivery>>) -> Routed {
        let ancestor = self.address.as_ancestor(Some(number));
        let mut again = self.address.child(self.address.text.clone(), &ancestor);
        again.attached.headers_add.clear();
        again.attached.headers_remove.clear();
        again.first_router = number + 1;
        for child in &mut self.children {
            // A delivery has its parent's name on it already.
            if let Child::Address(child) = child {
                child.parent = Some(deeper(child.parent.take(), &ancestor));
            }
        }
        self.children.insert(0, Child::Address(again));
        match delivery {
            Some(mut delivery) => {
                delivery.address.parent = Some(ancestor);
                Routed::Delivered(delivery)
            }
            None => Routed::Redirected,
        }
    }

    /// An option of which it is perhaps known what it says.
    fn settled(
        &mut self,
        router: &Router,
        known: Option<bool>,
        option: &str,
    ) -> Result<bool, Complaint> {
        known.map_or_else(|| self.switch(router, option), Ok)
    }

    /// An option that is yes or no, perhaps after an expansion. Where that is
    /// forced to fail, the option has its default.
    pub(super) fn switch(&mut self, router: &Router, option: &str) -> Result<bool, Complaint> {
        let Some(text) = router.some_text(option) else { return Ok(router.on(option)) };
        match text.expand(self.cx) {
            Ok(value) => {
                let is = |words: [&str; 2]| {
                    words.iter().any(|word| value.bytes().eq_ignore_ascii_case(word.as_bytes()))
                };
                match (is(["true", "yes"]), is(["false", "no"])) {
                    (true, _) => Ok(true),
                    (_, true) => Ok(false),
                    _ => {
                        let head = [b"\"", value.bytes(), b"\" is not a valid value for the \""];
                        let tail = [option.as_bytes(), b"\" option in the "].concat();
                        let head = [head.concat(), tail].concat();
                        Err(Complaint::new(router.named(&head, b" router", b"")))
                    }
                }
            }
            // `more` is the only one that is true by default.
            Err(fail) if fail.class() == FailClass::Forced => Ok(option == "more"),
            Err(fail) => {
                let head = [b"failed to expand \"", option.as_bytes(), b"\" in "].concat();
                Err(Complaint::new(router.named(&head, b" router: ", fail.message())))
            }
        }
    }

    pub(super) fn log(&mut self, line: &[u8]) {
        self.cx.log().main(line);
    }

    pub(super) fn log_panic(&mut self, line: &[u8]) {
        self.cx.log().panic(line);
    }

    pub(super) fn log_panic_alone(&mut self, line: &[u8]) {
        self.cx.log().panic_alone(line);
    }
}

/// A text in lower case, unless its case counts.
fn cased(text: &Str, caseful: bool) -> Str {
    match caseful {
        true => text.clone(),
        false => text.lowercased(),
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
pub(super) fn unless_forced(result: Result<Str, Fail>) -> Result<Option<Str>, Fail> {
    match result {
        Ok(text) => Ok(Some(text)),
        Err(fail) if fail.class() == FailClass::Forced => Ok(None),
        Err(fail) => Err(fail),
    }
}
