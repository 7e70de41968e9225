//! The calls into a library of GSS-API (RFC 2744), and the mechanism GSSAPI of SASL on top of
//! it, the server's side (RFC 4752). Heimdal's library and MIT's have the same functions;
//! which of them is there, that one is taken.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::{null, null_mut};
use std::sync::{Mutex, PoisonError};

use libloading::os::unix::Library;

use crate::{Once, SaslFault, Step, functions, text};

/// The libraries: Heimdal's, and MIT's.
const LIBRARIES: [&str; 2] = ["libgssapi.so.3", "libgssapi_krb5.so.2"];

/// `GSS_S_CONTINUE_NEEDED`
const CONTINUE_NEEDED: u32 = 1;
/// Errors stand in the upper half of a status (RFC 2744, 3.9.1).
const ERRORS: u32 = 0xffff_0000;
/// `GSS_C_ACCEPT`
const ACCEPTS: c_int = 2;
/// `GSS_C_GSS_CODE` and `GSS_C_MECH_CODE`
const KINDS_OF_STATUS: [c_int; 2] = [1, 2];
/// `GSS_C_NT_HOSTBASED_SERVICE`: 1.2.840.113554.1.2.1.4
const HOSTBASED_SERVICE: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04";
/// Kerberos, which is what GSSAPI means as a mechanism of SASL: 1.2.840.113554.1.2.2
const KERBEROS: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
/// No security layer, the one that is offered and the one that is taken (RFC 4752, 3.3).
const NO_LAYER: u8 = 1;

#[repr(C)]
struct Buffer {
    length: usize,
    value: *mut c_void,
}

impl Buffer {
    const EMPTY: Self = Self { length: 0, value: null_mut() };

    /// What a library only reads.
    fn of(bytes: &[u8]) -> Self {
        Self { length: bytes.len(), value: bytes.as_ptr().cast_mut().cast() }
    }
}

#[repr(C)]
struct Oid {
    length: u32,
    elements: *mut c_void,
}

impl Oid {
    fn of(bytes: &'static [u8]) -> Self {
        Self { length: bytes.len() as u32, elements: bytes.as_ptr().cast_mut().cast() }
    }
}

/// `gss_OID_set_desc`
#[repr(C)]
struct Oids {
    count: usize,
    elements: *const Oid,
}

/// `gss_key_value_element_desc`
#[repr(C)]
struct KeyValue {
    key: *const c_char,
    value: *const c_char,
}

/// `gss_key_value_set_desc`
#[repr(C)]
struct KeyValues {
    count: u32,
    elements: *const KeyValue,
}

/// A name, credentials or a context of the library.
type Handle = *mut c_void;

type AcquireFrom = unsafe extern "C" fn(
    *mut u32,
    Handle,
    u32,
    *const Oids,
    c_int,
    *const KeyValues,
    *mut Handle,
    *mut c_void,
    *mut u32,
) -> u32;

/// How a file of keys is named.
enum Keys {
    /// With the call that asks for credentials.
    Named(AcquireFrom),
    /// For the whole program, before it; an empty name stands for the system's.
    Registered(unsafe extern "C" fn(*const c_char) -> u32),
}

/// The library's functions.
struct Functions {
    import_name: unsafe extern "C" fn(*mut u32, *const Buffer, *const Oid, *mut Handle) -> u32,
    acquire: unsafe extern "C" fn(
        *mut u32,
        Handle,
        u32,
        *const Oids,
        c_int,
        *mut Handle,
        *mut c_void,
        *mut u32,
    ) -> u32,
    keys: Keys,
    accept: unsafe extern "C" fn(
        *mut u32,
        *mut Handle,
        Handle,
        *const Buffer,
        *const c_void,
        *mut Handle,
        *mut c_void,
        *mut Buffer,
        *mut u32,
        *mut u32,
        *mut c_void,
    ) -> u32,
    display_name: unsafe extern "C" fn(*mut u32, Handle, *mut Buffer, *mut c_void) -> u32,
    wrap: unsafe extern "C" fn(
        *mut u32,
        Handle,
        c_int,
        u32,
        *const Buffer,
        *mut c_int,
        *mut Buffer,
    ) -> u32,
    unwrap: unsafe extern "C" fn(
        *mut u32,
        Handle,
        *const Buffer,
        *mut Buffer,
        *mut c_int,
        *mut u32,
    ) -> u32,
    display_status:
        unsafe extern "C" fn(*mut u32, u32, c_int, *const Oid, *mut u32, *mut Buffer) -> u32,
    release_buffer: unsafe extern "C" fn(*mut u32, *mut Buffer) -> u32,
    release_name: unsafe extern "C" fn(*mut u32, *mut Handle) -> u32,
    release_credentials: unsafe extern "C" fn(*mut u32, *mut Handle) -> u32,
    delete_context: unsafe extern "C" fn(*mut u32, *mut Handle, *mut Buffer) -> u32,
    /// A file of keys may be the whole program's, from when it is named to when it is read.
    turn: Mutex<()>,
    /// The functions are there as long as this is.
    _library: Library,
}

