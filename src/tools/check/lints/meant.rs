//! What could have been meant where the reader of a configuration does not know a word.

use std::cell::OnceCell;
use std::collections::HashSet;

use eximious_core::{AclVerb, LogSelector, OptionPlace};
use eximious_stdlib::wording::reason;

use super::syntax::selector;
use super::target::cure;
use crate::config::{Config, ConfigError};
use crate::tools::check::{Findings, Help, Survey, nearest};

/// The option that makes others of its instance known.
const DRIVER: &str = "driver";
/// Exim's words where a file can't be included; its name stands behind them.
const NOT_INCLUDED: &[u8] = b"failed to open included configuration file ";
/// How much of such a file is read to find why.
const LARGEST_FILE: u64 = 64 << 20;

const SECTIONS: [&str; 8] =
    ["acl", "authenticators", "local_scan", "retry", "rewrite", "routers", "transports", "dns"];

/// Words of other programs for the verbs of ACLs.
const OTHER_VERBS: [(&str, &str); 4] =
    [("allow", "accept"), ("permit", "accept"), ("refuse", "deny"), ("reject", "deny")];

/// What could have been meant where an option is unknown.
pub(super) fn option(
    survey: &Survey<'_>,
    findings: &Findings,
    name: &str,
    fault: &ConfigError,
) -> Help {
    let message = String::from_utf8_lossy(fault.message());
    if let Some(cure) = cure(name) {
        return cure.into();
    }
    let line = line_of(survey.config, fault);
    if let Some(help) = line.and_then(end) {
        return help;
    }
    if line.is_some_and(|line| line.trim_ascii() == name.as_bytes())
        && followed_by_driver(survey.config, fault)
    {
        return with_colon(name);
    }
    if lacks_driver(fault) {
        if near_driver(name) {
            return findings.offer("", name, std::iter::once(DRIVER));
        }
        return "write driver = … before it".into();
    }
    let main = message.starts_with("main ");
    let options = || survey.registry.all_options();
    let is_it = |option: &&eximious_core::OptionDef| option.meta.name == name;
    let owners: Vec<String> = options().filter(is_it).map(|option| owner(option.place)).collect();
    if let [first, rest @ ..] = owners.as_slice() {
        let others = if rest.iter().any(|other| other != first) { ", and to others" } else { "" };
        return format!("{name} belongs to {first}{others}").into();
    }
    let near = options().filter(|option| (option.place == OptionPlace::Main) == main);
    let near = findings.offer("", name, near.map(|option| option.meta.name));
    if near.is_empty() { comment(line) } else { near }
}

/// Whether an option is not known because its driver is not.
fn lacks_driver(fault: &ConfigError) -> bool {
    memchr::memmem::find(fault.message(), b"\"driver\" must be specified").is_some()
}

/// The physical lines in which an instance's options stand below a line that sets its driver,
/// or means to: the numbers of file and line.
fn below_drivers(config: &Config) -> HashSet<(u32, u32)> {
    let mut below = false;
    let mut found = HashSet::new();
    for line in &config.lines {
        let Some(at) = line.text.iter().position(|c| matches!(c, b'=' | b':')) else { continue };
        if line.text[at] == b':' {
            below = false;
            continue;
        }
        if below {
            found.insert((line.file, line.number));
        }
        below |= near_driver(&String::from_utf8_lossy(line.text[..at].trim_ascii()));
    }
    found
}

/// Whether an option is not known because its driver, which stands above it, is misspelt:
/// that is told there.
pub(super) fn misspelt_driver(
    config: &Config,
    fault: &ConfigError,
    below: &OnceCell<HashSet<(u32, u32)>>,
) -> bool {
    let Some((number, name)) = fault.line().filter(|_| lacks_driver(fault)) else { return false };
    let below = below.get_or_init(|| below_drivers(config));
    let mut files = (0..).zip(config.sources.files()).filter(|(_, file)| file.name == name);
    files.any(|(file, _)| below.contains(&(file, number)))
}

fn near_driver(name: &str) -> bool {
    !nearest(name, std::iter::once(DRIVER)).is_empty()
}

/// Whose an option is.
fn owner(place: OptionPlace) -> String {
    match place {
        OptionPlace::Main => "the main section, before the first begin".to_owned(),
        OptionPlace::Generic(kind) => format!("each {}", kind.name()),
        OptionPlace::Driver(kind, name) => format!("the {name} {}", kind.name()),
    }
}

/// What could have been meant where a section, a driver, a verb or a condition is unknown.
pub(super) fn word(survey: &Survey<'_>, findings: &Findings, fault: &ConfigError) -> Help {
    let line = line_of(survey.config, fault);
    let help = line.and_then(end).or_else(|| missing_colon(survey.config, fault));
    let help = help.unwrap_or_else(|| near_word(survey, findings, fault));
    if help.is_empty() { comment(line) } else { help }
}

