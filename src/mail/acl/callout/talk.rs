//! A callout's talk with one host.

mod along;
mod secure;
mod words;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious_core::Str;
use eximious_core::world::{Target, TlsFault};
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::variables::var;

use super::host::{Protocol, Way, is_listed, way};
use super::line::Line;
use super::{Cache, Called, Callout, Failure, META, Subject, raise};
use crate::mail::acl::Logs;
use crate::mail::acl::machine::Run;
use crate::mail::hints::CalloutResult;
use crate::mail::route::{Text, Transport};
use crate::mail::smtp_client::{Connection, Hello, Next, Opening, Reply, Trouble};
use words::{after, in_line, last_line, line, lines, mail, null, rcpt, was};

/// Asks one host.
pub(super) fn with(
    run: &mut Run<'_>,
    callout: &Callout<'_>,
    cache: &mut Cache,
    transport: Option<&Transport>,
    host: &RouteHost,
    address: IpAddr,
) -> Called {
    let mut place = Place { run, callout, transport, host, address, clear: false };
    if callout.takes_along
        && let Some(called) = place.go_along()
    {
        return called;
    }
    loop {
        let talk = match place.open() {
            Ok(talk) => talk,
            Err(NoTalk::Called(called)) => return called,
            Err(NoTalk::Unsecured(fault)) => match place.goes_on_in_clear(&fault) {
                Ok(()) => continue,
                Err(called) => return called,
            },
        };
        if let Some(called) = talk.ask(cache) {
            return called;
        }
        place.tell(b"problem after random/rset/mfrom; reopen conn");
        place.tell(b"  SMTP(close)>>");
        place.closed(true);
        callout.introduce(place.run, host.name.as_bytes(), address);
    }
}

/// Who asks whom.
struct Place<'p, 'r> {
    run: &'p mut Run<'r>,
    callout: &'p Callout<'p>,
    transport: Option<&'p Transport>,
    host: &'p RouteHost,
    address: IpAddr,
    /// Whether TLS was tried in vain.
    clear: bool,
}

/// Why there is no talk.
enum NoTalk {
    /// What is to be said of the host.
    Called(Called),
    /// TLS began, and failed: the connection is of no use any more.
    Unsecured(Box<TlsFault>),
}

impl From<Called> for NoTalk {
    fn from(called: Called) -> Self {
        Self::Called(called)
    }
}

/// A talk with somebody.
struct Talk<'t, 'p, 'r> {
    place: &'t mut Place<'p, 'r>,
    line: Line,
    way: Way,
}

/// Why a talk can't go on.
enum Stop {
    /// The host says no, for good: what it was asked, and what is logged.
    Refused(Vec<u8>),
    /// It says nothing, or nothing certain: what is logged.
    Later(Option<Vec<u8>>),
    /// It says nothing in time, and will not be bid farewell.
    Mute(Option<Vec<u8>>),
}

impl<'p, 'r> Place<'p, 'r> {
    fn tell(&mut self, text: &[u8]) {
        self.run.cx.tell_callout(text);
    }

    fn listed(&mut self, option: &'static str) -> bool {
        is_listed(self.run, self.transport, self.host, self.address, option)
    }

    /// What is logged: who it is about stands before.
    fn about(&self, text: &[u8]) -> Vec<u8> {
        let head = format!("{} [{}] : ", self.host.name, self.address);
        [head.as_bytes(), text].concat()
    }

