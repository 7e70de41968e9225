//! Addresses, as they stand in header lines and in the envelope (RFC 5322,
//! read the way Exim reads it).
//!
//! [`parse`] takes one address with all that may stand around it: comments,
//! a phrase before angle brackets, a source route. [`find_end`] finds where the
//! first address of a list ends, and [`list`] goes through a list, groups
//! included. Every function takes any bytes; what is not an address gives an
//! error with Exim's words.

mod ascii;
mod quote;
mod reader;

use std::ops::Range;

use eximious_core::Settings;

pub use ascii::{domain_in_ascii, in_ascii, with_domain_in_ascii};
pub use quote::{phrase, quote_local_part, unquote_local_part};
use reader::{Groups, Reader, is_atom, skip_comments, skip_quoted};

use crate::options::opt;

/// What a reader of addresses lets pass. All that is off by default is off in
/// Exim's default configuration, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    /// `<>` is an address: the empty sender of a bounce.
    pub null: bool,
    /// Letters outside ASCII may stand in domains (`allow_utf8_domains`, or an
    /// SMTPUTF8 message). In local parts they always may.
    pub utf8_domains: bool,
    /// A dot at a domain's end is dropped (`strip_trailing_dot`).
    pub trailing_dot: bool,
    /// In angle brackets and in source routes, an IP address in square
    /// brackets may be the domain (`allow_domain_literals`). Outside of them it
    /// always may, and is not looked at closely.
    pub literals: bool,
    /// More angle brackets than one pair around an address are dropped
    /// (`strip_excess_angle_brackets`).
    pub excess_brackets: bool,
}

impl Rules {
    /// As the configuration's options have it; `<>` is no address.
    pub fn of(settings: &Settings) -> Self {
        Self {
            null: false,
            utf8_domains: settings.get(opt::ALLOW_UTF8_DOMAINS),
            trailing_dot: settings.get(opt::STRIP_TRAILING_DOT),
            literals: settings.get(opt::ALLOW_DOMAIN_LITERALS),
            excess_brackets: settings.get(opt::STRIP_EXCESS_ANGLE_BRACKETS),
        }
    }
}

/// An address, without what stood around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddrSpec {
    /// The operative address: local part, at sign, domain. No comments, no
    /// white space, no source route. Empty for `<>`.
    pub text: Vec<u8>,
    /// Where the domain begins in `text`, if there is one.
    pub domain: Option<usize>,
    /// Where the operative address stands in the input, from its first byte to
    /// its last; the source route is part of it.
    pub span: Range<usize>,
}

impl AddrSpec {
    /// What stands before the at sign, quotes included.
    pub fn local_part(&self) -> &[u8] {
        match self.domain {
            Some(start) => &self.text[..start.saturating_sub(1)],
            None => &self.text,
        }
    }

    /// What stands after the at sign; empty where there is none.
    pub fn domain(&self) -> &[u8] {
        self.domain.map_or(b"", |start| &self.text[start..])
    }
}

/// Why a text is no address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressError {
    /// Exim's words. They may quote the input.
    pub message: Vec<u8>,
    /// How far the reader came.
    pub at: usize,
}

impl AddressError {
    /// Whether nothing was there at all but comments: an empty group, two
    /// commas in a row. A check of header lines lets that pass.
    pub fn is_empty(&self) -> bool {
        self.message == EMPTY
    }
}

const EMPTY: &[u8] = b"empty address";
const NO_LABEL: &[u8] = b"domain missing or malformed";

/// How long an operative address may be (RFC 5321: 256 with its brackets).
pub const MOST_BYTES: usize = 256;

/// Reads one address; all of the input must belong to it.
///
/// # Errors
/// With Exim's words, where the input is no address.
pub fn parse(input: &[u8], rules: Rules) -> Result<AddrSpec, AddressError> {
    match plain(input) {
        Some(address) => Ok(address),
        None => Reader::new(input, rules, Groups::None).address(),
    }
}

/// Most addresses hold nothing that has to be read: words and dots, and behind an at
/// sign labels and dots.
fn plain(input: &[u8]) -> Option<AddrSpec> {
    let words = input.iter().take_while(|byte| **byte == b'.' || is_atom(**byte)).count();
    if words == 0 || input.len() > MOST_BYTES {
        return None;
    }
    let domain = match &input[words..] {
        [] => None,
        [b'@', domain @ ..] => {
            let mut labels = domain.split(|byte| *byte == b'.');
            labels.all(is_plain_label).then_some(Some(words + 1))?
        }
        _ => return None,
    };
    Some(AddrSpec { text: input.to_vec(), domain, span: 0..input.len() })
}

