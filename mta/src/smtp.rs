//! The server's side of SMTP (specification, chapters 44 and 49; RFC 5321).
//!
//! A [`Session`] is one connection. Whoever has the connection gives it what comes
//! in ([`Session::receive`]), and does what it asks for ([`Session::next_event`])
//! until it asks for nothing more; then it wants more bytes. It takes one command
//! after the other, so that what is told on the way (log lines, steps of ACLs)
//! stands in order with the replies.

mod atrn;
mod chunks;
mod commands;
mod envelope;
mod errors;
mod hello;
mod ident;
mod input;
mod message;
mod options;
mod params;
mod patience;
pub mod proxy;
mod reading;
mod reply;
mod room;
mod run;
mod session;
mod start;
mod sync;
#[cfg(test)]
mod tests;
mod verdict;
mod verify;
mod wellknown;
mod xclient;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use eximious::acl::Control;
use eximious::{Message, Str};

pub use session::{Server, Session, Watch};

/// Who is connected.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Its address; a local program has none.
    pub address: Option<IpAddr>,
    /// Its port, or 0.
    pub port: u16,
    /// The address that it connected to.
    pub local_address: Option<IpAddr>,
    /// The port that it connected to.
    pub local_port: Option<u16>,
    /// Whether it has to wait for replies (`smtp_enforce_sync`). That can be told
    /// only where all that has come in is given to the session before it goes on.
    pub synchronizes: bool,
}

/// What a session wants done.
#[derive(Debug)]
pub enum Event {
    /// These bytes are for the client.
    Reply(Vec<u8>),
    /// What was said so far is to be sent, and nothing be done for a while.
    Delay(Duration),
    /// A message has come. [`Session::conclude`] says what became of it; until
    /// then, nothing more is asked for.
    Message(Box<Received>),
    /// `ETRN` asks for a run of the queue, by this argument.
    RunQueue(Vec<u8>),
    /// The connection is to be closed. It is the last event.
    Close,
}

/// A message that was received, and that no ACL refused.
#[derive(Debug)]
pub struct Received {
    /// Its name.
    pub id: Str,
    /// It, with its envelope.
    pub message: Message,
    /// The recipients, and what was asked for each.
    pub recipients: Vec<Recipient>,
    /// What MAIL said.
    pub sender: Sender,
    /// Which ACL threw all recipients away, if one did: `RCPT`.
    pub discarded: Option<&'static str>,
    /// What ACLs want done with it (`control`), by name.
    pub controls: BTreeMap<&'static str, Control>,
    /// The named queue that it goes to; empty for the usual one.
    pub queue: Str,
    /// Whether it came by BDAT.
    pub chunked: bool,
    /// Whether each recipient was judged alone, and the client knows of each.
    pub judged_for_each: bool,
}

/// A recipient, as RCPT named it.
#[derive(Clone, Debug, Default)]
pub struct Recipient {
    /// The address.
    pub address: Str,
    /// `NOTIFY`: what the sender wants to be told of.
    pub notify: Notify,
    /// `ORCPT`, as it was given.
    pub original: Option<Vec<u8>>,
}

/// What the sender wants to be told of (RFC 3461).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs, reason = "each is the word of that name")]
pub struct Notify {
    pub never: bool,
    pub success: bool,
    pub failure: bool,
    pub delay: bool,
}

/// What MAIL said.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    /// The address; empty for a bounce.
    pub address: Str,
    /// `SIZE`.
    pub size: Option<u64>,
    /// `BODY`: whether bytes beyond ASCII were announced.
    pub eight_bit: bool,
    /// `SMTPUTF8`.
    pub utf8: bool,
    /// `PRDR`.
    pub per_recipient: bool,
    /// `RET`: whether the whole message is to be returned, or its header.
    pub returned: Option<Returned>,
    /// `ENVID`, as it was given.
    pub envelope_id: Option<Vec<u8>>,
}

/// `RET`: what a report brings back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Returned {
    /// `FULL`
    Full,
    /// `HDRS`
    Headers,
}

/// What became of a message that a session had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It is in safe hands.
    Yes,
    /// It could not be kept; the client is to come back.
    Later(Vec<u8>),
}
