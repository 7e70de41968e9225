//! Canonicalization (RFC 6376, section 3.4): what is signed of header lines and bodies.

use crate::crypto::{Hash, Hasher};

/// How changes on the way are put up with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Canon {
    /// Not at all, but for empty lines at the end of a body.
    #[default]
    Simple,
    /// White space may change.
    Relaxed,
}

impl Canon {
    /// By its name in a signature.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"simple" => Some(Self::Simple),
            b"relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }

    /// Its name in a signature.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    /// Adds a header line to what is signed, with CRLF at its end. The line may end in a
    /// bare newline, and so may those that it is folded into.
    pub fn header(self, line: &[u8], into: &mut Vec<u8>) {
        match self {
            Self::Simple => {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                for (number, part) in line.split(|c| *c == b'\n').enumerate() {
                    if number > 0 {
                        into.extend_from_slice(b"\r\n");
                    }
                    into.extend_from_slice(part.strip_suffix(b"\r").unwrap_or(part));
                }
            }
            Self::Relaxed => {
                let colon = memchr::memchr(b':', line).unwrap_or(line.len());
                let (name, value) = line.split_at(colon);
                into.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
                into.push(b':');
                let value = value.get(1..).unwrap_or_default();
                let words = value.split(|c| matches!(c, b' ' | b'\t' | b'\r' | b'\n'));
                let mut first = true;
                for word in words.filter(|word| !word.is_empty()) {
                    if !std::mem::take(&mut first) {
                        into.push(b' ');
                    }
                    into.extend_from_slice(word);
                }
            }
        }
        into.extend_from_slice(b"\r\n");
    }
}

/// One hash that is wanted of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyHash {
    /// How the body is canonicalized.
    pub canon: Canon,
    /// The hash.
    pub hash: Hash,
    /// How many bytes of what is canonicalized count.
    pub length: Option<u64>,
}

/// Hashes of a body, which comes in pieces. Each is made once, whoever wants it.
#[derive(Debug, Default)]
pub struct BodyHasher {
    simple: Lane,
    relaxed: Lane,
}

/// What is hashed of one canonical form, and where its making stands.
#[derive(Debug, Default)]
struct Lane {
    relaxed: bool,
    wanted: Vec<Wanted>,
    /// Line ends that count if text comes behind them.
    lines: u64,
    /// White space that counts, as one space, if text comes behind it on the line.
    space: bool,
    /// A carriage return that may be part of a line's end.
    returned: bool,
    /// Whether there was any text.
    any: bool,
    /// What is gathered to be hashed.
    out: Vec<u8>,
}

#[derive(Debug)]
struct Wanted {
    what: BodyHash,
    hasher: Hasher,
    left: u64,
}

/// How much is gathered before it is hashed.
const GATHERED: usize = 8192;

impl BodyHasher {
    /// One that makes some hashes.
    pub fn new(wanted: impl IntoIterator<Item = BodyHash>) -> Self {
        let mut hasher = Self::default();
        hasher.relaxed.relaxed = true;
        for what in wanted {
            let lane = match what.canon {
                Canon::Simple => &mut hasher.simple,
                Canon::Relaxed => &mut hasher.relaxed,
            };
            if !lane.wanted.iter().any(|one| one.what == what) {
                let left = what.length.unwrap_or(u64::MAX);
                lane.wanted.push(Wanted { what, hasher: Hasher::new(what.hash), left });
            }
        }
        hasher
    }

    /// Takes a piece of the body, whose lines end in CRLF or in bare newlines.
    pub fn push(&mut self, piece: &[u8]) {
        for lane in [&mut self.simple, &mut self.relaxed] {
            if !lane.wanted.is_empty() {
                lane.push(piece);
            }
        }
    }

    /// The hashes.
    pub fn finish(mut self) -> BodyHashes {
        let mut found = Vec::new();
        for mut lane in [std::mem::take(&mut self.simple), std::mem::take(&mut self.relaxed)] {
            lane.end();
            found.extend(lane.wanted.into_iter().map(|one| (one.what, one.hasher.finish())));
        }
        BodyHashes(found)
    }
}

/// The hashes of a body.
#[derive(Clone, Debug, Default)]
pub struct BodyHashes(Vec<(BodyHash, Vec<u8>)>);

impl BodyHashes {
    /// One of them, if it was wanted.
    pub fn get(&self, what: BodyHash) -> Option<&[u8]> {
        self.0.iter().find(|(one, _)| *one == what).map(|(_, hash)| &hash[..])
    }
}

impl Lane {
    fn push(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() {
            let count = self.take(rest);
            rest = &rest[count..];
        }
    }

    fn end(&mut self) {
        if self.wanted.is_empty() {
            return;
        }
        if std::mem::take(&mut self.returned) {
            self.text(b"\r");
        }
        if self.any || !self.relaxed {
            self.out.extend_from_slice(b"\r\n");
        }
        self.flush();
    }

