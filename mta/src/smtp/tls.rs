//! TLS with the client (specification, chapter 43; RFC 3207): STARTTLS, ports where TLS
//! comes first, and what is known of the client then.
//!
//! TLS itself is an organ of the world that knows no sockets: what comes in is given to
//! it, and what it wants sent is a reply like any other. So whoever has the connection
//! need not know of it. Bytes that came before TLS are never read behind it.

use std::time::Duration;

use eximious::acl::{AclResult, AclVerdict};
use eximious::stdlib::certificate;
use eximious::stdlib::lists::elements;
use eximious::stdlib::x509::Certificate;
use eximious::world::{Moment, TlsDemand, TlsFacts, TlsFault, TlsHeard, TlsProgress, TlsSession};
use eximious::{AclPhases, Str, Var, opt, var};

use super::client_hello::{self, Hello};
use super::proxy::since;
use super::session::Stage;
use super::verdict::Refused;
use super::{Event, Session};

/// A handshake that goes on.
#[derive(Debug)]
pub(super) struct Shaking {
    pub(super) began: Moment,
    /// Where TLS comes first: how the client is greeted after it.
    greeting: Option<Greeting>,
}

/// What an ACL wants the client to be greeted with, where it wants that.
#[derive(Debug)]
pub(super) struct Greeting(pub(super) Option<Str>);

/// TLS around the connection.
#[derive(Default)]
pub(super) struct Secured {
    session: Option<Box<dyn TlsSession>>,
    /// Whether the handshake is over.
    established: bool,
    /// Whether a command came that breaks it: nothing is done for the client any more.
    pub(super) misused: bool,
}

/// The variables of a connection under TLS.
const VARIABLES: [Var; 11] = [
    var::TLS_IN_BITS,
    var::TLS_IN_CERTIFICATE_VERIFIED,
    var::TLS_IN_CIPHER,
    var::TLS_IN_CIPHER_STD,
    var::TLS_IN_OCSP,
    var::TLS_IN_OURCERT,
    var::TLS_IN_PEERCERT,
    var::TLS_IN_PEERDN,
    var::TLS_IN_RESUMPTION,
    var::TLS_IN_SNI,
    var::TLS_IN_VER,
];

impl Session {
    /// Whether the client may begin TLS.
    pub(super) fn offers_tls(&mut self) -> bool {
        let may = self.client_in(opt::TLS_ADVERTISE_HOSTS);
        may && !self.tls.established && self.cx.engine().world().tls.is_there()
    }

    /// `STARTTLS`
    pub(super) fn start_tls(&mut self) {
        if !self.offers.tls {
            return self.protocol_error(b"503", b"STARTTLS command used when not advertised");
        }
        if let Some(result) = self.acl(opt::ACL_SMTP_STARTTLS, AclPhases::STARTTLS)
            && result.verdict != AclVerdict::Accept
        {
            let _ = self.refuse(&Refused::new(&[b"STARTTLS "]), result);
            return;
        }
        // What came with the command came before TLS.
        self.input.clear();
        if self.tls.established {
            self.tls.misused = true;
            self.log_tls_fault(&TlsFault::new("STARTTLS received after TLS started", ""));
            return self.say(&[b"554 Already in TLS"]);
        }
        if let Err(fault) = self.prepare_tls() {
            self.log_tls_fault(&fault);
            return self.say(&[b"454 TLS currently unavailable"]);
        }
        self.reset_message();
        self.say(&[b"220 TLS go ahead"]);
        self.shake_hands(None);
    }

    /// Begins with TLS before the client is greeted.
    pub(super) fn shake_hands_first(&mut self, greeting: Greeting) {
        match self.prepare_tls() {
            Ok(()) => self.shake_hands(Some(greeting)),
            Err(fault) => {
                self.log_tls_fault(&fault);
                self.failed = true;
                self.end_silently();
            }
        }
    }

