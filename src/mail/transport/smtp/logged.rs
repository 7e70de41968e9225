//! What is logged of a host.

use eximious_core::LogSelector;
use eximious_core::world::{LogLine, LogPart};
use eximious_stdlib::options::opt as main;
use eximious_stdlib::ports;
use eximious_stdlib::printing::printing;

use super::held::Line;
use super::session::Attempt;
use crate::mail::smtp_transport::{EarlyHost, Opened, log_tls_fault};
use crate::mail::transport::TakingHost;

impl Attempt<'_, '_> {
    /// `127.0.0.1 [127.0.0.1]`
    pub(super) fn shown(&self) -> Vec<u8> {
        let mut place = format!(" [{}]", self.taking.address);
        if self.shows_port() {
            place += &format!(":{}", self.taking.port);
        }
        [&self.taking.name[..], place.as_bytes()].concat()
    }

    /// Whether its port is shown.
    fn shows_port(&self) -> bool {
        let settings = self.call.cx.engine().settings();
        settings.log_selector().contains(LogSelector::OUTGOING_PORT)
            && ports::is_logged(settings, self.taking.port)
    }

    /// `H=127.0.0.1 [127.0.0.1]: …`
    pub(super) fn about(&self, between: &[u8], why: &[u8]) -> Vec<u8> {
        [b"H=", &self.shown()[..], between, why].concat()
    }

    /// The same of an address by itself: a port that is shown has no colon behind it.
    pub(super) fn about_one(&self, why: &[u8]) -> Vec<u8> {
        self.about(if self.shows_port() { b" " } else { b": " }, why)
    }

    /// Whether bytes above 127 print in what is told of a host (`print_topbitchars`).
    pub(super) fn topbit(&self) -> bool {
        self.call.cx.engine().settings().get(main::PRINT_TOPBITCHARS)
    }

    /// ` A=plain:ann L PRDR K`: how a copy went to the host.
    pub(super) fn fields(
        &self,
        opened: &Opened,
        submitter: Option<&[u8]>,
        (judged_each, bdat): (bool, bool),
    ) -> LogLine {
        let mut fields = LogLine::default();
        let selected = self.call.cx.engine().settings().log_selector();
        if let Some(one) = &opened.authenticated {
            fields.field("A", one.by.bytes());
            if let Some(id) = &one.id {
                let more = |bytes: &[u8]| [b":", &printing(bytes, false)[..]].concat();
                fields.push(LogPart::More, more(id.bytes()));
                let told = submitter.filter(|_| selected.contains(LogSelector::SMTP_MAILAUTH));
                fields.push(LogPart::More, told.map(more).unwrap_or_default());
            }
        }
        if opened.client.pipelines() && selected.contains(LogSelector::PIPELINING) {
            let early = opened.early.as_ref().is_some_and(EarlyHost::was_early);
            fields.words(if early { b"L*" } else { b"L" });
        }
        if judged_each {
            fields.words(b"PRDR");
        }
        if bdat {
            fields.words(b"K");
        }
        fields
    }

    pub(super) fn log(&mut self, line: &[u8]) {
        self.call.log(line);
        self.call.done.message_log.push(line.to_vec());
    }

    /// As [`log_tls_fault`].
    pub(super) fn log_fault(&mut self, line: &mut Line) {
        let TakingHost { name, address, .. } = &self.taking;
        log_tls_fault(self.call.cx, &mut line.opened.client, name, *address);
    }
}
