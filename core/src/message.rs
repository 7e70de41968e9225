//! A message, as expansions see it.

use crate::Str;

/// One header line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The name, without the colon.
    pub name: Vec<u8>,
    /// The whole line, name included, with inner newlines and the last one.
    pub line: Vec<u8>,
}

impl Header {
    /// What stands after the colon, as received, last newline included.
    pub fn value(&self) -> &[u8] {
        let colon = self.line.iter().position(|c| *c == b':').map_or(self.line.len(), |n| n + 1);
        &self.line[colon..]
    }
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// The header lines, in order.
    pub headers: Vec<Header>,
    /// The body, newlines as `\n`.
    pub body: Vec<u8>,
    /// Size of header and body in bytes, as `$message_size` gives it.
    pub size: u64,
    /// The envelope's sender.
    pub sender: Str,
}
