//! The sender of a message: who may say who it is, and what a line `From …` before
//! the header says of it (specification 5.2, 48.4).

use eximious::stdlib::address::{self, Rules};
use eximious::stdlib::lists::{Matcher, Outcome};
use eximious::{Context, Str};

use crate::options;

/// Sets the values that speak of the sender.
pub fn set_sender(cx: &mut Context, sender: Str) {
    let (text, taint) = sender.read();
    let (local_part, domain) = address::parts(text);
    cx.set("sender_address_local_part", Str::from(local_part).stamped(taint));
    cx.set("sender_address_domain", Str::from(domain).stamped(taint));
    cx.set("sender_address", sender);
}

/// Whether a user who is not trusted may send a message as this sender
/// (`untrusted_set_sender`).
pub fn may_be_sender(cx: &mut Context, sender: &Str) -> bool {
    let list = options::text(cx, "untrusted_set_sender");
    // Who may name some sender may also say that there is none.
    if sender.is_empty() {
        return !list.is_empty();
    }
    let mut matcher = Matcher::address(sender).called("untrusted_set_sender");
    !list.is_empty() && matches!(cx.is_in(&list, &mut matcher), Ok(Outcome::Matched(_)))
}

/// An address that was given for the sender, with a domain.
///
/// # Errors
/// In Exim's words, where it is no address.
pub fn qualified_sender(cx: &mut Context, given: &[u8]) -> Result<Str, Vec<u8>> {
    let rules = Rules { null: true, ..Rules::of(cx.engine().settings()) };
    let found = address::parse(given, rules).map_err(|why| why.message)?;
    let mut text = found.text;
    if found.domain.is_none() && !text.is_empty() {
        let domain = cx.value("qualify_domain");
        text.extend_from_slice(&[b"@", domain.bytes()].concat());
    }
    Ok(Str::tainted(text))
}

/// Who sent the message, if a line is one of those that say so; the line that
/// mailboxes and UUCP have, unless options say otherwise (`uucp_from_pattern`,
/// `uucp_from_sender`). Nothing that a line says is more than text.
pub fn sender_in_line(cx: &mut Context, line: &[u8]) -> Option<Vec<u8>> {
    let options = &cx.engine().settings().options;
    let (pattern, sender) = (options.text("uucp_from_pattern"), options.text("uucp_from_sender"));
    if pattern.is_none() && sender.is_none() {
        return eximious::stdlib::message::envelope_sender(line).map(<[u8]>::to_vec);
    }
    let pattern = options::text(cx, "uucp_from_pattern");
    if !matches!(cx.matches(&pattern, &Str::tainted(line)), Ok(true)) {
        return None;
    }
    // The line is no header line, whatever its sender is.
    Some(options::expanded(cx, "uucp_from_sender").unwrap_or_default().bytes().to_vec())
}
