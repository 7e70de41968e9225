//! DMARC (RFC 7489, RFC 9989): what a domain wants done with messages that name it as
//! their author's, where neither SPF nor a signature shows that they are its own.

mod history;
mod record;
mod report;

use crate::dns::{DnsQuery, DnsQueryKind, DnsResponse, DnsSource};
use crate::spf::Verdict;

pub use history::History;
pub use record::{DmarcPolicy, DmarcRecord, FailedParts, PublicSuffix};
pub use report::{FailureReport, report_recipients};

/// How many different domains of signatures are looked at.
const MOST_DOMAINS: usize = 20;
/// How many of them a walk through the DNS is made for.
const MOST_WALKS: usize = 10;
/// How many names a walk comes by (RFC 9989, section 4.10).
const MOST_STEPS: usize = 8;
/// A longer name is none.
const LONGEST_NAME: usize = 253;

/// What is made of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DmarcStatus {
    /// It is the domain's own.
    Accept,
    /// It is to be refused.
    Reject,
    /// It is suspicious.
    Quarantine,
    /// It fails, and nothing is to be done.
    None,
    /// The domain publishes nothing.
    NoRecord,
    /// There is no author's domain.
    NoFrom,
    /// The DNS has no answer now.
    TempError,
}

impl DmarcStatus {
    /// As `$dmarc_status` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Quarantine => "quarantine",
            Self::None => "none",
            Self::NoRecord => "norecord",
            Self::NoFrom => "nofrom",
            Self::TempError => "temperror",
        }
    }

    /// How bad it is: of several authors, the worst counts.
    const fn severity(self) -> u8 {
        match self {
            Self::Accept => 0,
            Self::NoRecord => 1,
            Self::NoFrom => 2,
            Self::None => 3,
            Self::TempError => 4,
            Self::Quarantine => 5,
            Self::Reject => 6,
        }
    }
}

/// What came of a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureStatus {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// Nothing can be said of it now.
    TempError,
    /// It can't be read.
    PermError,
}

/// A signature of the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignatureFound<'a> {
    /// `d=`.
    pub domain: &'a [u8],
    /// `s=`.
    pub selector: &'a [u8],
    /// What came of it.
    pub status: SignatureStatus,
}

/// How the domain of an organisation is found.
#[derive(Clone, Copy)]
pub enum Organisations<'a> {
    /// By a list of public suffixes: the registered domain that a domain belongs to,
    /// `None` for one that is itself a suffix (RFC 7489, section 3.2).
    Listed(&'a dyn Fn(&[u8]) -> Option<Vec<u8>>),
    /// By records on the way up to the root (RFC 9989, section 4.10). `pct` counts for
    /// nothing then, and `t=y` does.
    Walked,
}

/// What is known of a message.
#[derive(Clone, Copy)]
pub struct DmarcSubject<'a> {
    /// What came of SPF, and the domain that it is about.
    pub spf: Option<(Verdict, &'a [u8])>,
    /// Its signatures.
    pub signatures: &'a [SignatureFound<'a>],
    /// How the domain of an organisation is found.
    pub organisations: Organisations<'a>,
    /// A number below 100, by chance: whether the message is one of those in a hundred
    /// that the policy is asked for.
    pub sample: u8,
}

/// What was found out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DmarcResult {
    /// What is made of the message.
    pub status: DmarcStatus,
    /// The author's domain.
    pub author: Vec<u8>,
    /// The domain whose record was used.
    pub used: Vec<u8>,
    /// The record.
    pub record: Option<DmarcRecord>,
    /// The policy that counts for the author's domain.
    pub policy: Option<DmarcPolicy>,
    /// Whether SPF passes, for a domain that is aligned with the author's.
    pub spf_aligned: bool,
    /// Whether a signature does.
    pub dkim_aligned: bool,
}

impl DmarcResult {
    fn new(status: DmarcStatus, author: Vec<u8>) -> Self {
        let (spf_aligned, dkim_aligned) = (false, false);
        let used = Vec::new();
        Self { status, author, used, record: None, policy: None, spf_aligned, dkim_aligned }
    }
}

