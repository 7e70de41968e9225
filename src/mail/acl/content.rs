//! What looks into a message (specification, chapter 45), or at the queue: some of it is
//! known, and not there yet.

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

/// `atrn_domains`.
pub(super) static ATRN_DOMAINS: AclTerm = words::not_yet(
    words::meta(
        "atrn_domains",
        "atrn_domains = <domain list>",
        words::CONDITIONS,
        "Messages wait for one of the domains listed.",
        "It is for the ACL of ATRN alone, where a client asks for its mail over the same \
         connection. The list must not be tainted, and should name only domains that belong to \
         whoever has authenticated.",
    )
    .since("4.99"),
)
.phases(AclPhases::ATRN)
.unexpanded()
.effects(words::OF_LISTS);

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
