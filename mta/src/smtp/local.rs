//! Sessions with programs of this system (`-bs`; specification 49.4.1).

use super::Session;

impl Session {
    /// Whether the conversation did not end as it should: the client went away, or
    /// made too many mistakes.
    pub fn has_failed(&self) -> bool {
        self.failed
    }
}
