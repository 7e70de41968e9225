//! What holds of the options of `smtp` in a configuration (specification 30.4).

use std::time::Duration;

use eximious_core::{DriverOpt, OptionDef, OptionValue};
use eximious_stdlib::options::opt::transport::{self as opt, smtp};

use crate::config::{ConfigError, Instance, TransportRules, computed};
use computed::text;

/// What holds of instances.
pub(in crate::mail::transport) static RULES: TransportRules = TransportRules {
    check,
    value: |transport, option, _| value(transport, option),
    retries_local_parts: false,
    ..TransportRules::DEFAULT
};

/// What must hold of them.
fn check(transport: &Instance) -> Result<(), ConfigError> {
    let zero = |option: DriverOpt<Duration>| {
        transport.options.get(option).is_some_and(|time| time.is_zero())
    };
    if [smtp::COMMAND_TIMEOUT, smtp::DATA_TIMEOUT, smtp::FINAL_TIMEOUT].into_iter().any(zero) {
        return Err(transport.wrong_for("command, data, or final timeout value is zero for"));
    }
    if transport.set(opt::SHADOW_TRANSPORT) {
        let head: &[u8] = b"shadow transport not allowed on non-local transport ";
        return Err(ConfigError::somewhere([head, transport.name.bytes()].concat()));
    }
    Ok(())
}

/// What others make of an option.
fn value(transport: &Instance, option: &OptionDef) -> Option<OptionValue> {
    if transport.options.of(option).is_some() {
        return None;
    }
    if smtp::PORT.is(option) {
        return match transport.text(smtp::PROTOCOL) {
            Some(word) if word.eq_ignore_ascii_case(b"lmtp") => text("lmtp"),
            Some(word) if word.eq_ignore_ascii_case(b"smtps") => text("smtps"),
            _ => text("smtp"),
        };
    }
    if smtp::PROTOCOL.is(option) { text("smtp") } else { None }
}
