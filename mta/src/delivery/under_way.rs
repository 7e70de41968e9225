//! Which messages are being delivered, for who asks what a program does (`exiwhat`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The messages that threads are at, by their order.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<(u64, BTreeMap<u64, Vec<u8>>)>);

/// A message that is being delivered, until this is dropped.
#[derive(Debug)]
pub(super) struct OneUnderWay {
    all: Arc<UnderWay>,
    number: u64,
}

impl UnderWay {
    pub(super) fn begin(self: &Arc<Self>, id: &[u8]) -> OneUnderWay {
        let mut locked = self.locked();
        locked.0 += 1;
        let number = locked.0;
        locked.1.insert(number, id.to_vec());
        drop(locked);
        OneUnderWay { all: self.clone(), number }
    }

    /// Their names, those that were begun first before others.
    pub(super) fn ids(&self) -> Vec<Vec<u8>> {
        self.locked().1.values().cloned().collect()
    }

    fn locked(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Vec<u8>>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OneUnderWay {
    fn drop(&mut self) {
        self.all.locked().1.remove(&self.number);
    }
}
