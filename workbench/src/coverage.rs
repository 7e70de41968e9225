//! What of a configuration was run: statements of ACLs, conditions both ways, routers, and
//! branches of `${if}`.

mod report;
mod universe;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use eximious::trace::{
    AclEvent, AclOutcome, ExpansionEvent, Happening, RouteEvent, TraceEvent, TraceKinds,
    TraceObserver, TracePlace,
};

pub use report::{CoverageReport, CoverageSum};
pub use universe::Universe;

/// A place: file, line and column.
type Key = (Vec<u8>, u32, u32);
/// A condition in a text: file, line, where it stands in the text, and the text.
type BranchKey = (Vec<u8>, u32, u32, Vec<u8>);

fn key(place: &TracePlace) -> Key {
    (place.file.bytes().to_vec(), place.line, place.column)
}

/// How often a condition held, and how often it did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BothWays {
    /// How often it held.
    pub held: u64,
    /// How often it did not.
    pub failed: u64,
}

impl BothWays {
    fn count(&mut self, holds: bool) {
        match holds {
            true => self.held += 1,
            false => self.failed += 1,
        }
    }
}

/// What was run, counted.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    statements: HashMap<Key, u64>,
    terms: HashMap<Key, BothWays>,
    branches: HashMap<BranchKey, BothWays>,
    routers: HashMap<Key, BothWays>,
}

impl Coverage {
    /// Adds what was run elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (key, count) in &other.statements {
            *self.statements.entry(key.clone()).or_default() += count;
        }
        let both = |own: &mut BothWays, other: &BothWays| {
            own.held += other.held;
            own.failed += other.failed;
        };
        other.terms.iter().for_each(|(key, n)| both(self.terms.entry(key.clone()).or_default(), n));
        for (key, count) in &other.branches {
            both(self.branches.entry(key.clone()).or_default(), count);
        }
        for (key, count) in &other.routers {
            both(self.routers.entry(key.clone()).or_default(), count);
        }
    }
}

/// Counts what one run does. It is an observer; each context has its own.
#[derive(Debug, Default)]
pub struct CoverageCounter(Mutex<Counting>);

#[derive(Debug, Default)]
struct Counting {
    counted: Coverage,
    /// Statements at hand: their numbers, and the last condition of each.
    at: Vec<(u64, Option<Key>)>,
}

impl CoverageCounter {
    /// What was counted.
    pub fn counted(self: &Arc<Self>) -> Coverage {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counted.clone()
    }
}

impl TraceObserver for CoverageCounter {
    fn kinds(&self) -> TraceKinds {
        TraceKinds::ACL | TraceKinds::ROUTE | TraceKinds::EXPANSION
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        let Some(place) = event.place else { return };
        let counting = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.what {
            Happening::Acl(step) => counting.acl(step, event, place),
            Happening::Route(RouteEvent::Router { .. }) => {
                // Until it runs, it was passed by.
                counting.counted.routers.entry(key(place)).or_default().failed += 1;
            }
            Happening::Route(RouteEvent::Calling { .. }) => {
                let own = counting.counted.routers.entry(key(place)).or_default();
                own.held += 1;
                own.failed = own.failed.saturating_sub(1);
            }
            Happening::Expansion(ExpansionEvent::Condition {
                source,
                span,
                holds: Some(holds),
            }) => {
                let file = place.file.bytes().to_vec();
                let key = (file, place.line, span.start, source.to_vec());
                counting.counted.branches.entry(key).or_default().count(*holds);
            }
            _ => {}
        }
    }
}

impl Counting {
    fn acl(&mut self, step: &AclEvent<'_>, event: &TraceEvent<'_>, place: &TracePlace) {
        match step {
            AclEvent::Statement { .. } => {
                *self.counted.statements.entry(key(place)).or_default() += 1;
                // What was begun deeper, and has not ended, is over.
                self.at.retain(|(number, _)| *number <= event.parent);
                self.at.push((event.number, None));
            }
            AclEvent::Term { .. } | AclEvent::Endpass => {
                let last = self.last_of(event.parent, Some(key(place)));
                self.judge(last, true);
            }
            AclEvent::Ended { came, .. } => {
                let last = self.last_of(event.parent, None);
                match came {
                    AclOutcome::Holds => self.judge(last, true),
                    AclOutcome::Fails => self.judge(last, false),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The last condition of a statement; another one is that from here on.
    fn last_of(&mut self, statement: u64, next: Option<Key>) -> Option<Key> {
        let own = self.at.iter_mut().rfind(|(number, _)| *number == statement)?;
        std::mem::replace(&mut own.1, next)
    }

    fn judge(&mut self, term: Option<Key>, holds: bool) {
        if let Some(key) = term {
            self.counted.terms.entry(key).or_default().count(holds);
        }
    }
}
