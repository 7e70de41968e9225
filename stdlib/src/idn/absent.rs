//! What stands for international names where they are not in this build.

/// What is said of any of them.
const ABSENT: &str = "international names are not in this build (cargo feature idn)";

/// A domain, label by label, as DNS has it.
///
/// # Errors
/// It is not in this build.
pub fn domain_to_alabel(_: &[u8]) -> Result<Vec<u8>, &'static str> {
    Err(ABSENT)
}

/// A domain with every label that begins with `xn--` decoded.
///
/// # Errors
/// It is not in this build.
pub fn domain_from_alabel(_: &[u8]) -> Result<Vec<u8>, &'static str> {
    Err(ABSENT)
}

/// A local part as one label.
///
/// # Errors
/// It is not in this build.
pub fn localpart_to_alabel(_: &[u8]) -> Result<Vec<u8>, &'static str> {
    Err(ABSENT)
}

/// What a local part was before [`localpart_to_alabel`].
///
/// # Errors
/// It is not in this build.
pub fn localpart_from_alabel(_: &[u8]) -> Result<Vec<u8>, &'static str> {
    Err(ABSENT)
}
