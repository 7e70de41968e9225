//! What logs have: which ports (`log_ports`), as Exim 4.100 has them, and facts as JSON.

use std::path::Path;
use std::process::Command;

use eximious_tests::daemons::Daemon;

use super::common;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const CONFIG: &str = "log_selector = +incoming_port \
    +incoming_interface +outgoing_port +outgoing_interface +smtp_connection\n\
    tls_advertise_hosts =\nacl_smtp_rcpt = accept\nqueue_only\n\
    begin routers\nr:\n driver = manualroute\n route_list = * 127.0.0.1\n self = send\n \
    transport = t\nbegin transports\nt:\n driver = smtp\n allow_localhost\n port = PORT\n \
    hosts_try_fastopen =\n";

/// Lines of both sides, without what differs each time.
fn logged(more: &str) -> String {
    let daemon = Daemon::start(Path::new(OURS), &format!("{more}{CONFIG}"), &[]);
    let mut command = Command::new(OURS);
    command.arg("-C").arg(daemon.path().join("exim.conf"));
    command.args(["-odf", "-f", "a@me.test", "x@other.test"]);
    common::fed(&mut command, b"Subject: x\n\nx\n");
    daemon.await_log("closed by QUIT");
    let log = daemon.log("main");
    let own = daemon.port.to_string();
    let kept = ["TCP/IP connection count", " P=esmtp", " closed by QUIT", " => x@other.test"];
    let mut lines = String::new();
    for words in kept {
        let line = log.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{log}"));
        for word in line.split(' ').filter(|word| word.starts_with('[') || word.starts_with("I=")) {
            let word = word.replace(&own, "PORT");
            let (head, port) = word.split_once("]:").unwrap_or((&word, ""));
            let port = if port.is_empty() || port == "PORT" { port } else { "other" };
            lines += &format!("{}:{port} ", head.trim_end_matches(']').replace('[', ""));
        }
        lines += "\n";
    }
    lines
}

/// `log_json_file`: the facts of the lines of a delivery.
#[test]
fn facts_stand_in_a_file_of_their_own() {
    let config = format!("log_json_file = DIR/log/json\n{CONFIG}");
    let daemon = Daemon::start(Path::new(OURS), &config, &[]);
    let mut command = Command::new(OURS);
    command.arg("-C").arg(daemon.path().join("exim.conf"));
    command.args(["-odf", "-f", "a@me.test", "x@other.test"]);
    common::fed(&mut command, b"Subject: x\n\nx\n");
    daemon.await_log("closed by QUIT");
    daemon.await_log("Completed");
    let text = std::fs::read_to_string(daemon.path().join("log/json")).unwrap();
    let all: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let log = daemon.log("main");
    let texts: Vec<&str> = all.iter().filter_map(|one| one["text"].as_str()).collect();
    assert!(texts.iter().all(|text| log.contains(text)), "{texts:?} {log}");
    let of = |event: &str| all.iter().find(|one| one["event"] == event).expect(event);
    let delivered = of("delivered");
    assert_eq!(delivered["address"], "x@other.test");
    assert_eq!(delivered["fields"]["T"], "t");
    assert_eq!(delivered["fields"]["H"], format!("127.0.0.1 [127.0.0.1]:{}", daemon.port));
    assert_eq!(of("completed")["id"], delivered["id"]);
    assert_eq!(of("received")["address"], "a@me.test");
}

#[test]
fn ports_that_are_not_worth_it_are_left_out() {
    let [all, one, but, none] = [
        logged(""),
        logged("log_ports = PORT\n"),
        logged("log_ports = !PORT\n"),
        logged("log_ports =\n"),
    ];
    let client = "127.0.0.1:other I=127.0.0.1:PORT \n".repeat(3);
    assert_eq!(all, client.clone() + "127.0.0.1:PORT I=127.0.0.1:other \n");
    assert_eq!(one, client.clone() + "127.0.0.1:PORT I=127.0.0.1: \n");
    let client = client.replace(":PORT", ":");
    assert_eq!(but, client.clone() + "127.0.0.1: I=127.0.0.1:other \n");
    assert_eq!(none, client + "127.0.0.1: I=127.0.0.1: \n");
}
