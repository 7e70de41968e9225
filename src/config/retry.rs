//! Rules for retries (specification, chapter 32).

use eximious_core::Str;
use eximious_grammar::config::retry_line;
use eximious_grammar::is_space;

use eximious_stdlib::interval::seconds;

use super::values::{fixed, quoted};
use crate::config::macros::trim_start;

/// A rule for retries.
#[derive(Clone, PartialEq, Debug)]
pub struct RetryRule {
    /// What is matched: an item of an address list.
    pub pattern: Str,
    /// The error that it is for.
    pub error: RetryError,
    /// The senders that it is for; `None` is all.
    pub senders: Option<Str>,
    /// When to try again: each step counts up to its time.
    pub steps: Vec<RetryStep>,
}

/// A part of a rule for retries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryStep {
    /// How the time between tries grows.
    pub growth: Growth,
    /// Up to how long after the first failure the step counts, seconds.
    pub until: i64,
    /// The time between tries, seconds; the first where it grows.
    pub interval: i64,
}

/// How the time between tries grows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Growth {
    /// `F`: it stays.
    Fixed,
    /// `G`: each is so many thousandths of the one before.
    Geometric(i64),
    /// `H`: as `G`, and a random part of it is added.
    Random(i64),
}

impl Growth {
    /// Its letter.
    pub fn letter(self) -> char {
        match self {
            Self::Fixed => 'F',
            Self::Geometric(_) => 'G',
            Self::Random(_) => 'H',
        }
    }
}

/// The error that a rule is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum RetryError {
    /// `*`: any.
    Any,
    /// `auth_failed`
    AuthFailed,
    /// `data_4xx`: an answer to DATA or what followed; the last two digits, or
    /// the tens digit and an x, or any.
    Data(ReplyCode),
    /// `mail_4xx`: an answer to MAIL.
    Mail(ReplyCode),
    /// `rcpt_4xx`: an answer to RCPT.
    Rcpt(ReplyCode),
    /// `lookup`
    Lookup,
    /// `lost_connection`
    LostConnection,
    /// `quota`, or `quota_3d` for a mailbox not read for so many seconds.
    Quota(Option<i64>),
    /// `refused`, of a host from an MX record, from an A record, or any.
    Refused(Option<HostSource>),
    /// `timeout`, and `timeout_connect`.
    Timeout {
        /// Whether only while connecting.
        connecting: bool,
        /// The host's source.
        source: Option<HostSource>,
    },
    /// `tls_required`
    TlsRequired,
}

/// Where a host's name came from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HostSource {
    /// An MX record.
    Mx,
    /// Anything else.
    A,
}

impl HostSource {
    /// As hints have it.
    pub(crate) fn letter(self) -> u8 {
        match self {
            Self::Mx => b'M',
            Self::A => b'A',
        }
    }
}

/// `4xx`, `43x`, `432`: digits that count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ReplyCode {
    /// The tens digit; `None` is any.
    pub tens: Option<u8>,
    /// The last digit; `None` is any.
    pub ones: Option<u8>,
}

impl HostSource {
    /// Where hosts come from, by name; any, where there is none.
    fn parse(name: &[u8]) -> Option<Option<Self>> {
        match name {
            b"" => Some(None),
            b"mx" => Some(Some(Self::Mx)),
            b"a" => Some(Some(Self::A)),
            _ => None,
        }
    }
}

/// Reads a rule of the section; with it, what Exim would say of it in the log.
pub(super) fn rule(line: &[u8]) -> Result<(RetryRule, Option<Vec<u8>>), Vec<u8>> {
    let missing = || b"missing error type in retry rule".to_vec();
    let form = retry_line(line).ok_or_else(missing)?;
    let error = form.error.ok_or_else(missing)?;
    let (error, warning) = RetryError::parse(error.of(line))?;
    let rule = RetryRule {
        pattern: Str::from(quoted(form.pattern.of(line))),
        error,
        senders: form.senders.map(|senders| Str::from(quoted(senders.of(line)))),
        steps: steps(form.rules.of(line))?,
    };
    Ok((rule, warning))
}

