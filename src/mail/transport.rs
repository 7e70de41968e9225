//! Transports: how a message gets to where its addresses go (specification, chapters 24 to
//! 30).
//!
//! A transport is an instance of a driver with its options as they count; the driver's
//! record runs (a `TransportCall`), and says for each address what came of it
//! ([`Outcome`]). Queues, retries, logs and reports are not known here: who delivers asks,
//! and does what has to be done about the answers.

mod appendfile;
mod autoreply;
mod call;
mod driver;
mod embedded;
mod limits;
mod local;
#[allow(dead_code, reason = "mailboxes and commands change lines")]
mod outgoing;
mod pipe;
mod smtp;
mod user;

use eximious_core::Registry;

pub(crate) use appendfile::limit;
pub(crate) use call::TransportCall;
pub use call::{
    Consignment, Delivered, Delivering, DsnRequests, FailedHost, Outcome, TakingHost, Undelivered,
};
pub(crate) use driver::Transport;
pub use embedded::{DeliveryCall, driver};
pub use eximious_core::world::LocalUser;
pub(crate) use outgoing::{Outgoing, header_lines};

/// Adds the drivers of transports to other words.
pub(crate) fn register(registry: &mut Registry) {
    registry.drivers(driver::DRIVERS);
}
