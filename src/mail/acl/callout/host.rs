//! Whom a callout asks, and from where (specification 44.22).

use std::net::IpAddr;

use eximious_core::trace::{Happening, ListEvent};
use eximious_core::{Call, Fail, Str};
use eximious_stdlib::dns::find::{RouteHost, Search, by_dns, by_name};
use eximious_stdlib::hosts;
use eximious_stdlib::lists::{HostNames, Known, Matcher, Outcome, elements, ip};

use super::META;
use crate::mail::acl::Logs;
use crate::mail::acl::machine::Run;
use crate::mail::route::{Delivery, Text, Transport, listed_hosts};

/// The hosts of a delivery: those that its router found, or its transport's.
pub(super) fn hosts(run: &mut Run<'_>, delivery: &Delivery) -> Option<Vec<RouteHost>> {
    let acls = run.acls.clone();
    let transport = delivery.transport.map(|number| acls.routes().transport_at(number));
    let own = |hosts: &[RouteHost]| (!hosts.is_empty()).then(|| hosts.to_vec());
    let Some(transport) = transport else { return own(&delivery.hosts) };
    if transport.driver != "smtp" {
        return None;
    }
    let list = transport.text("hosts").filter(|list| !list.is_empty());
    let Some(list) = list.filter(|_| delivery.hosts.is_empty() || transport.on("hosts_override"))
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
    let search = Search {
        qualify_single: transport.on("dns_qualify_single"),
        search_parents: transport.on("dns_search_parents"),
        dnssec_request: transport.text("dnssec_request_domains").cloned(),
        dnssec_require: transport.text("dnssec_require_domains").cloned(),
        ..Search::for_host()
    };
    let random = transport.on("hosts_randomize");
    let by_system = transport.on("gethostbyname");
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

/// From where a connection is made, to which port, and what is spoken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::mail::acl) struct Way {
    pub(super) from: Option<IpAddr>,
    pub(in crate::mail::acl) port: u16,
    pub(in crate::mail::acl) protocol: Protocol,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::mail::acl) enum Protocol {
    Smtp,
    Lmtp,
    /// TLS from the start.
    Smtps,
}

/// Reads a transport's options for a connection. What is wrong with them is
/// logged, and the rest is left as it is by default.
pub(super) fn way(
    run: &mut Run<'_>,
    transport: Option<&Transport>,
    host: &RouteHost,
    address: IpAddr,
    shown: &Str,
) -> Way {
    let mut way = Way { from: None, port: 25, protocol: Protocol::Smtp };
    if let Some(transport) = transport {
        way.protocol = match value(run, transport, "protocol").ok().flatten() {
            Some(text) if text.bytes().eq_ignore_ascii_case(b"lmtp") => Protocol::Lmtp,
            Some(text) if text.bytes().eq_ignore_ascii_case(b"smtps") => Protocol::Smtps,
            _ => Protocol::Smtp,
        };
        match from(run, transport, address).and_then(|from| {
            way.from = from;
            port(run, transport)
        }) {
            Ok(port) => way.port = port.unwrap_or(way.port),
            Err(why) => {
                run.host.log_to(Logs::PANIC, &[b"<", shown.bytes(), b">: ", &why].concat());
            }
        }
    }
    if let Some(port) = host.port.and_then(|port| u16::try_from(port).ok()) {
        way.port = port;
    }
    way
}

fn value(run: &mut Run<'_>, transport: &Transport, option: &str) -> Result<Option<Str>, Fail> {
    let Some(text) = transport.text(option).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    Text::new(text.clone()).expand(run.cx).map(Some)
}

fn unexpanded(option: &str, fail: &Fail) -> Vec<u8> {
    let head = format!("failed to expand \"{option}\" option for callout: ");
    [head.as_bytes(), fail.message()].concat()
}

fn from(run: &mut Run<'_>, transport: &Transport, to: IpAddr) -> Result<Option<IpAddr>, Vec<u8>> {
    let text = match value(run, transport, "interface") {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(None),
        Err(fail) => return Err(unexpanded("interface", &fail)),
    };
    for item in elements(text.bytes()) {
        match ip::address(&item) {
            Some(address) if address.is_ipv4() == to.is_ipv4() => return Ok(Some(address)),
            Some(_) => {}
            None => {
                let tail = b"\" is not a valid IP address for the \"interface\" option for callout";
                return Err([b"\"".as_slice(), &item, tail].concat());
            }
        }
    }
    Ok(None)
}

fn port(run: &mut Run<'_>, transport: &Transport) -> Result<Option<u16>, Vec<u8>> {
    let text = match value(run, transport, "port") {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(None),
        Err(fail) => return Err(unexpanded("port", &fail)),
    };
    let words = text.bytes().trim_ascii();
    let name = std::str::from_utf8(words).unwrap_or_default();
    if !words.is_empty() && words.iter().all(u8::is_ascii_digit) {
        if let Ok(port) = name.parse() {
            return Ok(Some(port));
        }
        return Err([b"invalid integer \"", words, b"\" for callout"].concat());
    }
    let found = run.cx.call(&META, |call| call.net().map(|net| net.service(name))).ok().flatten();
    let unknown = || [b"TCP port \"", words, b"\" is not defined for callout"].concat();
    found.map(Some).ok_or_else(unknown)
}

/// Whether a list of a transport's has a host in it.
pub(super) fn is_listed(
    run: &mut Run<'_>,
    transport: Option<&Transport>,
    host: &RouteHost,
    address: IpAddr,
    option: &'static str,
) -> bool {
    let text = address.to_string();
    let Some(list) = transport.and_then(|transport| transport.text(option)) else {
        let unset = ListEvent::Unset { subject: text.as_bytes(), option: Some(option) };
        run.cx.tell(Happening::List(unset));
        return false;
    };
    let mut names = Server { name: Str::tainted(host.name.as_bytes()) };
    let subject = (Str::tainted(text.into_bytes()), address);
    let mut matcher = Matcher::other_host(subject, &mut names).called(option);
    matches!(run.cx.is_in(list, &mut matcher), Ok(Outcome::Matched(_)))
}

/// A server, as lists ask for it.
struct Server {
    name: Str,
}

impl HostNames for Server {
    fn names(&mut self, _: &mut Call<'_>) -> Result<Known<Vec<Str>>, Fail> {
        Ok(Known::Found(vec![self.name.clone()]))
    }

    fn addresses(&mut self, call: &mut Call<'_>, name: &[u8]) -> Result<Known<Vec<IpAddr>>, Fail> {
        hosts::addresses(call, name)
    }
}
