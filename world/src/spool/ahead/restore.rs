//! After a power failure: what the log has, and the spool has not.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use eximious_core::world::SpoolPlace;
use rustix::fs::{AtFlags, OFlags, unlinkat};
use rustix::io::Errno;

use super::super::arriving::Message;
use super::super::taken::lock;
use super::super::{Found, find_for, open_parts};
use super::file::{InMailbox, Logged};
use crate::order::{Order, Orders};

/// Puts messages into the spool that are not there, or not as they came: the names of those.
///
/// # Errors
/// What the system says; some may be there then.
pub(super) fn restore(place: &SpoolPlace, left: Vec<Logged>) -> io::Result<Vec<Vec<u8>>> {
    let began = SystemTime::now() - Duration::from_secs(uptime());
    let (mut restored, orders) = (Vec::new(), Orders::default());
    for logged in left {
        if let Some(id) = put_back((place, &orders), logged, began)? {
            restored.push(id);
        }
    }
    Ok(restored)
}

fn uptime() -> u64 {
    u64::try_from(rustix::system::sysinfo().uptime).unwrap_or(0)
}

fn put_back(
    (place, orders): (&SpoolPlace, &Orders),
    logged: Logged,
    began: SystemTime,
) -> io::Result<Option<Vec<u8>>> {
    let Logged { id, queue, is_split, .. } = &logged;
    let place = SpoolPlace { queue: queue.clone(), split: *is_split, ..place.clone() };
    let directory = open_parts(&place, b"input", place.part(id), true)?;
    if logged.was_outlived(&File::from(directory.try_clone()?), began) {
        return Ok(None);
    }
    // Where changes come to the disk in their order, what has its length has its contents.
    if orders.of(&directory) != Order::Unknown
        && logged.mailbox.as_ref().is_some_and(InMailbox::is_there)
    {
        return Ok(None);
    }
    // Only who may write a file can lock it against others.
    let header = there(&place, id, b"-H", OFlags::RDONLY)?;
    let data = there(&place, id, b"-D", OFlags::RDWR)?;
    let journal = there(&place, id, b"-J", OFlags::RDONLY)?;
    if is_taken(data.as_ref()) {
        return Ok(None);
    }
    let has_begun = match &header {
        Some(found) => journal.is_some() || found.file.metadata()?.modified()? > began,
        None => false,
    };
    let has_data = is_as(data, &logged.data)?;
    let has_header = match has_begun {
        true => starts(header, &[id, &b"-H\n"[..]].concat())?,
        false => is_as(header, &logged.header)?,
    };
    // What a header file was called before it was whole may be there beside it.
    remove(&directory, &[b"hdr.", id])?;
    if has_data && has_header {
        return Ok(None);
    }
    remove(&directory, &[id, b"-H"])?;
    remove(&directory, &[id, b"-D"])?;
    let Logged { id, header, data, .. } = logged;
    let message = Message::of(directory, (place, id.clone()), header.into(), data);
    message.keep().map_err(|error| error.why)?;
    Ok(Some(id))
}

fn remove(directory: &OwnedFd, name: &[&[u8]]) -> io::Result<()> {
    match unlinkat(directory, name.concat(), AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        removed => Ok(removed?),
    }
}

/// A file of a message, if it is there.
fn there(place: &SpoolPlace, id: &[u8], end: &[u8], access: OFlags) -> io::Result<Option<Found>> {
    match find_for(place, b"input", id, end, access) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// Whether somebody delivers it.
fn is_taken(data: Option<&Found>) -> bool {
    data.is_some_and(|data| matches!(lock(&data.file), Err(nix::Error::EAGAIN)))
}

/// Whether a file is as it was to be.
fn is_as(found: Option<Found>, wanted: &[u8]) -> io::Result<bool> {
    let Some(found) = found else { return Ok(false) };
    let has_length = found.file.metadata()?.len() == wanted.len() as u64;
    Ok(has_length && found.read(wanted.len() as u64)? == wanted)
}

/// Whether a file begins as it is to: somebody may have written it anew since the system started.
fn starts(found: Option<Found>, head: &[u8]) -> io::Result<bool> {
    let Some(found) = found else { return Ok(false) };
    let mut begins = vec![0; head.len()];
    match found.file.read_exact_at(&mut begins, 0) {
        Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| begins == head),
    }
}
