//! Opens a connection to a host, as far as a message may begin.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious_core::world::{Dialing, TlsFault};
use eximious_core::{Effects, Meta, Str, TaintRule};
use eximious_stdlib::idn;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::printing::printing;
use eximious_stdlib::variables::var;

use super::dane::DaneFailure;
use super::early::EarlyHost;
use super::{Authenticated, CLOSED, Peer, Secured, TurnedConnection};
use crate::mail::smtp_client::{
    Cause, Endpoint, Hello, Protocol, Reply, SmtpClient, SmtpCommand, SmtpError, Timeouts,
};
use crate::mail::transport::Transport;

/// The number of an error in the name of this host that is told to others.
pub(crate) const UNNAMED: i32 = -27;
/// The number of a connection that an event's action did not want.
pub(crate) const UNWANTED: i32 = -58;
const OTHER: i32 = -1;

static CONNECT: Meta = Meta::new("smtp transport", Effects::NET, TaintRule::Tainted);

/// A connection over which a message may begin.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) client: SmtpClient,
    /// The proxy that the connection goes through, where it goes through one.
    pub(crate) proxy: Option<SocketAddr>,
    /// What is known of TLS, where there is some.
    pub(crate) secured: Option<Secured>,
    /// As whom the host knows this one, if it does.
    pub(crate) authenticated: Option<Authenticated>,
    /// What is known of a host that may get commands before its greeting.
    pub(crate) early: Option<EarlyHost>,
}

impl Opened {
    /// Whether the host is told who submitted a message: it knows who this is, or the
    /// transport wants it all the same (`authenticated_sender_force`).
    pub(crate) fn hears_submitter(&self, transport: &Transport) -> bool {
        self.authenticated.is_some() || transport.on(smtp::AUTHENTICATED_SENDER_FORCE)
    }
}

/// Why no message can begin. The connection is closed.
#[derive(Debug)]
pub(crate) enum NotOpen {
    /// There is no connection.
    Unreachable(io::Error),
    /// Something here does not let it be used: a number for the log, and why.
    Hindered(i32, Vec<u8>),
    /// TLS is required, and the host has none.
    Clear(&'static str),
    /// The server does not want it.
    Smtp(SmtpError),
    /// It could not be proved who this is: a number for the log, and why.
    Unproven(i32, Vec<u8>),
    /// TLS began, and failed.
    Unsecured(Box<TlsFault>),
    /// What the DNS should say of the host's certificate is not there, for good or for now.
    Unvouched { permanent: bool, why: Vec<u8> },
    /// TLS began, and the certificate is not what the DNS says.
    Mismatched(Box<TlsFault>),
}

impl NotOpen {
    /// It can't be told what is demanded of the host.
    pub(super) fn untold(why: Vec<u8>) -> Self {
        Self::Hindered(OTHER, why)
    }
}

impl From<TlsFault> for NotOpen {
    fn from(fault: TlsFault) -> Self {
        Self::Unsecured(Box::new(fault))
    }
}

impl Peer<'_> {
    /// Connects, greets, and begins TLS where both sides want it. What came of TLS is noted
    /// for a report, where that is wanted.
    pub(crate) fn open(
        &mut self,
        endpoint: &Endpoint,
        within: Duration,
        timeouts: Timeouts,
    ) -> Result<Opened, NotOpen> {
        let opened = self.try_to_open(endpoint, within, timeouts);
        self.note_for_report(&opened);
        opened
    }

    fn try_to_open(
        &mut self,
        endpoint: &Endpoint,
        within: Duration,
        timeouts: Timeouts,
    ) -> Result<Opened, NotOpen> {
        self.tls.port = endpoint.port;
        if let Some(turned) = self.turned.take() {
            return self.open_turned(turned, endpoint, timeouts);
        }
        if !self.in_clear {
            self.look_up_dane()?;
            self.look_up_policy()?;
        }
        let from = endpoint.interface.map_or_else(|| "NULL".to_owned(), |from| from.to_string());
        self.cx.tell_callout(format!("interface={from} port={}", endpoint.port).as_bytes());
        let early = self.early_host();
        let (client, proxy) =
            self.connect(endpoint, within, timeouts).map_err(NotOpen::Unreachable)?;
        (self.local, self.proxy) = (client.local_address(), proxy);
        let mut opened = Opened { client, proxy, secured: None, authenticated: None, early };
        self.forget_tls();
        if endpoint.protocol == Protocol::Smtps {
            opened.secured = Some(self.begin_tls(&mut opened.client)?);
        }
        let greeted = self.greet(&mut opened, endpoint.protocol);
        if greeted.is_err() || !opened.client.is_unheard() {
            self.remember_announced(&mut opened);
        }
        if greeted.is_err() {
            self.tls.secured = opened.secured.take();
        }
        greeted?;
        self.keep_resumable(&mut opened.client);
        Ok(opened)
    }

