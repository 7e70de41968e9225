//! How the client is shown to people: `$sender_fullhost`, `$sender_rcvhost`.

use eximious_core::{Call, Fail, LogSelector, Str};

use super::known_client_name;
use crate::variables::var;

/// Puts `$sender_fullhost` and `$sender_rcvhost` together, out of what is known (specification
/// 11.9). Nothing is looked up. Without a client's address there is nothing to do.
///
/// # Errors
/// A variable can't be had.
pub fn describe(call: &mut Call<'_>) -> Result<(), Fail> {
    let name = known_client_name(call).unwrap_or_default();
    describe_as(call, &name)
}

/// The same, for a client whose name was found just now.
pub(super) fn describe_as(call: &mut Call<'_>, name: &Str) -> Result<(), Fail> {
    let address = call.value_of(var::SENDER_HOST_ADDRESS)?;
    if address.is_empty() {
        return Ok(());
    }
    let (helo, ident) = (call.value_of(var::SENDER_HELO_NAME)?, call.value_of(var::SENDER_IDENT)?);
    let (helo, is_tainted) = (helo.bytes(), helo.taint().is_tainted());
    let literal = helo.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let literal = literal.map(|text| text.strip_prefix(b"IPv6:").unwrap_or(text));
    let is_address = literal == Some(address.bytes());
    // Who says an empty name has said one.
    let said = !helo.is_empty() || is_tainted;
    let own = !said || (!name.is_empty() && helo.eq_ignore_ascii_case(name.bytes()));
    let mut full = name.bytes().to_vec();
    // Who has a name does not have to be called by its address as well.
    if !own && (!is_address || name.is_empty()) {
        let space: &[u8] = if full.is_empty() { b"" } else { b" " };
        full.extend_from_slice(&[space, b"(", helo, b")"].concat());
    }
    let space: &[u8] = if full.is_empty() { b"" } else { b" " };
    full.extend_from_slice(&[space, b"[", address.bytes(), b"]"].concat());
    let port = call.value_of(var::SENDER_HOST_PORT)?;
    let shows_port = call.settings().log_selector().contains(LogSelector::INCOMING_PORT);
    let shows_port = shows_port && !matches!(port.bytes(), b"" | b"0");
    if shows_port {
        full.extend_from_slice(&[b":", port.bytes()].concat());
    }
    let mut notes = Vec::new();
    if !own && !is_address {
        notes.push([b"helo=", helo].concat());
    }
    if !ident.is_empty() {
        notes.push([b"ident=", ident.bytes()].concat());
    }
    let mut place = [b"[", address.bytes(), b"]"].concat();
    let received = if name.is_empty() {
        if shows_port {
            notes.insert(0, [b"port=", port.bytes()].concat());
        }
        match notes.is_empty() {
            true => place,
            false => [&place, &b" ("[..], &notes.join(&b' '), b")"].concat(),
        }
    } else {
        if shows_port {
            place.extend_from_slice(&[b":", port.bytes()].concat());
        }
        // With both notes the line would be long.
        let space: &[u8] = if notes.len() > 1 { b"\n\t" } else { b" " };
        notes.insert(0, place);
        [name.bytes(), space, b"(", &notes.join(&b' '), b")"].concat()
    };
    call.set_var(var::SENDER_FULLHOST, Str::tainted(full));
    call.set_var(var::SENDER_RCVHOST, Str::tainted(received));
    Ok(())
}
