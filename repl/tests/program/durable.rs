//! A message is on disk before anybody is told that it was taken.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use eximious_tests::daemons::{Daemon, READY, mailbox_user};
use eximious_tests::servers::program;

use crate::common::fed;
use crate::common::spool::Place;

const TRACED: &str =
    "trace=write,fsync,fdatasync,syncfs,sync_file_range,rename,renameat,renameat2,sendto";

const SESSION: &str = "EHLO x\nMAIL FROM:<a@b.example>\nRCPT TO:<c@here.example>\nDATA\n\
    Subject: x\n\nBODY.\nQUIT\n";

/// What a session asks of the system, in the order in which it is done: writes, syncs and
/// new names of files.
fn calls(body: &str) -> Option<Vec<String>> {
    let strace = program("strace")?;
    let place = Place::new("");
    let trace = place.path("trace");
    let mut command = Command::new(strace);
    command.args(["-f", "-y", "-qq", "-s", "16", "-o"]).arg(&trace);
    command.args(["-e", TRACED]);
    command.arg(env!("CARGO_BIN_EXE_eximious")).arg("-C").arg(&place.config).arg("-bs");
    let output = fed(&mut command, SESSION.replace("BODY", body).as_bytes());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("250 OK id="), "{output:?}");
    let text = std::fs::read(&trace).expect("what strace has seen");
    Some(whole(&String::from_utf8_lossy(&text)))
}

/// The calls that were traced, those that another thread interrupts in one line.
fn whole(trace: &str) -> Vec<String> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        if let Some(call) = call.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, call);
        } else if let Some((_, rest)) = call.split_once(" resumed>") {
            let call = begun.remove(thread).unwrap_or_default();
            calls.push(format!("{thread} {call}{rest}"));
        } else {
            calls.push(line.to_owned());
        }
    }
    calls
}

#[test]
fn a_message_is_on_disk_before_it_is_taken() {
    for body in ["text\n".to_owned(), "a line of many\n".repeat(200_000)] {
        let Some(calls) = calls(&body) else { return };
        let last = |what: &dyn Fn(&str) -> bool| calls.iter().rposition(|call| what(call));
        let said = last(&|call| call.contains("\"250 OK id=")).expect("the answer");
        let is_done = |call: &str| call.ends_with(" = 0");
        let is_sync = |call: &str| call.contains(" fsync(") && is_done(call);
        // Where one journal has it all, contents are written out, and the directory's sync
        // does the rest.
        let is_out = |call: &str| {
            is_sync(call) || (call.contains("SYNC_FILE_RANGE_WAIT_AFTER") && is_done(call))
        };
        let named = last(&|call| call.contains(" rename") && call.contains("hdr."));
        let is_data = |call: &str| call.contains("-D>");
        let is_header = |call: &str| ["-H>", "/hdr."].iter().any(|end| call.contains(end));
        for of_file in [&is_data as &dyn Fn(&str) -> bool, &is_header] {
            let written = last(&|call| call.contains(" write(") && of_file(call));
            let out = last(&|call| is_out(call) && of_file(call));
            assert!(written.is_some() && written < out && out < named, "{calls:#?}");
        }
        let synced = last(&|call| is_sync(call) && call.contains("/input>"));
        assert!(named.is_some() && named < synced && synced < Some(said), "{calls:#?}");
    }
}

const QUEUES: &str = "acl_smtp_rcpt = accept\nqueue_only\nsmtp_accept_max_per_connection = 0\n\
    split_spool_directory\n";

const MAILBOX: &str = "acl_smtp_rcpt = accept\nsmtp_accept_max_per_connection = 0\n\
    begin routers\nhere:\n driver = accept\n transport = box\n\
    begin transports\n\
    box:\n driver = appendfile\n directory = DIR/spool/box\n maildir_format\n user = USER\n";

/// Has eight clients hand in messages until the log that is written ahead has some that are not
/// on disk yet: what the log is at that moment.
fn caught(daemon: &Daemon) -> Option<Vec<u8>> {
    let is_over = AtomicBool::new(false);
    let file = daemon.path().join("spool/write-ahead");
    thread::scope(|scope| {
        for client in 0..8 {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut session = daemon.client();
                session.hear();
                session.say("EHLO client.test");
                while !is_over.load(Ordering::Relaxed) {
                    session.go_through(&["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"]);
                    let text = format!("text of {client}\r\n").repeat(100);
                    let said = session.say(&format!("Subject: x\r\n\r\n{text}."));
                    assert!(said.starts_with("250 OK id="), "{said}");
                }
                session.say("QUIT");
            });
        }
        let start = Instant::now();
        let caught = loop {
            match std::fs::read(&file) {
                Ok(log) if heads(&log).iter().any(|at| log[at + 16] == 1) => break Some(log),
                _ if start.elapsed() > READY => break None,
                _ => thread::sleep(Duration::from_millis(5)),
            }
        };
        is_over.store(true, Ordering::Relaxed);
        caught
    })
}

