//! ATRN: a client wants its mail over the same connection (RFC 2645, specification
//! 49.2.6).
//!
//! Who may have what is decided here. Then the connection would be turned round and
//! the mail be sent, for which there is no delivery yet: the client is told to come
//! back.

use eximious::acl::AclVerdict;
use eximious::{AclPhases, opt, var};

use super::SmtpSession;
use super::stage::Handled;
use super::verdict::Refused;

impl SmtpSession {
    /// Whether ATRN is offered: its ACL may be an expansion that gives none.
    pub(super) fn offers_atrn(&mut self) -> bool {
        self.expanded(opt::ACL_SMTP_ATRN).is_some_and(|acl| !acl.is_empty())
    }

    pub(super) fn atrn(&mut self, argument: &[u8]) -> Handled {
        if !self.connection.advertised.atrn {
            return Err(self.syntax_error(b"502", b"ATRN command used when not advertised"));
        }
        if self.transaction.envelope.is_some() {
            let text = b"ATRN is not permitted inside a transaction";
            return Err(self.protocol_error(b"503", text));
        }
        if self.variable(var::SENDER_HOST_AUTHENTICATED).is_empty() {
            let text = b"ATRN is not permitted without authentication";
            return Err(self.syntax_error(b"530", text));
        }
        let client = self.shown_client();
        self.log(&[b"ATRN '", argument, b"' received from ", &client].concat());
        let result = self.acl(opt::ACL_SMTP_ATRN, AclPhases::ATRN).unwrap_or_else(|| self.no_acl());
        if result.verdict != AclVerdict::Accept {
            let refused = Refused::new(&[b"ATRN ", argument]).code("450");
            return Err(self.refuse(&refused, result));
        }
        self.log_panic(b"ATRN can't be served: messages are not delivered by this server");
        Err(self.reply(&[b"451 Unable to process ATRN request now"]))
    }
}
