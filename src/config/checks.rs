//! What is looked at when the main section has been read.

use std::borrow::Cow;

use eximious_core::{LogSelector, OptionValue, Registry, Str, World};
use eximious_stdlib::lists::elements;

use super::{Config, ConfigError, values};
use crate::Builder;
use crate::config::macros::trim_start;

/// Expands what Exim expands when it starts, and checks what it checks then, in
/// the same order.
pub(super) fn after_main(config: &mut Config, registry: &Registry, world: &World) {
    let expanded = |name: &'static str, config: &mut Config| {
        let wrong = expand(config, name, registry, world).err();
        config.faults.extend(wrong);
    };
    let fault = |wrong: Result<(), ConfigError>, config: &mut Config| {
        config.faults.extend(wrong.err());
    };
    fault(local_sender(config), config);
    expanded("spool_directory", config);
    fault(spool_directory(config), config);
    expanded("log_file_path", config);
    for check in [log_file_path, syslog_facility, uucp_from_pattern, ratelimits, accepted_at_once] {
        fault(check(config), config);
    }
    expanded("localhost_number", config);
    fault(localhost_number(config), config);
    for check in [dh_bits, log_selector] {
        fault(check(config), config);
    }
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
    let builder = Builder::of(registry.clone()).world(world.clone());
    let engine = builder.settings(config.settings.clone()).build();
    let value = engine.expand_once(text.bytes(), &mut engine.context()).map_err(|fail| {
        let head = format!("failed to expand {name} \"");
        ConfigError::plain([head.as_bytes(), text.bytes(), b"\": ", fail.message()].concat())
    })?;
    let field = match name {
        "spool_directory" => &mut config.settings.spool_directory,
        "log_file_path" => &mut config.settings.log_file_path,
        _ => &mut config.settings.localhost_number,
    };
    *field = value.clone();
    config.settings.options.set(name, OptionValue::Text(value));
    Ok(())
}

/// The largest number that one host of several may have.
const MOST_LOCALHOST: i64 = 16;

/// Checks the host's number, and leaves it as a decimal one.
fn localhost_number(config: &mut Config) -> Result<(), ConfigError> {
    let text = config.settings.localhost_number.bytes();
    if text.is_empty() {
        return Ok(());
    }
    let number = match values::scaled(text.trim_ascii(), b"localhost_number", false) {
        Ok((number @ 0.., 1)) => number,
        _ => {
            let message = [b"localhost_number value is not a number: ", text].concat();
            return Err(ConfigError::somewhere(message));
        }
    };
    if number > MOST_LOCALHOST {
        return Err(ConfigError::somewhere(format!(
            "localhost_number is greater than the maximum allowed value ({MOST_LOCALHOST})"
        )));
    }
    config.settings.localhost_number = Str::from(number.to_string());
    Ok(())
}

fn log_selector(config: &Config) -> Result<(), ConfigError> {
    let Some(selector) = config.settings.options.text("log_selector") else { return Ok(()) };
    let wrong = LogSelector::parse(selector.bytes()).err();
    wrong.map_or(Ok(()), |why| Err(ConfigError::somewhere(why.message())))
}

/// What the system's log can be called.
const FACILITIES: [&str; 19] = [
    "auth", "authpriv", "cron", "daemon", "ftp", "kern", "local0", "local1", "local2", "local3",
    "local4", "local5", "local6", "local7", "lpr", "mail", "news", "user", "uucp",
];