impl RetryError {
    /// An error by name; with it, what Exim would say in the log.
    ///
    /// # Errors
    /// There is none such.
    pub fn parse(name: &[u8]) -> Result<(Self, Option<Vec<u8>>), Vec<u8>> {
        let lower = name.to_ascii_lowercase();
        let unknown = || Err([b"unknown or malformed retry error \"", name, b"\""].concat());
        // Exim takes the beginnings of some words for the whole.
        let stands_for =
            |word: &[u8], least: usize| lower.len() >= least && word.starts_with(&lower);
        let error = match lower.as_slice() {
            b"*" => Self::Any,
            _ if stands_for(b"auth_failed", 5) => Self::AuthFailed,
            _ if stands_for(b"lost_connection", 0) => Self::LostConnection,
            _ if stands_for(b"lookup", 1) => Self::Lookup,
            _ if stands_for(b"tls_required", 1) => Self::TlsRequired,
            b"quota" => Self::Quota(None),
            b"refused" => Self::Refused(None),
            b"timeout" => Self::Timeout { connecting: false, source: None },
            b"timeout_dns" => {
                let warning = b"\"timeout_dns\" is no longer available in retry rules (it has \
                    never worked) - treated as \"timeout\"";
                let error = Self::Timeout { connecting: false, source: None };
                return Ok((error, Some(warning.to_vec())));
            }
            _ => {
                // Units, and the `x` for any digit, are small letters.
                let behind =
                    |head: &[u8]| lower.starts_with(head).then(|| name.split_at(head.len()));
                if let Some((_, age)) = behind(b"quota_") {
                    let age = seconds(age).ok_or_else(|| b"bad time value".to_vec())?;
                    Self::Quota(Some(age.into()))
                } else if let Some(source) = lower.strip_prefix(b"refused_") {
                    let wanted = || b"A or MX expected after \"refused\"".to_vec();
                    // Without a word, it is as with `MX`.
                    let source = if source.is_empty() { b"mx" } else { source };
                    Self::Refused(HostSource::parse(source).ok_or_else(wanted)?)
                } else if let Some(rest) = lower.strip_prefix(b"timeout_") {
                    let behind = match rest.starts_with(b"c") && b"connect".starts_with(rest) {
                        true => Some(&b""[..]),
                        false => rest.strip_prefix(b"connect"),
                    };
                    let behind = behind.filter(|rest| rest.is_empty() || rest.starts_with(b"_"));
                    let source = behind.map_or(rest, |rest| rest.get(1..).unwrap_or_default());
                    let words = b"\"A\", \"MX\", or \"connect\" expected after \"timeout\"";
                    let source = HostSource::parse(source).ok_or_else(|| words.to_vec())?;
                    Self::Timeout { connecting: behind.is_some(), source }
                } else if let Some((head, code)) = behind(b"data_4") {
                    Self::Data(ReplyCode::parse(head, code)?)
                } else if let Some((head, code)) = behind(b"mail_4") {
                    Self::Mail(ReplyCode::parse(head, code)?)
                } else if let Some((head, code)) = behind(b"rcpt_4") {
                    Self::Rcpt(ReplyCode::parse(head, code)?)
                } else {
                    return unknown();
                }
            }
        };
        Ok((error, None))
    }
}

impl ReplyCode {
    /// The last two digits of a reply to a command.
    fn parse(head: &[u8], digits: &[u8]) -> Result<Self, Vec<u8>> {
        let digit = |c: u8| c.is_ascii_digit().then(|| c - b'0');
        match digits {
            b"xx" => Ok(Self { tens: None, ones: None }),
            [tens @ b'0'..=b'9', b'x'] => Ok(Self { tens: digit(*tens), ones: None }),
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
                Ok(Self { tens: digit(*tens), ones: digit(*ones) })
            }
            _ => {
                let tail = b" must be followed by xx, dx, or dd, where x is literal and d is any \
                    digit";
                Err([head, tail].concat())
            }
        }
    }
}

/// `F,2h,15m; G,16h,1h,1.5`
fn steps(mut text: &[u8]) -> Result<Vec<RetryStep>, Vec<u8>> {
    let mut steps = Vec::new();
    loop {
        text = trim_start(text);
        let Some((letter, rest)) = text.split_first() else { return Ok(steps) };
        let (until, rest) = argument(rest, false)?;
        let letter = letter.to_ascii_uppercase();
        if !matches!(letter, b'F' | b'G' | b'H') {
            return Err(b"unknown retry rule letter".to_vec());
        }
        let (interval, rest) = argument(rest, false)?;
        let (growth, rest) = match letter {
            b'F' => (Growth::Fixed, rest),
            _ => {
                let (factor, rest) = argument(rest, true)?;
                let factor = fixed(factor, b"").unwrap_or(0);
                let growth =
                    if letter == b'G' { Growth::Geometric(factor) } else { Growth::Random(factor) };
                (growth, rest)
            }
        };
        let bad = || b"bad parameters for retry rule".to_vec();
        let (until, interval) = seconds(until).zip(seconds(interval)).ok_or_else(bad)?;
        let shrinks =
            matches!(growth, Growth::Geometric(factor) | Growth::Random(factor) if factor < 1000);
        if until <= 0 || interval <= 0 || shrinks {
            return Err(bad());
        }
        steps.push(RetryStep { growth, until: until.into(), interval: interval.into() });
        text = trim_start(rest);
        match text.split_first() {
            None => return Ok(steps),
            Some((b';', rest)) => text = rest,
            Some(_) => return Err(b"semicolon expected".to_vec()),
        }
    }
}

