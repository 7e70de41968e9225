//! Verbs of ACLs (specification, chapter 44). What may stand under them runs in another
//! room, and is defined there.

mod verbs;

pub use verbs::VERBS;
