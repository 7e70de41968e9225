//! Which hosts are tried.

use eximious_core::{Effects, FailClass, Meta, Str, TaintRule};
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::dns::local::is_local;
use eximious_stdlib::lists::ip;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::options::yes_or_no;

use super::UNKNOWN;
use crate::mail::route::{RouteError, listed_hosts, shuffle, unresolved};
use crate::mail::smtp_transport::{addresses_of, found_hosts, telling};
use crate::mail::transport::{StandIn, TransportCall, Undelivered};

/// The number of what is not sent because it would come back.
const LOCAL_HOST: i32 = -50;

static LOCAL: Meta =
    Meta::new("smtp transport", Effects::DNS.union(Effects::HOST), TaintRule::Tainted);

/// The hosts to try, and those that stand in for them.
pub(super) struct Hosts {
    pub(super) list: HostList,
    pub(super) stand_ins: Vec<StandIn>,
}

/// Hosts, in the order in which they are tried.
pub(super) struct HostList {
    pub(super) hosts: Vec<RouteHost>,
    /// The names of those that have no address, as is known.
    missing: Vec<String>,
    /// Whether none of them may be this one: the transport's options name them, or they stand
    /// in for others.
    is_elsewhere: bool,
}

impl HostList {
    /// Whether a router found them.
    pub(super) fn are_routed(&self) -> bool {
        !self.is_elsewhere
    }

    /// Why a host without an address is not tried.
    pub(super) fn not_found(&self, host: &RouteHost) -> Undelivered {
        let why = format!("failed to lookup IP address for {}", host.name);
        Undelivered::new(RouteError::HOST, why)
    }

    /// Whether a host without an address may have one another time.
    pub(super) fn may_be_found(&self, host: &RouteHost) -> bool {
        !self.missing.contains(&host.name)
    }

