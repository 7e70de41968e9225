//! Whom a callout asks (specification 44.22).

use eximious_core::Str;
use eximious_stdlib::dns::find::{DnsSearch, RouteHost, by_dns, by_name};
use eximious_stdlib::lists::ip;
use eximious_stdlib::options::opt::transport::smtp;

use super::META;
use crate::mail::acl::Logs;
use crate::mail::acl::machine::Run;
use crate::mail::route::{Delivery, Text, listed_hosts};
use crate::mail::transport::Transport;

/// The hosts of a delivery: those that its router found, or its transport's.
pub(super) fn hosts(run: &mut Run<'_>, delivery: &Delivery) -> Option<Vec<RouteHost>> {
    let acls = run.acls.clone();
    let transport = delivery.transport.map(|number| acls.routes().transport_at(number));
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
    match Text::new(list.clone()).expand(run.cx) {
        Ok(text) => own(&found(run, transport, &text)),
        Err(fail) => {
            let head = [b"failed to expand list of hosts \"", list.bytes(), b"\" in "].concat();
            let tail = [b" transport for callout: ", fail.message()].concat();
            let name = transport.name.clone();
            run.host.log_to(Logs::PANIC, &[&head, name.bytes(), &tail].concat());
            None
        }
    }
}

fn found(run: &mut Run<'_>, transport: &Transport, list: &Str) -> Vec<RouteHost> {
    let search = DnsSearch {
        qualify_single: transport.on(smtp::DNS_QUALIFY_SINGLE),
        search_parents: transport.on(smtp::DNS_SEARCH_PARENTS),
        dnssec_request: transport.text(smtp::DNSSEC_REQUEST_DOMAINS).cloned(),
        dnssec_require: transport.text(smtp::DNSSEC_REQUIRE_DOMAINS).cloned(),
        ..DnsSearch::for_host()
    };
    let random = transport.on(smtp::HOSTS_RANDOMIZE);
    let by_system = transport.on(smtp::GETHOSTBYNAME);
    let mut all = Vec::new();
    for item in listed_hosts(run.cx, list.bytes(), random) {
        let found =
            run.cx.call(&META, |call| match ip::address(&item.name).is_some() || by_system {
                true => by_name(call, &item.name, None),
                false => by_dns(call, &item.name, &search),
            });
        let mut hosts = found.map(|found| found.hosts).unwrap_or_default();
        if hosts.is_empty() {
            let name = String::from_utf8_lossy(&item.name).into_owned();
            hosts.push(RouteHost { name, ..RouteHost::default() });
        }
        for host in &mut hosts {
            host.port = item.port.or(host.port);
        }
        all.extend(hosts);
    }
    all
}
