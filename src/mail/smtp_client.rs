//! The client's side of SMTP and LMTP (RFC 5321, RFC 2033).
//!
//! Callouts of `verify` speak it, and deliveries and ATRN do. It stands beside the
//! ACLs, and not with the server's side in `mta/`, because `mta/` is built upon
//! this crate and can't be seen from here, while everybody who is a client can see
//! this.
//!
//! The protocol itself touches no connection: [`Replies`] makes replies of bytes,
//! [`Opening`] says what comes next until commands may be given, [`Wire`] has a message
//! in the form in which it is sent. [`Connection`] puts them upon a stream of the world. The other side may be hostile: a reply is
//! bounded in its length, and all of it has to come within one time.

mod connection;
mod opening;
mod reply;
mod wire;

pub use connection::{Connection, Trouble};
pub use opening::{Hello, Next, Offers, Opening};
pub use reply::{Read, Replies, Reply};
pub use wire::Wire;
