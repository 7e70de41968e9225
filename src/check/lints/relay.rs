//! A server that lets anybody send to anybody.

use eximious_core::{AclTermKind, AclVerb};

use crate::check::{Lint, Severity};
use crate::config::{Acl, AclStatement};

/// E111.
pub(super) static OPEN_RELAY: Lint = Lint {
    code: "E111",
    name: "open-relay",
    severity: Severity::Error,
    summary: "The ACL for RCPT accepts any recipient from any host.",
    docs: "A path through the ACL ends in `accept` without a test of the recipient's domain, of the \
           client's address or of its authentication, neither in that statement nor in one before \
           it that refuses the rest. Spammers find such a server within hours. A sender's address \
           proves nothing: anybody can write any.",
    bad: "acl_smtp_rcpt = c\nbegin acl\nc:\n  deny dnslists = rbl.example\n  accept\n",
    good: "domainlist local = example.com\nacl_smtp_rcpt = c\nbegin acl\nc:\n  deny dnslists = rbl.example\n  require domains = +local\n  accept\n",
    run: |survey, findings| {
        let Some(name) = survey.config.settings.options.text("acl_smtp_rcpt") else { return };
        let Some(acl) = survey.config.acls.iter().find(|acl| acl.name == *name) else { return };
        if let Some(statement) = open(acl) {
            findings.add_with(
                survey.line(statement.line),
                format!("{} accepts any recipient from any host here", acl.name.display()),
                "put a test of domains, hosts or authenticated before it",
            );
        }
    },
};

/// The statement that accepts without a test that counts.
fn open(acl: &Acl) -> Option<&AclStatement> {
    for statement in &acl.statements {
        let counts = statement.terms.iter().any(|term| counts(term.term.meta.name));
        match statement.verb {
            AclVerb::Accept | AclVerb::Discard if !counts => {
                return (statement.verb == AclVerb::Accept).then_some(statement);
            }
            AclVerb::Require | AclVerb::Deny | AclVerb::Drop | AclVerb::Defer => {
                let conditions =
                    statement.terms.iter().any(|term| term.term.kind == AclTermKind::Condition);
                if counts || (!conditions && statement.verb != AclVerb::Require) {
                    return None;
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a condition can tell a message that is to be relayed from others.
fn counts(name: &str) -> bool {
    matches!(
        name,
        "acl"
            | "authenticated"
            | "condition"
            | "domains"
            | "encrypted"
            | "hosts"
            | "local_parts"
            | "recipients"
    )
}
