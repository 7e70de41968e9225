//! MySQL's packets.

use std::time::Duration;

use super::super::wire::{Packet, ServerWire, WireError};
use crate::tls;

/// A packet that is as long as this has another part.
const LONGEST: usize = 0xff_ffff;

/// Packets over a connection.
pub struct Frames {
    wire: ServerWire,
    number: u8,
}

impl Frames {
    /// Over a connection.
    pub fn new(wire: ServerWire) -> Self {
        Self { wire, number: 0 }
    }

    /// A statement begins: it has this much time.
    pub fn begin(&mut self, within: Duration) {
        self.wire.begin(within);
    }

    /// As [`ServerWire::is_quiet`].
    pub fn is_quiet(&self) -> bool {
        self.wire.is_quiet()
    }

    /// As [`ServerWire::charge`].
    pub fn charge(&mut self, values: usize) -> Result<(), WireError> {
        self.wire.charge(values)
    }

    /// Goes on under TLS.
    pub fn secure(&mut self, settings: &tls::TlsSettings, host: &str) -> Result<(), String> {
        self.wire.secure(settings, host)
    }

    /// A new exchange begins.
    pub fn restart(&mut self) {
        self.number = 0;
    }

    /// Sends a packet.
    pub fn send(&mut self, body: &[u8]) -> Result<(), WireError> {
        let mut rest = body;
        loop {
            let (part, after) = rest.split_at(rest.len().min(LONGEST));
            let length = u32::try_from(part.len()).unwrap_or_default().to_le_bytes();
            let head = [length[0], length[1], length[2], self.number];
            self.number = self.number.wrapping_add(1);
            self.wire.send(&[&head, part].concat())?;
            if part.len() < LONGEST {
                return Ok(());
            }
            rest = after;
        }
    }

    /// Receives a packet.
    pub fn receive(&mut self) -> Result<Vec<u8>, WireError> {
        let mut body = Vec::new();
        loop {
            let [a, b, c, number] = self.wire.array()?;
            if number != self.number {
                return Err(WireError::Garbage);
            }
            self.number = number.wrapping_add(1);
            let length = u32::from_le_bytes([a, b, c, 0]) as usize;
            let part = self.wire.take(length)?;
            if body.is_empty() {
                body = part;
            } else {
                body.extend_from_slice(&part);
            }
            if length < LONGEST {
                return Ok(body);
            }
        }
    }
}

/// A number whose length its first byte tells.
pub fn lenenc(packet: &mut Packet<'_>) -> Result<u64, WireError> {
    let length = match packet.byte()? {
        byte @ ..=0xfa => return Ok(u64::from(byte)),
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        0xfb | 0xff => return Err(WireError::Garbage),
    };
    let mut bytes = [0; 8];
    bytes[..length].copy_from_slice(packet.take(length)?);
    Ok(u64::from_le_bytes(bytes))
}

/// Text after its length.
pub fn lenenc_text<'a>(packet: &mut Packet<'a>) -> Result<&'a [u8], WireError> {
    let length = lenenc(packet)?;
    packet.take(usize::try_from(length).map_err(|_| WireError::Garbage)?)
}

/// What a server complains of.
#[derive(PartialEq, Eq, Debug)]
pub struct MysqlError {
    /// Its words.
    pub words: Vec<u8>,
}

impl MysqlError {
    /// Reads a packet that begins with 0xff.
    pub fn read(packet: &[u8]) -> Self {
        let text = packet.get(3..).unwrap_or_default();
        let text = match text {
            [b'#', _, _, _, _, _, text @ ..] => text,
            text => text,
        };
        Self { words: text.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_lengths() {
        let read = |bytes: &[u8]| lenenc(&mut Packet(bytes)).ok();
        assert_eq!(read(b"\xfa"), Some(250));
        assert_eq!(read(b"\xfc\x01\x02"), Some(0x201));
        assert_eq!(read(b"\xfd\x01\x02\x03"), Some(0x3_0201));
        assert_eq!(read(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff"), Some(u64::MAX));
        for bad in [&b""[..], b"\xfb", b"\xff", b"\xfc\x01", b"\xfe\x01"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        let text = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xffx";
        assert!(lenenc_text(&mut Packet(text)).is_err());
    }

    #[test]
    fn complaints_are_read() {
        let words = |packet: &[u8]| MysqlError::read(packet).words;
        assert_eq!(words(b"\xff\x15\x04#28000Access denied"), b"Access denied");
        assert_eq!(words(b"\xff\x15\x04Too many"), b"Too many");
        assert_eq!(words(b"\xff"), b"");
        assert_eq!(words(b"\xff\x15\x04#280"), b"#280");
    }
}
