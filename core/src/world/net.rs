//! Connections, and services that are asked through them.

use std::io;
use std::time::Duration;

use super::{Stream, Target, TlsAuthorities};

/// How a connection is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Dialing {
    /// Which of this host's addresses it comes from, where that matters.
    pub from: Option<std::net::IpAddr>,
    /// Whether the system looks now and then whether the other side is still there
    /// (`SO_KEEPALIVE`).
    pub keeps_alive: bool,
    /// Whether the other side may speak before the handshake is over (TCP Fast Open,
    /// RFC 7413), where both systems know how.
    pub fast_open: bool,
}

/// A page of a web server that is to be fetched: by HTTPS, with a certificate for the host,
/// and without going where another page is said to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageOrder {
    /// The host, as its certificate has to name it.
    pub host: String,
    /// The path: `/.well-known/mta-sts.txt`.
    pub path: String,
    /// Where the server is, in the order in which that is tried.
    pub places: Vec<std::net::SocketAddr>,
    /// From whom its certificate has to come.
    pub authorities: TlsAuthorities,
    /// How many bytes the page may have.
    pub most: usize,
    /// How long all of it may take.
    pub within: Duration,
}

/// A page of a web server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WebPage {
    /// What the server says of it: 200 where this is the page.
    pub status: u16,
    /// `Content-Type`, without its parameters, in lower case.
    pub kind: String,
    /// The page.
    pub text: Vec<u8>,
}

/// Why there is no page: in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PageFault {
    /// Nobody can be reached, or what is said there is no page.
    Failed(String),
    /// There is no TLS, or nobody vouches for the server.
    Untrusted(String),
}

/// Why NIS has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NisError {
    /// The system belongs to no domain.
    NoDomain,
    /// Nobody can ask: the system's words.
    NoLibrary(String),
    /// No server answers, or the question makes no sense to it.
    Failed,
}

/// Why whoson has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WhosonError {
    /// Nobody can ask: the system's words.
    NoLibrary(String),
    /// The service's words.
    Failed(Vec<u8>),
}

/// Sockets, and services that are asked through them.
pub trait Net: Send + Sync {
    /// Opens a connection.
    fn connect(&self, target: &Target, timeout: Duration) -> io::Result<Box<dyn Stream>>;
    /// Opens a connection to a port in a certain way; a net that knows none but the
    /// usual one takes no heed of what only makes it better.
    fn dial(
        &self,
        to: std::net::SocketAddr,
        how: &Dialing,
        timeout: Duration,
    ) -> io::Result<Box<dyn Stream>> {
        match how.from {
            None => self.connect(&Target::Tcp(to), timeout),
            Some(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
    /// Sends a datagram to a UDP port, and waits for one from there that is
    /// accepted; others are overlooked.
    fn datagram(
        &self,
        to: std::net::SocketAddr,
        question: &[u8],
        within: Duration,
        accept: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<Vec<u8>> {
        let _ = (to, question, within, accept);
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Sends a datagram to a UDP port, and waits for nothing.
    fn send(&self, to: std::net::SocketAddr, datagram: &[u8]) -> io::Result<()> {
        let _ = (to, datagram);
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Begins TLS on a connection, whose deadline holds for this, too. The
    /// server is told a name (SNI), unless that is empty; whatever certificate
    /// it shows is believed. Otherwise, why there is no TLS.
    fn secure(&self, stream: Box<dyn Stream>, name: &str) -> Result<Box<dyn Stream>, String> {
        let _ = (stream, name);
        Err("there is no TLS here".into())
    }
    /// Fetches a page of a web server.
    ///
    /// # Errors
    /// Why there is none.
    fn fetch(&self, order: &PageOrder) -> Result<WebPage, PageFault> {
        let _ = order;
        Err(PageFault::Failed("there is no web here".into()))
    }
    /// What a map of the system's NIS domain has for a key.
    fn nis(&self, map: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, NisError> {
        let _ = (map, key);
        Err(NisError::NoLibrary("there is no NIS here".into()))
    }
    /// The user who is logged in from an address, as whoson knows; otherwise,
    /// why there is no answer.
    fn whoson(&self, address: &[u8]) -> Result<Option<Vec<u8>>, WhosonError> {
        let _ = address;
        Err(WhosonError::NoLibrary("there is no whoson here".into()))
    }
    /// The addresses of a host, as the system's resolver says.
    fn resolve(&self, host: &str) -> io::Result<Vec<std::net::IpAddr>>;
    /// The port of a TCP service.
    fn service(&self, name: &str) -> Option<u16>;
}
