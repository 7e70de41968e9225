//! What a transport wants to be told of a connection, and of what went along it
//! (specification, chapter 61: `event_action` of a transport).

use std::net::SocketAddr;

use eximious_core::{DriverOpt, Effects, LogSelector, Meta, Str, TaintRule, Var};
use eximious_stdlib::event;
use eximious_stdlib::options::opt::transport as opt;
use eximious_stdlib::variables::var;

use super::{TLS_VARIABLES, show_proxy};
use crate::Context;
use crate::mail::route::{Delivery, Routes};
use crate::mail::transport::{TakingHost, Transport};

/// Names of events.
const DELIVERED: &str = "msg:delivery";
const HOST_DEFERRED: &str = "msg:host:defer";
const FAILED: &str = "msg:fail:delivery";
pub(crate) const CLOSED: &str = "tcp:close";

/// What is not known any more of TLS once its connection is left, while the rest goes with
/// the delivery.
const NOT_KEPT: [Var; 6] = [
    var::TLS_OUT_BITS,
    var::TLS_OUT_CERTIFICATE_VERIFIED,
    var::TLS_OUT_CIPHER_STD,
    var::TLS_OUT_RESUMPTION,
    var::TLS_OUT_SNI,
    var::TLS_OUT_TLSA_USAGE,
];

/// This side's end of a connection.
const ENDS: [Var; 2] = [var::SENDING_IP_ADDRESS, var::SENDING_PORT];

/// What was expanded for one event alone, before there were others: what that comes to is of
/// no interest.
const FORMER: [(&str, DriverOpt<Str>); 2] =
    [(DELIVERED, opt::TPDA_DELIVERY_ACTION), (HOST_DEFERRED, opt::TPDA_HOST_DEFER_ACTION)];

static EVENT: Meta = Meta::new(opt::EVENT_ACTION.name(), Effects::NONE, TaintRule::Result);

/// Expands a transport's `event_action` for an event; what it comes to, where that is
/// something. That it fails is logged, and means nothing else.
pub(crate) fn raise(
    cx: &mut Context,
    transport: &Transport,
    name: &'static str,
    data: &[u8],
) -> Option<Str> {
    let answer = expanded(cx, transport, opt::EVENT_ACTION, (name, data));
    for (_, option) in FORMER.iter().filter(|(of, _)| *of == name) {
        expanded(cx, transport, *option, (name, data));
    }
    answer
}

/// Whether a transport wants to be told of events.
fn is_told(transport: &Transport) -> bool {
    let former = FORMER.iter().map(|(_, option)| *option);
    former.chain([opt::EVENT_ACTION]).any(|option| transport.some_text(option).is_some())
}

fn expanded(
    cx: &mut Context,
    transport: &Transport,
    option: DriverOpt<Str>,
    (name, data): (&'static str, &[u8]),
) -> Option<Str> {
    let action = transport.some_text(option)?.clone();
    cx.set_var(var::TRANSPORT_NAME, transport.name.clone());
    let answer = transport.on_behalf_of(cx, option.name(), |cx| {
        cx.call(&EVENT, |call| event::expand(call, &action, name, Str::tainted(data)))
    });
    cx.unset_var(var::TRANSPORT_NAME);
    match answer? {
        Ok(answer) => Some(answer).filter(|answer| !answer.is_empty()),
        Err(fail) => {
            let head = ["failed to expand ", option.name(), " ", name, " in "].concat();
            let parts = [head.as_bytes(), transport.name.bytes(), b": ", fail.message()];
            cx.log().panic(&parts.concat());
            None
        }
    }
}

/// Nothing is known of this side's end, as there is no connection.
pub(crate) fn forget_ends(cx: &mut Context) {
    ENDS.into_iter().for_each(|var| cx.unset_var(var));
}

/// Has variables tell of a connection that is left, as far as the log does: of this side's
/// end, and of a proxy.
fn show_ends(cx: &mut Context, proxy: Option<SocketAddr>) {
    let wanted = cx.engine().settings().log_selector();
    if !wanted.contains(LogSelector::INCOMING_INTERFACE | LogSelector::OUTGOING_INTERFACE) {
        forget_ends(cx);
    }
    let proxy = proxy.filter(|_| wanted.contains(LogSelector::PROXY));
    show_proxy(cx, proxy.map(|inner| (inner, None)));
}

/// Does something whose events a transport is told, and nobody else.
pub(crate) fn telling<T>(
    cx: &mut Context,
    transport: Option<&Transport>,
    run: impl FnOnce(&mut Context) -> T,
) -> T {
    let action = transport.and_then(|one| one.some_text(opt::EVENT_ACTION)).cloned();
    let before = cx.call(&EVENT, |call| event::instead(call, Some(action)));
    let done = run(cx);
    cx.call(&EVENT, |call| event::instead(call, before));
    done
}

/// What a transport is told of one of its deliveries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransportEvent<'e> {
    /// What happened: `msg:delivery`, `msg:fail:delivery`.
    pub name: &'static str,
    /// `$event_data`
    pub data: &'e [u8],
    /// The host that it is about.
    pub host: Option<&'e TakingHost>,
    /// Whether it has a port still: one that takes nothing has none once it is left.
    pub has_port: bool,
    /// The proxy that the host was reached through, where it was.
    pub proxy: Option<SocketAddr>,
}

impl Routes {
    /// Tells the transport of a delivery of an event, by its `event_action`; variables are
    /// those of the delivery meanwhile. What that comes to is of no interest.
    pub fn tell_transport(&self, cx: &mut Context, delivery: &Delivery, event: TransportEvent<'_>) {
        let Some(number) = delivery.transport else { return };
        let transport = self.transport_at(number);
        if !is_told(transport) {
            return;
        }
        self.introduce(cx, &[delivery]);
        let first = delivery.hosts.first().filter(|_| event.host.is_none());
        let first = first.and_then(TakingHost::of);
        if let Some(host) = event.host.or(first.as_ref()) {
            host.show(cx, delivery);
            let port = if event.has_port { host.port.to_string() } else { "-1".to_owned() };
            cx.set_var(var::HOST_PORT, port);
        }
        if event.name == FAILED && event.host.is_none() && first.is_some() {
            // It failed before any host was asked.
            cx.unset_var(var::HOST);
            cx.set_var(var::HOST_PORT, Str::fixed("-1"));
        }
        let over = match event.name {
            DELIVERED => &NOT_KEPT[..],
            FAILED => &TLS_VARIABLES[..],
            _ => &[][..],
        };
        let kept: Vec<_> = over.iter().chain(&ENDS).map(|var| (*var, cx.value_of(*var))).collect();
        over.iter().for_each(|var| cx.unset_var(*var));
        show_ends(cx, event.proxy);
        raise(cx, transport, event.name, event.data);
        show_proxy(cx, None);
        kept.into_iter().for_each(|(var, value)| cx.set_var(var, value));
        let own = [var::HOST, var::HOST_ADDRESS, var::HOST_PORT];
        own.into_iter().for_each(|var| cx.unset_var(var));
        self.dismiss(cx, &[delivery]);
    }

    /// Nothing is known any more of TLS with a host, once all are told what came of it.
    pub fn leave_host(cx: &mut Context) {
        TLS_VARIABLES.into_iter().for_each(|var| cx.unset_var(var));
    }
}
