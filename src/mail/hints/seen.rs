//! What has been seen before.

use super::private::Coded;
use super::{FieldReader, Record, Writer};

/// Something was seen: when, the store itself says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen;

impl Record for Seen {
    const SPACE: &'static str = "seen";
}

impl Coded for Seen {
    const MARK: [u8; 2] = *b"S\x01";

    fn write(&self, _: &mut Writer) {}

    fn read(_: &mut FieldReader<'_>) -> Option<Self> {
        Some(Self)
    }
}
