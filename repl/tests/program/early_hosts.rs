//! Hosts that take commands before their greeting (`hosts_pipe_connect`): what both programs say
//! to them at the first, the second and the third delivery, and what they log of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use eximious_tests::daemons::{Daemon, undated, without_ids, without_library};

use crate::common::{self, reference};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// What the client has; nothing is tried again so soon.
const CLIENT: &str = "tls_advertise_hosts =\nlog_selector = +pipelining -smtp_confirmation\n\
    begin routers\nall:\n driver = manualroute\n route_list = * 127.0.0.1\n self = send\n \
    transport = smtp\nbegin transports\nsmtp:\n driver = smtp\n port = SERVER\n allow_localhost\n \
    hosts_pipe_connect = *\n hosts_try_fastopen =\n command_timeout = 2s\n";

const CLIENT_END: &str = "begin retry\n* * F,1h,10m\n";

const USUAL: &str = "250-next.test\r\n250-PIPELINING\r\n250 PIPECONNECT\r\n";

/// How long a host waits for early commands.
const MOMENT: Duration = Duration::from_millis(300);

/// A host's answers in its second conversation, by the commands' names; one that is empty closes
/// the connection. In all others it has the usual ones.
type Answers = &'static [(&'static str, &'static str)];

/// What there is of it, with options of the transport.
const HOSTS: &[(&str, &str, Answers)] = &[
    ("usual", "", &[]),
    ("announces nothing", "", &[("EHLO", "250-next.test\r\n250 PIPELINING\r\n")]),
    (
        "announces more",
        "",
        &[("EHLO", "250-next.test\r\n250-SIZE 10000\r\n250-PIPELINING\r\n250 PIPECONNECT\r\n")],
    ),
    ("refuses EHLO alone", "", &[("EHLO", "500 what\r\n")]),
    (
        "refuses the sender",
        "",
        &[("MAIL", "550 no\r\n"), ("RCPT", "503 x\r\n"), ("DATA", "503 y\r\n")],
    ),
    (
        "puts the sender off",
        "",
        &[("MAIL", "450 no\r\n"), ("RCPT", "503 x\r\n"), ("DATA", "503 y\r\n")],
    ),
    ("refuses the recipient", "", &[("RCPT", "550 no\r\n"), ("DATA", "554 none\r\n")]),
    ("refuses the message", "", &[(".", "550 no\r\n")]),
    ("refuses everybody", "", &[("banner", "554 go away\r\n")]),
    ("puts everybody off", "", &[("banner", "421 busy\r\n"), ("EHLO", "")]),
    ("closes at once", "", &[("banner", "")]),
    ("closes at EHLO", "", &[("EHLO", "")]),
    ("closes at MAIL", "", &[("MAIL", "")]),
    ("is not greeted so", " hosts_avoid_esmtp = *\n", &[]),
    ("has its own name", " helo_data = own.test\n", &[]),
    ("speaks LMTP", " protocol = lmtp\n", &[]),
];

/// A host, and what it heard: of each conversation the commands before its greeting, and then
/// the rest.
struct Host {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Host {
    fn start(second: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its own address").port();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let notes = heard.clone();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().take(12).flatten().enumerate() {
                let answers = if number == 1 { second } else { &[] };
                let mut lines = vec![format!("conversation {}", number + 1)];
                talk(&stream, answers, &mut lines);
                notes.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
            }
        });
        Self { port, heard }
    }
}

fn talk(stream: &TcpStream, answers: Answers, heard: &mut Vec<String>) -> Option<()> {
    let answer = |name: &str, usual: &str| {
        let found = answers.iter().find(|(one, _)| *one == name);
        found.map_or(usual, |(_, answer)| answer).to_owned()
    };
    stream.set_read_timeout(Some(MOMENT)).ok()?;
    let mut early = vec![0; 4096];
    let count = (&mut &*stream).read(&mut early).unwrap_or_default();
    early.truncate(count);
    let commands = early.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    heard.extend(commands.map(|line| format!("early: {}", shown(line))));
    let mut input = BufReader::new(early.chain(stream));
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let say = |text: String| match text.is_empty() {
        true => None,
        false => (&mut &*stream).write_all(text.as_bytes()).ok(),
    };
    let (mut at, mut in_message) = (0, false);
    say(answer("banner", "220 next.test ESMTP\r\n"))?;
    loop {
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line).ok().filter(|length| *length > 0)?;
        at += line.len();
        let line = shown(&line);
        if in_message && line != "." {
            continue;
        }
        if at > count && line != "QUIT" {
            heard.push(line.clone());
        }
        let name = if line == "." { "." } else { &line[..4.min(line.len())] };
        in_message = name == "DATA" && !answers.iter().any(|(one, _)| *one == "DATA");
        let usual = match name {
            "EHLO" | "LHLO" => USUAL,
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 OK\r\n",
        };
        say(answer(name, usual))?;
        if name == "QUIT" {
            return None;
        }
    }
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let line = text.trim_end();
    // How large a message is hangs on the program's name.
    line.split(' ').filter(|word| !word.starts_with("SIZE=")).collect::<Vec<_>>().join(" ")
}

