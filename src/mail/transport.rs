//! Transports: how a message gets to where its addresses go (specification, chapters 24 to
//! 30).
//!
//! A transport is an instance of a driver with its options as they count; the driver's
//! record runs (a `TransportCall`), and says for each address what came of it
//! ([`Outcome`]). Queues, retries, logs and reports are not known here: who delivers asks,
//! and does what has to be done about the answers.

mod appendfile;
mod autoreply;
mod batch;
mod bounds;
mod call;
mod directory;
mod driver;
mod embedded;
mod filter;
mod filtered;
mod limits;
mod lmtp;
mod local;
mod outcome;
#[allow(dead_code, reason = "mailboxes and commands change lines")]
mod outgoing;
mod pipe;
mod queuefile;
mod shadow;
mod smtp;
mod user;

use eximious_core::Registry;

pub use crate::mail::smtp_transport::{
    CalledProvider, NoProvider, TransportEvent, TurnedConnection, TurnedTls,
};
pub(crate) use appendfile::limit;
pub use batch::TransportBatch;
pub use bounds::TransportBounds;
pub(crate) use bounds::is_on;
pub(crate) use call::TransportCall;
pub use call::{
    Consignment, Delivering, Downconversion, DsnRequests, FailedHost, HostStanding, StandIn,
};
pub(crate) use driver::Transport;
pub use embedded::{DeliveryCall, driver};
pub use eximious_core::world::LocalUser;
pub use outcome::{Delivered, FirstWords, Outcome, TakingHost, Undelivered};
pub(crate) use outgoing::{Outgoing, header_lines};
pub use smtp::{Connections, HeldConnection, NoConnections};
pub(crate) use smtp::{authenticated_sender, converts_by};

/// Adds the drivers of transports to other words.
pub(crate) fn register(registry: &mut Registry) {
    registry.drivers(driver::DRIVERS);
}
