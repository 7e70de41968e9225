//! Intervals of time, as options, operators and items write them
//! (specification 6.16).

use crate::number::{Leading, decimal, leading_integer};

/// The units, from the longest on, with their seconds.
const UNITS: [(u8, u32); 5] =
    [(b'w', 604_800), (b'd', 86_400), (b'h', 3600), (b'm', 60), (b's', 1)];

/// The seconds in an interval such as `1d2h`: a sum of numbers with units. It
/// has 32 bits, and wraps round; where it is negative then, the text is none.
pub fn seconds(mut text: &[u8]) -> Option<i32> {
    if text.is_empty() {
        return None;
    }
    let mut sum = 0i32;
    while let [first, ..] = text {
        if !first.is_ascii_digit() {
            return None;
        }
        let digits = text.iter().take_while(|c| c.is_ascii_digit()).count();
        let number = match leading_integer(&text[..digits]) {
            Leading::Number(number, _) => number as i32,
            Leading::Overflow | Leading::None => i64::MAX as i32,
        };
        let unit = text.get(digits)?;
        let (_, length) = UNITS.iter().find(|(letter, _)| letter == unit)?;
        sum = sum.wrapping_add(number.wrapping_mul(*length as i32));
        text = &text[digits + 1..];
    }
    (sum >= 0).then_some(sum)
}

/// Seconds as an interval, in the largest units: `1w2d`.
pub fn written(seconds: i32) -> String {
    if seconds == 0 {
        return "0s".into();
    }
    let mut text = String::with_capacity(16);
    if seconds < 0 {
        text.push('-');
    }
    let mut rest = seconds.unsigned_abs();
    for (letter, length) in UNITS {
        if rest >= length {
            let number = decimal(rest / length);
            text.extend(number.bytes().iter().map(|digit| char::from(*digit)));
            text.push(char::from(letter));
            rest %= length;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(seconds(b"3s"), Some(3));
        assert_eq!(seconds(b"1h30m"), Some(5400));
        assert_eq!(seconds(b"1s1s"), Some(2));
        assert_eq!(seconds(b"4294967297s"), Some(1));
        for wrong in ["", "3", "s", "-1s", "1x", "1s 2s", "99999999999999999999w", "3000000000s"] {
            assert_eq!(seconds(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
