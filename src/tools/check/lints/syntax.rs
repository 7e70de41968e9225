//! What Exim complains of when it reads the file, and when it expands a text.

use std::cell::OnceCell;
use std::collections::HashMap;

use eximious_core::OptionPlace;
use eximious_grammar::expansion::Tree;

use super::target::{cure, once_known};
use crate::config::{Config, ConfigError};
use crate::tools::check::{Findings, Lint, Severity, Spot, Survey, Text};

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
    let heads = OnceCell::new();
    for fault in &survey.config.faults {
        let message = String::from_utf8_lossy(fault.message()).into_owned();
        let name = unknown_name(&message);
        if name.is_some() != unknown {
            continue;
        }
        let written = name.or_else(|| selector(&message));
        if written.is_some_and(|name| once_known(survey.target, name)) {
            continue;
        }
        let spot = spot(survey, fault, &heads);
        match name {
            Some(name) => {
                let help = match cure(name) {
                    Some(cure) => cure,
                    None if message.contains("\"driver\" must be specified") => {
                        "write driver = … before it".to_owned()
                    }
                    None => near_option(survey, findings, name, message.starts_with("main ")),
                };
                findings.add_with(spot, message.clone(), help);
            }
            None => {
                let colon = missing_colon(survey.config, fault);
                let help = colon.unwrap_or_else(|| near_word(survey, findings, &message));
                findings.add_with(spot, message, help);
            }
        }
    }
}

/// What to write where the name of an ACL or of an instance has no colon behind it.
fn missing_colon(config: &Config, fault: &ConfigError) -> Option<String> {
    let message = fault.message();
    if message != b"missing or malformed ACL name" && !message.ends_with(b" name missing") {
        return None;
    }
    let (number, name) = fault.line()?;
    let file = config.sources.files().iter().find(|file| file.name == name)?;
    let line = file.line(number)?.trim_ascii();
    let is_name = line.iter().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(c));
    let is_verb = eximious_core::AclVerb::ALL.iter().any(|verb| verb.name().as_bytes() == line);
    (is_name && !is_verb)
        .then(|| format!("a name has a colon behind it: {}:", String::from_utf8_lossy(line)))
}

/// The name in `main option "x" unknown`.
fn unknown_name(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("main ").unwrap_or(message).strip_prefix("option \"")?;
    let (name, rest) = rest.split_once('"')?;
    rest.starts_with(" unknown").then_some(name)
}

/// The name in `unknown log_selector setting: +x`.
fn selector(message: &str) -> Option<&str> {
    let name = message.strip_prefix("unknown log_selector setting: ")?;
    Some(name.trim_start_matches(['+', '-']))
}

fn near_option(survey: &Survey<'_>, findings: &Findings, name: &str, main: bool) -> String {
    let options = survey.registry.all_options();
    let options = options.filter(|option| (option.place == OptionPlace::Main) == main);
    findings.offer("", name, options.map(|option| option.meta.name))
}

/// What could have been meant where a driver, a verb or a condition is unknown.
fn near_word(survey: &Survey<'_>, findings: &Findings, message: &str) -> String {
    const VERBS: [&str; 7] = ["accept", "defer", "deny", "discard", "drop", "require", "warn"];
    const SECTIONS: [&str; 8] =
        ["acl", "authenticators", "local_scan", "retry", "rewrite", "routers", "transports", "dns"];
    let registry = survey.registry;
    let Some((_, rest)) = message.split_once('"') else {
        let near = selector(message).map(|name| {
            let names = eximious_core::LogSelector::words();
            cure(name).unwrap_or_else(|| findings.offer("+", name, names))
        });
        return near.unwrap_or_default();
    };
    let name = rest.split('"').next().unwrap_or_default();
    let last = rest.rsplit('"').nth(1).unwrap_or(name);
    if message.contains("driver \"") || message.contains("cannot find") {
        return findings.offer("", last, registry.all_drivers().map(|driver| driver.meta.name));
    }
    if message.contains("section") {
        return findings.offer("begin ", name, SECTIONS.into_iter());
    }
    if message.contains("ACL") {
        let terms = registry.all_acl_terms().map(|term| term.meta.name);
        // `verb condition = …`, or one of them.
        let mut words = name.split('=').next().unwrap_or_default().split_ascii_whitespace();
        let (first, last) = (words.next().unwrap_or_default(), words.next_back());
        let verb = message.contains("verb")
            || last.is_some_and(|last| registry.acl_term(last.as_bytes()).is_some());
        let gone = last.or(Some(first)).and_then(cure);
        if let Some(cure) = gone {
            return cure;
        }
        return match verb {
            true => findings.offer("", first, VERBS.into_iter()),
            false => findings.offer("", last.unwrap_or(first), terms),
        };
    }
    String::new()
}

