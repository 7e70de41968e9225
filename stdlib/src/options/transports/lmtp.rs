//! The transport lmtp.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Transport, "lmtp", "specification 28");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("batch_id")
        .expanded()
        .summary("What addresses must have in common to be delivered together."),
    AT.integer("batch_max").default("1").summary("How many addresses are delivered together."),
    AT.text("command")
        .expanded()
        .summary("The command that speaks LMTP; each argument is expanded by itself.")
        .docs(
            "It has the umask 077; Exim gives it none, so that everybody may write to its files.",
        ),
    AT.no("ignore_quota").summary("Adds IGNOREQUOTA to RCPT where the server knows it."),
    AT.text("socket").expanded().summary("The socket where a server speaks LMTP."),
    AT.time("timeout").default("5m").summary("How long the server is waited for."),
];
