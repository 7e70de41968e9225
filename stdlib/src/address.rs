//! Addresses, as they stand in header lines and in the envelope (RFC 5322,
//! read the way Exim reads it).
//!
//! [`parse`] takes one address with all that may stand around it: comments,
//! a phrase before angle brackets, a source route. [`find_end`] finds where the
//! first address of a list ends, and [`list`] goes through a list, groups
//! included. Every function takes any bytes; what is not an address gives an
//! error with Exim's words.

use std::ops::Range;

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
}

/// An address, without what stood around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// The operative address: local part, at sign, domain. No comments, no
    /// white space, no source route. Empty for `<>`.
    pub text: Vec<u8>,
    /// Where the domain begins in `text`, if there is one.
    pub domain: Option<usize>,
    /// Where the operative address stands in the input, from its first byte to
    /// its last; the source route is part of it.
    pub span: Range<usize>,
}

impl Address {
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

/// How long an operative address may be (RFC 5321: 256 with its brackets).
pub const MOST_BYTES: usize = 256;

/// Reads one address; all of the input must belong to it.
///
/// # Errors
/// With Exim's words, where the input is no address.
pub fn parse(input: &[u8], rules: Rules) -> Result<Address, AddressError> {
    Reader::new(input, rules, Groups::None).address()
}

/// Where the first address of a list ends: at a comma that stands outside
/// quotes, comments, angle brackets and source routes, or at the end. Where
/// `newline_ends` is set, a newline ends the address as a comma does.
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
            b'"' => at = skip_quoted(list, at),
            b'(' => at = skip_comments(list, at),
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

/// Goes through a list of addresses, as a header line holds it. Groups
/// (`name: address, address;`) are seen through.
pub fn list(text: &[u8], rules: Rules) -> Addresses<'_> {
    Addresses { text, at: 0, rules, in_group: false }
}

/// What stands between two commas of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    /// Where it stands in the list, without the commas.
    pub span: Range<usize>,
    /// The address in it; its span and an error's place count from the head of
    /// the list.
    pub address: Result<Address, AddressError>,
}

/// The elements of a list, one after the other; see [`list`].
#[derive(Clone, Debug)]
pub struct Addresses<'a> {
    text: &'a [u8],
    at: usize,
    rules: Rules,
    in_group: bool,
}

impl Iterator for Addresses<'_> {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = find_end(rest, false);
        self.at += end + 1;
        let groups = if self.in_group { Groups::Inside } else { Groups::Allowed };
        let mut reader = Reader::new(&rest[..end], self.rules, groups);
        let address = reader.address();
        // The semicolon that a reader stopped at closes the group, whether
        // what stood before it was an address or not.
        self.in_group = reader.groups == Groups::Inside && reader.peek() != Some(b';');
        let address = match address {
            Ok(found) => {
                Ok(Address { span: found.span.start + start..found.span.end + start, ..found })
            }
            Err(error) => Err(AddressError { at: error.at + start, ..error }),
        };
        Some(Element { span: start..start + end, address })
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

/// A local part as it has to be written in an address: in double quotes where
/// its characters demand it.
pub fn quote_local_part(text: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(byte);
    let last = text.len().wrapping_sub(1);
    let dots_inside = |(place, byte): (usize, &u8)| *byte == b'.' && place > 0 && place < last;
    if !text.is_empty() && text.iter().enumerate().all(|(n, c)| plain(c) || dots_inside((n, c))) {
        return text.to_vec();
    }
    let mut quoted = Vec::with_capacity(text.len() + 2);
    quoted.push(b'"');
    for byte in text {
        match byte {
            b'\n' => quoted.extend_from_slice(b"\\n"),
            b'\r' => quoted.extend_from_slice(b"\\r"),
            b'"' | b'\\' => quoted.extend_from_slice(&[b'\\', *byte]),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'"');
    quoted
}

/// Passes white space and comments. Comments may stand in each other; one that
/// is not closed goes on to the end.
fn skip_comments(text: &[u8], from: usize) -> usize {
    let mut at = from;
    let mut depth = 0usize;
    while let Some(byte) = text.get(at) {
        match byte {
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b'\\' if depth > 0 => at += 1,
            _ if depth > 0 || is_space(*byte) => {}
            _ => break,
        }
        at += 1;
    }
    at.min(text.len())
}

/// Passes a quoted string, from its first quote on.
fn skip_quoted(text: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// What counts as white space: C's idea of it.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Whether a byte may stand in a word outside quotes. A dot may not: it joins
/// words. What is not ASCII may.
fn is_atom(byte: u8) -> bool {
    !(byte.is_ascii_control() || b" ()<>@,;:\\\".[]".contains(&byte))
}

/// How groups are seen while reading one address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Groups {
    /// A colon never begins a group.
    None,
    /// A group may begin here.
    Allowed,
    /// A group has begun; a semicolon may follow.
    Inside,
}

/// What may stand in the square brackets of a domain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Literals {
    /// Anything visible.
    Loose,
    /// An IP address, and only where the rules say so.
    Strict,
}

