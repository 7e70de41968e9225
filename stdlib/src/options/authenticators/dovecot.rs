//! The authenticator dovecot.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Authenticator, "dovecot", "specification 37");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("server_socket")
        .summary("The socket of Dovecot's authentication: a path, or a host and a port."),
    AT.no("server_tls")
        .since("4.94")
        .source("experimental features")
        .summary("Speaks TLS with Dovecot, where it is reached by host and port."),
];
