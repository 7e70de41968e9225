//! What a transport wants to be told of a connection, and of what went along it
//! (specification, chapter 61: `event_action` of a transport).

use eximious_core::{Effects, Meta, Str, TaintRule};
use eximious_stdlib::event;
use eximious_stdlib::options::opt::transport as opt;
use eximious_stdlib::variables::var;

use crate::Context;
use crate::mail::transport::Transport;

static EVENT: Meta = Meta::new(opt::EVENT_ACTION.name(), Effects::NONE, TaintRule::Result);

/// Expands a transport's `event_action` for an event; what it comes to, where that is
/// something. That it fails is logged, and means nothing else.
pub(crate) fn raise(
    cx: &mut Context,
    transport: &Transport,
    name: &'static str,
    data: &[u8],
) -> Option<Str> {
    let action = transport.some_text(opt::EVENT_ACTION)?.clone();
    cx.set_var(var::TRANSPORT_NAME, transport.name.clone());
    let answer = transport.on_behalf_of(cx, opt::EVENT_ACTION.name(), |cx| {
        cx.call(&EVENT, |call| event::expand(call, &action, name, Str::tainted(data)))
    });
    cx.unset_var(var::TRANSPORT_NAME);
    match answer? {
        Ok(answer) => Some(answer).filter(|answer| !answer.is_empty()),
        Err(fail) => {
            let head = ["failed to expand event_action ", name, " in "].concat();
            let parts = [head.as_bytes(), transport.name.bytes(), b": ", fail.message()];
            cx.log().panic(&parts.concat());
            None
        }
    }
}
