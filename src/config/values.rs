//! The values of options (specification 6.12 to 6.17).

use crate::macros::trim;

/// A value as written, or a switch as read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'v> {
    Flag(bool),
    Text(&'v [u8]),
}

impl Value<'_> {
    pub(super) fn flag(self) -> bool {
        matches!(self, Self::Flag(true))
    }

    pub(super) fn string(self, name: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        match self {
            Self::Text(text) => string(text, name),
            Self::Flag(_) => Ok(Vec::new()),
        }
    }

    /// A number; a negative one counts as none.
    pub(super) fn size(self, name: &[u8]) -> Result<u64, Vec<u8>> {
        match self {
            Self::Text(text) => Ok(integer(text, name)?.try_into().unwrap_or(0)),
            Self::Flag(_) => Ok(0),
        }
    }
}

/// A switch: what stands after its name.
pub(super) fn flag(
    rest: &[u8],
    name: &[u8],
    written: &[u8],
    negated: bool,
) -> Result<bool, Vec<u8>> {
    let extra = || Err([b"extra characters follow boolean option ", written].concat());
    if rest.is_empty() {
        return Ok(!negated);
    }
    if negated {
        return extra();
    }
    let Some(value) = rest.strip_prefix(b"=") else { return extra() };
    let value = trim(value);
    if value.eq_ignore_ascii_case(b"true") || value.eq_ignore_ascii_case(b"yes") {
        return Ok(true);
    }
    if value.eq_ignore_ascii_case(b"false") || value.eq_ignore_ascii_case(b"no") {
        return Ok(false);
    }
    Err([b"\"", value, b"\" is not a valid value for the \"", name, b"\" option"].concat())
}

/// A string, with quotes or without.
pub(super) fn string(text: &[u8], name: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    let Some(mut rest) = text.strip_prefix(b"\"") else { return Ok(text.to_vec()) };
    let mut out = Vec::with_capacity(rest.len());
    loop {
        match rest {
            [] => return Err([b"missing quote at end of string value for ", name].concat()),
            [b'"'] => return Ok(out),
            [b'"', ..] => {
                return Err([b"extra characters follow string value for ", name].concat());
            }
            [b'\\', after @ ..] => {
                let (byte, length) = escaped(after);
                out.extend(byte);
                rest = &after[length..];
            }
            [byte, after @ ..] => {
                out.push(*byte);
                rest = after;
            }
        }
    }
}

/// What follows a backslash: the byte that it stands for, and how many bytes
/// it takes.
fn escaped(text: &[u8]) -> (Option<u8>, usize) {
    let digits = |base: u32, most: usize| {
        let digits = text.iter().skip(usize::from(base == 16)).take(most);
        let (mut value, mut count) = (0u32, 0);
        for digit in digits.map_while(|c| char::from(*c).to_digit(base)) {
            value = value * base + digit;
            count += 1;
        }
        (value as u8, count)
    };
    match text.first() {
        None => (None, 0),
        Some(b'0'..=b'7') => {
            let (value, count) = digits(8, 3);
            (Some(value), count)
        }
        Some(b'x') => {
            let (value, count) = digits(16, 2);
            (Some(value), count + 1)
        }
        Some(b'n') => (Some(b'\n'), 1),
        Some(b'r') => (Some(b'\r'), 1),
        Some(b't') => (Some(b'\t'), 1),
        Some(other) => (Some(*other), 1),
    }
}

/// A decimal, octal (`0…`) or hexadecimal (`0x…`) number, perhaps with K, M
/// or G; it must fit in 32 bits.
fn integer(text: &[u8], name: &[u8]) -> Result<i64, Vec<u8>> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (base, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', ..] => (8, digits),
        _ => (10, digits),
    };
    let count = digits.iter().take_while(|c| char::from(**c).is_digit(base)).count();
    if count == 0 {
        return Err([b"integer expected for ", name].concat());
    }
    let (digits, rest) = digits.split_at(count);
    let number = std::str::from_utf8(digits).ok().and_then(|d| i64::from_str_radix(d, base).ok());
    let (factor, rest) = match rest {
        [b'k' | b'K', rest @ ..] => (1i64 << 10, rest),
        [b'm' | b'M', rest @ ..] => (1 << 20, rest),
        [b'g' | b'G', rest @ ..] => (1 << 30, rest),
        _ => (1, rest),
    };
    let value = number.and_then(|n| n.checked_mul(factor)).filter(|n| *n <= i64::from(i32::MAX));
    let Some(value) = value else {
        return Err([b"absolute value of integer \"", text, b"\" is too large (overflow)"].concat());
    };
    if !rest.is_empty() {
        return Err([b"extra characters follow integer value for ", name].concat());
    }
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_in_quotes_have_escapes() {
        assert_eq!(string(br#""a\tb\x41\101\q\"""#, b"x").unwrap(), b"a\tbAAq\"");
        assert_eq!(
            string(b"\"a", b"x").unwrap_err(),
            b"missing quote at end of string value for x"
        );
        assert_eq!(
            string(b"\"a\" b", b"x").unwrap_err(),
            b"extra characters follow string value for x"
        );
    }

    #[test]
    fn integers_have_three_bases_and_suffixes() {
        for (text, value) in [("0x10", 16), ("010", 8), ("1K", 1024), ("2M", 2 << 20), ("-1", -1)] {
            assert_eq!(integer(text.as_bytes(), b"x"), Ok(value), "{text}");
        }
        assert!(integer(b"99999999999", b"x").is_err());
        assert!(integer(b"3G", b"x").is_err());
        assert!(integer(b"1KB", b"x").is_err());
    }
}
