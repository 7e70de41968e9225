//! Cut-through delivery (specification 44.13, `control = cutthrough_delivery`): the
//! connection over which a recipient's host was asked is held open, further
//! recipients are named there, and the message goes along it while its sender waits.
//! What the host says to it is what the sender hears, and nothing is spooled.
//!
//! A callout with `hold` holds its connection open as well, for those alone who are
//! named after it.
//!
//! Nothing is ever lost by it: a message goes this way only where all its recipients
//! do, and only if nothing else came of routing them; otherwise it goes by way of the
//! spool.

mod send;

use std::net::IpAddr;

use eximious_core::{AclControl, AclOptions, AclPhases, DriverOpt, Effects, Str};
use eximious_stdlib::options::opt::transport::{self as opt, smtp};
use eximious_stdlib::variables::var;

use super::callout::Params;
use super::machine::{Answer, Run};
use super::verify::{self, Judged};
use super::words::{self, ControlRun, Setting};
use super::{AclHost, AclResult, AclState, AclVerdict, Acls, Logs};
use crate::Context;
use crate::mail::route::{Delivery, Standing};
use crate::mail::smtp_client::{Endpoint, Protocol, SmtpClient};
use crate::mail::smtp_transport::{Opened, log_tls_fault};
use crate::mail::transport::Transport;

pub use send::{Onward, OnwardOutcome, OnwardRecipient};

/// Controls that keep a message here.
const KEEPS: [&str; 4] = ["fakereject", "freeze", "queue", "queue_only"];

/// Options of a transport that sign a message, for which all of it has to be there.
const SIGNS: [DriverOpt<Str>; 4] =
    [smtp::DKIM_DOMAIN, smtp::DKIM_SELECTOR, smtp::DKIM_PRIVATE_KEY, smtp::ARC_SIGN];

/// What has come of the cut-through delivery of the message at hand.
#[derive(Debug, Default)]
pub struct Cutthrough {
    /// Whether it is wanted, still.
    wanted: bool,
    /// Whether an answer that is no last word is handed back (`defer=pass`).
    passes: bool,
    /// Whether the transport says who the sender is (`sender=transport`).
    by_transport: bool,
    held: Option<Box<Held>>,
    /// What the client wants to be told of.
    pub reports: Reports,
}

/// What a client wants to be told of a message (RFC 3461): the parameters, as they go
/// on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reports {
    /// Those of MAIL.
    pub of_message: Vec<u8>,
    /// Those of the recipient at hand.
    pub of_recipient: Vec<u8>,
    /// Whether that one's delivery is of interest.
    pub of_success: bool,
}

/// A connection that is held open.
#[derive(Debug)]
pub(super) struct Held {
    opened: Opened,
    place: Place,
    recipients: Vec<Along>,
    /// Whether the message may go along it. If not, hosts are asked there, and no more.
    delivers: bool,
}

/// Where a connection leads, and for whom it was made.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) host: String,
    /// Whether the DNS answered for it with signatures (DNSSEC).
    pub(super) is_signed: bool,
    pub(super) address: IpAddr,
    pub(super) endpoint: Endpoint,
    pub(super) transport: usize,
    pub(super) mail_from: Vec<u8>,
}

impl PartialEq for Place {
    /// Names do not make a difference.
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
            && self.endpoint == other.endpoint
            && self.transport == other.transport
            && self.mail_from == other.mail_from
    }
}

/// A recipient that goes along.
#[derive(Debug)]
struct Along {
    /// The number of its RCPT command.
    asked: i64,
    /// As RCPT named it.
    recipient: Str,
    delivery: Delivery,
}

impl Cutthrough {
    /// Whether an answer that is no last word is handed back.
    pub fn passes_deferral(&self) -> bool {
        self.passes
    }

    /// Whether a connection is held open.
    pub(super) fn is_open(&self) -> bool {
        self.held.is_some()
    }

    /// Whether the message may go along a connection that is held open.
    pub fn delivers(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.delivers)
    }

    /// Whether the recipient at hand goes along already.
    fn has(&self, asked: i64) -> bool {
        let last = self.held.as_ref().and_then(|held| held.recipients.last());
        last.is_some_and(|last| last.asked == asked)
    }

    /// Whether the message is to go along, still.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// The connection, where it leads to a place.
    pub(super) fn take(&mut self, place: &Place) -> Option<Box<Held>> {
        self.held.take_if(|held| held.place == *place)
    }

    /// Nothing goes this way any more.
    pub fn end(&mut self, cx: &mut Context, why: &str) {
        self.wanted = false;
        if let Some(held) = self.held.take() {
            held.end(cx, why);
        }
    }

    /// The recipient at hand was refused after all: whoever was told of it must not get
    /// the message. Tests that ask nobody are told so.
    pub fn without(&mut self, cx: &mut Context, calls_out: bool) {
        if self.wanted && !calls_out {
            cx.tell_callout(b"ignore cutthrough request; ACL did not accept");
        }
        if self.delivers() && self.has(asked(cx)) {
            self.end(cx, "recipient refused");
        }
    }
}

