//! The daemon: dialogues that are recorded from a real Exim (`tests/daemon`), and
//! what no dialogue shows.
//!
//! `DAEMON=name` (or several, with commas between them) takes these cases alone,
//! `EXIMIOUS_RECORD=1` records what the real Exim says.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common;
use eximious_tests::daemons::{Case, Client, Daemon, READY, cases};
use eximious_tests::servers::program;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// An envelope, and the word that a message follows.
const ENVELOPE: &[&str] = &["EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA"];

/// Everybody may send anything.
const OPEN: &str = "smtp_accept_max = 0\nacl_smtp_rcpt = accept\nqueue_only\n";

fn ours(config: &str) -> Daemon {
    Daemon::start(Path::new(OURS), config, &[])
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout == b"0\n")
}

#[test]
fn exim_says_what_is_recorded() {
    // Only the superuser gets another configuration read with all its rights.
    let Some(exim) = common::reference().filter(|_| is_root()) else { return };
    let record = std::env::var_os("EXIMIOUS_RECORD").is_some();
    let wrong = played(Path::new(&exim), &|case, found| {
        if record {
            std::fs::write(&case.file, found.text()).unwrap();
        }
        record
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn eximious_says_what_is_recorded() {
    let wrong = played(Path::new(OURS), &|_, _| false);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Plays all cases, several at the same time, and gathers those that differ when they are
/// played once more and nothing runs beside them: some are about seconds.
fn played(program: &Path, settles: &(dyn Fn(&Case, &Case) -> bool + Sync)) -> Vec<String> {
    let names = std::env::var("DAEMON").ok();
    let left = Mutex::new(cases(names.as_deref()));
    let doubtful = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(case) = left.lock().unwrap().pop() else { return };
                    let found = case.play(program);
                    if found.text() != case.text() && !settles(&case, &found) {
                        doubtful.lock().unwrap().push(case);
                    }
                }
            });
        }
    });
    let again = doubtful.into_inner().unwrap().into_iter().filter_map(|case| {
        eprintln!("asked again: {}", case.file.display());
        let found = case.play(program);
        (found.text() != case.text()).then(|| difference(&case, &found))
    });
    again.collect()
}

fn difference(wanted: &Case, found: &Case) -> String {
    let (wanted_text, found_text) = (wanted.text(), found.text());
    let mut out = format!("{}:\n", wanted.file.display());
    let (mut one, mut other) = (wanted_text.lines(), found_text.lines());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return out,
            (wanted, found) if wanted == found => {}
            (wanted, found) => {
                out.push_str(&format!(
                    "- {}\n+ {}\n",
                    wanted.unwrap_or("(end)"),
                    found.unwrap_or("(end)")
                ));
            }
        }
    }
}

#[test]
fn idle_sessions_take_little_memory() {
    const COUNT: u64 = 2_000;
    /// In KiB.
    const MOST: u64 = 64;
    eximious_world::serving::raise_open_files(COUNT + 200);
    let room = eximious_world::serving::open_files().unwrap_or(0);
    let count = COUNT.min(room.saturating_sub(200));
    let daemon = ours(&format!("{OPEN}smtp_connect_backlog = 100\n"));
    daemon.client().go_through(&["EHLO x", "QUIT"]);
    let before = resident(daemon.pid());
    let mut held = Vec::new();
    for _ in 0..count {
        let mut client = daemon.client();
        client.hear();
        client.go_through(&["EHLO x"]);
        held.push(client);
    }
    let each = resident(daemon.pid()).saturating_sub(before) / count;
    println!("{each} KiB for each of {count} idle sessions");
    assert!(each <= MOST, "{each} KiB for each of {count} idle sessions");
    // They are all still served.
    for client in held.iter_mut().step_by(100) {
        client.go_through(&["NOOP"]);
    }
}

/// The memory of a process that is in use, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_message_that_was_taken_is_there_whenever_the_daemon_is_killed() {
    let daemon = ours(OPEN);
    let (taken, stop) = (Mutex::new(BTreeSet::new()), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let mut client = daemon.client();
                    if !client.hear().starts_with("220") {
                        return;
                    }
                    for line in ENVELOPE {
                        client.say(line);
                    }
                    client.send(b"Subject: x\r\n\r\n");
                    client.send(&b"some text\r\n".repeat(500));
                    let reply = client.say(".");
                    let Some(id) = reply.strip_prefix("250 OK id=") else { return };
                    taken.lock().unwrap().insert(id.trim().to_owned());
                }
            });
        }
        thread::sleep(Duration::from_millis(700));
        daemon.signal("KILL");
        stop.store(true, Ordering::SeqCst);
    });
    let taken = taken.into_inner().unwrap();
    assert!(taken.len() > 3, "{} messages were taken", taken.len());
    let folder = daemon.path().join("spool/input");
    for id in &taken {
        let header = std::fs::read(folder.join(format!("{id}-H"))).unwrap();
        eximious_mta::spool::HeaderFile::decode(&header).unwrap();
        let body = std::fs::read(folder.join(format!("{id}-D"))).unwrap();
        assert!(body.len() > 5_000, "{id}");
    }
    // What is there beside them is whole, or no message yet.
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.len() > 20 && name.ends_with("-H") {
            let bytes = std::fs::read(&path).unwrap();
            eximious_mta::spool::HeaderFile::decode(&bytes).unwrap();
            assert!(path.with_file_name(name.replace("-H", "-D")).exists(), "{name}");
        }
    }
}

