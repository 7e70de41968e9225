//! Functions of shared objects, called the way Exim's `dlfunc` calls them
//! (specification 11.5):
//!
//! ```c
//! int function(unsigned char **yield, int argc, unsigned char *argv[]);
//! ```
//!
//! This is C in our process: what such a function does wrong is beyond
//! anyone's control, so that only whoever writes the configuration may name
//! one. An object stays loaded as long as the process lives, and one function
//! runs at a time.

use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Mutex, PoisonError};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// What a function returned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionResult {
    /// Its value.
    pub code: i32,
    /// The text that it left behind, if any.
    pub text: Option<Vec<u8>>,
}

/// Why a function could not be called: the system's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DlfuncError {
    /// The object could not be loaded.
    Open(String),
    /// It has no such function.
    Find(String),
}

impl fmt::Display for DlfuncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(why) | Self::Find(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for DlfuncError {}

type Function = unsafe extern "C" fn(*mut *mut c_char, c_int, *mut *mut c_char) -> c_int;

/// The objects that are loaded.
static LOADED: Mutex<Option<HashMap<Vec<u8>, Library>>> = Mutex::new(None);

/// Calls a function of a shared object, which is loaded if it is not yet.
///
/// # Errors
/// Where the object can't be loaded, or has no such function.
pub fn call(file: &[u8], function: &[u8], args: &[Vec<u8>]) -> Result<FunctionResult, DlfuncError> {
    let name =
        CString::new(function).map_err(|_| DlfuncError::Find("zero byte in a name".into()))?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let libraries = loaded.get_or_insert_default();
    if !libraries.contains_key(file) {
        libraries.insert(file.to_vec(), open(file)?);
    }
    let Some(library) = libraries.get(file) else {
        return Err(DlfuncError::Open("the object is gone".into()));
    };
    // SAFETY: the configuration says that this symbol is a function of the
    // type above; there is nothing else to know it by.
    let found = unsafe { library.get::<Function>(name.to_bytes_with_nul()) };
    let function = found.map_err(|error| DlfuncError::Find(words(&error)))?;
    Ok(run(*function, args))
}

fn open(file: &[u8]) -> Result<Library, DlfuncError> {
    if file.is_empty() {
        return Err(DlfuncError::Open("no file name".into()));
    }
    // SAFETY: loading runs the object's initialisers, which is what whoever
    // names it in a configuration asks for.
    unsafe { Library::open(Some(OsStr::from_bytes(file)), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|error| DlfuncError::Open(words(&error)))
}

/// What the system says, without what the library says around it.
fn words(error: &libloading::Error) -> String {
    match error {
        libloading::Error::DlOpen { source } | libloading::Error::DlSym { source } => {
            source.to_string()
        }
        other => other.to_string(),
    }
}

fn run(function: Function, args: &[Vec<u8>]) -> FunctionResult {
    // The function may write to its arguments, so that each has its own bytes,
    // and a null pointer stands behind the last.
    let mut texts: Vec<Vec<u8>> = args
        .iter()
        .map(|arg| arg.iter().copied().take_while(|c| *c != 0).chain([0]).collect())
        .collect();
    let mut argv: Vec<*mut c_char> = texts.iter_mut().map(|t| t.as_mut_ptr().cast()).collect();
    argv.push(std::ptr::null_mut());
    let count = c_int::try_from(args.len()).unwrap_or(c_int::MAX);
    let mut text: *mut c_char = std::ptr::null_mut();
    // SAFETY: every pointer is to memory that lives until the call is over and
    // that nobody else has; that the function keeps to its type is its
    // author's word.
    let code = unsafe { function(&raw mut text, count, argv.as_mut_ptr()) };
    let text = (!text.is_null()).then(|| {
        // SAFETY: the function leaves a null pointer or a text that ends in a
        // zero byte: static, allocated, or one of its arguments, which are
        // still there.
        unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
    });
    FunctionResult { code, text }
}
