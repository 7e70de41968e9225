//! What goes over the connection of a callout, and how it is told.

use std::time::Duration;

use super::{Called, Reply, Talk, Trouble};

/// How long a farewell is waited for at the most.
const FAREWELL: Duration = Duration::from_secs(5);

impl Talk<'_, '_, '_> {
    /// The answer to a command that is of no interest any more, but comes first.
    pub(super) fn overhear(&mut self) {
        let kept = self.response.clone();
        let _ = self.listen();
        self.response = kept;
    }

    /// Keeps a command until another one is sent.
    pub(super) fn hold(&mut self, command: &[u8]) {
        self.place.tell(&[b"  SMTP|> ", command].concat());
        self.note(&[verb(command), b"|"].concat());
        self.waiting.extend_from_slice(&[command, b"\r\n"].concat());
    }

    pub(super) fn say(&mut self, command: &[u8]) -> Result<(), Trouble> {
        self.place.tell(&[b"  SMTP>> ", command].concat());
        self.note(verb(command));
        self.sent = command.to_vec();
        self.response.clear();
        let mut bytes = std::mem::take(&mut self.waiting);
        bytes.extend_from_slice(&[command, b"\r\n"].concat());
        self.place.tell(format!("cmd buf flush {} bytes", bytes.len()).as_bytes());
        self.connection.send(&bytes)
    }

    pub(super) fn listen(&mut self) -> Result<Reply, Trouble> {
        let reply = self.connection.reply();
        let text = match &reply {
            Ok(reply) => reply.text(),
            Err(Trouble::Malformed(text)) => text,
            Err(_) => return reply,
        };
        self.response = text.to_vec();
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let head: &[u8] = if index == 0 { b"  SMTP<< " } else { b"         " };
            self.place.run.cx.tell(0, &[head, line].concat());
        }
        let code = text.get(..4).unwrap_or(text);
        let code = code.strip_suffix(b" ").unwrap_or(code).to_vec();
        self.note(&code);
        reply
    }

    pub(super) fn note(&mut self, word: &[u8]) {
        if !self.history.is_empty() {
            self.history.push(b':');
        }
        self.history.extend_from_slice(word);
    }

    /// Ends a session that has hardly begun.
    pub(super) fn give_up(&mut self, why: &[u8]) -> Called {
        let response = self.response.clone();
        let _ = self.say(b"QUIT");
        self.response = response;
        self.close();
        Called::later(Some(self.place.about(why)))
    }

    /// Ends a session in the usual way.
    pub(super) fn part(&mut self) {
        if self.say(b"QUIT").is_ok() {
            self.connection.hurry(FAREWELL);
            let _ = self.listen();
        }
        self.close();
    }

    pub(super) fn close(&mut self) {
        self.place.tell(b"  SMTP(close)>>");
        let history: &[u8] = if self.history.is_empty() { b"(unset)" } else { &self.history };
        self.place.run.cx.tell(0, &[b"cmdlog: '", history, b"'"].concat());
    }
}

fn verb(command: &[u8]) -> &[u8] {
    let end = memchr::memchr(b' ', command).unwrap_or(command.len());
    &command[..end]
}
