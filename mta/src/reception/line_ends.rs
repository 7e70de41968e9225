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

/// A message as it is kept: each line ends in a newline. Where the first one came with
/// CRLF, a newline alone ends no line: in the header it is the beginning of a
/// continuation, in the body that DATA brings a space. A carriage return alone does end a
/// line, but no header line.
#[derive(Debug, Default)]
pub(crate) struct Newlines {
    /// Whether the first line came with CRLF, once it has come.
    strict: Option<bool>,
    /// Whether lines `From …` may come before the header.
    drops_from: bool,
    /// Whether a newline alone ends a line of the body, as where BDAT brings it.
    in_chunks: bool,
    in_body: bool,
    /// The line of the header at hand, with its continuations.
    line: HeaderLine,
    /// Whether an end of a line came last.
    at_start: bool,
    /// A carriage return or newline at the end of what came, which what follows gives its
    /// meaning.
    pending: Option<u8>,
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
        matches!(self, Self::Smtp(ends) if ends.is_in_strict_body())
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
    /// For a message before whose header lines `From …` are dropped, or are not.
    pub(crate) fn new(drops_from: bool) -> Self {
        Self { drops_from, ..Self::default() }
    }

    /// The same, for what BDAT brings.
    pub(crate) fn of_chunks(drops_from: bool) -> Self {
        Self { in_chunks: true, ..Self::new(drops_from) }
    }

    /// All of a message at once.
    pub(crate) fn all(mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        self.push(text, &mut out);
        self.finish(&mut out);
        out
    }

    /// Takes a piece.
    pub(crate) fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        while let Some(next) = rest.first() {
            if self.is_in_strict_body() {
                return self.push_body(rest, out);
            }
            if let Some(end) = self.pending.take() {
                let taken = self.end(end, Some(*next), out);
                rest = &rest[usize::from(taken)..];
                continue;
            }
            let plain = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            if plain > 0 {
                self.begin(rest[0]);
                self.put(&rest[..plain], out);
            }
            self.pending = rest.get(plain).copied();
            rest = rest.get(plain + 1..).unwrap_or_default();
        }
    }

    /// Whether this is the body of a message whose lines end in CRLF, and nothing is open.
    fn is_in_strict_body(&self) -> bool {
        self.in_body && self.pending.is_none() && self.strict == Some(true)
    }

    /// Takes a piece of the body of a message whose lines end in CRLF.
    fn push_body(&mut self, text: &[u8], out: &mut Vec<u8>) {
        out.reserve(text.len());
        let mut rest = text;
        while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
            let (line, next) = (&rest[..at], rest.get(at + 1));
            let is_return = rest[at] == b'\r';
            out.extend_from_slice(line);
            if is_return && next.is_none() {
                self.pending = Some(b'\r');
                return;
            }
            out.push(if is_return { b'\n' } else { self.newline_alone() });
            rest = &rest[at + 1 + usize::from(is_return && next == Some(&b'\n'))..];
        }
        out.extend_from_slice(rest);
    }

    /// Nothing more comes.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(end) = self.pending.take() {
            self.end(end, None, out);
        }
    }

    /// Takes a carriage return or a newline; whether the byte behind it went with it.
    fn end(&mut self, end: u8, next: Option<u8>, out: &mut Vec<u8>) -> bool {
        let whole = end == b'\r' && next == Some(b'\n');
        let strict = match whole || end == b'\n' {
            true => *self.strict.get_or_insert(whole),
            false => true,
        };
        let blank = self.is_blank();
        if whole || !strict {
            self.in_body |= blank;
            self.put(b"\n", out);
            self.at_start = true;
            return whole;
        }
        self.begin(end);
        if self.in_body {
            out.push(if end == b'\n' { self.newline_alone() } else { b'\n' });
        } else if blank && end == b'\n' {
            // The header ends here, and what follows is on this line still.
            self.in_body = true;
            out.extend_from_slice(b"\n ");
        } else {
            if blank {
                // What begins so is no header line: the header ends before it.
                out.push(b'\n');
            }
            self.put(b"\n ", out);
        }
        false
    }

    /// What a newline alone is in the body.
    fn newline_alone(&self) -> u8 {
        if self.in_chunks { b'\n' } else { b' ' }
    }

    /// Whether the line at hand has nothing in it yet.
    fn is_blank(&self) -> bool {
        self.at_start || self.line.kind == LineKind::Begun
    }

    /// A byte comes that ends no line: at the start of one it says whether the line before
    /// goes on.
    fn begin(&mut self, first: u8) {
        if std::mem::take(&mut self.at_start) && !self.in_body && !matches!(first, b' ' | b'\t') {
            match self.line.kind {
                LineKind::Begun => {}
                LineKind::Field => self.drops_from = false,
                _ => self.in_body = !(self.drops_from && self.line.is_from()),
            }
            self.line = HeaderLine::default();
        }
    }

    fn put(&mut self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(text);
        if !self.in_body {
            self.line.see(text);
        }
    }
}

