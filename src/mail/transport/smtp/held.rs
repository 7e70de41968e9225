//! Connections that are kept from one message to the next (specification 30.1, 49.1).

use std::net::SocketAddr;

use eximious_core::{DriverOpt, FailClass, Str, Var};
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::turn::HostTurn;
use crate::Context;
use crate::mail::route::{Routes, Text};
use crate::mail::smtp_client::Endpoint;
use crate::mail::smtp_transport::{
    CLOSED, Opened, PROXY_VARIABLES, TLS_VARIABLES, TurnedConnection, log_tls_fault, raise,
    show_proxy,
};
use crate::mail::transport::{TakingHost, Transport, TransportCall};

/// Options that say what a connection is like. Where what one says hangs on the message,
/// another message has the connection only if it says the same of it.
const SHAPING: [DriverOpt<Str>; 25] = [
    smtp::HELO_DATA,
    smtp::HOSTS_AVOID_ESMTP,
    smtp::HOSTS_AVOID_PIPELINING,
    smtp::HOSTS_AVOID_TLS,
    smtp::HOSTS_REQUIRE_ALPN,
    smtp::HOSTS_REQUIRE_AUTH,
    smtp::HOSTS_REQUIRE_DANE,
    smtp::HOSTS_REQUIRE_OCSP,
    smtp::HOSTS_REQUIRE_TLS,
    smtp::HOSTS_TRY_AUTH,
    smtp::INTERFACE,
    smtp::PORT,
    smtp::PROTOCOL,
    smtp::SOCKS_PROXY,
    smtp::TLS_ALPN,
    smtp::TLS_CERTIFICATE,
    smtp::TLS_CRL,
    smtp::TLS_ECCURVE,
    smtp::TLS_PRIVATEKEY,
    smtp::TLS_REQUIRE_CIPHERS,
    smtp::TLS_SNI,
    smtp::TLS_TRY_VERIFY_HOSTS,
    smtp::TLS_VERIFY_CERT_HOSTNAMES,
    smtp::TLS_VERIFY_CERTIFICATES,
    smtp::TLS_VERIFY_HOSTS,
];

/// Variables that tell of a connection, beside those of TLS.
const VARIABLES: [Var; 3] = [var::SENDING_IP_ADDRESS, var::SENDING_PORT, var::HOST_PORT];

/// A connection to a host that has taken a message, and may take another.
#[derive(Debug)]
pub struct HeldConnection {
    /// The transport's name.
    transport: Str,
    host: TakingHost,
    pub(super) line: Line,
    pub(super) turn: Option<HostTurn>,
}

/// A connection, and what has become of it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) opened: Opened,
    /// Whether it was opened for another message.
    pub(super) is_old: bool,
    /// Whether the host would not have the last copy.
    pub(super) is_refused: bool,
    /// How many copies of messages it has had.
    pub(super) copies: u32,
    /// Whether no other copy goes along it.
    pub(super) is_last: bool,
    /// Whether the host waits for the rest of something that does not come any more.
    pub(super) resets: bool,
    endpoint: Endpoint,
    /// What its certificate had to be about.
    certificate_name: String,
    /// The domain whose policy it follows, where it may follow one.
    domain: Option<Str>,
    shape: Vec<Shape>,
    values: Vec<(Var, Str)>,
}

/// What an option says; nothing where it can't be known.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Shape {
    Said(Vec<u8>),
    Unset,
}

/// Where connections are kept from one message to the next. It belongs to one thread at a
/// time.
pub trait Connections {
    /// Takes one that a transport, by its name, has to a host.
    fn take(&self, transport: &[u8], host: &TakingHost) -> Option<HeldConnection>;

    /// Whether there is one to a host of this name.
    fn has(&self, transport: &[u8], host: &str) -> bool;

    /// Whether a message waits for one. `alone` says whether others have to wait for its end.
    fn wants(&self, cx: &Context, transport: &[u8], host: &TakingHost, alone: bool) -> bool;

    /// Keeps one.
    fn keep(&self, connection: HeldConnection);

    /// Whether what is at an address has called, and waits at the other end of its own
    /// connection (ATRN): there is no other way to it.
    fn is_turned(&self, to: SocketAddr) -> bool {
        let _ = to;
        false
    }

    /// Takes that connection, unless it was taken before.
    fn take_turned(&self) -> Option<TurnedConnection> {
        None
    }

    /// How many messages go along one, whatever transports say (`-oB`).
    fn most_messages(&self) -> Option<i64> {
        None
    }
}

/// Nothing is kept.
#[derive(Clone, Copy, Debug)]
pub struct NoConnections;

impl Connections for NoConnections {
    fn take(&self, _: &[u8], _: &TakingHost) -> Option<HeldConnection> {
        None
    }

    fn has(&self, _: &[u8], _: &str) -> bool {
        false
    }

    fn wants(&self, _: &Context, _: &[u8], _: &TakingHost, _: bool) -> bool {
        false
    }

    fn keep(&self, _: HeldConnection) {}
}

impl HeldConnection {
    /// The name of the transport that opened it.
    pub fn transport(&self) -> &[u8] {
        self.transport.bytes()
    }

