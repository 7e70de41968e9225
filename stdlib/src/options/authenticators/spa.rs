//! The authenticator spa.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Authenticator, "spa", "specification 40");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("client_domain")
        .expanded()
        .source("specification 40.2")
        .summary("The client's domain."),
    AT.text("client_password")
        .expanded()
        .source("specification 40.2")
        .summary("The client's password."),
    AT.text("client_username")
        .expanded()
        .source("specification 40.2")
        .summary("The client's user name."),
    AT.text("server_password")
        .expanded()
        .source("specification 40.1")
        .summary("The password of the user in `$auth1`."),
];
