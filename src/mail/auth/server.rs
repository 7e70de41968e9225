//! The server's side of authenticators (specification, chapters 33 to 42), in
//! steps: what is asked, and what is found.
//!
//! A driver takes what the client says as it stands in the line, in base 64, and
//! gives back what it wants to be asked next, or a verdict. The command around it
//! is in `mta/`; the client's side is in [`client`](super::client).

pub(super) mod cram_md5;
pub(super) mod cyrus_sasl;
pub(super) mod dovecot;
pub(super) mod external;
pub(super) mod gsasl;
pub(super) mod heimdal_gssapi;
pub(super) mod plaintext;
mod sasl;
pub(super) mod spa;
mod tls;

use super::client::{self, NAMES};
use super::{Authenticator, ChannelBinding};
use eximious_core::trace::{AuthEvent, Happening, TraceKinds};
use eximious_core::{DriverOpt, Fail, FailClass, Str};
use eximious_stdlib::base64;
use eximious_stdlib::options::opt::authenticator as opt;
use eximious_stdlib::options::yes_or_no;

use crate::Context;

/// How many values of a client have numbers: `$1`, ….
const NUMBERED: usize = 20;

/// What a driver wants next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthStep {
    /// The client is asked this.
    Ask(Vec<u8>),
    /// The client is told this, which is not in base 64.
    Tell(&'static str),
    /// It is decided.
    Done(AuthVerdict),
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthVerdict {
    /// The client is who it says.
    Accept,
    /// It is not.
    Refuse,
    /// It can't be said now: why, and whether the client is told.
    Defer {
        /// The reason.
        why: Vec<u8>,
        /// Whether it is for the client, too.
        told: bool,
    },
    /// The client gave up.
    Cancelled,
    /// What the client said is not in base 64.
    NotBase64,
    /// The client said something with the command, where nothing is expected.
    Unexpected,
}

impl AuthVerdict {
    /// It can't be said now, for reasons that are no business of the client.
    pub(crate) fn defer(why: impl Into<Vec<u8>>) -> Self {
        Self::Defer { why: why.into(), told: false }
    }

    /// What an option that can't be expanded means: no, where that was wanted.
    pub(crate) fn of(fail: &Fail) -> Self {
        match fail.class() {
            FailClass::Forced => Self::Refuse,
            _ => Self::defer(fail.message()),
        }
    }
}

/// The server's side of a driver, for one attempt.
pub trait AuthDriver: Send {
    /// The command came; behind the mechanism's name stands this.
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict>;

    /// The client answered with this line.
    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict>;

    /// Whoever connected says more than anybody has to say.
    fn broken(&self) -> AuthVerdict {
        AuthVerdict::NotBase64
    }
}

/// The server's side of an authenticator, for one attempt.
pub fn driver(authenticator: &Authenticator) -> Box<dyn AuthDriver> {
    match authenticator.runs().and_then(|run| run.server) {
        Some(start) => start(),
        None => Box::new(Missing),
    }
}

pub use tls::verdict as over_tls;

/// What a client said, kept for `$auth1` and `$1`, ….
#[derive(Clone, Debug, Default)]
pub struct AuthValues {
    named: [Option<Str>; NAMES.len()],
    numbered: Vec<Str>,
}

/// What a driver works with.
pub struct AuthTurn<'t> {
    /// The session's context.
    pub cx: &'t mut Context,
    /// The authenticator that is asked for.
    pub authenticator: &'t Authenticator,
    /// What the client said so far.
    pub values: &'t mut AuthValues,
    /// What binds the session to the TLS connection around it.
    pub binding: Option<&'t ChannelBinding>,
}

