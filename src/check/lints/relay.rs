//! A server that lets anybody send to anybody.

use eximious_core::{AclTermKind, AclVerb, ListKind};

use crate::check::{Lint, Severity, Survey};
use crate::config::{Acl, AclLineTerm, AclStatement};

/// How deep ACLs call each other, and lists name each other, before it is
/// believed that they test something.
const DEEPEST: usize = 8;

/// E111.
pub(super) static OPEN_RELAY: Lint = Lint {
    code: "E111",
    name: "open-relay",
    severity: Severity::Error,
    summary: "The ACL for RCPT accepts any recipient from any host.",
    docs: "A path through the ACL ends in `accept` without a test of the recipient's domain, of the \
           client's address or of its authentication, neither in that statement nor in one before \
           it that refuses the rest. Spammers find such a server within hours. A sender's address \
           proves nothing: anybody can write any. Neither do TLS, or a local part such as \
           postmaster, which every domain has; and a list that matches everything is no test.",
    bad: "acl_smtp_rcpt = c\nbegin acl\nc:\n  deny dnslists = rbl.example\n  accept\n",
    good: "domainlist local = example.com\nacl_smtp_rcpt = c\nbegin acl\nc:\n  deny dnslists = rbl.example\n  require domains = +local\n  accept\n",
    run: |survey, findings| {
        let Some(text) = survey
            .texts
            .iter()
            .find(|text| text.option().is_some_and(|option| option.meta.name == "acl_smtp_rcpt"))
        else {
            return;
        };
        if text.text.trim_ascii() == b"accept" {
            findings.add_with(
                text.whole(),
                "acl_smtp_rcpt accepts any recipient from any host",
                CURE,
            );
            return;
        }
        let named = |acl: &&Acl| {
            let name = acl.name.bytes();
            match super::super::graph::acl_named(&text.text) {
                Some(own) => own == name,
                None => memchr::memmem::find(&text.text, name).is_some(),
            }
        };
        for acl in survey.config.acls.iter().filter(named) {
            if let Some(statement) = open(survey, acl, 0) {
                let name = acl.name.display();
                let whole = everything(survey, statement);
                let (message, cure) = match whole {
                    Some(list) => {
                        let message =
                            format!("{name} is an open relay: \"{list}\" matches everything");
                        (message, "name the hosts or domains that mail is taken for")
                    }
                    None => (format!("{name} accepts any recipient from any host here"), CURE),
                };
                findings.add_with(survey.line(statement.line), message, cure);
            }
        }
    },
};

const CURE: &str = "put a test of domains, hosts or authenticated before it";

/// The statement that accepts without a test that counts.
fn open<'c>(survey: &Survey<'c>, acl: &'c Acl, depth: usize) -> Option<&'c AclStatement> {
    for statement in &acl.statements {
        let conditions =
            || statement.terms.iter().filter(|term| term.term.kind == AclTermKind::Condition);
        match statement.verb {
            AclVerb::Accept | AclVerb::Discard => {
                if !conditions().any(|term| admits_few(survey, term, depth)) {
                    return (statement.verb == AclVerb::Accept).then_some(statement);
                }
            }
            AclVerb::Require => {
                if conditions().any(|term| admits_few(survey, term, depth)) {
                    return None;
                }
            }
            // What passes has failed one of its conditions: each must be such
            // that failing it tells something.
            AclVerb::Deny | AclVerb::Drop | AclVerb::Defer => {
                if conditions().all(|term| refuses_most(survey, term, depth)) {
                    return None;
                }
            }
            AclVerb::Warn => {}
        }
    }
    None
}

/// Whether a condition that holds tells that the message may be relayed.
fn admits_few(survey: &Survey<'_>, term: &AclLineTerm, depth: usize) -> bool {
    match term.term.meta.name {
        "authenticated" => !term.negated,
        "domains" | "hosts" | "recipients" => {
            !term.negated && !all(survey, term) && !ends_negated(term.text.bytes())
        }
        "acl" => term.negated || strict(survey, term, depth),
        "condition" => true,
        "verify" => !term.negated && term.text.bytes().starts_with(b"certificate"),
        _ => false,
    }
}

/// Whether a condition that fails tells that the message may be relayed.
fn refuses_most(survey: &Survey<'_>, term: &AclLineTerm, depth: usize) -> bool {
    match term.term.meta.name {
        "authenticated" => term.negated,
        "domains" | "hosts" | "recipients" => {
            let text = term.text.bytes();
            // A list that matches all lets nothing pass.
            if term.negated { !all(survey, term) } else { ends_negated(text) || all(survey, term) }
        }
        "acl" => !term.negated || strict(survey, term, depth),
        "condition" => true,
        _ => false,
    }
}

/// Whether an ACL that is called accepts only what may be relayed.
fn strict(survey: &Survey<'_>, term: &AclLineTerm, depth: usize) -> bool {
    let name = super::super::graph::acl_named(term.text.bytes());
    let acls = &survey.config.acls;
    match acls.iter().find(|acl| Some(acl.name.bytes()) == name) {
        Some(acl) if depth < DEEPEST => open(survey, acl, depth + 1).is_none(),
        _ => true,
    }
}

/// The list of a statement that would be a test if it did not match everything.
fn everything(survey: &Survey<'_>, statement: &AclStatement) -> Option<String> {
    let mut lists = statement.terms.iter().filter(|term| {
        matches!(term.term.meta.name, "domains" | "hosts" | "recipients") && all(survey, term)
    });
    lists.next().map(|term| term.text.display().into_owned())
}

fn all(survey: &Survey<'_>, term: &AclLineTerm) -> bool {
    let kind = match term.term.meta.name {
        "domains" => ListKind::Domain,
        "hosts" => ListKind::Host,
        _ => ListKind::Address,
    };
    matches_all(survey, kind, term.text.bytes(), 0)
}

/// Whether a list matches whatever there is.
fn matches_all(survey: &Survey<'_>, kind: ListKind, text: &[u8], depth: usize) -> bool {
    for item in items(text) {
        if item.starts_with(b"!") || item.contains(&b'$') {
            // What comes first may take something out.
            return false;
        }
        let whole = match item {
            b"*" => true,
            b"0.0.0.0/0" => kind == ListKind::Host,
            b"*@*" => kind == ListKind::Address,
            _ => item.strip_prefix(b"+").is_some_and(|name| {
                let list = survey.config.settings.lists.get(&(kind, name.to_vec()));
                depth < DEEPEST
                    && list
                        .is_some_and(|list| matches_all(survey, kind, list.text.bytes(), depth + 1))
            }),
        };
        if whole {
            return true;
        }
    }
    false
}

/// Whether a list matches what none of its items speaks of: its last one says
/// what is not meant.
fn ends_negated(text: &[u8]) -> bool {
    !text.contains(&b'$') && items(text).last().is_some_and(|item| item.starts_with(b"!"))
}

/// The items of a list, without what surrounds them.
fn items(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (separator, start) = separator(text);
    let items = text[start..].split(move |c| *c == separator);
    items.map(<[u8]>::trim_ascii).filter(|item| !item.is_empty())
}

/// What separates the items of a list, and where the first one begins.
pub(super) fn separator(text: &[u8]) -> (u8, usize) {
    let start = text.iter().take_while(|c| c.is_ascii_whitespace()).count();
    match &text[start..] {
        [b'<', own, ..] if own.is_ascii_punctuation() => (*own, start + 2),
        _ => (b':', start),
    }
}
