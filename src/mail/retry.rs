//! Which rule for retries fits a failure (specification, chapter 32).

use eximious_core::trace::TraceKinds;
use eximious_core::{Fail, Str};
use eximious_stdlib::lists::Matcher;

use crate::Context;
use crate::config::{Config, HostSource, ReplyCode, RetryError, RetryRule};
use crate::engine::patterns;

/// A failure that is to be tried again.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The address, or a domain or host on its own.
    pub key: Str,
    /// A second key: where the first is a host, the address's domain.
    pub alternate: Option<Str>,
    /// What went wrong; [`RetryError::Any`] where it is nothing that rules can
    /// name.
    pub error: RetryError,
    /// The message's sender; without one, rules for senders do not fit.
    pub sender: Option<Str>,
}

/// The first rule of a configuration that fits a failure.
///
/// # Errors
/// A pattern can't be read.
pub fn rule<'c>(
    cx: &mut Context,
    config: &'c Config,
    failure: &Failure,
) -> Result<Option<&'c RetryRule>, Fail> {
    let found = find(cx, config, failure)?;
    if cx.trace().wants(TraceKinds::RETRY) {
        let head = [b"retry rule for ".as_slice(), failure.key.bytes(), b": "].concat();
        let text = match found {
            Some(rule) => [&head, rule.pattern.bytes()].concat(),
            None => [&head, b"none".as_slice()].concat(),
        };
        cx.note(TraceKinds::RETRY, &text);
    }
    Ok(found)
}

fn find<'c>(
    cx: &mut Context,
    config: &'c Config,
    failure: &Failure,
) -> Result<Option<&'c RetryRule>, Fail> {
    // The second key is a domain, whatever it looks like.
    let keys: Vec<Str> = [Some(whole(&failure.key)), failure.alternate.as_ref().map(all_in)]
        .into_iter()
        .flatten()
        .collect();
    // A pattern is looked at, and a file asked, for those errors alone that the rule is about.
    for (rule, _) in config.retry.iter().filter(|(rule, _)| rule.error.covers(failure.error)) {
        let mut hit = false;
        for key in &keys {
            hit = patterns::matches(cx, &rule.pattern, &mut Matcher::address(key))?;
            if hit {
                break;
            }
        }
        if !hit {
            continue;
        }
        match (&rule.senders, &failure.sender) {
            (None, _) => return Ok(Some(rule)),
            (Some(_), None) => {}
            (Some(senders), Some(sender)) => {
                if patterns::is_in(cx, senders, sender)? {
                    return Ok(Some(rule));
                }
            }
        }
    }
    Ok(None)
}

/// A key as an address: a domain on its own stands for all that is in it.
fn whole(key: &Str) -> Str {
    if key.bytes().contains(&b'@') { key.clone() } else { all_in(key) }
}

/// What stands for all that is in a domain.
fn all_in(domain: &Str) -> Str {
    let (text, taint) = domain.read();
    Str::from([b"*@", text].concat()).stamped(taint)
}

impl RetryError {
    /// What a hint has beside the letter of the host's source where no connection was had in
    /// time.
    pub(crate) const CONNECTING: i32 = 0x100;

    /// What a hint is about, by the number of its error and by what it has beside that.
    pub fn of_hint(number: i32, detail: i32) -> Self {
        let source = match detail & 0xff {
            detail if detail == i32::from(b'M') => Some(HostSource::Mx),
            detail if detail == i32::from(b'A') => Some(HostSource::A),
            _ => None,
        };
        let digits = u8::try_from(detail >> 8).unwrap_or_default();
        let code = ReplyCode { tens: Some(digits / 10), ones: Some(digits % 10) };
        match number {
            110 => Self::Timeout { connecting: detail & Self::CONNECTING != 0, source },
            -22 => Self::Quota(Some(detail.into())),
            111 => Self::Refused(source),
            -18 => Self::LostConnection,
            -38 | -37 => Self::TlsRequired,
            -42 => Self::AuthFailed,
            -44 => Self::Rcpt(code),
            -45 => Self::Mail(code),
            -46 => Self::Data(code),
            _ => Self::Any,
        }
    }

    /// Where the host was from, of those that rules tell apart by that.
    pub(crate) fn source(self) -> Option<HostSource> {
        match self {
            Self::Refused(source) | Self::Timeout { source, .. } => source,
            _ => None,
        }
    }

    /// Whether a rule for this error is for that one, too.
    pub fn covers(self, error: Self) -> bool {
        match (self, error) {
            (Self::Any, _) => true,
            (Self::Refused(None), Self::Refused(_)) => true,
            (Self::Quota(least), Self::Quota(age)) => {
                least.unwrap_or(0) == 0 || age.is_some_and(|age| Some(age) >= least)
            }
            (
                Self::Timeout { connecting, source },
                Self::Timeout { connecting: while_connecting, source: from },
            ) => (!connecting || while_connecting) && (source.is_none() || source == from),
            (Self::Data(wanted), Self::Data(code))
            | (Self::Mail(wanted), Self::Mail(code))
            | (Self::Rcpt(wanted), Self::Rcpt(code)) => wanted.covers(code),
            _ => self == error,
        }
    }
}

impl ReplyCode {
    /// Whether these digits stand for those.
    fn covers(self, code: Self) -> bool {
        let digit = |wanted: Option<u8>, found: Option<u8>| wanted.is_none() || wanted == found;
        digit(self.tens, code.tens) && digit(self.ones, code.ones)
    }
}

#[cfg(test)]
mod tests {
    use eximious_core::world::Fixture;

    use super::*;
    use crate::{Engine, Macros};

    #[test]
    fn the_first_rule_that_fits_is_taken() {
        let text = "begin retry\na.b quota_3d F,1h,1m\na.b rcpt_45x senders=: F,1h,2m\n\
            *@c.d timeout F,1h,3m\n^.*@e\\.f * F,1h,4m\n";
        let world = Fixture::new().file("/c", text).world();
        let registry = crate::registry();
        let config = Config::read(b"/c", Macros::new(), &world, &registry).unwrap();
        let mut cx = Engine::builder().world(world).build().context();
        for (key, error, sender, minutes) in [
            ("a.b", "quota_4d", None, Some(1)),
            ("a.b", "quota_2d", None, None),
            ("x@a.b", "rcpt_451", Some(""), Some(2)),
            ("x@a.b", "rcpt_451", Some("x@y"), None),
            ("x@a.b", "rcpt_451", None, None),
            ("x@a.b", "rcpt_461", Some(""), None),
            ("C.D", "timeout_connect_MX", None, Some(3)),
            ("e.f", "lookup", None, Some(4)),
            ("g.h", "lookup", None, None),
        ] {
            let failure = Failure {
                key: Str::from(key),
                alternate: None,
                error: RetryError::parse(error.as_bytes()).unwrap().0,
                sender: sender.map(Str::from),
            };
            let found = rule(&mut cx, &config, &failure).unwrap();
            let interval = found.map(|rule| rule.steps[0].interval / 60);
            assert_eq!(interval, minutes, "{key} {error} {sender:?}");
        }
    }
}
