//! Local deliveries by another process, which keeps the superuser's rights when this one
//! gives them up. It takes five kinds of order, to write to a mailbox, to give a message
//! to a command, to read or write a small file, to look at a file and to begin a dialogue with
//! a command or at a socket, and does each with the rights of the user that the order names,
//! who is never the superuser. A command may be this program itself, which is asked something
//! as that user (`asking.rs`).
//!
//! Each order has a connection of its own, which is handed over along the one that both
//! were given at the start; along one that was for a user's mailbox, others of the same user
//! may be written. When the first one closes, the process ends. Where the one who ordered goes
//! away in the middle, what was written is taken back, as for any message that breaks off.

mod asking;
mod files;
mod wire;

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command as Program, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use eximious_core::World;
use eximious_core::world::mailbox::{
    MailboxBeforehand, MailboxDone, MailboxFault, MailboxFaultKind, MailboxOrder, MailboxSupply,
    Mailboxes, UserFileOrder,
};
use eximious_core::world::{
    Child, Command, Dialogue, Finished, LocalPeer, LocalUser, PeerOrder, PipeEnd, PipeFault,
    PipeOrder, Processes, RunError,
};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::geteuid;

use crate::mailbox::relay::{self, Ask, Question, Reply};
use crate::mailbox::{self, SystemMailboxes};
use crate::processes::{
    Conversation, NOT_EXECUTED, Other, PATIENCE, Partner, SystemProcesses, UMASK, open,
};
pub use asking::answer_as_caller;
use asking::{HelpedDatabases, HelpedLibraries, is_other};
use files::HelpedFiles;
use wire::{Frame, read_frame, write_frame};

/// How much of a message goes with an order, before it is asked for.
const AHEAD: usize = 64 << 10;

/// How many connections are kept for further messages to their users.
const MOST_KEPT: usize = 16;

/// How long lies at least between the starts of two processes, one in the other's place.
const PAUSE: Duration = Duration::from_secs(1);

/// A process that delivers with the rights of users. When this value goes, it ends what it
/// does, and goes, too.
#[derive(Debug)]
pub struct DeliveryHelper {
    control: OwnedFd,
    /// Connections at whose other end somebody has a user's rights already, the latest last.
    kept: Mutex<VecDeque<(LocalUser, UnixStream)>>,
    /// Whether nobody takes orders any more.
    abandoned: AtomicBool,
}

impl DeliveryHelper {
    /// The argument at which a program calls [`serve_deliveries`] before anything else.
    pub const ARGUMENT: &str = "--local-deliveries";
    /// The argument behind it for the one that sees to it that somebody does the work. Names
    /// of files come behind it, and behind the next one.
    pub const KEEPS: &str = "keeps";
    /// The argument behind it for the one that does the work.
    pub const WORKS: &str = "works";
    /// The argument behind it at which a program calls [`answer_as_caller`] instead.
    pub const ASKS: &str = "asks";

