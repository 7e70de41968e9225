//! Whom a callout asks (specification 44.22).

use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt::transport::smtp;

use crate::mail::acl::Logs;
use crate::mail::acl::machine::Run;
use crate::mail::route::{Delivery, Text};
use crate::mail::smtp_transport::listed;

/// The hosts of a delivery: those that its router found, or its transport's.
pub(super) fn hosts(run: &mut Run<'_>, delivery: &Delivery) -> Option<Vec<RouteHost>> {
    let acls = run.acls.clone();
    let transport = delivery.transport.map(|number| acls.routes().transport_at(number));
    let own = |hosts: &[RouteHost]| (!hosts.is_empty()).then(|| hosts.to_vec());
    let Some(transport) = transport else { return own(&delivery.hosts) };
    if !transport.is_remote() {
        return None;
    }
    let list = transport.some_text(smtp::HOSTS);
    let Some(list) =
        list.filter(|_| delivery.hosts.is_empty() || transport.on(smtp::HOSTS_OVERRIDE))
    else {
        return own(&delivery.hosts);
    };
    match Text::new(list.clone()).expand(run.cx) {
        Ok(text) => own(&listed(run.cx, transport, &text)),
        Err(fail) => {
            let head = [b"failed to expand list of hosts \"", list.bytes(), b"\" in "].concat();
            let tail = [b" transport for callout: ", fail.message()].concat();
            let name = transport.name.clone();
            run.host.log_to(Logs::PANIC, &[&head, name.bytes(), &tail].concat());
            None
        }
    }
}
