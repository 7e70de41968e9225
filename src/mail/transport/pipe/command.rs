//! The words of a command, and the program that it names (specification 29.3).

use eximious_core::{ErrorKind, Fail, Str};
use eximious_stdlib::command::{too_many, untainted, words as split};
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt::transport::pipe as opt;
use eximious_stdlib::variables::var;

use super::{META, Trouble, later, listed, senseless};
use crate::mail::filter::{give_back, take_rights_of};
use crate::mail::route::{DeliveryTarget, FilterPipe, Text};
use crate::mail::transport::local::stands_for_addresses;
use crate::mail::transport::{TransportCall, Undelivered};

/// Whether a word stands for those of an address that is a command.
fn stands_for_pipe(word: &[u8]) -> bool {
    matches!(word, b"$address_pipe" | b"${address_pipe}")
}

/// The command as it is written, for those who read of it: the address's, or the transport's own.
pub(super) fn line(call: &TransportCall<'_>) -> Str {
    let own = call.transport.text(opt::COMMAND).cloned().unwrap_or_default();
    match of_address(call) {
        Some((line, _)) if !call.transport.on(opt::FORCE_COMMAND) => line,
        _ => own,
    }
}

/// The command that an address is, and what a filter has for it.
fn of_address<'c>(call: &TransportCall<'c>) -> Option<(Str, Option<&'c FilterPipe>)> {
    let delivery = call.consignment.deliveries[0];
    let DeliveryTarget::Pipe(filter) = &delivery.target else { return None };
    let (text, taint) = delivery.address.text.read();
    let text = text.strip_prefix(b"|").unwrap_or(text).trim_ascii_start();
    Some((Str::from(text).stamped(taint), filter.as_deref()))
}

/// The program, by its whole path, and its arguments.
pub(super) fn words(call: &mut TransportCall<'_>, path: &[u8]) -> Result<Vec<Vec<u8>>, Trouble> {
    let transport = call.transport;
    let own = transport.some_text(opt::COMMAND).cloned();
    let address = of_address(call);
    let forces = transport.on(opt::FORCE_COMMAND);
    let (line, filter, expands) = match (&address, own) {
        (Some((text, filter)), _) if !forces => (text.clone(), *filter, filter.is_some()),
        (_, own) => (own.unwrap_or_default(), None, true),
    };
    if line.is_empty() {
        let name = transport.name.bytes();
        return Err(later([b"no command specified for ", name, b" transport"].concat()));
    }
    if !forces && address.is_some() && line.taint().is_tainted() {
        let name = transport.name.bytes();
        let parts = [b"Tainted '", line.bytes(), b"' (command for ", name, b" transport) "];
        return Err(senseless([&parts.concat()[..], b"not permitted"].concat()));
    }
    let before = filter.map(|filter| enter(call, filter));
    // What a filter says is its user's word.
    let user = &call.consignment.user;
    let own = filter.map(|_| take_rights_of(call.cx, (user.uid, Some(user.gid))));
    let words = match transport.on(opt::USE_SHELL) {
        true => shell(call, &line, expands),
        false => separate(call, &line, expands, address.as_ref().map(|(text, _)| text)),
    };
    if let Some(own) = own {
        give_back(call.cx, own);
    }
    // What a user's filter has wrong is so for good.
    let words = match words {
        Err(Trouble::Deferred(why)) if filter.is_some() => Err(refused(why.message)),
        words => words,
    };
    if let Some(this_address) = before {
        call.cx.set_numeric(&[]);
        call.cx.set_var(var::THISADDRESS, this_address);
    }
    let mut words = words?;
    if !transport.on(opt::USE_SHELL) {
        words[0] = program(call, (&words[0], line.bytes()), path)?;
    }
    Ok(words)
}

/// Sets the variables that a filter had; what `$thisaddress` was before.
fn enter(call: &mut TransportCall<'_>, filter: &FilterPipe) -> Str {
    let before = call.cx.value_of(var::THISADDRESS);
    call.cx.set_numeric(&filter.numeric);
    call.cx.set_var(var::THISADDRESS, filter.this_address.clone());
    before
}

fn owner(call: &TransportCall<'_>) -> String {
    format!("{} transport", call.transport.name.display())
}

/// The whole line for a shell.
fn shell(call: &mut TransportCall<'_>, line: &Str, expands: bool) -> Result<Vec<Vec<u8>>, Trouble> {
    let name = call.transport.name.bytes();
    let line = match expands {
        false => line.clone(),
        true => Text::new(line.clone()).expand(call.cx).map_err(|fail| {
            let head = [b"Expansion of command \"", line.bytes(), b"\" in ", name].concat();
            senseless([&head[..], b" transport failed: ", fail.message()].concat())
        })?,
    };
    if line.taint().is_tainted() {
        let parts = [b"Tainted arg 2 for ", name, b" transport command: '", line.bytes(), b"'"];
        return Err(refused(parts.concat()));
    }
    Ok(vec![b"/bin/sh".to_vec(), b"-c".to_vec(), line.bytes().to_vec()])
}

