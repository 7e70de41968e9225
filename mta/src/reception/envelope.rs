//! The sender of a message: who may say who it is, and what a line `From …` before
//! the header says of it (specification 5.2, 48.4).

use eximious::rewrite::{AddressPlace, Rewriter};
use eximious::stdlib::address::{self, AddrSpec, AddressError, Rules};
use eximious::stdlib::lists::{ListOutcome, Matcher};
use eximious::{Context, Fail, Settings, Str, opt, var};

/// Applies the rules for rewriting to the sender. What it was before each change is returned.
///
/// # Errors
/// A rule can't be read.
pub fn rewrite_sender(cx: &mut Context, rewriter: &Rewriter<'_>) -> Result<Vec<Str>, Fail> {
    let sender = cx.value_of(var::SENDER_ADDRESS);
    if sender.is_empty() {
        return Ok(Vec::new());
    }
    let done = rewriter.address_by_steps(cx, &sender, AddressPlace::EnvelopeFrom)?;
    Ok(done.map_or_else(Vec::new, |(new, before)| {
        cx.set_var(var::SENDER_ADDRESS, new);
        before
    }))
}

/// What came of rewriting recipients.
#[derive(Debug, Default)]
pub struct RewrittenRecipients {
    /// Those that rules fitted, as they were before each change.
    pub old: Vec<Str>,
    /// Rules that can't be read.
    pub faults: Vec<Fail>,
}

/// Applies the rules for rewriting to recipients.
pub fn rewrite_recipients<'a>(
    cx: &mut Context,
    rewriter: &Rewriter<'_>,
    recipients: impl IntoIterator<Item = &'a mut Str>,
) -> RewrittenRecipients {
    let mut rewritten = RewrittenRecipients::default();
    if !rewriter.flags().intersects(AddressPlace::EnvelopeTo.flag()) {
        return rewritten;
    }
    for address in recipients {
        match rewriter.address_by_steps(cx, address, AddressPlace::EnvelopeTo) {
            Ok(Some((new, before))) => {
                *address = new;
                rewritten.old.extend(before);
            }
            Ok(None) => {}
            Err(fail) => rewritten.faults.push(fail),
        }
    }
    rewritten
}

/// The address of a user of this system: its login name, quoted where that has to be, and
/// `qualify_domain` (specification 5.2). Nothing of it comes from outside.
pub fn own_address(cx: &mut Context, login: &[u8]) -> Vec<u8> {
    let domain = cx.value_of(var::QUALIFY_DOMAIN);
    [&address::quote_local_part(login)[..], b"@", domain.bytes()].concat()
}

/// Whether a user who is not trusted may send a message as this sender
/// (`untrusted_set_sender`).
pub fn may_be_sender(cx: &mut Context, sender: &Str) -> bool {
    let list = cx.engine().settings().get(opt::UNTRUSTED_SET_SENDER);
    if list.is_empty() {
        return false;
    }
    // None is an address both of whose parts are empty: it is no empty element of the list.
    let none = Str::fixed("@");
    let asked = if sender.is_empty() { &none } else { sender };
    let mut matcher = Matcher::address(asked).called("untrusted_set_sender");
    matches!(cx.is_in(&list, &mut matcher), Ok(ListOutcome::Matched(_)))
}

/// An address that was given for the sender, with a domain, which may be in UTF-8.
///
/// # Errors
/// It is no address.
pub fn qualified_sender(cx: &mut Context, given: &[u8]) -> Result<Str, AddressError> {
    let usual = Rules::of(cx.engine().settings());
    let rules = Rules { null: true, utf8_domains: true, ..usual };
    let found = address::parse(given, rules)?;
    let mut text = found.text;
    if found.domain.is_none() && !text.is_empty() {
        let domain = cx.value_of(var::QUALIFY_DOMAIN);
        text.extend_from_slice(&[b"@", domain.bytes()].concat());
    }
    Ok(Str::tainted(text))
}

/// The sender that `-f` names; what was typed is read before options count, and then looked
/// at with them. A name without a domain gets one.
///
/// # Errors
/// It is no address, or none that the options let pass.
pub fn typed_sender(typed: &[u8], settings: &Settings, domain: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    let found = read_typed_sender(typed)?;
    let refused = |tail: &[u8], why: &[u8]| {
        let parts = [b"bad -f address \"", &found.text[..], tail, b"\": ", why];
        Err(parts.concat())
    };
    if found.text.ends_with(b"]") && !settings.get(opt::ALLOW_DOMAIN_LITERALS) {
        return refused(b"", b"domain literals not allowed");
    }
    if typed.ends_with(b".") && !settings.get(opt::STRIP_TRAILING_DOT) {
        return refused(b".", b"domain is malformed (trailing dot not allowed)");
    }
    if found.domain.is_some() || found.text.is_empty() {
        return Ok(found.text);
    }
    // What has quotes or backslashes has been written as an address, where it can be one.
    let has_marks = found.text.iter().any(|byte| matches!(byte, b'"' | b'\\'));
    let written = [&found.text[..], b"@", domain].concat();
    let reads_back =
        |text| address::parse(text, Rules::of(settings)).is_ok_and(|read| read.domain.is_some());
    if has_marks && reads_back(&written) {
        return Ok(written);
    }
    let local_part = address::quote_local_part(&found.text);
    Ok([&local_part[..], b"@", domain].concat())
}

/// Reads what `-f` names, whatever options say.
///
/// # Errors
/// It is no address.
pub fn read_typed_sender(typed: &[u8]) -> Result<AddrSpec, Vec<u8>> {
    let rules = Rules {
        null: true,
        utf8_domains: true,
        trailing_dot: true,
        literals: true,
        excess_brackets: false,
    };
    if typed.is_empty() {
        return Ok(AddrSpec { text: Vec::new(), domain: None, span: 0..0 });
    }
    address::parse(typed, rules)
        .map_err(|why| [b"bad -f address \"", typed, b"\": ", &why.message].concat())
}

/// Who sent the message, if a line is one of those that say so; the line that
/// mailboxes and UUCP have, unless options say otherwise (`uucp_from_pattern`,
/// `uucp_from_sender`). Nothing that a line says is more than text.
pub fn sender_in_line(cx: &mut Context, line: &[u8]) -> Option<Vec<u8>> {
    let settings = cx.engine().settings();
    let is_unset = |option| settings.text(option).is_none();
    if is_unset(opt::UUCP_FROM_PATTERN) && is_unset(opt::UUCP_FROM_SENDER) {
        return eximious::stdlib::message::envelope_sender(line).map(<[u8]>::to_vec);
    }
    let pattern = cx.engine().settings().get(opt::UUCP_FROM_PATTERN);
    if !matches!(cx.matches(&pattern, &Str::tainted(line)), Ok(true)) {
        return None;
    }
    // The line is no header line, whatever its sender is.
    let option = opt::UUCP_FROM_SENDER;
    let (engine, text) = (cx.engine().clone(), cx.engine().settings().get(option));
    let sender = cx.on_behalf_of(option.name(), |cx| engine.expand_once(text.bytes(), cx));
    let sender = sender.unwrap_or_else(|fail| {
        let head = [b"expansion of \"".as_slice(), text.bytes()].concat();
        let middle = b"\" failed after matching \"From \" line: ".as_slice();
        cx.log().panic(&[&head, middle, fail.message()].concat());
        Str::EMPTY
    });
    Some(sender.bytes().to_vec())
}
