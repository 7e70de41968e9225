//! What an ACL says to the client.

use eximious_core::{AclPhases, AclTermKind, AclVerb};
use eximious_grammar::Span;

use crate::config::AclStatement;
use crate::tools::check::{Lint, Severity, Spot};

/// E119.
pub(super) static WRONG_REPLY_CODE: Lint = Lint {
    code: "E119",
    name: "wrong-reply-code",
    severity: Severity::Error,
    summary: "The code of a reply does not suit the verb.",
    docs: "A `message` may begin with a code of three digits, and one such as 5.7.1. The first digit \
           must be 5 for `deny`, `drop` and `require`, 4 for `defer`, and 2 for `accept` and \
           `discard`. With another one, Exim writes to its panic log and puts its own code in the \
           place: a `deny` that means 450 refuses for good. Since 4.100, the second code is looked \
           at as well.",
    bad: "acl_smtp_mail = c\nbegin acl\nc:\n  deny message = 450 come again later\n",
    good: "acl_smtp_mail = c\nbegin acl\nc:\n  defer message = 450 come again later\n",
    run: |survey, findings| {
        let later = survey.target.has("4.100");
        for acl in &survey.config.acls {
            let phases = survey
                .acl(acl.name.bytes())
                .map_or(AclPhases::empty(), |number| survey.acls[number].phases);
            for statement in &acl.statements {
                let (verb, expected) = match statement.verb {
                    AclVerb::Deny | AclVerb::Drop | AclVerb::Require => (statement.verb, b'5'),
                    AclVerb::Defer => (statement.verb, b'4'),
                    // DATA is answered with 354.
                    AclVerb::Accept | AclVerb::Discard if !phases.contains(AclPhases::PREDATA) => {
                        (statement.verb, b'2')
                    }
                    _ => continue,
                };
                for term in statement.terms.iter().filter(|t| t.term.meta.name == "message") {
                    let Some((code, second)) = codes(term.text.bytes()) else { continue };
                    let second = second.filter(|second| later && second[0] != expected);
                    let wrong = if code[0] == expected { second } else { Some(code) };
                    let Some(wrong) = wrong else { continue };
                    let start = term.span.start as usize;
                    let spot = Spot::Line(term.line, Span::new(start, start + code.len()));
                    let message = format!(
                        "{} wants a code that begins with {}, not {}",
                        verb.name(),
                        char::from(expected),
                        String::from_utf8_lossy(wrong)
                    );
                    let help = match (verb, wrong[0]) {
                        (AclVerb::Deny | AclVerb::Drop, b'4') => "write defer instead",
                        _ => "",
                    };
                    findings.add_with(spot, message, help);
                }
            }
        }
    },
};

/// The code that a text begins with, and the one of three numbers after it.
fn codes(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let (code, rest) = text.split_at_checked(3)?;
    let rest = rest.strip_prefix(b" ").filter(|_| code.iter().all(u8::is_ascii_digit))?;
    let second = rest.split(|c| *c == b' ').next().unwrap_or_default();
    let mut parts = second.split(|c| *c == b'.');
    let number = |part: &[u8]| (1..=3).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    let whole = parts.clone().count() == 3 && parts.all(number);
    Some((code, whole.then_some(second)))
}

/// W213.
pub(super) static MESSAGE_TOO_LATE: Lint = Lint {
    code: "W213",
    name: "message-too-late",
    severity: Severity::Warning,
    summary: "A message stands behind the conditions that it is for.",
    docs: "Exim goes through a statement from left to right, and `require` refuses at the first \
           condition that fails. A `message` or `log_message` that comes after the last condition \
           is never read then. With `deny` it does not matter.",
    bad: "acl_smtp_mail = c\nbegin acl\nc:\n  require verify = sender\n          message = who are you?\n",
    good: "acl_smtp_mail = c\nbegin acl\nc:\n  require message = who are you?\n          verify = sender\n",
    run: |survey, findings| {
        let statements = survey.config.acls.iter().flat_map(|acl| &acl.statements);
        for AclStatement { terms, .. } in statements.filter(|s| s.verb == AclVerb::Require) {
            let last = terms.iter().rposition(|term| term.term.kind == AclTermKind::Condition);
            for term in last.map_or(&[][..], |last| &terms[last + 1..]) {
                let name = term.term.meta.name;
                if matches!(name, "message" | "log_message") {
                    let message = format!("{name} is never read where a condition fails");
                    findings.add_with(survey.line(term.line), message, "put it before them");
                }
            }
        }
    },
};
