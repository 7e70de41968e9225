//! TLS with the client (specification, chapter 43; RFC 3207): STARTTLS, ports where TLS
//! comes first, and what is known of the client then.
//!
//! TLS itself is an organ of the world that knows no sockets: what comes in is given to
//! it, and what it wants sent is a reply like any other. So whoever has the connection
//! need not know of it. Bytes that came before TLS are never read behind it.

use eximious::acl::{AclResult, AclVerdict, Secured};
use eximious::stdlib::certificate;
use eximious::stdlib::lists::elements;
use eximious::stdlib::x509::Certificate;
use eximious::trace::TraceKinds;
use eximious::transport::TurnedTls;
use eximious::world::{Moment, TlsFacts, TlsFault, TlsHeard, TlsProgress, TlsSession};
use eximious::{AclPhases, Str, Var, opt, var};

use super::client_hello::{self, Hello};
use super::command::Command;
use super::connection::Barred;
use super::logging::End;
use super::stage::{Handled, Progress, Stage};
use super::tls_options::Unready;
use super::verdict::Refused;
use super::{Event, SmtpSession};

/// A handshake that goes on.
#[derive(Debug)]
pub(super) struct TlsHandshake {
    pub(super) began: Moment,
    /// Where TLS comes first: how the client is greeted after it.
    greeting: Option<Greeting>,
    /// Whether the client was greeted before the handshake is over.
    greeted: bool,
}

/// What an ACL wants the client to be greeted with, where it wants that.
#[derive(Debug)]
pub(super) struct Greeting(pub(super) Option<Str>);

/// TLS around the connection.
#[derive(Default)]
pub(super) struct Tls {
    session: Option<Box<dyn TlsSession>>,
    state: TlsState,
    /// What broke it off, as long as something that came before is not looked at.
    fault: Option<TlsFault>,
}

/// How far TLS is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum TlsState {
    /// All is said in clear text.
    #[default]
    None,
    /// The handshake began, and is not over. Nothing can be said.
    Handshake,
    /// All is said under TLS.
    Established,
}

impl Tls {
    pub(super) fn is_established(&self) -> bool {
        self.state == TlsState::Established
    }
}

/// The variables of a connection under TLS, as a server has them and as a client has.
const SIDES: [(Var, Var); 11] = [
    (var::TLS_IN_BITS, var::TLS_OUT_BITS),
    (var::TLS_IN_CERTIFICATE_VERIFIED, var::TLS_OUT_CERTIFICATE_VERIFIED),
    (var::TLS_IN_CIPHER, var::TLS_OUT_CIPHER),
    (var::TLS_IN_CIPHER_STD, var::TLS_OUT_CIPHER_STD),
    (var::TLS_IN_OCSP, var::TLS_OUT_OCSP),
    (var::TLS_IN_OURCERT, var::TLS_OUT_OURCERT),
    (var::TLS_IN_PEERCERT, var::TLS_OUT_PEERCERT),
    (var::TLS_IN_PEERDN, var::TLS_OUT_PEERDN),
    (var::TLS_IN_RESUMPTION, var::TLS_OUT_RESUMPTION),
    (var::TLS_IN_SNI, var::TLS_OUT_SNI),
    (var::TLS_IN_VER, var::TLS_OUT_VER),
];

impl SmtpSession {
    /// Whether the client may begin TLS.
    pub(super) fn offers_tls(&mut self) -> Result<bool, Stage> {
        let may = self.client_may_be_in(opt::TLS_ADVERTISE_HOSTS)?;
        let is_there = self.cx.engine().world().tls.is_there();
        Ok(may && !self.connection.tls.is_established() && is_there)
    }

