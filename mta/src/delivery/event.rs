//! Events of deliveries: what `event_action` of a transport, and the main one, is told
//! (specification 61).

use eximious::route::{Address, Delivery};
use eximious::transport::{TakingHost, TransportEvent};
use eximious::{Str, event, opt, var};

use super::attempt::Attempt;

impl Attempt<'_> {
    /// Tells the transport of a delivery what came of it; `number` is that of the error that
    /// puts it off.
    pub(super) fn tell_transport(
        &mut self,
        delivery: &Delivery,
        name: &'static str,
        (data, number): (&[u8], i32),
        host: Option<&TakingHost>,
    ) {
        let routes = self.routes().clone();
        routes.tell_transport(&mut self.cx, delivery, TransportEvent { name, data, number, host });
    }

    /// Tells the main section that an address fails here, by a router or by none.
    pub(super) fn tell_failure(&mut self, address: &Address, router: Option<&Str>, why: &[u8]) {
        let about = [
            (var::LOCAL_PART, address.local_part.clone()),
            (var::DOMAIN, address.domain.clone()),
            (var::ROUTER_NAME, router.cloned().unwrap_or_default()),
        ];
        self.tell_main("msg:fail:internal", why, &about);
    }

    /// Tells the main section that the message is done with.
    pub(super) fn tell_complete(&mut self) {
        self.tell_main("msg:complete", b"", &[]);
    }

    fn tell_main(&mut self, name: &'static str, data: &[u8], about: &[(eximious::Var, Str)]) {
        if self.cx.engine().settings().text(opt::EVENT_ACTION).is_none() {
            return;
        }
        about.iter().for_each(|(var, value)| self.cx.set_var(*var, value.clone()));
        if let Some(Err(fail)) = event::raise(&mut self.cx, name, Str::tainted(data)) {
            let head = [b"failed to expand event_action ", name.as_bytes(), b": "].concat();
            self.cx.log().panic(&[&head, fail.message()].concat());
        }
        about.iter().for_each(|(var, _)| self.cx.unset_var(*var));
    }
}
