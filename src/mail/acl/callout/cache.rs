//! What callouts of before have found out (specification 44.22.2).

use std::time::Duration;

use eximious_core::Opt;
use eximious_core::trace::{CalloutEvent, Happening};
use eximious_stdlib::options::opt;

use super::params::Sender;
use super::{Called, Callout, Failure};
use crate::mail::acl::machine::Run;
use crate::mail::hints::{CalloutAddress, CalloutDomain, CalloutResult, ToldHints, callout_key};

/// What is known, and where it stands.
pub(super) struct Cache {
    /// Without it, nothing is looked at and nothing is kept.
    hints: Option<ToldHints>,
    now: i64,
    key: Vec<u8>,
    domain_key: Vec<u8>,
    /// What is known of the domain, and what is found out now.
    pub(super) domain: CalloutDomain,
    /// Whether the domain's result was found out now.
    pub(super) learned: bool,
    /// What was found out of the address.
    pub(super) address: CalloutResult,
    /// Whether a local part that nobody has is to be tried, which one, and whether
    /// the postmaster is.
    pub(super) tries_random: bool,
    pub(super) nobody: Option<Vec<u8>>,
    pub(super) tries_postmaster: bool,
}

impl Cache {
    pub(super) fn new(run: &mut Run<'_>, callout: &Callout<'_>, now: i64) -> Self {
        let params = callout.params;
        let from = &callout.mail_from[..];
        let sender = Some(from).filter(|from| params.sender != Sender::Given || !from.is_empty());
        let cached = params.cached && !callout.delivers;
        let hints = cached.then(|| ToldHints::open::<CalloutDomain>(run.cx, now));
        Self {
            hints,
            now,
            key: callout_key(callout.address.bytes(), sender),
            domain_key: callout.domain.bytes().to_vec(),
            domain: CalloutDomain::default(),
            learned: false,
            address: CalloutResult::Unknown,
            tries_random: params.random,
            nobody: None,
            tries_postmaster: params.postmaster.is_some(),
        }
    }

    /// What is known already, where that will do.
    pub(super) fn look(&mut self, run: &mut Run<'_>, callout: &Callout<'_>) -> Option<Called> {
        let Some(hints) = self.hints.clone() else {
            self.tell(run, "disabled by no_cache", b"");
            return None;
        };
        let good = expiry(run, opt::CALLOUT_DOMAIN_POSITIVE_EXPIRE);
        let bad = expiry(run, opt::CALLOUT_DOMAIN_NEGATIVE_EXPIRE);
        let old = |stamp: i64, limit: i64| self.now.saturating_sub(stamp) > limit;
        let is_bad = |found: &CalloutDomain| {
            found.result == CalloutResult::Reject
                || found.refuses_empty_sender
                || found.postmaster == CalloutResult::Reject
        };
        let found = hints.load::<CalloutDomain>(run.cx, &self.domain_key).ok().flatten();
        let found = match found {
            Some((found, stamp)) if old(stamp, if is_bad(&found) { bad } else { good }) => {
                self.tell(run, "domain record expired for ", &self.domain_key);
                None
            }
            Some((found, _)) => {
                self.tell(run, "found domain record for ", &self.domain_key);
                Some(found)
            }
            None => {
                self.tell(run, "no domain record found for ", &self.domain_key);
                None
            }
        };
        if let Some(mut found) = found {
            if old(found.random_at, good) {
                found.random = CalloutResult::Unknown;
            }
            let limit = if found.postmaster == CalloutResult::Reject { bad } else { good };
            if old(found.postmaster_at, limit) {
                found.postmaster = CalloutResult::Unknown;
            }
            self.domain = found;
            if let Some(called) = self.look_at_domain(run, callout) {
                return called;
            }
        }
        self.look_at_address(run, &hints)
    }

