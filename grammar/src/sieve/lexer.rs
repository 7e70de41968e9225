//! Reads the words, numbers and strings of a script.

use super::strings;
use super::tree::{SieveFault, SieveString};
use crate::Span;

/// Reading has ended, for the fault that the lexer holds.
#[derive(Debug)]
pub(super) struct Stop;

/// A script and how far it has been read.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    pub(super) line: u32,
    /// Whether strings hold encoded characters.
    pub(super) encoded: bool,
    pub(super) fault: Option<SieveFault>,
}

impl<'a> Lexer<'a> {
    /// A zero byte ends a script.
    pub(super) fn new(text: &'a [u8]) -> Self {
        let end = memchr::memchr(0, text).unwrap_or(text.len());
        Self { text: &text[..end], at: 0, line: 1, encoded: false, fault: None }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Something is wrong here.
    pub(super) fn stop(&mut self, message: impl Into<String>) -> Stop {
        let span = Span::new(self.at, self.at);
        self.fault = Some(SieveFault { message: message.into(), line: self.line, span });
        Stop
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// White space and comments. A carriage return is neither.
    pub(super) fn white(&mut self) -> Result<(), Stop> {
        loop {
            match self.rest() {
                [b' ' | b'\t', ..] => self.at += 1,
                [b'\n', ..] => self.newline(),
                [b'#', ..] => self.line_comment()?,
                [b'/', b'*', rest @ ..] => match memchr::memmem::find(rest, b"*/") {
                    Some(length) => self.at += length + 4,
                    None => return Err(self.stop("missing end of comment")),
                },
                _ => return Ok(()),
            }
        }
    }

    fn newline(&mut self) {
        self.at += 1;
        self.line += 1;
    }

    fn line_comment(&mut self) -> Result<(), Stop> {
        match memchr::memchr(b'\n', self.rest()) {
            Some(length) => {
                self.at += length;
                self.newline();
                Ok(())
            }
            None => Err(self.stop("missing end of comment")),
        }
    }

    /// A word, in letters of any case; nothing is read where it is another one.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let Some((head, rest)) = rest.split_at_checked(word.len()) else { return false };
        let found = head.eq_ignore_ascii_case(word.as_bytes())
            && !rest.first().is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_');
        if found {
            self.at += word.len();
        }
        found
    }

    /// A sign.
    pub(super) fn sign(&mut self, sign: u8) -> bool {
        let found = self.peek() == Some(sign);
        self.at += usize::from(found);
        found
    }

    /// Whether a sign is next.
    pub(super) fn is_at(&self, sign: u8) -> bool {
        self.peek() == Some(sign)
    }

    /// The semicolon at a command's end.
    pub(super) fn semicolon(&mut self) -> Result<(), Stop> {
        self.white()?;
        if self.sign(b';') { Ok(()) } else { Err(self.stop("missing semicolon")) }
    }

    /// A number with its unit.
    pub(super) fn number(&mut self) -> Result<u64, Stop> {
        let digits = self.rest().iter().take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 {
            return Err(self.stop("missing number"));
        }
        let number = self.rest()[..digits].iter().try_fold(0u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        let unit = match self.rest().get(digits) {
            Some(b'K') => Some(1u64 << 10),
            Some(b'M') => Some(1 << 20),
            Some(b'G') => Some(1 << 30),
            _ => None,
        };
        match number.and_then(|number| number.checked_mul(unit.unwrap_or(1))) {
            Some(number) => {
                self.at += digits + usize::from(unit.is_some());
                Ok(number)
            }
            None => Err(self.stop("Numerical result out of range")),
        }
    }

    /// A string; `None` where none begins here.
    pub(super) fn string(&mut self) -> Result<Option<SieveString>, Stop> {
        let start = self.at;
        let bytes = if self.sign(b'"') {
            self.quoted()?
        } else if self.rest().starts_with(b"text:") {
            self.at += b"text:".len();
            self.multi_line()?
        } else {
            return Ok(None);
        };
        let bytes = match self.encoded {
            true => strings::decoded(&bytes).map_err(|message| self.stop(message))?,
            false => bytes,
        };
        Ok(Some(SieveString { bytes, span: Span::new(start, self.at) }))
    }

    /// What follows the quote, up to the next one.
    fn quoted(&mut self) -> Result<Vec<u8>, Stop> {
        let mut bytes = Vec::new();
        loop {
            match self.rest() {
                [] | [b'\\'] => return Err(self.stop("missing end of string")),
                [b'"', ..] => {
                    self.at += 1;
                    return Ok(bytes);
                }
                // A newline behind a backslash is not counted.
                [b'\\', byte, ..] => {
                    bytes.push(*byte);
                    self.at += 2;
                }
                [b'\n', ..] => {
                    bytes.extend_from_slice(b"\r\n");
                    self.newline();
                }
                [byte, ..] => {
                    bytes.push(*byte);
                    self.at += 1;
                }
            }
        }
    }

    /// What follows `text:`, up to a line with a dot alone. The first line is not
    /// looked at for dots.
    fn multi_line(&mut self) -> Result<Vec<u8>, Stop> {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        match self.peek() {
            Some(b'#') => self.line_comment()?,
            Some(b'\n') => self.newline(),
            _ => return Err(self.stop("syntax error")),
        }
        let mut bytes = Vec::new();
        loop {
            match self.rest() {
                [] => return Err(self.stop("missing end of multi line string")),
                [b'\n', rest @ ..] => {
                    bytes.extend_from_slice(b"\r\n");
                    self.newline();
                    match rest {
                        [b'.', b'\n', ..] => {
                            self.at += 1;
                            self.newline();
                            return Ok(bytes);
                        }
                        [b'.', b'.', ..] => self.at += 1,
                        _ => {}
                    }
                }
                [byte, ..] => {
                    bytes.push(*byte);
                    self.at += 1;
                }
            }
        }
    }

    /// A string or a list of strings in brackets; `None` where neither begins
    /// here.
    pub(super) fn list(&mut self) -> Result<Option<Vec<SieveString>>, Stop> {
        if !self.sign(b'[') {
            return Ok(self.string()?.map(|text| vec![text]));
        }
        // Whatever is wrong in it, Exim misses the list.
        let list = self.elements();
        list.map(Some).map_err(|Stop| self.stop("missing string list"))
    }

    /// What follows the opening bracket.
    fn elements(&mut self) -> Result<Vec<SieveString>, Stop> {
        let mut list = Vec::new();
        self.white()?;
        if self.sign(b']') {
            return Ok(list);
        }
        loop {
            list.push(self.string()?.ok_or(Stop)?);
            self.white()?;
            if self.sign(b']') {
                return Ok(list);
            }
            if !self.sign(b',') {
                return Err(Stop);
            }
            self.white()?;
        }
    }
}
