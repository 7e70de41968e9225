//! The calls into Linux-PAM, after its manual pages (pam(3), pam_conv(3),
//! pam_start(3), pam_authenticate(3), pam_acct_mgmt(3)).

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::OnceLock;

use libloading::os::unix::Library;

use crate::PamError;

const SUCCESS: c_int = 0;
const BUFFER_ERROR: c_int = 5;
const CONVERSATION_ERROR: c_int = 19;
/// Wrong password, unknown user, account that has expired: these say no, and
/// all others that something is wrong.
const REFUSALS: [c_int; 3] = [7, 10, 13];
/// Modules are not to say anything of their own.
const SILENT: c_int = 0x8000;
/// Questions, with the answer hidden or shown.
const QUESTIONS: [c_int; 2] = [1, 2];
/// Things to be told: an error, and a hint.
const REMARKS: [c_int; 2] = [3, 4];
/// More questions at once are an error; the library's own limit.
const MOST_QUESTIONS: c_int = 32;

#[repr(C)]
struct Question {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Reply {
    text: *mut c_char,
    code: c_int,
}

type Talk =
    unsafe extern "C" fn(c_int, *const *const Question, *mut *mut Reply, *mut c_void) -> c_int;

#[repr(C)]
struct Conversation {
    talk: Talk,
    data: *mut c_void,
}

/// What the library keeps; only it looks inside.
#[repr(C)]
struct Handle {
    opaque: [u8; 0],
}

type Start = unsafe extern "C" fn(
    *const c_char,
    *const c_char,
    *const Conversation,
    *mut *mut Handle,
) -> c_int;
type Step = unsafe extern "C" fn(*mut Handle, c_int) -> c_int;
type Words = unsafe extern "C" fn(*mut Handle, c_int) -> *const c_char;

/// The library's functions.
struct Functions {
    start: Start,
    authenticate: Step,
    account: Step,
    end: Step,
    words: Words,
    /// The functions are there as long as this is.
    _library: Library,
}

unsafe extern "C" {
    // The modules give back what the replies lie in with `free`.
    fn calloc(count: usize, size: usize) -> *mut c_void;
    fn strdup(text: *const c_char) -> *mut c_char;
    fn free(memory: *mut c_void);
}

/// The answers, and how far the conversation has come.
struct Answers<'a> {
    rest: std::slice::Iter<'a, CString>,
    ended: bool,
}

/// See [`crate::authenticate`].
pub fn authenticate(service: &[u8], user: &[u8], answers: &[Vec<u8>]) -> Result<bool, PamError> {
    let functions = functions()?;
    let (service, user) = (text(service), text(user));
    let answers: Vec<CString> = answers.iter().map(|answer| text(answer)).collect();
    let mut state = Answers { rest: answers.iter(), ended: false };
    let conversation = Conversation { talk, data: (&raw mut state).cast() };
    let mut handle = std::ptr::null_mut();
    // SAFETY: the texts end in zero bytes; they, the conversation and what it
    // points to live until `end`, after which the library forgets them.
    let mut code = unsafe {
        (functions.start)(service.as_ptr(), user.as_ptr(), &raw const conversation, &raw mut handle)
    };
    if code == SUCCESS {
        // SAFETY: the handle is the one that the library has just made.
        code = unsafe { (functions.authenticate)(handle, SILENT) };
    }
    if code == SUCCESS {
        // SAFETY: as above.
        code = unsafe { (functions.account)(handle, SILENT) };
    }
    let answer = match code {
        SUCCESS => Ok(true),
        code if REFUSALS.contains(&code) => Ok(false),
        code => Err(PamError::Failed(words(functions, handle, code))),
    };
    if !handle.is_null() {
        // SAFETY: the handle is not used again.
        unsafe { (functions.end)(handle, code) };
    }
    answer
}

/// A text for C: it ends at its first zero byte.
fn text(bytes: &[u8]) -> CString {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    CString::new(&bytes[..end]).unwrap_or_default()
}

