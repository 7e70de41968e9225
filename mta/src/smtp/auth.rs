//! AUTH (specification 33.3; RFC 4954).

use std::sync::Arc;

use eximious::acl::AclVerdict;
use eximious::auth::server::{self, AuthDriver, AuthStep, AuthTurn, AuthValues, AuthVerdict};
use eximious::auth::{Authenticator, ChannelBinding};
use eximious::grammar::is_space;
use eximious::stdlib::base64;
use eximious::stdlib::options::is_yes;
use eximious::stdlib::printing::printing;
use eximious::{AclPhases, DriverOpt, FailClass, Str, opt, var};

use super::command::Command;
use super::stage::{Handled, Stage};
use super::verdict::{Refused, unset};
use super::{SmtpSession, reply};

/// Stands for a secret in logs.
const HIDDEN: &[u8] = b"********";

/// What a session knows of authentication.
#[derive(Debug, Default)]
pub(super) struct Authentication {
    /// How the client speaks since it introduced itself or was accepted:
    /// `$received_protocol`.
    protocol: Option<Str>,
    /// The authenticators that the last EHLO offered, by number.
    offered: Vec<usize>,
    /// What binds the session to the TLS connection around it.
    binding: Option<ChannelBinding>,
    /// Whose `server_mail_auth_condition` counts.
    accepted: Option<Arc<Authenticator>>,
}

/// An attempt.
pub(super) struct Attempt {
    authenticator: Arc<Authenticator>,
    driver: Box<dyn AuthDriver>,
    values: AuthValues,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What the client said is nobody's business.
        f.debug_struct("Attempt").field("with", self.authenticator.name()).finish_non_exhaustive()
    }
}

impl SmtpSession {
    /// Notes how the client speaks (`$received_protocol`), by what it has said and
    /// proved so far. Who is accepted must have said EHLO, or be taken for somebody
    /// who did.
    pub(super) fn note_protocol(&mut self, extended: bool) {
        let local = if self.connection.client.address.is_none() { "local-" } else { "" };
        let mut protocol = format!("{local}{}", if extended { "esmtp" } else { "smtp" });
        if !self.variable(var::TLS_IN_CIPHER).is_empty() {
            protocol.push('s');
        }
        if extended && self.is_authenticated() {
            protocol.push('a');
        }
        self.connection.authentication.protocol = Some(Str::from(protocol));
        self.show_protocol(b"");
    }

    /// Shows it again, for a message; something may stand before it.
    pub(super) fn show_protocol(&mut self, before: &[u8]) {
        if let Some(protocol) = &self.connection.authentication.protocol {
            self.cx.set_var(var::RECEIVED_PROTOCOL, [before, protocol.bytes()].concat());
        }
    }

    /// What may be logged of a command. What stands behind a mechanism may be a
    /// secret, and so may a line that follows AUTH and is no command: a client that
    /// was refused may go on all the same.
    pub(super) fn loggable(&self, line: &[u8], known: bool) -> Vec<u8> {
        if !known && self.connection.history.back() == Some(&Command::Auth) {
            return HIDDEN.to_vec();
        }
        let mut words = line.splitn(3, |byte| is_space(*byte));
        match (words.next(), words.next(), words.next()) {
            (Some(word), Some(mechanism), Some(_)) if word.eq_ignore_ascii_case(b"AUTH") => {
                [word, b" ", mechanism, b" ", HIDDEN].concat()
            }
            _ => line.to_vec(),
        }
    }

    /// What may be logged of what came too soon, behind the command at hand.
    pub(super) fn loggable_rest(&self) -> &[u8] {
        let word = self.connection.command.get(..4).unwrap_or_default();
        if word.eq_ignore_ascii_case(b"AUTH") { HIDDEN } else { self.input.rest() }
    }

    pub(super) fn is_authenticated(&mut self) -> bool {
        !self.variable(var::SENDER_HOST_AUTHENTICATED).is_empty()
    }

    /// What an earlier EHLO offered is offered no more.
    pub(super) fn withdraw_mechanisms(&mut self) {
        self.connection.authentication.offered.clear();
    }

    /// The line of EHLO that names the mechanisms, if there are any for this
    /// client.
    pub(super) fn mechanisms(&mut self) -> Result<Option<String>, Stage> {
        self.connection.authentication.offered.clear();
        let server = self.server.clone();
        // Who is known already is not asked again.
        let none = server.authenticators.iter().next().is_none() || self.is_authenticated();
        if none || !self.client_in(opt::AUTH_ADVERTISE_HOSTS)? {
            return Ok(None);
        }
        let mut line = "AUTH".to_owned();
        for (number, one) in server.authenticators.iter().enumerate() {
            if is_offered(one)
                && self.is_yes(one, opt::authenticator::SERVER_ADVERTISE_CONDITION, true)
            {
                self.connection.authentication.offered.push(number);
                line.push(' ');
                line.push_str(&String::from_utf8_lossy(one.mechanism()).to_ascii_uppercase());
            }
        }
        Ok((!self.connection.authentication.offered.is_empty()).then_some(line))
    }

