//! What a transport is told of a host that puts something off (specification 61).

use eximious_stdlib::variables::var;

use super::session::Attempt;
use crate::config::RetryError;
use crate::mail::smtp_transport::raise;
use crate::mail::transport::{Outcome, TakingHost, TransportCall, Undelivered};

/// The host that put off all that it was told, and the first address of those.
pub(super) struct PutOff {
    pub(super) first: usize,
    pub(super) host: TakingHost,
}

impl Attempt<'_, '_> {
    /// Tells the transport that the host puts off some addresses, of which the first stands for
    /// all, and by which error.
    pub(super) fn tell_deferral(&mut self, some: &[usize], why: &Undelivered) {
        let first = some.first().copied().unwrap_or_default();
        let is_silent = matches!(why.error, RetryError::Timeout { connecting: false, .. });
        let reason: &[u8] = if is_silent { b": Connection timed out" } else { b"" };
        let about = (&[&why.message, reason].concat()[..], why.number);
        tell(self.call, first, &["msg:host:defer"], about);
    }

    /// Notes that the host puts all off that it was told. The transport hears of it once no
    /// other host is tried.
    pub(super) fn note_put_off(&mut self, some: &[usize]) {
        let host = self.taking.clone();
        self.work.put_off.extend(some.first().map(|first| PutOff { first: *first, host }));
    }

    /// Tells it that the host put an address off, and that it stays so, if there is no other.
    pub(super) fn tell_refusal(&mut self, at: usize, why: &Undelivered) {
        let names: &[_] = match self.is_last {
            true => &["msg:rcpt:host:defer", "msg:rcpt:defer"],
            false => &["msg:rcpt:host:defer"],
        };
        tell(self.call, at, names, (&why.message, why.detail()));
    }
}

/// Tells a transport that no host is left for what was put off; what came of it is known.
pub(super) fn tell_put_off(call: &mut TransportCall<'_>, put_off: &[PutOff], all: &[Outcome]) {
    for PutOff { first, host } in put_off {
        if let Some(Outcome::Deferred(why) | Outcome::Failed(why)) = all.get(*first) {
            host.show(call.cx, call.consignment.deliveries[*first]);
            call.cx.set_var(var::HOST_PORT, host.port.to_string());
            tell(call, *first, &["msg:defer"], (&why.message, why.number));
        }
    }
}

/// Tells a transport of something that concerns an address, and the number of an error, which
/// those that follow have as well.
fn tell(
    call: &mut TransportCall<'_>,
    at: usize,
    names: &[&'static str],
    (data, number): (&[u8], i32),
) {
    let transport = call.transport;
    let address = &call.consignment.deliveries[at].address;
    let own = [(var::LOCAL_PART, &address.local_part), (var::DOMAIN, &address.domain)];
    let all = own.map(|(var, value)| {
        let before = call.cx.value_of(var);
        call.cx.set_var(var, value.clone());
        (var, before)
    });
    call.cx.set_var(var::EVENT_DEFER_ERRNO, number.to_string());
    for name in names {
        raise(call.cx, transport, name, data);
    }
    all.into_iter().for_each(|(var, before)| call.cx.set_var(var, before));
}
