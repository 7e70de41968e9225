//! A client of SMTP: it sends a command, and reads the reply to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::daemon::READY;

/// Reads a reply, which has to have this code. Nothing may come behind it before the server is
/// spoken to.
pub fn hear_from(stream: &mut impl Read, code: &str) {
    let (mut said, mut piece) = (Vec::new(), [0; 1024]);
    loop {
        let count = stream.read(&mut piece).expect("the server answers");
        assert!(count > 0, "the server closes");
        said.extend_from_slice(&piece[..count]);
        let Some(whole) = said.strip_suffix(b"\n") else { continue };
        let last = whole.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        assert!(last.starts_with(code.as_bytes()), "{code} was expected, not {said:?}");
        if last.get(3) == Some(&b' ') {
            return;
        }
    }
}

/// One connection.
pub struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    /// Connects, and reads the greeting.
    pub fn connect(place: SocketAddr) -> Self {
        let socket = TcpStream::connect(place).expect("a connection");
        socket.set_nodelay(true).expect("a socket");
        socket.set_read_timeout(Some(READY)).expect("a socket");
        let mut client = Self { reader: BufReader::new(socket) };
        client.hear("220");
        client
    }

    /// Connects, and says EHLO.
    pub fn greeted(place: SocketAddr) -> Self {
        let mut client = Self::connect(place);
        client.say("EHLO client.test\r\n", "250");
        client
    }

    /// Sends a line, which has to be answered by this code.
    pub fn say(&mut self, line: &str, code: &str) {
        self.send(line.as_bytes());
        self.hear(code);
    }

    /// Sends without a look at what is answered.
    pub fn send(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).expect("the server reads");
    }

    fn hear(&mut self, code: &str) {
        let mut line = String::new();
        loop {
            line.clear();
            self.reader.read_line(&mut line).expect("the server answers");
            assert!(line.starts_with(code), "{code} was expected, not {line:?}");
            if line.as_bytes().get(3) == Some(&b' ') {
                return;
            }
        }
    }

    /// Sends the envelope of a message, and the message.
    pub fn message(&mut self, data: &[u8]) {
        self.say("MAIL FROM:<root@local.test>\r\n", "250");
        self.say("RCPT TO:<user@local.test>\r\n", "250");
        self.say("DATA\r\n", "354");
        self.send(data);
        self.hear("250");
    }

    /// Takes its leave; whether it waits for the answer.
    pub fn quit(&mut self, waits: bool) {
        match waits {
            true => self.say("QUIT\r\n", "221"),
            false => self.send(b"QUIT\r\n"),
        }
    }
}

/// Lets so many clients do a thing so many times together; each has a state of its own,
/// made before the clock runs. How long it took.
pub fn at_once<S: Send>(
    clients: usize,
    count: usize,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S) + Sync,
) -> Duration {
    let mut states: Vec<S> = (0..clients).map(|_| begin()).collect();
    let left = AtomicUsize::new(count);
    let start = Instant::now();
    thread::scope(|scope| {
        for state in &mut states {
            let (left, work) = (&left, &work);
            scope.spawn(move || {
                let next = |n: usize| n.checked_sub(1);
                while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).is_ok() {
                    work(state);
                }
            });
        }
    });
    start.elapsed()
}
