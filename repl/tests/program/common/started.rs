//! Programs that a test starts, and that end with it.

use std::process::{Child, Command, Stdio};

/// One that runs until this is dropped.
pub struct Started(pub Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts one of which nobody hears anything.
pub fn started(command: &mut Command) -> Started {
    Started(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a program"))
}
