//! Names and addresses of hosts, in Exim's words. They stand in nothing.

use std::net::IpAddr;

use eximious_core::trace::HostEvent;

use super::{DebugSelector, DebugWriter};

pub(super) fn write(step: &HostEvent<'_>, out: &mut DebugWriter<'_>) {
    let mut tell = |parts: &[&[u8]]| out.tested(DebugSelector::HOST_LOOKUP, 0, parts);
    match step {
        HostEvent::NameWanted { pattern } => {
            tell(&[b"sender host name required, to match against ", pattern]);
        }
        HostEvent::Begin { address } => tell(&[b"looking up host name for ", address]),
        HostEvent::NoPtr => tell(&[b"IP address PTR lookup gave temporary error"]),
        HostEvent::IllegalName => tell(&[
            b"IP address lookup yielded an illegal name (bad char): treated as non-existent host \
              name",
        ]),
        HostEvent::BySystem => tell(&[b"IP address lookup using gethostbyaddr()"]),
        HostEvent::EmptyName => {
            tell(&[b"IP address lookup yielded an empty name: treated as non-existent host name"])
        }
        HostEvent::NoName { why } => {
            tell(&[b"IP address lookup failed: h_errno=", why.to_string().as_bytes()]);
        }
        HostEvent::Names { names } => {
            for (index, name) in names.iter().enumerate() {
                let head = if index == 0 { "IP address lookup yielded" } else { "  alias" };
                tell(&[head.as_bytes(), b" \"", name.as_bytes(), b"\""]);
            }
        }
        HostEvent::Qualified { name } => tell(&[b"fully qualified name = ", name]),
        HostEvent::Addresses { name, addresses } => {
            tell(&[b"gethostbyname2 looked up these IP addresses:"]);
            for address in *addresses {
                let address = address.to_string();
                tell(&[b"  name=", name, b" address=", address.as_bytes()]);
            }
        }
        HostEvent::Missing { line, .. } => tell(&[line]),
        HostEvent::Local => tell(&[b"local host found for non-MX address"]),
        HostEvent::LocalFirst => tell(&[b"local host has lowest MX"]),
        HostEvent::LocalRemoved { hosts } => {
            tell(&[b"local host in host list - removed hosts:"]);
            hosts.iter().for_each(|host| tell(&[b"  ", host.as_bytes()]));
        }
        HostEvent::Checked { name, addresses: [], later, .. } => match later {
            true => tell(&[b"temporary error for host name lookup"]),
            false => tell(&[b"no IP addresses found for ", name]),
        },
        HostEvent::Checked { name, addresses, client, .. } => {
            checked(name, addresses, *client, &mut tell);
        }
        HostEvent::Refused { why } => tell(&[why]),
        HostEvent::Hello { argument } => {
            let shown: &[u8] = if argument.is_empty() { b"NULL" } else { argument };
            tell(&[b"verifying EHLO/HELO argument \"", shown, b"\""]);
            if argument.is_empty() {
                tell(&[b"no EHLO/HELO command was issued"]);
            }
        }
        HostEvent::HelloIsAddress => tell(&[b"matched host address"]),
        HostEvent::HelloIsName { alias: None } => tell(&[b"matched host name"]),
        HostEvent::HelloIsName { alias: Some(name) } => tell(&[b"matched alias ", name]),
        HostEvent::HelloResolved { name } => tell(&[b"getting IP address for ", name]),
        HostEvent::HelloLeads { name, secure } => {
            tell(&[b"IP address for ", name, b" matches calling address"]);
            let secure: &[u8] = if *secure { b"verified" } else { b"unverified" };
            tell(&[b"Forward DNS security status: ", secure]);
        }
        HostEvent::HelloForgiven { word } => {
            tell(&[word, b" verification failed but host is in helo_try_verify_hosts"]);
        }
        _ => {}
    }
}

/// The addresses of a name up to the one that is the client's.
fn checked(name: &[u8], addresses: &[IpAddr], client: IpAddr, tell: &mut dyn FnMut(&[&[u8]])) {
    tell(&[b"checking addresses for ", name]);
    for own in addresses {
        let same = own.to_canonical() == client;
        let tail: &[u8] = if same { b" OK" } else { b"" };
        tell(&[b"  ", own.to_string().as_bytes(), tail]);
        if same {
            return;
        }
    }
    tell(&[b"no IP address for ", name, b" matched ", client.to_string().as_bytes()]);
}
