//! How long a client may take (`smtp_receive_timeout`, `proxy_protocol_timeout`).

use std::time::Duration;

use eximious::OptionValue;
use eximious::world::Moment;

use super::Session;
use super::proxy::since;
use super::session::Stage;
use crate::reception::has_blank_line;
use crate::reception::message_id;

/// How long to wait where no option says so.
const PATIENCE: i64 = 5 * 60;

impl Session {
    /// How much longer to wait for input; `None` is for ever. Where nothing comes in
    /// that time, [`Session::time_is_up`] is what to call.
    ///
    /// The time is for a line, or for a piece of a chunk: bytes that come one by one
    /// do not prolong it.
    pub fn patience(&mut self) -> Option<Duration> {
        if let Stage::Proxy(began) = self.stage {
            return Some(self.proxy_patience(began));
        }
        let seconds = match self.cx.engine().settings().options.get("smtp_receive_timeout") {
            Some(OptionValue::Number(seconds)) => *seconds,
            Some(OptionValue::Text(_)) => {
                let text = self.expanded("smtp_receive_timeout").unwrap_or_default();
                eximious::stdlib::interval::seconds(text.bytes()).map_or(PATIENCE, i64::from)
            }
            _ => PATIENCE,
        };
        let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?;
        let gone = since(self.waits_since, self.now());
        Some(Duration::from_secs(seconds).saturating_sub(gone))
    }

    /// The client took too long.
    pub fn time_is_up(&mut self) {
        match &self.stage {
            Stage::Proxy(_) => self.give_up_proxy(),
            Stage::Commands | Stage::Auth(_) => {
                let client = self.shown_client();
                let lasted = self.lasted();
                let head = b"SMTP command timeout on connection from ";
                self.log(&[head, &client[..], b" D=", lasted.as_bytes()].concat());
                let host = self.host.clone();
                let text = [host.bytes(), b": SMTP command timeout - closing connection"].concat();
                self.not_quit("command-timeout", Some((b"421", &text)));
                self.close();
            }
            Stage::Data(_) | Stage::Chunk(_) => self.data_took_too_long(),
            Stage::Start | Stage::Deciding(_) | Stage::Done => {}
        }
    }

    fn data_took_too_long(&mut self) {
        let bytes = match &self.stage {
            Stage::Data(reading) => reading.bytes.as_slice(),
            _ => self.chunks.as_ref().map_or(&[][..], |chunks| &chunks.bytes),
        };
        if has_blank_line(bytes) {
            self.id = message_id(self.cx.engine().world());
        }
        let client = self.shown_client();
        let sender = self.variable("sender_address");
        let lasted = self.lasted();
        let head = b"SMTP data timeout (message abandoned) on connection from ";
        let tail = [b" F=<", sender.bytes(), b"> D=", lasted.as_bytes()].concat();
        self.log(&[head, &client[..], &tail].concat());
        let host = self.host.clone();
        let tail = b" SMTP incoming data timeout - closing connection.";
        let text = [host.bytes(), tail.as_slice()].concat();
        self.not_quit("data-timeout", Some((b"421", &text)));
        self.close();
    }

    /// The client is waited for: anew, where something came to its end.
    pub(super) fn note_progress(&mut self) {
        if std::mem::take(&mut self.progressed) {
            self.waits_since = self.now();
        }
    }

    fn now(&self) -> Moment {
        self.cx.engine().world().clock.now()
    }
}
