//! What the line editor asks for while a line is typed.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt::Write;

use eximious::Engine;
use eximious::grammar::expansion::{VariableName, Vocabulary};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::closed;
use super::command;
use super::scan::{Expected, Role, is_open, scan};
use crate::words::{self, Kind};

const CYAN: &str = "\x1b[36m";
const GREEN: &str = "\x1b[32m";
const MAGENTA: &str = "\x1b[35m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const BOLD: &str = "\x1b[1;7m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Knows the words of an engine.
pub struct Words {
    engine: Engine,
    /// The names of the header lines of the message, if there is one.
    headers: RefCell<Vec<String>>,
    /// The line is done: no brace is under the cursor any more.
    settled: Cell<bool>,
}

impl Words {
    pub fn new(engine: Engine) -> Self {
        Self { engine, headers: RefCell::default(), settled: Cell::new(false) }
    }

    /// Notes which header lines can be asked for: their names, a line each.
    pub fn know_headers(&self, names: &str) {
        *self.headers.borrow_mut() = names.lines().map(str::to_lowercase).collect();
    }

    /// The variables of header lines that begin so: `h_subject:`.
    fn header_names(&self, start: &str) -> Vec<Pair> {
        let Some(prefix) = HEADERS.iter().find(|prefix| start.starts_with(**prefix)) else {
            return Vec::new();
        };
        let all = self.headers.borrow();
        let names = all.iter().map(|name| format!("{prefix}{name}:"));
        let mut names: Vec<String> = names.filter(|name| name.starts_with(start)).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| Pair { display: name.clone(), replacement: name }).collect()
    }

    /// Names of some kinds that begin so, with their one-line descriptions.
    fn names(&self, kinds: &[Kind], start: &str) -> Vec<Pair> {
        let registry = self.engine.registry();
        let mut pairs = Vec::new();
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
                    let mut display = format!("{name}{end}");
                    if !word.meta.summary.is_empty() {
                        let _ = write!(display, "  {}", word.meta.summary);
                    }
                    pairs.push(Pair { display, replacement: format!("{name}{end}") });
                }
            }
        }
        pairs.sort_by(|a, b| a.replacement.cmp(&b.replacement));
        pairs.dedup_by(|a, b| a.replacement == b.replacement);
        pairs
    }

    fn is_known(&self, role: Role, name: &str) -> bool {
        let (registry, name) = (self.engine.registry(), name.as_bytes());
        let variable = || is_variable(registry, name);
        match role {
            Role::Construct => {
                registry.item(name).is_some() || registry.operator(name).is_some() || variable()
            }
            Role::Variable => variable(),
            Role::Condition => registry.condition(name).is_some(),
            Role::Lookup => is_lookup(registry, name),
            Role::Escape => true,
        }
    }

    /// The signature of the innermost word that has one.
    fn signature(&self, line: &str) -> Option<&'static str> {
        let registry = self.engine.registry();
        scan(line).around().find_map(|(role, name)| {
            let name = name.as_bytes();
            let meta = match role {
                Role::Condition => {
                    registry.condition(name).map(|(id, _)| &registry.condition_at(id).meta)
                }
                _ => match registry.item(name) {
                    Some((id, _)) => Some(&registry.item_at(id).meta),
                    None => registry.operator(name).map(|(id, _)| &registry.operator_at(id).meta),
                },
            };
            meta.map(|meta| meta.syntax).filter(|syntax| !syntax.is_empty())
        })
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

fn is_variable(registry: &eximious::Registry, name: &[u8]) -> bool {
    name.iter().all(u8::is_ascii_digit)
        || !matches!(registry.variable(name), VariableName::Unknown(_))
        || HEADERS.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
}

/// How the names of variables begin that are header lines.
const HEADERS: [&str; 8] =
    ["h_", "rh_", "bh_", "lh_", "header_", "rheader_", "bheader_", "lheader_"];

/// A lookup type, perhaps with `partial-` before it: which a scan of words
/// splits off.
fn is_lookup(registry: &eximious::Registry, name: &[u8]) -> bool {
    name.starts_with(b"partial") || registry.lookup(name).is_some()
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let line = &line[..pos];
        if let Some(typed) = command::name_of_help(line) {
            let start = pos - typed.len();
            return Ok((start, self.names(&Kind::all().collect::<Vec<_>>(), typed)));
        }
        if line.starts_with(':') {
            return Ok((0, command::names(line)));
        }
        let (expected, start) = scan(line).expected(line);
        let kinds: &[Kind] = match expected {
            Expected::Construct => &[Kind::Item, Kind::Operator, Kind::Variable],
            Expected::Variable => &[Kind::Variable],
            Expected::Condition => &[Kind::Condition],
            Expected::Lookup => &[Kind::Lookup],
            Expected::Nothing => &[],
        };
        let mut names = self.names(kinds, &line[start..]);
        if kinds.contains(&Kind::Variable) {
            names.extend(self.header_names(&line[start..]));
        }
        Ok((start, names))
    }
}

