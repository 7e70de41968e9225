//! The calls into GNU SASL, after its manual (info gsasl, "Using the API").

use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;

use libloading::os::unix::Library;

use crate::{Once, SaslFault, Step, functions, text, words};

/// The names under which the library is found, the newest first.
const NAMES: [&str; 2] = ["libgsasl.so.18", "libgsasl.so.7"];

const OK: c_int = 0;
const NEEDS_MORE: c_int = 1;
const UNKNOWN_MECHANISM: c_int = 2;
const TOO_MANY_STEPS: c_int = 3;
const PARSE_ERROR: c_int = 30;
const AUTHENTICATION_ERROR: c_int = 31;
const NO_CALLBACK: c_int = 51;

/// What the library keeps of a value, or asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
#[allow(missing_docs, reason = "each is the library's property of that name")]
pub enum Property {
    AuthId = 1,
    AuthzId = 2,
    Password = 3,
    AnonymousToken = 4,
    Service = 5,
    Hostname = 6,
    GssapiDisplayName = 7,
    Realm = 11,
    ScramIter = 15,
    ScramSalt = 16,
    ScramSaltedPassword = 17,
    CbTlsUnique = 18,
    ScramServerKey = 23,
    ScramStoredKey = 24,
    CbTlsExporter = 25,
    ValidateSimple = 500,
    ValidateExternal = 501,
    ValidateAnonymous = 502,
    ValidateGssapi = 503,
}

impl Property {
    const ALL: [Self; 19] = [
        Self::AuthId,
        Self::AuthzId,
        Self::Password,
        Self::AnonymousToken,
        Self::Service,
        Self::Hostname,
        Self::GssapiDisplayName,
        Self::Realm,
        Self::ScramIter,
        Self::ScramSalt,
        Self::ScramSaltedPassword,
        Self::CbTlsUnique,
        Self::ScramServerKey,
        Self::ScramStoredKey,
        Self::CbTlsExporter,
        Self::ValidateSimple,
        Self::ValidateExternal,
        Self::ValidateAnonymous,
        Self::ValidateGssapi,
    ];
}

/// What is answered to the library's questions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallbackReply {
    /// The value was set, or yes.
    Yes,
    /// No: the other side is not who it says.
    No,
    /// There is no such value.
    Nothing,
}

#[repr(C)]
struct Context {
    opaque: [u8; 0],
}

#[repr(C)]
struct Exchange {
    opaque: [u8; 0],
}

type Callback = unsafe extern "C" fn(*mut Context, *mut Exchange, c_int) -> c_int;

/// The library's functions.
struct Functions {
    init: unsafe extern "C" fn(*mut *mut Context) -> c_int,
    done: unsafe extern "C" fn(*mut Context),
    callback_set: unsafe extern "C" fn(*mut Context, Callback),
    hook_set: unsafe extern "C" fn(*mut Exchange, *mut c_void),
    hook_get: unsafe extern "C" fn(*mut Exchange) -> *mut c_void,
    property_set: unsafe extern "C" fn(*mut Exchange, c_int, *const c_char) -> c_int,
    property_fast: unsafe extern "C" fn(*mut Exchange, c_int) -> *const c_char,
    client_start: unsafe extern "C" fn(*mut Context, *const c_char, *mut *mut Exchange) -> c_int,
    server_start: unsafe extern "C" fn(*mut Context, *const c_char, *mut *mut Exchange) -> c_int,
    step: unsafe extern "C" fn(
        *mut Exchange,
        *const c_char,
        usize,
        *mut *mut c_char,
        *mut usize,
    ) -> c_int,
    finish: unsafe extern "C" fn(*mut Exchange),
    strerror: unsafe extern "C" fn(c_int) -> *const c_char,
    free: unsafe extern "C" fn(*mut c_void),
    /// The functions are there as long as this is.
    _library: Library,
}

static FUNCTIONS: Once<Functions> = Once::new();

