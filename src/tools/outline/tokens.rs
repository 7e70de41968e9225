//! The words of a logical line, and what each is.

use eximious_core::{AclOperand, DriverKind, ListKind, OptionDef, OptionPlace, Registry};
use eximious_grammar::Span;
use eximious_grammar::config::{After, DriverLine, MainLine, Setting, driver_line, main_line};
use eximious_grammar::is_space;

use super::{Outline, OutlineKind, OutlineLine, OutlineSection, word_length};
use crate::complete::{WordRole, scan};
use crate::config::macros::trim_start;

/// A word of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// Where it stands in the line's text.
    pub span: Span,
    /// What it is.
    pub kind: TokenKind,
}

/// What a word of a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    /// `.ifdef` and the like.
    Directive,
    /// `begin`, `hide`, `domainlist`.
    Keyword,
    /// The name of a section.
    Section,
    /// The name of a macro, where it is defined.
    MacroDefined,
    /// A word that may be the name of a macro.
    Macro,
    /// The name of an ACL or an instance, where it begins.
    Label(OutlineSection),
    /// The name of a list, where it is defined.
    ListDefined(ListKind),
    /// The name of a list, with the sign before it.
    ListUsed,
    /// The name of an option.
    Option,
    /// The name of a driver.
    Driver(DriverKind),
    /// A verb of ACLs.
    Verb,
    /// A condition or modifier of ACLs.
    Term,
    /// What `control` names.
    Control,
    /// What `verify` names.
    Verify,
    /// The variable that `set` sets.
    SetVariable,
    /// The name of a file after `.include`.
    Path,
    /// `!`
    Sign,
    /// A word of an expansion.
    Word(WordRole),
}

/// Where the value of a line stands: what follows the equals sign.
pub fn value_of(line: &OutlineLine) -> Option<Span> {
    let text = &line.text;
    let start = match line.kind {
        OutlineKind::Macro => {
            let rest = trim_start(&text[word_length(text)..]);
            let rest = rest.strip_prefix(b"==").or_else(|| rest.strip_prefix(b"="))?;
            text.len() - trim_start(rest).len()
        }
        OutlineKind::List(_) => match main_line(text) {
            MainLine::List(list) => return value(list.after),
            MainLine::Setting(_) => return None,
        },
        OutlineKind::Setting => return value(setting(line)?.after),
        OutlineKind::Verb(_) | OutlineKind::Term => {
            let (form, at) = line.statement()?;
            let rest = form.rest.of(&text[at..]);
            let sign = rest.iter().position(|c| *c == b'=')?;
            text.len() - trim_start(&rest[sign + 1..]).len()
        }
        OutlineKind::Other => 0,
        OutlineKind::Directive | OutlineKind::Begin | OutlineKind::Label => return None,
    };
    Some(Span::new(start, text.len()))
}

fn value(after: After) -> Option<Span> {
    match after {
        After::Value(span) => Some(span),
        After::Nothing | After::Junk(_) => None,
    }
}

/// The option that a line sets, as it is written.
fn setting(line: &OutlineLine) -> Option<Setting> {
    match line.section {
        OutlineSection::Main => match main_line(&line.text) {
            MainLine::Setting(setting) => Some(setting),
            MainLine::List(_) => None,
        },
        OutlineSection::Drivers(_) => match driver_line(&line.text) {
            DriverLine::Setting(setting) => Some(setting),
            DriverLine::Instance(_) => None,
        },
        _ => None,
    }
}