/// A comma, and what stands up to the next comma, semicolon or white space: letters and digits,
/// or a number with a point.
fn argument(text: &[u8], has_point: bool) -> Result<(&[u8], &[u8]), Vec<u8>> {
    let Some(text) = text.strip_prefix(b",") else {
        return Err(b"comma expected".to_vec());
    };
    let text = trim_start(text);
    let end = text.iter().position(|c| !(c.is_ascii_alphanumeric() || has_point && *c == b'.'));
    let (argument, rest) = text.split_at(end.unwrap_or(text.len()));
    match rest.first() {
        Some(c) if !matches!(c, b',' | b';') && !is_space(*c) => {
            Err(b"comma or semicolon expected".to_vec())
        }
        _ => Ok((argument, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(line: &str) -> String {
        rule(line.as_bytes()).map_or_else(|why| String::from_utf8(why).unwrap(), |_| "fine".into())
    }

    #[test]
    fn rules_have_steps() {
        let (found, _) = rule(b"*  rcpt_43x  senders=:  F,2h,15m; G,16h,1h,1.5;").unwrap();
        assert_eq!(found.error, RetryError::Rcpt(ReplyCode { tens: Some(3), ones: None }));
        assert_eq!(found.senders.map(|s| s.bytes().to_vec()), Some(b":".to_vec()));
        assert_eq!(
            found.steps,
            [
                RetryStep { growth: Growth::Fixed, until: 7200, interval: 900 },
                RetryStep { growth: Growth::Geometric(1500), until: 57_600, interval: 3600 },
            ]
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (line, message) in [
            ("*", "missing error type in retry rule"),
            ("* *", "fine"),
            ("* * F", "comma expected"),
            ("* * F,2h", "comma expected"),
            ("* * F,2h ,3m", "comma expected"),
            ("* * F,2h.5,3m", "comma or semicolon expected"),
            ("* * G,2h,3m,1.5\"", "comma or semicolon expected"),
            ("* foo F,2h,3m", "unknown or malformed retry error \"foo\""),
            ("* * X,2h,3m", "unknown retry rule letter"),
            ("* * X,2h", "unknown retry rule letter"),
            ("* * X", "comma expected"),
            ("* * F,1h,15m G,1h,1h,2", "semicolon expected"),
            ("* * F,1h,0s", "bad parameters for retry rule"),
            ("* * G,1h,1h,0.5", "bad parameters for retry rule"),
            ("* * G,1h,1h,x", "bad parameters for retry rule"),
            ("* * G,1h,1h,99", "fine"),
            ("* * f,1h,2h", "fine"),
            (
                "* rcpt_4x F,1h,1h",
                "rcpt_4 must be followed by xx, dx, or dd, where x is literal and d is any digit",
            ),
        ] {
            assert_eq!(wrong(line), message, "{line}");
        }
    }
    #[test]
    fn words_may_be_cut_short_as_in_exim() {
        let read = |name: &str| RetryError::parse(name.as_bytes()).map(|(error, _)| error);
        let connecting = Ok(RetryError::Timeout { connecting: true, source: None });
        assert_eq!(read("auth_"), Ok(RetryError::AuthFailed));
        assert_eq!(read("lo"), Ok(RetryError::LostConnection));
        assert_eq!(read("loo"), Ok(RetryError::Lookup));
        assert_eq!(read("tls"), Ok(RetryError::TlsRequired));
        assert_eq!(read("timeout_con"), connecting);
        assert_eq!(read(""), Ok(RetryError::LostConnection));
        for none in ["auth", "time", "refu", "quo", "rcpt", "timeout_connec_A"] {
            assert!(read(none).is_err(), "{none}");
        }
    }
}
