//! A callout's talk with one host.

mod along;
mod words;

use std::borrow::Cow;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use eximious_core::world::TlsFault;
use eximious_core::{DriverOpt, Str};
use eximious_stdlib::address::in_ascii;
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt;
use eximious_stdlib::options::opt::transport::smtp;

use super::{Cache, Called, Callout, Failure, Subject};
use crate::mail::acl::Logs;
use crate::mail::acl::machine::Run;
use crate::mail::hints::CalloutResult;
use crate::mail::smtp_client::{
    Cause, Endpoint, MailParams, Protocol, RcptParams, Reply, ReplyClass, SentCommand, SmtpCommand,
    SmtpError, Timeouts,
};
use crate::mail::smtp_transport::{
    Asker, CLOSED, NotOpen, Opened, Peer, PeerTls, endpoint, listing, log_tls_fault, raise, reason,
};
use crate::mail::transport::Transport;
use along::is_international;
use words::{after, last_line, lines, null, rcpt, was};

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
    loop {
        let talk = match place.open() {
            Ok(talk) => talk,
            Err(NoTalk::Called(called)) => return called,
            Err(NoTalk::Unsecured(fault, protocol)) => {
                match place.goes_on_in_clear(&fault, protocol) {
                    Ok(()) => continue,
                    Err(called) => return called,
                }
            }
        };
        if let Some(called) = talk.ask(cache) {
            return called;
        }
        place.tell(b"problem after random/rset/mfrom; reopen conn");
        place.tell(b"  SMTP(close)>>");
        place.closed();
        callout.introduce(place.run, host, address);
    }
}

/// Names the recipient over the connection that is held open, if it leads to this host.
pub(super) fn along(
    run: &mut Run<'_>,
    callout: &Callout<'_>,
    transport: Option<&Transport>,
    host: &RouteHost,
    address: IpAddr,
) -> Option<Called> {
    Place { run, callout, transport, host, address, clear: false }.go_along()
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
    Unsecured(Box<TlsFault>, Protocol),
}

/// A talk with somebody.
struct Talk<'t, 'p, 'r> {
    place: &'t mut Place<'p, 'r>,
    opened: Opened,
    endpoint: Endpoint,
    /// Whether addresses are told in ASCII.
    converts: bool,
    /// At what it fails, should it fail now.
    failing: Failure,
}

/// Why a talk can't go on.
enum Stop {
    /// The host says no, for good: what is logged.
    Refused(Vec<u8>),
    /// It says nothing, or nothing certain: what is logged.
    Later(Option<Vec<u8>>),
    /// It says nothing in time, and will not be bid farewell.
    Mute(Option<Vec<u8>>),
}

impl From<SmtpError> for Stop {
    fn from(error: SmtpError) -> Self {
        match error.cause {
            Cause::Timeout => Self::Mute(None),
            Cause::Closed => {
                let tail = b"\" was: connection dropped";
                Self::Later(Some([b"response to \"".as_slice(), &error.said, tail].concat()))
            }
            _ => Self::Later(None),
        }
    }
}

impl<'p, 'r> Place<'p, 'r> {
    fn tell(&mut self, text: &[u8]) {
        self.run.cx.tell_callout(text);
    }

    /// Whether a list demands something of the host, or nobody can tell.
    fn may_be_demanded(&mut self, option: DriverOpt<Str>) -> bool {
        let listed = listing(self.run.cx, self.transport, self.host, self.address, option);
        listed.unwrap_or(true)
    }

    /// Where the host is spoken to. What is wrong with the options that say so is logged.
    fn endpoint(&mut self) -> Endpoint {
        let (endpoint, wrong) =
            endpoint(self.run.cx, self.transport, self.host, self.address, &Asker::Callout);
        if let Some(why) = wrong {
            let line = [b"<", self.callout.address.bytes(), b">: ", &why].concat();
            self.run.host.log_to(Logs::PANIC, &line);
        }
        endpoint
    }

    /// What is logged: who it is about stands before.
    fn about(&self, text: &[u8]) -> Vec<u8> {
        let head = format!("{} [{}] : ", self.host.name, self.address);
        [head.as_bytes(), text].concat()
    }

