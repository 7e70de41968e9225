//! Deliveries for a user's program that wants to know at once whether its message went to the
//! smart host (specification 52, `mua_wrapper`): to all, in one transaction, or to nobody.

use eximious::opt;
use eximious::transport::Undelivered;

use super::Attempted;
use super::attempt::{Attempt, Undone};
use super::log::top;
use super::routing::{Plan, Planned};
use super::transport::goes_with;

impl Attempt<'_> {
    /// Whether all get the message now, or nobody.
    pub(super) fn is_wrapped(&self) -> bool {
        self.cx.engine().settings().get(opt::MUA_WRAPPER)
    }

    /// Makes the one delivery, if there is no other.
    pub(super) fn deliver_wrapped(&mut self, plan: Plan) -> Attempted {
        self.tell_expired();
        if let Some(words) = self.hindrance(&plan) {
            return self.refuse(words);
        }
        if !plan.remote.is_empty() {
            self.deliver_together(&plan.remote);
        }
        self.forget_overcome();
        // Who was tried last is told of.
        let failed = std::mem::take(&mut self.failed);
        let waits = std::mem::take(&mut self.deferred);
        for one in &waits {
            let words = b" mua_wrapper forced failure for deferred delivery";
            self.log(&[b"** ", top(&one.address), words].concat());
        }
        match failed.first().or(waits.first()) {
            Some(one) => {
                let why = self.explained(&one.why);
                self.refuse([b"Delivery failed: ", &why[..]].concat())
            }
            None => self.complete_all(),
        }
    }

    /// Why the message is not sent at all, as whoever handed it in is to hear it.
    fn hindrance(&mut self, plan: &Plan) -> Option<Vec<u8>> {
        if let Some(one) = plan.local.first() {
            let (address, words) = (top(&one.delivery.address), yielded("local"));
            self.log(&[b"** ", address, b" routing", &words].concat());
            return Some([b"routing ", address, &words].concat());
        }
        // Of whom nobody would be told waits, as far as this goes.
        let is_untold = |one: &&Undone| self.errors_to(&one.address).is_empty();
        let untold = self.failed.iter().find(is_untold);
        if let Some(one) = self.waiting().first().or(untold) {
            let (address, words) = (top(&one.address), yielded("deferred"));
            self.log(&[b"** ", address, b" routing", &words].concat());
            return Some([b"routing ", address, &words, b": ", &one.why.message].concat());
        }
        if let Some(one) = self.failed.first() {
            let (address, words) = (top(&one.address), yielded("failed"));
            return Some([b"routing ", address, &words, b": ", &one.why.message].concat());
        }
        let (first, others) = plan.remote.split_first()?;
        let fits = |one: &Planned| goes_with(&first.delivery, &one.delivery);
        let bounds = match self.bounds_of(first) {
            Ok(bounds) => bounds,
            Err(why) => return Some(why.message),
        };
        let domain = first.delivery.address.domain.bytes();
        let is_one = others.iter().all(fits)
            && (bounds.several_domains
                || others.iter().all(|one| one.delivery.address.domain.bytes() == domain));
        if is_one {
            return None;
        }
        let line =
            b"** mua_wrapper is set but recipients cannot all be delivered in one transaction";
        self.log(line);
        Some(b"delivery to smarthost failed (configuration problem)".to_vec())
    }

    /// Nobody gets the message; nothing is kept of it.
    fn refuse(&mut self, words: Vec<u8>) -> Attempted {
        match self.complete_all() {
            Attempted::Completed => Attempted::Refused(words),
            other => other,
        }
    }

    /// `H=127.0.0.1 [127.0.0.1]: …`; what the system says of it comes before the host, unless
    /// there are no other words.
    fn explained(&self, why: &Undelivered) -> Vec<u8> {
        let mut parts = Vec::new();
        if let Some(host) = &why.host {
            let address = format!(" [{}]", host.address);
            parts.push([b"H=", &host.name[..], address.as_bytes()].concat());
        }
        let (said, message) = why.words();
        match said {
            Some(said) if message.is_empty() => parts.push(said),
            Some(said) => {
                parts.insert(0, said);
                parts.push(message.to_vec());
            }
            None => parts.push(message.to_vec()),
        }
        parts.join(&b": "[..])
    }
}

/// ` yielded a local delivery`
fn yielded(what: &str) -> Vec<u8> {
    format!(" yielded a {what} delivery").into_bytes()
}