/// What a line of a header begins with, as long as it may be none.
const FROM: &[u8] = b"From ";

/// What has come of a line of a header.
#[derive(Clone, Copy, Debug, Default)]
struct HeaderLine {
    kind: LineKind,
    /// How much of `From ` it begins with, up to where it differs.
    from: usize,
}

/// What can be said of a line of a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum LineKind {
    /// Nothing of it has come.
    #[default]
    Begun,
    /// Only visible characters, of which there is no colon.
    Name,
    /// White space behind such.
    Gap,
    /// A name and a colon.
    Field,
    /// Something else.
    Stray,
}

impl HeaderLine {
    /// More of it has come.
    fn see(&mut self, text: &[u8]) {
        use LineKind::{Begun, Field, Gap, Name, Stray};
        for byte in text {
            if matches!(self.kind, Field | Stray) {
                return;
            }
            if self.from < FROM.len() {
                self.from = if FROM[self.from] == *byte { self.from + 1 } else { usize::MAX };
            }
            self.kind = match (self.kind, byte) {
                (_, b':') => Field,
                (Begun | Name, b'!'..=b'~' | 0x80..) => Name,
                (Name | Gap, b'\t'..=b'\r' | b' ') => Gap,
                _ => Stray,
            };
        }
    }

    /// Whether it begins with `From `.
    fn is_from(&self) -> bool {
        self.from == FROM.len()
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
    fn a_header_ends_only_where_it_does_in_exim() {
        // What Exim 4.98.2 keeps of each.
        for (text, kept) in [
            ("F: x\r\nG: y\rZ: 1\r\n\r\nb", "F: x\nG: y\n Z: 1\n\nb"),
            ("F: x\r\nG: y\r\r\nZ: 1\r\n\r\nb", "F: x\nG: y\n \nZ: 1\n\nb"),
            ("F: x\r\nG: y\r\r Z: 1\r\n\r\nb", "F: x\nG: y\n \n  Z: 1\n\nb"),
            ("F: x\r\nG: y\n\nZ: 1\r\n\r\nb", "F: x\nG: y\n \n Z: 1\n\nb"),
            ("F: x\r\n\nZ: 1\r\n\r\nb", "F: x\n\n Z: 1\n\nb"),
            ("F: x\nG: y\rZ: 1\n\nb", "F: x\nG: y\n Z: 1\n\nb"),
            // A line that begins so is no header line.
            ("F: x\r\n\rZ: 1\r\n\r\nb", "F: x\n\n\n Z: 1\n\nb"),
            // Nor is this one; what comes behind it is the body.
            ("F: x\r\nG\r\nZ\r1\n2", "F: x\nG\nZ\n1 2"),
            ("F: x\r\nG\r\n Z\r1\n2\r\nH: y\rz", "F: x\nG\n Z\n 1\n 2\nH: y\nz"),
        ] {
            let found = Newlines::new(false).all(text.as_bytes());
            assert_eq!(found.escape_ascii().to_string(), kept.escape_default().to_string());
        }
        let text = b"F: x\r\nG: y\nz\r\n\r\na\nb\rc";
        assert_eq!(Newlines::new(false).all(text), b"F: x\nG: y\n z\n\na b\nc");
        assert_eq!(Newlines::of_chunks(false).all(text), b"F: x\nG: y\n z\n\na\nb\nc");
        let text = b"From a\r\nF: x\ry\r\n\r\nb";
        assert_eq!(Newlines::new(true).all(text), b"From a\nF: x\n y\n\nb");
        assert_eq!(Newlines::new(false).all(text), b"From a\nF: x\ny\n\nb");
    }

    #[test]
    fn pieces_come_to_the_same_as_the_whole() {
        for text in texts(6) {
            let newlines = Newlines::new(false).all(&text);
            let (mut one, mut other) = (Vec::new(), Vec::new());
            let mut ends =
                [LineEnds::Smtp(Newlines::new(false)), LineEnds::Program(Returns::default())];
            for byte in &text {
                ends[0].push(&[*byte], &mut one);
                ends[1].push(&[*byte], &mut other);
            }
            ends[0].finish(&mut one);
            ends[1].finish(&mut other);
            let shown = text.escape_ascii();
            assert_eq!(one, newlines, "{shown}");
            let whole = String::from_utf8(text.clone()).unwrap();
            let returns = whole.replace("\r\n", "\n").replace('\r', "\n");
            assert_eq!(without_returns(&text), returns.as_bytes(), "{shown}");
            assert_eq!(other, returns.as_bytes(), "{shown}");
        }
    }
}