    /// Begins anew over a connection that is there, under the TLS that there is.
    fn open_turned(
        &mut self,
        turned: TurnedConnection,
        endpoint: &Endpoint,
        timeouts: Timeouts,
    ) -> Result<Opened, NotOpen> {
        self.cx.set_var(var::HOST_PORT, endpoint.port.to_string());
        let mut client = SmtpClient::new(turned.stream, timeouts);
        self.local = client.local_address();
        self.forget_tls();
        let secured = turned.tls.map(|tls| {
            client.continue_tls(tls.session);
            tls.values.into_iter().for_each(|(var, value)| self.cx.set_var(var, value));
            tls.secured
        });
        let mut opened = Opened { client, proxy: None, secured, authenticated: None, early: None };
        self.greet(&mut opened, endpoint.protocol)?;
        Ok(opened)
    }

    fn connect(
        &mut self,
        endpoint: &Endpoint,
        within: Duration,
        timeouts: Timeouts,
    ) -> io::Result<(SmtpClient, Option<SocketAddr>)> {
        let from = endpoint.interface.map_or_else(String::new, |from| format!("from {from} "));
        let place = format!("[{}]:{}", self.address, endpoint.port);
        let proxies = self.proxies()?;
        let from = if proxies.is_some() { "via proxy ".to_owned() } else { from };
        let text = format!("Connecting to {} {place} {from}...", self.host.name);
        self.tell(text.as_bytes());
        self.cx.set_var(var::CALLOUT_ADDRESS, Str::tainted(place.into_bytes()));
        self.cx.set_var(var::HOST_PORT, endpoint.port.to_string());
        let to = SocketAddr::new(self.address, endpoint.port);
        if let Some(proxies) = proxies {
            let (stream, proxy) =
                self.connect_by_proxy(&proxies, to, endpoint.interface, within)?;
            self.tell(b"connected");
            return Ok((SmtpClient::new(stream, timeouts), Some(proxy)));
        }
        if self.event("tcp:connect", b"").is_some() {
            return Err(io::Error::from_raw_os_error(UNWANTED));
        }
        let how = self.dialing(endpoint.interface);
        let connected = self.cx.call(&CONNECT, |call| {
            let net = call.net();
            net.map(|net| SmtpClient::connect(&*net, to, &how, within, timeouts))
        });
        match connected {
            Ok(connected) => {
                match &connected {
                    Ok(_) => self.tell(b"connected"),
                    // Data that goes with the first packet fails later.
                    Err(_) if how.fast_open => {}
                    Err(why) => self.tell(&[b" failed: ", reason(why).as_bytes()].concat()),
                }
                if let Err(why) = &connected {
                    self.log_unbound(&how, why);
                    // From there it was tried, though nothing is known of the port.
                    let is_bound = why.kind() != io::ErrorKind::AddrNotAvailable;
                    if let Some(from) = how.from.filter(|_| is_bound) {
                        self.cx.set_var(var::SENDING_IP_ADDRESS, from.to_canonical().to_string());
                        self.cx.unset_var(var::SENDING_PORT);
                    }
                }
                connected.map(|client| (client, None))
            }
            Err(fail) => Err(io::Error::other(String::from_utf8_lossy(fail.message()))),
        }
    }

    /// Logs that an address is not one of this host's, where that is why nobody was reached.
    pub(super) fn log_unbound(&mut self, how: &Dialing, why: &io::Error) {
        if let Some(from) = how.from.filter(|_| why.kind() == io::ErrorKind::AddrNotAvailable) {
            self.cx.log().main(format!("bind of [{from}]:0 failed").as_bytes());
        }
    }

    /// How connections are made (`keepalive`, `hosts_try_fastopen`).
    pub(super) fn dialing(&mut self, from: Option<IpAddr>) -> Dialing {
        Dialing {
            from,
            keeps_alive: self.transport.is_some_and(|one| one.on(smtp::KEEPALIVE)),
            fast_open: self.transport.is_some() && self.listed(smtp::HOSTS_TRY_FASTOPEN),
        }
    }

