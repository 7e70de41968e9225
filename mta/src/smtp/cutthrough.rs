//! Cut-through delivery (`control = cutthrough_delivery`): a message goes to its next
//! host while its sender waits, and what that host says is what the sender hears.

use eximious::acl::{AclVerdict, Logs, Onward, OnwardOutcome, OnwardRecipient, Reports};
use eximious::stdlib::ports;
use eximious::stdlib::printing::printing;
use eximious::trace::DeliveryOutcome;
use eximious::world::Moment;
use eximious::{LogSelector, Str, var};

use super::transaction::Envelope;
use super::{DsnNotify, Recipient, Returned, SmtpSession, reply};
use crate::{logs, tally};

/// What became of a message that was to go onward at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CutthroughOutcome {
    /// It was not sent, and is to be kept.
    NotSent,
    /// It was sent, and its next host would not have it now: it is to be kept for a run of the
    /// queue.
    PutOff,
    /// Its next host has it.
    Delivered,
    /// Nobody has it, and the client knows.
    Refused,
}

impl SmtpSession {
    /// Says for whom a recipient's host may be asked.
    pub(super) fn prepare_cutthrough(&mut self, recipient: &Recipient) {
        let Some(envelope) = &self.transaction.envelope else { return };
        self.acl_state.cutthrough.reports = reports(envelope, recipient);
    }

    /// Has the host of a recipient asked that the ACL accepts, where the message may go
    /// there at once: that may change what is said.
    pub(super) fn call_out_for_cutthrough(&mut self, result: &mut eximious::acl::AclResult) {
        match result.verdict {
            AclVerdict::Accept => {
                if let Some(other) = self.cut_through() {
                    *result = other;
                }
            }
            _ => self.acl_state.cutthrough.without(&mut self.cx, self.setup.calls_out),
        }
    }

    /// Sends the message that was judged onward, where somebody waits for it.
    pub(super) fn deliver_cutthrough(&mut self) -> CutthroughOutcome {
        if !self.acl_state.cutthrough.delivers() {
            return CutthroughOutcome::NotSent;
        }
        let Some(envelope) = &self.transaction.envelope else { return CutthroughOutcome::NotSent };
        let to: Vec<Str> = envelope.recipients.iter().map(|one| one.address.clone()).collect();
        self.log_vain_headers();
        let server = self.server.clone();
        let began = self.now();
        let sent = self.acl_state.cutthrough.deliver(&server.acls, &mut self.cx, &to);
        let Some(onward) = sent else { return CutthroughOutcome::NotSent };
        let passes = self.acl_state.cutthrough.passes_deferral();
        match onward.outcome {
            OnwardOutcome::Accepted => {
                // It went as it was.
                self.acl_state.headers_add.clear();
                self.acl_state.headers_remove.clear();
                let took = self.times(began);
                for recipient in onward.recipients.iter().rev() {
                    let line = self.delivered(&onward, recipient);
                    self.log(&[&line[..], took.as_bytes()].concat());
                    let (transport, host) = (onward.transport.bytes(), onward.host.as_bytes());
                    let outcome = DeliveryOutcome::Delivered;
                    tally::address(&mut self.cx, transport, Some(host), outcome);
                    onward.tell_transport(&server.acls, &mut self.cx, recipient);
                }
                CutthroughOutcome::Delivered
            }
            OnwardOutcome::Refused => {
                let header = self.rejected_header();
                for line in self.refusals(&onward, "rejected after DATA") {
                    let line = self.log_line(&line);
                    Logs::REJECTIONS.write(&*self.cx.engine().world().log, &line, &header);
                }
                self.relay_reply(&onward.reply);
                CutthroughOutcome::Refused
            }
            OnwardOutcome::Deferred => {
                for line in self.refusals(&onward, "tmp-reject from cutthrough after DATA") {
                    self.log(&line);
                }
                if passes {
                    self.relay_reply(&onward.reply);
                }
                if passes { CutthroughOutcome::Refused } else { CutthroughOutcome::PutOff }
            }
            OnwardOutcome::Unanswered if passes => {
                self.say(&[b"450 Onward transmission not accepted"]);
                CutthroughOutcome::Refused
            }
            OnwardOutcome::Unanswered => CutthroughOutcome::PutOff,
        }
    }

    /// Tells that what an ACL wants changed in the header comes too late.
    pub(super) fn log_vain_headers(&mut self) {
        let state = &self.acl_state;
        if !state.headers_add.is_empty() || !state.headers_remove.is_empty() {
            let text = b"Header modification in data ACLs will not take effect on cutthrough \
                deliveries";
            self.log_panic(text);
        }
    }

    /// Says what another host said.
    fn relay_reply(&mut self, said: &[u8]) {
        let Some((code, _)) = said.split_first_chunk::<3>() else { return };
        let lines: Vec<&[u8]> = said
            .split(|byte| *byte == b'\n')
            .map(|line| line.get(4..).unwrap_or_default())
            .collect();
        let text: Vec<Vec<u8>> = lines.iter().map(|line| printing(line, true).to_vec()).collect();
        self.say_lines(reply::lines(code, &text.join(&b'\n'), true));
    }

