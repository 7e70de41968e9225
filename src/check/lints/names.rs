//! Names that nothing has.

use eximious_core::{DriverKind, ListKind, Str};
use eximious_grammar::Span;
use eximious_grammar::expansion::{Arg, Tree};

use crate::check::graph::{acl_named, acls_called, phase_of};
use crate::check::items::{Item, items, split};
use crate::check::{Findings, Lint, Severity, Spot, Survey, Text};

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
            if let Some(kind) = text.list {
                for item in items(&text.text, text.tree.as_ref()) {
                    listed(survey, text, kind, &item, 0, findings);
                }
            }
            if text.option().is_some_and(|option| option.meta.name == "route_list") {
                for (domain, start) in route_rules(&text.text) {
                    for item in split(&domain) {
                        listed(survey, text, ListKind::Domain, &item, start, findings);
                    }
                }
            }
            if let Some(tree) = &text.tree {
                in_expansion(survey, text, tree, findings);
            }
        }
        for (rule, line) in &survey.config.rewrite {
            pattern(survey, &rule.pattern, *line, findings);
        }
        for (rule, line) in &survey.config.retry {
            pattern(survey, &rule.pattern, *line, findings);
        }
    },
};

/// An item that names a list, in a text or where a list begins in it.
fn listed(
    survey: &Survey<'_>,
    text: &Text<'_>,
    kind: ListKind,
    item: &Item,
    start: usize,
    findings: &mut Findings,
) {
    if let Some(name) = item.named() {
        let at = start + item.span.start as usize;
        let span = Span::new(at, at + 1 + name.len());
        reference(survey, &[kind], name, text.spot(span), findings);
    }
}

/// The pattern of a rule: `+name`, `*@+name`, `user@+name`.
fn pattern(survey: &Survey<'_>, pattern: &Str, line: usize, findings: &mut Findings) {
    let whole = pattern.bytes();
    let (kinds, name): (&[ListKind], _) = match memchr::memrchr(b'@', whole) {
        Some(at) => (&[ListKind::Domain], &whole[at + 1..]),
        None => (&[ListKind::Domain, ListKind::Address], whole),
    };
    let item = Item { text: name.to_vec(), negated: false, span: Span::new(0, name.len()) };
    if let Some(name) = item.named() {
        let text = &survey.config.lines[line].text;
        let at = memchr::memmem::find(text, &item.text).unwrap_or(0);
        let spot = Spot::Line(line, Span::new(at, at + item.text.len()));
        reference(survey, kinds, name, spot, findings);
    }
}

/// Lists in conditions, and the name after `listnamed`.
fn in_expansion(survey: &Survey<'_>, text: &Text<'_>, tree: &Tree, findings: &mut Findings) {
    for condition in tree.conds() {
        let kind = match survey.registry.condition_at(condition.def).meta.name {
            "match_address" => ListKind::Address,
            "match_domain" => ListKind::Domain,
            "match_ip" => ListKind::Host,
            "match_local_part" => ListKind::LocalPart,
            _ => continue,
        };
        let Some(Arg::Text(seq)) = tree.cond_args(condition).get(1) else { continue };
        let source = seq.span.of(tree.source());
        let literal = tree.literal(*seq).is_some_and(|literal| literal == source);
        for item in split(source).iter().filter(|_| literal) {
            listed(survey, text, kind, item, seq.span.start as usize, findings);
        }
    }
    for op in tree.ops() {
        let name = op.name.of(tree.source());
        let Some(sign) = name.strip_prefix(b"listnamed") else { continue };
        let Some(list) = tree.literal(op.arg) else { continue };
        let list = list.trim_ascii();
        let list = list.strip_prefix(b"+").unwrap_or(list);
        let one: &[ListKind] = match sign {
            b"_a" => &[ListKind::Address],
            b"_d" => &[ListKind::Domain],
            b"_h" => &[ListKind::Host],
            b"_l" => &[ListKind::LocalPart],
            _ => &KINDS,
        };
        reference(survey, one, list, text.spot(op.arg.span), findings);
    }
}

/// Complains where no list of these kinds has a name.
fn reference(
    survey: &Survey<'_>,
    kinds: &[ListKind],
    name: &[u8],
    spot: Spot,
    findings: &mut Findings,
) {
    let lists = &survey.config.settings.lists;
    let there =
        |kinds: &[ListKind]| kinds.iter().any(|kind| lists.contains_key(&(*kind, name.to_vec())));
    if there(kinds) || special(name) {
        return;
    }
    let shown = String::from_utf8_lossy(name).into_owned();
    let own = lists.keys().filter(|(own, _)| kinds.contains(own));
    let names = own.filter_map(|(_, name)| std::str::from_utf8(name).ok());
    let word = match kinds {
        [one] => one.word(),
        _ => "list",
    };
    let mut help = findings.offer("+", &shown, names);
    if help.is_empty() && there(&KINDS) {
        help = format!("there is a list of that name, but of another kind than {word}");
    }
    findings.add_with(spot, format!("no {word} is called \"{shown}\""), help);
}

/// The domains of the rules in a `route_list`, and where each begins. A rule
/// ends with a semicolon, and a doubled one is none.
fn route_rules(text: &[u8]) -> Vec<(Vec<u8>, usize)> {
    let mut rules = Vec::new();
    let mut from = 0;
    while from <= text.len() {
        let rest = &text[from..];
        let ends = |at: usize| rest[at] == b';' && rest.get(at + 1) != Some(&b';');
        let doubled = |at: usize| at > 0 && rest[at] == b';' && rest[at - 1] == b';';
        let end = (0..rest.len()).find(|at| ends(*at) && !doubled(*at)).unwrap_or(rest.len());
        let rule = &rest[..end];
        let lead = rule.iter().take_while(|c| c.is_ascii_whitespace()).count();
        let word = rule[lead..].iter().take_while(|c| !c.is_ascii_whitespace()).count();
        if word > 0 {
            rules.push((rule[lead..lead + word].to_vec(), from + lead));
        }
        from += end + 1;
    }
    rules
}

const KINDS: [ListKind; 4] =
    [ListKind::Address, ListKind::Domain, ListKind::Host, ListKind::LocalPart];

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
                    if let Some(name) = tree.literal(first) {
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
    if survey.acl(name).is_some() {
        return;
    }
    let shown = String::from_utf8_lossy(name).into_owned();
    let names =
        survey.config.acls.iter().filter_map(|acl| std::str::from_utf8(acl.name.bytes()).ok());
    let help = findings.offer("", &shown, names);
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
            let names = transports.iter().filter_map(|t| std::str::from_utf8(t.name.bytes()).ok());
            let help = findings.offer("", &shown, names);
            findings.add_with(text.whole(), format!("no transport is called \"{shown}\""), help);
        }
    },
};

/// Whether an option holds the name of a transport.
pub(super) fn names_transport(option: &str) -> bool {
    matches!(option, "transport" | "shadow_transport")
        || (option.ends_with("_transport") && !option.starts_with("tls_"))
}
