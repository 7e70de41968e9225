//! What both libraries need.

use std::ffi::CString;
use std::fmt;
use std::sync::OnceLock;

use libloading::os::unix::Library;

use crate::NetlibsError;

/// Loads the first library that is there, by the names that it has had.
///
/// # Safety
/// Both are libraries that may be loaded at any time.
pub unsafe fn first(names: [&str; 2]) -> Result<Library, libloading::Error> {
    let [newer, older] = names;
    // SAFETY: as the caller says.
    unsafe { Library::new(newer).or_else(|why| Library::new(older).map_err(|_| why)) }
}

/// A library's functions, which are looked for once.
pub type Once<F> = OnceLock<Result<F, String>>;

/// Gives them; `load` is for the first time.
pub fn functions<F, E: fmt::Display>(
    once: &'static Once<F>,
    load: fn() -> Result<F, E>,
) -> Result<&'static F, NetlibsError> {
    let functions = once.get_or_init(|| load().map_err(|error| error.to_string()));
    functions.as_ref().map_err(|why| NetlibsError::Missing(why.clone()))
}

/// A text for C, which can't hold a zero byte.
pub fn text(bytes: &[u8]) -> Option<CString> {
    CString::new(bytes).ok()
}
