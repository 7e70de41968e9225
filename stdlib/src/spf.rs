//! SPF (RFC 7208): whether a host may send for a domain, by what the domain
//! publishes in the DNS.
//!
//! What the records and the sender's address say is from outside: terms that
//! ask are counted, and so are answers that are empty; nothing is expanded but
//! SPF's own macros, by a reader of our own that is bounded in what it makes.

mod macros;
mod record;

use std::net::IpAddr;

use eximious_core::{Call, Fail};

use crate::dns::{self, DnsFound, How, Patience, kind};
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
    /// The name that it greets with.
    pub helo: &'a [u8],
    /// The sender's address; what stands before the last `@` may be missing.
    pub mailbox: &'a [u8],
    /// The name of the host that is asking: this one.
    pub receiver: &'a [u8],
}

/// What was found out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// What came of it.
    pub verdict: Verdict,
    /// What the domain says to those that it refuses, in printable ASCII.
    pub explanation: Option<Vec<u8>>,
    /// Whether it is a supposed record that was read, as the domain publishes none.
    pub guessed: bool,
}

/// Asks the DNS whether a host may send for the domain of an address. Where the
/// domain publishes nothing, it is as if it published `guess`, if that is given.
///
/// # Errors
/// Where the policy forbids questions to the DNS.
pub fn check(
    call: &mut Call<'_>,
    sender: &Sender<'_>,
    guess: Option<&[u8]>,
) -> Result<Checked, Fail> {
    let at = memchr::memrchr(b'@', sender.mailbox);
    let domain = at.map_or(sender.mailbox, |at| &sender.mailbox[at + 1..]);
    let mut checked = Checked { verdict: Verdict::Pass, explanation: None, guessed: false };
    let address = sender.address.to_canonical();
    // A host is always allowed to send to itself.
    if address.is_loopback() {
        return Ok(checked);
    }
    if !is_domain(domain) {
        checked.verdict = Verdict::Invalid;
        return Ok(checked);
    }
    let local = at.map_or(&b""[..], |at| &sender.mailbox[..at]);
    let local = if local.is_empty() { b"postmaster".as_slice() } else { local };
    let subject = Subject::new(address, local, domain, sender.helo, sender.receiver);
    let patience = Patience::new(call);
    let mut check = Check { call, subject, terms: 0, void: 0, patience, validated: None };
    let mut verdict = check.domain(domain.to_vec(), &mut checked.explanation, true)?;
    if let (Verdict::None, Some(guess)) = (verdict, guess) {
        checked.guessed = true;
        verdict = match Record::read(guess) {
            Some(record) => {
                check.record(&record, domain.to_vec(), &mut checked.explanation, true)?
            }
            None => Verdict::PermError,
        };
    }
    checked.verdict = verdict;
    Ok(checked)
}

/// Whether a text is the name of a domain that may have a record: several
/// labels of proper length.
fn is_domain(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let mut labels = 0;
    name.len() <= LONGEST_NAME
        && name.split(|c| *c == b'.').all(|label| {
            labels += 1;
            matches!(label.len(), 1..=63)
                && label.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
        })
        && labels > 1
}

/// One check under way.
struct Check<'c, 'e, 's> {
    call: &'c mut Call<'e>,
    subject: Subject<'s>,
    terms: u32,
    void: u32,
    patience: Patience,
    /// The host's name that leads back to its address, once that was asked.
    validated: Option<Vec<u8>>,
}

/// Why a check ends at once.
enum Stop {
    Verdict(Verdict),
    Fail(Fail),
}

impl From<Fail> for Stop {
    fn from(fail: Fail) -> Self {
        Self::Fail(fail)
    }
}

const PERMANENT: Stop = Stop::Verdict(Verdict::PermError);
const TEMPORARY: Stop = Stop::Verdict(Verdict::TempError);

