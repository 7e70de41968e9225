//! What keeps a transport from a delivery before it begins: `message_size_limit`.

use eximious_core::{Expanded, Str};
use eximious_stdlib::number::comparand;
use eximious_stdlib::options::opt::transport as opt;

use super::{Outcome, Transport, Undelivered};
use crate::Context;
use crate::mail::route::Text;

/// Something about the delivery makes no sense.
const UNKNOWN: i32 = -1;

/// What comes of a delivery that can't be made; nothing where it can.
pub(super) fn hinder(cx: &mut Context, transport: &Transport, size: u64) -> Option<Outcome> {
    match limit(cx, transport) {
        Ok(limit) => {
            let too_big = limit > 0 && size > limit.unsigned_abs();
            let why = format!("message is too big (transport limit = {limit})");
            // The sender is told nothing but that it failed.
            let said = Some(Vec::new());
            let why = Undelivered { said, is_untried: true, ..Undelivered::new(0, why) };
            too_big.then_some(Outcome::Failed(why))
        }
        Err(why) => Some(Outcome::Deferred(Undelivered {
            is_untried: true,
            ..Undelivered::new(UNKNOWN, why)
        })),
    }
}

/// `message_size_limit` in bytes; 0 is none.
fn limit(cx: &mut Context, transport: &Transport) -> Result<i64, Vec<u8>> {
    let text = match transport.set(opt::MESSAGE_SIZE_LIMIT) {
        None => return Ok(0),
        Some(Expanded::Value(limit)) => return Ok(limit),
        Some(Expanded::Text(text)) => text,
    };
    let name = transport.name.bytes();
    let told = |what: &str, why: &[u8]| {
        [what.as_bytes(), b" message_size_limit in ", name, b" transport: ", why].concat()
    };
    let text: Str = match Text::new(text).expand(cx) {
        Ok(text) => text,
        Err(fail) => return Err(told("failed to expand", fail.message())),
    };
    // Nothing at all is no number here; blanks are, as in a comparison.
    if text.is_empty() {
        return Err(told("invalid", b"integer expected but \"\" found"));
    }
    match comparand(text.bytes()) {
        Ok(limit) if limit < 0 => {
            let shown = [b"\"", text.bytes(), b"\" found"].concat();
            Err(told("invalid", &[b"non-negative integer expected but ", &shown[..]].concat()))
        }
        limit => limit.map_err(|fail| told("invalid", fail.message())),
    }
}
