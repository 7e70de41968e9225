//! A process that keeps the superuser's rights to start deliveries for one that gives them up:
//! where the superuser hands a message in, and the program is not installed set-uid, whoever
//! that one starts could deliver to nobody but itself.

use std::io::{self, BufRead, BufReader, Write};
use std::process::ChildStdin;
use std::sync::{Mutex, PoisonError};

use eximious_world::rights::are_lent_by_program;
use eximious_world::serving;

use crate::handover::{HandedOver, heard, note};
use crate::rights::is_superuser;

/// A connection to it. When it goes, the process does.
#[derive(Debug)]
pub struct Starter(Mutex<ChildStdin>);

impl Starter {
    /// The argument at which a program calls [`serve`] before anything else.
    pub const ARGUMENT: &str = "--starts-deliveries";

    /// Begins one, where it is needed; `arguments` are those of each delivery.
    pub fn begin(arguments: &[Vec<u8>], shown: bool) -> Option<Self> {
        if !is_superuser() || are_lent_by_program() {
            return None;
        }
        let arguments = [&[Self::ARGUMENT.into()], arguments].concat();
        // Without it, the next run of the queue delivers.
        serving::start_listening(&arguments, shown).ok().map(|input| Self(Mutex::new(input)))
    }

    /// Has a delivery started; whether it could be told.
    pub fn start(&self, message: HandedOver<'_>) -> bool {
        let mut line = note(message);
        line.push(b'\n');
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line).is_ok()
    }
}

/// Starts a delivery for each line of the standard input, with the arguments that the superuser
/// gave: a message and its queue are all that the other process has a say in.
///
/// # Errors
/// This is not for the caller, or what the system says.
pub fn serve(arguments: &[Vec<u8>]) -> io::Result<()> {
    /// The name of a message, and that of a queue.
    const LONGEST: u64 = 4 << 10;
    if !is_superuser() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let shown = arguments.iter().any(|one| one == b"-v");
    let mut input = BufReader::new(io::stdin());
    loop {
        let mut line = Vec::new();
        io::Read::take(&mut input, LONGEST).read_until(b'\n', &mut line)?;
        let Some(line) = line.strip_suffix(b"\n") else { return Ok(()) };
        if let Some(message) = heard(line) {
            serving::start_again(&[arguments, &message.arguments()].concat(), shown)?;
        }
    }
}
