//! SPF (RFC 7208): whether a host may send for a domain, by what the domain
//! publishes in the DNS.
//!
//! What the records and the sender's address say is from outside: terms that
//! ask are counted, and so are answers that are empty; nothing is expanded but
//! SPF's own macros, by a reader of our own that is bounded in what it makes.

mod macros;
mod record;

use std::net::IpAddr;

use crate::dns::{self, DnsQuery, DnsQueryKind, DnsResponse, DnsSource, Rdata};
use macros::Subject;
use record::{Mechanism, Qualifier, Record, Target};

/// How many terms may ask the DNS.
const MOST_TERMS: u32 = 10;
/// How many questions for mechanisms may have no answer.
const MOST_VOID: u32 = 2;
/// How many names an MX or PTR question may give.
const MOST_NAMES: usize = 10;
/// A longer name is cut at its left side.
const LONGEST_NAME: usize = 253;

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The domain can't have a record, or nothing can be said: `(invalid)`.
    Invalid,
    /// The domain publishes nothing.
    None,
    /// It says nothing of the host.
    Neutral,
    /// The host may send.
    Pass,
    /// It may not.
    Fail,
    /// It may not, though the domain is not sure.
    SoftFail,
    /// The DNS has no answer now.
    TempError,
    /// What the domain publishes makes no sense.
    PermError,
}

impl Verdict {
    /// As `$spf_result` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "(invalid)",
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The host's address.
    pub address: IpAddr,
    /// The name that it greets with, as the DNS has it.
    pub helo: &'a [u8],
    /// The sender's address; what stands before the last `@` may be missing. The domain is
    /// checked by the name that the DNS has for it (RFC 8616, section 4).
    pub mailbox: &'a [u8],
    /// The name of the host that is asking: this one.
    pub receiver: &'a [u8],
    /// The time, in seconds since 1970, for those that are refused.
    pub now: i64,
}

/// Why a verdict is what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpfReason {
    /// A host may always send to itself.
    Localhost,
    /// A mechanism of the record says so.
    Mechanism,
    /// No mechanism of the record says anything.
    Default,
    /// There is no record, or it could not be had.
    NoRecord,
    /// The domain has several records.
    Several,
    /// A record has a mistake in it.
    Syntax,
    /// A record refers to a domain that has none.
    Missing,
    /// More questions would have to be asked than a record is allowed.
    TooMany,
}

/// What was found out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// What came of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: SpfReason,
    /// What the domain says to those that it refuses, in printable ASCII.
    pub explanation: Option<Vec<u8>>,
    /// Whether it is a supposed record that was read, as the domain publishes none.
    pub guessed: bool,
}

/// Asks the DNS whether a host may send for the domain of an address (RFC 7208,
/// section 4). Where the domain publishes nothing, it is as if it published `guess`,
/// if that is given.
pub fn check(dns: &mut dyn DnsSource, sender: &Sender<'_>, guess: Option<&[u8]>) -> Checked {
    let domain = domain_of(sender.mailbox);
    let reason = SpfReason::Localhost;
    let mut checked = Checked { verdict: Verdict::Pass, reason, explanation: None, guessed: false };
    let address = sender.address.to_canonical();
    // A host is always allowed to send to itself.
    if address.is_loopback() {
        return checked;
    }
    let mut check = Check::new(dns, sender);
    let mut verdict = match is_domain(domain) {
        true => check.domain(domain.to_vec(), &mut checked.explanation, true),
        false if can_be_asked(domain) => Verdict::None,
        false => Verdict::Invalid,
    };
    if let (Verdict::None | Verdict::Invalid, Some(guess)) = (verdict, guess) {
        checked.guessed = true;
        // Of a domain without a record, little else can be expected.
        check.counts_void = false;
        verdict = match Record::read(guess) {
            Some(record) => check.record(&record, domain.to_vec(), &mut checked.explanation, true),
            None => Verdict::PermError,
        };
    }
    checked.verdict = verdict;
    checked.reason = match verdict {
        Verdict::PermError => check.fault.unwrap_or(SpfReason::Syntax),
        Verdict::None | Verdict::Invalid | Verdict::TempError => SpfReason::NoRecord,
        _ if check.by_default => SpfReason::Default,
        _ => SpfReason::Mechanism,
    };
    checked
}

