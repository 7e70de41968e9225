//! The text of a record. A record with any mistake in it is none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::macros::{is_domain_spec, is_macro_string};

/// What begins a record.
const VERSION: &[u8] = b"v=spf1";

/// What a mechanism means for a host that fits it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// A domain's name with macros in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Target<'r>(pub(super) &'r [u8]);

/// What a host may fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Mechanism<'r> {
    All,
    Include(Target<'r>),
    A(Option<Target<'r>>, (u8, u8)),
    Mx(Option<Target<'r>>, (u8, u8)),
    Ptr(Option<Target<'r>>),
    Ip(IpAddr, u8),
    Exists(Target<'r>),
}

/// A record.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Record<'r> {
    pub(super) mechanisms: Vec<(Qualifier, Mechanism<'r>)>,
    pub(super) redirect: Option<Target<'r>>,
    pub(super) explanation: Option<Target<'r>>,
}

/// Whether a text is a record at all, proper or not.
pub(super) fn is_one(text: &[u8]) -> bool {
    text.get(..VERSION.len()).is_some_and(|head| head.eq_ignore_ascii_case(VERSION))
        && matches!(text.get(VERSION.len()), None | Some(b' '))
}

impl<'r> Record<'r> {
    /// Reads a record.
    pub(super) fn read(text: &'r [u8]) -> Option<Self> {
        if !is_one(text) {
            return None;
        }
        let mut record = Self::default();
        let terms = text[VERSION.len()..].split(|c| *c == b' ');
        for term in terms.filter(|term| !term.is_empty()) {
            record.term(term)?;
        }
        Some(record)
    }

    fn term(&mut self, term: &'r [u8]) -> Option<()> {
        let name = term.iter().position(|c| !is_name(*c)).unwrap_or(term.len());
        if let Some((b'=', value)) = term[name..].split_first() {
            return self.modifier(&term[..name], value);
        }
        let (qualifier, rest) = match term.first()? {
            b'+' => (Qualifier::Pass, &term[1..]),
            b'-' => (Qualifier::Fail, &term[1..]),
            b'~' => (Qualifier::SoftFail, &term[1..]),
            b'?' => (Qualifier::Neutral, &term[1..]),
            _ => (Qualifier::Pass, term),
        };
        self.mechanisms.push((qualifier, mechanism(rest)?));
        Some(())
    }

    fn modifier(&mut self, name: &[u8], value: &'r [u8]) -> Option<()> {
        if !name.first()?.is_ascii_alphabetic() {
            return None;
        }
        let place = match &name.to_ascii_lowercase()[..] {
            b"redirect" => &mut self.redirect,
            b"exp" => &mut self.explanation,
            _ => return is_macro_string(value).then_some(()),
        };
        match place.replace(target(value)?) {
            None => Some(()),
            Some(_) => None,
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn mechanism(text: &[u8]) -> Option<Mechanism<'_>> {
    let end = text.iter().position(|c| matches!(c, b':' | b'/')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let argument = rest.strip_prefix(b":");
    Some(match &name.to_ascii_lowercase()[..] {
        b"all" if rest.is_empty() => Mechanism::All,
        b"include" => Mechanism::Include(target(argument?)?),
        b"exists" => Mechanism::Exists(target(argument?)?),
        b"ptr" => match argument {
            Some(argument) => Mechanism::Ptr(Some(target(argument)?)),
            None => rest.is_empty().then_some(Mechanism::Ptr(None))?,
        },
        b"a" => {
            let (target, prefixes) = with_prefixes(rest)?;
            Mechanism::A(target, prefixes)
        }
        b"mx" => {
            let (target, prefixes) = with_prefixes(rest)?;
            Mechanism::Mx(target, prefixes)
        }
        b"ip4" => {
            let (address, prefix) = network(argument?, 32)?;
            Mechanism::Ip(address.parse::<Ipv4Addr>().ok()?.into(), prefix)
        }
        b"ip6" => {
            let (address, prefix) = network(argument?, 128)?;
            Mechanism::Ip(address.parse::<Ipv6Addr>().ok()?.into(), prefix)
        }
        _ => return None,
    })
}

fn target(text: &[u8]) -> Option<Target<'_>> {
    is_domain_spec(text).then_some(Target(text))
}

/// What follows `a` and `mx`: a domain, and lengths of prefixes for both kinds
/// of addresses.
fn with_prefixes(rest: &[u8]) -> Option<(Option<Target<'_>>, (u8, u8))> {
    let (rest, v6) = cut(rest, b"//", 128)?;
    let (rest, v4) = cut(rest, b"/", 32)?;
    let target = match rest.split_first() {
        None => None,
        Some((b':', domain)) => Some(target(domain)?),
        Some(_) => return None,
    };
    Some((target, (v4, v6)))
}

/// Takes a prefix's length off the end, if there is one.
fn cut<'t>(text: &'t [u8], before: &[u8], longest: u8) -> Option<(&'t [u8], u8)> {
    let digits = text.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    let (head, digits) = text.split_at(text.len() - digits);
    match head.strip_suffix(before) {
        Some(head) if !digits.is_empty() => Some((head, prefix(digits, longest)?)),
        _ => Some((text, longest)),
    }
}

fn network(text: &[u8], longest: u8) -> Option<(&str, u8)> {
    let (address, length) = match memchr::memchr(b'/', text) {
        Some(slash) => (&text[..slash], prefix(&text[slash + 1..], longest)?),
        None => (text, longest),
    };
    Some((std::str::from_utf8(address).ok()?, length))
}

/// A length without zeros before it.
fn prefix(digits: &[u8], longest: u8) -> Option<u8> {
    let plain =
        matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.iter().all(u8::is_ascii_digit);
    let number: u8 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (plain && number <= longest).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::super::macros::Subject;
    use super::*;

    #[test]
    fn a_record_with_a_mistake_is_none() {
        for right in [
            "v=spf1",
            "V=SPF1 ",
            "v=spf1 +all",
            "v=spf1  a  mx/24//64 ptr:a.example ip4:1.2.3.4/32 ip6:2001:db8::/32 -ALL",
            "v=spf1 a:%{d}/24 exists:%{ir}.%{v}._spf.%{d2} unknown=%{s}%_ redirect=_x.%{d}",
            "v=spf1 a//64 exp=e.%{d}",
            "v=spf1 mx:a/b.example/24",
        ] {
            assert!(Record::read(right.as_bytes()).is_some(), "{right}");
        }
        for wrong in [
            "v=spf10",
            "v=spf1 foo",
            "v=spf1 all:x",
            "v=spf1 ip4:1.2.3",
            "v=spf1 ip4:1.2.3.4/33",
            "v=spf1 ip4:1.2.3.4/08",
            "v=spf1 ip4:1.2.3.4/",
            "v=spf1 ip6:1.2.3.4",
            "v=spf1 include",
            "v=spf1 include:",
            "v=spf1 include:a",
            "v=spf1 a:",
            "v=spf1 a/33",
            "v=spf1 exists:%{q}.example",
            "v=spf1 exists:%{d0}",
            "v=spf1 exists:%d.example",
            "v=spf1 exists:%{c}.example",
            "v=spf1 redirect=a.example redirect=b.example",
            "v=spf1 exp=a.example exp=a.example",
            "v=spf1 -redirect=a.example",
            "v=spf1 \ta",
            "v=spf1 a:example.123",
        ] {
            assert!(Record::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn records_of_any_bytes_are_read_to_the_end() {
        const PARTS: &[&[u8]] = &[
            b"v=spf1 ",
            b" ",
            b"a",
            b"mx",
            b"ptr",
            b"ip4:",
            b"ip6:",
            b"exists:",
            b"include:",
            b"redirect=",
            b"exp=",
            b"all",
            b"-",
            b"~",
            b"?",
            b"+",
            b"/",
            b"//",
            b":",
            b"=",
            b"%",
            b"%{",
            b"}",
            b"%{ir}",
            b"%{d2}",
            b"1.2.3.4",
            b"::1",
            b"32",
            b"129",
            b"999999999999",
            b"x.example",
            b".",
            b"\xff",
            b"\0",
        ];
        let subject = Subject::new([1, 2, 3, 4].into(), b"l", b"d.example", b"h", b"");
        let mut seed = 7u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as usize
        };
        let mut proper = 0;
        for _ in 0..50_000 {
            let mut text = b"v=spf1 ".to_vec();
            for _ in 0..next() % 9 {
                text.extend_from_slice(PARTS[next() % PARTS.len()]);
            }
            proper += u32::from(Record::read(&text).is_some());
            let _ = subject.expanded(&text, b"d.example", b"n", Some(0));
        }
        assert!(proper > 1000, "{proper}");
    }
}
