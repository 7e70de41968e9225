//! A daemon of either program, with Debian's configuration for an Internet site.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::routing;

/// How long a daemon may take to begin, and to answer.
pub const READY: Duration = Duration::from_secs(20);

/// A daemon of its own; it ends with this.
pub struct Daemon {
    child: Child,
    /// Where it listens.
    pub place: SocketAddr,
    folder: TempDir,
    /// The processes that it keeps as long as it lives.
    kept: usize,
}

impl Daemon {
    /// Starts one, and waits until it listens. Messages are put into the queue and stay
    /// there.
    pub fn start(program: &Path) -> Self {
        // TLS is no part of what is measured.
        Self::with(program, "tls_advertise_hosts =\n")
    }

    /// The same, with more in its configuration.
    pub fn with(program: &Path, more: &str) -> Self {
        let folder = folder();
        routing::configure(folder.path());
        let config = folder.path().join("lsearch.conf");
        let text = std::fs::read_to_string(&config).expect("Debian's configuration");
        std::fs::write(folder.path().join("aliases"), "user: nobody\n").expect("aliases");
        // The DNS is no part of what is measured.
        let head = format!(
            "MAIN_HOST_LOOKUP =\n{more}queue_only = true\nsmtp_accept_max = 0\n\
             smtp_connect_backlog = 512\nsmtp_accept_max_per_connection = 0\n\
             log_file_path = {}/log/%slog\n",
            folder.path().display()
        );
        std::fs::write(&config, head + &text).expect("the configuration");
        Self::serve(program, folder, &config)
    }

    /// Starts one with a configuration that stands in a folder; in the folder it has its
    /// `spool` and its `log`.
    pub fn serve(program: &Path, folder: TempDir, config: &Path) -> Self {
        open(folder.path());
        let place = free_place();
        let port = place.port();
        let mut command = Command::new(program);
        command.arg("-C").arg(config).args(["-bdf", "-oX", &format!("127.0.0.1.{port}")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let child = command.spawn().expect("the daemon starts");
        await_listener(place);
        let mut daemon = Self { child, place, folder, kept: 0 };
        // Whoever was served up to now may still be going.
        thread::sleep(Duration::from_millis(200));
        daemon.kept = daemon.children();
        daemon
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How many processes it has.
    fn children(&self) -> usize {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        std::fs::read_to_string(children).map_or(0, |text| text.split_whitespace().count())
    }

    /// Its memory that is in use, in KiB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
    }

    /// The processor time that it took up to now, with that of its children that have
    /// ended. The kernel counts it in hundredths of a second.
    pub fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        // The name may have blanks in it; the third field is the first behind it.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: u64 =
            fields.split_whitespace().skip(11).take(4).filter_map(|f| f.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Waits for its children, so that their time counts.
    pub fn settle(&self) {
        let start = Instant::now();
        while self.children() > self.kept && start.elapsed() < READY {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How many messages are in its queue.
    pub fn queue(&self) -> usize {
        count(&self.folder.path().join("spool/input"), "-H")
    }
}

/// A place on this host that is free.
pub fn free_place() -> SocketAddr {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    free.local_addr().expect("a place")
}

/// Waits until somebody listens at a place.
pub fn await_listener(place: SocketAddr) {
    let start = Instant::now();
    while TcpStream::connect(place).is_err() {
        assert!(start.elapsed() < READY, "nobody listens at {place}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// How many files whose names end so are below a folder.
pub fn count(folder: &Path, end: &str) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let counted = entries.map(|entry| match entry.path() {
        path if path.is_dir() => count(&path, end),
        path => usize::from(path.to_string_lossy().ends_with(end)),
    });
    counted.sum()
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Thousands of files that go now would be the next daemon's burden.
        self.folder.disable_cleanup(true);
    }
}

/// Where the folders of daemons are.
static PLACE: Mutex<Option<TempDir>> = Mutex::new(None);

/// A folder for a daemon, or for what else is measured, apart from the others': ext4 makes the
/// files of a folder near it, and where it has no journal, whoever makes one there passes by the
/// places of all that went some minutes ago, whosever they were.
pub fn folder() -> TempDir {
    let mut place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    let place = place.get_or_insert_with(|| {
        let place = TempDir::new().expect("a directory");
        // Other file systems know no such thing, and need none.
        let chattr =
            Command::new("chattr").arg("+T").arg(place.path()).stderr(Stdio::null()).status();
        drop(chattr);
        let opened = Command::new("chmod").arg("a+rx").arg(place.path()).status();
        assert!(opened.is_ok_and(|status| status.success()), "the directory is opened");
        place
    });
    TempDir::new_in(place.path()).expect("a directory")
}

/// Has nothing left behind when it goes.
pub struct Cleaned;

impl Drop for Cleaned {
    fn drop(&mut self) {
        clean();
    }
}

/// Takes away what daemons left.
pub fn clean() {
    *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// A daemon gives up its rights, and must still reach what it needs.
pub fn open(folder: &Path) {
    for (mode, name) in [("a+rX", ""), ("a+rwX", "spool"), ("a+rwX", "log")] {
        let place = folder.join(name);
        std::fs::create_dir_all(&place).expect("a directory");
        let status = Command::new("chmod").args(["-R", mode]).arg(&place).status();
        assert!(status.is_ok_and(|status| status.success()), "the directory is opened");
    }
}
