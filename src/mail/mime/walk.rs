//! Goes from part to part.

use std::fmt;
use std::io;
use std::sync::Arc;

use eximious_core::BodySource;

use super::{Lines, PartHeader};

/// How deep multiparts may stand in each other.
const MOST_DEPTH: usize = 500;
/// How long a piece of a line is that is looked at; a boundary may be nearly as long.
const PIECE: usize = 8 << 10;
/// How much of one line of a header, with those that continue it, is kept.
const MOST_LINE: usize = 64 << 10;

/// The parts of a text: it, and those that it holds, in their order.
pub(crate) struct Walk {
    source: Arc<dyn BodySource>,
    lines: Lines,
    began: bool,
    any_length: bool,
    /// The multiparts that are open, from the outside.
    levels: Vec<Level>,
}

/// A multipart.
struct Level {
    /// Two hyphens and its boundary.
    delimiter: Arc<[u8]>,
    is_coverletter: bool,
    /// Whether all of its parts are what it is (`alternative`, `related`).
    is_one: bool,
    /// Whether it had a part.
    began: bool,
}

/// A part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) header: PartHeader,
    pub(crate) is_coverletter: bool,
    pub(crate) content: PartContent,
}

/// Where the content of a part is.
#[derive(Clone)]
pub(crate) struct PartContent {
    source: Arc<dyn BodySource>,
    start: u64,
    /// What ends it.
    delimiter: Option<Arc<[u8]>>,
}

/// Why there is no next part.
#[derive(Debug)]
pub(crate) enum WalkError {
    /// The text can't be read.
    Unread(io::Error),
    /// Multiparts stand too deep in each other.
    TooDeep,
}

impl From<io::Error> for WalkError {
    fn from(why: io::Error) -> Self {
        Self::Unread(why)
    }
}

impl Walk {
    /// Of a text that begins with a header; whether encoded words in it may be of any length.
    pub(crate) fn new(source: Arc<dyn BodySource>, any_length: bool) -> Self {
        let lines = Lines::new(source.clone(), 0, PIECE);
        Self { source, lines, began: false, any_length, levels: Vec::new() }
    }

    /// The next part. A boundary counts in the innermost multipart alone, and whatever
    /// begins with it is one.
    ///
    /// # Errors
    /// As [`WalkError`] says.
    pub(crate) fn next(&mut self) -> Result<Option<Part>, WalkError> {
        if !std::mem::replace(&mut self.began, true) {
            return self.part(true, None).map(Some);
        }
        while let Some(level) = self.levels.last_mut() {
            let Some(line) = self.lines.next()? else { return Ok(None) };
            let Some(rest) = line.bytes.strip_prefix(&level.delimiter[..]) else { continue };
            if !line.begins {
                continue;
            }
            if rest.starts_with(b"--") {
                self.levels.pop();
                continue;
            }
            let first = !std::mem::replace(&mut level.began, true);
            let is_coverletter = level.is_coverletter && (level.is_one || first);
            let delimiter = level.delimiter.clone();
            self.end_line()?;
            return self.part(is_coverletter, Some(delimiter)).map(Some);
        }
        Ok(None)
    }

    fn part(
        &mut self,
        is_coverletter: bool,
        delimiter: Option<Arc<[u8]>>,
    ) -> Result<Part, WalkError> {
        let header = self.header()?;
        let start = self.lines.place();
        if header.is_multipart() && !header.boundary.is_empty() {
            if self.levels.len() >= MOST_DEPTH {
                return Err(WalkError::TooDeep);
            }
            self.levels.push(Level {
                delimiter: [b"--", &header.boundary[..]].concat().into(),
                is_coverletter,
                is_one: matches!(&header.kind[..], b"multipart/alternative" | b"multipart/related"),
                began: false,
            });
        }
        let content = PartContent { source: self.source.clone(), start, delimiter };
        Ok(Part { header, is_coverletter, content })
    }

    /// Leaves out what is left of a line.
    fn end_line(&mut self) -> io::Result<()> {
        while self.lines.is_inside() {
            self.lines.next()?;
        }
        Ok(())
    }

    /// The header of a part, up to an empty line, which may have control characters in it. A
    /// line of it counts where another follows.
    fn header(&mut self) -> io::Result<PartHeader> {
        let mut header = PartHeader::new(self.any_length);
        let mut whole = Vec::new();
        while let Some(line) = self.lines.next()? {
            let bytes = line.bytes;
            if line.begins {
                let continues = matches!(bytes[0], b' ' | b'\t');
                if !continues {
                    header.take(&whole);
                    whole.clear();
                }
                if !continues && bytes.iter().all(|byte| *byte <= b' ') {
                    break;
                }
            }
            let room = MOST_LINE.saturating_sub(whole.len()).min(bytes.len());
            whole.extend_from_slice(&bytes[..room]);
        }
        Ok(header)
    }
}

impl PartContent {
    /// Reads it as it is, in lines or pieces of them; stops where that is not wanted any
    /// more.
    ///
    /// # Errors
    /// What the reader fails with.
    pub(crate) fn read<E: From<io::Error>>(
        &self,
        longest: usize,
        mut reader: impl FnMut(&[u8]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut lines = Lines::new(self.source.clone(), self.start, longest);
        while let Some(line) = lines.next()? {
            let ends = |delimiter: &Arc<[u8]>| line.bytes.starts_with(delimiter);
            let ended = line.begins && self.delimiter.as_ref().is_some_and(ends);
            if ended || !reader(line.bytes)? {
                break;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for PartContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} on", self.start)
    }
}
