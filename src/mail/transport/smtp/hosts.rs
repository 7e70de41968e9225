//! Which hosts are tried.

use eximious_core::{Effects, Meta, TaintRule};
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::dns::local::is_local;
use eximious_stdlib::options::opt::transport::smtp;

use super::UNKNOWN;
use crate::mail::smtp_transport::{addresses_of, listed};
use crate::mail::transport::{TransportCall, Undelivered};

/// The number of what is not sent because it would come back.
const LOCAL_HOST: i32 = -50;

static LOCAL: Meta =
    Meta::new("smtp transport", Effects::DNS.union(Effects::HOST), TaintRule::Tainted);

/// The hosts to try, and those to try then.
pub(super) struct Hosts {
    pub(super) first: HostList,
    pub(super) fallback: HostList,
}

/// Hosts, in the order in which they are tried.
pub(super) struct HostList {
    pub(super) hosts: Vec<RouteHost>,
    /// Whether the transport's options name them, and none of them may be this one.
    is_own: bool,
}

impl HostList {
    /// Why a host is not to be tried, nor any after it: it is this one (`allow_localhost`).
    pub(super) fn refusal(
        &self,
        call: &mut TransportCall<'_>,
        host: &RouteHost,
    ) -> Option<Undelivered> {
        if !self.is_own || call.transport.on(smtp::ALLOW_LOCALHOST) {
            return None;
        }
        let why = match call.cx.call(&LOCAL, |call| is_local(call, host)) {
            Ok(false) => return None,
            Ok(true) => Undelivered::new(
                LOCAL_HOST,
                format!("smtp transport found host {} to be local", host.name),
            ),
            Err(fail) => Undelivered::new(UNKNOWN, fail.message()),
        };
        Some(why)
    }
}

/// The hosts of a delivery: those that its router found, or the transport's own.
pub(super) fn of(call: &mut TransportCall<'_>) -> Result<Hosts, Undelivered> {
    let transport = call.transport;
    let delivery = call.consignment.deliveries[0];
    let own = transport.some_text(smtp::HOSTS);
    let own = own.filter(|_| delivery.hosts.is_empty() || transport.on(smtp::HOSTS_OVERRIDE));
    let mut is_own = [own.is_some(), false];
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
        is_own[1] = true;
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
    let [first, fallback] = [(first, is_own[0]), (fallback, is_own[1])]
        .map(|(hosts, is_own)| HostList { hosts, is_own });
    Ok(Hosts { first, fallback })
}