fn syslog_facility(config: &Config) -> Result<(), ConfigError> {
    let Some(facility) = config.settings.options.text("syslog_facility").map(Str::bytes) else {
        return Ok(());
    };
    let known = facility.strip_prefix(b"log_").unwrap_or(facility);
    if FACILITIES.iter().any(|name| name.as_bytes() == known) {
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

fn local_sender(config: &Config) -> Result<(), ConfigError> {
    let options = &config.settings.options;
    let checked = options.flag("local_from_check") != Some(false);
    if checked && options.flag("local_sender_retain") == Some(true) {
        return Err(ConfigError::plain(
            "both local_from_check and local_sender_retain are set; this combination is not allowed",
        ));
    }
    Ok(())
}

fn spool_directory(config: &Config) -> Result<(), ConfigError> {
    match config.settings.options.get("spool_directory") {
        Some(OptionValue::Text(path)) if path.is_empty() => {
            Err(ConfigError::plain("spool_directory undefined: cannot proceed"))
        }
        _ => Ok(()),
    }
}

/// The path has a place for the log's name, and one for a date at the most. Where
/// the text was not expanded, that was complained about.
fn log_file_path(config: &Config) -> Result<(), ConfigError> {
    let Some(paths) = config.settings.options.text("log_file_path").map(Str::bytes) else {
        return Ok(());
    };
    let file = |element: &Cow<'_, [u8]>| !element.is_empty() && **element != *b"syslog";
    let Some(path) = elements(paths).find(file).filter(|path| !path.contains(&b'$')) else {
        return Ok(());
    };
    let wrong = |message: &str| {
        let parts = [b"log_file_path \"", &*path, b"\" ", message.as_bytes()];
        Err(ConfigError::plain(parts.concat()))
    };
    let marks: Vec<u8> = path.windows(2).filter(|w| w[0] == b'%').map(|w| w[1]).collect();
    if !marks.contains(&b's') {
        return wrong("does not contain \"%s\"");
    }
    let names = marks.iter().filter(|mark| **mark == b's').count();
    let dates = marks.iter().filter(|mark| matches!(mark, b'D' | b'M')).count();
    if names > 1 || dates > 1 || names + dates < marks.len() {
        return wrong("contains unexpected \"%\" character");
    }
    Ok(())
}

fn uucp_from_pattern(config: &Config) -> Result<(), ConfigError> {
    match config.settings.options.text("uucp_from_pattern") {
        Some(pattern) => regex(pattern.bytes()),
        None => Ok(()),
    }
}

/// A pattern that must compile when the program starts.
pub(super) fn regex(pattern: &[u8]) -> Result<(), ConfigError> {
    eximious_stdlib::pattern::check(pattern).map_err(|error| {
        let head = format!("regular expression error: {error} while compiling ");
        ConfigError::plain([head.as_bytes(), pattern].concat())
    })
}

fn ratelimits(config: &Config) -> Result<(), ConfigError> {
    for name in ["smtp_ratelimit_mail", "smtp_ratelimit_rcpt"] {
        let Some(OptionValue::Text(data)) = config.settings.options.get(name) else { continue };
        if !is_ratelimit(data.bytes()) {
            let message = [b"malformed ratelimit data: ", data.bytes()].concat();
            return Err(ConfigError::plain(message));
        }
    }
    Ok(())
}

/// `2,0.5s,1.05,4m`: a number, a time, a factor, and the longest time. Seconds may
/// have decimal places.
fn is_ratelimit(data: &[u8]) -> bool {
    let decimal = |text: &[u8]| {
        let digits = text.iter().filter(|c| c.is_ascii_digit()).count();
        let points = text.iter().filter(|c| **c == b'.').count();
        digits > 0 && points <= 1 && digits + points == text.len()
    };
    let time = |text: &[u8]| match text.strip_suffix(b"s") {
        Some(seconds) if decimal(seconds) => true,
        _ => eximious_stdlib::interval::seconds(text).is_some(),
    };
    let parts: Vec<&[u8]> = data.split(|c| *c == b',').map(trim_start).collect();
    matches!(parts[..], [count, delay, factor, most]
        if !count.is_empty() && count.iter().all(u8::is_ascii_digit)
            && time(delay) && decimal(factor) && time(most))
}

fn accepted_at_once(config: &Config) -> Result<(), ConfigError> {
    let options = &config.settings.options;
    let queues = options.number("smtp_accept_queue").is_some_and(|count| count > 0);
    let limited = options.get("smtp_accept_max_per_host").is_some();
    if options.number("smtp_accept_max") == Some(0) && (queues || limited) {
        return Err(ConfigError::somewhere(
            "smtp_accept_max must be set if smtp_accept_queue or smtp_accept_max_per_host is set",
        ));
    }
    Ok(())
}
