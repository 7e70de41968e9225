//! The calls into Cyrus SASL, after its manual pages (sasl_server_init(3),
//! sasl_server_new(3), sasl_server_start(3), sasl_server_step(3),
//! sasl_getprop(3)).

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr::{null, null_mut};
use std::sync::{Mutex, PoisonError};

use libloading::os::unix::Library;

use crate::{Once, SaslFault, Step, functions, text, words};

const OK: c_int = 0;
const CONTINUE: c_int = 1;
const NO_MECHANISM: c_int = -4;
/// The protocol was not kept, or the proof is wrong.
const MALFORMED: [c_int; 2] = [-5, -9];
/// Wrong passwords, unknown, expired, locked users, and users who may not act as
/// others.
const REFUSALS: [c_int; 7] = [-13, -14, -15, -18, -19, -20, -21];
/// The name of whoever has authenticated.
const USERNAME: c_int = 0;

/// Under this name the library looks for its settings.
const PROGRAM: &std::ffi::CStr = c"exim";

#[repr(C)]
struct Connection {
    opaque: [u8; 0],
}

type Answer = unsafe extern "C" fn(
    *mut Connection,
    *const c_char,
    c_uint,
    *mut *const c_char,
    *mut c_uint,
) -> c_int;

/// The library's functions.
struct Functions {
    new: unsafe extern "C" fn(
        *const c_char,
        *const c_char,
        *const c_char,
        *const c_char,
        *const c_char,
        *const c_void,
        c_uint,
        *mut *mut Connection,
    ) -> c_int,
    start: unsafe extern "C" fn(
        *mut Connection,
        *const c_char,
        *const c_char,
        c_uint,
        *mut *const c_char,
        *mut c_uint,
    ) -> c_int,
    step: Answer,
    getprop: unsafe extern "C" fn(*mut Connection, c_int, *mut *const c_void) -> c_int,
    errstring: unsafe extern "C" fn(c_int, *const c_char, *mut *const c_char) -> *const c_char,
    dispose: unsafe extern "C" fn(*mut *mut Connection),
    /// The library keeps things that belong to no connection, and has no locks of
    /// its own.
    turn: Mutex<()>,
    /// The functions are there as long as this is.
    _library: Library,
}

static FUNCTIONS: Once<Functions> = Once::new();

fn load() -> Result<Functions, String> {
    type Init = unsafe extern "C" fn(*const c_void, *const c_char) -> c_int;
    // SAFETY: the system's own library, which is made to be loaded; the symbols
    // have the types that its manual gives them.
    let found = unsafe {
        let library = Library::new("libsasl2.so.2").map_err(|error| error.to_string())?;
        let find = || -> Result<_, libloading::Error> {
            let init: Init = *library.get(b"sasl_server_init\0")?;
            Ok((
                init,
                *library.get(b"sasl_server_new\0")?,
                *library.get(b"sasl_server_start\0")?,
                *library.get::<Answer>(b"sasl_server_step\0")?,
                *library.get(b"sasl_getprop\0")?,
                *library.get(b"sasl_errstring\0")?,
                *library.get(b"sasl_dispose\0")?,
            ))
        };
        find().map(|found| (found, library)).map_err(|error| error.to_string())?
    };
    let ((init, new, start, step, getprop, errstring, dispose), library) = found;
    // SAFETY: no callbacks; the name stays. Nothing else of the library was called.
    let code = unsafe { init(null(), PROGRAM.as_ptr()) };
    if code != OK {
        return Err(format!("Cyrus SASL can't be initialized: error {code}"));
    }
    let turn = Mutex::new(());
    Ok(Functions { new, start, step, getprop, errstring, dispose, turn, _library: library })
}

/// The server's side of a mechanism.
pub struct CyrusSession {
    functions: &'static Functions,
    connection: *mut Connection,
    mechanism: Vec<u8>,
    started: bool,
}

// SAFETY: the library keeps nothing in threads, and whoever uses a session has it
// for itself; what sessions share is used in turn.
unsafe impl Send for CyrusSession {}

impl std::fmt::Debug for CyrusSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

