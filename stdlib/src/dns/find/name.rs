//! A host as the system finds it: in its own table, or in the DNS.

use std::net::IpAddr;

use eximious_core::trace::{Happening, HostEvent, TraceKinds};
use eximious_core::world::DnsRecord;
use eximious_core::{Call, Effects, Fail, Meta, Str, TaintRule};

use super::addresses::is_ignored;
use super::system::SystemName;
use super::{Ending, HostsFound, RouteHost};
use crate::dns::local::LocalAddresses;
use crate::dns::{self, DnsFound, How, kind};
use crate::options::opt;

static DNS: Meta = Meta::new("host lookup", Effects::DNS, TaintRule::Tainted);

/// Finds the addresses of a host as the system's own functions do
/// (`getipnodebyname`): for IPv6 and for IPv4 each in the system's table, or in
/// the DNS, where a name without dots is completed by the system's domain. The
/// order of addresses stays as it is. An address stands for itself.
///
/// # Errors
/// Where the policy forbids it, or the list of what is ignored can't be read.
pub fn by_name(call: &mut Call<'_>, name: &[u8], ignore: Option<&Str>) -> Result<HostsFound, Fail> {
    let given = name.strip_suffix(b".").unwrap_or(name);
    let text = String::from_utf8_lossy(given).into_owned();
    let mut known = Known { later: given.is_empty(), ..Known::default() };
    let meant = SystemName::of(name);
    if meant != SystemName::Nothing {
        for kind in dns::kinds(call, given)? {
            known.learn(call, &text, meant, kind)?;
        }
    }
    let found = known.official.is_some();
    let official = known.official.filter(|name| !name.eq_ignore_ascii_case(&text));
    let official = official.unwrap_or_else(|| text.clone());
    let mut hosts = Vec::new();
    for address in known.addresses {
        let called = Some(opt::router::IGNORE_TARGET_HOSTS.name());
        if !is_ignored(call, ignore, called, official.as_bytes(), address)? {
            hosts.push(RouteHost {
                name: official.clone(),
                certificate_name: text.clone(),
                address: Some(address),
                ..RouteHost::default()
            });
        }
    }
    if hosts.is_empty() {
        let later = known.later && !dns::means_nonexist(call, given)?;
        let ending = if later { Ending::Later } else { Ending::Missing };
        let host = RouteHost { name: official, certificate_name: text, ..RouteHost::default() };
        let hosts = if found { vec![host] } else { Vec::new() };
        let _ = crate::hosts::report_missing(call, given, !later);
        return Ok(HostsFound { hosts, ..HostsFound::none(ending) });
    }
    let local = LocalAddresses::read(call)?;
    let own = dns::listed(call, opt::HOSTS_TREAT_AS_LOCAL, &official)?
        || hosts.iter().filter_map(|host| host.address).any(|ip| local.contains(ip));
    let ending = if own { Ending::Local } else { Ending::Found };
    tell(call, &hosts, own);
    Ok(HostsFound { hosts, qualified: Some(official), ..HostsFound::none(ending) })
}

/// Tells whoever is shown each step what was found.
fn tell(call: &mut Call<'_>, hosts: &[RouteHost], own: bool) {
    let Some(first) = hosts.first() else { return };
    let trace = call.trace();
    if !trace.wants(TraceKinds::HOST) {
        return;
    }
    if own {
        trace.tell(Happening::Host(HostEvent::Local));
    }
    // They all have the official name.
    let name = first.name.as_bytes();
    trace.tell(Happening::Host(HostEvent::Qualified { name }));
    let addresses: Vec<IpAddr> = hosts.iter().filter_map(|host| host.address).collect();
    trace.tell(Happening::Host(HostEvent::Addresses { name, addresses: &addresses }));
}

/// What the system knows of a host.
#[derive(Default)]
struct Known {
    addresses: Vec<IpAddr>,
    /// What the name is an alias for, or is completed to.
    official: Option<String>,
    later: bool,
}

impl Known {
    /// Looks for addresses of a kind.
    fn learn(
        &mut self,
        call: &mut Call<'_>,
        name: &str,
        meant: SystemName,
        kind: u16,
    ) -> Result<(), Fail> {
        let is_kind = |address: &IpAddr| address.is_ipv6() == (kind == kind::AAAA);
        if let SystemName::Address(address) = meant {
            self.addresses.extend(Some(address).filter(is_kind));
            return Ok(());
        }
        let dns = call.with_record(&DNS, |call| call.dns())?;
        let table: Vec<IpAddr> = dns.table_addresses(name).into_iter().filter(is_kind).collect();
        if let Some(first) = table.first() {
            let names = dns.table_names(*first);
            if names.iter().any(|own| own.eq_ignore_ascii_case(name)) {
                self.official = names.into_iter().next();
            }
            self.addresses.extend(table);
            return Ok(());
        }
        let how = How { qualify_single: true, by_system: true, ..How::default() };
        let reply = dns::query(call, name.as_bytes(), kind, &how)?;
        match &reply.found {
            DnsFound::Records { name, records } => {
                self.official = Some(name.clone());
                let addresses = records.iter().filter_map(DnsRecord::address);
                // An IPv4 address is one, however it is written.
                self.addresses.extend(addresses.map(|address| address.to_canonical()));
            }
            // The system can't make sense of aliases that lead to nothing.
            DnsFound::NoData => self.later |= !reply.asked.is_empty(),
            DnsFound::Later | DnsFound::Broken => self.later = true,
            DnsFound::NoName => {}
        }
        Ok(())
    }
}
