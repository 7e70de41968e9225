//! `transport_filter`: a command that a message goes through as it leaves (specification,
//! chapter 24).

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eximious_core::world::{Dialogue, LocalPeer, PeerOrder, PipeFault, Processes};
use eximious_core::{Effects, ErrorKind, Fail, Meta, Str, TaintRule};
use eximious_stdlib::command::untainted;
use eximious_stdlib::options::opt::{self as main, transport as opt};
use eximious_stdlib::options::server_ids;
use eximious_stdlib::wording;

use super::local::{Trouble, UNKNOWN, stands_for_addresses};
use super::{LocalUser, TransportCall, Undelivered};
use crate::mail::route::Text;

static META: Meta =
    Meta::new("transport filter", Effects::RUN.union(Effects::HOST), TaintRule::Result);

/// A filter failed (Exim's number).
const FILTER_FAILED: i32 = -24;
/// The code of a command that can't be executed.
const NOT_EXECUTED: i32 = 127;
/// How much of a message is given to a command at a time.
const WINDOW: usize = 64 * 1024;
/// How much comes out of a command at a time: what it wrote before it failed goes on in whole
/// pieces alone, as the real Exim's do.
const PIECE: usize = 8191;
/// The system's numbers for a filter that took too long, and for one that failed otherwise.
const TIMED_OUT: i32 = 110;
pub(super) const BROKEN: i32 = 32;

/// A command that a message goes through.
pub(super) struct TransportFilter {
    processes: Arc<dyn Processes>,
    order: PeerOrder,
    fault: Mutex<Option<FilterFault>>,
}

impl std::fmt::Debug for TransportFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransportFilter").field("order", &self.order).finish_non_exhaustive()
    }
}

/// Why a message did not come through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum FilterFault {
    /// The command failed: its code, or the signal that ended it as a negative one.
    Ended(i32),
    /// It took too long.
    Timeout,
    /// It wanted no more before it had all of the message.
    Cut,
    /// There is no such process.
    NotThere(String),
}

impl FilterFault {
    /// Whether it took too long.
    pub(super) fn is_timeout(&self) -> bool {
        *self == Self::Timeout
    }

    /// Whether the command did not want all of the message.
    pub(super) fn is_cut(&self) -> bool {
        *self == Self::Cut
    }

    /// What is said of it; `head` begins that, and `place` says where the text was to go.
    pub(super) fn told(&self, head: &str, place: &[u8]) -> Undelivered {
        let text = match self {
            Self::Ended(code) => {
                let tail: &[u8] = match *code {
                    NOT_EXECUTED => b": unable to execute command",
                    _ => b"",
                };
                let words = format!("{head} process failed ({code})");
                [words.as_bytes(), place, tail].concat()
            }
            Self::Timeout => [head.as_bytes(), b" timeout", place].concat(),
            Self::Cut => [head.as_bytes(), b" did not read all", place].concat(),
            Self::NotThere(why) => {
                [head.as_bytes(), b" process can't be started: ", why.as_bytes()].concat()
            }
        };
        let code = if let Self::Ended(code) = self { *code } else { 0 };
        Undelivered { code, ..Undelivered::new(FILTER_FAILED, text) }
    }
}

