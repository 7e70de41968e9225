//! The server's side of SMTP (specification, chapters 44 and 49; RFC 5321).
//!
//! A [`SmtpSession`] is one connection. Whoever has the connection gives it what comes
//! in ([`SmtpSession::receive`]), and does what it asks for ([`SmtpSession::next_event`])
//! until it asks for nothing more; then it wants more bytes. It takes one command
//! after the other, so that what is told on the way (log lines, steps of ACLs)
//! stands in order with the replies.

mod accepted;
mod acl;
mod atrn;
mod auth;
mod bdat;
mod client_hello;
mod command;
mod connect;
mod connection;
mod cutthrough;
mod data;
mod dkim;
mod ehlo;
mod errors;
mod etrn;
mod final_dot;
mod header;
mod ident;
mod input;
mod large;
mod logging;
mod mail;
mod mail_data;
mod memory;
mod options;
mod parameters;
mod parts;
pub mod proxy;
mod ratelimit;
mod rcpt;
pub(crate) mod reply;
mod reserve;
mod session;
mod shutdown;
mod stage;
mod sync;
#[cfg(test)]
mod tests;
mod timeout;
mod tls;
mod tls_options;
mod transaction;
mod verdict;
mod vrfy;
mod wellknown;
mod xclient;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious::acl::Control;
use eximious::world::{Moment, SpoolData};
use eximious::{Header, Message, Str};

pub use etrn::StartRun;
pub use final_dot::Inlet;
pub use memory::is_used_up;
pub(crate) use parameters::xtext;
pub(crate) use reserve::beyond_connection;
pub use session::{Outlet, SmtpServer, SmtpSession, TrafficMarker};
pub use shutdown::Awaited;
pub(crate) use transaction::UNKNOWN_SIZE;

/// Who is connected. [`Client::at`], [`Client::local`] and their like make one, whose other fields
/// are set as far as they are known.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Client {
    /// Its address; a local program has none.
    pub address: Option<IpAddr>,
    /// Its port, or 0.
    pub port: u16,
    /// The address that it connected to.
    pub local_address: Option<IpAddr>,
    /// The port that it connected to.
    pub local_port: Option<u16>,
    /// Whether another program took the connection, and handed it on (inetd).
    pub by_inetd: bool,
    /// Whether it was called, and has changed parts with this side (ATRN).
    pub is_provider: bool,
    /// How many are connected, with this one, where somebody counts.
    pub count: Option<usize>,
    /// A name for the connection (`$connection_id`); empty for none.
    pub connection: Str,
    /// Whether it has to wait for replies (`smtp_enforce_sync`). That can be told
    /// only where all that has come in is given to the session before it goes on.
    pub synchronizes: bool,
    /// The user whose program it is, where it is one of this system, or who called the
    /// program that has the connection.
    pub user: Option<Submitter>,
    /// Whether TLS comes first, whatever the port is (`-tls-on-connect`).
    pub begins_with_tls: bool,
    /// Whether a program of this system must say which domains it means (`-bnq`).
    pub qualifies_itself: bool,
    /// Whether what it hands in is delivered in pretence only (`-N`).
    pub pretends: bool,
    /// Whether that is said to be reports of errors (`-E`).
    pub is_error: bool,
    /// Whether that is delivered at once in spite of `queue_only`: the command line, which
    /// says so, has its way (`queue_only_override`).
    pub overrides_queue_only: bool,
    /// Whether that waits for a run of the queue, whatever else holds (`-odq`).
    pub queues_all: bool,
    /// The message that what it hands in is about (`-oMm`); empty for none.
    pub about: Vec<u8>,
}

impl Client {
    /// One at an address and a port. An IPv4 address that is written as one of IPv6 counts
    /// as what it is.
    pub fn at(remote: SocketAddr) -> Self {
        let address = Some(remote.ip().to_canonical());
        Self { address, port: remote.port(), ..Self::default() }
    }

    /// A program of a user of this system.
    pub fn local(user: Submitter) -> Self {
        Self { user: Some(user), ..Self::default() }
    }

