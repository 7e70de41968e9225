//! The router queryprogram.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Router, "queryprogram", "specification 21");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("command")
        .expanded()
        .summary("The command that says what to do; each argument is expanded by itself.")
        .docs(
            "Its first line of output begins with a word such as `ACCEPT`, `DECLINE`, `DEFER`, \
             `FAIL`, `FREEZE`, `PASS` or `REDIRECT`, which decides about the address.",
        ),
    AT.group("command_group")
        .expanded()
        .varies()
        .summary("The group that the command runs as.")
        .docs(
            "By default that of `command_user`, if a name stands there. A name or number that has \
             to be expanded first is of no use: as in Exim, every address is deferred then.",
        ),
    AT.user("command_user").expanded().summary("The user that the command runs as."),
    AT.text("current_directory").default("/").summary("The directory that the command runs in."),
    AT.time("timeout").default("1h").summary("How long the command may take; zero for no limit."),
];
