//! Sockets, names of hosts and services.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket,
};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use eximious_core::world::{
    Dialing, Net, NisError, PageFault, PageOrder, Stream, Target, WebPage, WhosonError,
};
use eximious_netlibs as netlibs;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::sockopt::{self, Timeout, set_socket_timeout, socket_error};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, bind, connect,
    recv, sendto, socket_with,
};

use crate::deadline::Deadline;
use crate::tls;

/// That sending begins a connection (Linux, `MSG_FASTOPEN`).
const FAST_OPEN: SendFlags = SendFlags::from_bits_retain(0x2000_0000);

/// No datagram is longer.
const LONGEST_DATAGRAM: usize = 65_536;

/// Who is at the other end of the standard input, and the address here, where it is
/// a TCP connection: then somebody listened for this program.
pub fn input_connection() -> Option<(SocketAddr, SocketAddr)> {
    let input = io::stdin();
    let peer = rustix::net::getpeername(input.as_fd()).ok()??;
    let own = rustix::net::getsockname(input.as_fd()).ok()?;
    Some((peer.try_into().ok()?, own.try_into().ok()?))
}

/// Marks the packets of the standard input's connection, with this octet of theirs.
///
/// # Errors
/// It is no connection, or what the system says.
pub fn mark_input_traffic(class: u8) -> io::Result<()> {
    let input = io::stdin();
    let own = rustix::net::getsockname(input.as_fd())?;
    let own = own.try_into().map_err(|_| io::ErrorKind::Unsupported)?;
    mark_traffic(input.as_fd(), class, own)
}

/// Marks the packets of a connection: TOS in IPv4, the traffic class in IPv6 (RFC 2474).
pub(crate) fn mark_traffic(socket: BorrowedFd<'_>, class: u8, own: SocketAddr) -> io::Result<()> {
    match own.is_ipv4() {
        true => sockopt::set_ip_tos(socket, class)?,
        false => sockopt::set_ipv6_tclass(socket, class.into())?,
    }
    Ok(())
}

/// Waits for the standard input; false where nothing has come, and it has not ended,
/// in this time.
///
/// # Errors
/// What the system says.
pub fn input_within(time: Duration) -> io::Result<bool> {
    let input = io::stdin();
    let deadline = Deadline::within(time);
    loop {
        let left = deadline.left().unwrap_or_default();
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut polled = [PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN)];
        match rustix::event::poll(&mut polled, Some(&left)) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(why) => return Err(why.into()),
        }
    }
}

/// The system's sockets.
#[derive(Debug)]
pub struct SystemNet;

impl Net for SystemNet {
    fn connect(&self, target: &Target, timeout: Duration) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(Connection::open(target, timeout)?))
    }

    fn dial(
        &self,
        to: SocketAddr,
        how: &Dialing,
        timeout: Duration,
    ) -> io::Result<Box<dyn Stream>> {
        let deadline = Deadline::within(timeout);
        Ok(Box::new(Connection { socket: Socket::Tcp(dial(to, how, deadline)?), deadline }))
    }

    fn send(&self, to: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        let socket = bound(to)?;
        socket.connect(to)?;
        socket.send(datagram).map(|_| ())
    }

    fn datagram(
        &self,
        to: SocketAddr,
        question: &[u8],
        within: Duration,
        accept: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<Vec<u8>> {
        let deadline = Deadline::within(within);
        let socket = bound(to)?;
        // From now on nobody else is heard.
        socket.connect(to)?;
        socket.send(question)?;
        let mut answer = vec![0; LONGEST_DATAGRAM];
        loop {
            let left = deadline.left().ok_or(io::ErrorKind::TimedOut)?;
            socket.set_read_timeout(Some(left))?;
            match socket.recv(&mut answer) {
                Ok(length) if accept(&answer[..length]) => {
                    answer.truncate(length);
                    return Ok(answer);
                }
                Ok(_) => {}
                // Either word stands for a wait that came to its end.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock
                            | io::ErrorKind::TimedOut
                            | io::ErrorKind::Interrupted
                    ) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn secure(&self, stream: Box<dyn Stream>, name: &str) -> Result<Box<dyn Stream>, String> {
        let secured = tls::begin(&tls::TlsSettings::default(), name, stream)?;
        Ok(Box::new(Secured(secured)))
    }

    fn fetch(&self, order: &PageOrder) -> Result<WebPage, PageFault> {
        crate::web::fetch(order)
    }

    fn nis(&self, map: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, NisError> {
        let failed = |error| match error {
            netlibs::NetlibsError::Missing(why) => NisError::NoLibrary(why),
            netlibs::NetlibsError::Failed(_) => NisError::Failed,
        };
        let domain = netlibs::nis::domain().map_err(failed)?.ok_or(NisError::NoDomain)?;
        netlibs::nis::find(&domain, map, key).map_err(failed)
    }

    fn whoson(&self, address: &[u8]) -> Result<Option<Vec<u8>>, WhosonError> {
        netlibs::whoson::user_at(address).map_err(|error| match error {
            netlibs::NetlibsError::Missing(why) => WhosonError::NoLibrary(why),
            netlibs::NetlibsError::Failed(why) => WhosonError::Failed(why),
        })
    }

    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = (host, 0).to_socket_addrs().map_err(|why| {
            // The library says only in words that this may change.
            match why.to_string().ends_with("Temporary failure in name resolution") {
                true => io::Error::new(io::ErrorKind::TimedOut, why),
                false => why,
            }
        })?;
        let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        addresses.dedup();
        Ok(addresses)
    }

    fn service(&self, name: &str) -> Option<u16> {
        find_service(&fs::read("/etc/services").ok()?, name)
    }
}

/// A socket of the kind of an address.
fn bound(to: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0))
}

