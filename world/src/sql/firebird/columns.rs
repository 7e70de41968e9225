//! The columns of an answer: what the server says of them, how it is to send
//! them, and what it sends.

use super::super::wire::{Packet, WireError};
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
const TIMESTAMP: u32 = 510;
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
    Broken(WireError),
    /// There is more than is said at once.
    TooMany,
    /// A column is an array.
    Array,
}

impl From<WireError> for Unfit {
    fn from(broken: WireError) -> Self {
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
                                u16::try_from(little(value)).map_err(|_| WireError::Garbage)?
                        }
                        ALIAS => column.name = value.to_vec(),
                        // How many there are, and which one it is.
                        VARIABLES | SEQUENCE => {}
                        _ => return Err(WireError::Garbage.into()),
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
    /// numbers and times itself, but for blobs, and for points in time, which it
    /// would write in the manner of old.
    pub fn wanted(&self) -> Vec<u8> {
        // A version, and one message, numbered zero.
        let mut out = vec![5, 2, 4, 0];
        let count = u16::try_from(self.columns.len() * 2).unwrap_or(u16::MAX);
        out.extend_from_slice(&count.to_le_bytes());
        for column in &self.columns {
            if column.is_blob() {
                out.extend_from_slice(&[9, 0]);
            } else if column.r#type == TIMESTAMP {
                out.push(35);
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
    pub fn row(&self, channel: &mut Channel) -> Result<Vec<Option<Vec<u8>>>, WireError> {
        channel.charge(self.columns.len() + 1)?;
        let nulls = channel.bytes(self.columns.len().div_ceil(8))?;
        let mut row = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            let is_null = nulls.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 != 0);
            row.push(match column {
                _ if is_null => None,
                column if column.is_blob() => Some(channel.bytes(8)?),
                column if column.r#type == TIMESTAMP => {
                    let (days, ticks) = (channel.number()?.cast_signed(), channel.number()?);
                    Some(timestamp(days, ticks).ok_or(WireError::Garbage)?.into_bytes())
                }
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

/// A point in time as the server's dialect 3 writes it: days since the day on
/// which their count begins, and what has passed of the day, in ten thousandths
/// of a second.
fn timestamp(days: i32, ticks: u32) -> Option<String> {
    let first = jiff::civil::date(1858, 11, 17);
    let date = first.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    let (seconds, fraction) = (ticks / 10_000, ticks % 10_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(format!("{date} {hours:02}:{minutes:02}:{seconds:02}.{fraction:04}"))
}

/// A number of up to four bytes.
pub fn little(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).rev().fold(0, |all, byte| all << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time() {
        assert_eq!(timestamp(0, 0).as_deref(), Some("1858-11-17 00:00:00.0000"));
        assert_eq!(timestamp(58_850, 110_455_678).as_deref(), Some("2020-01-02 03:04:05.5678"));
        assert_eq!(timestamp(-678_575, 0).as_deref(), Some("0001-01-01 00:00:00.0000"));
        assert_eq!(timestamp(2_973_483, 863_999_999).as_deref(), Some("9999-12-31 23:59:59.9999"));
        assert_eq!(timestamp(i32::MAX, 0), None);
        assert_eq!(timestamp(i32::MIN, u32::MAX), None);
    }

    fn item(out: &mut Vec<u8>, item: u8, value: &[u8]) {
        out.push(item);
        out.extend_from_slice(&u16::try_from(value.len()).expect("a length").to_le_bytes());
        out.extend_from_slice(value);
    }

    #[test]
    fn what_a_server_says_of_columns() {
        let mut said = Vec::new();
        item(&mut said, KIND, &[1, 0, 0, 0]);
        said.push(SELECT);
        item(&mut said, VARIABLES, &[2, 0, 0, 0]);
        for (number, kind, name) in [(1, VARYING + 1, "A"), (2, BLOB, "B")] {
            item(&mut said, SEQUENCE, &[number]);
            item(&mut said, TYPE, &kind.to_le_bytes());
            item(&mut said, LENGTH, &[8, 0]);
            item(&mut said, ALIAS, name.as_bytes());
            said.push(VARIABLE_END);
        }
        let all = [&said[..], &[END]].concat();
        let Ok(described) = Described::read(&all) else { panic!("sound columns") };
        assert_eq!(described.kind, 1);
        assert_eq!(described.columns[0].name, b"A");
        assert!(described.columns[1].is_blob());
        let wanted = [5, 2, 4, 0, 4, 0, 38, 0, 0, 8, 0, 7, 0, 9, 0, 7, 0, 255, 76];
        assert_eq!(described.wanted(), wanted);

        for end in 0..all.len() {
            assert!(matches!(Described::read(&all[..end]), Err(Unfit::Broken(_))), "{end}");
        }
        let cut = [&said[..], &[TRUNCATED]].concat();
        assert!(matches!(Described::read(&cut), Err(Unfit::TooMany)));
    }
}
