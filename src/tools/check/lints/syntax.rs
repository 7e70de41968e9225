//! What Exim complains of when it reads the file, and when it expands a text.

use std::cell::OnceCell;
use std::collections::HashMap;

use eximious_grammar::Span;
use eximious_grammar::expansion::{Arg, Fault, LookupStyle, Part, Piece, Tree};
use eximious_stdlib::options::opt::transport;

use super::meant;
use super::target::once_known;
use crate::config::{Config, ConfigError};
use crate::tools::check::flows::quoted_for;
use crate::tools::check::survey::Use;
use crate::tools::check::uses::route_hosts;
use crate::tools::check::{Findings, Help, Lint, Severity, Spot, Survey, Text};

/// E101.
pub(super) static SYNTAX: Lint = Lint {
    code: "E101",
    name: "syntax",
    severity: Severity::Error,
    summary: "Exim can't read the configuration.",
    docs: "The message is Exim's own. Exim stops at the first such mistake; all of them are shown \
           here.",
    bad: "queue_only = maybe\n",
    good: "queue_only = yes\n",
    run: |survey, findings| faults(survey, findings, false),
};

/// E102.
pub(super) static UNKNOWN_OPTION: Lint = Lint {
    code: "E102",
    name: "unknown-option",
    severity: Severity::Error,
    summary: "There is no such option.",
    docs: "An option is looked for in its section: a driver's options are known once `driver` is \
           set. The nearest names are offered.",
    bad: "primary_hostnam = mail.example\n",
    good: "primary_hostname = mail.example\n",
    run: |survey, findings| faults(survey, findings, true),
};

/// The faults that the reader found: those about unknown options, or the others.
fn faults(survey: &Survey<'_>, findings: &mut Findings, unknown: bool) {
    let (heads, below) = (OnceCell::new(), OnceCell::new());
    for fault in &survey.config.faults {
        let message = String::from_utf8_lossy(fault.message()).replace("\n  ", " ");
        let name = unknown_name(&message);
        if name.is_some() != unknown || meant::misspelt_driver(survey.config, fault, &below) {
            continue;
        }
        let written = name.or_else(|| selector(&message));
        if written.is_some_and(|name| once_known(survey.target, name)) {
            continue;
        }
        let spot = spot(survey, fault, &heads);
        match name {
            Some(name) => {
                let help = meant::option(survey, findings, name, fault);
                findings.add_with(spot, message.clone(), help);
            }
            None => {
                let help = meant::word(survey, findings, fault);
                findings.add_with(spot, message, help);
            }
        }
    }
}

/// The name in `main option "x" unknown`.
fn unknown_name(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("main ").unwrap_or(message).strip_prefix("option \"")?;
    let (name, rest) = rest.split_once('"')?;
    rest.starts_with(" unknown").then_some(name)
}

/// The name in `unknown log_selector setting: +x`.
pub(super) fn selector(message: &str) -> Option<&str> {
    let name = message.strip_prefix("unknown log_selector setting: ")?;
    Some(name.trim_start_matches(['+', '-']))
}

/// The last line that begins with a name and a sign after it, in each section; the section
/// before `begin` has no name.
type Heads<'c> = HashMap<(&'c [u8], &'c [u8], u8), usize>;

fn heads(config: &Config) -> Heads<'_> {
    let mut section: &[u8] = b"";
    let mut heads = Heads::new();
    for (number, line) in config.lines.iter().enumerate() {
        if let Some(name) = begun(&line.text) {
            section = name;
        } else if let Some(at) = line.text.iter().position(|c| matches!(c, b'=' | b':')) {
            heads.insert((section, line.text[..at].trim_ascii_end(), line.text[at]), number);
        }
    }
    heads
}

/// The section that a line begins.
fn begun(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"begin")?;
    rest.first()?.is_ascii_whitespace().then(|| rest.trim_ascii())
}

/// The sections of drivers, and what one of them is called in a message.
const SECTIONS: [(&str, &str); 3] =
    [("router", "routers"), ("transport", "transports"), ("authenticator", "authenticators")];

/// The section of the kind that a word names: `router`, `routers`, `router:`.
fn section_of(word: &str) -> Option<&'static str> {
    let word = word.trim_end_matches(':');
    let found = SECTIONS.iter().find(|(one, all)| word == *one || word == *all);
    found.map(|(_, section)| *section)
}

