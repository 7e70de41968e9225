//! The interpreted MTA core: SMTP as a state machine, driven by a configuration's
//! ACLs. It has no thread, no clock and no file of its own: bytes go in, events
//! come out, and what it has to know of the outside it gets through the
//! [`World`](eximious::World) of its context.
#![forbid(unsafe_code)]

pub mod auth;
pub mod batch;
mod dsn;
mod logs;
mod options;
pub mod reception;
pub mod smtp;
pub mod spool;
pub mod submission;