#[test]
fn the_end_waits_for_messages_and_tells_all_others() {
    let mut daemon = ours(OPEN);
    let (mut idle, mut sender) = (daemon.client(), daemon.client());
    idle.hear();
    sender.hear();
    sender.go_through(ENVELOPE);
    sender.send(b"Subject: x\r\n\r\nsome");
    thread::sleep(Duration::from_millis(200));
    daemon.signal("TERM");
    assert_eq!(idle.hear(), "421 host.test: Service not available - closing connection\n");
    assert_eq!(idle.hear(), "(end)\n");
    thread::sleep(Duration::from_millis(200));
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, daemon.port)).is_err(), "nobody listens");
    let reply = sender.say(" text\r\n.");
    assert!(reply.starts_with("250 OK id="), "{reply}");
    assert!(sender.hear().starts_with("421 "));
    assert_eq!(daemon.ended(), Some(0));
    assert!(daemon.log("main").contains("closed after SIGTERM"));
}

#[test]
fn a_configuration_that_is_read_anew_is_for_who_comes_later() {
    let daemon = ours(&format!("{OPEN}smtp_banner = one\n"));
    let mut early = daemon.client();
    assert_eq!(early.hear(), "220 one\n");
    daemon.change("smtp_banner = one", "smtp_banner = two");
    daemon.signal("HUP");
    daemon.await_log("SIGHUP received: re-exec daemon");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(daemon.client().hear(), "220 two\n");
    early.go_through(&["EHLO x", "NOOP"]);
    // A broken one changes nothing.
    daemon.change("smtp_banner = two", "smtp_banner = three\nnonsense");
    daemon.signal("HUP");
    daemon.await_log("stays in force");
    assert!(daemon.log("panic").contains("main option \"nonsense\" unknown"));
    assert_eq!(daemon.client().hear(), "220 two\n");
    // Where it listens does not change by that.
    daemon.change("smtp_banner = three\nnonsense", "smtp_banner = three");
    daemon.signal("HUP");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(daemon.client().hear(), "220 three\n");
    early.go_through(&["NOOP", "QUIT"]);
}

#[test]
fn a_client_that_does_not_read_is_dropped() {
    let daemon = ours(&format!(
        "{OPEN}smtp_receive_timeout = 1s\nsmtp_accept_max_nonmail = 100000000\n\
         smtp_max_unknown_commands = 100000000\n"
    ));
    let mut client = daemon.client();
    client.hear();
    let stream = client.stream().try_clone().unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
    let start = Instant::now();
    let lines = b"HELP\r\n".repeat(1_000);
    // Its side is full some time, and then ours; in the end nobody is there.
    while (&stream).write_all(&lines).is_ok() && start.elapsed() < READY {}
    let dropped = || daemon.client().say("") != "x" && connections(&daemon) == 0;
    while !dropped() && start.elapsed() < READY {
        thread::sleep(Duration::from_millis(100));
    }
    assert!(start.elapsed() < READY, "it is still connected");
    let memory = resident(daemon.pid());
    assert!(memory < 200 << 10, "{memory} KiB");
}

/// How many connections a daemon says that it has, its own asking aside.
fn connections(daemon: &Daemon) -> usize {
    let file = daemon.path().join("spool/exim-process.info");
    let _ = std::fs::remove_file(&file);
    daemon.signal("USR1");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if text.contains(concat!(" daemon(4.100-eximious-", env!("CARGO_PKG_VERSION"), "): ")) {
            return text.matches("handling incoming connection").count();
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("nothing was written")
}

#[test]
fn a_command_that_comes_in_pieces_brings_no_more_time() {
    let daemon = ours(&format!("{OPEN}smtp_receive_timeout = 1s\n"));
    let mut client = daemon.client();
    client.hear();
    let stream = client.stream().try_clone().unwrap();
    let start = Instant::now();
    let dripper = thread::spawn(move || {
        while (&stream).write_all(b"N").is_ok() && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(200));
        }
    });
    let reply = client.hear();
    assert_eq!(reply, "421 host.test: SMTP command timeout - closing connection\n");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    drop(client);
    dripper.join().unwrap();
}

