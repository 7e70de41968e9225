//! Rewriting of what is submitted (specification, chapter 31).

use eximious::rewrite::{AddressPlace, Rewriter};
use eximious::stdlib::address::{self, Rules};
use eximious::{Header, Message, Str};

use crate::session::Session;

/// Headers with addresses, `Resent-` or not.
const HEADERS: [(&str, AddressPlace); 6] = [
    ("sender", AddressPlace::Sender),
    ("from", AddressPlace::From),
    ("to", AddressPlace::To),
    ("cc", AddressPlace::Cc),
    ("bcc", AddressPlace::Bcc),
    ("reply-to", AddressPlace::ReplyTo),
];

/// Rewrites the envelope's sender.
pub fn sender(session: &mut Session) {
    let (Some(config), cx) = session.parts() else { return };
    let Some(Ok(sender)) = cx.get("sender_address") else { return };
    if config.rewrite.is_empty() || sender.is_empty() {
        return;
    }
    match Rewriter::of(config).address(cx, &sender, AddressPlace::EnvelopeFrom) {
        Ok(Some(new)) => cx.set("sender_address", new),
        Ok(None) => {}
        Err(fail) => session.log(fail.message()),
    }
}

/// Rewrites the addresses of headers; one in which something is no address stays
/// as it is.
pub fn headers(message: &mut Message, session: &mut Session) {
    for header in &mut message.headers {
        let name = header.name.trim_ascii_end().to_ascii_lowercase();
        let name = name.strip_prefix(b"resent-").unwrap_or(&name);
        let place = HEADERS.iter().find(|(other, _)| other.as_bytes() == name);
        if let Some((_, place)) = place {
            rewrite(header, *place, session);
        }
    }
}

fn rewrite(header: &mut Header, place: AddressPlace, session: &mut Session) {
    let (Some(config), cx) = session.parts() else { return };
    if config.rewrite.is_empty() {
        return;
    }
    let colon = header.line.len() - header.value().len();
    let elements: Vec<_> = address::list(header.value(), Rules::default()).collect();
    if elements.iter().any(|element| element.address.is_err()) {
        return;
    }
    let rewriter = Rewriter::of(config);
    let mut wrong = None;
    for element in elements.into_iter().rev() {
        let item = &header.value()[element.span.clone()];
        let start = colon + element.span.start + item.len() - item.trim_ascii_start().len();
        let item = item.trim_ascii();
        match rewriter.header_item(cx, &Str::tainted(item), place) {
            Ok(Some(new)) => {
                let end = start + item.len();
                header.line.splice(start..end, new.bytes().iter().copied());
            }
            Ok(None) => {}
            Err(fail) => wrong = Some(fail),
        }
    }
    if let Some(fail) = wrong {
        session.log(fail.message());
    }
}
