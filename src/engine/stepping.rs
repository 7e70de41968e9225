//! Runs that are held up at their steps: what a debugger stands on.

use std::sync::Arc;

use eximious_core::{AclVerb, Str};

use super::Context;
use super::context::{Evaluation, Values};

/// A step of a run that is about to be taken, or has just been taken.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RunStop<'s> {
    /// An ACL begins. One that it calls begins and ends within it.
    AclBegins {
        /// Its name; empty where it is a text instead.
        name: &'s Str,
    },
    /// A statement of an ACL has its turn.
    Statement {
        /// Its verb.
        verb: AclVerb,
    },
    /// A condition or modifier has its turn.
    Term {
        /// Its name: `hosts`.
        name: &'s str,
        /// Whether `!` stands before it.
        negated: bool,
        /// The variable that `set` sets.
        variable: Option<&'s Str>,
        /// As it is written.
        text: &'s Str,
    },
    /// An ACL ends.
    AclEnds {
        /// Its name; empty where it is a text instead.
        name: &'s Str,
        /// Whether it does not let pass what it was asked about: for good, or for now.
        refuses: bool,
    },
    /// An address begins to be routed. Another one that a router asks about begins and
    /// ends within it.
    RoutingBegins {
        /// The address.
        address: &'s Str,
    },
    /// A router has its turn.
    Router {
        /// Its name.
        name: &'s Str,
    },
    /// A condition of a router has its turn.
    Precondition {
        /// The option.
        option: &'s str,
    },
    /// An address is routed.
    RoutingEnds {
        /// The address.
        address: &'s Str,
        /// Whether it can't be delivered to, now or ever.
        fails: bool,
    },
}

/// Who holds up the runs of a context at their steps ([`Context::step_with`]).
pub trait Stepper: Send + Sync {
    /// A run has come to a step, which stands at the place that [`Trace::place`] says. It
    /// goes on when this returns. What is evaluated meanwhile, with this context, is told
    /// to nobody and held up by nobody; what is set stays.
    ///
    /// [`Trace::place`]: eximious_core::Trace::place
    fn stop(&self, cx: &mut Context, at: &RunStop<'_>);
}

/// The variables and the message of a context, as they were at some time.
#[derive(Clone, Debug)]
pub struct Snapshot {
    values: Values,
    /// What was bound: `$1`, `$value`.
    evaluation: Arc<Evaluation>,
}

impl Context {
    /// From here on, somebody holds up each step of ACLs and of routing; nobody, any more,
    /// without one.
    pub fn step_with(&mut self, stepper: Option<Arc<dyn Stepper>>) {
        self.stepper = stepper;
    }

    /// Whether somebody holds up its steps.
    pub fn is_stepped(&self) -> bool {
        self.stepper.is_some()
    }

    /// A run has come to a step.
    #[inline]
    pub(crate) fn stop_at(&mut self, at: &RunStop<'_>) {
        if self.stepper.is_some() {
            self.hold_up(at);
        }
    }

    #[cold]
    fn hold_up(&mut self, at: &RunStop<'_>) {
        let Some(stepper) = self.stepper.take() else { return };
        let muted = self.trace.mute();
        let beside = self.evaluation.beside();
        let outer = std::mem::replace(&mut self.evaluation, beside);
        stepper.stop(self, at);
        self.evaluation = outer;
        self.trace.unmute(muted);
        self.stepper = Some(stepper);
    }

    /// What the variables and the message are now.
    pub fn snapshot(&self) -> Snapshot {
        let evaluation = Arc::new(self.evaluation.beside());
        Snapshot { values: self.values.clone(), evaluation }
    }

    /// Does something with variables and message as they were at some time; what is set
    /// meanwhile is forgotten.
    pub fn at_snapshot<T>(&mut self, then: &Snapshot, work: impl FnOnce(&mut Self) -> T) -> T {
        let values = std::mem::replace(&mut self.values, then.values.clone());
        let beside = then.evaluation.beside();
        let evaluation = std::mem::replace(&mut self.evaluation, beside);
        let stepper = self.stepper.take();
        let muted = self.trace.mute();
        let result = work(self);
        self.trace.unmute(muted);
        self.stepper = stepper;
        self.evaluation = evaluation;
        self.values = values;
        result
    }
}
