//! The values of options, as their kinds say (specification 6.12 to 6.21).

use std::sync::{Arc, LazyLock};

use eximious_core::grammar::escape;
use eximious_core::world::Users;
use eximious_core::{Fail, OptionDef, OptionKind, OptionValue, Str, World};

use eximious_stdlib::interval::seconds;
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::yes_or_no;

use super::rewrite;
use crate::config::macros::trim;

/// What values need that are more than text.
pub(super) struct Resolver<'r> {
    /// Users and groups by name.
    pub(super) users: &'r dyn Users,
    /// Expands what is expanded when the configuration is read.
    pub(super) expand: &'r dyn Fn(&[u8]) -> Result<Str, Fail>,
}

/// What went wrong, in Exim's words.
type Wrong = Vec<u8>;

/// The value of an option that is no switch, and has this name where it is set.
pub(super) fn read(
    option: &OptionDef,
    name: &[u8],
    text: &[u8],
    resolver: &Resolver<'_>,
) -> Result<OptionValue, Wrong> {
    let plain = || Ok(OptionValue::Text(Str::from(string(text, name)?)));
    match option.kind {
        OptionKind::Bool => Ok(OptionValue::Flag(word(text, name)?)),
        OptionKind::ExpandedBool => match word(text, name) {
            Ok(flag) => Ok(OptionValue::Flag(flag)),
            Err(_) if text.contains(&b'$') => plain(),
            Err(wrong) => Err(wrong),
        },
        OptionKind::Integer | OptionKind::Size if option.expanded => plain(),
        OptionKind::Integer | OptionKind::Size => integer(text, name).map(OptionValue::Number),
        OptionKind::Kilobytes => kilobytes(text, name).map(OptionValue::Number),
        OptionKind::Octal => octal(text, name).map(OptionValue::Number),
        OptionKind::Fixed => fixed(text, name).map(OptionValue::Number),
        OptionKind::ExpandedTime if text.contains(&b'$') => plain(),
        OptionKind::Time | OptionKind::ExpandedTime => match seconds(text) {
            Some(seconds) => Ok(OptionValue::Number(seconds.into())),
            None => Err([b"invalid time value for ", name].concat()),
        },
        OptionKind::TimeList => times(text, name).map(OptionValue::Times),
        OptionKind::User | OptionKind::Group => {
            let text = string(text, name)?;
            if option.expanded && text.contains(&b'$') {
                return Ok(OptionValue::Text(Str::from(text)));
            }
            let id = identity(option.kind == OptionKind::User, &text, resolver)?;
            Ok(OptionValue::Ids(vec![id]))
        }
        OptionKind::UserList | OptionKind::GroupList => {
            let user = option.kind == OptionKind::UserList;
            identities(user, &string(text, name)?, name, resolver)
        }
        OptionKind::Rewrite => {
            let text = Str::from(string(text, name)?);
            rewrite::rules(text.bytes())?;
            Ok(OptionValue::Text(text))
        }
        OptionKind::Text
        | OptionKind::LogSelector
        | OptionKind::List
        | OptionKind::DomainList
        | OptionKind::HostList
        | OptionKind::AddressList
        | OptionKind::LocalPartList => plain(),
    }
}

/// The value of an option that is not set; `None` where it has none, or one
/// that the program computes.
pub(super) fn default(option: &OptionDef) -> Option<OptionValue> {
    // A world in which nobody is known, for all of them.
    static NOBODY: LazyLock<Arc<dyn Users>> = LazyLock::new(|| World::hermetic().users);
    default_with(option, &**NOBODY)
}

/// The same, where users and groups are known.
pub(super) fn default_with(option: &OptionDef, users: &dyn Users) -> Option<OptionValue> {
    let expand = |text: &[u8]| Ok(Str::from(text.to_vec()));
    let (name, value) = (option.meta.name.as_bytes(), option.default?.as_bytes());
    read(option, name, value, &Resolver { users, expand: &expand }).ok()
}

