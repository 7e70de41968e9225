//! Lines that end as their sender pleased, with newlines for the ends; as they come in,
//! a piece at a time.

/// What a text in pieces becomes.
#[derive(Debug)]
pub(crate) enum LineEnds {
    /// What comes by SMTP.
    Smtp(Newlines),
    /// What a program brings.
    Program(Returns),
    /// What is kept as it came.
    Wire,
}

/// A body that comes by SMTP, as it is kept: each line ends in a newline. Where the first line
/// of the message came with CRLF, a newline alone ends no line of what DATA brings: it is a
/// space. A carriage return alone does end a line.
#[derive(Debug, Default)]
pub(crate) struct Newlines {
    /// Whether the first line of the message came with CRLF.
    crlf: bool,
    /// Whether BDAT brings it, where a newline alone ends a line.
    in_chunks: bool,
    /// Whether a carriage return came last, which what follows gives its meaning.
    returned: bool,
    /// How long the line at hand is, and the longest before it.
    line: u64,
    longest: u64,
    /// Whether what comes next does not count for its line's length: it stands behind a
    /// carriage return alone.
    uncounted: bool,
}

/// Each carriage return is an end of a line, with the newline behind it if there is one.
#[derive(Debug, Default)]
pub(crate) struct Returns {
    /// Whether a carriage return came last.
    pending: bool,
}

impl LineEnds {
    /// Takes a piece.
    pub(crate) fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Smtp(ends) => ends.push(text, out),
            Self::Program(ends) => ends.push(text, out),
            Self::Wire => out.extend_from_slice(text),
        }
    }

    /// Whether each CRLF to come ends a line, and becomes a newline.
    pub(crate) fn takes_whole_lines(&self) -> bool {
        matches!(self, Self::Smtp(ends) if ends.crlf && !ends.returned && !ends.uncounted)
    }

    /// How long the longest line was as it came, where that is another one than it is kept.
    pub(crate) fn longest(&self) -> Option<u64> {
        match self {
            Self::Smtp(ends) => Some(ends.longest),
            Self::Program(_) | Self::Wire => None,
        }
    }

    /// Nothing more comes.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Smtp(ends) => ends.finish(out),
            Self::Program(ends) => ends.finish(out),
            Self::Wire => {}
        }
    }
}

impl Newlines {
    /// For what DATA brings behind a header, whose first line came with CRLF or did not.
    pub(crate) fn new(crlf: bool) -> Self {
        Self { crlf, ..Self::default() }
    }

    /// The same, for what BDAT brings.
    pub(crate) fn of_chunks(crlf: bool) -> Self {
        Self { in_chunks: true, ..Self::new(crlf) }
    }

    /// All of a body at once, and how long its longest line was. Its last line ends, too.
    pub(crate) fn all(mut self, text: &[u8]) -> (Vec<u8>, u64) {
        let mut out = Vec::with_capacity(text.len() + 1);
        self.push(text, &mut out);
        self.finish(&mut out);
        if out.last().is_some_and(|last| *last != b'\n') {
            self.end_line(&mut out);
        }
        (out, self.longest)
    }

    /// Takes a piece.
    pub(crate) fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        if self.returned
            && let Some(next) = rest.first()
        {
            self.returned = false;
            rest = self.end_at_return(*next, rest, out);
        }
        out.reserve(rest.len());
        while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
            self.put(&rest[..at], out);
            let is_return = rest[at] == b'\r';
            rest = &rest[at + 1..];
            match rest.first() {
                None if is_return => {
                    self.returned = true;
                    return;
                }
                Some(next) if is_return => rest = self.end_at_return(*next, rest, out),
                _ if self.crlf && !self.in_chunks => self.put(b" ", out),
                _ => self.end_line(out),
            }
        }
        self.put(rest, out);
    }

    /// Nothing more comes.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.returned) {
            self.end_line(out);
        }
    }

    /// A carriage return came, and then the rest, which begins with `next`: what there is of it
    /// behind the end of the line.
    fn end_at_return<'r>(&mut self, next: u8, rest: &'r [u8], out: &mut Vec<u8>) -> &'r [u8] {
        self.end_line(out);
        if next == b'\n' {
            return &rest[1..];
        }
        self.uncounted = true;
        rest
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        out.push(b'\n');
        self.longest = self.longest.max(self.line);
        (self.line, self.uncounted) = (0, false);
    }

    fn put(&mut self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(text);
        if !text.is_empty() {
            self.line += text.len() as u64 - u64::from(std::mem::take(&mut self.uncounted));
        }
    }
}

impl Returns {
    /// Takes a piece.
    pub(crate) fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        if std::mem::take(&mut self.pending) && !rest.is_empty() {
            out.push(b'\n');
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(at) = memchr::memchr(b'\r', rest) {
            out.extend_from_slice(&rest[..at]);
            rest = &rest[at + 1..];
            if rest.is_empty() {
                self.pending = true;
                return;
            }
            out.push(b'\n');
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        out.extend_from_slice(rest);
    }

    /// Nothing more comes.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.pending) {
            out.push(b'\n');
        }
    }
}

/// A text whose lines end as they please, with newlines for the ends.
pub(crate) fn without_returns(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut ends = Returns::default();
    ends.push(text, &mut out);
    ends.finish(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All texts of these bytes up to a length.
    fn texts(length: usize) -> Vec<Vec<u8>> {
        let mut all = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..length {
            let longer = last.iter().flat_map(|text: &Vec<u8>| {
                b"a \r\n".iter().map(|byte| [&text[..], &[*byte]].concat())
            });
            last = longer.collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    #[test]
    fn what_follows_a_return_alone_does_not_count_for_its_line() {
        let text = b"abc\rdefgh\n\r\rij\r\n";
        let with_space = (b"abc\ndefgh \n\nij\n".to_vec(), 5);
        let with_newline = (b"abc\ndefgh\n\n\nij\n".to_vec(), 4);
        assert_eq!(Newlines::new(true).all(text), with_space);
        assert_eq!(Newlines::new(false).all(text), with_newline);
        assert_eq!(Newlines::of_chunks(true).all(text), with_newline);
    }

    #[test]
    fn pieces_come_to_the_same_as_the_whole() {
        for text in texts(6) {
            let (newlines, longest) = Newlines::new(true).all(&text);
            let (mut one, mut other) = (Vec::new(), Vec::new());
            let mut ends =
                [LineEnds::Smtp(Newlines::new(true)), LineEnds::Program(Returns::default())];
            for byte in &text {
                ends[0].push(&[*byte], &mut one);
                ends[1].push(&[*byte], &mut other);
            }
            ends[0].finish(&mut one);
            if one.last().is_some_and(|last| *last != b'\n') {
                ends[0].push(b"\r\n", &mut one);
            }
            ends[1].finish(&mut other);
            let shown = text.escape_ascii();
            assert_eq!((one, ends[0].longest()), (newlines, Some(longest)), "{shown}");
            let whole = String::from_utf8(text.clone()).unwrap();
            let returns = whole.replace("\r\n", "\n").replace('\r', "\n");
            assert_eq!(without_returns(&text), returns.as_bytes(), "{shown}");
            assert_eq!(other, returns.as_bytes(), "{shown}");
        }
    }
}
