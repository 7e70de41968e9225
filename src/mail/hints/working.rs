//! How many are at work with a host or a transport (`serialize_hosts`,
//! `max_parallel`), whichever processes they are.

use std::fmt;
use std::sync::Arc;

use eximious_core::world::{Clock, HintsError, Host};
use eximious_stdlib::options::opt::SPOOL_DIRECTORY;

use super::private::Coded;
use crate::Context;

use super::{FieldReader, HintStore, Record, Writer};

/// After this many seconds without a change nobody is there any more (specification 24,
/// `max_parallel`).
const FORGOTTEN: i64 = 6 * 3600;

/// Who is at work.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Working {
    /// The numbers of their processes, one for each time.
    pub pids: Vec<u32>,
}

/// The key of a host, by its address.
pub fn host_key(address: &[u8]) -> Vec<u8> {
    [b"host-serialize-", address].concat()
}

/// The key of a transport.
pub fn transport_key(name: &[u8]) -> Vec<u8> {
    [b"tpt-serialize-", name].concat()
}

impl Working {
    /// One more begins in this process, unless there are `most` already. Who crashed takes no
    /// leave: processes that are there no more don't count.
    pub(super) fn enter(
        store: &dyn HintStore,
        host: &dyn Host,
        key: &[u8],
        most: usize,
        now: i64,
    ) -> Result<bool, HintsError> {
        let mut may = false;
        Self::change(store, key, now, |old| {
            let mut pids = now_working(old, now);
            pids.retain(|pid| host.is_running(*pid));
            may = pids.len() < most;
            pids.push(host.pid());
            may.then_some(Some(Self { pids }))
        })?;
        Ok(may)
    }

    /// One of this process has ended.
    pub(super) fn leave(
        store: &dyn HintStore,
        host: &dyn Host,
        key: &[u8],
        now: i64,
    ) -> Result<(), HintsError> {
        Self::change(store, key, now, |old| {
            let mut pids = now_working(old, now);
            if let Some(at) = pids.iter().position(|pid| *pid == host.pid()) {
                pids.remove(at);
            }
            Some((!pids.is_empty()).then_some(Self { pids }))
        })
    }
}

/// One at work with a host or a transport; it has ended when this is dropped.
pub struct WorkingTurn {
    store: Arc<dyn HintStore>,
    host: Arc<dyn Host>,
    clock: Arc<dyn Clock>,
    key: Vec<u8>,
}

impl WorkingTurn {
    /// One more begins in this process; nothing where there are `most` already.
    ///
    /// # Errors
    /// The store can't be asked.
    pub fn begin(cx: &Context, key: Vec<u8>, most: usize) -> Result<Option<Self>, HintsError> {
        let (engine, world) = (cx.engine(), cx.engine().world());
        let store = world.hint_store(engine.settings().get(SPOOL_DIRECTORY).bytes());
        let (host, clock) = (world.host.clone(), world.clock.clone());
        let may = Working::enter(&*store, &*host, &key, most, clock.now().seconds)?;
        // What was not begun does not end when it is dropped.
        Ok(may.then(|| Self { store, host, clock, key }))
    }
}

impl fmt::Debug for WorkingTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkingTurn").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Drop for WorkingTurn {
    fn drop(&mut self) {
        let now = self.clock.now().seconds;
        // What can't be taken back is forgotten in time.
        let _ = Working::leave(&*self.store, &*self.host, &self.key, now);
    }
}

fn now_working(record: Option<(Working, i64)>, now: i64) -> Vec<u32> {
    let fresh = record.filter(|(_, stamp)| now.saturating_sub(*stamp) <= FORGOTTEN);
    fresh.map_or_else(Vec::new, |(working, _)| working.pids)
}

impl Record for Working {
    const SPACE: &'static str = "misc";
}

impl Coded for Working {
    const MARK: [u8; 2] = *b"W\x02";

    fn write(&self, to: &mut Writer) {
        to.long(self.pids.len() as i64);
        for pid in &self.pids {
            to.int(pid.cast_signed());
        }
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        let count = from.long()?;
        let pids = (0..count).map(|_| from.int().map(i32::cast_unsigned));
        Some(Self { pids: pids.collect::<Option<_>>()? })
    }
}