    /// Starts it: a program's file, with [`Self::ARGUMENT`]. Only what the superuser starts is
    /// of use. Where it `lasts`, another takes its place whenever it ends too early. Of files
    /// that the superuser alone may read, it reads those of the site's `configuration`.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(
        program: &std::path::Path,
        lasts: bool,
        configuration: &[Vec<u8>],
    ) -> io::Result<Self> {
        let (control, theirs) = pair()?;
        let mut program = Program::new(program);
        program.arg(Self::ARGUMENT).env_clear().current_dir("/");
        program.arg(if lasts { Self::KEEPS } else { Self::WORKS });
        program.args(configuration.iter().map(|name| OsStr::from_bytes(name)));
        program.stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        // What ends this program from a terminal leaves messages whole.
        program.process_group(0).spawn()?;
        Ok(Self::along(control))
    }

    fn along(control: OwnedFd) -> Self {
        Self { control, kept: Mutex::default(), abandoned: AtomicBool::default() }
    }

    /// The world with deliveries that go this way.
    pub fn in_world(self: Arc<Self>, world: World) -> World {
        let processes = Arc::new(ByHelper(self.clone(), world.processes));
        let files = Arc::new(HelpedFiles(self.clone(), world.files));
        let databases = Arc::new(HelpedDatabases(self.clone(), world.databases));
        let libraries = Arc::new(HelpedLibraries(self.clone(), world.libraries));
        World { mailboxes: self, processes, files, databases, libraries, ..world }
    }

    /// Hands over a connection for one order; this side of it.
    fn connection(&self) -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        let handed = hand_over(&self.control, theirs.as_fd());
        self.abandoned.store(handed.is_err(), Ordering::Relaxed);
        // It is no error of what is wanted.
        handed.map(|()| ours).map_err(|why| {
            io::Error::other(format!("nobody is left who delivers with users' rights: {why}"))
        })
    }

    /// Gives an order, and answers what is asked until there is an outcome.
    fn order(&self, order: &Frame, answer: &mut dyn FnMut(Question) -> Reply) -> io::Result<Frame> {
        let mut stream = self.connection()?;
        write_frame(&mut stream, order)?;
        outcome(&mut stream, answer)
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(LocalUser, UnixStream)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection along which an order for a user's mailbox was given.
    fn connection_of(&self, user: &LocalUser, order: &Frame) -> io::Result<UnixStream> {
        loop {
            let mut kept = self.kept();
            let found = kept.iter().rposition(|(of, _)| of == user);
            let Some((_, mut stream)) = found.and_then(|at| kept.remove(at)) else { break };
            drop(kept);
            // Nobody may be there any more, who has taken no order then.
            if write_frame(&mut stream, order).is_ok() {
                return Ok(stream);
            }
        }
        let mut stream = self.connection()?;
        write_frame(&mut stream, order)?;
        Ok(stream)
    }

    /// Keeps a connection along which a mailbox was written.
    fn keep(&self, user: &LocalUser, stream: UnixStream) {
        let mut kept = self.kept();
        kept.push_back((user.clone(), stream));
        if kept.len() > MOST_KEPT {
            kept.pop_front();
        }
    }
}

/// Answers what is asked along a connection until there is an outcome.
fn outcome(
    stream: &mut UnixStream,
    answer: &mut dyn FnMut(Question) -> Reply,
) -> io::Result<Frame> {
    loop {
        match read_frame(stream)? {
            Frame::Question(question) => write_frame(stream, &Frame::Reply(answer(question)))?,
            outcome => return Ok(outcome),
        }
    }
}

fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?)
}

