//! What came of TLS with the hosts of a domain on a day (RFC 8460).

use super::private::Coded;
use super::{FieldReader, Record, Writer};

/// How many policies of a domain are told apart on a day.
const MOST_POLICIES: usize = 16;
/// How many failures under a policy are told apart; others are counted with the rest.
const MOST_FAILURES: usize = 100;
/// How long each text may be.
const LONGEST: usize = 256;
/// How many lines a policy has at the most.
const MOST_LINES: usize = 64;

/// What came of TLS with the hosts of a domain on a day.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsReport {
    /// Under each policy that was found.
    pub policies: Vec<ReportedPolicy>,
}

/// A policy, and what came of TLS under it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReportedPolicy {
    /// `tlsa`, `sts`, or `no-policy-found`.
    pub kind: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// The hosts that it names, where it does.
    pub hosts: Vec<String>,
    /// How many sessions were good.
    pub good: i64,
    /// How many were not.
    pub bad: i64,
    /// Why, of those.
    pub failures: Vec<ReportedFailure>,
}

/// Why sessions were not good.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReportedFailure {
    /// What was wrong, as RFC 8460, section 4.3, names it.
    pub result: String,
    /// The address that was called from; empty where that is not known.
    pub from: String,
    /// The host's name; this and what follows is empty where no host was spoken to.
    pub host: String,
    /// The name that the host gave itself.
    pub called: String,
    /// Its address.
    pub address: String,
    /// More about it, in words.
    pub why: String,
    /// How many sessions.
    pub count: i64,
}

/// The key of a day's record: `2026-11-22 b.example`.
pub fn tls_report_key(day: &str, domain: &[u8]) -> Vec<u8> {
    [day.as_bytes(), b" ", &domain.to_ascii_lowercase()].concat()
}

impl TlsReport {
    /// Counts a session under a policy, whose counts are of no interest.
    pub fn count(&mut self, policy: &ReportedPolicy, failure: Option<ReportedFailure>) {
        let same = |one: &ReportedPolicy| {
            (&one.kind, &one.lines, &one.hosts) == (&policy.kind, &policy.lines, &policy.hosts)
        };
        let at = self.policies.iter().position(same).unwrap_or_else(|| {
            if self.policies.len() >= MOST_POLICIES {
                return MOST_POLICIES - 1;
            }
            let (good, bad, failures) = (0, 0, Vec::new());
            self.policies.push(ReportedPolicy { good, bad, failures, ..policy.clone() });
            self.policies.len() - 1
        });
        let policy = &mut self.policies[at];
        let Some(mut failure) = failure else {
            policy.good = policy.good.saturating_add(1);
            return;
        };
        policy.bad = policy.bad.saturating_add(1);
        let texts = [&mut failure.host, &mut failure.called, &mut failure.why];
        texts.into_iter().for_each(|text| text.truncate(text.floor_char_boundary(LONGEST)));
        failure.count = 0;
        let same =
            |one: &&mut ReportedFailure| ReportedFailure { count: 0, ..(**one).clone() } == failure;
        if let Some(one) = policy.failures.iter_mut().find(same) {
            one.count = one.count.saturating_add(1);
        } else if policy.failures.len() < MOST_FAILURES {
            policy.failures.push(ReportedFailure { count: 1, ..failure });
        }
    }
}

impl Record for TlsReport {
    const SPACE: &'static str = "tlsrpt";
}

impl Coded for TlsReport {
    const MARK: [u8; 2] = *b"P\x01";

    fn write(&self, to: &mut Writer) {
        to.long(self.policies.len() as i64);
        for policy in &self.policies {
            to.text(policy.kind.as_bytes());
            for lines in [&policy.lines, &policy.hosts] {
                let lines = &lines[..lines.len().min(MOST_LINES)];
                to.long(lines.len() as i64);
                lines.iter().for_each(|line| to.text(line.as_bytes()));
            }
            to.long(policy.good);
            to.long(policy.bad);
            to.long(policy.failures.len() as i64);
            for failure in &policy.failures {
                let ReportedFailure { result, from, host, called, address, why, count } = failure;
                let texts = [result, from, host, called, address, why];
                texts.into_iter().for_each(|text| to.text(text.as_bytes()));
                to.long(*count);
            }
        }
    }

    fn read(from: &mut FieldReader<'_>) -> Option<Self> {
        fn words(from: &mut FieldReader<'_>) -> Option<String> {
            String::from_utf8(from.text()?.to_vec()).ok()
        }
        fn several<T>(
            from: &mut FieldReader<'_>,
            most: usize,
            mut read: impl FnMut(&mut FieldReader<'_>) -> Option<T>,
        ) -> Option<Vec<T>> {
            let count = usize::try_from(from.long()?).ok().filter(|count| *count <= most)?;
            (0..count).map(|_| read(from)).collect()
        }
        let policies = several(from, MOST_POLICIES, |from| {
            Some(ReportedPolicy {
                kind: words(from)?,
                lines: several(from, MOST_LINES, words)?,
                hosts: several(from, MOST_LINES, words)?,
                good: from.long()?,
                bad: from.long()?,
                failures: several(from, MOST_FAILURES, |from| {
                    Some(ReportedFailure {
                        result: words(from)?,
                        from: words(from)?,
                        host: words(from)?,
                        called: words(from)?,
                        address: words(from)?,
                        why: words(from)?,
                        count: from.long()?,
                    })
                })?,
            })
        })?;
        Some(Self { policies })
    }
}
