//! A door for programs of this host that ask for a page by HTTP.
//!
//! Whoever comes has some seconds for the question and the answer together, one question, and
//! a bound on its length; only so many are served at once, and others are turned away.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub use eximious_core::{BadPagePlace, PagePlace};
use rustix::io::Errno;
use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use super::process::spawn;
use crate::deadline::Deadline;

/// How long a client may take for all of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take to close, once it has its answer.
const CLOSING: Duration = Duration::from_secs(1);

/// How long a question may be, and how many header fields it may have.
const LONGEST: usize = 8 * 1024;
const MOST_FIELDS: usize = 64;

/// How many are served at once.
const MOST_AT_ONCE: usize = 16;

/// How long to wait where the system has no connection for us.
const PAUSE: Duration = Duration::from_millis(100);

const STACK: usize = 1 << 20;

/// What is answered: a type and a text, or that there is no such page.
pub type PageMaker = dyn Fn(&str) -> Option<(&'static str, Vec<u8>)> + Send + Sync;

#[derive(Debug)]
enum Door {
    Loopback(TcpListener),
    Socket(UnixListener),
}

impl Door {
    fn accept(&self) -> io::Result<OwnedFd> {
        match self {
            Self::Loopback(door) => door.accept().map(|(client, _)| client.into()),
            Self::Socket(door) => door.accept().map(|(client, _)| client.into()),
        }
    }
}

/// A place where pages are served; they are until the process ends.
#[derive(Debug)]
pub struct PageServer {
    path: Option<PathBuf>,
}

impl PageServer {
    /// Serves pages at a place. A socket there is for the user and the group of this process.
    ///
    /// # Errors
    /// What the system says; somebody else listens there; what stands at the path is no
    /// socket.
    pub fn begin(place: &PagePlace, maker: Arc<PageMaker>) -> io::Result<Self> {
        let (door, path) = match place {
            PagePlace::Loopback(address) => (Door::Loopback(TcpListener::bind(address)?), None),
            PagePlace::Socket(path) => {
                // One that nobody listens at is left over from an earlier process.
                let found = std::fs::symlink_metadata(path);
                if found.is_ok_and(|found| found.file_type().is_socket()) {
                    match UnixStream::connect(path) {
                        Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => {
                            std::fs::remove_file(path)?;
                        }
                        _ => return Err(io::ErrorKind::AddrInUse.into()),
                    }
                }
                let door = UnixListener::bind(path)?;
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
                (Door::Socket(door), Some(path.clone()))
            }
        };
        spawn(STACK, move || receive(&door, &maker))?;
        Ok(Self { path })
    }
}

impl Drop for PageServer {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn receive(door: &Door, maker: &Arc<PageMaker>) {
    let served = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok(client) = door.accept() else {
            // There are no descriptors, or no memory: others may give some back.
            std::thread::sleep(PAUSE);
            continue;
        };
        if served.fetch_add(1, Ordering::Relaxed) >= MOST_AT_ONCE {
            served.fetch_sub(1, Ordering::Relaxed);
            let busy = answer("503 Service Unavailable", "text/plain", b"busy\n", true, "");
            let _ = send(&client, &busy, Deadline::within(Duration::ZERO));
            continue;
        }
        let (maker, own) = (maker.clone(), served.clone());
        let spawned = spawn(STACK, move || {
            let _place = Served(own);
            // A client that is gone needs no answer.
            let _ = serve(&client, &*maker);
        });
        if spawned.is_err() {
            served.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A client that is served, until this goes.
struct Served(Arc<AtomicUsize>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn serve(client: &OwnedFd, maker: &PageMaker) -> io::Result<()> {
    let until = Deadline::within(PATIENCE);
    let said = match question(client, until)? {
        Question::Page { path, whole } => match maker(&path) {
            Some((kind, text)) => answer("200 OK", kind, &text, whole, ""),
            None => answer("404 Not Found", "text/plain", b"no such page\n", whole, ""),
        },
        Question::Other => {
            let more = "Allow: GET, HEAD\r\n";
            answer("405 Method Not Allowed", "text/plain", b"pages are read\n", true, more)
        }
        Question::Malformed => {
            answer("400 Bad Request", "text/plain", b"that is no HTTP\n", true, "")
        }
        Question::Endless => {
            let why = b"the question is too long\n";
            answer("431 Request Header Fields Too Large", "text/plain", why, true, "")
        }
        Question::None => return Ok(()),
    };
    send(client, &said, until)?;
    shutdown(client, Shutdown::Write)?;
    // What was not read would have the system cut the answer off.
    let until = Deadline::within(CLOSING);
    let mut left = [0; 1024];
    for _ in 0..LONGEST {
        if read(client, &mut left, until)? == 0 {
            break;
        }
    }
    Ok(())
}

/// What a client wants.
#[derive(PartialEq, Eq, Debug)]
enum Question {
    /// A page, or only what stands before it (`HEAD`).
    Page {
        path: String,
        whole: bool,
    },
    /// Something that is not done here.
    Other,
    Malformed,
    Endless,
    /// It went away.
    None,
}

/// Hears a client out.
fn question(client: &OwnedFd, until: Deadline) -> io::Result<Question> {
    let mut heard = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let count = read(client, &mut piece, until)?;
        if count == 0 {
            return Ok(Question::None);
        }
        heard.extend_from_slice(&piece[..count]);
        if let Some(question) = understood(&heard) {
            return Ok(question);
        }
        if heard.len() >= LONGEST {
            return Ok(Question::Endless);
        }
    }
}

/// What was asked, once all of it is there.
fn understood(heard: &[u8]) -> Option<Question> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(heard) {
        Ok(status) if status.is_partial() => None,
        Ok(_) => Some(match (request.method, request.path) {
            (Some(method @ ("GET" | "HEAD")), Some(path)) => {
                let path = path.split('?').next().unwrap_or_default().to_owned();
                Question::Page { path, whole: method == "GET" }
            }
            _ => Question::Other,
        }),
        Err(httparse::Error::TooManyHeaders) => Some(Question::Endless),
        Err(_) => Some(Question::Malformed),
    }
}

/// An answer; without its text, where only what stands before it is wanted.
fn answer(status: &str, kind: &str, text: &[u8], whole: bool, more: &str) -> Vec<u8> {
    let length = text.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         X-Content-Type-Options: nosniff\r\n{more}Connection: close\r\n\r\n"
    );
    [head.as_bytes(), if whole { text } else { b"" }].concat()
}

/// Reads what comes; nothing where the other side has ended, or is too late.
fn read(client: &OwnedFd, into: &mut [u8], until: Deadline) -> io::Result<usize> {
    loop {
        if until.left().is_none() {
            return Ok(0);
        }
        until.readable(client.as_fd())?;
        match recv(client, &mut *into, RecvFlags::DONTWAIT) {
            Ok((_, count)) => return Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(why) => return Err(why.into()),
        }
    }
}

fn send(client: &OwnedFd, mut bytes: &[u8], until: Deadline) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = until.send(client.as_fd(), bytes)?;
        bytes = &bytes[count..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn questions_are_understood_or_refused() {
        let page = |path: &str, whole| Question::Page { path: path.into(), whole };
        let whole = understood(b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(whole, Some(page("/a", true)));
        assert_eq!(understood(b"HEAD /a HTTP/1.0\r\n\r\n"), Some(page("/a", false)));
        assert_eq!(understood(b"POST /a HTTP/1.1\r\n\r\n"), Some(Question::Other));
        assert_eq!(understood(b"EHLO x\r\n"), Some(Question::Malformed));
        assert_eq!(understood(b"\x16\x03\x01\x02\x00\x01"), Some(Question::Malformed));
        assert_eq!(understood(b"GET /a HTTP/1.1\r\nHost: x\r\n"), None);
        let many = "A: b\r\n".repeat(MOST_FIELDS + 1);
        let many = format!("GET / HTTP/1.1\r\n{many}\r\n");
        assert_eq!(understood(many.as_bytes()), Some(Question::Endless));
    }

    #[test]
    fn clients_are_bounded_in_length_time_and_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("door");
        let place = PagePlace::Socket(path.clone());
        let maker: Arc<PageMaker> =
            Arc::new(|path| (path == "/x").then(|| ("text/plain", b"y\n".repeat(100_000))));
        let server = PageServer::begin(&place, maker.clone()).unwrap();
        assert!(PageServer::begin(&place, maker.clone()).is_err(), "somebody listens there");
        let ask = |text: &[u8]| {
            let mut client = UnixStream::connect(&path).unwrap();
            let _ = client.write_all(text);
            let mut said = String::new();
            let _ = client.read_to_string(&mut said);
            said
        };
        let said = ask(b"GET /x HTTP/1.1\r\n\r\n");
        assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && said.ends_with("y\ny\n"), "{said}");
        assert!(ask(b"HEAD /x HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
        assert!(ask(b"GET /z HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        assert!(ask(b"PUT /x HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
        assert!(ask(b"QUIT\r\n").starts_with("HTTP/1.1 400 "));
        let endless = [b"GET /".as_slice(), &b"x".repeat(LONGEST)].concat();
        assert!(ask(&endless).starts_with("HTTP/1.1 431 "));
        // Those who say nothing take places, but not for long.
        let mut silent: Vec<UnixStream> = Vec::new();
        loop {
            while silent.len() < MOST_AT_ONCE {
                silent.push(UnixStream::connect(&path).unwrap());
            }
            let is_full = ask(b"GET /x HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 503 ");
            // Those before may have had a place a little longer than their answer: who was
            // refused for one of them comes again.
            silent.retain_mut(|client| {
                client.set_nonblocking(true).unwrap();
                client.read(&mut [0; 1]).is_err_and(|why| why.kind() == io::ErrorKind::WouldBlock)
            });
            if is_full && silent.len() == MOST_AT_ONCE {
                break;
            }
        }
        for mut client in silent {
            client.set_nonblocking(false).unwrap();
            // A system that has much to do takes its time.
            client.set_read_timeout(Some(PATIENCE * 6)).unwrap();
            assert_eq!(client.read(&mut [0; 1]).unwrap_or(1), 0);
        }
        assert!(ask(b"GET /x HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
        drop(server);
        assert!(!path.exists());
        // A file is nobody's door.
        std::fs::write(&path, "mine").unwrap();
        assert!(PageServer::begin(&place, maker).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    }
}