    /// Whether an authenticator's option says yes. A failure says no, and is logged
    /// where it was not wanted and will be one again.
    fn is_yes(&mut self, one: &Authenticator, option: DriverOpt<Str>, unset: bool) -> bool {
        let Some(text) = one.text(option) else { return unset };
        let engine = self.cx.engine().clone();
        match engine.expand_once(text.bytes(), &mut self.cx) {
            Ok(value) => is_yes(value.bytes()),
            Err(fail) => {
                if fail.class() == FailClass::Error {
                    let head = [b"failed to expand condition \"", text.bytes(), b"\" for "];
                    let name = [one.name().bytes(), b" authenticator: "].concat();
                    self.log_panic(&[&head.concat(), &name, fail.message()].concat());
                }
                false
            }
        }
    }

    pub(super) fn auth(&mut self, argument: &[u8]) -> Handled {
        self.cx.set_var(var::AUTHENTICATION_FAILED, Str::fixed("1"));
        let anyway = self.acl_state.has("allow_auth_unadvertised");
        if !anyway && self.connection.authentication.offered.is_empty() {
            return Err(self.protocol_error(b"503", b"AUTH command used when not advertised"));
        }
        if self.is_authenticated() {
            return Err(self.protocol_error(b"503", b"already authenticated"));
        }
        if self.transaction.envelope.is_some() {
            return Err(self.protocol_error(b"503", b"not permitted in mail transaction"));
        }
        let end = argument.iter().position(|byte| is_space(*byte)).unwrap_or(argument.len());
        let (mechanism, initial) = (&argument[..end], argument[end..].trim_ascii());
        let result = self.acl(opt::ACL_SMTP_AUTH, AclPhases::AUTH).unwrap_or_else(|| unset(true));
        if result.verdict != AclVerdict::Accept {
            // What stands behind the mechanism may be a secret.
            let refused = Refused::new(&[b"AUTH ", mechanism]).code("503");
            return Err(self.refuse(&refused, result));
        }
        if !mechanism.iter().all(|byte| is_of_name(*byte)) {
            let text = b"invalid character in authentication mechanism name";
            return Err(self.syntax_error(b"501", text));
        }
        let server = self.server.clone();
        let found = server.authenticators.iter().enumerate().find(|(number, one)| {
            is_offered(one)
                && one.mechanism().eq_ignore_ascii_case(mechanism)
                && (anyway || self.connection.authentication.offered.contains(number))
        });
        let Some((_, authenticator)) = found else {
            let text = [mechanism, b" authentication mechanism not supported"].concat();
            return Err(self.protocol_error(b"504", &text));
        };
        let mut attempt = Attempt {
            authenticator: authenticator.clone(),
            driver: server::driver(authenticator),
            values: AuthValues::default(),
        };
        let mut turn = attempt.turn(self);
        turn.0.forget();
        let step = turn.1.begin(&mut turn.0, initial);
        Ok(self.step(attempt, step))
    }

    /// Goes on with an attempt: the client said this line, or can say no more.
    pub(super) fn go_on_auth(&mut self, mut attempt: Attempt, line: Option<&[u8]>) -> Stage {
        let mut turn = attempt.turn(self);
        let step = match line {
            Some(line) => {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                // Exim's strings end at a zero byte.
                let end = memchr::memchr(0, line).unwrap_or(line.len());
                turn.1.answer(&mut turn.0, &line[..end])
            }
            None => Err(turn.1.broken()),
        };
        self.step(attempt, step)
    }

    fn step(&mut self, attempt: Attempt, step: Result<AuthStep, AuthVerdict>) -> Stage {
        match step {
            Ok(AuthStep::Ask(asked)) => {
                self.say(&[b"334 ", &base64::encode(&asked)]);
                Stage::Auth(Box::new(attempt))
            }
            Ok(AuthStep::Tell(text)) => {
                self.say(&[b"334 ", text.as_bytes()]);
                Stage::Auth(Box::new(attempt))
            }
            Ok(AuthStep::Done(verdict)) | Err(verdict) => {
                if let Some((code, text)) = self.conclude_auth(attempt, verdict, true) {
                    self.say_lines(reply::lines(code, &text, true));
                }
                Stage::COMMANDS
            }
        }
    }