impl TransportCall<'_> {
    /// The command that the message goes through, if there is one; `name` is that of a
    /// transport that is to be named where its words can't be told.
    ///
    /// # Errors
    /// They can't be told; where they come from outside, it is so for good.
    pub(super) fn filter(&mut self, name: &str) -> Result<Option<Arc<TransportFilter>>, Trouble> {
        let transport = self.transport;
        let Some(line) = transport.some_text(opt::TRANSPORT_FILTER).cloned() else {
            return Ok(None);
        };
        let number = if transport.is_remote() { 0 } else { UNKNOWN };
        let wrong = |fail: Fail| {
            let why = Undelivered::new(number, fail.message());
            match fail.kind() == ErrorKind::Taint {
                true => Trouble::Failed(Undelivered { number: 0, said: Some(Vec::new()), ..why }),
                false if transport.is_remote() => Trouble::Deferred(why),
                false => Trouble::Deferred(why.panicking()),
            }
        };
        let owner = format!("{name}transport filter");
        let argv = self.command_words(&line, &owner).map_err(wrong)?;
        if argv.first().is_none_or(Vec::is_empty) {
            return Ok(None);
        }
        let denied = self.cx.call(&META, |call| call.processes().map(|_| ()));
        denied.map_err(wrong)?;
        let timeout = transport.get(opt::TRANSPORT_FILTER_TIMEOUT);
        // Zero is no limit.
        let timeout = if timeout.is_zero() { Duration::MAX } else { timeout };
        let (environment, umask) = (Vec::new(), 0o77);
        let directory = match transport.is_remote() {
            true => self.cx.engine().settings().get(main::SPOOL_DIRECTORY).bytes().to_vec(),
            false => self.directory.clone(),
        };
        let peer = LocalPeer::Command { argv, environment, directory, umask, writes: true };
        let order = PeerOrder { user: self.filter_user(), peer, timeout };
        let processes = self.cx.engine().world().processes.clone();
        Ok(Some(Arc::new(TransportFilter { processes, order, fault: Mutex::new(None) })))
    }

    /// As whom it runs: as whom the delivery does, which is the server for other hosts.
    fn filter_user(&self) -> LocalUser {
        if !self.transport.is_remote() {
            return self.consignment.user.clone();
        }
        let (engine, world) = (self.cx.engine(), self.cx.engine().world());
        let (uid, gid) = server_ids(engine.settings(), &*world.users, &*world.host);
        LocalUser { uid, gid, groups: Vec::new() }
    }

    /// The words of a command, each expanded by itself.
    ///
    /// # Errors
    /// One can't be, or comes from outside.
    pub(super) fn command_words(&mut self, line: &Str, owner: &str) -> Result<Vec<Vec<u8>>, Fail> {
        let cx = &mut *self.cx;
        let (mut count, mut places) = (0, Vec::new());
        let expanded = untainted(line.bytes(), owner, |word| {
            count += 1;
            if stands_for_addresses(word.bytes()) {
                places.push(count - 1);
                return Ok(Str::EMPTY);
            }
            Text::new(word.clone()).expand(cx)
        })?;
        let mut words = Vec::new();
        for (at, word) in expanded.iter().enumerate() {
            match places.contains(&at) {
                true => {
                    let all = self.consignment.deliveries.iter();
                    words.extend(all.map(|one| one.address.text.bytes().to_vec()));
                }
                false => words.push(word.bytes().to_vec()),
            }
        }
        Ok(words)
    }
}

impl TransportFilter {
    /// The same command in another directory.
    pub(super) fn within(&self, directory: &[u8]) -> Arc<Self> {
        let (processes, mut order) = (self.processes.clone(), self.order.clone());
        if let LocalPeer::Command { directory: place, .. } = &mut order.peer {
            *place = directory.to_vec();
        }
        Arc::new(Self { processes, order, fault: Mutex::new(None) })
    }

    /// Why the message did not come through, if it did not.
    pub(super) fn fault(&self) -> Option<FilterFault> {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Option<FilterFault>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What comes of a message. Where it does not come through, reading fails, and
    /// [`TransportFilter::fault`] says why.
    pub(super) fn through<'r>(self: &Arc<Self>, from: Box<dyn Read + 'r>) -> Box<dyn Read + 'r> {
        Box::new(Filtered {
            filter: self.clone(),
            from: Some(from),
            window: Vec::new(),
            at: 0,
            dialogue: None,
            piece: Vec::new(),
            given: 0,
            is_over: false,
        })
    }
}

