//! Connections that end before the client wants it: this program ends.

use super::SmtpSession;
use super::stage::Stage;

/// What a session waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Awaited {
    /// A command: a line, whole.
    Command,
    /// More of a message.
    Message,
}

impl SmtpSession {
    /// What it waits for, when it asks for nothing.
    pub fn awaits(&self) -> Awaited {
        match self.stage {
            Stage::Data(_) | Stage::Chunk(_) => Awaited::Message,
            _ => Awaited::Command,
        }
    }

    /// This program ends.
    pub fn shut_down(&mut self) {
        let host = self.connection.host.clone();
        let text = [host.bytes(), b": Service not available - closing connection"].concat();
        let (client, lasted) = (self.shown_client(), self.lasted());
        let tail = format!(" D={lasted} closed after SIGTERM");
        self.log(&[b"SMTP connection from ", &client[..], tail.as_bytes()].concat());
        self.run_notquit("signal-exit", Some((b"421", &text)));
        self.stage = self.close();
    }
}
