//! Kaspersky 5, over a socket.

use super::link::connect_to_path;
use super::{Fault, Scanner, ScannerRun, Scanning};

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const AVESERVER: Scanner =
    super::scanner("aveserver", "aveserver:<socket>", "Kaspersky 5, over a socket.", &RUN);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let path = scan.option(0).unwrap_or(b"/var/run/aveserver").to_vec();
    let reached = connect_to_path(scan.run, &path, scan.time);
    scan.reached = reached.address;
    let mut link = reached.link.map_err(Fault)?;
    let greeting = link.line().map_err(|why| Fault::unread(&why))?;
    if !greeting.as_ref().is_some_and(|line| line.starts_with(b"2")) {
        let line = greeting.unwrap_or_default();
        return Err([b"unavailable (responded: ", &line[..], b")"].concat().into());
    }
    let sent = link.send(&[b"SCAN bPQRSTUW ", &scan.file[..], b"\r\n"].concat());
    sent.map_err(|why| Fault::unread(&why))?;
    let mut found = None;
    let code = loop {
        let Some(line) = link.line().map_err(|why| Fault::unread(&why))? else {
            return Err(b"unable to read from socket (EOF)".into());
        };
        if let Some(rest) = line.strip_prefix(b"322").and_then(|rest| rest.get(1..)) {
            let name = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
            found.get_or_insert(name.to_vec());
            continue;
        }
        let is_last = line.get(3) != Some(&b'-') && line.first() != Some(&b'3');
        if let (Some(code), true) = (line.get(..3), is_last) {
            break code.to_vec();
        }
    };
    let _ = link.send(b"QUIT\r\n");
    match (&code[..], found) {
        (_, Some(name)) => Ok(Some(name)),
        (b"220", None) => Ok(None),
        (b"221" | b"230" | b"231" | b"232" | b"233", None) => Ok(Some(b"unknown".to_vec())),
        (code, None) => Err([b"scanner returned ", code].concat().into()),
    }
}
