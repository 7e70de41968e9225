//! How long a client may take (`smtp_receive_timeout`, `proxy_protocol_timeout`).

use std::time::Duration;

use eximious::world::Moment;
use eximious::{LogSelector, var};

use super::SmtpSession;
use super::mail_data::MailData;
use super::proxy::since;
use super::stage::Stage;
use crate::{logs, options};

/// How long the client was waited for already.
#[derive(Debug)]
pub(super) struct ReadTimer {
    /// How long it waits for a line of the client, once that is known.
    limit: Option<Option<Duration>>,
    /// When the last line ended, or whatever else is waited for began.
    since: Moment,
    /// Whether anything came to its end since then.
    pub(super) progressed: bool,
}

impl ReadTimer {
    pub(super) fn new(began: Moment) -> Self {
        Self { limit: None, since: began, progressed: false }
    }
}

impl SmtpSession {
    /// How much longer to wait for input; `None` is for ever. Where nothing comes in
    /// that time, [`SmtpSession::time_out`] is what to call.
    ///
    /// The time is for a line, or for a piece of a chunk: bytes that come one by one
    /// do not prolong it.
    pub fn read_timeout(&mut self) -> Option<Duration> {
        match &self.stage {
            Stage::Proxy(began) => Some(self.proxy_timeout(*began)),
            Stage::TlsHandshake(handshake) => {
                let began = handshake.began;
                self.time_left(began)
            }
            Stage::Start
            | Stage::Commands(_)
            | Stage::Auth(_)
            | Stage::Data(_)
            | Stage::Chunk(_)
            | Stage::Judged(_)
            | Stage::Deciding(_)
            | Stage::Done => self.time_left(self.connection.read_timer.since),
        }
    }

    /// What is left of the time for a line, where it is waited for since then.
    fn time_left(&mut self, waited_since: Moment) -> Option<Duration> {
        let time = self.receive_timeout()?;
        Some(time.saturating_sub(since(waited_since, self.now())))
    }

    /// How long it waits for a line, or for the client to take what was said; without
    /// a time, for ever.
    pub fn receive_timeout(&mut self) -> Option<Duration> {
        if let Some(known) = self.connection.read_timer.limit {
            return known;
        }
        let limit = options::smtp_receive_timeout(&mut self.cx);
        self.connection.read_timer.limit = Some(limit);
        limit
    }

    /// The client took too long.
    pub fn time_out(&mut self) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Proxy(_) => self.proxy_timed_out(),
            Stage::TlsHandshake(handshake) => self.handshake_timed_out(&handshake),
            Stage::Commands(_) | Stage::Auth(_) => self.command_timed_out(),
            Stage::Data(data) => self.data_timed_out(Some(&data)),
            Stage::Chunk(chunk) => self.chunk_timed_out(&chunk),
            stage @ (Stage::Start | Stage::Judged(_) | Stage::Deciding(_) | Stage::Done) => stage,
        };
    }

    pub(super) fn command_timed_out(&mut self) -> Stage {
        self.name_chunks();
        if self.tells(LogSelector::LOST_INCOMING_CONNECTION) {
            let under: &[u8] = if self.connection.tls.is_established() { b"TLS " } else { b"" };
            let line = logs::command_timeout(&mut self.cx, under, self.connection.began);
            self.log_if(LogSelector::LOST_INCOMING_CONNECTION, &line);
        }
        let host = self.connection.host.clone();
        let text = [host.bytes(), b": SMTP command timeout - closing connection"].concat();
        self.close_for_timeout("command-timeout", &text)
    }

    pub(super) fn data_timed_out(&mut self, data: Option<&MailData>) -> Stage {
        if let Some(data) = data {
            self.name_if_in_body(data);
        }
        let sender = self.variable(var::SENDER_ADDRESS);
        let line = logs::data_timeout(&mut self.cx, sender.bytes(), self.connection.began);
        self.log_if(LogSelector::LOST_INCOMING_CONNECTION, &line);
        let host = self.connection.host.clone();
        let tail = b" SMTP incoming data timeout - closing connection.";
        let text = [host.bytes(), tail.as_slice()].concat();
        self.close_for_timeout("data-timeout", &text)
    }

    fn close_for_timeout(&mut self, reason: &'static str, text: &[u8]) -> Stage {
        self.run_notquit(reason, Some((b"421", text)));
        self.connection.counts.told_of_no_mail = true;
        self.connection.failed = true;
        self.close()
    }

    /// The client is waited for: anew, where something came to its end.
    pub(super) fn note_progress(&mut self) {
        if std::mem::take(&mut self.connection.read_timer.progressed) {
            self.connection.read_timer.since = self.now();
        }
    }

    /// What time it is.
    pub(super) fn now(&self) -> Moment {
        self.cx.engine().world().clock.now()
    }
}
