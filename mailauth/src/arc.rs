//! ARC (RFC 8617): what others on a message's way found out, sealed by each of them.

mod seal;
mod set;
#[cfg(test)]
mod tests;
mod validate;

pub use seal::ArcSealer;
pub use set::{ArcSeal, ArcSet, ChainStatus, LONGEST_CHAIN};
pub use validate::{ArcReason, ArcResult, ArcState, ArcValidator};
