//! The bytes of a message, and what they mean (specification 48.2).

use eximious::stdlib::message::{End, HeaderEnd, header_end, header_text, parse_ends};
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
        if end.stray.is_empty() { Self::Blank } else { Self::Stray }
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

/// How the body of a message comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Coming {
    /// By DATA.
    Lines,
    /// By BDAT.
    Chunks,
    /// By BDAT, and it is kept as it came.
    Wire,
    /// From a program.
    Program,
}

/// Reads a message. A line `From …` before the header is none of it only where such
/// lines are dropped.
pub fn parse(bytes: &[u8], from: Way, drops_from: bool, cx: &mut Context) -> Parsed {
    let coming = match from {
        Way::Smtp => Coming::Lines,
        Way::Program => Coming::Program,
    };
    parse_coming(bytes, coming, drops_from, cx)
}

/// The same, as its body comes.
pub(crate) fn parse_coming(
    bytes: &[u8],
    coming: Coming,
    drops_from: bool,
    cx: &mut Context,
) -> Parsed {
    if bytes.is_empty() && coming != Coming::Program {
        return Parsed { message: Message::default(), senders: Vec::new(), blank: false, stray: 0 };
    }
    let mut sender = |line: &[u8]| match drops_from {
        true => sender_in_line(cx, line),
        false => None,
    };
    let (mut message, senders, ended) = parse_ends(bytes, End::Input, &mut sender);
    let body = std::mem::take(&mut message.body).into_bytes().unwrap_or_default();
    let head = message.size - body.len() as u64 - message.stray.len() as u64;
    let (mut body, longest) = match coming {
        Coming::Lines => Newlines::new(ended.crlf).all(&body),
        Coming::Chunks => Newlines::of_chunks(ended.crlf).all(&body),
        Coming::Wire => {
            // Nobody looks at that.
            message.body_zeros -= zeros(&body);
            (body, 0)
        }
        Coming::Program => {
            // In a header, the reader did that.
            let body = without_returns(&body);
            message.stray = without_returns(&message.stray);
            let longest = longest_line(&body);
            (body, longest)
        }
    };
    message.longest_line = message.longest_line.max(longest);
    // Here, whatever is no header line belongs to the body.
    let stray = std::mem::take(&mut message.stray);
    let (has_stray, stray_size) = (!stray.is_empty(), stray.len() as u64);
    let header_lines = message.lines - message.body_lines;
    // The last line ends, too.
    if coming != Coming::Wire && body.last().is_some_and(|byte| *byte != b'\n') {
        body.push(b'\n');
    }
    let lines = if coming == Coming::Wire { 0 } else { newlines(&body) };
    // With all that continues it, what ended the header is one line of the body.
    message.body_lines = lines + u64::from(has_stray);
    // Its lines were counted with the header's, and count again where more comes.
    let has_more = coming != Coming::Program || !has_stray || message.body_lines > 1;
    message.lines = header_lines + if has_more { message.body_lines } else { 0 };
    body.splice(..0, stray);
    message.size = head + body.len() as u64;
    message.body = body.into();
    Parsed { message, senders, blank: ended.blank, stray: stray_size }
}

/// How the body begins of a message of which so much is there, if it has begun.
pub(crate) fn body_begun(bytes: &[u8], drops_from: bool, cx: &mut Context) -> Option<BodyBegun> {
    end_of_header(bytes, drops_from, cx).map(|end| BodyBegun::of(&end))
}

/// Where the header ends of a message of which so much is there, if that can be told.
pub(crate) fn end_of_header(bytes: &[u8], drops_from: bool, cx: &mut Context) -> Option<HeaderEnd> {
    header_end(bytes, &mut |line| drops_from && sender_in_line(cx, line).is_some())
}

/// How many lines the header has of a message of which so much is there, with what ended it.
pub(crate) fn header_lines(bytes: &[u8], drops_from: bool, cx: &mut Context) -> u64 {
    newlines(&header_so_far(bytes, drops_from, cx).0)
}

/// The lines of that, and where they end.
pub(super) fn header_so_far(
    bytes: &[u8],
    drops_from: bool,
    cx: &mut Context,
) -> (Vec<u8>, Option<HeaderEnd>) {
    header_text(bytes, &mut |line| drops_from && sender_in_line(cx, line).is_some())
}

/// How large a message is of which so much is there, in the lines that are kept of it.
pub(crate) fn size_so_far(bytes: &[u8], drops_from: bool, cx: &mut Context) -> u64 {
    let (mut text, end) = header_so_far(bytes, drops_from, cx);
    if let Some(end) = end {
        let mut ends = Newlines::new(end.crlf);
        ends.push(&bytes[end.at..], &mut text);
        ends.finish(&mut text);
    }
    text.len() as u64
}

/// How large a message is, with the line between header and body.
pub fn size(message: &Message) -> u64 {
    let header: usize = message.headers.iter().map(|header| header.line.len()).sum();
    (header + 1 + message.stray.len()) as u64 + message.body.len()
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

fn zeros(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(0, bytes).count() as u64
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
