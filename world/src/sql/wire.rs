//! A connection to an SQL server: what is read and written on it has one time
//! and one size for a whole statement.

use std::io::{self, Read, Write};
use std::time::Duration;

use eximious_core::world::Stream;

use crate::net::Connection;

/// How many bytes an answer has at the most.
const LARGEST: usize = 64 << 20;
/// How many bytes are asked of the system at once.
const PIECE: usize = 16 << 10;

/// Why nothing more can be read or written.
#[derive(Debug)]
pub enum Broken {
    /// The other side closed the connection.
    Closed,
    /// There is no time left.
    Slow,
    /// The answer is too long.
    TooMuch,
    /// What came is not what the protocol says.
    Garbage,
    /// The system's words.
    Failed(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::Slow,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(error),
        }
    }
}

/// A connection with what has been read of it in advance.
pub struct Wire {
    connection: Connection,
    read: Vec<u8>,
    at: usize,
    left: usize,
}

impl Wire {
    /// Over a connection.
    pub fn new(connection: Connection) -> Self {
        Self { connection, read: Vec::new(), at: 0, left: LARGEST }
    }

    /// A statement begins: it has this much time.
    pub fn begin(&mut self, within: Duration) {
        self.connection.set_deadline(within);
        self.left = LARGEST;
    }

    /// Whether the other side has neither closed the connection nor said
    /// anything unasked.
    pub fn is_quiet(&self) -> bool {
        self.at == self.read.len() && self.connection.is_quiet()
    }

    /// Writes all of it.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        Ok(self.connection.write_all(bytes)?)
    }

    /// Reads so many bytes.
    pub fn take(&mut self, count: usize) -> Result<Vec<u8>, Broken> {
        self.left = self.left.checked_sub(count).ok_or(Broken::TooMuch)?;
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

    /// Reads as many bytes as the type has.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let bytes = self.take(N)?;
        <[u8; N]>::try_from(bytes).map_err(|_| Broken::Garbage)
    }

    fn fill(&mut self) -> Result<(), Broken> {
        self.read.resize(PIECE, 0);
        self.at = 0;
        let count = loop {
            match self.connection.read(&mut self.read) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.read.truncate(*count.as_ref().unwrap_or(&0));
        match count? {
            0 => Err(Broken::Closed),
            _ => Ok(()),
        }
    }
}

/// Reads a packet that has been taken, piece by piece.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a>(pub &'a [u8]);

impl<'a> Packet<'a> {
    /// So many bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Broken::Garbage)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A byte.
    pub fn byte(&mut self) -> Result<u8, Broken> {
        Ok(self.take(1)?[0])
    }

    /// As many bytes as the type has.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        <[u8; N]>::try_from(self.take(N)?).map_err(|_| Broken::Garbage)
    }

    /// What stands before a zero byte.
    pub fn text(&mut self) -> Result<&'a [u8], Broken> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(Broken::Garbage)?;
        let text = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Ok(text)
    }
}
