//! F-Prot 6, over TCP.

use super::link::reason;
use super::{Fault, Scanner, ScannerRun, Scanning};

/// Infected, suspicious.
const FOUND: u32 = 1 | 2;
/// Interrupted, not allowed on this platform, an error of the engine.
const FAILED: u32 = 4 | 16 | 32;

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const FPROT6D: Scanner =
    super::scanner("f-prot6d", "f-prot6d:<host port>", "F-Prot 6, over TCP.", &RUN);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let place = scan.option(0).unwrap_or(b"localhost 10200").to_vec();
    let mut link = scan.connect(&place)?;
    let sent = link.send(&[b"SCAN FILE ", &scan.file[..], b"\n"].concat());
    let line = sent
        .and_then(|()| link.line())
        .map_err(|why| format!("unable to read from socket ({})", reason(&why)).into_bytes())?;
    let Some(line) = line else { return Err(b"unable to read from socket (Success)".into()) };
    let text = String::from_utf8_lossy(&line);
    let (code, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let Ok(code) = code.parse::<u32>() else {
        return Err([b"malformed result: ", &line[..]].concat().into());
    };
    if code & FOUND != 0 {
        let said = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let said = said.map_or(rest, |(said, _)| said);
        let name = said.rsplit(": ").next().unwrap_or("unknown");
        return Ok(Some(name.as_bytes().to_vec()));
    }
    match code & FAILED {
        0 => Ok(None),
        _ => Err(format!("scanner reported error {code}").into_bytes().into()),
    }
}
