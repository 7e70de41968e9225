//! DrWeb's daemon, over a socket or TCP. Numbers are 32 bits, the highest first.

use super::link::reason;
use super::{Fault, Link, Scanner, ScannerRun, Scanning};

/// It is to say what it found; the message is mail.
const FLAGS: u32 = 0x0008_0001;
/// A virus that is known, unknown, or a variant of one.
const FOUND: u32 = 0x20 | 0x40 | 0x80;
/// What may go wrong.
const ERRORS: &[(u32, &str)] = &[
    (0x1, "read error"),
    (0x2, "write error"),
    (0x4, "no memory"),
    (0x10, "socket error"),
    (0x200, "timeout"),
    (0x8000, "wrong command"),
    (0x20_0000, "licence error"),
];
/// How many reports are read.
const MOST_REPORTS: u32 = 1000;

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const DRWEB: Scanner =
    super::scanner("drweb", "drweb:<socket or host port>", "DrWeb's daemon.", &RUN);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let place = scan.option(0).unwrap_or(b"/usr/local/drweb/run/drwebd.sock").to_vec();
    let mut link = scan.connect(&place)?;
    let mut head = [1_u32.to_be_bytes(), FLAGS.to_be_bytes()].concat();
    let sent = if place.starts_with(b"/") {
        head.extend_from_slice(&(scan.file.len() as u32).to_be_bytes());
        head.extend_from_slice(&scan.file);
        head.extend_from_slice(&[0; 4]);
        link.send(&head)
    } else {
        let Ok(length) = u32::try_from(scan.length) else {
            return Err(b"the message is too large".into());
        };
        head.extend_from_slice(&[0; 4]);
        head.extend_from_slice(&length.to_be_bytes());
        link.send(&head).and_then(|()| link.send_message(&*scan.source, false))
    };
    sent.map_err(|why| {
        format!("unable to send commands to socket ({})", reason(&why)).into_bytes()
    })?;
    let code = number(&mut link).ok_or(b"unable to read return code")?;
    if code & FOUND != 0 {
        let count = number(&mut link).ok_or(b"unable to read the number of viruses")?;
        let mut names = Vec::new();
        for _ in 0..count.min(MOST_REPORTS) {
            let length = number(&mut link).ok_or(b"cannot read report size")?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let report = link.exactly(length).map_err(|_| b"cannot read report string")?;
            let report = report.strip_suffix(b"\0").unwrap_or(&report);
            let after = b"infected with ";
            if let Some(at) = report.windows(after.len()).position(|part| part == after) {
                names.push(report[at + after.len()..].trim_ascii().to_vec());
            }
        }
        let name = if names.is_empty() { b"unknown".to_vec() } else { names.join(&b", "[..]) };
        return Ok(Some(name));
    }
    match ERRORS.iter().find(|(bit, _)| code & bit != 0) {
        Some((_, what)) => {
            Err(format!("drweb daemon retcode 0x{code:x} ({what})").into_bytes().into())
        }
        None => Ok(None),
    }
}

fn number(link: &mut Link) -> Option<u32> {
    link.exactly(4).ok()?.try_into().ok().map(u32::from_be_bytes)
}
