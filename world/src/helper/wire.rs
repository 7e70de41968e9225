//! Orders, questions and outcomes as bytes.

use std::io::{self, Read, Write};
use std::time::Duration;

use eximious_core::world::mailbox::{
    MailboxBeforehand, MailboxDone, MailboxFault, MailboxOrder, UserFileOrder,
};
use eximious_core::world::{LocalPeer, LocalUser, PeerOrder, PipeEnd, PipeFault, PipeOrder, Stat};

use super::files::FileLook;

use crate::mailbox::relay::{Question, Reply};

/// The longest frame: a piece of a message, names of files, what a command wrote.
const LONGEST: u32 = 64 << 20;

/// The room that a frame has at first.
const ROOM: usize = 128 << 10;

/// What goes over a connection.
pub(super) enum Frame {
    Mailbox(Box<MailboxOrder>, MailboxBeforehand),
    Pipe(PipeOrder),
    Question(Question),
    Reply(Reply),
    Written(Result<MailboxDone, MailboxFault>),
    Piped(Result<PipeEnd, PipeFault>),
    UserFile(UserFileOrder),
    FileDone(io::Result<Vec<u8>>),
    Peer(PeerOrder),
    /// Where it is somebody, a descriptor comes next.
    Opened(Result<(), PipeFault>),
    /// How long a command may take to end.
    End(Duration),
    /// How it has ended, if it has.
    Ended(Option<i32>),
    /// A look at a file, or at what is in a directory.
    Look(FileLook),
    Contents(io::Result<Vec<u8>>),
    Names(io::Result<Vec<Vec<u8>>>),
    Stat(io::Result<Stat>),
}

/// Writes a frame: its length, and its bytes.
pub(super) fn write_frame(to: &mut impl Write, frame: &impl Wire) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    frame.put(&mut bytes);
    let length = u32::try_from(bytes.len() - 4).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or(io::ErrorKind::FileTooLarge)?;
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    to.write_all(&bytes)
}

/// Reads a frame.
pub(super) fn read_frame<F: Wire>(from: &mut (impl Read + ?Sized)) -> io::Result<F> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // Most frames fit at once; a length that is not true takes no more than this.
    let mut bytes = Vec::with_capacity((length as usize).min(ROOM) + 1);
    from.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != u64::from(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut rest = &bytes[..];
    let frame = F::take(&mut rest).filter(|_| rest.is_empty());
    frame.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// What can be written as bytes, and read again.
pub(super) trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(from: &mut &[u8]) -> Option<Self>;
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                let (head, rest) = from.split_first_chunk()?;
                *from = rest;
                Some(Self::from_be_bytes(*head))
            }
        }
    )*};
}

numbers!(u8, u32, u64, i32, i64);

macro_rules! structs {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($field.put(out);)*
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                $(let $field = Wire::take(from)?;)*
                Some(Self { $($field),* })
            }
        }
    )*};
}

mod mailbox;
mod queries;

structs! {
    LocalUser { uid, gid, groups }
    PipeOrder { argv, environment, directory, user, umask, dumps_core, timeout, max_output }
    PeerOrder { user, peer, timeout }
    PipeEnd { code, output, written, is_cut }
    FileLook { uid, gid, path, kind, most }
    Stat { mode, inode, device, links, uid, gid, size, atime, mtime, mtime_nanos, ctime }
}

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        match u8::take(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

/// A count goes before the items.
impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|item| item.put(out));
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let count = usize::try_from(u64::take(from)?).ok()?;
        // Each item has a byte at least.
        if count > from.len() {
            return None;
        }
        (0..count).map(|_| T::take(from)).collect()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        match bool::take(from)? {
            true => T::take(from).map(Some),
            false => Some(None),
        }
    }
}

impl<T: Wire, E: Wire> Wire for Result<T, E> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_ok().put(out);
        match self {
            Ok(value) => value.put(out),
            Err(error) => error.put(out),
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        match bool::take(from)? {
            true => T::take(from).map(Ok),
            false => E::take(from).map(Err),
        }
    }
}

