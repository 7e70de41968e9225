//! How much a mailbox may hold: the values of `quota` and its like (specification 26.2).

/// A number of bytes or files, with what else is said of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Limit {
    /// The number; zero is no limit.
    pub(crate) number: u64,
    /// Whether more is let in all the same (`/no_check`).
    pub(crate) is_unchecked: bool,
    /// Whether the number is a part of another limit, in hundred-thousandths.
    pub(crate) is_share: bool,
    /// Whether the number was below zero.
    pub(crate) is_negative: bool,
}

/// Reads one: `10M`, `1.5G/no_check`, `75%`. Nothing at all, and what is below zero, is no
/// limit; `None` where it is no number.
pub(crate) fn limit(text: &[u8]) -> Option<Limit> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?;
    let mut parts = text.split('/');
    let mut number = parts.next().unwrap_or_default();
    let mut limit = Limit::default();
    for modifier in parts {
        match modifier {
            "no_check" => limit.is_unchecked = true,
            _ => return None,
        }
    }
    let is_negative = number.starts_with('-');
    number = number.strip_prefix(['-', '+']).unwrap_or(number);
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
    let factor = match number[end..].to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        "%" => {
            limit.is_share = true;
            1000
        }
        _ => return None,
    };
    let (whole, part) = number[..end].split_once('.').unwrap_or((&number[..end], ""));
    if part.contains('.') || whole.is_empty() && part.is_empty() && !number.is_empty() {
        return None;
    }
    limit.is_negative = is_negative;
    if !is_negative {
        // They are digits: what can't be held is as much as can be.
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(u64::MAX) };
        limit.number = whole.saturating_mul(factor).saturating_add(fraction(part, factor));
    }
    Some(limit)
}

/// So much of a factor as digits behind a point say.
fn fraction(digits: &str, factor: u64) -> u64 {
    // More digits than that make no whole byte.
    let digits = &digits[..digits.len().min(15)];
    let value: u128 = digits.parse().unwrap_or(0);
    let whole = 10_u128.pow(digits.len() as u32);
    u64::try_from(value * u128::from(factor) / whole).unwrap_or(0)
}

impl Limit {
    /// The percentage of a share that is more than the whole.
    pub(super) fn excess(self) -> Option<u64> {
        Some(self.number / 1000).filter(|percent| self.is_share && *percent > 100)
    }

    /// The number, of a share the part of another limit.
    pub(super) fn of(self, other: u64) -> u64 {
        match self.is_share {
            true => {
                let part = u128::from(other) * u128::from(self.number) / 100_000;
                u64::try_from(part).unwrap_or(u64::MAX)
            }
            false => self.number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_numbers_with_units() {
        let number = |text: &str| limit(text.as_bytes()).map(|limit| limit.number);
        for (text, answer) in [
            ("", Some(0)),
            ("10", Some(10)),
            (" 10K ", Some(10 << 10)),
            ("0.3k", Some(307)),
            ("1.5G", Some(3 << 29)),
            ("-1", Some(0)),
            ("10K/no_check", Some(10 << 10)),
            ("10K /no_check", None),
            ("10K/ no_check", None),
            ("abc", None),
            ("10K/foo", None),
            ("1.2.3", None),
            (".", None),
            ("K", None),
            ("99999999999999999999", Some(u64::MAX)),
            ("99999999999G", Some(u64::MAX)),
        ] {
            assert_eq!(number(text), answer, "{text}");
        }
        assert!(limit(b"1/no_check").is_some_and(|limit| limit.is_unchecked));
        assert_eq!(limit(b"75%").map(|limit| limit.of(1000)), Some(750));
        assert_eq!(limit(b"0.5%").map(|limit| limit.of(1000)), Some(5));
        assert_eq!(limit(b"75").map(|limit| limit.of(1000)), Some(75));
    }
}
