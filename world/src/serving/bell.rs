//! Tells many threads that it is time to end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

use crate::deadline::Deadline;

/// Rings once, and is heard from then on. A clone is the same bell.
#[derive(Clone, Debug)]
pub struct Bell(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    descriptor: OwnedFd,
    rung: AtomicBool,
}

impl Bell {
    /// One that was not rung.
    ///
    /// # Errors
    /// There are too many open files.
    pub fn new() -> io::Result<Self> {
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(Inner { descriptor, rung: AtomicBool::new(false) })))
    }

    /// Rings it.
    pub fn ring(&self) {
        self.0.rung.store(true, Ordering::SeqCst);
        // Nobody reads it, so it stays readable; a second ring adds nothing.
        let _ = rustix::io::write(&self.0.descriptor, &1u64.to_ne_bytes());
    }

    /// Whether it was rung.
    pub fn was_rung(&self) -> bool {
        self.0.rung.load(Ordering::SeqCst)
    }

    /// Waits, but not once it rings; whether it did.
    pub fn wait(&self, time: Duration) -> bool {
        let _ = Deadline::within(time).readable(self.0.descriptor.as_fd());
        self.was_rung()
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.descriptor.as_fd()
    }
}
