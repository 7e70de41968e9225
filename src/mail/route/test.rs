//! Addresses that are looked at, with all that comes of them: `-bt`, `-bv`,
//! `verify` (specification 3.9, 5.2).

use std::collections::HashSet;

use eximious_core::trace::{Happening, RouteEvent};
use eximious_core::{Fail, Str};
use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::lists::Answers;
use eximious_stdlib::variables::var;

use super::pass::{ChildAddress, RouteError, Routed};
use super::{Address, Delivery, Purpose, Routes};
use crate::Context;
use crate::mail::rewrite::{AddressPlace, Rewriter};

/// What is told where hosts were to be asked and there are none.
pub(crate) const NO_HOSTS: &[u8] = b"Cannot do callout: neither router nor transport provided a \
    host list, or transport is not smtp";

/// How many addresses may come of one.
const MOST_ADDRESSES: usize = 100_000;

/// What is asked of an address.
#[derive(Clone, Debug)]
pub struct Request {
    /// The address, with a domain.
    pub address: Str,
    /// As it was typed, without what stood around it: that tells it from others.
    pub typed: Str,
    /// What it is looked at for.
    pub purpose: Purpose,
    /// Whether all that comes of it is looked at. If not, more than one child is
    /// as good as proof.
    pub whole: bool,
    /// Whether it is enough that it is redirected to anything at all.
    pub redirection_suffices: bool,
    /// Whether hosts are to be asked: that a redirection has none is told then, and that nobody
    /// gets what is thrown away.
    pub asks_hosts: bool,
}

impl Request {
    /// Asks no more than necessary.
    pub fn new(address: Str, purpose: Purpose) -> Self {
        Self {
            typed: address.clone(),
            address,
            purpose,
            whole: false,
            redirection_suffices: false,
            asks_hosts: false,
        }
    }
}

/// What came of it, all in all: the worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// It can be delivered.
    Fine,
    /// It can't be said now.
    Deferred,
    /// It can't be delivered.
    Failed,
}

