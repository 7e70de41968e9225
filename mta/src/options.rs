//! Main options, as the configuration and a conversation have them.

use std::time::Duration;

use eximious::stdlib::hosts::SendingHost;
use eximious::stdlib::interval;
use eximious::stdlib::lists::{Keep, ListOutcome, Matcher, ip};
use eximious::stdlib::number::comparand;
use eximious::stdlib::printing::printing;
use eximious::trace::{Happening, ListEvent};
use eximious::{Context, Expanded, Fail, FailClass, Opt, Settings, Str, opt, var};

/// A number that may be made by an expansion; where that fails, or is more than Exim can count,
/// it is as if it were 0.
pub(crate) fn number(cx: &mut Context, option: Opt<Expanded<i64>>) -> i64 {
    let number = match cx.engine().settings().get(option) {
        Expanded::Value(number) => i32::try_from(number).ok(),
        Expanded::Text(text) => {
            let value = expanded_text(cx, option.name(), &text).unwrap_or_default();
            i32::try_from(size(value.bytes())).ok()
        }
    };
    number.map_or(0, i64::from)
}

/// A text, expanded; a failure is logged, and gives nothing.
pub(crate) fn expanded(cx: &mut Context, option: Opt<Str>) -> Option<Str> {
    tried(cx, option).unwrap_or_default()
}

/// A text could not be expanded, which is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unexpanded;

/// As [`expanded`], for whom a failure is another thing than nothing.
///
/// # Errors
/// It can't be expanded.
pub(crate) fn tried(cx: &mut Context, option: Opt<Str>) -> Result<Option<Str>, Unexpanded> {
    let text = cx.engine().settings().get(option);
    tried_text(cx, option.name(), &text)
}

/// What this host is called while a message comes in (`smtp_active_hostname`), which the variable
/// of that name has from now on.
///
/// # Errors
/// It can't be expanded.
pub(crate) fn active_hostname(cx: &mut Context) -> Result<Str, Unexpanded> {
    let name = match tried(cx, opt::SMTP_ACTIVE_HOSTNAME)? {
        Some(name) if !name.is_empty() => name,
        _ => {
            cx.unset_var(var::SMTP_ACTIVE_HOSTNAME);
            return Ok(cx.value_of(var::PRIMARY_HOSTNAME));
        }
    };
    cx.set_var(var::SMTP_ACTIVE_HOSTNAME, name.clone());
    Ok(name)
}

/// Who reports are from (`dsn_from`); where that can't be expanded, who they are from by default.
pub(crate) fn dsn_from(cx: &mut Context) -> Str {
    let engine = cx.engine().clone();
    let option = opt::DSN_FROM;
    let text = engine.settings().get(option);
    match cx.on_behalf_of(option.name(), |cx| engine.expand_once(text.bytes(), cx)) {
        Ok(value) => value,
        Err(fail) => {
            let head = b"Failed to expand dsn_from (using default): ".as_slice();
            cx.log().panic(&[head, fail.message()].concat());
            let usual = Settings::default().get(option);
            engine.expand_once(usual.bytes(), cx).unwrap_or_default()
        }
    }
}

/// How long an SMTP client is waited for (`smtp_receive_timeout`); without a time, for ever. What
/// is no time is logged. A text is expanded for a client that has an address; for a program of
/// this system without one, the default counts.
pub(crate) fn smtp_receive_timeout(cx: &mut Context) -> Option<Duration> {
    let option = opt::SMTP_RECEIVE_TIMEOUT;
    let time = match cx.engine().settings().get(option) {
        Expanded::Value(time) => Some(time),
        Expanded::Text(_) if cx.value_of(var::SENDER_HOST_ADDRESS).is_empty() => None,
        Expanded::Text(text) => {
            // A failure gives what is no time.
            let engine = cx.engine().clone();
            let expanded = |cx: &mut Context| engine.expand_once(text.bytes(), cx);
            let text = cx.on_behalf_of(option.name(), expanded).unwrap_or_default();
            let seconds = interval::seconds(text.bytes()).and_then(|all| all.try_into().ok());
            if seconds.is_none() {
                let head = b"bad value for smtp_receive_timeout: '".as_slice();
                let line = [head, text.bytes(), b"'"].concat();
                cx.log().panic(&printing(&line, true));
            }
            seconds.map(Duration::from_secs)
        }
    };
    let time = time.unwrap_or_else(|| option.default().value().unwrap_or_default());
    (!time.is_zero()).then_some(time)
}

