//! When to try again (specification, chapter 32).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use eximious::config::{Growth, RetryError, RetryStep};
use eximious::hints::{Record, Retry, RetryKey};
use eximious::retry::{Failure, rule};
use eximious::route::{Address, Delivery, RouteError};
use eximious::transport::{FailedHost, HostStanding, TakingHost, Undelivered};
use eximious::{Config, Context, Fail, Str, opt};

use super::attempt::Attempt;
use super::report::{SMTP_PORT, is_of_reply};

/// What is said of an address whose time has not come.
const NOT_YET: &str = "retry time not reached";

/// Nor is what could not be routed before, while a connection waits for other recipients.
const REUSED: &str = "reusing SMTP connection skips previous routing defer";

/// What a failure means for what comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It is tried again.
    Again,
    /// The time for that has run out.
    Expired,
}

/// What becomes of something that there is no hope for any more, before its time comes again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hopeless {
    /// It is tried for each message: a domain, or a mailbox.
    Tried,
    /// It waits as all else does: an address.
    Waits,
}

/// The keys of hints that one attempt has written, and what each means, for all who are at
/// work on it.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnHints {
    verdicts: Arc<Mutex<BTreeMap<Vec<u8>, Own>>>,
    /// The hosts that failed.
    hosts: Arc<Mutex<BTreeMap<Vec<u8>, FailedBefore>>>,
}

/// What such a hint means, and for which error.
#[derive(Clone, Copy, Debug)]
struct Own {
    verdict: Verdict,
    error: (RetryError, i32),
}

/// What comes of something that failed.
struct Judged {
    verdict: Verdict,
    /// What is to be known of it; nothing where no rule says when it is tried again.
    retry: Option<Retry>,
    /// Whether there was no hope left for it before.
    was_given_up: bool,
}

/// A host that failed for others in the same attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailedBefore {
    /// Whether there was no hope left for it before.
    was_given_up: bool,
    /// Whether it is passed by for that: only what is known by name and address alone is, where
    /// a router found it.
    counts: bool,
}

