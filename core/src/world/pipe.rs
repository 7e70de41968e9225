//! Commands that messages are given to.

use std::io;
use std::time::Duration;

use super::{LocalUser, Stream};

/// What is to be run, as whom.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PipeOrder {
    /// The program and its arguments. No path is searched for the program.
    pub argv: Vec<Vec<u8>>,
    /// The whole environment: names and values.
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    /// The directory that it runs in.
    pub directory: Vec<u8>,
    /// Whose rights it has.
    pub user: LocalUser,
    /// What is left out of the permissions of files that it makes.
    pub umask: u32,
    /// Whether it may leave an image of itself behind when it fails.
    pub dumps_core: bool,
    /// How long it may take; `None` is for ever.
    pub timeout: Option<Duration>,
    /// How many bytes it may write; it is ended where it writes more.
    pub max_output: u64,
}

/// Somebody of this system whom a message is told in a dialogue, such as LMTP, and whose
/// rights that takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerOrder {
    /// Whose rights the command has, or who connects.
    pub user: LocalUser,
    /// Who it is.
    pub peer: LocalPeer,
    /// How long it may take to get there.
    pub timeout: Duration,
}

/// Who is spoken to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LocalPeer {
    /// A command, by its standard input and output. Its standard error is that, too. One
    /// whose output is not heard speaks by its standard input alone.
    Command {
        /// The program and its arguments. No path is searched for the program.
        argv: Vec<Vec<u8>>,
        /// The whole environment: names and values.
        environment: Vec<(Vec<u8>, Vec<u8>)>,
        /// The directory that it runs in.
        directory: Vec<u8>,
        /// What is left out of the permissions of files that it makes.
        umask: u32,
        /// Whether what it writes to its standard output and error is heard.
        writes: bool,
    },
    /// Whoever listens at a socket in the file system, by its name.
    Socket(Vec<u8>),
}

/// A dialogue with a command or at a socket.
pub trait Dialogue: Stream {
    /// Gives as much of some bytes as is taken, and reads what is there; waits until
    /// something of that happens. How much was taken, and how much was read: nothing is
    /// where there was nothing to read yet, and 0 at the end. Who wants no more takes
    /// nothing.
    ///
    /// # Errors
    /// The time is up, or the other side is gone.
    fn exchange(&mut self, from: &[u8], into: &mut [u8]) -> io::Result<(usize, Option<usize>)>;
    /// Ends it, and waits so long for the command's end; its exit code, where a negative
    /// one is the signal that ended it. Nothing where it did not end by itself, or is none.
    fn end(&mut self, within: Duration) -> Option<i32>;
}

/// How a command ended that a message was given to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PipeEnd {
    /// Its exit code; a negative one is the signal that ended it.
    pub code: i32,
    /// What it wrote to its standard output and error, in order; of more than it may
    /// write, a little more.
    pub output: Vec<u8>,
    /// How many bytes of the message it was given, as far as it took them.
    pub written: u64,
    /// Whether it did not take all of the message in time, and ended then.
    pub is_cut: bool,
}

/// Why a message could not be given to a command.
#[derive(Debug)]
pub enum PipeFault {
    /// The user's rights can't be had.
    Rights(io::Error),
    /// Nobody here has anybody's rights: nothing was tried.
    Untried(io::Error),
    /// The directory can't be gone to.
    Directory(io::Error),
    /// There can't be another process.
    Start(io::Error),
    /// The program can't be executed.
    Execute(io::Error),
    /// The message can't be read; with what the command wrote.
    Message(io::Error, Vec<u8>),
    /// It took too long, and was ended; with what it wrote and was given by then.
    Timeout(PipeEnd),
}

/// What the system said, whatever it said it of.
impl From<PipeFault> for io::Error {
    fn from(fault: PipeFault) -> Self {
        match fault {
            PipeFault::Rights(why)
            | PipeFault::Untried(why)
            | PipeFault::Directory(why)
            | PipeFault::Start(why)
            | PipeFault::Execute(why)
            | PipeFault::Message(why, _) => why,
            PipeFault::Timeout(_) => io::ErrorKind::TimedOut.into(),
        }
    }
}