    /// Begins the session.
    fn greet(&mut self, opened: &mut Opened, protocol: Protocol) -> Result<(), NotOpen> {
        let name = self.name(opened.client.local_address());
        let early = name.as_ref().is_ok_and(|name| self.greet_early(opened, protocol, name));
        let name = match early {
            true => name,
            false => {
                let banner = opened.client.banner(self.cx.trace());
                let banner = banner.map_err(|error| self.refused(&mut opened.client, error))?;
                self.greeted(&mut opened.client, &banner)?;
                name
            }
        };
        let name = name.map_err(|why| self.give_up(&mut opened.client, UNNAMED, why))?;
        if !early {
            let plain = self.listed(smtp::HOSTS_AVOID_ESMTP);
            let hello = Hello::first(protocol == Protocol::Lmtp, plain);
            let answer = self.hello(&mut opened.client, hello, &name)?;
            self.note_announced(opened, answer.text());
        }
        if opened.secured.is_none() && self.wants_tls(&opened.client) {
            opened.secured = self.start_tls(opened)?;
            if opened.secured.is_some() && !self.greet_early(opened, protocol, &name) {
                self.hello_again(opened, protocol, &name)?;
            }
        }
        self.look_at_extensions(opened)
    }

    /// Tells of what the host said first.
    pub(super) fn greeted(
        &mut self,
        client: &mut SmtpClient,
        banner: &Reply,
    ) -> Result<(), NotOpen> {
        match self.event("smtp:connect", banner.text()) {
            None => Ok(()),
            Some(why) => {
                let head = b"deferred by smtp:connect event expansion: ".as_slice();
                Err(self.give_up(client, UNNAMED, [head, why.bytes()].concat()))
            }
        }
    }