impl OwnHints {
    fn note(&self, key: Vec<u8>, verdict: Verdict, why: &Undelivered) {
        let verdict = Own { verdict, error: (why.error, why.number) };
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).insert(key, verdict);
    }

    fn get(&self, key: &[u8]) -> Option<Own> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    fn note_host(&self, key: Vec<u8>, failed: FailedBefore) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = hosts.entry(key).or_insert(failed);
        before.counts |= failed.counts;
    }

    fn host(&self, key: &[u8]) -> Option<FailedBefore> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    /// The hosts that have failed so far.
    pub(super) fn hosts_so_far(&self) -> BTreeMap<Vec<u8>, FailedBefore> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Attempt<'_> {
    /// Why an address is not routed now; nothing where it is.
    pub(super) fn not_yet(&mut self, address: &Address) -> Option<RouteError> {
        if self.manner.forced || !self.manner.is_run {
            return None;
        }
        let sender = self.file().sender.clone();
        let (names, domain) = (routing_names(address), address.domain.bytes());
        // Whoever waits along a connection is not kept waiting by what may take its time.
        if self.manner.follows && self.is_known(&RetryKey::Routing(domain).bytes()) {
            return Some(RouteError::new(REUSED));
        }
        let name = &names[0][..];
        let routing = names.iter().map(|name| (RetryKey::Routing(name), (&name[..], Some(domain))));
        let refused = (RetryKey::Recipient(name, &sender), (name, Some(domain)));
        let of_domain = (RetryKey::Routing(domain), (domain, None));
        let of_address = routing.chain([refused]).map(|one| (one, Hopeless::Waits));
        let mut waits = of_address.chain([(of_domain, Hopeless::Tried)]);
        let known = waits.find_map(|((key, subject), hopeless)| {
            self.waits_for(&key.bytes(), subject, hopeless)
        })?;
        // What a host replied is no secret; what is wrong here may be one.
        let said = is_of_reply(known.error) && known.error != 0;
        let said = said.then_some(known.text);
        Some(RouteError { said, ..RouteError::new(NOT_YET) })
    }

    /// Whether something is known that failed before this attempt.
    fn is_known(&self, key: &[u8]) -> bool {
        let found = Retry::fresh(&*store(&self.cx), key, self.now(), expire(&self.cx));
        self.own_hints.get(key).is_none() && found.is_ok_and(|found| found.is_some())
    }

    /// What is known of something whose time has not come. What there is no hope for any more may
    /// be tried once for each message; a message that is too old for the rule does not wait; what
    /// this attempt itself has noted is for the next one.
    pub(super) fn waits_for(
        &mut self,
        key: &[u8],
        (subject, alternate): (&[u8], Option<&[u8]>),
        hopeless: Hopeless,
    ) -> Option<Retry> {
        if self.manner.forced || self.own_hints.get(key).is_some() {
            return None;
        }
        let now = self.now();
        let found = Retry::fresh(&*store(&self.cx), key, now, expire(&self.cx)).ok().flatten();
        let known = found.filter(|retry| {
            now < retry.next_try && !(retry.expired && hopeless == Hopeless::Tried)
        })?;
        let failure = Failure {
            key: Str::tainted(subject),
            alternate: alternate.map(Str::tainted),
            error: error_of(Some(&known)),
            sender: Some(Str::tainted(&self.file().sender[..])),
        };
        let config = self.deliverer.config.clone();
        let waited = now.saturating_sub(self.file().received);
        let outlasts = outlasts(waited, &rule_steps(&mut self.cx, &config, &failure));
        (!outlasts).then_some(known)
    }

    /// Keeps that something failed, and when to try again.
    pub(super) fn keep_failure(
        &mut self,
        key: &[u8],
        subject: (&[u8], Option<&[u8]>),
        why: &Undelivered,
        detail: i32,
    ) -> Verdict {
        // It may be a recipient in more ways than one; another error may have another rule.
        match self.own_hints.get(key) {
            Some(own) if own.error == (why.error, why.number) => own.verdict,
            Some(_) => self.judged(key, subject, why, (detail, true)).verdict,
            None => {
                let judged = self.judged(key, subject, why, (detail, true));
                let verdict = self.keep_judged(key, judged);
                self.own_hints.note(key.to_vec(), verdict, why);
                verdict
            }
        }
    }

    /// Keeps what is to be known of something that failed.
    fn keep_judged(&mut self, key: &[u8], judged: Judged) -> Verdict {
        let Judged { verdict, retry, .. } = judged;
        // What is only pretended teaches nothing.
        if let Some(retry) = retry.filter(|_| !self.is_pretended())
            && let Err(error) = retry.save(&*store(&self.cx), key, self.now())
        {
            self.log(format!("retry data can't be kept: {error}").as_bytes());
        }
        verdict
    }

    /// Whether something that failed is tried again, and what is to be known of it.
    fn judged(
        &mut self,
        key: &[u8],
        subject: (&[u8], Option<&[u8]>),
        why: &Undelivered,
        (detail, by_age): (i32, bool),
    ) -> Judged {
        let now = self.now();
        let expire = expire(&self.cx);
        let store = store(&self.cx);
        let old = Retry::fresh(&*store, key, now, expire).ok().flatten();
        let was_given_up = old.as_ref().is_some_and(|old| old.expired);
        let unknown = |verdict| Judged { verdict, retry: None, was_given_up };
        // What is only pretended changes nothing.
        if self.deliverer.pretends {
            return unknown(Verdict::Again);
        }
        let failure = Failure {
            key: Str::tainted(subject.0),
            alternate: subject.1.map(Str::tainted),
            // What was said of one address after the message is known by its code alone, which
            // rules don't name.
            error: if why.number == 0 { RetryError::Any } else { why.error },
            sender: Some(Str::tainted(&self.file().sender[..])),
        };
        let config = self.deliverer.config.clone();
        let steps = match rule_steps(&mut self.cx, &config, &failure) {
            Ok(Some(steps)) => steps,
            Ok(None) => return unknown(Verdict::Expired),
            // Until the rules can be asked, nobody gives up.
            Err(_) => return unknown(Verdict::Again),
        };
        let waited = now.saturating_sub(self.file().received);
        let first = old.as_ref().map_or(now, |old| old.first_failed);
        // An address fails for as long as its message waits, whatever becomes of others.
        let failing = match by_age {
            true => now.saturating_sub(first).max(waited),
            false => now.saturating_sub(first),
        };
        // A rule may say nothing at all: there is no other try.
        let at_once = RetryStep { until: 0, interval: 0, growth: Growth::Fixed };
        let step = steps.iter().find(|step| failing < step.until).or(steps.last());
        let step = step.copied().unwrap_or(at_once);
        let expired = steps.last().is_none_or(|last| failing > last.until);
        // What was tried before its time has not waited for so long.
        let last_gap = old
            .as_ref()
            .map(|old| old.next_try.min(now).saturating_sub(old.last_try))
            // A shorter one was not this step's.
            .filter(|gap| *gap > 0 && *gap >= step.interval);
        let grown = |factor| {
            let grown = last_gap.map_or(step.interval, |gap| gap.saturating_mul(factor) / 1000);
            grown.max(step.interval)
        };
        let gap = match step.growth {
            Growth::Fixed => step.interval,
            Growth::Geometric(factor) => grown(factor),
            Growth::Random(factor) => {
                let most = grown(factor);
                let spread = u64::try_from(most - step.interval).unwrap_or(0).saturating_add(1);
                let random = self.cx.engine().world().random.below(spread);
                step.interval.saturating_add_unsigned(random)
            }
        };
        let longest = self.cx.engine().settings().get(opt::RETRY_INTERVAL_MAX);
        let least = i64::from(!steps.is_empty());
        let gap = gap.max(least).min(i64::try_from(longest.as_secs()).unwrap_or(i64::MAX));
        // A message that waits longer than all rules say is not tried for ever, though
        // others get through now and then; they need not wait because of it.
        let outlasts = outlasts(waited, &Ok(Some(steps)));
        let gap = if outlasts && !expired { 0 } else { gap };
        let retry = Retry {
            error: why.number,
            detail,
            // A router that says nothing (`:defer:`) has said that.
            text: match key.starts_with(b"R:") && why.message.is_empty() && why.number <= 0 {
                true => Vec::new(),
                false => why.remembered(),
            },
            first_failed: first,
            last_try: now,
            next_try: now.saturating_add(gap),
            expired,
        };
        let verdict = if expired || outlasts { Verdict::Expired } else { Verdict::Again };
        Judged { verdict, retry: Some(retry), was_given_up }
    }

    /// Whether the message is here for longer than any rule for retries goes on.
    pub(super) fn outlasts_all_rules(&self) -> bool {
        let rules = &self.deliverer.config.retry;
        let steps = rules.iter().flat_map(|(rule, _)| &rule.steps);
        let longest = steps.map(|step| step.until).max().unwrap_or(0);
        self.now().saturating_sub(self.file().received) >= longest
    }

    /// Forgets that something failed. What fails in another attempt since this one began is
    /// nothing that was overcome.
    pub(super) fn forget_failure(&mut self, key: &[u8]) {
        let store = store(&self.cx);
        let is_own = self.own_hints.get(key).is_some() || self.hosts_failed.contains_key(key);
        let is_past = |known: &Retry| is_own || known.first_failed <= self.began;
        if Retry::load(&*store, key).is_ok_and(|found| found.is_some_and(|(one, _)| is_past(&one)))
        {
            let _ = Retry::forget(&*store, key);
        }
    }

    /// Forgets that an address could not be routed: it was now.
    pub(super) fn forget_routing(&mut self, address: &Address) {
        let names = routing_names(address);
        for what in names.iter().map(Vec::as_slice).chain([address.domain.bytes()]) {
            self.overcome.insert(RetryKey::Routing(what).bytes());
        }
    }

    /// Forgets what was overcome in this attempt. What failed in it as well, for another
    /// address of the domain, say, has to wait all the same.
    pub(super) fn forget_overcome(&mut self) {
        for key in std::mem::take(&mut self.overcome) {
            if self.own_hints.get(&key).is_none() {
                self.forget_failure(&key);
            }
        }
    }

    /// Forgets what this attempt has noted of hosts and the message alone, for which nobody
    /// waits: it is done with.
    pub(super) fn forget_message(&mut self) {
        std::mem::take(&mut self.of_message).iter().for_each(|key| self.forget_failure(key));
    }

    /// Keeps what failed about hosts, and forgets it of those that were of use.
    /// `by_address` says whether each of their addresses is known by itself, `routed` whether
    /// a router found them, `waits` whether any of those whom the delivery was for has not got
    /// the message for now. The time for an address has run out where it has for all hosts that
    /// failed.
    pub(super) fn keep_hosts(
        &mut self,
        failed: &[FailedHost],
        good: &[TakingHost],
        (domain, by_address, routed): (&Str, bool, bool),
        waits: bool,
    ) -> Verdict {
        let id = self.id.clone();
        let mut verdict = if failed.is_empty() { Verdict::Again } else { Verdict::Expired };
        for one in failed {
            let host = &one.host;
            let key = host_key(host, one.for_message.then_some(&id[..]), by_address);
            // Another delivery of this message to the host has said so before.
            if let Some(own) = self.own_hints.get(&key).filter(|_| one.for_message) {
                if own.verdict == Verdict::Again {
                    verdict = Verdict::Again;
                }
                continue;
            }
            let judged = self.judged_host(&key, one, domain);
            if !one.for_message {
                // Before it is kept: who is at work meanwhile knows whose it is.
                let is_plain = host.port == SMTP_PORT && host.from.is_none();
                let counts = by_address && is_plain && routed;
                let was_given_up = judged.was_given_up;
                self.own_hints.note_host(key.clone(), FailedBefore { was_given_up, counts });
                self.hosts_failed.insert(key.clone(), (one.clone(), domain.clone()));
            }
            let own = self.keep_judged(&key, judged);
            if own == Verdict::Again {
                verdict = Verdict::Again;
            }
            if one.for_message {
                if !waits {
                    self.of_message.insert(key.clone());
                }
                self.own_hints.note(key, own, &one.why);
            }
        }
        for host in good {
            let key = host_key(host, None, by_address);
            self.forget_failure(&key);
            // It failed for others in this attempt, and has to wait, but nothing was wrong before.
            if let Some((one, domain)) = self.hosts_failed.get(&key).cloned() {
                let judged = self.judged_host(&key, &one, &domain);
                self.keep_judged(&key, judged);
            }
        }
        // What was wrong with the message is not, any more.
        if !self.file().has("deliver_firsttime") {
            let others = failed.iter().filter(|one| !one.for_message).map(|one| &one.host);
            for host in good.iter().chain(others) {
                let key = host_key(host, Some(&id), by_address);
                if self.own_hints.get(&key).is_none() {
                    self.forget_failure(&key);
                }
            }
        }
        verdict
    }

    /// Whether a host that failed is tried again, and what is to be known of it.
    fn judged_host(&mut self, key: &[u8], one: &FailedHost, domain: &Str) -> Judged {
        let subject = (&one.host.name[..], Some(domain.bytes()));
        let detail = one.why.detail().max(i32::from(one.host.source()));
        self.judged(key, subject, &one.why, (detail, false))
    }

    /// Keeps that a host refused a recipient for now, or had nothing to say to it.
    pub(super) fn keep_refusal(&mut self, delivery: &Delivery, why: &Undelivered) -> Verdict {
        let sender = self.file().sender.clone();
        let name = hint_name(&delivery.address, false);
        // Silence has nothing to do with the sender.
        let by_sender = why.number < 0 && self.refuses_by_sender(delivery);
        let key = refusal_key(&name, &sender, by_sender);
        self.keep_failure(&key.bytes(), (&name, None), why, why.detail())
    }

    /// Forgets that a host refused a recipient: one would have had it.
    pub(super) fn forget_refusal(&mut self, delivery: &Delivery) {
        let sender = self.file().sender.clone();
        let by_sender = self.refuses_by_sender(delivery);
        let name = hint_name(&delivery.address, false);
        self.overcome.insert(refusal_key(&name, &sender, by_sender).bytes());
    }

    /// Whether it is known of each sender by itself that a recipient was refused.
    fn refuses_by_sender(&self, delivery: &Delivery) -> bool {
        let routes = self.routes();
        delivery.transport.is_none_or(|number| routes.retries_by_sender(number))
    }
}

