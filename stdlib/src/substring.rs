//! What `length`, `substr`, `hash` and `nhash` do, as items and as operators.

use eximious_core::Str;
use smallvec::SmallVec;

/// A part of a string (specification 11.5, `substr`).
pub fn substr(subject: &Str, start: i64, length: Option<i64>) -> Str {
    let size = subject.bytes().len() as i64;
    let (mut from, mut count) = (start, length);
    if start < 0 {
        from = start.saturating_add(size);
        match count {
            // No length: what stands before the start.
            None => {
                count = Some(from.max(0));
                from = 0;
            }
            Some(wanted) if from < 0 => {
                count = Some((wanted.saturating_add(from)).max(0));
                from = 0;
            }
            Some(_) => {}
        }
    }
    let from = from.min(size);
    let end = count.map_or(size, |n| from.saturating_add(n).min(size));
    subject.slice(from as usize, end.max(from) as usize)
}

/// The characters of a textual hash, as the program has them: `t` stands
/// before `s`, and the specification's `W` before `R` is not there.
const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrtsuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// How many characters a textual hash may be made of.
pub const LARGEST_ALPHABET: usize = ALPHABET.len();

/// A textual hash of `length` characters from the first `alphabet` ones; a
/// string that is not longer than that is its own hash. An alphabet of no
/// characters is the one that is used where none is given: 26.
///
/// Every byte after the first `length` is rotated left by its value and its
/// offset, and changes one of them, round robin.
pub fn hash(subject: &Str, length: usize, alphabet: usize) -> Str {
    let text = subject.bytes();
    if length >= text.len() {
        return subject.clone();
    }
    if length == 0 {
        return Str::EMPTY;
    }
    let alphabet = if alphabet == 0 { 26 } else { alphabet.min(LARGEST_ALPHABET) };
    let (head, tail) = text.split_at(length);
    let mut slots: SmallVec<[u8; 32]> = SmallVec::from_slice(head);
    for (offset, byte) in tail.iter().enumerate() {
        let position = length + offset;
        slots[offset % length] ^= byte.rotate_left((usize::from(*byte) + position) as u32 & 7);
    }
    for slot in &mut slots {
        *slot = ALPHABET[usize::from(*slot) % alphabet];
    }
    Str::from(&*slots)
}

/// The weights of a numeric hash's bytes, from the first on, again and again.
const WEIGHTS: [u32; 29] = [
    113, 109, 107, 103, 101, 97, 89, 83, 79, 73, 71, 67, 61, 59, 53, 47, 43, 41, 37, 31, 29, 23,
    19, 17, 13, 11, 7, 5, 3,
];

/// A numeric hash below `first`, or a pair of them below `first` and `second`.
/// `None` where the range is empty, which a product that overflows may be.
pub fn nhash(subject: &Str, first: u32, second: Option<u32>) -> Option<String> {
    let total = subject
        .bytes()
        .iter()
        .zip(WEIGHTS.iter().cycle())
        .fold(0u32, |sum, (byte, weight)| sum.wrapping_add(u32::from(*byte) * weight));
    let Some(second) = second else { return Some(total.checked_rem(first)?.to_string()) };
    let total = total.checked_rem(first.wrapping_mul(second))?;
    Some(format!("{}/{}", total.checked_div(second)?, total.checked_rem(second)?))
}
