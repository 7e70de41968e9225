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
    let patterns = super::cmdline::Patterns::new(scan, 2)?;
    scan.reached = reached;
    let request = super::cmdline::filled(&command, &scan.file);
    link.send(&request).map_err(|why| {
        let why = reason(&why);
        format!("unable to send commands to socket ({why})").into_bytes()
    })?;
    let answer = link
        .answer()
        .map_err(|why| format!("unable to read from socket ({})", reason(&why)).into_bytes())?;
    if answer.is_empty() {
        return Err(b"unable to read from socket (Success)".into());
    }
    patterns.name(scan, &answer)
}