fn is_plain_label(label: &[u8]) -> bool {
    label.first().is_some_and(u8::is_ascii_alphanumeric)
        && label.iter().all(|byte| *byte == b'-' || byte.is_ascii_alphanumeric())
}

/// Where the first address of a list ends: at a comma that stands outside
/// quotes, comments, angle brackets and source routes, or at the end. Where
/// `newline_ends` is set, a newline ends the address as a comma does, and in quotes
/// and comments, too.
pub fn find_end(list: &[u8], newline_ends: bool) -> usize {
    let mut at = 0;
    // How many colons or closing brackets must come before a comma counts: one
    // after a route, two after a route in angle brackets. Other brackets must be
    // closed.
    let mut pending = u8::from(list.first() == Some(&b'@'));
    let mut in_brackets = false;
    while let Some(byte) = list.get(at) {
        match byte {
            b',' if pending == 0 && !in_brackets => return at,
            b'\n' if newline_ends => return at,
            b'\\' => at += 2,
            b'"' | b'(' => {
                let end = match byte {
                    b'"' => skip_quoted(list, at),
                    _ => skip_comments(list, at),
                };
                if newline_ends && let Some(length) = first_newline(&list[at..end]) {
                    return at + length;
                }
                at = end;
            }
            _ => {
                match byte {
                    b'<' => {
                        in_brackets = list.get(at + 1) != Some(&b'@');
                        pending = if in_brackets { 0 } else { 2 };
                    }
                    b'>' if in_brackets => in_brackets = false,
                    b':' | b'>' => pending = pending.saturating_sub(1),
                    _ => {}
                }
                at += 1;
            }
        }
    }
    list.len()
}

/// Where the first newline is that no backslash stands before.
fn first_newline(text: &[u8]) -> Option<usize> {
    let mut newlines = memchr::memchr_iter(b'\n', text);
    newlines.find(|at| text[..*at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0)
}

/// Goes through a list of addresses, as a header line holds it. Groups
/// (`name: address, address;`) are seen through.
pub fn list(text: &[u8], rules: Rules) -> Addresses<'_> {
    Addresses { text, at: 0, rules, in_group: false, trims: false }
}

/// The same for a header line of a message that arrives: there, an item ends where
/// it would end without the white space before it, so that `, @, x@y` is one item,
/// the beginning of a route.
pub fn arriving_list(text: &[u8], rules: Rules) -> Addresses<'_> {
    Addresses { trims: true, ..list(text, rules) }
}

/// What stands between two commas of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    /// Where it stands in the list, without the commas.
    pub span: Range<usize>,
    /// The address in it; its span and an error's place count from the head of
    /// the list.
    pub address: Result<AddrSpec, AddressError>,
}

/// The names of messages that a text begins with, as `References:` holds them.
pub fn message_ids(text: &[u8], rules: Rules) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(text, rules, Groups::None);
    std::iter::from_fn(|| reader.message_id()).collect()
}

/// The elements of a list, one after the other; see [`list`].
#[derive(Clone, Debug)]
pub struct Addresses<'a> {
    text: &'a [u8],
    at: usize,
    rules: Rules,
    in_group: bool,
    /// Whether an item's end is looked for behind white space.
    trims: bool,
}

impl Iterator for Addresses<'_> {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        // White space before an item is none of it.
        let blank = rest.iter().take_while(|byte| is_space(**byte)).count();
        let first = start + blank;
        let end = match self.trims {
            true => first + find_end(&rest[blank..], false),
            false => (start + find_end(rest, false)).max(first),
        };
        let item = &self.text[first..end];
        self.at = end + 1;
        let groups = if self.in_group { Groups::Inside } else { Groups::Allowed };
        let mut reader = Reader::new(item, self.rules, groups);
        let address = reader.address();
        // The semicolon that a reader stopped at closes the group, whether
        // what stood before it was an address or not.
        self.in_group = reader.groups == Groups::Inside && reader.peek() != Some(b';');
        let address = match address {
            Ok(found) => {
                Ok(AddrSpec { span: found.span.start + first..found.span.end + first, ..found })
            }
            Err(error) => Err(AddressError { at: error.at + first, ..error }),
        };
        Some(Element { span: start..end, address })
    }
}

/// Where the at sign stands that separates an operative address's local part
/// from its domain: the last one outside quotes.
pub fn find_at(address: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut found = None;
    while let Some(byte) = address.get(at) {
        match byte {
            b'@' => found = Some(at),
            b'\\' => at += 1,
            b'"' => at = skip_quoted(address, at) - 1,
            _ => {}
        }
        at += 1;
    }
    found
}

