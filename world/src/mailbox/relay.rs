//! Work with a user's rights: a thread has them, and asks the one that ordered it for what
//! it needs.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use eximious_core::world::LocalUser;
use eximious_core::world::mailbox::{
    MailboxBeforehand, MailboxDone, MailboxFault, MailboxFaultKind, MailboxSupply,
};
use rustix::process::geteuid;

use crate::as_user::{Rights, rights};

/// What is asked.
pub(crate) enum Question {
    /// The next bytes, in this room.
    Read(Vec<u8>),
    Name(u64),
    Tag(u64),
    Envelope(Vec<u8>),
    Sizes(Vec<Vec<u8>>),
    Counts(Vec<u8>),
}

/// What is answered.
pub(crate) enum Reply {
    /// The bytes: so many of the room.
    Bytes(io::Result<usize>, Vec<u8>),
    Text(Result<Vec<u8>, MailboxFault>),
    Sizes(Vec<Option<u64>>),
    Counts(bool),
}

type Written = Result<MailboxDone, MailboxFault>;

/// Does something with a user's rights: on a thread that takes them, where this process has
/// the superuser's; as it is, where it is that user.
pub(super) fn with_rights(
    user: &LocalUser,
    supply: &mut dyn MailboxSupply,
    work: impl FnOnce(&mut dyn MailboxSupply) -> Written + Send,
) -> Written {
    let taken = match needed(user)? {
        Rights::Own => return work(supply),
        Rights::Taken(taken) => taken,
    };
    let (asks, questions) = sync_channel(1);
    let (answers, replies) = sync_channel(1);
    thread::scope(|scope| {
        let worker = thread::Builder::new().spawn_scoped(scope, move || {
            taken.take().map_err(untaken)?;
            let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
            work(&mut Ask::new(move |question| {
                asks.send(question).map_err(|_| gone())?;
                replies.recv().map_err(|_| gone())
            }))
        });
        let worker = worker.map_err(|error| MailboxFault::of(&error, "no thread can be had"))?;
        answer(supply, &questions, &answers);
        let panicked = || MailboxFault::new(0, "writing to a mailbox failed");
        worker.join().unwrap_or_else(|_| Err(panicked()))
    })
}

/// Has this thread take a user's rights for good, unless this process is that user's.
pub(super) fn take_rights(user: &LocalUser) -> Result<(), MailboxFault> {
    match needed(user)? {
        Rights::Own => Ok(()),
        Rights::Taken(taken) => taken.take().map_err(untaken),
    }
}

fn needed(user: &LocalUser) -> Result<Rights<'_>, MailboxFault> {
    rights(user).map_err(|error| {
        let (uid, gid, own) = (user.uid, user.gid, geteuid().as_raw());
        let text = format!("unable to set gid={gid} or uid={uid} (euid={own})");
        MailboxFault { kind: MailboxFaultKind::Untried, ..MailboxFault::of(&error, text) }
    })
}

fn untaken(error: rustix::io::Errno) -> MailboxFault {
    MailboxFault::of(&error.into(), "no rights of the user's")
}

/// Answers until nobody asks any more.
fn answer(
    supply: &mut dyn MailboxSupply,
    questions: &Receiver<Question>,
    answers: &SyncSender<Reply>,
) {
    for question in questions {
        let reply = answered(supply, question);
        if answers.send(reply).is_err() {
            return;
        }
    }
}

/// The answer to a question.
pub(crate) fn answered(supply: &mut dyn MailboxSupply, question: Question) -> Reply {
    match question {
        Question::Read(mut room) => Reply::Bytes(supply.read(&mut room), room),
        Question::Name(inode) => Reply::Text(supply.name(inode)),
        Question::Tag(written) => Reply::Text(supply.tag(written)),
        Question::Envelope(base) => Reply::Text(supply.envelope(&base)),
        Question::Sizes(names) => Reply::Sizes(supply.sizes(&names)),
        Question::Counts(directory) => Reply::Counts(supply.counts(&directory)),
    }
}

/// A supply that asks somebody else each question, unless the answer was told before.
pub(crate) struct Ask<F> {
    ask: F,
    told: MailboxBeforehand,
    /// How many of the bytes that were told are read.
    taken: usize,
}

impl<F> Ask<F> {
    pub(crate) fn new(ask: F) -> Self {
        Self::knowing(MailboxBeforehand::default(), ask)
    }

    pub(crate) fn knowing(told: MailboxBeforehand, ask: F) -> Self {
        Self { ask, told, taken: 0 }
    }
}

impl<F: FnMut(Question) -> io::Result<Reply>> Ask<F> {
    fn ask(&mut self, question: Question) -> io::Result<Reply> {
        (self.ask)(question)
    }

    fn text(&mut self, question: Question) -> Result<Vec<u8>, MailboxFault> {
        match self.ask(question) {
            Ok(Reply::Text(text)) => text,
            Ok(_) => Err(MailboxFault::new(0, "a question about a mailbox was not answered")),
            Err(error) => Err(MailboxFault::of(&error, error.to_string())),
        }
    }
}

impl<F: FnMut(Question) -> io::Result<Reply>> MailboxSupply for Ask<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let known = &self.told.bytes[self.taken..];
        if !known.is_empty() || self.told.is_all {
            let count = known.len().min(into.len());
            into[..count].copy_from_slice(&known[..count]);
            self.taken += count;
            return Ok(count);
        }
        match self.ask(Question::Read(vec![0; into.len()]))? {
            Reply::Bytes(Ok(count), bytes) if count <= into.len().min(bytes.len()) => {
                into[..count].copy_from_slice(&bytes[..count]);
                Ok(count)
            }
            Reply::Bytes(Err(error), _) => Err(error),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn name(&mut self, inode: u64) -> Result<Vec<u8>, MailboxFault> {
        self.text(Question::Name(inode))
    }

    fn tag(&mut self, written: u64) -> Result<Vec<u8>, MailboxFault> {
        if self.told.is_untagged {
            return Ok(Vec::new());
        }
        self.text(Question::Tag(written))
    }

    fn envelope(&mut self, base: &[u8]) -> Result<Vec<u8>, MailboxFault> {
        self.text(Question::Envelope(base.to_vec()))
    }

    fn sizes(&mut self, names: &[Vec<u8>]) -> Vec<Option<u64>> {
        match self.ask(Question::Sizes(names.to_vec())) {
            Ok(Reply::Sizes(sizes)) => sizes,
            _ => Vec::new(),
        }
    }

    fn counts(&mut self, directory: &[u8]) -> bool {
        !matches!(self.ask(Question::Counts(directory.to_vec())), Ok(Reply::Counts(false)))
    }
}