    /// What the domain's record says: something, nothing that would do, or that the
    /// address has its turn.
    fn look_at_domain(
        &mut self,
        run: &mut Run<'_>,
        callout: &Callout<'_>,
    ) -> Option<Option<Called>> {
        let found = self.domain;
        if found.result == CalloutResult::Reject
            || found.refuses_empty_sender && callout.mail_from.is_empty()
        {
            let text = "domain gave initial rejection, or does not accept HELO or MAIL FROM:<>";
            self.tell(run, text, b"");
            let said = b"(result of an earlier callout reused).".to_vec();
            return Some(Some(Called::failed(Failure::Mail, None, said)));
        }
        if self.tries_random {
            match found.random {
                CalloutResult::Accept => {
                    self.tell(run, "domain accepts random addresses", b"");
                    return Some(Some(Called::random()));
                }
                CalloutResult::Reject => {
                    self.tell(run, "domain rejects random addresses", b"");
                    self.tries_random = false;
                }
                CalloutResult::Unknown => {
                    let text =
                        "need to check random address handling (not cached or cache expired)";
                    self.tell(run, text, b"");
                    return Some(None);
                }
            }
        }
        if self.tries_postmaster {
            match found.postmaster {
                CalloutResult::Reject => {
                    self.tell(run, "domain does not accept RCPT TO:<postmaster@domain>", b"");
                    let said = b"(result of earlier verification reused).".to_vec();
                    return Some(Some(Called::failed(Failure::Postmaster, None, said)));
                }
                CalloutResult::Unknown => {
                    let text = "need to check RCPT TO:<postmaster@domain> (not cached or cache \
                        expired)";
                    self.tell(run, text, b"");
                    return Some(None);
                }
                CalloutResult::Accept => {
                    self.tell(run, "domain accepts RCPT TO:<postmaster@domain>", b"");
                    self.tries_postmaster = false;
                }
            }
        }
        None
    }

    fn look_at_address(&self, run: &mut Run<'_>, hints: &ToldHints) -> Option<Called> {
        let found = hints.load::<CalloutAddress>(run.cx, &self.key).ok().flatten();
        let Some((found, stamp)) = found else {
            self.tell(run, "no address record found for ", &self.key);
            return None;
        };
        let limit = match found.accepted {
            true => expiry(run, opt::CALLOUT_POSITIVE_EXPIRE),
            false => expiry(run, opt::CALLOUT_NEGATIVE_EXPIRE),
        };
        if self.now.saturating_sub(stamp) > limit {
            self.tell(run, "address record expired for ", &self.key);
            return None;
        }
        self.tell(run, "found address record for ", &self.key);
        if found.accepted {
            self.tell(run, "address record is positive", b"");
            return Some(Called::fine());
        }
        self.tell(run, "address record is negative", b"");
        let said = b"Previous (cached) callout verification failure".to_vec();
        Some(Called::failed(Failure::Recipient, None, said))
    }

    /// Keeps what was found out. Where that can't be kept, it is found out anew
    /// another time.
    pub(super) fn keep(&mut self, run: &mut Run<'_>) {
        let Some(hints) = self.hints.clone() else { return };
        if self.learned {
            let _ = hints.save(run.cx, &self.domain, &self.domain_key, self.now);
            let head = b"wrote callout cache domain record for ";
            run.cx.tell_callout(&[head.as_slice(), &self.domain_key, b":"].concat());
            let result = match (self.domain.refuses_empty_sender, self.domain.result) {
                (true, _) => 3,
                (false, result) => result as u8,
            };
            let (postmaster, random) = (self.domain.postmaster as u8, self.domain.random as u8);
            let text = format!("  result={result} postmaster={postmaster} random={random}");
            run.cx.tell_callout(text.as_bytes());
        }
        let accepted = match self.address {
            CalloutResult::Unknown => return,
            CalloutResult::Accept => true,
            CalloutResult::Reject => false,
        };
        let _ = hints.save(run.cx, &CalloutAddress { accepted }, &self.key, self.now);
        let word = if accepted { "positive" } else { "negative" };
        let head = format!("wrote {word} callout cache address record for ");
        run.cx.tell_callout(&[head.as_bytes(), &self.key].concat());
    }

    /// Notes what a local part that nobody has comes to.
    pub(super) fn note_random(&mut self, result: CalloutResult) {
        (self.domain.random, self.domain.random_at) = (result, self.now);
    }

    /// Notes what the postmaster comes to.
    pub(super) fn note_postmaster(&mut self, result: CalloutResult) {
        (self.domain.postmaster, self.domain.postmaster_at) = (result, self.now);
    }

    fn tell(&self, run: &mut Run<'_>, text: &str, key: &[u8]) {
        run.cx.tell(Happening::Callout(CalloutEvent::Cache { text, key }));
    }
}

fn expiry(run: &Run<'_>, option: Opt<Duration>) -> i64 {
    let time = run.cx.engine().settings().get(option);
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
