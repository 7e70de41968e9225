//! Reads a message from bytes, as Exim reads one from a local program.
//!
//! Every input is a message; what can't be a header is body. Lines end in a
//! newline, with or without a carriage return before it. Where the first header
//! line has the carriage return, a newline without one is no end of a header
//! line; and a carriage return alone never is. What such a line goes on with is
//! a continuation.

use eximious_core::{Header, Message, Str, Var};

use crate::address::is_space;
use crate::lists::Joiner;
use crate::number::decimal;
use crate::variables::var;

/// Where a message ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum End {
    /// Where the bytes end (`-i`).
    #[default]
    Input,
    /// There, or at a line with nothing but a dot (`-bem FILE` without `-i`).
    Dot,
}

/// Reads a message.
pub fn parse(bytes: &[u8]) -> Message {
    parse_until(bytes, End::Input).0
}

/// Reads a message up to its end. The second value holds the senders that lines
/// `From SENDER DATE` before the header name; of several, the last counts.
pub fn parse_until(bytes: &[u8], end: End) -> (Message, Vec<Vec<u8>>) {
    parse_with(bytes, end, &mut |line| envelope_sender(line).map(<[u8]>::to_vec))
}

/// The same, where somebody else says which lines before the header name a sender,
/// and which sender that is.
pub fn parse_with(
    bytes: &[u8],
    end: End,
    sender: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
) -> (Message, Vec<Vec<u8>>) {
    let (message, senders, _) = parse_ends(bytes, end, sender);
    (message, senders)
}

/// How the lines of a message's header ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinesEnded {
    /// Whether the first did with CRLF.
    pub crlf: bool,
    /// Whether a blank line stood behind them.
    pub blank: bool,
}

/// The same, and how the lines of the header ended.
pub fn parse_ends(
    bytes: &[u8],
    end: End,
    sender: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
) -> (Message, Vec<Vec<u8>>, LinesEnded) {
    let mut blank = false;
    let mut reader = Reader::new(bytes, end);
    let mut message = Message::default();
    let mut senders = Vec::new();
    let rest = loop {
        match reader.field() {
            Field::Done => break false,
            Field::Blank => {
                message.size += 1;
                blank = true;
                break true;
            }
            Field::Line(mut line) => {
                if is_header(&line) {
                    drop_blank_end(&mut line);
                }
                message.size += line.len() as u64;
                if message.headers.is_empty()
                    && let Some(from) = sender(&line)
                {
                    senders.push(from);
                } else if is_header(&line) {
                    message.headers.push(Header::new(without_zeros(line)));
                } else {
                    // Exim does not look for zero bytes behind white space.
                    if !line.first().is_some_and(|c| is_space(*c)) {
                        message.body_zeros += zeros(&line);
                    }
                    message.stray = line;
                    break true;
                }
            }
        }
    };
    if rest {
        reader.body(&mut message);
    }
    message.lines = reader.lines + message.body_lines;
    message.longest_line = reader.longest;
    message.size += message.body.len();
    (message, senders, LinesEnded { crlf: reader.crlf == Some(true), blank })
}

/// Where the header of a message ends, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderEnd {
    /// How many bytes stand before the rest of the body: the header with the blank line,
    /// or with the line that ended it without being one of it.
    pub at: usize,
    /// That line, with its continuations: it is text of the body. Its lines end in newlines.
    pub stray: Vec<u8>,
    /// Whether a newline alone, where the header's lines end in CRLF, was the blank line: the
    /// rest of the body has a space before it then.
    pub space: bool,
    /// Whether the first line ended in CRLF.
    pub crlf: bool,
}

/// Where the header ends in the beginning of a message, if that can be told already. `sender`
/// says which lines before the header name a sender.
pub fn header_end(bytes: &[u8], sender: &mut dyn FnMut(&[u8]) -> bool) -> Option<HeaderEnd> {
    let end = walk(bytes, sender, &mut |_| {});
    // What comes next may continue the line.
    end.filter(|end| end.stray.is_empty() || end.at < bytes.len())
}

/// The header of what is there of a message, with what ended it, in lines that end in newlines,
/// the last one only if it came to its end; and where it ends.
pub fn header_text(
    bytes: &[u8],
    sender: &mut dyn FnMut(&[u8]) -> bool,
) -> (Vec<u8>, Option<HeaderEnd>) {
    let mut text = Vec::new();
    let end = walk(bytes, sender, &mut |line| text.extend_from_slice(line));
    if !bytes.ends_with(b"\n") && end.as_ref().is_none_or(|end| end.at == bytes.len()) {
        text.pop();
    }
    (text, end)
}

