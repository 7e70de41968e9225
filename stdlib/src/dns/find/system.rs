//! What the system's own functions take for a host.

use std::net::{IpAddr, Ipv4Addr};

use eximious_core::world::domain;

/// What a name of a host is to the system, before anybody is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SystemName {
    /// An address that stands for itself.
    Address(IpAddr),
    /// One that is looked for.
    Name,
    /// None that a host can have.
    Nothing,
}

impl SystemName {
    /// Names are of letters, digits, hyphens and underscores, and what is of digits and dots alone
    /// is an IPv4 address, however few numbers it has, or nothing.
    pub(crate) fn of(name: &[u8]) -> Self {
        if let Some(address) = crate::ip::address(name) {
            return Self::Address(address);
        }
        let is_number = name.iter().all(|c| c.is_ascii_digit() || *c == b'.');
        if is_number && !name.ends_with(b".") {
            return numbers(name).map_or(Self::Nothing, Self::Address);
        }
        let fits = |c: &u8| c.is_ascii_alphanumeric() || b"-_.\\".contains(c);
        let is_name = || {
            let text = String::from_utf8_lossy(name);
            domain::labels(&text).is_some_and(|labels| !labels.is_empty())
        };
        match !name.starts_with(b"-") && name.iter().all(fits) && is_name() {
            true => Self::Name,
            false => Self::Nothing,
        }
    }
}

/// An IPv4 address of one to four numbers (`inet_aton`): one that begins with a zero is octal, and
/// the last one stands for all bytes that are left.
fn numbers(text: &[u8]) -> Option<IpAddr> {
    let number = |part: &[u8]| {
        let radix = if part.starts_with(b"0") { 8 } else { 10 };
        u32::from_str_radix(std::str::from_utf8(part).ok()?, radix).ok()
    };
    let parts: Option<Vec<u32>> = text.split(|c| *c == b'.').map(number).collect();
    let parts = parts?;
    let (last, heads) = parts.split_last()?;
    let mut bytes = last.to_be_bytes();
    let (room, kept) = bytes.split_at_mut_checked(heads.len())?;
    if kept.is_empty() || room.iter().any(|byte| *byte != 0) {
        return None;
    }
    for (byte, head) in room.iter_mut().zip(heads) {
        *byte = u8::try_from(*head).ok()?;
    }
    Some(Ipv4Addr::from(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_number_is_an_address_or_nothing() {
        let addresses = [
            ("1", "0.0.0.1"),
            ("256", "0.0.1.0"),
            ("1.2", "1.0.0.2"),
            ("1.2.515", "1.2.2.3"),
            ("127.1", "127.0.0.1"),
            ("192.0.2.003", "192.0.2.3"),
            ("0300.0.2.3", "192.0.2.3"),
            ("3221225987", "192.0.2.3"),
            ("2001:db8::1", "2001:db8::1"),
        ];
        for (text, address) in addresses {
            let address = SystemName::Address(address.parse().unwrap());
            assert_eq!(SystemName::of(text.as_bytes()), address, "{text}");
        }
        for text in ["08", "1.2.3.4.5", "4294967296", "1.2.3.256", "256.1", "1..2", "-1", "-a.b"] {
            assert_eq!(SystemName::of(text.as_bytes()), SystemName::Nothing, "{text}");
        }
        for text in ["", ".", "..", "a..b", "a b", "a+b", "--"] {
            assert_eq!(SystemName::of(text.as_bytes()), SystemName::Nothing, "{text}");
        }
        for text in ["1.", "1.2.3.4.", "0x7f", "a-.b", "_a", "1-", "127.0.0.1x", "1.2.3.-1"] {
            assert_eq!(SystemName::of(text.as_bytes()), SystemName::Name, "{text}");
        }
    }
}
