//! The parts of a message (MIME, RFC 2045 to 2047, 2231), as Exim sees them: they are
//! read from where they are kept, a line at a time, and the message is never in memory.

mod header;
mod lines;
mod transfer;
mod walk;

pub(crate) use header::PartHeader;
pub(crate) use lines::Lines;
pub(crate) use transfer::{Anomaly, Transfer};
pub(crate) use walk::{Part, PartContent, Walk, WalkError};
