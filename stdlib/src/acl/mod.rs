//! Verbs, conditions and modifiers of ACLs, and what `control` and `verify` may name
//! (specification, chapter 44).

mod controls;
mod terms;
mod verbs;
mod verifies;

pub use controls::CONTROLS;
pub use terms::TERMS;
pub use verbs::VERBS;
pub use verifies::{CALLOUT_PARAMETERS, QUOTA_PARAMETERS, VERIFIES};
