//! How long a client may take (`smtp_receive_timeout`, `proxy_protocol_timeout`).

use std::time::Duration;

use eximious::stdlib::interval;
use eximious::world::Moment;
use eximious::{Expanded, LogSelector, opt, var};

use super::Session;
use super::proxy::since;
use super::session::Stage;
use crate::options;
use crate::reception::{has_blank_line, message_id};

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
        if let Stage::Shaking(shaking) = &self.stage {
            let began = shaking.began;
            return self.patience_of_tls(began);
        }
        let time = self.time_for_a_line()?;
        Some(time.saturating_sub(since(self.waits_since, self.now())))
    }

    /// How long it waits for a line, or for the client to take what was said; without
    /// a time, for ever.
    pub fn time_for_a_line(&mut self) -> Option<Duration> {
        if let Some(known) = self.patience {
            return known;
        }
        let option = opt::SMTP_RECEIVE_TIMEOUT;
        let time = match self.cx.engine().settings().get(option) {
            Expanded::Value(time) => Some(time),
            Expanded::Text(text) => {
                let text = options::expanded_text(&mut self.cx, option.name(), &text);
                let seconds = interval::seconds(text.unwrap_or_default().bytes());
                seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
            }
        };
        let time = time.unwrap_or_else(|| option.default().value().unwrap_or_default());
        let patience = (!time.is_zero()).then_some(time);
        self.patience = Some(patience);
        patience
    }

    /// The client took too long.
    pub fn time_is_up(&mut self) {
        match &self.stage {
            Stage::Proxy(_) => self.give_up_proxy(),
            Stage::Shaking(_) => self.tls_took_too_long(),
            Stage::Commands | Stage::Auth(_) => {
                if self.logs(LogSelector::LOST_INCOMING_CONNECTION) {
                    let (client, lasted) = (self.shown_client(), self.lasted());
                    let head = b"SMTP command timeout on connection from ";
                    self.log(&[head, &client[..], b" D=", lasted.as_bytes()].concat());
                }
                let host = self.host.clone();
                let text = [host.bytes(), b": SMTP command timeout - closing connection"].concat();
                self.not_quit("command-timeout", Some((b"421", &text)));
                self.counts.told_of_no_mail = true;
                self.failed = true;
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
            self.id = message_id(self.cx.engine());
        }
        let client = self.shown_client();
        let sender = self.variable(var::SENDER_ADDRESS);
        let lasted = self.lasted();
        let head = b"SMTP data timeout (message abandoned) on connection from ";
        let tail = [b" F=<", sender.bytes(), b"> D=", lasted.as_bytes()].concat();
        self.log(&[head, &client[..], &tail].concat());
        let host = self.host.clone();
        let tail = b" SMTP incoming data timeout - closing connection.";
        let text = [host.bytes(), tail.as_slice()].concat();
        self.not_quit("data-timeout", Some((b"421", &text)));
        self.counts.told_of_no_mail = true;
        self.failed = true;
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
