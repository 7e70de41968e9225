//! Somebody who delivers one message after the other, and keeps connections between them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use eximious::world::SpoolPlace;

use super::flows::SOON;
use super::kept::KeptConnections;
use super::{AttemptManner, Attempted, Deliverer};
use crate::spool::HeldDelivery;

/// Delivers one message after the other: as long as there are further ones, connections
/// to hosts stay open for a while. It belongs to one thread; when it has nothing to do, it is
/// to [`Courier::rest`].
#[derive(Debug)]
pub struct Courier {
    deliverer: Deliverer,
    kept: Arc<KeptConnections>,
}

impl Courier {
    /// One who delivers as another does.
    pub fn new(deliverer: &Deliverer) -> Self {
        let kept = Arc::new(KeptConnections::default());
        let deliverer = Deliverer { kept: Some(kept.clone()), ..deliverer.clone() };
        Self { deliverer, kept }
    }

    /// Whether it delivers by the configuration of another.
    pub fn is_of(&self, deliverer: &Deliverer) -> bool {
        Arc::ptr_eq(&self.deliverer.flows, &deliverer.flows)
    }

    /// Delivers a message, the reports that come of it, and what waits for the hosts that
    /// were reached, until `stops` says that it is enough. `more` says whether there are
    /// further messages.
    pub fn deliver(
        &self,
        place: &SpoolPlace,
        id: &[u8],
        manner: &AttemptManner,
        more: bool,
        stops: &AtomicBool,
    ) -> Attempted {
        self.deliver_held((place, id), None, manner, more, stops)
    }

    /// The same for a message that may be held, and not be in the spool.
    pub fn deliver_held(
        &self,
        (place, id): (&SpoolPlace, &[u8]),
        held: Option<HeldDelivery>,
        manner: &AttemptManner,
        more: bool,
        stops: &AtomicBool,
    ) -> Attempted {
        self.kept.set_busy(more);
        let outcome = self.deliverer.attempt_all(place, id, manner, held);
        self.deliverer.use_connections(&self.kept, place, id, manner, stops);
        outcome
    }

    /// For how long it is to wait for a further message before it rests.
    pub fn patience(&self) -> Option<Duration> {
        (!self.kept.is_all_gone()).then_some(SOON)
    }

    /// Ends all connections.
    pub fn rest(&self) {
        self.deliverer.end_connections(&self.kept);
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.rest();
    }
}
