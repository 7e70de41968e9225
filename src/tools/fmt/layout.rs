//! Which line is what: physical lines, with what is known of the section and of
//! the logical line that they stand in.

use eximious_grammar::config::{begins_section, section};
use eximious_grammar::is_space;

use super::columns;
use super::shape::{self, Shape};
use crate::Macros;
use crate::config::conditional;
use crate::config::macros::{trim, trim_start};

/// How much further the lines stand that continue another.
const CONTINUED: usize = 4;
/// How much further for each open brace.
const BRACE: usize = 2;
/// How many open braces show.
const MOST_BRACES: usize = 12;

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Kind {
    #[default]
    Blank,
    Comment,
    /// `.ifdef`, `.include` and the like.
    Directive,
    Code,
}

/// A line of the result.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// What it is.
    pub(super) kind: Kind,
    /// Where it stands; `None` where it stands as it was written.
    pub(super) indent: Option<usize>,
    /// Where what belongs to it stands.
    pub(super) inner: Option<usize>,
    /// The white space with which it was written.
    pub(super) leading: Vec<u8>,
    /// The column in which it was written.
    pub(super) written: usize,
    /// What it says.
    pub(super) text: Vec<u8>,
    /// Where the parts of a rule begin that stand below each other.
    pub(super) cells: Vec<usize>,
    /// Whether a logical line may go on in it.
    pub(super) open: bool,
    /// Whether it begins a section.
    pub(super) begins: bool,
    /// Whether a whole logical line stands before it, whatever macros say.
    pub(super) after_code: bool,
}

/// A section, as far as its lines look different.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Section {
    /// Before the first `begin`.
    #[default]
    Main,
    /// A part of a file, which begins with a label or a verb.
    Part,
    Acl,
    Drivers,
    LocalScan,
    Retry,
    Rewrite,
    /// Unknown, or it depends on macros.
    Unsure,
}

impl Row {
    /// An empty line.
    pub(super) fn blank() -> Self {
        Self { indent: Some(0), ..Self::default() }
    }
}

impl Section {
    /// Case does not count, nor whether the name ends in an `s`.
    fn named(name: &[u8]) -> Self {
        let name = name.to_ascii_lowercase();
        match name.strip_suffix(b"s").unwrap_or(&name) {
            b"acl" => Self::Acl,
            b"authenticator" | b"router" | b"transport" => Self::Drivers,
            b"local_scan" => Self::LocalScan,
            b"retry" => Self::Retry,
            b"rewrite" => Self::Rewrite,
            _ => Self::Unsure,
        }
    }
}

/// What is known between two lines.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    section: Section,
    /// Whether a logical line may be open.
    open: bool,
    /// Whether there was a logical line.
    code: bool,
    /// Whether the ACL at hand has a verb.
    verb: bool,
    /// Where the logical line at hand stands.
    indent: Option<usize>,
    /// Where what belongs to it stands.
    inner: Option<usize>,
    /// How many of its braces are open.
    depth: usize,
}

/// A `.ifdef` that is open.
struct Branch {
    /// What was known before it.
    before: State,
    /// What is known behind its branches so far.
    after: Option<State>,
    /// Whether `.else` was there, so that one branch counts.
    whole: bool,
}

/// Goes through lines.
#[derive(Default)]
pub(super) struct Layout {
    state: State,
    branches: Vec<Branch>,
    /// A macro may have been a condition: nothing is known any more.
    lost: bool,
    /// Whether a macro may stand for the beginning of a section.
    hidden_sections: bool,
}

impl Layout {
    /// Whether no logical line can go on behind the last line.
    pub(super) fn closed(&self) -> bool {
        self.branches.is_empty() && self.state.code && !self.state.open && !self.lost
    }