/// `yes`, `no`, `true`, `false`; nothing after the equals sign is yes.
fn word(value: &[u8], name: &[u8]) -> Result<bool, Wrong> {
    if value.is_empty() {
        return Ok(true);
    }
    let letters = value.first().is_some_and(u8::is_ascii_alphabetic);
    let end = value.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
    let (word, rest) = value.split_at(if letters { end.unwrap_or(value.len()) } else { 0 });
    let says = yes_or_no(word).ok_or_else(|| {
        [b"\"", word, b"\" is not a valid value for the \"", name, b"\" option"].concat()
    })?;
    if !rest.is_empty() {
        return Err(followed(&[b"\"", word, b"\" for boolean option "].concat(), name, rest));
    }
    Ok(says)
}

/// Intervals with colons between them, each longer than the one before it.
fn times(text: &[u8], name: &[u8]) -> Result<Vec<i64>, Wrong> {
    let mut all: Vec<i64> = Vec::new();
    if text.is_empty() || seconds(text) == Some(0) {
        return Ok(all);
    }
    for part in text.split(|c| *c == b':') {
        let Some(seconds) = seconds(trim(part)).map(i64::from) else {
            return Err([b"invalid time value for ", name].concat());
        };
        if all.last().is_some_and(|last| seconds <= *last) {
            return Err([b"time value out of order for ", name].concat());
        }
        all.push(seconds);
    }
    // One that begins with zero is none.
    if all.first() == Some(&0) {
        all.clear();
    }
    Ok(all)
}

/// A number with up to three decimal places, as thousandths.
pub(super) fn fixed(text: &[u8], name: &[u8]) -> Result<i64, Wrong> {
    let large = || [b"integer \"", text, b"\" is too large (overflow)"].concat();
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let digits = text[sign..].iter().take_while(|c| c.is_ascii_digit()).count();
    if digits == 0 {
        return Err([b"fixed-point number expected for ", name].concat());
    }
    let (whole, rest) = text[sign..].split_at(digits);
    let whole = std::str::from_utf8(whole).ok().and_then(|whole| whole.parse::<i64>().ok());
    // Zero has no sign.
    let whole = whole.filter(|whole| *whole == 0 || text[0] != b'-');
    let most = i64::from(i32::MAX);
    let mut value = whole.filter(|whole| *whole <= most).ok_or_else(large)? * 1000;
    let mut rest = rest;
    if let Some(after) = rest.strip_prefix(b".") {
        let digits = after.iter().take_while(|c| c.is_ascii_digit()).count();
        for (digit, unit) in after[..digits].iter().zip([100, 10, 1]) {
            value += i64::from(digit - b'0') * unit;
        }
        rest = &after[digits..];
    }
    if value > most {
        return Err(large());
    }
    if !rest.is_empty() {
        return Err(followed(b"fixed-point value for ", name, rest));
    }
    Ok(value)
}

/// A number in base eight.
fn octal(text: &[u8], name: &[u8]) -> Result<i64, Wrong> {
    let digits = text.iter().take_while(|c| (b'0'..=b'7').contains(c)).count();
    if digits == 0 {
        return Err([b"octal integer expected for ", name].concat());
    }
    let number = std::str::from_utf8(&text[..digits]).ok();
    let number = number.and_then(|digits| i64::from_str_radix(digits, 8).ok());
    let Some(number) = number.filter(|number| *number <= i64::from(i32::MAX)) else {
        return Err(overflow(text));
    };
    if digits < text.len() {
        return Err(followed(b"octal integer value for ", name, &text[digits..]));
    }
    Ok(number)
}

/// A number of kilobytes, whether K follows it or not.
fn kilobytes(text: &[u8], name: &[u8]) -> Result<i64, Wrong> {
    let (number, factor, rest) = scaled(text, name, true)?;
    let number = ends(number, name, rest)?;
    // A number without a letter counts kilobytes already.
    number.checked_mul(factor.max(1024) / 1024).ok_or_else(|| overflow(text))
}

