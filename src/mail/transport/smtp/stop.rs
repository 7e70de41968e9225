//! What ends a transaction before its end, and what rules for retries call that.

use std::io;

use eximious_stdlib::wording::reason;

use crate::config::{ReplyCode, RetryError};
use crate::mail::smtp_client::{Cause, Reply, SmtpClient, SmtpCommand, SmtpError};
use crate::mail::transport::Undelivered;

/// Numbers of errors that are none of the system's, as the log has them.
pub(super) const RCPT: i32 = -44;
const MAIL: i32 = -45;
const DATA: i32 = -46;

/// The code of a host that ends the connection.
const CLOSING: &[u8] = b"421";

/// A transaction that did not come to its end, or to no good one.
pub(super) enum Stop {
    /// The server said something else than yes; the connection may be used further.
    Message(SmtpError),
    /// It did so to a command after which others were said already; whether it waits for a
    /// message.
    Refused(SmtpError, bool),
    /// The connection is of no use any more, for no fault of the message's.
    Host(SmtpError),
    /// The host said nothing to an address, which may be for that one's sake.
    Recipient(SmtpError),
    /// It can't be told whether addresses are to be in ASCII.
    Unconverted(Vec<u8>),
    /// Something here does not let the connection be used.
    Hindered(Vec<u8>),
    /// The message can't be read.
    Unread(io::Error),
    /// It can't be signed, and must not leave so.
    Unsigned(Undelivered),
}

impl Stop {
    /// Whether the connection was gone before anything of a message was said.
    pub(super) fn is_of_line(&self) -> bool {
        let (Self::Message(error) | Self::Refused(error, _) | Self::Host(error)) = self else {
            return false;
        };
        let is_gone = match error.reply() {
            Some(reply) => reply.text().starts_with(CLOSING),
            None => error.cause != Cause::Timeout && error.cause != Cause::NothingAsked,
        };
        is_gone && matches!(error.command, SmtpCommand::Mail | SmtpCommand::Rset)
    }

    /// Whether it was the sender that the server did not take.
    pub(super) fn is_of_sender(&self) -> bool {
        let (Self::Message(error) | Self::Refused(error, _)) = self else { return false };
        error.command == SmtpCommand::Mail
    }
}

/// The number of an error, as logs and hints have it: of a reply that puts off, the command's.
pub(super) fn number_of(error: &SmtpError) -> i32 {
    let replied = match error.command {
        SmtpCommand::Connect => 0,
        SmtpCommand::Mail => MAIL,
        SmtpCommand::Rcpt => RCPT,
        _ => DATA,
    };
    match &error.cause {
        Cause::Replied(reply) if reply.puts_off() => replied,
        Cause::Replied(_) => 0,
        Cause::Timeout => 110,
        Cause::Malformed(_) => -19,
        Cause::Broken(_, number) => *number,
        _ => -18,
    }
}

/// An error as the log has it where it is the host's; `topbit` is as in [`SmtpError::printed`].
pub(super) fn with_reason(error: &SmtpError, topbit: bool) -> Vec<u8> {
    let mut line = error.printed(topbit);
    if matches!(error.cause, Cause::Timeout | Cause::Broken(..)) {
        let why = reason(&io::Error::from_raw_os_error(number_of(error)));
        line.extend_from_slice(format!(": {why}").as_bytes());
    }
    line
}

/// What is said of a connection that is ended because nobody is left.
pub(super) fn broken_off() -> SmtpError {
    SmtpError { command: SmtpCommand::Data, said: Vec::new(), cause: Cause::NothingAsked }
}

/// Whether it is the message that an error is about, and not the host.
pub(super) fn is_of_message(error: &SmtpError) -> bool {
    match (&error.cause, error.command) {
        (Cause::Replied(_), _) => true,
        (Cause::Malformed(_), _) => false,
        (_, SmtpCommand::EndOfData) => true,
        // Some hosts think long about a sender.
        (cause, command) => *cause == Cause::Timeout && command == SmtpCommand::Mail,
    }
}

pub(super) fn of_message(error: SmtpError) -> Stop {
    // Some hosts think long about a sender.
    let patient = error.cause == Cause::Timeout && error.command == SmtpCommand::Mail;
    if error.command == SmtpCommand::Connect && error.reply().is_some() {
        // So Exim has it where it was greeted before it greeted: it is put off by itself.
        return Stop::Refused(error, true);
    }
    match error.reply().is_some() || patient {
        true => Stop::Message(error),
        false => Stop::Host(error),
    }
}

/// What is lost at the end of a message is the message's; nonsense is the host's.
pub(super) fn at_the_end(error: SmtpError) -> Stop {
    match error.cause {
        Cause::Malformed(_) => Stop::Host(error),
        _ => Stop::Message(error),
    }
}

/// That the server said something else than yes to the command that it answered last.
pub(super) fn replied(client: &SmtpClient, command: SmtpCommand, reply: Reply) -> SmtpError {
    SmtpError { command, said: client.last().said.clone(), cause: Cause::Replied(reply) }
}

/// An error about a command after which others were said before its answer came.
pub(super) fn pipelined(error: SmtpError) -> SmtpError {
    let said = [b"pipelined ", &error.said[..]].concat();
    SmtpError { said, ..error }
}

/// What rules for retries call an error.
pub(in crate::mail::transport) fn retry_error(error: &SmtpError) -> RetryError {
    let Some(reply) = error.reply() else {
        return match error.cause {
            Cause::Timeout => RetryError::Timeout { connecting: false, source: None },
            Cause::Closed => RetryError::LostConnection,
            _ => RetryError::Any,
        };
    };
    // What is no reply at all to a recipient is known by its digits, too.
    let is_odd = !reply.refuses() && error.command == SmtpCommand::Rcpt;
    if !reply.puts_off() && !is_odd {
        return RetryError::Any;
    }
    let digit = |at: usize| reply.code().get(at).map(|byte| byte.wrapping_sub(b'0'));
    let code = ReplyCode { tens: digit(1), ones: digit(2) };
    match error.command {
        SmtpCommand::Mail => RetryError::Mail(code),
        SmtpCommand::Rcpt => RetryError::Rcpt(code),
        SmtpCommand::Data | SmtpCommand::Bdat | SmtpCommand::EndOfData => RetryError::Data(code),
        _ => RetryError::Any,
    }
}
