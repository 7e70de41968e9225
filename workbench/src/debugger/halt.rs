//! A run that is held up.

use std::collections::VecDeque;

use eximious::trace::TracePlace;
use eximious::{Context, Fail, Str};

use super::points::Breakpoints;
use super::{Frame, PastStep, StopReason};
use crate::record::Recording;
use crate::tree::{self, TraceNode};

/// What is known where a run is held up. To go back changes what is looked at, not the run.
pub struct Halt<'h> {
    pub(super) cx: &'h mut Context,
    pub(super) reason: StopReason,
    pub(super) past: &'h VecDeque<PastStep>,
    pub(super) cursor: usize,
    pub(super) points: &'h mut Breakpoints,
    pub(super) recording: &'h Recording,
}

impl Halt<'_> {
    /// Why it is held up.
    pub fn reason(&self) -> &StopReason {
        &self.reason
    }

    /// The ACLs and addresses at hand, the innermost last.
    pub fn frames(&self) -> &[Frame] {
        self.past.get(self.cursor).map_or(&[], |moment| &moment.frames)
    }

    /// Where it stands.
    pub fn place(&self) -> Option<&TracePlace> {
        self.frames().last()?.place.as_ref()
    }

    /// Whether this is where the run is, and not where it was.
    pub fn is_now(&self) -> bool {
        self.cursor + 1 >= self.past.len()
    }

    /// Which step this is, and how many there are.
    pub fn position(&self) -> (usize, usize) {
        (self.cursor + 1, self.past.len())
    }

    /// Looks at the step before this one; false where none is kept.
    pub fn back(&mut self) -> bool {
        let moves = self.cursor > 0;
        self.cursor -= usize::from(moves);
        moves
    }

    /// Looks at the step after this one; false where the run is at it.
    pub fn forward(&mut self) -> bool {
        let moves = !self.is_now();
        self.cursor += usize::from(moves);
        moves
    }

    /// Expands a text with the values of the step that is looked at.
    ///
    /// # Errors
    /// What the expansion fails with.
    pub fn expand(&mut self, text: &[u8]) -> Result<Str, Fail> {
        self.looking(|cx| {
            let engine = cx.engine().clone();
            engine.expand_once(text, cx)
        })
    }

    /// Does something with the context as it is, or was, at the step that is looked at.
    pub fn looking<T>(&mut self, work: impl FnOnce(&mut Context) -> T) -> T {
        match self.past.get(self.cursor).filter(|_| !self.is_now()) {
            Some(moment) => self.cx.at_snapshot(&moment.values, work),
            None => work(self.cx),
        }
    }

    /// The context of the run, to change it.
    pub fn context(&mut self) -> &mut Context {
        self.cx
    }

    /// Where runs stop.
    pub fn points(&mut self) -> &mut Breakpoints {
        self.points
    }

    /// What has happened up to the step that is looked at.
    pub fn happened(&self) -> Vec<TraceNode> {
        let mut steps = self.recording.since(0);
        if let Some(moment) = self.past.get(self.cursor) {
            steps.truncate(moment.recorded);
        }
        tree::grow(steps)
    }
}

/// Some lines of a file, with one of them marked.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Excerpt {
    /// The number of the first line.
    pub first: u32,
    /// The lines.
    pub lines: Vec<String>,
    /// The number of the marked one.
    pub marked: u32,
}

impl std::fmt::Display for Excerpt {
    /// Each line has its number before it, and the marked one an arrow.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, line) in (self.first..).zip(&self.lines) {
            let mark = if number == self.marked { "->" } else { "  " };
            writeln!(f, "{mark} {number:4} | {line}")?;
        }
        Ok(())
    }
}

/// How much of a file is looked at for an excerpt.
const MOST: u64 = 16 << 20;

/// The lines around a place, where the file can be read.
pub fn excerpt(cx: &Context, place: &TracePlace, around: u32) -> Option<Excerpt> {
    let contents = cx.engine().world().files.read(place.file.bytes(), MOST).ok()?;
    let first = place.line.saturating_sub(around).max(1);
    let count = (place.line + around + 1).saturating_sub(first);
    let lines = contents.split(|c| *c == b'\n').skip(first as usize - 1).take(count as usize);
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    Some(Excerpt { first, lines, marked: place.line })
}
