//! Macros: names that stand for text (specification 6.4 to 6.9).

mod builtin;
mod index;

use std::borrow::Cow;

use eximious_core::{Registry, World};
use eximious_grammar::is_space;
use eximious_grammar::scan::{find_byte, find_capital};
use memchr::memmem::Finder;

use crate::config::Mark;
use builtin::Builtin;
pub(crate) use index::Index;

/// How long a macro's name may be.
const LONGEST_NAME: usize = 63;
/// How long a name may be that comes from the command line.
const LONGEST_OPTION_NAME: usize = 23;
/// How long macros may make a line. Each macro may hold many names of the
/// next, so that a few short lines could ask for any amount of memory.
const LONGEST_LINE: usize = 16 << 20;

/// The macros that are defined, in order, and Exim's own.
#[derive(Clone, Debug, Default)]
pub struct Macros {
    defined: Vec<Macro>,
    /// Their names, by their numbers in that order.
    index: Index,
    builtin: Builtin,
}

#[derive(Clone, Debug)]
struct Macro {
    name: Vec<u8>,
    value: Vec<u8>,
    finder: Finder<'static>,
    /// Definitions in files do not count, then.
    from_command_line: bool,
}

/// Why a line that begins with a capital letter defines nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum MacroError {
    /// No name with an equals sign after it.
    Malformed,
    /// The name is too long.
    LongName,
    /// The name is taken: `==` would define it anew.
    Taken(Vec<u8>),
    /// `==`, and the name is not taken.
    Unknown(Vec<u8>),
    /// The name has that of an earlier one in it, so that it would never be
    /// found.
    Shadowed(Vec<u8>, Vec<u8>),
    /// Macros make the line longer than is reasonable.
    LongLine,
}

impl MacroError {
    /// The complaint, in Exim's words.
    pub fn message(&self) -> Vec<u8> {
        match self {
            Self::Malformed => b"malformed macro definition".to_vec(),
            Self::LongName => {
                format!("macro name too long (maximum is {LONGEST_NAME} characters)").into()
            }
            Self::Taken(name) => {
                let why = b"\" is already defined (use \"==\" if you want to redefine it)";
                [b"macro \"", name.as_slice(), why].concat()
            }
            Self::Unknown(name) => {
                [b"can't redefine an undefined macro \"", name.as_slice(), b"\""].concat()
            }
            Self::Shadowed(name, inner) => {
                let why = b"\" cannot be defined as a macro because previously defined macro \"";
                [b"\"", name.as_slice(), why, inner, b"\" is a substring"].concat()
            }
            Self::LongLine => {
                format!("macros make a line of more than {} MiB", LONGEST_LINE >> 20).into()
            }
        }
    }

    /// Whether Exim says in which line it happened.
    pub fn names_line(&self) -> bool {
        matches!(self, Self::Malformed | Self::LongName | Self::LongLine)
    }
}

impl std::fmt::Display for MacroError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.message()))
    }
}

impl std::error::Error for MacroError {}

impl Macros {
    /// None but Exim's own.
    pub fn new() -> Self {
        Self::default()
    }

    /// None, not even Exim's own.
    pub fn none() -> Self {
        Self { builtin: Builtin::none(), ..Self::default() }
    }