    /// Opens a connection, as far as commands may be given.
    fn open<'t>(&'t mut self) -> Result<Talk<'t, 'p, 'r>, NoTalk> {
        let later = |place: &Self, text: &[u8]| Called::later(Some(place.about(text)));
        let shown = self.callout.address.clone();
        let way = way(self.run, self.transport, self.host, self.address, &shown);
        if self.listed("hosts_require_dane") {
            return Err(later(self, b"DANE is required, but DANE is not there yet").into());
        }
        let from = way.from.map_or_else(|| "NULL".to_owned(), |from| from.to_string());
        self.tell(format!("interface={from} port={}", way.port).as_bytes());
        if self.transport.and_then(|one| one.text("socks_proxy")).is_some_and(|t| !t.is_empty()) {
            let why = later(self, b"socks_proxy is set, but proxies are not there yet");
            return Err(why.into());
        }
        // Commands before the banner would save time only.
        let _ = self.listed("hosts_pipe_connect");
        let stream = match self.connect(&way) {
            Ok(connection) => connection,
            Err(why) => {
                let why = reason(&why);
                return Err(later(self, why.as_bytes()).into());
            }
        };
        let local = stream.local_address();
        let timeout = self.timeout("command_timeout");
        let protocol = way.protocol;
        let mut talk = Talk { place: self, line: Line::new(Connection::new(stream, timeout)), way };
        talk.place.forget_tls();
        if protocol == Protocol::Smtps {
            talk.shake_hands()?;
        }
        talk.greet(protocol, local)?;
        Ok(talk)
    }

    /// How long each reply may take: the transport's time counts where a message may go
    /// along.
    fn timeout(&self, option: &str) -> Duration {
        let asked = self.callout.params.timeout.unwrap_or_default();
        let own = self.transport.filter(|_| self.callout.params.goes_along());
        let own = own.and_then(|transport| transport.time(option)).filter(|time| !time.is_zero());
        own.map_or(asked, |own| own.min(asked))
    }

    /// Tells the transport of something; what it has to say.
    fn event(&mut self, name: &'static str, data: &[u8]) -> Option<Str> {
        let transport = self.transport?;
        raise(self.run.cx, transport, name, data)
    }

    /// Tells it that the connection is closed: which one that was it knows by then, where
    /// commands were given.
    fn closed(&mut self, greeted: bool) {
        if greeted {
            self.callout.introduce_nobody(self.run);
        }
        self.event("tcp:close", b"");
    }

    fn connect(&mut self, way: &Way) -> io::Result<Box<dyn eximious_core::world::Stream>> {
        let from = way.from.map_or_else(String::new, |from| format!("from {from} "));
        let place = format!("[{}]:{}", self.address, way.port);
        let text = format!("Connecting to {} {place} {from}...", self.host.name);
        self.tell(text.as_bytes());
        self.run.cx.set_var(var::CALLOUT_ADDRESS, Str::tainted(place.into_bytes()));
        let params = self.callout.params;
        let own = params.connect.filter(|timeout| !timeout.is_zero());
        let timeout = own.unwrap_or_else(|| self.timeout("connect_timeout"));
        let to = SocketAddr::new(self.address, way.port);
        self.run.cx.set_var(var::HOST_PORT, way.port.to_string());
        if self.event("tcp:connect", b"").is_some() {
            // So Exim says it.
            return Err(io::Error::other("Unknown error -58"));
        }
        let opened = self.run.cx.call(&META, |call| {
            call.net().map(|net| match way.from {
                Some(from) => net.connect_from(from, to, timeout),
                None => net.connect(&Target::Tcp(to), timeout),
            })
        });
        match opened {
            Ok(opened) => {
                if opened.is_ok() {
                    self.tell(b"connected");
                }
                opened
            }
            Err(fail) => Err(io::Error::other(String::from_utf8_lossy(fail.message()))),
        }
    }
}

fn reason(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::TimedOut => "Connection timed out".to_owned(),
        _ => eximious_stdlib::wording::reason(why),
    }
}

