//! Hosts that get one connection at a time (specification 30.4, `serialize_hosts`).

use std::net::IpAddr;

use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt::transport::smtp;

use crate::mail::hints::{WorkingTurn, host_key};
use crate::mail::smtp_transport::is_listed;
use crate::mail::transport::TransportCall;

/// A turn with a host, which ends when this is dropped; where the host is not listed, nobody
/// else has to wait for that.
#[derive(Debug)]
pub(super) struct HostTurn(Option<WorkingTurn>);

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
        match WorkingTurn::begin(call.cx, key, 1) {
            Ok(turn) => turn.map(|turn| Self(Some(turn))),
            Err(_) => Some(Self(None)),
        }
    }

    /// Whether somebody else has to wait for its end.
    pub(super) fn is_alone(&self) -> bool {
        self.0.is_some()
    }
}
