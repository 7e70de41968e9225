//! Hosts that get one connection at a time (specification 30.4, `serialize_hosts`).

use std::net::IpAddr;
use std::sync::Arc;

use eximious_core::world::HintStore;
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt::SPOOL_DIRECTORY;
use eximious_stdlib::options::opt::transport::smtp;

use crate::Context;
use crate::mail::hints::{Working, host_key};
use crate::mail::smtp_transport::is_listed;
use crate::mail::transport::TransportCall;

/// A turn with a host; where the host is not listed, nobody else has to wait for its end.
#[derive(Debug)]
pub(super) struct HostTurn(Option<Vec<u8>>);

impl HostTurn {
    /// Takes it; nothing where somebody else has it. Where hints can't be had, nobody waits.
    pub(super) fn begin(
        call: &mut TransportCall<'_>,
        host: &RouteHost,
        address: IpAddr,
    ) -> Option<Self> {
        let transport = call.transport;
        let option = smtp::SERIALIZE_HOSTS;
        if transport.some_text(option).is_none()
            || !is_listed(call.cx, Some(transport), host, address, option)
        {
            return Some(Self(None));
        }
        let key = host_key(address.to_string().as_bytes());
        let (store, now) = hints(call.cx);
        match Working::enter(&*store, &key, 1, now) {
            Ok(true) => Some(Self(Some(key))),
            Ok(false) => None,
            Err(_) => Some(Self(None)),
        }
    }

    /// Whether somebody else has to wait for its end.
    pub(super) fn is_alone(&self) -> bool {
        self.0.is_some()
    }

    /// Somebody else may have it.
    pub(super) fn end(self, cx: &Context) {
        if let Some(key) = self.0 {
            let (store, now) = hints(cx);
            // What can't be taken back is forgotten in time.
            let _ = Working::leave(&*store, &key, now);
        }
    }
}

fn hints(cx: &Context) -> (Arc<dyn HintStore>, i64) {
    let engine = cx.engine();
    let spool = engine.settings().get(SPOOL_DIRECTORY);
    (engine.world().hint_store(spool.bytes()), engine.world().clock.now().seconds)
}
