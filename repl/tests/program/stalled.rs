//! Deliveries that take long, and those that have nothing to do with them.

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eximious_tests::daemons::{Daemon, READY, mailbox_user};
use eximious_tests::next_host::NextHost;
use eximious_tests::submission;

use crate::common::spool::Place;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const CONFIG: &str = "acl_smtp_rcpt = accept\nsmtp_accept_queue_per_connection = 0\n\
    begin routers\n\
    away:\n driver = manualroute\n domains = *.away.test\n self = send\n transport = away\n\
    \x20route_list = * ${lookup{$domain}wildlsearch{DIR/spool/hosts}}\n\
    here:\n driver = accept\n transport = ${if eq{$local_part}{locked}{locked}{box}}\n\
    begin transports\n\
    away:\n driver = smtp\n port = NEXT\n allow_localhost\n hosts_try_fastopen =\n\
    locked:\n driver = appendfile\n file = DIR/spool/${extract{$domain}{DOMAINS}}\n user = USER\n\
    \x20lock_interval = 1m\n\
    box:\n driver = appendfile\n directory = DIR/spool/box\n maildir_format\n user = USER\n\
    begin retry\n* * F,1h,1h\n";

/// How many messages are stalled: more than are delivered at once.
const MOST: usize = 24;

/// A daemon, where hosts are to be found at a port.
fn daemon(port: u16, hosts: &str) -> Daemon {
    let domains: String = (0..MOST).map(|at| format!("l{at}.test=box{at} ")).collect();
    let config = CONFIG.replace("NEXT", &port.to_string()).replace("DOMAINS", &domains);
    let daemon = Daemon::start(Path::new(OURS), &config.replace("USER", &mailbox_user()), &[]);
    std::fs::write(daemon.path().join("spool/hosts"), hosts).expect("a file");
    daemon
}

/// Has a message taken.
fn send(daemon: &Daemon, to: &[&str]) {
    let (said, _) = daemon.hand_in(to);
    assert!(said.starts_with("250 OK id="), "{said}");
}

/// How many messages are given at once: more than anybody tries at once.
const MANY: usize = 400;

/// What has nothing to do with them arrives within this.
const SOON: Duration = Duration::from_secs(10);

/// Has many messages taken, and sees that others arrive, and how many hosts are tried.
fn others_arrive_beside(domain: impl Fn(usize) -> String, host: impl Fn(usize) -> String) -> usize {
    let silent = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = silent.local_addr().expect("its number").port();
    let hosts: String = (0..MANY).map(|at| format!("{}: {}\n", domain(at), host(at))).collect();
    let daemon = daemon(port, &hosts);
    let tried = Arc::new(Mutex::new(Vec::new()));
    let all = tried.clone();
    std::thread::spawn(move || {
        while let Ok(one) = silent.accept() {
            all.lock().expect("a list").push(one);
        }
    });
    let mut client = daemon.client();
    client.hear();
    client.say("HELO client.test");
    for at in 0..MANY {
        let (said, _) = client.hand_in(&[&format!("x@{}", domain(at))]);
        assert!(said.starts_with("250 OK id="), "{said}");
    }
    let start = Instant::now();
    others_arrive(&daemon);
    assert!(start.elapsed() < SOON, "it waits for others: {:?}", start.elapsed());
    let count = || tried.lock().expect("a list").len();
    // Until no more are tried.
    let mut last = usize::MAX;
    while count() != last {
        last = count();
        std::thread::sleep(Duration::from_secs(2));
    }
    last
}

#[test]
fn one_host_that_says_nothing_has_a_part_of_the_threads() {
    let tried = others_arrive_beside(|_| "d.away.test".into(), |_| "127.0.0.1".into());
    assert!((16..MANY / 2).contains(&tried), "{tried}");
}

#[test]
fn many_hosts_that_say_nothing_stall_nobody_elses_mail() {
    let domain = |at| format!("d{at}.away.test");
    let tried = others_arrive_beside(domain, |at| format!("127.0.{}.{}", at / 250, at % 250 + 1));
    assert_eq!(tried, MANY);
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
    let port = silent.local_addr().expect("its number").port();
    let daemon = daemon(port, "*.away.test: 127.0.0.1\n");
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
    let daemon = daemon(9, "");
    let spool = daemon.path().join("spool");
    for at in 0..MOST {
        std::fs::write(spool.join(format!("box{at}.lock")), "").expect("a lock");
        send(&daemon, &[&format!("locked@l{at}.test")]);
    }
    others_arrive(&daemon);
}

/// What the real one waits, too, is a second.
#[test]
fn a_farewell_that_nobody_answers_is_short() {
    if let Some(why) = submission::lacking() {
        return println!("LEFT OUT: {why}");
    }
    let host = NextHost::start(vec![("quit".to_owned(), "wait".to_owned())]);
    let place = Place::new("");
    let config = "keep_environment =\nprimary_hostname = here.test\nspool_directory = DIR/spool\n\
        log_file_path = DIR/%slog\n\
        begin routers\naway:\n driver = manualroute\n route_list = * 127.0.0.1\n self = send\n\
        \x20transport = away\n\
        begin transports\naway:\n driver = smtp\n port = PORT\n allow_localhost\n\
        \x20hosts_try_fastopen =\nbegin retry\n* * F,1h,1h\n"
        .replace("DIR", &place.directory.path().display().to_string())
        .replace("PORT", &host.port().to_string());
    std::fs::write(&place.config, config).unwrap();
    let begin = Instant::now();
    let run = place.ours(&["-odi", "-f", "s@here.test", "a@away.test"], "Subject: x\n\nx\n");
    let took = begin.elapsed();
    let log = std::fs::read_to_string(place.path("mainlog")).unwrap_or_default();
    assert!(log.contains("=> a@away.test"), "{run:?} {log}");
    assert!(took < Duration::from_secs(4), "{took:?}");
}
