//! Names that nothing has.

use eximious_core::{DriverKind, ListKind, OptionDef, OptionKind, Str};
use eximious_grammar::Span;
use eximious_grammar::expansion::{Arg, Tree};
use eximious_stdlib::options::opt::router;

use crate::tools::check::graph::{acl_named, acls_called, phase_of};
use crate::tools::check::items::{Item, items, split, split_on};
use crate::tools::check::{Findings, Lint, Severity, Spot, Survey, Text};

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
            for rule in route_rules(text) {
                let (domain, at) = &rule[0];
                for item in split(domain).iter().take(1) {
                    listed(survey, text, ListKind::Domain, item, *at, findings);
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
    let at = start + item.span.start as usize;
    let whole = text.spot(Span::new(at, at + item.text.len()));
    if let Some(name) = item.named() {
        reference(survey, &[kind], name, whole, findings);
    } else if kind == ListKind::Address && item.plain() {
        // The domain of an address may be a list of domains.
        let domain = item.text.rsplit(|c| *c == b'@').next().unwrap_or_default();
        let domain = Item { text: domain.to_vec(), ..item.clone() };
        if let Some(name) = domain.named() {
            reference(survey, &[ListKind::Domain], name, whole, findings);
        }
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
        let Some(Arg::Text(seq)) = tree.view().cond_args(condition).get(1) else { continue };
        let source = seq.span.of(tree.source());
        let literal = tree.view().literal(*seq).is_some_and(|literal| literal == source);
        for item in split(source).iter().filter(|_| literal) {
            listed(survey, text, kind, item, seq.span.start as usize, findings);
        }
    }
    for op in tree.ops() {
        let name = op.name.of(tree.source());
        let Some(sign) = name.strip_prefix(b"listnamed") else { continue };
        let Some(list) = tree.view().literal(op.arg) else { continue };
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
    let there = |kinds: &[ListKind]| kinds.iter().any(|kind| lists.get(*kind, name).is_some());
    if there(kinds) || special(name) {
        return;
    }
    let shown = String::from_utf8_lossy(name).into_owned();
    let own = kinds.iter().flat_map(|kind| lists.names(*kind));
    let names = own.filter_map(|name| std::str::from_utf8(name).ok());
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

/// The rules of a `route_list`, none of them empty: the words of each, and where
/// they begin.
fn route_rules(text: &Text<'_>) -> Vec<Vec<(Vec<u8>, usize)>> {
    if text.option().is_none_or(|option| !router::manualroute::ROUTE_LIST.is(option)) {
        return Vec::new();
    }
    let rules = split_on(&text.text, b';').into_iter().map(|rule| {
        let from = rule.span.start as usize;
        let (mut words, mut at) = (Vec::new(), 0);
        while at < rule.text.len() {
            let rest = &rule.text[at..];
            let quoted =
                rest.starts_with(b"\"").then(|| memchr::memchr(b'"', &rest[1..])).flatten();
            let length = match quoted {
                Some(end) => end + 2,
                None => rest.iter().take_while(|c| !c.is_ascii_whitespace()).count(),
            };
            let word = rest[..length].trim_ascii();
            let bare = word.strip_prefix(b"\"").and_then(|word| word.strip_suffix(b"\""));
            if length > 0 {
                words.push((bare.unwrap_or(word).to_vec(), from + at));
            }
            at += length.max(1);
        }
        words
    });
    rules.filter(|rule: &Vec<_>| !rule.is_empty()).collect()
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
        const OPTIONS: [&[u8]; 6] =
            [b"bydns", b"byname", b"ipv4_only", b"ipv4_prefer", b"no_randomize", b"randomize"];
        for text in &survey.texts {
            for rule in route_rules(text) {
                let words = rule.iter().skip(2).filter(|(word, _)| !word.contains(&b'$'));
                for (word, at) in words.filter(|(word, _)| !OPTIONS.contains(&word.as_slice())) {
                    let spot = text.spot(Span::new(*at, at + word.len()));
                    transport(survey, word, spot, findings);
                }
            }
            let Some(option) = text.option() else { continue };
            if !names_transport(option) || text.text.contains(&b'$') || text.text.is_empty() {
                continue;
            }
            transport(survey, &text.text, text.whole(), findings);
        }
    },
};

fn transport(survey: &Survey<'_>, name: &[u8], spot: Spot, findings: &mut Findings) {
    let transports = survey.config.instances(DriverKind::Transport);
    if transports.iter().any(|transport| transport.name.bytes() == name) {
        return;
    }
    let shown = String::from_utf8_lossy(name).into_owned();
    let names = transports.iter().filter_map(|t| std::str::from_utf8(t.name.bytes()).ok());
    let help = findings.offer("", &shown, names);
    findings.add_with(spot, format!("no transport is called \"{shown}\""), help);
}

/// Whether an option holds the name of a transport.
pub(super) fn names_transport(option: &OptionDef) -> bool {
    let name = option.meta.name;
    router::TRANSPORT.is(option)
        || (name.ends_with("_transport") && option.kind == OptionKind::Text)
}
