//! Messages whose addresses are not all ASCII, and hosts that do not take them
//! (specification 60.1; RFC 6531).

use eximious_core::Str;
use eximious_stdlib::address::in_ascii;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use crate::Context;
use crate::mail::transport::{Downconversion, Transport, TransportCall};

/// Whether a transaction for some deliveries needs SMTPUTF8: the message came so, or the
/// first of them, which came of another address, is not of ASCII.
pub(super) fn is_needed(call: &mut TransportCall<'_>, some: &[usize]) -> bool {
    let first = some.first().and_then(|at| call.consignment.deliveries.get(*at));
    call.cx.value_of(var::MESSAGE_SMTPUTF8).bytes() == b"yes"
        || first.is_some_and(|first| {
            first.address.parent.is_some() && !first.address.text.bytes().is_ascii()
        })
}

/// Whether addresses are sent in ASCII, by `utf8_downconvert`, to a host that takes others
/// or does not; where the option does not say, by what the message came with.
pub(super) fn converts(call: &mut TransportCall<'_>, some: &[usize], is_taken: bool) -> bool {
    if !is_needed(call, some) {
        return false;
    }
    converts_by(call.cx, call.transport, call.consignment.downconversion, is_taken)
}

/// The same of a transaction that needs SMTPUTF8, by a transport.
pub(crate) fn converts_by(
    cx: &mut Context,
    transport: &Transport,
    otherwise: Downconversion,
    is_taken: bool,
) -> bool {
    let own = transport.expand_some(cx, smtp::UTF8_DOWNCONVERT);
    let wanted = match own.and_then(Result::ok).as_ref().map(|own| own.bytes().trim_ascii()) {
        Some(b"1") => Downconversion::Always,
        Some(b"0") => Downconversion::Never,
        Some(b"-1") => Downconversion::Needed,
        _ => otherwise,
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
