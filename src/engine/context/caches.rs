//! What is kept so that it need not be found out again.

use std::sync::Arc;

use eximious_core::Memory;
use rustc_hash::FxHashMap;

use crate::engine::{Compiled, Engine};

/// How many texts known only at run time are kept parsed.
const KEPT_EXPANSIONS: usize = 128;

/// What a context keeps from one evaluation to the next, beside values: caches, open
/// files, processes of the built-ins, and texts that were parsed at run time.
#[derive(Default, Debug)]
pub(crate) struct Caches {
    /// What built-ins keep, one value of each type.
    pub(crate) memory: Memory,
    expansions: FxHashMap<Vec<u8>, Arc<Compiled>>,
}

impl Caches {
    /// A text, parsed.
    pub(crate) fn compiled(&mut self, engine: &Engine, text: &[u8]) -> Arc<Compiled> {
        if let Some(compiled) = self.expansions.get(text) {
            return compiled.clone();
        }
        let compiled = Arc::new(engine.compiled(text));
        if self.expansions.len() >= KEPT_EXPANSIONS {
            self.expansions.clear();
        }
        self.expansions.insert(text.to_vec(), compiled.clone());
        compiled
    }
}
