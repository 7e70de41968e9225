//! What the system says of an error, as C's `strerror` words it.

use std::io;

use eximious_core::{Call, Effects, Meta, TaintRule};

static WHO: Meta = Meta::new("rights", Effects::HOST, TaintRule::Result);

/// The system's words, without the number that Rust adds.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) if error.raw_os_error().is_some() => text[..end].to_owned(),
        _ => text,
    }
}

/// That the name of a file, or a directory (`filename`, `dirname`), comes from outside.
pub fn tainted(what: &str, name: &[u8]) -> Vec<u8> {
    [b"Tainted ", what.as_bytes(), b" '", name, b"'"].concat()
}

/// The same of a file that can't be opened: where rights are missing, whose they are stands
/// behind it.
pub fn reason_to_open(call: &mut Call<'_>, error: &io::Error) -> String {
    with_rights(call, reason(error))
}

/// Words of the system that a file can't be opened, with whose rights were not enough.
pub fn with_rights(call: &mut Call<'_>, why: String) -> String {
    if why != "Permission denied" {
        return why;
    }
    match call.with_record(&WHO, |call| call.host().map(|host| host.ids())) {
        Ok((uid, gid)) => format!("{why} (euid={uid} egid={gid})"),
        // Who may not know it is not told.
        Err(_) => why,
    }
}
