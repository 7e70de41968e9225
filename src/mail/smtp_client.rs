//! The client's side of SMTP and LMTP (RFC 5321, RFC 2033).
//!
//! Callouts of `verify` speak it, and deliveries do. It stands beside the ACLs, and not
//! with the server's side in `mta/`, because `mta/` is built upon this crate and can't be
//! seen from here, while everybody who is a client can see this. It knows nothing of
//! them: what is to be said arrives as data, each method is a step of the protocol, and
//! what goes over the connection is told to a [`Trace`](eximious_core::Trace), secrets
//! starred out.
//!
//! [`SmtpClient`] is who speaks: [`SmtpClient::connect`], [`SmtpClient::banner`], [`SmtpClient::ehlo`],
//! [`SmtpClient::starttls`], [`SmtpClient::auth`], [`SmtpClient::mail`], [`SmtpClient::rcpt`],
//! [`SmtpClient::data`] or [`SmtpClient::first_chunk`], [`SmtpClient::end_of_data`], [`SmtpClient::rset`] before
//! another message, [`SmtpClient::quit`]. Each gives the reply, where the server says yes, or
//! an [`SmtpError`]: at which command, and why. Commands that are sent together are
//! queued ([`SmtpClient::queue`], [`SmtpClient::send`]), and answered one by one
//! ([`SmtpClient::answer`]).
//!
//! Beneath it, [`Replies`] makes replies of bytes, [`Wire`] has a message in the form in
//! which it is sent, [`SmtpConnection`] puts them upon a stream of the world. The other side
//! may be hostile: a reply is bounded in its length, and all of it has to come within one
//! time.

mod auth;
mod chunks;
mod client;
mod command;
mod connection;
mod error;
mod extensions;
mod message;
mod reply;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

pub use chunks::Chunks;
pub use client::{Endpoint, Exchange, Protocol, SmtpClient, Timeouts};
pub use command::{MailParams, RcptParams, SentCommand, SmtpCommand};
pub use connection::{ConnectionTrouble, SmtpConnection};
pub use error::{Cause, SmtpError};
pub use extensions::{AnnouncedLimits, Extensions, Hello};
pub use message::Verdicts;
pub use reply::{Read, Replies, Reply, ReplyClass};
pub use wire::Wire;
