//! What can stand where a cursor is, in an expansion and in a configuration: for a prompt
//! and for an editor.

mod place;
mod scan;

use std::fmt::Write;

use eximious_core::{Meta, Registry};
use eximious_grammar::expansion::{VariableName, Vocabulary};

pub use place::{Completions, Cursor, KnownNames, complete_line};
pub use scan::{Expected, OpenCall, Scan, WordRole, is_open, scan};

use crate::words::{self, Kind, Word};

/// A word that can stand at the cursor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// What is typed: its name, and what always follows it.
    pub text: String,
    /// What it is: `operator`, `transport`, `macro`.
    pub kind: &'static str,
    /// One line about it; it may be empty.
    pub summary: String,
}

impl Offer {
    /// A name that a configuration gives.
    pub fn own(name: impl Into<String>, kind: &'static str) -> Self {
        Self { text: name.into(), kind, summary: String::new() }
    }

    fn of(text: String, word: &Word<'_>) -> Self {
        Self { text, kind: word.kind.name(), summary: word.meta.summary.to_owned() }
    }

    /// Name and summary, for a list of one line each.
    pub fn line(&self) -> String {
        let mut line = self.text.clone();
        if !self.summary.is_empty() {
            let _ = write!(line, "  {}", self.summary);
        }
        line
    }
}

/// How the names of variables begin that are header lines.
pub const HEADERS: [&str; 8] =
    ["h_", "rh_", "bh_", "lh_", "header_", "rheader_", "bheader_", "lheader_"];

/// Whether a variable that begins so is the value of a header line.
pub fn is_header(name: &str) -> bool {
    HEADERS.iter().any(|prefix| name.starts_with(prefix))
}

/// The words of some kinds that begin so, in the order of their names, each once.
pub fn names(registry: &Registry, kinds: &[Kind], start: &str) -> Vec<Offer> {
    let mut offers = Vec::new();
    for kind in kinds {
        for word in words::of(registry, *kind) {
            let all = std::iter::once(&word.meta.name).chain(word.meta.aliases);
            // A family of variables has no name that could be typed.
            for name in all.filter(|name| name.starts_with(start) && !name.contains('…')) {
                let end = match kind {
                    Kind::Operator => ":",
                    Kind::Item => after(name, word.meta.syntax),
                    _ => "",
                };
                offers.push(Offer::of(format!("{name}{end}"), &word));
            }
        }
    }
    sorted(offers)
}

/// In the order of what is typed, each once.
fn sorted(mut offers: Vec<Offer>) -> Vec<Offer> {
    offers.sort_by(|a, b| a.text.cmp(&b.text));
    offers.dedup_by(|a, b| a.text == b.text);
    offers
}

/// The variables that begin so and are the values of header lines, whose names are given in
/// small letters: `h_subject:`.
pub fn header_names<'n>(headers: impl Iterator<Item = &'n str>, start: &str) -> Vec<Offer> {
    let Some(prefix) = HEADERS.iter().find(|prefix| start.starts_with(**prefix)) else {
        return Vec::new();
    };
    let names = headers.map(|name| format!("{prefix}{name}:"));
    sorted(names.filter(|name| name.starts_with(start)).map(|n| Offer::own(n, "header")).collect())
}

/// What the words are that can stand somewhere in an expansion.
pub fn kinds_of(expected: Expected) -> &'static [Kind] {
    match expected {
        Expected::Construct => &[Kind::Item, Kind::Operator, Kind::Variable],
        Expected::Variable => &[Kind::Variable],
        Expected::Condition => &[Kind::Condition],
        Expected::Lookup => &[Kind::Lookup],
        Expected::Nothing => &[],
    }
}

/// What an item's name is followed by: a brace, or a space as in `${if `.
fn after(name: &str, syntax: &str) -> &'static str {
    match syntax.strip_prefix("${").and_then(|rest| rest.strip_prefix(name)) {
        Some(rest) if rest.starts_with('{') => "{",
        Some(rest) if rest.starts_with(' ') => " ",
        _ => "",
    }
}

