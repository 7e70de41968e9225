//! Logical lines: what is left after macros, conditions, inclusions, comments
//! and continuations (specification 6.2, 6.3, 6.10).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::sync::Arc;

use eximious_core::Registry;
use eximious_core::world::Files;
use eximious_grammar::is_space;

use super::ConfigError;
use super::source::{Line, Location, Mark, Piece, SourceMap};
use crate::Macros;
use crate::config::macros::{MacroError, trim, trim_start};

/// How large a configuration file may be.
const LARGEST_FILE: u64 = 64 << 20;
/// What editors of other systems put in front of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// How deep files may include each other.
const DEEPEST: usize = 64;
/// How many files may be included in all.
const MOST_FILES: usize = 10_000;
/// How much they may hold in all.
const MOST_BYTES: usize = 256 << 20;

/// What a file says. A directory is as an empty file: that is what it is to
/// Exim, which does not notice that it can't be read.
pub(super) fn contents(files: &dyn Files, path: &[u8]) -> io::Result<Arc<[u8]>> {
    match files.read(path, LARGEST_FILE) {
        Err(why) if why.kind() == io::ErrorKind::IsADirectory => Ok(Arc::default()),
        read => read,
    }
}

/// Whether there is no such file.
fn is_missing(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Reads logical lines.
pub(super) struct Lines<'r> {
    files: Arc<dyn Files>,
    registry: &'r Registry,
    pub(super) macros: Macros,
    pub(super) sources: SourceMap,
    /// What files say that need not be opened, by their names.
    pub(super) known: BTreeMap<Vec<u8>, Arc<[u8]>>,
    /// The macros whose names were met.
    pub(super) met: BTreeSet<u32>,
    /// The files being read, the innermost last.
    open: Vec<Open>,
    conditions: Vec<Condition>,
    /// How much the files hold that were included so far.
    included: usize,
}

struct Open {
    file: u32,
    text: Arc<[u8]>,
    at: usize,
    line: u32,
}

/// A line of a file.
struct Physical {
    file: u32,
    number: u32,
    source: Arc<[u8]>,
    range: Range<usize>,
}

/// One `.ifdef` that is open.
struct Condition {
    /// Whether the lines around it count.
    outer: bool,
    /// Whether the lines in the branch at hand count.
    here: bool,
    /// Whether any branch has counted.
    taken: bool,
}

impl<'r> Lines<'r> {
    pub(super) fn new(
        name: &[u8],
        text: Arc<[u8]>,
        macros: Macros,
        files: Arc<dyn Files>,
        registry: &'r Registry,
    ) -> Self {
        let mut sources = SourceMap::default();
        let file = sources.add(name.to_vec(), text.clone(), None);
        let open = vec![Open { file, text, at: 0, line: 0 }];
        Self {
            files,
            registry,
            macros,
            sources,
            known: BTreeMap::new(),
            met: BTreeSet::new(),
            open,
            conditions: Vec::new(),
            included: 0,
        }
    }

    /// The next logical line.
    pub(super) fn next(&mut self) -> Result<Option<Line>, ConfigError> {
        let mut joined: Option<Line> = None;
        loop {
            let Some(Physical { file, number, source, range }) = self.physical() else {
                if !self.conditions.is_empty() {
                    self.conditions.clear();
                    return Err(self.error("Unexpected end of configuration file: .endif missing"));
                }
                return Ok(joined.and_then(finished));
            };
            let written = &source[range];
            if number == 1 && written.starts_with(BYTE_ORDER_MARK) {
                return Err(self.error("found unexpected BOM (Byte Order Mark)"));
            }
            let applied = self.macros.apply(written, self.registry);
            let whole = applied.map_err(|why| self.explain(&why))?;
            let marks = match &whole {
                Cow::Owned(_) => Some(self.macros.marks(written, self.registry)),
                Cow::Borrowed(_) => None,
            };
            self.met.extend(marks.iter().flatten().filter_map(|mark| mark.inside));
            let text = trim(&whole);
            if text.starts_with(b".") && self.directive(trim_start(&whole), marks.is_some())? {
                continue;
            }
            if text.starts_with(b"#") || !self.counts() {
                continue;
            }
            let continues = text.ends_with(b"\\");
            let text = if continues { &text[..text.len() - 1] } else { text };
            if joined.is_none() && text.is_empty() && !continues {
                continue;
            }
            let logical = joined.get_or_insert_with(|| Line {
                text: Vec::new(),
                file,
                number,
                pieces: Vec::new(),
            });
            let blank = whole.iter().take_while(|c| is_space(**c)).count();
            append(logical, text, blank, (file, number), marks.as_deref());
            // A line with nothing in it lets a backslash count that has blanks or another
            // backslash behind it.
            let uncovers = text.is_empty() && !continues && uncover(logical);
            if !continues && !uncovers {
                match joined.take().and_then(finished) {
                    Some(line) => return Ok(Some(line)),
                    None => continue,
                }
            }
        }
    }

