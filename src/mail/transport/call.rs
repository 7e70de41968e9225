//! What a transport is asked, and what it answers.

use std::net::IpAddr;

use eximious_core::world::LocalUser;
use eximious_core::{Message, Str};
use eximious_stdlib::address::last_at;
use eximious_stdlib::options::opt::transport as opt;

use super::Transport;
use super::driver::Deliver;
use super::limits::hinder;
use crate::Context;
use crate::acl::OwnMessage;
use crate::config::RetryError;
use crate::mail::route::{Delivery, Routes};
use crate::mail::smtp_transport::Secured;

/// A message that is to go by one transport to one or more addresses at once. The
/// variables of the context speak of the message and of these addresses.
#[derive(Debug)]
pub(crate) struct TransportCall<'c> {
    /// The variables.
    pub(crate) cx: &'c mut Context,
    /// The transport, with its options.
    pub(crate) transport: &'c Transport,
    /// All of them.
    pub(crate) routes: &'c Routes,
    /// What goes where.
    pub(crate) consignment: Consignment<'c>,
    /// What is to be told beside the outcomes.
    pub(crate) done: Delivering,
}

/// What there is to deliver, whatever transport it goes by.
#[derive(Clone)]
pub struct Consignment<'c> {
    /// The message as it is in the spool, header lines in their order.
    pub message: &'c Message,
    /// Where it goes: at least one, and all by the same transport.
    pub deliveries: &'c [&'c Delivery],
    /// The envelope's sender as it leaves (`$return_path`).
    pub return_path: Str,
    /// The user that a local delivery runs as.
    pub user: LocalUser,
    /// When this delivery began, in seconds since 1970.
    pub now: i64,
    /// Whether a host may be tried now.
    pub may_try: &'c dyn Fn(&TakingHost) -> bool,
    /// Puts a message of the transport's own into the spool, as a user of this system: its
    /// header says who gets it. The status that a program would have that does so: 0 where
    /// it is there, 2 where nobody would get it.
    pub hand_in: &'c dyn Fn(&mut Context, &LocalUser, OwnMessage) -> u8,
    /// What is asked of those who take it, where they can do it (RFC 3461): a space before
    /// each parameter of MAIL, and of RCPT for each address.
    pub reports: DsnRequests,
}

/// What reports are asked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct DsnRequests {
    /// ` RET=… ENVID=…`
    pub mail: Vec<u8>,
    /// ` NOTIFY=… ORCPT=…` of each address; none where nothing is asked.
    pub rcpt: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Consignment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let to = self.deliveries.iter().map(|one| one.address.text.display().to_string());
        write!(f, "{} to {}", self.message.id.display(), to.collect::<Vec<_>>().join(", "))
    }
}

/// What came of a consignment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Delivering {
    /// What came of each address, in their order.
    pub outcomes: Vec<Outcome>,
    /// The hosts that failed, or failed for this message, whatever others made of it.
    pub failed_hosts: Vec<FailedHost>,
    /// The hosts that were of use.
    pub good_hosts: Vec<TakingHost>,
    /// Lines for the message's own log, which the main log has already.
    pub message_log: Vec<Vec<u8>>,
    /// What a command wrote that the sender is to see.
    pub output: Vec<u8>,
}

/// A host that failed.
#[derive(Clone, PartialEq, Debug)]
pub struct FailedHost {
    /// The host.
    pub host: TakingHost,
    /// Why.
    pub why: Undelivered,
    /// Whether it failed for this message alone.
    pub for_message: bool,
}

impl TransportCall<'_> {
    /// An address as whoever takes the message is told it.
    pub(crate) fn recipient(&self, at: usize) -> Str {
        self.consignment.recipient(self.transport, at)
    }
}

/// The status where a message can't be sent.
const NOT_SENT: u8 = 1;

