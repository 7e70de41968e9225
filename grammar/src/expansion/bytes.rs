//! What bytes mean to the parser.

use crate::scan::{find_of_three, find_of_three_in};

/// What literal text ends at.
const ENDS: [u8; 3] = [b'$', b'\\', b'}'];

/// What may stand in any name.
const NAME: u8 = 1;
/// A hyphen, which may stand in some names.
const HYPHEN: u8 = 2;
/// What literal text ends at.
const SPECIAL: u8 = 4;

/// Of which of these classes a byte is.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut c = 0;
    while c < 256 {
        if (c as u8).is_ascii_alphanumeric() || c == b'_' as usize {
            classes[c] = NAME;
        }
        c += 1;
    }
    classes[b'-' as usize] = HYPHEN;
    classes[ENDS[0] as usize] = SPECIAL;
    classes[ENDS[1] as usize] = SPECIAL;
    classes[ENDS[2] as usize] = SPECIAL;
    classes
};

/// Whether a byte may stand in a name.
pub(super) fn is_name(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & NAME != 0
}

/// As [`is_name`], or a hyphen.
pub(super) fn is_dashed_name(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & (NAME | HYPHEN) != 0
}

/// Whether literal text ends at a byte.
pub(super) fn is_special(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & SPECIAL != 0
}

/// Where the first byte stands that literal text ends at.
#[inline(always)]
pub(super) fn special(text: &[u8]) -> Option<usize> {
    // Most often it is near.
    text.first_chunk().and_then(|near| find_of_three_in(*near, ENDS)).or_else(|| find_far(text))
}

#[inline(never)]
fn find_far(text: &[u8]) -> Option<usize> {
    find_of_three(text, ENDS)
}

/// What C's `isspace` calls white space.
pub fn is_space(byte: u8) -> bool {
    byte <= b' ' && (byte == b' ' || matches!(byte, b'\t'..=b'\r'))
}
