//! What is told of a router that has its turn.

use eximious_core::trace::{Happening, RouteEvent, TraceKinds};

use eximious_core::world::User;

use super::machine::{Machine, Verdict};
use super::pass::{ChildAddress, RouteError};
use super::router::{Router, Text};
use super::{Address, Delivery};
use crate::engine::RunStop;

impl Machine<'_> {
    /// Tells a step.
    pub(super) fn tell(&mut self, event: RouteEvent<'_>) {
        self.cx.tell(Happening::Route(event));
    }

    /// A router has its turn.
    pub(super) fn tell_router(&mut self, router: &Router) {
        if !self.cx.trace().is_watched() {
            return;
        }
        self.cx.trace().stand_at(Some(router.place.clone()));
        let (part, domain) = (self.address.local_part.clone(), self.address.domain.clone());
        let name = router.name.bytes();
        let (local_part, domain) = (part.bytes(), domain.bytes());
        self.tell(RouteEvent::Router { router: name, local_part, domain });
        self.cx.stop_at(&RunStop::Router { name: &router.name });
    }

    /// A condition of the router is looked at.
    pub(super) fn tell_checking(
        &mut self,
        router: &Router,
        option: &'static str,
        text: Option<&Text>,
    ) {
        if self.cx.trace().is_watched() {
            self.cx.trace().stand_at(Some(router.place_of(option)));
        }
        self.cx.stop_at(&RunStop::Precondition { option });
        let text = text.map(|text| text.written.bytes());
        self.tell(RouteEvent::Checking { option, text });
    }

    /// The router is passed by.
    pub(super) fn tell_skipped(&mut self, router: &Router, why: &str) {
        self.tell(RouteEvent::Skipped { router: router.name.bytes(), why: why.as_bytes() });
    }

    /// The router is passed by, because of the address's local part.
    pub(super) fn tell_no_user(&mut self, router: &Router) {
        if self.cx.trace().wants(TraceKinds::ROUTE) {
            let why = [self.offer.local_part.bytes(), b" is not a local user"].concat();
            self.tell(RouteEvent::Skipped { router: router.name.bytes(), why: &why });
        }
    }

    /// The system was asked for a user.
    pub(super) fn tell_user(&mut self, name: &[u8], user: Option<&User>) {
        if !self.cx.trace().wants(TraceKinds::USER) {
            return;
        }
        let head = b"seeking password data for user \"";
        let text = [head.as_slice(), name, b"\": cache not available"].concat();
        self.cx.note(TraceKinds::USER, &text);
        let text = match user {
            Some(user) => format!("getpwnam() succeeded uid={} gid={}", user.uid, user.gid),
            None => "getpwnam() returned NULL (user not found)".to_owned(),
        };
        self.cx.note(TraceKinds::USER, text.as_bytes());
    }

    /// The router made an address of the one at hand.
    pub(super) fn tell_generated(&mut self, router: &Router, child: &Address) {
        let (router, address) = (router.name.bytes(), child.text.bytes());
        self.tell(RouteEvent::Generated { router, address });
    }

    /// The router took the address.
    pub(super) fn tell_routed(
        &mut self,
        router: &Router,
        unseen: bool,
        delivery: Option<&Delivery>,
    ) {
        let routes = self.routes.clone();
        let number = delivery.and_then(|delivery| delivery.transport);
        let transport = number.and_then(|number| routes.0.transports.get(number));
        let transport = transport.map(|transport| transport.name.bytes());
        self.tell(RouteEvent::Routed { router: router.name.bytes(), unseen, transport });
    }

    /// Runs a router, and tells what it says.
    pub(super) fn drive_and_tell(
        &mut self,
        number: usize,
        router: &Router,
    ) -> Result<Verdict, RouteError> {
        let name = router.name.bytes();
        if self.cx.trace().is_watched() {
            self.cx.trace().stand_at(Some(router.place.clone()));
        }
        self.tell(RouteEvent::Calling { router: name });
        let address = self.address.text.clone();
        let verdict = self.drive(number, router);
        match &verdict {
            // What comes of it decides what there is to tell.
            Ok(Verdict::Accept(_) | Verdict::Discard { .. }) => {}
            Ok(Verdict::Renamed) => {
                if let Some(ChildAddress::Address(child)) = self.children.last() {
                    let text = child.text.clone();
                    self.tell(RouteEvent::Rerouted { address: text.bytes() });
                }
            }
            Ok(Verdict::Fail(_)) => {
                self.tell(RouteEvent::Failed { router: name });
            }
            Ok(Verdict::Decline) => {
                self.tell(RouteEvent::Declined { router: name, address: address.bytes() });
            }
            Ok(Verdict::Pass) => {
                self.tell(RouteEvent::Passed { router: name, address: address.bytes() });
            }
            Err(error) => {
                let (address, message) = (address.bytes(), error.message.as_deref());
                self.tell(RouteEvent::Deferred { router: name, address, message });
            }
        }
        verdict
    }
}
