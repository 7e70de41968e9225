//! What the daemon does when much comes at once, and when something runs out: memory,
//! threads, descriptors, room for its log.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use eximious_tests::daemons::{Client, Daemon, READY};

use crate::common;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// Everybody may send anything.
const OPEN: &str = "smtp_accept_max = 0\nacl_smtp_rcpt = accept\nqueue_only\n\
    smtp_enforce_sync = false\n";

const BUSY: &str = "421 Too many concurrent SMTP connections; please try again later.\n";

/// The program, with a limit that the shell's `ulimit` sets.
fn limited(folder: &Path, limit: &str) -> PathBuf {
    let script = folder.join("limited");
    std::fs::write(&script, format!("#!/bin/sh\nulimit {limit}\nexec {OURS} \"$@\"\n")).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    script
}

/// A number of the system's about a process, in KiB.
fn status(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().split(' ').next().unwrap().parse().unwrap()
}

/// A message of so many MiB, by DATA or in one chunk, with its envelope.
fn large(size: usize, in_chunks: bool) -> Vec<u8> {
    let line = format!("{}\r\n", "x".repeat(70));
    let body = line.repeat((size << 20) / line.len());
    let text = format!("Subject: large\r\n\r\n{body}");
    let head = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
    let message = match in_chunks {
        true => format!("BDAT {} LAST\r\n{text}", text.len()),
        false => format!("DATA\r\n{text}.\r\n"),
    };
    format!("{head}{message}QUIT\r\n").into_bytes()
}

/// Says everything, hears everything.
fn tell(port: u16, bytes: &[u8]) -> String {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(READY * 4)).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let mut said = Vec::new();
    thread::scope(|scope| {
        // Whoever is turned away is not heard.
        scope.spawn(move || writer.write_all(bytes));
        let mut stream = stream;
        let _ = stream.read_to_end(&mut said);
    });
    String::from_utf8_lossy(&said).into_owned()
}

/// Whether a client is greeted before long.
fn serves_again(daemon: &Daemon) -> bool {
    (0..100).any(|_| {
        thread::sleep(Duration::from_millis(50));
        daemon.client().hear().starts_with("220 ")
    })
}

#[test]
fn many_large_messages_take_little_memory() {
    const COUNT: usize = 50;
    /// In KiB.
    const MOST: u64 = 100 << 10;
    let size = std::env::var("EXIMIOUS_LARGE").ok().and_then(|size| size.parse().ok()).unwrap_or(4);
    let daemon = Daemon::start(Path::new(OURS), OPEN, &[]);
    let messages = [large(size, false), large(size, true)];
    thread::scope(|scope| {
        for number in 0..COUNT {
            let message = &messages[number % 2];
            let port = daemon.port;
            scope.spawn(move || {
                let said = tell(port, message);
                assert!(said.contains("250 OK id="), "{said}");
            });
        }
    });
    let (most, now) = (status(daemon.pid(), "VmHWM:"), status(daemon.pid(), "VmRSS:"));
    println!("{COUNT} messages of {size} MiB: {most} KiB at most, {now} KiB in the end");
    assert!(most <= MOST, "{most} KiB for {COUNT} messages of {size} MiB each");
    let mut kept = 0;
    for entry in std::fs::read_dir(daemon.path().join("spool/input")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().ends_with("-D") {
            kept += 1;
            let length = entry.metadata().unwrap().len() as usize;
            assert!(length.abs_diff((size << 20) / 72 * 71) < 100, "{length}");
        }
    }
    assert_eq!(kept, COUNT);
}

#[test]
fn an_endless_header_takes_little_memory() {
    let daemon = Daemon::start(Path::new(OURS), OPEN, &[]);
    let before = status(daemon.pid(), "VmHWM:");
    let head = b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nX: ".as_slice();
    let bytes = [head, &b"x".repeat(40 << 20), b"\r\n\r\nx\r\n.\r\nQUIT\r\n"].concat();
    let said = tell(daemon.port, &bytes);
    assert!(said.contains("552 Message header is ridiculously long"), "{said}");
    let most = status(daemon.pid(), "VmHWM:");
    assert!(most <= before + (16 << 10), "{most} KiB after {before}");
}

