//! The router `redirect` (specification, chapter 22).

mod filter;
pub(super) mod forward;
mod items;
mod mistakes;
mod rules;
mod source;
mod srs;

use std::sync::Arc;

use eximious_core::{DriverDef, DriverOpt, Str, Taint};
use eximious_stdlib::address::Rules;
use eximious_stdlib::options::opt::router as opt;
use eximious_stdlib::variables::var;

use super::assign::directory;
use super::driver::{self, RouterRun};
use super::machine::{Machine, Note, Verdict, unless_forced};
use super::pass::{ChildAddress, RouteError};
use super::router::Router;
use super::{Address, Ancestor, Delivery, DeliveryTarget, Wrong};
use crate::mail::filter::FilterKind;
use crate::mail::rewrite::{AddressPlace, Rewriter};
pub use filter::{NOBODY, direct_target};
use items::{Allowed, Item, List, Reader};
use srs::Rewriting;

/// The driver `redirect`.
pub(super) static DRIVER: DriverDef = driver::own(
    "redirect",
    "Puts other addresses in an address's place.",
    "22",
    &RouterRun::Own(run),
)
.rules(&rules::RULES);

/// Puts other addresses in an address's place.
fn run(machine: &mut Machine<'_>, number: usize, router: &Router) -> Result<Verdict, RouteError> {
    let sender = match srs::rewrite(machine, router)? {
        Rewriting::None => None,
        Rewriting::Sender(sender) => Some(sender),
        Rewriting::Verdict(verdict) => return Ok(verdict),
    };
    // How it is done, and for whom, is settled before it is known what is to be done.
    let Some(redirection) = Redirection::new(machine, number, router)? else {
        return Ok(Verdict::Decline);
    };
    machine.identity(router)?;
    let Some(data) = source::data(machine, router)? else { return Ok(Verdict::Decline) };
    let kind = FilterKind::of(data.bytes());
    if let Some(kind) = kind
        && let Some(verdict) = filter::unpermitted(machine, router, kind)?
    {
        return Ok(verdict);
    }
    let redirection = Redirection { sender, ..redirection };
    match kind {
        Some(kind) => filter::run(machine, &redirection, kind, &data),
        None => redirection.of_list(machine, &data),
    }
}

/// Puts other addresses in an address's place, as a program's answer lists them:
/// it may name addresses alone, or say `:fail:`.
pub(super) fn answer(
    machine: &mut Machine<'_>,
    number: usize,
    router: &Router,
    list: &Str,
) -> Result<Verdict, RouteError> {
    if FilterKind::of(list.bytes()).is_some() {
        return Err(RouteError::new("error in redirect data: filtering not enabled"));
    }
    let Some(redirection) = Redirection::new(machine, number, router)? else {
        return Ok(Verdict::Decline);
    };
    let redirection = Redirection { answers: true, ..redirection };
    match redirection.of_list(machine, list)? {
        Verdict::Decline => Err(RouteError::new("error in redirect data: no addresses supplied")),
        verdict => Ok(verdict),
    }
}

/// What the router's options say of what it generates.
struct Redirection<'r> {
    router: &'r Router,
    number: usize,
    /// The domain that names without one get.
    domain: Str,
    ancestor: Arc<Ancestor>,
    /// Whether a program answered so.
    answers: bool,
    /// The sender that SRS makes for it.
    sender: Option<Str>,
}

impl<'r> Redirection<'r> {
    fn new(
        machine: &mut Machine<'_>,
        number: usize,
        router: &'r Router,
    ) -> Result<Option<Self>, RouteError> {
        let domain = if router.on(opt::redirect::QUALIFY_PRESERVE_DOMAIN) {
            machine.address.domain.clone()
        } else if let Some(text) = router.some_text(opt::redirect::QUALIFY_DOMAIN) {
            match unless_forced(text.expand(machine.cx)) {
                Ok(Some(domain)) => domain,
                Ok(None) => return Ok(None),
                Err(fail) => return Err(source::not_expanded(machine, text, &fail)),
            }
        } else {
            machine.cx.value_of(var::QUALIFY_RECIPIENT)
        };
        let ancestor = machine.address.as_ancestor(Some(number));
        Ok(Some(Self { router, number, domain, ancestor, answers: false, sender: None }))
    }

    /// What goes along with all that is generated. Where nothing is, nobody asks whether
    /// the options can be expanded.
    fn attach(&self, machine: &mut Machine<'_>) -> Result<(), RouteError> {
        machine.assign_errors(self.router)?;
        let hides = self.router.on(opt::redirect::HIDE_CHILD_IN_ERRMSG);
        machine.address.attached.hides_children = hides;
        // Who hears of errors by the router's own word comes first.
        if let Some(sender) = &self.sender
            && self.router.text(opt::ERRORS_TO).is_none()
        {
            machine.address.attached.errors_to = Some(sender.clone());
            machine.address.attached.srs_sender = Some(sender.clone());
        }
        machine.assign_headers(self.router)
    }