/// Goes through the lines of a header, with their continuations, to its end, if that is there.
fn walk(
    bytes: &[u8],
    sender: &mut dyn FnMut(&[u8]) -> bool,
    each: &mut dyn FnMut(&[u8]),
) -> Option<HeaderEnd> {
    let mut reader = Reader::new(bytes, End::Input);
    let mut begun = false;
    if bytes.is_empty() {
        return None;
    }
    loop {
        let stray = match reader.field() {
            Field::Done => return None,
            Field::Blank => {
                each(b"\n");
                Vec::new()
            }
            Field::Line(mut line) => {
                each(&line);
                if is_header(&line) {
                    drop_blank_end(&mut line);
                }
                if !begun && sender(&line) {
                    continue;
                }
                if is_header(&line) {
                    begun = true;
                    continue;
                }
                line
            }
        };
        let crlf = reader.crlf == Some(true);
        return Some(HeaderEnd { at: reader.at, stray, space: reader.space, crlf });
    }
}

/// What a message says through variables that hold their own values.
pub fn values(message: &Message) -> [(Var, Str); 6] {
    let [shown, list] = shown_recipients(message.recipients.iter().map(Str::bytes));
    [
        (var::MAX_RECEIVED_LINELENGTH, decimal(message.longest_line)),
        (var::RECEIVED_TIME, decimal(message.received)),
        shown,
        (var::RECIPIENTS_COUNT, decimal(message.recipients.len())),
        list,
        (var::RETURN_PATH, message.return_path.clone()),
    ]
}

/// Who gets a message: as it is shown, and as a list.
pub fn shown_recipients<'r>(recipients: impl Iterator<Item = &'r [u8]>) -> [(Var, Str); 2] {
    let mut recipients = recipients.peekable();
    if recipients.peek().is_none() {
        return [(var::RECIPIENTS, Str::EMPTY), (var::RECIPIENTS_LIST, Str::EMPTY)];
    }
    let mut list = Joiner::new(b':');
    let mut shown = Vec::new();
    for recipient in recipients {
        list.push(recipient);
        if !shown.is_empty() {
            shown.extend_from_slice(b", ");
        }
        shown.extend_from_slice(recipient);
    }
    let outside = |text: Str| if text.is_empty() { Str::EMPTY } else { Str::tainted(text) };
    [(var::RECIPIENTS, outside(Str::from(shown))), (var::RECIPIENTS_LIST, outside(list.finish()))]
}

