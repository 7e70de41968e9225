//! Which line of a file is what, for an editor: the text as it is written, with its macros,
//! and with the lines that conditions leave out.

mod tokens;

use eximious_core::{AclVerb, DriverKind, ListKind};
use eximious_grammar::Span;
use eximious_grammar::config::{
    AclLine, DriverLine, MainLine, Statement, acl_line, driver_line, main_line, section, statement,
};

use crate::Macros;
use crate::config::conditional;
use crate::config::macros::{trim, trim_start};

pub use tokens::{Token, TokenKind, value_of};

/// A section of a configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutlineSection {
    /// Before the first `begin`.
    Main,
    /// `begin acl`
    Acl,
    /// `begin routers` and the like.
    Drivers(DriverKind),
    /// `begin retry`, `begin rewrite`: a rule a line.
    Rules,
    /// One that is unknown.
    Unknown,
}

impl OutlineSection {
    /// The section that a name begins. Case does not count, nor whether it ends in an `s`.
    pub fn named(name: &[u8]) -> Self {
        let name = name.to_ascii_lowercase();
        match name.strip_suffix(b"s").unwrap_or(&name) {
            b"acl" => Self::Acl,
            b"authenticator" => Self::Drivers(DriverKind::Authenticator),
            b"router" => Self::Drivers(DriverKind::Router),
            b"transport" => Self::Drivers(DriverKind::Transport),
            b"retry" | b"rewrite" => Self::Rules,
            b"" => Self::Main,
            _ => Self::Unknown,
        }
    }
}

/// What a logical line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutlineKind {
    /// `.ifdef`, `.include` and the like.
    Directive,
    /// `NAME = text`
    Macro,
    /// `begin NAME`
    Begin,
    /// `name:`
    Label,
    /// `domainlist name = items`
    List(ListKind),
    /// `option = value`
    Setting,
    /// A verb of an ACL, perhaps with a condition behind it.
    Verb(AclVerb),
    /// A condition or modifier.
    Term,
    /// A rule, or what can't be told.
    Other,
}

/// A logical line, as it is written.
#[derive(Clone, Debug)]
pub struct OutlineLine {
    /// The physical line with which it begins, from 0.
    pub first: u32,
    /// The one with which it ends.
    pub last: u32,
    /// The section that it stands in.
    pub section: OutlineSection,
    /// What it is.
    pub kind: OutlineKind,
    /// What it says: continuations joined, no white space at its beginning.
    pub text: Vec<u8>,
    /// The number of the line with the name of the ACL or instance that it belongs to.
    pub owner: Option<usize>,
    /// Where its parts begin: in `text`, and the physical line and its byte.
    pieces: Vec<(u32, u32, u32)>,
}

impl OutlineLine {
    /// The physical line of a byte of the text, and where it stands there.
    pub fn place(&self, offset: usize) -> (u32, u32) {
        let index = self.pieces.partition_point(|piece| piece.0 as usize <= offset);
        let Some((at, line, column)) = index.checked_sub(1).and_then(|n| self.pieces.get(n)) else {
            return (self.first, 0);
        };
        (*line, column + (offset as u32 - at))
    }

    /// The offset in the text of a byte of a physical line; one in white space that was left
    /// out is at the next byte.
    pub fn offset(&self, line: u32, column: u32) -> Option<usize> {
        let index = self.pieces.iter().rposition(|piece| piece.1 == line)?;
        let (at, _, start) = self.pieces[index];
        let end = self.pieces.get(index + 1).map_or(self.text.len(), |next| next.0 as usize);
        Some((at as usize + column.saturating_sub(start) as usize).min(end))
    }

    /// The name that a label, a macro's definition or a named list gives.
    pub fn name(&self) -> Option<Span> {
        match self.kind {
            OutlineKind::Label => Some(match self.section {
                OutlineSection::Acl => match acl_line(&self.text) {
                    AclLine::Label(label) => label.name,
                    AclLine::Statement(_) => return None,
                },
                _ => match driver_line(&self.text) {
                    DriverLine::Instance(label) => label.name,
                    DriverLine::Setting(_) => return None,
                },
            }),
            OutlineKind::Macro => Some(Span::new(0, word_length(&self.text))),
            OutlineKind::List(_) => match main_line(&self.text) {
                MainLine::List(list) => list.name,
                MainLine::Setting(_) => None,
            },
            OutlineKind::Begin => section(&self.text),
            _ => None,
        }
    }

    /// The condition or modifier in the line, and where its text begins.
    pub fn statement(&self) -> Option<(Statement, usize)> {
        let form = statement(&self.text);
        match self.kind {
            OutlineKind::Verb(_) => {
                let at = form.rest.start as usize;
                let rest = form.rest.of(&self.text);
                (!rest.is_empty()).then(|| (statement(rest), at))
            }
            OutlineKind::Term => Some((form, 0)),
            _ => None,
        }
    }
}

