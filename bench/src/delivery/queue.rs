//! A long queue of messages whose host does not answer: what it costs to count them, and to
//! pass over them because the hints say that it is too early.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::daemon;
use crate::sessions;

/// How many messages wait, where the command line says nothing else.
const WAITING: usize = 100_000;

/// The digits of a message's identifier.
const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a run of a program took.
struct Taken {
    time: Duration,
    /// The most memory that it had, in KiB.
    memory: u64,
    said: Vec<u8>,
}

/// Counts and runs of a queue, by both programs.
pub fn compare(smoke: bool, exim: &Path, ours: &Path) {
    let mut args = std::env::args().skip_while(|arg| arg != "--queue").skip(1);
    let asked = args.next().and_then(|text| text.parse().ok());
    let count = asked.unwrap_or(if smoke { 200 } else { WAITING });
    let what = format!("a queue of {count} deferred messages");
    if !sessions::is_wanted(&what) {
        return;
    }
    // A port where nobody listens, nor can: it is a client's own.
    let other_end = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let place = other_end.local_addr().expect("a port");
    let held = TcpStream::connect(place).expect("a connection");
    let port = held.local_addr().expect("a port").port();
    let [theirs, own] = [exim, ours].map(|program| measure(program, count, port));
    let first = "-bpc, where nobody has looked since it changed";
    let passed = "a run that skips them by hints";
    for (at, what_of) in [first, passed, "-bpc after the run"].iter().enumerate() {
        let (theirs, own) = (&theirs[at], &own[at]);
        super::super::tell(&format!("{what}, {what_of}"), theirs.time, own.time);
        println!("  memory: exim {} KiB, eximious {} KiB", theirs.memory, own.memory);
    }
}

/// How long after its last change a queue has settled, so that its count is remembered.
const SETTLES: Duration = Duration::from_secs(4);

/// A `-bpc` of a queue that has changed, a run, and a `-bpc` behind that.
fn measure(program: &Path, count: usize, port: u16) -> [Taken; 3] {
    let folder = daemon::folder();
    let (router, transport) = super::to_host(port);
    let config = super::configure(folder.path(), router, &transport);
    daemon::open(folder.path());
    let run = |args: &[&str]| run(Command::new(program).arg("-C").arg(&config).args(args));
    // The first is tried, which leaves the hint.
    let first = Command::new(program)
        .arg("-C")
        .arg(&config)
        .args(["-odi", "-oi", "-f", "root@me.test", "user@far.test"])
        .stdin(text(folder.path()))
        .status();
    assert!(first.is_ok_and(|status| status.success()), "the message is put into the queue");
    multiply(&folder.path().join("spool/input"), count);
    thread::sleep(SETTLES);
    let counted = || {
        let taken = run(&["-bpc"]);
        let said = String::from_utf8_lossy(&taken.said);
        assert_eq!(said.trim(), count.to_string(), "the queue is counted");
        taken
    };
    let first = counted();
    let other = folder.path().join("spool/input/changed");
    std::fs::write(&other, "").and_then(|()| std::fs::remove_file(&other)).expect("a change");
    thread::sleep(SETTLES);
    let passed = run(&["-q"]);
    let behind = counted();
    let log = std::fs::read_to_string(folder.path().join("log/mainlog")).expect("the log");
    let early = log.lines().filter(|line| line.contains("retry time not reached")).count();
    assert_eq!(early, count, "each message is passed over");
    [first, passed, behind]
}

fn text(folder: &Path) -> Stdio {
    let place = folder.join("message");
    std::fs::write(&place, "Subject: it waits\n\nText.\n").expect("a message");
    Stdio::from(std::fs::File::open(place).expect("a message"))
}

/// Makes so many of the one message that is in a queue, with identifiers of their own.
fn multiply(input: &Path, count: usize) {
    let names = std::fs::read_dir(input).expect("the queue").flatten();
    let header =
        names.map(|entry| entry.path()).find(|path| path.to_string_lossy().ends_with("-H"));
    let header = header.expect("a message in the queue");
    let id = header.file_name().expect("a name").to_string_lossy().replace("-H", "");
    let data = input.join(format!("{id}-D"));
    let owner = std::fs::metadata(&header).expect("a header file");
    for number in 1..count {
        let other = identifier(&id, number);
        for (place, end) in [(&header, "H"), (&data, "D")] {
            let text = std::fs::read(place).expect("a file of the message");
            let text = String::from_utf8(text).expect("text").replace(&id, &other);
            let copy = input.join(format!("{other}-{end}"));
            std::fs::write(&copy, text).expect("a file of the message");
            chown(&copy, Some(owner.uid()), Some(owner.gid())).expect("its owner");
            std::fs::set_permissions(&copy, owner.permissions()).expect("its mode");
        }
    }
}

/// The identifier of another message: one of that second, with another process's number.
fn identifier(id: &str, number: usize) -> String {
    let (time, rest) = id.split_once('-').expect("an identifier");
    let (process, end) = rest.split_once('-').expect("an identifier");
    let mut digits = process.as_bytes().to_vec();
    let mut left = number;
    for digit in digits.iter_mut().rev() {
        let own = DIGITS.iter().position(|known| known == digit).expect("a digit");
        left += own;
        *digit = DIGITS[left % DIGITS.len()];
        left /= DIGITS.len();
    }
    format!("{time}-{}-{end}", String::from_utf8_lossy(&digits))
}

/// Runs a program; somebody beside looks now and then at its memory.
fn run(command: &mut Command) -> Taken {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let start = Instant::now();
    let child = command.spawn().expect("the program runs");
    let status = format!("/proc/{}/status", child.id());
    let watch = thread::spawn(move || {
        let mut memory = 0;
        let mut pause = Duration::from_micros(200);
        while let Some(most) = most_memory(&status) {
            memory = memory.max(most);
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
        memory
    });
    let said = child.wait_with_output().expect("the program ends").stdout;
    let time = start.elapsed();
    Taken { time, memory: watch.join().expect("its memory"), said }
}

/// The most memory that a process had, in KiB; nothing when it has ended.
fn most_memory(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    mark.trim().split(' ').next()?.parse().ok()
}