/// Hands a descriptor over along a connection.
fn hand_over(along: impl AsFd, what: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fds = [what];
    ancillary.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(along, &[IoSlice::new(b"+")], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn gone() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

impl Mailboxes for DeliveryHelper {
    fn write(
        &self,
        order: &MailboxOrder,
        supply: &mut dyn MailboxSupply,
    ) -> Result<MailboxDone, MailboxFault> {
        let user = &order.user;
        let order = Frame::Mailbox(Box::new(order.clone()), supply.beforehand(AHEAD));
        let mut write = || {
            let mut stream = self.connection_of(user, &order)?;
            let answer = &mut |question| relay::answered(supply, question);
            Ok((outcome(&mut stream, answer)?, stream))
        };
        match write() {
            Ok((Frame::Written(written), stream)) => {
                if written.is_ok() {
                    self.keep(user, stream);
                }
                written
            }
            Ok(_) => Err(MailboxFault::new(0, "a delivery had no outcome")),
            Err(error) => Err(MailboxFault {
                kind: MailboxFaultKind::Untried,
                ..MailboxFault::of(&error, format!("local delivery process: {error}"))
            }),
        }
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    fn file(&self, order: &UserFileOrder) -> io::Result<Vec<u8>> {
        match self.order(&Frame::UserFile(order.clone()), &mut |_| Reply::Counts(false))? {
            Frame::FileDone(done) => done,
            _ => Err(gone()),
        }
    }
}

/// Commands for messages by the helper, all else as before.
struct ByHelper(Arc<DeliveryHelper>, Arc<dyn Processes>);

impl ByHelper {
    /// Runs a command that somebody else should have the rights for.
    fn run_as(
        &self,
        (uid, gid): (u32, u32),
        command: &Command,
        timeout: Duration,
        limit: u64,
    ) -> Result<Finished, RunError> {
        // It begins where this process is, if its user may.
        let here = || std::env::current_dir().unwrap_or_default().into_os_string().into_vec();
        let mut order = PipeOrder {
            argv: command.argv.clone(),
            environment: command.environment.clone(),
            directory: command.directory.clone().unwrap_or_else(here),
            user: LocalUser { uid, gid, groups: Vec::new() },
            umask: UMASK,
            dumps_core: false,
            timeout: Some(timeout),
            max_output: limit,
        };
        let mut end = self.pipe(&order, &mut io::empty());
        if let (Err(PipeFault::Directory(_)), None) = (&end, &command.directory) {
            order.directory = b"/".to_vec();
            end = self.pipe(&order, &mut io::empty());
        }
        match end {
            Ok(end) if end.output.len() as u64 > limit => Err(RunError::TooMuch),
            Ok(PipeEnd { code, output, .. }) => Ok(Finished { code, output }),
            Err(PipeFault::Execute(_) | PipeFault::Directory(_)) => {
                Ok(Finished { code: NOT_EXECUTED, output: Vec::new() })
            }
            Err(PipeFault::Timeout(_)) => Err(RunError::Timeout),
            Err(
                PipeFault::Rights(why)
                | PipeFault::Untried(why)
                | PipeFault::Start(why)
                | PipeFault::Message(why, _),
            ) => Err(RunError::Start(why)),
        }
    }
}

impl Processes for ByHelper {
    fn run(&self, command: &Command, timeout: Duration, limit: u64) -> Result<Finished, RunError> {
        match command.identity {
            // Nobody is the superuser by the helper.
            Some(user) if is_other(user.0) => self.run_as(user, command, timeout, limit),
            _ => self.1.run(command, timeout, limit),
        }
    }

    fn start(&self, command: &Command) -> io::Result<Box<dyn Child>> {
        match command.identity {
            Some((uid, gid)) if is_other(uid) => {
                let peer = LocalPeer::Command {
                    argv: command.argv.clone(),
                    environment: command.environment.clone(),
                    directory: command.directory.clone().unwrap_or_else(|| b"/".to_vec()),
                    umask: UMASK,
                    writes: false,
                };
                let user = LocalUser { uid, gid, groups: Vec::new() };
                let order = PeerOrder { user, peer, timeout: PATIENCE };
                Ok(Box::new(Self::conversing(&self.0, &order)?))
            }
            _ => self.1.start(command),
        }
    }

    fn launch(&self, command: &Command, ended: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        self.1.launch(command, ended)
    }

    fn pipe(&self, order: &PipeOrder, message: &mut dyn Read) -> Result<PipeEnd, PipeFault> {
        let mut answer = |question| match question {
            Question::Read(mut room) => Reply::Bytes(message.read(&mut room), room),
            _ => Reply::Counts(false),
        };
        match self.0.order(&Frame::Pipe(order.clone()), &mut answer) {
            Ok(Frame::Piped(end)) => end,
            Ok(_) => Err(PipeFault::Start(gone())),
            Err(error) => Err(PipeFault::Untried(error)),
        }
    }

    fn converse(&self, order: &PeerOrder) -> Result<Box<dyn Dialogue>, PipeFault> {
        Ok(Box::new(Self::conversing(&self.0, order)?))
    }
}

impl ByHelper {
    /// Has a dialogue begun.
    fn conversing(helper: &DeliveryHelper, order: &PeerOrder) -> Result<Conversation, PipeFault> {
        let start = || -> io::Result<Result<Conversation, PipeFault>> {
            let mut control = helper.connection()?;
            write_frame(&mut control, &Frame::Peer(order.clone()))?;
            match read_frame(&mut control)? {
                Frame::Opened(Ok(())) => {}
                Frame::Opened(Err(fault)) => return Ok(Err(fault)),
                _ => return Err(gone()),
            }
            let socket = next(&control)?.ok_or_else(gone)?;
            // When this side closes, the helper ends what it started.
            let other = Some(Other::Elsewhere(control));
            Ok(Ok(Conversation::over(UnixStream::from(socket), other)))
        };
        start().unwrap_or_else(|error| Err(PipeFault::Untried(error)))
    }
}

/// Delivers for the process that is at the other end of the standard input, until that
/// closes. Only the superuser may want this, and only by calling the program itself.
///
/// Whoever has ordered can't start another, as it has given its rights up. So one process does
/// the work (`works`), and one waits for its end, and starts another where that came too early.
/// What it reads of the superuser's is the site's `configuration`.
///
/// # Errors
/// This is not for the caller, or what the system says.
pub fn serve_deliveries(works: bool, configuration: &[Vec<u8>]) -> io::Result<()> {
    let caller = crate::rights::caller();
    if caller.uid != 0 || caller.is_lent_rights || !geteuid().is_root() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let control = io::stdin().as_fd().try_clone_to_owned()?;
    match works {
        true => {
            if let Ok(score) = std::env::var(SCORE) {
                survive(&score);
            }
            serve(&control, &Refused::superusers(configuration))
        }
        false => keep_serving(&control, configuration),
    }
}

/// Whether nobody gives orders any more.
fn is_closed(control: &OwnedFd) -> bool {
    let looks = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    rustix::net::recv(control, &mut [0][..], looks).is_ok_and(|(count, _)| count == 0)
}

/// Which processes the system ends first when memory runs out (proc(5)).
const SCORES: &str = "/proc/self/oom_score_adj";
/// The score of what is never ended for that.
const KEPT_ALIVE: &str = "-1000";
/// The variable of the environment in which another has the score that this one had.
const SCORE: &str = "OOM_SCORE_ADJ";

/// Says what is to become of this process then. Where it can't be said, it may end.
fn survive(score: &str) {
    let _ = std::fs::write(SCORES, score);
}

/// Sees to it that somebody takes orders, until the one who gives them has gone. Where memory
/// runs out, that one may end, but not who starts another.
fn keep_serving(control: &OwnedFd, configuration: &[Vec<u8>]) -> io::Result<()> {
    let score = std::fs::read_to_string(SCORES).unwrap_or_default();
    survive(KEPT_ALIVE);
    loop {
        let begun = Instant::now();
        let mut program = Program::new("/proc/self/exe");
        program.args([DeliveryHelper::ARGUMENT, DeliveryHelper::WORKS]).env_clear();
        program.env(SCORE, score.trim());
        program.args(configuration.iter().map(|name| OsStr::from_bytes(name)));
        program.stdin(Stdio::from(control.try_clone()?));
        // There may be another when there is room for it.
        let is_done = program.status().is_ok_and(|status| status.success());
        if is_done || is_closed(control) {
            return Ok(());
        }
        // What ends again and again does not take all of the processor.
        thread::sleep(PAUSE.saturating_sub(begun.elapsed()));
    }
}

/// What is not done for others.
struct Refused<'c> {
    /// Whether nothing is done as the superuser,
    as_root: bool,
    /// but that these files are read.
    but: &'c [Vec<u8>],
}

impl<'c> Refused<'c> {
    /// What would need the superuser's rights, but for some files.
    fn superusers(but: &'c [Vec<u8>]) -> Self {
        Self { as_root: true, but }
    }

    /// Whether nothing is done as a user.
    fn is(&self, user: u32) -> bool {
        self.as_root && user == 0
    }
}

/// Takes orders until the connection closes, and waits for those that are under way.
fn serve(control: &OwnedFd, refused: &Refused<'_>) -> io::Result<()> {
    thread::scope(|scope| {
        while let Some(connection) = next(control)? {
            // Whoever has no thread sees the connection close.
            let _ = thread::Builder::new().spawn_scoped(scope, move || {
                let _ = serve_one(UnixStream::from(connection), refused);
            });
        }
        Ok(())
    })
}

/// The next connection; none where there will be no more.
fn next(control: impl AsFd) -> io::Result<Option<OwnedFd>> {
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let mut into = [IoSliceMut::new(&mut byte)];
        match recvmsg(&control, &mut into, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(message) if message.bytes == 0 => return Ok(None),
            Ok(_) => {}
        }
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(mut fds) = message
                && let Some(fd) = fds.next()
            {
                return Ok(Some(fd));
            }
        }
    }
}

