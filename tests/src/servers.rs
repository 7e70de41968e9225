//! Private servers for a test: each has a directory and a port of its own, and
//! is gone when its guard is, also where the test fails or is killed.
//!
//! A server belongs to the test that started it. Where starting takes its time,
//! let one test ask it everything: a value that outlives the test would outlive
//! the program, too.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take until it is ready.
const READY: Duration = Duration::from_secs(30);
/// How long it may take to end when it is asked to.
const ENDING: Duration = Duration::from_secs(2);

/// Finds a program in the search path, where Debian puts servers, or at a path
/// of its own, whose last matching directory counts (`/usr/lib/x/*/bin/y`). In
/// CI it has to be there.
pub fn program(name: &str) -> Option<PathBuf> {
    let found = match name.split_once("/*/") {
        Some((before, after)) => {
            let mut found: Vec<PathBuf> = std::fs::read_dir(before)
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(entry.ok()?.path().join(after)))
                .filter(|path| path.is_file())
                .collect();
            found.sort();
            found.pop()
        }
        None => {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path)
                .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
                .map(|directory| directory.join(name))
                .find(|path| path.is_file())
        }
    };
    if found.is_none() {
        assert!(!crate::in_ci(), "no {name}: tests/setup installs it");
        eprintln!("LEFT OUT: no {name} (tests/setup installs it)");
    }
    found
}

/// A port of this computer that nobody listens at, and that no other test is given while this
/// process lives. It is below those that the system gives to connections.
pub fn free_port() -> u16 {
    static HELD: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());
    const FIRST: u32 = 12_000;
    const PORTS: u32 = 20_000;
    let mut held = HELD.lock().expect("no panic while ports are chosen");
    let start = std::process::id().wrapping_mul(61) + u32::try_from(held.len()).expect("few ports");
    for at in 0..PORTS {
        let port = u16::try_from(FIRST + (start.wrapping_add(at)) % PORTS).expect("a port");
        // A name that goes with its process says whose the port is.
        let name = SocketAddr::from_abstract_name(format!("eximious-port-{port}")).expect("a name");
        let Ok(claim) = UnixListener::bind_addr(&name) else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            held.push(claim);
            return port;
        }
    }
    panic!("no port is free")
}

/// A directory for a server, and whom the server runs as.
#[derive(Debug)]
pub struct Home {
    directory: TempDir,
    user: Option<String>,
}

impl Home {
    /// A directory that belongs to a user, where the test may say so (it runs
    /// as root); everything is done as the test's own user otherwise.
    pub fn new(user: &str) -> Self {
        let directory = TempDir::with_prefix("eximious-").expect("a directory for a server");
        let root = is_root();
        if root {
            // Others must be able to enter it: a socket may lie there.
            let owned = Command::new("chown").arg(user).arg(directory.path()).status();
            assert!(owned.is_ok_and(|status| status.success()), "{user} owns a directory");
            let open = Command::new("chmod").arg("755").arg(directory.path()).status();
            assert!(open.is_ok_and(|status| status.success()), "all enter a directory");
        }
        Self { directory, user: root.then(|| user.to_owned()) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file there, for the server to read.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("a server's file");
        if let Some(user) = &self.user {
            let owned = Command::new("chown").arg(user).arg(&path).status();
            assert!(owned.is_ok_and(|status| status.success()), "{user} owns a file");
        }
        path
    }

    /// A command that runs there as the user, and does not outlive the thread
    /// that starts it.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        if let Some(user) = &self.user {
            command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
        }
        command.args(["--pdeathsig", "KILL"]).arg(program);
        command.current_dir(self.path()).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
        command.env("HOME", self.path());
        command
    }

    /// Runs a command to its end, which must be a good one, and gives what it
    /// printed.
    pub fn run(&self, command: &mut Command) -> String {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}\n{text}\n{errors}", output.status);
        text
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout == b"0\n")
}

/// A server that runs; it ends when this value goes, and takes its directory
/// along.
#[derive(Debug)]
pub struct Server {
    // Ended before its directory goes.
    running: Running,
    home: Home,
}

