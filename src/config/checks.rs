//! What is looked at when the main section has been read.

use std::borrow::Cow;
use std::time::Duration;

use eximious_core::{LogSelector, Opt, Registry, Str, World};
use eximious_stdlib::address;
use eximious_stdlib::lists::elements_with;
use eximious_stdlib::options::{LONGEST_SYSLOG_NAME, opt};

use super::{Config, ConfigError, values};
use crate::Builder;
use crate::config::macros::trim_start;

/// Expands what Exim expands when it starts, and checks what it checks then, in
/// the same order.
pub(super) fn after_main(config: &mut Config, registry: &Registry, world: &World) {
    let expanded = |option: Opt<Str>, config: &mut Config| {
        let wrong = expand(config, option, registry, world).err();
        config.faults.extend(wrong);
    };
    let fault = |wrong: Result<(), ConfigError>, config: &mut Config| {
        config.faults.extend(wrong.err());
    };
    fault(local_sender(config), config);
    if config.settings.get(opt::RETRY_INTERVAL_MAX) > LONGEST_RETRY_INTERVAL {
        config.settings.set(opt::RETRY_INTERVAL_MAX, LONGEST_RETRY_INTERVAL);
    }
    expanded(opt::SPOOL_DIRECTORY, config);
    fault(spool_directory(config), config);
    expanded(opt::LOG_FILE_PATH, config);
    for check in [log_file_path, syslog_name, syslog_facility] {
        fault(check(config), config);
    }
    expanded(opt::PID_FILE_PATH, config);
    for check in [uucp_from_pattern, ratelimits, errors_reply_to, accepted_at_once] {
        fault(check(config), config);
    }
    expanded(opt::LOCALHOST_NUMBER, config);
    fault(localhost_number(config), config);
    for check in [dh_bits, log_selector] {
        fault(check(config), config);
    }
}

/// Expands an option once and for all.
fn expand(
    config: &mut Config,
    option: Opt<Str>,
    registry: &Registry,
    world: &World,
) -> Result<(), ConfigError> {
    let Some(text) = config.settings.text(option) else { return Ok(()) };
    if text.is_plain() {
        return Ok(());
    }
    let builder = Builder::of(registry.clone()).world(world.clone());
    let engine = builder.settings(config.settings.clone()).build();
    let value = engine.expand_once(text.bytes(), &mut engine.context()).map_err(|fail| {
        let head = format!("failed to expand {} \"", option.name());
        let message = [head.as_bytes(), text.bytes(), b"\": ", fail.message()].concat();
        ConfigError::plain(message).with_source(fail)
    })?;
    config.settings.set(option, value);
    Ok(())
}

/// The longest time between two tries, whatever is set.
const LONGEST_RETRY_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The largest number that one host of several may have.
const MOST_LOCALHOST: i64 = 16;

