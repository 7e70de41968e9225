//! The client's side of authenticators (specification 33.4), in steps: what is to
//! be said next, and what came of it.
//!
//! Whoever has the connection tells what the server says ([`Login::hear`]), and
//! says what it is told to.

pub(super) mod cram_md5;
pub(super) mod external;
pub(super) mod gsasl;
pub(super) mod plaintext;
pub(super) mod spa;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use eximious_core::{DriverOpt, Fail, FailClass, Str, Var};
use eximious_stdlib::base64;
use eximious_stdlib::options::is_yes;
use eximious_stdlib::options::opt::authenticator as opt;
use eximious_stdlib::variables::var;

use super::{Authenticator, Authenticators, ChannelBinding};
use crate::Context;

/// How many values of an authenticator have variables: `$auth1`, ….
pub const VALUES: usize = 4;

/// `$auth1`, ….
pub const NAMES: [Var; VALUES] = [var::AUTH1, var::AUTH2, var::AUTH3, var::AUTH4];

/// How long a challenge may be that a client looks at.
const LONGEST: usize = 16 * 1024;

/// What a client does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Move {
    /// This line is to be sent; it has no end yet. It is a secret:
    /// [`Login::shown`] says what may be logged of it.
    Say(Vec<u8>),
    /// It is over.
    Done(AuthOutcome),
}

/// How it ended.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AuthOutcome {
    /// The server knows who this is.
    Accepted,
    /// The server said no, and will say so again: another authenticator may have
    /// more luck.
    Refused,
    /// The server could not say, or said something that nobody understands: this
    /// host is not to be used now.
    Later,
    /// The client gave up, for this reason: another authenticator may have more
    /// luck. Without a reason, the configuration did not want it to be tried.
    Cancelled(Vec<u8>),
    /// The client can't go on, for this reason: this host is not to be used now.
    Failed(Vec<u8>),
}

/// Why a driver has nothing to say.
#[derive(Debug)]
pub(super) enum Stop {
    Cancel(Vec<u8>),
    Fail(Vec<u8>),
}

/// What a driver's client does.
pub(super) trait Driver: Send {
    /// What stands behind the mechanism's name, if anything does.
    fn begin(&mut self, turn: &mut Turn<'_>) -> Result<Vec<u8>, Stop>;

    /// The answer to what the server asks; `None` where it has no answer, whatever
    /// is asked. What is asked is what stands behind the code.
    fn answer(&mut self, turn: &mut Turn<'_>, asked: &[u8]) -> Result<Option<Vec<u8>>, Stop>;

    /// What it is worth that the server takes this for whoever it said.
    fn accepted(&mut self) -> AuthOutcome {
        AuthOutcome::Accepted
    }
}

/// What a driver works with.
pub(super) struct Turn<'t> {
    cx: &'t mut Context,
    authenticator: &'t Authenticator,
    binding: Option<&'t ChannelBinding>,
    /// With what the server asks.
    code: u16,
}

impl Turn<'_> {
    /// Expands an option; nothing where it is not set. A forced failure gives the
    /// authenticator up.
    fn expand(&mut self, option: DriverOpt<Str>) -> Result<Option<Str>, Stop> {
        self.authenticator.text(option).map(|text| self.expand_text(&text)).transpose()
    }

    fn expand_text(&mut self, text: &Str) -> Result<Str, Stop> {
        let engine = self.cx.engine().clone();
        engine.expand_once(text.bytes(), self.cx).map_err(|fail| match fail.class() {
            FailClass::Forced => Stop::Cancel(Vec::new()),
            _ => self.broken(text, &fail),
        })
    }

    fn broken(&self, text: &Str, fail: &Fail) -> Stop {
        let name = self.authenticator.name().bytes();
        let head = [b"expansion of \"", text.bytes(), b"\" failed in ", name].concat();
        Stop::Fail([&head, b" authenticator: ".as_slice(), fail.message()].concat())
    }

    /// What the server asks, decoded.
    fn decoded(&self, asked: &[u8]) -> Result<Vec<u8>, Stop> {
        let decoded = (asked.len() <= LONGEST).then(|| base64::decode(asked)).flatten();
        decoded.ok_or_else(|| {
            let code = self.code.to_string();
            let shown = [code.as_bytes(), b" ", asked].concat();
            let shown = shown.trim_ascii_end();
            let head = b"Invalid base64 string in server response \"";
            Stop::Cancel([head, shown, b"\""].concat())
        })
    }
}

/// An attempt to authenticate.
pub struct Login {
    authenticator: Arc<Authenticator>,
    driver: Box<dyn Driver>,
    binding: Option<ChannelBinding>,
    /// How it ends once the server has answered.
    ends: Option<AuthOutcome>,
    shown: Vec<u8>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("with", &self.authenticator.name()).finish_non_exhaustive()
    }
}

