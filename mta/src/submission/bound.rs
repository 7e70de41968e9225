//! How much is read of a message from a program: what is too large is read no further than it
//! takes to know that.

/// Counts what comes. In a header, the question is asked where a line of it ends, with all that
/// continues it, which the first character of the next one shows; in a body at each character.
#[derive(Debug)]
pub(crate) struct SizeBound {
    limit: u64,
    /// How much is read of a header, though no line of it ends.
    most: u64,
    /// How much there was.
    count: u64,
    is_too_large: bool,
    line: Line,
    /// Whether a blank line ended the header.
    by_blank: bool,
    /// The last character in the header.
    last: u8,
}

/// What the line at hand is, with all that continues it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line {
    /// The first one, a part of what may be its name so far.
    First(usize),
    /// So far what may be the name of a header line.
    Name,
    /// White space behind that.
    Space,
    /// A header line.
    Header,
    /// None.
    Other,
    /// The header is over.
    Body,
}

/// What the lines begin with that name a sender before a header.
const SENDER: &[u8] = b"From ";

impl SizeBound {
    /// Nothing came yet; so long is the longest header.
    pub(crate) fn new(limit: u64, longest: u64) -> Self {
        let most = limit.saturating_add(longest);
        Self {
            limit,
            most,
            count: 0,
            is_too_large: false,
            line: Line::First(0),
            by_blank: false,
            last: 0,
        }
    }

    /// The same of what has no header.
    pub(crate) fn of_body(limit: u64) -> Self {
        Self { line: Line::Body, ..Self::new(limit, 0) }
    }

    /// How large it was found to be, if that is too much. Of what ends within a header, or with
    /// it, nobody asks.
    pub(crate) fn found(&self) -> Option<u64> {
        self.is_too_large.then_some(self.count)
    }

    /// Whether what it stopped in is text without a blank line before it.
    pub(crate) fn is_behind_text(&self) -> bool {
        !self.by_blank
    }

    /// Whether a header is too large in which nothing was read behind that.
    pub(crate) fn is_over_in_header(&self) -> bool {
        self.line != Line::Body && self.count > self.limit
    }

    /// Takes what came; how much of it is wanted, and whether that is all.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let (count, is_too_large) = self.look(bytes);
        self.is_too_large = is_too_large;
        (count, is_too_large)
    }

    fn look(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.line == Line::Body {
                let (count, is_all) = self.take_body(&bytes[at..]);
                return (at + count, is_all);
            }
            // A line ends in a newline, whatever it came with.
            if *byte == b'\r' {
                continue;
            }
            let is_begin = self.last == b'\n' || self.count == 0;
            self.last = *byte;
            let was_too_large = self.count > self.limit;
            self.count += 1;
            if self.count > self.most {
                return (at + 1, true);
            }
            if is_begin {
                if self.count > 1 && matches!(byte, b' ' | b'\t') {
                    continue;
                }
                if was_too_large {
                    return (at + 1, true);
                }
                let is_over = self.count > 1 && !matches!(self.line, Line::Header)
                    || matches!(byte, b'\n' | b' ' | b'\t');
                if is_over {
                    self.by_blank =
                        *byte == b'\n' && (self.count == 1 || self.line == Line::Header);
                    self.line = Line::Body;
                    // A blank line is between the two.
                    if *byte != b'\n' && self.count > self.limit {
                        return (at + 1, true);
                    }
                    continue;
                }
                if self.count > 1 {
                    self.line = Line::Name;
                }
            }
            self.line = self.line.with(*byte);
        }
        (bytes.len(), false)
    }

    fn take_body(&mut self, bytes: &[u8]) -> (usize, bool) {
        let room = (self.limit.saturating_add(1)).saturating_sub(self.count).max(1);
        let count = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        self.count += count as u64;
        (count, self.count > self.limit)
    }
}

impl Line {
    fn with(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::First(at), byte) if SENDER.get(at) == Some(&byte) => match at + 1 {
                at if at == SENDER.len() => Self::Header,
                at => Self::First(at),
            },
            (Self::First(_) | Self::Name | Self::Space, b':') => Self::Header,
            (Self::First(_) | Self::Name | Self::Space, b' ' | b'\t') => Self::Space,
            (Self::First(_) | Self::Name, 33..=126) => Self::Name,
            (Self::Header, _) => Self::Header,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much is read, and how large it is said to be.
    fn read(limit: u64, text: &[u8]) -> (usize, Option<u64>) {
        let read_by = |size| {
            let (mut bound, mut count) = (SizeBound::new(limit, 20), 0);
            for piece in text.chunks(size) {
                let (taken, is_all) = bound.take(piece);
                count += taken;
                if is_all {
                    break;
                }
            }
            (count, bound.found())
        };
        assert_eq!(read_by(1), read_by(100));
        read_by(3)
    }

    #[test]
    fn a_header_is_read_to_the_end_of_a_line() {
        assert_eq!(read(8, b"a: bcdef\nx: y\n\nbody"), (10, Some(10)));
        assert_eq!(read(8, b"a: bcdef\n g\nx: y\n\nbody"), (13, Some(13)));
        assert_eq!(read(8, b"a: bcdef\r\nx: y\r\n"), (11, Some(10)));
        assert_eq!(read(8, b"a: bcdef\r\n\r\nbody"), (12, Some(10)));
        assert_eq!(read(8, b"a:\nx: yz\nb: c\n"), (10, Some(10)));
        assert_eq!(read(12, b"From x y\na: bc\nd: e\n"), (16, Some(16)));
    }

    #[test]
    fn a_line_that_does_not_end_is_not_read_for_ever() {
        assert_eq!(read(3, &[b'x'; 50]), (24, Some(24)));
    }

    #[test]
    fn a_body_is_read_to_the_first_character_that_is_too_much() {
        assert_eq!(read(8, b"a: bcde\n\nbody"), (10, Some(10)));
        assert_eq!(read(9, b"a: bcde\n\nbody"), (10, Some(10)));
        assert_eq!(read(8, b"a: bcde\n\n"), (9, None));
        assert_eq!(read(8, b"a: bcde\n and more"), (17, None));
        assert_eq!(read(10, b"a: bcde\n\nbody"), (11, Some(11)));
        assert_eq!(read(13, b"a: bcde\n\nbody"), (13, None));
        assert_eq!(read(9, b"a: b\nno header\nmore\n"), (16, Some(16)));
        assert_eq!(read(17, b"a: b\nno header\nmore\n"), (18, Some(18)));
        assert_eq!(read(3, b"\nbody"), (4, Some(4)));
    }
}
