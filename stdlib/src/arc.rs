//! What is known of the ARC chain of the message at hand. `verify = arc` finds it out;
//! `${authresults…}` and the log line of the message ask for it.

use eximious_mailauth::arc::{ArcResult, ArcState};

/// What came of the chain; none where nobody has asked.
#[derive(Debug, Default)]
pub struct ArcFindings {
    /// By the protocol.
    pub found: Option<ArcResult>,
}

impl ArcFindings {
    /// Whether the chain was found to be good.
    pub fn is_good(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.state == ArcState::Pass)
    }
}
