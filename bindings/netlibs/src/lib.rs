//! Clients of old network services that only the system's libraries know how
//! to ask: NIS (`libnsl`) and whoson (`libwhoson`).
//!
//! A library is loaded when it is first asked, so that a program with this
//! crate in it starts where there is none. How long an answer may take is the
//! library's matter.

mod loaded;
pub mod nis;
pub mod whoson;

use std::fmt;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NetlibsError {
    /// The library can't be loaded: the system's words.
    Missing(String),
    /// It has no answer: its words, which may be empty.
    Failed(Vec<u8>),
}

impl fmt::Display for NetlibsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(why) => f.write_str(why),
            Self::Failed(why) => f.write_str(&String::from_utf8_lossy(why)),
        }
    }
}

impl std::error::Error for NetlibsError {}
