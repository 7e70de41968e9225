//! The records of the drivers of authenticators, with what each of them runs.

use eximious_core::{DriverDef, DriverKind, DriverOpt, Runs, Str};
use eximious_stdlib::options::opt::authenticator as opt;

use super::client::{self, Driver};
use super::server::{self, AuthDriver};
use crate::config::{AuthenticatorRules, MechanismName};

/// What the record of an authenticator's driver runs: the sides that it has.
pub(super) struct AuthenticatorRun {
    /// The client's.
    pub(super) client: Option<fn() -> Box<dyn Driver>>,
    /// The server's.
    pub(super) server: Option<fn() -> Box<dyn AuthDriver>>,
}

/// The record of a driver of ours.
pub(super) const fn own(
    name: &'static str,
    summary: &'static str,
    source: &'static str,
    run: &'static AuthenticatorRun,
) -> DriverDef {
    DriverDef::new(DriverKind::Authenticator, name, summary, source, Runs::of(run))
}

/// All drivers of authenticators.
pub(super) static DRIVERS: &[&DriverDef] = &[
    &client::cram_md5::DRIVER,
    &own("cyrus_sasl", "Mechanisms of the Cyrus SASL library.", "36", &CYRUS_SASL).rules(
        &AuthenticatorRules {
            name: MechanismName::Unshown,
            is_server: |_| true,
            ..AuthenticatorRules::DEFAULT
        },
    ),
    &own("dovecot", "Asks a Dovecot server.", "37", &DOVECOT).rules(&AuthenticatorRules {
        is_server: |one| one.set(opt::dovecot::SERVER_SOCKET),
        ..AuthenticatorRules::DEFAULT
    }),
    &client::external::DRIVER,
    &client::gsasl::DRIVER,
    &own("heimdal_gssapi", "GSSAPI (RFC 4752).", "39", &HEIMDAL_GSSAPI)
        .needs("the library of GSS-API, Heimdal's or MIT's")
        .rules(&AuthenticatorRules { is_server: |_| true, ..AuthenticatorRules::DEFAULT }),
    &client::plaintext::DRIVER,
    &client::spa::DRIVER,
    &own("tls", "A client's certificate takes the place of AUTH.", "42", &TLS)
        .rules(&BY_CERTIFICATE),
];

static CYRUS_SASL: AuthenticatorRun =
    AuthenticatorRun { client: None, server: Some(server::cyrus_sasl::start) };
static HEIMDAL_GSSAPI: AuthenticatorRun =
    AuthenticatorRun { client: None, server: Some(server::heimdal_gssapi::start) };
static DOVECOT: AuthenticatorRun =
    AuthenticatorRun { client: None, server: Some(server::dovecot::start) };
/// What TLS has found out needs no command.
static TLS: AuthenticatorRun = AuthenticatorRun { client: None, server: None };

/// What holds of instances of `tls`.
static BY_CERTIFICATE: AuthenticatorRules = AuthenticatorRules {
    value: |one, option, _| {
        let either = [opt::tls::SERVER_PARAM, opt::tls::SERVER_PARAM1];
        let is_one = either.iter().any(|one| one.is(option));
        let set = |option: DriverOpt<Str>| one.options.of(option.def());
        is_one.then(|| either.into_iter().find_map(set).cloned())?
    },
    name: MechanismName::Unasked,
    is_server: |_| true,
    ..AuthenticatorRules::DEFAULT
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_driver_that_is_there_has_a_side() {
        for driver in DRIVERS {
            let run = driver.run.get::<AuthenticatorRun>();
            let answers = run.is_some_and(|run| run.server.is_some());
            let name = driver.meta.name;
            assert_eq!(answers, !driver.run.is_not_yet() && name != "tls", "{name}");
        }
    }
}