    /// `STARTTLS`
    pub(super) fn start_tls(&mut self) -> Handled {
        if !self.connection.advertised.starttls {
            let text = b"STARTTLS command used when not advertised";
            return Err(self.protocol_error(b"503", text));
        }
        if let Some(result) = self.acl(opt::ACL_SMTP_STARTTLS, AclPhases::STARTTLS)
            && result.verdict != AclVerdict::Accept
        {
            return Err(self.refuse(&Refused::new(&[b"STARTTLS "]), result));
        }
        // What came with the command came before TLS.
        self.input.clear();
        if self.connection.tls.is_established() {
            self.connection.barred = Some(Barred::TlsMisused);
            self.log_tls_fault(&TlsFault::new("STARTTLS received after TLS started", ""));
            return Err(self.reply(&[b"554 Already in TLS"]));
        }
        // What was begun is over, even where there is no TLS.
        self.log_incomplete("STARTTLS");
        self.drop_transaction();
        match self.prepare_tls() {
            Ok(()) => {}
            Err(Unready::Untold(_)) => return Err(self.fail_unexpectedly()),
            Err(Unready::Fault(fault)) => {
                self.log_tls_fault(&fault);
                return Err(self.reply(&[b"454 TLS currently unavailable"]));
            }
        }
        self.say(&[b"220 TLS go ahead"]);
        Ok(self.begin_handshake(None))
    }

    /// Begins with TLS before the client is greeted.
    pub(super) fn begin_with_tls(&mut self, greeting: Greeting) -> Stage {
        match self.prepare_tls() {
            Ok(()) => self.begin_handshake(Some(greeting)),
            Err(Unready::Untold(_)) => self.fail_unexpectedly(),
            Err(Unready::Fault(fault)) => {
                self.log_tls_fault(&fault);
                self.connection.failed = true;
                self.end_silently()
            }
        }
    }

    /// Whether TLS comes first where the client connected.
    pub(super) fn begins_with_tls(&mut self) -> bool {
        if self.connection.tls.is_established() {
            return false;
        }
        let ports = self.text(opt::TLS_ON_CONNECT_PORTS);
        let Some(own) =
            self.connection.client.local_port.filter(|_| self.connection.client.address.is_some())
        else {
            return self.connection.client.begins_with_tls;
        };
        let world = self.cx.engine().world().clone();
        let named = |name: &[u8]| {
            let text = std::str::from_utf8(name.trim_ascii()).unwrap_or_default();
            text.parse().ok().or_else(|| world.net.service(text)) == Some(own)
        };
        self.connection.client.begins_with_tls || elements(ports.bytes()).any(|port| named(&port))
    }

    fn begin_handshake(&mut self, greeting: Option<Greeting>) -> Stage {
        let handshake = TlsHandshake { began: self.now(), greeting, greeted: false };
        self.connection.tls.state = TlsState::Handshake;
        if self.setup.is_test {
            // Whoever types at a test has no TLS to speak.
            let fault = TlsFault::new("SSL_accept", "a test has no connection");
            return self.give_up_tls(&handshake, &fault, true);
        }
        Stage::TlsHandshake(Box::new(handshake))
    }

    /// The handshake took too long.
    pub(super) fn handshake_timed_out(&mut self, handshake: &TlsHandshake) -> Stage {
        self.give_up_tls(handshake, &TlsFault::new("SSL_accept", "timed out"), true)
    }

    /// Makes ready what TLS needs. Where options hang on the name that the client asks
    /// for, that is done once more when it is known.
    fn prepare_tls(&mut self) -> Result<(), Unready> {
        for (var, _) in SIDES {
            self.cx.unset_var(var);
        }
        let settings = self.tls_settings()?;
        let session = self.cx.engine().world().tls.serve(&settings)?;
        let text = self.text(opt::TLS_CERTIFICATE);
        let by_name = [b"tls_in_sni".as_slice(), b"tls_sni"]
            .iter()
            .any(|name| memchr::memmem::find(text.bytes(), name).is_some());
        self.connection.tls.session = (!by_name).then_some(session);
        Ok(())
    }

    /// The session with the client, once it is clear which it is; nothing where the
    /// client has to say more.
    fn tls_session(&mut self) -> Result<Option<&mut dyn TlsSession>, TlsFault> {
        if self.connection.tls.session.is_none() {
            let name = match client_hello::read(self.input.rest()) {
                Hello::Partial if !self.input.ended => return Ok(None),
                Hello::Partial => None,
                Hello::Whole(name) => name,
            };
            self.cx.set_var(var::TLS_IN_SNI, Str::tainted(name.unwrap_or_default()));
            let settings = self.tls_settings().map_err(Unready::fault)?;
            self.connection.tls.session = Some(self.cx.engine().world().tls.serve(&settings)?);
        }
        let Some(session) = &mut self.connection.tls.session else { return Ok(None) };
        session.receive(self.input.rest());
        self.input.clear();
        if self.input.ended {
            session.end_of_input();
        }
        Ok(Some(&mut **session))
    }