    /// Greets the host, and does so in the old way where it does not know the new one; its
    /// answer.
    fn hello(
        &mut self,
        client: &mut SmtpClient,
        first: Hello,
        name: &[u8],
    ) -> Result<Reply, NotOpen> {
        let mut hello = first;
        let mut refusal = Vec::new();
        loop {
            let answer = self.say_hello(client, hello, name);
            let mut error = match answer {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            match (error.reply(), hello.fallback()) {
                (Some(reply), Some(old)) => {
                    let said = printing(reply.text(), false);
                    refusal = [b" (EHLO response was: ", &said[..], b")"].concat();
                    hello = old;
                }
                _ => {
                    if error.cause == Cause::Closed {
                        error.said.extend_from_slice(&refusal);
                    }
                    return Err(self.refused(client, error));
                }
            }
        }
    }

    /// Greets the host, and tells what it announces.
    fn say_hello(
        &mut self,
        client: &mut SmtpClient,
        hello: Hello,
        name: &[u8],
    ) -> Result<Reply, SmtpError> {
        let answer = client.hello(self.cx.trace(), hello, name);
        let reply = match &answer {
            Ok(reply) => Some(reply),
            Err(error) => error.reply(),
        };
        if let Some(reply) = reply.filter(|_| hello != Hello::Helo) {
            self.tls.hello = reply.text().to_vec();
            self.event("smtp:ehlo", reply.text());
        }
        answer
    }

    /// Greets the host under TLS. What it says to that is only looked at for what it announces;
    /// where it says nothing at all, it has refused TLS after its handshake.
    fn hello_again(
        &mut self,
        opened: &mut Opened,
        protocol: Protocol,
        name: &[u8],
    ) -> Result<(), NotOpen> {
        let hello = Hello::first(protocol == Protocol::Lmtp, false);
        let client = &mut opened.client;
        match self.say_hello(client, hello, name) {
            Err(error) if error.cause == Cause::Closed => {
                Err(self.unsecured(client, TlsFault::new("", "error on first read")))
            }
            Err(error) if error.reply().is_none() => Err(self.refused(client, error)),
            Err(_) => Ok(()),
            Ok(answer) => {
                self.note_announced(opened, answer.text());
                Ok(())
            }
        }
    }

    /// The name that the greeting has, in ASCII.
    fn name(&mut self, local: Option<SocketAddr>) -> Result<Vec<u8>, Vec<u8>> {
        if let Some(local) = local {
            self.cx.set_var(var::SENDING_IP_ADDRESS, local.ip().to_canonical().to_string());
            self.cx.set_var(var::SENDING_PORT, local.port().to_string());
        }
        let text = self.transport.and_then(|one| one.expand(self.cx, smtp::HELO_DATA));
        let name = match text {
            Some(text) => text,
            None => {
                let name = self.cx.value_of(var::SMTP_ACTIVE_HOSTNAME);
                Ok(if name.is_empty() { self.cx.value_of(var::PRIMARY_HOSTNAME) } else { name })
            }
        };
        let name = match name {
            Ok(name) if name.bytes().is_ascii() => return Ok(name.bytes().to_vec()),
            Ok(name) => idn::domain_to_alabel(name.bytes()).map_err(|why| why.as_bytes().to_vec()),
            Err(fail) => Err(fail.message().to_vec()),
        };
        name.map_err(|why| {
            let head = b">: failed to expand transport's helo_data value for callout: ";
            if self.verifies {
                (self.log)(&[b"<", self.about.bytes(), head.as_slice(), &why].concat());
            }
            [b"failed to expand helo_data: ".as_slice(), &why].concat()
        })
    }

    /// Whether TLS is to begin.
    fn wants_tls(&mut self, client: &SmtpClient) -> bool {
        client.extensions().starttls
            && !self.in_clear
            && self.cx.engine().world().tls.is_there()
            && !self.listed(smtp::HOSTS_AVOID_TLS)
            && !(self.verifies && self.listed(smtp::HOSTS_VERIFY_AVOID_TLS))
    }

    /// `STARTTLS`; nothing where the host does not want to, and it goes on without.
    fn start_tls(&mut self, opened: &mut Opened) -> Result<Option<Secured>, NotOpen> {
        let answer = opened.client.starttls(self.cx.trace());
        self.heard_early(opened)?;
        let client = &mut opened.client;
        match answer {
            Ok(_) => self.begin_tls(client).map(Some),
            Err(error) if error.reply().is_some() => {
                let transport = self.transport;
                let tries = self.tls.dane.is_none()
                    && !self.follows_policy()
                    && transport.is_none_or(|transport| transport.on(smtp::TLS_TEMPFAIL_TRYCLEAR));
                match error.is_permanent() || tries {
                    true => Ok(None),
                    false => Err(self.refused(client, error)),
                }
            }
            Err(error) => Err(self.refused(client, error)),
        }
    }

    /// Looks at what the host announces, and at what is asked of it.
    fn look_at_extensions(&mut self, opened: &mut Opened) -> Result<(), NotOpen> {
        let client = &mut opened.client;
        let is_clear = opened.secured.is_none();
        let requires = is_clear && self.requires_tls().map_err(|why| self.untold(client, why))?;
        if requires {
            let why = match client.extensions().starttls {
                _ if !self.cx.engine().world().tls.is_there() => {
                    "a TLS session is required, but TLS is not in this build"
                }
                true => "a TLS session is required, but an attempt to start TLS failed",
                false => "a TLS session is required, but the server did not offer TLS support",
            };
            if self.tls.dane.is_some() {
                let is_offered = client.extensions().starttls;
                self.tell_dane_failure(match is_offered {
                    true => DaneFailure::Validation,
                    false => DaneFailure::NoTls,
                });
            }
            self.tls.failure = Some((DaneFailure::NoTls.name(), String::new()));
            let _ = self.give_up(client, OTHER, Vec::new());
            return Err(NotOpen::Clear(why));
        }
        if opened.secured.is_none() {
            self.tell_policy_failure(DaneFailure::NoTls.name(), "there is no TLS");
        }
        let pipelines =
            client.extensions().pipelining && !self.listed(smtp::HOSTS_AVOID_PIPELINING);
        client.use_pipelining(pipelines);
        if client.extensions().chunking {
            let _ = self.listed(smtp::HOSTS_TRY_CHUNKING);
        }
        if client.hello_said() == Some(Hello::Helo) {
            return Ok(());
        }
        opened.authenticated = self.authenticate(client)?;
        self.heard_early(opened)
    }

    /// Whether nothing is to be said in the clear. Where it can't be told, why.
    pub(crate) fn requires_tls(&mut self) -> Result<bool, Vec<u8>> {
        match self.tls.dane.is_some() || self.follows_policy() {
            true => Ok(true),
            false => self.demanded(smtp::HOSTS_REQUIRE_TLS),
        }
    }

    /// Ends a session in which the host said no, or nothing.
    pub(super) fn refused(&mut self, client: &mut SmtpClient, error: SmtpError) -> NotOpen {
        self.log_fault(client);
        match &error.cause {
            Cause::Replied(_) => {
                client.abandon(self.cx.trace());
                self.event(CLOSED, b"");
            }
            cause => {
                let late = *cause == Cause::Timeout && error.command != SmtpCommand::StartTls;
                self.close(client);
                if late {
                    self.tell(b"SMTP timeout");
                }
            }
        }
        NotOpen::Smtp(error)
    }

    /// Ends a session that has hardly begun, for a reason of this side's.
    fn give_up(&mut self, client: &mut SmtpClient, number: i32, why: Vec<u8>) -> NotOpen {
        client.abandon(self.cx.trace());
        self.event(CLOSED, b"");
        NotOpen::Hindered(number, why)
    }

    /// The same, where it can't be told what is demanded of the host.
    pub(super) fn untold(&mut self, client: &mut SmtpClient, why: Vec<u8>) -> NotOpen {
        self.give_up(client, OTHER, why)
    }

    /// Closes a connection without a word.
    pub(super) fn close(&mut self, client: &mut SmtpClient) {
        client.close(self.cx.trace());
        self.event(CLOSED, b"");
    }
}

/// Why a host is not reached, in Exim's words.
pub(crate) fn reason(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::TimedOut => "Connection timed out".to_owned(),
        _ => eximious_stdlib::wording::reason(why),
    }
}
