//! mks_vir's daemon.

use super::link::connect_to_path;
use super::{Fault, Scanner, ScannerRun, Scanning};

/// Where it listens.
const SOCKET: &[u8] = b"/var/run/mksd/socket";

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const MKSD: Scanner =
    super::scanner("mksd", "mksd[:<processes>]", "mks_vir's daemon.", &RUN);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    // How many may scan at once is the daemon's business here.
    if let Some(option) = scan.option(0) {
        let count = std::str::from_utf8(option).ok().and_then(|text| text.parse::<u32>().ok());
        if !count.is_some_and(|count| (1..=32).contains(&count)) {
            return Err([b"invalid option '", option, b"'"].concat().into());
        }
    }
    let reached = connect_to_path(scan.run, SOCKET, scan.time);
    scan.reached = reached.address;
    let mut link = reached.link.map_err(Fault)?;
    let sent = link.send(&[b"S", &scan.file[..], b"\n"].concat());
    let line = sent.and_then(|()| link.line()).map_err(|why| Fault::unread(&why))?;
    let line = line.unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    match words.next() {
        Some(b"OK") => Ok(None),
        Some(b"VIR") => Ok(Some(words.next().unwrap_or(b"unknown").to_vec())),
        Some(b"CLN" | b"DEL") => Ok(Some(b"unknown".to_vec())),
        _ => Err([b"scanner failed: ", &line[..]].concat().into()),
    }
}