fn load() -> Result<Functions, libloading::Error> {
    // SAFETY: the system's own library, which is made to be loaded; the symbols
    // have the types that its manual gives them.
    unsafe {
        let library = Library::new(NAMES[0]).or_else(|_| Library::new(NAMES[1]))?;
        Ok(Functions {
            init: *library.get(b"gsasl_init\0")?,
            done: *library.get(b"gsasl_done\0")?,
            callback_set: *library.get(b"gsasl_callback_set\0")?,
            hook_set: *library.get(b"gsasl_session_hook_set\0")?,
            hook_get: *library.get(b"gsasl_session_hook_get\0")?,
            property_set: *library.get(b"gsasl_property_set\0")?,
            property_fast: *library.get(b"gsasl_property_fast\0")?,
            client_start: *library.get(b"gsasl_client_start\0")?,
            server_start: *library.get(b"gsasl_server_start\0")?,
            step: *library.get(b"gsasl_step\0")?,
            finish: *library.get(b"gsasl_finish\0")?,
            strerror: *library.get(b"gsasl_strerror\0")?,
            free: *library.get(b"gsasl_free\0")?,
            _library: library,
        })
    }
}

/// One side of a mechanism.
pub struct GsaslSession {
    functions: &'static Functions,
    context: *mut Context,
    exchange: *mut Exchange,
    /// Whether it came to its end: the library takes nothing any more.
    over: bool,
}

// SAFETY: the library keeps nothing in threads; a session has a context of its
// own, and whoever uses either has the session for itself.
unsafe impl Send for GsaslSession {}

impl std::fmt::Debug for GsaslSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

/// The values of a session, while the library asks for one of them.
#[derive(Debug)]
pub struct SessionValues<'s> {
    session: &'s Raw,
}

/// What a callback gets hold of.
struct Raw {
    functions: &'static Functions,
    exchange: *mut Exchange,
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Raw")
    }
}

/// Who answers the library's questions.
pub type PropertyCallback<'a> = dyn FnMut(&mut SessionValues<'_>, Property) -> CallbackReply + 'a;

/// What a session's hook points to, during a step.
struct Frame<'f, 'a> {
    answers: &'f mut PropertyCallback<'a>,
    functions: &'static Functions,
}

impl GsaslSession {
    /// Begins one side of a mechanism.
    ///
    /// # Errors
    /// There is no library, or it does not know the mechanism.
    pub fn start(server: bool, mechanism: &[u8]) -> Result<Self, SaslFault> {
        let functions = functions(&FUNCTIONS, load)?;
        let (context, exchange) = (null_mut(), null_mut());
        let mut session = Self { functions, context, exchange, over: false };
        // SAFETY: the library writes one pointer.
        let code = unsafe { (functions.init)(&raw mut session.context) };
        session.check(code)?;
        // SAFETY: the context is the one that was just made; the function lives as
        // long as the program.
        unsafe { (functions.callback_set)(session.context, called) };
        let mechanism = text(mechanism);
        let start = if server { functions.server_start } else { functions.client_start };
        // SAFETY: the text ends in a zero byte, the library writes one pointer.
        let code = unsafe { start(session.context, mechanism.as_ptr(), &raw mut session.exchange) };
        if code != OK {
            session.exchange = null_mut();
        }
        session.check(code)?;
        Ok(session)
    }

    /// Sets a value beforehand.
    pub fn set(&mut self, property: Property, value: &[u8]) {
        self.raw().set(property, value);
    }

    /// A value that the library has.
    pub fn get(&self, property: Property) -> Option<Vec<u8>> {
        self.raw().get(property)
    }

