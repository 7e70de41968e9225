//! NIS, after the manual page of its client library (ypclnt(3)).

use std::ffi::{CStr, c_char, c_int};
use std::sync::{Mutex, PoisonError};

use libloading::os::unix::Library;

use crate::NetlibsError;
use crate::loaded::{Once, first, functions, text};

/// The names under which the library is known.
const NAMES: [&str; 2] = ["libnsl.so.2", "libnsl.so.1"];
const SUCCESS: c_int = 0;
/// There is no such map, or no such key in it.
const NOT_THERE: [c_int; 2] = [4, 5];

type DefaultDomain = unsafe extern "C" fn(*mut *mut c_char) -> c_int;
type Match = unsafe extern "C" fn(
    *const c_char,
    *const c_char,
    *const c_char,
    c_int,
    *mut *mut c_char,
    *mut c_int,
) -> c_int;

struct Functions {
    default_domain: DefaultDomain,
    find: Match,
    /// The functions are there as long as this is.
    _library: Library,
}

unsafe extern "C" {
    // The library hands over what `malloc` gave it.
    fn free(memory: *mut c_char);
}

/// The NIS domain that the system belongs to; none where it belongs to none.
///
/// # Errors
/// Where there is no library.
pub fn domain() -> Result<Option<Vec<u8>>, NetlibsError> {
    let functions = functions(&FUNCTIONS, load)?;
    let mut domain = std::ptr::null_mut();
    let _one = one_at_a_time();
    // SAFETY: there is a place for the pointer.
    let code = unsafe { (functions.default_domain)(&raw mut domain) };
    if code != SUCCESS || domain.is_null() {
        return Ok(None);
    }
    // SAFETY: the library points at a text of its own, which ends in a zero
    // byte and stays; no other call is under way that would change it.
    let domain = unsafe { CStr::from_ptr(domain) }.to_bytes().to_vec();
    Ok(Some(domain).filter(|domain| !domain.is_empty()))
}

/// What a map of a domain has for a key.
///
/// # Errors
/// Where there is no library, or no server answers.
pub fn find(domain: &[u8], map: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, NetlibsError> {
    let functions = functions(&FUNCTIONS, load)?;
    let (Some(domain), Some(map)) = (text(domain), text(map)) else { return Ok(None) };
    let Ok(length) = c_int::try_from(key.len()) else { return Ok(None) };
    // The library looks at the first byte, also where there is none.
    let key = [key, &[0]].concat();
    let (mut value, mut size) = (std::ptr::null_mut(), 0);
    let _one = one_at_a_time();
    // SAFETY: all texts end in zero bytes, the key has this length before that,
    // and there are places for the pointer and the size.
    let code = unsafe {
        (functions.find)(
            domain.as_ptr(),
            map.as_ptr(),
            key.as_ptr().cast(),
            length,
            &raw mut value,
            &raw mut size,
        )
    };
    match code {
        SUCCESS if !value.is_null() => {
            let size = usize::try_from(size).unwrap_or_default();
            // SAFETY: the library says that so many bytes are there.
            let bytes = unsafe { std::slice::from_raw_parts(value.cast::<u8>(), size) }.to_vec();
            // SAFETY: the memory is ours now, and not used again.
            unsafe { free(value) };
            Ok(Some(bytes))
        }
        SUCCESS => Ok(None),
        code if NOT_THERE.contains(&code) => Ok(None),
        _ => Err(NetlibsError::Failed(Vec::new())),
    }
}

/// The library keeps what it knows of its server for all threads.
fn one_at_a_time() -> impl Drop {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

static FUNCTIONS: Once<Functions> = Once::new();

fn load() -> Result<Functions, libloading::Error> {
    // SAFETY: the system's own library, which is made to be loaded; the
    // symbols have the types that its manual gives them.
    unsafe {
        let library = first(NAMES)?;
        Ok(Functions {
            default_domain: *library.get::<DefaultDomain>(b"yp_get_default_domain\0")?,
            find: *library.get::<Match>(b"yp_match\0")?,
            _library: library,
        })
    }
}
