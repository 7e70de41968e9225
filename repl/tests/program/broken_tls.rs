//! TLS that is broken off, or left without a word, by either side, in the middle of a session:
//! logged as the real Exim logs it, but for the library's words.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use eximious_tests::daemons::{Daemon, undated, without_ids, without_library};
use eximious_tests::tls::{Wire, Wishes};

use super::common;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// How somebody leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leaving {
    /// The connection is closed.
    Closed,
    /// TLS is ended as it should be, and then the connection.
    Ended,
    /// Something comes that no TLS has sealed, and then the connection is closed.
    After(&'static [u8]),
}

const ALL: &[Leaving] = &[
    Leaving::Closed,
    Leaving::Ended,
    Leaving::After(b"NOOP in clear text\r\n"),
    // A record that nobody has sealed.
    Leaving::After(b"\x17\x03\x03\x00\x18twenty-four bytes of it."),
    // One that breaks off.
    Leaving::After(b"\x17\x03\x03\x00\x40no sixty-four"),
    // One that is too long.
    Leaving::After(b"\x17\x03\x03\xff\xffto be continued"),
    // An alert in clear text.
    Leaving::After(b"\x15\x03\x03\x00\x02\x02\x28"),
];

const VERSIONS: [&str; 2] = ["version=1.2", "version=1.3"];

const SERVER: &str = "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key\n\
    acl_smtp_rcpt = accept\nacl_smtp_notquit = notquit\nqueue_only\nbegin acl\nnotquit:\n \
    warn logwrite = NOTQUIT $smtp_notquit_reason\n accept\n";

/// What is said under TLS before a client leaves.
const SAID: &[&[&str]] = &[
    &["EHLO x"],
    &["EHLO x", "MAIL FROM:<a@b.test>"],
    &["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"],
];

/// What comes of a message after that. Between two lines of a header, a real Exim reads on where
/// nothing is to be read, and logs whatever the last error of the system was.
const PARTS: &[&str] = &["", "Subject: half", "Subject: x\r\n\r\nhalf a line"];

fn leave(wire: &mut Wire, how: Leaving) {
    match how {
        Leaving::Closed => {}
        Leaving::Ended => wire.unseal(),
        Leaving::After(bytes) => wire.socket().write_all(bytes).unwrap(),
    }
}

/// Lines of a log, without what is each program's or each time's own.
fn comparable(log: &str) -> String {
    let lines = log.lines().map(undated).map(without_ids).map(|line| without_library(&line));
    let passed_by = [" <= ", "lost privilege", "Completed", "Frozen", "daemon started"];
    let lines = lines.filter(|line| !passed_by.iter().any(|word| line.contains(word)));
    // How long a session took is as it happens.
    let lines = lines.map(|line| {
        line.split(' ').filter(|word| !word.starts_with("D=")).collect::<Vec<_>>().join(" ")
    });
    let mut lines: Vec<String> = lines.map(|line| line + "\n").collect();
    // GnuTLS says it once more to whoever reads once more.
    lines.dedup();
    lines.concat()
}

/// What a server logs of clients that leave.
fn left(program: &Path) -> String {
    let daemon = Daemon::start(program, SERVER, &[]);
    let (mut all, mut seen) = (String::new(), 0);
    for version in VERSIONS {
        for said in SAID {
            let parts = if said.ends_with(&["DATA"]) { PARTS } else { &PARTS[..1] };
            for (part, how) in parts.iter().flat_map(|part| ALL.iter().map(move |how| (part, how)))
            {
                let before = daemon.log("main").len();
                let mut client = daemon.client();
                client.hear();
                client.go_through(&["EHLO x", "STARTTLS"]);
                assert!(client.seal(&Wishes::read(version)).starts_with("(tls "));
                client.go_through(said);
                client.send(part.as_bytes());
                match how {
                    Leaving::Closed => {}
                    Leaving::Ended => client.unseal(),
                    Leaving::After(bytes) => client.stream().write_all(bytes).unwrap(),
                }
                drop(client);
                seen += 1;
                daemon.await_lines("NOTQUIT", seen);
                // What is said of the session's end comes a moment later.
                let mut log = daemon.log("main");
                loop {
                    thread::sleep(Duration::from_millis(50));
                    let later = daemon.log("main");
                    if later == log {
                        break;
                    }
                    log = later;
                }
                let log = comparable(&log[before..]);
                all += &format!("== {version} {said:?} {part:?} {how:?}\n{log}");
            }
        }
    }
    all
}

#[test]
fn clients_that_break_off_tls_are_told_of_as_exim_tells() {
    let Some(exim) = common::reference() else { return };
    let [exims, ours] = [Path::new(&exim), Path::new(OURS)].map(left);
    assert!(exims.contains("ID TLS error on connection from (x) [127.0.0.1] (read)"), "{exims}");
    let changes = similar::TextDiff::from_lines(&exims, &ours).unified_diff().to_string();
    assert!(changes.is_empty(), "{changes}");
}

const CLIENT: &str = "tls_advertise_hosts =\nlog_selector = -smtp_confirmation\nacl_smtp_rcpt = accept\n\
    begin routers\nall:\n driver = manualroute\n \
    route_list = * 127.0.0.1\n self = send\n transport = smtp\nbegin transports\nsmtp:\n \
    driver = smtp\n port = SERVER\n allow_localhost\n hosts_try_fastopen =\n \
    hosts_require_tls = *\nMORE\nbegin retry\n* * F,1h,10m\n";