/// Where the heads of its halves are.
fn heads(log: &[u8]) -> Vec<usize> {
    [0, log.len() / 2].into_iter().filter(|at| log.len() > at + 64).collect()
}

/// The log as another start of the system wrote it.
fn of_another_start(mut log: Vec<u8>) -> Vec<u8> {
    for at in heads(&log).into_iter().filter(|at| log[at + 16] == 1).collect::<Vec<_>>() {
        log[at + 24] ^= 1;
        let length = usize::from(log[at + 20]);
        let sum = sum(&log[at + 8..at + 24 + length]).to_le_bytes();
        log[at + 4..at + 8].copy_from_slice(&sum);
    }
    log
}

/// CRC-32, a bit at a time.
fn sum(bytes: &[u8]) -> u32 {
    let bits = |sum: u32, _| (sum >> 1) ^ (if sum & 1 == 1 { 0xEDB8_8320 } else { 0 });
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), bits))
}

/// The files below a directory, by their paths.
fn files(at: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(at).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => {
                let bytes = std::fs::read(&path).expect("a file");
                found.insert(path, bytes);
            }
        }
    }
    found
}

/// Another daemon of the same site.
struct Again(Child);

impl Again {
    fn start(daemon: &Daemon) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eximious"));
        command.arg("-C").arg(daemon.path().join("exim.conf"));
        command.args(["-bdf", "-oX", &format!("127.0.0.1.{}", daemon.port)]);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts"))
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What files there were, in each directory, when the power failed.
type Lost = Vec<BTreeMap<std::path::PathBuf, Vec<u8>>>;

/// Has the power fail: what directories had is lost, and the log is as it was. Another daemon
/// starts; how many messages it puts back.
fn failed(daemon: &mut Daemon, log: Vec<u8>, directories: &[&Path]) -> (Again, Lost, usize) {
    daemon.signal("KILL");
    daemon.ended();
    let lost: Lost = directories.iter().map(|directory| files(directory)).collect();
    for path in lost.iter().flat_map(BTreeMap::keys) {
        std::fs::remove_file(path).expect("it was there");
    }
    let file = daemon.path().join("spool/write-ahead");
    std::fs::write(&file, of_another_start(log)).expect("the log");
    let again = Again::start(daemon);
    daemon.await_lines("daemon started", 2);
    daemon.await_log("was put back into the spool: it was not on the disk");
    // Who is greeted finds all there.
    daemon.client().hear();
    (again, lost, daemon.log("main").matches(" was put back").count())
}

#[test]
fn what_a_power_failure_took_is_put_back() {
    let mut daemon = Daemon::start(Path::new(env!("CARGO_BIN_EXE_eximious")), QUEUES, &[]);
    let Some(log) = caught(&daemon) else {
        // Where a sync costs nothing, nothing is written ahead.
        assert!(!daemon.path().join("spool/write-ahead").exists(), "it is never in use");
        return;
    };
    let input = daemon.path().join("spool/input");
    let (again, before, count) = failed(&mut daemon, log, &[&input]);
    let after = files(&input);
    assert_eq!(after.len(), 2 * count);
    assert!(after.iter().all(|(path, bytes)| before[0].get(path) == Some(bytes)));
    // What is whole is not put back again, and what was done with is not undone.
    drop(again);
    let (gone, _) = after.first_key_value().expect("a file");
    std::fs::remove_file(gone).expect("it was there");
    let _again = Again::start(&daemon);
    daemon.await_lines("daemon started", 3);
    daemon.client().hear();
    assert_eq!(daemon.log("main").matches(" was put back").count(), count);
}

#[test]
fn what_a_power_failure_took_from_a_mailbox_is_delivered_again() {
    let config = MAILBOX.replace("USER", &mailbox_user());
    let mut daemon = Daemon::start(Path::new(env!("CARGO_BIN_EXE_eximious")), &config, &[]);
    let Some(log) = caught(&daemon) else {
        // No file system that is known.
        assert!(!daemon.path().join("spool/write-ahead").exists(), "it is never in use");
        return;
    };
    let [new, input] = ["spool/box/new", "spool/input"].map(|name| daemon.path().join(name));
    // What took too long is in the spool, and on disk there.
    let (_again, before, count) = failed(&mut daemon, log, &[&new, &input]);
    assert!(!before[0].is_empty());
    assert_eq!(files(&input).len(), 2 * count);
    let mut run = Command::new(env!("CARGO_BIN_EXE_eximious"));
    run.arg("-C").arg(daemon.path().join("exim.conf")).arg("-qff");
    assert!(run.status().expect("it runs").success());
    let text = |bytes: &Vec<u8>| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.split_once("\n\n").expect("a body").1.to_owned()
    };
    let after: Vec<String> = files(&new).values().map(text).collect();
    assert_eq!(after.len(), count);
    assert!(after.iter().all(|one| before[0].values().any(|was| text(was) == *one)));
}
