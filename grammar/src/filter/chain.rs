//! How `and` and `or` join conditions.
//!
//! `and` binds more than `or`, but which `or` is inside of which depends on what
//! was read so far: an `or` that follows an `and` takes its place, inside of an
//! earlier `or`. It changes nothing of a condition's value, and shows where `-v`
//! says how it came about.

use super::{FilterCondition, FilterTest};

/// Conditions that are being joined.
pub(super) struct Chain {
    /// Each level is the last part of the one before it.
    levels: Vec<Level>,
    room: usize,
}

enum Level {
    All(Vec<FilterCondition>),
    Any(Vec<FilterCondition>),
}

impl Chain {
    /// With no condition yet, and room for so many levels.
    pub(super) fn new(room: usize) -> Self {
        Self { levels: Vec::new(), room }
    }

    /// How many levels there are.
    pub(super) fn levels(&self) -> usize {
        self.levels.len()
    }

    /// A condition with `and` behind it; false where there is no room.
    pub(super) fn and(&mut self, one: FilterCondition) -> bool {
        match self.levels.last_mut() {
            Some(Level::All(parts)) => parts.push(one),
            _ => self.levels.push(Level::All(vec![one])),
        }
        self.levels.len() <= self.room
    }

    /// A condition with `or` behind it; false where there is no room.
    pub(super) fn or(&mut self, one: FilterCondition) -> bool {
        match self.levels.pop() {
            Some(Level::Any(mut parts)) => {
                parts.push(one);
                self.levels.push(Level::Any(parts));
            }
            Some(Level::All(mut parts)) => {
                parts.push(one);
                self.levels.push(Level::Any(vec![joined(FilterTest::All(parts))]));
            }
            None => self.levels.push(Level::Any(vec![one])),
        }
        self.levels.len() <= self.room
    }

    /// The last condition; all of them together.
    pub(super) fn close(self, last: FilterCondition) -> FilterCondition {
        self.levels.into_iter().rev().fold(last, |inner, level| {
            joined(match level {
                Level::All(mut parts) => {
                    parts.push(inner);
                    FilterTest::All(parts)
                }
                Level::Any(mut parts) => {
                    parts.push(inner);
                    FilterTest::Any(parts)
                }
            })
        })
    }
}

fn joined(test: FilterTest) -> FilterCondition {
    FilterCondition { negated: false, test }
}