/// What a host answers under TLS, one after the other.
const ANSWERS: &[&str] = &["250 hi", "250 sender", "250 recipient", "354 go", "250 taken"];

/// After how many of them it leaves. A real Exim takes a message for delivered whose host left
/// at DATA.
const COUNTS: &[usize] = &[0, 1, 2, 4, 5];

/// Speaks as a host that leaves after some answers.
fn serve(listener: &TcpListener, answers: usize, how: Leaving) {
    let (mut socket, _) = listener.accept().unwrap();
    let mut heard = [0; 4096];
    for line in ["220 hi\r\n", "250-hi\r\n250 STARTTLS\r\n", "220 go\r\n"] {
        socket.write_all(line.as_bytes()).unwrap();
        if !line.contains("go") {
            let _ = socket.read(&mut heard).unwrap();
        }
    }
    let mut wire = Wire::serve(socket);
    let mut hear = |wire: &mut Wire, end: &[u8]| {
        let mut all = Vec::new();
        while !all.ends_with(end) {
            match wire.read(&mut heard) {
                Ok(0) | Err(_) => return,
                Ok(count) => all.extend_from_slice(&heard[..count]),
            }
        }
    };
    for answer in &ANSWERS[..answers] {
        hear(&mut wire, if *answer == "250 taken" { b"\r\n.\r\n" } else { b"\r\n" });
        wire.write_all(format!("{answer}\r\n").as_bytes()).unwrap();
    }
    // What was said to the last answer is heard.
    hear(&mut wire, if answers == 4 { b"\r\n.\r\n" } else { b"\r\n" });
    leave(&mut wire, how);
    if how != Leaving::Closed {
        // Who is closed upon what it says itself is told that it was reset.
        let _ = wire.socket().shutdown(std::net::Shutdown::Write);
        let _ = wire.socket().try_clone().unwrap().read_to_end(&mut Vec::new());
    }
}

/// Has a client deliver a message.
fn deliver(program: &Path, client: &Daemon, sender: &str) {
    let mut command = Command::new(program);
    command.arg("-C").arg(client.path().join("exim.conf"));
    command.args(["-odf", "-f", sender, "c@d.test"]);
    common::fed(&mut command, b"Subject: x\n\nhello\n");
}

/// What a client logs of hosts that leave; `more` is of its transport.
fn deserted(program: &Path, more: &str, counts: &[usize], ways: &[Leaving]) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = CLIENT.replace("SERVER", &port.to_string()).replace("MORE", more);
    let client = Daemon::start(program, &text, &[]);
    let mut all = String::new();
    for (count, how) in counts.iter().flat_map(|count| ways.iter().map(move |how| (*count, *how))) {
        // Nobody remembers how it went the last time.
        let _ = std::fs::remove_dir_all(client.path().join("spool/db"));
        let before = client.log("main").len();
        thread::scope(|scope| {
            let host = scope.spawn(|| serve(&listener, count, how));
            deliver(program, &client, "a@b.test");
            host.join().unwrap();
        });
        let log = comparable(&client.log("main")[before..]);
        all += &format!("== {count} {how:?}\n{log}");
    }
    all.replace(&port.to_string(), "PORT")
}

#[test]
fn hosts_that_break_off_tls_are_told_of_as_exim_tells() {
    let Some(exim) = common::reference() else { return };
    let ask = |program| deserted(program, "", COUNTS, ALL);
    let [exims, ours] = [Path::new(&exim), Path::new(OURS)].map(ask);
    assert!(exims.contains("TLS error on connection (read)"), "{exims}");
    let changes = similar::TextDiff::from_lines(&exims, &ours).unified_diff().to_string();
    assert!(changes.is_empty(), "{changes}");
}

#[test]
fn who_is_refused_by_a_sealed_greeting_is_told_how_it_was_sealed() {
    let exim = common::reference();
    for program in [Some(Path::new(OURS)), exim.as_ref().map(Path::new)].into_iter().flatten() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let text = CLIENT.replace("SERVER", &port.to_string());
        let text = text.replace("MORE", " protocol = smtps");
        let client = Daemon::start(program, &text, &[]);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut wire = Wire::serve(listener.accept().unwrap().0);
                wire.write_all(b"554 go away\r\n").unwrap();
                let _ = wire.read(&mut [0; 64]);
            });
            // Nobody is told that it failed.
            deliver(program, &client, "<>");
        });
        let log = client.log("main");
        let line = log.lines().find(|line| line.contains(" ** c@d.test ")).unwrap();
        assert!(line.contains(" X=TLS1.3:") && line.contains(": 554 go away"), "{line}");
    }
}

#[test]
fn hosts_that_choose_none_of_the_protocols_are_left_where_that_is_asked() {
    let Some(exim) = common::reference() else { return };
    for (offered, wanted, is_left) in [
        ("smtp", "*", true),
        ("x : y", "127.0.0.1", true),
        ("smtp", "127.0.0.9", false),
        ("", "*", true),
    ] {
        let more = format!(" tls_alpn = {offered}\n hosts_require_alpn = {wanted}");
        let ask = |program| deserted(program, &more, &[0], &[Leaving::Ended]);
        let [exims, ours] = [Path::new(&exim), Path::new(OURS)].map(ask);
        assert_eq!(exims.contains("ALPN required but not negotiated"), is_left, "{exims}");
        assert_eq!(ours, exims, "{more}");
    }
}
