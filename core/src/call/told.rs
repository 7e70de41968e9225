//! What a built-in tells of what happens.

use super::Call;
use crate::Trace;
use crate::trace::TraceKinds;

impl Call<'_> {
    /// What is told of what happens, and to whom.
    pub fn trace(&mut self) -> &mut Trace {
        self.machine.trace()
    }

    /// Whether somebody wants to be told something of these kinds.
    pub fn watched(&mut self, kinds: TraceKinds) -> bool {
        self.trace().wants(kinds)
    }

    /// Does something that is told as deep as the call stands in the arguments of others.
    pub fn told_within<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let trace = self.trace();
        // Who is told of expansions has counted them.
        if !trace.is_watched() || trace.wants(TraceKinds::EXPANSION) {
            return work(self);
        }
        let depth = self.nesting();
        self.trace().depth += depth;
        let result = work(self);
        self.trace().leave(depth);
        result
    }
}
