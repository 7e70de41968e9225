//! Which ports are logged (`log_ports`): as Exim 4.100 logs them.

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
