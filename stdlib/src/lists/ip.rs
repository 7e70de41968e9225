//! IP addresses and networks, as lists and conditions write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reads an address. What stands after a percent sign in an IPv6 address names
/// an interface; it is passed over.
pub fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if !text.contains(':') {
        return text.parse().ok().map(|ip: Ipv4Addr| IpAddr::V4(ip));
    }
    let plain = match text.split_once('%') {
        Some((_, zone)) if zone.contains('/') => return None,
        Some((plain, _)) => plain,
        None => text,
    };
    plain.parse().ok().map(|ip: Ipv6Addr| IpAddr::V6(ip))
}

/// An address and how many of its leading bits count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Network {
    /// An address in it.
    pub address: IpAddr,
    /// How many bits count: 32 or 128 for one address.
    pub bits: u8,
}

impl Network {
    /// Whether it holds an address. An IPv4 address that is written as an IPv6
    /// one (`::ffff:1.2.3.4`) counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.address.is_ipv4() == ip.is_ipv4()
            && masked(ip, self.bits) == masked(self.address, self.bits)
    }
}

/// What a text is that stands where a network may stand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Written {
    /// A network, or a single address.
    Network(Network),
    /// It has the characters of one, and is none. The number is how many bytes
    /// stand before the mask.
    Malformed(usize),
    /// Something else.
    Other,
}

/// Reads an address with an optional mask length after a slash.
///
/// An empty mask is zero, and one that is too large is that of a single
/// address, as in Exim.
pub fn network(text: &[u8]) -> Written {
    let (mut colons, mut letters) = (false, false);
    let mut end = 0;
    for byte in text {
        match byte {
            b'0'..=b'9' | b'.' => {}
            b':' => colons = true,
            b'a'..=b'f' | b'A'..=b'F' => letters = true,
            _ => break,
        }
        end += 1;
    }
    let stops = match text.get(end) {
        None | Some(b'/') => true,
        Some(b'%') => colons,
        Some(_) => false,
    };
    if end == 0 || !stops || (letters && !colons) {
        return Written::Other;
    }
    let slash = memchr::memchr(b'/', text);
    let bits = match slash {
        Some(slash) => mask(&text[slash + 1..]),
        None => Some(u8::MAX),
    };
    match (address(&text[..slash.unwrap_or(text.len())]), bits) {
        // With a mask there is no room for an interface.
        (Some(address), Some(bits)) if slash.is_none_or(|slash| slash == end) => {
            Written::Network(Network { address, bits: bits.min(width(address)) })
        }
        _ => Written::Malformed(end),
    }
}

/// A mask length as C's `strtol` reads it, all of the text; too large is the
/// largest.
fn mask(text: &[u8]) -> Option<u8> {
    if text.is_empty() {
        return Some(0);
    }
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0u8, |n, d| n.saturating_mul(10).saturating_add(d - b'0'));
    (!negative || value == 0).then_some(value)
}

/// How many bits an address has.
pub fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// An address with all but its leading bits zero.
pub fn masked(ip: IpAddr, bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32u32.saturating_sub(bits.into())).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128u32.saturating_sub(bits.into())).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask))
        }
    }
}

/// An address as a key of a lookup: IPv6 in full, with a separator of choice,
/// because colons end the keys of linear searches.
pub fn key(ip: IpAddr, separator: char) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let mut text = String::with_capacity(39);
            for (index, segment) in ip.segments().iter().enumerate() {
                if index > 0 {
                    text.push(separator);
                }
                text.push_str(&format!("{segment:04x}"));
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Option<(String, u8)> {
        match network(text.as_bytes()) {
            Written::Network(net) => Some((net.address.to_string(), net.bits)),
            _ => None,
        }
    }

    #[test]
    fn networks_are_read_as_exim_reads_them() {
        assert_eq!(net("1.2.3.0/24"), Some(("1.2.3.0".into(), 24)));
        assert_eq!(net("1.2.3.4"), Some(("1.2.3.4".into(), 32)));
        assert_eq!(net("1.2.3.4/"), Some(("1.2.3.4".into(), 0)));
        assert_eq!(net("1.2.3.4/ +24"), Some(("1.2.3.4".into(), 24)));
        assert_eq!(net("1.2.3.4/99999999999999999999999"), Some(("1.2.3.4".into(), 32)));
        assert_eq!(net("2001:DB8::/32"), Some(("2001:db8::".into(), 32)));
        assert_eq!(net("fe80::1%eth0"), Some(("fe80::1".into(), 128)));
        for other in ["", "host.example", "[1.2.3.4]", "1.2.3.4 /24", "1.2.3.4%x", "abc", "g::1"] {
            assert_eq!(network(other.as_bytes()), Written::Other, "{other}");
        }
        for (text, head) in [
            ("1.2.3", 5),
            ("12345", 5),
            ("1.2.3.4/24x", 7),
            ("1.2.3.4/-1", 7),
            ("256.2.3.4", 9),
            ("01.2.3.4", 8),
            ("::1%lo/64", 3),
            ("::1/64%lo", 3),
            ("a:b", 3),
            ("1.2:3", 5),
        ] {
            assert_eq!(network(text.as_bytes()), Written::Malformed(head), "{text}");
        }
    }

    #[test]
    fn masks_keep_leading_bits() {
        let ip = address(b"192.168.34.6").unwrap();
        assert_eq!(masked(ip, 24).to_string(), "192.168.34.0");
        assert_eq!(masked(ip, 0).to_string(), "0.0.0.0");
        assert_eq!(masked(ip, 99), ip);
        let ip = address(b"2001:db8::1").unwrap();
        assert_eq!(masked(ip, 32).to_string(), "2001:db8::");
        assert_eq!(key(ip, '.'), "2001.0db8.0000.0000.0000.0000.0000.0001");
    }

    #[test]
    fn mapped_addresses_count_as_ipv4() {
        let Written::Network(net) = network(b"1.2.3.0/24") else { panic!("a network") };
        assert!(net.contains(address(b"::ffff:1.2.3.4").unwrap()));
        let Written::Network(net) = network(b"::ffff:1.2.3.0/120") else { panic!("a network") };
        assert!(!net.contains(address(b"::ffff:1.2.3.4").unwrap()));
    }
}
