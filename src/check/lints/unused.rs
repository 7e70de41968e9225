//! Things that nothing uses.

use eximious_core::DriverKind;
use eximious_grammar::Span;

use crate::check::{Lint, Severity, Spot};
use crate::config::Config;

/// W203.
pub(super) static LIST_UNUSED: Lint = Lint {
    code: "W203",
    name: "list-unused",
    severity: Severity::Warning,
    summary: "A named list is never used.",
    docs: "Nothing has `+name` in it, and no `${listnamed:…}` names it.",
    bad: "domainlist local = example.com\nqualify_domain = example.com\n",
    good: "domainlist local = example.com\nhold_domains = +local\n",
    run: |survey, findings| {
        for list in &survey.config.list_uses {
            let plus = [b"+", list.name.as_slice()].concat();
            let used = survey.texts.iter().any(|text| {
                has_word(&text.text, &plus)
                    || (memchr::memmem::find(&text.text, b"listnamed").is_some()
                        && has_word(&text.text, &list.name))
            });
            if !used && !left_out(survey.config, &list.name) {
                let shown = String::from_utf8_lossy(&list.name);
                let message = format!("the list {shown} is never used");
                findings.add(survey.line(list.line), message);
            }
        }
    },
};

/// Whether a text has a word that is not the beginning of a longer one.
fn has_word(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find_iter(text, word).any(|at| {
        text.get(at + word.len()).is_none_or(|c| !c.is_ascii_alphanumeric() && *c != b'_')
    })
}

/// Whether a line between `.ifdef` and `.endif` names a thing: with other macros,
/// it would be used there. Its own definition is no use.
pub(super) fn left_out(config: &Config, name: &[u8]) -> bool {
    config.sources.files().iter().any(|file| {
        let mut depth = 0u32;
        file.text.split(|c| *c == b'\n').map(<[u8]>::trim_ascii).any(|line| {
            if line.starts_with(b".if") {
                depth += 1;
            } else if line.starts_with(b".endif") {
                depth = depth.saturating_sub(1);
            }
            depth > 0 && !line.starts_with(b"#") && has_word(line, name) && !defines(line, name)
        })
    })
}

fn defines(line: &[u8], name: &[u8]) -> bool {
    let words = ["domainlist ", "hostlist ", "addresslist ", "localpartlist "];
    let list = words.iter().find_map(|word| line.strip_prefix(word.as_bytes()));
    let rest = list.unwrap_or(line).trim_ascii_start().strip_prefix(name);
    let sign = rest.and_then(|rest| rest.trim_ascii_start().first().copied());
    matches!(sign, Some(b'=' | b':'))
}

/// W204.
pub(super) static ACL_UNUSED: Lint = Lint {
    code: "W204",
    name: "acl-unused",
    severity: Severity::Warning,
    summary: "An ACL is never used.",
    docs: "No option, no `acl =` and no `${acl{…}}` names it.",
    bad: "begin acl\ncheck:\n  deny\n",
    good: "acl_smtp_rcpt = check\nbegin acl\ncheck:\n  deny\n",
    run: |survey, findings| {
        for (acl, used) in survey.config.acls.iter().zip(&survey.acls) {
            if !used.named && !left_out(survey.config, acl.name.bytes()) {
                let message = format!("the ACL {} is never used", acl.name.display());
                findings.add(survey.line(acl.line), message);
            }
        }
    },
};

/// W205.
pub(super) static TRANSPORT_UNUSED: Lint = Lint {
    code: "W205",
    name: "transport-unused",
    severity: Severity::Warning,
    summary: "A transport is never used.",
    docs: "No router and no option names it.",
    bad: "begin transports\nt:\n  driver = smtp\n",
    good: "begin routers\nr:\n  driver = accept\n  transport = t\nbegin transports\nt:\n  driver = smtp\n",
    run: |survey, findings| {
        for transport in survey.config.instances(DriverKind::Transport) {
            let name = transport.name.bytes();
            let used = survey.texts.iter().any(|text| {
                let option = text.option().map_or("", |option| option.meta.name);
                let lists = matches!(option, "route_list" | "route_data" | "data");
                (super::names::names_transport(option)
                    && (text.text == name || text.text.contains(&b'$')))
                    || (lists && has_word(&text.text, name))
            });
            if !used && !left_out(survey.config, name) {
                let message = format!("the transport {} is never used", transport.name.display());
                let span = Span::new(0, name.len());
                findings.add(Spot::Line(transport.line, span), message);
            }
        }
    },
};
