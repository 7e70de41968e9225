//! Mail for a client that asked for it, along its own connection (ATRN, RFC 2645,
//! specification 49.2.7).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use eximious::acl::WaitingDomains;
use eximious::route::Address;
use eximious::transport::TurnedConnection;
use eximious::world::SpoolPlace;
use eximious::{Context, Str, var};

use super::kept::KeptConnections;
use super::{Deliverer, QueueRun};

/// Who has asked for mail, and for which.
#[derive(Clone, Debug)]
pub struct Customer {
    /// From where it called.
    pub address: SocketAddr,
    /// The named queue that its mail is in; empty for the usual one.
    pub queue: Str,
    /// What it may have.
    pub waiting: WaitingDomains,
    /// What it said that it wants.
    pub argument: Vec<u8>,
}

impl Customer {
    /// Whether an address is one of its.
    fn has(&self, address: &Address) -> bool {
        self.waiting.domains.contains(&address.domain.bytes().to_ascii_lowercase())
    }

    /// Its address, for a router: `$atrn_host`.
    fn host(&self) -> String {
        format!("[{}]:{}", self.address.ip(), self.address.port())
    }
}

impl Deliverer {
    /// Sends a client what waits for its domains, along its own connection, and closes that.
    /// Routers find the client in `$atrn_host`; of other addresses, and of what comes of
    /// messages here, such as reports, they know nothing of it.
    pub fn serve_customer(
        &self,
        place: &SpoolPlace,
        customer: Customer,
        connection: TurnedConnection,
        stops: &AtomicBool,
    ) {
        let run = QueueRun {
            forced: true,
            customer: Some(customer.waiting.clone()),
            ..QueueRun::default()
        };
        let kept = Arc::new(KeptConnections::turned(customer.address, connection));
        kept.set_busy(true);
        let own =
            Self { kept: Some(kept.clone()), customer: Some(Arc::new(customer)), ..self.clone() };
        // There is no pattern that could be wrong.
        let _ = own.run_queue(place, &run, stops);
        own.end_connections(&kept);
    }

    /// The same, for mail that is not the client's.
    pub(super) fn without_customer(&self) -> Self {
        match self.customer {
            Some(_) => Self { kept: None, customer: None, ..self.clone() },
            None => self.clone(),
        }
    }

    /// Whether an address is to be left alone: it is somebody else's than the client's that
    /// has called.
    pub(super) fn is_of_others(&self, address: &Address) -> bool {
        self.customer.as_ref().is_some_and(|customer| !customer.has(address))
    }

    /// Has routers know of the client that has called, where an address is one of its.
    pub(super) fn show_customer(&self, cx: &mut Context, address: &Address) {
        let Some(customer) = &self.customer else { return };
        match customer.has(address) {
            true => cx.set_var(var::ATRN_HOST, Str::from(customer.host())),
            false => cx.unset_var(var::ATRN_HOST),
        }
    }

    /// What is known of the client that has called, whatever the address.
    pub(super) fn introduce_customer(&self, cx: &mut Context) {
        let Some(customer) = &self.customer else { return };
        cx.set_var(var::ATRN_MODE, Str::fixed("P"));
        cx.set_var(var::SMTP_COMMAND_ARGUMENT, Str::tainted(&customer.argument[..]));
    }

    /// Whether a client had called, and is gone.
    pub(super) fn has_lost_customer(&self) -> bool {
        self.customer.is_some() && self.kept.as_ref().is_some_and(|kept| kept.is_all_gone())
    }
}
