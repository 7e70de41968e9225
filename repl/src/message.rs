//! `-bem`: a message, read as if it had been submitted here.

mod header;
mod rewrite;

use eximious::Str;
use eximious::stdlib::address::{self, Rules};
use eximious::stdlib::message::{End, parse_until};
use eximious::stdlib::wording::reason;

use crate::caller;
use crate::options::Options;
use crate::session::{Refusal, Session};

/// How large a message may be.
const LARGEST: u64 = 256 << 20;

/// Reads a message from a file, and gives the session its values. Returns what
/// is to be said of it.
pub fn load(session: &mut Session, file: &[u8], options: &Options) -> Result<Vec<u8>, Refusal> {
    let bytes = session.engine().world().files.read(file, LARGEST).map_err(|why| {
        let why = reason(&why);
        Refusal::Said([b"exim: failed to open ", file, b": ", why.as_bytes()].concat())
    })?;
    Ok(take(session, &bytes, options).said)
}

/// What came of reading a message.
#[derive(Debug)]
pub struct Taken {
    /// What is to be said of it.
    pub said: Vec<u8>,
    /// Whether a header says what the return path is.
    pub has_return_path: bool,
}

/// Reads a message, and gives the session its values.
pub fn take(session: &mut Session, bytes: &[u8], options: &Options) -> Taken {
    let mut said = Vec::new();
    let end = if options.dot_is_text { End::Input } else { End::Dot };
    let (mut message, senders) = parse_until(bytes, end);
    let mut name = options.full_name.clone();
    if name.is_none() && options.sender.is_none() {
        name = caller::full_name(session.engine().world());
    }
    if options.sender.is_none() {
        let domain = session.domain();
        for sender in senders.iter().filter_map(|sender| qualified(sender, &domain)) {
            session.set(b"sender_address", Str::tainted(sender));
            said.extend_from_slice(b"Sender taken from \"From \" line\n");
            name = None;
        }
    }
    if message.headers.is_empty() {
        said.extend_from_slice(b"Warning: no message headers read\n");
    }
    let paths = header::drop_trace(&mut message);
    let has_return_path = !paths.is_empty();
    for path in paths {
        said.extend_from_slice(b"Return-path taken from \"Return-path:\" header line\n");
        message.return_path = Str::tainted(path);
    }
    header::qualify(&mut message, session);
    if options.recipients_in_header {
        message.recipients = header::take_recipients(&mut message);
    }
    header::complete(&mut message, session, name);
    rewrite::headers(&mut message, session);
    rewrite::sender(session);
    message.received = session.engine().world().clock.now().seconds;
    session.context().set_message(Some(message));
    Taken { said, has_return_path }
}

/// An address with a domain, which is added where it has none.
fn qualified(typed: &[u8], domain: &[u8]) -> Option<Vec<u8>> {
    let address = address::parse(typed, Rules { null: true, ..Rules::default() }).ok()?;
    Some(match address.domain {
        None if !address.text.is_empty() => [&address.text, b"@".as_slice(), domain].concat(),
        _ => address.text,
    })
}