/// What it may be known by that an address could not be routed: most have one name.
fn routing_names(address: &Address) -> Vec<Vec<u8>> {
    let mut names = vec![hint_name(address, false), hint_name(address, true)];
    names.dedup();
    names
}

/// What hints of an address are known by: it has no quotes, and its letters are small, but where a
/// router minds the case of the local part.
pub(super) fn hint_name(address: &Address, is_cased: bool) -> Vec<u8> {
    let mut name = address.whole_local_part().bytes().to_vec();
    if !is_cased {
        name.make_ascii_lowercase();
    }
    [&name[..], b"@", address.domain.bytes()].concat()
}

/// What the refusal of a recipient is known by.
fn refusal_key<'k>(address: &'k [u8], sender: &'k [u8], by_sender: bool) -> RetryKey<'k> {
    match by_sender {
        true => RetryKey::Recipient(address, sender),
        false => RetryKey::Routing(address),
    }
}

/// The steps of the rule for a failure; nothing where there is no rule.
type Steps = Result<Option<Vec<RetryStep>>, Fail>;

/// Finds those; that a rule can't be asked is in the panic log.
fn rule_steps(cx: &mut Context, config: &Config, failure: &Failure) -> Steps {
    let found = rule(cx, config, failure);
    if let Err(fail) = &found {
        cx.log().panic(fail.message());
    }
    Ok(found?.map(|rule| rule.steps.clone()))
}

