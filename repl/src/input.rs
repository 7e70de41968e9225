//! Logical lines of what is typed or piped.

use std::io::{self, Read};
use std::ops::Range;

use eximious::grammar::is_space;
use eximious::grammar::scan::find_byte;

/// Exim reads this many bytes of a line at the most, the newline included. What
/// is left of a longer one counts as the next line.
const LONGEST: usize = 1023;
/// How long a line may be that was typed at a terminal, or pasted there.
const LONGEST_TYPED: usize = 16 << 20;
/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// All of the standard input, up to a number of bytes.
///
/// # Errors
/// It can't be read, or is longer.
pub fn all(most: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    io::stdin().lock().take(most + 1).read_to_end(&mut text)?;
    match text.len() as u64 > most {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, "File too large")),
        false => Ok(text),
    }
}

/// Reads logical lines: white space at the end of a line is dropped, a
/// backslash after that joins the next line, whose leading white space is
/// dropped too. A zero byte ends a line.
pub struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    longest: usize,
    /// Whether a zero byte came since the buffer was empty.
    zeros: bool,
    joined: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub fn new(source: R) -> Self {
        let buffer = vec![0; CHUNK];
        let joined = Vec::new();
        let (start, end, ended, zeros) = (0, 0, false, false);
        Self { source, buffer, start, end, ended, longest: LONGEST, zeros, joined }
    }

    /// The same, without the limit that Exim has where nobody edits lines.
    pub fn unlimited(source: R) -> Self {
        Self { longest: LONGEST_TYPED, ..Self::new(source) }
    }

    /// How many bytes are read, and in no line yet.
    pub fn ready(&self) -> usize {
        self.end - self.start
    }

    /// The next logical line. `wait` is called before the source is read,
    /// which may take its time: whoever waits for an answer gets it first.
    pub fn next(&mut self, wait: &mut dyn FnMut() -> io::Result<()>) -> io::Result<Option<&[u8]>> {
        let range = match self.whole() {
            Some(range) => range,
            None => match self.physical(wait)? {
                Some(range) => range,
                None => return Ok(None),
            },
        };
        let (range, continues) = self.cut(range);
        if !continues {
            return Ok(Some(&self.buffer[range]));
        }
        self.joined.clear();
        self.joined.extend_from_slice(&self.buffer[range]);
        while let Some(range) = self.physical(wait)? {
            let (range, continues) = self.cut(range);
            let line = &self.buffer[range];
            let blank = line.iter().take_while(|c| is_space(**c)).count();
            self.joined.extend_from_slice(&line[blank..]);
            if !continues {
                break;
            }
        }
        Ok(Some(&self.joined))
    }

    /// A physical line, as far as its zero byte and without white space at its
    /// end; and whether it ended in a backslash, which is left out.
    fn cut(&self, range: Range<usize>) -> (Range<usize>, bool) {
        let line = &self.buffer[range.clone()];
        let zero = if self.zeros { memchr::memchr(0, line) } else { None };
        let mut length = zero.unwrap_or(line.len());
        while length > 0 && is_space(line[length - 1]) {
            length -= 1;
        }
        let continues = length > 0 && line[length - 1] == b'\\';
        let end = range.start + length - usize::from(continues);
        (range.start..end, continues)
    }

    /// A physical line that is read already, with its end.
    #[inline(always)]
    fn whole(&mut self) -> Option<Range<usize>> {
        let start = self.start;
        let most = self.end.min(start + self.longest);
        let end = start + find_byte(self.buffer.get(start..most)?, b'\n')? + 1;
        self.start = end;
        Some(start..end)
    }

    fn physical(
        &mut self,
        wait: &mut dyn FnMut() -> io::Result<()>,
    ) -> io::Result<Option<Range<usize>>> {
        let mut searched = 0;
        loop {
            let most = self.end.min(self.start + self.longest);
            let found = find_byte(&self.buffer[self.start + searched..most], b'\n');
            let length = match found {
                Some(at) => searched + at + 1,
                None if most - self.start == self.longest => self.longest,
                None if self.ended => most - self.start,
                None => {
                    searched = most - self.start;
                    self.fill(wait)?;
                    continue;
                }
            };
            if length == 0 {
                return Ok(None);
            }
            let range = self.start..self.start + length;
            self.start += length;
            return Ok(Some(range));
        }
    }

    fn fill(&mut self, wait: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.zeros &= self.end > 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        wait()?;
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    let new = &self.buffer[self.end..self.end + count];
                    self.zeros |= memchr::memchr(0, new).is_some();
                    self.end += count;
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                Err(why) => return Err(why),
            }
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(text);
        let mut all = Vec::new();
        while let Some(line) = lines.next(&mut || Ok(())).unwrap() {
            all.push(String::from_utf8_lossy(line).into_owned());
        }
        all
    }

    #[test]
    fn backslashes_join_lines() {
        assert_eq!(lines(b"a  \\ \r\n   b\nc"), ["a  b", "c"]);
        assert_eq!(lines(b"a\\\n\nb\\"), ["a", "b"]);
        assert_eq!(lines(b"a\\\\\nb\n"), ["a\\b"]);
        assert_eq!(lines(b"\\"), [""]);
    }

    #[test]
    fn white_space_goes_at_the_end_only() {
        assert_eq!(lines(b" a \t\x0b\n\n  \n"), [" a", "", ""]);
    }

    #[test]
    fn a_zero_byte_ends_a_line() {
        assert_eq!(lines(b"a \0b\\\n\0\nc"), ["a", "", "c"]);
        assert_eq!(lines(b"a\\\0\nc"), ["ac"]);
    }

    #[test]
    fn long_lines_come_in_pieces() {
        let long = [vec![b'a'; 3000], b"\nb".to_vec()].concat();
        let lengths: Vec<usize> = lines(&long).iter().map(String::len).collect();
        assert_eq!(lengths, [1023, 1023, 954, 1]);
        let many = b"0123456789\n".repeat(20_000);
        assert_eq!(lines(&many).len(), 20_000);
        assert!(lines(&many).iter().all(|line| line == "0123456789"));
    }
}
