//! The authenticator external.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Authenticator, "external", "specification 41.1");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("client_send")
        .expanded()
        .since("4.93")
        .source("specification 41.3")
        .summary("The identity that the client claims."),
    AT.text("server_param2")
        .expanded()
        .since("4.93")
        .summary("Expanded for `$auth2` before `server_condition` is."),
    AT.text("server_param3")
        .expanded()
        .since("4.93")
        .summary("Expanded for `$auth3` before `server_condition` is."),
];
