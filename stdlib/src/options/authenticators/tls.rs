//! The authenticator tls.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Authenticator, "tls", "specification 42");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("server_param").expanded().summary("An older name of `server_param1`."),
    AT.text("server_param1")
        .expanded()
        .summary("Expanded for `$auth1` before `server_condition` is."),
    AT.text("server_param2")
        .expanded()
        .summary("Expanded for `$auth2` before `server_condition` is."),
    AT.text("server_param3")
        .expanded()
        .summary("Expanded for `$auth3` before `server_condition` is."),
];