impl Outline {
    /// The record of the option that a line sets.
    pub fn option(&self, number: usize, registry: &Registry) -> Option<&'static OptionDef> {
        let line = self.lines.get(number)?;
        let name = setting(line)?.name.of(&line.text);
        let bare = name.strip_prefix(b"no_").or_else(|| name.strip_prefix(b"not_"));
        let find = |name| self.option_named(line, name, registry);
        find(name).or_else(|| find(bare?))
    }

    /// The record of an option of this name where a line stands.
    pub fn option_named(
        &self,
        line: &OutlineLine,
        name: &[u8],
        registry: &Registry,
    ) -> Option<&'static OptionDef> {
        match line.section {
            OutlineSection::Main => registry.option(OptionPlace::Main, name),
            OutlineSection::Drivers(kind) => {
                let driver = line.owner.and_then(|owner| self.driver(owner));
                let driver = driver.and_then(|driver| registry.driver(kind, driver));
                let driver = driver.map(|driver| driver.meta.name);
                registry.driver_option(kind, driver, name)
            }
            _ => None,
        }
    }

    /// The words of a line, in order; none lies in another.
    pub fn tokens(&self, number: usize, registry: &Registry) -> Vec<Token> {
        let Some(line) = self.lines.get(number) else { return Vec::new() };
        let mut words = Words { line, found: Vec::new() };
        match line.kind {
            OutlineKind::Directive => words.directive(),
            OutlineKind::Begin => words.begin(),
            OutlineKind::Macro => words.add(0, word_length(&line.text), TokenKind::MacroDefined),
            OutlineKind::Label => {
                if let Some(name) = line.name() {
                    words.push(name, TokenKind::Label(line.section));
                }
            }
            OutlineKind::List(kind) => words.list(kind),
            OutlineKind::Setting => words.setting(),
            OutlineKind::Verb(_) | OutlineKind::Term => words.statement(registry),
            OutlineKind::Other => {}
        }
        words.value();
        words.macros();
        words.done()
    }
}

/// Gathers the words of a line.
struct Words<'l> {
    line: &'l OutlineLine,
    found: Vec<Token>,
}

impl Words<'_> {
    fn push(&mut self, span: Span, kind: TokenKind) {
        if span.end > span.start {
            self.found.push(Token { span, kind });
        }
    }

    fn add(&mut self, start: usize, length: usize, kind: TokenKind) {
        self.push(Span::new(start, start + length), kind);
    }

    /// `.ifdef NAME`, `.include FILE`
    fn directive(&mut self) {
        let text = &self.line.text;
        let word = text.iter().position(|c| is_space(*c)).unwrap_or(text.len());
        self.add(0, word, TokenKind::Directive);
        if text.starts_with(b".include") {
            let start = text.len() - trim_start(&text[word..]).len();
            self.add(start, text.len() - start, TokenKind::Path);
        }
    }

    fn begin(&mut self) {
        self.add(0, "begin".len(), TokenKind::Keyword);
        if let Some(name) = self.line.name() {
            self.push(name, TokenKind::Section);
        }
    }

    fn list(&mut self, kind: ListKind) {
        let MainLine::List(list) = main_line(&self.line.text) else { return };
        if list.hidden {
            self.add(0, "hide".len(), TokenKind::Keyword);
        }
        self.push(list.kind, TokenKind::Keyword);
        if let Some(name) = list.name {
            self.push(name, TokenKind::ListDefined(kind));
        }
    }

    fn setting(&mut self) {
        let Some(setting) = setting(self.line) else { return };
        if setting.hidden {
            self.add(0, "hide".len(), TokenKind::Keyword);
        }
        self.push(setting.name, TokenKind::Option);
        if let (OutlineSection::Drivers(kind), After::Value(value)) =
            (self.line.section, setting.after)
            && setting.name.of(&self.line.text) == b"driver"
        {
            self.push(value, TokenKind::Driver(kind));
        }
    }

    fn statement(&mut self, registry: &Registry) {
        let text = &self.line.text;
        if let OutlineKind::Verb(verb) = self.line.kind {
            self.add(0, verb.name().len(), TokenKind::Verb);
        }
        let Some((form, at)) = self.line.statement() else { return };
        if form.negated {
            self.add(at, 1, TokenKind::Sign);
        }
        let (start, end) = (at + form.word.start as usize, at + form.word.end as usize);
        let Some(term) = registry.acl_term(&text[start..end]) else { return };
        self.add(start, end - start, TokenKind::Term);
        let rest = at + form.rest.start as usize;
        if term.operand == AclOperand::Variable {
            self.add(rest, word_length(&text[rest..]), TokenKind::SetVariable);
        }
        let kind = match term.meta.name {
            "control" => TokenKind::Control,
            "verify" => TokenKind::Verify,
            _ => return,
        };
        if let Some(value) = value_of(self.line) {
            let start = value.start as usize;
            self.add(start, word_length(&text[start..]), kind);
        }
    }

    /// What stands behind the equals sign.
    fn value(&mut self) {
        let Some(value) = value_of(self.line) else { return };
        let start = value.start as usize;
        let text: String = value.of(&self.line.text).iter().map(|c| ascii(*c)).collect();
        for (role, range) in scan(&text).words {
            self.add(start + range.start, range.len(), TokenKind::Word(role));
        }
        let bytes = text.as_bytes();
        for (at, _) in text.match_indices('+') {
            let length = word_length(&bytes[at + 1..]);
            let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
            let letter = bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic);
            if letter && (is_space(before) || b":;!@{\"".contains(&before)) {
                self.add(start + at, length + 1, TokenKind::ListUsed);
            }
        }
    }

    /// Words in capital letters.
    fn macros(&mut self) {
        let text = &self.line.text;
        let mut at = 0;
        while at < text.len() {
            let length = word_length(&text[at..]).max(1);
            let word = &text[at..at + length];
            let capital = |c: &u8| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == b'_';
            if length > 1 && word[0].is_ascii_uppercase() && word.iter().all(capital) {
                self.add(at, length, TokenKind::Macro);
            }
            at += length;
        }
    }

    /// What was found first counts where two words lie in each other.
    fn done(self) -> Vec<Token> {
        let mut found: Vec<(usize, Token)> = self.found.into_iter().enumerate().collect();
        found.sort_by_key(|(number, token)| (token.span.start, *number));
        let mut words: Vec<Token> = Vec::with_capacity(found.len());
        for (_, token) in found {
            if words.last().is_none_or(|last| last.span.end <= token.span.start) {
                words.push(token);
            }
        }
        words
    }
}

