//! Any daemon that answers over a socket; patterns of the configuration read it.

use super::link::reason;
use super::{Fault, Scanner, ScannerRun, Scanning};

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const SOCK: Scanner = super::scanner(
    "sock",
    "sock:<socket or host port>:<command>:<trigger>:<name>",
    "Any daemon; patterns read its answer.",
    &RUN,
);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let place = scan.option(0).unwrap_or(b"/tmp/malware.sock").to_vec();
    let mut link = scan.connect(&place)?;
    let reached = std::mem::take(&mut scan.reached);
    let command = scan.option(1).unwrap_or(b"%s\n").to_vec();
    if !is_safe(&command) {
        return Err(b"unsafe sock scanner call spec".into());
    }
    let patterns = super::cmdline::Patterns::new(scan, 2)?;
    scan.reached = reached;
    let request = super::cmdline::filled(&command, &scan.file);
    link.send(&request).map_err(|why| {
        let why = reason(&why);
        format!("unable to send commands to socket ({why})").into_bytes()
    })?;
    let clock = scan.run.cx.engine().world().clock.clone();
    let answer = link.answer(&*clock, scan.time);
    let found = match &answer.bytes[..] {
        b"" if answer.cut.is_none() => return Err(b"unable to read from socket (Success)".into()),
        b"" => None,
        bytes => patterns.name(scan, bytes)?,
    };
    // What was found is there, whatever else would have come.
    match answer.cut {
        Some(why) if found.is_none() => Err(Fault::unread(&why)),
        _ => Ok(found),
    }
}

/// Whether a command has no more than one per cent sign that means something: a path, or
/// such a sign.
fn is_safe(command: &[u8]) -> bool {
    match memchr::memchr(b'%', command).map(|at| &command[at + 1..]) {
        Some([b's' | b'%', rest @ ..]) => !rest.contains(&b'%'),
        Some(_) => false,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    /// As Exim has it.
    #[test]
    fn commands_that_are_safe() {
        for safe in ["", "x", "%s", "scan %s\n", "%%s", "x%%"] {
            assert!(is_safe(safe.as_bytes()), "{safe}");
        }
        for wrong in ["%", "%s %s", "%d%s", "%s%", "%% %s", "%s %%", "%%%s", "%S", "100% %s"] {
            assert!(!is_safe(wrong.as_bytes()), "{wrong}");
        }
    }
}
