//! What is remembered from one message to the next, as records: retry times
//! (specification, chapter 32), the cache of callouts (44.22.2), rates (44.20),
//! what was seen (44.19), which messages wait for a host (49.1), who is at work (31,
//! `serialize_hosts`), what domains say of mail that comes to them (MTA-STS), what came
//! of TLS with their hosts (TLS-RPT), and what hosts announce (`hosts_pipe_connect`).
//!
//! A record is bytes in a [`HintStore`], begun by its kind and version. What
//! can't be read as such is as if it were not there: hints can always be lost.

mod announced;
mod callout;
mod codec;
mod dump;
mod edit;
mod ratelimit;
mod retry;
mod seen;
mod sts;
mod tls;
mod tls_report;
mod told;
mod waiting;
mod working;

use eximious_core::world::{Change, Hint, HintStore, HintsError};

pub use announced::Announced;
pub use callout::{
    CalloutAddress, CalloutDomain, CalloutResult, QuotaStanding, callout_key, quota_key,
};
use codec::{FieldReader, Writer};
pub use dump::dump;
pub use edit::{edited, fields};
pub use ratelimit::{Rate, Uniques, ratelimit_key};
pub use retry::{Retry, RetryKey};
pub use seen::Seen;
pub use sts::StsRecord;
pub use tls::TlsResumable;
pub use tls_report::{ReportedFailure, ReportedPolicy, TlsReport, tls_report_key};
pub(crate) use told::ToldHints;
pub use waiting::{Waiting, WaitingStanding};
pub use working::{Working, WorkingTurn, host_key, transport_key};

/// A record of a kind.
pub trait Record: Sized + private::Coded {
    /// The space where such records stand.
    const SPACE: &'static str;

    /// The record of a key, and when it was put there.
    ///
    /// # Errors
    /// The store can't be asked.
    fn load(store: &dyn HintStore, key: &[u8]) -> Result<Option<(Self, i64)>, HintsError> {
        Ok(store.get(Self::SPACE.as_bytes(), key)?.and_then(|hint| decode(&hint)))
    }

    /// Puts the record there.
    ///
    /// # Errors
    /// The store does not take it.
    fn save(&self, store: &dyn HintStore, key: &[u8], now: i64) -> Result<(), HintsError> {
        store.put(Self::SPACE.as_bytes(), key, Hint { value: encode(self), stamp: now })
    }

    /// Removes the record of a key.
    ///
    /// # Errors
    /// The store can't do that.
    fn forget(store: &dyn HintStore, key: &[u8]) -> Result<(), HintsError> {
        store.delete(Self::SPACE.as_bytes(), key)
    }

    /// Reads a record and puts another in its place, which nobody else changes
    /// in between: a new one, none, or, by `None`, what was there. The function
    /// has to be quick, and may be called again.
    ///
    /// # Errors
    /// The store can't do that; then nothing is changed.
    fn change(
        store: &dyn HintStore,
        key: &[u8],
        now: i64,
        mut change: impl FnMut(Option<(Self, i64)>) -> Option<Option<Self>>,
    ) -> Result<(), HintsError> {
        let mut bytes = |old: Option<&Hint>| match change(old.and_then(decode)) {
            None => Change::Keep,
            Some(None) => Change::Delete,
            Some(Some(new)) => Change::Put(Hint { value: encode(&new), stamp: now }),
        };
        store.update(Self::SPACE.as_bytes(), key, &mut bytes)
    }
}

mod private {
    use super::{FieldReader, Writer};

    /// How a record is written.
    pub trait Coded: Sized {
        /// Which kind and version it is.
        const MARK: [u8; 2];
        /// Writes all fields.
        fn write(&self, to: &mut Writer);
        /// Reads them; `None` where they are not what they should be.
        fn read(from: &mut FieldReader<'_>) -> Option<Self>;
    }
}

fn encode<R: Record>(record: &R) -> Vec<u8> {
    let mut writer = Writer::default();
    R::MARK.into_iter().for_each(|byte| writer.byte(byte));
    record.write(&mut writer);
    writer.done()
}

fn decode<R: Record>(hint: &Hint) -> Option<(R, i64)> {
    let rest = hint.value.strip_prefix(&R::MARK)?;
    let mut reader = FieldReader::new(rest);
    let record = R::read(&mut reader)?;
    reader.at_end().then_some((record, hint.stamp))
}

#[cfg(test)]
mod tests;
