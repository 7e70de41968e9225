//! A connection that was taken.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv, sockopt};

use eximious_core::world::Stream;

use super::bell::Bell;
use crate::deadline::Deadline;
use crate::net::Connection;

/// Who is connected.
#[derive(Debug)]
pub struct Peer {
    socket: TcpStream,
    remote: SocketAddr,
    local: SocketAddr,
}

/// What came of waiting for a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// So many bytes.
    Bytes(usize),
    /// The client has nothing more to say.
    End,
    /// It said nothing in time.
    Late,
    /// The bell rang.
    Stopped,
}

impl Peer {
    pub(super) fn new(socket: OwnedFd, remote: SocketAddr, local: SocketAddr) -> Self {
        let socket = TcpStream::from(socket);
        Self { socket, remote, local }
    }

    /// The client's address.
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// The address that it connected to.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Has the system find out whether a silent client is still there.
    pub fn keep_alive(&self) {
        let _ = sockopt::set_socket_keepalive(&self.socket, true);
    }

    /// Marks the packets that go to the client, with this octet of theirs.
    ///
    /// # Errors
    /// What the system says.
    pub fn mark_traffic(&self, class: u8) -> io::Result<()> {
        crate::net::mark_traffic(self.socket.as_fd(), class, self.local)
    }

    /// Reads what there is, after waiting for it until some time; without one,
    /// there is no end to that.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(
        &self,
        into: &mut [u8],
        until: Option<Deadline>,
        bell: Option<&Bell>,
    ) -> io::Result<Heard> {
        loop {
            let left = match until {
                None => None,
                Some(until) => match until.left() {
                    Some(left) => Some(left),
                    None => return Ok(Heard::Late),
                },
            };
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            let socket = PollFd::from_borrowed_fd(self.socket.as_fd(), PollFlags::IN);
            let mut waited = match bell {
                Some(bell) => {
                    let bell = PollFd::from_borrowed_fd(bell.descriptor(), PollFlags::IN);
                    [socket, bell]
                }
                None => [socket.clone(), socket],
            };
            match poll(&mut waited, left.as_ref()) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(why) => return Err(why.into()),
            }
            // What is there already is heard before the bell.
            if waited[0].revents().is_empty() {
                return Ok(Heard::Stopped);
            }
            match recv(&self.socket, &mut *into, RecvFlags::DONTWAIT) {
                Ok((_, 0)) => return Ok(Heard::End),
                Ok((_, count)) => return Ok(Heard::Bytes(count)),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
    }

    /// Reads what is there already, if anything.
    pub fn read_more(&self, into: &mut [u8]) -> usize {
        match self.read_at_once(into) {
            Ok(Heard::Bytes(count)) => count,
            Ok(Heard::End | Heard::Late | Heard::Stopped) | Err(_) => 0,
        }
    }

    /// Reads what is there already, the end of what comes included; where nothing is, the
    /// client is late.
    ///
    /// # Errors
    /// What the system says.
    pub fn read_at_once(&self, into: &mut [u8]) -> io::Result<Heard> {
        loop {
            match recv(&self.socket, &mut *into, RecvFlags::DONTWAIT) {
                Ok((_, 0)) => return Ok(Heard::End),
                Ok((_, count)) => return Ok(Heard::Bytes(count)),
                Err(Errno::AGAIN) => return Ok(Heard::Late),
                Err(Errno::INTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
    }

    /// Waits, but not once the bell rings, nor once the client has ended its side.
    pub fn wait(&self, time: Duration, bell: &Bell) {
        let until = Deadline::within(time);
        while let Some(left) = until.left() {
            let left = Timespec::try_from(left).ok();
            let mut waited = [
                PollFd::from_borrowed_fd(self.socket.as_fd(), PollFlags::RDHUP),
                PollFd::from_borrowed_fd(bell.descriptor(), PollFlags::IN),
            ];
            match poll(&mut waited, left.as_ref()) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Writes all of it, within some time.
    ///
    /// # Errors
    /// The client is gone, or does not read in time.
    pub fn write(&self, mut bytes: &[u8], within: Duration) -> io::Result<()> {
        let until = Deadline::within(within);
        while !bytes.is_empty() {
            let count = until.send(self.socket.as_fd(), bytes)?;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// The connection, for somebody who is its client from now on.
    ///
    /// # Errors
    /// What the system says.
    pub fn stream(&self) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(Connection::from(self.socket.try_clone()?)))
    }

    /// Writes as much as can be written without waiting, and ends.
    pub fn dismiss(self, bytes: &[u8]) {
        let _ = self.write(bytes, Duration::ZERO);
        self.finish();
    }

    /// Says that nothing more will come.
    pub fn finish(&self) {
        let _ = self.socket.shutdown(Shutdown::Write);
    }
}
