//! What is said of a word that needs a part which is not in this build.

use eximious_core::{ErrorKind, Fail};

/// A failure that names the cargo feature. The word itself stays known, so that what is
/// written for another build is understood here.
pub(crate) fn absent(what: &str, feature: &str) -> Fail {
    let message = format!("{what} is not in this build (cargo feature {feature})");
    Fail::error(ErrorKind::Unsupported, message)
}