/// A user's or a group's number.
fn identity(user: bool, text: &[u8], resolver: &Resolver<'_>) -> Result<u32, Wrong> {
    if text.iter().all(u8::is_ascii_digit)
        && let Some(number) = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok())
    {
        return Ok(number);
    }
    let found = if user {
        resolver.users.user(text).ok().flatten().map(|user| user.uid)
    } else {
        resolver.users.group(text).ok().flatten().map(|group| group.gid)
    };
    let kind: &[u8] = if user { b"user " } else { b"group " };
    found.ok_or_else(|| [kind, text, b" was not found"].concat())
}

/// Users or groups, with colons between them.
fn identities(
    user: bool,
    text: &[u8],
    name: &[u8],
    resolver: &Resolver<'_>,
) -> Result<OptionValue, Wrong> {
    let expanded = (resolver.expand)(text)
        .map_err(|fail| [b"failed to expand ", name, b": ", fail.message()].concat())?;
    let ids = elements(expanded.bytes())
        .map(|element| identity(user, &element, resolver))
        .collect::<Result<_, _>>()?;
    Ok(OptionValue::Ids(ids))
}

/// What stands after the name of a switch, where it is not a value.
pub(super) fn extra(written: &[u8], rest: &[u8]) -> Wrong {
    followed(b"boolean option ", written, rest)
}

/// There is more than a value: a comment, perhaps, which is none there.
pub(super) fn followed(what: &[u8], name: &[u8], rest: &[u8]) -> Wrong {
    let hint: &[u8] = match trim(rest).first() {
        Some(b'#') => b" (# is comment only at line start)",
        _ => b"",
    };
    [b"extra characters follow ", what, name, hint].concat()
}

/// An item of a rule, with quotes or without; a quote that is missing at its end
/// is not missed.
pub(crate) fn quoted(text: &[u8]) -> Vec<u8> {
    string(text, b"").unwrap_or_else(|_| {
        let closed = [text, b"\""].concat();
        string(&closed, b"").unwrap_or_else(|_| text.to_vec())
    })
}

/// The first word of a text: what stands in quotes, escapes read, or all up to white
/// space; and what is behind it.
pub(crate) fn first_word(text: &[u8]) -> (Vec<u8>, &[u8]) {
    match text.strip_prefix(b"\"") {
        Some(inner) => {
            let (word, behind) = unescaped(inner);
            (word, behind.unwrap_or_default())
        }
        None => {
            let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
            (text[..end].to_vec(), &text[end..])
        }
    }
}

/// A string, with quotes or without; it ends at a zero byte.
pub(super) fn string(text: &[u8], name: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    let Some(inner) = text.strip_prefix(b"\"") else { return Ok(text.to_vec()) };
    match unescaped(inner) {
        // A quote at the very end closes it, escaped or not.
        (_, None) if !inner.ends_with(b"\"") => {
            Err([b"missing quote at end of string value for ", name].concat())
        }
        (mut value, None | Some([])) => {
            value.truncate(memchr::memchr(0, &value).unwrap_or(value.len()));
            Ok(value)
        }
        (_, Some(rest)) => {
            let comment = if rest.starts_with(b"#") { rest } else { b"" };
            Err(followed(b"string value for ", name, comment))
        }
    }
}

/// What stands before the next quote, escapes read, and what is behind it; `None` where there
/// is no other quote.
fn unescaped(text: &[u8]) -> (Vec<u8>, Option<&[u8]>) {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        match rest {
            [] | [b'\\'] => return (out, None),
            [b'"', after @ ..] => return (out, Some(after)),
            [b'\\', ..] => {
                let (byte, length) = escape(rest);
                out.push(byte);
                rest = &rest[length..];
            }
            [byte, after @ ..] => {
                out.push(*byte);
                rest = after;
            }
        }
    }
}

/// A decimal, octal (`0…`) or hexadecimal (`0x…`) number, perhaps with K, M
/// or G; it must fit in 32 bits.
fn integer(text: &[u8], name: &[u8]) -> Result<i64, Wrong> {
    let (number, factor, rest) = scaled(text, name, true)?;
    let fits = |n: &i64| (i64::from(i32::MIN)..=i64::from(i32::MAX)).contains(n);
    let number = number.checked_mul(factor).filter(fits).ok_or_else(|| overflow(text))?;
    ends(number, name, rest)
}