/// Reads one address, left to right.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    rules: Rules,
    groups: Groups,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8], rules: Rules, groups: Groups) -> Self {
        Self { text, at: 0, rules, groups }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self) {
        self.at = skip_comments(self.text, self.at);
    }

    fn error(&self, message: impl Into<Vec<u8>>) -> AddressError {
        AddressError { message: message.into(), at: self.at }
    }

    fn address(&mut self) -> Result<Address, AddressError> {
        self.skip();
        let address = loop {
            if matches!(self.peek(), None | Some(b';')) {
                return Err(self.error(EMPTY));
            }
            if let Some(address) = self.one()? {
                break address;
            }
            // A group's name was read, with its colon.
            self.skip();
        };
        self.skip();
        match self.peek() {
            None => {}
            Some(b';') if self.groups == Groups::Inside => {}
            Some(_) => return Err(self.left_over()),
        }
        if address.text.len() > MOST_BYTES {
            let shown = &address.text[..64];
            return Err(self.error([b"address is ridiculously long: ", shown, b"..."].concat()));
        }
        Ok(address)
    }

    /// One address, or `None` for a group's name.
    fn one(&mut self) -> Result<Option<Address>, AddressError> {
        if self.peek() == Some(b'@') {
            return self.routed(None).map(Some);
        }
        let start = self.at;
        let mut text = Vec::new();
        self.local_part(&mut text, true)?;
        if self.peek() == Some(b'@') {
            return self.at_domain(text, start, Literals::Loose).map(Some);
        }
        if matches!(self.peek(), None | Some(b';')) {
            return Ok(Some(Address { span: start..self.last(start), text, domain: None }));
        }
        // What was read is the beginning of a phrase, or of a group's name.
        while self.peek() != Some(b'<') {
            if self.peek() == Some(b':') && self.groups == Groups::Allowed {
                self.groups = Groups::Inside;
                self.at += 1;
                return Ok(None);
            }
            if let Err(mut error) = self.local_part(&mut text, false) {
                error.message.extend_from_slice(b" (expected word or \"<\")");
                return Err(error);
            }
        }
        self.bracketed().map(Some)
    }

    /// An address in angle brackets, from the opening one on.
    fn bracketed(&mut self) -> Result<Address, AddressError> {
        self.at += 1;
        self.skip();
        let start = self.at;
        if self.rules.null && self.peek() == Some(b'>') {
            self.at += 1;
            return Ok(Address { text: Vec::new(), domain: None, span: start..start });
        }
        let address = self.routed(Some(b'>'))?;
        self.skip();
        match self.peek() {
            Some(b'>') => self.at += 1,
            None => return Err(self.error("'>' missing at end of address")),
            Some(_) => return Err(self.left_over()),
        }
        Ok(address)
    }

    /// An address that may have a source route before it, and that ends at a
    /// byte, or at the end of the text.
    fn routed(&mut self, end: Option<u8>) -> Result<Address, AddressError> {
        let start = self.at;
        let mut text = Vec::new();
        let routed = self.peek() == Some(b'@');
        if routed {
            self.route()?;
        }
        self.local_part(&mut text, false)?;
        if self.peek() == Some(b'@') {
            return self.at_domain(text, start, Literals::Strict);
        }
        if self.peek() != end {
            let message = [b"\"@\" or \".\" expected after \"", text.as_slice(), b"\""].concat();
            return Err(self.error(message));
        }
        if routed {
            return Err(self.error("domain missing in source-routed address"));
        }
        Ok(Address { span: start..self.last(start), text, domain: None })
    }

    /// The domain after a local part.
    fn at_domain(
        &mut self,
        mut text: Vec<u8>,
        start: usize,
        literals: Literals,
    ) -> Result<Address, AddressError> {
        self.at += 1;
        text.push(b'@');
        let domain = text.len();
        self.domain(&mut text, literals)?;
        Ok(Address { span: start..self.last(start), text, domain: Some(domain) })
    }

    /// What stands where nothing may stand.
    fn left_over(&self) -> AddressError {
        let rest = &self.text[self.at..];
        self.error(
            [
                b"malformed address: ",
                &rest[..rest.len().min(32)],
                b" may not follow ",
                &self.text[..self.at],
            ]
            .concat(),
        )
    }

    /// The end of what was read, without the white space and comments after it.
    fn last(&self, start: usize) -> usize {
        let mut end = start;
        let mut at = start;
        while at < self.at {
            let next = skip_comments(self.text, at).min(self.at);
            if next == at {
                at = match self.text[at] {
                    b'"' => skip_quoted(self.text, at).min(self.at),
                    b'\\' => (at + 2).min(self.at),
                    _ => at + 1,
                };
                end = at;
            } else {
                at = next;
            }
        }
        end
    }

    /// Words and quoted strings, joined by dots; white space and comments
    /// between them are dropped. Dots may stand anywhere.
    fn local_part(&mut self, text: &mut Vec<u8>, may_be_empty: bool) -> Result<(), AddressError> {
        let before = text.len();
        self.skip();
        loop {
            if self.peek() == Some(b'"') {
                self.quoted_string(text)?;
            } else {
                self.word(text);
            }
            self.skip();
            if self.peek() != Some(b'.') {
                break;
            }
            while self.peek() == Some(b'.') {
                text.push(b'.');
                self.at += 1;
                self.skip();
            }
        }
        if text.len() == before && !may_be_empty {
            return Err(self.error("missing or malformed local part"));
        }
        Ok(())
    }

    fn quoted_string(&mut self, text: &mut Vec<u8>) -> Result<(), AddressError> {
        let start = self.at;
        let end = skip_quoted(self.text, start);
        let quoted = &self.text[start..end];
        self.at = end;
        // A string that ran into the end is closed only if its last byte is a
        // quote that neither opens it nor is escaped.
        if end == self.text.len() && !is_closed(quoted) {
            return Err(self.error("unmatched doublequote in local part"));
        }
        text.extend_from_slice(quoted);
        Ok(())
    }

    fn word(&mut self, text: &mut Vec<u8>) {
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at = (self.at + 2).min(self.text.len()),
                byte if is_atom(byte) => self.at += 1,
                _ => break,
            }
        }
        text.extend_from_slice(&self.text[start..self.at]);
    }

    /// A domain: labels joined by dots, or something in square brackets.
    fn domain(&mut self, text: &mut Vec<u8>, literals: Literals) -> Result<(), AddressError> {
        self.skip();
        if self.peek() == Some(b'[') {
            return self.literal(text, literals);
        }
        loop {
            self.label(text)?;
            self.skip();
            if self.peek() != Some(b'.') {
                return Ok(());
            }
            self.at += 1;
            self.skip();
            if self.rules.trailing_dot && self.peek() != Some(b'.') && !self.at_label() {
                return Ok(());
            }
            text.push(b'.');
        }
    }

    /// Whether a label begins here.
    fn at_label(&self) -> bool {
        self.peek()
            .is_some_and(|c| c.is_ascii_alphanumeric() || (c >= 0xc0 && self.rules.utf8_domains))
    }

    fn label(&mut self, text: &mut Vec<u8>) -> Result<(), AddressError> {
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'-' if self.at > start => self.at += 1,
                byte if byte.is_ascii_alphanumeric() => self.at += 1,
                0xc0.. if self.rules.utf8_domains => self.letter(byte)?,
                _ => break,
            }
        }
        if self.at == start {
            return Err(self.error("domain missing or malformed"));
        }
        text.extend_from_slice(&self.text[start..self.at]);
        Ok(())
    }

    /// A letter outside ASCII, by its first byte.
    fn letter(&mut self, first: u8) -> Result<(), AddressError> {
        let more = match first {
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => return Err(self.error("invalid UTF-8 byte sequence")),
        };
        let following = self.text.get(self.at + 1..=self.at + more).unwrap_or_default();
        if following.len() != more || !following.iter().all(|c| c & 0xc0 == 0x80) {
            return Err(self.error("invalid UTF-8 byte sequence"));
        }
        self.at += 1 + more;
        Ok(())
    }

    fn literal(&mut self, text: &mut Vec<u8>, literals: Literals) -> Result<(), AddressError> {
        if literals == Literals::Strict && !self.rules.literals {
            return Err(self.error("domain literals not allowed"));
        }
        let start = self.at;
        let inner = &self.text[start + 1..];
        let length = match literals {
            Literals::Loose => {
                let inside = |c: &u8| c.is_ascii_graphic() && !b"[\\]".contains(c);
                inner.iter().take_while(|c| inside(c)).count()
            }
            Literals::Strict => {
                let named =
                    |tag: &[u8]| inner.get(..5).is_some_and(|t| t.eq_ignore_ascii_case(tag));
                let tag = if named(b"IPv6:") || named(b"IPv4:") { 5 } else { 0 };
                let inside = |c: &u8| c.is_ascii_hexdigit() || matches!(c, b':' | b'.');
                tag + inner[tag..].iter().take_while(|c| inside(c)).count()
            }
        };
        self.at += 1 + length;
        if self.peek() != Some(b']') {
            return Err(self.error("malformed domain literal"));
        }
        self.at += 1;
        text.extend_from_slice(&self.text[start..self.at]);
        self.skip();
        Ok(())
    }

    /// A source route: `@a,@b:`. It is read and dropped.
    fn route(&mut self) -> Result<(), AddressError> {
        let mut dropped = Vec::new();
        let mut commas = 0;
        while self.peek() == Some(b'@') {
            self.at += 1;
            self.domain(&mut dropped, Literals::Strict)?;
            if self.peek() != Some(b',') {
                break;
            }
            commas += 1;
            self.at += 1;
            self.skip();
        }
        if self.peek() != Some(b':') {
            let message =
                if commas > 0 { "colon expected after route list" } else { "no local part" };
            return Err(self.error(message));
        }
        self.at += 1;
        self.skip();
        Ok(())
    }
}

/// Whether a quoted string ends in a quote of its own.
fn is_closed(quoted: &[u8]) -> bool {
    let Some((b'"', inner)) = quoted.split_last() else { return false };
    let escapes = inner.iter().rev().take_while(|c| **c == b'\\').count();
    !inner.is_empty() && escapes % 2 == 0
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
        let rules = Rules { null: true, utf8_domains: true, trailing_dot: true, literals: true };
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
        let all = Rules { null: true, utf8_domains: true, trailing_dot: true, literals: true };
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

    /// Names and local parts of any length and form are quoted into growing
    /// buffers, and what is quoted reads back as one local part.
    #[test]
    fn cve_2021_28013_quoting_local_parts() {
        let long = vec![b'"'; 20_000];
        for text in [&b""[..], b"\"", b"\\", b"a\\", b"(", b"a(b", b"\xff", b".", b"a\nb", &long] {
            let quoted = quote_local_part(text);
            let address = [quoted.as_slice(), b"@example.com"].concat();
            match parse(&address, Rules::default()) {
                Ok(found) => assert_eq!(found.domain(), b"example.com"),
                Err(error) => assert!(error.message.starts_with(b"address is ridiculously long")),
            }
        }
    }
}
