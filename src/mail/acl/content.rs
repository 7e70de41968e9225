//! What looks into a message (specification, chapter 45): some of it is known, and not there
//! yet.

pub(super) mod copy;
pub(super) mod decode;
pub(super) mod malware;
mod parts;
pub(super) mod regexes;
pub(super) mod spam;

pub(crate) use copy::UNCOPIED;
pub use parts::PartsVerdict;

use eximious_core::{AclPhases, AclTerm};

use super::words;

/// `bmi_optin`.
pub(super) static BMI_OPTIN: AclTerm = words::not_yet(
    words::meta(
        "bmi_optin",
        "bmi_optin = <address list>",
        "experimental-spec",
        "The recipient has opted in to Brightmail's scanning.",
        "Those recipients alone get the verdict of the scanner. It is part of an experiment of \
         former releases for a product that is no longer sold.",
    )
    .needs("Brightmail's library")
    .until("4.100"),
)
.phases(AclPhases::RCPT)
.unexpanded();