/// A text for those that are refused, with its macros expanded (RFC 7208, section 7);
/// `None` where one of them is none, or they make too much.
pub fn explanation(dns: &mut dyn DnsSource, sender: &Sender<'_>, text: &[u8]) -> Option<Vec<u8>> {
    let domain = domain_of(sender.mailbox);
    Check::new(dns, sender).expanded(text, domain, true).ok().flatten()
}

/// The domain of an address: all of it, where it has no local part.
pub fn domain_of(mailbox: &[u8]) -> &[u8] {
    memchr::memrchr(b'@', mailbox).map_or(mailbox, |at| &mailbox[at + 1..])
}

/// Whether a text can be a name at all: no label is empty or too long.
fn can_be_asked(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    name.split(|c| *c == b'.').all(|label| matches!(label.len(), 1..=63))
}

/// Whether a text is the name of a domain that may have a record: several
/// labels of proper length. Of letters beyond ASCII the DNS says whether they are any.
fn is_domain(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let mut labels = 0;
    name.len() <= LONGEST_NAME
        && name.split(|c| *c == b'.').all(|label| {
            labels += 1;
            matches!(label.len(), 1..=63)
                && label
                    .iter()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | 0x80..))
        })
        && labels > 1
}

/// One check under way.
struct Check<'d, 's> {
    dns: &'d mut dyn DnsSource,
    subject: Subject<'s>,
    now: i64,
    terms: u32,
    void: u32,
    /// Whether too many questions without an answer are a fault of the record.
    counts_void: bool,
    /// The host's name that leads back to its address, once that was asked.
    validated: Option<Vec<u8>>,
    /// Whether the record in force has no mechanism that fits.
    by_default: bool,
    /// What is wrong with the records.
    fault: Option<SpfReason>,
    /// What was said to be asked soon, with the answers to what was asked since.
    ahead: Vec<(DnsQuery, Option<DnsResponse>)>,
}

/// With what a check ends at once.
struct Stop(Verdict);

const TEMPORARY: Stop = Stop(Verdict::TempError);

impl<'d, 's> Check<'d, 's> {
    fn new(dns: &'d mut dyn DnsSource, sender: &Sender<'s>) -> Self {
        let domain = domain_of(sender.mailbox);
        let local = sender.mailbox.strip_suffix(domain).and_then(|head| head.strip_suffix(b"@"));
        let local = local.filter(|local| !local.is_empty()).unwrap_or(b"postmaster");
        let address = sender.address.to_canonical();
        let subject = Subject::new(address, local, domain, sender.helo, sender.receiver);
        Self {
            dns,
            subject,
            now: sender.now,
            terms: 0,
            void: 0,
            counts_void: true,
            validated: None,
            by_default: false,
            fault: None,
            ahead: Vec::new(),
        }
    }

    /// What is wrong for good.
    fn permanent(&mut self, fault: SpfReason) -> Stop {
        self.fault.get_or_insert(fault);
        Stop(Verdict::PermError)
    }

    /// `check_host()` of the RFC. Only the record of the first domain explains,
    /// or that which it redirects to.
    fn domain(
        &mut self,
        domain: Vec<u8>,
        explanation: &mut Option<Vec<u8>>,
        explains: bool,
    ) -> Verdict {
        let text = match self.published(&domain) {
            Ok(Some(text)) => text,
            Ok(None) => return Verdict::None,
            Err(Stop(verdict)) => return verdict,
        };
        match Record::read(&text) {
            Some(record) => self.record(&record, domain, explanation, explains),
            None => Verdict::PermError,
        }
    }

    fn record(
        &mut self,
        record: &Record<'_>,
        domain: Vec<u8>,
        explanation: &mut Option<Vec<u8>>,
        explains: bool,
    ) -> Verdict {
        let verdict = match self.evaluate(record, &domain) {
            Ok(Some(verdict)) => verdict,
            Ok(None) => match self.redirected(record, &domain) {
                Ok(Some(target)) => {
                    return match self.domain(target, explanation, explains) {
                        Verdict::None => self.permanent(SpfReason::Missing).0,
                        verdict => verdict,
                    };
                }
                Ok(None) => {
                    self.by_default |= explains;
                    Verdict::Neutral
                }
                Err(Stop(verdict)) => verdict,
            },
            Err(Stop(verdict)) => verdict,
        };
        if verdict == Verdict::Fail && explains {
            // Nothing where it can't be had.
            *explanation = self.explanation(record, &domain).unwrap_or_default();
        }
        verdict
    }

