//! Words and strings of a filter file.

use super::{FilterFault, FilterWord};
use crate::Span;
use crate::expansion::{escape, is_space};

/// How long a word or string may be, less one.
const LONGEST: usize = 1024;

/// Goes through a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    line: u32,
    /// The line as Exim counts: what it reads twice, it counts twice.
    counted: u32,
}

/// Which bytes end a word, besides white space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ends {
    /// None: in commands.
    Space,
    /// Round brackets: in conditions.
    Brackets,
}

impl<'t> Reader<'t> {
    /// Stands before the first thing that counts.
    pub(super) fn new(text: &'t [u8]) -> Self {
        let mut reader = Self { text, at: 0, line: 1, counted: 1 };
        reader.skip();
        reader
    }

    /// Where it stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What it stands at; `None` at the end.
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Passes over a byte, and what does not count behind it.
    pub(super) fn pass(&mut self) {
        self.at = (self.at + 1).min(self.text.len());
        self.skip();
    }

    /// Goes back to an earlier place.
    pub(super) fn back(&mut self, before: Self) {
        *self = Self { counted: self.counted, ..before };
    }

    fn newline(&mut self) {
        self.line += 1;
        self.counted += 1;
    }

    /// What is wrong here; the message has the line in it.
    pub(super) fn fault(&self, head: impl AsRef<[u8]>, tail: &str) -> FilterFault {
        let line = format!("{}{tail}", self.counted);
        let message = [head.as_ref(), line.as_bytes()].concat();
        FilterFault { message, line: self.line, at: self.at as u32 }
    }

    /// What is wrong here, in words that name no line.
    pub(super) fn plain_fault(&self, message: &str) -> FilterFault {
        FilterFault { message: message.as_bytes().to_vec(), line: self.line, at: self.at as u32 }
    }

    /// White space and comments.
    fn skip(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'#' {
                let rest = &self.text[self.at..];
                // The newline itself is white space.
                self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            } else if is_space(byte) {
                if byte == b'\n' {
                    self.newline();
                }
                self.at += 1;
            } else {
                return;
            }
        }
    }

    /// A word as it is written, quotes and all.
    pub(super) fn word(&mut self, ends: Ends) -> Result<&'t [u8], FilterFault> {
        let rest = &self.text[self.at..];
        let is_end = |c: &u8| is_space(*c) || (ends == Ends::Brackets && matches!(c, b'(' | b')'));
        let end = rest.iter().take(LONGEST).position(is_end);
        let end = match end {
            Some(end) => end,
            None if rest.len() < LONGEST => rest.len(),
            None => return Err(self.too_long("word")),
        };
        self.at += end;
        self.skip();
        Ok(&rest[..end])
    }

    /// The word that begins a command: one with a condition may have its bracket
    /// right behind it.
    pub(super) fn command(&mut self) -> Result<&'t [u8], FilterFault> {
        let rest = &self.text[self.at..];
        let conditional = [b"if(".as_slice(), b"elif("].iter().any(|head| rest.starts_with(head));
        self.word(if conditional { Ends::Brackets } else { Ends::Space })
    }

    /// A data value.
    pub(super) fn value(&mut self, ends: Ends) -> Result<FilterWord, FilterFault> {
        let start = self.at;
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let text = self.word(ends)?;
        Ok(FilterWord { text: text.to_vec(), span: Span::new(start, start + text.len()) })
    }

    /// The same for who wants something: a string of which nothing is there before its line
    /// ends is nothing, rather than a string without an end.
    pub(super) fn wanted(&mut self) -> Result<FilterWord, FilterFault> {
        let start = self.at;
        let value = self.value(Ends::Space);
        let text = &self.text[start..self.at];
        match value {
            Err(_) if text.starts_with(b"\"") && is_nothing(&text[1..]) => {
                self.skip();
                Ok(FilterWord { text: Vec::new(), span: Span::new(start, start + 1) })
            }
            value => value,
        }
    }

    /// A string in quotes.
    fn string(&mut self) -> Result<FilterWord, FilterFault> {
        let start = self.at;
        let mut text = Vec::new();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            match rest {
                [] | [b'\n', ..] => {
                    return Err(self.fault("quote missing at end of string in line ", ""));
                }
                [b'"', ..] => break,
                [b'\\', after @ ..] => match continuation(after) {
                    Some(length) => {
                        self.at += 1 + length;
                        self.newline();
                        continue;
                    }
                    None => {
                        let (byte, length) = escape(rest);
                        text.push(byte);
                        self.at += length;
                    }
                },
                [byte, ..] => {
                    text.push(*byte);
                    self.at += 1;
                }
            }
            if text.len() >= LONGEST {
                return Err(self.too_long("string"));
            }
        }
        self.at += 1;
        let span = Span::new(start, self.at);
        self.skip();
        // What is written as `\0` ends the string, as Exim keeps it.
        if let Some(zero) = memchr::memchr(0, &text) {
            text.truncate(zero);
        }
        Ok(FilterWord { text, span })
    }

    fn too_long(&self, what: &str) -> FilterFault {
        let tail = format!(" of filter file (max = {LONGEST} chars)");
        self.fault(format!("{what} is too long in line "), &tail)
    }
}

/// Whether a text is nothing but lines that go on.
fn is_nothing(mut text: &[u8]) -> bool {
    while let [b'\\', rest @ ..] = text
        && let Some(length) = continuation(rest)
    {
        text = &rest[length..];
    }
    text.is_empty()
}

/// How much of what follows a backslash belongs to the end of a line: blanks, the
/// newline, and blanks at the start of the next line.
fn continuation(text: &[u8]) -> Option<usize> {
    let blanks = |text: &[u8]| text.iter().take_while(|c| matches!(c, b' ' | b'\t')).count();
    let before = blanks(text);
    let after = text[before..].strip_prefix(b"\n")?;
    Some(before + 1 + blanks(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &[u8]) -> Result<Vec<u8>, String> {
        let value = Reader::new(text).value(Ends::Space);
        value.map(|word| word.text).map_err(|f| String::from_utf8(f.message).unwrap())
    }

    #[test]
    fn strings_are_taken_apart() {
        for (text, meaning) in [
            (&b"\"a\\n\\t\\\"\\\\\\q\"x"[..], &b"a\n\t\"\\q"[..]),
            (b"\"a\\  \n \t b\"", b"ab"),
            (b"\"\\x41\\101\\377\"", b"AA\xff"),
            (b"\"a\\0b\"", b"a"),
            (b"a\"b\"", b"a\"b\""),
            (b" # x\n #\n a(b)", b"a(b)"),
            (b"", b""),
        ] {
            assert_eq!(value(text).as_deref(), Ok(meaning), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let word = |length| value(&vec![b'x'; length]);
        assert!(word(1023).is_ok());
        let why = "word is too long in line 1 of filter file (max = 1024 chars)";
        assert_eq!(word(1024).unwrap_err(), why);
        let string = |length| value(&[b"\"".as_slice(), &vec![b'x'; length], b"\""].concat());
        assert!(string(1023).is_ok());
        let why = "string is too long in line 1 of filter file (max = 1024 chars)";
        assert_eq!(string(1024).unwrap_err(), why);
        assert_eq!(value(b"\n\"a\\\n\n").unwrap_err(), "quote missing at end of string in line 3");
    }
}
