//! What ACLs leave behind for the conversation and for the message.

use std::collections::BTreeMap;

use eximious_core::{AclControl, Rec, Str};
use eximious_stdlib::variables::var;

use super::atrn::WaitingDomains;
use super::content::copy::Scan;
use super::cutthrough::Cutthrough;
use super::{AddedHeader, arc, dkim, dmarc, ratelimit, spf};
use crate::Context;
use crate::mail::route::Standing;

/// What ACLs want of a conversation and of the message at hand.
#[derive(Debug, Default)]
pub struct AclState {
    /// The controls that are set, by name: those of the connection and those of
    /// the message. The last setting counts.
    pub controls: BTreeMap<&'static str, Control>,
    /// Header lines to add to the message.
    pub headers_add: Vec<AddedHeader>,
    /// Names of header lines to remove from it.
    pub headers_remove: Vec<Str>,
    /// `queue`: the named queue that the message goes to; empty for the usual one.
    pub queue: Str,
    /// `atrn_domains`: for which domains messages wait that the client may have.
    pub waiting_domains: Option<WaitingDomains>,
    /// The local part of the recipient at hand, in its own case.
    pub cased_local_part: Option<Str>,
    /// The recipient at hand, with what stands in its local part outside of it.
    pub recipient: Option<Str>,
    /// Why this conversation can't go on: what all commands but the last are answered
    /// with, behind the code 421.
    pub broken: Option<&'static str>,
    /// Why the sender could not be verified, the last time that this was tried.
    pub sender_fault: Option<SenderFault>,
    /// `control = cutthrough_delivery`: what has come of it.
    pub cutthrough: Cutthrough,
    /// Whether the lines of the message's body end in CR LF, as they came.
    pub is_wire: bool,
    /// What is known of the message's content.
    pub(super) scan: Scan,
    /// The log lines of `warn` that were written for the message: each is written
    /// once.
    pub(crate) warned: Vec<Vec<u8>>,
    /// The greeting that was verified, and whether it holds.
    pub(super) hello: Option<(Str, bool)>,
    /// The senders that were verified for the message.
    pub(super) senders: Vec<Verified>,
    /// Whether an empty one was among them, which is fine.
    pub(super) verified_empty: bool,
    /// Whether the rules for rewriting were applied to the message's sender already.
    pub(super) rewrote_sender: bool,
}

/// A sender that was verified.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    pub(super) address: Str,
    pub(super) standing: Standing,
    pub(super) data: Str,
    /// Why it can't be routed: for the logs, and for the client.
    pub(super) why: Option<Vec<u8>>,
    pub(super) said: Vec<u8>,
    /// Nobody is to be told why, or was told already.
    pub(super) quiet: bool,
}

/// A control that is set.
#[derive(Clone, Debug)]
pub struct Control {
    /// Which.
    pub control: Rec<AclControl>,
    /// What follows its name after a slash.
    pub options: Str,
    /// Whether there is a slash, whatever follows it.
    pub slashed: bool,
    /// Whether it is about the message, and not about the connection.
    pub of_message: bool,
}

/// Why a sender could not be verified. A client whose message is refused is told
/// of it, once.
#[derive(Clone, PartialEq, Debug)]
pub struct SenderFault {
    /// The address.
    pub address: Str,
    /// Whether it may be verified at another time.
    pub deferred: bool,
    /// For the log, be it empty.
    pub logged: Option<Vec<u8>>,
    /// For the client: all that is said of it.
    pub said: Vec<u8>,
    /// Whether it was told already, or is not to be told.
    pub told: bool,
}

/// How many log lines of `warn` are kept in mind. A client may name recipients
/// without end, and each may get a line of its own.
const MOST_WARNED: usize = 1000;

impl AclState {
    /// Keeps in mind that a log line of `warn` was written.
    pub(super) fn remember(&mut self, line: Vec<u8>) {
        if self.warned.len() < MOST_WARNED {
            self.warned.push(line);
        }
    }

    /// How many log lines of `warn` are kept in mind.
    pub fn remembered(&self) -> usize {
        self.warned.len()
    }

    /// Keeps in mind whose fault was told: it is told once, whatever is verified
    /// in between.
    pub fn settle_sender_fault(&mut self) {
        let Some(told) = self.sender_fault.take().filter(|fault| fault.told) else { return };
        let own = self.senders.iter_mut().filter(|one| one.address == told.address);
        own.for_each(|one| one.quiet = true);
    }

    /// Forgets what is about the message: another one may follow.
    pub fn end_message(&mut self, cx: &mut Context) {
        self.cutthrough.end(cx, "end of message");
        self.cutthrough = Cutthrough::default();
        self.controls.retain(|_, control| !control.of_message);
        self.headers_add.clear();
        self.headers_remove.clear();
        self.cased_local_part = None;
        self.recipient = None;
        self.sender_fault = None;
        self.warned.clear();
        self.senders.clear();
        self.verified_empty = false;
        self.rewrote_sender = false;
        self.is_wire = false;
        self.end_scan(cx);
        self.scan = Scan::default();
        cx.memory::<ratelimit::Memory>().end_message();
        arc::end_message(cx);
        dkim::end_message(cx);
        spf::end_message(cx);
        dmarc::end_message(cx);
        cx.forget_family(b"acl_m");
        [var::HEADERS_ADDED, var::ACL_VERIFY_MESSAGE, var::SENDER_ADDRESS_DATA]
            .into_iter()
            .for_each(|var| cx.unset_var(var));
    }

    /// Whether the rules for rewriting were applied to the message's sender already: it
    /// was verified.
    pub fn sender_is_rewritten(&self) -> bool {
        self.rewrote_sender
    }

    /// Whether a control is set.
    pub fn has(&self, control: &str) -> bool {
        self.controls.contains_key(control)
    }
}
