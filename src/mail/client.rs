//! The client of a conversation: how it is named in logs and in header lines.

use eximious_core::world::{LogLine, LogPart};
use eximious_core::{Effects, Fail, LogSelector, Meta, Str, TaintRule};
use eximious_stdlib::hosts;
use eximious_stdlib::ports;
use eximious_stdlib::variables::var;

use crate::Context;

static NAMES: Meta = Meta::new(
    "host lookup",
    Effects::DNS.union(Effects::CLOCK).union(Effects::LOG),
    TaintRule::Tainted,
);

/// `H=name (helo) [1.2.3.4] U=ident`, or `U=user` where no host is connected. The
/// address that it connected to, and the connection's name, stand there where they
/// are logged.
pub fn described(cx: &mut Context) -> Vec<u8> {
    described_in_parts(cx).into_text()
}

/// The same, as parts of a line.
pub fn described_in_parts(cx: &mut Context) -> LogLine {
    let mut out = shown(cx, b"H=", true);
    if cx.engine().settings().log_selector().contains(LogSelector::CONNECTION_ID) {
        // Where there is no connection, it has a number all the same.
        let id = cx.value_of(var::CONNECTION_ID);
        let id = if id.is_empty() { Str::fixed("0") } else { id };
        add(&mut out, b"Ci=", id.bytes());
    }
    out
}

/// The same, without what it begins with: `name (helo) [1.2.3.4] U=ident`, or `user`.
pub fn plainly_described(cx: &mut Context) -> Vec<u8> {
    let out = described(cx);
    let plain = out.strip_prefix(b"H=").or_else(|| out.strip_prefix(b"U="));
    plain.map(<[u8]>::to_vec).unwrap_or(out)
}

/// The same, without the connection's name.
pub fn named(cx: &mut Context) -> Vec<u8> {
    shown(cx, b"", true).into_text()
}

/// What is said of the client alone: neither the address that it connected to nor the
/// connection's name.
pub fn described_alone(cx: &mut Context) -> Vec<u8> {
    shown(cx, b"H=", false).into_text()
}

/// `ends` is whether the address that it connected to stands there where that is logged.
fn shown(cx: &mut Context, head: &[u8], ends: bool) -> LogLine {
    let (full, ident) = (cx.value_of(var::SENDER_FULLHOST), cx.value_of(var::SENDER_IDENT));
    let mut out = LogLine::default();
    // An address that is only given, for a test, is nobody who is connected.
    if !full.is_empty() {
        add(&mut out, head, full.bytes());
        if ends && cx.engine().settings().log_selector().contains(LogSelector::INCOMING_INTERFACE) {
            let (local, port) =
                (cx.value_of(var::RECEIVED_IP_ADDRESS), cx.value_of(var::RECEIVED_PORT));
            if !local.is_empty() {
                let settings = cx.engine().settings();
                let number = port.display().to_string().parse();
                let place = match number.is_ok_and(|port| !ports::is_logged(settings, port)) {
                    true => [b"[", local.bytes(), b"]"].concat(),
                    false => [b"[", local.bytes(), b"]:", port.bytes()].concat(),
                };
                add(&mut out, b"I=", &place);
            }
        }
    }
    add(&mut out, b"U=", ident.bytes());
    out
}

/// Adds an item, if there is anything to it.
fn add(out: &mut LogLine, tag: &[u8], value: &[u8]) {
    if !value.is_empty() {
        let space: &[u8] = if out.text().is_empty() { b"" } else { b" " };
        out.push(LogPart::Field, [space, tag, value].concat());
    }
}

/// The client's name, as far as it is known without a look into the DNS.
pub fn known_name(cx: &mut Context) -> Str {
    cx.call(&NAMES, eximious_stdlib::hosts::known_client_name).unwrap_or_default()
}

/// Looks for the client's name, unless that was done.
pub fn look_up_name(cx: &mut Context) -> Str {
    cx.value_of(var::SENDER_HOST_NAME)
}

/// Looks for the client's name, also where that led to nothing before.
pub fn look_up_name_anew(cx: &mut Context) {
    // What came of it is in the variables.
    let _ = cx.call(&NAMES, hosts::client_name_anew);
}

/// Why the client has no name, where it was looked for one.
pub fn name_refused(cx: &mut Context) -> Option<Vec<u8>> {
    cx.call(&NAMES, hosts::name_refused)
}

/// Whether HELO named the client: its address, or one of its names.
///
/// # Errors
/// A lookup can't be done.
pub fn verify_hello(cx: &mut Context) -> Result<bool, Fail> {
    cx.call(&NAMES, hosts::verify_hello)
}

/// There is another HELO, which was not verified yet.
pub fn forget_hello(cx: &mut Context) {
    cx.call(&NAMES, hosts::forget_hello);
}

/// What stands behind a client whose connection another program took.
pub const BY_INETD: &[u8] = hosts::BY_INETD;

/// Says that another program took the connection, and handed it on.
pub fn came_by_inetd(cx: &mut Context) {
    cx.call(&NAMES, hosts::came_by_inetd);
}

/// Says that the client is a program of this system.
pub fn is_program(cx: &mut Context) {
    cx.call(&NAMES, hosts::is_program);
}

/// Puts `$sender_fullhost` and `$sender_rcvhost` together, out of what is known.
pub fn describe(cx: &mut Context) {
    // Variables that can't be had describe nothing.
    let _ = cx.call(&NAMES, hosts::describe);
}