    /// Carries a macro's definition out.
    pub(super) fn define(&mut self, line: &[u8]) -> Result<(), ConfigError> {
        match self.macros.define(line, self.registry) {
            Ok(_) => Ok(()),
            Err(why) => Err(self.explain(&why).defining()),
        }
    }

    /// A complaint about the line at hand.
    pub(super) fn error(&self, message: impl Into<Vec<u8>>) -> ConfigError {
        match self.open.last() {
            Some(open) => ConfigError::at(open.line, self.name(open.file), message),
            None => ConfigError::somewhere(message),
        }
    }

    /// How many lines the outermost file has.
    pub(super) fn count(&self) -> u32 {
        self.open.first().map_or(0, |open| {
            let text = &open.text;
            let whole = memchr::memchr_iter(b'\n', text).count();
            (whole + usize::from(text.last().is_some_and(|c| *c != b'\n'))) as u32
        })
    }

    fn name(&self, file: u32) -> &[u8] {
        self.sources.file(file).map_or(b"", |file| &file.name)
    }

    fn explain(&self, why: &MacroError) -> ConfigError {
        if why.names_line() {
            self.error(why.message())
        } else {
            ConfigError::somewhere(why.message())
        }
    }

    /// The next line of the innermost file. It ends at a zero byte.
    fn physical(&mut self) -> Option<Physical> {
        loop {
            let depth = self.open.len();
            let open = self.open.last_mut()?;
            let rest = &open.text[open.at..];
            if !rest.is_empty() {
                let start = open.at;
                let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
                open.at += end;
                open.line += 1;
                let end = memchr::memchr(0, &rest[..end]).unwrap_or(end);
                let (file, number, source) = (open.file, open.line, open.text.clone());
                return Some(Physical { file, number, source, range: start..start + end });
            }
            if depth == 1 {
                return None;
            }
            self.open.pop();
        }
    }

    fn counts(&self) -> bool {
        self.conditions.last().is_none_or(|c| c.outer && c.here)
    }

