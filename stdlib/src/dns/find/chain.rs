//! The order of hosts, and of addresses among them.

use std::collections::HashSet;
use std::net::IpAddr;

use super::RouteHost;

/// A host's name, address and preference, for those who are shown each step.
pub(super) fn shown(host: &RouteHost) -> String {
    let address = host.address.map_or_else(|| "NULL".to_owned(), |one| one.to_string());
    let mx = host.mx.map_or(-1, i32::from);
    format!("{} {address} {mx}", host.name)
}

/// Whether all that led to the first is signed, in a word; nothing where nobody asked.
pub(super) fn genuine(hosts: &[RouteHost]) -> &'static str {
    match hosts.first().and_then(|host| host.dnssec) {
        None => "",
        Some(true) => "yes",
        Some(false) => "no",
    }
}

/// Removes hosts whose address one before them has.
pub(super) fn without_twins(hosts: &mut Vec<RouteHost>) {
    let mut seen = HashSet::new();
    hosts.retain(|host| host.address.is_none_or(|address| seen.insert(address)));
}

/// Goes once through the hosts, and lets each that has the other kind of
/// address change places with the one behind it, where that is as much
/// preferred and has no such address: the better kind drifts to the front.
pub(super) fn mix(hosts: &mut [RouteHost], ipv4_first: bool) {
    let worse = |host: &RouteHost| host.address.is_some_and(|ip| ip.is_ipv4() != ipv4_first);
    for at in 1..hosts.len() {
        let (before, behind) = (&hosts[at - 1], &hosts[at]);
        if before.mx == behind.mx && worse(before) && !worse(behind) {
            hosts.swap(at - 1, at);
        }
    }
}

/// Puts the addresses of one kind before those of the other.
pub(super) fn by_kind(addresses: &mut [IpAddr], ipv4_first: bool) {
    addresses.sort_by_key(|address| address.is_ipv4() != ipv4_first);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hosts `name` or `name=address`, each with preference 10 but those after
    /// a bar.
    fn hosts(text: &str) -> Vec<RouteHost> {
        let mut mx = 10;
        let mut hosts = Vec::new();
        for word in text.split(' ') {
            if word == "|" {
                mx += 10;
                continue;
            }
            let (name, address) = word.split_once('=').unwrap_or((word, ""));
            let (name, address) = (name.to_owned(), address.parse().ok());
            hosts.push(RouteHost { name, address, mx: Some(mx), ..RouteHost::default() });
        }
        hosts
    }

    fn names(hosts: &[RouteHost]) -> String {
        hosts.iter().map(|host| &host.name[..]).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ipv6_drifts_to_the_front() {
        for (given, mixed) in [
            ("a=1.1.1.1 b=::2", "b a"),
            ("a=1.1.1.1 b", "b a"),
            ("b a=1.1.1.1", "b a"),
            ("a=::1 a4=1.1.1.1 b=::2 b4=2.2.2.2", "a b a4 b4"),
            ("a=1.1.1.1 b=2.2.2.2 c=::3 c4=3.3.3.3 d=::4 d4=4.4.4.4", "a c b d c4 d4"),
            ("a=1.1.1.1 | b=::2", "a b"),
        ] {
            let mut hosts = hosts(given);
            mix(&mut hosts, false);
            assert_eq!(names(&hosts), mixed, "{given}");
        }
        let mut hosts = hosts("a=::1 b c=1.1.1.1");
        mix(&mut hosts, true);
        assert_eq!(names(&hosts), "b c a");
    }

    #[test]
    fn an_address_counts_once() {
        let mut hosts = hosts("a=1.1.1.1 b | c=1.1.1.1 d e=2.2.2.2");
        without_twins(&mut hosts);
        assert_eq!(names(&hosts), "a b d e");
    }
}