/// Does what one order wants. The thread that calls this ends then: it may have the rights of
/// a user.
fn serve_one(mut stream: UnixStream, refused: &Refused<'_>) -> io::Result<()> {
    let denied = || io::Error::from(rustix::io::Errno::PERM);
    let outcome = match read_frame(&mut stream)? {
        Frame::Mailbox(order, _) if refused.is(order.user.uid) => {
            let why = MailboxFault::of(&denied(), "the superuser gets no local delivery");
            Frame::Written(Err(why))
        }
        Frame::Mailbox(order, told) => return serve_user(stream, &order, told),
        Frame::Pipe(order) => {
            let mut supply = Ask::new(|question| asked(&mut stream, question));
            Frame::Piped(match refused.is(order.user.uid) {
                true => Err(PipeFault::Rights(denied())),
                false => SystemProcesses.pipe(&order, &mut Bytes(&mut supply)),
            })
        }
        Frame::UserFile(order) => Frame::FileDone(match refused.is(order.user.uid) {
            true => Err(denied()),
            false => SystemMailboxes.file(&order),
        }),
        Frame::Peer(order) => match refused.is(order.user.uid) {
            true => Frame::Opened(Err(PipeFault::Rights(denied()))),
            false => return converse(stream, &order),
        },
        Frame::Look(look) => look.take(refused),
        _ => return Err(gone()),
    };
    write_frame(&mut stream, &outcome)
}