impl Login {
    /// Begins an attempt; the first thing to do is the command, if there is one.
    /// Over TLS, there may be something to bind it to.
    pub fn begin(
        cx: &mut Context,
        authenticator: &Arc<Authenticator>,
        binding: Option<ChannelBinding>,
    ) -> (Self, Move) {
        forget(cx);
        let mut driver = match authenticator.runs().and_then(|run| run.client) {
            Some(start) => start(),
            None => Box::new(NoClient),
        };
        let mut turn = Turn { cx, authenticator, binding: binding.as_ref(), code: 0 };
        let first = driver.begin(&mut turn);
        let authenticator = authenticator.clone();
        let mut login = Self { authenticator, driver, binding, ends: None, shown: Vec::new() };
        let next = match first {
            Ok(data) => login.command(&data),
            Err(stop) => Move::Done(stop.outcome()),
        };
        (login, next)
    }

    /// Takes what the server answers: its code, and the text of its last line.
    pub fn hear(&mut self, cx: &mut Context, code: u16, text: &[u8]) -> Move {
        if let Some(ends) = self.ends.take() {
            return Move::Done(ends);
        }
        match code {
            200..300 => Move::Done(self.driver.accepted()),
            // Whatever the code has behind the first digit.
            300..400 => self.answer(cx, code, text),
            500..600 => Move::Done(AuthOutcome::Refused),
            _ => Move::Done(AuthOutcome::Later),
        }
    }

    /// What is to be said of this host's name there, once it is accepted
    /// (`client_set_id`).
    pub fn id(&self, cx: &mut Context) -> Option<Str> {
        let text = self.authenticator.text(opt::CLIENT_SET_ID)?;
        let engine = cx.engine().clone();
        engine.expand_once(text.bytes(), cx).ok()
    }

    /// How it ends whatever the server answers, where it was told that nothing comes of it.
    pub fn end(&self) -> Option<&AuthOutcome> {
        self.ends.as_ref()
    }

    /// What may be logged of the last line: `AUTH PLAIN ********`.
    pub fn shown(&self) -> &[u8] {
        &self.shown
    }

    fn command(&mut self, data: &[u8]) -> Move {
        let mut line = [b"AUTH ", self.authenticator.mechanism()].concat();
        self.shown = line.clone();
        if !data.is_empty() {
            line.push(b' ');
            line.extend(base64::encode(data));
            self.shown.push(b' ');
        }
        self.shown.resize(line.len(), b'*');
        Move::Say(line)
    }

    fn answer(&mut self, cx: &mut Context, code: u16, asked: &[u8]) -> Move {
        let authenticator = self.authenticator.clone();
        let binding = self.binding.as_ref();
        let mut turn = Turn { cx, authenticator: &authenticator, binding, code };
        let line = match self.driver.answer(&mut turn, asked.trim_ascii()) {
            Ok(Some(data)) => base64::encode(&data),
            Ok(None) => return Move::Done(AuthOutcome::Later),
            Err(stop) => {
                self.ends = Some(stop.outcome());
                b"*".to_vec()
            }
        };
        self.shown = vec![b'*'; line.len()];
        Move::Say(line)
    }
}

/// A driver that has only a server's side.
struct NoClient;

impl Driver for NoClient {
    fn begin(&mut self, turn: &mut Turn<'_>) -> Result<Vec<u8>, Stop> {
        let driver = turn.authenticator.driver().as_bytes();
        Err(Stop::Fail([b"the driver ", driver, b" has no client's side"].concat()))
    }

    fn answer(&mut self, _: &mut Turn<'_>, _: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        Ok(None)
    }
}

impl Stop {
    fn outcome(self) -> AuthOutcome {
        match self {
            Self::Cancel(why) => AuthOutcome::Cancelled(why),
            Self::Fail(why) => AuthOutcome::Failed(why),
        }
    }
}

/// Forgets the values of an authenticator.
pub fn forget(cx: &mut Context) {
    NAMES.into_iter().for_each(|var| cx.unset_var(var));
}

impl Authenticators {
    /// The next one, from a number on, that a client is to try with a server that
    /// offers these mechanisms; with the number behind it.
    pub fn client(
        &self,
        cx: &mut Context,
        offered: &[u8],
        from: usize,
    ) -> Option<(usize, &Arc<Authenticator>)> {
        let mut rest = self.iter().enumerate().skip(from);
        let (number, found) = rest.find(|(_, one)| {
            let mut words = offered.split(u8::is_ascii_whitespace);
            one.sends()
                && wants(cx, one)
                && words.any(|word| word.eq_ignore_ascii_case(one.mechanism()))
        })?;
        Some((number + 1, found))
    }
}

/// `client_condition`: whether an authenticator is to be tried.
fn wants(cx: &mut Context, authenticator: &Authenticator) -> bool {
    let Some(text) = authenticator.text(opt::CLIENT_CONDITION) else { return true };
    let engine = cx.engine().clone();
    match engine.expand_once(text.bytes(), cx) {
        Ok(value) => is_yes(value.bytes()),
        Err(fail) => {
            if fail.class() == FailClass::Error {
                let name = authenticator.name().bytes();
                let head = [b"failed to expand condition \"", text.bytes(), b"\" for "].concat();
                let line = [&head, name, b" client authenticator: ", fail.message()].concat();
                cx.log().panic(&line);
            }
            false
        }
    }
}