/// Whether an address that was typed names a domain, as Exim sees it from the end: an
/// at sign with no backslash before it, and no quotes behind it. A backslash that
/// stands first of all does not count.
pub fn names_domain(typed: &[u8]) -> bool {
    let is_escaped = |at: usize| {
        let before = typed.get(1..at).unwrap_or_default();
        before.iter().rev().take_while(|c| **c == b'\\').count() % 2 == 1
    };
    let ends = |(at, c): &(usize, &u8)| **c == b'"' || (**c == b'@' && !is_escaped(*at));
    typed.iter().enumerate().rev().find(ends).is_some_and(|(_, c)| *c == b'@')
}

/// An address's local part, quotes included, and its domain, which is empty where
/// there is none.
pub fn parts(address: &[u8]) -> (&[u8], &[u8]) {
    let at = find_at(address).unwrap_or(address.len());
    (&address[..at], address.get(at + 1..).unwrap_or_default())
}

/// Where the last at sign of an address stands, whatever stands before it: the
/// address's end where it has no domain.
pub fn last_at(address: &[u8]) -> usize {
    memchr::memrchr(b'@', address).unwrap_or(address.len())
}

/// What counts as white space: C's idea of it.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, rules: Rules) -> String {
        match parse(text.as_bytes(), rules) {
            Ok(found) => {
                let span = &text[found.span];
                format!("{} in {span}", String::from_utf8_lossy(&found.text))
            }
            Err(error) => format!("{}: {}", error.at, String::from_utf8_lossy(&error.message)),
        }
    }

    #[test]
    fn an_address_knows_where_it_stands() {
        let rules = Rules::default();
        for (text, expected) in [
            ("a@b", "a@b in a@b"),
            (" a (x) @ b (y) ", "a@b in a (x) @ b"),
            ("A B <\"c d\"@e> (f)", "\"c d\"@e in \"c d\"@e"),
            ("<@a,@b:u@c>", "u@c in @a,@b:u@c"),
            ("x", "x in x"),
            ("a@b c", "4: malformed address: c may not follow a@b "),
            ("<>", "1: missing or malformed local part"),
        ] {
            assert_eq!(shown(text, rules), expected, "{text}");
        }
    }

    #[test]
    fn rules_let_more_pass() {
        let rules = Rules {
            null: true,
            utf8_domains: true,
            trailing_dot: true,
            literals: true,
            ..Rules::default()
        };
        for (text, expected) in [
            ("<>", " in "),
            ("(x) <(y)>", " in "),
            ("a@b\u{e9}.c.", "a@b\u{e9}.c in a@b\u{e9}.c."),
            ("<a@[1.2.3.4]>", "a@[1.2.3.4] in a@[1.2.3.4]"),
            ("<a@[nowhere]>", "4: malformed domain literal"),
        ] {
            assert_eq!(shown(text, rules), expected, "{text}");
        }
    }

    #[test]
    fn a_list_gives_elements_with_their_places() {
        let text = b"team: A <a@b>, c d, e@f;, , g@h";
        let elements: Vec<_> = list(text, Rules::default()).collect();
        let found: Vec<_> = elements
            .iter()
            .map(|e| e.address.as_ref().map(|a| &text[a.span.clone()]).map_err(|e| e.is_empty()))
            .collect();
        assert_eq!(found, [Ok(&b"a@b"[..]), Err(false), Ok(b"e@f"), Err(true), Ok(b"g@h")]);
        assert_eq!(&text[elements[1].span.clone()], b" c d");
    }

    #[test]
    fn every_byte_string_has_an_answer() {
        // All strings of up to four of the bytes that mean something.
        let bytes = b"a.@<>()\"\\,:;[] \xc3\xff";
        let all = Rules {
            null: true,
            utf8_domains: true,
            trailing_dot: true,
            literals: true,
            ..Rules::default()
        };
        for number in 0..bytes.len().pow(4) {
            let mut text = Vec::new();
            let mut rest = number;
            while rest > 0 {
                text.push(bytes[rest % bytes.len()]);
                rest /= bytes.len();
            }
            for rules in [Rules::default(), all] {
                if let Ok(found) = parse(&text, rules) {
                    assert!(found.span.end <= text.len());
                    assert_eq!(
                        found.local_part().len()
                            + found.domain().len()
                            + usize::from(found.domain.is_some()),
                        found.text.len()
                    );
                }
                let mut end = 0;
                for element in list(&text, rules) {
                    assert!(element.span.start == end || end == 0);
                    end = element.span.end + 1;
                }
            }
        }
    }
}