    /// Opens a connection, as far as commands may be given.
    fn open<'t>(&'t mut self) -> Result<Talk<'t, 'p, 'r>, NoTalk> {
        let endpoint = self.endpoint();
        let own = self.callout.params.connect.filter(|timeout| !timeout.is_zero());
        let within = own.unwrap_or_else(|| self.timeout());
        let command = self.timeout();
        let host = &mut *self.run.host;
        let mut log = |line: &[u8]| host.log_to(Logs::PANIC, line);
        let mut peer = Peer {
            cx: self.run.cx,
            log: &mut log,
            transport: self.transport,
            authenticators: self.run.acls.routes().authenticators(),
            host: self.host,
            address: self.address,
            about: &self.callout.address,
            verifies: true,
            in_clear: self.clear,
            local: None,
            proxy: None,
            tls: PeerTls::default(),
            turned: None,
        };
        let opened = peer.open(&endpoint, within, Timeouts { command, ..Timeouts::default() });
        match opened {
            Ok(mut opened) => match self.converts(&opened) {
                Ok(converts) => {
                    Ok(Talk { place: self, opened, endpoint, converts, failing: Failure::None })
                }
                Err(why) => {
                    opened.client.quit(self.run.cx.trace());
                    self.closed();
                    Err(NoTalk::Called(Called::later(Some(self.about(&why)))))
                }
            },
            Err(NotOpen::Unsecured(fault)) => Err(NoTalk::Unsecured(fault, endpoint.protocol)),
            Err(NotOpen::Unreachable(why)) => {
                if matches!(
                    why.kind(),
                    io::ErrorKind::AddrNotAvailable | io::ErrorKind::NetworkUnreachable
                ) {
                    self.log_no_way(&why);
                }
                let why = self.about(reason(&why).as_bytes());
                Err(NoTalk::Called(Called::later(Some(why))))
            }
            // That nobody vouches for this host says nothing of the recipient.
            Err(
                NotOpen::Hindered(_, why)
                | NotOpen::Unproven(_, why)
                | NotOpen::Unvouched { why, .. },
            ) => Err(NoTalk::Called(Called::later(Some(self.about(&why))))),
            Err(NotOpen::Clear(why)) => {
                Err(NoTalk::Called(Called::later(Some(self.about(why.as_bytes())))))
            }
            Err(NotOpen::Mismatched(fault)) => {
                let why = fault.logged();
                Err(NoTalk::Called(Called::later(Some(self.about(why.as_bytes())))))
            }
            Err(NotOpen::Smtp(error)) => Err(NoTalk::Called(self.unwilling(&error))),
        }
    }

    /// Notes that this host has no way to the other, or no such address as the callout is to be
    /// made from.
    fn log_no_way(&mut self, why: &io::Error) {
        let Some(transport) = self.transport else { return };
        // So Exim has it: the other way round.
        let word = if self.callout.subject == Subject::Recipient { "sender" } else { "recipient" };
        let head = format!("{word} verify defer (making calloout connection): T=");
        let why = reason(why);
        let line = [head.as_bytes(), transport.name.bytes(), b" ", why.as_bytes()];
        self.run.host.log_to(Logs::PANIC, &line.concat());
    }

    /// What is to be said of a host that does not let a message begin.
    fn unwilling(&self, error: &SmtpError) -> Called {
        let topbit = self.run.cx.engine().settings().get(opt::PRINT_TOPBITCHARS);
        let Some(reply) = error.reply() else {
            // Whatever comes in the place of an answer to STARTTLS is the end of it.
            let logged = match error.command {
                SmtpCommand::StartTls => {
                    b"Remote host closed connection in response to STARTTLS".to_vec()
                }
                _ => error.printed(topbit),
            };
            return Called::later(Some(self.about(&logged)));
        };
        let logged = Some(self.about(&error.printed(topbit)));
        match reply.refuses() {
            // Its refusal was answered.
            true => Called::failed(Failure::None, logged, self.shown(b"QUIT", reply.text())),
            false => Called { heard: last_line(reply.text()), ..Called::later(logged) },
        }
    }

    /// What the client is told of a refusal.
    fn shown(&self, said: &[u8], heard: &[u8]) -> Vec<u8> {
        match self.callout.subject {
            Subject::Recipient => along::refusal(heard),
            _ => [
                format!("Called:   {}\nSent:     ", self.address).as_bytes(),
                said,
                b"\nResponse: ",
                &lines(heard),
            ]
            .concat(),
        }
    }

    /// Goes on without TLS, where that may be; otherwise, what is to be said of the host.
    fn goes_on_in_clear(&mut self, fault: &TlsFault, protocol: Protocol) -> Result<(), Called> {
        let why = fault.logged();
        let tries =
            self.transport.is_none_or(|transport| transport.on(smtp::TLS_TEMPFAIL_TRYCLEAR));
        if protocol == Protocol::Smtps || !tries || self.may_be_demanded(smtp::HOSTS_REQUIRE_TLS) {
            return Err(Called::later(Some(self.about(why.as_bytes()))));
        }
        let line = format!(
            "{why}: callout unencrypted to {} [{}] (not in hosts_require_tls)",
            self.host.name, self.address
        );
        self.run.host.log_to(Logs::MAIN, line.as_bytes());
        self.clear = true;
        Ok(())
    }

    /// How long each reply may take.
    fn timeout(&self) -> Duration {
        self.callout.params.timeout.unwrap_or_default()
    }

    /// Tells the transport that a connection is closed over which commands were given.
    fn closed(&mut self) {
        self.callout.introduce_nobody(self.run);
        self.tell_closed();
    }

    fn tell_closed(&mut self) {
        if let Some(transport) = self.transport {
            raise(self.run.cx, transport, CLOSED, b"");
        }
    }
}

