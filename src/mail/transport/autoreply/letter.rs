//! The text of an answer: its header, what it says, and what it is about.

use std::io::{self, Read};
use std::sync::Arc;

use eximious_core::world::UserFileWork;
use eximious_core::{Message, Settings};
use eximious_stdlib::options::opt as main;
use eximious_stdlib::options::opt::transport::{self as generic, autoreply as opt};
use eximious_stdlib::references::References;
use eximious_stdlib::variables::var;

use super::super::filter::TransportFilter;
use super::super::local::NO_ENTRY;
use super::super::outgoing::unwritten;
use super::{Reply, Trouble, later, never, untainted};
use crate::Context;
use crate::mail::filter::with_rights_of;
use crate::mail::returned::Oversize;
use crate::mail::route::Text;
use crate::mail::transport::TransportCall;

/// How long a file may be that follows the text.
const LARGEST: u64 = 64 << 20;

/// Writes it; how much of it is the message that it is about.
pub(super) fn write(
    call: &mut TransportCall<'_>,
    reply: &Reply,
    filter: Option<Arc<TransportFilter>>,
) -> Result<(Vec<u8>, u64), Trouble> {
    let file = file(call, reply)?;
    let mut text = Vec::new();
    let fields = [
        ("From: ", &reply.from),
        ("Reply-To: ", &reply.reply_to),
        ("To: ", &reply.to),
        ("Cc: ", &reply.cc),
        ("Bcc: ", &reply.bcc),
        ("Subject: ", &reply.subject),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            text.extend([name.as_bytes(), value.bytes(), b"\n"].concat());
        }
    }
    refer(&mut text, call.consignment.message, call.cx.engine().settings());
    text.extend_from_slice(b"Auto-Submitted: auto-replied\n");
    if let Some(headers) = &reply.headers {
        text.extend([headers.bytes(), b"\n"].concat());
    }
    text.push(b'\n');
    if let Some(said) = &reply.text {
        let said = until_zero(said.bytes());
        text.extend_from_slice(said);
        if !said.ends_with(b"\n") {
            text.push(b'\n');
        }
    }
    text.extend(file);
    let returned = if reply.return_message { copy(call, filter, &mut text)? } else { 0 };
    Ok((text, returned))
}

/// What stands before a zero byte, at which a text ends.
fn until_zero(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(0, text).unwrap_or(text.len())]
}

/// `In-Reply-To` and `References` (RFC 5322, section 3.6.4).
fn refer(text: &mut Vec<u8>, message: &Message, settings: &Settings) {
    if let Some(References { id, line }) = References::to(message, settings) {
        if let Some(id) = id {
            text.extend([b"In-Reply-To: ", &id[..], b"\n"].concat());
        }
        text.extend(line);
    }
}

/// The file that follows the text.
fn file(call: &mut TransportCall<'_>, reply: &Reply) -> Result<Vec<u8>, Trouble> {
    let Some(name) = &reply.file else { return Ok(Vec::new()) };
    untainted(call, "file", name)?;
    let order = call.user_file(name, UserFileWork::Read(LARGEST));
    let read = match name.is_empty() {
        true => Err(std::io::Error::from_raw_os_error(NO_ENTRY)),
        false => call.cx.engine().world().mailboxes.file(&order),
    };
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(_) if call.transport.on(opt::FILE_OPTIONAL) => return Ok(Vec::new()),
        Err(error) => {
            let own = call.transport.name.bytes();
            let head = [b"Failed to open file ", name.bytes()].concat();
            let tail = [b" when sending message from ", own, b" transport"].concat();
            return Err(later(&error, &[head, tail].concat()));
        }
    };
    call.cx.set_numeric(&reply.numeric);
    let before = call.cx.replace_var(var::THISADDRESS, reply.this_address.clone());
    // What stands in it is the user's word.
    let user = &call.consignment.user;
    let user = (user.uid, Some(user.gid));
    let expanded = with_rights_of(call.cx, user, |cx| expanded(cx, reply, &bytes));
    call.cx.set_var(var::THISADDRESS, before);
    call.cx.set_numeric(&[]);
    expanded
}

/// The file's text.
fn expanded(cx: &mut Context, reply: &Reply, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
    let mut text = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match reply.file_expand {
            // A line that can't be expanded stays as it is.
            true => match Text::new(eximious_core::Str::from(line)).expand(cx) {
                Ok(line) => text.extend_from_slice(line.bytes()),
                Err(_) => text.extend_from_slice(line),
            },
            false => text.extend_from_slice(line),
        }
        if text.len() as u64 > LARGEST {
            return Err(never(b"the text of an answer is too long".to_vec()));
        }
    }
    Ok(text)
}

/// The message that it is about, as much of its body as may go back, as a command leaves that;
/// how much that is.
fn copy(
    call: &mut TransportCall<'_>,
    filter: Option<Arc<TransportFilter>>,
    text: &mut Vec<u8>,
) -> Result<u64, Trouble> {
    let transport = call.transport;
    let only_body = transport.on(generic::BODY_ONLY);
    let only_header = transport.on(generic::HEADERS_ONLY) && !only_body;
    let rubric: &[u8] = match (only_body, only_header) {
        (true, _) => b"body of the message, without the headers.",
        (_, true) => b"message's header lines.",
        _ => b"message, including all the headers.",
    };
    text.extend([b"\n------ This is a copy of the ", rubric, b"\n\n"].concat());
    let settings = call.cx.engine().settings();
    let oversize = Oversize::of(call.consignment.message, settings);
    if let Some(Oversize { bytes, most }) = oversize.filter(|_| !only_header) {
        text.pop();
        let shown = most / 1000 * 1000;
        let lines = format!(
            "------ The body of the message is {bytes} characters long; only the first\n------ \
             {shown} or so are included here.\n\n"
        );
        text.extend_from_slice(lines.as_bytes());
    }
    let limit = settings.get(main::BOUNCE_RETURN_SIZE_LIMIT);
    let limit = u64::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(LARGEST);
    let outgoing = call.outgoing().map_err(|why| Trouble::Deferred(unwritten(b"", &why)))?;
    let body = outgoing.body().take(limit.min(LARGEST));
    let all = Box::new(io::Cursor::new(&outgoing.head[..]).chain(body));
    let before = text.len();
    let read = match &filter {
        Some(filter) => filter.through(all).take(LARGEST).read_to_end(text),
        None => { all }.read_to_end(text),
    };
    match read {
        // Of a command that fails, there is what it wrote by then.
        Err(error) if filter.is_none_or(|filter| filter.fault().is_none()) => {
            Err(later(&error, b"the message can't be read"))
        }
        _ => Ok((text.len() - before) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_a_zero() {
        assert_eq!(until_zero(b"a\0b\rc"), b"a");
        assert_eq!(until_zero(b"a\rc"), b"a\rc");
    }

    #[test]
    fn an_answer_refers_to_what_was_before() {
        let referred = |header: &str| {
            let message = eximious_stdlib::message::parse(format!("{header}\n\n").as_bytes());
            let mut text = Vec::new();
            refer(&mut text, &message, &Settings::default());
            String::from_utf8(text).unwrap()
        };
        assert_eq!(referred("Subject: x"), "");
        assert_eq!(referred("Message-Id: <a@b>"), "In-Reply-To: <a@b>\nReferences: <a@b>\n");
        let both = referred("Message-Id: <c@b>\nReferences: <a@b>\n <b@b>\nIn-Reply-To: <x@y>");
        assert_eq!(both, "In-Reply-To: <c@b>\nReferences: <a@b> <b@b> <c@b>\n");
    }
}
