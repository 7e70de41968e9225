//! Stretches of the text without a `$value`.
//!
//! An item that binds `$value` takes it away where Exim passes over the item:
//! most for as long as their first branch lasts, `run` and `reduce` until an item
//! around them puts back what it found.

use super::parser::Parser;
use super::view::View;
use crate::Span;

impl Parser<'_, '_, '_> {
    /// A mark for [`Parser::end_lapses`].
    pub(super) fn lapses(&self) -> usize {
        self.tree.lapses.len()
    }

    /// There is no `$value` from here on.
    pub(super) fn lapse(&mut self) {
        self.tree.lapses.push(Span { start: self.at as u32, end: u32::MAX });
    }

    /// What was `$value` at a mark is back, unless the text has ended.
    pub(super) fn end_lapses(&mut self, since: usize) {
        if self.stopped {
            return;
        }
        for lapse in &mut self.tree.lapses[since..] {
            lapse.end = lapse.end.min(self.at as u32);
        }
    }
}

impl View<'_> {
    /// Whether to pass over any of it changes nothing, and finds nothing wrong.
    pub fn is_smooth(&self) -> bool {
        self.soft_faults.is_empty() && self.hard_fault.is_none() && self.lapses.is_empty()
    }

    /// Whether `$value` is gone for one who has passed over a stretch of the
    /// source.
    pub fn loses_value(&self, passed: Span) -> bool {
        let gone = |lapse: &Span| {
            passed.start <= lapse.start && lapse.start <= passed.end && passed.end < lapse.end
        };
        self.lapses.iter().any(gone)
    }
}
