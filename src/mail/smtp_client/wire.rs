//! A message as it goes over the wire: ends of lines are CRLF, and a dot that begins
//! a line is doubled (RFC 5321, section 4.5.2).

/// How much is sent at once.
const PIECE: usize = 16 * 1024;

/// The lines of a part of a message without their ends, and whether each has one.
pub(super) fn lines(part: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    part.split_inclusive(|byte| *byte == b'\n').map(|line| match line.strip_suffix(b"\n") {
        Some(text) => (text, true),
        None => (line, false),
    })
}

/// Makes pieces of what a message consists of. Its newlines are `\n`.
#[derive(Debug)]
pub struct Wire {
    piece: Vec<u8>,
    /// Whether a line begins here.
    begins: bool,
    sent: u64,
}

impl Default for Wire {
    fn default() -> Self {
        Self { piece: Vec::new(), begins: true, sent: 0 }
    }
}

impl Wire {
    /// Takes a part of the message, and gives away each piece that is full.
    ///
    /// # Errors
    /// Whoever takes the pieces has had enough.
    pub fn add<E>(
        &mut self,
        part: &[u8],
        give: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for (text, ended) in lines(part) {
            if self.begins && text.first() == Some(&b'.') {
                self.piece.push(b'.');
            }
            // One line may be as long as a message.
            for text in text.chunks(PIECE) {
                self.piece.extend_from_slice(text);
                self.empty(PIECE, give)?;
            }
            if ended {
                self.piece.extend_from_slice(b"\r\n");
            }
            self.begins = ended;
        }
        self.empty(PIECE, give)
    }

    /// Ends the message, and gives away what is left.
    ///
    /// # Errors
    /// Whoever takes the pieces has had enough.
    pub fn end<E>(&mut self, give: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if !self.begins {
            self.piece.extend_from_slice(b"\r\n");
        }
        self.piece.extend_from_slice(b".\r\n");
        self.empty(1, give)
    }

    /// How much was given away.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    fn empty<E>(
        &mut self,
        least: usize,
        give: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.piece.len() < least {
            return Ok(());
        }
        self.sent += self.piece.len() as u64;
        let given = give(&self.piece);
        self.piece.clear();
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(parts: &[&[u8]]) -> Vec<u8> {
        let (mut wire, mut out) = (Wire::default(), Vec::new());
        let mut give = |piece: &[u8]| {
            assert!(piece.len() <= 2 * PIECE + 3);
            out.extend_from_slice(piece);
            Ok::<(), ()>(())
        };
        for part in parts {
            wire.add(part, &mut give).unwrap();
        }
        wire.end(&mut give).unwrap();
        assert_eq!(wire.sent(), out.len() as u64);
        out
    }

    #[test]
    fn dots_and_ends_of_lines() {
        assert_eq!(wire(&[]), b".\r\n");
        assert_eq!(wire(&[b"a\n.b\n..\n.\n"]), b"a\r\n..b\r\n...\r\n..\r\n.\r\n");
        assert_eq!(wire(&[b"a: b\n", b"\n", b".", b"."]), b"a: b\r\n\r\n...\r\n.\r\n");
        assert_eq!(wire(&[b"a", b".b\n.", b"c"]), b"a.b\r\n..c\r\n.\r\n");
    }

    #[test]
    fn a_message_can_not_end_early() {
        // Whatever it is made of, only its end looks like one.
        for text in [b"\n.\n".as_slice(), b".\n.\n", b"\r\n.\r\n", b"\n.\r\n", b".\r", b"\r\n."] {
            let sent = wire(&[text]);
            let ends = sent.windows(5).filter(|window| *window == b"\r\n.\r\n").count();
            assert_eq!(ends + usize::from(sent.starts_with(b".\r\n")), 1, "{text:?}");
        }
    }

    #[test]
    fn long_lines_go_in_pieces() {
        let long = vec![b'x'; 100_000];
        let sent = wire(&[&long, b"\n", &long]);
        assert_eq!(sent.len(), 200_000 + 7);
    }
}
