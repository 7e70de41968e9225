//! The bytes of a message, and what they mean (specification 48.2).

use eximious::stdlib::message::{End, HeaderEnd, header_end, parse_with};
use eximious::{Context, Message};

use super::envelope::sender_in_line;
use super::line_ends::{Newlines, without_returns};

/// A message that came in.
#[derive(Debug)]
pub struct Parsed {
    /// It, without its envelope.
    pub message: Message,
    /// The senders that lines `From …` before the header name.
    pub senders: Vec<Vec<u8>>,
    /// Whether a blank line stood behind the header.
    pub blank: bool,
    /// How long the line was that ended the header and is none of it; its continuations
    /// count, though it is text.
    pub stray: u64,
}

/// What stands between the header of a message and its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BodyBegun {
    /// A blank line.
    Blank,
    /// Nothing: the line that ended the header is text.
    Stray,
}

impl BodyBegun {
    pub(super) fn of(end: &HeaderEnd) -> Self {
        if end.stray > 0 { Self::Stray } else { Self::Blank }
    }
}

/// Which way a message came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Way {
    /// By SMTP, where a line ends in a carriage return and a newline.
    Smtp,
    /// From a program, which may have ideas of its own.
    Program,
}

/// Reads a message. A line `From …` before the header is none of it only where such
/// lines are dropped.
pub fn parse(bytes: &[u8], from: Way, drops_from: bool, cx: &mut Context) -> Parsed {
    let rewritten = (from == Way::Smtp).then(|| Newlines::new(drops_from).all(bytes));
    let bytes = rewritten.as_deref().unwrap_or(bytes);
    let blank = has_blank_line(bytes);
    if bytes.is_empty() && from == Way::Smtp {
        return Parsed { message: Message::default(), senders: Vec::new(), blank, stray: 0 };
    }
    let mut sender = |line: &[u8]| match drops_from {
        true => sender_in_line(cx, line),
        false => None,
    };
    let (mut message, senders) = parse_with(bytes, End::Input, &mut sender);
    let mut body = std::mem::take(&mut message.body).into_bytes().unwrap_or_default();
    let head = message.size - body.len() as u64 - message.stray.len() as u64;
    if from == Way::Program {
        // In a header, the reader did that.
        body = without_returns(&body);
        message.stray = without_returns(&message.stray);
    }
    // Here, whatever is no header line belongs to the body.
    let stray = std::mem::take(&mut message.stray);
    let (has_stray, stray_size) = (!stray.is_empty(), stray.len() as u64);
    let (header_lines, stray_lines) = (message.lines - message.body_lines, newlines(&stray));
    body.splice(..0, stray);
    message.longest_line = match from {
        Way::Smtp => longest_line(bytes),
        // A line of a header is as long as it is with all that continues it.
        Way::Program => message.longest_line.max(longest_line(&body)),
    };
    // The last line ends, too.
    if body.last().is_some_and(|byte| *byte != b'\n') {
        body.push(b'\n');
    }
    let lines = newlines(&body);
    if has_stray {
        // With all that continues it, it is one line of the body.
        message.body_lines = 1 + lines.saturating_sub(stray_lines.max(1));
        // Its lines were counted with the header's, and count again where more comes.
        let has_more = from == Way::Smtp || message.body_lines > 1;
        message.lines = header_lines + if has_more { message.body_lines } else { 0 };
    } else {
        message.lines = message.lines + lines - lines.min(message.body_lines);
        message.body_lines = lines;
    }
    message.size = head + body.len() as u64;
    message.body = body.into();
    Parsed { message, senders, blank: blank && !has_stray, stray: stray_size }
}

/// How the body begins of a message of which so much is there, if it has begun.
pub(crate) fn body_begun(bytes: &[u8], drops_from: bool, cx: &mut Context) -> Option<BodyBegun> {
    match ended_header(bytes, drops_from, cx).1 {
        Some(end) => Some(BodyBegun::of(&end)),
        None => has_blank_line(bytes).then_some(BodyBegun::Blank),
    }
}

/// How many lines the header has of a message of which so much is there, with what ended it.
pub(crate) fn header_lines(bytes: &[u8], drops_from: bool, cx: &mut Context) -> u64 {
    let (text, end) = ended_header(bytes, drops_from, cx);
    newlines(end.and_then(|end| text.get(..end.at)).unwrap_or(&text))
}

/// The text of a message of which so much is there, and where its header ends, if that can be told.
fn ended_header(bytes: &[u8], drops_from: bool, cx: &mut Context) -> (Vec<u8>, Option<HeaderEnd>) {
    let text = Newlines::new(drops_from).all(bytes);
    let mut is_sender = |line: &[u8]| drops_from && sender_in_line(cx, line).is_some();
    let end = header_end(&text, &mut is_sender);
    (text, end)
}

/// Whether the blank line is there that ends the header.
fn has_blank_line(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\r\n")
        || bytes.starts_with(b"\n")
        || bytes.windows(2).any(|pair| pair == b"\n\n")
        || bytes.windows(4).any(|four| four == b"\r\n\r\n")
}

/// How large a message is, with the line between header and body.
pub fn size(message: &Message) -> u64 {
    let header: usize = message.headers.iter().map(|header| header.line.len()).sum();
    (header + 1 + message.stray.len()) as u64 + message.body.len()
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// How long the longest line is, without its end; one that has no end is none.
fn longest_line(bytes: &[u8]) -> u64 {
    let (mut begin, mut longest) = (0, 0);
    for end in memchr::memchr_iter(b'\n', bytes) {
        longest = longest.max(end - begin);
        begin = end + 1;
    }
    longest as u64
}
