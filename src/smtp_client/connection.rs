//! A connection to a server: commands out, replies in.

use std::io;
use std::time::Duration;

use eximious_core::world::Stream;

use super::{Read, Replies, Reply};

/// How much is read at once: no more than a reply may have.
const PIECE: usize = 1024;

/// A connection to a server.
pub struct Connection {
    stream: Box<dyn Stream>,
    replies: Replies,
    timeout: Duration,
}

/// Why there is no reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// It took too long.
    Timeout,
    /// The server closed the connection.
    Closed,
    /// What came is no reply.
    Malformed(Vec<u8>),
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Connection {
    /// A connection over a stream. Each command, and each reply as a whole, may take
    /// so long.
    pub fn new(stream: Box<dyn Stream>, timeout: Duration) -> Self {
        Self { stream, replies: Replies::default(), timeout }
    }

    /// This side's address and port.
    pub fn local_address(&self) -> Option<std::net::SocketAddr> {
        self.stream.local_address()
    }

    /// Gives this much time for each command and each reply from now on.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Gives less time from now on.
    pub fn hurry(&mut self, timeout: Duration) {
        self.timeout = self.timeout.min(timeout);
    }

    /// Sends commands, with all ends of lines.
    ///
    /// # Errors
    /// They could not be sent.
    pub fn send(&mut self, commands: &[u8]) -> Result<(), Trouble> {
        self.stream.set_deadline(self.timeout);
        self.stream.write_all(commands).and_then(|()| self.stream.flush()).map_err(trouble)
    }

    /// Waits for a reply.
    ///
    /// # Errors
    /// There is none.
    pub fn reply(&mut self) -> Result<Reply, Trouble> {
        self.stream.set_deadline(self.timeout);
        let mut piece = [0; PIECE];
        loop {
            match self.replies.next_reply() {
                Read::Reply(reply) => return Ok(reply),
                Read::Malformed(text) => return Err(Trouble::Malformed(text)),
                Read::More => {}
            }
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(Trouble::Closed),
                Ok(count) => self.replies.push(&piece[..count]),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(trouble(why)),
            }
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it stands where errors are turned")]
fn trouble(why: io::Error) -> Trouble {
    match why.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Trouble::Timeout,
        _ => Trouble::Closed,
    }
}
