//! Logical lines: what is left after macros, conditions, inclusions, comments
//! and continuations (specification 6.2, 6.3, 6.10).

use std::sync::Arc;

use eximious_core::Registry;
use eximious_core::world::Files;
use eximious_grammar::is_space;

use super::ConfigError;
use crate::Macros;
use crate::macros::{MacroError, trim};

/// How large a configuration file may be.
pub(super) const LARGEST_FILE: u64 = 64 << 20;
/// How deep files may include each other.
const DEEPEST: usize = 64;

/// Reads logical lines.
pub(super) struct Lines<'r> {
    files: Arc<dyn Files>,
    registry: &'r Registry,
    macros: Macros,
    /// The files being read, the innermost last.
    open: Vec<Source>,
    conditions: Vec<Condition>,
}

struct Source {
    name: Vec<u8>,
    text: Arc<[u8]>,
    at: usize,
    line: u32,
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
        let open = vec![Source { name: name.to_vec(), text, at: 0, line: 0 }];
        Self { files, registry, macros, open, conditions: Vec::new() }
    }

    /// The next logical line; never empty.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, ConfigError> {
        let mut joined: Option<Vec<u8>> = None;
        loop {
            let Some(line) = self.physical() else {
                if !self.conditions.is_empty() {
                    return Err(self.error("Unexpected end of configuration file: .endif missing"));
                }
                return Ok(joined.filter(|line| !line.is_empty()));
            };
            let applied = self.macros.apply(&line, self.registry);
            let text = applied.map_err(|why| self.explain(&why))?;
            let found_macro = matches!(text, std::borrow::Cow::Owned(_));
            let text = trim(&text);
            if text.starts_with(b".") && self.directive(text, found_macro)? {
                continue;
            }
            if text.starts_with(b"#") || !self.counts() {
                continue;
            }
            let continues = text.ends_with(b"\\");
            let text = if continues { &text[..text.len() - 1] } else { text };
            match &mut joined {
                Some(whole) => whole.extend_from_slice(text),
                None if text.is_empty() && !continues => continue,
                None => joined = Some(text.to_vec()),
            }
            if let Some(whole) = &joined
                && !continues
            {
                let whole = trim(whole);
                if !whole.is_empty() {
                    return Ok(Some(whole.to_vec()));
                }
                joined = None;
            }
        }
    }

    /// Carries a macro's definition out.
    pub(super) fn define(&mut self, line: &[u8]) -> Result<(), ConfigError> {
        match self.macros.define(line, self.registry) {
            Ok(_) => Ok(()),
            Err(why) => Err(self.explain(&why)),
        }
    }

    /// A complaint about the line at hand.
    pub(super) fn error(&self, message: impl Into<Vec<u8>>) -> ConfigError {
        match self.open.last() {
            Some(source) => ConfigError::at(source.line, &source.name, message),
            None => ConfigError::somewhere(message),
        }
    }

    /// The macros, and how many lines the outermost file has.
    pub(super) fn finish(self) -> (Macros, u32) {
        let lines = self.open.first().map_or(0, |source| {
            let text = &source.text;
            let whole = memchr::memchr_iter(b'\n', text).count();
            (whole + usize::from(text.last().is_some_and(|c| *c != b'\n'))) as u32
        });
        (self.macros, lines)
    }

    fn explain(&self, why: &MacroError) -> ConfigError {
        if why.names_line() {
            self.error(why.message())
        } else {
            ConfigError::somewhere(why.message())
        }
    }

    /// The next line of the innermost file; it ends at a zero byte.
    fn physical(&mut self) -> Option<Vec<u8>> {
        loop {
            let depth = self.open.len();
            let source = self.open.last_mut()?;
            let rest = &source.text[source.at..];
            if !rest.is_empty() {
                let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
                source.at += end;
                source.line += 1;
                let line = &rest[..end];
                let line = &line[..memchr::memchr(0, line).unwrap_or(line.len())];
                return Some(line.to_vec());
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

    /// Carries a directive out; false where the line is none.
    fn directive(&mut self, text: &[u8], found_macro: bool) -> Result<bool, ConfigError> {
        let end = text.iter().position(|c| is_space(*c)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
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
            let base = self.open.last().map_or(b"".as_slice(), |s| s.name.as_slice());
            let directory = base.iter().rposition(|c| *c == b'/').map_or(0, |n| n + 1);
            [&base[..directory], name].concat()
        };
        match self.files.read(&path, LARGEST_FILE) {
            Ok(text) if self.open.len() < DEEPEST => {
                self.open.push(Source { name: path, text, at: 0, line: 0 });
                Ok(())
            }
            Err(why) if if_exists && why.kind() == std::io::ErrorKind::NotFound => Ok(()),
            _ => {
                let message = b"failed to open included configuration file ";
                Err(self.error([message.as_slice(), &path].concat()))
            }
        }
    }
}
