//! Kaspersky 4, over a socket. Numbers are in this host's order.

use std::io;

use super::link::connect_to_path;
use super::{Fault, Scanner, ScannerRun, Scanning};

/// A size follows; a report follows.
const SIZED: u16 = 0x200;
const REPORTED: u16 = 0x100;

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const KAVDAEMON: Scanner =
    super::scanner("kavdaemon", "kavdaemon:<socket>", "Kaspersky 4, over a socket.", &RUN);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let path = scan.option(0).unwrap_or(b"/var/run/AvpCtl").to_vec();
    let reached = connect_to_path(scan.run, &path, scan.time);
    scan.reached = reached.address;
    let mut link = reached.link.map_err(Fault)?;
    // `Thu Jan  1 00:00:00 1970`: the day of the week and the year are left out.
    let date = scan.run.cx.value_of(eximious_stdlib::variables::var::TOD_BSDINBOX);
    let date = date.bytes().get(4..19).unwrap_or(b"Jan  1 00:00:00");
    let request = [b"<0>", date, b":", &scan.directory[..], b"\0"].concat();
    let unread = |why: io::Error| Fault::unread(&why);
    link.send(&request).map_err(unread)?;
    let read = link.exactly(2).map_err(unread)?;
    let answer = u16::from_ne_bytes([read[0], read[1]]);
    if answer & SIZED != 0 {
        link.exactly(4).map_err(unread)?;
    }
    let mut report = Vec::new();
    if answer & REPORTED != 0 {
        let length = link.exactly(4).map_err(unread)?;
        let length = u32::from_ne_bytes([length[0], length[1], length[2], length[3]]);
        report = link.exactly(usize::try_from(length).unwrap_or(usize::MAX)).map_err(unread)?;
    }
    match answer & 0xff {
        0x30 => Ok(None),
        0x32..=0x36 => {
            let after = b"infected: ";
            let at = report.windows(after.len()).position(|part| part == after);
            let name = at.map_or(&b"unknown"[..], |at| &report[at + after.len()..]);
            let name = name.split(|byte| matches!(byte, b'\n' | b'\r' | 0)).next();
            Ok(Some(name.unwrap_or_default().trim_ascii().to_vec()))
        }
        0x31 => Err(b"scanner could not complete the scan".into()),
        0x37 => Err(b"reported 'kavdaemon damaged'".into()),
        0x40 => Err(b"no bases, or no key".into()),
        code => Err(format!("reported code 0x{code:x}").into_bytes().into()),
    }
}
