//! The debugger: it holds up ACLs and routing where somebody wants it, shows what is known
//! there, and goes back over what was already run.
//!
//! A [`Debugger`] is the stepper of a context. It decides at each step whether to stop, and
//! asks its [`Front`] what to do then; the front sees a [`Halt`]. Each step is kept with
//! the values at that time, so that to step back is to look at what is there.

mod halt;
mod places;
mod points;
mod remote;
mod why;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use eximious::trace::TracePlace;
use eximious::{Context, RunStop, Snapshot, Stepper, Str};

use crate::record::Recording;

pub use halt::{Excerpt, Halt, excerpt};
pub use places::StopPlaces;
pub use points::{Breakpoint, BreakpointError, Breakpoints, Watched};
pub use remote::{Came, Orders, Refusals, RemoteEnds, Workplace, remote};
pub use why::{Because, why};

/// How a run goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Resume {
    /// To the next breakpoint.
    #[default]
    Continue,
    /// To the next step.
    Step,
    /// To the next step that is no part of this one's.
    Next,
    /// To the end of this ACL, or of this address.
    Finish,
}

/// Why a run is held up.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StopReason {
    /// A step was asked for.
    Step,
    /// A breakpoint, by its number.
    Breakpoint(u32),
    /// An ACL or an address is refused.
    Refused,
    /// A variable has changed.
    Changed(Watched),
    /// Somebody asked for it.
    Pause,
}

/// An ACL or an address that is at hand.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Frame {
    /// `acl check_rcpt`, `route a@b.example`, `acl text`.
    pub name: String,
    /// Where it has come to.
    pub place: Option<TracePlace>,
    /// What it is at: a statement's verb, a condition, a router.
    pub at: String,
}

/// A step that a run has come to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PastStep {
    /// What is at hand, the innermost last.
    pub frames: Vec<Frame>,
    /// The values then.
    pub values: Snapshot,
    /// How much was recorded.
    pub recorded: usize,
}

/// Who is asked where a run is held up.
pub trait Front: Send {
    /// It is held up; how does it go on?
    fn held_up(&mut self, halt: &mut Halt<'_>) -> Resume;
}

/// Who lets everything go on.
struct Nobody;

impl Front for Nobody {
    fn held_up(&mut self, _: &mut Halt<'_>) -> Resume {
        Resume::Continue
    }
}

/// How many steps are kept to go back to.
const MOST_PAST: usize = 20_000;

/// Decides where runs stop.
pub struct Debugger {
    inner: Mutex<Inner>,
    recording: Arc<Recording>,
}

struct Inner {
    front: Box<dyn Front>,
    points: Breakpoints,
    resume: Resume,
    /// How many frames there were when it went on.
    depth: usize,
    frames: Vec<Frame>,
    /// The statement's number in each frame.
    statements: Vec<u32>,
    past: VecDeque<PastStep>,
    /// The last place that a line's breakpoint was asked for.
    last_line: Option<(Str, u32)>,
    wants_pause: bool,
    /// It is to stop at the first step, and there was none yet.
    awaits_step: bool,
}

impl std::fmt::Debug for Debugger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Debugger")
    }
}

impl Debugger {
    /// One that stops nowhere yet. What it is told is kept in the recording, which watches
    /// the same context.
    pub fn new(front: Box<dyn Front>, recording: Arc<Recording>) -> Self {
        let inner = Inner {
            front,
            points: Breakpoints::default(),
            resume: Resume::Continue,
            depth: 0,
            frames: Vec::new(),
            statements: Vec::new(),
            past: VecDeque::new(),
            last_line: None,
            wants_pause: false,
            awaits_step: false,
        };
        Self { inner: Mutex::new(inner), recording }
    }

    /// Makes it the stepper and the witness of a context.
    pub fn attach(self: &Arc<Self>, cx: &mut Context) {
        cx.observe(self.recording.clone());
        cx.step_with(Some(self.clone()));
    }

    /// Changes the breakpoints, while nothing is held up.
    pub fn change<T>(&self, work: impl FnOnce(&mut Breakpoints) -> T) -> T {
        work(&mut self.inner().points)
    }

    /// Says how the next run begins: with [`Resume::Step`], it stops at its first step. That
    /// holds for the run after it, too, where it has none.
    pub fn begin(&self, resume: Resume) {
        let mut inner = self.inner();
        let resume = if inner.awaits_step { Resume::Step } else { resume };
        inner.resume = resume;
        inner.awaits_step = resume == Resume::Step;
        inner.depth = 0;
        inner.frames.clear();
        inner.statements.clear();
        inner.last_line = None;
        // Another run has other values.
        inner.points.forget();
    }

