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