    /// ` QT=… DT=…`: how long the message waited here, and how long its delivery took that
    /// began at this moment.
    fn times(&self, began: Moment) -> String {
        let since = [
            (LogSelector::QUEUE_TIME, "QT", self.transaction.arrived.received_at),
            (LogSelector::DELIVER_TIME, "DT", began),
        ];
        let shown = since.iter().filter(|(wanted, ..)| self.logs(*wanted));
        shown.map(|(_, tag, since)| format!(" {tag}={}", logs::lasted(&self.cx, *since))).collect()
    }

    /// `>> address R=… T=… H=… C="…"`
    fn delivered(&self, onward: &Onward, recipient: &OnwardRecipient) -> Vec<u8> {
        let mut line = [b">> ".as_slice(), &self.named(recipient)].concat();
        if self.logs(LogSelector::SENDER_ON_DELIVERY) {
            let sender = self.cx.message().map(|message| message.sender.clone());
            let sender = sender.unwrap_or_default();
            line.extend_from_slice(&[b" F=<", sender.bytes(), b">"].concat());
        }
        line.extend_from_slice(&self.delivery_fields(onward, recipient));
        line
    }

    /// The lines of a message that the other host does not want.
    fn refusals(&mut self, onward: &Onward, what: &str) -> Vec<Vec<u8>> {
        let client = self.logged_client();
        let sender = self.variable(var::SENDER_ADDRESS);
        let line = |recipient| {
            let parts = [
                &client,
                b" ".as_slice(),
                &self.named(recipient),
                b" F=<",
                sender.bytes(),
                b"> ",
                what.as_bytes(),
                b":",
                &self.delivery_fields(onward, recipient),
            ];
            parts.concat()
        };
        onward.recipients.iter().rev().map(line).collect()
    }

    /// An address, and which ones it was made from.
    fn named(&self, recipient: &OnwardRecipient) -> Vec<u8> {
        let mut text = recipient.routed.bytes().to_vec();
        let Some((first, between)) = recipient.ancestors.split_last() else {
            let given = recipient.address.bytes();
            if !logs::is_same_address(given, &text) {
                text.extend_from_slice(&[b" <", given, b">"].concat());
            }
            return text;
        };
        if self.logs(LogSelector::ALL_PARENTS) {
            for ancestor in between {
                text.extend_from_slice(&[b" (", ancestor.bytes(), b")"].concat());
            }
        }
        text.extend_from_slice(&[b" <", first.bytes(), b">"].concat());
        text
    }

    /// ` R=… T=… H=… C="…"`
    fn delivery_fields(&self, onward: &Onward, recipient: &OnwardRecipient) -> Vec<u8> {
        let (router, transport) = (recipient.router.bytes(), onward.transport.bytes());
        let mut text = [b" R=", router, b" T=", transport].concat();
        if self.logs(LogSelector::DELIVERY_SIZE) {
            text.extend_from_slice(format!(" S={}", onward.size).as_bytes());
        }
        let wanted = self.logs(LogSelector::OUTGOING_PORT);
        let settings = self.cx.engine().settings();
        let logs_port = |port: u16| wanted && ports::is_logged(settings, port);
        let signed = if onward.is_signed && self.logs(LogSelector::DNSSEC) { " DS" } else { "" };
        let host = format!(" H={}{signed} [{}]", onward.host, onward.address);
        text.extend_from_slice(host.as_bytes());
        if logs_port(onward.port) {
            text.extend_from_slice(format!(":{}", onward.port).as_bytes());
        }
        // One of the two alone is not enough, here as in deliveries.
        let both = LogSelector::INCOMING_INTERFACE | LogSelector::OUTGOING_INTERFACE;
        if let Some(local) = onward.local.filter(|_| self.logs(both)) {
            text.extend(logs::end_named(" I=", local, logs_port(local.port())));
        }
        if let Some(secured) = &onward.secured {
            let wanted = self.cx.engine().settings().log_selector();
            text.extend_from_slice(logs::security_of(wanted, secured).text());
        }
        if self.logs(LogSelector::SMTP_CONFIRMATION) || onward.outcome != OnwardOutcome::Accepted {
            text.extend_from_slice(b" C=\"");
            // Whatever it says, it says it in one line.
            for byte in printing(&onward.reply, true).iter() {
                if matches!(byte, b'"' | b'\\') {
                    text.push(b'\\');
                }
                text.push(*byte);
            }
            text.push(b'"');
        }
        text
    }
}

/// What a client wants to be told, in parameters for the next host.
fn reports(envelope: &Envelope, recipient: &Recipient) -> Reports {
    let mut reports = Reports::default();
    match envelope.sender.returned {
        Some(Returned::Full) => reports.of_message.extend_from_slice(b" RET=FULL"),
        Some(Returned::Headers) => reports.of_message.extend_from_slice(b" RET=HDRS"),
        None => {}
    }
    if let Some(id) = &envelope.sender.envelope_id {
        reports.of_message.extend_from_slice(&[b" ENVID=", &id[..]].concat());
    }
    let DsnNotify { never, success, failure, delay } = recipient.notify;
    let words = [(never, "NEVER"), (success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
    let words: Vec<&str> = words.iter().filter(|(set, _)| *set).map(|(_, word)| *word).collect();
    if !words.is_empty() {
        reports.of_recipient.extend_from_slice(format!(" NOTIFY={}", words.join(",")).as_bytes());
    }
    if let Some(original) = &recipient.original {
        reports.of_recipient.extend_from_slice(&[b" ORCPT=", &original[..]].concat());
    }
    reports.of_success = success;
    reports
}
