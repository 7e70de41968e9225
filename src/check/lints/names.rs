//! Names that nothing has.

use eximious_core::{DriverKind, ListKind};
use eximious_grammar::Span;

use crate::check::graph::{acl_named, phase_of};
use crate::check::{Findings, Lint, Severity, Survey, Text, nearest};

/// E104.
pub(super) static UNKNOWN_LIST: Lint = Lint {
    code: "E104",
    name: "unknown-list",
    severity: Severity::Error,
    summary: "A named list does not exist.",
    docs: "`+name` stands for a list of the same kind: a `domainlist` where domains are listed, a \
           `hostlist` where hosts are. Exim notices when it comes to the item, and then the list \
           can't be tested: mail is deferred.",
    bad: "hostlist relays = 192.0.2.1\nhost_lookup = +relay\n",
    good: "hostlist relays = 192.0.2.1\nhost_lookup = +relays\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Some(kind) = text.list else { continue };
            for (name, span) in references(&text.text) {
                let lists = &survey.config.settings.lists;
                if lists.contains_key(&(kind, name.clone())) || special(&name) {
                    continue;
                }
                let shown = String::from_utf8_lossy(&name).into_owned();
                let own = lists.keys().filter(|(own, _)| *own == kind);
                let names: Vec<String> =
                    own.map(|(_, name)| String::from_utf8_lossy(name).into_owned()).collect();
                let near = nearest(&shown, names.iter().map(String::as_str));
                let help = match near.first() {
                    Some(near) => format!("did you mean +{near}?"),
                    None if lists.keys().any(|(_, other)| *other == name) => {
                        format!(
                            "there is a list of that name, but of another kind than {}",
                            word(kind)
                        )
                    }
                    None => String::new(),
                };
                findings.add_with(
                    text.spot(span),
                    format!("no {} is called \"{shown}\"", word(kind)),
                    help,
                );
            }
        }
    },
};

fn word(kind: ListKind) -> &'static str {
    match kind {
        ListKind::Address => "addresslist",
        ListKind::Domain => "domainlist",
        ListKind::Host => "hostlist",
        ListKind::LocalPart => "localpartlist",
    }
}

/// Words after a plus sign that are no names of lists.
fn special(name: &[u8]) -> bool {
    matches!(
        name,
        b"caseful"
            | b"include_unknown"
            | b"ignore_unknown"
            | b"defer_unknown"
            | b"include_defer"
            | b"ignore_defer"
    )
}

/// The items `+name` of a list, where they stand before anything that is
/// expanded.
pub(super) fn references(text: &[u8]) -> Vec<(Vec<u8>, Span)> {
    let end = text.iter().position(|c| matches!(c, b'$' | b'\\')).unwrap_or(text.len());
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(plus) = memchr::memchr(b'+', &text[at..end]) {
        let plus = at + plus;
        at = plus + 1;
        let before = text[..plus].iter().rposition(|c| !c.is_ascii_whitespace() && *c != b'!');
        let begins = before.is_none_or(|last| {
            text[last].is_ascii_punctuation() && !matches!(text[last], b'.' | b'-' | b'_' | b'@')
        });
        let length =
            text[at..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'_').count();
        let after = text[at + length..].iter().find(|c| !c.is_ascii_whitespace());
        let ends = after
            .is_none_or(|c| c.is_ascii_punctuation() && !matches!(c, b'@' | b'.' | b'-' | b'$'));
        if begins && ends && length > 0 {
            found.push((text[at..at + length].to_vec(), Span::new(plus, at + length)));
        }
        at += length;
        if at >= end {
            break;
        }
    }
    found
}

/// E105.
pub(super) static UNKNOWN_ACL: Lint = Lint {
    code: "E105",
    name: "unknown-acl",
    severity: Severity::Error,
    summary: "An ACL does not exist.",
    docs: "An option or condition names an ACL that is not in the section. Exim then takes the \
           text for the name of a file, or for a statement, and refuses the command for now.",
    bad: "acl_smtp_rcpt = check_recipient\nbegin acl\ncheck_rcpt:\n  deny\n",
    good: "acl_smtp_rcpt = check_rcpt\nbegin acl\ncheck_rcpt:\n  deny\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let option = text.option().map_or("", |option| option.meta.name);
            let names_acl =
                phase_of(option).is_some() || text.term().is_some_and(|t| t.meta.name == "acl");
            if names_acl {
                acl(survey, text, findings);
            }
        }
    },
};

fn acl(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let Some(name) = acl_named(&text.text) else { return };
    // A file, or statements in the option itself.
    let verbs = eximious_core::AclVerb::of(name).is_some();
    if name.starts_with(b"/") || verbs || text.text.contains(&b'\n') {
        return;
    }
    if survey.config.acls.iter().any(|acl| acl.name.bytes() == name) {
        return;
    }
    let shown = String::from_utf8_lossy(name).into_owned();
    let names: Vec<String> =
        survey.config.acls.iter().map(|acl| acl.name.display().into()).collect();
    let near = nearest(&shown, names.iter().map(String::as_str));
    let help = near.first().map_or(String::new(), |near| format!("did you mean {near}?"));
    findings.add_with(text.whole(), format!("no ACL is called \"{shown}\""), help);
}

/// E106.
pub(super) static UNKNOWN_TRANSPORT: Lint = Lint {
    code: "E106",
    name: "unknown-transport",
    severity: Severity::Error,
    summary: "A transport does not exist.",
    docs: "A router names a transport that is not in the section. Exim notices when it delivers, \
           and freezes or defers the message.",
    bad: "begin routers\nr:\n  driver = accept\n  transport = remote\nbegin transports\nremote_smtp:\n  driver = smtp\n",
    good: "begin routers\nr:\n  driver = accept\n  transport = remote_smtp\nbegin transports\nremote_smtp:\n  driver = smtp\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Some(option) = text.option() else { continue };
            if !names_transport(option.meta.name)
                || text.text.contains(&b'$')
                || text.text.is_empty()
            {
                continue;
            }
            let transports = survey.config.instances(DriverKind::Transport);
            if transports.iter().any(|transport| transport.name.bytes() == text.text) {
                continue;
            }
            let shown = String::from_utf8_lossy(&text.text).into_owned();
            let names: Vec<String> = transports.iter().map(|t| t.name.display().into()).collect();
            let near = nearest(&shown, names.iter().map(String::as_str));
            let help = near.first().map_or(String::new(), |near| format!("did you mean {near}?"));
            findings.add_with(text.whole(), format!("no transport is called \"{shown}\""), help);
        }
    },
};

/// Whether an option holds the name of a transport.
pub(super) fn names_transport(option: &str) -> bool {
    matches!(option, "transport" | "shadow_transport")
        || (option.ends_with("_transport") && !option.starts_with("tls_"))
}