    /// One whose connection another program took; the user handed it on.
    pub fn handed_on(remote: SocketAddr, user: Submitter) -> Self {
        Self { by_inetd: true, user: Some(user), ..Self::at(remote) }
    }

    /// Whether it is a program of this system, which speaks for its user.
    pub(crate) fn is_program(&self) -> bool {
        self.user.is_some() && !self.is_provider && !self.by_inetd
    }

    /// Who was called, and sends mail over the same connection (ATRN); the user has called.
    pub fn provider(remote: SocketAddr, user: Submitter) -> Self {
        Self { is_provider: true, user: Some(user), ..Self::at(remote) }
    }

    /// The same, connected to an address and a port of ours.
    pub fn connected_to(self, local: SocketAddr) -> Self {
        let local_address = Some(local.ip().to_canonical());
        Self { local_address, local_port: Some(local.port()), ..self }
    }
}

/// A user of this system who hands messages in.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Submitter {
    /// The login name.
    pub login: Vec<u8>,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The full name.
    pub name: Vec<u8>,
    /// The full name that was given (`-F`).
    pub called: Option<Vec<u8>>,
    /// Whether it is believed who a message is from.
    pub trusted: bool,
}

/// What a session wants done.
#[derive(Debug)]
pub enum Event {
    /// These bytes are for the client.
    Reply(Vec<u8>),
    /// Nothing is to be done for a while.
    Delay {
        /// How long.
        time: Duration,
        /// Whether what was said so far is to be sent before.
        sends: bool,
    },
    /// A message has come. [`SmtpSession::conclude`] says what became of it; until
    /// then, nothing more is asked for.
    Message(Box<Received>),
    /// The connection is to be closed. It is the last event.
    Close,
}

/// A message that was received, by SMTP or otherwise, and that no ACL refused. What
/// else is known of its way here is in variables: `$sender_host_address`,
/// `$sender_ident`, `$received_protocol`, ….
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Received {
    /// Its name.
    pub id: Str,
    /// It, with its envelope.
    pub message: Message,
    /// The recipients, and what was asked for each.
    pub recipients: Vec<Recipient>,
    /// What MAIL said.
    pub sender: EnvelopeSender,
    /// Which ACL threw all recipients away, if one did: `RCPT`.
    pub discarded: Option<&'static str>,
    /// What ACLs want done with it (`control`), by name.
    pub controls: BTreeMap<&'static str, Control>,
    /// The named queue that it goes to; empty for the usual one.
    pub queue: Str,
    /// Whether it came by BDAT.
    pub chunked: bool,
    /// Whether its body is as it came, with the ends of lines that SMTP has
    /// (`spool_wireformat`).
    pub wire: bool,
    /// Whether each recipient was judged alone, and the client knows of each.
    pub judged_for_each: bool,
    /// When it began to come in; at the beginning of time, it is as its message says.
    pub began: Moment,
    /// Who handed it in; nobody but this program, where it came from elsewhere.
    pub submitter: Option<Submitter>,
    /// What follows from who handed it in.
    pub provenance: Provenance,
    /// Those who get it in no case, whatever becomes of the recipients.
    pub not_for: Vec<Str>,
    /// Header lines that were taken out, or replaced. They are kept to be looked at.
    pub replaced: Vec<Replaced>,
    /// The data file of the spool, where its body is there already.
    pub data: Option<Box<dyn SpoolData>>,
    /// Whether its next host had all of it, and would not take it now
    /// (`control = cutthrough_delivery`).
    pub is_put_off: bool,
}

impl Received {
    /// Whether it is not delivered at once: an ACL wants that it waits in the spool
    /// (`control = queue`), or has frozen it, or its next host has put it off.
    pub fn waits(&self) -> bool {
        self.is_queued() || self.is_frozen() || self.is_put_off
    }

    /// Whether an ACL wants that it waits for a run of the queue.
    pub fn is_queued(&self) -> bool {
        ["queue", "queue_only"].iter().any(|name| self.controls.contains_key(name))
    }