/// How much a program took at the most, which its ACL wrote down, in KiB, and the sizes of
/// the files of data in its spool.
fn handed_in(call: &[&str], head: &str, size: usize, tail: &str) -> (u64, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display();
    let text = format!(
        "primary_hostname = me.test\nspool_directory = {place}\n\
         log_file_path = {place}/%slog\nkeep_environment =\nmessage_size_limit = 1G\n\
         acl_not_smtp = look\nbegin acl\nlook:\n  accept logwrite = \
         taken ${{if match{{${{readfile{{/proc/$pid/status}}}}}}{{\\NVmHWM:\\s+(\\d+)\\N}}{{$1}}}}\n"
    );
    std::fs::write(folder.path().join("c.conf"), text).unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let config = folder.path().join("c.conf");
    let mut child = Command::new(OURS)
        .args(["-C", config.to_str().unwrap()])
        .args(call)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let line = [&[b'x'; 99][..], b"\n"].concat();
    let piece = line.repeat(1 << 10);
    input.write_all(head.as_bytes()).unwrap();
    for _ in 0..size.div_ceil(piece.len()) {
        input.write_all(&piece).unwrap();
    }
    input.write_all(tail.as_bytes()).unwrap();
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0), "{call:?}");
    let log = std::fs::read_to_string(folder.path().join("mainlog")).unwrap();
    let taken = log.lines().find_map(|line| line.split_once("taken ")).expect(&log).1;
    let taken = taken.split(' ').next().unwrap().parse().expect(&log);
    let files = std::fs::read_dir(folder.path().join("input")).unwrap();
    let files = files.map(|file| file.unwrap()).collect::<Vec<_>>();
    let data = files.iter().filter(|file| file.file_name().to_string_lossy().ends_with("-D"));
    (taken, data.map(|file| file.metadata().unwrap().len()).collect())
}

#[test]
fn large_messages_of_programs_take_little_memory() {
    const SIZE: usize = 96 << 20;
    let header = "To: a@b.test\nSubject: large\n\n";
    let batch = "MAIL FROM:<a@b.test>\nRCPT TO:<c@d.test>\nDATA\n";
    for (call, head, tail) in [
        (&["-bm", "a@b.test"][..], header.to_owned(), ""),
        (&["-t"], header.to_owned(), "\n.\n"),
        (&["-i", "-t"], header.to_owned(), ".\nx"),
        (&["-bS"], format!("{batch}{header}"), ".\nQUIT\n"),
    ] {
        let (taken, data) = handed_in(call, &head, SIZE, tail);
        let [length] = data[..] else { panic!("{call:?}: {data:?}") };
        assert!(length > SIZE as u64, "{call:?}: {length}");
        assert!(taken < 60 << 10, "{call:?} takes {taken} KiB");
    }
}