    /// Defines one as `-DNAME=value` does; false where the name is taken. What
    /// files say of such a name does not count.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> bool {
        let name = &name[..name.len().min(LONGEST_OPTION_NAME)];
        if self.index.number(name).is_some() {
            return false;
        }
        self.push(name, value, true);
        true
    }

    /// The names that are defined, with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.defined.iter().map(|m| (m.name.as_slice(), m.value.as_slice()))
    }

    /// The names of Exim's own, with their values: with those about TLS or without.
    pub(crate) fn builtin(registry: &Registry, has_tls: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        Builtin::all(registry, has_tls)
    }

    /// Suits Exim's own to a world: where it has no TLS, a configuration that asks for
    /// `_HAVE_TLS` hears that there is none.
    pub(crate) fn suit(&mut self, world: &World) {
        if !world.tls.is_there() {
            self.builtin.leave_tls_out();
        }
    }

    /// Whether a line is a definition, or would have to be one.
    pub fn is_definition(line: &[u8]) -> bool {
        line.first().is_some_and(u8::is_ascii_uppercase)
    }

    /// Whether a line is a definition where other lines that begin with a
    /// capital letter may stand too.
    pub(crate) fn defines(line: &[u8]) -> bool {
        defined_name(line) > 0
    }

    /// The name of the macro that was added last.
    pub fn newest(&self) -> Option<&[u8]> {
        self.defined.last().map(|m| m.name.as_slice())
    }

    /// Carries out a line `NAME = text` or `NAME == text`.
    ///
    /// # Errors
    /// What is wrong with the definition.
    pub fn define(&mut self, line: &[u8], registry: &Registry) -> Result<(), MacroError> {
        let (name, rest) = line.split_at(name_length(line));
        if name.len() > LONGEST_NAME {
            return Err(MacroError::LongName);
        }
        let rest = trim_start(rest).strip_prefix(b"=").ok_or(MacroError::Malformed)?;
        let again = rest.strip_prefix(b"=");
        let value = trim(again.unwrap_or(rest));
        if let Some(inner) = self.builtin.inside(name, registry) {
            return Err(MacroError::Shadowed(name.to_vec(), inner));
        }
        // A name stands in itself too.
        if let Some(number) = self.index.first_in(name, 0) {
            let known = &mut self.defined[number];
            if known.name != name {
                return Err(MacroError::Shadowed(name.to_vec(), known.name.clone()));
            }
            if !known.from_command_line {
                if again.is_none() {
                    return Err(MacroError::Taken(name.to_vec()));
                }
                known.value = value.to_vec();
            }
            return Ok(());
        }
        if again.is_some() {
            return Err(MacroError::Unknown(name.to_vec()));
        }
        self.push(name, value, false);
        Ok(())
    }

    fn push(&mut self, name: &[u8], value: &[u8], from_command_line: bool) {
        self.index.add(name);
        let finder = Finder::new(name).into_owned();
        let (name, value) = (name.to_vec(), value.to_vec());
        self.defined.push(Macro { name, value, finder, from_command_line });
    }

    /// Puts the macros' text where their names stand: each in turn, in the
    /// order of their definitions. The name that the line itself defines stays.
    /// Borrowed where no name was found.
    ///
    /// # Errors
    /// The line became too long.
    pub fn apply<'l>(
        &self,
        line: &'l [u8],
        registry: &Registry,
    ) -> Result<Cow<'l, [u8]>, MacroError> {
        // Exim's own begin with an underscore.
        if self.defined.is_empty() && find_byte(line, b'_').is_none() {
            return Ok(Cow::Borrowed(line));
        }
        let Some(first) = find_capital(line) else { return Ok(Cow::Borrowed(line)) };
        let start = defined_name(line);
        let own = Builtin::count_in(&line[start..], first.saturating_sub(start));
        if self.defined.is_empty() && !own {
            return Ok(Cow::Borrowed(line));
        }
        let mut text = Cow::Borrowed(line);
        if own && let Some(replaced) = self.builtin.replace(line, start, registry) {
            text = Cow::Owned(replaced);
        }
        let mut next = 0;
        while let Some(number) = self.next_in(&text, start, next) {
            if let Some(replaced) = self.defined[number].replace(&text, start)? {
                text = Cow::Owned(replaced);
            }
            next = number + 1;
        }
        Ok(text)
    }

    /// The number of the first macro, from one on, that may stand in a text
    /// from an offset on.
    fn next_in(&self, text: &[u8], start: usize, from: usize) -> Option<usize> {
        // One name is found faster than many in a text that macros have blown up.
        if text.len() > LONG_TEXT {
            return (from < self.defined.len()).then_some(from);
        }
        self.index.first_in(text.get(start..)?, from)
    }

    /// Where the parts of a line came from once its macros are replaced.
    pub(crate) fn marks(&self, line: &[u8], registry: &Registry) -> Vec<Mark> {
        let start = defined_name(line);
        let mut marks = Mark::whole();
        let mut text = Cow::Borrowed(line);
        let first = line.iter().position(u8::is_ascii_uppercase).unwrap_or(line.len());
        if first < line.len()
            && Builtin::count_in(&line[start..], first.saturating_sub(start))
            && let Some(replaced) = self.builtin.replace(line, start, registry)
        {
            let found = self.builtin.found(line, start, registry);
            let found = found.iter().map(|(at, length, value)| (*at, *length, value.len()));
            marks = moved(&marks, found, None);
            text = Cow::Owned(replaced);
        }
        let mut next = 0;
        while let Some(number) = self.next_in(&text, start, next) {
            let known = &self.defined[number];
            next = number + 1;
            if let Ok(Some(replaced)) = known.replace(&text, start) {
                let (name, value) = (known.name.len(), known.value.len());
                let rest = &text[start.min(text.len())..];
                let found = known.finder.find_iter(rest).map(|at| (start + at, name, value));
                marks = moved(&marks, found, Some(number as u32));
                text = Cow::Owned(replaced);
            }
            if marks.len() > MOST_MARKS {
                break;
            }
        }
        marks
    }
}

/// How long a text may be in which all names are looked for at once.
const LONG_TEXT: usize = 4096;
/// How many parts of one line are told apart.
const MOST_MARKS: usize = 10_000;