/// A signature; the right arrow does not take it over.
pub struct Signature(String);

impl Hint for Signature {
    fn display(&self) -> &str {
        &self.0
    }
    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Words {
    type Hint = Signature;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Signature> {
        if pos < line.len() || command::is_command(line) {
            return None;
        }
        self.signature(line).map(|syntax| Signature(format!("   {syntax}")))
    }
}

impl Highlighter for Words {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        if command::is_command(line) || !line.contains(['$', '{', '\\']) {
            return Cow::Borrowed(line);
        }
        let read = scan(line);
        let mut marks: Vec<(usize, usize, &str)> = Vec::new();
        for (role, range) in &read.words {
            let known = self.is_known(*role, &line[range.clone()]);
            let typing = range.end == line.len();
            let colour = match role {
                Role::Escape => YELLOW,
                _ if !known && !typing => RED,
                _ if !known => continue,
                Role::Construct => CYAN,
                Role::Variable => GREEN,
                Role::Condition | Role::Lookup => MAGENTA,
            };
            marks.push((range.start, range.end, colour));
        }
        let pair = read.pair(pos).or_else(|| read.pair(pos.checked_sub(1)?));
        let pair = pair.filter(|_| !self.settled.get());
        for brace in pair.into_iter().flat_map(|(open, close)| [open, close]) {
            marks.push((brace, brace + 1, BOLD));
        }
        marks.sort_unstable();
        Cow::Owned(coloured(line, &marks))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("{DIM}{hint}{PLAIN}"))
    }

    fn highlight_char(&self, line: &str, _: usize, kind: CmdKind) -> bool {
        self.settled.set(kind == CmdKind::ForcedRefresh);
        line.contains(['$', '{', '\\'])
    }
}

fn coloured(line: &str, marks: &[(usize, usize, &str)]) -> String {
    let mut out = String::with_capacity(line.len() + marks.len() * 10);
    let mut done = 0;
    for (start, end, colour) in marks {
        if *start >= done {
            let _ = write!(out, "{}{colour}{}{PLAIN}", &line[done..*start], &line[*start..*end]);
            done = *end;
        }
    }
    out.push_str(&line[done..]);
    out
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let input = context.input();
        let last = input.rsplit('\n').next().unwrap_or_default();
        // An empty line ends what was opened by mistake.
        let open = !last.trim().is_empty() && !command::is_command(input);
        Ok(if input.trim_ascii_end().ends_with('\\') || open && is_open(&closed(input)) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;

    fn helper() -> Words {
        Words::new(Engine::builder().build())
    }

    fn completed(line: &str) -> Vec<String> {
        let history = rustyline::history::MemHistory::new();
        let (_, pairs) = helper().complete(line, line.len(), &Context::new(&history)).unwrap();
        pairs.into_iter().map(|pair| pair.replacement).collect()
    }

    #[test]
    fn names_are_completed_by_context() {
        assert!(completed("${ext").contains(&"extract{".to_owned()));
        assert!(completed("${i").contains(&"if ".to_owned()));
        assert!(completed("${u").contains(&"uc:".to_owned()));
        assert!(completed("${if e").contains(&"eq".to_owned()));
        assert!(completed("$primary").contains(&"primary_hostname".to_owned()));
        assert!(completed("${lookup{x} pass").contains(&"passwd".to_owned()));
        assert!(completed("help ext").iter().any(|name| name.starts_with("extract")));
        assert!(completed(":q").contains(&":quit".to_owned()));
        assert!(completed("ext").is_empty());
    }

    #[test]
    fn the_signature_of_the_innermost_word_is_shown() {
        let words = helper();
        let registry = words.engine.registry();
        let (extract, _) = registry.item(b"extract").unwrap();
        let syntax = registry.item_at(extract).meta.syntax;
        assert_eq!(words.signature("${if eq{${extract{a}"), Some(syntax));
        assert_eq!(words.signature("no word"), None);
    }

    #[test]
    fn names_have_colours() {
        let words = helper();
        let line = words.highlight("${uc:$pid} ${nosuch:a}", 0).into_owned();
        assert!(line.contains("\x1b[36muc\x1b[0m"), "{line:?}");
        assert!(line.contains("\x1b[31mnosuch\x1b[0m"), "{line:?}");
        let pair = words.highlight("${uc:a}", 6).into_owned();
        assert_eq!(pair.matches(BOLD).count(), 2, "{pair:?}");
    }
}
