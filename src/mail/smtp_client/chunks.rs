//! A message in chunks (`BDAT`, RFC 3030): its header first, which goes with the envelope where
//! commands may be sent together, and then its body as one; or all at once where it is short.

use std::io::{self, Read};

use super::message::piece;
use super::wire::lines;

/// How large a message is at the most that goes as one chunk, in bytes as they are sent.
const WHOLE: usize = 8192;

/// A message, divided.
pub struct Chunks<'m> {
    /// The header, with the blank line behind it; the whole message where there is no more.
    pub(super) first: Vec<u8>,
    /// The body.
    pub(super) body: Option<Body<'m>>,
}

/// A body as it is sent; its size is known before.
pub(super) struct Body<'m> {
    pub(super) size: u64,
    lines: Lines<'m>,
}

impl<'m> Chunks<'m> {
    /// Divides a message, whose newlines are `\n`: its header, with the blank line, and what
    /// reads its body anew each time.
    ///
    /// # Errors
    /// It can't be read.
    pub fn new(head: &[u8], body: &dyn Fn() -> Box<dyn Read + 'm>) -> io::Result<Self> {
        let mut first = Vec::new();
        let mut header = Lines::new(Box::new(io::empty()));
        header.add(head, &mut first);
        let (start, mut lines) = (first.len(), Lines::new(body()));
        let mut piece = Vec::new();
        while first.len() <= WHOLE {
            if !lines.next(&mut piece)? {
                return Ok(Self { first, body: None });
            }
            first.extend_from_slice(&piece);
        }
        let mut size = (first.len() - start) as u64;
        first.truncate(start);
        while lines.next(&mut piece)? {
            size += piece.len() as u64;
        }
        Ok(Self { first, body: Some(Body { size, lines: Lines::new(body()) }) })
    }

    /// Whether the first chunk is the last one.
    pub fn is_one(&self) -> bool {
        self.body.is_none()
    }
}

impl Body<'_> {
    /// The next part of it, which is empty at its end.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn next(&mut self) -> io::Result<Vec<u8>> {
        let mut piece = Vec::new();
        self.lines.next(&mut piece)?;
        Ok(piece)
    }
}

/// Lines with the ends that they have when they are sent; the last one has one, too.
struct Lines<'m> {
    from: Box<dyn Read + 'm>,
    /// Whether a line begins here.
    begins: bool,
}

impl<'m> Lines<'m> {
    fn new(from: Box<dyn Read + 'm>) -> Self {
        Self { from, begins: true }
    }

    fn add(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for (text, ended) in lines(text) {
            out.extend_from_slice(text);
            if ended {
                out.extend_from_slice(b"\r\n");
            }
            self.begins = ended;
        }
    }

    /// The next part; whether there is one.
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        out.clear();
        let piece = piece(&mut *self.from)?;
        self.add(&piece, out);
        if piece.is_empty() && !self.begins {
            out.extend_from_slice(b"\r\n");
            self.begins = true;
        }
        Ok(!out.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided(head: &str, body: &str) -> (String, Option<String>) {
        let mut chunks =
            Chunks::new(head.as_bytes(), &|| Box::new(body.as_bytes())).expect("it is read");
        let first = String::from_utf8(std::mem::take(&mut chunks.first)).expect("text");
        let rest = chunks.body.map(|mut body| {
            let mut all = Vec::new();
            loop {
                let piece = body.next().expect("it is read");
                if piece.is_empty() {
                    break;
                }
                all.extend(piece);
            }
            assert_eq!(all.len() as u64, body.size);
            String::from_utf8(all).expect("text")
        });
        (first, rest)
    }

    #[test]
    fn short_messages_are_one() {
        assert_eq!(divided("a: b\n\n", "x\ny"), ("a: b\r\n\r\nx\r\ny\r\n".to_owned(), None));
        assert_eq!(divided("", ""), (String::new(), None));
        let body = "x".repeat(8192 - 8 - 2);
        assert_eq!(divided("a: b\n\n", &body).0.len(), 8192);
    }

    #[test]
    fn the_bodies_of_longer_ones_follow() {
        let body = "x".repeat(8192 - 8 - 1);
        let (first, rest) = divided("a: b\n\n", &body);
        assert_eq!((first.as_str(), rest), ("a: b\r\n\r\n", Some(format!("{body}\r\n"))));
        let body = "line\n".repeat(40_000);
        let (_, rest) = divided("a: b\n\n", &body);
        assert_eq!(rest, Some(body.replace('\n', "\r\n")));
    }
}