    /// Takes what the other side says, and gives what is to be said. At first,
    /// nothing may have been said.
    ///
    /// # Errors
    /// The other side is refused, or what it says makes no sense.
    pub fn step(
        &mut self,
        input: Option<&[u8]>,
        answers: &mut PropertyCallback<'_>,
    ) -> Result<Step, SaslFault> {
        if self.over {
            return Err(SaslFault::Malformed("nothing was asked any more".into()));
        }
        let functions = self.functions;
        let mut frame = Frame { answers, functions };
        // A zero byte stands behind it: some mechanisms look for one.
        let ended = input.map(|input| [input, b"\0"].concat());
        let pointer = ended.as_ref().map_or(std::ptr::null(), |input| input.as_ptr().cast());
        let (mut output, mut length) = (null_mut(), 0);
        // SAFETY: the frame lives until the hook is taken away below; nothing is
        // called in between but the step.
        let code = unsafe {
            (functions.hook_set)(self.exchange, (&raw mut frame).cast());
            let code = (functions.step)(
                self.exchange,
                pointer,
                input.map_or(0, <[u8]>::len),
                &raw mut output,
                &raw mut length,
            );
            (functions.hook_set)(self.exchange, null_mut());
            code
        };
        let mut said = Vec::new();
        // What stands there after an error is nobody's.
        if !output.is_null() && matches!(code, OK | NEEDS_MORE) {
            // SAFETY: the library says how long what it gives is, and gives it away.
            unsafe {
                said = std::slice::from_raw_parts(output.cast::<u8>(), length).to_vec();
                (functions.free)(output.cast());
            }
        }
        self.over = code != NEEDS_MORE;
        match code {
            NEEDS_MORE => Ok(Step::More(said)),
            _ => self.check(code).map(|()| Step::Done(said)),
        }
    }

    fn raw(&self) -> Raw {
        Raw { functions: self.functions, exchange: self.exchange }
    }

    fn check(&self, code: c_int) -> Result<(), SaslFault> {
        // SAFETY: the library gives a text of its own that stays.
        let said = || unsafe { words((self.functions.strerror)(code)) }.unwrap_or_default();
        let said = || String::from_utf8_lossy(&said()).into_owned();
        Err(match code {
            OK => return Ok(()),
            UNKNOWN_MECHANISM => SaslFault::Unknown,
            AUTHENTICATION_ERROR => SaslFault::Refused(said()),
            PARSE_ERROR | TOO_MANY_STEPS => SaslFault::Malformed(said()),
            _ => SaslFault::Failed(said()),
        })
    }
}

impl Drop for GsaslSession {
    fn drop(&mut self) {
        if !self.exchange.is_null() {
            // SAFETY: it is not used again.
            unsafe { (self.functions.finish)(self.exchange) };
        }
        if !self.context.is_null() {
            // SAFETY: it is not used again, nor is anything made of it.
            unsafe { (self.functions.done)(self.context) };
        }
    }
}

impl SessionValues<'_> {
    /// A value that the library has.
    pub fn get(&self, property: Property) -> Option<Vec<u8>> {
        self.session.get(property)
    }

    /// Gives it a value.
    pub fn set(&mut self, property: Property, value: &[u8]) {
        self.session.set(property, value);
    }
}

impl Raw {
    fn get(&self, property: Property) -> Option<Vec<u8>> {
        // SAFETY: the exchange lives; what the library gives is a text that stays
        // until the property is set anew, and is copied at once.
        unsafe { words((self.functions.property_fast)(self.exchange, property as c_int)) }
    }

    fn set(&self, property: Property, value: &[u8]) {
        let value = text(value);
        // SAFETY: the exchange lives; the text ends in a zero byte, and the library
        // copies it.
        unsafe { (self.functions.property_set)(self.exchange, property as c_int, value.as_ptr()) };
    }
}

