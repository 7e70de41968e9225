//! What both libraries need.

use std::ffi::CString;

use libloading::os::unix::Library;

/// Loads the first library that is there, by the names that it has had.
///
/// # Safety
/// Both are libraries that may be loaded at any time.
pub unsafe fn first(names: [&str; 2]) -> Result<Library, libloading::Error> {
    let [newer, older] = names;
    // SAFETY: as the caller says.
    unsafe { Library::new(newer).or_else(|why| Library::new(older).map_err(|_| why)) }
}

/// A text for C, which can't hold a zero byte.
pub fn text(bytes: &[u8]) -> Option<CString> {
    CString::new(bytes).ok()
}
