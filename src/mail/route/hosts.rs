//! Lists of hosts that the configuration or a program gives (specification
//! 20.4 to 20.7).

use std::net::IpAddr;

use eximious_core::{Call, DriverOpt, Effects, Fail, Meta, Str, TaintRule};
use eximious_stdlib::dns::find::{DnsSearch, Ending, HostsFound, by_dns, by_name};
use eximious_stdlib::lists::elements;
use eximious_stdlib::lists::ip;
use eximious_stdlib::options::opt::router as opt;

use super::RouteHost;
use super::dnslookup::HOSTS;
use super::machine::{Machine, Verdict};
use super::pass::RouteError;
use super::router::Router;
use super::send::Here;
use crate::Context;

static RANDOM: Meta = Meta::new("router", Effects::RANDOM, TaintRule::Result);

/// How many items a list may have.
const MOST_ITEMS: usize = 10_000;

/// What says in a router's list that a host's MX records are meant.
const MARK: &[u8] = b"/MX";

/// How the addresses of hosts are found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct How {
    pub(super) way: Way,
    pub(super) ipv4_only: bool,
    pub(super) ipv4_prefer: bool,
}

/// Who is asked for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Way {
    /// The DNS, and then the system.
    #[default]
    Both,
    /// The DNS.
    Dns,
    /// The system.
    Name,
}

/// An item of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Listed {
    pub(crate) name: Vec<u8>,
    pub(crate) port: Option<u32>,
    /// Whether its MX records say which hosts are meant.
    pub(super) mx: bool,
}

/// What a list of hosts comes to.
pub(super) enum Hosts {
    /// Hosts to try.
    Some(Vec<RouteHost>, Here),
    /// What the router says, as it has no hosts.
    Verdict(Verdict),
}

/// Reads a list; a random order stays within the groups that `+` parts.
pub(crate) fn read(cx: &mut Context, list: &[u8], random: bool) -> Vec<Listed> {
    let mut groups = vec![Vec::new()];
    for item in elements(list).take(MOST_ITEMS) {
        match &*item {
            b"+" => groups.push(Vec::new()),
            item => groups.last_mut().expect("there is one").push(listed(item)),
        }
    }
    if random {
        groups.iter_mut().for_each(|group| shuffle(cx, group));
    }
    groups.concat()
}

/// Puts what is in a list into an order by chance.
pub(crate) fn shuffle<T>(cx: &mut Context, list: &mut [T]) {
    let below = |call: &mut Call<'_>, limit: usize| -> Result<usize, Fail> {
        Ok(call.random()?.below(limit as u64) as usize)
    };
    for last in (1..list.len()).rev() {
        let other = cx.call(&RANDOM, |call| below(call, last + 1));
        list.swap(last, other.unwrap_or(last).min(last));
    }
}

impl Listed {
    /// The same of an item of a router's list, where `/MX` may stand behind the name.
    fn marked(&self) -> Self {
        let at = self.name.len().saturating_sub(MARK.len());
        let mx = at > 0 && self.name[at..].eq_ignore_ascii_case(MARK);
        let name = if mx { &self.name[..at] } else { &self.name };
        Self { name: name.to_vec(), port: self.port, mx }
    }
}

/// `name`, `name:port`, an address, `[address]:port`.
fn listed(item: &[u8]) -> Listed {
    let plain = |name: &[u8], port| Listed { name: name.to_vec(), port, mx: false };
    if ip::address(item).is_some() {
        return plain(item, None);
    }
    let colon = item.iter().rposition(|c| *c == b':').filter(|at| *at > 0);
    let Some(colon) = colon else { return plain(item, None) };
    let (name, port) = (&item[..colon], &item[colon + 1..]);
    let inside = name.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    // One colon, and digits behind it; others stand between brackets alone.
    if (inside.is_none() && name.contains(&b':')) || !port.iter().all(u8::is_ascii_digit) {
        return plain(item, None);
    }
    let port = std::str::from_utf8(port).ok().and_then(|text| text.parse().ok());
    let Some(port) = port else { return plain(item, None) };
    plain(inside.unwrap_or(name), Some(port))
}

/// Finds the addresses of listed hosts, and does what `missing` says (`host_find_failed`) where
/// one has none.
pub(super) fn find(
    machine: &mut Machine<'_>,
    router: &Router,
    list: &[Listed],
    (how, missing): (How, &[u8]),
) -> Result<Hosts, RouteError> {
    let mut hosts: Vec<RouteHost> = Vec::new();
    let mut here = Here::No;
    for item in list {
        let item = &item.marked();
        let found =
            look(machine, router, item, how).map_err(|fail| RouteError::new(fail.message()))?;
        let mut own = found.hosts.clone();
        for host in &mut own {
            host.port = item.port.or(host.port);
        }
        match found.ending {
            Ending::Found => hosts.extend(own),
            // The first one decides with `self`; where that sends to this host,
            // it is as good as any other from then on.
            Ending::Local if hosts.is_empty() => {
                here = if item.mx { Here::Mx } else { Here::Address };
                hosts.extend(own);
                if word(router, opt::SELF).bytes() != b"send" {
                    break;
                }
            }
            Ending::Local if here == Here::No => break,
            Ending::Local => hosts.extend(own),
            Ending::Later if router.on(opt::PASS_ON_TIMEOUT) => {
                return Ok(Hosts::Verdict(Verdict::Pass));
            }
            Ending::Later | Ending::Insecure => {
                let tail: &[u8] = match found.ending {
                    Ending::Later => b" did not complete (DNS timeout?)",
                    _ => b" done insecurely",
                };
                let parts = [b"host lookup for ", shown(item, &found), tail];
                return Err(RouteError::new(parts.concat()).numbered(RouteError::HOST_LATER));
            }
            Ending::Missing => {
                let mut head =
                    [b"lookup of host \"", shown(item, &found), b"\" failed in "].concat();
                let tail: &[u8] = match found.malformed {
                    true => b" router: syntax error in name",
                    false => b" router",
                };
                head = router.named(&head, tail, b"");
                match missing {
                    b"ignore" => {}
                    word => {
                        let verdict = failed(word, head);
                        let numbered = verdict.map_err(|error| error.numbered(RouteError::HOST));
                        return numbered.map(Hosts::Verdict);
                    }
                }
            }
        }
    }
    if hosts.is_empty() {
        let word = word(router, opt::manualroute::HOST_ALL_IGNORED);
        let tail = [b" router: host_find_failed=ignore host_all_ignored=", word.bytes()].concat();
        let message = router.named(b"lookup failed for all hosts in ", &tail, b"");
        return failed(word.bytes(), message).map(Hosts::Verdict);
    }
    Ok(Hosts::Some(hosts, here))
}