    /// The host that it leads to.
    pub fn host(&self) -> &TakingHost {
        &self.host
    }

    /// How many copies of messages it has had.
    pub fn copies(&self) -> u32 {
        self.line.copies
    }

    /// Whether nobody else speaks with the host meanwhile.
    pub(super) fn is_serial(&self) -> bool {
        self.turn.as_ref().is_some_and(HostTurn::is_alone)
    }

    pub(super) fn new(
        transport: &Str,
        host: &TakingHost,
        line: Line,
        turn: Option<HostTurn>,
    ) -> Self {
        Self { transport: transport.clone(), host: host.clone(), line, turn }
    }
}

impl Routes {
    /// Ends a connection that no other message wants.
    pub fn hang_up(&self, cx: &mut Context, connection: HeldConnection) {
        let HeldConnection { transport, host, mut line, turn: _turn } = connection;
        line.opened.client.leave(cx.trace());
        log_tls_fault(cx, &mut line.opened.client, &host.name, host.address);
        if let Some(transport) = self.transport_named(transport.bytes()) {
            let [name, address] = host.shown();
            let of_host = [(var::HOST, name), (var::HOST_ADDRESS, address)];
            let shown: Vec<(Var, Str)> = line.values.into_iter().chain(of_host).collect();
            shown.iter().for_each(|(var, value)| cx.set_var(*var, value.clone()));
            raise(cx, transport, CLOSED, b"");
            shown.iter().for_each(|(var, _)| cx.unset_var(*var));
        }
        show_proxy(cx, None);
    }
}

impl Line {
    /// A connection that was opened just now.
    pub(super) fn new(
        call: &mut TransportCall<'_>,
        host: &RouteHost,
        endpoint: &Endpoint,
        opened: Opened,
    ) -> Self {
        let shape = shape(call, &opened).unwrap_or_default();
        let variables = VARIABLES.into_iter().chain(PROXY_VARIABLES).chain(TLS_VARIABLES);
        let values = variables.map(|var| (var, call.cx.value_of(var))).collect();
        Self {
            opened,
            is_old: false,
            is_refused: false,
            copies: 0,
            is_last: false,
            resets: false,
            endpoint: endpoint.clone(),
            certificate_name: host.certificate_name.clone(),
            domain: policy_domain(call),
            shape,
            values,
        }
    }

    /// Whether it is as it would be if it was opened for the message at hand.
    pub(super) fn suits(
        &self,
        call: &mut TransportCall<'_>,
        host: &RouteHost,
        endpoint: &Endpoint,
    ) -> bool {
        self.endpoint == *endpoint
            && self.certificate_name == host.certificate_name
            && self.domain == policy_domain(call)
            && self.has_this_shape(call)
    }

    /// Whether options say the same for the message at hand, which may hang on what the
    /// connection is like.
    fn has_this_shape(&self, call: &mut TransportCall<'_>) -> bool {
        self.introduce(call.cx);
        let is_same = shape(call, &self.opened).is_some_and(|shape| shape == self.shape);
        if !is_same {
            self.values.iter().for_each(|(var, _)| call.cx.unset_var(*var));
        }
        is_same
    }

    /// Variables tell of this connection.
    pub(super) fn introduce(&self, cx: &mut Context) {
        for (var, value) in &self.values {
            match value.is_empty() {
                true => cx.unset_var(*var),
                false => cx.set_var(*var, value.clone()),
            }
        }
    }
}

/// The domain whose policy counts, where policies of domains are followed.
fn policy_domain(call: &TransportCall<'_>) -> Option<Str> {
    call.transport.some_text(smtp::MTA_STS_DOMAINS)?;
    Some(call.consignment.deliveries[0].address.domain.clone())
}

/// What the options say whose values may be others for another message; nothing where one
/// can't be expanded.
fn shape(call: &mut TransportCall<'_>, opened: &Opened) -> Option<Vec<Shape>> {
    let mut shape = Vec::new();
    for option in SHAPING {
        let Some(text) = call.transport.some_text(option).filter(|text| may_change(text)) else {
            continue;
        };
        let said = Text::new(text.clone());
        shape.push(said_of(call.transport, call.cx, option.name(), &said)?);
    }
    if let Some(by) = &opened.authenticated {
        let one = call.routes.authenticators().named(by.by.bytes())?.clone();
        for text in one.client_texts().filter(|text| may_change(text)) {
            let said = Text::new(text.clone());
            shape.push(said_of(call.transport, call.cx, "authenticator", &said)?);
        }
    }
    Some(shape)
}

fn said_of(
    transport: &Transport,
    cx: &mut Context,
    option: &'static str,
    text: &Text,
) -> Option<Shape> {
    match transport.on_behalf_of(cx, option, |cx| text.expand(cx)) {
        Ok(text) => Some(Shape::Said(text.bytes().to_vec())),
        Err(fail) if fail.class() == FailClass::Forced => Some(Shape::Unset),
        Err(_) => None,
    }
}

/// Whether a text may say something else another time.
fn may_change(text: &Str) -> bool {
    memchr::memchr(b'$', text.bytes()).is_some()
}
