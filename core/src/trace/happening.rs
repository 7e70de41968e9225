//! What may happen: the one type that all of it is.

use super::TraceKinds;
use super::delivery::{DeliveryEvent, QueueEvent, TallyEvent};
use super::language::{DnsEvent, ExpansionEvent, HostEvent, ListEvent, LookupEvent, ProcessEvent};
use super::mail::{
    AclEvent, AuthEvent, CalloutEvent, HintEvent, RewriteEvent, RouteEvent, SmtpEvent, SpoolEvent,
};
use crate::Str;

/// What happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each kind says itself what it is about")]
pub enum Happening<'e> {
    Expansion(ExpansionEvent<'e>),
    List(ListEvent<'e>),
    Lookup(LookupEvent<'e>),
    Dns(DnsEvent<'e>),
    Host(HostEvent<'e>),
    Process(ProcessEvent<'e>),
    Acl(AclEvent<'e>),
    Route(RouteEvent<'e>),
    Rewrite(RewriteEvent<'e>),
    Callout(CalloutEvent<'e>),
    Smtp(SmtpEvent<'e>),
    Spool(SpoolEvent<'e>),
    Auth(AuthEvent<'e>),
    Hint(HintEvent<'e>),
    Queue(QueueEvent<'e>),
    Delivery(DeliveryEvent<'e>),
    Tally(TallyEvent<'e>),
    /// An event was raised, and seen to (`event_action`, specification, chapter 61).
    Event {
        /// Its name: `msg:delivery`.
        name: &'e str,
        /// `$event_data`.
        data: &'e Str,
        /// What the action came to; nothing, where it could not be expanded.
        came: Option<&'e Str>,
    },
    /// Something that is rarely told, in Exim's words.
    Note {
        /// What it belongs to.
        kind: TraceKinds,
        text: &'e [u8],
    },
}

impl Happening<'_> {
    /// Its kind.
    #[inline]
    pub fn kind(&self) -> TraceKinds {
        match self {
            Self::Expansion(_) => TraceKinds::EXPANSION,
            Self::List(_) => TraceKinds::LIST,
            Self::Lookup(_) => TraceKinds::LOOKUP,
            Self::Dns(_) => TraceKinds::DNS,
            Self::Host(_) => TraceKinds::HOST,
            Self::Process(_) => TraceKinds::PROCESS,
            Self::Acl(_) => TraceKinds::ACL,
            Self::Route(_) => TraceKinds::ROUTE,
            Self::Rewrite(_) => TraceKinds::REWRITE,
            Self::Callout(_) => TraceKinds::CALLOUT,
            Self::Smtp(_) => TraceKinds::SMTP,
            Self::Spool(_) => TraceKinds::RECEIVE,
            Self::Auth(_) => TraceKinds::AUTH,
            Self::Hint(_) => TraceKinds::HINTS,
            Self::Queue(_) => TraceKinds::QUEUE,
            Self::Delivery(_) => TraceKinds::DELIVERY,
            Self::Tally(_) => TraceKinds::TALLY,
            Self::Event { .. } => TraceKinds::EVENT,
            Self::Note { kind, .. } => *kind,
        }
    }
}
