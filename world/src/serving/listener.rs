//! Sockets that listen.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::net::{
    AddressFamily, SocketAddrAny, SocketFlags, SocketType, accept_with, bind, getpeername,
    getsockname, listen, socket_with,
};

use super::peer::Peer;
use super::signals::Signals;

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    descriptor: OwnedFd,
}

impl Listener {
    /// Listens at an address; so many connections may wait to be taken, and what is written
    /// to them goes at once, or when enough has come together.
    ///
    /// # Errors
    /// Somebody else listens there, or the system has no such address.
    pub fn bind(address: SocketAddr, backlog: i32, no_delay: bool) -> io::Result<Self> {
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let descriptor = socket_with(family, SocketType::STREAM, flags, None)?;
        if address.is_ipv6() {
            // Version 4 has listeners of its own.
            sockopt::set_ipv6_v6only(&descriptor, true)?;
        }
        sockopt::set_socket_reuseaddr(&descriptor, true)?;
        // Connections that are taken here have it, too.
        sockopt::set_tcp_nodelay(&descriptor, no_delay)?;
        bind(&descriptor, &address)?;
        listen(&descriptor, backlog)?;
        Ok(Self { descriptor })
    }

    /// The socket that whoever started this process hands over as its standard
    /// input.
    ///
    /// # Errors
    /// The standard input is no socket that listens.
    pub fn inherited() -> io::Result<Self> {
        let descriptor = rustix::io::fcntl_dupfd_cloexec(std::io::stdin().as_fd(), 3)?;
        if !sockopt::socket_acceptconn(&descriptor)? {
            return Err(io::Error::other("not a listening socket"));
        }
        rustix::io::ioctl_fionbio(&descriptor, true)?;
        Ok(Self { descriptor })
    }

    /// How many connections wait to be taken; nothing where the system does not say.
    pub fn backlog(&self) -> Option<u32> {
        let table = match self.address()? {
            SocketAddr::V4(_) => "/proc/net/tcp",
            SocketAddr::V6(_) => "/proc/net/tcp6",
        };
        let own = rustix::fs::fstat(&self.descriptor).ok()?.st_ino.to_string();
        let table = std::fs::read_to_string(table).ok()?;
        let mut sockets = table.lines().map(|line| line.split_ascii_whitespace().collect());
        // Of a socket that listens, what waits to be read is connections.
        let socket = sockets.find(|fields: &Vec<&str>| fields.get(9) == Some(&own.as_str()))?;
        let (_, waiting) = socket.get(4)?.split_once(':')?;
        u32::from_str_radix(waiting, 16).ok()
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        SocketAddr::try_from(getsockname(&self.descriptor).ok()?).ok()
    }

    /// Takes a connection, if one waits: the client, and both addresses.
    ///
    /// # Errors
    /// What the system says; a client that is gone already is none.
    pub fn accept(&self) -> io::Result<Option<Peer>> {
        let ip = |address: SocketAddrAny| SocketAddr::try_from(address).ok();
        loop {
            let socket = match accept_with(&self.descriptor, SocketFlags::CLOEXEC) {
                Ok(socket) => socket,
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR | Errno::CONNABORTED | Errno::PROTO) => continue,
                Err(why) => return Err(why.into()),
            };
            let remote = getpeername(&socket).ok().flatten().and_then(ip);
            let local = getsockname(&socket).ok().and_then(ip);
            if let (Some(remote), Some(local)) = (remote, local) {
                return Ok(Some(Peer::new(socket, remote, local)));
            }
        }
    }
}

/// A descriptor that is kept open to be given up when there is no other: so whoever
/// waits can be told that it is of no use.
#[derive(Debug)]
pub struct Spare(RefCell<Option<File>>);

impl Spare {
    /// Puts one aside.
    pub fn new() -> Self {
        let spare = Self(RefCell::new(None));
        spare.restore();
        spare
    }

    /// Takes a connection though there is no descriptor left for it, if one waits. It has
    /// to be gone before this is asked for another one.
    pub fn accept(&self, listener: &Listener) -> Option<Peer> {
        drop(self.0.borrow_mut().take());
        let peer = listener.accept().ok().flatten();
        if peer.is_none() {
            self.restore();
        }
        peer
    }

    fn restore(&self) {
        *self.0.borrow_mut() = File::open("/dev/null").ok();
    }
}

impl Default for Spare {
    fn default() -> Self {
        Self::new()
    }
}

/// All sockets that listen.
#[derive(Debug, Default)]
pub struct Listeners(pub Vec<Listener>);

/// What ended a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woken {
    /// Somebody may be at the door, or a signal came.
    Something,
    /// The time is over.
    Late,
}

impl Listeners {
    /// Waits until a client comes or a signal does.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(&self, signals: &Signals, time: Option<Duration>) -> io::Result<Woken> {
        let mut waited: Vec<PollFd<'_>> = self
            .0
            .iter()
            .map(|listener| PollFd::from_borrowed_fd(listener.descriptor.as_fd(), PollFlags::IN))
            .collect();
        waited.push(PollFd::from_borrowed_fd(signals.descriptor(), PollFlags::IN));
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut waited, time.as_ref()) {
            Ok(0) => Ok(Woken::Late),
            Ok(_) | Err(Errno::INTR) => Ok(Woken::Something),
            Err(why) => Err(why.into()),
        }
    }
}