/// The last line that begins with a name and a sign after it.
type Heads<'c> = HashMap<(&'c [u8], u8), usize>;

fn heads(config: &Config) -> Heads<'_> {
    let lines = config.lines.iter().enumerate();
    let heads = lines.filter_map(|(number, line)| {
        let at = line.text.iter().position(|c| matches!(c, b'=' | b':'))?;
        Some(((line.text[..at].trim_ascii_end(), line.text[at]), number))
    });
    heads.collect()
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
    let instance = instance.as_deref().and_then(|name| name.rsplit_once(' ')).map(|(name, _)| name);
    let heads = known.get_or_init(|| heads(survey.config));
    let find = |name: &str, sign: u8| heads.get(&(name.as_bytes(), sign)).copied();
    let line = if message.starts_with("unknown log_selector") {
        find("log_selector", b'=')
    } else if message.contains("macro") {
        quoted.first().and_then(|name| find(name, b'='))
    } else {
        let names = quoted.iter().rev().copied().chain(instance);
        names.filter_map(|name| find(name, b':')).next()
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
            let Some(tree) = &text.tree else { continue };
            for fault in tree.view().faults() {
                if fault.counts_for_parse_only {
                    continue;
                }
                let message = String::from_utf8_lossy(&fault.message).into_owned();
                let free = String::from_utf8_lossy(&fault.free).into_owned();
                let help = near_name(survey, findings, &message, &free);
                findings.add_with(text.spot(fault.span), message, help);
            }
            quotings(survey, text, tree, findings);
        }
    },
};

/// What could have been meant where a name in an expansion is unknown.
fn near_name(survey: &Survey<'_>, findings: &Findings, message: &str, free: &str) -> String {
    let registry = survey.registry;
    if !free.is_empty() {
        return findings.offer("$", free, registry.all_variables().map(|v| v.meta.name));
    }
    let Some(name) = message.split('"').nth(1) else { return String::new() };
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
        String::new()
    }
}

/// `${quote_TYPE:…}` for a type that there is not: the operator is known, its
/// parameter is not.
fn quotings(survey: &Survey<'_>, text: &Text<'_>, tree: &Tree, findings: &mut Findings) {
    let registry = survey.registry;
    for op in tree.ops() {
        let quotes = op.def.is_some_and(|def| registry.operator_at(def).meta.name == "quote_");
        let Some(parameters) = tree.view().text(op.name).get(op.base as usize..).filter(|_| quotes)
        else {
            continue;
        };
        let parameters = parameters.strip_prefix(b"_").unwrap_or(parameters);
        let name = parameters.split(|c| *c == b'_').next().unwrap_or_default();
        if registry.lookup_id(name).is_none() {
            let shown = String::from_utf8_lossy(name);
            let names = registry.all_lookups().map(|lookup| lookup.meta.name);
            let help = findings.offer("quote_", &shown, names);
            let message = format!("unknown lookup type \"{shown}\"");
            findings.add_with(text.spot(op.name), message, help);
        }
    }
}
