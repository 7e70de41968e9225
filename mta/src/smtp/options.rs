//! Main options, as a session asks for them.

use eximious::stdlib::hosts::Client;
use eximious::stdlib::lists::{Matcher, Outcome, ip};
use eximious::{OptionPlace, OptionValue, Str};

use super::Session;

impl Session {
    /// A text, as it is written: what is set, or the default. Empty where there
    /// is none.
    pub(super) fn text(&self, name: &'static str) -> Str {
        let engine = self.cx.engine();
        match engine.settings().options.get(name) {
            Some(OptionValue::Text(text)) => text.clone(),
            Some(_) => Str::EMPTY,
            None => {
                let record = engine.registry().option(OptionPlace::Main, name.as_bytes());
                record.and_then(|record| record.default).map_or(Str::EMPTY, Str::fixed)
            }
        }
    }

    /// A text, expanded; a failure is logged, and gives nothing.
    pub(super) fn expanded(&mut self, name: &'static str) -> Option<Str> {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        let engine = self.cx.engine().clone();
        match engine.expand_once(text.bytes(), &mut self.cx) {
            Ok(value) => Some(value),
            Err(fail) => {
                let head = [b"failed to expand ", name.as_bytes(), b" \""].concat();
                let line = [&head, text.bytes(), b"\": ", fail.message()].concat();
                engine.world().log.panic(&line);
                None
            }
        }
    }

    pub(super) fn flag(&self, name: &'static str) -> bool {
        let engine = self.cx.engine();
        engine.settings().options.flag(name).unwrap_or_else(|| {
            let record = engine.registry().option(OptionPlace::Main, name.as_bytes());
            record.and_then(|record| record.default) == Some("true")
        })
    }

    /// A number; some are expanded first.
    pub(super) fn number(&mut self, name: &'static str, default: i64) -> i64 {
        match self.cx.engine().settings().options.get(name) {
            Some(OptionValue::Number(number)) => *number,
            Some(OptionValue::Text(_)) => {
                let text = self.expanded(name).unwrap_or_default();
                i64::try_from(size(text.bytes())).unwrap_or(i64::MAX)
            }
            _ => default,
        }
    }

    /// Whether the client is in a list of hosts.
    pub(super) fn client_in(&mut self, name: &'static str) -> bool {
        let list = self.text(name);
        let set = self.cx.engine().settings().options.get(name).is_some();
        if list.is_empty() && !set {
            let line = [b"host in ", name.as_bytes(), b"? no (option unset)"].concat();
            self.cx.tell(0, &line);
            return false;
        }
        let text = self.variable("sender_host_address");
        let address = ip::address(text.bytes()).map(|address| (text, address));
        let mut client = Client;
        let mut matcher = Matcher::host(address, &mut client).called(name);
        matches!(self.cx.is_in(&list, &mut matcher), Ok(Outcome::Matched(_)))
    }

    /// A variable's value.
    pub(super) fn variable(&mut self, name: &str) -> Str {
        match self.cx.get(name) {
            Some(Ok(value)) => value,
            _ => Str::EMPTY,
        }
    }

    /// A size, which may be expanded.
    pub(super) fn message_size_limit(&mut self) -> u64 {
        let text = match self.cx.engine().settings().options.get("message_size_limit") {
            Some(OptionValue::Number(number)) => return u64::try_from(*number).unwrap_or(0),
            _ => self.expanded("message_size_limit").unwrap_or_default(),
        };
        size(text.bytes())
    }
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