/// What a host is known by.
pub(super) fn host_key(host: &TakingHost, message: Option<&[u8]>, by_address: bool) -> Vec<u8> {
    let literal = [b"[", &host.name[..], b"]"].concat();
    // An address that was listed as a host has no name.
    let is_address =
        std::str::from_utf8(&host.name).is_ok_and(|name| name.parse::<IpAddr>().is_ok());
    let name = if is_address { &literal[..] } else { &host.name[..] };
    let address = by_address.then_some(host.address);
    let TakingHost { port, from, .. } = *host;
    RetryKey::Host { name, address, port, from, message }.bytes()
}

/// Who wants to know whether hosts may be tried.
pub(super) struct HostMemory<'a> {
    pub(super) cx: RefCell<Context>,
    pub(super) config: &'a Config,
    pub(super) id: &'a [u8],
    /// When the message came.
    pub(super) received: i64,
    pub(super) sender: Str,
    pub(super) domain: Str,
    /// Whether no time is waited for.
    pub(super) forced: bool,
    /// Whether each address of a host is known by itself.
    pub(super) by_address: bool,
    /// What this attempt itself has noted, which is for the next one.
    pub(super) own: OwnHints,
    /// The hosts that had failed in it before this delivery.
    pub(super) failed: BTreeMap<Vec<u8>, FailedBefore>,
}

