//! Addresses that no host has taken, and that other hosts stand in for: they are delivered
//! once more, behind all others, and those together that have the same ones by then
//! (specification 15, `fallback_hosts`).

use eximious::transport::{FailedHost, Outcome, StandIn, Undelivered};

use super::attempt::Attempt;
use super::retry::{Verdict, host_key};
use super::routing::Planned;
use super::transport::NOT_DUE;

/// What came of an address's own hosts, before others stood in for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    /// Whether the time for those that failed has run out; nothing where none did.
    of_hosts: Option<Verdict>,
    /// Whether one was passed by that may be tried another time.
    passed_by: bool,
    /// What the last one that did not take the address for now said of it.
    pub(super) refused: Option<Undelivered>,
    /// Why the address has no message yet.
    why: Option<Undelivered>,
    /// The keys of hints of them and this message.
    of_message: Vec<Vec<u8>>,
}

impl Before {
    /// What came of hosts of which these failed.
    pub(super) fn new(
        of_hosts: Option<Verdict>,
        passed_by: bool,
        failed: &[FailedHost],
        (id, by_address): (&[u8], bool),
    ) -> Self {
        let own = failed.iter().filter(|one| one.for_message);
        Self {
            of_hosts,
            passed_by,
            refused: None,
            why: None,
            of_message: own.map(|one| host_key(&one.host, Some(id), by_address)).collect(),
        }
    }

    /// The same for one address: what the last of them said if it did not take it for now, and
    /// why it has no message yet.
    pub(super) fn of_address(self, refused: Option<Undelivered>, outcome: Outcome) -> Self {
        let why = match outcome {
            Outcome::Deferred(why) => Some(why),
            _ => None,
        };
        Self { refused, why, ..self }
    }

    /// What came of the address: where no other host was tried, what was wrong before still
    /// is, and where none could be reached, the log names the one that was reached before.
    pub(super) fn outcome(&self, outcome: Outcome) -> Outcome {
        match (outcome, &self.why) {
            (Outcome::Deferred(why), Some(before)) if why.number == NOT_DUE => {
                Outcome::Deferred(before.clone())
            }
            (Outcome::Deferred(why), Some(before)) if why.host.is_none() => {
                let (host, local) = (before.host.clone(), before.local.clone());
                Outcome::Deferred(Undelivered { host, local, ..why })
            }
            (outcome, _) => outcome,
        }
    }

    /// What is known now that other hosts were tried: whether the time has run out, and whether
    /// another host may yet take the address, as long as there is time for it.
    pub(super) fn with(&self, now: &Self) -> (Verdict, bool) {
        let of_hosts = match (self.of_hosts, now.of_hosts) {
            (Some(Verdict::Expired), Some(Verdict::Expired) | None)
            | (None, Some(Verdict::Expired)) => Verdict::Expired,
            _ => Verdict::Again,
        };
        let passed_by = self.passed_by || now.passed_by;
        let any_failed = self.of_hosts.is_some() || now.of_hosts.is_some();
        let may_wait = passed_by || any_failed && of_hosts == Verdict::Again;
        (if passed_by { Verdict::Again } else { of_hosts }, may_wait)
    }
}

impl Attempt<'_> {
    /// Others stand in for the hosts of an address, which is delivered by them then.
    pub(super) fn stand_in(&mut self, planned: &Planned, hosts: StandIn, before: Before) {
        let delivery = Box::new(hosts.delivery(&planned.delivery));
        self.stand_ins.push(Planned { node: planned.node, delivery, before });
    }

    /// An address waits that its own hosts have not taken before: what they said of the
    /// message stays.
    pub(super) fn waits_for_own(&mut self, before: &Before) {
        before.of_message.iter().for_each(|key| {
            self.of_message.remove(key);
        });
    }
}