/// A byte as a character of the same length.
fn ascii(byte: u8) -> char {
    if byte.is_ascii() { char::from(byte) } else { '\x7f' }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(String, TokenKind)> {
        let registry = crate::registry();
        let outline = Outline::read(text.as_bytes(), None);
        let number = outline.lines.len() - 1;
        let line = &outline.lines[number];
        let shown = |token: &Token| {
            (String::from_utf8_lossy(token.span.of(&line.text)).into_owned(), token.kind)
        };
        outline.tokens(number, &registry).iter().map(shown).collect()
    }

    #[test]
    fn words_are_what_they_stand_for() {
        use TokenKind::*;
        let is = |word: &str, kind| (word.to_owned(), kind);
        assert_eq!(
            words("hide domainlist local = @ : HOST : +other\n"),
            [
                is("hide", Keyword),
                is("domainlist", Keyword),
                is("local", ListDefined(ListKind::Domain)),
                is("HOST", Macro),
                is("+other", ListUsed),
            ]
        );
        assert_eq!(
            words("begin acl\nc:\n  deny !hosts = ${if eq{$acl_m_a}{b}}"),
            [
                is("deny", Verb),
                is("!", Sign),
                is("hosts", Term),
                is("if", Word(WordRole::Construct)),
                is("eq", Word(WordRole::Condition)),
                is("acl_m_a", Word(WordRole::Variable)),
            ]
        );
        assert_eq!(
            words("begin acl\nc:\n warn set acl_m_x = 1\n  control = fakereject/no"),
            [is("control", Term), is("fakereject", Control)]
        );
        assert_eq!(
            words("begin routers\nr:\n driver = accept"),
            [is("driver", Option), is("accept", Driver(DriverKind::Router))]
        );
        assert_eq!(words(".ifdef HOST"), [is(".ifdef", Directive), is("HOST", Macro)]);
    }
}