/// What is told on the way.
#[derive(Debug)]
pub enum Report<'a> {
    /// An address can't be delivered.
    Failed(&'a Address, &'a RouteError),
    /// It can't be said now.
    Deferred(&'a Address, &'a RouteError),
    /// It is thrown away, and nothing else came of it.
    Discarded(&'a Address),
    /// Others are made of it that are not looked at.
    Divided(&'a Address),
    /// A delivery to a file or a command, or an answer.
    Direct(&'a Delivery),
    /// A delivery, once everything is known: local ones first, the latest first.
    Delivered(&'a Delivery),
}

/// The deliveries that were seen, to tell the second of a kind.
#[derive(Debug, Default)]
pub struct Duplicates(HashSet<Vec<u8>>);

impl Duplicates {
    /// Whether there was the same before; `unique` is what a delivery's address is known by.
    pub fn is_one(&mut self, unique: &Str) -> bool {
        !self.0.insert(unique.bytes().to_vec())
    }
}

impl Routes {
    /// Looks at an address and at what comes of it.
    pub fn test(
        &self,
        cx: &mut Context,
        request: &Request,
        tell: &mut dyn FnMut(&Report<'_>),
    ) -> Standing {
        if request.address.is_empty() && !request.typed.is_empty() {
            // Rules have made nobody of a sender: there is nothing to route.
            return Standing::Fine;
        }
        let Some(mode) = request.purpose.verify_mode() else {
            return self.look(cx, request, tell);
        };
        let before = cx.value_of(var::VERIFY_MODE);
        cx.set_var(var::VERIFY_MODE, Str::fixed(mode));
        let sender = cx.value_of(var::SENDER_ADDRESS);
        // It stays, as long as there is the message.
        cx.set_var(var::RETURN_PATH, sender.clone());
        if request.purpose == Purpose::VerifySender {
            // The sender is not one yet.
            cx.set_var(var::SENDER_ADDRESS, Str::EMPTY);
        }
        let standing = self.look(cx, request, tell);
        cx.set_var(var::SENDER_ADDRESS, sender);
        cx.set_var(var::VERIFY_MODE, before);
        standing
    }

    fn look(
        &self,
        cx: &mut Context,
        request: &Request,
        tell: &mut dyn FnMut(&Report<'_>),
    ) -> Standing {
        let purpose = request.purpose;
        // The next one is the last.
        let mut first = Address::new(request.address.clone());
        first.unique = request.typed.clone();
        let mut queue = vec![ChildAddress::Address(Box::new(first))];
        let (mut local, mut remote) = (Vec::new(), Vec::new());
        let mut standing = Standing::Fine;
        let (mut count, mut direct, mut thrown) = (0, false, None);
        // What lists said of a recipient holds for it here, unless rules have made another
        // of it. It says nothing of what comes of it, and what is said here is forgotten.
        let outside = cx.swap_answers(Answers::default());
        let is_same = purpose == Purpose::VerifyRecipient && request.typed == request.address;
        let mut known = is_same.then(|| outside.clone());
        while let Some(next) = queue.pop() {
            let address = match next {
                ChildAddress::Address(address) => address,
                ChildAddress::Direct(delivery) => {
                    direct = true;
                    tell(&Report::Direct(&delivery));
                    continue;
                }
            };
            count += 1;
            if count > MOST_ADDRESSES {
                let error = RouteError::new("too many addresses are made of this one");
                tell(&Report::Deferred(&address, &error));
                standing = standing.max(Standing::Deferred);
                break;
            }
            match known.take() {
                Some(known) => drop(cx.swap_answers(known)),
                None => cx.forget_recipient(),
            }
            if purpose.verifies() {
                let considering = RouteEvent::Considering { address: address.text.bytes() };
                cx.tell(Happening::Route(considering));
            }
            let pass = self.route(cx, address, purpose);
            if request.asks_hosts
                && matches!(pass.routed, Routed::Redirected | Routed::Discarded { .. })
            {
                cx.tell_callout(NO_HOSTS);
            }
            match &pass.routed {
                Routed::Failed(error) => {
                    tell(&Report::Failed(&pass.address, error));
                    standing = standing.max(Standing::Failed);
                }
                Routed::Deferred(error) => {
                    tell(&Report::Deferred(&pass.address, error));
                    standing = standing.max(Standing::Deferred);
                }
                Routed::Discarded { .. } => {
                    thrown = Some(pass.address.attached.address_data.clone());
                }
                Routed::Redirected | Routed::Delivered(_) => {}
            }
            if request.redirection_suffices && matches!(pass.routed, Routed::Redirected) {
                tell(&Report::Divided(&pass.address));
                break;
            }
            if let Routed::Delivered(delivery) = pass.routed {
                match delivery.transport.is_some_and(|number| self.is_remote(number)) {
                    true => remote.push(delivery),
                    false => local.push(delivery),
                }
            }
            if !request.whole && (standing != Standing::Fine || pass.children.len() != 1) {
                if pass.children.len() > 1 {
                    tell(&Report::Divided(&pass.address));
                }
                break;
            }
            queue.extend(pass.children.into_iter().rev());
        }
        cx.swap_answers(outside);
        let nothing = local.is_empty() && remote.is_empty() && !direct;
        if nothing
            && standing == Standing::Fine
            && let Some(data) = thrown
        {
            let mut address = Address::new(request.address.clone());
            address.attached.address_data = data;
            tell(&Report::Discarded(&address));
        }
        for delivery in local.iter().rev().chain(remote.iter().rev()) {
            tell(&Report::Delivered(delivery));
        }
        standing
    }

    /// An address that was typed: without what may stand around it, with a domain,
    /// rewritten. Beside it, the same as it stood there, and whether a rule for
    /// rewriting changed it.
    ///
    /// # Errors
    /// What is typed is no address: Exim's words.
    pub fn read(
        &self,
        cx: &mut Context,
        typed: &[u8],
        purpose: Purpose,
    ) -> Result<(Str, Str, bool), Vec<u8>> {
        let settings = cx.engine().settings();
        let rules = Rules::of(settings);
        let found = address::parse(typed, rules).map_err(|why| why.message)?;
        let mut text = found.text;
        let bare = Str::tainted(text.as_slice());
        let sender = purpose == Purpose::VerifySender;
        let qualify = |cx: &mut Context, text: &mut Vec<u8>| {
            let variable = if sender { var::QUALIFY_DOMAIN } else { var::QUALIFY_RECIPIENT };
            if let Ok(domain) = cx.found_out(variable) {
                text.push(b'@');
                text.extend_from_slice(domain.bytes());
            }
        };
        if !address::names_domain(&text) {
            qualify(cx, &mut text);
        }
        // Where there are rules, they are given an address with a domain: a backslash at the
        // end of a local part hides the one that it got.
        let whole = text.len();
        if !self.0.rewrite.is_empty() && !address::names_domain(&text) && !text.is_empty() {
            qualify(cx, &mut text);
        }
        let is_other = text.len() > whole;
        let address = Str::tainted(text);
        match self.rewrite(cx, &address, purpose) {
            Ok(Some(new)) => Ok((new, bare, true)),
            Ok(None) => Ok((address, bare, is_other)),
            Err(fail) => Err(fail.message().to_vec()),
        }
    }

    /// An address after the rules for rewriting it in the envelope; one that can't be
    /// read is logged, and changes nothing.
    pub fn rewritten(&self, cx: &mut Context, address: &Str, purpose: Purpose) -> Str {
        match self.rewrite(cx, address, purpose) {
            Ok(new) => new.unwrap_or_else(|| address.clone()),
            Err(fail) => {
                cx.log().main(fail.message());
                address.clone()
            }
        }
    }

    fn rewrite(
        &self,
        cx: &mut Context,
        address: &Str,
        purpose: Purpose,
    ) -> Result<Option<Str>, Fail> {
        if purpose.verifies() {
            let verifying = RouteEvent::Verifying { address: address.bytes() };
            cx.tell(Happening::Route(verifying));
        }
        let place = match purpose {
            Purpose::VerifySender => AddressPlace::EnvelopeFrom,
            _ => AddressPlace::EnvelopeTo,
        };
        Rewriter::new(&self.0.rewrite).address(cx, address, place)
    }
}
