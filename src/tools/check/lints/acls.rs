//! Statements of ACLs that nothing comes to, and words without effect.

use eximious_core::{AclTermKind, AclVerb};

use crate::config::{AclLineTerm, AclStatement};
use crate::tools::check::{Lint, Severity};

/// W207.
pub(super) static STATEMENT_UNREACHABLE: Lint = Lint {
    code: "W207",
    name: "statement-unreachable",
    severity: Severity::Warning,
    summary: "A statement of an ACL is never reached.",
    docs: "The statement before it decides: it has no condition, or none that could fail.",
    bad: "acl_smtp_mail = c\nbegin acl\nc:\n  accept\n  deny hosts = 192.0.2.1\n",
    good: "acl_smtp_mail = c\nbegin acl\nc:\n  deny hosts = 192.0.2.1\n  accept\n",
    run: |survey, findings| {
        for acl in &survey.config.acls {
            let end = acl.statements.iter().position(decides);
            if let Some(next) = end.and_then(|end| acl.statements.get(end + 1)) {
                findings.add(survey.line(next.line), "this statement is never reached");
            }
        }
    },
};

/// Whether an ACL always ends with a statement.
fn decides(statement: &AclStatement) -> bool {
    let mut conditions =
        statement.terms.iter().filter(|term| term.term.kind == AclTermKind::Condition);
    conditions.all(holds) && !matches!(statement.verb, AclVerb::Require | AclVerb::Warn)
}

/// Whether a condition always holds.
fn holds(term: &AclLineTerm) -> bool {
    let text = term.text.bytes();
    match term.term.meta.name {
        "condition" => super::relay::constant(text) == Some(!term.negated),
        "domains" | "hosts" | "local_parts" | "recipients" | "sender_domains" | "senders" => {
            !term.negated && text.trim_ascii() == b"*"
        }
        _ => false,
    }
}

/// W208.
pub(super) static ENDPASS_WITHOUT_EFFECT: Lint = Lint {
    code: "W208",
    name: "endpass-without-effect",
    severity: Severity::Warning,
    summary: "`endpass` has no condition after it.",
    docs: "It says that a condition that fails after it refuses; there is none.",
    bad: "acl_smtp_rcpt = c\nbegin acl\nc:\n  accept domains = example.com\n         endpass\n",
    good: "acl_smtp_rcpt = c\nbegin acl\nc:\n  accept domains = example.com\n         endpass\n         verify = recipient\n",
    run: |survey, findings| {
        for statement in survey.config.acls.iter().flat_map(|acl| &acl.statements) {
            let Some(at) = statement.terms.iter().position(|t| t.term.meta.name == "endpass")
            else {
                continue;
            };
            let after = &statement.terms[at + 1..];
            if after.iter().all(|term| term.term.kind != AclTermKind::Condition) {
                findings.add(
                    survey.line(statement.terms[at].line),
                    "endpass has no condition after it",
                );
            }
        }
    },
};
