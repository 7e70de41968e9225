//! The bytes of a message: its lines as they come in, and what they mean.

use eximious::stdlib::message::{End, parse_with};
use eximious::{Context, Message};

use crate::reception;

/// How large a message may be where no option says so.
const LARGEST: u64 = 1 << 30;

/// The lines of a message, as they come in.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What is there so far, without the dots that were put before dots.
    pub(super) bytes: Vec<u8>,
    /// How much came, kept or not.
    pub(super) count: u64,
    /// How many of those bytes were carriage returns at the end of lines.
    pub(super) returns: u64,
    /// The most that is kept.
    pub(super) limit: u64,
    /// Whether the first line ended in a newline alone: then all lines do.
    plain: Option<bool>,
    /// Whether a line begins here.
    inside: bool,
    /// Whether the last byte was a carriage return.
    returned: bool,
    /// Whether the line before ended as lines have to.
    ended_well: bool,
    /// Whether a line `From …` before the header is dropped, once that was asked.
    pub(super) drops_from: Option<bool>,
}

impl Reading {
    pub(super) fn new(limit: u64) -> Self {
        let limit = if limit == 0 { LARGEST } else { limit };
        Self { limit, ended_well: true, ..Self::default() }
    }

    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.count += bytes.len() as u64;
        // One byte more is enough to know that it is too much.
        let room = (self.limit + 1).saturating_sub(self.bytes.len() as u64);
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..room]);
    }

    /// Whether it is time to ask what becomes of a line `From …`: the first line is
    /// there, and is not continued.
    pub(super) fn has_first_line(&self) -> bool {
        memchr::memchr(b'\n', &self.bytes).is_some_and(|end| end + 1 < self.bytes.len())
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.count > self.limit
    }

    /// Takes what is there of a line; the number of bytes, and whether it ended the
    /// message. Only a dot between two ends of lines as they have to be ends it.
    pub(super) fn take(&mut self, input: &[u8]) -> (usize, bool) {
        let end = memchr::memchr(b'\n', input);
        let line = end.map_or(input, |end| &input[..=end]);
        let begins = !self.inside;
        if begins && end.is_none() && line.len() < 3 {
            // It may be the last line.
            return (0, false);
        }
        // Its carriage return may have come before.
        let whole = line.ends_with(b"\r\n") || (line == b"\n" && self.inside && self.returned);
        if end.is_some() && self.plain.is_none() {
            self.plain = Some(!whole);
        }
        let plain = self.plain == Some(true);
        if begins && self.ended_well && (line == b".\r\n" || (plain && line == b".\n")) {
            return (line.len(), true);
        }
        let kept = match begins && self.ended_well && line.first() == Some(&b'.') {
            true => &line[1..],
            false => line,
        };
        self.keep(kept);
        self.inside = end.is_none();
        if end.is_some() {
            self.ended_well = plain || whole;
            self.returns += u64::from(whole);
        }
        self.returned = line.last() == Some(&b'\r');
        (line.len(), false)
    }
}

/// A message that came by SMTP.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) message: Message,
    /// The senders that lines `From …` before the header name.
    pub(super) senders: Vec<Vec<u8>>,
    /// Whether a blank line stood behind the header.
    pub(super) blank: bool,
}

/// Reads a message that came by SMTP. A line `From …` before the header is none of
/// it only where such lines are dropped.
pub(super) fn parse(bytes: &[u8], drops_from: bool, cx: &mut Context) -> Parsed {
    let bytes = &ended_by_newlines(bytes)[..];
    let blank = has_blank_line(bytes);
    if bytes.is_empty() {
        return Parsed { message: Message::default(), senders: Vec::new(), blank };
    }
    let mut sender = |line: &[u8]| match drops_from {
        true => reception::sender_in_line(cx, line),
        false => None,
    };
    let (mut message, senders) = parse_with(bytes, End::Input, &mut sender);
    // Here, whatever is no header line belongs to the body.
    let stray = std::mem::take(&mut message.stray);
    let has_stray = !stray.is_empty();
    if has_stray {
        message.body.splice(..0, stray);
        message.body_lines += 1;
        message.lines += 1;
    }
    let lines = memchr::memchr_iter(b'\n', &message.body).count() as u64;
    message.lines = message.lines + lines - lines.min(message.body_lines);
    message.body_lines = lines;
    Parsed { message, senders, blank: blank && !has_stray }
}