/// The name that could not be found: that which a record names, or what it is
/// known to be an alias for.
fn shown<'n>(item: &'n Listed, found: &'n HostsFound) -> &'n [u8] {
    found.hosts.first().map_or(&item.name, |host| host.name.as_bytes())
}

/// What an option says, or says by default.
pub(super) fn word(router: &Router, option: DriverOpt<Str>) -> Str {
    router.some_text(option).map_or_else(|| option.default(), |text| text.written.clone())
}

/// What is done where a host is not found.
fn failed(word: &[u8], message: Vec<u8>) -> Result<Verdict, RouteError> {
    match word {
        b"decline" => Ok(Verdict::Decline),
        b"pass" => Ok(Verdict::Pass),
        b"fail" => Ok(Verdict::Fail(RouteError { unbounced: true, ..RouteError::new(message) })),
        b"freeze" => Err(RouteError { freezes: true, ..RouteError::new(message) }),
        _ => Err(RouteError::new(message)),
    }
}

fn look(
    machine: &mut Machine<'_>,
    router: &Router,
    item: &Listed,
    how: How,
) -> Result<HostsFound, Fail> {
    let ignore = router.text(opt::IGNORE_TARGET_HOSTS).map(|text| text.written.clone());
    let base = if item.mx { DnsSearch::for_mx() } else { DnsSearch::for_host() };
    let search = DnsSearch {
        ipv4_only: how.ipv4_only,
        ipv4_prefer: how.ipv4_prefer,
        ignore: ignore.clone(),
        dnssec_request: router.search_list(opt::DNSSEC_REQUEST_DOMAINS),
        dnssec_require: router.search_list(opt::DNSSEC_REQUIRE_DOMAINS),
        told: Some(0),
        ..base
    };
    machine.cx.call(&HOSTS, |call| {
        // An address needs no questions.
        let literal = ip::address(&item.name).is_some();
        if item.mx {
            return by_dns(call, &item.name, &search);
        }
        if how.way == Way::Name || literal {
            return by_name(call, &item.name, ignore.as_ref());
        }
        let found = by_dns(call, &item.name, &search)?;
        match (found.ending, how.way) {
            (Ending::Missing, Way::Both) => by_name(call, &item.name, ignore.as_ref()),
            _ => Ok(found),
        }
    })
}

/// A list as a local transport gets it: one text, which nobody takes apart.
pub(super) fn as_text(list: &Str) -> Vec<RouteHost> {
    if list.is_empty() {
        return Vec::new();
    }
    let name = String::from_utf8_lossy(list.bytes()).into_owned();
    vec![RouteHost { name, ..RouteHost::default() }]
}

/// Hosts that nobody looks for yet.
pub(crate) fn unresolved(list: &[Listed]) -> Vec<RouteHost> {
    list.iter()
        .map(|item| RouteHost {
            name: String::from_utf8_lossy(&item.name).into_owned(),
            port: item.port,
            ..RouteHost::default()
        })
        .collect()
}

/// A host by its address alone.
pub(super) fn of_address(name: &Str, address: IpAddr) -> RouteHost {
    RouteHost {
        name: String::from_utf8_lossy(name.bytes()).into_owned(),
        address: Some(address),
        ..RouteHost::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_have_ports_and_mx() {
        for (text, name, port, mx) in [
            ("a.b", "a.b", None, false),
            ("a.b:25", "a.b", Some(25), false),
            ("a.b/MX:25", "a.b", Some(25), true),
            ("a.b/mx", "a.b", None, true),
            ("192.0.2.1", "192.0.2.1", None, false),
            ("192.0.2.1:26", "192.0.2.1", Some(26), false),
            ("[192.0.2.1]:26", "192.0.2.1", Some(26), false),
            ("[192.0.2.1]", "[192.0.2.1]", None, false),
            ("2001:db8::1", "2001:db8::1", None, false),
            ("[2001:db8::1]:26", "2001:db8::1", Some(26), false),
            ("a:b", "a:b", None, false),
            (":1", ":1", None, false),
        ] {
            let listed = listed(text.as_bytes()).marked();
            let given = Listed { name: name.into(), port, mx };
            assert_eq!(listed, given, "{text}");
        }
        // A transport's list has names alone.
        let given = Listed { name: b"a.b/MX".to_vec(), port: Some(25), mx: false };
        assert_eq!(listed(b"a.b/MX:25"), given);
    }
}
