//! The names of those who hand messages in.

use eximious::world::User;
use eximious::{Context, Str, opt};

/// The full name of a user: of what the system has in its place, what the options
/// `gecos_pattern` and `gecos_name` say; else, what stands before the first comma, with the
/// login name for each ampersand.
pub fn full_name(cx: &mut Context, user: &User) -> Vec<u8> {
    let settings = cx.engine().settings();
    let (pattern, name) = (settings.get(opt::GECOS_PATTERN), settings.get(opt::GECOS_NAME));
    // One that is empty fits everybody.
    if settings.is_set(opt::GECOS_PATTERN)
        && settings.is_set(opt::GECOS_NAME)
        && let Ok(true) = cx.matches(&pattern, &Str::tainted(user.gecos.as_slice()))
    {
        let engine = cx.engine().clone();
        // What can't be expanded counts as if it were not there.
        if let Ok(name) = engine.expand_once(name.bytes(), cx) {
            return name.bytes().to_vec();
        }
    }
    let name = user.gecos.split(|byte| *byte == b',').next().unwrap_or_default();
    let mut login = user.name.clone();
    if let Some(first) = login.first_mut() {
        first.make_ascii_uppercase();
    }
    name.split(|byte| *byte == b'&').collect::<Vec<_>>().join(&login[..])
}
