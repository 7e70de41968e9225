//! The client of a conversation: how it is named in logs and in header lines.

use eximious_core::{Effects, LogSelector, Meta, Str, TaintRule};
use eximious_stdlib::dns;
use eximious_stdlib::lists::ip;

use crate::Context;

static NAMES: Meta = Meta::new("host lookup", Effects::DNS, TaintRule::Tainted);

/// `H=name (helo) [1.2.3.4] U=ident`, or `U=user` where no host is connected. The
/// address that it connected to, and the connection's name, stand there where they
/// are logged.
pub fn described(cx: &mut Context) -> Vec<u8> {
    let mut out = shown(cx, b"H=");
    if cx.engine().settings().log_selector.contains(LogSelector::CONNECTION_ID) {
        let id = value(cx, "connection_id");
        add(&mut out, b"Ci=", id.bytes());
    }
    out
}

/// The same, without `H=`.
pub fn plainly_described(cx: &mut Context) -> Vec<u8> {
    let out = described(cx);
    out.strip_prefix(b"H=").map(<[u8]>::to_vec).unwrap_or(out)
}

/// The same, without the connection's name.
pub fn named(cx: &mut Context) -> Vec<u8> {
    shown(cx, b"")
}

fn shown(cx: &mut Context, head: &[u8]) -> Vec<u8> {
    let (address, ident) = (value(cx, "sender_host_address"), value(cx, "sender_ident"));
    let mut out = Vec::new();
    if !address.is_empty() {
        out.extend_from_slice(head);
        let full = value(cx, "sender_fullhost");
        match full.is_empty() {
            true => out.extend_from_slice(&[b"[", address.bytes(), b"]"].concat()),
            false => out.extend_from_slice(full.bytes()),
        }
        if cx.engine().settings().log_selector.contains(LogSelector::INCOMING_INTERFACE) {
            let (local, port) = (value(cx, "received_ip_address"), value(cx, "received_port"));
            if !local.is_empty() {
                add(&mut out, b"I=", &[b"[", local.bytes(), b"]:", port.bytes()].concat());
            }
        }
    }
    add(&mut out, b"U=", ident.bytes());
    out
}

/// Adds an item, if there is anything to it.
fn add(out: &mut Vec<u8>, tag: &[u8], value: &[u8]) {
    if !value.is_empty() {
        let space: &[u8] = if out.is_empty() { b"" } else { b" " };
        out.extend_from_slice(&[space, tag, value].concat());
    }
}

/// The client's name, as far as it is known without a look into the DNS.
pub fn known_name(cx: &mut Context) -> Str {
    cx.call(&NAMES, eximious_stdlib::hosts::known_client_name).unwrap_or_default()
}

/// Looks for the client's name, unless that was done.
pub fn look_up_name(cx: &mut Context) -> Str {
    value(cx, "sender_host_name")
}

/// Whether a host that has this name has an address.
pub fn has_address(cx: &mut Context, name: &[u8], address: &[u8]) -> bool {
    let Some(address) = ip::address(address) else { return false };
    let found = cx.call(&NAMES, |call| dns::addresses(call, name, &dns::How::default()));
    let addresses = found.map(|found| found.addresses).unwrap_or_default();
    addresses.iter().any(|one| one.to_canonical() == address.to_canonical())
}

/// Puts `$sender_fullhost` and `$sender_rcvhost` together, out of what is known.
pub fn describe(cx: &mut Context) {
    let (name, address) = (known_name(cx), value(cx, "sender_host_address"));
    if address.is_empty() {
        return;
    }
    let (helo, ident) = (value(cx, "sender_helo_name"), value(cx, "sender_ident"));
    let helo = helo.bytes();
    let literal = helo.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let literal = literal.map(|text| text.strip_prefix(b"IPv6:").unwrap_or(text));
    let is_address = literal == Some(address.bytes());
    let own = helo.is_empty() || helo.eq_ignore_ascii_case(name.bytes());
    let mut full = name.bytes().to_vec();
    if !own {
        let space: &[u8] = if full.is_empty() { b"" } else { b" " };
        full.extend_from_slice(&[space, b"(", helo, b")"].concat());
    }
    let space: &[u8] = if full.is_empty() { b"" } else { b" " };
    full.extend_from_slice(&[space, b"[", address.bytes(), b"]"].concat());
    let mut notes = Vec::new();
    let port = value(cx, "sender_host_port");
    let shows_port = cx.engine().settings().log_selector.contains(LogSelector::INCOMING_PORT);
    if shows_port && !matches!(port.bytes(), b"" | b"0") {
        full.extend_from_slice(&[b":", port.bytes()].concat());
        notes.push([b"port=", port.bytes()].concat());
    }
    if !own && !is_address {
        notes.push([b"helo=", helo].concat());
    }
    if !ident.is_empty() {
        notes.push([b"ident=", ident.bytes()].concat());
    }
    let place = [b"[", address.bytes(), b"]"].concat();
    let received = match name.is_empty() {
        true if notes.is_empty() => place,
        true => [&place, &b" ("[..], &notes.join(&b' '), b")"].concat(),
        false => {
            notes.insert(0, place);
            [name.bytes(), b" (", &notes.join(&b' '), b")"].concat()
        }
    };
    cx.set("sender_fullhost", Str::tainted(full));
    cx.set("sender_rcvhost", Str::tainted(received));
}

fn value(cx: &mut Context, name: &str) -> Str {
    match cx.get(name) {
        Some(Ok(value)) => value,
        _ => Str::EMPTY,
    }
}
