//! Who does what is typed: where a run of it is held up, the prompt goes on beside it, in a
//! thread of its own. The work is done where the program began, because that is where the
//! system tells of Ctrl-C, and so whatever is waited for there ends.

use std::sync::mpsc::Receiver;

use eximious_workbench::debugger::{
    Came, Halt, Orders, Refusals, RemoteEnds, Resume, Workplace, remote,
};

use super::desk::Desk;
use super::held;

/// The prompt's end of it.
pub struct Worker {
    orders: Orders<Desk, Vec<u8>>,
    came: Receiver<Came<Vec<u8>>>,
    is_held: bool,
}

/// Both ends.
pub fn ends() -> (Worker, Workplace<Desk, Vec<u8>>) {
    let RemoteEnds { orders, came, place } = remote(Refusals {
        held_up: held::stopped,
        busy: || held::BUSY.to_vec(),
        idle: || b"nothing is held up\n".to_vec(),
    });
    (Worker { orders, came, is_held: false }, place)
}

impl Worker {
    /// Whether a run is held up.
    pub fn is_held(&self) -> bool {
        self.is_held
    }

    /// Does something, and says what came of it; that may be that it is held up.
    pub fn work(&mut self, work: impl FnOnce(&mut Desk) -> Vec<u8> + Send + 'static) -> Vec<u8> {
        let sent = self.orders.work(work);
        self.came(sent)
    }

    /// Looks at the run that is held up.
    pub fn look(
        &mut self,
        look: impl FnOnce(&mut Halt<'_>) -> Vec<u8> + Send + 'static,
    ) -> Vec<u8> {
        let sent = self.orders.look(look);
        let said = self.came(sent);
        self.is_held = true;
        said
    }

    /// Lets the run go on.
    pub fn resume(&mut self, resume: Resume) -> Vec<u8> {
        let sent = self.orders.resume(resume);
        self.came(sent)
    }

    fn came(&mut self, sent: bool) -> Vec<u8> {
        match self.came.recv() {
            Ok(Came::Done(said)) if sent => {
                self.is_held = false;
                said
            }
            Ok(Came::HeldUp(said)) if sent => {
                self.is_held = true;
                said
            }
            _ => b"what was typed ended the evaluation: start anew\n".to_vec(),
        }
    }
}