    /// The record that a domain publishes.
    fn published(&mut self, domain: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        let found = self.ask(domain, DnsQueryKind::Txt);
        if found == DnsResponse::Later {
            return Err(TEMPORARY);
        }
        let mut records = found.texts().filter(|text| record::is_one(text));
        match (records.next(), records.next()) {
            (found, None) => Ok(found.map(<[u8]>::to_vec)),
            (_, Some(_)) => Err(self.permanent(SpfReason::Several)),
        }
    }

    /// Asks side by side what the terms of a record ask first, as far as the evaluation may
    /// come. What it does not come to counts for nothing.
    fn look_ahead(&mut self, record: &Record<'_>, domain: &[u8]) {
        // A record that includes many others does not make for more questions than it may.
        let left = usize::try_from(MOST_TERMS.saturating_sub(self.terms)).unwrap_or(0);
        let left = left.saturating_sub(self.ahead.len());
        let mut questions: Vec<DnsQuery> = Vec::new();
        let mut note = |check: &mut Self, target: Option<Target<'_>>, kind| {
            // A name that is made of the host's own is worth no question yet.
            let knows = target.is_none_or(|target| !macros::needs_name(target.0));
            if questions.len() >= left || !knows {
                return;
            }
            let fault = check.fault;
            if let Ok(name) = check.target(target, domain) {
                let question = DnsQuery { name, kind };
                let known = check.ahead.iter().any(|(one, _)| *one == question);
                if !known && !questions.contains(&question) {
                    questions.push(question);
                }
            }
            check.fault = fault;
        };
        let mut ends = false;
        for (_, mechanism) in &record.mechanisms {
            match mechanism {
                Mechanism::Include(target) => note(self, Some(*target), DnsQueryKind::Txt),
                Mechanism::A(target, _) => note(self, *target, self.family()),
                Mechanism::Mx(target, _) => note(self, *target, DnsQueryKind::Mx),
                Mechanism::Exists(target) => note(self, Some(*target), DnsQueryKind::A),
                Mechanism::Ptr(_) => {}
                Mechanism::All | Mechanism::Ip(..) => {
                    // The evaluation goes no further; no term here asks.
                    ends = matches!(self.fits(mechanism, domain), Ok(true));
                }
            }
            if ends {
                break;
            }
        }
        if let Some(target) = record.redirect.filter(|_| !ends) {
            note(self, Some(target), DnsQueryKind::Txt);
        }
        self.ask_ahead(questions);
    }

    /// Has the answers sought side by side, where there is more than one question.
    fn ask_ahead(&mut self, questions: Vec<DnsQuery>) {
        if questions.len() > 1 {
            self.dns.prepare(&questions);
            self.ahead.extend(questions.into_iter().map(|question| (question, None)));
        }
    }

    /// What the first mechanism says that the host fits.
    fn evaluate(&mut self, record: &Record<'_>, domain: &[u8]) -> Result<Option<Verdict>, Stop> {
        self.look_ahead(record, domain);
        for (qualifier, mechanism) in &record.mechanisms {
            if self.fits(mechanism, domain)? {
                return Ok(Some(match qualifier {
                    Qualifier::Pass => Verdict::Pass,
                    Qualifier::Fail => Verdict::Fail,
                    Qualifier::SoftFail => Verdict::SoftFail,
                    Qualifier::Neutral => Verdict::Neutral,
                }));
            }
        }
        Ok(None)
    }

    fn fits(&mut self, mechanism: &Mechanism<'_>, domain: &[u8]) -> Result<bool, Stop> {
        let own = self.subject.address;
        Ok(match mechanism {
            Mechanism::All => true,
            Mechanism::Ip(address, prefix) => same_network(
                own,
                *address,
                if address.is_ipv4() { (*prefix, 0) } else { (0, *prefix) },
            ),
            Mechanism::Include(target) => {
                self.count()?;
                let target = self.target(Some(*target), domain)?;
                if !is_domain(&target) {
                    return Err(self.permanent(SpfReason::Missing));
                }
                match self.domain(target, &mut None, false) {
                    Verdict::Pass => true,
                    Verdict::Fail | Verdict::SoftFail | Verdict::Neutral => false,
                    Verdict::TempError => return Err(TEMPORARY),
                    Verdict::PermError => return Err(Stop(Verdict::PermError)),
                    Verdict::None | Verdict::Invalid => {
                        return Err(self.permanent(SpfReason::Missing));
                    }
                }
            }
            Mechanism::A(target, prefixes) => {
                self.count()?;
                let target = self.target(*target, domain)?;
                self.addresses(&target)?.iter().any(|a| same_network(own, *a, *prefixes))
            }
            Mechanism::Mx(target, prefixes) => {
                self.count()?;
                let target = self.target(*target, domain)?;
                self.mx(&target, *prefixes)?
            }
            Mechanism::Ptr(target) => {
                self.count()?;
                let target = self.target(*target, domain)?;
                self.validated_names(true)?.iter().any(|name| lies_in(name, &target))
            }
            Mechanism::Exists(target) => {
                self.count()?;
                let target = self.target(Some(*target), domain)?;
                let found = self.ask(&target, DnsQueryKind::A);
                !self.void(found)?.is_empty()
            }
        })
    }

    fn mx(&mut self, target: &[u8], prefixes: (u8, u8)) -> Result<bool, Stop> {
        let found = self.ask(target, DnsQueryKind::Mx);
        let hosts = self.void(found)?;
        if hosts.len() > MOST_NAMES {
            return Err(self.permanent(SpfReason::TooMany));
        }
        let kind = self.family();
        let names = hosts.iter().filter_map(|host| match host {
            Rdata::Exchange { host, .. } => Some(DnsQuery { name: host.clone(), kind }),
            _ => None,
        });
        self.ask_ahead(names.collect());
        for host in hosts {
            let own = self.subject.address;
            let Rdata::Exchange { host, .. } = host else { continue };
            let addresses = self.addresses(&host)?;
            if addresses.iter().any(|a| same_network(own, *a, prefixes)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where a record hands over to another.
    fn redirected(&mut self, record: &Record<'_>, domain: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        let Some(target) = record.redirect else { return Ok(None) };
        self.count()?;
        let target = self.target(Some(target), domain)?;
        match is_domain(&target) {
            true => Ok(Some(target)),
            false => Err(self.permanent(SpfReason::Missing)),
        }
    }

    /// What the domain says to those that it refuses.
    fn explanation(&mut self, record: &Record<'_>, domain: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        let Some(target) = record.explanation else { return Ok(None) };
        let target = self.target(Some(target), domain)?;
        let found = self.ask(&target, DnsQueryKind::Txt);
        let mut texts = found.texts();
        let (Some(text), None) = (texts.next(), texts.next()) else { return Ok(None) };
        let told = self.expanded(text, domain, true)?;
        Ok(told.filter(|told| told.iter().all(|c| matches!(c, b' '..=b'~'))))
    }

    /// The name that a term is about: the domain's own, where it gives none.
    fn target(&mut self, target: Option<Target<'_>>, domain: &[u8]) -> Result<Vec<u8>, Stop> {
        let Some(target) = target else { return Ok(domain.to_vec()) };
        let Some(name) = self.expanded(target.0, domain, false)? else {
            return Err(self.permanent(SpfReason::Syntax));
        };
        let mut name = &name[..];
        while name.len() > LONGEST_NAME {
            match memchr::memchr(b'.', name) {
                Some(dot) => name = &name[dot + 1..],
                None => return Err(self.permanent(SpfReason::Syntax)),
            }
        }
        Ok(name.strip_suffix(b".").unwrap_or(name).to_vec())
    }

    /// A text with its macros expanded; `None` where one of them is none, or
    /// they make too much.
    fn expanded(
        &mut self,
        text: &[u8],
        domain: &[u8],
        in_explanation: bool,
    ) -> Result<Option<Vec<u8>>, Stop> {
        if macros::needs_name(text) && self.validated.is_none() {
            let names = self.validated_names(false)?;
            let found = names
                .iter()
                .find(|name| name.eq_ignore_ascii_case(domain))
                .or_else(|| names.iter().find(|name| lies_in(name, domain)))
                .or(names.first());
            self.validated = Some(found.map_or_else(|| b"unknown".to_vec(), Vec::clone));
        }
        let name = self.validated.as_deref().unwrap_or(b"unknown");
        let now = in_explanation.then_some(self.now);
        Ok(self.subject.expanded(text, domain, name, now))
    }

    /// The names of the host that lead back to its address.
    fn validated_names(&mut self, counts: bool) -> Result<Vec<Vec<u8>>, Stop> {
        let own = self.subject.address;
        let found = self.ask(dns::reverse(own).as_bytes(), DnsQueryKind::Ptr);
        let found = match counts {
            // That the DNS has no answer now is no match.
            true if found == DnsResponse::Later => Vec::new(),
            true => self.void(found)?,
            false => records(found),
        };
        let names = found.into_iter().take(MOST_NAMES).filter_map(|record| match record {
            Rdata::Host(name) => Some(DnsQuery { name, kind: self.family() }),
            _ => None,
        });
        let questions: Vec<DnsQuery> = names.collect();
        let answers = self.dns.ask(&questions);
        let back = |answer| records(answer).contains(&Rdata::Address(own));
        let leading =
            questions.into_iter().zip(answers).filter_map(|(q, a)| back(a).then_some(q.name));
        Ok(leading.collect())
    }

    /// The addresses of a name, of the host's own kind.
    fn addresses(&mut self, name: &[u8]) -> Result<Vec<IpAddr>, Stop> {
        let found = self.ask(name, self.family());
        let address = |record| match record {
            Rdata::Address(address) => Some(address),
            _ => None,
        };
        Ok(self.void(found)?.into_iter().filter_map(address).collect())
    }

    fn family(&self) -> DnsQueryKind {
        if self.subject.address.is_ipv4() { DnsQueryKind::A } else { DnsQueryKind::Aaaa }
    }

    /// One more term that asks.
    fn count(&mut self) -> Result<(), Stop> {
        self.terms += 1;
        match self.terms > MOST_TERMS {
            true => Err(self.permanent(SpfReason::TooMany)),
            false => Ok(()),
        }
    }

    /// The records of an answer; that it has none is counted.
    fn void(&mut self, found: DnsResponse) -> Result<Vec<Rdata>, Stop> {
        if found == DnsResponse::Later {
            return Err(TEMPORARY);
        }
        let records = records(found);
        if records.is_empty() {
            self.void += 1;
            if self.counts_void && self.void > MOST_VOID {
                return Err(self.permanent(SpfReason::TooMany));
            }
        }
        Ok(records)
    }

    fn ask(&mut self, name: &[u8], kind: DnsQueryKind) -> DnsResponse {
        let question = DnsQuery { name: name.to_vec(), kind };
        match self.ahead.iter_mut().find(|(one, _)| *one == question) {
            Some((_, Some(answer))) => answer.clone(),
            Some((_, answer)) => answer.insert(self.dns.ask_one(question)).clone(),
            None => self.dns.ask_one(question),
        }
    }
}

fn records(found: DnsResponse) -> Vec<Rdata> {
    match found {
        DnsResponse::Records(records) => records,
        _ => Vec::new(),
    }
}

/// Whether a name is a domain's, or lies below it.
fn lies_in(name: &[u8], domain: &[u8]) -> bool {
    let Some(start) = name.len().checked_sub(domain.len()) else { return false };
    name[start..].eq_ignore_ascii_case(domain) && (start == 0 || name[start - 1] == b'.')
}

/// Whether two addresses of a kind have their first bits in common; how many,
/// is said for each kind.
fn same_network(own: IpAddr, other: IpAddr, prefixes: (u8, u8)) -> bool {
    match (own, other) {
        (IpAddr::V4(own), IpAddr::V4(other)) => {
            (u32::from(own) ^ u32::from(other)).leading_zeros() >= u32::from(prefixes.0)
        }
        (IpAddr::V6(own), IpAddr::V6(other)) => {
            (u128::from(own) ^ u128::from(other)).leading_zeros() >= u32::from(prefixes.1)
        }
        _ => false,
    }
}
