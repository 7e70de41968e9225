//! How many deliveries run by a transport at the same time (specification 24,
//! `max_parallel`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The deliveries that run, by the numbers of their transports, for all threads that
/// deliver by one configuration.
#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<BTreeMap<usize, usize>>);

/// A delivery that runs; it has ended when this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    transport: usize,
}

impl Slots {
    /// Begins a delivery, unless as many run already as may.
    pub(super) fn take(self: &Arc<Self>, transport: usize, most: usize) -> Option<Slot> {
        let mut running = self.locked();
        let count = running.entry(transport).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Slot { slots: self.clone(), transport })
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<usize, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(count) = self.slots.locked().get_mut(&self.transport) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_run_than_may() {
        let slots = Arc::new(Slots::default());
        let one = slots.take(0, 2);
        let other = slots.take(0, 2);
        assert!(one.is_some() && other.is_some() && slots.take(0, 2).is_none());
        assert!(slots.take(1, 1).is_some());
        drop(one);
        assert!(slots.take(0, 2).is_some());
    }
}
