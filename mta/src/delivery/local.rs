//! Deliveries on this host: as whom, and which go together (specification, chapters 23 and
//! 25).

use eximious::Str;
use eximious::hints::RetryKey;
use eximious::route::{Delivery, DeliveryTarget};
use eximious::transport::{LocalUser, Undelivered};

use super::attempt::Attempt;
use super::retry::{Hopeless, hint_name};
use super::routing::Planned;
use super::transport::carries_the_same;

/// What is kept of failures of a local delivery.
pub(super) struct LocalRetry<'a> {
    /// What they are known by.
    pub(super) key: Vec<u8>,
    /// What rules may name, and what else they may.
    pub(super) subject: (Vec<u8>, Option<&'a [u8]>),
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
    }

    /// What retries of a local delivery are for: an address, or its domain
    /// (`retry_use_local_part`). A file, a command or a reply is one of the address that it came
    /// of: it may be no other's trouble, and that address has the rules.
    pub(super) fn local_retry<'a>(&self, planned: &'a Planned) -> LocalRetry<'a> {
        let Planned { node, delivery, .. } = planned;
        let by_address = delivery.target != DeliveryTarget::Address
            || delivery
                .transport
                .is_none_or(|number| self.routes().transport_retries_local_parts(number));
        let address = &delivery.address;
        let domain = address.domain.bytes();
        let parent = address.parent.as_ref().filter(|_| delivery.target != DeliveryTarget::Address);
        match parent {
            Some(parent) => {
                let subject = (parent.text.bytes().to_vec(), Some(parent.domain.bytes()));
                LocalRetry { key: RetryKey::Local(self.tracking.unique(*node)).bytes(), subject }
            }
            None if by_address => {
                let name = hint_name(address, false);
                LocalRetry { key: RetryKey::Local(&name).bytes(), subject: (name, Some(domain)) }
            }
            None => {
                let subject = (domain.to_vec(), None);
                LocalRetry { key: RetryKey::Local(domain).bytes(), subject }
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
        if self.waits_for(&key, (&name, domain), Hopeless::Tried).is_none() {
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