impl Talk<'_, '_, '_> {
    /// Asks what is to be asked; nothing where the connection is no good any more,
    /// and there may be another.
    fn ask(mut self, cache: &mut Cache) -> Option<Called> {
        cache.learned = true;
        cache.domain.result = CalloutResult::Accept;
        let done = self.try_all(cache);
        self.log_fault();
        let called = match done {
            Ok(Some(called)) => called,
            Ok(None) => return None,
            Err(Stop::Refused(logged)) => {
                Called::failed(self.failing, Some(self.place.about(&logged)), self.shown())
            }
            Err(Stop::Later(why)) => {
                let heard =
                    why.is_some().then(|| last_line(&self.opened.client.last().heard)).flatten();
                let why = self.place.about(&why.unwrap_or_else(null));
                Called { failure: self.failing, heard, ..Called::later(Some(why)) }
            }
            Err(Stop::Mute(why)) => {
                cache.address = CalloutResult::Unknown;
                self.place.tell(b"SMTP timeout");
                self.opened.client.close(self.place.run.cx.trace());
                self.place.closed();
                let why = self.place.about(&why.unwrap_or_else(null));
                return Some(Called { failure: self.failing, ..Called::later(Some(why)) });
            }
        };
        if called.standing == super::Standing::Deferred {
            cache.address = CalloutResult::Unknown;
        }
        if self.may_stay(called.standing == super::Standing::Fine) {
            self.stay();
            return Some(called);
        }
        self.opened.client.quit(self.place.run.cx.trace());
        self.log_fault();
        // Who takes mail for nobody is still told of.
        match cache.domain.random == CalloutResult::Accept {
            true => self.place.tell_closed(),
            false => self.place.closed(),
        }
        Some(called)
    }

    /// As [`log_tls_fault`].
    fn log_fault(&mut self) {
        let (name, address) = (self.place.host.name.as_bytes(), self.place.address);
        log_tls_fault(self.place.run.cx, &mut self.opened.client, name, address);
    }

    fn try_all(&mut self, cache: &mut Cache) -> Result<Option<Called>, Stop> {
        if is_international(self.place.run.cx)
            && !self.converts
            && !self.opened.client.extensions().smtputf8
        {
            // Nothing was asked that would be worth knowing.
            cache.learned = false;
            let why = self.place.about(b"response to \"EHLO\" did not include SMTPUTF8");
            let said = b"533 no support for internationalised mailbox name".to_vec();
            return Ok(Some(Called::failed(Failure::Recipient, Some(why), said)));
        }
        let from = self.place.callout.mail_from.clone();
        let mut in_mail = false;
        if let Some(nobody) = cache.nobody.take() {
            self.place.run.state.cutthrough.end(self.place.run.cx, "random verify");
            let reply = self.envelope(&from, &nobody, cache)?;
            if reply.accepts() {
                cache.note_random(CalloutResult::Accept);
                return Ok(Some(Called::random()));
            }
            cache.note_random(CalloutResult::Reject);
            // Whoever does not like to begin anew is called anew.
            let (client, cx) = (&mut self.opened.client, &mut *self.place.run.cx);
            if client.rset(cx.trace()).is_err() {
                return Ok(None);
            }
            if !client.pipelines() {
                let params = self.of_message()?;
                let from = self.spoken(&from);
                let (client, cx) = (&mut self.opened.client, &mut *self.place.run.cx);
                if client.mail(cx.trace(), &from, &params).is_err() {
                    return Ok(None);
                }
                in_mail = true;
            }
        }
        let address = self.place.callout.recipient.bytes().to_vec();
        let reply = match in_mail {
            true => self.recipient(&address)?,
            false => {
                // That of nobody may fail without a word.
                self.failing = Failure::Mail;
                self.envelope(&from, &address, cache)?
            }
        };
        let mut called = Called::fine();
        cache.address = match reply.accepts() {
            true => CalloutResult::Accept,
            false => {
                // So it stays, should nothing certain be heard of the postmaster.
                self.failing = Failure::Recipient;
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
        self.place.run.state.cutthrough.end(self.place.run.cx, "postmaster verify");
        let params = self.place.callout.params;
        let from = params.postmaster.clone().unwrap_or_default();
        if let Err(error) = self.opened.client.rset(self.place.run.cx.trace()) {
            let Some(reply) = error.reply() else { return Err(error.into()) };
            let why = was(b"RSET", reply);
            return Err(match reply.refuses() {
                true => Stop::Refused(why),
                false => Stop::Later(Some(why)),
            });
        }
        let mail = self.mail(&from, &MailParams::default());
        let whole = [b"postmaster@", self.place.callout.domain.bytes()].concat();
        let command = mail.shown().to_vec();
        let rest = self.rcpt(&whole, &RcptParams::default());
        let (reply, rest) = self.begin(mail, rest)?;
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
        let mut last = match rest {
            None => self.heard(&whole)?,
            Some(rest) => self.answer(rest, &whole)?,
        };
        if !last.accepts() && params.bare_postmaster {
            let bare = self.rcpt(b"postmaster", &RcptParams::default());
            last = self.answer(bare, b"postmaster")?;
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
        let params = self.of_message()?;
        let (from_host, to_host) = (self.spoken(from), self.spoken(to));
        let mail = self.mail(&from_host, &params);
        let command = mail.shown().to_vec();
        let rest = self.rcpt(&to_host, &self.of_recipient());
        let (reply, rest) = self.begin(mail, rest)?;
        if !reply.accepts() {
            if !reply.refuses() {
                // Exim has a reason for what is no answer at all, and none for "not now".
                let is_no_answer = reply.class() != ReplyClass::Transient;
                return Err(Stop::Later(is_no_answer.then(|| was(&command, &reply))));
            }
            if from.is_empty() {
                cache.domain.refuses_empty_sender = true;
            }
            return Err(Stop::Refused(was(&command, &reply)));
        }
        self.failing = Failure::None;
        if let Some(rest) = rest {
            self.opened.client.send(self.place.run.cx.trace(), rest)?;
        }
        self.judged(to)
    }

    /// Says MAIL: the answer to it. RCPT is said with it where that may be; otherwise it
    /// is given back.
    fn begin(
        &mut self,
        mail: SentCommand,
        rest: SentCommand,
    ) -> Result<(Reply, Option<SentCommand>), Stop> {
        let (client, cx) = (&mut self.opened.client, &mut *self.place.run.cx);
        if !client.pipelines() {
            client.send(cx.trace(), mail)?;
            return Ok((client.answer(cx.trace())?, Some(rest)));
        }
        client.queue(cx.trace(), mail);
        client.send(cx.trace(), rest)?;
        let reply = client.answer(cx.trace())?;
        if !reply.accepts() {
            client.skip_answer(cx.trace());
        }
        Ok((reply, None))
    }

    /// An address as the host is told it.
    fn spoken<'t>(&self, address: &'t [u8]) -> Cow<'t, [u8]> {
        match self.converts && !address.is_ascii() {
            true => Cow::Owned(in_ascii(&Str::tainted(address)).bytes().to_vec()),
            false => Cow::Borrowed(address),
        }
    }

    fn mail(&self, from: &[u8], params: &MailParams) -> SentCommand {
        SentCommand::mail(from, params, self.opened.client.extensions())
    }

    fn rcpt(&self, to: &[u8], params: &RcptParams) -> SentCommand {
        SentCommand::rcpt(to, params, self.opened.client.extensions())
    }

    /// RCPT: a yes or a no.
    fn recipient(&mut self, to: &[u8]) -> Result<Reply, Stop> {
        let to_host = self.spoken(to);
        let request = self.rcpt(&to_host, &self.of_recipient());
        self.opened.client.send(self.place.run.cx.trace(), request)?;
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
    fn answer(&mut self, request: SentCommand, to: &[u8]) -> Result<Reply, Stop> {
        self.opened.client.send(self.place.run.cx.trace(), request)?;
        self.heard(to)
    }

    fn heard(&mut self, to: &[u8]) -> Result<Reply, Stop> {
        self.opened.client.answer(self.place.run.cx.trace()).map_err(|error| match error.cause {
            Cause::Timeout => Stop::Mute(Some([b"SMTP timeout after ", &rcpt(to)[..]].concat())),
            _ => error.into(),
        })
    }

    /// What the client is told of a refusal.
    fn shown(&self) -> Vec<u8> {
        let last = self.opened.client.last();
        self.place.shown(&last.said, &last.heard)
    }
}
