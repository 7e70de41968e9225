//! Whose turn it is in a session. A stage owns what only it needs; a handler takes the
//! stage that it goes on with, and returns the one that follows.

use eximious::world::Moment;

use super::accepted::{Arrival, Judged};
use super::auth::Attempt;
use super::bdat::Chunk;
use super::command::Command;
use super::mail_data::MailData;
use super::tls::TlsHandshake;

/// Whose turn it is.
#[derive(Debug)]
#[must_use]
pub(super) enum Stage {
    /// Nothing was said yet.
    Start,
    /// The header of a proxy is expected, since then.
    Proxy(Moment),
    /// TLS begins.
    TlsHandshake(Box<TlsHandshake>),
    /// A command is expected.
    Commands(LastRejected),
    /// The answer to what an authenticator asks.
    Auth(Box<Attempt>),
    /// The lines of a message.
    Data(Box<MailData>),
    /// A chunk of a message.
    Chunk(Chunk),
    /// A message was judged, and is to be handed over once what was said and waited for is
    /// done.
    Judged(Box<Judged>),
    /// Somebody else decides on a message.
    Deciding(Box<Arrival>),
    /// It is over.
    Done,
}

/// Whether the last command was one of an envelope, and was rejected: the next one,
/// which was sent with it, can't help being out of order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum LastRejected {
    /// It was not.
    #[default]
    Nothing,
    /// MAIL was rejected.
    Mail,
    /// RCPT was rejected.
    Rcpt,
}

/// What a command comes to: the stage that follows it where it was obeyed, and where it
/// was rejected.
pub(super) type Handled = Result<Stage, Stage>;

/// What going on comes to.
#[derive(Debug)]
#[must_use]
pub(super) enum Progress {
    /// Something was done.
    Next(Stage),
    /// More input is needed first, or somebody's decision.
    Wait(Stage),
}

impl Stage {
    /// Another command is expected.
    pub(super) const COMMANDS: Self = Self::Commands(LastRejected::Nothing);

    /// The same, with what is kept in mind of the command before.
    pub(super) fn after(self, last: LastRejected) -> Self {
        match self {
            Self::Commands(_) => Self::Commands(last),
            other => other,
        }
    }
}

impl From<Command> for LastRejected {
    fn from(rejected: Command) -> Self {
        match rejected {
            Command::Mail => Self::Mail,
            Command::Rcpt => Self::Rcpt,
            Command::Atrn
            | Command::Auth
            | Command::Bdat
            | Command::Data
            | Command::Ehlo
            | Command::Etrn
            | Command::Expn
            | Command::Helo
            | Command::Help
            | Command::Noop
            | Command::Quit
            | Command::Rset
            | Command::StartTls
            | Command::Vrfy
            | Command::WellKnown
            | Command::Xclient => Self::Nothing,
        }
    }
}
