//! What is logged of a host.

use eximious_core::LogSelector;
use eximious_stdlib::ports;

use super::held::Line;
use super::session::Attempt;
use crate::mail::smtp_transport::log_tls_fault;
use crate::mail::transport::TakingHost;

impl Attempt<'_, '_, '_> {
    /// `127.0.0.1 [127.0.0.1]`
    pub(super) fn shown(&self) -> Vec<u8> {
        let mut place = format!(" [{}]", self.taking.address);
        let settings = self.call.cx.engine().settings();
        if settings.log_selector().contains(LogSelector::OUTGOING_PORT)
            && ports::is_logged(settings, self.taking.port)
        {
            place += &format!(":{}", self.taking.port);
        }
        [&self.taking.name[..], place.as_bytes()].concat()
    }

    /// `H=127.0.0.1 [127.0.0.1]: …`
    pub(super) fn about(&self, between: &[u8], why: &[u8]) -> Vec<u8> {
        [b"H=", &self.shown()[..], between, why].concat()
    }

    pub(super) fn log(&mut self, line: &[u8]) {
        self.call.cx.log().main(line);
        self.call.done.message_log.push(line.to_vec());
    }

    /// As [`log_tls_fault`].
    pub(super) fn log_fault(&mut self, line: &mut Line) {
        let TakingHost { name, address, .. } = &self.taking;
        log_tls_fault(self.call.cx, &mut line.opened.client, name, *address);
    }
}
