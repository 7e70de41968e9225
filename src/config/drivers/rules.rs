//! What drivers' records say of their instances in a configuration, beside what their
//! options say. A driver without such has the defaults.

use std::any::Any;

use eximious_core::{OptionDef, OptionValue, Str};

use super::Instance;
use crate::config::ConfigError;

/// What must hold of the options of an instance.
pub(crate) type Check = fn(&Instance) -> Result<(), ConfigError>;

/// What an option's value is, whatever is set or not; `None` where it is what is set. The
/// host's name is there for those who need it.
pub(crate) type Value = fn(&Instance, &OptionDef, &dyn Fn() -> Str) -> Option<OptionValue>;

/// Nothing but what the options' types say.
pub(crate) const ANYTHING: Check = |_| Ok(());

/// As it is set.
pub(crate) const AS_SET: Value = |_, _, _| None;

/// Of a router's driver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouterRules {
    /// What must hold of an instance.
    pub(crate) check: Check,
    /// What values options have.
    pub(crate) value: Value,
    /// Whether an instance names a transport.
    pub(crate) transport: TransportUse,
    /// Whether what it routes is local, as far as logs are concerned.
    pub(crate) logs_as_local: bool,
    /// Whether addresses that its conditions let in go on to the next router.
    pub(crate) goes_on: GoesOn,
}

/// Whether a router names a transport.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TransportUse {
    /// It may.
    Optional,
    /// It does, unless it only verifies.
    Required,
    /// It does not.
    Forbidden,
}

/// Whether addresses that a router's conditions let in go on to the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum GoesOn {
    /// None, unless it is unseen or the like.
    Never,
    /// Those that it declines, unless `more` is off.
    Declined,
    /// Some do, whatever is set.
    Always,
}

impl RouterRules {
    /// What holds where a record says nothing.
    pub(crate) const DEFAULT: Self = Self {
        check: ANYTHING,
        value: AS_SET,
        transport: TransportUse::Optional,
        logs_as_local: false,
        goes_on: GoesOn::Declined,
    };
}

/// Of a transport's driver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransportRules {
    /// What must hold of an instance.
    pub(crate) check: Check,
    /// What values the driver's own options have.
    pub(crate) value: Value,
    /// Whether retries are for each local part, unless `retry_use_local_part` says so.
    pub(crate) retries_local_parts: bool,
    /// A line that `-bP` shows before the driver's options.
    pub(crate) first_line: Option<fn(&Instance) -> Vec<u8>>,
}

impl TransportRules {
    /// What holds where a record says nothing.
    pub(crate) const DEFAULT: Self =
        Self { check: ANYTHING, value: AS_SET, retries_local_parts: true, first_line: None };
}

/// Of an authenticator's driver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuthenticatorRules {
    /// What must hold of an instance.
    pub(crate) check: Check,
    /// What values options have.
    pub(crate) value: Value,
    /// The mechanism's name.
    pub(crate) name: MechanismName,
    /// Whether an instance has a client's side: what that needs is set.
    pub(crate) is_client: fn(&Instance) -> bool,
    /// Whether an instance has a server's side.
    pub(crate) is_server: fn(&Instance) -> bool,
    /// Whether `server_condition` alone says who a client is.
    pub(crate) by_condition: bool,
}

/// The name of an authenticator's mechanism.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MechanismName {
    /// `public_name`, or else that of the instance.
    Own,
    /// The same, but `-bP` shows only what is set.
    Unshown,
    /// `public_name`, which must be set.
    Public,
    /// That of the instance; a client can't ask for it, whatever its name is.
    Unasked,
}

impl AuthenticatorRules {
    /// What holds where a record says nothing.
    pub(crate) const DEFAULT: Self = Self {
        check: ANYTHING,
        value: AS_SET,
        name: MechanismName::Own,
        is_client: |_| false,
        is_server: |_| false,
        by_condition: false,
    };
}

impl Instance {
    /// What its driver's record says, as a router's.
    pub(crate) fn router_rules(&self) -> &'static RouterRules {
        self.rules().unwrap_or(&RouterRules::DEFAULT)
    }

    /// What its driver's record says, as a transport's.
    pub(crate) fn transport_rules(&self) -> &'static TransportRules {
        self.rules().unwrap_or(&TransportRules::DEFAULT)
    }

    /// What its driver's record says, as an authenticator's.
    pub(crate) fn authenticator_rules(&self) -> &'static AuthenticatorRules {
        self.rules().unwrap_or(&AuthenticatorRules::DEFAULT)
    }

    fn rules<T: Any>(&self) -> Option<&'static T> {
        self.driver.as_ref()?.rules?.downcast_ref()
    }
}