    /// Whether TLS comes first where the client connected.
    pub(super) fn begins_with_tls(&mut self) -> bool {
        if self.tls.established {
            return false;
        }
        let ports = self.text(opt::TLS_ON_CONNECT_PORTS);
        let Some(own) = self.client.local_port.filter(|_| self.client.address.is_some()) else {
            return self.client.begins_with_tls;
        };
        let world = self.cx.engine().world().clone();
        let named = |name: &[u8]| {
            let text = std::str::from_utf8(name.trim_ascii()).unwrap_or_default();
            text.parse().ok().or_else(|| world.net.service(text)) == Some(own)
        };
        self.client.begins_with_tls || elements(ports.bytes()).any(|port| named(&port))
    }

    fn shake_hands(&mut self, greeting: Option<Greeting>) {
        let began = self.cx.engine().world().clock.now();
        self.stage = Stage::Shaking(Box::new(Shaking { began, greeting }));
        if self.hurries {
            // Whoever types at a test has no TLS to speak.
            let fault = TlsFault::new("SSL_accept", "a test has no connection");
            self.give_up_tls(&fault, true);
        }
    }

    /// How much longer the handshake may take.
    pub(super) fn patience_of_tls(&mut self, began: Moment) -> Option<Duration> {
        let time = self.time_for_a_line()?;
        Some(time.saturating_sub(since(began, self.cx.engine().world().clock.now())))
    }

    /// The handshake took too long.
    pub(super) fn tls_took_too_long(&mut self) {
        self.give_up_tls(&TlsFault::new("SSL_accept", "timed out"), true);
    }

    /// Makes ready what TLS needs. Where options hang on the name that the client asks
    /// for, that is done once more when it is known.
    fn prepare_tls(&mut self) -> Result<(), TlsFault> {
        for var in VARIABLES {
            self.cx.unset_var(var);
        }
        let settings = self.tls_settings()?;
        let session = self.cx.engine().world().tls.serve(&settings)?;
        let text = self.text(opt::TLS_CERTIFICATE);
        let by_name = [b"tls_in_sni".as_slice(), b"tls_sni"]
            .iter()
            .any(|name| memchr::memmem::find(text.bytes(), name).is_some());
        self.tls.session = (!by_name).then_some(session);
        Ok(())
    }

    /// The session with the client, once it is clear which it is; nothing where the
    /// client has to say more.
    fn tls_session(&mut self) -> Result<Option<&mut dyn TlsSession>, TlsFault> {
        if self.tls.session.is_none() {
            let name = match client_hello::read(self.input.rest()) {
                Hello::Partial if !self.input.ended => return Ok(None),
                Hello::Partial => None,
                Hello::Whole(name) => name,
            };
            self.cx.set_var(var::TLS_IN_SNI, Str::tainted(name.unwrap_or_default()));
            let settings = self.tls_settings()?;
            self.tls.session = Some(self.cx.engine().world().tls.serve(&settings)?);
        }
        let Some(session) = &mut self.tls.session else { return Ok(None) };
        session.receive(self.input.rest());
        self.input.clear();
        if self.input.ended {
            session.end_of_input();
        }
        Ok(Some(&mut **session))
    }

    /// Goes on with the handshake; false where the client has to say more.
    pub(super) fn go_on_shaking(&mut self) -> bool {
        let progress = match self.tls_session() {
            Ok(Some(session)) => session.shake(),
            Ok(None) => return false,
            Err(fault) => TlsProgress::Failed(Box::new(fault)),
        };
        let sends = self.send_sealed();
        match progress {
            TlsProgress::More => return sends,
            TlsProgress::Done(facts) => self.go_on_under_tls(*facts),
            TlsProgress::Failed(fault) => {
                self.tell_of_certificates(&fault.chain);
                self.give_up_tls(&fault, !fault.is_of_certificate);
            }
        }
        true
    }

    /// Takes what came over a connection.
    pub(super) fn take_sealed(&mut self, bytes: &[u8]) {
        match &mut self.tls.session {
            Some(session) if self.tls.established => {
                session.receive(bytes);
                self.open();
            }
            _ => self.input.push(bytes),
        }
    }

