//! The bytes of a message, and what they mean (specification 48.2).

use eximious::stdlib::message::{End, parse_with};
use eximious::{Context, Message};

use super::envelope::sender_in_line;

/// A message that came in.
#[derive(Debug)]
pub struct Parsed {
    /// It, without its envelope.
    pub message: Message,
    /// The senders that lines `From …` before the header name.
    pub senders: Vec<Vec<u8>>,
    /// Whether a line that is no header line ended the header.
    pub stray: bool,
}

/// Reads a message. A line `From …` before the header is none of
/// it only where such lines are dropped.
pub fn parse(bytes: &[u8], drops_from: bool, cx: &mut Context) -> Parsed {
    let mut sender = |line: &[u8]| match drops_from {
        true => sender_in_line(cx, line),
        false => None,
    };
    let (mut message, senders) = parse_with(bytes, End::Input, &mut sender);
    message.body = without_returns(&message.body);
    // Here, whatever is no header line belongs to the body.
    let stray = std::mem::take(&mut message.stray);
    let has_stray = !stray.is_empty();
    if has_stray {
        message.body.splice(..0, without_returns(&stray));
        message.body_lines += 1;
        message.lines += 1;
    }
    let lines = memchr::memchr_iter(b'\n', &message.body).count() as u64;
    message.lines = message.lines + lines - lines.min(message.body_lines);
    message.body_lines = lines;
    message.longest_line = longest_line(bytes) as u64;
    Parsed { message, senders, stray: has_stray }
}

/// Lines that end in a newline alone; what ended in a carriage return alone, too. The
/// last line ends as well.
fn without_returns(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.peek() == Some(&b'\n') => {}
            b'\r' => out.push(b'\n'),
            byte => out.push(byte),
        }
    }
    if out.last().is_some_and(|byte| *byte != b'\n') {
        out.push(b'\n');
    }
    out
}

/// How large a message is, with the line between header and body.
pub fn size(message: &Message) -> u64 {
    let header: usize = message.headers.iter().map(|header| header.line.len()).sum();
    (header + 1 + message.stray.len() + message.body.len()) as u64
}

/// How long the longest line is, without its end.
fn longest_line(bytes: &[u8]) -> usize {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line).len()).max().unwrap_or(0)
}