impl HostMemory<'_> {
    /// Whether a host may be tried now, by what is known of it.
    pub(super) fn standing(&self, host: &TakingHost) -> HostStanding {
        let keys = [None, Some(self.id)].map(|id| host_key(host, id, self.by_address));
        // Whoever waits for no time does not wait for the same failure twice either.
        let failed = self.failed.get(&keys[0]).filter(|one| one.counts);
        if let Some(FailedBefore { was_given_up, .. }) = failed {
            return match was_given_up {
                true => HostStanding::GivenUp { tried: false },
                false => HostStanding::FailedNow,
            };
        }
        let mut cx = self.cx.borrow_mut();
        let now = super::log::now(&cx);
        let store = store(&cx);
        let known = |key: &Vec<u8>| Retry::fresh(&*store, key, now, expire(&cx)).ok().flatten();
        // What a delivery that is made at the same time has found out is for those behind it.
        let meanwhile = self.own.host(&keys[0]);
        let is_own =
            |key: &Vec<u8>| self.own.get(key).is_some() || meanwhile.is_some() && *key == keys[0];
        let others = keys.iter().filter(|key| !is_own(key));
        let of_host = |key: &Vec<u8>| *key == keys[0];
        let found = others.filter_map(|key| Some((of_host(key), known(key)?)));
        let found: Vec<(bool, Retry)> = found.collect();
        let was_given_up = meanwhile.is_some_and(|one| one.was_given_up);
        let given_up = was_given_up || found.iter().any(|(_, retry)| retry.expired);
        let error = error_of(found.first().map(|(_, retry)| retry));
        let (hosts, waiting): (Vec<bool>, Vec<Retry>) =
            found.into_iter().filter(|(_, retry)| now < retry.next_try).unzip();
        if !self.forced && !waiting.is_empty() {
            if waiting.iter().all(|retry| retry.expired) {
                let tried = waiting.iter().any(|retry| retry.last_try > self.received);
                return HostStanding::GivenUp { tried };
            }
            if !self.is_late(&mut cx, host, now, (Some(&self.domain), error)) {
                return match hosts.contains(&true) {
                    true => HostStanding::Waits,
                    false => HostStanding::MessageWaits,
                };
            }
        }
        if given_up { HostStanding::Overdue } else { HostStanding::Due }
    }

    /// Whether the message has waited longer than the rule for a host says: that is a question of
    /// the host alone, whatever is wrong with it, and where it can't be told, nobody has to know.
    pub(super) fn is_overdue(&self, host: &TakingHost) -> bool {
        let mut cx = self.cx.borrow_mut();
        let waited = super::log::now(&cx).saturating_sub(self.received);
        let failure = self.failure(host, (None, RetryError::Any));
        let steps = rule(&mut cx, self.config, &failure);
        outlasts(waited, &steps.map(|rule| rule.map(|rule| rule.steps.clone())))
    }

    /// What failed, for those who look for a rule.
    fn failure(&self, host: &TakingHost, (domain, error): (Option<&Str>, RetryError)) -> Failure {
        Failure {
            key: Str::tainted(&host.name[..]),
            alternate: domain.cloned(),
            error,
            sender: Some(self.sender.clone()),
        }
    }

    /// Whether the message has waited longer than the rule for what is wrong with a host says.
    fn is_late(
        &self,
        cx: &mut Context,
        host: &TakingHost,
        now: i64,
        about: (Option<&Str>, RetryError),
    ) -> bool {
        let steps = rule_steps(cx, self.config, &self.failure(host, about));
        outlasts(now.saturating_sub(self.received), &steps)
    }
}

/// What is wrong, as far as that is known.
fn error_of(known: Option<&Retry>) -> RetryError {
    known.map_or(RetryError::Any, |retry| RetryError::of_hint(retry.error, retry.detail))
}

/// Whether a message that waits for so long is too old for a rule; without a rule, each is, and
/// none is where it can't be told.
fn outlasts(waited: i64, steps: &Steps) -> bool {
    let Ok(steps) = steps else { return false };
    steps.as_deref().and_then(<[RetryStep]>::last).is_none_or(|last| waited > last.until)
}

/// The hints of the spool.
pub(super) fn store(cx: &Context) -> std::sync::Arc<dyn eximious::world::HintStore> {
    let spool = cx.engine().settings().get(opt::SPOOL_DIRECTORY);
    cx.engine().world().hint_store(spool.bytes())
}

fn expire(cx: &Context) -> i64 {
    let time = cx.engine().settings().get(opt::RETRY_DATA_EXPIRE);
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
