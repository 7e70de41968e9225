//! The room of mail: what a configuration drives, and what drives it. ACLs, routing,
//! filters, rewriting, retries, the client's side of SMTP and of authentication, hints.

pub mod acl;
pub mod auth;
mod brightmail;
pub mod client;
pub mod conversation;
pub mod debugging;
pub mod event;
pub mod filter;
pub mod hints;
pub mod launch;
pub mod loaded;
mod mime;
pub mod mta_sts;
pub mod report_copies;
pub mod retry;
pub mod returned;
pub mod rewrite;
pub mod route;
pub mod smtp_client;
mod smtp_transport;
pub mod transport;

use eximious_core::Registry;

/// Adds the words that this room runs to others.
pub(crate) fn register(registry: &mut Registry) {
    acl::register(registry);
    route::register(registry);
    transport::register(registry);
    auth::register(registry);
}
