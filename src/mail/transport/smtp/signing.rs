//! Signs messages on their way out, and seals them: DKIM first, then ARC, whose signature is
//! of DKIM's too (RFC 8617, section 5.1). The body is read once for both.

use std::io::{self, Read};

use eximious_core::{DriverOpt, Fail, FailClass, Str};
use eximious_mailauth::canon::{BodyHash, BodyHasher, BodyHashes};
use eximious_mailauth::crypto::PrivateKey;
use eximious_stdlib::options::opt::transport::smtp;

use super::{arc, dkim};
use crate::mail::route::Text;
use crate::mail::transport::{Outgoing, TransportCall, Undelivered};

/// How large the file with a key may be.
const LARGEST_KEY: u64 = 64 * 1024;

/// What the options ask for.
#[derive(Default)]
pub(super) struct Signatures {
    signings: Vec<dkim::Signing>,
    sealing: Option<arc::Sealing>,
}

/// What the options ask for; nothing where that is no signature.
///
/// # Errors
/// That can't be told, and nothing leaves without it (`dkim_strict`).
pub(super) fn wanted(call: &mut TransportCall<'_>) -> Result<Option<Signatures>, Undelivered> {
    let signings = dkim::signings(call)?;
    let sealing = arc::sealing(call);
    let is_nothing = signings.is_empty() && sealing.is_none();
    Ok((!is_nothing).then_some(Signatures { signings, sealing }))
}

/// Puts signatures and a seal before the header of what leaves, which goes through no command
/// any more. What a log says of the signatures, where there are any.
///
/// # Errors
/// A signature can't be made, and nothing leaves without it (`dkim_strict`).
pub(super) fn sign(
    call: &mut TransportCall<'_>,
    wanted: Signatures,
    outgoing: &mut Outgoing<'_>,
) -> Result<Vec<u8>, Undelivered> {
    let Signatures { signings, sealing } = wanted;
    if signings.is_empty() && sealing.is_none() {
        return Ok(Vec::new());
    }
    let signed = signings.iter().map(|one| one.signer().body());
    let wanted = signed.chain(sealing.iter().map(|one| one.sealer().body()));
    let bodies = match hashes(wanted, outgoing) {
        Ok(bodies) => bodies,
        // The log has a line of each.
        Err(why) => {
            let why = why.to_string().into_bytes();
            if sealing.is_some() {
                arc::unsealed(call, &why);
            }
            return match signings.is_empty() {
                true => Ok(Vec::new()),
                false => dkim::spared(call, &why),
            };
        }
    };
    let signed = match dkim::signatures(&signings, &outgoing.head, &bodies) {
        Ok(lines) => {
            outgoing.head.splice(0..0, lines);
            dkim::logged(&signings)
        }
        Err(why) => dkim::spared(call, &why)?,
    };
    let Some(sealing) = sealing else { return Ok(signed) };
    match arc::seal(call, &sealing, outgoing, &bodies) {
        Ok(lines) => {
            outgoing.head.splice(0..0, lines);
        }
        Err(why) => arc::unsealed(call, &why),
    }
    Ok(signed)
}

/// The text of the key that an option gives: that of a file, or the option's own. What is wrong
/// is said of somebody (`DKIM: `), but not what the system says.
pub(super) fn key_text(
    call: &mut TransportCall<'_>,
    text: &Str,
    of: &[u8],
) -> Result<Vec<u8>, Vec<u8>> {
    let name = match text.bytes() {
        name if name.starts_with(b"/") => name,
        pem => return Ok(pem.to_vec()),
    };
    if text.taint().is_tainted() {
        let head = b"the file name for the private key comes from outside: ";
        return Err([of, head, name].concat());
    }
    let files = call.cx.engine().world().files.clone();
    let read = files.read(name, LARGEST_KEY).map_err(|why| {
        let head: &[u8] = match why.kind() {
            io::ErrorKind::IsADirectory => b"unable to read file: ",
            _ => b"unable to open file for reading: ",
        };
        [head, name].concat()
    });
    Ok(read?.to_vec())
}

/// The key that a text has.
pub(super) fn read_key(text: &[u8], of: &[u8]) -> Result<PrivateKey, Vec<u8>> {
    let pem = String::from_utf8_lossy(text);
    PrivateKey::read(&pem).map_err(|_| [of, b"the private key makes no sense"].concat())
}

/// An option's text; nothing where it comes to nothing, or is forced to fail.
pub(super) fn value(
    call: &mut TransportCall<'_>,
    option: DriverOpt<Str>,
) -> Result<Option<Str>, Vec<u8>> {
    match expanded(call, option) {
        Ok(text) => Ok(text.filter(|text| !text.is_empty())),
        Err(fail) if fail.class() == FailClass::Forced => Ok(None),
        Err(fail) => Err(unexpanded(option, &fail)),
    }
}

/// An option's text, be it an empty one; a failure that is forced is one, too.
pub(super) fn set(
    call: &mut TransportCall<'_>,
    option: DriverOpt<Str>,
) -> Result<Option<Str>, Vec<u8>> {
    expanded(call, option).map_err(|fail| unexpanded(option, &fail))
}

fn expanded(call: &mut TransportCall<'_>, option: DriverOpt<Str>) -> Result<Option<Str>, Fail> {
    let Some(text) = call.transport.text(option).cloned() else { return Ok(None) };
    Text::new(text).expand(call.cx).map(Some)
}

fn unexpanded(option: DriverOpt<Str>, fail: &Fail) -> Vec<u8> {
    // Exim's name for it lacks a letter.
    let name = match option.name() {
        name if name == smtp::DKIM_SIGN_HEADERS.name() => &name[..name.len() - 1],
        name => name,
    };
    [b"failed to expand ", name.as_bytes(), b": ", fail.message()].concat()
}

/// Hashes of the body as it leaves.
pub(super) fn hashes(
    wanted: impl Iterator<Item = BodyHash>,
    outgoing: &Outgoing<'_>,
) -> io::Result<BodyHashes> {
    let mut hasher = BodyHasher::new(wanted);
    let (mut reader, mut piece) = (outgoing.body(), vec![0; 16 * 1024]);
    let mut last = b'\n';
    loop {
        match reader.read(&mut piece)? {
            0 => break,
            count => {
                let mut lines = Vec::with_capacity(count + count / 16);
                push_lines(&piece[..count], &mut lines);
                hasher.push(&lines);
                last = piece[count - 1];
            }
        }
    }
    if last != b'\n' {
        hasher.push(b"\r\n");
    }
    Ok(hasher.finish())
}

/// A text whose lines end as they do on the wire.
pub(super) fn wire(text: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len() + text.len() / 16);
    push_lines(text, &mut lines);
    lines
}

fn push_lines(text: &[u8], into: &mut Vec<u8>) {
    for byte in text {
        if *byte == b'\n' {
            into.push(b'\r');
        }
        into.push(*byte);
    }
}

/// The fields of a header, each with all of its lines.
pub(super) fn fields(header: &[u8]) -> Vec<&[u8]> {
    let (mut fields, mut start, mut at) = (Vec::new(), 0, 0);
    while at < header.len() {
        let end = memchr::memchr(b'\n', &header[at..]).map_or(header.len(), |end| at + end + 1);
        if &header[at..end] == b"\r\n" {
            break;
        }
        at = end;
        if !matches!(header.get(at), Some(b' ' | b'\t')) {
            fields.push(&header[start..at]);
            start = at;
        }
    }
    fields
}
