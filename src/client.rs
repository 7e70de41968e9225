//! How a client is named in logs.

use eximious_core::Str;

use crate::Context;

/// `H=name (helo) [1.2.3.4] U=ident`, or `U=user` where no host is connected.
pub(crate) fn described(cx: &mut Context) -> Vec<u8> {
    let mut value = |name: &str| match cx.get(name) {
        Some(Ok(value)) => value,
        _ => Str::EMPTY,
    };
    let (address, ident) = (value("sender_host_address"), value("sender_ident"));
    let mut out = Vec::new();
    if !address.is_empty() {
        out.extend_from_slice(b"H=");
        let full = value("sender_fullhost");
        match full.is_empty() {
            true => out.extend_from_slice(&[b"[", address.bytes(), b"]"].concat()),
            false => out.extend_from_slice(full.bytes()),
        }
    }
    if !ident.is_empty() {
        let space: &[u8] = if out.is_empty() { b"" } else { b" " };
        out.extend_from_slice(&[space, b"U=", ident.bytes()].concat());
    }
    out
}
