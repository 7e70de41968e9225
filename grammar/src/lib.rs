//! Bytes to trees.
//!
//! This room is pure: it reads no file, knows no built-in by name and never
//! fails. Text that is wrong becomes a tree that ends in a [`Fault`], so that
//! an evaluator raises the fault exactly where Exim would have met it, after
//! the side effects that come before it.
//!
//! [`expansion`] reads `${…}` strings; what words exist, and what may follow
//! each, comes from a [`expansion::Vocabulary`]. [`config`] reads the lines of a
//! configuration file, [`sieve`] Sieve scripts.
#![forbid(unsafe_code)]

#[cfg(feature = "config")]
pub mod config;
pub mod expansion;
pub mod filter;
pub mod scan;
pub mod sieve;
mod span;
pub mod stack;

pub use expansion::Fault;
pub use expansion::{escape, is_space};
pub use span::Span;
