//! What happens on the way to an answer: one stream of events, for whoever wants to see
//! each step. A tester's comments, logs for debugging, a debugger and a report of what was
//! covered are observers of it.
//!
//! An event has a number, the number of the event that it is a part of, the depth at which
//! Exim would indent it, the place in the configuration where it stands, and the time. What
//! happened is a [`Happening`]: what begins there is told before its parts, and what it came
//! to after them. A context is watched with `Context::observe`.
//!
//! Who tells asks first whether somebody wants to know ([`Trace::wants`]): where nobody
//! watches, that look at a number is all that it costs.

mod delivery;
mod happening;
mod language;
mod mail;

use std::sync::Arc;

use bitflags::bitflags;

use crate::Str;
use crate::world::{Clock, Moment};

pub use delivery::{DeliveryEvent, DeliveryOutcome, QueueEvent, TallyEvent};
pub use happening::Happening;
pub use language::{
    DnsEvent, DnsOutcome, ExpansionEvent, HostEvent, ListEvent, LookupEvent, LookupKey,
    ProcessEvent, TracePiece,
};
pub use mail::{
    AclEvent, AclOutcome, AuthEvent, CalloutEvent, HintEvent, RewriteEvent, RouteEvent, SmtpEvent,
    SmtpSide, SpoolEvent,
};

bitflags! {
    /// Kinds of events.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct TraceKinds: u32 {
        /// Strings that are expanded, their pieces and conditions.
        const EXPANSION = 1;
        /// Tests of lists.
        const LIST = 1 << 1;
        /// Look-ups in files and databases.
        const LOOKUP = 1 << 2;
        /// Questions to the DNS.
        const DNS = 1 << 3;
        /// Names and addresses of hosts.
        const HOST = 1 << 4;
        /// Steps of ACLs.
        const ACL = 1 << 5;
        /// Steps of routing.
        const ROUTE = 1 << 6;
        /// Rewriting of addresses.
        const REWRITE = 1 << 7;
        /// Verification of addresses.
        const VERIFY = 1 << 8;
        /// Callouts, and messages that are cut through.
        const CALLOUT = 1 << 9;
        /// Lines of SMTP.
        const SMTP = 1 << 10;
        /// Steps of authenticators.
        const AUTH = 1 << 11;
        /// Hints: what is remembered beyond a process.
        const HINTS = 1 << 12;
        /// Messages that come, and how they are kept.
        const RECEIVE = 1 << 13;
        /// Filters.
        const FILTER = 1 << 14;
        /// Rules for retrying.
        const RETRY = 1 << 15;
        /// Whatever happens on behalf of an authenticator: an expansion, a look-up.
        const CONCEALED = 1 << 16;
        /// Lists in the DNS.
        const DNSBL = 1 << 17;
        /// Commands that are run.
        const PROCESS = 1 << 18;
        /// Users of the system, and whose rights are used.
        const USER = 1 << 19;
        /// The addresses of this host.
        const INTERFACE = 1 << 20;
        /// Questions who the user of a connection is (RFC 1413).
        const IDENT = 1 << 21;
        /// TLS, as it is agreed on.
        const TLS = 1 << 22;
        /// What the program is doing at the moment.
        const STATUS = 1 << 23;
        /// The load of the system.
        const LOAD = 1 << 24;
        /// What expansions and transactions take of the memory.
        const MEMORY = 1 << 25;
        /// Runs of the queue.
        const QUEUE = 1 << 26;
        /// Deliveries.
        const DELIVERY = 1 << 27;
        /// Events that are raised (`event_action`).
        const EVENT = 1 << 28;
        /// What is counted; it is no step of anything.
        const TALLY = 1 << 29;
        /// What may have passwords in it, or what proves that somebody knows one.
        const SECRET = Self::AUTH.bits() | Self::SMTP.bits() | Self::CONCEALED.bits();
    }
}

/// Where in a configuration it stands that something happens.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub struct TracePlace {
    /// The file's name.
    pub file: Str,
    /// The line, from 1.
    pub line: u32,
    /// The byte in the line, from 1; 0 where only the line is known.
    pub column: u32,
    /// The macro whose text it is.
    pub inside: Option<Str>,
}

impl TracePlace {
    /// A line of a file.
    pub fn new(file: impl Into<Str>, line: u32) -> Self {
        Self { file: file.into(), line, ..Self::default() }
    }

    /// The same, with a byte in the line.
    #[must_use]
    pub fn at(self, column: u32) -> Self {
        Self { column, ..self }
    }

