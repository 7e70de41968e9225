//! ClamAV's daemon.

use std::time::Duration;

use eximious_stdlib::interval;
use eximious_stdlib::lists::elements_with;

use super::link::reason;
use super::{Fault, Link, Scanner, ScannerRun, Scanning};

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const CLAMD: Scanner = super::scanner(
    "clamd",
    "clamd:<socket or host port>[ retry=<time>]...[:local]",
    "ClamAV, over a socket or TCP.",
    &RUN,
);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let first = scan.option(0).unwrap_or(b"/tmp/clamd").to_vec();
    if first.starts_with(b"/") {
        let (path, retry) = server(&first)?;
        let link = scan.connect_with_retry(&path, retry)?;
        return ask(scan, link, true);
    }
    let (mut servers, mut local) = (Vec::new(), false);
    for option in scan.options.clone() {
        if option == b"local" {
            local = true;
            continue;
        }
        if words(&option).count() < 2 {
            scan.complain(&[b"missing port: '", &option[..], b"'"].concat());
            continue;
        }
        servers.push(server(&option)?);
    }
    if servers.is_empty() {
        return Err(b"no useable server addresses in malware configuration option.".into());
    }
    while !servers.is_empty() {
        let random = scan.run.cx.engine().world().random.clone();
        let number = usize::try_from(random.below(servers.len() as u64)).unwrap_or(0);
        let (server, retry) = servers.swap_remove(number);
        match scan.connect_with_retry(&server, retry) {
            Ok(link) => return ask(scan, link, local),
            Err(Fault(why)) => scan.complain(&why),
        }
    }
    scan.reached.clear();
    Err(b"all servers failed".into())
}

/// The words of what says where a server is: a list by itself, in which two spaces stand for one.
fn words(option: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    elements_with(option, b' ').map(|word| word.to_vec()).filter(|word| !word.is_empty())
}

/// Where a server is, and how long after a failure it is tried once more.
fn server(option: &[u8]) -> Result<(Vec<u8>, Option<Duration>), Fault> {
    let mut words = words(option);
    let mut place = words.next().unwrap_or_default();
    if !place.starts_with(b"/") {
        place.push(b' ');
        // What is no number is none.
        let port = words.next().unwrap_or_default();
        let port = port[..].split(|byte| *byte == b'-').next().unwrap_or_default();
        let is_number = port.first().is_some_and(u8::is_ascii_digit);
        place.extend_from_slice(if is_number { port } else { b"0" });
    }
    let mut retry = None;
    for word in words {
        let time = word.strip_prefix(b"retry=").and_then(interval::seconds);
        match time.and_then(|seconds| u64::try_from(seconds).ok()) {
            Some(seconds) => retry = Some(Duration::from_secs(seconds)),
            None => return Err([b"bad option '", option, b"'"].concat().into()),
        }
    }
    Ok((place, retry))
}

fn ask(
    scan: &mut Scanning<'_, '_>,
    mut link: Link,
    by_name: bool,
) -> Result<Option<Vec<u8>>, Fault> {
    if by_name {
        let sent = link.send(&[b"SCAN ", &scan.file[..], b"\n"].concat());
        sent.map_err(|why| format!("unable to write to socket ({})", reason(&why)).into_bytes())?;
    } else {
        let sent = link.send(b"zINSTREAM\0").and_then(|()| {
            link.send_message(&*scan.source, true)?;
            link.send(&[0; 4])
        });
        // It may have said why it takes no more.
        if let Err(why) = sent
            && !matches!(why.kind(), std::io::ErrorKind::BrokenPipe)
        {
            return Err(format!("unable to send file body to socket ({})", reason(&why))
                .into_bytes()
                .into());
        }
    }
    let mut answer = link.until(b"\0\n").map_err(|why| Fault::unread(&why))?;
    if answer.is_empty() {
        return Err(b"unable to read from socket (EOF)".into());
    }
    // Lines about further files may have come with it.
    if answer.ends_with(b"\n") {
        answer.extend(link.held());
        answer.truncate(memchr::memchr(0, &answer).unwrap_or(answer.len()));
    }
    if let Some(name) = answer.split(|byte| *byte == b'\n').find_map(found) {
        return Ok(Some(name));
    }
    let answer = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let answer = trimmed(answer);
    if answer.is_empty() {
        return Err(b"ClamAV returned null".into());
    }
    let Some(colon) = memchr::memchr(b':', answer) else {
        let head = b"ClamAV returned malformed result (missing colon): ";
        return Err([head, answer].concat().into());
    };
    match answer[colon + 1..].trim_ascii_start() {
        b"OK" => Ok(None),
        verdict if verdict.ends_with(b"ERROR") => {
            Err([b"ClamAV returned: ", answer].concat().into())
        }
        _ => Err([b"unparseable response from ClamAV: {", answer, b"}"].concat().into()),
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_end();
    line.strip_suffix(b"\0").unwrap_or(line).trim_ascii_end()
}

/// The name of what was found, where a line says that something was.
fn found(line: &[u8]) -> Option<Vec<u8>> {
    let line = trimmed(line);
    let verdict = line[memchr::memchr(b':', line)? + 1..].trim_ascii_start();
    let name = verdict.strip_suffix(b"FOUND")?.trim_ascii_end();
    // A sum and a length may follow it.
    let end = memchr::memchr(b'(', name).filter(|_| name.ends_with(b")"));
    Some(match &name[..end.unwrap_or(name.len())] {
        b"" => b"unknown".to_vec(),
        name => name.to_vec(),
    })
}