/// A connection over a Unix domain socket. Where the listener's queue is full,
/// the system makes the caller wait, as long as a write may take.
pub(crate) fn connect_unix(path: &[u8], timeout: Duration) -> io::Result<UnixStream> {
    // The system takes an empty name for one that nobody listens at.
    if path.is_empty() {
        return Err(Errno::CONNREFUSED.into());
    }
    let address = SocketAddrUnix::new(path)?;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(timeout))?;
    match connect(&socket, &address) {
        Ok(()) => Ok(UnixStream::from(socket)),
        Err(Errno::AGAIN) => Err(io::ErrorKind::TimedOut.into()),
        Err(error) => Err(error.into()),
    }
}

fn connect_tcp(address: &SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(address, timeout)?;
    // A request is written whole; nothing is gained by holding its end back.
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

/// A connection as it is wanted: from an address of this host's, at any port, or from
/// wherever the system likes.
fn dial(to: SocketAddr, how: &Dialing, deadline: Deadline) -> io::Result<TcpStream> {
    let family = match to {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    if let Some(from) = how.from {
        bind(&socket, &SocketAddr::new(from, 0))?;
    }
    if how.keeps_alive {
        sockopt::set_socket_keepalive(&socket, true)?;
    }
    let begun = match how.fast_open {
        true => connect_fast(socket.as_fd(), to),
        false => connect(&socket, &to),
    };
    match begun {
        Ok(()) => {}
        Err(Errno::INPROGRESS) => {
            deadline.writable(socket.as_fd())?;
            socket_error(&socket)??;
        }
        Err(error) => return Err(error.into()),
    }
    let socket = TcpStream::from(socket);
    socket.set_nonblocking(false)?;
    // As above.
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

/// Begins a connection over which the other side may speak before the handshake is over:
/// nothing is sent with it but the cookie that it gave us the last time. Where the system
/// does not do that, it is a connection as any other.
fn connect_fast(socket: BorrowedFd<'_>, to: SocketAddr) -> Result<(), Errno> {
    match sendto(socket, &[], FAST_OPEN, &to) {
        Ok(_) => Ok(()),
        Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::PIPE | Errno::NOTCONN) => connect(socket, &to),
        Err(why) => Err(why),
    }
}

enum Socket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// An open connection.
pub struct Connection {
    socket: Socket,
    deadline: Deadline,
}

impl Connection {
    /// Opens one. The time holds for what is read and written later, too, until
    /// another is set.
    pub fn open(target: &Target, timeout: Duration) -> io::Result<Self> {
        let deadline = Deadline::within(timeout);
        let timeout = deadline.left().ok_or(io::ErrorKind::TimedOut)?;
        let socket = match target {
            Target::Unix(path) => Socket::Unix(connect_unix(path, timeout)?),
            Target::Tcp(address) => Socket::Tcp(connect_tcp(address, timeout)?),
        };
        Ok(Self { socket, deadline })
    }

    /// Whether the other side has neither closed it nor said anything that
    /// nobody has read.
    pub fn is_quiet(&self) -> bool {
        let mut byte = [0; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        recv(self.descriptor(), &mut byte, flags).is_err_and(|error| error == Errno::AGAIN)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Unix(socket) => socket.as_fd(),
            Socket::Tcp(socket) => socket.as_fd(),
        }
    }
}

impl From<TcpStream> for Connection {
    fn from(socket: TcpStream) -> Self {
        Self { socket: Socket::Tcp(socket), deadline: Deadline::within(Duration::ZERO) }
    }
}

impl Read for Connection {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.deadline.readable(self.descriptor())?;
        match &mut self.socket {
            Socket::Unix(socket) => socket.read(into),
            Socket::Tcp(socket) => socket.read(into),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.deadline.send(self.descriptor(), from)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Connection {
    fn finish_writing(&mut self) -> io::Result<()> {
        match &self.socket {
            Socket::Unix(socket) => socket.shutdown(Shutdown::Write),
            Socket::Tcp(socket) => socket.shutdown(Shutdown::Write),
        }
    }

    fn set_deadline(&mut self, within: Duration) {
        self.deadline = Deadline::within(within);
    }

    fn local_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Unix(_) => None,
            Socket::Tcp(socket) => socket.local_addr().ok(),
        }
    }
}

/// A connection under TLS.
struct Secured(tls::TlsStream<Box<dyn Stream>>);

impl Read for Secured {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Write for Secured {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.0.write(from)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Secured {
    /// Both directions end together, so nothing is said of one.
    fn finish_writing(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn set_deadline(&mut self, within: Duration) {
        self.0.get_mut().set_deadline(within);
    }
}

/// The port of a TCP service, by its name or another of its names.
fn find_service(services: &[u8], name: &str) -> Option<u16> {
    services.split(|c| *c == b'\n').find_map(|line| {
        let line = line.split(|c| *c == b'#').next().unwrap_or_default();
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let first = words.next()?;
        let port = words.next()?.strip_suffix(b"/tcp")?;
        let found = first == name.as_bytes() || words.any(|word| word == name.as_bytes());
        found.then(|| std::str::from_utf8(port).ok()?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_made_as_they_are_wanted() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let to = listener.local_addr().expect("its own address");
        let from = Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 5)));
        // The second time, the other side has given a cookie, where it does that.
        for (from, keeps_alive, fast_open) in
            [(None, true, true), (from, false, true), (None, false, false), (from, true, false)]
        {
            let how = Dialing { from, keeps_alive, fast_open };
            let within = Deadline::within(Duration::from_secs(10));
            let mut socket = dial(to, &how, within).expect("connected");
            assert_eq!(sockopt::socket_keepalive(&socket).expect("known"), keeps_alive);
            let (mut other, own) = listener.accept().expect("taken");
            assert!(from.is_none_or(|from| own.ip() == from));
            other.write_all(b"first").expect("written");
            let mut heard = [0; 5];
            socket.read_exact(&mut heard).expect("read");
            assert_eq!(&heard, b"first");
        }
        // Where nobody listens, that is said at once.
        drop(listener);
        let how = Dialing { fast_open: true, ..Dialing::default() };
        let refused = dial(to, &how, Deadline::within(Duration::from_secs(10)));
        assert_eq!(refused.expect_err("nobody").kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn services_have_names_and_other_names() {
        let services = b"# a comment\ndomain 53/udp\nsmtp\t\t25/tcp\t\tmail # x\ndomain 53/tcp\n";
        assert_eq!(find_service(services, "smtp"), Some(25));
        assert_eq!(find_service(services, "mail"), Some(25));
        assert_eq!(find_service(services, "domain"), Some(53));
        assert_eq!(find_service(services, "x"), None);
        assert_eq!(find_service(services, ""), None);
        assert_eq!(find_service(b"bad\nworse 70000/tcp\n\xff", "worse"), None);
    }
}
