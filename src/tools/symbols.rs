//! The names that a configuration gives: where each is defined, and where it stands.

mod everywhere;

use eximious_core::{DriverKind, ListKind, Registry, World};
use eximious_grammar::Span;
use eximious_grammar::expansion::Part;
use eximious_stdlib::options::opt::router;

use crate::config::Config;
use crate::outline::{Outline, OutlineKind};
use crate::tools::check::names::{Names, word};
use crate::tools::check::{Spot, Survey, uses};

pub use everywhere::read_everywhere;

/// What a name is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SymbolKind {
    /// A macro.
    Macro,
    /// An ACL.
    Acl,
    /// A named list.
    List(ListKind),
    /// A router, a transport or an authenticator.
    Instance(DriverKind),
    /// A variable that ACLs or routers set.
    Variable,
}

impl SymbolKind {
    /// `macro`, `ACL`, `domain list`, `router`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Macro => "macro",
            Self::Acl => "ACL",
            Self::List(kind) => kind.word(),
            Self::Instance(kind) => kind.name(),
            Self::Variable => "variable",
        }
    }
}

/// A part of a line of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SourceSpan {
    /// The file's name.
    pub file: Vec<u8>,
    /// The line, from 1.
    pub line: u32,
    /// The first byte in the line, from 0.
    pub column: u32,
    /// How many bytes.
    pub length: u32,
}

/// A place where a name stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Symbol {
    /// What it is of.
    pub kind: SymbolKind,
    /// The name.
    pub name: Vec<u8>,
    /// Whether it is given there; a variable is where it is set.
    pub defines: bool,
    /// Where it stands.
    pub place: SourceSpan,
    /// Whether it comes out of the text of a macro, so that only the macro's name stands in
    /// this place.
    pub hidden: bool,
}

/// All names of a configuration, in the order of their places; lines that conditions leave
/// out have those of macros alone ([`read_everywhere`] has the others).
pub fn symbols(config: &Config, registry: &Registry, world: &World) -> Vec<Symbol> {
    let survey = Survey::of(config, registry, world);
    let mut finder = Finder { config, found: Vec::new() };
    finder.definitions();
    finder.uses(&survey);
    finder.macros();
    let mut found = finder.found;
    found.sort();
    found.dedup();
    found
}

struct Finder<'c> {
    config: &'c Config,
    found: Vec<Symbol>,
}

