//! What is asked of databases and shared objects, and their answers, as bytes.

use eximious_core::world::{DatabaseAnswer, DatabaseError, ForeignAnswer, ForeignError, Rows};

use super::super::asking::{Asked, DatabaseKind, Told};
use super::Wire;

structs! {
    Rows { columns, rows }
    ForeignAnswer { code, text }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_bytes().to_vec().put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Self::from_utf8(Wire::take(from)?).ok()
    }
}

impl Wire for DatabaseKind {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Lmdb => out.push(0),
            Self::Cdb => out.push(1),
            Self::Dbm => out.push(2),
            Self::Sqlite(lock_timeout) => {
                out.push(3);
                lock_timeout.put(out);
            }
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Lmdb,
            1 => Self::Cdb,
            2 => Self::Dbm,
            3 => Self::Sqlite(Wire::take(from)?),
            _ => return None,
        })
    }
}

impl Wire for Asked {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Database { kind, file, key } => {
                out.push(0);
                kind.put(out);
                file.put(out);
                key.put(out);
            }
            Self::Function { file, function, args } => {
                out.push(1);
                file.put(out);
                function.put(out);
                args.put(out);
            }
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Database {
                kind: Wire::take(from)?,
                file: Wire::take(from)?,
                key: Wire::take(from)?,
            },
            1 => Self::Function {
                file: Wire::take(from)?,
                function: Wire::take(from)?,
                args: Wire::take(from)?,
            },
            _ => return None,
        })
    }
}

impl Wire for Told {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Found(found) => {
                out.push(0);
                found.put(out);
            }
            Self::Returned(returned) => {
                out.push(1);
                returned.put(out);
            }
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Found(Wire::take(from)?),
            1 => Self::Returned(Wire::take(from)?),
            _ => return None,
        })
    }
}

impl Wire for DatabaseAnswer {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Missing => out.push(0),
            Self::Value(value) => {
                out.push(1);
                value.put(out);
            }
            Self::Rows(rows) => {
                out.push(2);
                rows.put(out);
            }
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Missing,
            1 => Self::Value(Wire::take(from)?),
            2 => Self::Rows(Wire::take(from)?),
            _ => return None,
        })
    }
}

impl Wire for DatabaseError {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Open(why) => {
                out.push(0);
                why.put(out);
            }
            Self::Header(why) => {
                out.push(1);
                why.put(out);
            }
            Self::Other(why) => {
                out.push(2);
                why.put(out);
            }
            Self::Short => out.push(3),
            Self::Corrupt => out.push(4),
            Self::TooMuch => out.push(5),
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Open(Wire::take(from)?),
            1 => Self::Header(Wire::take(from)?),
            2 => Self::Other(Wire::take(from)?),
            3 => Self::Short,
            4 => Self::Corrupt,
            5 => Self::TooMuch,
            _ => return None,
        })
    }
}

impl Wire for ForeignError {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Open(why) => {
                out.push(0);
                why.put(out);
            }
            Self::Find(why) => {
                out.push(1);
                why.put(out);
            }
            Self::NotBuilt => out.push(2),
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Open(Wire::take(from)?),
            1 => Self::Find(Wire::take(from)?),
            2 => Self::NotBuilt,
            _ => return None,
        })
    }
}