    /// Takes some of a piece: a run of text, or one other byte. How many bytes it took.
    fn take(&mut self, piece: &[u8]) -> usize {
        let first = piece[0];
        if first == b'\n' {
            (self.returned, self.space) = (false, false);
            self.lines += 1;
            return 1;
        }
        if std::mem::take(&mut self.returned) {
            self.text(b"\r");
        }
        if first == b'\r' {
            self.returned = true;
            return 1;
        }
        if self.relaxed && matches!(first, b' ' | b'\t') {
            self.space = true;
            return 1;
        }
        let run = &piece[..piece.len().min(GATHERED)];
        let end = match self.relaxed {
            true => run.iter().position(|c| matches!(c, b'\n' | b'\r' | b' ' | b'\t')),
            false => memchr::memchr2(b'\n', b'\r', run),
        };
        let count = end.unwrap_or(run.len());
        self.text(&run[..count]);
        count
    }

    /// Text, and what counts before it. No more than a little is ever gathered, however
    /// many lines are empty.
    fn text(&mut self, text: &[u8]) {
        self.any = true;
        for _ in 0..std::mem::take(&mut self.lines) {
            self.out.extend_from_slice(b"\r\n");
            self.flush_much();
        }
        if std::mem::take(&mut self.space) {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(text);
        self.flush_much();
    }

    fn flush_much(&mut self) {
        if self.out.len() >= GATHERED {
            self.flush();
        }
    }

    fn flush(&mut self) {
        for one in &mut self.wanted {
            let count = usize::try_from(one.left).unwrap_or(usize::MAX).min(self.out.len());
            one.hasher.push(&self.out[..count]);
            one.left -= count as u64;
        }
        self.out.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(canon: Canon, length: Option<u64>, pieces: &[&[u8]]) -> Vec<u8> {
        let what = BodyHash { canon, hash: Hash::Sha256, length };
        let mut hasher = BodyHasher::new([what, what]);
        pieces.iter().for_each(|piece| hasher.push(piece));
        hasher.finish().get(what).unwrap().to_vec()
    }

    #[test]
    fn bodies_are_canonicalized_as_the_rfc_shows() {
        // RFC 6376, section 3.4.5, and what its rules say of the rest.
        let (simple, relaxed) = (Canon::Simple, Canon::Relaxed);
        for (canon, body, form) in [
            (relaxed, &b" C \r\nD \t E\r\n\r\n\r\n"[..], &b" C\r\nD E\r\n"[..]),
            (simple, b" C \r\nD \t E\r\n\r\n\r\n", b" C \r\nD \t E\r\n"),
            (simple, b"", b"\r\n"),
            (relaxed, b"", b""),
            (relaxed, b" \r\n\t\r\n", b""),
            (simple, b"\r\n\r\n", b"\r\n"),
            (simple, b"no end", b"no end\r\n"),
            (relaxed, b"no end  ", b"no end\r\n"),
            (simple, b"a\nb\n\n", b"a\r\nb\r\n"),
            (simple, b"a\rb\r", b"a\rb\r\r\n"),
            (relaxed, b"a \r b\n", b"a \r b\r\n"),
        ] {
            let whole = hashed(canon, None, &[body]);
            assert_eq!(whole, Hash::Sha256.of(form), "{canon:?} {}", body.escape_ascii());
            let bytes: Vec<&[u8]> = body.chunks(1).collect();
            assert_eq!(hashed(canon, None, &bytes), whole, "{canon:?} {}", body.escape_ascii());
            let cut = Hash::Sha256.of(&form[..form.len().min(3)]);
            assert_eq!(hashed(canon, Some(3), &bytes), cut);
        }
    }

    #[test]
    fn empty_lines_without_end_take_no_memory() {
        let what = BodyHash { canon: Canon::Relaxed, hash: Hash::Sha1, length: None };
        let mut hasher = BodyHasher::new([what]);
        let piece = b" \n".repeat(10_000);
        (0..100).for_each(|_| hasher.push(&piece));
        hasher.push(b"x");
        assert!(hasher.relaxed.out.capacity() < 4 * GATHERED);
        let form = [&b"\r\n".repeat(1_000_000)[..], b"x\r\n"].concat();
        assert_eq!(hasher.finish().get(what).unwrap(), Hash::Sha1.of(&form));
    }

    #[test]
    fn header_lines_are_canonicalized_as_the_rfc_shows() {
        let mut relaxed = Vec::new();
        Canon::Relaxed.header(b"A: X\r\n", &mut relaxed);
        Canon::Relaxed.header(b"B : Y\t\n\tZ  \n", &mut relaxed);
        assert_eq!(relaxed, b"a:X\r\nb:Y Z\r\n");
        let mut simple = Vec::new();
        Canon::Simple.header(b"B : Y\t\n\tZ  \n", &mut simple);
        Canon::Simple.header(b"c:d\r\n e", &mut simple);
        assert_eq!(simple, b"B : Y\t\r\n\tZ  \r\nc:d\r\n e\r\n");
    }
}
