//! What becomes of addresses that no transport is asked for: routers know no way, or none
//! now, or need none.

use eximious::hints::RetryKey;
use eximious::route::{Address, Delivery, RouteError};
use eximious::stdlib::address::last_at;
use eximious::trace::DeliveryOutcome;
use eximious::transport::{Delivered, Undelivered};
use eximious::world::{LogPart, LogVoice};
use eximious::{LogSelector, Str};

use super::attempt::{Attempt, Expired, Undone};
use super::log::Subject;
use super::report::is_of_reply;
use super::retry::{Verdict, hint_name};
use super::tracking::NodeId;
use crate::tally;

/// The number of what is not tried because its time has not come.
const RETRY_TIME: i32 = -52;

/// Why an address is not routed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unrouted {
    /// Its time has not come.
    Waits,
    /// Routers could not decide.
    Tried,
    /// It is a file or a command, which no router looks at, and there is no transport for it.
    Direct,
    /// The same of the system filter, which is for the panic log, too.
    Filtered,
}

/// What a transport is told of an address for which the time has run out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LateWords {
    /// Nothing but that.
    None,
    /// What was wrong the last time, too.
    All,
    /// The same where a host has said it.
    Replied,
}

/// Who is told of an address for which the time has run out.
#[derive(Debug)]
pub(super) enum ToldLate {
    /// The transport of this delivery.
    Transport(Box<Delivery>, LateWords),
    /// The main section, of an address that the router could not place.
    Main(Box<Address>, Option<Str>),
}

/// What is said of an address for which the time has run out.
pub(super) const TIMED_OUT: &str = "retry timeout exceeded";

