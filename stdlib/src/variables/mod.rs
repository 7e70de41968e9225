//! Variables: `$name` (specification 11.9).

mod acl;
mod arc;
mod auth;
mod clock;
mod delivery;
mod dkim;
mod dmarc;
mod dnslist;
mod events;
mod families;
mod filter;
mod host;
mod local;
mod message;
mod mime;
mod program;
mod proxy;
mod recipients;
mod record;
mod scanning;
mod scope;
mod sender;
mod smtp;
mod spf;
mod srs;
mod tls;
pub mod var;

use eximious_core::Variable;

pub use program::{LANGUAGE_VERSION, RELEASE_DATE, VERSION};

/// All variables, by family.
pub static ALL: &[&[Variable]] = &[
    acl::ALL,
    arc::ALL,
    auth::ALL,
    clock::ALL,
    delivery::ALL,
    dkim::ALL,
    dmarc::ALL,
    dnslist::ALL,
    events::ALL,
    families::ALL,
    filter::ALL,
    host::ALL,
    local::ALL,
    message::ALL,
    mime::ALL,
    program::ALL,
    proxy::ALL,
    recipients::ALL,
    scanning::ALL,
    scope::ALL,
    sender::ALL,
    smtp::ALL,
    spf::ALL,
    srs::ALL,
    tls::ALL,
];
