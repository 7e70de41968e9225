//! Clients that go away behind the last line of a message. Who is gone does not hear that
//! it was accepted, and sends it again: so it is not kept, as Exim does it.

use eximious::{Str, var};

use super::SmtpSession;
use super::stage::Stage;
use super::transaction::DiscardedBy;
use crate::reception;

/// Adds what has come already to some bytes, without waiting for more; true where nothing
/// will come any more.
pub type Inlet = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;

impl SmtpSession {
    /// Has the session look, before it accepts a message, whether the client is still there.
    /// Without, one that has ended its side counts as one that waits for the answer, as a
    /// program does whose words come from a file.
    pub fn set_inlet(&mut self, inlet: Option<Inlet>) {
        self.setup.inlet = inlet;
    }

    /// Whether the client has ended its side, and left nothing that is to be answered.
    pub(super) fn is_client_gone(&mut self) -> bool {
        if self.setup.inlet.is_none() || !self.input.rest().is_empty() {
            return false;
        }
        if !self.input.ended
            && let Some(inlet) = &mut self.setup.inlet
        {
            let mut bytes = Vec::new();
            let ended = inlet(&mut bytes);
            self.take_input(&bytes);
            if ended {
                self.end_input();
            }
        }
        self.input.ended && self.input.rest().is_empty()
    }

    /// Drops a message that was accepted, and ends the connection; which ACL threw the
    /// recipients away, if one did, and why.
    pub(super) fn lose_after_final_dot(
        &mut self,
        discarded: Option<&DiscardedBy>,
        why: Option<&Str>,
    ) -> Stage {
        // The ACL sees the message as it would have been kept, or sent.
        if self.acl_state.cutthrough.delivers() {
            self.log_vain_headers();
        } else if let Some(mut message) = self.cx.take_message() {
            let replaced = &mut self.transaction.arrived.replaced;
            reception::apply_headers(&mut message, replaced, &mut self.acl_state);
            self.cx.set_message(Some(message));
        }
        self.log_broken_tls();
        self.run_notquit("connection-lost", None);
        let client = self.logged_client();
        let head = b"SMTP connection lost after final dot ".as_slice();
        let mut line = [head, &client].concat();
        let protocol = self.variable(var::RECEIVED_PROTOCOL);
        line.extend_from_slice(&[b" P=", protocol.bytes()].concat());
        let pipelining = self.shown_pipelining();
        if !pipelining.is_empty() {
            line.extend_from_slice(&[b" ", &pipelining[..]].concat());
        }
        self.log(&line);
        if let Some(acl) = discarded {
            self.log_discarding(acl, why);
        }
        self.end_transaction(false);
        self.close()
    }
}
