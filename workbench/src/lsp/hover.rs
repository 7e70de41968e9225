//! What a word under the cursor is.

use std::fmt::Write;

use eximious::complete::{self, WordRole};
use eximious::grammar::Span;
use eximious::outline::{Outline, OutlineLine, OutlineSection, Token, TokenKind};
use eximious::symbols::{Symbol, SymbolKind};
use eximious::words::{self, Kind, Word};
use eximious::{DriverDef, OptionPlace, Registry};
use lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind};

use super::project::Project;
use super::server::{Answer, Server};
use crate::pages::{grammar, values};

/// How many lines of a definition are shown.
const MOST_LINES: usize = 12;

impl Server<'_> {
    pub(super) fn hover(&mut self, params: HoverParams) -> Answer<Option<Hover>> {
        let at = params.text_document_position_params;
        let Some(spot) = self.spot(&at) else { return Ok(None) };
        let Some((path, outline, project)) = self.lines(&at.text_document.uri) else {
            return Ok(None);
        };
        let own = self.symbol_at(&project, &spot).map(|symbol| {
            let place = &symbol.place;
            let range =
                self.range(&project, &path, place.line, place.column, place.column + place.length);
            (self.definition_page(&project, symbol), range)
        });
        let page = own.or_else(|| {
            let number = outline.line_at(spot.line)?;
            let line = &outline.lines[number];
            let offset = line.offset(spot.line, spot.column)? as u32;
            let mut tokens = outline.tokens(number, &self.registry).into_iter();
            let token = tokens.find(|one| one.span.start <= offset && offset < one.span.end);
            let page = token.and_then(|token| {
                let page = self.page_of(&outline, number, token)?;
                Some((page, token.span))
            });
            let (text, span) = page.or_else(|| self.page_of_value(&outline, number, offset))?;
            let (physical, column) = line.place(span.start as usize);
            let end = column + span.end - span.start;
            Some((text, self.range(&project, &path, physical + 1, column, end)))
        });
        Ok(page.map(|(value, range)| Hover {
            contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value }),
            range: Some(range),
        }))
    }

    /// The page of a word.
    fn page_of(&self, outline: &Outline, number: usize, token: Token) -> Option<String> {
        let registry = &self.registry;
        let line = &outline.lines[number];
        let text = String::from_utf8_lossy(token.span.of(&line.text)).into_owned();
        let of = |kinds: &[Kind]| {
            let all = words::named(registry, &text).into_iter();
            let pages: Vec<String> =
                all.filter(|word| kinds.contains(&word.kind)).map(|word| page(&word)).collect();
            (!pages.is_empty()).then(|| pages.join("\n---\n"))
        };
        match token.kind {
            TokenKind::Option => {
                let option = outline.option(number, registry)?;
                let all = words::all(registry).into_iter();
                let is = |word: &Word<'_>| std::ptr::eq(word.meta, &option.meta);
                all.filter(is).map(|word| page(&word)).next()
            }
            TokenKind::Driver(kind) => {
                registry.driver(kind, text.as_bytes()).map(|driver| driver_page(registry, driver))
            }
            TokenKind::Verb => of(&[Kind::AclVerb]),
            TokenKind::Term => of(&[Kind::AclCondition, Kind::AclModifier]),
            TokenKind::Control => of(&[Kind::AclControl]),
            TokenKind::Verify => of(&[Kind::AclVerify]),
            TokenKind::Word(WordRole::Condition) => of(&[Kind::Condition]),
            TokenKind::Word(WordRole::Lookup) => of(&[Kind::Lookup]),
            TokenKind::Word(role @ (WordRole::Construct | WordRole::Variable)) => {
                let meta = complete::record(registry, role, &text)?;
                let all = words::all(registry).into_iter();
                all.filter(|word| std::ptr::eq(word.meta, meta)).map(|word| page(&word)).next()
            }
            TokenKind::Directive | TokenKind::Keyword | TokenKind::Section => {
                grammar::pages(&text).next().map(|page| as_it_is(&page))
            }
            TokenKind::Macro => {
                values::macro_page(registry, &self.world, &text).map(|page| as_it_is(&page))
            }
            _ => None,
        }
    }

    /// The page of a word that stands in the value of an option or of an ACL's condition: a log
    /// selector, a result, a lookup of a list.
    fn page_of_value(
        &self,
        outline: &Outline,
        number: usize,
        offset: u32,
    ) -> Option<(String, Span)> {
        let text = &outline.lines[number].text;
        let is_word = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-');
        let at = (offset as usize).min(text.len());
        let start = text[..at].iter().rposition(|c| !is_word(c)).map_or(0, |before| before + 1);
        let end = text[at..].iter().position(|c| !is_word(c)).map_or(text.len(), |n| at + n);
        // A sign is no part of the word.
        let start = start + text[start..end].iter().take_while(|c| **c == b'-').count();
        let word = std::str::from_utf8(text.get(start..end)?).ok()?;
        let span = Span::new(start, end);
        if text.starts_with(b".") && word.starts_with('_') {
            let found = values::macro_page(&self.registry, &self.world, word)?;
            return Some((as_it_is(&found), span));
        }
        if text.get(end) == Some(&b';') {
            let all = words::named(&self.registry, word).into_iter();
            let mut lookups = all.filter(|word| word.kind == Kind::Lookup);
            return lookups.next().map(|lookup| (page(&lookup), span));
        }
        let term = outline
            .tokens(number, &self.registry)
            .into_iter()
            .rev()
            .find(|token| token.kind == TokenKind::Term && (token.span.end as usize) <= start);
        let term = term.map(|token| String::from_utf8_lossy(token.span.of(text)).into_owned());
        let option = outline.option(number, &self.registry).map(|option| option.meta.name);
        let owner = match (&term, option, outline.lines[number].section) {
            (Some(term), ..) => term,
            (None, Some(option), _) => option,
            (None, None, OutlineSection::Rules) => "retry",
            _ => return None,
        };
        Some((as_it_is(&values::page_within(owner, word)?), span))
    }

    /// What the configuration says of a name that it gives.
    fn definition_page(&self, project: &Project, symbol: &Symbol) -> String {
        let name = String::from_utf8_lossy(&symbol.name);
        let mut page = format!("**{name}** ({})\n", symbol.kind.name());
        if symbol.kind == SymbolKind::Macro {
            let value = project.config.macros.iter().find(|(name, _)| *name == symbol.name);
            if let Some((_, value)) = value {
                let _ = write!(page, "\n```exim\n{}\n```\n", String::from_utf8_lossy(value));
            }
        }
        let all = self.symbols(project);
        let same = |one: &&Symbol| one.kind == symbol.kind && one.name == symbol.name;
        let defined = all.iter().filter(|one| one.defines).filter(same);
        for (number, one) in defined.take(5).enumerate() {
            let files = project.config.sources.files();
            let file = files.iter().find(|file| file.name == one.place.file);
            let shown = String::from_utf8_lossy(&one.place.file);
            let what = if symbol.kind == SymbolKind::Variable { "set" } else { "defined" };
            let _ = writeln!(page, "\n{what} in {shown}, line {}", one.place.line);
            if let Some(file) = file.filter(|_| number == 0 && symbol.kind != SymbolKind::Macro) {
                let outline = Outline::read(&file.text, project.section_of(&file.name));
                let text = excerpt(&outline, &file.text, one.place.line - 1);
                let _ = write!(page, "\n```exim\n{text}\n```\n");
            }
        }
        page
    }
}

