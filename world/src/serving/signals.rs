//! Signals, as something that can be waited for.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGTERM, SIGUSR1};

/// The signals that a server knows.
#[derive(Debug)]
pub struct Signals {
    end: Arc<AtomicBool>,
    reload: Arc<AtomicBool>,
    tell: Arc<AtomicBool>,
    run: Arc<AtomicBool>,
    pipe: UnixStream,
}

/// What signals asked for since they were asked last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// `SIGTERM`, `SIGINT`
    pub end: bool,
    /// `SIGHUP`
    pub reload: bool,
    /// `SIGUSR1`
    pub tell: bool,
    /// `SIGALRM`
    pub run: bool,
}

/// Has `SIGUSR1` end nothing: who asks what runs means all processes by this name
/// (`exiwhat`), and not each of them answers.
///
/// # Errors
/// What the system says.
pub fn survive_asking() -> io::Result<()> {
    signal_hook::flag::register(SIGUSR1, Arc::default()).map(drop)
}

/// Has a thread call something each time that `SIGUSR1` comes, as long as the process lives.
///
/// # Errors
/// What the system says, or that there can't be another thread.
pub fn when_asked(told: impl Fn() + Send + 'static) -> io::Result<()> {
    let (mut pipe, writer) = UnixStream::pair()?;
    let answer = move || {
        let mut byte = [0];
        while let Ok(1..) = pipe.read(&mut byte) {
            told();
        }
    };
    thread::Builder::new().stack_size(STACK).spawn(answer)?;
    signal_hook::low_level::pipe::register(SIGUSR1, writer).map(drop)
}

/// How large the stack is of the thread that answers.
const STACK: usize = 256 << 10;

impl Signals {
    /// From here on, they are noted.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> io::Result<Self> {
        let (pipe, writer) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let flags: [Arc<AtomicBool>; 4] = Default::default();
        let known = [(SIGTERM, 0), (SIGINT, 0), (SIGHUP, 1), (SIGUSR1, 2), (SIGALRM, 3)];
        for (signal, flag) in known {
            signal_hook::flag::register(signal, flags[flag].clone())?;
            signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
        }
        let [end, reload, tell, run] = flags;
        Ok(Self { end, reload, tell, run, pipe })
    }

    /// What came since.
    pub fn take(&self) -> Told {
        let mut bytes = [0; 64];
        while matches!((&self.pipe).read(&mut bytes), Ok(1..)) {}
        let take = |flag: &AtomicBool| flag.swap(false, Ordering::SeqCst);
        Told {
            end: take(&self.end),
            reload: take(&self.reload),
            tell: take(&self.tell),
            run: take(&self.run),
        }
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}
