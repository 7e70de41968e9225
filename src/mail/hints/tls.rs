//! Sessions under TLS that may be taken up again.

use super::private::Coded;
use super::{FieldReader, Record, Writer};

/// A session that a host gave, with its secrets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsResumable {
    /// The session, as the library writes it.
    pub session: Vec<u8>,
    /// Until when it is good, in seconds since 1970.
    pub until: i64,
}

impl Record for TlsResumable {
    const SPACE: &'static str = "tls";
}

impl Coded for TlsResumable {
    const MARK: [u8; 2] = *b"T\x01";

    fn write(&self, to: &mut Writer) {
        to.text(&self.session);
        to.long(self.until);
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        Some(Self { session: from.text()?.to_vec(), until: from.long()? })
    }
}