#[test]
fn one_that_only_runs_queues_says_that_it_does_not_listen() {
    let file = "DIR/spool/number";
    let arguments = ["-q90m", "-qGslow/1h", "-oP", file];
    let mut daemon = Daemon::begin(Path::new(OURS), OPEN, &arguments);
    assert_eq!(daemon.ended(), Some(0), "{}", daemon.said());
    daemon.await_log("daemon started");
    let number = std::fs::read_to_string(daemon.path().join("spool/number")).unwrap();
    let what = "-qGslow/1h -q1h30m, not listening for SMTP";
    assert!(daemon.log("main").contains(what), "{}", daemon.log("main"));
    // It does not look whether it listens where a new configuration says, either.
    assert!(Command::new("kill").args(["-HUP", number.trim()]).status().unwrap().success());
    let start = Instant::now();
    while daemon.log("main").matches("daemon started").count() < 2 {
        assert!(start.elapsed() < READY, "{}", daemon.log("main"));
        thread::sleep(Duration::from_millis(20));
    }
    assert!(!daemon.log("main").contains("interfaces and ports"), "{}", daemon.log("main"));
    assert!(Command::new("kill").arg(number.trim()).status().unwrap().success());
}

#[test]
fn it_goes_on_in_the_background_and_leaves_its_number() {
    let file = "DIR/spool/number";
    let arguments = ["-bd", "-oX", "127.0.0.1.PORT", "-oP", file];
    let mut daemon = Daemon::begin(Path::new(OURS), OPEN, &arguments);
    // Whoever started it can go on.
    assert_eq!(daemon.ended(), Some(0), "{}", daemon.said());
    daemon.await_log("daemon started");
    let number = std::fs::read_to_string(daemon.path().join("spool/number")).unwrap();
    assert!(daemon.log("main").contains(&format!("pid={},", number.trim())));
    daemon.client().go_through(&["EHLO x", "QUIT"]);
    let killed = Command::new("kill").arg(number.trim()).status().unwrap();
    assert!(killed.success());
    let start = Instant::now();
    while daemon.path().join("spool/number").exists() {
        assert!(start.elapsed() < READY, "the number is still there");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn it_serves_a_socket_that_it_is_given() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let config = folder.path().join("exim.conf");
    let text = format!(
        "spool_directory = {at}\nlog_file_path = {at}/%slog\nexim_user = root\nexim_group = root\n\
         keep_environment =\nprimary_hostname = host.test\n"
    );
    std::fs::write(&config, text).unwrap();
    let socket: std::os::fd::OwnedFd = listener.into();
    let mut child = Command::new(OURS)
        .arg("-C")
        .arg(&config)
        .arg("-bw2s")
        .stdin(Stdio::from(socket))
        .spawn()
        .unwrap();
    let mut client = Client::connect(Ipv4Addr::LOCALHOST, port);
    assert!(client.hear().starts_with("220 host.test"));
    client.go_through(&["QUIT"]);
    // Nobody else comes.
    assert!(child.wait().unwrap().success());
    let log = std::fs::read_to_string(folder.path().join("mainlog")).unwrap();
    assert!(log.contains("launched with listening socket, terminating after 2 seconds"), "{log}");
    assert!(log.contains("daemon terminating, inetd wait timeout reached."), "{log}");
    assert!(client.hear().contains("(end)"));
}

#[test]
fn rights_are_given_up_before_anybody_is_heard() {
    if !is_root() {
        return;
    }
    let daemon = ours(&format!("{OPEN}exim_user = nobody\nexim_group = nogroup\n"));
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("Uid:"), ["65534"; 4]);
    assert_eq!(of("Gid:"), ["65534"; 4]);
    assert_eq!(of("CapEff:"), ["0000000000000000"]);
}

