//! `-bem`: a message, read before anything is expanded.

use eximious::{Header, Message, Str};

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
    let _ = options;
    let message = parse(&bytes);
    session.context().set_message(Some(message));
    Ok(Vec::new())
}

fn parse(bytes: &[u8]) -> Message {
    let mut message = Message { size: bytes.len() as u64, ..Message::default() };
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.iter().position(|c| *c == b'\n').map_or(rest.len(), |n| n + 1);
        let line = &rest[..end];
        rest = &rest[end..];
        if line.trim_ascii().is_empty() {
            break;
        }
        match message.headers.last_mut() {
            Some(last) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                last.line.extend_from_slice(line);
            }
            _ => {
                let colon = line.iter().position(|c| *c == b':').unwrap_or(0);
                let name = line[..colon].trim_ascii().to_vec();
                message.headers.push(Header { name, line: line.to_vec() });
            }
        }
    }
    message.body = rest.to_vec();
    message.sender = Str::EMPTY;
    message
}