/// Evaluates a message by its authors' domains. Of several, that with the strictest
/// outcome counts (RFC 7489, section 6.6.1); without any, it is `nofrom`.
pub fn dmarc_check(
    dns: &mut dyn DnsSource,
    authors: &[&[u8]],
    subject: &DmarcSubject<'_>,
) -> DmarcResult {
    let mut names: Vec<Vec<u8>> = Vec::new();
    for name in authors.iter().filter_map(|author| domain(author)) {
        if !names.contains(&name) && names.len() < MOST_AUTHORS {
            names.push(name);
        }
    }
    let mut worst: Option<DmarcResult> = None;
    for name in names {
        let result = author(dns, name, subject);
        let worse = |one: &DmarcResult| result.status.severity() > one.status.severity();
        if worst.as_ref().is_none_or(worse) {
            worst = Some(result);
        }
    }
    worst.unwrap_or_else(|| DmarcResult::new(DmarcStatus::NoFrom, Vec::new()))
}

/// How many domains of authors are looked at.
const MOST_AUTHORS: usize = 5;

/// A domain's name in lower case; `None` where it is none.
fn domain(name: &[u8]) -> Option<Vec<u8>> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let proper = |label: &[u8]| matches!(label.len(), 1..=63) && !label.contains(&b'[');
    let is_name = name.len() <= LONGEST_NAME && name.split(|c| *c == b'.').all(proper);
    is_name.then(|| name.to_ascii_lowercase())
}

fn author(dns: &mut dyn DnsSource, name: Vec<u8>, subject: &DmarcSubject<'_>) -> DmarcResult {
    let mut result = DmarcResult::new(DmarcStatus::TempError, name);
    let Ok(found) = Published::of(dns, &result.author, subject.organisations) else {
        return result;
    };
    let Some((used, record)) = found.record else {
        result.status = DmarcStatus::NoRecord;
        return result;
    };
    result.used = used;
    let mut aligned = Alignment { dns, subject, author: &result.author, own: &found.own, walks: 0 };
    let spf = subject.spf.filter(|(verdict, _)| *verdict == Verdict::Pass);
    let spf_aligned = spf.map_or(Ok(false), |(_, name)| aligned.is(name, record.strict_spf));
    let dkim_aligned = aligned.signed(record.strict_dkim);
    let own = result.used == result.author;
    // What is aligned for sure outweighs what can't be said now.
    (result.spf_aligned, result.dkim_aligned) = (spf_aligned == Ok(true), dkim_aligned == Ok(true));
    let unknown = spf_aligned.is_err() || dkim_aligned.is_err();
    let mut policy = record.policy;
    if !own {
        policy = record.subdomains.unwrap_or(policy);
        if let Some(nonexistent) = record.nonexistent {
            let kind = DnsQueryKind::A;
            match dns.ask_one(DnsQuery { name: result.author.clone(), kind }) {
                DnsResponse::NoName => policy = nonexistent,
                DnsResponse::Later => return result,
                _ => {}
            }
        }
    }
    let spared = match subject.organisations {
        Organisations::Listed(_) => subject.sample >= record.percent,
        Organisations::Walked => record.testing,
    };
    result.status = if result.spf_aligned || result.dkim_aligned {
        DmarcStatus::Accept
    } else if unknown || subject.is_open() {
        DmarcStatus::TempError
    } else {
        match if spared { policy.milder() } else { policy } {
            DmarcPolicy::None => DmarcStatus::None,
            DmarcPolicy::Quarantine => DmarcStatus::Quarantine,
            DmarcPolicy::Reject => DmarcStatus::Reject,
        }
    };
    result.record = Some(record);
    result.policy = Some(policy);
    result
}

