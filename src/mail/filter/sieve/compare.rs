//! Comparators and match types (RFC 5228, section 2.7).

use std::borrow::Cow;

use eximious_grammar::sieve::{Comparator, MatchType};
use memchr::memmem;

/// Why two strings can't be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// A pattern ends in a backslash.
    Pattern,
    /// `i;ascii-numeric` is not for parts of strings.
    MatchType,
    /// `i;ascii-numeric` was not required.
    NotRequired,
    /// The work is more than is left.
    TooMuch,
}

/// How two strings are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rule {
    pub(super) comparator: Comparator,
    pub(super) kind: MatchType,
    /// Whether `i;ascii-numeric` was required.
    pub(super) numeric: bool,
}

impl Rule {
    /// Whether a key is found in a value. The work is taken from what is left.
    pub(super) fn holds(self, key: &[u8], value: &[u8], left: &mut u64) -> Result<bool, Trouble> {
        spend(left, (key.len() + value.len()) as u64 / 16 + 1)?;
        let (key, value) = match self.comparator {
            Comparator::AsciiNumeric if self.kind != MatchType::Is => {
                return Err(Trouble::MatchType);
            }
            Comparator::AsciiNumeric if !self.numeric => return Err(Trouble::NotRequired),
            Comparator::AsciiNumeric => return Ok(number(key) == number(value)),
            Comparator::Octet => (Cow::Borrowed(key), Cow::Borrowed(value)),
            Comparator::AsciiCasemap => (folded(key), folded(value)),
        };
        match self.kind {
            MatchType::Is => Ok(key == value),
            MatchType::Contains => Ok(memmem::find(&value, &key).is_some()),
            MatchType::Matches => matches(&key, &value, left),
        }
    }
}

fn spend(left: &mut u64, work: u64) -> Result<(), Trouble> {
    *left = left.checked_sub(work).ok_or(Trouble::TooMuch)?;
    Ok(())
}

fn folded(text: &[u8]) -> Cow<'_, [u8]> {
    match text.iter().any(u8::is_ascii_uppercase) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// The digits at the start, zeros and all; texts without them are all the same.
fn number(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

/// Whether a pattern matches a whole text. After a mismatch only the last star
/// takes more, so that no text takes more steps than the product of the lengths.
fn matches(pattern: &[u8], text: &[u8], left: &mut u64) -> Result<bool, Trouble> {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        spend(left, 1)?;
        let fits = match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                star = Some((p, t));
                continue;
            }
            Some(b'\\') => {
                let literal = pattern.get(p + 1).ok_or(Trouble::Pattern)?;
                (text.get(t) == Some(literal)).then_some(2)
            }
            Some(b'?') => (t < text.len()).then_some(1),
            Some(literal) => (text.get(t) == Some(literal)).then_some(1),
            None if t == text.len() => return Ok(true),
            None => None,
        };
        match (fits, star) {
            (Some(length), _) => {
                p += length;
                t += 1;
            }
            (None, Some((after, from))) if from < text.len() => {
                p = after;
                t = from + 1;
                star = Some((after, t));
            }
            (None, _) => return Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str) -> Result<bool, Trouble> {
        matches(pattern.as_bytes(), text.as_bytes(), &mut 10_000)
    }

    #[test]
    fn stars_take_as_much_as_they_must() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("***", "abc", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("*b*b*", "abcbd", true),
            ("?*?", "a", false),
            ("?*?", "ab", true),
            ("\\*\\?", "*?", true),
            ("\\a", "a", true),
        ] {
            assert_eq!(check(pattern, text), Ok(expected), "{pattern} {text}");
        }
        assert_eq!(check("a\\", "a"), Err(Trouble::Pattern));
        assert_eq!(check("b\\", "a"), Ok(false));
    }

    #[test]
    fn the_work_is_bounded() {
        let (pattern, text) = (format!("*{}b", "a".repeat(100)), "a".repeat(1000));
        assert_eq!(check(&pattern, &text), Err(Trouble::TooMuch));
    }
}
