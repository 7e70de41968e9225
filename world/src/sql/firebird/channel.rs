//! What goes over a connection to a Firebird server: numbers of four bytes, texts
//! with their lengths, filled up to four bytes, and the server's word on each
//! request; encrypted where the server knows how.

use std::time::Duration;

use rc4::{KeyInit, Rc4, StreamCipher};

use super::super::wire::{ServerWire, WireError};
use super::complaint::FirebirdError;

/// What the server says of a request.
const RESPONSE: u32 = 9;
/// It is there still.
const DUMMY: u32 = 71;

/// A request: what is to be done, and with what.
pub struct FirebirdRequest(Vec<u8>);

impl FirebirdRequest {
    /// One that asks for this.
    pub fn new(operation: u32) -> Self {
        Self(operation.to_be_bytes().to_vec())
    }

    /// With a number more.
    pub fn number(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// With bytes as they are.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// With a text more.
    pub fn text(self, text: &[u8]) -> Self {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let mut request = self.number(length).bytes(text);
        request.0.resize(request.0.len() + padding(text.len()), 0);
        request
    }
}

/// How many bytes fill a text up.
fn padding(length: usize) -> usize {
    length.wrapping_neg() % 4
}

/// What a server did: the handle of what it made, or a state; and data.
#[derive(Debug)]
pub struct Response {
    /// The handle, or the state.
    pub handle: u32,
    /// What was asked for.
    pub data: Vec<u8>,
}

/// Why a request came to nothing.
pub enum Failed {
    /// The connection can't be used any more.
    Broken(WireError),
    /// The server refuses it.
    Refused(FirebirdError),
}

impl From<WireError> for Failed {
    fn from(broken: WireError) -> Self {
        Self::Broken(broken)
    }
}

struct Ciphers {
    reading: Rc4,
    writing: Rc4,
}

/// A connection.
pub struct Channel {
    wire: ServerWire,
    ciphers: Option<Box<Ciphers>>,
}

impl Channel {
    /// Over a connection where nothing has been said.
    pub fn new(wire: ServerWire) -> Self {
        Self { wire, ciphers: None }
    }

    /// A statement begins: it has this much time.
    pub fn begin(&mut self, within: Duration) {
        self.wire.begin(within);
    }

    /// Whether nothing has come unasked.
    pub fn is_quiet(&self) -> bool {
        self.wire.is_quiet()
    }

    /// Counts values of a row.
    pub fn charge(&mut self, values: usize) -> Result<(), WireError> {
        self.wire.charge(values)
    }

    /// All that follows is encrypted.
    pub fn encrypt(&mut self, key: &[u8]) -> Result<(), WireError> {
        let cipher = || Rc4::new_from_slice(key).map_err(|_| WireError::Garbage);
        self.ciphers = Some(Box::new(Ciphers { reading: cipher()?, writing: cipher()? }));
        Ok(())
    }

    /// Sends requests at once.
    pub fn send(
        &mut self,
        requests: impl IntoIterator<Item = FirebirdRequest>,
    ) -> Result<(), WireError> {
        let mut bytes = Vec::new();
        for request in requests {
            bytes.extend_from_slice(&request.0);
        }
        if let Some(ciphers) = &mut self.ciphers {
            ciphers.writing.apply_keystream(&mut bytes);
        }
        self.wire.send(&bytes)
    }

    /// Reads so many bytes, and what fills them up.
    pub fn bytes(&mut self, count: usize) -> Result<Vec<u8>, WireError> {
        let whole = count.checked_add(padding(count)).ok_or(WireError::TooMuch)?;
        let mut bytes = self.wire.take(whole)?;
        if let Some(ciphers) = &mut self.ciphers {
            ciphers.reading.apply_keystream(&mut bytes);
        }
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Reads a number.
    pub fn number(&mut self) -> Result<u32, WireError> {
        let bytes = self.bytes(4)?;
        Ok(u32::from_be_bytes(bytes.try_into().map_err(|_| WireError::Garbage)?))
    }

    /// Reads a text.
    pub fn text(&mut self) -> Result<Vec<u8>, WireError> {
        let length = self.number()?;
        self.bytes(usize::try_from(length).map_err(|_| WireError::TooMuch)?)
    }

    /// What the server's next message is.
    pub fn operation(&mut self) -> Result<u32, WireError> {
        loop {
            match self.number()? {
                DUMMY => {}
                operation => return Ok(operation),
            }
        }
    }

    /// The server's word on a request.
    pub fn response(&mut self) -> Result<Response, Failed> {
        match self.operation()? {
            RESPONSE => self.rest_of_response(),
            _ => Err(WireError::Garbage.into()),
        }
    }

    /// The server's word, once it is known to be one.
    pub fn rest_of_response(&mut self) -> Result<Response, Failed> {
        let handle = self.number()?;
        // A number that names a blob, for those who make one.
        self.bytes(8)?;
        let data = self.text()?;
        match FirebirdError::read(self)? {
            Some(complaint) => Err(Failed::Refused(complaint)),
            None => Ok(Response { handle, data }),
        }
    }
}

/// Whether an operation is the server's word on a request.
pub fn is_response(operation: u32) -> bool {
    operation == RESPONSE
}
