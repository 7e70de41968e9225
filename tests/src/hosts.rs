//! Hosts that take mail: a real Exim, and one that is played by rules.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::servers::{self, Home, Peer, Played, Server};

/// A real Exim that takes mail at a port, and keeps it. `rest` are more lines of its
/// configuration, ACLs among them.
pub fn listening(exim: &Path, rest: &str) -> (Server, u16) {
    let home = Home::new("Debian-exim");
    let port = servers::free_port();
    let place = home.path().display().to_string();
    let config = home.write(
        "exim.conf",
        format!(
            "primary_hostname = peer.test\nspool_directory = {place}/spool\n\
             log_file_path = {place}/%slog\npid_file_path = {place}/pid\nkeep_environment =\n\
             tls_advertise_hosts =\nlocal_interfaces = 127.0.0.1\ndaemon_smtp_ports = {port}\n\
             queue_only\n{rest}"
        ),
    );
    let mut command = home.command(exim);
    command.arg("-C").arg(config).args(["-bdf", "-oX", &port.to_string()]);
    let ready = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    (Server::start(home, &mut command, ready), port)
}

/// A host that answers by rules: `RCPT TO:<r=550 no;MAIL=close`, the first that
/// begins as a command does. `banner=` is what it says first, `.=` what it says to a
/// message. `close` closes, `silent` says nothing, `… after 2s` waits before it is
/// said, and `endless` never comes to an end. What it hears is noted.
#[derive(Debug)]
pub struct Host {
    /// Where it listens.
    pub played: Played,
    heard: Arc<Mutex<Vec<String>>>,
    /// How many conversations are going on.
    open: Arc<AtomicUsize>,
}

/// How long a host waits for conversations to end before it tells what it heard: some
/// are kept by whoever asks.
const CLOSING: Duration = Duration::from_secs(3);

impl Host {
    /// One with these rules.
    pub fn new(rules: &str) -> Self {
        let rules: Vec<(String, String)> = rules
            .split(';')
            .filter_map(|rule| rule.rsplit_once('='))
            .map(|(command, answer)| (command.to_owned(), answer.replace("\\n", "\r\n")))
            .collect();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::new(AtomicUsize::new(0));
        let (noted, counted) = (heard.clone(), open.clone());
        let played = Played::tcp(move |peer| {
            counted.fetch_add(1, Ordering::SeqCst);
            let note = |line: String| noted.lock().expect("no test failed").push(line);
            converse(peer, &rules, &note);
            counted.fetch_sub(1, Ordering::SeqCst);
        });
        Self { played, heard, open }
    }

    /// What it heard so far, sorted: connections need not take turns.
    pub fn heard(&self) -> Vec<String> {
        let mut heard = self.heard_in_order();
        heard.sort();
        heard
    }

    /// What it heard until now, whatever is on its way; it stays there.
    pub fn heard_so_far(&self) -> Vec<String> {
        self.heard.lock().expect("no test failed").clone()
    }

    /// What it heard so far.
    pub fn heard_in_order(&self) -> Vec<String> {
        // The last words may be on their way, and on a busy machine for long.
        let count = || self.heard.lock().expect("no test failed").len();
        let began = Instant::now();
        let mut before = usize::MAX;
        while before != count()
            || (self.open.load(Ordering::SeqCst) > 0 && began.elapsed() < CLOSING)
        {
            before = count();
            std::thread::sleep(Duration::from_millis(100));
        }
        std::mem::take(&mut *self.heard.lock().expect("no test failed"))
    }
}

fn converse(peer: &mut dyn Peer, rules: &[(String, String)], note: &dyn Fn(String)) {
    note("connected".to_owned());
    let rule = |text: &str| {
        let found = rules.iter().find(|(command, _)| text.starts_with(command.as_str()));
        found.map(|(_, answer)| answer.as_str())
    };
    if !answer(peer, rule("banner").unwrap_or("220 peer.test")) {
        return;
    }
    let mut line = Vec::new();
    let mut in_message = false;
    while next_line(peer, &mut line) {
        let text = String::from_utf8_lossy(&line).into_owned();
        note(untimed(&text));
        if in_message && text != "." {
            continue;
        }
        let said = match rule(&text) {
            Some(said) => said,
            None if text.starts_with("EHLO") => "250-peer.test\r\n250 HELP",
            None if text == "QUIT" => "221 bye",
            None if text == "DATA" => "354 go on",
            None => "250 OK",
        };
        in_message = text == "DATA" && said.starts_with("354");
        if !answer(peer, said) || text == "QUIT" {
            return;
        }
    }
}

/// Answers; false where that was all.
fn answer(peer: &mut dyn Peer, said: &str) -> bool {
    match said.split_once(" after ") {
        _ if said == "close" => return false,
        _ if said == "silent" => return true,
        _ if said == "endless" => {
            while peer.write_all(&[b'2'; 4096]).is_ok() {}
            return false;
        }
        Some((answer, "2s")) => {
            std::thread::sleep(Duration::from_secs(2));
            let _ = peer.write_all(format!("{answer}\r\n").as_bytes());
        }
        _ => {
            let _ = peer.write_all(format!("{said}\r\n").as_bytes());
        }
    }
    true
}

fn next_line(peer: &mut dyn Peer, line: &mut Vec<u8>) -> bool {
    line.clear();
    let mut byte = [0];
    while line.len() < 10_000 {
        match peer.read(&mut byte) {
            Ok(1) if byte[0] == b'\n' => {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return true;
            }
            Ok(1) => line.push(byte[0]),
            _ => return false,
        }
    }
    false
}

/// Local parts that nobody has are made of the time.
pub fn untimed(text: &str) -> String {
    match text.split_once("-testing") {
        Some((head, tail)) => {
            let head = head.trim_end_matches(|c: char| c.is_ascii_digit());
            format!("{head}TIME-testing{tail}")
        }
        None => text.to_owned(),
    }
}
