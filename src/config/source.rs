//! Where each byte of a logical line comes from.

use std::sync::{Arc, OnceLock};

/// The files that a configuration was read from, in the order in which they
/// were opened.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

/// A file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its name, as it was opened.
    pub name: Vec<u8>,
    /// What it says.
    pub text: Arc<[u8]>,
    /// The file and the line that include it; `None` for the outermost.
    pub included: Option<(u32, u32)>,
    /// Where each line begins, once somebody has asked for one.
    starts: OnceLock<Vec<u32>>,
}

/// A place in a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Location {
    /// The file's number in the [`SourceMap`].
    pub file: u32,
    /// The line, from 1.
    pub line: u32,
    /// The byte in the line, from 0.
    pub column: u32,
    /// The number of the macro whose text it is (in the order of definition);
    /// the place is then that of the macro's name.
    pub inside: Option<u32>,
}

/// A logical line: macros replaced, continuations joined, no white space at its
/// ends, never empty.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it says.
    pub text: Vec<u8>,
    /// The file in which it ends.
    pub file: u32,
    /// The physical line with which it ends: the one that Exim names.
    pub number: u32,
    pub(super) pieces: Vec<Piece>,
}

/// A part of a logical line that stands in one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Where it begins in the logical line.
    pub(super) at: u32,
    /// Where its first byte stands.
    pub(super) place: Location,
}

/// A part of a physical line whose macros were replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    /// Where it begins in the new text.
    pub(crate) at: u32,
    /// Where that was in the line as written.
    pub(crate) column: u32,
    /// The number of the macro whose text it is.
    pub(crate) inside: Option<u32>,
}

impl SourceMap {
    /// A file, by number.
    pub fn file(&self, number: u32) -> Option<&SourceFile> {
        self.files.get(number as usize)
    }
    /// All files.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }
    /// A line of a file, without its end; `None` where there is none such.
    pub fn line(&self, location: Location) -> Option<&[u8]> {
        let line = self.file(location.file)?.line(location.line)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    pub(super) fn add(
        &mut self,
        name: Vec<u8>,
        text: Arc<[u8]>,
        included: Option<(u32, u32)>,
    ) -> u32 {
        self.files.push(SourceFile { name, text, included, starts: OnceLock::new() });
        (self.files.len() - 1) as u32
    }
}

impl SourceFile {
    /// A line, from 1, without the sign that ends it.
    pub fn line(&self, number: u32) -> Option<&[u8]> {
        self.text.get(self.range(number)?)
    }

    /// Where a line stands in the text, from 1, without the sign that ends it.
    pub(super) fn range(&self, number: u32) -> Option<std::ops::Range<usize>> {
        let starts = self.starts.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', &self.text).map(|end| end as u32 + 1);
            std::iter::once(0).chain(ends).collect()
        });
        let index = number.checked_sub(1)? as usize;
        let from = *starts.get(index)? as usize;
        let to = starts.get(index + 1).map_or(self.text.len(), |next| *next as usize - 1);
        Some(from..to)
    }
}

impl Line {
    /// Where a byte of the line stands.
    pub fn place(&self, offset: usize) -> Location {
        let offset = offset as u32;
        let index = self.pieces.partition_point(|piece| piece.at <= offset);
        let Some(piece) = index.checked_sub(1).and_then(|index| self.pieces.get(index)) else {
            return Location { file: self.file, line: self.number, column: 0, inside: None };
        };
        let mut place = piece.place;
        if place.inside.is_none() {
            place.column += offset - piece.at;
        }
        place
    }
}

impl Line {
    /// The places of the macros that were replaced in it.
    pub(crate) fn replaced(&self) -> impl Iterator<Item = Location> {
        self.pieces.iter().map(|piece| piece.place).filter(|place| place.inside.is_some())
    }
}

impl Mark {
    /// The parts of a line as long as nothing was replaced in it.
    pub(crate) fn whole() -> Vec<Self> {
        vec![Self { at: 0, column: 0, inside: None }]
    }

    /// Where a byte of the new text was, and in which macro.
    pub(crate) fn find(marks: &[Self], at: usize) -> (u32, Option<u32>) {
        let index = marks.partition_point(|mark| mark.at as usize <= at);
        match index.checked_sub(1).map(|index| marks[index]) {
            Some(Mark { column, inside: inside @ Some(_), .. }) => (column, inside),
            Some(mark) => (mark.column + (at as u32 - mark.at), None),
            None => (at as u32, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_a_file() {
        let mut sources = SourceMap::default();
        sources.add(b"/x".to_vec(), b"a\n\nbc\r\nd".as_slice().into(), None);
        let line = |line| sources.line(Location { file: 0, line, column: 0, inside: None });
        assert_eq!((1..=4).filter_map(line).collect::<Vec<_>>(), [&b"a"[..], b"", b"bc", b"d"]);
        assert_eq!((line(0), line(5)), (None, None));
    }

    #[test]
    fn bytes_are_found_again() {
        let place = |line, column, inside| Location { file: 0, line, column, inside };
        let line = Line {
            text: b"abXYcd".to_vec(),
            file: 0,
            number: 3,
            pieces: vec![
                Piece { at: 0, place: place(1, 4, None) },
                Piece { at: 2, place: place(1, 6, Some(0)) },
                Piece { at: 4, place: place(3, 2, None) },
            ],
        };
        assert_eq!(line.place(1), place(1, 5, None));
        assert_eq!(line.place(3), place(1, 6, Some(0)));
        assert_eq!(line.place(5), place(3, 3, None));
    }
}
