//! CRAM-MD5: a digest of what the server says (specification 35.2).

use eximious_core::{DriverDef, DriverOpt, Fail, FailClass, OptionValue, Str};
use eximious_stdlib::options::opt::authenticator::cram_md5 as opt;
use eximious_stdlib::variables::var;

use super::{AuthOutcome, Driver, Stop, Turn};
use crate::config::{AuthenticatorRules, MechanismName};
use crate::mail::auth::cram;
use crate::mail::auth::drivers::{AuthenticatorRun, own};
use crate::mail::auth::server;

/// The driver `cram_md5`.
pub(in crate::mail::auth) static DRIVER: DriverDef = own(
    "cram_md5",
    "CRAM-MD5 (RFC 2195).",
    "35",
    &AuthenticatorRun {
        client: Some(|| Box::new(CramMd5::default())),
        server: Some(server::cram_md5::start),
    },
)
.rules(&RULES);

/// What holds of instances in a configuration.
static RULES: AuthenticatorRules = AuthenticatorRules {
    value: |one, option, host| {
        let named = opt::CLIENT_NAME.is(option) && one.set(opt::CLIENT_SECRET);
        (named && !one.set(opt::CLIENT_NAME)).then(|| OptionValue::Text(host()))
    },
    name: MechanismName::Public,
    is_client: |one| one.set(opt::CLIENT_SECRET),
    is_server: |one| one.set(opt::SERVER_SECRET),
    ..AuthenticatorRules::DEFAULT
};

#[derive(Default)]
pub(super) struct CramMd5 {
    name: Str,
    secret: Str,
    answered: bool,
}

impl Driver for CramMd5 {
    fn begin(&mut self, turn: &mut Turn<'_>) -> Result<Vec<u8>, Stop> {
        match (expanded(turn, opt::CLIENT_SECRET), expanded(turn, opt::CLIENT_NAME)) {
            (Ok(secret), Ok(name)) => {
                self.secret = secret.unwrap_or_default();
                self.name = name.unwrap_or_else(|| turn.cx.value_of(var::PRIMARY_HOSTNAME));
                Ok(Vec::new())
            }
            // Exim goes by what was expanded last: only a name that is forced to fail lets it
            // try another authenticator, although the specification says so of both.
            (_, Err((_, fail))) if fail.class() == FailClass::Forced => {
                Err(Stop::Cancel(Vec::new()))
            }
            (Err((text, _)), Err((_, fail)))
            | (Ok(_), Err((text, fail)))
            | (Err((text, fail)), Ok(_)) => Err(turn.broken(&text, &fail)),
        }
    }

    fn answer(&mut self, turn: &mut Turn<'_>, asked: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        if std::mem::replace(&mut self.answered, true) {
            return Ok(None);
        }
        let challenge = turn.decoded(asked).ok();
        // An answer to nothing would serve whoever hears it for ever.
        let Some(challenge) = challenge.filter(|challenge| !challenge.is_empty()) else {
            return Err(Stop::Fail([b"bad base 64 string in challenge: ", asked].concat()));
        };
        Ok(Some(cram::response(self.name.bytes(), self.secret.bytes(), &challenge)))
    }

    /// A server that has not asked does not know.
    fn accepted(&mut self) -> AuthOutcome {
        match self.answered {
            true => AuthOutcome::Accepted,
            false => AuthOutcome::Later,
        }
    }
}

/// An option, expanded; what it was and why not, where that fails.
fn expanded(turn: &mut Turn<'_>, option: DriverOpt<Str>) -> Result<Option<Str>, (Str, Fail)> {
    let Some(text) = turn.authenticator.text(option) else { return Ok(None) };
    let engine = turn.cx.engine().clone();
    engine.expand_once(text.bytes(), turn.cx).map(Some).map_err(|fail| (text, fail))
}
