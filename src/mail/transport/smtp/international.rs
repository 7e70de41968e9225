//! Messages whose addresses are not all ASCII, and hosts that do not take them
//! (specification 60.1; RFC 6531).

use eximious_core::Str;
use eximious_stdlib::address::in_ascii;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::session::Attempt;
use crate::Context;
use crate::config::RetryError;
use crate::mail::transport::{Downconversion, Outcome, Transport, TransportCall, Undelivered};

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
///
/// # Errors
/// The option can't be expanded: why.
pub(super) fn converts(
    call: &mut TransportCall<'_>,
    some: &[usize],
    is_taken: bool,
) -> Result<bool, Vec<u8>> {
    if !is_needed(call, some) {
        return Ok(false);
    }
    converts_by(call.cx, call.transport, call.consignment.downconversion, is_taken)
}

/// The same of a transaction that needs SMTPUTF8, by a transport.
///
/// # Errors
/// As `converts`.
pub(crate) fn converts_by(
    cx: &mut Context,
    transport: &Transport,
    otherwise: Downconversion,
    is_taken: bool,
) -> Result<bool, Vec<u8>> {
    let own = match transport.expand_some(cx, smtp::UTF8_DOWNCONVERT) {
        None => None,
        Some(Ok(own)) => Some(own),
        Some(Err(fail)) => {
            return Err([b"failed to expand utf8_downconvert: ", fail.message()].concat());
        }
    };
    Ok(match own.and_then(|own| said(own.bytes())).unwrap_or(otherwise) {
        Downconversion::Always => true,
        Downconversion::Needed => !is_taken,
        Downconversion::Never => false,
    })
}

/// What a value says: what it begins with counts, and nothing stands before that.
fn said(value: &[u8]) -> Option<Downconversion> {
    match value {
        [b'1', ..] => Some(Downconversion::Always),
        [b'0', ..] => Some(Downconversion::Never),
        [b'-', b'1', ..] => Some(Downconversion::Needed),
        _ => None,
    }
}

impl Attempt<'_, '_> {
    /// Addresses fail that the host does not take, and that are not converted.
    pub(super) fn fail_untaken(&mut self, some: &[usize]) {
        let why = b"utf8 support required but not offered for forwarding".to_vec();
        let line = self.about(b": ", &why);
        self.log(&line);
        // The sender is told by which host alone.
        let failed = self.undelivered(0, RetryError::Any, why);
        let failed = Outcome::Failed(Undelivered { said: Some(Vec::new()), ..failed });
        self.work.settle(some, &failed);
    }
}

/// An address as the host was told it, where that is another one.
pub(super) fn told(address: &Str, converts: bool) -> Option<Box<Str>> {
    let is_other = converts && !address.bytes().is_ascii();
    is_other.then(|| Box::new(in_ascii(address)))
}
