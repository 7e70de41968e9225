//! Events of deliveries: what `event_action` of a transport, and the main one, is told
//! (specification 61).

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use eximious::route::{Address, Delivery};
use eximious::stdlib::address::last_at;
use eximious::transport::{Delivered, Outcome, TakingHost, TransportEvent, Undelivered};
use eximious::world::{SpoolPlace, TakenMessage};
use eximious::{Context, Str, event, opt, var};

use super::Deliverer;
use super::attempt::Attempt;
use super::routing::Planned;
use super::tracking::is_among;
use crate::spool::queue::Stored;
use crate::spool::{HeaderFile, SpoolRecipient, restore_from, restore_header};

/// The last delivery to another host that an attempt made.
#[derive(Clone, Default, Debug)]
pub(super) struct LastRemote {
    local_part: Str,
    domain: Str,
    /// What else is known of its addresses.
    values: Vec<(eximious::Var, Str)>,
    /// Whether a port of a host is known: one took the message, and was told of.
    has_port: bool,
    /// The host, and whether it took the message.
    host: Option<(TakingHost, bool)>,
}

impl Attempt<'_> {
    /// Tells the transport of a delivery what came of it.
    pub(super) fn tell_transport(
        &mut self,
        delivery: &Delivery,
        name: &'static str,
        data: &[u8],
        host: Option<&TakingHost>,
        proxy: Option<SocketAddr>,
    ) {
        let routes = self.routes().clone();
        let took = name == "msg:delivery" && host.is_some();
        if let Some(last) = self.last_remote.as_mut().filter(|_| took) {
            last.has_port = true;
        }
        let has_port = self.last_remote.as_ref().is_none_or(|last| last.has_port);
        let event = TransportEvent { name, data, host, has_port, proxy };
        routes.tell_transport(&mut self.cx, delivery, event);
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

    /// Tells the main section of each recipient that has not got the message that it will not.
    pub(super) fn tell_given_up(&mut self, why: &[u8]) {
        tell_given_up(&mut self.cx, &self.stored.file, self.tracking.done(), why);
    }

    /// Notes to whom the message went last, if it went to another host.
    pub(super) fn note_remote(&mut self, planned: &[Planned], outcomes: &[Outcome]) {
        let Some((Planned { delivery: first, .. }, others)) = planned.split_first() else { return };
        if !first.transport.is_some_and(|number| self.routes().is_remote(number)) {
            return;
        }
        let is_told = self.cx.engine().settings().text(opt::EVENT_ACTION).is_some();
        let values = is_told.then(|| {
            let all: Vec<&Delivery> = planned.iter().map(|one| &*one.delivery).collect();
            self.routes().clone().lasting_values(&mut self.cx, &all)
        });
        let address = &first.address;
        let all = others.iter().map(|one| &one.delivery.address);
        let same = all.clone().all(|one| one.domain.bytes() == address.domain.bytes());
        let last = self.last_remote.get_or_insert_default();
        last.values = values.unwrap_or_default();
        // Of several addresses there is no local part.
        last.local_part = if others.is_empty() { address.local_part.clone() } else { Str::EMPTY };
        last.domain = if same { address.domain.clone() } else { Str::EMPTY };
        if last.host.is_none() {
            last.host = first.hosts.first().and_then(TakingHost::of).map(|host| (host, false));
        }
        for outcome in outcomes {
            match outcome {
                Outcome::Delivered(Delivered { host: Some(host), .. }) => {
                    last.host = Some(((**host).clone(), true));
                }
                Outcome::Deferred(Undelivered { host: Some(host), .. })
                | Outcome::Failed(Undelivered { host: Some(host), .. })
                    if !matches!(last.host, Some((_, true))) =>
                {
                    last.host = Some((TakingHost::clone(host), false));
                }
                _ => {}
            }
        }
    }

    /// Tells the main section that the message is done with. What is known of the last
    /// delivery to another host still is.
    pub(super) fn tell_complete(&mut self) {
        let last = self.last_remote.take().unwrap_or_default();
        let mut about = vec![
            (var::LOCAL_PART, last.local_part),
            (var::DOMAIN, last.domain),
            // There is no connection any more.
            (var::SENDING_IP_ADDRESS, Str::EMPTY),
            (var::SENDING_PORT, Str::fixed("-1")),
        ];
        about.extend(last.values);
        if let Some((host, has_taken)) = last.host {
            // A host that took nothing has no port any more.
            let port = if has_taken { host.port.to_string() } else { "-1".to_owned() };
            let [name, address] = host.shown();
            about.extend([
                (var::HOST, name),
                (var::HOST_ADDRESS, address),
                (var::HOST_PORT, Str::from(port)),
            ]);
        }
        self.tell_main("msg:complete", b"", &about);
    }

    fn tell_main(&mut self, name: &'static str, data: &[u8], about: &[(eximious::Var, Str)]) {
        tell_main(&mut self.cx, name, data, about);
    }
}

