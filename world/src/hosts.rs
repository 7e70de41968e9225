//! The addresses of a server's host.

use std::net::IpAddr;

use dns_lookup::{AddrInfoHints, SockType, getaddrinfo};

/// Why a host has no address.
#[derive(Debug)]
pub struct NoAddress {
    /// The resolver's number for it.
    pub number: i32,
    /// The resolver's words.
    pub words: String,
}

/// What the resolver answers where nobody knows the name.
const UNKNOWN: i32 = -2;

/// The addresses of a host, in the resolver's order.
pub fn addresses(host: &str) -> Result<Vec<IpAddr>, NoAddress> {
    let unknown = || NoAddress { number: UNKNOWN, words: "Name or service not known".into() };
    // Other programs hand the name to the system as it is, up to a zero byte.
    if host.contains('\0') {
        return Err(unknown());
    }
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let found = getaddrinfo(Some(host), None, Some(hints)).map_err(|error| {
        let number = error.error_num();
        let error = std::io::Error::from(error).to_string();
        let words = error.strip_prefix("failed to lookup address information: ");
        NoAddress { number, words: words.unwrap_or(&error).to_owned() }
    })?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for info in found.flatten() {
        let address = info.sockaddr.ip();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(unknown()) } else { Ok(addresses) }
}
