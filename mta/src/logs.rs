//! Lines for the logs (specification 53).

use eximious::stdlib::interval::written;
use eximious::world::Moment;
use eximious::{Context, LogSelector, Str};

/// A line with a message's name before it, where the message has one.
pub(crate) fn named(id: &Str, line: &[u8]) -> Vec<u8> {
    match id.is_empty() {
        true => line.to_vec(),
        false => [id.bytes(), b" ", line].concat(),
    }
}

/// How long something took so far: `5s`, or `5.125s` where milliseconds are logged.
pub(crate) fn lasted(cx: &Context, began: Moment) -> String {
    let now = cx.engine().world().clock.now();
    let mut seconds = now.seconds.saturating_sub(began.seconds);
    if !cx.engine().settings().log_selector.contains(LogSelector::MILLISEC) {
        let seconds = i32::try_from(seconds).unwrap_or(0);
        return written(seconds.max(0));
    }
    let mut millis = i64::from(now.nanos / 1_000_000) - i64::from(began.nanos / 1_000_000);
    if millis < 0 {
        (seconds, millis) = (seconds - 1, millis + 1000);
    }
    let written = written(i32::try_from(seconds).unwrap_or(0).max(0));
    match written.strip_suffix('s') {
        Some(head) => format!("{head}.{millis:03}s"),
        None => format!("{written}0.{millis:03}s"),
    }
}
