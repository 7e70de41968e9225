//! Numbers in other bases: `base32`, `base62` and back.

use eximious_core::digits::{BASE_62, base62, number_of};
use eximious_core::{Effects, Example, Fail, Meta, Operator, OperatorRun, Str, TaintRule};

const BASE_32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

const fn meta(name: &'static str, syntax: &'static str, summary: &'static str) -> Meta {
    Meta::new(name, Effects::NONE, TaintRule::Clean)
        .syntax(syntax)
        .summary(summary)
        .source("specification 11.6")
}

/// `${base32:…}`.
pub static BASE32: Operator = Operator {
    meta: meta("base32", "${base32:<digits>}", "A decimal number in base 32.")
        .docs("The digits are `a` to `z` and `2` to `7`. Zero is an empty string.")
        .examples(&[Example::new("${base32:33}", "bb"), Example::new("${base32:0}", "")]),
    run: OperatorRun::Plain(|_, arg, _| {
        let mut rest = decimal(arg.bytes(), "base32")?;
        let mut digits = Vec::new();
        while rest > 0 {
            digits.push(BASE_32[(rest % 32) as usize]);
            rest /= 32;
        }
        digits.reverse();
        Ok(Str::from(digits))
    }),
};

/// `${base32d:…}`.
pub static BASE32D: Operator = Operator {
    meta: meta("base32d", "${base32d:<digits>}", "A number in base 32 as a decimal one.")
        .docs("Only the last 64 bits of it count.")
        .examples(&[Example::new("${base32d:bb}", "33")]),
    run: OperatorRun::Plain(|_, arg, _| value(arg, BASE_32, "base32d", "32")),
};

/// `${base62:…}`.
pub static BASE62: Operator = Operator {
    meta: meta("base62", "${base62:<digits>}", "A decimal number in base 62, six digits long.")
        .docs(
            "The digits are `0` to `9`, `A` to `Z` and `a` to `z`, as in message identifiers. \
             What does not fit into six of them is cut off at the head. This is not base 64.",
        )
        .examples(&[Example::new("${base62:1234567890}", "1LY7VK")]),
    run: OperatorRun::Plain(|_, arg, _| {
        Ok(Str::from(&base62::<6>(decimal(arg.bytes(), "base62")?)[..]))
    }),
};

/// `${base62d:…}`.
pub static BASE62D: Operator = Operator {
    meta: meta("base62d", "${base62d:<digits>}", "A number in base 62 as a decimal one.")
        .docs("Only the last 64 bits of it count.")
        .examples(&[Example::new("${base62d:1LY7VK}", "1234567890")]),
    run: OperatorRun::Plain(|_, arg, _| value(arg, BASE_62, "base62d", "62")),
};

/// A number as C's `strtoull` reads it, where nothing stands after it: a minus
/// takes it from 2 to the 64th, and one that is too large is the largest.
fn decimal(text: &[u8], name: &str) -> Result<u64, Fail> {
    let bare = match text.iter().position(|c| !matches!(c, b' ' | 9..=13)) {
        Some(start) => &text[start..],
        None if text.is_empty() => return Ok(0),
        None => &[],
    };
    let (negative, digits) = match bare {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bare),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(complaint(text, name, "a decimal number"));
    }
    let value = digits
        .iter()
        .try_fold(0u64, |n, c| n.checked_mul(10).and_then(|n| n.checked_add(u64::from(c - b'0'))));
    Ok(match value {
        Some(value) if negative => value.wrapping_neg(),
        Some(value) => value,
        None => u64::MAX,
    })
}

fn value(arg: &Str, digits: &[u8], name: &str, base: &str) -> Result<Str, Fail> {
    match number_of(arg.bytes(), digits) {
        Some(value) => Ok(Str::from(value.cast_signed().to_string())),
        None => Err(complaint(arg.bytes(), name, &format!("a base {base} number"))),
    }
}

fn complaint(text: &[u8], name: &str, wanted: &str) -> Fail {
    let head = format!("argument for {name} operator is \"");
    let tail = format!("\", which is not {wanted}");
    Fail::argument([head.as_bytes(), text, tail.as_bytes()].concat())
}
