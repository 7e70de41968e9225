//! How fast clients are.

use eximious_core::world::Moment;

use super::private::Coded;
use super::{FieldReader, Record, Writer};

/// How fast a client was.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rate {
    /// When it was measured.
    pub at: Moment,
    /// How much there was in a period.
    pub rate: f64,
    /// Which events have been counted, where equal ones count once.
    pub uniques: Option<Uniques>,
}

/// A set of events that says of few others that it has them (a Bloom filter).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Uniques {
    /// When it was begun, seconds since 1970.
    pub since: i64,
    /// Its bits.
    pub bits: Vec<u8>,
}

/// The key of a rate: the period and what is measured are part of it, as in
/// `1h/per_mail/192.0.2.1`.
pub fn ratelimit_key(period: &[u8], measure: &[u8], unique: bool, key: &[u8]) -> Vec<u8> {
    let unique: &[u8] = if unique { b"unique/" } else { b"" };
    [period, b"/", measure, b"/", unique, key].concat()
}

impl Record for Rate {
    const SPACE: &'static str = "ratelimit";
}

impl Coded for Rate {
    const MARK: [u8; 2] = *b"L\x01";

    fn write(&self, to: &mut Writer) {
        to.long(self.at.seconds);
        to.long(i64::from(self.at.nanos));
        to.float(self.rate);
        to.byte(u8::from(self.uniques.is_some()));
        if let Some(uniques) = &self.uniques {
            to.long(uniques.since);
            to.text(&uniques.bits);
        }
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        let seconds = from.long()?;
        let nanos = u32::try_from(from.long()?).ok().filter(|nanos| *nanos < 1_000_000_000)?;
        // What is no number, or without an end, would never cease to be so.
        let rate = from.float().filter(|rate| rate.is_finite() && *rate >= 0.0)?;
        let uniques = match from.flag()? {
            true => Some(Uniques { since: from.long()?, bits: from.text()?.to_vec() }),
            false => None,
        };
        Some(Self { at: Moment { seconds, nanos }, rate, uniques })
    }
}
