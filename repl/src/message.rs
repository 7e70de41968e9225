//! `-bem`: a message, read as if it had been submitted here.

mod header;

use eximious::stdlib::address::{self, Rules};
use eximious::{Message, Str};

use crate::options::Options;
use crate::session::{Refusal, Session};

/// How large a message may be.
const LARGEST: u64 = 256 << 20;

/// Reads a message from a file, and gives the session its values. Returns what
/// is to be said of it.
pub fn load(session: &mut Session, file: &[u8], options: &Options) -> Result<Vec<u8>, Refusal> {
    let bytes = session.engine().world().files.read(file, LARGEST).map_err(|why| {
        let why = why.to_string();
        let why = why.split(" (os error").next().unwrap_or_default();
        Refusal::Said([b"exim: failed to open ", file, b": ", why.as_bytes()].concat())
    })?;
    let mut said = Vec::new();
    let mut read = Received::read(&bytes, options.dot_is_text, |line| from_line(session, line));
    if let Some(sender) = read.sender.take()
        && options.sender.is_none()
    {
        let sender = qualified(&sender, &session.domain());
        session.set(b"sender_address", Str::tainted(sender));
        said.extend_from_slice(b"Sender taken from \"From \" line\n");
    }
    let mut message = read.message;
    if message.headers.is_empty() {
        said.extend_from_slice(b"Warning: no message headers read\n");
    }
    let received = message.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(b"received"));
    let received = received.count() + 1;
    if header::drop_trace(&mut message) {
        said.extend_from_slice(b"Return-path taken from \"Return-path:\" header line\n");
    }
    let recipients = if options.recipients_in_header {
        header::take_recipients(&mut message)
    } else {
        Vec::new()
    };
    header::qualify(&mut message, session);
    header::complete(&mut message, session, options);
    for (name, value) in [
        ("body_linecount", read.body_lines),
        ("body_zerocount", read.zeros),
        ("max_received_linelength", read.longest),
        ("message_linecount", read.lines),
        ("received_count", received),
        ("recipients_count", recipients.len()),
    ] {
        session.set(name.as_bytes(), Str::from(value.to_string()));
    }
    session.set(b"recipients", Str::tainted(recipients.join(&b", "[..])));
    let now = session.engine().world().clock.now().seconds;
    session.set(b"received_time", Str::from(now.to_string()));
    session.context().set_message(Some(message));
    Ok(said)
}

/// A message as it was read, before anything is added to it.
struct Received {
    message: Message,
    /// From a "From " line in front.
    sender: Option<Vec<u8>>,
    lines: usize,
    body_lines: usize,
    /// The length of the longest line, without its end.
    longest: usize,
    /// Zero bytes in the body.
    zeros: usize,
}

impl Received {
    /// Reads the header as far as it is one, and the body up to a line of one
    /// dot. The line after the header goes, whatever it is.
    fn read(
        bytes: &[u8],
        dot_is_text: bool,
        mut from_line: impl FnMut(&[u8]) -> Option<Vec<u8>>,
    ) -> Self {
        let (mut text, mut size) = (Vec::with_capacity(bytes.len() + 2), 0);
        let (mut sender, mut lines, mut body_lines) = (None, 0, 0);
        let (mut longest, mut in_body, mut in_header) = (0, false, false);
        for line in bytes.split_inclusive(|c| *c == b'\n') {
            let bare = line.strip_suffix(b"\n").unwrap_or(line);
            if bare == b"." && !dot_is_text {
                break;
            }
            lines += 1;
            longest = longest.max(bare.len());
            let bare_of_cr = bare.strip_suffix(b"\r").unwrap_or(bare);
            if in_body {
                body_lines += 1;
                text.extend_from_slice(bare_of_cr);
                text.extend_from_slice(&line[bare.len()..]);
                size += bare_of_cr.len() + line.len() - bare.len();
                continue;
            }
            // A header line always gets an end.
            size += bare.len() + 1;
            if lines == 1
                && let Some(found) = from_line(bare)
            {
                sender = Some(found);
                continue;
            }
            let goes_on = in_header && bare.starts_with(b" ") || bare.starts_with(b"\t");
            if !bare_of_cr.is_empty() && (header::name(bare).is_some() || goes_on) {
                in_header = true;
                text.extend_from_slice(bare_of_cr);
            } else {
                in_body = true;
            }
            text.push(b'\n');
        }
        if !in_body {
            text.push(b'\n');
            if !in_header && sender.is_none() {
                // Even nothing counts as the empty line after the header.
                (size, lines) = (size.max(1), lines.max(1));
            }
        }
        let mut message = header::parse(&text);
        message.size = size as u64;
        let zeros = message.body.iter().filter(|c| **c == 0).count();
        Self { message, sender, lines, body_lines, longest, zeros }
    }
}

/// The sender in a line that UUCP and mailboxes put in front of a message:
/// Exim's default `uucp_from_pattern`.
fn from_line(session: &mut Session, line: &[u8]) -> Option<Vec<u8>> {
    if !line.starts_with(b"From ") {
        return None;
    }
    session.context().set_numeric(&[Str::tainted(line)]);
    let found = session.expand(
        br"${if match{$0}{\N^From\s+(\S+)\s+(?:[a-zA-Z]{3},?\s+)?(?:[a-zA-Z]{3}\s+\d?\d|\d?\d\s+[a-zA-Z]{3}\s+\d\d(?:\d\d)?)\s+\d\d?:\d\d?\N}{$1}}",
    );
    session.context().set_numeric(&[]);
    found.ok().filter(|sender| !sender.is_empty()).map(|sender| sender.bytes().to_vec())
}

/// An address with a domain, where it has none.
fn qualified(typed: &[u8], domain: &[u8]) -> Vec<u8> {
    match address::parse(typed, Rules { null: true, ..Rules::default() }) {
        Ok(address) if address.domain.is_none() && !address.text.is_empty() => {
            [&address.text, b"@".as_slice(), domain].concat()
        }
        Ok(address) => address.text,
        Err(_) => typed.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Received {
        Received::read(text, false, |_| None)
    }

    #[test]
    fn lines_and_bytes_are_counted_as_exim_does() {
        for (text, size, lines, body_lines, longest) in [
            (&b"Subject: x\n\nbody\n"[..], 17, 3, 1, 10),
            (b"Subject: x\n\nbody", 16, 3, 1, 10),
            (b"Subject: x", 11, 1, 0, 10),
            (b"Subject: x\n\n", 12, 2, 0, 10),
            (b"Subject: x\n\na\n.\nb\n", 14, 3, 1, 10),
            (b"Subject: a\n.\nb: c\n", 11, 1, 0, 10),
            (b"", 1, 1, 0, 0),
            (b"\n", 1, 1, 0, 0),
            (b"\nbody\n", 6, 2, 1, 4),
            (b"no header\nx: y\n\nbody\n", 21, 4, 3, 9),
        ] {
            let read = read(text);
            let counted = (read.message.size, read.lines, read.body_lines);
            assert_eq!(counted, (size, lines, body_lines), "{}", text.escape_ascii());
            assert_eq!(read.longest, longest, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_header_line_ends_the_header() {
        let message = read(b"Subject: x\n y\nno header\nx: y\n").message;
        assert_eq!(message.headers.len(), 1);
        assert_eq!(message.headers[0].line, b"Subject: x\n y\n");
        assert_eq!(message.body, b"x: y\n");
    }
}
