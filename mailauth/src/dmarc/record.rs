//! The record that a domain publishes at `_dmarc` (RFC 7489, section 6.3; RFC 9989,
//! section 4.7).

/// How many tags of a record are looked at.
const MOST_TAGS: usize = 100;
/// How many addresses for reports are looked at.
const MOST_ADDRESSES: usize = 20;

/// What a domain wants done with messages that are not its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DmarcPolicy {
    /// Nothing.
    None,
    /// They are suspicious.
    Quarantine,
    /// They are to be refused.
    Reject,
}

impl DmarcPolicy {
    /// As records and `$dmarc_domain_policy` have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    fn read(value: &[u8]) -> Option<Self> {
        let all = [Self::None, Self::Quarantine, Self::Reject];
        all.into_iter().find(|one| value.eq_ignore_ascii_case(one.name().as_bytes()))
    }

    /// The next milder one.
    pub(super) const fn milder(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }
}

/// Whether a record stands at a public suffix (RFC 9989).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PublicSuffix {
    /// It does: `psd=y`.
    Yes,
    /// It does not: here an organisation begins.
    No,
    /// That is not said.
    Unknown,
}

/// A record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DmarcRecord {
    /// `p`.
    pub policy: DmarcPolicy,
    /// `sp`: for domains below.
    pub subdomains: Option<DmarcPolicy>,
    /// `np`: for domains below that do not exist.
    pub nonexistent: Option<DmarcPolicy>,
    /// `adkim=s`: the domain of a signature must be the author's own.
    pub strict_dkim: bool,
    /// `aspf=s`: that of SPF must be.
    pub strict_spf: bool,
    /// `pct`: of how many messages in a hundred the policy is asked for.
    pub percent: u8,
    /// `t=y`: the policy is tried out.
    pub testing: bool,
    /// `psd`.
    pub public_suffix: PublicSuffix,
    /// `fo`: which failures are to be reported, as the record has it: `0`, `1`, `d` and
    /// `s` with colons between them.
    pub failures: Vec<u8>,
    /// `rua`: where reports on all messages go.
    pub aggregate: Vec<Vec<u8>>,
    /// `ruf`: where reports on single failures go.
    pub forensic: Vec<Vec<u8>>,
}

impl DmarcRecord {
    /// Reads a record. `None` where the text is none, or asks for nothing that has a
    /// meaning; other mistakes count as if their tags were not there. Where organisations
    /// are found by a walk, a record without `p` asks for nothing to be done (RFC 9989,
    /// section 4.7).
    pub fn read(text: &[u8], walked: bool) -> Option<Self> {
        let mut tags = text.split(|c| *c == b';').take(MOST_TAGS).map(tag);
        if tags.next()?? != (b"v".as_slice(), b"DMARC1".as_slice()) {
            return None;
        }
        let mut record = Self {
            policy: DmarcPolicy::None,
            subdomains: None,
            nonexistent: None,
            strict_dkim: false,
            strict_spf: false,
            percent: 100,
            testing: false,
            public_suffix: PublicSuffix::Unknown,
            failures: b"0".to_vec(),
            aggregate: Vec::new(),
            forensic: Vec::new(),
        };
        let mut policy = walked.then_some(DmarcPolicy::None);
        let mut is_proper = true;
        for (name, value) in tags.flatten() {
            let yes = value.eq_ignore_ascii_case(b"y");
            let strict = value.eq_ignore_ascii_case(b"s");
            match &name.to_ascii_lowercase()[..] {
                b"p" => policy = DmarcPolicy::read(value),
                b"sp" => {
                    record.subdomains = DmarcPolicy::read(value);
                    is_proper &= record.subdomains.is_some();
                }
                b"np" => {
                    record.nonexistent = DmarcPolicy::read(value);
                    is_proper &= record.nonexistent.is_some() || !walked;
                }
                b"adkim" => record.strict_dkim = strict,
                b"aspf" => record.strict_spf = strict,
                b"pct" => record.percent = percent(value).unwrap_or(100),
                b"t" => record.testing = yes,
                b"psd" if yes => record.public_suffix = PublicSuffix::Yes,
                b"psd" if value.eq_ignore_ascii_case(b"n") => {
                    record.public_suffix = PublicSuffix::No;
                }
                b"fo" if is_failures(value) => record.failures = value.to_ascii_lowercase(),
                b"rua" => record.aggregate = addresses(value),
                b"ruf" => record.forensic = addresses(value),
                _ => {}
            }
        }
        match policy {
            Some(policy) if is_proper => record.policy = policy,
            // Somebody wants reports, so it is no mere accident.
            _ if !record.aggregate.is_empty() => {
                (record.subdomains, record.nonexistent) = (None, None);
            }
            _ => return None,
        }
        Some(record)
    }

    /// Whether a failure is to be reported: of DMARC as a whole (none of the two gives a
    /// pass), of one of the two, of a signature, of SPF.
    pub fn reports(&self, failed: FailedParts) -> bool {
        self.failures.split(|c| *c == b':').any(|option| match option.trim_ascii() {
            b"0" => failed.all,
            b"1" => failed.any,
            b"d" => failed.signature,
            b"s" => failed.spf,
            _ => false,
        })
    }
}

