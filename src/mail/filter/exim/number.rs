//! Numbers as C reads them.

use eximious_grammar::is_space;

/// A number at the head of a text, and how long it is with what is before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Number {
    pub(super) value: i64,
    pub(super) length: usize,
}

/// The number at the head of a text: white space, a sign, digits, which are
/// hexadecimal after `0x` and octal after `0`. Too large a one is the largest; no
/// number is 0, and has no length.
pub(super) fn integer(text: &[u8]) -> Number {
    let blank = text.iter().take_while(|c| is_space(**c)).count();
    let sign = text.get(blank).filter(|c| matches!(c, b'-' | b'+'));
    let mut at = blank + usize::from(sign.is_some());
    let is_hex = |c: Option<&u8>| c.is_some_and(u8::is_ascii_hexdigit);
    let base = match text.get(at..at + 2) {
        Some([b'0', b'x' | b'X']) if is_hex(text.get(at + 2)) => {
            at += 2;
            16
        }
        _ if text.get(at) == Some(&b'0') => 8,
        _ => 10,
    };
    let start = at;
    let mut value = 0i128;
    while let Some(digit) = text.get(at).and_then(|c| char::from(*c).to_digit(base)) {
        value = (value * i128::from(base) + i128::from(digit)).min(1 << 64);
        at += 1;
    }
    if at == start {
        return Number { value: 0, length: 0 };
    }
    let value = if sign == Some(&b'-') { -value } else { value };
    let value = value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    Number { value, length: at }
}

/// A number of a comparison: one of 32 bits, with `K` or `M` behind it for so
/// many times 1024; `None` where it is none.
pub(super) fn compared(text: &[u8]) -> Option<i32> {
    let Number { value, length } = integer(text);
    let (factor, rest) = match &text[length..] {
        [b'k' | b'K', rest @ ..] => (1024, rest),
        [b'm' | b'M', rest @ ..] => (1024 * 1024, rest),
        rest => (1, rest),
    };
    let ends = rest.iter().all(|c| is_space(*c));
    (length > 0 && ends).then_some(value.wrapping_mul(factor) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, value, length) in [
            ("12x", 12, 2),
            (" -5 ", -5, 3),
            ("0x1F", 31, 4),
            ("0xg", 0, 1),
            ("010", 8, 3),
            ("08", 0, 1),
            ("99999999999999999999", i64::MAX, 20),
            ("-", 0, 0),
            ("", 0, 0),
        ] {
            assert_eq!(integer(text.as_bytes()), Number { value, length }, "{text}");
        }
        for (text, value) in [
            ("5k ", Some(5120)),
            ("4096M", Some(0)),
            ("9999999999999999999", Some(-1)),
            ("1g", None),
            ("5 k", None),
            ("", None),
        ] {
            assert_eq!(compared(text.as_bytes()), value, "{text}");
        }
    }
}
