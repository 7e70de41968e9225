//! The Received line (specification 48.5.9).

use eximious::{Context, Header};

/// The header line that says how the message at hand came here; nothing where the
/// option `received_header_text` is empty.
///
/// # Errors
/// It can't be expanded: what there is to log.
pub fn received_header(cx: &mut Context) -> Result<Option<Header>, Vec<u8>> {
    let engine = cx.engine().clone();
    let Some(text) = engine.settings().options.text("received_header_text").cloned() else {
        return Ok(None);
    };
    let value = engine.expand_once(text.bytes(), cx).map_err(|fail| {
        let head = [b"Expansion of \"", text.bytes()].concat();
        [&head, b"\" (received_header_text) failed: ".as_slice(), fail.message()].concat()
    })?;
    let value = value.bytes().trim_ascii_end();
    if value.is_empty() {
        return Ok(None);
    }
    let date = engine.expand_once(b"$tod_full", cx).unwrap_or_default();
    Ok(Some(Header::new([value, b";\n\t", date.bytes(), b"\n"].concat())))
}
