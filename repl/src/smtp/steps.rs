//! The steps of a session, as `-bh` shows them.

use std::io::{self, Write};

use eximious::acl::AclStep;
use eximious::debugging::indented;

/// Shows a step of a test.
pub fn tell(depth: u32, text: &[u8]) {
    // There is nobody to tell that the standard error is closed.
    let _ = io::stderr().write_all(&indented(b">>> ", depth, text));
}

/// Shows a step of an ACL.
pub fn show(step: &AclStep<'_>) {
    step.tell(&mut tell);
}
