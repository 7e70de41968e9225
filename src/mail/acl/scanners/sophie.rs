//! Sophie, over a socket.

use super::link::connect_to_path;
use super::{Fault, Scanner, ScannerRun, Scanning};

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const SOPHIE: Scanner =
    super::scanner("sophie", "sophie:<socket>", "Sophie, over a socket.", &RUN);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let path = scan.option(0).unwrap_or(b"/var/run/sophie").to_vec();
    let reached = connect_to_path(scan.run, &path, scan.time);
    scan.reached = reached.address;
    let mut link = reached.link.map_err(Fault)?;
    let answer =
        link.send(&[&scan.directory[..], b"\n"].concat()).and_then(|()| link.until(b"\n\0"));
    let answer = answer.unwrap_or_default();
    let answer = answer.trim_ascii_end();
    let answer = answer.strip_suffix(b"\0").unwrap_or(answer);
    match answer {
        b"" => Err([b"unable to read from UNIX socket (", &path[..], b")"].concat().into()),
        b"0" => Ok(None),
        [b'1', rest @ ..] => {
            let name = rest.strip_prefix(b":").unwrap_or_default().trim_ascii();
            Ok(Some(if name.is_empty() { b"unknown".to_vec() } else { name.to_vec() }))
        }
        _ => Err(b"scanner reported error".into()),
    }
}
