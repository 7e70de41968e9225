//! A policy as it is written (RFC 8461, section 3).

/// The longest time for which a policy is kept, in seconds: a year.
const LONGEST_AGE: i64 = 31_557_600;
/// How many patterns a policy may have.
const MOST_PATTERNS: usize = 256;
/// How long a policy's name may be.
const LONGEST_ID: usize = 32;

/// What a policy wants of whoever sends mail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StsMode {
    /// Mail goes to hosts of the policy alone, and under TLS.
    Enforce,
    /// Mail goes anyway; what is wrong is told.
    Testing,
    /// There is no policy any more.
    None,
}

impl StsMode {
    /// How policies write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        }
    }
}

/// What a domain says of how mail comes to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StsPolicy {
    /// What it wants.
    pub mode: StsMode,
    /// Its hosts, in lower case: names, or `*.` and what stands behind one label.
    pub hosts: Vec<String>,
    /// For how many seconds it may be kept.
    pub max_age: i64,
}

impl StsPolicy {
    /// Reads a policy; nothing where that is none. Of a field that may be there once, the
    /// first counts, and what nobody knows is passed over.
    pub fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (mut version, mut mode, mut max_age) = (None, None, None);
        let mut hosts = Vec::new();
        for line in text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
            let (key, value) = line.split_once(':')?;
            let value = value.trim();
            match key.trim_end() {
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value)),
                "mx" if hosts.len() < MOST_PATTERNS => hosts.push(pattern(value)?),
                "mx" => return None,
                _ => {}
            }
        }
        let mode = match mode? {
            "enforce" => StsMode::Enforce,
            "testing" => StsMode::Testing,
            "none" => StsMode::None,
            _ => return None,
        };
        let digits = max_age.filter(|text| (1..=10).contains(&text.len()))?;
        let max_age = Some(digits).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        let max_age = max_age.parse::<i64>().ok()?.min(LONGEST_AGE);
        let is_whole = version == Some("STSv1") && (mode == StsMode::None || !hosts.is_empty());
        is_whole.then_some(Self { mode, hosts, max_age })
    }

    /// Whether a host, by its name in an MX record, is one of the policy's.
    pub fn has(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.hosts.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(parent) => host
                .split_once('.')
                .is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
            None => host == *pattern,
        })
    }
}

/// A host, or hosts, of a policy.
fn pattern(text: &str) -> Option<String> {
    let text = text.trim_end_matches('.');
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (name.len() <= 253 && name.split('.').all(is_label)).then(|| text.to_ascii_lowercase())
}

/// What a domain calls its policy, by the texts at `_mta-sts.DOMAIN`; nothing where it has
/// none, or several.
pub fn sts_id<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> Option<String> {
    let mut found = texts.into_iter().filter_map(fields);
    let only = found.next().filter(|_| found.next().is_none())?;
    let mut ids = only.split(';').filter_map(|field| field.trim().strip_prefix("id="));
    let id = ids.next().map(str::trim_end)?;
    let is_id =
        (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then(|| id.to_owned())
}

/// What stands behind the version, where that is there.
fn fields(text: &[u8]) -> Option<&str> {
    let (version, rest) = std::str::from_utf8(text).ok()?.split_once(';')?;
    (version.trim_end() == "v=STSv1").then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n\
        mx: *.Example.NET\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n";

    #[test]
    fn policies_are_read() {
        let policy = StsPolicy::read(POLICY.as_bytes()).expect("a policy");
        assert_eq!((policy.mode, policy.max_age), (StsMode::Enforce, 604_800));
        assert_eq!(policy.hosts, ["mail.example.com", "*.example.net", "backupmx.example.com"]);
        let with = |more: &str| StsPolicy::read(format!("{more}\n{POLICY}").as_bytes());
        assert_eq!(with("mode:testing\nmax_age: 99999999999").map(|one| one.mode), None);
        assert_eq!(with("mode:testing").expect("the first").mode, StsMode::Testing);
        assert_eq!(with("max_age: 9999999999").expect("bounded").max_age, LONGEST_AGE);
        assert_eq!(with("comment: a: b").expect("more").hosts.len(), 3);
        let none = b"version: STSv1\nmode: none\nmax_age: 1";
        assert_eq!(StsPolicy::read(none).expect("a policy").mode, StsMode::None);
        for (what, instead) in [
            ("STSv1", "STSv2"),
            ("mode: enforce", "mode: maybe"),
            ("604800", "-1"),
            ("604800", ""),
            ("max_age", "age"),
            ("version", "mx"),
            ("mx: mail.example.com", "mx: a*.example.com"),
            ("mx: mail.example.com", "mx: "),
            ("mx: mail.example.com", "no field"),
        ] {
            let text = POLICY.replacen(what, instead, 1);
            assert_eq!(StsPolicy::read(text.as_bytes()), None, "{text}");
        }
        let many = POLICY.replace("mx: mail.example.com", &"mx: a\n".repeat(MOST_PATTERNS));
        assert_eq!(StsPolicy::read(many.as_bytes()), None);
    }

    #[test]
    fn a_star_is_one_label() {
        let policy = StsPolicy::read(POLICY.as_bytes()).expect("a policy");
        for host in ["mail.example.com", "MAIL.example.com.", "mx1.example.net"] {
            assert!(policy.has(host), "{host}");
        }
        for host in ["example.net", "a.mx1.example.net", ".example.net", "x.mail.example.com", ""] {
            assert!(!policy.has(host), "{host}");
        }
    }

    #[test]
    fn one_record_names_the_policy() {
        let id = |texts: &[&str]| sts_id(texts.iter().map(|text| text.as_bytes()));
        assert_eq!(id(&["v=STSv1; id=20160831085700Z;"]).as_deref(), Some("20160831085700Z"));
        assert_eq!(id(&["x", "v=STSv1 ;x=1; id=7"]).as_deref(), Some("7"));
        assert_eq!(id(&["v=STSv1; id=1", "v=STSv1; id=2"]), None);
        for text in ["v=STSv1; id=", "v=STSv1; id=a-b", "v=STSv10; id=1", " v=STSv1; id=1", ""] {
            assert_eq!(id(&[text]), None, "{text}");
        }
        assert_eq!(id(&[&format!("v=STSv1; id={}", "1".repeat(33))]), None);
    }
}