impl DmarcSubject<'_> {
    /// Whether something that could give a pass is not known now.
    fn is_open(&self) -> bool {
        self.spf.is_some_and(|(verdict, _)| verdict == Verdict::TempError)
            || self.signatures.iter().any(|one| one.status == SignatureStatus::TempError)
    }

    /// What has failed, for those who want to be told of it.
    pub fn failed(&self, result: &DmarcResult) -> FailedParts {
        FailedParts {
            all: !result.spf_aligned && !result.dkim_aligned,
            any: !result.spf_aligned || !result.dkim_aligned,
            signature: self.signatures.iter().any(|one| one.status == SignatureStatus::Fail),
            spf: self.spf.is_some_and(|(verdict, _)| verdict != Verdict::Pass),
        }
    }
}

/// That the DNS has no answer now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Later;

/// What is published for a domain.
struct Published {
    /// The record that counts, and the domain that has it.
    record: Option<(Vec<u8>, DmarcRecord)>,
    /// The domain of the organisation.
    own: Vec<u8>,
}

impl Published {
    fn of(
        dns: &mut dyn DnsSource,
        name: &[u8],
        organisations: Organisations<'_>,
    ) -> Result<Self, Later> {
        match organisations {
            Organisations::Listed(list) => {
                let own = list(name).unwrap_or_else(|| name.to_vec());
                let mut names = vec![name.to_vec()];
                if own != name {
                    names.push(own.clone());
                }
                prepare(dns, &names);
                for name in names {
                    match Answer::of(dns, &name, organisations)? {
                        Answer::Nothing => {}
                        Answer::Record(found) => {
                            return Ok(Self { record: Some((name, found)), own });
                        }
                        // Nobody above says what the domain could not say.
                        Answer::Void => break,
                    }
                }
                Ok(Self { record: None, own })
            }
            Organisations::Walked => {
                let way = Way::up(dns, name)?;
                let own = way.organisation(name);
                if way.is_void {
                    return Ok(Self { record: None, own });
                }
                let at = |wanted: &[u8]| way.found.iter().find(|(name, _)| name == wanted).cloned();
                // The domain's own, or that of the organisation, or of the suffix above.
                let suffix = || {
                    let last = way.found.last().cloned();
                    last.filter(|(_, one)| one.public_suffix == PublicSuffix::Yes)
                };
                let record = at(name).or_else(|| at(&own)).or_else(suffix);
                Ok(Self { record, own })
            }
        }
    }
}

/// The question for the record of a domain.
fn question(name: &[u8]) -> DnsQuery {
    DnsQuery { name: [b"_dmarc.", name].concat(), kind: DnsQueryKind::Txt }
}

/// What a domain says.
enum Answer {
    Nothing,
    Record(DmarcRecord),
    /// Something that is no policy: DMARC does not apply to the domain.
    Void,
}

impl Answer {
    /// Of several records none counts: by RFC 7489 (section 6.6.3) that is the end, and
    /// by RFC 9989 (section 4.10) it is as if there was none.
    fn of(
        dns: &mut dyn DnsSource,
        name: &[u8],
        organisations: Organisations<'_>,
    ) -> Result<Self, Later> {
        let answer = dns.ask_one(question(name));
        if answer == DnsResponse::Later {
            return Err(Later);
        }
        let walked = matches!(organisations, Organisations::Walked);
        let mut own = answer.texts().filter(|text| is_record(text));
        Ok(match (own.next(), own.next()) {
            (None, _) => Self::Nothing,
            (Some(text), None) => match DmarcRecord::read(text, walked) {
                Some(record) => Self::Record(record),
                None => Self::Void,
            },
            (Some(_), Some(_)) if walked => Self::Nothing,
            (Some(_), Some(_)) => Self::Void,
        })
    }
}

/// The names that may be asked for records, the first first, are made ready side by side.
fn prepare(dns: &mut dyn DnsSource, names: &[Vec<u8>]) {
    let questions: Vec<DnsQuery> = names.iter().map(|name| question(name)).collect();
    dns.prepare(&questions);
}