/// Who speaks.
#[derive(Clone, Debug, Default)]
pub struct Peers<'p> {
    /// The service: `smtp`.
    pub service: &'p [u8],
    /// This host's name.
    pub hostname: &'p [u8],
    /// The realm; empty for none.
    pub realm: &'p [u8],
    /// This end's address: `192.0.2.1;25`; may be empty.
    pub local: &'p [u8],
    /// The other end's; may be empty.
    pub remote: &'p [u8],
}

impl CyrusSession {
    /// Begins the server's side of a mechanism.
    ///
    /// # Errors
    /// There is no library, or it can't begin.
    pub fn start(mechanism: &[u8], peers: &Peers<'_>) -> Result<Self, SaslFault> {
        let functions = functions(&FUNCTIONS, load)?;
        let _turn = functions.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = [peers.service, peers.hostname, peers.realm, peers.local, peers.remote];
        let texts = texts.map(text);
        let [service, hostname, realm, local, remote] =
            texts.each_ref().map(|text| if text.is_empty() { null() } else { text.as_ptr() });
        let mut connection = null_mut();
        // SAFETY: each text ends in a zero byte, or is none; the library copies
        // them, and writes one pointer.
        let code = unsafe {
            (functions.new)(service, hostname, realm, local, remote, null(), 0, &raw mut connection)
        };
        let mechanism = mechanism.to_vec();
        let session = Self { functions, connection, mechanism, started: false };
        session.check(code)?;
        Ok(session)
    }

    /// Takes what the client says: with the first step, nothing at all may have
    /// been said.
    ///
    /// # Errors
    /// The client is refused, or what it says makes no sense.
    pub fn step(&mut self, said: Option<&[u8]>) -> Result<Step, SaslFault> {
        let functions = self.functions;
        let _turn = functions.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let pointer = said.map_or(null(), |said| said.as_ptr().cast());
        let length = said.map_or(0, <[u8]>::len);
        let length = c_uint::try_from(length)
            .map_err(|_| SaslFault::Malformed("the response is too long".into()))?;
        let (mut output, mut count) = (null(), 0);
        let mechanism = text(&self.mechanism);
        // SAFETY: the connection lives; what is said is as long as it says, and the
        // library writes one pointer and one number.
        let code = unsafe {
            match std::mem::replace(&mut self.started, true) {
                false => (functions.start)(
                    self.connection,
                    mechanism.as_ptr(),
                    pointer,
                    length,
                    &raw mut output,
                    &raw mut count,
                ),
                true => (functions.step)(
                    self.connection,
                    pointer,
                    length,
                    &raw mut output,
                    &raw mut count,
                ),
            }
        };
        let mut answer = Vec::new();
        if !output.is_null() && matches!(code, OK | CONTINUE) {
            // SAFETY: the library says how long what it gives is, and keeps it until
            // the next call; it is copied at once.
            answer =
                unsafe { std::slice::from_raw_parts(output.cast::<u8>(), count as usize) }.to_vec();
        }
        match code {
            CONTINUE => Ok(Step::More(answer)),
            _ => self.check(code).map(|()| Step::Done(answer)),
        }
    }

    /// Whoever has authenticated.
    pub fn user(&self) -> Option<Vec<u8>> {
        let _turn = self.functions.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut value = null();
        // SAFETY: the connection lives; the library writes one pointer.
        let code = unsafe { (self.functions.getprop)(self.connection, USERNAME, &raw mut value) };
        if code != OK {
            return None;
        }
        // SAFETY: this property is a text that the library keeps.
        unsafe { words(value.cast()) }
    }

    fn check(&self, code: c_int) -> Result<(), SaslFault> {
        let said = || {
            // SAFETY: no languages, and none is asked back; the text is the library's
            // own, and stays.
            let words = unsafe { words((self.functions.errstring)(code, null(), null_mut())) };
            String::from_utf8_lossy(&words.unwrap_or_default()).into_owned()
        };
        Err(match code {
            OK => return Ok(()),
            NO_MECHANISM => SaslFault::Unknown,
            code if REFUSALS.contains(&code) => SaslFault::Refused(said()),
            code if MALFORMED.contains(&code) => SaslFault::Malformed(said()),
            _ => SaslFault::Failed(said()),
        })
    }
}

impl Drop for CyrusSession {
    fn drop(&mut self) {
        let _turn = self.functions.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: it is not used again; the library takes a null pointer, too.
        unsafe { (self.functions.dispose)(&raw mut self.connection) };
    }
}