/// What a list of hosts says of the client.
pub(crate) fn client_in_list(cx: &mut Context, option: Opt<Str>) -> Result<ListOutcome, Fail> {
    let list = cx.engine().settings().get(option);
    let name = option.name();
    if list.is_empty() && !cx.engine().settings().is_set(option) {
        let unset = ListEvent::Unset { subject: b"host", option: Some(name) };
        cx.tell(Happening::List(unset));
        return Ok(ListOutcome::Unmatched(None));
    }
    let text = cx.value_of(var::SENDER_HOST_ADDRESS);
    let address = ip::address(text.bytes()).map(|address| (text, address));
    let mut client = SendingHost;
    let mut matcher = Matcher::host(address, &mut client).kept(Keep::Client).called(name);
    cx.is_in(&list, &mut matcher)
}

/// As [`expanded`], for what stands in an option of this name.
pub(crate) fn expanded_text(cx: &mut Context, name: &str, text: &Str) -> Option<Str> {
    tried_text(cx, name, text).unwrap_or_default()
}

fn tried_text(cx: &mut Context, name: &str, text: &Str) -> Result<Option<Str>, Unexpanded> {
    if text.is_empty() {
        return Ok(None);
    }
    let engine = cx.engine().clone();
    match cx.on_behalf_of(name, |cx| engine.expand_once(text.bytes(), cx)) {
        Ok(value) => Ok(Some(value)),
        // Who says `fail` means that there is nothing.
        Err(fail) if fail.class() == FailClass::Forced => Ok(None),
        Err(fail) => {
            let middle = [b"\" (", name.as_bytes(), b"): "].concat();
            let head = [b"failed to expand \"", text.bytes(), &middle].concat();
            let line = [&head[..], fail.message()].concat();
            engine.world().log.panic(&line);
            Err(Unexpanded)
        }
    }
}

/// Why it can't be said how large a message may be.
#[derive(Debug)]
pub(crate) enum NoLimit {
    /// The option can't be expanded.
    Unexpanded(Vec<u8>),
    /// It is no number.
    Invalid(Vec<u8>),
}

impl NoLimit {
    /// What the log is told where a conversation can't begin for it.
    pub(crate) fn logged(self) -> Vec<u8> {
        match self {
            Self::Unexpanded(why) => {
                [b"unable to expand message_size_limit: ".as_slice(), &why].concat()
            }
            Self::Invalid(why) => [b"invalid message_size_limit: ".as_slice(), &why].concat(),
        }
    }
}

/// `message_size_limit`: how large a message may be in bytes, or 0.
pub(crate) fn message_size_limit(cx: &mut Context) -> Result<u64, NoLimit> {
    let engine = cx.engine().clone();
    let text = engine.settings().get(opt::MESSAGE_SIZE_LIMIT);
    let option = opt::MESSAGE_SIZE_LIMIT.name();
    let value = cx.on_behalf_of(option, |cx| engine.expand_once(text.bytes(), cx));
    let value = value.map_err(|fail| NoLimit::Unexpanded(fail.message().to_vec()))?;
    let value = value.bytes();
    let wrong = |what: &[u8]| {
        let parts = [what, b" expected but \"".as_slice(), value, b"\" found"];
        NoLimit::Invalid(parts.concat())
    };
    if value.is_empty() {
        return Err(wrong(b"integer"));
    }
    let number = comparand(value).map_err(|fail| NoLimit::Invalid(fail.message().to_vec()))?;
    u64::try_from(number).map_err(|_| wrong(b"non-negative integer"))
}

/// A number with a unit, perhaps.
fn size(text: &[u8]) -> u64 {
    let text = text.trim_ascii();
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let number = std::str::from_utf8(&text[..end]).ok().and_then(|text| text.parse().ok());
    let unit = match text.get(end).map(u8::to_ascii_uppercase) {
        Some(b'K') => 1 << 10,
        Some(b'M') => 1 << 20,
        Some(b'G') => 1 << 30,
        _ => 1,
    };
    number.unwrap_or(0u64).saturating_mul(unit)
}
