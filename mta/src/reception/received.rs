//! The Received line (specification 48.5.9).

use eximious::{Context, Header, Message, Str, opt, var};

use super::while_seen;

/// The header line that says how a message came here; nothing where the
/// option `received_header_text` is empty.
///
/// # Errors
/// It can't be expanded: what there is to log.
pub fn received_header(cx: &mut Context, message: &mut Message) -> Result<Option<Header>, Vec<u8>> {
    let for_one = match message.recipients.as_slice() {
        [one] => one.clone(),
        _ => Str::EMPTY,
    };
    cx.set_var(var::RECEIVED_FOR, for_one);
    let recipients = std::mem::take(&mut message.recipients);
    let line = while_seen(cx, message, recipients.len(), expanded);
    message.recipients = recipients;
    cx.unset_var(var::RECEIVED_FOR);
    line
}

fn expanded(cx: &mut Context) -> Result<Option<Header>, Vec<u8>> {
    let engine = cx.engine().clone();
    let value = engine.expand_option(opt::RECEIVED_HEADER_TEXT, cx).map_err(|fail| {
        let text = cx.engine().settings().get(opt::RECEIVED_HEADER_TEXT);
        let head = [b"Expansion of \"", text.bytes()].concat();
        [&head, b"\" (received_header_text) failed: ".as_slice(), fail.message()].concat()
    })?;
    let mut value = value.bytes();
    // A line of its own for the date would be no part of the field.
    while let [rest @ .., b'\n'] = value {
        value = rest;
    }
    if value.trim_ascii().is_empty() {
        return Ok(None);
    }
    let date = cx.value_of(var::TOD_FULL);
    Ok(Some(Header::new([value, b";\n\t", date.bytes(), b"\n"].concat())))
}
