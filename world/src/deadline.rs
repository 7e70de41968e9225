//! Points in time that no wait goes beyond.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use crate::interrupt::is_interrupted;

/// A point in time.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

/// What stands for "never": a wait must end some day.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

impl Deadline {
    /// From now.
    pub fn within(time: Duration) -> Self {
        Self(Instant::now() + time.min(LONGEST))
    }

    /// How long it is until then; `None` where it has passed.
    pub fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// Waits until something can be read, or there is nothing to wait for.
    pub fn readable(self, from: BorrowedFd<'_>) -> io::Result<()> {
        self.ready(from, PollFlags::IN)
    }

    /// Waits until something can be written, or there is nothing to wait for.
    pub fn writable(self, to: BorrowedFd<'_>) -> io::Result<()> {
        self.ready(to, PollFlags::OUT)
    }

    /// Waits until something can be read or written, or there is nothing to wait for.
    pub fn either(self, what: BorrowedFd<'_>) -> io::Result<()> {
        self.ready(what, PollFlags::IN | PollFlags::OUT)
    }

    /// Writes to a socket what it takes. Where nobody reads, that is an error
    /// and no signal.
    pub fn send(self, to: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match send(to, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(count) => return Ok(count),
                Err(Errno::AGAIN) => self.writable(to)?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn ready(self, what: BorrowedFd<'_>, events: PollFlags) -> io::Result<()> {
        loop {
            let left = self.left().filter(|_| !is_interrupted());
            let left = left.ok_or(io::ErrorKind::TimedOut)?;
            let left = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::from_borrowed_fd(what, events)], left.as_ref()) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
