//! DKIM (RFC 6376, RFC 8301, RFC 8463): signatures of messages, verified and made.

mod header;
mod key;
mod sign;
mod signature;
mod verify;

#[cfg(test)]
mod tests;

pub(crate) use header::{field_name, signed_fields};
pub(crate) use key::KeyAnswers;
pub use key::{KeyRecord, NoKeyRecord};
pub use sign::{DkimSigner, OVERSIGN_HEADERS, SIGN_HEADERS, Unsigned};
pub(crate) use sign::{signed_field, signs};
pub use signature::{Algorithm, DkimSignature, Flaw};
pub use verify::{DkimPolicy, DkimReason, DkimResult, DkimStatus, DkimVerifier, TooMany};
