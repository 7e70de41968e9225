//! What has come in and was not yet looked at.

/// How long a command may be, its end included.
pub(super) const LONGEST: usize = 16 * 1024 + 1;

/// The bytes that wait.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    at: usize,
    /// Whether nothing more will come.
    pub(super) ended: bool,
}

/// What stands at the head of the input, where a command is expected.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A command, without its end.
    Line(Vec<u8>),
    /// Its end is not there yet.
    More,
    /// As much of a line as a command may have, which goes on.
    TooLong(Vec<u8>),
    /// There is nothing, and nothing will come.
    End,
}

impl Input {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    pub(super) fn take(&mut self, count: usize) {
        self.at = self.bytes.len().min(self.at + count);
    }

    /// Forgets what is there.
    pub(super) fn clear(&mut self) {
        self.at = self.bytes.len();
    }

    /// The next command: it ends at a newline.
    pub(super) fn line(&mut self) -> Next {
        let rest = self.rest();
        match memchr::memchr(b'\n', rest) {
            Some(end) if end < LONGEST => {
                let line = rest[..end].to_vec();
                self.take(end + 1);
                Next::Line(line)
            }
            end if end.is_some() || rest.len() >= LONGEST => {
                let head = rest[..LONGEST].to_vec();
                self.take(LONGEST);
                Next::TooLong(head)
            }
            _ if !self.ended => Next::More,
            _ => {
                // A line without an end is no command.
                self.clear();
                Next::End
            }
        }
    }
}
