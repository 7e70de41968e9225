//! Lines of a text that is kept somewhere.

use std::io;
use std::sync::Arc;

use eximious_core::BodySource;

/// How much is read at once.
const WINDOW: usize = 64 << 10;

/// Reads lines, each with its end; a long one comes in pieces.
pub(crate) struct Lines {
    source: Arc<dyn BodySource>,
    /// What is read, and is not given out yet from a place on.
    window: Vec<u8>,
    from: usize,
    /// Where the window ends.
    end: u64,
    ended: bool,
    /// How long a piece may be.
    longest: usize,
    inside: bool,
}

/// A line, or a piece of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Line<'l> {
    /// Its bytes, the newline included.
    pub(crate) bytes: &'l [u8],
    /// Whether a line begins here.
    pub(crate) begins: bool,
}

impl Lines {
    /// From a place on, in pieces of up to so many bytes, of which there are some.
    pub(crate) fn new(source: Arc<dyn BodySource>, at: u64, longest: usize) -> Self {
        let longest = longest.clamp(1, WINDOW);
        Self { source, window: Vec::new(), from: 0, end: at, ended: false, longest, inside: false }
    }

    /// Where the next line begins.
    pub(crate) fn place(&self) -> u64 {
        self.end - (self.window.len() - self.from) as u64
    }

    /// Whether a line has begun, and not ended.
    pub(crate) fn is_inside(&self) -> bool {
        self.inside && !(self.ended && self.from == self.window.len())
    }

    /// The next line, or the next piece of one; nothing at the end of the text.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let length = loop {
            let rest = &self.window[self.from..];
            let piece = &rest[..rest.len().min(self.longest)];
            match memchr::memchr(b'\n', piece) {
                Some(end) => break end + 1,
                None if piece.len() == self.longest || self.ended => break piece.len(),
                None => self.fill()?,
            }
        };
        if length == 0 {
            return Ok(None);
        }
        let bytes = &self.window[self.from..self.from + length];
        self.from += length;
        let begins = !self.inside;
        self.inside = bytes.last() != Some(&b'\n');
        Ok(Some(Line { bytes, begins }))
    }

    fn fill(&mut self) -> io::Result<()> {
        self.window.drain(..self.from);
        self.from = 0;
        let held = self.window.len();
        self.window.resize(held + WINDOW, 0);
        let read = self.source.read_at(self.end, &mut self.window[held..]);
        let count = read.as_ref().map_or(0, |count| *count);
        self.window.truncate(held + count);
        self.end += count as u64;
        self.ended = read? == 0;
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) struct Text(pub(in super::super) Vec<u8>);

    impl BodySource for Text {
        fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
            // A piece at a time, as a slow disk might.
            let rest = &self.0[usize::try_from(at).unwrap().min(self.0.len())..];
            let count = rest.len().min(into.len()).min(7);
            into[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        }
    }

    #[test]
    fn lines_come_with_their_ends_and_long_ones_in_pieces() {
        let text = b"one\n\nthe third line\nlast";
        let mut lines = Lines::new(Arc::new(Text(text.to_vec())), 0, 10);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push((line.bytes.to_vec(), line.begins));
        }
        let expected: [(&[u8], bool); 5] = [
            (b"one\n", true),
            (b"\n", true),
            (b"the third ", true),
            (b"line\n", false),
            (b"last", true),
        ];
        let found: Vec<(&[u8], bool)> = found.iter().map(|(b, begins)| (&b[..], *begins)).collect();
        assert_eq!(found, expected);
        assert_eq!(lines.place(), text.len() as u64);
        let mut lines = Lines::new(Arc::new(Text(text.to_vec())), 5, 10);
        assert_eq!(lines.next().unwrap().unwrap().bytes, b"the third ");
        assert_eq!(lines.place(), 15);
    }
}
