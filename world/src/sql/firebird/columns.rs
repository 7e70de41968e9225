//! The columns of an answer: what the server says of them, how it is to send
//! them, and what it sends.

use super::super::wire::{Broken, Packet};
use super::channel::Channel;

/// What is asked of a statement: what it does, and of each column its type, how
/// long it is, and its name.
pub const QUESTIONS: &[u8] =
    &[KIND, SELECT, VARIABLES, SEQUENCE, TYPE, SUBTYPE, LENGTH, ALIAS, VARIABLE_END];

const END: u8 = 1;
const TRUNCATED: u8 = 2;
const SELECT: u8 = 4;
const VARIABLES: u8 = 7;
const VARIABLE_END: u8 = 8;
const SEQUENCE: u8 = 9;
const TYPE: u8 = 11;
const SUBTYPE: u8 = 12;
const LENGTH: u8 = 14;
const ALIAS: u8 = 19;
const KIND: u8 = 21;

/// Types of columns; what is added to them says that there may be a NULL.
const VARYING: u32 = 448;
const FIXED: u32 = 452;
const BLOB: u32 = 520;
const ARRAY: u32 = 540;

/// The character set of what is no text.
const OCTETS: u32 = 1;
/// No value that is no text is longer, written out.
const WRITTEN: u16 = 100;

/// What a statement does, and what comes of it.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Described {
    /// What it does.
    pub kind: u32,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: Vec<u8>,
    r#type: u32,
    subtype: u32,
    length: u16,
}

/// Why nothing can be made of an answer.
pub enum Unfit {
    /// It is none.
    Broken(Broken),
    /// There is more than is said at once.
    TooMany,
    /// A column is an array.
    Array,
}

impl From<Broken> for Unfit {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl Described {
    /// Reads a server's answer to the questions.
    pub fn read(data: &[u8]) -> Result<Self, Unfit> {
        let mut data = Packet(data);
        let mut described = Self::default();
        let mut column = Column::default();
        loop {
            match data.byte()? {
                END => break,
                TRUNCATED => return Err(Unfit::TooMany),
                SELECT => {}
                VARIABLE_END => described.columns.push(std::mem::take(&mut column)),
                item => {
                    let length = u16::from_le_bytes(data.array()?);
                    let value = data.take(usize::from(length))?;
                    match item {
                        KIND => described.kind = little(value),
                        TYPE => column.r#type = little(value) & !1,
                        SUBTYPE => column.subtype = little(value),
                        LENGTH => {
                            column.length =
                                u16::try_from(little(value)).map_err(|_| Broken::Garbage)?
                        }
                        ALIAS => column.name = value.to_vec(),
                        // How many there are, and which one it is.
                        VARIABLES | SEQUENCE => {}
                        _ => return Err(Broken::Garbage.into()),
                    }
                }
            }
        }
        if described.columns.iter().any(|column| column.r#type == ARRAY) {
            return Err(Unfit::Array);
        }
        Ok(described)
    }

    /// How the server is to send a row: everything as text, which it makes of
    /// numbers and times itself, but for blobs.
    pub fn wanted(&self) -> Vec<u8> {
        // A version, and one message, numbered zero.
        let mut out = vec![5, 2, 4, 0];
        let count = u16::try_from(self.columns.len() * 2).unwrap_or(u16::MAX);
        out.extend_from_slice(&count.to_le_bytes());
        for column in &self.columns {
            if column.is_blob() {
                out.extend_from_slice(&[9, 0]);
            } else {
                let is_text = matches!(column.r#type, VARYING | FIXED);
                let length = if is_text { column.length } else { WRITTEN };
                // In no character set: its bytes are left alone.
                out.extend_from_slice(&[38, 0, 0]);
                out.extend_from_slice(&length.to_le_bytes());
            }
            // Whether it is a NULL.
            out.extend_from_slice(&[7, 0]);
        }
        out.extend_from_slice(&[255, 76]);
        out
    }

    /// Reads a row. In place of a blob stands its number.
    pub fn row(&self, channel: &mut Channel) -> Result<Vec<Option<Vec<u8>>>, Broken> {
        channel.charge(self.columns.len() + 1)?;
        let nulls = channel.bytes(self.columns.len().div_ceil(8))?;
        let mut row = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            let is_null = nulls.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 != 0);
            row.push(match column {
                _ if is_null => None,
                column if column.is_blob() => Some(channel.bytes(8)?),
                column => Some(column.trimmed(channel.text()?)),
            });
        }
        Ok(row)
    }
}

impl Column {
    /// Whether its values are read one by one.
    pub fn is_blob(&self) -> bool {
        self.r#type == BLOB
    }

    /// A text that is always of the same length ends in blanks, which mean
    /// nothing: there are as many as the longest characters would need room.
    fn trimmed(&self, mut text: Vec<u8>) -> Vec<u8> {
        if self.r#type == FIXED && self.subtype & 0xff != OCTETS {
            let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at + 1);
            text.truncate(end);
        }
        text
    }
}

/// A number of up to four bytes.
pub fn little(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).rev().fold(0, |all, byte| all << 8 | u32::from(*byte))
}
