//! What all authenticators have.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::all(DriverKind::Authenticator, "specification 33.1");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("client_condition")
        .expanded()
        .summary("Says whether a client uses the authenticator; expanded."),
    AT.text("client_set_id").expanded().summary("The name to log after a client's success."),
    AT.text("driver").summary("The kind of authenticator."),
    AT.text("public_name")
        .varies()
        .summary("The mechanism's name in the protocol; by default the authenticator's own.")
        .docs("Mechanisms are compared without regard to case."),
    AT.text("server_advertise_condition")
        .expanded()
        .summary("Says whether a server offers the mechanism; expanded.")
        .docs("To offer it over TLS only: `${if def:tls_in_cipher}`."),
    AT.text("server_condition")
        .expanded()
        .summary("Says whether a client has proved who it is; expanded.")
        .docs(
            "Nothing, `0`, `no` or `false` refuses, `1`, `yes` or `true` accepts; any other text \
             is a temporary error, and the client is told. plaintext needs it; for others it \
             comes on top.",
        ),
    AT.text("server_debug_print")
        .expanded()
        .summary("A text that is expanded and shown when debugging."),
    AT.text("server_mail_auth_condition")
        .expanded()
        .summary("Says whether the AUTH parameter of MAIL is believed."),
    AT.text("server_set_id")
        .expanded()
        .summary("The name that `$authenticated_id` gets after a success."),
];
