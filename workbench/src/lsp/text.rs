//! Documents of an editor: positions in them, and changes.

use lsp_types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent, Uri};

/// In what an editor counts the characters of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Encoding {
    /// Bytes.
    Utf8,
    /// What JavaScript counts.
    #[default]
    Utf16,
}

impl Encoding {
    /// The first that both sides know.
    pub(super) fn chosen(offered: Option<&[PositionEncodingKind]>) -> Self {
        let utf8 = offered.is_some_and(|all| all.contains(&PositionEncodingKind::UTF8));
        if utf8 { Self::Utf8 } else { Self::Utf16 }
    }

    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// How long a text is.
    pub(super) fn length(self, text: &str) -> u32 {
        match self {
            Self::Utf8 => text.len() as u32,
            Self::Utf16 => text.chars().map(|c| c.len_utf16() as u32).sum(),
        }
    }

    /// The position in a line of one of its bytes.
    pub(super) fn character(self, line: &[u8], column: u32) -> u32 {
        let column = (column as usize).min(line.len());
        self.length(&String::from_utf8_lossy(&line[..column]))
    }

    /// The byte of a line at a position; the last one where there are not so many, and the
    /// beginning of a character where it is in its midst.
    pub(super) fn column(self, line: &str, character: u32) -> usize {
        let mut left = character;
        for (at, c) in line.char_indices() {
            let width = match self {
                Self::Utf8 => c.len_utf8() as u32,
                Self::Utf16 => c.len_utf16() as u32,
            };
            if left < width {
                return at;
            }
            left -= width;
        }
        line.len()
    }
}

/// A document that is open.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) uri: Uri,
    pub(super) version: i32,
    pub(super) text: String,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl Document {
    pub(super) fn new(uri: Uri, version: i32, text: String) -> Self {
        let starts = starts(&text);
        Self { uri, version, text, starts }
    }

    /// Takes a change over; what lies outside of the text counts as its end.
    pub(super) fn change(&mut self, event: TextDocumentContentChangeEvent, encoding: Encoding) {
        match event.range {
            None => self.text = event.text,
            Some(range) => {
                let (a, b) = (self.offset(range.start, encoding), self.offset(range.end, encoding));
                self.text.replace_range(a.min(b)..a.max(b), &event.text);
            }
        }
        self.starts = starts(&self.text);
    }

    /// A line, from 0, without what ends it.
    pub(super) fn line(&self, number: u32) -> &str {
        let Some(start) = self.starts.get(number as usize) else { return "" };
        let end = self.starts.get(number as usize + 1).copied().unwrap_or(self.text.len());
        let line = &self.text[*start..end];
        let line = line.strip_suffix('\n').unwrap_or(line);
        line.strip_suffix('\r').unwrap_or(line)
    }

    /// The line and its byte at a position; what lies behind the text is its end.
    pub(super) fn place(&self, at: Position, encoding: Encoding) -> (u32, u32) {
        let line = at.line.min(self.count() - 1);
        let past = if line < at.line { u32::MAX } else { at.character };
        (line, encoding.column(self.line(line), past) as u32)
    }

    fn offset(&self, at: Position, encoding: Encoding) -> usize {
        match self.starts.get(at.line as usize) {
            Some(start) => start + encoding.column(self.line(at.line), at.character),
            None => self.text.len(),
        }
    }

    /// A part of a line.
    pub(super) fn range(&self, line: u32, from: u32, to: u32, encoding: Encoding) -> Range {
        let text = self.line(line).as_bytes();
        let at = |column| Position::new(line, encoding.character(text, column));
        Range::new(at(from), at(to))
    }

    /// How many lines there are.
    pub(super) fn count(&self) -> u32 {
        self.starts.len() as u32
    }
}

/// Counts the characters before places that come in their order, each once.
pub(super) struct Counter<'d> {
    document: &'d Document,
    encoding: Encoding,
    line: u32,
    /// How far it has come in the line: bytes, and characters.
    done: (usize, u32),
}

impl<'d> Counter<'d> {
    pub(super) fn new(document: &'d Document, encoding: Encoding) -> Self {
        Self { document, encoding, line: 0, done: (0, 0) }
    }

    /// The position in its line of a byte.
    pub(super) fn character(&mut self, line: u32, column: u32) -> u32 {
        let text = self.document.line(line);
        let column = text.floor_char_boundary(column as usize);
        if line != self.line || column < self.done.0 {
            (self.line, self.done) = (line, (0, 0));
        }
        let (bytes, characters) = self.done;
        self.done = (column, characters + self.encoding.length(&text[bytes..column]));
        self.done.1
    }
}

fn starts(text: &str) -> Vec<usize> {
    let ends = text.bytes().enumerate().filter(|(_, c)| *c == b'\n');
    std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
}

/// The name of the file that an address stands for; that of anything else is the address
/// itself.
pub(super) fn path_of(uri: &Uri) -> Vec<u8> {
    let text = uri.as_str();
    let Some(rest) = text.strip_prefix("file://") else { return text.as_bytes().to_vec() };
    // What stands before the path would be another host.
    let path = rest.find('/').map_or("", |slash| &rest[slash..]);
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let digits = || {
            let mut ahead = bytes.clone();
            let high = char::from(ahead.next()?).to_digit(16)?;
            let low = char::from(ahead.next()?).to_digit(16)?;
            Some((high * 16 + low) as u8)
        };
        match (byte, digits()) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                bytes.nth(1);
            }
            _ => out.push(byte),
        }
    }
    out
}

/// A file's name as an address; one that is not absolute is relative to where the program
/// runs.
pub fn address_of(name: &[u8]) -> String {
    let mut uri = String::from(if name.starts_with(b"/") { "file://" } else { "" });
    for byte in name {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::new("file:///c".parse().unwrap(), 1, text.to_owned())
    }

    fn changed(text: &str, from: (u32, u32), to: (u32, u32), new: &str) -> String {
        let mut document = document(text);
        let at = |(line, character)| Position::new(line, character);
        let range = Some(Range::new(at(from), at(to)));
        let event = TextDocumentContentChangeEvent { range, range_length: None, text: new.into() };
        document.change(event, Encoding::Utf16);
        document.text
    }

    #[test]
    fn changes_count_in_utf_16() {
        assert_eq!(changed("a\u{1f600}b\nc", (0, 3), (0, 4), "x"), "a\u{1f600}x\nc");
        // In the midst of a character, and beyond all ends.
        assert_eq!(changed("a\u{1f600}b", (0, 2), (0, 2), "x"), "ax\u{1f600}b");
        assert_eq!(changed("ab\nc", (0, 99), (9, 9), "x"), "abx");
        assert_eq!(changed("ab\r\nc", (0, 99), (0, 99), "x"), "abx\r\nc");
        assert_eq!(changed("ab", (0, 2), (0, 1), "x"), "ax");
        assert_eq!(changed("ab", (u32::MAX, u32::MAX), (u32::MAX, 0), "x"), "abx");
    }

    #[test]
    fn files_have_addresses() {
        let name = "/a b/%c/\u{fc}.conf".as_bytes();
        let uri: Uri = address_of(name).parse().unwrap();
        assert_eq!(uri.as_str(), "file:///a%20b/%25c/%C3%BC.conf");
        assert_eq!(path_of(&uri), name);
        assert_eq!(path_of(&"untitled:Untitled-1".parse().unwrap()), b"untitled:Untitled-1");
    }
}
