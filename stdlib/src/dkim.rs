//! What is known of the DKIM signatures of the message at hand. The ACL for DKIM finds it
//! out; `${authresults…}`, DMARC and the log line of the message ask for it.

use eximious_mailauth::dkim::{DkimReason, DkimResult, DkimStatus};

/// What came of the signatures, in the order in which they were verified.
#[derive(Debug, Default)]
pub struct DkimFindings {
    /// Each of them.
    pub found: Vec<DkimFound>,
    /// The domain that the log line of the message names; empty where there is none.
    pub logged: Vec<u8>,
}

/// What came of a signature.
#[derive(Debug)]
pub struct DkimFound {
    /// By the protocol.
    pub result: DkimResult,
    /// Whether an ACL has put something else in its place (`set dkim_verify_status`).
    pub overridden: bool,
}

/// What counts of a signature for who asks about its domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DkimSummary {
    /// The domain that signed (`d=`).
    pub domain: Vec<u8>,
    /// Which of its keys (`s=`).
    pub selector: Vec<u8>,
    /// What came of it; `None` where an ACL has put something else in its place.
    pub status: DkimStatus,
    /// Whether something else may come of it at another time: the DNS did not answer.
    pub temporary: bool,
}

impl DkimFindings {
    /// What counts of each signature.
    pub fn summaries(&self) -> impl Iterator<Item = DkimSummary> {
        self.found.iter().map(|found| {
            let DkimResult { signature, status, reason, .. } = &found.result;
            DkimSummary {
                domain: signature.domain.clone(),
                selector: signature.selector.clone(),
                status: if found.overridden { DkimStatus::None } else { *status },
                temporary: *reason == Some(DkimReason::KeyUnavailable(true)),
            }
        })
    }
}
