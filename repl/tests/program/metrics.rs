//! `metrics_listen`: what the daemon tells Prometheus, read by the rules of its text format.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use eximious_tests::daemons::{Daemon, READY};
use eximious_tests::servers::free_port;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const CONFIG: &str = "acl_smtp_rcpt = accept\nacl_smtp_data = ${if eq{$h_subject:}{ice}{freezes}{accepts}}\n\
    smtp_accept_max = 3\nmetrics_listen = 127.0.0.1:METRICS\n\
    begin acl\naccepts:\n accept\nfreezes:\n accept control = freeze\n\
    begin routers\nbad:\n driver = redirect\n domains = bad.test\n allow_fail\n data = :fail: no\n\
    later:\n driver = redirect\n domains = later.test\n allow_defer\n data = :defer: not now\n\
    away:\n driver = manualroute\n domains = away.test\n transport = away\n self = send\n \
    route_list = * 127.0.0.1\n\
    here:\n driver = accept\n domains = here.test\n transport = here\n\
    begin transports\nhere:\n driver = appendfile\n file = DIR/spool/mbox\n user = USER\n\
    away:\n driver = smtp\n allow_localhost\n port = CLOSED\n hosts_try_fastopen =\n\
    begin retry\n* * F,1d,1h\n";

/// What a sample is called, with its labels.
type Sample = (String, BTreeMap<String, String>);

/// A page, each line of which has to be as the format says.
#[derive(Default)]
struct Page {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<Sample, f64>,
}

fn is_name(text: &str, more: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || more.contains(c))
}

/// Reads `{a="b",c="d\n"}`; what comes behind is returned, too.
fn labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let Some(mut rest) = text.strip_prefix('{') else { return (BTreeMap::new(), text) };
    let mut labels = BTreeMap::new();
    loop {
        let (name, behind) = rest.split_once("=\"").expect("a label");
        assert!(is_name(name, ""), "{text}");
        let mut value = String::new();
        let mut letters = behind.char_indices();
        let end = loop {
            match letters.next().expect("the end of a value") {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match letters.next().expect("a letter").1 {
                    'n' => '\n',
                    letter @ ('\\' | '"') => letter,
                    other => panic!("\\{other} in {text}"),
                }),
                (_, letter) => value.push(letter),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "{name} twice in {text}");
        rest = &behind[end..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (labels, rest.strip_prefix('}').expect("the end of labels")),
        }
    }
}

impl Page {
    fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'));
        let (mut page, mut helped, mut family) = (Self::default(), Vec::new(), String::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect("a help");
                assert!(!help.is_empty() && !helped.contains(&name.to_owned()), "{line}");
                helped.push(name.to_owned());
                family = name.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a type");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert_eq!(name, family, "the help comes first");
                assert!(page.kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
            } else {
                let end = line.find(['{', ' ']).expect("a value");
                let (name, rest) = line.split_at(end);
                assert!(is_name(name, ":"), "{line}");
                let kind = page.kinds.get(&family).map(String::as_str);
                let tail = name.strip_prefix(family.as_str()).expect("samples of one family");
                match kind.expect("a type") {
                    "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&tail), "{line}"),
                    kind => assert!(
                        tail.is_empty() && (kind == "counter") == name.ends_with("_total"),
                        "{line}"
                    ),
                }
                let (labels, value) = labels(rest);
                let value = value.strip_prefix(' ').expect("a blank").parse().expect("a number");
                assert!(page.samples.insert((name.into(), labels), value).is_none(), "{line}");
            }
        }
        page
    }

    /// The sum of what has a name, and labels like `state=frozen`.
    fn sum(&self, name: &str, wanted: &[&str]) -> f64 {
        let has = |labels: &BTreeMap<String, String>, one: &&str| {
            let (name, value) = one.split_once('=').unwrap();
            labels.get(name).map(String::as_str) == Some(value)
        };
        let of =
            |(sample, labels): &Sample| sample == name && wanted.iter().all(|one| has(labels, one));
        self.samples.iter().filter(|(sample, _)| of(sample)).map(|(_, value)| value).sum()
    }
}

