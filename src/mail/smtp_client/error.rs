//! What can go wrong with a server.

use eximious_stdlib::printing::printing;

use super::{ConnectionTrouble, Reply, SmtpCommand};

/// A command was not done: which one, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmtpError {
    /// At which command.
    pub command: SmtpCommand,
    /// That command, as it may be shown: `MAIL FROM:<a@b>`, `initial connection`.
    pub said: Vec<u8>,
    /// Why.
    pub cause: Cause,
}

/// Why a command was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The server said something else than yes.
    Replied(Reply),
    /// The server took too long.
    Timeout,
    /// The connection is closed.
    Closed,
    /// What the server said is no reply: the lines so far.
    Malformed(Vec<u8>),
    /// The connection broke within a reply: its lines so far, and the system's number of
    /// the error.
    Broken(Vec<u8>, i32),
    /// The message that was to be sent could not be read, for this reason. The server
    /// has part of it, and must not be told of its end.
    Source(String),
    /// No command waits for an answer.
    NothingAsked,
}

impl SmtpError {
    /// Whether the server said that it will never do this. Before a message has begun, the
    /// first lines of such a reply are enough.
    pub fn is_permanent(&self) -> bool {
        match &self.cause {
            Cause::Replied(reply) => reply.refuses(),
            Cause::Broken(text, _) => {
                let early = matches!(self.command, SmtpCommand::Connect | SmtpCommand::Hello);
                early && text.starts_with(b"5")
            }
            _ => false,
        }
    }

    /// Whether the connection is of no use any more.
    pub fn ends_connection(&self) -> bool {
        !matches!(self.cause, Cause::Replied(_) | Cause::NothingAsked)
    }

    /// Where the server took too long, with how much of the message was sent.
    pub(crate) fn with_sent(mut self, sent: u64) -> Self {
        if self.cause == Cause::Timeout {
            self.said.extend_from_slice(format!(" ({sent} bytes written)").as_bytes());
        }
        self
    }

    /// What the server replied, if it did.
    pub fn reply(&self) -> Option<&Reply> {
        match &self.cause {
            Cause::Replied(reply) => Some(reply),
            _ => None,
        }
    }

    /// As logs have it, in one line.
    pub fn logged(&self) -> Vec<u8> {
        self.printed(false)
    }

    /// The same; whether bytes above 127 print is the option `print_topbitchars`.
    pub(crate) fn printed(&self, topbit: bool) -> Vec<u8> {
        let after = |head: &str| [head.as_bytes(), &self.said].concat();
        let with = |head: &str, text: &[u8]| [&after(head)[..], b": ", text].concat();
        match &self.cause {
            Cause::Replied(reply) => {
                with("SMTP error from remote mail server after ", &printing(reply.text(), topbit))
            }
            Cause::Broken(text, _) => {
                with("SMTP error from remote mail server after ", &printing(text, topbit))
            }
            Cause::Timeout => after("SMTP timeout after "),
            Cause::Closed => after("Remote host closed connection in response to "),
            Cause::Malformed(text) if text.trim_ascii().is_empty() => {
                after("Malformed SMTP reply (an empty line) in response to ")
            }
            Cause::Malformed(text) => {
                let text = printing(text.trim_ascii_start(), topbit);
                with("Malformed SMTP reply in response to ", &text)
            }
            Cause::Source(why) => with("message can't be read while ", why.as_bytes()),
            Cause::NothingAsked => b"no command waits for an answer".to_vec(),
        }
    }
}

impl std::fmt::Display for SmtpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.logged()))
    }
}

impl std::error::Error for SmtpError {}

impl From<ConnectionTrouble> for Cause {
    fn from(trouble: ConnectionTrouble) -> Self {
        match trouble {
            ConnectionTrouble::Timeout => Self::Timeout,
            ConnectionTrouble::Closed => Self::Closed,
            ConnectionTrouble::Malformed(text) => Self::Malformed(text),
            ConnectionTrouble::Broken(text, number) => Self::Broken(text, number),
        }
    }
}