impl AuthTurn<'_> {
    /// Forgets what an earlier attempt left.
    pub fn forget(&mut self) {
        *self.values = AuthValues::default();
        client::forget(self.cx);
        self.cx.set_numeric(&[]);
    }

    /// A value that has a number and, one of the first, a name. Those beyond
    /// the last number are nobody's.
    pub(crate) fn give(&mut self, value: &[u8]) {
        let number = self.values.numbered.len();
        if number == NUMBERED {
            return;
        }
        let value = Str::tainted(value);
        self.values.numbered.push(value.clone());
        if let Some(var) = NAMES.get(number) {
            self.values.named[number] = Some(value.clone());
            self.cx.set_var(*var, value);
        }
        self.show_numbers();
    }

    /// Gives a value another meaning: `$auth2` and `$2`. Those behind it lose
    /// their numbers, not their names.
    pub(crate) fn give_as(&mut self, number: usize, value: Str) {
        let Some(index) = number.checked_sub(1).filter(|index| *index < NAMES.len()) else {
            return;
        };
        self.values.numbered.truncate(index);
        self.values.numbered.resize(index, Str::EMPTY);
        self.values.numbered.push(value.clone());
        self.values.named[index] = Some(value.clone());
        self.cx.set_var(NAMES[index], value);
        self.show_numbers();
    }

    /// How many values there are.
    pub(crate) fn given(&self) -> usize {
        self.values.numbered.len()
    }

    /// Shows them as `$1` and so on, where the client says anything.
    fn show_numbers(&mut self) {
        if !self.authenticator.is_asked_for() {
            return;
        }
        let whole = Str::tainted(b"".as_slice());
        let all: Vec<Str> =
            std::iter::once(whole).chain(self.values.numbered.iter().cloned()).collect();
        self.cx.set_numeric(&all);
    }

    /// Expands an option; nothing where it is not set.
    pub fn expand(&mut self, option: DriverOpt<Str>) -> Option<Result<Str, Fail>> {
        let text = self.authenticator.text(option)?;
        let engine = self.cx.engine().clone();
        let before = self.cx.trace().conceal(true);
        let expanded = engine.expand_once(text.bytes(), self.cx);
        self.cx.trace().conceal(before);
        Some(expanded)
    }

    fn tell(&mut self, event: AuthEvent<'_>) {
        self.cx.tell(Happening::Auth(event));
    }

    /// Tells something of its own.
    pub(crate) fn note(&mut self, parts: &[&[u8]]) {
        self.tell(AuthEvent::Note { text: &parts.concat() });
    }

    /// What `server_condition` says; yes where it is not set.
    pub(crate) fn condition(&mut self) -> AuthVerdict {
        let name = self.authenticator.name().clone();
        self.tell(AuthEvent::Condition { authenticator: name.bytes() });
        for (var, value) in NAMES.iter().zip(self.values.named.clone()) {
            if let Some(value) = value {
                self.tell(AuthEvent::Value { name: var.name(), value: value.bytes() });
            }
        }
        for (number, value) in self.values.numbered.clone().iter().enumerate() {
            let number = (number + 1).to_string();
            self.tell(AuthEvent::Value { name: &number, value: value.bytes() });
        }
        self.show_debug_text();
        match self.expand(opt::SERVER_CONDITION) {
            None => AuthVerdict::Accept,
            Some(Ok(value)) => {
                self.tell(AuthEvent::Expanded { value: value.bytes() });
                judged(value.bytes())
            }
            Some(Err(fail)) => {
                self.tell(AuthEvent::Failed { why: fail.message() });
                AuthVerdict::of(&fail)
            }
        }
    }

    /// `server_debug_print`
    pub(crate) fn show_debug_text(&mut self) {
        if !self.cx.trace().wants(TraceKinds::AUTH) {
            return;
        }
        let Some(text) = self.authenticator.text(opt::SERVER_DEBUG_PRINT) else { return };
        match self.expand(opt::SERVER_DEBUG_PRINT) {
            Some(Err(fail)) => {
                let head = [b"failed to expand debug_output \"", text.bytes(), b"\": "].concat();
                self.note(&[&head, fail.message()]);
            }
            Some(Ok(text)) => self.note(&[text.bytes()]),
            None => {}
        }
    }
}

/// What a condition's value says. A text that is neither yes nor no is a reason to
/// come back later, and the client is told.
fn judged(value: &[u8]) -> AuthVerdict {
    match (value, yes_or_no(value)) {
        (b"1", _) | (_, Some(true)) => AuthVerdict::Accept,
        (b"" | b"0", _) | (_, Some(false)) => AuthVerdict::Refuse,
        _ => AuthVerdict::Defer { why: value.to_vec(), told: true },
    }
}

/// What a client's line says, decoded; a star says that it gives up.
pub(crate) fn decoded(line: &[u8]) -> Result<Vec<u8>, AuthVerdict> {
    match line {
        b"*" => Err(AuthVerdict::Cancelled),
        _ => initially_decoded(line),
    }
}

/// What stands behind the mechanism's name, decoded.
pub(crate) fn initially_decoded(text: &[u8]) -> Result<Vec<u8>, AuthVerdict> {
    base64::decode(text).ok_or(AuthVerdict::NotBase64)
}

/// The strings in what a client says: a zero byte ends each.
pub(crate) fn strings(said: &[u8]) -> impl Iterator<Item = &[u8]> {
    // Nothing stands behind the last zero.
    let said = said.strip_suffix(b"\0").unwrap_or(said);
    said.split(|byte| *byte == 0)
}

/// A driver that this build does not have.
struct Missing;

impl AuthDriver for Missing {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, _: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let driver = turn.authenticator.driver().as_bytes();
        Err(AuthVerdict::defer([b"the driver ", driver, b" is not there in this build"].concat()))
    }

    fn answer(&mut self, _: &mut AuthTurn<'_>, _: &[u8]) -> Result<AuthStep, AuthVerdict> {
        Err(AuthVerdict::Refuse)
    }
}
