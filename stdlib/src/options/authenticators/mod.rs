//! Options of authenticators.

mod cram_md5;
mod cyrus_sasl;
mod dovecot;
mod external;
mod generic;
mod gsasl;
mod heimdal_gssapi;
mod plaintext;
mod spa;
mod tls;

use eximious_core::OptionDef;

use super::At;

pub(super) static ALL: &[&[OptionDef]] = &[
    cram_md5::ALL,
    cyrus_sasl::ALL,
    dovecot::ALL,
    external::ALL,
    generic::ALL,
    gsasl::ALL,
    heimdal_gssapi::ALL,
    plaintext::ALL,
    spa::ALL,
    tls::ALL,
];

/// The options of servers for which a library speaks the mechanisms.
impl At {
    const fn sasl_hostname(self) -> OptionDef {
        self.text("server_hostname")
            .expanded()
            .default("$primary_hostname")
            .summary("The host's name that the library is told.")
    }
    const fn sasl_mech(self) -> OptionDef {
        self.text("server_mech")
            .varies()
            .summary("The mechanism; by default `public_name`.")
            .docs("For a mechanism that is to have another name in the protocol.")
    }
    const fn sasl_realm(self) -> OptionDef {
        self.text("server_realm").expanded().summary("The realm that the server says it is in.")
    }
    const fn sasl_service(self) -> OptionDef {
        self.text("server_service")
            .default("smtp")
            .summary("The service that the server says it is.")
    }
}
