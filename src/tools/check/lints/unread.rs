//! Variables that nothing reads.

use std::collections::{HashMap, HashSet};

use eximious_core::Effects;
use eximious_grammar::Span;

use crate::tools::check::names::word;
use crate::tools::check::survey::Use;
use crate::tools::check::{Lint, Severity, Spot, Survey, Text};

/// W216.
pub(super) static VARIABLE_NEVER_READ: Lint = Lint {
    code: "W216",
    name: "variable-never-read",
    severity: Severity::Warning,
    summary: "A variable of ACLs is set, and nothing in the configuration reads it.",
    docs: "`$acl_c…` and `$acl_m…` have no meaning of their own: what nothing reads has no effect. \
           Most often one of two names is misspelt. A `set` whose text looks something up, runs a \
           program or calls an ACL may be there for what that does, and is left alone; so is \
           everything where a system filter or Perl may read what is set.",
    bad: "acl_smtp_rcpt = c\nbegin acl\nc:\n  warn set acl_m_white = yes\n  accept hosts = 192.0.2.1\n",
    good: "acl_smtp_rcpt = c\nbegin acl\nc:\n  warn set acl_m_white = yes\n  accept condition = $acl_m_white\n         hosts = 192.0.2.1\n",
    run: |survey, findings| {
        let mut set: HashMap<&[u8], (&Text<'_>, bool)> = HashMap::new();
        for text in &survey.texts {
            let Use::Acl(_, term) = text.of else { continue };
            let Some(name) = term.variable.as_ref().map(|name| name.bytes()) else { continue };
            if !name.starts_with(b"acl_") {
                continue;
            }
            let (_, acts) = set.entry(name).or_insert((text, false));
            *acts |= does_something(survey, text);
        }
        if set.is_empty() || others_read(survey) {
            return;
        }
        let read = read(survey);
        let mut unread: Vec<_> =
            set.into_iter().filter(|(name, (_, acts))| !acts && !read.contains(*name)).collect();
        unread.sort_unstable_by_key(|(_, (text, _))| text.line);
        for (name, (text, _)) in unread {
            let shown = String::from_utf8_lossy(name);
            let known = read.iter().filter_map(|name| std::str::from_utf8(name).ok());
            let known = known.filter(|name| name.starts_with("acl_"));
            let help = findings.offer("$", &shown, known);
            let line = &survey.config.lines[text.line].text;
            let at = memchr::memmem::find(line, name).unwrap_or(0);
            let spot = Spot::Line(text.line, Span::new(at, at + name.len()));
            findings.add_with(spot, format!("nothing reads ${shown}"), help);
        }
    },
};

/// Whether a text is evaluated for more than its value.
fn does_something(survey: &Survey<'_>, text: &Text<'_>) -> bool {
    let acts = Effects::LOOKUP | Effects::RUN | Effects::NET | Effects::FOREIGN | Effects::VARS;
    let Some(tree) = &text.tree else { return false };
    let registry = survey.registry;
    tree.calls().iter().any(|call| {
        let meta = &registry.item_at(call.def).meta;
        meta.effects.intersects(acts) || matches!(meta.name, "acl" | "perl" | "dlfunc" | "run")
    }) || tree
        .conds()
        .iter()
        .any(|condition| registry.condition_at(condition.def).meta.name == "acl")
}

/// Whether something outside of the file may read variables.
fn others_read(survey: &Survey<'_>) -> bool {
    let outside = ["perl_startup", "system_filter"];
    survey.config.main.iter().any(|setting| outside.contains(&setting.option.meta.name))
}

/// The words of all files but those that are being set. What a comment shows may
/// be put to use some day, as in the file that Exim comes with.
fn read<'s>(survey: &'s Survey<'_>) -> HashSet<&'s [u8]> {
    let files = survey.config.sources.files().iter().map(|file| &file.text[..]);
    // What macros make of names stands there alone.
    let lines = survey.config.lines.iter().map(|line| &line.text[..]);
    let mut read = HashSet::new();
    for line in files.flat_map(|text| text.split(|c| *c == b'\n')).chain(lines) {
        let mut before: &[u8] = b"";
        for one in line.split(|c| !word(c)).filter(|one| !one.is_empty()) {
            if before != b"set" {
                read.insert(one);
            }
            before = one;
        }
    }
    read
}