/// The parts of a text after some of it was replaced: where that stood, how
/// long it was, how long it is now.
fn moved(
    marks: &[Mark],
    found: impl Iterator<Item = (usize, usize, usize)>,
    inside: Option<u32>,
) -> Vec<Mark> {
    let mut out = Vec::with_capacity(marks.len() + 2);
    let mut old = marks.iter().copied().peekable();
    let mut shift = 0i64;
    let place = |at: usize, shift: i64| (at as i64 + shift) as u32;
    for (at, before, after) in found.take(MOST_MARKS) {
        while let Some(mark) = old.next_if(|mark| (mark.at as usize) < at) {
            out.push(Mark { at: place(mark.at as usize, shift), ..mark });
        }
        let (column, within) = Mark::find(marks, at);
        out.push(Mark { at: place(at, shift), column, inside: within.or(inside) });
        shift += after as i64 - before as i64;
        let end = at + before;
        while old.next_if(|mark| (mark.at as usize) <= end).is_some() {}
        let (column, inside) = Mark::find(marks, end);
        out.push(Mark { at: place(end, shift), column, inside });
    }
    out.extend(old.map(|mark| Mark { at: place(mark.at as usize, shift), ..mark }));
    out
}

impl Macro {
    fn replace(&self, text: &[u8], start: usize) -> Result<Option<Vec<u8>>, MacroError> {
        let (head, mut rest) = text.split_at(start.min(text.len()));
        let Some(mut at) = self.finder.find(rest) else { return Ok(None) };
        let mut out = head.to_vec();
        loop {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(&self.value);
            rest = &rest[at + self.name.len()..];
            if out.len() > LONGEST_LINE {
                return Err(MacroError::LongLine);
            }
            match self.finder.find(rest) {
                Some(next) => at = next,
                None => break,
            }
        }
        out.extend_from_slice(rest);
        Ok(Some(out))
    }
}

/// A text without what C calls white space at its beginning.
pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|c| is_space(**c)).count()..]
}

/// A text without what C calls white space at its ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let text = trim_start(text);
    &text[..text.iter().rposition(|c| !is_space(*c)).map_or(0, |last| last + 1)]
}

/// How many bytes of a line could be a macro's name.
fn name_length(line: &[u8]) -> usize {
    line.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_').unwrap_or(line.len())
}

/// Where the name ends that a line defines; 0 where it defines none.
fn defined_name(line: &[u8]) -> usize {
    let blank = line.len() - trim_start(line).len();
    let text = &line[blank..];
    if !Macros::is_definition(text) {
        return 0;
    }
    let end = name_length(text);
    if trim_start(&text[end..]).starts_with(b"=") { blank + end } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(lines: &[&str]) -> Vec<String> {
        let registry = Registry::new();
        let mut macros = Macros::new();
        let mut said = Vec::new();
        for line in lines {
            let text = macros.apply(line.as_bytes(), &registry).unwrap().into_owned();
            let answer = if Macros::is_definition(&text) {
                match macros.define(&text, &registry) {
                    Ok(()) => text[..name_length(&text)].to_vec(),
                    Err(why) => why.message(),
                }
            } else {
                text
            };
            said.push(String::from_utf8(answer).unwrap());
        }
        said
    }

    #[test]
    fn each_macro_is_applied_in_the_order_of_definition() {
        assert_eq!(typed(&["B = c", "A = BB", "xAB"]), ["B", "A", "xccc"]);
        assert_eq!(typed(&["A = B", "B = c", "xA B"]), ["A", "B", "xc c"]);
    }

    #[test]
    fn a_name_may_not_hold_an_earlier_one() {
        assert_eq!(
            typed(&["A = 1", "AB = 2"])[1],
            "\"AB\" cannot be defined as a macro because previously defined macro \"A\" is a \
             substring"
        );
        assert_eq!(typed(&["AB = 1", "A = 2", "xAB A"])[2], "x1 2");
    }

    #[test]
    fn redefining_takes_two_signs() {
        assert_eq!(
            typed(&["A = x", "A = y", "A == A z", " A"]),
            [
                "A",
                "macro \"A\" is already defined (use \"==\" if you want to redefine it)",
                "A",
                " x z"
            ]
        );
        assert_eq!(typed(&["A == x"]), ["can't redefine an undefined macro \"A\""]);
    }

    #[test]
    fn the_command_line_wins() {
        let registry = Registry::new();
        let mut macros = Macros::new();
        assert!(macros.set(b"A", b"1"));
        assert!(!macros.set(b"A", b"2"));
        assert_eq!(macros.define(b"A = 3", &registry), Ok(()));
        assert_eq!(macros.apply(b"xA", &registry).unwrap().as_ref(), b"x1");
    }

    #[test]
    fn growth_has_an_end() {
        let registry = Registry::new();
        let mut macros = Macros::new();
        for name in b'A'..=b'Y' {
            let value = vec![name + 1; 900];
            macros.define(&[&[name, b'='], value.as_slice()].concat(), &registry).unwrap();
        }
        assert_eq!(macros.apply(b" AA", &registry), Err(MacroError::LongLine));
    }
}