/// The words, each by itself.
fn separate(
    call: &mut TransportCall<'_>,
    line: &Str,
    expands: bool,
    address: Option<&Str>,
) -> Result<Vec<Vec<u8>>, Trouble> {
    let owner = owner(call);
    let forces = call.transport.on(opt::FORCE_COMMAND);
    let engine = call.cx.engine().clone();
    let (_, taint) = line.read();
    let cx = &mut *call.cx;
    let mut places = Vec::new();
    let mut number = 0;
    let expanded = untainted(line.bytes(), &owner, |word| {
        number += 1;
        let is_addresses = expands && stands_for_addresses(word.bytes());
        if is_addresses || forces && address.is_some() && stands_for_pipe(word.bytes()) {
            places.push((number - 1, is_addresses));
            return Ok(Str::EMPTY);
        }
        match expands {
            true => engine.expand_once(word.bytes(), cx),
            false => Ok(word.clone().stamped(taint)),
        }
    });
    let expanded = expanded.map_err(|fail| match fail.kind() == ErrorKind::Taint {
        true => refused(fail.message().to_vec()),
        false => senseless(fail.message().to_vec()),
    })?;
    let mut words = Vec::new();
    for (at, word) in expanded.iter().enumerate() {
        match places.iter().find(|(place, _)| *place == at) {
            Some((_, true)) => {
                let all = call.consignment.deliveries.iter();
                words.extend(all.map(|one| one.address.text.bytes().to_vec()));
            }
            Some(_) => {
                let text = address.map(Str::bytes).unwrap_or_default();
                let all = split(text).ok_or_else(|| {
                    let fail: Fail = too_many(text, &owner);
                    senseless(fail.message().to_vec())
                })?;
                if address.is_some_and(|text| text.taint().is_tainted()) {
                    let first = all.first().map(Vec::as_slice).unwrap_or_default();
                    let head = format!("Tainted arg {} for {owner} command: '", words.len());
                    return Err(refused([head.as_bytes(), first, b"'"].concat()));
                }
                words.extend(all);
            }
            None => words.push(word.bytes().to_vec()),
        }
    }
    if words.is_empty() {
        return Err(later(format!("no command specified for {owner}").into_bytes()));
    }
    Ok(words)
}

/// A command that is never run, of which the sender learns nothing.
fn refused(message: Vec<u8>) -> Trouble {
    let said = Some(Vec::new());
    Trouble::Failed(Undelivered { said, ..Undelivered::new(0, message) })
}

/// The path of the program, if it may be run: the first word of a line.
fn program(
    call: &mut TransportCall<'_>,
    (name, line): (&[u8], &[u8]),
    path: &[u8],
) -> Result<Vec<u8>, Trouble> {
    let transport = call.transport;
    let restricts = transport.on(opt::RESTRICT_TO_PATH);
    let own = transport.name.bytes();
    let quoted = |tail: &[u8]| [b"\"", name, b"\" ", tail].concat();
    let list = transport.text(opt::ALLOW_COMMANDS).cloned();
    let allowed = match &list {
        None => !restricts,
        Some(text) => {
            let list = listed(call, text)?;
            elements(list.bytes()).any(|one| *one == *name)
        }
    };
    if !allowed {
        if !restricts {
            let tail = [b"command not permitted by ", own, b" transport"].concat();
            return Err(refused(quoted(&tail)));
        }
        if name.contains(&b'/') {
            let head = [b"\"/\" found in \"", line, b"\" (command for ", own].concat();
            let tail = b" transport) - failed for security reasons";
            return Err(refused([&head[..], tail].concat()));
        }
    }
    if name.starts_with(b"/") {
        return Ok(name.to_vec());
    }
    let user = call.consignment.user.clone();
    let denied = call.cx.call(&META, |call| call.files().map(|_| ()));
    denied.map_err(|fail| later(fail.message().to_vec()))?;
    let files = call.cx.engine().world().files.clone().seen_by(user.uid, Some(user.gid));
    for directory in path.split(|byte| *byte == b':') {
        let whole = [directory, b"/", name].concat();
        if !name.is_empty() && files.stat(&whole, true).is_ok() {
            return Ok(whole);
        }
    }
    let tail = [b"command not found for ", own, b" transport"].concat();
    Err(refused(quoted(&tail)))
}
