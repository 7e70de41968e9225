//! Whoson, after the manual page of its client library (whoson(3)).

use std::ffi::{c_char, c_int};
use std::sync::{Mutex, PoisonError};

use libloading::os::unix::Library;

use crate::NetlibsError;
use crate::loaded::{Once, first, functions, text};

/// The names under which the library is known.
const NAMES: [&str; 2] = ["libwhoson.so.0", "libwhoson.so"];
const POSITIVE: c_int = 0;
const NEGATIVE: c_int = 1;
/// How long an answer may be, with the zero byte at its end.
const LONGEST: usize = 1024;

type Query = unsafe extern "C" fn(*mut c_char, *mut c_char, c_int) -> c_int;

struct Functions {
    query: Query,
    /// The function is there as long as this is.
    _library: Library,
}

/// The name of the user who is logged in from an address, if anybody is.
///
/// # Errors
/// Where there is no library, or the service has no answer.
pub fn user_at(address: &[u8]) -> Result<Option<Vec<u8>>, NetlibsError> {
    static ONE: Mutex<()> = Mutex::new(());
    let functions = functions(&FUNCTIONS, load)?;
    let Some(address) = text(address) else { return Ok(None) };
    // The library takes its arguments as texts that it might change.
    let mut address = address.into_bytes_with_nul();
    let mut answer = [0u8; LONGEST];
    // It keeps one connection for all threads.
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the address ends in a zero byte, and the answer has the room that
    // is stated.
    let code = unsafe {
        (functions.query)(address.as_mut_ptr().cast(), answer.as_mut_ptr().cast(), LONGEST as c_int)
    };
    let end = answer.iter().position(|byte| *byte == 0).unwrap_or(LONGEST);
    let answer = answer[..end].to_vec();
    match code {
        POSITIVE => Ok(Some(answer)),
        NEGATIVE => Ok(None),
        _ => Err(NetlibsError::Failed(answer)),
    }
}

static FUNCTIONS: Once<Functions> = Once::new();

fn load() -> Result<Functions, libloading::Error> {
    // SAFETY: the system's own library, which is made to be loaded; the symbol
    // has the type that its manual gives it.
    unsafe {
        let library = first(NAMES)?;
        Ok(Functions { query: *library.get::<Query>(b"wso_query\0")?, _library: library })
    }
}
