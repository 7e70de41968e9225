//! What a transport is told of a host that puts something off (specification 61).

use eximious_stdlib::options::opt::transport as opt;
use eximious_stdlib::variables::var;

use super::session::Attempt;
use crate::mail::transport::Undelivered;

impl Attempt<'_, '_, '_> {
    /// Tells the transport that something is put off, and by which error.
    pub(super) fn tell_deferral(&mut self, name: &'static str, message: &[u8], number: i32) {
        self.call.cx.set_var(var::EVENT_DEFER_ERRNO, number.to_string());
        self.peer(false).event(name, message);
        self.call.cx.unset_var(var::EVENT_DEFER_ERRNO);
    }

    /// Tells it that the host put an address off.
    pub(super) fn tell_refusal(&mut self, at: usize, why: &Undelivered) {
        if self.call.transport.some_text(opt::EVENT_ACTION).is_none() {
            return;
        }
        let address = &self.call.consignment.deliveries[at].address;
        let own = [(var::LOCAL_PART, &address.local_part), (var::DOMAIN, &address.domain)];
        let all = own.map(|(var, value)| {
            let before = self.call.cx.value_of(var);
            self.call.cx.set_var(var, value.clone());
            (var, before)
        });
        for name in ["msg:rcpt:host:defer", "msg:rcpt:defer"] {
            self.tell_deferral(name, &why.message, why.detail());
        }
        for (var, before) in all {
            self.call.cx.set_var(var, before);
        }
    }
}
