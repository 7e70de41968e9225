//! A message on its way: `DATA` and `BDAT`, and what the server makes of it.

use std::io::{self, Read};

use eximious_core::Trace;
use eximious_core::trace::{Happening, SmtpEvent, SmtpSide};

use super::client::error;
use super::{
    Cause, Hello, Reply, ReplyClass, SentCommand, SmtpClient, SmtpCommand, SmtpError, Wire,
};

/// How much of a message is read at once.
const PIECE: usize = 16 * 1024;

/// How large a chunk of `BDAT` becomes at the least, but for the last one.
const CHUNK: usize = 64 * 1024;

/// What a server made of a message.
#[derive(Debug)]
pub struct Verdicts {
    /// For each recipient that it had taken, in order, where it says so for each: with
    /// LMTP, or after `PRDR`.
    pub recipients: Vec<Result<Reply, SmtpError>>,
    /// Of the message as a whole; nothing with LMTP.
    pub message: Option<Result<Reply, SmtpError>>,
}

impl SmtpClient {
    /// `DATA`: a message is announced.
    ///
    /// # Errors
    /// The server does not want it.
    pub fn data(&mut self, trace: &mut Trace) -> Result<Reply, SmtpError> {
        let request = SentCommand::data();
        self.send(trace, request.clone())?;
        let reply = self.answer(trace)?;
        match reply.class() {
            ReplyClass::Intermediate => Ok(reply),
            _ => Err(error(&request, Cause::Replied(reply))),
        }
    }

    /// After `DATA`, sends a message, whose newlines are `\n`, and its end; how much was
    /// sent. What comes of it is what [`SmtpClient::end_of_data`] hears.
    ///
    /// # Errors
    /// It was not sent as a whole, and the connection is of no use any more.
    pub fn send_message(
        &mut self,
        trace: &mut Trace,
        message: &mut dyn Read,
    ) -> Result<u64, SmtpError> {
        trace.tell(Happening::Smtp(SmtpEvent::Step { text: b"  SMTP>> (writing message)" }));
        self.connection.set_timeout(self.timeouts.data);
        let mut wire = Wire::default();
        let mut give = |piece: &[u8]| self.put(piece);
        let mut sent = pieces(message, &mut |piece| wire.add(piece, &mut give));
        if sent.is_ok() {
            sent = wire.end(&mut give);
        }
        if sent.is_ok() {
            trace.tell(Happening::Smtp(SmtpEvent::Sent { side: SmtpSide::Client, text: b"." }));
            self.note(b".");
        }
        self.connection.set_timeout(self.timeouts.command);
        if sent.is_ok() && self.leaves {
            // Where it is not heard, there is no need for it.
            let _ = self.say_farewell(trace);
        }
        match sent {
            Ok(()) => {
                self.sent = wire.sent();
                Ok(self.sent)
            }
            Err(cause) => Err(unsent(wire.sent(), cause)),
        }
    }

    /// Sends a message, whose newlines are `\n`, by `BDAT` (RFC 3030); how much was sent.
    /// What comes of it is what [`SmtpClient::end_of_data`] hears.
    ///
    /// # Errors
    /// The server does not want a chunk, or it was not sent as a whole.
    pub fn bdat(&mut self, trace: &mut Trace, message: &mut dyn Read) -> Result<u64, SmtpError> {
        let (mut chunk, mut sent, mut begins) = (Vec::new(), 0, true);
        loop {
            let piece = piece(message).map_err(|cause| unsent(sent, cause))?;
            for line in piece.split_inclusive(|byte| *byte == b'\n') {
                let (text, ended) = match line.split_last() {
                    Some((b'\n', text)) => (text, true),
                    _ => (line, false),
                };
                chunk.extend_from_slice(text);
                if ended {
                    chunk.extend_from_slice(b"\r\n");
                }
                begins = ended;
            }
            let last = piece.is_empty();
            if last && !begins {
                chunk.extend_from_slice(b"\r\n");
            }
            if last || chunk.len() >= CHUNK {
                self.chunk(trace, &chunk, last, sent)?;
                sent += chunk.len() as u64;
                chunk.clear();
            }
            if last {
                self.sent = sent;
                return Ok(sent);
            }
        }
    }

