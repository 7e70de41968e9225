//! What a transport is asked, and what it answers.

use std::net::IpAddr;

use eximious_core::world::LocalUser;
use eximious_core::{Message, Str};

use super::Transport;
use crate::Context;
use crate::config::RetryError;
use crate::mail::route::{Delivery, Routes};

/// A message that is to go by one transport to one or more addresses at once. The
/// variables of the context speak of the message and of these addresses.
#[derive(Debug)]
#[allow(dead_code, reason = "the first driver that delivers reads it")]
pub struct TransportCall<'c> {
    /// The variables.
    pub(crate) cx: &'c mut Context,
    /// The transport, with its options.
    pub(crate) transport: &'c Transport,
    /// What goes where.
    pub(crate) consignment: Consignment<'c>,
}

/// What there is to deliver, whatever transport it goes by.
#[derive(Clone, Debug)]
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
}

impl Routes {
    /// Delivers by a transport, by its number; an outcome for each address, in their
    /// order. `None` where its driver delivers nothing yet.
    pub fn deliver(
        &self,
        cx: &mut Context,
        number: usize,
        consignment: Consignment<'_>,
    ) -> Option<Vec<Outcome>> {
        let transport = self.transport_at(number);
        let run = transport.delivers()?;
        Some(run(&mut TransportCall { cx, transport, consignment }))
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
    /// Further fields of the log line, each with a blank before it (` X=…`, ` K`, ` PRDR`).
    pub fields: Vec<u8>,
    /// Whether the host will report what becomes of it (DSN).
    pub reports: bool,
}

/// A host that took a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakingHost {
    /// Its name.
    pub name: Vec<u8>,
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
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
    pub host: Option<TakingHost>,
    /// Whether the message is to be frozen.
    pub freezes: bool,
    /// Whether it is the host that failed, and other addresses there would, too.
    pub is_of_host: bool,
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
            is_of_host: false,
        }
    }
}
