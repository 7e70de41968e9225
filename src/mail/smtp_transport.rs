//! An smtp transport's options, as they come to one host (specification, chapter 30).
//!
//! A callout and a delivery open their connections here ([`Peer::open`]): what the options
//! say arrives at the client of SMTP as data, and what the client does and hears is told
//! to those who watch the context.

mod authenticate;
mod dane;
mod early;
mod endpoint;
mod event;
mod hosts;
mod open;
mod provider;
mod report;
mod resumption;
mod socks;
mod sts;
mod tls;
mod turned;

use std::net::{IpAddr, SocketAddr};

use eximious_core::trace::{Happening, SmtpEvent};
use eximious_core::world::TlsDane;
use eximious_core::{DriverOpt, Str};
use eximious_stdlib::dns::find::RouteHost;

use crate::Context;
use crate::mail::auth::Authenticators;
use crate::mail::mta_sts::StsFound;
use crate::mail::transport::Transport;

pub(crate) use authenticate::{AUTH_FAILED, Authenticated};
pub(crate) use early::EarlyHost;
pub(crate) use endpoint::{
    Asker, connect_timeout, endpoint, endpoint_at, is_listed, listing, port,
};
pub use event::TransportEvent;
pub(crate) use event::{CLOSED, forget_ends, raise, telling};
pub(crate) use hosts::{addresses as addresses_of, found as found_hosts, of_delivery as hosts_of};
pub(crate) use open::{NotOpen, Opened, UNNAMED, UNWANTED, reason};
pub use provider::{CalledProvider, NoProvider};
pub(crate) use socks::{PROXY_VARIABLES, show_proxy};
pub use tls::Secured;
pub(crate) use tls::{TLS_VARIABLES, log_tls_fault};
pub use turned::{TurnedConnection, TurnedTls};

/// A host that is to be spoken to, at one of its addresses.
pub(crate) struct Peer<'p> {
    pub(crate) cx: &'p mut Context,
    /// Where options that make no sense are noted: the main and the panic log.
    pub(crate) log: &'p mut dyn FnMut(&[u8]),
    /// By whose options; a callout may have none.
    pub(crate) transport: Option<&'p Transport>,
    /// By what it is proved who this is.
    pub(crate) authenticators: &'p Authenticators,
    pub(crate) host: &'p RouteHost,
    pub(crate) address: IpAddr,
    /// Which address of mail it is about.
    pub(crate) about: &'p Str,
    /// Whether it is only asked.
    pub(crate) verifies: bool,
    /// Whether TLS was tried in vain.
    pub(crate) in_clear: bool,
    /// From where, at this end, the host is reached, once it is.
    pub(crate) local: Option<SocketAddr>,
    /// The proxy that it is reached through, once it is.
    pub(crate) proxy: Option<SocketAddr>,
    /// What is to be known of TLS with the host.
    pub(crate) tls: PeerTls,
    /// The connection, where it is there already: the host has called, and has its mail sent
    /// the same way (ATRN).
    pub(crate) turned: Option<TurnedConnection>,
}

/// What is to be known of TLS with a host, as its connection opens.
#[derive(Default)]
pub(crate) struct PeerTls {
    /// The port, which is a part of what sessions and records are kept under.
    port: u16,
    /// What the host said to EHLO.
    hello: Vec<u8>,
    /// What the DNS says of its certificate.
    dane: Option<TlsDane>,
    /// What the domain says of its hosts.
    sts: StsFound,
    /// How a connection was encrypted over which no message may begin.
    pub(crate) secured: Option<Secured>,
    /// What is wrong with TLS, as reports name it, and why.
    failure: Option<(&'static str, String)>,
    /// Under which key a session is kept that can be taken up again.
    resumes_as: Option<Vec<u8>>,
}

impl Peer<'_> {
    fn tell(&mut self, text: &[u8]) {
        self.cx.tell(Happening::Smtp(SmtpEvent::Step { text }));
    }

    /// Whether a list of the transport's has the host in it.
    pub(crate) fn listed(&mut self, option: DriverOpt<Str>) -> bool {
        is_listed(self.cx, self.transport, self.host, self.address, option)
    }

    /// The same of a list of hosts of which something is demanded. Where it can't be told, why:
    /// nothing may go to the host then.
    pub(crate) fn demanded(&mut self, option: DriverOpt<Str>) -> Result<bool, Vec<u8>> {
        let listed = listing(self.cx, self.transport, self.host, self.address, option);
        listed.map_err(|why| [option.name().as_bytes(), b" can't be told: ", &why].concat())
    }

    /// Tells the transport of something; what it has to say.
    pub(crate) fn event(&mut self, name: &'static str, data: &[u8]) -> Option<Str> {
        let answer = self.transport.and_then(|transport| raise(self.cx, transport, name, data));
        if name == CLOSED && !self.verifies {
            show_proxy(self.cx, None);
        }
        answer
    }
}