/// The record of a word of an expansion, by what it is there.
pub fn record<'r>(registry: &'r Registry, role: WordRole, name: &str) -> Option<&'r Meta> {
    let bytes = name.as_bytes();
    let variable = || match registry.variable(bytes) {
        VariableName::Known(id) | VariableName::Family(id) => Some(&registry.variable_at(id).meta),
        _ => None,
    };
    match role {
        WordRole::Condition => {
            registry.condition(bytes).map(|(id, _)| &registry.condition_at(id).meta)
        }
        WordRole::Lookup => registry.lookup_id(bytes).map(|id| &registry.lookup_at(id).meta),
        WordRole::Variable => variable(),
        WordRole::Construct => match registry.item(bytes) {
            Some((id, _)) => Some(&registry.item_at(id).meta),
            None => match registry.operator(bytes) {
                Some((id, _)) => Some(&registry.operator_at(id).meta),
                None => variable(),
            },
        },
        WordRole::Escape => None,
    }
}

/// Whether a word of an expansion is known.
pub fn is_known(registry: &Registry, role: WordRole, name: &str) -> bool {
    let bytes = name.as_bytes();
    let is_variable = || {
        bytes.iter().all(u8::is_ascii_digit)
            || !matches!(registry.variable(bytes), VariableName::Unknown(_))
            || is_header(name)
    };
    match role {
        WordRole::Escape => true,
        // A scan splits off what stands behind it.
        WordRole::Lookup => name.starts_with("partial") || registry.lookup(bytes).is_some(),
        WordRole::Condition => {
            record(registry, role, name).is_some()
                || b"<>=".contains(&bytes.first().copied().unwrap_or(0))
        }
        WordRole::Variable => is_variable(),
        WordRole::Construct => record(registry, role, name).is_some() || is_variable(),
    }
}

/// The construct or condition around the end of a text, with the number of the argument
/// that is typed there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signature<'r> {
    /// How it is written.
    pub syntax: &'r str,
    /// One line about it.
    pub summary: &'r str,
    /// How many arguments in braces are complete.
    pub argument: usize,
}

/// The innermost word around the end of a text that says how it is written. Once a
/// condition has all its arguments, that is what the condition stands in.
pub fn signature<'r>(registry: &'r Registry, text: &str) -> Option<Signature<'r>> {
    scan(text).around().find_map(|call| {
        let meta = record(registry, call.role, call.name)?;
        let groups = meta.syntax.matches('{').count();
        let is_done = call.role == WordRole::Condition && call.arguments > 0;
        if meta.syntax.is_empty() || is_done && call.arguments >= groups {
            return None;
        }
        Some(Signature { syntax: meta.syntax, summary: meta.summary, argument: call.arguments })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_of_the_innermost_word_is_found() {
        let registry = crate::registry();
        let found = |text| signature(&registry, text).map(|s| (s.syntax, s.argument));
        let (extract, _) = registry.item(b"extract").unwrap();
        let syntax = registry.item_at(extract).meta.syntax;
        assert_eq!(found("${if eq{${extract{a}"), Some((syntax, 1)));
        let (eq, _) = registry.condition(b"eq").unwrap();
        assert_eq!(found("${if eq{a}{b"), Some((registry.condition_at(eq).meta.syntax, 1)));
        let (item, _) = registry.item(b"if").unwrap();
        let found = found("${if eq{a}{b}{yes").unwrap();
        assert_eq!(found.0, registry.item_at(item).meta.syntax);
        assert_eq!(signature(&registry, "no word"), None);
    }

    #[test]
    fn words_are_known_by_what_they_are() {
        let registry = crate::registry();
        for (role, name) in [
            (WordRole::Construct, "extract"),
            (WordRole::Construct, "substr_1_2"),
            (WordRole::Construct, "pid"),
            (WordRole::Variable, "acl_m_x"),
            (WordRole::Variable, "1"),
            (WordRole::Variable, "rh_subject"),
            (WordRole::Condition, ">="),
            (WordRole::Lookup, "lsearch"),
        ] {
            assert!(is_known(&registry, role, name), "{name}");
        }
        assert!(!is_known(&registry, WordRole::Condition, "extract"));
        assert!(!is_known(&registry, WordRole::Variable, "nosuch"));
    }
}
