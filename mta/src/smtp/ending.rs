//! Connections that end before the client wants it: it says nothing, or this
//! program ends.

use std::time::Duration;

use eximious::{LogSelector, OptionValue};

use super::Session;
use super::session::Stage;

/// `smtp_receive_timeout`, where it is not set.
const USUAL: Duration = Duration::from_secs(5 * 60);

/// What a session waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// A command: a line, whole.
    Command,
    /// More of a message.
    Message,
}

impl Session {
    /// What it waits for, when it asks for nothing.
    pub fn awaits(&self) -> Awaited {
        match self.stage {
            Stage::Data(_) | Stage::Chunk(_) => Awaited::Message,
            _ => Awaited::Command,
        }
    }

    /// How long it waits for that (`smtp_receive_timeout`); without a time, it has
    /// no end.
    pub fn patience(&mut self) -> Option<Duration> {
        if let Some(known) = self.patience {
            return known;
        }
        let time = match self.cx.engine().settings().options.get("smtp_receive_timeout") {
            Some(OptionValue::Number(seconds)) => u64::try_from(*seconds).ok(),
            Some(OptionValue::Text(_)) => {
                let text = self.expanded("smtp_receive_timeout").unwrap_or_default();
                let seconds = eximious::stdlib::interval::seconds(text.bytes());
                seconds.and_then(|seconds| u64::try_from(seconds).ok())
            }
            _ => None,
        };
        let time = time.map_or(USUAL, Duration::from_secs);
        let patience = (!time.is_zero()).then_some(time);
        self.patience = Some(patience);
        patience
    }

    /// The client said nothing in that time.
    pub fn timed_out(&mut self) {
        let host = self.host.clone();
        match self.awaits() {
            Awaited::Command => {
                let text = [host.bytes(), b": SMTP command timeout - closing connection"].concat();
                if self.logs(LogSelector::LOST_INCOMING_CONNECTION) {
                    let (client, lasted) = (self.shown_client(), self.lasted());
                    let head = b"SMTP command timeout on connection from ";
                    self.log(&[head, &client[..], b" D=", lasted.as_bytes()].concat());
                }
                self.not_quit("command-timeout", Some((b"421", &text)));
            }
            Awaited::Message => {
                let text =
                    [host.bytes(), b" SMTP incoming data timeout - closing connection."].concat();
                let (client, lasted) = (self.variable("sender_fullhost"), self.lasted());
                let sender = self.variable("sender_address");
                let head = b"SMTP data timeout (message abandoned) on connection from ";
                let tail = [b" F=<", sender.bytes(), b"> D=", lasted.as_bytes()].concat();
                self.log(&[head, client.bytes(), &tail].concat());
                self.not_quit("data-timeout", Some((b"421", &text)));
            }
        }
        self.counts.told_of_no_mail = true;
        self.close();
    }

    /// This program ends.
    pub fn shut_down(&mut self) {
        let host = self.host.clone();
        let text = [host.bytes(), b": Service not available - closing connection"].concat();
        let client = self.shown_client();
        self.log(&[b"SMTP connection from ", &client[..], b" closed after SIGTERM"].concat());
        self.not_quit("signal-exit", Some((b"421", &text)));
        self.close();
    }
}