/// Where a fault stands. Exim gives no line where it complains of a section as a
/// whole; the name that it mentions is looked for then.
fn spot<'c>(survey: &Survey<'c>, fault: &ConfigError, known: &OnceCell<Heads<'c>>) -> Spot {
    if let Some((line, file)) = fault.line() {
        return Spot::Physical(line, file.to_vec());
    }
    let message = String::from_utf8_lossy(fault.message());
    let quoted: Vec<&str> = message.split('"').skip(1).step_by(2).collect();
    let instance = fault.instance().map(String::from_utf8_lossy);
    // `r1 router`, or `r1 router:` at the head of the message.
    let head = message.split_once(":\n").map(|(head, _)| head);
    let instance = instance.as_deref().or(head).and_then(|name| name.rsplit_once(' '));
    let heads = known.get_or_init(|| heads(survey.config));
    let line = if message.contains(" log_selector setting") {
        heads.get(&(&b""[..], &b"log_selector"[..], b'=')).copied()
    } else if message.contains("macro") {
        // Macros may be defined in any section.
        let name = quoted.first().copied().unwrap_or_default().as_bytes();
        heads
            .iter()
            .filter(|((_, head, sign), _)| *head == name && *sign == b'=')
            .map(|h| *h.1)
            .max()
    } else {
        let words: Vec<&str> = message.split_ascii_whitespace().collect();
        let section = match instance.and_then(|(_, kind)| section_of(kind)) {
            Some(section) => Some(section),
            None => words.iter().find_map(|word| section_of(word)),
        };
        // `… for the r1 router`, and `… (a1 and a2) …`.
        let before = words.windows(2).filter(|pair| section_of(pair[1]).is_some());
        let both = words.windows(2).filter(|pair| pair[0] == "and");
        let names = quoted.iter().rev().copied().chain(instance.map(|(name, _)| name));
        let names = names.chain(before.map(|pair| pair[0]));
        let names = names.chain(both.map(|pair| pair[1].trim_end_matches(')')));
        let section = section.unwrap_or_default();
        let find = |name: &str| heads.get(&(section.as_bytes(), name.as_bytes(), b':')).copied();
        names.filter_map(find).next()
    };
    line.map_or(Spot::Nowhere, |line| survey.line(line))
}

/// E103.
pub(super) static EXPANSION: Lint = Lint {
    code: "E103",
    name: "expansion",
    severity: Severity::Error,
    summary: "A text can't be expanded.",
    docs: "Exim finds this only when it expands the text, which may be months later; where the \
           mistake stands in a branch that is not taken, it fails all the same, because Exim reads \
           what it skips. The message is the one that Exim would log.",
    bad: "begin acl\nrcpt:\n  deny message = ${if eq{$sender_helo_name}{x}{no}\n",
    good: "begin acl\nrcpt:\n  deny message = ${if eq{$sender_helo_name}{x}{no}}\n",
    run: |survey, findings| {
        for text in &survey.texts {
            for (hosts, span) in route_hosts(text) {
                let tree = survey.parse(&hosts);
                for fault in tree.iter().flat_map(|tree| tree.view().faults()) {
                    faulty(survey, fault, text.spot(span), findings);
                }
            }
            let Some(tree) = &text.tree else { continue };
            for fault in tree.view().faults() {
                if !stands_for_addresses(text, fault.span) {
                    faulty(survey, fault, text.spot(fault.span), findings);
                }
            }
            quotings(survey, text, tree, findings);
            files(survey, text, tree, findings);
        }
    },
};

/// A fault of an expansion, and what could have been meant.
fn faulty(survey: &Survey<'_>, fault: &Fault, spot: Spot, findings: &mut Findings) {
    if fault.counts_for_parse_only {
        return;
    }
    let message = String::from_utf8_lossy(&fault.message).into_owned();
    let free = String::from_utf8_lossy(&fault.free).into_owned();
    let help = near_name(survey, findings, &message, &free);
    findings.add_with(spot, message, help);
}

/// Whether what is unknown stands for the addresses: as a word of its own in a command that is
/// no line for a shell, or in a filter's.
fn stands_for_addresses(text: &Text<'_>, span: Span) -> bool {
    let Use::Driver(instance, setting) = text.of else { return false };
    let splits = transport::pipe::COMMAND.is(setting.option)
        && !instance.options.get_or_default(transport::pipe::USE_SHELL);
    if !splits && !transport::TRANSPORT_FILTER.is(setting.option) {
        return false;
    }
    let (before, rest) = text.text.split_at((span.start as usize).min(text.text.len()));
    let ends = |c: Option<&u8>| c.is_none_or(|c| c.is_ascii_whitespace() || *c == b'"');
    let names = [b"$pipe_addresses".as_slice(), b"${pipe_addresses}"];
    let mut behind = names.iter().filter_map(|name| rest.strip_prefix(*name));
    ends(before.last()) && behind.any(|rest| ends(rest.first()))
}

