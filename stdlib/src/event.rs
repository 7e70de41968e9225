//! Events: what the option `event_action` is expanded for (specification,
//! chapter 61).

use eximious_core::trace::Happening;
use eximious_core::{Call, Fail, Str};

use crate::options::opt;
use crate::variables::var;

/// What there is to say of an event (specification, chapter 61).
pub struct EventDef {
    /// Its name, with colons between its parts.
    pub name: &'static str,
    /// When it is raised.
    pub raised: &'static str,
    /// What `$event_data` holds.
    pub data: &'static str,
    /// What an answer that is not empty does; empty where it does nothing.
    pub answer: &'static str,
    /// Which option is expanded for it.
    pub option: &'static str,
}

const MAIN: &str = "event_action of the main section";
const TRANSPORT: &str = "event_action of the transport";
const BOTH: &str = "event_action of the main section for sessions with clients, of the transport for those with hosts";

/// All events, by their names.
pub const ALL: [EventDef; 20] = [
    EventDef {
        name: "auth:fail",
        raised: "Somebody could not log in: a client here, or this host at another.",
        data: "the answer to the client, or the other host's",
        answer: "stands in the log as well",
        option: BOTH,
    },
    EventDef {
        name: "dane:fail",
        raised: "A host that has TLSA records could not be verified by them, once for each connection.",
        data: "what failed",
        answer: "",
        option: TRANSPORT,
    },
    EventDef {
        name: "dns:fail",
        raised: "A look-up in the DNS found nothing, or failed in a way that may pass.",
        data: "what came of it (DNS_NOMATCH, DNS_NODATA, DNS_AGAIN, cname_loop), the name, and the type of record, with colons between them",
        answer: "",
        option: BOTH,
    },
    EventDef {
        name: "msg:complete",
        raised: "A message is done with: each recipient has it or was reported, or it was removed.",
        data: "nothing",
        answer: "",
        option: MAIN,
    },
    EventDef {
        name: "msg:defer",
        raised: "A message could not be handed over as a whole, and waits; once for each try.",
        data: "the error",
        answer: "",
        option: TRANSPORT,
    },
    EventDef {
        name: "msg:delivery",
        raised: "A recipient has the message.",
        data: "how the other host confirmed it",
        answer: "",
        option: TRANSPORT,
    },
    EventDef {
        name: "msg:fail:delivery",
        raised: "A recipient was refused for good, by a host or a transport.",
        data: "the error",
        answer: "",
        option: TRANSPORT,
    },
    EventDef {
        name: "msg:fail:internal",
        raised: "A recipient failed without a try: no router took it, or its time is over.",
        data: "the reason",
        answer: "",
        option: MAIN,
    },
    EventDef {
        name: "msg:host:defer",
        raised: "A host could not take messages: no connection, or an answer that is about the host; once for each try.",
        data: "the error",
        answer: "",
        option: TRANSPORT,
    },
    EventDef {
        name: "msg:rcpt:defer",
        raised: "A recipient waits after a try.",
        data: "the error",
        answer: "",
        option: TRANSPORT,
    },
    EventDef {
        name: "msg:rcpt:host:defer",
        raised: "A host put a recipient off.",
        data: "the error",
        answer: "",
        option: TRANSPORT,
    },
    EventDef {
        name: "proc:deliver",
        raised: "A delivery of a message begins; `$message_exim_id` says of which.",
        data: "nothing",
        answer: "",
        option: MAIN,
    },
    EventDef {
        name: "smtp:connect",
        raised: "A host has said its first line.",
        data: "that line",
        answer: "closes the connection",
        option: TRANSPORT,
    },
    EventDef {
        name: "smtp:ehlo",
        raised: "A host has answered EHLO.",
        data: "its answer",
        answer: "",
        option: TRANSPORT,
    },
    EventDef {
        name: "smtp:fail:protocol",
        raised: "A client gave a command where it may not stand, or went on without leave.",
        data: "what was wrong",
        answer: "",
        option: MAIN,
    },
    EventDef {
        name: "smtp:fail:syntax",
        raised: "A client gave a command that there is not, or that is not well formed.",
        data: "what was wrong",
        answer: "",
        option: MAIN,
    },
    EventDef {
        name: "tcp:close",
        raised: "A connection to a host has ended.",
        data: "nothing",
        answer: "",
        option: TRANSPORT,
    },
    EventDef {
        name: "tcp:connect",
        raised: "A connection to a host, or to the proxy before it, is about to be made.",
        data: "nothing",
        answer: "has it not be made",
        option: TRANSPORT,
    },
    EventDef {
        name: "tls:cert",
        raised: "A certificate of the other side's chain is looked at; `$tls_in_peercert` or `$tls_out_peercert` is that one.",
        data: "its place in the chain: 0 for the other side's own",
        answer: "refuses it",
        option: BOTH,
    },
    EventDef {
        name: "tls:fail:connect",
        raised: "A TLS session could not be begun.",
        data: "the error",
        answer: "",
        option: MAIN,
    },
];

/// Whether an event has the name.
pub fn is_known(name: &str) -> bool {
    ALL.iter().any(|event| event.name == name)
}

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
    debug_assert!(is_known(name), "{name}");
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
