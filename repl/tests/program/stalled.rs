//! Deliveries that take long, and those that have nothing to do with them.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use eximious_tests::daemons::{Daemon, READY};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const CONFIG: &str = "acl_smtp_rcpt = accept\n\
    begin routers\n\
    away:\n driver = manualroute\n domains = *.away.test\n route_list = * 127.0.0.1\n self = send\n\
    \x20transport = away\n\
    here:\n driver = accept\n transport = ${if eq{$local_part}{locked}{locked}{box}}\n\
    begin transports\n\
    away:\n driver = smtp\n port = NEXT\n allow_localhost\n hosts_try_fastopen =\n\
    locked:\n driver = appendfile\n file = DIR/spool/${extract{$domain}{DOMAINS}}\n user = USER\n\
    \x20lock_interval = 1m\n\
    box:\n driver = appendfile\n directory = DIR/spool/box\n maildir_format\n user = USER\n\
    begin retry\n* * F,1h,1h\n";

/// How many messages are stalled: more than are delivered at once.
const MOST: usize = 24;

/// A daemon, where a host is to be found at a port.
fn daemon(port: u16) -> Daemon {
    let whoami = std::process::Command::new("id").arg("-un").output().expect("id").stdout;
    let own = String::from_utf8_lossy(&whoami).trim().to_owned();
    let user = if own == "root" { "Debian-exim" } else { &own };
    let domains: String = (0..MOST).map(|at| format!("l{at}.test=box{at} ")).collect();
    let config = CONFIG.replace("NEXT", &port.to_string()).replace("DOMAINS", &domains);
    Daemon::start(Path::new(OURS), &config.replace("USER", user), &[])
}

/// Has a message taken.
fn send(daemon: &Daemon, to: &[&str]) {
    let (said, _) = daemon.hand_in(to);
    assert!(said.starts_with("250 OK id="), "{said}");
}

/// Sends what nothing is in the way of; it arrives soon.
fn others_arrive(daemon: &Daemon) {
    send(daemon, &["one@here.test", "two@here.test"]);
    let new = daemon.path().join("spool/box/new");
    let arrived = || std::fs::read_dir(&new).into_iter().flatten().count();
    let start = Instant::now();
    while arrived() < 2 {
        assert!(start.elapsed() < READY, "it waits for others: {}", daemon.log("main"));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn hosts_that_say_nothing_stall_nobody_elses_mail() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let daemon = daemon(silent.local_addr().expect("its number").port());
    for at in 0..MOST {
        send(&daemon, &[&format!("x@d{at}.away.test")]);
    }
    others_arrive(&daemon);
    let all: Vec<_> = (0..MOST).map(|_| silent.accept().expect("all are tried")).collect();
    drop((all, silent));
    daemon.await_lines(" == ", MOST);
    // Who was needed for them is not in the way of others.
    send(&daemon, &["one@here.test", "two@here.test"]);
    daemon.await_lines(" Completed", 2);
}

#[test]
fn mailboxes_that_are_locked_stall_nobody_elses_mail() {
    let daemon = daemon(9);
    let spool = daemon.path().join("spool");
    for at in 0..MOST {
        std::fs::write(spool.join(format!("box{at}.lock")), "").expect("a lock");
        send(&daemon, &[&format!("locked@l{at}.test")]);
    }
    others_arrive(&daemon);
}
