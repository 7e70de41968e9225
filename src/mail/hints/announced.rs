//! What hosts announce, where they may get commands before their greeting (`PIPECONNECT`).

use super::private::Coded;
use super::{FieldReader, Record, Writer};

/// What a host answered to EHLO or LHLO, as it came, with line feeds between its lines; empty
/// where it does not take commands before its greeting.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Announced {
    /// In the clear.
    pub in_clear: Vec<u8>,
    /// Under TLS.
    pub under_tls: Vec<u8>,
}

impl Record for Announced {
    const SPACE: &'static str = "misc";
}

impl Coded for Announced {
    const MARK: [u8; 2] = *b"E\x01";

    fn write(&self, to: &mut Writer) {
        to.text(&self.in_clear);
        to.text(&self.under_tls);
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        Some(Self { in_clear: from.text()?.to_vec(), under_tls: from.text()?.to_vec() })
    }
}
