//! EXTERNAL: a claim to be somebody, proved by other means (specification 41.3).

use eximious_core::DriverDef;
use eximious_stdlib::options::opt::authenticator::{self as general, external as opt};

use super::{Driver, Stop, Turn, plaintext};
use crate::config::AuthenticatorRules;
use crate::mail::auth::drivers::{AuthenticatorRun, own};
use crate::mail::auth::server;

/// The driver `external`.
pub(in crate::mail::auth) static DRIVER: DriverDef = own(
    "external",
    "EXTERNAL (RFC 4422).",
    "41",
    &AuthenticatorRun {
        client: Some(|| Box::new(External)),
        server: Some(server::external::start),
    },
)
.rules(&RULES);

/// What holds of instances in a configuration.
static RULES: AuthenticatorRules = AuthenticatorRules {
    is_client: |one| one.set(opt::CLIENT_SEND),
    is_server: |one| one.set(general::SERVER_CONDITION),
    ..AuthenticatorRules::DEFAULT
};

pub(super) struct External;

impl Driver for External {
    fn begin(&mut self, turn: &mut Turn<'_>) -> Result<Vec<u8>, Stop> {
        let claim = turn.expand(opt::CLIENT_SEND)?.unwrap_or_default();
        Ok(plaintext::with_zeros(claim.bytes()))
    }

    fn answer(&mut self, turn: &mut Turn<'_>, _: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        let name = turn.authenticator.name().bytes();
        Err(Stop::Fail([b"Too few items in client_send in ", name, b" authenticator"].concat()))
    }
}
