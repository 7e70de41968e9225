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
}