impl<'c> Consignment<'c> {
    /// A message that goes to some addresses as its envelope has it: for no user, at no
    /// time that is known, to any host, without reports, and where no message of its own is
    /// sent.
    pub fn new(message: &'c Message, deliveries: &'c [&'c Delivery]) -> Self {
        Self {
            message,
            deliveries,
            return_path: message.sender.clone(),
            user: LocalUser::default(),
            now: 0,
            may_try: &|_| true,
            hand_in: &|_, _, _| NOT_SENT,
            reports: DsnRequests::default(),
        }
    }

    /// An address as whoever takes the message is told it: with affixes only where
    /// `rcpt_include_affixes` says so.
    pub(super) fn recipient(&self, transport: &Transport, at: usize) -> Str {
        let address = &self.deliveries[at].address;
        let (text, taint) = address.text.read();
        let (prefix, suffix) = (address.prefix.text.bytes(), address.suffix.text.bytes());
        let is_plain = prefix.is_empty() && suffix.is_empty();
        if is_plain || transport.on(opt::RCPT_INCLUDE_AFFIXES) {
            return address.text.clone();
        }
        let (local_part, domain) = text.split_at(last_at(text));
        let local_part = local_part.get(prefix.len()..).unwrap_or(local_part);
        let end = local_part.len().saturating_sub(suffix.len());
        Str::from([&local_part[..end], domain].concat()).stamped(taint)
    }
}

impl Routes {
    /// Delivers by a transport, by its number; an outcome for each address, in their
    /// order. `None` where its driver delivers nothing yet.
    pub fn deliver(
        &self,
        cx: &mut Context,
        number: usize,
        consignment: Consignment<'_>,
    ) -> Option<Delivering> {
        let transport = self.transport_at(number);
        let (driver, run) = transport.delivers()?;
        let done = Delivering::default();
        let mut call = TransportCall { cx, transport, routes: self, consignment, done };
        let outcomes = match hinder(&mut call) {
            Some(outcome) => vec![outcome; call.consignment.deliveries.len()],
            None => match run {
                Deliver::Own(run) => run(&mut call),
                Deliver::Embedded(run) => call.deliver_embedded(&driver.meta, &**run),
            },
        };
        Some(Delivering { outcomes, ..call.done })
    }
}

/// What came of one address.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// It has got the message.
    Delivered(Delivered),
    /// It may get it later.
    Deferred(Undelivered),
    /// It never will.
    Failed(Undelivered),
}

/// How an address got a message.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Delivered {
    /// The host that took it.
    pub host: Option<TakingHost>,
    /// What the host, or a command, said last (`C="…"`).
    pub confirmation: Option<Vec<u8>>,
    /// The file or directory that it was written to, where the transport chose that.
    pub file: Option<Vec<u8>>,
    /// What is known of TLS with the host, where there is some.
    pub secured: Option<Secured>,
    /// Further fields of the log line, each with a blank before it (` K`, ` PRDR`).
    pub fields: Vec<u8>,
    /// Whether the host will report what becomes of it (DSN).
    pub reports: bool,
    /// How many bytes were written, where that is known (`S=…`).
    pub size: Option<u64>,
    /// A message for the owner of the mailbox, which grows full: header lines, a blank
    /// line and a text.
    pub warning: Option<Vec<u8>>,
}

/// A host that took a message.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TakingHost {
    /// Its name.
    pub name: Vec<u8>,
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Whether its name came from an MX record.
    pub is_mx: bool,
}

/// Why an address has not got a message.
#[derive(Clone, PartialEq, Debug)]
pub struct Undelivered {
    /// The system's number of the error, or one of Exim's own, which are negative.
    pub number: i32,
    /// What kind of error it is, for the rules for retries.
    pub error: RetryError,
    /// For those who read logs.
    pub message: Vec<u8>,
    /// For the sender, where that is another text.
    pub said: Option<Vec<u8>>,
    /// The host that it is about.
    pub host: Option<Box<TakingHost>>,
    /// Whether the message is to be frozen.
    pub freezes: bool,
}

impl Undelivered {
    /// One that no rule for retries names.
    pub fn new(number: i32, message: impl Into<Vec<u8>>) -> Self {
        Self {
            number,
            error: RetryError::Any,
            message: message.into(),
            said: None,
            host: None,
            freezes: false,
        }
    }
}