    /// The same, in the text of a macro.
    #[must_use]
    pub fn within(self, name: impl Into<Str>) -> Self {
        Self { inside: Some(name.into()), ..self }
    }
}

impl std::fmt::Display for TracePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)?;
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        match &self.inside {
            Some(name) => write!(f, " (macro {})", name.display()),
            None => Ok(()),
        }
    }
}

/// Something happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TraceEvent<'e> {
    /// Its number: those of a context count from 1, in their order.
    pub number: u64,
    /// The number of the event that it is a part of; 0 where there is none.
    pub parent: u64,
    /// How deep it stands, as Exim indents what it tells.
    pub depth: u32,
    /// How much of that depth is due to lists that it stands in.
    pub in_lists: u32,
    /// Where it stands in the configuration, as far as that is known.
    pub place: Option<&'e TracePlace>,
    /// When it happened, where the time is known.
    pub time: Option<Moment>,
    /// What it is.
    pub what: Happening<'e>,
}

/// Who is told what happens.
pub trait TraceObserver: Send + Sync {
    /// The kinds of events that it wants to be told; it is asked once, when it begins to
    /// watch. What may have secrets in it is told only to who asks for it by name.
    fn kinds(&self) -> TraceKinds {
        TraceKinds::all() - TraceKinds::SECRET
    }

    /// Something happened.
    fn happened(&self, event: &TraceEvent<'_>);
}

impl<F: Fn(&TraceEvent<'_>) + Send + Sync> TraceObserver for F {
    fn happened(&self, event: &TraceEvent<'_>) {
        self(event);
    }
}

/// What a context tells of what happens; nobody is told unless somebody asked.
#[derive(Clone, Default)]
pub struct Trace {
    /// The kinds that somebody wants to be told.
    kinds: TraceKinds,
    /// Whether nobody is told for a while.
    muted: bool,
    /// Whether what happens is told only to those who may hear of secrets.
    concealed: bool,
    observers: Vec<(TraceKinds, Arc<dyn TraceObserver>)>,
    /// How deep the tests at hand stand in each other.
    pub depth: u32,
    /// How much of that is due to lists.
    in_lists: u32,
    /// How much deeper all stands that follows tests of lists that broke off.
    lost: u32,
    /// The number of the last event, and of the one that others are now a part of.
    last: u64,
    parent: u64,
    place: Option<Arc<TracePlace>>,
    clock: Option<Arc<dyn Clock>>,
}

/// What others were a part of before.
#[derive(Clone, Copy, Debug)]
#[must_use = "what is begun has to end"]
pub struct TraceParent(u64);

/// Whether somebody was told before nobody was told any more.
#[derive(Clone, Copy, Debug)]
#[must_use = "those who watch want to go on"]
pub struct TraceMuted(bool);

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trace({:?})", self.kinds)
    }
}

impl Trace {
    /// Whether somebody wants to be told something of these kinds.
    #[inline]
    pub fn wants(&self, kinds: TraceKinds) -> bool {
        self.kinds.intersects(kinds)
    }

    /// Whether somebody is told of any step.
    #[inline]
    pub fn is_watched(&self) -> bool {
        !self.kinds.difference(TraceKinds::TALLY).is_empty()
    }

    /// Tells somebody what happens from here on.
    pub fn observe(&mut self, observer: Arc<dyn TraceObserver>) {
        self.observers.push((observer.kinds(), observer));
        self.count();
    }

    /// Says when things happen, too.
    pub fn keep_time(&mut self, clock: Arc<dyn Clock>) {
        self.clock = Some(clock);
    }

    /// Tells somebody nothing any more.
    pub fn forget(&mut self, observer: &Arc<dyn TraceObserver>) {
        self.observers.retain(|(_, own)| !Arc::ptr_eq(own, observer));
        self.count();
    }

    fn count(&mut self) {
        let wanted = self.observers.iter().map(|(kinds, _)| *kinds);
        self.kinds = if self.muted { TraceKinds::empty() } else { wanted.collect() };
    }

    /// Who is told; a context beside this one may tell the same.
    pub fn observers(&self) -> impl Iterator<Item = &Arc<dyn TraceObserver>> {
        self.observers.iter().map(|(_, observer)| observer)
    }

    /// Tells nobody for a while.
    pub fn mute(&mut self) -> TraceMuted {
        let before = TraceMuted(std::mem::replace(&mut self.muted, true));
        self.count();
        before
    }

    /// Goes on to tell what was told before [`Trace::mute`].
    pub fn unmute(&mut self, muted: TraceMuted) {
        self.muted = muted.0;
        self.count();
    }

