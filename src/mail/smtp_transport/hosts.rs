//! The hosts that a transport's `hosts` names (specification, chapter 30).

use eximious_core::trace::{Happening, HostEvent};
use eximious_core::{Effects, Meta, Str, TaintRule};
use eximious_stdlib::dns::find::{DnsSearch, Ending, RouteHost, by_dns, by_name};
use eximious_stdlib::lists::ip;
use eximious_stdlib::options::opt::transport::smtp;

use crate::Context;
use crate::mail::route::{Delivery, Routes, Text, listed_hosts};
use crate::mail::transport::{Transport, is_on};

static META: Meta =
    Meta::new("smtp transport", Effects::DNS.union(Effects::NET), TaintRule::Tainted);

/// The hosts of a list, each with its addresses, in the order in which they are tried; one
/// that has none stands there without.
pub(crate) fn listed(cx: &mut Context, transport: &Transport, list: &Str) -> Vec<RouteHost> {
    let random = is_on(cx, transport, smtp::HOSTS_RANDOMIZE).unwrap_or(false);
    let all = found(cx, transport, list, random);
    all.into_iter().map(|(host, _)| host).collect()
}

/// The same, perhaps in an order by chance, and of each whether it is known that it has no
/// address.
pub(crate) fn found(
    cx: &mut Context,
    transport: &Transport,
    list: &Str,
    random: bool,
) -> Vec<(RouteHost, bool)> {
    let mut all = Vec::new();
    for item in listed_hosts(cx, list.bytes(), random) {
        let (mut hosts, is_missing) = addresses(cx, transport, &item.name);
        for host in &mut hosts {
            host.port = item.port.or(host.port);
        }
        all.extend(hosts.into_iter().map(|host| (host, is_missing)));
    }
    all
}

/// The hosts that are asked about a delivery: those that its router found, or its
/// transport's. Nothing where there is nobody to ask; that the list can't be had is logged.
pub(crate) fn of_delivery(
    cx: &mut Context,
    routes: &Routes,
    delivery: &Delivery,
    log: &mut dyn FnMut(&[u8]),
) -> Option<Vec<RouteHost>> {
    let transport = delivery.transport.map(|number| routes.transport_at(number));
    let own = |hosts: &[RouteHost]| (!hosts.is_empty()).then(|| hosts.to_vec());
    let Some(transport) = transport else { return own(&delivery.hosts) };
    if !transport.is_remote() {
        return None;
    }
    let list = transport.some_text(smtp::HOSTS);
    let Some(list) =
        list.filter(|_| delivery.hosts.is_empty() || transport.on(smtp::HOSTS_OVERRIDE))
    else {
        return own(&delivery.hosts);
    };
    match Text::new(list.clone()).expand(cx) {
        Ok(text) => own(&listed(cx, transport, &text)),
        Err(fail) => {
            let head = [b"failed to expand list of hosts \"", list.bytes(), b"\" in "].concat();
            let tail = [b" transport for callout: ", fail.message()].concat();
            log(&[&head, transport.name.bytes(), &tail].concat());
            None
        }
    }
}

/// The addresses of a host; without any, the host alone, and whether that is so for good.
pub(crate) fn addresses(
    cx: &mut Context,
    transport: &Transport,
    name: &[u8],
) -> (Vec<RouteHost>, bool) {
    let search = DnsSearch {
        qualify_single: transport.on(smtp::DNS_QUALIFY_SINGLE),
        search_parents: transport.on(smtp::DNS_SEARCH_PARENTS),
        dnssec_request: transport.search_list(smtp::DNSSEC_REQUEST_DOMAINS),
        dnssec_require: transport.search_list(smtp::DNSSEC_REQUIRE_DOMAINS),
        ..DnsSearch::for_host()
    };
    let by_system = transport.on(smtp::GETHOSTBYNAME);
    if let Some(address) = ip::address(name) {
        let text = String::from_utf8_lossy(name).into_owned();
        cx.tell(Happening::Host(HostEvent::Addresses { name, addresses: &[address] }));
        let host = RouteHost { name: text.clone(), certificate_name: text, ..RouteHost::default() };
        return (vec![RouteHost { address: Some(address), ..host }], false);
    }
    let found = cx.call(&META, |call| match by_system {
        true => by_name(call, name, None),
        false => by_dns(call, name, &search),
    });
    let is_missing = found.as_ref().is_ok_and(|found| found.ending == Ending::Missing);
    let mut hosts = found.map(|found| found.hosts).unwrap_or_default();
    if hosts.is_empty() {
        let name = String::from_utf8_lossy(name).into_owned();
        hosts.push(RouteHost { name, ..RouteHost::default() });
    }
    (hosts, is_missing)
}