    /// What becomes of the next line.
    pub(super) fn row(&mut self, line: &[u8]) -> Row {
        if self.lost {
            self.state = State { section: Section::Unsure, open: true, ..State::default() };
        }
        // A line ends at a zero byte; what stands behind it is not looked at.
        let seen = &line[..memchr::memchr(0, line).unwrap_or(line.len())];
        let text = trim(seen);
        let blank = seen.len() - trim_start(seen).len();
        let mut row = Row {
            kind: Kind::Code,
            indent: None,
            inner: None,
            leading: seen[..blank].to_vec(),
            written: column(&seen[..blank]),
            text: text.to_vec(),
            cells: Vec::new(),
            open: self.state.open,
            begins: false,
            after_code: self.state.code,
        };
        if text.is_empty() {
            (row.kind, row.indent) = (Kind::Blank, Some(0));
            self.state.open = false;
        } else if let Some(directive) = directive(trim_start(seen)) {
            (row.kind, row.indent) = (Kind::Directive, Some(0));
            match directive {
                Directive::Condition(word) => self.condition(word),
                Directive::Include => {}
                Directive::Skipped => {
                    self.lost |= shape::may_be_macro(text);
                    row.text = trim_start(seen).to_vec();
                }
            }
        } else if text.starts_with(b"#") {
            row.kind = Kind::Comment;
            row.indent = if row.open { self.continued(text) } else { None };
        } else {
            self.code(text, &mut row);
        }
        if seen.len() < line.len() {
            row.kind = Kind::Code;
            (row.indent, row.begins) = (None, false);
            row.cells.clear();
            row.leading.clear();
            row.text = line.to_vec();
        }
        row
    }

    fn condition(&mut self, word: &[u8]) {
        match word {
            b".ifdef" | b".ifndef" => {
                self.branches.push(Branch { before: self.state, after: None, whole: false });
            }
            b".elifdef" | b".elifndef" | b".else" => {
                if let Some(branch) = self.branches.last_mut() {
                    branch.after = Some(State::either(branch.after, self.state));
                    branch.whole |= word == b".else";
                    self.state = branch.before;
                }
            }
            b".endif" => {
                if let Some(branch) = self.branches.pop() {
                    let before = (!branch.whole).then_some(branch.before);
                    let after = before.map(|before| State::either(branch.after, before));
                    self.state = State::either(after.or(branch.after), self.state);
                }
            }
            _ => {}
        }
    }

    /// A line that may be part of a logical line.
    fn code(&mut self, text: &[u8], row: &mut Row) {
        let continues = text.ends_with(b"\\");
        let body = if continues { &text[..text.len() - 1] } else { text };
        if self.state.open {
            row.indent = self.continued(body);
            if begins_section(body) {
                self.state.section = Section::Unsure;
                self.hidden_sections = true;
            }
            row.inner = self.state.inner;
        } else {
            let shape = self.shape(body, continues);
            row.indent = shape.indent;
            row.inner = shape.inner;
            row.begins = shape.begins;
            if let Some(mut text) = shape.text {
                if continues {
                    text.push(b'\\');
                }
                row.text = text;
            }
            if !continues {
                match self.state.section {
                    Section::Rewrite if !row.begins => row.cells = columns::rewrite(&row.text),
                    Section::Retry if !row.begins => row.cells = columns::retry(&row.text),
                    _ => {}
                }
            }
            (self.state.indent, self.state.inner, self.state.depth) = (row.indent, row.inner, 0);
        }
        self.lost |= text.starts_with(b".") && shape::may_be_macro(text);
        if Macros::defines(body) {
            let value = memchr::memchr(b'=', body).map_or(&b""[..], |sign| &body[sign + 1..]);
            let value = trim_start(value.strip_prefix(b"=").unwrap_or(value));
            self.hidden_sections |= shape::has_begin(value);
        } else if self.hidden_sections && text.first().is_some_and(u8::is_ascii_uppercase) {
            self.state.section = Section::Unsure;
        }
        self.state.depth = depth(body, self.state.depth);
        if continues {
            self.state.open = true;
        } else if is_certain(text) {
            (self.state.open, self.state.code) = (false, true);
        }
    }

    /// Where a line stands that continues another.
    fn continued(&self, text: &[u8]) -> Option<usize> {
        let closing = text.iter().filter(|c| !is_space(**c)).take_while(|c| **c == b'}').count();
        let depth = self.state.depth.saturating_sub(closing).min(MOST_BRACES);
        Some(self.state.indent? + CONTINUED + BRACE * depth)
    }