impl Deliverer {
    /// Tells the main section that a string of deliveries begins with a message, of which
    /// nothing but its name is known yet. A run passes by what has gone meanwhile.
    pub(super) fn tell_beginning(&self, place: &SpoolPlace, id: &[u8], is_run: bool) {
        if self.engine.settings().text(opt::EVENT_ACTION).is_none() {
            return;
        }
        let header = self.engine.world().spool.size(place, id, b"-H");
        if !is_run || !header.is_err_and(|why| why.kind() == io::ErrorKind::NotFound) {
            let nobody = [(var::SENDER_ADDRESS, Str::EMPTY)];
            tell_main(&mut self.context(), "proc:deliver", id, &nobody);
        }
    }

    /// Tells the main section that somebody takes a message out of the queue. Of one whose
    /// header can't be read, no more is known than its name.
    pub(super) fn tell_removed(
        &self,
        id: &[u8],
        stored: Option<&Stored>,
        taken: Option<&dyn TakenMessage>,
        by: &[u8],
    ) {
        if self.engine.settings().text(opt::EVENT_ACTION).is_none() {
            return;
        }
        let mut cx = self.context();
        cx.set_var(var::MESSAGE_EXIM_ID, Str::from(id));
        cx.set_var(var::SENDER_ADDRESS, Str::EMPTY);
        if let Some(stored) = stored {
            if taken.is_none_or(|taken| restore_from(&mut cx, stored, taken).is_err()) {
                restore_header(&mut cx, stored);
            }
            let done = stored.done().into_iter().map(<[u8]>::to_vec).collect();
            let why = [b"message removed by ", by].concat();
            tell_given_up(&mut cx, &stored.file, &done, &why);
        }
        tell_main(&mut cx, "msg:complete", b"", &[]);
    }
}

/// What stands in a header file is told as it is: nobody looks where it would go.
fn tell_given_up(cx: &mut Context, file: &HeaderFile, done: &BTreeSet<Vec<u8>>, why: &[u8]) {
    for SpoolRecipient { address, .. } in &file.recipients {
        if is_among(done, address) {
            continue;
        }
        let at = last_at(address);
        let part = |part: &[u8]| Str::tainted(part);
        let domain = address.get(at + 1..).unwrap_or_default();
        let about = [(var::LOCAL_PART, part(&address[..at])), (var::DOMAIN, part(domain))];
        tell_main(cx, "msg:fail:internal", why, &about);
    }
}

fn tell_main(cx: &mut Context, name: &'static str, data: &[u8], about: &[(eximious::Var, Str)]) {
    if cx.engine().settings().text(opt::EVENT_ACTION).is_none() {
        return;
    }
    about.iter().for_each(|(var, value)| cx.set_var(*var, value.clone()));
    if let Some(Err(fail)) = event::raise(cx, name, Str::tainted(data)) {
        let head = [b"failed to expand event_action ", name.as_bytes(), b" in main: "].concat();
        cx.log().panic(&[&head, fail.message()].concat());
    }
    about.iter().for_each(|(var, _)| cx.unset_var(*var));
}
