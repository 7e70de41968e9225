//! Numbers in base 62, as names of messages have them, and in others.

/// The digits of base 62, least first.
pub const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A number as so many digits of base 62; what does not fit is cut off at the head.
pub fn base62<const WIDTH: usize>(mut number: u64) -> [u8; WIDTH] {
    let mut digits = [b'0'; WIDTH];
    for place in digits.iter_mut().rev() {
        *place = BASE_62[(number % 62) as usize];
        number /= 62;
    }
    digits
}

/// The number of a text in a base by its digits, least first; of one that is too large, the
/// last 64 bits. `None` where something is no digit.
pub fn number_of(text: &[u8], digits: &[u8]) -> Option<u64> {
    text.iter().try_fold(0u64, |number, byte| {
        let digit = digits.iter().position(|digit| digit == byte)?;
        Some(number.wrapping_mul(digits.len() as u64).wrapping_add(digit as u64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_there_and_back() {
        for (number, text) in [(61, *b"0000z"), (62 * 62, *b"00100"), (916_132_831, *b"zzzzz")] {
            assert_eq!(base62(number), text);
            assert_eq!(number_of(&text, BASE_62), Some(number));
        }
        assert_eq!(base62(62 * 62 + 1), *b"01");
        assert_eq!(number_of(b"", BASE_62), Some(0));
        assert_eq!(number_of(b"1-2", BASE_62), None);
        assert_eq!(number_of(b"10000000000000000", b"0123456789abcdef"), Some(0));
    }
}
