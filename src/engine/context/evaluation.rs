//! The evaluation at hand.

use eximious_core::{ErrorKind, Fail, Meta, Scope};
use eximious_grammar::expansion::Tree;

use crate::engine::{Budget, Engine};

/// What an evaluation works with: what it has bound, what it may still do, and room for
/// what is being put together.
#[derive(Default, Debug)]
pub(crate) struct Evaluation {
    /// `$0`, `$1`, …, `$value`, `$item`.
    pub(crate) scope: Scope,
    /// What may still be done.
    pub(crate) budget: Budget,
    /// In how many texts that are known only at run time it stands.
    pub(crate) depth: u32,
    /// What is being put together: the innermost string is the last one.
    pub(crate) buffer: Vec<u8>,
    /// Room for the tree of a text that is used once.
    pub(crate) tree: Option<Box<Tree>>,
    /// Whether a failure leaves `$0`…, `$value`, `$item` as they are bound.
    pub(crate) leaves_bindings: bool,
    /// Whose rights commands have, a user's and a group's, where that is not this process's.
    pub(crate) commands_user: Option<(u32, u32)>,
    /// Where they run and relative names are looked for, where that is not this process's
    /// directory.
    pub(crate) directory: Option<Vec<u8>>,
    /// Words that are refused for a while.
    pub(crate) refusals: Vec<&'static Refusal>,
}

/// An evaluation that was put aside.
pub(crate) struct Suspended {
    budget: Budget,
    depth: u32,
    buffer: Vec<u8>,
    leaves_bindings: bool,
}

/// A word of the language that may not be used, and what is said then.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) name: &'static str,
    pub(crate) message: &'static str,
}

impl Evaluation {
    /// Starts counting anew.
    #[inline]
    pub(crate) fn begin(&mut self, engine: &Engine, leaves_bindings: bool) {
        self.leaves_bindings = leaves_bindings;
        self.budget.begin(engine);
        self.depth = 0;
    }

    /// Puts it aside, for another one that is no part of its text.
    pub(crate) fn suspend(&mut self) -> Suspended {
        Suspended {
            budget: self.budget.suspend(),
            depth: self.depth,
            buffer: std::mem::take(&mut self.buffer),
            leaves_bindings: self.leaves_bindings,
        }
    }

    /// Goes on with what was put aside.
    pub(crate) fn resume(&mut self, outer: Suspended) {
        self.budget = outer.budget;
        self.depth = outer.depth;
        self.buffer = outer.buffer;
        self.leaves_bindings = outer.leaves_bindings;
    }

    /// Refuses a word that may not be used.
    #[inline(always)]
    pub(crate) fn permit(&self, record: &Meta) -> Result<(), Fail> {
        // Most often, none is refused.
        if self.refusals.is_empty() { Ok(()) } else { self.permit_some(record) }
    }

    #[cold]
    fn permit_some(&self, record: &Meta) -> Result<(), Fail> {
        match self.refusals.iter().find(|refusal| refusal.name == record.name) {
            Some(refusal) => Err(Fail::error(ErrorKind::Forbidden, refusal.message)),
            None => Ok(()),
        }
    }

    /// One that is no part of this one, and sees what is bound here.
    pub(crate) fn beside(&self) -> Self {
        Self { scope: self.scope.clone(), ..self.sibling() }
    }

    /// For a context that goes on beside another one: who calls the one off calls off
    /// the other.
    pub(crate) fn sibling(&self) -> Self {
        Self { budget: self.budget.sibling(), ..Self::default() }
    }
}
