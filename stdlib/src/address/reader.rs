//! Reads one address, left to right.

use super::{AddrSpec, AddressError, EMPTY, MOST_BYTES, NO_LABEL, Rules, is_space};

/// How groups are seen while reading one address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Groups {
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
pub(super) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    rules: Rules,
    pub(super) groups: Groups,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a [u8], rules: Rules, groups: Groups) -> Self {
        Self { text, at: 0, rules, groups }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self) {
        self.at = skip_comments(self.text, self.at);
    }

    fn error(&self, message: impl Into<Vec<u8>>) -> AddressError {
        AddressError { message: message.into(), at: self.at }
    }

    pub(super) fn address(&mut self) -> Result<AddrSpec, AddressError> {
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
        self.check_length(address.span.len(), &address)?;
        Ok(address)
    }

    /// Refuses an address that takes too many bytes as it is written, with its comments.
    fn check_length(&self, written: usize, address: &AddrSpec) -> Result<(), AddressError> {
        if written.max(address.text.len()) <= MOST_BYTES {
            return Ok(());
        }
        let shown = &address.text[..address.text.len().min(64)];
        Err(self.error([b"address is ridiculously long: ", shown, b"..."].concat()))
    }

    /// One address, or `None` for a group's name.
    fn one(&mut self) -> Result<Option<AddrSpec>, AddressError> {
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
            return Ok(Some(AddrSpec { span: start..self.last(start), text, domain: None }));
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
    fn bracketed(&mut self) -> Result<AddrSpec, AddressError> {
        self.at += 1;
        let opened = self.at;
        self.skip();
        let mut excess = 0;
        while self.rules.excess_brackets && self.peek() == Some(b'<') {
            self.at += 1;
            excess += 1;
            self.skip();
        }
        let start = self.at;
        if self.rules.null && self.peek() == Some(b'>') {
            for _ in 0..=excess {
                match self.peek() {
                    Some(b'>') => self.at += 1,
                    None => return Err(self.error("'>' missing at end of address")),
                    Some(_) => return Err(self.left_over()),
                }
            }
            return Ok(AddrSpec { text: Vec::new(), domain: None, span: start..start });
        }
        let address = self.routed(Some(b'>'))?;
        self.skip();
        while excess > 0 && self.peek() == Some(b'>') {
            self.at += 1;
            excess -= 1;
            self.skip();
        }
        let written = self.text[opened..self.at].trim_ascii_end().len();
        match self.peek() {
            Some(b'>') if excess == 0 => self.at += 1,
            None => return Err(self.error("'>' missing at end of address")),
            Some(_) => return Err(self.left_over()),
        }
        self.check_length(written, &address)?;
        Ok(address)
    }

    /// An address that may have a source route before it, and that ends at a
    /// byte, or at the end of the text.
    fn routed(&mut self, end: Option<u8>) -> Result<AddrSpec, AddressError> {
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
        Ok(AddrSpec { span: start..self.last(start), text, domain: None })
    }

    /// The domain after a local part.
    fn at_domain(
        &mut self,
        mut text: Vec<u8>,
        start: usize,
        literals: Literals,
    ) -> Result<AddrSpec, AddressError> {
        self.at += 1;
        text.push(b'@');
        let domain = text.len();
        self.domain(&mut text, literals)?;
        Ok(AddrSpec { span: start..self.last(start), text, domain: Some(domain) })
    }

    /// The next name of a message, in its angle brackets, without white space and comments;
    /// nothing where something else is next.
    pub(super) fn message_id(&mut self) -> Option<Vec<u8>> {
        self.skip();
        let mut text = b"<".to_vec();
        self.passes(b'<')?;
        self.local_part(&mut text, false).ok()?;
        self.passes(b'@')?;
        text.push(b'@');
        self.domain(&mut text, Literals::Strict).ok()?;
        self.skip();
        self.passes(b'>')?;
        text.push(b'>');
        Some(text)
    }

    /// Goes beyond a byte, if it is the next.
    fn passes(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
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
            return Err(self.error(NO_LABEL));
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

/// Passes white space and comments. Comments may stand in each other; one that
/// is not closed goes on to the end.
pub(super) fn skip_comments(text: &[u8], from: usize) -> usize {
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
pub(super) fn skip_quoted(text: &[u8], from: usize) -> usize {
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

/// Whether a byte may stand in a word outside quotes. A dot may not: it joins
/// words. What is not ASCII may.
pub(super) fn is_atom(byte: u8) -> bool {
    #[rustfmt::skip]
    let special = matches!(
        byte,
        b' ' | b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'\\' | b'"' | b'.' | b'[' | b']'
    );
    !special && !byte.is_ascii_control()
}
