//! The body of a message: in memory, or where it is kept.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

/// How much of it is read at once.
const PIECE: usize = 64 << 10;

/// The body of a message, its lines ended by `\n` (or as they came, where the spool
/// keeps them so). A small one is in memory; a large one stays where it is kept, and is
/// read from there a piece at a time.
#[derive(Clone)]
pub struct Body(Place);

#[derive(Clone)]
enum Place {
    Memory(Vec<u8>),
    Kept { source: Arc<dyn BodySource>, length: u64, longest_line: u64 },
}

/// Where a body is kept. It is read by several at a time, wherever each likes.
pub trait BodySource: Send + Sync {
    /// Reads bytes from a place in the body on, at least one unless it ends there; how
    /// many there were.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize>;
}

impl Body {
    /// One that is kept somewhere, of so many bytes, whose longest line has so many
    /// (without its end).
    pub fn kept(source: Arc<dyn BodySource>, length: u64, longest_line: u64) -> Self {
        Self(Place::Kept { source, length, longest_line })
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::Kept { length, .. } => *length,
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes its longest line has, without the end.
    pub fn longest_line(&self) -> u64 {
        match &self.0 {
            Place::Memory(bytes) => {
                bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or(0) as u64
            }
            Place::Kept { longest_line, .. } => *longest_line,
        }
    }

    /// All of it, where it is in memory.
    pub fn in_memory(&self) -> Option<&[u8]> {
        match &self.0 {
            Place::Memory(bytes) => Some(bytes),
            Place::Kept { .. } => None,
        }
    }

    /// All of it, where it is in memory.
    ///
    /// # Errors
    /// It is kept elsewhere.
    pub fn into_bytes(self) -> Result<Vec<u8>, Self> {
        match self.0 {
            Place::Memory(bytes) => Ok(bytes),
            kept @ Place::Kept { .. } => Err(Self(kept)),
        }
    }

    /// Up to so many bytes from its beginning.
    ///
    /// # Errors
    /// It can't be read.
    pub fn start(&self, most: usize) -> io::Result<Cow<'_, [u8]>> {
        self.part(0, most)
    }

    /// Up to so many bytes from its end.
    ///
    /// # Errors
    /// It can't be read.
    pub fn end(&self, most: usize) -> io::Result<Cow<'_, [u8]>> {
        self.part(self.len().saturating_sub(most as u64), most)
    }

    /// All of it, where it is no longer than that.
    ///
    /// # Errors
    /// It can't be read, or is longer ([`io::ErrorKind::FileTooLarge`]).
    pub fn whole(&self, most: u64) -> io::Result<Cow<'_, [u8]>> {
        match usize::try_from(self.len()) {
            Ok(length) if self.len() <= most => self.part(0, length),
            _ => Err(io::ErrorKind::FileTooLarge.into()),
        }
    }

    /// Hands all of it on, a piece at a time: what is in memory is one. `unreadable` says
    /// what it means that it can't be read.
    ///
    /// # Errors
    /// Those of `unreadable` and of `each`, which end it.
    pub fn in_pieces<E>(
        &self,
        unreadable: impl FnOnce(io::Error) -> E,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(bytes) = self.in_memory() {
            return if bytes.is_empty() { Ok(()) } else { each(bytes) };
        }
        let mut reader = self.reader();
        let mut piece = vec![0; PIECE];
        loop {
            match reader.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => each(&piece[..count])?,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(unreadable(why)),
            }
        }
    }

    /// Reads it from its beginning to its end.
    pub fn reader(&self) -> BodyReader<'_> {
        BodyReader { body: self, at: 0 }
    }

    fn part(&self, at: u64, most: usize) -> io::Result<Cow<'_, [u8]>> {
        let left = usize::try_from(self.len().saturating_sub(at)).unwrap_or(usize::MAX);
        let length = left.min(most);
        if let Place::Memory(bytes) = &self.0 {
            let at = bytes.len() - left;
            return Ok(Cow::Borrowed(&bytes[at..at + length]));
        }
        let mut part = Vec::new();
        self.read_from(at).take(length as u64).read_to_end(&mut part)?;
        match part.len() == length {
            true => Ok(Cow::Owned(part)),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn read_from(&self, at: u64) -> BodyReader<'_> {
        BodyReader { body: self, at }
    }
}

/// Reads a body.
#[derive(Debug)]
pub struct BodyReader<'b> {
    body: &'b Body,
    at: u64,
}

impl Read for BodyReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.body.len() - self.at).unwrap_or(usize::MAX);
        let length = left.min(into.len());
        let into = &mut into[..length];
        let count = match &self.body.0 {
            _ if into.is_empty() => 0,
            Place::Memory(bytes) => {
                let at = bytes.len() - left;
                into.copy_from_slice(&bytes[at..at + length]);
                length
            }
            Place::Kept { source, .. } => match source.read_at(self.at, into)? {
                // Somebody cut it.
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => count,
            },
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Default for Body {
    fn default() -> Self {
        Self(Place::Memory(Vec::new()))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Place::Memory(bytes))
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.in_memory() {
            Some(bytes) => write!(f, "{}", bytes.escape_ascii()),
            None => write!(f, "{} bytes that are kept elsewhere", self.len()),
        }
    }
}

/// Those that are kept elsewhere are equal where they are the same.
impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Place::Memory(one), Place::Memory(other)) => one == other,
            (Place::Kept { source: one, .. }, Place::Kept { source: other, .. }) => {
                Arc::ptr_eq(one, other)
            }
            _ => false,
        }
    }
}

impl Eq for Body {}

#[cfg(test)]
mod tests {
    use super::*;

    struct Text(&'static [u8]);

    impl BodySource for Text {
        fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
            // A piece at a time, as a slow disk might.
            let rest = &self.0[usize::try_from(at).unwrap().min(self.0.len())..];
            let count = rest.len().min(into.len()).min(3);
            into[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        }
    }

    #[test]
    fn a_body_reads_the_same_wherever_it_is() {
        let text = b"one\ntwo\nthree\n";
        let kept = Body::kept(Arc::new(Text(text)), text.len() as u64, 5);
        for body in [Body::from(&text[..]), kept] {
            assert_eq!((body.len(), body.longest_line()), (14, 5));
            assert_eq!(&*body.start(5).unwrap(), b"one\nt");
            assert_eq!(&*body.end(4).unwrap(), b"ree\n");
            assert_eq!(&*body.start(100).unwrap(), text);
            assert_eq!(&*body.whole(14).unwrap(), text);
            assert_eq!(body.whole(13).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
            let mut all = Vec::new();
            body.reader().read_to_end(&mut all).unwrap();
            assert_eq!(all, text);
        }
    }

    #[test]
    fn one_that_was_cut_is_an_error() {
        let body = Body::kept(Arc::new(Text(b"one")), 4, 3);
        assert_eq!(body.whole(10).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(&*body.start(3).unwrap(), b"one");
    }
}