static FUNCTIONS: Once<Functions> = Once::new();

fn load() -> Result<Functions, String> {
    let [first, second] = LIBRARIES;
    loaded(first).or_else(|why| loaded(second).map_err(|other| format!("{why}; {other}")))
}

fn loaded(name: &str) -> Result<Functions, libloading::Error> {
    // SAFETY: the system's own library, which is made to be loaded; the symbols have the
    // types that RFC 2744 and its header give them.
    unsafe {
        let library = Library::new(name)?;
        // MIT's has one, Heimdal's the other.
        let keys = match library.get(b"gss_acquire_cred_from\0") {
            Ok(acquire) => Keys::Named(*acquire),
            Err(_) => Keys::Registered(*library.get(b"gsskrb5_register_acceptor_identity\0")?),
        };
        Ok(Functions {
            import_name: *library.get(b"gss_import_name\0")?,
            acquire: *library.get(b"gss_acquire_cred\0")?,
            keys,
            accept: *library.get(b"gss_accept_sec_context\0")?,
            display_name: *library.get(b"gss_display_name\0")?,
            wrap: *library.get(b"gss_wrap\0")?,
            unwrap: *library.get(b"gss_unwrap\0")?,
            display_status: *library.get(b"gss_display_status\0")?,
            release_buffer: *library.get(b"gss_release_buffer\0")?,
            release_name: *library.get(b"gss_release_name\0")?,
            release_credentials: *library.get(b"gss_release_cred\0")?,
            delete_context: *library.get(b"gss_delete_sec_context\0")?,
            turn: Mutex::new(()),
            _library: library,
        })
    }
}

impl Functions {
    /// What a status says, in the library's words.
    fn words(&self, major: u32, minor: u32) -> String {
        let kerberos = Oid::of(KERBEROS);
        let mut all: Vec<String> = Vec::new();
        for (status, kind) in [major, minor].into_iter().zip(KINDS_OF_STATUS) {
            let (mut own, mut at, mut said) = (0, 0, Buffer::EMPTY);
            // SAFETY: numbers go in; the library writes two of them and a buffer.
            let code = unsafe {
                (self.display_status)(
                    &raw mut own,
                    status,
                    kind,
                    &raw const kerberos,
                    &raw mut at,
                    &raw mut said,
                )
            };
            let said = self.taken(said);
            if code & ERRORS == 0 && !said.is_empty() && status != 0 {
                all.push(String::from_utf8_lossy(&said).trim().to_owned());
            }
        }
        all.join(": ")
    }

    /// An error of this kind, where a status says that something is wrong.
    fn check(
        &self,
        (major, minor): (u32, u32),
        kind: fn(String) -> SaslFault,
    ) -> Result<(), SaslFault> {
        match major & ERRORS {
            0 => Ok(()),
            _ => Err(kind(self.words(major, minor))),
        }
    }

    /// A buffer that the library has made is copied, and given back.
    fn taken(&self, mut buffer: Buffer) -> Vec<u8> {
        let mut bytes = Vec::new();
        if !buffer.value.is_null() {
            // SAFETY: the library says how long it is, and nobody else has it.
            bytes = unsafe {
                std::slice::from_raw_parts(buffer.value.cast::<u8>(), buffer.length).to_vec()
            };
        }
        let mut minor = 0;
        // SAFETY: it is the library's own, and is not used again.
        unsafe { (self.release_buffer)(&raw mut minor, &raw mut buffer) };
        bytes
    }