/// What stands at a place before the body.
enum Field {
    /// A header line with its continuations and last newline, or something else
    /// that is not blank.
    Line(Vec<u8>),
    /// A blank line.
    Blank,
    /// The end of the message.
    Done,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether a space comes before the next byte.
    space: bool,
    /// Whether the first line ended in a carriage return and a newline, once it
    /// has been read.
    crlf: Option<bool>,
    end: End,
    lines: u64,
    longest: u64,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], end: End) -> Self {
        Self { bytes, at: 0, space: false, crlf: None, end, lines: 0, longest: 0 }
    }

    fn byte(&mut self) -> Option<u8> {
        if std::mem::take(&mut self.space) {
            return Some(b' ');
        }
        let byte = self.bytes.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    fn peek(&self) -> Option<u8> {
        if self.space { Some(b' ') } else { self.bytes.get(self.at).copied() }
    }

    /// The next header line with its continuations, or what stands there
    /// instead.
    fn field(&mut self) -> Field {
        if self.peek().is_none() && self.crlf.is_some() {
            return Field::Done;
        }
        let mut text = Vec::new();
        loop {
            let start = text.len();
            let more = self.line(&mut text);
            if self.end == End::Dot && text[start..] == *b".\n" && start == 0 && more {
                return Field::Done;
            }
            self.lines += 1;
            self.longest = self.longest.max((text.len() - start) as u64 - 1);
            if text == b"\n" {
                return Field::Blank;
            }
            if !matches!(self.peek(), Some(b' ' | b'\t')) {
                return Field::Line(text);
            }
        }
    }

    /// A line with its newline, which is added where the input ends; false
    /// where it does.
    fn line(&mut self, text: &mut Vec<u8>) -> bool {
        loop {
            match self.byte() {
                None => {
                    self.crlf.get_or_insert(false);
                    text.push(b'\n');
                    return false;
                }
                Some(b'\n') => {
                    // The line goes on, and a blank one is blank.
                    self.space = *self.crlf.get_or_insert(false);
                    text.push(b'\n');
                    return true;
                }
                Some(b'\r') if !self.space && self.peek() == Some(b'\n') => {
                    self.at += 1;
                    self.crlf.get_or_insert(true);
                    text.push(b'\n');
                    return true;
                }
                Some(b'\r') => text.extend_from_slice(b"\n "),
                Some(byte) => {
                    text.push(byte);
                    let rest = &self.bytes[self.at..];
                    let plain = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                    text.extend_from_slice(&rest[..plain]);
                    self.at += plain;
                }
            }
        }
    }

    /// Takes the rest as the body.
    fn body(&mut self, message: &mut Message) {
        let mut body = Vec::with_capacity(self.bytes.len() - self.at + 1);
        if self.space {
            body.push(b' ');
        }
        body.extend_from_slice(&self.bytes[self.at..]);
        let dot = if self.end == End::Dot { last_dot(&body) } else { None };
        if let Some(dot) = dot {
            body.truncate(dot);
        }
        message.body_lines = match self.end {
            End::Input => newlines(&body) + u64::from(body.last().is_some_and(|c| *c != b'\n')),
            // Exim counts so where it looks for a dot: lines with something in
            // them, and the dot if it is the first of all.
            End::Dot => {
                let filled = body.split(|c| *c == b'\n').filter(|line| !line.is_empty());
                filled.count() as u64 + u64::from(dot == Some(0))
            }
        };
        message.body_zeros += zeros(&body);
        message.body = body.into();
    }
}

/// Where a line begins that holds nothing but a dot.
fn last_dot(body: &[u8]) -> Option<usize> {
    let mut start = 0;
    for line in body.split(|c| *c == b'\n') {
        if line == b"." {
            return Some(start);
        }
        start += line.len() + 1;
    }
    None
}

fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// Drops continuations at the end that have only white space.
fn drop_blank_end(line: &mut Vec<u8>) {
    while let Some(inner) = line.strip_suffix(b"\n")
        && let Some(start) = memchr::memrchr(b'\n', inner)
        && inner[start..].iter().all(|c| matches!(c, b'\n' | b' ' | b'\t'))
    {
        line.truncate(start + 1);
    }
}

fn zeros(text: &[u8]) -> u64 {
    memchr::memchr_iter(0, text).count() as u64
}

fn without_zeros(mut line: Vec<u8>) -> Vec<u8> {
    line.iter_mut().filter(|c| **c == 0).for_each(|c| *c = b'?');
    line
}

/// Whether a line has a name of visible characters, perhaps white space, and a
/// colon. The name may be empty if nothing stands before the colon.
fn is_header(line: &[u8]) -> bool {
    let visible = |c: &u8| *c > b' ' && *c != 0x7f && *c != b':';
    let name = line.iter().take_while(|c| visible(c)).count();
    let space = line[name..].iter().take_while(|c| is_space(**c)).count();
    line.get(name + space) == Some(&b':') && (name > 0 || space == 0)
}

/// The sender in a line `From SENDER DATE`, as mailboxes and UUCP have it: the
/// default of the option `uucp_from_pattern`.
pub fn envelope_sender(line: &[u8]) -> Option<&[u8]> {
    let rest = spaces(line.strip_prefix(b"From")?)?;
    let length = rest.iter().position(|c| is_space(*c))?;
    let sender = &rest[..length];
    let date = spaces(&rest[length..])?;
    let weekday = letters(date).and_then(|r| spaces(r.strip_prefix(b",").unwrap_or(r)));
    let found = is_date(date) || weekday.is_some_and(is_date);
    (found && !sender.is_empty()).then_some(sender)
}

/// `Jan 5 12:35` or `7 Jan 97 14:00`.
fn is_date(text: &[u8]) -> bool {
    let month_first = || spaces(digits(spaces(letters(text)?)?, 1, 2)?);
    let day_first = || {
        let rest = spaces(letters(spaces(digits(text, 1, 2)?)?)?)?;
        let year = digits(rest, 2, 2)?;
        spaces(digits(year, 2, 2).unwrap_or(year))
    };
    let time = month_first().or_else(day_first);
    time.and_then(|time| digits(digits(time, 1, 2)?.strip_prefix(b":")?, 1, 2)).is_some()
}

