//! International addresses for hosts that take none, and for the DNS.

use std::borrow::Cow;

use eximious_core::Str;

use super::last_at;
use crate::idn;

/// An address, both parts of it in ASCII. What has no such form stays as it is.
pub fn in_ascii(address: &Str) -> Str {
    let (text, taint) = address.read();
    if text.is_ascii() {
        return address.clone();
    }
    let at = last_at(text);
    let (local_part, domain) = text.split_at(at);
    let local_part = match local_part.is_ascii() {
        true => local_part.to_vec(),
        false => idn::localpart_to_alabel(local_part).unwrap_or_else(|_| local_part.to_vec()),
    };
    let domain = match domain.split_first() {
        Some((at, name)) => [&[*at][..], &domain_in_ascii(name)].concat(),
        None => Vec::new(),
    };
    Str::from([local_part, domain].concat()).stamped(taint)
}

/// A domain as the DNS has it. What has no such form stays as it is.
pub fn domain_in_ascii(domain: &[u8]) -> Cow<'_, [u8]> {
    match domain.is_ascii() {
        true => domain.into(),
        false => idn::domain_to_alabel(domain).map_or(domain.into(), Cow::Owned),
    }
}

/// An address, or a domain alone, with the domain as the DNS has it.
pub fn with_domain_in_ascii(address: &[u8]) -> Cow<'_, [u8]> {
    let start = memchr::memrchr(b'@', address).map_or(0, |at| at + 1);
    match domain_in_ascii(&address[start..]) {
        Cow::Borrowed(_) => address.into(),
        Cow::Owned(domain) => [&address[..start], &domain].concat().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_of_addresses_are_converted() {
        let ascii = |text: &str| in_ascii(&Str::tainted(text.as_bytes())).display().to_string();
        assert_eq!(ascii("j\u{f6}rg@m\u{f6}.test"), "xn--jrg-sna@xn--m-1ga.test");
        assert_eq!(ascii("me@plain.test"), "me@plain.test");
        assert_eq!(ascii("me@\u{f6}.test"), "me@xn--nda.test");
        assert_eq!(ascii(""), "");
    }

    #[test]
    fn a_domain_alone_is_converted() {
        let ascii = |text: &str| String::from_utf8(with_domain_in_ascii(text.as_bytes()).into());
        assert_eq!(ascii("j\u{f6}@m\u{f6}.test").unwrap(), "j\u{f6}@xn--m-1ga.test");
        assert_eq!(ascii("m\u{f6}.test").unwrap(), "xn--m-1ga.test");
        assert_eq!(ascii("j\u{f6}@plain.test").unwrap(), "j\u{f6}@plain.test");
        assert_eq!(ascii("x@-\u{f6}.test").unwrap(), "x@-\u{f6}.test");
        assert_eq!(ascii("").unwrap(), "");
    }
}