fn overflow(text: &[u8]) -> Wrong {
    [b"absolute value of integer \"", text, b"\" is too large (overflow)"].concat()
}

/// A number behind which nothing stands.
fn ends(number: i64, name: &[u8], rest: &[u8]) -> Result<i64, Wrong> {
    match rest {
        [] => Ok(number),
        rest => Err(followed(b"integer value for ", name, rest)),
    }
}

/// A number, what the letter behind it multiplies it by (T only where the number is a wide
/// one), and what stands behind that.
pub(super) fn scaled<'t>(
    text: &'t [u8],
    name: &[u8],
    wide: bool,
) -> Result<(i64, i64, &'t [u8]), Wrong> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (base, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] if rest.first().is_some_and(u8::is_ascii_hexdigit) => {
            (16, rest)
        }
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
        [b't' | b'T', rest @ ..] if wide => (1 << 40, rest),
        _ => (1, rest),
    };
    let number = number.ok_or_else(|| overflow(text))?;
    Ok((if negative { -number } else { number }, factor, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_in_quotes_have_escapes() {
        assert_eq!(string(br#""a\tb\x41\101\q\"""#, b"x").unwrap(), b"a\tbAAq\"");
        assert_eq!(string(br#""a\0b""#, b"x").unwrap(), b"a");
        assert_eq!(string(br#""\b\f\v\r\n\e""#, b"x").unwrap(), b"\x08\x0c\x0b\r\ne");
        assert_eq!(string(br#""a\""#, b"x").unwrap(), b"a\"");
        assert_eq!(
            string(b"\"a", b"x").unwrap_err(),
            b"missing quote at end of string value for x"
        );
        assert_eq!(
            string(b"\"a\" b", b"x").unwrap_err(),
            b"extra characters follow string value for x"
        );
        assert_eq!(
            string(b"\"a\"#", b"x").unwrap_err(),
            b"extra characters follow string value for x (# is comment only at line start)"
        );
    }

    #[test]
    fn booleans_are_words() {
        for (text, flag) in [("", true), ("yes", true), ("TRUE", true), ("No", false)] {
            assert_eq!(word(text.as_bytes(), b"x"), Ok(flag), "{text}");
        }
        for (text, wrong) in [
            ("y", "\"y\" is not a valid value for the \"x\" option"),
            ("\"yes\"", "\"\" is not a valid value for the \"x\" option"),
            ("YES y", "extra characters follow \"YES\" for boolean option x"),
            ("true=", "extra characters follow \"true\" for boolean option x"),
            (
                "no # why",
                "extra characters follow \"no\" for boolean option x (# is comment only at line start)",
            ),
        ] {
            assert_eq!(word(text.as_bytes(), b"x"), Err(wrong.into()), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_of_thousandths_is_told() {
        assert_eq!(fixed(b"2147483.6479", b"x"), Ok(2_147_483_647));
        for text in ["2147483.648", "9223372036854775.9", "9223372036854775807.9", "-1"] {
            let large = format!("integer \"{text}\" is too large (overflow)");
            assert_eq!(fixed(text.as_bytes(), b"x"), Err(large.into()), "{text}");
        }
    }

    #[test]
    fn integers_have_three_bases_and_suffixes() {
        for (text, value) in [("0x10", 16), ("010", 8), ("1K", 1024), ("2M", 2 << 20), ("-1", -1)] {
            assert_eq!(integer(text.as_bytes(), b"x"), Ok(value), "{text}");
        }
        assert!(integer(b"99999999999", b"x").is_err());
        assert!(integer(b"3G", b"x").is_err());
        assert!(integer(b"1KB", b"x").unwrap_err().starts_with(b"extra characters"));
        assert!(integer(b"4GB", b"x").unwrap_err().starts_with(b"absolute value"));
        assert_eq!(integer(b"0T", b"x"), Ok(0));
        let overflow = b"absolute value of integer \"1T\" is too large (overflow)";
        assert_eq!(integer(b"1T", b"x").unwrap_err(), overflow);
        assert_eq!(
            integer(b"0x", b"x").unwrap_err(),
            b"extra characters follow integer value for x"
        );
    }
}