    /// Says what came of an attempt: to the variables, to the logs, if they are told of failures,
    /// and what there is to say to the client.
    fn conclude_auth(
        &mut self,
        mut attempt: Attempt,
        verdict: AuthVerdict,
        is_told: bool,
    ) -> Option<(&'static [u8], Vec<u8>)> {
        // Who did not come to an end is not known by any name, and leaves that of
        // whoever failed before.
        let ended = matches!(
            verdict,
            AuthVerdict::Accept | AuthVerdict::Refuse | AuthVerdict::Defer { .. }
        );
        let id = match ended {
            true => attempt.turn(self).0.expand(opt::authenticator::SERVER_SET_ID),
            false => None,
        };
        let one = attempt.authenticator.clone();
        attempt.turn(self).0.forget();
        let (code, text, why): (&'static [u8], &[u8], _) = match verdict {
            AuthVerdict::Accept => {
                let id = match id.transpose() {
                    Ok(id) => id.unwrap_or_default(),
                    Err(_) => {
                        return Some((b"435", b"Unable to authenticate at present".to_vec()));
                    }
                };
                self.accept_authentication(&one, id);
                return Some((b"235", b"Authentication succeeded".to_vec()));
            }
            AuthVerdict::Refuse => (b"535", b"Incorrect authentication data", None),
            AuthVerdict::Defer { why, told } => {
                (b"435", b"Unable to authenticate at present", Some((why, told)))
            }
            AuthVerdict::Cancelled => (b"501", b"Authentication cancelled", None),
            AuthVerdict::NotBase64 => (b"501", b"Invalid base64 data", None),
            AuthVerdict::Unexpected => (b"553", b"Initial data not expected", None),
        };
        let id = id.and_then(Result::ok).filter(|id| !id.is_empty());
        let topbit = self.cx.engine().settings().get(opt::PRINT_TOPBITCHARS);
        let id = id.map(|id| [b" (set_id=", &printing(id.bytes(), topbit)[..], b")"].concat());
        if ended {
            let id = id.as_deref().unwrap_or_default();
            self.cx.set_var(var::AUTHENTICATED_FAIL_ID, Str::tainted(id));
        }
        let mut said = text.to_vec();
        let mut tail = Vec::new();
        if let Some((why, told)) = why.filter(|(why, _)| !why.is_empty()) {
            tail = [b": ", &why[..]].concat();
            if told {
                said.extend_from_slice(&tail);
            }
        }
        let data = [code, b" ", &said].concat();
        if !self.raise_auth_failure(&one, data) && is_told {
            let head = [one.name().bytes(), b" authenticator failed for "].concat();
            let client = self.shown_client();
            let id = id.unwrap_or_default();
            let line = [&head, &client[..], b": ", code, b" ", text, &id, &tail].concat();
            self.log_rejection(&line);
        }
        Some((code, said))
    }

    fn accept_authentication(&mut self, one: &Arc<Authenticator>, id: Str) {
        // It is kept as logs show it: none of its bytes ends a line.
        let shown = printing(id.bytes(), self.cx.engine().settings().get(opt::PRINT_TOPBITCHARS));
        let id = Str::from(shown).stamped(id.taint());
        self.cx.set_var(var::AUTHENTICATED_ID, id);
        self.cx.set_var(var::SENDER_HOST_AUTHENTICATED, one.name().clone());
        // The spool keeps it beside the name.
        self.cx.set_auth_mechanism(Str::from(one.mechanism()));
        self.cx.set_var(var::AUTHENTICATION_FAILED, Str::fixed("0"));
        self.cx.unset_var(var::AUTHENTICATED_FAIL_ID);
        self.connection.authentication.accepted = Some(one.clone());
        self.note_protocol(true);
    }

    /// Who the client proved to be counts no more.
    pub(super) fn forget_authentication(&mut self) {
        for var in
            [var::AUTHENTICATED_ID, var::AUTHENTICATED_SENDER, var::SENDER_HOST_AUTHENTICATED]
        {
            self.cx.set_var(var, Str::EMPTY);
        }
        self.cx.set_var(var::AUTHENTICATION_FAILED, Str::fixed("0"));
        self.cx.set_auth_mechanism(Str::EMPTY);
        self.cx.unset_var(var::AUTHENTICATED_FAIL_ID);
        self.connection.authentication.accepted = None;
        self.connection.authentication.offered.clear();
    }