/// A file's lines.
#[derive(Debug, Default)]
pub struct Outline {
    /// The logical lines, those of directives among them.
    pub lines: Vec<OutlineLine>,
    /// The physical lines that are comments, from 0.
    pub comments: Vec<u32>,
    /// How many physical lines there are.
    pub count: u32,
}

/// How long a file is that is looked at.
const LONGEST: usize = 64 << 20;

impl Outline {
    /// Reads a file; one that is a part of a section says which. Without that, a text that
    /// begins with a verb or a label is taken for such a part.
    pub fn read(text: &[u8], part: Option<OutlineSection>) -> Self {
        let text = &text[..text.len().min(LONGEST)];
        let mut out = Self::default();
        let mut reader = Reader { section: part, owner: None, open: None };
        for (number, physical) in text.split(|c| *c == b'\n').enumerate() {
            out.count = number as u32 + 1;
            reader.physical(&mut out, number as u32, physical);
        }
        reader.close(&mut out);
        out
    }

    /// The logical line that a physical one is part of. A directive inside of another line
    /// is found before that.
    pub fn line_at(&self, line: u32) -> Option<usize> {
        let has = |one: &OutlineLine| one.pieces.iter().any(|piece| piece.1 == line);
        let end = self.lines.partition_point(|one| one.first <= line);
        self.lines[..end].iter().rposition(has)
    }

    /// The name of the driver that an instance has, by the line of its name.
    pub fn driver(&self, owner: usize) -> Option<&[u8]> {
        let lines = self.lines.iter().skip(owner + 1);
        let own = lines.take_while(|line| line.owner == Some(owner) || line.owner.is_none());
        own.filter(|line| line.kind == OutlineKind::Setting).find_map(|line| {
            let rest = line.text.strip_prefix(b"driver")?;
            let value = trim(trim_start(rest).strip_prefix(b"=")?);
            (line.owner == Some(owner)).then_some(value)
        })
    }

    /// The section in force at the end of a line, by number.
    pub fn section_at(&self, line: u32) -> OutlineSection {
        let end = self.lines.partition_point(|one| one.first < line);
        match self.lines[..end].iter().rev().find(|one| one.kind != OutlineKind::Directive) {
            Some(one) if one.kind == OutlineKind::Begin => {
                OutlineSection::named(section(&one.text).map_or(b"", |name| name.of(&one.text)))
            }
            Some(one) => one.section,
            None => OutlineSection::Main,
        }
    }
}

/// Goes through physical lines.
struct Reader {
    /// `None` until the first line has shown it.
    section: Option<OutlineSection>,
    owner: Option<usize>,
    /// A logical line that goes on.
    open: Option<OutlineLine>,
}

impl Reader {
    fn physical(&mut self, out: &mut Outline, number: u32, physical: &[u8]) {
        let text = trim(physical);
        if text.starts_with(b"#") {
            out.comments.push(number);
            return;
        }
        let blank = physical.len() - trim_start(physical).len();
        let line = |text: &[u8]| OutlineLine {
            first: number,
            last: number,
            section: OutlineSection::Main,
            kind: OutlineKind::Other,
            text: text.to_vec(),
            owner: None,
            pieces: vec![(0, number, blank as u32)],
        };
        if conditional(text).is_some() || text.starts_with(b".include") {
            let section = self.section.unwrap_or(OutlineSection::Main);
            let kind = OutlineKind::Directive;
            let owner = self.owner;
            out.lines.push(OutlineLine { section, kind, owner, ..line(text) });
            return;
        }
        let body = text.strip_suffix(b"\\");
        let goes_on = body.is_some();
        let part = body.unwrap_or(trim_start(physical));
        match &mut self.open {
            Some(open) => {
                open.pieces.push((open.text.len() as u32, number, blank as u32));
                open.text.extend_from_slice(part);
                open.last = number;
            }
            None if text.is_empty() => return,
            None => self.open = Some(line(part)),
        }
        if !goes_on {
            self.close(out);
        }
    }

    /// Takes up the line that was open.
    fn close(&mut self, out: &mut Outline) {
        let Some(mut line) = self.open.take() else { return };
        let text = &line.text[..];
        let guessed = self.section.unwrap_or_else(|| guess(text));
        line.section = *self.section.get_or_insert(guessed);
        line.kind = kind(text, line.section);
        match line.kind {
            OutlineKind::Begin => {
                let name = section(text).map_or(&b"?"[..], |name| name.of(text));
                self.section = Some(OutlineSection::named(name));
                self.owner = None;
            }
            OutlineKind::Label => self.owner = Some(out.lines.len()),
            OutlineKind::Macro => {}
            _ => line.owner = self.owner,
        }
        out.lines.push(line);
    }
}

