//! Policies of domains for mail that comes to them (MTA-STS).

use super::private::Coded;
use super::{FieldReader, Record, Writer};

/// A domain's policy, and when it was last tried in vain to have a newer one. Its key is the
/// domain.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StsRecord {
    /// What the domain calls it; empty where none could be had.
    pub id: String,
    /// The policy, as it was written.
    pub text: Vec<u8>,
    /// When it was fetched, as all times in seconds since 1970.
    pub fetched: i64,
    /// Until when it is in force.
    pub until: i64,
    /// What the domain called the policy that could not be had.
    pub tried_id: String,
    /// When that was.
    pub tried: i64,
    /// Why it could not be had, by a number.
    pub trouble: u8,
    /// Why, in words.
    pub why: String,
    /// When mail last went there, to the day.
    pub used: i64,
}

impl Record for StsRecord {
    const SPACE: &'static str = "mta-sts";
}

impl Coded for StsRecord {
    const MARK: [u8; 2] = *b"Y\x02";

    fn write(&self, to: &mut Writer) {
        to.text(self.id.as_bytes());
        to.text(&self.text);
        to.long(self.fetched);
        to.long(self.until);
        to.text(self.tried_id.as_bytes());
        to.long(self.tried);
        to.byte(self.trouble);
        to.text(self.why.as_bytes());
        to.long(self.used);
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        let words = |text: &[u8]| String::from_utf8(text.to_vec()).ok();
        Some(Self {
            id: words(from.text()?)?,
            text: from.text()?.to_vec(),
            fetched: from.long()?,
            until: from.long()?,
            tried_id: words(from.text()?)?,
            tried: from.long()?,
            trouble: from.byte()?,
            why: words(from.text()?)?,
            used: from.long()?,
        })
    }
}