    /// Nothing more will come.
    pub(super) fn end_sealed(&mut self) {
        match &mut self.tls.session {
            Some(session) if self.tls.established => {
                session.end_of_input();
                self.open();
                self.input.ended = true;
            }
            _ => self.input.ended = true,
        }
    }

    /// Opens what has come. Once TLS is over, the connection is: nothing that comes
    /// then is read as if it were in clear text.
    fn open(&mut self) {
        if self.input.ended {
            return;
        }
        let Some(session) = &mut self.tls.session else { return };
        let mut opened = Vec::new();
        let heard = session.read(&mut opened);
        self.input.push(&opened);
        self.send_sealed();
        match heard {
            TlsHeard::More => {}
            TlsHeard::End => self.input.ended = true,
            TlsHeard::Failed(fault) => {
                self.input.ended = true;
                if !matches!(self.stage, Stage::Done) {
                    self.log_tls_fault(&fault);
                }
            }
        }
    }

    /// Sends what TLS wants sent; whether that is anything.
    fn send_sealed(&mut self) -> bool {
        let Some(session) = &mut self.tls.session else { return false };
        let bytes = session.take_output();
        let any = !bytes.is_empty();
        if any {
            self.events.push_back(Event::Reply(bytes));
        }
        any
    }

    /// Sends a reply, under TLS where there is one. During a handshake nothing can be
    /// said.
    pub(super) fn send(&mut self, bytes: Vec<u8>) {
        if matches!(self.stage, Stage::Shaking(_)) {
            return;
        }
        match &mut self.tls.session {
            Some(session) if self.tls.established => {
                // A client that is gone is noticed when more is read.
                let _ = session.write(&bytes);
                self.send_sealed();
            }
            _ => self.events.push_back(Event::Reply(bytes)),
        }
    }

    /// Ends TLS, before the connection ends.
    pub(super) fn finish_tls(&mut self) {
        if let Some(session) = &mut self.tls.session
            && self.tls.established
        {
            session.finish();
            self.send_sealed();
        }
    }

    fn go_on_under_tls(&mut self, facts: TlsFacts) {
        let Stage::Shaking(shaking) = std::mem::replace(&mut self.stage, Stage::Commands) else {
            return;
        };
        let refused = self.tell_of_certificates(&facts.chain);
        self.tls.established = true;
        if refused && self.tls_demand() == TlsDemand::Required {
            self.tls.established = false;
            self.stage = Stage::Shaking(shaking);
            let place = "certificate verification failed";
            return self.give_up_tls(&TlsFault::new(place, "refused by event_action"), false);
        }
        self.note_facts(&facts, refused);
        let remembers = self.flag(opt::TLS_REMEMBER_ESMTP) && self.offers.extended;
        if shaking.greeting.is_none() {
            self.forget_what_was_said(remembers);
        }
        self.note_protocol(remembers);
        self.authenticate_by_tls(facts.binding);
        if let Some(greeting) = shaking.greeting {
            // Early words of the client came under TLS.
            self.open();
            return self.greet(greeting);
        }
        self.open();
    }

    /// What was said in clear text counts no more.
    fn forget_what_was_said(&mut self, remembers: bool) {
        self.offers = super::ehlo::Advertised {
            greeted: remembers,
            extended: remembers,
            early_pipelining: self.offers.early_pipelining,
            // Who begins once more without EHLO breaks TLS, and is told so.
            tls: true,
            ..Default::default()
        };
        self.name_client(Str::EMPTY);
        self.forget_client();
        // The next EHLO and the next AUTH are expected.
        self.counts.free.retain(|name| !matches!(*name, "HELO" | "AUTH"));
    }

