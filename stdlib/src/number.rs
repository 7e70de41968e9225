//! Numbers, as items and conditions read them.

use eximious_core::grammar::is_space;
use eximious_core::{Fail, Str};

/// An integer for a comparison: an optional sign, decimal digits, an optional
/// K, M or G; white space around it; an empty string is zero
/// (specification 11.7).
///
/// # Errors
/// With Exim's words, where the text is not such a number.
pub fn comparand(text: &[u8]) -> Result<i64, Fail> {
    if let Some(value) = few_digits(text) {
        return Ok(value);
    }
    let trimmed = trim_start(text);
    if trimmed.is_empty() {
        return Ok(0);
    }
    let (value, used) = match leading_integer(trimmed) {
        Leading::Number(value, used) => (value, used),
        Leading::None => {
            return Err(Fail::argument(
                [b"integer expected but \"", trimmed, b"\" found"].concat(),
            ));
        }
        Leading::Overflow => return Err(too_large(trimmed)),
    };
    let mut rest = &trimmed[used..];
    let mut scaled = Some(value);
    if let Some(factor) = rest.first().and_then(|c| suffix(*c)) {
        scaled = value.checked_mul(factor);
        rest = &rest[1..];
    }
    let Some(value) = scaled else { return Err(too_large(trimmed)) };
    if !trim_start(rest).is_empty() {
        return Err(Fail::argument([b"invalid integer \"", trimmed, b"\""].concat()));
    }
    Ok(value)
}

/// A number that is nothing but digits, as most are, and so few that it fits.
fn few_digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let mut value = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// The text without the white space before it; the vertical tab is some too.
pub fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|c| !matches!(c, b' ' | 9..=13)).unwrap_or(text.len());
    &text[start..]
}

fn too_large(text: &[u8]) -> Fail {
    Fail::argument([b"absolute value of integer \"", text, b"\" is too large (overflow)"].concat())
}

/// A number in decimal digits; one that is too large for 64 bits with a sign is the largest.
pub fn decimal(value: impl TryInto<i64>) -> Str {
    digits_of(value.try_into().unwrap_or(i64::MAX))
}

fn digits_of(value: i64) -> Str {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    Str::from(&digits[at..])
}

/// What a K, M or G multiplies by.
pub fn suffix(letter: u8) -> Option<i64> {
    match letter.to_ascii_uppercase() {
        b'K' => Some(1 << 10),
        b'M' => Some(1 << 20),
        b'G' => Some(1 << 30),
        _ => None,
    }
}

/// What stands at the head of a text.
pub enum Leading {
    /// A number, and how many bytes it takes.
    Number(i64, usize),
    /// No number.
    None,
    /// A number that does not fit.
    Overflow,
}

/// The integer at the head of a text, as C's `strtoll` reads it in base 10.
pub fn leading_integer(text: &[u8]) -> Leading {
    let space = text.len() - trim_start(text).len();
    let mut at = space;
    let negative = text.get(at) == Some(&b'-');
    at += usize::from(matches!(text.get(at), Some(b'-' | b'+')));
    let start = at;
    let mut value = Some(0u64);
    while let Some(digit) = text.get(at).filter(|c| c.is_ascii_digit()) {
        let more = |value: u64| value.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
        value = value.and_then(more);
        at += 1;
    }
    if at == start {
        return Leading::None;
    }
    let signed = match value {
        Some(value) if negative => 0i64.checked_sub_unsigned(value),
        Some(value) => i64::try_from(value).ok(),
        None => None,
    };
    signed.map_or(Leading::Overflow, |value| Leading::Number(value, at))
}

/// An integer at the head of a text, as C's `strtol` reads it into an `int`,
/// and how far it goes; `None` where there is none.
pub fn leading_int(text: &[u8]) -> Option<(i32, usize)> {
    let space = text.iter().take_while(|c| is_space(**c)).count();
    let sign = usize::from(matches!(text.get(space), Some(b'+' | b'-')));
    let digits = &text[space + sign..];
    let count = digits.iter().take_while(|c| c.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let positive = text[space] != b'-';
    let number = digits[..count].iter().fold(0i64, |number, digit| {
        let digit = i64::from(digit - b'0');
        let digit = if positive { digit } else { -digit };
        number.saturating_mul(10).saturating_add(digit)
    });
    Some((number as i32, space + sign + count))
}

/// The number of an item like `substr`: an optional minus and digits, white
/// space before it, nothing after it; an empty text is zero. It has 32 bits; what does not fit wraps
/// round, past 64 bits what is at their end.
///
/// # Errors
/// With Exim's words, which name the item.
pub fn parameter(text: &[u8], name: &str, signed: bool) -> Result<i64, Fail> {
    // Exim keeps 32 bits of what C's `strtol` gives, which takes nothing for 0.
    let number = match leading_integer(text) {
        _ if text.is_empty() => Some(0),
        Leading::Number(value, used) if used == text.len() => Some(value),
        Leading::Overflow => Some(if text.contains(&b'-') { i64::MIN } else { i64::MAX }),
        _ => None,
    };
    match number.map(|value| i64::from(value as i32)) {
        Some(value) if signed || value >= 0 => Ok(value),
        _ => {
            let kind: &[u8] = if signed { b"" } else { b"positive " };
            Err(Fail::argument(
                [
                    b"\"",
                    text,
                    b"\" is not a ",
                    kind,
                    b"number (in \"",
                    name.as_bytes(),
                    b"\" expansion)",
                ]
                .concat(),
            ))
        }
    }
}

/// A decimal number, of which only the lowest 32 bits are kept. `None` where
/// there is something else than digits; no digits at all are zero.
pub fn wrapping(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0i32, |n, c| {
        c.is_ascii_digit().then(|| n.wrapping_mul(10).wrapping_add(i32::from(c - b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_cut_to_an_int() {
        assert_eq!(leading_int(b"12x"), Some((12, 2)));
        assert_eq!(leading_int(b" -5"), Some((-5, 3)));
        assert_eq!(leading_int(b"99999999999"), Some((1_215_752_191, 11)));
        assert_eq!(leading_int(b"99999999999999999999"), Some((-1, 20)));
        assert_eq!(leading_int(b"-99999999999999999999"), Some((0, 21)));
        assert_eq!(leading_int(b"x"), None);
        assert_eq!(leading_int(b" +"), None);
    }

    #[test]
    fn numbers_are_compared_by_value() {
        let read = |text: &str| comparand(text.as_bytes()).ok();
        for text in ["", "0", "007", "999999999999999999", "1000000000000000000", " 5", "5 ", "-5"]
        {
            assert_eq!(read(text), Some(text.trim().parse().unwrap_or(0)), "{text}");
        }
        assert_eq!((read("2k"), read("1M"), read("+3")), (Some(2048), Some(1 << 20), Some(3)));
        for text in ["x", "5x", "/", ":", "9223372036854775808", "99999999999999999G"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for value in [0, 7, -7, 10, 1234567890, i64::MAX, i64::MIN] {
            let text = decimal(value);
            assert_eq!(text.display(), value.to_string());
            assert!(matches!(leading_integer(text.bytes()), Leading::Number(n, used)
                    if n == value && used == text.bytes().len()));
        }
        for text in ["9223372036854775808", "-9223372036854775809", "99999999999999999999"] {
            assert!(matches!(leading_integer(text.as_bytes()), Leading::Overflow), "{text}");
        }
    }
}
