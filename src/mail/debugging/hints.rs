//! Hints, in Exim's words.

use eximious_core::trace::HintEvent;

use super::{DebugSelector, DebugWriter};

pub(super) fn write(step: &HintEvent<'_>, depth: u32, out: &mut DebugWriter<'_>) {
    let mut tell = |parts: &[&[u8]]| out.told(DebugSelector::HINTS_LOOKUP, depth, parts);
    match step {
        HintEvent::Open { space } => tell(&[b" opened hints database ", space.as_bytes()]),
        HintEvent::Read { key, age, .. } => {
            tell(&[b" dbfn_read: key=", key]);
            match age {
                Some(age) => tell(&[format!(" dbfn_read: age {age}s").as_bytes()]),
                None => tell(&[b" dbfn_read: null return"]),
            }
        }
        HintEvent::Write { key, .. } => tell(&[b" dbfn_write: key=", key]),
        HintEvent::Failed { space, why } => {
            let parts = [b" hints database ", space.as_bytes(), b": ", why.as_bytes()];
            tell(&parts);
        }
        _ => {}
    }
}
