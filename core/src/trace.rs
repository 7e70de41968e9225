//! What is said of a test on its way, for those who want to see each step: `-bh`
//! and the like.

use std::sync::Arc;

/// Who is told: how deep, and what.
pub type TraceSink = Arc<dyn Fn(u32, &[u8]) + Send + Sync>;

/// What a context tells of its steps; nobody is told unless somebody asked.
#[derive(Clone, Default)]
pub struct Trace {
    /// Who is told.
    pub sink: Option<TraceSink>,
    /// How deep the tests at hand stand in each other.
    pub depth: u32,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trace")
    }
}

impl Trace {
    /// Tells a step, some steps deeper than the test at hand. It comes in parts,
    /// which are joined where somebody is told.
    pub fn tell(&self, deeper: u32, parts: &[&[u8]]) {
        if let Some(sink) = &self.sink {
            sink(self.depth + deeper, &parts.concat());
        }
    }

    /// Less deep again.
    pub fn leave(&mut self, depth: u32) {
        self.depth = self.depth.saturating_sub(depth);
    }

    /// Tells something that stands in nothing.
    pub fn tell_flat(&self, parts: &[&[u8]]) {
        if let Some(sink) = &self.sink {
            sink(0, &parts.concat());
        }
    }
}