    /// Goes on with the handshake.
    pub(super) fn go_on_handshake(&mut self, mut handshake: Box<TlsHandshake>) -> Progress {
        let progress = match self.tls_session() {
            Ok(Some(session)) => session.shake(),
            Ok(None) => return Progress::Wait(Stage::TlsHandshake(handshake)),
            Err(fault) => TlsProgress::Failed(Box::new(fault)),
        };
        let mut sends = self.send_encrypted();
        sends |= progress == TlsProgress::More && self.greet_early(&mut handshake);
        match progress {
            TlsProgress::More if sends => Progress::Next(Stage::TlsHandshake(handshake)),
            TlsProgress::More => Progress::Wait(Stage::TlsHandshake(handshake)),
            TlsProgress::Done(facts) => Progress::Next(self.go_on_under_tls(*handshake, *facts)),
            TlsProgress::Failed(fault) => {
                self.raise_tls_cert(&fault.chain);
                Progress::Next(self.give_up_tls(&handshake, &fault, !fault.is_of_certificate))
            }
        }
    }

    /// Greets the client before its part of the handshake is over, where that can be; whether
    /// the handshake goes on then without more from the client.
    fn greet_early(&mut self, handshake: &mut TlsHandshake) -> bool {
        let may = self.connection.tls.session.as_ref().is_some_and(|one| one.may_write_early());
        let banner = match &handshake.greeting {
            Some(Greeting(banner)) if may && !handshake.greeted => banner.clone(),
            _ => return may,
        };
        if let Ok(lines) = self.greeting_lines(banner) {
            self.connection.tls.state = TlsState::Established;
            self.say_lines(lines);
            self.connection.tls.state = TlsState::Handshake;
            self.connection.banner_sent = true;
            handshake.greeted = true;
        }
        true
    }

    /// Takes what came over a connection.
    pub(super) fn take_input(&mut self, bytes: &[u8]) {
        match &mut self.connection.tls.session {
            Some(session) if self.connection.tls.state == TlsState::Established => {
                session.receive(bytes);
                self.decrypt();
            }
            _ => self.input.push(bytes),
        }
    }

    /// Nothing more will come.
    pub(super) fn end_input(&mut self) {
        match &mut self.connection.tls.session {
            Some(session) if self.connection.tls.state == TlsState::Established => {
                session.end_of_input();
                self.decrypt();
                self.input.ended = true;
            }
            _ => self.input.ended = true,
        }
    }

    /// Decrypts what has come. Once TLS is over, the connection is: nothing that comes
    /// then is read as if it were in clear text.
    fn decrypt(&mut self) {
        if self.input.ended {
            return;
        }
        let Some(session) = &mut self.connection.tls.session else { return };
        let mut opened = Vec::new();
        let heard = session.read(&mut opened);
        self.input.push(&opened);
        self.send_encrypted();
        match heard {
            TlsHeard::More => {}
            TlsHeard::End => self.input.ended = true,
            TlsHeard::Failed(fault) => {
                self.input.ended = true;
                self.connection.tls.fault = Some(fault);
            }
        }
    }

    /// Logs what broke off TLS, now that something more is wanted of the client.
    pub(super) fn log_broken_tls(&mut self) {
        if let Some(fault) = self.connection.tls.fault.take() {
            self.log_tls_fault(&fault);
        }
    }

    /// Sends what TLS wants sent; whether that is anything.
    fn send_encrypted(&mut self) -> bool {
        let Some(session) = &mut self.connection.tls.session else { return false };
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
        match (self.connection.tls.state, &mut self.connection.tls.session) {
            (TlsState::Handshake, _) => {}
            (TlsState::Established, Some(session)) => {
                // A client that is gone is noticed when more is read.
                let _ = session.write(&bytes);
                self.send_encrypted();
            }
            _ => self.events.push_back(Event::Reply(bytes)),
        }
    }