/// What could have been meant where a name in an expansion is unknown.
fn near_name(survey: &Survey<'_>, findings: &Findings, message: &str, free: &str) -> Help {
    let registry = survey.registry;
    if !free.is_empty() {
        return findings.offer("$", free, registry.all_variables().map(|v| v.meta.name));
    }
    let Some(name) = message.split('"').nth(1) else { return Help::default() };
    let name = name.trim_start_matches("${");
    let items = registry.all_items().map(|item| item.meta.name);
    let operators = registry.all_operators().map(|operator| operator.meta.name);
    if message.starts_with("unknown condition") {
        findings.offer("", name, registry.all_conditions().map(|condition| condition.meta.name))
    } else if message.starts_with("unknown lookup type") {
        findings.offer("", name, registry.all_lookups().map(|lookup| lookup.meta.name))
    } else if message.starts_with("unknown expansion operator") {
        findings.offer("", name, operators.chain(items))
    } else if message.contains("is not a known operator") {
        findings.offer("", name, items.chain(operators))
    } else {
        Help::default()
    }
}

/// `${quote_TYPE:…}` for a type that there is not: the operator is known, its
/// parameter is not.
fn quotings(survey: &Survey<'_>, text: &Text<'_>, tree: &Tree, findings: &mut Findings) {
    let registry = survey.registry;
    for op in tree.ops() {
        if op.def.is_none_or(|def| registry.operator_at(def).meta.name != "quote_") {
            continue;
        }
        let name = quoted_for(tree, op).split(|c| *c == b'_').next().unwrap_or_default();
        if registry.lookup_id(name).is_none() {
            let shown = String::from_utf8_lossy(name);
            let names = registry.all_lookups().map(|lookup| lookup.meta.name);
            let help = findings.offer("quote_", &shown, names);
            let message = format!("unknown lookup type \"{shown}\"");
            findings.add_with(text.spot(op.name), message, help);
        }
    }
}

/// Files of lookups that have no whole path.
fn files(survey: &Survey<'_>, text: &Text<'_>, tree: &Tree, findings: &mut Findings) {
    let registry = survey.registry;
    for call in tree.calls() {
        let args = tree.view().call_args(call);
        let node = args.iter().find_map(|arg| match arg {
            Arg::Lookup(id) => Some(*tree.view().lookup(*id)),
            _ => None,
        });
        let mut texts = args.iter().filter_map(|arg| match arg {
            Arg::Text(seq) => Some(*seq),
            _ => None,
        });
        // The key stands before the type.
        let (Some(node), Some(seq)) = (node, texts.nth(1)) else { continue };
        let Some(file) = tree.view().literal(seq) else { continue };
        let name = registry.lookup_at(node.def).meta.name;
        if node.style == LookupStyle::SingleKey && super::listed::is_relative(name, file) {
            let shown = String::from_utf8_lossy(file);
            let message = format!("{name} wants the whole path of a file, not \"{shown}\"");
            findings.add(text.spot(seq.span), message);
        }
    }
}

/// W218.
pub(super) static BRACE_LEFT_OVER: Lint = Lint {
    code: "W218",
    name: "brace-left-over",
    severity: Severity::Warning,
    summary: "A closing brace stands behind an expansion.",
    docs: "It is part of the text. Mostly an expansion ended before it was meant to: in a pattern, \
           the braces of `{3}` count, too, unless the pattern stands between two `\\N`; or there \
           is one brace too many.",
    bad: "smtp_banner = ${if match{$primary_hostname}{[a-z]{3}}}\n",
    good: "smtp_banner = ${if match{$primary_hostname}{\\N[a-z]{3}\\N}}\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Some(tree) = &text.tree else { continue };
            // E118 says more of conditions.
            let says_more = text.term().is_some_and(|term| term.meta.name == "condition");
            if let Some(span) = left_over(tree).filter(|_| !says_more) {
                let help = "leave it out, or write a pattern between \\N and \\N";
                findings.add_with(text.spot(span), "a closing brace is left over", help);
            }
        }
    },
};

/// A closing brace right behind an item, where none was opened in the text before it.
fn left_over(tree: &Tree) -> Option<Span> {
    let source = tree.source();
    let mut after_item = false;
    for Piece { part, span } in tree.view().pieces(tree.root) {
        match part {
            Part::Item(_) | Part::Operator(_) => after_item = true,
            Part::Text(_) => {
                let text = span.of(source);
                if after_item && text.starts_with(b"}") {
                    return Some(Span::new(span.start as usize, span.start as usize + 1));
                }
                if text.iter().any(|c| matches!(c, b'{' | b'\\')) {
                    return None;
                }
                after_item = false;
            }
            _ => after_item = false,
        }
    }
    None
}