impl Wire for () {
    fn put(&self, _: &mut Vec<u8>) {}
    fn take(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}

impl Wire for Duration {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_secs().put(out);
        self.subsec_nanos().put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let (seconds, nanos) = (u64::take(from)?, u32::take(from)?);
        (nanos < 1_000_000_000).then(|| Self::new(seconds, nanos))
    }
}

/// The system's number; what has none is told as one that has.
impl Wire for io::Error {
    fn put(&self, out: &mut Vec<u8>) {
        let unknown = match self.kind() {
            io::ErrorKind::FileTooLarge => rustix::io::Errno::FBIG,
            _ => rustix::io::Errno::IO,
        };
        let unknown = unknown.raw_os_error();
        self.raw_os_error().unwrap_or(unknown).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        i32::take(from).map(Self::from_raw_os_error)
    }
}

impl Wire for PipeFault {
    fn put(&self, out: &mut Vec<u8>) {
        let (kind, error) = match self {
            Self::Rights(error) => (0, error),
            Self::Untried(error) => (6, error),
            Self::Directory(error) => (1, error),
            Self::Start(error) => (2, error),
            Self::Execute(error) => (3, error),
            Self::Message(error, output) => {
                out.push(4);
                output.put(out);
                return error.put(out);
            }
            Self::Timeout(end) => {
                out.push(5);
                return end.put(out);
            }
        };
        out.push(kind);
        error.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let kind = u8::take(from)?;
        if kind == 5 {
            return Wire::take(from).map(Self::Timeout);
        }
        let output = if kind == 4 { Wire::take(from)? } else { Vec::new() };
        let error = Wire::take(from)?;
        Some(match kind {
            0 => Self::Rights(error),
            6 => Self::Untried(error),
            1 => Self::Directory(error),
            2 => Self::Start(error),
            3 => Self::Execute(error),
            4 => Self::Message(error, output),
            _ => return None,
        })
    }
}

/// How much is wanted at a time.
const MOST_WANTED: u64 = 1 << 20;

impl Wire for LocalPeer {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Socket(path) => {
                out.push(0);
                path.put(out);
            }
            Self::Command { argv, environment, directory, umask, writes } => {
                out.push(1);
                argv.put(out);
                environment.put(out);
                directory.put(out);
                (*umask, *writes).put(out);
            }
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Socket(Wire::take(from)?),
            1 => {
                let (argv, environment) = (Wire::take(from)?, Wire::take(from)?);
                let directory = Wire::take(from)?;
                let (umask, writes) = Wire::take(from)?;
                Self::Command { argv, environment, directory, umask, writes }
            }
            _ => return None,
        })
    }
}

impl Wire for Question {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Read(room) => {
                out.push(0);
                (room.len() as u64).put(out);
            }
            Self::Name(inode) => {
                out.push(1);
                inode.put(out);
            }
            Self::Tag(written) => {
                out.push(2);
                written.put(out);
            }
            Self::Envelope(base) => {
                out.push(3);
                base.put(out);
            }
            Self::Sizes(names) => {
                out.push(4);
                names.put(out);
            }
            Self::Counts(directory) => {
                out.push(5);
                directory.put(out);
            }
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => {
                let wanted = u64::take(from)?.min(MOST_WANTED);
                Self::Read(vec![0; wanted as usize])
            }
            1 => Self::Name(Wire::take(from)?),
            2 => Self::Tag(Wire::take(from)?),
            3 => Self::Envelope(Wire::take(from)?),
            4 => Self::Sizes(Wire::take(from)?),
            5 => Self::Counts(Wire::take(from)?),
            _ => return None,
        })
    }
}

