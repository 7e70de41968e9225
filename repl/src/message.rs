//! `-bem`: a message, read as if it had been submitted here.

use std::collections::BTreeMap;

use eximious::rewrite::{AddressPlace, Rewriter};
use eximious::stdlib::address;
use eximious::stdlib::message::{End, parse_until};
use eximious::stdlib::wording::reason;
use eximious::{Header, Message, Str, var};
use eximious_mta::reception::{self, Origin};

use crate::caller;
use crate::refusal::Refusal;
use crate::session::Session;

/// How large a message may be.
const LARGEST: u64 = 256 << 20;

/// How a message is read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Whether the sender is known already (`-f`).
    pub knows_sender: bool,
    /// `-F`: the sender's full name.
    pub full_name: Option<Vec<u8>>,
    /// `-t`: the message's header says who gets it.
    pub recipients_in_header: bool,
    /// `-i`: a line of one dot does not end it.
    pub dot_is_text: bool,
}

/// Reads a message from a file, and gives the session its values. Returns what
/// is to be said of it.
pub fn load(session: &mut Session, file: &[u8], reading: &Reading) -> Result<Vec<u8>, Refusal> {
    let bytes = session.engine().world().files.read(file, LARGEST).map_err(|why| {
        let why = reason(&why);
        Refusal::Said([b"exim: failed to open ", file, b": ", why.as_bytes()].concat())
    })?;
    Ok(take(session, &bytes, reading).said)
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
pub fn take(session: &mut Session, bytes: &[u8], reading: &Reading) -> Taken {
    let mut said = Vec::new();
    let end = if reading.dot_is_text { End::Input } else { End::Dot };
    let (mut message, senders) = parse_until(bytes, end);
    let mut user = caller::submitter(session.context());
    user.called = reading.full_name.clone();
    let mut other = reading.knows_sender;
    if !other {
        for sender in senders {
            if let Ok(sender) = reception::qualified_sender(session.context(), &sender) {
                session.context().set_var(var::SENDER_ADDRESS, sender);
                said.extend_from_slice(b"Sender taken from \"From \" line\n");
                other = true;
                // Whose name was given is not who that line names.
                user.called = None;
            }
        }
    }
    if message.headers.is_empty() {
        said.extend_from_slice(b"Warning: no message headers read\n");
    }
    let paths = return_paths(&message);
    let has_return_path = !paths.is_empty();
    for path in paths {
        said.extend_from_slice(b"Return-path taken from \"Return-path:\" header line\n");
        message.return_path = Str::tainted(path);
    }
    message.id = reception::message_id(session.engine());
    let origin = Origin {
        local: true,
        name: user.name_beside(other),
        login: user.login,
        // Nobody is asked who he is where nothing is sent.
        trusted: true,
        qualifies_senders: true,
        qualifies_recipients: true,
        names_recipients: reading.recipients_in_header,
        ..Origin::default()
    };
    let (config, cx) = session.parts();
    let rewriter = config.map_or_else(|| Rewriter::new([]), Rewriter::of);
    let log = cx.engine().world().log.clone();
    let (controls, tell) = (BTreeMap::new(), |line: &[u8]| log.main(line));
    let mut fixing = reception::fix(cx, &origin, &controls, message);
    let named = fixing.take_named();
    let fixed = fixing.finish(cx, &rewriter, &tell);
    fixed.panics.iter().for_each(|line| log.panic(line));
    let mut message = fixed.message;
    if reading.recipients_in_header {
        let domain = session.recipient_domain();
        let qualified = |address: Vec<u8>| match address::find_at(&address) {
            None if !address.is_empty() => Str::tainted([&address, &b"@"[..], &domain].concat()),
            _ => Str::tainted(address),
        };
        message.recipients = named.addresses.into_iter().map(qualified).collect();
    }
    rewrite_sender(session);
    message.received = session.engine().world().clock.now().seconds;
    session.context().set_message(Some(message));
    Taken { said, has_return_path }
}

/// The return paths that a header names: each is what stands there, in angle brackets
/// or without.
fn return_paths(message: &Message) -> Vec<Vec<u8>> {
    let path = |header: &Header| {
        let text = header.value().trim_ascii();
        let inner = text.strip_prefix(b"<").and_then(|text| text.strip_suffix(b">"));
        inner.unwrap_or(text).to_vec()
    };
    message.named(b"return-path").map(path).collect()
}

/// Rewrites the envelope's sender.
fn rewrite_sender(session: &mut Session) {
    let (Some(config), cx) = session.parts() else { return };
    let sender = cx.value_of(var::SENDER_ADDRESS);
    if config.rewrite.is_empty() || sender.is_empty() {
        return;
    }
    match Rewriter::of(config).address(cx, &sender, AddressPlace::EnvelopeFrom) {
        Ok(Some(new)) => cx.set_var(var::SENDER_ADDRESS, new),
        Ok(None) => {}
        Err(fail) => session.log(fail.message()),
    }
}
