//! GNU SASL, Cyrus SASL and GSS-API, for the authenticators gsasl, cyrus_sasl and
//! heimdal_gssapi.
//!
//! Each library is loaded when it is first needed, so that a program with this
//! crate in it starts where there is none. What they read of the system (databases
//! of passwords, Kerberos' files) is the system administrator's matter.

use std::fmt;
use std::sync::OnceLock;

pub mod cyrus;
pub mod gnu;
pub mod gss;

/// Why a library can't go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SaslFault {
    /// The library can't be loaded: the system's words.
    Missing(String),
    /// It knows no such mechanism.
    Unknown,
    /// The other side is not who it says: the library's words.
    Refused(String),
    /// What the other side says has no such form, or came too late: the library's
    /// words.
    Malformed(String),
    /// Anything else: the library's words.
    Failed(String),
}

impl fmt::Display for SaslFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the library does not know the mechanism"),
            Self::Missing(why) | Self::Refused(why) | Self::Malformed(why) | Self::Failed(why) => {
                f.write_str(why)
            }
        }
    }
}

impl std::error::Error for SaslFault {}

/// What a step brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// This is to be said, and an answer has to come.
    More(Vec<u8>),
    /// It is over; this is still to be said, if it is not empty.
    Done(Vec<u8>),
}

/// A library's functions, which are looked for once.
type Once<F> = OnceLock<Result<F, String>>;

/// Gives them; `load` is for the first time.
fn functions<F, E: fmt::Display>(
    once: &'static Once<F>,
    load: fn() -> Result<F, E>,
) -> Result<&'static F, SaslFault> {
    let functions = once.get_or_init(|| load().map_err(|error| error.to_string()));
    functions.as_ref().map_err(|why| SaslFault::Missing(why.clone()))
}

/// A text for C: it ends at its first zero byte.
fn text(bytes: &[u8]) -> std::ffi::CString {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    std::ffi::CString::new(&bytes[..end]).unwrap_or_default()
}

/// A text of a library's own.
///
/// # Safety
/// It is a null pointer, or a text that ends in a zero byte.
unsafe fn words(text: *const std::ffi::c_char) -> Option<Vec<u8>> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller says so.
    Some(unsafe { std::ffi::CStr::from_ptr(text) }.to_bytes().to_vec())
}