impl Wire for Reply {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bytes(Ok(count), bytes) => {
                out.push(0);
                out.extend_from_slice(&bytes[..*count]);
            }
            Self::Bytes(Err(error), _) => {
                out.push(1);
                error.put(out);
            }
            Self::Text(text) => {
                out.push(2);
                text.put(out);
            }
            Self::Sizes(sizes) => {
                out.push(3);
                sizes.put(out);
            }
            Self::Counts(counts) => {
                out.push(4);
                counts.put(out);
            }
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            // Nothing comes behind them.
            0 => {
                let bytes = std::mem::take(from).to_vec();
                Self::Bytes(Ok(bytes.len()), bytes)
            }
            1 => Self::Bytes(Err(Wire::take(from)?), Vec::new()),
            2 => Self::Text(Wire::take(from)?),
            3 => Self::Sizes(Wire::take(from)?),
            4 => Self::Counts(Wire::take(from)?),
            _ => return None,
        })
    }
}

impl Wire for Frame {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Mailbox(order, told) => {
                out.push(0);
                order.put(out);
                told.put(out);
            }
            Self::Pipe(order) => {
                out.push(1);
                order.put(out);
            }
            Self::Question(question) => {
                out.push(2);
                question.put(out);
            }
            Self::Reply(reply) => {
                out.push(3);
                reply.put(out);
            }
            Self::Written(written) => {
                out.push(4);
                written.put(out);
            }
            Self::Piped(piped) => {
                out.push(5);
                piped.put(out);
            }
            Self::UserFile(order) => {
                out.push(6);
                order.put(out);
            }
            Self::FileDone(done) => {
                out.push(7);
                done.put(out);
            }
            Self::Peer(order) => {
                out.push(8);
                order.put(out);
            }
            Self::Opened(opened) => {
                out.push(9);
                opened.put(out);
            }
            Self::End(within) => {
                out.push(10);
                within.put(out);
            }
            Self::Ended(code) => {
                out.push(11);
                code.put(out);
            }
            Self::Look(look) => {
                out.push(12);
                look.put(out);
            }
            Self::Contents(contents) => {
                out.push(13);
                contents.put(out);
            }
            Self::Names(names) => {
                out.push(14);
                names.put(out);
            }
            Self::Stat(stat) => {
                out.push(15);
                stat.put(out);
            }
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Mailbox(Box::new(Wire::take(from)?), Wire::take(from)?),
            1 => Self::Pipe(Wire::take(from)?),
            2 => Self::Question(Wire::take(from)?),
            3 => Self::Reply(Wire::take(from)?),
            4 => Self::Written(Wire::take(from)?),
            5 => Self::Piped(Wire::take(from)?),
            6 => Self::UserFile(Wire::take(from)?),
            7 => Self::FileDone(Wire::take(from)?),
            8 => Self::Peer(Wire::take(from)?),
            9 => Self::Opened(Wire::take(from)?),
            10 => Self::End(Wire::take(from)?),
            11 => Self::Ended(Wire::take(from)?),
            12 => Self::Look(Wire::take(from)?),
            13 => Self::Contents(Wire::take(from)?),
            14 => Self::Names(Wire::take(from)?),
            15 => Self::Stat(Wire::take(from)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_any_form_is_no_panic() {
        let order = PipeOrder { argv: vec![b"a".to_vec()], ..PipeOrder::default() };
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &Frame::Pipe(order.clone())).unwrap();
        let Frame::Pipe(same) = read_frame(&mut &bytes[..]).unwrap() else { panic!() };
        assert_eq!(same, order);
        for end in 0..bytes.len() {
            assert!(read_frame::<Frame>(&mut &bytes[..end]).is_err());
        }
        let mut dice = fastrand::Rng::with_seed(17);
        for _ in 0..20_000 {
            let mut bytes = bytes.clone();
            for _ in 0..dice.usize(1..4) {
                let at = dice.usize(..bytes.len());
                bytes[at] = dice.u8(..);
            }
            let _ = read_frame::<Frame>(&mut &bytes[..]);
        }
        let huge = [&u32::MAX.to_be_bytes()[..], &[0; 16]].concat();
        assert!(read_frame::<Frame>(&mut &huge[..]).is_err());
    }
}