impl Server {
    /// Starts a command, and waits until it is ready. What it prints is in its
    /// directory, and is shown where it does not become ready.
    pub fn start(home: Home, command: &mut Command, mut ready: impl FnMut() -> bool) -> Self {
        let log = std::fs::File::create(home.path().join("printed")).expect("a file");
        let errors = log.try_clone().expect("a file");
        let what = format!("{command:?}");
        // A group of its own: what it starts is ended with it.
        let child = command.stdout(log).stderr(errors).process_group(0).spawn();
        let child = child.unwrap_or_else(|error| panic!("{what}: {error}"));
        let mut server = Self { running: Running { child, what }, home };
        let until = Instant::now() + READY;
        while !ready() {
            let ended = server.running.child.try_wait().expect("a child");
            if ended.is_some() || Instant::now() > until {
                let printed = std::fs::read(server.home.path().join("printed")).unwrap_or_default();
                let printed = String::from_utf8_lossy(&printed);
                panic!("{} is not ready ({ended:?}):\n{printed}", server.running.what);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Its directory.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Sends a signal (`STOP`, `CONT`, `HUP`) to it and all that it started.
    pub fn signal(&self, name: &str) {
        self.running.signal(name);
    }

    /// Ends it, and keeps its directory: another may be started there.
    pub fn stop(self) -> Home {
        drop(self.running);
        self.home
    }
}

/// A process and what it started, ended with this value.
#[derive(Debug)]
struct Running {
    child: Child,
    what: String,
}

impl Running {
    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let sent = Command::new("kill").args(["-s", name, "--", &group]).status();
        assert!(sent.is_ok(), "{}: SIG{name}", self.what);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // Asked politely first: PostgreSQL leaves shared memory behind
        // otherwise. One that was stopped must go on to hear it.
        self.signal("INT");
        self.signal("CONT");
        let until = Instant::now() + ENDING;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal("KILL");
            let _ = self.child.wait();
        }
    }
}

/// A connection, of either sort, to a server that a test plays itself.
pub trait Peer: Read + Write + Send {
    /// Says that nothing more will be written.
    fn finish(&mut self);
}

impl Peer for TcpStream {
    fn finish(&mut self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl Peer for UnixStream {
    fn finish(&mut self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

/// A server that a test plays itself: a thread for each connection.
#[derive(Debug)]
pub struct Played {
    /// Its port; 0 for one at a path.
    pub port: u16,
    connections: Arc<AtomicUsize>,
}

impl Played {
    /// At a port of its own.
    pub fn tcp(act: impl Fn(&mut dyn Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        let take = move || listener.accept().map(|(peer, _)| peer);
        Self { port, connections: play(take, act) }
    }

    /// At a path.
    pub fn unix(path: &Path, act: impl Fn(&mut dyn Peer) + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let take = move || listener.accept().map(|(peer, _)| peer);
        Self { port: 0, connections: play(take, act) }
    }

    /// How many connections have been made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Takes connections, says nothing, and keeps them open for as long as the
    /// other side does.
    pub fn silent() -> Self {
        Self::tcp(|peer| {
            let mut bytes = [0; 4096];
            while matches!(peer.read(&mut bytes), Ok(1..)) {}
        })
    }

    /// Says the same to all, whatever they ask, and nothing more. It listens on:
    /// a connection that is closed with something unread in it takes along what
    /// was said.
    pub fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::tcp(move |peer| {
            let _ = peer.write_all(&bytes);
            peer.finish();
            let mut bytes = [0; 4096];
            while matches!(peer.read(&mut bytes), Ok(1..)) {}
        })
    }

    /// Says a byte at a time, with a pause before each, for ever: no single
    /// wait is a long one.
    pub fn dripping(byte: u8, pause: Duration) -> Self {
        Self::tcp(move |peer| {
            while peer.write_all(&[byte]).is_ok() {
                std::thread::sleep(pause);
            }
        })
    }
}

fn play<P: Peer + 'static>(
    take: impl Fn() -> std::io::Result<P> + Send + 'static,
    act: impl Fn(&mut dyn Peer) + Send + Sync + 'static,
) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let (act, counted) = (Arc::new(act), count.clone());
    std::thread::spawn(move || {
        while let Ok(mut peer) = take() {
            let act = act.clone();
            counted.fetch_add(1, Ordering::Relaxed);
            std::thread::spawn(move || act(&mut peer));
        }
    });
    count
}
