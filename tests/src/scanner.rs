//! Scanners that a test plays: each does what its script says, and remembers what it heard.
//!
//! A script is steps with `|` between them; what stands behind `%` is for the next connection,
//! and the last one for all that follow.
//!
//! ```text
//! line    hears up to an end of a line, or a zero byte
//! head    hears up to an empty line
//! end     hears all, up to its end
//! chunks  hears chunks with their lengths before them, up to an empty one
//! sized   hears a head, and as much more as its `Content-length` says
//! frame   hears what the daemon of DrWeb is asked
//! wait=N  does nothing for so many milliseconds
//! drip=TEXT   says a byte at a time, with a pause before each
//! flood=TEXT  says it again and again
//! close   goes away at once
//! TEXT    anything else is said, as cases write it
//! ```
//!
//! Then it has said all, and hears what else comes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::escapes::unescaped;
use crate::next_host::serve;

/// How long it hears nothing until it goes away.
const SILENCE: Duration = Duration::from_secs(20);
/// How long it is waited for until all is heard.
const SETTLING: Duration = Duration::from_secs(3);
/// How much is said again and again.
const FLOOD: usize = 1 << 20;

/// A scanner, which lives as long as the test.
#[derive(Clone, Debug)]
pub struct Scanner {
    port: u16,
    scripts: Arc<Vec<Vec<Step>>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// What was heard along a connection.
#[derive(Clone, Debug, Default)]
struct Heard {
    bytes: Vec<u8>,
    is_over: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Line,
    Head,
    End,
    Chunks,
    Sized,
    Frame,
    Wait(Duration),
    Drip(Vec<u8>),
    Flood(Vec<u8>),
    Close,
    Say(Vec<u8>),
}

impl Step {
    fn read(text: &str) -> Self {
        let value = |name: &str| text.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
        if let Some(time) = value("wait") {
            return Self::Wait(Duration::from_millis(time.parse().expect("milliseconds")));
        }
        if let Some(text) = value("drip") {
            return Self::Drip(unescaped(text));
        }
        if let Some(text) = value("flood") {
            return Self::Flood(unescaped(text));
        }
        match text {
            "line" => Self::Line,
            "head" => Self::Head,
            "end" => Self::End,
            "chunks" => Self::Chunks,
            "sized" => Self::Sized,
            "frame" => Self::Frame,
            "close" => Self::Close,
            text => Self::Say(unescaped(text)),
        }
    }
}

/// A connection.
trait Wire: Read + Write {
    fn finish(&self);
    fn patience(&self);
}

impl Wire for TcpStream {
    fn finish(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }

    fn patience(&self) {
        let _ = self.set_read_timeout(Some(SILENCE));
        let _ = self.set_write_timeout(Some(SILENCE));
    }
}

impl Wire for UnixStream {
    fn finish(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }

    fn patience(&self) {
        let _ = self.set_read_timeout(Some(SILENCE));
        let _ = self.set_write_timeout(Some(SILENCE));
    }
}

impl Scanner {
    /// Begins to listen at a free port of this system, and at a path, where everybody may
    /// connect.
    ///
    /// # Panics
    /// Where that can't be.
    pub fn start(script: &str, path: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let scripts = script.split('%');
        let scripts = scripts.map(|steps| steps.split('|').map(Step::read).collect());
        let scanner = Self {
            port: listener.local_addr().expect("its own address").port(),
            scripts: Arc::new(scripts.collect()),
            heard: Arc::default(),
        };
        let own = scanner.clone();
        serve(move || listener.accept(), move |stream: TcpStream| own.talk(stream));
        let listener = UnixListener::bind(path).expect("a socket");
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(path, open).expect("a socket for all");
        let own = scanner.clone();
        serve(move || listener.accept(), move |stream: UnixStream| own.talk(stream));
        scanner
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it heard along each connection.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        let begin = Instant::now();
        loop {
            let heard = locked(&self.heard);
            if heard.iter().all(|one| one.is_over) || begin.elapsed() > SETTLING {
                return heard.iter().map(|one| one.bytes.clone()).collect();
            }
            drop(heard);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn talk(&self, stream: impl Wire) {
        let number = {
            let mut heard = locked(&self.heard);
            heard.push(Heard::default());
            heard.len() - 1
        };
        let script = self.scripts.get(number).or(self.scripts.last());
        let mut talk = Talk { stream, number, heard: &self.heard };
        talk.stream.patience();
        // Either side may end it at any point.
        let _ = talk.follow(script.map_or(&[], Vec::as_slice));
        locked(&self.heard)[number].is_over = true;
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Talk<'h, W> {
    stream: W,
    number: usize,
    heard: &'h Mutex<Vec<Heard>>,
}

impl<W: Wire> Talk<'_, W> {
    fn follow(&mut self, script: &[Step]) -> io::Result<()> {
        for step in script {
            match step {
                Step::Line => {
                    drop(self.until(|told| told.ends_with(b"\n") || told.ends_with(b"\0"))?)
                }
                Step::Head => drop(self.head()?),
                Step::End => drop(self.until(|_| false)),
                Step::Chunks => while self.number().is_ok_and(|count| self.exactly(count)) {},
                Step::Sized => {
                    let head = String::from_utf8_lossy(&self.head()?).to_ascii_lowercase();
                    let length = head.split_once("content-length: ").map_or("", |(_, rest)| rest);
                    let length = length.lines().next().unwrap_or_default();
                    self.exactly(length.parse().unwrap_or(0));
                }
                Step::Frame => {
                    self.exactly(8);
                    for _ in 0..2 {
                        let count = self.number()?;
                        self.exactly(count);
                    }
                }
                Step::Wait(time) => std::thread::sleep(*time),
                Step::Drip(text) => {
                    for byte in text {
                        std::thread::sleep(Duration::from_millis(300));
                        self.stream.write_all(&[*byte])?;
                    }
                }
                Step::Flood(text) => {
                    for _ in 0..FLOOD / text.len().max(1) {
                        self.stream.write_all(text)?;
                    }
                }
                Step::Close => return Ok(()),
                Step::Say(text) => self.stream.write_all(text)?,
            }
        }
        self.stream.finish();
        self.until(|_| false).map(drop)
    }

    /// Hears so many bytes; whether there were some, and all came.
    fn exactly(&mut self, count: usize) -> bool {
        count > 0 && self.until(|told| told.len() == count).is_ok_and(|told| told.len() == count)
    }

    /// Hears a number of four bytes, the highest first.
    fn number(&mut self) -> io::Result<usize> {
        let told = self.until(|told| told.len() == 4)?;
        let bytes = told.try_into().map_err(|_| io::ErrorKind::UnexpectedEof)?;
        Ok(u32::from_be_bytes(bytes) as usize)
    }

    fn head(&mut self) -> io::Result<Vec<u8>> {
        self.until(|told| told.ends_with(b"\n\n") || told.ends_with(b"\r\n\r\n"))
    }

    /// Hears up to some end, or to the end of all.
    fn until(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
        let mut told = Vec::new();
        let mut byte = [0];
        while !is_enough(&told) {
            match self.stream.read(&mut byte) {
                Ok(0) => break,
                Ok(_) => {
                    told.push(byte[0]);
                    locked(self.heard)[self.number].bytes.push(byte[0]);
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(told)
    }
}
