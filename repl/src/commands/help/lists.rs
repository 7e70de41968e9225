//! The pages that list all there is of a kind: commands, codes of `check`, drivers, words.

use std::fmt::Write;

use eximious::{DriverDef, DriverKind, Registry, check};

use super::events;
use crate::commands::{self, list};
use crate::words::{self, Kind, Word};

/// The list of a name in the plural, with its head.
pub fn page(registry: &Registry, name: &str) -> Option<String> {
    let of_kind = |kind| drivers(registry, Some(kind));
    let lines = match name {
        "commands" => commands::names().map(|(name, does)| line(&name, &does)).collect(),
        "codes" | "lints" => {
            check::lints().iter().map(|lint| line(lint.code, lint.summary)).collect()
        }
        "events" => events::list(),
        "drivers" => return Some(drivers(registry, None)),
        "routers" => of_kind(DriverKind::Router),
        "transports" => of_kind(DriverKind::Transport),
        "authenticators" => of_kind(DriverKind::Authenticator),
        _ => {
            let kinds = kinds(name);
            let words: Vec<Word> =
                kinds.iter().flat_map(|kind| words::of(registry, *kind)).collect();
            if words.is_empty() {
                return None;
            }
            list::lines(&words)
        }
    };
    Some(format!("{name} (list)\n\n{lines}"))
}

/// The kinds of words that a name in the plural is about: `conditions` are those of
/// expansions and of ACLs.
fn kinds(name: &str) -> Vec<Kind> {
    match name {
        "acl" | "acls" => Kind::ACL.to_vec(),
        "options" => Kind::OPTIONS.to_vec(),
        _ => {
            let is_it = |kind: &Kind| {
                let names = kind.names();
                names.ends_with('s') && names.rsplit(' ').next() == Some(name) || names == name
            };
            Kind::all().filter(is_it).collect()
        }
    }
}

/// All drivers of a kind, or all, a line for each.
fn drivers(registry: &Registry, kind: Option<DriverKind>) -> String {
    let line = |driver: &DriverDef| {
        let (kind, name) = (driver.kind.name(), driver.meta.name);
        format!("{kind:<13} {name:<12} {}\n", driver.meta.summary)
    };
    let is_it = |driver: &&DriverDef| kind.is_none_or(|kind| driver.kind == kind);
    registry.all_drivers().filter(is_it).map(line).collect()
}

/// A name, and what is said of it.
fn line(name: &str, about: &str) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "  {name:<10} {about}");
    text
}

/// The names that have lists.
pub fn names() -> impl Iterator<Item = &'static str> {
    [
        "acl",
        "authenticators",
        "codes",
        "commands",
        "conditions",
        "controls",
        "drivers",
        "events",
        "items",
        "lookups",
        "modifiers",
        "operators",
        "options",
        "routers",
        "transports",
        "variables",
        "verbs",
    ]
    .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_list() {
        let registry = eximious::registry();
        for name in names() {
            let page = page(&registry, name).expect(name);
            assert!(page.lines().count() > 3, "{page}");
        }
        let conditions = page(&registry, "conditions").expect("a page");
        assert!(conditions.contains("match_domain") && conditions.contains("sender_domains"));
        assert!(page(&registry, "nosuch").is_none() && page(&registry, "set").is_none());
    }
}
