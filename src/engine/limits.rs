//! How much an evaluation may ask for, and how it is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eximious_core::{ErrorKind, Fail, stack};

use super::Engine;

/// How much an evaluation may ask for. Running out is an ordinary error.
///
/// ```
/// use std::time::Duration;
/// use eximious::{Engine, ErrorKind, Limits};
///
/// let limits = Limits::default().steps(10_000).length(64 << 10).bytes(16 << 20);
/// let engine = Engine::builder().limits(limits.deadline(Duration::from_secs(1))).build();
/// let greedy = engine.compile("${reduce{1:2:3:4:5:6:7:8:9:10:11}{xxxxxxxx}{$value$value$value}}");
/// let fail = greedy.expand(&mut engine.context()).unwrap_err();
/// assert_eq!(fail.kind(), ErrorKind::Limit);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// How deep constructs may stand in each other, in one text.
    pub nesting: u32,
    /// How deep texts may be expanded in each other at run time.
    pub expansions: u32,
    /// How much of a thread's stack may be used before nothing may go deeper, in bytes:
    /// one bound for texts, ACLs, filters and whatever else stands in each other. It counts
    /// from where a thread calls this library. A megabyte more is enough for what does not
    /// nest; threads that have less than two need less.
    pub stack: usize,
    /// How many items, operators and conditions one evaluation may run.
    pub steps: u64,
    /// How many bytes a string may have.
    pub length: usize,
    /// How many bytes one evaluation may look at and make, all strings together. A
    /// step counts for 64 of them.
    pub bytes: u64,
    /// How long one evaluation may take; what waits outside ends then, too.
    pub deadline: Option<Duration>,
    /// How long a command of `run` may take, and what else is outside and has
    /// no limit of its own.
    pub command: Duration,
    /// How long one call of `perl` may take.
    pub code: Duration,
}

/// For how many bytes a step counts.
const STEP: u64 = 64;

impl Default for Limits {
    fn default() -> Self {
        Self {
            nesting: 160,
            expansions: 24,
            stack: stack::ROOM,
            steps: 20_000_000,
            length: 64 << 20,
            bytes: 64 << 30,
            deadline: None,
            command: Duration::from_secs(60),
            code: Duration::from_secs(600),
        }
    }
}

impl Limits {
    /// For strings that somebody else wrote: no more than a second, 100,000 steps, and
    /// strings of 256 KiB.
    pub fn strict() -> Self {
        Self {
            steps: 100_000,
            length: 256 << 10,
            bytes: 256 << 20,
            deadline: Some(Duration::from_secs(1)),
            command: Duration::from_secs(1),
            code: Duration::from_secs(1),
            ..Self::default()
        }
    }
    /// With another bound on [`Limits::nesting`].
    pub fn nesting(self, nesting: u32) -> Self {
        Self { nesting, ..self }
    }
    /// With another bound on [`Limits::expansions`].
    pub fn expansions(self, expansions: u32) -> Self {
        Self { expansions, ..self }
    }
    /// With another bound on [`Limits::stack`].
    pub fn stack(self, stack: usize) -> Self {
        Self { stack, ..self }
    }
    /// With another bound on [`Limits::steps`].
    pub fn steps(self, steps: u64) -> Self {
        Self { steps, ..self }
    }
    /// With another bound on [`Limits::length`].
    pub fn length(self, length: usize) -> Self {
        Self { length, ..self }
    }
    /// With another bound on [`Limits::bytes`].
    pub fn bytes(self, bytes: u64) -> Self {
        Self { bytes, ..self }
    }
    /// With a bound on the time of an evaluation ([`Limits::deadline`]).
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..self }
    }
    /// With another bound on [`Limits::command`].
    pub fn command(self, command: Duration) -> Self {
        Self { command, ..self }
    }
    /// With another bound on [`Limits::code`].
    pub fn code(self, code: Duration) -> Self {
        Self { code, ..self }
    }
}

/// Ends what a context does, from another thread.
///
/// ```
/// use eximious::{Engine, ErrorKind};
///
/// let engine = Engine::builder().build();
/// let mut cx = engine.context();
/// let canceller = cx.canceller();
/// std::thread::spawn(move || canceller.cancel()).join().unwrap();
/// let fail = engine.compile("${lc:A}").expand(&mut cx).unwrap_err();
/// assert_eq!(fail.kind(), ErrorKind::Cancelled);
/// cx.canceller().reset();
/// assert!(engine.compile("${lc:A}").expand(&mut cx).is_ok());
/// ```
#[derive(Clone, Default, Debug)]
pub struct Canceller(Arc<AtomicBool>);

impl Canceller {
    /// Ends the evaluation at hand, and lets each that follows fail until
    /// [`Canceller::reset`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
    /// Lets the context go on with its next evaluation.
    pub fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
    /// What says that it was cancelled, for a signal's handler to set.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }
    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// After how many bytes somebody looks whether there is time left.
const STRETCH: u64 = 16 << 10;

/// What the evaluation at hand may still do.
#[derive(Clone, Default, Debug)]
pub(crate) struct Budget {
    steps: u64,
    /// The bytes until somebody looks at all the rest.
    near: u64,
    /// The bytes beyond them.
    far: u64,
    length: usize,
    /// How many bytes long strings have that what is being evaluated holds.
    held: usize,
    /// The same of what is around, where this is an evaluation within another.
    held_around: usize,
    /// When time is up, as the clock counts.
    until: Option<Duration>,
    /// The same of what is around, where this is an evaluation within another.
    until_around: Option<Duration>,
    canceller: Option<Canceller>,
}

impl Budget {
    /// Starts counting anew.
    #[inline]
    pub(crate) fn begin(&mut self, engine: &Engine) {
        let limits = &engine.0.limits;
        self.steps = limits.steps;
        self.length = limits.length;
        self.held = self.held_around;
        // A string that is too long has to be seen.
        self.near = STRETCH.min(limits.bytes).min(limits.length as u64);
        self.far = limits.bytes - self.near;
        if limits.deadline.is_some() || self.until_around.is_some() || self.canceller.is_some() {
            self.begin_watched(engine);
        } else {
            self.until = None;
        }
    }