    fn note_facts(&mut self, facts: &TlsFacts, refused: bool) {
        let cx = &mut self.cx;
        let cipher = format!("{}:{}:{}", facts.version, facts.cipher, facts.bits);
        cx.set_var(var::TLS_IN_CIPHER, cipher);
        cx.set_var(var::TLS_IN_CIPHER_STD, facts.standard_cipher.clone());
        cx.set_var(var::TLS_IN_VER, facts.version.clone());
        cx.set_var(var::TLS_IN_BITS, facts.bits.to_string());
        cx.set_var(var::TLS_IN_RESUMPTION, facts.resumption.to_string());
        cx.set_var(var::TLS_IN_OCSP, facts.proof.to_string());
        cx.set_var(var::TLS_IN_OURCERT, Str::from(&facts.own_certificate[..]));
        let verified = facts.is_verified && !refused;
        cx.set_var(var::TLS_IN_CERTIFICATE_VERIFIED, if verified { "1" } else { "0" });
        if let Some(shown) = facts.chain.first() {
            cx.set_var(var::TLS_IN_PEERCERT, Str::tainted(&shown[..]));
            cx.set_var(var::TLS_IN_PEERDN, Str::tainted(distinguished_name(shown)));
        }
        let name = facts.server_name.as_deref().unwrap_or_default();
        cx.set_var(var::TLS_IN_SNI, Str::tainted(name));
    }

    /// Raises an event for each certificate that the client showed; whether one of them
    /// is refused.
    fn tell_of_certificates(&mut self, chain: &[Vec<u8>]) -> bool {
        let mut refused = false;
        for (depth, shown) in chain.iter().enumerate().rev() {
            self.cx.set_var(var::TLS_IN_PEERCERT, Str::tainted(&shown[..]));
            let depth = Str::from(depth.to_string());
            let answer = eximious::event::raise(&mut self.cx, "tls:cert", depth);
            refused |= matches!(answer, Some(Ok(text)) if !text.is_empty());
        }
        self.cx.unset_var(var::TLS_IN_PEERCERT);
        refused
    }

    /// There is no TLS, and no connection any more: in which state the client is, nobody
    /// knows.
    fn give_up_tls(&mut self, fault: &TlsFault, raises: bool) {
        if raises {
            let why = Str::tainted(fault.shown());
            let _ = eximious::event::raise(&mut self.cx, "tls:fail:connect", why);
        }
        self.log_tls_fault(fault);
        self.failed = true;
        let first = matches!(&self.stage, Stage::Shaking(shaking) if shaking.greeting.is_some());
        if first {
            return self.end_silently();
        }
        self.log_end("closed by EOF");
        self.not_quit("tls-failed", None);
        self.close();
    }

    /// Turns a client away that can be told nothing, because TLS would come first.
    pub(super) fn drop_before_tls(&mut self, result: &AclResult) {
        let client = self.logged_client();
        let mut line = [&client[..], b" dropped by 'connect' ACL"].concat();
        if let Some(why) = result.log_message.as_ref().filter(|why| !why.is_empty()) {
            line.extend_from_slice(&[b": ", why.bytes()].concat());
        }
        self.log_rejection(&line);
        self.end_silently();
    }

    /// Ends a connection that was never greeted.
    fn end_silently(&mut self) {
        self.acl_state.cutthrough.end(&mut self.cx, "connection closed");
        self.events.push_back(Event::Close);
        self.stage = Stage::Done;
    }

    /// `TLS error on connection from …`
    fn log_tls_fault(&mut self, fault: &TlsFault) {
        let client = self.shown_client();
        let head = b"TLS error on connection from ".as_slice();
        self.log(&[head, &client, b" ", fault.shown().as_bytes()].concat());
    }

    /// What the client hears who broke TLS.
    pub(super) fn refuse_misuse(&mut self, line: &[u8]) {
        if line.eq_ignore_ascii_case(b"QUIT") {
            return self.quit();
        }
        self.say(&[b"554 Security failure"]);
    }
}

/// The name in a certificate (PEM), as it is logged.
fn distinguished_name(pem: &[u8]) -> Vec<u8> {
    let der = certificate::der(pem);
    let read = der.as_deref().and_then(Certificate::read);
    read.map(|read| read.subject().into_bytes()).unwrap_or_default()
}
