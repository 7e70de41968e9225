//! `-bem`: a message, read before anything is expanded.

use eximious::stdlib::message::{End, parse_until};

use crate::options::Options;
use crate::session::{Refusal, Session};

/// How large a message may be.
const LARGEST: u64 = 256 << 20;

/// Reads a message from a file, and gives the session its values.
/// Gives what is to be said of it.
pub fn load(session: &mut Session, file: &[u8], options: &Options) -> Result<Vec<u8>, Refusal> {
    let bytes = session.engine().world().files.read(file, LARGEST).map_err(|why| {
        let why = why.to_string();
        let why = why.split(" (os error").next().unwrap_or_default();
        Refusal::Said([b"exim: failed to open ", file, b": ", why.as_bytes()].concat())
    })?;
    let end = if options.dot_is_text { End::Input } else { End::Dot };
    let (message, _) = parse_until(&bytes, end);
    session.context().set_message(Some(message));
    Ok(Vec::new())
}
