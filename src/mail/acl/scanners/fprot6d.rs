//! F-Prot 6, over TCP.

use super::{Fault, Scanner, ScannerRun, Scanning};

/// Infected, suspicious.
const FOUND: u32 = 1 | 2;
/// Disinfected; left out, as what is encrypted is; not disinfected.
const PASSED: u32 = 8 | 64 | 128;

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const FPROT6D: Scanner =
    super::scanner("f-prot6d", "f-prot6d:<host port>", "F-Prot 6, over TCP.", &RUN);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let place = scan.option(0).unwrap_or(b"localhost 10200").to_vec();
    let mut link = scan.connect(&place)?;
    let sent = link.send(&[b"SCAN FILE ", &scan.file[..], b"\n"].concat());
    let line = sent.and_then(|()| link.line()).map_err(|why| Fault::unread(&why))?;
    let Some(line) = line else { return Err(b"unable to read from socket (Success)".into()) };
    // It would wait for more.
    let _ = link.send(b"QUIT\n");
    let text = String::from_utf8_lossy(&line);
    let (code, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let Ok(code) = code.parse::<u32>() else {
        return Err([b"malformed result: ", &line[..]].concat().into());
    };
    let (said, names_file) = match rest.split_once("> ") {
        Some((said, _)) => (said, true),
        None => (rest.strip_suffix('>').unwrap_or(rest), false),
    };
    let said = said.strip_prefix('<').unwrap_or(said);
    if code & FOUND != 0 {
        let name = said.split_once(": ").map_or(said, |(_, name)| name);
        let name = if name.is_empty() { "unknown" } else { name };
        return Ok(Some(name.as_bytes().to_vec()));
    }
    // What is said of no file is an error, too.
    let is_error = code & !PASSED != 0 || code != 0 && rest.ends_with('>') && !names_file;
    match is_error {
        false => Ok(None),
        true => Err(format!("scanner reported error ({said})").into()),
    }
}