/// A client that has handed in three messages to a port, one after the other.
fn delivered(program: &Path, port: u16, transport: &str, end: &str) -> Vec<String> {
    let text = CLIENT.replace("SERVER", &port.to_string());
    let client = Daemon::start(program, &format!("{text}{transport}{CLIENT_END}{end}"), &[]);
    for _ in 0..3 {
        let mut command = Command::new(program);
        command.arg("-C").arg(client.path().join("exim.conf"));
        command.args(["-odf", "-f", "<>", "c@d.test"]);
        common::fed(&mut command, b"Subject: x\n\nhello\n");
        sleep(Duration::from_millis(20));
    }
    let log = client.log("main").replace(&port.to_string(), "PORT");
    let lines = log.lines().map(undated).map(without_ids).map(|line| without_library(&line));
    let marks = [" => ", " == ", " ** ", "error", "closed connection"];
    lines.filter(|line| marks.iter().any(|mark| line.contains(mark))).collect()
}

#[test]
fn hosts_are_spoken_to_before_they_greet() {
    let Some(exim) = reference() else { return };
    let mut differences = String::new();
    for (name, transport, second) in HOSTS {
        let [real, ours] = [Path::new(&exim), Path::new(OURS)].map(|program| {
            let host = Host::start(second);
            let logged = delivered(program, host.port, transport, "");
            sleep(Duration::from_millis(100));
            let heard = host.heard.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
            format!("{}\n{heard}\n", logged.join("\n"))
        });
        assert!(real.contains(" => "), "{name}: {real}");
        if real != ours {
            let changes = similar::TextDiff::from_lines(&real, &ours).unified_diff().to_string();
            differences += &format!("== {name}\n{changes}");
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// One that has forgotten what it announced is asked anew, instead of taken at its word: the
/// real one gives the message back.
#[test]
fn hosts_that_have_forgotten_are_asked_anew() {
    let second = &[
        ("EHLO", "500 what\r\n"),
        ("MAIL", "503 greet me\r\n"),
        ("RCPT", "503 x\r\n"),
        ("DATA", "503 y\r\n"),
    ];
    let host = Host::start(second);
    let logged = delivered(Path::new(OURS), host.port, "", "");
    let done = logged.iter().filter(|line| line.contains(" => ")).count();
    assert_eq!((done, logged.len()), (3, 3), "{logged:?}");
}

/// What a message says is never taken for commands by a host that no longer knows chunks.
#[test]
fn no_chunk_is_sent_to_who_has_not_greeted() {
    let second =
        &[("EHLO", "250-next.test\r\n250-CHUNKING\r\n250-PIPELINING\r\n250 PIPECONNECT\r\n")];
    let host = Host::start(second);
    let logged = delivered(Path::new(OURS), host.port, "", "");
    let done = logged.iter().filter(|line| line.contains(" => ")).count();
    assert_eq!((done, logged.len()), (3, 3), "{logged:?}");
    sleep(Duration::from_millis(100));
    let heard = host.heard.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
    let (_, last) = heard.split_once("conversation 3").expect("three conversations");
    assert!(last.contains("early: MAIL") && !last.contains("BDAT"), "{heard}");
}

/// What a real server announces under TLS, or to those that prove who they are, counts as well.
#[test]
fn servers_are_spoken_to_before_they_greet() {
    let Some(exim) = reference() else { return };
    let exim = Path::new(&exim);
    let secure = "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key\n";
    let clear = "tls_advertise_hosts =\n";
    let at_once = "tls_on_connect_ports = PORT\n";
    let knows = "begin authenticators\nplain:\n driver = plaintext\n public_name = PLAIN\n \
        server_condition = true\n server_prompts = :\n";
    let proves = "begin authenticators\nplain:\n driver = plaintext\n public_name = PLAIN\n \
        client_send = ^u^p\n";
    let tries = " hosts_try_auth = *\n";
    let cells = [
        ("in clear", clear.to_owned(), "", ""),
        ("TLS", secure.to_owned(), "", ""),
        ("TLS at once", format!("{secure}{at_once}"), " protocol = smtps\n", ""),
        ("proof", format!("{clear}{knows}"), tries, proves),
        ("TLS and proof", format!("{secure}{knows}"), tries, proves),
        ("TLS required", secure.to_owned(), " hosts_require_tls = *\n", ""),
        ("TLS avoided", secure.to_owned(), " hosts_avoid_tls = *\n", ""),
    ];
    let mut differences = String::new();
    for (name, server, transport, end) in cells {
        let [real, ours] = [exim, Path::new(OURS)].map(|program| {
            let head = "acl_smtp_rcpt = accept\nqueue_only\nlog_selector = +pipelining\n";
            let server = Daemon::start(exim, &format!("{head}{server}"), &[]);
            let said = delivered(program, server.port, transport, end).join("\n");
            let log = server.log("main");
            let lines = log.lines().filter(|line| line.contains(" <= ")).map(|line| {
                let line = without_library(&without_ids(undated(line)));
                // Whether it had said something before they were heard is a matter of luck.
                let line = line.replace(" L* ", " L ").replace(" L. ", " L ");
                let words = line
                    .split(' ')
                    .filter(|word| !["S=", "id="].iter().any(|head| word.starts_with(head)));
                words.collect::<Vec<_>>().join(" ")
            });
            format!("{said}\n{}\n", lines.collect::<Vec<_>>().join("\n"))
        });
        assert!(real.contains(" L* "), "{name}: {real}");
        if real != ours {
            let changes = similar::TextDiff::from_lines(&real, &ours).unified_diff().to_string();
            differences += &format!("== {name}\n{changes}");
        }
    }
    assert!(differences.is_empty(), "{differences}");
}
