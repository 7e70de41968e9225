//! Lines that end as their sender pleased, with newlines for the ends; as they come in,
//! a piece at a time.

/// What a text in pieces becomes.
#[derive(Debug)]
pub(crate) enum LineEnds {
    /// What DATA brings.
    Smtp(Newlines),
    /// What BDAT brings.
    Chunks(Returns),
    /// What is kept as it came.
    Wire,
}

/// A message as it is kept: each line ends in a newline. Where the first one came with
/// CRLF, a newline alone ends no line: in the header it is the beginning of a
/// continuation, in the body a space. A carriage return alone does end a line, but no
/// header line.
#[derive(Debug, Default)]
pub(crate) struct Newlines {
    /// Whether the first line came with CRLF, once it has come.
    strict: Option<bool>,
    in_body: bool,
    /// A carriage return or newline at the end of what came, which what follows gives its
    /// meaning.
    pending: Option<u8>,
    /// The last byte that was given out.
    last: Option<u8>,
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
            Self::Chunks(ends) => ends.push(text, out),
            Self::Wire => out.extend_from_slice(text),
        }
    }

    /// Nothing more comes.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Smtp(ends) => ends.finish(out),
            Self::Chunks(ends) => ends.finish(out),
            Self::Wire => {}
        }
    }
}

impl Newlines {
    /// Takes a piece.
    pub(crate) fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        while let Some(next) = rest.first() {
            if let Some(end) = self.pending.take() {
                let taken = self.end(end, Some(*next), out);
                rest = &rest[usize::from(taken)..];
                continue;
            }
            let plain = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            out.extend_from_slice(&rest[..plain]);
            self.last = rest[..plain].last().copied().or(self.last);
            self.pending = rest.get(plain).copied();
            rest = rest.get(plain + 1..).unwrap_or_default();
        }
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
        let blank = matches!(self.last, None | Some(b'\n'));
        self.last = Some(b'\n');
        if whole || !strict {
            self.in_body |= blank;
            out.push(b'\n');
        } else if self.in_body {
            let shown = if end == b'\n' { b' ' } else { b'\n' };
            self.last = Some(shown);
            out.push(shown);
        } else {
            out.push(b'\n');
            if !matches!(next, Some(b' ' | b'\t' | b'\r' | b'\n')) {
                self.last = Some(b' ');
                out.push(b' ');
            }
        }
        whole
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

/// A message that came by DATA, as it is kept.
pub(super) fn ended_by_newlines(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut ends = Newlines::default();
    ends.push(text, &mut out);
    ends.finish(&mut out);
    out
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

    /// What each byte becomes where all of the text is there, as it was written down
    /// first.
    fn plainly(text: &[u8]) -> Vec<u8> {
        let first = text.iter().position(|byte| *byte == b'\n');
        let strict = first.is_some_and(|end| end > 0 && text[end - 1] == b'\r');
        let (mut out, mut in_body) = (Vec::new(), false);
        let mut bytes = text.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            let next = bytes.peek().copied();
            let whole = byte == b'\r' && next == Some(b'\n');
            if whole || (byte == b'\n' && !strict) {
                if whole {
                    bytes.next();
                }
                in_body |= matches!(out.last(), None | Some(b'\n'));
                out.push(b'\n');
            } else if matches!(byte, b'\r' | b'\n') {
                if in_body {
                    out.push(if byte == b'\n' { b' ' } else { b'\n' });
                    continue;
                }
                out.push(b'\n');
                if !matches!(next, Some(b' ' | b'\t' | b'\r' | b'\n')) {
                    out.push(b' ');
                }
            } else {
                out.push(byte);
            }
        }
        out
    }

    #[test]
    fn pieces_come_to_the_same_as_the_whole() {
        for text in texts(6) {
            let newlines = plainly(&text);
            let (mut one, mut other) = (Vec::new(), Vec::new());
            let mut ends =
                [LineEnds::Smtp(Newlines::default()), LineEnds::Chunks(Returns::default())];
            for byte in &text {
                ends[0].push(&[*byte], &mut one);
                ends[1].push(&[*byte], &mut other);
            }
            ends[0].finish(&mut one);
            ends[1].finish(&mut other);
            let shown = text.escape_ascii();
            assert_eq!(ended_by_newlines(&text), newlines, "{shown}");
            assert_eq!(one, newlines, "{shown}");
            let whole = String::from_utf8(text.clone()).unwrap();
            let returns = whole.replace("\r\n", "\n").replace('\r', "\n");
            assert_eq!(without_returns(&text), returns.as_bytes(), "{shown}");
            assert_eq!(other, returns.as_bytes(), "{shown}");
        }
    }
}
