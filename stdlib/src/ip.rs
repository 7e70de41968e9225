//! Addresses of hosts, as operators take them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address. One of version 6 may have a zone after a percent sign.
pub fn address(text: &[u8]) -> Option<IpAddr> {
    let bare = match memchr::memchr(b'%', text) {
        Some(percent) => {
            let zone = &text[percent + 1..];
            if zone.iter().any(|c| !c.is_ascii_graphic() || *c == b'/') {
                return None;
            }
            &text[..percent]
        }
        None => text,
    };
    match std::str::from_utf8(bare).ok()?.parse().ok()? {
        IpAddr::V4(_) if bare.len() < text.len() => None,
        address => Some(address),
    }
}

/// An address without a zone, and what stands after a slash, if there is one:
/// a number with white space or a plus sign before it; nothing is zero.
pub fn network(text: &[u8]) -> Option<(IpAddr, Option<u32>)> {
    let Some(slash) = memchr::memchr(b'/', text) else { return Some((address(text)?, None)) };
    let address = std::str::from_utf8(&text[..slash]).ok()?.parse().ok()?;
    let mask = &text[slash + 1..];
    if mask.is_empty() {
        return Some((address, Some(0)));
    }
    let start = mask.iter().position(|c| !matches!(c, b' ' | 9..=13))?;
    let digits = mask[start..].strip_prefix(b"+").unwrap_or(&mask[start..]);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // The program keeps the low 32 bits of a number of 64.
    let number = digits
        .iter()
        .try_fold(0i64, |n, c| n.checked_mul(10).and_then(|n| n.checked_add(i64::from(c - b'0'))));
    Some((address, Some(number.unwrap_or(i64::MAX) as u32)))
}

/// The eight groups of an address; one of version 4 is mapped into version 6.
pub fn groups(address: IpAddr) -> [u16; 8] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().segments(),
        IpAddr::V6(address) => address.segments(),
    }
}

/// The groups in their shortest form, as the program writes it: the first of
/// the longest runs of zeros is a double colon, even a single zero. Where all
/// are zero, there is only one colon.
pub fn shortest(groups: [u16; 8]) -> String {
    let mut best = 0..0;
    let mut start = 0;
    while start < groups.len() {
        let length = groups[start..].iter().take_while(|group| **group == 0).count();
        if length > best.len() {
            best = start..start + length;
        }
        start += length.max(1);
    }
    if best.len() == groups.len() {
        return ":".into();
    }
    let mut text = String::new();
    for (index, group) in groups.iter().enumerate() {
        if best.contains(&index) {
            if index == best.start {
                text.push_str(if index == 0 { "::" } else { ":" });
            }
            continue;
        }
        text.push_str(&format!("{group:x}"));
        if index < 7 {
            text.push(':');
        }
    }
    text
}

/// The groups with all their digits, and a character between them.
pub fn longest(groups: [u16; 8], between: &str) -> String {
    groups.map(|group| format!("{group:04x}")).join(between)
}

/// The address with all bits after the first `bits` cleared; `None` where it
/// has fewer bits than that.
pub fn masked(address: IpAddr, bits: u32) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or_default();
            Some(Ipv4Addr::from_bits(address.to_bits() & mask).into())
        }
        IpAddr::V6(address) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or_default();
            Some(Ipv6Addr::from_bits(address.to_bits() & mask).into())
        }
        _ => None,
    }
}

/// An address backwards, as the DNS has it: an IPv4 address by its bytes, an
/// IPv6 address by its hexadecimal digits.
pub fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            Ipv4Addr::new(d, c, b, a).to_string()
        }
        IpAddr::V6(address) => {
            let mut text = String::with_capacity(64);
            for byte in address.octets().iter().rev() {
                for digit in [byte & 15, byte >> 4] {
                    text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                    text.push('.');
                }
            }
            text.pop();
            text
        }
    }
}
