//! Whether HELO named the client (specification 44.26, `$sender_helo_verified`).

use eximious_core::{Call, Effects, Fail, Meta, Str, TaintRule, Trace, Var};

use super::{Client, client_name};
use crate::dns::{self, How, local::LocalAddresses};
use crate::lists::{HostNames, Known, ip};
use crate::variables::var;

/// What shows a client to people.
const DESCRIPTIONS: [Var; 2] = [var::SENDER_FULLHOST, var::SENDER_RCVHOST];

static NAMES: Meta = Meta::new(
    "host lookup",
    Effects::DNS.union(Effects::CLOCK).union(Effects::LOG),
    TaintRule::Tainted,
);

/// HELO and the address with which it was verified, and what came of it.
#[derive(Default)]
struct Hello(Option<((Str, Str), bool)>);

/// `$sender_helo_verified`: HELO is verified where it is asked for first.
///
/// # Errors
/// A lookup can't be done.
pub(crate) fn hello_verified(call: &mut Call<'_>) -> Result<Str, Fail> {
    // Who is connected to no host has proved nothing.
    let local = call.value_of(var::SENDER_HOST_ADDRESS)?.is_empty();
    let verified = !local && verify_hello(call)?;
    Ok(Str::fixed(if verified { "yes" } else { "no" }))
}

/// Whether HELO named the client: its address, or one of its names. That is found out
/// once; a local program may say what it likes.
///
/// # Errors
/// A lookup can't be done.
pub fn verify_hello(call: &mut Call<'_>) -> Result<bool, Fail> {
    let (text, address) =
        (call.value_of(var::SENDER_HELO_NAME)?, call.value_of(var::SENDER_HOST_ADDRESS)?);
    if address.is_empty() {
        return Ok(true);
    }
    let asked = (text.clone(), address.clone());
    match &call.memory::<Hello>().0 {
        Some((known, verified)) if *known == asked => return Ok(*verified),
        _ => {}
    }
    let shown: &[u8] = if text.is_empty() { b"NULL" } else { text.bytes() };
    tell(call, &[b"verifying EHLO/HELO argument \"", shown, b"\""]);
    let verified = match text.is_empty() {
        true => {
            tell(call, &[b"no EHLO/HELO command was issued"]);
            false
        }
        false => call.with_record(&NAMES, |call| is_true(call, &text, &address))?,
    };
    call.memory::<Hello>().0 = Some((asked, verified));
    Ok(verified)
}

/// There is another HELO, which was not verified yet.
pub fn forget_hello(call: &mut Call<'_>) {
    call.memory::<Hello>().0 = None;
}

fn is_true(call: &mut Call<'_>, text: &Str, address: &Str) -> Result<bool, Fail> {
    if text.bytes().first() == Some(&b'[') {
        let literal = [b"[", address.bytes(), b"]"].concat();
        let same = text.bytes() == literal;
        if same {
            tell(call, &[b"matched host address"]);
        }
        return Ok(same);
    }
    // The client goes on being called what it was: this is no place to name it.
    let called = [call.value_of(DESCRIPTIONS[0])?, call.value_of(DESCRIPTIONS[1])?];
    let names = client_name(call).and_then(|_| Client.names(call));
    for (var, value) in DESCRIPTIONS.into_iter().zip(called) {
        call.set_var(var, value);
    }
    if let Known::Found(names) = names? {
        let same = |name: &Str| name.bytes().eq_ignore_ascii_case(text.bytes());
        if let Some(at) = names.iter().position(same) {
            match at {
                0 => tell(call, &[b"matched host name"]),
                _ => tell(call, &[b"matched alias ", names[at].bytes()]),
            }
            return Ok(true);
        }
    }
    leads_to(call, text.bytes(), address)
}

/// Whether a name has an address.
fn leads_to(call: &mut Call<'_>, name: &[u8], address: &Str) -> Result<bool, Fail> {
    tell(call, &[b"getting IP address for ", name]);
    let trace = call.memory::<Trace>();
    for (depth, head, tail) in [
        (0, &b"check dnssec require list"[..], &b""[..]),
        (1, name, b" in \"\"?"),
        (1, name, b" in \"\"? no (end of list)"),
        (0, b"check dnssec request list", b""),
        (1, name, b" in \"*\"?"),
        (2, b"list element: *", b""),
        (2, name, b" in \"*\"? yes (matched \"*\")"),
    ] {
        trace.tell(depth, &[head, tail]);
    }
    let hosted = dns::addresses(call, name, &How::default())?;
    if call.memory::<Trace>().sink.is_some()
        && let Ok(here) = LocalAddresses::read(call)
        && hosted.addresses.iter().any(|one| here.contains(*one))
    {
        tell(call, &[b"local host found for non-MX address"]);
    }
    let address = ip::address(address.bytes()).map(|address| address.to_canonical());
    let own = hosted.addresses.iter().any(|one| Some(one.to_canonical()) == address);
    if own {
        tell(call, &[b"IP address for ", name, b" matches calling address"]);
        let secure: &[u8] = if hosted.secure { b"verified" } else { b"unverified" };
        tell(call, &[b"Forward DNS security status: ", secure]);
    }
    Ok(own)
}

fn tell(call: &mut Call<'_>, parts: &[&[u8]]) {
    call.memory::<Trace>().tell_flat(parts);
}