impl Attempt<'_> {
    /// A delivery to `/dev/null`, which no transport is needed for.
    pub(super) fn bypassed(&mut self, node: NodeId, delivery: &Delivery) {
        let router = self.routes().router_name(delivery.router).clone();
        let bypassed = Str::from("**bypassed**");
        let subject = Subject::of(delivery, &router, Some(&bypassed), true);
        let (done, now) = (Delivered { size: Some(0), ..Delivered::default() }, self.moment());
        let line = self.delivered_line("=>", &subject, &done, None, now);
        self.tell(&line);
        let whole = Subject::of(delivery, &router, Some(&bypassed), false);
        let end = b": **bypassed** transport succeeded".as_slice();
        self.log_message(&[&self.named_with_parent(&whole)[..], end].concat());
        tally::address(&mut self.cx, b"", None, DeliveryOutcome::Delivered);
        self.keep_done(&[node], false);
        self.complete(node);
    }

    /// An address that can't be routed.
    pub(super) fn unroutable(
        &mut self,
        node: NodeId,
        address: &Address,
        router: Option<usize>,
        why: RouteError,
    ) {
        self.freezes |= why.freezes;
        let message = why.shown().unwrap_or_default().to_vec();
        // Advice is for clients: a bounce has the message.
        let said = why.said.clone().filter(|_| !why.bounced);
        let undelivered = Undelivered { said, ..Undelivered::new(0, message) };
        let silent = router.is_some_and(|number| self.routes().router_is_silent(number));
        // Where no router had the last word, the local part is as the last one saw it.
        let is_unrouted = router.is_some_and(|number| !self.routes().router_minds_case(number));
        let router = router.map(|number| self.routes().router_name(number).clone());
        let subject = Subject::undelivered(address, router.as_ref(), false);
        let asks = self.asks_reports(node, None);
        let subject = Subject { is_unrouted, is_wordless: why.message.is_none(), asks, ..subject };
        let mut line = self.trouble_line(&subject, &undelivered, (false, None));
        tally::address(&mut self.cx, b"", None, DeliveryOutcome::Failed);
        self.tell_failure(address, router.as_ref(), &undelivered.message);
        line.words(&self.took(None));
        self.tell_unless(silent, &line.marked("**"));
        let head = if router.is_none() { "routing failed for " } else { "" };
        self.log_message(line.behind(LogPart::Words, head).text());
        let failed = Undone::new(node, address, false, undelivered);
        self.fail(Undone { untold: why.untold && !why.bounced || why.unbounced, ..failed });
    }

    /// An address that can't be routed now.
    pub(super) fn unrouted(
        &mut self,
        node: NodeId,
        address: &Address,
        router: Option<usize>,
        why: RouteError,
        standing: Unrouted,
    ) {
        self.freezes |= why.freezes;
        let message = why.shown().unwrap_or_default().to_vec();
        let number = match (standing, why.number) {
            (Unrouted::Waits, _) => RETRY_TIME,
            (_, 0) => -1,
            (_, number) => number,
        };
        let mut undelivered = Undelivered::new(number, message);
        undelivered.said.clone_from(&why.said);
        let minds_case = router.is_some_and(|number| self.routes().router_minds_case(number));
        let (name, domain) = (hint_name(address, minds_case), address.domain.bytes());
        let by_domain =
            router.is_some_and(|router| !self.routes().router_retries_local_parts(router));
        let gone = match standing {
            // There is no other time, and it is told as what waits.
            Unrouted::Tried if self.is_abandoned() || self.is_wrapped() => false,
            Unrouted::Tried => {
                let key = RetryKey::Routing(if by_domain { domain } else { &name });
                let subject = (if by_domain { domain } else { &name[..] }, None);
                self.keep_failure(&key.bytes(), subject, &undelivered, 0) == Verdict::Expired
            }
            Unrouted::Waits | Unrouted::Direct | Unrouted::Filtered => false,
        };
        let router_name = router.map(|number| self.routes().router_name(number).clone());
        // Which transport a file, a command or a reply goes by is not to be had.
        let is_direct = matches!(standing, Unrouted::Direct | Unrouted::Filtered);
        let subject = Subject::undelivered(address, router_name.as_ref(), is_direct);
        let asks = self.asks_reports(node, None);
        let subject = Subject { is_unrouted: !minds_case, asks, ..subject };
        let line = self.trouble_line(&subject, &undelivered, (true, None));
        if standing != Unrouted::Waits {
            tally::address(&mut self.cx, b"", None, DeliveryOutcome::Deferred);
        }
        let marked = line.marked("==");
        match standing {
            Unrouted::Waits => self.tell_if(LogSelector::RETRY_DEFER, &marked),
            Unrouted::Filtered => {
                self.cx.log().told(LogVoice::Panic, &marked);
                self.log_message(line.text());
            }
            Unrouted::Tried | Unrouted::Direct => {
                let silent = router.is_some_and(|number| self.routes().router_is_silent(number));
                self.tell_unless(silent, &marked);
                // Its own log tells what was done, and not what was not.
                self.log_message(line.text());
            }
        }
        let undone = Undone::new(node, address, is_direct, undelivered);
        match gone {
            false => self.defer(undone),
            true => {
                let group = self.next_group();
                // Whoever sent it learns of it by a bounce.
                let is_told = self.file().sender.is_empty();
                let told = is_told.then(|| ToldLate::Main(Box::new(address.clone()), router_name));
                self.expired.push(Expired { undone, group, told, is_answered: false });
            }
        }
    }

    /// Those for whom the time has run out have failed, the latest first.
    pub(super) fn tell_expired(&mut self) {
        let (mut last, mut at) = (None, 0);
        for one in std::mem::take(&mut self.expired).into_iter().rev() {
            let Expired { undone, group, told, is_answered } = one;
            at = if last == Some(group) { at + 1 } else { 0 };
            last = Some(group);
            let told = told.map(|told| {
                let words = match &told {
                    ToldLate::Transport(_, words) => *words,
                    ToldLate::Main(..) => LateWords::All,
                };
                let is_whole = words == LateWords::All || is_replied(&undone.why, is_answered);
                let said = match words {
                    LateWords::None => Vec::new(),
                    _ if is_whole => late(&undone.why.message),
                    _ => TIMED_OUT.into(),
                };
                (told, said)
            });
            let node = undone.node;
            self.time_out(at, undone, is_answered);
            self.late.extend(told.map(|(told, said)| (node, told, said)));
        }
    }

    /// Tells whoever is to be told of an address for which the time has run out.
    pub(super) fn tell_late(&mut self, node: NodeId) {
        let Some(at) = self.late.iter().position(|(late, ..)| *late == node) else { return };
        let (_, told, said) = self.late.remove(at);
        match told {
            ToldLate::Transport(delivery, _) => {
                self.tell_transport(&delivery, "msg:fail:delivery", &said, None, None);
            }
            ToldLate::Main(address, router) => {
                self.tell_failure(&address, router.as_ref(), &said);
            }
        }
    }

    /// The number of a delivery of its own.
    pub(super) fn next_group(&mut self) -> usize {
        self.groups += 1;
        self.groups
    }

    /// An address for which the time has run out.
    fn time_out(&mut self, at: usize, mut undone: Undone, is_answered: bool) {
        // What was wrong the last time has been told in the log; the sender is told now, as far
        // as it is meant for him.
        let why = Undelivered::new(undone.why.number, TIMED_OUT);
        // No router has a say any more in what the local part is, nor in its case.
        let mut whole = undone.address.clone();
        if !undone.is_direct {
            let at = last_at(whole.text.bytes());
            whole.local_part = Str::tainted(&whole.text.bytes()[..at]);
            whole.domain = Str::tainted(whole.text.bytes().get(at + 1..).unwrap_or_default());
            (whole.prefix, whole.suffix) = Default::default();
        }
        let subject = Subject::undelivered(&whole, None, undone.is_direct);
        let subject = Subject { is_unrouted: false, is_late: true, ..subject };
        let line = self.timed_out_line(&subject, &why);
        // The message's own log has what was wrong, and that says it all.
        self.tell(&line.marked("**"));
        tally::address(&mut self.cx, b"", None, DeliveryOutcome::Failed);
        let Undelivered { said, message, .. } = &undone.why;
        let said = said.as_deref().filter(|_| !is_silent(&undone.why)).map(late);
        let is_replied = is_replied(&undone.why, is_answered);
        let message = if is_replied { late(message) } else { why.message };
        undone.why = Undelivered { said, message, ..undone.why };
        // A report that can't be delivered in time is of use to nobody.
        undone.address.attached.ignore_errors |= self.errors_to(&undone.address).is_empty();
        self.fail_behind(at, undone);
    }
}

/// What was wrong the last time, of an address for which the time has run out.
fn late(text: &[u8]) -> Vec<u8> {
    [text, b": ", TIMED_OUT.as_bytes()].concat()
}

/// Whether the sender is told nothing of what was wrong. Of `:defer:` without words, nothing is
/// said, and that aloud.
fn is_silent(why: &Undelivered) -> bool {
    why.said.as_ref().is_some_and(Vec::is_empty) && !why.message.is_empty()
}

/// Whether a host has said what was wrong. What a command or a socket says of somebody by himself
/// is a reply, too (LMTP).
fn is_replied(why: &Undelivered, is_answered: bool) -> bool {
    // What is wrong with a host says as much where another one has answered, but for the
    // system's own words.
    let is_behind = is_answered && why.host.is_some() && why.number < 0;
    match why.number {
        0 => why.host.is_some() && !is_silent(why),
        number => is_behind || is_of_reply(number) && !is_silent(why),
    }
}
