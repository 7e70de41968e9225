//! What goes over the connection to a host that is asked, and how it is told.

use std::time::Duration;

use crate::Context;
use crate::mail::acl::Secured;
use crate::mail::smtp_client::{Connection, Offers, Reply, Trouble};

/// How long a farewell is waited for at the most.
const FAREWELL: Duration = Duration::from_secs(5);

/// A connection with what was said.
#[derive(Debug)]
pub(in crate::mail::acl) struct Line {
    pub(in crate::mail::acl) connection: Connection,
    pub(in crate::mail::acl) offers: Offers,
    /// What is known of TLS, where there is some.
    pub(in crate::mail::acl) secured: Option<Secured>,
    /// Whether commands may be sent without waiting.
    pub(super) pipelining: bool,
    /// Commands that are not sent yet.
    waiting: Vec<u8>,
    /// The last command, and the last reply.
    pub(super) sent: Vec<u8>,
    pub(super) response: Vec<u8>,
    /// What was said, in short.
    history: Vec<u8>,
}

impl Line {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            offers: Offers::default(),
            secured: None,
            pipelining: false,
            waiting: Vec::new(),
            sent: Vec::new(),
            response: Vec::new(),
            history: Vec::new(),
        }
    }

    /// The answer to a command that is of no interest any more, but comes first.
    pub(super) fn overhear(&mut self, cx: &mut Context) {
        let kept = self.response.clone();
        let _ = self.listen(cx);
        self.response = kept;
    }

    /// Keeps a command until another one is sent.
    pub(super) fn hold(&mut self, cx: &mut Context, command: &[u8]) {
        cx.tell_callout(&[b"  SMTP|> ", command].concat());
        self.note(&[verb(command), b"|"].concat());
        self.waiting.extend_from_slice(&[command, b"\r\n"].concat());
    }

    pub(in crate::mail::acl) fn say(
        &mut self,
        cx: &mut Context,
        command: &[u8],
    ) -> Result<(), Trouble> {
        let count = self.waiting.len() + command.len() + 2;
        self.begin(cx, command);
        cx.tell_callout(format!("cmd buf flush {count} bytes").as_bytes());
        self.send(command)
    }

    fn begin(&mut self, cx: &mut Context, command: &[u8]) {
        cx.tell_callout(&[b"  SMTP>> ", command].concat());
        self.note(verb(command));
        self.sent = command.to_vec();
        self.response.clear();
    }

    fn send(&mut self, command: &[u8]) -> Result<(), Trouble> {
        let mut bytes = std::mem::take(&mut self.waiting);
        bytes.extend_from_slice(&[command, b"\r\n"].concat());
        self.connection.send(&bytes)
    }

    pub(in crate::mail::acl) fn listen(&mut self, cx: &mut Context) -> Result<Reply, Trouble> {
        let reply = self.connection.reply();
        let text = match &reply {
            Ok(reply) => reply.text(),
            Err(Trouble::Malformed(text)) => text,
            Err(_) => return reply,
        };
        self.response = text.to_vec();
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let head: &[u8] = if index == 0 { b"  SMTP<< " } else { b"         " };
            cx.tell_callout(&[head, line].concat());
        }
        let code = text.get(..4).unwrap_or(text);
        let code = code.strip_suffix(b" ").unwrap_or(code).to_vec();
        self.note(&code);
        reply
    }

    fn note(&mut self, word: &[u8]) {
        if !self.history.is_empty() {
            self.history.push(b':');
        }
        self.history.extend_from_slice(word);
    }

    /// Whether a word is one of the history.
    pub(super) fn has_said(&self, word: &str) -> bool {
        self.history.split(|byte| *byte == b':').any(|one| one == word.as_bytes())
    }

    /// Ends a session that has hardly begun.
    pub(super) fn give_up(&mut self, cx: &mut Context) {
        let response = self.response.clone();
        let _ = self.say(cx, b"QUIT");
        self.response = response;
        self.close(cx);
    }

    /// Ends a session in the usual way.
    pub(super) fn part(&mut self, cx: &mut Context) {
        let said = self.say(cx, b"QUIT");
        self.hear_farewell(cx, said);
    }

    /// Ends a session that was held open, and says why.
    pub(in crate::mail::acl) fn shut(&mut self, cx: &mut Context, why: &str) {
        self.begin(cx, b"QUIT");
        self.waiting.clear();
        let said = self.send(b"QUIT");
        self.hear_farewell(cx, said);
        let text = format!("----------- cutthrough shutdown ({why}) ------------");
        cx.tell_callout(text.as_bytes());
    }

    fn hear_farewell(&mut self, cx: &mut Context, said: Result<(), Trouble>) {
        if said.is_ok() {
            self.connection.hurry(FAREWELL);
            let _ = self.listen(cx);
        }
        self.close(cx);
    }

    pub(super) fn close(&mut self, cx: &mut Context) {
        self.connection.finish();
        cx.tell_callout(b"  SMTP(close)>>");
        let history: &[u8] = if self.history.is_empty() { b"(unset)" } else { &self.history };
        cx.tell_callout(&[b"cmdlog: '", history, b"'"].concat());
    }
}

fn verb(command: &[u8]) -> &[u8] {
    let end = memchr::memchr(b' ', command).unwrap_or(command.len());
    &command[..end]
}
