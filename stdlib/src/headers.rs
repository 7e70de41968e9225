//! What `$h_NAME:` and its kin give (specification 11.5, `$header_`).

use eximious_core::grammar::expansion::HeaderView;
use eximious_core::{Message, Settings, Str};

/// The header lines with a name, as a view wants them.
pub fn value(message: &Message, view: HeaderView, name: &[u8], settings: &Settings) -> Str {
    let _ = (view, settings);
    let mut out = Vec::new();
    for header in message.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name)) {
        if !out.is_empty() {
            out.push(b'\n');
        }
        out.extend_from_slice(header.value().trim_ascii());
    }
    Str::tainted(out)
}