/// The lines of a definition: the logical line, and what belongs to it.
fn excerpt(outline: &Outline, text: &[u8], line: u32) -> String {
    let last = outline.line_at(line).map_or(line, |number| {
        let own = |one: &&OutlineLine| one.owner == Some(number);
        let rest = outline.lines[number + 1..].iter().take_while(own);
        rest.last().unwrap_or(&outline.lines[number]).last
    });
    let all = text.split(|c| *c == b'\n').skip(line as usize);
    let count = (last - line + 1) as usize;
    let mut lines: Vec<_> = all.take(count.min(MOST_LINES)).map(String::from_utf8_lossy).collect();
    if count > MOST_LINES {
        lines.push("…".into());
    }
    lines.join("\n")
}

/// A page that was laid out for a terminal.
fn as_it_is(page: &str) -> String {
    format!("```text\n{}\n```\n", page.trim_end())
}

/// The page of a record.
pub(super) fn page(word: &Word<'_>) -> String {
    let meta = word.meta;
    let of = word.driver().map_or(String::new(), |driver| format!(" of {driver}"));
    let mut page = format!("**{}** ({}{of})\n", meta.name, word.kind.name());
    if !meta.syntax.is_empty() {
        let _ = write!(page, "\n```exim\n{}\n```\n", meta.syntax);
    }
    for part in [meta.summary, meta.docs].iter().filter(|part| !part.is_empty()) {
        let _ = writeln!(page, "\n{}", part.trim_end());
    }
    for (label, value) in word.facts() {
        let _ = write!(page, "\n- {label}: {value}");
    }
    for example in meta.examples.iter().take(3) {
        let _ = write!(page, "\n\n`{}` → `{}`", example.input, example.output.trim_end());
    }
    page.push('\n');
    page
}

/// The page of a driver.
fn driver_page(registry: &Registry, driver: &DriverDef) -> String {
    let meta = &driver.meta;
    let mut page = format!("**{}** ({} driver)\n", meta.name, driver.kind.name());
    for part in [meta.summary, meta.docs].iter().filter(|part| !part.is_empty()) {
        let _ = writeln!(page, "\n{}", part.trim_end());
    }
    let options = registry.options_of(OptionPlace::Driver(driver.kind, meta.name));
    let names: Vec<String> = options.map(|option| format!("`{}`", option.meta.name)).collect();
    if !names.is_empty() {
        let _ = writeln!(page, "\nOptions of its own: {}", names.join(", "));
    }
    let _ = write!(page, "\n- Source: specification {}\n", meta.source);
    page
}
