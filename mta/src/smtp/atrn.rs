//! ATRN: a client wants its mail over the same connection (RFC 2645, specification
//! 49.2.7).
//!
//! Who may have what is decided here. Then the session is over, and whoever holds the
//! connection has the mail sent along it ([`crate::delivery::Deliverer::serve_customer`]).

use std::net::SocketAddr;

use eximious::acl::AclVerdict;
use eximious::transport::TurnedTls;
use eximious::{AclPhases, opt, var};

use super::SmtpSession;
use super::stage::{Handled, Stage};
use super::verdict::Refused;
use crate::delivery::Customer;

/// What a client is told that gets its mail.
const TURNING: &[u8] = b"250 ODMR provider turning line around";

/// What a session does for those who want their mail.
#[derive(Debug, Default)]
pub(super) enum Turning {
    /// Nothing: whoever holds the connection can't do that.
    #[default]
    Unable,
    /// It may come to that.
    Able,
    /// The connection belongs to somebody who gets mail.
    Turned(Box<Customer>),
}

impl SmtpSession {
    /// Says that clients can have their mail over the same connection: whoever holds it sees
    /// to that, once the session has closed ([`SmtpSession::take_customer`]).
    pub fn serve_customers(&mut self) {
        self.connection.turning = Turning::Able;
    }

    /// Who is to get mail over the connection, now that the session is over, and TLS around
    /// it. The connection stays open then.
    pub fn take_customer(&mut self) -> Option<(Customer, Option<TurnedTls>)> {
        match std::mem::take(&mut self.connection.turning) {
            Turning::Turned(customer) => Some((*customer, self.take_tls())),
            Turning::Unable | Turning::Able => None,
        }
    }

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
            return Err(self.protocol_error(b"530", text));
        }
        let client = self.shown_client();
        self.log(&[b"ATRN '", argument, b"' received from ", &client].concat());
        self.acl_state.waiting_domains = None;
        let result = self.acl(opt::ACL_SMTP_ATRN, AclPhases::ATRN).unwrap_or_else(|| self.no_acl());
        let waiting = self.acl_state.waiting_domains.take();
        if result.verdict != AclVerdict::Accept {
            let refused = Refused::new(&[b"ATRN ", argument]).code("450");
            return Err(self.refuse(&refused, result));
        }
        let Some(waiting) = waiting else {
            return Err(self.reply(&[b"453 You have no mail"]));
        };
        if self.setup.is_test {
            self.say(&[TURNING]);
            return Ok(self.close());
        }
        let client = &self.connection.client;
        let (Some(address), Turning::Able) = (client.address, &self.connection.turning) else {
            self.log_panic(b"ATRN can't be served: messages are not delivered by this server");
            return Err(self.reply(&[b"451 Unable to process ATRN request now"]));
        };
        let customer = Customer {
            address: SocketAddr::new(address, client.port),
            queue: self.acl_state.queue.clone(),
            waiting,
            argument: argument.to_vec(),
        };
        self.say(&[TURNING]);
        self.connection.turning = Turning::Turned(Box::new(customer));
        self.leave_connection();
        Ok(Stage::Done)
    }
}
