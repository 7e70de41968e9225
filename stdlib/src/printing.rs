//! Text as it is shown: what does not print is written as an escape.

use std::borrow::Cow;

use smallvec::SmallVec;

/// The bytes with everything that does not print as an escape: `\n` and its
/// kin, or three octal digits. A tab stays, and a backslash too. Whether bytes
/// above 127 print is the option `print_topbitchars`.
pub fn printing(text: &[u8], topbit_prints: bool) -> Vec<u8> {
    let plain = plain_length(text, topbit_prints);
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(&text[..plain]);
    for byte in &text[plain..] {
        match byte {
            b'\t' | b' '..=b'~' => out.push(*byte),
            128.. if topbit_prints => out.push(*byte),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            8 => out.extend_from_slice(b"\\b"),
            11 => out.extend_from_slice(b"\\v"),
            12 => out.extend_from_slice(b"\\f"),
            _ => octal(*byte, &mut out),
        }
    }
    out
}

/// As [`printing`], without a copy where everything prints.
pub fn printed(text: &[u8], topbit_prints: bool) -> Cow<'_, [u8]> {
    match plain_length(text, topbit_prints) == text.len() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(printing(text, topbit_prints)),
    }
}

/// How many bytes print before the first one that does not.
fn plain_length(text: &[u8], topbit_prints: bool) -> usize {
    let prints = |byte: u8| matches!(byte, b'\t' | b' '..=b'~') || topbit_prints && byte >= 128;
    text.iter().position(|byte| !prints(*byte)).unwrap_or(text.len())
}

/// A text whose spaces can be seen.
pub fn visible_spaces(text: &[u8]) -> Cow<'_, [u8]> {
    match memchr::memchr(b' ', text) {
        None => Cow::Borrowed(text),
        Some(_) => {
            Cow::Owned(text.split(|byte| *byte == b' ').collect::<Vec<_>>().join("░".as_bytes()))
        }
    }
}

/// Adds a byte as a backslash and three octal digits.
pub fn octal(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
}

/// Bytes as pairs of hexadecimal digits: few enough, for a hash, to need no memory.
pub fn hexadecimal(bytes: &[u8], digits: &[u8; 16]) -> SmallVec<[u8; 128]> {
    let mut out = SmallVec::from_elem(0, 2 * bytes.len());
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = digits[usize::from(byte >> 4)];
        pair[1] = digits[usize::from(byte & 15)];
    }
    out
}

/// Hexadecimal digits with letters in lower case.
pub const LOWER: &[u8; 16] = b"0123456789abcdef";

/// Hexadecimal digits with letters in upper case.
pub const UPPER: &[u8; 16] = b"0123456789ABCDEF";
