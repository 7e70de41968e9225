//! A message on its way: `DATA` and `BDAT`, and what the server makes of it.

use std::io::{self, Read};
use std::time::Duration;

use eximious_core::Trace;
use eximious_core::trace::{Happening, SmtpEvent, SmtpSide};

use super::client::error;
use super::{
    Cause, Chunks, Hello, Reply, ReplyClass, SentCommand, SmtpClient, SmtpCommand, SmtpError, Wire,
};

/// How much of a message is read at once.
const PIECE: usize = 16 * 1024;

/// How long the next of a server's answers may take before it counts as thinking: longer than a
/// system keeps a confirmation back (40 ms), which the server's waits for.
const MOMENT: Duration = Duration::from_millis(50);

/// Hears what a server made of a message for some recipients.
type BeforeWait<'b> = dyn FnMut(&[Result<Reply, SmtpError>]) + 'b;

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
        if sent.is_ok() {
            self.end_message(trace);
        }
        match sent {
            Ok(()) => {
                self.sent = wire.sent();
                Ok(self.sent)
            }
            Err(cause) => Err(unsent(wire.sent(), cause)),
        }
    }

    /// Sends a message by `BDAT`; how much was sent. What comes of it is what
    /// [`SmtpClient::end_of_data`] hears.
    ///
    /// # Errors
    /// The server does not want the first chunk, or they can't be sent, or not be read.
    pub fn bdat(&mut self, trace: &mut Trace, mut chunks: Chunks<'_>) -> Result<u64, SmtpError> {
        self.first_chunk(trace, &mut chunks)?;
        if !chunks.is_one() {
            let reply = self.answer(trace).map_err(|error| error.with_sent(self.sent))?;
            if !reply.accepts() {
                return Err(error(&first_part(), Cause::Replied(reply)));
            }
        }
        self.last_chunk(trace, chunks)
    }

    /// Sends the first chunk of a message, and the commands that were kept before it. Where it
    /// is the last one, too, what comes of it is what [`SmtpClient::end_of_data`] hears;
    /// otherwise [`SmtpClient::answer`] does, after the answers to those.
    ///
    /// # Errors
    /// It can't be sent.
    pub fn first_chunk(
        &mut self,
        trace: &mut Trace,
        chunks: &mut Chunks<'_>,
    ) -> Result<(), SmtpError> {
        let (chunk, is_last) = (std::mem::take(&mut chunks.first), chunks.is_one());
        self.sent = 0;
        self.announce_chunk(trace, chunk.len() as u64, is_last);
        self.put_chunk(&chunk)?;
        match is_last {
            true => self.end_message(trace),
            false => self.expect(first_part()),
        }
        Ok(())
    }

    /// Sends what comes after the first chunk of a message, if there is more; how much was sent
    /// with that one. What comes of it is what [`SmtpClient::end_of_data`] hears.
    ///
    /// # Errors
    /// It can't be sent, or not be read.
    pub fn last_chunk(&mut self, trace: &mut Trace, chunks: Chunks<'_>) -> Result<u64, SmtpError> {
        let Some(mut body) = chunks.body else { return Ok(self.sent) };
        self.announce_chunk(trace, body.size, true);
        let mut left = body.size;
        while left > 0 {
            let piece = body.next().map_err(|why| why.to_string());
            let piece = piece.map_err(|why| unsent(self.sent, Cause::Source(why)))?;
            // The server takes as much as was announced, whatever that is.
            if piece.is_empty() || piece.len() as u64 > left {
                let why = "it is not what it was a moment ago".to_owned();
                return Err(unsent(self.sent, Cause::Source(why)));
            }
            left -= piece.len() as u64;
            self.put_chunk(&piece)?;
        }
        self.end_message(trace);
        Ok(self.sent)
    }

    /// How much was sent of the message at hand, by `DATA` or `BDAT`.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// How the last chunk was announced: `BDAT 344 LAST`; empty before there was one.
    pub(crate) fn announced(&self) -> &str {
        &self.announced
    }

    fn announce_chunk(&mut self, trace: &mut Trace, size: u64, is_last: bool) {
        let tail = if is_last { " LAST" } else { "" };
        self.announced = format!("BDAT {size}{tail}");
        let request = SentCommand::new(SmtpCommand::Bdat, self.announced.as_str());
        self.hold(trace, &request);
    }

    fn put_chunk(&mut self, chunk: &[u8]) -> Result<(), SmtpError> {
        self.connection.set_timeout(self.timeouts.data);
        let sent = self.put_with_held(chunk).map_err(|cause| unsent(self.sent, cause));
        self.connection.set_timeout(self.timeouts.command);
        self.sent += chunk.len() as u64;
        sent
    }

    /// What was sent is the whole message.
    fn end_message(&mut self, trace: &mut Trace) {
        if self.leaves {
            // Where it is not heard, there is no need for it.
            let _ = self.say_farewell(trace);
        }
    }

    /// What the server makes of the message that was sent.
    pub fn end_of_data(&mut self, trace: &mut Trace) -> Verdicts {
        self.end_of_data_with(trace, &mut |_| {})
    }

    /// The same, where somebody is to know of what is said of some recipients before others are
    /// waited for (LMTP; after `PRDR`, it is the message that counts in the end).
    pub fn end_of_data_with(
        &mut self,
        trace: &mut Trace,
        before_wait: &mut BeforeWait<'_>,
    ) -> Verdicts {
        self.connection.set_timeout(self.timeouts.last);
        let accepted = std::mem::take(&mut self.accepted);
        let mut verdicts = Verdicts { recipients: Vec::new(), message: None };
        let mut each = |client: &mut Self, trace: &mut Trace, by_prdr: bool| {
            let mut verdicts: Vec<Result<Reply, SmtpError>> = Vec::with_capacity(accepted);
            for _ in 0..accepted {
                verdicts.push(match broken(&verdicts, by_prdr) {
                    Some(error) => Err(error),
                    None => {
                        let may_tell = !by_prdr && !verdicts.is_empty();
                        if may_tell && !client.connection.hears_within(MOMENT) {
                            before_wait(&verdicts);
                        }
                        client.reply_to_message(trace).and_then(yes)
                    }
                });
            }
            verdicts
        };
        if self.hello == Some(Hello::Lhlo) {
            verdicts.recipients = each(self, trace, false);
        } else {
            let mut first = self.reply_to_message(trace);
            let prdr = std::mem::take(&mut self.prdr);
            // Whatever the code has behind the first digit.
            let for_each = |reply: &Reply| reply.class() == ReplyClass::Intermediate;
            if prdr && first.as_ref().is_ok_and(for_each) {
                verdicts.recipients = each(self, trace, true);
                first = match broken(&verdicts.recipients, true) {
                    Some(error) => Err(error),
                    None => self.reply_to_message(trace),
                };
            }
            verdicts.message = Some(first.and_then(yes));
        }
        self.connection.set_timeout(self.timeouts.command);
        verdicts
    }

    fn reply_to_message(&mut self, trace: &mut Trace) -> Result<Reply, SmtpError> {
        self.expect(end_of_data());
        self.answer(trace).map_err(|error| error.with_sent(self.sent))
    }
}