    /// Carries a directive out; false where the line is none. The line has the
    /// white space at its end.
    fn directive(&mut self, text: &[u8], found_macro: bool) -> Result<bool, ConfigError> {
        let end = text.iter().position(|c| is_space(*c)).unwrap_or(text.len());
        let (mut word, rest) = text.split_at(end);
        if let Some((conditional, behind)) = conditional(text) {
            // With anything but a space behind it, the line counts for nothing.
            if !matches!(behind, None | Some(b' ' | b'\n')) {
                return Ok(true);
            }
            word = conditional;
        }
        match word {
            b".ifdef" => self.open_condition(found_macro),
            b".ifndef" => self.open_condition(!found_macro),
            b".elifdef" => self.turn(word, found_macro)?,
            b".elifndef" => self.turn(word, !found_macro)?,
            b".else" => self.turn(word, true)?,
            b".endif" => {
                if self.conditions.pop().is_none() {
                    return Err(self.unmatched(word));
                }
            }
            b".include" | b".include_if_exists" if self.counts() => {
                self.include(trim(rest), word == b".include_if_exists")?;
            }
            b".include" | b".include_if_exists" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn open_condition(&mut self, here: bool) {
        let outer = self.counts();
        self.conditions.push(Condition { outer, here, taken: here });
    }

    fn turn(&mut self, word: &[u8], holds: bool) -> Result<(), ConfigError> {
        let Some(condition) = self.conditions.last_mut() else {
            return Err(self.unmatched(word));
        };
        condition.here = holds && !condition.taken;
        condition.taken |= condition.here;
        Ok(())
    }

    fn unmatched(&self, word: &[u8]) -> ConfigError {
        self.error([word, b" without matching .ifdef"].concat())
    }

    fn include(&mut self, name: &[u8], if_exists: bool) -> Result<(), ConfigError> {
        let name = name.strip_prefix(b"\"").and_then(|n| n.strip_suffix(b"\"")).unwrap_or(name);
        let path = if name.starts_with(b"/") {
            name.to_vec()
        } else if if_exists {
            let message = [b".include specifies a non-absolute path \"", name, b"\""].concat();
            return Err(self.error(message));
        } else {
            let base = self.open.last().map_or(b"".as_slice(), |open| self.name(open.file));
            let directory = base.iter().rposition(|c| *c == b'/').map_or(0, |n| n + 1);
            [&base[..directory], name].concat()
        };
        let known = self.known.get(&path).cloned();
        match known.map_or_else(|| contents(&*self.files, &path), Ok) {
            Ok(text) if self.takes(text.len()) => {
                let included = self.open.last().map(|open| (open.file, open.line));
                let file = self.sources.add(path, text.clone(), included);
                self.open.push(Open { file, text, at: 0, line: 0 });
                Ok(())
            }
            Err(why) if if_exists && is_missing(&why) => Ok(()),
            read => {
                let message = b"failed to open included configuration file ";
                let error = self.error([message.as_slice(), &path].concat());
                if read.is_ok() {
                    // Files that include each other would go on and on.
                    self.stop();
                }
                Err(error)
            }
        }
    }

    /// Whether one more file of this size is not too much.
    fn takes(&mut self, size: usize) -> bool {
        self.included = self.included.saturating_add(size);
        self.open.len() < DEEPEST
            && self.sources.files().len() < MOST_FILES
            && self.included <= MOST_BYTES
    }

    /// Reads no further.
    fn stop(&mut self) {
        self.open.truncate(1);
        self.open.iter_mut().for_each(|open| open.at = open.text.len());
        self.conditions.clear();
    }
}

/// The word of a condition that a line begins with, and the byte behind it.
pub(crate) fn conditional(text: &[u8]) -> Option<(&[u8], Option<u8>)> {
    const WORDS: [&[u8]; 6] =
        [b".ifdef", b".ifndef", b".elifdef", b".elifndef", b".else", b".endif"];
    let word = WORDS.into_iter().find(|word| text.starts_with(word))?;
    Some((word, text.get(word.len()).copied()))
}

/// Adds a part of a physical line, which begins after `blank` bytes of the line
/// as macros left it.
fn append(
    line: &mut Line,
    text: &[u8],
    blank: usize,
    (file, number): (u32, u32),
    marks: Option<&[Mark]>,
) {
    let at = line.text.len() as u32;
    (line.file, line.number) = (file, number);
    let place = |column, inside| Location { file, line: number, column, inside };
    match marks {
        None => line.pieces.push(Piece { at, place: place(blank as u32, None) }),
        Some(marks) => {
            let (column, inside) = Mark::find(marks, blank);
            line.pieces.push(Piece { at, place: place(column, inside) });
            let end = blank + text.len();
            let within = marks.iter().filter(|mark| (blank + 1..end).contains(&(mark.at as usize)));
            line.pieces.extend(within.map(|mark| Piece {
                at: at + mark.at - blank as u32,
                place: place(mark.column, mark.inside),
            }));
        }
    }
    line.text.extend_from_slice(text);
}

/// Takes white space and a backslash from the end of a line; whether there was one.
fn uncover(line: &mut Line) -> bool {
    let blank = line.text.iter().rev().take_while(|c| is_space(**c)).count();
    line.text.truncate(line.text.len() - blank);
    let continues = line.text.pop_if(|last| *last == b'\\').is_some();
    line.pieces.retain(|piece| piece.at as usize <= line.text.len());
    continues
}

/// A line without white space at its ends; `None` where nothing else is left.
fn finished(mut line: Line) -> Option<Line> {
    let blank = line.text.iter().take_while(|c| is_space(**c)).count();
    if blank > 0 {
        line.text.drain(..blank);
        let blank = blank as u32;
        let first = line.pieces.partition_point(|piece| piece.at <= blank).saturating_sub(1);
        line.pieces.drain(..first);
        for piece in &mut line.pieces {
            let skipped = blank.saturating_sub(piece.at);
            if piece.place.inside.is_none() {
                piece.place.column += skipped;
            }
            piece.at = piece.at.saturating_sub(blank);
        }
    }
    line.text.truncate(trim(&line.text).len());
    (!line.text.is_empty()).then_some(line)
}
