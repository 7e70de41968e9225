//! The grammar of a query: separators, modifiers, a type, domains.

use std::time::Duration;

use eximious_core::grammar::is_space;

use crate::dns::kind;
use crate::interval::seconds;

/// A query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Query<'q> {
    /// What stands between records.
    pub(super) separator: u8,
    /// What stands between the fields of one.
    pub(super) fields: Fields,
    pub(super) deferral: Deferral,
    pub(super) signed: Signed,
    pub(super) retransmit: Option<Duration>,
    pub(super) retries: Option<u32>,
    pub(super) kind: Type,
    /// The domains, as a list.
    pub(super) domains: &'q [u8],
}

/// What stands between the fields of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fields {
    /// Nothing is said.
    Default,
    /// This.
    Separated(u8),
    /// Nothing at all.
    Joined,
}

/// What it means that there is no answer now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deferral {
    Strict,
    Lax,
    Never,
}

/// What DNSSEC does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Signed {
    Strict,
    Lax,
    Never,
}

/// The types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    /// One whose records are given as they are, by its number.
    Plain(u16),
    /// `A+`.
    Addresses,
    Csa,
    Mxh,
    Ptr,
    Soa,
    Zns,
}

const TYPES: &[(&str, Type)] = &[
    ("a", Type::Plain(kind::A)),
    ("a+", Type::Addresses),
    ("aaaa", Type::Plain(kind::AAAA)),
    ("cname", Type::Plain(kind::CNAME)),
    ("csa", Type::Csa),
    ("mx", Type::Plain(kind::MX)),
    ("mxh", Type::Mxh),
    ("ns", Type::Plain(kind::NS)),
    ("ptr", Type::Ptr),
    ("soa", Type::Soa),
    ("spf", Type::Plain(kind::SPF)),
    ("srv", Type::Plain(kind::SRV)),
    ("tlsa", Type::Plain(kind::TLSA)),
    ("txt", Type::Plain(kind::TXT)),
    ("zns", Type::Zns),
];

impl Type {
    /// The numbers of the types to ask for.
    pub(super) fn numbers(&self) -> &[u16] {
        match self {
            Self::Plain(number) => std::slice::from_ref(number),
            Self::Addresses => &[kind::AAAA, kind::A],
            Self::Csa => &[kind::SRV],
            Self::Mxh => &[kind::MX],
            Self::Ptr => &[kind::PTR],
            Self::Soa => &[kind::SOA],
            Self::Zns => &[kind::NS],
        }
    }
}

impl<'q> Query<'q> {
    /// Reads a query; Exim's complaint where it is none.
    pub(super) fn read(text: &'q [u8]) -> Result<Self, &'static str> {
        let mut query = Self {
            separator: b'\n',
            fields: Fields::Default,
            deferral: Deferral::Lax,
            signed: Signed::Lax,
            retransmit: None,
            retries: None,
            kind: Type::Plain(kind::TXT),
            domains: text,
        };
        let rest = query.separators(text);
        let rest = query.modifiers(rest)?;
        query.domains = match memchr::memchr(b'=', rest) {
            None => rest,
            Some(equals) => {
                let name = rest[..equals].trim_ascii_end();
                let found = TYPES.iter().find(|(n, _)| name.eq_ignore_ascii_case(n.as_bytes()));
                query.kind = found.ok_or("unsupported DNS record type")?.1;
                begun(&rest[equals + 1..])
            }
        };
        Ok(query)
    }

    /// `>:`, `>:,;`, `>:;`.
    fn separators(&mut self, text: &'q [u8]) -> &'q [u8] {
        let Some(rest) = text.strip_prefix(b">") else { return text };
        let Some((separator, rest)) = rest.split_first() else { return rest };
        self.separator = *separator;
        let rest = match rest {
            [b',', byte, rest @ ..] => {
                self.fields = Fields::Separated(*byte);
                rest
            }
            [b','] => &[],
            [b';', rest @ ..] => {
                self.fields = Fields::Joined;
                rest
            }
            _ => rest,
        };
        begun(rest)
    }

    /// Keywords, each with a comma after it.
    fn modifiers(&mut self, mut text: &'q [u8]) -> Result<&'q [u8], &'static str> {
        loop {
            let rest = if let Some(rest) = after(text, "defer_") {
                let found = word(rest, [Deferral::Strict, Deferral::Lax, Deferral::Never]);
                let (deferral, rest) = found.ok_or("unsupported dnsdb defer behaviour")?;
                self.deferral = deferral;
                rest
            } else if let Some(rest) = after(text, "dnssec_") {
                let found = word(rest, [Signed::Strict, Signed::Lax, Signed::Never]);
                let (signed, rest) = found.ok_or("unsupported dnsdb dnssec behaviour")?;
                self.signed = signed;
                rest
            } else if let Some(rest) = after(text, "retrans_") {
                let wrong = "unsupported dnsdb timeout value";
                let end = memchr::memchr(b',', rest).ok_or(wrong)?;
                let seconds = seconds(&rest[..end]).filter(|seconds| *seconds > 0);
                self.retransmit =
                    Some(Duration::from_secs(seconds.ok_or(wrong)?.unsigned_abs().into()));
                &rest[end..]
            } else if let Some(rest) = after(text, "retry_") {
                let (count, rest) = count(rest).ok_or("unsupported dnsdb retry count")?;
                self.retries = Some(count).filter(|count| *count > 0);
                rest
            } else {
                return Ok(text);
            };
            let rest = begun(rest).strip_prefix(b",").ok_or("dnsdb modifier syntax error")?;
            text = begun(rest);
        }
    }
}

/// `strict`, `lax` or `never`, and what follows.
fn word<T: Copy>(text: &[u8], meanings: [T; 3]) -> Option<(T, &[u8])> {
    let words = ["strict", "lax", "never"].into_iter().zip(meanings);
    words.into_iter().find_map(|(word, meaning)| Some((meaning, after(text, word)?)))
}

/// What follows a word, in whatever case.
fn after<'t>(text: &'t [u8], word: &str) -> Option<&'t [u8]> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word.as_bytes()).then_some(rest)
}