/// Checks the host's number.
fn localhost_number(config: &Config) -> Result<(), ConfigError> {
    let Some(text) = config.settings.text(opt::LOCALHOST_NUMBER) else { return Ok(()) };
    let text = text.bytes();
    let number = match values::scaled(text.trim_ascii(), b"localhost_number", false) {
        Ok((number @ 0.., 1, [])) => number,
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
    Ok(())
}

/// Whoever answers a report has one address to do it, with a domain.
fn errors_reply_to(config: &Config) -> Result<(), ConfigError> {
    let Some(text) = config.settings.given(opt::ERRORS_REPLY_TO) else { return Ok(()) };
    let message = match address::parse(text.bytes(), address::Rules::of(&config.settings)) {
        Ok(found) if found.domain.is_some() => return Ok(()),
        Ok(_) => [b"errors_reply_to (", text.bytes(), b") does not contain a domain"].concat(),
        Err(why) => {
            [b"error in errors_reply_to (", text.bytes(), b"): ", &why.message[..]].concat()
        }
    };
    Err(ConfigError::somewhere(message))
}

fn log_selector(config: &Config) -> Result<(), ConfigError> {
    let Some(selector) = config.settings.text(opt::LOG_SELECTOR) else { return Ok(()) };
    let wrong = LogSelector::parse(selector.bytes()).err();
    wrong.map_or(Ok(()), |why| Err(ConfigError::somewhere(why.message())))
}

fn syslog_name(config: &Config) -> Result<(), ConfigError> {
    match config.settings.get(opt::SYSLOG_PROCESSNAME).bytes().len() {
        ..=LONGEST_SYSLOG_NAME => Ok(()),
        _ => Err(ConfigError::plain(format!(
            "syslog_processname is longer than {LONGEST_SYSLOG_NAME} chars: aborting"
        ))),
    }
}

/// What the system's log can be called.
const FACILITIES: [&str; 13] = [
    "daemon", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    "mail", "news", "user", "uucp",
];

fn syslog_facility(config: &Config) -> Result<(), ConfigError> {
    let Some(facility) = config.settings.given(opt::SYSLOG_FACILITY) else { return Ok(()) };
    let facility = facility.bytes();
    let lower = facility.to_ascii_lowercase();
    let known = lower.strip_prefix(b"log_").unwrap_or(&lower);
    if FACILITIES.iter().any(|name| name.as_bytes() == known) {
        return Ok(());
    }
    let message = [b"failed to interpret syslog_facility \"", facility, b"\""].concat();
    Err(ConfigError::somewhere(message))
}

fn dh_bits(config: &Config) -> Result<(), ConfigError> {
    match config.settings.get(opt::TLS_DH_MAX_BITS) {
        ..1024 => Err(ConfigError::somewhere(
            "tls_dh_max_bits is too small, must be at least 1024 for interop",
        )),
        _ => Ok(()),
    }
}

fn local_sender(config: &Config) -> Result<(), ConfigError> {
    let settings = &config.settings;
    if settings.get(opt::LOCAL_FROM_CHECK) && settings.get(opt::LOCAL_SENDER_RETAIN) {
        return Err(ConfigError::plain(
            "both local_from_check and local_sender_retain are set; this combination is not allowed",
        ));
    }
    Ok(())
}

fn spool_directory(config: &Config) -> Result<(), ConfigError> {
    match config.settings.get(opt::SPOOL_DIRECTORY).is_empty() {
        true => Err(ConfigError::plain("spool_directory undefined: cannot proceed")),
        false => Ok(()),
    }
}

/// The path has a place for the log's name, and one for a date at the most. Where
/// the text was not expanded, that was complained about.
fn log_file_path(config: &Config) -> Result<(), ConfigError> {
    let Some(paths) = config.settings.text(opt::LOG_FILE_PATH) else { return Ok(()) };
    let paths = paths.bytes();
    let file = |element: &Cow<'_, [u8]>| !element.is_empty() && **element != *b"syslog";
    let Some(path) = elements_with(paths, b':').find(file).filter(|path| !path.contains(&b'$'))
    else {
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
    match config.settings.text(opt::UUCP_FROM_PATTERN) {
        Some(pattern) => regex(pattern.bytes()),
        None => Ok(()),
    }
}

/// A pattern that must compile when the program starts.
pub(crate) fn regex(pattern: &[u8]) -> Result<(), ConfigError> {
    eximious_stdlib::pattern::check(pattern).map_err(|error| {
        let head = format!("regular expression error: {error} while compiling ");
        ConfigError::plain([head.as_bytes(), pattern].concat())
    })
}

fn ratelimits(config: &Config) -> Result<(), ConfigError> {
    for option in [opt::SMTP_RATELIMIT_MAIL, opt::SMTP_RATELIMIT_RCPT] {
        let Some(data) = config.settings.given(option) else { continue };
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
    let unsigned = |text: &[u8]| text.strip_prefix(b"-").map_or(text.to_vec(), <[u8]>::to_vec);
    let time = |text: &[u8]| match text.strip_suffix(b"s") {
        Some(seconds) if decimal(seconds) => seconds[0].is_ascii_digit(),
        _ => eximious_stdlib::interval::seconds(text).is_some(),
    };
    let parts: Vec<&[u8]> = data.split(|c| *c == b',').map(trim_start).collect();
    let [count, delay, factor, most] = parts[..] else { return false };
    let count = unsigned(count);
    let is_whole = !count.is_empty() && count.iter().all(u8::is_ascii_digit);
    is_whole && time(delay) && decimal(&unsigned(factor)) && time(most)
}

fn accepted_at_once(config: &Config) -> Result<(), ConfigError> {
    let settings = &config.settings;
    let queues = settings.get(opt::SMTP_ACCEPT_QUEUE) > 0;
    let limited = settings.is_set(opt::SMTP_ACCEPT_MAX_PER_HOST);
    if settings.get(opt::SMTP_ACCEPT_MAX) == 0 && (queues || limited) {
        return Err(ConfigError::somewhere(
            "smtp_accept_max must be set if smtp_accept_queue or smtp_accept_max_per_host is set",
        ));
    }
    Ok(())
}
