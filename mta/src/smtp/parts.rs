//! The parts of a message are judged, before it is as a whole (specification 45.4).

use eximious::acl::{AclVerdict, PartsVerdict};
use eximious::var;

use super::SmtpSession;
use super::stage::Stage;
use super::transaction::DiscardedBy;
use super::verdict::Refused;
use crate::reception;

impl SmtpSession {
    /// `acl_smtp_mime`, for each part of the message.
    pub(super) fn run_mime_acl(&mut self) -> Result<(), Stage> {
        self.acl_state.is_wire = self.transaction.arrived.is_wire;
        let gets = self.transaction.envelope.as_ref().is_some_and(|one| !one.recipients.is_empty());
        if !gets {
            return Ok(());
        }
        let verdict = self.parts_acl();
        // The ACL for the message as a whole sees what this one added.
        if let Some(mut message) = self.cx.take_message() {
            let replaced = &mut self.transaction.arrived.replaced;
            reception::apply_headers(&mut message, replaced, &mut self.acl_state);
            self.cx.set_message(Some(message));
            self.cx.unset_var(var::HEADERS_ADDED);
        }
        match verdict {
            PartsVerdict::Accepted => Ok(()),
            PartsVerdict::Ended(result) if result.verdict == AclVerdict::Discard => {
                if let Some(envelope) = &mut self.transaction.envelope {
                    envelope.recipients.clear();
                    envelope.discarded = Some(DiscardedBy::Mime);
                }
                Ok(())
            }
            PartsVerdict::Ended(result) => {
                let refused = Refused::in_mime().with_sender();
                self.connection.failed |= result.verdict == AclVerdict::Drop;
                self.acl_state.end_scan(&mut self.cx);
                let stage = self.refuse(&refused, result);
                self.end_transaction(false);
                Err(stage)
            }
            PartsVerdict::Uncopied => {
                self.say(&[b"451 temporary local problem"]);
                self.end_transaction(false);
                Err(Stage::COMMANDS)
            }
        }
    }
}