/// A number as C's `strtol` reads one, and what follows; nothing is zero, and
/// a negative one is wrong.
fn count(text: &[u8]) -> Option<(u32, &[u8])> {
    let start = begun(text);
    let (negative, digits) = match start {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, start),
    };
    let (base, digits) = match digits {
        [b'0', b'x' | b'X', first, ..] if first.is_ascii_hexdigit() => (16, &digits[2..]),
        [b'0', ..] => (8, digits),
        _ => (10, digits),
    };
    let length = digits.iter().take_while(|c| char::from(**c).is_digit(base)).count();
    if length == 0 {
        return Some((0, text));
    }
    let digit = |c: &u8| char::from(*c).to_digit(base).unwrap_or(0);
    let number =
        digits[..length].iter().fold(0u32, |n, c| n.saturating_mul(base).saturating_add(digit(c)));
    (!negative || number == 0).then_some((number, &digits[length..]))
}

fn begun(text: &[u8]) -> &[u8] {
    let space = text.iter().take_while(|c| is_space(**c)).count();
    &text[space..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_have_three_forms() {
        let read = |text: &'static str| {
            let query = Query::read(text.as_bytes()).unwrap();
            (char::from(query.separator), query.fields, query.domains)
        };
        assert_eq!(read("a=x"), ('\n', Fields::Default, &b"x"[..]));
        assert_eq!(read("> a=x"), (' ', Fields::Default, &b"x"[..]));
        assert_eq!(read(">:,+a=x"), (':', Fields::Separated(b'+'), &b"x"[..]));
        assert_eq!(read(">:; a=x"), (':', Fields::Joined, &b"x"[..]));
        assert_eq!(read(">:,"), (':', Fields::Default, &b""[..]));
        assert_eq!(read(">"), ('\n', Fields::Default, &b""[..]));
    }

    #[test]
    fn counts_are_those_of_c() {
        assert_eq!(count(b" 0x10,"), Some((16, &b","[..])));
        assert_eq!(count(b"010,"), Some((8, &b","[..])));
        assert_eq!(count(b"x"), Some((0, &b"x"[..])));
        assert_eq!(count(b"99999999999"), Some((u32::MAX, &b""[..])));
        assert_eq!(count(b"-1"), None);
        assert_eq!(count(b"-0"), Some((0, &b""[..])));
    }

    #[test]
    fn every_prefix_of_a_query_is_read() {
        let text = b">:,; defer_strict,dnssec_never,retrans_5s,retry_2,mx=a:b";
        for end in 0..=text.len() {
            let _ = Query::read(&text[..end]);
        }
    }
}