impl Finder<'_> {
    fn definitions(&mut self) {
        let config = self.config;
        for acl in &config.acls {
            // One in a file of its own is named where it is used.
            if config.lines[acl.line].text.starts_with(acl.name.bytes()) {
                self.define(SymbolKind::Acl, acl.name.bytes(), acl.line);
            }
        }
        for one in config.all_instances() {
            self.define(SymbolKind::Instance(one.kind), one.name.bytes(), one.line);
        }
        for list in &config.list_uses {
            let head = Span { start: 0, end: list.span.start };
            self.named(SymbolKind::List(list.kind), &list.name, list.line, head, true);
        }
        for statement in config.acls.iter().flat_map(|acl| &acl.statements) {
            for term in &statement.terms {
                let Some(name) = &term.variable else { continue };
                let head = Span { start: 0, end: term.span.start };
                self.named(SymbolKind::Variable, name.bytes(), term.line, head, true);
            }
        }
        for setting in config.all_settings().filter(|one| router::SET.is(one.option)) {
            let Some(value) = setting.value else { continue };
            let text = value.of(&config.lines[setting.line].text);
            let start = text.iter().take_while(|c| !word(c)).count();
            let name = &text[start..];
            let name = &name[..name.iter().take_while(|c| word(c)).count()];
            self.named(SymbolKind::Variable, name, setting.line, value, true);
        }
    }

    fn define(&mut self, kind: SymbolKind, name: &[u8], line: usize) {
        let whole = Span::new(0, self.config.lines[line].text.len());
        self.named(kind, name, line, whole, true);
    }

    fn uses(&mut self, survey: &Survey<'_>) {
        let lists = &self.config.settings.lists;
        uses::of_lists(survey, &mut |kinds, name, spot| {
            let known = kinds.iter().find(|kind| lists.get(**kind, name).is_some());
            if let Some(kind) = known {
                self.used(SymbolKind::List(*kind), name, &spot);
            }
        });
        uses::of_acls(survey, &mut |name, spot| {
            if survey.acl(name).is_some() {
                self.used(SymbolKind::Acl, name, &spot);
            }
        });
        uses::of_instances(survey, &mut |kind, name, spot| {
            let all = self.config.instances(kind);
            let is = |one: &&crate::config::Instance| one.name.bytes().eq_ignore_ascii_case(name);
            if let Some(one) = all.iter().find(is) {
                self.used(SymbolKind::Instance(kind), one.name.bytes(), &spot);
            }
        });
        for text in &survey.texts {
            let Some(tree) = &text.tree else { continue };
            for piece in tree.all_pieces() {
                let Part::Family(_, name) = piece.part else { continue };
                self.used(SymbolKind::Variable, tree.view().text(name), &text.spot(piece.span));
            }
        }
    }

    fn used(&mut self, kind: SymbolKind, name: &[u8], spot: &Spot) {
        if let Spot::Line(line, span) = spot {
            self.named(kind, name, *line, *span, false);
        }
    }

    /// A name that stands somewhere in a part of a logical line.
    fn named(&mut self, kind: SymbolKind, name: &[u8], line: usize, within: Span, defines: bool) {
        let logical = &self.config.lines[line];
        let Some(at) = find_word(within.of(&logical.text), name) else { return };
        let place = logical.place(within.start as usize + at);
        let Some(file) = self.config.sources.file(place.file) else { return };
        let file = file.name.clone();
        let (place, hidden) = match place.inside {
            None => {
                let length = name.len() as u32;
                (SourceSpan { file, line: place.line, column: place.column, length }, false)
            }
            Some(number) => match self.in_macro(number, name) {
                Some(found) => (found, false),
                None => {
                    let macros = self.config.macros.iter().nth(number as usize);
                    let length = macros.map_or(0, |(name, _)| name.len()) as u32;
                    (SourceSpan { file, line: place.line, column: place.column, length }, true)
                }
            },
        };
        self.found.push(Symbol { kind, name: name.to_vec(), defines, place, hidden });
    }

    /// Where a name stands in the definition of a macro, if that is but once.
    fn in_macro(&self, number: u32, name: &[u8]) -> Option<SourceSpan> {
        let line = (*self.config.macro_lines.get(number as usize)?)?;
        let logical = &self.config.lines[line];
        let start = logical.text.iter().position(|c| *c == b'=')? + 1;
        let at = start + find_word(&logical.text[start..], name)?;
        if find_word(&logical.text[at + name.len()..], name).is_some() {
            return None;
        }
        let place = logical.place(at);
        let file = self.config.sources.file(place.file)?.name.clone();
        let (line, column, length) = (place.line, place.column, name.len() as u32);
        place.inside.is_none().then_some(SourceSpan { file, line, column, length })
    }

    /// The names of macros: where they were replaced, and as words wherever else they stand.
    fn macros(&mut self) {
        let config = self.config;
        let names: Vec<&[u8]> = config.macros.iter().map(|(name, _)| name).collect();
        for line in &config.lines {
            for place in line.replaced() {
                let name = place.inside.and_then(|number| names.get(number as usize));
                let (Some(name), Some(file)) = (name, config.sources.file(place.file)) else {
                    continue;
                };
                let written = file.line(place.line).unwrap_or_default();
                // What a macro of Exim's own brought in has no name of its own here.
                if written.get(place.column as usize..).is_some_and(|text| text.starts_with(name)) {
                    self.macro_at(name, &file.name, (place.line, place.column), false);
                }
            }
        }
        let index = Names::new(names.iter().copied());
        for file in config.sources.files() {
            let outline = Outline::read(&file.text, None);
            for line in &outline.lines {
                let defined = (line.kind == OutlineKind::Macro).then(|| line.name()).flatten();
                let mut bare = Vec::new();
                index.each_in(&line.text, |name, at| {
                    if !at.checked_sub(1).is_some_and(|before| word(&line.text[before])) {
                        bare.push((name, at));
                    }
                });
                for (name, at) in bare {
                    let defines = defined.is_some_and(|span| span.start as usize == at);
                    let (physical, column) = line.place(at);
                    self.macro_at(name, &file.name, (physical + 1, column), defines);
                }
            }
        }
        // Where it is defined, it is not used.
        let given: std::collections::HashSet<SourceSpan> = self
            .found
            .iter()
            .filter(|one| one.kind == SymbolKind::Macro && one.defines)
            .map(|one| one.place.clone())
            .collect();
        self.found.retain(|one| {
            one.kind != SymbolKind::Macro || one.defines || !given.contains(&one.place)
        });
    }

    fn macro_at(&mut self, name: &[u8], file: &[u8], (line, column): (u32, u32), defines: bool) {
        let length = name.len() as u32;
        let place = SourceSpan { file: file.to_vec(), line, column, length };
        let kind = SymbolKind::Macro;
        self.found.push(Symbol { kind, name: name.to_vec(), defines, place, hidden: false });
    }
}

/// Where a name stands in a text that is no part of a longer word.
fn find_word(text: &[u8], name: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(text, name).find(|at| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        !before.is_some_and(word) && !text.get(at + name.len()).is_some_and(word)
    })
}

#[cfg(test)]
mod tests;
