//! A message, as expansions see it.

use crate::{Body, Str};

/// One header line.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub struct Header {
    /// The name, without the colon.
    pub name: Vec<u8>,
    /// The whole line, name included, with inner newlines and the last one.
    pub line: Vec<u8>,
}

impl std::fmt::Display for Header {
    /// The whole line, without its last newline.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        f.write_str(&String::from_utf8_lossy(line))
    }
}

impl AsRef<[u8]> for Header {
    /// The whole line.
    fn as_ref(&self) -> &[u8] {
        &self.line
    }
}

impl Header {
    /// A header line, whose name ends at its first colon.
    pub fn new(line: impl Into<Vec<u8>>) -> Self {
        let line = line.into();
        let colon = line.iter().position(|c| *c == b':').unwrap_or(line.len());
        Self { name: line[..colon].to_vec(), line }
    }

    /// What stands after the colon, as received, last newline included.
    pub fn value(&self) -> &[u8] {
        self.line.get(self.name.len() + 1..).unwrap_or_default()
    }

    /// Whether this line has a name; case does not matter.
    pub fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Message {
    /// The header lines, in order.
    pub headers: Vec<Header>,
    /// A line that is not a header line and ended the header without a blank
    /// one. The variables of the body pass it over, as Exim's do.
    pub stray: Vec<u8>,
    /// The body, newlines as `\n`.
    pub body: Body,
    /// Size of header and body in bytes, as `$message_size` gives it.
    pub size: u64,
    /// Lines of header and body, as `$message_linecount` gives them.
    pub lines: u64,
    /// Lines of the body, as `$body_linecount` gives them.
    pub body_lines: u64,
    /// Zero bytes, as `$body_zerocount` gives them.
    pub body_zeros: u64,
    /// The length of the longest line.
    pub longest_line: u64,
    /// The name that this program gave it.
    pub id: Str,
    /// When it was received, in seconds since 1970; 0 where that is not known.
    pub received: i64,
    /// The envelope's sender.
    pub sender: Str,
    /// The envelope's recipients.
    pub recipients: Vec<Str>,
    /// The envelope's sender when it leaves, where that is set already.
    pub return_path: Str,
    /// The attempt to deliver it that is being made.
    pub attempt: DeliveryAttempt,
}

/// What an attempt to deliver a message is like; nothing holds where none is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DeliveryAttempt {
    /// Whether it is the first one (`first_delivery`).
    pub is_first: bool,
    /// Whether somebody has thawed the message (`manually_thawed`).
    pub is_thawed_by_hand: bool,
    /// Whether a run of the queue makes it (`queue_running`).
    pub is_run: bool,
}

impl Message {
    /// A message with a header and a body; nothing is counted, and it has no envelope.
    pub fn new(headers: Vec<Header>, body: impl Into<Body>) -> Self {
        Self { headers, body: body.into(), ..Self::default() }
    }

    /// The header lines with a name; case does not matter.
    pub fn named<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a Header> {
        self.headers.iter().filter(move |header| header.is(name))
    }
}
