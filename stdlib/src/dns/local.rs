//! Which addresses are this host's own (specification 13.8).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use eximious_core::trace::{Happening, TraceKinds};
use eximious_core::{Call, Effects, ErrorKind, Fail, Meta, Opt, Str, TaintRule};

use super::find::RouteHost;
use super::listed;
use crate::lists::{elements, ip};
use crate::options::opt;

/// The options that name addresses, and what they are where they are not set.
const OPTIONS: [Opt<Str>; 2] = [opt::LOCAL_INTERFACES, opt::EXTRA_LOCAL_INTERFACES];

static HOST: Meta = Meta::new("local interfaces", Effects::HOST, TaintRule::Clean);

/// The addresses of this host, as mail is routed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LocalAddresses(Vec<IpAddr>);

/// What the options said when they were read last: their texts, and the addresses in
/// them.
#[derive(Default)]
struct Read([Str; OPTIONS.len()], Arc<[IpAddr]>);

impl LocalAddresses {
    /// Reads `local_interfaces` and `extra_local_interfaces`. `0.0.0.0` and
    /// `::0` there stand for all that the system has of their kind.
    ///
    /// # Errors
    /// Where an item is no address, or the policy keeps the system's from us.
    pub fn read(call: &mut Call<'_>) -> Result<Self, Fail> {
        let (mut own, mut system) = (Vec::new(), None);
        for address in &*written(call)? {
            if !address.is_unspecified() {
                own.push(*address);
                continue;
            }
            if system.is_none() {
                let addresses = call.with_record(&HOST, |call| call.host())?.addresses();
                tell(call, &addresses);
                system = Some(addresses);
            }
            let all = system.iter().flatten();
            own.extend(all.filter(|one| one.is_ipv4() == address.is_ipv4()));
        }
        Ok(Self(own))
    }

    /// Whether an address is one of them. `0.0.0.0` always is: the system takes
    /// it for itself.
    pub fn contains(&self, address: IpAddr) -> bool {
        address == IpAddr::V4(Ipv4Addr::UNSPECIFIED) || self.0.contains(&address)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.0.iter().copied()
    }
}

/// Tells what addresses the system has.
fn tell(call: &mut Call<'_>, addresses: &[IpAddr]) {
    let kind = TraceKinds::INTERFACE;
    if !call.watched(kind) {
        return;
    }
    for address in addresses {
        let text = format!("Actual local interface address is {address}");
        call.trace().tell(Happening::Note { kind, text: text.as_bytes() });
    }
}

/// The addresses that the options name: they are the same for each address that is
/// routed.
fn written(call: &mut Call<'_>) -> Result<Arc<[IpAddr]>, Fail> {
    let texts = OPTIONS.map(|option| call.settings().get(option));
    let read = call.memory::<Read>();
    if read.0 == texts {
        return Ok(read.1.clone());
    }
    let mut addresses = Vec::new();
    for (list, option) in texts.iter().zip(OPTIONS) {
        for item in elements(list.bytes()).filter(|item| !item.is_empty()) {
            addresses.push(address(&item).ok_or_else(|| malformed(&item, option.name()))?);
        }
    }
    let addresses: Arc<[IpAddr]> = addresses.into();
    *call.memory() = Read(texts, addresses.clone());
    Ok(addresses)
}

/// An address of an interface, whose port does not count: `192.0.2.1`,
/// `192.0.2.1.25`, `[192.0.2.1]:25`, `::1`, `::1.25`.
fn address(item: &[u8]) -> Option<IpAddr> {
    if let Some(rest) = item.strip_prefix(b"[") {
        let end = rest.iter().position(|byte| *byte == b']')?;
        let (inside, after) = (&rest[..end], &rest[end + 1..]);
        let port = after.strip_prefix(b":").unwrap_or(after);
        return port.iter().all(u8::is_ascii_digit).then(|| ip::address(inside))?;
    }
    let without_port = || {
        let dot = item.iter().rposition(|byte| *byte == b'.')?;
        let port = &item[dot + 1..];
        (!port.is_empty() && port.iter().all(u8::is_ascii_digit)).then(|| &item[..dot])
    };
    // `::0` is how the specification writes the whole of IPv6.
    if item == b"::0" {
        return Some(Ipv6Addr::UNSPECIFIED.into());
    }
    ip::address(item).or_else(|| ip::address(without_port()?))
}

fn malformed(item: &[u8], option: &str) -> Fail {
    let message = [b"Malformed IP address \"", item, b"\" in ", option.as_bytes()].concat();
    Fail::error(ErrorKind::Syntax, message)
}

/// Whether a host is this one: by its address, or because it is to be treated so
/// (`hosts_treat_as_local`).
///
/// # Errors
/// A list can't be read, or the policy keeps this host's addresses from us.
pub fn is_local(call: &mut Call<'_>, host: &RouteHost) -> Result<bool, Fail> {
    is_local_by(call, host, &mut None)
}

pub(super) fn is_local_by(
    call: &mut Call<'_>,
    host: &RouteHost,
    local: &mut Option<LocalAddresses>,
) -> Result<bool, Fail> {
    if listed(call, opt::HOSTS_TREAT_AS_LOCAL, &host.name)? {
        return Ok(true);
    }
    Ok(match (host.address, local) {
        (None, _) => false,
        (Some(address), Some(local)) => local.contains(address),
        (Some(address), local) => local.insert(LocalAddresses::read(call)?).contains(address),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_do_not_count() {
        let read = |text: &str| address(text.as_bytes()).map(|address| address.to_string());
        for text in ["192.0.2.1", "192.0.2.1.25", "[192.0.2.1]:25", "[192.0.2.1]"] {
            assert_eq!(read(text).as_deref(), Some("192.0.2.1"), "{text}");
        }
        for text in ["::1", "::1.25", "[::1]:25"] {
            assert_eq!(read(text).as_deref(), Some("::1"), "{text}");
        }
        assert_eq!(
            (read("::0").as_deref(), read("0.0.0.0.26").as_deref()),
            (Some("::"), Some("0.0.0.0"))
        );
        for text in ["junk", "192.0.2", "1.2.3.4.5.6", "[1.2.3.4", "[::1]:x", "1.2.3.4.", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
