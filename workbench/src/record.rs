//! The record of a run: each event of the one stream, kept as data that outlives it.
//!
//! A [`Recording`] watches a context; what it kept is a list of [`TraceStep`]s, and as a tree
//! ([`crate::tree`]) what a trace shows. A step has a kind (`acl`), a name within it
//! (`term`), and facts by name.

mod language;
mod mail;

use std::sync::{Mutex, MutexGuard, PoisonError};

use eximious::Str;
use eximious::trace::{Happening, TraceEvent, TraceKinds, TraceObserver, TracePlace};
use eximious::world::Moment;

/// Something that is known of a step.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Fact {
    /// Bytes of the configuration, or of a message.
    Text(Str),
    /// A word of ours.
    Word(&'static str),
    /// A number.
    Number(i64),
    /// Yes or no.
    Truth(bool),
    /// Several texts.
    Texts(Vec<Str>),
    /// From one byte of a text up to another.
    Span(u32, u32),
}

/// Facts, by their names.
pub type Facts = Vec<(&'static str, Fact)>;

/// What part a step plays beside others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepRole {
    /// It begins something, of which others are parts, and which another step ends.
    Opens,
    /// It ends what another one of its kind began: its facts are known of that.
    Closes,
    /// It came of the steps before it, back to the last one that came of others.
    Gathers,
    /// It happens.
    Stands,
}

/// A step of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TraceStep {
    /// Its number: those of a context count from 1.
    pub number: u64,
    /// The number of the step that it is a part of; 0 where there is none.
    pub parent: u64,
    /// Where it stands in the configuration, as far as that is known.
    pub place: Option<TracePlace>,
    /// When it happened, where the time is known.
    pub time: Option<Moment>,
    /// What it belongs to: `acl`, `expansion`.
    pub kind: &'static str,
    /// What it is, within that: `statement`, `piece`.
    pub name: &'static str,
    /// What part it plays beside others.
    pub role: StepRole,
    /// What is known of it.
    pub facts: Facts,
}

impl TraceStep {
    /// A fact, by its name.
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        fact(&self.facts, name)
    }

    /// A text, by its name; empty where there is none.
    pub fn text(&self, name: &str) -> Str {
        text(&self.facts, name)
    }
}

/// A fact, by its name.
pub fn fact<'f>(facts: &'f Facts, name: &str) -> Option<&'f Fact> {
    facts.iter().find(|(own, _)| *own == name).map(|(_, fact)| fact)
}

/// A text, by its name; empty where there is none.
pub fn text(facts: &Facts, name: &str) -> Str {
    match fact(facts, name) {
        Some(Fact::Text(text)) => text.clone(),
        Some(Fact::Word(word)) => Str::fixed(word),
        _ => Str::EMPTY,
    }
}

/// How much is kept of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RecordLimits {
    /// How many steps.
    pub steps: usize,
    /// How many bytes of text, all steps together.
    pub bytes: usize,
}

impl Default for RecordLimits {
    fn default() -> Self {
        Self { steps: 500_000, bytes: 128 << 20 }
    }
}

/// Who keeps what happens. It is an observer (`Context::observe`); what has secrets in it
/// is kept, too: a record is for whoever may read the configuration.
#[derive(Debug, Default)]
pub struct Recording {
    limits: RecordLimits,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    steps: Vec<TraceStep>,
    bytes: usize,
    is_full: bool,
}

impl Recording {
    /// Nothing is kept yet.
    pub fn new(limits: RecordLimits) -> Self {
        Self { limits, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many steps are kept.
    pub fn len(&self) -> usize {
        self.kept().steps.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there was more than there is room for: what came then is not here.
    pub fn is_full(&self) -> bool {
        self.kept().is_full
    }

    /// The steps from one on.
    pub fn since(&self, start: usize) -> Vec<TraceStep> {
        self.kept().steps.get(start..).unwrap_or_default().to_vec()
    }

    /// All steps; there are none here any more.
    pub fn take(&self) -> Vec<TraceStep> {
        let mut kept = self.kept();
        kept.bytes = 0;
        kept.is_full = false;
        std::mem::take(&mut kept.steps)
    }
}

impl TraceObserver for Recording {
    fn kinds(&self) -> TraceKinds {
        // What the program is doing, and what it takes, is no step.
        TraceKinds::all() - TraceKinds::MEMORY - TraceKinds::STATUS - TraceKinds::LOAD
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        let mut kept = self.kept();
        if kept.steps.len() >= self.limits.steps || kept.bytes >= self.limits.bytes {
            kept.is_full = true;
            return;
        }
        let Some(told) = told(&event.what) else { return };
        kept.bytes += told.facts.iter().map(|(_, fact)| size(fact)).sum::<usize>();
        kept.steps.push(TraceStep {
            number: event.number,
            parent: event.parent,
            place: event.place.cloned(),
            time: event.time,
            kind: told.kind,
            name: told.name,
            role: told.role,
            facts: told.facts,
        });
    }
}

/// What an event says.
struct Told {
    kind: &'static str,
    name: &'static str,
    role: StepRole,
    facts: Facts,
}

impl Told {
    fn new(kind: &'static str, name: &'static str, role: StepRole, facts: Facts) -> Self {
        Self { kind, name, role, facts }
    }
}

fn told(what: &Happening<'_>) -> Option<Told> {
    Some(match what {
        Happening::Expansion(event) => return language::expansion(event),
        Happening::List(event) => return language::list(event),
        Happening::Lookup(event) => return language::lookup(event),
        Happening::Dns(event) => return language::dns(event),
        Happening::Host(event) => language::host(event),
        Happening::Process(event) => return language::process(event),
        Happening::Acl(event) => return mail::acl(event),
        Happening::Route(event) => return mail::route(event),
        Happening::Rewrite(event) => mail::rewrite(event),
        Happening::Callout(event) => return mail::callout(event),
        Happening::Smtp(event) => return mail::smtp(event),
        Happening::Hint(event) => return mail::hint(event),
        Happening::Auth(event) => return mail::auth(event),
        Happening::Event { name, data, came } => {
            let mut facts = vec![("name", bytes(name.as_bytes())), ("data", value(data))];
            maybe(&mut facts, "value", came.map(value));
            Told::new("event", "event", StepRole::Stands, facts)
        }
        Happening::Note { text, .. } => {
            Told::new("note", "note", StepRole::Stands, vec![("text", bytes(text))])
        }
        // Whoever sees the steps needs no count of what they came to.
        Happening::Tally(_) => return None,
        // Of what happens to messages that wait, their words are enough.
        other => Told::new("mail", "step", StepRole::Stands, vec![("text", shown(other))]),
    })
}

/// An event without a form of its own.
fn shown(what: &Happening<'_>) -> Fact {
    Fact::Text(Str::from(format!("{what:?}")))
}

fn size(fact: &Fact) -> usize {
    match fact {
        Fact::Text(text) => text.bytes().len(),
        Fact::Texts(texts) => texts.iter().map(|text| text.bytes().len() + 32).sum(),
        _ => 8,
    }
}

/// Bytes as a fact.
fn bytes(text: &[u8]) -> Fact {
    Fact::Text(Str::from(text))
}

/// A value as a fact.
fn value(text: &Str) -> Fact {
    Fact::Text(text.clone())
}

/// Something that may be there.
fn maybe(facts: &mut Facts, name: &'static str, fact: Option<Fact>) {
    if let Some(fact) = fact {
        facts.push((name, fact));
    }
}
