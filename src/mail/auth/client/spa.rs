//! NTLM: a user's password answers a challenge (specification 40.2).

use eximious_core::{DriverDef, Str};
use eximious_stdlib::options::opt::authenticator::spa as opt;

use super::{AuthOutcome, Driver, Stop, Turn};
use crate::config::AuthenticatorRules;
use crate::mail::auth::drivers::{AuthenticatorRun, own};
use crate::mail::auth::ntlm;
use crate::mail::auth::server;

/// The driver `spa`.
pub(in crate::mail::auth) static DRIVER: DriverDef = own(
    "spa",
    "Secure Password Authentication (NTLM).",
    "40",
    &AuthenticatorRun {
        client: Some(|| Box::new(Spa::default())),
        server: Some(server::spa::start),
    },
)
.rules(&RULES);

/// What holds of instances in a configuration.
static RULES: AuthenticatorRules = AuthenticatorRules {
    check: |one| match one.set(opt::CLIENT_USERNAME) == one.set(opt::CLIENT_PASSWORD) {
        true => Ok(()),
        false => Err(
            one.wrong("one of client_username and client_password cannot be set without the other")
        ),
    },
    is_client: |one| one.set(opt::CLIENT_USERNAME),
    is_server: |one| one.set(opt::SERVER_PASSWORD),
    ..AuthenticatorRules::DEFAULT
};

#[derive(Default)]
pub(super) struct Spa {
    user: Str,
    domain: Option<Str>,
    password: Str,
    answered: usize,
}

impl Driver for Spa {
    fn begin(&mut self, turn: &mut Turn<'_>) -> Result<Vec<u8>, Stop> {
        self.password = turn.expand(opt::CLIENT_PASSWORD)?.unwrap_or_default();
        self.user = turn.expand(opt::CLIENT_USERNAME)?.unwrap_or_default();
        self.domain = turn.expand(opt::CLIENT_DOMAIN)?;
        Ok(Vec::new())
    }

    /// A server that has not asked does not know.
    fn accepted(&mut self) -> AuthOutcome {
        match self.answered {
            2.. => AuthOutcome::Accepted,
            _ => AuthOutcome::Later,
        }
    }

    fn answer(&mut self, turn: &mut Turn<'_>, asked: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        self.answered += 1;
        // A domain may stand behind the name.
        let (user, behind) = match memchr::memchr(b'@', self.user.bytes()) {
            Some(at) => (&self.user.bytes()[..at], &self.user.bytes()[at + 1..]),
            None => (self.user.bytes(), &b""[..]),
        };
        let domain = self.domain.as_ref().map_or(behind, Str::bytes);
        match self.answered {
            // What the server says before anything is asked has no meaning.
            1 => Ok(Some(ntlm::negotiate(user, domain))),
            2 => {
                let message = turn.decoded(asked)?;
                let (challenge, flags) = ntlm::parse_challenge(&message)
                    .ok_or_else(|| Stop::Cancel(b"the server's challenge is none".to_vec()))?;
                let password = self.password.bytes();
                Ok(Some(ntlm::authenticate(user, behind, password, &challenge, flags)))
            }
            _ => Ok(None),
        }
    }
}