    /// Whether an ACL wants that it is routed before it waits (`control =
    /// queue/first_pass_route`); by its former name, the control does not have that.
    pub fn is_routed_first(&self) -> bool {
        let queue = self.controls.get("queue");
        queue.is_some_and(|control| control.options.bytes().starts_with(b"first_pass_route"))
    }

    /// Whether an ACL has frozen it.
    pub fn is_frozen(&self) -> bool {
        self.controls.contains_key("freeze")
    }
}

/// What follows from who handed a message in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Provenance {
    /// Whether its sender is a user of this system.
    pub local: bool,
    /// Whether it is a report of an error, from this system (`-E`).
    pub local_error: bool,
    /// Whether its sender was set by somebody who is not trusted.
    pub sender_set_untrusted: bool,
    /// Whether addresses of senders in its header may be without a domain.
    pub unqualified_senders: bool,
    /// Whether addresses of recipients in its header may be without a domain.
    pub unqualified_recipients: bool,
    /// Whether its delivery is only pretended (`-N`).
    pub pretended: bool,
}

/// A header line that is no part of a message any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// How many of the message's header lines stand before it.
    pub before: usize,
    /// It.
    pub header: Header,
}

/// A recipient, as RCPT named it.
#[derive(Clone, Debug, Default)]
pub struct Recipient {
    /// The address.
    pub address: Str,
    /// `NOTIFY`: what the sender wants to be told of.
    pub notify: DsnNotify,
    /// `ORCPT`, as it was given.
    pub original: Option<Vec<u8>>,
    /// Who is told of errors, if that is not the sender.
    pub errors_to: Str,
    /// The place in the list of recipients of the one from whom this one was made,
    /// once and for all (`one_time`).
    pub parent: Option<u32>,
}

/// What the sender wants to be told of (RFC 3461).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[allow(missing_docs, reason = "each is the word of that name")]
pub struct DsnNotify {
    pub never: bool,
    pub success: bool,
    pub failure: bool,
    pub delay: bool,
}

/// What MAIL said.
#[derive(Clone, Debug, Default)]
pub struct EnvelopeSender {
    /// The address; empty for a bounce.
    pub address: Str,
    /// `SIZE`.
    pub size: Option<u64>,
    /// `BODY`: which bytes were announced, if any were.
    pub body: Option<BodyBytes>,
    /// The address before it was rewritten.
    pub said: Str,
    /// The same without a domain that was added; whoever may not be that, himself.
    pub raw: Str,
    /// `SMTPUTF8`.
    pub utf8: bool,
    /// `PRDR`.
    pub prdr: bool,
    /// `RET`: whether the whole message is to be returned, or its header.
    pub returned: Option<Returned>,
    /// `ENVID`, as it was given.
    pub envelope_id: Option<Vec<u8>>,
}

/// `BODY`: which bytes a message has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BodyBytes {
    /// `7BIT`
    Seven,
    /// `8BITMIME`
    Eight,
}

/// `RET`: what a report brings back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Returned {
    /// `FULL`
    Full,
    /// `HDRS`
    Headers,
}

/// What became of a message that a session had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SpoolOutcome {
    /// It is in the spool.
    Spooled,
    /// It could not be kept; the client is to come back.
    Failed(SpoolFailure),
    /// Another host has it already (`control = cutthrough_delivery`).
    CutThrough,
}

/// Why a message could not be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpoolFailure {
    /// The reason.
    pub why: Vec<u8>,
    /// The reply.
    pub said: String,
    /// Whether no other message would be kept either, and somebody should look after
    /// that.
    pub broken: bool,
}

impl Submitter {
    /// The name that stands beside an address of the sender. Where the user may say
    /// who that is, it may be somebody else, whose name is not known.
    pub fn name_beside(&self, may_be_other: bool) -> Vec<u8> {
        match &self.called {
            Some(name) => name.clone(),
            None if may_be_other => Vec::new(),
            None => self.name.clone(),
        }
    }
}
