//! What drivers of an embedder's see of a delivery, and what they say.

use std::io::Read;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use eximious_core::world::LocalUser;
use eximious_core::{Closure, DriverDef, DriverKind, Fail, Message, Meta, OptionValue, Runs, Str};

use super::driver::{Deliver, TransportRun};
use super::outgoing::unwritten;
use super::{Consignment, Outcome, Transport, TransportCall, Undelivered};
use crate::engine::Access;
use crate::mail::route::{Delivery, unless_forced};

/// It has no number of the system's.
const UNKNOWN: i32 = -1;

/// What a driver of an embedder's does.
pub(super) type EmbeddedTransport =
    dyn Fn(&mut DeliveryCall<'_>) -> Result<Vec<Outcome>, Fail> + Send + Sync;

/// A message that is to go by a transport to one or more addresses at once, as a driver of
/// an embedder's sees it. What it may reach of the conversation are the methods of
/// [`Access`]; variables speak of the message and of these addresses.
pub struct DeliveryCall<'c> {
    access: Access<'c>,
    transport: &'c Transport,
    consignment: &'c Consignment<'c>,
}

impl<'c> Deref for DeliveryCall<'c> {
    type Target = Access<'c>;

    fn deref(&self) -> &Access<'c> {
        &self.access
    }
}

impl DerefMut for DeliveryCall<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.access
    }
}

impl<'c> DeliveryCall<'c> {
    /// The message as it is in the spool.
    pub fn message(&self) -> &'c Message {
        self.consignment.message
    }

    /// Reads the message as it leaves: without the header lines that routers and the
    /// transport remove, with those that they add, and with what of it is wanted
    /// (`body_only`, `headers_only`). Newlines are `\n`.
    ///
    /// # Errors
    /// Options of the transport can't be expanded: nobody can say now.
    pub fn reader(&mut self) -> Result<Box<dyn Read + 'c>, Fail> {
        let outgoing = self.consignment.outgoing(self.access.cx, self.transport);
        outgoing
            .map(super::Outgoing::into_reader)
            .map_err(|why| Fail::defer(unwritten(b"", &why).message))
    }

    /// Where it goes; an outcome is wanted for each.
    pub fn deliveries(&self) -> &'c [&'c Delivery] {
        self.consignment.deliveries
    }

    /// An address, by its number, as whoever takes the message is told it: with affixes only
    /// where `rcpt_include_affixes` says so.
    pub fn recipient(&self, number: usize) -> Str {
        self.consignment.recipient(self.transport, number)
    }

    /// The envelope's sender as it leaves.
    pub fn return_path(&self) -> &'c Str {
        &self.consignment.return_path
    }

    /// The user as whom it is to be delivered. A driver runs with the rights of its process;
    /// to take others is its own work.
    pub fn user(&self) -> &'c LocalUser {
        &self.consignment.user
    }

    /// The name of the transport: of the instance, not of its driver.
    pub fn transport(&self) -> &'c Str {
        &self.transport.name
    }

    /// An option's text, expanded; nothing where it is not set, is empty, or its expansion
    /// is forced to fail.
    ///
    /// # Errors
    /// What the expansion fails with.
    pub fn text(&mut self, option: &str) -> Result<Option<Str>, Fail> {
        match self.transport.expand_named(self.access.cx, option) {
            Some(text) => unless_forced(text),
            None => Ok(None),
        }
    }

    /// Whether a switch is on.
    pub fn flag(&self, option: &str) -> bool {
        matches!(self.transport.named(option), Some(OptionValue::Flag(true)))
    }

    /// A number, if it is set or has a default.
    pub fn number(&self, option: &str) -> Option<i64> {
        match self.transport.named(option) {
            Some(OptionValue::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// A time, if it is set or has a default.
    pub fn time(&self, option: &str) -> Option<Duration> {
        self.number(option).and_then(|time| u64::try_from(time).ok()).map(Duration::from_secs)
    }
}

impl TransportCall<'_> {
    /// Runs a driver of an embedder's. An address that it says nothing of has not got the
    /// message.
    pub(super) fn deliver_embedded(
        &mut self,
        meta: &Meta,
        run: &EmbeddedTransport,
    ) -> Vec<Outcome> {
        let access = Access { cx: &mut *self.cx, meta };
        let (transport, consignment) = (self.transport, &self.consignment);
        let wanted = consignment.deliveries.len();
        let later = |why: &[u8]| Outcome::Deferred(Undelivered::new(UNKNOWN, why));
        match run(&mut DeliveryCall { access, transport, consignment }) {
            Ok(mut outcomes) => {
                let name = transport.name.bytes();
                let silent = [name, b" transport did not say what came of the address"].concat();
                outcomes.resize_with(wanted, || later(&silent));
                outcomes
            }
            Err(fail) => vec![later(fail.message()); wanted],
        }
    }
}

/// A driver of transports that runs a closure: it delivers on this host, as far as routers
/// and logs are concerned, and gets each address by itself. Its options are set with
/// [`DriverDef::options`]; those that all transports have it has, too.
pub fn driver(
    meta: Meta,
    run: impl Fn(&mut DeliveryCall<'_>) -> Result<Vec<Outcome>, Fail> + Send + Sync + 'static,
) -> DriverDef {
    let run = Deliver::Embedded(Closure(Arc::new(run)));
    let run = TransportRun {
        remote: false,
        quota: None,
        takes_files: false,
        is_answered: true,
        batched: None,
        run,
    };
    let run = Runs::made(run);
    DriverDef::of(DriverKind::Transport, meta, run)
}
