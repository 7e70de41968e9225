//! Events: what the option `event_action` is expanded for (specification,
//! chapter 61).

use eximious_core::trace::Happening;
use eximious_core::{Call, Fail, Str};

use crate::options::opt;
use crate::variables::var;

/// The names of all events.
pub const NAMES: [&str; 20] = [
    "auth:fail",
    "dane:fail",
    "dns:fail",
    "msg:complete",
    "msg:defer",
    "msg:delivery",
    "msg:fail:delivery",
    "msg:fail:internal",
    "msg:host:defer",
    "msg:rcpt:defer",
    "msg:rcpt:host:defer",
    "proc:deliver",
    "smtp:connect",
    "smtp:ehlo",
    "smtp:fail:protocol",
    "smtp:fail:syntax",
    "tcp:close",
    "tcp:connect",
    "tls:cert",
    "tls:fail:connect",
];

/// Whether an event is being seen to.
#[derive(Default)]
struct Memory {
    busy: bool,
    /// What stands in the place of the main action, if something does.
    instead: Option<Option<Str>>,
}

/// Has events told to a transport from now on, by its action, if it has one, and not to the
/// main section; with nothing, to that again. What was said before.
pub fn instead(call: &mut Call<'_>, action: Option<Option<Str>>) -> Option<Option<Str>> {
    std::mem::replace(&mut call.memory::<Memory>().instead, action)
}

/// The action that events are told to.
pub(crate) fn action(call: &mut Call<'_>) -> Option<Str> {
    match call.memory::<Memory>().instead.clone() {
        Some(action) => action,
        None => call.settings().text(opt::EVENT_ACTION),
    }
}

/// Expands the action that events are told to, the main `event_action` as a rule, for one; what that fails with is
/// nothing to anybody, and its answer is empty then. `None` where the option is
/// not set, and where the event comes from the expansion for another.
pub fn raise(call: &mut Call<'_>, name: &'static str, data: Str) -> Option<Str> {
    try_raise(call, name, data).map(|answer| answer.unwrap_or(Str::EMPTY))
}

/// The same, with what the expansion fails with.
pub fn try_raise(call: &mut Call<'_>, name: &'static str, data: Str) -> Option<Result<Str, Fail>> {
    let action = action(call)?;
    expand(call, &action, name, data)
}

/// Expands an action for an event: the main one, or that of a transport. `None` where
/// the event comes from the expansion for another.
pub fn expand(
    call: &mut Call<'_>,
    action: &Str,
    name: &'static str,
    data: Str,
) -> Option<Result<Str, Fail>> {
    debug_assert!(NAMES.contains(&name), "{name}");
    // An action that makes events itself would not come to an end.
    if std::mem::replace(&mut call.memory::<Memory>().busy, true) {
        return None;
    }
    call.set_var(var::EVENT_NAME, Str::fixed(name));
    call.set_var(var::EVENT_DATA, data.clone());
    let answer = call.scoped(|call| call.expand_within(action));
    let came = answer.as_ref().ok();
    call.trace().tell(Happening::Event { name, data: &data, came });
    call.set_var(var::EVENT_NAME, Str::EMPTY);
    call.set_var(var::EVENT_DATA, Str::EMPTY);
    call.memory::<Memory>().busy = false;
    Some(answer)
}
