//! Names that nothing has.

use eximious_core::DriverKind;
use eximious_grammar::Span;

use crate::check::graph::{acl_named, acls_called, phase_of};
use crate::check::{Findings, Lint, Severity, Spot, Survey, did_you_mean, nearest};

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
                            kind.word()
                        )
                    }
                    None => String::new(),
                };
                findings.add_with(
                    text.spot(span),
                    format!("no {} is called \"{shown}\"", kind.word()),
                    help,
                );
            }
        }
    },
};

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
    let (separator, start) = super::relay::separator(&text[..end]);
    let mut found = Vec::new();
    let mut from = start;
    for item in text[start..end].split(|c| *c == separator) {
        let blank = |c: &u8| c.is_ascii_whitespace() || *c == b'!';
        let plus = from + item.iter().take_while(|c| blank(c)).count();
        from += item.len() + 1;
        let Some(rest) = text[plus..].strip_prefix(b"+") else { continue };
        let length = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'_').count();
        let after = rest[length..].iter().find(|c| !c.is_ascii_whitespace());
        let ends = after.is_none_or(|c| *c == separator);
        if ends && length > 0 {
            found.push((rest[..length].to_vec(), Span::new(plus, plus + 1 + length)));
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
            if names_acl && let Some(name) = acl_named(&text.text) {
                // A file, or statements in the option itself.
                let verb = eximious_core::AclVerb::of(name).is_some();
                if !name.starts_with(b"/") && !verb && !text.text.contains(&b'\n') {
                    acl(survey, name, text.whole(), findings);
                }
            }
            if let Some(tree) = &text.tree {
                for first in acls_called(survey, tree) {
                    if let Some(name) = tree.view().literal(first) {
                        let name =
                            name.split(u8::is_ascii_whitespace).find(|word| !word.is_empty());
                        acl(survey, name.unwrap_or_default(), text.spot(first.span), findings);
                    }
                }
            }
        }
    },
};

fn acl(survey: &Survey<'_>, name: &[u8], spot: Spot, findings: &mut Findings) {
    if survey.config.acls.iter().any(|acl| acl.name.bytes() == name) {
        return;
    }
    let shown = String::from_utf8_lossy(name).into_owned();
    let names: Vec<String> =
        survey.config.acls.iter().map(|acl| acl.name.display().into()).collect();
    let help = did_you_mean("", &shown, names.iter().map(String::as_str));
    findings.add_with(spot, format!("no ACL is called \"{shown}\""), help);
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
            let help = did_you_mean("", &shown, names.iter().map(String::as_str));
            findings.add_with(text.whole(), format!("no transport is called \"{shown}\""), help);
        }
    },
};

/// Whether an option holds the name of a transport.
pub(super) fn names_transport(option: &str) -> bool {
    matches!(option, "transport" | "shadow_transport")
        || (option.ends_with("_transport") && !option.starts_with("tls_"))
}