/// The library asks for a value, or for a verdict.
unsafe extern "C" fn called(_: *mut Context, exchange: *mut Exchange, property: c_int) -> c_int {
    let Ok(functions) = functions(&FUNCTIONS, load) else { return NO_CALLBACK };
    if exchange.is_null() {
        return NO_CALLBACK;
    }
    // SAFETY: the library calls with a session that lives.
    let frame = unsafe { (functions.hook_get)(exchange) }.cast::<Frame<'_, '_>>();
    let property = Property::ALL.into_iter().find(|one| *one as c_int == property);
    // SAFETY: the hook is set during a step alone, to a frame that lives as long;
    // nobody else uses the frame meanwhile.
    let (Some(frame), Some(property)) = (unsafe { frame.as_mut() }, property) else {
        return NO_CALLBACK;
    };
    let session = Raw { functions: frame.functions, exchange };
    let mut values = SessionValues { session: &session };
    // A panic must not go through the library.
    let answer = catch_unwind(AssertUnwindSafe(|| (frame.answers)(&mut values, property)));
    match answer {
        Ok(CallbackReply::Yes) => OK,
        Ok(CallbackReply::Nothing) => NO_CALLBACK,
        Ok(CallbackReply::No) | Err(_) => AUTHENTICATION_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets both sides of a mechanism speak with each other. What each is told is
    /// the same password.
    fn speak(mechanism: &str, secrets: [&str; 2]) -> Result<bool, SaslFault> {
        let mut server = GsaslSession::start(true, mechanism.as_bytes())?;
        let mut client = GsaslSession::start(false, mechanism.as_bytes())?;
        for session in [&mut server, &mut client] {
            session.set(Property::Service, b"smtp");
            session.set(Property::Hostname, b"mx.test.ex");
            session.set(Property::Realm, b"test.ex");
            // Who could bind to the connection and did not is not believed.
            if mechanism.ends_with("-PLUS") {
                session.set(Property::CbTlsUnique, b"YWJjZGVm");
            }
        }
        client.set(Property::AuthId, b"tim");
        let password = |secret: &'static str| {
            move |values: &mut SessionValues<'_>, property: Property| {
                if property != Property::Password {
                    return CallbackReply::Nothing;
                }
                values.set(Property::Password, secret.as_bytes());
                CallbackReply::Yes
            }
        };
        let leaked = secrets.map(|secret| &*Box::leak(secret.to_owned().into_boxed_str()));
        let (mut of_server, mut of_client) = (password(leaked[0]), password(leaked[1]));
        let mut said = None;
        for _ in 0..8 {
            let asked = match server.step(said.as_deref(), &mut of_server)? {
                Step::Done(said) if said.is_empty() => return Ok(true),
                Step::Done(asked) | Step::More(asked) => asked,
            };
            said = match client.step(Some(&asked), &mut of_client)? {
                Step::More(said) => Some(said),
                Step::Done(said) if said.is_empty() => return Ok(true),
                Step::Done(said) => Some(said),
            };
        }
        Ok(false)
    }

    #[test]
    fn both_sides_of_each_mechanism_understand_each_other() {
        if let Err(SaslFault::Missing(why)) = functions(&FUNCTIONS, load).map(|_| ()) {
            eprintln!("not asked: {why}");
            return;
        }
        let all = [
            "PLAIN",
            "LOGIN",
            "CRAM-MD5",
            "DIGEST-MD5",
            "SCRAM-SHA-1",
            "SCRAM-SHA-1-PLUS",
            "SCRAM-SHA-256",
            "SCRAM-SHA-256-PLUS",
        ];
        for mechanism in all {
            assert_eq!(speak(mechanism, ["geheim", "geheim"]), Ok(true), "{mechanism}");
            assert!(speak(mechanism, ["geheim", "anders"]).is_err(), "{mechanism}");
        }
        assert_eq!(speak("NO-SUCH", ["", ""]), Err(SaslFault::Unknown));
    }

    /// What a client may say instead of what it should.
    #[test]
    fn nonsense_is_refused() {
        let mechanisms = ["PLAIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256", "EXTERNAL"];
        for mechanism in mechanisms {
            for said in
                [&b""[..], b"\0", b"\0\0\0\0", b"n,,n=,r=", b"n,a=\xff,n==,r=x", &[b'a'; 9000]]
            {
                let Ok(mut server) = GsaslSession::start(true, mechanism.as_bytes()) else {
                    return;
                };
                for _ in 0..4 {
                    let _ = server.step(Some(said), &mut |_, _| CallbackReply::Nothing);
                }
            }
        }
    }
}