/// Takes a user's rights for good, and writes to mailboxes with them as long as the one who
/// ordered it has others for the same user.
fn serve_user(
    mut stream: UnixStream,
    first: &MailboxOrder,
    told: MailboxBeforehand,
) -> io::Result<()> {
    let mut supply = Ask::knowing(told, |question| asked(&mut stream, question));
    let mut written = mailbox::write_for_good(first, &mut supply);
    loop {
        let goes_on = written.is_ok();
        write_frame(&mut stream, &Frame::Written(written))?;
        if !goes_on {
            return Ok(());
        }
        written = match read_frame(&mut stream)? {
            Frame::Mailbox(next, told) if next.user == first.user => {
                let mut supply = Ask::knowing(told, |question| asked(&mut stream, question));
                mailbox::write(&next, &mut supply)
            }
            _ => return Err(gone()),
        };
    }
}

/// Begins a dialogue, hands it over, and stays as long as somebody has it.
fn converse(mut stream: UnixStream, order: &PeerOrder) -> io::Result<()> {
    let partner = match open(order) {
        Ok(partner) => partner,
        Err(fault) => return write_frame(&mut stream, &Frame::Opened(Err(fault))),
    };
    let Partner { socket, command } = partner;
    write_frame(&mut stream, &Frame::Opened(Ok(())))?;
    hand_over(&stream, socket.as_fd())?;
    drop(socket);
    let Some(mut command) = command else { return Ok(()) };
    // It ends when this connection does, or its end is asked for.
    match read_frame(&mut stream)? {
        Frame::End(within) => write_frame(&mut stream, &Frame::Ended(command.end(within))),
        _ => Err(gone()),
    }
}

/// Asks the helper how a command has ended that it has.
pub(crate) fn end_of(control: &mut UnixStream, within: Duration) -> Option<i32> {
    write_frame(control, &Frame::End(within)).ok()?;
    match read_frame(control).ok()? {
        Frame::Ended(code) => code,
        _ => None,
    }
}

fn asked(stream: &mut UnixStream, question: Question) -> io::Result<Reply> {
    write_frame(stream, &Frame::Question(question))?;
    match read_frame(stream)? {
        Frame::Reply(reply) => Ok(reply),
        _ => Err(gone()),
    }
}

/// What is read of a supply.
struct Bytes<'s>(&'s mut dyn MailboxSupply);

impl Read for Bytes<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

#[cfg(test)]
mod tests;