    /// Takes away whom it asks: from here on it stops nowhere.
    pub fn take_front(&self) -> Box<dyn Front> {
        std::mem::replace(&mut self.inner().front, Box::new(Nobody))
    }

    /// What was recorded.
    pub fn recording(&self) -> &Arc<Recording> {
        &self.recording
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stepper for Debugger {
    fn stop(&self, cx: &mut Context, at: &RunStop<'_>) {
        self.inner().stop(cx, at, &self.recording);
    }
}

impl Inner {
    fn stop(&mut self, cx: &mut Context, at: &RunStop<'_>, recording: &Recording) {
        let place = cx.trace().place().map(|place| (**place).clone());
        let mut is_step = true;
        let mut refused = false;
        match at {
            RunStop::AclBegins { name } => {
                let name = match name.is_empty() {
                    true => "acl text".to_owned(),
                    false => format!("acl {}", name.display()),
                };
                self.enter(name);
                return;
            }
            RunStop::RoutingBegins { address } => {
                self.enter(format!("route {}", address.display()));
                return;
            }
            RunStop::Statement { verb } => {
                if let Some(number) = self.statements.last_mut() {
                    *number += 1;
                }
                self.stand(verb.name().to_owned(), place.clone());
            }
            RunStop::Term { name, negated, variable, text } => {
                let negated = if *negated { "!" } else { "" };
                let variable = variable.map(|name| format!(" {}", name.display()));
                let variable = variable.unwrap_or_default();
                let equals = if text.is_empty() { "" } else { " = " };
                let text = crate::trace::on_one_line(text);
                self.stand(format!("{negated}{name}{variable}{equals}{text}"), place.clone());
            }
            RunStop::Router { name } => {
                if let Some(number) = self.statements.last_mut() {
                    *number += 1;
                }
                self.stand(format!("router {}", name.display()), place.clone());
            }
            RunStop::Precondition { option } => self.stand((*option).to_owned(), place.clone()),
            RunStop::AclEnds { refuses, .. } => {
                (is_step, refused) = (false, *refuses);
            }
            RunStop::RoutingEnds { fails, .. } => (is_step, refused) = (false, *fails),
            _ => return,
        }
        let number = self.statements.last().copied().unwrap_or(0);
        let reason = self.reason(cx, at, place.as_ref(), is_step, refused, number);
        if is_step || reason.is_some() {
            self.keep(cx, recording);
        }
        if let Some(reason) = reason {
            self.wants_pause = false;
            let mut halt = Halt {
                cx,
                reason,
                past: &self.past,
                cursor: self.past.len().saturating_sub(1),
                points: &mut self.points,
                recording,
            };
            self.resume = self.front.held_up(&mut halt);
            self.depth = self.frames.len();
            // What was set while it was held up is no change.
            self.points.look(cx);
        }
        if !is_step {
            self.frames.pop();
            self.statements.pop();
        }
    }

    fn enter(&mut self, name: String) {
        self.frames.push(Frame { name, place: None, at: String::new() });
        self.statements.push(0);
    }

    fn stand(&mut self, at: String, place: Option<TracePlace>) {
        if let Some(frame) = self.frames.last_mut() {
            (frame.at, frame.place) = (at, place);
        }
    }

    fn reason(
        &mut self,
        cx: &mut Context,
        at: &RunStop<'_>,
        place: Option<&TracePlace>,
        is_step: bool,
        refused: bool,
        number: u32,
    ) -> Option<StopReason> {
        let changed = self.points.changed(cx);
        if refused && self.points.stops_at_refusals() {
            return Some(StopReason::Refused);
        }
        if let Some(changed) = changed {
            return Some(StopReason::Changed(changed));
        }
        if !is_step {
            return None;
        }
        self.awaits_step = false;
        if let Some(point) = self.points.at_step(at, self.frames.last(), number) {
            return Some(StopReason::Breakpoint(point));
        }
        let line = place.map(|place| (place.file.clone(), place.line));
        if line != self.last_line {
            self.last_line = line;
            if let Some(point) = place.and_then(|place| self.points.at_line(place)) {
                return Some(StopReason::Breakpoint(point));
            }
        }
        if self.wants_pause {
            return Some(StopReason::Pause);
        }
        let depth = self.frames.len();
        let steps = match self.resume {
            Resume::Continue => false,
            Resume::Step => true,
            Resume::Next => depth <= self.depth,
            Resume::Finish => depth < self.depth,
        };
        steps.then_some(StopReason::Step)
    }

    fn keep(&mut self, cx: &Context, recording: &Recording) {
        if self.past.len() >= MOST_PAST {
            self.past.pop_front();
        }
        let (frames, values) = (self.frames.clone(), cx.snapshot());
        self.past.push_back(PastStep { frames, values, recorded: recording.len() });
    }
}
