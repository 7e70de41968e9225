//! The authenticator cram_md5.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Authenticator, "cram_md5", "specification 35");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("client_name")
        .expanded()
        .varies()
        .source("specification 35.2")
        .summary("The client's user name.")
        .docs("This host's name where it is unset."),
    AT.text("client_secret")
        .expanded()
        .source("specification 35.2")
        .summary("The client's password."),
    AT.text("server_secret")
        .expanded()
        .source("specification 35.1")
        .summary("The password of the user in `$auth1`; a forced failure refuses."),
];
