//! Waits for a process, but not for ever.

use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::deadline::Deadline;

/// How a process ended; `None` where it still runs at the deadline.
pub fn wait(child: &mut Child, deadline: Deadline) -> Option<ExitStatus> {
    if let Ok(Some(status)) = child.try_wait() {
        return Some(status);
    }
    let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw)?;
    match pidfd_open(number, PidfdFlags::empty()) {
        Ok(process) => {
            let _ = deadline.readable(process.as_fd());
            child.try_wait().ok().flatten()
        }
        // A kernel without such descriptors has to be asked again and again.
        Err(_) => again_and_again(child, deadline),
    }
}

fn again_and_again(child: &mut Child, deadline: Deadline) -> Option<ExitStatus> {
    let mut pause = Duration::from_micros(200);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(pause.min(deadline.left()?));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
