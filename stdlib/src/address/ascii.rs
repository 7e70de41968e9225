//! International addresses for hosts that take none.

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
        Some((at, name)) => {
            let name = idn::domain_to_alabel(name).unwrap_or_else(|_| name.to_vec());
            [&[*at][..], &name].concat()
        }
        None => Vec::new(),
    };
    Str::from([local_part, domain].concat()).stamped(taint)
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
}