    /// Why a host is not to be tried, nor any after it: it is this one (`allow_localhost`).
    pub(super) fn refusal(
        &self,
        call: &mut TransportCall<'_>,
        host: &RouteHost,
    ) -> Option<Undelivered> {
        if !self.is_elsewhere || call.transport.on(smtp::ALLOW_LOCALHOST) {
            return None;
        }
        let why = match call.cx.call(&LOCAL, |call| is_local(call, host)) {
            Ok(false) => return None,
            Ok(true) => Undelivered::new(
                LOCAL_HOST,
                format!(
                    "{} transport found host {} to be local",
                    call.transport.name.display(),
                    host.name
                ),
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
    let random = is_random(call)?;
    let own = transport.text(smtp::HOSTS);
    let overrides = transport.on(smtp::HOSTS_OVERRIDE) && !delivery.stands_in;
    let own = own.filter(|_| delivery.hosts.is_empty() || overrides);
    let named = match own {
        Some(list) => {
            let text = transport.expand(call.cx, smtp::HOSTS).unwrap_or_else(|| Ok(list.clone()));
            let text = text.map_err(|fail| {
                let head = [b"failed to expand list of hosts \"", list.bytes(), b"\" in "].concat();
                let tail = [transport.name.bytes(), b" transport: ", fail.message()].concat();
                Undelivered::new(UNKNOWN, [head, tail].concat()).panicking()
            })?;
            refuse_tainted(call, &text, list)?;
            told_hosts(call, &text, random)
        }
        None => {
            let mut hosts = unknown(&delivery.hosts);
            // An order that the DNS gave stays, and that of groups, which are the router's.
            if random && !delivery.shuffled && hosts.iter().all(|(host, _)| host.mx.is_none()) {
                shuffle(call.cx, &mut hosts);
            }
            hosts
        }
    };
    if named.is_empty() && own.is_some() {
        let words = [transport.name.bytes(), b" transport has empty hosts setting"].concat();
        return Err(Undelivered::new(UNKNOWN, words).panicking());
    }
    if named.is_empty() {
        let parts = [transport.name.bytes(), b" transport called with no hosts set"];
        return Err(Undelivered::new(UNKNOWN, parts.concat()).panicking());
    }
    let stand_ins = stand_ins(call, random)?;
    let list = with_addresses(call, named, own.is_some(), own.is_some() || delivery.stands_in);
    Ok(Hosts { list, stand_ins })
}

/// Hosts, and of each whether it is known that it has no address.
type Named = Vec<(RouteHost, bool)>;

/// The hosts that stand in for others: those that routers named, or the transport's own.
fn stand_ins(call: &mut TransportCall<'_>, random: bool) -> Result<Vec<StandIn>, Undelivered> {
    let deliveries = call.consignment.deliveries;
    // Nobody stands in for those that do.
    let all = deliveries.iter().enumerate().filter(|(_, one)| !one.stands_in);
    let own = match all.clone().any(|(_, one)| one.fallback_hosts.is_empty()) {
        true => own_stand_ins(call, random)?,
        false => Vec::new(),
    };
    let all = all.map(|(at, one)| match &one.fallback_hosts[..] {
        [] => StandIn { at, hosts: own.clone(), shuffled: random },
        routed => StandIn { at, hosts: routed.to_vec(), shuffled: false },
    });
    Ok(all.filter(|one| !one.hosts.is_empty()).collect())
}

/// Those that the transport's option names.
fn own_stand_ins(
    call: &mut TransportCall<'_>,
    random: bool,
) -> Result<Vec<RouteHost>, Undelivered> {
    let transport = call.transport;
    let Some(list) = transport.text(smtp::FALLBACK_HOSTS) else { return Ok(Vec::new()) };
    let Some(text) = transport.expand_some(call.cx, smtp::FALLBACK_HOSTS) else {
        return Ok(Vec::new());
    };
    let failed = |_| Undelivered::new(UNKNOWN, "Transport setup call failed").panicking();
    let text = text.map_err(failed)?;
    refuse_tainted(call, &text, list)?;
    Ok(unresolved(&listed_hosts(call.cx, text.bytes(), random)))
}

/// Hosts with all of their addresses, which those that a router only names have not yet.
fn with_addresses(
    call: &mut TransportCall<'_>,
    named: Named,
    is_own: bool,
    is_elsewhere: bool,
) -> HostList {
    let transport = call.transport;
    let mut list = HostList { hosts: Vec::new(), missing: Vec::new(), is_elsewhere };
    // What an MX record names is no address, unless the router took it for one.
    let is_name =
        |host: &RouteHost| host.mx.is_none() || ip::address(host.name.as_bytes()).is_none();
    let hosts = named.into_iter().filter(|(host, _)| host.address.is_some() || is_name(host));
    for (host, is_missing) in hosts {
        let found = match is_own || host.address.is_some() {
            true => vec![(host, is_missing)],
            false => {
                let name = host.name.as_bytes();
                let (found, is_missing) =
                    telling(call.cx, Some(transport), |cx| addresses_of(cx, transport, name));
                let at = |one| (RouteHost { port: host.port, ..one }, is_missing);
                found.into_iter().map(at).collect()
            }
        };
        for (host, is_missing) in found {
            if is_missing {
                list.missing.push(host.name.clone());
            }
            list.hosts.push(host);
        }
    }
    list
}

/// Who sends a message does not choose where it goes: hosts that come from outside are none.
fn refuse_tainted(
    call: &mut TransportCall<'_>,
    hosts: &Str,
    written: &Str,
) -> Result<(), Undelivered> {
    if !hosts.taint().is_tainted() {
        return Ok(());
    }
    let head = [b"attempt to use tainted host list '", hosts.bytes(), b"' from '"].concat();
    let tail = [written.bytes(), b"' in transport ", call.transport.name.bytes()].concat();
    call.cx.log().panic(&[head, tail].concat());
    Err(Undelivered::new(UNKNOWN, "internal configuration error").panicking())
}

/// Hosts of which it is not known that they have no address.
fn unknown(hosts: &[RouteHost]) -> Named {
    hosts.iter().map(|host| (host.clone(), false)).collect()
}

/// Whether hosts are tried in an order by chance.
fn is_random(call: &mut TransportCall<'_>) -> Result<bool, Undelivered> {
    let (transport, option) = (call.transport, smtp::HOSTS_RANDOMIZE);
    let Some(text) = transport.expand_some(call.cx, option) else {
        return Ok(transport.on(option));
    };
    let name = transport.name.bytes();
    match text {
        Ok(text) => yes_or_no(text.bytes()).ok_or_else(|| {
            let middle = b"\" is not a valid value for the \"hosts_randomize\" option in the ";
            let parts = [b"\"", text.bytes(), middle, name, b" transport"];
            Undelivered::new(UNKNOWN, parts.concat())
        }),
        Err(fail) if fail.class() == FailClass::Forced => Ok(false),
        Err(fail) => {
            let head = b"failed to expand \"hosts_randomize\" in ".as_slice();
            let parts = [head, name, b" transport: ", fail.message()];
            Err(Undelivered::new(UNKNOWN, parts.concat()))
        }
    }
}

/// The hosts of a list of the transport's.
fn told_hosts(call: &mut TransportCall<'_>, list: &Str, random: bool) -> Named {
    let transport = call.transport;
    telling(call.cx, Some(transport), |cx| found_hosts(cx, transport, list, random))
}