#[test]
fn swaks_sends_a_message() {
    let Some(swaks) = program("swaks") else { return };
    let daemon = ours(OPEN);
    let output = Command::new(swaks)
        .args(["--server", "127.0.0.1", "--port", &daemon.port.to_string(), "--pipeline"])
        .args(["--from", "a@b.example", "--to", "c@d.example,e@f.example"])
        .args(["--ehlo", "client.example", "--body", "hello"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("250 OK id="), "{said}");
    let log = daemon.log("main");
    assert!(log.contains("<= a@b.example H=(client.example) [127.0.0.1] P=esmtp"), "{log}");
}

#[test]
fn a_real_exim_delivers_to_it() {
    let Some(exim) = common::reference().filter(|_| is_root()) else { return };
    let daemon = ours(OPEN);
    let config = format!(
        "acl_smtp_rcpt = accept\nbegin routers\nall:\n  driver = manualroute\n  \
         route_list = * 127.0.0.1\n  self = send\n  transport = there\n\
         begin transports\nthere:\n  driver = smtp\n  port = {}\n  allow_localhost\n  \
         hosts_try_fastopen =\n",
        daemon.port
    );
    let client = Daemon::start(Path::new(&exim), &config, &[]);
    let file = client.path().join("exim.conf");
    let mut child = Command::new(exim)
        .arg("-C")
        .arg(file)
        .args(["-odi", "-oi", "-f", "a@b.example", "c@d.example", "e@f.example"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let message = [&b"Subject: \xc3\xa4\n\n.\n..\nbody\n"[..], &b"x\n".repeat(5_000)].concat();
    child.stdin.take().unwrap().write_all(&message).unwrap();
    assert!(child.wait().unwrap().success());
    daemon.await_log("<= a@b.example");
    let log = client.log("main");
    assert!(log.contains("C=\"250"), "{log}");
    assert!(daemon.log("main").contains("P=esmtp K S=1"), "{}", daemon.log("main"));
}

/// Starts a daemon in the background that can't go on, and says what it says before that.
fn started(log_file_path: &str) -> (Option<i32>, String) {
    let config = common::file(&format!(
        "primary_hostname = x\nkeep_environment =\nlog_file_path = {log_file_path}\n\
         spool_directory = /nonexistent/x\n"
    ));
    let path = config.path().to_str().unwrap();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let place = format!("127.0.0.1.{}", free.port());
    let run = common::eximious(&["-C", path, "-bd", "-oX", &place], b"");
    (run.status, run.err)
}

#[test]
fn a_daemon_without_a_log_says_so_at_the_terminal() {
    let place = tempfile::TempDir::new().unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    // What is no folder has no logs in it, whoever wants to write them.
    let log = format!("{}/%slog", file.display());
    let (status, said) = started(&log);
    let head =
        format!("eximious: the daemon cannot open the main log: {}/mainlog: ", file.display());
    assert!(status == Some(1) && said.starts_with(&head), "{status:?} {said}");
}

/// `$queue_size`, as the daemon's clients and other users' programs have it.
#[test]
fn anybody_may_ask_how_many_messages_are_queued() {
    let config =
        format!("{OPEN}acl_smtp_vrfy = vrfy\nbegin acl\nvrfy:\n deny message = <$queue_size>\n");
    let usual = ["-bdf", "-oX", "127.0.0.1.PORT", "-oP", "DIR/pid"];
    let asked = |daemon: &Daemon| {
        let mut command = match is_root() {
            true => Command::new("setpriv"),
            false => Command::new("env"),
        };
        if is_root() {
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
        }
        command.arg(OURS).arg("-C").arg(daemon.path().join("exim.conf"));
        let output = command.args(["-be", "<$queue_size>"]).output().expect("the program");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    };
    let daemon = Daemon::start(Path::new(OURS), &config, &usual);
    let mut client = daemon.client();
    client.hear();
    for _ in 0..2 {
        ENVELOPE.iter().for_each(|line| drop(client.say(line)));
        assert!(client.say("Subject: x\r\n\r\n.").starts_with("250 "));
    }
    assert_eq!(asked(&daemon), "<2>");
    assert_eq!(client.say("VRFY x@y.test").trim_end(), "252 <2>");
    ENVELOPE.iter().for_each(|line| drop(client.say(line)));
    assert!(client.say("Subject: x\r\n\r\n.").starts_with("250 "));
    assert_eq!(asked(&daemon), "<2>", "it counts once in a minute");
    daemon.signal("HUP");
    daemon.await_lines("daemon started", 2);
    assert_eq!(asked(&daemon), "<3>");
    daemon.signal("STOP");
    let start = Instant::now();
    assert_eq!(asked(&daemon), "<>");
    assert!(start.elapsed() < READY, "nobody waits for one that hangs");
    daemon.signal("CONT");
    daemon.signal("TERM");
    client.hear();
    let socket = |daemon: &Daemon| daemon.path().join("spool/exim_daemon_notify").exists();
    let start = Instant::now();
    while socket(&daemon) {
        assert!(start.elapsed() < READY, "its socket goes with it");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(asked(&daemon), "<>");
    // None that others should not find has one.
    for (more, options) in
        [("", &usual[..3]), ("", &[&usual[..], &["-oY"]].concat()), ("notifier_socket =\n", &usual)]
    {
        let daemon = Daemon::start(Path::new(OURS), &format!("{more}{config}"), options);
        assert_eq!(daemon.client().hear().chars().next(), Some('2'));
        assert_eq!((asked(&daemon), socket(&daemon)), ("<>".to_owned(), false), "{options:?}");
    }
}
