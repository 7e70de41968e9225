//! ETRN: a client asks for its mail, and the queue is run for it.

use std::path::Path;
use std::time::{Duration, Instant};

use eximious_tests::daemons::{Daemon, READY};
use eximious_tests::submission;

use crate::common;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const CONFIG: &str = "acl_smtp_rcpt = accept\nacl_smtp_etrn = etrn\nqueue_only\n\
    log_selector = +etrn\nMORE\
    begin acl\netrn:\n deny condition = ${if eq{$smtp_command_argument}{#no}}\n accept\n\
    begin routers\nall:\n driver = accept\n transport = box\n\
    begin transports\nbox:\n driver = pipe\n command = /bin/sh DIR/box\n\
    \x20user = Debian-exim\n ignore_status\n log_output\n\
    begin retry\n* * F,5d,1h\n";

/// A mailbox that says when it begins, and takes nothing until `go` is there.
const BOX: &str = ": > DIR/begun\nn=0\nwhile [ ! -e DIR/go ] && [ $n -lt 600 ]; do\n sleep 0.05\n \
    n=$((n + 1))\ndone\ncat\n";

fn send(daemon: &Daemon, to: &str) {
    let mut client = daemon.client();
    client.hear();
    for line in ["EHLO x", "MAIL FROM:<a@b.test>", &format!("RCPT TO:<{to}>"), "DATA"] {
        client.say(line);
    }
    let said = client.say("Subject: x\r\n\r\ntext\r\n.");
    assert!(said.starts_with("250 "), "{said}");
}

fn await_until(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < READY, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn asked(program: &Path, more: &str) -> (Vec<String>, Vec<String>) {
    let daemon = Daemon::start(program, &CONFIG.replace("MORE", more), &[]);
    let place = daemon.path().display().to_string();
    std::fs::write(daemon.path().join("box"), BOX.replace("DIR", &place)).expect("a file");
    send(&daemon, "u@one.test");
    send(&daemon, "u@two.test");
    let mut client = daemon.client();
    client.hear();
    client.say("EHLO client");
    let lines = ["ETRN one.test", "ETRN #no", "ETRN #ONE.test"];
    let mut said: Vec<String> = lines.iter().map(|line| client.say(line)).collect();
    // The first run has the message; what comes next meets it.
    await_until("the delivery begins", || daemon.path().join("begun").exists());
    for line in ["ETRN #one.TEST", "ETRN #ONE.test"] {
        said.push(client.say(line));
    }
    std::fs::write(daemon.path().join("go"), "").expect("a file");
    daemon.await_log("Completed");
    await_until("all runs end", || {
        let log = daemon.log("main");
        log.matches("End queue run").count() == log.matches("Start queue run").count()
    });
    let log = daemon.log("main");
    let told = log.lines().filter_map(|line| {
        ["ETRN #", "=> u "].iter().find_map(|mark| Some(&line[line.find(mark)?..]))
    });
    let mut told: Vec<String> =
        told.map(|line| line.split(" (client)").next().unwrap().to_owned()).collect();
    told.sort();
    (said, told)
}

#[test]
fn the_queue_is_run_for_a_client() {
    if let Some(why) = submission::lacking() {
        println!("LEFT OUT: {why}");
        return;
    }
    for more in ["", "no_smtp_etrn_serialize\n"] {
        let ours = asked(Path::new(OURS), more);
        let delivered = ours.1.iter().filter(|line| line.starts_with("=> u <u@one.test>")).count();
        assert_eq!(delivered, 1, "{ours:?}");
        assert!(!ours.1.iter().any(|line| line.contains("two.test>")), "{ours:?}");
        if let Some(exim) = common::reference() {
            assert_eq!(ours, asked(Path::new(&exim), more));
        }
    }
}
