//! Addresses and networks, as the keys of `iplsearch` are read.

use std::net::{IpAddr, Ipv6Addr};

/// An address with a mask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Network {
    address: IpAddr,
    mask: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`; a mask that is missing is the longest, one that is
    /// too long also. An address with a scope has no mask.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let slash = text.iter().position(|c| *c == b'/');
        let before = &text[..slash.unwrap_or(text.len())];
        if slash.is_some() && before.contains(&b'%') {
            return None;
        }
        let address = address(before)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let mask = match slash {
            None => longest,
            Some(slash) => mask(&text[slash + 1..])?.min(longest),
        };
        Some(Self { address, mask })
    }

    /// Whether an address lies in it.
    pub(super) fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = u32::from(own) ^ u32::from(other);
                differ.leading_zeros() >= u32::from(self.mask)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = u128::from(own) ^ u128::from(other);
                differ.leading_zeros() >= u32::from(self.mask)
            }
            _ => false,
        }
    }
}

/// An address; a scope after `%` is overlooked.
pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    match text.split_once('%') {
        Some((address, _)) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

/// The length of a mask, as C's `strtol` reads it into an `int`; nothing is
/// zero.
fn mask(text: &[u8]) -> Option<u8> {
    let space = text.iter().take_while(|c| eximious_core::grammar::is_space(**c)).count();
    let digits = text[space..].strip_prefix(b"+").unwrap_or(&text[space..]);
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0i64, |number, digit| {
        number.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    u32::try_from(number as i32).ok().map(|number| number.min(255) as u8)
}