    /// The server's name, as the library has it.
    fn name(&self, service: &[u8], hostname: &[u8]) -> Result<Handle, SaslFault> {
        let text = [service, b"@", hostname].concat();
        let kind = Oid::of(HOSTBASED_SERVICE);
        let (mut minor, mut name) = (0, null_mut());
        // SAFETY: the text and its kind are only read; a handle is written.
        let major = unsafe {
            (self.import_name)(&raw mut minor, &Buffer::of(&text), &raw const kind, &raw mut name)
        };
        self.check((major, minor), SaslFault::Failed).map(|()| name)
    }

    /// The credentials of that name, from this file of keys or from the system's.
    fn credentials(&self, name: Handle, keytab: &[u8]) -> Result<Handle, SaslFault> {
        let file = text(keytab);
        let kerberos = Oid::of(KERBEROS);
        let mechanisms = Oids { count: 1, elements: &raw const kerberos };
        let (mut minor, mut credentials) = (0, null_mut());
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the name is the library's; texts end in a zero byte and are only read; a
        // handle is written.
        let major = unsafe {
            match (&self.keys, keytab.is_empty()) {
                (Keys::Named(acquire), false) => {
                    let key = KeyValue { key: c"keytab".as_ptr(), value: file.as_ptr() };
                    let keys = KeyValues { count: 1, elements: &raw const key };
                    acquire(
                        &raw mut minor,
                        name,
                        u32::MAX,
                        &raw const mechanisms,
                        ACCEPTS,
                        &raw const keys,
                        &raw mut credentials,
                        null_mut(),
                        null_mut(),
                    )
                }
                (keys, _) => {
                    let registered = match keys {
                        // Nothing is left of what was registered before.
                        Keys::Registered(register) => register(file.as_ptr()),
                        Keys::Named(_) => 0,
                    };
                    match registered & ERRORS {
                        0 => (self.acquire)(
                            &raw mut minor,
                            name,
                            u32::MAX,
                            &raw const mechanisms,
                            ACCEPTS,
                            &raw mut credentials,
                            null_mut(),
                            null_mut(),
                        ),
                        // The system's would be taken.
                        _ => registered,
                    }
                }
            }
        };
        self.check((major, minor), SaslFault::Failed).map(|()| credentials)
    }
}

/// How far a session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The client shows who it is.
    Tokens,
    /// It has the last token, and answers with nothing.
    Shown,
    /// It is asked which layer it wants.
    Layer,
    /// It is over.
    Over,
}

/// The server's side of GSSAPI.
pub struct GssSession {
    functions: &'static Functions,
    credentials: Handle,
    context: Handle,
    client: Handle,
    stage: Stage,
    display_name: Option<Vec<u8>>,
    authorization: Option<Vec<u8>>,
}

// SAFETY: whoever uses a session has it for itself, and the library keeps nothing of it in
// threads.
unsafe impl Send for GssSession {}

impl std::fmt::Debug for GssSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GssSession({:?})", self.stage)
    }
}

impl GssSession {
    /// Begins one, for a service on a host: with a file of keys, or with the system's where
    /// none is named.
    ///
    /// # Errors
    /// There is no library, or it has no key of that service.
    pub fn start(service: &[u8], hostname: &[u8], keytab: &[u8]) -> Result<Self, SaslFault> {
        let functions = functions(&FUNCTIONS, load)?;
        let mut name = functions.name(service, hostname)?;
        let credentials = functions.credentials(name, keytab);
        let mut minor = 0;
        // SAFETY: the name is not used again.
        unsafe { (functions.release_name)(&raw mut minor, &raw mut name) };
        Ok(Self {
            functions,
            credentials: credentials?,
            context: null_mut(),
            client: null_mut(),
            stage: Stage::Tokens,
            display_name: None,
            authorization: None,
        })
    }

    /// Takes what the client says: nothing at first, if nothing was said with the command.
    ///
    /// # Errors
    /// The client is not who it says, wants a layer that was not offered, or says what has no
    /// such form.
    pub fn step(&mut self, said: Option<&[u8]>) -> Result<Step, SaslFault> {
        match (self.stage, said) {
            (Stage::Tokens, None) => Ok(Step::More(Vec::new())),
            (Stage::Tokens, Some(token)) => self.token(token),
            (Stage::Shown, Some(b"")) => self.offer(),
            (Stage::Layer, Some(wrapped)) => self.chosen(wrapped),
            _ => Err(SaslFault::Malformed("nothing was to be said".into())),
        }
    }

