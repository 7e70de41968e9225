//! Avast, over a socket or TCP.

use super::link::{is_timeout, reason};
use super::{Fault, Link, Scanner, ScannerRun, Scanning};
use crate::mail::acl::Logs;

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const AVAST: Scanner = super::scanner(
    "avast",
    "avast:<socket or host port>[:pass_unscanned][:<option>]...",
    "Avast, over a socket or TCP.",
    &RUN,
);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let place = scan.option(0).unwrap_or(b"/var/run/avast/scan.sock").to_vec();
    let mut link = scan.connect(&place)?;
    let found = converse(scan, &mut link);
    match (found, link.send(b"QUIT\n")) {
        (Err(_), Err(why)) => {
            let head = [b"unable to send quit request to socket (", &place[..], b"): "].concat();
            Err([&head[..], reason(&why).as_bytes()].concat().into())
        }
        (found, _) => found,
    }
}

fn converse(scan: &mut Scanning<'_, '_>, link: &mut Link) -> Result<Option<Vec<u8>>, Fault> {
    let further = scan.options.get(1..).unwrap_or_default().to_vec();
    let passes = further.iter().any(|option| option == b"pass_unscanned");
    let settings = further.into_iter().filter(|option| option != b"pass_unscanned");
    let scan_it = [b"SCAN ", &escaped(&scan.directory)[..]].concat();
    let (mut found, mut unknown) = (None, None);
    let greeting = next(link)?;
    if is_error(&greeting) {
        return Err(Fault(greeting));
    }
    if !greeting.starts_with(b"220") {
        return Err(b"unexpected greeting".into());
    }
    for request in settings.chain([scan_it.clone()]) {
        let sent = link.send(&[&request[..], b"\n"].concat());
        sent.map_err(|why| Fault::unread(&why))?;
        loop {
            let line = next(link)?;
            if is_error(&line) {
                // What is no answer counts before it.
                return Err(Fault(unknown.unwrap_or(line)));
            }
            if line.starts_with(b"200 ") {
                break;
            }
            if request != scan_it || line.starts_with(b"2") {
                continue;
            }
            let mut fields = line.splitn(3, |byte| *byte == b'\t');
            let head = fields.next().unwrap_or_default();
            let status = fields.next().filter(|_| head.starts_with(b"SCAN ")).unwrap_or_default();
            let info = fields.next().unwrap_or_default();
            if status.starts_with(b"[E]") && passes {
                let line = [b"internal scanner error (ignored): ", &line[..]].concat();
                scan.run.host.log_to(Logs::MAIN, &line);
            } else if status.starts_with(b"[E]") || status.starts_with(b"[L]") {
                // `0 NAME`, or `Error NUMBER TEXT`.
                let words = if status.starts_with(b"[L]") { 2 } else { 3 };
                let name = info.splitn(words, |byte| *byte == b' ').last().unwrap_or_default();
                found.get_or_insert(unescaped(name));
            } else if !status.starts_with(b"[+]") {
                unknown.get_or_insert(line);
            }
        }
    }
    // What was found counts, whatever else is said of other files.
    match (found, unknown) {
        (None, Some(line)) if line.is_empty() => Err(b"got nothing from scanner".into()),
        (None, Some(line)) => Err(Fault(line)),
        (found, _) => Ok(found),
    }
}

fn next(link: &mut Link) -> Result<Vec<u8>, Fault> {
    match link.line() {
        Ok(line) => Ok(line.ok_or(b"EOF from scanner")?),
        Err(why) if is_timeout(&why) => Err(b"timeout from scanner".into()),
        Err(why) => Err(Fault::unread(&why)),
    }
}

/// Whether a line's number says that something is wrong.
fn is_error(line: &[u8]) -> bool {
    let [b'4' | b'5', number @ ..] = line else { return false };
    number.len() > 2 && number[..2].iter().all(u8::is_ascii_digit)
}

fn escaped(text: &[u8]) -> Vec<u8> {
    let special = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'\\');
    text.iter()
        .flat_map(|byte| special(*byte).then_some(b'\\').into_iter().chain([*byte]))
        .collect()
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            _ => out.push(*byte),
        }
    }
    out
}
