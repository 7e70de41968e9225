//! SMTP sessions through Debian's default ACLs, and how many idle ones can be held.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::routing;

/// Sessions that go on at the same time.
const AT_ONCE: usize = 8;

/// How many idle sessions are held at once.
const IDLE: usize = 2_000;

/// How long a daemon may take to begin.
const READY: Duration = Duration::from_secs(20);

/// Sessions for each second, of a daemon of either program, under the same load:
/// connect, EHLO, MAIL, RCPT, QUIT.
pub fn compare(smoke: bool, exim: &Path, ours: &Path) {
    if !routing::has_writer() {
        println!("no Debian configuration: sessions are left out");
        return;
    }
    let (runs, count) = if smoke { (1, 20) } else { (5, 1_000) };
    let (mut theirs, mut own) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        theirs.push(measured(exim, count));
        own.push(measured(ours, count));
    }
    let middle = |times: &mut Vec<Duration>| {
        times.sort();
        count as f64 / times[times.len() / 2].as_secs_f64()
    };
    let (theirs, own) = (middle(&mut theirs), middle(&mut own));
    println!(
        "{count} SMTP sessions through the default ACLs: exim {theirs:.0}/s, eximious {own:.0}/s, \
         {:.1} times as many",
        own / theirs
    );
    idle(if smoke { 50 } else { IDLE }, ours);
}

/// How long a daemon takes for so many sessions.
fn measured(program: &Path, count: usize) -> Duration {
    let daemon = Daemon::start(program);
    // The first ones warm what is kept.
    (0..AT_ONCE).for_each(|_| session(daemon.place));
    let left = AtomicUsize::new(count);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                    .is_ok()
                {
                    session(daemon.place);
                }
            });
        }
    });
    start.elapsed()
}

/// One session; each reply has to be a good one.
fn session(place: SocketAddr) {
    let mut client = Client::connect(place);
    for (line, code) in [
        ("EHLO client.test\r\n", "250"),
        ("MAIL FROM:<root@local.test>\r\n", "250"),
        ("RCPT TO:<user@local.test>\r\n", "250"),
        ("QUIT\r\n", "221"),
    ] {
        client.say(line, code);
    }
}

struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    fn connect(place: SocketAddr) -> Self {
        let socket = TcpStream::connect(place).expect("a connection");
        socket.set_nodelay(true).expect("a socket");
        socket.set_read_timeout(Some(READY)).expect("a socket");
        let mut client = Self { reader: BufReader::new(socket) };
        client.hear("220");
        client
    }

    fn say(&mut self, line: &str, code: &str) {
        self.reader.get_mut().write_all(line.as_bytes()).expect("the server reads");
        self.hear(code);
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
}

/// The memory of idle sessions that said EHLO.
fn idle(count: usize, ours: &Path) {
    let daemon = Daemon::start(ours);
    session(daemon.place);
    let before = daemon.resident();
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = Client::connect(daemon.place);
        client.say("EHLO client.test\r\n", "250");
        clients.push(client);
    }
    let each = daemon.resident().saturating_sub(before) as f64 / count as f64;
    println!("{count} idle sessions at once: {each:.1} KiB of memory each");
}

/// A daemon of its own; it ends with this.
struct Daemon {
    child: Child,
    place: SocketAddr,
    _folder: TempDir,
}

impl Daemon {
    fn start(program: &Path) -> Self {
        let folder = TempDir::new().expect("a directory");
        routing::configure(folder.path());
        let config = folder.path().join("lsearch.conf");
        let text = std::fs::read_to_string(&config).expect("Debian's configuration");
        std::fs::write(folder.path().join("aliases"), "user: nobody\n").expect("aliases");
        // The DNS and TLS are no part of what is measured.
        let head = format!(
            "MAIN_HOST_LOOKUP =\ntls_advertise_hosts =\nsmtp_accept_max = 0\nsmtp_connect_backlog = 200\n\
             log_file_path = {}/log/%slog\n",
            folder.path().display()
        );
        std::fs::write(&config, head + &text).expect("the configuration");
        open(folder.path());
        let port = {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            free.local_addr().expect("a port").port()
        };
        let place = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = Command::new(program);
        command.arg("-C").arg(&config).args(["-bdf", "-oX", &format!("127.0.0.1.{port}")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let child = command.spawn().expect("the daemon starts");
        let start = Instant::now();
        while TcpStream::connect(place).is_err() {
            assert!(start.elapsed() < READY, "{program:?} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self { child, place, _folder: folder }
    }

    /// Its memory that is in use, in KiB.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A daemon gives up its rights, and must still reach what it needs.
fn open(folder: &Path) {
    for (mode, name) in [("a+rX", ""), ("a+rwX", "spool"), ("a+rwX", "log")] {
        let place = folder.join(name);
        std::fs::create_dir_all(&place).expect("a directory");
        let status = Command::new("chmod").args(["-R", mode]).arg(&place).status();
        assert!(status.is_ok_and(|status| status.success()), "the directory is opened");
    }
}