/// Why nothing more is said: after what is no reply nobody knows of whom the next one is, and
/// after 421 of a server with PRDR there is none. (LMTP has one for each recipient.)
fn broken(verdicts: &[Result<Reply, SmtpError>], by_prdr: bool) -> Option<SmtpError> {
    let last = verdicts.last().and_then(|last| last.as_ref().err())?;
    let closes = by_prdr && last.reply().is_some_and(|reply| reply.code() == b"421");
    (closes || last.ends_connection()).then(|| last.clone())
}

fn first_part() -> SentCommand {
    SentCommand::wait(SmtpCommand::Bdat, b"sending data block")
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
        let piece = piece(message).map_err(|why| Cause::Source(why.to_string()))?;
        if piece.is_empty() {
            return Ok(());
        }
        take(&piece)?;
    }
}

/// The next piece of a message; nothing at its end.
pub(super) fn piece(message: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; PIECE];
    loop {
        match message.read(&mut piece) {
            Ok(count) => {
                piece.truncate(count);
                return Ok(piece);
            }
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::Write;

    use eximious_core::world::Stream;

    use super::*;
    use crate::mail::smtp_client::{MailParams, RcptParams, Timeouts};

    /// A server that says this, and now and then nothing for a moment.
    struct Server(VecDeque<Option<&'static str>>);

    impl Read for Server {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.pop_front() {
                Some(Some(text)) => (&mut text.as_bytes()).read(into),
                Some(None) => Err(io::ErrorKind::TimedOut.into()),
                None => Ok(0),
            }
        }
    }

    impl Write for Server {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Stream for Server {
        fn finish_writing(&mut self) -> io::Result<()> {
            Ok(())
        }
        fn set_deadline(&mut self, _: Duration) {}
    }

    /// What was said so far when it was waited for more, and what was said in the end.
    fn told(answers: &[Option<&'static str>]) -> (Vec<String>, String) {
        let head = ["220 l\n", "250 l\n", "250 m\n", "250 1\n", "250 2\n", "250 3\n", "354 go\n"];
        let all = head.into_iter().map(Some).chain(answers.iter().copied());
        let second = Duration::from_secs(1);
        let timeouts = Timeouts { command: second, data: second, last: second };
        let mut client = SmtpClient::new(Box::new(Server(all.collect())), timeouts);
        let trace = &mut Trace::default();
        client.banner(trace).unwrap();
        client.hello(trace, Hello::Lhlo, b"me").unwrap();
        client.mail(trace, b"a", &MailParams::default()).unwrap();
        for to in [b"1", b"2", b"3"] {
            client.rcpt(trace, to, &RcptParams::default()).unwrap();
        }
        client.data(trace).unwrap();
        client.send_message(trace, &mut &b"x\n"[..]).unwrap();
        let short = |verdicts: &[Result<Reply, SmtpError>]| {
            let word = |one: &Result<Reply, SmtpError>| if one.is_ok() { "+" } else { "-" };
            verdicts.iter().map(word).collect::<String>()
        };
        let mut waits = Vec::new();
        let verdicts = client.end_of_data_with(trace, &mut |so_far| waits.push(short(so_far)));
        assert!(verdicts.message.is_none());
        (waits, short(&verdicts.recipients))
    }

    #[test]
    fn who_waits_knows_what_was_said() {
        let none: [&str; 0] = [];
        let all = told(&[Some("250 1\n250 2\n550 3\n")]);
        assert_eq!(all, (none.map(String::from).to_vec(), "++-".into()));
        // They come one by one, but at once.
        let all = told(&[Some("250 1\n"), Some("250 2\n"), Some("250 3\n")]);
        assert_eq!(all, (none.map(String::from).to_vec(), "+++".into()));
        let all = told(&[Some("250 1\n"), None, Some("550 2\n250"), Some(" 3\n")]);
        assert_eq!(all, (vec!["+".into()], "+-+".into()));
        let all = told(&[Some("250 1\n"), None, Some("550 2\n"), None, Some("250 3\n")]);
        assert_eq!(all, (vec!["+".into(), "+-".into()], "+-+".into()));
        // It hangs up instead, or says nothing that can be understood.
        let all = told(&[Some("250 1\n"), None]);
        assert_eq!(all, (vec!["+".into()], "+--".into()));
        let all = told(&[Some("250 1\nwhat\n")]);
        assert_eq!(all, (none.map(String::from).to_vec(), "+--".into()));
    }
}
