//! Conditions and modifiers of ACLs, and what `control` and `verify` may name
//! (specification, chapter 44).

mod controls;
mod terms;
mod verifies;

pub use controls::CONTROLS;
pub use terms::TERMS;
pub use verifies::VERIFIES;
