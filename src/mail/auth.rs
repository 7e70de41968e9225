//! SMTP authentication (specification, chapters 33 to 42; RFC 4954): the drivers with
//! their client's and server's sides, and what both compute (the digest of CRAM-MD5, the
//! messages of NTLM). The commands around them are in `mta/`, and in the client of SMTP.

pub mod client;
pub mod cram;
mod drivers;
pub mod ntlm;
pub mod server;

use std::sync::Arc;

use eximious_core::{DriverKind, DriverOpt, OptionType, OptionValue, Registry, Str};

use crate::Config;
use crate::config::{Instance, MechanismName};
use drivers::AuthenticatorRun;

/// An authenticator of a configuration, with its options as they are written.
#[derive(Clone, Debug)]
pub struct Authenticator {
    instance: Instance,
}

/// All authenticators of a configuration, in their order. A clone is cheap.
#[derive(Clone, Debug, Default)]
pub struct Authenticators(Arc<[Arc<Authenticator>]>);

impl Authenticators {
    /// Those of a configuration.
    pub fn new(config: &Config) -> Self {
        let all = config.instances(DriverKind::Authenticator).iter();
        Self(all.map(|instance| Arc::new(Authenticator { instance: instance.clone() })).collect())
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Authenticator>> {
        self.0.iter()
    }

    /// One by its name in the configuration.
    pub fn named(&self, name: &[u8]) -> Option<&Arc<Authenticator>> {
        self.iter().find(|one| one.name().bytes() == name)
    }
}

impl Authenticator {
    /// Its name in the configuration.
    pub fn name(&self) -> &Str {
        &self.instance.name
    }

    /// Its driver's name.
    pub fn driver(&self) -> &'static str {
        self.instance.driver_name()
    }

    /// What its driver's record runs.
    fn runs(&self) -> Option<&AuthenticatorRun> {
        self.instance.driver.as_deref().and_then(|record| record.run.get())
    }

    /// The mechanism's name in the protocol.
    pub fn mechanism(&self) -> &[u8] {
        self.instance.public_name()
    }

    /// Whether it has a server's side.
    pub fn serves(&self) -> bool {
        self.instance.is_server()
    }

    /// Whether a client can ask for it: what is found out by TLS alone it can't.
    pub fn is_asked_for(&self) -> bool {
        self.instance.authenticator_rules().name != MechanismName::Unasked
    }

    /// Whether it has a client's side.
    pub fn sends(&self) -> bool {
        self.instance.is_client()
    }

    /// A text that is set, as it is written; it may be empty.
    pub fn text(&self, option: DriverOpt<Str>) -> Option<Str> {
        self.instance.options.text(option).cloned()
    }

    /// The texts of the options of its client's side, as they are written.
    pub fn client_texts(&self) -> impl Iterator<Item = &Str> {
        self.instance.options.iter().filter_map(|(name, value)| match value {
            OptionValue::Text(text) if name.starts_with("client_") => Some(text),
            _ => None,
        })
    }

    /// A value as it is written, or its default.
    pub fn get<T: OptionType>(&self, option: DriverOpt<T>) -> T {
        self.instance.options.get_or_default(option)
    }

    /// Whether a switch is on.
    pub fn flag(&self, option: DriverOpt<bool>) -> bool {
        self.instance.options.flag(option) == Some(true)
    }
}

/// What binds authentication to the TLS connection around it, so that nobody stands
/// in between (RFC 5929, 9266).
pub use eximious_core::world::TlsBinding as ChannelBinding;

/// Adds the drivers of authenticators to other words.
pub(crate) fn register(registry: &mut Registry) {
    registry.drivers(drivers::DRIVERS.iter().copied());
}
