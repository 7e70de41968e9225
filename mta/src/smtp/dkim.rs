//! The ACL for a message's signatures (specification 44.2.5).

use eximious::Str;
use eximious::acl::AclVerdict;

use super::SmtpSession;
use super::stage::Stage;
use super::transaction::DiscardedBy;
use super::verdict::Refused;

/// What the ACL wants to be said, and logged, of a message that it throws away.
pub(super) type Thrown = (Option<Str>, Option<Str>);

impl SmtpSession {
    /// Verifies the signatures, and runs the ACL for them. The error is what comes of it
    /// that the message is refused.
    pub(super) fn run_dkim_acl(&mut self) -> Result<Thrown, Stage> {
        let gets = self.transaction.envelope.as_ref().is_some_and(|one| !one.recipients.is_empty());
        if !gets {
            return Ok(Thrown::default());
        }
        let Some(result) = self.check_dkim() else { return Ok(Thrown::default()) };
        if result.verdict == AclVerdict::Discard {
            if let Some(envelope) = &mut self.transaction.envelope {
                envelope.discarded = Some(DiscardedBy::Dkim);
                envelope.recipients.clear();
            }
            return Ok((result.user_message, result.log_message));
        }
        self.connection.failed |= result.verdict == AclVerdict::Drop;
        let stage = self.refuse(&Refused::dkim(), result);
        self.end_transaction(false);
        Err(stage)
    }
}