    /// A line that begins a logical line.
    fn shape(&mut self, body: &[u8], continues: bool) -> Shape {
        if begins_section(body) {
            let name = section(body).map_or(b"".as_slice(), |name| name.of(body));
            self.state.section = if continues { Section::Unsure } else { Section::named(name) };
            self.state.verb = false;
            let text =
                (!continues && !shape::may_be_macro(name)).then(|| [b"begin ", name].concat());
            return Shape { text, begins: true, ..Shape::at(0) };
        }
        let section = self.state.section;
        let labels = matches!(section, Section::Part | Section::Acl | Section::Drivers);
        if section == Section::Unsure {
            return Shape::default();
        }
        if (labels || section == Section::Main) && Macros::defines(body) {
            self.state.verb = false;
            return Shape { text: shape::definition(body, continues), ..Shape::at(0) };
        }
        if (labels || section == Section::Main && !continues)
            && let Some(label) = shape::label(body)
            && (labels || label.text.is_some())
        {
            if !labels {
                self.state.section = Section::Part;
            }
            self.state.verb = false;
            return if continues { Shape { text: None, ..label } } else { label };
        }
        if section == Section::Main && shape::is_verb(body) {
            self.state.section = Section::Part;
            return self.acl_line(body, continues);
        }
        match section {
            Section::Main => {
                let list = shape::named_list(body, continues);
                let text = list.or_else(|| shape::setting(body, continues));
                Shape { text, ..Shape::at(0) }
            }
            Section::LocalScan => Shape { text: shape::setting(body, continues), ..Shape::at(0) },
            Section::Retry | Section::Rewrite => Shape::at(0),
            Section::Drivers => Shape { text: shape::setting(body, continues), ..Shape::at(2) },
            _ => self.acl_line(body, continues),
        }
    }

    fn acl_line(&mut self, body: &[u8], continues: bool) -> Shape {
        if shape::is_verb(body) {
            self.state.verb = true;
            let text = shape::verb(body, continues);
            return Shape { text, inner: Some(4), ..Shape::at(2) };
        }
        if self.state.verb {
            return Shape { text: shape::term(body, continues), ..Shape::at(4) };
        }
        // In a part of a file, it may be a driver's.
        let part = self.state.section == Section::Part;
        let text = if part { shape::setting(body, continues) } else { None };
        Shape { text, ..Shape::at(2) }
    }
}

impl State {
    /// What is known behind two branches of which one counted.
    fn either(first: Option<Self>, second: Self) -> Self {
        let Some(first) = first else { return second };
        let section = match (first.section, second.section) {
            (a, b) if a == b => a,
            (Section::Main, Section::Part) | (Section::Part, Section::Main) => Section::Part,
            _ => Section::Unsure,
        };
        let line = if first.open && !second.open { first } else { second };
        Self {
            section,
            open: first.open || second.open,
            code: first.code && second.code,
            verb: first.verb || second.verb,
            indent: line.indent,
            inner: line.inner,
            depth: line.depth,
        }
    }
}

/// The column that white space at the beginning of a line leads to.
fn column(blank: &[u8]) -> usize {
    blank.iter().fold(0, |column, c| if *c == b'\t' { column / 8 * 8 + 8 } else { column + 1 })
}

/// A line that is read before all else.
enum Directive<'l> {
    /// `.ifdef` and the like.
    Condition(&'l [u8]),
    /// `.include` and the like.
    Include,
    /// `.endif` and the like with anything but a space behind the word: Exim
    /// skips the line.
    Skipped,
}

fn directive(line: &[u8]) -> Option<Directive<'_>> {
    match conditional(line) {
        Some((word, None | Some(b' '))) => return Some(Directive::Condition(word)),
        Some(_) => return Some(Directive::Skipped),
        None => {}
    }
    let end = line.iter().position(|c| is_space(*c)).unwrap_or(line.len());
    let include = matches!(&line[..end], b".include" | b".include_if_exists");
    include.then_some(Directive::Include)
}

/// Whether no macro can make a comment, a directive or nothing of a line.
fn is_certain(text: &[u8]) -> bool {
    match text.first() {
        Some(b'.' | b'_') => !shape::may_be_macro(text),
        Some(c) if c.is_ascii_uppercase() => Macros::defines(text),
        _ => true,
    }
}

/// How many braces are open behind a text.
fn depth(text: &[u8], mut depth: usize) -> usize {
    let mut bytes = text.iter();
    while let Some(c) = bytes.next() {
        match c {
            b'\\' => {
                bytes.next();
            }
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth
}
