//! Waits for a process, but not for ever.

use std::io;
use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::deadline::Deadline;

/// How a process ended; `None` where it still runs at the deadline. Where this
/// process was started with its children's ends ignored, nobody can tell.
pub fn wait(child: &mut Child, deadline: Deadline) -> io::Result<Option<ExitStatus>> {
    if let Some(status) = child.try_wait()? {
        return Ok(Some(status));
    }
    let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    match number.map(|number| pidfd_open(number, PidfdFlags::empty())) {
        Some(Ok(process)) => {
            // Whether it ended or the time did, the next question tells.
            let _ = deadline.readable(process.as_fd());
            child.try_wait()
        }
        // A kernel without such descriptors has to be asked again and again.
        _ => again_and_again(child, deadline),
    }
}

fn again_and_again(child: &mut Child, deadline: Deadline) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let Some(left) = deadline.left() else { return Ok(None) };
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