fn is_record(text: &[u8]) -> bool {
    let rest = text.strip_prefix(b"v").map(<[u8]>::trim_ascii_start);
    let rest = rest.and_then(|rest| rest.strip_prefix(b"=")).map(<[u8]>::trim_ascii_start);
    rest.is_some_and(|rest| rest.starts_with(b"DMARC1"))
}

/// What is found on the way from a domain up to the root.
#[derive(Debug)]
struct Way {
    /// The records, the lowest first.
    found: Vec<(Vec<u8>, DmarcRecord)>,
    /// Whether the domain itself says something that is no policy.
    is_void: bool,
}

impl Way {
    fn up(dns: &mut dyn DnsSource, name: &[u8]) -> Result<Self, Later> {
        let mut names = vec![name.to_vec()];
        let mut rest = name;
        while let Some(dot) = memchr::memchr(b'.', rest) {
            rest = &rest[dot + 1..];
            // Of a long name, all but the first step are at the top.
            if rest.split(|c| *c == b'.').count() < MOST_STEPS {
                names.push(rest.to_vec());
            }
        }
        prepare(dns, &names);
        let mut way = Self { found: Vec::new(), is_void: false };
        for at in names {
            match Answer::of(dns, &at, Organisations::Walked)? {
                Answer::Nothing => {}
                Answer::Void => way.is_void |= at == name,
                Answer::Record(record) => {
                    let ends = record.public_suffix != PublicSuffix::Unknown;
                    way.found.push((at, record));
                    if ends {
                        break;
                    }
                }
            }
        }
        Ok(way)
    }

    /// The domain of the organisation that a domain belongs to, from which the way began.
    fn organisation(&self, name: &[u8]) -> Vec<u8> {
        match self.found.last() {
            Some((suffix, record))
                if record.public_suffix == PublicSuffix::Yes && suffix != name =>
            {
                let before = name.len().saturating_sub(suffix.len() + 1);
                let start = memchr::memrchr(b'.', &name[..before]).map_or(0, |dot| dot + 1);
                name[start..].to_vec()
            }
            Some((own, _)) => own.clone(),
            None => name.to_vec(),
        }
    }
}

/// Whether domains are aligned with the author's.
struct Alignment<'d, 'a> {
    dns: &'d mut dyn DnsSource,
    subject: &'d DmarcSubject<'a>,
    author: &'d [u8],
    /// The domain of the author's organisation.
    own: &'d [u8],
    walks: usize,
}

impl Alignment<'_, '_> {
    /// Whether a signature holds, of a domain that is aligned.
    fn signed(&mut self, strict: bool) -> Result<bool, Later> {
        let subject = self.subject;
        let good = subject.signatures.iter().filter(|one| one.status == SignatureStatus::Pass);
        let mut names: Vec<&[u8]> = Vec::new();
        for one in good {
            if !names.contains(&one.domain) && names.len() < MOST_DOMAINS {
                names.push(one.domain);
            }
        }
        let mut unknown = Ok(false);
        for name in names {
            match self.is(name, strict) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(Later) => unknown = Err(Later),
            }
        }
        unknown
    }

    fn is(&mut self, name: &[u8], strict: bool) -> Result<bool, Later> {
        let Some(name) = domain(name) else { return Ok(false) };
        if name == self.author {
            return Ok(true);
        }
        let below =
            name.strip_suffix(self.own).is_some_and(|head| head.is_empty() || head.ends_with(b"."));
        // What is not below the organisation's domain is not the organisation's.
        if strict || !below {
            return Ok(false);
        }
        match self.subject.organisations {
            Organisations::Listed(list) => Ok(list(&name).as_deref() == Some(self.own)),
            Organisations::Walked if name == self.own => Ok(true),
            Organisations::Walked => {
                self.walks += 1;
                if self.walks > MOST_WALKS {
                    return Ok(false);
                }
                Ok(Way::up(self.dns, &name)?.organisation(&name) == self.own)
            }
        }
    }
}

#[cfg(test)]
mod tests;
