//! The authenticator gsasl.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Authenticator, "gsasl", "specification 38");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("client_authz")
        .expanded()
        .since("4.94")
        .summary("The identity to act as, where it is another than `client_username`."),
    AT.no("client_channelbinding")
        .since("4.94")
        .summary("Binds the client's authentication to its TLS connection."),
    AT.text("client_password").expanded().since("4.94").summary("The client's password."),
    AT.text("client_spassword")
        .expanded()
        .since("4.94")
        .summary("The client's password as SCRAM salts it."),
    AT.text("client_username").expanded().since("4.94").summary("The client's user name."),
    AT.no("server_channelbinding").summary("Binds authentication to the TLS connection."),
    AT.sasl_hostname(),
    AT.text("server_key")
        .expanded()
        .since("4.94")
        .summary("The ServerKey of SCRAM for the user, in base64."),
    AT.sasl_mech(),
    AT.text("server_password").expanded().summary("The password of the user in `$auth1`."),
    AT.sasl_realm(),
    AT.text("server_scram_iter").expanded().default("4096").summary("How often SCRAM hashes."),
    AT.text("server_scram_salt").expanded().summary("The salt of SCRAM, in base64."),
    AT.sasl_service(),
    AT.text("server_skey")
        .expanded()
        .since("4.94")
        .summary("The StoredKey of SCRAM for the user, in base64."),
];