fn near_word(survey: &Survey<'_>, findings: &Findings, fault: &ConfigError) -> Help {
    let message = String::from_utf8_lossy(fault.message());
    let registry = survey.registry;
    if let Some(name) = fault.message().strip_prefix(NOT_INCLUDED) {
        return inclusion(survey, fault, name);
    }
    let Some((_, rest)) = message.split_once('"') else {
        let Some(name) = selector(&message) else { return Help::default() };
        let near = || findings.offer("+", name, LogSelector::words());
        return cure(name).map_or_else(near, Help::from);
    };
    let name = rest.split('"').next().unwrap_or_default();
    let last = rest.rsplit('"').nth(1).unwrap_or(name);
    if message.contains("driver \"") || message.contains("cannot find") {
        if last.contains('#') {
            return comment(Some(last.as_bytes()));
        }
        return findings.offer("", last, registry.all_drivers().map(|driver| driver.meta.name));
    }
    if message.contains("section") {
        return match SECTIONS.contains(&name) {
            true => "there is one section of a kind: put what stands in both into one".into(),
            false => findings.offer("begin ", name, SECTIONS.into_iter()),
        };
    }
    if message.contains("unknown ACL verb") {
        return acl_word(survey, findings, last);
    }
    if message.contains("unknown ACL condition") {
        return acl_word(survey, findings, rest.strip_suffix('"').unwrap_or(rest));
    }
    Help::default()
}

/// Why a file is not included.
fn inclusion(survey: &Survey<'_>, fault: &ConfigError, name: &[u8]) -> Help {
    let files = survey.config.sources.files();
    let at = fault.line().and_then(|(_, at)| files.iter().position(|file| file.name == at));
    // From the file that has the line to the outermost.
    let outer = |at: &usize| files.get(*at)?.included.map(|(file, _)| file as usize);
    let mut way = std::iter::successors(at, outer).take(files.len());
    if at.is_some_and(|at| files[at].name == name) {
        return "the file includes itself".into();
    }
    if way.any(|at| files[at].name == name) {
        return "the file includes the one that this line stands in".into();
    }
    match survey.world.files.read(name, LARGEST_FILE) {
        Err(why) => reason(&why).into(),
        Ok(_) => "files are included too deep in each other, or there are too many".into(),
    }
}

/// What could have been meant where a line of an ACL begins with a verb that there is not, or
/// has a condition that there is not.
fn acl_word(survey: &Survey<'_>, findings: &Findings, line: &str) -> Help {
    let registry = survey.registry;
    let head = line.split('=').next().unwrap_or_default();
    let words = head.split_ascii_whitespace().map(|word| word.trim_start_matches('!'));
    let mut words = words.filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return Help::default() };
    let is_term = |word: &str| registry.acl_term(word.as_bytes()).is_some();
    let second = words.next();
    let terms = registry.all_acl_terms().map(|term| term.meta.name);
    let verbs = AclVerb::ALL.iter().map(|verb| verb.name());
    let (wrong, is_verb) = match second {
        Some(second) if AclVerb::of(first.as_bytes()).is_some() => (second, false),
        Some(second) if is_term(second) => (first, true),
        _ => (first, false),
    };
    if let Some(cure) = cure(wrong) {
        return cure.into();
    }
    if is_term(wrong) {
        return Help::default();
    }
    let other = OTHER_VERBS.iter().find(|(other, _)| *other == wrong);
    if let Some((_, verb)) = other.filter(|_| is_verb || second.is_none()) {
        return Help::instead_of(wrong, format!("write {verb}"));
    }
    let near = if is_verb { Help::default() } else { findings.offer("", wrong, terms) };
    let is_first = wrong == first;
    if near.is_empty() && is_first { findings.offer("", wrong, verbs) } else { near }
}

/// What to write where the name of an ACL or of an instance has no colon behind it.
fn missing_colon(config: &Config, fault: &ConfigError) -> Option<Help> {
    let message = fault.message();
    if message != b"missing or malformed ACL name" && !message.ends_with(b" name missing") {
        return None;
    }
    let line = line_of(config, fault)?.trim_ascii();
    let is_name = line.iter().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(c));
    let is_verb = AclVerb::ALL.iter().any(|verb| verb.name().as_bytes() == line);
    (is_name && !is_verb).then(|| with_colon(&String::from_utf8_lossy(line)))
}

fn with_colon(name: &str) -> Help {
    format!("a name has a colon behind it: {name}:").into()
}

/// Whether the next line that says something sets a driver.
fn followed_by_driver(config: &Config, fault: &ConfigError) -> bool {
    let Some((number, name)) = fault.line() else { return false };
    let Some(file) = config.sources.files().iter().find(|file| file.name == name) else {
        return false;
    };
    let lines = (number + 1..).map_while(|number| file.line(number)).map(<[u8]>::trim_ascii);
    let next = lines.into_iter().find(|line| !line.is_empty() && !line.starts_with(b"#"));
    let rest = next.and_then(|line| line.strip_prefix(b"driver"));
    rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="))
}

/// What is said of `end`, which older releases had at the end of a section.
fn end(line: &[u8]) -> Option<Help> {
    let text = "a section ends where the next one begins: leave it out";
    (line.trim_ascii() == b"end").then(|| text.into())
}

/// What is said of a line with a comment behind its value.
fn comment(line: Option<&[u8]>) -> Help {
    let behind = |line: &[u8]| {
        let mut signs = memchr::memchr_iter(b'#', line.trim_ascii());
        let line = line.trim_ascii();
        signs.any(|at| at > 0 && line[at - 1].is_ascii_whitespace())
    };
    match line.is_some_and(behind) {
        true => "a comment has a line of its own: behind a value, it is part of it".into(),
        false => Help::default(),
    }
}

/// The line of a file that a fault is about.
fn line_of<'c>(config: &'c Config, fault: &ConfigError) -> Option<&'c [u8]> {
    let (number, name) = fault.line()?;
    config.sources.files().iter().find(|file| file.name == name)?.line(number)
}