    /// What a list of items comes to.
    fn of_list(&self, machine: &mut Machine<'_>, data: &Str) -> Result<Verdict, RouteError> {
        let router = self.router;
        let from_file = router.some_text(opt::redirect::FILE).is_some();
        let kind: &[u8] = if from_file { b"file" } else { b"data" };
        let allowed = match self.answers {
            true => Allowed { fail: true, ..Allowed::default() },
            false => Allowed {
                fail: router.on(opt::redirect::ALLOW_FAIL),
                defer: router.on(opt::redirect::ALLOW_DEFER),
                blackhole: !machine.switch(router, opt::redirect::FORBID_BLACKHOLE)?,
                include: !machine.switch(router, opt::redirect::FORBID_INCLUDE)?,
                mistakes: router.on(opt::redirect::SKIP_SYNTAX_ERRORS),
            },
        };
        let settings = machine.cx.engine().settings();
        let rules = Rules::of(settings);
        let identity = machine.identity(router)?;
        let mut include = |file: &Str| source::included(machine, router, identity, file);
        let mut reader = Reader::new(allowed, rules, &mut include);
        let list = reader.list(data);
        let Reader { items, skipped, .. } = reader;
        if matches!(list, List::Items | List::Unknown) {
            mistakes::passed_over(machine, router, &skipped, items.len())?;
        }
        match list {
            List::Wrong(why) => {
                let message = [b"error in redirect ", kind, b": ", &why].concat();
                Err(RouteError::new(message).numbered(RouteError::REDIRECT))
            }
            List::Defer(text) => Err(said(router, text)),
            List::Fail(text) => {
                self.generate(machine, items, data.taint())?;
                Ok(Verdict::Fail(said(router, text)))
            }
            List::Discard => Ok(Verdict::Discard { by_filter: false }),
            List::Items if !items.is_empty() => {
                self.generate(machine, items, data.taint())?;
                Ok(Verdict::Accept(None))
            }
            List::Items | List::Unknown if skipped.is_empty() => Ok(Verdict::Decline),
            List::Items | List::Unknown => {
                machine.note = Some(Note::logged(mistakes::SKIPPED));
                Ok(Verdict::Decline)
            }
        }
    }

