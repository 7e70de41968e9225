//! Instances of drivers, and what must hold of their options (specification
//! 6.21, chapters 15 to 42).

mod authenticators;
pub(crate) mod computed;
mod routers;
pub(crate) mod rules;
pub(crate) mod transports;

use std::collections::{BTreeMap, BTreeSet};

use eximious_core::{
    DriverDef, DriverKind, DriverOpt, DriverOptions, OptionDef, OptionValue, Rec, Str,
    SwitchOption, TextOption, World,
};
use eximious_stdlib::options::opt::{authenticator, router, transport};

use super::{ConfigError, SettingUse};

/// An instance of a driver.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its name.
    pub name: Str,
    /// What it drives.
    pub kind: DriverKind,
    /// Its driver; `None` where none is named that exists, which is a fault.
    pub driver: Option<Rec<DriverDef>>,
    /// Whether a driver is named that does not exist.
    pub misnamed: bool,
    /// The options that are set.
    pub options: DriverOptions,
    /// The options whose values `-bP` hides from those who do not administrate.
    pub hidden: BTreeSet<&'static str>,
    /// The groups of users that are named, by the option that they stand in for
    /// where it is not set. A user by number brings none.
    pub groups: BTreeMap<&'static str, u32>,
    /// Where each option is set.
    pub settings: Vec<SettingUse>,
    /// The number of the logical line that names it.
    pub line: usize,
}

/// The value of an instance's option as it counts; of a router's `self`, all that
/// is written.
pub(crate) fn effective(
    option: &OptionDef,
    instance: &Instance,
    world: &World,
) -> Option<OptionValue> {
    if router::SELF.is(option) {
        return instance.options.of(option).cloned();
    }
    computed::value(option, instance, &|| Str::from(world.host.name()))
}

impl Instance {
    /// The same, with nothing set.
    pub(crate) fn unset(&self) -> Self {
        Self { options: DriverOptions::default(), settings: Vec::new(), ..self.clone() }
    }

    /// The name of its driver.
    pub fn driver_name(&self) -> &'static str {
        self.driver.as_ref().map_or("", |driver| driver.meta.name)
    }

    /// Whether an option is set, be it to nothing.
    pub(crate) fn set<T>(&self, option: DriverOpt<T>) -> bool {
        self.options.is_set(option)
    }

    /// Of an authenticator: the mechanism's name in the protocol.
    pub(crate) fn public_name(&self) -> &[u8] {
        authenticators::public_name(self)
    }

    /// Of an authenticator: whether it has a client's side.
    pub(crate) fn is_client(&self) -> bool {
        (self.authenticator_rules().is_client)(self)
    }

    /// Of an authenticator: whether it has a server's side.
    pub(crate) fn is_server(&self) -> bool {
        (self.authenticator_rules().is_server)(self)
    }

    /// Whether a switch is set to yes.
    pub(crate) fn on<T: SwitchOption>(&self, option: DriverOpt<T>) -> bool {
        self.options.flag(option) == Some(true)
    }

    /// A text that is set, be it empty.
    pub(crate) fn text<T: TextOption>(&self, option: DriverOpt<T>) -> Option<&[u8]> {
        self.options.text(option).map(Str::bytes)
    }

    /// A complaint with the instance's name in its head.
    pub(crate) fn wrong(&self, message: &str) -> ConfigError {
        let kind = self.kind.name().as_bytes();
        ConfigError::of([self.name.bytes(), b" ", kind].concat(), message)
    }

    /// A complaint that ends in the instance's name: `… for t transport`.
    pub(crate) fn wrong_for(&self, message: &str) -> ConfigError {
        let (kind, message) = (self.kind.name().as_bytes(), message.as_bytes());
        ConfigError::somewhere([message, b" ", self.name.bytes(), b" ", kind].concat())
    }
}

/// Whether an option names the driver of an instance.
pub(super) fn is_driver(option: &OptionDef) -> bool {
    [router::DRIVER, transport::DRIVER, authenticator::DRIVER].iter().any(|one| one.is(option))
}

/// The option of the group that comes with a user, where an option is that of a user.
pub(super) fn group_beside(option: &OptionDef) -> Option<&'static str> {
    let pairs = [
        (router::USER, router::GROUP),
        (router::queryprogram::COMMAND_USER, router::queryprogram::COMMAND_GROUP),
        (transport::USER, transport::GROUP),
    ];
    pairs.into_iter().find(|(user, _)| user.is(option)).map(|(_, group)| group.name())
}

/// The switches that another one stands for.
pub(super) fn stands_for(option: &OptionDef) -> &'static [DriverOpt<bool>] {
    if router::VERIFY.is(option) {
        &[router::VERIFY_RECIPIENT, router::VERIFY_SENDER]
    } else if router::FAIL_VERIFY.is(option) {
        &[router::FAIL_VERIFY_RECIPIENT, router::FAIL_VERIFY_SENDER]
    } else {
        &[]
    }
}

/// Says that an instance has no driver, where it has none, or what its driver misses: Exim
/// looks before the next instance begins.
pub(super) fn check_one(instance: &Instance) -> Result<(), ConfigError> {
    if instance.driver.is_some() {
        return match instance.kind {
            DriverKind::Router => (instance.router_rules().check)(instance),
            DriverKind::Transport => (instance.transport_rules().check)(instance),
            DriverKind::Authenticator => (instance.authenticator_rules().check)(instance),
        };
    }
    // A driver that does not exist was complained about already.
    if instance.misnamed {
        return Ok(());
    }
    let (kind, name) = (instance.kind.name().as_bytes(), instance.name.bytes());
    let message = [b"no driver defined for ", kind, b" \"", name, b"\""].concat();
    Err(ConfigError::somewhere(message))
}

/// What is wrong with the instances of a kind beside that; Exim looks when their section ends.
pub(super) fn check(kind: DriverKind, all: &[Instance]) -> Vec<ConfigError> {
    let driven = all.iter().filter(|instance| instance.driver.is_some());
    match kind {
        DriverKind::Router => {
            driven.map(|one| routers::general(one, all)).filter_map(Result::err).collect()
        }
        DriverKind::Transport => driven.map(transports::general).filter_map(Result::err).collect(),
        DriverKind::Authenticator => {
            let general = driven.map(authenticators::general).filter_map(Result::err);
            general.chain(authenticators::fellows(all)).collect()
        }
    }
}
