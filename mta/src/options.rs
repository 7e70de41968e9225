//! Main options and variables, as the configuration and a conversation have them.

use eximious::{Context, FailClass, OptionPlace, OptionValue, Str};

/// A text, as it is written: what is set, or the default. Empty where there is none.
pub(crate) fn text(cx: &Context, name: &'static str) -> Str {
    let engine = cx.engine();
    match engine.settings().options.get(name) {
        Some(OptionValue::Text(text)) => text.clone(),
        Some(_) => Str::EMPTY,
        None => {
            let record = engine.registry().option(OptionPlace::Main, name.as_bytes());
            record.and_then(|record| record.default).map_or(Str::EMPTY, Str::fixed)
        }
    }
}

/// Whether an option is set, by the configuration or by default.
pub(crate) fn flag(cx: &Context, name: &'static str) -> bool {
    let engine = cx.engine();
    engine.settings().options.flag(name).unwrap_or_else(|| {
        let record = engine.registry().option(OptionPlace::Main, name.as_bytes());
        record.and_then(|record| record.default) == Some("true")
    })
}

/// A number; some are expanded first. Where that fails, it is as if it were 0.
pub(crate) fn number(cx: &mut Context, name: &'static str, default: i64) -> i64 {
    match cx.engine().settings().options.get(name) {
        Some(OptionValue::Number(number)) => *number,
        Some(OptionValue::Text(_)) => {
            let text = expanded(cx, name).unwrap_or_default();
            i64::try_from(size(text.bytes())).unwrap_or(i64::MAX)
        }
        _ => default,
    }
}

/// A text, expanded; a failure is logged, and gives nothing.
pub(crate) fn expanded(cx: &mut Context, name: &'static str) -> Option<Str> {
    let text = text(cx, name);
    if text.is_empty() {
        return None;
    }
    let engine = cx.engine().clone();
    match engine.expand_once(text.bytes(), cx) {
        Ok(value) => Some(value),
        // Who says `fail` means that there is nothing.
        Err(fail) if fail.class() == FailClass::Forced => None,
        Err(fail) => {
            let middle = [b"\" (", name.as_bytes(), b"): "].concat();
            let head = [b"failed to expand \"", text.bytes(), &middle].concat();
            let line = [&head[..], fail.message()].concat();
            engine.world().log.panic(&line);
            None
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

/// `message_size_limit`: how large a message may be in bytes, or 0.
pub(crate) fn message_size_limit(cx: &mut Context) -> Result<u64, NoLimit> {
    let engine = cx.engine().clone();
    if let Some(OptionValue::Number(number)) = engine.settings().options.get("message_size_limit") {
        return Ok(u64::try_from(*number).unwrap_or(0));
    }
    let text = text(cx, "message_size_limit");
    let value = engine.expand_once(text.bytes(), cx);
    let value = value.map_err(|fail| NoLimit::Unexpanded(fail.message().to_vec()))?;
    let value = value.bytes().trim_ascii();
    if !value.is_empty() && !value.first().is_some_and(u8::is_ascii_digit) {
        let parts = [b"integer expected but \"".as_slice(), value, b"\" found"];
        return Err(NoLimit::Invalid(parts.concat()));
    }
    Ok(size(value))
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
