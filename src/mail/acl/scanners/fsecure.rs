//! F-Secure, over a socket.

use super::link::{connect_to_path, reason};
use super::{Fault, Scanner, ScannerRun, Scanning};

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const FSECURE: Scanner =
    super::scanner("fsecure", "fsecure:<socket>", "F-Secure, over a socket.", &RUN);

/// What it is told first.
const SETTINGS: [&[u8]; 4] = [b"ARCHIVE\t1", b"TIMEOUT\t0", b"MAXARCH\t5", b"MIME\t1"];

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let path = scan.option(0).unwrap_or(b"/var/run/.fsav").to_vec();
    let reached = connect_to_path(scan.run, &path, scan.time);
    scan.reached = reached.address;
    let mut link = reached.link.map_err(Fault)?;
    let unread = |why: String| Fault(format!("unable to read result ({why})").into_bytes());
    for setting in SETTINGS {
        let request = [b"CONFIGURE\t", setting, b"\n"].concat();
        let answer = link.send(&request).and_then(|()| link.line());
        // A greeting may come first; all of them are lines.
        answer.map_err(|why| unread(reason(&why)))?;
    }
    let sent = link.send(&[b"SCAN\t", &scan.file[..], b"\n"].concat());
    sent.map_err(|why| unread(reason(&why)))?;
    let (mut found, mut failed) = (None, None);
    loop {
        let Some(line) = link.line().map_err(|why| unread(reason(&why)))? else {
            return found.map(Some).ok_or_else(|| unread("Success".to_owned()));
        };
        let mut fields = line.split(|byte| *byte == b'\t');
        let verdict = fields.next().unwrap_or_default();
        if verdict == b"OK" {
            // Those of the settings may come late.
            let text = fields.next().unwrap_or_default();
            if text.to_ascii_lowercase().starts_with(b"scan") {
                break;
            }
        } else if [&b"INFECTED"[..], b"RISKWARE", b"SUSPECTED"]
            .iter()
            .any(|end| verdict.ends_with(end))
        {
            let name = fields.nth(1).unwrap_or(b"unknown").to_vec();
            found.get_or_insert(name);
        } else if verdict == b"ERROR" || verdict.ends_with(b"SCAN_FAILURE") {
            failed = Some(line.clone());
            if verdict == b"ERROR" {
                break;
            }
        }
    }
    match (found, failed) {
        (Some(name), _) => Ok(Some(name)),
        (None, Some(line)) => Err([b"scanner reported error: ", &line[..]].concat().into()),
        (None, None) => Ok(None),
    }
}
