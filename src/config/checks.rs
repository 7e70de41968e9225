//! What is looked at when the main section has been read.

use eximious_core::{OptionValue, Registry, Str, World};

use super::{Config, ConfigError};
use crate::Engine;
use crate::macros::{log_selectors, trim_start};

/// Expands what Exim expands when it starts, and checks what it checks then.
pub(super) fn after_main(config: &mut Config, registry: &Registry, world: &World) {
    for name in ["spool_directory", "localhost_number"] {
        if let Err(error) = expand(config, name, registry, world) {
            config.faults.push(error);
        }
    }
    let checks =
        [localhost_number(config), log_selector(config), syslog_facility(config), dh_bits(config)];
    config.faults.extend(checks.into_iter().filter_map(Result::err));
}

/// Expands an option once and for all.
fn expand(
    config: &mut Config,
    name: &'static str,
    registry: &Registry,
    world: &World,
) -> Result<(), ConfigError> {
    let Some(text) = config.settings.options.text(name).cloned() else { return Ok(()) };
    if !text.bytes().iter().any(|c| matches!(c, b'$' | b'\\')) {
        return Ok(());
    }
    let engine = Engine::of(registry.clone(), world.clone(), config.settings.clone());
    let value = engine.expand_once(text.bytes(), &mut engine.context()).map_err(|fail| {
        let head = format!("failed to expand {name} \"");
        ConfigError::plain([head.as_bytes(), text.bytes(), b"\": ", fail.message()].concat())
    })?;
    let field = match name {
        "spool_directory" => &mut config.settings.spool_directory,
        _ => &mut config.settings.localhost_number,
    };
    *field = value.clone();
    config.settings.options.set(name, OptionValue::Text(value));
    Ok(())
}

/// The largest number that one host of several may have.
const MOST_LOCALHOST: u64 = 16;

fn localhost_number(config: &Config) -> Result<(), ConfigError> {
    let text = config.settings.localhost_number.bytes();
    if text.is_empty() {
        return Ok(());
    }
    let digits = std::str::from_utf8(text).ok().filter(|t| t.bytes().all(|c| c.is_ascii_digit()));
    let Some(digits) = digits else {
        let message = [b"localhost_number value is not a number: ", text].concat();
        return Err(ConfigError::somewhere(message));
    };
    if digits.parse::<u64>().is_ok_and(|number| number <= MOST_LOCALHOST) {
        return Ok(());
    }
    Err(ConfigError::somewhere(format!(
        "localhost_number is greater than the maximum allowed value ({MOST_LOCALHOST})"
    )))
}

fn log_selector(config: &Config) -> Result<(), ConfigError> {
    let Some(selector) = config.settings.options.text("log_selector") else { return Ok(()) };
    let mut rest = trim_start(selector.bytes());
    while let Some((sign, after)) = rest.split_first() {
        if !matches!(sign, b'+' | b'-') {
            let message = b"malformed log_selector setting: + or - expected but found \"";
            return Err(ConfigError::somewhere([message.as_slice(), rest, b"\""].concat()));
        }
        let end = after.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
        let (name, after) = after.split_at(end.unwrap_or(after.len()));
        if !log_selectors().iter().any(|known| known.as_bytes() == name) {
            let message = b"unknown log_selector setting: ".as_slice();
            return Err(ConfigError::somewhere([message, &[*sign], name].concat()));
        }
        rest = trim_start(after);
    }
    Ok(())
}

/// What the system's log can be called.
const FACILITIES: [&str; 18] = [
    "auth", "authpriv", "cron", "daemon", "ftp", "kern", "local0", "local1", "local2", "local3",
    "local4", "local5", "local6", "local7", "lpr", "mail", "news", "uucp",
];

fn syslog_facility(config: &Config) -> Result<(), ConfigError> {
    let Some(facility) = config.settings.options.text("syslog_facility").map(Str::bytes) else {
        return Ok(());
    };
    let known = facility.strip_prefix(b"log_").unwrap_or(facility);
    if FACILITIES.iter().chain(&["user"]).any(|name| name.as_bytes() == known) {
        return Ok(());
    }
    let message = [b"failed to interpret syslog_facility \"", facility, b"\""].concat();
    Err(ConfigError::somewhere(message))
}

fn dh_bits(config: &Config) -> Result<(), ConfigError> {
    match config.settings.options.number("tls_dh_max_bits") {
        Some(..1024) => Err(ConfigError::somewhere(
            "tls_dh_max_bits is too small, must be at least 1024 for interop",
        )),
        _ => Ok(()),
    }
}