    #[cold]
    fn begin_watched(&mut self, engine: &Engine) {
        let own = engine
            .0
            .limits
            .deadline
            .map(|time| engine.0.world.clock.elapsed().saturating_add(time));
        self.until = match (own, self.until_around) {
            (Some(own), Some(around)) => Some(own.min(around)),
            (own, around) => own.or(around),
        };
        // What is called off already does not begin.
        self.far += std::mem::take(&mut self.near);
    }

    /// Takes a step.
    #[inline]
    pub(crate) fn step(&mut self, engine: &Engine) -> Result<(), Fail> {
        match self.steps.checked_sub(1) {
            Some(left) => self.steps = left,
            None => return Err(too_much("it takes too many steps")),
        }
        self.bytes(STEP, engine)
    }

    /// How many steps may still be taken.
    pub(crate) fn steps_left(&self) -> u64 {
        self.steps
    }

    /// How many steps were taken, and how many bytes were looked at and made.
    pub(crate) fn used(&self, engine: &Engine) -> (u64, u64) {
        let limits = &engine.0.limits;
        let left = self.near.saturating_add(self.far);
        (limits.steps.saturating_sub(self.steps), limits.bytes.saturating_sub(left))
    }

    /// Counts bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, bytes: u64, engine: &Engine) -> Result<(), Fail> {
        match self.near.checked_sub(bytes) {
            Some(near) => {
                self.near = near;
                Ok(())
            }
            None => self.look(bytes, engine),
        }
    }

    /// Counts a string, which may be too long.
    #[inline]
    pub(crate) fn string(&mut self, length: usize, engine: &Engine) -> Result<(), Fail> {
        match self.near.checked_sub(length as u64) {
            Some(near) => {
                self.near = near;
                Ok(())
            }
            // Whatever is too long, is longer than what is near.
            None if length > self.length => Err(Fail::too_long()),
            None => {
                if length as u64 > STRETCH {
                    self.held += length;
                    self.check_together(0)?;
                }
                self.look(length as u64, engine)
            }
        }
    }

    /// How many bytes are held in long strings.
    #[inline]
    pub(crate) fn held(&mut self) -> &mut usize {
        &mut self.held
    }

    /// Checks what there is beside what is held: together, there may be twice as many
    /// bytes as in one string.
    pub(crate) fn check_together(&self, length: usize) -> Result<(), Fail> {
        match self.held.saturating_add(length) > self.length.saturating_mul(2) {
            true => Err(too_much("strings are too long together")),
            false => Ok(()),
        }
    }

    /// Looks at the clock the sooner, as if more bytes had been counted.
    pub(crate) fn hasten(&mut self, more: u64, engine: &Engine) -> Result<(), Fail> {
        self.far = self.far.saturating_add(more);
        self.bytes(more, engine)
    }

    #[cold]
    fn look(&mut self, bytes: u64, engine: &Engine) -> Result<(), Fail> {
        let beyond = bytes - std::mem::take(&mut self.near);
        let Some(far) = self.far.checked_sub(beyond) else {
            self.far = 0;
            return Err(too_much("it takes too many bytes"));
        };
        self.near = STRETCH.min(far).min(self.length as u64);
        self.far = far - self.near;
        self.goes_on()?;
        match self.until {
            Some(until) if engine.0.world.clock.elapsed() >= until => {
                Err(too_much("it takes too long"))
            }
            _ => Ok(()),
        }
    }

    /// Fails where the evaluation was called off.
    pub(crate) fn goes_on(&self) -> Result<(), Fail> {
        if self.canceller.as_ref().is_some_and(Canceller::is_cancelled) {
            return Err(Fail::error(ErrorKind::Cancelled, "expansion stopped: it was called off"));
        }
        Ok(())
    }

    /// How long may be waited, where an evaluation could wait for longer.
    pub(crate) fn wait(&self, most: Duration, engine: &Engine) -> Duration {
        match self.until {
            Some(until) => most.min(until.saturating_sub(engine.0.world.clock.elapsed())),
            None => most,
        }
    }

    /// Puts it aside for an evaluation within this one, which has no more time.
    pub(crate) fn suspend(&mut self) -> Self {
        let outer = self.clone();
        self.until_around = self.until;
        self.held_around = self.held;
        outer
    }

    /// What calls the evaluation off.
    pub(crate) fn canceller(&mut self) -> &Canceller {
        self.canceller.get_or_insert_default()
    }

    /// For a context that goes on beside another one.
    pub(crate) fn sibling(&self) -> Self {
        Self { canceller: self.canceller.clone(), ..Self::default() }
    }
}

/// An evaluation asks for too much.
pub(crate) fn too_much(what: &str) -> Fail {
    Fail::error(ErrorKind::Limit, format!("expansion stopped: {what}"))
}
