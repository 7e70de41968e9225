//! Deliveries on this host: as whom, and which go together (specification, chapters 23 and
//! 25).

use eximious::Str;
use eximious::hints::RetryKey;
use eximious::route::{Delivery, DeliveryTarget};
use eximious::transport::{LocalUser, Undelivered};

use super::attempt::Attempt;
use super::retry::{Hopeless, Verdict, hint_name};
use super::routing::Planned;
use super::transport::carries_the_same;

/// What is kept of failures of a local delivery.
#[derive(Debug)]
pub(super) struct LocalRetry {
    /// What they are known by.
    pub(super) key: Vec<u8>,
    /// What rules may name, and what else they may.
    pub(super) subject: (Vec<u8>, Option<Str>),
}

impl Attempt<'_> {
    /// Makes the deliveries on this host: those that can go together do.
    pub(super) fn deliver_local(&mut self, mut left: Vec<Planned>) {
        while !left.is_empty() {
            let first = left.remove(0);
            let (batch, others) = self.batch(first, left);
            left = others;
            let batch = batch.into_iter().filter_map(|planned| self.whose_time_has_come(planned));
            let batch: Vec<Planned> = batch.collect();
            if !batch.is_empty() {
                self.deliver_together(&batch);
            }
        }
        self.keep_put_off_here();
    }

    /// Keeps which deliveries on this host are put off, when all of them are made: what was known
    /// before is forgotten by then where another one that it is known of too has arrived, be it
    /// later, and what failed has to wait all the same.
    fn keep_put_off_here(&mut self) {
        for (retry, waits) in std::mem::take(&mut self.put_off_here) {
            let LocalRetry { key, subject: (name, domain) } = retry;
            let (subject, why) = ((&name[..], domain.as_ref().map(Str::bytes)), &waits.undone.why);
            match self.keep_failure(&key, subject, why, why.detail()) {
                Verdict::Expired => self.expired.push(waits),
                Verdict::Again => self.defer(waits.undone),
            }
        }
    }

    /// What retries of a local delivery are for: an address, or its domain
    /// (`retry_use_local_part`). A file, a command or a reply is one of the address that it came
    /// of: it may be no other's trouble, and that address has the rules.
    pub(super) fn local_retry(&self, planned: &Planned) -> LocalRetry {
        let Planned { node, delivery, .. } = planned;
        let by_address = delivery.target != DeliveryTarget::Address
            || delivery
                .transport
                .is_none_or(|number| self.routes().transport_retries_local_parts(number));
        let address = &delivery.address;
        let domain = &address.domain;
        let parent = address.parent.as_ref().filter(|_| delivery.target != DeliveryTarget::Address);
        match parent {
            Some(parent) => {
                let subject = (parent.text.bytes().to_vec(), Some(parent.domain.clone()));
                LocalRetry { key: RetryKey::Local(self.tracking.unique(*node)).bytes(), subject }
            }
            None if by_address => {
                let name = hint_name(address, false);
                let key = RetryKey::Local(&name).bytes();
                LocalRetry { key, subject: (name, Some(domain.clone())) }
            }
            None => {
                let subject = (domain.bytes().to_vec(), None);
                LocalRetry { key: RetryKey::Local(domain.bytes()).bytes(), subject }
            }
        }
    }

    /// A delivery that may be tried now; one that may not is put off. Only runs of the queue
    /// wait for the time: all else is tried at once (specification, chapter 32).
    fn whose_time_has_come(&mut self, planned: Planned) -> Option<Planned> {
        if !self.manner.is_run {
            return Some(planned);
        }
        let LocalRetry { key, subject: (name, domain) } = self.local_retry(&planned);
        let subject = (&name[..], domain.as_ref().map(Str::bytes));
        // What is too large does not get smaller while it waits.
        let waits = self.waits_for(&key, subject, Hopeless::Tried).is_some();
        if !waits || self.is_too_large(&planned) {
            return Some(planned);
        }
        let why = Undelivered::new(-53, "Retry time not yet reached");
        self.waits(&planned, &why);
        None
    }

    /// The deliveries that go with one, and those that do not.
    fn batch(&mut self, first: Planned, left: Vec<Planned>) -> (Vec<Planned>, Vec<Planned>) {
        let routes = self.routes().clone();
        let number = first.delivery.transport.filter(|_| !left.is_empty());
        let Some(number) = number else { return (vec![first], left) };
        let batch = routes.batch(&mut self.cx, number, &first.delivery);
        let (mut together, mut others) = (vec![first], Vec::new());
        for one in left {
            let first = &together[0].delivery;
            let parts = [first, &one.delivery].map(|delivery| delivery.address.local_part.bytes());
            let domains = [&first.address.domain, &one.delivery.address.domain].map(Str::bytes);
            let fits = together.len() < batch.most
                && goes_with(first, &one.delivery, batch.mixed)
                && (!batch.one_local_part || parts[0] == parts[1])
                && (!batch.one_domain || domains[0] == domains[1])
                && routes.shares_batch(&mut self.cx, number, &batch, &one.delivery);
            match fits {
                true => together.push(one),
                false => others.push(one),
            }
        }
        (together, others)
    }

    /// As whom a delivery is made.
    pub(super) fn user_of(&mut self, delivery: &Delivery) -> Result<LocalUser, Undelivered> {
        let routes = self.routes().clone();
        routes.introduce(&mut self.cx, &[delivery]);
        let user = routes.local_user(&mut self.cx, delivery);
        routes.dismiss(&mut self.cx, &[delivery]);
        user
    }
}

/// Whether two deliveries on this host may go in one, as far as that is no matter of the
/// transport's; `mixed` where that does not care what else they carry.
fn goes_with(first: &Delivery, other: &Delivery, mixed: bool) -> bool {
    if mixed {
        return first.transport == other.transport;
    }
    let same_target = first.target == other.target
        && (first.target == DeliveryTarget::Address
            || first.address.text.bytes() == other.address.text.bytes());
    let host = |delivery: &Delivery| delivery.hosts.first().map(|host| host.name.clone());
    carries_the_same(first, other)
        && same_target
        && host(first) == host(other)
        && first.home == other.home
        && first.directory == other.directory
}