/// Passes white space, of which there must be some.
fn spaces(text: &[u8]) -> Option<&[u8]> {
    match text.iter().position(|c| !is_space(*c)) {
        Some(0) | None => None,
        Some(length) => Some(&text[length..]),
    }
}

/// Passes three letters.
fn letters(text: &[u8]) -> Option<&[u8]> {
    let (letters, rest) = text.split_at_checked(3)?;
    letters.iter().all(u8::is_ascii_alphabetic).then_some(rest)
}

/// Passes digits, as many as there are of those that may be there.
fn digits(text: &[u8], least: usize, most: usize) -> Option<&[u8]> {
    let count = text.iter().take(most).take_while(|c| c.is_ascii_digit()).count();
    (count >= least).then(|| &text[count..])
}

#[cfg(test)]
mod tests {
    use eximious_core::Body;

    use super::*;

    fn shown(text: &[u8], end: End) -> (String, String, [u64; 4]) {
        let (message, _) = parse_until(text, end);
        let header: Vec<u8> = message.headers.iter().flat_map(|h| h.line.clone()).collect();
        (
            String::from_utf8_lossy(&header).into_owned(),
            String::from_utf8_lossy(message.body.in_memory().unwrap_or_default()).into_owned(),
            [message.size, message.lines, message.body_lines, message.longest_line],
        )
    }

    #[test]
    fn recipients_are_shown_and_a_list() {
        let shown = |all: &[&[u8]]| shown_recipients(all.iter().copied()).map(|(_, text)| text);
        let [text, list] = shown(&[b"a@x", b"\"b:c\"@x"]);
        assert_eq!(text.bytes(), b"a@x, \"b:c\"@x");
        assert_eq!(list.bytes(), b"a@x:\"b::c\"@x");
        assert!(text.taint().is_tainted() && list.taint().is_tainted());
        assert_eq!(shown(&[]), [Str::EMPTY, Str::EMPTY]);
    }

    #[test]
    fn a_dot_ends_a_message_only_on_request() {
        let text = b"X: y\n\na\n\n.\nb\n";
        let all = ("X: y\n".into(), "a\n\n.\nb\n".into(), [13, 6, 4, 4]);
        assert_eq!(shown(text, End::Input), all);
        let first = ("X: y\n".into(), "a\n\n".into(), [9, 3, 1, 4]);
        assert_eq!(shown(text, End::Dot), first);
    }

    #[test]
    fn a_header_needs_no_end() {
        for (text, numbers) in [
            (&b""[..], [1, 1, 0, 0]),
            (b"X: y", [5, 1, 0, 4]),
            (b"X: y\n", [5, 1, 0, 4]),
            (b"X: y\n\n", [6, 2, 0, 4]),
            (b"X: y\n  \n\n", [6, 3, 0, 4]),
        ] {
            assert_eq!(shown(text, End::Input).2, numbers, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_header_line_is_kept_apart() {
        let message = parse(b"X: y\nno header line\nbody\n");
        assert_eq!(message.headers, [Header::new("X: y\n")]);
        assert_eq!(message.stray, b"no header line\n");
        assert_eq!(message.body, Body::from("body\n"));
        assert_eq!(message.size, 25);
    }

    #[test]
    fn the_line_of_a_mailbox_names_the_sender() {
        for (line, sender) in [
            ("From a@b Fri Jan  5 12:35 GMT 1996", Some("a@b")),
            ("From a@b Fri, 7 Jan 97 14:00:00 GMT", Some("a@b")),
            ("From\ta\t 7 Jan 1997 4:00", Some("a")),
            ("From <> Jan 5 1:2", Some("<>")),
            ("From a@b Friday Jan 5 12:35", None),
            ("From a@b 7 Jan 197 14:00", None),
            ("From a@b", None),
            ("from a@b Jan 5 1:2", None),
        ] {
            let text = format!("{line}\nX: y\n\n");
            let (message, senders) = parse_until(text.as_bytes(), End::Input);
            assert_eq!(senders.first().map(|s| String::from_utf8_lossy(s)).as_deref(), sender);
            assert_eq!(message.headers.len(), usize::from(sender.is_some()), "{line}");
        }
    }
}
