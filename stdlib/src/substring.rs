//! What `length`, `substr`, `hash` and `nhash` do, as items and as operators.

use eximious_core::{Fail, Str};

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

const ALPHABET: &[u8; 63] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQWRSTUVWXYZ0123456789";

/// A textual hash (specification 11.5, `hash`).
///
/// # Errors
/// Where a number is out of range.
pub fn hash(subject: &Str, length: i64, alphabet: Option<i64>) -> Result<Str, Fail> {
    let alphabet = alphabet.unwrap_or(26);
    if alphabet > ALPHABET.len() as i64 {
        return Err(Fail::argument(format!("hash count \"{alphabet}\" too big")));
    }
    let text = subject.bytes();
    let Ok(length) = usize::try_from(length) else {
        return Err(Fail::argument(format!(
            "\"{length}\" is not a positive number (in \"hash\" expansion)"
        )));
    };
    if length >= text.len() {
        return Ok(subject.clone());
    }
    if alphabet == 0 {
        return Err(Fail::argument("\"0\" is zero (in \"hash\" expansion)"));
    }
    let _ = ALPHABET;
    Err(Fail::argument("hash is not written yet"))
}

/// A numeric hash, or two (specification 11.5, `nhash`).
///
/// # Errors
/// Where a number is zero.
pub fn nhash(subject: &Str, first: i64, second: Option<i64>) -> Result<Str, Fail> {
    const PRIMES: [i32; 30] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
        97, 101, 103, 107, 109, 113, 127,
    ];
    let _ = (subject, first, second, PRIMES);
    Err(Fail::argument("nhash is not written yet"))
}