    /// Tells of a failure; true where the event brought what is to be logged.
    fn raise_auth_failure(&mut self, one: &Authenticator, data: Vec<u8>) -> bool {
        self.cx.set_var(var::SENDER_HOST_AUTHENTICATED, one.name().clone());
        let answer = eximious::event::raise(&mut self.cx, "auth:fail", Str::tainted(data));
        self.cx.set_var(var::SENDER_HOST_AUTHENTICATED, Str::EMPTY);
        match answer {
            None => false,
            Some(Ok(line)) => {
                if !line.is_empty() {
                    self.log_rejection(line.bytes());
                }
                !line.is_empty()
            }
            Some(Err(fail)) => {
                let head = b"failed to expand event_action auth:fail in main: ";
                self.log_panic(&[head, fail.message()].concat());
                false
            }
        }
    }

    /// The AUTH parameter of MAIL (specification 33.2): as it was given, and
    /// decoded; whether MAIL was refused for it.
    pub(super) fn check_auth_parameter(
        &mut self,
        text: &[u8],
        given: &[u8],
        claimed: &[u8],
    ) -> Result<(), Stage> {
        self.cx.set_var(var::AUTHENTICATED_SENDER, Str::tainted(claimed));
        let why: &[u8] = match self.acl(opt::ACL_SMTP_MAILAUTH, AclPhases::MAILAUTH) {
            None if !self.is_authenticated() => b"client not authenticated",
            None => b"",
            Some(result) => match result.verdict {
                AclVerdict::Accept => b"",
                AclVerdict::Deny => b"rejected by ACL",
                _ => {
                    let refused = Refused::new(&[b"MAILAUTH ", text]);
                    let stage = self.refuse(&refused, result);
                    self.cx.set_var(var::AUTHENTICATED_SENDER, Str::EMPTY);
                    return Err(stage);
                }
            },
        };
        let why = match self.connection.authentication.accepted.clone() {
            _ if !why.is_empty() => why.to_vec(),
            Some(one)
                if !self.is_yes(&one, opt::authenticator::SERVER_MAIL_AUTH_CONDITION, true) =>
            {
                let id = self.variable(var::AUTHENTICATED_ID);
                let head = b"server_mail_auth_condition failed".as_slice();
                match id.is_empty() {
                    true => head.to_vec(),
                    false => [head, b": authenticated ID=\"", id.bytes(), b"\""].concat(),
                }
            }
            _ => return Ok(()),
        };
        self.cx.set_var(var::AUTHENTICATED_SENDER, Str::EMPTY);
        let client = self.logged_client();
        let parts = [b"ignoring AUTH=", given, b" from ", &client, b" (", &why, b")"];
        self.log(&parts.concat());
        Ok(())
    }

    /// The client has just begun to speak TLS: an authenticator of the driver tls
    /// looks at its certificate, if that is good (specification, chapter 42), and the ACL for
    /// AUTH is asked before. Whoever does TLS has set the variables of it, and knows what other
    /// mechanisms may bind to.
    pub fn authenticate_by_tls(&mut self, binding: Option<ChannelBinding>) {
        if let Some(stage) = self.look_at_certificate(binding) {
            self.stage = stage;
        }
    }

    /// The same; what comes next, where the ACL ends the connection.
    pub(super) fn look_at_certificate(&mut self, binding: Option<ChannelBinding>) -> Option<Stage> {
        self.connection.authentication.binding = binding;
        let server = self.server.clone();
        let mut all = server.authenticators.iter();
        let one = all.find(|one| !one.is_asked_for() && one.serves())?;
        if self.variable(var::TLS_IN_CERTIFICATE_VERIFIED).bytes() != b"1" {
            return None;
        }
        let result = self.acl(opt::ACL_SMTP_AUTH, AclPhases::AUTH);
        if let Some(result) = result.filter(|result| result.verdict != AclVerdict::Accept) {
            let ends = result.verdict == AclVerdict::Drop;
            let stage = self.refuse(&Refused::new(&[b"AUTH "]).code("503").silent(), result);
            return ends.then_some(stage);
        }
        let mut attempt = Attempt {
            authenticator: one.clone(),
            driver: server::driver(one),
            values: AuthValues::default(),
        };
        let verdict = server::over_tls(&mut attempt.turn(self).0);
        let _ = self.conclude_auth(attempt, verdict, false);
        None
    }
}

impl Attempt {
    fn turn<'t>(
        &'t mut self,
        session: &'t mut SmtpSession,
    ) -> (AuthTurn<'t>, &'t mut Box<dyn AuthDriver>) {
        let turn = AuthTurn {
            cx: &mut session.cx,
            authenticator: &self.authenticator,
            binding: session.connection.authentication.binding.as_ref(),
            values: &mut self.values,
        };
        (turn, &mut self.driver)
    }
}

/// Whether an authenticator is one for AUTH.
fn is_offered(one: &Authenticator) -> bool {
    one.serves() && one.is_asked_for()
}

/// Whether the name of a mechanism may have this byte (RFC 4422, section 3.1).
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}
