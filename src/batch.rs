//! Strings that are parsed ahead of their evaluation.

use eximious_core::{Fail, Str};
use eximious_grammar::expansion::{Part, Trees};

use crate::context::Context;
use crate::engine::Engine;
use crate::eval::{Eval, literal};

/// How many bytes a literal may have that is kept ready.
const SHORT: usize = 28;

/// Strings that are parsed one after the other, each to be evaluated once, in
/// memory that is used again: one thread may parse while another evaluates.
#[derive(Default, Debug)]
pub struct Batch {
    trees: Trees,
    /// For each part of the trees, what it is where it is literal and short.
    literals: Vec<Option<Str>>,
}

impl Batch {
    /// Parses a string and adds it.
    pub fn parse(&mut self, engine: &Engine, source: &[u8]) {
        self.trees.parse(source, engine.registry(), engine.parse_limits());
        let Some(tree) = self.trees.get(self.trees.len() - 1) else { return };
        let new = self.trees.parts().all_pieces().get(self.literals.len()..);
        self.literals.extend(new.into_iter().flatten().map(|piece| match piece.part {
            // To share memory between threads takes longer than to copy.
            Part::Text(span) if span.range().len() <= SHORT => Some(literal(&tree, span)),
            _ => None,
        }));
    }

    /// Evaluates the string with a number, counted from 0, with a context of
    /// the engine that parsed it. It is done as by [`Engine::expand_once`].
    ///
    /// # Errors
    /// What the expansion fails with.
    ///
    /// # Panics
    /// There are not as many strings.
    #[inline(always)]
    pub fn expand(&self, number: usize, cx: &mut Context) -> Result<Str, Fail> {
        let tree = self.trees.get(number).expect("a number below the count");
        cx.begin(true);
        Eval::new(cx, &tree, &self.literals).whole()
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.trees.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.trees.is_empty()
    }

    /// How many bytes of text they have.
    pub fn text_len(&self) -> usize {
        self.trees.text_len()
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.trees.clear();
        self.literals.clear();
    }
}
