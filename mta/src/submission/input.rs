//! The bytes of a message as they come in from a program.

/// What came in so far.
#[derive(Clone, Debug, Default)]
pub struct SubmissionInput {
    bytes: Vec<u8>,
    /// Whether a line with nothing but a dot ends the message.
    dot_ends: bool,
    /// Where the line begins that is not complete yet.
    line: usize,
    /// How far that line was looked through.
    seen: usize,
    /// Whether the first line ended in a carriage return and a newline.
    crlf: Option<bool>,
    /// Whether the blank line came that ends the header.
    in_body: bool,
}

impl SubmissionInput {
    /// Nothing came yet.
    pub fn new(dot_ends: bool) -> Self {
        Self { dot_ends, ..Self::default() }
    }

    /// Takes what came; whether that ended the message. What stands behind its end is
    /// none of it.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        if !self.dot_ends {
            return false;
        }
        while let Some(at) = memchr::memchr(b'\n', &self.bytes[self.seen..]) {
            let end = self.seen + at + 1;
            if self.is_last(&self.bytes[self.line..end]) {
                self.bytes.truncate(self.line);
                return true;
            }
            let line = &self.bytes[self.line..end];
            let crlf = *self.crlf.get_or_insert(line.ends_with(b"\r\n"));
            self.in_body |= line == b"\r\n" || (line == b"\n" && !crlf);
            (self.line, self.seen) = (end, end);
        }
        self.seen = self.bytes.len();
        false
    }

    /// How much it is.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The message.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether a line ends the message. In a header whose lines end in carriage returns,
    /// a newline alone ends nothing.
    fn is_last(&self, line: &[u8]) -> bool {
        match line {
            b".\r\n" => true,
            b".\n" => self.in_body || self.crlf != Some(true),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], size: usize) -> Option<Vec<u8>> {
        let mut input = SubmissionInput::new(true);
        text.chunks(size).any(|piece| input.push(piece)).then(|| input.into_bytes())
    }

    #[test]
    fn a_dot_alone_between_newlines_ends_a_message() {
        for size in [1, 2, 3, 100] {
            for (text, message) in [
                (b"a: b\n\nx\n.\ny".as_slice(), Some(b"a: b\n\nx\n".as_slice())),
                (b"a: b\r\n\r\nx\n.\ny", Some(b"a: b\r\n\r\nx\n")),
                (b"a: b\n\nx\r\n.\r\ny", Some(b"a: b\n\nx\r\n")),
                (b".\n", Some(b"")),
                (b".\r\nx", Some(b"")),
                (b"a: b\n.\n", Some(b"a: b\n")),
                (b"a: b\r\n.\r\n", Some(b"a: b\r\n")),
                (b"a: b\r\n.\nx", None),
                (b"a: b\n\nx\r.\ny", None),
                (b"a: b\n\nx\r.\ry", None),
                (b"a: b\n\nx\n.\ry\n", None),
                (b"a: b\n\nx\n.", None),
                (b"a: b\n\nx\n..\n", None),
                (b"", None),
            ] {
                let message = message.map(<[u8]>::to_vec);
                assert_eq!(read(text, size), message, "{}", text.escape_ascii());
            }
        }
        assert!(!SubmissionInput::new(false).push(b"a: b\n\n.\n"));
    }
}
