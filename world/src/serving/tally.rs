//! Where a daemon says how many messages are queued (`$queue_size`), and whoever asks it.
//!
//! It is a name in the system's table of sockets, as Exim's is, and such names have no owner:
//! anybody may ask, and gets a number and nothing else. Anybody may take the name before the
//! daemon does, too, so that nobody is believed but the superuser, the mail server's user and
//! one's own.

use std::io;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType,
    connect, recv, send, shutdown, socket_with,
};

use crate::deadline::Deadline;

/// How long whoever asks waits to be heard, and for the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long to wait where the system has no connection for us.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a number may be.
const LONGEST: usize = 20;

/// A daemon's end.
#[derive(Clone, Debug)]
pub struct Tally(Arc<UnixListener>);

impl Tally {
    /// Takes the name.
    ///
    /// # Errors
    /// What the system says; somebody has the name.
    pub fn open(name: &[u8]) -> io::Result<Self> {
        let door = UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
        Ok(Self(Arc::new(door)))
    }

    /// Answers one after the other, until it is closed. Whoever asks waits for `count`.
    pub fn answer(&self, mut count: impl FnMut() -> Option<usize>) {
        loop {
            match self.0.accept() {
                Ok((client, _)) => {
                    let text = count().map(|count| count.to_string()).unwrap_or_default();
                    // Nothing was written there before: it has room. Who is gone needs nothing.
                    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
                    let _ = send(&client, text.as_bytes(), flags);
                }
                Err(why) if why.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => return,
                // There are no descriptors, or no memory: others may give some back.
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }

    /// Answers nobody any more; who does so for others gives the name up.
    pub fn close(&self) {
        let _ = shutdown(&*self.0, Shutdown::Both);
    }
}

/// How many messages are queued, as the daemon says that has a name; nothing where there is
/// none, where it does not answer in time, and where it is neither the superuser's nor that of
/// the mail server's user or the one that asks.
pub fn queued(name: &[u8], server: u32) -> Option<u64> {
    let until = Deadline::within(PATIENCE);
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).ok()?;
    // Where many ask, a connection has to wait.
    set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE)).ok()?;
    connect(&socket, &SocketAddrUnix::new_abstract_name(name).ok()?).ok()?;
    let daemon = socket_peercred(&socket).ok()?.uid.as_raw();
    let believed = [0, server, rustix::process::geteuid().as_raw()];
    if !believed.contains(&daemon) {
        return None;
    }
    until.readable(socket.as_fd()).ok()?;
    let mut text = [0; LONGEST];
    let (_, length) = recv(&socket, &mut text, RecvFlags::DONTWAIT).ok()?;
    std::str::from_utf8(text.get(..length)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn name(test: &str) -> Vec<u8> {
        format!("/eximious-tally-{}-{test}", std::process::id()).into_bytes()
    }

    #[test]
    fn what_is_counted_is_answered_until_the_end() {
        let name = name("counted");
        assert_eq!(queued(&name, 0), None, "nobody is there");
        let tally = Tally::open(&name).unwrap();
        assert!(Tally::open(&name).is_err(), "the name is taken");
        let answering = tally.clone();
        let thread = std::thread::spawn(move || {
            let mut counts = [Some(7), None, Some(usize::MAX)].into_iter().cycle();
            answering.answer(|| counts.next().flatten());
        });
        assert_eq!(queued(&name, 0), Some(7));
        assert_eq!(queued(&name, 0), None, "it does not know");
        assert_eq!(queued(&name, 0), Some(u64::MAX));
        tally.close();
        thread.join().unwrap();
        drop(tally);
        assert_eq!(queued(&name, 0), None);
        assert!(Tally::open(&name).is_ok(), "the name is free");
    }

    #[test]
    fn one_that_hangs_is_not_waited_for() {
        let name = name("hangs");
        let tally = Tally::open(&name).unwrap();
        let start = Instant::now();
        assert_eq!(queued(&name, 0), None);
        assert!(start.elapsed() < PATIENCE * 5);
        drop(tally);
    }
}
