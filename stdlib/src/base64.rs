//! Base 64 (RFC 4648, section 4), as Exim reads and writes it.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use eximious_core::Str;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// The text that stands for bytes, with padding and without line breaks.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    ENGINE.encode(bytes).into_bytes()
}

/// The same as a string.
pub fn encoded(bytes: &[u8]) -> Str {
    let mut room = [0; 64];
    match ENGINE.encode_slice(bytes, &mut room) {
        Ok(length) => Str::from(&room[..length]),
        // It has no room.
        Err(_) => Str::from(encode(bytes)),
    }
}

/// The bytes that a text stands for. White space is passed over anywhere;
/// padding must be there, and nothing after it.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let space = |c: &u8| matches!(c, b' ' | 9..=13);
    if text.iter().any(space) {
        let dense: Vec<u8> = text.iter().copied().filter(|c| !space(c)).collect();
        return ENGINE.decode(dense).ok();
    }
    ENGINE.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every length modulo 3 and 4, with padding that is right, too short and
    /// too long: nothing is read or written past an end.
    #[test]
    fn cve_2018_6789_base64d_all_residues() {
        for length in 0..=24 {
            let bytes: Vec<u8> = (0..length).map(|n: u8| n.wrapping_mul(37) | 1).collect();
            let text = encode(&bytes);
            assert_eq!(decode(&text), Some(bytes.clone()));
            let bare = text.iter().position(|c| *c == b'=').unwrap_or(text.len());
            for cut in 0..text.len() {
                let decoded = decode(&text[..cut]);
                assert_eq!(decoded.is_some(), cut % 4 == 0, "{length} bytes cut to {cut}");
            }
            for padding in 0..5 {
                let mut padded = text[..bare].to_vec();
                padded.extend(std::iter::repeat_n(b'=', padding));
                let right = padded == text;
                assert_eq!(decode(&padded).is_some(), right, "{length} bytes, {padding} signs");
            }
        }
    }
}
