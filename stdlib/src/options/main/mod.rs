//! Options of the main section, by subject.

mod acl;
mod bounce;
mod callout;
mod daemon;
mod dns;
mod identity;
mod logging;
mod lookups;
mod message;
mod scanning;
mod smtp_in;
mod spool;
mod tls;

use eximious_core::OptionDef;

pub(super) static ALL: &[&[OptionDef]] = &[
    acl::ALL,
    bounce::ALL,
    callout::ALL,
    daemon::ALL,
    dns::ALL,
    identity::ALL,
    logging::ALL,
    lookups::ALL,
    message::ALL,
    scanning::ALL,
    smtp_in::ALL,
    spool::ALL,
    tls::ALL,
];