    /// Whoever has authenticated, as Kerberos shows the name.
    pub fn display_name(&self) -> Option<&[u8]> {
        self.display_name.as_deref()
    }

    /// As whom the client wants to act, which nobody has verified.
    pub fn authorization(&self) -> Option<&[u8]> {
        self.authorization.as_deref()
    }

    fn token(&mut self, token: &[u8]) -> Result<Step, SaslFault> {
        let functions = self.functions;
        let (mut minor, mut answer) = (0, Buffer::EMPTY);
        // SAFETY: the token is only read; handles and a buffer are written, which this session
        // and `taken` give back.
        let major = unsafe {
            if !self.client.is_null() {
                (functions.release_name)(&raw mut minor, &raw mut self.client);
            }
            (functions.accept)(
                &raw mut minor,
                &raw mut self.context,
                self.credentials,
                &Buffer::of(token),
                null(),
                &raw mut self.client,
                null_mut(),
                &raw mut answer,
                null_mut(),
                null_mut(),
                null_mut(),
            )
        };
        let answer = functions.taken(answer);
        functions.check((major, minor), SaslFault::Refused)?;
        if major & CONTINUE_NEEDED != 0 {
            return Ok(Step::More(answer));
        }
        self.display_name = Some(self.shown()?);
        match answer.is_empty() {
            true => self.offer(),
            false => {
                self.stage = Stage::Shown;
                Ok(Step::More(answer))
            }
        }
    }

    fn shown(&self) -> Result<Vec<u8>, SaslFault> {
        let (mut minor, mut name) = (0, Buffer::EMPTY);
        // SAFETY: the client's name is the library's; a buffer is written.
        let major = unsafe {
            (self.functions.display_name)(&raw mut minor, self.client, &raw mut name, null_mut())
        };
        let name = self.functions.taken(name);
        self.functions.check((major, minor), SaslFault::Refused).map(|()| name)
    }

    /// No layer is offered, and so nothing of any length.
    fn offer(&mut self) -> Result<Step, SaslFault> {
        let functions = self.functions;
        let (mut minor, mut wrapped) = (0, Buffer::EMPTY);
        // SAFETY: the context is there; what is wrapped is only read; a buffer is written.
        let major = unsafe {
            (functions.wrap)(
                &raw mut minor,
                self.context,
                0,
                0,
                &Buffer::of(&[NO_LAYER, 0, 0, 0]),
                null_mut(),
                &raw mut wrapped,
            )
        };
        let wrapped = functions.taken(wrapped);
        functions.check((major, minor), SaslFault::Failed)?;
        self.stage = Stage::Layer;
        Ok(Step::More(wrapped))
    }

    fn chosen(&mut self, wrapped: &[u8]) -> Result<Step, SaslFault> {
        let functions = self.functions;
        let (mut minor, mut chosen) = (0, Buffer::EMPTY);
        // SAFETY: the context is there; what is wrapped is only read; a buffer is written.
        let major = unsafe {
            (functions.unwrap)(
                &raw mut minor,
                self.context,
                &Buffer::of(wrapped),
                &raw mut chosen,
                null_mut(),
                null_mut(),
            )
        };
        let chosen = functions.taken(chosen);
        functions.check((major, minor), SaslFault::Refused)?;
        match *chosen {
            [NO_LAYER, _, _, _, ref authorization @ ..] => {
                self.authorization = Some(authorization.to_vec());
                self.stage = Stage::Over;
                Ok(Step::Done(Vec::new()))
            }
            [_, _, _, _, ..] => Err(SaslFault::Refused("a layer that was not offered".into())),
            _ => Err(SaslFault::Malformed("less than a choice of a layer".into())),
        }
    }
}

impl Drop for GssSession {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: handles that are there are the library's, and are not used again.
        unsafe {
            if !self.context.is_null() {
                (self.functions.delete_context)(&raw mut minor, &raw mut self.context, null_mut());
            }
            if !self.client.is_null() {
                (self.functions.release_name)(&raw mut minor, &raw mut self.client);
            }
            if !self.credentials.is_null() {
                (self.functions.release_credentials)(&raw mut minor, &raw mut self.credentials);
            }
        }
    }
}
