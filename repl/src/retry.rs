//! `-brt`: the rule for retries that fits a domain or address (specification,
//! chapter 32).

use eximious::config::{Growth, HostSource, RetryError, RetryRule, fixed};
use eximious::retry::{Failure, rule};
use eximious::stdlib::interval::written;
use eximious::{Fail, Str};

use crate::rewrite::RewriteReport;
use crate::session::Session;

/// The answer for a domain or address, perhaps another domain, and an error.
///
/// # Errors
/// A pattern can't be read.
pub fn answer(session: &mut Session, arguments: &[Vec<u8>]) -> Result<RewriteReport, Fail> {
    let Some((key, mut rest)) = arguments.split_first() else {
        return Ok(RewriteReport::failed("-brt needs a domain or address argument\n"));
    };
    let mut out = Vec::new();
    if !key.iter().any(|c| matches!(c, b'@' | b'.')) {
        let warning = b"\" contains no '@' and no '.' characters. It is being \n\
            treated as a one-component domain, not as a local part.\n\n";
        out.extend_from_slice(&[b"Warning: \"", key.as_slice(), warning.as_slice()].concat());
    }
    let mut alternate = None;
    if let [second, others @ ..] = rest
        && second.contains(&b'.')
    {
        alternate = Some(Str::tainted(second.as_slice()));
        rest = others;
    }
    let mut error = RetryError::Any;
    if let Some(name) = rest.first() {
        match RetryError::parse(name) {
            Ok((parsed, warning)) => {
                error = parsed;
                warning.iter().for_each(|line| session.engine().world().log.panic(line));
            }
            Err(message) => {
                out.extend_from_slice(&message);
                out.push(b'\n');
                return Ok(RewriteReport::failed(out));
            }
        }
    }
    let sender = session.given_sender().cloned();
    session.without_sender();
    let failure = Failure { key: Str::tainted(key.as_slice()), alternate, error, sender };
    let (config, cx) = session.parts();
    let found = match config {
        Some(config) => rule(cx, config, &failure)?,
        None => None,
    };
    match found {
        Some(rule) => out.extend_from_slice(&shown(rule)),
        None => out.extend_from_slice(b"No retry information found\n"),
    }
    Ok(RewriteReport::fine(out))
}

/// A rule, as Exim shows it.
fn shown(rule: &RetryRule) -> Vec<u8> {
    let mut line = [b"Retry rule: ", rule.pattern.bytes(), b"  "].concat();
    line.extend_from_slice(&error(rule.error).into_bytes());
    line.extend_from_slice(b"  ");
    for step in &rule.steps {
        let (until, between) = (written(step.until as i32), written(step.interval as i32));
        let factor = match step.growth {
            Growth::Geometric(factor) => format!(",{}", fixed(factor)),
            // That of a random step is not shown.
            Growth::Fixed | Growth::Random(_) => String::new(),
        };
        let step = format!("{},{until},{between}{factor}; ", step.growth.letter());
        line.extend_from_slice(step.as_bytes());
    }
    line.push(b'\n');
    line
}

/// The errors that Exim has a name for here; it shows all others as `*`.
fn error(error: RetryError) -> String {
    let source = |source: Option<HostSource>| match source {
        None => "",
        Some(HostSource::Mx) => "_MX",
        Some(HostSource::A) => "_A",
    };
    match error {
        RetryError::AuthFailed => "auth_failed".into(),
        RetryError::Quota(None | Some(0)) => "quota".into(),
        RetryError::Quota(Some(age)) => format!("quota_{}", written(age as i32)),
        RetryError::Refused(from) => format!("refused{}", source(from)),
        RetryError::Timeout { connecting, source: from } => {
            format!("timeout{}{}", if connecting { "_connect" } else { "" }, source(from))
        }
        _ => "*".into(),
    }
}
