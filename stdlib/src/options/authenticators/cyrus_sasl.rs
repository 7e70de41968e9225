//! The authenticator cyrus_sasl.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Authenticator, "cyrus_sasl", "specification 36.1");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("server_hostname")
        .expanded()
        .default("$primary_hostname")
        .summary("The host's name that the library is told."),
    AT.text("server_mech")
        .varies()
        .summary("The mechanism; by default `public_name`.")
        .docs("For a mechanism that is to have another name in the protocol."),
    AT.text("server_realm").expanded().summary("The realm that the server says it is in."),
    AT.text("server_service").default("smtp").summary("The service that the server says it is."),
];
