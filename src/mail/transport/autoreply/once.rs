//! Who has had an answer (`once`): a file of times and addresses.
//!
//! A record is the time, as eight bytes of a little-endian number, and what the To header
//! says, with a zero byte behind it: Exim's form where `once_file_size` bounds the file.
//! Without that, Exim keeps a database of its own kind in the file; then the records stand
//! in a file beside it, whose name has `.seen` at its end.

use eximious_core::Str;
use eximious_core::world::UserFileWork;
use eximious_stdlib::options::opt::transport::autoreply as opt;

use super::{Reply, Trouble, later, untainted};
use crate::mail::transport::TransportCall;

/// The most that is read of such a file.
const LARGEST: u64 = 16 << 20;

/// What is remembered.
pub(super) struct Once {
    name: Str,
    to: Vec<u8>,
    /// How large the file may be.
    most: Option<usize>,
    /// When somebody gets another answer; never where it is zero.
    repeat: u64,
    records: Vec<(i64, Vec<u8>)>,
    now: i64,
}

impl Once {
    /// What is remembered, where that is wanted.
    pub(super) fn of(call: &mut TransportCall<'_>, reply: &Reply) -> Result<Option<Self>, Trouble> {
        let Some(name) = reply.once.as_ref().filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        untainted(call, "once file", name)?;
        let Some(to) = &reply.to else { return Ok(None) };
        let most = usize::try_from(call.transport.get(opt::ONCE_FILE_SIZE)).ok();
        let most = most.filter(|most| *most > 0);
        let name = match most {
            Some(_) => name.clone(),
            None => Str::from([name.bytes(), b".seen"].concat()),
        };
        // A file that can't be written to is a fault before anything is sent.
        let mode = mode(call);
        let touch = call.user_file(&name, UserFileWork::Append(mode, Vec::new()));
        let read = call.user_file(&name, UserFileWork::Read(LARGEST));
        let mailboxes = call.cx.engine().world().mailboxes.clone();
        let bytes = mailboxes.file(&touch).and_then(|_| mailboxes.file(&read));
        let bytes = bytes.map_err(|error| {
            let shown = reply.once.as_ref().map(Str::bytes).unwrap_or_default();
            let own = call.transport.name.bytes();
            // What has no bound is a database to Exim.
            let kind: &[u8] = if most.is_some() { b"\"once\"" } else { b"db (v4.1+)" };
            let head = [b"Failed to open ", kind, b" file ", shown].concat();
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
        let known = self.records.len();
        let own = std::mem::take(&mut self.to);
        self.records.retain(|(_, to)| *to != own);
        let is_new = self.records.len() == known;
        let new = (self.now, own);
        let size = |records: &[(i64, Vec<u8>)]| -> usize {
            records.iter().map(|(_, to)| to.len() + 9).sum()
        };
        let length = size(&self.records) + new.1.len() + 9;
        let fits = self.most.is_none_or(|most| length <= most);
        let mode = mode(call);
        let work = match is_new && fits {
            true => UserFileWork::Append(mode, written(&[new])),
            false => {
                let mut first = 0;
                let room = self.most.unwrap_or(usize::MAX).saturating_sub(new.1.len() + 9);
                while first < self.records.len() && size(&self.records[first..]) > room {
                    first += 1;
                }
                let mut left = self.records.split_off(first);
                left.push(new);
                UserFileWork::Replace(mode, written(&left))
            }
        };
        let order = call.user_file(&self.name, work);
        if let Err(error) = call.cx.engine().world().mailboxes.file(&order) {
            let why = eximious_stdlib::wording::reason(&error);
            let head = [b"Failed to write to \"once\" file ", self.name.bytes()].concat();
            call.log(&[&head[..], b": ", why.as_bytes()].concat());
        }
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
