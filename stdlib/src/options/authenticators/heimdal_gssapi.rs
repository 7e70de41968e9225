//! The authenticator heimdal_gssapi.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Authenticator, "heimdal_gssapi", "specification 39");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("server_hostname")
        .expanded()
        .default("$primary_hostname")
        .summary("The host's name in the server's name."),
    AT.text("server_keytab")
        .expanded()
        .summary("The file of the server's keys; by default the system's."),
    AT.text("server_service")
        .expanded()
        .default("smtp")
        .summary("The service in the server's name."),
];
