//! A connection to an SQL server: what is read and written on it has one time
//! and one size for a whole statement.

use std::io::{self, Read, Write};
use std::time::Duration;

use eximious_core::world::Stream as _;

use crate::net::Connection;
use crate::tls;

/// How many bytes an answer has at the most.
const LARGEST: usize = 64 << 20;
/// How many bytes are asked of the system at once.
const PIECE: usize = 16 << 10;

/// Why nothing more can be read or written.
#[derive(Debug)]
pub enum WireError {
    /// The other side closed the connection.
    Closed,
    /// The other side is gone, and what was on its way is lost.
    Reset,
    /// There is no time left.
    Slow,
    /// The answer is too long.
    TooMuch,
    /// What came is not what the protocol says.
    Garbage,
    /// The system's words.
    Failed(io::Error),
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::Slow,
            io::ErrorKind::UnexpectedEof => Self::Closed,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::Reset,
            _ => Self::Failed(error),
        }
    }
}

/// A connection, as it is or under TLS.
enum Stream {
    Plain(Connection),
    Tls(Box<tls::TlsStream<Connection>>),
    /// It is on its way from one to the other.
    Between,
}

impl Stream {
    fn connection(&self) -> Option<&Connection> {
        match self {
            Self::Plain(connection) => Some(connection),
            Self::Tls(stream) => Some(stream.get_ref()),
            Self::Between => None,
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(connection) => connection.read(into),
            Self::Tls(stream) => stream.read(into),
            Self::Between => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(connection) => connection.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes),
            Self::Between => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// A connection with what has been read of it in advance.
pub struct ServerWire {
    stream: Stream,
    read: Vec<u8>,
    at: usize,
    left: usize,
}

impl ServerWire {
    /// Over a connection.
    pub fn new(connection: Connection) -> Self {
        Self { stream: Stream::Plain(connection), read: Vec::new(), at: 0, left: LARGEST }
    }

    /// A statement begins: it has this much time.
    pub fn begin(&mut self, within: Duration) {
        match &mut self.stream {
            Stream::Plain(connection) => connection.set_deadline(within),
            Stream::Tls(stream) => stream.get_mut().set_deadline(within),
            Stream::Between => {}
        }
        self.left = LARGEST;
    }

    /// Whether the other side has neither closed the connection nor said
    /// anything unasked.
    pub fn is_quiet(&self) -> bool {
        let pending = match &self.stream {
            Stream::Tls(stream) => stream.pending(),
            Stream::Plain(_) | Stream::Between => 0,
        };
        let quiet = self.stream.connection().is_some_and(Connection::is_quiet);
        self.at == self.read.len() && pending == 0 && quiet
    }

    /// Goes on under TLS. What was read in advance came before anything was
    /// secret: there must be nothing.
    pub fn secure(&mut self, settings: &tls::TlsSettings, host: &str) -> Result<(), String> {
        if self.at != self.read.len() {
            return Err("the server spoke before its turn".into());
        }
        let Stream::Plain(connection) = std::mem::replace(&mut self.stream, Stream::Between) else {
            return Err("there is TLS already".into());
        };
        self.stream = Stream::Tls(Box::new(tls::begin(settings, host, connection)?));
        Ok(())
    }

    /// The TLS that is in force.
    pub fn tls(&self) -> Option<&tls::TlsStream<Connection>> {
        match &self.stream {
            Stream::Tls(stream) => Some(stream),
            Stream::Plain(_) | Stream::Between => None,
        }
    }

    /// Writes all of it.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Reads so many bytes.
    pub fn take(&mut self, count: usize) -> Result<Vec<u8>, WireError> {
        self.left = self.left.checked_sub(count).ok_or(WireError::TooMuch)?;
        let mut taken = Vec::with_capacity(count.min(PIECE));
        while taken.len() < count {
            if self.at == self.read.len() {
                self.fill()?;
            }
            let end = self.read.len().min(self.at + (count - taken.len()));
            taken.extend_from_slice(&self.read[self.at..end]);
            self.at = end;
        }
        Ok(taken)
    }

    /// Counts values of a row, which take room beside their bytes: a NULL is
    /// nearly nothing on its way.
    pub fn charge(&mut self, values: usize) -> Result<(), WireError> {
        let room = values.saturating_mul(size_of::<Option<Vec<u8>>>());
        self.left = self.left.checked_sub(room).ok_or(WireError::TooMuch)?;
        Ok(())
    }

    /// Reads as many bytes as the type has.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let bytes = self.take(N)?;
        <[u8; N]>::try_from(bytes).map_err(|_| WireError::Garbage)
    }

    fn fill(&mut self) -> Result<(), WireError> {
        self.read.resize(PIECE, 0);
        self.at = 0;
        let count = loop {
            match self.stream.read(&mut self.read) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.read.truncate(*count.as_ref().unwrap_or(&0));
        match count? {
            0 => Err(WireError::Closed),
            _ => Ok(()),
        }
    }
}

/// Reads a packet that has been taken, piece by piece.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a>(pub &'a [u8]);

impl<'a> Packet<'a> {
    /// So many bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(WireError::Garbage)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A byte.
    pub fn byte(&mut self) -> Result<u8, WireError> {
        Ok(self.take(1)?[0])
    }

    /// As many bytes as the type has.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        <[u8; N]>::try_from(self.take(N)?).map_err(|_| WireError::Garbage)
    }

    /// What stands before a zero byte.
    pub fn text(&mut self) -> Result<&'a [u8], WireError> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(WireError::Garbage)?;
        let text = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Ok(text)
    }
}
