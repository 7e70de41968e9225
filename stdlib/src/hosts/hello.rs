//! Whether HELO named the client (specification 44.26, `$sender_helo_verified`).

use eximious_core::trace::{Happening, HostEvent, ListEvent, TraceKinds};
use eximious_core::{Call, Effects, Fail, Meta, Str, TaintRule, Trace, Var};

use super::SendingHost;
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

/// Whether a local program was asked for before it said HELO.
#[derive(Default)]
struct Silent(bool);

/// `$sender_helo_verified`: HELO is verified where it is asked for first.
///
/// # Errors
/// A lookup can't be done.
pub(crate) fn hello_verified(call: &mut Call<'_>) -> Result<Str, Fail> {
    let verified = match call.value_of(var::SENDER_HOST_ADDRESS)?.is_empty() {
        true => {
            // A local program that had said nothing has proved nothing, for good.
            let is_silent = call.value_of(var::SENDER_HELO_NAME)?.is_empty();
            let memory = &mut call.memory::<Silent>().0;
            *memory |= is_silent;
            !*memory
        }
        false => verify_hello(call)?,
    };
    Ok(Str::fixed(if verified { "yes" } else { "no" }))
}

/// Whether HELO named the client: its address, or one of its names. That is found out
/// once; a local program may say what it likes, but has to say something.
///
/// # Errors
/// A lookup can't be done.
pub fn verify_hello(call: &mut Call<'_>) -> Result<bool, Fail> {
    let (text, address) =
        (call.value_of(var::SENDER_HELO_NAME)?, call.value_of(var::SENDER_HOST_ADDRESS)?);
    if address.is_empty() {
        return Ok(!text.is_empty());
    }
    let asked = (text.clone(), address.clone());
    match &call.memory::<Hello>().0 {
        Some((known, verified)) if *known == asked => return Ok(*verified),
        _ => {}
    }
    tell(call, HostEvent::Hello { argument: text.bytes() });
    let verified =
        !text.is_empty() && call.with_record(&NAMES, |call| is_true(call, &text, &address))?;
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
            tell(call, HostEvent::HelloIsAddress);
        }
        return Ok(same);
    }
    // The client goes on being called what it was: this is no place to name it.
    let called = [call.value_of(DESCRIPTIONS[0])?, call.value_of(DESCRIPTIONS[1])?];
    // Once: a name that can't be had now is not asked for again.
    let names = SendingHost.names(call);
    for (var, value) in DESCRIPTIONS.into_iter().zip(called) {
        call.set_var(var, value);
    }
    if let Known::Found(names) = names? {
        let same = |name: &Str| name.bytes().eq_ignore_ascii_case(text.bytes());
        if let Some(at) = names.iter().position(same) {
            let alias = (at > 0).then(|| names[at].bytes());
            tell(call, HostEvent::HelloIsName { alias });
            return Ok(true);
        }
    }
    leads_to(call, text.bytes(), address)
}

/// Whether a name has an address.
fn leads_to(call: &mut Call<'_>, name: &[u8], address: &Str) -> Result<bool, Fail> {
    tell(call, HostEvent::HelloResolved { name });
    tell_lists(call.trace(), name);
    let hosted = dns::addresses(call, name, &How { of_host: true, ..How::default() })?;
    if call.watched(TraceKinds::HOST)
        && let Ok(here) = LocalAddresses::read(call)
        && hosted.addresses.iter().any(|one| here.contains(*one))
    {
        tell(call, HostEvent::Local);
    }
    let address = ip::address(address.bytes()).map(|address| address.to_canonical());
    let own = hosted.addresses.iter().any(|one| Some(one.to_canonical()) == address);
    if own {
        tell(call, HostEvent::HelloLeads { name, secure: hosted.secure });
    }
    Ok(own)
}

/// Tells of the lists that say whether the answer has to be signed: no domain has to have
/// one, and each is asked for it.
fn tell_lists(trace: &mut Trace, name: &[u8]) {
    let (subject, depth) = (name, trace.depth);
    for (which, element) in [("require", None), ("request", Some(b"*".as_slice()))] {
        let list: &[u8] = if element.is_some() { b"\"*\"" } else { b"\"\"" };
        trace.tell_at(depth, Happening::List(ListEvent::Dnssec { list: which }));
        trace.tell_at(depth + 1, Happening::List(ListEvent::Begin { subject, list }));
        if let Some(text) = element {
            trace.tell_at(depth + 1, Happening::List(ListEvent::Element { text }));
        }
        let (matches, owed) = (Some(element.is_some()), None);
        let end = ListEvent::End { subject, list, matches, element, owed };
        trace.tell_at(depth + 1, Happening::List(end));
    }
}

fn tell(call: &mut Call<'_>, event: HostEvent<'_>) {
    call.trace().tell(Happening::Host(event));
}