    /// Says whether what happens has to do with secrets; what was said before is returned.
    pub fn conceal(&mut self, concealed: bool) -> bool {
        std::mem::replace(&mut self.concealed, concealed)
    }

    /// Tells what happens at the depth at hand.
    #[inline]
    pub fn tell(&mut self, what: Happening<'_>) {
        if self.kinds.intersects(what.kind()) {
            self.tell_at(self.depth, what);
        }
    }

    /// Tells what happens at some depth.
    pub fn tell_at(&mut self, depth: u32, what: Happening<'_>) {
        let kind = what.kind();
        if !self.kinds.intersects(kind) {
            return;
        }
        self.last += 1;
        let event = TraceEvent {
            number: self.last,
            parent: self.parent,
            depth: depth.saturating_add(self.lost),
            in_lists: self.in_lists.min(depth).saturating_add(self.lost),
            place: self.place.as_deref(),
            time: self.clock.as_ref().map(|clock| clock.now()),
            what,
        };
        for (kinds, observer) in &self.observers {
            if kinds.intersects(kind) && (!self.concealed || kinds.contains(TraceKinds::CONCEALED))
            {
                observer.happened(&event);
            }
        }
    }

    /// Tells what others are a part of until [`Trace::end`].
    pub fn begin(&mut self, what: Happening<'_>) -> TraceParent {
        self.begin_at(self.depth, what)
    }

    /// As [`Trace::begin`], at some depth.
    pub fn begin_at(&mut self, depth: u32, what: Happening<'_>) -> TraceParent {
        let before = self.last;
        self.tell_at(depth, what);
        let outer = TraceParent(self.parent);
        if self.last > before {
            self.parent = self.last;
        }
        outer
    }

    /// What was begun has ended, and all that was begun within it.
    pub fn end(&mut self, outer: TraceParent) {
        self.parent = outer.0;
    }

    /// What follows stands deeper, in a list.
    pub fn enter_list(&mut self, depth: u32) {
        self.depth += depth;
        self.in_lists += depth;
    }

    /// The list has ended.
    pub fn leave_list(&mut self, depth: u32) {
        self.leave(depth);
        self.in_lists = self.in_lists.saturating_sub(depth);
    }

    /// The test of a list breaks off, because something can't be found out: as with Exim,
    /// which does not find the way back, all that follows stands deeper.
    pub fn lose_way(&mut self, depth: u32) {
        self.lost = self.lost.saturating_add(depth);
    }

    /// Less deep again.
    pub fn leave(&mut self, depth: u32) {
        self.depth = self.depth.saturating_sub(depth);
    }

    /// Where it stands what happens now.
    pub fn place(&self) -> Option<&Arc<TracePlace>> {
        self.place.as_ref()
    }

    /// Says where it stands what happens from here on; what was said before is returned.
    pub fn stand_at(&mut self, place: Option<Arc<TracePlace>>) -> Option<Arc<TracePlace>> {
        std::mem::replace(&mut self.place, place)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Numbers(Mutex<Vec<(u64, u64)>>);

    impl TraceObserver for Numbers {
        fn kinds(&self) -> TraceKinds {
            TraceKinds::VERIFY
        }

        fn happened(&self, event: &TraceEvent<'_>) {
            self.0.lock().unwrap().push((event.number, event.parent));
        }
    }

    fn note(kind: TraceKinds) -> Happening<'static> {
        Happening::Note { kind, text: b"x" }
    }

    #[test]
    fn parts_know_what_they_are_a_part_of() {
        let numbers = Arc::new(Numbers::default());
        let mut trace = Trace::default();
        trace.tell(note(TraceKinds::VERIFY));
        trace.observe(numbers.clone());
        let outer = trace.begin(note(TraceKinds::VERIFY));
        trace.tell(note(TraceKinds::VERIFY));
        trace.tell(note(TraceKinds::LIST));
        let inner = trace.begin(note(TraceKinds::VERIFY));
        let unseen = trace.begin(note(TraceKinds::LIST));
        trace.tell(note(TraceKinds::VERIFY));
        trace.end(unseen);
        trace.end(inner);
        let muted = trace.mute();
        trace.tell(note(TraceKinds::VERIFY));
        trace.unmute(muted);
        trace.end(outer);
        trace.tell(note(TraceKinds::VERIFY));
        assert_eq!(*numbers.0.lock().unwrap(), [(1, 0), (2, 1), (3, 1), (4, 3), (5, 0)]);
        trace.forget(&(numbers.clone() as Arc<dyn TraceObserver>));
        assert!(!trace.wants(TraceKinds::all()));
    }
}
