//! A program that is spoken with, step by step.

use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use regex::{Captures, Regex};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};

use crate::cases::Place;

/// How long a program may think about what it was told.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long it has to sleep where it is not known what it waits for: that may be an
/// answer from the DNS.
const ASLEEP: Duration = Duration::from_secs(4);

/// How long what a session left behind may take to write its files.
const WRITTEN: Duration = Duration::from_secs(5);

/// How long one sleeps before the program is looked at again.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 150_000 };

/// Where connections come in.
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 99), 25);

/// A program that runs, and the ends of what leads to it.
#[derive(Debug)]
pub struct Talk {
    child: Child,
    status: Option<String>,
    input: Option<OwnedFd>,
    /// The program's own end of a connection: it says what is not yet read.
    own: Option<TcpStream>,
    out: File,
    err: File,
    said: Said,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Said {
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Talk {
    /// Starts a program.
    pub fn start(
        program: &Path,
        arguments: &[String],
        place: &Place,
        from: Option<SocketAddr>,
    ) -> Self {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(arguments).env_clear().env("PATH", path).env("LC_ALL", "C").env("TZ", "UTC");
        command.current_dir(place.path()).stderr(Stdio::piped());
        let (input, out, own, mut child);
        match from {
            None => {
                command.stdin(Stdio::piped()).stdout(Stdio::piped());
                child = command.spawn().expect("the program starts");
                input = OwnedFd::from(child.stdin.take().expect("a pipe was asked for"));
                out = OwnedFd::from(child.stdout.take().expect("a pipe was asked for"));
                own = None;
            }
            Some(from) => {
                let (client, server) = connected(from);
                let end = || OwnedFd::from(server.try_clone().expect("the same again"));
                command.stdin(end()).stdout(end());
                child = command.spawn().expect("the program starts");
                // The command has them, too.
                drop(command);
                out = OwnedFd::from(client.try_clone().expect("the same again"));
                input = OwnedFd::from(client);
                own = Some(server);
            }
        }
        let err = OwnedFd::from(child.stderr.take().expect("a pipe was asked for"));
        for end in [&input, &out, &err] {
            let flags = fcntl_getfl(end).expect("flags");
            fcntl_setfl(end, flags | OFlags::NONBLOCK).expect("flags");
        }
        Self {
            child,
            status: None,
            input: Some(input),
            own,
            out: File::from(out),
            err: File::from(err),
            said: Said::default(),
        }
    }

    /// Sends something, as far as the program takes it.
    pub fn send(&mut self, mut bytes: &[u8]) {
        let until = Instant::now() + PATIENCE;
        while !bytes.is_empty() && !self.is_over() && Instant::now() < until {
            let Some(input) = &self.input else { return };
            match rustix::io::write(input, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(rustix::io::Errno::AGAIN) => self.listen(),
                // It does not listen any more.
                Err(_) => return,
            }
        }
    }

    /// Waits until it wants more, or is gone.
    pub fn wait(&mut self) -> Said {
        self.wait_for(false)
    }

    /// Sends no more, and waits until it is gone.
    pub fn finish(&mut self) -> Said {
        match &self.own {
            Some(_) => {
                if let Some(input) = &self.input {
                    let _ = rustix::net::shutdown(input, rustix::net::Shutdown::Write);
                }
            }
            None => self.input = None,
        }
        self.wait_for(true)
    }

    /// Whether it is gone.
    pub fn is_over(&self) -> bool {
        self.status.is_some()
    }

    /// How it ended.
    pub fn status(&mut self) -> String {
        self.status.clone().unwrap_or_default()
    }

    fn wait_for(&mut self, end: bool) -> Said {
        let until = Instant::now() + PATIENCE;
        let mut asleep = None;
        while self.status.is_none() {
            if let Some(status) = self.child.try_wait().expect("a child") {
                self.status = Some(match status.code() {
                    Some(code) => code.to_string(),
                    None => "signal".to_owned(),
                });
                break;
            }
            let waits = if end { Waits::No } else { self.waits() };
            asleep = match waits {
                Waits::No => None,
                Waits::Perhaps => asleep.or_else(|| Some(Instant::now())),
                Waits::Yes => break,
            };
            if asleep.is_some_and(|since| since.elapsed() > ASLEEP) {
                break;
            }
            if Instant::now() > until {
                let _ = self.child.kill();
                let _ = self.child.wait();
                self.status = Some("too long".to_owned());
            }
            self.listen();
        }
        // What was held back comes when all ends are closed.
        if self.is_over() && self.own.take().is_some() {
            let until = Instant::now() + ASLEEP;
            while !self.hear() && Instant::now() < until {
                self.listen();
            }
        }
        self.hear();
        std::mem::take(&mut self.said)
    }

    /// Hears what is said, or waits a moment for it.
    fn listen(&mut self) {
        let mut ends =
            [PollFd::new(&self.out, PollFlags::IN), PollFd::new(&self.err, PollFlags::IN)];
        let heard = poll(&mut ends, Some(&PAUSE)).unwrap_or(0) > 0;
        let ended = ends.iter().any(|end| end.revents().contains(PollFlags::HUP));
        if ended {
            // There is always something to be heard of an end.
            std::thread::sleep(Duration::from_micros(200));
        }
        if heard {
            self.hear();
        }
    }

    /// Whether nothing more can come.
    fn hear(&mut self) -> bool {
        let mut ended = true;
        for (end, said) in
            [(&mut self.out, &mut self.said.out), (&mut self.err, &mut self.said.err)]
        {
            let mut piece = [0; 8192];
            ended &= loop {
                match end.read(&mut piece) {
                    Ok(0) => break true,
                    Ok(count) => said.extend_from_slice(&piece[..count]),
                    Err(why) => break why.kind() != std::io::ErrorKind::WouldBlock,
                }
            };
        }
        ended
    }

    /// Whether it sleeps in a read of its input, and has read all.
    fn waits(&self) -> Waits {
        let unread = match (&self.own, &self.input) {
            (Some(own), _) => rustix::io::ioctl_fionread(own),
            (None, Some(input)) => rustix::io::ioctl_fionread(input),
            (None, None) => Ok(0),
        };
        if unread.unwrap_or(1) > 0 {
            return Waits::No;
        }
        let path = format!("/proc/{}/syscall", self.child.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut words = text.split(' ');
        let (call, first) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let [read, receive, others] = CALLS;
        match first {
            "0x0" if read.contains(&call) || receive.contains(&call) => Waits::Yes,
            // The real one looks at its input by `poll` after the last reply, too, for a
            // moment.
            place if call == LONG_POLL && self.is_polled(place, words.next()) => Waits::Yes,
            _ if receive.contains(&call) || others.contains(&call) => Waits::Perhaps,
            _ => Waits::No,
        }
    }
}

impl Talk {
    /// Whether a list of files that something is awaited of, which is in the memory of
    /// the program, holds its input and nothing else.
    fn is_polled(&self, place: &str, count: Option<&str>) -> bool {
        let place = place.strip_prefix("0x").and_then(|text| u64::from_str_radix(text, 16).ok());
        let (Some(place), Some("0x1")) = (place, count) else { return false };
        let memory = std::fs::File::open(format!("/proc/{}/mem", self.child.id()));
        let mut file = [0xff; 4];
        memory.is_ok_and(|memory| memory.read_exact_at(&mut file, place).is_ok())
            && i32::from_ne_bytes(file) == 0
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

enum Waits {
    Yes,
    /// It sleeps, and it is not known for what.
    Perhaps,
    No,
}

/// The number of `ppoll`.
const LONG_POLL: &str = if cfg!(target_arch = "x86_64") { "271" } else { "73" };

/// The numbers of system calls: read, those for sockets, those that wait for
/// one of several.
#[cfg(target_arch = "x86_64")]
const CALLS: [&[&str]; 3] = [&["0"], &["45", "47"], &["7", "23", "270", "271", "232", "281"]];
#[cfg(not(target_arch = "x86_64"))]
const CALLS: [&[&str]; 3] = [&["63"], &["207", "212"], &["72", "73", "22"]];

/// Both ends of a connection from an address.
fn connected(from: SocketAddr) -> (TcpStream, TcpStream) {
    static LISTENER: OnceLock<Mutex<TcpListener>> = OnceLock::new();
    let listener =
        LISTENER.get_or_init(|| Mutex::new(TcpListener::bind(SERVER).expect("a socket")));
    // One at a time, so that each gets its own.
    let listener = listener.lock().expect("no panic while something is connected");
    let client = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    sockopt::set_socket_reuseaddr(&client, true).expect("an option");
    bind(&client, &from).unwrap_or_else(|why| panic!("{from}: {why}"));
    connect(&client, &SocketAddr::from(SERVER)).unwrap_or_else(|why| panic!("{from}: {why}"));
    let (server, _) = listener.accept().expect("a connection");
    // What is sent goes out at once, in the pieces in which it is sent.
    sockopt::set_tcp_nodelay(client.as_fd(), true).expect("an option");
    (TcpStream::from(client), server)
}

impl Said {
    /// As it stands in a record: what was logged, then what was replied. In which
    /// order the two came can't be told for sure.
    pub fn show(self, hidden: &mut Hidden<'_>, lines: &mut Vec<String>) {
        for line in hidden.plain(&self.err).split_terminator('\n') {
            lines.push(signed('!', line));
        }
        super::note_lines(&hidden.plain(&self.out), lines);
    }
}

/// Waits for files: what a session started by itself may end after it.
pub fn await_files<'n>(place: &Place, names: impl Iterator<Item = &'n str>) {
    // What a record has in capitals is each run's own.
    let paths: Vec<_> = names
        .filter(|name| !name.contains(|c: char| c.is_ascii_uppercase()))
        .map(|name| place.path().join(name))
        .collect();
    let is_there = |path: &std::path::PathBuf| path.metadata().is_ok_and(|file| file.len() > 0);
    let until = Instant::now() + WRITTEN;
    while Instant::now() < until && !paths.iter().all(is_there) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Shows files, and removes them.
pub fn show_files(place: &Place, pattern: &str, hidden: &mut Hidden<'_>, lines: &mut Vec<String>) {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("ls -d {pattern} 2>/dev/null")).current_dir(place.path());
    let names = command.output().expect("a shell").stdout;
    for name in String::from_utf8_lossy(&names).lines() {
        lines.push(format!("| == {}", hidden.plain(name.as_bytes())));
        let path = place.path().join(name);
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes));
        read.unwrap_or_else(|why| panic!("{name}: {why}"));
        for line in hidden.plain(&bytes).split_terminator('\n') {
            lines.push(signed('|', line));
        }
        std::fs::remove_file(&path).expect("a file goes");
    }
}

pub(super) fn signed(sign: char, line: &str) -> String {
    let line = line.replace('\r', "\\r");
    match line.is_empty() {
        true => sign.to_string(),
        false => format!("{sign} {line}"),
    }
}

/// What is not shown as it is, since it is never the same.
#[derive(Debug)]
pub struct Hidden<'p> {
    place: &'p Place,
    sizes: bool,
    /// The names of messages, in the order in which they came up.
    messages: Vec<String>,
}

/// What is replaced, and by what.
const REPLACED: &[(&str, &str)] = &[
    (r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? (\[\d+\] )?", ""),
    (r"(?m)^LOG: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? (\[\d+\] )?", "LOG: "),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [ \d]\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "DATE"),
    (r"\bExim 4\.\d+(\.\d+)*(-eximious-[\d.]+)?", "Exim VERSION"),
    (r"\b(D|DT|QT|RT)=[\d.]+s", "$1=TIME"),
    (r"-received_time_(\w+) [\d.]+", "-received_time_$1 TIME"),
    (r"(?m)^\d{10} (\d+)$", "TIME $1"),
    (r"(?m)^-frozen \d+$", "-frozen TIME"),
    // What a test of a session shows of the time and the process.
    (r"(?m)^LOG: \d{3} (\[\d+\] )", "LOG: MS [PID] "),
    (r" Ci=\d+", " Ci=PID"),
    // It says that its library of TLS knows of sessions that are resumed.
    (r"(?m)^-tls_resumption A\n", ""),
    // Each library of TLS has its own words for what goes wrong.
    (r"\((gnutls_handshake|SSL_accept)\): .*", "(handshake): WHY"),
    (r"(?m)^ TFO mode .*\n", ""),
];

impl<'p> Hidden<'p> {
    /// Nothing was said yet. Sizes of messages may stay.
    pub fn new(place: &'p Place, sizes: bool) -> Self {
        Self { place, sizes, messages: Vec::new() }
    }

    /// A text without what is never the same.
    pub fn plain(&mut self, bytes: &[u8]) -> String {
        static FORMS: OnceLock<Vec<(Regex, &str)>> = OnceLock::new();
        static MESSAGE: OnceLock<Regex> = OnceLock::new();
        static SIZE: OnceLock<Regex> = OnceLock::new();
        let regex = |text: &str| Regex::new(text).expect("a regular expression");
        let forms = FORMS
            .get_or_init(|| REPLACED.iter().map(|(form, with)| (regex(form), *with)).collect());
        let mut text = self.place.hide(bytes);
        for (form, with) in forms {
            text = form.replace_all(&text, *with).into_owned();
        }
        let message = MESSAGE
            .get_or_init(|| regex(r"\b(E?)([0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4})\b"));
        let named = |found: &Captures<'_>| {
            let at = self.messages.iter().position(|name| *name == found[2]);
            let at = at.unwrap_or_else(|| {
                self.messages.push(found[2].to_owned());
                self.messages.len() - 1
            });
            format!("{}ID{}", &found[1], at + 1)
        };
        text = message.replace_all(&text, named).into_owned();
        if !self.sizes {
            let size = SIZE.get_or_init(|| regex(r" S=\d+"));
            text = size.replace_all(&text, " S=SIZE").into_owned();
        }
        // What can't be seen is shown.
        let escape = |c: char| match c {
            '\n' | '\r' | '\t' => c.to_string(),
            c if c.is_control() => c.escape_default().to_string(),
            c => c.to_string(),
        };
        text.chars().map(escape).collect()
    }
}