/// Asks for a page: its head and its text.
fn asked(port: u16, path: &str) -> (String, String) {
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    client.set_read_timeout(Some(READY)).unwrap();
    write!(client, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut said = String::new();
    client.read_to_string(&mut said).expect("an answer");
    let (head, text) = said.split_once("\r\n\r\n").expect("a head");
    let length = format!("Content-Length: {}\r\n", text.len());
    assert!(head.contains(&length), "{head}");
    (head.to_owned(), text.to_owned())
}

/// Has Prometheus' own tool look at a page, where it is there.
fn is_good(page: &str) {
    const TOOL: &str = "/usr/local/lib/eximious-tests/prometheus/usr/bin/promtool";
    if !Path::new(TOOL).exists() {
        return;
    }
    let mut tool = Command::new(TOOL);
    tool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut tool = tool.stderr(Stdio::piped()).spawn().expect("promtool");
    let mut input = tool.stdin.take().expect("its input");
    input.write_all(page.as_bytes()).expect("it reads");
    drop(input);
    let said = tool.wait_with_output().expect("it ends");
    let words = [said.stdout, said.stderr].concat();
    assert!(said.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
}

fn daemon(more: &str, metrics: u16) -> Daemon {
    let root = rustix::process::geteuid().is_root();
    let user = if root { "Debian-exim".to_owned() } else { std::env::var("USER").unwrap() };
    let config = format!("{more}{CONFIG}");
    let config = config.replace("METRICS", &metrics.to_string());
    let config = config.replace("CLOSED", &free_port().to_string()).replace("USER", &user);
    Daemon::start(Path::new(OURS), &config, &[])
}

fn send(daemon: &Daemon, to: &[&str], subject: &str) {
    let mut client = daemon.client();
    let recipients: Vec<String> = to.iter().map(|one| format!("RCPT TO:<{one}>")).collect();
    let mut lines = vec!["EHLO x", "MAIL FROM:<>"];
    lines.extend(recipients.iter().map(String::as_str));
    lines.push("DATA");
    client.go_through(&lines);
    client.send(format!("Subject: {subject}\r\n\r\n").as_bytes());
    client.go_through(&[".", "QUIT"]);
}

#[test]
fn what_the_daemon_does_is_counted() {
    let port = free_port();
    let daemon = daemon("", port);
    send(&daemon, &["a@here.test", "b@here.test", "c@bad.test", "d@later.test"], "one");
    send(&daemon, &["e@away.test"], "two");
    send(&daemon, &["f@here.test"], "ice");
    send(&daemon, &["g@here.test"], "three");
    for line in ["=> a <", "=> b <", "** c@", "== d@", "== e@", "=> g <", "Completed", "Frozen"] {
        daemon.await_log(line);
    }
    let start = Instant::now();
    while Page::read(&asked(port, "/metrics").1).sum("eximious_smtp_sessions", &[]) > 0.0 {
        assert!(start.elapsed() < READY, "sessions end");
        std::thread::sleep(Duration::from_millis(20));
    }
    // More than may come: the fourth is turned away.
    let held: Vec<_> = (0..4).map(|_| daemon.client()).collect();
    daemon.await_log("refused: too many connections");
    let (head, text) = asked(port, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    is_good(&text);
    let page = Page::read(&text);
    let messages = "eximious_messages_received_total";
    assert_eq!(page.sum(messages, &["protocol=esmtp"]), 4.0, "{text}");
    assert!(page.sum("eximious_messages_received_bytes_total", &[]) > 100.0, "{text}");
    let of = |wanted: &[&str]| page.sum("eximious_deliveries_total", wanted);
    assert_eq!(of(&["transport=here", "outcome=delivered", "host="]), 3.0, "{text}");
    assert_eq!(of(&["transport=away", "outcome=deferred"]), 1.0, "{text}");
    assert_eq!(of(&["transport=", "outcome=failed"]), 1.0, "{text}");
    assert_eq!(of(&["transport=", "outcome=deferred"]), 1.0, "{text}");
    assert_eq!(of(&[]), 6.0, "{text}");
    assert_eq!(page.sum("eximious_smtp_sessions", &[]), 3.0, "{text}");
    assert_eq!(page.sum("eximious_smtp_sessions_total", &[]), 7.0, "{text}");
    let refused = "eximious_smtp_sessions_refused_total";
    assert_eq!(page.sum(refused, &["reason=connections"]), 1.0, "{text}");
    let queued = "eximious_queue_messages";
    // One whose sender can't be told that it failed, and one that an ACL froze.
    assert_eq!(page.sum(queued, &["queue=", "state=frozen"]), 2.0, "{text}");
    assert_eq!(page.sum(queued, &["queue=", "state=waiting"]), 1.0, "{text}");
    let name = "eximious_queue_time_seconds";
    assert_eq!(page.sum(&format!("{name}_count"), &[]), 1.0, "{text}");
    assert_eq!(page.sum(&format!("{name}_bucket"), &["le=+Inf"]), 1.0, "{text}");
    assert_eq!(page.sum("eximious_build_info", &[]), 1.0, "{text}");
    drop(held);
    assert_eq!(asked(port, "/").0.lines().next(), Some("HTTP/1.1 404 Not Found"));
}

#[test]
fn counts_go_on_when_the_configuration_is_read_anew() {
    let port = free_port();
    let daemon = daemon("", port);
    send(&daemon, &["a@here.test"], "one");
    daemon.await_log("Completed");
    daemon.change("smtp_accept_max = 3", "smtp_accept_max = 4");
    daemon.signal("HUP");
    let start = Instant::now();
    while daemon.log("main").matches("daemon started").count() < 2 {
        assert!(start.elapsed() < READY);
        std::thread::sleep(Duration::from_millis(20));
    }
    send(&daemon, &["b@here.test"], "two");
    let start = Instant::now();
    while daemon.log("main").matches("Completed").count() < 2 {
        assert!(start.elapsed() < READY);
        std::thread::sleep(Duration::from_millis(20));
    }
    let page = Page::read(&asked(port, "/metrics").1);
    assert_eq!(page.sum("eximious_messages_received_total", &[]), 2.0);
    assert_eq!(page.sum("eximious_deliveries_total", &["outcome=delivered"]), 2.0);
}

#[test]
fn nobody_but_this_host_is_told() {
    for (place, why) in [
        ("0.0.0.0:9100", "told to this host alone"),
        ("192.0.2.1:9100", "told to this host alone"),
        ("9100", "or an absolute path"),
    ] {
        let config = format!("metrics_listen = {place}\n");
        let daemon = Daemon::begin(Path::new(OURS), &config, &[]);
        let start = Instant::now();
        while !daemon.log("panic").contains(why) {
            assert!(start.elapsed() < READY, "{place}: {} {}", daemon.said(), daemon.log("panic"));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!daemon.log("main").contains("daemon started"));
    }
}
