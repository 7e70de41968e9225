//! Messages whose addresses are not all ASCII, and hosts that do not take them
//! (specification 60.1; RFC 6531).

use eximious_core::Str;
use eximious_stdlib::address::last_at;
use eximious_stdlib::idn;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use crate::Context;
use crate::mail::transport::{Downconversion, TransportCall};

/// Whether the message came as one that needs SMTPUTF8.
pub(super) fn is_needed(cx: &mut Context) -> bool {
    cx.value_of(var::MESSAGE_SMTPUTF8).bytes() == b"yes"
}

/// Whether addresses are sent in ASCII, by `utf8_downconvert`, to a host that takes others
/// or does not; where the option does not say, by what the message came with.
pub(super) fn converts(call: &mut TransportCall<'_>, is_taken: bool) -> bool {
    if !is_needed(call.cx) {
        return false;
    }
    let own = call.transport.expand_some(call.cx, smtp::UTF8_DOWNCONVERT);
    let wanted = match own.and_then(Result::ok).as_ref().map(|own| own.bytes().trim_ascii()) {
        Some(b"1") => Downconversion::Always,
        Some(b"0") => Downconversion::Never,
        Some(b"-1") => Downconversion::Needed,
        _ => call.consignment.downconversion,
    };
    match wanted {
        Downconversion::Always => true,
        Downconversion::Needed => !is_taken,
        Downconversion::Never => false,
    }
}

/// An address as the host was told it, where that is another one.
pub(super) fn told(address: &Str, converts: bool) -> Option<Box<Str>> {
    let is_other = converts && !address.bytes().is_ascii();
    is_other.then(|| Box::new(in_ascii(address)))
}

/// An address, both parts of it in ASCII. What has no such form stays as it is.
pub(super) fn in_ascii(address: &Str) -> Str {
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
    fn both_parts_are_converted() {
        let ascii = |text: &str| in_ascii(&Str::tainted(text.as_bytes())).display().to_string();
        assert_eq!(ascii("j\u{f6}rg@m\u{f6}.test"), "xn--jrg-sna@xn--m-1ga.test");
        assert_eq!(ascii("me@plain.test"), "me@plain.test");
        assert_eq!(ascii("me@\u{f6}.test"), "me@xn--nda.test");
        assert_eq!(ascii(""), "");
    }
}
