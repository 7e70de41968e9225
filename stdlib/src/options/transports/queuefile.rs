//! The transport queuefile.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Transport, "queuefile", "experimental features");

pub(super) static ALL: &[OptionDef] = &[AT
    .text("directory")
    .expanded()
    .summary("The directory that gets copies of the message's files in the spool.")];