fn words(functions: &Functions, handle: *mut Handle, code: c_int) -> Vec<u8> {
    // SAFETY: the library looks at the code alone, and gives a text of its
    // own that stays, or a null pointer.
    let words = unsafe { (functions.words)(handle, code) };
    if words.is_null() {
        return format!("PAM error {code}").into_bytes();
    }
    // SAFETY: it is a text that ends in a zero byte.
    unsafe { CStr::from_ptr(words) }.to_bytes().to_vec()
}

fn functions() -> Result<&'static Functions, PamError> {
    static FUNCTIONS: OnceLock<Result<Functions, String>> = OnceLock::new();
    let functions = FUNCTIONS.get_or_init(|| load().map_err(|error| error.to_string()));
    functions.as_ref().map_err(|why| PamError::Missing(why.clone()))
}

fn load() -> Result<Functions, libloading::Error> {
    // SAFETY: the system's own library, which is made to be loaded; the
    // symbols have the types that its manual gives them.
    unsafe {
        let library = Library::new("libpam.so.0")?;
        Ok(Functions {
            start: *library.get::<Start>(b"pam_start\0")?,
            authenticate: *library.get::<Step>(b"pam_authenticate\0")?,
            account: *library.get::<Step>(b"pam_acct_mgmt\0")?,
            end: *library.get::<Step>(b"pam_end\0")?,
            words: *library.get::<Words>(b"pam_strerror\0")?,
            _library: library,
        })
    }
}

/// What the library calls when a module has questions.
///
/// # Safety
/// The library's promise: `count` pointers to questions, a place for a pointer
/// to as many replies, and the data of the conversation.
unsafe extern "C" fn talk(
    count: c_int,
    questions: *const *const Question,
    replies: *mut *mut Reply,
    data: *mut c_void,
) -> c_int {
    let size = match usize::try_from(count) {
        Ok(size @ 1..) if count <= MOST_QUESTIONS => size,
        _ => return CONVERSATION_ERROR,
    };
    if questions.is_null() || replies.is_null() || data.is_null() {
        return CONVERSATION_ERROR;
    }
    // SAFETY: the data is the value that `authenticate` keeps until the end,
    // and the library calls from that same thread.
    let state = unsafe { &mut *data.cast::<Answers<'_>>() };
    if state.ended {
        return CONVERSATION_ERROR;
    }
    // SAFETY: any count and size may be asked for.
    let list = unsafe { calloc(size, size_of::<Reply>()) }.cast::<Reply>();
    if list.is_null() {
        return BUFFER_ERROR;
    }
    for at in 0..size {
        // SAFETY: there are `count` pointers to questions, none of them null.
        let style = unsafe { (**questions.add(at)).style };
        let reply = if QUESTIONS.contains(&style) {
            state.next()
        } else if REMARKS.contains(&style) {
            Ok(std::ptr::null_mut())
        } else {
            Err(CONVERSATION_ERROR)
        };
        match reply {
            // SAFETY: the list has `count` places.
            Ok(text) => unsafe { (*list.add(at)).text = text },
            Err(code) => {
                // SAFETY: the list was made above with zeros in all places, and
                // nobody else knows it yet.
                unsafe { give_back(list, size) };
                return code;
            }
        }
    }
    // SAFETY: the place for the pointer is the caller's, and not null.
    unsafe { *replies = list };
    SUCCESS
}

/// Frees a list of replies.
///
/// # Safety
/// It was made by `calloc` with this size, and nobody uses it any more.
unsafe fn give_back(list: *mut Reply, size: usize) {
    for at in 0..size {
        // SAFETY: each place holds a text made by `strdup`, or a null pointer.
        unsafe { free((*list.add(at)).text.cast()) };
    }
    // SAFETY: as the caller says.
    unsafe { free(list.cast()) };
}

impl Answers<'_> {
    /// The next answer, as C wants it.
    fn next(&mut self) -> Result<*mut c_char, c_int> {
        let answer = match self.rest.next() {
            Some(answer) => answer.as_c_str(),
            None => {
                self.ended = true;
                c""
            }
        };
        // SAFETY: the text ends in a zero byte.
        let copy = unsafe { strdup(answer.as_ptr()) };
        if copy.is_null() { Err(BUFFER_ERROR) } else { Ok(copy) }
    }
}
