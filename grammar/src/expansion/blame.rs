//! Faults over braces, for which a header's name before them may be to blame.

use super::parser::{MISPLACED, Parser};

impl Parser<'_, '_, '_> {
    /// Ends the parse over braces, for which a header name may be to blame.
    #[cold]
    pub(super) fn stop_curly(&mut self, message: impl Into<Vec<u8>>) {
        self.stop_blaming(MISPLACED, message);
    }

    pub(super) fn unclosed(&mut self) {
        self.stop_blaming(
            "missing } at end of string - could be header name not terminated by colon",
            "missing } at end of string",
        );
    }

    /// Ends the parse with the first message where a header's name swallowed a
    /// brace before, and with the second otherwise.
    fn stop_blaming(&mut self, blaming: &str, message: impl Into<Vec<u8>>) {
        if self.stopped {
            return;
        }
        if self.tree.malformed_header.is_none() {
            return self.stop(message);
        }
        self.stop(blaming);
        if let Some(fault) = &mut self.tree.hard_fault {
            fault.unblamed = Some(message.into());
        }
    }
}
