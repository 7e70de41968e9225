//! How many are at work with a host or a transport (`serialize_hosts`,
//! `max_parallel`).

use eximious_core::world::HintsError;

use super::private::Coded;
use super::{FieldReader, HintStore, Record, Writer};

/// Who crashed takes no leave: after this many seconds without a change, nobody
/// is there any more.
const FORGOTTEN: i64 = 6 * 3600;

/// How many are at work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Working {
    /// So many.
    pub count: i32,
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
    /// One more begins, unless there are `most` already.
    ///
    /// # Errors
    /// The store can't be asked.
    pub fn enter(
        store: &dyn HintStore,
        key: &[u8],
        most: i32,
        now: i64,
    ) -> Result<bool, HintsError> {
        let mut may = false;
        Self::change(store, key, now, |old| {
            let count = now_working(old, now);
            may = count < most;
            may.then_some(Some(Self { count: count.saturating_add(1) }))
        })?;
        Ok(may)
    }

    /// One has ended.
    ///
    /// # Errors
    /// The store can't be asked.
    pub fn leave(store: &dyn HintStore, key: &[u8], now: i64) -> Result<(), HintsError> {
        Self::change(store, key, now, |old| {
            let count = now_working(old, now).saturating_sub(1);
            Some((count > 0).then_some(Self { count }))
        })
    }
}

fn now_working(record: Option<(Working, i64)>, now: i64) -> i32 {
    let fresh = record.filter(|(_, stamp)| now.saturating_sub(*stamp) <= FORGOTTEN);
    fresh.map_or(0, |(working, _)| working.count.max(0))
}

impl Record for Working {
    const SPACE: &'static str = "misc";
}

impl Coded for Working {
    const MARK: [u8; 2] = *b"W\x01";

    fn write(&self, to: &mut Writer) {
        to.int(self.count);
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        Some(Self { count: from.int()? })
    }
}