impl Talk<'_, '_, '_> {
    /// Begins the session. An error is what is to be said of the host.
    fn greet(&mut self, protocol: Protocol, local: Option<SocketAddr>) -> Result<(), NoTalk> {
        let mut opening = None;
        let name = self.name(local);
        let mut what = b"initial connection".to_vec();
        loop {
            let reply = match self.listen() {
                Ok(reply) => reply,
                Err(trouble) => {
                    let text: Vec<u8> = match &trouble {
                        Trouble::Timeout => [b"SMTP timeout after ", &what[..]].concat(),
                        Trouble::Closed => {
                            [b"Remote host closed connection in response to ", &what[..]].concat()
                        }
                        Trouble::Malformed(text) => {
                            let head = b"Malformed SMTP reply in response to ";
                            [head.as_slice(), &what, b": ", &line(text)].concat()
                        }
                    };
                    self.close();
                    self.place.closed(false);
                    if trouble == Trouble::Timeout {
                        self.place.tell(b"SMTP timeout");
                    }
                    return Err(Called::later(Some(self.place.about(&text))).into());
                }
            };
            let name_of_event = match (&opening, what.starts_with(b"EHLO")) {
                (None, _) => Some("smtp:connect").filter(|_| reply.accepts()),
                (Some(_), ehlo) => Some("smtp:ehlo").filter(|_| ehlo),
            };
            let told = name_of_event.and_then(|event| self.place.event(event, reply.text()));
            if let (None, Some(why)) = (&opening, told) {
                let head = b"deferred by smtp:connect event expansion: ".as_slice();
                return Err(self.give_up(&[head, why.bytes()].concat()).into());
            }
            let opening = match &mut opening {
                Some(opening) => opening,
                None if reply.accepts() => {
                    if let Err(why) = &name {
                        return Err(self.give_up(why).into());
                    }
                    let plain = self.place.listed("hosts_avoid_esmtp");
                    opening.insert(Opening::new(protocol == Protocol::Lmtp, plain))
                }
                None => opening.insert(Opening::new(false, true)),
            };
            match opening.next(&reply) {
                Next::Say(hello) => {
                    what = self.hail(hello, name.as_deref().unwrap_or_default());
                }
                Next::Open(offers) => {
                    self.line.offers = offers;
                    if !self.wants_tls() || !self.start_tls()? {
                        return Ok(self.choose()?);
                    }
                    what = self.hail(opening.again(), name.as_deref().unwrap_or_default());
                }
                Next::Refused => {
                    let head = b"SMTP error from remote mail server after ";
                    let text = [head.as_slice(), &what, b": ", &line(reply.text())].concat();
                    let called = self.give_up(&text);
                    let called = match reply.refuses() {
                        true => Called::failed(Failure::None, called.logged, self.shown()),
                        false => Called { heard: last_line(reply.text()), ..called },
                    };
                    return Err(called.into());
                }
            }
        }
    }

    /// Greets the host; what was said. That it is gone is found out by listening.
    fn hail(&mut self, hello: Hello, name: &[u8]) -> Vec<u8> {
        let command = [hello.name().as_bytes(), b" ", name].concat();
        let _ = self.say(&command);
        command
    }

    /// The name that the greeting has.
    fn name(&mut self, local: Option<SocketAddr>) -> Result<Vec<u8>, Vec<u8>> {
        let run = &mut *self.place.run;
        if let Some(local) = local {
            run.cx.set_var(var::SENDING_IP_ADDRESS, local.ip().to_canonical().to_string());
            run.cx.set_var(var::SENDING_PORT, local.port().to_string());
        }
        let Some(text) = self.place.transport.and_then(|transport| transport.text("helo_data"))
        else {
            let name = run.cx.value_of(var::SMTP_ACTIVE_HOSTNAME);
            let name = if name.is_empty() { run.cx.value_of(var::PRIMARY_HOSTNAME) } else { name };
            return Ok(name.bytes().to_vec());
        };
        let name = Text::new(text.clone()).expand(run.cx).map_err(|fail| {
            let address = &self.place.callout.address;
            let head = b">: failed to expand transport's helo_data value for callout: ";
            let line = [b"<", address.bytes(), head.as_slice(), fail.message()].concat();
            run.host.log_to(Logs::PANIC, &line);
            [b"failed to expand helo_data: ", fail.message()].concat()
        })?;
        Ok(in_line(name.bytes()))
    }

    /// Looks at what the host offers, and at what is asked of it.
    fn choose(&mut self) -> Result<(), Called> {
        if self.line.secured.is_none() && self.place.listed("hosts_require_tls") {
            let why: &[u8] = match self.line.offers.tls {
                true => b"a TLS session is required, but an attempt to start TLS failed",
                false => b"a TLS session is required, but the server did not offer TLS support",
            };
            return Err(self.give_up(why));
        }
        self.line.pipelining =
            self.line.offers.pipelining && !self.place.listed("hosts_avoid_pipelining");
        if self.line.offers.chunking {
            let _ = self.place.listed("hosts_try_chunking");
        }
        if self.line.has_said(Hello::Helo.name()) {
            return Ok(());
        }
        if self.place.listed("hosts_require_auth") {
            let why: &[u8] = match self.line.offers.auth.is_empty() {
                false => b"authentication required but authenticating as a client is not there yet",
                true => b"authentication required but server did not advertise AUTH support",
            };
            return Err(self.give_up(why));
        }
        if !self.line.offers.auth.is_empty() {
            let _ = self.place.listed("hosts_try_auth");
        }
        Ok(())
    }

    /// Asks what is to be asked; nothing where the connection is no good any more,
    /// and there may be another.
    fn ask(mut self, cache: &mut Cache) -> Option<Called> {
        cache.learned = true;
        cache.domain.result = CalloutResult::Accept;
        let called = match self.try_all(cache) {
            Ok(Some(called)) => called,
            Ok(None) => return None,
            Err(Stop::Refused(logged)) => {
                let failure = match self.line.sent.starts_with(b"RSET") {
                    true => Failure::None,
                    false => Failure::Mail,
                };
                Called::failed(failure, Some(self.place.about(&logged)), self.shown())
            }
            Err(Stop::Later(why)) => {
                let heard = why.is_some().then(|| last_line(&self.line.response)).flatten();
                let why = self.place.about(&why.unwrap_or_else(null));
                Called { heard, ..Called::later(Some(why)) }
            }
            Err(Stop::Mute(why)) => {
                cache.address = CalloutResult::Unknown;
                self.place.tell(b"SMTP timeout");
                self.close();
                self.place.closed(true);
                return Some(Called::later(Some(self.place.about(&why.unwrap_or_else(null)))));
            }
        };
        if called.standing == super::Standing::Deferred {
            cache.address = CalloutResult::Unknown;
        }
        if self.may_stay(called.standing == super::Standing::Fine) {
            self.stay();
            return Some(called);
        }
        self.line.part(self.place.run.cx);
        self.place.closed(true);
        Some(called)
    }

    fn try_all(&mut self, cache: &mut Cache) -> Result<Option<Called>, Stop> {
        let from = self.place.callout.mail_from.clone();
        let mut in_mail = false;
        if let Some(nobody) = cache.nobody.take() {
            let reply = self.envelope(&from, &nobody, cache)?;
            if reply.accepts() {
                cache.note_random(CalloutResult::Accept);
                return Ok(Some(Called::random()));
            }
            cache.note_random(CalloutResult::Reject);
            // Whoever does not like to begin anew is called anew.
            match self.exchange(b"RSET") {
                Ok(reply) if reply.accepts() => {}
                _ => return Ok(None),
            }
            if !self.line.pipelining {
                match self.exchange(&mail(&from)) {
                    Ok(reply) if reply.accepts() => in_mail = true,
                    _ => return Ok(None),
                }
            }
        }
        let address = self.place.callout.address.bytes().to_vec();
        let reply = match in_mail {
            true => self.recipient(&address)?,
            false => self.envelope(&from, &address, cache)?,
        };
        let mut called = Called::fine();
        cache.address = match reply.accepts() {
            true => CalloutResult::Accept,
            false => {
                called =
                    Called::failed(Failure::Recipient, Some(after(&address, &reply)), Vec::new());
                CalloutResult::Reject
            }
        };
        if std::mem::take(&mut cache.tries_postmaster)
            && let Some(refused) = self.postmaster(cache)?
        {
            called = refused;
        }
        if called.standing == super::Standing::Failed {
            called.said = self.shown();
            called.logged = called.logged.map(|logged| self.place.about(&logged));
        }
        Ok(Some(called))
    }

    /// Asks for the postmaster of the domain.
    fn postmaster(&mut self, cache: &mut Cache) -> Result<Option<Called>, Stop> {
        self.place.tell(b"Cutthrough cancelled by presence of postmaster verify");
        let params = self.place.callout.params;
        let from = params.postmaster.clone().unwrap_or_default();
        let reset = self.exchange(b"RSET").map_err(|trouble| self.dropped(trouble))?;
        if !reset.accepts() {
            let why = was(b"RSET", &reset);
            return Err(if reset.refuses() { Stop::Refused(why) } else { Stop::Later(Some(why)) });
        }
        let command = mail(&from);
        let whole = [b"postmaster@", self.place.callout.domain.bytes()].concat();
        if self.line.pipelining {
            self.hold(&command);
            self.say(&rcpt(&whole)).map_err(|trouble| self.dropped(trouble))?;
            self.line.sent.clone_from(&command);
        } else {
            self.say(&command).map_err(|trouble| self.dropped(trouble))?;
        }
        let reply = self.listen().map_err(|trouble| self.dropped(trouble))?;
        if self.line.pipelining && !reply.accepts() {
            self.overhear();
        }
        if reply.refuses() {
            cache.note_postmaster(CalloutResult::Reject);
            return Ok(Some(Called::failed(
                Failure::Postmaster,
                Some(was(&command, &reply)),
                Vec::new(),
            )));
        }
        if !reply.accepts() {
            return Err(Stop::Later(None));
        }
        let mut last = match self.line.pipelining {
            true => {
                self.line.sent = rcpt(&whole);
                self.heard(&whole)?
            }
            false => self.answer(&whole)?,
        };
        if last.refuses() && params.bare_postmaster {
            last = self.answer(b"postmaster")?;
        }
        if last.accepts() {
            cache.note_postmaster(CalloutResult::Accept);
            return Ok(None);
        }
        let why = after(&whole, &last);
        if !last.refuses() {
            return Err(Stop::Later(Some(why)));
        }
        cache.note_postmaster(CalloutResult::Reject);
        Ok(Some(Called::failed(Failure::Postmaster, Some(why), Vec::new())))
    }

    /// MAIL and RCPT: the answer to RCPT, which is a yes or a no.
    fn envelope(&mut self, from: &[u8], to: &[u8], cache: &mut Cache) -> Result<Reply, Stop> {
        let command = [mail(from), self.of_message()].concat();
        if self.line.pipelining {
            self.hold(&command);
            let to = [rcpt(to), self.of_recipient()].concat();
            self.say(&to).map_err(|trouble| self.dropped(trouble))?;
            self.line.sent.clone_from(&command);
        } else {
            self.say(&command).map_err(|trouble| self.dropped(trouble))?;
        }
        let reply = self.listen().map_err(|trouble| match trouble {
            Trouble::Timeout => Stop::Mute(None),
            trouble => self.dropped(trouble),
        })?;
        if !reply.accepts() {
            if self.line.pipelining {
                self.overhear();
            }
            if reply.refuses() {
                let why = was(&command, &reply);
                if from.is_empty() {
                    cache.domain.refuses_empty_sender = true;
                }
                return Err(Stop::Refused(why));
            }
            return Err(Stop::Later(None));
        }
        if !self.line.pipelining {
            return self.recipient(to);
        }
        self.line.sent = rcpt(to);
        self.judged(to)
    }

    /// RCPT: a yes or a no.
    fn recipient(&mut self, to: &[u8]) -> Result<Reply, Stop> {
        let command = [rcpt(to), self.of_recipient()].concat();
        self.say(&command).map_err(|trouble| self.dropped(trouble))?;
        self.judged(to)
    }

    fn judged(&mut self, to: &[u8]) -> Result<Reply, Stop> {
        let reply = self.heard(to)?;
        match reply.accepts() || reply.refuses() {
            true => Ok(reply),
            false => Err(Stop::Later(Some(after(to, &reply)))),
        }
    }

    /// RCPT: whatever is answered.
    fn answer(&mut self, to: &[u8]) -> Result<Reply, Stop> {
        self.say(&rcpt(to)).map_err(|trouble| self.dropped(trouble))?;
        self.heard(to)
    }

    fn heard(&mut self, to: &[u8]) -> Result<Reply, Stop> {
        self.listen().map_err(|trouble| match trouble {
            Trouble::Timeout => Stop::Mute(Some([b"SMTP timeout after ", &rcpt(to)[..]].concat())),
            trouble => self.dropped(trouble),
        })
    }

    fn overhear(&mut self) {
        self.line.overhear(self.place.run.cx);
    }

    fn hold(&mut self, command: &[u8]) {
        self.line.hold(self.place.run.cx, command);
    }

    fn say(&mut self, command: &[u8]) -> Result<(), Trouble> {
        self.line.say(self.place.run.cx, command)
    }

    fn listen(&mut self) -> Result<Reply, Trouble> {
        self.line.listen(self.place.run.cx)
    }

    fn close(&mut self) {
        self.line.close(self.place.run.cx);
    }

    /// Ends a session that has hardly begun.
    fn give_up(&mut self, why: &[u8]) -> Called {
        self.line.give_up(self.place.run.cx);
        self.place.closed(false);
        Called::later(Some(self.place.about(why)))
    }

    fn exchange(&mut self, command: &[u8]) -> Result<Reply, Trouble> {
        self.say(command)?;
        self.listen()
    }

    fn dropped(&self, trouble: Trouble) -> Stop {
        match trouble {
            Trouble::Timeout => Stop::Mute(None),
            Trouble::Malformed(_) => Stop::Later(None),
            Trouble::Closed => {
                let tail = b"\" was: connection dropped";
                let parts = [b"response to \"".as_slice(), &self.line.sent, tail];
                Stop::Later(Some(parts.concat()))
            }
        }
    }

    /// What the client is told of a refusal.
    fn shown(&self) -> Vec<u8> {
        match self.place.callout.subject {
            Subject::Recipient => along::refusal(&self.line.response),
            _ => [
                format!("Called:   {}\nSent:     ", self.place.address).as_bytes(),
                &self.line.sent,
                b"\nResponse: ",
                &lines(&self.line.response),
            ]
            .concat(),
        }
    }
}