/// The section that a file is a part of which begins so.
fn guess(text: &[u8]) -> OutlineSection {
    let word = &text[..word_length(text)];
    let label = trim(&text[word.len()..]) == b":" && !word.is_empty();
    match AclVerb::of(word) {
        Some(_) => OutlineSection::Acl,
        // A label of which nobody knows what it names: options are those of all routers.
        None if label => OutlineSection::Drivers(DriverKind::Router),
        None => OutlineSection::Main,
    }
}

fn kind(text: &[u8], at: OutlineSection) -> OutlineKind {
    if section(text).is_some() {
        return OutlineKind::Begin;
    }
    let rules = matches!(at, OutlineSection::Rules | OutlineSection::Unknown);
    if !rules && Macros::defines(text) {
        return OutlineKind::Macro;
    }
    match at {
        OutlineSection::Main => match main_line(text) {
            MainLine::List(list) => {
                let word = list.kind.of(text);
                let kind = ListKind::ALL.into_iter().find(|kind| kind.word().as_bytes() == word);
                kind.map_or(OutlineKind::Other, OutlineKind::List)
            }
            MainLine::Setting(_) => OutlineKind::Setting,
        },
        OutlineSection::Acl => match acl_line(text) {
            AclLine::Label(_) => OutlineKind::Label,
            AclLine::Statement(form) => match AclVerb::of(form.word.of(text)) {
                Some(verb) if !form.negated => OutlineKind::Verb(verb),
                _ => OutlineKind::Term,
            },
        },
        OutlineSection::Drivers(_) => match driver_line(text) {
            DriverLine::Instance(_) => OutlineKind::Label,
            DriverLine::Setting(_) => OutlineKind::Setting,
        },
        OutlineSection::Rules | OutlineSection::Unknown => OutlineKind::Other,
    }
}

/// How many bytes of a text could be a name.
fn word_length(text: &[u8]) -> usize {
    text.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"# head\nHOST = a.example\nprimary_hostname = HOST\n\
        domainlist local = @ : \\\n  # within\n  b.example\n.ifdef X\nbegin acl\nc:\n  \
        deny  !hosts = +r\n    message = no\n.endif\nbegin routers\nr1:\n  driver = accept\n  \
        transport = t\n";

    #[test]
    fn lines_have_kinds_and_sections() {
        let outline = Outline::read(TEXT, None);
        let kinds: Vec<_> = outline.lines.iter().map(|line| (line.first, line.kind)).collect();
        use OutlineKind::*;
        assert_eq!(
            kinds,
            [
                (1, Macro),
                (2, Setting),
                (3, List(ListKind::Domain)),
                (6, Directive),
                (7, Begin),
                (8, Label),
                (9, Verb(AclVerb::Deny)),
                (10, Term),
                (11, Directive),
                (12, Begin),
                (13, Label),
                (14, Setting),
                (15, Setting),
            ]
        );
        assert_eq!(outline.comments, [0, 4]);
        assert_eq!(outline.driver(10), Some(&b"accept"[..]));
        assert_eq!(outline.section_at(15), OutlineSection::Drivers(DriverKind::Router));
        assert_eq!(outline.section_at(2), OutlineSection::Main);
    }

    #[test]
    fn bytes_are_found_both_ways() {
        let outline = Outline::read(TEXT, None);
        let list = &outline.lines[2];
        assert_eq!((list.first, list.last), (3, 5));
        let at = list.text.windows(9).position(|part| part == b"b.example").unwrap();
        assert_eq!(list.place(at), (5, 2));
        assert_eq!(list.offset(5, 2), Some(at));
        assert_eq!(list.name().map(|name| name.of(&list.text)), Some(&b"local"[..]));
        assert_eq!(outline.line_at(5), Some(2));
        assert_eq!(outline.line_at(4), None);
    }

    #[test]
    fn parts_of_sections_are_guessed() {
        let first = |text: &[u8]| Outline::read(text, None).lines[0].section;
        assert_eq!(first(b"deny hosts = a\n"), OutlineSection::Acl);
        assert_eq!(first(b"r1:\n driver = x\n"), OutlineSection::Drivers(DriverKind::Router));
        assert_eq!(first(b"qualify_domain = x\n"), OutlineSection::Main);
        let part = Outline::read(b"t:\n", Some(OutlineSection::Drivers(DriverKind::Transport)));
        assert_eq!(part.lines[0].kind, OutlineKind::Label);
    }
}