    /// One chunk; the answer to the last one is that to the message.
    fn chunk(
        &mut self,
        trace: &mut Trace,
        chunk: &[u8],
        last: bool,
        before: u64,
    ) -> Result<(), SmtpError> {
        let tail = if last { " LAST" } else { "" };
        let request = SentCommand::new(SmtpCommand::Bdat, format!("BDAT {}{tail}", chunk.len()));
        self.send(trace, request.clone())?;
        self.connection.set_timeout(self.timeouts.data);
        let sent = self.put(chunk).map_err(|cause| unsent(before, cause));
        self.connection.set_timeout(self.timeouts.command);
        sent?;
        if last {
            self.expect_no_more();
            return Ok(());
        }
        let reply = self.answer(trace)?;
        match reply.accepts() {
            true => Ok(()),
            false => Err(error(&request, Cause::Replied(reply))),
        }
    }

    /// What the server makes of the message that was sent.
    pub fn end_of_data(&mut self, trace: &mut Trace) -> Verdicts {
        self.connection.set_timeout(self.timeouts.last);
        let accepted = std::mem::take(&mut self.accepted);
        let mut verdicts = Verdicts { recipients: Vec::new(), message: None };
        let each = |client: &mut Self, trace: &mut Trace| {
            let mut verdicts: Vec<Result<Reply, SmtpError>> = Vec::with_capacity(accepted);
            for _ in 0..accepted {
                // After what is no reply nobody knows of whom the next one is.
                let broken = verdicts.last().and_then(|last| last.as_ref().err());
                let broken = broken.filter(|error| error.ends_connection()).cloned();
                verdicts.push(match broken {
                    Some(error) => Err(error),
                    None => client.reply_to_message(trace).and_then(yes),
                });
            }
            verdicts
        };
        if self.hello == Some(Hello::Lhlo) {
            verdicts.recipients = each(self, trace);
        } else {
            let mut first = self.reply_to_message(trace);
            let prdr = std::mem::take(&mut self.prdr);
            if prdr && first.as_ref().is_ok_and(|reply| reply.code() == b"353") {
                verdicts.recipients = each(self, trace);
                first = self.reply_to_message(trace);
            }
            verdicts.message = Some(first.and_then(yes));
        }
        self.connection.set_timeout(self.timeouts.command);
        verdicts
    }

    fn reply_to_message(&mut self, trace: &mut Trace) -> Result<Reply, SmtpError> {
        self.expect(end_of_data());
        self.answer(trace).map_err(|mut error| {
            if error.cause == Cause::Timeout {
                let sent = format!(" ({} bytes written)", self.sent);
                error.said.extend_from_slice(sent.as_bytes());
            }
            error
        })
    }
}

fn end_of_data() -> SentCommand {
    SentCommand::wait(SmtpCommand::EndOfData, b"end of data")
}

fn yes(reply: Reply) -> Result<Reply, SmtpError> {
    match reply.accepts() {
        true => Ok(reply),
        false => Err(error(&end_of_data(), Cause::Replied(reply))),
    }
}

fn unsent(bytes: u64, cause: Cause) -> SmtpError {
    let shown = format!("sending data block ({bytes} bytes written)");
    error(&SentCommand::wait(SmtpCommand::EndOfData, shown.as_bytes()), cause)
}

fn pieces(
    message: &mut dyn Read,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Cause>,
) -> Result<(), Cause> {
    loop {
        let piece = piece(message)?;
        if piece.is_empty() {
            return Ok(());
        }
        take(&piece)?;
    }
}

/// The next piece of a message; nothing at its end.
fn piece(message: &mut dyn Read) -> Result<Vec<u8>, Cause> {
    let mut piece = vec![0; PIECE];
    loop {
        match message.read(&mut piece) {
            Ok(count) => {
                piece.truncate(count);
                return Ok(piece);
            }
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(Cause::Source(why.to_string())),
        }
    }
}