    /// TLS, for somebody who is the client from now on; what is known of it is told as of a
    /// server.
    pub(super) fn take_tls(&mut self) -> Option<TurnedTls> {
        let established = self.connection.tls.is_established();
        let session = self.connection.tls.session.take().filter(|_| established)?;
        let mut values: Vec<(Var, Str)> = SIDES
            .iter()
            .map(|(server, client)| (*client, self.variable(*server)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        values.push((var::TLS_OUT_DANE, Str::fixed("no")));
        let secured = Secured {
            cipher: self.variable(var::TLS_IN_CIPHER).bytes().to_vec(),
            is_verified: self.variable(var::TLS_IN_CERTIFICATE_VERIFIED).bytes() == b"1",
            name: self.variable(var::TLS_IN_PEERDN).bytes().to_vec(),
            ..Secured::default()
        };
        Some(TurnedTls { session, secured, values })
    }

    /// Goes on under TLS that was begun as a client.
    pub(super) fn continue_tls(&mut self, tls: TurnedTls) {
        self.connection.tls.session = Some(tls.session);
        self.connection.tls.state = TlsState::Established;
        for (client, value) in tls.values {
            if let Some((server, _)) = SIDES.iter().find(|(_, one)| *one == client) {
                self.cx.set_var(*server, value);
            }
        }
    }

    /// Ends TLS, before the connection ends.
    pub(super) fn finish_tls(&mut self) {
        if let Some(session) = &mut self.connection.tls.session
            && self.connection.tls.state == TlsState::Established
        {
            session.finish();
            self.send_encrypted();
        }
    }

    fn go_on_under_tls(&mut self, handshake: TlsHandshake, facts: TlsFacts) -> Stage {
        let refused = self.raise_tls_cert(&facts.chain);
        if refused {
            let fault = TlsFault::new("SSL_accept", "certificate refused by event_action");
            return self.give_up_tls(&handshake, &fault, true);
        }
        self.connection.tls.state = TlsState::Established;
        self.set_tls_variables(&facts);
        for remark in &facts.remarks {
            let client = self.shown_client();
            self.log(&[b"TLS with ", &client[..], b": ", remark.as_bytes()].concat());
        }
        let remembers = self.flag(opt::TLS_REMEMBER_ESMTP) && self.connection.advertised.esmtp;
        if handshake.greeting.is_none() {
            self.reset_after_starttls(remembers);
        }
        self.note_protocol(remembers);
        if let Some(stage) = self.look_at_certificate(facts.binding) {
            return stage;
        }
        // Early words of the client came under TLS.
        self.decrypt();
        match handshake.greeting {
            Some(greeting) if !handshake.greeted => self.greet(greeting),
            _ => Stage::COMMANDS,
        }
    }

    /// What was said in clear text counts no more.
    fn reset_after_starttls(&mut self, remembers: bool) {
        self.connection.advertised = super::ehlo::Advertised {
            helo_accepted: remembers,
            esmtp: remembers,
            early_pipelining: self.connection.advertised.early_pipelining,
            // Who begins once more without EHLO breaks TLS, and is told so.
            starttls: true,
            ..Default::default()
        };
        self.set_helo_name(Str::EMPTY);
        self.forget_authentication();
        // The next EHLO and the next AUTH are expected.
        self.connection
            .counts
            .free
            .retain(|command| !matches!(command, Command::Helo | Command::Auth));
    }

    fn set_tls_variables(&mut self, facts: &TlsFacts) {
        let cx = &mut self.cx;
        let cipher = format!("{}:{}:{}", facts.version, facts.cipher, facts.bits);
        if cx.trace().wants(TraceKinds::TLS) {
            let verified = if facts.is_verified { "" } else { " not" };
            cx.note(TraceKinds::TLS, format!("TLS session established: {cipher}").as_bytes());
            if let Some(shown) = facts.chain.first() {
                let name = distinguished_name(shown);
                let head = format!("client certificate{verified} verified: ");
                cx.note(TraceKinds::TLS, &[head.as_bytes(), &name].concat());
            }
        }
        cx.set_var(var::TLS_IN_CIPHER, cipher);
        cx.set_var(var::TLS_IN_CIPHER_STD, facts.standard_cipher.clone());
        cx.set_var(var::TLS_IN_VER, facts.version.clone());
        cx.set_var(var::TLS_IN_BITS, facts.bits.to_string());
        cx.set_var(var::TLS_IN_RESUMPTION, facts.resumption.bits().to_string());
        cx.set_var(var::TLS_IN_OCSP, facts.proof.to_string());
        cx.set_var(var::TLS_IN_OURCERT, Str::from(&facts.own_certificate[..]));
        let verified = if facts.is_verified { "1" } else { "0" };
        cx.set_var(var::TLS_IN_CERTIFICATE_VERIFIED, verified);
        if let Some(shown) = facts.chain.first() {
            cx.set_var(var::TLS_IN_PEERCERT, Str::tainted(&shown[..]));
            cx.set_var(var::TLS_IN_PEERDN, Str::tainted(distinguished_name(shown)));
        }
        let name = facts.server_name.as_deref().unwrap_or_default();
        cx.set_var(var::TLS_IN_SNI, Str::tainted(name));
    }

    /// Raises an event for each certificate that the client showed; whether one of them
    /// is refused.
    fn raise_tls_cert(&mut self, chain: &[Vec<u8>]) -> bool {
        let mut refused = false;
        for (depth, shown) in chain.iter().enumerate().rev() {
            self.cx.set_var(var::TLS_IN_PEERCERT, Str::tainted(&shown[..]));
            let shown_depth = Str::from(depth.to_string());
            let answer = eximious::event::raise(&mut self.cx, "tls:cert", shown_depth);
            if let Some(Ok(why)) =
                answer.filter(|one| one.as_ref().is_ok_and(|why| !why.is_empty()))
            {
                self.log(&eximious::event::denial(depth, &why));
                refused = true;
            }
        }
        self.cx.unset_var(var::TLS_IN_PEERCERT);
        refused
    }

    /// There is no TLS, and no connection any more: in which state the client is, nobody
    /// knows.
    pub(super) fn give_up_tls(
        &mut self,
        handshake: &TlsHandshake,
        fault: &TlsFault,
        raises: bool,
    ) -> Stage {
        if raises {
            let why = Str::tainted(fault.shown());
            let _ = eximious::event::raise(&mut self.cx, "tls:fail:connect", why);
        }
        self.log_tls_fault(fault);
        self.connection.failed = true;
        if handshake.greeting.is_some() {
            return self.end_silently();
        }
        self.end_of_tls()
    }

    /// The connection of a client ends whose TLS came to nothing.
    pub(super) fn end_of_tls(&mut self) -> Stage {
        self.connection.failed = true;
        self.log_end(End::Closed("closed by EOF"));
        self.run_notquit("tls-failed", None);
        self.close()
    }

    /// Turns a client away that can be told nothing, because TLS would come first.
    pub(super) fn drop_before_tls(&mut self, result: &AclResult) -> Stage {
        let client = self.logged_client();
        let mut line = [&client[..], b" dropped by 'connect' ACL"].concat();
        if let Some(why) = result.log_message.as_ref().filter(|why| !why.is_empty()) {
            line.extend_from_slice(&[b": ", why.bytes()].concat());
        }
        self.log_rejection(&line);
        self.end_silently()
    }

    /// Ends a connection that was never greeted.
    fn end_silently(&mut self) -> Stage {
        self.acl_state.cutthrough.end(&mut self.cx, "connection closed");
        self.events.push_back(Event::Close);
        Stage::Done
    }

    /// `TLS error on connection from …`
    fn log_tls_fault(&mut self, fault: &TlsFault) {
        self.cx.note(TraceKinds::TLS, format!("TLS failed: {}", fault.shown()).as_bytes());
        let connection = self.connection();
        let head = b"TLS error on connection".as_slice();
        // What the other side did is a place without more.
        let colon: &[u8] = if fault.why.is_empty() { b": " } else { b"" };
        self.log(&[head, &connection, b" ", fault.shown().as_bytes(), colon].concat());
    }
}

/// The name in a certificate (PEM), as it is logged.
fn distinguished_name(pem: &[u8]) -> Vec<u8> {
    let der = certificate::der(pem);
    let read = der.as_deref().and_then(Certificate::read);
    read.map(|read| read.subject().into_bytes()).unwrap_or_default()
}
