//! A conversation by hand: a client's lines to a server that only tests, and what it says.
//! Nothing is kept, no other host is asked, nobody waits: as with `-bh`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use eximious::world::Log;
use eximious::{Config, Context, Str};
use eximious_mta::smtp::{Client, Event, Received, SmtpServer, SmtpSession, SpoolOutcome};

/// Lines for logs, kept for whoever asks.
#[derive(Debug, Default)]
pub struct LogLines(Mutex<Vec<Str>>);

impl LogLines {
    /// The lines since the last time.
    pub fn take(&self) -> Vec<Str> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, line: &[u8]) {
        let line = Str::from(line.strip_suffix(b"\n").unwrap_or(line));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

impl Log for LogLines {
    fn main(&self, line: &[u8]) {
        self.push(line);
    }

    fn panic(&self, line: &[u8]) {
        self.push(line);
    }

    // What is rejected is in the main log, too.
    fn rejection_alone(&self, _: &[u8]) {}

    fn debug(&self, text: &[u8]) {
        self.push(text);
    }
}

/// A conversation.
#[derive(Debug)]
pub struct ClientDialogue {
    session: SmtpSession,
    is_over: bool,
}

/// What came of a line of the client's.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Said {
    /// What the server said: lines that end in CR and LF.
    pub reply: Vec<u8>,
    /// A message that would be kept now.
    pub message: Option<Box<Received>>,
    /// How long the server would have waited, in milliseconds.
    pub delay: u128,
}

impl Said {
    /// The reply's code: the digits before its last line.
    pub fn code(&self) -> u16 {
        let line = self.reply.split(|c| *c == b'\n').rfind(|line| !line.is_empty());
        let digits = line.and_then(|line| std::str::from_utf8(line.get(..3)?).ok());
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
}

impl ClientDialogue {
    /// A client has connected: what it hears comes first. The context's log has what is
    /// logged ([`LogLines`]); what is set in it stays.
    pub fn begin(config: &Config, cx: Context, client: SocketAddr) -> (Self, Said) {
        let server = SmtpServer::new(config, cx.engine());
        Self::with(Arc::new(server), cx, client)
    }

    /// As [`ClientDialogue::begin`], with a server that is there already.
    pub fn with(server: Arc<SmtpServer>, cx: Context, client: SocketAddr) -> (Self, Said) {
        let mut session = SmtpSession::new(server, cx, Client::at(client));
        session.only_test();
        let mut dialogue = Self { session, is_over: false };
        let greeting = dialogue.hear();
        (dialogue, greeting)
    }

    /// The values of the conversation.
    pub fn context(&mut self) -> &mut Context {
        self.session.context()
    }

    /// The values, for somebody who goes on with them.
    pub fn into_context(self) -> Context {
        self.session.into_context()
    }

    /// Whether the server has closed the connection.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Says a line, without its end.
    pub fn say(&mut self, line: &[u8]) -> Said {
        if self.is_over {
            return Said::default();
        }
        self.session.receive(&[line, b"\r\n"].concat());
        self.hear()
    }

    /// Sends a message: `DATA`, its lines, with dots doubled as SMTP wants it, and the last
    /// dot. Where `DATA` is refused, that is the answer.
    pub fn data(&mut self, message: &[u8]) -> Said {
        let ready = self.say(b"DATA");
        if ready.code() != 354 {
            return ready;
        }
        let mut bytes = Vec::with_capacity(message.len() + 64);
        let lines = message.strip_suffix(b"\n").unwrap_or(message);
        for line in lines.split(|c| *c == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.first() == Some(&b'.') {
                bytes.push(b'.');
            }
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b".\r\n");
        self.session.receive(&bytes);
        let mut said = self.hear();
        said.reply.splice(0..0, ready.reply);
        said
    }

    /// The client goes away.
    pub fn end(&mut self) -> Said {
        if self.is_over {
            return Said::default();
        }
        self.session.end_of_input();
        self.hear()
    }

    fn hear(&mut self) -> Said {
        let mut said = Said::default();
        while let Some(event) = self.session.next_event() {
            match event {
                Event::Reply(bytes) => said.reply.extend(bytes),
                Event::Delay { time, .. } => said.delay += time.as_millis(),
                Event::Message(received) => {
                    said.message = Some(received);
                    self.session.conclude(&SpoolOutcome::Spooled);
                }
                Event::Close => {
                    self.is_over = true;
                    break;
                }
            }
        }
        said
    }
}
