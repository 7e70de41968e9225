//! Commands that messages are given to.

use std::io;
use std::time::Duration;

use super::LocalUser;

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
}

/// Why a message could not be given to a command.
#[derive(Debug)]
pub enum PipeFault {
    /// The user's rights can't be had.
    Rights(io::Error),
    /// The directory can't be gone to.
    Directory(io::Error),
    /// There can't be another process.
    Start(io::Error),
    /// The program can't be executed.
    Execute(io::Error),
    /// The message can't be read.
    Message(io::Error),
    /// It took too long, and was ended.
    Timeout,
}
