//! Events of a conversation (specification, chapter 61).

use eximious_core::{Effects, Fail, Meta, Str, TaintRule};

use crate::Context;

static EVENT: Meta = Meta::new("event_action", Effects::NONE, TaintRule::Result);

/// Expands the main `event_action` for an event; `None` where nobody wants to
/// know of it. That it fails is for whoever raises the event to log.
pub fn raise(cx: &mut Context, name: &'static str, data: Str) -> Option<Result<Str, Fail>> {
    cx.call(&EVENT, |call| eximious_stdlib::event::try_raise(call, name, data))
}

/// What is logged where an event's action refuses a certificate that the other side showed.
pub fn denial(depth: usize, why: &Str) -> Vec<u8> {
    let head = format!("SSL verify denied by event-action: depth={depth}: ");
    [head.as_bytes(), why.bytes()].concat()
}
