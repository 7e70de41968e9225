//! What is done is in the message's journal before anything else happens.

use std::collections::BTreeSet;
use std::sync::Arc;

use eximious::trace::{DeliveryEvent, Happening};
use eximious::transport::Undelivered;
use eximious::world::{Log, TakenMessage};

use super::attempt::Attempt;
use super::routing::Plan;
use super::tracking::{NodeId, Tracking};

/// The journal of a message.
pub(super) struct Journal<'j> {
    pub(super) taken: &'j mut dyn TakenMessage,
    pub(super) tracking: &'j Tracking,
    /// Who is in it.
    pub(super) kept: &'j mut BTreeSet<NodeId>,
    pub(super) log: Arc<dyn Log>,
}

impl Journal<'_> {
    /// Notes that addresses have got the message, each once: this is on disk then.
    pub(super) fn keep(&mut self, nodes: &[NodeId]) {
        let new: Vec<NodeId> =
            nodes.iter().copied().filter(|node| !self.kept.contains(node)).collect();
        if new.is_empty() {
            return;
        }
        let lines = new.iter().flat_map(|node| [self.tracking.unique(*node), b"\n"].concat());
        match self.taken.journal(&lines.collect::<Vec<u8>>()) {
            Ok(()) => self.kept.extend(new),
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                let head = b"failed to write to the journal: ".as_slice();
                self.log.panic(&[head, why.as_bytes()].concat());
            }
        }
    }
}

impl Attempt<'_> {
    /// The message's journal.
    pub(super) fn journal(&mut self) -> Journal<'_> {
        let log = self.cx.log();
        let Self { taken, tracking, kept, .. } = self;
        Journal { taken: &mut **taken, tracking, kept, log }
    }

    /// Sees to it that the journal can take all who are about to get the message: whoever has
    /// got it, and can't be noted, would get it again. Where it is all that is left to be done,
    /// the message goes with it.
    pub(super) fn reserve_journal(&mut self, plan: &Plan) -> Result<(), Undelivered> {
        let planned = || plan.local.iter().chain(&plan.remote);
        let is_all = planned().nth(1).is_none() && self.has_good_news_only();
        if is_all || planned().next().is_none() {
            return Ok(());
        }
        let lines = planned().map(|one| self.tracking.unique(one.node).len() + 1).sum();
        self.taken.reserve(lines).map_err(|why| {
            let number = why.raw_os_error().unwrap_or(0);
            Undelivered::new(number, "nothing can be noted in the journal")
        })
    }

    /// That addresses have got the message: this is on disk before anything else happens. Where
    /// they are the last ones, the message goes, and a journal would say nothing more.
    pub(super) fn keep_done(&mut self, nodes: &[NodeId], are_last: bool) {
        for node in nodes {
            let unique = self.tracking.unique(*node);
            self.cx.tell(Happening::Delivery(DeliveryEvent::Kept { unique }));
        }
        if are_last && self.taken.settle().is_ok() {
            return;
        }
        self.journal().keep(nodes);
    }
}