impl Held {
    pub(super) fn new(opened: Opened, place: Place, delivers: bool) -> Self {
        Self { opened, place, recipients: Vec::new(), delivers }
    }

    pub(super) fn client(&mut self) -> &mut SmtpClient {
        &mut self.opened.client
    }

    /// Whether a delivery may be made together with those of before, where there will be
    /// any: with the same header, and if its success is of interest, over a host that
    /// tells of it.
    pub(super) fn suits(&self, delivery: &Delivery, reports: &Reports) -> bool {
        if !self.delivers {
            return true;
        }
        if reports.of_success && !self.opened.client.extensions().dsn {
            return false;
        }
        let own = self.recipients.first().map(|first| &first.delivery.address.attached);
        own.is_none_or(|own| {
            let other = &delivery.address.attached;
            own.headers_add == other.headers_add && own.headers_remove == other.headers_remove
        })
    }

    /// Keeps it open, now that a recipient was accepted there.
    pub(super) fn keep(mut self: Box<Self>, run: &mut Run<'_>, delivery: &Delivery) {
        let recipient = run.state.recipient.clone().unwrap_or_default();
        let (asked, delivery) = (asked(run.cx), delivery.clone());
        self.recipients.push(Along { asked, recipient, delivery });
        run.state.cutthrough.held = Some(self);
    }

    pub(super) fn end(mut self: Box<Self>, cx: &mut Context, why: &str) {
        // No command waits for its end.
        self.opened.client.tell_flushes(false);
        self.opened.client.quit(cx.trace());
        let Place { host, address, .. } = &self.place;
        log_tls_fault(cx, &mut self.opened.client, host.as_bytes(), *address);
        let text = format!("----------- cutthrough shutdown ({why}) ------------");
        cx.tell_callout(text.as_bytes());
    }
}

/// How many recipients were named so far.
fn asked(cx: &mut Context) -> i64 {
    let text = cx.value_of(var::RCPT_COUNT);
    std::str::from_utf8(text.bytes()).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Whether the recipient at hand may go along, where its host is asked now: the sender
/// that the host is told has to be the message's.
pub(super) fn takes(run: &mut Run<'_>, named_by_transport: bool) -> bool {
    let cutthrough = &run.state.cutthrough;
    let wanted = cutthrough.wanted && cutthrough.by_transport == named_by_transport;
    wanted && (run.state.cutthrough.is_open() || is_first(run))
}

/// Whether the recipient at hand may be asked for over a connection that is held open only
/// to ask (`hold`).
pub(super) fn holds(run: &mut Run<'_>) -> bool {
    run.state.cutthrough.is_open() || is_first(run)
}

/// Whether a connection may be held for the recipient at hand.
pub(super) fn is_first(run: &mut Run<'_>) -> bool {
    asked(run.cx) == 1
}

/// Why nothing can go over a transport this way, if so; without words where nothing
/// is said of it.
pub(super) fn hindrance(transport: &Transport, endpoint: &Endpoint) -> Option<&'static [u8]> {
    let set = |option: DriverOpt<Str>| transport.text(option).is_some();
    if set(opt::TRANSPORT_FILTER) {
        return Some(b"Cutthrough cancelled by presence of transport filter");
    }
    if SIGNS.into_iter().any(set) {
        return Some(b"Cutthrough cancelled by presence of DKIM signing");
    }
    (endpoint.protocol == Protocol::Lmtp).then_some(b"")
}

/// `control = cutthrough_delivery`.
pub(super) static CUTTHROUGH_DELIVERY: AclControl = words::control(
    &ControlRun::Own { takes: |_| true, set: cutthrough_delivery },
    words::meta(
        "cutthrough_delivery",
        "control = cutthrough_delivery[/defer=spool|pass][/sender=orig|transport]",
        "specification 44.13",
        "The message goes to the next host while it arrives.",
        "It works from the ACL for RCPT on, where all recipients go to one host over one smtp \
         transport; elsewhere it is taken without effect. The next host's answer is the client's, \
         and nothing is spooled. `/defer=pass` hands an answer for now back instead of spooling \
         the message; `/sender=transport` lets the transport set the sender.",
    ),
)
.effects(Effects::NET)
.options(AclOptions::Names(&["defer=", "sender="]));

