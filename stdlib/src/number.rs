//! Numbers, as items and conditions read them.

use eximious_core::Fail;

/// An integer for a comparison: an optional sign, decimal digits, an optional
/// K, M or G; white space around it; an empty string is zero
/// (specification 11.7).
///
/// # Errors
/// With Exim's words, where the text is not such a number.
pub fn comparand(text: &[u8]) -> Result<i64, Fail> {
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

/// The text without the white space before it; the vertical tab is some too.
pub fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|c| !matches!(c, b' ' | 9..=13)).unwrap_or(text.len());
    &text[start..]
}

fn too_large(text: &[u8]) -> Fail {
    Fail::argument([b"absolute value of integer \"", text, b"\" is too large (overflow)"].concat())
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
    let mut value: i128 = 0;
    let mut overflow = false;
    while let Some(digit) = text.get(at).filter(|c| c.is_ascii_digit()) {
        value = value * 10 + i128::from(digit - b'0');
        overflow |= value > i128::from(i64::MAX) + 1;
        value = value.min(i128::from(u64::MAX));
        at += 1;
    }
    if at == start {
        return Leading::None;
    }
    let value = if negative { -value } else { value };
    match i64::try_from(value) {
        Ok(value) if !overflow => Leading::Number(value, at),
        _ => Leading::Overflow,
    }
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

/// A decimal number in 32 bits, of which only the lowest are kept.
pub fn wrapping(digits: &[u8]) -> i32 {
    digits
        .iter()
        .fold(0i32, |n, d| n.wrapping_mul(10).wrapping_add(i32::from(d.wrapping_sub(b'0'))))
}

/// The seconds in an interval such as `1m30s` (specification 6.16).
pub fn interval(mut text: &[u8]) -> Option<u64> {
    let mut sum = 0u64;
    loop {
        let digits = text.iter().take_while(|c| c.is_ascii_digit()).count();
        let number: u64 = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
        let unit = match text.get(digits)? {
            b'w' => 604_800,
            b'd' => 86_400,
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        sum = number.checked_mul(unit)?.checked_add(sum)?;
        text = &text[digits + 1..];
        if text.is_empty() {
            return (sum <= i32::MAX as u64).then_some(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_units() {
        assert_eq!(interval(b"3s"), Some(3));
        assert_eq!(interval(b"1h30m"), Some(5400));
        assert_eq!(interval(b"1s1s"), Some(2));
        for wrong in ["", "3", "s", "-1s", "1x", "1s 2s", "99999999999999999999w", "99999999999h"] {
            assert_eq!(interval(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