/// A message as it comes through.
struct Filtered<'r> {
    filter: Arc<TransportFilter>,
    /// The message, as long as there is some of it.
    from: Option<Box<dyn Read + 'r>>,
    /// What of it is to be given next, and how much of that was.
    window: Vec<u8>,
    at: usize,
    dialogue: Option<Box<dyn Dialogue>>,
    /// What came out of the command, and how much of that was read.
    piece: Vec<u8>,
    given: usize,
    is_over: bool,
}

impl Filtered<'_> {
    fn failed(&mut self, fault: FilterFault) -> io::Error {
        self.is_over = true;
        self.dialogue = None;
        let number = match fault {
            FilterFault::Timeout => TIMED_OUT,
            _ => BROKEN,
        };
        *self.filter.locked() = Some(fault);
        io::Error::from_raw_os_error(number)
    }

    fn dialogue(&mut self) -> io::Result<Box<dyn Dialogue>> {
        if let Some(dialogue) = self.dialogue.take() {
            return Ok(dialogue);
        }
        let filter = self.filter.clone();
        filter.processes.converse(&filter.order).map_err(|fault| {
            self.failed(match fault {
                PipeFault::Execute(_) => FilterFault::Ended(NOT_EXECUTED),
                PipeFault::Timeout(_) => FilterFault::Timeout,
                PipeFault::Rights(error)
                | PipeFault::Untried(error)
                | PipeFault::Directory(error)
                | PipeFault::Start(error)
                | PipeFault::Message(error, _) => FilterFault::NotThere(wording::reason(&error)),
            })
        })
    }

    /// Reads the next part of the message; whether there is one. A short message is given at
    /// once: who wants no more than its head has had all of it.
    fn fill(&mut self) -> io::Result<bool> {
        let Some(from) = &mut self.from else { return Ok(false) };
        self.window.clear();
        self.at = 0;
        let count = from.take(WINDOW as u64).read_to_end(&mut self.window)?;
        if count == 0 {
            self.from = None;
        }
        Ok(count > 0)
    }

    /// What comes of the command's end.
    fn ended(&mut self, mut dialogue: Box<dyn Dialogue>) -> io::Result<usize> {
        let timeout: Duration = self.filter.order.timeout;
        match dialogue.end(timeout) {
            // A message that is cut short is none.
            Some(0) if self.at < self.window.len() || self.fill()? => {
                Err(self.failed(FilterFault::Cut))
            }
            Some(0) => {
                self.is_over = true;
                Ok(0)
            }
            Some(code) => Err(self.failed(FilterFault::Ended(code))),
            None => Err(self.failed(FilterFault::Timeout)),
        }
    }

    /// Reads what the command writes next.
    fn next(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.is_over || into.is_empty() {
            return match self.filter.fault() {
                Some(_) if self.is_over => Err(io::ErrorKind::Other.into()),
                _ => Ok(0),
            };
        }
        let mut dialogue = self.dialogue()?;
        dialogue.set_deadline(self.filter.order.timeout);
        loop {
            if self.at == self.window.len() && self.from.is_some() && !self.fill()? {
                // Whether it still listens does not matter.
                let _ = dialogue.finish_writing();
            }
            match dialogue.exchange(&self.window[self.at..], into) {
                Ok((_, Some(0))) => return self.ended(dialogue),
                Ok((given, read)) => {
                    self.at += given;
                    if let Some(count) = read {
                        self.dialogue = Some(dialogue);
                        return Ok(count);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Err(self.failed(FilterFault::Timeout));
                }
                Err(error) => {
                    return Err(self.failed(FilterFault::NotThere(wording::reason(&error))));
                }
            }
        }
    }
}

impl Read for Filtered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.piece.len() {
            let mut piece = vec![0; PIECE];
            let mut filled = 0;
            while filled < PIECE {
                match self.next(&mut piece[filled..])? {
                    0 => break,
                    count => filled += count,
                }
            }
            piece.truncate(filled);
            (self.piece, self.given) = (piece, 0);
        }
        let count = (&self.piece[self.given..]).read(into)?;
        self.given += count;
        Ok(count)
    }
}