fn cutthrough_delivery(run: &mut Run<'_>, setting: Setting<'_>) -> Answer {
    setting.keep(run);
    want(run, setting.options.bytes());
    heed(run);
    Answer::Yes
}

/// It counts for the first recipient.
fn want(run: &mut Run<'_>, options: &[u8]) {
    let judged_for_each = run.cx.value_of(var::PRDR_REQUESTED).bytes() == b"yes";
    let first = run.phase.intersects(AclPhases::RCPT) && is_first(run);
    if !first || judged_for_each || keeps(run.state) {
        return;
    }
    let has = |option: &[u8]| options.split(|byte| *byte == b'/').any(|one| one == option);
    let cutthrough = &mut run.state.cutthrough;
    cutthrough.wanted = true;
    cutthrough.passes = has(b"defer=pass");
    cutthrough.by_transport = has(b"sender=transport");
}

/// Ends it where a message is kept here.
pub(super) fn heed(run: &mut Run<'_>) {
    if keeps(run.state) {
        run.state.cutthrough.end(run.cx, "message is kept");
    }
}

/// Ends it where an address was verified in vain.
pub(super) fn heed_verdict(run: &mut Run<'_>, standing: Standing) {
    let why = match standing {
        Standing::Fine => return,
        Standing::Failed => "routing hard fail",
        Standing::Deferred => "routing soft fail",
    };
    run.state.cutthrough.end(run.cx, why);
}

/// What a nested run wants, too.
pub(super) fn join(run: &mut Run<'_>, other: Cutthrough) {
    if other.wanted && !run.state.cutthrough.wanted {
        let reports = std::mem::take(&mut run.state.cutthrough.reports);
        run.state.cutthrough = Cutthrough { reports, ..other };
    }
    heed(run);
}

fn keeps(state: &AclState) -> bool {
    KEEPS.iter().any(|control| state.has(control))
}

impl Acls {
    /// After the ACL for RCPT accepted a recipient: its host is asked, unless it was
    /// already. A result is what is said in the place of the ACL's.
    pub fn cut_through(
        &self,
        cx: &mut Context,
        host: &mut dyn AclHost,
        state: &mut AclState,
    ) -> Option<AclResult> {
        if host.is_test() && host.calls_out() {
            if state.cutthrough.is_open() {
                state.cutthrough.end(cx, "host-checking mode");
            }
            return None;
        }
        if !state.cutthrough.wanted {
            return None;
        }
        let number = asked(cx);
        if state.cutthrough.has(number) {
            return None;
        }
        if number > 1 && !host.is_test() && !state.cutthrough.is_open() {
            // The first one goes another way: this one's host is asked, and nothing goes along.
            state.cutthrough.wanted = false;
        }
        let word = if number > 1 { "more" } else { "start" };
        cx.tell_callout(format!("----------- {word} cutthrough setup ------------").as_bytes());
        let params = Params::cut_through(state.cutthrough.by_transport);
        let before = self.enter(cx, AclPhases::RCPT, host);
        let mut run = Run::new(self, cx, host, state, AclPhases::RCPT);
        let judged = verify::for_cutthrough(&mut run, &params);
        Self::leave(cx, before);
        cx.tell_callout(b"----------- end cutthrough setup ------------");
        let along = state.cutthrough.has(number);
        match judged {
            // Whoever goes another way takes all others along.
            Judged::Elsewhere if state.cutthrough.is_open() => {
                state.cutthrough.end(cx, "other recipients go another way");
                None
            }
            Judged::Elsewhere => None,
            Judged::Asked(Standing::Fine, _) => {
                if state.cutthrough.is_open() && !along {
                    state.cutthrough.end(cx, "other recipients go another way");
                }
                None
            }
            Judged::Asked(Standing::Failed, _) => {
                state.cutthrough.end(cx, "recipient refused");
                Some(result(AclVerdict::Deny, None))
            }
            Judged::Asked(Standing::Deferred, said) => {
                state.cutthrough.end(cx, "recipient not accepted now");
                let passes = state.cutthrough.passes;
                if !passes {
                    cx.tell_callout(b"cutthrough defer; will spool");
                }
                passes.then(|| result(AclVerdict::Defer, said.map(Str::tainted)))
            }
        }
    }
}

fn result(verdict: AclVerdict, user_message: Option<Str>) -> AclResult {
    // The logs are not told what the client is told.
    AclResult { verdict, user_message, log_message: None, reject_logs: Logs::REJECTIONS }
}
