//! The bytes of a message as they come in from a program.

use std::io;

use eximious::{Context, LogSelector, opt};

use super::Submission;
use super::bound::SizeBound;
use super::report::Fault;
use crate::logs;
use crate::reception::longest_header;

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// Where a message from a program ends.
#[derive(Clone, Debug, Default)]
pub struct SubmissionInput {
    /// Whether a line with nothing but a dot ends the message.
    dot_ends: bool,
    /// The line that is not complete yet, as long as it may be such a line.
    held: Vec<u8>,
    /// The last byte of that line, once it can be none.
    longer: Option<u8>,
    /// Whether the first line ended in a carriage return and a newline.
    crlf: Option<bool>,
    /// Whether the blank line came that ends the header.
    in_body: bool,
}

impl SubmissionInput {
    /// Nothing came yet.
    pub fn new(dot_ends: bool) -> Self {
        Self { dot_ends, ..Self::default() }
    }

    /// Takes what came, and gives out what is known to be a part of the message; whether
    /// that ended it. What stands behind its end is none of it.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        if !self.dot_ends {
            out.extend_from_slice(bytes);
            return false;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest);
            let (part, behind) = rest.split_at(end.map_or(rest.len(), |at| at + 1));
            rest = behind;
            if let Some(last) = self.longer {
                out.extend_from_slice(part);
                let before = part.len().checked_sub(2).map_or(last, |at| part[at]);
                match end {
                    Some(_) => self.end_line(before == b'\r'),
                    None => self.longer = part.last().copied(),
                }
                continue;
            }
            self.held.extend_from_slice(part);
            if end.is_some() {
                if self.is_last(&self.held) {
                    self.held.clear();
                    return true;
                }
                let crlf = self.held.ends_with(b"\r\n");
                let is_blank = match self.held[..] {
                    [b'\r', b'\n'] => true,
                    [b'\n'] => self.crlf == Some(false) || self.crlf.is_none() && !crlf,
                    _ => false,
                };
                self.in_body |= is_blank;
                self.end_line(crlf);
                out.append(&mut self.held);
            } else if !matches!(self.held[..], [b'.' | b'\r'] | [b'.', b'\r']) {
                self.longer = self.held.last().copied();
                out.append(&mut self.held);
            }
        }
        false
    }

    /// Nothing more comes: gives out what was held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
    }

    fn end_line(&mut self, crlf: bool) {
        self.crlf.get_or_insert(crlf);
        self.longer = None;
    }

    /// Whether a line ends the message. In a header whose lines end in carriage returns,
    /// a newline alone ends nothing.
    fn is_last(&self, line: &[u8]) -> bool {
        match line {
            b".\r\n" => true,
            b".\n" => self.in_body || self.crlf != Some(true),
            _ => false,
        }
    }
}

impl Submission<'_> {
    /// Reads the message, up to its end or until it is known to be too large, and gives it
    /// out piece by piece. How large it is, if that is too much.
    pub(super) fn read(
        &mut self,
        take: &mut dyn FnMut(&mut Context, &[u8]),
    ) -> io::Result<Option<u64>> {
        let mut bound = SizeBound::new(self.limit, longest_header(self.cx));
        self.read_to(self.request.dot_ends, &mut bound, take)?;
        Ok(bound.found())
    }

    /// The same; a line of one dot is its end, or nothing but text.
    pub(super) fn read_to(
        &mut self,
        dot_ends: bool,
        bound: &mut SizeBound,
        take: &mut dyn FnMut(&mut Context, &[u8]),
    ) -> io::Result<()> {
        let time = self.cx.engine().settings().get(opt::RECEIVE_TIMEOUT);
        let time = Some(time).filter(|time| !time.is_zero());
        let mut input = SubmissionInput::new(dot_ends);
        let mut piece = vec![0; PIECE];
        let mut text = Vec::new();
        loop {
            let ended = match self.outside.read(&mut piece, time) {
                Ok(0) => {
                    input.finish(&mut text);
                    true
                }
                Ok(count) => input.push(&piece[..count], &mut text),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                Err(why) => return Err(why),
            };
            let (count, is_all) = bound.take(&text);
            take(self.cx, &text[..count]);
            text.clear();
            if ended || is_all {
                return Ok(());
            }
        }
    }

    /// Says why it could not be read; that it took too long is logged where that is wanted
    /// (`lost_incoming_connection`).
    pub(super) fn unread(&mut self, why: &io::Error) -> Fault {
        match why.kind() {
            io::ErrorKind::TimedOut => {
                let line = b"timed out while reading local message";
                let by = LogSelector::LOST_INCOMING_CONNECTION;
                logs::by_selector(self.cx, &self.id, by, line);
                Fault::Unread(b"timed out while reading - message abandoned".to_vec())
            }
            _ => Fault::Unread(eximious::stdlib::wording::reason(why).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], size: usize) -> Option<Vec<u8>> {
        let mut input = SubmissionInput::new(true);
        let mut out = Vec::new();
        text.chunks(size).any(|piece| input.push(piece, &mut out)).then_some(out)
    }

    #[test]
    fn a_dot_alone_between_newlines_ends_a_message() {
        for size in [1, 2, 3, 100] {
            for (text, message) in [
                (b"a: b\n\nx\n.\ny".as_slice(), Some(b"a: b\n\nx\n".as_slice())),
                (b"a: b\r\n\r\nx\n.\ny", Some(b"a: b\r\n\r\nx\n")),
                (b"a: b\n\nx\r\n.\r\ny", Some(b"a: b\n\nx\r\n")),
                (b".\n", Some(b"")),
                (b".\r\nx", Some(b"")),
                (b"\n.\nx", Some(b"\n")),
                (b"a: b\n.\n", Some(b"a: b\n")),
                (b"a: b\r\n.\r\n", Some(b"a: b\r\n")),
                (b"a: b\r\n.\nx", None),
                (b"a: b\r\n\n.\nx", None),
                (b"a: b\n\nx\r.\ny", None),
                (b"a: b\n\nx\r.\ry", None),
                (b"a: b\n\nx\n.\ry\n", None),
                (b"a: b\n\nx\n.", None),
                (b"a: b\n\nx\n..\n", None),
                (b"", None),
            ] {
                let message = message.map(<[u8]>::to_vec);
                assert_eq!(read(text, size), message, "{}", text.escape_ascii());
            }
        }
        assert!(!SubmissionInput::new(false).push(b"a: b\n\n.\n", &mut Vec::new()));
    }

    #[test]
    fn what_does_not_end_goes_through_whole() {
        for text in [b"a: b\n\nx\n.\r".as_slice(), b"a: b\r\n.\n.", b"\r", b"", b"a\r\nb\n..\n"] {
            for size in [1, 2, 3, 100] {
                let mut input = SubmissionInput::new(true);
                let mut out = Vec::new();
                let ended = text.chunks(size).any(|piece| input.push(piece, &mut out));
                input.finish(&mut out);
                assert!(!ended && out == text, "{}", text.escape_ascii());
            }
        }
    }
}
