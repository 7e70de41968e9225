//! F-Prot's older daemon, over HTTP.

use super::{Fault, Scanner, ScannerRun, Scanning};

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const FPROTD: Scanner =
    super::scanner("f-protd", "f-protd:<host ports>", "F-Prot, over HTTP.", &RUN);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let place = scan.option(0).unwrap_or(b"localhost 10200-10204").to_vec();
    let mut link = scan.connect(&place)?;
    let path = &scan.file;
    let request = [b"GET ", &encoded(path)[..], b" HTTP/1.0\r\n\r\n"].concat();
    link.send(&request).map_err(|why| Fault::unread(&why))?;
    let answer = link.all();
    let text = String::from_utf8_lossy(&answer.bytes);
    if let Some((_, rest)) = text.split_once("<detected") {
        let name = rest.split_once("<name>").and_then(|(_, rest)| rest.split_once("</name>"));
        return Ok(Some(name.map_or("unknown", |(name, _)| name).as_bytes().to_vec()));
    }
    if let Some(why) = answer.cut {
        return Err(Fault::unread(&why));
    }
    let code = text.split_once("<summary code=\"").and_then(|(_, rest)| rest.split_once('"'));
    match code.map(|(code, _)| code) {
        Some("7" | "9") => Ok(None),
        Some("11") => Ok(Some(b"unknown".to_vec())),
        Some(code) => Err(format!("scanner returned code {code}").into_bytes().into()),
        None => Err(b"unable to read result".into()),
    }
}

fn encoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in path {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' => out.push(*byte),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out
}