/// What has failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FailedParts {
    /// Nothing that is aligned passes.
    pub all: bool,
    /// Not both, SPF and a signature, pass and are aligned.
    pub any: bool,
    /// A signature does not hold, aligned or not.
    pub signature: bool,
    /// SPF does not pass, aligned or not.
    pub spf: bool,
}

fn tag(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = memchr::memchr(b'=', text)?;
    Some((text[..equals].trim_ascii(), text[equals + 1..].trim_ascii()))
}

fn percent(value: &[u8]) -> Option<u8> {
    let digits = !value.is_empty() && value.len() <= 3 && value.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(value).ok()?.parse().ok()?;
    Some(number).filter(|number| digits && *number <= 100)
}

fn is_failures(value: &[u8]) -> bool {
    let known = |one: &[u8]| matches!(one, b"0" | b"1" | b"d" | b"D" | b"s" | b"S");
    value.split(|c| *c == b':').all(|one| known(one.trim_ascii()))
}

/// Addresses for reports: those with a scheme.
fn addresses(value: &[u8]) -> Vec<Vec<u8>> {
    let items = value.split(|c| *c == b',').map(<[u8]>::trim_ascii);
    let proper =
        |item: &&[u8]| item.contains(&b':') && item.iter().all(|c| matches!(c, b'!'..=b'~'));
    items.filter(proper).take(MOST_ADDRESSES).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_and_what_is_none() {
        let read = |text: &str| DmarcRecord::read(text.as_bytes(), false);
        for none in [
            "",
            "v=DMARC2; p=none",
            "v=dmarc1; p=none",
            "p=none; v=DMARC1",
            "v=DMARC1",
            "v=DMARC1; p=perhaps",
            "v=DMARC1; p=none; sp=perhaps",
            "v=DMARC1 p=none",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
        let all = "v = DMARC1 ;P=Reject; sp=quarantine;np=none; adkim=S;aspf=s; pct=7;t=y;psd=n; \
                   fo=1:d:S; rua=mailto:a@b.c!10m , nothing,https://x.y/z;ruf=mailto:f@b.c; zz=1;;";
        let record = read(all).expect("a record");
        assert_eq!(record.policy, DmarcPolicy::Reject);
        assert_eq!(record.subdomains, Some(DmarcPolicy::Quarantine));
        assert_eq!(record.nonexistent, Some(DmarcPolicy::None));
        assert!(record.strict_dkim && record.strict_spf && record.testing);
        assert_eq!((record.percent, record.public_suffix), (7, PublicSuffix::No));
        assert_eq!(record.failures, b"1:d:s");
        assert_eq!(record.aggregate, [b"mailto:a@b.c!10m".to_vec(), b"https://x.y/z".to_vec()]);
        assert_eq!(record.forensic, [b"mailto:f@b.c".to_vec()]);
        // On a walk, one without a policy asks for nothing; what it asks for must be known.
        let walked = |text: &str| DmarcRecord::read(text.as_bytes(), true);
        for (text, record) in [
            ("v=DMARC1", Some((DmarcPolicy::None, PublicSuffix::Unknown))),
            ("v=DMARC1; psd=y", Some((DmarcPolicy::None, PublicSuffix::Yes))),
            ("v=DMARC1; p=perhaps; psd=n", None),
            ("v=DMARC1; p=reject; np=perhaps", None),
            (
                "v=DMARC1; np=perhaps; rua=mailto:a@b.c",
                Some((DmarcPolicy::None, PublicSuffix::Unknown)),
            ),
        ] {
            assert_eq!(walked(text).map(|one| (one.policy, one.public_suffix)), record, "{text}");
        }
        // Whoever wants reports has a policy.
        let odd = read("v=DMARC1; p=perhaps; sp=reject; rua=mailto:a@b.c").expect("a record");
        assert_eq!((odd.policy, odd.subdomains), (DmarcPolicy::None, None));
        for (text, percent) in [("0", 0), ("100", 100), ("101", 100), ("+5", 100), ("", 100)] {
            let record = read(&format!("v=DMARC1; p=none; pct={text}")).expect("a record");
            assert_eq!(record.percent, percent, "{text}");
        }
        let record = read("v=DMARC1; p=none; fo=2").expect("a record");
        assert_eq!(record.failures, b"0");
        assert!(read(&format!("v=DMARC1; p=none;{}", "x=y;".repeat(100_000))).is_some());
    }

    #[test]
    fn failures_to_report() {
        let read = |fo: &str| {
            let text = format!("v=DMARC1; p=none; fo={fo}");
            DmarcRecord::read(text.as_bytes(), false).expect("a record")
        };
        let all = FailedParts { all: true, any: true, ..FailedParts::default() };
        let any = FailedParts { any: true, ..FailedParts::default() };
        let spf = FailedParts { spf: true, ..FailedParts::default() };
        let signature = FailedParts { signature: true, ..FailedParts::default() };
        for (fo, parts) in [("0", [true, false, false, false]), ("1", [true, true, false, false])]
            .into_iter()
            .chain([("d", [false, false, false, true]), ("s:0", [true, false, true, false])])
        {
            let told = [all, any, spf, signature].map(|failed| read(fo).reports(failed));
            assert_eq!(told, parts, "{fo}");
        }
    }
}