    /// Makes addresses and deliveries of items.
    fn generate(
        &self,
        machine: &mut Machine<'_>,
        items: Vec<Item>,
        taint: Taint,
    ) -> Result<(), RouteError> {
        self.attach(machine)?;
        for item in items {
            match item {
                Item::Address { text, here } => {
                    let domain =
                        if here { machine.address.domain.clone() } else { self.domain.clone() };
                    let address = self.address(machine, text, &domain, taint)?;
                    machine.tell_generated(self.router, &address);
                    machine.children.push(ChildAddress::Address(address));
                }
                Item::File(path) => {
                    let option = file_transport(&path);
                    let target = DeliveryTarget::File { mode: None };
                    self.direct(machine, Str::from(path).stamped(taint), target, option)?;
                }
                Item::Pipe(command) => {
                    let command = Str::from(command).stamped(taint);
                    self.direct(
                        machine,
                        command,
                        DeliveryTarget::Pipe(None),
                        opt::redirect::PIPE_TRANSPORT,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// A child, with a domain and rewritten.
    fn address(
        &self,
        machine: &mut Machine<'_>,
        mut text: Vec<u8>,
        domain: &Str,
        taint: Taint,
    ) -> Result<Box<Address>, RouteError> {
        if !text.contains(&b'@') {
            text.push(b'@');
            text.extend_from_slice(domain.bytes());
        }
        let mut text = Str::from(text).stamped(taint.with(domain.taint()));
        let mut made_as = None;
        if self.router.on(opt::redirect::CHECK_ANCESTOR) && self.is_ancestor(machine, &text) {
            // `-bt` tells copies apart by what they were made as, deliveries by what they are.
            if machine.purpose != super::Purpose::Delivery {
                made_as = Some(machine.address.child(text, &self.ancestor).unique);
            }
            text = machine.address.text.clone();
        }
        let rules = machine.routes.0.clone();
        let rewriter = Rewriter::new(&rules.rewrite);
        let mut rewritten = None;
        let place = AddressPlace::EnvelopeTo;
        if rewriter.concerns(place) && (self.answers || self.router.on(opt::redirect::REWRITE)) {
            rewritten = rewriter
                .address(machine.cx, &text, place)
                .map_err(|fail| RouteError::new(fail.message()))?;
            machine.show_address();
        }
        let mut child = machine.address.child(text, &self.ancestor);
        if let Some(new) = rewritten {
            child = machine.address.child(new, &self.ancestor);
        }
        if let Some(unique) = made_as {
            child.unique = unique;
        }
        child.first_router = self.router.redirect_router.unwrap_or(0);
        Ok(child)
    }

    /// Whether an address is the one at hand, or one of those that it comes from. Where the case
    /// of local parts counts, that of the whole address does.
    fn is_ancestor(&self, machine: &Machine<'_>, text: &Str) -> bool {
        let same = |other: &Str| match self.router.filter.caseful {
            true => other.bytes() == text.bytes(),
            false => other.bytes().eq_ignore_ascii_case(text.bytes()),
        };
        same(&machine.address.text) || machine.address.ancestors().any(|one| same(&one.text))
    }

    /// A delivery that needs no router.
    fn direct(
        &self,
        machine: &mut Machine<'_>,
        text: Str,
        target: DeliveryTarget,
        option: DriverOpt<Str>,
    ) -> Result<(), RouteError> {
        let router = self.router;
        let (switch, what): (_, &[u8]) = match target {
            DeliveryTarget::Pipe(_) => (opt::redirect::FORBID_PIPE, b"delivery to pipe"),
            DeliveryTarget::Reply(_) | DeliveryTarget::Notice(_) => {
                (opt::redirect::FORBID_FILTER_REPLY, b"autoreply")
            }
            _ => (opt::redirect::FORBID_FILE, b"delivery to file"),
        };
        let forbidden = self.answers || machine.switch(router, switch)?;
        // What it is for decides which transport it is.
        let variable = match target {
            DeliveryTarget::Pipe(_) => Some(var::ADDRESS_PIPE),
            DeliveryTarget::Reply(_) | DeliveryTarget::Notice(_) => None,
            _ => Some(var::ADDRESS_FILE),
        };
        if let Some(variable) = variable {
            machine.cx.set_var(variable, text.clone());
        }
        let (transport, mut wrong) = match router.text(option) {
            None if self.answers => (None, None),
            Some(option) => match machine.transport_of(router, option) {
                Ok(transport) => (Some(transport), None),
                Err(error) => (None, error.message.map(Wrong::Transport)),
            },
            None => {
                let head = [option.name().as_bytes(), b" unset in "].concat();
                (None, Some(Wrong::Transport(router.named(&head, b" router", b""))))
            }
        };
        if let Some(variable) = variable {
            machine.cx.unset_var(variable);
        }
        // At a delivery that it is forbidden comes first.
        if forbidden && (wrong.is_none() || machine.purpose == super::Purpose::Delivery) {
            wrong = Some(Wrong::Forbidden([what, b" forbidden"].concat()));
        }
        let mut address = machine.address.child(Str::EMPTY, &self.ancestor);
        address.text = text;
        address.local_part = machine.offer.local_part.clone();
        address.prefix = machine.offer.prefix.clone();
        address.suffix = machine.offer.suffix.clone();
        address.domain = machine.address.domain.clone();
        // It has the parts of the address, and what lists had for them.
        let attached = &machine.address.attached;
        address.attached.domain_data = attached.domain_data.clone();
        address.attached.local_part_data = attached.local_part_data.clone();
        address.attached.sender_data = attached.sender_data.clone();
        let delivery = Delivery {
            target,
            wrong,
            identity: machine.identity(router)?,
            home: machine.transport_home(router),
            directory: directory(router, opt::TRANSPORT_CURRENT_DIRECTORY),
            ..Delivery::new(*address, self.number, transport)
        };
        machine.children.push(ChildAddress::Direct(Box::new(delivery)));
        Ok(())
    }
}

/// The option that says how something is put into a file or a directory.
fn file_transport(path: &[u8]) -> DriverOpt<Str> {
    match path.ends_with(b"/") {
        true => opt::redirect::DIRECTORY_TRANSPORT,
        false => opt::redirect::FILE_TRANSPORT,
    }
}

/// What `:fail:` and `:defer:` say is for the sender, too. A code that begins it
/// may be unwanted.
fn said(router: &Router, text: Vec<u8>) -> RouteError {
    let text = match router.on(opt::redirect::FORBID_SMTP_CODE) {
        true => text[code(&text)..].to_vec(),
        false => text,
    };
    RouteError { said: Some(text.clone()), ..RouteError::new(text) }
}

/// The length of a code such as `550 5.1.1 ` at the head of a text; 0 where there
/// is none.
fn code(text: &[u8]) -> usize {
    let digits = |text: &[u8]| text.iter().take_while(|c| c.is_ascii_digit()).count();
    if digits(text) != 3 || text.get(3) != Some(&b' ') {
        return 0;
    }
    let mut end = 4;
    for part in 0..3 {
        let length = digits(&text[end..]);
        let after = if part < 2 { b'.' } else { b' ' };
        if length == 0 || text.get(end + length) != Some(&after) {
            return 4;
        }
        end += length + 1;
    }
    end
}