#[test]
fn clients_that_come_at_once_are_all_greeted() {
    let daemon = Daemon::start(Path::new(OURS), OPEN, &[]);
    // It is busy while they come.
    daemon.signal("STOP");
    let clients: Vec<_> = (0..64)
        .map(|_| {
            thread::spawn({
                let port = daemon.port;
                move || Client::connect(Ipv4Addr::LOCALHOST, port)
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    daemon.signal("CONT");
    for client in clients {
        let mut client = client.join().unwrap();
        assert!(client.hear().starts_with("220 "));
        client.go_through(&["EHLO x", "QUIT"]);
    }
}

#[test]
fn without_descriptors_clients_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&limited(folder.path(), "-n 40"), OPEN, &[]);
    let mut clients: Vec<_> = (0..80).map(|_| daemon.client()).collect();
    let greetings: Vec<_> = clients.iter_mut().map(Client::hear).collect();
    let (served, told): (Vec<_>, Vec<_>) =
        greetings.iter().partition(|greeting| greeting.starts_with("220 "));
    assert!(served.len() >= 10 && told.len() >= 20, "{} {}", served.len(), told.len());
    assert!(told.iter().all(|greeting| *greeting == BUSY), "{told:?}");
    // Those who are served go on, and others are when they are gone.
    clients[0].go_through(&["EHLO x", "QUIT"]);
    drop(clients);
    assert!(serves_again(&daemon));
}

#[test]
fn without_room_for_threads_clients_are_told() {
    let folder = tempfile::tempdir().unwrap();
    // Half a gigabyte has room for the stacks of some.
    let daemon = Daemon::start(&limited(folder.path(), "-v 524288"), OPEN, &[]);
    let mut clients: Vec<_> = (0..240).map(|_| daemon.client()).collect();
    let greetings: Vec<_> = clients.iter_mut().map(Client::hear).collect();
    let served = greetings.iter().filter(|greeting| greeting.starts_with("220 ")).count();
    let told = greetings.iter().filter(|greeting| greeting.starts_with("421 Too ")).count();
    assert!(served >= 10 && told >= 10 && served + told == 240, "{greetings:?}");
    clients[0].go_through(&["EHLO x", "NOOP"]);
    drop(clients);
    assert!(serves_again(&daemon));
}

#[test]
fn where_memory_runs_out_large_transactions_wait() {
    const CLIENTS: usize = 20;
    const RECIPIENTS: usize = 8_000;
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&limited(folder.path(), "-d 524288"), OPEN, &[]);
    let mut small = daemon.client();
    small.hear();
    small.go_through(&["EHLO x"]);
    let (local, label) = ("r".repeat(58), "d".repeat(60));
    let mut recipients = String::new();
    for number in 0..RECIPIENTS {
        let _ = write!(recipients, "RCPT TO:<{local}{number}@{label}.{label}.{label}.example>\r\n");
    }
    let (recipients, together) = (recipients.as_bytes(), Barrier::new(CLIENTS + 1));
    let told = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = daemon.client();
                client.hear();
                client.go_through(&["EHLO x", "MAIL FROM:<a@b>"]);
                let mut writer = client.stream().try_clone().unwrap();
                scope.spawn(move || writer.write_all(recipients).unwrap());
                let replies = (0..RECIPIENTS).map(|_| client.hear());
                let refused = replies.filter(|reply| {
                    let taken = reply == "250 Accepted\n";
                    assert!(taken || reply == "452 Memory shortage, please try later\n", "{reply}");
                    !taken
                });
                told.fetch_add(usize::from(refused.count() > 0), Ordering::SeqCst);
                together.wait();
                together.wait();
                // Whoever was taken gets the message.
                client.go_through(&["DATA"]);
                client.send(b"Subject: x\r\n\r\nx\r\n.\r\n");
                assert!(client.hear().starts_with("250 OK id="));
            });
        }
        together.wait();
        // While all of them wait, a small one goes on.
        small.go_through(&["MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA"]);
        small.send(b"Subject: x\r\n\r\nx\r\n.\r\n");
        assert!(small.hear().starts_with("250 OK id="));
        together.wait();
    });
    let told = told.into_inner();
    println!("{told} of {CLIENTS} were told, {} KiB at most", status(daemon.pid(), "VmHWM:"));
    assert!(told > 0);
    small.go_through(&["NOOP"]);
}

/// A daemon, or whoever takes one message, whose log can't be written.
fn without_log(program: &str, arguments: &[&str], input: &str) -> (String, Vec<String>, i32) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    for name in ["", "spool", "spool/input"] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    let config = format!(
        "spool_directory = {at}/spool\nlog_file_path = /proc/nowhere/%slog\nkeep_environment =\n\
         primary_hostname = host.test\ntls_advertise_hosts =\nqueue_only\nacl_smtp_rcpt = accept\n"
    );
    std::fs::write(folder.path().join("conf"), config).unwrap();
    let mut command = Command::new(program);
    command.arg("-C").arg(folder.path().join("conf")).args(arguments);
    let output = common::fed(&mut command, input.as_bytes());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let left = std::fs::read_dir(folder.path().join("spool/input")).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    (said, left.collect(), output.status.code().unwrap_or(-1))
}

#[test]
fn nothing_is_accepted_that_no_log_knows_of() {
    let session = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n\
        MAIL FROM:<a@b>\r\nQUIT\r\n";
    let exim = common::reference();
    for program in [Some(OURS), exim.as_deref()].into_iter().flatten() {
        let (said, left, _) = without_log(program, &["-oMa", "192.0.2.1", "-bs"], session);
        let end = "354 Enter message, ending with \".\" on a line by itself\r\n\
            421 host.test Unexpected log failure, please try later - closing connection.\r\n";
        assert!(said.ends_with(end), "{program}: {said}");
        assert_eq!(left, [""; 0], "{program}");
        let (_, left, status) = without_log(program, &["c@d"], "Subject: x\n\nx\n");
        assert_eq!((left.len(), status), (0, 1), "{program}");
    }
    let (_, _, status) = without_log(OURS, &["-bdf", "-oX", "127.0.0.1.0"], "");
    assert_ne!(status, 0);
}
