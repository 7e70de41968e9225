//! Who has had an answer (`once`): a file of times and addresses.
//!
//! A record is the time, as eight bytes of a little-endian number, and what the To header
//! says, with a zero byte behind it: Exim's form where `once_file_size` bounds the file, or is
//! below zero, which bounds nothing. Without that, Exim keeps a database of its own kind in the
//! file; then the records stand in a file beside it, whose name has `.seen` at its end.

use std::io::Error;

use eximious_core::Str;
use eximious_core::world::UserFileWork;
use eximious_stdlib::options::opt::transport::autoreply as opt;

use super::{Reply, Trouble, later, untainted};
use crate::mail::transport::TransportCall;

/// The most that is read of such a file.
const LARGEST: u64 = 16 << 20;

/// The system's number where a directory is no file.
const IS_DIRECTORY: i32 = 21;

/// What is remembered.
pub(super) struct Once {
    name: Str,
    to: Vec<u8>,
    /// How large the file may be before its oldest record goes.
    most: usize,
    /// When somebody gets another answer; never where it is zero.
    repeat: u64,
    records: Vec<(i64, Vec<u8>)>,
    now: i64,
}

impl Once {
    /// What is remembered, where that is wanted.
    pub(super) fn of(call: &mut TransportCall<'_>, reply: &Reply) -> Result<Option<Self>, Trouble> {
        let Some(shown) = reply.once.as_ref().filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        untainted(call, "once file", shown)?;
        let Some(to) = &reply.to else { return Ok(None) };
        let most = call.transport.get(opt::ONCE_FILE_SIZE);
        let is_flat = most != 0;
        let name = match is_flat {
            true => shown.clone(),
            false => Str::from([shown.bytes(), b".seen"].concat()),
        };
        let most = usize::try_from(most).ok().filter(|most| *most > 0).unwrap_or(usize::MAX);
        // A file that can't be written to is a fault before anything is sent.
        let mode = mode(call);
        let touch = call.user_file(&name, UserFileWork::Append(mode, Vec::new()));
        let read = call.user_file(&name, UserFileWork::Read(LARGEST));
        let mailboxes = call.cx.engine().world().mailboxes.clone();
        // Where a directory is, a file beside it would do no harm, but is not what is meant.
        let inside = Str::from([shown.bytes(), b"/."].concat());
        let inside = call.user_file(&inside, UserFileWork::Append(mode, Vec::new()));
        let is_directory = |error: &Error| error.raw_os_error() == Some(IS_DIRECTORY);
        let bytes = match mailboxes.file(&inside) {
            Err(error) if is_directory(&error) => Err(error),
            _ => mailboxes.file(&touch).and_then(|_| mailboxes.file(&read)),
        };
        let bytes = bytes.map_err(|error| {
            let own = call.transport.name.bytes();
            // What has no bound is a database to Exim.
            let kind: &[u8] = if is_flat { b"\"once\"" } else { b"db (v4.1+)" };
            let head = [b"Failed to open ", kind, b" file ", shown.bytes()].concat();
            later(&error, &[&head[..], b" when sending message from ", own, b" transport"].concat())
        })?;
        Ok(Some(Self {
            name,
            to: to.bytes().to_vec(),
            most,
            repeat: reply.once_repeat,
            records: records(&bytes),
            now: call.consignment.now,
        }))
    }

    /// Whether whoever would get the answer has had one, and not so long ago.
    pub(super) fn is_too_soon(&self, now: i64) -> bool {
        let Some((time, _)) = self.records.iter().rev().find(|(_, to)| *to == self.to) else {
            return false;
        };
        let passed = u64::try_from(now.saturating_sub(*time)).unwrap_or(0);
        self.repeat == 0 || passed < self.repeat
    }

    /// Remembers that there was an answer.
    pub(super) fn keep(mut self, call: &mut TransportCall<'_>) {
        let own = std::mem::take(&mut self.to);
        let work = renewed(&mut self.records, (self.now, own), self.most);
        let order = call.user_file(&self.name, work(mode(call)));
        if let Err(error) = call.cx.engine().world().mailboxes.file(&order) {
            let why = eximious_stdlib::wording::reason(&error);
            let head = [b"Failed to write to \"once\" file ", self.name.bytes()].concat();
            call.log(&[&head[..], b": ", why.as_bytes()].concat());
        }
    }
}

/// What is done to a file of these records for another one: who has one has its time changed;
/// where the file would be too large with a new one, the first one goes, and no more.
fn renewed(
    records: &mut Vec<(i64, Vec<u8>)>,
    new: (i64, Vec<u8>),
    most: usize,
) -> impl FnOnce(u32) -> UserFileWork {
    let known = records.iter_mut().rfind(|(_, to)| *to == new.1);
    let has_all = match known {
        Some(known) => {
            known.0 = new.0;
            false
        }
        None => {
            let length = written(records).len() + written(std::slice::from_ref(&new)).len();
            let has_all = records.is_empty() || length <= most;
            records.drain(..usize::from(!has_all));
            records.push(new);
            has_all
        }
    };
    let bytes = written(if has_all { &records[records.len() - 1..] } else { records });
    move |mode| match has_all {
        true => UserFileWork::Append(mode, bytes),
        false => UserFileWork::Replace(mode, bytes),
    }
}

fn mode(call: &TransportCall<'_>) -> u32 {
    u32::try_from(call.transport.get(opt::MODE)).unwrap_or(0o600)
}

/// The records of a file, as far as they are whole.
fn records(mut bytes: &[u8]) -> Vec<(i64, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some((time, rest)) = bytes.split_first_chunk() {
        let Some(end) = memchr::memchr(0, rest) else { break };
        all.push((i64::from_le_bytes(*time), rest[..end].to_vec()));
        bytes = &rest[end + 1..];
    }
    all
}

fn written(records: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let one = |(time, to): &(i64, Vec<u8>)| [&time.to_le_bytes()[..], to, b"\0"].concat();
    records.iter().flat_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_alone() {
        let record = |time, to: &str| (time, to.as_bytes().to_vec());
        let file = || vec![record(9, "aa@b"), record(1, "bb@b"), record(5, "cc@b")];
        let done = |new, most| {
            let mut all = file();
            let append = matches!(renewed(&mut all, new, most)(0), UserFileWork::Append(..));
            (append, all)
        };
        let new = || record(10, "new@b");
        assert_eq!(done(new(), 53), (true, [file(), vec![new()]].concat()));
        for most in [52, 5] {
            let left = vec![record(1, "bb@b"), record(5, "cc@b"), new()];
            assert_eq!(done(new(), most), (false, left));
        }
        let again = vec![record(9, "aa@b"), record(10, "bb@b"), record(5, "cc@b")];
        assert_eq!(done(record(10, "bb@b"), 5), (false, again));
    }

    #[test]
    fn records_are_exims() {
        let one = b"\xcc\x85\x02\x6b\0\0\0\0sender@me.test\0";
        let all = records(one);
        assert_eq!(all, [(0x6b02_85cc, b"sender@me.test".to_vec())]);
        assert_eq!(written(&all), one);
        for end in 0..one.len() {
            assert!(records(&one[..end]).is_empty());
        }
        assert_eq!(records(&[&one[..], b"\x01"].concat()).len(), 1);
    }
}