/// A message as it is kept: each line ends in a newline. Where the first one came
/// with CRLF, a newline alone ends no line: in the header it is the beginning of a
/// continuation, in the body a space. A carriage return alone does end a line, but
/// no header line.
pub(super) fn ended_by_newlines(text: &[u8]) -> Vec<u8> {
    let first = memchr::memchr(b'\n', text);
    let strict = first.is_some_and(|end| end > 0 && text[end - 1] == b'\r');
    let mut out = Vec::with_capacity(text.len());
    let mut in_body = false;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let next = bytes.peek().copied();
        let whole = byte == b'\r' && next == Some(b'\n');
        if whole || (byte == b'\n' && !strict) {
            if whole {
                bytes.next();
            }
            in_body |= matches!(out.last(), None | Some(b'\n'));
            out.push(b'\n');
        } else if matches!(byte, b'\r' | b'\n') {
            if in_body {
                out.push(if byte == b'\n' { b' ' } else { b'\n' });
                continue;
            }
            out.push(b'\n');
            if !matches!(next, Some(b' ' | b'\t' | b'\r' | b'\n')) {
                out.push(b' ');
            }
        } else {
            out.push(byte);
        }
    }
    out
}

/// How large a message is, with the line between header and body.
pub(super) fn size(message: &Message) -> u64 {
    let header: usize = message.headers.iter().map(|header| header.line.len()).sum();
    (header + 1 + message.stray.len() + message.body.len()) as u64
}

/// The header of a message that has come, as it came.
pub(super) fn header(bytes: &[u8]) -> &[u8] {
    let ends = [b"\r\n\r\n".as_slice(), b"\n\n"];
    let found = ends.iter().filter_map(|end| {
        let at = bytes.windows(end.len()).position(|window| window == *end)?;
        Some(at + end.len())
    });
    &bytes[..found.min().unwrap_or(bytes.len())]
}

/// Whether the blank line is there that ends the header.
pub(super) fn has_blank_line(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\r\n")
        || bytes.starts_with(b"\n")
        || bytes.windows(2).any(|pair| pair == b"\n\n")
        || bytes.windows(4).any(|four| four == b"\r\n\r\n")
}

/// How long the longest line is, without its end.
pub(super) fn longest_line(bytes: &[u8]) -> usize {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line).len()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Option<(Vec<u8>, usize)> {
        let mut reading = Reading::new(0);
        let mut at = 0;
        while at < input.len() {
            let (count, ended) = reading.take(&input[at..]);
            at += count;
            if ended {
                return Some((reading.bytes, at));
            }
            if count == 0 {
                break;
            }
        }
        None
    }

    #[test]
    fn cve_2023_51766_only_a_dot_between_whole_line_ends_ends_a_message() {
        let end = b"a: b\r\n\r\nx\r\n.\r\n";
        assert_eq!(read(end), Some((b"a: b\r\n\r\nx\r\n".to_vec(), end.len())));
        for inner in [
            b"\n.\n".as_slice(),
            b"\n.\r\n",
            b"\r\n.\n",
            b"\r.\r",
            b"\r\n.\r",
            b"\n.\r",
            b"\r.\r\n",
            b"\r.\n",
            b"\r\n\0.\r\n",
            b"\r\n.\0\r\n",
        ] {
            let text = [b"a: b\r\n\r\nx", inner, b"MAIL FROM:<a@b>\r\n.\r\n"].concat();
            assert_eq!(read(&text).map(|(_, at)| at), Some(text.len()), "{inner:?}");
        }
    }

    #[test]
    fn the_end_is_found_however_the_bytes_come() {
        // A dot behind a bare newline is text, however the first line came.
        let text = b"a: b\r\n\r\nlong enough\n.\nx\r\n.\r\n";
        for limit in [0, 3] {
            let mut reading = Reading::new(limit);
            let (mut pending, mut ended) = (Vec::new(), false);
            for byte in text {
                assert!(!ended);
                pending.push(*byte);
                let (count, last) = reading.take(&pending);
                pending.drain(..count);
                ended = last;
            }
            assert!(ended && pending.is_empty(), "{limit}");
            assert_eq!(reading.is_too_large(), limit == 3);
        }
    }

    #[test]
    fn dots_are_taken_off() {
        let (bytes, _) = read(b"a: b\r\n\r\n..\r\n.x\r\n.\r\n").unwrap();
        assert_eq!(bytes, b"a: b\r\n\r\n.\r\nx\r\n");
        assert_eq!(read(b"a: b\n.\n"), Some((b"a: b\n".to_vec(), 7)));
        assert_eq!(read(b".\r\n"), Some((Vec::new(), 3)));
        assert_eq!(read(b"a: b\r\n."), None);
    }
}
