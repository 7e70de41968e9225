//! `queuefile`: the message's files of the spool are put into another directory, where
//! another program finds it as Exim would (the document of experimental features).
//!
//! The header and the data are what they are in the spool, and a journal says which of the
//! message's recipients are none of these deliveries', so that nobody gets it twice.

use eximious_core::Str;
use eximious_core::world::{SpoolError, SpoolStep};
use eximious_stdlib::options::opt::transport::queuefile as opt;
use eximious_stdlib::wording;

use super::local::UNKNOWN;
use super::{Delivered, Outcome, TransportCall, Undelivered};

pub(super) fn run(call: &mut TransportCall<'_>) -> Vec<Outcome> {
    let outcome = match directory(call).and_then(|directory| put(call, &directory)) {
        Ok(()) => Outcome::Delivered(Delivered::default()),
        Err(why) => Outcome::Deferred(why),
    };
    vec![outcome; call.consignment.deliveries.len()]
}

/// Where it goes.
fn directory(call: &mut TransportCall<'_>) -> Result<Str, Undelivered> {
    let transport = call.transport;
    let name = transport.name.bytes();
    let wrong = |parts: &[&[u8]]| Err(Undelivered::new(UNKNOWN, parts.concat()));
    let written = transport.some_text(opt::DIRECTORY).map_or(&b""[..], Str::bytes);
    let directory = match transport.expand_some(call.cx, opt::DIRECTORY) {
        None => return wrong(&[b"Mandatory directory option missing from ", name, b" transport"]),
        Some(Err(fail)) => {
            let head: &[u8] = b"Expansion of \"";
            let place: &[u8] = b"\" (directory name for ";
            let tail: &[u8] = b" transport) failed: ";
            return wrong(&[head, written, place, name, tail, fail.message()]);
        }
        Some(Ok(directory)) => directory,
    };
    let (bytes, taint) = directory.read();
    if taint.is_tainted() {
        let tail: &[u8] = b" transport) not permitted";
        return wrong(&[b"Tainted '", bytes, b"' (directory name for ", name, tail]);
    }
    if !bytes.starts_with(b"/") {
        return wrong(&[b"queuefile: directory name \"", bytes, b"\" is not absolute"]);
    }
    Ok(directory)
}

fn put(call: &mut TransportCall<'_>, directory: &Str) -> Result<(), Undelivered> {
    (call.consignment.hand_over)(directory.bytes()).map_err(|error| {
        let SpoolError { step, file, why } = error;
        let what: &[u8] = match step {
            SpoolStep::Directory => b"queuefile: failed to open directory ",
            _ => b"queuefile: failed to copy to ",
        };
        let reason = wording::reason(&why);
        let number = why.raw_os_error().unwrap_or(UNKNOWN);
        Undelivered::new(number, [what, &file, b": ", reason.as_bytes()].concat())
    })
}
