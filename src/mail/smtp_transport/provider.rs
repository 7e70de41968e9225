//! A provider is called, and asked for the mail that it has (ATRN, RFC 2645, specification
//! 49.2.8).

use std::net::{IpAddr, SocketAddr};

use eximious_core::Str;
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::{
    Asker, NotOpen, Opened, Peer, PeerTls, TLS_VARIABLES, TurnedConnection, TurnedTls,
    connect_timeout, endpoint, hosts_of, reason,
};
use crate::Context;
use crate::mail::route::{Address, Delivery, Purpose, Routed, Routes};
use crate::mail::smtp_client::{Cause, Reply, SmtpError, Timeouts};

/// A provider that has mail, and is the client from now on.
#[derive(Debug)]
pub struct CalledProvider {
    /// Its address, and the port that was called.
    pub address: SocketAddr,
    /// This side's address and port.
    pub local: Option<SocketAddr>,
    /// The connection.
    pub connection: TurnedConnection,
}

/// Why there is no mail from a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoProvider {
    /// It has none, or not now: what it said.
    Later(Vec<u8>),
    /// It does not give any, or could not be called: why.
    Failed(Vec<u8>),
}

impl Routes {
    /// Calls a provider: the routers say how `_atrn@HOST` is reached, its transport opens the
    /// connection, and there it is asked for the mail of some domains, separated by commas; an
    /// empty text leaves it to the provider whose mail that is. `$atrn_mode` is `C` from now on,
    /// and `$atrn_host` the host.
    ///
    /// # Errors
    /// Why there is no mail.
    pub fn call_provider(
        &self,
        cx: &mut Context,
        host: &[u8],
        domains: &[u8],
    ) -> Result<CalledProvider, NoProvider> {
        cx.set_var(var::ATRN_MODE, Str::fixed("C"));
        cx.set_var(var::ATRN_HOST, Str::from(host));
        let address = Address::new(Str::from([b"_atrn@", host].concat()));
        let failed = |why: &[u8]| NoProvider::Failed(why.to_vec());
        let delivery = match self.route(cx, address, Purpose::VerifyRecipient).routed {
            Routed::Delivered(delivery) => delivery,
            Routed::Failed(why) | Routed::Deferred(why) => {
                return Err(failed(&why.message.unwrap_or_default()));
            }
            Routed::Redirected | Routed::Discarded { .. } => {
                return Err(failed(b"no router leads to the provider"));
            }
        };
        let panic = cx.log();
        let mut log = |line: &[u8]| panic.panic(line);
        let hosts = hosts_of(cx, self, &delivery, &mut log);
        let mut why = b"no host is known for the provider".to_vec();
        for host in hosts.unwrap_or_default() {
            let Some(address) = host.address else { continue };
            match self.ask_provider(cx, &delivery, (&host, address), domains) {
                Ok(called) => return Ok(called),
                Err(Asked::Unreached(said)) => why = said,
                Err(Asked::Answered(said)) => return Err(said),
            }
        }
        Err(NoProvider::Failed(why))
    }

    fn ask_provider(
        &self,
        cx: &mut Context,
        delivery: &Delivery,
        (host, address): (&RouteHost, IpAddr),
        domains: &[u8],
    ) -> Result<CalledProvider, Asked> {
        let transport = delivery.transport.map(|number| self.transport_at(number));
        cx.set_var(var::HOST, delivery.host_name(host.name.as_bytes(), address));
        cx.set_var(var::HOST_ADDRESS, address.to_string());
        let panic = cx.log();
        let mut log = |line: &[u8]| panic.panic(line);
        let about = &delivery.address.text;
        let (endpoint, wrong) = endpoint(cx, transport, host, address, &Asker::Callout);
        if let Some(why) = wrong {
            log(&[b"<", about.bytes(), b">: ", &why].concat());
        }
        let command = transport
            .map_or(Timeouts::default().command, |transport| transport.get(smtp::COMMAND_TIMEOUT));
        let within = transport.map_or(command, connect_timeout);
        let mut in_clear = false;
        let opened = loop {
            let mut peer = Peer {
                cx: &mut *cx,
                log: &mut log,
                transport,
                authenticators: self.authenticators(),
                host,
                address,
                about,
                verifies: true,
                in_clear,
                local: None,
                proxy: None,
                tls: PeerTls::default(),
                turned: None,
            };
            let timeouts = Timeouts { command, ..Timeouts::default() };
            match peer.open(&endpoint, within, timeouts) {
                Err(NotOpen::Unsecured(_)) if !in_clear && peer.may_go_on_in_clear() => {
                    in_clear = true;
                }
                opened => break opened,
            }
        };
        let place = format!("{} [{address}]:{}", host.name, endpoint.port);
        let unreached = |why: &[u8]| Asked::Unreached([place.as_bytes(), b": ", why].concat());
        let Opened { mut client, secured, .. } = match opened {
            Ok(opened) => opened,
            Err(why) => return Err(unreached(&not_open(why))),
        };
        if let Err(error) = client.atrn(cx.trace(), domains) {
            client.close(cx.trace());
            let why = said(&error);
            // What is neither yes nor no is no answer.
            return Err(match error.reply().is_some_and(Reply::puts_off) {
                true => Asked::Answered(NoProvider::Later(why)),
                false => Asked::Answered(NoProvider::Failed(why)),
            });
        }
        let local = client.local_address();
        let (stream, session) = client.into_parts();
        let values = TLS_VARIABLES.map(|var| (var, cx.value_of(var)));
        let tls = session.map(|session| TurnedTls {
            session,
            secured: secured.unwrap_or_default(),
            values: values.to_vec(),
        });
        let address = SocketAddr::new(address, endpoint.port);
        Ok(CalledProvider { address, local, connection: TurnedConnection { stream, tls } })
    }
}

impl Peer<'_> {
    /// Whether the host may be spoken to in clear text, where TLS came to nothing.
    fn may_go_on_in_clear(&mut self) -> bool {
        self.transport.is_none_or(|transport| transport.on(smtp::TLS_TEMPFAIL_TRYCLEAR))
            && self.requires_tls() == Ok(false)
    }
}

/// What came of asking one host.
enum Asked {
    /// It could not be asked: why.
    Unreached(Vec<u8>),
    /// It was, and has no mail.
    Answered(NoProvider),
}

/// Why no command could be given.
fn not_open(why: NotOpen) -> Vec<u8> {
    match why {
        NotOpen::Unreachable(why) => reason(&why).into_bytes(),
        NotOpen::Hindered(_, why) | NotOpen::Unproven(_, why) | NotOpen::Unvouched { why, .. } => {
            why
        }
        NotOpen::Clear(why) => why.as_bytes().to_vec(),
        NotOpen::Smtp(error) => said(&error),
        NotOpen::Unsecured(fault) | NotOpen::Mismatched(fault) => fault.logged().into_bytes(),
    }
}

/// What a provider said, or why it said nothing.
fn said(error: &SmtpError) -> Vec<u8> {
    match (&error.cause, error.reply()) {
        (_, Some(reply)) => reply.text().to_vec(),
        (Cause::Timeout, None) => b"no answer in time".to_vec(),
        (_, None) => error.logged(),
    }
}
