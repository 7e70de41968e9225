//! Which hosts are tried.

use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt::transport::smtp;

use super::UNKNOWN;
use crate::mail::smtp_transport::{addresses_of, listed};
use crate::mail::transport::{TransportCall, Undelivered};

/// The hosts to try, and those to try then.
pub(super) struct Hosts {
    pub(super) first: Vec<RouteHost>,
    pub(super) fallback: Vec<RouteHost>,
}

/// The hosts of a delivery: those that its router found, or the transport's own.
pub(super) fn of(call: &mut TransportCall<'_>) -> Result<Hosts, Undelivered> {
    let transport = call.transport;
    let delivery = call.consignment.deliveries[0];
    let own = transport.some_text(smtp::HOSTS);
    let own = own.filter(|_| delivery.hosts.is_empty() || transport.on(smtp::HOSTS_OVERRIDE));
    let mut first = match own {
        Some(list) => {
            let text = transport.expand(call.cx, smtp::HOSTS).unwrap_or_else(|| Ok(list.clone()));
            let text = text.map_err(|fail| {
                let head = [b"failed to expand list of hosts \"", list.bytes(), b"\" in "].concat();
                let tail = [transport.name.bytes(), b" transport: ", fail.message()].concat();
                Undelivered::new(UNKNOWN, [head, tail].concat())
            })?;
            listed(call.cx, transport, &text)
        }
        None => delivery.hosts.clone(),
    };
    if first.is_empty() {
        let parts = [transport.name.bytes(), b" transport called with no hosts set"];
        return Err(Undelivered { freezes: true, ..Undelivered::new(UNKNOWN, parts.concat()) });
    }
    let mut fallback = delivery.fallback_hosts.clone();
    if fallback.is_empty()
        && let Some(list) = transport.some_text(smtp::FALLBACK_HOSTS)
    {
        fallback = listed(call.cx, transport, list);
    }
    for hosts in [&mut first, &mut fallback] {
        let named = std::mem::take(hosts);
        for host in named {
            if host.address.is_some() {
                hosts.push(host);
                continue;
            }
            let found = addresses_of(call.cx, transport, host.name.as_bytes());
            hosts.extend(found.into_iter().map(|one| RouteHost { port: host.port, ..one }));
        }
    }
    Ok(Hosts { first, fallback })
}