impl Check<'_, '_, '_> {
    /// `check_host()` of the RFC. Only the record of the first domain explains,
    /// or that which it redirects to.
    fn domain(
        &mut self,
        domain: Vec<u8>,
        explanation: &mut Option<Vec<u8>>,
        explains: bool,
    ) -> Result<Verdict, Fail> {
        let found = match self.published(&domain) {
            Ok(found) => found,
            Err(Stop::Verdict(verdict)) => return Ok(verdict),
            Err(Stop::Fail(fail)) => return Err(fail),
        };
        let Some(text) = found else { return Ok(Verdict::None) };
        match Record::read(&text) {
            Some(record) => self.record(&record, domain, explanation, explains),
            None => Ok(Verdict::PermError),
        }
    }

    fn record(
        &mut self,
        record: &Record<'_>,
        domain: Vec<u8>,
        explanation: &mut Option<Vec<u8>>,
        explains: bool,
    ) -> Result<Verdict, Fail> {
        let verdict = match self.evaluate(record, &domain) {
            Ok(Some(verdict)) => verdict,
            Ok(None) => match self.redirected(record, &domain) {
                Ok(Some(target)) => {
                    return Ok(match self.domain(target, explanation, explains)? {
                        Verdict::None => Verdict::PermError,
                        verdict => verdict,
                    });
                }
                Ok(None) => Verdict::Neutral,
                Err(Stop::Verdict(verdict)) => verdict,
                Err(Stop::Fail(fail)) => return Err(fail),
            },
            Err(Stop::Verdict(verdict)) => verdict,
            Err(Stop::Fail(fail)) => return Err(fail),
        };
        if verdict == Verdict::Fail && explains {
            *explanation = self.explanation(record, &domain)?;
        }
        Ok(verdict)
    }

    /// The record that a domain publishes.
    fn published(&mut self, domain: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        let reply = self.ask(domain, kind::TXT)?;
        let texts = match &reply {
            DnsFound::Records { records, .. } => records.iter(),
            DnsFound::Later => return Err(TEMPORARY),
            _ => return Ok(None),
        };
        let mut records = texts
            .map(|record| dns::strings(record).collect::<Vec<_>>().concat())
            .filter(|text| record::is_one(text));
        match (records.next(), records.next()) {
            (found, None) => Ok(found),
            (_, Some(_)) => Err(PERMANENT),
        }
    }

    /// What the first mechanism says that the host fits.
    fn evaluate(&mut self, record: &Record<'_>, domain: &[u8]) -> Result<Option<Verdict>, Stop> {
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
                let verdict = self.domain(target, &mut None, false)?;
                match verdict {
                    Verdict::Pass => true,
                    Verdict::Fail | Verdict::SoftFail | Verdict::Neutral => false,
                    Verdict::TempError => return Err(TEMPORARY),
                    Verdict::None | Verdict::Invalid | Verdict::PermError => return Err(PERMANENT),
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
                let found = self.ask(&target, kind::A)?;
                !self.void(found)?.is_empty()
            }
        })
    }

    fn mx(&mut self, target: &[u8], prefixes: (u8, u8)) -> Result<bool, Stop> {
        let found = self.ask(target, kind::MX)?;
        let hosts: Vec<String> =
            self.void(found)?.iter().filter_map(|record| dns::mx(record).map(|mx| mx.1)).collect();
        if hosts.len() > MOST_NAMES {
            return Err(PERMANENT);
        }
        for host in hosts {
            let own = self.subject.address;
            let addresses = self.addresses(host.as_bytes())?;
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
        if is_domain(&target) { Ok(Some(target)) } else { Err(PERMANENT) }
    }

    /// What the domain says to those that it refuses; nothing where that can't
    /// be had.
    fn explanation(&mut self, record: &Record<'_>, domain: &[u8]) -> Result<Option<Vec<u8>>, Fail> {
        let Some(target) = record.explanation else { return Ok(None) };
        let told = self.target(Some(target), domain).and_then(|target| {
            let DnsFound::Records { records, .. } = self.ask(&target, kind::TXT)? else {
                return Ok(None);
            };
            let [text] = &records[..] else { return Ok(None) };
            let text = dns::strings(text).collect::<Vec<_>>().concat();
            let told = self.expanded(&text, domain, true)?;
            Ok(told.filter(|told| told.iter().all(|c| matches!(c, b' '..=b'~'))))
        });
        match told {
            Ok(told) => Ok(told),
            Err(Stop::Verdict(_)) => Ok(None),
            Err(Stop::Fail(fail)) => Err(fail),
        }
    }

    /// The name that a term is about: the domain's own, where it gives none.
    fn target(&mut self, target: Option<Target<'_>>, domain: &[u8]) -> Result<Vec<u8>, Stop> {
        let Some(target) = target else { return Ok(domain.to_vec()) };
        let name = self.expanded(target.0, domain, false)?.ok_or(PERMANENT)?;
        let mut name = &name[..];
        while name.len() > LONGEST_NAME {
            match memchr::memchr(b'.', name) {
                Some(dot) => name = &name[dot + 1..],
                None => return Err(PERMANENT),
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
        let now = dns::now(self.call).unwrap_or_default();
        Ok(self.subject.expanded(text, domain, name, in_explanation.then_some(now)))
    }

    /// The names of the host that lead back to its address.
    fn validated_names(&mut self, counts: bool) -> Result<Vec<Vec<u8>>, Stop> {
        let own = self.subject.address;
        let found = self.ask(dns::reverse(own).as_bytes(), kind::PTR)?;
        let records = match counts {
            // That the DNS has no answer now is no match.
            true if found == DnsFound::Later => Vec::new(),
            true => self.void(found)?,
            false => records(found),
        };
        let mut names = Vec::new();
        for name in records.iter().filter_map(dns::host).take(MOST_NAMES) {
            let found = self.ask(name.as_bytes(), self.family())?;
            if records_of(&found).iter().any(|record| record.address() == Some(own)) {
                names.push(name.into_bytes());
            }
        }
        Ok(names)
    }

    /// The addresses of a name, of the host's own kind.
    fn addresses(&mut self, name: &[u8]) -> Result<Vec<IpAddr>, Stop> {
        let found = self.ask(name, self.family())?;
        Ok(self.void(found)?.iter().filter_map(|record| record.address()).collect())
    }

    fn family(&self) -> u16 {
        if self.subject.address.is_ipv4() { kind::A } else { kind::AAAA }
    }

    /// One more term that asks.
    fn count(&mut self) -> Result<(), Stop> {
        self.terms += 1;
        if self.terms > MOST_TERMS { Err(PERMANENT) } else { Ok(()) }
    }

    /// The records of an answer; that it has none is counted.
    fn void(&mut self, found: DnsFound) -> Result<Vec<dns::Record>, Stop> {
        if found == DnsFound::Later {
            return Err(TEMPORARY);
        }
        let records = records(found);
        if records.is_empty() {
            self.void += 1;
            if self.void > MOST_VOID {
                return Err(PERMANENT);
            }
        }
        Ok(records)
    }

    fn ask(&mut self, name: &[u8], kind: u16) -> Result<DnsFound, Stop> {
        if self.patience.is_over(self.call) {
            return Err(TEMPORARY);
        }
        Ok(dns::query(self.call, name, kind, &How::default())?.found)
    }
}

fn records(found: DnsFound) -> Vec<dns::Record> {
    match found {
        DnsFound::Records { records, .. } => records,
        _ => Vec::new(),
    }
}

fn records_of(found: &DnsFound) -> &[dns::Record] {
    match found {
        DnsFound::Records { records, .. } => records,
        _ => &[],
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
